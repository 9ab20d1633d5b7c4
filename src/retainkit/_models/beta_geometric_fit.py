"""Estimation of the models of leaving from steps between ages. Arrays only.

The search runs over log(alpha / beta), log(alpha + beta) and log c, in which a simpler model (equal
customers; some who leave at once and others who never do) lies straight ahead along one axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit._messages import count_noun
from retainkit._models.beta_geometric import (
    has_infinite_mean,
    jacobian,
    log_likelihood_gradient,
    theta_of,
)
from retainkit._models.fit import Fit
from retainkit._models.maximum import covariance, maximise

if TYPE_CHECKING:
    from retainkit._models.maximum import Maximum
    from retainkit._typing import Floats


NAMES = ("alpha", "beta", "c")

_LARGE = float(np.log(1e6))
_BOUNDS = ((-_LARGE, _LARGE), (-_LARGE, _LARGE), (-3.0, 3.0))

# What it means to end at a bound: for a coordinate and its side a name and a sentence.
_EDGES: dict[tuple[int, str], tuple[str, str]] = {
    (0, "low"): (
        "nobody_leaves",
        (
            "alpha / (alpha + beta) is zero: the data show hardly any leaving, and no parameter "
            "is identified."
        ),
    ),
    (0, "high"): (
        "everybody_leaves",
        (
            "alpha / (alpha + beta) is one: customers leave at the first opportunity, and no "
            "parameter is identified."
        ),
    ),
    (1, "low"): (
        "extreme_customers",
        (
            "alpha and beta are zero: customers leave at the first opportunity or never, and only "
            "alpha / (alpha + beta) is identified."
        ),
    ),
    (1, "high"): (
        "equal_customers",
        (
            "alpha and beta are at infinity: customers do not differ in their chance to leave, and "
            "only alpha / (alpha + beta) is identified. Intervals suppose that they are equal, and "
            "are too narrow upwards."
        ),
    ),
    (2, "low"): ("flat_course", "c is at its lower bound; it is not identified."),
    (2, "high"): ("steep_course", "c is at its upper bound; it is not identified."),
}


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
    total = float(np.sum(steps.stayed + steps.left))

    def objective(phi: Floats) -> tuple[float, Floats]:
        theta = theta_of(np.append(phi, 0.0)[:3])
        value, slope = log_likelihood_gradient(
            theta, steps.before, steps.after, steps.stayed, steps.left
        )
        return value / total, (slope @ jacobian(theta))[:size] / total

    starts = _starts(steps, size)
    # Newton's steps nearly always arrive from there, and save the climbs.
    found = maximise(objective, starts, _BOUNDS[:size], size=total, near=starts[1])
    theta = theta_of(np.append(found.estimate, 0.0)[:3])
    matrix = covariance(found.hessian * total, jacobian(theta)[:size, :size], found.at_bound)
    # At a bound a coordinate is taken as given: the interval is that of the simpler model.
    coordinates = covariance(found.hessian * total, np.eye(size), found.at_bound)
    coordinates[found.at_bound, :] = coordinates[:, found.at_bound] = 0.0
    names, warnings = _diagnose(found, matrix, size)
    unknown = _not_enough(steps, size)
    if unknown:
        matrix[:], coordinates[:] = np.nan, np.nan
        names, warnings = [unknown[0]], [unknown[1]]
    elif len(steps.after) <= size:
        warnings.append(
            f"{count_noun(len(steps.after), 'step')} between ages for {size} parameters: the curve "
            "goes through all points, whether or not the model is right. Nothing is left to check "
            "it by."
        )
    diagnostics = {
        "at_bound": names,
        "not_identified": [
            name for name, own in zip(NAMES, np.diag(matrix), strict=False) if np.isnan(own)
        ],
        "coordinates": coordinates.tolist(),
        "infinite_mean": has_infinite_mean(theta),
        "steps": len(steps.after),
        "unbounded": found.unbounded,
        "shortfall": found.shortfall,
        "gradient": float(np.abs(found.gradient[~found.at_bound]).max(initial=0.0)),
        "iterations": found.iterations,
    }
    return Fit(
        parameters=theta[:size],
        covariance=matrix,
        log_likelihood=found.value * total,
        size=steps.customers,
        converged=found.converged,
        diagnostics=diagnostics,
        warnings=warnings,
    )


def _starts(steps: AgeIntervals, size: int) -> list[Floats]:
    """Guesses of how much customers differ, each with a share that leaves at the first step."""
    first = steps.before == steps.before.min()
    left, stayed = float(steps.left[first].sum()), float(steps.stayed[first].sum())
    odds = np.log((left + 0.5) / (stayed + 0.5))
    starts = [np.array([odds, spread, 0.0]) for spread in (-2.0, 0.5, 4.0)]
    if size == 3:
        starts += [np.array([odds, 0.5, 0.7]), np.array([odds, 3.0, -0.7])]
    return [start[:size] for start in starts]


def _not_enough(steps: AgeIntervals, size: int) -> tuple[str, str] | None:
    """Tell data from which the parameters cannot be learnt, whatever the likelihood."""
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


def _diagnose(found: Maximum, matrix: Floats, size: int) -> tuple[list[str], list[str]]:
    """Say in names and in sentences what the fit ran into."""
    names, warnings = [], []
    told = found.at_bound.copy()
    told[1:] &= not found.at_bound[0]  # how much chances differ, where there is none
    for (j, side), (name, sentence) in _EDGES.items():
        if j < size and told[j] and side == ("high" if found.estimate[j] > 0 else "low"):
            names.append(name)
            warnings.append(sentence)
    lost = [name for name, own in zip(NAMES, np.diag(matrix), strict=False) if np.isnan(own)]
    if lost and not names:
        warnings.append(f"The data hardly identify {', '.join(lost)}: the likelihood is flat.")
    if found.unbounded:
        warnings.append("The likelihood has no maximum: it grows for ever towards these values.")
    elif not found.converged:
        warnings.append(
            f"The fit has not reached a maximum: up to {found.shortfall:.2g} of log-likelihood may "
            "be missing."
        )
    return names, warnings
