"""Churn rates: published figures, edge cases, a slow reference by sets of days, simulated truth.

Published figures stand with their source. The edge cases are those in which naive code is wrong.
"""
# ruff: noqa: C901, DTZ001 - a reference is as long as its definition; naive times on purpose

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from backends import Backend
from retainkit import churn_rate, churned_customers, survival_curve
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import cases
from tables import Row, rows_of

COUNTS = ("opening", "new", "reactivated", "churned", "closing")
METHODS = ["opening", "stripe", "daily"]
each_method = pytest.mark.parametrize("method", METHODS)


def subscriptions(*rows: tuple[Any, ...], columns: str = "customer_id start end") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=columns.split())
    for name in ("start", "end"):
        table[name] = pd.to_datetime(table[name], format="ISO8601").astype("datetime64[us]")
    return table


def churn(table: Any, **options: Any) -> list[Row]:
    return rows_of(churn_rate(table, **options))


def counts(rows: Iterable[Row]) -> list[tuple[int, ...]]:
    return [tuple(row[name] for name in COUNTS) for row in rows]


def at(rows: list[Row], text: str) -> Row:
    (row,) = [row for row in rows if row["period"] == date.fromisoformat(text)]
    return row


# --- published figures ------------------------------------------------------------------------


def hundred_customers() -> pd.DataFrame:
    """100 on 1 May; in May 12 of them leave, of whom one returns, and one comes and leaves."""
    rows: list[tuple[Any, ...]] = [(i, "2024-04-01", None) for i in range(100)]
    for i in range(11):
        rows[i] = (i, "2024-04-01", f"2024-05-{10 + i}")
    rows += [(0, "2024-05-25", None), (500, "2024-05-03", "2024-05-20")]
    return subscriptions(*rows)


def test_churn_of_chartmogul() -> None:
    # help.chartmogul.com 203359341: 100 customers, 12 churned, of whom 1 came back and 1 was new in
    # the period: (12 - 2) / 100.
    row = at(churn(hundred_customers(), as_of="2024-06-01"), "2024-05-01")
    assert counts([row]) == [(100, 0, 0, 10, 90)]
    assert row["churn_rate"] == 0.1
    limits = stats.binomtest(10, 100).proportion_ci(0.95, "wilson")
    assert [row["lower"], row["upper"]] == pytest.approx([limits.low, limits.high])


def test_by_the_method_of_stripe_all_are_counted() -> None:
    rows = churn(hundred_customers(), as_of="2024-06-01", method="stripe")
    row = at(rows, "2024-05-01")
    assert counts([row]) == [(100, 1, 1, 12, 90)]
    assert row["churn_rate"] == pytest.approx(12 / 102)
    limits = stats.binomtest(12, 102).proportion_ci(0.95, "wilson")
    assert [row["lower"], row["upper"]] == pytest.approx([limits.low, limits.high])


def test_customers_of_chartmogul_by_days() -> None:
    rows = churn(hundred_customers(), as_of="2024-06-01", method="daily")
    row = at(rows, "2024-05-01")
    assert counts([row]) == [(100, 1, 1, 12, 90)]
    # 101 from the 3rd on; one leaves on each of the days from the 10th to the 20th, and on the 20th
    # the one who came as well.
    expected = sum(1 / (101 - i) for i in range(10)) + 2 / 91
    assert row["churn_rate"] == pytest.approx(expected)


def test_churn_of_profitwell_comes_at_the_end_of_what_was_paid() -> None:
    # From 15 April, cancelled on 8 June: the paid month ends on 15 June.
    table = subscriptions((1, "2024-04-15", "2024-06-15"))
    rows = churn(table, period="day", as_of="2024-07-01")
    assert [row["period"] for row in rows if row["churned"]] == [date(2024, 6, 15)]
    assert counts([at(churn(table, as_of="2024-07-01"), "2024-06-01")]) == [(1, 0, 0, 1, 0)]


# --- edge cases -------------------------------------------------------------------------------


def test_who_returns_after_a_gap_has_churned_and_is_reactivated() -> None:
    table = subscriptions(
        (1, "2024-01-10", "2024-02-10"), (1, "2024-04-10", None), (2, "2024-01-01", None)
    )
    assert counts(churn(table, as_of="2024-05-01")) == [
        (0, 2, 0, 0, 2),
        (2, 0, 0, 1, 1),
        (1, 0, 0, 0, 1),
        (1, 0, 1, 0, 2),
    ]


