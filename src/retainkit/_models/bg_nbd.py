"""BG/NBD and MBG/NBD on arrays.

A living customer buys as a Poisson process of rate lambda ~ Gamma(r, rate alpha), and after each
purchase drops out with probability p ~ Beta(a, b). The two models differ in one thing, `shift`:
whether that can happen at the first purchase, at time 0, too (1, MBG/NBD: Batislam, Denizel &
Filiztekin 2007) or not (0, BG/NBD: Fader, Hardie & Lee 2005). So a customer with x repeat
purchases has survived k = x + shift chances to drop out, or all but the last.

Everywhere `params` are (r, alpha, a, b), `x` is the number of repeat purchases (whole), `tx` the
time of the last one (0 if there is none) and `T` the time observed.
"""
# ruff: noqa: N803, N806, PLR0917 - T is what the papers call it, and histories are x, tx, T

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from retainkit._models.process import DistinctPairs, History, PurchaseProcess, RowParameters
from retainkit._models.rows import RowDerivatives, RowPoints, counted
from retainkit._models.second_moments import mean_square_if_alive
from retainkit._models.special import (
    discounted_purchases_if_alive,
    log_rising,
    log_rising_ratio,
    purchases_if_alive,
    rising_derivatives,
    stays_if_alive,
)
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import betainc, xlogy


