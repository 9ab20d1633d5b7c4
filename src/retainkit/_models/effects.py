"""Effects of covariates on the coordinates of a model: arrays only.

Each customer has coordinates of their own: to one of them, such as the logarithm of the rate of
purchase, covariates add their columns times their coefficients. The columns are 0 at the reference,
so the parameters of a model are those of a customer there. The search knows standardised columns,
with mean 0 and variance 1, and so neither their unit nor the reference; the parameters that it
searches are those of a customer with the mean of every column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from retainkit._models.fit import LARGE, Coordinates, Edge
from retainkit._typing import Booleans, Floats, Integers

_OF = ": "  # between a process and what acts on it, in the name of a coefficient


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Means and deviations of columns over the customers (M), and their correlations (M, M)."""

    mean: Floats
    deviation: Floats
    correlation: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """What covariates add to the coordinate `coordinate` of each kind of row, times `sign`.

    `columns` (K, M) are 0 at the reference; `names` describe them, and `group` is the number of the
    covariate of each.
    """

    process: str
    coordinate: int
    sign: int
    names: tuple[str, ...]
    group: Integers
    columns: Floats
    spread: Spread

    @property
    def standardised(self) -> Floats:
        """The columns less their means, over their deviations and with the sign (K, M)."""
        values: Floats = self.sign * (self.columns - self.spread.mean) / self.spread.deviation
        return values

    @property
    def at_reference(self) -> Floats:
        """The standardised columns of the reference (M)."""
        values: Floats = -self.sign * self.spread.mean / self.spread.deviation
        return values

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Bounds of the standardised coefficients, beyond which two kinds of rows differ vastly."""
        width = np.ptp(self.columns, axis=0) if len(self.columns) else np.ones(len(self.names))
        most = LARGE * self.spread.deviation / np.where(width > 0, width, 1.0)
        return [(-one, one) for one in most.tolist()]

    @property
    def penalised(self) -> Floats:
        """The variance that each covariate adds, as a quadratic form of the coefficients (M, M).

        For a number that is the square of its standardised coefficient. For levels it is that of
        what they add over the customers, whichever of them is the reference.
        """
        same = self.group[:, None] == self.group[None, :]
        return np.where(same, self.spread.correlation, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CovariateColumns:
    """The columns of the covariates of a process, of each kind of row (K, M): 0 at the reference.

    `names` describe them, and `group` is the number of the covariate of each.
    """

    names: tuple[str, ...]
    group: Integers
    values: Floats

    def sums(self, coefficients: Floats) -> Floats:
        """Return what they add, with these coefficients, for each kind of row (K)."""
        # By a loop of one thread: a product of matrices would start several.
        sums: Floats = np.einsum("km,m->k", self.values, coefficients)
        return sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowCovariates:
    """The covariates of rows: the kind of each row, and of kinds the columns, by process."""

    kind: Integers
    columns: Mapping[str, CovariateColumns]

    def of_rows(self, chosen: slice | Integers | Booleans) -> RowCovariates:
        """Return those of some rows."""
        return replace(self, kind=self.kind[chosen])

    def spread(self, process: str, weights: Floats) -> Spread:
        """Return how the columns of a process are spread over the customers."""
        values = self.columns[process].values
        counts = np.bincount(self.kind, weights, len(values))
        share = counts / counts.sum()
        # By loops of one thread: products of matrices would start several.
        mean = np.einsum("k,km->m", share, values)
        centred = values - mean
        covariance = np.einsum("km,kl->ml", centred * share[:, None], centred)
        deviation = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(deviation, deviation)
        return Spread(mean=mean, deviation=deviation, correlation=correlation)

    def effects(self, targets: Mapping[str, tuple[int, int]], weights: Floats) -> list[Effects]:
        """Return the effects on a model; `targets` are the coordinate and sign of each process."""
        return [
            Effects(
                process=process,
                coordinate=targets[process][0],
                sign=targets[process][1],
                names=columns.names,
                group=columns.group,
                columns=columns.values,
                spread=self.spread(process, weights),
            )
            for process, columns in self.columns.items()
            if columns.names
        ]


def with_effects(model: Coordinates, effects: Sequence[Effects]) -> Coordinates:
    """Return the coordinates of a model and, behind them, the standardised coefficients.

    The natural parameters are those at the reference, followed by the coefficients.
    """
    if not effects:
        return model
    size, places = len(model.bounds), effect_places(len(model.bounds), effects)

    at_reference = np.eye(places[-1].stop)
    for one, place in zip(effects, places, strict=True):
        at_reference[one.coordinate, place] = one.at_reference

    def natural(theta: Floats, scale: float) -> tuple[Floats, Floats]:
        parameters, jacobian = model.natural((at_reference @ theta)[:size], scale)
        unit = np.concatenate([np.ones(size), *(1 / one.spread.deviation for one in effects)])
        matrix = np.diag(unit)
        matrix[:size, :size] = jacobian
        return np.append(parameters, (theta * unit)[size:]), matrix

    names = [coefficient_name(one.process, name) for one in effects for name in one.names]
    edges = dict(model.edges)
    for one, place in zip(effects, places, strict=True):
        for name, j in zip(one.names, range(place.start, place.stop), strict=True):
            for side in ("low", "high"):
                edges[j, side] = _edge(one.process, name, side)
    return replace(
        model,
        names=(*model.names, *names),
        bounds=(*model.bounds, *(bound for one in effects for bound in one.bounds)),
        natural=natural,
        derived_at=at_reference,
        edges=edges,
    )


def effect_places(size: int, effects: Sequence[Effects]) -> list[slice]:
    """Return the places of the coefficients of each process, behind so many coordinates."""
    ends = size + np.cumsum([0, *(len(one.names) for one in effects)])
    return [slice(first, end) for first, end in pairwise(ends.tolist())]


def to_standardised(
    coordinates: Floats, coefficients: Floats, effects: Sequence[Effects]
) -> Floats:
    """Return the point of a search, of the coordinates at the reference and the coefficients."""
    found, end = [coordinates.copy()], 0
    for one in effects:
        first, end = end, end + len(one.names)
        standardised = coefficients[first:end] * one.spread.deviation
        found[0][one.coordinate] -= standardised @ one.at_reference
        found.append(standardised)
    return np.concatenate(found)


def coefficient_name(process: str, name: str) -> str:
    """Return the name of the coefficient of a column, which says on what it acts."""
    return f"{process}{_OF}{name}"


def is_coefficient(name: str) -> bool:
    """Return whether the name of a parameter is that of a coefficient."""
    return _OF in name


def _edge(process: str, name: str, side: str) -> Edge:
    way = {"low": "lower", "high": "upper"}[side]
    return Edge(
        coefficient_name(process, name),
        f"The effect of {name} on {process} is at its {way} bound: the data would have it at "
        "infinity, as where nobody of a level bought again, and it is not identified. "
        "covariate_penalty=0.01 keeps it finite.",
    )