def test_who_came_and_left_within_a_period_is_not_new_later() -> None:
    table = subscriptions((1, "2024-01-10", "2024-01-20"), (1, "2024-03-01", None))
    assert counts(churn(table, as_of="2024-04-01")) == [
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0),
        (0, 0, 1, 0, 1),
    ]


def test_periods_and_subscriptions_are_half_open() -> None:
    table = subscriptions((1, "2024-01-01", "2024-02-01"), (2, "2024-01-31T23:59:59.999999", None))
    assert counts(churn(table, as_of="2024-03-01")) == [(0, 2, 0, 0, 2), (2, 0, 0, 1, 1)]
    # A moment earlier it is churn of January, where nothing of it shows.
    table.loc[0, "end"] = pd.Timestamp("2024-01-31T23:59:59.999999")
    assert counts(churn(table, as_of="2024-03-01")) == [(0, 1, 0, 0, 1), (1, 0, 0, 0, 1)]


def test_the_period_in_progress_is_marked_and_has_no_interval() -> None:
    table = subscriptions((1, "2024-01-01", "2024-03-10"), (2, "2024-01-01", None))
    assert len(churn(table, as_of="2024-03-15")) == 2
    row = churn(table, as_of="2024-03-15", include_partial=True)[-1]
    assert counts([row]) == [(2, 0, 0, 1, 1)]
    assert (row["complete"], row["churn_rate"]) == (False, 0.5)
    assert (row["lower"], row["upper"]) == (None, None)


def test_future_starts_are_counted_in_a_warning() -> None:
    table = subscriptions((1, "2024-01-01", None), (2, "2024-03-01", None), (3, "2025-01-01", None))
    with pytest.warns(RetainkitWarning, match=r"^2 of 3 rows start at or after as_of \(2024-03-01"):
        rows = churn(table, as_of="2024-03-01")
    assert counts(rows) == [(0, 1, 0, 0, 1), (1, 0, 0, 0, 1)]


@each_method
def test_what_runs_and_what_ends_at_as_of_or_later_is_no_churn(method: str) -> None:
    ends = (None, "2024-03-01", "2030-01-01")
    table = subscriptions(*((i, "2024-01-01", end) for i, end in enumerate(ends)))
    rows = churn(table, as_of="2024-03-01", method=method)
    assert counts(rows) == [(0, 3, 0, 0, 3), (3, 0, 0, 0, 3)]


def test_by_default_observation_ends_with_the_day_of_the_last_start() -> None:
    table = subscriptions(
        (1, "2024-01-01", "2024-02-10"),
        (2, "2024-02-29T12:00", None),
        (3, "2024-01-02", "2024-04-01"),
    )
    with pytest.warns(RetainkitWarning, match=r"^1 of 3 rows end at or after 2024-03-01, the midn"):
        rows = churn(table)
    assert counts(rows) == [(0, 2, 0, 0, 2), (2, 1, 0, 1, 2)]


def test_what_overlaps_or_touches_is_one_run() -> None:
    table = subscriptions(
        (1, "2024-01-01", "2024-03-01"),
        (1, "2024-02-01", "2024-02-15"),
        (1, "2024-03-01", "2024-04-10"),
        (1, "2024-04-01", "2024-05-20"),
        (1, "2024-05-20", "2024-05-20T12:00"),
        (1, "2024-05-20T12:00", "2024-06-10"),
    )
    for method in METHODS:
        rows = churn(table, as_of="2024-08-01", method=method)
        assert [row["churned"] for row in rows] == [0, 0, 0, 0, 0, 1, 0]
        assert [row["new"] for row in rows] == [1, 0, 0, 0, 0, 0, 0]


