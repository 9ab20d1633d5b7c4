"""Differences of Net Promoter Scores, between groups or of the same people: arrays in and out.

Everything is in shares: a score lies between -1 and 1, a difference between -2 and 2. Arrays
broadcast, counts and n may be fractional, and where an n is 0 everything is NaN. Each p-value is
the smallest alpha whose interval leaves out 0, so that a test and its interval never contradict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from retainkit._stats.intervals import normal_quantile, ratio
from retainkit._stats.nps_intervals import STEPS, constrained_variance, score_limits
from retainkit._typing import Floats

ADDED = 3  # pseudo-respondents of a paired difference, and what they add to the sum of squares


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Numbers of promoters and detractors among n answers: one number each, or one a row."""

    promoters: ArrayLike
    detractors: ArrayLike
    n: ArrayLike

    @property
    def score(self) -> Floats:
        """Share of promoters less share of detractors; NaN where there is no answer."""
        return ratio(np.subtract(self.promoters, self.detractors), self.n)


def difference_limits(first: Sample, second: Sample, level: float) -> tuple[Floats, Floats]:
    """Limits of the first score less the second, made of the score limits of each.

    Square-and-add, or MOVER: R. G. Newcombe (1998), Stat. Med. 17:873; G. Y. Zou & A. Donner
    (2008), Stat. Med. 27:1693. With scores t and their limits l and u the lower one is
    t1 - t2 - sqrt((t1 - l1)² + (u2 - t2)²).
    """
    low1, high1 = score_limits(first.promoters, first.detractors, first.n, level)
    low2, high2 = score_limits(second.promoters, second.detractors, second.n, level)
    difference = first.score - second.score
    lower = difference - np.hypot(first.score - low1, high2 - second.score)
    upper = difference + np.hypot(high1 - first.score, second.score - low2)
    return lower, upper


def difference_p_value(first: Sample, second: Sample) -> Floats:
    """Two-sided p-value of no difference: the smallest alpha whose interval leaves out 0.

    Say t1 > t2. At that alpha, with its normal quantile z, the lower limit is 0, so the distances
    t1 - l1 and u2 - t2 are the cosine and the sine of some angle times the difference D; and being
    score limits they are z sqrt(V1(l1) / n1) and z sqrt(V2(u2) / n2). The larger the angle, the
    smaller the z that belongs to the first distance, and the larger that of the second: bisection
    finds where they meet. No interval need be computed, and z² (V1 / n1 + V2 / n2) = D².
    """
    values = [
        np.asarray(one, np.float64)
        for sample in (first, second)
        for one in (sample.promoters, sample.detractors, sample.n)
    ]
    x1, y1, n1, x2, y2, n2 = np.broadcast_arrays(*values)
    swapped = first.score < second.score
    # Exchanging promoters and detractors of both changes the sign of the difference.
    x1, y1 = np.where(swapped, y1, x1), np.where(swapped, x1, y1)
    x2, y2 = np.where(swapped, y2, x2), np.where(swapped, x2, y2)
    t1, t2 = ratio(x1 - y1, n1), ratio(x2 - y2, n2)
    difference = t1 - t2
    angle, step = np.zeros_like(difference), np.pi / 2
    for _ in range(STEPS):
        step /= 2
        cosine, sine = np.cos(angle + step), np.sin(angle + step)
        v1 = constrained_variance(x1, y1, n1, t1 - difference * cosine)
        v2 = constrained_variance(x2, y2, n2, t2 + difference * sine)
        angle = np.where(n1 * cosine**2 * v2 > n2 * sine**2 * v1, angle + step, angle)
    z = ratio(difference, np.sqrt(ratio(v1, n1) + ratio(v2, n2)))
    equal = difference == 0  # two groups of promoters alone differ by 0 / 0 standard errors
    return np.where(equal, 1.0, 2 * ndtr(-z))


def paired_limits(
    pairs: ArrayLike, total: ArrayLike, squares: ArrayLike, level: float
) -> tuple[Floats, Floats]:
    """Limits of the mean change of the same respondents, each from -2 to 2.

    `total` and `squares` are the sums of the changes and of their squares. As the adjusted Wald
    interval of one score does, it adds three respondents, whose changes sum to 0 and their squares
    to 3: so it has a width when nobody moved. They also draw a change towards 0: for ten pairs of
    whom nearly all go from one end to the other, it covers the truth only nine times in ten.
    """
    n = np.asarray(pairs, np.float64)
    centre, error = _adjusted_mean_and_error(n, total, squares)
    half = normal_quantile(level) * error
    # With two or three pairs, or at a low level, the interval around the adjusted mean could leave
    # out the observed one. That is further from 0, so whether it holds 0 does not change.
    observed = ratio(total, n)
    lower, upper = np.minimum(centre - half, observed), np.maximum(centre + half, observed)
    return np.maximum(lower, -2), np.minimum(upper, 2)


def paired_p_value(pairs: ArrayLike, total: ArrayLike, squares: ArrayLike) -> Floats:
    """Two-sided p-value of no change: the smallest alpha whose paired interval leaves out 0."""
    centre, error = _adjusted_mean_and_error(np.asarray(pairs, np.float64), total, squares)
    p_value: Floats = 2 * ndtr(-ratio(np.abs(centre), error))
    return p_value


def _adjusted_mean_and_error(
    n: Floats, total: ArrayLike, squares: ArrayLike
) -> tuple[Floats, Floats]:
    """Mean and standard error with the added respondents; NaN without a pair."""
    known = np.where(n > 0, n + ADDED, np.nan)
    centre = ratio(total, known)
    spread = ratio(np.add(squares, ADDED), known) - centre**2
    return centre, np.sqrt(spread / known)
