"""The door, through the public functions: which frames and columns come in, and what is said.

An error says four things: which argument, what it was, what was expected, what to do. For the
odd types that a column can have, the result must be that of the plain one, or such an error.
"""

import inspect
import pickle
import uuid
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retainkit import (
    cohort_retention,
    errors,
    nps,
    retention_curve,
    retention_matrix,
    rfm_summary,
    score_outcomes,
)
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitError,
    RetainkitWarning,
)
from tables import rows_of, triangle

# Customer 1 comes in January and February, customer 2 in January, a microsecond before midnight.
TIMES = [datetime(2024, 1, 5), datetime(2024, 1, 31, 23, 59, 59, 999_999), datetime(2024, 2, 7)]  # noqa: DTZ001
DAYS = [one.date() for one in TIMES]
CONNECTION = duckdb.connect()
LOG: dict[str, Any] = {"customer_id": [1, 2, 1], "time": TIMES}
EXPECTED = {date(2024, 1, 1): [2, 1], date(2024, 2, 1): [0]}


def in_pandas(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(LOG | columns)


def in_polars(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame(LOG | columns)


def in_polars_lazily(**columns: Any) -> pl.LazyFrame:
    return in_polars(**columns).lazy()


def in_pyarrow(**columns: Any) -> pa.Table:
    return pa.table(LOG | columns)


def in_duckdb(**columns: Any) -> duckdb.DuckDBPyRelation:
    return CONNECTION.from_arrow(in_pyarrow(**columns))


MAKERS = [in_pandas, in_polars, in_polars_lazily, in_pyarrow, in_duckdb]
each_kind = pytest.mark.parametrize("make", MAKERS)


def counts(frame: Any, **options: Any) -> dict[date, list[int]]:
    """Return the retained by cohort, at the end of February."""
    return triangle(rows_of(cohort_retention(frame, as_of="2024-03-01", **options)))


def amounts(frame: Any) -> list[float]:
    table = cohort_retention(frame, amount="amount", as_of="2024-03-01")
    return [row["amount"] for row in rows_of(table)]


def complaint(error: type[RetainkitError], call: Callable[[], Any], *parts: str) -> str:
    """Check that the call is refused, with a message that holds all these parts."""
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)
    return str(caught.value)


@each_kind
def test_the_log_that_all_others_are_held_to(make: Callable[..., Any]) -> None:
    assert counts(make()) == EXPECTED


# --- columns that are missing -------------------------------------------------------------


@each_kind
def test_a_missing_column_is_a_key_error_that_lists_the_columns(make: Callable[..., Any]) -> None:
    text = complaint(
        MissingColumnError,
        lambda: cohort_retention(make(), time="tmie"),
        *("`time`", "'tmie'", "'customer_id', 'time'", "Did you mean 'time'?"),
    )
    assert issubclass(MissingColumnError, KeyError)
    # KeyError would show its repr.
    assert "\\n" not in text


@pytest.mark.parametrize(
    "argument", ["customer", "time", "amount", "cohort_time", "started", "returned", "by"]
)
def test_every_argument_that_names_a_column_is_named(argument: str) -> None:
    frame = in_pandas()
    options: dict[str, Any] = {argument: "elsewhere"}
    text = complaint(
        MissingColumnError,
        lambda: cohort_retention(frame, **options),
        *(f"`{argument}`", "'elsewhere'", "'customer_id', 'time'"),
    )
    # Nothing is like it.
    assert "mean" not in text


def test_the_second_column_of_by_may_be_missing() -> None:
    frame = in_pandas(plan="pro", country="pt")
    call = lambda: cohort_retention(frame, by=["plan", "counrty"])  # noqa: E731
    complaint(MissingColumnError, call, "`by`", "'counrty'", "Did you mean 'country'?")


def test_default_names_are_missed_like_others() -> None:
    frame = in_pandas().rename(columns={"customer_id": "customerId"})
    call = lambda: cohort_retention(frame)  # noqa: E731
    complaint(MissingColumnError, call, "`customer`", "'customer_id'", "Did you mean 'customerId'?")


def test_an_index_is_no_column() -> None:
    frame = in_pandas().set_index("time")
    complaint(MissingColumnError, lambda: cohort_retention(frame), "`time`", "has: 'customer_id'")


def test_a_frame_without_columns() -> None:
    frame = pd.DataFrame()
    complaint(MissingColumnError, lambda: cohort_retention(frame), "`customer`", "no columns")


@each_kind
def test_a_table_without_its_columns(make: Callable[..., Any]) -> None:
    log = make()
    for function in (retention_curve, retention_matrix):
        call = lambda: function(log)  # noqa: E731, B023
        complaint(MissingColumnError, call, "`table`", "'cohort'", "'customer_id', 'time'")


def test_labels_that_are_no_strings_do_no_harm() -> None:
    assert counts(in_pandas().assign(x=1).rename(columns={"x": 0})) == EXPECTED
    frame = in_pandas().rename(columns={"time": 0})
    complaint(MissingColumnError, lambda: cohort_retention(frame), "`time`", "'customer_id', 0")
    call = lambda: cohort_retention(frame, time=0)  # type: ignore[arg-type]  # noqa: E731
    complaint(ArgumentTypeError, call, "`time`", "0", "name of a column")


def test_labels_of_several_levels() -> None:
    columns = pd.MultiIndex.from_tuples([("a", "customer_id"), ("a", "time")])
    frame = in_pandas().set_axis(columns, axis=1)
    complaint(MissingColumnError, lambda: cohort_retention(frame), "`customer`", "('a', 'time')")


@pytest.mark.parametrize("argument", ["customer", "time", "amount", "started", "by"])
@pytest.mark.parametrize("value", [5, 1.5, True, ["time", 3], ("time", None)], ids=repr)
def test_a_name_is_a_string(argument: str, value: Any) -> None:
    call = lambda: cohort_retention(in_pandas(), **{argument: value})  # noqa: E731
    complaint(ArgumentTypeError, call, f"`{argument}`", "name of a column")


@pytest.mark.parametrize("column", ["time", "plan"])
@pytest.mark.parametrize("kind", ["pandas", "pyarrow"])
def test_a_name_that_two_columns_have(kind: str, column: str) -> None:
    frame = pd.concat([in_pandas(plan="pro"), pd.DataFrame({column: [1, 2, 3]})], axis=1)
    if kind == "pyarrow":
        table = in_pyarrow(plan=["pro"] * 3)
        frame = table.append_column(column, pa.array([1, 2, 3]))
    complaint(ArgumentError, lambda: cohort_retention(frame), "`events`", repr(column))


# --- segments ------------------------------------------------------------------------------

RESULTS = ["cohort", "age", "customers", "eligible", "retained", "retention", "lower", "upper"]
RESULTS += ["complete"]


def test_a_segment_is_named_once() -> None:
    call = lambda: cohort_retention(in_pandas(plan="x"), by=["plan", "plan"])  # noqa: E731
    complaint(ArgumentError, call, "`by`", "'plan'", "more than once", "once")


@pytest.mark.parametrize("name", RESULTS)
def test_a_segment_that_is_called_like_a_column_of_the_result(name: str) -> None:
    call = lambda: cohort_retention(in_pandas(**{name: ["a", "b", "a"]}), by=name)  # noqa: E731
    complaint(ArgumentError, call, "`by`", repr(name), "result", "rename")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("age_end", {"brackets": (0, 1, 3)}),
        ("amount", {"amount": "paid"}),
        ("amount_per_customer", {"amount": "paid"}),
    ],
)
def test_a_segment_that_is_called_like_an_optional_column(name: str, options: Any) -> None:
    frame = in_pandas(**{"paid": 1.0, name: ["a", "b", "a"]})
    call = lambda: cohort_retention(frame, by=["paid", name], **options)  # noqa: E731
    complaint(ArgumentError, call, "`by`", repr(name), "result", "rename")


