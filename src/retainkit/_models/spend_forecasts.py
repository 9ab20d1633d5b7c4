"""Forecasts of the spend of customers whose purchases are known: arrays only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retainkit._models import gamma_gamma
from retainkit._models.effects import RowCovariates
from retainkit._models.gamma_gamma import SpendParameters
from retainkit._typing import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpendForecasts:
    """Customers with x purchases of m on average, whatever the parameters: without any, m is none.

    Everywhere `phi` are p, q and v, that of the reference, and the coefficients of the covariates.
    """

    x: Floats
    m: Floats
    covariates: RowCovariates | None = None

    def of_rows(self, chosen: slice | Integers | Booleans) -> SpendForecasts:
        """Return some of the customers."""
        covariates = self.covariates.of_rows(chosen) if self.covariates else None
        return replace(self, x=self.x[chosen], m=self.m[chosen], covariates=covariates)

    def parameters(self, phi: Floats) -> SpendParameters:
        """Return p, q and v, of all customers or of each of them."""
        p, q, v = phi[:3].tolist()
        if self.covariates is None:
            return p, q, v
        return p, q, v * np.exp(self.added(phi))

    def added(self, phi: Floats) -> Floats:
        """Return what the covariates of each customer add to the logarithm of v."""
        if self.covariates is None:
            return np.zeros(len(self.x))
        return self.covariates.columns["spend"].sums(phi[3:])[self.covariates.kind]

    def expected(self, phi: Floats) -> Floats:
        """Return the expected spend at each purchase; it may be infinite."""
        return gamma_gamma.expected_spend(self.parameters(phi), self.x, self.m)

    def median(self, phi: Floats) -> Floats:
        """Return the median of the customer's mean spend, which is always finite."""
        return gamma_gamma.median_spend(self.parameters(phi), self.x, self.m)

    def mean_squares(self, phi: Floats) -> tuple[Floats, Floats]:
        """Return the mean product of two further amounts, and the mean square of one."""
        return gamma_gamma.mean_squares(self.parameters(phi), self.x, self.m)

    def simulate_amounts(self, phi: Floats, owner: Integers, rng: np.random.Generator) -> Floats:
        """Draw the amount of each further purchase; `owner` is the place of its customer."""
        return gamma_gamma.simulate_amounts(self.parameters(phi), owner, self.x, self.m, rng)
