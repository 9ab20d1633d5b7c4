"""Picture of the value of customers: how the total is shared among them."""

from __future__ import annotations

from math import ceil, floor, log10
from textwrap import fill
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from retainkit._checks import probability
from retainkit._frames.input import read_result
from retainkit._messages import count_noun
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.plot._axes import measure, percent, subplots, tidy
from retainkit.plot._style import PALETTE, POINTS, QUIET, SMALL, TEXT, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoDataFrame


def cltv_distribution(
    table: IntoDataFrame, *, value: str = "cltv", top: float = 0.1, ax: Axes | None = None
) -> Axes:
    """Draw how the total value is shared among customers, the most valuable first.

    >>> from retainkit import cltv, datasets, plot
    >>> table = cltv(datasets.load_cdnow(sample=True), horizon="12 months")
    >>> ax = plot.cltv_distribution(table)

    The line gives the share of the total that the most valuable 1%, 10%, ... of customers hold; if
    all had the same value, it would run along the dashes. A sentence reads it off at `top`. Where
    there is room, a histogram shows how many customers have which value, those of `top` in another
    colour, on a logarithmic scale of at most four powers of ten; it counts those below.

    Parameters
    ----------
    table : IntoDataFrame
        One row a customer, as `retainkit.cltv` or `retainkit.cltv_from_models` gives it: pandas,
        Polars or PyArrow.
    value : str, default "cltv"
        Column of the value, in the unit of the amounts.
    top : float, default 0.1
        Share of the customers that the sentence is about, between 0 and 1.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the share of the customers and y that of the total, from 0 to 1.
        Customers without a value (NaN, null) are not drawn, but counted beneath.

    Raises
    ------
    MissingColumnError
        If the column is not in the table.
    ColumnTypeError, ArgumentTypeError
        If the column or an argument is of the wrong type.
    ArgumentError
        If a value is infinite, or `top` is not between 0 and 1.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    A lifetime value out of a model is an expectation, and expectations differ less than what
    customers will really spend: that will be shared more unequally than the line says.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import cltv_distribution
    >>> table = pd.DataFrame({"customer_id": [1, 2, 3, 4], "cltv": [10.0, 60.0, 0.0, 30.0]})
    >>> ax = cltv_distribution(table, top=0.25, ax=Figure(figsize=(6, 5)).subplots())
    >>> ax.lines[-1].get_xydata().tolist()
    [[0.25, 0.6]]
    >>> ax.get_ylabel()
    'Share of the total CLTV of 100'
    """
    share = probability("top", top)
    ranked, unknown = _ranked_values(table, value)
    total = float(ranked.sum())
    ax, width, height = measure(subplots(6.0, 4.4) if ax is None else ax)
    name = "CLTV" if value == "cltv" else value
    label = f"Share of the total {name}"
    if total > 0:
        held = _draw_cumulative_shares(ax, ranked, total, share)
        label += f" of {_short_number(total)}"
        roomy = width > 270 and height > 190
        lines = (f"The top {100 * share:g}% of customers", f"hold {in_percent(held)} of the {name}")
        text = "\n".join(lines) if roomy else fill(" ".join(lines), max(14, int(0.1 * width)))
        style: dict[str, Any] = {"ha": "right", "va": "bottom", "parse_math": False}
        style |= {"color": legible(ax, PALETTE[1]), "fontsize": TEXT, "gid": "share"}
        style["bbox"] = {"facecolor": ax.get_facecolor(), "linewidth": 0, "pad": 1}
        ax.text(0.97, 0.38 if roomy else 0.04, text, **style)
        if roomy:
            place = ax.inset_axes((0.53, 0.17, 0.44, 0.19), facecolor=ax.get_facecolor())
            _draw_histogram(place, ranked, ceil(share * len(ranked)), name)
    else:
        text = "No customers" if not len(ranked) else f"The total {name} is {_short_number(total)}"
        ax.text(
            0.5, 0.5, text, ha="center", va="center", color=legible(ax, QUIET), parse_math=False
        )
    ax.set_ylabel(fill(label, max(16, int((height - 40) / 5.6))), parse_math=False)
    notes = [f"Customers, the most valuable first (n = {len(ranked):,})"]
    if unknown:
        notes.append(f"{count_noun(unknown, 'customer')} without a value (NaN) not drawn")
    ax.set_xlabel("\n".join(fill(note, max(22, int((width - 40) / 5.6))) for note in notes))
    tidy(ax)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(percent())
    ax.yaxis.set_major_formatter(percent())
    return ax


