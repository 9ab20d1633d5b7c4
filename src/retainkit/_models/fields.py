"""Check the fields of models, as they are given or come back from JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from retainkit._checks import as_float, boolean, integer, is_list, is_number, number
from retainkit._messages import quoted
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ArgumentTypeError

Matrix: TypeAlias = tuple[tuple[float, ...], ...]

_LARGEST = 1e100
"""Bound of the parameters: with larger ones their powers overflow, and no forecast is known."""

_ROUNDING = 1e-6
"""Of correlations: what rounding may make of a matrix that is symmetric, and of no variance."""


def positive(name: str, value: Any) -> float:
    """Check that a parameter is a number above 0, of which there is a power."""
    found = as_float(value) if is_number(value) else math.nan
    if not 0 < found < _LARGEST:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be a number above 0, and finite: below "
            f"{_LARGEST:g}.",
            argument=name,
            code="argument_value",
        )
    return found


def number_or_nan(name: str, value: Any) -> float:
    """Check that a value is a finite number, or NaN for one that is not known."""
    need = f"`{name}` is {quoted(value)}; it must be a finite number, or NaN (in JSON null)."
    if value is None:
        return math.nan
    if not is_number(value):
        raise ArgumentTypeError(need, argument=name)
    found = as_float(value)
    if math.isinf(found):
        raise ArgumentError(
            need,
            argument=name,
            code="argument_value",
        )
    # One and the same object, as tuples compare NaN.
    return math.nan if math.isnan(found) else found


def finite(name: str, value: Any) -> float:
    """Check that a value is a finite number, or a boolean, which is 0 or 1."""
    found = float(value) if isinstance(value, bool) else number_or_nan(name, value)
    if math.isnan(found):
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be a finite number.",
            argument=name,
            code="argument_value",
        )
    return found


def instant(name: str, value: Any) -> None:
    """Check that a value is a time as ISO 8601 writes it."""
    need = f"`{name}` is {quoted(value)}; it must be a time as ISO 8601 has it, '2024-07-01'."
    if not isinstance(value, str):
        raise ArgumentTypeError(need, argument=name)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise ArgumentError(
            need,
            argument=name,
            code="argument_value",
        ) from None


# Covariances


def covariance_matrix(name: str, value: Any, size: int) -> Matrix:
    """Check a covariance: `size` rows of as many numbers, symmetric, without negative variances.

    NaN, or null, stands where a parameter is not identified.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    rows = [*value] if is_list(value) else []
    lists = [[*row] for row in rows if is_list(row)]
    if len(rows) != size or [len(row) for row in lists] != [size] * size:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must have {size} rows of {size} numbers, in the "
            "order of the parameters.",
            argument=name,
            code="argument_value",
        )
    matrix = tuple(
        tuple(number_or_nan(f"{name}[{i}][{j}]", one) for j, one in enumerate(row))
        for i, row in enumerate(lists)
    )
    problem = _problem_of(np.array(matrix))
    if problem:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}, which {problem}: no covariance is like that.",
            argument=name,
            code="argument_value",
        )
    return matrix


def _problem_of(matrix: Floats) -> str:
    """Return what is wrong with a matrix that should be a covariance, if anything is."""
    missing, variances = np.isnan(matrix), np.diag(matrix)
    if (variances < 0).any():
        return "has a negative variance"
    known = ~np.isnan(variances)
    inner = np.ix_(known, known)
    if (missing != missing.T).any() or missing[inner].any():
        return "has no number where both parameters have a variance, or on one side only"
    errors = np.sqrt(variances[known])
    with np.errstate(over="ignore", invalid="ignore"):
        scale = np.outer(errors, errors)
        correlations = np.divide(matrix[inner], scale, out=np.zeros_like(scale), where=scale > 0)
    if (matrix[inner][scale == 0] != 0).any():
        return "has a covariance where a variance is 0"
    if (np.abs(correlations - correlations.T) > _ROUNDING).any():
        return "is not symmetric"
    if len(errors) and float(np.linalg.eigvalsh(correlations).min()) < -_ROUNDING:
        return "has a negative variance in some direction (it is not positive semidefinite)"
    return ""


# Diagnostics


def plain_values(name: str, value: Any) -> Any:
    """Check that a value is a plain one of JSON: text, finite numbers, lists and mappings of it."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if not isinstance(key, str):
                raise ArgumentTypeError(
                    f"`{name}` has the key {quoted(key)}; keys must be text.", argument=name
                )
            plain_values(f"{name}[{quoted(key)}]", one)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            plain_values(f"{name}[{place}]", one)
    elif not (value is None or isinstance(value, (str, bool))):
        number_or_nan(name, value)
    return value


def _words(name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(value)}; it must be a list of words.", argument=name
        )


def _text_or_size(name: str, value: Any) -> None:
    if not isinstance(value, str):
        number(name, value, 0)


def _whole(name: str, value: Any) -> None:
    integer(name, value, 0)


def _amount(name: str, value: Any) -> None:
    if value is not None:
        number(name, value, 0)


def _engine(name: str, value: Any) -> None:
    if value not in ("retainkit", "lifetimes"):
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; it must be 'retainkit' or 'lifetimes'.",
            argument=name,
            code="unknown_choice",
        )


_DIAGNOSTICS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("at_bound", "not_identified"), _words),
    **dict.fromkeys(("unbounded", "no_repeats", "infinite_mean"), boolean),
    **dict.fromkeys(("shortfall", "gradient", "penalty", "covariate_penalty"), _amount),
    **dict.fromkeys(("iterations", "steps", "cohorts", "holdout"), _whole),
    "engine": _engine,
    "customers": _text_or_size,
}
"""What the diagnostics of fits hold, beside the covariance of the coordinates."""


def check_diagnostics(values: Any, size: int) -> None:
    """Check the facts about a fit, as JSON has them: plain values, and of ours the right kinds."""
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(
            f"`diagnostics` is {quoted(values)}; it must be a mapping of facts about the fit.",
            argument="diagnostics",
        )
    plain_values("diagnostics", values)
    for key, value in values.items():
        name = f"diagnostics[{key!r}]"
        if key == "coordinates":
            covariance_matrix(name, value, size)
        elif key in _DIAGNOSTICS:
            _DIAGNOSTICS[key](name, value)
