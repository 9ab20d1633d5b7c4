"""The maximum of a smooth function of a few parameters inside a box, and its covariance.

The functions are mean log-likelihoods in logarithms (or log-odds) of the parameters. They
are smooth, but seldom concave: along some direction they may rise for ever and ever less, towards
a simpler model (equal customers). The box ends that climb, and a maximum on its edge says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retainkit._models.newton import (
    CLOSE,
    Box,
    Derivatives,
    Objective,
    Points,
    newton_step,
    replace_some,
    search,
    some,
)
from retainkit._typing import Booleans, Floats, Integers

_TOLERATED = 1e-4  # log-likelihood still to be gained at which the maximum counts as reached
_UNIDENTIFIED = 10  # standard error of a logarithm from which on it is not identified
_NO_INFORMATION = 1e-9  # information that is only rounding
_DIFFERENCE = 1e-4  # for differences of gradients
_STEEP = 1e-3  # slope at a bound, in mean log-likelihood, that is no simpler model's


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maximum:
    """The maximum of a function, and how well it is known.

    `shortfall` is the gain that the quadratic approximation still promises, in units of the total
    log-likelihood. `unbounded` is true where the function still rises steeply at the edge of the
    box: it has no maximum, and nothing has converged. `iterations` counts its evaluations.
    """

    estimate: Floats
    value: float
    gradient: Floats
    hessian: Floats
    at_bound: Booleans
    shortfall: float
    unbounded: bool
    converged: bool
    iterations: int


class _Climber:
    """Functions in a box, each a mean over so many rows, and the searches for their maxima.

    `calls` counts the evaluations of each.
    """

    def __init__(self, objective: Objective, box: Box, sizes: Floats) -> None:
        self.objective, self.box, self.sizes = objective, box, sizes
        self.calls = np.zeros(len(sizes), np.int64)

    def climb(self, starts: Floats, problem: Integers) -> Points:
        """Return where a search from each start ends."""
        found, evaluated = search(self.objective, self.box, starts, problem, self.sizes)
        np.add.at(self.calls, problem, evaluated)
        return found

    def highest(self, starts: Sequence[Sequence[Floats]], problems: Integers) -> Points:
        """Return the highest point that is found from several starts of each of some problems."""
        number = [len(own) for own in starts]
        begin = np.array([one for own in starts for one in own], np.float64)
        found = self.climb(begin, np.repeat(problems, number))
        value = np.where(np.isfinite(found.at.value), found.at.value, -np.inf)
        opens = np.cumsum([0, *number[:-1]])
        best = [part.argmax() for part in np.split(value, opens[1:])]
        return some(found, opens + best)

    def values(self, theta: Floats, problem: Integers) -> Floats:
        """Return the values of several points."""
        np.add.at(self.calls, problem, 1)
        return self.objective(theta, problem).value

    def gains(self, points: Points, problem: Integers) -> Floats:
        """Return what the quadratic approximation still promises, in total log-likelihood."""
        step = newton_step(points, self.box.free(points))
        gains: Floats = step.gain * self.sizes[problem]
        return gains


def maximise(
    objective: Objective,
    starts: Sequence[Floats],
    bounds: Sequence[tuple[float, float]],
    *,
    size: float = 1.0,
    rough: Objective | None = None,
    near: Floats | None = None,
) -> Maximum:
    """Find the greatest value of `objective`, a mean over `size` rows, inside the bounds.

    All `starts` are climbed from, and the highest point counts. For many rows `rough` may be the
    same mean over a part of them: it finds the neighbourhood, and few evaluations of `objective`
    do the rest. From a point known to be `near` it is climbed first, and from the others only if
    that leads nowhere. Nothing raises, and convergence is claimed only where the gradient confirms
    it.
    """
    first = starts if near is None else [near]
    if rough is not None:
        first = _maxima_of(_Climber(rough, Box(np.asarray(bounds)), np.array([size])), first)
    return maximise_all(objective, [starts], bounds, sizes=np.array([size]), first=[first])[0]


def maximise_all(
    objective: Objective,
    starts: Sequence[Sequence[Floats]],
    bounds: Sequence[tuple[float, float]],
    *,
    sizes: Floats,
    first: Sequence[Sequence[Floats]] | None = None,
) -> list[Maximum]:
    """Find the maxima of several problems in the same bounds, as `maximise` does that of one.

    `starts` and `sizes` are those of each problem. Where other starts are given, it is climbed from
    these `first`, and only from `starts` if that leads nowhere.
    """
    every = np.arange(len(sizes))
    climber = _Climber(objective, Box(np.asarray(bounds, dtype=np.float64)), sizes)
    points = climber.highest(first or starts, every)
    short = np.flatnonzero(~(climber.gains(points, every) <= _TOLERATED))
    if len(short):
        again = [[points.theta[i], *starts[i]] for i in short.tolist()]
        replace_some(points, short, climber.highest(again, short))
    edges, problem = _opposite_edges(climber, points)
    if len(edges):
        _take_higher(climber, points, climber.climb(edges, problem), problem)
    edges, problem = _edge_points(climber, points)
    if len(edges):
        _take_simplest(climber, points, climber.climb(edges, problem), problem)
    return _maxima_at(climber, points)


def _maxima_of(climber: _Climber, starts: Sequence[Floats]) -> list[Floats]:
    """Return the maxima of a problem that are found, the highest first, none close to another.

    A search that came close to a higher one was stopped, and promises a gain: it is no maximum.
    """
    problem = np.zeros(len(starts), np.int64)
    found = climber.climb(np.array(starts, np.float64), problem)
    value = np.where(np.isfinite(found.at.value), found.at.value, -np.inf)
    reached = np.isfinite(value) & (climber.gains(found, problem) <= _TOLERATED)
    kept = [found.theta[np.argmax(value)]]
    for theta in found.theta[reached]:
        if all(np.abs(theta - one).max() > CLOSE for one in kept):
            kept.append(theta)
    return kept


def _take_higher(climber: _Climber, points: Points, others: Points, problem: Integers) -> None:
    """Put points that are clearly higher in the place of those of their problem."""
    for i, own in enumerate(problem.tolist()):
        gained = others.at.value[i] - points.at.value[own]
        if gained * climber.sizes[own] > _TOLERATED:
            replace_some(points, np.array([own]), some(others, np.array([i])))


def _take_simplest(climber: _Climber, points: Points, edges: Points, problem: Integers) -> None:
    """Put points at the edge in the place of those as good: the data cannot tell the two apart."""
    reached = climber.gains(edges, problem) <= _TOLERATED
    for i in np.flatnonzero(reached):
        own = problem[i]
        noise = _TOLERATED / 100 / climber.sizes[own]
        if edges.at.value[i] >= points.at.value[own] - noise:
            replace_some(points, np.array([own]), some(edges, np.array([i])))


def _opposite_edges(climber: _Climber, points: Points) -> tuple[Floats, Integers]:
    """Find points at the opposite edge that may be as good, for each parameter at an edge.

    Few data may lack a scale, and be as likely at both ends of it: customers who are all equal, and
    those who differ vastly. The second array is the problem of each.
    """
    box = climber.box
    problem, j = np.nonzero(box.at_bound(points.theta))
    edges, rows = points.theta[problem], np.arange(len(j))
    edges[rows, j] = box.low[j] + box.high[j] - edges[rows, j]
    return _near(climber, points, edges, problem)


def _edge_points(climber: _Climber, points: Points) -> tuple[Floats, Integers]:
    """Find points at the edge of the box that may be as good, for each ill-known parameter.

    The second array is the problem of each.
    """
    box, sizes = climber.box, climber.sizes
    information = -np.diagonal(points.at.hessian, axis1=1, axis2=2) * sizes[:, None]
    # Others have no effect at all, or are known to within a unit, given the others.
    ill_known = (information > _NO_INFORMATION) & (information < 1)
    ill_known &= box.free(points) & ~box.at_bound(points.theta)
    problem, j = (np.repeat(one, 2) for one in np.nonzero(ill_known))
    edges = points.theta[problem]
    bounds = np.stack([box.low[j[::2]], box.high[j[::2]]], axis=1)
    edges[np.arange(len(j)), j] = bounds.ravel()
    return _near(climber, points, edges, problem)


def _near(
    climber: _Climber, points: Points, edges: Floats, problem: Integers
) -> tuple[Floats, Integers]:
    """Return those of the edges that are less than 1 of log-likelihood below their point."""
    if not len(edges):
        return edges, problem
    near = climber.values(edges, problem) > (points.at.value - 1 / climber.sizes)[problem]
    return edges[near], problem[near]


def _maxima_at(climber: _Climber, points: Points) -> list[Maximum]:
    """Describe the points at which the searches for the maxima have ended."""
    gains = climber.gains(points, np.arange(len(points.theta)))
    at_bound, free = climber.box.at_bound(points.theta), climber.box.free(points)
    # Towards a simpler model the slope dies away; that of a likelihood without a maximum does not.
    steep = np.abs(points.at.gradient) > _STEEP
    unbounded = np.any(at_bound & ~free & steep, axis=1)
    converged = np.isfinite(points.at.value) & (gains <= _TOLERATED) & ~unbounded
    return [
        Maximum(
            estimate=points.theta[i],
            value=float(points.at.value[i]),
            gradient=points.at.gradient[i],
            hessian=points.at.hessian[i],
            at_bound=at_bound[i],
            shortfall=float(gains[i]),
            unbounded=bool(unbounded[i]),
            converged=bool(converged[i]),
            iterations=int(climber.calls[i]),
        )
        for i in range(len(gains))
    ]


def by_differences(function: Callable[[Floats], tuple[float, Floats]], box: Floats) -> Objective:
    """Return an objective of a function of one point that gives its value and gradient.

    Its Hessian is made of central differences of the gradient; at a bound they lean inwards.
    """
    low, high = box.T

    def hessian(theta: Floats) -> Floats:
        rows = []
        for step in np.eye(len(theta)) * _DIFFERENCE:
            above, below = (np.clip(theta + own, low, high) for own in (step, -step))
            slopes = function(above)[1] - function(below)[1]
            rows.append(slopes / np.max(above - below))
        matrix: Floats = np.array(rows)
        symmetric: Floats = (matrix + matrix.T) / 2
        return symmetric

    def objective(theta: Floats, _: Integers) -> Derivatives:
        found = [function(one) for one in theta]
        return Derivatives(
            value=np.array([value for value, _ in found], np.float64),
            gradient=np.array([gradient for _, gradient in found]),
            hessian=np.array([hessian(one) for one in theta]),
        )

    return objective


def covariance(hessian: Floats, jacobian: Floats, at_bound: Booleans) -> Floats:
    """Covariance of parameters g(theta) from the Hessian of the total log-likelihood in theta.

    `jacobian` is dg/dtheta. Rows and columns of parameters that the data do not identify are NaN:
    those that move with a theta at its bound, or whose standard error is ten times the change that
    a unit of theta makes in them. Where the log-likelihood is flat, or has no maximum, it is larger
    than that.
    """
    known = ~at_bound
    lost = np.abs(jacobian[:, at_bound]).sum(axis=1) > 0
    matrix = np.zeros((len(jacobian), len(jacobian)))
    if not np.isfinite(hessian).all():
        lost[:] = True
    elif known.any():
        information, axes = np.linalg.eigh(-hessian[np.ix_(known, known)])
        moves = jacobian[:, known] @ axes
        floor = max(1e-10 * float(information.max()), 1e-12)
        matrix = (moves / np.maximum(information, floor)) @ moves.T
        matrix = (matrix + matrix.T) / 2
        lost |= np.diag(matrix) > _UNIDENTIFIED**2 * np.sum(jacobian**2, axis=1)
    matrix[lost, :] = matrix[:, lost] = np.nan
    return matrix
