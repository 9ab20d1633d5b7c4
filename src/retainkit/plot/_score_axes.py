"""Segments, scales, legends and counts of the pictures of scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._axes import ABOVE, BESIDE, draw_counts, draw_legend, has_room_beneath, percent
from retainkit.plot._reading import Columns
from retainkit.plot._style import GREY, QUIET, TEXT, legible, tone
from retainkit.plot._text import shorten, with_minus

LINE = 12.0  # points from a row of numbers to the next
MOST = 4  # rows of numbers beneath

# What a score is called, the ends of its scale, and the least that an axis shows of it.
_SCALES = {
    "nps": ("Net promoter score (NPS)", -100.0, 100.0, 20.0),
    "csat": ("Share of the satisfied (CSAT)", 0.0, 1.0, 0.1),
    "mean": ("Mean score", -math.inf, math.inf, 0.5),
}


def check_numeric(data: Columns, columns: Sequence[str], maker: str) -> None:
    """Check that columns hold numbers and nulls only."""
    for name in columns:
        wrong = [v for v in data[name] if v is not None and not _is_number(v)]
        if wrong:
            shown = ", ".join(map(repr, wrong[:3])) + (", ..." if len(wrong) > 3 else "")
            raise ColumnTypeError(
                f"column {name!r} of `table` holds {shown}; it must hold numbers, as the result of "
                f"{maker} does.",
                argument="table",
                column=name,
            )


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return not isinstance(value, str)


def at_places(places: Integers, values: Sequence[float], size: int) -> Floats:
    """Return an array with each value at its place, and NaN where there is none."""
    array = np.full(size, np.nan)
    array[places] = values
    return array


def constant_of(data: Columns, name: str) -> Any:
    """Return the one value of a column; None where there is none."""
    found = list(dict.fromkeys(data.get(name, [])))
    if len(found) > 1:
        raise ArgumentError(
            f"column {name!r} of `table` holds {len(found)} values, "
            f"{', '.join(map(repr, found[:8]))}, whose scores are not of a kind. Filter the table "
            "to one of them first.",
            code="several_values",
            argument="table",
            column=name,
        )
    return found[0] if found else None


# Scale


def draw_scale(ax: Axes, metric: str, values: Iterable[float]) -> str:
    """Show as much of the scale as the values need, in its unit, and return its name."""
    name, low, high, least = _SCALES.get(metric, ("Score", -math.inf, math.inf, 0.0))
    known = [value for value in values if math.isfinite(value)]
    if known:
        bottom, top = min(known), max(known)
        room = max(0.06 * (top - bottom), (least - (top - bottom)) / 2) or 1.0
        # Limits may lie beyond the scale; then they are shown there.
        bottom = max(min(low, bottom), bottom - room)
        top = min(max(high, top), top + room)
        ax.set_ylim(bottom, top)
    elif math.isfinite(low):
        bottom, top = low, high
        ax.set_ylim(low, high)
    else:
        bottom, top = ax.get_ylim()
    # Mark 0 of NPS, where promoters and detractors are as many.
    if metric == "nps" and bottom < 0 < top:
        ax.axhline(0, color=tone(ax, GREY), linewidth=0.9, zorder=1, gid="zero")
    ax.yaxis.set_major_formatter(percent() if metric == "csat" else lambda y, _: tick_text(y))
    return name


def tick_text(value: float) -> str:
    """Write a number at a tick without needless decimals."""
    return with_minus(f"{value:,.6g}")


def score_texts(values: Sequence[float], metric: str) -> list[str]:
    """Write scores or limits in the unit of their scale."""
    if metric == "csat":
        return [f"{100 * value:.1f}%" for value in values]
    decimals = 1 if metric == "nps" or max(map(abs, values)) >= 10 else 2
    return [with_minus(f"{value:,.{decimals}f}") for value in values]


def draw_nothing(ax: Axes, text: str) -> None:
    """Write that there is nothing to draw, without a scale that has nothing on it."""
    style: dict[str, Any] = {"color": legible(ax, QUIET), "gid": "empty"}
    ax.text(0.5, 0.5, text, ha="center", transform=ax.transAxes, **style)
    ax.set_xticks([])
    ax.set_yticks([])


# Counts beneath the axis, and the legend above


def draw_answer_counts(ax: Axes, height: float, rows: Sequence[tuple[str, str, Floats]]) -> float:
    """Write the numbers of answers beneath the ticks, a row for each (label, colour, counts).

    Return the points that they take: 0 where there is no room for them.
    """
    depth, needed = _tick_depth(ax), LINE * len(rows)
    if not 0 < len(rows) <= MOST or not has_room_beneath(ax, height, needed, depth, 110):
        return 0.0
    ticks = [round(tick) for tick in ax.get_xticks()]
    widest = max(len(_count_text(counts[ticks[0]])) for _, _, counts in rows)
    lines = [
        (
            shorten(label, 18),
            colour,
            {tick: _count_text(counts[tick]) for tick in ticks if not math.isnan(counts[tick])},
        )
        for label, colour, counts in rows
    ]
    left = 0.3 * (TEXT - 0.5) * widest + 7
    draw_counts(ax, lines, start=ticks[0], depth=depth, line=LINE, left=left, gid="n")
    return needed


def _tick_depth(ax: Axes) -> float:
    """Measure in points what the labels of the periods take."""
    labels = ax.get_xticklabels()
    lines = max((1 + label.get_text().count("\n") for label in labels), default=1)
    size = float(labels[0].get_fontsize()) if labels else TEXT
    return 8 + 1.25 * size * lines


def _count_text(number: float) -> str:
    """Write a count so that it is no wider than the label above it."""
    if math.isnan(number):
        return ""
    if number < 1e4:
        return f"{number:,.0f}"
    size, letter = (1e3, "k") if number < 999_500 else (1e6, "M")
    return f"{number / size:.3g}{letter}"


def draw_score_legend(
    ax: Axes,
    width: float,
    handles: Sequence[Any],
    labels: Sequence[str],
    *,
    title: str = "",
    beside: bool = False,
) -> None:
    """Explain lines and marks above the axes, in as many columns as fit, or at their right."""
    if not handles:
        return
    size = TEXT if width > 280 else TEXT - 1.5
    entry = (3.6 + 0.53 * max(map(len, labels))) * size
    style = {
        **(BESIDE if beside else ABOVE),
        "ncols": 1 if beside else max(1, min(len(handles), int(width / entry))),
        "borderaxespad": 0.3,
        "handlelength": 1.6,
        "handletextpad": 0.5,
        "columnspacing": 1.3,
        "labelspacing": 0.35,
    }
    draw_legend(ax, handles, labels, title=title, size=size, style=style)
