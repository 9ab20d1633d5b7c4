"""Draw when synthetic customers order, and when they leave. Times are seconds since 1970."""

from __future__ import annotations

from typing import Final

import numpy as np

from retainkit._typing import Floats, Integers
from retainkit.datasets._periods import DAY

BEGIN: Final = int(np.datetime64("2024-01-01", "s").astype(np.int64))
END: Final = int(np.datetime64("2026-01-01", "s").astype(np.int64))
NEVER: Final = np.iinfo(np.int64).max


def draw_joined(customers: int, rng: np.random.Generator) -> Integers:
    """Draw when customers join, in order: the last one on the last day, with which tables end."""
    joined = np.sort(rng.integers(BEGIN, END, size=customers))
    joined[-1] = END - DAY + joined[-1] % DAY
    return joined


def purchases_until_dropout(rng: np.random.Generator, dropout: Floats) -> Floats:
    """Draw after how many purchases customers drop out, each with a chance at every purchase."""
    # Not rng.geometric: a chance of 0, or next to it, means that nobody ever leaves.
    with np.errstate(divide="ignore", over="ignore"):
        until: Floats = 1 + np.floor(rng.exponential(size=dropout.size) / -np.log1p(-dropout))
    return until


def place_orders(
    rng: np.random.Generator,
    joined: Integers,
    span: Integers,
    possible: Integers,
    until: Floats | float,
) -> tuple[Integers, Integers, Integers]:
    """Draw the customer and the time of each order, and when customers leave by an order.

    The purchases of somebody who stays are uniform over the `span` after they joined; of those
    that are `possible` the first `until` are made, and with the last of them the customer leaves.
    """
    until = np.broadcast_to(until, joined.shape)
    owner = np.repeat(np.arange(joined.size), possible)
    time = joined[owner] + np.ceil(rng.random(owner.size) * (span[owner] - 1)).astype(np.int64)
    time = time[np.lexsort((time, owner))]
    place = 1 + np.arange(owner.size) - np.repeat(np.cumsum(possible) - possible, possible)
    left = np.where(until == 0, joined, NEVER)
    leaves = place == until[owner]
    left[owner[leaves]] = time[leaves]
    made = place <= until[owner]
    owner = np.concatenate([np.arange(joined.size), owner[made]])
    return owner, np.concatenate([joined, time[made]]), left


def to_cents(amount: Floats) -> Integers:
    """Return amounts in whole cents, one at least."""
    cents: Integers = np.maximum(np.rint(100 * amount), 1).astype(np.int64)
    return cents
