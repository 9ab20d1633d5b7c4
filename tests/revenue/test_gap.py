"""Late renewals in money: the pauses that `churn_rate` closes are none in the revenue functions.

Agreement with `churn_rate` and with a slow reference on random subscriptions.
"""

import random
import warnings
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from retainkit import churn_rate, mrr_movements, revenue_cohorts, revenue_retention
from retainkit.errors import RetainkitWarning
from sizes import cases
from tables import Row, rows_of

LIKE: Row = {"customer_id": "a", "start": date(2023, 1, 1), "end": date(2023, 1, 1), "mrr": 1.0}
DAY = timedelta(days=1)


def book(*rows: tuple[Any, ...]) -> list[Row]:
    """Return rows of a customer, a start, an end and money."""
    return [
        {
            "customer_id": who,
            "start": date.fromisoformat(start),
            "end": None if end is None else date.fromisoformat(end),
            "mrr": float(mrr),
        }
        for who, start, end, mrr in rows
    ]


def frame(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    return table.assign(
        **{name: pd.to_datetime(table[name]).astype("datetime64[us]") for name in ("start", "end")}
    )


# Paid to 31 January, renewed on 2 February.
LATE = book(
    ("a", "2024-01-01", "2024-01-31", 50),
    ("a", "2024-02-02", None, 50),
    ("b", "2024-01-01", None, 30),
)


def at(table: Any, day: str) -> Row:
    (row,) = [row for row in rows_of(table) if row["period"] == date.fromisoformat(day)]
    return row


def test_a_late_renewal_is_no_loss(backend: Backend) -> None:
    table = backend.make(LATE, like=LIKE)
    january, february = rows_of(mrr_movements(table, as_of="2024-03-01"))
    assert (january["closing"], january["new"]) == (30, 30)
    assert (february["reactivation"], february["reactivation_customers"]) == (50, 1)
    days = rows_of(mrr_movements(table, as_of="2024-03-01", period="day"))
    assert sum(row["churn"] for row in days) == sum(row["reactivation"] for row in days) == 50
    ways: list[dict[str, Any]] = [{}, {"period": "day"}, {"level": "event"}]
    for options in ways:
        money = rows_of(mrr_movements(table, as_of="2024-03-10", gap="3D", **options))
        assert [row["churn"] + row["reactivation"] for row in money] == [0] * len(money)
        assert (money[0]["new"], money[-1]["closing"]) == (80, 80)
    assert at(revenue_retention(table, as_of="2024-03-10", gap="3D"), "2024-02-01")["nrr"] == 1
    cohorts = rows_of(revenue_cohorts(table, as_of="2024-03-10", gap="3D"))
    assert [(row["customers"], row["nrr"]) for row in cohorts if row["cohort"].month == 1] == [
        (2, 1.0),
        (2, 1.0),
    ]
    churn = rows_of(churn_rate(table, as_of="2024-03-10", gap="3D"))
    assert [row["churned"] for row in churn] == [0, 0]


def test_a_pause_carries_what_was_paid_before_it() -> None:
    # The add-on of 20 had ended before, and is gone; the renewal is for less.
    rows = book(
        ("a", "2024-01-01", "2024-01-30", 50),
        ("a", "2024-01-01", "2024-01-20", 20),
        ("a", "2024-02-02", None, 40),
    )
    days = rows_of(mrr_movements(frame(rows), period="day", gap="3D", as_of="2024-03-01"))
    found = {row["period"].isoformat()[5:]: row["closing"] for row in days}
    assert [found[day] for day in ("01-19", "01-20", "01-29", "01-30", "02-01", "02-02")] == [
        *(70, 50, 50, 50, 50, 40)
    ]
    moves = [(row["period"].day, row["contraction"]) for row in days if row["contraction"]]
    assert moves == [(20, 20.0), (2, 10.0)]


def test_a_pause_is_one_of_the_customer() -> None:
    # One of two products pauses: the customer is there, and pays less.
    rows = book(
        ("a", "2024-01-01", None, 30),
        ("a", "2024-01-01", "2024-01-31", 50),
        ("a", "2024-02-02", None, 50),
    )
    days = rows_of(mrr_movements(frame(rows), period="day", gap="3D", as_of="2024-03-01"))
    assert sum(row["contraction"] for row in days) == sum(row["expansion"] for row in days) == 50


@pytest.mark.parametrize("function", [churn_rate, mrr_movements, revenue_retention])
def test_the_same_last_periods_are_left_out(function: Any) -> None:
    table = frame(LATE)
    for as_of, last in (("2024-04-02", 2), ("2024-04-03", 2), ("2024-04-04", 3)):
        assert rows_of(function(table, as_of=as_of, gap="3D"))[-1]["period"].month == last
        shown = rows_of(function(table, as_of=as_of, gap="3D", include_partial=True))
        assert [row["complete"] for row in shown] == [True] * last + [False] * (len(shown) - last)


def test_who_left_within_the_gap_may_still_renew() -> None:
    rows = book(("a", "2024-01-01", "2024-02-28", 50), ("b", "2024-01-01", "2024-02-20", 30))
    options: dict[str, Any] = {"as_of": "2024-03-01", "gap": "3D", "include_partial": True}
    row = at(mrr_movements(frame(rows), **options), "2024-02-01")
    assert (row["churn"], row["closing"], row["complete"]) == (30, 50, False)


# --- random subscriptions ----------------------------------------------------------------------


def random_book(seed: int) -> list[Row]:
    """Return subscriptions of ten customers, with pauses of up to a week among others."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for who in range(10):
        start = date(2023, 12, 20) + draw.randint(0, 60) * DAY
        for number in range(draw.randint(1, 6)):
            end = start + draw.randint(1, 50) * DAY
            runs = number > 2 and draw.random() < 0.5
            rows.append(
                {
                    "customer_id": who,
                    "start": start,
                    "end": None if runs else end,
                    "mrr": float(draw.randint(1, 5) * 10),
                    "plan": draw.choice("ab"),
                }
            )
            start = end + draw.choice([-10, -3, 0, 0, 1, 2, 3, 4, 7, 20]) * DAY
    return rows


def quietly(function: Any, rows: list[Row], **options: Any) -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(function(frame(rows), **options))


@pytest.mark.parametrize("seed", cases(range(20), quick=4))
@pytest.mark.parametrize("gap", ["0D", "3D", "10D"])
@pytest.mark.parametrize("period", ["day", "month"])
def test_customers_are_those_of_churn_rate(seed: int, gap: str, period: str) -> None:
    options = {
        "as_of": "2024-05-03",
        "gap": gap,
        "period": period,
        "include_partial": seed % 2 == 0,
    }
    rows = random_book(seed)
    churn = quietly(churn_rate, rows, **options)
    money = quietly(mrr_movements, rows, **options)
    names = {
        "period": "period",
        "opening": "opening_customers",
        "new": "new_customers",
        "reactivated": "reactivation_customers",
        "churned": "churn_customers",
        "closing": "closing_customers",
        "complete": "complete",
    }
    assert [[row[name] for name in names] for row in churn] == [
        [row[name] for name in names.values()] for row in money
    ]
    rates = quietly(revenue_retention, rows, **options)
    for rate, row in zip(rates, churn, strict=True):
        assert (rate["customers"], rate["complete"]) == (row["opening"], row["complete"])
        if row["opening"]:
            assert rate["logo_retention"] == pytest.approx(1 - row["churn_rate"])


def filled(rows: list[Row], gap: int, as_of: date) -> list[Row]:
    """Return subscriptions without pauses, the slow way: day by day, a row a customer and plan."""
    found = []
    for who in {row["customer_id"] for row in rows}:
        own = [row for row in rows if row["customer_id"] == who and row["start"] < as_of]
        paid: dict[date, dict[str, float]] = {}
        day = min(row["start"] for row in own)
        while day < as_of:
            paid[day] = {}
            for row in own:
                if row["start"] <= day and (row["end"] is None or day < row["end"]):
                    paid[day][row["plan"]] = paid[day].get(row["plan"], 0) + row["mrr"]
            day += DAY
        days = [*paid]
        there = [i for i, day in enumerate(days) if paid[day]]
        for here, then in zip(there, [*there[1:], len(days)], strict=True):
            # Of a pause that has not ended nothing is known before the gap is over.
            pause = then - here - 1
            if pause <= gap if then < len(days) else pause < gap or not pause:
                for i in range(here + 1, then):
                    paid[days[i]] = paid[days[here]]
        for i, day in enumerate(days):
            last = i == len(days) - 1
            found += [
                {
                    "customer_id": who,
                    "start": day,
                    "end": None if last else day + DAY,
                    "mrr": money,
                    "plan": plan,
                }
                for plan, money in paid[day].items()
            ]
    return found


@pytest.mark.parametrize("seed", cases(range(6), quick=2))
@pytest.mark.parametrize("by", [None, "plan"])
def test_money_is_that_of_a_table_without_pauses(seed: int, by: str | None) -> None:
    rows = random_book(100 + seed)
    options = {"as_of": "2024-05-03", "by": by, "include_partial": True}
    without = filled(rows, 3, date(2024, 5, 3))
    for function, own in (
        (mrr_movements, {}),
        (mrr_movements, {"level": "event"}),
        (revenue_retention, {"horizon": 2}),
        (revenue_cohorts, {}),
    ):
        found = quietly(function, rows, gap="3D", **options, **own)
        exact = quietly(function, without, **options, **own)
        assert len(found) == len(exact)
        for have, want in zip(found, exact, strict=True):
            for name in want:
                # Limits are given of what is complete, which the gap makes later.
                if name != "complete" and not name.endswith(("lower", "upper")):
                    assert have[name] == pytest.approx(want[name], nan_ok=True), (name, want)
