"""Fits of a model to rows, and to several sets of rows at once: arrays only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retainkit._models.batch import objective_of_all
from retainkit._models.effects import RowCovariates, to_standardised, with_effects
from retainkit._models.fit import Coordinates, Fit, fit_from_maximum
from retainkit._models.fit_problem import MANY_ROWS, FitProblem, RowLikelihood
from retainkit._models.maximum import Maximum, maximise, maximise_all
from retainkit._typing import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the parameters of a model are searched.

    The numbers of its likelihood are ``linear @ coordinates``, and to those that are `scaled` the
    logarithm of the scale of the data is added. `penalised` says of which numbers a penalty takes
    the squares. `targets` has the coordinate, and the sign, of each process that covariates act on.
    `coordinates_of` returns the coordinates of parameters and a scale.
    """

    model: Coordinates
    linear: Floats
    penalised: Floats
    scaled: tuple[int, ...]
    targets: Mapping[str, tuple[int, int]]
    coordinates_of: Callable[[Floats, float], Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitRows:
    """Distinct rows, each counted `weights` times, their covariates, and the scale of the data.

    The `starts` of the search are coordinates without coefficients, which are 0 there.
    """

    data: tuple[Floats, ...]
    weights: Floats
    scale: float
    starts: Sequence[Floats]
    covariates: RowCovariates | None = None

    def by_kind(self) -> FitRows:
        """Return the rows in an order in which those of a kind lie together."""
        if self.covariates is None:
            return self
        order = np.argsort(self.covariates.kind, kind="stable")
        return replace(
            self,
            data=tuple(one[order] for one in self.data),
            weights=self.weights[order],
            covariates=self.covariates.of_rows(order),
        )


def fit_rows(
    search: Search,
    likelihood: RowLikelihood,
    rows: FitRows,
    *,
    near: Floats | None = None,
    penalty: float = 0.0,
    covariate_penalty: float = 0.0,
) -> Fit:
    """Fit a model to rows; the search begins with estimates that are known to be `near`."""
    problem = _problem(search, likelihood, rows, penalty, covariate_penalty)
    begin = None
    if near is not None:
        coordinates = search.coordinates_of(near[: problem.size], rows.scale)
        begin = to_standardised(coordinates, near[problem.size :], problem.effects)
    return _fit(problem, _maximum(problem, rows.starts, begin))


def fit_apart(
    search: Search, likelihood: RowLikelihood, several: Sequence[FitRows], penalty: float = 0.0
) -> list[Fit]:
    """Fit a model to several sets of rows without covariates, each by itself: the small at once."""
    problems = [_problem(search, likelihood, rows, penalty) for rows in several]
    small = [i for i, one in enumerate(problems) if len(one.weights) < MANY_ROWS]
    found: dict[int, Maximum] = {}
    if len(small) > 1:
        together = [problems[i] for i in small]
        maxima = maximise_all(
            objective_of_all(together),
            [several[i].starts for i in small],
            search.model.bounds,
            sizes=np.array([one.weights.sum() for one in together]),
        )
        found = dict(zip(small, maxima, strict=True))
    return [
        _fit(one, found[i] if i in found else _maximum(one, several[i].starts))
        for i, one in enumerate(problems)
    ]


def _problem(
    search: Search,
    likelihood: RowLikelihood,
    rows: FitRows,
    penalty: float,
    covariate_penalty: float = 0.0,
) -> FitProblem:
    """Return the likelihood of a model and rows."""
    rows = rows.by_kind()
    shift = np.zeros(len(search.linear))
    shift[[*search.scaled]] = np.log(rows.scale)
    covariates = rows.covariates
    return FitProblem(
        model=search.model,
        penalised=search.penalised,
        linear=search.linear,
        shift=shift,
        rows=likelihood,
        data=rows.data,
        weights=rows.weights,
        scale=rows.scale,
        penalty=penalty,
        effects=covariates.effects(search.targets, rows.weights) if covariates else [],
        kind=covariates.kind if covariates else None,
        covariate_penalty=covariate_penalty,
    )


def _maximum(problem: FitProblem, starts: Sequence[Floats], near: Floats | None = None) -> Maximum:
    """Return the maximum of a problem, from several starts, or from a point that is near."""
    part = problem.part()
    model = with_effects(problem.model, problem.effects)
    none = np.zeros(len(model.bounds) - problem.size)
    return maximise(
        problem.objective(),
        [np.concatenate([one, none]) for one in starts],
        model.bounds,
        size=float(problem.weights.sum()),
        rough=None if part is None else part.objective(),
        near=near,
    )


def _fit(problem: FitProblem, found: Maximum) -> Fit:
    """Return the fit at the maximum of a problem."""
    size = float(problem.weights.sum())
    model = with_effects(problem.model, problem.effects)
    fit = fit_from_maximum(model, found, size=size, scale=problem.scale)
    penalty = float(found.estimate @ problem.bend @ found.estimate) / 2
    facts = {"penalty": problem.penalty}
    if problem.effects:
        facts["covariate_penalty"] = problem.covariate_penalty
    return replace(
        fit,
        log_likelihood=(found.value + penalty) * size,
        diagnostics=fit.diagnostics | facts,
    )
