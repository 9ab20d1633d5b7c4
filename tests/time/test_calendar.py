"""The calendar against `datetime` and `zoneinfo`, day by day and change of the clock by change.

Arrays and expressions are held to the same reference: the standard library, one value at a
time. Integers are microseconds since 1970-01-01, as in the module under test.
"""

import calendar
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import oracles
from retainkit._time.elapsed import STEP_PARTS, ElapsedTime, elapsed_time, elapsed_time_expr
from retainkit._time.grid import DAYS as DAY_GRID
from retainkit._time.grid import MONTHS, PeriodGrid
from retainkit._time.moment import Moment, as_of_moment, end_of_day, midnights, moment_at
from retainkit._time.period_options import period_option
from retainkit._time.periods import DAY, SECOND, WEEKDAYS
from retainkit._time.zones import utc_offsets, wall_time_expr, wall_times, zone_of
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PERIODS = ("day", "week", "month", "quarter", "year")  # hours: see test_period_options
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ENGINES = ("pandas", "polars", "pyarrow", "duckdb")


def period_grid(period: Any, week_start: Any = "monday") -> PeriodGrid:
    """Return the grid of times without a zone."""
    return period_option(period, week_start=week_start).in_zone(None)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970, of a naive time as if it were UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) // timedelta(microseconds=1)


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """Return the instant at which the clock of a zone shows this time."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return micros(wall.astimezone(UTC))


def utc(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def wall_of(instant: int, zone: tzinfo) -> datetime:
    """Read the clock on the wall with zoneinfo."""
    return utc(instant).astimezone(zone).replace(tzinfo=None)


@cache
def connection(zone: str) -> duckdb.DuckDBPyConnection:
    """Open a session of DuckDB in a zone, and keep it: relations end with their session."""
    opened = duckdb.connect()
    opened.execute(f"SET TimeZone = '{zone}'")
    return opened


def lazy(engine: str, table: pa.Table, session: str = "UTC") -> nw.LazyFrame[Any]:
    """Return a table of an engine; DuckDB's session is in the zone `session`."""
    if engine == "duckdb":
        frame = connection(session).from_arrow(table)
    else:
        frame = {"pandas": table.to_pandas, "polars": lambda: pl.from_arrow(table)}.get(
            engine, lambda: table
        )()
    return nw.from_native(frame).lazy()


def run(engine: str, table: pa.Table, session: str = "UTC", **exprs: nw.Expr) -> pd.DataFrame:
    """Evaluate expressions in an engine."""
    found: pd.DataFrame = lazy(engine, table, session).select(**exprs).collect("pandas").to_native()
    return found


# --- periods: every day of two centuries ------------------------------------------

DAYS = [date(1899, 1, 1) + timedelta(days=i) for i in range(203 * 365 + 49)]
CUTS = [("week", weekday) for weekday in WEEKDAYS] + [
    (period, "monday") for period in PERIODS if period != "week"
]


def begins(day: date, period: str, week_start: str) -> bool:
    """Return whether a period begins on this day, as one would say it."""
    return {
        "day": True,
        "week": calendar.day_name[day.weekday()].lower() == week_start,
        "month": day.day == 1,
        "quarter": day.day == 1 and day.month in (1, 4, 7, 10),
        "year": day.day == 1 and day.month == 1,
    }[period]


def since_1970(days: Sequence[date]) -> np.ndarray[Any, Any]:
    return np.array([day.toordinal() for day in days]) - date(1970, 1, 1).toordinal()


def test_the_days_are_those_of_1899_to_2101() -> None:
    assert (DAYS[0], DAYS[-1]) == (date(1899, 1, 1), date(2101, 12, 31))


@pytest.mark.slow
@pytest.mark.parametrize(("period", "week_start"), CUTS)
def test_a_period_has_one_number_from_its_first_day_to_its_last(
    period: Any, week_start: Any
) -> None:
    grid = period_grid(period, week_start)
    index = grid.number_of_day(since_1970(DAYS))
    new = np.array([begins(day, period, week_start) for day in DAYS])
    np.testing.assert_array_equal(np.diff(index), new[1:])
    # The first day of a period is the last day so far on which one has begun.
    start = np.maximum.accumulate(np.where(new, np.arange(len(DAYS)), -1))
    known = start >= 0
    np.testing.assert_array_equal(grid.first_day(index)[known], since_1970(DAYS)[start[known]])


