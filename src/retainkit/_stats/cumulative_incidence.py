"""Cumulative incidence of competing causes from counts: numbers in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._stats.intervals import normal_quantile, ratio, wilson
from retainkit._stats.survival import greenwood
from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceCurve:
    """Share who have left by each tenure for one cause: an element a tenure, ascending."""

    incidence: Floats
    lower: Floats
    upper: Floats


def aalen_johansen(
    n_at_risk: Integers, left: Integers, by_cause: Integers, confidence_level: float
) -> IncidenceCurve:
    r"""Estimate the share who have left for a cause, of `left` in all and `by_cause` among them.

    :math:`F_k(t) = \sum_{i \le t} S(t_{i-1}) \, d_{ki} / n_i`, Aalen & Johansen (1978), Scand. J.
    Stat. 5:141-150. The variance is that of the delta method, Marubini & Valsecchi (1995),
    Analysing Survival Data from Clinical Trials and Observational Studies, eq. 10.12,

    .. math::
       \sum_{i \le t} (F_k(t) - F_k(t_i))^2 \frac{d_i}{n_i (n_i - d_i)}
       + \sum_{i \le t} S(t_{i-1})^2 \frac{d_{ki} (n_i - d_{ki})}{n_i^3}
       - 2 \sum_{i \le t} (F_k(t) - F_k(t_i)) S(t_{i-1}) \frac{d_{ki}}{n_i^2},

    which is Greenwood's for a single cause. Limits are symmetric for log(-log F).
    """
    survival = np.cumprod(1 - np.nan_to_num(ratio(left, n_at_risk)))
    before = np.append(1.0, survival[:-1])[: len(survival)]
    share = np.nan_to_num(ratio(by_cause, n_at_risk))
    incidence: Floats = np.cumsum(before * share)
    all_causes = greenwood(n_at_risk, left)
    covariance = before * np.nan_to_num(ratio(share, n_at_risk))
    variance = (
        incidence**2 * np.cumsum(all_causes)
        - 2 * incidence * np.cumsum(incidence * all_causes + covariance)
        + np.cumsum(incidence**2 * all_causes + 2 * incidence * covariance)
        + np.cumsum(before * covariance * (1 - share))
    )
    inside = (incidence > 0) & (incidence < 1)
    log = np.log(np.where(inside, incidence, 0.5))
    error = np.sqrt(np.maximum(variance, 0.0))
    spread = normal_quantile(confidence_level) * error / (np.where(inside, incidence, 0.5) * -log)
    lower, upper = np.exp(log * np.exp(spread)), np.exp(log * np.exp(-spread))
    lower, upper = (np.where(inside, one, incidence) for one in (lower, upper))
    return IncidenceCurve(
        incidence=incidence,
        lower=_lower_if_all_left(n_at_risk, incidence, lower, confidence_level),
        upper=np.where(incidence > 0, upper, _upper_if_none_left(n_at_risk, confidence_level)),
    )


def _upper_if_none_left(n_at_risk: Integers, confidence_level: float) -> Floats:
    """Upper limit where nobody has left for the cause, and the variance is 0.

    Wilson's limit of none of the n at risk; at tenure 0, before anybody could leave, it is 0.
    """
    upper = wilson(0, n_at_risk, confidence_level)[1]
    upper[:1] = 0.0
    limits: Floats = np.fmax.accumulate(upper) if len(upper) else upper
    return limits


def _lower_if_all_left(
    n_at_risk: Integers, incidence: Floats, lower: Floats, confidence_level: float
) -> Floats:
    """Lower limit where everybody has left for the cause, and the variance is 0.

    Of those whom the limit just before left there, Wilson's limit of none of the n may have stayed.
    """
    all_left = np.flatnonzero(incidence >= 1)
    if len(all_left):
        at = all_left[0]
        stayed = 1 - lower[at - 1] if at else 1.0
        lower = lower.copy()
        lower[all_left] = 1 - stayed * wilson(0, n_at_risk[at], confidence_level)[1]
    return lower
