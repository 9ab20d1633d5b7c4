"""Bring tables into the engine of another one, to be joined with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_null, values_with_none
from retainkit._frames.dtypes import is_categorical
from retainkit._frames.factorize import factorize
from retainkit._frames.input import Frame, collect, instants_of, is_polars
from retainkit._frames.names import inner_name
from retainkit._frames.output import build_like, from_columns, to_native
from retainkit._frames.pandas_types import with_integers
from retainkit._typing import Array, NativeT

JoinStrategy: TypeAlias = Literal["inner", "left", "anti", "semi"]
_DTYPES = {"f": nw.Float64, "i": nw.Int64}


def to_engine_of(
    frame: nw.LazyFrame[Any], columns: Mapping[str, Array | nw.Series[Any]]
) -> nw.LazyFrame[Any]:
    """Build a small frame in the engine of another, on its connection, to be joined with it."""
    plain = {
        name: one.to_native() if isinstance(one, nw.Series) else one
        for name, one in columns.items()
    }
    if is_polars(frame):
        # Numbers in an array of objects would be objects there, too.
        lists = {name: _as_list(one) for name, one in plain.items()}
        return nw.from_dict(lists, backend="polars").lazy()
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    small = pd.DataFrame(plain)
    native = frame.to_native()
    if frame.implementation.is_duckdb():
        # The query runs on the connection of the relation and finds the variable by its name.
        native = native.query("_", "select * from small")
    else:
        import pyarrow as pa  # noqa: PLC0415  comes with PySpark
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415

        table = pa.Table.from_pandas(small)
        # By default Spark takes naive times for instants in the zone of its session.
        schema = from_arrow_schema(table.schema, prefer_timestamp_ntz=True)
        native = native.sparkSession.createDataFrame(table, schema)
    made: nw.LazyFrame[Any] = nw.from_native(native)
    return made


def _as_list(values: Any) -> Any:
    """Return an array of Python objects as a list."""
    return values.tolist() if getattr(values, "dtype", None) == np.dtype(object) else values


def return_to_engine(frame: Frame, table: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> Frame:
    """Return a table that was computed from a collected frame to the engine of that frame."""
    if isinstance(frame, nw.DataFrame) or isinstance(table, nw.LazyFrame):
        return table
    if is_polars(frame):
        return table.lazy()
    made = to_engine_of(frame, {name: table[name] for name in table.columns})
    if not len(table):  # the engine cannot see a type without a value
        made = made.select(*(nw.col(name).cast(one) for name, one in table.schema.items()))
    return made


def build_in_engine(given: Frame, columns: Mapping[str, Any]) -> NativeT:  # type: ignore[type-var]
    """Build a native table of arrays or series, of the kind of `given` and in its engine."""
    result: NativeT = to_native(table_in_engine(given, columns))
    return result


def table_in_engine(given: Frame, columns: Mapping[str, Any]) -> Frame:
    """Build a table of arrays or series, of the kind of `given` and in its engine."""
    table: nw.DataFrame[Any] = nw.from_native(build_like(given, columns))
    return return_to_engine(given, table)


def with_dates(table: Frame, names: Sequence[str]) -> Frame:
    """Return a table of an engine with dates in some columns; pandas made times of them."""
    if isinstance(table, nw.DataFrame) or not names:
        return table
    return table.with_columns(nw.col(inner_name(table, name)).cast(nw.Date) for name in names)


def to_kind_of(frame: Frame, table: Frame) -> Frame:
    """Return a table as one of the kind of a frame, in its engine, to be joined with it.

    Of one lazy engine it stays where it is; between kinds it goes by way of its values.
    """
    if isinstance(table, nw.LazyFrame) and can_be_joined(frame, table):
        return table
    small = collect(table)
    in_memory = isinstance(frame, nw.DataFrame) or is_polars(frame)
    backend: Any = frame.implementation if in_memory else nw.Implementation.PANDAS
    if small.implementation != backend:
        small = from_columns({name: _rebuilt(small[name], backend) for name in small.columns})
    return small if isinstance(frame, nw.DataFrame) else return_to_engine(frame, small)


def can_be_joined(frame: Frame, table: Frame) -> bool:
    """Return whether two frames are of one engine and, in DuckDB, of one connection."""
    engine = table.implementation
    if type(frame) is not type(table) or frame.implementation != engine:
        return False
    if not engine.is_duckdb():
        return True
    import duckdb  # noqa: PLC0415  importing retainkit does not import it

    relation: Any = frame.to_native()
    try:
        # A relation and what was made of it have one name, which must not be there twice.
        relation.set_alias("first").cross(table.to_native().set_alias("second"))
    except duckdb.InvalidInputException:
        return False
    return True


def _rebuilt(series: nw.Series[Any], backend: Any) -> nw.Series[Any]:
    """Build a series anew in another library; times with a zone come in UTC."""
    dtype, lacks = series.dtype, is_null(series)
    if dtype == nw.Datetime or dtype == nw.Date:  # noqa: PLR1714  dtypes hash by parameter
        times = instants_of(series).astype("datetime64[us]")
        times[lacks] = None
        made = nw.new_series(series.name, times, backend=backend)
        aware = getattr(dtype, "time_zone", None) is not None
        return made.dt.replace_time_zone(str(UTC)) if aware else made
    if is_categorical(dtype):
        series, dtype = series.cast(nw.String), nw.String()
    values = values_with_none(series)
    if backend == nw.Implementation.PANDAS and lacks.any():
        if dtype.is_integer():  # which have no null in NumPy
            nothing = nw.new_series(series.name, [None] * len(values), nw.Float64, backend=backend)
            return with_integers(nothing.to_frame(), {series.name: values})[series.name]
        if dtype == nw.Boolean:  # NumPy reads a null as False
            return nw.new_series(series.name, values, backend=backend)
    plain = dtype.is_integer() or dtype.is_float() or isinstance(dtype, nw.String | nw.Boolean)
    return nw.new_series(series.name, values, dtype if plain else None, backend=backend)


def join(frame: Frame, table: Any, *, how: JoinStrategy) -> Frame:
    """Join a table of the same kind, by customer."""
    return frame.join(table, on="customer", how=how)


def join_in_order(
    frame: nw.LazyFrame[Any], table: nw.LazyFrame[Any], on: Sequence[str]
) -> nw.LazyFrame[Any]:
    """Join a table of the same engine, in the order of `frame` where that has one: in Polars."""
    if not is_polars(frame):
        return frame.join(table, on=[*on])
    rows: Any = frame.to_native()
    rows = rows.with_row_index("row").join(table.to_native(), on=[*on])
    joined: nw.LazyFrame[Any] = nw.from_native(rows.sort("row").drop("row"))
    return joined


def map_values(frame: Frame, on: str, columns: Mapping[str, Array]) -> Frame:
    """Add to each row the values that `columns` have for its value in the column `on`, or null.

    Where they have several rows for one value, the frame gets a row for each.
    """
    if not len(columns[on]):  # there is no type by which to join
        return frame.with_columns(
            nw.lit(None, _DTYPES[values.dtype.kind]).alias(name)
            for name, values in columns.items()
            if name != on
        )
    if isinstance(frame, nw.LazyFrame):
        return frame.join(to_engine_of(frame, columns), on=on, how="left")
    plain = {name: values.tolist() for name, values in columns.items()}
    table = nw.from_dict(plain, backend=frame.implementation)
    return frame.join(table, on=on, how="left")


# What is known of segments, brought to the rows of a lazy frame


def with_segment_numbers(
    rows: nw.LazyFrame[Any], segments: Mapping[str, nw.Series[Any]]
) -> nw.LazyFrame[Any]:
    """Add the column ``segment`` to rows: the number of the segment, by its row in `segments`.

    A join finds no null: each value of a key has a code, by which the segments are found.
    """
    widths, codes = [], []
    for key, values in segments.items():
        code, _ = factorize(values, sort=False)
        distinct, first = np.unique(code[code >= 0], return_index=True)
        present = np.flatnonzero(code >= 0)[first]
        name = f"{key}_code"
        known = nw.lit(None, nw.Int64)
        if len(distinct):
            small = to_engine_of(rows, {key: values[present.tolist()], name: distinct})
            rows = rows.join(small, on=key, how="left")
            known = nw.col(name)
        null = nw.lit(len(distinct)).cast(nw.Int64)
        rows = rows.with_columns(nw.when(~known.is_null()).then(known).otherwise(null).alias(name))
        widths.append(len(distinct) + 1)
        codes.append(np.where(code < 0, len(distinct), code))
    number, combined = nw.lit(0), np.zeros(len(codes[0]), np.int64)
    for key, width, code in zip(segments, widths, codes, strict=True):
        number, combined = number * width + nw.col(f"{key}_code"), combined * width + code
    rows = rows.with_columns(combined=number.cast(nw.Int64))
    numbers = {"combined": combined, "segment": np.arange(len(combined))}
    return rows.join(to_engine_of(rows, numbers), on="combined", how="left")


def with_values_of(rows: nw.LazyFrame[Any], columns: Mapping[str, Array]) -> nw.LazyFrame[Any]:
    """Add columns to rows that have a number of their ``segment``: the values of that segment."""
    length = len(next(iter(columns.values())))
    table = to_engine_of(rows, {"segment": np.arange(length), **columns})
    return rows.join(table, on="segment", how="left")
