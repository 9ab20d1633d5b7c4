"""Every way to store the same values: the result is that of the plain column, in every engine.

For each argument that names a column, and each type in which its values can be kept, that one
column is stored in it, beside others that stay as they are. So types meet that differ.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import retainkit as rk
from backends import BACKENDS, Backend, params
from registry import REGISTRY
from retainkit.errors import (
    ArgumentError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitError,
)
from tables import Row, rows_of
from test_contract import (
    assert_close,
    call,
    column_of,
    like,
    options_with,
    plain,
)

NAMED = {one.name: one for one in BACKENDS}
# Months are told by their names, or are times: numbers of them are refused with what to write.
REFUSED = {("churn_rate_from_counts", "period")}
# One of each way to read a table, which is enough in quick runs.
QUICK = {"churn_rate", "cohort_retention", "key_drivers", "nps", "rfm_summary"}
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A type, and how a column of a frame is stored in it; `holds` are the values it can hold."""

    name: str
    holds: frozenset[str]
    store: Callable[[Any, str], Any]


# What values are, from the narrowest to the widest: small whole numbers, whole numbers, numbers
# (all of these also as ids), words, flags, times, midnights, and times with a zone.
SMALL = frozenset({"small"})
WHOLE = frozenset({"small", "whole"})
NUMBERS = WHOLE | {"number"}
WORDS_THERE_ARE = sorted(
    {
        value
        for entry in REGISTRY.values()
        for rows in entry.tables.values()
        for row in rows
        for value in row.values()
        if isinstance(value, str)
    }
)
WORDS, FLAGS = frozenset({"word"}), frozenset({"flag"})
DAYS = frozenset({"day"})
NAIVE = DAYS | {"time"}
AWARE = frozenset({"aware"})


def in_pandas(name: str, holds: frozenset[str], convert: Callable[[pd.Series], Any]) -> Storage:
    def store(frame: pd.DataFrame, column: str) -> pd.DataFrame:
        values = convert(frame[column])
        return frame.assign(**{column: pd.Series(values, index=frame.index)})

    return Storage(name=f"pandas {name}", holds=holds, store=store)


def objects(write: Callable[[Any], Any]) -> Callable[[pd.Series], Any]:
    """Write each value as a Python object, and None where there is none."""
    return lambda series: pd.Series(
        [None if pd.isna(value) else write(value) for value in series],
        index=series.index,
        dtype=object,
    )


def as_dtype(dtype: Any) -> Callable[[pd.Series], Any]:
    return lambda series: series.astype(dtype)


def in_arrow(dtype: Any) -> Callable[[pd.Series], Any]:
    def convert(series: pd.Series) -> Any:
        values = [None if pd.isna(value) else value for value in series.astype(object)]
        return pd.Series(arrow_array(values, dtype).to_pandas(types_mapper=pd.ArrowDtype))

    return convert


def arrow_array(values: Sequence[Any], dtype: Any) -> Any:
    """Make an Arrow array by way of the type that Arrow would choose."""
    if pa.types.is_decimal(dtype):
        values = [None if one is None else Decimal(str(one)) for one in values]
    if pa.types.is_dictionary(dtype):
        return pa.array(values, dtype.value_type).dictionary_encode().cast(dtype)
    if pa.types.is_floating(dtype) or pa.types.is_decimal(dtype):
        return pa.array(values).cast(dtype)
    if str(dtype) == "string_view":  # to which older versions cannot cast
        return pa.array(values, dtype)
    return pa.array(values).cast(dtype, safe=False)


