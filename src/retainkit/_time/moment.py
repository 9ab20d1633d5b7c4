"""Single moments: the end of observation, midnights, the beginning of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import numpy as np

from retainkit._time.elapsed import STEP_PARTS, ElapsedTime, elapsed_time
from retainkit._time.grid import DAYS, EdgeGrid, PeriodGrid
from retainkit._time.periods import DAY
from retainkit._time.zones import EPOCH, wall_times
from retainkit._typing import Integers
from retainkit.errors import ArgumentError, ArgumentTypeError

# The end of observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant and the time that the wall clock shows then."""

    instant: int
    wall: int

    def __str__(self) -> str:
        wall = EPOCH + timedelta(microseconds=self.wall)
        return wall.replace(tzinfo=None).isoformat(sep=" ").removesuffix(" 00:00:00")

    def iso(self, zone: tzinfo | None) -> str:
        """Return the moment as ISO 8601 writes it, with the distance to UTC where it has a zone."""
        wall = (EPOCH + timedelta(microseconds=self.wall)).replace(tzinfo=None)
        if zone is None:
            return wall.isoformat()
        offset = timedelta(microseconds=self.wall - self.instant)
        return wall.replace(tzinfo=timezone(offset)).isoformat()

    def steps(self, *, before: int = 0) -> ElapsedTime:
        """Split the moment into parts, or the one that comes some microseconds before it."""
        parts = elapsed_time(np.array([self.instant - before]), np.array([self.wall - before]))
        return ElapsedTime(**{name: int(getattr(parts, name)[0]) for name in STEP_PARTS})

    def index(self, grid: PeriodGrid) -> int:
        """Number the period that holds this moment."""
        return int(grid.number(np.array([grid.on_clock(self.instant, self.wall)], np.int64))[0])

    def before(self, zone: tzinfo | None) -> Moment:
        """Return the last moment before this one, in `zone`."""
        return _moment(self.instant - 1, zone)

    def in_zone(self, zone: tzinfo | None) -> Moment:
        """Return the same instant as the clock of another zone shows it."""
        return _moment(self.instant, zone)

    def begin_of(self, grid: PeriodGrid, zone: tzinfo | None) -> Moment:
        """Return the beginning of the period that holds this moment, in `zone`."""
        instant, wall = beginnings(np.array([self.index(grid)], np.int64), grid, zone)
        return Moment(instant=int(instant[0]), wall=int(wall[0]))

    def opens(self, grid: PeriodGrid) -> bool:
        """Return whether a period begins at this very moment, or the last one ends."""
        index = self.index(grid)
        if index < grid.bounds[0]:
            return False
        begin = int(grid.begin(np.array([index], np.int64))[0])
        return int(grid.on_clock(self.instant, self.wall)) == begin

    def last_begun(self, grid: PeriodGrid) -> int:
        """Number of the last period that began before this moment."""
        return min(self.index(grid) - self.opens(grid), grid.bounds[1] - 1)

    def within(self, grid: PeriodGrid) -> Moment:
        """Return this moment, or the last edge of a grid where that comes earlier."""
        ends = edge_moments(grid)
        return self if ends is None or self.instant <= ends[1].instant else ends[1]


def edge_moments(grid: PeriodGrid) -> tuple[Moment, Moment] | None:
    """Return the first and the last edge of a grid that has edges."""
    if not isinstance(grid, EdgeGrid):
        return None
    first, *_, last = zip(grid.instants, grid.edges, strict=True)
    return Moment(instant=first[0], wall=first[1]), Moment(instant=last[0], wall=last[1])


def moment_at(value: datetime, zone: tzinfo | None) -> Moment:
    """Place a datetime: a naive one is read on the wall clock of `zone`."""
    if value.tzinfo is None or zone is None:
        value = value.replace(tzinfo=zone or UTC)
    return _moment(_microseconds(value.astimezone(UTC)), zone)


def moment_in(value: datetime, zone: tzinfo | None) -> Moment:
    """Place a datetime that came from a column of instants, naive in UTC, in a zone."""
    return _moment(moment_at(value, None).instant, zone)


