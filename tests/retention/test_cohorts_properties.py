"""Cohort retention on random events: agreement with the oracle, and what must always hold.

Both reducers of the library are put to the test: a pandas frame goes through the NumPy
kernel, a Polars LazyFrame through the lazy plan. Deterministic: the examples are derived from
the name of the test, not from a clock or a stored database.
"""

import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import oracles
import retainkit
from sizes import n_examples
from tables import Row, assert_rows, rows_of

PERIODS = ["day", "week", "month", "quarter", "year"]
# The days over which the events spread, for the shorter of the two periods.
SPAN = {"day": 12, "week": 50, "month": 300, "quarter": 800, "year": 2000}
# Around the changes of the clock in Europe and America, the end of a year, and a leap day.
FIRST_DAYS = ["2024-03-20", "2024-10-20", "2023-12-27", "2024-01-25", "2020-02-29", "2023-05-31"]
# Midnight, the microsecond before it, hours that the change of the clock skips or doubles.
CLOCK_TIMES = [
    timedelta(),
    timedelta(hours=24, microseconds=-1),
    timedelta(hours=1, minutes=30),
    timedelta(hours=2),
    timedelta(hours=2, minutes=30),
    timedelta(hours=3),
    timedelta(hours=12),
    timedelta(hours=23, minutes=15),
]
ZONES = ["Europe/Berlin", "America/New_York", "UTC"]

examples = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=n_examples(40, quick=10),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# --- random events and random options -------------------------------------------


