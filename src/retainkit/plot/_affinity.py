"""Picture of items that go together: the lift of each pair with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from retainkit._checks import integer
from retainkit.plot._axes import ABOVE, draw_legend, measure, scale_ratios, subplots
from retainkit.plot._reading import (
    Columns,
    as_floats,
    check_one_row_each,
    check_one_segment,
    read_result_columns,
)
from retainkit.plot._style import BLACK, PALETTE, QUIET, SMALL, TEXT, legible, tone
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame

OTHER, REPEAT = "other item", "bought again"
COLOURS = {OTHER: PALETTE[0], REPEAT: PALETTE[1]}
MARKS = {OTHER: "o", REPEAT: "s"}
ARROW = "\N{RIGHTWARDS ARROW}"
_NEEDED = ("item", "other", "n", "n_both", "lift", "lift_lower", "lift_upper", "repeat")


def affinity(table: IntoDataFrame, *, max_pairs: int = 12, ax: Axes | None = None) -> Axes:
    """Draw the lift of the pairs that are most certain, with intervals.

    >>> import pandas as pd
    >>> from retainkit import plot, product_affinity
    >>> lines = pd.DataFrame({"order_id": [1, 1, 2, 2, 3, 4, 5], "item": list("ababaab")})
    >>> ax = plot.affinity(product_affinity(lines, kind="basket", order="order_id", min_trials=2))

    The pair with the greatest ``lift_lower`` is on top: what is surely above chance, rather than
    what has the greatest lift. The axis is logarithmic, so that twice and half as often as by
    chance are equally far from the line at 1. An item that is bought again is a square of another
    colour, and the numbers on the right are hits of trials.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.product_affinity` for one segment: pandas, Polars or PyArrow.
    max_pairs : int, default 12
        Number of pairs that are drawn at most, the most certain ones.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the lift, and the pairs are at y = 0, 1, ... from the top.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a pair; if `max_pairs` is below 1.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Of a basket both directions are there, with the same lift: that from the item with more orders
    has the narrower interval.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import affinity
    >>> table = pd.DataFrame({
    ...     "item": ["coffee", "coffee"], "other": ["filters", "coffee"], "n": 90,
    ...     "n_both": [30, 40], "lift": [3.0, 1.6], "lift_lower": [2.2, 1.3],
    ...     "lift_upper": [3.9, 2.0], "repeat": [False, True],
    ... })
    >>> ax = affinity(table, ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['coffee → filters', 'coffee again']
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['other item', 'bought again']
    """
    integer("max_pairs", max_pairs, 1)
    data = _most_certain(table, max_pairs)
    kinds = [REPEAT if again else OTHER for again in data["repeat"]]
    ax = subplots(7.0, 1.4 + 0.32 * max(len(kinds), 2)) if ax is None else ax
    ax, width, height = measure(ax)
    size = TEXT if width > 280 and height > 15 * len(kinds) else SMALL
    if kinds:
        _draw_lifts(ax, data, kinds)
        _write_pairs(ax, data, size, most=max(12, int(width / 13)))
        ax.set_ylim(len(kinds) - 0.4, -0.6)
    shown = [kind for kind in MARKS if kind in kinds]
    if REPEAT in shown:
        marks = [_mark(kind) for kind in shown]
        style = {**ABOVE, "ncols": 2, "handletextpad": 0.4, "columnspacing": 1.2}
        draw_legend(ax, marks, size=size, style=style)
    ax.set_xlabel("Lift with interval: times as often as by chance", fontsize=size)
    scale_ratios(ax, size)
    return ax


def _most_certain(table: IntoDataFrame, max_pairs: int) -> Columns:
    """Read one segment, and keep so many pairs with the greatest lower limits."""
    data, segments = read_result_columns(
        table, "table", _NEEDED[:1], _NEEDED, made_by=["product_affinity"]
    )
    check_one_segment("table", data, segments)
    pairs = list(zip(data["item"], data["other"], strict=True))
    check_one_row_each("table", pairs, "pairs")
    lower = as_floats(data["lift_lower"])
    order = sorted(range(len(pairs)), key=lambda row: (-lower[row], *map(str, pairs[row])))
    return {name: [values[row] for row in order[:max_pairs]] for name, values in data.items()}


def _draw_lifts(ax: Axes, data: Columns, kinds: Sequence[str]) -> None:
    ax.axvline(1, color=tone(ax, QUIET), linewidth=1, zorder=1, gid="chance")
    columns = (as_floats(data[name]) for name in ("lift", "lift_lower", "lift_upper"))
    for y, (lift, low, high, kind) in enumerate(zip(*columns, kinds, strict=True)):
        ax.hlines([y], [low], [high], color=tone(ax, BLACK), linewidth=1.3, gid="interval")
        style: dict[str, Any] = {"color": COLOURS[kind], "markersize": 6, "zorder": 3}
        ax.plot([lift], [y], marker=MARKS[kind], gid=kind, **style)


def _write_pairs(ax: Axes, data: Columns, size: float, most: int) -> None:
    """Name each pair on the left, and its hits and trials on the right."""
    half = most // 2
    labels = [
        f"{shorten(str(item), most)} again"
        if again
        else f"{shorten(str(item), half)} {ARROW} {shorten(str(other), half)}"
        for item, other, again in zip(data["item"], data["other"], data["repeat"], strict=True)
    ]
    ax.set_yticks(range(len(labels)), labels, fontsize=size, parse_math=False)
    style: dict[str, Any] = {"va": "center", "color": legible(ax, QUIET), "fontsize": size}
    for y, (both, n) in enumerate(zip(data["n_both"], data["n"], strict=True)):
        text = f"{int(both):,} of {int(n):,}"
        ax.text(1.01, y, text, transform=ax.get_yaxis_transform(), gid="counts", **style)


def _mark(kind: str) -> Line2D:
    """Return the mark of a kind of pairs, for the legend."""
    style: dict[str, Any] = {"linestyle": "", "color": COLOURS[kind], "marker": MARKS[kind]}
    return Line2D([], [], label=kind, **style)