PANDAS_STORAGES = [
    *(in_pandas(name, SMALL, as_dtype(name)) for name in ("int8", "uint8", "float32")),
    *(in_pandas(name, WHOLE, as_dtype(name)) for name in ("int32", "uint64", "Int64")),
    in_pandas("float64", WHOLE, as_dtype("float64")),
    *(in_pandas(name, NUMBERS, as_dtype(name)) for name in ("Float64",)),
    in_pandas("objects int", WHOLE, objects(int)),
    in_pandas("objects numpy", WHOLE, objects(np.int64)),
    in_pandas("objects float", NUMBERS, objects(float)),
    in_pandas("objects Decimal", NUMBERS, objects(lambda value: Decimal(str(value)))),
    in_pandas("categories of numbers", NUMBERS, as_dtype("category")),
    *(
        in_pandas(
            f"arrow {dtype}",
            NUMBERS if "double" in str(dtype) or "dec" in str(dtype) else WHOLE,
            in_arrow(dtype),
        )
        for dtype in (pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(38, 20))
    ),
    in_pandas("arrow uint8", SMALL, in_arrow(pa.uint8())),
    in_pandas(
        "arrow dictionary of numbers", WHOLE, in_arrow(pa.dictionary(pa.int32(), pa.int64()))
    ),
    *(
        in_pandas(name, WORDS, as_dtype(name))
        for name in ("object", "str", "string[python]", "string[pyarrow]", "category")
    ),
    *(
        in_pandas(f"arrow {dtype}", WORDS, in_arrow(dtype))
        for dtype in (
            pa.string(),
            pa.large_string(),
            pa.string_view(),
            pa.dictionary(pa.int32(), pa.string()),
        )
    ),
    in_pandas("objects bool", FLAGS, objects(bool)),
    in_pandas("objects numpy.bool", FLAGS, objects(np.bool_)),
    in_pandas("boolean", FLAGS, as_dtype("boolean")),
    in_pandas("arrow bool", FLAGS, in_arrow(pa.bool_())),
    *(
        in_pandas(f"datetime64[{unit}]", NAIVE, as_dtype(f"datetime64[{unit}]"))
        for unit in ("s", "ms", "us", "ns")
    ),
    in_pandas("objects Timestamp", NAIVE | AWARE, objects(pd.Timestamp)),
    in_pandas("objects datetime", NAIVE | AWARE, objects(lambda one: one.to_pydatetime())),
    in_pandas("objects datetime64", NAIVE, objects(lambda one: one.to_datetime64())),
    in_pandas("objects date", DAYS, objects(lambda one: one.date())),
    *(
        in_pandas(f"arrow timestamp[{unit}]", NAIVE, in_arrow(pa.timestamp(unit)))
        for unit in ("s", "ms", "us", "ns")
    ),
    in_pandas("arrow date32", DAYS, in_arrow(pa.date32())),
    in_pandas("arrow date64", DAYS, in_arrow(pa.date64())),
    in_pandas("datetime64[ns, Berlin]", AWARE, as_dtype("datetime64[ns, Europe/Berlin]")),
    in_pandas("arrow timestamp[ns, Berlin]", AWARE, in_arrow(pa.timestamp("ns", "Europe/Berlin"))),
    in_pandas("arrow timestamp[ms, Berlin]", AWARE, in_arrow(pa.timestamp("ms", "Europe/Berlin"))),
]


def in_polars(name: str, holds: frozenset[str], dtype: Any, through: Any = None) -> Storage:
    def store(frame: Any, column: str) -> Any:
        values = pl.col(column)
        return frame.with_columns(
            values.cast(through).cast(dtype) if through else values.cast(dtype)
        )

    return Storage(name=f"polars {name}", holds=holds, store=store)


# Older versions of Polars have none of 128 bits.
_WIDE_INTEGERS = [getattr(pl, name) for name in ("Int128", "UInt128") if hasattr(pl, name)]
POLARS_STORAGES = [
    *(in_polars(str(one), SMALL, one) for one in (pl.Int8, pl.UInt8, pl.Float32)),
    *(
        in_polars(str(one), WHOLE, one)
        for one in (pl.Int32, pl.UInt64, pl.Float64, *_WIDE_INTEGERS)
    ),
    in_polars("Decimal", NUMBERS, pl.Decimal(38, 16)),
    in_polars("Categorical", WORDS, pl.Categorical()),
    in_polars(
        "Enum",
        WORDS,
        pl.Enum(WORDS_THERE_ARE),
    ),
    *(in_polars(f"Datetime {unit}", NAIVE, pl.Datetime(unit)) for unit in ("ms", "us", "ns")),
    in_polars("Date", DAYS, pl.Date),
    *(
        in_polars(f"Datetime {unit} Berlin", AWARE, pl.Datetime(unit, "Europe/Berlin"))
        for unit in ("ms", "us", "ns")
    ),
]


