"""Result tables as plain columns for drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.arrays import values_with_none
from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit._inputs.cohort_table import COHORT_COLUMNS
from retainkit._time.period_options import period_option
from retainkit._time.periods import PERIODS
from retainkit.errors import ArgumentError
from retainkit.plot._text import DASH
from retainkit.typing import IntoDataFrame

AGES = {"age", "age_end"}

Columns = dict[str, list[Any]]


def unit_of_age(period: str | None) -> str:
    """Name what an age counts."""
    unit = "period" if period is None else period_option(period).noun
    several = f"{unit}s" if period in {None, *PERIODS} else f"periods of {period}"
    return f"{several} since the start"


def read_result_columns(
    table: IntoDataFrame,
    argument: str,
    own: Sequence[str],
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    made_by: Sequence[str],
) -> tuple[Columns, list[str]]:
    """Read columns as lists, null as None, and the names of the segments.

    `own` names columns of every such table; the segments stand left of the first of them.
    """
    frame = read_result(table, argument=argument, columns=needed, made_by=made_by)
    segments = segment_columns(frame, own)
    return columns_as_lists(frame, [*segments, *needed, *optional]), segments


def columns_as_lists(frame: nw.DataFrame[Any], names: Sequence[str]) -> Columns:
    """Return those columns that a frame has as lists, null as None."""
    there = dict.fromkeys(name for name in names if name in frame.columns)
    return {name: values_with_none(frame[name]) for name in there}


def read_ages(
    table: IntoDataFrame, argument: str, first: str, needed: Sequence[str], made_by: Sequence[str]
) -> tuple[Columns, list[str]]:
    """Read columns of a table of ages, whose own columns begin with `first`."""
    own = (first, *COHORT_COLUMNS)
    data, segments = read_result_columns(table, argument, own, needed, ["age_end"], made_by=made_by)
    ages = {name: [int(age) for age in data[name]] for name in AGES & data.keys()}
    return data | ages, segments


def as_floats(values: Sequence[Any]) -> list[float]:
    """Convert to floats, null to NaN."""
    return [math.nan if value is None else float(value) for value in values]


# Segments


def segment_labels(data: Columns, names: Sequence[str]) -> list[str]:
    """Name the segment of every row."""
    if not names:
        return [""] * len(next(iter(data.values())))
    columns = (["null" if v is None else f"{v}" for v in data[name]] for name in names)
    return [", ".join(row) for row in zip(*columns, strict=True)]


def rows_by_segment(labels: Sequence[str], order: Sequence[Any] | None = None) -> dict[str, Any]:
    """Group the numbers of the rows by segment, ascending by `order` if it is given."""
    rows: dict[str, list[int]] = {label: [] for label in labels}
    numbers = range(len(labels))
    for row in numbers if order is None else sorted(numbers, key=order.__getitem__):
        rows[labels[row]].append(row)
    return rows


def check_one_segment(
    argument: str, data: Columns, names: Sequence[str], picture: str = "The picture"
) -> None:
    """Check that a table holds one segment."""
    found = list(dict.fromkeys(segment_labels(data, names)))
    if len(found) > 1:
        shown = ", ".join(map(repr, found[:8])) + (", ..." if len(found) > 8 else "")
        raise ArgumentError(
            f"`{argument}` holds {len(found)} segments of {', '.join(map(repr, names))}: {shown}. "
            f"{picture} shows one; filter the table to one segment first.",
            code="several_segments",
            argument=argument,
        )


def check_one_row_each(argument: str, keys: Sequence[object], what: str) -> None:
    """Check that a table has one row for each key, as a picture can show one."""
    different = len(set(keys))
    if len(keys) > different:
        raise ArgumentError(
            f"`{argument}` has {len(keys)} rows for {different} {what}, and one row for "
            "each can be drawn. Filter it to the rows that belong together first.",
            code="duplicate_rows",
            argument=argument,
            rows=len(keys) - different,
            total=len(keys),
        )


# Ages


def age_labels(data: Columns) -> dict[int, str]:
    """Label the ages in order: "7", or the first and last age of a bracket."""
    ends = data.get("age_end") or [age + 1 for age in data["age"]]
    spans = sorted(set(zip(data["age"], ends, strict=True)))
    return {age: f"{age}" if end == age + 1 else f"{age}{DASH}{end - 1}" for age, end in spans}
