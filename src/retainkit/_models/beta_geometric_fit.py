"""Fits of the retention models to steps between ages. Arrays only.

The search runs over log(alpha / beta), log(alpha + beta) and log c, in which a simpler model (equal
customers; some who leave at once and others who never do) lies straight ahead along one axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retainkit._messages import count_noun
from retainkit._models.beta_geometric import (
    has_infinite_mean,
    jacobian,
    log_likelihood_gradient,
    natural_parameters,
)
from retainkit._models.fit import LARGE, Coordinates, Edge, Fit, fit_from_maximum, unidentified
from retainkit._models.maximum import by_differences, covariance, maximise
from retainkit._typing import Floats

_NAMES = ("alpha", "beta", "c")
_BOUNDS = ((-LARGE, LARGE), (-LARGE, LARGE), (-3.0, 3.0))

# The meaning of a maximum at a bound: for a coordinate and its side a name and a sentence.
_EDGES = {
    (0, "low"): Edge(
        "nobody_leaves",
        "alpha / (alpha + beta) is zero: the data show hardly any leaving, and no parameter "
        "is identified.",
    ),
    (0, "high"): Edge(
        "everybody_leaves",
        "alpha / (alpha + beta) is one: customers leave at the first opportunity, and no "
        "parameter is identified.",
    ),
    (1, "low"): Edge(
        "extreme_customers",
        "alpha and beta are zero: customers leave at the first opportunity or never, and only "
        "alpha / (alpha + beta) is identified.",
    ),
    (1, "high"): Edge(
        "equal_customers",
        "alpha and beta are at infinity: customers do not differ in their chance to leave, and "
        "only alpha / (alpha + beta) is identified. Intervals suppose that they are equal, and "
        "are too narrow upwards.",
    ),
    (2, "low"): Edge("flat_course", "c is at its lower bound; it is not identified."),
    (2, "high"): Edge("steep_course", "c is at its upper bound; it is not identified."),
}


def _natural(phi: Floats, _: float) -> tuple[Floats, Floats]:
    """Return alpha, beta and, if there is a third coordinate, c; and their derivatives."""
    size, theta = len(phi), _theta(phi)
    return theta[:size], jacobian(theta)[:size, :size]


def _theta(phi: Floats) -> Floats:
    """Return alpha, beta and c, which is 1 where there is no coordinate for it."""
    return natural_parameters(np.append(phi, 0.0)[:3])


def _coordinates(size: int) -> Coordinates:
    """Return the coordinates of `size` parameters."""
    return Coordinates(
        names=_NAMES[:size],
        bounds=_BOUNDS[:size],
        natural=_natural,
        # How much chances differ, or change, means nothing where there is no chance.
        within=dict.fromkeys(range(1, size), 0),
        edges={edge: meaning for edge, meaning in _EDGES.items() if edge[0] < size},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgeIntervals:
    """Steps from an age to a later one: how many of those there stayed, and how many left.

    `customers` is how many there were in all cohorts.
    """

    before: Floats
    after: Floats
    stayed: Floats
    left: Floats
    customers: float


def fit_age_intervals(steps: AgeIntervals, *, size: int) -> Fit:
    """Fit `size` parameters: 2 for alpha and beta with c = 1, 3 with c."""
    model, total = _coordinates(size), float(np.sum(steps.stayed + steps.left))

    def objective(phi: Floats) -> tuple[float, Floats]:
        theta = _theta(phi)
        value, slope = log_likelihood_gradient(
            theta, steps.before, steps.after, steps.stayed, steps.left
        )
        return value / total, (slope @ jacobian(theta))[:size] / total

    starts = _age_interval_starts(steps, size)
    # Newton's steps nearly always arrive from there, and save the climbs.
    climbed = by_differences(objective, np.array(model.bounds))
    found = maximise(climbed, starts, model.bounds, size=total, near=starts[1])
    fit = replace(fit_from_maximum(model, found, size=total), size=steps.customers)
    # A coordinate at a bound is treated as known: the interval is that of the simpler model.
    coordinates = covariance(found.hessian * total, np.eye(size), found.at_bound)
    coordinates[found.at_bound, :] = coordinates[:, found.at_bound] = 0.0
    fit.diagnostics.update(
        coordinates=coordinates.tolist(),
        infinite_mean=has_infinite_mean(_theta(found.estimate)),
        steps=len(steps.after),
    )
    problem = _too_little_data(steps, size)
    if problem:
        name, warning = problem
        unknown = np.full_like(coordinates, np.nan).tolist()
        return unidentified(fit, warning, at_bound=[name], coordinates=unknown)
    if len(steps.after) <= size:
        fit.warnings.append(
            f"{count_noun(len(steps.after), 'step')} between ages for {size} parameters: the curve "
            "goes through all points, whether or not the model is right. Nothing is left to check "
            "it by."
        )
    return fit


def _age_interval_starts(steps: AgeIntervals, size: int) -> list[Floats]:
    """Guesses of how much customers differ, each with a share that leaves at the first step."""
    first = steps.before == steps.before.min()
    left, stayed = float(steps.left[first].sum()), float(steps.stayed[first].sum())
    odds = np.log((left + 0.5) / (stayed + 0.5))
    starts = [np.array([odds, spread, 0.0]) for spread in (-2.0, 0.5, 4.0)]
    if size == 3:
        starts += [np.array([odds, 0.5, 0.7]), np.array([odds, 3.0, -0.7])]
    return [start[:size] for start in starts]


def _too_little_data(steps: AgeIntervals, size: int) -> tuple[str, str] | None:
    """Return the name and the description of data from which no parameters can be learnt."""
    if not steps.left.sum():
        return "nobody_left", (
            "Nobody left: how customers leave is not identified, and the model lets none of them "
            "leave. Wait for longer, or look at more customers."
        )
    if not steps.stayed.sum():
        return "everybody_left", (
            "Nobody stayed beyond the first age: how customers differ is not identified, and the "
            "model lets all of them leave at once. Count in shorter periods."
        )
    if len(steps.after) < size:
        return "few_ages", (
            f"{count_noun(len(steps.after), 'step')} between ages, and {size} parameters: they are "
            "not identified, and a projection is a guess. Wait for longer, or count in shorter "
            "periods."
        )
    return None
