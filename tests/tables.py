"""Any result frame as plain Python, to be compared with what a reader can write down."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import pytest

Row = dict[str, Any]


def rows_of(frame: Any) -> list[Row]:
    """Return the rows of a pandas, Polars or PyArrow frame as dicts of plain values."""
    wrapped = nw.from_native(frame)
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    names = wrapped.columns
    columns = [[plain(value) for value in wrapped[name].to_list()] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def plain(value: Any) -> Any:
    """Return a Python scalar: NaN, NaT and null are None, a midnight is its date."""
    if pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, datetime) and value.tzinfo is None and value.time() == time():
        return value.date()
    return value


def assert_rows(actual: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """Compare tables row by row and column by column, floats to 1e-9, NaN equal to NaN."""
    assert [_names(row) for row in actual] == [_names(row) for row in expected]
    for i, (have, want) in enumerate(zip(actual, expected, strict=True)):
        assert list(have) == list(want), "columns"
        for name in want:
            there, here = plain(have[name]), plain(want[name])
            if isinstance(here, float) and there is not None:
                here = pytest.approx(here, rel=1e-9, abs=1e-12)
            assert there == here, f"row {i} {_names(want)}: {name} is {there!r}, not {here!r}"


def _names(row: Mapping[str, Any]) -> Row:
    """Return what says which row this is: the columns up to the age."""
    names = list(row)
    return {name: plain(row[name]) for name in names[: names.index("age") + 1]}


def triangle(rows: Sequence[Mapping[str, Any]], value: str = "retained") -> dict[Any, list[Any]]:
    """Return one list for each cohort, its values by age, and check that no age is left out."""
    table: dict[Any, list[Any]] = {}
    for row in rows:
        cells = table.setdefault(row["cohort"], [])
        assert "age_end" in row or row["age"] == len(cells), f"an age is missing before {row}"
        cells.append(row[value])
    return table
