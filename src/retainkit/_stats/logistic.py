"""Logistic regression by Newton's method, its clustered covariance, and the calibration of a score.

A `design` has a row for each coefficient, the first of ones, and a column for each row of data, or
for each group of them: of `trials` rows `events` had the outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import expit

_BLOCK = 2048  # columns that are worked on at once, so that they stay in the processor's memory
_SAMPLE = 20_000  # columns that are enough to begin from
_LARGE = 5 * _SAMPLE  # from which on a sample is fitted first
_MOST_STEPS = 60
_SAMPLE_STEPS = 8
_FINISHED = 1e-8  # longest step, in standard deviations, at which the search ends
_RESTLESS = 0.05  # a step that does not become shorter leads to infinity
_SEVERAL = 6  # steps after which most fits are at their end
_PATIENCE = 10  # steps before it is looked whether it does
_ROUNDING = 1e-6  # of a direction that separates: what is still on the way
_FAR = 30.0  # a coefficient from which no search should begin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogisticFit:
    """Coefficients, the information about them (with the penalty), and how the fit ended.

    `direction` is one along which the likelihood rises for ever, where there is one: then what is
    fitted separates the outcome, and there is no maximum.
    """

    coefficients: Floats
    information: Floats
    log_likelihood: float
    converged: bool
    iterations: int
    direction: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Problem:
    """A likelihood with its penalty on each coefficient; `trials` None stands for one each."""

    design: Floats
    events: Floats
    trials: Floats | None
    offset: Floats | None
    ridge: Floats

    def blocks(self) -> range:
        """Return where blocks of columns begin."""
        return range(0, self.design.shape[1], _BLOCK)

    def at(self, beta: Floats) -> _Point:
        """Compute likelihood, gradient and information."""
        gradient, information = -self.ridge * beta, np.diag(self.ridge)
        value = 0.0
        for begin in self.blocks():
            part = slice(begin, begin + _BLOCK)
            x, y = self.design[:, part], self.events[part]
            t = 1.0 if self.trials is None else self.trials[part]
            eta = beta @ x
            if self.offset is not None:
                eta += self.offset[part]
            # Never overflows, and serves the logarithm and the weights below too.
            small = np.exp(-np.abs(eta))
            chance = np.where(eta >= 0, 1.0, small) / (1 + small)
            value += float(y @ eta) - float(np.sum(t * (np.maximum(eta, 0) + np.log1p(small))))
            gradient += x @ (y - t * chance)
            information += (x * (t * small / (1 + small) ** 2)) @ x.T
        return _Point(
            beta=beta,
            log_likelihood=value,
            penalised=value - float(self.ridge @ beta**2) / 2,
            gradient=gradient,
            information=information,
        )

    def is_ranked_by(self, beta: Floats) -> bool:
        """Return whether all rows with the outcome have more than all without."""
        lowest, highest = math.inf, -math.inf
        for begin in self.blocks():
            part = slice(begin, begin + _BLOCK)
            eta, y = beta @ self.design[:, part], self.events[part]
            t = 1.0 if self.trials is None else self.trials[part]
            lowest = min(lowest, float(np.where(y > 0, eta, math.inf).min()))
            highest = max(highest, float(np.where(y < t, eta, -math.inf).max()))
        return lowest > highest

    def is_separated_by(self, direction: Floats) -> bool:
        """Return whether along a direction no row becomes less likely, and some more so."""
        worst, best = 0.0, 0.0
        for begin in self.blocks():
            part = slice(begin, begin + _BLOCK)
            along, y = direction @ self.design[:, part], self.events[part]
            t = 1.0 if self.trials is None else self.trials[part]
            gain = np.minimum(np.where(y > 0, along, math.inf), np.where(y < t, -along, math.inf))
            worst = min(worst, float(gain.min()))
            best = max(best, float(gain.max()))
        return best > 0 and -worst <= _ROUNDING * best


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Point:
    """Coefficients with the likelihood and its derivatives."""

    beta: Floats
    log_likelihood: float
    penalised: float
    gradient: Floats
    information: Floats

    @property
    def step(self) -> Floats:
        """Newton's step; the shortest one where the information is singular."""
        try:
            found = np.linalg.solve(self.information, self.gradient)
        except np.linalg.LinAlgError:
            found = np.linalg.lstsq(self.information, self.gradient, rcond=1e-12)[0]
        return np.asarray(found, np.float64)


def fit_logistic(
    design: Floats,
    events: Floats,
    *,
    trials: Floats | None = None,
    offset: Floats | None = None,
    penalty: float = 0.0,
) -> LogisticFit:
    """Maximise the likelihood less half the penalty times the squares of all but the intercept."""
    k, n = design.shape
    ridge = np.full(k, float(penalty))
    ridge[0] = 0.0
    problem = _Problem(design=design, events=events, trials=trials, offset=offset, ridge=ridge)
    start = np.zeros(k)
    if n > _LARGE and trials is None and offset is None:
        start = _start_from_sample(design, events, ridge)
    return _climb(problem, start, _MOST_STEPS)


