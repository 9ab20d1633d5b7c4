"""Segments of customers: a customer must have one throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.factorize import sort_codes
from retainkit._frames.groupby import unique_keys
from retainkit._frames.input import collect, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Integers
from retainkit.errors import ArgumentError


def check_one_segment(table: CheckedTable) -> None:
    """Check that no customer has several values of `by`, in the engine that holds the rows."""
    if not table.by:
        return
    segments = table.rows.group_by("customer", *table.keys).agg(rows=nw.len())
    found = segments.group_by("customer").agg(segments=nw.len())
    several = found.filter(nw.col("segments") > 1)
    number = count_rows(several)
    if number:
        examples = collect(several.sort("customer").head(3))["customer"].to_list()
        raise several_segments(table.by, number, count_rows(found), examples)


def check_one_segment_of_codes(
    table: CheckedTable,
    frame: nw.DataFrame[Any],
    segment: Integers,
    customer: Integers,
    row_of: Integers,
) -> None:
    """Check the same of a frame in memory by codes: of the segment and of the customer of each row.

    `row_of` has a row of each code of a customer, -1 where there is none.
    """
    if not table.by:
        return
    differs = segment != segment[row_of[customer]]
    if differs.any():
        several = unique_keys(customer[differs])
        codes, customers = sort_codes(frame["customer"], row_of, several)
        total = int((row_of >= 0).sum())
        raise several_segments(table.by, len(codes), total, customers[:3].to_list())


def several_segments(
    by: Sequence[str], number: int, total: int, examples: Sequence[Any]
) -> ArgumentError:
    """Return the error about customers, of so many in all, with several values of `by`."""
    names = " and ".join(map(repr, by))
    return ArgumentError(
        f"{names} (given as `by`) {'has' if len(by) == 1 else 'have'} several values for "
        f"{count_noun(number, 'customer')}, such as {format_examples(examples)}; a customer "
        "must have one throughout. Keep the first or the last one, for instance, or leave `by` "
        "out.",
        code="ambiguous_segment",
        argument="by",
        rows=number,
        total=total,
    )
