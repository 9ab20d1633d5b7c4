"""The money of a holdout, actual and expected, beside its purchases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retainkit._inputs.customers import SPEND, Customers, read_customers, repeat_buyers
from retainkit._messages import count_noun, warn
from retainkit._models import gamma_gamma
from retainkit._models.gamma_gamma_fit import fit_spend
from retainkit._models.model import model_from_fit
from retainkit._typing import Floats
from retainkit.clv._calibrated_orders import CalibratedOrders
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._dependent_spend import spend_warnings
from retainkit.clv._spend import GammaGamma, check_spend_model, check_spend_unit, plain_parameters
from retainkit.errors import ArgumentError
from retainkit.purchases._reduction import reduce_purchases
from retainkit.typing import Period


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpendForecasts:
    """The money of a customer of each distinct history in the holdout: actual, and by forecast."""

    actual: Floats
    forecasts: dict[str, Floats]


def check_given_spend(
    spend: GammaGamma | None, amount: str | None, unit: Period, *, exact: bool
) -> None:
    """Check that a model of spend is one, of this unit, and that there are amounts to compare."""
    if spend is None:
        return
    check_spend_model(spend, "spend")
    check_no_covariates(spend, "spend", "spend.expected_spend")
    if amount is None:
        raise ArgumentError(
            "`spend` is a model of money, and `amount` names no column of it: give both, or "
            "neither.",
            argument="spend",
            code="argument_needed",
        )
    check_spend_unit(spend, unit, exact=exact)


def fit_spend_of_orders(orders: CalibratedOrders) -> GammaGamma:
    """Fit Gamma-Gamma to orders up to the end of calibration, and warn as the fit does."""
    found = reduce_purchases(orders.log, orders.spec()).rows
    return fit_calibration_spend(read_customers(found, {name: name for name in SPEND}))


def fit_calibration_spend(rows: Customers) -> GammaGamma:
    """Fit Gamma-Gamma to the calibration, and warn of what the fit has to tell."""
    used, messages = repeat_buyers(rows)
    x, m = rows.distinct["frequency"][used], rows.distinct["monetary_value"][used]
    fit = fit_spend(x, m, rows.counts[used], 0.0)
    care = [("fit_needs_care", text) for text in [*messages, *fit.warnings]]
    for code, text in [*care, *spend_warnings(rows)]:
        warn(text, code=code, argument="transactions")
    return model_from_fit(GammaGamma, fit)


def forecast_spend(
    rows: Customers, purchases: dict[str, Floats], spend: GammaGamma
) -> SpendForecasts:
    """Forecast the money of the holdout: purchases of each forecast, times what each brings.

    The naive forecast goes on at the customer's own mean amount.
    """
    x, m = rows.distinct["frequency"], rows.distinct["monetary_value"]
    theta = plain_parameters(spend)
    infinite = gamma_gamma.has_infinite_mean(theta, x)
    if infinite.any():
        number = int(rows.counts[infinite].sum())
        warn(
            f"q of `spend` is {spend.q:.3g}, at which the expected spend of "
            f"{count_noun(number, 'customer')} is infinite: the spend that is expected is not "
            "known (NaN).",
            code="infinite_mean",
            argument="spend",
            rows=number,
            total=int(rows.counts.sum()),
        )
    amounts = np.where(infinite, np.nan, gamma_gamma.expected_spend(theta, x, m))
    (name, expected), (naive_name, naive) = purchases.items()
    return SpendForecasts(
        actual=rows.distinct["frequency_holdout"] * rows.distinct["monetary_value_holdout"],
        forecasts={name: expected * amounts, naive_name: naive * m},
    )


def mean_spend_of_new(spend: GammaGamma | None) -> float:
    """Return the amount that a new customer is expected to spend; NaN if infinite or not known."""
    if spend is None or spend.q <= 1:
        return math.nan
    return spend.p * spend.v / (spend.q - 1)


def warn_of_infinite_spend(spend: GammaGamma) -> None:
    """Warn of a model by which a new customer is expected to spend an infinite amount."""
    if spend.q <= 1:
        warn(
            f"q of `spend` is {spend.q:.3g}, not above 1: what a new customer is expected to spend "
            "is infinite, and the spend that is expected is not known (NaN).",
            code="infinite_mean",
            argument="spend",
        )
