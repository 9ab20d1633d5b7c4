"""Specification of a reduction to visits, and the counts that it returns.

A *visit* is a customer in a period with events, however many there are. `_lazy` counts inside a
lazy engine and `_eager` on arrays in memory, and the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._inputs.events import Events
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit._typing import Booleans, Floats, Integers

ROUNDING = 1e-9
"""Share of the money in two periods up to which a difference between them is due to rounding."""

FIRST_LATER = -1
"""The gap at a customer's first visit, where it comes in a later period than the start."""

NEXT, LATER = 1, 2
"""The customer's next visit is in the very next period, or in a later one; 0: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSpec:
    """Periods by which visits are counted, and the end of observation."""

    end: Moment
    period: PeriodGrid

    @property
    def last(self) -> int:
        """Number of the last period that has begun."""
        return self.end.last_begun(self.period)

    def first(self, log: Events) -> int | None:
        """Number of the period of the first event."""
        first = log.first_event
        return None if first is None else first.index(self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySums:
    """Sums over the visits of an element: all money, and how it compares with the period before.

    Where the gap is 1, `kept` adds up what was spent in both periods, `grown` what is more than in
    the period before and `shrunk` what is less, each customer's by itself.
    """

    amount: Floats
    kept: Floats
    grown: Floats
    shrunk: Floats

    def take(self, which: Booleans) -> MoneySums:
        """Return some of the elements."""
        return MoneySums(**{one.name: getattr(self, one.name)[which] for one in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCounts:
    """Counts of customers by segment and period of their own start, whether they came or not.

    `first` is the period of the first event of all, if there is one. `n_late` counts the customers
    who start at or after the end of observation, and `n_early` the events in periods before the
    start; neither are among the counts.
    """

    segment: Integers
    period: Integers
    count: Integers
    first: int | None
    n_late: int
    n_early: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCounts:
    """Counts of visits: parallel arrays, an element for each segment, period, gap and `next_visit`.

    `gap` is the number of periods since the customer's visit before, at the first one 0 or
    `FIRST_LATER`. `next_visit` is 0 at the last visit, `NEXT` or `LATER`. `n_ambiguous` counts the
    customers with several segments at their first instant. `starts` is None where customers have
    no start of their own.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    period: Integers
    gap: Integers
    next_visit: Integers
    count: Integers
    money: MoneySums | None
    starts: StartCounts | None
    n_ambiguous: int

    @property
    def n_customers(self) -> int:
        """Number of all customers, those who start too late too."""
        if self.starts is None:
            return int(self.count[self.gap == 0].sum())
        return int(self.starts.count.sum()) + self.starts.n_late

    def inside(self, period: PeriodGrid) -> VisitCounts:
        """Return the elements in a period, where there are edges."""
        return self.take(period.holds(self.period)) if period.has_edges else self

    def take(self, which: Booleans) -> VisitCounts:
        """Return some of the elements."""
        names = ("segment", "period", "gap", "next_visit", "count")
        own = {name: getattr(self, name)[which] for name in names}
        money = None if self.money is None else self.money.take(which)
        return replace(self, money=money, **own)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCounts:
    """Counts of customers by segment and number of visits in a window, 0 included."""

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    visits: Integers
    count: Integers
    n_ambiguous: int
