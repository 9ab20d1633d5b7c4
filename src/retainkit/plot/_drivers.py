"""Picture of key drivers: the part of the differences in a score that goes with each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from retainkit.plot._axes import ABOVE, draw_legend, measure, percent, subplots, tidy
from retainkit.plot._reading import (
    Columns,
    as_floats,
    check_one_row_each,
    check_one_segment,
    read_result_columns,
)
from retainkit.plot._style import BLACK, HATCH, PALETTE, QUIET, SMALL, TEXT, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoDataFrame

UP, DOWN, FLIP = "up", "down", "flip"
STYLES: dict[str, dict[str, Any]] = {
    UP: {"facecolor": PALETTE[0]},
    DOWN: {"facecolor": PALETTE[1]},
    FLIP: {"facecolor": "#a9a9a9", "edgecolor": "white", "hatch": HATCH},
}
LABELS = {UP: "goes with a higher outcome", DOWN: "goes with a lower outcome", FLIP: "sign flips"}
FLIPPED = (
    "Sign flips: alone it goes one way with the outcome, beside the other drivers the other way. "
    "Read no direction off it."
)
_NEEDED = ("driver", "n", "importance", "lower", "upper", "correlation", "sign_flip", "r_squared")


def key_drivers(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the importance of each driver with its interval, the most important on top.

    >>> from retainkit import datasets, key_drivers, plot
    >>> answers = datasets.make_survey(300, seed=1).dropna(subset="score")
    >>> names = ["product", "support", "price", "design"]
    >>> ax = plot.key_drivers(key_drivers(answers, outcome="score", drivers=names, seed=1))

    The colour shows whether a driver goes with a higher outcome or with a lower one; where all
    drivers go with a higher one there is no legend. Where the sign flips beside the other drivers,
    the bar is grey and hatched, and a sentence beneath says what that means.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.key_drivers` for one segment: pandas, Polars or PyArrow.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the importance, a fraction of the variance of the outcome, and the
        drivers are at y = 0, 1, ... from the top. A driver whose importance is NaN has no bar.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a driver.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Importance is not effect: see `retainkit.key_drivers`.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import key_drivers
    >>> table = pd.DataFrame({
    ...     "driver": ["service", "wait"], "n": 200, "importance": [0.3, 0.12],
    ...     "lower": [0.22, 0.07], "upper": [0.38, 0.18], "correlation": [0.6, -0.4],
    ...     "sign_flip": False, "r_squared": 0.42,
    ... })
    >>> ax = key_drivers(table, ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['service', 'wait']
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['goes with a higher outcome', 'goes with a lower outcome']
    """
    data = _ranked_drivers(table)
    names = [str(name) for name in data["driver"]]
    directions = _directions(data)
    tall = 1.6 + 0.36 * max(len(names), 2) + 0.4 * (FLIP in directions)
    ax, width, height = measure(subplots(7.0, tall) if ax is None else ax)
    if names:
        _draw_importance(ax, data, directions)
        _draw_driver_names(ax, names, width, height)
        ax.set_ylim(len(names) - 0.4, -0.6)
    room = measure(ax)[1]  # what the names leave
    _draw_driver_legend(ax, directions, room)
    size = TEXT + 1 if width > 280 else SMALL
    ax.set_xlabel(_axis_label(data, directions, int(room / (0.54 * size))), fontsize=size)
    ax.tick_params(axis="x", labelsize=size)
    tidy(ax, "x")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(percent())
    return ax


def _ranked_drivers(table: IntoDataFrame) -> Columns:
    """Read one segment, the most important driver first."""
    data, segments = read_result_columns(
        table, "table", _NEEDED[:1], _NEEDED, made_by=["key_drivers"]
    )
    check_one_segment("table", data, segments)
    check_one_row_each("table", data["driver"], "drivers")
    importance = as_floats(data["importance"])
    last = [-1.0 if math.isnan(one) else one for one in importance]
    order = sorted(range(len(last)), key=lambda row: -last[row])
    return {name: [values[row] for row in order] for name, values in data.items()}


def _directions(data: Columns) -> list[str]:
    """Return the direction of each driver."""
    pairs = zip(as_floats(data["correlation"]), data["sign_flip"], strict=True)
    return [FLIP if flip else DOWN if correlation < 0 else UP for correlation, flip in pairs]


def _draw_importance(ax: Axes, data: Columns, directions: Sequence[str]) -> None:
    importance, lower, upper = (as_floats(data[name]) for name in ("importance", "lower", "upper"))
    for y, (value, low, high, kind) in enumerate(
        zip(importance, lower, upper, directions, strict=True)
    ):
        if math.isnan(value):
            style: dict[str, Any] = {"va": "center", "color": legible(ax, QUIET), "fontsize": TEXT}
            ax.text(0.01, y, "not known", transform=ax.get_yaxis_transform(), **style)
            continue
        ax.barh([y], [value], 0.66, gid=kind, zorder=2, linewidth=0, **STYLES[kind])
        if not math.isnan(low + high):
            ax.hlines(
                [y], [low], [high], color=tone(ax, BLACK), linewidth=1.3, zorder=3, gid="interval"
            )


def _draw_driver_names(ax: Axes, names: Sequence[str], width: float, height: float) -> None:
    """Name the drivers beside their bars, in smaller letters where there is little room."""
    most = max(12, int(width / 14))
    labels = [fill(name, most, break_long_words=False) for name in names]
    lines = sum(1 + label.count("\n") for label in labels)
    size = TEXT + 1 if height > 14 * lines and width > 280 else SMALL
    ax.set_yticks(range(len(names)), labels, fontsize=size, parse_math=False)


def _draw_driver_legend(ax: Axes, directions: Sequence[str], room: float) -> None:
    """Name the colours above the axes, unless all bars are of the plain one."""
    shown = [kind for kind in STYLES if kind in directions]
    needed = sum(72 if kind == FLIP else 148 for kind in shown)
    if shown in ([], [UP]):
        return
    handles = [Patch(label=LABELS[kind], linewidth=0, **STYLES[kind]) for kind in shown]
    style = {**ABOVE, "ncols": len(shown) if room > needed else 1, "borderaxespad": 0.2}
    style |= {"handlelength": 1.2, "handletextpad": 0.5, "columnspacing": 1.2, "labelspacing": 0.25}
    draw_legend(ax, handles, size=TEXT if room > 200 else SMALL, style=style)


def _axis_label(data: Mapping[str, Sequence[Any]], directions: Sequence[str], letters: int) -> str:
    """Label of the axis: what it counts, of how many answers, and what a flip is."""
    lines = ["Importance with interval: part of the variance of the outcome"]
    if data["n"]:
        explained = in_percent(as_floats(data["r_squared"])[0])
        lines.append(f"All drivers together: R² = {explained}, n = {int(data['n'][0]):,}")
    if FLIP in directions:
        lines.append(FLIPPED)
    return "\n".join(fill(line, max(22, letters)) for line in lines)
