"""Picture of a control chart: scores, their limits, and the periods that are signals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from retainkit._typing import Floats
from retainkit.plot._axes import measure, subplots, tidy
from retainkit.plot._periods import Periods, draw_periods, pad_periods, read_periods
from retainkit.plot._reading import Columns, as_floats
from retainkit.plot._score_axes import (
    at_places,
    check_numeric,
    constant_of,
    draw_answer_counts,
    draw_nothing,
    draw_scale,
    draw_score_legend,
    score_texts,
)
from retainkit.plot._style import PALETTE, QUIET, SHADE, SLATE, TEXT, tone
from retainkit.typing import IntoDataFrame

USUAL, SIGNAL, LIMIT = PALETTE[0], PALETTE[1], SLATE
SHAPES = "DsPX"
VALUES = ("n", "score", "centre", "lower_limit", "upper_limit")
KINDS = {
    "individuals": "Limits from the distance of neighbouring {}s, whatever its cause.",
    "sampling": "Limits from the number of answers alone: everything else is a signal.",
}


def control_chart(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw scores between the limits of their usual noise, and mark the periods that are signals.

    >>> from retainkit import control_chart, datasets, plot
    >>> answers = datasets.make_survey(300, seed=1, waves=16, drift=0.02)
    >>> table = control_chart(answers, time="sent", period="quarter", baseline=8)
    >>> ax = plot.control_chart(table)

    Between the limits, ups and downs are the usual noise, and none of them has a cause to look for.
    A signal has a colour and shape of its own, and the legend names the rule that it breaks. The
    periods that the limits come from are shaded, where they are not all. A period that is not over
    is hollow; it is no signal. The number of answers stands beneath the
    periods, where there is room.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.control_chart`: pandas, Polars or PyArrow. If it has a column
        ``metric`` (``"nps"``, ``"csat"`` or ``"mean"``), the axis is in its unit.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the periods are at x = 0, 1, ..., and y is in the unit of the table.

    Raises
    ------
    ArgumentError
        If the table holds several segments, several rows for a period, or several metrics or kinds
        of limits.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError
        If ``period`` does not hold dates, or a score or limit is not a number.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Limits that depend on the number of answers are steps, each as wide as its period. The moving
    ranges of the table are not drawn.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import control_chart
    >>> table = pd.DataFrame({
    ...     "period": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]),
    ...     "n": [210, 190, 205], "score": [31.0, 27.0, 5.0], "centre": 29.0, "lower_limit": 18.4,
    ...     "upper_limit": 39.6, "signal": ["", "", "beyond limits"], "complete": True,
    ...     "baseline": [True, True, False], "kind": "individuals", "metric": "nps",
    ... })
    >>> ax = control_chart(table, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['score', 'centre 29.0', 'limits 18.4 to 39.6', 'signal: beyond limits', 'baseline']
    """
    needed = [*VALUES, "signal", "complete", "kind"]
    periods, data = read_periods(
        table, "table", needed, ["baseline", "metric"], made_by=["control_chart"]
    )
    check_numeric(data, VALUES, "control_chart")
    metric = str(constant_of(data, "metric") or "")
    kind = constant_of(data, "kind")
    ax, *space = measure(subplots(7.4, 4.0) if ax is None else ax)
    places = periods.places
    size = int(places.max(initial=-1)) + 1
    values = {name: at_places(places, as_floats(data[name]), size) for name in VALUES}
    drawn = [one for name in VALUES[1:] for one in values[name].tolist()]
    name = draw_scale(ax, metric, drawn)
    tidy(ax)
    if not any(map(math.isfinite, drawn)):
        draw_nothing(ax, "No answers")
    ax.set_ylabel(name)
    if not periods.days:
        return ax
    handles = {**_draw_score_line(ax, periods, values, data), **_draw_limits(ax, values, metric)}
    handles |= _draw_marks(ax, periods, values, data)
    handles |= _shade_baseline(ax, periods, data)
    draw_score_legend(ax, space[0], list(handles.values()), list(handles))
    _draw_periods_and_notes(ax, periods, values["n"], str(kind), space)
    _, _, height = measure(ax)  # what is left by the legend and the labels
    ax.set_ylabel(fill(name, max(18, int(height / 5.6))))
    return ax


