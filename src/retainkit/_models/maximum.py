"""The maximum of a smooth function of a few parameters inside a box, and its covariance.

The functions are mean log-likelihoods in logarithms (or log-odds) of the parameters. They
are smooth, but seldom concave: along some direction they may rise for ever and ever less, towards
a simpler model (equal customers). The box ends that climb, and a maximum on its edge says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Booleans, Floats

with without_scipy_filters():
    from scipy.optimize import Bounds, minimize

Objective: TypeAlias = "Callable[[Floats], tuple[float, Floats]]"
"""Parameters -> value and gradient."""

_FINISHED = 1e-12  # log-likelihood still to be gained at which polishing ends
_TOLERATED = 1e-4  # the same, at which the maximum counts as reached
_UNIDENTIFIED = 10  # standard error of a logarithm from which on it is not identified
_NO_INFORMATION = 1e-9  # information that is only rounding
_DIFFERENCE = 1e-4  # for differences of gradients
_STEEP = 1e-3  # slope at a bound, in mean log-likelihood, that is no simpler model's
_AT_EDGE = 1e-6  # a parameter this close to a bound counts as at it


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Point:
    """A point with the value and the gradient there."""

    theta: Floats
    value: float
    gradient: Floats


class _Climber:
    """A function in its box, and the steps of the search for its maximum."""

    def __init__(self, objective: Objective, box: Floats, size: float) -> None:
        self.objective = objective
        self.low, self.high = box.T
        self.size = size
        self.calls = 0

    def at(self, theta: Floats) -> _Point:
        """Evaluate the function."""
        self.calls += 1
        theta = np.clip(theta, self.low, self.high)
        value, gradient = self.objective(theta)
        return _Point(theta=theta, value=float(value), gradient=gradient)

    def climb(self, start: Floats) -> _Point:
        """Search by L-BFGS-B, which needs no second derivatives; far off they mislead."""

        def downhill(theta: Floats) -> tuple[float, Floats]:
            point = self.at(theta)
            return -point.value, -point.gradient

        # Its own report of success is ignored: the value reached decides.
        found = minimize(
            downhill,
            np.clip(start, self.low, self.high),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(self.low, self.high),
            options={"ftol": 1e-10, "gtol": 1e-6, "maxiter": 200},
        )
        return self.at(found.x)

    def at_bound(self, theta: Floats) -> Booleans:
        """Return the parameters at a bound."""
        near: Booleans = np.minimum(theta - self.low, self.high - theta) <= _AT_EDGE
        return near

    def free(self, point: _Point) -> Booleans:
        """Return the parameters that may move uphill: not those pushed against a bound."""
        outwards = np.where(point.gradient > 0, self.high - point.theta, point.theta - self.low)
        movable: Booleans = outwards > _AT_EDGE
        return movable

    def hessian(self, theta: Floats) -> Floats:
        """Central differences of the gradient, symmetric; at a bound they lean inwards."""
        rows = []
        for step in np.eye(len(theta)) * _DIFFERENCE:
            above, below = self.at(theta + step), self.at(theta - step)
            rows.append((above.gradient - below.gradient) / np.max(above.theta - below.theta))
        matrix = np.array(rows)
        return (matrix + matrix.T) / 2

    def newton(self, point: _Point, hessian: Floats) -> tuple[Floats, float]:
        """Newton's step along the free parameters and the gain it promises, always uphill.

        Along an axis that bends upwards, where there is no maximum, it goes half a unit at least.
        """
        free = self.free(point)
        step = np.zeros_like(point.theta)
        if not free.any():
            return step, 0.0
        curvature, axes = np.linalg.eigh(-hessian[np.ix_(free, free)])
        slope = axes.T @ point.gradient[free]
        bend = np.maximum(np.abs(curvature), 1e-9)
        least = np.where(curvature < -1e-9, 0.5, 0.0)
        along = np.clip(np.abs(slope) / bend, least, 2.0)
        step[free] = axes @ (np.where(slope < 0, -1, 1) * along)
        gain = np.abs(slope) * along / 2 + np.where(least > 0, -curvature, 0) * along**2 / 2
        return step, float(gain.sum()) * self.size

    def polish(self, point: _Point, hessian: Floats, steps: int) -> _Point:
        """Repeat Newton's steps with one Hessian, as long as they gain anything."""
        for _ in range(steps):
            step, gain = self.newton(point, hessian)
            if gain <= _FINISHED:
                break
            better = self.better(point, step)
            if better is None:
                break
            point = better
        return point

    def better(self, point: _Point, step: Floats) -> _Point | None:
        """Return a higher point after the step or a fraction of it; None if there is none."""
        for fraction in (1, 0.25, 0.06):
            there = self.at(point.theta + fraction * step)
            # The last digits of a sum are noise; the gradient knows better.
            noise = 1e-14 * abs(point.value)
            if there.value > point.value + noise or (
                there.value > point.value - noise
                and np.abs(there.gradient).sum() < np.abs(point.gradient).sum()
            ):
                return there
        return None


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
    do the rest. From a point known to be `near`, Newton's steps are tried before any climb.
    Nothing raises, and convergence is claimed only where the gradient confirms it.
    """
    box = np.asarray(bounds, dtype=np.float64)
    climber = _Climber(objective, box, size)
    scout = climber if rough is None else _Climber(rough, box, size)
    if near is None:
        top = max((scout.climb(start) for start in starts), key=_height)
    else:
        top = scout.at(near)
    point = top if rough is None else climber.at(top.theta)
    point = climber.polish(point, scout.hessian(point.theta), 12)
    point, hessian, gain = _finish(climber, point)
    if gain > _TOLERATED:
        others = [point, *(climber.climb(start) for start in [point.theta, *starts])]
        point, hessian, gain = _finish(climber, max(others, key=_height))
    for edge in _edge_points(climber, point, hessian):
        tried = _finish(climber, climber.climb(edge))
        # A point at the edge that is as good is preferred: the data cannot tell the two apart.
        if tried[0].value >= point.value - _TOLERATED / 100 / size and tried[2] <= _TOLERATED:
            point, hessian, gain = tried
    # Towards a simpler model the slope dies away; that of a likelihood without a maximum does not.
    steep = np.abs(point.gradient) > _STEEP
    unbounded = bool(np.any(climber.at_bound(point.theta) & ~climber.free(point) & steep))
    return Maximum(
        estimate=point.theta,
        value=point.value,
        gradient=point.gradient,
        hessian=hessian,
        at_bound=climber.at_bound(point.theta),
        shortfall=gain,
        unbounded=unbounded,
        converged=bool(np.isfinite(point.value)) and gain <= _TOLERATED and not unbounded,
        iterations=climber.calls,
    )


def _height(point: _Point) -> float:
    return point.value if np.isfinite(point.value) else -np.inf


def _finish(climber: _Climber, point: _Point) -> tuple[_Point, Floats, float]:
    """Polish until nothing more can be gained: the point, the Hessian and the gain that is left."""
    for _ in range(6):
        hessian = climber.hessian(point.theta)
        _, gain = climber.newton(point, hessian)
        if gain <= _FINISHED:
            break
        ahead = climber.polish(point, hessian, 4)
        if ahead is point:
            break
        point = ahead
    return point, hessian, gain


def _edge_points(climber: _Climber, point: _Point, hessian: Floats) -> list[Floats]:
    """Find points at the edge of the box that may be as good, for each ill-known parameter."""
    edges = []
    for j in np.flatnonzero(climber.free(point) & ~climber.at_bound(point.theta)):
        information = -hessian[j, j] * climber.size
        if not _NO_INFORMATION < information < 1:
            continue  # it has no effect at all, or is known to within a unit, given the others
        for bound in (climber.low[j], climber.high[j]):
            edge = point.theta.copy()
            edge[j] = bound
            if climber.at(edge).value > point.value - 1 / climber.size:
                edges.append(edge)
    return edges


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
