"""The same subscription twice: repeats that are counted once, phases that stay, contradictions."""
# ruff: noqa: DTZ001 - naive times on purpose

import re
import warnings
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    churn_rate,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
    survival_curve,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

MONEY = [mrr_movements, revenue_retention, revenue_cohorts]
each_function = pytest.mark.parametrize("function", [*MONEY, churn_rate, survival_curve])
LIKE: Row = {
    "id": "s1",
    "customer_id": "a",
    "start": datetime(2024, 1, 1),
    "end": datetime(2024, 1, 1),
    "mrr": 1.0,
    "plan": "basic",
}


def book(*rows: tuple[Any, ...]) -> list[Row]:
    """Return rows of an id, a customer, a start, an end and money."""
    return [
        {
            "id": name,
            "customer_id": who,
            "start": datetime.fromisoformat(start),
            "end": None if end is None else datetime.fromisoformat(end),
            "mrr": float(mrr),
            "plan": "basic",
        }
        for name, who, start, end, mrr in rows
    ]


# Two customers who pay 99 and 50. A join with two invoices of the first gives its row twice.
ONCE = book(("s1", "a", "2024-01-10", None, 99), ("s2", "b", "2024-01-20", None, 50))
TWICE = [ONCE[0], *ONCE]
OPTIONS: dict[str, Any] = {"as_of": "2024-03-01"}


