"""How long customers pause: Kaplan-Meier on whole days, of counts. Arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit._stats.intervals import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from retainkit._typing import Floats, Integers


# Products of rates that reach a level on paper may miss it by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLifeTable:
    """A life table of pauses: those at risk and ended at each length, from 1 day on."""

    length: Integers
    at_risk: Floats
    ended: Floats

    @property
    def survival(self) -> Floats:
        """Share of pauses longer than each length: Kaplan & Meier (1958), eq. 2b."""
        survival: Floats = np.cumprod(1 - self.ended / self.at_risk, dtype=np.float64)
        return survival

    def quantile(self, level: float) -> float:
        """Give the least length by which a share of the pauses has ended; NaN if none is seen."""
        return _first(self.length, self.survival, level)

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
        return _first(self.length, lower, level), _first(self.length, upper, level)

    def influence(self, pause: Integers, until: float) -> Floats:
        """Tell how much one pause moves the cumulative hazard at a length.

        `pause` is a length or, below 1, the length so far of a pause that has not ended. Linear
        in the sense of Reid (1981), Ann. Stat. 9:78-92: the martingale residual over those at risk.
        """
        past = self.length <= until
        hazard = np.append(0.0, np.cumsum(np.where(past, self.ended / self.at_risk**2, 0.0)))
        expected = hazard[np.searchsorted(self.length, np.abs(pause), side="right")]
        seen = (pause > 0) & (pause <= until)
        place = np.searchsorted(self.length, np.where(seen, pause, self.length[0]))
        influence: Floats = np.where(seen, 1 / self.at_risk[place], 0.0) - expected
        return influence


@dataclass(frozen=True, slots=True, kw_only=True)
class GapCounts:
    """Pauses, counted by distinct length: below 1 that so far of those that have not ended.

    They are those of so many `customers`, who have been observed for a day at least.
    """

    pause: Integers
    count: Integers
    customers: int


def life_table(observed: GapCounts) -> GapLifeTable:
    """Count those at risk and ended at each length."""
    pause, count = observed.pause, observed.count
    size = int(np.abs(pause).max(initial=0)) + 1
    every = np.bincount(np.abs(pause), count, size)
    ended = np.bincount(pause[pause > 0], count[pause > 0], size)
    at_risk = every[::-1].cumsum()[::-1]
    length = np.flatnonzero(ended)
    return GapLifeTable(
        length=length, at_risk=at_risk[length], ended=ended[length].astype(np.float64)
    )


def influences(levels: Sequence[float], observed: GapCounts) -> Floats:
    """Tell how much each pause moves the cumulative hazard at each quantile, or at the last end."""
    table = life_table(observed)
    values = np.zeros((len(levels), len(observed.pause)))
    for row, level in enumerate(levels if len(table.length) else ()):
        found = table.quantile(level)
        until = float(table.length[-1]) if np.isnan(found) else found
        values[row] = table.influence(observed.pause, until)
    return values


def quantile_table(
    levels: Sequence[float], observed: GapCounts, squares: Floats, confidence_level: float
) -> dict[str, NDArray[np.generic]]:
    """Quantiles of pauses with their limits, and those of the ended ones alone.

    `squares` are the sums over customers of the squared sums of each one's influences.
    """
    table, pause, count = life_table(observed), observed.pause, observed.count
    limits = [(np.nan, np.nan)] * len(levels)
    if len(table.length) and observed.customers > 1:
        together = squares * observed.customers / (observed.customers - 1)
        apart = (count * influences(levels, observed) ** 2).sum(axis=1)
        effects = np.ones(len(levels))  # where all end at once, nothing varies
        np.divide(together, apart, out=effects, where=apart > 0)
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
        "naive_days": np.array([_first(table.length, naive, one) for one in levels], np.float64),
        "ended": np.full(len(levels), count[pause > 0].sum()),
        "censored": np.full(len(levels), count[pause <= 0].sum()),
    }


def _first(length: Integers, survival: Floats, level: float) -> float:
    reached = np.flatnonzero(survival <= 1 - level + _ROUNDING)
    return float(length[reached[0]]) if len(reached) else np.nan
