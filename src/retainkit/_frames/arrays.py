"""Columns as arrays and lists, with something in place of nulls.

Nulls are replaced in arrays: narwhals' own way changes the warning filters of the program for as
long as it takes, which threads share.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._typing import Booleans, Floats


def is_null(series: nw.Series[Any]) -> Booleans:
    """Return which values of a column are null."""
    # A copy: what pandas gives out may not be written to.
    nulls: Booleans = series.is_null().to_numpy().astype(bool)
    return nulls


def values_with_none(series: nw.Series[Any]) -> list[Any]:
    """Return a column as a list, None for a null: pandas has values of its own for that."""
    pairs = zip(series.to_list(), is_null(series).tolist(), strict=True)
    return [None if null else value for value, null in pairs]


def floats_or(series: nw.Series[Any], missing: float) -> Floats:
    """Return a column as floats, with a number for those that are null."""
    known = ~is_null(series)
    if known.all():
        values: Floats = series.to_numpy().astype(np.float64)
        return values
    floats = np.full(len(series), missing, np.float64)
    floats[known] = series.filter(known.tolist()).to_numpy().astype(np.float64)
    return floats


def is_true(series: nw.Series[Any]) -> Booleans:
    """Return which values of a column of booleans are true; null is not."""
    known = ~is_null(series)
    if known.all():
        return series.to_numpy().astype(bool)
    known[known] = series.filter(known.tolist()).to_numpy().astype(bool)
    return known
