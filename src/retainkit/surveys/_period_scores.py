"""Scores by segment and period: Net Promoter Score, share of the satisfied, or mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from retainkit._checks import number, one_of
from retainkit._inputs.scale import Scale, check_cuts
from retainkit._stats.intervals import wilson
from retainkit._stats.nps_intervals import score_limits
from retainkit._stats.share_intervals import mean_limits
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.surveys._nps_table import promoter_values
from retainkit.surveys._period_answers import PeriodAnswers
from retainkit.typing import Metric


def metric_edges(
    metric: str, cuts: tuple[float, float] | None, positive: float | None, scale: Scale
) -> tuple[float, float]:
    """Check the options of `metric`, and return its edges.

    Answers up to the first edge are those of detractors, answers above the second those of
    promoters or of the satisfied; a mean does not use them.
    """
    one_of("metric", metric, get_args(Metric))
    for argument, value, own in (("cuts", cuts, "nps"), ("positive", positive, "csat")):
        if value is not None and metric != own:
            raise ArgumentError(
                f"`{argument}` is for `metric='{own}'`, and `metric` is {metric!r}; leave it out.",
                code="argument_conflict",
                argument=argument,
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
            f"give one above {low}.",
            code="argument_value",
            argument="positive",
        )
    # Answers above the edge count as satisfied, so it lies just below the lowest such score.
    edge = float(np.nextafter(lowest, -np.inf))
    return edge, edge


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodScores:
    """A score of each cell, its interval, and the standard deviation of one answer.

    `size` is the effective size, which is `n` without weights; `ends` are the least and the highest
    score there can be.
    """

    n: Integers
    size: Floats
    score: Floats
    lower: Floats
    upper: Floats
    deviation: Floats
    ends: tuple[float, float]

    def at(self, cell: Integers) -> PeriodScores:
        """Select the scores of some cells."""
        names = ("n", "size", "score", "lower", "upper", "deviation")
        return replace(self, **{name: getattr(self, name)[cell] for name in names})


def score_periods(
    answers: PeriodAnswers, metric: Metric, edges: tuple[float, float], level: float
) -> PeriodScores:
    """Compute the score of each cell: NPS from -100 to 100, a share, or a mean on the scale."""
    counts = answers.counts
    low, high = counts.value <= edges[0], counts.value > edges[1]
    values = {
        "nps": promoter_values(counts, edges),
        "csat": high.astype(np.float64),
        "mean": counts.value,
    }[metric]
    mean, variance = counts.mean_by_segment(values)
    size = answers.effective_size(values)
    n = size.for_interval(level)
    if metric == "nps":
        promoters, detractors = counts.share_by_segment(high), counts.share_by_segment(low)
        limits = score_limits(promoters * n, detractors * n, n, level)
    elif metric == "csat":
        limits = wilson(mean * n, n, level)
    else:
        limits = mean_limits(mean, variance, size, level=level, ends=answers.ends)
    unit = 100 if metric == "nps" else 1
    return PeriodScores(
        n=counts.n_by_segment(),
        size=size.effective,
        score=unit * mean,
        lower=unit * limits[0],
        upper=unit * limits[1],
        deviation=unit * np.sqrt(variance),
        ends={"nps": (-100.0, 100.0), "csat": (0.0, 1.0), "mean": answers.ends}[metric],
    )
