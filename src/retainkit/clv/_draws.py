"""Intervals of values by simulation: parameters drawn or fitted anew, and simulated futures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._models.forecasts import Forecasts
from retainkit._models.gamma_gamma_fit import fit_spend
from retainkit._models.purchase_fits import fit_purchases
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._progress import Step
from retainkit._typing import Booleans, Floats
from retainkit.clv._discounting import Horizon

_VALUES = 2_000_000  # values of customers and draws held at a time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerHistories:
    """Distinct customers and how many there are of each."""

    purchases: Forecasts
    spend: SpendForecasts
    counts: Floats

    def part(self, chosen: slice) -> CustomerHistories:
        """Return some of the customers."""
        return CustomerHistories(
            purchases=self.purchases.of_rows(chosen),
            spend=self.spend.of_rows(chosen),
            counts=self.counts[chosen],
        )

    @property
    def have_spent(self) -> Booleans:
        """Return who has spend to learn from."""
        spent: Booleans = (self.spend.x > 0) & (self.spend.m > 0)
        return spent

    def resample(self, rng: np.random.Generator) -> Floats:
        """Draw as many customers with replacement, some of them with spend to learn from."""
        size = int(self.counts.sum())
        while True:
            weights = rng.multinomial(size, self.counts / size).astype(np.float64)
            if weights[self.have_spent].any():
                return weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refit:
    """The estimates of both models, and the penalties with which they were fitted."""

    purchases: Floats
    purchases_penalties: tuple[float, float]
    spend: Floats
    spend_penalties: tuple[float, float]

    def draw_parameters(
        self, customers: CustomerHistories, n: int, rng: np.random.Generator, step: Step
    ) -> tuple[Floats, Floats]:
        """Fit both anew to customers drawn with replacement, n times, each of them a step."""
        found = np.empty((n, len(self.purchases))), np.empty((n, len(self.spend)))
        for i in range(n):
            weights = customers.resample(rng)
            kept = weights > 0
            spent = kept & customers.have_spent
            purchases, spend = customers.purchases.of_rows(kept), customers.spend.of_rows(spent)
            penalty, covariate_penalty = self.purchases_penalties
            found[0][i] = fit_purchases(
                purchases.process,
                purchases.history,
                weights[kept],
                penalty,
                start=self.purchases,
                covariates=purchases.covariates,
                covariate_penalty=covariate_penalty,
            ).parameters
            penalty, covariate_penalty = self.spend_penalties
            found[1][i] = fit_spend(
                spend.x,
                spend.m,
                weights[spent],
                penalty,
                start=self.spend,
                covariates=spend.covariates,
                covariate_penalty=covariate_penalty,
            ).parameters
            step(1)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedValues:
    """Values of customers under drawn parameters: expected ones, or those of simulated futures."""

    horizon: Horizon
    predictive: bool
    median: bool

    def limits(
        self,
        customers: CustomerHistories,
        draws: tuple[Floats, Floats],
        confidence_level: float,
        rng: np.random.Generator,
    ) -> tuple[Floats, Floats]:
        """Return the quantiles of each customer's value over the draws of the parameters."""
        tail, block = (1 - confidence_level) / 2, max(1, _VALUES // len(draws[0]))
        value = self._simulated_values if self.predictive else self._expected_values
        found = [np.empty((2, 0))]
        for first in range(0, len(customers.counts), block):
            some = customers.part(slice(first, first + block))
            values = np.array([value(some, *pair, rng) for pair in zip(*draws, strict=True)])
            # Without interpolation, which infinite values would not survive.
            quantiles = np.quantile(values, [tail, 1 - tail], axis=0, method="inverted_cdf")
            found.append(quantiles)
        lower, upper = np.concatenate(found, axis=1)
        return lower, upper

    def _expected_values(
        self, some: CustomerHistories, theta: Floats, phi: Floats, _: np.random.Generator
    ) -> Floats:
        purchases = self.horizon.discounted(some.purchases, theta)
        amounts = some.spend.median(phi) if self.median else some.spend.expected(phi)
        # Without purchases the value is 0, also where the expected spend is infinite.
        zeros = np.zeros(len(purchases))
        return np.multiply(purchases, amounts, out=zeros, where=purchases > 0)

    def _simulated_values(
        self, some: CustomerHistories, theta: Floats, phi: Floats, rng: np.random.Generator
    ) -> Floats:
        owner, when = some.purchases.simulate(theta, self.horizon.length, rng)
        amounts = some.spend.simulate_amounts(phi, owner, rng)
        values = np.bincount(owner, amounts * self.horizon.factor(when), len(some.counts))
        return values.astype(np.float64, copy=False)
