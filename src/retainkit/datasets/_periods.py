"""Periods of synthetic tables."""

from __future__ import annotations

from datetime import date

import numpy as np

from retainkit._checks import one_of
from retainkit._time.grid import calendar_grid
from retainkit._time.periods import PERIODS
from retainkit._typing import Integers
from retainkit.errors import ArgumentError
from retainkit.typing import Period

DAY = 86_400  # seconds


def period_edges(start: str | date, period: Period, periods: int) -> Integers:
    """Cut time into calendar periods: the day each begins, and the day after the last one."""
    one_of("period", period, PERIODS[1:])
    grid = calendar_grid(period)
    try:
        day = date.fromisoformat(str(start))
    except ValueError:
        raise ArgumentError(
            f"`start` is {start!r}; it must be an ISO date such as '2024-01-01'.",
            code="not_a_time",
            argument="start",
        ) from None
    first = np.array([day], "M8[D]").astype(np.int64)
    index = grid.number_of_day(first) + np.arange(periods + 1)
    edges = grid.first_day(index)
    if edges[0] != first[0]:
        begin = edges[0].astype("M8[D]")
        raise ArgumentError(
            f"`start` is {day}, not the first day of a {period}; use '{begin}'.",
            code="argument_value",
            argument="start",
        )
    return edges
