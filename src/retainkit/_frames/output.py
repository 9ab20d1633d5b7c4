"""Build results as native frames of the kind that was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, is_polars
from retainkit._frames.names import inner_name, outer_name, with_outer_names
from retainkit._time.labels import ZonedTimes
from retainkit._typing import Array, Booleans, Integers, NativeT


def result_backend(given: Frame) -> Any:
    """Return which library holds the result for a frame that was given."""
    same_kind = isinstance(given, nw.DataFrame) or is_polars(given)
    return given.implementation if same_kind else nw.Implementation.PANDAS


def build_like(given: Frame, columns: Mapping[str, Any]) -> NativeT:  # type: ignore[type-var]
    """Build a native table of arrays or narwhals series, of the kind of `given`.

    From a lazy engine it is in memory: Polars for Polars, pandas for all others.
    """
    plain = {
        outer_name(name): values
        if isinstance(values, nw.Series | ZonedTimes)
        else np.asarray(values)
        for name, values in columns.items()
    }
    backend = result_backend(given)
    if backend.is_pandas_like():
        # pandas has no dates; NumPy's would become seconds.
        plain = {
            name: values.astype("datetime64[us]")
            if isinstance(values, np.ndarray) and values.dtype.kind == "M"
            else values
            for name, values in plain.items()
        }
    series = [_series(name, values, backend) for name, values in plain.items()]
    frames = [nw.maybe_reset_index(one.to_frame()) for one in series]
    result: NativeT = nw.maybe_reset_index(nw.concat(frames, how="horizontal")).to_native()
    return result


def texts_like(given: Frame, name: str, texts: Sequence[str]) -> nw.Series[Any]:
    """Return texts as a column for `build_like`, which would take an array of them for objects."""
    return nw.new_series(name, texts, nw.String, backend=result_backend(given))


def _series(name: str, values: Any, backend: nw.Implementation) -> nw.Series[Any]:
    """Return a column under its name."""
    if isinstance(values, nw.Series):
        return values.alias(name)
    if not isinstance(values, ZonedTimes):
        return nw.new_series(name, values, backend=backend)  # type: ignore[arg-type]
    utc = nw.new_series(name, values.utc, backend=backend).dt.replace_time_zone("UTC")  # type: ignore[arg-type]
    return utc if values.zone_name == "UTC" else utc.dt.convert_time_zone(values.zone_name)


def to_native(frame: Frame) -> NativeT:  # type: ignore[type-var]
    """Return a frame as its engine's own."""
    result: NativeT = with_outer_names(frame).to_native()
    return result


def select_to_native(rows: Frame, columns: Mapping[str, str | nw.Expr]) -> NativeT:  # type: ignore[type-var]
    """Return a frame as its engine's own, with these columns under these names."""
    # A column may be called like an argument of `select`.
    named = (
        (nw.col(inner_name(rows, values)) if isinstance(values, str) else values).alias(
            inner_name(rows, name)
        )
        for name, values in columns.items()
    )
    return to_native(rows.select(*named))


def insert_after_first(native: NativeT, columns: Mapping[Any, nw.Series[Any]]) -> NativeT:
    """Return a native table in memory with more columns, as they are, after its first one."""
    table: Any = nw.from_native(native)
    first, *others = table.iter_columns()
    names = [first.name, *columns, *(one.name for one in others)]
    # Labels of pandas that are no text, such as 0 and None, get in each other's way.
    apart = {f"column {i}": one for i, one in enumerate([first, *columns.values(), *others])}
    frames: list[Any] = [
        nw.maybe_reset_index(one.alias(name).to_frame()) for name, one in apart.items()
    ]
    beside = nw.maybe_reset_index(nw.concat(frames, how="horizontal"))
    if beside.implementation.is_pandas():
        made = beside.to_native()
        made.columns = type(made.columns)(names, tupleize_cols=False)
        return made  # type: ignore[no-any-return]
    result: NativeT = beside.rename(dict(zip(apart, names, strict=True))).to_native()
    return result


def from_columns(columns: Mapping[str, nw.Series[Any]]) -> nw.DataFrame[Any]:
    """Build a frame in memory of columns of one length."""
    return nw.from_dict(dict(columns))


def values_or_null(values: nw.Series[Any], rows: Integers) -> nw.Series[Any]:
    """Return the values of some rows, in their order; null where a row is -1."""
    found: nw.Series[Any] = nw.maybe_reset_index(values[np.maximum(rows, 0)])
    if (rows >= 0).all():
        return found
    known = nw.new_series("known", rows >= 0, backend=found.implementation)
    frame = from_columns({"value": found, "known": known})
    return frame.select(value=nw.when(nw.col("known")).then(nw.col("value")))["value"]


def integers_or_null(given: Frame, name: str, values: Integers, null: Booleans) -> nw.Series[Any]:
    """Return integers of a nullable type as a column for `build_like`, null where that is marked.

    In pandas the type is `Int64` whether or not a null occurs.
    """
    backend = result_backend(given)
    if not backend.is_pandas_like():
        plain = nw.new_series(name, values, nw.Int64, backend=backend)
        known = nw.new_series("known", ~null, backend=backend)
        frame = from_columns({"value": plain, "known": known})
        kept = nw.when(nw.col("known")).then(nw.col("value"))
        return frame.select(kept.alias(name))[name]
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    native = pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), null.copy()), name=name)
    made: nw.Series[Any] = nw.from_native(native, series_only=True)
    return made


def with_text(frame: Frame, name: str, text: str) -> Frame:
    """Return a frame with one more column, the last, which holds the same text throughout."""
    if isinstance(frame, nw.DataFrame) and not len(frame):
        # A literal has no length in an empty frame of narwhals 2.5.
        return frame.with_columns(nw.new_series(name, [], nw.String, backend=frame.implementation))
    return frame.with_columns(nw.lit(text).alias(name))


def with_column(frame: nw.DataFrame[Any], name: str, values: Array) -> nw.DataFrame[Any]:
    """Return a frame in memory with a column of floats, in place of one of the same name if any."""
    series = nw.new_series(name, values, nw.Float64, backend=frame.implementation)
    return nw.maybe_reset_index(frame).with_columns(series)


def with_columns_beside(
    frame: nw.DataFrame[Any], columns: Mapping[str, Array]
) -> nw.DataFrame[Any]:
    """Return a new frame in memory with more columns; arrays of objects are text, None a null.

    It has the order and the index of the one that is given, and shares no memory with it. A column
    of the same name is replaced where it stands.
    """
    backend = frame.implementation
    named = {inner_name(frame, name): values for name, values in columns.items()}
    series = [
        nw.new_series(name, values.tolist(), nw.String, backend=backend)
        if values.dtype == object
        else _series(name, values, backend)
        for name, values in named.items()
    ]
    # No narwhals function copies a frame; a filter does.
    rows = frame.filter([True] * len(frame)) if len(frame) else frame
    return rows.with_columns(*series)


def with_instants(
    frame: nw.DataFrame[Any], instants: Mapping[str, Integers], missing: int
) -> nw.DataFrame[Any]:
    """Return a frame in memory with new values in columns of times, null where they are missing.

    The new ones are counted in microseconds; the columns keep their zone.
    """
    columns = []
    for name, values in instants.items():
        times = np.where(values == missing, np.datetime64("NaT", "us"), values.view("M8[us]"))
        series = nw.new_series(name, times, backend=frame.implementation)
        zone = getattr(frame.schema[name], "time_zone", None)
        if zone is not None:
            series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        columns.append(series)
    return nw.maybe_reset_index(frame).with_columns(*columns)
