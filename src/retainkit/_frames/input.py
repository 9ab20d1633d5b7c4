"""Convert native frames to narwhals frames, and check that columns are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.advice import index_advice, result_advice, source_advice, table_advice
from retainkit._frames.arrays import is_null
from retainkit._frames.arrow_extensions import is_view
from retainkit._frames.names import inner_name, outer_name, with_inner_names
from retainkit._frames.pandas_types import plain_series, with_integers, with_native_columns
from retainkit._frames.plain_types import WIDE, StandsFor, with_plain_types
from retainkit._typing import Array
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError

Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"
_KINDS = "a pandas, Polars or PyArrow table, a DuckDB relation or a PySpark DataFrame"

# Frames


def from_native(native: Any, argument: str) -> Frame:
    """Return a native frame of any supported kind as a narwhals frame."""
    try:
        frame: Frame = nw.from_native(native)
    except TypeError:
        kind = f"{type(native).__module__}.{type(native).__qualname__}"
        kind = re.sub(r"^(retainkit)\..*\b(\w+)$", r"\1.\2", kind)  # by its public name
        raise ArgumentTypeError(
            f"`{argument}` is a {kind}; it must be {_KINDS}.",
            argument=argument,
        ) from None
    except nw.exceptions.DuplicateError as error:
        _, _, names = str(error).partition("\n")
        raise ArgumentError(
            f"`{argument}` has several columns of one name; rename them first:\n{names}",
            code="duplicate_columns",
            argument=argument,
        ) from None
    return with_inner_names(_decode_dictionaries(frame))


def series_of(native: Any) -> dict[Any, nw.Series[Any]]:
    """Return the columns of a table in memory under their names, all just as they are."""
    frame: Any = nw.from_native(native)
    return dict(zip(frame.columns, frame.iter_columns(), strict=True))


def _decode_dictionaries(frame: Frame) -> Frame:
    """Return the frame with plain values for PyArrow's dictionaries, a type foreign to pandas.

    Views of strings, on which PyArrow itself can do little, become strings.
    """
    if frame.implementation.is_pyarrow():
        table = frame.to_native()
        views = [one.name for one in table.schema if is_view(one.type)]
        plain_views, _ = with_plain_types(frame, dict.fromkeys(views, "ids"))
        return plain_views
    if isinstance(frame, nw.LazyFrame) or not frame.implementation.is_pandas():
        return frame
    native, plain = frame.to_native(), {}
    for column, dtype in native.dtypes.items():
        arrow = getattr(dtype, "pyarrow_dtype", None)
        if arrow is not None and frame[column].dtype == nw.Categorical:
            plain[column] = native[column].astype(type(dtype)(arrow.value_type))
        elif is_view(arrow):
            plain[column] = plain_series(native[column], "ids")
    return with_native_columns(frame, plain)


def read_result(
    native: Any,
    *,
    argument: str,
    columns: Sequence[str],
    made_by: Sequence[str] = (),
    numbers: Sequence[str] = (),
) -> nw.DataFrame[Any]:
    """Read a result of this library, a small table, and check that it has the columns it needs.

    `made_by` names the functions that make such a table. Columns of `numbers` get plain types,
    those that are there.
    """
    try:
        frame = from_native(native, argument)
    except ArgumentTypeError as error:
        advice = result_advice(argument, made_by, [])
        raise ArgumentTypeError(f"{error} {advice}", code=error.code, argument=argument) from None
    present = frame.collect_schema().names()
    for column in columns:
        if column not in present:
            advice = index_advice(frame, column) or result_advice(argument, made_by, present)
            raise MissingColumnError(argument, column, _outer_names(present), advice)
    return with_plain_numbers(collect(frame), numbers=[one for one in numbers if one in present])


def check_present(argument: str, column: object, frame: Frame, *, source: bool = False) -> None:
    """Check that a column named by an argument is there.

    A frame that must be a `source`, and is a result, is called one whatever it lacks.
    """
    if not isinstance(column, str):
        raise ArgumentTypeError(
            f"`{argument}` is {column!r}; it must be the name of a column.",
            argument=argument,
        )
    schema = frame.collect_schema()
    if inner_name(frame, column) not in schema.names():
        advice = index_advice(frame, column) or table_advice(argument, column, schema)
        advice = advice or (source_advice(schema.names()) if source else "")
        raise MissingColumnError(argument, column, _outer_names(schema.names()), advice)


def _outer_names(names: Sequence[Any]) -> list[Any]:
    return [outer_name(name) if isinstance(name, str) else name for name in names]


def collect(frame: Frame) -> nw.DataFrame[Any]:
    """Collect a small frame into memory: Polars as Polars, every other lazy engine as pandas."""
    if isinstance(frame, nw.DataFrame):
        return frame
    if is_polars(frame):
        return frame.collect("polars")
    return _collect_pyspark(frame) if frame.implementation.is_pyspark() else _collect_duckdb(frame)


def _collect_pyspark(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    # By way of Arrow: its own way to pandas warns of what it does not know of pandas 3.
    table = frame.collect("pyarrow")
    found: nw.DataFrame[Any] = nw.from_native(table.to_native().to_pandas())
    integers = {
        name: table[name].to_list()
        for name, dtype in table.schema.items()
        if dtype.is_integer() and _has_large_floats(found[name])
    }
    return with_integers(found, integers)


def _collect_duckdb(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Collect a frame, with integers where DuckDB makes floats or has nothing for pandas."""
    schema = frame.collect_schema()
    large = [name for name, dtype in schema.items() if dtype == nw.UInt128]
    if not large:
        found = frame.collect("pandas")
        wide = [name for name, one in schema.items() if one in WIDE or one == nw.Decimal]
        large = [name for name in wide if _has_large_floats(found[name])]
    if not large:
        return found
    found = frame.with_columns(nw.col(*large).cast(nw.String)).collect("pandas")
    integers = {
        name: [int(Decimal(one)) if isinstance(one, str) else None for one in found[name].to_list()]
        for name in large
    }
    return with_integers(found, integers)


