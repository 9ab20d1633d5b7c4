"""Count the customers of each period from their visits: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._time.grid import PeriodGrid
from retainkit._time.labels import Labels
from retainkit._time.segment_periods import (
    MOST_CELLS,
    SegmentPeriods,
    first_periods,
    segment_periods,
)
from retainkit._typing import Booleans, Floats, Integers
from retainkit.activity._spec import FIRST_LATER, StartCounts, VisitCounts, VisitSpec
from retainkit.errors import ArgumentError


def periods_from_first(segment: Integers, period: Integers, spec: VisitSpec) -> SegmentPeriods:
    """Return the periods of each segment from its earliest `period` to the last of all."""
    first = np.maximum(first_periods(segment, period, spec.last), spec.period.bounds[0])
    size = int((spec.last + 1 - first).sum())
    if size > MOST_CELLS:
        begin = spec.period.label(first.min(keepdims=True))[0]
        raise ArgumentError(
            f"there would be {size:,} {spec.period.plural} to count in, from "
            f"{begin} to {spec.end}. If there is a stray date, leave it out, "
            "or set `as_of`; else choose longer periods, or fewer segments.",
            code="too_many_rows",
            argument="time",
            rows=size,
        )
    return segment_periods(first, spec.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthCounts:
    """Counts by segment and period; `before` counts the customers of the period before.

    `customers` counts those who have started by the end of the period, whether they came or not
    (None: they have no start of their own).
    """

    periods: SegmentPeriods
    customers: Integers | None
    active: Integers
    before: Integers
    new: Integers
    retained: Integers
    resurrected: Integers


def growth_counts(visits: VisitCounts, periods: SegmentPeriods) -> GrowthCounts:
    """Count the new, retained and resurrected customers of each period."""
    row = periods.row(visits.segment, visits.period)
    kinds = np.where(visits.gap == FIRST_LATER, 2, np.minimum(visits.gap, 2))
    new, retained, resurrected = (
        periods.sums(row[kinds == kind], visits.count[kinds == kind]) for kind in range(3)
    )
    active = periods.sums(row, visits.count)
    return GrowthCounts(
        periods=periods,
        customers=count_started(visits.starts, periods.segment, periods.period),
        active=active,
        before=periods.previous(active),
        new=new,
        retained=retained,
        resurrected=resurrected,
    )


def growth_amounts(visits: VisitCounts, periods: SegmentPeriods) -> dict[str, Floats]:
    """Sum of the money of each movement by period; `before` is that of the period before."""
    money = visits.money
    if money is None:
        return {}
    row = periods.row(visits.segment, visits.period)
    size = len(periods.segment)

    def total(values: Floats, where: Booleans) -> Floats:
        return np.bincount(row[where], values[where], size).astype(np.float64)

    stays = visits.gap == 1
    amount = total(money.amount, np.ones_like(stays))
    lost = total(money.amount, visits.next_visit != 1)
    return {
        "before": periods.previous(amount),
        "amount": amount,
        "new_amount": total(money.amount, visits.gap == 0),
        "retained_amount": total(money.kept, stays),
        "expansion": total(money.grown, stays),
        "contraction": total(money.shrunk, stays),
        "resurrected_amount": total(money.amount, (visits.gap > 1) | (visits.gap == FIRST_LATER)),
        "churned_amount": periods.previous(lost),
    }


# Starts of customers


def first_shown(visits: VisitCounts, spec: VisitSpec) -> tuple[Integers, Integers]:
    """Return segments and periods from which on a result has rows.

    They are those of visits and of starts, but none before the first event of all.
    """
    starts = visits.starts
    if starts is None or (starts.first is not None and starts.first > spec.last):
        return visits.segment, visits.period
    begun = starts.period if starts.first is None else np.maximum(starts.period, starts.first)
    segment = np.concatenate([visits.segment, starts.segment])
    return segment, np.concatenate([visits.period, begun])


def count_started(starts: StartCounts | None, segment: Integers, last: Integers) -> Integers | None:
    """Count the customers of each segment who start up to the period `last`."""
    if starts is None:
        return None
    order = np.lexsort([starts.period, starts.segment])
    counts = np.append(0, np.cumsum(starts.count[order]))
    least = min(starts.period.min(initial=NEVER), last.min(initial=NEVER))
    width = max(starts.period.max(initial=least), last.max(initial=least)) - least + 1
    key = starts.segment[order] * width + starts.period[order] - least
    until = np.searchsorted(key, segment * width + last - least, side="right")
    counted: Integers = counts[until] - counts[np.searchsorted(key, segment * width)]
    return counted


# Windows of days


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """A window of so many days, and the periods in which customers are counted."""

    window: int
    period: PeriodGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodDays:
    """The days of each period, from `begin` to before `end`; those observed are before `until`.

    `label` holds the dates that name them.
    """

    periods: SegmentPeriods
    label: Labels
    begin: Integers
    end: Integers
    until: Integers


def period_days(visits: VisitCounts, days: VisitSpec, spec: WindowSpec) -> PeriodDays:
    """Return the periods of each segment that hold the days of visits."""
    grid = spec.period
    whole = replace(days, period=grid)
    segment, first = first_shown(visits, days)
    periods = periods_from_first(segment, grid.number_of_day(first), whole)
    begin, end = grid.first_day(periods.period), grid.first_day(periods.period + 1)
    until = np.minimum(end, days.last + 1)
    label = grid.label(periods.period)
    return PeriodDays(periods=periods, label=label, begin=begin, end=end, until=until)


def count_active_in_window(
    visits: VisitCounts, days: VisitSpec, window: int, day: Integers, found: PeriodDays
) -> Integers:
    """Count the customers with a visit in the `window` days that end with a day of each period.

    A visit covers the days from its own on; where it comes while another still covers, only those
    from then on are covered anew. So the cost grows with visits and days, not with their product.
    """
    rows = periods_from_first(*first_shown(visits, days), days)
    since = np.where(visits.gap > 0, visits.period - visits.gap + window, visits.period)
    change = np.zeros(len(rows.segment), np.int64)
    for at, sign in ((np.maximum(visits.period, since), 1), (visits.period + window, -1)):
        observed = at <= days.last
        row = rows.row(visits.segment[observed], at[observed])
        change += sign * rows.sums(row, visits.count[observed])
    covered = np.append(0, np.cumsum(change))
    # What a segment has left at its end runs on into the next one, and is taken off again.
    segment = found.periods.segment
    begin = rows.begin[segment]
    row = rows.row(segment, day)
    active = covered[np.maximum(row, begin) + 1] - covered[begin]
    return np.where(row < begin, 0, active)


def in_periods(visits: VisitCounts, spec: WindowSpec) -> tuple[VisitCounts, Integers]:
    """Return the visits on days of a period, and the number of it."""
    number = spec.period.number_of_day(visits.period)
    if not spec.period.has_edges:
        return visits, number
    inside = spec.period.holds(number)
    return visits.take(inside), number[inside]


def count_active(visits: VisitCounts, found: PeriodDays, spec: WindowSpec) -> Integers:
    """Count the customers with a visit in each of the periods."""
    visits, number = in_periods(visits, spec)
    first = (visits.gap <= 0) | (visits.period - visits.gap < spec.period.first_day(number))
    row = found.periods.row(visits.segment[first], number[first])
    return found.periods.sums(row, visits.count[first])