def _start_from_sample(design: Floats, events: Floats, ridge: Floats) -> Floats:
    """Fit every so many columns: from there it takes two or three steps, not seven."""
    every = slice(None, None, design.shape[1] // _SAMPLE)
    sample = _Problem(
        design=np.ascontiguousarray(design[:, every]),
        events=events[every],
        trials=None,
        offset=None,
        ridge=ridge,
    )
    found = _climb(sample, np.zeros(len(ridge)), _SAMPLE_STEPS).coefficients
    usable = bool(np.isfinite(found).all()) and float(np.abs(found).max()) < _FAR
    return found if usable else np.zeros(len(ridge))


def _climb(problem: _Problem, start: Floats, most: int) -> LogisticFit:
    """Go Newton's way, with shorter steps where a whole one leads down."""
    point, converged, direction, number = problem.at(start), False, None, 0
    penalised = bool(problem.ridge.any())
    several = problem.offset is None and len(start) > 1
    for number in range(1, most + 1):
        if several and number > _SEVERAL and problem.is_ranked_by(point.beta):
            direction = point.beta
            break
        step = point.step
        length = float(np.abs(step).max())
        restless = number > _PATIENCE and length > _RESTLESS and not penalised
        if restless and problem.is_separated_by(step):
            direction = step
            break
        if length < _FINISHED:
            # Nothing but the last digits would change.
            point, converged = replace(point, beta=point.beta + step), True
            break
        point = _next_point(problem, point, step)
    if penalised and several and problem.is_ranked_by(point.beta):
        direction = point.beta
    return LogisticFit(
        coefficients=point.beta,
        information=point.information,
        log_likelihood=point.log_likelihood,
        converged=converged,
        iterations=number,
        direction=direction,
    )


def _next_point(problem: _Problem, point: _Point, step: Floats) -> _Point:
    """Return the point after a step, halved until it does not lead down."""
    allowed = point.penalised - 1e-9 * (1 + abs(point.penalised))
    for _ in range(30):
        found = problem.at(point.beta + step)
        if found.penalised >= allowed:
            return found
        step = step / 2
    return point


# Covariance


def clustered_covariance(
    design: Floats, events: Floats, cluster: Integers, fit: LogisticFit
) -> Floats:
    """Covariance of the coefficients that lets the rows of a cluster depend on each other.

    The sandwich of Liang & Zeger (1986), Biometrika 73:13-22, with the factor G/(G-1) times
    (n-1)/(n-k) for few clusters. With one row a cluster it is White's, robust to
    heteroskedasticity. NaN where there are fewer than two clusters, or no more rows than
    coefficients.
    """
    k, n = design.shape
    rows = np.bincount(cluster)
    groups = int(np.count_nonzero(rows))
    if groups < 2 or n <= k:
        return np.full((k, k), math.nan)
    residual = np.empty(n)
    for begin in range(0, n, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        residual[part] = events[part] - expit(fit.coefficients @ design[:, part])
    middle = np.zeros((k, k))
    if groups == n:
        for begin in range(0, n, _BLOCK):
            part = slice(begin, begin + _BLOCK)
            scores = design[:, part] * residual[part]
            middle += scores @ scores.T
    else:
        sums = np.array([np.bincount(cluster, one * residual) for one in design])
        middle = sums @ sums.T
    bread = np.linalg.inv(fit.information)
    factor = groups / (groups - 1) * (n - 1) / (n - k)
    covariance: Floats = factor * bread @ middle @ bread
    return (covariance + covariance.T) / 2


# Calibration

_UNKNOWN = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Estimates with their limits, in the order estimate, lower, upper; NaN where undefined.

    `separated` says that the score tells the outcomes apart, but for ties.
    """

    in_large: tuple[float, float, float] = _UNKNOWN
    intercept: tuple[float, float, float] = _UNKNOWN
    slope: tuple[float, float, float] = _UNKNOWN
    separated: bool = False


def calibration(
    log_odds: Floats, n: Integers, events: Integers, confidence_level: float
) -> Calibration:
    """Calibration of a probability, given as log-odds: of groups of `n` rows with `events`.

    In the large: the intercept of a logit of the outcome, with the log-odds as its offset.
    Intercept and slope: of the logit of the outcome on the log-odds. D. R. Cox (1958), Biometrika
    45:562-565. Limits are Wald's.
    """
    happened, trials = events.astype(np.float64), n.astype(np.float64)
    if not 0 < happened.sum() < trials.sum():
        return Calibration()
    z = normal_quantile(confidence_level)
    ones = np.ones((1, len(n)))
    large = fit_logistic(ones, happened, trials=trials, offset=log_odds)
    in_large = _limits(large.coefficients[0], 1 / large.information[0, 0], z)
    mean = float(trials @ log_odds) / float(trials.sum())
    scale = math.sqrt(float(trials @ (log_odds - mean) ** 2) / float(trials.sum()))
    if not scale > 0 or len(n) < 2:
        return Calibration(in_large=in_large)
    design = np.vstack([ones, (log_odds - mean) / scale])
    fit = fit_logistic(design, happened, trials=trials)
    if fit.direction is not None:
        return Calibration(in_large=in_large, separated=True)
    back = np.array([[1.0, -mean / scale], [0.0, 1 / scale]])
    found = back @ fit.coefficients
    variance = np.diag(back @ np.linalg.inv(fit.information) @ back.T)
    return Calibration(
        in_large=in_large,
        intercept=_limits(found[0], variance[0], z),
        slope=_limits(found[1], variance[1], z),
    )


def _limits(estimate: float, variance: float, z: float) -> tuple[float, float, float]:
    half = z * math.sqrt(variance)
    return float(estimate), float(estimate - half), float(estimate + half)
