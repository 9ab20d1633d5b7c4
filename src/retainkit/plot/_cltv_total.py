"""Picture of totals of customer lifetime value: by segment and of all, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from retainkit._checks import as_array, one_of
from retainkit._messages import count_noun, quoted
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.plot._axes import ABOVE, draw_legend, measure, subplots, tidy
from retainkit.plot._reading import Columns, as_floats, read_result_columns, segment_labels
from retainkit.plot._style import BLACK, PALETTE, QUIET, SMALL, TEXT, tone
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame, Numbers, TotalValues

_LIMITS = {
    "cltv": ("lower", "upper"),
    "mean_cltv": ("mean_lower", "mean_upper"),
    "expected_purchases": ("purchases_lower", "purchases_upper"),
}
_NAMES = {
    "cltv": "Total value",
    "mean_cltv": "Value for each customer",
    "expected_purchases": "Expected purchases",
}
_ALL = "all_customers"


def cltv_total(
    table: IntoDataFrame,
    *,
    values: TotalValues = "cltv",
    actual: float | Numbers | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw totals of customer lifetime value with their intervals, and what came in the end.

    >>> from retainkit import cltv_total, datasets, fit_bg_nbd, fit_gamma_gamma, plot, rfm_summary
    >>> table = rfm_summary(datasets.load_cdnow(sample=True), amount="amount")
    >>> total = cltv_total(table, fit_bg_nbd(table), fit_gamma_gamma(table))
    >>> ax = plot.cltv_total(total)

    The thin line is the whole interval; of a value the thick part is what the parameters alone
    leave open, which is the same for all customers, and only more data to fit make narrower.

    Parameters
    ----------
    table : IntoDataFrame
        What `retainkit.cltv_total` gives: pandas, Polars or PyArrow.
    values : {"cltv", "mean_cltv", "expected_purchases"}, default "cltv"
        What to draw: the total value, that for each customer, by which segments of different size
        can be compared, or the expected purchases.
    actual : float or array of float, optional
        What came in the end, in the same unit: a number where the table has one row, or one for
        each row, NaN where it is not known.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the value, and the rows are at y = 0, 1, ... from the top. A row
        without an interval is a mark alone.

    Raises
    ------
    ArgumentError
        If `values` is none of these, or `actual` has another length than the table.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import cltv_total
    >>> table = pd.DataFrame({
    ...     "channel": ["shop", "web", None], "all_customers": [False, False, True],
    ...     "cltv": [900.0, 600.0, 1500.0], "lower": [700.0, 480.0, 1250.0],
    ...     "upper": [1150.0, 750.0, 1800.0], "parameter_share": [0.3, 0.4, 0.6],
    ... })
    >>> ax = cltv_total(table, actual=[800, 720, 1520], ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['shop', 'web', 'all customers']
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['interval', 'of that, the parameters', 'actual']
    """
    one_of("values", values, get_args(TotalValues))
    needed = (_ALL, values, *_LIMITS[values])
    data, segments = read_result_columns(
        table, "table", [_ALL], needed, ["parameter_share"], made_by=["cltv_total"]
    )
    labels = _row_labels(data, segments)
    came = _actual(actual, len(labels))
    ax = subplots(7.0, 1.4 + 0.32 * max(len(labels), 2)) if ax is None else ax
    ax, width, height = measure(ax)
    size = TEXT if width > 280 and height > 15 * len(labels) else SMALL
    if labels:
        most = max(10, int(width / 10))
        shown = [shorten(label, most) for label in labels]
        ax.set_yticks(range(len(labels)), shown, fontsize=size, parse_math=False)
        ax.set_ylim(len(labels) - 0.4, -0.6)
        kinds = _draw_totals(ax, data, values) + _draw_actual(ax, came)
        style = {**ABOVE, "ncols": len(kinds), "handletextpad": 0.5, "columnspacing": 1.2}
        if kinds:
            draw_legend(ax, kinds, size=size, style=style)
    ax.set_xlabel(_NAMES[values], fontsize=size)
    ax.tick_params(axis="x", labelsize=size)
    ax.xaxis.set_major_locator(MaxNLocator(max(2, int(width / 55))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    tidy(ax, "x")
    ax.set_xlim(0, 1.03 * ax.get_xlim()[1])
    return ax


def _row_labels(data: Columns, segments: Sequence[str]) -> list[str]:
    """Return the name of each row: its segment, or all customers."""
    every = segment_labels(data, segments) if segments else data[_ALL]
    pairs = zip(every, data[_ALL], strict=True)
    return ["all customers" if of_all else str(label) for label, of_all in pairs]


def _actual(given: Any, n_rows: int) -> Floats:
    """Return what came of each row; NaN where it is not known."""
    if given is None:
        return np.full(n_rows, np.nan)
    found = np.atleast_1d(as_array("actual", given)).astype(np.float64)
    if found.shape != (n_rows,):
        raise ArgumentError(
            f"`actual` is {quoted(given)}; it must have one number for each of the "
            f"{count_noun(n_rows, 'row')} of `table`.",
            code="argument_value",
            argument="actual",
        )
    return found


def _draw_totals(ax: Axes, data: Columns, values: str) -> list[Line2D]:
    """Draw the totals with their intervals; return what the legend shows."""
    middle, low, high = (np.array(as_floats(data[name])) for name in (values, *_LIMITS[values]))
    ink, rows = tone(ax, BLACK), np.arange(len(middle))
    known = np.isfinite(low) & np.isfinite(high)
    ax.hlines(rows[known], low[known], high[known], color=ink, linewidth=1.2, gid="interval")
    kinds = [Line2D([], [], color=ink, linewidth=1.2, label="interval")] if known.any() else []
    share = data.get("parameter_share")
    if share is not None and values != "expected_purchases":
        # The limits are those of a logarithm, of whose variance this is the share.
        root = np.sqrt(np.array(as_floats(share)))
        with np.errstate(divide="ignore", invalid="ignore"):
            near, far = (middle * (limit / middle) ** root for limit in (low, high))
        some = known & np.isfinite(near) & np.isfinite(far)
        style: dict[str, Any] = {"color": PALETTE[5], "linewidth": 4}
        if some.any():
            ax.hlines(rows[some], near[some], far[some], gid="parameters", **style)
            kinds.append(Line2D([], [], label="of that, the parameters", **style))
    for y, of_all in enumerate(data[_ALL]):
        mark = "s" if of_all else "o"
        ax.plot([middle[y]], [y], mark, color=PALETTE[0], markersize=6, zorder=3, gid="total")
    if any(data[_ALL]) and len(middle) > 1:
        ax.axhline(len(middle) - 1.5, color=tone(ax, QUIET), linewidth=0.6, gid="none")
    return kinds


def _draw_actual(ax: Axes, came: Floats) -> list[Line2D]:
    """Draw what came in the end; return what the legend shows."""
    rows = np.flatnonzero(np.isfinite(came))
    if not len(rows):
        return []
    style: dict[str, Any] = {"color": PALETTE[1], "marker": "D", "markersize": 5, "linestyle": ""}
    ax.plot(came[rows], rows, zorder=4, gid="actual", **style)
    return [Line2D([], [], label="actual", **style)]
