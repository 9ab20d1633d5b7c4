"""Give columns plain types: whatever stands for a time, a number or a flag becomes one.

Frames keep the same values in many types, not all of which narwhals reads or compares with others:
Python objects, Arrow's types in pandas, dates in milliseconds, integers of 128 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._frames.arrow_extensions import is_extension, is_view, stored, strings
from retainkit._frames.names import quoted
from retainkit._frames.pandas_types import plain_series, with_native_columns, zone_of_series
from retainkit._time.zones import zone_like

if TYPE_CHECKING:
    from retainkit._frames.input import Frame

StandsFor: TypeAlias = Literal["ids", "segments", "times", "numbers", "counts", "flags"]
"""What the values of a column stand for."""

WIDE = (nw.Int128, nw.UInt128)
"""Types of integers that NumPy does not have."""


def with_plain_types(
    frame: Frame, columns: Mapping[str, StandsFor]
) -> tuple[Frame, dict[str, tzinfo]]:
    """Return the frame with plain types in some columns, and the zones of pandas' times.

    What has no plain type stays as it is.
    """
    engine = frame.implementation
    if engine.is_pandas():
        return _plain_pandas(frame, columns)
    if engine.is_pyarrow():
        return _plain_pyarrow(frame, columns), {}
    if engine.is_polars():
        return _plain_polars(frame, columns), {}
    return (_plain_duckdb(frame, columns) if engine.is_duckdb() else frame), {}


def _plain_pandas(
    frame: Frame, columns: Mapping[str, StandsFor]
) -> tuple[Frame, dict[str, tzinfo]]:
    """Return the frame with plain types; aware times are passed on in UTC.

    narwhals reads a zone off the name of the type and misses some, such as names with an underscore
    (America/New_York).
    """
    native, changed, zones = frame.to_native(), {}, {}
    for column, stands_for in columns.items():
        series = native[column]
        plain = plain_series(series, stands_for)
        zone = zone_of_series(plain) if stands_for == "times" else None
        if zone is not None:
            zones[column] = zone_like(zone)
            plain = plain.dt.tz_convert("UTC")
        if plain is not series:
            changed[column] = plain
    return with_native_columns(frame, changed), zones


def _plain_pyarrow(frame: Frame, columns: Mapping[str, StandsFor]) -> Frame:
    table = frame.to_native()
    for column, stands_for in columns.items():
        values = table[column]
        plain = _plain_array(values, stands_for)
        if plain is not values:
            table = table.set_column(table.column_names.index(column), column, plain)
    plain_frame: Frame = nw.from_native(table)
    return plain_frame


def _plain_array(values: Any, stands_for: StandsFor) -> Any:
    """Return a column of PyArrow with a plain type, or as it is where there is none."""
    import pyarrow as pa  # noqa: PLC0415  comes with the frame
    import pyarrow.compute as pc  # noqa: PLC0415

    dtype, name = values.type, str(values.type)
    if stands_for == "times" and name.startswith("timestamp[ns"):
        # Unless they are whole, Arrow refuses to make microseconds of them.
        values = pc.floor_temporal(values, unit="microsecond")
        return values.cast(pa.timestamp("us", dtype.tz))
    if stands_for == "times" and name.startswith("date64"):
        return values.cast(pa.timestamp("us"))
    if stands_for in {"ids", "segments"}:
        return _plain_ids(values, as_text=stands_for == "segments")
    return _plain_numbers(values, stands_for) if stands_for in {"numbers", "counts"} else values


def _plain_ids(values: Any, *, as_text: bool) -> Any:
    """Return ids of a type that Arrow sorts, groups and joins by."""
    import pyarrow as pa  # noqa: PLC0415  comes with the frame

    if is_extension(values.type):
        return stored(values, as_text=as_text)
    if is_view(values.type):
        return strings(values)
    return values.cast(pa.string()) if values.type == pa.null() else values


def _plain_numbers(values: Any, stands_for: StandsFor) -> Any:
    import pyarrow as pa  # noqa: PLC0415  comes with the frame

    dtype, name = values.type, str(values.type)
    if pa.types.is_dictionary(dtype):
        return _plain_numbers(values.cast(dtype.value_type), stands_for)
    if name.startswith("decimal") or (stands_for == "numbers" and name in {"int64", "uint64"}):
        # Unless it is told so, Arrow refuses to make floats of integers above 2^53.
        return values.cast(pa.float64(), safe=False)
    return values


def _plain_polars(frame: Frame, columns: Mapping[str, StandsFor]) -> Frame:
    schema = frame.collect_schema()
    wide = [
        nw.col(column).cast(nw.Float64)
        for column, stands_for in columns.items()
        if stands_for == "numbers" and schema[column] in WIDE
    ]
    return frame.with_columns(*wide) if wide else frame


def _plain_duckdb(frame: Frame, columns: Mapping[str, StandsFor]) -> Frame:
    """Return a relation in which times have microseconds.

    DuckDB's cast from nanoseconds rounds: the last of a day would become the midnight after it.
    """
    schema = frame.collect_schema()
    fine = [
        quoted(column)
        for column, stands_for in columns.items()
        if stands_for == "times" and getattr(schema[column], "time_unit", None) == "ns"
    ]
    if not fine:
        return frame
    floored = (
        f"make_timestamp((epoch_ns({name}) - (epoch_ns({name}) % 1000 + 1000) % 1000) // 1000) "
        f"AS {name}"
        for name in fine
    )
    plain: Frame = nw.from_native(frame.to_native().select(f"* REPLACE ({', '.join(floored)})"))
    return plain