def test_segments_may_be_the_customers_or_the_times() -> None:
    for column, expected in (("customer_id", [1, 2]), ("time", [DAYS[0], TIMES[1]])):
        cells = rows_of(cohort_retention(in_pandas(), by=column, as_of="2024-03-01"))
        january = [row for row in cells if row["cohort"] == date(2024, 1, 1) and row["age"] == 0]
        assert [(row[column], row["customers"]) for row in january] == [(e, 1) for e in expected]


def test_no_segments() -> None:
    for none in (None, [], ()):  # type: ignore[var-annotated]
        assert counts(in_pandas(), by=none) == EXPECTED


def test_segments_have_an_order() -> None:
    frame = in_pandas(plan="a", country="pt")
    for columns in (["plan", "country"], ("country", "plan"), pd.Index(["plan", "country"])):
        assert list(cohort_retention(frame, by=columns))[:2] == list(columns)  # type: ignore[arg-type]
    call = lambda: cohort_retention(frame, by={"plan", "country"})  # type: ignore[arg-type]  # noqa: E731
    complaint(ArgumentTypeError, call, "`by`", "name of a column")


@pytest.mark.parametrize("make", [in_pandas, in_polars, in_polars_lazily, in_pyarrow])
def test_segments_are_plain_values(make: Callable[..., Any]) -> None:
    call = lambda: cohort_retention(make(plan=[[1], [2], [1]]), by="plan")  # noqa: E731
    complaint(ColumnTypeError, call, "'plan'", "`by`", "plain values")


SEGMENTS = {
    "booleans": ([True, False, True], [False, True]),
    "booleans and null": ([None, False, None], [False, None]),
    "numbers": ([2.5, -1.0, 2.5], [-1.0, 2.5]),
    "days": ([DAYS[1], DAYS[0], DAYS[1]], [DAYS[0], DAYS[1]]),
    "text and null": (["b", None, "b"], ["b", None]),
}


@each_kind
@pytest.mark.parametrize(("values", "expected"), SEGMENTS.values(), ids=SEGMENTS)
def test_segments_ascend_and_null_is_the_last(
    make: Callable[..., Any], values: list[Any], expected: list[Any]
) -> None:
    cells = rows_of(cohort_retention(make(plan=values), by="plan", as_of="2024-03-01"))
    assert list(dict.fromkeys(row["plan"] for row in cells)) == expected


# --- frames ----------------------------------------------------------------------------------

NO_FRAMES = {
    "builtins.dict": LOG,
    "builtins.list": [LOG],
    "builtins.NoneType": None,
    "builtins.str": "events.csv",
    "builtins.type": pd.DataFrame,
    "numpy.ndarray": np.zeros((3, 2)),
    "numpy.rec.recarray": in_pandas().to_records(),
    "polars.series.series.Series": pl.Series([1]),
    "pyarrow.lib.ChunkedArray": pa.chunked_array([[1]]),
    "Series": in_pandas()["time"],
    "DataFrameGroupBy": in_pandas().groupby("time"),
    "DuckDBPyConnection": CONNECTION,
}


