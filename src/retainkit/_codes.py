"""Distinct values and their combinations as numbers: what rows are grouped by in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._frames import factorize, factorize_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals.stable.v2 as nw

    from retainkit._typing import Array


def codes_of(series: nw.Series[Any]) -> tuple[Array, int]:
    """Number the distinct values of a series without nulls: codes and how many there may be."""
    if series.dtype.is_integer() and len(series):
        values = series.to_numpy()
        values = values if values.dtype.kind == "u" else values.astype(np.int64, copy=False)
        least = values.min()
        width = int(values.max()) - int(least) + 1
        # Integers in a dense range are codes already: no hashing.
        if width <= 4 * len(values) + 1024:
            return (values - least).astype(np.int64, copy=False), width
    codes, uniques = factorize(series, sort=False)
    return codes, len(uniques)


def codes_of_both(first: Array, second: Array) -> tuple[Array, Array]:
    """Number the distinct values of two arrays alike."""
    codes, _ = factorize_array(np.concatenate([first, second]), sort=False)
    return codes[: len(first)], codes[len(first) :]


def segment_codes(
    frame: nw.DataFrame[Any], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], Array]:
    """Number the distinct combinations of the key columns in ascending order, nulls last.

    Also gives the combinations themselves: columns, one row a code. Without keys there are none,
    and all rows are of code 0.
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
    return {key: frame[key][rows.tolist()] for key in keys}, segment


def ascending(series: nw.Series[Any]) -> Array:
    """Give the places of the values of a series in ascending order."""
    if series.dtype.is_integer() and series.is_sorted():
        return np.arange(len(series))
    frame = series.alias("value").to_frame().with_row_index("place")
    try:
        places: Array = frame.sort("value")["place"].to_numpy()
    except TypeError:  # objects that have no order stay where they are
        return np.arange(len(series))
    return places
