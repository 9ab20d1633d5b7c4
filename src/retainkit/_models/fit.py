"""Maximum likelihood over coordinates with bounds, and what a fit found. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from retainkit._models.maximum import covariance, maximise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retainkit._models.maximum import Maximum, Objective
    from retainkit._typing import Floats

    Rows: TypeAlias = Callable[[Floats, tuple[Floats, ...]], tuple[Floats, Floats]]

_MANY = 20_000  # rows from which a part of them finds the neighbourhood of the maximum
_PART = 5_000  # rows of that part
_BLOCK = 10_000  # rows at a time, so that what is computed of them stays in the cache


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
class Coordinates:
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


# Both


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitProblem:
    """A model and the rows it is fitted to."""

    model: Coordinates
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

    def part(self) -> FitProblem | None:
        """Take every so-manieth row, if there are many."""
        if len(self.weights) < _MANY:
            return None
        chosen = np.linspace(0, len(self.weights) - 1, _PART).astype(np.int64)
        data = tuple(values[chosen] for values in self.data)
        return replace(self, data=data, weights=self.weights[chosen])


def fit_problem(problem: FitProblem, starts: Sequence[Floats], near: Floats | None) -> Fit:
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
    diagnostics, warnings = diagnose(model, found, matrix)
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


def diagnose(
    model: Coordinates, found: Maximum, matrix: Floats
) -> tuple[dict[str, Any], list[str]]:
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