@pytest.mark.parametrize(("kind", "value"), NO_FRAMES.items(), ids=NO_FRAMES)
def test_what_is_no_frame(kind: str, value: Any) -> None:
    kinds = ["pandas", "Polars", "PyArrow", "DuckDB", "PySpark"]
    call = lambda: cohort_retention(value)  # noqa: E731
    complaint(ArgumentTypeError, call, "`events`", kind, "must be", *kinds)
    for function in (retention_curve, retention_matrix):
        call = lambda: function(value)  # noqa: E731, B023
        complaint(ArgumentTypeError, call, "`table`", kind, "must be", *kinds)


# --- types of columns -------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize(
    ("argument", "values", "holds", "expected"),
    [
        ("time", ["2024-01-05"] * 3, "String", "dates or datetimes"),
        ("time", [1704412800] * 3, "Int64", "dates or datetimes"),
        ("time", [1.5] * 3, "Float64", "dates or datetimes"),
        ("time", [True] * 3, "Boolean", "dates or datetimes"),
        ("time", [timedelta(days=1)] * 3, "Duration", "dates or datetimes"),
        ("time", [time(12)] * 3, "", "dates or datetimes"),
        ("cohort_time", ["2024-01-05"] * 3, "String", "dates or datetimes"),
        ("amount", ["12.50"] * 3, "String", "numbers"),
        ("amount", [True] * 3, "Boolean", "numbers"),
        ("amount", TIMES, "Datetime", "numbers"),
        ("started", [1, 0, 1], "Int64", "booleans"),
        ("started", ["yes", "no", "yes"], "String", "booleans"),
        ("returned", [1.0, 0.0, 1.0], "Float64", "booleans"),
    ],
)
def test_a_column_of_the_wrong_type(
    make: Callable[..., Any], argument: str, values: list[Any], holds: str, expected: str
) -> None:
    frame = make(given=values)
    text = complaint(
        ColumnTypeError,
        lambda: cohort_retention(frame, **{argument: "given"}),  # type: ignore[arg-type]
        *("'given'", f"`{argument}`", f"holds {holds}", f"must hold {expected}", "first"),
    )
    assert "\n" not in text
    assert issubclass(ColumnTypeError, TypeError)


@each_kind
def test_a_customer_is_a_plain_value(make: Callable[..., Any]) -> None:
    for values in ([[1], [2], [1]], [{"id": 1}, {"id": 2}, {"id": 1}]):
        call = lambda: cohort_retention(make(customer_id=values))  # noqa: E731, B023
        complaint(ColumnTypeError, call, "'customer_id'", "`customer`", "plain values")


# That objects stand for what they are is tested in test_column_types.py.
OBJECTS: dict[str, tuple[str, Sequence[Any], str, str]] = {
    "words among times": ("time", [*TIMES[:2], "x"], "datetime and str", "pandas.to_datetime"),
    "naive and aware": (
        "time",
        [TIMES[0], TIMES[1].replace(tzinfo=UTC), TIMES[2]],
        "datetime",
        "pandas.to_datetime",
    ),
    "booleans among numbers": ("amount", [1, True, 2.5], "bool and float and int", "convert"),
    "beyond all floats": ("amount", [1, 10**400, 2], "int", "convert"),
    "numbers among booleans": ("started", [True, 0, 1], "bool and int", "booleans"),
    "lists": ("amount", [[1], [2], [3]], "list", "convert"),
}


@pytest.mark.parametrize(("argument", "values", "holds", "hint"), OBJECTS.values(), ids=OBJECTS)
def test_objects_of_several_kinds_are_to_be_converted_first(
    argument: str, values: Sequence[Any], holds: str, hint: str
) -> None:
    frame = in_pandas().assign(given=pd.Series(list(values), dtype=object))
    call = lambda: cohort_retention(frame, **{argument: "given"})  # type: ignore[arg-type]  # noqa: E731
    complaint(ColumnTypeError, call, "'given'", f"`{argument}`", f"holds Object ({holds})", hint)


NAMED = {
    "period": in_pandas(time=pd.Series(TIMES).dt.to_period("M")),
    "interval": in_pandas(time=pd.Series(pd.interval_range(0, 3))),
    "complex": in_pandas(time=[1j, 2j, 3j]),
    "null": in_pyarrow(time=pa.nulls(3)),
}


@pytest.mark.parametrize(("name", "frame"), NAMED.items(), ids=NAMED)
def test_types_that_narwhals_does_not_know_are_called_by_their_name(name: str, frame: Any) -> None:
    # "Unknown" tells nothing.
    call = lambda: cohort_retention(frame)  # noqa: E731
    complaint(ColumnTypeError, call, "'time'", "`time`", name, "dates or datetimes")


@pytest.mark.parametrize(
    "times",
    [
        pd.Series(TIMES).astype("category"),
        pd.Series(["2024-01-05", "2024-01-31", "2024-02-07"], dtype="category"),
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pl.Series(["a", "b", "a"], dtype=pl.Enum(["a", "b"])),
        pa.array(TIMES).dictionary_encode(),
    ],
    ids=["pandas", "pandas text", "polars", "enum", "pyarrow"],
)
def test_categories_are_no_times(times: Any) -> None:
    make = {pd.Series: in_pandas, pl.Series: in_polars}.get(type(times), in_pyarrow)
    call = lambda: cohort_retention(make(time=times))  # type: ignore[no-untyped-call]  # noqa: E731
    holds = "Enum" if make is in_polars and times.dtype == pl.Enum else "Categorical"
    complaint(ColumnTypeError, call, "'time'", f"holds {holds}", "dates or datetimes")


