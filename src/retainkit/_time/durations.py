"""Lengths of time as users write them, such as "3D", "12 months" or a timedelta.

They are written in one way everywhere, and what a length is for decides what it may be. Where
models count (`in_units`), a month is a twelfth of a year of 365.2425 days. Where dates are cut
(`microseconds`, `window_days`), months, quarters and years are refused, which are not equally long.
Where whole periods are counted (`in_steps`), a year is 12 months, and no number of weeks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from retainkit._checks import integer, is_number, number
from retainkit._time.periods import DAY, DAYS_IN, MONTHS_IN
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Period

_UNITS: dict[str, Period] = {
    **dict.fromkeys(("h", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("q", "quarter", "quarters"), "quarter"),
    **dict.fromkeys(("y", "year", "years"), "year"),
}
_MICROSECONDS: dict[str, int] = {unit: round(days * DAY) for unit, days in DAYS_IN.items()}
_LENGTH = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z]*)\s*", re.ASCII)
_MOST_DAYS = 4_000_000  # all years there are, and more
_EXAMPLES = "'90D', '52 weeks', '12 months', '2 quarters' or '1.5 years'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Length:
    """A length of time, exactly, with its number and its unit as they are `written`."""

    microseconds: Fraction
    written: str
    unit: Period

    @property
    def calendar(self) -> bool:
        """Return whether the unit is one of the calendar's, not equally long everywhere."""
        return self.unit in MONTHS_IN


def in_units(
    argument: str,
    value: Any,
    unit: Period,
    *,
    bare: str | None = "the model's unit ({unit})",
    above_0: bool = False,
) -> float:
    """Return a length of time in a unit; a month is a twelfth of a year of 365.2425 days.

    `bare` is what errors call the unit of a bare number (None: a number must have its unit).
    """
    if bare is not None and is_number(value):
        length = number(argument, value, 0)
    else:
        own = "" if bare is None else f"a number in {bare.format(unit=unit)}, or "
        need = f"write {own}a length of time such as {_EXAMPLES}."
        found = _read(argument, value, need, "months").microseconds
        length = float(found / _MICROSECONDS[unit])
    if above_0:
        _check_above_0(argument, value, length)
    return length


def in_words(value: Any, unit: Period) -> str:
    """Return a length of time that has been checked in full: 52W is 52 weeks.

    A bare number is one in `unit`, and a timedelta is written in days.
    """
    if is_number(value):
        return f"{value:g} {unit}{'' if value == 1 else 's'}"
    length = _read("", value, "", "days")
    return f"{length.written} {length.unit}{'' if float(length.written) == 1 else 's'}"


def in_steps(argument: str, value: Any, minimum: int, *, noun: str, step: int, unit: Period) -> int:
    """Return a number of whole periods, of `step` units each, or a length of time that is one.

    Where `step` is 0, periods have no length, and only their number can be given.
    """
    if is_number(value):
        return integer(argument, value, minimum)
    need = f"write a whole number of periods ({noun}), such as 12"
    need += f" or '{12 * step} {unit}s'." if step else "."
    length = _read(argument, value, need, f"{unit}s")
    periods = length.microseconds / (step * _MICROSECONDS[unit]) if step else Fraction(1, 2)
    if periods.denominator > 1 or length.calendar != (unit in MONTHS_IN):
        raise _length_error(argument, value, need, code="length_not_whole")
    if periods < minimum:
        need = f"it must be {minimum} or more, in periods ({noun})."
        raise _length_error(argument, value, need, code="length_out_of_range")
    return int(periods)


def microseconds(argument: str, value: Any, *, above_0: bool = False) -> int:
    """Return a length of time such as "3D", "12 hours" or a timedelta in microseconds."""
    length = round(_equal_length(argument, value, "write days, hours or weeks, such as '3D'."))
    if above_0:
        _check_above_0(argument, value, length)
    if length >= 100 * 366 * DAY:
        need = "it must be from 0 days to 100 years."
        raise _length_error(argument, value, need, code="length_out_of_range")
    return length


