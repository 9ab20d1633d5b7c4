"""Picture of a projection: survival as observed, as fitted, and as it may go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from retainkit._frames.input import read_result
from retainkit._frames.segments import factorize_segments, segment_columns
from retainkit._inputs.cohort_table import check_numbers
from retainkit._typing import Booleans, Floats
from retainkit.errors import ArgumentError
from retainkit.plot._axes import draw_legend, measure, percent, subplots, tidy
from retainkit.plot._reading import unit_of_age
from retainkit.plot._style import MARKERS, PALETTE, QUIET, SMALL, TEXT, legible, tone
from retainkit.typing import IntoDataFrame

NARROW = 280  # points of width in which the legend must be brief
_NUMERIC_COLUMNS = ("age", "customers", "observed", "fitted", "projected", "lower", "upper")


def projection(
    table: IntoDataFrame,
    *,
    ax: Axes | None = None,
    period: str | None = None,
    palette: Sequence[str] = PALETTE,
) -> Axes:
    """Draw the survival of cohorts: observed, fitted, and projected with its interval.

    >>> from retainkit import datasets, fit_sbg, plot, survival_curve
    >>> curve = survival_curve(datasets.make_subscriptions(500, seed=1, polarization=0.5))
    >>> table = fit_sbg(curve, holdout=6).project(curve, horizon=12)
    >>> ax = plot.projection(table, period="month")

    Dots are what was observed, hollow ones what the model has not seen; the line is the model's, as
    far as it was fitted, and dashed from there on, with the interval as a band. The legend gives
    how far the projection was off, on average, where it could be compared.

    Parameters
    ----------
    table : IntoDataFrame
        Result of ``project`` of a model: pandas, Polars or PyArrow. Columns left of ``age``
        name the cohorts, of which there may be as many as there are colours.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.
    period : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of age, for the label of the axis. The table does not hold it.
    palette : sequence of str, optional
        Colours of the cohorts in turn; by default safe for all kinds of colour vision.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; x is the age, y the share of the cohort from 0 to 1.

    Raises
    ------
    MissingColumnError
        If a column is not in the table.
    ColumnTypeError
        If one does not hold numbers.
    ArgumentError
        If there are several rows for a cohort and age, or more cohorts than colours, or `period` is
        none of the words.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import projection
    >>> from retainkit import SBG
    >>> table = pd.DataFrame({"age": [0, 1, 2, 3], "retained": [10, 6, 5, 4]})
    >>> found = SBG(alpha=1, beta=2).project(table, horizon=4, holdout=1)
    >>> ax = projection(found, ax=Figure().subplots(), period="year")
    >>> ax.get_xlabel()
    'Age (years since the start)'
    >>> [line.get_xdata().tolist() for line in ax.lines if line.get_gid() == "held out"]
    [[3.0]]
    """
    unit = unit_of_age(period)
    cohorts, names = _read_cohorts(table, len(palette))
    ax, width, _ = measure(subplots(7.0, 4.2) if ax is None else ax)
    for index, cohort in enumerate(cohorts):
        _draw_cohort(ax, cohort, palette[index], MARKERS[index % len(MARKERS)])
    _mark_end_of_fit(ax, cohorts)
    ax.set_xlabel(f"Age ({unit})")
    ax.set_ylabel("Share of customers still there")
    _set_projection_scales(ax, cohorts, width)
    if cohorts:
        _draw_projection_legend(ax, cohorts, names, palette, narrow=width < NARROW)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cohort:
    """One cohort, ascending by age; NaN where there is nothing."""

    label: str
    customers: float
    age: Floats
    observed: Floats
    fitted: Floats
    projected: Floats
    lower: Floats
    upper: Floats
    held_out: Booleans

    @property
    def known(self) -> Booleans:
        """Ages that the model was fitted to."""
        known: Booleans = ~np.isnan(self.fitted)
        return known

    @property
    def off(self) -> float:
        """Mean absolute error at the ages held out."""
        return float(np.abs((self.projected - self.observed)[self.held_out]).mean())


def _read_cohorts(table: IntoDataFrame, most: int) -> tuple[list[_Cohort], list[str]]:
    """Read the cohorts of a table, and the names of the columns that tell them apart."""
    frame = read_result(
        table, argument="table", columns=[*_NUMERIC_COLUMNS, "held_out"], made_by=["project"]
    )
    names = segment_columns(frame, ("age",))
    check_numbers(frame, "table", _NUMERIC_COLUMNS, complete=("age", "customers"))
    segments, line = factorize_segments(frame, names)
    numbers = {name: frame[name].to_numpy().astype(np.float64) for name in _NUMERIC_COLUMNS}
    held_out = frame["held_out"].to_numpy().astype(bool)
    cohorts = []
    for code in range(int(line.max(initial=-1)) + 1):
        own = np.flatnonzero(line == code)
        own = own[np.argsort(numbers["age"][own], kind="stable")]
        columns = {name: values[own] for name, values in numbers.items()}
        if (np.diff(columns["age"]) == 0).any():
            raise ArgumentError(
                "`table` has several rows for one age of a cohort, and one row for each can be "
                "drawn. The columns that tell cohorts apart must stand left of 'age'.",
                code="duplicate_rows",
                argument="table",
            )
        size = float(columns.pop("customers")[0])
        label = ", ".join(_cohort_label(series[code]) for series in segments.values())
        cohorts.append(_Cohort(label=label, customers=size, held_out=held_out[own], **columns))
    if len(cohorts) > most:
        raise ArgumentError(
            f"`table` holds {len(cohorts)} cohorts of {', '.join(map(repr, names))}, and there are "
            f"{most} colours. Filter it to the cohorts that matter first.",
            code="several_segments",
            argument="table",
        )
    return cohorts, names


def _cohort_label(value: Any) -> str:
    """Write a value of a cohort without the midnight that a date has in pandas."""
    return str(value).removesuffix(" 00:00:00")


def _draw_cohort(ax: Axes, cohort: _Cohort, colour: str, marker: str) -> None:
    known, ahead = cohort.known, ~np.isnan(cohort.projected)
    ax.plot(
        cohort.age[known], cohort.fitted[known], color=colour, linewidth=1.8, zorder=3, gid="fitted"
    )
    if ahead.any():
        # The projection sets out from the last share that the model knows.
        last = np.flatnonzero(known)[-1:]
        age, begin = np.append(cohort.age[last], cohort.age[ahead]), cohort.observed[last]
        low, curve, high = (
            np.append(begin, values[ahead])
            for values in (cohort.lower, cohort.projected, cohort.upper)
        )
        ax.fill_between(
            age, low, high, color=colour, alpha=0.16, linewidth=0, zorder=1.5, gid="band"
        )
        ax.plot(age, curve, color=colour, linewidth=1.8, dashes=(4, 2), zorder=3, gid="projected")
    dots: dict[str, Any] = {"linestyle": "none", "clip_on": False, "color": colour}
    dots |= {"marker": marker, "markersize": 5.5}
    seen = known & ~np.isnan(cohort.observed)
    ax.plot(
        cohort.age[seen], cohort.observed[seen], markeredgewidth=0, zorder=4, gid="observed", **dots
    )
    if cohort.held_out.any():
        ax.plot(
            cohort.age[cohort.held_out],
            cohort.observed[cohort.held_out],
            markerfacecolor=ax.get_facecolor(),
            markeredgewidth=1.2,
            zorder=4,
            gid="held out",
            **dots,
        )


def _mark_end_of_fit(ax: Axes, cohorts: list[_Cohort]) -> None:
    """Draw a line where the fit ends, if that is one age for all."""
    ends = {float(cohort.age[cohort.known].max(initial=-1)) for cohort in cohorts}
    if len(ends) != 1 or all(cohort.known.all() for cohort in cohorts):
        return
    end = ends.pop()
    ax.axvline(end, color=tone(ax, QUIET), linewidth=0.8, zorder=1, gid="end of fit")
    for side, word, ha in ((-4, "fitted", "right"), (4, "projected", "left")):
        ax.annotate(
            word,
            (end, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(side, 2),
            textcoords="offset points",
            ha=ha,
            va="bottom",
            color=legible(ax, QUIET),
            fontsize=SMALL + 1,
            gid="side",
        )


def _set_projection_scales(ax: Axes, cohorts: list[_Cohort], width: float) -> None:
    ages = np.concatenate([cohort.age for cohort in cohorts] or [np.zeros(1)])
    space = 0.02 * float(np.ptp(ages)) or 0.5
    ax.set_xlim(float(ages.min()) - space, float(ages.max()) + space)
    ax.xaxis.set_major_locator(MaxNLocator(max(2, int(width / 24)), integer=True))
    ax.yaxis.set_major_formatter(percent())
    tidy(ax)
    ax.set_ylim(0, 1)


def _draw_projection_legend(
    ax: Axes, cohorts: list[_Cohort], names: Sequence[str], palette: Sequence[str], *, narrow: bool
) -> None:
    """Name the cohorts by colour, and what the marks mean in grey; one cohort needs no grey."""
    one = len(cohorts) == 1
    ink = palette[0] if one else tone(ax, "#5f5f5f")
    handles: list[Artist] = []
    if not one:
        for index, cohort in enumerate(cohorts):
            off = f"; off by {_points(cohort.off)}" if cohort.held_out.any() else ""
            style: dict[str, Any] = {"color": palette[index], "linewidth": 1.8, "markersize": 5.5}
            style |= {"marker": MARKERS[index % len(MARKERS)], "markeredgewidth": 0}
            label = f"{cohort.label} ({cohort.customers:,.10g}{off})"
            handles.append(Line2D([], [], label=label, **style))
    brief = narrow or not one
    size = "" if brief else f" ({cohorts[0].customers:,.10g} customers)"
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": ink, "markersize": 5.5}
    handles.append(Line2D([], [], label=f"observed{size}", markeredgewidth=0, **dot))
    if any(cohort.held_out.any() for cohort in cohorts):
        off = "" if brief else f" (off by {_points(cohorts[0].off)} on average)"
        hollow: dict[str, Any] = {"markerfacecolor": ax.get_facecolor(), "markeredgewidth": 1.2}
        handles.append(Line2D([], [], label=f"held out{off}", **dot, **hollow))
    handles.append(Line2D([], [], color=ink, linewidth=1.8, label="fitted"))
    ahead = [cohort for cohort in cohorts if not np.isnan(cohort.projected).all()]
    handles += _projected_handles(ahead, ink)
    title = f"{', '.join(names)} (customers)" if names and not one else ""
    style = {"loc": "best", "handlelength": 2.4}
    draw_legend(ax, handles, title=title, size=SMALL if narrow else TEXT, style=style)


def _projected_handles(cohorts: list[_Cohort], ink: str) -> list[Artist]:
    """Return the legend's entries of the projection, and of its band if there is one."""
    if not cohorts:
        return []
    handles: list[Artist] = [
        Line2D([], [], color=ink, linewidth=1.8, dashes=(4, 2), label="projected")
    ]
    if any(not np.isnan(cohort.lower[~cohort.known]).all() for cohort in cohorts):
        handles.append(Patch(color=ink, alpha=0.16, linewidth=0, label="its interval"))
    return handles


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
