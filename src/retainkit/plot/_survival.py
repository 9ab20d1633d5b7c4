"""Picture of the share of customers who stay, by tenure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from retainkit._checks import one_of
from retainkit._time.periods import PERIODS
from retainkit.plot._axes import (
    BESIDE,
    draw_counts,
    draw_legend,
    has_room_beneath,
    measure,
    percent,
    subplots,
    tidy,
)
from retainkit.plot._reading import (
    Columns,
    as_floats,
    check_one_row_each,
    read_result_columns,
    rows_by_segment,
    segment_labels,
)
from retainkit.plot._style import DASHES, PALETTE, POINTS, QUIET, SMALL, TEXT, tone
from retainkit.typing import IntoDataFrame

# Marks between which lie so many units, where numbers of months and quarters keep to years.
STRIDES = {"month": (1, 2, 3, 6, 12, 24, 36, 60), "quarter": (1, 2, 4, 8, 12, 20)}
LINE = 12.5  # points from a row of numbers to the next
MOST = 6  # lines with a legend inside the axes, and numbers beneath


def survival_curve(
    curve: IntoDataFrame,
    *,
    unit: str | None = None,
    ax: Axes | None = None,
    palette: Sequence[str] = PALETTE,
) -> Axes:
    """Draw the share of customers who are still there against how long they have been.

    >>> from retainkit import datasets, plot, survival_curve
    >>> curve = survival_curve(datasets.make_subscriptions(500, seed=1), by="plan")
    >>> ax = plot.survival_curve(curve, unit="month")

    Each segment is a line of steps with the band of its interval. A dot marks the median, where
    the line reaches 50%, and the legend gives it. The number of customers at risk stands beneath
    the axis where there is room: where few are left, the line says little.

    Parameters
    ----------
    curve : IntoDataFrame
        Result of `retainkit.survival_curve`: pandas, Polars or PyArrow. Each segment (the columns
        left of ``tenure``) becomes a line.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        Unit of tenure, for the labels. The table does not hold it.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.
    palette : sequence of str, optional
        Colours of the lines in turn; by default safe for all kinds of colour vision.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; x is the tenure and y the share, from 0 to 1.

    Raises
    ------
    ArgumentError
        If there are several rows for a segment and tenure, or `unit` is none of the words.
    MissingColumnError
        If a column of the curve is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import survival_curve
    >>> curve = pd.DataFrame({
    ...     "tenure": [1, 2], "at_risk": [20, 12], "survival": [0.8, 0.4],
    ...     "lower": [0.55, 0.2], "upper": [0.92, 0.6],
    ... })
    >>> ax = survival_curve(curve, ax=Figure().subplots(), unit="month")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['20 customers, median 2 months', 'interval']
    """
    unit = None if unit is None else one_of("unit", unit, PERIODS)
    lines, names = _read_steps(curve, palette)
    height = 4.2 + (LINE * (len(lines) + 1) / POINTS if len(lines) <= MOST else 0)
    ax, width, height = measure(subplots(7.0, height) if ax is None else ax)
    for index, line in enumerate(lines):
        _draw_survival_line(ax, line, DASHES[index // len(palette) % len(DASHES)])
    ax.set_xlabel("Tenure" + (f" ({unit}s since the start)" if unit else ""))
    ax.set_ylabel(fill("Share of customers still there", max(16, int(height / 5.2))))
    tidy(ax)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(percent())
    ticks = _tenure_ticks(lines, unit, width)
    ax.set_xticks(ticks)
    ax.set_xlim(0, 1.02 * (max((line.x[-1] for line in lines), default=0.0) or 1.0))
    if lines:
        _draw_medians(ax, lines)
        _draw_survival_legend(ax, lines, names, unit, brief=height < 170 or width < 280)
        _draw_at_risk(ax, lines, ticks, height)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _SurvivalLine:
    """Curve of a segment: where it steps, and how many are at risk there."""

    label: str
    colour: str
    x: list[float]
    share: list[float]
    lower: list[float]
    upper: list[float]
    at_risk: list[int]

    @property
    def median(self) -> float:
        """First tenure that half of the customers do not outlive, or NaN."""
        for x, share in zip(self.x, self.share, strict=True):
            # A product of fractions that is one half may come out a little above it.
            if share <= 0.5 + 1e-12:
                return x
        return math.nan

    @property
    def late(self) -> bool:
        """Return whether some came late: then there are more customers than ever were at risk."""
        return any(before < after for before, after in pairwise(self.at_risk))

    def left(self, tenure: float) -> int | None:
        """Count those at risk at a tenure: those of the first row that is not before it."""
        for x, count in zip(self.x, self.at_risk, strict=True):
            if x >= tenure:
                return count
        return None


def _read_steps(curve: IntoDataFrame, palette: Sequence[str]) -> tuple[list[_SurvivalLine], str]:
    """Read the line of each segment, and the names of the segments."""
    needed = ["tenure", "at_risk", "survival", "lower", "upper"]
    data, names = read_result_columns(
        curve, "curve", ("tenure",), needed, made_by=["survival_curve"]
    )
    tenures = as_floats(data["tenure"])
    segments = segment_labels(data, names)
    pairs = list(zip(segments, tenures, strict=True))
    check_one_row_each("curve", pairs, "pairs of segment and tenure")
    rows = rows_by_segment(segments, tenures)
    lines = [
        _survival_line(data, own, segment, palette[index % len(palette)])
        for index, (segment, own) in enumerate(rows.items())
    ]
    return lines, ", ".join(names)


def _survival_line(data: Columns, rows: list[int], label: str, colour: str) -> _SurvivalLine:
    """Read one line, and add the start, at which all are there, if the line begins later."""
    x, share, lower, upper = (
        as_floats([data[name][row] for row in rows])
        for name in ("tenure", "survival", "lower", "upper")
    )
    at_risk = [int(data["at_risk"][row]) for row in rows]
    if x[0] > 0:
        x, share, lower, upper = ([0.0, *x], [1.0, *share], [1.0, *lower], [1.0, *upper])
        at_risk = [at_risk[0], *at_risk]
    return _SurvivalLine(
        label=label, colour=colour, x=x, share=share, lower=lower, upper=upper, at_risk=at_risk
    )


def _draw_survival_line(ax: Axes, line: _SurvivalLine, dash: str) -> None:
    ax.step(
        line.x, line.share, where="post", color=line.colour, linestyle=dash, linewidth=1.8,
        label=line.label, zorder=3, gid="survival",
    )  # fmt: skip
    ax.fill_between(
        line.x, line.lower, line.upper, step="post", color=line.colour, alpha=0.16, linewidth=0,
        zorder=2, gid="interval",
    )  # fmt: skip


def _draw_medians(ax: Axes, lines: Sequence[_SurvivalLine]) -> None:
    """Draw dashes from 50% to each line that reaches it, and down to the axis."""
    found = [(line, line.median) for line in lines if not math.isnan(line.median)]
    if not found:
        return
    thin: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (4, 3)), "zorder": 1.5}
    ax.plot([0, max(x for _, x in found)], [0.5, 0.5], color=tone(ax, QUIET), gid="half", **thin)
    for line, x in found:
        ax.plot([x, x], [0, 0.5], color=line.colour, gid="drop", **thin)
        ax.plot(
            [x], [0.5], "o", color=line.colour, markersize=5, zorder=4, clip_on=False, gid="median"
        )


def _draw_survival_legend(
    ax: Axes, lines: Sequence[_SurvivalLine], names: str, unit: str | None, *, brief: bool
) -> None:
    """Name the lines, with their customers and medians where there is room."""
    handles: list[Artist] = []
    handles += [one for one in ax.lines if one.get_gid() == "survival"][-len(lines) :]
    labels = [line.label if brief else _legend_entry(line, unit) for line in lines]
    if brief and not any(labels):
        return
    if not brief and any(not math.isnan(low) for line in lines for low in line.lower[1:]):
        handles.append(Patch(color=QUIET, alpha=0.3, linewidth=0))
        labels.append("interval")
    counted = "customers at risk" if any(line.late for line in lines) else "customers"
    title = f"{names} ({counted})" if names and not brief else ""
    style: dict[str, Any] = {"labelspacing": 0.25 if brief else 0.4, "frameon": True}
    style |= {"facecolor": ax.get_facecolor(), "edgecolor": "none", "framealpha": 0.85}
    style |= BESIDE if len(handles) > MOST + 1 else {"loc": "best"}
    size = SMALL + 0.5 if brief else TEXT
    draw_legend(ax, handles, labels, title=title, size=size, style=style)


def _legend_entry(line: _SurvivalLine, unit: str | None) -> str:
    size = ("up to " if line.late else "") + f"{max(line.at_risk):,}"
    alone = f"{size} customers" + (" at risk" if line.late else "")
    entry = f"{line.label} ({size})" if line.label else alone
    if math.isnan(line.median):
        return f"{entry}, median not reached"
    units = "" if unit is None else f" {unit}" + ("" if line.median == 1 else "s")
    return f"{entry}, median {line.median:.4g}{units}"


def _tenure_ticks(lines: Sequence[_SurvivalLine], unit: str | None, width: float) -> list[float]:
    """Mark as many tenures as there is room for numbers beneath them."""
    longest = max((line.x[-1] for line in lines), default=0.0)
    room = max(2, int(width / 42))
    for stride in STRIDES.get(unit or "", ()):
        if longest / stride <= room:
            return [float(mark) for mark in range(0, int(longest) + 1, stride)]
    marks = MaxNLocator(room, integer=longest >= 3).tick_values(0, longest or 1)
    return [float(mark) for mark in marks if 0 <= mark <= longest]


def _label_depth(ax: Axes) -> float:
    """Measure in points what the labels of the ticks and of the axis take."""
    tick = ax.xaxis.get_ticklabels()[0].get_fontsize() if ax.xaxis.get_ticklabels() else TEXT
    return 10 + 1.2 * float(tick) + ax.xaxis.labelpad + 1.3 * float(ax.xaxis.label.get_fontsize())


def _draw_at_risk(
    ax: Axes, lines: Sequence[_SurvivalLine], ticks: Sequence[float], height: float
) -> None:
    """Write the numbers at risk beneath the ticks, a row for each line, where there is room."""
    depth = _label_depth(ax)
    if len(lines) > MOST or not has_room_beneath(ax, height, LINE * (len(lines) + 1), depth, 130):
        return
    only = len(lines) == 1 and not lines[0].label
    rows: list[tuple[str, str, dict[float, str]]] = [] if only else [("at risk", QUIET, {})]
    for line in lines:
        counts = {tick: line.left(tick) for tick in ticks}
        texts = {tick: f"{count:,}" for tick, count in counts.items() if count is not None}
        rows.append(("at risk" if only else line.label, line.colour, texts))
    draw_counts(ax, rows, start=0, depth=depth, line=LINE, left=18, gid="at risk")
