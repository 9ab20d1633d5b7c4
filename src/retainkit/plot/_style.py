"""Colours, marks and sizes that all pictures share."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgba

# Okabe and Ito (2008), distinct with any kind of colour vision; their yellow is too pale.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Even steps of lightness in OKLab, from pale cyan to navy; white stays for "not observed".
RAMP = ("#e0f5f7", "#a3d8e6", "#6bb7d7", "#4594c3", "#2d70ab", "#234d8e", "#1e2b6a")

DARK, LIGHT, BLACK = "#16202e", "#ffffff", "#000000"  # text on a colour, and on the ground
SHADE, PALE, GREY, QUIET, SLATE = "#f1f1f1", "#d9d9d9", "#9a9a9a", "#7f7f7f", "#5b6b7b"

MARKERS = "osD^vPX"
DASHES = ("-", "--", ":")
HATCH = "////"

# Points: sizes of text at most and at least, and the space beside it.
TEXT, SMALL, LEAST, GAP = 9.0, 7.0, 5.0, 6.0
POINTS = 72  # to the inch
LARGEST = 24.0 * POINTS


def sequential(cmap: str | Colormap | None) -> str | Colormap:
    """Return a colour map as it was given, by default the ramp from pale cyan to navy."""
    return LinearSegmentedColormap.from_list("retainkit", RAMP) if cmap is None else cmap


def ink_on(colour: str) -> str:
    """Return the colour of text that stands out more from a background."""
    return max(DARK, LIGHT, key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    bend = 0.04045
    red, green, blue = (
        part / 12.92 if part <= bend else ((part + 0.055) / 1.055) ** 2.4 for part in rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rgb(colour: str) -> list[float]:
    """Return red, green and blue of a colour written as #rrggbb, each from 0 to 1."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


# What suits the ground: greys are meant for a light one, and the style of a figure may have a dark


def tone(ax: Axes, grey: str) -> str:
    """Return a grey as far from the ground of axes as it is from white."""
    ink = _ink(ax)
    if contrast(ink, BLACK) < contrast(ink, LIGHT):
        return grey
    return _mix(_ground(ax), ink, 1 - sum(rgb(grey)) / 3)


def legible(ax: Axes, colour: str) -> str:
    """Return a colour of text, moved towards the ink of axes until it stands out from the ground.

    WCAG 2 asks for a contrast of 4.5.
    """
    ground, ink = _ground(ax), _ink(ax)
    steps = (_mix(colour, ink, part / 20) for part in range(20))
    return next((one for one in steps if contrast(one, ground) >= 4.5), ink)


def _ink(ax: Axes) -> str:
    """Return the colour in which the style of a figure writes."""
    return to_hex(ax.xaxis.label.get_color())


def _ground(ax: Axes) -> str:
    """Return the colour behind axes; where there is none, the one that their ink is meant for."""
    for face in (ax.get_facecolor(), ax.figure.get_facecolor()):
        if to_rgba(face)[3] > 0.5:
            return to_hex(face)
    return ink_on(_ink(ax))


def _mix(one: str, other: str, part: float) -> str:
    """Mix two colours, so much of the other."""
    red, green, blue = (
        own + part * (more - own) for own, more in zip(rgb(one), rgb(other), strict=True)
    )
    return to_hex((red, green, blue))
