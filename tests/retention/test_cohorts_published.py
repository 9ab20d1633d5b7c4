"""Cohort retention against numbers that other people published.

Every case runs twice: on the library, and on the oracle in `oracles.py`, which the published
numbers thereby vouch for. "PostHog" is `posthog/hogql_queries/insights/retention/test/
test_retention_query_runner.py` of PostHog/posthog at commit 02ace87 (MIT); the test is named
in each case, the expected counts stand there. The dates its products cut at the end of the
day or week become `as_of`, the instant that ends it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import oracles
import retainkit
from tables import Row, plain, rows_of, triangle

Compute = Callable[..., list[Row]]


def by_library(rows: list[Row], **options: Any) -> pd.DataFrame:
    events = pd.DataFrame(rows).assign(time=pd.to_datetime([row["time"] for row in rows]))
    return retainkit.cohort_retention(events, **options)


@pytest.fixture(params=["library", "oracle"])
def compute(request: pytest.FixtureRequest) -> Compute:
    """Return the function under test: events and options in, rows out."""
    if request.param == "oracle":
        return oracles.cohort_retention
    return lambda rows, **options: rows_of(by_library(rows, **options))


@pytest.fixture(params=["library", "oracle"])
def average(request: pytest.FixtureRequest) -> Compute:
    """Return the curve of a list of events: options and the kind of average in, rows out."""

    def curve(rows: list[Row], average: Any, **options: Any) -> list[Row]:
        if request.param == "oracle":
            return oracles.retention_curve(oracles.cohort_retention(rows, **options), average)
        return rows_of(retainkit.retention_curve(by_library(rows, **options), average=average))

    return curve


def d(day: int, hour: int = 5, month: int = 0) -> datetime:
    """PostHog's `_date`: 10 June 2020, 5 o'clock UTC, and so many months and days later."""
    return datetime(2020, 6 + month, 1, hour, tzinfo=UTC) + timedelta(days=9 + day)


naive = datetime.fromisoformat


def events(**times: Iterable[datetime]) -> list[Row]:
    """One row for each customer and time."""
    return [{"customer_id": who, "time": at} for who, all_ in times.items() for at in all_]


def june(day: int) -> date:
    return date(2020, 6, day)


TWO_PEOPLE = events(
    p1=[d(0), d(1), d(2), d(5), d(5, 9), d(6)],
    p2=[d(1), d(2), d(3), d(6)],
)
DAILY = {"cohort_period": "day", "period": "day"}
RECURRING = DAILY | {"entry": "recurring"}


def test_posthog_daily_recurring(compute: Compute) -> None:
    # PostHog, test_day_interval.
    table = compute(TWO_PEOPLE, **RECURRING, as_of="2020-06-21")
    assert triangle(table) == {
        june(10): [1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0],
        june(11): [2, 2, 1, 0, 1, 2, 0, 0, 0, 0],
        june(12): [2, 1, 0, 1, 2, 0, 0, 0, 0],
        june(13): [1, 0, 0, 1, 0, 0, 0, 0],
        june(14): [0, 0, 0, 0, 0, 0, 0],
        june(15): [1, 1, 0, 0, 0, 0],
        june(16): [2, 0, 0, 0, 0],
        june(17): [0, 0, 0, 0],
        june(18): [0, 0, 0],
        june(19): [0, 0],
        june(20): [0],
    }
    # Start and return are the same event: age 0 is everybody. Empty days are 0 of 0.
    sizes = {row["cohort"]: row["customers"] for row in table}
    assert list(sizes.values()) == [1, 2, 2, 1, 0, 1, 2, 0, 0, 0, 0]
    assert all(row["eligible"] == row["customers"] and row["complete"] for row in table)
    empty = [row for row in table if row["customers"] == 0]
    assert {plain(row[name]) for row in empty for name in ("retention", "lower", "upper")} == {None}


MONTHS = events(
    p1=[d(0, month=m) for m in (-5, -4, -3, -1, 0, 3)],
    p2=[d(0, month=m) for m in (-5, -4, -3, 0, 1, 5)],
)


def test_posthog_monthly_recurring(compute: Compute) -> None:
    # PostHog, test_month_interval. Derived by hand: months are numbered from January = 0;
    # p1 is active in {0, 1, 2, 4, 5, 8} and p2 in {0, 1, 2, 5, 6, 10}. Row c, age k counts
    # those active both in c and in c + k: row 0 is 2 2 2 0 1 2 1 0 1 0 1, and so on.
    table = compute(MONTHS, entry="recurring", as_of="2020-12-01")
    assert triangle(table) == {
        date(2020, 1, 1): [2, 2, 2, 0, 1, 2, 1, 0, 1, 0, 1],
        date(2020, 2, 1): [2, 2, 0, 1, 2, 1, 0, 1, 0, 1],
        date(2020, 3, 1): [2, 0, 1, 2, 1, 0, 1, 0, 1],
        date(2020, 4, 1): [0, 0, 0, 0, 0, 0, 0, 0],
        date(2020, 5, 1): [1, 1, 0, 0, 1, 0, 0],
        date(2020, 6, 1): [2, 1, 0, 1, 0, 1],
        date(2020, 7, 1): [1, 0, 0, 0, 1],
        date(2020, 8, 1): [0, 0, 0, 0],
        date(2020, 9, 1): [1, 0, 0],
        date(2020, 10, 1): [0, 0],
        date(2020, 11, 1): [1],
    }


WEEKS = [
    [2, 2, 1, 2, 2, 0, 1],
    [2, 1, 2, 2, 0, 1],
    [1, 1, 1, 0, 0],
    [2, 2, 0, 1],
    [2, 0, 1],
    [0, 0],
    [1],
]


@pytest.mark.parametrize(
    ("week_start", "first", "as_of"),
    [("sunday", june(7), "2020-07-26"), ("monday", june(8), "2020-07-27")],
)
def test_posthog_weeks(compute: Compute, week_start: str, first: date, as_of: str) -> None:
    # PostHog, test_week_interval: the same counts, other dates.
    both = [d(0), d(1), d(7), d(-6, month=1), d(1, month=1)]
    rows = events(p1=[*both, d(14)], p2=[*both, d(15, month=1)])
    weekly = {"cohort_period": "week", "period": "week", "entry": "recurring"}
    table = compute(rows, **weekly, week_start=week_start, as_of=as_of)
    assert triangle(table) == {first + timedelta(weeks=i): row for i, row in enumerate(WEEKS)}


FIVE_PEOPLE = events(
    p1=[d(0), d(3), d(4)],
    p2=[d(0), d(1)],
    p3=[d(1), d(2), d(3)],
    p4=[d(3), d(4)],
    p5=[d(4)],
)


def test_posthog_on_or_after(compute: Compute) -> None:
    # PostHog, test_rolling_retention_doesnt_double_count_same_user.
    table = compute(FIVE_PEOPLE, **RECURRING, counting="on_or_after", as_of="2020-06-16")
    rows = [[2, 2, 1, 1, 1, 0], [2, 1, 1, 0, 0], [1, 1, 0, 0], [3, 2, 0], [3, 0], [0]]
    assert triangle(table) == {june(10 + i): row for i, row in enumerate(rows)}


def test_posthog_on_or_after_from_the_second_day(compute: Compute) -> None:
    # PostHog, test_rolling_retention: the window begins on 11 June.
    late = [row for row in FIVE_PEOPLE if row["time"] >= d(1)]
    table = compute(late, **RECURRING, counting="on_or_after", as_of="2020-06-16")
    rows = [[2, 1, 1, 0, 0], [1, 1, 0, 0], [3, 2, 0], [3, 0], [0]]
    assert triangle(table) == {june(11 + i): row for i, row in enumerate(rows)}


def test_posthog_two_occurrences(compute: Compute) -> None:
    # PostHog, test_all_events_with_minimum_occurrences. By hand: the only day with two events
    # of a person is 15 June (p1, 5:00 and 9:00), so the only returns that count are those of
    # p1 on that day: from 10 June age 5, from 11 June age 4, from 12 June age 3, and from
    # 15 June age 0. PostHog prints the size of the cohort at age 0; ours holds it in
    # `customers`, and `retained` at age 0 keeps to the minimum: 1 on 15 June, else 0.
    table = compute(TWO_PEOPLE, **RECURRING, min_events=2, as_of="2020-06-21")
    posthog = [
        [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 1, 0, 0, 0, 0, 0],
        [2, 0, 0, 1, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0],
        [0, 0],
        [0],
    ]
    cells = triangle(table)
    assert [row[1:] for row in cells.values()] == [row[1:] for row in posthog]
    assert [row["customers"] for row in table if row["age"] == 0] == [row[0] for row in posthog]
    assert {cohort: row[0] for cohort, row in cells.items() if row[0]} == {june(15): 1}


def test_posthog_three_occurrences_on_or_after(compute: Compute) -> None:
    # PostHog, test_rolling_retention_with_minimum_occurrences. By hand: three events in a day
    # have p3 on 13 June and p1 on 14 June only, so from 11 June p3 counts up to age 2, from
    # 12 June up to age 1, and from 13 June p1 at age 1. Age 0 as with two occurrences.
    late = [row for row in FIVE_PEOPLE if row["time"] >= d(1)]
    rows = late + 2 * events(p1=[d(4)], p3=[d(3)])
    options = {"counting": "on_or_after", "min_events": 3, "as_of": "2020-06-16"}
    table = compute(rows, **RECURRING, **options)
    posthog = [[2, 1, 1, 0, 0], [1, 1, 0, 0], [3, 1, 0], [3, 0], [0]]
    assert [row[1:] for row in triangle(table).values()] == [row[1:] for row in posthog]
    assert [row["customers"] for row in table if row["age"] == 0] == [row[0] for row in posthog]


def at(day: int, hour: int) -> datetime:
    return datetime(2020, 6, day, hour, tzinfo=UTC)


def test_posthog_calendar_days_and_24_hours(compute: Compute) -> None:
    # PostHog, test_retention_24h_window_calculation. By hand: first on 10 June at 23:00; 1:00
    # next day is 2 h later (calendar age 1, elapsed 0), 23:00 next day is 24 h later (1, 1).
    rows = events(p=[at(10, 23), at(11, 1), at(11, 23)])
    for clock in ("calendar", "elapsed"):
        table = compute(rows, **DAILY, clock=clock, as_of="2020-06-21")
        assert triangle(table)[june(10)][:3] == [1, 1, 0]


def test_posthog_short_of_24_hours(compute: Compute) -> None:
    # PostHog, test_retention_24h_window_with_person_breakdown. By hand: 23:00 to 22:00 next
    # day is 23 h, 12:00 to 13:00 next day is 25 h. On the calendar both come back at age 1.
    rows = events(usa=[at(10, 23), at(11, 22)], canada=[at(10, 12), at(11, 13)])
    for row in rows:
        row["country"] = row["customer_id"]
    for clock, usa in (("elapsed", [1, 0]), ("calendar", [1, 1])):
        table = compute(rows, **DAILY, by=["country"], clock=clock, as_of="2020-06-21")
        want = {"canada": [1, 1], "usa": usa}
        for country, counts in want.items():
            mine = [row for row in table if row["country"] == country]
            assert triangle(mine)[june(10)][:2] == counts


def test_posthog_24_hours_of_a_first_ever_start(compute: Compute) -> None:
    # PostHog, test_retention_24h_window_first_time_ever. By hand: 9 h and 23 h: both age 0.
    rows = events(p1=[at(10, 14), at(10, 23)], p2=[at(10, 23), at(11, 22)])
    table = compute(rows, **DAILY, clock="elapsed", as_of="2020-06-21")
    assert triangle(table)[june(10)][:2] == [2, 0]


def test_posthog_brackets(compute: Compute) -> None:
    # PostHog, test_custom_brackets_day_period, lengths 4, 10, 3 after day 0. By hand: p1 comes
    # on days 1, 5 and 16, one in each bracket; p2 on days 4 and 10, in the first two.
    rows = events(p1=[d(0), d(1), d(5), d(16)], p2=[d(0), d(4), d(10)], p3=[d(0)])
    table = compute(rows, **DAILY, brackets=(0, 1, 5, 15, 18), as_of="2020-07-01")
    assert [(row["age"], row["age_end"]) for row in table if row["cohort"] == june(10)] == [
        (0, 1),
        (1, 5),
        (5, 15),
        (15, 18),
    ]
    assert triangle(table)[june(10)] == [3, 2, 2, 1]


def test_posthog_empty_brackets(compute: Compute) -> None:
    # PostHog, test_custom_brackets_empty_bracket_handling, lengths 3, 5, 4. By hand: day 12 is
    # in the third, [9, 13), and not after it.
    rows = events(p=[d(0), d(12)])
    table = compute(rows, **DAILY, brackets=(0, 1, 4, 9, 13), as_of="2020-06-26")
    assert triangle(table)[june(10)] == [1, 0, 0, 1]


def test_posthog_brackets_on_or_after(compute: Compute) -> None:
    # PostHog, test_custom_brackets_cumulative, lengths 5, 5. By hand: p1 comes on day 8, in
    # the second bracket and so "on or after" the first too; p2 on day 3, in the first.
    rows = events(p1=[d(0), d(8)], p2=[d(0), d(3)])
    options = {"brackets": (0, 1, 6, 11), "counting": "on_or_after", "as_of": "2020-06-21"}
    assert triangle(compute(rows, **DAILY, **options))[june(10)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("period", "returns", "brackets", "as_of"),
    [
        # test_custom_brackets_week_period: 21 days are 3 weeks, 42 days 6.
        ("week", [d(21), d(42)], (0, 1, 5, 9), "2020-10-05"),
        # test_custom_brackets_month_period: August is month 2, November month 5.
        ("month", [d(0, month=2), d(0, month=5)], (0, 1, 4, 7), "2021-03-01"),
    ],
)
def test_posthog_brackets_of_weeks_and_months(
    compute: Compute, period: str, returns: list[datetime], brackets: tuple[int], as_of: str
) -> None:
    # PostHog, as named above; one person, one return in each bracket.
    rows = events(p=[d(0), *returns])
    options = {"cohort_period": period, "period": period, "brackets": brackets, "as_of": as_of}
    assert next(iter(triangle(compute(rows, **options)).values())) == [1, 1, 1]


def test_posthog_segment_is_the_one_at_the_start(compute: Compute) -> None:
    # PostHog, first-ever retention by flag. By hand: old_user starts on day 0 without a flag,
    # and the start on day 2 under "control" is not the first; new_user starts on day 2. Both
    # return on day 3: ages 3 and 1. "control" must not appear.
    rows = [
        {"customer_id": "old", "time": d(0), "flag": "", "start": True},
        {"customer_id": "old", "time": d(2), "flag": "control", "start": True},
        {"customer_id": "new", "time": d(2), "flag": "variant_a", "start": True},
        {"customer_id": "old", "time": d(3), "flag": "", "start": False},
        {"customer_id": "new", "time": d(3), "flag": "", "start": False},
    ]
    for row in rows:
        row["return"] = not row["start"]
    options = DAILY | {"started": "start", "returned": "return", "as_of": "2020-06-14"}
    table = compute(rows, **options, by=["flag"])
    old, new = ([row for row in table if row["flag"] == flag] for flag in ("", "variant_a"))
    assert len(table) == len(old) + len(new)
    assert triangle(old) == {june(10): [0, 0, 0, 1], june(11): [0] * 3, june(12): [0] * 2} | {
        june(13): [0]
    }
    assert triangle(new) == {june(12): [0, 1], june(13): [0]}
    sizes = {(row["flag"], row["cohort"]): row["customers"] for row in table}
    assert {key: n for key, n in sizes.items() if n} == {
        ("", june(10)): 1,
        ("variant_a", june(12)): 1,
    }
    # The segments add up to the whole.
    for row in compute(rows, **options):
        same = [r for r in table if (r["cohort"], r["age"]) == (row["cohort"], row["age"])]
        for name in ("customers", "eligible", "retained"):
            assert row[name] == sum(r[name] for r in same)


def test_clickhouse_retention(compute: Compute) -> None:
    # ClickHouse documentation, parametric-functions.md, `retention`: sums 5, 5, 5. Of the
    # cohort of 1 January (0-4) all are there on 2 and 3 January. By hand for the others:
    # 5-9 start on 2 January and are there on 3 January, 10-14 start on 3 January.
    seen = {1: range(5), 2: range(10), 3: range(15)}
    rows = [
        {"customer_id": uid, "time": date(2020, 1, day)}
        for day, uids in seen.items()
        for uid in uids
    ]
    assert triangle(compute(rows, **DAILY)) == {
        date(2020, 1, 1): [5, 5, 5],
        date(2020, 1, 2): [5, 5],
        date(2020, 1, 3): [5],
    }


# Mixpanel documentation, docs/reports/retention.mdx, FAQ 3: 1000 -> 500, 500 -> 400, and
# 700 -> 10 in a month that is not over.
MIXPANEL = [
    {"customer_id": f"{month}-{i}", "time": date(2024, month + age, 1)}
    for month, *counts in [(1, 1000, 500), (2, 500, 400), (3, 700, 10)]
    for age, count in enumerate(counts)
    for i in range(count)
]


@pytest.mark.parametrize(("kind", "rate"), [("pooled", 0.60), ("simple", 0.65), ("chained", 0.60)])
@pytest.mark.parametrize("include_partial", [False, True])
def test_mixpanel_averages(
    average: Compute, kind: str, rate: float, *, include_partial: bool
) -> None:
    # Pooled 900 / 1500, simple (50 % + 80 %) / 2; Mixpanel's own 56 % weighs by size twice.
    # The chain has one step from 100 %: 900 / 1500 again. April is in progress and left out.
    curve = average(MIXPANEL, kind, as_of="2024-04-02", include_partial=include_partial)
    assert curve[0]["retention"] == 1
    assert curve[1]["cohorts"] == 2
    assert curve[1]["customers"] == 1500
    assert curve[1]["retained"] == 900
    assert curve[1]["retention"] == pytest.approx(rate, abs=1e-12)


def test_mixpanel_the_month_in_progress(compute: Compute) -> None:
    # Taken for final, the 10 of 700 would pull the average down to 910 / 2200 = 41.4 %.
    table = compute(MIXPANEL, as_of="2024-04-02", include_partial=True)
    ones = [row for row in table if row["age"] == 1]
    assert [row["complete"] for row in ones] == [True, True, False]
    retained, eligible = (sum(row[c] for row in ones) for c in ("retained", "eligible"))
    assert round(retained / eligible, 3) == 0.414


def test_amplitude_24_hours(compute: Compute) -> None:
    # amplitude.com/docs, retention-analysis-time. U1: 1 Dec 17:59 to 2 Dec 17:00 is 23 h 01:
    # day 0 in strict 24 h (ours); Amplitude floors both to the hour first, which makes 24 h.
    u1 = events(u1=[naive("2020-12-01 17:59"), naive("2020-12-02 17:00")])
    floored = [row | {"time": row["time"].replace(minute=0)} for row in u1]
    options = DAILY | {"clock": "elapsed", "as_of": "2020-12-10"}
    assert triangle(compute(u1, **options))[date(2020, 12, 1)][:2] == [1, 0]
    assert triangle(compute(floored, **options))[date(2020, 12, 1)][:2] == [1, 1]


@pytest.mark.parametrize(
    ("period", "start", "back", "age"),
    [
        ("week", 1, 6, 0),  # U2
        ("week", 1, 7, 0),  # "Week 1 of 12-01 is 12-08 ... 12-14"
        ("week", 1, 8, 1),
        ("week", 1, 14, 1),
        ("week", 1, 15, 2),
        ("month", 6, 12, 0),  # U3
    ],
)
def test_amplitude_weeks_and_months(
    compute: Compute, period: str, start: int, back: int, age: int
) -> None:
    # The same page; U2, U3 and the bounds of week 1. All starts in one cohort, 1 December.
    rows = events(u=[naive(f"2020-12-{day:02} 09:00") for day in (start, back)])
    options = {"period": period, "clock": "elapsed", "as_of": "2021-03-01"}
    retained = triangle(compute(rows, **options))[date(2020, 12, 1)]
    assert [k for k, n in enumerate(retained) if n] == sorted({0, age})


RETENTIONEERING = events(
    u1=[naive("2021-01-28"), naive("2021-02-03"), naive("2021-03-07")],
    u2=[naive("2021-01-30"), naive("2021-03-07")],
    u3=[naive("2021-02-04"), naive("2021-03-29")],
    u4=[naive("2021-02-05"), naive("2021-03-06"), naive("2021-04-06")],
    u5=[naive("2021-03-30")],
)


@pytest.mark.parametrize(
    ("as_of", "rates"),
    [
        # To the end of 30 April: January is u1, u2; of them u1 in February, both in March,
        # none in April. February is u3, u4: both in March, u4 in April. March is u5.
        ("2021-05-01", [[1, 0.5, 1, 0], [1, 1, 0.5], [1, 0], [None]]),
        # To the end of 6 April, which is also the default: April is not over.
        ("2021-04-07", [[1, 0.5, 1], [1, 1], [1]]),
        (None, [[1, 0.5, 1], [1, 1], [1]]),
    ],
)
def test_retentioneering_months(
    compute: Compute, as_of: str | None, rates: list[list[float | None]]
) -> None:
    # Events of retentioneering's guide, origin/3.x:docs/source/user_guides/cohorts.rst; it
    # prints NaN for the observed zeros. The rates by hand, as above.
    cells = triangle(compute(RETENTIONEERING, as_of=as_of), "retention")
    assert [[plain(rate) for rate in row] for row in cells.values()] == rates
    assert list(cells) == [date(2021, month, 1) for month in range(1, len(rates) + 1)]
