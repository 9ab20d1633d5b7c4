"""Every way to store the same values: the result is that of the plain column, in every engine.

For each argument that names a column, and each type in which its values can be kept, that one
column is stored in it, beside others that stay as they are. So types meet that differ.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import BACKENDS, Backend, params
from registry import REGISTRY
from tables import Row
from test_contract import (
    assert_close,
    call,
    column_of,
    like,
    options_with,
    plain,
)

NAMED = {one.name: one for one in BACKENDS}
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


POLARS_STORAGES = [
    *(in_polars(str(one), SMALL, one) for one in (pl.Int8, pl.UInt8, pl.Float32)),
    *(
        in_polars(str(one), WHOLE, one)
        for one in (pl.Int32, pl.UInt64, pl.Int128, pl.UInt128, pl.Float64)
    ),
    in_polars("Decimal", NUMBERS, pl.Decimal(38, 16)),
    in_polars("Categorical", WORDS, pl.Categorical()),
    in_polars(
        "Enum",
        WORDS,
        pl.Enum(["very disappointed", "not", "a", "b", "first", "second", "EUR", "only"]),
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
    in_duckdb(
        WORDS, "ENUM('very disappointed', 'not', 'a', 'b', 'first', 'second', 'EUR', 'only')"
    ),
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
            except AssertionError as error:
                wrong.append(f"{storage.name}, {rows}: other result: {str(error)[:200]}")
            except Exception as error:  # noqa: BLE001
                wrong.append(f"{storage.name}, {rows}: {type(error).__name__} {str(error)[:300]}")
    assert not wrong, "\n".join(wrong)