def in_pyarrow(holds: frozenset[str], dtype: Any) -> Storage:
    def store(table: pa.Table, column: str) -> pa.Table:
        place = table.column_names.index(column)
        return table.set_column(place, column, arrow_array(table[column].to_pylist(), dtype))

    return Storage(name=f"pyarrow {dtype}", holds=holds, store=store)


PYARROW_STORAGES = [
    *(in_pyarrow(SMALL, one) for one in (pa.int8(), pa.uint8(), pa.float32())),
    *(in_pyarrow(WHOLE, one) for one in (pa.int32(), pa.uint64(), pa.float64())),
    in_pyarrow(WHOLE, pa.dictionary(pa.int32(), pa.int64())),
    *(in_pyarrow(NUMBERS, one) for one in (pa.decimal128(38, 20), pa.decimal256(60, 20))),
    *(in_pyarrow(WORDS, one) for one in (pa.large_string(), pa.string_view())),
    in_pyarrow(WORDS, pa.dictionary(pa.int32(), pa.string())),
    *(in_pyarrow(NAIVE, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
    *(in_pyarrow(DAYS, one) for one in (pa.date32(), pa.date64())),
    *(in_pyarrow(AWARE, pa.timestamp(unit, "Europe/Berlin")) for unit in ("s", "ms", "us", "ns")),
]


def in_duckdb(holds: frozenset[str], dtype: str) -> Storage:
    def store(relation: duckdb.DuckDBPyRelation, column: str) -> duckdb.DuckDBPyRelation:
        return relation.select(f'* REPLACE ("{column}"::{dtype} AS "{column}")')

    return Storage(name=f"duckdb {dtype}", holds=holds, store=store)


DUCKDB_STORAGES = [
    *(in_duckdb(SMALL, one) for one in ("TINYINT", "UTINYINT", "FLOAT")),
    *(in_duckdb(WHOLE, one) for one in ("INTEGER", "UBIGINT", "HUGEINT", "UHUGEINT", "DOUBLE")),
    *(in_duckdb(NUMBERS, one) for one in ("DECIMAL(38, 16)",)),
    in_duckdb(WORDS, f"ENUM({', '.join(map(repr, WORDS_THERE_ARE))})"),
    *(in_duckdb(NAIVE, one) for one in ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")),
    in_duckdb(DAYS, "DATE"),
    in_duckdb(AWARE, "TIMESTAMPTZ"),
]
STORAGES = {
    "pandas": PANDAS_STORAGES,
    "polars": POLARS_STORAGES,
    "polars-lazy": POLARS_STORAGES,
    "pyarrow": PYARROW_STORAGES,
    "duckdb": DUCKDB_STORAGES,
}


# --- rows ------------------------------------------------------------------------------------


def as_they_are(value: Any) -> Any:
    return value


def to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, dt.datetime) else value


def at_midnight(value: Any) -> Any:
    """Return the midnight that begins the day of a time, and other values as they are."""
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.datetime) else value


def in_berlin(value: Any) -> Any:
    return value.replace(tzinfo=BERLIN) if isinstance(value, dt.datetime) else value


ROWS = {"plain": as_they_are, "day": at_midnight, "aware": in_berlin}


def kind_of(rows: Sequence[Row], column: str) -> str:
    """Return what a column holds, by its values."""
    values = [row[column] for row in rows if row[column] is not None]
    shown = values[0]
    if isinstance(shown, bool):
        return "flag"
    if isinstance(shown, str):
        return "word"
    if isinstance(shown, dt.datetime):
        return "time"
    if any(value != int(value) for value in values):
        return "number"
    return "small" if all(0 <= value < 100 for value in values) else "whole"


def cases() -> list[Any]:
    """Return the arguments that name a column, of each function and on each backend."""
    backends = [NAMED[name] for name in STORAGES]
    return [
        pytest.param(
            backend,
            name,
            argument,
            id=f"{backend.name}-{name}-{argument}",
            marks=kind.marks if is_quick(backend, name) else [*kind.marks, pytest.mark.slow],
        )
        for backend, kind in zip(backends, params(backends), strict=True)
        for name, entry in REGISTRY.items()
        for argument in entry.columns
        if not (backend.lazy and entry.eager)
    ]


def is_quick(backend: Backend, name: str) -> bool:
    return backend.name == "pandas" and name in QUICK


def tables_of(name: str, backend: Backend, rows: str) -> dict[str, Any]:
    """Return the tables of an entry, their times changed."""
    change, tables = ROWS[rows], {}
    for table, given in REGISTRY[name].tables.items():
        changed = [{key: change(value) for key, value in row.items()} for row in given]
        tables[table] = backend.make(changed, like=like(changed))
    return tables


@cache
def expected(name: str, argument: str, backend: Backend, rows: str) -> Any:
    entry = REGISTRY[name]
    result = call(entry, tables_of(name, backend, rows), **options_with(entry, argument))
    return plain(result, entry.keys)


@pytest.mark.parametrize(("backend", "name", "argument"), cases(), indirect=["backend"])
def test_how_values_are_stored_means_nothing(name: str, argument: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    _, column, table = column_of(entry, argument)
    kind = kind_of(entry.tables[table], column)
    wrong = []
    for storage in STORAGES[backend.name]:
        for rows in ROWS if kind == "time" else ("plain",):
            value = {"plain": kind}.get(rows, rows)
            if value not in storage.holds or (value, rows) == ("time", "day"):
                continue
            tables = tables_of(name, backend, rows)
            tables[table] = storage.store(tables[table], column)
            want = expected(name, argument, backend, rows)
            try:
                result = call(entry, tables, **options_with(entry, argument))
                have = plain(result, entry.keys)
                assert_close(have, want)
            except RetainkitError as error:
                if (name, argument) not in REFUSED:
                    wrong.append(f"{storage.name}, {rows}: {type(error).__name__} {error}")
            except AssertionError as error:
                wrong.append(f"{storage.name}, {rows}: other result: {str(error)[:200]}")
            except Exception as error:  # noqa: BLE001
                wrong.append(f"{storage.name}, {rows}: {type(error).__name__} {str(error)[:300]}")
    assert not wrong, "\n".join(wrong)


# --- values at the ends ------------------------------------------------------------------------

CONNECTION = duckdb.connect()
START = dt.datetime(2024, 1, 1)  # noqa: DTZ001
MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars-lazy": pl.LazyFrame,
    "pyarrow": pa.table,
    "duckdb": lambda columns: CONNECTION.from_arrow(pa.table(columns)),
}
each_library = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
in_arrow_of_pandas = partial(pd.array, dtype=pd.ArrowDtype(pa.int64()))


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table], ids=["pandas", "pyarrow"])
def test_integers_above_2_to_the_53_are_amounts(make: Callable[..., Any]) -> None:
    large = 2**53 + 1
    values = in_arrow_of_pandas([large] * 2) if make is pd.DataFrame else [large] * 2
    frame = make({"customer_id": [1, 1], "time": [START] * 2, "amount": values})
    rows = rows_of(rk.cohort_retention(frame, amount="amount", as_of="2024-02-01"))
    assert [row["amount"] for row in rows] == [2.0**54]


