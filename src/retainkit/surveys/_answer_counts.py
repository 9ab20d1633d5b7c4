"""How often each answer was given in each segment, and what follows for means of answers.

A score is a mean of values that answers stand for: 1, 0 and -1 in NPS, 1 and 0 in a share. So one
pass counts the distinct answers, wherever the rows are, and everything else is arithmetic on that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.segments import factorize_segments
from retainkit._messages import count_noun, format_examples, warn
from retainkit._stats.effective_size import effective_size
from retainkit._stats.intervals import ratio
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retainkit._frames.input import Frame
    from retainkit._inputs.answers import Answers
    from retainkit._inputs.scale import Scale
    from retainkit._stats.effective_size import Clusters, EffectiveSize
    from retainkit._typing import Array, Booleans, Floats, Integers
_MOST_RESPONDENTS = 10**12  # of a row: sums of more might not fit into 64 bits
_HUGE = 1e150  # the square of a weight above this may be infinite


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCounts:
    """Answers, counted: parallel arrays, an element for each segment and distinct answer.

    `answer` is it as it was given and `value` the score that it stands for; `n` counts the
    respondents who gave it with a weight above 0, `weight` and `square` add up their weights and
    the squares of them (of no weights: 1 each). `missing` and `invalid` count by segment those who
    gave none and what is no score.
    """

    segments: Mapping[str, nw.Series[Any]]
    n_segments: int
    segment: Integers
    answer: Array
    value: Floats
    n: Integers
    weight: Floats
    square: Floats
    missing: Integers
    invalid: Integers

    def take(self, which: Booleans | Integers) -> AnswerCounts:
        """Take some of the answers."""
        return replace(
            self,
            segment=self.segment[which],
            answer=self.answer[which],
            value=self.value[which],
            n=self.n[which],
            weight=self.weight[which],
            square=self.square[which],
        )

    def sums(self, values: Array) -> Floats:
        """Add up by segment."""
        return np.bincount(self.segment, values, self.n_segments).astype(np.float64)

    def counts(self, which: Booleans | None = None) -> Integers:
        """Count respondents by segment, of all answers or of some."""
        n = self.n if which is None else np.where(which, self.n, 0)
        return np.rint(self.sums(n)).astype(np.int64)

    def share(self, which: Booleans) -> Floats:
        """Give by segment the share that some answers have in all weight."""
        return ratio(self.sums(np.where(which, self.weight, 0)), self.sums(self.weight))

    def effective_size(self, values: Floats, clusters: Clusters | None = None) -> EffectiveSize:
        """Effective size of the means of `values`, by segment."""
        return effective_size(
            values,
            segment=self.segment,
            n_segments=self.n_segments,
            n=self.n,
            weight=self.weight,
            square=self.square,
            clusters=clusters,
        )


def count_answers(responses: Answers) -> AnswerCounts:
    """Count the distinct answers of each segment, in the engine that holds them."""
    rows, named = responses.rows, responses.columns
    sums: dict[str, nw.Expr] = {"n": nw.len()}
    if "count" in named:
        sums |= {"weight": nw.col("count").sum(), "least": nw.col("count").min()}
        sums |= {"known": nw.col("count").count(), "most": nw.col("count").max()}
    elif "weight" in named:
        used = (nw.col("weight") > 0).cast(nw.Int64)
        rows = rows.with_columns(square=nw.col("weight") * nw.col("weight"), used=used)
        sums |= {"weight": nw.col("weight").sum(), "least": nw.col("weight").min()}
        sums |= {"known": nw.col("weight").count(), "square": nw.col("square").sum()}
        sums["used"] = nw.col("used").sum()
    found = responses.grouped(rows.group_by([*responses.keys, "score"]).agg(**sums))
    segments, segment = factorize_segments(found, responses.keys)
    arrays = {name: found[name].fill_null(0).to_numpy().astype(np.float64) for name in sums}
    _check_weights(responses, arrays)
    n = arrays["weight"] if "count" in named else arrays.get("used", arrays["n"])
    weight = arrays.get("weight", arrays["n"])
    n_segments = int(segment.max(initial=-1)) + 1 if responses.by else 1
    answer, value, missing = _values(responses, found["score"], n)
    tally = AnswerCounts(
        segments=segments,
        n_segments=n_segments,
        segment=segment,
        answer=answer,
        value=value,
        n=np.rint(n).astype(np.int64),
        weight=weight,
        square=arrays.get("square", weight),
        missing=np.zeros(n_segments, np.int64),
        invalid=np.zeros(n_segments, np.int64),
    )
    # What nobody with a weight answered is no answer, on the scale or not.
    return replace(tally.take(~missing & (tally.n > 0)), missing=tally.counts(missing))


def _check_weights(responses: Answers, arrays: Mapping[str, Floats]) -> None:
    """Refuse weights and counts that are null, negative or infinite."""
    argument = "counts" if "count" in responses.columns else "weights"
    if argument not in responses.names:  # none, or those that share out a respondent's one answer
        return
    unknown = int((arrays["n"] - arrays["known"]).sum())
    if unknown:
        raise ArgumentError(
            f"{responses.source(argument)} is null in {count_noun(unknown, 'row')}; fill it in, or "
            "leave such rows out."
        )
    rows = responses.rows.select("count" if argument == "counts" else "weight")
    source, total = responses.source(argument), arrays["weight"]
    if argument == "counts" and arrays["most"].max(initial=0) > _MOST_RESPONDENTS:
        where = _where(rows, nw.col("count") > _MOST_RESPONDENTS)
        raise ArgumentError(
            f"{source} is above {_MOST_RESPONDENTS:,} in {where}; so many did not answer."
        )
    square = arrays.get("square", total)
    check_weight_sums(rows, source, argument, least=arrays["least"], total=total, square=square)


def check_weight_sums(
    rows: Frame, source: str, argument: str, *, least: Floats, total: Floats, square: Floats
) -> None:
    """Refuse weights or counts that are negative, infinite or next to nothing, as sums tell.

    `rows` has them in its one column, and is read only where there is something to refuse.
    """
    (name,) = rows.collect_schema().names()
    value = nw.col(name)
    if least.min(initial=0) < 0:
        where = _where(rows, value < 0)
        raise ArgumentError(f"{source} is negative in {where}; {argument} must be 0 or more.")
    if not np.isfinite(square).all():
        raise ArgumentError(
            f"{source} is infinite, or too large to be squared, in {_where(rows, value > _HUGE)}. "
            "Put a number there, or leave such rows out."
        )
    if ((total > 0) & (square < _HUGE**-2)).any():
        where = _where(rows, (value > 0) & (value < 1 / _HUGE))
        raise ArgumentError(
            f"{source} is too small to be squared in {where}. Multiply all of them, since their "
            "scale does not matter, or leave such rows out."
        )


def _where(rows: Frame, condition: nw.Expr) -> str:
    """Say in how many rows of a column something is so, and name a few values."""
    some = rows.filter(condition)
    (name,) = rows.collect_schema().names()
    few = collect(some.unique().sort(name).head(6))[name].to_list()
    return f"{count_noun(count_rows(some), 'row')}: {format_examples(few)}"


def _values(
    responses: Answers, answers: nw.Series[Any], n: Floats
) -> tuple[Array, Floats, Booleans]:
    """Give answers as they are, the scores that they stand for, and which are none."""
    missing = answers.is_null().to_numpy().astype(bool)
    if responses.labels is None:
        scores = answers.to_numpy().astype(np.float64)
        return scores, scores, missing
    known = {_text(label): score for label, score in responses.labels.items()}
    given = np.array(answers.to_list(), object)
    texts = [None if lacks else _text(one) for one, lacks in zip(given, missing, strict=True)]
    strange = np.array([one is not None and one not in known for one in texts], bool)
    if strange.any():
        some = dict.fromkeys(one for one, new in zip(texts, strange, strict=True) if new)
        raise ArgumentError(
            f"`labels` gives no score for {count_noun(int(n[strange].sum()), 'answer')} in "
            f"{responses.source('score')}: {format_examples(list(some))}. Give one for each, or "
            "make nulls of those that mean no answer."
        )
    scores = np.array([np.nan if one is None else known[one] for one in texts], np.float64)
    return given, scores, np.isnan(scores)


def _text(label: Any) -> str:
    """Name an answer alike whether it came as 5 or 5.0."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)


