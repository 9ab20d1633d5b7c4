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
    """A function in its box, a mean over `size` rows, and the searches for its maximum."""

    def __init__(self, objective: Objective, box: Box, size: float) -> None:
        self.objective, self.box, self.size = objective, box, size
        self.calls = 0

    def climb(self, starts: Sequence[Floats]) -> Points:
        """Return where the searches from several starts end."""
        begin = np.array(starts, np.float64)
        found, calls = search(self.objective, self.box, begin, np.full(len(begin), self.size))
        self.calls += calls
        return found

    def values(self, theta: Floats) -> Floats:
        """Return the values of several points."""
        self.calls += len(theta)
        return self.objective(theta, np.zeros(len(theta), np.int64)).value

    def gains(self, points: Points) -> Floats:
        """Return what the quadratic approximation still promises, in total log-likelihood."""
        gains: Floats = newton_step(points, self.box.free(points)).gain * self.size
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
    box = Box(np.asarray(bounds, dtype=np.float64))
    climber = _Climber(objective, box, size)
    scout = climber if rough is None else _Climber(rough, box, size)
    found = scout.climb(starts if near is None else [near])
    if rough is not None:
        found = climber.climb(_apart(found, scout.gains(found)))
    point = _highest(found)
    if not climber.gains(point)[0] <= _TOLERATED:
        point = _highest(climber.climb([point.theta[0], *starts]))
    edges = _edge_points(climber, point)
    if len(edges):
        point = _simplest(climber, point, climber.climb(edges))
    return _maximum(climber, point)


def _highest(points: Points) -> Points:
    """Return the highest of several points."""
    value = points.at.value
    return some(points, np.array([np.argmax(np.where(np.isfinite(value), value, -np.inf))]))


def _apart(points: Points, gains: Floats) -> list[Floats]:
    """Return the maxima among several points, the highest first, none close to another.

    A search that came close to a higher one was stopped, and promises a gain: it is no maximum.
    """
    kept = [_highest(points).theta[0]]
    for theta, value, gain in zip(points.theta, points.at.value, gains, strict=True):
        reached = np.isfinite(value) and gain <= _TOLERATED
        if reached and all(np.abs(theta - one).max() > CLOSE for one in kept):
            kept.append(theta)
    return kept


def _simplest(climber: _Climber, point: Points, edges: Points) -> Points:
    """Return the point, or one at the edge that is as good: the data cannot tell the two apart."""
    gains = climber.gains(edges)
    for i in range(len(gains)):
        as_good = edges.at.value[i] >= point.at.value[0] - _TOLERATED / 100 / climber.size
        if as_good and gains[i] <= _TOLERATED:
            point = some(edges, np.array([i]))
    return point


def _edge_points(climber: _Climber, point: Points) -> list[Floats]:
    """Find points at the edge of the box that may be as good, for each ill-known parameter."""
    box, theta = climber.box, point.theta[0]
    edges = []
    for j in np.flatnonzero(box.free(point)[0] & ~box.at_bound(theta)):
        information = -point.at.hessian[0, j, j] * climber.size
        if not _NO_INFORMATION < information < 1:
            continue  # it has no effect at all, or is known to within a unit, given the others
        for bound in (box.low[j], box.high[j]):
            edges.append(theta.copy())
            edges[-1][j] = bound
    if not edges:
        return []
    near = climber.values(np.array(edges)) > point.at.value[0] - 1 / climber.size
    return [edge for edge, is_near in zip(edges, near, strict=True) if is_near]


def _maximum(climber: _Climber, point: Points) -> Maximum:
    """Describe the point at which a search has ended."""
    theta, gradient = point.theta[0], point.at.gradient[0]
    value, gain = float(point.at.value[0]), float(climber.gains(point)[0])
    at_bound = climber.box.at_bound(theta)
    # Towards a simpler model the slope dies away; that of a likelihood without a maximum does not.
    steep = np.abs(gradient) > _STEEP
    unbounded = bool(np.any(at_bound & ~climber.box.free(point)[0] & steep))
    return Maximum(
        estimate=theta,
        value=value,
        gradient=gradient,
        hessian=point.at.hessian[0],
        at_bound=at_bound,
        shortfall=gain,
        unbounded=unbounded,
        converged=bool(np.isfinite(value)) and gain <= _TOLERATED and not unbounded,
        iterations=climber.calls,
    )


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
