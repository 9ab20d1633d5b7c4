"""Derivatives of a likelihood row by row, for several points at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from retainkit._models.newton import Derivatives
from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowDerivatives:
    """A quantity of each row, its first and its second derivatives by some numbers.

    `second` has those that are not 0, by pairs (i, j) of the numbers with i <= j.
    """

    value: Floats
    first: tuple[Floats, ...]
    second: Mapping[tuple[int, int], Floats]

    def plus_log_one_plus(self, odds: RowDerivatives) -> RowDerivatives:
        """Return the sum of it and log(1 + e^o), of log odds o.

        With p = e^o / (1 + e^o) that has the derivatives p o' and p o'' + p (1 - p) o' o'^T.
        """
        small = np.exp(-np.abs(odds.value))
        p = np.where(odds.value > 0, 1.0, small) / (1 + small)
        slopes = [p * slope for slope in odds.first]
        spread = [(1 - p) * slope for slope in slopes]
        second = dict(self.second)
        for pair in combinations_with_replacement(range(len(slopes)), 2):
            bend = spread[pair[0]] * odds.first[pair[1]]
            if pair in odds.second:
                bend += p * odds.second[pair]
            second[pair] = second[pair] + bend if pair in second else bend
        return RowDerivatives(
            value=self.value + np.maximum(odds.value, 0) + np.log1p(small),
            first=tuple(one + slope for one, slope in zip(self.first, slopes, strict=True)),
            second=second,
        )

    def weighted_sum(self, weights: Floats) -> Derivatives:
        """Add up the rows, which are the last axis, each so many times."""

        def total(values: Floats) -> Floats:
            # By a loop of one thread: a product of matrices would start several, and take longer.
            found: Floats = np.einsum("...n,n->...", values, weights)
            return found

        value, size = total(self.value), len(self.first)
        hessian = np.zeros((*value.shape, size, size))
        for (i, j), values in self.second.items():
            hessian[..., i, j] = hessian[..., j, i] = total(values)
        gradient = np.stack([total(one) for one in self.first], axis=-1)
        return Derivatives(value=value, gradient=gradient, hessian=hessian)


def rows_of_points(values: Floats, search: Integers | None) -> Floats:
    """Return the value of each row's own point, or a column of values (S, 1) if rows have all."""
    return values[:, None] if search is None else values[search]


def rows_of_table(table: Floats, search: Integers | None, number: Integers) -> Floats:
    """Return from a table (S, N) what each row has by its number: of its own point, or of all."""
    return table.take(number, axis=1) if search is None else table[search, number]


def counted(x: Floats) -> tuple[Floats, Integers]:
    """Return counts, and for each row its place among them: special functions are of these alone.

    They are all whole numbers up to the greatest, if there are fewer of them than rows.
    """
    most = x.max(initial=0)
    if most < len(x) and np.all(x == np.floor(x)):
        return np.arange(most + 1), x.astype(np.int64)
    distinct, place = np.unique(x, return_inverse=True)
    return distinct, place
