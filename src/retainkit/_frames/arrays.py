"""Columns as arrays, with something in place of nulls.

Nulls are replaced in arrays: narwhals' own way changes the warning filters of the program for as
long as it takes, which threads share.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._typing import Booleans, Floats


def floats_or(series: nw.Series[Any], missing: float) -> Floats:
    """Return a column as floats, with a number for those that are null."""
    known = ~series.is_null().to_numpy().astype(bool)
    if known.all():
        values: Floats = series.to_numpy().astype(np.float64)
        return values
    floats = np.full(len(series), missing, np.float64)
    floats[known] = series.filter(known.tolist()).to_numpy().astype(np.float64)
    return floats


def is_true(series: nw.Series[Any]) -> Booleans:
    """Return which values of a column of booleans are true; null is not."""
    known: Booleans = ~series.is_null().to_numpy().astype(bool)
    if known.all():
        return series.to_numpy().astype(bool)
    known[known] = series.filter(known.tolist()).to_numpy().astype(bool)
    return known
