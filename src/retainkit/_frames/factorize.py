"""Integer codes of distinct values, by which rows in memory are grouped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_null
from retainkit._frames.plain_types import WIDE
from retainkit._typing import Array

_MANY = 2**20  # fewer numbers have a small table
_SAMPLE = 2**16  # that are looked at


def factorize(series: nw.Series[Any], *, sort: bool) -> tuple[Array, Any]:
    """Return the codes of the distinct values of a series, -1 for null, and these values."""
    if series.implementation.is_pandas_like():
        return factorize_array(series.to_native(), sort=sort)
    if series.implementation.is_pyarrow() and series.dtype == nw.Categorical:
        # NumPy would get a category where there is a null.
        native = series.to_native()
        series = nw.from_native(native.cast(native.type.value_type), series_only=True)
    if series.dtype == nw.String and find_spec("pyarrow") is not None:
        # pandas reads Arrow strings in place; NumPy would make an object of each.
        return factorize_array(series.to_pandas(), sort=sort)
    if series.dtype.is_integer() and series.null_count():
        # NumPy would make floats of them, in which large integers are the same.
        present = ~is_null(series)
        codes = np.full(len(series), -1)
        codes[present], uniques = factorize(series.drop_nulls(), sort=sort)
        return codes, uniques
    declared = series.cat.get_categories().to_list() if isinstance(series.dtype, nw.Enum) else None
    return factorize_array(to_array(series), sort=sort, declared=declared)


def to_array(series: nw.Series[Any]) -> Array:
    """Return a series as an array; integers of 128 bits are Python's."""
    if series.dtype in WIDE and series.implementation.is_polars():
        array = np.empty(len(series), object)
        array[:] = series.to_list()
        return array
    values: Array = series.to_numpy()
    return values


def factorize_array(
    values: Any, *, sort: bool, declared: Sequence[Any] | None = None
) -> tuple[Array, Any]:
    """Return codes of an array and its distinct values, if sorted in a `declared` order."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    if declared is not None:  # the order of categories
        values = pd.Categorical(values, declared)
    elif _are_many_numbers(values):
        return _sorted_codes(np.asarray(values))
    codes, uniques = pd.factorize(values, sort=sort)
    return codes.astype(np.int64, copy=False), uniques


def _are_many_numbers(values: Any) -> bool:
    """Return whether values are numbers of NumPy, many, and almost all of them different."""
    dtype = values.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iuf" or len(values) < _MANY:
        return False
    some = np.asarray(values)[:: len(values) // _SAMPLE]
    return len(np.unique(some)) > 0.99 * len(some)


def _sorted_codes(values: Array) -> tuple[Array, Any]:
    """Return codes of numbers and the distinct ones, by sorting them.

    Of numbers that differ that takes half as long as a table of hashes, which in pandas ends the
    program where there is no memory left for it to grow.
    """
    order = np.argsort(values)
    ordered = values[order]
    opens = np.append(True, ordered[1:] != ordered[:-1])
    n_known = (
        len(values) - int(np.isnan(ordered).sum()) if values.dtype.kind == "f" else len(values)
    )
    opens[n_known:] = False
    codes = np.empty(len(values), np.int64)
    codes[order] = np.cumsum(opens) - 1
    codes[order[n_known:]] = -1
    return codes, ordered[opens]


def integer_codes(series: nw.Series[Any]) -> tuple[Array, int]:
    """Return codes of a series without nulls, and an upper bound of their number."""
    if series.dtype.is_integer() and len(series) and series.dtype not in WIDE:
        values = series.to_numpy()
        values = values if values.dtype.kind == "u" else values.astype(np.int64, copy=False)
        least = values.min()
        width = int(values.max()) - int(least) + 1
        # Integers in a dense range are codes already: no hashing.
        if width <= 4 * len(values) + 1024:
            return (values - least).astype(np.int64, copy=False), width
    codes, uniques = factorize(series, sort=False)
    return codes, len(uniques)


def shared_codes(first: Array, second: Array) -> tuple[Array, Array]:
    """Return codes of two arrays that are the same for the same value."""
    codes, _ = factorize_array(np.concatenate([first, second]), sort=False)
    return codes[: len(first)], codes[len(first) :]


def argsort(series: nw.Series[Any]) -> Array:
    """Return the positions of the values of a series in ascending order."""
    if series.dtype.is_integer() and series.is_sorted():
        return np.arange(len(series))
    frame = series.alias("value").to_frame().with_row_index("place")
    try:
        places: Array = frame.sort("value")["place"].to_numpy()
    except TypeError:  # objects that have no order stay where they are
        return np.arange(len(series))
    return places


def sort_codes(values: nw.Series[Any], row_of: Array, codes: Array) -> tuple[Array, nw.Series[Any]]:
    """Sort codes by the values that they stand for, each in a row that is known; returns both."""
    found = values[row_of[codes]]
    order = argsort(found)
    return codes[order], found[order]
