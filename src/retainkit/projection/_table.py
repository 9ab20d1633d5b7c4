"""The curve of a model beside the observed one and beyond it: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np

from retainkit._inputs.survival_table import SurvivalTable
from retainkit._models import beta_geometric
from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Booleans, Floats, Integers

with without_scipy_filters():
    from scipy.special import betaln, gammaln

_MANY_CUSTOMERS = 20_000  # customers from which on their chance is as good as normal


def projection_table(
    rows: SurvivalTable,
    *,
    theta: Floats,
    covariance: tuple[Floats, bool],
    horizon: int,
    holdout: int,
    predictive: bool,
    confidence_level: float,
) -> dict[str, Any]:
    """Return the columns of a projection, and the number of each row's cohort as ``line``."""
    known = rows.known(holdout)
    source, step = _with_later_ages(rows, horizon)
    seen = step == 0
    age = rows.age[source] + step
    fitted = seen & known[source]
    last = _last_fitted(rows, known)[source]
    # Up to the last age fitted the curve is that since the start; after it, that since then.
    since = np.where(fitted, rows.start[source], rows.age[last])
    share = np.where(fitted, 1.0, rows.share[last])
    logs = beta_geometric.log_survival(theta, age) - beta_geometric.log_survival(theta, since)
    slopes = beta_geometric.log_survival_gradient(theta, age)
    slopes = slopes - beta_geometric.log_survival_gradient(theta, since)
    variance = _variance(slopes, theta, covariance)
    z = normal_quantile(confidence_level)
    lower, upper = _logit_interval(logs, variance, z)
    if predictive:
        later = ~fitted
        low, high = _predictive(
            np.exp(logs[later]), variance[later], rows.there[last][later], confidence_level
        )
        lower[later], upper[later] = low, high
    curve = share * np.exp(logs)
    observed = np.where(seen, rows.share[source], np.nan)
    held_out = seen & ~fitted
    return {
        "line": rows.line[source],
        "age": age,
        "customers": rows.size[source],
        "observed": observed,
        "fitted": np.where(fitted, curve, np.nan),
        "projected": np.where(fitted, np.nan, curve),
        "lower": share * lower,
        "upper": share * upper,
        "held_out": held_out,
        "error": np.where(held_out, curve - observed, np.nan),
    }


def _with_later_ages(rows: SurvivalTable, horizon: int) -> tuple[Integers, Integers]:
    """Append `horizon` ages to each cohort: the row that each comes from, and the steps beyond."""
    number = len(rows.line)
    final = np.append(rows.line[1:] != rows.line[:-1], True)[:number]
    repeats = np.where(final, horizon + 1, 1)
    source = np.repeat(np.arange(number), repeats)
    step = np.arange(len(source)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return source, step


def _last_fitted(rows: SurvivalTable, known: Booleans) -> Integers:
    """Return for each row the last one of its cohort that the model was fitted to."""
    last = np.zeros(int(rows.line.max(initial=-1)) + 1, np.int64)
    last[rows.line[known]] = np.flatnonzero(known)
    return last[rows.line]


def _variance(slopes: Floats, theta: Floats, covariance: tuple[Floats, bool]) -> Floats:
    """Variance of the log of the curve, by the delta method."""
    matrix, of_coordinates = covariance
    if of_coordinates:
        slopes = slopes @ beta_geometric.jacobian(theta)
    slopes = slopes[:, : len(matrix)]
    variance: Floats = np.maximum(np.einsum("ij,jk,ik->i", slopes, matrix, slopes), 0.0)
    return variance


def _logit_interval(logs: Floats, variance: Floats, z: float) -> tuple[Floats, Floats]:
    """Interval of exp(logs), within 0 and 1."""
    certain = logs == 0
    gone = -np.expm1(np.where(certain, -1.0, logs))
    logit, error = logs - np.log(gone), np.sqrt(variance) / gone
    limits = []
    for side in (-z, z):
        limit = 1 / (1 + np.exp(np.minimum(-(logit + side * error), 700.0)))
        limits.append(np.where(certain, 1.0, limit))
    return limits[0], limits[1]


def _predictive(
    share: Floats, variance: Floats, number: Floats, confidence_level: float
) -> tuple[Floats, Floats]:
    """Interval of the share of `number` customers who stay, if `share` is expected.

    `variance` is that of the log of `share`. The share itself is supposed to be beta-distributed
    with this mean and variance, and the number who stay is beta-binomial.
    """
    lower, upper = np.full(len(share), np.nan), np.full(len(share), np.nan)
    tail = (1 - confidence_level) / 2
    for row, (p, n) in enumerate(zip(share.tolist(), np.round(number).tolist(), strict=True)):
        own, binomial = float(variance[row]) * p**2, p * (1 - p)
        if np.isnan(own):
            continue
        if n == 0 or binomial == 0:
            lower[row] = upper[row] = p
        elif n > _MANY_CUSTOMERS:
            total = (own + binomial / n) / p**2
            z = normal_quantile(confidence_level)
            lower[row], upper[row] = (
                float(limit) for limit in _logit_interval(np.log(np.array(p)), np.array(total), z)
            )
        else:
            chances = np.cumsum(_beta_binomial(int(n), p, min(own / binomial, 1 - 1e-9)))
            lower[row] = np.searchsorted(chances, tail, side="right") / n
            upper[row] = min(np.searchsorted(chances, 1 - tail), n) / n
    return lower, upper


def _beta_binomial(n: int, p: float, spread: float) -> Floats:
    """Probabilities of 0, 1, ..., n of n; `spread` is the variance of p as a part of p (1 - p)."""
    # A beta distribution as narrow as that is a point, and its size loses no digits.
    size = min(1 / max(spread, 1e-9) - 1, 1e9)
    a, b, k = p * size, (1 - p) * size, np.arange(n + 1.0)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    chances: Floats = np.exp(ways + betaln(k + a, n - k + b) - betaln(a, b))
    chances /= chances.sum()
    return chances
