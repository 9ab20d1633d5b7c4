"""Cells, labels and notes of a cohort triangle, as text for the heat map."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from statistics import median
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.advice import is_matrix
from retainkit._frames.input import read_result
from retainkit._messages import count_noun
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._periods import beginnings_of
from retainkit.plot._reading import (
    Columns,
    age_labels,
    as_floats,
    check_one_row_each,
    check_one_segment,
    read_ages,
)
from retainkit.plot._text import DASH, in_percent
from retainkit.typing import IntoDataFrame

_MAKERS = ("cohort_retention", "revenue_cohorts", "retention_matrix")
WHOLE = ("retention", "nrr", "grr")  # rates that may be 1 at age 0 by definition
RATES = (*WHOLE, "lower", "upper")

HATCHED = "Hatched: not every customer of the cohort has been observed to the end of this age."


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """Cells of a heat map, with all their texts.

    `places` holds the column and row of each cell. `trivial` says that the first column is
    100 % by definition. `left_out` says in words which cohorts are not drawn, if any.
    """

    cohorts: list[str]
    sizes: list[str]
    ages: list[str]
    places: list[tuple[int, int]]
    values: list[float]
    texts: list[str]
    complete: list[bool]
    trivial: bool
    left_out: str

    def notes(self) -> list[str]:
        """Return the sentences beneath the picture; the hatching comes first."""
        hatched = [] if all(self.complete) else [HATCHED]
        return hatched + [f"Not drawn: {self.left_out}."] * bool(self.left_out)

    def coloured(self) -> list[bool]:
        """Return for each cell whether it has a colour, or is grey."""
        return [
            not (math.isnan(value) or (self.trivial and x == 0))
            for value, (x, _) in zip(self.values, self.places, strict=True)
        ]


def read_triangle(
    table: IntoDataFrame, values: str, cohort_format: str | None, min_customers: int
) -> Triangle:
    """Read the cells of one segment, of a table with a row for each or of a matrix."""
    frame = read_result(table, argument="table", columns=["cohort"], made_by=_MAKERS)
    if is_matrix(frame.columns):
        _check_sizes_are_known(min_customers)
        data, names = _matrix_cells(frame, values)
    else:
        needed = dict.fromkeys(["cohort", "age", "customers", "complete", values])
        data, names = read_ages(table, "table", "cohort", list(needed), _MAKERS)
    check_one_segment("table", data, names, "A heat map")
    if not all(isinstance(cohort, dt.date) for cohort in data["cohort"]):
        raise ColumnTypeError(
            "column 'cohort' of `table` must hold dates, without nulls.",
            argument="table",
            column="cohort",
        )
    pairs = list(zip(data["cohort"], data["age"], strict=True))
    check_one_row_each("table", pairs, "pairs of cohort and age")
    if min_customers:
        data, left_out = _without_small(data, min_customers)
    else:
        data, left_out = _without_empty_end(data)
    cells = as_floats(data[values])
    ages = age_labels(data)
    cohorts = dict(sorted(zip(data["cohort"], data["customers"], strict=True)))
    columns = {age: x for x, age in enumerate(ages)}
    rows = {cohort: y for y, cohort in enumerate(cohorts)}
    places = [(columns[a], rows[c]) for a, c in zip(data["age"], data["cohort"], strict=True)]
    trivial = values in WHOLE and _is_trivial(columns, cells, data["age"])
    rest = [v for v, (x, _) in zip(cells, places, strict=True) if x > 0 or not trivial]
    return Triangle(
        cohorts=_cohort_labels(list(cohorts), cohort_format),
        sizes=["" if size is None else f"{int(size):,}" for size in cohorts.values()],
        ages=list(ages.values()),
        places=places,
        values=cells,
        texts=_percent_texts(cells, rest) if values in RATES else _count_texts(cells),
        complete=[bool(complete) for complete in data["complete"]],
        trivial=trivial,
        left_out=left_out,
    )


def _matrix_cells(frame: nw.DataFrame[Any], values: str) -> tuple[Columns, list[str]]:
    """Return the cells of a matrix that have a value, and the names of its segments.

    How many customers there are in a cohort is not known, nor which cells are complete.
    """
    place = frame.columns.index("cohort")
    segments, ages = frame.columns[:place], frame.columns[place + 1 :]
    data: Columns = {name: [] for name in (*segments, "cohort", "age", "age_end", values)}
    for row in frame.iter_rows(named=True):
        for age in ages:
            first, _, last = age.partition("-")
            value = row[age]
            if value is None or math.isnan(value):
                continue
            cell = {"age": int(first), "age_end": int(last or first) + 1, values: float(value)}
            for name in data:
                data[name].append(cell.get(name, row.get(name)))
    number = len(data["cohort"])
    if values == "retention" and max(data[values], default=0) > 1:
        raise ArgumentError(
            f"`table` is a matrix with numbers up to {max(data[values]):g}, which are no rates of "
            "retention; say with `values` what they are, such as 'retained'.",
            code="not_a_fraction",
            argument="table",
        )
    return data | {"customers": [None] * number, "complete": [True] * number}, segments


def _check_sizes_are_known(min_customers: int) -> None:
    if min_customers:
        raise ArgumentError(
            f"`min_customers` is {min_customers}, and `table` is a matrix, which does not know how "
            "many customers its cohorts have; give it to retention_matrix, or draw the table of "
            "cohorts.",
            code="argument_conflict",
            argument="min_customers",
        )


def _without_small(data: Columns, min_customers: int) -> tuple[Columns, str]:
    """Leave out the cohorts with fewer customers, and say how many there are."""
    kept = [(size or 0) >= min_customers for size in data["customers"]]
    small = len(set(data["cohort"]) - set(compress(data["cohort"], kept)))
    fewer = "without" if min_customers == 1 else f"with fewer than {min_customers:,}"
    words = f"{count_noun(small, 'cohort')} {fewer} customers" if small else ""
    return {name: list(compress(values, kept)) for name, values in data.items()}, words


def _without_empty_end(data: Columns) -> tuple[Columns, str]:
    """Leave out the cohorts after the last one with customers, and say how many there are."""
    sizes = dict(zip(data["cohort"], data["customers"], strict=True))
    filled = [cohort for cohort, size in sizes.items() if size is None or size]
    kept = [bool(filled) and cohort <= max(filled) for cohort in data["cohort"]]
    left_out = len(sizes) - len(set(compress(data["cohort"], kept)))
    which = "cohort" if left_out == 1 else f"{left_out} cohorts"
    words = f"the last {which}, without customers" if left_out else ""
    return {name: list(compress(values, kept)) for name, values in data.items()}, words


def _is_trivial(columns: dict[int, int], rates: list[float], ages: list[int]) -> bool:
    """Return whether age 0 is 100 % wherever there are customers, and other ages follow."""
    start = [rate for rate, age in zip(rates, ages, strict=True) if age == 0]
    known = [rate for rate in start if not math.isnan(rate)]
    return len(columns) > 1 and bool(known) and all(rate == 1 for rate in known)


def _cohort_labels(cohorts: Sequence[dt.date], style: str | None) -> list[str]:
    """Label a month by year and month; one cohort alone does not show what its period is."""
    if style is None:
        months = len(cohorts) > 1 and all(cohort.day == 1 for cohort in cohorts)
        style = "%Y-%m" if months else "%Y-%m-%d"
        if any(isinstance(one, dt.datetime) for one in beginnings_of(cohorts)):
            style = "%Y-%m-%d %H:%M"
    return [cohort.strftime(style) for cohort in cohorts]


def _percent_texts(values: Sequence[float], rest: Sequence[float]) -> list[str]:
    """Write rates, with a decimal where most of those that are not trivial are small."""
    known = [value for value in rest if not math.isnan(value)]
    decimals = 1 if known and median(known) < 0.1 else 0
    return [in_percent(value, decimals) for value in values]


def _count_texts(values: Sequence[float]) -> list[str]:
    known = [value for value in values if not math.isnan(value)]
    whole = all(value.is_integer() or abs(value) >= 100 for value in known)
    return [DASH if math.isnan(value) else f"{value:,.{0 if whole else 2}f}" for value in values]
