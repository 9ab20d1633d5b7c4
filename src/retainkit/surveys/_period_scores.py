"""Scores of periods: the net promoter score, the share of the satisfied, or the mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from retainkit._checks import number, one_of
from retainkit._stats.intervals import ratio, wilson
from retainkit._stats.nps_intervals import score_limits
from retainkit._stats.share_intervals import mean_limits
from retainkit.errors import ArgumentError
from retainkit.surveys._promoters import check_cuts

if TYPE_CHECKING:
    from retainkit._inputs.scale import Scale
    from retainkit._typing import Floats, Integers
    from retainkit.surveys._periods import PeriodScores


Metric = Literal["nps", "csat", "mean"]

METRICS = ("nps", "csat", "mean")


def edges_of(
    metric: str, cuts: tuple[float, float] | None, positive: float | None, scale: Scale
) -> tuple[float, float]:
    """Give the edges that `metric` needs: those of detractors and passives, or of the satisfied."""
    one_of("metric", metric, METRICS)
    for argument, value, own in (("cuts", cuts, "nps"), ("positive", positive, "csat")):
        if value is not None and metric != own:
            raise ArgumentError(
                f"`{argument}` is for `metric='{own}'`, and `metric` is {metric!r}; leave it out."
            )
    if metric == "nps":
        return check_cuts(cuts, scale)
    low, high = int(scale.low), int(scale.high)
    if metric == "mean":
        return low, high
    lowest = number("positive", high - 1 if positive is None else positive, low, high)
    if lowest == low:
        given = "not given" if positive is None else repr(positive)
        raise ArgumentError(
            f"`positive` is {given}, and so all answers from {low} to {high} count as satisfied; "
            f"give one above {low}."
        )
    # Above the edge is satisfied, so it lies just below the lowest score that is.
    edge = float(np.nextafter(lowest, -np.inf))
    return edge, edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A score of each cell, its interval, and the standard deviation of one answer.

    `size` is the number of simple answers that the score is worth, which is `n` without weights;
    `ends` are the least and the highest score there can be.
    """

    n: Integers
    size: Floats
    score: Floats
    lower: Floats
    upper: Floats
    spread: Floats
    ends: tuple[float, float]

    def at(self, cell: Integers) -> Scores:
        """Take the scores of some cells."""
        return replace(
            self,
            n=self.n[cell],
            size=self.size[cell],
            score=self.score[cell],
            lower=self.lower[cell],
            upper=self.upper[cell],
            spread=self.spread[cell],
        )


def scores_of(
    series: PeriodScores, metric: str, edges: tuple[float, float], confidence_level: float
) -> Scores:
    """Score the cells: NPS from -100 to 100, the share above the second edge, or the mean."""
    tally = series.tally
    low, high = tally.value <= edges[0], tally.value > edges[1]
    values = {
        "nps": high.astype(np.float64) - low,
        "csat": high.astype(np.float64),
        "mean": tally.value,
    }[metric]
    weight = tally.sums(tally.weight)
    mean = ratio(tally.sums(tally.weight * values), weight)
    spread = np.sqrt(ratio(tally.sums(tally.weight * (values - mean[tally.segment]) ** 2), weight))
    worth = series.worth(values)
    size = worth.of_limits(confidence_level)
    if metric == "nps":
        limits = score_limits(
            tally.share(high) * size, tally.share(low) * size, size, confidence_level
        )
    elif metric == "csat":
        limits = wilson(mean * size, size, confidence_level)
    else:
        limits = mean_limits(
            mean,
            spread**2,
            n=worth.n,
            effective=worth.effective,
            units=worth.units,
            level=confidence_level,
            ends=series.ends,
        )
    unit = 100 if metric == "nps" else 1
    return Scores(
        n=tally.counts(),
        size=worth.effective,
        score=unit * mean,
        lower=unit * limits[0],
        upper=unit * limits[1],
        spread=unit * spread,
        ends={"nps": (-100.0, 100.0), "csat": (0.0, 1.0), "mean": series.ends}[metric],
    )
