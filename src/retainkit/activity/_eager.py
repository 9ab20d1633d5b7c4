"""Count visits on arrays: for frames in memory, several times faster than the lazy plan.

It computes the same as `_lazy`, with customers and segments as codes: one element a row of
the log, a visit or a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from retainkit._typing import Booleans, Floats, Integers
from retainkit.activity._spec import (
    FIRST_LATER,
    LATER,
    NEXT,
    ROUNDING,
    FrequencyCounts,
    MoneySums,
    StartCounts,
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
    starts: StartCounts | None
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
        segments=found.segments,
        count=count,
        money=money,
        starts=found.starts,
        n_ambiguous=found.n_ambiguous,
        **groups,
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
    segments, segment_of, n_ambiguous = _segments(log, frame, code, size, instant)
    period = spec.period.number(wall_times(instant, log.zone))
    amount = frame["amount"].to_numpy() if "amount" in log.columns else None
    starts, start_of = None, None
    if log.has_starts:
        starts, start_of = _starts(log, spec, frame, code, segment_of)
        counts = _came(frame) & (start_of[code] <= period)
        early = _came(frame) & (start_of[code] > period) & (start_of[code] < NEVER)
        starts = replace(starts, n_early=int(early.sum()))
        code, period = code[counts], period[counts]
        amount = None if amount is None else amount[counts]
    customer, period, amount = _merged(code, period, amount, size)
    opens = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    step = np.where(opens, 0, np.diff(period, prepend=0))
    after = np.append(step, 0)[1:]
    gap = step
    if start_of is not None:
        gap = np.where(opens & (period > start_of[customer]), FIRST_LATER, step)
    return _Visits(
        customer=customer,
        period=period,
        gap=gap,
        next_visit=np.select([after == 0, after == 1], [0, NEXT], LATER).astype(np.int64),
        amount=amount,
        starts=starts,
        segments=segments,
        segment_of=segment_of,
        n_ambiguous=n_ambiguous,
    )


def _merged(
    code: Integers, period: Integers, amount: Floats | None, size: int
) -> tuple[Integers, Integers, Floats | None]:
    """Merge the events of each customer in each period."""
    least = int(period.min(initial=NEVER))
    width = int(period.max(initial=least)) - least + 1
    key = code * width + (period - least)
    if amount is None:
        key = unique_keys(key)
    else:
        key, visit = unique_inverse(key, size * width)
        amount = group_sum(amount, visit, len(key))
    customer = key // width
    return customer, key - customer * width + least, amount


def _came(frame: nw.DataFrame[Any]) -> Booleans:
    """Mark the rows that are events."""
    came: Booleans = (
        frame["came"].to_numpy() if "came" in frame.columns else np.ones(len(frame), np.bool_)
    )
    return came


def _starts(
    log: Events,
    spec: VisitSpec,
    frame: nw.DataFrame[Any],
    code: Integers,
    segment_of: Integers,
) -> tuple[StartCounts, Integers]:
    """Count the starts of customers, and return the period of each code's (`NEVER`: too late)."""
    start = group_min(instants_of(frame["cohort_time"]), code, len(segment_of))
    used = np.flatnonzero(start < spec.end.instant)
    number = spec.period.number(wall_times(start[used], log.zone))
    start_of = np.full(len(start), NEVER)
    start_of[used] = number
    group, groups = unique_rows({"segment": segment_of[used], "period": number})
    counts = StartCounts(
        count=np.bincount(group, minlength=len(groups["period"])).astype(np.int64),
        first=spec.first(log),
        n_late=int(((start >= spec.end.instant) & (start < NEVER)).sum()),
        n_early=0,
        **groups,
    )
    return counts, start_of


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
