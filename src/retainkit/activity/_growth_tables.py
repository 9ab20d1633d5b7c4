"""The tables of growth accounting and active users: their columns and rates, of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from retainkit._stats.intervals import ratio, wilson
from retainkit._time.periods import first_day
from retainkit.activity._counts import (
    count_active,
    count_active_in_window,
    growth,
    growth_of_money,
    spans,
)
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Array, Integers
    from retainkit.activity._spec import Frequencies, Visits, VisitSpec

_COUNTS = ("active", "new", "retained", "resurrected", "churned")
_CUSTOMERS = ("period", *_COUNTS, "quick_ratio", "retention_rate", "lower", "upper", "complete")
_SUMS = (
    *("amount", "new_amount", "retained_amount", "expansion", "contraction"),
    *("resurrected_amount", "churned_amount"),
)
_RATES = ("amount_quick_ratio", "gross_retention", "net_retention")
GROWTH = (*_CUSTOMERS, *_SUMS, *_RATES)
"""What growth accounting calls its own columns."""

ACTIVE = ("period", "active", "active_window", "stickiness", "lower", "upper", "complete")
"""And a table of active users."""

DAYS = ("days", "customers", "share", "lower", "upper", "at_least", "complete")
"""And one of active days."""

_LONGEST = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


def growth_table(
    visits: Visits, query: VisitSpec, confidence_level: float
) -> tuple[dict[str, Array], Integers]:
    """Name the columns of the result; the segment of each row stands apart."""
    found = growth(visits, query)
    churned = found.before - found.retained
    complete = found.lines.period < query.end.index(query.period, query.week_start)
    lower, upper = wilson(found.retained, found.before, confidence_level)
    day = first_day(found.lines.period, query.period, query.week_start)
    table: dict[str, Array] = {
        "period": day.astype("datetime64[D]"),
        "active": found.active,
        "new": found.new,
        "retained": found.retained,
        "resurrected": found.resurrected,
        "churned": churned,
        "quick_ratio": ratio(found.new + found.resurrected, churned),
        "retention_rate": ratio(found.retained, found.before),
        # What can only rise has no interval.
        "lower": np.where(complete, lower, np.nan),
        "upper": np.where(complete, upper, np.nan),
        "complete": complete,
    }
    money = growth_of_money(visits, found.lines)
    if money:
        before = money.pop("before")
        won = money["new_amount"] + money["expansion"] + money["resurrected_amount"]
        table |= money
        table["amount_quick_ratio"] = ratio(won, money["contraction"] + money["churned_amount"])
        table["gross_retention"] = ratio(money["retained_amount"], before)
        table["net_retention"] = ratio(money["retained_amount"] + money["expansion"], before)
    return table, found.lines.segment


def check_window(window: int | str, days: int, period: Period) -> None:
    if days < _LONGEST[period]:
        raise ArgumentError(
            f"`window` is {window!r}, and a {period} has up to {_LONGEST[period]} days: who is "
            "active in the period must be so in the window that ends with it. Choose a longer "
            "window, or a shorter `period`."
        )


def active_table(
    visits: Visits,
    query: VisitSpec,
    options: tuple[int, Period, Weekday],
    confidence_level: float,
) -> tuple[dict[str, Array], Integers]:
    """Name the columns of the result, and `over`: which periods have ended."""
    window, period, week_start = options
    found = spans(visits, query, period, week_start)
    active = count_active(visits, found, period, week_start)
    active_window = count_active_in_window(visits, query, window, found.until - 1, found)
    over = found.end <= query.end.index("day", "monday")
    complete = over & (found.end - window >= visits.period.min(initial=query.last))
    lower, upper = wilson(active, active_window, confidence_level)
    return {
        "period": found.begin.astype("datetime64[D]"),
        "active": active,
        "active_window": active_window,
        **{
            name: np.where(complete, values, np.nan)
            for name, values in (
                ("stickiness", ratio(active, active_window)),
                ("lower", lower),
                ("upper", upper),
            )
        },
        "complete": complete,
        "over": over,
    }, found.lines.segment


def days_table(
    found: Frequencies, window: int, confidence_level: float
) -> tuple[dict[str, Array], Integers]:
    """Name the columns of the result, a block of rows for each segment with customers."""
    segments, block = np.unique(found.segment, return_inverse=True)
    shape = len(segments), window + 1
    exactly = np.bincount(block * shape[1] + found.visits, found.count, shape[0] * shape[1])
    customers = exactly.astype(np.int64).reshape(shape)[:, 1:]
    at_least = customers[:, ::-1].cumsum(axis=1)[:, ::-1]
    every = at_least[:, :1] + np.zeros_like(customers)
    lower, upper = wilson(customers, every, confidence_level)
    columns = {
        "days": np.arange(1, window + 1) + np.zeros_like(customers),
        "customers": customers,
        "share": ratio(customers, every),
        "lower": lower,
        "upper": upper,
        "at_least": at_least,
    }
    table: dict[str, Array] = {name: values.ravel() for name, values in columns.items()}
    return table, np.repeat(segments, window)
