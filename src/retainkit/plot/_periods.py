"""The periods of a result table: their order, their names, and their places on an axis."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._frames.input import read_result
from retainkit._time.periods import first_day, period_index
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._reading import read, segment_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from narwhals.stable.v2.typing import IntoDataFrame

    from retainkit._time.periods import Period
    from retainkit._typing import Integers
    from retainkit.plot._reading import Columns

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
        """Count from the first period."""
        places: Integers = self.numbers - self.numbers.min(initial=2**62)
        return places

    @property
    def noun(self) -> str:
        """Say what a row is."""
        return self.unit or "period"


def read_periods(
    table: IntoDataFrame, argument: str, needed: Sequence[str], optional: Sequence[str] = ()
) -> tuple[Periods, Columns]:
    """Take one segment of a table with a row for each period, in the order of time."""
    frame = read_result(table, argument=argument, columns=["period", *needed])
    present = [name for name in optional if name in frame.columns]
    data, names = read(table, argument, "period", ["period", *needed, *present])
    if names:
        _check_one_segment(argument, names, segment_labels(data, names))
    if not all(isinstance(day, dt.date) for day in data["period"]):
        raise ColumnTypeError(f"column 'period' of `{argument}` must hold dates, without nulls.")
    days = [day.date() if isinstance(day, dt.datetime) else day for day in data["period"]]
    if len(set(days)) < len(days):
        raise ArgumentError(
            f"`{argument}` has {len(days)} rows for {len(set(days))} periods, and one row for each "
            "can be drawn. Filter it to the rows that belong together first."
        )
    order = sorted(range(len(days)), key=days.__getitem__)
    data = {name: [values[row] for row in order] for name, values in data.items()}
    return _numbered([days[row] for row in order]), data


def name_of(day: dt.date, unit: Period | None) -> str:
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
    shown = _shown(periods, width)
    labels, before = [], None
    for row in shown:
        day = periods.days[row]
        short, year = _short(day, periods.unit)
        labels.append(short + (f"\n{year}" if year and year != before else ""))
        before = year
    ax.set_xticks(periods.places[shown].tolist(), labels)
    ax.tick_params(axis="x", length=3)


def _numbered(days: list[dt.date]) -> Periods:
    since = np.array(days, "M8[D]").astype(np.int64)
    unit = _unit_of(since)
    numbers = since if unit is None else period_index(since, unit, "monday")
    return Periods(days=days, numbers=numbers, unit=unit)


def _unit_of(days: Integers) -> Period | None:
    """Tell the period by the days on which rows begin; one row does not show it."""
    if len(days) < 2:
        return None
    units: tuple[Period, ...] = ("year", "quarter", "month")
    for unit in units:
        begins = first_day(period_index(days, unit, "monday"), unit, "monday")
        if (begins == days).all():
            return unit
    return "week" if (np.diff(days) % 7 == 0).all() else "day"


def _shown(periods: Periods, width: float) -> list[int]:
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


def _short(day: dt.date, unit: Period | None) -> tuple[str, str]:
    """Label a period, with its year apart."""
    year = f"{day.year}"
    if unit == "month":
        return f"{day:%b}", year
    if unit == "quarter":
        return f"Q{(day.month + 2) // 3}", year
    if unit == "year":
        return year, ""
    return (f"{day}", "") if unit is None else (f"{day.day} {day:%b}", year)


def _check_one_segment(argument: str, names: Sequence[str], labels: Sequence[Any]) -> None:
    found = list(dict.fromkeys(labels))
    if len(found) > 1:
        shown = ", ".join(map(repr, found[:8])) + (", ..." if len(found) > 8 else "")
        raise ArgumentError(
            f"`{argument}` holds {len(found)} segments of {', '.join(map(repr, names))}: {shown}. "
            "The picture shows one; filter the table to one segment first."
        )
