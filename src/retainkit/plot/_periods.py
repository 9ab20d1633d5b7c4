"""Periods of a result table: their order, their names, and their places on an axis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._time.grid import calendar_grid
from retainkit._typing import Integers
from retainkit.errors import ColumnTypeError
from retainkit.plot._reading import (
    Columns,
    check_one_row_each,
    check_one_segment,
    read_result_columns,
)
from retainkit.typing import IntoDataFrame, Period

# Points that a label takes, and how many periods may lie between two of them.
_WIDTHS = {"day": 42, "week": 42, "month": 30, "quarter": 28, "year": 34}
_STRIDES = {"month": (1, 2, 3, 6, 12, 24, 60, 120), "quarter": (1, 2, 4, 8, 20, 40)}
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods in the order of time; a period's number grows by 1 to the next, without a gap."""

    days: list[dt.date]
    numbers: Integers
    unit: Period | None

    @property
    def places(self) -> Integers:
        """Places on the x axis, counted from the first period."""
        places: Integers = self.numbers - self.numbers.min(initial=2**62)
        return places

    @property
    def noun(self) -> str:
        """Name what a row is."""
        return self.unit or "period"


def read_periods(
    table: IntoDataFrame,
    argument: str,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    made_by: Sequence[str],
) -> tuple[Periods, Columns]:
    """Read one segment of a table with a row for each period, in the order of time."""
    columns = ["period", *needed]
    data, names = read_result_columns(
        table, argument, ("period",), columns, optional, made_by=made_by
    )
    check_one_segment(argument, data, names)
    if not all(isinstance(day, dt.date) for day in data["period"]):
        raise ColumnTypeError(
            f"column 'period' of `{argument}` must hold dates, without nulls.",
            argument=argument,
            column="period",
        )
    days = [as_day(value) for value in data["period"]]
    check_one_row_each(argument, days, "periods")
    order = sorted(range(len(days)), key=days.__getitem__)
    data = {name: [values[row] for row in order] for name, values in data.items()}
    return _number_periods([days[row] for row in order]), data


def as_day(value: Any) -> dt.date:
    """Return the day of a date or datetime."""
    return value.date() if isinstance(value, dt.datetime) else value


def period_name(day: dt.date, unit: Period | None) -> str:
    """Name a period by its first day."""
    if unit == "month":
        return f"{day:%B %Y}"
    if unit == "quarter":
        return f"Q{(day.month + 2) // 3} {day.year}"
    if unit == "year":
        return f"{day.year}"
    if unit is None:
        return f"the period from {day}"
    return ("" if unit == "day" else "the week of ") + f"{day.day} {day:%b %Y}"


def draw_periods(ax: Axes, periods: Periods, width: float) -> None:
    """Label as many periods as there is room for, with the year beneath where it changes."""
    shown = _labelled_rows(periods, width)
    labels, before = [], None
    for row in shown:
        day = periods.days[row]
        short, year = _short_label(day, periods.unit)
        labels.append(short + (f"\n{year}" if year and year != before else ""))
        before = year
    ax.set_xticks(periods.places[shown].tolist(), labels)
    ax.tick_params(axis="x", length=3)


def pad_periods(ax: Axes, periods: Periods, least: float, alone: float) -> float:
    """Set the limits of the x axis, and return the share of the width from first to last period.

    One or two periods would lie on the edges, or fill the picture: they get more space, a single
    one `alone` at either side.
    """
    last = int(periods.places[-1])
    space = max(least, alone - last / 2)
    ax.set_xlim(-space, last + space)
    return last / (last + 2 * space) if last else 1.0


def _number_periods(days: list[dt.date]) -> Periods:
    since = np.array(days, "M8[D]").astype(np.int64)
    unit = _period_from_starts(since)
    numbers = since if unit is None else calendar_grid(unit, "monday").number_of_day(since)
    return Periods(days=days, numbers=numbers, unit=unit)


def _period_from_starts(days: Integers) -> Period | None:
    """Find the period from the days on which rows begin; one row does not show it."""
    if len(days) < 2:
        return None
    units: tuple[Period, ...] = ("year", "quarter", "month")
    for unit in units:
        grid = calendar_grid(unit, "monday")
        if (grid.first_day(grid.number_of_day(days)) == days).all():
            return unit
    return "week" if (np.diff(days) % 7 == 0).all() else "day"


def _labelled_rows(periods: Periods, width: float) -> list[int]:
    """Choose the rows that are labelled: every k-th, where months and quarters keep to years."""
    places = periods.places
    if not len(places):
        return []
    slot = width / (places[-1] + 1)
    strides = _STRIDES.get(periods.noun, _COUNTS)
    needed = _WIDTHS.get(periods.noun, 66)
    stride = next((one for one in strides if one * slot >= needed), strides[-1])
    counted = periods.numbers if periods.noun in _STRIDES else places
    rows: list[int] = np.flatnonzero(counted % stride == 0).tolist()
    return rows or [0]


def _short_label(day: dt.date, unit: Period | None) -> tuple[str, str]:
    """Label a period, with its year apart."""
    year = f"{day.year}"
    if unit == "month":
        return f"{day:%b}", year
    if unit == "quarter":
        return f"Q{(day.month + 2) // 3}", year
    if unit == "year":
        return year, ""
    return (f"{day}", "") if unit is None else (f"{day.day} {day:%b}", year)
