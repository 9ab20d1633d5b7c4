"""The heat map of a cohort triangle: its cells in words, and how they are drawn."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import compress
from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._reading import age_labels, check_once, numbers, read, segment_labels
from retainkit.plot._style import (
    DARK,
    DASH,
    GAP,
    LARGEST,
    LEAST,
    LIGHT,
    POINTS,
    SMALL,
    TEXT,
    _rgb,
    contrast,
    in_percent,
    percent,
    subplots,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from narwhals.stable.v2.typing import IntoDataFrame

    from retainkit.plot._reading import Columns

WHOLE = ("retention", "nrr", "grr")  # rates that may be 1 at age 0 by definition
RATES = (*WHOLE, "lower", "upper")

# Even steps of lightness in OKLab, from pale cyan to navy; white stays for "not observed".
RAMP = ("#e0f5f7", "#a3d8e6", "#6bb7d7", "#4594c3", "#2d70ab", "#234d8e", "#1e2b6a")
NEUTRAL = "#ececec"
HATCHED = "Hatched: not every customer of the cohort has been observed to the end of this age."


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """The cells of a heat map, with everything already worded.

    `places` holds the column and row of each cell. `trivial` says that the first column is
    100 % by definition. `left_out` counts the cohorts after the last one with customers.
    """

    cohorts: list[str]
    sizes: list[str]
    ages: list[str]
    places: list[tuple[int, int]]
    values: list[float]
    texts: list[str]
    complete: list[bool]
    trivial: bool
    left_out: int

    def notes(self) -> list[str]:
        """Say what needs a word beneath the picture; the hatching comes first."""
        hatched = [] if all(self.complete) else [HATCHED]
        which = "cohort" if self.left_out == 1 else f"{self.left_out} cohorts"
        return hatched + [f"Not drawn: the last {which}, without customers."] * bool(self.left_out)

    def in_colour(self) -> list[bool]:
        """Tell the cells that have a colour from those that are grey."""
        return [
            not (math.isnan(value) or (self.trivial and x == 0))
            for value, (x, _) in zip(self.values, self.places, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Sizes in points: a cell, the text in it (0: no room), the labels, the column of sizes."""

    width: float
    height: float
    font: float
    label: float
    margin: float

    @property
    def left(self) -> float:
        """Left edge of the column of cohort sizes, in units of the x axis."""
        return -0.5 - self.margin / self.width


# Words


def triangle_of(table: IntoDataFrame, values: str, cohort_format: str | None) -> Triangle:
    """Read the cells of one segment."""
    needed = dict.fromkeys(["cohort", "age", "customers", "complete", values])
    data, names = read(table, "table", "cohort", list(needed))
    _check_one_segment(data, names)
    if not all(isinstance(cohort, dt.date) for cohort in data["cohort"]):
        raise ColumnTypeError("column 'cohort' of `table` must hold dates, without nulls.")
    check_once("table", list(zip(data["cohort"], data["age"], strict=True)), "cohort and age")
    data, left_out = _without_empty_end(data)
    plain = numbers(data[values])
    ages = age_labels(data)
    cohorts = dict(sorted(zip(data["cohort"], data["customers"], strict=True)))
    columns = {age: x for x, age in enumerate(ages)}
    rows = {cohort: y for y, cohort in enumerate(cohorts)}
    places = [(columns[a], rows[c]) for a, c in zip(data["age"], data["cohort"], strict=True)]
    trivial = values in WHOLE and _is_trivial(columns, plain, data["age"])
    rest = [v for v, (x, _) in zip(plain, places, strict=True) if x > 0 or not trivial]
    return Triangle(
        cohorts=_cohort_labels(list(cohorts), cohort_format),
        sizes=[f"{int(size):,}" for size in cohorts.values()],
        ages=list(ages.values()),
        places=places,
        values=plain,
        texts=_percents(plain, rest) if values in RATES else _counts(plain),
        complete=[bool(complete) for complete in data["complete"]],
        trivial=trivial,
        left_out=left_out,
    )


def _without_empty_end(data: Columns) -> tuple[Columns, int]:
    """Leave out the cohorts after the last one with customers, and count them."""
    sizes = dict(zip(data["cohort"], data["customers"], strict=True))
    filled = [cohort for cohort, size in sizes.items() if size]
    kept = [bool(filled) and cohort <= max(filled) for cohort in data["cohort"]]
    left_out = len(sizes) - len(set(compress(data["cohort"], kept)))
    return {name: list(compress(values, kept)) for name, values in data.items()}, left_out


