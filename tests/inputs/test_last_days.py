"""Ends that are last days: what they mean in every function, and how they are noticed."""
# ruff: noqa: DTZ001 - naive times on purpose

import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from backends import BACKENDS, Backend
from retainkit import (
    churn_rate,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
    survival_curve,
)
from retainkit._time.moment import midnights_after
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

FUNCTIONS = [churn_rate, survival_curve, mrr_movements, revenue_retention, revenue_cohorts]
PANDAS = BACKENDS[0]
each_function = pytest.mark.parametrize("function", FUNCTIONS)
LIKE: Row = {
    "customer_id": "a",
    "start": datetime(2024, 1, 1),
    "end": datetime(2024, 1, 1),
    "mrr": 1.0,
}


def book(*rows: tuple[Any, ...]) -> list[Row]:
    """Return rows of a customer, a start, an end and money; times are written as ISO dates."""
    return [
        {
            "customer_id": who,
            "start": datetime.fromisoformat(start),
            "end": None if end is None else datetime.fromisoformat(end),
            "mrr": float(mrr),
        }
        for who, start, end, mrr in rows
    ]


# The run of a customer that is billed by the quarter, beside one that goes on.
QUARTERS = book(
    ("a", "2024-01-01", "2024-03-31", 50),
    ("a", "2024-04-01", "2024-06-30", 50),
    ("b", "2024-01-01", None, 30),
)


def at(table: Any, day: str) -> Row:
    (row,) = [row for row in rows_of(table) if row["period"] == date.fromisoformat(day)]
    return row


@pytest.mark.parametrize("time", [timedelta(0), timedelta(hours=23, minutes=59, seconds=59)])
def test_a_quarter_billed_to_its_last_day_is_no_churn(backend: Backend, time: timedelta) -> None:
    rows = [row | {"end": row["end"] and row["end"] + time} for row in QUARTERS]
    table = backend.make(rows, like=LIKE)
    options: dict[str, Any] = {"as_of": "2024-07-01", "end_is": "last_day"}
    march = at(churn_rate(table, **options), "2024-03-01")
    assert (march["opening"], march["churned"]) == (2, 0)
    assert at(revenue_retention(table, **options), "2024-03-01")["nrr"] == 1
    # What is paid to the last of June still runs at its end.
    assert at(mrr_movements(table, **options), "2024-06-01")["closing"] == 80
    # Read as moments, the same ends lose a customer of two, and 50 of 80.
    march = at(churn_rate(table, as_of="2024-07-01"), "2024-03-01")
    assert (march["opening"], march["churned"]) == (2, 1)
    assert at(revenue_retention(table, as_of="2024-07-01"), "2024-03-01")["nrr"] == 0.375


@each_function
def test_a_last_day_is_the_midnight_after_it(function: Any, backend: Backend) -> None:
    days = book(
        ("a", "2024-01-05", "2024-02-09", 10),
        ("b", "2024-01-31", "2024-01-31", 20),
        ("c", "2024-02-01", None, 30),
    )
    midnights = [row | {"end": row["end"] and row["end"] + timedelta(1)} for row in days]
    found = function(backend.make(days, like=LIKE), end_is="last_day", as_of="2024-04-01")
    exact = function(backend.make(midnights, like=LIKE), as_of="2024-04-01")
    assert rows_of(found) == rows_of(exact)


def test_a_day_ends_in_the_zone_of_the_periods(backend: Backend) -> None:
    # 22:30 UTC on 31 March is half past midnight in Berlin, where summer time has just begun.
    like = {
        key: one.replace(tzinfo=UTC) if isinstance(one, datetime) else one
        for key, one in LIKE.items()
    }
    rows = [
        {
            "customer_id": "a",
            "start": datetime(2024, 3, 1, tzinfo=UTC),
            "end": datetime(2024, 3, 31, 22, 30, tzinfo=UTC),
            "mrr": 1.0,
        },
        {"customer_id": "b", "start": datetime(2024, 3, 1, tzinfo=UTC), "end": None, "mrr": 1.0},
    ]
    table = backend.make(rows, like=like)
    options: dict[str, Any] = {"end_is": "last_day", "period": "day", "as_of": "2024-04-10"}
    for zone, day in ((None, "2024-04-01"), ("Europe/Berlin", "2024-04-02")):
        churn = rows_of(churn_rate(table, tz=zone, **options))
        assert [row["period"] for row in churn if row["churned"]] == [date.fromisoformat(day)]


