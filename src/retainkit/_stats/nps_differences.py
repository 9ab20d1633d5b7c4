"""Differences of Net Promoter Scores, between groups or of the same people: arrays in and out.

Everything is in shares: a score lies between -1 and 1, a difference between -2 and 2. Arrays
broadcast, counts and n may be fractional, and where an n is 0 everything is NaN. Each p-value is
the smallest alpha whose interval leaves out 0, so that a test and its interval never contradict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._stats.effective_size import EffectiveSize
from retainkit._stats.intervals import normal_quantile, ratio
from retainkit._stats.nps_intervals import STEPS, constrained_variance, score_limits_at, upper_limit
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import ndtr

ADDED = 3  # pseudo-respondents of a paired difference, and what they add to the sum of squares
_Z_STEPS = 45  # halvings of at most _MOST_ERRORS: z is exact to 1e-12
_MOST_ERRORS = 37.0  # standard errors, beyond which the tail is nearly too small a number


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


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredSample:
    """Shares of promoters and detractors, and the effective size of their difference."""

    promoters: Floats
    detractors: Floats
    size: EffectiveSize

    def beyond(self, tail: ArrayLike) -> Sample:
        """Return the numbers for an interval that leaves out `tail` at each end."""
        n = self.size.beyond(tail)
        return Sample(self.promoters * n, self.detractors * n, n)


def difference_limits(first: Sample, second: Sample, level: float) -> tuple[Floats, Floats]:
    """Limits of the first score less the second, made of the score limits of each.

    Square-and-add, or MOVER: R. G. Newcombe (1998), Stat. Med. 17:873; G. Y. Zou & A. Donner
    (2008), Stat. Med. 27:1693. With scores t and their limits l and u the lower one is
    t1 - t2 - sqrt((t1 - l1)² + (u2 - t2)²).
    """
    return _limits_at(first, second, normal_quantile(level), 0)


def clustered_limits(
    first: ClusteredSample, second: ClusteredSample, correlation: Floats, level: float
) -> tuple[Floats, Floats]:
    """Limits of a difference of scores that hang together, since some respondents gave to both.

    With a correlation r the lower limit is t1 - t2 - sqrt(a² + b² - 2rab), a and b the distances of
    `difference_limits`: R. G. Newcombe (1998), Stat. Med. 17:2635, of pairs, his method 10.
    """
    tail = 0.5 - level / 2
    return _limits_at(first.beyond(tail), second.beyond(tail), normal_quantile(level), correlation)


def _limits_at(
    first: Sample, second: Sample, z: ArrayLike, correlation: ArrayLike
) -> tuple[Floats, Floats]:
    """Limits of a difference at normal quantiles z, one for all or one each."""
    low1, high1 = score_limits_at(first.promoters, first.detractors, first.n, z)
    low2, high2 = score_limits_at(second.promoters, second.detractors, second.n, z)
    difference = first.score - second.score
    lower = difference - _joint(first.score - low1, high2 - second.score, correlation)
    upper = difference + _joint(high1 - first.score, second.score - low2, correlation)
    return lower, upper


def _joint(first: Floats, second: Floats, correlation: ArrayLike) -> Floats:
    """Distance of the limit of a difference from it, of those of the limits of each."""
    apart = (first - second) ** 2 + 2 * (1 - np.asarray(correlation)) * first * second
    return np.sqrt(np.maximum(apart, 0))


def correlations(covariance: Floats, variances: Floats, correction: Floats) -> Floats:
    """Correlation of two scores, whose covariance is drawn towards 0 where it is positive.

    Newcombe (1998), method 10, takes n / 2 off the numerator of phi, n² p q (1 - p) (1 - q) in its
    denominator, which is 1 / 2n off the covariance of an answer, and four times that where values
    are 1 and -1. The denominator is the root of the product of the `variances`.
    """
    shrunk = np.where(covariance > 0, np.maximum(covariance - correction, 0), covariance)
    return np.clip(np.nan_to_num(ratio(shrunk, np.sqrt(variances))), -1, 1)


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


def clustered_p_value(
    first: ClusteredSample, second: ClusteredSample, correlation: Floats
) -> Floats:
    """Two-sided p-value of no difference: the smallest alpha whose interval leaves out 0.

    By bisection of the normal quantile, since the effective sizes differ from level to level. Say
    t1 > t2: what is compared with the difference is made of t1 - l1 and u2 - t2, and t1 - l1 is the
    distance of an upper limit, that of promoters and detractors exchanged.
    """
    swapped = first.promoters - first.detractors < second.promoters - second.detractors
    x = np.stack([first.detractors, second.promoters])
    y = np.stack([first.promoters, second.detractors])
    x, y = np.where(swapped, y, x), np.where(swapped, x, y)
    score = x - y
    difference = -score.sum(axis=0)
    least, most = np.zeros_like(difference), np.full_like(difference, _MOST_ERRORS)
    for _ in range(_Z_STEPS):
        z = (least + most) / 2
        n = np.stack([one.size.beyond(ndtr(-z)) for one in (first, second)])
        distance = upper_limit(x * n, y * n, n, z) - score
        outside = _joint(distance[0], distance[1], correlation) < difference
        least, most = np.where(outside, z, least), np.where(outside, most, z)
    return np.where(difference == 0, 1.0, 2 * ndtr(-most))


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