@pytest.mark.parametrize("period", PERIODS)
def test_periods_of_no_days_are_no_periods(period: Any) -> None:
    nothing = np.empty(0, np.int64)
    grid = period_grid(period, "sunday")
    assert grid.number_of_day(nothing).tolist() == []
    assert grid.number(nothing).tolist() == []
    assert grid.first_day(nothing).tolist() == []


@pytest.mark.parametrize("period", ["month", "quarter", "year"])
def test_the_period_that_holds_1970_01_01_is_number_0(period: Any) -> None:
    days = since_1970([date(1969, 12, 31), date(1970, 1, 1)])
    assert period_grid(period, "monday").number_of_day(days).tolist() == [-1, 0]


def test_weeks_from_monday_are_iso_weeks() -> None:
    grid = period_grid("week", "monday")
    index = grid.number_of_day(since_1970(DAYS))
    mondays = grid.first_day(index).astype("datetime64[D]").tolist()
    iso = [day.isocalendar() for day in DAYS]
    assert mondays == [date.fromisocalendar(year, week, 1) for year, week, _ in iso]
    assert len(set(index.tolist())) == len({(year, week) for year, week, _ in iso})


@pytest.mark.parametrize("engine", ENGINES)
def test_expressions_number_every_day_as_arrays_do(engine: Any) -> None:
    days = np.repeat(since_1970(DAYS), 2)
    # Each day at its midnight and a microsecond before the next.
    wall = days * DAY + np.tile([0, DAY - 1], len(DAYS))
    table = pa.table({"time": wall.astype("datetime64[us]")})
    grids: dict[str, Any] = {f"{p} {w}": period_grid(p, w) for p, w in CUTS}
    found = run(engine, table, **{name: g.number_expr(nw.col("time")) for name, g in grids.items()})
    for period, week_start in CUTS:
        want = grids[f"{period} {week_start}"].number(wall)
        np.testing.assert_array_equal(found[f"{period} {week_start}"], want, f"{period}")


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow", "duckdb"])
@pytest.mark.parametrize("day", [date(1, 1, 7), date(4, 2, 29), date(1582, 10, 10), date.max])
def test_expressions_number_the_ends_of_the_calendar(engine: str, day: date) -> None:
    time = np.array([day], "datetime64[us]")
    grids: dict[str, Any] = {p: period_grid(p, "sunday") for p in PERIODS}
    exprs = {name: grid.number_expr(nw.col("time")) for name, grid in grids.items()}
    found = run(engine, pa.table({"time": time}), **exprs)
    for period, grid in grids.items():
        assert found[period].tolist() == grid.number_of_day(since_1970([day])).tolist()


# --- full steps since a start -----------------------------------------------------

CLOCK_TIMES = [timedelta(), timedelta(hours=12, minutes=34, microseconds=56), timedelta(1) - MINUTE]
ANCHORS = [
    *(datetime(year, 1, 1) + timedelta(days=day) for year in (1967, 2023) for day in range(800)),  # noqa: DTZ001
    *(datetime(year, 1, day) for year in (1899, 1999) for day in range(28, 32)),  # noqa: DTZ001
]
CASES = [
    (anchor + CLOCK_TIMES[i % 3], n)
    for i, anchor in enumerate(ANCHORS)
    for n in (0, 1, 2, 3, 11, 12, 13, 25)
]


@cache
def stepped(period: str) -> tuple[list[int], list[int], list[int]]:
    """Return starts, times around the end of the n-th step, and the full steps there.

    Steps are taken from the start by the oracle, and each is longer than the one before, so
    that at its end there are n of them, and a microsecond earlier n - 1.
    """
    triples = [
        (micros(start), micros(oracles.step(start, period, n)) + shift, n - (shift < 0))
        for start, n in CASES
        for shift in (-1, 0, 1)
        if n or shift >= 0
    ]
    starts, ends, full = zip(*triples, strict=True)
    return list(starts), list(ends), list(full)


