"""Kaplan-Meier estimate of the gaps between events, in whole days. Arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats, Integers

# Products of rates that reach a level on paper may miss it by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLifeTable:
    """Life table of gaps: those at risk and ended at each length, from 1 day on."""

    length: Integers
    at_risk: Floats
    ended: Floats

    @property
    def survival(self) -> Floats:
        """Share of gaps longer than each length: Kaplan & Meier (1958), eq. 2b."""
        survival: Floats = np.cumprod(1 - self.ended / self.at_risk, dtype=np.float64)
        return survival

    def quantile(self, level: float) -> float:
        """Least length by which a share `level` of the gaps has ended; NaN if none is."""
        return _first_length(self.length, self.survival, level)

    def limits(self, level: float, effect: float, confidence_level: float) -> tuple[float, float]:
        """Limits of a quantile: lengths at which the band of the survival does not exclude it.

        Brookmeyer & Crowley (1982), Biometrics 38:29-41, with the log-log band of Kalbfleisch &
        Prentice (1980) and Greenwood's variance, which is multiplied by `effect`.
        """
        survival = self.survival
        alive = self.at_risk > self.ended
        steps = np.zeros_like(survival)
        np.divide(self.ended, self.at_risk * (self.at_risk - self.ended), out=steps, where=alive)
        inside = alive & (survival < 1)
        loss = -np.log(np.where(inside, survival, 0.5))
        width = normal_quantile(confidence_level) * np.sqrt(effect * np.cumsum(steps)) / loss
        # Where all have ended, nothing is known of the width: 0 from below, as before from above.
        lower = np.where(inside, np.exp(-loss * np.exp(width)), 0.0)
        upper = np.where(inside, np.exp(-loss * np.exp(-width)), 1.0)
        below = _first_length(self.length, lower, level)
        return below, _first_length(self.length, upper, level)

    def influence(self, gap: Integers, until: float) -> Floats:
        """Influence of one gap on the cumulative hazard at a length.

        `gap` is a length or, below 1, the length so far of a gap that has not ended. Linear in the
        sense of Reid (1981), Ann. Stat. 9:78-92: the martingale residual over those at risk.
        """
        past = self.length <= until
        hazard = np.append(0.0, np.cumsum(np.where(past, self.ended / self.at_risk**2, 0.0)))
        expected = hazard[np.searchsorted(self.length, np.abs(gap), side="right")]
        ended = (gap > 0) & (gap <= until)
        place = np.searchsorted(self.length, np.where(ended, gap, self.length[0]))
        influence: Floats = np.where(ended, 1 / self.at_risk[place], 0.0) - expected
        return influence


@dataclass(frozen=True, slots=True, kw_only=True)
class GapCounts:
    """Counts of gaps by distinct length: below 1, the length so far of those that have not ended.

    `customers` is the number of customers who have been observed for a day at least.
    """

    gap: Integers
    count: Integers
    customers: int


def life_table(counts: GapCounts) -> GapLifeTable:
    """Count those at risk and ended at each length."""
    gap, count = counts.gap, counts.count
    size = int(np.abs(gap).max(initial=0)) + 1
    every = np.bincount(np.abs(gap), count, size)
    ended = np.bincount(gap[gap > 0], count[gap > 0], size)
    at_risk = every[::-1].cumsum()[::-1]
    length = np.flatnonzero(ended)
    return GapLifeTable(
        length=length, at_risk=at_risk[length], ended=ended[length].astype(np.float64)
    )


def influences(levels: Sequence[float], counts: GapCounts) -> Floats:
    """Influence of each gap on the cumulative hazard at each quantile, or at the last end."""
    table = life_table(counts)
    values = np.zeros((len(levels), len(counts.gap)))
    for row, level in enumerate(levels if len(table.length) else ()):
        found = table.quantile(level)
        until = float(table.length[-1]) if np.isnan(found) else found
        values[row] = table.influence(counts.gap, until)
    return values


def quantile_table(
    levels: Sequence[float], counts: GapCounts, squares: Floats, confidence_level: float
) -> dict[str, NDArray[np.generic]]:
    """Quantiles of gaps with their limits, and those of the ended ones alone.

    `squares` are the sums over customers of the squared sums of each one's influences.
    """
    table, gap, count = life_table(counts), counts.gap, counts.count
    limits = [(np.nan, np.nan)] * len(levels)
    if len(table.length) and counts.customers > 1:
        clustered = squares * counts.customers / (counts.customers - 1)
        independent = (count * influences(levels, counts) ** 2).sum(axis=1)
        effects = np.ones(len(levels))  # where all end at once, nothing varies
        np.divide(clustered, independent, out=effects, where=independent > 0)
        limits = [
            table.limits(level, float(effect), confidence_level)
            for level, effect in zip(levels, effects, strict=True)
        ]
    naive = 1 - np.cumsum(table.ended) / max(table.ended.sum(), 1)
    return {
        "quantile": np.array(levels, np.float64),
        "days": np.array([table.quantile(level) for level in levels], np.float64),
        "lower": np.array([low for low, _ in limits], np.float64),
        "upper": np.array([high for _, high in limits], np.float64),
        "naive_days": np.array(
            [_first_length(table.length, naive, level) for level in levels], np.float64
        ),
        "ended": np.full(len(levels), count[gap > 0].sum()),
        "censored": np.full(len(levels), count[gap <= 0].sum()),
    }


def _first_length(length: Integers, survival: Floats, level: float) -> float:
    """Return the first length at which survival is down to 1 - level; NaN if it never is."""
    reached = np.flatnonzero(survival <= 1 - level + _ROUNDING)
    return float(length[reached[0]]) if len(reached) else np.nan
