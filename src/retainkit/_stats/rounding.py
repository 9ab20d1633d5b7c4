"""Numbers that differ by the rounding of binary fractions alone."""

from __future__ import annotations

import numpy as np

from retainkit._typing import Floats

_ROUNDING = 1e-9
"""The share of a number below which a difference from it is rounding."""


def unite_close(values: Floats) -> Floats:
    """Return ascending numbers, 0 or more, those that agree as one: 0.3 and 0.1 + 0.2.

    For those within a relative 1e-9 of the least of them stands the least, written with eleven
    digits. Without any the array itself comes back.
    """
    close = values[1:] - values[:-1] <= _ROUNDING * values[:-1]
    if not close.any():
        return values
    united = values.copy()
    # Chains of neighbours that are close; their ends may be farther apart than rounding.
    first = np.flatnonzero(close & ~np.append(False, close[:-1]))
    last = np.flatnonzero(close & ~np.append(close[1:], False)) + 1
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        place = begin
        while place <= end:
            upto = values[place] * (1 + _ROUNDING)
            after = place + int(np.searchsorted(values[place : end + 1], upto, side="right"))
            if after > place + 1:
                united[place:after] = float(f"{values[place]:.11g}")
            place = after
    return united
