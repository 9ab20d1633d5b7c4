"""Shares of promoters, passives and detractors of each segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from retainkit._stats.effective_size import EffectiveSize
    from retainkit._typing import Floats, Integers
    from retainkit.surveys._scaled_answers import ScaledAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoterShares:
    """Promoters, passives and detractors of each segment, as shares of all answers."""

    n: Integers
    missing: Integers
    invalid: Integers
    size: EffectiveSize
    promoters: Floats
    passives: Floats
    detractors: Floats


def promoter_shares(answers: ScaledAnswers, cuts: tuple[float, float]) -> PromoterShares:
    """Compute the shares of detractors, up to the first of the cuts, passives and promoters."""
    counts = answers.counts
    low, high = counts.value <= cuts[0], counts.value > cuts[1]
    return PromoterShares(
        n=counts.n_by_segment(),
        missing=counts.missing,
        invalid=counts.invalid,
        size=answers.effective_size(high.astype(np.float64) - low),
        promoters=counts.share_by_segment(high),
        passives=counts.share_by_segment(~high & ~low),
        detractors=counts.share_by_segment(low),
    )
