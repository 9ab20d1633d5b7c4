"""Fits by maximum likelihood: the search, its result and its diagnosis. Arrays only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from retainkit._models.maximum import Maximum, covariance, maximise
from retainkit._models.newton import Derivatives, Objective
from retainkit._models.rows import RowDerivatives
from retainkit._typing import Booleans, Floats, Integers

RowLikelihood: TypeAlias = Callable[[Floats, Integers | None, tuple[Floats, ...]], RowDerivatives]
"""Points (S, P), the point of each row (None: all) and the data, to the log-likelihoods."""

LARGE = float(np.log(1e6))
"""Bound of the logarithms of parameters: such a number is as good as infinite."""

_MANY_ROWS = 5_000  # rows from which a part of them finds the neighbourhoods of maxima
_PART_ROWS = 2_000  # rows of that part
_BLOCK = 8_000  # rows times points at once, so that what is computed of them stays in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """The result of a fit, in natural parameters; `log_likelihood` is the total without penalty.

    `diagnostics` holds plain JSON values. `warnings` are sentences for the user.
    """

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
    """

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    natural: Callable[[Floats, float], tuple[Floats, Floats]]
    edges: dict[tuple[int, str], Edge]
    within: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitProblem:
    """A model and the rows it is fitted to.

    `rows` returns the log-likelihood of each row and its derivatives by the numbers
    ``linear @ coordinates + shift``, the logarithms in which its formulas are. `penalty` times the
    sum of the squares of ``penalised @ coordinates`` is taken from the mean.
    """

    model: Coordinates
    penalised: Floats
    linear: Floats
    shift: Floats
    rows: RowLikelihood
    data: tuple[Floats, ...]
    weights: Floats
    scale: float
    penalty: float

    def objective(self) -> Objective:
        """Return the mean log-likelihood less the penalty, as a function of the coordinates."""
        share = self.weights / self.weights.sum()

        bend = 2 * self.penalty * self.penalised.T @ self.penalised

        def objective(phi: Floats, _: Integers) -> Derivatives:
            points = phi @ self.linear.T + self.shift
            total = Derivatives.zeros(*phi.shape)
            length = _BLOCK // len(phi) + 1
            for first in range(0, len(share), length):
                block = slice(first, first + length)
                data = tuple(values[block] for values in self.data)
                total.add(self.rows(points, None, data).weighted_sum(share[block]))
            slope = phi @ bend
            return Derivatives(
                value=total.value - (phi * slope).sum(axis=1) / 2,
                gradient=total.gradient @ self.linear - slope,
                hessian=self.linear.T @ total.hessian @ self.linear - bend,
            )

        return objective

    def part(self) -> FitProblem | None:
        """Return the problem of a part of the rows, evenly chosen, if there are many."""
        if len(self.weights) < _MANY_ROWS:
            return None
        chosen = np.linspace(0, len(self.weights) - 1, _PART_ROWS).astype(np.int64)
        data = tuple(values[chosen] for values in self.data)
        return replace(self, data=data, weights=self.weights[chosen])


def fit_problem(problem: FitProblem, starts: Sequence[Floats], near: Floats | None) -> Fit:
    """Maximise the likelihood of a problem from several starts, or from a point that is near."""
    size, part = float(problem.weights.sum()), problem.part()
    found = maximise(
        problem.objective(),
        starts,
        problem.model.bounds,
        size=size,
        rough=None if part is None else part.objective(),
        near=near,
    )
    fit = fit_from_maximum(problem.model, found, size=size, scale=problem.scale)
    theta = problem.penalised @ found.estimate
    return replace(
        fit,
        log_likelihood=(found.value + problem.penalty * float(theta @ theta)) * size,
        diagnostics=fit.diagnostics | {"penalty": problem.penalty},
    )


def fit_from_maximum(model: Coordinates, found: Maximum, *, size: float, scale: float = 1.0) -> Fit:
    """Return the fit at the maximum of a mean log-likelihood over `size` customers."""
    parameters, jacobian = model.natural(found.estimate, scale)
    matrix = covariance(found.hessian * size, jacobian, found.at_bound)
    lost = np.isnan(np.diag(matrix))
    # Those that move with a coordinate at its bound are explained by what that bound means.
    flat = lost & ~(np.abs(jacobian[:, found.at_bound]).sum(axis=1) > 0)
    at_bound, warnings = _diagnose(model, found, _named(model, flat))
    return Fit(
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


def unidentified(fit: Fit, model: Coordinates, warning: str, **diagnostics: Any) -> Fit:
    """Return a fit of which no parameter is identified, for the reason in `warning`."""
    return replace(
        fit,
        covariance=np.full_like(fit.covariance, np.nan),
        diagnostics=fit.diagnostics | {"not_identified": list(model.names)} | diagnostics,
        warnings=[warning],
    )
