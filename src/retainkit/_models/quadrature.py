"""Rules of quadrature, and their refinement until two of them agree: arrays only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeAlias

import numpy as np

from retainkit._typing import Floats, Integers

Estimate: TypeAlias = Callable[[Integers], Floats]
"""The values, by one rule of quadrature, of the elements whose numbers are given."""

# Two rules of quadrature agree where they differ by less than this share of the result. Both
# converge fast, so the finer one, which is kept, is better than that by far.
_AGREEMENT = 1e-11


def refine(estimates: Iterable[Estimate], size: int) -> tuple[Floats, Integers]:
    """Refine each element until two estimates agree; return the numbers of those that never do."""
    value, left = np.empty(size), np.arange(size)
    before: Floats | None = None
    for estimate in estimates:
        now = estimate(left)
        value[left] = now
        if before is not None:
            apart = ~(np.abs(now - before) <= _AGREEMENT * np.abs(now))
            left, now = left[apart], now[apart]
        if not left.size:
            break
        before = now
    return value, left


@cache
def gauss_legendre(n: int) -> tuple[Floats, Floats]:
    """Nodes and weights over (0, 1)."""
    x, weight = np.polynomial.legendre.leggauss(n)
    return (1 + x) / 2, weight / 2
