"""Pictures of a model beside what came: purchases by period, and the holdout by frequency."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from matplotlib.axes import Axes

from retainkit._checks import boolean
from retainkit._frames.input import read_result
from retainkit._typing import Booleans, Floats
from retainkit.clv import HoldoutReport
from retainkit.errors import ColumnTypeError
from retainkit.plot._axes import date_numbers, draw_legend, label_dates, measure, subplots, tidy
from retainkit.plot._reading import check_one_row_each
from retainkit.plot._style import BLACK, PALETTE, QUIET, SHADE, SMALL, legible, tone
from retainkit.typing import IntoDataFrame

ACTUAL, EXPECTED, NAIVE = BLACK, PALETTE[0], PALETTE[1]

# Days from a period to the next, at least and at most.
_LENGTHS = {
    "day": (1, 1),
    "week": (7, 7),
    "month": (28, 31),
    "quarter": (90, 92),
    "year": (365, 366),
}


def tracking(
    table: IntoDataFrame | HoldoutReport[Any], *, cumulative: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw repeat purchases by period, as they came and as the model expects them.

    >>> from retainkit import datasets, holdout_report, plot
    >>> report = holdout_report(datasets.load_cdnow(sample=True), calibration_end="1997-10-01")
    >>> ax = plot.tracking(report.by_period)

    The holdout, which the model has not seen, is shaded. A period that has not been observed to its
    end is a hollow mark beside the lines, which do not fall to it.

    Parameters
    ----------
    table : IntoDataFrame or HoldoutReport
        Result of `retainkit.tracking`, or a holdout report, whose ``by_period`` is drawn: pandas,
        Polars or PyArrow.
    cumulative : bool, default False
        Draw purchases since the beginning instead of those of each period. Then an error of one
        period shows in all later ones; period by period it shows when it arose.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; x is the first day of each period.

    Raises
    ------
    MissingColumnError
        If a column is not in the table.
    ColumnTypeError, ArgumentTypeError
        If ``period`` does not hold dates, or `cumulative` is not a bool.
    ArgumentError
        If there are several rows for a period.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import tracking
    >>> table = pd.DataFrame({
    ...     "period": pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15"]),
    ...     "actual": [4, 9, 5], "expected": [5.0, 8.0, 7.5],
    ...     "holdout": [False, False, True], "complete": True,
    ... })
    >>> ax = tracking(table, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Repeat purchases in a week'
    >>> ax.lines[0].get_ydata().tolist()
    [5.0, 8.0, 7.5]
    """
    ending = "_cumulative" if boolean("cumulative", cumulative) else ""
    values = [f"actual{ending}", f"expected{ending}"]
    days, columns = _read_course(table, ["holdout", "complete", *values])
    ax, width, _ = measure(subplots(7.0, 3.6) if ax is None else ax)
    unit = _period_from_steps(days)
    if len(days):
        _draw_course(ax, days, columns, values)
        _mark_unfinished(ax, days, columns, values, unit)
        _shade_holdout(ax, days, columns["holdout"].astype(bool))
        label_dates(ax, max(3, int(width / 55)))
        handles, labels = ax.get_legend_handles_labels()
        style = {"loc": "upper left" if cumulative else "best"}
        draw_legend(ax, handles, labels, style=style).set_zorder(5)
    since = "since the beginning" if cumulative else f"in a {unit}"
    ax.set_ylabel(f"Repeat purchases {since}")
    ax.yaxis.set_major_formatter("{x:,.10g}")
    ax.set_xlabel(f"First day of the {unit}")
    tidy(ax)
    ax.set_ylim(bottom=0)
    return ax


def holdout_calibration(
    table: IntoDataFrame | HoldoutReport[Any], *, ax: Axes | None = None
) -> Axes:
    r"""Draw purchases in a holdout against those in calibration: actual, expected and naive.

    >>> from retainkit import datasets, holdout_report, plot
    >>> report = holdout_report(datasets.load_cdnow(sample=True), calibration_end="1997-10-01")
    >>> ax = plot.holdout_calibration(report)

    What came is a dot with its interval; a model is right where its line runs through the
    intervals. The number of customers stands beneath each frequency.

    Parameters
    ----------
    table : IntoDataFrame or HoldoutReport
        A holdout report, or its ``by_frequency``: pandas, Polars or PyArrow.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the rows of the table are at x = 0, 1, ...

    Raises
    ------
    MissingColumnError
        If a column is not in the table.
    ArgumentError
        If there are several rows for a frequency.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import holdout_calibration
    >>> table = pd.DataFrame({
    ...     "frequency": ["0", "1+"], "customers": [90, 30], "actual": [0.2, 1.1],
    ...     "expected": [0.25, 1.0], "naive": [0.0, 2.1], "lower": [0.1, 0.8], "upper": [0.3, 1.5],
    ... })
    >>> ax = holdout_calibration(table, ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['0\nn = 90', '1+\n30']
    """
    if isinstance(table, HoldoutReport):
        table = table.by_frequency
    needed = ["frequency", "customers", "actual", "expected", "naive", "lower", "upper"]
    makers = ["holdout_report(...).by_frequency"]
    frame = read_result(table, argument="table", columns=needed, made_by=makers)
    names = [str(name) for name in frame["frequency"].to_list()]
    check_one_row_each("table", names, "frequencies")
    numbers = {name: frame[name].cast(nw.Float64).to_numpy().astype(float) for name in needed[1:]}
    ax, width, _ = measure(subplots(6.4, 4.2) if ax is None else ax)
    x = np.arange(len(names))
    lines: dict[str, Any] = {"linewidth": 1.6, "markersize": 6, "markeredgewidth": 0}
    ax.plot(x, numbers["naive"], "^:", color=NAIVE, label="naive: as before", **lines)
    ax.plot(x, numbers["expected"], "s-", color=EXPECTED, label="expected by the model", **lines)
    ax.vlines(
        x, numbers["lower"], numbers["upper"], color=tone(ax, ACTUAL), linewidth=1.3, zorder=3
    )
    dots: dict[str, Any] = {"linestyle": "none", "markersize": 5.5, "zorder": 4}
    ax.plot(
        x, numbers["actual"], "o", color=tone(ax, ACTUAL), label="actual, with interval", **dots
    )
    counts = [f"{int(count):,}" for count in numbers["customers"]]
    small = width < 36 * len(names)
    counts[:1] = [count if small else f"n = {count}" for count in counts[:1]]
    labels = [f"{name}\n{count}" for name, count in zip(names, counts, strict=True)]
    ax.set_xticks(x, labels, fontsize=SMALL if small else None)
    beneath = "Repeat purchases of a customer in calibration, and number of customers"
    ax.set_xlabel(fill(beneath, max(20, int((width - 40) / 5.2))))
    ax.set_ylabel("Mean purchases of a customer\nin the holdout")
    if names:
        handles, labels = ax.get_legend_handles_labels()
        draw_legend(ax, handles[::-1], labels[::-1], style={"loc": "upper left"})
    ax.set_xlim(-0.5, max(len(names), 1) - 0.5)
    tidy(ax)
    ax.set_ylim(bottom=0)
    return ax


