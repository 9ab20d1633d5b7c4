"""Tails of the binomial distribution: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import betainc


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
