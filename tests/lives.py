"""Customers who live, buy and spend by random numbers alone, as the models tell the story."""
# ruff: noqa: N803 - T is what the papers call it

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


def buy_and_drop_out(
    rate: Floats | float, drop: Floats | float, T: Floats, rng: np.random.Generator, shift: int = 0
) -> tuple[Floats, Floats]:
    """Return x and tx of customers who may drop out after each repeat purchase.

    With `shift` 1 they may after the first purchase, too: that is MBG/NBD.
    """
    x, tx, now = np.zeros(T.size), np.zeros(T.size), np.zeros(T.size)
    alive = rng.random(T.size) >= np.multiply(drop, shift)
    while alive.any():
        now = now + rng.exponential(size=T.size) / np.maximum(rate, 1e-300)
        alive &= now <= T
        x, tx = x + alive, np.where(alive, now, tx)
        alive &= rng.random(T.size) >= drop
    return x, tx


def buy_and_leave(
    rate: Floats | float, leaving: Floats | float, T: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return x and tx of customers who may leave at any time: those of Pareto/NBD."""
    until = np.minimum(T, rng.exponential(size=T.size) / np.maximum(leaving, 1e-300))
    return buy_and_drop_out(rate, 0.0, until, rng)


def mean_spend(params: Any, x: Floats, rng: np.random.Generator) -> Floats:
    """Return the mean of x > 0 purchases by Gamma-Gamma of p, q and v, which may be each one's."""
    p, q, v = params
    mean: Floats = rng.gamma(p * x) / x / (rng.gamma(q, size=x.size) / v)
    return mean
