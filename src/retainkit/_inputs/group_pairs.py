"""Pair groups that are to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.segments import factorize_segments
from retainkit._messages import format_examples, named
from retainkit._typing import Booleans, Integers
from retainkit.errors import ArgumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPairs:
    """The comparisons: for each, the numbers of two cells (a cell is a group in a segment)."""

    first: Integers
    second: Integers


def pair_groups(
    cells: nw.DataFrame[Any],
    segments: Sequence[str],
    group: str,
    *,
    usable: Booleans,
    reference: Any,
    column: str,
) -> GroupPairs:
    """Pair the `usable` cells of each segment: all with the `reference`, or each with each.

    `cells` has a row for each combination of the columns `segments` and `group`; `column` is what
    the user calls the latter. Of each pair of groups the later one in ascending order is first.
    """
    _, outer = factorize_segments(cells, segments)
    names, inner = factorize_segments(cells, [group])
    n_outer, n_inner = (int(one.max(initial=-1)) + 1 for one in (outer, inner))
    cell = np.full((n_outer, n_inner), -1)
    cell[outer, inner] = np.where(usable, np.arange(len(cells)), -1)
    later, earlier = np.tril_indices(n_inner, -1)
    if reference is not None:
        base = _reference_code(names[group], reference, column)
        later = np.array([i for i in range(n_inner) if i != base], np.int64)
        earlier = np.full(len(later), base)
    first, second = cell[:, later].ravel(), cell[:, earlier].ravel()
    both = (first >= 0) & (second >= 0)
    return GroupPairs(first=first[both], second=second[both])


def _reference_code(groups: nw.Series[Any], reference: Any, column: str) -> int:
    """Return the number of the reference among the groups."""
    # With pandas' own null nothing can be compared.
    pairs = zip(groups.to_list(), groups.is_null().to_list(), strict=True)
    values = [None if null else value for value, null in pairs]
    if reference not in values:
        raise ArgumentError(
            f"`reference` is {reference!r}, which is no group in {named(column, 'group')}; it has "
            f"{format_examples(values, 8)}.",
            code="unknown_reference",
            argument="reference",
            column=column,
        )
    return values.index(reference)
