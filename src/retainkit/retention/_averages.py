"""Average several cohorts into one curve, in three ways. Arrays in, arrays out.

Each average takes two matrices, cohorts down and ages across: `eligible`, 0 where a cohort has not
been observed, and `rate`, 0 there too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import Booleans, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageCurve:
    """An average for each age with its limits, and the cells that are `used` for it."""

    estimate: Floats
    lower: Floats
    upper: Floats
    used: Booleans


def pooled(eligible: Floats, rate: Floats, confidence_level: float) -> AverageCurve:
    """Share of all eligible customers: the ratio of sums, with Wilson's interval."""
    total, retained = eligible.sum(axis=0), (eligible * rate).sum(axis=0)
    lower, upper = wilson(retained, total, confidence_level)
    return AverageCurve(
        estimate=ratio(retained, total), lower=lower, upper=upper, used=eligible > 0
    )


def mean_of_rates(eligible: Floats, rate: Floats, confidence_level: float) -> AverageCurve:
    """Mean of the cohorts' rates, each cohort with the same weight.

    The limits are recovered from those of the single cohorts (MOVER): Zou, Huang & Zhang (2009),
    Comput. Stat. Data Anal. 53:1080-1085, with weights 1/c. For one cohort they are its own.
    """
    used = eligible > 0
    cohorts = used.sum(axis=0)
    mean = ratio(rate.sum(axis=0), cohorts)
    lower, upper = wilson(eligible * rate, eligible, confidence_level)
    below = np.sqrt(np.sum((rate - lower) ** 2, axis=0, where=used))
    above = np.sqrt(np.sum((upper - rate) ** 2, axis=0, where=used))
    lower, upper = mean - ratio(below, cohorts), mean + ratio(above, cohorts)
    return AverageCurve(estimate=mean, lower=lower, upper=upper, used=used)


def chained(eligible: Floats, rate: Floats, confidence_level: float) -> AverageCurve:
    """Product of the steps from age to age, each over the cohorts observed at both ages.

    With e the eligible at the later age, step j is sum(e p_j) / sum(e p_(j-1)): the chain ladder of
    Mack (1993), ASTIN Bull. 23:213-225, and, where nobody comes back, the Kaplan-Meier estimate.

    The limits are Wilson's for an effective sample size S(1 - S) / Var(S), as for surveys (Korn &
    Graubard 1998, Surv. Methodol. 24:193-201). Var(S) is the delta method's on log S, which is
    linear in the cells; cells are taken as independent, which is on the safe side where a customer
    who is active at one age is likelier to be active at another. For one cohort they are the limits
    of its rate. Beyond 1 there are none.
    """
    used = eligible > 0
    used[:, 1:] &= eligible[:, :-1] > 0
    weight = np.where(used, eligible, 0.0)
    before = np.column_stack([np.ones(len(rate)), rate[:, :-1]])
    top, bottom = (weight * rate).sum(axis=0), (weight * before).sum(axis=0)
    estimate = np.cumprod(ratio(top, bottom), dtype=np.float64)

    # Each cell stands in the numerator of its own step and in the denominator of the next.
    variance = np.where(used, ratio(rate * (1 - rate), eligible), 0.0)
    up, down = ratio(weight, top), ratio(weight, bottom)
    onward = np.column_stack([down[:, 1:], np.zeros(len(rate))])
    last = (up**2 * variance).sum(axis=0)
    passed = ((up - onward) ** 2 * variance).sum(axis=0)
    log_variance = np.append(0.0, np.cumsum(passed)[:-1]) + last
    n = ratio(1 - estimate, estimate * log_variance)
    # Where nobody or everybody is retained the variance says nothing: the customers themselves do.
    flat = (estimate == 0) | (log_variance == 0)
    n = np.where(flat, weight.sum(axis=0), n)
    lower, upper = wilson(estimate * n, n, confidence_level)
    return AverageCurve(estimate=estimate, lower=lower, upper=upper, used=used)
