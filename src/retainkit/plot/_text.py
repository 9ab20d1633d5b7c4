"""Numbers and names as the pictures write them."""

from __future__ import annotations

import math

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def in_percent(value: float, decimals: int = 0) -> str:
    """Write a rate so that 0% and 100% mean nobody and everybody."""
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


def with_minus(text: str) -> str:
    """Write the sign of a number as wide as a digit."""
    return text.replace("-", MINUS)


def shorten(text: str, most: int) -> str:
    """Leave out the middle of a long text: names differ at their ends."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[: most - 1 - head]}\N{HORIZONTAL ELLIPSIS}{text[-head:]}"
