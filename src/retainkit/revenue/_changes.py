"""Compute what customers pay in each period from its changes: arrays in, arrays out.

No table has a cell for each customer and period: a customer who pays the same for years is one
change, and sums over periods are running sums of changes. Money is in integers (`_stats.money`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from retainkit._stats.money import MoneyUnit
from retainkit._typing import Array, Booleans, Floats, Integers

# Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountChanges:
    """Changes of what a customer pays in a segment: parallel arrays.

    Ordered by customer, then by segment or by time. `time` numbers periods or days; changes of the
    same customer, segment and time are one. `before` and `after` are what is paid, and differ.
    """

    customer: Integers
    segment: Integers
    time: Integers
    before: Integers
    after: Integers

    def take(self, index: Integers | Booleans) -> AmountChanges:
        """Return some of the changes."""
        return AmountChanges(**{one.name: getattr(self, one.name)[index] for one in fields(self)})

    def by_time(self) -> AmountChanges:
        """Order the changes of each customer by time, those of a time by segment."""
        return self.take(np.lexsort((self.segment, self.time, self.customer)))


def amount_changes(
    customer: Integers, segment: Integers, time: Integers, amount: Integers, unit: MoneyUnit
) -> AmountChanges:
    """Sum up amounts that begin (above 0) and end (below) to changes of what is paid.

    `amount` is in the finer unit of money, and what is paid is rounded.
    """
    n_segments, least = int(segment.max(initial=0)) + 1, int(time.min(initial=0))
    width = int(time.max(initial=least)) - least + 1
    key, amount = sum_by_key((customer * n_segments + segment) * width + (time - least), amount)
    pair = key // width
    first = group_starts(pair)
    after = unit.round(grouped_cumsum(amount, first))
    before = np.where(first, 0, np.append(0, after[:-1])[: len(after)])
    changes = AmountChanges(
        customer=pair // n_segments,
        segment=pair % n_segments,
        time=key % width + least,
        before=before,
        after=after,
    )
    return changes.take(before != after)


def sum_by_key(key: Integers, values: Integers) -> tuple[Integers, Integers]:
    """Return the keys in ascending order, and the sum of the values (or rows of them) of each."""
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(group_starts(key))
    return key[first], np.add.reduceat(values[order], first) if len(first) else values[:0].copy()


def group_starts(group: Integers) -> Booleans:
    """Mark the first element of each run of equal ones."""
    return np.append(True, group[1:] != group[:-1])[: len(group)]


def grouped_cumsum(values: Integers, first: Booleans) -> Integers:
    """Return running sums within groups, of which the first elements are marked."""
    # Of all groups together the sum may overflow, which cancels out in the difference.
    total = np.cumsum(values, axis=0)
    begin = np.flatnonzero(first)
    base = (total - values)[begin]
    sums: Integers = total - np.repeat(base, np.diff(np.append(begin, len(values))), axis=0)
    return sums


def repeat_for_owner(owner: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Repeat each row once for every element of its owner.

    The elements of all owners stand one after another, `lengths` of them for each. Returns the row
    and the place of the element in each pair.
    """
    begin = np.cumsum(lengths) - lengths
    row = np.repeat(np.arange(len(owner)), lengths[owner])
    before = np.cumsum(lengths[owner]) - lengths[owner]
    return row, np.arange(len(row)) + (begin[owner] - before)[row]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTotals:
    """Changes of what a customer pays in all segments together: parallel arrays.

    Ordered by customer and time, one for each time with a change in any segment. `first` marks a
    customer's first one. `before` and `after` may be equal, where money only moves between
    segments; `up` and `down` are the sums of the increases and of the decreases.
    """

    customer: Integers
    time: Integers
    before: Integers
    after: Integers
    first: Booleans
    up: Integers
    down: Integers


def customer_totals(changes: AmountChanges) -> tuple[CustomerTotals, Integers]:
    """Sum up changes ordered by time over segments; also returns the total of each change."""
    customer, time = changes.customer, changes.time
    begins = group_starts(customer)
    begins[1:] |= time[1:] != time[:-1]
    where = np.flatnonzero(begins)
    delta = changes.after - changes.before
    up, down = (
        np.add.reduceat(np.maximum(one, 0), where) if len(where) else one for one in (delta, -delta)
    )
    customer = customer[where]
    first = group_starts(customer)
    after = grouped_cumsum(up - down, first)
    totals = CustomerTotals(
        customer=customer,
        time=time[where],
        before=after - (up - down),
        after=after,
        first=first,
        up=up,
        down=down,
    )
    return totals, np.cumsum(begins) - 1


