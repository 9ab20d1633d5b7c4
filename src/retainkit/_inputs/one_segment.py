"""Segments of customers, or of orders: each must have one throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples
from retainkit.errors import ArgumentError


def check_one_segment(table: CheckedTable, owner: str = "customer") -> None:
    """Check that no customer has several values of `by`, in the engine that holds the rows.

    The `owner` is the column of customers, or that of orders.
    """
    if not table.by:
        return
    segments = table.rows.group_by(owner, *table.keys).agg(rows=nw.len())
    found = segments.group_by(owner).agg(segments=nw.len())
    several = found.filter(nw.col("segments") > 1)
    number = count_rows(several)
    if number:
        examples = collect(several.sort(owner).head(3))[owner].to_list()
        raise several_segments(table.by, number, count_rows(found), examples, owner)


def several_segments(
    by: Sequence[str],
    number: int,
    total: int,
    examples: Sequence[Any],
    owner: str = "customer",
) -> ArgumentError:
    """Return the error about customers or orders, of so many, with several values of `by`."""
    article = "an" if owner == "order" else "a"
    names = " and ".join(map(repr, by))
    return ArgumentError(
        f"{names} (given as `by`) {'has' if len(by) == 1 else 'have'} several values for "
        f"{count_noun(number, owner)}, such as {format_examples(examples)}; {article} {owner} "
        "must have one throughout. Keep the first or the last one, for instance, or leave `by` "
        "out.",
        code="ambiguous_segment",
        argument="by",
        rows=number,
        total=total,
    )
