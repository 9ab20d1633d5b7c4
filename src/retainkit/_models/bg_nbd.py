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

from retainkit._models.rows import RowDerivatives, counted, rows_of_points, rows_of_table
from retainkit._models.second_moments import mean_square_if_alive
from retainkit._models.special import (
    discounted_purchases_if_alive,
    log_rising,
    log_rising_ratio,
    purchases_if_alive,
    rising_derivatives,
)
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import betainc, xlogy


def log_likelihood(
    params: ArrayLike, x: ArrayLike, tx: ArrayLike, T: ArrayLike, shift: int
) -> Floats:
    """Log-likelihood of each customer."""
    x, tx, T = _arrays(x, tx, T)
    return _log_likelihood(params, x, T, shift, _log_alive(params, x, tx, T, shift))


def derivatives(
    log_params: Floats, search: Integers | None, x: Floats, tx: Floats, T: Floats, shift: int
) -> RowDerivatives:
    """Log-likelihood of each customer, and its derivatives by four logarithms.

    These are log r, log alpha, log(a / b) and log(a + b), the columns of `log_params` (S, 4), of
    which each customer has the row `search`, or all of them if that is None. The likelihood is what
    all customers share plus log(1 + e^o), with the log odds o of having left at the last chance:
    nothing is subtracted.
    """
    r, alpha = np.exp(log_params[:, 0]), np.exp(log_params[:, 1])
    share, both = 1 / (1 + np.exp(-log_params[:, 2])), np.exp(log_params[:, 3])
    b = both / (1 + np.exp(log_params[:, 2]))
    counts, number = counted(x)
    chances = counts + shift
    survival = log_rising_ratio(b[:, None], (share * both)[:, None], chances)
    stays, could = rising_derivatives(b, chances), rising_derivatives(both, chances)
    buys = rising_derivatives(r, counts)
    tables = (*buys, survival, stays[1], stays[2], stays[1] - could[1], stays[2] - could[2])
    bought, bought_first, bought_second, surviving, stayed, stayed_second, by_sum, by_sum_second = (
        rows_of_table(one, search, number) for one in tables
    )
    r, alpha, s, b = (rows_of_points(one, search) for one in (r, alpha, share, b))

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
    return shared.plus_log_one_plus(_odds_of_having_left(r, alpha, s, b, x, tx, T, shift))