@pytest.mark.slow
@pytest.mark.parametrize("period", PERIODS)
def test_a_step_is_full_at_its_end_and_not_before(period: Any) -> None:
    starts, ends, full = (np.array(values) for values in stepped(period))
    have = elapsed_time(ends, ends).since(
        elapsed_time(starts, starts), period_grid(period, "monday")
    )
    np.testing.assert_array_equal(have, full)


def full_steps(engine: Any, starts: list[int], ends: list[int], period: Any) -> list[int]:
    """Count full steps in an engine: first the parts as columns, then with them, as one does."""
    names = {"start": starts, "end": ends}
    table = pa.table({name: pa.array(v, pa.timestamp("us")) for name, v in names.items()})
    exprs = {name: elapsed_time_expr(nw.col(name), nw.col(name)) for name in names}
    columns = {f"{n}_{part}": getattr(exprs[n], part) for n in names for part in STEP_PARTS}
    start, end = (ElapsedTime(**{p: nw.col(f"{name}_{p}") for p in STEP_PARTS}) for name in names)
    counted = (
        lazy(engine, table)
        .select(**columns)
        .select(full=end.since(start, period_grid(period, "monday")))
    )
    full: list[int] = counted.collect("pandas").to_native()["full"].tolist()
    return full


@pytest.mark.slow
@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("engine", ENGINES)
def test_expressions_count_the_same_steps(engine: str, period: str) -> None:
    starts, ends, full = stepped(period)
    assert full_steps(engine, starts, ends, period) == full


@pytest.mark.parametrize("engine", [None, *ENGINES])
@pytest.mark.parametrize(
    ("start", "ends"),
    [
        ("2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]),
        ("2023-01-31 10:00", ["2023-02-28 10:00", "2023-03-31 10:00", "2023-04-30 10:00"]),
        ("2024-02-29", ["2024-03-29", "2024-04-29"]),
        ("2024-03-31 23:59", ["2024-04-30 23:59", "2024-05-31 23:59"]),
        ("1969-12-31", ["1970-01-31", "1970-02-28"]),
    ],
)
def test_months_are_stepped_from_the_anchor(
    engine: str | None, start: str, ends: list[str]
) -> None:
    instants = [at(end) + shift for end in ends for shift in (-1, 0)]
    full = [n + more for n in range(len(ends)) for more in (0, 1)]
    if engine is None:
        begin = elapsed_time(np.array([at(start)]), np.array([at(start)]))
        steps = elapsed_time(np.array(instants), np.array(instants)).since(begin, MONTHS)
        assert steps.tolist() == full
        return
    assert full_steps(engine, [at(start)] * len(instants), instants, "month") == full


@pytest.mark.parametrize(
    ("start", "years"),
    [
        ("2020-02-29", ["2021-02-28", "2022-02-28", "2023-02-28", "2024-02-29"]),
        ("1896-02-29", ["1897-02-28", "1898-02-28", "1899-02-28", "1900-02-28"]),
    ],
)
def test_a_leap_day_has_its_anniversary_on_the_last_of_february(
    start: str, years: list[str]
) -> None:
    begin = elapsed_time(np.array([at(start)]), np.array([at(start)]))
    for n, day in enumerate(years):
        ends = np.array([at(day) - 1, at(day)])
        assert elapsed_time(ends, ends).since(begin, period_grid("year", "monday")).tolist() == [
            n,
            n + 1,
        ]


def test_days_are_24_hours_and_months_go_by_the_wall_clock() -> None:
    # Berlin springs forward on 31 March 2024: noon to noon is 23 hours, not yet a day, while
    # a month from 29 February, noon, to 29 March, and from 30 March to 30 April, is to the hour.
    zone = ZoneInfo("Europe/Berlin")

    def full(start: str, end: str, period: Any) -> int:
        pair = np.array([at(start, "Europe/Berlin"), at(end, "Europe/Berlin")])
        begin, now = (elapsed_time(one, wall_times(one, zone)) for one in np.split(pair, 2))
        return int(now.since(begin, period_grid(period, "monday"))[0])

    assert full("2024-03-30 12:00", "2024-03-31 12:00", "day") == 0
    assert full("2024-03-30 12:00", "2024-03-31 13:00", "day") == 1
    assert full("2024-03-25 12:00", "2024-04-01 12:59", "week") == 0
    assert full("2024-03-25 12:00", "2024-04-01 13:00", "week") == 1
    assert full("2024-03-30 12:00", "2024-04-30 11:59", "month") == 0
    assert full("2024-03-30 12:00", "2024-04-30 12:00", "month") == 1
    # Backward on 27 October: a day is full an hour earlier by the clock.
    assert full("2024-10-26 12:00", "2024-10-27 11:00", "day") == 1
    assert full("2024-10-26 12:00", "2024-11-26 11:59", "month") == 0


# --- zones: around every change of the clock ------------------------------------------

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",  # 5:45, and no change since 1986
    "Pacific/Apia",  # skipped 30 December 2011
    "Africa/Casablanca",  # changes for Ramadan too, thirty days apart
]


