"""Money as integers, so that sums have no rounding error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retainkit._typing import Floats, Integers

# Decimals that are kept at most, of amounts from 1 on; of smaller ones as many after their first
# digit, but none that the greatest amount does not have as a float.
_DIGITS = 6
_PRECISION = 12
_MOST_DIGITS = 300

# Where amounts have no end in decimals (a twelfth of 100), as many more are carried in sums, so
# that three thirds are one after rounding.
_GUARD = 3
# Turnover may be twice the sum of all amounts, and must stay below 2**63.
_MAX_TOTAL = 2.0**61


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyUnit:
    """Unit in which money is counted: ``10**-digits`` of the currency's, or finer by `guard`.

    Amounts are added up in the finer unit, and what a customer pays is rounded to the coarser one.
    """

    digits: int
    guard: int

    def to_integers(self, amounts: Floats) -> Integers:
        """Return amounts as integers in the finer unit; none but 0 is 0 in the coarser one."""
        counts: Integers = np.rint(amounts * 10.0 ** (self.digits + self.guard)).astype(np.int64)
        if self.guard:
            step = 10**self.guard
            small = (amounts != 0) & (np.abs(counts) < step)
            counts[small] = np.sign(amounts[small]).astype(np.int64) * step
        return counts

    def round(self, sums: Integers) -> Integers:
        """Round sums in the finer unit to the coarser one, halves up."""
        step = 10**self.guard
        return sums if step == 1 else (sums + step // 2) // step

    def to_amounts(self, counts: Integers) -> Floats:
        """Return integers in the coarser unit as amounts in the currency's unit."""
        whole, scale = counts.astype(np.float64), 10.0 ** abs(self.digits)
        return whole / scale if self.digits >= 0 else whole * scale


def money_unit(amounts: Floats) -> MoneyUnit:
    """Return the unit that suits amounts: their own last decimal where they have one.

    An amount has d decimals if it is the float nearest to some multiple of ``10**-d``. With too
    many of them, or too large a sum, all are rounded.
    """
    size = np.abs(amounts)
    total, greatest = float(size.sum()), float(size.max(initial=0.0))
    least = float(size.min(initial=greatest, where=size > 0))
    if not total:
        return MoneyUnit(digits=0, guard=0)
    before = max(0, -math.floor(math.log10(least)))  # decimals up to the first digit of the least
    digits = max(_DIGITS, min(_DIGITS + before, _PRECISION - math.ceil(math.log10(greatest))))
    digits = min(digits, _MOST_DIGITS)
    for fewer in range(before, digits + 1):
        if total * 10.0**fewer < _MAX_TOTAL and _has_decimals(amounts, 10.0**fewer):
            return MoneyUnit(digits=fewer, guard=0)
    while total * 10.0 ** (digits + _GUARD) >= _MAX_TOTAL:
        digits -= 1
    return MoneyUnit(digits=digits, guard=_GUARD)


def _has_decimals(amounts: Floats, scale: float) -> bool:
    """Return whether all amounts are multiples of 1 / scale; a few of them often say no."""
    return all(
        np.array_equal(np.rint(some * scale) / scale, some) for some in (amounts[:1000], amounts)
    )