@each_library
def test_ends_in_the_year_9999_stand_beside_nanoseconds(make: Callable[..., Any]) -> None:
    starts, never = [START, START + dt.timedelta(days=31)], dt.datetime(9999, 12, 31)  # noqa: DTZ001
    ends = [START + dt.timedelta(days=40), never]
    plain = make({"customer_id": [1, 2], "start": starts, "end": ends})
    fine: Any = pa.array(starts, pa.timestamp("ns"))
    if make is pd.DataFrame:
        fine = pd.Series(starts, dtype="datetime64[ns]")
    elif make in {pl.DataFrame, pl.LazyFrame}:
        fine = pl.Series(starts, dtype=pl.Datetime("ns"))
    mixed = make({"customer_id": [1, 2], "start": fine, "end": ends})
    for function in (rk.churn_rate, rk.survival_curve):
        have, want = (function(one, as_of="2024-03-01") for one in (mixed, plain))
        assert rows_of(have) == rows_of(want)


def test_the_last_nanosecond_of_a_day_is_in_it() -> None:
    last = pd.Timestamp("2024-01-31 23:59:59.999999999")
    table = pa.table({"customer_id": [1], "time": pa.array([last.value], pa.timestamp("ns"))})
    for frame in (table, CONNECTION.from_arrow(table), pl.from_arrow(table), table.to_pandas()):
        rows = rows_of(rk.active_users(frame, period="day"))
        assert [row["period"] for row in rows if row["active"]] == [dt.date(2024, 1, 31)]


