"""Counts of trials and pairs on arrays, for frames in memory: the same as `_lazy` gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retainkit._frames.groupby import sort_order, unique_keys
from retainkit._frames.input import collect, instants_of
from retainkit._inputs.events import Events
from retainkit._scipy import without_scipy_filters
from retainkit._time.grid import DAYS
from retainkit._time.periods import DAY
from retainkit._time.windows import Window
from retainkit._time.zones import wall_times
from retainkit._typing import Booleans, Floats, Integers
from retainkit.affinity._items import code_items, owners_of
from retainkit.affinity._spec import AffinitySpec, PairCounts

with without_scipy_filters():
    from scipy.sparse import csr_matrix

_CANDIDATES = 2**21  # later purchases that are looked at at once


# Baskets


def count_baskets(log: Events, spec: AffinitySpec) -> PairCounts:
    """Count the orders with each item, and those with each pair of items."""
    frame = collect(log.rows)
    items = code_items(log, frame)
    order, segment = owners_of(log, frame, items, "order")
    n_orders = max(len(segment), 1)
    key = unique_keys(items.place * n_orders + order)
    code = key // n_orders
    trials = np.bincount(code, minlength=len(items.segment))
    kept = trials >= spec.min_trials
    lines = key[kept[code]]
    lines -= code[kept[code]] * n_orders
    first, second, both = _count_together(trials[kept], lines, n_orders)
    return items.counts(
        spec,
        trials,
        np.zeros(len(trials), np.int64),
        total=np.bincount(segment[segment >= 0], minlength=items.n_segments),
        first=first,
        second=second,
        both=both,
        days=None,
    )


def _count_together(
    size: Integers, order: Integers, n_orders: int
) -> tuple[Integers, Integers, Integers]:
    """Count the orders that two items share, for each pair that has any.

    Each item has so many orders, which stand one after another.
    """
    begin = np.append(0, np.cumsum(size))
    has = csr_matrix((np.ones(len(order), np.int64), order, begin), (len(size), n_orders))
    together = (has @ has.T).tocoo()
    once = together.row < together.col
    first, second = (one[once].astype(np.int64) for one in (together.row, together.col))
    return first, second, together.data[once].astype(np.int64)


# The next purchase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Purchases:
    """Purchases of the items that are kept, by customer and time.

    `rank` is the place of the time among the `times` of all purchases, and `previous` that at which
    the customer had bought the item before. `clock` is what a window is held to: the time, or for
    whole days that on the wall.
    """

    times: Integers
    customer: Integers
    item: Integers
    rank: Integers
    clock: Integers
    day: Integers
    previous: Integers


def count_next(log: Events, spec: AffinitySpec) -> PairCounts:
    """Count the first purchases of each item, and what was bought in the window after them."""
    assert spec.window is not None  # noqa: S101
    frame = collect(log.rows)
    items = code_items(log, frame)
    customer, _ = owners_of(log, frame, items, "customer")
    time = instants_of(frame["time"])
    wall = wall_times(time, log.zone)
    clock = wall if spec.window.whole_days else time
    times, rank = _ranks(time)
    previous = _previous(customer * len(items.segment) + items.place, rank)
    starts = previous < 0
    over = clock <= spec.last_start
    trials, young = (
        np.bincount(items.place[which], minlength=len(items.segment))
        for which in (starts & over, starts & ~over)
    )
    kept = trials >= spec.min_trials
    rows = np.flatnonzero(kept[items.place])
    rows = rows[sort_order(customer[rows], rank[rows])]
    purchases = _Purchases(
        times=times,
        customer=customer[rows],
        item=(np.cumsum(kept) - 1)[items.place[rows]],
        rank=rank[rows],
        clock=clock[rows],
        day=DAYS.number(wall[rows]),
        previous=previous[rows],
    )
    pairs = _count_later(purchases, (starts & over)[rows], spec.window, int(kept.sum()))
    segment = items.segment[kept]
    total = np.bincount(segment, trials[kept], items.n_segments).astype(np.int64)
    return items.counts(spec, trials, young, total=total, **pairs)


def _ranks(time: Integers) -> tuple[Integers, Integers]:
    """Return the distinct times in ascending order, and the place of each time among them."""
    order = np.argsort(time)
    ordered = time[order]
    opens = np.append(True, ordered[1:] != ordered[:-1])[: len(order)]
    rank = np.empty(len(order), np.int64)
    rank[order] = np.cumsum(opens) - 1
    return ordered[opens], rank


def _previous(group: Integers, rank: Integers) -> Integers:
    """Return the rank of the row before each one in its group, -1 for the first."""
    order = sort_order(group, rank)
    previous = np.full(len(order), -1)
    same = group[order[1:]] == group[order[:-1]]
    previous[order[1:][same]] = rank[order[:-1][same]]
    return previous


def _count_later(
    purchases: _Purchases, is_start: Booleans, window: Window, n_items: int
) -> dict[str, Integers | Floats]:
    """Count what was bought in the window after each start, the first time only, and when."""
    start = np.flatnonzero(is_start)
    limits = _candidates(purchases, start, window)
    by_item = np.argsort(purchases.item[start], kind="stable")
    start, low, high = (one[by_item] for one in (start, *limits))
    upto = np.append(0, np.cumsum(high - low))
    cuts = np.flatnonzero(np.diff(purchases.item[start], prepend=-1, append=-1))
    width = -(-window.microseconds // DAY) + 3
    found: list[tuple[Integers, Integers, Floats]] = []
    for block in _blocks(upto, cuts if len(start) else cuts[:0]):
        every = np.arange(block.start, block.stop + 1)
        parts = [
            _hits(purchases, start[part], low[part], high[part], window)
            for part in _blocks(upto, every)
        ]
        after, later = (np.concatenate(one) for one in zip(*parts, strict=True))
        pair = purchases.item[after] * n_items + purchases.item[later]
        # A clock that is set back over midnight may show the day before.
        days = purchases.day[later] - purchases.day[after] + 1
        found.append(_counts_and_medians(pair * width + days, width))
    none = np.zeros(0, np.int64)
    pair, both, days = (
        map(np.concatenate, zip(*found, strict=True)) if found else (none, none, none.astype(float))
    )
    size = max(n_items, 1)
    return {"first": pair // size, "second": pair % size, "both": both, "days": days - 1}


def _candidates(
    purchases: _Purchases, start: Integers, window: Window
) -> tuple[Integers, Integers]:
    """Return the places from the first purchase after each start to the end of its window.

    For whole days the end may be too late, by as much as clocks are set forwards and back.
    """
    n_times = len(purchases.times)
    place = purchases.customer * n_times + purchases.rank
    low = np.searchsorted(place, place[start], side="right")
    slack = 2 * DAY if window.whole_days else 0
    bound = purchases.times[purchases.rank[start]] + window.microseconds + slack
    end = purchases.customer[start] * n_times + np.searchsorted(purchases.times, bound)
    return low, np.searchsorted(place, end)


def _blocks(upto: Integers, cuts: Integers) -> Iterator[slice]:
    """Split starts at some `cuts`, into blocks of no more candidates than are looked at at once.

    What lies between two cuts stays together. `upto` has the candidates before each start.
    """
    before, begin = upto[cuts], 0
    while begin < len(cuts) - 1:
        fit = int(np.searchsorted(before, before[begin] + _CANDIDATES, side="right")) - 1
        end = max(fit, begin + 1)
        yield slice(int(cuts[begin]), int(cuts[end]))
        begin = end


def _hits(
    purchases: _Purchases, start: Integers, low: Integers, high: Integers, window: Window
) -> tuple[Integers, Integers]:
    """Return each start with each item that is bought for the first time after it, in time."""
    size = high - low
    skipped = np.cumsum(size) - size
    later = np.repeat(low - skipped, size) + np.arange(int(size.sum()))
    after = np.repeat(start, size)
    hit = purchases.previous[later] <= purchases.rank[after]
    if window.whole_days:
        hit &= purchases.clock[later] < purchases.clock[after] + window.microseconds
    return after[hit], later[hit]


def _counts_and_medians(key: Integers, width: int) -> tuple[Integers, Integers, Floats]:
    """Return the distinct pairs among keys ``pair * width + days``, their number and median."""
    key = np.sort(key)
    pair = key // width
    opens = np.flatnonzero(np.diff(pair, prepend=-1))
    number = np.diff(np.append(opens, len(key)))
    days = key - pair * width
    middle = days[opens + (number - 1) // 2] + days[opens + number // 2]
    return pair[opens], number, middle / 2
