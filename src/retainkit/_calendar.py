"""Calendar arithmetic: periods as integers, time zones, steps since a start.

No other module does date arithmetic. Two kinds of integers run through it:

- an *instant*, microseconds since 1970-01-01 00:00 UTC (for naive times: as if they were UTC), and
- a *wall* time, what a clock on the wall of the chosen zone shows then, counted the same way.

A period is numbered from the one that holds 1970-01-01, so an age is a plain difference. Everything
exists for NumPy arrays and, under a name that ends in ``_expr``, as narwhals expressions that give
the same integers inside any engine; the functions on plain integers serve both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals.stable.v2 as nw
import numpy as np

from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from retainkit._typing import Integers


Period = Literal["day", "week", "month", "quarter", "year"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter", "year")
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)

SECOND = 1_000_000
DAY = 86_400 * SECOND

_YEAR = 365.2425  # days, by the rule of leap years
DAYS_IN: dict[Period, float] = {
    "day": 1,
    "week": 7,
    "month": _YEAR / 12,
    "quarter": _YEAR / 4,
    "year": _YEAR,
}
"""Mean length of each period in days."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# 1970-01-01 was a Thursday: the Monday before it is day -3.
_EPOCH_WEEKDAY = 3

STEP_PARTS = ("instant", "month", "rest", "days")

# Periods


def period_index(days: Integers, period: Period, week_start: Weekday) -> Integers:
    """Number the period of each day (days since 1970-01-01)."""
    if period == "day":
        return days
    if period == "week":
        return (days + _EPOCH_WEEKDAY - WEEKDAYS.index(week_start)) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[period]


