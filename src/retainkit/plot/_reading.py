"""Result tables as plain columns for drawing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from retainkit._checks import one_of
from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit._inputs.cohort_table import COHORT_COLUMNS
from retainkit.errors import ArgumentError
from retainkit.plot._style import DASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals.stable.v2 as nw
    from narwhals.stable.v2.typing import IntoDataFrame

PERIODS = ("day", "week", "month", "quarter", "year")

AGES = {"age", "age_end"}

Columns = dict[str, list[Any]]


def unit_of_age(period: str | None) -> str:
    """Name what an age counts."""
    unit = "period" if period is None else one_of("period", period, PERIODS)
    return f"{unit}s since the start"


def read(
    table: IntoDataFrame, argument: str, pivot: str, needed: Sequence[str]
) -> tuple[Columns, list[str]]:
    """Take the columns as lists, null as None, and name the segments: those left of `pivot`."""
    frame = read_result(table, argument=argument, columns=needed)
    segments = segment_columns(frame, (pivot, *COHORT_COLUMNS))
    names = [*segments, *needed, *(["age_end"] if "age_end" in frame.columns else [])]
    data = {name: _listed(frame[name]) for name in names}
    return data | {name: [int(age) for age in data[name]] for name in AGES & data.keys()}, segments


def _listed(column: nw.Series[Any]) -> list[Any]:
    nulls = column.is_null().to_list()
    return [None if null else value for value, null in zip(column.to_list(), nulls, strict=True)]


def numbers(values: Sequence[Any]) -> list[float]:
    """Take null as NaN."""
    return [math.nan if value is None else float(value) for value in values]


def segment_labels(data: Columns, names: Sequence[str]) -> list[str]:
    """Word the segment of every row."""
    if not names:
        return [""] * len(data["age"])
    columns = (["null" if v is None else f"{v}" for v in data[name]] for name in names)
    return [", ".join(row) for row in zip(*columns, strict=True)]


def age_labels(data: Columns) -> dict[int, str]:
    """Label the ages in order: "7", or the first and last age of a bracket."""
    ends = data.get("age_end") or [age + 1 for age in data["age"]]
    spans = sorted(set(zip(data["age"], ends, strict=True)))
    return {age: f"{age}" if end == age + 1 else f"{age}{DASH}{end - 1}" for age, end in spans}


def check_once(argument: str, keys: Sequence[object], what: str) -> None:
    """Refuse a table that has several rows where a picture can show one."""
    different = len(set(keys))
    if len(keys) > different:
        raise ArgumentError(
            f"`{argument}` has {len(keys)} rows for {different} pairs of {what}, and one row for "
            "each can be drawn. Filter it to the rows that belong together first."
        )
