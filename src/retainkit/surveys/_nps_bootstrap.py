"""Percentiles of net promoter scores of answers drawn anew: counts in, limits out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

_MOST = 20_000_000  # numbers held at a time


def bootstrap_limits(
    counts: Integers, level: float, *, draws: int, seed: int | None
) -> tuple[Floats, Floats]:
    """Give the percentile limits of the difference of shares, from -1 to 1; NaN without answers.

    `counts` has a row a segment: promoters, passives and detractors.
    """
    rng = np.random.default_rng(seed)
    n = counts.sum(axis=1)
    limits = np.full((2, len(n)), np.nan)
    tails = [0.5 - level / 2, 0.5 + level / 2]
    step = max(1, _MOST // (3 * draws))
    for begin in range(0, len(n), step):
        part = slice(begin, begin + step)
        some = n[part] > 0
        size, shares = n[part][some], counts[part][some] / n[part][some, np.newaxis]
        drawn = rng.multinomial(size, shares, size=(draws, len(size)))
        scores = (drawn[..., 0] - drawn[..., 2]) / size
        limits[:, part][:, some] = np.quantile(scores, tails, axis=0)
    return limits[0], limits[1]
