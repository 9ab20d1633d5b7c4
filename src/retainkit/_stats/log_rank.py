"""Log-rank test of two survival curves from counts: numbers in, numbers out."""

from __future__ import annotations

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import ratio
from retainkit._typing import Integers

with without_scipy_filters():
    from scipy.special import ndtr


def log_rank(
    n_a: Integers, churned_a: Integers, n_b: Integers, churned_b: Integers
) -> tuple[float, float]:
    r"""Chi-square of one degree of freedom, and the p-value, of the same risk in two groups.

    At each tenure n are at risk and d leave, so that :math:`n_a d / n` are expected to leave in the
    first group, with the variance :math:`n_a n_b d (n - d) / (n^2 (n - 1))` of the hypergeometric
    distribution; Mantel (1966), Cancer Chemother. Rep. 50:163-170. NaN where nobody leaves while
    both groups are at risk.
    """
    n, left = (n_a + n_b).astype(np.float64), (churned_a + churned_b).astype(np.float64)
    share = ratio(n_a, n)
    excess = np.nansum(churned_a - share * left)
    variance = np.nansum(share * (1 - share) * left * ratio(n - left, n - 1))
    chi_square = float(ratio(excess**2, variance))
    return chi_square, float(2 * ndtr(-np.sqrt(chi_square)))
