"""Raking: weights that give every margin its shares and stay as near as can be to where they began.

Numbers only. Answers that are alike in all margins share a cell. A round goes through the margins
and multiplies, for each category, the weights of its cells by what brings it to its share; where
weights have limits, they stop there, and the factor is the one that counts this in. So a weight is
the product of a factor from each margin, cut at the limits: of all weights within them that give
the margins their shares, the ones of least relative entropy to those at the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retainkit._typing import Floats, Integers


_STEPS = 200  # to find a factor: a few by Newton's method, at worst a search by halves
_ENOUGH = 1e-13  # of a sum, with what rounding leaves
_FAR = 1e200  # a weight that would be so large or so small stands at its limit for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """A margin: the category that each cell is in, and the share of each category."""

    category: Integers
    share: Floats

    def sums(self, values: Floats) -> Floats:
        """Add up by category."""
        return np.bincount(self.category, values, len(self.share)).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raked:
    """The weight of an answer of each cell, of mean 1, and how near the margins have come.

    `deviations` has for each margin the weighted share of every category less the one it should
    have.
    """

    weight: Floats
    iterations: int
    converged: bool
    deviations: list[Floats]


def rake_cells(
    count: Floats,
    start: Floats,
    margins: Sequence[Margin],
    *,
    limits: tuple[float, float] | None,
    tolerance: float,
    max_iterations: int,
) -> Raked:
    """Weigh cells of so many answers, whose weights above 0 at the start have these means.

    Every category has a share above 0 and at least one cell. With `limits` the answers of a cell
    must be of one weight.
    """
    total = count.sum()
    free = start * (total / (count * start).sum())
    low, high = limits or (0.0, np.inf)
    iterations = 0
    while True:
        weight = np.clip(free, low, high) if limits else free
        deviations = [one.sums(count * weight) / total - one.share for one in margins]
        converged = bool(max(np.abs(one).max() for one in deviations) <= tolerance)
        if converged or iterations == max_iterations:
            break
        for margin in margins:
            wanted = total * margin.share
            if limits:
                factor = _limited_factor(count, free, margin, wanted, (low, high))
                with np.errstate(over="ignore"):
                    free = np.clip(free * factor[margin.category], 1 / _FAR, _FAR)
            else:
                free = free * (wanted / margin.sums(count * free))[margin.category]
        iterations += 1
    return Raked(weight=weight, iterations=iterations, converged=converged, deviations=deviations)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _limited_factor(
    count: Floats, free: Floats, margin: Margin, wanted: Floats, limits: tuple[float, float]
) -> Floats:
    """Find by category the factor at which its weights, cut at the limits, add up to `wanted`.

    The sum rises with the factor along straight pieces: Newton's method walks over them, between
    bounds that close in.
    """
    low, high = limits
    slope = margin.sums(count * free)
    below = np.maximum((wanted - low * margin.sums(count)) / slope, 1 / _FAR)
    # Above it all are at the upper limit, or without one the sum alone is enough.
    top = high / _least(free, margin) if np.isfinite(high) else wanted / slope
    above = np.maximum(top, below) * (1 + 1e-9)
    factor = np.ones(len(wanted))
    for _ in range(_STEPS):
        moved = factor[margin.category] * free
        missing = wanted - margin.sums(count * np.clip(moved, low, high))
        found = np.abs(missing) <= _ENOUGH * wanted
        if found.all():
            break
        below = np.where(missing > 0, np.maximum(below, factor), below)
        above = np.where(missing < 0, np.minimum(above, factor), above)
        bends = margin.sums(count * np.where((moved > low) & (moved < high), moved, 0))
        step = factor * (1 + missing / bends)
        inside = (below < step) & (step < above)
        step = np.where(inside, step, np.sqrt(below) * np.sqrt(above))
        factor = np.where(found, factor, step)
    return factor


def _least(free: Floats, margin: Margin) -> Floats:
    least = np.full(len(margin.share), np.inf)
    np.minimum.at(least, margin.category, free)
    return least