@cache
def changes(name: str) -> list[int]:
    """Find the changes of the clock from 1984 to 2034, to the minute, by going on bit by bit."""
    zone = ZoneInfo(name)
    bits = [datetime(1984, 1, 1, tzinfo=UTC) + i * 6 * HOUR for i in range(50 * 1461)]
    offsets = [moment.astimezone(zone).utcoffset() for moment in bits]
    found = []
    for bit, before, after in zip(bits, offsets, offsets[1:], strict=False):
        if before != after:
            moment = bit
            while moment.astimezone(zone).utcoffset() == before:
                moment += MINUTE
            found.append(micros(moment))
    return found


def around(name: str) -> list[int]:
    """Return instants around every change: the very microsecond, minutes, hours and days away."""
    away = [timedelta(), MINUTE, HOUR / 2, HOUR, 3 * HOUR, timedelta(days=1), timedelta(days=2)]
    away = [*away, *(-one for one in away), -timedelta(microseconds=1), timedelta(microseconds=1)]
    return sorted(
        change + one // timedelta(microseconds=1) for change in changes(name) for one in away
    )


@pytest.mark.slow
def test_the_changes_that_are_tested() -> None:
    assert at("2024-03-31 01:00") in changes("Europe/Berlin")
    assert at("2024-09-08 04:00") in changes("America/Santiago")
    assert at("2011-12-30 10:00") in changes("Pacific/Apia")
    assert len(changes("Asia/Kathmandu")) == 1
    assert min(len(changes(name)) for name in ZONES[:4]) > 90


@pytest.mark.slow
@pytest.mark.parametrize("name", ZONES)
def test_wall_times_are_those_of_zoneinfo(name: str) -> None:
    zone, instants = ZoneInfo(name), around(name)
    want = [micros(wall_of(instant, zone)) for instant in instants]
    assert wall_times(np.array(instants), zone).tolist() == want
    # In any order, and one alone.
    assert wall_times(np.array(instants[::-1]), zone).tolist() == want[::-1]
    assert wall_times(np.array(instants[:1]), zone).tolist() == want[:1]


def test_wall_times_of_long_ago() -> None:
    # Local mean time, to the second: New York was 4:56:02 behind until 18 November 1883.
    zone = ZoneInfo("America/New_York")
    instants = [at("1883-01-01"), at("1883-12-01"), -1, 0, at("1942-03-01")]
    have = wall_times(np.array(instants), zone)
    assert have.tolist() == [micros(wall_of(instant, zone)) for instant in instants]
    assert utc(have.tolist()[0]) == utc(at("1882-12-31 19:03:58"))


def test_naive_times_are_their_own_wall_times_and_no_times_are_none() -> None:
    instants = np.array([-5, 0, 7])
    assert wall_times(instants, None).tolist() == [-5, 0, 7]
    assert wall_times(instants[:0], ZoneInfo("Europe/Berlin")).tolist() == []


@pytest.mark.parametrize("name", ZONES)
def test_utc_offsets_are_complete_and_exact(name: str) -> None:
    zone, inside = ZoneInfo(name), changes(name)
    first, last = at("1984-01-01") + 7, at("2033-12-31")
    found = utc_offsets(zone, first, last)
    assert [since for since, _ in found] == [first, *(one for one in inside if one <= last)]
    for since, offset in found:
        assert wall_of(since, zone) - utc(since).replace(tzinfo=None) == timedelta(
            microseconds=offset
        )


