"""The edge cases in which naive pandas is wrong, one test each.

Each says what the naive code gives and what is right. Expected values by hand.
"""

import copy
import itertools
import uuid
import warnings
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retainkit import cohort_retention, retention_curve
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of, triangle

DAILY: dict[str, Any] = {"cohort_period": "day", "period": "day"}
WEEKLY: dict[str, Any] = {"cohort_period": "week", "period": "week"}


def log(*histories: Sequence[str], tz: str | None = None) -> pd.DataFrame:
    """Return the events of customers 0, 1, 2 ...: the times of each as text."""
    pairs = [(who, text) for who, texts in enumerate(histories) for text in texts]
    times = pd.to_datetime([text for _, text in pairs], format="ISO8601").as_unit("us")
    if tz is not None:
        times = times.tz_localize(tz)
    return pd.DataFrame({"customer_id": [who for who, _ in pairs], "time": times})


def table(events: Any, **options: Any) -> list[Row]:
    return rows_of(cohort_retention(events, **options))


def retained(events: Any, **options: Any) -> dict[date, list[int]]:
    return triangle(table(events, **options))


def returns(events: Any, **options: Any) -> list[int]:
    """Return the ages at which anybody of the first cohort came back, 0 left out."""
    first = next(iter(retained(events, **options).values()))
    return [age for age, count in enumerate(first) if age and count]


def test_months_are_not_30_days() -> None:
    # 31 January to 1 March 2023 is 29 days: 0 months of 30 or 30.44 days.
    events = log(["2023-01-31", "2023-03-01"])
    assert returns(events, as_of="2023-06-01") == [2]  # calendar months
    assert returns(events, as_of="2023-06-01", clock="elapsed") == [1]  # completed months


def test_months_are_stepped_from_the_anchor() -> None:
    # Chained steps from 31 January would drift to 29 March and 29 April.
    elapsed = {"clock": "elapsed", "as_of": "2024-07-01"}
    ages = {"2024-02-28": 0, "2024-02-29": 1, "2024-03-30": 1, "2024-03-31": 2}
    ages |= {"2024-04-29": 2, "2024-04-30": 3}
    for back, age in ages.items():
        assert returns(log(["2024-01-31", back]), **elapsed) == [age] * bool(age)


def test_the_end_of_an_elapsed_month_is_clipped_too() -> None:
    # From 31 January: age 0 is over on 29 February, age 1 on 31 March, age 2 on 30 April.
    events = log(["2024-01-31"])
    for as_of, ages in {"2024-02-28": 0, "2024-02-29": 1, "2024-03-30": 1, "2024-03-31": 2}.items():
        cells = table(events, clock="elapsed", as_of=as_of)
        assert [row["age"] for row in cells if row["customers"]] == list(range(ages))


def test_weeks_are_dated_by_their_monday() -> None:
    # Year and ISO week of 1 January 2021 would read "2021-W53", of 30 December 2024 "2024-W1".
    for day, monday in {
        "2021-01-01": date(2020, 12, 28),
        "2024-12-30": date(2024, 12, 30),
        "2025-01-01": date(2024, 12, 30),
        "2027-01-03": date(2026, 12, 28),
    }.items():
        assert list(retained(log([day]), cohort_period="week", period="day")) == [monday]


def test_weeks_are_not_subtracted_by_number() -> None:
    # Week 53 of 2020 to week 1 of 2021 is one week, not -52, nor 4294967244 in UInt32.
    events = log(["2020-12-30", "2021-01-06"])
    assert retained(events, **WEEKLY, as_of="2021-01-11") == {
        date(2020, 12, 28): [1, 1],
        date(2021, 1, 4): [0],
    }


