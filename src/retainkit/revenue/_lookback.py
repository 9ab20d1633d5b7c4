"""Compare what customers pay with what they paid some periods before: arrays in, arrays out.

Both stay the same over spans of periods, so that sums over customers are running sums of what
changes where spans begin and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from retainkit._typing import Array, Booleans, Integers
from retainkit.revenue._changes import (
    AmountChanges,
    CustomerTotals,
    OutputGrid,
    customer_totals,
    group_starts,
    grouped_cumsum,
    repeat_for_owner,
    share,
    sum_by_key,
    variance_terms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """Spans of periods, from `begin` to before `end`, over which a customer's money is the same.

    `base` is what the customer paid in the segment some periods before. `current` is what the
    customer pays today in all segments, and `kept` the part of it that does not exceed what was
    paid before; both are the share that `base` had in all that was paid before. For customers who
    paid nothing before, `base` is 0 and `current` is what they pay in the segment. `active` marks
    those who pay anything today, `back` those who had paid by the time of `base` or earlier.
    """

    customer: Integers
    segment: Integers
    begin: Integers
    end: Integers
    base: Integers
    current: Integers
    kept: Integers
    active: Booleans
    back: Booleans


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChangePoints:
    """Periods in which what is paid now changes, or what was paid before, by customer.

    `number` counts the customers and `least` is the first of all periods.
    """

    customer: Integers
    number: Integers
    time: Integers
    base: Integers
    current: Integers
    least: int
    width: int

    def place(self, customer: Integers, time: Integers) -> Integers:
        """Return the places of the points of customers at times."""
        keys = self.customer * self.width + (self.time - self.least)
        return np.searchsorted(keys, customer * self.width + (time - self.least))


def look_back(changes: AmountChanges, first_paid: Integers, horizon: int, last: int) -> Lookback:
    """Compare what is paid at the end of each period with what was `horizon` periods before.

    `first_paid` is the period in which each customer first paid.
    """
    changes = changes.by_time()
    totals, _ = customer_totals(changes)
    points = _change_points(totals, first_paid, horizon, last)
    ends = np.append(points.time[1:], last + 1)[: len(points.time)]
    ends[np.append(group_starts(points.customer)[1:], True)[: len(ends)]] = last + 1
    back = points.time >= first_paid[points.customer] + horizon

    at, segment, then, today = _by_segment(changes, points, horizon, last)
    base, now = points.base[at], points.current[at]
    paid = base > 0
    used = (then > 0) | (~paid & (today > 0))
    return Lookback(
        customer=points.customer[at][used],
        segment=segment[used],
        begin=points.time[at][used],
        end=ends[at][used],
        base=then[used],
        current=np.where(paid, share(now, then, base), today)[used],
        kept=share(np.minimum(now, base), then, base)[used],
        active=(now > 0)[used],
        back=back[at][used],
    )


def _change_points(
    totals: CustomerTotals, first_paid: Integers, horizon: int, last: int
) -> _ChangePoints:
    """Return the periods in which the money of each customer changes, now or `horizon` before."""
    net = totals.after - totals.before
    nothing = np.zeros_like(net)
    # Who came and left within an earlier period is known for longer than money shows.
    early = totals.first & (first_paid[totals.customer] < totals.time)
    time = np.concatenate(
        [totals.time, totals.time + horizon, first_paid[totals.customer[early]] + horizon]
    )
    customer = np.concatenate([totals.customer, totals.customer, totals.customer[early]])
    moves = np.column_stack(
        [
            np.concatenate([nothing, net, nothing[early]]),
            np.concatenate([net, nothing, nothing[early]]),
        ]
    )
    least = int(time.min(initial=last))
    width = last - least + 1
    observed = time <= last
    key, sums = sum_by_key((customer * width + (time - least))[observed], moves[observed])
    customer = key // width
    first = group_starts(customer)
    base, now = grouped_cumsum(sums, first).T
    return _ChangePoints(
        customer=customer,
        number=np.cumsum(first) - 1,
        time=key % width + least,
        base=base,
        current=now,
        least=least,
        width=width,
    )


def _by_segment(
    changes: AmountChanges, points: _ChangePoints, horizon: int, last: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """Repeat the points of customers for each of their segments.

    Returns for each the point, the segment, what was paid in it before and what is paid in it now.
    """
    n_segments = int(changes.segment.max(initial=0)) + 1
    if n_segments == 1:
        every = np.arange(len(points.time))
        return every, np.zeros_like(every), points.base, points.current
    keys, pair = np.unique(changes.customer * n_segments + changes.segment, return_inverse=True)
    owner = np.cumsum(group_starts(keys // n_segments)) - 1
    row, at = repeat_for_owner(owner, np.bincount(points.number))
    first = np.flatnonzero(group_starts(row))

    paid = []
    for later in (horizon, 0):
        delta = np.zeros(len(row), np.int64)
        observed = changes.time + later <= last
        place = points.place(changes.customer[observed], changes.time[observed] + later)
        change = (changes.after - changes.before)[observed]
        delta[place + (first - at[first])[pair[observed]]] = change
        paid.append(grouped_cumsum(delta, group_starts(row)))
    return at, (keys % n_segments)[row], paid[0], paid[1]


def join_lookbacks(parts: Sequence[Lookback]) -> Lookback:
    """Return the spans of several parts of the customers, each numbered on its own, as one."""
    names = [one.name for one in fields(Lookback)]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    numbers = [int(part.customer.max(initial=-1)) + 1 for part in parts]
    before = np.repeat(np.cumsum([0, *numbers[:-1]]), [len(part.customer) for part in parts])
    return Lookback(**columns | {"customer": columns["customer"] + before})


def lookback_sums(lookback: Lookback, grid: OutputGrid) -> dict[str, Array]:
    """Sum of the spans that cover each period, by segment."""
    base, paid = lookback.base, lookback.base > 0
    now = np.where(paid, lookback.current, 0)
    values: dict[str, Array] = {
        "customers": paid.astype(np.int64),
        "retained": (paid & lookback.active).astype(np.int64),
        "opening": base,
        "now": now,
        "kept": lookback.kept,
        "gained": lookback.current - lookback.kept,
        "back": np.where(paid | ~lookback.back, 0, lookback.current),
        **variance_terms(base, now, lookback.kept),
    }
    return {name: _sum_spans(lookback, grid, one) for name, one in values.items()}


def _sum_spans(lookback: Lookback, grid: OutputGrid, values: Array) -> Array:
    """Sum of one value of the spans that cover each period, by segment."""
    begins = grid.sums(lookback.segment, lookback.begin, values)
    ends = grid.sums(lookback.segment, lookback.end, values)
    return np.cumsum(begins - ends, axis=1)
