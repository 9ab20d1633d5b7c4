"""Count the losses by inactivity in each period, from visits: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._typing import Booleans, Integers
from retainkit.activity._counts import (
    PeriodDays,
    WindowSpec,
    count_active_in_window,
    in_periods,
    period_days,
)
from retainkit.activity._spec import VisitCounts, VisitSpec
from retainkit.typing import Dated


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Counts by period. `over` marks those that have ended, `complete` those fully classified."""

    days: PeriodDays
    at_risk: Integers
    churned: Integers
    returned: Integers
    over: Booleans
    complete: Booleans


def count_losses(visits: VisitCounts, days: VisitSpec, spec: WindowSpec, dated: Dated) -> Losses:
    """Count who could be lost in each period, who was, and who of those came back.

    A customer is current from a visit (a day with events) until `window` days later, and lost when
    that day passes without another visit. `days` are the periods of visits.
    """
    found = period_days(visits, days, spec)
    periods = found.periods
    row, count, returned = _lost(visits, days, spec, dated, found)
    over = found.end <= days.last + 1
    if dated == "window_end":
        # Who is current when a period begins is known if the window before it was observed.
        classified = found.begin - spec.window >= visits.period.min(initial=days.last)
        at_risk = count_active_in_window(visits, days, spec.window, found.begin - 1, found)
    else:
        # Who has been lost is known when the window after a period is over.
        classified = found.end + spec.window <= days.last + 1
        at_risk = np.zeros_like(found.begin)
    return Losses(
        days=found,
        at_risk=at_risk + _joining(visits, spec, dated, found),
        churned=periods.sums(row, count),
        returned=periods.sums(row[returned], count[returned]),
        over=over,
        complete=over & classified,
    )


def _lost(
    visits: VisitCounts, days: VisitSpec, spec: WindowSpec, dated: Dated, found: PeriodDays
) -> tuple[Integers, Integers, Booleans]:
    """Return the row and the number of the losses, and mark those of customers who came back."""
    back = visits.gap > spec.window
    away = (visits.next_visit == 0) & (visits.period + spec.window <= days.last)
    segment = np.concatenate([visits.segment[back], visits.segment[away]])
    last = np.concatenate([visits.period[back] - visits.gap[back], visits.period[away]])
    count = np.concatenate([visits.count[back], visits.count[away]])
    day = last + spec.window if dated == "window_end" else last
    number = spec.period.number_of_day(day)
    inside = spec.period.holds(number)
    row = found.periods.row(segment[inside], number[inside])
    return row, count[inside], (np.arange(len(day)) < back.sum())[inside]


def _joining(visits: VisitCounts, spec: WindowSpec, dated: Dated, found: PeriodDays) -> Integers:
    """Count those who can be lost in a period without being current when it begins."""
    visits, number = in_periods(visits, spec)
    arrives = (visits.gap == 0) | (visits.gap > spec.window)
    if dated == "window_end":
        # Whoever comes early in a period that is longer than the window can be lost in it.
        joins = arrives & (visits.period + spec.window < spec.period.first_day(number + 1))
    else:
        joins = arrives | (visits.period - visits.gap < spec.period.first_day(number))
    row = found.periods.row(visits.segment[joins], number[joins])
    return found.periods.sums(row, visits.count[joins])