@dataclass(frozen=True, slots=True)
class BetaGeometric(PurchaseProcess):
    """BG/NBD (`shift` 0) or MBG/NBD (1)."""

    shift: int

    def adjusted(
        self, params: RowParameters, purchase: float | Floats, dropout: float | Floats
    ) -> RowParameters:
        """Return the parameters with what covariates add, to purchases and to leaving.

        The rate of purchase is exp(`purchase`) times as high, and so are with `dropout` the odds of
        the mean chance to drop out; a + b stays.
        """
        r, alpha, a, b = params
        both = a + b
        odds = a / b * np.exp(dropout)
        return r, alpha * np.exp(-purchase), both * odds / (1 + odds), both / (1 + odds)

    def log_likelihood(self, params: RowParameters, history: History) -> Floats:
        """Log-likelihood of each customer."""
        # Gamma(r + x) alpha^r / Gamma(r) / (alpha + T)^(r + x) * B(a, b + k) / B(a, b) / P(alive)
        r, alpha, a, b = params
        x, _, T = history
        purchases = log_rising(r, x) - r * np.log1p(T / alpha) - x * np.log(alpha + T)
        survival = log_rising_ratio(b, a, x + self.shift)
        return purchases + survival - self._log_alive(params, history)

    def derivatives(self, points: RowPoints, history: History) -> RowDerivatives:
        """Log-likelihood of each customer, and its derivatives by four logarithms.

        These are log r, log alpha, log(a / b) and log(a + b). The likelihood is what all customers
        share plus log(1 + e^o), with the log odds o of having left at the last chance: nothing is
        subtracted.
        """
        x, T = history[0], history[2]
        log_r, log_alpha, logit, log_sum = points.values
        every = np.exp(log_r)
        share, both = 1 / (1 + np.exp(-logit)), np.exp(log_sum)
        stay = both / (1 + np.exp(logit))
        counts, place = counted(x)
        chances = counts + self.shift, place
        bought, bought_first, bought_second = points.by_count(
            rising_derivatives, (counts, place), every
        )
        surviving, stayed, stayed_second, by_sum, by_sum_second = points.by_count(
            _survival, chances, share * both, stay, both
        )
        r, alpha, s, b = map(points.by_row, (every, np.exp(log_alpha), share, stay))

        exposure, until = r * np.log1p(T / alpha), alpha + T
        shared = RowDerivatives(
            value=bought - exposure - x * np.log(until) + surviving,
            first=(
                bought_first - exposure,
                (r * T - x * alpha) / until,
                -s * stayed,
                by_sum,
            ),
            second={
                (0, 0): bought_second - exposure,
                (0, 1): r * T / until,
                (1, 1): -alpha * T * (r + x) / until**2,
                (2, 2): s * (s * stayed_second - (1 - s) * stayed),
                (2, 3): -s * stayed_second,
                (3, 3): by_sum_second,
            },
        )
        return shared.plus_log_one_plus(_odds_of_having_left(r, alpha, s, b, history, self.shift))

    def chance_alive(self, params: RowParameters, history: History, ahead: float = 0.0) -> Floats:
        """Probability that a customer has not dropped out, and will not within a time ahead."""
        alive = np.exp(self._log_alive(params, history))
        if ahead == 0:
            return alive
        x, _, T = history
        return alive * stays_if_alive(ahead, *self._if_alive(params, x, T))

    def mean_purchases(
        self,
        params: RowParameters,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Expected purchases in (T, T + t] of a customer with this history.

        `pairs` are those of x and T, where there are many histories and one t.
        """
        alive = self.chance_alive(params, history)
        if pairs is None:
            return alive * purchases_if_alive(t, *self._if_alive(params, history[0], history[2]))
        return alive * purchases_if_alive(t, *self._of_pairs(params, pairs))[pairs.code]

    def discounted_purchases(
        self,
        params: RowParameters,
        rate: float,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Like `mean_purchases`, each discounted to time T; `t` may be infinite."""
        alive = self.chance_alive(params, history)
        if pairs is None:
            future = self._if_alive(params, history[0], history[2])
            return alive * discounted_purchases_if_alive(rate, t, *future)
        living = discounted_purchases_if_alive(rate, t, *self._of_pairs(params, pairs))
        return alive * living[pairs.code]

    def mean_square(
        self, params: RowParameters, rate: float, t: float, history: History, pairs: DistinctPairs
    ) -> tuple[Floats, Floats]:
        """Mean sums over pairs of two purchases in (T, T + t], and over each with itself."""
        alive = self.chance_alive(params, history)
        two, own = mean_square_if_alive(rate, t, *self._of_pairs(params, pairs))
        return alive * two[pairs.code], alive * own[pairs.code]

    def probability_purchase(
        self, params: RowParameters, t: float | Floats, history: History
    ) -> Floats:
        """Probability of a purchase in (T, T + t] of a customer with this history.

        Who is alive cannot drop out before buying again. So it is P(alive) times the probability
        that a Poisson process of a rate ~ Gamma(r + x, rate alpha + T) has an event by the time t.
        """
        r, alpha, _, _ = params
        x, _, T = history
        alive = self.chance_alive(params, history)
        buys: Floats = -np.expm1(-(r + x) * np.log1p(t / (alpha + T)))
        return alive * buys

    def time_to_purchase(
        self, params: RowParameters, q: float | Floats, history: History
    ) -> Floats:
        """Time after T by which the probability of a purchase reaches q; NaN where it never does.

        The inverse of `probability_purchase` in t. It is infinite where no float is so large.
        """
        r, alpha, _, _ = params
        x, _, T = history
        with np.errstate(divide="ignore"):  # of who has left for certain no share is reached
            share = q / self.chance_alive(params, history)
        reached = share < 1
        with np.errstate(over="ignore"):
            time = (alpha + T) * np.expm1(-np.log1p(-np.where(reached, share, 0.0)) / (r + x))
        return np.where(reached, time, np.nan)

    def new_customer_purchases(self, params: RowParameters, t: ArrayLike) -> Floats:
        """Expected repeat purchases in (0, t] of a customer who first buys at time 0."""
        r, alpha, a, b = params
        stays = b / (a + b) if self.shift else 1.0
        return stays * purchases_if_alive(t, r, alpha, a, b + self.shift)

    def new_customer_discounted(self, params: RowParameters, rate: float, t: ArrayLike) -> Floats:
        """Like `new_customer_purchases`, each discounted to time 0; `t` may be infinite."""
        r, alpha, a, b = params
        stays = b / (a + b) if self.shift else 1.0
        return stays * discounted_purchases_if_alive(rate, t, r, alpha, a, b + self.shift)

    def count_probabilities(self, params: RowParameters, n: ArrayLike, t: ArrayLike) -> Floats:
        """Probability that a customer who first buys at time 0 buys n times in (0, t]."""
        r, alpha, a, b = params
        n, t = np.broadcast_arrays(np.asarray(n, np.float64), np.asarray(t, np.float64))
        k = n + self.shift
        survives = np.exp(log_rising_ratio(b, a, k))  # B(a, b + k) / B(a, b)
        # All n survived: n of a negative binomial number, with w = t / (alpha + t).
        ways = log_rising(r, n) - log_rising(1, n)
        exactly = np.exp(ways - r * np.log1p(t / alpha) + xlogy(n, t / (alpha + t)))
        # Dropped out at the last one: n or more of it.
        at_least = np.where(n > 0, betainc(np.maximum(n, 1), r, t / (alpha + t)), 1.0)
        drops_out = np.where(k > 0, a / _at_last_chance(b, k), 0.0)
        probability: Floats = survives * (exactly + drops_out * at_least)
        return probability

    def simulate(
        self, params: RowParameters, T: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Draw repeat purchases in (0, T] and the time of the last for customers who start at 0."""
        r, alpha, a, b = params
        purchases = rng.poisson(rng.gamma(r, 1 / alpha, T.shape) * T).astype(np.float64)
        chances = _until_dropout(rng.beta(a, b, T.shape), rng)
        x = np.minimum(purchases, chances - self.shift)
        # The purchases of a living customer are uniform over (0, T), so the x-th of N is Beta.
        last = rng.beta(np.maximum(x, 1), purchases - x + 1)
        return x, np.where(x > 0, T * last, 0.0)

    def simulate_future(
        self, params: RowParameters, t: float, history: History, rng: np.random.Generator
    ) -> tuple[Integers, Floats]:
        """Draw purchases in (T, T + t] of customers with these histories.

        Returns the customer of each purchase, as a position, and its time after T.
        """
        r, alpha, a, b = params
        x, _, T = history
        alive = rng.random(x.shape) < self.chance_alive(params, history)
        living = np.where(alive, rng.poisson(rng.gamma(r + x) / (alpha + T) * t), 0)
        bought = np.minimum(living, _until_dropout(rng.beta(a, b + x + self.shift), rng))
        # The purchases of a living customer are uniform over (0, t]; the first of them are made.
        owner = np.repeat(np.arange(x.size), living)
        when = t * rng.random(len(owner))
        order = np.lexsort((when, owner))
        place = np.arange(len(owner)) - np.repeat(np.cumsum(living) - living, living)
        made = place < bought[owner]
        return owner[made], when[order][made]

    def _log_alive(self, params: RowParameters, history: History) -> Floats:
        """Log of the probability of not having dropped out."""
        return -np.logaddexp(0, _log_odds(params, history, self.shift))

    def _if_alive(self, params: RowParameters, x: Floats, T: Floats) -> RowParameters:
        """Parameters of the future of living customers with x purchases by the time T."""
        r, alpha, a, b = params
        return r + x, alpha + T, a, b + x + self.shift

    def _of_pairs(self, params: RowParameters, pairs: DistinctPairs) -> RowParameters:
        return self._if_alive(pairs.of_rows(params), pairs.x, pairs.T)


BG_NBD, MBG_NBD = BetaGeometric(0), BetaGeometric(1)


def _survival(a: Floats, b: Floats, both: Floats, chances: Floats) -> tuple[Floats, ...]:
    """Log of the chance to survive so many, and what its derivatives are made of.

    These are those of the rising factorial of b, by log b, and of the whole by log(a + b).
    """
    _, stayed, stayed_second = rising_derivatives(b, chances)
    _, could, could_second = rising_derivatives(both, chances)
    by_sum = stayed - could, stayed_second - could_second
    return log_rising_ratio(b, a, chances), stayed, stayed_second, *by_sum


def _odds_of_having_left(
    r: Floats, alpha: Floats, s: Floats, b: Floats, history: History, shift: int
) -> RowDerivatives:
    """Log odds of having dropped out at the last chance, with derivatives; s is a / (a + b)."""
    x, tx, T = history
    q = b / _at_last_chance(b, x + shift)
    unseen = np.log1p((T - tx) / (alpha + tx))
    # The difference of alpha / (alpha + T) and alpha / (alpha + tx), without subtracting them.
    fall = -alpha * (T - tx) / ((alpha + T) * (alpha + tx))
    return RowDerivatives(
        value=_log_odds((r, alpha, b * s / (1 - s), b), history, shift),
        first=(r * unseen, (r + x) * fall, 1 - s + s * q, 1 - q),
        second={
            (0, 0): r * unseen,
            (0, 1): r * fall,
            (1, 1): (r + x) * fall * (1 - alpha / (alpha + T) - alpha / (alpha + tx)),
            (2, 2): s * ((1 - 2 * s) * q + s * q**2 - (1 - s)),
            (2, 3): s * q * (1 - q),
            (3, 3): -q * (1 - q),
        },
    )


def _until_dropout(p: Floats, rng: np.random.Generator) -> Floats:
    """Draw the number of chances at the last of which a customer drops out: geometric."""
    # Not rng.geometric: a tiny `a` gives p = 0, with which nobody ever drops out.
    with np.errstate(divide="ignore", over="ignore"):
        return 1 + np.floor(rng.exponential(size=p.shape) / -np.log1p(-p))


def _log_odds(params: RowParameters, history: History, shift: int) -> Floats:
    """Log odds of having dropped out at the last chance, -inf where there was none."""
    r, alpha, a, b = params
    x, tx, T = history
    k = x + shift
    odds = np.log(a / _at_last_chance(b, k)) + (r + x) * np.log1p((T - tx) / (alpha + tx))
    return np.where(k > 0, odds, -np.inf)


def _at_last_chance(b: float | Floats, k: Floats) -> Floats:
    """Return b + k - 1, or b where k is 0 (those values are masked by the caller)."""
    return b + np.maximum(k - 1, 0)
