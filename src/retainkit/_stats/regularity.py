"""Regularity of purchases: the shape k of Gamma distributed gaps. Arrays in, numbers out.

A customer's last two gaps make U = last / (last + before). With Gamma gaps of shape k and any rate
U is Beta(k, k), whatever the sum of the gaps: the rates, which differ between customers, drop out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.optimize import brentq, minimize_scalar
    from scipy.special import betainc

# Limits of k: beyond them purchases come at once, or like clockwork.
_LEAST, _MOST = 1e-3, 1e4
_TINY = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An estimate of k and its limits; infinite where purchases come like clockwork."""

    estimate: float
    lower: float
    upper: float


_UNKNOWN = Shape(estimate=np.nan, lower=np.nan, upper=np.nan)


def wheat_morrison(last: Floats, before: Floats, count: Floats, confidence_level: float) -> Shape:
    """Estimate k by the variance of U: k = (1 - 4 Var U) / (8 Var U).

    Wheat & Morrison (1990), with the known mean of U, 1/2. The limits are those of log Var U.
    """
    n = count.sum()
    if n < 2:
        return _UNKNOWN
    square = (last / (last + before) - 0.5) ** 2
    variance = float(np.average(square, weights=count))
    if variance == 0:
        return Shape(estimate=np.inf, lower=np.nan, upper=np.inf)
    error = np.sqrt(np.average((square - variance) ** 2, weights=count) / (n - 1)) / variance
    factor = np.exp(normal_quantile(confidence_level) * error)
    estimate, lower, upper = (
        (1 - 4 * one) / (8 * one) for one in (variance, variance * factor, variance / factor)
    )
    return Shape(estimate=float(estimate), lower=max(float(lower), 0.0), upper=float(upper))


def maximum_likelihood(
    last: Floats, before: Floats, count: Floats, confidence_level: float
) -> Shape:
    """Estimate k by the likelihood of the last gap given the sum s of both, in whole units.

    Each of the s - 1 ways to part s has the mass of Beta(k, k) within half a unit of it; at k = 1
    all have the same, as must be where purchases are random and seen by the unit. The limits are
    those of the likelihood ratio.
    """
    total = last + before
    telling = total > 3  # two units part in one way only, and three in two that are alike
    if not telling.any():
        return _UNKNOWN
    smaller, total, count = np.minimum(last, before)[telling], total[telling], count[telling]

    def loss(log_k: float) -> float:
        return -float(count @ _log_mass(smaller, total, np.exp(log_k)))

    ends = np.log(_LEAST), np.log(_MOST)
    found = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9})
    best, at = float(found.fun), float(found.x)
    allowed = best + normal_quantile(confidence_level) ** 2 / 2

    def beyond(log_k: float) -> float:
        return loss(log_k) - allowed

    lower = brentq(beyond, ends[0], at) if beyond(ends[0]) > 0 else -np.inf
    upper = brentq(beyond, at, ends[1]) if beyond(ends[1]) > 0 else np.inf
    if loss(ends[1]) <= best:
        at = np.inf
    return Shape(estimate=float(np.exp(at)), lower=float(np.exp(lower)), upper=float(np.exp(upper)))


def _log_mass(smaller: Floats, total: Floats, k: float) -> Floats:
    """Log of the mass of Beta(k, k) within half a unit of a part, of that of all parts."""
    below, above = betainc(k, k, [(smaller - 0.5) / total, (smaller + 0.5) / total])
    outside = betainc(k, k, 0.5 / total)
    mass: Floats = np.log(np.maximum(above - below, _TINY)) - np.log1p(-2 * outside)
    return mass
