"""Differences of the Net Promoter Scores of groups of respondents."""

from __future__ import annotations

from typing import Any

from retainkit._inputs.group_pairs import GroupPairs
from retainkit._stats.nps_differences import (
    ClusteredSample,
    Sample,
    clustered_limits,
    clustered_p_value,
    difference_limits,
    difference_p_value,
)
from retainkit._typing import Floats
from retainkit.surveys._nps_table import PromoterShares, promoter_shares, promoter_values
from retainkit.surveys._scaled_answers import ScaledAnswers, warn_of_weights
from retainkit.surveys._shared_respondents import score_correlations


def compare_groups(
    found: ScaledAnswers, pairs: GroupPairs, edges: tuple[float, float], level: float
) -> dict[str, Any]:
    """Compare all who answered in one group with all who answered in the other."""
    shares = promoter_shares(found, edges)
    warn_of_weights(found, shares.size.effective)
    if found.clustered:
        correlation = score_correlations(found, pairs, promoter_values(found.counts, edges))
        lower, upper, p_value = _clustered_tests(shares, pairs, correlation, level)
    else:
        lower, upper, p_value = _simple_tests(shares, pairs, level)
    score = shares.promoters - shares.detractors
    return {
        "n_a": shares.n[pairs.first],
        "n_b": shares.n[pairs.second],
        "nps_a": 100 * score[pairs.first],
        "nps_b": 100 * score[pairs.second],
        "difference": 100 * (score[pairs.first] - score[pairs.second]),
        "lower": 100 * lower,
        "upper": 100 * upper,
        "p_value": p_value,
    }


def _simple_tests(
    shares: PromoterShares, pairs: GroupPairs, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return limits and p-values of groups of different respondents."""
    n = shares.size.effective
    first, second = (
        Sample(shares.promoters[at] * n[at], shares.detractors[at] * n[at], n[at])
        for at in (pairs.first, pairs.second)
    )
    lower, upper = difference_limits(first, second, level)
    return lower, upper, difference_p_value(first, second)


def _clustered_tests(
    shares: PromoterShares, pairs: GroupPairs, correlation: Floats, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return limits and p-values where a respondent may have answered again, in both groups too."""
    first, second = (
        ClusteredSample(shares.promoters[at], shares.detractors[at], shares.size.at(at))
        for at in (pairs.first, pairs.second)
    )
    lower, upper = clustered_limits(first, second, correlation, level)
    return lower, upper, clustered_p_value(first, second, correlation)
