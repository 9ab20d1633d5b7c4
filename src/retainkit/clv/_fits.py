"""The two problems of estimation: how often customers buy, and for how much. Arrays only.

Parameters are searched in coordinates that know neither the unit of time nor the currency, and in
which a simpler model lies straight ahead along one axis. These are, with s the mean T,

    log r, log(alpha / (r s)), log(a / b), log(a + b)           counting
    log p, log q, log(p v / (q s))                              spend, with s the mean m

The penalty is one on theta = (log r, log(alpha / s), log(a / b), log(a + b)) and (log p, log q,
log(v / s)): `penalty` times the sum of their squares is taken from the mean log-likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from retainkit.clv import _bg_nbd, _gamma_gamma
from retainkit.clv._maximum import covariance, maximise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retainkit._typing import Floats
    from retainkit.clv._maximum import Maximum, Objective

    Rows: TypeAlias = Callable[[Floats, tuple[Floats, ...]], tuple[Floats, Floats]]

_MANY = 20_000  # rows from which a part of them finds the neighbourhood of the maximum
_PART = 5_000  # rows of that part
_BLOCK = 10_000  # rows at a time, so that what is computed of them stays in the cache

_LARGE = float(np.log(1e6))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """What a fit found, in natural parameters; `log_likelihood` is the total without penalty.

    `diagnostics` holds plain JSON values. `warnings` are sentences for the user.
    """

    parameters: Floats
    covariance: Floats
    log_likelihood: float
    size: float
    converged: bool
    diagnostics: dict[str, Any]
    warnings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """A likelihood and the coordinates in which it is searched.

    `natural` gives the parameters and their derivatives by the coordinates, and the matrix `theta`
    the coordinates of the penalty. `edges` tells what it means to end at a bound: for a coordinate
    and its side a short name and a sentence. `within` names coordinates that mean nothing where
    another one is at its bound.
    """

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    theta: Floats
    natural: Callable[[Floats, float], tuple[Floats, Floats]]
    edges: dict[tuple[int, str], tuple[str, str]]
    within: dict[int, int]


# Counting


def _counting_natural(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Give r, alpha, a, b and their derivatives (4, 4) by the coordinates."""
    r, wait, both = np.exp(phi[[0, 1, 3]])
    share, rest = 1 / (1 + np.exp(-phi[2])), 1 / (1 + np.exp(phi[2]))
    alpha, a, b = r * wait * scale, share * both, rest * both
    slope = share * rest * both
    jacobian = np.array(
        [[r, 0, 0, 0], [alpha, alpha, 0, 0], [0, 0, slope, a], [0, 0, -slope, b]], dtype=np.float64
    )
    return np.array([r, alpha, a, b]), jacobian


def _counting_coordinates(parameters: Floats, scale: float) -> Floats:
    r, alpha, a, b = parameters
    return np.log([r, alpha / (r * scale), a / b, a + b])


_COUNTING = _Model(
    names=("r", "alpha", "a", "b"),
    bounds=((-_LARGE, _LARGE), (-25.0, 25.0), (-_LARGE, _LARGE), (-_LARGE, _LARGE)),
    theta=np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64),
    natural=_counting_natural,
    within={3: 2},  # how much drop-out differs, where there is none
    edges={
        (0, "low"): (
            "extreme_rates",
            (
                "r is at its lower bound: almost nobody buys again, and the rate of purchase "
                "is not identified."
            ),
        ),
        (0, "high"): (
            "equal_rates",
            (
                "r and alpha are at infinity: customers do not differ in their rate of purchase, "
                "and only r / alpha is identified."
            ),
        ),
        (1, "low"): ("fast_rates", "alpha / r is at its lower bound; it is not identified."),
        (1, "high"): ("slow_rates", "alpha / r is at its upper bound; it is not identified."),
        (2, "low"): (
            "no_dropout",
            "a / (a + b) is zero: the data show no drop-out, and a and b are not identified.",
        ),
        (2, "high"): (
            "certain_dropout",
            (
                "a / (a + b) is one: customers drop out at the first opportunity, and a and b are "
                "not identified."
            ),
        ),
        (3, "low"): (
            "extreme_dropout",
            (
                "a and b are zero: customers drop out at the first opportunity or never, and only "
                "a / (a + b) is identified."
            ),
        ),
        (3, "high"): (
            "equal_dropout",
            (
                "a and b are at infinity: customers do not differ in their drop-out, and only "
                "a / (a + b) is identified."
            ),
        ),
    },
)


