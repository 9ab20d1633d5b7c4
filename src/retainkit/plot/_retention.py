"""Pictures of cohort retention: the triangle and the curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from retainkit._checks import one_of
from retainkit.plot import _heatmap as heatmap
from retainkit.plot._reading import (
    age_labels,
    check_once,
    numbers,
    read,
    segment_labels,
    unit_of_age,
)
from retainkit.plot._style import PALETTE, percent, space_of, subplots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from narwhals.stable.v2.typing import IntoDataFrame

    from retainkit.plot._reading import Columns

TITLES = {
    "retention": "Retention",
    "lower": "Lower bound of retention",
    "upper": "Upper bound of retention",
    "retained": "Retained customers",
    "eligible": "Observed customers",
    "customers": "Customers",
    "amount": "Amount",
    "amount_per_customer": "Amount per customer",
    "nrr": "Net revenue retention",
    "grr": "Gross revenue retention",
}
AVERAGES = {
    "pooled": "pooled over cohorts",
    "simple": "mean of cohorts",
    "chained": "chained over ages",
}

MARKERS = "osD^vPX"
DASHES = ("-", "--", ":")
INSIDE = 6  # lines whose legend finds room inside the axes


def retention_heatmap(
    table: IntoDataFrame,
    *,
    values: str = "retention",
    ax: Axes | None = None,
    period: str | None = None,
    cohort_format: str | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    colorbar: bool | None = None,
) -> Axes:
    """Draw the cohort triangle: cohorts down, ages across, a number in every cell.

    The size of the cohort stands beside its label. A cell that is not complete (`complete`
    is False) is hatched, and a line beneath explains it. A cell that has not been observed
    is blank; one without customers, where the rate is 0/0, holds a dash; cohorts after the
    last one with customers are not drawn but counted beneath. An observed zero reads "0%"; a
    share that would merely round to it reads "<1%", and one that would round to the whole
    ">99%". Where age 0 is 100 % for every cohort, it holds by definition: it is grey, so that
    the colours serve the ages that tell something.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.cohort_retention` or `retainkit.revenue_cohorts` for one segment:
        pandas, Polars or PyArrow.
    values : str, default "retention"
        Column to draw: ``retention``, ``lower``, ``upper``, ``nrr`` or ``grr`` in percent;
        ``retained``, ``eligible``, ``customers``, ``amount`` or ``amount_per_customer`` as numbers.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure that suits the table. Text adapts
        to the size of the axes; where cells are too small for any, there is a colour bar.
    period : {"day", "week", "month", "quarter", "year"}, optional
        Unit of age, for the label of the axis. The table does not hold it.
    cohort_format : str, optional
        `strftime` format of the cohorts. By default the month (``1997-01``) where every one
        of several cohorts begins on the first of a month, otherwise the date.
    cmap : str or matplotlib.colors.Colormap, optional
        Sequential colour map; by default even steps of lightness from pale to navy.
    vmin, vmax : float, optional
        Values at the ends of the colours, in the unit of the column (rates as fractions).
        Give them to compare pictures. By default from 0 (the least value, if negative) to
        the greatest value in colour.
    colorbar : bool, optional
        Draw a colour bar; by default only where the cells have no room for numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; columns of the table are at x = 0, 1, ..., cohorts at y = 0, 1, ...

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a cohort and age, or if
        `values` or `period` is none of the words above.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError
        If ``cohort`` does not hold dates.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import datetime as dt
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import retention_heatmap
    >>> january, february = dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1)
    >>> table = pd.DataFrame({
    ...     "cohort": [january, january, february], "age": [0, 1, 0],
    ...     "customers": [40, 40, 25], "retention": [1.0, 0.3, 1.0],
    ...     "complete": [True, True, True],
    ... })
    >>> ax = retention_heatmap(table, ax=Figure().subplots(), period="month")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['2024-01', '2024-02']
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "cell"]
    ['100%', '30%', '100%']
    """
    one_of("values", values, TITLES)
    title = f"{TITLES[values]} by age ({unit_of_age(period)})"
    triangle = heatmap.triangle_of(table, values, cohort_format)
    scale, colours = heatmap.colours_of(triangle, cmap, vmin, vmax)
    ax, width, height = heatmap.new_axes(triangle) if ax is None else space_of(ax)
    grid = heatmap.grid_of(triangle, width, height)
    heatmap.draw_cells(ax, triangle, grid, colours)
    heatmap.draw_labels(ax, triangle, grid, title)
    if triangle.notes():
        heatmap.draw_notes(ax, triangle, grid)
    if colorbar or (colorbar is None and not grid.font):
        heatmap.draw_scale(ax, scale, rates=values in heatmap.RATES)
    return ax


def retention_curve(
    curve: IntoDataFrame,
    *,
    ax: Axes | None = None,
    period: str | None = None,
    palette: Sequence[str] = PALETTE,
) -> Axes:
    """Draw retention against age: a line and its interval for every segment.

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
    period : {"day", "week", "month", "quarter", "year"}, optional
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
    Retention at age 0 is often 100 % by definition and sets the height of the picture. To
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
    picture = _lines_of(curve)
    if ax is None:
        ax = subplots(7.0, 4.2)
    for index, line in enumerate(picture.lines):
        _draw_line(ax, line, index, palette[index % len(palette)], joined=picture.ticks is None)
    average = AVERAGES.get(picture.average, picture.average)
    ax.set_xlabel(f"Age ({unit})")
    ax.set_ylabel(", ".join(filter(None, ["Retention", average])))
    _draw_scales(ax, picture)
    if picture.lines:
        _draw_legend(ax, picture)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One line of a curve; NaN where there is no rate or no interval."""

    label: str
    x: list[int]
    rate: list[float]
    lower: list[float]
    upper: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """All lines of a curve, what tells them apart, and the labels of brackets on the x axis."""

    lines: list[_Line]
    legend: str
    average: str
    ticks: list[str] | None


def _lines_of(curve: IntoDataFrame) -> _Lines:
    """Split a curve into lines; with brackets, x is the number of the bracket."""
    needed = ["age", "customers", "retention", "lower", "upper", "average"]
    data, names = read(curve, "curve", "age", needed)
    averages = list(dict.fromkeys(data["average"]))
    names = [*names, "average"] if len(averages) > 1 else names
    segments = segment_labels(data, names)
    check_once("curve", list(zip(segments, data["age"], strict=True)), "segment and age")
    labels = age_labels(data)
    brackets = "age_end" in data
    place = {age: index if brackets else age for index, age in enumerate(labels)}
    rows: dict[str, list[int]] = {segment: [] for segment in segments}
    for row in sorted(range(len(segments)), key=lambda row: data["age"][row]):
        rows[segments[row]].append(row)
    starts = {labels[data["age"][own[0]]] for own in rows.values()}
    start = f"at age {starts.pop()}" if len(starts) == 1 else "at the first age"
    sizes = {segment: f"{int(data['customers'][own[0]]):,}" for segment, own in rows.items()}
    words = {
        segment: f"{segment} ({size})" if names else f"{size} customers {start}"
        for segment, size in sizes.items()
    }
    return _Lines(
        lines=[_line(data, own, words[segment], place) for segment, own in rows.items()],
        legend=f"{', '.join(names)} (customers {start})" if names else "",
        average=averages[0] if len(averages) == 1 else "",
        ticks=list(labels.values()) if brackets else None,
    )


def _line(data: Columns, rows: list[int], label: str, place: dict[int, int]) -> _Line:
    rate, lower, upper = (
        numbers([data[column][row] for row in rows]) for column in ("retention", "lower", "upper")
    )
    x = [place[data["age"][row]] for row in rows]
    return _Line(label=label, x=x, rate=rate, lower=lower, upper=upper)


def _draw_line(ax: Axes, line: _Line, index: int, colour: str, *, joined: bool) -> None:
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


def _draw_scales(ax: Axes, picture: _Lines) -> None:
    """Percent from 0 upwards, whole ages, and no more ink than that."""
    heights = [y for line in picture.lines for y in [*line.rate, *line.upper] if not math.isnan(y)]
    highest = max(heights, default=1.0) or 1.0
    ax.set_ylim(0, 1 if highest > 0.9 else 1.08 * highest)
    ax.yaxis.set_major_formatter(percent())
    ages = [x for line in picture.lines for x in line.x] or [0]
    space = 0.03 * (max(ages) - min(ages)) or 0.5
    ax.set_xlim(min(ages) - space, max(ages) + space)
    if picture.ticks is None:
        room = int(ax.bbox.width / ax.figure.dpi * 3.5)
        ax.xaxis.set_major_locator(MaxNLocator(max(2, room), integer=True))
    else:
        ax.set_xticks(range(len(picture.ticks)), picture.ticks)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="y", color="#d9d9d9", linewidth=0.6)
    ax.set_axisbelow(True)


def _draw_legend(ax: Axes, picture: _Lines) -> None:
    """Name the lines, with the customers behind them, and the band."""
    handles: list[Artist] = [*ax.get_lines()[-len(picture.lines) :]]
    if any(not math.isnan(low) for line in picture.lines for low in line.lower):
        handles.append(Patch(color="#7f7f7f", alpha=0.3, linewidth=0, label="interval"))
    outside = len(handles) > INSIDE
    legend = ax.legend(
        handles=handles,
        title=picture.legend or None,
        alignment="left",
        loc="upper left" if outside else "best",
        bbox_to_anchor=(1.01, 1) if outside else None,
        frameon=False,
        fontsize=9,
        title_fontsize=9,
    )
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a segment may be called "$5 to $10"
