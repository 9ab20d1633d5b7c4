"""Kaplan-Meier estimate of survival from counts: numbers in, numbers out.

The share that outlives each tenure, its limits, its mean up to a horizon, and the limits of a sum
of rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._stats.intervals import normal_quantile, ratio, wilson
from retainkit._typing import Array, Booleans, Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A survival curve: an element a tenure, ascending."""

    survival: Floats
    lower: Floats
    upper: Floats
    hazard: Floats


def at_risk(
    tenure: Floats, duration: Floats, observed: Booleans, entry: Floats, weight: Integers
) -> tuple[Integers, Integers]:
    """Count those at risk at each tenure, and those of them who churn there.

    At risk at t is who entered before t, or at 0, and whose duration is t or longer. Everybody
    enters before the duration, or at 0.
    """
    n = len(tenure)
    # Index of the last tenure at risk, and of the first: after the entry, but 0 is never missed.
    last = np.searchsorted(tenure, duration)
    first = np.where(entry > 0, np.searchsorted(tenure, entry, side="right"), 0)
    change, churned = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    np.add.at(change, first, weight)
    np.add.at(change, last + 1, -weight)
    np.add.at(churned, last[observed], weight[observed])
    return np.cumsum(change)[:n], churned


def weighted_at_risk(
    tenure: Floats,
    duration: Floats,
    observed: Booleans,
    entry: Floats,
    *,
    counts: Integers,
    weights: Floats,
) -> tuple[Floats, Floats]:
    """Return how many customers of equal weight would be as precise, and those who churn of them.

    Of the weights w of those at risk it is (sum w)² / sum w², of whom the share churns that churns
    by weight: then Greenwood's variance is that of J. Xie & C. Liu (2005), Stat. Med.
    24:3089-3110.
    """
    n, churned = at_risk(tenure, duration, observed, entry, counts)
    total, left = _weights_at_risk(tenure, duration, observed, entry, counts * weights)
    squares, _ = _weights_at_risk(tenure, duration, observed, entry, counts * weights**2)
    effective = np.where(n > 0, np.nan_to_num(ratio(total**2, squares)), 0.0)
    share = np.where(churned == n, 1.0, np.nan_to_num(ratio(left, total)))
    return effective, np.where(churned > 0, effective * share, 0.0)


