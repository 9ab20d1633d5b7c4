"""Fits by maximum likelihood: the search, its result and its diagnosis. Arrays only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retainkit._models.maximum import Maximum, covariance
from retainkit._typing import Booleans, Floats

LARGE = float(np.log(1e6))
"""Bound of the logarithms of parameters: such a number is as good as infinite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """The result of a fit, in natural parameters; `log_likelihood` is the total without penalty.

    `names` are those of the parameters. `diagnostics` holds plain JSON values. `warnings` are
    sentences for the user.
    """

    names: tuple[str, ...]
    parameters: Floats
    covariance: Floats
    log_likelihood: float
    size: float
    converged: bool
    diagnostics: dict[str, Any]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Edge:
    """The meaning of a maximum at a bound: a short name and a sentence."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """The coordinates in which the parameters of a model are searched, with their bounds.

    `natural` returns the parameters and their derivatives by the coordinates; its second argument
    is the scale of the data. `edges` are those of a coordinate and its side,
    "low" or "high". `within` maps coordinates to another one, at whose bound they mean nothing.
    The derivatives are those by ``derived_at @ coordinates``, where that is given.
    """

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    natural: Callable[[Floats, float], tuple[Floats, Floats]]
    edges: dict[tuple[int, str], Edge]
    within: dict[int, int]
    derived_at: Floats | None = None


def fit_from_maximum(model: Coordinates, found: Maximum, *, size: float, scale: float = 1.0) -> Fit:
    """Return the fit at the maximum of a mean log-likelihood over `size` customers."""
    parameters, jacobian = model.natural(found.estimate, scale)
    hessian = found.hessian * size
    if model.derived_at is not None:
        back = np.linalg.inv(model.derived_at)
        hessian = back.T @ hessian @ back
    matrix = covariance(hessian, jacobian, found.at_bound)
    lost = np.isnan(np.diag(matrix))
    # Those that move with a coordinate at its bound are explained by what that bound means.
    flat = lost & ~(np.abs(jacobian[:, found.at_bound]).sum(axis=1) > 0)
    at_bound, warnings = _diagnose(model, found, _named(model, flat))
    return Fit(
        names=model.names,
        parameters=parameters,
        covariance=matrix,
        log_likelihood=found.value * size,
        size=size,
        converged=found.converged,
        diagnostics={
            "at_bound": at_bound,
            "not_identified": _named(model, lost),
            "unbounded": found.unbounded,
            "shortfall": found.shortfall,
            "gradient": float(np.abs(found.gradient[~found.at_bound]).max(initial=0.0)),
            "iterations": found.iterations,
        },
        warnings=warnings,
    )


def _named(model: Coordinates, which: Booleans) -> list[str]:
    return [name for name, own in zip(model.names, which, strict=True) if own]


def _diagnose(
    model: Coordinates, found: Maximum, flat: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Name the bounds that a fit ended at, and write warnings; parameters are `flat` inside."""
    names, warnings = [], []
    meaningful = found.at_bound.copy()
    for j, other in model.within.items():
        meaningful[j] &= not found.at_bound[other]
    for (j, side), edge in model.edges.items():
        high = found.estimate[j] > np.mean(model.bounds[j])
        if meaningful[j] and side == ("high" if high else "low"):
            names.append(edge.name)
            warnings.append(edge.meaning)
    if flat:
        warnings.append(f"The data hardly identify {', '.join(flat)}: the likelihood is flat.")
    if found.unbounded:
        warnings.append("The likelihood has no maximum: it grows for ever towards these values.")
    elif not found.converged:
        warnings.append(
            "The fit has not reached a maximum: up to "
            f"{found.shortfall:.2g} of log-likelihood may be missing."
        )
    return names, warnings


def unidentified(fit: Fit, warning: str, **diagnostics: Any) -> Fit:
    """Return a fit of which no parameter is identified, for the reason in `warning`."""
    return replace(
        fit,
        covariance=np.full_like(fit.covariance, np.nan),
        diagnostics=fit.diagnostics | {"not_identified": list(fit.names)} | diagnostics,
        warnings=[warning],
    )
