"""Adjustment of p-values for the number of comparisons: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from retainkit._typing import Floats, Integers
from retainkit.typing import Adjust


def adjust_p_values(p_value: Floats, method: Adjust, times: Integers | None = None) -> Floats:
    """Adjusted p-values; NaN, where nothing is compared, stays.

    S. Holm (1979), Scand. J. Stat. 6:65-70: in ascending order, each is multiplied by the number of
    those not smaller, and is never below the one before. Bonferroni multiplies all by their number.
    Y. Benjamini & Y. Hochberg (1995), J. R. Stat. Soc. B 57:289-300 (``"bh"``): each is multiplied
    by the number of all over that of those not greater, and is never above the one after.
    Where a p-value stands for several comparisons, `times` says for how many.
    """
    known = ~np.isnan(p_value)
    count = np.ones(len(p_value), np.int64) if times is None else times
    number = int(count[known].sum())
    adjusted = p_value.copy()
    if method == "bonferroni":
        adjusted[known] = np.minimum(p_value[known] * number, 1)
    elif method in {"holm", "bh"}:
        order = np.flatnonzero(known)[np.argsort(p_value[known], kind="stable")]
        ordered, up_to = p_value[order], np.cumsum(count[order])
        if method == "holm":
            steps = np.maximum.accumulate(ordered * (number - (up_to - count[order])))
        else:
            steps = np.minimum.accumulate((ordered * (number / up_to))[::-1])[::-1]
        adjusted[order] = np.minimum(steps, 1)
    return adjusted