def _draw_score_line(
    ax: Axes, periods: Periods, values: dict[str, Floats], data: Columns
) -> dict[str, Any]:
    """Draw a line through the periods that are over, and a dot for each without a signal."""
    over = at_places(
        periods.places, [float(bool(one)) for one in data["complete"]], len(values["n"])
    )
    usual = [not one for one in data["signal"]]
    x = np.arange(len(over))
    line = np.where(over == 1, values["score"], np.nan)
    ax.plot(x, line, color=USUAL, linewidth=1.2, zorder=3, gid="line", clip_on=False)
    dots = line[periods.places[usual]]
    style: dict[str, Any] = {"color": USUAL, "markersize": 4.5 if len(x) <= 60 else 3}
    style |= {"zorder": 4, "clip_on": False, "markeredgewidth": 0}
    ax.plot(periods.places[usual], dots, "o", gid="usual", **style)
    return {"score": Line2D([], [], marker="o", linewidth=1.2, **style)}


def _draw_limits(ax: Axes, values: dict[str, Floats], metric: str) -> dict[str, Any]:
    """Draw centre and limits as steps, each as wide as its period."""
    handles: dict[str, Any] = {}
    styles: dict[str, dict[str, Any]] = {
        "centre": {"linewidth": 1.2, "linestyle": "-"},
        "lower_limit": {"linewidth": 1.2, "linestyle": (0, (5, 3))},
        "upper_limit": {"linewidth": 1.2, "linestyle": (0, (5, 3))},
    }
    for name, style in styles.items():
        own = values[name]
        x = np.arange(len(own))[:, np.newaxis] + np.array([-0.5, 0.5])
        y = np.repeat(own, 2)
        (line,) = ax.plot(x.ravel(), y, color=LIMIT, zorder=2, gid=name, **style)
        handles[name] = line
    low, centre, high = (values[name] for name in ("lower_limit", "centre", "upper_limit"))
    middle, limits = "centre", "limits"
    if all(map(_is_constant, (low, centre, high))):
        ends = score_texts([float(np.nanmin(own)) for own in (low, centre, high)], metric)
        middle, limits = f"centre {ends[1]}", f"limits {ends[0]} to {ends[2]}"
    elif _is_constant(centre):
        middle += f" {score_texts([float(np.nanmin(centre))], metric)[0]}"
    return {middle: handles["centre"], limits: handles["lower_limit"]}


def _is_constant(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool(np.ptp(known) <= 1e-9 * max(1.0, float(np.abs(known).max())))


def _draw_marks(
    ax: Axes, periods: Periods, values: dict[str, Floats], data: Columns
) -> dict[str, Any]:
    """Mark the signals, a shape for each rule, and the periods that are not over."""
    scores = values["score"][periods.places]
    rules = [str(one or "") for one in data["signal"]]
    handles: dict[str, Any] = {}
    for index, rule in enumerate(one for one in dict.fromkeys(rules) if one):
        own = np.array([one == rule for one in rules])
        (handles[f"signal: {rule}"],) = ax.plot(
            periods.places[own], scores[own], SHAPES[index % len(SHAPES)], color=SIGNAL,
            markersize=7, markeredgecolor=ax.get_facecolor(), markeredgewidth=0.6, zorder=5,
            clip_on=False, gid=f"signal: {rule}",
        )  # fmt: skip
    unfinished = np.array([not one for one in data["complete"]]) & ~np.isnan(scores)
    unfinished &= np.array([not one for one in rules])
    if unfinished.any():
        (handles[f"{periods.noun} not over"],) = ax.plot(
            periods.places[unfinished], scores[unfinished], "o", color=USUAL, markersize=5.5,
            markerfacecolor=ax.get_facecolor(), zorder=4, clip_on=False, gid="unfinished",
        )  # fmt: skip
    return handles


def _shade_baseline(ax: Axes, periods: Periods, data: Columns) -> dict[str, Any]:
    """Shade the periods that the limits come from, if they are not all that are over."""
    marked = [bool(one) for one in data.get("baseline", [])]
    over = [bool(one) for one in data["complete"]]
    if not any(marked) or all(own or not whole for own, whole in zip(marked, over, strict=True)):
        return {}
    style: dict[str, Any] = {"facecolor": tone(ax, SHADE), "linewidth": 0}
    for place in periods.places[marked].tolist():
        ax.axvspan(place - 0.5, place + 0.5, zorder=0, gid="baseline", **style)
    return {"baseline": Patch(**style)}


def _draw_periods_and_notes(
    ax: Axes, periods: Periods, n: Floats, kind: str, space: Sequence[float]
) -> None:
    """Label the periods, with their answers where there is room, and explain the limits."""
    width, height = space
    draw_periods(ax, periods, width * pad_periods(ax, periods, 0.6, 1.5))
    counts = draw_answer_counts(ax, height, [("n =", QUIET, n)])
    notes = periods.notes()
    if kind in KINDS:
        notes.append(KINDS[kind].format(periods.noun))
    lines = [fill(note, max(24, int(width / 5.2))) for note in notes]
    ax.set_xlabel("\n".join(lines), fontsize=TEXT, labelpad=4 + counts)
