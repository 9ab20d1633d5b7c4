"""Bootstrap intervals of Net Promoter Scores: counts in, limits out."""

from __future__ import annotations

import numpy as np

from retainkit._progress import Step, no_step
from retainkit._typing import Floats, Integers


def bootstrap_limits(
    counts: Integers, level: float, *, draws: int, seed: int | None, step: Step = no_step
) -> tuple[Floats, Floats]:
    """Percentile limits of the difference of shares, from -1 to 1; NaN without answers.

    `counts` has a row a segment: promoters, passives and detractors. The draws of each mix start
    at the seed, so that a segment has the same limits beside others as alone. `step` is told of the
    draws of each segment that has answers.
    """
    mixes, index = np.unique(counts, axis=0, return_inverse=True)
    limits = np.full((2, len(mixes)), np.nan)
    tails = [0.5 - level / 2, 0.5 + level / 2]
    for i, mix in enumerate(mixes):
        n = mix.sum()
        if not n:
            continue
        drawn = np.random.default_rng(seed).multinomial(n, mix / n, size=draws)
        limits[:, i] = np.quantile((drawn[:, 0] - drawn[:, 2]) / n, tails)
        step(draws * int((index.ravel() == i).sum()))
    lower, upper = limits[:, index.ravel()]
    return lower, upper