def told(function: Any, table: Any, code: str, **options: Any) -> list[RetainkitWarning]:
    """Return the warnings of a kind."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(table, **OPTIONS | options)
    found = [one.message for one in caught if isinstance(one.message, RetainkitWarning)]
    return [one for one in found if one.code == code]


def test_a_row_that_a_join_made_twice_is_counted_once(backend: Backend) -> None:
    table = backend.make(TWICE, like=LIKE)
    with pytest.warns(RetainkitWarning, match="^1 of 3 rows repeat another row in every column"):
        (row, _) = rows_of(mrr_movements(table, **OPTIONS))
    assert row["closing"] == 248
    with pytest.warns(RetainkitWarning, match="^1 of 3 rows repeat another row of the same subs"):
        (row, _) = rows_of(mrr_movements(table, subscription="id", **OPTIONS))
    assert row["closing"] == 149


@each_function
def test_repeats_change_nothing_where_subscriptions_are_named(
    function: Any, backend: Backend
) -> None:
    options = OPTIONS | {"subscription": "id"}
    once = rows_of(function(backend.make(ONCE, like=LIKE), **options))
    with pytest.warns(RetainkitWarning, match=re.escape("'id' (given as `subscription`)")) as said:
        twice = rows_of(function(backend.make(TWICE, like=LIKE), **options))
    assert twice == once
    (warning,) = [one.message for one in said]
    assert isinstance(warning, RetainkitWarning)
    assert (warning.code, warning.argument, warning.column) == (
        "duplicate_rows",
        "subscription",
        "id",
    )
    assert (warning.rows, warning.total) == (1, 3)


@each_function
def test_identical_rows_are_told_of_where_amounts_are_summed(
    function: Any, backend: Backend
) -> None:
    found = told(function, backend.make(TWICE, like=LIKE), "duplicate_rows")
    assert len(found) == (function in MONEY)
    assert not told(function, backend.make(ONCE, like=LIKE), "duplicate_rows")


@pytest.mark.parametrize(
    "other",
    [
        {"mrr": 98.0},
        {"plan": "pro"},
        {"customer_id": "c"},
        {"start": datetime(2024, 1, 11)},
        {"end": datetime(2024, 2, 11)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_rows_that_differ_are_no_repeats(other: Row) -> None:
    rows = pd.DataFrame([*ONCE, ONCE[0] | other])
    assert not told(mrr_movements, rows, "duplicate_rows", by="plan")


def test_repeats_are_found_among_others_of_the_same_start() -> None:
    # In every order: the rows of a customer and a start are compared with one another.
    rows = book(
        ("s1", "a", "2024-01-10", None, 20),
        ("s2", "a", "2024-01-10", None, 10),
        ("s3", "a", "2024-01-10", None, 20),
        ("s4", "a", "2024-01-10", "2024-02-10", 20),
        ("s5", "a", "2024-01-10", None, 10),
        ("s6", "a", "2024-01-10", None, 20),
        ("s7", "b", "2024-01-10", None, 20),
    )
    for seed in range(5):
        table = pd.DataFrame(rows).sample(frac=1, random_state=seed)
        (warning,) = told(mrr_movements, table, "duplicate_rows")
        assert (warning.rows, warning.total) == (3, 7)


# --- phases ------------------------------------------------------------------------------------

PHASES = book(
    ("s1", "a", "2024-01-10", "2024-02-10", 50),
    ("s1", "a", "2024-02-10", "2024-03-10", 80),
    ("s1", "a", "2024-03-20", None, 80),
    ("s2", "b", "2024-01-20", None, 50),
)


@each_function
def test_phases_stay(function: Any, backend: Backend) -> None:
    table = backend.make(PHASES, like=LIKE)
    options = {"as_of": "2024-05-01"}
    named = function(table, subscription="id", **options)
    assert rows_of(named) == rows_of(function(table, **options))


@each_function
def test_rows_that_overlap_contradict_one_another(function: Any, backend: Backend) -> None:
    rows = book(
        ("s1", "a", "2024-01-10", None, 50),
        ("s1", "a", "2024-02-10", "2024-03-10", 80),
        ("s1", "a", "2024-04-10", "2024-04-20", 80),
        ("s2", "b", "2024-01-20", "2024-03-20", 50),
        ("s2", "b", "2024-01-20", "2024-02-20", 50),
        ("s3", "c", "2024-01-20", "2024-02-20", 50),
        ("s3", "c", "2024-02-20", None, 50),
    )
    match = (
        r"^3 rows, of 7, overlap another of the same subscription, column 'id' \(given as "
        r"`subscription`\), for instance of 's1', 's2'\. Rows of one subscription must"
    )
    with pytest.raises(ArgumentError, match=match) as caught:
        function(backend.make(rows, like=LIKE), subscription="id", as_of="2024-05-01")
    error = caught.value
    assert (error.code, error.argument, error.column) == ("overlapping_rows", "subscription", "id")
    assert (error.rows, error.total) == (3, 7)


def test_the_same_span_at_two_prices_contradicts() -> None:
    rows = pd.DataFrame([*ONCE, ONCE[0] | {"mrr": 98.0}, ONCE[0]])
    with (
        pytest.warns(RetainkitWarning),
        pytest.raises(ArgumentError, match=r"^1 row, of 4, overlap"),
    ):
        mrr_movements(rows, subscription="id", **OPTIONS)
    # Where money is not read, they say the same.
    with pytest.warns(RetainkitWarning, match="^2 of 4 rows repeat"):
        churn_rate(rows, subscription="id", **OPTIONS)


def test_a_subscription_that_is_null_is_refused_or_left_out(backend: Backend) -> None:
    rows = [*ONCE, ONCE[0] | {"id": None, "customer_id": "c"}]
    table = backend.make(rows, like=LIKE)
    with pytest.raises(ArgumentError, match=r"'id' \(given as `subscription`\) is null in 1 row"):
        mrr_movements(table, subscription="id", **OPTIONS)
    with pytest.warns(RetainkitWarning, match="1 of 3 rows left out"):
        found = rows_of(mrr_movements(table, subscription="id", missing="drop", **OPTIONS))
    assert found[-1]["closing"] == 149


def test_phases_meet_in_the_hour_that_comes_twice() -> None:
    # In Berlin, 2:30 comes twice on 27 October 2024: what ends at the second begins before 2:30.
    first, second = pd.to_datetime(["2024-10-27 00:40", "2024-10-27 01:10"], utc=True)
    table = pd.DataFrame(
        {
            "id": ["s", "s", "s"],
            "customer_id": ["a"] * 3,
            "start": [pd.Timestamp("2024-10-01", tz="UTC"), first, second],
            "end": [first, second, pd.NaT],
        }
    )
    churn = churn_rate(table, subscription="id", tz="Europe/Berlin", as_of="2024-12-01")
    assert [row["period"] for row in rows_of(churn)] == [date(2024, 10, 1), date(2024, 11, 1)]
    assert churn["churned"].tolist() == [0, 0]
