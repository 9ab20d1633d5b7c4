"""What a question about visits asks, and what a reducer answers: the two ends of a reduction.

A *visit* is a customer in a period with events, however many there are. `_visit_plan` answers
inside a lazy engine and `_visit_kernel` on arrays in memory, and the tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import narwhals.stable.v2 as nw

    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Floats, Integers

ROUNDING = 1e-9
"""Share of the money in two periods up to which their difference is none, not rounded well."""

NEXT, LATER = 1, 2
"""Whether a visit is followed by one in the very next period, or in a later one; 0: by none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSpec:
    """Periods in which visits are told apart, and the end of observation."""

    end: Moment
    period: Period
    week_start: Weekday = "monday"

    @property
    def last(self) -> int:
        """Number of the last period that has begun."""
        opens = self.end.opens(self.period, self.week_start)
        return self.end.index(self.period, self.week_start) - opens


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Sums over the visits of an element: all money, and how it compares with the period before.

    Where the gap is 1, `kept` adds up what was spent in both periods, `grown` what is more than in
    the period before and `shrunk` what is less, each customer's by itself.
    """

    amount: Floats
    kept: Floats
    grown: Floats
    shrunk: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Visits, counted: parallel arrays, an element for each segment, period, gap and `ahead`.

    `gap` is the number of periods since the customer's visit before, 0 at the first one. `ahead` is
    0 at the last visit, `NEXT` or `LATER`. `several` counts the customers with several segments at
    their first instant.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    period: Integers
    gap: Integers
    ahead: Integers
    count: Integers
    money: Money | None
    several: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """Customers by segment and number of visits in a window, those without one included."""

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    visits: Integers
    count: Integers
    several: int
