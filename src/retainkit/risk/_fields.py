"""Check the fields of a model of churn risk, as they are given or come back from JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retainkit._checks import is_list, is_number
from retainkit._messages import count_noun, quoted
from retainkit._models.fields import number_or_nan
from retainkit.errors import ArgumentError, ArgumentTypeError


def finite(name: str, value: Any) -> float:
    """Check that a field is a finite number."""
    need = f"`{name}` is {quoted(value)}; it must be a finite number."
    if not is_number(value):
        raise ArgumentTypeError(need, argument=name)
    found = number_or_nan(name, value)
    if math.isnan(found):
        raise ArgumentError(need, argument=name, code="argument_value")
    return found


def numbers(name: str, value: Any, size: int) -> tuple[float, ...]:
    """Check that a field has a finite number for each feature."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    given = [*value] if is_list(value) else []
    if not is_list(value) or len(given) != size:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be a list of {count_noun(size, 'number')}, one "
            "for each of the `features`.",
            argument=name,
            code="argument_value",
        )
    return tuple(finite(f"{name}[{i}]", one) for i, one in enumerate(given))


def words(name: str, value: Any) -> tuple[str, ...]:
    """Check that a field is a list of names, none of them twice."""
    given: list[Any] = [*value] if is_list(value) else [None]
    if not all(isinstance(one, str) for one in given):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(value)}; it must be a list of names of columns.", argument=name
        )
    if len({*given}) < len(given):
        raise ArgumentError(
            f"`{name}` is {quoted(value)}, and names a column twice.",
            argument=name,
            code="named_twice",
        )
    return tuple(given)