# Movements


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputGrid:
    """Segments and periods of a result: a row for each segment, a column for each period.

    The columns begin with the period `first`, and the periods of each segment with its `starts`.
    """

    starts: Integers
    first: int
    n_periods: int

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return len(self.starts)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self.n_segments * self.n_periods

    def sums(self, segment: Integers, period: Integers, values: Array) -> Array:
        """Sum of values, exact for whole numbers; what lies after the last period is left out."""
        column = period - self.first
        inside = column < self.n_periods
        table = np.zeros(self.n_segments * self.n_periods, values.dtype)
        np.add.at(table, (segment * self.n_periods + column)[inside], values[inside])
        return table.reshape(self.n_segments, self.n_periods)


def movements(
    changes: AmountChanges,
    first_paid: Integers,
    grid: OutputGrid,
    period_of: Callable[[Integers], Integers],
) -> dict[str, Integers]:
    """Sum up money and customers of each kind of movement, and those at both ends of each period.

    `first_paid` is the period in which each customer first paid, and `period_of` computes the
    period that the time of a change falls in.
    """
    changes = changes.by_time()
    totals, at = customer_totals(changes)
    delta = changes.after - changes.before
    starts, ends = (totals.before == 0)[at], (totals.after == 0)[at]
    within = ~starts & ~ends
    up, down = np.maximum(delta, 0), np.maximum(-delta, 0)
    moved = np.minimum(totals.up, totals.down)
    into = np.where(within, _transferred(up, totals.up, moved, at), 0)
    out = np.where(within, _transferred(down, totals.down, moved, at), 0)
    segment, period = changes.segment, period_of(changes.time)
    # Who came and left within an earlier period has no change there, and still is not new.
    first = totals.first[at] & (period == first_paid[changes.customer])
    found = {
        "new": (up, starts & first),
        "expansion": (up - into, within & (up > into)),
        "contraction": (down - out, within & (down > out)),
        "churn": (down, ends),
        "reactivation": (up, starts & ~first),
        "transfer_in": (into, within),
        "transfer_out": (out, within),
    }
    add = grid.sums
    sums = {}
    for kind, (money, counts) in found.items():
        place = segment[counts], period[counts]
        sums[kind] = add(*place, money[counts])
        sums[f"{kind}_customers"] = add(*place, np.ones(len(place[0]), np.int64))
    # As customers, transfers are those who come to a segment from others or leave it for others.
    comes, leaves = changes.before == 0, changes.after == 0
    for kind, counts in (("transfer_in", within & comes), ("transfer_out", within & leaves)):
        sums[f"{kind}_customers"] = add(segment, period, counts.astype(np.int64))
    active = comes.astype(np.int64) - leaves
    for ending, change in (("", delta), ("_customers", active)):
        net = np.cumsum(add(segment, period, change), axis=1)
        sums[f"opening{ending}"] = np.pad(net, ((0, 0), (1, 0)))[:, :-1]
        sums[f"closing{ending}"] = net
    return sums


def add_up(parts: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
    """Add up the sums of several parts of the customers."""
    sums: dict[str, Array] = {}
    for part in parts:
        for name, values in part.items():
            sums[name] = sums[name] + values if name in sums else values
    return sums


def share(money: Integers, part: Integers, whole: Integers) -> Integers:
    """Return the share of money that a part has in a whole, rounded."""
    partial = (part > 0) & (part < whole)
    shares = np.where(part > 0, money, 0)
    shares[partial] = np.rint(money[partial] * (part[partial] / whole[partial])).astype(np.int64)
    return shares


def variance_terms(base: Integers, now: Integers, kept: Integers) -> dict[str, Floats]:
    """Return the squares and products that the variances of rates of revenue are computed from."""
    weight, change, lost = (one.astype(np.float64) for one in (base, now - base, base - kept))
    return {
        "base_base": weight**2,
        "change_change": change**2,
        "change_base": change * weight,
        "lost_lost": lost**2,
        "lost_base": lost * weight,
    }


def _transferred(part: Integers, total: Integers, moved: Integers, at: Integers) -> Integers:
    """Split moved money in proportion to the parts of a total, in whole numbers that add up."""
    total, moved = total[at], moved[at]
    shares = np.where(part == total, moved, np.where(moved == total, part, 0))
    rows = np.flatnonzero((moved > 0) & (moved < total) & (part > 0) & (part < total))
    if len(rows):
        # Shares are differences of running shares rounded down. Their products outgrow 64 bits.
        until = grouped_cumsum(part[rows], group_starts(at[rows]))
        moved, total = moved[rows].astype(object), total[rows].astype(object)
        upto, before = (
            (one.astype(object) * moved // total).astype(np.int64)
            for one in (until, until - part[rows])
        )
        shares[rows] = upto - before
    return shares
