"""Compare the survival of groups: pairs of them, a row each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retainkit._inputs.durations import Durations
from retainkit._inputs.group_pairs import GroupPairs
from retainkit._stats.differences import square_and_add
from retainkit._stats.log_rank import log_rank
from retainkit._stats.survival import restricted_mean_limits, survival_at
from retainkit._typing import Array, Booleans
from retainkit.survival._reading import RiskTable, counts_at, risk_tables

TEST = ("n_a", "n_b", "churned_a", "churned_b", "chi_square", "p_value")
_COMPARED = ("{}_a", "{}_b", "{}_difference", "{}_lower", "{}_upper")


def measured_columns(lengths: Mapping[str, float | None]) -> list[str]:
    """Return the columns of what is compared beside the test."""
    return [
        column
        for name, what in (("at", "survival"), ("horizon", "lifetime"))
        if lengths[name] is not None
        for column in (name, *(one.format(what) for one in _COMPARED))
    ]


def has_customers(durations: Durations) -> Booleans:
    """Mark the groups that have customers at risk."""
    usable = np.zeros(len(next(iter(durations.segments.values()))), bool)
    usable[[table.segment for table in risk_tables(durations)]] = True
    return usable


def compare_pairs(
    durations: Durations,
    pairs: GroupPairs,
    lengths: Mapping[str, float | None],
    confidence_level: float,
) -> dict[str, Array]:
    """Return the columns of the comparisons."""
    tables = {table.segment: table for table in risk_tables(durations)}
    rows = [
        _tested(durations, tables[first], tables[second])
        | _shares(tables[first], tables[second], lengths["at"], confidence_level)
        | _lifetimes(tables[first], tables[second], lengths["horizon"], confidence_level)
        for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    names = [*TEST, *measured_columns(lengths)]
    counts = {"n_a", "n_b", "churned_a", "churned_b"}
    return {
        name: np.array([row[name] for row in rows], np.int64 if name in counts else np.float64)
        for name in names
    }


def _tested(durations: Durations, first: RiskTable, second: RiskTable) -> dict[str, float]:
    """Test whether two groups leave at the same rate, at the tenures of both."""
    tenure = np.union1d(first.tenure, second.tenure)
    counts_a, counts_b = (counts_at(durations, one.rows, tenure) for one in (first, second))
    chi_square, p_value = log_rank(*counts_a, *counts_b)
    return {
        "n_a": int(durations.weight[first.rows].sum()),
        "n_b": int(durations.weight[second.rows].sum()),
        "churned_a": int(first.churned.sum()),
        "churned_b": int(second.churned.sum()),
        "chi_square": chi_square,
        "p_value": p_value,
    }


def _shares(
    first: RiskTable, second: RiskTable, at: float | None, confidence_level: float
) -> dict[str, float]:
    """Compare the shares who stay longer than a tenure."""
    if at is None:
        return {}
    a, b = (
        survival_at(one.tenure, one.at_risk, one.churned, at, confidence_level)
        for one in (first, second)
    )
    return {"at": at} | _difference("survival", a, b)


def _lifetimes(
    first: RiskTable, second: RiskTable, horizon: float | None, confidence_level: float
) -> dict[str, float]:
    """Compare the mean lifetimes up to a horizon."""
    if horizon is None:
        return {}
    a, b = (
        restricted_mean_limits(one.tenure, one.at_risk, one.churned, horizon, confidence_level)
        for one in (first, second)
    )
    return {"horizon": horizon} | _difference("lifetime", (a[0], *a[2:]), (b[0], *b[2:]))


def _difference(
    what: str, a: tuple[float, float, float], b: tuple[float, float, float]
) -> dict[str, float]:
    """Return two estimates and their difference, each with its limits, by column."""
    (mean_a, *limits_a), (mean_b, *limits_b) = a, b
    found = square_and_add(mean_a, limits_a, mean_b, limits_b)
    values = (mean_a, mean_b, *map(float, found))
    return dict(zip((one.format(what) for one in _COMPARED), values, strict=True))
