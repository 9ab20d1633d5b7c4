"""Intervals of shares and of mean scores: arrays in, arrays out.

Counts and sizes may be fractional (effective sizes). Without answers the limits are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._stats.effective_size import EffectiveSize
from retainkit._stats.intervals import normal_quantile, ratio, wilson
from retainkit._typing import Booleans, Floats

with without_scipy_filters():
    from scipy.special import betaincinv, stdtrit

Limits: TypeAlias = tuple[Floats, Floats]


def clopper_pearson(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Limits that cover the truth at least as often as their level, mostly far more often.

    All shares under which neither tail of the binomial distribution is smaller than
    (1 - level) / 2, C. J. Clopper & E. S. Pearson (1934), Biometrika 26:404-413.
    """
    x, rest, unknown = _count_and_rest(count, n)
    tail = (1 - level) / 2
    lower = _beta_quantile(x, rest + 1, tail)
    upper = _beta_quantile(x + 1, rest, 1 - tail)
    return _with_exact_ends(x, rest, unknown, lower, upper)


def jeffreys(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Equal-tailed posterior interval under Jeffreys' prior, Beta(1/2, 1/2).

    The limits are 0 and 1 where none or all are counted: L. D. Brown, T. T. Cai & A. DasGupta
    (2001), Stat. Sci. 16:101-133, eq. 9.
    """
    x, rest, unknown = _count_and_rest(count, n)
    tail = (1 - level) / 2
    lower = _beta_quantile(x + 0.5, rest + 0.5, tail)
    upper = _beta_quantile(x + 0.5, rest + 0.5, 1 - tail)
    return _with_exact_ends(x, rest, unknown, lower, upper)


def agresti_coull(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Wald's limits with z² pseudo-answers added, half of them counted.

    Also called adjusted Wald, A. Agresti & B. A. Coull (1998), Am. Stat. 52:119-126.
    """
    x, rest, unknown = _count_and_rest(count, n)
    z = normal_quantile(level)
    size = x + rest + z**2
    share = (x + z**2 / 2) / size
    half = z * np.sqrt(share * (1 - share) / size)
    lower, upper = np.maximum(share - half, 0), np.minimum(share + half, 1)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


SHARE_INTERVALS: Mapping[str, Callable[[ArrayLike, ArrayLike, float], Limits]] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
    "jeffreys": jeffreys,
    "agresti_coull": agresti_coull,
}


def _count_and_rest(count: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Booleans]:
    """Return counts, the rest of n, and where n is 0: both are finite there."""
    x, size = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(n, np.float64))
    unknown = ~(size > 0)
    x, size = np.where(unknown, 0, x), np.where(unknown, 1, size)
    return x, np.maximum(size - x, 0), unknown


def _beta_quantile(a: Floats, b: Floats, share: float) -> Floats:
    """Quantile of the beta distribution."""
    # A parameter of 0 belongs to a limit of 0 or 1, which is set afterwards.
    return np.asarray(betaincinv(np.maximum(a, 1e-9), np.maximum(b, 1e-9), share), np.float64)


def _with_exact_ends(
    x: Floats, rest: Floats, unknown: Booleans, lower: Floats, upper: Floats
) -> Limits:
    """Set the limits 0 and 1 where none and all are counted."""
    none, all_counted = x == 0, rest == 0
    return (
        np.where(unknown, np.nan, np.where(none, 0.0, lower)),
        np.where(unknown, np.nan, np.where(all_counted, 1.0, upper)),
    )


def mean_limits(
    mean: Floats, variance: Floats, size: EffectiveSize, *, level: float, ends: tuple[float, float]
) -> Limits:
    """Student's limits of the mean of scores that lie between two `ends`.

    `variance` is that with n, not n - 1, below. Where all answers are equal there is no variance to
    judge by. Then other answers have at most the share that Wilson's limit of n of n leaves, and
    they may lie at either end.
    """
    low, high = ends
    n, effective = size.n, size.effective
    freedom = np.minimum(effective, size.units) - 1
    varied = (freedom > 0) & (variance > 1e-12 * (high - low) ** 2)
    quantile = stdtrit(np.where(varied, freedom, 1), 0.5 + level / 2)
    half = quantile * np.sqrt(
        np.maximum(variance * ratio(n, n - 1) / np.where(varied, effective, 1), 0)
    )
    others = 1 - wilson(effective, effective, level)[0]
    lower = np.where(varied, np.maximum(mean - half, low), mean - others * (mean - low))
    upper = np.where(varied, np.minimum(mean + half, high), mean + others * (high - mean))
    return lower, upper
