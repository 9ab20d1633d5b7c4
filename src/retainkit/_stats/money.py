"""Money as integers, so that sums have no rounding error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._typing import Floats, Integers

DIGITS = 6
"""Decimals that are kept at most: a millionth of the currency's unit."""

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
        """Return amounts as integers in the finer unit."""
        return np.rint(amounts * 10.0 ** (self.digits + self.guard)).astype(np.int64)

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

    An amount has d decimals if it is the float nearest to some multiple of ``10**-d``. With more
    than `DIGITS` decimals, or too large a sum, all are rounded.
    """
    total = float(np.abs(amounts).sum())
    for digits in range(DIGITS + 1):
        scale = 10.0**digits
        if total * scale < _MAX_TOTAL and np.array_equal(np.rint(amounts * scale) / scale, amounts):
            return MoneyUnit(digits=digits, guard=0)
    digits = DIGITS
    while total * 10.0 ** (digits + _GUARD) >= _MAX_TOTAL:
        digits -= 1
    return MoneyUnit(digits=digits, guard=_GUARD)