def _check_one_segment(data: Columns, names: Sequence[str]) -> None:
    found = list(dict.fromkeys(segment_labels(data, names)))
    if len(found) > 1:
        shown = ", ".join(map(repr, found[:8])) + (", ..." if len(found) > 8 else "")
        raise ArgumentError(
            f"`table` holds {len(found)} segments of {', '.join(map(repr, names))}: {shown}. "
            "A heat map shows one; filter the table to one segment first."
        )


def _is_trivial(columns: dict[int, int], rates: list[float], ages: list[int]) -> bool:
    """Say whether age 0 is 100 % wherever there are customers, and not all there is."""
    start = [rate for rate, age in zip(rates, ages, strict=True) if age == 0]
    known = [rate for rate in start if not math.isnan(rate)]
    return len(columns) > 1 and bool(known) and all(rate == 1 for rate in known)


def _cohort_labels(cohorts: Sequence[dt.date], style: str | None) -> list[str]:
    """Label a month by year and month; one cohort alone does not show what its period is."""
    if style is None:
        months = len(cohorts) > 1 and all(cohort.day == 1 for cohort in cohorts)
        style = "%Y-%m" if months else "%Y-%m-%d"
    return [cohort.strftime(style) for cohort in cohorts]


def _percents(values: Sequence[float], rest: Sequence[float]) -> list[str]:
    """Word rates; with a decimal where most of those that are not trivial are small."""
    known = [value for value in rest if not math.isnan(value)]
    decimals = 1 if known and median(known) < 0.1 else 0
    return [in_percent(value, decimals) for value in values]


def _counts(values: Sequence[float]) -> list[str]:
    known = [value for value in values if not math.isnan(value)]
    whole = all(value.is_integer() or abs(value) >= 100 for value in known)
    return [DASH if math.isnan(value) else f"{value:,.{0 if whole else 2}f}" for value in values]


# Sizes


def _width(texts: Iterable[str]) -> float:
    """Measure the widest text, in units of the size of the font."""
    longest = sorted({text for text in texts if text}, key=len)[-3:]
    return max((TextPath((0, 0), text, size=1).get_extents().x1 for text in longest), default=1)


def _margin(triangle: Triangle) -> float:
    return _width([*triangle.sizes, "Customers"]) * TEXT + 2 * GAP


def new_axes(triangle: Triangle) -> tuple[Axes, float, float]:
    """Make a figure in which every cell has room for its text, unless it would be huge.

    Returns the axes with their width and height in points once the layout is done.
    """
    rows, columns = max(1, len(triangle.cohorts)), max(1, len(triangle.ages))
    cell = max(28.0, _width(triangle.texts) * TEXT + 8)
    beside = _width(triangle.cohorts) * TEXT + 4 * GAP
    notes = len(triangle.notes())
    beneath = 44.0 + 13.0 * notes + (13.0 if notes else 0.0)
    width = beside + _margin(triangle) + max(260.0, columns * cell)
    height = beneath + rows * (22.0 if rows <= 24 else 18.0)
    width, height = min(LARGEST, width), min(LARGEST, height)
    ax = subplots(width / POINTS, height / POINTS)
    return ax, width - beside, height - beneath


def grid_of(triangle: Triangle, width: float, height: float) -> Grid:
    """Fit cells and text to the space there is."""
    margin = _margin(triangle)
    cell = max(1.0, width - margin) / max(1, len(triangle.ages))
    row = height / max(1, len(triangle.cohorts))
    font = min(TEXT, 0.66 * row, (cell - 4) / _width(triangle.texts))
    label = max(SMALL, min(TEXT, 0.66 * row))
    font = font if font >= LEAST else 0.0
    return Grid(width=cell, height=row, font=font, label=label, margin=margin)


# Drawing


def colours_of(
    triangle: Triangle, cmap: str | Colormap | None, vmin: float | None, vmax: float | None
) -> tuple[ScalarMappable, list[str]]:
    """Give every cell its colour, and the scale that the colour bar shows."""
    coloured = triangle.in_colour()
    values = [value for value, colour in zip(triangle.values, coloured, strict=True) if colour]
    low = min([0.0, *values]) if vmin is None else vmin
    high = max([low, *values]) if vmax is None else vmax
    scale = ScalarMappable(
        norm=Normalize(low, high if high > low else low + 1),
        cmap=LinearSegmentedColormap.from_list("retention", RAMP) if cmap is None else cmap,
    )
    return scale, [
        to_hex(tuple(scale.to_rgba(np.array(value)))) if colour else NEUTRAL
        for value, colour in zip(triangle.values, coloured, strict=True)
    ]