def test_a_late_renewal_within_the_gap_is_none() -> None:
    table = subscriptions((1, "2024-01-01", "2024-01-31"), (1, "2024-02-03", "2024-03-31"))
    options = {"as_of": "2024-05-04"}
    assert [row["churned"] for row in churn(table, **options, gap="3D")] == [0, 0, 1, 0]
    assert [row["new"] for row in churn(table, **options, gap="3D")] == [1, 0, 0, 0]
    for gap in ("2D", "71H", timedelta(hours=71), "0D"):
        rows = churn(table, **options, gap=gap)
        # January's end and February's start do not meet.
        assert [row["churned"] for row in rows] == [0, 0, 1, 0]
        assert [row["new"] + row["reactivated"] for row in rows] == [0, 1, 0, 0]
    # Within the gap before as_of nobody has left for good: March is known from 4 April on.
    assert len(churn(table, as_of="2024-04-03", gap="3D")) == 2
    assert len(churn(table, as_of="2024-04-04", gap="3D")) == 3
    last = churn(table, as_of="2024-04-03", gap="3D", include_partial=True)[-2:]
    assert [(row["churned"], row["complete"]) for row in last] == [(0, False)] * 2


def test_a_gap_of_days_is_one_on_the_wall_clock() -> None:
    # Over 27 October 2024 two days have 49 hours in Berlin.
    zone = ZoneInfo("Europe/Berlin")
    days = [("2024-09-01", "2024-10-26"), ("2024-10-28", None)]
    table = pd.DataFrame(
        {
            "customer_id": [1, 1],
            "start": [pd.Timestamp(start, tz=zone) for start, _ in days],
            "end": pd.to_datetime([end for _, end in days]).tz_localize(zone),  # type: ignore[arg-type]
        }
    )
    rows = churn(table, as_of="2024-12-01", gap="2D", method="stripe")
    assert sum(row["churned"] for row in rows) == 0
    rows = churn(table, as_of="2024-12-01", gap="47H", method="stripe")
    assert sum(row["churned"] for row in rows) == 1


def test_a_segment_is_that_of_the_start_of_the_run() -> None:
    table = subscriptions(
        (1, "2024-01-05", "2024-02-01", "basic"),
        (1, "2024-02-01", "2024-03-10", "pro"),
        (2, "2024-01-05", "2024-02-10", "pro"),
        (2, "2024-02-20", None, "basic"),
        columns="customer_id start end plan",
    )
    rows = churn(table, by="plan", as_of="2024-04-01")
    assert [(row["plan"], *one) for row, one in zip(rows, counts(rows), strict=True)] == [
        ("basic", 0, 1, 0, 0, 1),
        ("basic", 1, 0, 1, 0, 2),
        ("basic", 2, 0, 0, 1, 1),
        ("pro", 0, 1, 0, 0, 1),
        ("pro", 1, 0, 0, 1, 0),
        ("pro", 0, 0, 0, 0, 0),
    ]
    # Without segments, customer 2 was there at both ends of February.
    assert counts(churn(table, as_of="2024-04-01"))[1] == (2, 0, 0, 0, 2)


def test_a_segment_begins_with_its_first_run() -> None:
    table = subscriptions(
        (1, "2024-01-05", None, "a"),
        (2, "2024-03-05", None, "b"),
        (1, "2024-02-05", "2024-02-10", "c"),
        columns="customer_id start end plan",
    )
    rows = churn(table, by="plan", as_of="2024-04-01")
    assert [(row["plan"], row["period"].month) for row in rows] == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 3),
    ]


def test_several_segments_at_the_start_of_a_run_are_counted_in_a_warning() -> None:
    table = subscriptions(
        (1, "2024-01-05", None, "b"),
        (1, "2024-01-05", None, "a"),
        columns="customer_id start end plan",
    )
    with pytest.warns(RetainkitWarning, match="^1 uninterrupted run of a customer with several"):
        (row,) = churn(table, by="plan", as_of="2024-02-01")
    assert row["plan"] == "a"


def test_no_length_is_set_aside_and_a_negative_one_refused() -> None:
    table = subscriptions((1, "2024-01-01", "2024-01-01"), (2, "2024-01-05", None))
    with pytest.warns(RetainkitWarning, match="^1 of 2 rows end as they start and are not used"):
        rows = churn(table, as_of="2024-02-01")
    assert counts(rows) == [(0, 1, 0, 0, 1)]
    table.loc[0, "end"] = pd.Timestamp("2023-12-31")
    with pytest.raises(ArgumentError, match=r"'end' .* lies before 'start' .* in 1 row, of 2; for"):
        churn(table)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("opening", (0, 0, 0, 0, 0)), ("stripe", (0, 1, 0, 1, 0)), ("daily", (0, 1, 0, 1, 0))],
)
def test_start_and_end_within_one_period(method: str, expected: tuple[int, ...]) -> None:
    table = subscriptions((1, "2024-01-05", "2024-01-20"))
    (row,) = churn(table, as_of="2024-02-01", method=method)
    assert counts([row]) == [expected]
    assert row["churn_rate"] == (None if method == "opening" else 1)


