"""Checks of weights and counts of respondents, by the sums that were computed of them."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect, count_rows
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats
from retainkit.errors import ArgumentError

_LARGEST = 1e150  # the square of a larger weight may be infinite, that of its inverse 0


def check_weight_sums(
    rows: Frame, source: str, argument: str, *, least: Floats, total: Floats, square: Floats
) -> None:
    """Check that weights or counts are not negative, infinite, or too small to be squared.

    `least`, `total` and `square` are the minima of the weights, their sums and those of their
    squares, in groups of any kind. `rows` holds the weights in its one column, and is read only
    where a check fails.
    """
    (name,) = rows.collect_schema().names()
    value = nw.col(name)
    if least.min(initial=0) < 0:
        where = describe_rows(rows, value < 0)
        raise ArgumentError(f"{source} is negative in {where}; {argument} must be 0 or more.")
    if not np.isfinite(square).all():
        where = describe_rows(rows, value > _LARGEST)
        raise ArgumentError(
            f"{source} is infinite, or too large to be squared, in {where}. "
            "Put a number there, or leave such rows out."
        )
    if ((total > 0) & (square < _LARGEST**-2)).any():
        where = describe_rows(rows, (value > 0) & (value < 1 / _LARGEST))
        raise ArgumentError(
            f"{source} is too small to be squared in {where}. Multiply all of them, since their "
            "scale does not matter, or leave such rows out."
        )


def describe_rows(rows: Frame, condition: nw.Expr) -> str:
    """Count the rows of one column that fulfil a condition, and show a few of their values."""
    some = rows.filter(condition)
    (name,) = rows.collect_schema().names()
    few = collect(some.unique().sort(name).head(6))[name].to_list()
    return f"{count_noun(count_rows(some), 'row')}: {format_examples(few)}"
