"""Find the time zones of a table: that in which times are stored, and that of the periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone, tzinfo

from retainkit._frames.clock import FrameClock
from retainkit._frames.dialect import localized
from retainkit._frames.dtypes import zone_name
from retainkit._frames.input import Frame
from retainkit._frames.names import inner_name
from retainkit._messages import named
from retainkit._time.zones import zone_of
from retainkit.errors import ArgumentError, ArgumentTypeError


def check_tz(tz: str | None) -> None:
    """Check that the argument `tz` names a time zone, if it is given."""
    if tz is None:
        return
    if not isinstance(tz, str):
        raise ArgumentTypeError(
            f"`tz` is {tz!r}; it must be the name of a time zone, such as 'Europe/Berlin'.",
            argument="tz",
        )
    zone_of(tz, "tz")


def clock_of(
    frame: Frame, column: str, own: tzinfo | None, zone: tzinfo | None
) -> FrameClock | None:
    """Return the clock of a frame whose times are in the zone of the periods, if it has changes."""
    if zone is None or isinstance(zone, timezone) or str(own) != str(zone):
        return None
    return FrameClock(frame=frame, column=column, zone=str(zone))


def zones_of(
    times: Mapping[str, str], frame: Frame, own: Mapping[str, tzinfo], tz: str | None
) -> tuple[tzinfo | None, tzinfo | None]:
    """Return the zone in which times are stored and the one in which periods are cut.

    `times` maps arguments to the columns of times that they name, the leading one first; `own` has
    the zones that pandas' columns came with, and `tz` has been checked. Both zones are None where
    times have none.
    """
    (leading, column), *others = times.items()
    stored = zone_name(frame, inner_name(frame, column))
    for argument, other in others:
        name = zone_name(frame, inner_name(frame, other))
        if (name is None) != (stored is None):
            one, two = (
                f"the time zone {str(own.get(which, zone))!r}" if zone else "no time zone"
                for which, zone in ((column, stored), (other, name))
            )
            raise ArgumentError(
                f"{named(column, leading)} has {one} and {named(other, argument)} has {two}. Give "
                "both columns a time zone, or none.",
                code="mixed_zones",
                argument=argument,
                column=other,
            )
    if stored is None:
        if tz is not None:
            raise ArgumentError(
                f"`tz` is {tz!r}, but {named(column, leading)} has no time zone. Say which zone "
                f"its times are in first, for instance with {localized(frame, column, tz)}.",
                code="no_zone",
                argument="tz",
                column=column,
            )
        return None, None
    zone = zone_of(stored, leading)
    return zone, own.get(column, zone) if tz is None else zone_of(tz, "tz")