def test_the_week_starts_where_one_says() -> None:
    # Sunday 7 and Monday 8 January 2024: two weeks from Monday on, one from Sunday on.
    events = log(["2024-01-07", "2024-01-08"])
    as_of = "2024-01-22"
    monday, sunday = (
        retained(events, **WEEKLY, as_of=as_of, week_start=day) for day in ("monday", "sunday")
    )
    assert next(iter(monday.items())) == (date(2024, 1, 1), [1, 1, 0])
    assert next(iter(sunday.items())) == (date(2024, 1, 7), [1, 0])
    with pytest.raises(ArgumentError, match="week_start"):
        cohort_retention(events, week_start="Mon")  # type: ignore[arg-type]


def test_daylight_saving() -> None:
    # Berlin springs forward on 31 March 2024: 23:30 to 23:15 is 22 h 45, the next calendar day.
    # It falls back on 27 October: 23:30 to 23:15 is 24 h 45, the next day in both. From
    # midnight to midnight over the short day are 23 h: `(normalize diff).dt.days` says 0.
    for start, back, calendar, elapsed in [
        ("2024-03-30 23:30", "2024-03-31 23:15", [1], []),
        ("2024-10-26 23:30", "2024-10-27 23:15", [1], [1]),
        ("2024-03-31 00:00", "2024-04-01 00:00", [1], []),
    ]:
        events = log([start, back], tz="Europe/Berlin")
        as_of = "2024-12-01"
        assert returns(events, **DAILY, as_of=as_of) == calendar
        assert returns(events, **DAILY, as_of=as_of, clock="elapsed") == elapsed


def test_a_day_without_midnight() -> None:
    # Santiago went from 23:59:59 on 7 September 2024 to 1:00 on the 8th: that day has no 0:00.
    events = log(
        ["2024-09-07 23:30", "2024-09-08 01:00", "2024-09-09 00:00"], tz="America/Santiago"
    )
    assert retained(events, **DAILY, as_of="2024-09-10") == {
        date(2024, 9, 7): [1, 1, 1],
        date(2024, 9, 8): [0, 0],
        date(2024, 9, 9): [0],
    }


def test_periods_are_cut_in_the_zone_one_names() -> None:
    # 1 February 2024, 3:00 UTC is 31 January, 19:00 in Los Angeles.
    events = log(["2024-02-01 03:00"], tz="UTC")
    assert list(retained(events, as_of="2024-03-02")) == [date(2024, 2, 1)]
    zone = "America/Los_Angeles"
    months = [date(2024, 1, 1), date(2024, 2, 1)]
    assert list(retained(events, as_of="2024-03-02", tz=zone)) == months
    assert list(retained(log(["2024-02-01 03:00"], tz="UTC"), tz=zone)) == months[:1]
    there = events.assign(time=events["time"].dt.tz_convert(zone))
    assert list(retained(there, as_of="2024-03-02")) == months


def test_naive_and_aware_are_never_mixed() -> None:
    naive, aware = log(["2024-02-01"]), log(["2024-02-01"], tz="UTC")
    with pytest.raises(ValueError, match="tz"):
        cohort_retention(naive, tz="America/Los_Angeles")
    with pytest.raises(ValueError, match="as_of"):
        cohort_retention(naive, as_of=datetime.fromisoformat("2024-03-01T00:00+00:00"))
    mixed = aware.assign(sign_up=naive["time"])
    with pytest.raises(ValueError, match="cohort_time"):
        cohort_retention(mixed, cohort_time="sign_up")


@pytest.mark.parametrize("column", ["time", "customer_id"])
def test_null_times_and_ids(column: str) -> None:
    # Two nulls. Dropped from the anchor they must be dropped everywhere; a merge would match
    # null to null and make 6 rows of 4.
    events = log(["2024-01-01", "2024-02-01"], ["2024-01-03"], ["2024-02-02"])
    events["customer_id"] = events["customer_id"].astype("string")
    events.loc[[1, 3], column] = None
    with pytest.raises(ValueError, match=r"(?s)2.*missing"):
        cohort_retention(events)
    with pytest.warns(RetainkitWarning, match="2"):
        cells = retained(events, missing="drop", as_of="2024-03-01")
    assert cells == {date(2024, 1, 1): [2, 0], date(2024, 2, 1): [0]}


