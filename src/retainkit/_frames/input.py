"""Convert native frames to narwhals frames, and check that columns are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.advice import result_advice, table_advice
from retainkit._time.zones import zone_like
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
    return _decode_dictionaries(frame)


def _decode_dictionaries(frame: Frame) -> Frame:
    """Return the frame with plain values for PyArrow's dictionaries, a type foreign to pandas."""
    if isinstance(frame, nw.LazyFrame) or not frame.implementation.is_pandas():
        return frame
    native, plain = frame.to_native(), {}
    for column, dtype in native.dtypes.items():
        arrow = getattr(dtype, "pyarrow_dtype", None)
        if arrow is not None and frame[column].dtype == nw.Categorical:
            plain[column] = native[column].astype(type(dtype)(arrow.value_type))
    return nw.from_native(native.assign(**plain)) if plain else frame


def read_result(
    native: Any, *, argument: str, columns: Sequence[str], made_by: Sequence[str] = ()
) -> nw.DataFrame[Any]:
    """Read a result of this library, a small table, and check that it has the columns it needs.

    `made_by` names the functions that make such a table.
    """
    try:
        frame = from_native(native, argument)
    except ArgumentTypeError as error:
        advice = result_advice(argument, made_by, [])
        raise ArgumentTypeError(f"{error} {advice}", code=error.code, argument=argument) from None
    present = frame.collect_schema().names()
    for column in columns:
        if column not in present:
            advice = result_advice(argument, made_by, present)
            raise MissingColumnError(argument, column, present, advice)
    return collect(frame)


def check_present(argument: str, column: object, frame: Frame) -> None:
    """Check that a column named by an argument is there."""
    if not isinstance(column, str):
        raise ArgumentTypeError(
            f"`{argument}` is {column!r}; it must be the name of a column.",
            argument=argument,
        )
    schema = frame.collect_schema()
    if column not in schema.names():
        advice = table_advice(argument, column, schema)
        raise MissingColumnError(argument, column, schema.names(), advice)


def collect(frame: Frame) -> nw.DataFrame[Any]:
    """Collect a small frame into memory: Polars as Polars, every other lazy engine as pandas."""
    if isinstance(frame, nw.DataFrame):
        return frame
    if frame.implementation.is_pyspark():
        # By way of Arrow: its own way to pandas warns of what it does not know of pandas 3.
        table: nw.DataFrame[Any] = nw.from_native(frame.collect("pyarrow").to_native().to_pandas())
        return table
    return frame.collect("polars" if is_polars(frame) else "pandas")


def count_rows(rows: Frame) -> int:
    """Count the rows, in the engine that holds them."""
    return int(collect(rows.select(rows=nw.len())).item(0, "rows"))


def is_polars(frame: Frame) -> bool:
    """Return whether a frame is one of Polars."""
    return frame.implementation.is_polars()


# Columns of pandas


def normalize_pandas(
    frame: Frame, times: Sequence[str], expected: Mapping[str, str]
) -> tuple[Frame, dict[str, tzinfo]]:
    """Return the frame with columns of pandas that narwhals can read, and the zones of its times.

    Aware times are passed on in UTC: narwhals reads a zone off the name of the type and misses
    some, such as names with an underscore (America/New_York). Columns of an empty frame that
    have no type get the `expected` one.
    """
    if not frame.implementation.is_pandas():
        return frame, {}
    native = frame.to_native()
    dtypes = {column: native[column].dtype for column in times}
    own = {
        column: getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)
        for column, dtype in dtypes.items()
    }
    zones = {column: zone_like(zone) for column, zone in own.items() if zone is not None}
    changed = {column: native[column].dt.tz_convert("UTC") for column in zones}
    if native.empty:
        changed |= {
            column: native[column].astype(dtype)
            for column, dtype in expected.items()
            if native[column].dtype == object
        }
    return nw.from_native(native.assign(**changed)) if changed else frame, zones


# Values of a column


def instants_of(times: nw.Series[Any]) -> Array:
    """Return times as instants: microseconds since 1970, in UTC where they have a zone."""
    # A collected column of an engine may have a zone whose name narwhals does not know.
    frame, _ = normalize_pandas(
        times.alias("time").to_frame(), ["time"], {"time": "datetime64[us]"}
    )
    times = collect(frame)["time"]
    if getattr(times.dtype, "time_zone", None) is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    instants: Array = times.to_numpy().astype("datetime64[us]", copy=False).view(np.int64)
    return instants


def instants_or(times: nw.Series[Any], missing: int) -> Array:
    """Return times as instants, with a number for those that are null."""
    # Without a null, some kinds of arrays would have no room for it.
    known = ~times.is_null().to_numpy().astype(bool)
    if known.all():
        return instants_of(times)
    instants = np.full(len(times), missing)
    instants[known] = instants_of(times.filter(known.tolist()))
    return instants
