"""Lengths of time that somebody writes down: "3D", "12H", a timedelta."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, TypeAlias

from retainkit._time.periods import DAY, SECOND
from retainkit.errors import ArgumentError, ArgumentTypeError

Length: TypeAlias = "str | timedelta"

_UNITS = {"W": 7 * DAY, "D": DAY, "H": 3600 * SECOND}
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(W(?:EEKS?)?|D(?:AYS?)?|H(?:OURS?)?)\s*")


def microseconds(name: str, value: Any) -> int:
    """Accept a length of time, such as "3D", "12 hours" or a timedelta, in microseconds."""
    if isinstance(value, timedelta):
        length = value // timedelta(microseconds=1)
    elif isinstance(value, str):
        found = _LENGTH.fullmatch(value.upper())
        if not found:
            raise ArgumentError(
                f"`{name}` is {value!r}; write a number of weeks, days or hours, such as '3D' or "
                "'3 days'."
            )
        length = round(float(found[1]) * _UNITS[found[2][0]])
    else:
        raise ArgumentTypeError(
            f"`{name}` is {value!r}; it must be a length of time, such as '3D' or a timedelta."
        )
    if not 0 <= length < 100 * 366 * DAY:
        raise ArgumentError(f"`{name}` is {value!r}; it must be from 0 days to 100 years.")
    return length
