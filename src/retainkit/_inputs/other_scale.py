"""Answers that look like those of another scale than the declared one."""

from __future__ import annotations

import numpy as np

from retainkit._inputs.scale import Scale
from retainkit._messages import named, warn
from retainkit._typing import Floats, Integers

# Shares of the answers 0 to 10 in the example of the R package NPS 1.1 (score 45), by B. Rocks,
# author of "Interval Estimation for the Net Promoter Score" (2016), Am. Stat. 70:365-372.
_USUAL = (0.02, 0.01, 0.01, 0.01, 0.01, 0.03, 0.03, 0.09, 0.22, 0.22, 0.35)
_UNLIKELY = 1e-10
_FEWEST = 10
_LONGEST = 10  # scales end at 10 or below, or else at 100


def warn_of_scale(
    score: Floats, n: Integers, scale: Scale, *, column: str, argument: str = "score"
) -> None:
    """Warn where the answers look like those of another scale than the declared one.

    `n` counts the answers with each `score`; a score may have several elements. Nobody need fill
    a scale, but n answers none of which is above k, of three values or more, are unlikely where
    the share up to k is usually p: it is p^n. Below 1e-10 they are taken for those of a shorter
    scale: of 0 to 10 that are ten answers up to 5, eleven up to 6, fifteen up to 7 and 28 up to 8.
    So low a bound leaves room for customers who are less happy than usual. The others are scales
    that differ by one at an end, and yes and no as 1 and 0.
    """
    total = int(n.sum())
    if total < _FEWEST:
        return
    values, index = np.unique(score, return_inverse=True)
    number = np.bincount(index, n).astype(np.int64)
    bottom, top, rows, text = values[0], values[-1], total, ""
    several = len(values) > 2 or (len(values) == 2 and bottom == scale.low == 0 and top == 1)
    short = several and top <= _LONGEST and top < scale.high - 1
    if short and usual_share(top, scale) ** total < _UNLIKELY:
        text = f"none of {total:,} answers is above {top:g}"
    elif scale.low == 0 and bottom == 1 and number[0] >= 10:
        rows = int(number[0])
        text = f"{rows:,} answers are {bottom:g} and none is {scale.low:g}"
    elif top == scale.high - 1 and number[-1] >= 30:
        rows = int(number[-1])
        text = f"{rows:,} answers are {top:g} and none is {scale.high:g}"
    if text:
        warn(
            f"in {named(column, argument)} {text}: is the scale from {scale.low:g} to "
            f"{scale.high:g}? If it is another one, set `scale`.",
            code="other_scale",
            argument=argument,
            column=column,
            rows=rows,
            total=total,
        )


def usual_share(score: float, scale: Scale) -> float:
    """Share of the answers of a scale that are usually not above a score.

    Each answer of a scale of m takes an m-th of the way from its bottom to its top, on which the
    usual answers from 0 to 10 are spread out evenly within theirs.
    """
    way = (score - scale.low + 1) / (scale.high - scale.low + 1)
    ends = np.arange(len(_USUAL) + 1) / len(_USUAL)
    return float(np.interp(way, ends, np.append(0, np.cumsum(_USUAL))))
