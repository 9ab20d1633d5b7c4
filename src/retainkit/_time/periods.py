"""Days and months as integers since 1970, and the words for periods."""

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
    "hour": 1 / 24,
    "day": 1,
    "week": 7,
    "month": _YEAR / 12,
    "quarter": _YEAR / 4,
    "year": _YEAR,
}
"""Mean length of each period in days."""

MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# 1970-01-01 was a Thursday: the Monday before it is day -3.
EPOCH_WEEKDAY = 3


def lookup(numbers: Integers, function: Callable[[Integers], Integers]) -> Integers:
    """Apply a function once to each integer in the range, and look the results up."""
    if not len(numbers):
        return function(numbers)
    least = int(numbers.min())
    table = function(np.arange(least, int(numbers.max()) + 1))
    looked_up: Integers = table[numbers - least]
    return looked_up


def day_expr(time: nw.Expr) -> nw.Expr:
    """Days since 1970-01-01, by the Gregorian rule of leap years."""
    past = time.dt.year().cast(nw.Int64) - 1
    ordinal = past * 365 + past // 4 - past // 100 + past // 400 + time.dt.ordinal_day()
    return ordinal.cast(nw.Int64) - EPOCH_ORDINAL


def month_expr(time: nw.Expr) -> nw.Expr:
    """Months since January 1970."""
    return (time.dt.year().cast(nw.Int64) - 1970) * 12 + time.dt.month().cast(nw.Int64) - 1