def _weights_at_risk(
    tenure: Floats, duration: Floats, observed: Booleans, entry: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Sum of the weights of those at risk at each tenure, and of those who churn there."""
    last = np.searchsorted(tenure, duration)
    first = np.where(entry > 0, np.searchsorted(tenure, entry, side="right"), 0)
    comes, goes, left = (np.zeros(len(tenure)) for _ in range(3))
    np.add.at(comes, first, weight)
    np.add.at(goes, last, weight)
    np.add.at(left, last[observed], weight[observed])
    # Counted from the end, so that few who are left are no difference of large sums.
    there = np.cumsum(goes[::-1])[::-1] - (np.cumsum(comes[::-1])[::-1] - comes)
    return there, left


def kaplan_meier(n_at_risk: Array, churned: Array, confidence_level: float) -> SurvivalCurve:
    r"""Estimate the share that outlives each tenure, from those at risk and those who churn there.

    :math:`S(t) = \prod_{i \le t} (1 - d_i / n_i)`, Kaplan & Meier (1958), J. Am. Stat. Assoc.
    53:457-481, eq. 2b; the variance by Greenwood (1926), and limits that are symmetric for
    log(-log S), Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data,
    eq. 1.14: they stay within 0 and 1.
    """
    hazard = ratio(churned, n_at_risk)
    alive = n_at_risk > churned
    survival: Floats = np.cumprod(1 - np.nan_to_num(hazard)).astype(np.float64)
    log = np.cumsum(np.log1p(-np.where(alive, np.nan_to_num(hazard), 0.0)))
    steps = greenwood(n_at_risk, churned)
    z = normal_quantile(confidence_level)
    inside = (survival > 0) & (log < 0)
    spread = z * ratio(np.sqrt(np.cumsum(steps)), np.where(inside, log, 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        # spread is negative, as the logarithm is.
        lower, upper = np.exp(log * np.exp(-spread)), np.exp(log * np.exp(spread))
    return SurvivalCurve(
        survival=survival,
        lower=np.where(inside, lower, _lower_if_all_stay(n_at_risk, survival, confidence_level)),
        upper=np.where(
            inside, upper, _upper_if_none_stay(n_at_risk, survival, upper, confidence_level)
        ),
        hazard=hazard,
    )


def greenwood(n_at_risk: Array, churned: Array) -> Floats:
    """Greenwood's term for each tenure: what it adds to the variance of the log of survival."""
    return np.nan_to_num(ratio(churned, n_at_risk * (n_at_risk - churned).astype(np.float64)))


def _lower_if_all_stay(n_at_risk: Array, survival: Floats, confidence_level: float) -> Floats:
    """Lower limit where nobody has churned, and Greenwood's variance is 0.

    All of the n at risk are still there: Wilson's limit of n of n. Before anybody has been at risk
    of churn, at tenure 0, the share is 1 by definition.
    """
    lower = np.where(survival < 1, 0.0, wilson(n_at_risk, n_at_risk, confidence_level)[0])
    lower[:1] = np.where(survival[:1] < 1, 0.0, 1.0)
    limits: Floats = np.fmin.accumulate(lower) if len(lower) else lower
    return limits


def _upper_if_none_stay(
    n_at_risk: Array, survival: Floats, upper: Floats, confidence_level: float
) -> Floats:
    """Upper limit where everybody has churned, and Greenwood's variance is infinite.

    The limit just before, times Wilson's of none of the n who were left.
    """
    gone = np.flatnonzero(survival <= 0)
    limits = np.ones(len(survival))
    if len(gone):
        at = gone[0]
        before = upper[at - 1] if at and survival[at - 1] < 1 else 1.0
        limits[gone] = before * wilson(0, n_at_risk[at], confidence_level)[1]
    return limits


def restricted_mean(
    tenure: Floats, n_at_risk: Array, churned: Array, horizon: float
) -> tuple[float, float]:
    r"""Mean of the lifetime up to a horizon, and its standard error.

    The area under the curve, and :math:`\sum_i A_i^2 d_i / (n_i (n_i - d_i))` with :math:`A_i` the
    area from the i-th tenure on; Klein & Moeschberger (2003), Survival Analysis, eq. 4.5.1 f.
    The curve is known up to the last tenure, or for ever where nobody is left.
    """
    hazard = np.nan_to_num(ratio(churned, n_at_risk))
    survival = np.cumprod(1 - hazard)
    known = n_at_risk > 0
    reach = tenure[known][-1] if known.any() else 0.0
    if horizon > reach and not (len(survival) and survival[-1] == 0):
        return np.nan, np.nan
    within = tenure < horizon
    edges = np.concatenate([[0.0], tenure[within], [horizon]])
    areas = np.diff(edges) * np.append(1.0, survival[within])
    after = np.cumsum(areas[::-1])[::-1][1:]
    variance = (after**2 * greenwood(n_at_risk, churned)[within]).sum()
    return float(areas.sum()), float(np.sqrt(variance))


def restricted_mean_limits(
    tenure: Floats, n_at_risk: Array, churned: Array, horizon: float, confidence_level: float
) -> tuple[float, float, float, float]:
    """Mean of the lifetime up to a horizon, its standard error, and its limits.

    Where nobody has left, and the standard error is 0, the limits are the areas under those of the
    curve.
    """
    mean, error = restricted_mean(tenure, n_at_risk, churned, horizon)
    z = normal_quantile(confidence_level)
    lower, upper = mean - z * error, mean + z * error
    if error == 0:
        limits = kaplan_meier(n_at_risk, churned, confidence_level)
        lower, upper = (area(tenure, one, horizon) for one in (limits.lower, limits.upper))
    return mean, error, lower, upper


def survival_at(
    tenure: Floats, n_at_risk: Array, churned: Array, at: float, confidence_level: float
) -> tuple[float, float, float]:
    """Share that outlives a tenure, with its limits; NaN beyond what was observed."""
    curve = kaplan_meier(n_at_risk, churned, confidence_level)
    known = n_at_risk > 0
    reach = tenure[known][-1] if known.any() else -1.0
    place = int(np.searchsorted(tenure, at, side="right")) - 1
    if place < 0 or (at > reach and curve.survival[place] > 0):
        return np.nan, np.nan, np.nan
    share, lower, upper = (one[place] for one in (curve.survival, curve.lower, curve.upper))
    return float(share), float(lower), float(upper)


def area(tenure: Floats, share: Floats, horizon: float) -> float:
    """Area up to a horizon under a share that stays the same from each tenure on."""
    within = tenure < horizon
    edges = np.concatenate([[0.0], tenure[within], [horizon]])
    return float((np.diff(edges) * np.append(1.0, share[within])).sum())


def summed_rates(
    count: Integers, n_at_risk: Integers, groups: Integers, confidence_level: float
) -> tuple[Floats, Floats, Floats]:
    r"""Sum up rates count / n_at_risk over groups of columns, with limits.

    `groups` are the first columns. With many small rates the counts are nearly Poisson's; of
    weighted ones, the sum y has the variance :math:`v = \sum d / n^2`, and :math:`y^2 / v` is the
    count that is as precise, of which the limits are those of the score test, Wilson's for counts:
    :math:`c + z^2 / 2 \pm z \sqrt{c + z^2 / 4}`. Where nothing is counted, the weight is the mean
    of all.
    """

    def add(values: Floats) -> Floats:
        sums: Floats = np.add.reduceat(values, groups, axis=1)
        return sums

    known = (n_at_risk > 0).astype(np.float64)
    weight = np.nan_to_num(ratio(1.0, n_at_risk))
    total, variance, days = add(count * weight), add(count * weight**2), add(known)
    scale = np.where(total > 0, ratio(variance, total), ratio(add(weight), days))
    z = normal_quantile(confidence_level)
    effective = ratio(total, scale)
    half = z * np.sqrt(effective + z**2 / 4)
    lower = np.where(total > 0, scale * (effective + z**2 / 2 - half), 0.0)
    unknown = days == 0
    upper = scale * (effective + z**2 / 2 + half)
    total, lower, upper = (np.where(unknown, np.nan, one) for one in (total, lower, upper))
    return total, lower, upper