@dataclass(frozen=True)
class Times:
    """How the times of one example are made: on which days, and of which type."""

    first: date
    days: int
    kind: str  # "date", "naive", or the zone of an aware column

    def draw(self, draw: st.DrawFn, extra: int = 0) -> date | datetime:
        """Return one time out of the span, or up to `extra` days after it."""
        day = self.first + timedelta(days=draw(st.integers(0, self.days + extra)))
        if self.kind == "date":
            return day
        wall = datetime.fromisoformat(day.isoformat()) + draw(st.sampled_from(CLOCK_TIMES))
        if self.kind == "naive":
            return wall
        wall = wall.replace(tzinfo=ZoneInfo(self.kind), fold=draw(st.integers(0, 1)))
        # Through UTC, so that an hour which the clock skips becomes one that exists.
        return wall.astimezone(UTC).astimezone(ZoneInfo(self.kind))


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Row], dict[str, Any]]:
    """Return events and options: every option of `cohort_retention`, in any combination."""
    options: dict[str, Any] = {
        "period": draw(st.sampled_from(PERIODS)),
        "cohort_period": draw(st.sampled_from(PERIODS)),
        "clock": draw(st.sampled_from(["calendar", "elapsed"])),
        "counting": draw(st.sampled_from(["on", "on_or_after", "on_or_before", "every"])),
        "week_start": draw(st.sampled_from(["monday", "sunday"])),
        "min_events": draw(st.sampled_from([1, 1, 1, 2, 3])),
        "min_customers": draw(st.sampled_from([1, 1, 1, 2])),
        "include_partial": draw(st.booleans()),
        "confidence_level": draw(st.sampled_from([0.95, 0.8])),
    }
    shorter = min(options["period"], options["cohort_period"], key=PERIODS.index)
    first = date.fromisoformat(draw(st.sampled_from(FIRST_DAYS)))
    kind = draw(st.sampled_from(["naive", "date", *ZONES]))
    times = Times(first, SPAN[shorter], kind)
    rows = draw(events(times))

    if draw(st.booleans()):
        options["amount"] = "amount"
    if draw(st.booleans()):
        options["brackets"] = sorted(draw(st.sets(st.integers(0, 8), min_size=2, max_size=4)))
    if draw(st.booleans()):
        options["returned"] = "returned"
    start = draw(st.sampled_from(["first", "recurring", "cohort_time"]))
    if start == "cohort_time":
        options["cohort_time"] = "sign_up"
    else:
        options["entry"] = start
        if draw(st.booleans()):
            options["started"] = "started"
    options["by"] = draw(st.sampled_from([[], ["plan"], ["team", "plan"], ["plan", "country"]]))
    if kind in ZONES and draw(st.booleans()):
        options["tz"] = draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        as_of = times.draw(draw, extra=SPAN[shorter] // 2)
        options["as_of"] = as_of if draw(st.booleans()) else as_of.isoformat()
    return rows, options


@st.composite
def events(draw: st.DrawFn, times: Times | None = None) -> list[Row]:
    """Return events of a few customers. `team` and `sign_up` belong to the customer."""
    times = times or Times(date(2023, 12, 27), SPAN["month"], "naive")
    customers = {
        who: {
            "customer_id": who,
            "team": draw(st.sampled_from(["a", "b", None])),
            "sign_up": times.draw(draw),
        }
        for who in range(draw(st.integers(1, 6)))
    }
    count = draw(st.integers(1, 30))
    return [
        customers[draw(st.sampled_from(sorted(customers)))]
        | {
            "time": times.draw(draw),
            "amount": float(draw(st.integers(-20, 100))),
            "plan": draw(st.sampled_from(["pro", "free", None])),
            "country": draw(st.sampled_from([7, 30])),
            "started": draw(st.booleans()),
            "returned": draw(st.sampled_from([True, True, False])),
        }
        for _ in range(count)
    ]


def in_pandas(rows: list[Row]) -> pd.DataFrame:
    """Return a pandas frame: aware times keep their zone, dates are dates of Arrow."""
    frame = pd.DataFrame(rows)
    for name in ("time", "sign_up"):
        frame[name] = in_polars(rows)[name].to_pandas(use_pyarrow_extension_array=True)
        if frame[name].dtype != pd.ArrowDtype(pa.date32()):
            zone = getattr(rows[0][name], "tzinfo", None)
            frame[name] = frame[name].astype(  # type: ignore[call-overload]
                f"datetime64[us, {zone}]" if zone else "datetime64[us]"
            )
    return frame


def in_polars(rows: list[Row]) -> pl.DataFrame:
    """Return a Polars frame: aware times keep their zone."""
    columns: dict[str, pl.Series] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        zone = getattr(values[0], "tzinfo", None)
        if zone is None:
            columns[name] = pl.Series(name, values, strict=True)
        else:
            utc = [value.astimezone(UTC) for value in values]
            columns[name] = pl.Series(name, utc).dt.convert_time_zone(str(zone))
    return pl.DataFrame(list(columns.values()))


def in_polars_lazily(rows: list[Row]) -> pl.LazyFrame:
    return in_polars(rows).lazy()


def table(frame: Any, **options: Any) -> list[Row]:
    """Return the library's table; what it sets aside, it says, and here that is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", retainkit.RetainkitWarning)
        return rows_of(retainkit.cohort_retention(frame, amounts="keep", **options))


# --- agreement with the oracle --------------------------------------------------


@pytest.mark.parametrize("make", [in_pandas, in_polars_lazily])
@settings(examples, max_examples=n_examples(150, quick=15))
@given(question=questions())
def test_the_library_agrees_with_the_oracle(
    make: Callable[[list[Row]], Any], question: tuple[list[Row], dict[str, Any]]
) -> None:
    rows, options = question
    assert_rows(table(make(rows), **options), oracles.cohort_retention(rows, **options))


@examples
@given(question=questions(), average=st.sampled_from(["pooled", "simple", "chained"]))
def test_the_curve_agrees_with_the_oracle(
    question: tuple[list[Row], dict[str, Any]], average: Any
) -> None:
    rows, options = question
    expected = oracles.retention_curve(oracles.cohort_retention(rows, **options), average)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", retainkit.RetainkitWarning)
        cells = retainkit.cohort_retention(in_pandas(rows), amounts="keep", **options)
        curve = rows_of(retainkit.retention_curve(cells, average=average))
    assert_rows([{name: row[name] for name in expected[0]} for row in curve], expected)


# --- what must always hold ------------------------------------------------------

PLAIN = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["week", "month", "quarter"]),
        "cohort_period": st.sampled_from(["month", "quarter"]),
        "clock": st.sampled_from(["calendar", "elapsed"]),
        "entry": st.sampled_from(["first", "recurring"]),
        "brackets": st.sampled_from([None, None, (0, 1, 3, 6), (1, 2, 5)]),
    }
)


@pytest.mark.slow
@examples
@given(rows=events(), options=PLAIN, min_events=st.integers(1, 2))
def test_the_ways_of_counting_are_ordered(
    rows: list[Row], options: dict[str, Any], min_events: int
) -> None:
    on, after, before, every = (
        table(in_pandas(rows), **options, min_events=min_events, counting=counting)
        for counting in ("on", "on_or_after", "on_or_before", "every")
    )
    for here, later, earlier, streak in zip(on, after, before, every, strict=True):
        assert streak["retained"] <= here["retained"] <= later["retained"] <= here["eligible"]
        assert here["retained"] <= earlier["retained"] <= here["eligible"] <= here["customers"]


@examples
@given(rows=events(), options=PLAIN)
def test_on_or_after_falls_with_age(rows: list[Row], options: dict[str, Any]) -> None:
    cells = table(in_pandas(rows), **options, counting="on_or_after")
    for before, after in pairwise(cells):
        if before["cohort"] == after["cohort"]:
            assert after["retained"] <= before["retained"]
            assert after["eligible"] <= before["eligible"]


@examples
@given(rows=events(), options=PLAIN, counting=st.sampled_from(["on", "on_or_after", "every"]))
def test_segments_add_up_to_the_whole(
    rows: list[Row], options: dict[str, Any], counting: str
) -> None:
    options = options | {"counting": counting, "amount": "amount"}
    whole, parts = (table(in_pandas(rows), **options, by=by) for by in ([], "team"))  # type: ignore[var-annotated]
    for row in whole:
        same = [
            part for part in parts if (part["cohort"], part["age"]) == (row["cohort"], row["age"])
        ]
        for name in ("eligible", "retained", "amount"):
            assert row[name] == sum(part[name] for part in same), (name, row)
        # A segment in which nobody is eligible yet has no row.
        customers = sum(part["customers"] for part in same)
        assert customers == row["customers"] if row["complete"] else customers <= row["customers"]
    # A cohort that is empty in a segment shows the ages of its first instant, which in the
    # whole may be later ages than those of its customers: such rows are 0 of 0.
    cells = {(row["cohort"], row["age"]) for row in whole}
    extra = [part for part in parts if (part["cohort"], part["age"]) not in cells]
    assert all(part["customers"] == 0 for part in extra)


@examples
@given(rows=events(), options=PLAIN)
def test_segments_together_are_segments_apart(rows: list[Row], options: dict[str, Any]) -> None:
    options = options | {"as_of": "2024-12-01"}
    together = table(in_pandas(rows), **options, by="team")
    apart = []
    for team in ("a", "b", None):
        mine = [row for row in rows if row["team"] == team]
        if mine:
            apart += [{"team": team} | row for row in table(in_pandas(mine), **options)]
    assert_rows(together, apart)


@examples
@given(rows=events(), options=PLAIN, data=st.data())
def test_row_order_index_and_duplicates_change_nothing(
    rows: list[Row], options: dict[str, Any], data: st.DataObject
) -> None:
    twice = data.draw(st.lists(st.sampled_from(rows)))
    shuffled = data.draw(st.permutations([*rows, *twice]))
    frame = in_pandas(shuffled).set_index(pd.Index([len(shuffled) // 2] * len(shuffled)))
    assert_rows(table(frame, **options), table(in_pandas(rows), **options))


def categorical(ids: list[int]) -> pd.Categorical:
    return pd.Categorical(  # type: ignore[return-value]
        [f"c{who}" for who in ids], categories=[f"c{who}" for who in range(9, -1, -1)]
    )


IDS: dict[str, Callable[[list[int]], Any]] = {
    "sparse": lambda ids: [(-1) ** who * 9_007_199_254_740_993 * who for who in ids],
    "int8": lambda ids: pd.array([who - 3 for who in ids], dtype="int8"),
    "uint64": lambda ids: pd.array([2**64 - 1 - who for who in ids], dtype="uint64"),
    "Int64": lambda ids: pd.array(ids, dtype="Int64"),
    "text": lambda ids: [f"c{who}" for who in ids],
    "string": lambda ids: pd.array([" " * who for who in ids], dtype="string"),
    "arrow": lambda ids: pd.array(ids, dtype=pd.ArrowDtype(pa.int32())),  # type: ignore[call-overload]
    "uuid": lambda ids: [uuid.UUID(int=who * 2**90) for who in ids],
    "categorical": categorical,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", IDS)
@settings(examples, max_examples=n_examples(8, quick=4))
@given(rows=events(), options=PLAIN)
def test_the_type_of_the_ids_changes_nothing(
    kind: str, rows: list[Row], options: dict[str, Any]
) -> None:
    frame = in_pandas(rows)
    renamed = frame.assign(customer_id=IDS[kind]([row["customer_id"] for row in rows]))
    assert_rows(table(renamed, **options), table(frame, **options))


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["c9", *(f"c{i}" for i in range(6))])])
@settings(examples, max_examples=n_examples(8, quick=4))
@given(rows=events(), options=PLAIN)
def test_categories_in_polars_change_nothing(
    dtype: Any, rows: list[Row], options: dict[str, Any]
) -> None:
    frame = in_polars(rows)
    names = ("c" + pl.col("customer_id").cast(pl.String)).cast(dtype)
    assert_rows(table(frame.with_columns(customer_id=names), **options), table(frame, **options))


@settings(examples, max_examples=n_examples(20, quick=6))
@given(question=questions())
def test_the_input_is_not_changed(question: tuple[list[Row], dict[str, Any]]) -> None:
    rows, options = question
    frame = in_pandas(rows).set_index(pd.RangeIndex(5, 5 + len(rows)))
    before = frame.copy(deep=True)
    table(frame, **options)
    pd.testing.assert_frame_equal(frame, before)
    for column in before:
        assert frame[column].dtype == before[column].dtype


@settings(examples, max_examples=n_examples(20, quick=6))
@given(rows=events(), options=PLAIN, customers=st.integers(1, 3))
def test_min_customers_only_leaves_cohorts_out(
    rows: list[Row], options: dict[str, Any], customers: int
) -> None:
    whole = table(in_pandas(rows), **options)
    kept = [row for row in whole if row["customers"] >= customers or customers == 1]
    assert_rows(table(in_pandas(rows), **options, min_customers=customers), kept)


@settings(examples, max_examples=n_examples(20, quick=6))
@given(question=questions())
def test_include_partial_only_adds_rows(question: tuple[list[Row], dict[str, Any]]) -> None:
    rows, options = question
    without, with_ = (
        table(in_pandas(rows), **options | {"include_partial": yes}) for yes in (False, True)
    )
    added = [row for row in with_ if row not in without]
    assert [row for row in with_ if row in without] == without
    assert all(not row["complete"] and row["lower"] is None for row in added)
