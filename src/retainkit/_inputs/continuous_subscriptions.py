"""Merge the subscriptions of a customer into continuous ones, or fill the pauses between them.

Subscriptions of a customer that overlap, touch, or leave a gap no longer than a given one are one
continuous subscription: an upgrade, a second product or a late renewal ends nothing. Integers in,
integers out; the cost is that of sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import NEVER, group_blocks, latest_so_far
from retainkit._inputs.ordered_subscriptions import (
    OrderedSubscriptions,
    read_ordered_subscriptions,
)
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._messages import count_noun, warn
from retainkit._time.grid import PeriodGrid
from retainkit._typing import Booleans, Integers

_LEVELS = (
    " And no row ends: if each says what a customer pays from then on, and an amount of 0 is the "
    "end, these are levels; make subscriptions of them with `subscriptions_from_levels`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousSubscriptions:
    """Continuous subscriptions by customer and start, as times on the wall clock.

    Those that have not ended end `NEVER`. `first` marks the first one of each customer. `segment`
    is that of the subscription it starts with: the smallest where subscriptions of several segments
    start together, as in `n_ambiguous` of them. `reason` is that of the subscription which ends
    last, the smallest again where several do. `entry` is the time from which it was observed,
    `begin` or later, and `opens` the place of its first subscription among the ordered ones.
    """

    customer: Integers
    begin: Integers
    end: Integers
    first: Booleans
    segment: Integers
    n_ambiguous: int
    entry: Integers
    segments: Mapping[str, nw.Series[Any]]
    reason: Integers | None
    reasons: Mapping[str, nw.Series[Any]]
    n_ambiguous_ends: int
    opens: Integers

    def before(self, grid: PeriodGrid) -> ContinuousSubscriptions:
        """Leave out those that begin at the last edge of a grid or after it."""
        if not grid.has_edges:
            return self
        kept = grid.number(self.begin) < grid.bounds[1]
        names = ("customer", "begin", "end", "first", "segment", "entry")
        reason = None if self.reason is None else self.reason[kept]
        return replace(self, reason=reason, **{name: getattr(self, name)[kept] for name in names})


def read_continuous_subscriptions(subscriptions: Subscriptions) -> ContinuousSubscriptions:
    """Read subscriptions into memory and merge those of each customer, up to their gap."""
    return read_with_rows(subscriptions)[1]


def read_with_rows(
    subscriptions: Subscriptions, *, places: bool = False
) -> tuple[OrderedSubscriptions, ContinuousSubscriptions]:
    """Read subscriptions, and return what was merged too, with its `places` in the table."""
    if subscriptions.free:
        warn(
            f"{subscriptions.free:,} of {count_noun(subscriptions.n_rows, 'row')} have an amount "
            "of 0 and are not used." + (_LEVELS if subscriptions.endless else ""),
            code="free_subscriptions",
            argument="amount",
            column=subscriptions.names["amount"],
            rows=subscriptions.free,
            total=subscriptions.n_rows,
        )
    rows = read_ordered_subscriptions(subscriptions, places=places)
    parts = [*group_blocks(rows.customer)]
    runs = _joined([merge_overlapping(rows.part(part), subscriptions.gap) for part in parts], parts)
    for number, option, place in (
        (runs.n_ambiguous, "by", "start"),
        (runs.n_ambiguous_ends, "reason", "end"),
    ):
        if number:
            warn(
                f"{count_noun(number, 'uninterrupted run')} of a customer with several values of "
                f"`{option}` at the instant of the {place}, of which the smallest is taken.",
                code="several_values",
                argument=option,
                rows=number,
                total=len(runs.customer),
            )
    return rows, runs


def _joined(parts: list[ContinuousSubscriptions], rows: Sequence[slice]) -> ContinuousSubscriptions:
    """Return the runs of several parts of the customers, with those rows, as one; empty the list.

    Columns are joined one after another, so that there is memory for one of them twice.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    names = ["customer", "begin", "end", "first", "segment"]
    names += ["entry"] if any(part.entry is not part.begin for part in parts) else []
    names += [] if first.reason is None else ["reason"]
    columns = {name: [getattr(part, name) for part in parts] for name in names}
    columns["opens"] = [part.opens + own.start for part, own in zip(parts, rows, strict=True)]
    n_ambiguous = sum(part.n_ambiguous for part in parts)
    n_ambiguous_ends = sum(part.n_ambiguous_ends for part in parts)
    parts.clear()
    whole: dict[str, Any] = {name: np.concatenate(columns.pop(name)) for name in [*columns]}
    return replace(
        first,
        **{"entry": whole["begin"]} | whole,
        n_ambiguous=n_ambiguous,
        n_ambiguous_ends=n_ambiguous_ends,
    )


