"""Control limits of scores in periods, and signals beyond them: arrays in, arrays out.

Rows are periods, in the order of segments and of time within a segment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retainkit._stats.intervals import ratio
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.typing import ChartKind

_RUN = 8  # periods on one side of the centre
# Mean and standard deviation of the distance of two values of standard normal noise.
_D2, _D3 = 2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlLimits:
    """Centre of each row, half the distance of its limits, and moving ranges with their limit."""

    centre: Floats
    half: Floats
    moving_range: Floats
    moving_range_limit: Floats


def control_limits(
    score: Floats,
    *,
    size: Floats,
    deviation: Floats,
    segment: Integers,
    base: Booleans,
    kind: ChartKind,
    sigmas: float,
) -> ControlLimits:
    """Control limits of scores, by their moving range ("individuals") or by sampling error.

    A score is NaN for a period without answers, else a mean of `size` answers with the standard
    deviation `deviation`. `base` marks the rows that show what is usual; the limits of a segment
    without any are NaN.
    """
    moving_range = _moving_range(score, segment)
    distance = _segment_means(moving_range, segment, base & ~np.isnan(moving_range))
    if kind == "individuals":
        centre = _segment_means(score, segment, base)
        half = sigmas * distance / _D2
    else:
        # Of all answers together, since a period of one answer has no variance of its own.
        centre = _segment_means(score, segment, base, size)
        squares = deviation**2 + (score - centre) ** 2
        half = sigmas * np.sqrt(ratio(_segment_means(squares, segment, base, size), size))
    return ControlLimits(
        centre=centre,
        half=half,
        moving_range=moving_range,
        moving_range_limit=distance * (1 + sigmas * _D3 / _D2),
    )


def _segment_means(
    values: Floats, segment: Integers, which: Booleans, weights: Floats | None = None
) -> Floats:
    """Return for each row the mean of its segment, over the rows that are marked."""
    weight = np.where(which, 1.0 if weights is None else weights, 0.0)
    total = np.bincount(segment, weight * np.where(which, values, 0))
    return ratio(total, np.bincount(segment, weight))[segment]


def _moving_range(score: Floats, segment: Integers) -> Floats:
    """Distance of each score from the one before in its segment; NaN for the first."""
    index = np.flatnonzero(~np.isnan(score))
    moving = np.full(len(score), np.nan)
    moving[index[1:]] = np.where(
        np.diff(segment[index]) == 0, np.abs(np.diff(score[index])), np.nan
    )
    return moving


def signals(score: Floats, limits: ControlLimits, segment: Integers, judged: Booleans) -> Array:
    """Name the signal of each row, empty for none; only rows that are `judged` can have one."""
    signal = np.full(len(score), "", object)
    index = np.flatnonzero(judged)
    off = (score - limits.centre)[index]
    rounding = 1e-9 * np.maximum(1.0, np.abs(limits.centre[index]))
    side = np.where(np.abs(off) > rounding, np.sign(off), 0)
    number = np.arange(len(index))
    begins = (np.diff(side, prepend=np.nan) != 0) | (np.diff(segment[index], prepend=-1) != 0)
    since = number - np.maximum.accumulate(np.where(begins, number, 0))
    signal[index[(since >= _RUN - 1) & (side != 0)]] = f"run of {_RUN}"
    signal[index[np.abs(off) > limits.half[index] + rounding]] = "beyond limits"
    return signal.astype(str)
