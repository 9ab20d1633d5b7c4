"""Rows of frames and columns in memory: some of them, in another order, or below one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_null
from retainkit._frames.input import Frame, is_polars
from retainkit._frames.output import integers_or_null, values_or_null
from retainkit._frames.plain_types import WIDE
from retainkit._typing import Integers, NativeT

FrameT = TypeVar("FrameT", bound=Frame)

_NAMES = {"pandas": "pandas", "polars": "Polars", "pyarrow": "PyArrow"}
_NAMES |= {"duckdb": "DuckDB", "pyspark": "PySpark"}


def engine_name(frame: Frame) -> str:
    """Return what messages call the library that holds a frame."""
    name = _NAMES.get(frame.implementation.value, frame.implementation.name.title())
    return f"{name} (lazy)" if is_polars(frame) and isinstance(frame, nw.LazyFrame) else name


def with_one_text_type(frame: Frame, column: str) -> Frame:
    """Return a frame with PyArrow's plain strings in a column of texts.

    It has several types of them, which do not meet in a join.
    """
    if frame.implementation.is_pyarrow() and frame.collect_schema()[column] == nw.String:
        return frame.with_columns(nw.col(column).cast(nw.String))
    return frame


def distinct_rows(frame: FrameT, *columns: str) -> FrameT:
    """Return the distinct rows of some columns.

    DuckDB groups them in a third of the time that narwhals' `unique` takes there.
    """
    groups: Any = frame.group_by(*columns).agg(rows=nw.len())
    found: FrameT = groups.select(*columns)
    return found


def stack_rows(frames: Sequence[nw.DataFrame[Any]]) -> nw.DataFrame[Any]:
    """Return the rows of several frames of the same columns, one after another."""
    whole: nw.DataFrame[Any] = nw.maybe_reset_index(nw.concat([*frames], how="vertical"))
    return whole


def stack_native(natives: Sequence[NativeT]) -> NativeT:
    """Return the rows of several native frames of the same columns, one after another."""
    frames: list[Any] = [nw.from_native(one) for one in natives]
    whole: NativeT = stack_rows(frames).to_native()
    return whole


def native_head(native: NativeT, n: int) -> NativeT:
    """Return the first rows of a native frame in memory."""
    frame: Any = nw.from_native(native)
    head: NativeT = frame.head(n).to_native()
    return head


def take(values: nw.Series[Any], rows: Integers) -> nw.Series[Any]:
    """Return the values of some rows, in their order."""
    taken: nw.Series[Any] = nw.maybe_reset_index(values[rows])
    return taken


def take_or_null(values: nw.Series[Any], rows: Integers) -> nw.Series[Any]:
    """Return the values of some rows, in their order; null where a row is -1.

    Integers of pandas are of a nullable type, whether or not one is null.
    """
    dtype, backend = values.dtype, values.implementation
    if dtype.is_integer() and dtype not in WIDE and backend.is_pandas_like():
        null = rows < 0
        if len(values):
            null |= is_null(values)[rows]
        numbers = np.zeros(len(rows), np.int64)
        if not null.all():
            filled = values.fill_null(0) if values.null_count() else values
            numbers = filled.to_numpy().astype(np.int64)[np.maximum(rows, 0)]
        return integers_or_null(values.to_frame(), values.name, numbers, null)
    if not len(values):
        return nw.new_series(values.name, [None] * len(rows), dtype, backend=backend)
    return values_or_null(values, rows)