def _moment(instant: int, zone: tzinfo | None) -> Moment:
    # Where the clock jumps forward at this moment, all that it skips is over.
    before, now = wall_times(np.array([instant - 1, instant], np.int64), zone).tolist()
    return Moment(instant=instant, wall=min(before + 1, now))


def moment_on_clock(wall: int, zone: tzinfo | None) -> Moment:
    """Place a time that the wall clock of `zone` shows, the first of two."""
    return moment_at((EPOCH + timedelta(microseconds=wall)).replace(tzinfo=None), zone)


def end_of_day(last: int, zone: tzinfo | None) -> Moment:
    """Find the midnight that ends the day of the instant `last`, in `zone`."""
    shown = int(wall_times(np.array([last], np.int64), zone)[0])
    wall = (shown // DAY + 1) * DAY
    midnight = (EPOCH + timedelta(microseconds=wall)).replace(tzinfo=None)
    # Where the clock goes back over midnight, the day ends with the second one; where it goes back
    # to midnight, with the first.
    ends = np.array([moment_at(midnight.replace(fold=fold), zone).instant for fold in (0, 1)])
    return _moment(int(ends[wall_times(ends - 1, zone) < wall].max()), zone)


def read_datetime(given: str | date, argument: str = "as_of") -> datetime:
    """Read the argument `as_of`, or another like it: an ISO string, a date or a datetime."""
    value: object = given
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ArgumentError(
                f"`{argument}` is {value!r}; write a date or a time as ISO 8601 does, "
                "such as '2024-07-01' or '2024-07-01T12:00'.",
                code="not_a_time",
                argument=argument,
            ) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001  naive on purpose
    if not isinstance(value, datetime) or value != value:  # noqa: PLR0124  NaT is not itself
        raise ArgumentTypeError(
            f"`{argument}` is {given!r}; it must be a date, a datetime or an ISO 8601 string.",
            code="not_a_time",
            argument=argument,
        )
    return value


def as_of_moment(as_of: str | date, zone: tzinfo | None, argument: str = "as_of") -> Moment:
    """Place the argument `as_of`, or another like it, in the zone of the periods."""
    value = read_datetime(as_of, argument)
    if zone is None and value.tzinfo is not None:
        raise ArgumentError(
            f"`{argument}` is {as_of!r}, which has a time zone, while the times have none. "
            f"Give the times their zone first, or leave it out of `{argument}`.",
            code="mixed_zones",
            argument=argument,
        )
    try:
        return moment_at(value, zone)
    except OverflowError:
        raise ArgumentError(
            f"`{argument}` is {as_of!r}; it must lie within the years 1 to 9999, in UTC too.",
            code="beyond_calendar",
            argument=argument,
        ) from None


def midnights(days: Integers, zone: tzinfo | None) -> tuple[Integers, Integers]:
    """Return the instants at which days begin in `zone`, and their wall times."""
    return beginnings(days, DAYS, zone)


def beginnings(
    number: Integers, grid: PeriodGrid, zone: tzinfo | None
) -> tuple[Integers, Integers]:
    """Return the instants at which periods begin, and the times on the wall in `zone` then."""
    time = grid.begin(number)
    if grid.shift is not None:
        instants = time - grid.shift
        return instants, wall_times(instants, zone)
    if zone is None:
        return time, time
    begin = (EPOCH.replace(tzinfo=None) + timedelta(microseconds=int(one)) for one in time)
    return np.array([moment_at(one, zone).instant for one in begin], np.int64), time


def midnights_after(instants: Integers, zone: tzinfo | None) -> Integers:
    """Return the midnight that ends the day of each instant, in `zone`."""
    if zone is None:
        return (instants // DAY + 1) * DAY
    days, day = np.unique(wall_times(instants, zone) // DAY, return_inverse=True)
    some = np.zeros(len(days), np.int64)
    some[day] = instants  # any instant of a day shows when it ends
    ends = np.array([end_of_day(int(one), zone).instant for one in some], np.int64)
    midnights: Integers = ends[day]
    return midnights


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