def test_duplicate_events() -> None:
    # A customer counts once in a period however many rows there are; amounts add up, because
    # two equal rows may be two purchases.
    events = log(["2024-01-01", "2024-02-01", "2024-02-01", "2024-02-03"], ["2024-01-01"])
    events["amount"] = [1.0, 10.0, 10.0, 5.0, 2.0]
    cells = table(events, amount="amount", as_of="2024-03-01")
    january = cells[:2]
    assert [row["retained"] for row in january] == [2, 1]
    assert [row["amount"] for row in january] == [3.0, 25.0]
    assert [row["amount_per_customer"] for row in january] == [1.5, 12.5]


def test_what_has_not_happened_has_no_row() -> None:
    # `fillna(0)` would show the March of the February cohort as lost.
    events = log(["2024-01-05", "2024-02-05"], ["2024-02-07"])
    assert retained(events, as_of="2024-03-01") == {date(2024, 1, 1): [1, 1], date(2024, 2, 1): [1]}


def test_an_observed_zero_is_a_zero_in_the_mean() -> None:
    # One of 4 came back, then none of 4: 12.5 %. After `unstack` the zero is NaN: 25 %.
    january = log(["2024-01-01", "2024-02-01"], *[["2024-01-01"]] * 3)
    february = log(*[["2024-02-01"]] * 4).assign(customer_id=[10, 11, 12, 13])
    cells = cohort_retention(pd.concat([january, february]), as_of="2024-04-01")
    assert triangle(rows_of(cells))[date(2024, 2, 1)] == [4, 0]
    curve = rows_of(retention_curve(cells, average="simple"))
    assert curve[1]["retention"] == 0.125
    assert curve[1]["cohorts"] == 2


def test_a_month_without_activity_keeps_its_column() -> None:
    # The column 1 would be missing, and 2 move into its place.
    events = log(["2024-01-05", "2024-03-05"])
    assert retained(events, as_of="2024-04-01")[date(2024, 1, 1)] == [1, 0, 1]


def test_a_month_without_new_customers() -> None:
    # Nobody starts in February: rows of 0 of 0, whose rate is undefined and in no mean.
    cells = cohort_retention(log(["2024-01-05"], ["2024-03-05"]), as_of="2024-04-01")
    february = [row for row in rows_of(cells) if row["cohort"] == date(2024, 2, 1)]
    for age, row in enumerate(february):
        assert row == {
            "cohort": date(2024, 2, 1),
            "age": age,
            "customers": 0,
            "eligible": 0,
            "retained": 0,
            "retention": None,
            "lower": None,
            "upper": None,
            "complete": True,
        }
    assert len(february) == 2
    curve = rows_of(retention_curve(cells, average="simple"))
    assert [(row["cohorts"], row["retention"]) for row in curve] == [(2, 1), (1, 0), (1, 0)]


def test_age_0_below_100_percent() -> None:
    # Four sign up, one buys in the same month, two in the next: 1/4 and 2/4, not 1 and 2.
    events = log(
        ["2024-01-01", "2024-01-20"],
        ["2024-01-02", "2024-02-20"],
        ["2024-01-03", "2024-02-21"],
        ["2024-01-04"],
    ).assign(buys=[False, True, False, True, False, True, False])
    events["signs_up"] = ~events["buys"]
    cells = table(events, started="signs_up", returned="buys", as_of="2024-03-01")
    assert [row["retention"] for row in cells[:2]] == [0.25, 0.5]
    assert [row["customers"] for row in cells[:2]] == [4, 4]


def test_gaps_in_activity() -> None:
    # Active in January and April: not in between, unless one asks for "on or after".
    events = log(["2024-01-05", "2024-04-05"])
    january = date(2024, 1, 1)
    expected = {
        "on": [1, 0, 0, 1],
        "on_or_after": [1, 1, 1, 1],
        "on_or_before": [1, 1, 1, 1],
        "every": [1, 0, 0, 0],
    }
    for counting, cells in expected.items():
        assert retained(events, counting=counting, as_of="2024-05-01")[january] == cells


