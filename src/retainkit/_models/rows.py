"""Derivatives of a likelihood row by row, for several points at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TypeAlias

import numpy as np

from retainkit._models.newton import Derivatives
from retainkit._typing import Floats, Integers

Counted: TypeAlias = tuple[Floats, Integers]
"""Counts, and of each row the place among them."""

CountTable: TypeAlias = Callable[..., tuple[Floats, ...]]
"""Functions of some numbers and of counts, of which each number has all or each pair is one."""


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

    def weighted_sums(self, weights: Floats, starts: Integers) -> Derivatives:
        """Add up the rows, which are the last axis, each so many times, by kind: (S, K).

        Rows of a kind lie together, and `starts` says where each begins.
        """

        def total(values: Floats) -> Floats:
            if len(starts) == 1:
                # By a loop of one thread: a product of matrices would start several, which takes
                # longer.
                whole: Floats = np.einsum("...n,n->...", values, weights)[..., None]
                return whole
            sums: Floats = np.add.reduceat(values * weights, starts, axis=-1)
            return sums

        value, size = total(self.value), len(self.first)
        hessian = np.zeros((*value.shape, size, size))
        for (i, j), values in self.second.items():
            hessian[..., i, j] = hessian[..., j, i] = total(values)
        gradient = np.stack([total(one) for one in self.first], axis=-1)
        return Derivatives(value=value, gradient=gradient, hessian=hessian)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowPoints:
    """Points at which a likelihood is taken: its numbers, for all rows or for each kind of row.

    `values` holds for each number an array (S, 1), one for all rows of a point, or (S, K), one for
    each kind of row; `kind` is that of each row, or None where all numbers are those of all rows.
    """

    values: tuple[Floats, ...]
    kind: Integers | None = None

    def by_row(self, values: Floats) -> Floats:
        """Return the values of rows (S, N) of those of kinds (S, K); those of all as they are."""
        if self.kind is None or values.shape[1] == 1:
            return values
        return values.take(self.kind, axis=1)

    def by_count(
        self, table: CountTable, counted: Counted, *arguments: Floats
    ) -> tuple[Floats, ...]:
        """Evaluate functions of some numbers and of a count: special functions, of few counts.

        `table` takes the numbers, with an axis for the counts behind that of the kinds, and the
        counts. There are fewer kinds times counts than rows, or it is evaluated for each row.
        """
        counts, place = counted
        kinds = max(one.shape[1] for one in arguments)
        if kinds > 1 and kinds * len(counts) > len(place):
            return table(*(self.by_row(one) for one in arguments), counts[place])
        found = table(*(one[:, :, None] for one in arguments), counts)
        if kinds == 1 or self.kind is None:
            return tuple(one[:, 0].take(place, axis=1) for one in found)
        number = self.kind * len(counts) + place
        return tuple(one.reshape(len(one), -1).take(number, axis=1) for one in found)


def counted(x: Floats) -> Counted:
    """Return counts, and for each row its place among them: special functions are of these alone.

    They are all whole numbers up to the greatest, if there are fewer of them than rows.
    """
    most = x.max(initial=0)
    if most < len(x) and np.all(x == np.floor(x)):
        return np.arange(most + 1), x.astype(np.int64)
    distinct, place = np.unique(x, return_inverse=True)
    return distinct, place