def fit_counting(  # noqa: PLR0917 (arrays and what to do with them)
    x: Floats,
    tx: Floats,
    T: Floats,  # noqa: N803
    weights: Floats,
    shift: int,
    penalty: float = 0.0,
    start: Floats | None = None,
) -> Fit:
    """Fit BG/NBD (`shift` 0) or MBG/NBD (1) to distinct rows, each counted `weights` times.

    `start` are parameters known to be near.
    """
    scale = float(np.average(T, weights=weights)) or 1.0

    def rows(params: Floats, data: tuple[Floats, ...]) -> tuple[Floats, Floats]:
        some_x, some_tx, some_T = data  # noqa: N806
        return _bg_nbd.log_likelihood_gradient(params, some_x, some_tx, some_T, shift)

    near = None if start is None else _counting_coordinates(start, scale)
    starts = _counting_starts(x, T, weights)
    fit = _fit(
        _Problem(
            model=_COUNTING,
            rows=rows,
            data=(x, tx, T),
            weights=weights,
            scale=scale,
            penalty=penalty,
        ),
        starts,
        near,
    )
    fit.diagnostics["no_repeats"] = not np.any((x > 0) & (weights > 0))
    if fit.diagnostics["no_repeats"]:
        fit.covariance[:] = np.nan
        fit.diagnostics["not_identified"] = list(_COUNTING.names)
        fit.warnings[:] = [
            (
                "Nobody bought again: neither the rate of purchase nor drop-out is identified, "
                "and the model predicts no purchases."
            )
        ]
    return fit


def _counting_starts(x: Floats, T: Floats, weights: Floats) -> list[Floats]:  # noqa: N803
    """Moments of the counts as if nobody dropped out, then other guesses about drop-out."""
    mean, length = np.average(x, weights=weights), np.average(T, weights=weights)
    if mean == 0 or length == 0:
        return [np.array([-_LARGE, _LARGE, 0.0, 0.0])]
    spread = np.average((x - mean) ** 2, weights=weights)
    log_r = float(np.clip(np.log(mean**2 / max(spread - mean, 1e-3 * mean**2)), -3, 3))
    wait = -np.log(mean)
    return [
        np.array([log_r, wait - 0.5, -1.0, 1.0]),
        np.array([log_r + 1, wait, -3.0, 2.0]),
        np.array([log_r, wait - 1.5, 0.0, 0.0]),
        np.array([0.0, wait - 2.0, 1.0, 0.0]),
        np.array([log_r + 1, wait - 0.5, -1.5, _LARGE]),
        # Few repeat purchases leave it open whether rates differ or customers drop out: two tops.
        np.array([-1.0, wait - 1.0, 0.0, _LARGE]),
        np.array([-1.0, wait - 1.0, 0.0, 2.0]),
    ]


# Spend


