"""Purchases in each period, actual and expected: columns of the result of `tracking`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np

from retainkit._inputs.refunds import net_refunds
from retainkit._messages import count_noun, warn
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.moment import Moment, beginnings, midnights
from retainkit._time.period_options import PeriodOption
from retainkit._time.periods import DAY, DAYS_IN
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.clv._calibrated_orders import CalibratedOrders
from retainkit.clv._covariates import parameters_of
from retainkit.clv._purchase_counts import UnitCounts, counts_by_unit
from retainkit.clv._purchase_model import PurchaseModel
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


def check_period(unit: Period, cut: PeriodOption) -> None:
    """Check that periods do not cut a unit in which purchases are merged."""
    if cut.word in _WITHIN[unit] if cut.word else unit in {"hour", "day"}:
        return
    fitting = " or ".join(map(repr, _WITHIN[unit]))
    raise ArgumentError(
        f"`period` is {cut.noun!r}, which cuts the {unit}s in which `exact=False` merges "
        f"purchases; it must be {fitting} then.",
        code="split_period",
        argument="period",
    )


def tracking_columns(
    orders: CalibratedOrders, model: PurchaseModel, period: PeriodGrid, mean_spend: float
) -> dict[str, Any]:
    """Return the columns of `tracking`, and warn of the customers who are not in it.

    `mean_spend` is expected at a purchase, where there are amounts.
    """
    split, end, exact = orders.split, orders.end, orders.options.exact
    unit = orders.options.merge_period(orders.log.zone)
    log = net_refunds(orders.log, orders.options.amounts, unit, end)
    counts = counts_by_unit(log, unit, split)
    _warn_of_later(counts.n_later, int(counts.first.sum()))
    log.warn_of_outside(period)
    start = beginnings(counts.unit, unit, log.zone)[1] // DAY
    last = end.before(log.zone)
    row, periods = _rows_of_days(start, period, last, end)
    opens, closes = period.first_day(periods), period.first_day(periods + 1)
    upto = np.minimum(closes, last.index(DAYS) + 1)
    upto = upto if exact else _last_units(upto, unit, log.zone)
    expected = _expected_by_day(model, counts, start, upto, exact=exact)
    # What came before the first edge has a row that is not shown.
    shown = periods >= period.bounds[0]
    again, newcomers = (_by_row(row, one, len(periods)) for one in (counts.again, counts.first))
    actual, added = again[shown], np.diff(expected, prepend=0.0)[shown]
    columns = {
        "period": period.label(periods[shown]),
        "customers": np.cumsum(newcomers)[shown],
        "actual": actual,
        "expected": added,
        "actual_cumulative": np.cumsum(actual),
        "expected_cumulative": expected[shown] - expected[~shown].sum(),
        "holdout": _periods_in_holdout(opens[shown], split, log.zone),
        "complete": midnights(closes[shown], log.zone)[0] <= end.instant,
    }
    if counts.spent is None:
        return columns
    spent = _by_row(row, counts.spent, len(periods))[shown]
    money = {"actual_spend": spent, "expected_spend": added * mean_spend}
    return columns | money | {f"{name}_cumulative": np.cumsum(one) for name, one in money.items()}


def _rows_of_days(
    start: Integers, period: PeriodGrid, last: Moment, end: Moment
) -> tuple[Integers, Integers]:
    """Return the row of each day (-1: in none), and the number of the period of each row.

    Where there are days before the first edge, the first row is that of all of them.
    """
    least, beyond = period.bounds
    index = np.maximum(period.number_of_day(start), least - 1)
    # Without rows there are no periods.
    low = int(index.min()) if len(index) else 0
    high = min(last.index(period), beyond - 1) if len(index) else -1
    _check_number_of_periods(period, low, high, end)
    return np.where(index <= high, index - low, -1), np.arange(low, high + 1, dtype=np.int64)


def _by_row(row: Integers, values: Array, n_rows: int) -> Array:
    """Add up values by row."""
    inside = row >= 0
    return np.bincount(row[inside], values[inside], n_rows).astype(values.dtype)


def _warn_of_later(number: int, others: int) -> None:
    """Warn of customers who came after calibration, beside so many others."""
    if number:
        warn(
            f"{count_noun(number, 'customer')} with a first purchase at or after "
            "`calibration_end`: not in the result.",
            code="customers_left_out",
            argument="transactions",
            rows=number,
            total=number + others,
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
    model: PurchaseModel,
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
    spans = np.arange(max(longest, 0) + 1) / length
    expected_by_span = model.PROCESS.new_customer_purchases(parameters_of(model), spans)
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