def _read_course(
    table: IntoDataFrame | HoldoutReport[Any], needed: list[str]
) -> tuple[Floats, dict[str, Floats]]:
    """Return days since 1970 and the columns, in the order of time."""
    if isinstance(table, HoldoutReport):
        table = table.by_period
    makers = ["tracking", "holdout_report(...).by_period"]
    frame = read_result(table, argument="table", columns=["period", *needed], made_by=makers)
    dtype = frame.schema["period"]
    if len(frame) and not (dtype == nw.Date or dtype == nw.Datetime):  # noqa: PLR1714
        raise ColumnTypeError(
            f"column 'period' of `table` holds {dtype}; it must hold dates, as the result of "
            "tracking does.",
            argument="table",
            column="period",
        )
    days = frame["period"].to_numpy().astype("datetime64[D]").astype(np.float64)
    check_one_row_each("table", days.tolist(), "periods")
    order = np.argsort(days)
    return days[order], {name: frame[name].to_numpy().astype(float)[order] for name in needed}


def _period_from_steps(days: Floats) -> str:
    """Name the period by the days from each row to the next."""
    steps = np.diff(days)
    for unit, (least, most) in _LENGTHS.items():
        if len(steps) and least <= steps.min() and steps.max() <= most:
            return unit
    return "period"


def _shade_holdout(ax: Axes, days: Floats, holdout: Booleans) -> None:
    """Shade the holdout, and name both sides."""
    x = date_numbers(days)
    step = float(np.median(np.diff(days))) if len(days) > 1 else 1.0
    ax.set_xlim(x[0] - step / 2, x[-1] + step / 2)
    if not holdout.any():
        return
    first = x[holdout][0] - step / 2
    ax.axvspan(first, x[-1] + step / 2, color=tone(ax, SHADE), linewidth=0, zorder=0, gid="holdout")
    style: dict[str, Any] = {
        "xycoords": ax.get_xaxis_transform(),
        "textcoords": "offset points",
        "va": "bottom",
        "color": legible(ax, QUIET),
        "fontsize": SMALL + 1,
    }
    ax.annotate("holdout", (first, 1.0), xytext=(4, 2), ha="left", gid="side", **style)
    if not holdout.all():
        ax.axvline(first, color=tone(ax, QUIET), linewidth=0.8, zorder=1, gid="calibration end")
        ax.annotate("calibration", (first, 1.0), xytext=(-4, 2), ha="right", gid="side", **style)


def _draw_course(ax: Axes, days: Floats, columns: dict[str, Floats], values: list[str]) -> None:
    """Draw both lines, as far as periods are complete."""
    actual, expected = (np.where(columns["complete"] > 0, columns[name], np.nan) for name in values)
    x = date_numbers(days)
    few = len(x) <= 30
    marks: dict[str, Any] = {"marker": "o", "markersize": 3.5} if few else {}
    ax.plot(x, expected, color=EXPECTED, linewidth=2, zorder=3, label="expected", gid="expected")
    ax.plot(
        x,
        actual,
        color=tone(ax, ACTUAL),
        linewidth=1.2,
        zorder=2.5,
        label="actual",
        gid="actual",
        **marks,
    )


def _mark_unfinished(
    ax: Axes, days: Floats, columns: dict[str, Floats], values: list[str], unit: str
) -> None:
    """Draw periods that are not over as hollow marks that no line leads to."""
    unfinished = columns["complete"] == 0
    if not unfinished.any():
        return
    hollow: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "markersize": 5, "zorder": 4}
    for name, colour in zip(values, (ACTUAL, EXPECTED), strict=True):
        ax.plot(
            date_numbers(days[unfinished]),
            columns[name][unfinished],
            "o",
            markeredgecolor=tone(ax, colour) if colour == ACTUAL else colour,
            clip_on=False,
            gid="unfinished",
            label=f"{unit} not over, so far" if name == values[0] else None,
            **hollow,
        )
