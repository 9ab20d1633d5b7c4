"""Checks of weights and counts of respondents, by the sums that were computed of them."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats
from retainkit.errors import ArgumentError

_LARGEST = 1e150  # the square of a larger weight may be infinite, that of its inverse 0


def check_weight_sums(
    table: CheckedTable, argument: str, name: str, *, least: Floats, total: Floats, square: Floats
) -> None:
    """Check that weights or counts are not negative, infinite, or too small to be squared.

    `least`, `total` and `square` are the minima of the weights, their sums and those of their
    squares, in groups of any kind. The rows of the table have the weights in the column `name`, and
    are read only where a check fails.
    """
    value = nw.col(name)
    if least.min(initial=0) < 0:
        raise value_error(
            table,
            argument,
            value < 0,
            name,
            text=f"is negative in {{}}; {argument} must be 0 or more.",
            code="negative_values",
        )
    if not np.isfinite(square).all():
        raise value_error(
            table,
            argument,
            value > _LARGEST,
            name,
            text="is infinite, or too large to be squared, in {}. Put a number there, or leave "
            "such rows out.",
            code="infinite_values",
        )
    if ((total > 0) & (square < _LARGEST**-2)).any():
        raise value_error(
            table,
            argument,
            (value > 0) & (value < 1 / _LARGEST),
            name,
            text="is too small to be squared in {}. Multiply all of them, since their scale does "
            "not matter, or leave such rows out.",
            code="tiny_values",
        )


def value_error(
    table: CheckedTable, argument: str, condition: nw.Expr, name: str, *, text: str, code: str
) -> ArgumentError:
    """Return the error for the rows that meet a condition, which counts them and shows a few.

    The values are in the column `name` of the rows; the text has a place for what is found.
    """
    some = table.rows.select(name).filter(condition)
    number = count_rows(some)
    few = collect(some.unique().sort(name).head(6))[name].to_list()
    found = f"{count_noun(number, 'row')}: {format_examples(few)}"
    return ArgumentError(
        f"{table.source(argument)} {text.format(found)}",
        code=code,
        argument=table.own_name(argument),
        column=table.names[argument],
        rows=number,
        total=count_rows(table.rows),
    )
