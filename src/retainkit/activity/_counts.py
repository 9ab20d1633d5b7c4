"""From visits to what happened in each period: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from retainkit._time.periods import first_day, period_index
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.activity._spec import Visits, VisitSpec


Numbers = TypeVar("Numbers", bound="NDArray[np.generic]")

_MOST_ROWS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPeriods:
    """Every period of each segment, from its first one to the last.

    `begin` is the line with which each segment begins.
    """

    segment: Integers
    period: Integers
    begin: Integers
    offset: Integers

    def of(self, segment: Integers, period: Integers) -> Integers:
        """Find the line of each segment and period."""
        lines: Integers = self.offset[segment] + period
        return lines

    def total(self, line: Integers, values: Integers) -> Integers:
        """Add up whole numbers in each line."""
        size = len(self.segment)
        return np.bincount(line, values, size).astype(np.int64)

    def before(self, values: Numbers) -> Numbers:
        """Give for each line the value of the period before: 0 for the first of a segment."""
        before: Numbers = np.roll(values, 1)
        before[self.begin[self.segment]] = 0
        return before


def segment_periods(
    segment: Integers, first: Integers, last: int, query: VisitSpec
) -> SegmentPeriods:
    """Line up the periods of each segment from the earliest of `first` to `last`.

    `segment` numbers the segments from 0; one that does not occur has no line.
    """
    size = int(segment.max(initial=-1)) + 1
    earliest = np.full(size, last + 1)
    np.minimum.at(earliest, segment, first)
    lengths = last + 1 - earliest
    if lengths.sum() > _MOST_ROWS:
        day = first_day(earliest.min(keepdims=True), query.period, query.week_start)[0]
        raise ArgumentError(
            f"there would be {int(lengths.sum()):,} {query.period}s to count in, from "
            f"{day.astype('datetime64[D]')} to {query.end}. If there is a stray date, leave it "
            "out, or set `as_of`; else choose longer periods, or fewer segments."
        )
    begin = np.cumsum(lengths) - lengths
    offset = begin - earliest
    segments = np.repeat(np.arange(size), lengths)
    period = np.arange(len(segments)) - offset[segments]
    return SegmentPeriods(segment=segments, period=period, begin=begin, offset=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Movements by line; `before` counts the customers of the period before."""

    lines: SegmentPeriods
    active: Integers
    before: Integers
    new: Integers
    retained: Integers
    resurrected: Integers


def growth(visits: Visits, query: VisitSpec) -> Growth:
    """Count in each period who is new, who stays and who comes back."""
    lines = segment_periods(visits.segment, visits.period, query.last, query)
    line = lines.of(visits.segment, visits.period)
    kinds = np.minimum(visits.gap, 2)
    new, retained, resurrected = (
        lines.total(line[kinds == kind], visits.count[kinds == kind]) for kind in range(3)
    )
    active = lines.total(line, visits.count)
    return Growth(
        lines=lines,
        active=active,
        before=lines.before(active),
        new=new,
        retained=retained,
        resurrected=resurrected,
    )


def growth_of_money(visits: Visits, lines: SegmentPeriods) -> dict[str, Floats]:
    """Add up in each period the money of those movements; `before` is that of the period before."""
    money = visits.money
    if money is None:
        return {}
    line = lines.of(visits.segment, visits.period)
    size = len(lines.segment)

    def total(values: Floats, where: Booleans) -> Floats:
        return np.bincount(line[where], values[where], size).astype(np.float64)

    stays = visits.gap == 1
    amount = total(money.amount, np.ones_like(stays))
    lost = total(money.amount, visits.ahead != 1)
    return {
        "before": lines.before(amount),
        "amount": amount,
        "new_amount": total(money.amount, visits.gap == 0),
        "retained_amount": total(money.kept, stays),
        "expansion": total(money.grown, stays),
        "contraction": total(money.shrunk, stays),
        "resurrected_amount": total(money.amount, visits.gap > 1),
        "churned_amount": lines.before(lost),
    }


# Windows of days


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The periods of each segment in days: `begin` to before `end`, `seen` up to before `until`."""

    lines: SegmentPeriods
    begin: Integers
    end: Integers
    until: Integers


def spans(visits: Visits, query: VisitSpec, period: Period, week_start: Weekday) -> Spans:
    """Line up the periods that hold the days of visits."""
    first = period_index(visits.period, period, week_start)
    last = int(period_index(np.array([query.last]), period, week_start)[0])
    asked = replace(query, period=period, week_start=week_start)
    lines = segment_periods(visits.segment, first, last, asked)
    begin = first_day(lines.period, period, week_start)
    end = first_day(lines.period + 1, period, week_start)
    return Spans(lines=lines, begin=begin, end=end, until=np.minimum(end, query.last + 1))


def count_active_in_window(
    visits: Visits, query: VisitSpec, window: int, day: Integers, spans: Spans
) -> Integers:
    """Count who has visited in the `window` days up to and with a day, for each of the spans.

    A visit covers the days from its own on; where it comes while another still covers, only those
    from then on are covered anew. So the cost grows with visits and days, not with their product.
    """
    days = segment_periods(visits.segment, visits.period, query.last, query)
    since = np.where(visits.gap > 0, visits.period - visits.gap + window, visits.period)
    change = np.zeros(len(days.segment), np.int64)
    for at, sign in ((np.maximum(visits.period, since), 1), (visits.period + window, -1)):
        seen = at <= query.last
        line = days.of(visits.segment[seen], at[seen])
        change += sign * days.total(line, visits.count[seen])
    covered = np.append(0, np.cumsum(change))
    # What a segment has left at its end runs on into the next one, and is taken off again.
    segment = spans.lines.segment
    begin = days.begin[segment]
    line = days.of(segment, day)
    found = covered[np.maximum(line, begin) + 1] - covered[begin]
    return np.where(line < begin, 0, found)


def count_active(visits: Visits, spans: Spans, period: Period, week_start: Weekday) -> Integers:
    """Count who has visited in each of the periods."""
    number = period_index(visits.period, period, week_start)
    begin = first_day(number, period, week_start)
    first = (visits.gap == 0) | (visits.period - visits.gap < begin)
    line = spans.lines.of(visits.segment[first], number[first])
    return spans.lines.total(line, visits.count[first])
