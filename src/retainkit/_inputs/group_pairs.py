"""Groups that are to be compared: their column, their pairs, and the columns of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import values_with_none
from retainkit._frames.input import check_present, from_native
from retainkit._frames.output import from_columns
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import check_not_named_twice, segment_names
from retainkit._inputs.kinds import SEGMENT, check_kind
from retainkit._messages import format_examples, named
from retainkit._suggestions import nearest_word
from retainkit._typing import Booleans, Integers
from retainkit.errors import ArgumentError

# The column of the groups


def segments_and_group(
    by: str | Sequence[str] | None, group: str, reserved: Sequence[str]
) -> list[str]:
    """Return the columns of segments, and that of the groups last."""
    segments = segment_names(by, reserved)
    check_not_named_twice("group", group, segments)
    return [*segments, group]


def check_group(native: Any, argument: str, group: str) -> None:
    """Check that the column of the groups is there, and holds what groups may be."""
    frame = from_native(native, argument)
    check_present("group", group, frame, source=True)
    check_kind(SEGMENT, "group", group, frame)


# Pairs


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


def pair_segments(
    segments: Mapping[str, nw.Series[Any]], *, usable: Booleans, reference: Any
) -> GroupPairs:
    """Pair the groups of each segment, of columns of segments of which the last has the groups."""
    *outer, group = segments
    cells = from_columns(segments)
    return pair_groups(cells, outer, group, usable=usable, reference=reference, column=group)


def group_columns(
    segments: Mapping[str, nw.Series[Any]], pairs: GroupPairs
) -> dict[str, nw.Series[Any]]:
    """Return the columns of the segments and of both groups, a row a pair."""
    *outer, (_, groups) = segments.items()
    first, second = pairs.first.tolist(), pairs.second.tolist()
    columns = {name: one[first] for name, one in outer}
    return columns | {"group_a": groups[first], "group_b": groups[second]}


def _reference_code(groups: nw.Series[Any], reference: Any, column: str) -> int:
    """Return the number of the reference among the groups."""
    # With pandas' own null nothing can be compared.
    values = values_with_none(groups)
    if reference not in values:
        raise ArgumentError(
            f"`reference` is {reference!r}, which is no group in {named(column, 'group')}; it has "
            f"{format_examples(values, 8)}.{_meant_group(reference, values)}",
            code="unknown_reference",
            argument="reference",
            column=column,
        )
    return values.index(reference)


def _meant_group(reference: Any, values: Sequence[Any]) -> str:
    """Return the question whether a group is meant that is written nearly so."""
    groups = {str(value): value for value in values if value is not None}
    meant = nearest_word(str(reference), groups)
    return "" if meant is None else f" Did you mean {groups[meant]!r}?"
