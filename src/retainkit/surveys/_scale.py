"""Comparison of answers with the declared scale: those on it, those not, and doubts about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from retainkit._messages import count_noun, format_examples, warn
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from retainkit._inputs.answers import Answers
    from retainkit._inputs.scale import Scale
    from retainkit._typing import Booleans
    from retainkit.surveys._answer_counts import AnswerCounts


def keep_on_scale(counts: AnswerCounts, responses: Answers, scale: Scale) -> AnswerCounts:
    """Keep the answers on the scale and count the others, or raise, as the scale's options say."""
    missing = np.isin(counts.value, scale.missing_codes)
    counts = replace(counts.take(~missing), missing=counts.missing + counts.n_by_segment(missing))
    value = counts.value
    fractional = value != np.rint(value)
    if fractional.any() and scale.fractional == "raise":
        raise ArgumentError(
            f"{_describe_answers(counts, fractional, responses)} not whole. Say with `fractional` "
            "what to do, such as 'floor' or 'round' (half up)."
        )
    if scale.fractional in {"floor", "round"}:
        value = np.floor(value + (0.5 if scale.fractional == "round" else 0))
    # As it was given: rounding must not bring an answer back on the scale.
    outside = (counts.value < scale.low) | (counts.value > scale.high)
    if outside.any() and scale.invalid == "raise":
        raise ArgumentError(
            f"{_describe_answers(counts, outside, responses)} not on the scale from {scale.low:g} "
            f"to {scale.high:g}. If it is another scale, set `scale`; codes for no answer go in "
            "`missing_codes`, and `invalid='drop'` leaves all others out."
        )
    counts = replace(counts, value=value, invalid=counts.n_by_segment(outside))
    return counts.take(~outside)


def warn_of_scale(counts: AnswerCounts, responses: Answers, scale: Scale) -> None:
    """Warn where the answers look like those of another scale than the declared one."""
    total = int(counts.n.sum())
    if total < 30 or not responses.names:
        return
    seen = {value: int(counts.n[counts.value == value].sum()) for value in np.unique(counts.value)}
    top, bottom = max(seen), min(seen)
    middle = (scale.low + scale.high) / 2
    text = None
    if top <= middle and len(seen) > 2:
        text = f"none of {total:,} answers is above {top:g}"
    elif scale.low == 0 and bottom == 1 and seen[bottom] >= 10:
        text = f"{seen[bottom]:,} answers are {bottom:g} and none is {scale.low:g}"
    elif top == scale.high - 1 and seen[top] >= 30:
        text = f"{seen[top]:,} answers are {top:g} and none is {scale.high:g}"
    if text:
        warn(
            f"in {responses.source('score')} {text}: is the scale from {scale.low:g} to "
            f"{scale.high:g}? If it is another one, set `scale`."
        )


def _describe_answers(counts: AnswerCounts, which: Booleans, responses: Answers) -> str:
    """Count some of the answers and show a few, as the subject of a sentence."""
    values = format_examples([float(value) for value in np.unique(counts.value[which])])
    number = int(counts.n[which].sum())
    verb = "is" if number == 1 else "are"
    return f"{count_noun(number, 'answer')} ({values}) in {responses.source('score')} {verb}"
