"""Fits of the models of purchases and of spend. Arrays only.

Parameters are searched in coordinates that know neither the unit of time nor the currency, and in
which a simpler model lies straight ahead along one axis. These are, with s the mean T,

    log r, log(alpha / (r s)), log(a / b), log(a + b)           purchases
    log p, log q, log(p v / (q s))                              spend, with s the mean m

The penalised quantities are log r, log(alpha / s), log(a / b), log(a + b), and log p, log q,
log(v / s): `penalty` times the sum of their squares is taken from the mean log-likelihood.
"""

from __future__ import annotations

import numpy as np

from retainkit._models import gamma_gamma
from retainkit._models.effects import RowCovariates, to_standardised, with_effects
from retainkit._models.fit import LARGE, Coordinates, Edge, Fit, unidentified
from retainkit._models.fit_problem import FitProblem, fit_problem
from retainkit._models.process import History, PurchaseProcess
from retainkit._typing import Floats, Integers

# Purchases

_MANY_REPEATERS = 20  # customers among whom at least one buys once, in any real business


def _natural_purchases(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return r, alpha, a, b and their derivatives (4, 4) by the coordinates."""
    r, wait, both = np.exp(phi[[0, 1, 3]])
    share, rest = 1 / (1 + np.exp(-phi[2])), 1 / (1 + np.exp(phi[2]))
    alpha, a, b = r * wait * scale, share * both, rest * both
    slope = share * rest * both
    jacobian = np.array(
        [[r, 0, 0, 0], [alpha, alpha, 0, 0], [0, 0, slope, a], [0, 0, -slope, b]], dtype=np.float64
    )
    return np.array([r, alpha, a, b]), jacobian


def _purchase_coordinates(parameters: Floats, scale: float) -> Floats:
    r, alpha, a, b = parameters
    return np.log([r, alpha / (r * scale), a / b, a + b])


_TARGETS = {"purchase": (1, -1), "dropout": (2, 1)}
_PENALISED_PURCHASES = np.array(
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64
)
_PURCHASES = Coordinates(
    names=("r", "alpha", "a", "b"),
    bounds=((-LARGE, LARGE), (-25.0, 25.0), (-LARGE, LARGE), (-LARGE, LARGE)),
    natural=_natural_purchases,
    within={3: 2},  # how much drop-out differs, where there is none
    edges={
        (0, "low"): Edge(
            "extreme_rates",
            "r is at its lower bound: almost nobody buys again, and the rate of purchase "
            "is not identified.",
        ),
        (0, "high"): Edge(
            "equal_rates",
            "r and alpha are at infinity: customers do not differ in their rate of purchase, "
            "and only r / alpha is identified.",
        ),
        (1, "low"): Edge("fast_rates", "alpha / r is at its lower bound; it is not identified."),
        (1, "high"): Edge("slow_rates", "alpha / r is at its upper bound; it is not identified."),
        (2, "low"): Edge(
            "no_dropout",
            "a / (a + b) is zero: the data show no drop-out, and a and b are not identified.",
        ),
        (2, "high"): Edge(
            "certain_dropout",
            "a / (a + b) is one: customers drop out at the first opportunity, and a and b are "
            "not identified.",
        ),
        (3, "low"): Edge(
            "extreme_dropout",
            "a and b are zero: customers drop out at the first opportunity or never, and only "
            "a / (a + b) is identified.",
        ),
        (3, "high"): Edge(
            "equal_dropout",
            "a and b are at infinity: customers do not differ in their drop-out, and only "
            "a / (a + b) is identified.",
        ),
    },
)


def fit_purchases(
    process: PurchaseProcess,
    history: History,
    weights: Floats,
    penalty: float = 0.0,
    *,
    start: Floats | None = None,
    covariates: RowCovariates | None = None,
    covariate_penalty: float = 0.0,
) -> Fit:
    """Fit a model of purchases to distinct rows, each counted `weights` times.

    `start` are parameters, and coefficients, known to be near the estimates.
    """
    order, covariates = by_kind(covariates, len(weights))
    weights = weights[order]
    x, tx, T = (one[order] for one in history)  # noqa: N806
    scale = float(np.average(T, weights=weights)) or 1.0
    effects = covariates.effects(_TARGETS, weights) if covariates else []
    near = None
    if start is not None:
        near = to_standardised(_purchase_coordinates(start[:4], scale), start[4:], effects)
    fit = fit_problem(
        FitProblem(
            model=_PURCHASES,
            penalised=_PENALISED_PURCHASES,
            linear=_PENALISED_PURCHASES,
            shift=np.array([0.0, np.log(scale), 0.0, 0.0]),
            rows=process.derivatives,
            data=(x, tx, T),
            weights=weights,
            scale=scale,
            penalty=penalty,
            effects=effects,
            kind=covariates.kind if covariates else None,
            covariate_penalty=covariate_penalty,
        ),
        _purchase_starts(x, T, weights),
        near,
    )
    fit.diagnostics["no_repeats"] = not np.any((x > 0) & (weights > 0))
    if not fit.diagnostics["no_repeats"]:
        fit.warnings.extend(_selection_warnings(x, weights))
        return fit
    return unidentified(
        fit,
        with_effects(_PURCHASES, effects),
        "Nobody bought again: neither the rate of purchase nor drop-out is identified, and the "
        "model predicts no purchases.",
    )


def by_kind(
    covariates: RowCovariates | None, n_rows: int
) -> tuple[Integers | slice, RowCovariates | None]:
    """Return an order of the rows in which kinds lie together, and the covariates in that order."""
    if covariates is None:
        return slice(n_rows), None
    order = np.argsort(covariates.kind, kind="stable")
    return order, covariates.of_rows(order)


def _selection_warnings(x: Floats, weights: Floats) -> list[str]:
    """Return a warning where all customers bought again, which is no chance among so many."""
    customers = float(weights.sum())
    if customers < _MANY_REPEATERS or np.any((x == 0) & (weights > 0)):
        return []
    text = (
        f"All {customers:,.0f} customers bought again: those who did not (frequency 0) seem to be "
        "left out, or the first purchase is counted in frequency. The model takes them for all "
        "customers there were, and expects too much of everybody. Fit it to all, of "
        "rfm_summary(include_first=False)."
    )
    return [text]


def _purchase_starts(x: Floats, T: Floats, weights: Floats) -> list[Floats]:  # noqa: N803
    """Moments of the counts as if nobody dropped out, then other guesses about drop-out."""
    mean, length = np.average(x, weights=weights), np.average(T, weights=weights)
    if mean == 0 or length == 0:
        return [np.array([-LARGE, LARGE, 0.0, 0.0])]
    spread = np.average((x - mean) ** 2, weights=weights)
    log_r = float(np.clip(np.log(mean**2 / max(spread - mean, 1e-3 * mean**2)), -3, 3))
    wait = -np.log(mean)
    return [
        np.array([log_r, wait - 0.5, -1.0, 1.0]),
        np.array([log_r + 1, wait, -3.0, 2.0]),
        np.array([log_r, wait - 1.5, 0.0, 0.0]),
        np.array([0.0, wait - 2.0, 1.0, 0.0]),
        np.array([log_r + 1, wait - 0.5, -1.5, LARGE]),
        # Few repeat purchases leave it open whether rates differ or customers drop out: two maxima.
        np.array([-1.0, wait - 1.0, 0.0, LARGE]),
        np.array([-1.0, wait - 1.0, 0.0, 2.0]),
    ]


# Spend


def _natural_spend(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return p, q, v and their derivatives (3, 3) by the coordinates."""
    p, q, level = np.exp(phi)
    v = level * scale * q / p
    jacobian = np.array([[p, 0, 0], [0, q, 0], [-v, v, v]], dtype=np.float64)
    return np.array([p, q, v]), jacobian


def _spend_coordinates(parameters: Floats, scale: float) -> Floats:
    p, q, v = parameters
    return np.log([p, q, p * v / (q * scale)])


_SPEND_TARGETS = {"spend": (2, 1)}
_PENALISED_SPEND = np.array([[1, 0, 0], [0, 1, 0], [-1, 1, 1]], dtype=np.float64)
_SPEND = Coordinates(
    names=("p", "q", "v"),
    bounds=((-LARGE, LARGE), (-LARGE / 2, LARGE), (-25.0, 25.0)),
    natural=_natural_spend,
    within={},
    edges={
        (0, "low"): Edge("extreme_purchases", "p is at its lower bound; it is not identified."),
        (0, "high"): Edge(
            "equal_purchases",
            "p is at infinity: a customer's purchases do not differ in what is spent, and only "
            "p v is identified.",
        ),
        (1, "low"): Edge("extreme_customers", "q is at its lower bound; it is not identified."),
        (1, "high"): Edge(
            "equal_customers",
            "q and v are at infinity: customers do not differ in their mean spend, and only "
            "v / q is identified.",
        ),
        (2, "low"): Edge("small_spend", "p v / q is at its lower bound; it is not identified."),
        (2, "high"): Edge("large_spend", "p v / q is at its upper bound; it is not identified."),
    },
)


def fit_spend(
    x: Floats,
    m: Floats,
    weights: Floats,
    penalty: float = 0.0,
    *,
    start: Floats | None = None,
    covariates: RowCovariates | None = None,
    covariate_penalty: float = 0.0,
) -> Fit:
    """Fit Gamma-Gamma to distinct rows (x > 0, m > 0), each counted `weights` times.

    `start` are parameters, and coefficients, known to be near the estimates.
    """
    order, covariates = by_kind(covariates, len(weights))
    x, m, weights = x[order], m[order], weights[order]
    scale = float(np.average(m, weights=weights))
    effects = covariates.effects(_SPEND_TARGETS, weights) if covariates else []

    near = None
    if start is not None:
        near = to_standardised(_spend_coordinates(start[:3], scale), start[3:], effects)
    fit = fit_problem(
        FitProblem(
            model=_SPEND,
            penalised=_PENALISED_SPEND,
            linear=_PENALISED_SPEND,
            shift=np.array([0.0, 0.0, np.log(scale)]),
            rows=gamma_gamma.derivatives,
            data=(x, m),
            weights=weights,
            scale=scale,
            penalty=penalty,
            effects=effects,
            kind=covariates.kind if covariates else None,
            covariate_penalty=covariate_penalty,
        ),
        _spend_starts(m / scale, weights),
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
