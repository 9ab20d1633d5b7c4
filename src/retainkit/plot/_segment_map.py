"""Picture of customers by their scores of recency and frequency."""

from __future__ import annotations

from textwrap import fill
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_hex
from matplotlib.ticker import MaxNLocator

from retainkit._checks import one_of
from retainkit._frames.input import read_result
from retainkit._inputs.cohort_table import check_numbers
from retainkit._typing import Array, Floats, Integers
from retainkit.plot._axes import draw_colour_bar, measure, subplots
from retainkit.plot._style import DARK, LIGHT, SMALL, TEXT, ink_on, sequential
from retainkit.plot._text import in_percent, shorten
from retainkit.typing import IntoDataFrame, SegmentValues


def segment_map(
    table: IntoDataFrame,
    *,
    values: SegmentValues = "customers",
    segment: str | None = None,
    cmap: str | Colormap | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many customers there are by recency and frequency, or what they paid.

    >>> from retainkit import datasets, plot, rfm_scores
    >>> scores = rfm_scores(datasets.load_cdnow(sample=True).query("amount > 0"), bins=3)
    >>> ax = plot.segment_map(scores)

    A cell for each score of recency (r, across) and of frequency (f, upwards), as dark as its share
    of all customers, or of all money. Where `segment` names a column, the cells of a segment are
    joined, with its name and its share.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.rfm_scores`, with or without a column of segments: pandas, Polars or
        PyArrow.
    values : {"customers", "monetary"}, default "customers"
        Whether shares are of the customers, or of the money in the column ``monetary``, where
        amounts below 0 count as 0.
    segment : str, optional
        Column of segments; a cell is of the segment that most of its customers are in.
    cmap : str or matplotlib.colors.Colormap, optional
        Sequential colour map; by default even steps of lightness from pale to navy.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is r and y is f, from 1 on. Cells without customers are white. The
        colour bar stands above, in axes of its own.

    Raises
    ------
    MissingColumnError
        If a column is not in the table.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If `values` is not one of its choices, or a score is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    By their own cuts, each score of recency has about a fifth of the customers: then columns are
    alike by construction, and the picture shows how frequency goes with recency. With cuts that
    stay, columns show who moved.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import segment_map
    >>> scores = pd.DataFrame({"r": [1, 1, 1, 2], "f": [1, 1, 2, 2]})
    >>> ax = segment_map(scores, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Recency score (r)', 'Frequency score (f)')
    >>> [text.get_text() for text in ax.texts]
    ['50%', '25%', '25%']
    """
    one_of("values", values, get_args(SegmentValues))
    money = values == "monetary"
    needed = ["r", "f", *(["monetary"] if money else []), *([segment] if segment else [])]
    frame = read_result(table, argument="table", columns=needed, made_by=["rfm_scores"])
    numbers = needed[: 2 + money]
    check_numbers(frame, "table", numbers, complete=numbers)
    r, f = (frame[name].to_numpy().astype(np.int64) for name in ("r", "f"))
    weight = np.ones(len(r))
    if money:
        weight = np.maximum(frame["monetary"].to_numpy().astype(np.float64), 0.0)
    ax, width, height = measure(subplots(5.6, 5.0) if ax is None else ax)
    sizes = int(f.max(initial=1)), int(r.max(initial=1))
    share = _sums(r, f, weight / (weight.sum() or 1.0), sizes)
    shown = _sums(r, f, np.ones(len(r)), sizes) > 0
    shades: Any = ScalarMappable(norm=Normalize(0, share.max() or 1.0), cmap=sequential(cmap))
    edges = [np.arange(size + 1) + 0.5 for size in sizes[::-1]]
    style: dict[str, Any] = {"cmap": shades.cmap, "norm": shades.norm, "gid": "cells"}
    ax.pcolormesh(*edges, np.ma.masked_where(~shown, share), **style)
    room = width / sizes[1], height / sizes[0]
    if segment is None:
        _draw_shares(ax, share, shown, shades, room)
    else:
        names = np.array([str(one) for one in frame[segment].to_list()], object)
        _draw_segments(ax, _most_common(r, f, names, sizes), share, room)
    ax.set_xlabel("Recency score (r)")
    ax.set_ylabel("Frequency score (f)")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(12, integer=True))
    what = "Share of all money" if money else f"Share of customers (n = {len(r):,})"
    label = fill(what, max(16, int(width / 5)))
    draw_colour_bar(ax, shades, label, 8 / height, ticks=5, rates=True)
    return ax


def _sums(r: Integers, f: Integers, weight: Floats, sizes: tuple[int, int]) -> Floats:
    """Add weights up by cell: a row for each score of frequency."""
    place = (f - 1) * sizes[1] + r - 1
    # Of nothing at all the sum is an integer.
    sums = np.bincount(place, weight, sizes[0] * sizes[1]).astype(np.float64)
    return sums.reshape(sizes)


def _most_common(r: Integers, f: Integers, names: Array, sizes: tuple[int, int]) -> Array:
    """Return the segment of each cell, None where nobody is."""
    found = np.full(sizes, None, object)
    most = np.zeros(sizes)
    for name in sorted({*names.tolist()}):
        own = names == name
        number = _sums(r[own], f[own], np.ones(int(own.sum())), sizes)
        found[number > most] = name
        most = np.maximum(most, number)
    return found


def _draw_shares(
    ax: Axes, share: Floats, shown: Array, shades: Any, room: tuple[float, float]
) -> None:
    """Write its share into each cell that has room for it."""
    if room[0] < 3.2 * SMALL or room[1] < 1.6 * SMALL:
        return
    for row, column in np.argwhere(shown):
        ink = ink_on(to_hex(shades.to_rgba(share[row, column])))
        text = in_percent(float(share[row, column]))
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "gid": "share"}
        ax.text(column + 1, row + 1, text, fontsize=min(TEXT, room[0] / 4), **style)


def _draw_segments(ax: Axes, cells: Array, share: Floats, room: tuple[float, float]) -> None:
    """Draw lines between segments, and write the name and the share of each in its widest row."""
    rows, columns = cells.shape
    line: dict[str, Any] = {"color": LIGHT, "linewidth": 2.5, "gid": "border"}
    for row in range(rows):
        for column in range(columns):
            if column and cells[row, column] != cells[row, column - 1]:
                ax.plot([column + 0.5] * 2, [row + 0.5, row + 1.5], **line)
            if row and cells[row, column] != cells[row - 1, column]:
                ax.plot([column + 0.5, column + 1.5], [row + 0.5] * 2, **line)
    for name in dict.fromkeys(one for one in cells.ravel().tolist() if one is not None):
        own = cells == name
        row = int(np.argmax(own.sum(axis=1)))
        across = np.flatnonzero(own[row])
        up = np.flatnonzero(own[:, across[0]])
        x, y = across.mean() + 1, (up.mean() if own[int(up.mean()), across[0]] else row) + 1
        most = max(6, int(len(across) * room[0] / (0.6 * SMALL)))
        text = f"{shorten(name, most)}\n{in_percent(float(share[own].sum()))}"
        box = {"facecolor": LIGHT, "alpha": 0.85, "linewidth": 0, "pad": 1.5}
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": DARK, "bbox": box}
        ax.text(x, y, text, fontsize=SMALL, parse_math=False, gid="segment", **style)
