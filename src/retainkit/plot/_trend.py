"""The picture of a score over time, for one segment or several."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D as Mark
from matplotlib.patches import Patch

from retainkit._frames.input import read_result
from retainkit.plot._periods import draw_periods, read_periods
from retainkit.plot._reading import check_once, numbers
from retainkit.plot._scores import (
    LINE,
    MOST,
    check_numeric,
    constant_of,
    draw_counts,
    draw_scale,
    empty,
    legend_of,
    read_scores,
    room_beneath,
    shortened,
    spread,
)
from retainkit.plot._style import PALETTE, QUIET, TEXT, space_of, subplots, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from narwhals.stable.v2.typing import IntoDataFrame

    from retainkit._typing import Booleans, Floats
    from retainkit.plot._periods import Periods


MARKERS = "osD^vPX"
DASHES = ("-", "--", ":")
INSIDE = 6  # lines whose intervals can be told apart, and whose names find room above the axes
NAME = 34  # characters of a name in the legend


def score_trend(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a score period by period, with the band of its interval for every segment.

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
    course = _course_of(table)
    rows = len(course.lines) if len(course.lines) <= MOST else 0
    ax, width, height = space_of(subplots(7.4, 3.7 + LINE / 72 * rows) if ax is None else ax)
    drawn = [_draw_line(ax, course, index) for index in range(len(course.lines))]
    ends = ("score", "lower", "upper") if course.banded else ("score",)
    values = [one for line in course.lines for end in ends for one in getattr(line, end).tolist()]
    name = draw_scale(ax, course.metric, values)
    tidy(ax)
    if not any(map(math.isfinite, values)):
        empty(ax, "No answers")
    if course.periods.days:
        _draw_legend(ax, course, drawn, width)
        _draw_beneath(ax, course, width, height)
    _, _, height = space_of(ax)  # as what stands above and beneath has left it
    ax.set_ylabel(fill(name + course.together, max(18, int(height / 5.6))))
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The course of a segment on all places; NaN where there is nothing."""

    label: str
    n: Floats
    score: Floats
    lower: Floats
    upper: Floats
    complete: Booleans

    def lone(self) -> Booleans:
        """Tell the complete points that no line reaches, for they have no neighbour."""
        own: Booleans = self.complete & ~np.isnan(self.score)
        padded = np.concatenate([[False], own, [False]])
        apart: Booleans = own & ~(padded[:-2] | padded[2:])
        return apart

    def unfinished(self) -> Booleans:
        own: Booleans = ~self.complete & ~np.isnan(self.score)
        return own


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """All lines, and what their scores are."""

    lines: list[_Line]
    names: str
    periods: Periods
    metric: str
    window: int

    @property
    def banded(self) -> bool:
        return len(self.lines) <= INSIDE

    @property
    def together(self) -> str:
        """Say how many periods a point holds."""
        return f", {self.window} {self.periods.noun}s together" if self.window > 1 else ""

    def unfinished(self) -> str:
        """Explain what is hollow."""
        over = f"{self.periods.noun} not over"
        return f"{over}, or not yet {self.window} {self.periods.noun}s" if self.window > 1 else over

    def notes(self) -> list[str]:
        """Say what needs a word beneath the picture."""
        noun = self.periods.noun
        notes = ["First day of the week"] if self.periods.unit == "week" else []
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


def _course_of(table: IntoDataFrame) -> _Course:
    """Split a table into lines."""
    needed = ["n", "score", "lower", "upper", "metric", "complete"]
    data, labels, names = read_scores(table, "period", needed, ["window"])
    days = read_result(table, argument="table", columns=["period"]).select("period").unique()
    periods, _ = read_periods(days, "table", [])
    values = ["n", "score", "lower", "upper"]
    check_numeric(data, values, "score_trend")
    own = [day.date() if isinstance(day, dt.datetime) else day for day in data["period"]]
    check_once("table", list(zip(labels, own, strict=True)), "segment and period")
    places = dict(zip(periods.days, periods.places.tolist(), strict=True))
    size = max(places.values(), default=-1) + 1
    rows: dict[str, list[int]] = {label: [] for label in labels}
    for row, label in enumerate(labels):
        rows[label].append(row)
    lines = []
    for label, mine in rows.items():
        at = np.array([places[own[row]] for row in mine], np.int64)
        laid = {
            name: spread(at, numbers([data[name][row] for row in mine]), size) for name in values
        }
        complete = spread(at, [float(bool(data["complete"][row])) for row in mine], size) == 1
        lines.append(_Line(label=label, complete=complete, **laid))
    window = constant_of(data, "window")
    return _Course(
        lines=lines,
        names=", ".join(names),
        periods=periods,
        metric=str(constant_of(data, "metric") or ""),
        window=int(window or 1),
    )


def _draw_line(ax: Axes, course: _Course, index: int) -> Line2D:
    """Draw the line and its band; what stands alone has a bar for its interval."""
    line = course.lines[index]
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
    beside = 0.1 * (index - (len(course.lines) - 1) / 2) if course.banded else 0.0
    if unfinished.any():
        # Of several segments side by side, so that one does not hide another.
        ax.plot(
            x[unfinished] + beside, line.score[unfinished], marker, gid="unfinished",
            **hollow, **style | {"zorder": 4},
        )  # fmt: skip
    if course.banded:
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


def _draw_legend(ax: Axes, course: _Course, drawn: list[Line2D], width: float) -> None:
    """Name the lines, and explain the band and what is hollow."""
    handles: list[Any] = []
    words: list[str] = []
    if course.names:
        handles += drawn
        words += [shortened(line.label, NAME) for line in course.lines]
    if course.banded and any(not np.isnan(line.lower).all() for line in course.lines):
        handles.append(Patch(color="#7f7f7f", alpha=0.3, linewidth=0))
        words.append("interval")
    if any(line.unfinished().any() for line in course.lines):
        style: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "linestyle": "none"}
        handles.append(Mark([], [], marker="o", color=QUIET, markersize=5, **style))
        words.append(course.unfinished())
    legend_of(ax, width, handles, words, title=course.names, outside=not course.banded)


def _draw_beneath(ax: Axes, course: _Course, width: float, height: float) -> None:
    """Label the periods, with the answers in them where there is room, and the notes."""
    last = int(course.periods.places[-1])
    aside = max(0.4, 1.2 - last / 2)  # a point or two would lie on the edges
    ax.set_xlim(-aside, last + aside)
    draw_periods(ax, course.periods, width * last / (last + 2 * aside) if last else width)
    rows = [
        (line.label or "n =", PALETTE[i % len(PALETTE)] if line.label else QUIET, line.n)
        for i, line in enumerate(course.lines)
    ]
    taken = 0.0
    if room_beneath(ax, height, len(rows)):
        taken = draw_counts(ax, [round(tick) for tick in ax.get_xticks()], rows)
    notes = [fill(note, max(24, int(width / 5.2))) for note in course.notes()]
    ax.set_xlabel("\n".join(notes), fontsize=TEXT, labelpad=4 + taken)
