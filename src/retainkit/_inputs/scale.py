"""The scale of answers, its cuts between promoters and others, and codes for no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from retainkit._checks import one_of
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Fractional, Invalid, Missing

_MAX_STEPS = 10_000
_CUTS = {(0.0, 10.0): (6.0, 8.0), (1.0, 10.0): (6.0, 8.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Scores go from `low` to `high`, are whole, and none of the `missing_codes`."""

    low: float
    high: float
    missing_codes: tuple[float, ...] = ()
    invalid: Invalid = "raise"
    fractional: Fractional = "raise"


def check_scale(
    scale: Any,
    *,
    missing_codes: Any = (),
    invalid: Invalid = "raise",
    fractional: Fractional = "raise",
) -> Scale:
    """Check the limits of a scale, the codes that are no answer, and what happens to others."""
    try:
        low, high = _read_numbers(scale)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`scale` is {scale!r}; it must be two whole numbers, such as (0, 10).",
            argument="scale",
        ) from None
    try:
        codes = _read_numbers(missing_codes)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`missing_codes` is {missing_codes!r}; it must be a list of numbers, such as [99].",
            argument="missing_codes",
        ) from None
    if not low < high or low % 1 or high % 1:
        raise ArgumentError(
            f"`scale` is {scale!r}; it must be two whole numbers, the lower one first.",
            code="argument_value",
            argument="scale",
        )
    if high - low > _MAX_STEPS:
        raise ArgumentError(
            f"`scale` is {scale!r}; it must have at most {_MAX_STEPS:,} steps. What is finer is an "
            "amount, and no answer on a scale.",
            code="argument_value",
            argument="scale",
        )
    one_of("invalid", invalid, get_args(Missing))
    one_of("fractional", fractional, get_args(Fractional))
    return Scale(low=low, high=high, missing_codes=codes, invalid=invalid, fractional=fractional)


def check_cuts(cuts: object, scale: Scale) -> tuple[float, float]:
    """Check the highest score of a detractor and that of a passive; None is the usual rule."""
    if cuts is None:
        known = _CUTS.get((scale.low, scale.high))
        if known is None:
            raise ArgumentError(
                f"`cuts` is not given, and on a scale from {scale.low:g} to {scale.high:g} there "
                "is no rule that all agree on. Give the highest score of a detractor and the "
                "highest of a passive, such as (3, 4).",
                code="argument_needed",
                argument="cuts",
            )
        return known
    try:
        low, high = _read_numbers(cuts)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`cuts` is {cuts!r}; it must be two numbers: the highest score of a detractor and "
            "the highest of a passive, such as (6, 8).",
            argument="cuts",
        ) from None
    if not scale.low <= low <= high < scale.high:
        raise ArgumentError(
            f"`cuts` is {cuts!r}; on a scale from {scale.low:g} to {scale.high:g} it must be the "
            "highest score of a detractor and the highest of a passive, below the top.",
            code="argument_value",
            argument="cuts",
        )
    return low, high


def _read_numbers(values: Any) -> tuple[float, ...]:
    """Read several numbers; raises TypeError or ValueError where there are none."""
    if isinstance(values, str):
        raise TypeError  # it would be read digit by digit
    return tuple(float(value) for value in values)
