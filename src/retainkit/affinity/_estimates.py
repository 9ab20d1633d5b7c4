"""Rates, lift and p-values of counted pairs, by segment and in the order of the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from retainkit._stats.hypergeometric import two_sided_p_values
from retainkit._stats.intervals import wilson
from retainkit._stats.multiplicity import adjust_p_values
from retainkit._typing import Floats, Integers
from retainkit.affinity._spec import PairCounts
from retainkit.typing import Adjust


def estimates(
    counts: PairCounts, by: Mapping[str, str], adjust: Adjust, confidence_level: float
) -> dict[str, Any]:
    """Return the columns of the result; `by` has the name of each key of a segment."""
    hits = counts.trials if counts.days is None else _hits(counts)
    p_values = _p_values(counts, hits, adjust)
    if counts.days is None:
        counts, p_values = _both_ways(counts), np.tile(p_values, (1, 2))
    share = hits / counts.total[counts.segment]
    lower, upper = wilson(counts.both, counts.trials[counts.first], confidence_level)
    order = _order(counts, lower / share[counts.second])
    first, second, both = (one[order] for one in (counts.first, counts.second, counts.both))
    n, base, segment = counts.trials[first], share[second], counts.segment[first]
    rate, lower, upper = both / n, lower[order], upper[order]
    p_value, p_adjusted = p_values[:, order]
    columns: dict[str, Any] = {by[key]: one[segment] for key, one in counts.segments.items()}
    return columns | {
        "item": counts.item[first],
        "other": counts.item[second],
        "n": n,
        "n_both": both,
        "rate": rate,
        "lower": lower,
        "upper": upper,
        "base_rate": base,
        "lift": rate / base,
        "lift_lower": lower / base,
        "lift_upper": upper / base,
        "p_value": p_value,
        "p_adjusted": p_adjusted,
        "repeat": first == second,
        "open": counts.open[first],
        "median_days": np.full(len(n), np.nan) if counts.days is None else counts.days[order],
    }


def _order(counts: PairCounts, least_lift: Floats) -> Integers:
    """Sort pairs by segment, by the lower limit of the lift, and by their items."""
    order = np.argsort(counts.first * len(counts.trials) + counts.second)  # each pair is there once
    order = order[np.argsort(-least_lift[order], kind="stable")]
    if len(counts.total) == 1:
        return order
    sorted_by_all: Integers = order[np.argsort(counts.segment[counts.first[order]], kind="stable")]
    return sorted_by_all


def _hits(counts: PairCounts) -> Integers:
    """Count the trials of all items in which each item was bought."""
    hits = np.bincount(counts.second, counts.both, len(counts.trials))
    return hits.astype(np.int64)


def _p_values(counts: PairCounts, hits: Integers, adjust: Adjust) -> Floats:
    """Return the p-value of each pair, and below it that adjusted for all pairs there may be."""
    first, second = counts.first, counts.second
    total = counts.total[counts.segment[first]]
    p_value = two_sided_p_values(counts.both, counts.trials[first], hits[second], total)
    items = np.bincount(counts.segment)
    tests = items * (items - 1) // 2 if counts.days is None else items**2
    # A pair that was never seen counts as one of the largest.
    unseen = int(tests.sum()) - len(p_value)
    times = np.append(np.ones(len(p_value), np.int64), unseen)
    adjusted = adjust_p_values(np.append(p_value, 1.0), adjust, times)[:-1]
    return np.stack([p_value, adjusted])


def _both_ways(counts: PairCounts) -> PairCounts:
    """Return each pair of a basket from either item."""
    one, other = counts.first, counts.second
    return replace(
        counts,
        first=np.concatenate([one, other]),
        second=np.concatenate([other, one]),
        both=np.tile(counts.both, 2),
    )
