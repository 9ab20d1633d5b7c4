"""Windows: lengths of time that end, or begin, at an instant, such as the "90D" before `as_of`.

Whole days are days of the wall clock, midnight to midnight where the clock changes too; hours are
elapsed time. Every slice `[as_of - window, as_of)` of the library is cut here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from itertools import pairwise
from typing import Any

from retainkit._checks import is_list
from retainkit._messages import count_noun
from retainkit._time.durations import microseconds, split_length, window_days
from retainkit._time.moment import Moment, moment_at, moment_on_clock
from retainkit._time.periods import DAY, SECOND
from retainkit._time.zones import EPOCH
from retainkit.errors import ArgumentError, ArgumentTypeError

_FIRST, _LAST = (
    (moment_at(EPOCH.replace(tzinfo=None, year=year, month=month, day=day), None)).instant
    for year, month, day in ((1, 1, 2), (9999, 12, 31))
)
"""A day within the calendar, so that every zone has a date for what lies between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A length of time in microseconds, and its `name` among columns: "90d", "12h".

    Of `whole_days` it is as long as the wall clock shows.
    """

    name: str
    microseconds: int
    whole_days: bool

    @property
    def days(self) -> float:
        """The length in days."""
        return self.microseconds / DAY

    def before(self, moment: Moment, zone: tzinfo | None, times: int = 1) -> Moment:
        """Return the moment that lies so many windows before another, in `zone`."""
        return self._moved(moment, zone, -times)

    def after(self, moment: Moment, zone: tzinfo | None, times: int = 1) -> Moment:
        """Return the moment that lies so many windows after another, in `zone`."""
        return self._moved(moment, zone, times)

    def _moved(self, moment: Moment, zone: tzinfo | None, times: int) -> Moment:
        """Return a moment so many windows later; beyond the calendar, the end of the calendar."""
        own = moment.wall if self.whole_days else moment.instant
        moved = min(max(own + times * self.microseconds, _FIRST), _LAST)
        if self.whole_days:
            return moment_on_clock(moved, zone)
        return moment_at(EPOCH + timedelta(microseconds=moved), zone)


def read_window(argument: str, value: Any, *, above_0: bool = True) -> Window:
    """Read a length of time that cuts a slice; months, which are not equally long, are refused."""
    length = microseconds(argument, value, above_0=above_0)
    whole_days = length % DAY == 0
    if isinstance(value, str):
        whole_days &= split_length(value)[1] != "hour"
        name = "".join(value.split()).lower()
    elif whole_days:
        name = f"{length // DAY}d"
    else:
        name = f"{length / (3600 * SECOND):g}h"
    return Window(name=name, microseconds=length, whole_days=whole_days)


def read_windows(argument: str, values: Any) -> tuple[Window, ...]:
    """Read several windows, none of them twice; they keep their order."""
    if isinstance(values, str | timedelta):
        values = (values,)
    if not is_list(values):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be a list of lengths of time, such as "
            "('28D', '90D').",
            argument=argument,
        )
    windows = tuple(read_window(argument, value) for value in values)
    _check_distinct(argument, windows)
    return windows


def read_ages(argument: str, values: Any) -> tuple[int, ...]:
    """Read several ages in whole days, 0 or more, none of them twice; they are sorted."""
    if isinstance(values, str | timedelta):
        values = (values,)
    if not is_list(values) or not (given := [*values]):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be a list of lengths of time, such as "
            "('30D', '90D').",
            argument=argument,
        )
    ages = sorted(window_days(argument, value, minimum=0) for value in given)
    for one, other in pairwise(ages):
        if one == other:
            raise ArgumentError(
                f"`{argument}` has {count_noun(one, 'day')} more than once; name each age once.",
                code="named_twice",
                argument=argument,
            )
    return tuple(ages)


def _check_distinct(argument: str, windows: Sequence[Window]) -> None:
    names = [window.name for window in windows]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(
                f"`{argument}` has {name!r} more than once; name each window once.",
                code="named_twice",
                argument=argument,
            )
