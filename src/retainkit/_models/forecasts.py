"""Forecasts of customers whose histories are known, by a process of purchases: arrays only."""
# ruff: noqa: N806 - T is what the papers call it

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from retainkit._models.effects import RowCovariates
from retainkit._models.process import (
    DistinctPairs,
    History,
    PurchaseProcess,
    RowParameters,
    distinct_pairs,
)
from retainkit._typing import Booleans, Floats, Integers

PROCESSES = ("purchase", "dropout")
"""The processes that covariates can act on, in the order of their coefficients."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecasts:
    """Customers with these histories under a process, whatever its parameters.

    Everywhere `theta` are the four parameters, those of the reference, and the coefficients of the
    covariates.
    """

    process: PurchaseProcess
    history: History
    covariates: RowCovariates | None = None

    @cached_property
    def pairs(self) -> DistinctPairs:
        """The distinct pairs of x and T, on which the future of the living depends."""
        x, _, T = self.history
        return distinct_pairs(x, T, None if self.covariates is None else self.covariates.kind)

    def of_rows(self, chosen: slice | Integers | Booleans) -> Forecasts:
        """Return some of the customers."""
        x, tx, T = (one[chosen] for one in self.history)
        covariates = self.covariates.of_rows(chosen) if self.covariates else None
        return replace(self, history=(x, tx, T), covariates=covariates)

    def parameters(self, theta: Floats) -> RowParameters:
        """Return the four parameters, of all customers or of each of them."""
        four = tuple(theta[:4].tolist())
        if self.covariates is None:
            return four
        found = adjusted_parameters(self.process, theta, self.covariates)
        kind = self.covariates.kind
        return tuple(one[kind] if isinstance(one, np.ndarray) else one for one in found)

    def alive(self, theta: Floats, ahead: float = 0.0) -> Floats:
        """Return the probability that each has not left, and will not within a time ahead."""
        return self.process.chance_alive(self.parameters(theta), self.history, ahead)

    def purchases(self, theta: Floats, t: float) -> Floats:
        """Return the expected purchases within t."""
        parameters = self.parameters(theta)
        return self.process.mean_purchases(parameters, t, self.history, self.pairs)

    def discounted(self, theta: Floats, rate: float, t: float) -> Floats:
        """Return the expected purchases within t, each discounted to now."""
        parameters = self.parameters(theta)
        return self.process.discounted_purchases(parameters, rate, t, self.history, self.pairs)

    def mean_square(self, theta: Floats, rate: float, t: float) -> tuple[Floats, Floats]:
        """Return the mean sums over pairs of discounted purchases, and over each with itself."""
        parameters = self.parameters(theta)
        return self.process.mean_square(parameters, rate, t, self.history, self.pairs)

    def probability_purchase(self, theta: Floats, t: float | Floats) -> Floats:
        """Return the probability of a purchase within t."""
        return self.process.probability_purchase(self.parameters(theta), t, self.history)

    def time_to_purchase(self, theta: Floats, q: float) -> Floats:
        """Return the time by which that probability reaches q; NaN where it never does."""
        return self.process.time_to_purchase(self.parameters(theta), q, self.history)

    def simulate(
        self, theta: Floats, t: float, rng: np.random.Generator
    ) -> tuple[Integers, Floats]:
        """Draw purchases within t: the place of the customer of each, and its time from now."""
        return self.process.simulate_future(self.parameters(theta), t, self.history, rng)


def adjusted_parameters(
    process: PurchaseProcess, theta: Floats, covariates: RowCovariates
) -> RowParameters:
    """Return the four parameters of each kind of customers; a number where all have the same."""
    added: list[float | Floats] = []
    end = 4
    for name in PROCESSES:
        columns = covariates.columns[name]
        first, end = end, end + len(columns.names)
        added.append(columns.sums(theta[first:end]) if columns.names else 0.0)
    return process.adjusted(tuple(theta[:4].tolist()), *added)


def parameters_of_one(
    process: PurchaseProcess, theta: Floats, covariates: RowCovariates | None
) -> RowParameters:
    """Return the four parameters of one customer, by default of the reference."""
    if covariates is None:
        return tuple(theta[:4].tolist())
    found = adjusted_parameters(process, theta, covariates)
    return tuple(float(np.ravel(one)[0]) for one in found)
