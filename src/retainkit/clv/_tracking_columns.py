"""Purchases in each period, actual and expected: columns of the result of `tracking`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np

from retainkit._inputs.refunds import net_refunds
from retainkit._messages import count_noun, warn
from retainkit._models.bg_nbd import new_customer_purchases
from retainkit._models.model import parameter_array
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.moment import Moment, beginnings, midnights
from retainkit._time.periods import DAY, DAYS_IN
from retainkit._typing import Booleans, Floats, Integers
from retainkit.clv._calibrated_orders import CalibratedOrders
from retainkit.clv._purchase_counts import UnitCounts, counts_by_unit
from retainkit.clv._purchase_fits import BGNBD
from retainkit.errors import ArgumentError
from retainkit.typing import Period

_WITHIN: dict[Period, tuple[Period, ...]] = {
    "hour": ("day", "week", "month", "quarter", "year"),
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
            f"purchases; it must be {fitting} then.",
            code="split_period",
            argument="period",
        )


def tracking_columns(
    orders: CalibratedOrders, model: BGNBD, period: PeriodGrid, mean_spend: float
) -> dict[str, Any]:
    """Return the columns of `tracking`, and warn of the customers who are not in it.

    `mean_spend` is expected at a purchase, where there are amounts.
    """
    split, end, exact = orders.split, orders.end, orders.options.exact
    unit = orders.options.merge_period(orders.log.zone)
    log = net_refunds(orders.log, orders.options.amounts, unit, end)
    counts = counts_by_unit(log, unit, split)
    _warn_of_later(counts.n_later)
    start = beginnings(counts.unit, unit, log.zone)[1] // DAY
    index = period.number_of_day(start)
    last = end.before(log.zone)
    # Without rows there are no periods.
    low = int(index.min()) if len(index) else 0
    high = last.index(period) if len(index) else -1
    _check_number_of_periods(period, low, high, end)
    periods = np.arange(low, high + 1, dtype=np.int64)
    opens, closes = period.first_day(periods), period.first_day(periods + 1)
    upto = np.minimum(closes, last.index(DAYS) + 1)
    upto = upto if exact else _last_units(upto, unit, log.zone)
    expected = _expected_by_day(model, counts, start, upto, exact=exact)
    again = np.bincount(index - low, counts.again, len(periods)).astype(np.int64)
    newcomers = np.bincount(index - low, counts.first, len(periods)).astype(np.int64)
    added = np.diff(expected, prepend=0.0)
    columns = {
        "period": period.label(periods),
        "customers": np.cumsum(newcomers),
        "actual": again,
        "expected": added,
        "actual_cumulative": np.cumsum(again),
        "expected_cumulative": expected,
        "holdout": _periods_in_holdout(opens, split, log.zone),
        "complete": midnights(closes, log.zone)[0] <= end.instant,
    }
    if counts.spent is None:
        return columns
    spent = np.bincount(index - low, counts.spent, len(periods)).astype(np.float64)
    money = {"actual_spend": spent, "expected_spend": added * mean_spend}
    return columns | money | {f"{name}_cumulative": np.cumsum(one) for name, one in money.items()}


def _warn_of_later(number: int) -> None:
    """Warn of customers who came after calibration."""
    if number:
        warn(
            f"{count_noun(number, 'customer')} with a first purchase at or after "
            "`calibration_end`: not in the result.",
            code="customers_left_out",
            argument="transactions",
            rows=number,
        )


def _check_number_of_periods(period: PeriodGrid, low: int, high: int, end: Moment) -> None:
    """Check that there are not so many periods that a date must be wrong."""
    if high - low >= _MOST_PERIODS:
        began = period.label(np.array([low]))[0]
        raise ArgumentError(
            f"there are {high - low + 1:,} periods from {began} to {end}, more than can be of "
            "use. If there is a stray date, leave it out; otherwise take a longer `period`.",
            code="too_many_rows",
            argument="period",
            rows=high - low + 1,
        )


def _periods_in_holdout(opens: Integers, split: Moment | None, zone: tzinfo | None) -> Booleans:
    """Return the periods that begin at the end of calibration or after it."""
    if split is None:
        return np.zeros(len(opens), bool)
    held: Booleans = midnights(opens, zone)[0] >= split.instant
    return held


def _last_units(until: Integers, unit: PeriodGrid, zone: tzinfo | None) -> Integers:
    """Return the number of the last unit that begins before each day."""
    last = midnights(until, zone)[0] - 1
    return unit.number(unit.on_clock(last, until * DAY - 1))


def _expected_by_day(
    model: BGNBD,
    counts: UnitCounts,
    start: Integers,
    upto: Integers,
    *,
    exact: bool,
) -> Floats:
    """Expected repeat purchases up to each of some days or units, of all customers together.

    All who came in the same unit have had the same time: days up to the end of the period or, in
    whole units, units up to the last one, as in T.
    """
    came = counts.first > 0
    if exact:
        since, length = start[came], DAYS_IN[model.unit]
    else:
        since, length = counts.unit[came], 1.0
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


def warn_of_calibration(split: Moment | None, period: PeriodGrid) -> None:
    """Warn of a calibration that ends within a period."""
    if split is not None and not split.opens(period):
        warn(
            f"`calibration_end` ({split}) lies within a {period.name}: what came of it after that "
            f"is in the row of that {period.name}, which is not marked as holdout.",
            code="split_period",
            argument="calibration_end",
        )
