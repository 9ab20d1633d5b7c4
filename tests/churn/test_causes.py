"""Churn by cause: the reason of each end, and segments that are made of the outcome."""
# ruff: noqa: DTZ001 - naive times on purpose

import random
import warnings
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from backends import Backend
from retainkit import (
    churn_rate,
    churned_customers,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
    survival_curve,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from sizes import cases
from tables import Row, rows_of

LIKE: Row = {
    "customer_id": "a",
    "start": datetime(2024, 1, 1),
    "end": datetime(2024, 1, 1),
    "mrr": 1.0,
    "reason": "price",
}
METHODS = ["opening", "stripe", "daily"]


def book(*rows: tuple[Any, ...]) -> list[Row]:
    """Return rows of a customer, a start, an end and a reason."""
    return [
        {
            "customer_id": who,
            "start": datetime.fromisoformat(start),
            "end": None if end is None else datetime.fromisoformat(end),
            "mrr": 1.0,
            "reason": reason,
        }
        for who, start, end, reason in rows
    ]


# Four customers: two cancelled, one failed payment, one who stays.
FOUR = book(
    ("a", "2024-01-05", "2024-02-05", "cancelled"),
    ("b", "2024-01-05", "2024-02-15", "failed payment"),
    ("c", "2024-01-05", "2024-02-25", "cancelled"),
    ("d", "2024-01-05", None, None),
)


def test_each_cause_has_its_part_of_the_churn(backend: Backend) -> None:
    table = backend.make(FOUR, like=LIKE)
    rows = rows_of(churn_rate(table, reason="reason", as_of="2024-03-01"))
    names = ("period", "reason", "opening", "new", "churned", "closing", "churn_rate")
    january, february = date(2024, 1, 1), date(2024, 2, 1)
    assert [tuple(row[name] for name in names) for row in rows[2:]] == [
        (february, "cancelled", 4, 0, 2, 1, 0.5),
        (february, "failed payment", 4, 0, 1, 1, 0.25),
    ]
    assert [(row["period"], row["reason"], row["new"], row["churned"]) for row in rows[:2]] == [
        (january, "cancelled", 4, 0),
        (january, "failed payment", 4, 0),
    ]
    for row, n in zip(rows[2:], (2, 1), strict=True):
        limits = stats.binomtest(n, 4).proportion_ci(0.95, "wilson")
        assert [row["lower"], row["upper"]] == pytest.approx([limits.low, limits.high])
    assert list(rows[0]) == [
        *("period", "reason", "opening", "new", "reactivated", "churned", "closing"),
        *("churn_rate", "lower", "upper", "complete"),
    ]


def test_an_end_without_a_cause_is_one(backend: Backend) -> None:
    rows = [*FOUR, *book(("e", "2024-01-05", "2024-02-07", None))]
    found = rows_of(churn_rate(backend.make(rows, like=LIKE), reason="reason", as_of="2024-03-01"))
    assert [(row["reason"], row["churned"]) for row in found[3:]] == [
        ("cancelled", 2),
        ("failed payment", 1),
        (None, 1),
    ]


def test_the_cause_of_a_run_is_that_of_its_last_end(backend: Backend) -> None:
    # An upgrade ends nothing; of two that end together, the smaller reason counts.
    rows = book(
        ("a", "2024-01-05", "2024-02-01", "upgrade"),
        ("a", "2024-02-01", "2024-02-20", "price"),
        ("a", "2024-01-20", "2024-02-10", "upgrade"),
        ("b", "2024-01-05", "2024-02-20", "price"),
        ("b", "2024-01-15", "2024-02-20", "card"),
        ("b", "2024-01-25", "2024-02-20", None),
    )
    table = backend.make(rows, like=LIKE)
    with pytest.warns(RetainkitWarning, match="^1 uninterrupted run of a customer .* `reason` at"):
        found = rows_of(churn_rate(table, reason="reason", as_of="2024-03-01"))
    assert [(row["reason"], row["churned"]) for row in found[2:]] == [("card", 1), ("price", 1)]


def test_where_nobody_has_left_all_reasons_are_rows_of_none() -> None:
    running = pd.DataFrame([row | {"end": pd.NaT} for row in FOUR])
    found = rows_of(churn_rate(running, reason="reason", as_of="2024-03-01"))
    assert [(row["reason"], row["opening"], row["churned"]) for row in found[3:]] == [
        ("cancelled", 4, 0),
        ("failed payment", 4, 0),
        (None, 4, 0),
    ]


def test_a_reason_is_no_column_of_the_result_and_no_segment() -> None:
    table = pd.DataFrame(FOUR).assign(churned="x")
    with pytest.raises(ArgumentError, match="`reason` names the column 'churned', which is also"):
        churn_rate(table, reason="churned")
    with pytest.raises(ArgumentError, match="`by` names 'reason', which is the `reason`"):
        churn_rate(table, reason="reason", by="reason")


def random_book(seed: int) -> pd.DataFrame:
    """Return subscriptions of thirty customers in two plans, each end with a reason or none."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for who in range(30):
        start = datetime(2024, 1, 1) + timedelta(days=draw.randint(0, 60))
        for number in range(draw.randint(1, 3)):
            end = start + timedelta(days=draw.randint(2, 60))
            runs = number == 2
            reason = None if runs else draw.choice(["price", "card", "upgrade", None])
            rows.append((who, start, None if runs else end, reason, draw.choice("ab")))
            start = end + timedelta(days=draw.choice([0, 0, 1, 10]))
    columns = ["customer_id", "start", "end", "reason", "plan"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


@pytest.mark.parametrize("seed", cases(range(10), quick=3))
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", [None, "plan"])
def test_causes_add_up_to_the_churn(seed: int, method: Any, by: str | None) -> None:
    table = random_book(seed)
    options: dict[str, Any] = {"method": method, "by": by, "as_of": "2024-06-01", "gap": "1D"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        whole = rows_of(churn_rate(table, **options))
        parts = rows_of(churn_rate(table, reason="reason", **options))
    n = len(parts) // len(whole)
    assert len(parts) == n * len(whole)
    for i, row in enumerate(whole):
        own = parts[n * i : n * i + n]
        for part in own:
            for name in row.keys() - {"churned", "churn_rate", "lower", "upper"}:
                assert part[name] == row[name], name
        assert len({part["reason"] for part in own}) == n
        assert sum(part["churned"] for part in own) == row["churned"]
        if row["churn_rate"] is not None:
            total = sum(part["churn_rate"] for part in own)
            assert total == pytest.approx(row["churn_rate"], nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_causes_are_those_of_the_rows_that_end_last(seed: int) -> None:
    # By hand: a customer has left for good if no later row begins within the gap.
    table = random_book(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = churn_rate(table, reason="reason", method="stripe", as_of="2024-06-01")
    expected: Counter[Any] = Counter()
    rows = rows_of(table)
    for row in rows:
        end = row["end"]
        later = [
            one
            for one in rows
            if one["customer_id"] == row["customer_id"]
            and end
            and row["start"] < one["start"] <= end
        ]
        if end is not None and end < date(2024, 6, 1) and not later:
            expected[row["reason"]] += 1
    counts: Counter[Any] = Counter()
    for row in rows_of(found):
        counts[row["reason"]] += row["churned"]
    assert {key: one for key, one in counts.items() if one} == expected


# --- segments that are made of the outcome -----------------------------------------------------

FUNCTIONS = [churn_rate, survival_curve, mrr_movements, revenue_retention, revenue_cohorts]


def told(function: Any, table: Any, code: str, **options: Any) -> list[RetainkitWarning]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(table, **{"as_of": "2024-04-01"} | options)
    found = [one.message for one in caught if isinstance(one.message, RetainkitWarning)]
    return [one for one in found if one.code == code]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_segments_that_are_made_of_the_outcome_are_told_of(function: Any, backend: Backend) -> None:
    table = backend.make([row | {"plan": "a"} for row in FOUR], like=LIKE | {"plan": "a"})
    (warning,) = told(function, table, "segment_of_the_outcome", by=["plan", "reason"])
    assert (warning.argument, warning.column) == ("by", "reason")
    assert "`churn_rate(reason=...)`" in str(warning)
    assert not told(function, table, "segment_of_the_outcome", by="plan")


@pytest.mark.parametrize(
    "rows",
    [
        [*FOUR, *book(("e", "2024-01-05", None, "price"))],
        [*FOUR, *book(("e", "2024-01-05", "2024-02-01", None))],
        FOUR[:3],
        FOUR[3:],
    ],
    ids=["a value that runs", "a null that ended", "no null", "no value"],
)
def test_other_nulls_are_segments(rows: list[Row], backend: Backend) -> None:
    table = backend.make(rows, like=LIKE)
    assert not told(churn_rate, table, "segment_of_the_outcome", by="reason")


# --- no time to judge --------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_gap_that_leaves_nothing_says_so(function: Any, backend: Backend) -> None:
    table = backend.make(FOUR, like=LIKE)
    (warning,) = told(function, table, "gap_leaves_nothing", gap="90D")
    assert warning.argument == "gap"
    assert "90 days (`gap`) may still renew" in str(warning)
    assert not told(function, table, "gap_leaves_nothing")
    assert not told(function, table, "gap_leaves_nothing", gap="90D", as_of="2024-06-01")
    # Nothing is over, whatever the gap is.
    assert not told(function, table, "gap_leaves_nothing", gap="3D", as_of="2024-01-20")
    if function is not survival_curve:
        options = {"gap": "90D", "include_partial": True}
        assert not told(function, table, "gap_leaves_nothing", **options)


@pytest.mark.parametrize("function", [churn_rate, churned_customers])
def test_the_reason_is_no_segment_beside(function: Any) -> None:
    table = pd.DataFrame(
        {
            "customer_id": [1],
            "start": pd.to_datetime(["2024-01-05"]),
            "end": pd.to_datetime(["2024-02-05"]),
            "why": ["price"],
        }
    )
    with pytest.raises(ArgumentError, match="`by` names 'why', which is the `reason`") as error:
        function(table, reason="why", by="why", as_of="2024-03-01")
    assert (error.value.code, error.value.argument) == ("named_twice", "by")
