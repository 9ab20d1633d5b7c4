"""Draw what is in the orders of a synthetic shop: items, some of which go together."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from retainkit._typing import Booleans, Floats, Integers
from retainkit.datasets._customer_truth import DrawnOrders

# Every order has one of these.
COFFEES: Final = MappingProxyType({"espresso": 0.4, "filter roast": 0.3, "decaf": 0.2, "mild": 0.1})
# Two items, the share of the orders that has each, and how many times as often both are together
# as by chance alone.
BASKETS: Final = (
    ("cups", 0.12, "saucers", 0.10, 4.0),
    ("milk", 0.25, "sugar", 0.20, 1.6),
    ("honey", 0.10, "tea", 0.08, 0.25),
)
# An item, another, and the shares of the orders with the other: of those right after an order with
# the item, and of all others. Both may be the same item.
FOLLOWERS: Final = (("machine", "descaler", 0.30, 0.05), ("filters", "filters", 0.45, 0.15))
# Items that come by chance alone, and the share of the orders that has each.
SINGLES: Final = MappingProxyType({"biscuits": 0.15, "machine": 0.06})


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLines:
    """Parallel arrays with an element for each line; `order` is a position, amounts in cents."""

    order: Integers
    item: Integers
    cents: Integers
    items: tuple[str, ...]


def draw_lines(rng: np.random.Generator, orders: DrawnOrders) -> DrawnLines:
    """Draw the lines of each order, which share its amount alike."""
    size = orders.customer.size
    coffee = rng.choice(len(COFFEES), size, p=list(COFFEES.values()))
    inside = {name: coffee == place for place, name in enumerate(COFFEES)}
    for item, share in SINGLES.items():
        inside[item] = rng.random(size) < share
    for one, share, other, other_share, lift in BASKETS:
        inside[one] = rng.random(size) < share
        # Of the orders with the one, and of the others so many that the share of all comes out.
        given = lift * other_share
        without = other_share * (1 - lift * share) / (1 - share)
        inside[other] = rng.random(size) < np.where(inside[one], given, without)
    for item, other, rate, base in FOLLOWERS:
        draws = rng.random(size)
        inside[other] = (
            _in_turn(orders.customer, draws, rate, base)
            if item == other
            else draws < np.where(_before(orders.customer, inside[item]), rate, base)
        )
    items = tuple(sorted(inside))
    order, item_code = np.nonzero(np.column_stack([inside[name] for name in items]))
    lines = np.bincount(order, minlength=size)
    place = np.arange(order.size) - np.repeat(np.cumsum(lines) - lines, lines)
    whole, rest = np.divmod(orders.cents, lines)
    cents = whole[order] + (place < rest[order])
    return DrawnLines(order=order, item=item_code, cents=cents, items=items)


def _before(customer: Integers, flag: Booleans) -> Booleans:
    """Return the flag of the order before, of the same customer; False for the first."""
    by_customer = np.argsort(customer, kind="stable")  # the orders are by time
    owner, sorted_flag = customer[by_customer], flag[by_customer]
    found = np.zeros(flag.size, bool)
    found[by_customer[1:]] = sorted_flag[:-1] & (owner[1:] == owner[:-1])
    return found


def _in_turn(customer: Integers, draws: Floats, rate: float, base: float) -> Booleans:
    """Draw an item of which each order depends on whether the one before had it."""
    by_customer = np.argsort(customer, kind="stable")
    owner = customer[by_customer]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    number = np.arange(owner.size) - np.repeat(starts, np.diff(starts, append=owner.size))
    found = np.zeros(owner.size, bool)  # by customer and time
    for turn in range(int(number.max(initial=-1)) + 1):
        here = np.flatnonzero(number == turn)
        chance = np.where(found[here - 1], rate, base) if turn else base
        found[here] = draws[by_customer[here]] < chance
    flags = np.empty_like(found)
    flags[by_customer] = found
    return flags


def planted_pairs() -> dict[str, list[str] | list[float]]:
    """Return the columns of the table of pairs, both directions of those in one basket."""
    rows = []
    for one, share, other, other_share, lift in BASKETS:
        rows.append(("basket", one, other, lift * other_share, other_share, lift))
        rows.append(("basket", other, one, lift * share, share, lift))
    rows += [
        ("next", item, other, rate, base, rate / base) for item, other, rate, base in FOLLOWERS
    ]
    names = ("kind", "item", "other", "rate", "base_rate", "lift")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