# --- nulls ---------------------------------------------------------------------------------

NULLS = {
    "customer_id": [None, 2, None],
    "time": [TIMES[0], None, None],
    "amount": [None, None, 5.0],
    "started": [True, None, None],
    "cohort_time": [None, TIMES[0], None],
}


@each_kind
@pytest.mark.parametrize("column", NULLS)
def test_nulls_are_counted_and_refused(make: Callable[..., Any], column: str) -> None:
    values = NULLS[column]
    if make is in_pandas and column == "started":
        values = pd.array(values, dtype="boolean")  # type: ignore[call-overload]
    argument = "customer" if column == "customer_id" else column
    frame = make(**{column: values})
    text = complaint(
        ArgumentError,
        lambda: cohort_retention(frame, **{argument: column}),  # type: ignore[arg-type]
        *(repr(column), f"`{argument}`", " 2 rows", " 3", "missing='drop'", "Fill"),
    )
    assert issubclass(ArgumentError, ValueError)
    assert "2.0" not in text


def test_one_null_is_one_row() -> None:
    call = lambda: cohort_retention(in_pandas(customer_id=["a", None, "b"]))  # noqa: E731
    assert " 1 rows" not in complaint(ArgumentError, call, " 1 row", "of 3")


@each_kind
def test_the_first_few_rows_with_a_null_are_shown(make: Callable[..., Any]) -> None:
    # Whose times are they, and when did nobody come? That is where one begins to look.
    frame = make(customer_id=["ann", "bob", "cyd"], time=[TIMES[0], None, TIMES[2]])
    complaint(ArgumentError, lambda: cohort_retention(frame), "'bob'")
    frame = make(customer_id=["ann", "bob", None])
    complaint(ArgumentError, lambda: cohort_retention(frame), "2024-02-07")


@each_kind
def test_nulls_in_several_columns_are_all_told(make: Callable[..., Any]) -> None:
    frame = make(customer_id=["ann", None, None], time=[None, TIMES[1], TIMES[2]])
    call = lambda: cohort_retention(frame)  # noqa: E731
    complaint(ArgumentError, call, "`customer`", " 2 rows", "`time`", " 1 row", "of 3")


@each_kind
def test_dropped_rows_are_counted_in_a_warning(make: Callable[..., Any]) -> None:
    # The second row lacks both and is one row.
    frame = make(
        customer_id=["ann", None, "ann", None],
        time=[TIMES[0], None, None, TIMES[2]],
        x=[1, 2, 3, 4],
    )
    with pytest.warns(RetainkitWarning) as caught:
        cells = counts(frame, missing="drop")
    assert cells == {date(2024, 1, 1): [1, 0], date(2024, 2, 1): [0]}
    (warning,) = caught
    for part in ("`customer`", "`time`", "2 rows", "3 of 4 rows", "left out"):
        assert part in str(warning.message)
    assert "2.0" not in str(warning.message)


@each_kind
def test_nothing_to_drop_is_nothing_to_warn_of(make: Callable[..., Any]) -> None:
    assert counts(make(), missing="drop") == EXPECTED


@each_kind
def test_nan_is_a_missing_id_and_a_missing_amount(make: Callable[..., Any]) -> None:
    nan = float("nan")
    frame = make(customer_id=[1.0, nan, 1.0])
    complaint(ArgumentError, lambda: cohort_retention(frame), "`customer`", " 1 row")
    with pytest.warns(RetainkitWarning, match="1 of 3 rows"):
        assert counts(frame, missing="drop")[date(2024, 1, 1)] == [1, 1]
    frame = make(amount=[1.0, nan, 1.0])
    call = lambda: cohort_retention(frame, amount="amount")  # noqa: E731
    complaint(ArgumentError, call, "`amount`", " 1 row")


@each_kind
def test_columns_that_are_not_asked_for_may_be_null(make: Callable[..., Any]) -> None:
    assert counts(make(amount=NULLS["amount"], started=[None, True, None])) == EXPECTED


