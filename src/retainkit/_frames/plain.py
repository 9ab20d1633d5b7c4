"""The values of frames as plain Python, for JSON and for comparison."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.arrays import values_with_none
from retainkit._frames.input import collect, from_native


def plain_columns(native: Any, argument: str) -> dict[str, list[Any]]:
    """Return the columns of a frame as lists: null for NaN, and dates as ISO 8601 has them."""
    frame = collect(from_native(native, argument))
    return {name: [_plain(value) for value in frame[name].to_list()] for name in frame.columns}


def plain_values(values: nw.Series[Any]) -> list[Any]:
    """Return a column as a list, by which columns of several libraries compare."""
    return [_plain(value) for value in values_with_none(values)]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, date):
        # A date, and the midnight that stands for it where there are no dates.
        return None if value != value else value.isoformat().removesuffix("T00:00:00")  # noqa: PLR0124  NaT
    return value


def same_values(one: Any, other: Any) -> bool:
    """Return whether two native frames have the same columns and rows; lazy ones in any order."""
    left, right = plain_columns(one, "responses"), plain_columns(other, "responses")
    if list(left) != list(right):
        return False
    if isinstance(nw.from_native(one), nw.DataFrame) and isinstance(
        nw.from_native(other), nw.DataFrame
    ):
        return left == right
    rows = [Counter(map(repr, zip(*columns.values(), strict=True))) for columns in (left, right)]
    return rows[0] == rows[1]
