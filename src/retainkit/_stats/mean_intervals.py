"""Intervals of means of which only sums are known: of the values, and of their squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import ratio
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import stdtrit

_ROUNDING = 1e-12  # share of the mean square up to which a variance is an error of rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Numbers of values, and the sums of the values and of their squares."""

    n: Integers
    values: Floats
    squares: Floats

    @property
    def mean(self) -> Floats:
        """Mean of the values; NaN where there are none."""
        return ratio(self.values, self.n)

    @property
    def standard_error(self) -> Floats:
        """Standard error of the mean; NaN of fewer than two values."""
        square = ratio(self.squares, self.n)
        variance = square - self.mean**2
        variance = np.where(variance <= _ROUNDING * square, 0.0, variance)
        freedom = np.where(self.n > 1, self.n - 1.0, np.nan)
        error: Floats = np.sqrt(variance / freedom)
        return error


def mean_interval(sums: Sums, confidence_level: float, *, above_0: bool) -> tuple[Floats, Floats]:
    """Interval of a mean, by the quantiles of t; of fewer than two values there is none.

    Of money, which is skewed, the mean is as well, and its logarithm less so: if no value is below
    0, the interval is that of the logarithm, by the delta method, and reaches further up than down.
    """
    t = stdtrit(np.maximum(sums.n - 1.0, 1.0), 0.5 + confidence_level / 2)
    mean, half = sums.mean, t * sums.standard_error
    if not above_0:
        return mean - half, mean + half
    # All values of 0 have a mean of 0 without error.
    factor = np.exp(np.where(half == 0, 0.0, ratio(half, mean)))
    return mean / factor, mean * factor