def test_utc_offsets_at_the_bounds() -> None:
    zone, change = ZoneInfo("Europe/Berlin"), at("2024-03-31 01:00")
    winter, summer = 3600 * SECOND, 7200 * SECOND
    before = change - SECOND - 1
    assert utc_offsets(zone, before, before) == [(before, winter)]
    assert utc_offsets(zone, change - 1, change) == [(change - 1, winter), (change, summer)]
    assert utc_offsets(zone, change, change) == [(change, summer)]
    assert utc_offsets(UTC, -5, 5) == [(-5, 0)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_wall_time_expressions_are_those_of_zoneinfo(engine: str, name: str) -> None:
    # Ten years are 20 changes at most.
    first, last = at("2005-01-01"), at("2014-12-31")
    instants = [one for one in around(name) if first <= one <= last] or [first, last]
    table = pa.table({"time": pa.array(instants, pa.timestamp("us"))})
    wall = wall_time_expr(nw.col("time"), zone=ZoneInfo(name), first=first, last=last)
    have = run(engine, table, wall=wall)["wall"].dt.as_unit("us")
    assert have.dt.tz is None
    want = [wall_of(instant, ZoneInfo(name)) for instant in instants]
    assert have.tolist() == want


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_wall_time_expressions_to_the_microsecond_and_before_1970(engine: str) -> None:
    zone = ZoneInfo("America/New_York")
    instants = [at("1883-11-01 12:00") + 1, -1, 0, at("1969-10-26 06:00") - 1]
    table = pa.table({"time": pa.array(instants, pa.timestamp("us"))})
    wall = wall_time_expr(nw.col("time"), zone=zone, first=min(instants), last=max(instants))
    have = run(engine, table, wall=wall)["wall"]
    assert [micros(one) for one in have] == [micros(wall_of(one, zone)) for one in instants]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_wall_time_expressions_over_a_century_and_a_half(engine: str) -> None:
    # One row with the date that some systems write for "unknown" is enough for such a span.
    instants = [at("1880-01-01"), at("2037-12-31")]
    zone = ZoneInfo("America/New_York")
    table = pa.table({"time": pa.array(instants, pa.timestamp("us"))})
    wall = wall_time_expr(nw.col("time"), zone=zone, first=instants[0], last=instants[1])
    have = run(engine, table, wall=wall)["wall"].tolist()
    assert have == [wall_of(one, zone) for one in instants]


def test_zones_have_names_or_fixed_offsets() -> None:
    assert zone_of("Europe/Berlin", "tz") == ZoneInfo("Europe/Berlin")
    for text, minutes in {"+05:30": 330, "-0300": -180, "UTC+01:00": 60, "+00:00": 0}.items():
        assert zone_of(text, "tz") == timezone(timedelta(minutes=minutes))


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "berlin time", "../Berlin", "+99:99"])
def test_an_unknown_zone_is_named_with_the_argument(name: str) -> None:
    with pytest.raises(ArgumentError) as error:
        zone_of(name, "tz")
    for part in ("`tz`", repr(name), "IANA", "Europe/Berlin"):
        assert part in str(error.value)


# --- moments ------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2024, 7, 1, 12)  # noqa: DTZ001

NAIVE_FORMS = {
    "2024-07-01": "2024-07-01",
    "2024-07-01T12:00": "2024-07-01 12:00",
    "2024-07-01 12:00:00.5": "2024-07-01 12:00:00.5",
    "20240701": "2024-07-01",
    "2024-W27-1": "2024-07-01",
    date(2024, 7, 1): "2024-07-01",
    NOON: "2024-07-01 12:00",
    np.str_("2024-07-01"): "2024-07-01",
    np.datetime64("2024-07-01"): "2024-07-01",
    np.datetime64("2024-07"): "2024-07-01",
    np.datetime64("2024-07-01T12:00:00.123456789"): "2024-07-01 12:00:00.123456",
    np.datetime64("1969-12-31T23:59"): "1969-12-31 23:59",
    pd.Timestamp("2024-07-01 12:00"): "2024-07-01 12:00",
    pd.Timestamp("1905-03-01 00:00:00.000001"): "1905-03-01 00:00:00.000001",
}


