"""Notice invoice lines that are taken for subscriptions: amounts for all of their time."""

from __future__ import annotations

import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._inputs.ordered_subscriptions import OrderedSubscriptions
from retainkit._messages import warn
from retainkit._time.month_lengths import length_in_months
from retainkit._typing import Floats, Integers

# Lengths are unlike from this ratio on: the months of a calendar are alike.
_UNLIKE = 1.5
# Amounts in proportion to lengths are as near as this: a part of February is not one of March.
_NEAR = 1.1
# So many pairs of rows are needed, and this share of those of unlike length.
_FEWEST, _SHARE = 5, 2 / 3


def warn_of_lines(rows: OrderedSubscriptions, cut: int) -> None:
    """Warn where no row runs, and the amounts of a customer go with the lengths of the rows.

    So many of the rows have an end that was `cut`.
    """
    ended = rows.end < NEVER
    if len(ended) - ended.sum() > cut:
        return
    pair = np.flatnonzero((rows.customer[1:] == rows.customer[:-1]) & ended[1:] & ended[:-1])
    length = rows.end - rows.begin
    pair = pair[_ratio(length[pair], length[pair + 1]) >= _UNLIKE]
    if len(pair) < _FEWEST:
        return
    monthly = [
        rows.amount[one] / length_in_months(rows.begin[one], rows.end[one])
        for one in (pair, pair + 1)
    ]
    number = int((_ratio(*monthly) <= _NEAR).sum())
    if number >= max(_FEWEST, _SHARE * len(pair)):
        warn(
            f"no row runs, and where two rows of a customer that follow each other are of unlike "
            f"length, their amounts are in proportion to it ({number:,} of {len(pair):,}): these "
            "look like invoice lines, with amounts for all of their time. Make subscriptions of "
            "them, with amounts a month, by `subscriptions_from_lines`.",
            code="looks_like_lines",
            argument="subscriptions",
            rows=number,
            total=len(pair),
        )


def _ratio(one: Integers | Floats, other: Integers | Floats) -> Floats:
    """Return the greater of two numbers above 0 as a multiple of the lesser."""
    return np.maximum(one, other) / np.minimum(one, other)
