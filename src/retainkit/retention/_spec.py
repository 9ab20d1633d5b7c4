"""Specification of a reduction to cohorts, and the counts that it returns.

`_lazy` counts inside a lazy engine and `_eager` on arrays in memory; both take a `CohortSpec` and
return a `CohortCounts`, and the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit._typing import Floats, Integers
from retainkit.typing import Clock, Counting, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortSpec:
    """The options of `cohort_retention` that a reduction depends on, checked.

    Observation runs from `begin` (None: it goes back to every start) to `as_of`.
    """

    begin: Moment | None
    as_of: Moment
    entry: Entry
    cohort_period: PeriodGrid
    period: PeriodGrid
    clock: Clock
    counting: Counting
    brackets: tuple[int, ...] | None
    min_events: int

    def ages(self, start: Any) -> tuple[Any, Any]:
        """Count the ages that are over, and those that have begun, at the end of observation.

        `start` is the number of the period in which an entry starts or, by the elapsed clock, an
        `ElapsedTime`; arrays and expressions are served alike.
        """
        if self.clock == "elapsed":
            over = self.as_of.steps().since(start, self.period)
            return over, self.as_of.steps(before=1).since(start, self.period) + 1
        over = self.as_of.index(self.period) - start
        return over, self.as_of.last_begun(self.period) + 1 - start

    def ages_before(self, start: Any) -> Any:
        """Count the ages that had begun when observation began."""
        return 0 if self.begin is None else replace(self, as_of=self.begin).ages(start)[1]

    @property
    def streak_from(self) -> int:
        """First cell that a streak needs: the one that begins at age 0 is not required."""
        return 1 if self.brackets is None or self.brackets[0] == 0 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCounts:
    """Counts of entries and active cells: all that an estimate of retention needs.

    Parallel arrays, one element for each segment, cohort, number of ages `over` and `begun`, and
    cell. An entry is a customer in a cohort. `over` counts the ages that have ended for it by the
    end of observation, `begun` those that have begun. A cell is an age or a bracket. Elements with
    ``cell == ENTRIES`` count entries, the others count active cells of entries: every one where
    retention is counted in the cell itself, only the last (first) active cell of each entry for
    on-or-after (on-or-before). `amount` is the sum of money in active cells.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    cohort: Integers
    over: Integers
    begun: Integers
    cell: Integers
    count: Integers
    amount: Floats
    excluded: Mapping[ExclusionReason, int]

    def n_customers(self, entry: Entry) -> int | None:
        """Return the number of all customers, or None where they may be in several cohorts."""
        if entry == "recurring":
            return None
        reasons = ExclusionReason
        apart = (reasons.NEVER_STARTED, reasons.STARTED_LATE, reasons.OUTSIDE_EDGES)
        entered = int(self.count[self.cell == ENTRIES].sum())
        return entered + sum(self.excluded[reason] for reason in apart)


class ExclusionReason(IntEnum):
    """Reasons for which a reduction leaves something out; each count above 0 becomes a warning."""

    NEVER_STARTED = -2
    STARTED_LATE = -3
    SEVERAL_SEGMENTS = -4
    BEFORE_START = -5
    OUTSIDE_EDGES = -6


ENTRIES = -1
"""The `cell` of those elements of `CohortCounts` that count entries."""
