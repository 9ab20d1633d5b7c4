"""Notice invoice lines that are taken for subscriptions: amounts for all of their time."""

from __future__ import annotations

import numpy as np

from retainkit._frames.groupby import NEVER, group_blocks
from retainkit._inputs.ordered_subscriptions import OrderedSubscriptions
from retainkit._messages import warn
from retainkit._typing import Booleans, Floats

# Lengths are unlike from this ratio on: the months of a calendar are alike.
_UNLIKE = 1.5
# Amounts a day are as near as this: a month has 28 to 31 days, and a day costs no more than that.
_NEAR = 1.12
# So many pairs of rows are needed, and this share of those of unlike length.
_FEWEST, _SHARE = 5, 2 / 3


def warn_of_lines(rows: OrderedSubscriptions, cut: int) -> None:
    """Warn where no row runs, and the amounts of a customer go with the lengths of the rows.

    So many of the rows have an end that was `cut`.
    """
    if np.count_nonzero(rows.end == NEVER) > cut:
        return
    counts = [_count_pairs(rows.part(part)) for part in group_blocks(rows.customer)]
    unlike, number = (sum(one) for one in zip(*counts, strict=True))
    if number >= max(_FEWEST, _SHARE * unlike):
        warn(
            "no row runs, and where two rows of a customer that follow each other are of unlike "
            f"length, their amounts are in proportion to it ({number:,} of {unlike:,}): these "
            "look like invoice lines, with amounts for all of their time. Make subscriptions of "
            "them, with amounts a month, by `subscriptions_from_lines`.",
            code="looks_like_lines",
            argument="subscriptions",
            rows=number,
            total=unlike,
        )


def _count_pairs(rows: OrderedSubscriptions) -> tuple[int, int]:
    """Count rows of unlike length that follow one another, and those that cost alike by the day."""
    pair = rows.customer[1:] == rows.customer[:-1]
    pair &= np.maximum(rows.end[1:], rows.end[:-1]) < NEVER
    length = (rows.end - rows.begin).astype(np.float64)
    pair &= _are_apart(length, _UNLIKE)
    unlike = int(pair.sum())
    pair &= ~_are_apart(rows.amount / length, _NEAR)
    return unlike, int(pair.sum())


def _are_apart(values: Floats, ratio: float) -> Booleans:
    """Return whether numbers above 0 that follow one another are so many times apart, or more."""
    one, other = values[1:], values[:-1]
    return (one >= ratio * other) | (other >= ratio * one)
