"""Figures, axes, legends and rows of counts that the pictures share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory

from retainkit._typing import Array, Floats
from retainkit.plot._style import PALE, POINTS, TEXT, legible, tone

# Where a legend stands that is not inside the axes.
ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1)}
BESIDE: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)}


def subplots(width: float, height: float) -> Axes:
    """Create a figure of so many inches, one that a notebook shows by itself."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  it has a global state

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def measure(ax: Axes) -> tuple[Axes, float, float]:
    """Return axes, and their width and height in points where their figure's layout puts them."""
    layout = ax.figure.get_layout_engine()
    if layout is not None and isinstance(ax.figure, Figure):
        layout.execute(ax.figure)
    points = POINTS / ax.figure.dpi
    return ax, ax.bbox.width * points, ax.bbox.height * points


def text_width(texts: Iterable[str]) -> float:
    """Measure the widest text, in units of the size of the font."""
    # In the order of the texts: that of a set would change the size from run to run.
    longest = sorted(dict.fromkeys(filter(None, texts)), key=len)[-3:]
    return max((TextPath((0, 0), text, size=1).get_extents().x1 for text in longest), default=1)


def tidy(ax: Axes, values: Literal["x", "y"] = "y") -> None:
    """Keep nothing but the grid of the axis of values, and the line of the other axis."""
    upright = values == "y"
    ax.spines[["top", "right", "left" if upright else "bottom"]].set_visible(False)
    ax.tick_params(axis="y" if upright else "both", length=0)
    ax.grid(visible=True, axis=values, color=tone(ax, PALE), linewidth=0.6)
    ax.set_axisbelow(True)


def percent() -> FuncFormatter:
    """Return a formatter of fractions as percent, without needless decimals."""
    return FuncFormatter(lambda fraction, _: f"{100 * fraction:.6g}%")


def date_numbers(days: Array) -> Floats:
    """Convert days since 1970 to matplotlib's numbers, whose epoch may be another."""
    epoch = float(date2num(np.datetime64("1970-01-01")))  # type: ignore[no-untyped-call]
    numbers: Floats = epoch + days
    return numbers


def label_dates(ax: Axes, most: int) -> None:
    """Mark dates on the x axis, without an offset, which would lie over its label."""
    locator = AutoDateLocator(minticks=2, maxticks=most)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    style = {"formats": ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S"], "show_offset": False}
    dates = ConciseDateFormatter(locator, **style)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_formatter(dates)


def draw_legend(
    ax: Axes,
    handles: Sequence[Any],
    labels: Sequence[str] | None = None,
    *,
    title: str = "",
    size: float = TEXT,
    style: Mapping[str, Any],
) -> Legend:
    """Draw a legend without a frame; `style` says where it stands and how it is spaced."""
    texts = [str(handle.get_label()) for handle in handles] if labels is None else labels
    options: dict[str, Any] = {"alignment": "left", "frameon": False, "fontsize": size}
    options |= {"title": title or None, "title_fontsize": size, **style}
    legend = ax.legend(handles, texts, **options)
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a segment may be called "$5 to $10"
    return legend


def draw_colour_bar(
    ax: Axes, shades: Any, label: str, thick: float, *, ticks: int, rates: bool
) -> None:
    """Draw the colour bar above the picture, where its label serves as a title.

    It is as `thick` as that share of the axes, and has about so many `ticks`.
    """
    place = ax.inset_axes((0, 1 + thick, 1, thick))
    style: dict[str, Any] = {"format": percent() if rates else None, "ticks": MaxNLocator(ticks)}
    bar = ax.figure.colorbar(shades, cax=place, orientation="horizontal", **style)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, pad=2, labelsize=TEXT)
    bar.ax.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False)
    bar.ax.xaxis.set_label_position("top")
    bar.ax.set_xlabel(label, loc="left", fontsize=TEXT)


def has_room_beneath(ax: Axes, height: float, needed: float, depth: float, least: float) -> bool:
    """Return whether rows of counts fit beneath the labels of the axis, which take `depth`.

    A layout makes room if then `least` is left of the height; without one it must be there. All in
    points.
    """
    if ax.figure.get_layout_engine() is not None:
        return height > needed + least
    beneath = ax.bbox.y0 * POINTS / ax.figure.dpi
    return len(ax.figure.axes) == 1 and beneath > depth + needed


def draw_counts(
    ax: Axes,
    rows: Iterable[tuple[str, str, Mapping[float, str]]],
    *,
    start: float,
    depth: float,
    line: float,
    left: float,
    gid: str,
) -> None:
    """Write rows of counts beneath the axes: each has a label, a colour, and texts by their x.

    Labels end `left` points before x = `start`; the first row is `depth` points beneath, and the
    next ones `line` points further each.
    """
    style: dict[str, Any] = {"va": "top", "fontsize": TEXT - 0.5, "clip_on": False}
    style["parse_math"] = False
    for row, (label, colour, counts) in enumerate(rows):
        style["color"] = legible(ax, colour)
        place = _beneath(ax, depth + line * row, left)
        ax.text(start, 0, label, transform=place, ha="right", gid="counted", **style)
        place = _beneath(ax, depth + line * row)
        for x, text in counts.items():
            ax.text(x, 0, text, transform=place, ha="center", gid=gid, **style)


def _beneath(ax: Axes, down: float, left: float = 0.0) -> Transform:
    """Transform from a value of x and the foot of the axes, moved by so many points."""
    moved = ScaledTranslation(-left / POINTS, -down / POINTS, ax.figure.dpi_scale_trans)
    return blended_transform_factory(ax.transData, ax.transAxes) + moved


def scale_ratios(ax: Axes, size: float) -> None:
    """Scale ratios by their logarithm, and write them as times."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda ratio, _: f"{ratio:g}\N{MULTIPLICATION SIGN}")
    )
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="x", which="both", labelsize=size)
    ax.tick_params(axis="x", which="minor", length=0)
    tidy(ax, "x")
