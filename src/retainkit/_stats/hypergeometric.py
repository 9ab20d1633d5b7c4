"""Tails of the hypergeometric distribution: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Booleans, Floats, Integers

with without_scipy_filters():
    from scipy.special import gammaln

_BLOCK = 2**15  # pairs that are worked on at once, so that they stay near the processor
_SMALL = 2.0**-54  # what adds nothing to 1


def two_sided_p_values(
    both: Integers, drawn: Integers, marked: Integers, total: Integers
) -> Floats:
    """Twice the smaller tail of the hypergeometric distribution, at most 1.

    Of a `total`, so many are `marked`, so many are `drawn`, and `both` are both. Exact for a fixed
    number of each, as Fisher's test is; a tail holds what was observed.
    """
    p_value = np.empty(len(both))
    # Rows that need about as many terms are worked on together.
    order = np.argsort(drawn.astype(np.float64) * marked / total)
    for begin in range(0, len(order), _BLOCK):
        rows = order[begin : begin + _BLOCK]
        p_value[rows] = _smaller_tails(both[rows], drawn[rows], marked[rows], total[rows])
    return np.minimum(2 * p_value, 1)


def hypergeometric_lower(
    count: ArrayLike, marked: ArrayLike, drawn: ArrayLike, total: ArrayLike
) -> Floats:
    """P(X <= count) where so many of a total are marked, and so many are drawn.

    One-sided Fisher's exact test, R. A. Fisher (1935), J. R. Stat. Soc. 98:39-82.
    """
    each = np.broadcast_arrays(count, marked, drawn, total)
    k, marked, drawn, total = (np.asarray(one, np.float64).ravel() for one in each)
    most = np.minimum(marked, drawn)
    point, tail, above = _outer_tails(np.minimum(k, most), marked, drawn, total)
    lower = np.where(above, 1 + point - tail, tail)
    found: Floats = np.where(k >= most, 1.0, np.minimum(lower, 1.0))
    return found.reshape(each[0].shape)


def _smaller_tails(both: Integers, drawn: Integers, marked: Integers, total: Integers) -> Floats:
    """Compute the smaller of the two tails that hold what was observed."""
    x, n, m, of = (one.astype(np.float64) for one in (both, drawn, marked, total))
    point, tail, _ = _outer_tails(x, n, m, of)
    return np.minimum(tail, 1 + point - tail)


def _outer_tails(x: Floats, n: Floats, m: Floats, of: Floats) -> tuple[Floats, Floats, Booleans]:
    """Compute ``P(X = x)``, the tail from `x` away from the mean, and whether it is the upper one.

    Of a total `of`, `m` are marked and `n` are drawn.
    """
    point = np.exp(_log_choose(m, x) + _log_choose(of - m, n - x) - _log_choose(of, n))
    # Away from the mean the terms fall from the first one on. The lower tail of the marked is the
    # upper tail of those that are not.
    above = x * of >= n * m
    marks = np.where(above, m, of - m)
    hits = np.where(above, x, n - x)
    return point, point * _sum_of_ratios(hits, n, marks, of), above


def _log_choose(n: Floats, k: Floats) -> Floats:
    """Logarithm of a binomial coefficient."""
    logarithm: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logarithm


def _sum_of_ratios(x: Floats, n: Floats, m: Floats, of: Floats) -> Floats:
    """Return ``P(X >= x) / P(X = x)``, term by term until nothing is added."""
    result = np.ones(len(x))
    rows, state = np.arange(len(x)), np.array([np.ones(len(x)), x, n, m, of - m - n])
    while len(rows):
        term, x, n, m, rest = state
        term *= (m - x) * (n - x) / ((x + 1) * (rest + x + 1))
        result[rows] += term
        x += 1
        goes_on = term > _SMALL * result[rows]
        if not goes_on.all():
            rows, state = rows[goes_on], state[:, goes_on]
    return result
