"""Picture of a score over time, for one segment or several."""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from retainkit._frames.input import read_result
from retainkit._typing import Booleans, Floats
from retainkit.plot._axes import measure, subplots, tidy
from retainkit.plot._periods import Periods, beginnings_of, draw_periods, pad_periods, read_periods
from retainkit.plot._reading import (
    as_floats,
    check_one_row_each,
    read_result_columns,
    rows_by_segment,
    segment_labels,
)
from retainkit.plot._score_axes import (
    LINE,
    MOST,
    at_places,
    check_numeric,
    constant_of,
    draw_answer_counts,
    draw_nothing,
    draw_scale,
    draw_score_legend,
)
from retainkit.plot._style import DASHES, MARKERS, PALETTE, POINTS, QUIET, TEXT
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame

INSIDE = 6  # lines whose intervals can be seen, and whose names find room above the axes
NAME = 34  # characters of a name in the legend


def score_trend(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a score period by period, with the band of its interval for every segment.

    >>> from retainkit import datasets, plot, score_trend
    >>> answers = datasets.make_survey(1000, seed=1)
    >>> table = score_trend(answers, time="sent", period="quarter", by="plan")
    >>> ax = plot.score_trend(table)

    Two points whose intervals overlap widely may well be the same: the line between them is noise.
    The axis shows as much of the scale as the intervals need. Where a period has no answers, the
    line has a gap. A period that is not complete is a hollow mark beside the line. The number of
    answers stands beneath the periods, where there is room.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.score_trend`: pandas, Polars or PyArrow. Each segment (the columns left
        of ``period``) becomes a line, in the order of the table. Of many segments, more than six,
        the intervals are not drawn: they would hide each other.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the periods are at x = 0, 1, ..., and y is in the unit of the table: NPS
        in points from -100 to 100, CSAT as a fraction written in percent.

    Raises
    ------
    ArgumentError
        If there are several rows for a segment and period, or several metrics or windows.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError
        If ``period`` does not hold dates, or a score is not a number.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Of rolling windows (a column ``window`` above 1) neighbours share answers, so the line is smooth
    even where there is nothing but noise. A line beneath says so.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import score_trend
    >>> table = pd.DataFrame({
    ...     "period": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]),
    ...     "n": [210, 190, 40], "score": [31.0, 24.0, 40.0], "lower": [20.4, 12.6, 15.7],
    ...     "upper": [41.0, 34.9, 60.4], "metric": "nps", "complete": [True, True, False],
    ... })
    >>> ax = score_trend(table, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Net promoter score (NPS)'
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['interval', 'month not over']
    """
    trend = _read_trend(table)
    rows = len(trend.lines) if len(trend.lines) <= MOST else 0
    ax, width, height = measure(subplots(7.4, 3.7 + LINE / POINTS * rows) if ax is None else ax)
    drawn = [_draw_segment(ax, trend, index) for index in range(len(trend.lines))]
    ends = ("score", "lower", "upper") if trend.banded else ("score",)
    values = [one for line in trend.lines for end in ends for one in getattr(line, end).tolist()]
    name = draw_scale(ax, trend.metric, values)
    tidy(ax)
    if not any(map(math.isfinite, values)):
        draw_nothing(ax, "No answers")
    if trend.periods.days:
        _draw_trend_legend(ax, trend, drawn, width)
        _draw_periods_and_counts(ax, trend, width, height)
    _, _, height = measure(ax)  # what is left by the legend and the labels
    ax.set_ylabel(fill(name + trend.together, max(18, int(height / 5.6))))
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScoreLine:
    """Scores of a segment, an element for each period; NaN where there is nothing."""

    label: str
    n: Floats
    score: Floats
    lower: Floats
    upper: Floats
    complete: Booleans

    def lone(self) -> Booleans:
        """Return the complete points that no line reaches, for they have no neighbour."""
        own: Booleans = self.complete & ~np.isnan(self.score)
        padded = np.concatenate([[False], own, [False]])
        apart: Booleans = own & ~(padded[:-2] | padded[2:])
        return apart

    def unfinished(self) -> Booleans:
        own: Booleans = ~self.complete & ~np.isnan(self.score)
        return own


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trend:
    """Lines of all segments, and what their scores are."""

    lines: list[_ScoreLine]
    names: str
    periods: Periods
    metric: str
    window: int

    @property
    def banded(self) -> bool:
        return len(self.lines) <= INSIDE

    @property
    def together(self) -> str:
        """Part of the label: how many periods a point holds."""
        return f", {self.window} {self.periods.noun}s together" if self.window > 1 else ""

    def unfinished(self) -> str:
        """Return the label of hollow marks."""
        over = f"{self.periods.noun} not over"
        return f"{over}, or not yet {self.window} {self.periods.noun}s" if self.window > 1 else over

    def notes(self) -> list[str]:
        """Return the sentences beneath the picture."""
        noun = self.periods.noun
        notes = self.periods.notes()
        if self.window > 1:
            notes.append(
                f"Each point holds the answers of {self.window} {noun}s, those up to its own: "
                "neighbours share answers, so their intervals must not be compared."
            )
        if not self.banded:
            notes.append(
                f"Without intervals: those of {len(self.lines)} segments would hide each other."
            )
        return notes


def _read_trend(table: IntoDataFrame) -> _Trend:
    """Read the line of each segment."""
    needed = ["n", "score", "lower", "upper", "metric", "complete"]
    data, names = read_result_columns(
        table, "table", ("period",), ["period", *needed], ["window"], made_by=["score_trend"]
    )
    labels = segment_labels(data, names)
    days = read_result(table, argument="table", columns=["period"]).select("period").unique()
    periods, _ = read_periods(days, "table", [], made_by=["score_trend"])
    values = ["n", "score", "lower", "upper"]
    check_numeric(data, values, "score_trend")
    own = beginnings_of(data["period"])
    check_one_row_each("table", list(zip(labels, own, strict=True)), "pairs of segment and period")
    places = dict(zip(periods.days, periods.places.tolist(), strict=True))
    size = max(places.values(), default=-1) + 1
    lines = []
    for label, mine in rows_by_segment(labels).items():
        at = np.array([places[own[row]] for row in mine], np.int64)
        values_at = {
            name: at_places(at, as_floats([data[name][row] for row in mine]), size)
            for name in values
        }
        complete = at_places(at, [float(bool(data["complete"][row])) for row in mine], size) == 1
        lines.append(_ScoreLine(label=label, complete=complete, **values_at))
    window = constant_of(data, "window")
    return _Trend(
        lines=lines,
        names=", ".join(names),
        periods=periods,
        metric=str(constant_of(data, "metric") or ""),
        window=int(window or 1),
    )


def _draw_segment(ax: Axes, trend: _Trend, index: int) -> Line2D:
    """Draw the line and its band; what stands alone has a bar for its interval."""
    line = trend.lines[index]
    x = np.arange(len(line.score))
    colour = PALETTE[index % len(PALETTE)]
    marker = MARKERS[index % len(MARKERS)]
    style: dict[str, Any] = {"color": colour, "zorder": 3, "clip_on": False}
    whole = np.where(line.complete, line.score, np.nan)
    few = len(x) <= 40
    (drawn,) = ax.plot(
        x, whole, marker=marker if few else "", markersize=4, markeredgewidth=0, linewidth=1.7,
        linestyle=DASHES[index // len(PALETTE) % len(DASHES)], gid="score", **style,
    )  # fmt: skip
    lone, unfinished = line.lone(), line.unfinished()
    if lone.any() and not few:
        ax.plot(x[lone], line.score[lone], marker, markersize=4, gid="lone", **style)
    hollow: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "markersize": 5}
    beside = 0.1 * (index - (len(trend.lines) - 1) / 2) if trend.banded else 0.0
    if unfinished.any():
        # Of several segments side by side, so that one does not hide another.
        ax.plot(
            x[unfinished] + beside, line.score[unfinished], marker, gid="unfinished",
            **hollow, **style | {"zorder": 4},
        )  # fmt: skip
    if trend.banded:
        low, high = (np.where(line.complete, one, np.nan) for one in (line.lower, line.upper))
        ax.fill_between(
            x, low, high, color=colour, alpha=0.14, linewidth=0, zorder=2, gid="interval"
        )
        bars = lone | unfinished
        ax.vlines(
            np.where(unfinished, x + beside, x)[bars], line.lower[bars], line.upper[bars],
            color=colour, alpha=0.6, linewidth=1.3, zorder=2.5, gid="bar",
        )  # fmt: skip
    return drawn


def _draw_trend_legend(ax: Axes, trend: _Trend, drawn: list[Line2D], width: float) -> None:
    """Name the lines, and explain the band and what is hollow."""
    handles: list[Any] = []
    labels: list[str] = []
    if trend.names:
        handles += drawn
        labels += [shorten(line.label, NAME) for line in trend.lines]
    if trend.banded and any(not np.isnan(line.lower).all() for line in trend.lines):
        handles.append(Patch(color=QUIET, alpha=0.3, linewidth=0))
        labels.append("interval")
    if any(line.unfinished().any() for line in trend.lines):
        style: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "linestyle": "none"}
        handles.append(Line2D([], [], marker="o", color=QUIET, markersize=5, **style))
        labels.append(trend.unfinished())
    draw_score_legend(ax, width, handles, labels, title=trend.names, beside=not trend.banded)


def _draw_periods_and_counts(ax: Axes, trend: _Trend, width: float, height: float) -> None:
    """Label the periods, with their answers where there is room, and write the notes."""
    draw_periods(ax, trend.periods, width * pad_periods(ax, trend.periods, 0.4, 1.2))
    rows = [
        (line.label or "n =", PALETTE[i % len(PALETTE)] if line.label else QUIET, line.n)
        for i, line in enumerate(trend.lines)
    ]
    counts = draw_answer_counts(ax, height, rows)
    notes = [fill(note, max(24, int(width / 5.2))) for note in trend.notes()]
    ax.set_xlabel("\n".join(notes), fontsize=TEXT, labelpad=4 + counts)
