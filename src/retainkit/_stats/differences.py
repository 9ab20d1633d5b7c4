"""Differences of two shares, and means with their differences: arrays in, limits out.

Arrays broadcast. A limit is NaN for no numbers at all, and for a mean of one number or of several
equal ones: amounts have no bounds, and without variance nothing shows how far off a mean may be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import ratio, wilson, wilson_at
from retainkit._typing import Booleans, Floats

with without_scipy_filters():
    from scipy.special import ndtr, stdtrit

_STEPS = 60  # of a bisection
_MOST_Z = 40.0  # beyond it a p-value is 0
_ROUNDING = 1e-9  # a deviation below this share of the mean is rounding


def share_difference(
    count_a: ArrayLike, n_a: ArrayLike, count_b: ArrayLike, n_b: ArrayLike, level: float
) -> tuple[Floats, Floats, Floats]:
    """First share less the second, with limits made of the Wilson limits of each.

    Square-and-add, R. G. Newcombe (1998), Stat. Med. 17:873-890, method 10: with shares p and their
    limits l and u the lower one is p1 - p2 - sqrt((p1 - l1)² + (u2 - p2)²).
    """
    return square_and_add(
        ratio(count_a, n_a),
        wilson(count_a, n_a, level),
        ratio(count_b, n_b),
        wilson(count_b, n_b, level),
    )


def square_and_add(
    a: ArrayLike, limits_a: Sequence[ArrayLike], b: ArrayLike, limits_b: Sequence[ArrayLike]
) -> tuple[Floats, Floats, Floats]:
    """First estimate less the second, with limits made of the limits of each.

    MOVER, G. Y. Zou & A. Donner (2008), Stat. Med. 27:1693-1702: the lower one is
    a - b - sqrt((a - l_a)² + (u_b - b)²).
    """
    difference = np.subtract(a, b, dtype=np.float64)
    lower = difference - np.hypot(np.subtract(a, limits_a[0]), np.subtract(limits_b[1], b))
    upper = difference + np.hypot(np.subtract(limits_a[1], a), np.subtract(b, limits_b[0]))
    return difference, lower, upper


def share_difference_p_value(
    count_a: ArrayLike, n_a: ArrayLike, count_b: ArrayLike, n_b: ArrayLike
) -> Floats:
    """Two-sided p-value of no difference: the smallest alpha whose interval leaves out 0."""
    p_a, p_b = ratio(count_a, n_a), ratio(count_b, n_b)

    def reach(z: Floats) -> Floats:
        low_a, high_a = wilson_at(count_a, n_a, z)
        low_b, high_b = wilson_at(count_b, n_b, z)
        return reach_to_zero(p_a, p_b, (low_a, high_a), (low_b, high_b))

    return smallest_alpha(p_a - p_b, reach)


def reach_to_zero(
    a: Floats, b: Floats, limits_a: tuple[Floats, Floats], limits_b: tuple[Floats, Floats]
) -> Floats:
    """Distance of a - b from that limit which lies towards 0, by square-and-add."""
    down: Floats = np.hypot(a - limits_a[0], limits_b[1] - b)
    up: Floats = np.hypot(limits_a[1] - a, b - limits_b[0])
    return np.where(a > b, down, up)


def smallest_alpha(difference: Floats, reach: Callable[[Floats], Floats]) -> Floats:
    """Smallest alpha whose interval leaves out 0; 1 where there is no difference.

    `reach` is the distance of the difference from its limit towards 0, as a function of the normal
    quantile of the level, with which it grows. Bisection finds where it is the difference.
    """
    distance = np.abs(difference)
    low, high = np.zeros_like(distance), np.full_like(distance, _MOST_Z)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        short = reach(middle) < distance
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    alpha = np.where(distance == 0, 1.0, 2 * ndtr(-high))
    return np.where(np.isnan(distance), np.nan, alpha)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Means:
    """Means of n numbers, one mean an element, and the sums of their squared distances from it."""

    n: Floats
    mean: Floats
    squares: Floats

    @property
    def constant(self) -> Booleans:
        """Return whether all numbers are equal, up to rounding."""
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