def test_what_is_free_makes_no_customer() -> None:
    table = subscriptions(
        (1, "2024-01-05", "2024-02-05", 0),
        (1, "2024-02-05", None, 9),
        (2, "2024-01-05", None, 0),
        columns="customer_id start end mrr",
    )
    with pytest.warns(RetainkitWarning, match="^2 of 3 rows have an amount of 0 and are not used"):
        rows = churn(table, amount="mrr", as_of="2024-03-01")
    assert counts(rows) == [(0, 1, 0, 0, 1)]
    assert counts(churn(table, as_of="2024-03-01"))[0] == (0, 2, 0, 0, 2)


@pytest.mark.parametrize("function", [churn_rate, survival_curve, churned_customers])
def test_amounts_of_0_where_no_row_ends_look_like_levels(function: Any, backend: Backend) -> None:
    rows = [
        {"customer_id": who, "start": when, "end": None, "mrr": mrr}
        for who, when, mrr in [
            (1, datetime(2024, 1, 5), 9.0),
            (1, datetime(2024, 2, 5), 0.0),
            (2, datetime(2024, 1, 5), 9.0),
        ]
    ]
    like = rows[0] | {"end": datetime(2024, 1, 5)}
    advice = "no row ends.*an amount of 0 is the end.*`subscriptions_from_levels`"
    with pytest.warns(RetainkitWarning, match=f"^1 of 3 rows have .*{advice}") as caught:
        function(backend.make(rows, like=like), amount="mrr", as_of="2024-04-01")
    # Python may warn at the same time, of the sockets that Spark leaves open as it starts.
    told = [one.message.code for one in caught if isinstance(one.message, RetainkitWarning)]
    assert told == ["free_subscriptions"]
    rows[2]["end"] = datetime(2024, 3, 5)
    with pytest.warns(RetainkitWarning, match=r"^1 of 3 rows .* are not used\.$"):
        function(backend.make(rows, like=like), amount="mrr", as_of="2024-04-01")


def test_nothing_to_lose_is_nan_and_no_loss_is_0_in_every_month() -> None:
    table = subscriptions((1, "2024-01-05", "2024-02-05"), (2, "2024-05-05", None))
    for method in METHODS:
        rows = churn(table, as_of="2024-08-01", method=method)
        assert [row["period"].month for row in rows] == [1, 2, 3, 4, 5, 6, 7]
        assert [row["churned"] for row in rows] == [0, 1, 0, 0, 0, 0, 0]
        rates = [row["churn_rate"] for row in rows]
        first = {"opening": None, "stripe": 0, "daily": 0}[method]
        came = {"opening": None, "stripe": 0, "daily": 0}[method]
        assert rates == [first, 1, None, None, came, 0, 0]
        unknown = [row["lower"] is None and row["upper"] is None for row in rows]
        assert unknown == [rate is None for rate in rates]


def test_a_table_that_begins_late_makes_all_new_in_the_first_period() -> None:
    table = subscriptions(*((i, "2024-01-01", None) for i in range(5)))
    assert counts(churn(table, as_of="2024-03-01")) == [(0, 5, 0, 0, 5), (5, 0, 0, 0, 5)]


def test_the_input_is_left_alone() -> None:
    table = hundred_customers()
    copy = table.copy(deep=True)
    for method in METHODS:
        churn_rate(table, as_of="2024-06-01", method=method)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(table, copy)


# --- the limits of a sum of daily rates -------------------------------------------------------


def test_daily_limits_are_those_of_the_score_test_for_counts() -> None:
    # 50 customers throughout: each who leaves is followed by another on the same day.
    rows: list[tuple[Any, ...]] = [(i, "2024-01-01", None) for i in range(50)]
    for i in range(4):
        rows[i] = (i, "2024-01-01", f"2024-02-{5 + i:02}")
        rows.append((100 + i, f"2024-02-{5 + i:02}", None))
    row = churn(subscriptions(*rows), as_of="2024-03-01", method="daily")[-1]
    assert row["churn_rate"] == pytest.approx(4 / 50)
    z = stats.norm.ppf(0.975)
    for name, low, high in (("lower", 1e-9, 4), ("upper", 4, 100)):
        mean = optimize.brentq(lambda m: (4 - m) ** 2 - z**2 * m, low, high, xtol=1e-13)
        assert row[name] == pytest.approx(mean / 50)
    (none,) = churn(subscriptions(*rows[4:50]), as_of="2024-02-01", method="daily")
    # On the first day there is nobody to lose, on the other 30 there are 46.
    assert none["churn_rate"] == none["lower"] == 0
    assert none["upper"] == pytest.approx(z**2 / 46)


