"""Pictures of a score and what came of it: gain and rates by bin, and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from retainkit._messages import format_examples
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.plot._axes import ABOVE, draw_legend, measure, percent, subplots, tidy
from retainkit.plot._reading import (
    as_floats,
    check_one_row_each,
    check_one_segment,
    read_result_columns,
)
from retainkit.plot._style import BLACK, PALETTE, QUIET, TEXT, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoDataFrame

_BARS = "#b9d3e8"


def lift(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much of the churn is found among the customers that a score ranks first.

    >>> from retainkit import churn_snapshots, datasets, lift_table, plot
    >>> rows = churn_snapshots(datasets.load_cdnow(), as_of="1998-01-01", horizon="90D")
    >>> ax = plot.lift(lift_table(rows, score="recency_days"))

    The line is the gain: of all who left, the share that is among the first so many percent. The
    diagonal is that of a score that tells nothing. The bars are the rates of the bins, as wide as
    the bins are, with their intervals, and a dotted line shows the rate of all.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.lift_table` for one segment: pandas, Polars or PyArrow.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the share of customers, ranked by the score, and y both the gain
        and the rates, as fractions.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a bin.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Where most customers leave, no score can rise far above the diagonal: with a base rate of 80 %
    the first tenth cannot hold more than an eighth of those who leave.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit import lift_table
    >>> from retainkit.plot import lift
    >>> scored = pd.DataFrame({"score": [9, 8, 7, 6], "churned": [1, 1, 0, 1]})
    >>> ax = lift(lift_table(scored, bins=2), ax=Figure().subplots())
    >>> ax.lines[0].get_ydata().round(2).tolist()
    [0.0, 0.67, 1.0]
    """
    data = _read_bins(table, ("n", "events", "rate", "lower", "upper", "gain"))
    ax = measure(subplots(7.0, 4.2) if ax is None else ax)[0]
    total = data["n"].sum()
    edges = np.append(0.0, np.cumsum(data["n"])) / max(total, 1)
    ax.plot(
        edges,
        np.append(0.0, data["gain"]),
        color=PALETTE[0],
        marker="o",
        markersize=4,
        linewidth=2,
        zorder=4,
        gid="gain",
        label="gain: share of those who left",
    )
    quiet: dict[str, Any] = {"color": tone(ax, QUIET), "linewidth": 1.0, "zorder": 2}
    ax.plot([0, 1], [0, 1], linestyle="--", gid="diagonal", label="a score of chance", **quiet)
    handles = [*ax.lines]
    if total:
        _draw_rates(ax, edges, data)
        base = float(data["events"].sum() / total)
        ax.axhline(base, linestyle=":", gid="base", **quiet)
        label = f"rate of the bin (all: {in_percent(base)})"
        handles.append(Patch(color=_BARS, label=label))  # type: ignore[arg-type]
    draw_legend(ax, handles, size=TEXT, style={**ABOVE, "ncols": 1, "labelspacing": 0.25})
    ax.set_xlabel("Customers, ranked by the score")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    tidy(ax)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent())
    return ax


def _draw_rates(ax: Axes, edges: Floats, data: dict[str, Floats]) -> None:
    """Draw the rate of each bin with its interval."""
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    ax.bar(middle, data["rate"], 0.96 * width, color=_BARS, zorder=1, linewidth=0, gid="rate")
    ax.vlines(
        middle,
        data["lower"],
        data["upper"],
        color=tone(ax, BLACK),
        linewidth=1.0,
        zorder=3,
        gid="interval",
    )


def calibration(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the rate that came beside the probability that a score had foretold, by bin.

    >>> import pandas as pd
    >>> from retainkit import lift_table, plot
    >>> scored = pd.DataFrame({"score": [0.9] * 10 + [0.2] * 10, "churned": [1] * 8 + [0, 1] * 6})
    >>> ax = plot.calibration(lift_table(scored))

    Points on the diagonal are bins in which as many left as the score says; above it, more. The
    bars are the intervals of the rates: where one meets the diagonal, the difference may be chance.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.lift_table` for one segment, of a score that is a probability: pandas,
        Polars or PyArrow.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is ``mean_score``, y ``rate``, both as fractions.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a bin; if a mean score lies outside
        [0, 1].
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    `retainkit.score_report` has the numbers: calibration in the large, intercept and slope.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit import lift_table
    >>> from retainkit.plot import calibration
    >>> scored = pd.DataFrame({"score": [0.9, 0.9, 0.5, 0.5], "churned": [1, 1, 0, 1]})
    >>> ax = calibration(lift_table(scored, bins=2), ax=Figure().subplots())
    >>> ax.lines[-1].get_xdata().tolist(), ax.lines[-1].get_ydata().tolist()
    ([0.9, 0.5], [1.0, 0.5])
    """
    data = _read_bins(table, ("n", "mean_score", "rate", "lower", "upper"))
    _check_probabilities(data["mean_score"])
    ax = measure(subplots(5.0, 4.6) if ax is None else ax)[0]
    quiet: dict[str, Any] = {"color": tone(ax, QUIET), "linewidth": 1.0, "zorder": 2}
    ax.plot([0, 1], [0, 1], linestyle="--", gid="diagonal", **quiet)
    x, ink = data["mean_score"], tone(ax, BLACK)
    ax.vlines(x, data["lower"], data["upper"], color=ink, linewidth=1.2, zorder=3, gid="interval")
    ax.plot(x, data["rate"], "o", color=PALETTE[0], markersize=6, zorder=4, gid="rate")
    ax.set_xlabel("Mean score of the bin")
    ax.set_ylabel("Rate that came, with interval")
    ax.annotate(
        "more left than the score says",
        (0.02, 0.97),
        xycoords="axes fraction",
        va="top",
        color=legible(ax, QUIET),
        fontsize=TEXT,
        gid="side",
    )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    tidy(ax)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent())
    return ax


def _read_bins(table: IntoDataFrame, names: tuple[str, ...]) -> dict[str, Floats]:
    """Read the bins of one segment in order, as floats."""
    data, segments = read_result_columns(
        table, "table", ["bin"], ["bin", *names], made_by=["lift_table"]
    )
    check_one_segment("table", data, segments)
    check_one_row_each("table", data["bin"], "bins")
    order = np.argsort(np.array(as_floats(data["bin"])))
    return {name: np.array(as_floats(data[name]), np.float64)[order] for name in names}


def _check_probabilities(scores: Floats) -> None:
    """Check that the mean scores of bins can be probabilities."""
    outside = (scores < 0) | (scores > 1)
    if outside.any():
        raise ArgumentError(
            f"column 'mean_score' of `table` is below 0 or above 1: "
            f"{format_examples(scores[outside].tolist())}. A score that is no probability has no "
            "calibration; draw its lift instead.",
            code="not_a_share",
            argument="table",
            column="mean_score",
            rows=int(outside.sum()),
            total=len(scores),
        )
