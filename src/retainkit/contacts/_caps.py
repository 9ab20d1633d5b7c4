"""Caps: how many contacts a customer may have, in which channel and how long a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import as_float, is_flag, is_number
from retainkit._frames.arrays import values_with_none
from retainkit._frames.input import check_present, collect, from_native
from retainkit._frames.names import inner_name
from retainkit._messages import count_noun, format_examples
from retainkit._time.grid import DAYS, calendar_grid
from retainkit._time.moment import Moment, midnights
from retainkit._time.windows import Window, read_window
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError, RetainkitError

CapPeriod: TypeAlias = Literal["day", "week", "month"]
"""Periods of the calendar, of which a window may be the one so far."""

ALL = "all"
"""What a cap of all channels together is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most so many contacts in a window, in one channel (None: in all together).

    A window rolls, or is one of the `calendar`: today and the days before it, or the `period` so
    far, if it is one.
    """

    channel: str | None
    most: int
    window: Window | None
    period: CapPeriod | None
    calendar: bool
    text: str

    def first(self, as_of: Moment, zone: tzinfo | None) -> int:
        """Return the first instant at which a contact counts, by the clock of a zone."""
        now = as_of.in_zone(zone)
        if self.window is None:
            return now.begin_of(calendar_grid(self.period or "day", "monday"), zone).instant
        if self.calendar:
            return _first_midnight(self.window, now, zone)
        # What is exactly as old as the window is long does not count.
        return self.window.before(now, zone).instant + 1


def _first_midnight(window: Window, now: Moment, zone: tzinfo | None) -> int:
    """Return the midnight that begins as many days as the window has, today among them."""
    before = round(window.days) - 1
    instants, _ = midnights(np.array([now.index(DAYS) - before], np.int64), zone)
    return int(instants[0])


def read_caps(caps: Any) -> tuple[Cap, ...]:
    """Read the argument `caps`, a small table of any kind."""
    if caps is None:
        return ()
    frame = from_native(caps, "caps")
    schema = frame.collect_schema().names()
    for name in ("channel", "max", "window"):
        check_present("caps", name, frame)
    names = [name for name in ("channel", "max", "window", "calendar") if name in schema]
    table = collect(frame.select(*(nw.col(inner_name(frame, name)) for name in names)))
    columns = {name: _listed(table[name]) for name in names}
    flags = columns.get("calendar", [None] * len(table))
    _check_flags(flags)
    _check_most(columns["max"])
    return tuple(
        _cap(channel, int(most), window, calendar=bool(flag))
        for channel, most, window, flag in zip(
            columns["channel"], columns["max"], columns["window"], flags, strict=True
        )
    )


def _listed(column: nw.Series[Any]) -> list[Any]:
    """Return the values of a column, None for null and NaN."""
    values = values_with_none(column)
    return [None if value != value else value for value in values]  # noqa: PLR0124  NaN


def _check_most(values: Sequence[Any]) -> None:
    """Check the column `max`: whole numbers, 0 or more."""
    wrong = [one for one in values if not _is_whole(one)]
    if not wrong:
        return
    text = (
        f"column 'max' of `caps` must hold whole numbers, 0 or more; "
        f"{count_noun(len(wrong), 'row')} of {len(values):,} do not: {format_examples(wrong)}."
    )
    facts: dict[str, Any] = {"argument": "caps", "column": "max", "rows": len(wrong)}
    facts["total"] = len(values)
    if all(one is None or isinstance(one, Decimal) or is_number(one) for one in wrong):
        nulls = any(one is None for one in wrong)
        raise ArgumentError(text, code="null_values" if nulls else "impossible_values", **facts)
    raise ColumnTypeError(text, **facts)


def _is_whole(value: Any) -> bool:
    if not (is_number(value) or isinstance(value, Decimal)):
        return False
    number = as_float(value)
    return 0 <= number < 2**53 and number == int(number)


def _check_flags(values: Sequence[Any]) -> None:
    """Check the column `calendar`: booleans, of which a null is false."""
    wrong = [one for one in values if one is not None and not is_flag(one)]
    if wrong:
        raise ColumnTypeError(
            f"column 'calendar' of `caps` must hold True or False; {count_noun(len(wrong), 'row')} "
            f"of {len(values):,} do not: {format_examples(wrong)}.",
            argument="caps",
            column="calendar",
            rows=len(wrong),
            total=len(values),
        )


def _cap(channel: Any, most: int, window: Any, *, calendar: bool) -> Cap:
    """Read one row of the caps."""
    if channel is not None and not isinstance(channel, str):
        raise ColumnTypeError(
            f"column 'channel' of `caps` holds {channel!r}; it must hold the names of channels, or "
            "null for all channels together.",
            argument="caps",
            column="channel",
        )
    period, length = _read_window(window)
    if calendar and length is not None and not length.whole_days:
        raise ArgumentError(
            f"column 'window' of `caps` is {window!r} where `calendar` is true; write whole days, "
            "such as '2D' for today and yesterday, or one of 'day', 'week' and 'month'.",
            code="length_not_whole",
            argument="caps",
            column="window",
        )
    written = " ".join(window.split()) if isinstance(window, str) else (length and length.name)
    calendar = calendar or period is not None
    text = f"{channel or ALL} {most} in {written}{' (calendar)' if calendar else ''}"
    return Cap(
        channel=channel, most=most, window=length, period=period, calendar=calendar, text=text
    )


def _read_window(window: Any) -> tuple[CapPeriod | None, Window | None]:
    """Read the window of a cap: a period of the calendar, or a length of time."""
    word = window.strip().lower() if isinstance(window, str) else ""
    period = next((one for one in get_args(CapPeriod) if one == word), None)
    if period is not None:
        return period, None
    if window is None:
        raise ArgumentError(
            "column 'window' of `caps` is null in a row; write a length of time such as '7D', or "
            "one of 'day', 'week' and 'month'.",
            code="null_values",
            argument="caps",
            column="window",
        )
    try:
        return None, read_window("window", window)
    except (ArgumentError, ArgumentTypeError) as error:
        raise _of_caps(error) from None


def _of_caps(error: RetainkitError) -> RetainkitError:
    """Return an error about a length of time as one about the column of the caps."""
    advice = " For the month so far write 'month'." if error.code == "calendar_length" else ""
    text = str(error).replace("`window` is", "column 'window' of `caps` is", 1)
    return type(error)(text + advice, code=error.code, argument="caps", column="window")
