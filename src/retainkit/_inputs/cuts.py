"""The cuts of a scale between detractors, passives and promoters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retainkit._inputs.scale import read_numbers
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from retainkit._inputs.scale import Scale

_CUTS = {(0.0, 10.0): (6.0, 8.0), (1.0, 10.0): (6.0, 8.0)}


def check_cuts(cuts: object, scale: Scale) -> tuple[float, float]:
    """Check the highest score of a detractor and that of a passive; None is the usual rule."""
    if cuts is None:
        known = _CUTS.get((scale.low, scale.high))
        if known is None:
            raise ArgumentError(
                f"`cuts` is not given, and on a scale from {scale.low:g} to {scale.high:g} there "
                "is no rule that all agree on. Give the highest score of a detractor and the "
                "highest of a passive, such as (3, 4)."
            )
        return known
    try:
        low, high = read_numbers(cuts)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`cuts` is {cuts!r}; it must be two numbers: the highest score of a detractor and "
            "the highest of a passive, such as (6, 8)."
        ) from None
    if not scale.low <= low <= high < scale.high:
        raise ArgumentError(
            f"`cuts` is {cuts!r}; on a scale from {scale.low:g} to {scale.high:g} it must be the "
            "highest score of a detractor and the highest of a passive, below the top."
        )
    return low, high