@pytest.mark.parametrize(("given", "wall"), NAIVE_FORMS.items(), ids=map(repr, NAIVE_FORMS))
def test_a_naive_as_of_is_read_on_the_wall_clock_of_the_zone(given: Any, wall: str) -> None:
    for zone, name in ((None, "UTC"), (UTC, "UTC"), (BERLIN, "Europe/Berlin")):
        moment = as_of_moment(given, zone)
        assert (moment.instant, moment.wall) == (at(wall, name), at(wall))


AWARE_FORMS = [
    "2024-07-01T12:00+02:00",
    "2024-07-01T10:00Z",
    NOON.replace(tzinfo=BERLIN),
    datetime(2024, 7, 1, 10, tzinfo=UTC),
    datetime(2024, 7, 1, 3, tzinfo=timezone(timedelta(hours=-7))),
    pd.Timestamp("2024-07-01 06:00", tz="America/New_York"),
]


@pytest.mark.parametrize("given", AWARE_FORMS, ids=repr)
def test_an_aware_as_of_is_the_instant_it_names(given: Any) -> None:
    moment = as_of_moment(given, BERLIN)
    assert (moment.instant, moment.wall) == (at("2024-07-01 10:00"), at("2024-07-01 12:00"))


@pytest.mark.parametrize("given", AWARE_FORMS, ids=repr)
def test_an_aware_as_of_of_naive_times_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        as_of_moment(given, None)
    for part in ("`as_of`", repr(given), "time zone", "times have none"):
        assert part in str(error.value)


@pytest.mark.parametrize("given", ["", "July 1", "2024-07", "2024-13-01", "2024-02-30", "now"])
def test_text_that_is_no_date_is_refused(given: str) -> None:
    with pytest.raises(ArgumentError) as error:
        as_of_moment(given, None)
    for part in ("`as_of`", repr(given), "ISO 8601", "'2024-07-01'"):
        assert part in str(error.value)


NO_DATES = [
    5,
    1.5,
    True,
    [],
    b"2024-07-01",
    pd.NaT,
    np.datetime64("NaT", "us"),
    pd.Period("2024-07", "M"),
    timedelta(1),
    NOON.time(),
    pd.Series([pd.Timestamp("2024-07-01")]),
]


@pytest.mark.parametrize("given", NO_DATES, ids=repr)
def test_what_is_no_date_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        as_of_moment(given, BERLIN)
    for part in ("`as_of`", repr(given), "date", "datetime", "ISO 8601"):
        assert part in str(error.value)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "given", [date.min, date.max, "9999-12-31T23:59", "0001-01-01", "9999-12-31"]
)
def test_an_as_of_at_the_ends_of_the_calendar_is_read_or_refused(given: Any, zone: str) -> None:
    # No instant of it may exist as a datetime in UTC. Never a bare OverflowError.
    try:
        moment = as_of_moment(given, ZoneInfo(zone))
    except RetainkitError as error:
        assert "`as_of`" in str(error)  # noqa: PT017
    else:
        assert isinstance(moment, Moment)