def period_of(wall: Integers, period: Period, week_start: Weekday) -> Integers:
    """Number the period of each wall time."""
    return _looked_up(wall // DAY, lambda days: period_index(days, period, week_start))


def _looked_up(numbers: Integers, function: Callable[[Integers], Integers]) -> Integers:
    """Apply a function by way of a table of all numbers from the least to the greatest."""
    if not len(numbers):
        return function(numbers)
    least = int(numbers.min())
    table = function(np.arange(least, int(numbers.max()) + 1))
    looked_up: Integers = table[numbers - least]
    return looked_up


def first_day(index: Integers, period: Period, week_start: Weekday) -> Integers:
    """Day (since 1970-01-01) on which each period begins: the inverse of `period_index`."""
    if period == "day":
        return index
    if period == "week":
        return index * 7 - _EPOCH_WEEKDAY + WEEKDAYS.index(week_start)
    months = (index * _MONTHS[period]).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def period_index_expr(time: nw.Expr, period: Period, week_start: Weekday) -> nw.Expr:
    """Number the period of each wall time (a column without a zone)."""
    if period == "day":
        return _day_expr(time)
    if period == "week":
        # Counted from year 1, so that what is divided is never negative: engines round differently.
        shift = _EPOCH_ORDINAL - 1 - _EPOCH_WEEKDAY
        days = _day_expr(time) + (_EPOCH_WEEKDAY + shift - WEEKDAYS.index(week_start))
        return days // 7 - shift // 7
    months = _month_expr(time)
    if period == "month":
        return months
    return (months + 1970 * 12) // _MONTHS[period] - 1970 * 12 // _MONTHS[period]


def _day_expr(time: nw.Expr) -> nw.Expr:
    past = time.dt.year().cast(nw.Int64) - 1
    ordinal = past * 365 + past // 4 - past // 100 + past // 400 + time.dt.ordinal_day()
    return ordinal.cast(nw.Int64) - _EPOCH_ORDINAL


def _month_expr(time: nw.Expr) -> nw.Expr:
    return (time.dt.year().cast(nw.Int64) - 1970) * 12 + time.dt.month().cast(nw.Int64) - 1


# Steps since a start


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Times taken apart for counting full steps, as arrays, numbers or expressions.

    Days and weeks are counted on `instant`; months, quarters and years on the wall clock, by
    `month` (its number), `rest` (microseconds since it began) and `days` (its length).
    """

    instant: Any
    month: Any
    rest: Any
    days: Any

    def take(self, index: Any) -> Steps:
        """Take some elements of the arrays."""
        return Steps(**{part: getattr(self, part)[index] for part in STEP_PARTS})

    def since(self, start: Steps, period: Period) -> Any:
        """Count the full steps from `start`, which must not be later.

        A step of a month ends on the same day and time of the next month or, where that month is
        too short, at the same time on its last day; steps are taken from the start, not from each
        other: 31 January, 29 February, 31 March.
        """
        if period not in _MONTHS:
            return (self.instant - start.instant) // (DAY if period == "day" else 7 * DAY)
        beyond = start.rest // DAY - (self.days - 1)
        anchor = start.rest - beyond * _at_least(beyond, 1) * DAY
        reached = _at_least(self.rest, anchor)
        months = self.month - start.month - 1 + reached
        return months if period == "month" else months // _MONTHS[period]


def _at_least(value: Any, least: Any) -> Any:
    """Give 1 where `value` >= `least` and 0 elsewhere: of numbers, arrays or expressions."""
    enough = value >= least
    if isinstance(enough, nw.Expr):
        return nw.when(enough).then(nw.lit(1)).otherwise(nw.lit(0))
    return enough * 1


def steps(instant: Integers, wall: Integers) -> Steps:
    """Take instants and their wall times apart."""
    month = period_of(wall, "month", "monday")
    rest = wall - _looked_up(month, _month_begin) * DAY
    days = _looked_up(month, lambda month: _month_begin(month + 1) - _month_begin(month))
    return Steps(instant=instant, month=month, rest=rest, days=days)


def _month_begin(month: Integers) -> Integers:
    return first_day(month, "month", "monday")


def steps_expr(instant: nw.Expr, wall: nw.Expr, microsecond: nw.Expr | None = None) -> Steps:
    """Take instants (as times without a zone in UTC) and wall times apart.

    `microsecond` is that of the second, which all zones share, where it is known otherwise.
    """
    month = wall.dt.month()
    year = wall.dt.year()
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    february = nw.when(leap).then(nw.lit(29)).otherwise(nw.lit(28))
    short = nw.when(month.is_in([4, 6, 9, 11])).then(nw.lit(30)).otherwise(nw.lit(31))
    length = nw.when(month == 2).then(february).otherwise(short).cast(nw.Int64)
    part = (instant.dt.microsecond() if microsecond is None else microsecond).cast(nw.Int64)
    # Spark counts the microseconds of a second before 1970 below zero.
    part = nw.when(part < 0).then(part + SECOND).otherwise(part)
    past_days = wall.dt.day().cast(nw.Int64) - 1
    return Steps(
        instant=_day_expr(instant) * DAY + _second_of_day_expr(instant) * SECOND + part,
        month=_month_expr(wall),
        rest=past_days * DAY + _second_of_day_expr(wall) * SECOND + part,
        days=length,
    )


def _second_of_day_expr(time: nw.Expr) -> nw.Expr:
    hours, minutes = time.dt.hour().cast(nw.Int64), time.dt.minute().cast(nw.Int64)
    return (hours * 60 + minutes) * 60 + time.dt.second().cast(nw.Int64)


# Time zones


def zone_of(name: str, argument: str) -> tzinfo:
    """Find the time zone of a name, or of a fixed offset such as ``+02:00``."""
    fixed = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})", name)
    try:
        if fixed:
            sign, hours, minutes = fixed.groups()
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return timezone(-offset if sign == "-" else offset)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ArgumentError(
            f"`{argument}` names the time zone {name!r}, which is not known here; "
            "use a name of the IANA database, such as 'Europe/Berlin' or 'UTC'."
        ) from None


def zone_like(zone: tzinfo | str) -> tzinfo:
    """Find the zone of the same name: pytz's own cannot simply be put on a wall time."""
    try:
        return zone_of(str(zone), "time")
    except ArgumentError:
        if isinstance(zone, str):
            raise
        return zone


def utc_offsets(zone: tzinfo, first: int, last: int) -> list[tuple[int, int]]:
    """List the zone's offsets from UTC between two instants: (valid from, offset), ascending.

    The first pair holds from `first` on. Offsets are looked up day by day and each change is then
    closed in on to the second, since no zone says when its clocks change.
    """

    def offset(second: int) -> int:
        moment = (_EPOCH + timedelta(seconds=second)).astimezone(zone)
        return int(moment.utcoffset().total_seconds())  # type: ignore[union-attr]

    low, end = first // SECOND, last // SECOND + 1
    found = [(first, offset(low) * SECOND)]
    while low < end:
        high = min(low + 86_400, end)
        if offset(low) != offset(high):
            before, after = low, high
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (
                    (middle, after) if offset(middle) == offset(low) else (before, middle)
                )
            found.append((after * SECOND, offset(after) * SECOND))
            high = after
        low = high
    return found


def wall_times(instants: Integers, zone: tzinfo | None) -> Integers:
    """Tell what the wall clock in `zone` shows at each instant (None: naive times, as they are)."""
    if zone is None or not len(instants):
        return instants
    changes = utc_offsets(zone, int(instants.min()), int(instants.max()))
    since, offsets = np.array(changes, np.int64).T
    if len(changes) == 1:
        shift = offsets[0]
    else:
        shift = offsets[np.searchsorted(since, instants, side="right") - 1]
    wall: Integers = instants + shift
    return wall


def instant_expr(instant: int, stored: tzinfo | None) -> nw.Expr:
    """Write an instant so that it compares with times in the zone `stored` (None: naive times)."""
    moment = _EPOCH + timedelta(microseconds=instant)
    if stored is not None:
        return nw.lit(moment.astimezone(stored))
    # Spark would read a naive literal in the zone of the process; a date has no zone.
    midnight = nw.lit(moment.date()).cast(nw.Datetime("us"))
    rest = instant % DAY
    return midnight.dt.offset_by(f"{rest}us") if rest else midnight


def later_expr(time: nw.Expr, microseconds: int) -> nw.Expr:
    """Move a column of times by a length that is the same everywhere."""
    return time.dt.offset_by(f"{microseconds}us")


def wall_time_expr(
    time: nw.Expr, *, stored: tzinfo | None, zone: tzinfo | None, first: int, last: int
) -> nw.Expr:
    """Turn a time column into wall times of `zone`, as a column without a zone.

    DuckDB and Spark keep one zone for a whole session and refuse to convert to any other. What a
    clock in `stored` shows can be had everywhere, and the difference between two zones is constant
    between the changes of their clocks, which are compared as instants: exact, also in the hour
    that a clock shows twice. `first` and `last` are instants that enclose the column.
    """
    if stored is None or zone is None:
        return time
    local = time.dt.replace_time_zone(None)
    if stored == zone:
        return local
    shift: dict[int, int] = {first: 0}
    for sign, side in ((-1, stored), (1, zone)):
        before = 0
        for since, offset in utc_offsets(side, first, last):
            shift[since] = shift.get(since, 0) + sign * (offset - before)
            before = offset
    changes = [since for since in sorted(shift) if shift[since] or since == first]
    totals = accumulate(shift[change] for change in changes)
    moved = [local.dt.offset_by(f"{total // SECOND}s") if total else local for total in totals]

    def choose(low: int, high: int) -> nw.Expr:
        """Search for the change that a time comes after, by halves: no deeper than need be."""
        if high - low == 1:
            return moved[low]
        middle = (low + high) // 2
        later = time >= instant_expr(changes[middle], stored)
        return nw.when(later).then(choose(middle, high)).otherwise(choose(low, middle))

    return choose(0, len(changes))


# The end of observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant and what the wall clock shows then."""

    instant: int
    wall: int

    def __str__(self) -> str:
        wall = _EPOCH + timedelta(microseconds=self.wall)
        return wall.replace(tzinfo=None).isoformat(sep=" ").removesuffix(" 00:00:00")

    def steps(self, *, before: int = 0) -> Steps:
        """Take the moment apart, or the one that comes some microseconds before it."""
        taken = steps(np.array([self.instant - before]), np.array([self.wall - before]))
        return Steps(**{name: int(getattr(taken, name)[0]) for name in STEP_PARTS})

    def index(self, period: Period, week_start: Weekday) -> int:
        """Number the period that holds this moment."""
        day = np.array([self.wall // DAY], np.int64)
        return int(period_index(day, period, week_start)[0])

    def before(self, zone: tzinfo | None) -> Moment:
        """Give the last moment before this one, in `zone`."""
        return _moment(self.instant - 1, zone)

    def begin_of(self, period: Period, week_start: Weekday, zone: tzinfo | None) -> Moment:
        """Give the beginning of the period that holds this moment, in `zone`."""
        day = first_day(np.array([self.index(period, week_start)], np.int64), period, week_start)
        instant, wall = midnights(day, zone)
        return Moment(instant=int(instant[0]), wall=int(wall[0]))

    def opens(self, period: Period, week_start: Weekday) -> bool:
        """Tell whether a period begins at this very moment."""
        index = np.array([self.index(period, week_start)], np.int64)
        return self.wall == int(first_day(index, period, week_start)[0]) * DAY


def moment_at(value: datetime, zone: tzinfo | None) -> Moment:
    """Place a datetime: a naive one is read on the wall clock of `zone`."""
    if value.tzinfo is None or zone is None:
        value = value.replace(tzinfo=zone or UTC)
    return _moment(_microseconds(value.astimezone(UTC)), zone)


def moment_in(value: datetime, stored: tzinfo | None, zone: tzinfo | None) -> Moment:
    """Place a datetime that came from a column stored in one zone, in another."""
    return _moment(moment_at(value, stored).instant, zone)


def _moment(instant: int, zone: tzinfo | None) -> Moment:
    # Where the clock jumps forward at this moment, all that it skips is over.
    before, now = wall_times(np.array([instant - 1, instant], np.int64), zone).tolist()
    return Moment(instant=instant, wall=min(before + 1, now))


def end_of_day(last: int, zone: tzinfo | None) -> Moment:
    """Find the midnight that ends the day of the instant `last`, in `zone`."""
    shown = int(wall_times(np.array([last], np.int64), zone)[0])
    wall = (shown // DAY + 1) * DAY
    midnight = (_EPOCH + timedelta(microseconds=wall)).replace(tzinfo=None)
    # Where the clock goes back over midnight, the day ends with the second one; where it goes back
    # to midnight, with the first.
    ends = np.array([moment_at(midnight.replace(fold=fold), zone).instant for fold in (0, 1)])
    return _moment(int(ends[wall_times(ends - 1, zone) < wall].max()), zone)


def as_of_moment(as_of: str | date, zone: tzinfo | None, argument: str = "as_of") -> Moment:
    """Read the argument `as_of`, or another like it: an ISO string, a date or a datetime."""
    value: object = as_of
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ArgumentError(
                f"`{argument}` is {value!r}; write a date or a time as ISO 8601 does, "
                "such as '2024-07-01' or '2024-07-01T12:00'."
            ) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001  naive on purpose
    if not isinstance(value, datetime) or value != value:  # noqa: PLR0124  NaT is not itself
        raise ArgumentTypeError(
            f"`{argument}` is {as_of!r}; it must be a date, a datetime or an ISO 8601 string."
        )
    if zone is None and value.tzinfo is not None:
        raise ArgumentError(
            f"`{argument}` is {as_of!r}, which has a time zone, while the times have none. "
            f"Give the times their zone first, or leave it out of `{argument}`."
        )
    try:
        return moment_at(value, zone)
    except OverflowError:
        raise ArgumentError(
            f"`{argument}` is {as_of!r}; it must lie within the years 1 to 9999, in UTC too."
        ) from None


def midnights(days: Integers, zone: tzinfo | None) -> tuple[Integers, Integers]:
    """Give the instants at which days begin in `zone`, and their wall times."""
    wall = days * DAY
    if zone is None:
        return wall, wall
    begin = [_EPOCH.replace(tzinfo=None) + timedelta(days=int(day)) for day in days]
    return np.array([moment_at(day, zone).instant for day in begin], np.int64), wall


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