@each_library
def test_large_integers_are_segments_of_their_own_beside_a_null(make: Callable[..., Any]) -> None:
    large = 2**60
    frame = make({"score": [10, 9, 0, 1, 5], "team": [large, large, large + 1, large + 1, None]})
    if make is pd.DataFrame:
        frame["team"] = pd.array([large, large, large + 1, large + 1, None], dtype="Int64")
    rows = rows_of(rk.nps(frame, by="team"))
    assert [(row["team"], row["nps"]) for row in rows][:2] == [(large, 100.0), (large + 1, -100.0)]


@pytest.mark.parametrize("dtype", ["HUGEINT", "UHUGEINT", "DECIMAL(38, 0)"])
def test_wide_integers_of_duckdb_are_segments_of_their_own(dtype: str) -> None:
    relation = CONNECTION.sql(
        f"SELECT score, (1152921504606846976 + more)::{dtype} AS team "  # noqa: S608
        "FROM (VALUES (10, 0), (0, 1)) AS t(score, more)"
    )
    rows = rows_of(rk.nps(relation, by="team"))
    assert [(int(row["team"]) - 2**60, row["nps"]) for row in rows] == [(0, 100.0), (1, -100.0)]


@each_library
def test_zero_and_minus_zero_are_one_segment(make: Callable[..., Any]) -> None:
    frame = make({"score": [10, 9, 1], "team": [0.0, -0.0, 0.0]})
    assert [row["n"] for row in rows_of(rk.nps(frame, by="team"))] == [3]
    if make is pd.DataFrame:
        frame["team"] = frame["team"].astype(pd.ArrowDtype(pa.float64()))
        assert [row["n"] for row in rows_of(rk.nps(frame, by="team"))] == [3]


@each_library
def test_counts_may_be_whole_floats(make: Callable[..., Any]) -> None:
    (row,) = rows_of(rk.nps(make({"score": [10, 3], "k": [45.0, 5.0]}), counts="k"))
    assert row["n"] == 50
    with pytest.raises(ColumnTypeError, match="whole numbers"):
        rk.nps(make({"score": [10, 3], "k": [45.5, 5.0]}), counts="k")


# --- names -------------------------------------------------------------------------------------