def merge_overlapping(rows: OrderedSubscriptions, gap: int) -> ContinuousSubscriptions:
    """Merge subscriptions of a customer that are at most `gap` apart."""
    customer, begin, segment = rows.customer, rows.begin, rows.segment
    opens = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    reached = latest_so_far(rows.end, np.cumsum(opens) - 1)
    start = opens.copy()
    # No later start lies beyond one that has not ended; NEVER + gap would be below zero.
    start[1:] |= begin[1:] - gap > reached[:-1]
    where = np.flatnonzero(start)
    last = np.append(where[1:], len(start))[: len(where)] - 1
    run = np.cumsum(start) - 1
    at_start = begin == begin[where][run]
    reason, n_ambiguous_ends = None, 0
    if rows.reason is not None:
        at_end = (rows.end == reached[last][run]) & (rows.end < NEVER)
        reason, n_ambiguous_ends = _smallest(rows.reason, at_end, where)
    smallest, n_ambiguous = _smallest(segment, at_start, where)
    started = begin[where]
    return ContinuousSubscriptions(
        customer=customer[where],
        begin=started,
        end=reached[last],
        first=opens[where],
        segment=smallest,
        n_ambiguous=n_ambiguous,
        entry=started if rows.entry is None else _least(rows.entry, where),
        segments=rows.segments,
        reason=reason,
        reasons=rows.reasons,
        n_ambiguous_ends=n_ambiguous_ends,
        opens=where,
    )


def carried_ends(rows: OrderedSubscriptions, gap: int, settled: int) -> Integers:
    """Return the ends of subscriptions, moved to the end of the pause that begins with them.

    Pauses are those of a customer, all subscriptions together, and up to `gap`. What a customer had
    last and ended at `settled` or later may yet go on, and does not end.
    """
    customer, begin = rows.customer, rows.begin
    opens = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    reached = latest_so_far(rows.end, np.cumsum(opens) - 1)
    start = opens.copy()
    start[1:] |= begin[1:] > reached[:-1]
    where = np.flatnonzero(start)
    until = reached[np.append(where[1:], len(start))[: len(where)] - 1]
    final = np.append(opens[where][1:], True)[: len(where)]
    renewed = np.append(begin[where][1:], NEVER)[: len(where)]
    carried = np.where(~final & (renewed - gap <= until), renewed, until)
    carried[final & (until >= settled)] = NEVER
    run = np.cumsum(start) - 1
    return np.where(rows.end == until[run], carried[run], rows.end)


def _smallest(values: Integers, which: Booleans, first: Integers) -> tuple[Integers, int]:
    """Return the smallest of some values in each group, and the number of groups with several.

    Groups begin with the elements `first`.
    """
    above = int(values.max(initial=0)) + 1
    least = _least(np.where(which, values, above), first)
    greatest = -_least(np.where(which, -values, 0), first)
    return np.minimum(least, above - 1), int((greatest > least).sum())


def _least(values: Integers, first: Integers) -> Integers:
    """Return the least value of each group."""
    return np.minimum.reduceat(values, first) if len(first) else values[:0].copy()
