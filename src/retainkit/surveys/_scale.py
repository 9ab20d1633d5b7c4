"""Answers on a scale, counted by segment and by respondent: what every score is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._checks import one_of
from retainkit._frames.segments import factorize_segments
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio
from retainkit.surveys._answer_counts import count_answers, on_scale, warn_of_scale
from retainkit.surveys._repeat_respondents import (
    check_respondents,
    cluster_sums,
    keep_one_per_respondent,
)

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from retainkit._inputs.answers import Answers
    from retainkit._inputs.scale import Scale
    from retainkit._stats.effective_size import EffectiveSize
    from retainkit._typing import Floats
    from retainkit.surveys._answer_counts import AnswerCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledAnswers:
    """Answers that count, and how to find what their means are worth."""

    responses: Answers
    tally: AnswerCounts
    clustered: bool

    def segments(self) -> dict[str, nw.Series[Any]]:
        """Give the segments under the names that they came with."""
        responses, own = self.responses, self.tally.segments
        return {name: own[key] for name, key in zip(responses.by, responses.keys, strict=True)}

    def worth(self, values: Floats) -> EffectiveSize:
        """Give by segment what the mean of `values` is worth."""
        if not self.clustered:
            return self.tally.effective_size(values)
        keys, clusters = cluster_sums(self.responses, self.tally, values)
        _, segment = factorize_segments(keys, self.responses.keys)
        return self.tally.effective_size(values, clusters.at(segment, self.tally.n_segments))


def read_scaled_answers(
    responses: Answers, scale: Scale, *, repeat: str, look: bool = True
) -> ScaledAnswers:
    """Count the answers that lie on the scale, each respondent's as `repeat` says.

    With `look`, warn where the answers look like those of another scale.
    """
    one_of("invalid", scale.invalid, ("raise", "drop"))
    one_of("fractional", scale.fractional, ("raise", "floor", "round", "cut"))
    tally = on_scale(count_answers(responses), responses, scale)
    if look:
        warn_of_scale(tally, responses, scale)
    if "respondent" not in responses.names:
        return ScaledAnswers(responses=responses, tally=tally, clustered=False)
    check_respondents(responses)
    if repeat != "cluster":
        responses = keep_one_per_respondent(responses, tally, repeat)
        given, tally = tally, on_scale(count_answers(responses), responses, scale)
        _warn_of_repeats(given, tally, responses, repeat)
    return ScaledAnswers(responses=responses, tally=tally, clustered=repeat in {"cluster", "mean"})


def _warn_of_repeats(
    given: AnswerCounts, taken: AnswerCounts, responses: Answers, repeat: str
) -> None:
    """Warn of answers that do not count because another one of the respondent does."""
    total = int(given.n.sum())
    left = total - int(taken.n.sum())
    if left:
        warn(
            f"{left:,} of {count_noun(total, 'answer')} set aside: only the {repeat} of each "
            f"respondent in {responses.source('respondent')} counts (`repeat={repeat!r}`)."
        )


def warn_of_invalid(found: ScaledAnswers) -> None:
    """Warn of answers that are left out, where the result does not count them."""
    left = int(found.tally.invalid.sum())
    if left:
        warn(
            f"{count_noun(left, 'answer')} in {found.responses.source('score')} left out: not on "
            "the scale (`invalid='drop'`)."
        )


def warn_of_weights(found: ScaledAnswers, effective: Floats) -> None:
    """Warn where a few answers outweigh all others."""
    n, responses = found.tally.counts(), found.responses
    thin = ((n > 1) & (effective < n / 10)) | ((n > 2) & (effective < 1.5))
    if not thin.any():
        return
    worst = int(np.argmin(np.where(thin, ratio(effective, n), np.inf)))
    text = f"{n[worst]:,} answers that are worth {effective[worst]:.1f}"
    if responses.by:
        text = (
            f"in {count_noun(int(thin.sum()), responses.cell)} the answers are worth far less than "
            f"their number, such as {text}"
        )
    else:
        text = f"there are {text}"
    causes = {
        "weights": "a few have very large weights in",
        "respondent": "a few respondents gave most of them, by",
    }
    why = " or ".join(
        f"{cause} {responses.source(argument)}"
        for argument, cause in causes.items()
        if argument in responses.names
    )
    warn(f"{text}: {why}. The interval allows for it; look whether that is meant.")
