"""Confidence intervals: numbers in, numbers out."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from retainkit._typing import Floats


def normal_quantile(confidence_level: float) -> float:
    """Two-sided standard normal quantile of a confidence level."""
    return NormalDist().inv_cdf(0.5 + confidence_level / 2)


def ratio(a: ArrayLike, b: ArrayLike) -> Floats:
    """Quotient ``a / b``; NaN where b is 0, never infinite."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    quotient: Floats = np.full(np.broadcast(a, b).shape, np.nan)
    np.divide(a, b, out=quotient, where=b != 0)
    return quotient


def wilson(count: ArrayLike, n: ArrayLike, confidence_level: float) -> tuple[Floats, Floats]:
    """Wilson's score interval of the binomial proportion ``count / n``.

    The values of p that the score test does not reject, E. B. Wilson (1927), J. Am. Stat. Assoc.
    22:209-212; Brown, Cai & DasGupta (2001), Stat. Sci. 16:101-133, eq. 4. `n` may be an
    effective sample size and need not be whole. Where it is 0 the limits are NaN.
    """
    return wilson_at(count, n, normal_quantile(confidence_level))


def wilson_at(count: ArrayLike, n: ArrayLike, z: float | Floats) -> tuple[Floats, Floats]:
    """Wilson's score interval at the two-sided normal quantile `z`."""
    count, n = np.asarray(count, np.float64), np.asarray(n, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = count / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # Rounding must not move the limits that are 0 and 1 by definition.
    lower = np.where(count == 0, 0.0, centre - half)
    upper = np.where(count == n, 1.0, centre + half)
    unknown = ~(n > 0)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)
