"""Grids of periods: how time is cut, and each period numbered, without a gap."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from retainkit._checks import one_of
from retainkit._time.periods import (
    DAY,
    EPOCH_ORDINAL,
    EPOCH_WEEKDAY,
    MONTHS_IN,
    PERIODS,
    WEEKDAYS,
    day_expr,
    month_expr,
)
from retainkit._typing import Integers
from retainkit.typing import Period, Weekday

_BLOCK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodGrid:
    """Periods of `step` days or months each, counted from the `anchor` on, which begins number 0.

    It numbers days (since 1970-01-01) and times on the wall clock, as arrays and as expressions.
    """

    name: str
    step: int
    anchor: int = 0

    @property
    def plural(self) -> str:
        """Name several of the periods."""
        return f"{self.name}s"

    @property
    def months(self) -> int:
        """Number of months in a period; 0 where it has a fixed number of days."""
        return 0

    @property
    def longest(self) -> int:
        """Days in the longest of the periods."""
        return self.step

    @abstractmethod
    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day."""

    @abstractmethod
    def number_expr(self, wall: nw.Expr) -> nw.Expr:
        """Return the number of the period of each wall time (a column without a zone)."""

    @abstractmethod
    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins: the inverse of `number_of_day`."""

    def number(self, wall: Integers) -> Integers:
        """Return the number of the period of each wall time."""
        if not len(wall):
            return wall
        least = int(wall.min()) // DAY
        table = self.number_of_day(np.arange(least, int(wall.max()) // DAY + 1))
        numbers = np.empty(len(wall), np.int64)
        # By blocks, so that no second array of so many elements is made on the way.
        for begin in range(0, len(wall), _BLOCK):
            block = slice(begin, begin + _BLOCK)
            numbers[block] = table[wall[block] // DAY - least]
        return numbers

    def label(self, number: Integers) -> NDArray[np.datetime64]:
        """Return the dates on which periods begin, by which a result names them."""
        return self.first_day(number).astype("datetime64[D]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayGrid(PeriodGrid):
    """Periods of so many days each, weeks among them."""

    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day."""
        return days if self.step == 1 else (days - self.anchor) // self.step

    def number_expr(self, wall: nw.Expr) -> nw.Expr:
        """Return the number of the period of each wall time (a column without a zone)."""
        if self.step == 1:
            return day_expr(wall)
        # Counted from year 1, so that what is divided is never negative: engines round differently.
        before = (EPOCH_ORDINAL + self.anchor) // self.step + 1
        return (day_expr(wall) + (before * self.step - self.anchor)) // self.step - before

    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins: the inverse of `number_of_day`."""
        return number if self.step == 1 else number * self.step + self.anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGrid(PeriodGrid):
    """Periods of so many calendar months each: months, quarters and years."""

    @property
    def months(self) -> int:
        """Number of months in a period."""
        return self.step

    @property
    def longest(self) -> int:
        """Days in the longest of the periods."""
        return {1: 31, 3: 92, 12: 366}[self.step]

    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return (months - self.anchor) // self.step

    def number_expr(self, wall: nw.Expr) -> nw.Expr:
        """Return the number of the period of each wall time (a column without a zone)."""
        months = month_expr(wall)
        if self.step == 1:
            return months
        before = 1970 * 12 // self.step
        return (months + (before * self.step - self.anchor)) // self.step - before

    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins: the inverse of `number_of_day`."""
        months = (number * self.step + self.anchor).astype("datetime64[M]")
        return months.astype("datetime64[D]").astype(np.int64)


DAYS = DayGrid(name="day", step=1)
"""Single days."""

MONTHS = MonthGrid(name="month", step=1)
"""Calendar months."""


def period_grid(period: Period, week_start: Weekday, *, argument: str = "period") -> PeriodGrid:
    """Check how periods are to be cut, and return their grid."""
    one_of(argument, period, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    if period == "day":
        return DAYS
    if period == "week":
        anchor = WEEKDAYS.index(week_start) - EPOCH_WEEKDAY
        return DayGrid(name=period, step=7, anchor=anchor)
    return MonthGrid(name=period, step=MONTHS_IN[period])
