"""Intervals of one Net Promoter Score: arrays in, arrays out.

With shares p of promoters and d of detractors among n answers, the score is p - d, and the limits
are in shares too, from -1 to 1. Arrays broadcast, counts and n may be fractional (effective sizes),
and where n is 0 everything is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from retainkit._stats.intervals import normal_quantile, ratio
from retainkit._typing import Floats

STEPS = 56  # halvings of at most 2: the limits are exact to the last digit of numbers around 1


def variance(promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike) -> Floats:
    """Variance of one answer that counts as 1, 0 or -1: p + d - (p - d)².

    Computed as a sum of terms that are never negative, so that rounding cannot make it negative.
    """
    p, d = ratio(promoters, n), ratio(detractors, n)
    return np.maximum(p * (1 - p) + d * (1 - d) + 2 * p * d, 0)


def standard_error(promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike) -> Floats:
    """Standard error of the score, that of the difference of two multinomial shares."""
    return np.sqrt(ratio(variance(promoters, detractors, n), n))


def wald_limits(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, level: float
) -> tuple[Floats, Floats]:
    """Limits z standard errors below and above the score.

    Offered for comparison with others who use it: with few answers, or nearly unanimous ones, it
    covers the truth far too seldom, and with unanimous ones it has no width.
    """
    score = ratio(np.subtract(promoters, detractors), n)
    half = normal_quantile(level) * standard_error(promoters, detractors, n)
    return np.maximum(score - half, -1), np.minimum(score + half, 1)


def adjusted_wald_limits(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, level: float, added: float = 3.0
) -> tuple[Floats, Floats]:
    """Wald's limits with pseudo-answers added: a quarter to each end, half to the passives.

    `added` = 3 is what MeasuringU and the R package NPS use; 2 is Agresti & Min (2005), Stat. Med.
    24:729-740.
    """
    answers = np.asarray(n, np.float64)
    quarter = added / 4
    lower, upper = wald_limits(
        np.add(promoters, quarter), np.add(detractors, quarter), answers + added, level
    )
    unknown = ~(answers > 0)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


def score_limits(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, level: float
) -> tuple[Floats, Floats]:
    """Limits of the scores that the score test does not reject, T. Tango (1998), Stat. Med. 17:891.

    All t with |p - d - t| <= z sqrt(V(t) / n), where V(t) is the variance of one answer in that mix
    of score t under which the data are likeliest. Without passives it is 2 * Wilson - 1.
    """
    return score_limits_at(promoters, detractors, n, normal_quantile(level))


def score_limits_at(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, z: ArrayLike
) -> tuple[Floats, Floats]:
    """Score limits at normal quantiles z, one for all or one each."""
    x, y, answers = np.broadcast_arrays(
        np.asarray(promoters, np.float64),
        np.asarray(detractors, np.float64),
        np.asarray(n, np.float64),
    )
    # The lower limit is minus the upper one of promoters and detractors exchanged.
    upper = upper_limit(np.stack([y, x]), np.stack([x, y]), answers, np.asarray(z))
    return -upper[0], upper[1]


def upper_limit(x: Floats, y: Floats, n: Floats, z: Floats) -> Floats:
    """Upper limit at normal quantiles z, found by bisection between the observed score and 1."""
    score = ratio(x - y, n)
    limit, step = score, 1 - score  # the score is never rejected, and 1 is unless it is observed
    for _ in range(STEPS):
        step = step / 2
        further = limit + step
        inside = n * (score - further) ** 2 <= z**2 * constrained_variance(x, y, n, further)
        limit = np.where(inside, further, limit)
    return limit


def constrained_variance(x: Floats, y: Floats, n: Floats, t: Floats) -> Floats:
    """Variance of one answer in the mix of score t under which x, y and n are likeliest.

    With t >= 0 the share q of detractors in that mix is the larger root of

        2n q² + (-(x + y) + (2n - x + y) t) q - y t (1 - t) = 0,

    Tango (1998), and that of promoters q + t, so that the variance is 2q + t - t². With t < 0
    promoters and detractors change places.
    """
    size = np.abs(t)
    rare, common = np.where(t < 0, x, y), np.where(t < 0, y, x)
    slope = (2 * n - common + rare) * size - (x + y)
    rest = rare * size * (1 - size)  # never negative, nor is the number under the root
    root = np.sqrt(slope**2 + 8 * n * rest)
    # Of the two ways to write the larger root, the one that adds two numbers of the same sign.
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(slope > 0, 2 * rest / (slope + root), (root - slope) / (4 * n))
    spread: Floats = 2 * q + size * (1 - size)
    return spread
