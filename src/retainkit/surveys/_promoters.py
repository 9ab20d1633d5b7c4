"""Promoters, passives and detractors of each segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit._inputs.scale import read_numbers
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from retainkit._inputs.scale import Scale
    from retainkit._stats.effective_size import EffectiveSize
    from retainkit._typing import Floats, Integers
    from retainkit.surveys._scale import ScaledAnswers


# Promoters, passives and detractors

_CUTS = {(0.0, 10.0): (6.0, 8.0), (1.0, 10.0): (6.0, 8.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoterShares:
    """Promoters, passives and detractors of each segment, as shares of all answers."""

    n: Integers
    missing: Integers
    invalid: Integers
    worth: EffectiveSize
    promoters: Floats
    passives: Floats
    detractors: Floats


def promoter_shares(found: ScaledAnswers, cuts: tuple[float, float]) -> PromoterShares:
    """Sort answers into detractors, up to the first of the cuts, passives and promoters."""
    tally = found.tally
    low, high = tally.value <= cuts[0], tally.value > cuts[1]
    return PromoterShares(
        n=tally.counts(),
        missing=tally.missing,
        invalid=tally.invalid,
        worth=found.worth(high.astype(np.float64) - low),
        promoters=tally.share(high),
        passives=tally.share(~high & ~low),
        detractors=tally.share(low),
    )


def check_cuts(cuts: object, scale: Scale) -> tuple[float, float]:
    """Check the highest score of a detractor and that of a passive; those of 0 to 10 are known."""
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
