"""Purchases in each period, actual and expected: columns of the result of `tracking`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np

from retainkit._inputs.events import Events
from retainkit._messages import count_noun, warn
from retainkit._models.bg_nbd import new_customer_purchases
from retainkit._models.model import parameter_array
from retainkit._time.grid import DAYS, PeriodGrid, period_grid
from retainkit._time.moment import Moment, midnights
from retainkit._time.periods import DAYS_IN, WEEKDAYS
from retainkit._typing import Booleans, Floats, Integers
from retainkit.clv._purchase_counts import UnitCounts, counts_by_unit
from retainkit.clv._purchase_fits import BGNBD
from retainkit.errors import ArgumentError
from retainkit.typing import Period, Weekday

_WITHIN: dict[Period, tuple[Period, ...]] = {
    "day": ("day", "week", "month", "quarter", "year"),
    "week": ("week",),
    "month": ("month", "quarter", "year"),
    "quarter": ("quarter", "year"),
    "year": ("year",),
}
"""The periods that each unit fits into without being cut."""

_MOST_PERIODS = 100_000


def check_period(unit: Period, period: Period) -> None:
    """Check that periods do not cut a unit in which purchases are merged."""
    if period not in _WITHIN[unit]:
        fitting = " or ".join(map(repr, _WITHIN[unit]))
        raise ArgumentError(
            f"`period` is {period!r}, which cuts the {unit}s in which `exact=False` merges "
            f"purchases; it must be {fitting} then."
        )


def week_start_at(split: Moment | None, zone: tzinfo | None) -> Weekday:
    """Return the day of the week on which calibration ends; without calibration, Monday."""
    if split is None:
        return "monday"
    day = split.begin_of(DAYS, zone)
    return next(name for name in WEEKDAYS if day.opens(period_grid("week", name)))


def tracking_columns(
    log: Events,
    model: BGNBD,
    *,
    split: Moment | None,
    end: Moment,
    period: PeriodGrid,
    unit: PeriodGrid,
    exact: bool,
) -> tuple[dict[str, Any], int]:
    """Return the columns of `tracking`, and the number of customers who came too late for it."""
    counts = counts_by_unit(log, unit, split)
    start = unit.first_day(counts.unit)
    index = period.number_of_day(start)
    last = end.before(log.zone)
    # Without rows there are no periods.
    low = int(index.min()) if len(index) else 0
    high = last.index(period) if len(index) else -1
    if high - low >= _MOST_PERIODS:
        began = period.label(np.array([low]))[0]
        raise ArgumentError(
            f"there are {high - low + 1:,} periods from {began} to {end}, more than can be of "
            "use. If there is a stray date, leave it out; otherwise take a longer `period`."
        )
    periods = np.arange(low, high + 1, dtype=np.int64)
    opens, closes = period.first_day(periods), period.first_day(periods + 1)
    until = np.minimum(closes, last.index(DAYS) + 1)
    expected = _expected_by_day(model, counts, start, until, unit=unit, exact=exact)
    again = np.bincount(index - low, counts.again, len(periods)).astype(np.int64)
    newcomers = np.bincount(index - low, counts.first, len(periods)).astype(np.int64)
    columns = {
        "period": period.label(periods),
        "customers": np.cumsum(newcomers),
        "actual": again,
        "expected": np.diff(expected, prepend=0.0),
        "actual_cumulative": np.cumsum(again),
        "expected_cumulative": expected,
        "holdout": _periods_in_holdout(opens, split, log.zone),
        "complete": midnights(closes, log.zone)[0] <= end.instant,
    }
    return columns, counts.n_later


def _periods_in_holdout(opens: Integers, split: Moment | None, zone: tzinfo | None) -> Booleans:
    """Return the periods that begin at the end of calibration or after it."""
    if split is None:
        return np.zeros(len(opens), bool)
    held: Booleans = midnights(opens, zone)[0] >= split.instant
    return held


def _expected_by_day(
    model: BGNBD,
    counts: UnitCounts,
    start: Integers,
    until: Integers,
    *,
    unit: PeriodGrid,
    exact: bool,
) -> Floats:
    """Expected repeat purchases up to each day `until`, of all customers together.

    All who came in the same unit have had the same time: days up to the end of the period or, in
    whole units, units up to the last one, as in T.
    """
    came = counts.first > 0
    if exact:
        since, upto, length = start[came], until, DAYS_IN[model.unit]
    else:
        since, length = counts.unit[came], 1.0
        upto = unit.number_of_day(until - 1)
    # Spans recur: the expectation is evaluated once for each.
    longest = int(upto.max(initial=0) - since.min(initial=0)) if len(since) else 0
    expected_by_span = new_customer_purchases(
        parameter_array(model), np.arange(max(longest, 0) + 1) / length, model.SHIFT
    )
    number = counts.first[came]
    total = np.zeros(len(upto))
    for row, day in enumerate(upto):
        earlier = since < day
        total[row] = number[earlier] @ expected_by_span[day - since[earlier]]
    return total


def warn_of_calibration(n_later: int, split: Moment | None, period: PeriodGrid) -> None:
    """Warn of customers who came later, and of a calibration that ends within a period."""
    if n_later:
        warn(
            f"{count_noun(n_later, 'customer')} with a first purchase at or after "
            "`calibration_end`: not in the result."
        )
    if split is not None and not split.opens(period):
        warn(
            f"`calibration_end` ({split}) lies within a {period.name}: what came of it after that "
            f"is in the row of that {period.name}, which is not marked as holdout."
        )
