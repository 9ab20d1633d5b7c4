"""How many simple answers a mean is worth, where there are weights or several of one respondent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit._stats.intervals import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit._typing import Floats, Integers
    from retainkit.surveys._answer_counts import AnswerCounts


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
        from scipy.special import stdtrit  # noqa: PLC0415  importing retainkit does not import scipy

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
    tally: AnswerCounts, values: Floats, clusters: Clusters | None = None
) -> EffectiveSize:
    """Give what the means of `values` are worth, by segment.

    The effective size is the lesser of Kish's and the one that the linearised variance of the
    weighted mean gives; of no weights and no clusters it is the number of answers.
    """
    n, weight = tally.sums(tally.n), tally.sums(tally.weight)
    if clusters is None and all(
        np.array_equal(one, tally.n) for one in (tally.weight, tally.square)
    ):
        return unweighted(n)
    kish = ratio(weight**2, tally.sums(tally.square))
    mean = ratio(tally.sums(tally.weight * values), weight)
    off = values - mean[tally.segment]
    spread = ratio(tally.sums(tally.weight * off**2), weight)
    if clusters is None:
        units, between, alike = n, tally.sums(tally.square * off**2), kish
    else:
        units = clusters.number
        between = clusters.xx - 2 * mean * clusters.xw + mean**2 * clusters.ww
        alike = ratio(weight**2, clusters.ww)
    # Both variances with their own n - 1, so that answers of one weight are worth their number.
    variance = ratio(between, weight**2) * ratio(units, units - 1) * ratio(n - 1, n)
    with np.errstate(invalid="ignore"):
        known = (variance > _NOTHING * ratio(spread, n)) & (spread > _NOTHING)
    linear = np.where(known, ratio(spread, np.where(known, variance, 1)), alike)
    effective = np.where(weight > 0, np.minimum(kish, linear), 0.0)
    return EffectiveSize(n=n, effective=effective, units=units, alike=np.nan_to_num(alike))
