"""The purchases of a holdout, actual and expected: columns of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._inputs.customers import (
    HISTORY,
    HOLDOUT,
    MEAN_AMOUNTS,
    Customers,
    largest_time,
    read_customers,
)
from retainkit._inputs.exact_times import exact_times
from retainkit._models.estimates import estimates_of
from retainkit._models.model import model_from_fit
from retainkit._models.purchase_fits import fit_purchases
from retainkit._stats import correlation
from retainkit._stats.intervals import ratio
from retainkit._typing import Floats
from retainkit.clv._bg_nbd import BGNBD
from retainkit.clv._calibrated_orders import CalibratedOrders
from retainkit.clv._histories import forecasts_of, history
from retainkit.clv._holdout_spend import SpendForecasts, forecast_spend
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma
from retainkit.errors import ArgumentError
from retainkit.purchases._reduction import reduce_purchases
from retainkit.typing import Period


def read_calibration(orders: CalibratedOrders) -> Customers:
    """Return the distinct rows of `calibration_holdout`, and how many customers have each."""
    found = reduce_purchases(orders.log, orders.spec()).rows
    columns = (*HISTORY, *HOLDOUT, *(MEAN_AMOUNTS if orders.options.amount else ()))
    rows = read_customers(found, {name: name for name in columns})
    if not rows.counts.sum():
        raise ArgumentError(
            f"no row of `transactions` is before `calibration_end` ({orders.split}), and nothing "
            "can be learnt or compared. Calibrate up to a later day.",
            code="nothing_to_learn",
            argument="calibration_end",
        )
    return rows


def fit_calibration(rows: Customers, unit: Period, *, as_of: str) -> tuple[BGNBD, Sequence[str]]:
    """Fit BG/NBD to the calibration up to `as_of`; return the warnings as well."""
    fit = fit_purchases(BGNBD.PROCESS, history(rows), rows.counts)
    known = {"unit": unit, "largest_T": largest_time(rows), "exact": exact_times(rows, unit)}
    return model_from_fit(BGNBD, fit, as_of=as_of, **known), fit.warnings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HoldoutForecasts:
    """Distinct histories: repeat purchases `x`, purchases in the holdout, number of customers.

    `forecasts` holds the expected purchases of each, by the name of the forecast, the model first.
    `spend` is the money, where there are amounts.
    """

    x: Floats
    actual: Floats
    count: Floats
    forecasts: dict[str, Floats]
    spend: SpendForecasts | None


def forecast_holdout(
    rows: Customers, model: PurchaseModel, spend: GammaGamma | None
) -> HoldoutForecasts:
    """Forecast the purchases of the holdout and, with a model of spend, their money."""
    x, _, T = history(rows)  # noqa: N806  the papers' name
    held, duration = (rows.distinct[name] for name in HOLDOUT)
    theta = estimates_of(model).point
    expected = forecasts_of(model, rows).purchases(theta, float(duration.max(initial=0)))
    # Customers who came at the very end have had no time: none is expected of them.
    naive = np.nan_to_num(ratio(x, T)) * duration
    forecasts = {type(model).__name__: expected, "naive": naive}
    return HoldoutForecasts(
        x=x,
        actual=held,
        count=rows.counts,
        forecasts=forecasts,
        spend=None if spend is None else forecast_spend(rows, forecasts, spend),
    )


def total_columns(found: HoldoutForecasts, confidence_level: float) -> dict[str, Any]:
    """Return the columns of the table with a row for each forecast."""
    forecasts = found.forecasts.values()
    errors = [found.actual - forecast for forecast in forecasts]
    slopes = [
        correlation.slope(forecast, found.actual, found.count, confidence_level)
        for forecast in forecasts
    ]
    customers = found.count.sum()
    columns = {
        "forecast": np.array([*found.forecasts]),
        "customers": np.full(len(errors), int(customers)),
        "actual": np.full(len(errors), int(found.count @ found.actual)),
        "expected": np.array([found.count @ forecast for forecast in forecasts]),
        "mean_absolute_error": np.array([found.count @ abs(one) / customers for one in errors]),
        "root_mean_squared_error": np.array(
            [np.sqrt(found.count @ one**2 / customers) for one in errors]
        ),
        "calibration_slope": np.array([slope for slope, _, _ in slopes]),
        "lower": np.array([lower for _, lower, _ in slopes]),
        "upper": np.array([upper for _, _, upper in slopes]),
    }
    if found.spend is None:
        return columns
    spend = found.spend
    misses = [abs(spend.actual - forecast) for forecast in spend.forecasts.values()]
    return columns | {
        "actual_spend": np.full(len(errors), float(found.count @ spend.actual)),
        "expected_spend": np.array([found.count @ one for one in spend.forecasts.values()]),
        "spend_mean_absolute_error": np.array([found.count @ one / customers for one in misses]),
    }


def by_frequency_columns(
    found: HoldoutForecasts, most: int, confidence_level: float
) -> dict[str, Any]:
    """Return a row for each number of repeat purchases, the last for `most` and all above."""
    group = np.minimum(found.x, most).astype(np.int64)
    size = int(group.max(initial=0)) + 1
    customers = np.bincount(group, found.count, size)
    means = [
        correlation.mean_count(found.actual[here], found.count[here], confidence_level)
        for here in (group == one for one in range(size))
    ]
    names = [*map(str, range(size - 1)), f"{most}+" if size > most else str(size - 1)]

    def mean(values: Floats) -> Floats:
        return ratio(np.bincount(group, found.count * values, size), customers)

    expected, naive = map(mean, found.forecasts.values())
    columns = {
        "frequency": np.array(names),
        "customers": customers.astype(np.int64),
        "actual": np.array([mean for mean, _, _ in means]),
        "expected": expected,
        "naive": naive,
        "lower": np.array([lower for _, lower, _ in means]),
        "upper": np.array([upper for _, _, upper in means]),
    }
    if found.spend is None:
        return columns
    values = found.spend.actual, *found.spend.forecasts.values()
    names = ["actual_spend", "expected_spend", "naive_spend"]
    return columns | dict(zip(names, map(mean, values), strict=True))
