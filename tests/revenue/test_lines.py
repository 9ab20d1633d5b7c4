"""Invoice lines that are taken for subscriptions are noticed by amounts that go with the time."""

import warnings
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    churn_rate,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
    subscriptions_from_lines,
)
from retainkit.errors import RetainkitWarning
from tables import Row, rows_of

MARCH = datetime(2024, 3, 1)  # noqa: DTZ001


def lines() -> list[Row]:
    """Return what six customers are billed: some days of January by the day, a month, and a year.

    All pay 62 in a month.
    """
    rows: list[Row] = []
    for customer in range(6):
        days = 3 + 2 * customer
        for start, end, amount in (
            (datetime(2024, 2, 1) - days * timedelta(days=1), datetime(2024, 2, 1), 2.0 * days),  # noqa: DTZ001
            (datetime(2024, 2, 1), MARCH, 62.0),  # noqa: DTZ001
            (MARCH, datetime(2025, 3, 1), 12 * 62.0),  # noqa: DTZ001
        ):
            rows.append({"customer_id": customer, "start": start, "end": end, "mrr": amount})
    return rows


def codes(function: Any, table: Any, **options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(table, **options)
    return [one.message.code for one in caught if isinstance(one.message, RetainkitWarning)]


@pytest.mark.parametrize("function", [mrr_movements, revenue_retention, revenue_cohorts])
@pytest.mark.parametrize(("as_of", "pairs"), [("2025-04-01", 12), ("2024-06-01", 6)])
def test_lines_are_noticed_in_revenue(
    function: Any, as_of: str, pairs: int, backend: Backend
) -> None:
    # What ends later than observation does ended in the table, but its length is not read.
    with pytest.warns(RetainkitWarning, match="look like invoice lines") as warned:
        result = function(backend.make(lines()), as_of=as_of)
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("looks_like_lines", pairs, pairs)
    if function is mrr_movements:
        # 62 a month is meant, of each of six.
        closing = [row["closing"] for row in rows_of(result)]
        assert closing[1:3] == [6 * 62, 6 * 12 * 62]


def test_what_is_made_of_lines_is_not_suspected(backend: Backend) -> None:
    spans = subscriptions_from_lines(backend.make(lines()), amount="mrr")
    assert codes(mrr_movements, spans, as_of="2025-03-01") == []
    closing = [row["closing"] for row in rows_of(mrr_movements(spans, as_of="2025-03-01"))]
    assert closing[1:] == [6 * 62] * 13


@pytest.mark.parametrize(
    "change",
    [
        {"mrr": 62.0},  # a monthly amount, as it should be
        {"customer_id": range(18)},  # each has one
    ],
)
def test_other_tables_are_not_suspected(change: dict[str, Any]) -> None:
    table = pd.DataFrame(lines()).assign(**change)
    assert codes(mrr_movements, table, as_of="2025-04-01") == []


def test_a_table_in_which_one_row_runs_is_one_of_subscriptions() -> None:
    running = pd.DataFrame([*lines(), {"customer_id": 9, "start": MARCH, "end": None, "mrr": 5.0}])
    assert codes(mrr_movements, running, as_of="2025-04-01") == []


def test_churn_does_not_ask_what_amounts_mean() -> None:
    table = pd.DataFrame(lines())
    assert codes(churn_rate, table, amount="mrr", as_of="2025-04-01") == []


@pytest.mark.parametrize("n", [4, 5])
def test_a_few_pairs_prove_nothing(n: int) -> None:
    some = pd.DataFrame(lines()).query("customer_id < @n and mrr < 700")
    assert codes(mrr_movements, some, as_of="2024-04-01") == ["looks_like_lines"] * (n > 4)