def test_unsorted_rows() -> None:
    # `groupby.first()` takes the first row, 1 March, for the start.
    events = log(["2024-03-01", "2024-01-01", "2024-02-01"]).set_index(pd.Index([7, 7, 3]))
    assert retained(events)[date(2024, 1, 1)] == [1, 1]
    assert retained(events, as_of="2024-04-01")[date(2024, 1, 1)] == [1, 1, 1]


def test_large_integer_ids_stay_apart() -> None:
    # As float64, which int64 with a null becomes, these two are one customer.
    events = log(["2024-01-01"], ["2024-01-02"], ["2024-01-03"])
    ids = [9007199254740993, 9007199254740992, None]
    with_null = events.assign(customer_id=pd.array(ids, dtype="Int64"))
    assert retained(with_null[:2], as_of="2024-02-01") == {date(2024, 1, 1): [2]}
    assert retained(with_null[:2].astype({"customer_id": "int64"}), as_of="2024-02-01") == {
        date(2024, 1, 1): [2]
    }
    with pytest.warns(RetainkitWarning, match="1"):
        cells = retained(with_null, as_of="2024-02-01", missing="drop")
    assert cells == {date(2024, 1, 1): [2]}


def test_string_and_uuid_ids() -> None:
    # "a" and "a " are two customers, since nothing is trimmed in silence; UUIDs are ids.
    events = log(["2024-01-01"], ["2024-01-02"], ["2024-01-03"], ["2024-01-04"])
    who = [uuid.UUID(int=5), uuid.UUID(int=6), uuid.UUID(int=5), uuid.UUID(int=7)]
    for ids in (["a", "a ", "A", "a"], who):
        assert retained(events.assign(customer_id=ids), as_of="2024-02-01") == {  # type: ignore[arg-type]
            date(2024, 1, 1): [3]
        }


def test_unused_categories_are_no_customers_and_no_segments() -> None:
    # `observed=False` makes 12 groups of 2.
    events = log(["2024-01-01", "2024-02-01"], ["2024-01-02"])
    events["customer_id"] = pd.Categorical([0, 0, 1], categories=[3, 0, 2, 1])
    events["plan"] = pd.Categorical(["pro", "pro", "free"], categories=["x", "pro", "y", "free"])
    cells = table(events, by="plan", as_of="2024-03-01")
    shown = sorted((row["plan"], row["cohort"].month, row["age"], row["retained"]) for row in cells)
    free = [("free", 1, 0, 1), ("free", 1, 1, 0), ("free", 2, 0, 0)]
    assert shown == [*free, ("pro", 1, 0, 1), ("pro", 1, 1, 1), ("pro", 2, 0, 0)]


@pytest.mark.parametrize(
    ("cohort_period", "period", "as_of"),
    [
        ("month", "week", "2024-02-01"),  # a Thursday: February begins, and no week does
        ("week", "month", "2024-01-29"),  # a Monday: a week begins, and no month does
        ("quarter", "week", "2024-10-01"),
    ],
)
@pytest.mark.parametrize("clock", ["calendar", "elapsed"])
def test_a_cohort_that_begins_at_as_of_has_no_row(
    cohort_period: str, period: str, as_of: str, clock: str
) -> None:
    found = table(
        log(["2024-01-05", "2024-01-12"]),
        cohort_period=cohort_period,
        period=period,
        clock=clock,
        as_of=as_of,
        include_partial=True,
    )
    assert max(row["cohort"] for row in found) < date.fromisoformat(as_of)


