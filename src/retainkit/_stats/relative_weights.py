"""Importance of drivers: the part of R squared of each of them. Arrays in, arrays out.

A `matrix` holds correlations, with those of the outcome in the last row and column; there may be
many of them, along the first axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np
from numpy.typing import NDArray

from retainkit._progress import Step, no_step
from retainkit._typing import Floats
from retainkit.typing import DriverMethod

_ROUNDING = 1e-10  # of the variance of a driver: a smaller remainder is rounding
_CONSTANT = 1e-13  # of the mean square: a smaller variance is rounding
_MAX_ELEMENTS = 4_000_000  # held at a time


def correlations(values: Floats, weights: Floats) -> Floats:
    """Correlations of the columns of `values`, with weighted rows; no column may be constant."""
    scaled = _standardise(values, weights)
    matrix = (scaled * weights[:, np.newaxis]).T @ scaled / weights.sum()
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix, np.float64)


def coefficients(matrix: Floats) -> Floats:
    """Standardised coefficients of the regression of the outcome on all drivers."""
    return np.asarray(np.linalg.solve(matrix[:-1, :-1], matrix[:-1, -1]), np.float64)


def dependent(matrix: Floats) -> NDArray[np.intp]:
    """Return drivers of which one is a linear combination of the others; none if all are free."""
    roots, vectors = np.linalg.eigh(matrix[:-1, :-1])
    null = vectors[:, roots < _ROUNDING]
    return np.flatnonzero((np.abs(null) > 1e-4).any(axis=1))


# Importance


def importance(matrix: Floats, method: DriverMethod) -> Floats:
    """Part of R squared of each driver, along the last axis."""
    return {"relative_weights": relative_weights, "lmg": lmg}[method](matrix)


def relative_weights(matrix: Floats) -> Floats:
    """Johnson's relative weights, by way of the uncorrelated variables closest to the drivers.

    J. W. Johnson (2000), Multivariate Behavioral Research 35:1-19. The drivers load on those
    variables with L, the root of their correlations (eq. 2), and the outcome has the coefficients
    b = L^-1 r on them (eq. 3); a driver gets the share L^2 of each b^2 (eq. 4). Where drivers are
    collinear the inverse leaves out the redundant directions: R squared stays their sum.
    """
    roots, vectors = np.linalg.eigh(matrix[..., :-1, :-1])
    loading = np.sqrt(np.where(roots > _ROUNDING, roots, 0))
    inverse = np.divide(1, loading, out=np.zeros_like(loading), where=loading > 0)
    transposed = np.swapaxes(vectors, -1, -2)
    on_axes = inverse * (transposed @ matrix[..., :-1, -1, np.newaxis])[..., 0]
    b = vectors @ on_axes[..., np.newaxis]
    loadings = (vectors * loading[..., np.newaxis, :]) @ transposed
    weights: Floats = (loadings**2 @ b**2)[..., 0]
    return weights


def lmg(matrix: Floats) -> Floats:
    """Gain in R squared by each driver, averaged over the orders in which all may enter.

    Lindeman, Merenda & Gold (1980); in the theory of games, Shapley's value. Of an order only
    the set of drivers that came before matters, so it is a mean over sets.
    """
    r_squared = _r_squared_by_set(matrix)
    p = matrix.shape[-1] - 1
    sets = np.arange(2**p)
    size = np.bitwise_count(sets)
    chance = 1 / (p * np.array([comb(p - 1, k) if k < p else np.inf for k in range(p + 1)]))
    parts = []
    for driver in range(p):
        before = sets[sets >> driver & 1 == 0]
        gain = r_squared[before | 1 << driver] - r_squared[before]
        parts.append(np.tensordot(chance[size[before]], gain, axes=1))
    return np.stack(parts, axis=-1)


def _r_squared_by_set(matrix: Floats) -> Floats:
    """R squared of each set of drivers, along the first axis; driver i is bit i of the index.

    One driver after the other is removed. For sets with it, the matrix that remains is what it does
    not explain (the Schur complement); for sets without it, the matrix stays. No set is solved for
    twice.
    """
    left = matrix[np.newaxis]
    for _ in range(matrix.shape[-1] - 1):
        pivot, row = left[..., 0, 0, np.newaxis], left[..., 0, 1:]
        # A driver that depends on those before has no variance left, and explains nothing.
        slope = np.divide(row, pivot, out=np.zeros_like(row), where=pivot > _ROUNDING)
        rest = left[..., 1:, 1:]
        unexplained = rest - slope[..., :, np.newaxis] * row[..., np.newaxis, :]
        left = np.concatenate([rest, unexplained])
    r_squared: Floats = 1 - left[..., 0, 0]
    return r_squared


# Bootstrap


def bootstrap_importance(
    values: Floats,
    weights: Floats,
    method: DriverMethod,
    *,
    draws: int,
    seed: int | None,
    step: Step = no_step,
) -> Floats:
    """Importance of each driver in bootstrap samples of the rows: draws by drivers.

    Equal rows must be next to each other. In a draw in which a driver does not vary its importance
    is 0; where the outcome does not vary, the whole row is NaN. `step` is told of draws done.
    """
    n, columns = values.shape
    given = np.column_stack([values, weights])
    begin = np.append(0, 1 + np.flatnonzero((given[1:] != given[:-1]).any(axis=1)))
    scaled = np.column_stack([np.ones(len(begin)), _standardise(values, weights)[begin]])
    first, second = np.triu_indices(columns + 1)
    products = scaled[:, first] * scaled[:, second] * weights[begin, np.newaxis]
    size = max(n, columns**2, 2 ** (columns + 1) if method == "lmg" else 0)
    rng = np.random.default_rng(seed)
    parts = []
    for counts in _draw_counts(np.diff(begin, append=n), draws, max(1, _MAX_ELEMENTS // size), rng):
        sums = np.empty((len(counts), columns + 1, columns + 1))
        sums[:, first, second] = sums[:, second, first] = counts @ products
        matrix = _correlations_from_sums(sums)
        share = importance(matrix, method)
        parts.append(np.where(matrix[:, -1, -1, np.newaxis] > 0, share, np.nan))
        step(len(counts))
    return np.concatenate(parts)


def _draw_counts(
    repeats: NDArray[np.intp], draws: int, step: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Draw how often each distinct row occurs, in batches of at most `step` draws."""
    distinct, n = len(repeats), int(repeats.sum())
    row = np.repeat(np.arange(distinct), repeats)
    for begin in range(0, draws, step):
        size = min(step, draws - begin)
        if 12 * distinct < n:  # a binomial number takes as long as 12 rows drawn singly
            yield rng.multinomial(n, repeats / n, size=size).astype(np.float64)
        else:
            place = rng.integers(n, size=(size, n))
            place = row[place] if distinct < n else place
            place += distinct * np.arange(size)[:, np.newaxis]
            counts = np.bincount(place.ravel(), minlength=size * distinct)
            yield counts.reshape(size, distinct).astype(np.float64)


def _correlations_from_sums(sums: Floats) -> Floats:
    """Correlations from sums of products, of which the first row and column are with 1.

    A constant column has correlation 0 with the others; a constant outcome has 0 on the diagonal.
    """
    mean = sums[:, 0, 1:] / sums[:, :1, 0]
    square = sums[:, 1:, 1:] / sums[:, :1, :1]
    covariance = square - mean[:, :, np.newaxis] * mean[:, np.newaxis, :]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    varies = variance > _CONSTANT * np.diagonal(square, axis1=1, axis2=2)
    scale = np.divide(1, np.sqrt(np.abs(variance)), out=np.zeros_like(variance), where=varies)
    matrix: Floats = covariance * scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    diagonal = np.arange(matrix.shape[1])
    matrix[:, diagonal, diagonal] = 1.0
    matrix[:, -1, -1] = varies[:, -1]
    return matrix


def _standardise(values: Floats, weights: Floats) -> Floats:
    """Scale columns to weighted mean 0 and variance 1."""
    share = weights / weights.sum()
    centred = values - share @ values
    centred /= np.abs(centred).max(axis=0)  # so that no square over- or underflows
    scaled: Floats = centred / np.sqrt(share @ centred**2)
    return scaled
