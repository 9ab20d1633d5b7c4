"""Horizons and discount rates, in the unit of a model."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import TYPE_CHECKING, Any

from retainkit._time.periods import DAYS_IN
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from retainkit._time.periods import Period

_WORDS: dict[str, Period] = {
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("q", "quarter", "quarters"), "quarter"),
    **dict.fromkeys(("y", "year", "years"), "year"),
}
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def in_units(horizon: Any, unit: Period, argument: str = "horizon") -> float:
    """Read a horizon: a number in the model's unit, or a duration such as "90D" or "12 months".

    A month is a twelfth of a year of 365.2425 days.
    """
    if isinstance(horizon, str):
        found = _FORM.fullmatch(horizon)
        word = _WORDS.get(found[2].lower()) if found else None
        if found is None or word is None:
            raise ArgumentError(
                f"`{argument}` is {horizon!r}; write a number in the model's unit ({unit}), or a "
                "duration such as '90D', '52W', '12 months', '2 quarters' or '1.5 years'."
            )
        return float(found[1]) * DAYS_IN[word] / DAYS_IN[unit]
    if isinstance(horizon, bool) or not isinstance(horizon, Real):
        raise ArgumentTypeError(
            f"`{argument}` is {horizon!r}; it must be a number in the model's unit ({unit}) or a "
            "duration such as '12 months'."
        )
    number = float(horizon)
    if not 0 <= number < math.inf:
        raise ArgumentError(f"`{argument}` is {horizon!r}; it must be 0 or more, and finite.")
    return number
