"""Draw the pictures of the home page and the README, and the wordmark, into docs/_static.

.venv/bin/python docs/drawings.py
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import retainkit as rk

STATIC = Path(__file__).parent / "_static"
AGES = 5
BLUES = ("#eaf3f8", "#c8dfec", "#9cc5dc", "#69a5c6", "#2f76a0", "#1b587d")
GREY = "#e3e5e8"
INKS = {"light": "#1f2a33", "dark": "#e8edf1"}  # of the text on either ground

WIDTH, HEIGHT = 64, 42  # of a cell
LEFT, ABOVE, BELOW = 128, 52, 34  # room for the labels


def triangle(ink: str) -> str:
    """Draw the retention of an invented shop: a cell for each cohort and age, with its interval."""
    shop = rk.datasets.make_events(1_500, seed=4, retention=rk.datasets.DEFAULT_RETENTION[:AGES])
    seen = shop[shop["time"] < "2024-05-21"]
    table = rk.cohort_retention(seen, as_of="2024-05-21", include_partial=True)
    width, height = LEFT + AGES * WIDTH, ABOVE + AGES * HEIGHT + BELOW
    parts = [
        _text(LEFT, 16, "Months since the first order", ink, anchor="start"),
        _text(LEFT - 12, ABOVE - 10, "Customers", ink, anchor="end"),
        *(_text(LEFT + (age + 0.5) * WIDTH, ABOVE - 10, str(age), ink) for age in range(AGES)),
        _text(LEFT, height - 10, "Dashed: the month is not over.", ink, anchor="start"),
    ]
    for place, (cohort, rows) in enumerate(table.groupby("cohort")):
        top = ABOVE + place * HEIGHT
        month = pd.Timestamp(str(cohort)).strftime("%b %Y")
        parts.append(_text(2, top + 26, month, ink, anchor="start"))
        parts.append(
            _text(LEFT - 12, top + 26, f"{rows['customers'].iloc[0]:,}", ink, anchor="end")
        )
        parts.extend(_cell(row, top, ink) for row in rows.to_dict("records"))
    return _svg(width, height, "Retention by cohort and month", parts)


def _cell(row: Mapping[Any, Any], top: float, ink: str) -> str:
    """Draw a cell, filled if its period is over; at age 0 everybody is there by definition."""
    colour = GREY if row["age"] == 0 else BLUES[min(5, int(row["retention"] / 0.09))]
    look = f'fill="{colour}"'
    if row["complete"]:
        ink = "#ffffff" if colour in BLUES[4:] else INKS["light"]
    else:
        look = f'fill="none" stroke="{ink}" stroke-dasharray="5 4"'
    left = LEFT + row["age"] * WIDTH
    box = f'x="{left + 2:g}" y="{top + 2:g}" width="{WIDTH - 4}" height="{HEIGHT - 4}" rx="4"'
    below = f"{100 * row['lower']:.0f} to {100 * row['upper']:.0f}" if row["complete"] else "so far"
    middle, line = left + WIDTH / 2, top + (27 if row["age"] == 0 else 20)
    parts = [f"<rect {box} {look}/>", _text(middle, line, f"{row['retention']:.0%}", ink, size=15)]
    if row["age"]:
        parts.append(_text(middle, top + 34, below, ink, size=11))
    return "".join(parts)


def _text(
    x: float, y: float, text: str, ink: str, *, anchor: str = "middle", size: int = 13
) -> str:
    place = f'x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{ink}">{text}</text>'


def _svg(width: float, height: float, title: str, parts: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
    font = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""
    body = "\n".join(parts)
    size = f'width="{width:g}" height="{height:g}"'
    return f'{head} {size} role="img" {font}>\n<title>{title}</title>\n{body}\n</svg>\n'


# The letters of the wordmark: strokes from the baseline at 20, and how far each goes.
LETTERS = {
    "r": ("M0 20V10M0 15q.4-5 5-5", 8.5),
    "e": ("M0 15h10a5 5 0 1 0-1.7 3.7", 13.2),
    "t": ("M2.8 5.5V17q0 3 3 3h.7M0 10h6.5", 9.4),
    "a": ("M10 15a5 5 0 1 0-10 0a5 5 0 1 0 10 0M10 10V20", 14),
    "i": ("M0 10V20M0 5.6v.1", 4),
    "n": ("M0 20V10M0 14.5a4.3 4.5 0 0 1 8.6 0V20", 12.6),
    "k": ("M0 5V20M7.4 10L0 16.2M3 13.8L8 20", 11.6),
}


def mark() -> list[str]:
    """Draw the triangle of six cells that stands for the library, on 24 by 24."""
    steps = [(x, y) for y in range(3) for x in range(3 - y)]
    return [
        f'<rect x="{2 + 7 * x}" y="{2 + 7 * y}" width="6" height="6" rx="1.2"'
        f' fill="{(BLUES[5], BLUES[4], BLUES[3])[x]}"/>'
        for x, y in steps
    ]


def wordmark(ink: str) -> str:
    """Draw the mark and the name."""
    x, letters = 31.0, []
    for letter in "retainkit":
        stroke, advance = LETTERS[letter]
        letters.append(f'<path transform="translate({x:g} 0)" d="{stroke}"/>')
        x = round(x + advance, 1)
    style = f'fill="none" stroke="{ink}" stroke-width="2.3" stroke-linecap="round"'
    return _svg(
        x, 24, "retainkit", [*mark(), f'<g {style} stroke-linejoin="round">', *letters, "</g>"]
    )


def drawings() -> dict[str, str]:
    """Return every picture by the name of its file."""
    themes = INKS.items()
    return {
        "favicon.svg": _svg(24, 24, "retainkit", mark()),
        **{f"triangle-{theme}.svg": triangle(ink) for theme, ink in themes},
        **{f"wordmark-{theme}.svg": wordmark(ink) for theme, ink in themes},
    }


if __name__ == "__main__":
    for name, drawing in drawings().items():
        (STATIC / name).write_text(drawing, encoding="utf-8")
