"""Picture of the cohort triangle as a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, Normalize, to_hex
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from retainkit._checks import boolean, integer, one_of
from retainkit.plot._axes import draw_legend, measure, percent, subplots, text_width
from retainkit.plot._reading import unit_of_age
from retainkit.plot._style import (
    GAP,
    HATCH,
    LARGEST,
    LEAST,
    POINTS,
    RAMP,
    SMALL,
    TEXT,
    ink_on,
    rgb,
    sequential,
)
from retainkit.plot._triangle import HATCHED, RATES, Triangle, read_triangle
from retainkit.typing import IntoDataFrame

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
NEUTRAL = "#ececec"


def retention_heatmap(
    table: IntoDataFrame,
    *,
    values: str = "retention",
    min_customers: int = 0,
    ax: Axes | None = None,
    period: str | None = None,
    cohort_format: str | None = None,
    cmap: str | Colormap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    colorbar: bool | None = None,
) -> Axes:
    """Draw the cohort triangle: cohorts down, ages across, a number in every cell.

    >>> from retainkit import cohort_retention, datasets, plot
    >>> table = cohort_retention(datasets.make_events(1000, seed=1))
    >>> ax = plot.retention_heatmap(table, period="month")

    The size of the cohort stands beside its label. A cell that is not complete (``complete``
    is False) is hatched, and a line beneath explains it. A cell that has not been observed
    is blank; one without customers, where the rate is 0/0, holds a dash; cohorts after the
    last one with customers are not drawn but counted beneath. An observed zero reads "0%"; a
    share that would merely round to it reads "<1%", and one that would round to the whole
    ">99%". Where age 0 is 100 % for every cohort, it holds by definition: it is grey, so that
    the colours serve the other ages.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.cohort_retention` or `retainkit.revenue_cohorts` for one segment, or
        that of `retainkit.retention_matrix`, which knows neither the sizes of cohorts nor what is
        complete: pandas, Polars or PyArrow.
    values : str, default "retention"
        Column to draw: ``retention``, ``lower``, ``upper``, ``nrr`` or ``grr`` in percent;
        ``retained``, ``eligible``, ``customers``, ``amount`` or ``amount_per_customer`` as numbers.
        Of a matrix, what it holds.
    min_customers : int, default 0
        Leave out cohorts with fewer customers: a note beneath counts them. At 1 those without
        customers are left out wherever they stand, at 0 only those after the last one that has
        any. Of a matrix the sizes are not known: give it to `retainkit.retention_matrix`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure, which suits the table. Text adapts to the
        size of the axes; where cells are too small for any, there is a colour bar.
    period : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of age, for the label of the axis. The table does not hold it.
    cohort_format : str, optional
        ``strftime`` format of the cohorts. By default the month (``1997-01``) where every one
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
        If the table holds several segments, or several rows for a cohort and age, if `values` or
        `period` is none of the words above, or if `min_customers` is below 0, or above it for a
        matrix.
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
    integer("min_customers", min_customers, 0)
    title = f"{TITLES[values]} by age ({unit_of_age(period)})"
    if colorbar is not None:
        boolean("colorbar", colorbar)
    triangle = read_triangle(table, values, cohort_format, min_customers)
    scale, colours = _colour_cells(triangle, cmap, vmin, vmax)
    ax, width, height = _heatmap_axes(triangle) if ax is None else measure(ax)
    grid = _fit_grid(triangle, width, height)
    _draw_cells(ax, triangle, grid, colours)
    _draw_labels(ax, triangle, grid, title)
    if triangle.notes():
        _draw_heatmap_notes(ax, triangle, grid)
    if colorbar or (colorbar is None and not grid.font):
        _draw_colour_bar(ax, scale, rates=values in RATES)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Sizes in points: of a cell, its text (0: no room), the labels, the column of sizes."""

    width: float
    height: float
    font: float
    label: float
    margin: float

    @property
    def left(self) -> float:
        """Left edge of the column of cohort sizes, in units of the x axis."""
        return -0.5 - self.margin / self.width


# Sizes


def _margin(triangle: Triangle) -> float:
    header = ["Customers"] if any(triangle.sizes) else []
    return text_width([*triangle.sizes, *header]) * TEXT + 2 * GAP


def _heatmap_axes(triangle: Triangle) -> tuple[Axes, float, float]:
    """Create a figure in which every cell has room for its text, unless it would be huge.

    Return the axes with their width and height in points once the layout is done.
    """
    rows, columns = max(1, len(triangle.cohorts)), max(1, len(triangle.ages))
    cell = max(28.0, text_width(triangle.texts) * TEXT + 8)
    beside = text_width(triangle.cohorts) * TEXT + 4 * GAP
    notes = len(triangle.notes())
    beneath = 44.0 + 13.0 * notes + (13.0 if notes else 0.0)
    width = beside + _margin(triangle) + max(260.0, columns * cell)
    height = beneath + rows * (22.0 if rows <= 24 else 18.0)
    width, height = min(LARGEST, width), min(LARGEST, height)
    ax = subplots(width / POINTS, height / POINTS)
    return ax, width - beside, height - beneath


def _fit_grid(triangle: Triangle, width: float, height: float) -> _Grid:
    """Compute the sizes of cells and text that fit the space there is."""
    margin = _margin(triangle)
    cell = max(1.0, width - margin) / max(1, len(triangle.ages))
    row = height / max(1, len(triangle.cohorts))
    font = min(TEXT, 0.66 * row, (cell - 4) / text_width(triangle.texts))
    label = max(SMALL, min(TEXT, 0.66 * row))
    font = font if font >= LEAST else 0.0
    return _Grid(width=cell, height=row, font=font, label=label, margin=margin)


def _colour_cells(
    triangle: Triangle, cmap: str | Colormap | None, vmin: float | None, vmax: float | None
) -> tuple[ScalarMappable, list[str]]:
    """Return the scale that the colour bar shows, and the colour of every cell."""
    coloured = triangle.coloured()
    values = [value for value, colour in zip(triangle.values, coloured, strict=True) if colour]
    low = min([0.0, *values]) if vmin is None else vmin
    high = max([low, *values]) if vmax is None else vmax
    scale = ScalarMappable(
        norm=Normalize(low, high if high > low else low + 1), cmap=sequential(cmap)
    )
    return scale, [
        to_hex(tuple(scale.to_rgba(np.array(value)))) if colour else NEUTRAL
        for value, colour in zip(triangle.values, coloured, strict=True)
    ]


def _draw_cells(ax: Axes, triangle: Triangle, grid: _Grid, colours: Sequence[str]) -> None:
    """Draw the cells, hatch those that are not complete, and write their values."""
    half = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    corners = [[(x + dx, y + dy) for dx, dy in half] for x, y in triangle.places]
    line = min(1.2, 0.05 * grid.height)
    cells = PolyCollection(
        corners, facecolors=colours, edgecolors=ax.get_facecolor(), linewidths=line, gid="cells"
    )
    ax.add_collection(cells, autolim=False)
    for (x, y), complete, colour in zip(triangle.places, triangle.complete, colours, strict=True):
        if not complete:  # a little smaller than the cell: the hatching keeps off its border
            corner, side = (x - 0.47, y - 0.47), 0.94
            ax.add_patch(Rectangle(corner, side, side, **_hatching(colour), gid="incomplete"))
    if grid.font:
        _write_cells(ax, triangle, grid, colours)


def _hatching(colour: str) -> dict[str, Any]:
    """Style of a hatching half-way between a colour and its text, so that it shows on any."""
    mixed = ((own + ink) / 2 for own, ink in zip(rgb(colour), rgb(ink_on(colour)), strict=True))
    return {"facecolor": "none", "edgecolor": tuple(mixed), "hatch": HATCH, "linewidth": 0}


def _write_cells(ax: Axes, triangle: Triangle, grid: _Grid, colours: Sequence[str]) -> None:
    style: dict[str, Any] = {
        "ha": "center",
        "va": "center_baseline",
        "fontsize": grid.font,
        "gid": "cell",
    }
    cells = zip(triangle.places, triangle.texts, triangle.complete, colours, strict=True)
    for (x, y), text, complete, colour in cells:
        # A rim in the colour of the cell keeps the hatching off the digits.
        rim = [] if complete else [withStroke(linewidth=3, foreground=colour)]
        ax.text(x, y, text, color=ink_on(colour), path_effects=rim, **style)


def _draw_labels(ax: Axes, triangle: Triangle, grid: _Grid, title: str) -> None:
    """Label ages above, cohorts and their sizes at the left; leave out what would overlap."""
    rows, columns = len(triangle.cohorts), len(triangle.ages)
    ax.set_xlim(grid.left, max(1, columns) - 0.5)
    ax.set_ylim(max(1, rows) - 0.5, -0.5)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=grid.label, pad=4)
    ax.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False)

    across = math.ceil((text_width(triangle.ages) * grid.label + GAP) / grid.width)
    ax.set_xticks(range(0, columns, across), triangle.ages[::across])
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(title, fontsize=TEXT, loc="left", labelpad=5)
    ax.xaxis.label.set_x(_first_column(ax))

    down = math.ceil(1.25 * grid.label / grid.height)
    ax.set_yticks(range(0, rows, down), triangle.cohorts[::down])
    beside = -0.5 - GAP / grid.width
    style: dict[str, Any] = {"ha": "right", "fontsize": grid.label}
    for y in range(0, rows, down):
        ax.text(beside, y, triangle.sizes[y], va="center_baseline", gid="size", **style)
    _draw_headers(ax, beside if any(triangle.sizes) else None, grid)


def _draw_headers(ax: Axes, beside: float | None, grid: _Grid) -> None:
    """Write the headers of the columns of labels, on the line of the ages."""
    above = ScaledTranslation(-4 / POINTS, 4 / POINTS, ax.figure.dpi_scale_trans)
    style: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": grid.label}
    ax.set_ylabel("Cohort", rotation=0, **style)
    ax.yaxis.set_label_coords(0, 1, transform=ax.transAxes + above)
    if beside is None:
        return
    place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points"}
    ax.annotate("Customers", (beside, -0.5), **place, **style, annotation_clip=False)


def _draw_heatmap_notes(ax: Axes, triangle: Triangle, grid: _Grid) -> None:
    """Explain beneath the cells what is hatched and what is not drawn."""
    notes = triangle.notes()
    room = (ax.get_xlim()[1] + 0.5) * grid.width - 30
    keys = {HATCHED: Patch(**_hatching(RAMP[1]) | {"facecolor": RAMP[1]})}
    blank = Patch(facecolor="none", linewidth=0)
    handles = [keys.get(note, blank) for note in notes]
    texts = [fill(note, max(28, int(room / (0.56 * 8)))) for note in notes]
    style: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (_first_column(ax), 0)}
    style |= {"borderpad": 0, "borderaxespad": 0.8, "handlelength": 0, "handletextpad": 0}
    if HATCHED in notes:
        style |= {"handlelength": 1.8, "handletextpad": 0.8}
    draw_legend(ax, handles, texts, size=8, style=style)


def _first_column(ax: Axes) -> float:
    """Return where the first column of cells begins, as a fraction of the axes."""
    left, right = ax.get_xlim()
    return (-0.5 - left) / (right - left)


def _draw_colour_bar(ax: Axes, scale: ScalarMappable, *, rates: bool) -> None:
    """Draw a colour bar at the right, without taking room from the axes."""
    bar = ax.figure.colorbar(
        scale, cax=ax.inset_axes((1.02, 0, 0.02, 1)), format=percent() if rates else None
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=SMALL)