def test_periods_are_half_open() -> None:
    # The last microsecond of January is January, midnight is February; `<= '2024-01-31'` loses
    # the one and `<= '2024-02-01'` counts the other.
    last, midnight = "2024-01-31T23:59:59.999999", "2024-02-01T00:00:00"
    cells = retained(log([last], [midnight], [last, midnight]), as_of="2024-03-01")
    assert cells == {date(2024, 1, 1): [2, 1], date(2024, 2, 1): [1]}
    # A row at `as_of` itself is after it; the period which ends there is over.
    with pytest.warns(RetainkitWarning, match="2"):
        cells = retained(log([last], [midnight], [last, midnight]), as_of=midnight)
    assert cells == {date(2024, 1, 1): [2]}


def test_as_of_inside_a_period() -> None:
    # 10 February: the January customers are not lost yet. The period in progress stands apart.
    events = log(["2024-01-05", "2024-02-03"], ["2024-01-09"], ["2024-02-04"])
    whole = cohort_retention(events, as_of="2024-02-10")
    assert triangle(rows_of(whole)) == {date(2024, 1, 1): [2]}
    cells = table(events, as_of="2024-02-10", include_partial=True)
    shown = ("cohort", "age", "customers", "eligible", "retained", "retention", "complete")
    january, february = date(2024, 1, 1), date(2024, 2, 1)
    assert [tuple(row[name] for name in shown) for row in cells] == [
        (january, 0, 2, 2, 2, 1.0, True),
        (january, 1, 2, 2, 1, 0.5, False),
        (february, 0, 1, 1, 1, 1.0, False),
    ]
    assert [row["lower"] is None for row in cells] == [False, True, True]


def test_rows_beyond_as_of() -> None:
    # Dated in the future, they enter no cohort and are no return: dropped, with their count.
    events = log(["2024-01-05", "2024-02-03", "2030-01-01"], ["2031-01-01"])
    with pytest.warns(RetainkitWarning, match="2"):
        cells = retained(events, as_of="2024-03-01")
    assert cells == {date(2024, 1, 1): [1, 1], date(2024, 2, 1): [0]}


def test_average_of_ratios_and_ratio_of_sums() -> None:
    # 1 of 4 and 1 of 1: pooled 2/5, simple 5/8. The column says which.
    events = pd.concat(
        [
            log(["2024-01-01", "2024-02-01"], *[["2024-01-01"]] * 3),
            log(["2024-02-01", "2024-03-01"]).assign(customer_id=9),
        ]
    )
    cells = cohort_retention(events, as_of="2024-04-01")
    default, pooled, simple = (
        rows_of(retention_curve(cells, **options))[1]  # type: ignore[arg-type]
        for options in ({}, {"average": "pooled"}, {"average": "simple"})
    )
    assert default == pooled
    assert (pooled["retention"], pooled["average"]) == (0.4, "pooled")
    assert (simple["retention"], simple["average"]) == (0.625, "simple")


def test_the_segment_is_the_one_at_the_start() -> None:
    # The latest value would put the one who upgraded in "pro" from birth, and make it look
    # as if "pro" retained and "free" did not.
    events = log(["2024-01-05", "2024-02-05"], ["2024-01-06"])
    events["plan"] = ["free", "pro", "free"]
    cells = table(events, by="plan", as_of="2024-03-01")
    assert {row["plan"] for row in cells} == {"free"}
    assert [row["retained"] for row in cells[:2]] == [2, 1]


def test_a_log_that_starts_mid_history() -> None:
    # Customers of last year would all be "new" in January, the first month of the log.
    events = log(["2024-01-05", "2024-02-05"], ["2024-01-09"], ["2024-02-07"])
    events["sign_up"] = pd.to_datetime(["2023-11-20"] * 2 + ["2024-01-02"] + ["2024-02-01"])
    with pytest.warns(RetainkitWarning, match="1 customer with a start before 2024-01-01"):
        cells = table(events, cohort_time="sign_up", as_of="2024-03-01")
    # Nobody has seen November and December: a zero there would be no observed one.
    assert [(row["cohort"], row["age"], row["retained"]) for row in cells] == [
        (date(2023, 11, 1), 2, 1),
        (date(2023, 11, 1), 3, 1),
        (date(2023, 12, 1), 1, 0),
        (date(2023, 12, 1), 2, 0),
        (date(2024, 1, 1), 0, 1),
        (date(2024, 1, 1), 1, 0),
        (date(2024, 2, 1), 0, 1),
    ]


