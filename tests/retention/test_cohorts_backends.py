"""The same call gives the same table, whatever holds the events.

Every kind of frame is asked the same random questions and held to the oracle, and both reducers
to each other. Then what can differ from engine to engine: what comes back, and of which type;
how much is brought back on the way; nulls, zones, and hours that a clock shows twice.
"""

import math
import re
import time
import warnings
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pytest

import oracles
import retainkit
from backends import BACKENDS, Backend, params
from cohort_questions import (
    BERLIN,
    CHOICES,
    LORD_HOWE,
    MEETINGS,
    NEW_YORK,
    SEEDS,
    SEEDS_FOR_SPARK,
    features,
    question,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from retainkit.retention import _eager, _lazy
from retainkit.retention._spec import CohortCounts
from sizes import cases
from tables import Row, assert_rows, rows_of

NAMED = {backend.name: backend for backend in BACKENDS}
LAZY = [backend for backend in BACKENDS if backend.lazy]
each_lazy = pytest.mark.parametrize("backend", params(LAZY), indirect=True)


def table(frame: Any, **options: Any) -> list[Row]:
    """Return the library's table; what it sets aside, it says, and here that is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(retainkit.cohort_retention(frame, amounts="keep", **options))


# --- random questions ---------------------------------------------------------------


def test_the_questions_cover_every_option() -> None:
    asked: set[Any] = set().union(*map(features, SEEDS))
    assert {(name, value) for name, values in CHOICES.items() for value in values} <= asked
    for names in MEETINGS:
        number = math.prod(len(set(CHOICES[name])) for name in names)
        assert sum(feature[0] == names for feature in asked) == number, names


def expected(backend: Backend, rows: list[Row], options: Row, session: str) -> list[Row]:
    """Ask the oracle. Without a zone of their own, aware times are in that of the session."""
    if not backend.keeps_zone and getattr(rows[0]["time"], "tzinfo", None) and not options["tz"]:
        options = options | {"tz": session}
    return oracles.cohort_retention(rows, **options)


ASKED_OF_ALL = [
    pytest.param(
        *one.values,
        seed,
        id=f"{one.id}-{seed}",
        marks=[*one.marks, *([pytest.mark.ci] if number >= 10 else [])],
    )
    for one in params(BACKENDS)
    for number, seed in enumerate(SEEDS_FOR_SPARK if one.id == "pyspark" else SEEDS)
]


@pytest.mark.parametrize(("backend", "seed"), ASKED_OF_ALL, indirect=["backend"])
def test_a_question_has_one_answer(backend: Backend, seed: int) -> None:
    rows, options, session = question(seed)
    have = table(backend.make(rows, session=session), **options)
    assert_rows(have, expected(backend, rows, options, session))


# --- the two reducers ---------------------------------------------------------------


def tally(monkeypatch: pytest.MonkeyPatch, reducer: Any, frame: Any, options: Row) -> CohortCounts:
    """Catch what a reducer answers while the library makes its table."""
    answers: list[CohortCounts] = []
    real = reducer.count_cohorts

    def spy(*arguments: Any) -> CohortCounts:
        answers.append(real(*arguments))
        return answers[-1]

    with monkeypatch.context() as patch:
        patch.setattr(reducer, "count_cohorts", spy)
        table(frame, **options)
    (answer,) = answers
    return answer


def added_up(answer: CohortCounts) -> dict[tuple[Any, ...], tuple[int, float]]:
    """Add up the elements of a tally that are told apart by nothing."""
    segments = [*zip(*(names.to_list() for names in answer.segments.values()), strict=True)]
    sums: dict[tuple[Any, ...], tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    columns = [getattr(answer, name) for name in ("segment", "cohort", "over", "begun", "cell")]
    for (segment, *place), count, amount in zip(
        zip(*(column.tolist() for column in columns), strict=True),
        answer.count.tolist(),
        answer.amount.tolist(),
        strict=True,
    ):
        key = (segments[segment] if segments else (), *place)
        sums[key] = sums[key][0] + count, sums[key][1] + amount
    return {key: both for key, both in sums.items() if both != (0, 0.0)}


@pytest.mark.parametrize("seed", cases(range(200), quick=30))
def test_the_plan_and_the_kernel_count_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, options, _ = question(seed)
    options["amount"] = "amount"
    frames = {_eager: NAMED["polars"], _lazy: NAMED["polars-lazy"]}
    kernel, plan = (
        tally(monkeypatch, reducer, one.make(rows), options) for reducer, one in frames.items()
    )
    assert added_up(plan) == added_up(kernel)
    assert plan.excluded == kernel.excluded


@pytest.mark.parametrize("seed", cases(range(100), quick=15))
def test_blocks_of_rows_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retainkit._frames.groupby._BLOCK", 5)
    monkeypatch.setattr("retainkit._time.grid._BLOCK", 7)
    rows, options, session = question(seed)
    have = table(NAMED["polars"].make(rows, session=session), **options)
    assert_rows(have, expected(NAMED["polars"], rows, options, session))


# --- what comes back ----------------------------------------------------------------

# 1000 customers in two teams who start in five months; the log is of 4000 rows.
MANY = [
    {
        "customer_id": number % 1000,
        "time": datetime(2024, 1, 1) + timedelta(hours=number * 7919 % 3600),  # noqa: DTZ001
        "sign_up": datetime(2024, 1, 1) + timedelta(hours=number % 1000),  # noqa: DTZ001
        "amount": number / 100,
        "team": "ab"[number % 2],
        "seats": number % 3,
        "started": number % 5 > 0,
    }
    for number in range(4000)
]
ASKED: list[Row] = [
    {"by": "team", "counting": "on_or_after", "amount": "amount", "brackets": (0, 1, 3)},
    {"entry": "recurring", "started": "started", "clock": "elapsed", "counting": "every"},
    {"cohort_time": "sign_up", "by": ["team", "seats"], "min_events": 2},
]


def kinds(frame: Any) -> dict[str, Any]:
    """Return the types of the columns; pandas has no dates, so that there a midnight is one."""
    schema = nw.from_native(frame).schema
    if nw.from_native(frame).implementation.is_pandas() and schema["cohort"] == nw.Datetime("us"):
        return schema | {"cohort": nw.Date()}  # type: ignore[no-any-return]
    return dict(schema)


def expected_kinds(**segments: Any) -> dict[str, Any]:
    whole, rate = nw.Int64(), nw.Float64()
    counts = dict.fromkeys(["age", "age_end", "customers", "eligible", "retained"], whole)
    rates = dict.fromkeys(["retention", "lower", "upper"], rate)
    money = {"amount": rate, "amount_per_customer": rate}
    return segments | {"cohort": nw.Date()} | counts | rates | {"complete": nw.Boolean()} | money


def test_columns_have_the_same_types(backend: Backend) -> None:
    options: dict[str, Any] = {"by": ["team", "seats"], "amount": "amount", "brackets": (0, 1, 3)}
    frame = retainkit.cohort_retention(backend.make(MANY[:50]), **options)
    assert kinds(frame) == expected_kinds(team=nw.String(), seats=nw.Int64())


def test_no_events_give_an_empty_table_with_the_same_types(backend: Backend) -> None:
    options: dict[str, Any] = {"by": "seats", "amount": "amount", "brackets": (0, 1, 3)}
    empty = backend.make([], like=MANY[0])
    more = {"entry": "recurring", "started": "started", "clock": "elapsed", "counting": "every"}
    for asked in ({}, more):
        frame = retainkit.cohort_retention(empty, **options, **asked)  # type: ignore[arg-type]
        assert len(frame) == 0
        assert kinds(frame) == expected_kinds(seats=nw.Int64())


@each_lazy
def test_only_counts_are_brought_back(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    collect = nw.LazyFrame.collect

    def spy(self: nw.LazyFrame[Any], *arguments: Any, **options: Any) -> nw.DataFrame[Any]:
        frame = collect(self, *arguments, **options)
        sizes.append(len(frame))
        return frame

    monkeypatch.setattr(nw.LazyFrame, "collect", spy)
    events = backend.make(MANY)
    for options in ASKED:
        assert table(events, **options)
    assert len(sizes) >= 2 * len(ASKED)
    # A row a team, cohort and age at most, and never one a customer.
    assert max(sizes) < len({row["customer_id"] for row in MANY}) / 4


# --- what is refused, and what is left out ------------------------------------------


def test_nulls_are_refused_with_their_number(backend: Backend) -> None:
    rows = [*MANY[:20], MANY[20] | {"customer_id": None}, MANY[21] | {"time": None}]
    events = backend.make([*rows, MANY[22] | {"time": None}])
    with pytest.raises(ArgumentError) as caught:
        retainkit.cohort_retention(events)
    assert re.search(r"'customer_id'.* null in 1 .*'time'.* null in 2 ", str(caught.value))


def test_nulls_are_dropped_with_a_warning(backend: Backend) -> None:
    rows = [*MANY[:20], MANY[20] | {"customer_id": None}, MANY[21] | {"time": None}]
    with pytest.warns(RetainkitWarning, match="2 of 22 rows"):
        frame = retainkit.cohort_retention(backend.make(rows), missing="drop")
    assert_rows(rows_of(frame), table(backend.make(MANY[:20])))


def test_rows_after_as_of_are_left_out_with_a_warning(backend: Backend) -> None:
    with pytest.warns(RetainkitWarning, match="of 200 rows"):
        frame = retainkit.cohort_retention(backend.make(MANY[:200]), as_of="2024-03-01T12:00")
    assert_rows(rows_of(frame), oracles.cohort_retention(MANY[:200], as_of="2024-03-01T12:00"))


def test_naive_times_and_zones_are_not_mixed(backend: Backend) -> None:
    events = backend.make(MANY[:5])
    with pytest.raises(ArgumentError, match="`as_of`"):
        retainkit.cohort_retention(events, as_of=datetime(2024, 3, 1, tzinfo=UTC))
    with pytest.raises(ArgumentError, match="`tz`"):
        retainkit.cohort_retention(events, tz=BERLIN)
    mixed = backend.make([MANY[0] | {"sign_up": datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC"))}])
    with pytest.raises(ArgumentError, match="time zone"):
        retainkit.cohort_retention(mixed, cohort_time="sign_up")


# --- clocks -------------------------------------------------------------------------


def sessions(backend: Backend) -> list[str]:
    """Return zones for the session of an engine, where there is one."""
    return ["UTC"] if backend.keeps_zone else [LORD_HOWE, NEW_YORK]


def in_utc(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("UTC")) for text in texts]


def visits(*times: date) -> list[Row]:
    """Return events of three customers, who take turns."""
    return [{"customer_id": number % 3, "time": time} for number, time in enumerate(times)]


# When the clock changes in Berlin, in New York and, by half an hour, on Lord Howe.
CHANGES = in_utc(
    *("2024-03-31T01:00", "2024-10-27T01:00", "2024-03-10T07:00"),
    *("2024-11-03T06:00", "2024-04-06T15:00", "2024-10-05T15:30"),
)
AROUND = [timedelta(hours=hours) for hours in (-2, -1, -0.5, 0, 0.5, 1, 2)]


@pytest.mark.parametrize("clock", ["calendar", "elapsed"])
def test_days_around_a_change_of_the_clock(backend: Backend, clock: str) -> None:
    # At each moment somebody comes a day after the first time, somebody else a microsecond sooner
    # than that, and a third one for the first time, to come again a microsecond short of a day.
    day, microsecond = timedelta(days=1), timedelta(microseconds=1)
    moments = [change + delta for change in CHANGES for delta in AROUND]
    pairs = [
        pair
        for moment in moments
        for pair in (
            (moment - day, moment),
            (moment - day + microsecond, moment),
            (moment, moment + day - microsecond),
        )
    ]
    rows = [
        {"customer_id": number, "time": time} for number, pair in enumerate(pairs) for time in pair
    ]
    options = {"period": "day", "cohort_period": "day", "clock": clock}
    options |= {"brackets": (0, 1, 2, 3), "tz": BERLIN}  # type: ignore[dict-item]
    want = oracles.cohort_retention(rows, **options)
    for session in sessions(backend):
        assert_rows(table(backend.make(rows, session=session), **options), want)


@pytest.mark.parametrize(
    ("visit", "zone", "day"),
    [
        ("2024-10-26T22:30", BERLIN, date(2024, 10, 27)),  # 00:30; an hour less in winter
        ("2024-03-30T22:30", BERLIN, date(2024, 3, 30)),  # 23:30; an hour more in summer
        ("2024-11-03T04:30", NEW_YORK, date(2024, 11, 3)),
        ("2024-04-06T13:15", LORD_HOWE, date(2024, 4, 7)),
    ],
)
def test_the_first_row_may_come_hours_before_the_clock_changes(
    backend: Backend, visit: str, zone: str, day: date
) -> None:
    rows = visits(*in_utc(visit, "2024-12-01T12:00"))
    for session in sessions(backend):
        frame = backend.make(rows, session=session)
        daily = {"period": "day", "cohort_period": "day", "brackets": (0, 1)}
        assert table(frame, tz=zone, **daily)[0]["cohort"] == day
        active = retainkit.active_users(frame, tz=zone)
        assert rows_of(active)[0]["period"] == day


def test_fractions_of_a_second_count_before_1970_too(backend: Backend) -> None:
    visit = "1969-12-{}T01:45:00.{}"
    moments = [(1, "000001"), (2, "000000"), (3, "000001"), (4, "999999")]
    rows = [
        {"customer_id": 1, "time": datetime.fromisoformat(visit.format(f"{day:02}", fraction))}
        for day, fraction in moments
    ]
    have = table(backend.make(rows), clock="elapsed", period="day", as_of="1969-12-10")
    # The second visit is a microsecond short of a day after the first.
    assert [row["retained"] for row in have[:5]] == [1, 0, 1, 1, 0]


def test_the_last_row_may_come_in_an_hour_that_the_session_shows_twice(backend: Backend) -> None:
    # 01:30 for the second time in New York; in Costa Rica half past midnight, on a new day.
    rows = visits(*in_utc("2024-11-01T12:00", "2024-11-02T12:00", "2024-11-03T06:30"))
    options = {"period": "day", "cohort_period": "day", "tz": "America/Costa_Rica"}
    have = table(backend.make(rows, session=NEW_YORK), **options)
    assert_rows(have, oracles.cohort_retention(rows, **options))
    assert have[-1]["cohort"] == date(2024, 11, 3)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be set here")
def test_naive_times_know_no_zone(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    # 02:30 is an hour that New York skips and 01:45 one that Lord Howe shows twice.
    moments = ["2024-03-10T02:30", "2024-03-10T03:30", "2024-04-07T01:45", "2024-04-07T02:00"]
    rows = visits(*map(datetime.fromisoformat, moments * 3))
    # Two who are new an hour before the end, and at the end.
    rows += [
        {"customer_id": 3 + hour, "time": datetime.fromisoformat(f"2024-04-07T0{hour}:15")}
        for hour in (2, 3)
    ]
    options = {"period": "day", "clock": "elapsed", "as_of": "2024-04-07T03:15"}
    options |= {"include_partial": True}  # type: ignore[dict-item]
    monkeypatch.setenv("TZ", NEW_YORK)
    time.tzset()
    try:
        have = table(backend.make(rows, session=LORD_HOWE), **options)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert_rows(have, oracles.cohort_retention(rows, **options))


def test_the_clock_may_change_a_hundred_times(backend: Backend) -> None:
    # A moment in every quarter, some of them in hours that are skipped or doubled.
    first = in_utc("1994-10-30T01:30")[0]
    rows = visits(*(first + timedelta(days=91.25 * quarter) for quarter in range(120)))
    options = {"period": "year", "cohort_period": "year", "tz": BERLIN}
    have = table(backend.make(rows, session=NEW_YORK), **options)
    assert_rows(have, oracles.cohort_retention(rows, **options))


@pytest.mark.parametrize("backend", params([NAMED["pyspark"]]), indirect=True)
def test_the_zone_of_a_spark_session_may_change(backend: Backend) -> None:
    rows = visits(*in_utc("2024-01-31T12:00", "2024-02-29T20:00", "2024-03-01T04:00"))
    events = backend.make(rows, session="Pacific/Honolulu")
    session = events.sparkSession.conf
    try:
        for zone in ("Pacific/Honolulu", "Pacific/Auckland"):
            session.set("spark.sql.session.timeZone", zone)
            for tz in (zone, "UTC"):
                options = {"tz": None if tz == zone else tz, "period": "day"}
                want = oracles.cohort_retention(rows, **options | {"tz": tz})
                assert_rows(table(events, **options), want)
    finally:
        session.set("spark.sql.session.timeZone", "Pacific/Honolulu")


# --- the backends themselves --------------------------------------------------------


def test_a_missing_backend_is_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETAINKIT_ALL", raising=False)
    missing = replace(NAMED["polars"], modules=("polars", "no_such_package"))
    with pytest.raises(pytest.skip.Exception, match="polars needs no_such_package"):
        missing.require()


def test_no_backend_may_be_missing_where_all_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAINKIT_ALL", "1")
    missing = replace(NAMED["polars"], modules=("polars", "no_such_package"))
    with pytest.raises(pytest.fail.Exception, match="no_such_package"):
        missing.require()
