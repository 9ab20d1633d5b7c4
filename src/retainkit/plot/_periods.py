"""Periods of a result table: their order, their names, and their places on an axis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

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

Unit: TypeAlias = Period | Literal["own"]

# Points that a label takes, and how many periods may lie between two of them.
_WIDTHS = {"hour": 40, "day": 42, "week": 42, "month": 30, "quarter": 28, "year": 34, "own": 42}
_STRIDES = {
    "hour": (1, 2, 3, 6, 12, 24, 72, 168),
    "month": (1, 2, 3, 6, 12, 24, 60, 120),
    "quarter": (1, 2, 4, 8, 20, 40),
}
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods in the order of time; a period's number grows by 1 to the next, without a gap.

    `days` are their first days, or the times at which they begin. `unit` is "own" for periods that
    are none of the calendar, and None where one row does not show it.
    """

    days: list[dt.date]
    numbers: Integers
    unit: Unit | None

    @property
    def places(self) -> Integers:
        """Places on the x axis, counted from the first period."""
        places: Integers = self.numbers - self.numbers.min(initial=2**62)
        return places

    @property
    def noun(self) -> str:
        """Name what a row is."""
        return "period" if self.unit is None or self.unit == "own" else self.unit

    @property
    def one(self) -> str:
        """Name what a row is with its article."""
        return f"{'an' if self.noun == 'hour' else 'a'} {self.noun}"

    def notes(self) -> list[str]:
        """Return what a picture has to say of the labels."""
        return [f"First day of the {self.noun}"] if self.unit in {"week", "own"} else []


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
    days = beginnings_of(data["period"])
    check_one_row_each(argument, days, "periods")
    order = sorted(range(len(days)), key=days.__getitem__)
    data = {name: [values[row] for row in order] for name, values in data.items()}
    return _number_periods([days[row] for row in order]), data


def as_day(value: Any) -> dt.date:
    """Return the day of a date or datetime."""
    return value.date() if isinstance(value, dt.datetime) else value


def beginnings_of(values: Sequence[Any]) -> list[dt.date]:
    """Return the days of dates and midnights, or times where one has an hour or a zone."""
    timed = [one for one in values if isinstance(one, dt.datetime)]
    if any(one.tzinfo is not None or one.time() != dt.time() for one in timed):
        return list(values)
    return [as_day(value) for value in values]


def period_name(day: dt.date, unit: Unit | None) -> str:
    """Name a period by its first day."""
    if unit == "month":
        return f"{day:%B %Y}"
    if unit == "quarter":
        return f"Q{(day.month + 2) // 3} {day.year}"
    if unit == "year":
        return f"{day.year}"
    if unit == "own":
        return f"the period from {day.day} {day:%b %Y}"
    if unit is None or unit == "hour":
        return f"the {unit or 'period'} from {day}"
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
    if any(isinstance(day, dt.datetime) for day in days):
        numbers, unit = _number_times(days)
    else:
        numbers, unit = _number_days(np.array(days, "M8[D]").astype(np.int64))
    return Periods(days=days, numbers=numbers, unit=unit)


def _number_times(times: Sequence[Any]) -> tuple[Integers, Unit | None]:
    """Number periods by the times at which they begin; hours are counted from a midnight."""
    since = np.array([round((one - times[0]).total_seconds()) for one in times], np.int64)
    if len(since) > 1 and (since % 3600 == 0).all() and np.diff(since).min() == 3600:
        return since // 3600 + times[0].hour, "hour"
    return _in_steps(since), "own" if len(since) > 1 else None


def _number_days(days: Integers) -> tuple[Integers, Unit | None]:
    """Number periods by the days on which they begin, and find what they are."""
    if len(days) < 2:
        return days, None
    units: tuple[Period, ...] = ("year", "quarter", "month")
    for unit in units:
        grid = calendar_grid(unit)
        numbers = grid.number_of_day(days)
        if (grid.first_day(numbers) == days).all():
            apart = unit == "month" and int(np.diff(numbers).min()) in {3, 12}
            return (_in_steps(numbers), "own") if apart else (numbers, unit)
    step = int(np.diff(days).min())
    if step == 1:
        return days, "day"
    if step == 7:
        return calendar_grid("week").number_of_day(days), "week"
    return _in_steps(days), "own"


def _in_steps(since: Integers) -> Integers:
    """Number what comes in equal steps by them, else one after another."""
    steps = np.diff(since)
    if not len(steps) or (steps % steps.min()).any():
        return np.arange(len(since))
    numbers: Integers = (since - since[0]) // steps.min()
    return numbers


def _labelled_rows(periods: Periods, width: float) -> list[int]:
    """Choose the rows that are labelled: every k-th, where months and quarters keep to years."""
    places = periods.places
    if not len(places):
        return []
    slot = width / (places[-1] + 1)
    strides = _STRIDES.get(periods.noun, _COUNTS)
    needed = _WIDTHS.get(periods.unit or "", 66)
    stride = next((one for one in strides if one * slot >= needed), strides[-1])
    counted = periods.numbers if periods.noun in _STRIDES else places
    rows: list[int] = np.flatnonzero(counted % stride == 0).tolist()
    return rows or [0]


def _short_label(day: dt.date, unit: Unit | None) -> tuple[str, str]:
    """Label a period, with its year apart; of an hour, its day."""
    year = f"{day.year}"
    if unit == "hour":
        return f"{day:%H:%M}", f"{day.day} {day:%b}\n{year}"
    if unit == "own" and isinstance(day, dt.datetime) and day.time() != dt.time():
        return f"{day.day} {day:%b %H:%M}", year
    if unit == "month":
        return f"{day:%b}", year
    if unit == "quarter":
        return f"Q{(day.month + 2) // 3}", year
    if unit == "year":
        return year, ""
    return (f"{day}", "") if unit is None else (f"{day.day} {day:%b}", year)