def _ranked_values(table: IntoDataFrame, value: str) -> tuple[Floats, int]:
    """Return the values from the highest down, and the number of customers without one."""
    frame = read_result(
        table, argument="table", columns=[value], made_by=["cltv", "cltv_from_models"]
    )
    column = frame[value]
    if len(frame) and not column.dtype.is_numeric() and not column.is_null().all():
        raise ColumnTypeError(
            f"column {value!r} of `table` holds {column.dtype}; it must hold numbers, as the "
            "result of cltv does.",
            argument="table",
            column=value,
        )
    values = column.cast(nw.Float64).to_numpy().astype(float)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise ArgumentError(
            f"column {value!r} of `table` is infinite in {count_noun(infinite, 'row')}, of "
            f"{len(values):,}; of an infinite total there are no shares. Leave them out first.",
            code="infinite_values",
            argument="table",
            column=value,
            rows=infinite,
            total=len(values),
        )
    known = values[~np.isnan(values)]
    return np.sort(known)[::-1], len(values) - len(known)


def _draw_cumulative_shares(ax: Axes, ranked: Floats, total: float, top: float) -> float:
    """Draw the share of the total that each share of customers holds; return that of the top."""
    customers = np.arange(len(ranked) + 1) / len(ranked)
    held = np.append(0.0, np.cumsum(ranked)) / total
    at_top = float(np.interp(top, customers, held))
    mark: dict[str, Any] = {"color": PALETTE[1], "linewidth": 1}
    along: dict[str, Any] = {"rotation": 45, "transform_rotates_text": True}
    along["color"] = legible(ax, QUIET)
    place: dict[str, Any] = {"ha": "center", "va": "top", "rotation_mode": "anchor"}
    beneath = 0.74 - 4 / POINTS * ax.figure.dpi / ax.bbox.height
    ax.text(0.74, beneath, "equal shares", fontsize=SMALL + 1, **along, **place)
    ax.plot(
        [0, 1], [0, 1], color=tone(ax, QUIET), linewidth=0.8, linestyle=(0, (4, 3)), gid="equal"
    )
    ax.plot([top, top, 0], [0, at_top, at_top], **mark, gid="top lines")
    ax.plot(customers, held, color=PALETTE[0], linewidth=2, clip_on=False, gid="shares")
    ax.plot([top], [at_top], "o", color=PALETTE[1], markersize=6, zorder=4, gid="top")
    ax.set_ylim(min(0.0, held.min()), max(1.0, held.max()))
    return at_top


def _draw_histogram(ax: Axes, ranked: Floats, top: int, name: str) -> None:
    """Draw a histogram of values on a logarithmic scale, with the top in another colour."""
    # The smallest values would take all the room: four powers of ten are enough.
    drawn = ranked[ranked >= ranked[0] / 1e4]
    low, high = float(drawn[-1]), float(drawn[0])
    bins = np.geomspace(low, high, 31) if high > low else np.array([low / 1.1, low * 1.1])
    bins[[0, -1]] = min(bins[0], low), max(bins[-1], high)
    colours = [PALETTE[0], PALETTE[1]]
    ax.hist(
        [drawn[top:], drawn[:top]], bins=bins.tolist(), stacked=True, color=colours, rwidth=0.85
    )
    ax.set_xscale("log")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.yaxis.set_major_locator(NullLocator())
    decades = 10.0 ** np.arange(floor(log10(low)), log10(high) + 1)
    marks = decades[(decades >= low) & (decades <= high)].tolist()
    ax.xaxis.set_major_locator(FixedLocator(marks if len(marks) > 1 else [low, high]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short_number(x)))
    ax.tick_params(labelsize=SMALL + 1, length=3)
    label = f"{name} of a customer (median {_short_number(float(np.median(ranked)))})"
    rest = len(ranked) - len(drawn)
    label += f"\n{rest:,} below {_short_number(low)} not drawn" if rest else ""
    ax.set_xlabel(label, fontsize=SMALL + 1, parse_math=False)


def _short_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"
