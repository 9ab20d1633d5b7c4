"""Levels that are taken for subscriptions are noticed where they add up."""

from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from retainkit import churn_rate, mrr_movements, revenue_cohorts, revenue_retention, survival_curve
from retainkit.errors import RetainkitWarning
from tables import Row, rows_of


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number)  # noqa: DTZ001  naive times are the plainest


# What one customer pays from then on is 50, 70 and 0, and another 30.
LEVELS: list[Row] = [
    {"customer_id": who, "start": start, "end": None, "mrr": mrr, "id": i}
    for i, (who, start, mrr) in enumerate(
        [
            ("ann", day(1, 5), 50.0),
            ("ann", day(2, 10), 70.0),
            ("ann", day(3, 10), 0.0),
            ("bob", day(2, 15), 30.0),
        ]
    )
]
LIKE: Row = LEVELS[0] | {"end": day(1, 1)}
AS_OF: Row = {"as_of": "2024-04-01"}


@pytest.mark.parametrize("function", [mrr_movements, revenue_retention, revenue_cohorts])
def test_levels_are_noticed_in_revenue(function: Any, backend: Backend) -> None:
    with pytest.warns(RetainkitWarning, match="1 of 2 customers have several rows") as warned:
        result = function(backend.make(LEVELS, like=LIKE), **AS_OF)
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("looks_like_levels", 1, 3)
    assert "subscriptions_from_levels" in str(warning)
    if function is mrr_movements:
        assert [row["closing"] for row in rows_of(result)] == [50, 150, 150]


def test_running_subscriptions_are_ordinary_elsewhere() -> None:
    table = pd.DataFrame(LEVELS).astype({"end": "datetime64[us]"})
    churn_rate(table, **AS_OF)
    survival_curve(table, **AS_OF)
    # These are told apart, so that each of them does run.
    assert mrr_movements(table, subscription="id", **AS_OF)["closing"].tolist() == [50, 150, 150]


@pytest.mark.parametrize(
    "change",
    [
        {"start": day(1, 5)},  # all start together
        {"end": day(5, 1)},  # all end, though after the end of observation
        {"customer_id": None},  # each has one
    ],
)
def test_other_tables_are_not_suspected(change: Row) -> None:
    rows = [row | change for row in LEVELS]
    rows = [row | {"customer_id": row["customer_id"] or row["id"]} for row in rows]
    mrr_movements(pd.DataFrame(rows).astype({"end": "datetime64[us]"}), **AS_OF)