def _spend_natural(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Give p, q, v and their derivatives (3, 3) by the coordinates."""
    p, q, level = np.exp(phi)
    v = level * scale * q / p
    jacobian = np.array([[p, 0, 0], [0, q, 0], [-v, v, v]], dtype=np.float64)
    return np.array([p, q, v]), jacobian


def _spend_coordinates(parameters: Floats, scale: float) -> Floats:
    p, q, v = parameters
    return np.log([p, q, p * v / (q * scale)])


_SPEND = _Model(
    names=("p", "q", "v"),
    bounds=((-_LARGE, _LARGE), (-_LARGE / 2, _LARGE), (-25.0, 25.0)),
    theta=np.array([[1, 0, 0], [0, 1, 0], [-1, 1, 1]], dtype=np.float64),
    natural=_spend_natural,
    within={},
    edges={
        (0, "low"): ("extreme_purchases", "p is at its lower bound; it is not identified."),
        (0, "high"): (
            "equal_purchases",
            (
                "p is at infinity: a customer's purchases do not differ in what is spent, and only "
                "p v is identified."
            ),
        ),
        (1, "low"): ("extreme_customers", "q is at its lower bound; it is not identified."),
        (1, "high"): (
            "equal_customers",
            (
                "q and v are at infinity: customers do not differ in their mean spend, and only "
                "v / q is identified."
            ),
        ),
        (2, "low"): ("small_spend", "p v / q is at its lower bound; it is not identified."),
        (2, "high"): ("large_spend", "p v / q is at its upper bound; it is not identified."),
    },
)


def fit_spend(
    x: Floats, m: Floats, weights: Floats, penalty: float = 0.0, start: Floats | None = None
) -> Fit:
    """Fit Gamma-Gamma to distinct rows (x > 0, m > 0), each counted `weights` times.

    `start` are parameters known to be near.
    """
    scale = float(np.average(m, weights=weights))

    def rows(params: Floats, data: tuple[Floats, ...]) -> tuple[Floats, Floats]:
        some_x, some_m = data
        return _gamma_gamma.log_likelihood_gradient(params, some_x, some_m)

    near = None if start is None else _spend_coordinates(start, scale)
    starts = _spend_starts(m / scale, weights)
    fit = _fit(
        _Problem(
            model=_SPEND, rows=rows, data=(x, m), weights=weights, scale=scale, penalty=penalty
        ),
        starts,
        near,
    )
    fit.diagnostics["infinite_mean"] = bool(fit.parameters[1] <= 1)
    if fit.diagnostics["infinite_mean"]:
        fit.warnings.append(
            f"q is {fit.parameters[1]:.3g}, not above 1: the mean spend of new customers is "
            "infinite, and so is that of customers with p x + q <= 1. Their median is finite."
        )
    return fit


def _spend_starts(m: Floats, weights: Floats) -> list[Floats]:
    """Guesses about the shapes, each with the level that fits the mean logarithm."""
    level = float(np.average(np.log(m), weights=weights))
    return [
        np.array([np.log(p), np.log(q), level])
        for p, q in ((2.0, 4.0), (0.5, 1.5), (20.0, 3.0), (3.0, 1e6))
    ]


# Both


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Problem:
    """A model and the rows it is fitted to."""

    model: _Model
    rows: Rows
    data: tuple[Floats, ...]
    weights: Floats
    scale: float
    penalty: float

    def objective(self) -> Objective:
        """Give the mean log-likelihood less the penalty, as a function of the coordinates."""
        share = self.weights / self.weights.sum()
        blocks = [slice(first, first + _BLOCK) for first in range(0, len(share), _BLOCK)]

        def objective(phi: Floats) -> tuple[float, Floats]:
            params, jacobian = self.model.natural(phi, self.scale)
            theta = self.model.theta @ phi
            value = -self.penalty * float(theta @ theta)
            slope = -2 * self.penalty * (theta @ self.model.theta)
            for block in blocks:
                logs, gradient = self.rows(params, tuple(values[block] for values in self.data))
                value += float(share[block] @ logs)
                slope += (share[block] @ gradient) @ jacobian
            return value, slope

        return objective

    def part(self) -> _Problem | None:
        """Take every so-manieth row, if there are many."""
        if len(self.weights) < _MANY:
            return None
        chosen = np.linspace(0, len(self.weights) - 1, _PART).astype(np.int64)
        data = tuple(values[chosen] for values in self.data)
        return replace(self, data=data, weights=self.weights[chosen])


def _fit(problem: _Problem, starts: Sequence[Floats], near: Floats | None) -> Fit:
    model, size, part = problem.model, float(problem.weights.sum()), problem.part()
    found = maximise(
        problem.objective(),
        starts,
        model.bounds,
        size=size,
        rough=None if part is None else part.objective(),
        near=near,
    )
    parameters, jacobian = model.natural(found.estimate, problem.scale)
    theta = model.theta @ found.estimate
    matrix = covariance(found.hessian * size, jacobian, found.at_bound)
    diagnostics, warnings = _diagnose(model, found, matrix)
    diagnostics["penalty"] = problem.penalty
    return Fit(
        parameters=parameters,
        covariance=matrix,
        log_likelihood=(found.value + problem.penalty * float(theta @ theta)) * size,
        size=size,
        converged=found.converged,
        diagnostics=diagnostics,
        warnings=warnings,
    )


def _diagnose(model: _Model, found: Maximum, matrix: Floats) -> tuple[dict[str, Any], list[str]]:
    """Say in plain values and in sentences what the fit ran into."""
    names, warnings = [], []
    told = found.at_bound.copy()
    for j, other in model.within.items():
        told[j] &= not found.at_bound[other]
    for (j, side), (name, sentence) in model.edges.items():
        high = found.estimate[j] > np.mean(model.bounds[j])
        if told[j] and side == ("high" if high else "low"):
            names.append(name)
            warnings.append(sentence)
    lost = [name for name, own in zip(model.names, np.diag(matrix), strict=True) if np.isnan(own)]
    if lost and not names:
        warnings.append(f"The data hardly identify {', '.join(lost)}: the likelihood is flat.")
    if found.unbounded:
        warnings.append("The likelihood has no maximum: it grows for ever towards these values.")
    elif not found.converged:
        warnings.append(
            "The fit has not reached a maximum: up to "
            f"{found.shortfall:.2g} of log-likelihood may be missing."
        )
    diagnostics = {
        "at_bound": names,
        "not_identified": lost,
        "unbounded": found.unbounded,
        "shortfall": found.shortfall,
        "gradient": float(np.abs(found.gradient[~found.at_bound]).max(initial=0.0)),
        "iterations": found.iterations,
    }
    return diagnostics, warnings
