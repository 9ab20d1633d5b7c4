"""Picture of growth accounting: new, retained, resurrected and churned customers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from retainkit._checks import boolean
from retainkit.plot._axes import ABOVE, draw_legend, measure, subplots, tidy
from retainkit.plot._periods import Periods, draw_periods, pad_periods, read_periods
from retainkit.plot._reading import as_floats
from retainkit.plot._style import GREY, HATCH, PALETTE, SMALL, TEXT
from retainkit.typing import IntoDataFrame

# In the order of the stack from its top, which is that of the legend.
CUSTOMERS = {
    "new": PALETTE[0],
    "resurrected": PALETTE[2],
    "retained": "#b9c4cf",
    "churned": PALETTE[1],
}
AMOUNTS = {
    "new_amount": PALETTE[0],
    "resurrected_amount": PALETTE[2],
    "expansion": PALETTE[5],
    "retained_amount": "#b9c4cf",
    "contraction": PALETTE[4],
    "churned_amount": PALETTE[1],
}
BELOW = {"contraction", "churned", "churned_amount"}


def growth_accounting(
    table: IntoDataFrame, *, amount: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw for each period the active customers by where they come from, and those lost.

    >>> from retainkit import datasets, growth_accounting, plot
    >>> table = growth_accounting(datasets.make_events(500, seed=1))
    >>> ax = plot.growth_accounting(table)

    Above the axis are the customers who were active in the period before too, those who come back
    after a pause, and those who are new: together the active customers. Below it are those who are
    no longer active; the axis counts them from 0 downwards. Where more are below than new and
    resurrected above, there are fewer active customers than before. A period that is not over is
    hatched.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.growth_accounting` for one segment: pandas, Polars or PyArrow.
    amount : bool, default False
        Draw amounts instead of customers, with those who are retained split into what they spent
        in the period before too and what came on top (expansion), and what they no longer spend
        (contraction) below. The table must have been made with `amount`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the periods are at x = 0, 1, ..., and y counts customers, or the amount
        in the unit of the table.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a period.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError, ArgumentTypeError
        If ``period`` does not hold dates, or `amount` is not a bool.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import datetime as dt
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import growth_accounting
    >>> table = pd.DataFrame({
    ...     "period": [dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1)], "new": [40, 25],
    ...     "retained": [0, 30], "resurrected": [0, 0], "churned": [0, 10], "complete": True,
    ... })
    >>> ax = growth_accounting(table, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'Customers in a month'
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['new', 'resurrected', 'retained', 'churned']
    """
    money = boolean("amount", amount)
    colours = AMOUNTS if money else CUSTOMERS
    periods, data = read_periods(
        table, "table", [*colours, "complete"], made_by=["growth_accounting"]
    )
    ax, width, _ = measure(subplots(7.0, 4.2) if ax is None else ax)
    complete = [bool(one) for one in data["complete"]]
    if periods.days:
        values = {name: as_floats(data[name]) for name in colours}
        _draw_stacks(ax, periods, values, colours, complete)
        draw_periods(ax, periods, width)
        _name_colours(ax, colours, "" if all(complete) else periods.noun, width)
        pad_periods(ax, periods, 0.6, 1.5)
    what = "Amount" if money else "Customers"
    ax.set_ylabel(f"{what} in {periods.one}")
    if periods.unit == "week":
        ax.set_xlabel("First day of the week")
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.10g}")
    tidy(ax)
    ax.spines["bottom"].set_visible(False)
    return ax


def _draw_stacks(
    ax: Axes,
    periods: Periods,
    values: Mapping[str, Sequence[float]],
    colours: Mapping[str, str],
    complete: Sequence[bool],
) -> None:
    """Stack a bar for each period, upwards and downwards from the axis."""
    x = periods.places.tolist()
    tops = {True: [0.0] * len(x), False: [0.0] * len(x)}
    # From the axis outwards: what is above is listed from the top.
    above = [name for name in colours if name not in BELOW]
    for name in [*reversed(above), *(name for name in colours if name in BELOW)]:
        down, colour = name in BELOW, colours[name]
        foot = tops[down]
        heights = [0.0 if math.isnan(one) else (-one if down else one) for one in values[name]]
        bars = ax.bar(
            x, heights, 0.8, foot, color=colour, edgecolor="white", linewidth=0.4, zorder=2
        )
        for bar, whole in zip(bars, complete, strict=True):
            bar.set_gid(name)
            if not whole:
                bar.set(hatch=HATCH, edgecolor="white", alpha=0.75)
        tops[down] = [low + high for low, high in zip(foot, heights, strict=True)]
    ax.axhline(0, color=ax.spines["bottom"].get_edgecolor(), linewidth=0.9, zorder=3)


def _name_colours(ax: Axes, colours: Mapping[str, str], unfinished: str, width: float) -> None:
    """Name the colours above the axes, in the order of the stack."""
    handles: list[Artist] = [
        Patch(facecolor=colour, label=name.removesuffix("_amount"))
        for name, colour in colours.items()
    ]
    if unfinished:
        grey: dict[str, Any] = {"facecolor": GREY, "edgecolor": "white", "hatch": HATCH}
        handles.append(Patch(label=f"{unfinished} not over", **grey))
    fits = max(2, int(width / 74))
    rows = math.ceil(len(handles) / fits)
    style = {**ABOVE, "ncols": math.ceil(len(handles) / rows), "borderaxespad": 0.2}
    style |= {"handlelength": 1.2, "handletextpad": 0.5, "columnspacing": 1.2}
    draw_legend(ax, handles, size=TEXT if width > 280 else SMALL + 0.5, style=style)
