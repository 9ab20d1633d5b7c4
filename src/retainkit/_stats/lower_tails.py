"""Exact lower tails of counts, hypergeometric and binomial: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import betainc, gammaln


def hypergeometric_lower(
    count: ArrayLike, marked: ArrayLike, drawn: ArrayLike, total: ArrayLike
) -> Floats:
    """P(X <= count) where so many of a total are marked, and so many are drawn.

    One-sided Fisher's exact test, R. A. Fisher (1935), J. R. Stat. Soc. 98:39-82. The greatest term
    is found by logarithms, and each further one from the one above it: for k,

        P(X = k - 1) / P(X = k) = k (N - d - m + k) / ((d - k + 1) (m - k + 1)).
    """
    k, marked, drawn, total = (
        np.asarray(one, np.float64) for one in np.broadcast_arrays(count, marked, drawn, total)
    )
    most = np.minimum(marked, drawn)
    certain, k = k >= most, np.minimum(k, most)
    term = np.exp(
        _log_choose(drawn, k) + _log_choose(total - drawn, marked - k) - _log_choose(total, marked)
    )
    tail = term.copy()
    # Terms are 0 from the least count on that can be.
    while (term > 0).any():
        term = term * (k * (total - drawn - marked + k) / ((drawn - k + 1) * (marked - k + 1)))
        tail += term
        k = np.maximum(k - 1, 0)
    found: Floats = np.where(certain, 1.0, np.minimum(tail, 1.0))
    return found


def binomial_lower(count: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(X <= count) of n trials, each a success with probability p.

    With p = t1 / (t1 + t2) this is the exact test of two Poisson counts in times t1 and t2, given
    their sum, J. Przyborowski & H. Wilenski (1940), Biometrika 31:313-323.
    """
    count, n, p = (np.asarray(one, np.float64) for one in np.broadcast_arrays(count, n, p))
    below = count < n
    tail = betainc(np.where(below, n - count, 1.0), count + 1, 1 - p)
    found: Floats = np.where(below, tail, 1.0)
    return found


def _log_choose(n: Floats, k: Floats) -> Floats:
    found: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