def draw_cells(ax: Axes, triangle: Triangle, grid: Grid, colours: Sequence[str]) -> None:
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
    """Hatch half-way between the colour and its text, so that it shows on any colour."""
    mixed = ((own + ink) / 2 for own, ink in zip(_rgb(colour), _rgb(_ink(colour)), strict=True))
    return {"facecolor": "none", "edgecolor": tuple(mixed), "hatch": "////", "linewidth": 0}


def _write_cells(ax: Axes, triangle: Triangle, grid: Grid, colours: Sequence[str]) -> None:
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
        ax.text(x, y, text, color=_ink(colour), path_effects=rim, **style)


def _ink(colour: str) -> str:
    """Choose the text that stands out more from a colour."""
    return max(DARK, LIGHT, key=lambda ink: contrast(ink, colour))


def draw_labels(ax: Axes, triangle: Triangle, grid: Grid, title: str) -> None:
    """Label ages above, cohorts and their sizes at the left; leave out what would overlap."""
    rows, columns = len(triangle.cohorts), len(triangle.ages)
    ax.set_xlim(grid.left, max(1, columns) - 0.5)
    ax.set_ylim(max(1, rows) - 0.5, -0.5)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=grid.label, pad=4)
    ax.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False)

    across = math.ceil((_width(triangle.ages) * grid.label + GAP) / grid.width)
    ax.set_xticks(range(0, columns, across), triangle.ages[::across])
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(title, fontsize=TEXT, loc="left", labelpad=5)
    ax.xaxis.label.set_x(_fraction(ax))

    down = math.ceil(1.25 * grid.label / grid.height)
    ax.set_yticks(range(0, rows, down), triangle.cohorts[::down])
    beside = -0.5 - GAP / grid.width
    style: dict[str, Any] = {"ha": "right", "fontsize": grid.label}
    for y in range(0, rows, down):
        ax.text(beside, y, triangle.sizes[y], va="center_baseline", gid="size", **style)
    _draw_headers(ax, beside, grid)


def _draw_headers(ax: Axes, beside: float, grid: Grid) -> None:
    """Head the columns of labels, on the line of the ages."""
    above = ScaledTranslation(-4 / POINTS, 4 / POINTS, ax.figure.dpi_scale_trans)
    style: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": grid.label}
    ax.set_ylabel("Cohort", rotation=0, **style)
    ax.yaxis.set_label_coords(0, 1, transform=ax.transAxes + above)
    place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points"}
    ax.annotate("Customers", (beside, -0.5), **place, **style, annotation_clip=False)


def draw_notes(ax: Axes, triangle: Triangle, grid: Grid) -> None:
    """Explain beneath the cells what is hatched and what is not drawn."""
    notes = triangle.notes()
    room = (ax.get_xlim()[1] + 0.5) * grid.width - 30
    keys = {HATCHED: Patch(**_hatching(RAMP[1]) | {"facecolor": RAMP[1]})}
    blank = Patch(facecolor="none", linewidth=0)
    ax.legend(
        [keys.get(note, blank) for note in notes],
        [fill(note, max(28, int(room / (0.56 * 8)))) for note in notes],
        loc="upper left",
        bbox_to_anchor=(_fraction(ax), 0),
        frameon=False,
        fontsize=8,
        borderpad=0,
        borderaxespad=0.8,
        handlelength=1.8 if HATCHED in notes else 0,
        handletextpad=0.8 if HATCHED in notes else 0,
    )


def _fraction(ax: Axes) -> float:
    """Where the first column of cells begins, as a fraction of the axes."""
    left, right = ax.get_xlim()
    return (-0.5 - left) / (right - left)


def draw_scale(ax: Axes, scale: ScalarMappable, *, rates: bool) -> None:
    """Draw a colour bar at the right, without taking room from the axes."""
    bar = ax.figure.colorbar(
        scale, cax=ax.inset_axes((1.02, 0, 0.02, 1)), format=percent() if rates else None
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=SMALL)
