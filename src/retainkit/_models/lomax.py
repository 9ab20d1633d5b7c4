"""Integrals over the time of living customers, who leave at a rate ~ Gamma(s, rate b): arrays only.

By the time u they are still there with probability S(u) = (1 + u / b)^-s. The integrals are taken
over log(1 + u / c), where their integrands have no singularity within a distance of pi from the
real line if c is no more than b, and bend at about 1 with this c.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from retainkit._models.quadrature import Estimate, gauss_legendre, refine
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import exprel

_SIZES = (12, 18, 26, 40, 60, 90, 140, 200, 300)
_FAR = 45.0  # what comes after rate * time of this is discounted to nothing


def discounted_time(rate: float, t: float | Floats, s: float | Floats, b: float | Floats) -> Floats:
    """Integrate exp(-rate u) S(u) over u from 0 to t; at a rate above 0 it may be infinite."""
    if rate == 0:
        length = np.log1p(t / b)
        lived: Floats = b * length * exprel((1 - s) * length)
        return lived
    return _integral(lambda u: np.exp(-rate * u), rate, t, s, b)


def mean_discounted_pairs(rate: float, t: ArrayLike, s: ArrayLike, b: ArrayLike) -> Floats:
    """Integrate exp(-rate (u + v)) S(u) over v from 0 to u, and u from 0 to t."""
    return _integral(lambda u: np.exp(-rate * u) * u * exprel(-rate * u), rate, t, s, b)


def _integral(
    of_time: Callable[[Floats], Floats], rate: float, t: ArrayLike, s: ArrayLike, b: ArrayLike
) -> Floats:
    """Integrate a function of time and S(u) over u from 0 to t."""
    arrays = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in (t, s, b)))
    end, shape, scale = (one.ravel() for one in arrays)
    if rate > 0:
        end = np.minimum(end, _FAR / rate)
    bend = scale / (1 + shape)

    def gauss(n: int) -> Estimate:
        nodes, weights = gauss_legendre(n)

        def estimate(rows: Integers) -> Floats:
            c = bend[rows, None]
            reach = np.log1p(end[rows, None] / c)
            grown = np.expm1(reach * nodes)
            u = c * grown
            stays = np.exp(-shape[rows, None] * np.log1p(u / scale[rows, None]))
            inside = of_time(u) * stays * (1 + grown)
            found: Floats = (c * reach)[:, 0] * np.einsum("rn,n->r", inside, weights)
            return found

        return estimate

    value, _ = refine(map(gauss, _SIZES), end.size)
    return value.reshape(arrays[0].shape)