def _odds_of_having_left(
    r: Floats,
    alpha: Floats,
    s: Floats,
    b: Floats,
    x: Floats,
    tx: Floats,
    T: Floats,
    shift: int,
) -> RowDerivatives:
    """Log odds of having dropped out at the last chance, with derivatives; s is a / (a + b)."""
    q = b / _at_last_chance(b, x + shift)
    unseen = np.log1p((T - tx) / (alpha + tx))
    # The difference of alpha / (alpha + T) and alpha / (alpha + tx), without subtracting them.
    fall = -alpha * (T - tx) / ((alpha + T) * (alpha + tx))
    return RowDerivatives(
        value=_log_odds(r, alpha, b * s / (1 - s), b, x, tx, T, shift),
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


def _log_likelihood(
    params: ArrayLike, x: Floats, T: Floats, shift: int, log_alive: Floats
) -> Floats:
    # Gamma(r + x) alpha^r / Gamma(r) / (alpha + T)^(r + x) * B(a, b + k) / B(a, b) / P(alive)
    r, alpha, a, b = _four(params)
    purchases = log_rising(r, x) - r * np.log1p(T / alpha) - x * np.log(alpha + T)
    return purchases + log_rising_ratio(b, a, x + shift) - log_alive


def probability_alive(
    params: ArrayLike, x: ArrayLike, tx: ArrayLike, T: ArrayLike, shift: int
) -> Floats:
    """Probability that a customer has not dropped out."""
    x, tx, T = _arrays(x, tx, T)
    return np.exp(_log_alive(params, x, tx, T, shift))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistinctPairs:
    """The distinct pairs of x and T among histories, and the pair of each history.

    A living customer's future depends on them alone, and there are far fewer of them.
    """

    x: Floats
    T: Floats
    code: Integers


def distinct_pairs(x: Floats, T: Floats) -> DistinctPairs:
    """Find the distinct pairs of x and T."""
    counts, by_x = np.unique(x, return_inverse=True)
    spans, by_T = np.unique(T, return_inverse=True)
    found, code = np.unique(by_x * len(spans) + by_T, return_inverse=True)
    by_x, by_T = np.divmod(found, max(len(spans), 1))
    return DistinctPairs(x=counts[by_x], T=spans[by_T], code=code)


def expected_purchases(
    params: ArrayLike,
    t: ArrayLike,
    x: ArrayLike,
    tx: ArrayLike,
    T: ArrayLike,
    shift: int,
    pairs: DistinctPairs | None = None,
) -> Floats:
    """Expected purchases in (T, T + t] of a customer with this history.

    `pairs` are those of x and T, where there are many histories and one t.
    """
    t, x, tx, T = _arrays(t, x, tx, T)
    alive = probability_alive(params, x, tx, T, shift)
    if pairs is None:
        return alive * purchases_if_alive(t, *_if_alive(params, x, T, shift))
    return alive * purchases_if_alive(t, *_if_alive(params, pairs.x, pairs.T, shift))[pairs.code]


def discounted_purchases(
    params: ArrayLike,
    rate: ArrayLike,
    t: ArrayLike,
    x: ArrayLike,
    tx: ArrayLike,
    T: ArrayLike,
    shift: int,
    pairs: DistinctPairs | None = None,
) -> Floats:
    """Like `expected_purchases`, each discounted to time T; `t` may be infinite."""
    rate, t, x, tx, T = _arrays(rate, t, x, tx, T)
    alive = probability_alive(params, x, tx, T, shift)
    if pairs is None:
        return alive * discounted_purchases_if_alive(rate, t, *_if_alive(params, x, T, shift))
    living = discounted_purchases_if_alive(rate, t, *_if_alive(params, pairs.x, pairs.T, shift))
    return alive * living[pairs.code]


def mean_square(
    params: ArrayLike,
    rate: float,
    t: float,
    history: tuple[Floats, Floats, Floats],
    shift: int,
    pairs: DistinctPairs,
) -> tuple[Floats, Floats]:
    """Return the mean sums over pairs of two purchases in (T, T + t], and over each with itself.

    `history` is x, tx and T, and `pairs` are those of x and T. Both are discounted at `rate`, and
    add up to the mean square of the discounted purchases.
    """
    alive = probability_alive(params, *history, shift)
    two, own = mean_square_if_alive(rate, t, *_if_alive(params, pairs.x, pairs.T, shift))
    return alive * two[pairs.code], alive * own[pairs.code]


def _if_alive(
    params: ArrayLike, x: Floats, T: Floats, shift: int
) -> tuple[Floats, Floats, float, Floats]:
    """Parameters of the future of living customers with x purchases by the time T."""
    r, alpha, a, b = _four(params)
    return r + x, alpha + T, a, b + x + shift


def probability_purchase(
    params: ArrayLike, t: ArrayLike, x: ArrayLike, tx: ArrayLike, T: ArrayLike, shift: int
) -> Floats:
    """Probability of a purchase in (T, T + t] of a customer with this history.

    Who is alive cannot drop out before buying again. So it is P(alive) times the probability that
    a Poisson process whose rate is Gamma(r + x, rate alpha + T) has an event by the time t.
    """
    r, alpha, _, _ = _four(params)
    t, x, tx, T = _arrays(t, x, tx, T)
    alive = probability_alive(params, x, tx, T, shift)
    buys: Floats = -np.expm1(-(r + x) * np.log1p(t / (alpha + T)))
    return alive * buys


def time_to_purchase(
    params: ArrayLike, q: ArrayLike, x: ArrayLike, tx: ArrayLike, T: ArrayLike, shift: int
) -> Floats:
    """Time after T by which the probability of a purchase reaches q; NaN where it never does.

    The inverse of `probability_purchase` in t. It is infinite where no float is so large.
    """
    r, alpha, _, _ = _four(params)
    q, x, tx, T = _arrays(q, x, tx, T)
    share = q / probability_alive(params, x, tx, T, shift)
    reached = share < 1
    with np.errstate(over="ignore"):
        time = (alpha + T) * np.expm1(-np.log1p(-np.where(reached, share, 0.0)) / (r + x))
    return np.where(reached, time, np.nan)


def new_customer_purchases(params: ArrayLike, t: ArrayLike, shift: int) -> Floats:
    """Expected repeat purchases in (0, t] of a customer who first buys at time 0."""
    r, alpha, a, b = _four(params)
    stays = b / (a + b) if shift else 1.0
    return stays * purchases_if_alive(t, r, alpha, a, b + shift)


def purchase_probabilities(params: ArrayLike, n: ArrayLike, t: ArrayLike, shift: int) -> Floats:
    """Probability that a customer who first buys at time 0 buys n times in (0, t]."""
    r, alpha, a, b = _four(params)
    n, t = np.broadcast_arrays(*_arrays(n, t))
    k = n + shift
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
    params: ArrayLike, T: ArrayLike, shift: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw repeat purchases in (0, T] and the time of the last for customers who start at 0."""
    r, alpha, a, b = _four(params)
    (T,) = _arrays(T)
    purchases = rng.poisson(rng.gamma(r, 1 / alpha, T.shape) * T).astype(np.float64)
    x = np.minimum(purchases, _until_dropout(rng.beta(a, b, T.shape), rng) - shift)
    # The purchases of a living customer are uniform over (0, T), so the x-th of N is Beta.
    last = rng.beta(np.maximum(x, 1), purchases - x + 1)
    return x, np.where(x > 0, T * last, 0.0)


def simulate_future(
    params: ArrayLike,
    t: float,
    x: ArrayLike,
    tx: ArrayLike,
    T: ArrayLike,
    shift: int,
    rng: np.random.Generator,
) -> tuple[Integers, Floats]:
    """Draw purchases in (T, T + t] of customers with these histories.

    Returns the customer of each purchase, as a position, and its time after T.
    """
    r, alpha, a, b = _four(params)
    x, tx, T = np.broadcast_arrays(*_arrays(x, tx, T))
    alive = rng.random(x.shape) < probability_alive(params, x, tx, T, shift)
    living = np.where(alive, rng.poisson(rng.gamma(r + x) / (alpha + T) * t), 0)
    bought = np.minimum(living, _until_dropout(rng.beta(a, b + x + shift), rng))
    # The purchases of a living customer are uniform over (0, t]; the first of them are made.
    owner = np.repeat(np.arange(x.size), living)
    when = t * rng.random(len(owner))
    order = np.lexsort((when, owner))
    place = np.arange(len(owner)) - np.repeat(np.cumsum(living) - living, living)
    made = place < bought[owner]
    return owner[made], when[order][made]


def _until_dropout(p: Floats, rng: np.random.Generator) -> Floats:
    """Draw the number of chances at the last of which a customer drops out: geometric."""
    # Not rng.geometric: a tiny `a` gives p = 0, with which nobody ever drops out.
    with np.errstate(divide="ignore", over="ignore"):
        return 1 + np.floor(rng.exponential(size=p.shape) / -np.log1p(-p))


def _log_alive(params: ArrayLike, x: Floats, tx: Floats, T: Floats, shift: int) -> Floats:
    """Log of the probability of not having dropped out."""
    r, alpha, a, b = _four(params)
    return -np.logaddexp(0, _log_odds(r, alpha, a, b, x, tx, T, shift))


def _log_odds(
    r: float | Floats,
    alpha: float | Floats,
    a: float | Floats,
    b: float | Floats,
    x: Floats,
    tx: Floats,
    T: Floats,
    shift: int,
) -> Floats:
    """Log odds of having dropped out at the last chance, -inf where there was none."""
    k = x + shift
    odds = np.log(a / _at_last_chance(b, k)) + (r + x) * np.log1p((T - tx) / (alpha + tx))
    return np.where(k > 0, odds, -np.inf)


def _at_last_chance(b: float | Floats, k: Floats) -> Floats:
    """Return b + k - 1, or b where k is 0 (those values are masked by the caller)."""
    return b + np.maximum(k - 1, 0)


def _four(params: ArrayLike) -> tuple[float, float, float, float]:
    r, alpha, a, b = map(float, np.asarray(params, np.float64))
    return r, alpha, a, b


def _arrays(*values: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.asarray(value, np.float64) for value in values)
