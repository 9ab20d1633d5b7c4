"""New customers of one profile: their expected value by a horizon, whatever the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from retainkit._models.beta_geometric import log_survival
from retainkit._models.effects import RowCovariates
from retainkit._models.estimates import Estimates
from retainkit._models.forecasts import parameters_of_one
from retainkit._models.process import PurchaseProcess
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats
from retainkit.clv._discounting import log_variance

with without_scipy_filters():
    from scipy.optimize import brentq

_MOST_OFF = 1e-6  # of a payback, in units of the model


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

    def time_of_payback(self, point: Floats, t: float, cost: float) -> float:
        """Return the time by which the value reaches a cost: NaN where it does not within t."""


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
        theta = point[: self.n_purchases]
        params = parameters_of_one(self.process, theta, self.covariates)
        bought = float(self.process.new_customer_purchases(params, t))
        discounted = bought
        if self.rate > 0:
            discounted = float(self.process.new_customer_discounted(params, self.rate, t))
        spend = float(self.spend.expected(point[self.n_purchases :])[0])
        first = spend if self.first is None else self.first
        value = first + discounted * spend
        return Expected(purchases=bought, discounted=discounted, spend=spend, value=value)

    def time_of_payback(self, point: Floats, t: float, cost: float) -> float:
        """Return the time by which the value reaches a cost: NaN where it does not within t."""

        def missing(one: float) -> float:
            return self.by_time(point, one).value - cost

        if missing(0.0) >= 0:
            return 0.0
        if missing(t) < 0:
            return np.nan
        return float(brentq(missing, 0.0, t, xtol=_MOST_OFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A new customer under a model of retention, who pays a price at the start of each period."""

    price: float
    rate: float

    def by_time(self, point: Floats, t: float) -> Expected:
        """Return what is expected of the payments before the time t, the first at once."""
        stays, factor = self._payments(point, t)
        discounted = float(stays @ factor)
        value = discounted * self.price
        paid = float(stays.sum())
        return Expected(purchases=paid, discounted=discounted, spend=self.price, value=value)

    def time_of_payback(self, point: Floats, t: float, cost: float) -> float:
        """Return the time of the payment by which the value reaches a cost, or NaN."""
        stays, factor = self._payments(point, t)
        reached = np.flatnonzero(self.price * np.cumsum(stays * factor) >= cost)
        return float(reached[0]) if len(reached) else np.nan

    def _payments(self, point: Floats, t: float) -> tuple[Floats, Floats]:
        """Return of each payment before t the probability, and the discount factor."""
        theta = np.append(point, 1.0) if len(point) == 2 else point
        at = np.arange(int(np.ceil(t - 1e-9)))
        return np.exp(log_survival(theta, at)), np.exp(-self.rate * at)


def valued(prospect: Prospect, estimates: Estimates, t: float) -> tuple[Expected, float]:
    """Return what is expected by the time t, and the variance of the logarithm of the value."""

    def value(point: Floats) -> Floats:
        return np.array([prospect.by_time(point, t).value])

    _, variance = log_variance(value, estimates)
    return prospect.by_time(estimates.point, t), float(variance[0])