@each_library
@pytest.mark.parametrize("name", ["^c.*$", "*", "^$", "a.b", "`a`", 'say "c"', "self", "df"])
def test_a_column_is_the_one_that_is_called_so(make: Callable[..., Any], name: str) -> None:
    frame = make({"cat": [0, 0], "c2": [1, 1], name: [10, 9], "team": [1, 2]})
    (row,) = rows_of(rk.nps(frame, score=name))
    assert row["nps"] == 100
    rows = rows_of(rk.nps(frame, score="cat", by=name))
    assert [(row[name], row["nps"]) for row in rows] == [(9, -100.0), (10, -100.0)]
    log = make({name: [1, 2], "time": [START] * 2, "cat": [7, 7], "amount": [1.0, 2.0]})
    summary = rk.rfm_summary(log, customer=name, amount="amount")
    assert sorted(row[name] for row in rows_of(summary)) == [1, 2]
    weighted = rk.rake(frame, {name: {9: 0.75, 10: 0.25}}).responses
    found = {row[name]: row["weight"] for row in rows_of(weighted)}
    assert found == pytest.approx({9: 1.5, 10: 0.5})
    with pytest.raises(MissingColumnError) as caught:
        rk.nps(frame)
    assert repr(name) in str(caught.value)


# --- what is said ------------------------------------------------------------------------------


def test_of_many_columns_the_nearest_are_named() -> None:
    frame = pl.DataFrame({f"column_{i}": [1] for i in range(3000)} | {"scroe": [10]})
    with pytest.raises(MissingColumnError) as caught:
        rk.nps(frame)
    text = str(caught.value)
    assert len(text) < 400
    for part in ("'scroe'", "2,996 others", "Did you mean 'scroe'?"):
        assert part in text


@each_library
def test_nothing_but_nulls_is_called_so(make: Callable[..., Any]) -> None:
    frame = make({"customer_id": [1, 2], "time": [None, None]})
    with pytest.raises(ColumnTypeError, match=r"'time'.*holds nothing but nulls; it must"):
        rk.cohort_retention(frame)


@each_library
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_the_year_1_is_read_or_refused(make: Callable[..., Any], zone: str) -> None:
    first = dt.datetime(1, 1, 1, 0, 30, tzinfo=dt.UTC)
    frame = make({"customer_id": [1], "time": [first]})
    if zone == "America/New_York":  # where it was still the year before
        with pytest.raises(ArgumentError, match="goes beyond the calendar"):
            rk.cohort_retention(frame, tz=zone, as_of="0001-02-03")
        return
    rows = rows_of(rk.cohort_retention(frame, tz=zone, as_of="0001-02-03"))
    assert [row["customers"] for row in rows] == [1]


def test_currencies_need_not_be_of_one_kind() -> None:
    table = pd.DataFrame(
        {
            "customer_id": [1, 2],
            "start": [START] * 2,
            "end": pd.to_datetime([None, None]),  # type: ignore[arg-type]
            "mrr": [1.0, 2.0],
            "currency": pd.Series(["EUR", 978], dtype=object),
        }
    )
    with pytest.raises(ArgumentError, match="2 currencies"):
        rk.mrr_movements(table, currency="currency")
    rates: Any = {"EUR": 1.0, 978: 1.0}
    assert len(rk.mrr_movements(table, currency="currency", rates=rates)) == 0


@each_library
def test_a_name_that_durations_do_not_need_is_checked(make: Callable[..., Any]) -> None:
    frame = make({"duration": [1.0, 2.0], "observed": [True, False], "who": [1, 2]})
    with pytest.raises(MissingColumnError, match="`customer` needs the column 'nope'"):
        rk.survival_curve(frame, duration="duration", customer="nope")
    options: dict[str, Any] = {"duration": "duration", "observed": "observed"}
    have = rk.survival_curve(frame, customer="who", **options)
    assert rows_of(have) == rows_of(rk.survival_curve(frame, **options))


@pytest.mark.parametrize(
    "dtype", [pa.null(), pa.string(), pa.int64(), pa.dictionary(pa.int32(), pa.string())], ids=str
)
def test_segments_that_are_all_null_are_one(dtype: Any) -> None:
    table = pa.table({"score": [5, 4, 1], "plan": pa.nulls(3, dtype), "team": ["a", "b", None]})
    (row,) = rows_of(rk.csat(table, by="plan", observed=False))
    assert (row["plan"], row["n"]) == (None, 3)
    assert len(rows_of(rk.csat(table, by=["plan", "team"], observed=False))) == 3
