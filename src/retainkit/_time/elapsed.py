"""Full steps of a period between two times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._time.grid import MONTHS, PeriodGrid
from retainkit._time.periods import DAY, SECOND, day_expr, lookup, month_expr
from retainkit._typing import Integers

STEP_PARTS = ("instant", "month", "rest", "days")


# Steps since a start


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedTime:
    """Parts of times for counting full steps, as arrays, numbers or expressions.

    Days and weeks are counted on `instant`; months, quarters and years on the wall clock, by
    `month` (its number), `rest` (microseconds since it began) and `days` (its length).
    """

    instant: Any
    month: Any
    rest: Any
    days: Any

    def take(self, index: Any) -> ElapsedTime:
        """Return some elements of the arrays."""
        return ElapsedTime(**{part: getattr(self, part)[index] for part in STEP_PARTS})

    def since(self, start: ElapsedTime, period: PeriodGrid) -> Any:
        """Count the full steps from `start`, which must not be later.

        A step of a month ends on the same day and time of the next month or, where that month is
        too short, at the same time on its last day; steps are taken from the start, not from each
        other: 31 January, 29 February, 31 March.
        """
        if not period.months:
            return (self.instant - start.instant) // period.length
        beyond = start.rest // DAY - (self.days - 1)
        anchor = start.rest - beyond * _at_least(beyond, 1) * DAY
        reached = _at_least(self.rest, anchor)
        months = self.month - start.month - 1 + reached
        return months if period.months == 1 else months // period.months


def _at_least(value: Any, least: Any) -> Any:
    """Return 1 where `value` >= `least` and 0 elsewhere, of numbers, arrays or expressions."""
    enough = value >= least
    if isinstance(enough, nw.Expr):
        return nw.when(enough).then(nw.lit(1)).otherwise(nw.lit(0))
    return enough * 1


def elapsed_time(instant: Integers, wall: Integers) -> ElapsedTime:
    """Split instants and their wall times into parts."""
    month = MONTHS.number(wall)
    rest = wall - lookup(month, MONTHS.first_day) * DAY
    days = lookup(month, lambda month: MONTHS.first_day(month + 1) - MONTHS.first_day(month))
    return ElapsedTime(instant=instant, month=month, rest=rest, days=days)


def elapsed_time_expr(
    instant: nw.Expr, wall: nw.Expr, microsecond: nw.Expr | None = None
) -> ElapsedTime:
    """Split instants (as times without a zone in UTC) and wall times into parts.

    `microsecond` is that of the second, which all zones share, where it is known otherwise.
    """
    month = wall.dt.month()
    year = wall.dt.year()
    # Not every kind of frame has a remainder.
    leap = (year // 4 * 4 == year) & ((year // 100 * 100 != year) | (year // 400 * 400 == year))
    february = nw.when(leap).then(nw.lit(29)).otherwise(nw.lit(28))
    short = nw.when(month.is_in([4, 6, 9, 11])).then(nw.lit(30)).otherwise(nw.lit(31))
    length = nw.when(month == 2).then(february).otherwise(short).cast(nw.Int64)
    part = (instant.dt.microsecond() if microsecond is None else microsecond).cast(nw.Int64)
    # Spark counts the microseconds of a second before 1970 below zero.
    part = nw.when(part < 0).then(part + SECOND).otherwise(part)
    past_days = wall.dt.day().cast(nw.Int64) - 1
    return ElapsedTime(
        instant=day_expr(instant) * DAY + _second_of_day_expr(instant) * SECOND + part,
        month=month_expr(wall),
        rest=past_days * DAY + _second_of_day_expr(wall) * SECOND + part,
        days=length,
    )


def _second_of_day_expr(time: nw.Expr) -> nw.Expr:
    hours, minutes = time.dt.hour().cast(nw.Int64), time.dt.minute().cast(nw.Int64)
    return (hours * 60 + minutes) * 60 + time.dt.second().cast(nw.Int64)
