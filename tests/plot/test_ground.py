"""Pictures can be read on a light and on a dark ground: the contrast of their texts and lines."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.text import Text

import retainkit
from registry import PICTURES
from retainkit.plot._style import BLACK, PALETTE, contrast, legible, tone

# The ground of the theme of the documentation, when it is dark; and no ground, over that.
NIGHT = "#131416"
GROUNDS = {
    "light": ({}, "#ffffff"),
    "dark": ({"figure.facecolor": NIGHT, "axes.facecolor": NIGHT}, NIGHT),
    "transparent": ({"figure.facecolor": "none", "axes.facecolor": "none"}, NIGHT),
}
INK = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
# What stands on a colour of its own: cells, and the shares inside bars.
ON_COLOUR = {"cell", "share", "cells"}
# Of the palette these three stand out less than 3 from white; marks and labels tell them apart.
PALE = {PALETTE[3], PALETTE[4], PALETTE[5]}


def style_of(ground: str) -> dict[Any, Any]:
    colours, _ = GROUNDS[ground]
    return colours | ({} if ground == "light" else dict.fromkeys(INK, "#ffffff"))


def drawn(name: str) -> Any:
    ax = getattr(retainkit.plot, name)(**PICTURES[name]())
    ax.figure.draw_without_rendering()
    return ax


def texts(figure: Any) -> list[Text]:
    # The labels of contour lines stand on the colours of a heat map.
    on_heat = {id(one) for ax in figure.axes for one in ax.texts if ax.collections}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible()
        and text.get_text().strip()
        and text.get_gid() not in ON_COLOUR
        and not (id(text) in on_heat and text.get_gid() is None)
    ]


def lines(figure: Any) -> list[tuple[Any, str]]:
    """Return the lines but for grids and ticks, with their colours."""
    found: list[tuple[Any, str]] = []
    for ax in [*figure.axes, *(one for own in figure.axes for one in own.child_axes)]:
        strokes: list[Any] = [*ax.lines]
        found += [(one, to_hex(one.get_color())) for one in strokes]
        for one in ax.collections:
            if isinstance(one, LineCollection):
                colours: Any = one.get_colors()
                found += [(one, to_hex(colour)) for colour in colours]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", PICTURES)
def test_texts_and_lines_stand_out_from_the_ground(name: str, ground: str) -> None:
    behind = GROUNDS[ground][1]
    with mpl.rc_context(style_of(ground)):
        figure = drawn(name).figure
        weak = {
            text.get_text(): round(contrast(to_hex(text.get_color()), behind), 2)
            for text in texts(figure)
            if contrast(to_hex(text.get_color()), behind) < 4.5
        }
        assert weak == {}
        thin = {
            (str(one.get_gid()), colour): round(contrast(colour, behind), 2)
            for one, colour in lines(figure)
            if contrast(colour, behind) < 3 and one.get_gid() not in {"cut", "join", "zero"}
        }
        assert {key: value for key, value in thin.items() if key[1].upper() not in PALE} == {}


def test_greys_are_as_far_from_a_dark_ground_as_from_a_light_one() -> None:
    light: Any = plt.figure().subplots()
    with mpl.rc_context(style_of("dark")):
        dark: Any = plt.figure().subplots()
    for grey in ("#f1f1f1", "#d9d9d9", "#7f7f7f", "#16202e", BLACK):
        assert tone(light, grey) == grey
    assert tone(dark, BLACK) == tone(dark, "#000000") == "#ffffff"
    assert tone(dark, "#ffffff") == NIGHT
    steps = [contrast(tone(dark, grey), NIGHT) for grey in ("#f1f1f1", "#d9d9d9", "#7f7f7f")]
    assert 1 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("colour", [*PALETTE, "#7f7f7f"])
def test_a_colour_of_text_is_moved_no_further_than_it_must(colour: str) -> None:
    for ground in GROUNDS:
        with mpl.rc_context(style_of(ground)):
            ax: Any = plt.figure().subplots()
        found, behind = legible(ax, colour), GROUNDS[ground][1]
        assert contrast(found, behind) >= 4.5
        if contrast(colour, behind) > 5:
            assert found == colour.lower()
        assert to_rgba(found)[3] == 1