def _has_large_floats(series: nw.Series[Any]) -> bool:
    """Return whether there are floats beyond those that hold all whole numbers."""
    return series.dtype.is_float() and bool((series.abs() >= 2**53).any())


def with_plain_numbers(
    frame: nw.DataFrame[Any], *, numbers: Sequence[str], ids: Sequence[str] = ()
) -> nw.DataFrame[Any]:
    """Return a frame in memory with plain types in some columns."""
    kinds: dict[str, StandsFor] = {**dict.fromkeys(ids, "ids"), **dict.fromkeys(numbers, "numbers")}
    plain, _ = with_plain_types(frame, kinds)
    return collect(plain)


def count_rows(rows: Frame) -> int:
    """Count the rows, in the engine that holds them."""
    return int(collect(rows.select(rows=nw.len())).item(0, "rows"))


def is_polars(frame: Frame) -> bool:
    """Return whether a frame is one of Polars."""
    return frame.implementation.is_polars()


def is_pandas(frame: Frame) -> bool:
    """Return whether a frame is one of pandas."""
    return frame.implementation.is_pandas()


# Values of a column


def instants_of(times: nw.Series[Any]) -> Array:
    """Return times as instants: microseconds since 1970, in UTC where they have a zone."""
    # A collected column of an engine may have a zone whose name narwhals does not know.
    frame, _ = with_plain_types(times.alias("time").to_frame(), {"time": "times"})
    times = collect(frame)["time"]
    if getattr(times.dtype, "time_zone", None) is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    instants: Array = times.to_numpy().astype("datetime64[us]", copy=False).view(np.int64)
    return instants


def instants_or(times: nw.Series[Any], missing: int) -> Array:
    """Return times as instants, with a number for those that are null."""
    null = is_null(times)
    if not null.any():
        return instants_of(times)
    instants = instants_of(times).copy()  # it may be the memory of the caller
    instants[null] = missing
    return instants
