"""The importance of drivers: what part of R squared each of them has. Arrays in, arrays out.

A matrix here is one of correlations with the outcome in the last row and column; there may be many,
along the first axes.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from retainkit._typing import Floats


_NOTHING = 1e-10  # of the variance of a driver: what is left below this is rounding
_FLAT = 1e-13  # of the mean square: the variance of what does not vary
_MOST = 4_000_000  # numbers held at a time


def correlations(values: Floats, weights: Floats) -> Floats:
    """Correlate the columns of `values`, each row with its weight; none may be constant."""
    scaled = _standardised(values, weights)
    matrix = (scaled * weights[:, np.newaxis]).T @ scaled / weights.sum()
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix, np.float64)


def coefficients(matrix: Floats) -> Floats:
    """Give the standardised coefficients of the regression of the outcome on all drivers."""
    return np.asarray(np.linalg.solve(matrix[:-1, :-1], matrix[:-1, -1]), np.float64)


def dependent(matrix: Floats) -> NDArray[np.intp]:
    """Tell the drivers of which one follows exactly from the others: none, if there is no such."""
    roots, vectors = np.linalg.eigh(matrix[:-1, :-1])
    null = vectors[:, roots < _NOTHING]
    return np.flatnonzero((np.abs(null) > 1e-4).any(axis=1))


# Importance


def importance(matrix: Floats, method: str) -> Floats:
    """Share R squared out among the drivers, along the last axis."""
    return {"relative_weights": relative_weights, "lmg": lmg}[method](matrix)


def relative_weights(matrix: Floats) -> Floats:
    """Johnson's weights: by way of the uncorrelated variables that are closest to the drivers.

    J. W. Johnson (2000), Multivariate Behavioral Research 35:1-19. The drivers load on those
    variables with L, the root of their correlations (eq. 2), and the outcome has the coefficients
    b = L^-1 r on them (eq. 3); a driver is given the share L^2 of each b^2 (eq. 4). What drivers
    that depend on each other repeat is left out of the inverse: R squared stays their sum.
    """
    roots, vectors = np.linalg.eigh(matrix[..., :-1, :-1])
    loading = np.sqrt(np.where(roots > _NOTHING, roots, 0))
    inverse = np.divide(1, loading, out=np.zeros_like(loading), where=loading > 0)
    turned = np.swapaxes(vectors, -1, -2)
    on_axes = inverse * (turned @ matrix[..., :-1, -1, np.newaxis])[..., 0]
    b = vectors @ on_axes[..., np.newaxis]
    loadings = (vectors * loading[..., np.newaxis, :]) @ turned
    weights: Floats = (loadings**2 @ b**2)[..., 0]
    return weights


def lmg(matrix: Floats) -> Floats:
    """Give the gain in R squared by each driver, averaged over the orders in which all may enter.

    Lindeman, Merenda & Gold (1980); in the theory of games, Shapley's value. An order matters only
    by the set of drivers that came before, so it is a mean over sets.
    """
    explained = _explained(matrix)
    p = matrix.shape[-1] - 1
    sets = np.arange(2**p)
    size = np.bitwise_count(sets)
    chance = 1 / (p * np.array([comb(p - 1, k) if k < p else np.inf for k in range(p + 1)]))
    parts = []
    for driver in range(p):
        before = sets[sets >> driver & 1 == 0]
        gain = explained[before | 1 << driver] - explained[before]
        parts.append(np.tensordot(chance[size[before]], gain, axes=1))
    return np.stack(parts, axis=-1)


def _explained(matrix: Floats) -> Floats:
    """Give R squared for each set of drivers, along the first axis; driver i is bit i of its place.

    One driver after the other is taken out of what is left: with it, the rest is what it does not
    explain (the Schur complement), without it, the rest stays. No set is solved for twice.
    """
    left = matrix[np.newaxis]
    for _ in range(matrix.shape[-1] - 1):
        pivot, row = left[..., 0, 0, np.newaxis], left[..., 0, 1:]
        # Of a driver that follows from those before nothing is left, and it explains nothing.
        slope = np.divide(row, pivot, out=np.zeros_like(row), where=pivot > _NOTHING)
        rest = left[..., 1:, 1:]
        taken = rest - slope[..., :, np.newaxis] * row[..., np.newaxis, :]
        left = np.concatenate([rest, taken])
    r_squared: Floats = 1 - left[..., 0, 0]
    return r_squared


# Drawing anew


def drawn_importance(
    values: Floats, weights: Floats, method: str, *, draws: int, seed: int | None
) -> Floats:
    """Give the importance of each driver in samples drawn anew from the rows: draws by drivers.

    Rows that are equal must stand beside each other. A driver that does not vary in a draw has no
    importance there; where the outcome does not vary, there is none to share, and the row is NaN.
    """
    n, columns = values.shape
    given = np.column_stack([values, weights])
    begin = np.append(0, 1 + np.flatnonzero((given[1:] != given[:-1]).any(axis=1)))
    scaled = np.column_stack([np.ones(len(begin)), _standardised(values, weights)[begin]])
    first, second = np.triu_indices(columns + 1)
    products = scaled[:, first] * scaled[:, second] * weights[begin, np.newaxis]
    held = max(n, columns**2, 2 ** (columns + 1) if method == "lmg" else 0)
    rng = np.random.default_rng(seed)
    parts = []
    for counts in _counts(np.diff(begin, append=n), draws, max(1, _MOST // held), rng):
        sums = np.empty((len(counts), columns + 1, columns + 1))
        sums[:, first, second] = sums[:, second, first] = counts @ products
        matrix = _correlated(sums)
        share = importance(matrix, method)
        parts.append(np.where(matrix[:, -1, -1, np.newaxis] > 0, share, np.nan))
    return np.concatenate(parts)


def _counts(
    repeats: NDArray[np.intp], draws: int, step: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Draw how often each distinct row comes, in batches of at most `step` draws."""
    distinct, n = len(repeats), int(repeats.sum())
    row = np.repeat(np.arange(distinct), repeats)
    for begin in range(0, draws, step):
        size = min(step, draws - begin)
        if 12 * distinct < n:  # a binomial number takes as long as so many rows drawn singly
            yield rng.multinomial(n, repeats / n, size=size).astype(np.float64)
        else:
            place = rng.integers(n, size=(size, n))
            place = row[place] if distinct < n else place
            place += distinct * np.arange(size)[:, np.newaxis]
            counts = np.bincount(place.ravel(), minlength=size * distinct)
            yield counts.reshape(size, distinct).astype(np.float64)


def _correlated(sums: Floats) -> Floats:
    """Turn sums of products, with those of 1 first, into correlations.

    What does not vary is uncorrelated; of an outcome that does not, the variance is 0 as well.
    """
    mean = sums[:, 0, 1:] / sums[:, :1, 0]
    square = sums[:, 1:, 1:] / sums[:, :1, :1]
    covariance = square - mean[:, :, np.newaxis] * mean[:, np.newaxis, :]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    varies = variance > _FLAT * np.diagonal(square, axis1=1, axis2=2)
    scale = np.divide(1, np.sqrt(np.abs(variance)), out=np.zeros_like(variance), where=varies)
    matrix: Floats = covariance * scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    diagonal = np.arange(matrix.shape[1])
    matrix[:, diagonal, diagonal] = 1.0
    matrix[:, -1, -1] = varies[:, -1]
    return matrix


def _standardised(values: Floats, weights: Floats) -> Floats:
    """Give columns of mean 0 and variance 1, by weight."""
    share = weights / weights.sum()
    centred = values - share @ values
    centred /= np.abs(centred).max(axis=0)  # so that no square is infinite or nothing
    scaled: Floats = centred / np.sqrt(share @ centred**2)
    return scaled
