"""New customers of one profile: their expected value by a horizon, whatever the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from retainkit._models.beta_geometric import log_survival
from retainkit._models.effects import RowCovariates
from retainkit._models.estimates import Estimates
from retainkit._models.forecasts import adjusted_parameters
from retainkit._models.process import PurchaseProcess, RowParameters
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats
from retainkit.clv._discounting import log_variance

with without_scipy_filters():
    from scipy.optimize import brentq

_MOST_DAYS_OFF = 1e-6  # of a payback, in units of the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of one new customer by a horizon, before the margin."""

    purchases: float
    discounted: float
    spend: float
    value: float


class Prospect(Protocol):
    """A new customer, with all estimates as one array."""

    def by_time(self, point: Floats, t: float) -> Expected:
        """Return what is expected by the time t, in units of the model."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shopper:
    """A new customer under a model of purchases and one of spend.

    `first` is the order that makes the customer: None for one at the expected spend. The first
    `n_purchases` estimates are those of the purchases.
    """

    process: PurchaseProcess
    covariates: RowCovariates | None
    spend: SpendForecasts
    n_purchases: int
    rate: float
    first: float | None

    def by_time(self, point: Floats, t: float) -> Expected:
        """Return what is expected by the time t."""
        params = self._parameters(point[: self.n_purchases])
        bought = float(self.process.new_customer_purchases(params, t))
        discounted = bought
        if self.rate > 0:
            discounted = float(self.process.new_customer_discounted(params, self.rate, t))
        spend = float(self.spend.expected(point[self.n_purchases :])[0])
        first = spend if self.first is None else self.first
        value = first + discounted * spend
        return Expected(purchases=bought, discounted=discounted, spend=spend, value=value)

    def _parameters(self, theta: Floats) -> RowParameters:
        if self.covariates is None:
            return tuple(theta[:4].tolist())
        found = adjusted_parameters(self.process, theta, self.covariates)
        return tuple(float(np.ravel(one)[0]) for one in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A new customer under a model of retention, who pays a price at the start of each period."""

    price: float
    rate: float

    def by_time(self, point: Floats, t: float) -> Expected:
        """Return what is expected of the payments before the time t, the first at once."""
        theta = np.append(point, 1.0) if len(point) == 2 else point
        at = np.arange(int(np.ceil(t - 1e-9)))
        stays = np.exp(log_survival(theta, at))
        paid, discounted = float(stays.sum()), float(stays @ np.exp(-self.rate * at))
        value = discounted * self.price
        return Expected(purchases=paid, discounted=discounted, spend=self.price, value=value)


def valued(prospect: Prospect, estimates: Estimates, t: float) -> tuple[Expected, float]:
    """Return what is expected by the time t, and the variance of the logarithm of the value."""

    def value(point: Floats) -> Floats:
        return np.array([prospect.by_time(point, t).value])

    _, variance = log_variance(value, estimates)
    return prospect.by_time(estimates.point, t), float(variance[0])


def time_of_payback(prospect: Prospect, point: Floats, t: float, cost: float) -> float:
    """Return the time by which the value reaches a cost: NaN where it does not within t."""
    if isinstance(prospect, Subscriber):
        # Payments come at the start of periods.
        times = np.arange(1, int(np.ceil(t - 1e-9)) + 1)
        reached = [one for one in times if prospect.by_time(point, float(one)).value >= cost]
        return float(reached[0] - 1) if reached else np.nan
    if prospect.by_time(point, 0.0).value >= cost:
        return 0.0
    if prospect.by_time(point, t).value < cost:
        return np.nan
    return float(
        brentq(lambda one: prospect.by_time(point, one).value - cost, 0.0, t, xtol=_MOST_DAYS_OFF)
    )
