"""Lengths of time as users write them, such as "3D", "12 months" or a timedelta."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

from retainkit._time.periods import DAY, DAYS_IN, SECOND
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Period

_Unit: TypeAlias = "Literal['hour'] | Period"
_UNITS: dict[str, _Unit] = {
    **dict.fromkeys(("h", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("q", "quarter", "quarters"), "quarter"),
    **dict.fromkeys(("y", "year", "years"), "year"),
}
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")

# Units that have the same length everywhere.
_MICROSECONDS: dict[_Unit, int] = {"hour": 3600 * SECOND, "day": DAY, "week": 7 * DAY}
_WHOLE_DAYS: dict[_Unit, int] = {"day": 1, "week": 7}
_MAX_WINDOW = 4_000_000  # days: all years there are, and more


def _parse(text: str) -> tuple[str, _Unit | None]:
    """Return the number of a length of time, as it is written, and its unit (None: no length)."""
    found = _LENGTH.fullmatch(text)
    return (found[1], _UNITS.get(found[2].lower())) if found else ("", None)


def microseconds(argument: str, value: Any) -> int:
    """Return a length of time such as "3D", "12 hours" or a timedelta in microseconds."""
    if isinstance(value, timedelta):
        length = value // timedelta(microseconds=1)
    elif isinstance(value, str):
        number, unit = _parse(value)
        if unit not in _MICROSECONDS:
            raise ArgumentError(
                f"`{argument}` is {value!r}; write a number of weeks, days or hours, such as '3D' "
                "or '3 days'."
            )
        length = round(float(number) * _MICROSECONDS[unit])
    else:
        raise ArgumentTypeError(
            f"`{argument}` is {value!r}; it must be a length of time, such as '3D' or a timedelta."
        )
    if not 0 <= length < 100 * 366 * DAY:
        raise ArgumentError(f"`{argument}` is {value!r}; it must be from 0 days to 100 years.")
    return length


def in_units(argument: str, value: Any, unit: Period) -> float:
    """Return a number in a model's unit, or a duration such as "90D" or "12 months", in that unit.

    A month is a twelfth of a year of 365.2425 days.
    """
    if isinstance(value, str):
        written, own = _parse(value)
        if own is None or own == "hour":
            raise ArgumentError(
                f"`{argument}` is {value!r}; write a number in the model's unit ({unit}), or a "
                "duration such as '90D', '52W', '12 months', '2 quarters' or '1.5 years'."
            )
        return float(written) * DAYS_IN[own] / DAYS_IN[unit]
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ArgumentTypeError(
            f"`{argument}` is {value!r}; it must be a number in the model's unit ({unit}) or a "
            "duration such as '12 months'."
        )
    number = float(value)
    if not 0 <= number < math.inf:
        raise ArgumentError(f"`{argument}` is {value!r}; it must be 0 or more, and finite.")
    return number


def window_days(argument: str, value: Any) -> int:
    """Return a number of whole days, or a duration such as "30D" or "4 weeks", in days."""
    need = "it must be a whole number of days, or a duration such as '30D', '4W' or '28 days'."
    if isinstance(value, str):
        number, unit = _parse(value)
        if unit not in _WHOLE_DAYS or "." in number:
            raise ArgumentError(f"`{argument}` is {value!r}; {need}")
        days = int(number) * _WHOLE_DAYS[unit]
    elif isinstance(value, bool) or not isinstance(value, Integral):
        raise ArgumentTypeError(f"`{argument}` is {value!r}; {need}")
    else:
        days = int(value)
    if not 1 <= days <= _MAX_WINDOW:
        raise ArgumentError(f"`{argument}` is {value!r}; it must be one day or more.")
    return days
