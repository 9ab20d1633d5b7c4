"""Periods as users write them, against lists of their beginnings that are made one by one."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retainkit._time.grid import BEFORE
from retainkit._time.labels import ZonedTimes
from retainkit._time.moment import as_of_moment, edge_moments
from retainkit._time.period_options import in_periods, period_option, period_options
from retainkit._time.zones import wall_times
from retainkit.errors import ArgumentError, ArgumentTypeError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")
NEW_YORK, KOLKATA = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")


def micros(moment: datetime) -> int:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) // timedelta(microseconds=1)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- beginnings, one by one -----------------------------------------------------------


def counted(origin: str, days: int) -> list[datetime]:
    """Step from the origin, forwards and back, over the years 1900 to 2100."""
    begin = day(origin)
    while begin.year >= 1900:
        begin -= timedelta(days=days)
    found = []
    while begin.year < 2100:
        found.append(begin)
        begin += timedelta(days=days)
    return found


def fiscal(first_month: int, months: int) -> list[datetime]:
    """Every so many months from the first month of a year on."""
    found, year, month = [], 1900, first_month
    while year < 2100:
        found.append(datetime(year, month, 1))  # noqa: DTZ001
        month += months
        year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return found


EDGES = ["1969-03-01", "1969-12-31T18:30", "1970-01-01", "2024-02-29", "2024-03-01T00:00:00.000001"]
CASES: dict[str, tuple[dict[str, Any], list[datetime]]] = {
    "14 days": ({}, counted("1970-01-05", 14)),
    "10D": ({"week_start": "sunday"}, counted("1970-01-04", 10)),
    "4 weeks": ({"week_start": "thursday"}, counted("1970-01-01", 28)),
    "2w": ({"origin": "2030-05-17"}, counted("2030-05-17", 14)),
    "1 day": ({"origin": date(2024, 1, 1)}, counted("2024-01-01", 1)),
    "400 days": ({"origin": datetime(1901, 7, 3)}, counted("1901-07-03", 400)),  # noqa: DTZ001
    "quarter": ({"year_start": "february"}, fiscal(2, 3)),
    "year": ({"year_start": "october"}, fiscal(10, 12)),
    "month": ({"year_start": "october"}, fiscal(1, 1)),
}
TIMES = [
    moment + shift
    for moment in (
        *(day("1904-01-30") + timedelta(days=37 * n) for n in range(1900)),
        *map(day, EDGES),
        *(day("1970-01-01") + timedelta(days=n) for n in range(-40, 40)),
    )
    for shift in (timedelta(microseconds=-1), timedelta(), timedelta(hours=11, minutes=7))
]


def numbers_of(engine: str, times: list[datetime], grid: Any) -> list[int]:
    """Number times in an engine."""
    table = pa.table({"time": pa.array(times, pa.timestamp("us"))})
    if engine == "duckdb":
        # Before DuckDB 2.0.1 a relation does not keep its connection open.
        connection = duckdb.connect()
        frame: Any = connection.from_arrow(table)
    else:
        frame = {"pandas": table.to_pandas, "polars": lambda: pl.from_arrow(table)}.get(
            engine, lambda: table
        )()
    rows = nw.from_native(frame).lazy().select(number=grid.number_expr(nw.col("time")))
    found: list[int] = rows.collect("pyarrow").to_native()["number"].to_pylist()
    return found


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("engine", ["arrays", "pandas", "polars", "pyarrow", "duckdb"])
def test_periods_have_one_number_each_in_their_order(name: str, engine: str) -> None:
    options, begins = CASES[name]
    grid = period_option(name, **options).in_zone(None)
    walls = np.array([micros(time) for time in TIMES], np.int64)
    rank = [bisect_right(begins, time) - 1 for time in TIMES]
    found = grid.number(walls).tolist() if engine == "arrays" else numbers_of(engine, TIMES, grid)
    assert len({have - want for have, want in zip(found, rank, strict=True)}) == 1
    if engine == "arrays":
        labels = grid.label(np.array(found))
        assert not isinstance(labels, ZonedTimes)
        assert labels.tolist() == [begins[one].date() for one in rank]
        assert grid.number(grid.begin(np.array(found))).tolist() == found


@pytest.mark.parametrize("engine", ["arrays", "pandas", "polars", "pyarrow", "duckdb"])
def test_edges_number_what_lies_between_them(engine: str) -> None:
    grid = period_option(EDGES).in_zone(None)
    begins = [day(edge) for edge in EDGES]
    walls = np.array([micros(time) for time in TIMES], np.int64)
    found = grid.number(walls).tolist() if engine == "arrays" else numbers_of(engine, TIMES, grid)
    want = [bisect_right(begins, time) - 1 for time in TIMES]
    assert found == [BEFORE if one < 0 else one for one in want]
    assert set(found) == {BEFORE, 0, 1, 2, 3, 4}
    assert grid.bounds == (0, 4)
    labels = grid.label(np.arange(4))
    assert not isinstance(labels, ZonedTimes)
    assert labels.tolist() == begins[:4]  # times, since one edge is not at midnight


def test_without_an_origin_the_first_week_of_1970_counts() -> None:
    # 1970-01-01 was a Thursday; the first Monday is the 5th, the first Sunday the 4th.
    for week_start, first in (("monday", 5), ("wednesday", 7), ("thursday", 1), ("sunday", 4)):
        for period in ("3 days", "1 week", "6 weeks"):
            grid = period_option(period, week_start=week_start).in_zone(None)  # type: ignore[arg-type]
            days = np.array([first - 2, first - 1])
            assert grid.number_of_day(days).tolist() == [-1, 0], (week_start, period)


def test_the_fiscal_quarters_of_the_united_states_government() -> None:
    # Its fiscal year 2024 ran from 1 October 2023 to 30 September 2024 (31 U.S.C. 1102).
    grid = period_option("quarter", year_start="october").in_zone(None)
    days = [date(2023, 9, 30), date(2023, 10, 1), date(2024, 1, 1), date(2024, 9, 30)]
    ordinals = np.array(days, "M8[D]").astype(np.int64)
    first = grid.number_of_day(ordinals)
    assert (first - first[1]).tolist() == [-1, 0, 1, 3]
    year = period_option("year", year_start="october").in_zone(None)
    labels = year.label(year.number_of_day(ordinals))
    assert not isinstance(labels, ZonedTimes)
    assert labels.tolist() == [date(2022, 10, 1), *[date(2023, 10, 1)] * 3]


def test_a_retail_calendar_of_4_5_4_weeks() -> None:
    # The National Retail Federation's fiscal 2023 ended on Saturday, 3 February 2024, and the
    # next year has months of 4, 5 and 4 weeks: November 2024 ends on the 30th, before Cyber Monday.
    edges, begin = [], date(2024, 2, 4)
    for weeks in (4, 5, 4) * 4:
        edges.append(begin)
        begin += timedelta(weeks=weeks)
    edges.append(begin)
    assert begin == date(2025, 2, 2)
    grid = period_option(edges).in_zone(None)
    days = [date(2024, 2, 3), date(2024, 3, 2), date(2024, 11, 30), date(2024, 12, 2), begin]
    found = grid.number_of_day(np.array(days, "M8[D]").astype(np.int64))
    assert found.tolist() == [BEFORE, 0, 9, 10, 12]
    labels = grid.label(np.array([9, 10]))
    assert not isinstance(labels, ZonedTimes)
    assert labels.tolist() == [date(2024, 11, 3), date(2024, 12, 1)]


# --- hours, and other clocks -----------------------------------------------------------

CHANGES = [
    (BERLIN, "2024-03-31", 23),
    (BERLIN, "2024-10-27", 25),
    (LONDON, "2024-03-31", 23),
    (LONDON, "2024-10-27", 25),
    (NEW_YORK, "2024-03-10", 23),
    (NEW_YORK, "2024-11-03", 25),
    (KOLKATA, "2024-10-27", 24),
    (ZoneInfo("UTC"), "1969-12-31", 24),
]


@pytest.mark.parametrize(("zone", "text", "hours"), CHANGES)
def test_a_day_has_as_many_hours_as_it_lasts(zone: ZoneInfo, text: str, hours: int) -> None:
    grid = period_option("hour").in_zone(zone)
    begin = day(text).replace(tzinfo=zone).astimezone(UTC)
    instants = [begin + timedelta(minutes=15 * n) for n in range(4 * hours)]
    midnight = (day(text) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    assert instants[-1] + timedelta(minutes=15) == midnight
    times = np.array([micros(one) for one in instants], np.int64)
    found = grid.number(wall_times(times, grid.clock(zone)))
    assert (found - found[0]).tolist() == [n // 4 for n in range(4 * hours)]
    labels = grid.label(found[::4])
    assert isinstance(labels, ZonedTimes)
    shown = [utc.astimezone(zone) for utc in instants[::4]]
    assert labels.instants.tolist() == [micros(one) for one in shown]
    assert {one.minute for one in shown} == {0}
    for instant, number in zip(instants, found.tolist(), strict=True):
        moment = as_of_moment(instant, zone)
        assert moment.index(grid) == number
        assert moment.opens(grid) == (instant in instants[::4])
        assert moment.begin_of(grid, zone).instant == micros(instants[int(number - found[0]) * 4])


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow", "duckdb"])
def test_hours_of_times_without_a_zone(engine: str) -> None:
    grid = period_option("hour").in_zone(None)
    want = [micros(time) // 3_600_000_000 for time in TIMES]
    assert numbers_of(engine, TIMES, grid) == want


def test_edges_and_origins_of_other_zones_are_instants() -> None:
    # Noon and midnight in New York are 18:00 and 6:00 in Berlin, but an hour less in March.
    edges = [datetime(2024, 3, one, 12, tzinfo=NEW_YORK) for one in (9, 10, 31)]
    grid = period_option(edges).in_zone(BERLIN)
    ends = edge_moments(grid)
    assert ends is not None
    assert [str(end) for end in ends] == ["2024-03-09 18:00:00", "2024-03-31 18:00:00"]
    hours = [one % (24 * 3_600_000_000) // 3_600_000_000 for one in grid.edges]  # type: ignore[attr-defined]
    assert hours == [18, 17, 18]
    labels = grid.label(np.array([0, 1]))
    assert isinstance(labels, ZonedTimes)
    assert labels.instants.tolist() == [micros(one.astimezone(UTC)) for one in edges[:2]]

    origin = datetime(2024, 1, 3, 23, tzinfo=UTC)
    grid = period_option("14 days", origin=origin).in_zone(BERLIN)
    first = np.array([date(2024, 1, 3), date(2024, 1, 4)], "M8[D]").astype(np.int64)
    assert np.diff(grid.number_of_day(first)).tolist() == [1]
    with pytest.raises(ArgumentError, match=r"`origin` is 2024-01-03 23:00:00\+00:00.*midnight"):
        period_option("14 days", origin=origin).in_zone(LONDON)
    with pytest.raises(ArgumentError, match="has a time zone, while the times have none"):
        period_option("14 days", origin=origin).in_zone(None)


# --- what is refused, and what it says --------------------------------------------------


@pytest.mark.parametrize(
    ("period", "word"),
    [
        ("monthly", "month"),
        ("M", "month"),
        ("MS", "month"),
        ("Month", "month"),
        ("weekly", "week"),
        ("W", "week"),
        ("Q", "quarter"),
        ("quarterly", "quarter"),
        ("annually", "year"),
        ("yearly", "year"),
        ("daily", "day"),
        ("H", "hour"),
        ("3 months", "quarter"),
        ("12M", "year"),
        ("1 quarter", "quarter"),
        ("4 quarters", "year"),
        ("24 hours", "hour"),
        ("fortnight", "14 days"),
    ],
)
def test_other_words_say_which_is_meant(period: str, word: str) -> None:
    with pytest.raises(ArgumentError) as error:
        period_option(period)
    assert f"Did you mean {word!r}?" in str(error.value)
    assert (error.value.code, error.value.argument) == ("unknown_choice", "period")


@pytest.mark.parametrize(
    ("period", "kind", "text"),
    [
        ("fiscal", ArgumentError, "`period` is 'fiscal'; it must be one of 'hour', 'day'"),
        ("6 months", ArgumentError, "give a list of the dates between them"),
        ("0 days", ArgumentError, "from one day"),
        ("1.5 days", ArgumentError, "whole number of days"),
        (14, ArgumentTypeError, r"14 what\? Write '14 days' or '14 weeks'"),
        (None, ArgumentTypeError, "it must be one of"),
        ({"2024-01-01", "2024-02-01"}, ArgumentTypeError, "it must be one of"),
        (["2024-01-01"], ArgumentError, "1 of the two or more dates"),
        ([], ArgumentError, "0 of the two or more dates"),
        (["2024-02-01", "2024-01-01"], ArgumentError, "edges must rise"),
        (["2024-01-01", "2024-01-01"], ArgumentError, "edges must rise"),
        (["2024-01-01", "2024-01-01T00:00Z"], ArgumentError, "and others without"),
        (["2024-01-01", "soon"], ArgumentError, "as ISO 8601 does"),
        (["2024-01-01", None], ArgumentTypeError, "it must be a date"),
    ],
)
def test_what_cannot_be_meant_is_refused(period: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as error:
        period_option(period)
    assert error.value.argument == "period"  # type: ignore[attr-defined]


def test_edges_may_come_in_any_list_of_dates() -> None:
    days = pd.date_range("2024-01-01", periods=3, freq="MS")
    grid = period_option([one.date() for one in days]).in_zone(None)
    for edges in (days, days.to_numpy(), pl.Series(days.to_list()), days.strftime("%Y-%m-%d")):
        assert period_option(edges).in_zone(None) == grid  # type: ignore[arg-type]
    assert period_option(timedelta(days=14)) == period_option("14 days")


def test_an_origin_needs_periods_that_are_counted_from_it() -> None:
    with pytest.raises(ArgumentError, match="`origin` is '2024-01-01', and `period` is 'month'"):
        period_option("month", origin="2024-01-01")
    with pytest.raises(ArgumentError, match="periods of days begin at midnight"):
        period_option("14 days", origin="2024-01-01T06:00").in_zone(None)
    both = period_options({"cohort_period": "month", "period": "14 days"}, origin="2024-01-01")
    assert [one.noun for one in both] == ["month", "period of 14 days"]


@pytest.mark.parametrize("period", ["hour", ["2024-01-01", "2024-01-02T12:00"]])
def test_what_is_counted_by_days_takes_whole_days(period: Any) -> None:
    with pytest.raises(ArgumentError, match="customers are counted by days, and a period") as error:
        period_option(period, whole_days=True)
    assert error.value.code == "period_not_whole_days"
    option = period_option(["2024-01-01", "2024-01-04"], whole_days=True)
    assert option.longest == 3


def test_edges_must_rise_on_the_clock_on_the_wall_too() -> None:
    # Two instants an hour apart, at which the clock of Berlin shows the same time.
    edges = ["2024-10-27T00:30Z", "2024-10-27T01:30Z"]
    with pytest.raises(ArgumentError, match="edges must rise"):
        period_option(edges).in_zone(BERLIN)


def test_horizons_are_counted_in_such_periods() -> None:
    assert in_periods("horizon", "8 weeks", period_option("14 days"), 1) == 4
    edges = period_option(["2024-01-01", "2024-02-01"])
    assert in_periods("horizon", 2, edges, 1) == 2
    for value, option in (("3 weeks", period_option("14 days")), ("4 weeks", edges)):
        with pytest.raises(ArgumentError, match="`horizon` is"):
            in_periods("horizon", value, option, 1)


def test_names_of_periods() -> None:
    for period, one, several in (
        ("month", "month", "months"),
        ("14 days", "period of 14 days", "periods of 14 days"),
        ("1 day", "period of 1 day", "periods of 1 day"),
        (["2024-01-01", "2024-02-01"], "period", "periods"),
    ):
        grid = period_option(period).in_zone(None)
        assert (grid.name, grid.plural) == (one, several)
    assert all(one < other for one, other in pairwise(CASES["14 days"][1]))
