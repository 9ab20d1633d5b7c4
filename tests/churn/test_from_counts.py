"""Churn of counted customers, against numbers written out by hand and a slow count."""

import random
from datetime import date
from typing import Any

import pandas as pd
import pytest

import oracles
from backends import Backend
from retainkit import churn_rate_from_counts
from retainkit.errors import ArgumentError, ColumnTypeError, RetainkitWarning
from tables import Row, rows_of

MONTHS = ["2024-01", "2024-02", "2024-03", "2024-04"]
NEW, LOST = [23, 45, 67, 20], [0, 2, 4, 7]
RECIPE: list[Row] = [
    {"period": period, "new": new, "lost": lost}
    for period, new, lost in zip(MONTHS, NEW, LOST, strict=True)
]


def of(rows: list[Row], **options: Any) -> list[Row]:
    return rows_of(churn_rate_from_counts(pd.DataFrame(rows), **options))


def test_a_rate_divides_by_who_was_there_before(backend: Backend) -> None:
    have = rows_of(churn_rate_from_counts(backend.make(RECIPE[::-1])))
    assert [row["period"] for row in have] == MONTHS
    assert [row["opening"] for row in have] == [0, 23, 66, 129]
    assert [row["closing"] for row in have] == [23, 66, 129, 142]
    assert have[0]["churn_rate"] is None
    assert [row["churn_rate"] for row in have[1:]] == [2 / 23, 4 / 66, 7 / 129]
    for row, (lost, opening) in zip(have[1:], [(2, 23), (4, 66), (7, 129)], strict=True):
        limits = oracles.wilson(lost, opening)
        assert (row["lower"], row["upper"]) == pytest.approx(limits, rel=1e-9)


def test_there_may_be_customers_before(backend: Backend) -> None:
    have = rows_of(churn_rate_from_counts(backend.make(RECIPE), opening=100))
    assert [row["churn_rate"] for row in have] == [0, 2 / 123, 4 / 166, 7 / 229]
    rows = [
        row | {"start": start} for row, start in zip(RECIPE, [10, None, None, 139], strict=True)
    ]
    like = rows[0]
    have = rows_of(churn_rate_from_counts(backend.make(rows, like=like), opening="start"))
    assert [row["opening"] for row in have] == [10, 33, 76, 139]


def test_an_opening_that_does_not_follow_is_taken_and_told() -> None:
    rows = [row | {"start": start} for row, start in zip(RECIPE, [0, 23, 60, 129], strict=True)]
    with pytest.warns(RetainkitWarning, match=r"'start'.* 2 rows, of 4") as warned:
        have = of(rows, opening="start")
    assert [row["opening"] for row in have] == [0, 23, 60, 129]
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("counts_do_not_add_up", 2, 4)


@pytest.mark.parametrize("seed", range(5))
def test_segments_are_counted_one_by_one(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows, expected = [], []
    for plan in ("a", "b", None):
        there = 0
        for month in range(6):
            new, lost = draw.randint(1, 30), draw.randint(0, there)
            rows.append({"plan": plan, "month": date(2024, month + 1, 1), "new": new, "lost": lost})
            rate = lost / there if there else None
            expected.append((plan, date(2024, month + 1, 1), there, rate))
            there += new - lost
    draw.shuffle(rows)
    have = of(rows, period="month", by="plan")
    assert [
        (row["plan"], row["period"], row["opening"], row["churn_rate"]) for row in have
    ] == expected


def test_periods_are_in_the_order_of_time() -> None:
    names = ["Jan", "Feb", "Mar", "Apr"]
    table = pd.DataFrame(RECIPE).assign(period=pd.Categorical(names, names, ordered=True))
    assert churn_rate_from_counts(table)["opening"].tolist() == [0, 23, 66, 129]
    for written in (
        ["2024/01", "2024/02", "2024/11", "2024/12"],
        ["2024Q1", "2024Q2", "2024Q3", "2024Q4"],
        ["2023-W52", "2024-W01", "2024-W02", "2024-W03"],
        ["2024-01-31", "2024-02-29", "2024-03-31", "2024-10-31 00:00:00"],
    ):
        counted = churn_rate_from_counts(table.assign(period=written))
        assert counted["opening"].tolist() == [0, 23, 66, 129]
    unordered: list[Any] = [
        names,
        pd.Categorical(names),
        ["1/2024", "2/2024", "10/2024", "11/2024"],
        ["2024-1", "2024-2", "2024-10", "2024-11"],
        ["2024-01-1", "2024-01-2", "2024-01-10", "2024-01-11"],
    ]
    for wrong in unordered:
        with pytest.raises(ArgumentError, match="whose order is not that of time") as error:
            churn_rate_from_counts(table.assign(period=wrong))
        assert error.value.code == "unordered_periods"


@pytest.mark.parametrize(
    ("change", "options", "text", "code"),
    [
        ({"lost": 30}, {}, "more customers leave than there are in 1 row, of 4", "count_above"),
        ({"period": "2024-01"}, {}, "has a period twice in 3 rows: '2024-01'", "duplicate_rows"),
        ({"period": None}, {}, "null in 4 rows", "null_values"),
        ({"new": -5}, {}, "negative in 4 rows: -5", "negative_values"),
        ({"plan": "a"}, {"by": "plan", "opening": 5}, "`opening` is 5 beside `by`", ""),
        ({}, {"opening": -1}, "`opening` is -1; it must be 0 or more", ""),
    ],
)
def test_what_cannot_be_is_refused(change: Row, options: Row, text: str, code: str) -> None:
    with pytest.raises(ArgumentError, match=text) as error:
        of([row | change for row in RECIPE], **options)
    assert error.value.code.startswith(code)


def test_counts_are_whole() -> None:
    have = of([row | {"new": float(row["new"])} for row in RECIPE])
    assert [row["opening"] for row in have] == [0, 23, 66, 129]
    for name in ("new", "lost", "opening"):
        with pytest.raises(ColumnTypeError, match=f"`{name}`.* must hold whole numbers"):
            of([row | {"opening": 9, name: 1.5} for row in RECIPE], opening="opening")


def test_who_comes_and_leaves_within_a_period_is_no_part_of_a_rate() -> None:
    rows = [{"period": 1, "new": 5, "lost": 0}, {"period": 2, "new": 20, "lost": 8}]
    with pytest.warns(RetainkitWarning, match="more than the customers at the start in 1 row"):
        have = of(rows)
    assert (have[1]["churn_rate"], have[1]["closing"]) == (None, 17)
