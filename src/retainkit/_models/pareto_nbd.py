"""Pareto/NBD on arrays.

A living customer buys as a Poisson process of rate lambda ~ Gamma(r, rate alpha), and leaves at an
exponential time of rate mu ~ Gamma(s, rate beta), whether or not there is a purchase: Schmittlein,
Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They Do Next?".

Everywhere `params` are (r, alpha, s, beta), `x` is the number of repeat purchases (whole), `tx` the
time of the last one (0 if there is none) and `T` the time observed. The published formulas are
differences of hypergeometric functions, which are 0 / 0 where tx is near T; the integrals that they
come from are positive, and taken here.
"""
# ruff: noqa: N803, N806 - T is what the papers call it

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from retainkit._models.lomax import discounted_time, mean_discounted_pairs
from retainkit._models.pareto_counts import count_probabilities
from retainkit._models.pareto_odds import log_odds, odds_of_having_left
from retainkit._models.process import DistinctPairs, History, PurchaseProcess, RowParameters
from retainkit._models.race import Race
from retainkit._models.rows import RowDerivatives, RowPoints, counted
from retainkit._models.special import log_rising, rising_derivatives
from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True)
class ParetoNBDProcess(PurchaseProcess):
    """Pareto/NBD: customers leave at any time."""

    def adjusted(
        self, params: RowParameters, purchase: float | Floats, dropout: float | Floats
    ) -> RowParameters:
        """Return the parameters with what covariates add, to purchases and to leaving.

        The rate of purchase is exp(`purchase`) times as high, that of leaving exp(`dropout`) times.
        """
        r, alpha, s, beta = params
        return r, alpha * np.exp(-purchase), s, beta * np.exp(-dropout)

    def log_likelihood(self, params: RowParameters, history: History) -> Floats:
        """Log-likelihood of each customer."""
        r, alpha, s, beta = params
        x, _, T = history
        purchases = log_rising(r, x) - r * np.log1p(T / alpha) - x * np.log(alpha + T)
        shared = purchases - s * np.log1p(T / beta)
        likelihood: Floats = shared + np.logaddexp(0, log_odds(params, history))
        return likelihood

    def derivatives(self, points: RowPoints, history: History) -> RowDerivatives:
        """Log-likelihood of each customer, and its derivatives by log r, alpha, s and beta.

        The likelihood is what all customers share plus log(1 + e^o), with the log odds o of having
        left: nothing is subtracted.
        """
        x, _, T = history
        every = np.exp(points.values[0])
        bought = points.by_count(rising_derivatives, counted(x), every)
        r, alpha, s, beta = (points.by_row(np.exp(one)) for one in points.values)
        exposure, until = r * np.log1p(T / alpha), alpha + T
        lived, left = s * np.log1p(T / beta), T / (beta + T)
        shared = RowDerivatives(
            value=bought[0] - exposure - x * np.log(until) - lived,
            first=(
                bought[1] - exposure,
                (r * T - x * alpha) / until,
                -lived,
                s * left,
            ),
            second={
                (0, 0): bought[2] - exposure,
                (0, 1): r * T / until,
                (1, 1): -alpha * T * (r + x) / until**2,
                (2, 2): -lived,
                (2, 3): s * left,
                (3, 3): -s * beta * left / (beta + T),
            },
        )
        return shared.plus_log_one_plus(odds_of_having_left((r, alpha, s, beta), history))

    def chance_alive(self, params: RowParameters, history: History, ahead: float = 0.0) -> Floats:
        """Probability that a customer has not left, and will not within a time ahead."""
        _, _, s, beta = params
        alive = np.exp(-np.logaddexp(0, log_odds(params, history)))
        stays: Floats = alive * np.exp(-s * np.log1p(ahead / (beta + history[2])))
        return stays

    def mean_purchases(
        self,
        params: RowParameters,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Expected purchases in (T, T + t] of a customer with this history."""
        del pairs  # it is a closed form
        r, alpha, s, beta = params
        x, _, T = history
        alive = self.chance_alive(params, history)
        return alive * (r + x) / (alpha + T) * discounted_time(0.0, t, s, beta + T)

    def discounted_purchases(
        self,
        params: RowParameters,
        rate: float,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Like `mean_purchases`, each discounted to time T; `t` may be infinite."""
        r, alpha, s, beta = params
        x, _, T = history
        alive = self.chance_alive(params, history)
        if pairs is None:
            return alive * (r + x) / (alpha + T) * discounted_time(rate, t, s, beta + T)
        _, _, own_s, own_beta = pairs.of_rows(params)
        living = discounted_time(rate, t, own_s, own_beta + pairs.T)[pairs.code]
        return alive * (r + x) / (alpha + T) * living

    def mean_square(
        self, params: RowParameters, rate: float, t: float, history: History, pairs: DistinctPairs
    ) -> tuple[Floats, Floats]:
        """Mean sums over pairs of two purchases in (T, T + t], and over each with itself.

        Two purchases of a living customer, at s' before s, have the density lambda^2 exp(-mu s).
        """
        r, alpha, _, _ = params
        _, _, s, beta = pairs.of_rows(params)
        x, _, T = history
        alive = self.chance_alive(params, history)
        two = mean_discounted_pairs(rate, t, s, beta + pairs.T)[pairs.code]
        own = discounted_time(2 * rate, t, s, beta + pairs.T)[pairs.code]
        mean = (r + x) / (alpha + T)
        return alive * mean * (r + x + 1) / (alpha + T) * 2 * two, alive * mean * own

    def probability_purchase(
        self, params: RowParameters, t: float | Floats, history: History
    ) -> Floats:
        """Probability of a purchase in (T, T + t]: who is alive may leave before it."""
        return self.chance_alive(params, history) * _race_from(params, history, t).purchase()

    def time_to_purchase(
        self, params: RowParameters, q: float | Floats, history: History
    ) -> Floats:
        """Time after T by which the probability of a purchase reaches q; NaN where it never does.

        The inverse of `probability_purchase` in t.
        """
        with np.errstate(divide="ignore"):  # of who has left for certain no share is reached
            share = np.asarray(q / self.chance_alive(params, history), np.float64)
        race = _race_from(params, history, np.inf)
        return race.time_of_purchase(share)

    def new_customer_purchases(self, params: RowParameters, t: ArrayLike) -> Floats:
        """Expected repeat purchases in (0, t] of a customer who first buys at time 0."""
        r, alpha, s, beta = params
        return r / alpha * discounted_time(0.0, np.asarray(t, np.float64), s, beta)

    def new_customer_discounted(self, params: RowParameters, rate: float, t: ArrayLike) -> Floats:
        """Like `new_customer_purchases`, each discounted to time 0; `t` may be infinite."""
        r, alpha, s, beta = params
        living: Floats = r / alpha * discounted_time(rate, np.asarray(t, np.float64), s, beta)
        return living

    def count_probabilities(self, params: RowParameters, n: ArrayLike, t: ArrayLike) -> Floats:
        """Probability that a customer who first buys at time 0 buys n times in (0, t]."""
        return count_probabilities(params, np.asarray(n, np.float64), np.asarray(t, np.float64))

    def simulate(
        self, params: RowParameters, T: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Draw repeat purchases in (0, T] and the time of the last for customers who start at 0."""
        r, alpha, s, beta = params
        lived = np.minimum(_lifetimes(s, beta, T.shape, rng), T)
        x = rng.poisson(rng.gamma(r, 1 / alpha, T.shape) * lived).astype(np.float64)
        # The purchases of a living customer are uniform over the time of life.
        last = rng.beta(np.maximum(x, 1), 1.0)
        return x, np.where(x > 0, lived * last, 0.0)

    def simulate_future(
        self, params: RowParameters, t: float, history: History, rng: np.random.Generator
    ) -> tuple[Integers, Floats]:
        """Draw purchases in (T, T + t]: the place of the customer of each, and its time after T."""
        r, alpha, s, beta = params
        x, _, T = history
        alive = rng.random(x.shape) < self.chance_alive(params, history)
        lived = np.minimum(_lifetimes(s, beta + T, x.shape, rng), t)
        bought = np.where(alive, rng.poisson(rng.gamma(r + x) / (alpha + T) * lived), 0)
        owner = np.repeat(np.arange(x.size), bought)
        when = lived[owner] * rng.random(len(owner))
        return owner, when[np.lexsort((when, owner))]


PARETO_NBD = ParetoNBDProcess()


def _race_from(params: RowParameters, history: History, t: float | Floats) -> Race:
    """Return the race of living customers from T on."""
    r, alpha, s, beta = params
    x, _, T = history
    return Race(A=r + x, a=alpha + T, s=s, b=beta + T, t=t)


def _lifetimes(
    s: float | Floats, beta: float | Floats, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """Draw times of leaving."""
    # A tiny s gives a rate of 0, with which nobody ever leaves.
    with np.errstate(divide="ignore", over="ignore"):
        times: Floats = rng.exponential(size=shape) * beta / rng.gamma(s, size=shape)
    return times
