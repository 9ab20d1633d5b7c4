"""Differences of two shares, and means with their differences: arrays in, limits out.

Arrays broadcast. A limit is NaN for no numbers at all, and for a mean of one number or of several
equal ones: amounts have no bounds, and without variance nothing shows how far off a mean may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import Booleans, Floats

_ROUNDING = 1e-9  # a deviation below this share of the mean is rounding


def share_difference(
    count_a: ArrayLike, n_a: ArrayLike, count_b: ArrayLike, n_b: ArrayLike, level: float
) -> tuple[Floats, Floats, Floats]:
    """First share less the second, with limits made of the Wilson limits of each.

    Square-and-add, R. G. Newcombe (1998), Stat. Med. 17:873-890, method 10: with shares p and their
    limits l and u the lower one is p1 - p2 - sqrt((p1 - l1)² + (u2 - p2)²).
    """
    p_a, p_b = ratio(count_a, n_a), ratio(count_b, n_b)
    low_a, high_a = wilson(count_a, n_a, level)
    low_b, high_b = wilson(count_b, n_b, level)
    difference: Floats = p_a - p_b
    lower: Floats = difference - np.hypot(p_a - low_a, high_b - p_b)
    upper: Floats = difference + np.hypot(high_a - p_a, p_b - low_b)
    return difference, lower, upper


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Means:
    """Means of n numbers, one mean an element, and the sums of their squared distances from it."""

    n: Floats
    mean: Floats
    squares: Floats

    @property
    def constant(self) -> Booleans:
        """Whether all numbers are equal, up to rounding."""
        equal: Booleans = self.squares <= self.n * (_ROUNDING * self.mean) ** 2
        return equal

    @property
    def squared_error(self) -> Floats:
        """Squared standard error; NaN for fewer than two."""
        return ratio(np.where(self.n > 1, self.squares, np.nan), self.n * (self.n - 1))

    def limits(self, level: float) -> tuple[Floats, Floats]:
        """Limits of each mean by Student's t."""
        half = _t_quantile(np.where(self.constant, np.nan, self.n - 1), level) * np.sqrt(
            self.squared_error
        )
        return self.mean - half, self.mean + half


def mean_difference(first: Means, second: Means, level: float) -> tuple[Floats, Floats, Floats]:
    """First mean less the second, with limits for unequal variances.

    B. L. Welch (1947), Biometrika 34:28-35: Student's t with the degrees of freedom
    (v1 + v2)² / (v1² / (n1 - 1) + v2² / (n2 - 1)), where v are squared standard errors. One of
    them may be 0; where both are constant the limits are NaN.
    """
    total = first.squared_error + second.squared_error
    parts = ratio(first.squared_error**2, first.n - 1)
    parts = parts + ratio(second.squared_error**2, second.n - 1)
    freedom = np.where(first.constant & second.constant, np.nan, ratio(total**2, parts))
    half = _t_quantile(freedom, level) * np.sqrt(total)
    difference: Floats = first.mean - second.mean
    return difference, difference - half, difference + half


def _t_quantile(freedom: Floats, level: float) -> Floats:
    """Two-sided quantile of Student's t; NaN without a degree of freedom."""
    known = np.where(freedom > 0, freedom, np.nan)
    return np.asarray(stdtrit(known, 0.5 + level / 2), np.float64)
