"""Picture of retention against age."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from retainkit.plot._axes import BESIDE, draw_legend, percent, subplots, tidy
from retainkit.plot._reading import (
    Columns,
    age_labels,
    as_floats,
    check_one_row_each,
    read_ages,
    rows_by_segment,
    segment_labels,
    unit_of_age,
)
from retainkit.plot._style import DASHES, MARKERS, PALETTE, QUIET
from retainkit.typing import IntoDataFrame

AVERAGES = {
    "pooled": "pooled over cohorts",
    "simple": "mean of cohorts",
    "chained": "chained over ages",
}

INSIDE = 6  # lines whose legend finds room inside the axes


def retention_curve(
    curve: IntoDataFrame,
    *,
    ax: Axes | None = None,
    period: str | None = None,
    palette: Sequence[str] = PALETTE,
) -> Axes:
    """Draw retention against age: a line and its interval for every segment.

    >>> from retainkit import cohort_retention, datasets, plot, retention_curve
    >>> curve = retention_curve(cohort_retention(datasets.make_events(1000, seed=1)))
    >>> ax = plot.retention_curve(curve, period="month")

    The axis is in percent and begins at 0. The legend gives the customers observed at the
    first age of each line. Where an age has no interval (NaN), the band has a gap.

    Parameters
    ----------
    curve : IntoDataFrame
        Result of `retainkit.retention_curve`: pandas, Polars or PyArrow. Each segment (the
        columns left of ``age``) becomes a line; where the column ``average`` holds several
        words, because curves were concatenated, so does each average.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.
    period : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of age, for the label of the axis. The table does not hold it.
    palette : sequence of str, optional
        Colours of the lines in turn; by default safe for all kinds of colour vision.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; x is the age, or 0, 1, ... for brackets of ages, whose points are not
        joined.

    Raises
    ------
    ArgumentError
        If there are several rows for a segment and age, or `period` is none of the words.
    MissingColumnError
        If a column of the curve is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Retention at age 0 is often 100 % by definition and sets the height of the lines. To
    see the rest more closely, leave it out: ``curve[curve["age"] > 0]``.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import retention_curve
    >>> curve = pd.DataFrame({
    ...     "age": [0, 1], "customers": [65, 40], "retention": [1.0, 0.3],
    ...     "lower": [0.94, 0.18], "upper": [1.0, 0.45], "average": "pooled",
    ... })
    >>> ax = retention_curve(curve, ax=Figure().subplots(), period="month")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Age (months since the start)', 'Retention, pooled over cohorts')
    >>> ax.lines[0].get_ydata().tolist()
    [1.0, 0.3]
    """
    unit = unit_of_age(period)
    content = _read_retention_lines(curve)
    ax = subplots(7.0, 4.2) if ax is None else ax
    for index, line in enumerate(content.lines):
        _draw_retention_line(
            ax, line, index, palette[index % len(palette)], joined=content.ticks is None
        )
    average = AVERAGES.get(content.average, content.average)
    ax.set_xlabel(f"Age ({unit})")
    ax.set_ylabel(", ".join(filter(None, ["Retention", average])))
    _set_scales(ax, content)
    if content.lines:
        _draw_curve_legend(ax, content)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _RetentionLine:
    """One line of a curve; NaN where there is no rate or no interval."""

    label: str
    x: list[int]
    rate: list[float]
    lower: list[float]
    upper: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RetentionCurve:
    """Lines of a curve, the title of their legend, and the labels of brackets on the x axis."""

    lines: list[_RetentionLine]
    legend: str
    average: str
    ticks: list[str] | None


def _read_retention_lines(curve: IntoDataFrame) -> _RetentionCurve:
    """Read the line of each segment; with brackets, x is the number of the bracket."""
    needed = ["age", "customers", "retention", "lower", "upper", "average"]
    data, names = read_ages(curve, "curve", "age", needed, ["retention_curve"])
    averages = list(dict.fromkeys(data["average"]))
    names = [*names, "average"] if len(averages) > 1 else names
    segments = segment_labels(data, names)
    pairs = list(zip(segments, data["age"], strict=True))
    check_one_row_each("curve", pairs, "pairs of segment and age")
    labels = age_labels(data)
    brackets = "age_end" in data
    place = {age: index if brackets else age for index, age in enumerate(labels)}
    rows = rows_by_segment(segments, data["age"])
    starts = {labels[data["age"][own[0]]] for own in rows.values()}
    start = f"at age {starts.pop()}" if len(starts) == 1 else "at the first age"
    sizes = {segment: f"{int(data['customers'][own[0]]):,}" for segment, own in rows.items()}
    entries = {
        segment: f"{segment} ({size})" if names else f"{size} customers {start}"
        for segment, size in sizes.items()
    }
    return _RetentionCurve(
        lines=[
            _retention_line(data, own, entries[segment], place) for segment, own in rows.items()
        ],
        legend=f"{', '.join(names)} (customers {start})" if names else "",
        average=averages[0] if len(averages) == 1 else "",
        ticks=list(labels.values()) if brackets else None,
    )


def _retention_line(
    data: Columns, rows: list[int], label: str, place: dict[int, int]
) -> _RetentionLine:
    rate, lower, upper = (
        as_floats([data[column][row] for row in rows]) for column in ("retention", "lower", "upper")
    )
    x = [place[data["age"][row]] for row in rows]
    return _RetentionLine(label=label, x=x, rate=rate, lower=lower, upper=upper)


def _draw_retention_line(
    ax: Axes, line: _RetentionLine, index: int, colour: str, *, joined: bool
) -> None:
    """Draw the line and its band; an interval without neighbours becomes a bar.

    Brackets are not joined: where one is wider than the one before, a line would seem to rise.
    """
    dash = DASHES[index // len(PALETTE) % len(DASHES)]
    ax.plot(
        line.x,
        line.rate,
        color=colour,
        linestyle=dash if joined else "none",
        linewidth=1.8,
        marker=MARKERS[index % len(MARKERS)],
        markersize=4.5,
        markeredgewidth=0,
        clip_on=False,
        zorder=3,
        label=line.label,
    )
    band: dict[str, Any] = {"color": colour, "alpha": 0.18, "zorder": 2}
    if joined:
        ax.fill_between(line.x, line.lower, line.upper, linewidth=0, **band)
    known = [not math.isnan(low + high) for low, high in zip(line.lower, line.upper, strict=True)]
    before, after = [False, *known[:-1]], [*known[1:], False]
    for x, low, high, own, left, right in zip(
        line.x, line.lower, line.upper, known, before, after, strict=True
    ):
        if own and not (joined and (left or right)):
            ax.vlines(x, low, high, linewidth=5, **band)


def _set_scales(ax: Axes, content: _RetentionCurve) -> None:
    """Set the axes to percent from 0 upwards, and to whole ages."""
    heights = [y for line in content.lines for y in [*line.rate, *line.upper] if not math.isnan(y)]
    highest = max(heights, default=1.0) or 1.0
    ax.set_ylim(0, 1 if highest > 0.9 else 1.08 * highest)
    ax.yaxis.set_major_formatter(percent())
    ages = [x for line in content.lines for x in line.x] or [0]
    space = 0.03 * (max(ages) - min(ages)) or 0.5
    ax.set_xlim(min(ages) - space, max(ages) + space)
    if content.ticks is None:
        room = int(ax.bbox.width / ax.figure.dpi * 3.5)
        ax.xaxis.set_major_locator(MaxNLocator(max(2, room), integer=True))
    else:
        ax.set_xticks(range(len(content.ticks)), content.ticks)
    tidy(ax)


def _draw_curve_legend(ax: Axes, content: _RetentionCurve) -> None:
    """Name the lines, with the customers behind them, and the band."""
    handles: list[Artist] = [*ax.get_lines()[-len(content.lines) :]]
    if any(not math.isnan(low) for line in content.lines for low in line.lower):
        handles.append(Patch(color=QUIET, alpha=0.3, linewidth=0, label="interval"))
    style = BESIDE if len(handles) > INSIDE else {"loc": "best"}
    draw_legend(ax, handles, title=content.legend, style=style)
