"""Grids of periods: how time is cut, and each period numbered, without a gap.

A grid numbers times on its own clock: the clock on the wall, of the zone in which periods are cut,
or for hours one that never changes. `period_options` makes grids of what users write.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._time.labels import Labels, ZonedTimes
from retainkit._time.periods import (
    DAY,
    EPOCH_ORDINAL,
    EPOCH_WEEKDAY,
    MONTHS_IN,
    SECOND,
    WEEKDAYS,
    day_expr,
    month_expr,
)
from retainkit._time.zones import instant_expr
from retainkit._typing import Booleans, Integers
from retainkit.typing import Period, Weekday

HOUR = 3600 * SECOND
BEFORE = -2
"""Number of the time before the first edge: not next to the first period, so that nobody seems to
have stayed from it into that one."""
_BLOCK = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodGrid:
    """Periods by their numbers; messages call one of them `name`."""

    name: str

    @property
    def plural(self) -> str:
        """Name several of the periods."""
        one, of, what = self.name.partition(" of ")
        return f"{one}s{of}{what}"

    @property
    def one(self) -> str:
        """Name one of the periods with its article."""
        return f"{'an' if self.name == 'hour' else 'a'} {self.name}"

    @property
    def months(self) -> int:
        """Number of months in a period; 0 where it is none."""
        return 0

    @property
    def length(self) -> int:
        """Microseconds in a period of a fixed length; 0 where it has none."""
        return 0

    @property
    def bounds(self) -> tuple[int, int]:
        """The first number of a period, and the one after the last."""
        return -(2**62), 2**62

    @property
    def shift(self) -> int | None:
        """Microseconds by which the grid's own clock is ahead of UTC; None: it is that on the wall.

        It tells how a moment is numbered, which has both an instant and a time on the wall.
        """
        return None

    @property
    def has_edges(self) -> bool:
        """Return whether there is time outside all periods."""
        return False

    def clock(self, zone: tzinfo | None) -> tzinfo | None:
        """Return the zone of the grid's clock, where `zone` is that of the clock on the wall."""
        return zone

    def on_clock(self, instant: Any, wall: Any) -> Any:
        """Return the time on the grid's clock at an instant, when it is `wall` on the wall."""
        return wall if self.shift is None else instant + self.shift

    @abstractmethod
    def number(self, time: Integers) -> Integers:
        """Return the number of the period of each time on the grid's clock."""

    @abstractmethod
    def number_expr(self, time: nw.Expr) -> nw.Expr:
        """Return the same of a column of times without a zone."""

    @abstractmethod
    def begin(self, number: Integers) -> Integers:
        """Return the time on the grid's clock at which each period begins."""

    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day (since 1970-01-01)."""
        return self.number(days * DAY)

    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins: the inverse of `number_of_day`."""
        return self.begin(number) // DAY

    def label(self, number: Integers) -> Labels:
        """Return the dates on which periods begin, by which a result names them."""
        return self.first_day(number).astype("datetime64[D]")

    def holds(self, number: Integers) -> Booleans:
        """Mark the numbers that are those of a period."""
        low, high = self.bounds
        return (number >= low) & (number < high)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayGrid(PeriodGrid):
    """Periods of `step` days each, weeks among them; that which begins on `anchor` is number 0."""

    step: int
    anchor: int = 0

    @property
    def length(self) -> int:
        """Microseconds in a period, of days of 24 hours."""
        return self.step * DAY

    def number(self, time: Integers) -> Integers:
        """Return the number of the period of each time on the wall."""
        return _by_day(time, self.number_of_day)

    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day (since 1970-01-01)."""
        return days if self.step == 1 else (days - self.anchor) // self.step

    def number_expr(self, time: nw.Expr) -> nw.Expr:
        """Return the number of the period of each time on the wall."""
        if self.step == 1:
            return day_expr(time)
        # Counted from year 1, so that what is divided is never negative: engines round differently.
        before = (EPOCH_ORDINAL + self.anchor) // self.step + 1
        return (day_expr(time) + (before * self.step - self.anchor)) // self.step - before

    def begin(self, number: Integers) -> Integers:
        """Return the midnight at which each period begins."""
        return self.first_day(number) * DAY

    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins."""
        return number if self.step == 1 else number * self.step + self.anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthGrid(PeriodGrid):
    """Periods of `step` calendar months each: months, quarters and years.

    That which begins with the month `anchor` (0 is January 1970) is number 0.
    """

    step: int
    anchor: int = 0

    @property
    def months(self) -> int:
        """Number of months in a period."""
        return self.step

    def number(self, time: Integers) -> Integers:
        """Return the number of the period of each time on the wall."""
        return _by_day(time, self.number_of_day)

    def number_of_day(self, days: Integers) -> Integers:
        """Return the number of the period of each day (since 1970-01-01)."""
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return (months - self.anchor) // self.step

    def number_expr(self, time: nw.Expr) -> nw.Expr:
        """Return the number of the period of each time on the wall."""
        months = month_expr(time)
        if self.step == 1:
            return months
        before = 1970 * 12 // self.step
        return (months + (before * self.step - self.anchor)) // self.step - before

    def begin(self, number: Integers) -> Integers:
        """Return the midnight at which each period begins."""
        return self.first_day(number) * DAY

    def first_day(self, number: Integers) -> Integers:
        """Return the day on which each period begins."""
        months = (number * self.step + self.anchor).astype("datetime64[M]")
        return months.astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourGrid(PeriodGrid):
    """Hours, on a clock that is never changed: in autumn the hour that comes twice is two.

    The clock shows the minutes of that on the wall of `zone`, which for some zones are not UTC's.
    """

    zone: tzinfo | None

    @property
    def length(self) -> int:
        """Microseconds in a period."""
        return HOUR

    @property
    def shift(self) -> int:
        """Microseconds by which the grid's own clock is ahead of UTC, less than an hour."""
        if self.zone is None:
            return 0
        offset = datetime(2024, 1, 1, tzinfo=self.zone).utcoffset() or timedelta()
        return offset // timedelta(microseconds=1) % HOUR

    def clock(self, zone: tzinfo | None) -> tzinfo | None:
        """Return the zone of the grid's clock, where `zone` is that of the clock on the wall."""
        return None if zone is None else timezone(timedelta(microseconds=self.shift))

    def number(self, time: Integers) -> Integers:
        """Return the number of the hour of each time on the grid's clock."""
        return time // HOUR

    def number_expr(self, time: nw.Expr) -> nw.Expr:
        """Return the same of a column of times without a zone."""
        return day_expr(time) * 24 + time.dt.hour().cast(nw.Int64)

    def begin(self, number: Integers) -> Integers:
        """Return the time on the grid's clock at which each hour begins."""
        return number * HOUR

    def label(self, number: Integers) -> Labels:
        """Return the times at which hours begin, in the zone of the clock on the wall."""
        begin = self.begin(number)
        if self.zone is None:
            return begin.astype("datetime64[us]")
        return ZonedTimes(begin - self.shift, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeGrid(PeriodGrid):
    """Periods between `edges`, times on the wall at the `instants`, from each to before the next.

    What lies before the first edge has the number `BEFORE`, and what does not lie before the last
    one the number after the last.
    """

    edges: tuple[int, ...]
    instants: tuple[int, ...]
    zone: tzinfo | None

    @property
    def bounds(self) -> tuple[int, int]:
        """The first number of a period, and the one after the last."""
        return 0, len(self.edges) - 1

    @property
    def has_edges(self) -> bool:
        """Return whether there is time outside all periods."""
        return True

    @property
    def whole_days(self) -> bool:
        """Return whether all periods begin and end at midnight."""
        return not any(edge % DAY for edge in self.edges)

    def number(self, time: Integers) -> Integers:
        """Return the number of the period of each time on the wall."""
        number = np.searchsorted(np.array(self.edges, np.int64), time, side="right") - 1
        return np.where(number < 0, BEFORE, number).astype(np.int64, copy=False)

    def number_expr(self, time: nw.Expr) -> nw.Expr:
        """Return the same of a column of times without a zone."""

        def choose(low: int, high: int) -> nw.Expr:
            """Search for the last edge that a time does not come before, by halves."""
            if high - low == 1:
                return nw.lit(low if low >= 0 else BEFORE)
            middle = (low + high) // 2
            later = time >= instant_expr(self.edges[middle])
            return nw.when(later).then(choose(middle, high)).otherwise(choose(low, middle))

        return choose(-1, len(self.edges)).cast(nw.Int64)

    def begin(self, number: Integers) -> Integers:
        """Return the edge at which each period begins; the number after the last has one too."""
        return np.array(self.edges, np.int64)[number]

    def label(self, number: Integers) -> Labels:
        """Return the dates on which periods begin or, where one does not at midnight, the times."""
        if self.whole_days:
            return self.first_day(number).astype("datetime64[D]")
        if self.zone is None:
            return self.begin(number).astype("datetime64[us]")
        return ZonedTimes(np.array(self.instants, np.int64)[number], self.zone)


def _by_day(time: Integers, number_of_day: Callable[[Integers], Integers]) -> Integers:
    """Return the number of the day of each time, looked up in a table of all days there are."""
    if not len(time):
        return time
    least = int(time.min()) // DAY
    table = number_of_day(np.arange(least, int(time.max()) // DAY + 1))
    numbers = np.empty(len(time), np.int64)
    # By blocks, so that no second array of so many elements is made on the way.
    for begin in range(0, len(time), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        numbers[block] = table[time[block] // DAY - least]
    return numbers


DAYS = DayGrid(name="day", step=1)
"""Single days."""

MONTHS = MonthGrid(name="month", step=1)
"""Calendar months."""


def calendar_grid(
    period: Period, week_start: Weekday = "monday", year_start: int = 0
) -> PeriodGrid:
    """Return the grid of a word, but of hours; `year_start` is the month that begins a year."""
    if period == "day":
        return DAYS
    if period == "week":
        return DayGrid(name=period, step=7, anchor=WEEKDAYS.index(week_start) - EPOCH_WEEKDAY)
    anchor = year_start if period != "month" else 0
    return MonthGrid(name=period, step=MONTHS_IN[period], anchor=anchor % MONTHS_IN[period])
