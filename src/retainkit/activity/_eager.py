"""Count visits on arrays: for frames in memory, several times faster than the lazy plan.

It computes the same as `_lazy`, with customers and segments as codes: one element a row of
the log, a visit or a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.groupby import (
    NEVER,
    group_min,
    group_sum,
    smallest_at_first,
    unique_inverse,
    unique_keys,
    unique_rows,
)
from retainkit._frames.input import collect, instants_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._time.zones import wall_times
from retainkit._typing import Floats, Integers
from retainkit.activity._spec import (
    LATER,
    NEXT,
    ROUNDING,
    FrequencyCounts,
    MoneySums,
    VisitCounts,
    VisitSpec,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visits:
    """Visits, ascending by customer and period, and the segment of each code of a customer."""

    customer: Integers
    period: Integers
    gap: Integers
    next_visit: Integers
    amount: Floats | None
    segments: Mapping[str, nw.Series[Any]]
    segment_of: Integers
    n_ambiguous: int


def count_visits(log: Events, spec: VisitSpec) -> VisitCounts:
    """Count the visits of an event log."""
    found = _visits(log, spec)
    attributes = {
        "segment": found.segment_of[found.customer],
        "period": found.period,
        "gap": found.gap,
        "next_visit": found.next_visit,
    }
    group, groups = unique_rows(attributes)
    size = len(groups["segment"])
    money = None
    if found.amount is not None:
        parts = _money_changes(found.amount, found.gap)
        sums = {name: group_sum(values, group, size) for name, values in parts.items()}
        money = MoneySums(**sums)
    count = np.bincount(group, minlength=size).astype(np.int64, copy=False)
    return VisitCounts(
        segments=found.segments, count=count, money=money, n_ambiguous=found.n_ambiguous, **groups
    )


def count_frequencies(log: Events, spec: VisitSpec, since: int) -> FrequencyCounts:
    """Count the customers by the number of their visits from the period `since` on."""
    found = _visits(log, spec)
    size = len(found.segment_of)
    inside = np.bincount(found.customer[found.period >= since], minlength=size)
    customers = unique_keys(found.customer)
    attributes = {
        "segment": found.segment_of[customers],
        "visits": inside[customers].astype(np.int64, copy=False),
    }
    group, groups = unique_rows(attributes)
    count = np.bincount(group, minlength=len(groups["segment"])).astype(np.int64, copy=False)
    return FrequencyCounts(
        segments=found.segments, count=count, n_ambiguous=found.n_ambiguous, **groups
    )


def sum_squares(log: Events, spec: VisitSpec, gap: Integers, values: Floats) -> Floats:
    """Sum of values over the gaps of each customer, squared and added up over customers.

    `values` has, for each segment that has visits in the order of segments and each of several
    measures, a value for each `gap`: the length of one that has ended or, below 1, the length so
    far of one that has not.
    """
    found = _visits(log, spec)
    ended, still = found.gap > 0, found.next_visit == 0
    customer = np.concatenate([found.customer[ended], found.customer[still]])
    gaps = np.concatenate([found.gap[ended], found.period[still] - spec.last])
    place = np.searchsorted(gap, gaps)
    row_of = np.searchsorted(unique_keys(found.segment_of[found.customer]), found.segment_of)
    size = len(row_of)
    total = np.zeros(values.shape[:2])
    for measure in range(values.shape[1]):
        sum_of = group_sum(values[row_of[customer], measure, place], customer, size)
        # A code that goes unused has no row, and nothing to add.
        used = np.bincount(customer, minlength=size) > 0
        total[:, measure] = group_sum(sum_of[used] ** 2, row_of[used], len(values))
    return total


def _visits(log: Events, spec: VisitSpec) -> _Visits:
    """Return the visits of an event log."""
    frame = collect(log.rows)
    code, size = integer_codes(frame["customer"])
    instant = instants_of(frame["time"])
    period = spec.period.number(wall_times(instant, log.zone))
    least = int(period.min(initial=NEVER))
    width = int(period.max(initial=least)) - least + 1
    key = code * width + (period - least)
    amount = None
    if "amount" in log.columns:
        key, visit = unique_inverse(key, size * width)
        amount = group_sum(frame["amount"].to_numpy(), visit, len(key))
    else:
        key = unique_keys(key)
    customer = key // width
    period = key - customer * width + least
    same = customer[1:] == customer[:-1]
    step = np.where(same, period[1:] - period[:-1], 0)
    gap = np.concatenate([np.zeros(1, np.int64), step])[: len(key)]
    after = np.concatenate([step, np.zeros(1, np.int64)])[: len(key)]
    segments, segment_of, n_ambiguous = _segments(log, frame, code, size, instant)
    return _Visits(
        customer=customer,
        period=period,
        gap=gap,
        next_visit=np.select([after == 0, after == 1], [0, NEXT], LATER).astype(np.int64),
        amount=amount,
        segments=segments,
        segment_of=segment_of,
        n_ambiguous=n_ambiguous,
    )


def _segments(
    log: Events, frame: nw.DataFrame[Any], code: Integers, size: int, instant: Integers
) -> tuple[Mapping[str, nw.Series[Any]], Integers, int]:
    """Return the segments, that of each customer at the first instant, and who has several then."""
    segments, segment = factorize_segments(frame, log.keys)
    if not log.by:
        return segments, np.zeros(size, np.int64), 0
    first = group_min(instant, code, size)
    segment_of, several = smallest_at_first(instant, first, segment, code)
    return segments, segment_of, int(several.sum())


def _money_changes(amount: Floats, gap: Integers) -> dict[str, Floats]:
    """Compare the money of each visit with that of the period before."""
    before = np.where(gap == 1, np.append(0.0, amount)[: len(amount)], 0.0)
    more, noise = amount - before, (np.abs(amount) + np.abs(before)) * ROUNDING
    grown = np.where(more > noise, more, 0.0)
    shrunk = np.where(more < -noise, -more, 0.0)
    return {"amount": amount, "kept": amount - grown, "grown": grown, "shrunk": shrunk}
