"""Damped Newton steps to maxima inside a box, for many searches at once.

A search is a start of one problem, or of one of many. All of them are evaluated together, and the
small matrices of all are decomposed in one call: nothing here gets faster, or slower, with the
number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from retainkit._typing import Booleans, Floats, Integers

AT_EDGE = 1e-6
"""A parameter this close to a bound counts as at it."""

CLOSE = 0.1
"""Searches this close to each other are taken to lead to the same maximum."""

_FINISHED = 1e-12  # log-likelihood still to be gained at which a search ends
_LONGEST = 200  # steps of a search
_RADIUS = 2.0  # length of the first step, and of one whose gain is promised, at most
_SHORTEST = 1e-9  # length of a step below which a search is given up
_SADDLE = 0.5  # length of the step along an axis that bends upwards, at least
# Bend of an axis below which it is rounding. Where a slope dies away, the bend does so with it: a
# higher floor would shorten the steps when there is little left to gain, to hundreds of them.
_FLAT = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derivatives:
    """Values of S points (S), their gradients (S, P) and their Hessians (S, P, P)."""

    value: Floats
    gradient: Floats
    hessian: Floats

    @classmethod
    def zeros(cls, n_points: int, size: int) -> Derivatives:
        """Return zeros."""
        shape = (n_points, size)
        return cls(
            value=np.zeros(n_points), gradient=np.zeros(shape), hessian=np.zeros((*shape, size))
        )

    def add(self, other: Derivatives) -> None:
        """Add others in place."""
        for name in ("value", "gradient", "hessian"):
            getattr(self, name)[...] += getattr(other, name)


Objective: TypeAlias = Callable[[Floats, Integers], Derivatives]
"""Points (S, P), and the number of the problem of each, to their derivatives."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Points of several searches (S, P), and what is known there."""

    theta: Floats
    at: Derivatives


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """Steps of several searches (S, P), the gain they promise, and how long they are."""

    move: Floats
    gain: Floats
    length: Floats


class Box:
    """The bounds of the parameters."""

    def __init__(self, bounds: Floats) -> None:
        self.low, self.high = bounds.T

    def clip(self, theta: Floats) -> Floats:
        """Return points inside, the nearest ones."""
        inside: Floats = np.clip(theta, self.low, self.high)
        return inside

    def at_bound(self, theta: Floats) -> Booleans:
        """Return the parameters at a bound."""
        near: Booleans = np.minimum(theta - self.low, self.high - theta) <= AT_EDGE
        return near

    def free(self, points: Points) -> Booleans:
        """Return the parameters that may move uphill: not those pushed against a bound."""
        upwards = points.at.gradient > 0
        room = np.where(upwards, self.high - points.theta, points.theta - self.low)
        movable: Booleans = room > AT_EDGE
        return movable


def newton_step(points: Points, free: Booleans, radius: Floats | float = _RADIUS) -> Step:
    """Return Newton's step along the free parameters of each search, always uphill.

    Along an axis that bends upwards, where there is no maximum, it goes some way at least. A step
    that is longer than the radius is damped.
    """
    both = free[:, :, None] & free[:, None, :]
    bent = np.where(both, -points.at.hessian, 0.0) + np.eye(free.shape[1]) * ~free[:, None, :]
    bent = np.where(np.isfinite(bent), bent, 0.0)
    curvature, axes = np.linalg.eigh(bent)
    slope = np.einsum("spa,sp->sa", axes, np.where(free, points.at.gradient, 0.0))
    bend = np.maximum(np.abs(curvature), _FLAT)
    least = np.where(curvature < -_FLAT, _SADDLE, 0.0)
    along = _damped(np.abs(slope), bend, np.broadcast_to(radius, len(slope)))
    along = np.maximum(along, np.minimum(least, np.broadcast_to(radius, len(slope))[:, None]))
    gain = np.abs(slope) * along - curvature * along**2 / 2
    move = np.einsum("spa,sa->sp", axes, np.where(slope < 0, -1, 1) * along)
    move = np.where(free, move, 0.0)
    return Step(move=move, gain=gain.sum(axis=1), length=np.sqrt((move**2).sum(axis=1)))


