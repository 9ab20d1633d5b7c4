"""Picture of what customers had paid by age, and of when that pays for what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit.plot._axes import BESIDE, draw_legend, subplots, tidy
from retainkit.plot._reading import (
    Columns,
    as_floats,
    check_one_row_each,
    columns_as_lists,
    rows_by_segment,
    segment_labels,
)
from retainkit.plot._style import MARKERS, PALETTE, QUIET, legible, tone
from retainkit.typing import IntoDataFrame

_VALUES = ("age_days", "complete", "value_per_customer", "lower", "upper")
_PAYBACK = ("acquired", "cost_per_customer", "payback_days")
_BANDS = 3  # lines whose intervals can be told apart
_INSIDE = 6  # lines whose legend finds room inside the axes


def observed_value(
    table: IntoDataFrame,
    *,
    payback: IntoDataFrame | None = None,
    palette: Sequence[str] = PALETTE,
    ax: Axes | None = None,
) -> Axes:
    """Draw the value per customer by age: a line for each cohort, as far as all of it count.

    >>> from retainkit import datasets, observed_value, plot
    >>> table = observed_value(datasets.load_cdnow(sample=True), ages=range(0, 361, 30))
    >>> ax = plot.observed_value(table)

    A line ends at the last age at which it is complete. The intervals are drawn as bands where
    there are three lines or fewer. With the result of `retainkit.payback`, what a customer cost is
    a level, and a large dot says where the line of a cohort reaches it.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.observed_value`: pandas, Polars or PyArrow. More `ages` make a smoother
        line; ``range(0, 361, 30)`` are a year's.
    payback : IntoDataFrame, optional
        Result of `retainkit.payback` for the same cohorts and segments. Default: no cost is drawn.
    palette : sequence of str, optional
        Colours of the lines in turn; by default safe for all kinds of colour vision.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; x is the age in days, and y the value per customer, from 0.

    Raises
    ------
    MissingColumnError
        If a column is not in a table.
    ArgumentTypeError
        If an argument is of the wrong type.
    ArgumentError
        If a cohort has an age twice, or two rows in `payback`.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    The days of `payback` are found among all days; between the ages of `table` its line is
    straight, so that a dot may lie a little off it.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit import observed_value, plot
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-20"])
    >>> orders = pd.DataFrame({"customer_id": ["ann", "ann", "bob"], "time": days})
    >>> orders["amount"] = [10.0, 20.0, 30.0]
    >>> table = observed_value(orders, ages=["0D", "10D", "20D"], as_of="2024-02-01")
    >>> ax = plot.observed_value(table, ax=Figure().subplots())
    >>> ax.lines[0].get_xydata().tolist()
    [[0.0, 20.0], [10.0, 30.0]]
    """
    data, labels = _read(table, "table", _VALUES, "observed_value")
    keys = [*zip(labels, data["age_days"], strict=True)]
    check_one_row_each("table", keys, "cohorts and ages")
    costs = {} if payback is None else _read_costs(payback)
    lines = _lines(data, labels)
    ax = subplots(7.0, 4.2) if ax is None else ax
    style = [*zip(lines, cycle(palette), cycle(MARKERS))]
    handles = [
        _draw_line(ax, line, colour, mark, band=len(lines) <= _BANDS)
        for line, colour, mark in style
    ]
    colours = {line.label: colour for line, colour, _ in style}
    _draw_costs(ax, costs, colours)
    ax.set_xlabel("Age (days since the first order)")
    ax.set_ylabel("Value per customer acquired")
    _set_scales(ax, lines, [cost for cost, _ in costs.values()])
    if len(handles) > 1 or (lines[:1] != [] and lines[0].label):
        style_of = BESIDE if len(handles) > _INSIDE else {"loc": "best"}
        draw_legend(ax, handles, style=style_of)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The complete ages of a cohort."""

    label: str
    age: list[float]
    value: list[float]
    lower: list[float]
    upper: list[float]


def _read(
    native: IntoDataFrame, argument: str, needed: Sequence[str], made_by: str
) -> tuple[Columns, list[str]]:
    """Read columns as lists, and name the cohort of each row, with its segment."""
    frame = read_result(native, argument=argument, columns=needed, made_by=[made_by])
    cohorts = ["cohort"] if "cohort" in frame.columns else []
    own = [*cohorts, *needed]
    first = min(own, key=frame.columns.index)
    names = segment_columns(frame, (first, *own))
    data = columns_as_lists(frame, [*names, *own])
    if cohorts:
        data["cohort"] = [f"{cohort}"[:10] for cohort in data["cohort"]]
    return data, segment_labels(data, [*names, *cohorts])


def _read_costs(payback: IntoDataFrame) -> dict[str, tuple[float, float]]:
    """Return the cost and the payback of each cohort."""
    data, labels = _read(payback, "payback", _PAYBACK, "payback")
    check_one_row_each("payback", labels, "cohorts")
    columns = (as_floats(data[name]) for name in _PAYBACK[1:])
    return dict(zip(labels, zip(*columns, strict=True), strict=True))


def _lines(data: Columns, labels: Sequence[str]) -> list[_Line]:
    """Return the line of each cohort that is complete at some age."""
    lines = []
    for label, rows in rows_by_segment(labels, data["age_days"]).items():
        kept = [row for row in rows if data["complete"][row]]
        columns = {name: as_floats([data[name][row] for row in kept]) for name in _VALUES}
        if kept:
            lines.append(
                _Line(
                    label=label,
                    age=columns["age_days"],
                    value=columns["value_per_customer"],
                    lower=columns["lower"],
                    upper=columns["upper"],
                )
            )
    return lines


def _draw_line(ax: Axes, line: _Line, colour: str, mark: str, *, band: bool) -> Line2D:
    """Draw a line and, where there is room, its interval."""
    style: dict[str, Any] = {"color": colour, "marker": mark, "markersize": 3.5}
    (drawn,) = ax.plot(line.age, line.value, linewidth=1.6, zorder=3, label=line.label, **style)
    if band:
        ax.fill_between(
            line.age, line.lower, line.upper, color=colour, alpha=0.15, linewidth=0, zorder=2
        )
    return drawn


def _draw_costs(
    ax: Axes, costs: Mapping[str, tuple[float, float]], colours: Mapping[str, str]
) -> None:
    """Draw each cost as a level, and a dot where the line of a cohort reaches it."""
    levels = sorted({cost for label, (cost, _) in costs.items() if label in colours})
    for level in levels:
        if math.isnan(level):
            continue
        line: dict[str, Any] = {"color": tone(ax, QUIET), "linewidth": 0.9, "gid": "cost"}
        ax.axhline(level, linestyle=(0, (4, 3)), zorder=1, **line)
    known = [level for level in levels if not math.isnan(level)]
    if known:
        text = "cost of a customer" if len(known) == 1 else "costs of a customer"
        place: dict[str, Any] = {"xy": (1, known[-1]), "xycoords": ("axes fraction", "data")}
        place |= {"xytext": (-2, 3), "textcoords": "offset points", "ha": "right"}
        ax.annotate(text, color=legible(ax, QUIET), fontsize=8, gid="cost-label", **place)
    for label, (cost, days) in costs.items():
        if label in colours and not math.isnan(days):
            dot: dict[str, Any] = {"color": colours[label], "edgecolors": ax.get_facecolor()}
            ax.scatter([days], [cost], s=70, zorder=4, gid="payback", **dot)


def _set_scales(ax: Axes, lines: Sequence[_Line], costs: Sequence[float]) -> None:
    """Let the value begin at 0, unless refunds take it below, and the age at 0."""
    values = [y for line in lines for y in line.value] + [y for y in costs if not math.isnan(y)]
    tidy(ax)
    if min(values, default=0) >= 0:
        ax.set_ylim(0, max(ax.get_ylim()[1], 1.1 * max(values, default=0)) or 1)
    ages = [x for line in lines for x in line.age]
    ax.set_xlim(0, 1.03 * max(ages, default=1) or 1)
