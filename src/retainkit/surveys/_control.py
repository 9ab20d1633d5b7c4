"""Control limits of scores, and what lies beyond them: numbers in, numbers and words out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from retainkit._intervals import ratio
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit.surveys._series import Scores

    Floats: TypeAlias = NDArray[np.float64]
    Booleans: TypeAlias = NDArray[np.bool_]

_RUN = 8  # periods on one side of the centre
# Mean and standard deviation of the distance of two values of normal noise of 1.
_D2, _D3 = 2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)


def chart(
    scores: Scores, usual: Booleans, complete: Booleans, *, kind: str, sigmas: float
) -> dict[str, Any]:
    """Find the centre, the limits and the signals."""
    known = scores.n > 0
    base = usual & known
    if len(known) and base.sum() < 2:
        raise ArgumentError(
            f"too few periods of the baseline are over and have answers ({int(base.sum())}): it "
            "takes two or more to tell what is usual. Choose a longer `baseline`, or a shorter "
            "`period`."
        )
    moving = _moving_range(scores.score, known)
    distance = _mean(moving[base & ~np.isnan(moving)])
    if kind == "individuals":
        centre = _mean(scores.score[base])
        half = np.full(len(known), sigmas * distance / _D2)
    else:
        # Of all answers together, since a period of one answer has no variance of its own.
        size = scores.size[base]
        centre = _mean(scores.score[base], size)
        variance = _mean(scores.spread[base] ** 2 + (scores.score[base] - centre) ** 2, size)
        half = sigmas * np.sqrt(ratio(np.full(len(known), variance), scores.size))
    signal = _signals(scores.score, known & complete, centre, half)
    return {
        "n": scores.n,
        "score": scores.score,
        "centre": np.full(len(known), centre),
        "lower_limit": centre - half,
        "upper_limit": centre + half,
        "signal": signal,
        "moving_range": moving,
        "moving_range_limit": np.full(len(known), distance * (1 + sigmas * _D3 / _D2)),
    }


def _mean(values: Floats, weights: Floats | None = None) -> float:
    return float(np.average(values, weights=weights)) if len(values) else float("nan")


def _moving_range(score: Floats, known: Booleans) -> Floats:
    """Give the distance of each score from the one before; of the first there is none."""
    moving = np.full(len(score), np.nan)
    moving[np.flatnonzero(known)[1:]] = np.abs(np.diff(score[known]))
    return moving


def _signals(score: Floats, known: Booleans, centre: float, half: Floats) -> NDArray[Any]:
    """Name the signal of each period that has one."""
    signal = np.full(len(score), "", object)
    place = np.flatnonzero(known)
    off = score[place] - centre
    noise = 1e-9 * max(1.0, abs(centre))
    side = np.where(np.abs(off) > noise, np.sign(off), 0)
    begins = np.append(True, side[1:] != side[:-1])[: len(side)]
    since = np.arange(len(side)) - np.maximum.accumulate(np.where(begins, np.arange(len(side)), 0))
    signal[place[(since >= _RUN - 1) & (side != 0)]] = f"run of {_RUN}"
    signal[place[np.abs(off) > half[place] + noise]] = "beyond limits"
    return signal.astype(str)
