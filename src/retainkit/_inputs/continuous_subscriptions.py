"""Merge the subscriptions of a customer into continuous ones.

Subscriptions of a customer that overlap, touch, or leave a gap no longer than a given one are one
continuous subscription: an upgrade, a second product or a late renewal ends nothing. Integers in,
integers out; the cost is that of sorting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import collect, instants_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._messages import count_noun, warn
from retainkit._time.zones import wall_times
from retainkit._typing import Booleans, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousSubscriptions:
    """Continuous subscriptions by customer and start, as times on the wall clock.

    Those that have not ended end `NEVER`. `first` marks the first one of each customer. `segment`
    is that of the subscription it starts with: the smallest where subscriptions of several segments
    start together, as in `n_ambiguous` of them. `entry` is the time from which it was observed,
    `begin` or later.
    """

    customer: Integers
    begin: Integers
    end: Integers
    first: Booleans
    segment: Integers
    n_ambiguous: int
    entry: Integers
    segments: Mapping[str, nw.Series[Any]]


def read_continuous_subscriptions(
    subscriptions: Subscriptions, gap: int
) -> ContinuousSubscriptions:
    """Read subscriptions into memory and merge those of each customer."""
    rows = collect(_paid(subscriptions))
    segments, segment = factorize_segments(rows, subscriptions.keys)
    ends = ~rows["end"].is_null().to_numpy().astype(bool)
    begin = instants_of(rows["start"])
    # Without a null, some kinds of arrays would have no room for it.
    end = np.where(ends, instants_of(rows["end"].fill_null(rows["start"])), NEVER)
    entry = begin
    if "entry" in rows.columns:
        entry = np.maximum(instants_of(rows["entry"].fill_null(rows["start"])), begin)
    customer, _ = integer_codes(rows["customer"])
    runs = merge_overlapping(
        customer,
        *_wall_times((begin, end, entry), subscriptions),
        segment=segment,
        gap=gap,
        segments=segments,
    )
    if runs.n_ambiguous:
        warn(
            f"{count_noun(runs.n_ambiguous, 'uninterrupted run')} of a customer with several "
            "values of `by` at the instant of the start, of which the smallest is taken."
        )
    return runs


def _paid(subscriptions: Subscriptions) -> Any:
    """Return the rows without free subscriptions: trials and the like make no customer."""
    if not subscriptions.free:
        return subscriptions.rows
    warn(
        f"{subscriptions.free:,} of {count_noun(subscriptions.n_rows, 'row')} have an amount of 0 "
        "and are not used."
    )
    return subscriptions.rows.filter(nw.col("amount") > 0)


def _wall_times(times: tuple[Integers, ...], subscriptions: Subscriptions) -> tuple[Integers, ...]:
    """Return wall times; where the clock is put back, no subscription ends before it begins."""
    zone = subscriptions.zone
    begin = wall_times(times[0], zone)
    later = []
    for time in times[1:]:
        comes = time < NEVER
        wall = np.full(len(time), NEVER)
        wall[comes] = np.maximum(
            wall_times(time[comes], zone), begin[comes] + (time > times[0])[comes]
        )
        later.append(wall)
    return begin, *later


def merge_overlapping(
    customer: Integers,
    begin: Integers,
    end: Integers,
    entry: Integers,
    *,
    segment: Integers,
    gap: int,
    segments: Mapping[str, nw.Series[Any]],
) -> ContinuousSubscriptions:
    """Merge subscriptions of a customer that are at most `gap` apart."""
    order = np.lexsort((segment, begin, customer))
    customer, begin, end, entry, segment = (
        one[order] for one in (customer, begin, end, entry, segment)
    )
    opens = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    reached = _latest_so_far(end, np.cumsum(opens) - 1)
    start = opens.copy()
    # No later start lies beyond one that has not ended; NEVER + gap would be below zero.
    start[1:] |= begin[1:] - gap > reached[:-1]
    where = np.flatnonzero(start)
    last = np.append(where[1:], len(start))[: len(where)] - 1
    run = np.cumsum(start) - 1
    together = begin == begin[where][run]
    greatest = (
        np.maximum.reduceat(np.where(together, segment, -1), where) if len(where) else segment
    )
    return ContinuousSubscriptions(
        customer=customer[where],
        begin=begin[where],
        end=reached[last],
        first=opens[where],
        segment=segment[where],
        n_ambiguous=int((greatest > segment[where]).sum()),
        entry=np.minimum.reduceat(entry, where) if len(where) else entry,
        segments=segments,
    )


def _latest_so_far(end: Integers, group: Integers) -> Integers:
    """Return the latest end in the group of each element so far; groups ascend."""
    # One number has room for a group and a rank, but not for a group and a time.
    values, rank = np.unique(end, return_inverse=True)
    width = len(values) + 1
    return values[np.maximum.accumulate(group * width + rank) - group * width]
