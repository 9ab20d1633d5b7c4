"""Check scalar arguments: each function returns the value, or raises an error about it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from retainkit._messages import quoted
from retainkit._suggestions import did_you_mean, nearest_word
from retainkit.errors import ArgumentError, ArgumentTypeError

Choice = TypeVar("Choice", bound=str)

MOST_AGES = 2**31  # days are six million years then


def one_of(name: str, value: Choice, choices: Collection[str], *, first: int = 0) -> Choice:
    """Check that a value is one of a few words, which some number from `first` on, if not 0."""
    word = isinstance(value, str)
    if not word or value not in choices:
        message = f"`{name}` is {quoted(value)}; it must be one of {', '.join(map(repr, choices))}."
        if not word:
            hint = did_you_mean(_numbered(value, choices, first) if first else None)
            raise ArgumentTypeError(f"{message}{hint}", argument=name)
        hint = did_you_mean(nearest_word(value, choices))
        raise ArgumentError(f"{message}{hint}", code="unknown_choice", argument=name)
    return value


def _numbered(value: Any, choices: Collection[str], first: int) -> str | None:
    """Return the choice of a number, None for what numbers none of them."""
    pairs = enumerate(choices, first)
    return next((one for number, one in pairs if is_number(value) and number == value), None)


def boolean(name: str, value: Any) -> bool:
    """Check that a value is True or False, NumPy's too."""
    if is_flag(value):
        return bool(value)
    raise ArgumentTypeError(
        f"`{name}` is {quoted(value)}; it must be True or False.", argument=name
    )


def is_flag(value: object) -> bool:
    """Return whether a value is True or False, of Python or of NumPy."""
    return type(value).__name__ in {"bool", "bool_"}


def is_number(value: object) -> bool:
    """Return whether a value is a number: no bool, and no length of time, as it is to NumPy."""
    return isinstance(value, Real) and type(value).__name__ not in {"bool", "timedelta64"}


def as_float(value: Any) -> float:
    """Return a number as a float, an integer that is too large for one as infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def integer(name: str, value: Any, minimum: int) -> int:
    """Check that a value is a whole number, `minimum` or more (a bool is not a number here)."""
    if not is_number(value) or not isinstance(value, Integral):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(value)}; it must be a whole number.", argument=name
        )
    number = int(value)
    if number < minimum:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be {minimum} or more.", argument=name
        )
    return number


def number(name: str, value: Any, minimum: float, maximum: float = math.inf) -> float:
    """Check that a value is a finite number between two bounds, both included."""
    bounds = f"from {minimum} to {maximum}" if maximum < math.inf else f"{minimum} or more"
    if (minimum, maximum) == (0, 1):
        _check_not_percent(name, value, f"it must be a number {bounds}")
    if not is_number(value):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(value)}; it must be a number {bounds}.", argument=name
        )
    found = as_float(value)
    if not minimum <= found <= maximum or math.isinf(found):
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be a number {bounds}.", argument=name
        )
    return found


def fraction(name: str, value: Any) -> float:
    """Check that a value is a share, or a rate: a number from 0 to 1."""
    return number(name, value, 0, 1)


def probability(name: str, value: Any) -> float:
    """Check that a value is a number strictly between 0 and 1."""
    need = "it must lie strictly between 0 and 1"
    _check_not_percent(name, value, need)
    if not is_number(value):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(value)}; it must be a number between 0 and 1.", argument=name
        )
    found = as_float(value)
    if not 0 < found < 1:
        raise ArgumentError(f"`{name}` is {quoted(value)}; {need}.", argument=name)
    return found


def _check_not_percent(name: str, value: Any, need: str) -> None:
    """Check that no number above 1 stands where a fraction is meant."""
    if is_number(value) and 1 < as_float(value) <= 100:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; {need}: a fraction, {float(value) / 100:g} for "
            f"{float(value):g} %.",
            code="percent_not_fraction",
            argument=name,
        )


def as_array(name: str, values: Any) -> NDArray[Any]:
    """Return a number or several as an array, of whatever type."""
    try:
        return np.asarray(values)
    except ValueError:  # lists of several lengths
        raise ArgumentTypeError(
            f"`{name}` is {quoted(values)}; it must be a number, or an array of numbers.",
            argument=name,
        ) from None


def is_list(value: object) -> bool:
    """Return whether a value holds several others in order: no set, no mapping and no text."""
    unlike = (str, bytes, AbstractSet, Mapping)
    return isinstance(value, Iterable) and not isinstance(value, unlike)


def rising_edges(name: str, value: Sequence[int]) -> tuple[int, ...]:
    """Check that a value is two or more whole numbers, 0 or more, each above the one before."""
    need = (
        "it must be two or more rising ages, such as (0, 1, 7, 30) for the brackets [0, 1), [1, 7) "
        "and [7, 30)."
    )
    if not is_list(value):
        raise ArgumentTypeError(f"`{name}` is {quoted(value)}; {need}", argument=name)
    edges = tuple(integer(name, edge, 0) for edge in value)
    rising = all(low < high for low, high in pairwise(edges))
    if len(edges) < 2 or not rising or edges[-1] > MOST_AGES:
        raise ArgumentError(f"`{name}` is {quoted(edges)}; {need}", argument=name)
    return edges
