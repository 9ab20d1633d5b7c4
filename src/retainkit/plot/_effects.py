"""Picture of the effects of covariates: ratios with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from retainkit.plot._axes import ABOVE, draw_legend, measure, scale_ratios, subplots
from retainkit.plot._reading import Columns, as_floats, read_result_columns
from retainkit.plot._style import BLACK, PALETTE, QUIET, SMALL, TEXT, tone
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame

COLOURS = {"purchase": PALETTE[0], "dropout": PALETTE[1], "spend": PALETTE[2]}
MARKS = {"purchase": "o", "dropout": "s", "spend": "D"}
_NEEDED = ("process", "covariate", "level", "reference", "ratio", "ratio_lower", "ratio_upper")
_MOST = 1e3  # ratios beyond which a picture shows no more of an interval


def effects(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw what covariates do: the ratio of each effect with its interval, and a line at 1.

    >>> from retainkit import datasets, fit_bg_nbd, plot, rfm_summary
    >>> orders = datasets.load_cdnow(sample=True)
    >>> summary = rfm_summary(orders, amount="amount", keep_first="amount")
    >>> ax = plot.effects(fit_bg_nbd(summary, purchase_covariates="first_amount").effects())

    The axis is logarithmic, so that twice and half as high are equally far from the line at 1,
    where there is no effect. The effects are drawn from the top as the rows come, those of a
    process in one colour. One that is not identified is a mark without an interval.

    Parameters
    ----------
    table : IntoDataFrame
        What ``effects()`` of a model gives, or several such tables below each other: pandas, Polars
        or PyArrow.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the ratio, and the effects are at y = 0, 1, ... from the top.

    Raises
    ------
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import effects
    >>> table = pd.DataFrame({
    ...     "process": ["purchase", "spend"], "covariate": "channel", "level": "shop",
    ...     "reference": "web", "ratio": [1.7, 0.9], "ratio_lower": [1.4, 0.7],
    ...     "ratio_upper": [2.0, 1.1],
    ... })
    >>> ax = effects(table, ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['channel: shop against web', 'channel: shop against web']
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['purchase', 'spend']
    """
    data, _ = read_result_columns(table, "table", _NEEDED[:1], _NEEDED, made_by=["effects"])
    kinds = [str(one) for one in data["process"]]
    ax = subplots(7.0, 1.4 + 0.32 * max(len(kinds), 2)) if ax is None else ax
    ax, width, height = measure(ax)
    size = TEXT if width > 280 and height > 15 * len(kinds) else SMALL
    if kinds:
        _draw_ratios(ax, data, kinds)
        ax.set_yticks(range(len(kinds)), _labels(data, width), fontsize=size, parse_math=False)
        ax.set_ylim(len(kinds) - 0.4, -0.6)
    shown = [kind for kind in MARKS if kind in kinds]
    if len(shown) > 1:
        style = {**ABOVE, "ncols": len(shown), "handletextpad": 0.4, "columnspacing": 1.2}
        draw_legend(ax, [_mark(kind) for kind in shown], size=size, style=style)
    of = f" of {shown[0]}" if len(shown) == 1 else ""
    label = f"Ratio{of} with interval: times as high as that of the reference"
    scale_ratios(ax, size)
    room = measure(ax)[1]  # what the names leave
    ax.set_xlabel(fill(label, max(20, int(room / (0.54 * size)))), fontsize=size)
    return ax


def _draw_ratios(ax: Axes, data: Columns, kinds: Sequence[str]) -> None:
    ax.axvline(1, color=tone(ax, QUIET), linewidth=1, zorder=1, gid="none")
    ratio, low, high = (as_floats(data[name]) for name in _NEEDED[-3:])
    for y, kind in enumerate(kinds):
        middle = float(np.clip(ratio[y], 1 / _MOST, _MOST))
        if np.isfinite(low[y]) and np.isfinite(high[y]):
            ends = np.clip([low[y], high[y]], 1 / _MOST, _MOST)
            ax.hlines([y], *ends, color=tone(ax, BLACK), linewidth=1.3, gid="interval")
        style: dict[str, Any] = {"color": COLOURS.get(kind, PALETTE[0]), "markersize": 6}
        ax.plot([middle], [y], marker=MARKS.get(kind, "o"), gid=kind, zorder=3, **style)


def _labels(data: Columns, width: float) -> list[str]:
    """Return what is compared with what in each row."""
    most = max(10, int(width / 24))
    rows = zip(data["covariate"], data["level"], data["reference"], strict=True)
    return [
        f"{shorten(str(name), most)}: {shorten(str(level), most)} against "
        f"{shorten(str(reference), most)}"
        for name, level, reference in rows
    ]


def _mark(kind: str) -> Line2D:
    """Return the mark of a process, for the legend."""
    style: dict[str, Any] = {"linestyle": "", "color": COLOURS[kind], "marker": MARKS[kind]}
    return Line2D([], [], label=kind, **style)
