"""The likelihood of a model and its rows as a function of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from retainkit._models.effects import Effects, effect_places
from retainkit._models.fit import Coordinates
from retainkit._models.newton import Derivatives, Objective
from retainkit._models.rows import RowDerivatives, RowPoints
from retainkit._typing import Floats, Integers

RowLikelihood: TypeAlias = Callable[[RowPoints, Any], RowDerivatives]
"""Points and the data of the rows, to the log-likelihoods of the rows."""

MANY_ROWS = 5_000
"""Rows from which a part of them finds the neighbourhoods of maxima."""
_PART_ROWS = 500  # rows of that part, for each coordinate and coefficient
BLOCK = 8_000
"""Rows times points at once, so that what is computed of them stays in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitProblem:
    """A model and the rows it is fitted to.

    `rows` returns the log-likelihood of each row and its derivatives by the numbers
    ``linear @ coordinates + shift``, the logarithms in which its formulas are. `penalty` times the
    sum of the squares of ``penalised @ coordinates`` is taken from the mean.

    `effects` add to the coordinates of each kind of row; `kind` is that of each row, in order, or
    None where there are no effects. `covariate_penalty` times the variance that covariates add is
    taken from the mean, too.
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
    effects: Sequence[Effects] = ()
    kind: Integers | None = None
    covariate_penalty: float = 0.0

    @property
    def size(self) -> int:
        """The number of coordinates without the coefficients."""
        return len(self.model.bounds)

    @property
    def bend(self) -> Floats:
        """The matrix of the penalty: half of it is the quadratic form that is taken away."""
        places = effect_places(self.size, self.effects)
        end = places[-1].stop if places else self.size
        matrix = np.zeros((end, end))
        matrix[: self.size, : self.size] = 2 * self.penalty * self.penalised.T @ self.penalised
        for one, place in zip(self.effects, places, strict=True):
            matrix[place, place] = 2 * self.covariate_penalty * one.penalised
        return matrix

    def objective(self) -> Objective:
        """Return the mean log-likelihood less the penalty, as a function of the coordinates."""
        bend, acting = self.bend, self._acting()

        def objective(phi: Floats, _: Integers) -> Derivatives:
            total = Derivatives.zeros(*phi.shape)
            for found, kinds in self._blocks(phi, acting):
                self._add(total, found, [one.on_kinds(kinds) for one in acting])
            slope = phi @ bend
            return Derivatives(
                value=total.value - (phi * slope).sum(axis=1) / 2,
                gradient=total.gradient - slope,
                hessian=total.hessian - bend,
            )

        return objective

    def _acting(self) -> list[_Acting]:
        """Return the effects as the search knows them."""
        places = effect_places(self.size, self.effects)
        return [
            _Acting(
                place=place,
                # A number is the coordinate itself, plus others.
                number=int(np.flatnonzero(self.linear[:, one.coordinate])[-1]),
                columns=one.standardised,
            )
            for one, place in zip(self.effects, places, strict=True)
        ]

    def _blocks(
        self, phi: Floats, acting: Sequence[_Acting]
    ) -> Iterator[tuple[Derivatives, Integers]]:
        """Yield weighted sums over blocks of rows, by kind, and the kinds: all are one without."""
        share = self.weights / self.weights.sum()
        numbers = phi[:, : self.size] @ self.linear.T + self.shift
        # By a loop of one thread: a product of matrices would start several.
        added = [
            (one.number, np.einsum("sm,km->sk", phi[:, one.place], one.columns)) for one in acting
        ]
        length = BLOCK // len(phi) + 1
        for first in range(0, len(share), length):
            block = slice(first, first + length)
            data = tuple(values[block] for values in self.data)
            kinds, starts, kind = _kinds(self.kind, block)
            values = [numbers[:, j, None] for j in range(numbers.shape[1])]
            for number, one in added:
                values[number] = values[number] + one.take(kinds, axis=1)
            rows = self.rows(RowPoints(values=tuple(values), kind=kind), data)
            yield rows.weighted_sums(share[block], starts), kinds

    def _add(self, total: Derivatives, found: Derivatives, acting: Sequence[_Acting]) -> None:
        """Add the sums over a block to the derivatives by coordinates and coefficients."""
        linear, size = self.linear, self.size
        total.value[...] += found.value.sum(axis=1)
        total.gradient[:, :size] += found.gradient.sum(axis=1) @ linear
        total.hessian[:, :size, :size] += linear.T @ found.hessian.sum(axis=1) @ linear
        # Sums by loops of one thread: products of such matrices would start several.
        for one in acting:
            place, j, columns = one.place, one.number, one.columns
            total.gradient[:, place] += np.einsum("sk,km->sm", found.gradient[:, :, j], columns)
            across = linear.T @ np.einsum("skq,km->sqm", found.hessian[:, :, j], columns)
            total.hessian[:, :size, place] += across
            total.hessian[:, place, :size] += across.swapaxes(1, 2)
            for other in acting:
                weighted = found.hessian[:, :, j, other.number, None] * columns
                both = np.einsum("skm,kl->sml", weighted, other.columns)
                total.hessian[:, place, other.place] += both

    def part(self) -> FitProblem | None:
        """Return the problem of a part of the rows, evenly chosen, if there are many."""
        if len(self.weights) < MANY_ROWS:
            return None
        rows = min(_PART_ROWS * len(self.bend), len(self.weights))
        chosen = np.linspace(0, len(self.weights) - 1, rows).astype(np.int64)
        return replace(
            self,
            data=tuple(values[chosen] for values in self.data),
            weights=self.weights[chosen],
            kind=None if self.kind is None else self.kind[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Acting:
    """Effects as the search knows them: the places of their coefficients, and what they act on.

    That is the number `number` of the likelihood; the columns are standardised (K, M).
    """

    place: slice
    number: int
    columns: Floats

    def on_kinds(self, kinds: Integers) -> _Acting:
        """Return the effects on some kinds of rows."""
        return replace(self, columns=self.columns[kinds])


def _kinds(kind: Integers | None, block: slice) -> tuple[Integers, Integers, Integers | None]:
    """Return the kinds within a block of rows, where each starts, and of each row its place."""
    if kind is None:
        return np.zeros(1, np.int64), np.zeros(1, np.int64), None
    own = kind[block]
    opens = np.append(True, own[1:] != own[:-1])
    starts = np.flatnonzero(opens)
    return own[starts], starts, np.cumsum(opens) - 1