def test_days_with_two_midnights_or_none_end_once() -> None:
    # Havana sets its clock back from 1:00 to 0:00 on 3 November 2024, Cairo forward from 0:00 to
    # 1:00 on 26 April 2024; the instants are those of the IANA rules, in UTC.
    for zone, time, midnight in (
        ("America/Havana", datetime(2024, 11, 2, 12), datetime(2024, 11, 3, 4, tzinfo=UTC)),
        ("America/Havana", datetime(2024, 11, 3, 12), datetime(2024, 11, 4, 5, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2024, 4, 25, 12), datetime(2024, 4, 25, 22, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2024, 4, 26, 12), datetime(2024, 4, 26, 21, tzinfo=UTC)),
    ):
        own = ZoneInfo(zone)
        instant = int(time.replace(tzinfo=own).timestamp()) * 1_000_000
        found = midnights_after(np.array([instant, instant]), own)
        assert found.tolist() == [int(midnight.timestamp()) * 1_000_000] * 2


def test_an_end_that_is_never_stays_so(backend: Backend) -> None:
    far = datetime(2262, 4, 11) if backend.name.startswith("pandas") else datetime(9999, 12, 31)
    rows = [row | {"end": row["end"] or far} for row in QUARTERS]
    options: dict[str, Any] = {"end_is": "last_day", "as_of": "2024-07-01"}
    found = churn_rate(backend.make(rows, like=LIKE), **options)
    assert rows_of(found) == rows_of(churn_rate(backend.make(QUARTERS, like=LIKE), **options))


def test_a_last_day_before_the_start_is_none() -> None:
    rows = book(("a", "2024-02-01", "2024-01-31", 1), ("b", "2024-01-01", None, 1))
    with pytest.warns(RetainkitWarning, match="^1 of 2 rows end as they start"):
        churn_rate(PANDAS.make(rows, like=LIKE), end_is="last_day", as_of="2024-03-01")
    rows[0]["end"] = datetime(2024, 1, 30)
    with pytest.raises(ArgumentError, match="lies before 'start'") as caught:
        churn_rate(PANDAS.make(rows, like=LIKE), end_is="last_day", as_of="2024-03-01")
    assert (caught.value.code, caught.value.rows) == ("end_before_start", 1)


# --- the warning -------------------------------------------------------------------------------


def chain(pause: timedelta, *, n: int = 4, who: str = "a") -> list[Row]:
    """Return rows of a customer that follow one another after a pause each."""
    rows, start = [], datetime(2024, 1, 1)
    for _ in range(n):
        end = start + timedelta(days=30)
        rows.append({"customer_id": who, "start": start, "end": end, "mrr": 1.0})
        start = end + pause
    return rows


def told(function: Any, rows: list[Row], backend: Backend, **options: Any) -> list[Any]:
    """Return the warnings that ends look like last days."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(backend.make(rows, like=LIKE), as_of="2024-12-01", **options)
    found = [one.message for one in caught if isinstance(one.message, RetainkitWarning)]
    return [one for one in found if one.code == "ends_look_like_last_days"]


@each_function
@pytest.mark.parametrize(
    "pause", [timedelta(days=1), timedelta(seconds=1), timedelta(microseconds=1)]
)
def test_ends_that_look_like_last_days_are_noticed(
    function: Any, pause: timedelta, backend: Backend
) -> None:
    (warning,) = told(function, chain(pause), backend)
    assert (warning.argument, warning.rows, warning.total) == ("end", 3, 3)
    assert "end_is='last_day'" in str(warning)
    assert not told(function, chain(pause), backend, end_is="last_day")


@pytest.mark.parametrize(
    "rows",
    [
        chain(timedelta(0)),
        chain(timedelta(days=2)),
        chain(timedelta(seconds=2)),
        chain(timedelta(days=1), n=3),
        # Three of six are not more than half.
        chain(timedelta(days=1)) + chain(timedelta(days=9), who="b"),
    ],
    ids=["touching", "two days", "two seconds", "two rows", "half"],
)
def test_other_ends_are_not(rows: list[Row], backend: Backend) -> None:
    assert not told(churn_rate, rows, backend)


def test_more_than_half_are_enough(backend: Backend) -> None:
    rows = chain(timedelta(days=1)) + chain(timedelta(days=9), n=3, who="b")
    (warning,) = told(mrr_movements, rows, backend)
    assert (warning.rows, warning.total) == (3, 5)


def test_a_day_is_one_of_the_calendar() -> None:
    # In Berlin 31 March 2024 has 23 hours and 27 October 25.
    zone = ZoneInfo("Europe/Berlin")
    starts = [datetime(2024, month, 1, tzinfo=zone) for month in (3, 4, 10, 11)]
    ends = [datetime(2024, month, day, tzinfo=zone) for month, day in ((3, 31), (9, 30), (10, 31))]
    rows = [
        {"customer_id": "a", "start": start, "end": end, "mrr": 1.0}
        for start, end in zip(starts, [*ends, None], strict=True)
    ]
    with pytest.warns(RetainkitWarning, match="^3 of 3 rows that follow another"):
        churn_rate(PANDAS.make(rows), as_of="2024-12-01")