def window_days(argument: str, value: Any, minimum: int = 1) -> int:
    """Return a number of whole days, or a length of time such as "30D" or "4 weeks", in days."""
    need = "it must be a whole number of days, or a duration such as '30D', '4W' or '28 days'."
    if is_number(value):
        days = integer(argument, value, minimum)
    else:
        length = _equal_length(argument, value, need) / DAY
        if length.denominator > 1:
            raise _length_error(argument, value, need, code="length_not_whole")
        days = int(length)
    if not minimum <= days <= _MOST_DAYS:
        first = "one day" if minimum == 1 else minimum
        need = f"it must be from {first} to {_MOST_DAYS:,} days."
        raise _length_error(argument, value, need, code="length_out_of_range")
    return days


def _equal_length(argument: str, value: Any, need: str) -> Fraction:
    """Read a length of time that is the same everywhere, in microseconds."""
    length = _read(argument, value, need, "days")
    if length.calendar:
        raise ArgumentError(
            f"`{argument}` is {value!r}; {length.unit}s are not equally long, and here dates "
            f"are cut: write days, '{round(length.microseconds / DAY)}D'.",
            code="calendar_length",
            argument=argument,
        )
    return length.microseconds


def _read(argument: str, value: Any, need: str, example: str) -> _Length:
    """Read text or a timedelta; errors say what is needed, with `example` as unit."""
    given = value
    if isinstance(value, np.timedelta64) and np.datetime_data(value.dtype)[0] not in _UNEQUAL:
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, timedelta):
        span = Fraction(value // timedelta(microseconds=1))
        length = _Length(microseconds=span, written=f"{float(span / DAY):g}", unit="day")
    elif isinstance(value, str):
        length = _parse(argument, value, need, example)
    elif is_number(value):
        raise ArgumentTypeError(
            f"`{argument}` is {value!r}; it must be a length of time: {value} what? Write "
            f"'{value} {example}'.",
            code="length_without_unit",
            argument=argument,
        )
    else:
        raise ArgumentTypeError(
            f"`{argument}` is {given!r}; {need}", code="length_type", argument=argument
        )
    if not 0 <= length.microseconds <= _MOST_DAYS * DAY:
        need = f"it must be from 0 to {_MOST_DAYS:,} days."
        raise _length_error(argument, given, need, code="length_out_of_range")
    return length


_UNEQUAL = {"generic", "M", "Y"}  # units of NumPy's that are not equally long, or none


def _unit_of(word: str) -> Period | None:
    """Return the unit that a word names; a small m may be months or minutes, and names none."""
    return "month" if word == "M" else _UNITS.get(word.lower())


def _parse(argument: str, text: str, need: str, example: str) -> _Length:
    """Parse a number with its unit."""
    found = _LENGTH.fullmatch(text)
    written, word = found.groups() if found else ("", "")
    unit = _unit_of(word)
    if unit is not None:
        length = Fraction(written) * _MICROSECONDS[unit]
        return _Length(microseconds=length, written=written, unit=unit)
    if word == "m":
        months = Fraction(written) * _MICROSECONDS["month"]
        advice = (
            f"'{written} months' or '{written}M'"
            if example == "months"
            else f"'{round(months / DAY)}D' for {written} months"
        )
        need = f"m may be months or minutes: write {advice}."
        raise _length_error(argument, text, need, code="ambiguous_unit")
    if found and not word:
        need = f"it must be a length of time: {written} what? Write '{written} {example}'."
        raise _length_error(argument, text, need, code="length_without_unit")
    raise _length_error(argument, text, need, code="length_unit")


def _check_above_0(argument: str, value: Any, length: float) -> None:
    if not length:
        example = "" if is_number(value) else ", such as '7D'"
        need = f"it must be above 0{example}."
        raise _length_error(argument, value, need, code="length_out_of_range")


def _length_error(argument: str, value: Any, need: str, *, code: str) -> ArgumentError:
    return ArgumentError(f"`{argument}` is {value!r}; {need}", code=code, argument=argument)


def split_length(text: str) -> tuple[str, Period | None]:
    """Return the number of a length of time, as it is written, and its unit (None: no length)."""
    found = _LENGTH.fullmatch(text)
    return (found[1], _unit_of(found[2])) if found else ("", None)
