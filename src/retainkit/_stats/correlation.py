"""Correlations, slopes and means with their intervals, of arrays.

A row may be several customers; `count` is their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import stdtr


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """A correlation, its number of pairs, its limits, and the p-value of no correlation."""

    pairs: int
    estimate: float
    lower: float
    upper: float
    p_value: float


def pearson(x: Floats, y: Floats, count: Floats, confidence_level: float) -> Correlation:
    """Pearson's correlation with the limits of Fisher (1921): its atanh has variance 1/(n - 3)."""
    return _correlation(_product_moment(x, y, count), count.sum(), 1.0, confidence_level)


def spearman(x: Floats, y: Floats, count: Floats, confidence_level: float) -> Correlation:
    """Spearman's rank correlation, ties at their middle rank.

    Its atanh has variance (1 + r^2 / 2) / (n - 3): Bonett & Wright (2000), Psychometrika 65:23-28.
    """
    r = _product_moment(_ranks(x, count), _ranks(y, count), count)
    return _correlation(r, count.sum(), 1 + r**2 / 2, confidence_level)


def _product_moment(x: Floats, y: Floats, count: Floats) -> float:
    if count.sum() < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    x, y = x - np.average(x, weights=count), y - np.average(y, weights=count)
    spread = np.sqrt((count @ x**2) * (count @ y**2))
    return float(np.clip(count @ (x * y) / spread, -1, 1))


def _ranks(values: Floats, count: Floats) -> Floats:
    """Middle rank of each value among all customers."""
    _, code = np.unique(values, return_inverse=True)
    size = np.bincount(code, count)
    ranks: Floats = (np.cumsum(size) - (size - 1) / 2)[code]
    return ranks


def _correlation(r: float, n: float, spread: float, confidence_level: float) -> Correlation:
    lower = upper = p_value = np.nan
    if n > 3 and abs(r) < 1:
        half = normal_quantile(confidence_level) * np.sqrt(spread / (n - 3))
        lower, upper = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    if n > 2 and abs(r) < 1:
        p_value = 2 * stdtr(n - 2, -abs(r) * np.sqrt((n - 2) / (1 - r**2)))
    return Correlation(
        pairs=int(n), estimate=r, lower=float(lower), upper=float(upper), p_value=float(p_value)
    )


def slope(
    x: Floats, y: Floats, count: Floats, confidence_level: float
) -> tuple[float, float, float]:
    """Slope of y on x by least squares, with an intercept, and its limits.

    The variance is MacKinnon & White's (1985) HC3, which supposes no equal spread.
    """
    n = count.sum()
    if n < 3 or np.ptp(x) == 0:
        return np.nan, np.nan, np.nan
    away = x - np.average(x, weights=count)
    spread = count @ away**2
    found = float(count @ (away * y) / spread)
    residual = y - np.average(y, weights=count) - found * away
    leverage = 1 / n + away**2 / spread
    if np.any(leverage > 1 - 1e-9):  # one customer alone decides
        return found, np.nan, np.nan
    variance = count @ (away * residual / (1 - leverage)) ** 2 / spread**2
    half = normal_quantile(confidence_level) * float(np.sqrt(variance))
    return found, found - half, found + half


def mean_count(y: Floats, count: Floats, confidence_level: float) -> tuple[float, float, float]:
    """Mean of counts and its limits: the score interval, with a variance of phi times the mean.

    It is like Wilson's interval of a share: never below 0, and useful where the mean is 0.
    phi is the variance over the mean, and at least 1, which is Poisson's: counts of customers who
    differ spread more, not less.
    """
    n = float(count.sum())
    if not n:
        return np.nan, np.nan, np.nan
    mean = float(np.average(y, weights=count))
    variance = float(count @ (y - mean) ** 2) / (n - 1) if n > 1 else 0.0
    phi = max(1.0, variance / mean) if mean else 1.0
    # The limits m solve (mean - m)^2 = z^2 phi m / n.
    half = normal_quantile(confidence_level) ** 2 * phi / (2 * n)
    across = np.sqrt(half * (half + 2 * mean))
    return mean, max(float(mean + half - across), 0.0), float(mean + half + across)
