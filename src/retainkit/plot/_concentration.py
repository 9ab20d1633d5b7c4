"""Picture of how much of all value the best customers bring."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._typing import Floats
from retainkit.plot._axes import draw_legend, measure, percent, subplots, tidy
from retainkit.plot._reading import (
    Columns,
    as_floats,
    check_one_row_each,
    read_result_columns,
    rows_by_segment,
    segment_labels,
)
from retainkit.plot._style import MARKERS, PALETTE, QUIET, SMALL, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoDataFrame

_OWN = ("share_of_customers", "customers", "value", "share_of_value", "lower", "upper", "gini")
_NEEDED = ("share_of_customers", "share_of_value", "lower", "upper", "gini")


def value_concentration(
    table: IntoDataFrame, *, palette: Sequence[str] = PALETTE, ax: Axes | None = None
) -> Axes:
    """Draw the share of all value that the best customers bring: the Lorenz curve from the top.

    >>> from retainkit import datasets, plot
    >>> from retainkit import value_concentration
    >>> table = value_concentration(datasets.load_cdnow(sample=True), draws=100, seed=1)
    >>> ax = plot.value_concentration(table)

    A dot with its interval for each share of customers, joined by a line for each segment; if all
    had the same value, it would run along the dashes. The legend has the Gini coefficient.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.value_concentration`: pandas, Polars or PyArrow. More `shares` make a
        smoother line.
    palette : sequence of str, optional
        Colours of the lines in turn; by default safe for all kinds of colour vision.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the share of the customers, the most valuable first, and y that of
        their value, from 0 to 1.

    Raises
    ------
    MissingColumnError
        If a column is not in the table.
    ArgumentTypeError
        If an argument is of the wrong type.
    ArgumentError
        If a share of customers is there twice in a segment.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Between two dots the true curve lies above the line that joins them: it bends downwards.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit import plot, value_concentration
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 3, 4], "amount": [70, 20, 10, 0]})
    >>> table = value_concentration(orders, shares=[0.25, 0.5], seed=1)
    >>> ax = plot.value_concentration(table, ax=Figure().subplots())
    >>> ax.lines[1].get_xydata().tolist()
    [[0.0, 0.0], [0.25, 0.7], [0.5, 0.9], [1.0, 1.0]]
    """
    data, names = read_result_columns(
        table, "table", _OWN, _NEEDED, made_by=["value_concentration"]
    )
    labels = segment_labels(data, names)
    keys = [*zip(labels, data["share_of_customers"], strict=True)]
    check_one_row_each("table", keys, "shares of customers and segments")
    ax, width, _ = measure(subplots(5.6, 4.6) if ax is None else ax)
    style: dict[str, Any] = {"color": tone(ax, QUIET), "linewidth": 0.8, "gid": "equal"}
    ax.plot([0, 1], [0, 1], linestyle=(0, (4, 3)), **style)
    along: dict[str, Any] = {"rotation": 45, "transform_rotates_text": True}
    along |= {"ha": "center", "va": "top", "rotation_mode": "anchor", "fontsize": SMALL + 1}
    ax.text(0.74, 0.72, "equal shares", color=legible(ax, QUIET), **along)
    handles = [
        _draw_segment(ax, _columns_of(data, rows), label, colour, mark)
        for (label, rows), colour, mark in zip(
            rows_by_segment(labels, data["share_of_customers"]).items(),
            cycle(palette),
            cycle(MARKERS),
            strict=False,
        )
    ]
    ax.set_xlabel("Customers, the most valuable first")
    ax.set_ylabel("Share of all value")
    tidy(ax)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent())
    if handles:
        draw_legend(ax, handles, size=SMALL + (width > 220), style={"loc": "lower right"})
    return ax


def _columns_of(data: Columns, rows: Sequence[int]) -> list[Floats]:
    """Return the columns of some rows as arrays."""
    return [np.array(as_floats([data[name][row] for row in rows])) for name in _NEEDED]


def _draw_segment(ax: Axes, columns: Sequence[Floats], label: str, colour: str, mark: str) -> Any:
    """Draw the line and the intervals of a segment; returns what the legend shows."""
    share, held, lower, upper, gini = columns
    known = ~np.isnan(held)
    share, held, lower, upper = (one[known] for one in (share, held, lower, upper))
    ends = [] if share.size and share[-1] == 1 else [1.0]
    if not share.size:
        ends = [np.nan]
    x, y = (np.concatenate([[0.0], one, ends]) for one in (share, held))
    text = f"Gini {gini[0]:.2f}" if not np.isnan(gini[0]) else "no value"
    (line,) = ax.plot(
        x, y, color=colour, linewidth=1.8, label=f"{label}, {text}".removeprefix(", "), gid="shares"
    )
    away = np.nan_to_num(np.abs(np.stack([held - lower, upper - held])))
    style: dict[str, Any] = {"color": colour, "markersize": 4, "elinewidth": 1.2, "clip_on": False}
    ax.errorbar(share, held, away, fmt=mark, **style)
    if _has_room_for_numbers(ax) and label == "":
        for one, other in zip(share, held, strict=True):
            if one < 1:
                place: dict[str, Any] = {"xytext": (6, -9), "textcoords": "offset points"}
                place |= {"fontsize": SMALL + 1, "color": legible(ax, colour)}
                ax.annotate(in_percent(float(other)), (one, other), **place)
    return line


def _has_room_for_numbers(ax: Axes) -> bool:
    """Return whether numbers beside the dots can be told apart."""
    return bool(ax.bbox.width / ax.figure.dpi > 3)
