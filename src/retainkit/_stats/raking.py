"""Raking: weights that give every margin its shares and stay close to the initial ones.

Arrays only. Answers with the same category in every margin share a cell. A round goes through the
margins and multiplies, for each category, the weights of its cells by the factor that brings it to
its share; weights that reach a limit stop there, and the factor allows for them. So a weight is the
product of a factor from each margin, cut at the limits: of all weights within them that give the
margins their shares, those of least relative entropy to the initial ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retainkit._typing import Floats, Integers

_STEPS = 200  # to find a factor: a few by Newton's method, at worst as many by bisection
_PRECISION = 1e-13  # of a sum; rounding allows no better
_EXTREME = 1e200  # a weight beyond it, or below its inverse, stays at its limit for good


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
    """The weight of an answer of each cell, of mean 1, and how far the margins are off.

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
    """Rake cells of `count` answers, whose initial weights have the mean `start`, above 0.

    Every category has a share above 0 and at least one cell. With `limits` all answers of a cell
    must have the same initial weight.
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
            target = total * margin.share
            if limits:
                factor = _limited_factor(count, free, margin, target, (low, high))
                with np.errstate(over="ignore"):
                    free = np.clip(free * factor[margin.category], 1 / _EXTREME, _EXTREME)
            else:
                free = free * (target / margin.sums(count * free))[margin.category]
        iterations += 1
    return Raked(weight=weight, iterations=iterations, converged=converged, deviations=deviations)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _limited_factor(
    count: Floats, free: Floats, margin: Margin, target: Floats, limits: tuple[float, float]
) -> Floats:
    """Find for each category the factor at which its weights, cut at the limits, sum to `target`.

    The sum is a rising, piecewise linear function of the factor: Newton's method, within bounds
    that are narrowed at each step.
    """
    low, high = limits
    slope = margin.sums(count * free)
    below = np.maximum((target - low * margin.sums(count)) / slope, 1 / _EXTREME)
    # There all weights are at the upper limit; without one the sum is at least the target.
    top = high / _smallest(free, margin) if np.isfinite(high) else target / slope
    above = np.maximum(top, below) * (1 + 1e-9)
    factor = np.ones(len(target))
    for _ in range(_STEPS):
        moved = factor[margin.category] * free
        missing = target - margin.sums(count * np.clip(moved, low, high))
        found = np.abs(missing) <= _PRECISION * target
        if found.all():
            break
        below = np.where(missing > 0, np.maximum(below, factor), below)
        above = np.where(missing < 0, np.minimum(above, factor), above)
        inner = margin.sums(count * np.where((moved > low) & (moved < high), moved, 0))
        step = factor * (1 + missing / inner)
        inside = (below < step) & (step < above)
        step = np.where(inside, step, np.sqrt(below) * np.sqrt(above))
        factor = np.where(found, factor, step)
    return factor


def _smallest(free: Floats, margin: Margin) -> Floats:
    """Return the smallest value of each category."""
    smallest = np.full(len(margin.share), np.inf)
    np.minimum.at(smallest, margin.category, free)
    return smallest
