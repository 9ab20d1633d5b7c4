"""What the pictures of scores share: segments, places in time, scales in words, counts beneath."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._style import POINTS, QUIET, TEXT, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from narwhals.stable.v2.typing import IntoDataFrame

    from retainkit._typing import Floats, Integers
    from retainkit.plot._reading import Columns


MINUS = "\N{MINUS SIGN}"
LINE = 12.0  # points from a row of numbers to the next
MOST = 4  # rows of numbers beneath

# What a score is called, the ends of its scale, and the least that an axis shows of it.
_SCALES = {
    "nps": ("Net promoter score (NPS)", -100.0, 100.0, 20.0),
    "csat": ("Share of the satisfied (CSAT)", 0.0, 1.0, 0.1),
    "mean": ("Mean score", -math.inf, math.inf, 0.5),
}


def read_scores(
    table: IntoDataFrame, pivot: str, needed: Sequence[str], optional: Sequence[str] = ()
) -> tuple[Columns, list[str], list[str]]:
    """Take the columns as lists, null as None; the segment of each row; what tells segments apart.

    Columns left of `pivot` tell the segments, whatever they are called: surveys ask for the age.
    """
    frame = read_result(table, argument="table", columns=[pivot, *needed])
    names = segment_columns(frame, (pivot,))
    data: Columns = {}
    for name in dict.fromkeys([*names, pivot, *needed, *optional]):
        if name in frame.columns:
            nulls = frame[name].is_null().to_list()
            pairs = zip(frame[name].to_list(), nulls, strict=True)
            data[name] = [None if null else value for value, null in pairs]
    words = (["null" if v is None else f"{v}" for v in data[name]] for name in names)
    labels = [", ".join(row) for row in zip(*words, strict=True)] if names else [""] * len(frame)
    return data, labels, names


def check_numeric(data: Columns, columns: Sequence[str], maker: str) -> None:
    """Refuse columns that hold something else than numbers and nulls."""
    for name in columns:
        wrong = [v for v in data[name] if v is not None and not _is_number(v)]
        if wrong:
            shown = ", ".join(map(repr, wrong[:3])) + (", ..." if len(wrong) > 3 else "")
            raise ColumnTypeError(
                f"column {name!r} of `table` holds {shown}; it must hold numbers, as the result of "
                f"{maker} does."
            )


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return not isinstance(value, str)


def spread(places: Integers, values: Sequence[float], size: int) -> Floats:
    """Lay values out on all places; NaN where there is none."""
    laid = np.full(size, np.nan)
    laid[places] = values
    return laid


def constant_of(data: Columns, name: str) -> Any:
    """Give the one value of a column; None where there is none."""
    found = list(dict.fromkeys(data.get(name, [])))
    if len(found) > 1:
        raise ArgumentError(
            f"column {name!r} of `table` holds {len(found)} values, "
            f"{', '.join(map(repr, found[:8]))}, whose scores are not of a kind. Filter the table "
            "to one of them first."
        )
    return found[0] if found else None


def draw_scale(ax: Axes, metric: str, values: Iterable[float]) -> str:
    """Show as much of the scale as the values need, in its unit, and give its name."""
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
        ax.axhline(0, color="#9a9a9a", linewidth=0.9, zorder=1, gid="zero")
    ax.yaxis.set_major_formatter(percent() if metric == "csat" else lambda y, _: plain(y))
    return name


def plain(value: float) -> str:
    """Write a number without needless decimals, with a sign as wide as a digit."""
    return f"{value:,.6g}".replace("-", MINUS)


def worded(values: Sequence[float], metric: str) -> list[str]:
    """Write scores or limits in the unit of their scale."""
    if metric == "csat":
        return [f"{100 * value:.1f}%" for value in values]
    decimals = 1 if metric == "nps" or max(map(abs, values)) >= 10 else 2
    return [f"{value:,.{decimals}f}".replace("-", MINUS) for value in values]


def empty(ax: Axes, words: str) -> None:
    """Say that there is nothing to draw, without a scale that nothing stands on."""
    ax.text(0.5, 0.5, words, ha="center", transform=ax.transAxes, color=QUIET, gid="empty")
    ax.set_xticks([])
    ax.set_yticks([])


# Counts beneath the axis


def room_beneath(ax: Axes, height: float, rows: int) -> bool:
    """Tell whether rows of counts fit beneath: a layout makes room, else it must be there."""
    needed = LINE * rows
    if not 0 < rows <= MOST:
        return False
    if ax.figure.get_layout_engine() is not None:
        return height > needed + 110
    beneath = ax.bbox.y0 * POINTS / ax.figure.dpi
    return len(ax.figure.axes) == 1 and beneath > _depth(ax) + needed


def _depth(ax: Axes) -> float:
    """Measure in points what the labels of the periods take."""
    labels = ax.get_xticklabels()
    lines = max((1 + label.get_text().count("\n") for label in labels), default=1)
    size = float(labels[0].get_fontsize()) if labels else TEXT
    return 8 + 1.25 * size * lines


def draw_counts(ax: Axes, ticks: Sequence[int], rows: Sequence[tuple[str, str, Floats]]) -> float:
    """Write the numbers of answers beneath the marks, a row for each (label, colour, counts).

    Gives the points that they take.
    """
    depth = _depth(ax)
    style: dict[str, Any] = {"va": "top", "fontsize": TEXT - 0.5, "clip_on": False}
    style["parse_math"] = False
    widest = max(len(_count(counts[ticks[0]])) for _, _, counts in rows)
    left = -(0.3 * (TEXT - 0.5) * widest + 7) / POINTS
    aside = ScaledTranslation(left, 0, ax.figure.dpi_scale_trans)
    for row, (label, colour, counts) in enumerate(rows):
        down = ScaledTranslation(0, -(depth + LINE * row) / POINTS, ax.figure.dpi_scale_trans)
        across = blended_transform_factory(ax.transData, ax.transAxes) + down
        ax.text(
            ticks[0], 0, shortened(label, 18), transform=across + aside, ha="right", color=colour,
            gid="counted", **style,
        )  # fmt: skip
        for tick in ticks:
            if not math.isnan(counts[tick]):
                ax.text(
                    tick, 0, _count(counts[tick]), transform=across, ha="center", color=colour,
                    gid="n", **style,
                )  # fmt: skip
    return LINE * len(rows)


def _count(number: float) -> str:
    """Write a count so that it is no wider than the label above it."""
    if math.isnan(number):
        return ""
    if number < 1e4:
        return f"{number:,.0f}"
    size, letter = (1e3, "k") if number < 999_500 else (1e6, "M")
    return f"{number / size:.3g}{letter}"


def shortened(text: str, most: int) -> str:
    """Take out the middle of a long text: the ends tell more."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[: most - 1 - head]}\N{HORIZONTAL ELLIPSIS}{text[-head:]}"


def legend_of(
    ax: Axes,
    width: float,
    handles: Sequence[Any],
    words: Sequence[str],
    *,
    title: str = "",
    outside: bool = False,
) -> None:
    """Explain lines and marks above the axes, in as many columns as fit, or at their right."""
    if not handles:
        return
    size = TEXT if width > 280 else TEXT - 1.5
    entry = (3.6 + 0.53 * max(map(len, words))) * size
    fits = max(1, min(len(handles), int(width / entry)))
    legend = ax.legend(
        handles,
        words,
        title=title or None,
        alignment="left",
        loc="upper left" if outside else "lower left",
        bbox_to_anchor=(1.01, 1.0) if outside else (0.0, 1.0),
        ncols=1 if outside else fits,
        frameon=False,
        fontsize=size,
        title_fontsize=size,
        borderaxespad=0.3,
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.3,
        labelspacing=0.35,
    )
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a segment may be called "$5 to $10"
