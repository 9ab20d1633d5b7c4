"""From visits to losses by inactivity: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from retainkit._time.periods import first_day, period_index
from retainkit.activity._counts import count_active_in_window, spans

if TYPE_CHECKING:
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Booleans, Integers
    from retainkit.activity._counts import Spans
    from retainkit.activity._spec import Visits, VisitSpec


Dated = Literal["window_end", "last_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InactivitySpec:
    """The options of `inactivity_churn` that counts depend on, checked; the window in days."""

    window: int
    dated: Dated
    period: Period
    week_start: Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Counts by period. `over` marks those that have ended, `complete` those fully classified."""

    spans: Spans
    at_risk: Integers
    churned: Integers
    returned: Integers
    over: Booleans
    complete: Booleans


def losses(visits: Visits, days: VisitSpec, query: InactivitySpec) -> Losses:
    """Count who could be lost in each period, who was, and who of those came back.

    A customer is current from a visit (a day with events) until `window` days later, and lost when
    that day passes without another visit. `days` cuts the visits.
    """
    found = spans(visits, days, query.period, query.week_start)
    line, count, returned = _lost(visits, days, query, found)
    over = found.end <= days.last + 1
    if query.dated == "window_end":
        # Who is current when a period begins is known if the window before it was observed.
        classified = found.begin - query.window >= visits.period.min(initial=days.last)
        at_risk = count_active_in_window(visits, days, query.window, found.begin - 1, found)
    else:
        # Who has been lost is known when the window after a period is over.
        classified = found.end + query.window <= days.last + 1
        at_risk = np.zeros_like(found.begin)
    return Losses(
        spans=found,
        at_risk=at_risk + _joining(visits, query, found),
        churned=found.lines.total(line, count),
        returned=found.lines.total(line[returned], count[returned]),
        over=over,
        complete=over & classified,
    )


def _lost(
    visits: Visits, days: VisitSpec, query: InactivitySpec, found: Spans
) -> tuple[Integers, Integers, Booleans]:
    """Give the line and the number of the losses, and tell which of them came back."""
    back = visits.gap > query.window
    away = (visits.ahead == 0) & (visits.period + query.window <= days.last)
    segment = np.concatenate([visits.segment[back], visits.segment[away]])
    last = np.concatenate([visits.period[back] - visits.gap[back], visits.period[away]])
    count = np.concatenate([visits.count[back], visits.count[away]])
    dated = last + query.window if query.dated == "window_end" else last
    line = found.lines.of(segment, period_index(dated, query.period, query.week_start))
    return line, count, np.arange(len(line)) < back.sum()


def _joining(visits: Visits, query: InactivitySpec, found: Spans) -> Integers:
    """Count those who can be lost in a period without being current when it begins."""
    number = period_index(visits.period, query.period, query.week_start)
    begin = first_day(number, query.period, query.week_start)
    end = first_day(number + 1, query.period, query.week_start)
    arrives = (visits.gap == 0) | (visits.gap > query.window)
    if query.dated == "window_end":
        # Whoever comes early in a period that is longer than the window can be lost in it.
        joins = arrives & (visits.period + query.window < end)
    else:
        joins = arrives | (visits.period - visits.gap < begin)
    return found.lines.total(
        found.lines.of(visits.segment[joins], number[joins]), visits.count[joins]
    )
