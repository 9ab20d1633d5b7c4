"""The reader of declared columns, by which all input tables are read."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import count_true, read_facts, without_nulls
from retainkit._inputs.kinds import AMOUNT, COUNT, FLAG, ID, NUMBER, SEGMENT, TIME
from retainkit._inputs.observation import moments_of, observed_until
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
)

on = datetime.fromisoformat
VISITS = (
    Column("customer", ID),
    Column("time", TIME, observed=True),
    Column("until", TIME, nulls="keep", required=False, like="time"),
    Column("paid", AMOUNT, nulls="refuse", required=False),
    Column("rating", NUMBER, name="stars", nulls="keep", required=False),
)
NAMES = {"customer": "who", "time": "at", "until": "left", "paid": "paid", "rating": "rating"}
TABLE = {
    "who": [1.0, 2.0, None],
    "at": [on("2024-01-01T09:00"), on("2024-01-02"), on("2024-01-03")],
    "left": [None, on("2024-01-05"), None],
    "paid": [1.5, 2.5, 3.5],
    "rating": [5.0, float("nan"), 3.0],
    "plan": ["a", None, "a"],
}


def visits(native: Any, **options: Any) -> CheckedTable:
    return read_columns(native, "visits", VISITS, NAMES, **options)


def polars(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame(TABLE | columns)


# --- columns ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame, pd.DataFrame])
def test_columns_get_their_own_names_and_common_types(kind: Any) -> None:
    table = visits(kind(TABLE), by="plan")
    schema = table.rows.collect_schema()
    assert table.columns == ["customer", "time", "until", "paid", "stars", "by_0"]
    assert (table.by, table.keys) == (("plan",), ["by_0"])
    assert schema["paid"] == schema["stars"] == nw.Float64
    assert schema["time"] == schema["until"]
    assert table.names == NAMES
    assert table.zone is None


def test_an_optional_column_that_is_not_named_is_left_out() -> None:
    names = NAMES | {"paid": None, "until": None}
    table = read_columns(polars(), "visits", VISITS, names)
    assert table.columns == ["customer", "time", "stars"]


def test_dates_that_are_ids_stay_dates() -> None:
    days = [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)]
    assert visits(polars(who=days)).rows.collect_schema()["customer"] == nw.Date


def test_decimals_are_numbers() -> None:
    rows = visits(polars(paid=[Decimal("1.5"), Decimal("2.5"), None])).rows
    assert isinstance(rows, nw.DataFrame)
    assert rows["paid"].to_list() == [1.5, 2.5, None]


def test_nan_is_null() -> None:
    rows = visits(pl.DataFrame(TABLE)).rows
    assert isinstance(rows, nw.DataFrame)
    assert rows["stars"].to_list() == [5.0, None, 3.0]


def test_dates_and_times_of_several_units_get_one_unit() -> None:
    dates = [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)]
    left = pl.Series(TABLE["left"], dtype=pl.Datetime("ns"))  # type: ignore[arg-type]
    schema = visits(polars(at=dates, left=left)).rows.collect_schema()
    assert schema["time"] == schema["until"] == nw.Datetime("us")


def test_times_of_several_zones_are_instants_in_the_zone_of_the_first() -> None:
    at = pl.Series(TABLE["at"]).dt.replace_time_zone("UTC")  # type: ignore[arg-type]
    left = pl.Series(TABLE["left"], dtype=pl.Datetime("us", "Europe/Berlin"))  # type: ignore[arg-type]
    table = visits(polars(at=at, left=left), tz="America/New_York")
    schema = table.rows.collect_schema()
    assert schema["time"] == schema["until"] == nw.Datetime("us")
    assert str(table.zone) == "America/New_York"
    found = [time for time in table.rows.to_native()["time"].to_list() if time is not None]
    assert found == [time for time in TABLE["at"] if time is not None]  # type: ignore[attr-defined]


def test_times_that_are_segments_too_keep_their_zone() -> None:
    aware = [
        on("2024-01-01T09:00+01:00"),
        on("2024-01-02T00:00+01:00"),
        on("2024-01-03T00:00+01:00"),
    ]
    frame = polars(at=aware).with_columns(pl.col("at").dt.convert_time_zone("Europe/Berlin"))
    names = {"customer": "who", "time": "at"}
    for native in (frame, frame.lazy(), frame.rename({"left": "at as it is"})):
        table = read_columns(native, "visits", VISITS[:2], names, by="at")
        schema = table.rows.collect_schema()
        assert schema["time"] == nw.Datetime("us")
        assert schema["by_0"] == nw.Datetime("us", "Europe/Berlin")


def test_times_that_are_all_null_get_the_type_of_the_others() -> None:
    schema = visits(polars(left=[None, None, None])).rows.collect_schema()
    assert schema["until"] == schema["time"]


def test_an_empty_frame_without_types_gets_those_that_are_declared() -> None:
    table = visits(pd.DataFrame({name: [] for name in TABLE}, dtype=object), by="plan")
    assert table.rows.collect_schema()["time"] == nw.Datetime("us")
    assert read_facts(table).n_rows == 0


@pytest.mark.parametrize(
    ("kind", "values", "need"),
    [
        (ID, [[1], [2]], "plain values of one kind, such as numbers or strings"),
        (SEGMENT, [[1], [2]], "plain values of one kind, such as numbers or strings"),
        (TIME, ["2024", "2025"], "dates or datetimes"),
        (FLAG, [0, 1], "booleans"),
        (AMOUNT, ["1", "2"], "numbers"),
        (NUMBER, ["1", "2"], "numbers"),
        (COUNT, [1.5, 2.0], "whole numbers"),
    ],
)
def test_a_wrong_type_is_an_error_that_says_what_is_needed(
    kind: Any, values: list[Any], need: str
) -> None:
    columns = [Column("argument", kind)]
    with pytest.raises(ColumnTypeError, match=rf"^column 'x' \(given as `argument`\).*{need}"):
        read_columns(pl.DataFrame({"x": values}), "table", columns, {"argument": "x"})


def test_errors_call_an_argument_as_the_public_function_does() -> None:
    columns, names = [Column("customer", ID)], {"customer": "nobody"}
    with pytest.raises(MissingColumnError, match="`respondent` needs the column 'nobody'"):
        read_columns(polars(), "table", columns, names, argument_names={"customer": "respondent"})


def test_a_column_that_is_needed_must_be_named() -> None:
    with pytest.raises(ArgumentTypeError, match="`time` is None; it must be the name of a column"):
        read_columns(polars(), "visits", VISITS, NAMES | {"time": None})


def test_a_function_may_need_a_column_that_others_do_not() -> None:
    names = NAMES | {"paid": None}
    with pytest.raises(ArgumentTypeError, match="`paid` is None; it must be the name of a column"):
        read_columns(polars(), "visits", VISITS, names, needed=["paid"])


def test_segments_must_not_be_called_like_the_result() -> None:
    with pytest.raises(ArgumentError, match="also the name of a column of the result"):
        visits(polars(), by=["plan"], reserved=["plan"])


# --- facts ------------------------------------------------------------------------------


def test_facts_are_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = 0
    collect = nw.LazyFrame.collect

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal passes
        passes += 1
        return collect(self, *arguments, **options)

    monkeypatch.setattr(nw.LazyFrame, "collect", counted)
    table = visits(pl.LazyFrame(TABLE))
    facts = read_facts(table, {"long": nw.col("until") > nw.col("time")})
    assert passes == 1
    assert facts.n_rows == 3
    assert facts.nulls == {"customer": 1, "time": 0, "paid": 0}
    assert facts.least == {"time": on("2024-01-01T09:00"), "paid": 1.5}
    assert facts.greatest == {"time": on("2024-01-03"), "paid": 3.5}
    assert facts.counts == {"long": 1}


def test_no_rows_have_no_facts() -> None:
    facts = read_facts(visits(polars().clear()), {"long": nw.col("until") > nw.col("time")})
    assert (facts.n_rows, facts.nulls) == (0, {"customer": 0, "time": 0, "paid": 0})
    assert facts.least == facts.greatest == {"time": None, "paid": None}
    assert facts.counts == {"long": 0}


def test_conditions_that_are_null_are_not_met() -> None:
    rows = visits(polars()).rows
    assert count_true(rows, {"later": nw.col("until") > nw.col("time")}) == {"later": 1}


# --- nulls ------------------------------------------------------------------------------


def test_nulls_are_an_error_that_shows_some_rows() -> None:
    with pytest.raises(ArgumentError) as caught:
        without_nulls(visits(polars()), read_facts, "raise")
    assert str(caught.value) == (
        "column 'who' (given as `customer`) is null in 1 row, of 3; for instance time 2024-01-03 "
        "00:00:00. Fill them in or leave them out; `missing='drop'` leaves such rows out and warns "
        "with their number."
    )


def test_nulls_are_dropped_where_that_is_asked_for() -> None:
    table, facts, note = without_nulls(visits(polars()), read_facts, "drop")
    assert (facts.n_rows, facts.n_dropped) == (2, 1)
    assert note == "column 'who' (given as `customer`) is null in 1 row: 1 of 3 rows left out."
    # A null that has a meaning stays.
    assert isinstance(table.rows, nw.DataFrame)
    assert table.rows["until"].to_list() == [None, on("2024-01-05")]


def test_nulls_that_are_never_dropped_are_an_error_always() -> None:
    table = visits(polars(who=[1, 2, 3], paid=[1.0, None, 2.0]))
    with pytest.raises(ArgumentError, match=r"for instance customer 2\. Put a value there"):
        without_nulls(table, read_facts, "drop")


def test_what_is_counted_beside_the_facts_is_counted_after_the_drop() -> None:
    long = {"long": nw.col("until") > nw.col("time")}
    left = [None, on("2024-01-05"), on("2024-01-09")]
    facts_of = partial(read_facts, conditions=long)
    _, facts, _ = without_nulls(visits(polars(left=left)), facts_of, "drop")
    assert facts.counts == {"long": 1}


# --- the end of observation -------------------------------------------------------------


def test_observation_ends_with_the_day_of_the_last_time() -> None:
    at = [datetime(2024, 1, day, 23, tzinfo=UTC) for day in (1, 2, 3)]
    table = visits(polars(at=at, left=[None, None, None]), tz="Europe/Berlin")
    last = moments_of(table, {"last": read_facts(table).greatest["time"]})["last"]
    end = observed_until(last, table.zone, None, ArgumentError("no midnight"))
    assert (str(last), str(end)) == ("2024-01-04", "2024-01-05")
    assert str(observed_until(last, table.zone, "2024-07-01", ArgumentError())) == "2024-07-01"


def test_times_beyond_the_calendar_are_an_error() -> None:
    table = visits(polars(at=[datetime(1, 1, 1, tzinfo=UTC)] * 3, left=None), tz="America/Lima")
    with pytest.raises(ArgumentError, match=r"^column 'at' \(given as `time`\) goes beyond"):
        moments_of(table, {"first": read_facts(table).least["time"]})


def test_a_time_without_a_later_midnight_is_the_error_that_is_given() -> None:
    table = visits(polars(at=[on("9999-12-31T12:00")] * 3))
    last = moments_of(table, {"last": read_facts(table).greatest["time"]})["last"]
    with pytest.raises(ArgumentError, match="no midnight"):
        observed_until(last, table.zone, None, ArgumentError("no midnight"))
