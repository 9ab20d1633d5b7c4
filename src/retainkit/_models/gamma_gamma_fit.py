"""The fit of Gamma-Gamma to the spend of customers: arrays only.

The coordinates of the search are, with s the mean m, log p, log q and log(p v / (q s)); the
penalised quantities log p, log q and log(v / s). They do not know the currency.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retainkit._models import gamma_gamma
from retainkit._models.effects import RowCovariates
from retainkit._models.fit import LARGE, Coordinates, Edge, Fit
from retainkit._models.fit_rows import FitRows, Search, fit_apart, fit_rows
from retainkit._typing import Floats


def _natural(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return p, q, v and their derivatives (3, 3) by the coordinates."""
    p, q, level = np.exp(phi)
    v = level * scale * q / p
    jacobian = np.array([[p, 0, 0], [0, q, 0], [-v, v, v]], dtype=np.float64)
    return np.array([p, q, v]), jacobian


def _coordinates(parameters: Floats, scale: float) -> Floats:
    p, q, v = parameters
    return np.log([p, q, p * v / (q * scale)])


_LINEAR = np.array([[1, 0, 0], [0, 1, 0], [-1, 1, 1]], dtype=np.float64)
_SEARCH = Search(
    model=Coordinates(
        names=("p", "q", "v"),
        bounds=((-LARGE, LARGE), (-LARGE / 2, LARGE), (-25.0, 25.0)),
        natural=_natural,
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
            (2, "high"): Edge(
                "large_spend", "p v / q is at its upper bound; it is not identified."
            ),
        },
    ),
    linear=_LINEAR,
    penalised=_LINEAR,
    scaled=(2,),
    targets={"spend": (2, 1)},
    coordinates_of=_coordinates,
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
    fit = fit_rows(
        _SEARCH,
        gamma_gamma.derivatives,
        _rows(x, m, weights, covariates),
        near=start,
        penalty=penalty,
        covariate_penalty=covariate_penalty,
    )
    return _with_tail(fit)


def fit_spend_apart(
    several: Sequence[tuple[Floats, Floats, Floats]], penalty: float = 0.0
) -> list[Fit]:
    """Fit Gamma-Gamma to several sets of distinct rows (x, m, weights), each by itself."""
    rows = [_rows(*one) for one in several]
    return [_with_tail(fit) for fit in fit_apart(_SEARCH, gamma_gamma.derivatives, rows, penalty)]


def _rows(
    x: Floats, m: Floats, weights: Floats, covariates: RowCovariates | None = None
) -> FitRows:
    """Return the rows of a fit, and where its search starts."""
    scale = float(np.average(m, weights=weights))
    return FitRows(
        data=(x, m),
        weights=weights,
        scale=scale,
        starts=_spend_starts(m / scale, weights),
        covariates=covariates,
    )


def _with_tail(fit: Fit) -> Fit:
    """Return a fit that says whether the mean spend of new customers is infinite."""
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
