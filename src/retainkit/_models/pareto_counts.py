"""Probabilities of the number of purchases under Pareto/NBD, on arrays."""

from __future__ import annotations

import numpy as np

from retainkit._models.process import RowParameters
from retainkit._models.quadrature import Estimate, gauss_legendre, refine
from retainkit._models.special import log_rising
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import xlogy

_NODES = 16  # of each panel
_PANELS = (8, 16, 32, 64, 128, 256, 512)
_NEGLIGIBLE = 45.0  # log of a share below which the rest is left out
_VALUES = 2**20  # held at a time


def count_probabilities(params: RowParameters, n: Floats, t: Floats) -> Floats:
    """Probability that a customer who first buys at time 0 buys n times in (0, t].

    Either the customer is alive at t, or left at a time u, with n purchases by then: an integral
    over log u, of terms that are all positive.
    """
    arrays = np.broadcast_arrays(n, t, *params)
    n, t, r, alpha, s, beta = (np.asarray(one, np.float64).ravel() for one in arrays)
    ways = log_rising(r, n) - log_rising(1.0, n)

    def log_count(u: Floats, rows: Integers) -> Floats:
        """Return the log probability of n purchases by the time u."""
        shape = (rows, *(None,) * (u.ndim - 1))
        x, a = n[shape], alpha[shape]
        count: Floats = ways[shape] - r[shape] * np.log1p(u / a) + xlogy(x, u / (a + u))
        return count

    every = np.arange(t.size)
    alive = np.exp(log_count(t, every) - s * np.log1p(t / beta))

    def panels(n_panels: int) -> Estimate:
        nodes, weights = gauss_legendre(_NODES)
        points = ((np.arange(n_panels)[:, None] + nodes) / n_panels).ravel()
        shares = np.tile(weights / n_panels, n_panels)

        def part(rows: Integers) -> Floats:
            top = np.log(t[rows, None])
            length = _reach(n[rows], t[rows], alpha[rows])[:, None]
            u = np.exp(top - length * (1 - points))
            own_s, own_beta = s[rows, None], beta[rows, None]
            log_left = np.log(own_s * u / (own_beta + u)) - own_s * np.log1p(u / own_beta)
            inside = np.exp(log_count(u, rows) + log_left)
            found: Floats = length[:, 0] * np.einsum("rn,n->r", inside, shares)
            return found

        def estimate(rows: Integers) -> Floats:
            size = max(_VALUES // len(points), 1)
            blocks = [part(rows[i : i + size]) for i in range(0, len(rows), size)]
            return np.concatenate([np.empty(0), *blocks])

        return estimate

    some = every[t > 0]

    def of_some(estimate: Estimate) -> Estimate:
        return lambda rows: estimate(some[rows])

    left = np.zeros(t.size)
    left[some] = refine((of_some(panels(size)) for size in _PANELS), some.size)[0]
    return np.asarray(alive + left).reshape(arrays[0].shape)


def _reach(n: Floats, t: Floats, alpha: Floats) -> Floats:
    """Return how far below log t the integrand matters: below alpha it falls as u^(n + 1)."""
    below = np.maximum(np.log(t / alpha), 0.0)
    reach: Floats = below + _NEGLIGIBLE / (1 + n)
    return reach
