"""Effective size of means, with weights and with several answers of one respondent."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import ratio
from retainkit._typing import Array, Floats, Integers

with without_scipy_filters():
    from scipy.special import stdtrit

_ROUNDING = 1e-12  # a smaller variance is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Sums over respondents who answered several times, one element a segment.

    `number` counts respondents; with x the sum of the weighted values of one and w the sum of the
    weights, `xx`, `xw` and `ww` are the sums of their squares and products.
    """

    number: Floats
    xx: Floats
    xw: Floats
    ww: Floats

    def scatter(self, index: Integers, size: int) -> Clusters:
        """Return arrays of `size` with these sums at `index`, and 0 elsewhere."""
        number, xx, xw, ww = (
            np.bincount(index, one, size).astype(np.float64)
            for one in (self.number, self.xx, self.xw, self.ww)
        )
        return Clusters(number=number, xx=xx, xw=xw, ww=ww)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSize:
    """Effective size of means of `n` answers, one element a segment or cell.

    The means are as uncertain as those of `effective` simple answers. `units` is the number of
    independent units: answers, or else respondents. `minimum` is the effective size if all answers
    of a respondent were equal.
    """

    n: Floats
    effective: Floats
    units: Floats
    minimum: Floats

    def at(self, index: Integers) -> EffectiveSize:
        """Select some of the sizes."""
        return EffectiveSize(**{one.name: getattr(self, one.name)[index] for one in fields(self)})

    def for_interval(self, level: float) -> Floats:
        """Return the number of simple answers whose interval is as wide.

        Few respondents say little about how far the answers of one resemble each other. So E. L.
        Korn & B. I. Graubard (1998), Survey Methodology 24:193-201, multiply the effective size by
        the square of the ratio of Student's t with n - 1 and with units - 1 degrees of freedom. The
        result is no less than the minimum.
        """
        return self.beyond(0.5 - level / 2)

    def beyond(self, tail: ArrayLike) -> Floats:
        """Return the size for an interval that leaves out `tail`, one or one each, at each end."""
        few = (self.units > 1) & (self.units < self.n)
        if not few.any():
            return self.effective
        of_n, of_units = (
            stdtrit(np.where(few, number - 1, 1), np.asarray(tail, np.float64))
            for number in (self.n, self.units)
        )
        minimum = np.minimum(self.effective, self.minimum)
        effective: Floats = np.maximum(self.effective * (of_n / of_units) ** 2, minimum)
        return effective


def unweighted(n: NDArray[np.generic]) -> EffectiveSize:
    """Effective size of simple answers: their number."""
    size = np.asarray(n, np.float64)
    return EffectiveSize(n=size, effective=size, units=size, minimum=size)


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

    `values` are the distinct answers of each segment, given by `n` respondents whose weights sum to
    `weight` and the squares of these to `square`. The effective size is the lesser of Kish's and
    the one from the linearised variance of the weighted mean; without weights and clusters it is
    the number of answers.
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
        units, between, minimum = number, total(square * off**2), kish
    else:
        units = clusters.number
        between = clusters.xx - 2 * mean * clusters.xw + mean**2 * clusters.ww
        minimum = ratio(weights**2, clusters.ww)
    # Both variances with their own n - 1, so that n answers of equal weights have the size n.
    variance = ratio(between, weights**2) * ratio(units, units - 1) * ratio(number - 1, number)
    with np.errstate(invalid="ignore"):
        known = (variance > _ROUNDING * ratio(spread, number)) & (spread > _ROUNDING)
    linear = np.where(known, ratio(spread, np.where(known, variance, 1)), minimum)
    effective = np.where(weights > 0, np.minimum(kish, linear), 0.0)
    return EffectiveSize(n=number, effective=effective, units=units, minimum=np.nan_to_num(minimum))
