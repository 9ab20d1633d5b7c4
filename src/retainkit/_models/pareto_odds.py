"""The odds of having left under Pareto/NBD, and their derivatives, on arrays.

They are an integral over the time u of leaving, from the last purchase to T, of

    exp(l(u)) = s / (beta + u) ((beta + T) / (beta + u))^s ((alpha + T) / (alpha + u))^(r + x).
"""
# ruff: noqa: N806 - T is what the papers call it

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from retainkit._models.process import History, RowParameters
from retainkit._models.race import Race
from retainkit._models.rows import RowDerivatives
from retainkit._typing import Floats

_PAIRS = tuple(combinations_with_replacement(range(4), 2))


def log_odds(params: RowParameters, history: History) -> Floats:
    """Log odds of having left by T, -inf where the last purchase was at T."""
    race = _race_since_last(params, history)
    with np.errstate(divide="ignore"):
        odds: Floats = race.end + np.log(race.reach * race.mean(race.leaves))
    return odds


def odds_of_having_left(params: RowParameters, history: History) -> RowDerivatives:
    """Log odds of having left, with derivatives by the logarithms of the parameters.

    The gradient is the mean of l', and the Hessian the mean of l'' and the covariance of l', over
    what is known of the time of leaving.
    """
    race = _race_since_last(params, history)
    shape = race.end.shape
    total, slopes, bends = np.zeros(shape), np.zeros((4, *shape)), np.zeros((3, *shape))
    products = np.zeros((len(_PAIRS), *shape))
    for time, weight in race.nodes():
        share = weight * race.leaves(time)
        at = _at_time(params, history, time)
        total += share
        weighted = [share * one for one in at.first]
        for i, one in enumerate(weighted):
            slopes[i] += one
        for place, (i, j) in enumerate(_PAIRS):
            products[place] += weighted[i] * at.first[j]
        for i, one in enumerate(at.bends):
            bends[i] += share * one
    slopes, bends, products = slopes / total, bends / total, products / total
    second = {
        (i, j): products[place] - slopes[i] * slopes[j] for place, (i, j) in enumerate(_PAIRS)
    }
    r, x = params[0], history[0]
    for pair, bend in (
        ((0, 0), slopes[0]),
        ((0, 1), r * slopes[1] / (r + x)),
        ((1, 1), bends[0]),
        ((2, 2), slopes[2] - 1),
        ((2, 3), bends[1]),
        ((3, 3), bends[2]),
    ):
        second[pair] = second[pair] + bend
    with np.errstate(divide="ignore"):
        value = race.end + np.log(race.reach * total)
    return RowDerivatives(value=value, first=tuple(slopes), second=second)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LeavingAt:
    """The derivatives of l at a time of leaving.

    `bends` are those by log alpha twice, by log s and log beta, and by log beta twice; the others
    follow from the first ones.
    """

    first: tuple[Floats, Floats, Floats, Floats]
    bends: tuple[Floats, Floats, Floats]


def _at_time(params: RowParameters, history: History, time: Floats) -> _LeavingAt:
    """Return the derivatives of l at a time since the last purchase."""
    r, alpha, s, beta = params
    x, tx, T = history
    since, rest = tx + time, T - tx - time
    at_alpha, at_beta = 1 / (alpha + since), 1 / (beta + since)
    alpha_T, beta_T = alpha / (alpha + T), beta / (beta + T)
    own_alpha, own_beta = alpha * at_alpha, beta * at_beta
    # The differences of alpha / (alpha + T) and alpha / (alpha + u), without subtracting them.
    by_alpha, by_beta = -alpha_T * rest * at_alpha, -beta_T * rest * at_beta
    return _LeavingAt(
        first=(
            r * np.log1p(rest * at_alpha),
            (r + x) * by_alpha,
            1 + s * np.log1p(rest * at_beta),
            s * by_beta - own_beta,
        ),
        bends=(
            (r + x) * by_alpha * (1 - alpha_T - own_alpha),
            s * by_beta,
            s * by_beta * (1 - beta_T - own_beta) - own_beta * (1 - own_beta),
        ),
    )


def _race_since_last(params: RowParameters, history: History) -> Race:
    """Return the race from the last purchase until T."""
    r, alpha, s, beta = params
    x, tx, T = history
    return Race(A=r + x, a=alpha + tx, s=s, b=beta + tx, t=T - tx)
