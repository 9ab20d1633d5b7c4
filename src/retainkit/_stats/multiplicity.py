"""Adjustment of p-values for the number of comparisons: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from retainkit._typing import Floats
from retainkit.typing import Adjust


def adjust_p_values(p_value: Floats, method: Adjust) -> Floats:
    """Adjusted p-values; NaN, where nothing is compared, stays.

    S. Holm (1979), Scand. J. Stat. 6:65-70: in ascending order, each is multiplied by the number of
    those not smaller, and is never below the one before. Bonferroni multiplies all by their number.
    """
    known = ~np.isnan(p_value)
    number = int(known.sum())
    adjusted = p_value.copy()
    if method == "bonferroni":
        adjusted[known] = np.minimum(p_value[known] * number, 1)
    elif method == "holm":
        order = np.argsort(p_value[known], kind="stable")
        steps = p_value[known][order] * (number - np.arange(number))
        by_place = np.empty(number)
        by_place[order] = np.minimum(np.maximum.accumulate(steps), 1)
        adjusted[known] = by_place
    return adjusted
