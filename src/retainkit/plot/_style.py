"""Colours, sizes and axes that all pictures share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes


DASH = "\N{EN DASH}"

# Okabe and Ito (2008), told apart with any kind of colour vision; their yellow is too pale.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def subplots(width: float, height: float) -> Axes:
    """Make a figure of so many inches, one that a notebook shows by itself."""
    import matplotlib.pyplot as plt  # noqa: PLC0415

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def percent() -> FuncFormatter:
    """Write fractions as percent on an axis, without needless decimals."""
    return FuncFormatter(lambda fraction, _: f"{100 * fraction:.6g}%")


def in_percent(value: float, decimals: int = 0) -> str:
    """Word a rate so that 0% and 100% mean nobody and everybody."""
    if math.isnan(value):
        return DASH
    if value in {0, 1}:
        return f"{value:.0%}"
    step = 10.0**-decimals
    share = round(100 * value, decimals)
    if value > 0 and share == 0:
        return f"<{step:.{decimals}f}%"
    if value < 1 and share == 100:
        return f">{100 - step:.{decimals}f}%"
    return f"{share:.{decimals}f}%"


DARK, LIGHT = "#16202e", "#ffffff"

# Points: sizes of text at most and at least, and the space beside it.
TEXT, SMALL, LEAST, GAP = 9.0, 7.0, 5.0, 6.0
POINTS = 72
LARGEST = 24.0 * POINTS


def space_of(ax: Axes) -> tuple[Axes, float, float]:
    """Measure axes that were given, in points, where their figure's layout puts them."""
    layout = ax.figure.get_layout_engine()
    if layout is not None and isinstance(ax.figure, Figure):
        layout.execute(ax.figure)
    points = POINTS / ax.figure.dpi
    return ax, ax.bbox.width * points, ax.bbox.height * points


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    bend = 0.04045
    red, green, blue = (
        part / 12.92 if part <= bend else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


PALE, QUIET = "#d9d9d9", "#7f7f7f"


def tidy(ax: Axes) -> None:
    """Leave no more ink than the grid of the y axis needs."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="y", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
