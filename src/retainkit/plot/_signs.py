"""Picture of warning signs: what customers do now beside what their own baseline lets expect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from retainkit._checks import integer
from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit._messages import count_noun
from retainkit.plot._axes import ABOVE, draw_legend, measure, subplots, tidy
from retainkit.plot._reading import as_floats, columns_as_lists, segment_labels
from retainkit.plot._style import PALETTE, QUIET, SLATE, SMALL, TEXT, legible, tone
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame

EXPECTED, DOWN, UNSURE = "expected", "down", "unsure"
LABELS = {
    EXPECTED: "expected by their own baseline",
    DOWN: "recent: usage down",
    UNSURE: "recent: may be chance",
}
_OWN = ("baseline_active", "recent_active", "expected", "p_value", "p_adjusted")
_NEEDED = (*_OWN, "reasons", "judged")
_MADE_BY = ("warning_signs",)


def warning_signs(table: IntoDataFrame, *, most: int = 15, ax: Axes | None = None) -> Axes:
    """Draw the customers whose usage has fallen most certainly: own baseline, recent, p.

    >>> from retainkit import datasets, plot, warning_signs
    >>> signs = warning_signs(datasets.make_events(4_000, seed=7), adjust="none")
    >>> ax = plot.warning_signs(signs, most=8)

    A ring is what the customer's own baseline lets expect of the recent window, a dot what came.
    The dot has a colour where usage is down by the adjusted p-value, which stands at the right. The
    smallest p-value is on top; customers who were not judged are not drawn.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.warning_signs`: pandas, Polars or PyArrow.
    most : int, default 15
        Number of customers that are drawn, 1 or more.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the number of active units in the recent window, and the customers
        are at y = 0, 1, ... from the top.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If `most` is not a whole number of 1 or more.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import warning_signs
    >>> table = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "baseline_active": [30, 60], "recent_active": [8, 2],
    ...     "expected": [10.0, 20.0], "p_value": [0.29, 1e-7], "p_adjusted": [0.29, 2e-7],
    ...     "reasons": ["", "usage down"], "judged": True,
    ... })
    >>> ax = warning_signs(table, ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['bob', 'ann']
    """
    rows, judged = _least_p_values(table, integer("most", most, 1))
    names, count = rows["name"], len(rows["name"])
    ax, width, _ = measure(subplots(7.0, 1.7 + 0.3 * max(count, 3)) if ax is None else ax)
    size = TEXT if width > 280 else SMALL
    kinds = [DOWN if text.startswith("usage down") else UNSURE for text in rows["reasons"]]
    if names:
        _draw_customers(ax, rows, kinds)
        _draw_p_values(ax, as_floats(rows["p_adjusted"]), size)
        labels = [shorten(name, max(10, int(width / 16))) for name in names]
        ax.set_yticks(range(count), labels, fontsize=size, parse_math=False)
        ax.set_ylim(count - 0.4, -0.6)
    else:
        style: dict[str, Any] = {"ha": "center", "color": legible(ax, QUIET), "fontsize": TEXT}
        ax.text(0.5, 0.5, "nobody was judged", transform=ax.transAxes, **style)
        ax.set_yticks([])
    room = measure(ax)[1]
    _draw_legend(ax, [EXPECTED, *(kind for kind in (DOWN, UNSURE) if kind in kinds)], room)
    whose = f"{count:,} of {count_noun(judged, 'customer')} judged, the smallest p-values"
    texts = ["Active days, weeks or events in the recent window", whose]
    letters = max(22, int(room / (0.52 * size)))
    ax.set_xlabel("\n".join(fill(text, letters) for text in texts), fontsize=size)
    ax.tick_params(axis="x", labelsize=size)
    tidy(ax, "x")
    ax.set_xlim(left=-0.02 * ax.get_xlim()[1])
    return ax


def _least_p_values(table: IntoDataFrame, most: int) -> tuple[Mapping[str, list[Any]], int]:
    """Read the judged customers with the smallest p-values, and count all who are judged."""
    frame = read_result(table, argument="table", columns=_NEEDED, made_by=_MADE_BY)
    keys = segment_columns(frame, _OWN)
    judged = frame.filter(frame["judged"])
    some = judged.sort("p_value", *reversed(keys)).head(most)
    data = dict(columns_as_lists(some, [*keys, *_NEEDED]))
    return data | {"name": segment_labels(data, keys)}, len(judged)


def _draw_customers(ax: Axes, rows: Mapping[str, list[Any]], kinds: Sequence[str]) -> None:
    """Draw a ring, a dot and the line between them for each customer."""
    expected, recent = as_floats(rows["expected"]), as_floats(rows["recent_active"])
    colours = {DOWN: PALETTE[1], UNSURE: tone(ax, QUIET)}
    pairs = zip(expected, recent, kinds, strict=True)
    for y, (usual, now, kind) in enumerate(pairs):
        ax.hlines([y], [now], [usual], color=colours[kind], linewidth=1.6, zorder=2, gid="change")
        mark: dict[str, Any] = {"marker": "o", "markersize": 7, "linestyle": ""}
        ring: dict[str, Any] = {
            "markerfacecolor": ax.get_facecolor(),
            "markeredgewidth": 1.4,
            "gid": EXPECTED,
        }
        ax.plot([usual], [y], color=tone(ax, SLATE), zorder=3, **mark, **ring)
        ax.plot([now], [y], color=colours[kind], zorder=4, gid=kind, **mark)


def _draw_p_values(ax: Axes, p_values: Sequence[float], size: float) -> None:
    """Write the adjusted p-values beside the axes."""
    style: dict[str, Any] = {"fontsize": size, "va": "center", "color": legible(ax, SLATE)}
    place = ax.get_yaxis_transform()
    ax.text(1.02, -0.85, "p, adjusted", transform=place, gid="title", **style)
    for y, p_value in enumerate(p_values):
        ax.text(1.02, y, _p_text(p_value), transform=place, gid="p", **style)


def _p_text(p_value: float) -> str:
    """Write a p-value with three decimals, none of them as 0."""
    if math.isnan(p_value):
        return ""
    return "<0.001" if p_value < 0.0005 else f"{p_value:.3f}"


def _draw_legend(ax: Axes, kinds: Sequence[str], room: float) -> None:
    """Name the marks above the axes."""
    colours = {DOWN: PALETTE[1], UNSURE: tone(ax, QUIET), EXPECTED: tone(ax, SLATE)}
    handles = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=6,
            color=colours[kind],
            markerfacecolor=ax.get_facecolor() if kind == EXPECTED else colours[kind],
            label=LABELS[kind],
        )
        for kind in kinds
    ]
    style = {**ABOVE, "ncols": len(kinds) if room > 140 * len(kinds) else 1, "borderaxespad": 0.9}
    style |= {"handlelength": 1.0, "handletextpad": 0.3, "columnspacing": 1.0, "labelspacing": 0.25}
    draw_legend(ax, handles, size=TEXT if room > 200 else SMALL, style=style)
