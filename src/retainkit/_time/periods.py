"""Periods as integers since 1970, so that an age is the difference of two of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._typing import Integers
from retainkit.typing import Period, Weekday

PERIODS: tuple[Period, ...] = get_args(Period)
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

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

MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# 1970-01-01 was a Thursday: the Monday before it is day -3.
_EPOCH_WEEKDAY = 3

# Periods


def period_index(days: Integers, period: Period, week_start: Weekday) -> Integers:
    """Number the period of each day (days since 1970-01-01)."""
    if period == "day":
        return days
    if period == "week":
        return (days + _EPOCH_WEEKDAY - WEEKDAYS.index(week_start)) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // MONTHS_IN[period]


def period_of(wall: Integers, period: Period, week_start: Weekday) -> Integers:
    """Number the period of each wall time."""
    return lookup(wall // DAY, lambda days: period_index(days, period, week_start))


def lookup(numbers: Integers, function: Callable[[Integers], Integers]) -> Integers:
    """Apply a function once to each integer in the range, and look the results up."""
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
    months = (index * MONTHS_IN[period]).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def period_index_expr(time: nw.Expr, period: Period, week_start: Weekday) -> nw.Expr:
    """Number the period of each wall time (a column without a zone)."""
    if period == "day":
        return day_expr(time)
    if period == "week":
        # Counted from year 1, so that what is divided is never negative: engines round differently.
        shift = _EPOCH_ORDINAL - 1 - _EPOCH_WEEKDAY
        days = day_expr(time) + (_EPOCH_WEEKDAY + shift - WEEKDAYS.index(week_start))
        return days // 7 - shift // 7
    months = month_expr(time)
    if period == "month":
        return months
    return (months + 1970 * 12) // MONTHS_IN[period] - 1970 * 12 // MONTHS_IN[period]


def day_expr(time: nw.Expr) -> nw.Expr:
    """Days since 1970-01-01, by the Gregorian rule of leap years."""
    past = time.dt.year().cast(nw.Int64) - 1
    ordinal = past * 365 + past // 4 - past // 100 + past // 400 + time.dt.ordinal_day()
    return ordinal.cast(nw.Int64) - _EPOCH_ORDINAL


def month_expr(time: nw.Expr) -> nw.Expr:
    """Months since January 1970."""
    return (time.dt.year().cast(nw.Int64) - 1970) * 12 + time.dt.month().cast(nw.Int64) - 1
