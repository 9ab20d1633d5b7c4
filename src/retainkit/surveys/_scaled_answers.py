"""Answers on a scale, counted by segment and by respondent: the basis of every score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.segments import factorize_segments
from retainkit._inputs.answers import Answers
from retainkit._inputs.other_scale import warn_of_scale
from retainkit._inputs.scale import Scale
from retainkit._messages import count_noun, format_examples, warn
from retainkit._stats.effective_size import EffectiveSize
from retainkit._stats.intervals import ratio
from retainkit._typing import Booleans, Floats
from retainkit.errors import ArgumentError
from retainkit.surveys._answer_counts import AnswerCounts, count_answers
from retainkit.surveys._repeat_respondents import (
    check_respondents,
    cluster_sums,
    keep_one_per_respondent,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledAnswers:
    """The answers that count; `clustered` where a respondent may have given several of them."""

    responses: Answers
    counts: AnswerCounts
    clustered: bool

    def segments(self) -> dict[str, nw.Series[Any]]:
        """Return the segment columns under their names in the frame."""
        return dict(zip(self.responses.by, self.counts.segments.values(), strict=True))

    def effective_size(self, values: Floats) -> EffectiveSize:
        """Effective size of the means of `values`, by segment."""
        if not self.clustered:
            return self.counts.effective_size(values)
        found, clusters = cluster_sums(self.responses, self.counts, values)
        _, segment = factorize_segments(found, self.responses.keys)
        clusters = clusters.scatter(segment, self.counts.n_segments)
        return self.counts.effective_size(values, clusters)


def read_scaled_answers(
    responses: Answers, scale: Scale, *, repeat: str = "cluster", check_scale: bool = True
) -> ScaledAnswers:
    """Count the answers on the scale, those of each respondent as `repeat` says.

    With `check_scale`, warn where the answers look like those of another scale.
    """
    counts = _keep_on_scale(count_answers(responses), responses, scale)
    if check_scale:
        argument = responses.own_name("score")
        column = responses.names["score"]
        warn_of_scale(counts.value, counts.n, scale, column=column, argument=argument)
    if "respondent" not in responses.names:
        return ScaledAnswers(responses=responses, counts=counts, clustered=False)
    check_respondents(responses)
    if repeat != "cluster":
        before = int(counts.n.sum())
        responses = keep_one_per_respondent(responses, counts, repeat)
        counts = _keep_on_scale(count_answers(responses), responses, scale)
        _warn_of_repeats(before, int(counts.n.sum()), responses, repeat)
    clustered = repeat in {"cluster", "mean"}
    return ScaledAnswers(responses=responses, counts=counts, clustered=clustered)


def _keep_on_scale(counts: AnswerCounts, responses: Answers, scale: Scale) -> AnswerCounts:
    """Keep the answers on the scale and count the others, or raise, as the scale's options say."""
    missing = np.isin(counts.value, scale.missing_codes)
    counts = replace(counts.take(~missing), missing=counts.missing + counts.n_by_segment(missing))
    value = counts.value
    fractional = value != np.rint(value)
    if fractional.any() and scale.fractional == "raise":
        raise ArgumentError(
            f"{_describe_answers(counts, fractional, responses)} not whole. Say with `fractional` "
            "what to do, such as 'floor' or 'round' (half up).",
            code="not_whole",
            argument=responses.own_name("score"),
            column=responses.names["score"],
            rows=int(counts.n[fractional].sum()),
            total=int(counts.n.sum()),
        )
    if scale.fractional in {"floor", "round"}:
        value = np.floor(value + (0.5 if scale.fractional == "round" else 0))
    # As it was given: rounding must not bring an answer back on the scale.
    outside = (counts.value < scale.low) | (counts.value > scale.high)
    if outside.any() and scale.invalid == "raise":
        raise ArgumentError(
            f"{_describe_answers(counts, outside, responses)} not on the scale from {scale.low:g} "
            f"to {scale.high:g}. If it is another scale, set `scale`; codes for no answer go in "
            "`missing_codes`, and `invalid='drop'` leaves all others out.",
            code="off_scale",
            argument=responses.own_name("score"),
            column=responses.names["score"],
            rows=int(counts.n[outside].sum()),
            total=int(counts.n.sum()),
        )
    counts = replace(counts, value=value, invalid=counts.n_by_segment(outside))
    return counts.take(~outside)


def _describe_answers(counts: AnswerCounts, which: Booleans, responses: Answers) -> str:
    """Count some of the answers and show a few, as the subject of a sentence."""
    values = format_examples([float(value) for value in np.unique(counts.value[which])])
    number = int(counts.n[which].sum())
    verb = "is" if number == 1 else "are"
    return f"{count_noun(number, 'answer')} ({values}) in {responses.source('score')} {verb}"


def _warn_of_repeats(before: int, after: int, responses: Answers, repeat: str) -> None:
    """Warn of answers that do not count because another one of the respondent does."""
    if before > after:
        warn(
            f"{before - after:,} of {count_noun(before, 'answer')} set aside: only the {repeat} of "
            f"each respondent in {responses.source('respondent')} counts (`repeat={repeat!r}`).",
            code="repeated_respondents",
            argument=responses.own_name("respondent"),
            column=responses.names["respondent"],
            rows=before - after,
            total=before,
        )


def warn_of_invalid(answers: ScaledAnswers) -> None:
    """Warn of answers that are left out, where the result does not count them."""
    left = int(answers.counts.invalid.sum())
    if left:
        warn(
            f"{count_noun(left, 'answer')} in {answers.responses.source('score')} left out: not on "
            "the scale (`invalid='drop'`).",
            code="off_scale",
            argument=answers.responses.own_name("score"),
            column=answers.responses.names["score"],
            rows=left,
            total=left + int(answers.counts.n.sum()),
        )


def warn_of_weights(answers: ScaledAnswers, effective: Floats) -> None:
    """Warn where a few answers outweigh all others."""
    n, responses = answers.counts.n_by_segment(), answers.responses
    small = ((n > 1) & (effective < n / 10)) | ((n > 2) & (effective < 1.5))
    if not small.any():
        return
    worst = int(np.argmin(np.where(small, ratio(effective, n), np.inf)))
    text = f"{n[worst]:,} answers that are worth {effective[worst]:.1f}"
    if responses.by:
        text = (
            f"in {count_noun(int(small.sum()), responses.cell)} the answers are worth far less "
            f"than their number, such as {text}"
        )
    else:
        text = f"there are {text}"
    causes = {
        "weights": "a few have very large weights in",
        "respondent": "a few respondents gave most of them, by",
    }
    given = [argument for argument in causes if argument in responses.names]
    why = " or ".join(f"{causes[one]} {responses.source(one)}" for one in given)
    warn(
        f"{text}: {why}. The interval allows for it; look whether that is meant.",
        code="few_outweigh_all",
        argument=responses.own_name(given[0]),
        column=responses.names[given[0]],
        rows=int(n[worst]),
        total=int(n.sum()),
    )
