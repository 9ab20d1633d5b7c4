"""Say what the risk of a customer is owed to, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retainkit._typing import Floats

_LEAST = 0.05  # part of the log-odds: smaller ones round to 0.0


def reason_texts(columns: Sequence[str], values: Floats, parts: Floats, most: int) -> list[str]:
    """Return for each customer the columns with the largest parts, with their values.

    `values` and `parts` have a row a column and a column a customer; of equal parts the first of
    the columns is named first. The part of a column depends on nothing but its value.
    """
    n = values.shape[1]
    texts = np.full(n, "", object)
    size, every = np.abs(parts), np.arange(n)
    for number in range(min(most, len(columns))):
        largest = size.argmax(axis=0)
        shown = size[largest, every] >= _LEAST
        for i, column in enumerate(columns):
            rows = np.flatnonzero(shown & (largest == i))
            if not len(rows):
                continue
            own, first, code = np.unique(values[i, rows], return_index=True, return_inverse=True)
            pairs = zip(own.tolist(), parts[i, rows[first]].tolist(), strict=True)
            one = [f"{column} {_written(value)} ({part:+.1f})" for value, part in pairs]
            found = np.array(one, object)[code]
            texts[rows] = texts[rows] + ("; " + found if number else found)
        size[largest, every] = -1.0
    return texts.tolist()


def _written(value: float) -> str:
    """Write a value: a whole number without decimals, NaN as null."""
    if np.isnan(value):
        return "null"
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:g}"
