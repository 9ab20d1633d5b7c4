"""Time zones: conversion between instants and the time that a wall clock shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._time.periods import DAY, SECOND
from retainkit._typing import Integers
from retainkit.errors import ArgumentError

_UTC = {"UTC", "UCT", "GMT", "GMT0", "GREENWICH", "UNIVERSAL", "ZULU"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _SECOND, _MICROSECOND = timedelta(1), timedelta(seconds=1), timedelta(microseconds=1)


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
        pass
    if name.upper().removeprefix("ETC/") in _UTC:  # no database is needed for it
        return UTC
    if not available_timezones():
        raise ArgumentError(
            f"`{argument}` names the time zone {name!r}, and there is no time zone database here; "
            "install the package tzdata.",
            code="no_time_zones",
            argument=argument,
        )
    raise ArgumentError(
        f"`{argument}` names the time zone {name!r}, which is not known here; use a name of the "
        "IANA database, such as 'Europe/Berlin' or 'UTC'.",
        code="unknown_time_zone",
        argument=argument,
    )


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
    # The fields of these moments are those of UTC, as `fromutc` takes them: without the rest of
    # `astimezone` that is several times faster.
    epoch = EPOCH.replace(tzinfo=zone)

    def offset(moment: datetime) -> timedelta | None:
        return zone.fromutc(moment).utcoffset()

    at = epoch + timedelta(seconds=first // SECOND)
    end = epoch + timedelta(seconds=last // SECOND + 1)
    own = offset(at)
    found = [(first, own)]
    while at < end:
        before, at = at, min(at + _DAY, end)
        if offset(at) == own:
            continue
        while at - before > _SECOND:
            middle = before + (at - before) // (2 * _SECOND) * _SECOND
            before, at = (middle, at) if offset(middle) == own else (before, middle)
        own = offset(at)
        found.append(((at - epoch) // _MICROSECOND, own))
    return [(since, own // _MICROSECOND) for since, own in found]  # type: ignore[operator]


def wall_times(instants: Integers, zone: tzinfo | None) -> Integers:
    """Return the wall time in `zone` at each instant (None: naive times, as they are)."""
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


def instant_expr(instant: int) -> nw.Expr:
    """Write an instant so that it compares with a column of instants, naive ones in UTC."""
    moment = EPOCH + timedelta(microseconds=instant)
    # Spark would read a naive literal in the zone of the process; a date has no zone.
    midnight = nw.lit(moment.date()).cast(nw.Datetime("us"))
    rest = instant % DAY
    return midnight.dt.offset_by(f"{rest}us") if rest else midnight


def later_expr(time: nw.Expr, microseconds: int) -> nw.Expr:
    """Move a column of times by a length that is the same everywhere."""
    return time.dt.offset_by(f"{microseconds}us")


def wall_time_expr(time: nw.Expr, *, zone: tzinfo | None, first: int, last: int) -> nw.Expr:
    """Turn a column of instants, naive in UTC, into wall times of `zone` (None: as they are).

    The offset of a zone is constant between the changes of its clocks, which are compared as
    instants: exact, also in the hour that a clock shows twice. `first` and `last` are instants that
    enclose the column.
    """
    if zone is None:
        return time
    changes, offsets = zip(*utc_offsets(zone, first, last), strict=True)
    moved = [time.dt.offset_by(f"{offset // SECOND}s") if offset else time for offset in offsets]

    def choose(low: int, high: int) -> nw.Expr:
        """Search for the change that a time comes after, by halves: no deeper than need be."""
        if high - low == 1:
            return moved[low]
        middle = (low + high) // 2
        later = time >= instant_expr(changes[middle])
        return nw.when(later).then(choose(middle, high)).otherwise(choose(low, middle))

    return choose(0, len(changes))
