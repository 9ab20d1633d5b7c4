"""Specification of a reduction to visits, and the counts that it returns.

A *visit* is a customer in a period with events, however many there are. `_lazy` counts inside a
lazy engine and `_eager` on arrays in memory, and the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit._typing import Floats, Integers

ROUNDING = 1e-9
"""Share of the money in two periods up to which a difference between them is due to rounding."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCounts:
    """Counts of visits: parallel arrays, an element for each segment, period, gap and `next_visit`.

    `gap` is the number of periods since the customer's visit before, 0 at the first one.
    `next_visit` is 0 at the last visit, `NEXT` or `LATER`. `n_ambiguous` counts the customers with
    several segments at their first instant.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    period: Integers
    gap: Integers
    next_visit: Integers
    count: Integers
    money: MoneySums | None
    n_ambiguous: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyCounts:
    """Counts of customers by segment and number of visits in a window, 0 included."""

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    visits: Integers
    count: Integers
    n_ambiguous: int
