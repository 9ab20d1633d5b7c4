"""Ranking by a score: the area under the ROC curve and its interval, bins of equal scores.

Rows of one score are counted together: `n` rows, of which `events` had the outcome, in ascending
order of the score.
"""

from __future__ import annotations

import math

import numpy as np

from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats, Integers

_CELLS = 4096  # of the histogram that bounds an area without sorting


def auc(n: Integers, events: Integers, confidence_level: float) -> tuple[float, float, float]:
    """Area under the ROC curve, ties counting half, and DeLong's limits, cut to [0, 1].

    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845, eq. 1 to 5: each row with the
    outcome has the share of the others that it outranks, and the reverse; the variance of the area
    is the sum of the variances of both means.
    """
    with_outcome = events.astype(np.float64)
    without = n - with_outcome
    total, others = float(with_outcome.sum()), float(without.sum())
    if not total or not others:
        return math.nan, math.nan, math.nan
    outranked = (np.cumsum(without) - without / 2) / others
    outranking = 1 - (np.cumsum(with_outcome) - with_outcome / 2) / total
    area = float(with_outcome @ outranked) / total
    if min(total, others) < 2:
        return area, math.nan, math.nan
    variance = with_outcome @ (outranked - area) ** 2 / (total - 1) / total
    variance += without @ (outranking - area) ** 2 / (others - 1) / others
    half = normal_quantile(confidence_level) * math.sqrt(variance)
    return area, max(area - half, 0.0), min(area + half, 1.0)


def bin_of_ranks(first: Integers, total: Integers, bins: int) -> Integers:
    """Return the bin in which each first rank lies, where bin k ends at rank ceil(total k / bins).

    Ranks and bins begin with 1.
    """
    found: Integers = (first - 1) * bins // total + 1
    return found


# Single features


def area_of(values: Floats, events: Integers) -> float:
    """Area under the ROC curve of values, each of one row with 0 or 1 `events`; exact."""
    order = np.argsort(values)
    ordered, happened = values[order], events[order]
    opens = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    n = np.diff(opens, append=len(ordered))
    return auc(n, np.add.reduceat(happened, opens), 0.5)[0]


def area_above(values: Floats, events: Integers, limit: float) -> float:
    """Return the area of a feature, or 1 less it if that is more, where it is above a limit; or 0.

    A histogram bounds the area: within a cell the order is not known. Only where the bounds hold
    the limit, or lie above it, are the values sorted, which takes ten times as long.
    """
    least, most = float(values.min()), float(values.max())
    if not most > least:
        return 0.0
    cell = ((values - least) * ((_CELLS - 1) / (most - least))).astype(np.int64)
    counts = np.bincount(cell + _CELLS * events, minlength=2 * _CELLS).astype(np.float64)
    others, happened = counts[:_CELLS], counts[_CELLS:]
    pairs = others.sum() * happened.sum()
    if not pairs:
        return 0.0
    area = float(happened @ (np.cumsum(others) - others / 2)) / pairs
    unknown = float(happened @ others) / 2 / pairs
    if max(area, 1 - area) + unknown < limit:
        return 0.0
    area = area_of(values, events)
    found = max(area, 1 - area)
    return found if found > limit else 0.0