# Scales


def on_scale(tally: AnswerCounts, responses: Answers, scale: Scale) -> AnswerCounts:
    """Set aside what is no score, as asked for, and count it; refuse what is not asked for."""
    missing = np.isin(tally.value, scale.missing_codes)
    tally = replace(tally.take(~missing), missing=tally.missing + tally.counts(missing))
    value = tally.value
    broken = value != np.rint(value)
    if broken.any() and scale.fractional == "raise":
        raise ArgumentError(
            f"{_describe_answers(tally, broken, responses)} not whole. Say with `fractional` what "
            "to do, such as 'floor' or 'round' (half up)."
        )
    if scale.fractional in {"floor", "round"}:
        value = np.floor(value + (0.5 if scale.fractional == "round" else 0))
    # As it was given: rounding must not bring an answer back on the scale.
    outside = (tally.value < scale.low) | (tally.value > scale.high)
    if outside.any() and scale.invalid == "raise":
        raise ArgumentError(
            f"{_describe_answers(tally, outside, responses)} not on the scale from {scale.low:g} "
            f"to {scale.high:g}. If it is another scale, set `scale`; codes for no answer go in "
            "`missing_codes`, and `invalid='drop'` leaves all others out."
        )
    tally = replace(tally, value=value, invalid=tally.counts(outside))
    return tally.take(~outside)


def warn_of_scale(tally: AnswerCounts, responses: Answers, scale: Scale) -> None:
    """Warn where the answers look like those of another scale than the one declared."""
    total = int(tally.n.sum())
    if total < 30 or not responses.names:
        return
    seen = {value: int(tally.n[tally.value == value].sum()) for value in np.unique(tally.value)}
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


def _describe_answers(tally: AnswerCounts, which: Booleans, responses: Answers) -> str:
    """Say how many answers there are of some kind, and name a few."""
    values = format_examples([float(value) for value in np.unique(tally.value[which])])
    number = int(tally.n[which].sum())
    verb = "is" if number == 1 else "are"
    return f"{count_noun(number, 'answer')} ({values}) in {responses.source('score')} {verb}"
