"""Intervals of shares and of mean scores: numbers in, numbers out.

Counts and sizes may be fractional (effective sizes); where there are no answers, limits are NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import betaincinv, stdtrit

from retainkit._stats.intervals import normal_quantile, ratio, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from retainkit._typing import Booleans, Floats

    Limits: TypeAlias = tuple[Floats, Floats]


def clopper_pearson(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Limits that cover the truth at least as often as they say, mostly far more often.

    The shares of which neither tail of the binomial distribution is smaller than half of what is
    left, C. J. Clopper & E. S. Pearson (1934), Biometrika 26:404-413.
    """
    x, rest, unknown = _parts(count, n)
    tail = (1 - level) / 2
    lower = _beta_quantile(x, rest + 1, tail)
    upper = _beta_quantile(x + 1, rest, 1 - tail)
    return _framed(x, rest, unknown, lower, upper)


def jeffreys(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Limits of the middle of the posterior under Jeffreys' prior, Beta(1/2, 1/2).

    With 0 and 1 as limits where none or all are counted: L. D. Brown, T. T. Cai & A. DasGupta
    (2001), Stat. Sci. 16:101-133, eq. 9.
    """
    x, rest, unknown = _parts(count, n)
    tail = (1 - level) / 2
    lower = _beta_quantile(x + 0.5, rest + 0.5, tail)
    upper = _beta_quantile(x + 0.5, rest + 0.5, 1 - tail)
    return _framed(x, rest, unknown, lower, upper)


def agresti_coull(count: ArrayLike, n: ArrayLike, level: float) -> Limits:
    """Limits by the textbook's formula once z² made-up answers are added, half of them counted.

    Also called adjusted Wald, A. Agresti & B. A. Coull (1998), Am. Stat. 52:119-126.
    """
    x, rest, unknown = _parts(count, n)
    z = normal_quantile(level)
    size = x + rest + z**2
    share = (x + z**2 / 2) / size
    half = z * np.sqrt(share * (1 - share) / size)
    lower, upper = np.maximum(share - half, 0), np.minimum(share + half, 1)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


SHARES: Mapping[str, Callable[[ArrayLike, ArrayLike, float], Limits]] = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
    "jeffreys": jeffreys,
    "agresti_coull": agresti_coull,
}


def _parts(count: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Booleans]:
    x, size = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(n, np.float64))
    unknown = ~(size > 0)
    x, size = np.where(unknown, 0, x), np.where(unknown, 1, size)
    return x, np.maximum(size - x, 0), unknown


def _beta_quantile(a: Floats, b: Floats, share: float) -> Floats:
    # A parameter of 0 is an end of the scale, which is set afterwards.
    return np.asarray(betaincinv(np.maximum(a, 1e-9), np.maximum(b, 1e-9), share), np.float64)


def _framed(x: Floats, rest: Floats, unknown: Booleans, lower: Floats, upper: Floats) -> Limits:
    """Put 0 and 1 where none and all are counted."""
    none, every = x == 0, rest == 0
    return (
        np.where(unknown, np.nan, np.where(none, 0.0, lower)),
        np.where(unknown, np.nan, np.where(every, 1.0, upper)),
    )


def mean_limits(
    mean: Floats,
    spread: Floats,
    *,
    n: Floats,
    effective: Floats,
    units: Floats,
    level: float,
    ends: tuple[float, float],
) -> Limits:
    """Student's limits of the mean of scores that lie between two `ends`.

    `spread` is the variance with n, not n - 1, below; `effective` the number of simple answers
    that are as informative and `units` that of those who answer independently of each other.
    Where all answered alike there is no spread to judge by. Then what may differ is at most the
    share that Wilson's limit of n of n leaves, which may lie at either end.
    """
    low, high = ends
    freedom = np.minimum(effective, units) - 1
    some = (freedom > 0) & (spread > 1e-12 * (high - low) ** 2)
    quantile = stdtrit(np.where(some, freedom, 1), 0.5 + level / 2)
    half = quantile * np.sqrt(
        np.maximum(spread * ratio(n, n - 1) / np.where(some, effective, 1), 0)
    )
    others = 1 - wilson(effective, effective, level)[0]
    lower = np.where(some, np.maximum(mean - half, low), mean - others * (mean - low))
    upper = np.where(some, np.minimum(mean + half, high), mean + others * (high - mean))
    return lower, upper
