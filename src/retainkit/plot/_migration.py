"""Picture of a migration between segments as a heat map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_hex
from matplotlib.patches import Rectangle

from retainkit._checks import is_list, one_of
from retainkit._inputs.rules import GONE, NEW
from retainkit._messages import quoted
from retainkit._typing import Floats
from retainkit.errors import ArgumentTypeError
from retainkit.plot._axes import measure, subplots, text_width
from retainkit.plot._reading import (
    as_floats,
    check_one_row_each,
    check_one_segment,
    read_result_columns,
)
from retainkit.plot._style import (
    GAP,
    LARGEST,
    LEAST,
    PALETTE,
    POINTS,
    SLATE,
    TEXT,
    ink_on,
    sequential,
)
from retainkit.plot._text import in_percent, shorten
from retainkit.typing import IntoDataFrame

Values: TypeAlias = Literal["share", "customers"]
_NEEDED = ("from", "to", "customers", "share")
_LONGEST = 24  # letters of a label that are written
_TURN = 40  # degrees by which the labels above are turned


def segment_migration(
    table: IntoDataFrame,
    *,
    values: Values = "share",
    order: Iterable[str] | None = None,
    ax: Axes | None = None,
    cmap: str | Colormap | None = None,
) -> Axes:
    """Draw a migration: segments before down, segments after across, a number in every cell.

    >>> from retainkit import plot, segment_migration
    >>> import pandas as pd
    >>> early = pd.DataFrame({"customer_id": [1, 2, 3], "segment": ["loyal", "loyal", "asleep"]})
    >>> ax = plot.segment_migration(segment_migration(early, early.assign(segment="asleep")))

    The shares of a row add up to 100 %. Who stayed is in the cells with a frame, and the number of
    customers of a segment stands beside its label. Segments that nobody was in have no row, and
    those that nobody is in no column; so there is ``(new)`` only if somebody is new, and ``(gone)``
    if somebody is gone.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.segment_migration` for one segment of ``by``: pandas, Polars or
        PyArrow.
    values : {"share", "customers"}, default "share"
        What is written and coloured: shares of the segment before, or numbers of customers.
    order : sequence of str, optional
        Segments in the order in which they are drawn, such as ``segment_rules()["segment"]``; those
        that are not named come after them. Default: that of the table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure, which suits the table. Text adapts to the
        size of the axes.
    cmap : str or matplotlib.colors.Colormap, optional
        Sequential colour map; by default even steps of lightness from pale to navy.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; segments after are at x = 0, 1, ..., segments before at y = 0, 1, ...

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If the table holds several segments of ``by``, or several rows for a pair, if `values` is
        none of the words above, or `order` is no list of texts.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import segment_migration
    >>> table = pd.DataFrame({
    ...     "from": ["a", "a", "b", "b"], "to": ["a", "b", "a", "b"],
    ...     "customers": [3, 1, 0, 6], "share": [0.75, 0.25, 0.0, 1.0],
    ... })
    >>> ax = segment_migration(table, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "cell"]
    ['75%', '25%', '0%', '100%']
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a (4)', 'b (6)']
    """
    one_of("values", values, get_args(Values))
    if order is not None and (not is_list(order) or not all(isinstance(x, str) for x in order)):
        raise ArgumentTypeError(
            f"`order` is {quoted(order)}; it must be a list of segments.", argument="order"
        )
    grid = _read(table, [] if order is None else [*order])
    ax = _axes_for(grid) if ax is None else ax
    _draw(ax, grid, values, cmap)
    _label(ax, grid, values)
    _write(ax, grid, values)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """Segments before and after, and the customers and shares of each pair, in rows of before."""

    before: list[str]
    after: list[str]
    customers: Floats
    share: Floats

    @property
    def rows(self) -> list[str]:
        """Labels of the rows, with how many customers were in the segment."""
        return _labels(self.before, self.customers.sum(axis=1))

    @property
    def columns(self) -> list[str]:
        """Labels of the columns, with how many customers are in the segment."""
        return _labels(self.after, self.customers.sum(axis=0))

    def texts(self, values: str) -> list[str]:
        """Return what is written in the cells, row by row."""
        if values == "customers":
            return [f"{one:,.0f}" for one in self.customers.ravel()]
        return [in_percent(one) for one in self.share.ravel()]


def _labels(names: Sequence[str], numbers: Floats) -> list[str]:
    pairs = zip(names, numbers, strict=True)
    return [f"{shorten(name, _LONGEST)} ({number:,.0f})" for name, number in pairs]


def _read(table: IntoDataFrame, order: list[str]) -> _Grid:
    """Read the cells of segments in which somebody was or is."""
    data, segments = read_result_columns(
        table, "table", _NEEDED, _NEEDED, made_by=("segment_migration",)
    )
    check_one_segment("table", data, segments)
    pairs = list(zip(data["from"], data["to"], strict=True))
    check_one_row_each("table", pairs, "pairs of segments")
    customers = dict(zip(pairs, as_floats(data["customers"]), strict=True))
    share = dict(zip(pairs, as_floats(data["share"]), strict=True))
    there = [pair for pair in pairs if customers[pair] > 0]
    before = _in_order([one for one, _ in there], [*order, *data["from"]])
    after = _in_order([other for _, other in there], [*order, *data["to"]])
    shape = (len(before), len(after))

    def cells(values: dict[tuple[str, str], float]) -> Floats:
        listed = [values.get((one, other), 0.0) for one in before for other in after]
        return np.array(listed, np.float64).reshape(shape)

    return _Grid(before=before, after=after, customers=cells(customers), share=cells(share))


def _in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """Return the names that there are in an order, who is new and who is gone last."""
    found, last = {*names}, {NEW, GONE}
    return sorted((one for one in dict.fromkeys(order) if one in found), key=last.__contains__)


def _axes_for(grid: _Grid) -> Axes:
    """Create a figure with room for every cell."""
    beside = text_width(grid.rows) * TEXT + 30
    above = text_width(grid.columns) * TEXT * np.sin(np.radians(_TURN)) + 40
    width = max(1, len(grid.after)) * 46.0
    height = max(1, len(grid.before)) * 25.0
    # The last label above leans out of the axes.
    lean = text_width(grid.columns) * TEXT * np.cos(np.radians(_TURN))
    whole = min(LARGEST, beside + width + lean), min(LARGEST, above + height)
    return subplots(whole[0] / POINTS, whole[1] / POINTS)


def _draw(ax: Axes, grid: _Grid, values: str, cmap: str | Colormap | None) -> None:
    """Draw the cells, their colours, and a frame around those who stayed."""
    shown = grid.share if values == "share" else grid.customers
    top = 1.0 if values == "share" else max(1.0, float(shown.max(initial=0.0)))
    rows, columns = max(1, len(grid.before)), max(1, len(grid.after))
    if shown.size:
        ax.pcolormesh(
            np.arange(columns + 1) - 0.5,
            np.arange(rows + 1) - 0.5,
            shown,
            cmap=sequential(cmap),
            norm=Normalize(0, top),
            edgecolors=to_hex(ax.get_facecolor()),
            linewidth=1,
        )
    for y, one in enumerate(grid.before):
        if one in grid.after:
            corner = (grid.after.index(one) - 0.46, y - 0.46)
            style: dict[str, Any] = {"edgecolor": PALETTE[1], "linewidth": 1.4}
            ax.add_patch(Rectangle(corner, 0.92, 0.92, fill=False, gid="stayed", **style))
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)


def _label(ax: Axes, grid: _Grid, values: str) -> None:
    """Label rows and columns with the segments and their customers."""
    _, _, height = measure(ax)
    label = max(LEAST, min(TEXT, 0.8 * height / max(1, len(grid.before))))
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=label, pad=GAP / 2)
    ax.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.set_yticks(range(len(grid.before)), grid.rows, parse_math=False)
    leaning: dict[str, Any] = {"rotation": _TURN, "ha": "left", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(grid.after)), grid.columns, parse_math=False, **leaning)
    ax.xaxis.set_label_position("top")
    what = "Share of the segment before" if values == "share" else "Customers"
    ax.set_xlabel(f"{what}, by segment after", fontsize=TEXT, loc="left")
    ax.set_ylabel("Segment before", fontsize=TEXT)


def _write(ax: Axes, grid: _Grid, values: str) -> None:
    """Write the values into the cells, where the labels leave room for them."""
    mesh, texts = next(iter(ax.collections), None), grid.texts(values)
    _, width, height = measure(ax)
    cell, row = width / max(1, len(grid.after)), height / max(1, len(grid.before))
    font = min(TEXT, 0.66 * row, (cell - 4) / text_width(texts))
    if not isinstance(mesh, ScalarMappable) or font < LEAST:
        return
    shown = (grid.share if values == "share" else grid.customers).ravel()
    colours = [ink_on(to_hex(one)) for one in mesh.to_rgba(shown)]
    style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "gid": "cell"}
    for place, (text, colour, value) in enumerate(zip(texts, colours, shown, strict=True)):
        y, x = divmod(place, len(grid.after))
        # A zero is there to be read, and not to be seen first.
        ax.text(x, y, text, color=colour if value else SLATE, fontsize=font, **style)
