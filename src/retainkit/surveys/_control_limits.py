"""Control limits of scores, and what lies beyond them: numbers in, numbers and words out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._stats.intervals import ratio

if TYPE_CHECKING:
    from retainkit._typing import Array, Booleans, Floats, Integers
    from retainkit.surveys._period_scores import Scores


_RUN = 8  # periods on one side of the centre
# Mean and standard deviation of the distance of two values of normal noise of 1.
_D2, _D3 = 2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)


def chart(
    scores: Scores,
    segment: Integers,
    base: Booleans,
    complete: Booleans,
    *,
    kind: str,
    sigmas: float,
) -> dict[str, Any]:
    """Find the centre, the limits and the signals of scores, in the order of segments and periods.

    `base` marks those that tell what is usual; where a segment has none, its limits are NaN.
    """
    known = scores.n > 0
    moving = _moving_range(scores.score, segment, known)
    distance = _means(moving, segment, base & ~np.isnan(moving))
    if kind == "individuals":
        centre = _means(scores.score, segment, base)
        half = sigmas * distance / _D2
    else:
        # Of all answers together, since a period of one answer has no variance of its own.
        centre = _means(scores.score, segment, base, scores.size)
        squares = scores.spread**2 + (scores.score - centre) ** 2
        half = sigmas * np.sqrt(ratio(_means(squares, segment, base, scores.size), scores.size))
    low, high = scores.ends
    return {
        "n": scores.n,
        "score": scores.score,
        "centre": centre,
        "lower_limit": np.maximum(centre - half, low),
        "upper_limit": np.minimum(centre + half, high),
        "signal": _signals(scores.score, centre, half, segment, known & complete),
        "moving_range": moving,
        "moving_range_limit": distance * (1 + sigmas * _D3 / _D2),
    }


def _means(
    values: Floats, segment: Integers, which: Booleans, weights: Floats | None = None
) -> Floats:
    """Give each row the mean of its segment, over the rows that are marked."""
    weight = np.where(which, 1.0 if weights is None else weights, 0.0)
    total = np.bincount(segment, weight * np.where(which, values, 0))
    return ratio(total, np.bincount(segment, weight))[segment]


def _moving_range(score: Floats, segment: Integers, known: Booleans) -> Floats:
    """Give the distance of each score from the one before; of the first there is none."""
    place = np.flatnonzero(known)
    moving = np.full(len(score), np.nan)
    moving[place[1:]] = np.where(
        np.diff(segment[place]) == 0, np.abs(np.diff(score[place])), np.nan
    )
    return moving


def _signals(
    score: Floats, centre: Floats, half: Floats, segment: Integers, judged: Booleans
) -> Array:
    """Name the signal of each score that has one; only those that are `judged` can."""
    signal = np.full(len(score), "", object)
    place = np.flatnonzero(judged)
    off = (score - centre)[place]
    noise = 1e-9 * np.maximum(1.0, np.abs(centre[place]))
    side = np.where(np.abs(off) > noise, np.sign(off), 0)
    number = np.arange(len(place))
    begins = (np.diff(side, prepend=np.nan) != 0) | (np.diff(segment[place], prepend=-1) != 0)
    since = number - np.maximum.accumulate(np.where(begins, number, 0))
    signal[place[(since >= _RUN - 1) & (side != 0)]] = f"run of {_RUN}"
    signal[place[np.abs(off) > half[place] + noise]] = "beyond limits"
    return signal.astype(str)