def test_as_of_in_the_hour_that_comes_twice_is_the_one_that_is_meant() -> None:
    first, second = (datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    assert as_of_moment(first, BERLIN).instant == at("2024-10-27 00:30")
    assert as_of_moment(second, BERLIN).instant == at("2024-10-27 01:30")
    assert as_of_moment("2024-10-27 02:30", BERLIN).instant == at("2024-10-27 00:30")


def test_a_moment_reads_as_the_wall_clock_does() -> None:
    for text in ("2024-07-01", "2024-07-01 12:00:00", "1969-12-31 23:59:59.000001", "0001-01-01"):
        assert str(as_of_moment(text, None)) == text
    assert str(as_of_moment("2024-07-01T10:00Z", BERLIN)) == "2024-07-01 12:00:00"


def test_a_moment_and_the_microsecond_before_it() -> None:
    moment = as_of_moment("2024-03-01", None)
    assert (moment.steps().month, moment.steps().rest, moment.steps().days) == (54 * 12 + 2, 0, 31)
    before = moment.steps(before=1)
    assert (before.month, before.rest, before.days) == (54 * 12 + 1, 29 * DAY - 1, 29)
    assert before.instant == moment.instant - 1


@pytest.mark.parametrize(("period", "week_start"), CUTS)
def test_a_moment_knows_its_period_and_whether_it_opens_it(period: Any, week_start: Any) -> None:
    for day in [*DAYS[:: 365 * 7 + 1], date(1970, 1, 1), date(2024, 1, 1), date(2023, 10, 1)]:
        midnight = as_of_moment(day, BERLIN)
        grid = period_grid(period, week_start)
        assert [midnight.index(grid)] == grid.number_of_day(since_1970([day])).tolist()
        assert midnight.opens(grid) == begins(day, period, week_start)
        later = datetime(day.year, day.month, day.day, 0, 0, 0, 1)  # noqa: DTZ001
        assert not as_of_moment(later, BERLIN).opens(grid)


@pytest.mark.parametrize(
    ("zone", "given"),
    [("America/Santiago", "2024-09-08T04:00Z"), ("Pacific/Apia", "2011-12-30T10:00Z")],
)
def test_a_day_without_midnight_opens_all_the_same(zone: str, given: str) -> None:
    # Santiago's clock goes from 23:59 to 1:00, Apia's from the 29th to the 31st.
    assert as_of_moment(given, ZoneInfo(zone)).opens(DAY_GRID)


# --- days -----------------------------------------------------------------------------

# St. John's turned its clock back at 0:01 until 2011: the day began, and then ended once more.
DAY_ZONES = [*ZONES, "America/St_Johns", "America/Havana"]


def next_day(last: int, zone: tzinfo) -> int:
    """Return the first minute from which on the wall shows a later day than at `last`, for good."""
    today = wall_of(last, zone).date()
    moment = last - last % (60 * SECOND)
    end = moment
    for _ in range(60 * 27):
        if wall_of(moment, zone).date() <= today:
            end = moment + 60 * SECOND
        moment += 60 * SECOND
    return end


def days_of_change(name: str) -> list[int]:
    """Return a few instants of the days on which the clock changed, and of the days before."""
    some = [one for one in changes(name) if at("2009-01-01") < one < at("2013-01-01")][:6]
    hours = [-30, -13, -1, 0, 1, 14]
    return [one + hour * 3600 * SECOND + 1 for one in some or [at("2012-02-28")] for hour in hours]


@pytest.mark.slow
@pytest.mark.parametrize("name", DAY_ZONES)
def test_the_end_of_a_day_is_the_first_instant_of_the_next(name: str) -> None:
    zone = ZoneInfo(name)
    for last in days_of_change(name):
        end = end_of_day(last, zone)
        assert end.instant == next_day(last, zone), wall_of(last, zone)
        # As a wall time it is a midnight, also where the clock skips it.
        assert end.wall % DAY == 0


@pytest.mark.parametrize("last", [0, -1, -DAY, -DAY - 1, at("1899-12-31 12:00"), DAY - 1])
def test_the_end_of_a_naive_day(last: int) -> None:
    end = end_of_day(last, None)
    assert end.instant == end.wall
    assert 0 < end.instant - last <= DAY
    assert end.instant % DAY == 0


@pytest.mark.parametrize("name", DAY_ZONES)
def test_days_begin_at_the_first_instant_that_shows_them(name: str) -> None:
    zone = ZoneInfo(name)
    days = sorted({wall_of(last, zone).date() for last in days_of_change(name)})
    instants, wall = midnights(since_1970(days), zone)
    assert wall.tolist() == (since_1970(days) * DAY).tolist()
    for day, instant in zip(days, instants.tolist(), strict=True):
        assert wall_of(instant, zone).date() == day
        assert wall_of(instant - 1, zone).date() < day


def test_naive_midnights() -> None:
    days = np.array([-1, 0, 3])
    for values in midnights(days, None):
        assert values.tolist() == [-DAY, 0, 3 * DAY]


def test_moment_at_reads_a_naive_time_in_the_zone_and_an_aware_one_as_it_is() -> None:
    naive: Callable[[str], datetime] = datetime.fromisoformat
    assert moment_at(naive("2024-01-01"), None).instant == at("2024-01-01")
    assert moment_at(naive("2024-01-01"), BERLIN).instant == at("2023-12-31 23:00")
    assert moment_at(naive("2024-01-01T00:00-05:00"), BERLIN).wall == at("2024-01-01 06:00")
