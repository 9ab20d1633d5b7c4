"""Number the segments of tables and find their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import values_with_none
from retainkit._frames.dtypes import is_categorical
from retainkit._frames.factorize import factorize, factorize_array
from retainkit._frames.input import Frame, collect
from retainkit._frames.output import from_columns, integers_or_null, values_or_null
from retainkit._typing import Array, Integers


def segment_columns(frame: nw.DataFrame[Any], own: Sequence[str]) -> list[str]:
    """Return the names of the columns that tell the segments of a result.

    `own` names the columns that every such result has, in their order. Segments stand left of the
    first of them, and none is called like another.
    """
    left = frame.columns[: frame.columns.index(own[0])]
    return [name for name in left if name not in own]


def add_missing_categories(rows: nw.DataFrame[Any], keys: Sequence[str]) -> nw.DataFrame[Any]:
    """Add a row that has nothing but its keys for every combination of values of the keys.

    The values of a key are its declared categories, if it has any, else the values that occur.
    """
    levels = [_levels(rows[key]) for key in keys]
    places = np.indices([len(one) for one in levels]).reshape(len(levels), -1)
    pairs = zip(keys, levels, places, strict=True)
    every = from_columns({key: one[place] for key, one, place in pairs})
    return nw.concat([nw.maybe_reset_index(rows), every], how="diagonal")


def _levels(series: nw.Series[Any]) -> nw.Series[Any]:
    """Return the values that a key may have."""
    # PyArrow's dictionaries are a way to store values, and declare none.
    if series.implementation.is_pyarrow() or not is_categorical(series.dtype):
        return nw.maybe_reset_index(series.unique())
    values = series.cat.get_categories().to_list() + [None] * int(series.is_null().any())
    native = series.to_native()
    made = type(native)(values, dtype=native.dtype)
    levels: nw.Series[Any] = nw.from_native(made, series_only=True)
    return levels.alias(series.name)


def factorize_segments(
    frame: nw.DataFrame[Any], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], Array]:
    """Return the distinct combinations of the key columns, and the number of each row's.

    They are columns of one row a combination, in ascending order, nulls last. Without keys there
    are no columns, and all rows have the number 0.
    """
    combined = np.zeros(len(frame), np.int64)
    for key in keys:
        codes, uniques = factorize(frame[key], sort=True)
        combined = combined * (len(uniques) + 1) + np.where(codes < 0, len(uniques), codes)
        if combined.max(initial=0) > 2**40:  # far from overflow at the next column
            combined = np.unique(combined, return_inverse=True)[1]
    if not keys:
        return {}, combined
    segment, distinct = factorize_array(combined, sort=True)
    rows = np.zeros(len(distinct), np.int64)
    rows[segment] = np.arange(len(segment))  # any row of a segment shows its keys
    return {key: frame[key][rows] for key in keys}, segment


def factorize_segments_of(
    frames: Sequence[nw.DataFrame[Any]], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], list[Array]]:
    """Number the segments of several frames alike: a segment has one number in all of them."""
    sizes = [len(frame) for frame in frames]
    if not keys:
        return {}, [np.zeros(size, np.int64) for size in sizes]
    # Of no rows an engine may not know the types.
    filled = [frame for frame in frames if len(frame)] or [*frames[:1]]
    rows = [nw.maybe_reset_index(frame.select(*keys)) for frame in filled]
    segments, segment = factorize_segments(nw.concat(rows), keys)
    return segments, np.split(segment, np.cumsum(sizes)[:-1])


def segment_values(
    segments: Mapping[str, nw.Series[Any]], names: Iterable[str], segment: Integers
) -> dict[str, nw.Series[Any]]:
    """Return the segment of each row of a result, in columns of these names."""
    rows = segment.tolist()
    return {name: keys[rows] for name, keys in zip(names, segments.values(), strict=True)}


def segments_or_null(
    frame: Frame, segments: Mapping[str, nw.Series[Any]], segment: Integers
) -> dict[str, nw.Series[Any]]:
    """Return the segment of each row of a result like `frame`; null where its number is -1."""
    found = {}
    for name, keys in segments.items():
        values = keys[np.maximum(segment, 0).tolist()]
        plain = values.implementation.is_pandas_like() and values.dtype.is_signed_integer()
        if plain and (segment < 0).any() and not values.null_count():
            # pandas would make floats of them, in which large integers are the same.
            found[name] = integers_or_null(frame, name, values.to_numpy(), segment < 0)
        else:
            found[name] = values_or_null(keys, segment)
    return found


def split_by_segment(
    frame: Frame, keys: Sequence[str], names: Sequence[str]
) -> list[tuple[str, Frame]]:
    """Split a frame by its segments, in ascending order, each with its label for messages.

    `names` are what messages call the columns `keys`. There is one part at least.
    """
    if not keys:
        return [("", frame)]
    distinct = collect(frame.select(*keys).unique().sort(*keys, nulls_last=True))
    columns = [values_with_none(distinct[key]) for key in keys]
    parts = []
    for values in zip(*columns, strict=True):
        part = frame
        for key, value in zip(keys, values, strict=True):
            own = nw.col(key)
            part = part.filter(own.is_null() if value is None else own == value)
        label = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
        parts.append((f"{label}: ", part))
    return parts or [("", frame)]
