"""How many simple answers a mean is worth, where there are weights or several of one respondent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from retainkit._stats.intervals import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit._typing import Array, Floats, Integers


_NOTHING = 1e-12  # a variance below this is one of rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Sums over respondents who answered several times, a segment an element.

    Of the sum of weighted values x and of the weights w of each: the sums of squares and products.
    """

    number: Floats
    xx: Floats
    xw: Floats
    ww: Floats

    def at(self, place: Integers, size: int) -> Clusters:
        """Lay them out at other places, of `size`; elsewhere there is nobody."""
        number, xx, xw, ww = (
            np.bincount(place, one, size).astype(np.float64)
            for one in (self.number, self.xx, self.xw, self.ww)
        )
        return Clusters(number=number, xx=xx, xw=xw, ww=ww)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSize:
    """What means of `n` answers are worth, a segment or cell an element.

    They are as uncertain as those of `effective` simple answers. `units` is the number of those
    that are independent of each other, answers or else respondents; if a respondent always answered
    alike, the means would be worth `alike`.
    """

    n: Floats
    effective: Floats
    units: Floats
    alike: Floats

    def of_limits(self, level: float) -> Floats:
        """Give the number of simple answers whose limits are as wide.

        Few respondents tell little of how far the answers of one resemble each other. So E. L. Korn
        & B. I. Graubard (1998), Survey Methodology 24:193-201, multiply the effective size by the
        square of Student's t of n - 1 by that of units - 1. The answers are worth no less than if
        those of each respondent were alike.
        """
        few = (self.units > 1) & (self.units < self.n)
        if not few.any():
            return self.effective
        of_n, of_units = (
            stdtrit(np.where(few, number - 1, 1), 0.5 + level / 2)
            for number in (self.n, self.units)
        )
        least = np.minimum(self.effective, self.alike)
        return np.maximum(self.effective * (of_n / of_units) ** 2, least)


def unweighted(n: NDArray[np.generic]) -> EffectiveSize:
    """Give what simple answers are worth: their number."""
    size = np.asarray(n, np.float64)
    return EffectiveSize(n=size, effective=size, units=size, alike=size)


def effective_size(
    values: Floats,
    *,
    segment: Integers,
    n_segments: int,
    n: Integers,
    weight: Floats,
    square: Floats,
    clusters: Clusters | None = None,
) -> EffectiveSize:
    """Effective size of the means of `values`, by segment.

    `values` are distinct answers of each segment, given by `n` respondents whose weights add up to
    `weight`, and the squares of them to `square`. The effective size is the lesser of Kish's and
    the one that the linearised variance of the weighted mean gives; without weights and clusters
    it is the number of answers.
    """

    def total(of: Array) -> Floats:
        """Sum by segment."""
        return np.bincount(segment, of, n_segments).astype(np.float64)

    number, weights = total(n), total(weight)
    if clusters is None and all(np.array_equal(one, n) for one in (weight, square)):
        return unweighted(number)
    kish = ratio(weights**2, total(square))
    mean = ratio(total(weight * values), weights)
    off = values - mean[segment]
    spread = ratio(total(weight * off**2), weights)
    if clusters is None:
        units, between, alike = number, total(square * off**2), kish
    else:
        units = clusters.number
        between = clusters.xx - 2 * mean * clusters.xw + mean**2 * clusters.ww
        alike = ratio(weights**2, clusters.ww)
    # Both variances with their own n - 1, so that answers of one weight are worth their number.
    variance = ratio(between, weights**2) * ratio(units, units - 1) * ratio(number - 1, number)
    with np.errstate(invalid="ignore"):
        known = (variance > _NOTHING * ratio(spread, number)) & (spread > _NOTHING)
    linear = np.where(known, ratio(spread, np.where(known, variance, 1)), alike)
    effective = np.where(weights > 0, np.minimum(kish, linear), 0.0)
    return EffectiveSize(n=number, effective=effective, units=units, alike=np.nan_to_num(alike))
