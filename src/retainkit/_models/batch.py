"""The likelihoods of many small problems, each with rows of its own, evaluated together.

What a loop over them would cost is not the rows, but the calls: so those of many points are taken
at once, and the point of each row is what elsewhere is its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from retainkit._models.fit_problem import BLOCK, FitProblem
from retainkit._models.newton import Derivatives, Objective
from retainkit._models.rows import RowPoints
from retainkit._typing import Floats, Integers


def objective_of_all(problems: Sequence[FitProblem]) -> Objective:
    """Return the objective of problems of one model without effects, and with one penalty."""
    first = problems[0]
    linear, bend = first.linear, first.bend
    shift = np.array([one.shift for one in problems])
    data = tuple(np.concatenate(own) for own in zip(*(one.data for one in problems), strict=True))
    share = np.concatenate([one.weights / one.weights.sum() for one in problems])
    length = np.array([len(one.weights) for one in problems])
    opens = np.cumsum(length) - length

    def objective(phi: Floats, problem: Integers) -> Derivatives:
        total = Derivatives.zeros(*phi.shape)
        numbers = phi @ linear.T + shift[problem]
        for block in _blocks(length[problem]):
            own = problem[block]
            rows, kind, starts = _rows(opens[own], length[own])
            points = RowPoints(values=tuple(one[None, :] for one in numbers[block].T), kind=kind)
            found = first.rows(points, tuple(one[rows] for one in data))
            sums = found.weighted_sums(share[rows], starts)
            total.value[block] = sums.value[0]
            total.gradient[block] = sums.gradient[0] @ linear
            total.hessian[block] = linear.T @ sums.hessian[0] @ linear
        slope = phi @ bend
        return Derivatives(
            value=total.value - (phi * slope).sum(axis=1) / 2,
            gradient=total.gradient - slope,
            hessian=total.hessian - bend,
        )

    return objective


def _blocks(length: Integers) -> Iterator[slice]:
    """Yield slices of points that have some thousand rows together, or one point of more."""
    ends = np.cumsum(length)
    first = 0
    while first < len(length):
        before = ends[first - 1] if first else 0
        end = max(int(np.searchsorted(ends, before + BLOCK, side="right")), first + 1)
        yield slice(first, end)
        first = end


def _rows(opens: Integers, length: Integers) -> tuple[Integers, Integers, Integers]:
    """Return the rows of points, which of the points that of each is, and where each begins."""
    starts = np.cumsum(length) - length
    kind = np.repeat(np.arange(len(length)), length)
    return np.arange(len(kind)) + (opens - starts)[kind], kind, starts