def _damped(slope: Floats, bend: Floats, radius: Floats) -> Floats:
    """Return slope / (bend + d), with the smallest damping d >= 0 of a step within the radius."""
    along = slope / bend
    long = (along**2).sum(axis=1) > radius**2
    if not long.any():
        return along
    slope, bend, radius = slope[long], bend[long], radius[long, None]
    low = np.zeros((len(slope), 1))
    high = np.sqrt((slope**2).sum(axis=1, keepdims=True)) / radius
    for _ in range(12):  # bisection
        middle = (low + high) / 2
        too_long = ((slope / (bend + middle)) ** 2).sum(axis=1, keepdims=True) > radius**2
        low, high = np.where(too_long, middle, low), np.where(too_long, high, middle)
    along[long] = slope / (bend + high)
    return along


def search(
    objective: Objective, box: Box, starts: Floats, problem: Integers, sizes: Floats
) -> tuple[Points, Integers]:
    """Climb from each start to a maximum nearby; return the points, and the evaluations of each.

    `problem` is the number of the problem of each start, in order, and `sizes` are the rows whose
    mean the function of each problem is. Nothing raises: where a search ends is told by the
    derivatives there.
    """
    theta = box.clip(starts)
    points = Points(theta=theta, at=objective(theta, problem))
    rivals, rows = _of_same_problem(problem), sizes[problem]
    radius = np.full(len(theta), _RADIUS)
    evaluated, active = np.ones(len(theta), np.int64), np.arange(len(theta))
    for _ in range(_LONGEST):
        here = some(points, active)
        step = newton_step(here, box.free(here), radius[active])
        going = (step.gain * rows[active] > _FINISHED) & np.isfinite(here.at.value)
        going &= (radius[active] > _SHORTEST) & ~_follows(points, active, rivals[active])
        active = active[going]
        if not len(active):
            break
        here, move = some(here, going), step.move[going]
        theta = box.clip(here.theta + move)
        there = Points(theta=theta, at=objective(theta, problem[active]))
        evaluated[active] += 1
        higher = _is_higher(here.at, there.at)
        replace_some(points, active[higher], some(there, higher))
        gained = there.at.value - here.at.value
        promised = np.maximum(step.gain[going], np.finfo(float).tiny)
        ratio = np.where(np.isfinite(gained), gained / promised, -1.0)
        length, allowed = step.length[going], radius[active]
        further = np.where(ratio > 0.75, np.maximum(allowed, 2 * length), allowed)
        radius[active] = np.where(~higher | (ratio < 0.25), length / 4, further)
    return points, evaluated


def _of_same_problem(problem: Integers) -> Integers:
    """Return the places of the searches of the same problem (S, R), some of them repeatedly."""
    _, first, place, number = np.unique(
        problem, return_index=True, return_inverse=True, return_counts=True
    )
    places = first[:, None] + np.minimum(np.arange(number.max()), number[:, None] - 1)
    return places[place]


def _follows(points: Points, active: Integers, rivals: Integers) -> Booleans:
    """Return which searches are close to a rival that is higher, and will end where that does."""
    theta, value = points.theta, points.at.value
    apart = np.abs(theta[active, None] - theta[rivals]).max(axis=-1)
    higher = value[rivals] > value[active, None]
    follows: Booleans = ((apart < CLOSE) & higher).any(axis=1)
    return follows


def _is_higher(here: Derivatives, there: Derivatives) -> Booleans:
    """Return which points are higher, or as high and nearer to a summit."""
    # The last digits of a sum are noise; the gradient knows better.
    noise = 1e-13 * np.abs(here.value)
    flatter = np.abs(there.gradient).sum(axis=1) < np.abs(here.gradient).sum(axis=1)
    gained = there.value - here.value
    higher: Booleans = (gained > noise) | ((gained > -noise) & flatter)
    return higher


def some(points: Points, chosen: Integers | Booleans) -> Points:
    """Return the points of some searches."""
    at = points.at
    return Points(
        theta=points.theta[chosen],
        at=Derivatives(
            value=at.value[chosen], gradient=at.gradient[chosen], hessian=at.hessian[chosen]
        ),
    )


def replace_some(points: Points, chosen: Integers, others: Points) -> None:
    """Put other points in the place of some, in the arrays that are there."""
    points.theta[chosen] = others.theta
    for name in ("value", "gradient", "hessian"):
        getattr(points.at, name)[chosen] = getattr(others.at, name)