def test_daily_limits_weigh_the_days() -> None:
    # Of 20 two leave on the 2nd, of 18 one on the 3rd; 82 come on the 4th, of 99 ten leave on the
    # 20th. The effective count c = y^2 / v has the variance that the sum has, relative to it.
    leave = {0: 2, 1: 2, 2: 3} | dict.fromkeys(range(30, 40), 20)
    rows = [
        (i, "2024-01-01" if i < 20 else "2024-02-04", leave.get(i) and f"2024-02-{leave[i]:02}")
        for i in range(102)
    ]
    row = churn(subscriptions(*rows), as_of="2024-03-01", method="daily")[-1]
    y = 2 / 20 + 1 / 18 + 10 / 99
    v = 2 / 20**2 + 1 / 18**2 + 10 / 99**2
    assert row["churn_rate"] == pytest.approx(y)
    c, z = y**2 / v, stats.norm.ppf(0.975)
    for name, low, high in (("lower", 1e-9, c), ("upper", c, 100)):
        mean = optimize.brentq(lambda m: (c - m) ** 2 - z**2 * m, low, high, xtol=1e-13)
        assert row[name] == pytest.approx(mean * v / y)


# --- the reference by sets of days ------------------------------------------------------------

FIRST = date(2023, 1, 1)


def random_table(rng: np.random.Generator, n: int) -> list[Row]:
    """Make subscriptions that overlap, touch, leave gaps or run, of customers who come back."""
    rows: list[Row] = []
    for _ in range(n):
        start = datetime(2023, 1, 1) + timedelta(days=int(rng.integers(150)))
        end = start + timedelta(days=int(rng.choice([1, 2, 5, 28, 30, 31, 45, 90])))
        row = {
            "customer_id": int(rng.integers(1, n // 2 + 2)),
            "start": start,
            "end": None if rng.random() < 0.1 else end,
            "plan": str(rng.choice(["a", "b", "c"])),
        }
        rows.append(row)
        if row["end"] is not None and rng.random() < 0.4:
            again = end + timedelta(days=int(rng.integers(0, 4)))
            rows.append(row | {"start": again, "end": again + timedelta(days=20), "plan": "b"})
    return rows


def period_of(day: date, period: str) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def slow(rows: list[Row], as_of: date, period: str, gap: int, *, by: bool) -> dict[str, list[Row]]:
    """Count, for each method, who is in the set of customers on which day.

    Each day of a customer is mapped to the plan with which its unbroken row of days begins.
    """
    days = [FIRST + timedelta(days=i) for i in range((as_of - FIRST).days)]
    there: dict[int, dict[date, str]] = {}
    for row in rows:
        begin = row["start"].date()
        end = min(row["end"].date() if row["end"] else as_of, as_of)
        for i in range((end - begin).days):
            there.setdefault(row["customer_id"], {})[begin + timedelta(days=i)] = ""
    for customer, own in there.items():
        active = sorted(own)
        # Whoever came last so near to the end of observation may yet come back.
        ahead = [as_of] if (as_of - active[-1]).days <= gap + 1 else []
        for day, following in zip(active, [*active[1:], *ahead], strict=False):
            missing = (following - day).days - 1
            if missing <= gap:
                own |= {day + timedelta(days=i): "" for i in range(1, missing + 1)}
        plan = ""
        for day in sorted(own):
            if day - timedelta(days=1) not in own:
                starts = [row for row in rows if row["start"].date() == day]
                plan = min(row["plan"] for row in starts if row["customer_id"] == customer)
            own[day] = plan
    segments = sorted({plan for own in there.values() for plan in own.values()}) if by else [None]
    tables: dict[str, list[Row]] = {method: [] for method in METHODS}
    for segment in segments:
        here = {
            customer: {day for day, plan in own.items() if segment in {None, plan}}
            for customer, own in there.items()
        }
        first = period_of(min(day for own in here.values() for day in own), period)
        for begin in sorted({period_of(day, period) for day in days if day >= first}):
            inside = [day for day in days if period_of(day, period) == begin]
            tables["opening"].append(snapshots(here, there, [[inside[0], inside[-1]]]))
            tables["daily"].append(snapshots(here, there, [[day, day] for day in inside]))
            tables["stripe"].append(events(here, there, inside))
            for method in METHODS:
                tables[method][-1] |= {"period": begin, "plan": segment}
    return tables


def snapshots(
    here: dict[int, set[date]], there: dict[int, dict[date, str]], spans: list[list[date]]
) -> Row:
    total, rates = dict.fromkeys(COUNTS, 0), []
    for number, (begin, last) in enumerate(spans):
        eve = begin - timedelta(days=1)
        old = {customer for customer, own in here.items() if eve in own}
        now = {customer for customer, own in here.items() if last in own}
        known = {customer for customer, own in there.items() if any(day < begin for day in own)}
        total["opening"] += len(old) if number == 0 else 0
        total["new"] += len(now - old - known)
        total["reactivated"] += len((now - old) & known)
        total["churned"] += len(old - now)
        total["closing"] = len(now)
        rates += [len(old - now) / len(old)] if old else []
    return total | {"churn_rate": sum(rates) if rates else None}


def events(
    here: dict[int, set[date]], there: dict[int, dict[date, str]], inside: list[date]
) -> Row:
    total = dict.fromkeys(COUNTS, 0)
    eve = inside[0] - timedelta(days=1)
    for customer, own in here.items():
        total["opening"] += eve in own
        total["closing"] += inside[-1] in own
        for day in inside:
            before = day - timedelta(days=1)
            if day in own and before not in own:
                total["reactivated" if min(there[customer]) < day else "new"] += 1
            total["churned"] += before in own and day not in own
    base = total["opening"] + total["new"] + total["reactivated"]
    return total | {"churn_rate": total["churned"] / base if base else None}


@pytest.mark.slow
@pytest.mark.parametrize("by", [False, True], ids=["all", "segments"])
@pytest.mark.parametrize("seed", cases(range(12), quick=4))
def test_rates_are_those_counted_day_by_day(seed: int, by: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng([67, seed])
    rows = random_table(rng, int(rng.integers(1, 40)))
    period = ["month", "week", "day"][seed % 3]
    gap = [0, 0, 1, 3][seed % 4]
    last = max(row["start"] for row in rows).date()
    as_of = last + timedelta(days=int(rng.integers(1, 60)))
    if by:
        # Of several plans at a start the smallest counts, which a warning says.
        rows = list({(row["customer_id"], row["start"]): row for row in rows}.values())
    expected = slow(rows, as_of, period, gap, by=by)
    table = pd.DataFrame(rows).astype({"end": "datetime64[us]"})
    for method in METHODS:
        have = churn(
            table,
            period=period,
            as_of=as_of,
            gap=f"{gap}D",
            method=method,
            by="plan" if by else None,
            include_partial=True,
        )
        want = expected[method]
        assert [
            (row.get("plan"), row["period"], *one)
            for row, one in zip(have, counts(have), strict=True)
        ] == [
            (row["plan"], row["period"], *one) for row, one in zip(want, counts(want), strict=True)
        ], method
        for mine, theirs in zip(have, want, strict=True):
            assert mine["churn_rate"] == (
                None if theirs["churn_rate"] is None else pytest.approx(theirs["churn_rate"])
            )


# --- properties -------------------------------------------------------------------------------


def assert_identity(rows: list[Row]) -> None:
    for row in rows:
        opening, new, reactivated, churned, closing = counts([row])[0]
        assert opening + new + reactivated - churned == closing
        assert min(opening, new, reactivated, churned, closing) >= 0
        if row["lower"] is not None:
            assert row["lower"] <= row["churn_rate"] <= row["upper"]
    for before, after in pairwise(rows):
        if before.get("plan") == after.get("plan"):
            assert before["closing"] == after["opening"]


@pytest.mark.slow
@each_method
@pytest.mark.parametrize("seed", cases(range(20), quick=5))
def test_identities_order_and_splits(seed: int, method: str) -> None:
    rng = np.random.default_rng([71, seed])
    table = pd.DataFrame(random_table(rng, 60)).astype({"end": "datetime64[us]"})
    table = table.drop_duplicates(["customer_id", "start"])
    options = {"as_of": "2023-09-05", "method": method, "period": ["week", "month"][seed % 2]}
    rows, parts = churn(table, **options), churn(table, by="plan", **options)
    assert_identity(rows)
    assert_identity(parts)
    for period in {row["period"] for row in rows}:
        same = [row for row in parts if row["period"] == period]
        whole = at(rows, str(period))
        for name in ("opening", "closing"):
            assert sum(row[name] for row in same) == whole[name]
        if method == "stripe":
            assert sum(row["churned"] for row in same) == whole["churned"]
    # Neither the order of the rows nor where a subscription is cut changes anything.
    shuffled = table.sample(frac=1, random_state=seed)
    assert churn(shuffled, by="plan", **options) == parts
    cut = table["start"] + pd.to_timedelta(rng.integers(1, 20, len(table)), unit="D")
    inside = (cut < table["end"]) | table["end"].isna()
    pieces = pd.concat(
        [
            table.assign(end=table["end"].where(~inside, cut)),
            table[inside].assign(start=cut[inside], plan="other"),
        ]
    ).sample(frac=1, random_state=seed)
    # In the segment of the start, whatever is said later.
    if not pieces.duplicated(["customer_id", "start"]).any():
        assert churn(pieces, by="plan", **options) == parts
    assert churn(pieces, **options) == rows


@pytest.mark.parametrize("seed", range(10))
def test_an_uninterrupted_run_churns_once_at_most(seed: int) -> None:
    rng = np.random.default_rng([73, seed])
    rows = random_table(rng, 40)
    as_of = datetime(2023, 9, 5)
    ended = running = 0
    for customer in {row["customer_id"] for row in rows}:
        own = sorted(
            (row["start"], row["end"] or datetime.max)  # noqa: DTZ901
            for row in rows
            if row["customer_id"] == customer
        )
        reached = own[0][1]
        for start, end in own[1:]:
            ended += reached < start
            reached = max(reached, end) if start <= reached else end
        ended, running = ended + (reached < as_of), running + (reached >= as_of)
    table = pd.DataFrame(rows).astype({"end": "datetime64[us]"})
    have = churn(table, as_of=as_of, method="stripe", include_partial=True)
    assert sum(row["churned"] for row in have) == ended
    assert have[-1]["closing"] == running
    assert sum(row["new"] for row in have) == len({row["customer_id"] for row in rows})


# --- frames -----------------------------------------------------------------------------------


@each_method
def test_all_kinds_of_frames_agree(backend: Backend, method: str) -> None:
    rows = random_table(np.random.default_rng(79), 60)
    seen, kept = set(), []
    for row in rows:
        kept += [] if (row["customer_id"], row["start"]) in seen else [row]
        seen.add((row["customer_id"], row["start"]))
    options = {"by": "plan", "as_of": "2023-09-05", "method": method, "gap": "1D"}
    expected = churn(pd.DataFrame(kept).astype({"end": "datetime64[us]"}), **options)
    table = churn_rate(backend.make(kept), **options)  # type: ignore[arg-type]
    assert rows_of(table) == expected
    assert len(expected) > 10


LIKE: Row = {"customer_id": 1, "start": datetime(2024, 1, 1), "end": datetime(2024, 1, 2)}


def test_an_empty_frame_gives_an_empty_result(backend: Backend) -> None:
    for method in METHODS:
        empty = backend.make([], like=LIKE | {"plan": "a"})
        table = churn_rate(empty, by="plan", method=method)  # type: ignore[arg-type]
        assert rows_of(table) == []
        names = ["plan", "period", *COUNTS, "churn_rate", "lower", "upper", "complete"]
        assert list(getattr(table, "column_names", getattr(table, "columns", None))) == names  # type: ignore[arg-type]


def test_periods_are_cut_in_the_zone_that_is_asked_for(backend: Backend) -> None:
    utc = ZoneInfo("UTC")
    # 1 February, 3 in the morning UTC, is January in Los Angeles.
    rows = [
        {
            "customer_id": 1,
            "start": datetime(2024, 1, 10, tzinfo=utc),
            "end": datetime(2024, 2, 1, 3, tzinfo=utc),
        },
        {"customer_id": 2, "start": datetime(2024, 1, 10, tzinfo=utc), "end": None},
    ]
    table = backend.make(rows)
    in_utc = churn(table, as_of=datetime(2024, 4, 1, tzinfo=UTC))
    assert [row["churned"] for row in in_utc] == [0, 1, 0]
    there = churn(table, tz="America/Los_Angeles", as_of="2024-04-01", method="stripe")
    assert [row["churned"] for row in there] == [1, 0, 0]


def test_weeks_quarters_and_years() -> None:
    table = subscriptions((1, "2023-12-31", "2024-04-01"), (2, "2024-01-01", None))
    days = {
        "year": ["2023-01-01", "2024-01-01"],
        "quarter": ["2023-10-01", "2024-01-01", "2024-04-01"],
    }
    for period, expected in days.items():
        rows = churn(table, period=period, as_of="2025-01-01")
        assert [str(row["period"]) for row in rows][: len(expected)] == expected
        assert at(rows, expected[-1])["churned"] == 1
    rows = churn(table, period="week", week_start="sunday", as_of="2024-01-14")
    assert [str(row["period"]) for row in rows] == ["2023-12-31", "2024-01-07"]


def test_wrong_arguments_are_named() -> None:
    table = subscriptions((1, "2024-01-01", None))
    for error, match, options in (
        (ArgumentError, "`period` is 'fortnight'", {"period": "fortnight"}),
        (ArgumentError, "`method` is 'closing'", {"method": "closing"}),
        (ArgumentError, "`gap` is '-1D'", {"gap": "-1D"}),
        (ArgumentTypeError, "`gap` is None", {"gap": None}),
        (ArgumentTypeError, "`include_partial` is 1", {"include_partial": 1}),
        (ArgumentError, "`week_start` is 'mon'", {"week_start": "mon"}),
        (ArgumentError, "`confidence_level` is 1", {"confidence_level": 1}),
        (MissingColumnError, "`customer` needs the column 'user'", {"customer": "user"}),
        (ArgumentError, "`by` names the column 'opening'", {"by": "opening"}),
    ):
        with pytest.raises(error, match=match):
            churn_rate(table, **options)


def test_a_stray_date_is_no_way_to_fill_the_memory() -> None:
    rows = [(i, f"2024-01-{1 + i % 28}", None, i) for i in range(3000)]
    rows.append((9999, "1700-01-01", None, 0))
    table = subscriptions(*rows, columns="customer_id start end plan")
    with pytest.raises(ArgumentError, match="stray date"):
        churn_rate(table, by="plan", period="day", as_of="2024-02-01")
    with pytest.raises(ArgumentError, match="stray date"):
        churn_rate(table, by="plan", method="daily", as_of="2024-02-01")


# --- simulated truth --------------------------------------------------------------------------


@pytest.mark.simulation
@each_method
def test_the_truth_is_found(method: str) -> None:
    """500 data sets of 400 customers, each of whom leaves with a known chance on 29 days of April.

    By the method of Stripe half of them are new on its first day. The rate of the month is that of
    leaving on any of the days, by days it is the sum of 29 equal ones.
    """
    sets, n, days, daily = 500, 400, 29, 0.003
    truth = days * daily if method == "daily" else 1 - (1 - daily) ** days
    new = np.arange(n) < (n // 2 if method == "stripe" else 0)
    start = np.where(new, np.datetime64("2024-04-01", "us"), np.datetime64("2024-03-05", "us"))
    rates, hits = [], 0
    for seed in range(sets):
        day = np.random.default_rng([83, seed]).geometric(daily, n)
        end = np.where(
            day <= days,
            np.datetime64("2024-04-01", "us") + day * np.timedelta64(1, "D"),
            np.datetime64("NaT", "us"),
        )
        table = pd.DataFrame({"customer_id": np.arange(n), "start": start, "end": end})
        row = at(churn(table, method=method, as_of="2024-05-01"), "2024-04-01")
        assert row["opening"] == n - new.sum()
        rates.append(row["churn_rate"])
        hits += row["lower"] <= truth <= row["upper"]
    assert abs(np.mean(rates) - truth) < 3 * np.std(rates) / math.sqrt(sets)
    assert 0.93 <= hits / sets <= 0.97, hits / sets