PANDAS_NULLS: dict[str, Any] = {
    "None": ["a", None, "a"],
    "None and nan": pd.Series(["a", None, float("nan")], dtype=object),
    "NA": pd.Series([1, pd.NA, 1], dtype=object),
    "NaT": pd.Series(["a", pd.NaT, "a"], dtype=object),
    "Int64": pd.array([1, None, 1], dtype="Int64"),
    "string": pd.array(["a", None, "a"], dtype="string"),
    "category": pd.Categorical(["a", None, "a"]),
    "arrow": pd.array([1, None, 1], dtype=pd.ArrowDtype(pa.int64())),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("ids", PANDAS_NULLS.values(), ids=PANDAS_NULLS)
def test_every_null_of_pandas_is_a_missing_id(ids: Any) -> None:
    frame = in_pandas(customer_id=ids)
    complaint(ArgumentError, lambda: cohort_retention(frame), "`customer`", " row")
    with pytest.warns(RetainkitWarning, match="of 3 rows"):
        assert counts(frame, missing="drop")[date(2024, 1, 1)][0] == 1


ALL_NULL: dict[str, Any] = {
    "NaT": (in_pandas, pd.to_datetime([None] * 3)),  # type: ignore[arg-type]
    "pandas arrow": (in_pandas, pd.array([None] * 3, dtype=pd.ArrowDtype(pa.timestamp("us")))),  # type: ignore[call-overload]
    "polars": (in_polars, pl.Series([None] * 3, dtype=pl.Datetime)),
    "polars lazy": (in_polars_lazily, pl.Series([None] * 3, dtype=pl.Date)),
    "pyarrow": (in_pyarrow, pa.nulls(3, pa.date32())),
    "duckdb": (in_duckdb, pa.nulls(3, pa.timestamp("us"))),
}


@pytest.mark.parametrize(("make", "times"), ALL_NULL.values(), ids=ALL_NULL)
def test_a_column_of_nothing_but_nulls(make: Callable[..., Any], times: Any) -> None:
    frame = make(time=times)
    complaint(ArgumentError, lambda: cohort_retention(frame), "`time`", " 3 rows", "of 3")
    with pytest.warns(RetainkitWarning, match="3 of 3 rows"):
        assert rows_of(cohort_retention(frame, missing="drop")) == []


@each_kind
def test_a_column_of_nulls_without_a_type_is_refused(make: Callable[..., Any]) -> None:
    for argument in ("customer", "time", "amount", "started"):
        frame = make(given=[None] * 3)
        call = lambda: cohort_retention(frame, **{argument: "given"})  # type: ignore[arg-type]  # noqa: E731, B023
        complaint(RetainkitError, call, "'given'", f"`{argument}`")


# --- warnings are about the line that calls ------------------------------------------------


def warned(frame: Any, **options: Any) -> tuple[warnings.WarningMessage, int]:
    """Return the one warning of a call, and the line of the call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        cohort_retention(frame, **options)
    (warning,) = caught
    return warning, line


NEXT_YEAR = datetime(2025, 1, 1)  # noqa: DTZ001
WARNED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "nulls": ({"customer_id": [1, None, 1]}, {"missing": "drop"}, "1 of 3 rows"),
    "after as_of": ({}, {"as_of": "2024-02-01"}, "1 of 3 rows"),
    "never started": ({"s": [True, False, True]}, {"started": "s"}, "1 customer"),
    "started late": (
        {"s": [TIMES[0], NEXT_YEAR, TIMES[0]]},
        {"cohort_time": "s"},
        "1 customer",
    ),
    "before the start": (
        {"s": [TIMES[1], TIMES[0], TIMES[1]]},
        {"cohort_time": "s", "cohort_period": "day", "period": "day"},
        "1 row",
    ),
    "small cohorts": ({}, {"min_customers": 3}, "1 cohort"),
    "several segments": (
        {"customer_id": [1, 1, 2], "time": [TIMES[0], TIMES[0], TIMES[2]], "p": ["b", "a", "a"]},
        {"by": "p"},
        "1 customer",
    ),
}


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize(("columns", "options", "text"), WARNED.values(), ids=WARNED)
def test_a_warning_counts_and_points_at_the_call(
    make: Callable[..., Any], columns: dict[str, Any], options: dict[str, Any], text: str
) -> None:
    warning, line = warned(make(**columns), **options)
    assert warning.category is RetainkitWarning
    assert text in str(warning.message)
    assert (warning.filename, warning.lineno) == (__file__, line)


# --- ids, times and amounts of every type ----------------------------------------------------

PANDAS_IDS: dict[str, Any] = {
    "floats": [1.0, 2.0, 1.0],
    "infinite": [1.0, float("inf"), 1.0],
    "booleans": [True, False, True],
    "bytes": [b"a", b"b", b"a"],
    "tuples": [(1, 2), (1, 3), (1, 2)],
    "days": [DAYS[0], DAYS[1], DAYS[0]],
    "uuids": [uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=1)],
    "decimals": [Decimal("1.0"), Decimal(2), Decimal("1.00")],
    "string[python]": pd.array(["a", "b", "a"], dtype="string[python]"),
    "arrow": pd.array(["a", "b", "a"], dtype=pd.ArrowDtype(pa.large_string())),  # type: ignore[call-overload]
    "arrow dictionary": pd.array(
        pa.array(["a", "b", "a"]).dictionary_encode(),
        dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())),
    ),
    "sparse": pd.arrays.SparseArray([1, 2, 1]),
    "numbers as categories": pd.Categorical([1, 2, 1]),
    "periods": pd.PeriodIndex(["2024-01", "2024-02", "2024-01"], freq="M"),
}


@pytest.mark.parametrize("ids", PANDAS_IDS.values(), ids=PANDAS_IDS)  # type: ignore[unreachable]
def test_ids_of_every_type_of_pandas(ids: Any) -> None:
    assert counts(in_pandas(customer_id=ids)) == EXPECTED


@pytest.mark.parametrize(
    "dtype",
    [pl.Int8, pl.UInt8, pl.UInt64, pl.Float32, pl.String, pl.Categorical, pl.Boolean],
    ids=str,
)
def test_ids_of_every_type_of_polars(dtype: Any) -> None:
    through = pl.String if dtype == pl.Categorical else dtype
    ids = pl.Series([1, 0, 1]).cast(through).cast(dtype)
    assert counts(in_polars(customer_id=ids)) == EXPECTED
    assert counts(in_polars_lazily(customer_id=ids)) == EXPECTED


ARROW_IDS = {
    "large_string": pa.array(["a", "b", "a"], pa.large_string()),
    "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
    "dictionary of numbers": pa.array([7, 3, 7]).dictionary_encode(),
    "binary": pa.array([b"a", b"b", b"a"]),
    "decimal": pa.array([Decimal(1), Decimal(2), Decimal(1)]),
    "uint8": pa.array([255, 0, 255], pa.uint8()),
    "chunks": pa.chunked_array([["a"], [], ["b", "a"]]),
    "dictionaries that differ": pa.chunked_array(
        [pa.array(["a", "b"]).dictionary_encode(), pa.array(["a"]).dictionary_encode()]
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("ids", ARROW_IDS.values(), ids=ARROW_IDS)
def test_ids_of_every_type_of_pyarrow(ids: Any) -> None:
    assert counts(in_pyarrow(customer_id=ids)) == EXPECTED
    assert counts(in_duckdb(customer_id=ids)) == EXPECTED


def test_a_table_of_many_chunks() -> None:
    rows = [in_pyarrow().slice(i, 1) for i in (2, 0, 1)]
    assert counts(pa.concat_tables([*rows, in_pyarrow().slice(0, 0)])) == EXPECTED


@pytest.mark.parametrize("ids", [[1, "1", 1], ["1", 1, "1"], [1, "1", 2.5]], ids=repr)
def test_ids_that_are_numbers_here_and_text_there_are_refused(ids: list[Any]) -> None:
    # 1 and "1" are one customer that a reader of CSV files has made two.
    frame = in_pandas().assign(customer_id=pd.Series(ids, dtype=object))
    call = lambda: cohort_retention(frame)  # noqa: E731
    complaint(ColumnTypeError, call, "'customer_id'", "`customer`", "int", "str", "astype")


UUIDS = [uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=1)]


def test_ids_that_are_objects_in_polars() -> None:
    assert counts(in_polars(customer_id=pl.Series(UUIDS, dtype=pl.Object))) == EXPECTED


@pytest.mark.parametrize("argument", ["customer", "by"])
def test_objects_that_polars_cannot_group_by_are_refused(argument: str) -> None:
    # Lazily Polars joins and groups no objects; as text they are fine.
    frame = in_polars_lazily(given=pl.Series(UUIDS, dtype=pl.Object))
    try:
        complaint(
            ColumnTypeError,
            lambda: cohort_retention(frame, **{argument: "given"}),
            *("'given'", f"`{argument}`", "Object", "str"),
        )
    except BaseException as error:  # noqa: BLE001  it is no Exception
        pytest.fail(repr(error))


def test_dictionaries_of_arrow_in_pandas_are_read_as_their_values() -> None:
    kind = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    who = pd.Series(["b", "a", "b", "c"])
    score, time = [10, 3, 10, 8], pd.to_datetime(TIMES[:1] * 4)
    plain = pd.DataFrame({"customer_id": who, "score": score, "time": time, "amount": 2.0})
    coded = plain.assign(customer_id=who.astype(kind))
    for function in (
        rfm_summary,
        partial(nps, by="customer_id", observed=False),
        lambda table: score_outcomes(table.drop_duplicates(), table, as_of="2025-01-01"),
    ):
        assert rows_of(function(coded)) == rows_of(function(plain))
    numbers = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(score).dictionary_encode()))
    assert rows_of(nps(plain.assign(score=numbers))) == rows_of(nps(plain))


def of_arrow(values: pa.Array, categories: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(values, categories)


# A null is no category, not the one whose place it holds; an order that is declared is kept.
CLASSED: dict[str, tuple[Any, list[str | None]]] = {
    "pandas": (pd.Categorical(["b", None, "a"], ["b", "a", "c"]), ["b", "a", None]),
    "pandas, arrow": (
        pd.array(
            of_arrow(pa.array([0, None, 1]), ["b", "a"]),
            dtype=pd.ArrowDtype(pa.dictionary(pa.int64(), pa.string())),
        ),
        ["a", "b", None],
    ),
    "pyarrow": (of_arrow(pa.array([1, None, 2]), ["c", "b", "a"]), ["a", "b", None]),
    "polars": (pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a", "c"])), ["b", "a", None]),
}


@pytest.mark.parametrize(("values", "expected"), CLASSED.values(), ids=CLASSED)
def test_nulls_beside_categories_are_a_segment_of_their_own(values: Any, expected: Any) -> None:
    make = (
        in_pyarrow
        if isinstance(values, pa.Array)
        else in_polars
        if isinstance(values, pl.Series)
        else in_pandas
    )
    frame = make(customer_id=[1, 2, 3], time=[TIMES[0]] * 3, plan=values)
    cells = rows_of(cohort_retention(frame, by="plan", as_of="2024-02-01"))
    found = [(row["plan"], row["customers"]) for row in cells if row["age"] == 0]
    assert found == [(name, 1) for name in expected]


@pytest.mark.parametrize("values", [[1, (1,), 1], [1j, 2j, 1j]], ids=repr)
def test_segments_that_have_no_order_are_refused(values: list[Any]) -> None:
    frame = in_pandas().assign(given=pd.Series(values, dtype=object))
    call = lambda: cohort_retention(frame, by="given")  # noqa: E731
    complaint(ColumnTypeError, call, "'given'", "`by`")


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/Santiago"])
def test_times_of_every_unit(unit: str, zone: str | None) -> None:
    # In seconds the end of January is at 23:59:59, which is January all the same.
    arrow = pa.array(TIMES, pa.timestamp("us")).cast(pa.timestamp(unit), safe=False)
    naive = pd.Series(arrow.to_numpy(zero_copy_only=False))
    aware = naive if zone is None else naive.dt.tz_localize(zone)
    assert aware.dt.unit == unit
    assert counts(in_pandas(time=aware)) == EXPECTED
    arrow = pa.array(aware, pa.timestamp(unit, zone))
    for frame in (
        in_pyarrow(time=arrow),
        in_pandas(time=pd.array(arrow, pd.ArrowDtype(arrow.type))),
    ):
        assert counts(frame) == EXPECTED
    if unit != "s":  # which Polars does not have
        table = pl.from_arrow(in_pyarrow(time=arrow))
        assert table.schema["time"] == pl.Datetime(unit, zone)
        assert counts(table) == EXPECTED
        assert counts(table.lazy()) == EXPECTED


@pytest.mark.parametrize("kind", ["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS"])
def test_times_of_every_unit_in_duckdb(kind: str) -> None:
    relation = in_duckdb().project(f"customer_id, date_trunc('second', time)::{kind} AS time")
    assert counts(relation) == EXPECTED


def test_the_last_nanosecond_of_a_day_belongs_to_it() -> None:
    last = np.array(["2024-01-31T23:59:59.999999999"], "datetime64[ns]")
    for frame in (
        pd.DataFrame({"customer_id": [1], "time": last}),
        pl.DataFrame({"customer_id": [1], "time": last}).lazy(),
    ):
        cells = triangle(rows_of(cohort_retention(frame)))
        assert cells == {date(2024, 1, 1): [1]}


DATES = {
    "polars": in_polars(time=DAYS),
    "polars lazy": in_polars_lazily(time=DAYS),
    "pyarrow": in_pyarrow(time=DAYS),
    "duckdb": in_duckdb(time=DAYS),
    "pandas": in_pandas(time=pd.array(DAYS, dtype=pd.ArrowDtype(pa.date32()))),
    "pandas days": in_pandas(time=np.array(DAYS, "datetime64[D]")),
}


@pytest.mark.parametrize("frame", DATES.values(), ids=DATES)
def test_dates_are_midnights(frame: Any) -> None:
    assert counts(frame) == EXPECTED


AMOUNTS: dict[str, Any] = {
    "Int64": (in_pandas, pd.array([1, 2, 4], dtype="Int64")),
    "Float64": (in_pandas, pd.array([1.0, 2.0, 4.0], dtype="Float64")),
    "pandas arrow": (in_pandas, pd.array([1, 2, 4], dtype=pd.ArrowDtype(pa.int16()))),
    "pandas decimal": (
        in_pandas,
        pd.array([Decimal(1), Decimal(2), Decimal(4)], dtype=pd.ArrowDtype(pa.decimal128(9, 2))),
    ),
    "polars": (in_polars, [1, 2, 4]),
    "polars decimal": (in_polars, [Decimal(1), Decimal(2), Decimal(4)]),
    "polars lazy decimal": (in_polars_lazily, [Decimal(1), Decimal(2), Decimal(4)]),
    "polars float32": (in_polars, pl.Series([1, 2, 4], dtype=pl.Float32)),
    "polars uint8": (in_polars_lazily, pl.Series([1, 2, 4], dtype=pl.UInt8)),
    "pyarrow decimal": (in_pyarrow, [Decimal(1), Decimal(2), Decimal(4)]),
    "duckdb decimal": (in_duckdb, [Decimal(1), Decimal(2), Decimal(4)]),
    "duckdb": (in_duckdb, [1, 2, 4]),
}


@pytest.mark.parametrize(("make", "values"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_of_every_type(make: Callable[..., Any], values: Any) -> None:
    assert amounts(make(amount=values)) == [3.0, 4.0, 0.0]


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, None, 4], dtype="Int64"),
        pd.array([1.0, None, 4.0], dtype="Float64"),
        pd.array([1, None, 4], dtype=pd.ArrowDtype(pa.int64())),
        pd.array(pa.array([1.0, float("nan"), 4.0]), dtype=pd.ArrowDtype(pa.float64())),
    ],
    ids=["Int64", "Float64", "arrow", "arrow nan"],
)
def test_amounts_of_pandas_with_a_null(values: Any) -> None:
    frame = in_pandas(amount=values)
    call = lambda: cohort_retention(frame, amount="amount")  # noqa: E731
    complaint(ArgumentError, call, "`amount`", " 1 row", "of 3")


@each_kind
@pytest.mark.parametrize("infinite", [float("inf"), -float("inf")])
def test_infinite_amounts_are_refused(make: Callable[..., Any], infinite: float) -> None:
    # A sum of them would be infinite, or NaN, and a mean too.
    frame = make(amount=[1.0, infinite, infinite])
    call = lambda: cohort_retention(frame, amount="amount")  # noqa: E731
    complaint(ArgumentError, call, "'amount'", "`amount`", " 2 rows", "of 3", "infinite")


def booleans() -> dict[str, Any]:
    values = [True, False, True]
    return {
        "pandas": in_pandas(s=values),
        "boolean": in_pandas(s=pd.array(values, dtype="boolean")),
        "arrow": in_pandas(s=pd.array(values, dtype=pd.ArrowDtype(pa.bool_()))),
        "polars": in_polars(s=values),
        "polars lazy": in_polars_lazily(s=values),
        "pyarrow": in_pyarrow(s=values),
        "duckdb": in_duckdb(s=values),
    }


@pytest.mark.parametrize("frame", booleans().values(), ids=booleans())
def test_booleans_of_every_type(frame: Any) -> None:
    with pytest.warns(RetainkitWarning, match="1 customer"):
        cells = counts(frame, started="s", returned="s")
    assert cells == {date(2024, 1, 1): [1, 1], date(2024, 2, 1): [0]}


def test_a_frame_of_narwhals_is_the_frame_it_holds() -> None:
    assert counts(nw.from_native(in_polars())) == EXPECTED


# --- the ends of the calendar ----------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("day", [date(1, 2, 3), date(999, 12, 31), date(2300, 2, 28)], ids=str)
def test_dates_far_away(make: Callable[..., Any], day: date) -> None:
    times = [datetime(day.year, day.month, day.day)] * 3  # noqa: DTZ001
    frame = make(time=np.array(times, "datetime64[us]"))
    cells = cohort_retention(frame, cohort_period="day", period="day")
    assert triangle(rows_of(cells)) == {day: [2]}


@each_kind
def test_a_date_in_place_of_never_is_set_aside_like_others(make: Callable[..., Any]) -> None:
    frame = make(time=np.array([*TIMES[:2], datetime(9999, 12, 31)], "datetime64[us]"))  # noqa: DTZ001
    with pytest.warns(RetainkitWarning, match="1 of 3 rows"):
        assert counts(frame) == {date(2024, 1, 1): [2, 0], date(2024, 2, 1): [0]}


FARTHER: dict[str, Any] = {
    # There is no midnight after it.
    "last day": in_pandas(time=np.array(["9999-12-31T12"] * 3, "datetime64[us]")),
    "year 20000": in_pandas(time=np.array(["20000-01-01"] * 3, "datetime64[s]")),
    "year -5": in_pandas(time=np.array(["-0005-01-01"] * 3, "datetime64[s]")),
    "infinity": in_duckdb().project("customer_id, 'infinity'::timestamp AS time"),
}


@pytest.mark.parametrize("frame", FARTHER.values(), ids=FARTHER)
def test_times_beyond_the_calendar_are_refused(frame: Any) -> None:
    for options in ({}, {"as_of": "2024-03-01"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RetainkitWarning)
            try:
                cohort_retention(frame, **options)
            except RetainkitError as error:
                assert "time" in str(error)  # noqa: PT017
            else:
                # With an `as_of` before it there is nothing wrong with the last day.
                assert options


def test_a_stray_date_that_would_make_a_giant_of_the_table_is_refused() -> None:
    # Days of eight thousand years, down and across: said before the memory is asked for.
    times = np.array([*TIMES[:2], datetime(9999, 12, 30)], "datetime64[us]")  # noqa: DTZ001
    call = lambda: cohort_retention(in_pandas(time=times), cohort_period="day", period="day")  # noqa: E731
    complaint(ArgumentError, call, "2024-01-05", "9999-12-31", "as_of")


def test_an_aware_time_that_has_no_date_in_the_zone_is_refused() -> None:
    times = pd.Series(np.array(["0001-01-01"] * 3, "datetime64[us]")).dt.tz_localize("UTC")
    call = lambda: cohort_retention(in_pandas(time=times), tz="America/New_York")  # noqa: E731
    complaint(RetainkitError, call, "time")


# --- empty frames ------------------------------------------------------------------------------


@each_kind
def test_an_empty_frame_gives_an_empty_table(make: Callable[..., Any]) -> None:
    frame = nw.from_native(make()).filter(nw.col("customer_id") > 5).to_native()
    for options in ({}, {"as_of": "2024-03-01"}, {"missing": "drop"}):
        table = cohort_retention(frame, **options)
        assert rows_of(table) == []
        assert nw.from_native(table).columns == RESULTS


def test_an_empty_frame_of_pandas_has_no_types_to_check() -> None:
    # What pandas.DataFrame(columns=...) makes, and read_sql where nothing is found.
    frame = pd.DataFrame(columns=["customer_id", "time", "amount"])
    table = cohort_retention(frame, amount="amount")
    assert list(table) == [*RESULTS, "amount", "amount_per_customer"]
    assert len(table) == 0


# --- the errors themselves -----------------------------------------------------------------------


def test_every_error_is_the_builtin_one_expects() -> None:
    kinds = {
        "MissingColumnError": KeyError,
        "ColumnTypeError": TypeError,
        "ArgumentTypeError": TypeError,
        "ArgumentError": ValueError,
        "MissingDependencyError": ImportError,
    }
    for name, builtin in kinds.items():
        assert issubclass(getattr(errors, name), (builtin, RetainkitError))
        assert getattr(errors, name).__mro__.index(RetainkitError) == 1
    own = {name for name in errors.__all__ if name.endswith("Error")}
    assert own == {*kinds, "RetainkitError"}
    assert issubclass(RetainkitWarning, UserWarning)


@pytest.mark.parametrize(
    "error",
    [
        MissingColumnError("time", "tmie", ["customer_id", "time"]),
        ColumnTypeError("a column"),
        ArgumentTypeError("an argument"),
        ArgumentError("a value"),
        errors.MissingDependencyError("a package"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: RetainkitError) -> None:
    # One that cannot be unpickled breaks a whole pool of workers.
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
