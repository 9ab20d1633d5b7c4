"""Notice levels that are taken for subscriptions: rows that never end, and add up."""

from __future__ import annotations

import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._inputs.ordered_subscriptions import OrderedSubscriptions
from retainkit._messages import count_noun, warn


def warn_of_levels(rows: OrderedSubscriptions) -> None:
    """Warn where no row ends, yet customers have several rows with different starts."""
    customer, begin = rows.customer, rows.begin
    if not len(customer) or (rows.end < NEVER).any():
        return
    opens = np.append(True, customer[1:] != customer[:-1])
    later = np.append(False, begin[1:] > begin[:-1]) & ~opens
    number = int((np.bincount(np.cumsum(opens) - 1, later) > 0).sum())
    if number:
        warn(
            f"no row ends, yet {number:,} of {count_noun(int(opens.sum()), 'customer')} have "
            f"several rows with different starts ({int(later.sum()):,} of "
            f"{count_noun(len(begin), 'row')} start after another of their customer), and all of "
            "them add up. If each row says what a customer pays from then on, these are levels: "
            "make subscriptions of them with `subscriptions_from_levels`. If all of them do run, "
            "name the column that tells subscriptions apart with `subscription`.",
            code="looks_like_levels",
            argument="subscriptions",
            rows=int(later.sum()),
            total=len(begin),
        )
