"""Shares of promoters, passives and detractors, and the columns of a table of their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from retainkit._checks import integer, one_of, probability
from retainkit._messages import count_noun, warn
from retainkit._progress import check_progress, steps_of
from retainkit._stats.effective_size import EffectiveSize
from retainkit._stats.nps_bootstrap import bootstrap_limits
from retainkit._stats.nps_intervals import (
    adjusted_wald_limits,
    score_limits,
    standard_error,
    wald_limits,
)
from retainkit._typing import Booleans, Floats, Integers
from retainkit.surveys._answer_counts import AnswerCounts
from retainkit.surveys._scaled_answers import ScaledAnswers
from retainkit.typing import NPSMethod, Progress

PARTS = ("promoters", "passives", "detractors")
RESULT = (
    *("n", "n_missing", "n_invalid", "n_effective", *PARTS),
    *("nps", "standard_error", "lower", "upper", "method"),
)
_LIMITS = {"score": score_limits, "adjusted_wald": adjusted_wald_limits, "wald": wald_limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class NpsOptions:
    """The checked options of intervals, and the least number of answers of a score."""

    method: NPSMethod
    draws: int
    seed: int | None
    min_responses: int | None
    confidence_level: float
    progress: Progress | None = None

    def __post_init__(self) -> None:
        """Check the options, in this order."""
        one_of("method", self.method, get_args(NPSMethod))
        integer("draws", self.draws, 1)
        if self.seed is not None:
            integer("seed", self.seed, 0)
        if self.min_responses is not None:
            integer("min_responses", self.min_responses, 1)
        probability("confidence_level", self.confidence_level)
        check_progress(self.progress)


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


def promoter_values(counts: AnswerCounts, cuts: tuple[float, float]) -> Floats:
    """Return 1 for promoters, 0 for passives and -1 for detractors, those up to the first cut."""
    return (counts.value > cuts[1]).astype(np.float64) - (counts.value <= cuts[0])


def promoter_shares(answers: ScaledAnswers, cuts: tuple[float, float]) -> PromoterShares:
    """Compute the shares of promoters, passives and detractors, by their cuts."""
    counts = answers.counts
    low, high = counts.value <= cuts[0], counts.value > cuts[1]
    return PromoterShares(
        n=counts.n_by_segment(),
        missing=counts.missing,
        invalid=counts.invalid,
        size=answers.effective_size(promoter_values(counts, cuts)),
        promoters=counts.share_by_segment(high),
        passives=counts.share_by_segment(~high & ~low),
        detractors=counts.share_by_segment(low),
    )


def nps_columns(shares: PromoterShares, options: NpsOptions, *, segmented: bool) -> dict[str, Any]:
    """Compute the columns of a result; scores of too few answers are NaN, with a warning."""
    n = shares.size.effective
    lower, upper = _nps_limits(shares, options)
    scores = {
        "nps": shares.promoters - shares.detractors,
        "standard_error": standard_error(shares.promoters * n, shares.detractors * n, n),
        "lower": lower,
        "upper": upper,
    }
    hidden = np.zeros(len(n), bool)
    if options.min_responses is not None:
        hidden = shares.n < options.min_responses
        _warn_of_hidden(shares.n, hidden, options.min_responses, segmented=segmented)
    return {
        "n": shares.n,
        "n_missing": shares.missing,
        "n_invalid": shares.invalid,
        "n_effective": n,
        **{name: np.where(hidden, np.nan, getattr(shares, name)) for name in PARTS},
        **{name: np.where(hidden, np.nan, 100 * value) for name, value in scores.items()},
        "method": np.full(len(n), options.method),
    }


def _nps_limits(shares: PromoterShares, options: NpsOptions) -> tuple[Floats, Floats]:
    """Interval of the difference of shares, from -1 to 1."""
    level = options.confidence_level
    n = shares.size.for_interval(level)
    promoters, passives, detractors = (getattr(shares, name) * n for name in PARTS)
    if options.method != "bootstrap":
        return _LIMITS[options.method](promoters, detractors, n, level)
    counts = np.rint(np.nan_to_num(np.column_stack([promoters, passives, detractors])))
    answered = int(counts.any(axis=1).sum())
    with steps_of(options.progress, options.draws * answered) as step:
        return bootstrap_limits(
            counts.astype(np.int64), level, draws=options.draws, seed=options.seed, step=step
        )


def _warn_of_hidden(n: Integers, hidden: Booleans, min_responses: int, *, segmented: bool) -> None:
    """Warn of segments that have too few answers for a score."""
    if not hidden.any():
        return
    if segmented:
        what = f"{int(hidden.sum()):,} of {count_noun(len(n), 'segment')} with fewer answers"
    else:
        what = f"{count_noun(int(n[0]), 'answer')}, fewer"
    warn(
        f"{what} than {min_responses:,} (`min_responses`): shown without a score.",
        code="few_answers",
        argument="min_responses",
        rows=int(hidden.sum()),
        total=len(n),
    )
