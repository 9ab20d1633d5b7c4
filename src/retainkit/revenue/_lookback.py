"""What customers pay beside what they paid some periods before: arrays in, arrays out.

Both stay the same over spells of periods, so that sums over customers are running sums of what
changes where spells begin and end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit.revenue._changes import (
    group_starts,
    grouped_cumsum,
    repeat_for_owner,
    share,
    squares,
    sum_by_key,
    totals_of,
)

if TYPE_CHECKING:
    from retainkit._typing import Array, Booleans, Integers
    from retainkit.revenue._changes import AmountChanges, OutputGrid, Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """Periods from `begin` to before `end` over which a customer's money is the same.

    `base` is what the customer paid in the segment some periods before. `current` is what the
    customer pays today in whatever segments, and `kept` the part of it that does not exceed what
    was paid before; of both, the share that `base` had in all that was paid before. Of customers
    who paid nothing before, `base` is 0 and `current` is what they pay in the segment. `active`
    marks those who pay anything today, `back` those who had paid by the time of `base` or earlier.
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
class _Points:
    """The periods in which what is paid now changes, or what was paid before, by customer.

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
        """Find the points of customers at times."""
        keys = self.customer * self.width + (self.time - self.least)
        return np.searchsorted(keys, customer * self.width + (time - self.least))


def lookback_of(changes: AmountChanges, came: Integers, horizon: int, last: int) -> Lookback:
    """Set what is paid at the end of each period beside what was `horizon` periods before.

    `came` is the period in which each customer first paid.
    """
    changes = changes.by_time()
    totals, _ = totals_of(changes)
    points = _points(totals, came, horizon, last)
    ends = np.append(points.time[1:], last + 1)[: len(points.time)]
    ends[np.append(group_starts(points.customer)[1:], True)[: len(ends)]] = last + 1
    back = points.time >= came[points.customer] + horizon

    at, segment, then, today = _by_segment(changes, points, horizon, last)
    base, now = points.base[at], points.current[at]
    paid = base > 0
    some = (then > 0) | (~paid & (today > 0))
    return Lookback(
        customer=points.customer[at][some],
        segment=segment[some],
        begin=points.time[at][some],
        end=ends[at][some],
        base=then[some],
        current=np.where(paid, share(now, then, base), today)[some],
        kept=share(np.minimum(now, base), then, base)[some],
        active=(now > 0)[some],
        back=back[at][some],
    )


def _points(totals: Totals, came: Integers, horizon: int, last: int) -> _Points:
    net = totals.after - totals.before
    nothing = np.zeros_like(net)
    # Who came and left within an earlier period is known for longer than money shows.
    early = totals.first & (came[totals.customer] < totals.time)
    time = np.concatenate(
        [totals.time, totals.time + horizon, came[totals.customer[early]] + horizon]
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
    seen = time <= last
    key, sums = sum_by_key((customer * width + (time - least))[seen], moves[seen])
    customer = key // width
    first = group_starts(customer)
    base, now = grouped_cumsum(sums, first).T
    return _Points(
        customer=customer,
        number=np.cumsum(first) - 1,
        time=key % width + least,
        base=base,
        current=now,
        least=least,
        width=width,
    )


def _by_segment(
    changes: AmountChanges, points: _Points, horizon: int, last: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """Repeat the points of customers for each of their segments.

    Gives for each the point, the segment, what was paid in it before and what is paid in it now.
    """
    n_segments = int(changes.segment.max(initial=0)) + 1
    if n_segments == 1:
        every = np.arange(len(points.time))
        return every, np.zeros_like(every), points.base, points.current
    keys, pair = np.unique(changes.customer * n_segments + changes.segment, return_inverse=True)
    owner = np.cumsum(group_starts(keys // n_segments)) - 1
    line, at = repeat_for_owner(owner, np.bincount(points.number))
    first = np.flatnonzero(group_starts(line))

    paid = []
    for later in (horizon, 0):
        delta = np.zeros(len(line), np.int64)
        seen = changes.time + later <= last
        place = points.place(changes.customer[seen], changes.time[seen] + later)
        delta[place + (first - at[first])[pair[seen]]] = (changes.after - changes.before)[seen]
        paid.append(grouped_cumsum(delta, group_starts(line)))
    return at, (keys % n_segments)[line], paid[0], paid[1]


def sums_of(spells: Lookback, cells: OutputGrid) -> dict[str, Array]:
    """Add up the spells that cover each period, by segment."""
    base, paid = spells.base, spells.base > 0
    now = np.where(paid, spells.current, 0)
    values: dict[str, Array] = {
        "customers": paid.astype(np.int64),
        "retained": (paid & spells.active).astype(np.int64),
        "opening": base,
        "now": now,
        "kept": spells.kept,
        "gained": spells.current - spells.kept,
        "back": np.where(paid | ~spells.back, 0, spells.current),
        **squares(base, now, spells.kept),
    }
    return {name: covered(spells, cells, one) for name, one in values.items()}


def covered(spells: Lookback, cells: OutputGrid, values: Array) -> Array:
    """Add up one value of the spells that cover each period, by segment."""
    begins = cells.sums(spells.segment, spells.begin, values)
    ends = cells.sums(spells.segment, spells.end, values)
    return np.cumsum(begins - ends, axis=1)
