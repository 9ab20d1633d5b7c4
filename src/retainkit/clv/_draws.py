"""Intervals of values by simulation: parameters drawn or fitted anew, and simulated futures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._models import bg_nbd, gamma_gamma, purchase_fits
from retainkit._models.bg_nbd import DistinctPairs
from retainkit._progress import Step
from retainkit._typing import Floats
from retainkit.clv._discounting import Horizon

_VALUES = 2_000_000  # values of customers and draws held at a time


def draw_parameters(theta: Floats, covariance: Floats, n: int, rng: np.random.Generator) -> Floats:
    """Draw parameters from the normal distribution of their logarithms: (n, parameters).

    Parameters whose variance is NaN are not varied.
    """
    relative = np.nan_to_num(covariance / np.outer(theta, theta), nan=0.0)
    draws: Floats = theta * np.exp(
        rng.multivariate_normal(np.zeros(len(theta)), relative, n, method="eigh")
    )
    return draws


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerHistories:
    """Distinct customers and how many there are of each; `m` is ignored where x is 0."""

    x: Floats
    tx: Floats
    T: Floats
    m: Floats
    counts: Floats
    pairs: DistinctPairs

    def part(self, chosen: slice) -> CustomerHistories:
        """Return some of the customers."""
        columns = (self.x, self.tx, self.T, self.m, self.counts)
        x, tx, T, m, counts = (values[chosen] for values in columns)  # noqa: N806
        return CustomerHistories(
            x=x, tx=tx, T=T, m=m, counts=counts, pairs=bg_nbd.distinct_pairs(x, T)
        )

    def resample(self, rng: np.random.Generator) -> Floats:
        """Draw as many customers with replacement, some of them with spend to learn from."""
        size = int(self.counts.sum())
        while True:
            weights = rng.multinomial(size, self.counts / size).astype(np.float64)
            if weights[(self.x > 0) & (self.m > 0)].any():
                return weights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refit:
    """The parameters of both models, and the penalties with which they were fitted."""

    shift: int
    purchases: Floats
    purchases_penalty: float
    spend: Floats
    spend_penalty: float

    def draw_parameters(
        self, customers: CustomerHistories, n: int, rng: np.random.Generator, step: Step
    ) -> tuple[Floats, Floats]:
        """Fit both anew to customers drawn with replacement, n times, each of them a step."""
        x, m = customers.x, customers.m
        found = np.empty((n, 4)), np.empty((n, 3))
        for i in range(n):
            weights = customers.resample(rng)
            kept, spent = weights > 0, (weights > 0) & (x > 0) & (m > 0)
            found[0][i] = purchase_fits.fit_purchases(
                x[kept],
                customers.tx[kept],
                customers.T[kept],
                weights[kept],
                self.shift,
                self.purchases_penalty,
                start=self.purchases,
            ).parameters
            found[1][i] = purchase_fits.fit_spend(
                x[spent], m[spent], weights[spent], self.spend_penalty, start=self.spend
            ).parameters
            step(1)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedValues:
    """Values of customers under drawn parameters: expected ones, or those of simulated futures."""

    horizon: Horizon
    shift: int
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
        for first in range(0, len(customers.x), block):
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
        history, pairs = (some.x, some.tx, some.T), some.pairs
        purchases = self.horizon.discounted(theta, history, self.shift, pairs)
        spend = gamma_gamma.median_spend if self.median else gamma_gamma.expected_spend
        amounts = spend(phi, some.x, some.m)
        # Without purchases the value is 0, also where the expected spend is infinite.
        zeros = np.zeros(len(purchases))
        return np.multiply(purchases, amounts, out=zeros, where=purchases > 0)

    def _simulated_values(
        self, some: CustomerHistories, theta: Floats, phi: Floats, rng: np.random.Generator
    ) -> Floats:
        owner, when = bg_nbd.simulate_future(
            theta, self.horizon.length, some.x, some.tx, some.T, self.shift, rng
        )
        amounts = gamma_gamma.simulate_amounts(phi, owner, some.x, some.m, rng)
        values = np.bincount(owner, amounts * self.horizon.factor(when), len(some.x))
        return values.astype(np.float64, copy=False)