def test_the_grid_runs_to_as_of() -> None:
    # The last row is of February, but March and April were observed: nobody came.
    events = log(["2024-01-05", "2024-02-05"])
    assert retained(events, as_of="2024-05-01") == {
        date(2024, 1, 1): [1, 1, 0, 0],
        date(2024, 2, 1): [0, 0, 0],
        date(2024, 3, 1): [0, 0],
        date(2024, 4, 1): [0],
    }


@pytest.mark.parametrize("alias", ["M", "ME", "MS", "W-SUN", "D", "months", "Month"])
def test_periods_are_words(alias: str) -> None:
    # pandas' aliases differ from version to version; ours are words, and say which.
    for argument in ("period", "cohort_period"):
        with pytest.raises(ArgumentError, match=f"(?s){argument}.*month"):
            cohort_retention(log(["2024-01-05"]), **{argument: alias})  # type: ignore[arg-type]


def test_the_callers_frame_and_settings() -> None:
    events = log(["2024-03-05", "2024-02-05"], ["2024-01-31"]).set_index(pd.Index([3, 3, 1]))
    events["plan"] = pd.Categorical(["a", "b", "a"], categories=["c", "b", "a"])
    before, types = copy.deepcopy(events), dict(events.dtypes)
    state = [list(warnings.filters), np.geterr(), pd.get_option("display.max_rows")]
    cells = cohort_retention(events, by="plan", include_partial=True, as_of="2024-03-15")
    retention_curve(cells)
    pd.testing.assert_frame_equal(events, before)
    assert dict(events.dtypes) == types
    assert [list(warnings.filters), np.geterr(), pd.get_option("display.max_rows")] == state


EMPTY = {"customer_id": pa.int64(), "time": pa.timestamp("us"), "plan": pa.string()} | {
    "amount": pa.float64()
}


def types_of(frame: Any) -> list[Any]:
    return frame.schema.types if isinstance(frame, pa.Table) else [*frame.dtypes]


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize(("by", "brackets", "amount"), [*itertools.product([0, 1], repeat=3)])
def test_an_empty_frame(kind: str, by: int, brackets: int, amount: int) -> None:
    nothing = pa.table({name: pa.array([], kind_) for name, kind_ in EMPTY.items()})
    makers = {"pandas": pa.Table.to_pandas, "polars": pl.from_arrow, "pyarrow": lambda table: table}
    options: dict[str, Any] = {"by": "plan"} if by else {}
    options |= {"brackets": (0, 1, 4)} if brackets else {}
    options |= {"amount": "amount"} if amount else {}
    empty = cohort_retention(makers[kind](nothing), **options)
    assert type(empty) is type(makers[kind](nothing))
    have = empty if kind == "pyarrow" else pa.table(empty)
    ages = ["age", "age_end"] if brackets else ["age"]
    numbers = ["customers", "eligible", "retained", "retention", "lower", "upper", "complete"]
    amounts = ["amount", "amount_per_customer"] if amount else []
    assert have.column_names == ["plan"] * by + ["cohort", *ages, *numbers, *amounts]
    assert have.num_rows == 0
    # The types are those of a result with rows.
    one = [[5], [datetime.fromisoformat("2024-01-05")], ["pro"], [2.5]]
    row = pa.table({name: pa.array(v, EMPTY[name]) for name, v in zip(EMPTY, one, strict=True)})
    full = cohort_retention(makers[kind](row), **options, as_of="2025-01-01")
    assert types_of(empty) == types_of(full)
    assert rows_of(full)[0]["customers"] == 1
