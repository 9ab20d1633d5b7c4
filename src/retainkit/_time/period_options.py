"""Periods as users write them: a word, a number of days or weeks, or a list of edges.

They are checked before a table is read, and become a grid once the zone of its times is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args

from retainkit._checks import is_list, is_number, one_of
from retainkit._messages import count_noun, format_examples
from retainkit._time.durations import in_steps, split_length, window_days
from retainkit._time.grid import DayGrid, EdgeGrid, HourGrid, PeriodGrid, calendar_grid
from retainkit._time.moment import as_of_moment, read_datetime
from retainkit._time.periods import DAY, MONTHS_IN, PERIODS, WEEKDAYS
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Month, Period, PeriodLike, Weekday

MONTH_NAMES: tuple[Month, ...] = get_args(Month)
_CODES = {"h": "hour", "d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
_CODES |= {"a": "year", "ms": "month", "me": "month", "qs": "quarter", "qe": "quarter"}
_CODES |= {"ys": "year", "ye": "year", "daily": "day", "annually": "year", "fortnight": "14 days"}
_CODES |= {"biweekly": "2 weeks", "fortnightly": "14 days"}
_MONTHS_OF = {1: "month", 3: "quarter", 12: "year"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOption:
    """Periods that have been checked, of one of three kinds.

    `word` is one of the calendar; else there are `edges`, or `step` days to a period, counted from
    the day of the `origin`.
    """

    argument: str
    word: str = ""
    week_start: Weekday = "monday"
    year_start: Month = "january"
    step: int = 0
    origin: datetime | None = None
    edges: tuple[datetime, ...] = ()

    @property
    def noun(self) -> str:
        """Name one of the periods."""
        if self.step:
            return f"period of {count_noun(self.step, 'day')}"
        return self.word or "period"

    @property
    def longest(self) -> int:
        """Days in the longest of the periods, rounded up."""
        if self.edges:
            spans = [later - earlier for earlier, later in pairwise(self.edges)]
            return -(-max(spans) // timedelta(days=1))
        longest = {"hour": 1, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
        return longest[self.word] if self.word else self.step

    def in_zone(self, zone: tzinfo | None) -> PeriodGrid:
        """Return the grid of the periods, cut in `zone`."""
        if self.word == "hour":
            return HourGrid(name=self.word, zone=zone)
        if self.word:
            start = MONTH_NAMES.index(self.year_start)
            return calendar_grid(self.word, self.week_start, start)  # type: ignore[arg-type]
        if self.edges:
            return self._edge_grid(zone)
        return DayGrid(name=self.noun, step=self.step, anchor=self._anchor(zone))

    def _anchor(self, zone: tzinfo | None) -> int:
        """Return the day from which days are counted: the origin, or the first week of 1970."""
        if self.origin is None:
            # 1970-01-01 was a Thursday.
            return (WEEKDAYS.index(self.week_start) - WEEKDAYS.index("thursday")) % 7
        moment = as_of_moment(self.origin, zone, "origin")
        if moment.wall % DAY:
            where = "" if self.origin.tzinfo is None else " in the zone of the periods"
            raise ArgumentError(
                f"`origin` is {self.origin}, {moment}{where}; periods of days begin at midnight. "
                "Give a date; for another time of day, a list of edges as "
                f"`{self.argument}`.",
                code="period_not_whole_days",
                argument="origin",
            )
        return moment.wall // DAY

    def _edge_grid(self, zone: tzinfo | None) -> EdgeGrid:
        """Return the grid of the edges, which must rise on the clock on the wall too."""
        moments = [as_of_moment(edge, zone, self.argument) for edge in self.edges]
        for one, other in pairwise(moments):
            if one.wall >= other.wall:
                raise _edge_error(self.argument, (one, other), "in the zone of the periods")
        return EdgeGrid(
            name=self.noun,
            edges=tuple(moment.wall for moment in moments),
            instants=tuple(moment.instant for moment in moments),
            zone=zone,
        )


def period_option(
    period: PeriodLike,
    *,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    whole_days: bool = False,
) -> PeriodOption:
    """Check the argument `period`, as `period_options` does."""
    return period_options(
        {"period": period},
        week_start=week_start,
        origin=origin,
        year_start=year_start,
        whole_days=whole_days,
    )[0]


def period_options(
    periods: Mapping[str, PeriodLike],
    *,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    whole_days: bool = False,
) -> tuple[PeriodOption, ...]:
    """Check periods by their arguments, and what they are counted from.

    With `whole_days` periods must hold whole ones, since customers are counted by days.
    """
    kinds = {argument: _kind(argument, period) for argument, period in periods.items()}
    one_of("week_start", week_start, WEEKDAYS)
    one_of("year_start", year_start, MONTH_NAMES, first=1)
    start = None if origin is None else read_datetime(origin, "origin")
    if start is not None and not any("step" in kind for kind in kinds.values()):
        names = " and ".join(f"`{argument}` is {periods[argument]!r}" for argument in periods)
        raise ArgumentError(
            f"`origin` is {origin!r}, and {names}: it goes with a number of days or weeks, such as "
            "'14 days'. `week_start` and `year_start` say when weeks and years begin.",
            code="argument_conflict",
            argument="origin",
        )
    options = tuple(
        PeriodOption(
            argument=argument, week_start=week_start, year_start=year_start, origin=start, **kind
        )
        for argument, kind in kinds.items()
    )
    if whole_days:
        for option in options:
            check_whole_days(option)
    return options


def in_periods(argument: str, value: Any, cut: PeriodOption, minimum: int) -> int:
    """Return a number of whole periods, or a length of time that is one."""
    months = MONTHS_IN.get(cut.word, 0)
    days = {"day": 1, "week": 7}.get(cut.word, cut.step)
    return in_steps(
        argument,
        value,
        minimum,
        noun=cut.noun,
        step=months or days,
        unit="month" if months else "day",
    )


def unit_option(unit: Period, week_start: Weekday = "monday") -> PeriodOption:
    """Check the argument `unit`, which is a word."""
    one_of("unit", unit, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    return PeriodOption(argument="unit", word=unit, week_start=week_start)


def _kind(argument: str, period: Any) -> dict[str, Any]:
    """Read periods: the word, the days in a step, or the edges."""
    if isinstance(period, str):
        if period in PERIODS:
            return {"word": period}
        return _counted(argument, period)
    if isinstance(period, timedelta):
        return {"step": window_days(argument, period)}
    if is_list(period):
        return {"edges": _edges(argument, list(period))}
    if is_number(period):
        raise ArgumentTypeError(
            f"`{argument}` is {period!r}: {period} what? Write '{period} days' or '{period} "
            "weeks'.",
            code="length_without_unit",
            argument=argument,
        )
    raise ArgumentTypeError(
        f"`{argument}` is {period!r}; {_NEED}", code="argument_type", argument=argument
    )


_NEED = (
    "it must be one of "
    + ", ".join(map(repr, PERIODS))
    + ", a number of days or weeks such as '14 days', or a list of the dates between periods."
)


def _counted(argument: str, period: str) -> dict[str, Any]:
    """Read a number of days or weeks."""
    number, unit = split_length(period)
    if unit in {"day", "week"}:
        return {"step": window_days(argument, period)}
    word = _CODES.get(period.strip().lower(), "")
    if unit is not None and unit != "hour":
        months = float(number) * {"month": 1, "quarter": 3, "year": 12}[unit]
        word = _MONTHS_OF.get(int(months), "") if months == int(months) else ""
        if not word:
            raise ArgumentError(
                f"`{argument}` is {period!r}; of months, quarters and years there are periods of "
                "one: 'month', 'quarter' or 'year'. For others, give a list of the dates between "
                "them.",
                code="unknown_choice",
                argument=argument,
            )
    elif unit == "hour":
        word = "hour"
    close = get_close_matches(period.strip().lower(), PERIODS, n=1)
    word = word or (close[0] if close else "")
    hint = f" Did you mean {word!r}?" if word else ""
    raise ArgumentError(
        f"`{argument}` is {period!r}; {_NEED}{hint}", code="unknown_choice", argument=argument
    )


def _edges(argument: str, edges: Sequence[Any]) -> tuple[datetime, ...]:
    """Read two or more rising edges."""
    times = tuple(read_datetime(edge, argument) for edge in edges)
    if len(times) < 2:
        raise ArgumentError(
            f"`{argument}` has {len(times)} of the two or more dates that lie between periods: "
            "of n periods there are n + 1, the end of the last one too.",
            code="unordered_edges",
            argument=argument,
        )
    aware = [time for time in times if time.tzinfo is not None]
    if 0 < len(aware) < len(times):
        raise ArgumentError(
            f"`{argument}` has edges with a time zone ({aware[0]}) and others without; give all "
            "of them one, or none.",
            code="mixed_zones",
            argument=argument,
        )
    for one, other in pairwise(times):
        if one >= other:
            raise _edge_error(argument, (one, other))
    return times


def _edge_error(argument: str, pair: Sequence[Any], where: str = "") -> ArgumentError:
    one, other = pair
    return ArgumentError(
        f"`{argument}` has the edge {other} after {one}{where and f' {where}'}; edges must rise.",
        code="unordered_edges",
        argument=argument,
    )


def check_whole_days(option: PeriodOption) -> None:
    """Check that periods hold whole days."""
    odd = [str(edge) for edge in option.edges if edge != _midnight(edge)]
    if option.word != "hour" and not odd:
        return
    found = f"has edges within a day, such as {format_examples(odd, 2)}" if odd else "is 'hour'"
    raise ArgumentError(
        f"`{option.argument}` {found}; customers are counted by days, and a period must hold whole "
        "ones.",
        code="period_not_whole_days",
        argument=option.argument,
    )


def _midnight(edge: datetime) -> datetime:
    return edge.replace(hour=0, minute=0, second=0, microsecond=0)
