"""Second moments of the purchases of a living customer: arrays only.

They are those of BG/NBD and MBG/NBD, as in `special`: a living customer buys at a rate
lambda ~ Gamma(r, rate alpha), and leaves after each purchase with probability p ~ Beta(a, b).
"""
# ruff: noqa: PLR0917 - the arguments are those of the formulas, in their order

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from retainkit._models.special import discounted_purchases_if_alive, purchases_if_alive
from retainkit._typing import Floats

Number: TypeAlias = float | Floats

# Where less than this is discounted within the horizon, nothing is: the differences of discounted
# purchases would have no digits left.
_NEGLIGIBLE_DISCOUNT = 1e-6
_STEP = 1e-3  # of the discount within the horizon, by which the limit at none is found


def mean_square_if_alive(
    rate: float, t: float, r: Number, alpha: Number, a: Number, b: Number
) -> tuple[Floats, Floats]:
    """Return the expected sums over pairs of two purchases, and over purchases with themselves.

    Of purchases within `t` at the times s, discounted by exp(-rate s), they are the sums of
    exp(-rate (s + s')) and of exp(-2 rate s); together they are the mean square of the sum.

    Two purchases, at s' before s, have the density lambda^2 (1 - p) exp(-lambda p s), whose mean is
    r / alpha * b / (a + b) times the density g(s) of the purchases with r + 1 for r and b + 1 for
    b. The integral over s' leaves one of (exp(-rate s) - exp(-2 rate s)) / rate over g: a
    difference of discounted purchases.
    """
    own = _discounted(2 * rate, t, r, alpha, a, b)
    later = r + 1, alpha, a, b + 1
    pairs = _discounted_once_more(rate, t, *later)
    return 2 * r / alpha * b / (a + b) * pairs, own


def _discounted_once_more(
    rate: float, t: float, r: Number, alpha: Number, a: Number, b: Number
) -> Floats:
    """Return the integral of (exp(-rate s) - exp(-2 rate s)) / rate over purchases, s without."""
    after = r, alpha, a, b
    if rate * t > _NEGLIGIBLE_DISCOUNT:
        difference = _discounted(rate, t, *after) - _discounted(2 * rate, t, *after)
        return np.maximum(difference, 0.0) / rate
    if t == 0:
        return np.zeros(np.broadcast(r, alpha, b).shape)
    step = _STEP / t
    whole = purchases_if_alive(t, *after)
    once, twice = (_discounted(n * step, t, *after) for n in (1, 2))
    # The mean of (1 - exp(-step s)) / step is that of s (1 - step s / 2): extrapolated to no step.
    limit: Floats = (2 * (whole - once) - (whole - twice) / 2) / step
    return np.maximum(limit, 0.0)


def _discounted(rate: float, t: float, r: Number, alpha: Number, a: Number, b: Number) -> Floats:
    if rate == 0:
        return purchases_if_alive(t, r, alpha, a, b)
    return discounted_purchases_if_alive(rate, t, r, alpha, a, b)
