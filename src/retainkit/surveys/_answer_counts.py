"""Counts of each distinct answer in each segment, from which all scores are computed.

A score is a mean of the values of answers: 1, 0 and -1 in NPS, 1 and 0 in a share. So one pass over
the rows counts the distinct answers, in the engine that holds them, and everything else is
arithmetic on these counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or, is_null
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.answers import Answers, null_error
from retainkit._inputs.weights import check_weight_sums, value_error
from retainkit._messages import count_noun, format_examples
from retainkit._stats.effective_size import Clusters, EffectiveSize, effective_size
from retainkit._stats.intervals import ratio
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.errors import ArgumentError

_MAX_RESPONDENTS = 10**12  # of a row: sums of more might not fit into 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCounts:
    """Counted answers: parallel arrays with an element for each segment and distinct answer.

    `answer` is the answer as it was given and `value` its score; `n` counts the respondents who
    gave it with a weight above 0, `weight` is the sum of their weights and `square` the sum of the
    squares of these (without weights: of 1 each). `missing` and `invalid` count, by segment, rows
    without an answer and answers that are no score.
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
        """Select some of the elements."""
        names = ("segment", "answer", "value", "n", "weight", "square")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    def sum_by_segment(self, values: Array) -> Floats:
        """Sum by segment."""
        return np.bincount(self.segment, values, self.n_segments).astype(np.float64)

    def n_by_segment(self, which: Booleans | None = None) -> Integers:
        """Count respondents by segment, of all answers or of some."""
        n = self.n if which is None else np.where(which, self.n, 0)
        return np.rint(self.sum_by_segment(n)).astype(np.int64)

    def share_by_segment(self, which: Booleans) -> Floats:
        """Share of some answers in the total weight of each segment."""
        part = self.sum_by_segment(np.where(which, self.weight, 0))
        return ratio(part, self.sum_by_segment(self.weight))

    def mean_by_segment(self, values: Floats) -> tuple[Floats, Floats]:
        """Weighted mean and variance of `values`, by segment."""
        weight = self.sum_by_segment(self.weight)
        mean = ratio(self.sum_by_segment(self.weight * values), weight)
        squares = (values - mean[self.segment]) ** 2
        return mean, ratio(self.sum_by_segment(self.weight * squares), weight)

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
    rows, columns = responses.rows, responses.columns
    sums: dict[str, nw.Expr] = {"n": nw.len()}
    if "count" in columns:
        sums |= _weight_sums("count") | {"most": nw.col("count").max()}
    elif "weight" in columns:
        used = (nw.col("weight") > 0).cast(nw.Int64)
        rows = rows.with_columns(square=nw.col("weight") * nw.col("weight"), used=used)
        sums |= _weight_sums("weight")
        sums |= {"square": nw.col("square").sum(), "used": nw.col("used").sum()}
    found = responses.grouped(rows.group_by([*responses.keys, "score"]).agg(**sums))
    segments, segment = factorize_segments(found, responses.keys)
    arrays = {name: floats_or(found[name], 0) for name in sums}
    _check_answer_weights(responses, arrays)
    n = arrays["weight"] if "count" in columns else arrays.get("used", arrays["n"])
    weight = arrays.get("weight", arrays["n"])
    n_segments = int(segment.max(initial=-1)) + 1 if responses.by else 1
    answer, value, missing = _answers_and_scores(responses, found["score"], n)
    counts = AnswerCounts(
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
    # An answer that only rows of weight 0 have does not count, be it on the scale or not.
    return replace(counts.take(~missing & (counts.n > 0)), missing=counts.n_by_segment(missing))


def _weight_sums(column: str) -> dict[str, nw.Expr]:
    """Sum, minimum and number of known values of a column of weights or counts."""
    value = nw.col(column)
    return {"weight": value.sum(), "least": value.min(), "known": value.count()}


def _check_answer_weights(responses: Answers, arrays: Mapping[str, Floats]) -> None:
    """Check that no weight or count is null, negative or too large."""
    argument = next((one for one in ("weights", "counts") if one in responses.names), None)
    if argument is None:  # at most weights by which the answers of a respondent count as one
        return
    unknown = int((arrays["n"] - arrays["known"]).sum())
    if unknown:
        raise null_error(responses, argument, unknown, int(arrays["n"].sum()))
    name, total = argument.removesuffix("s"), arrays["weight"]
    if argument == "counts" and arrays["most"].max(initial=0) > _MAX_RESPONDENTS:
        raise value_error(
            responses,
            argument,
            nw.col(name) > _MAX_RESPONDENTS,
            name,
            text=f"is above {_MAX_RESPONDENTS:,} in {{}}; so many did not answer.",
            code="impossible_values",
        )
    square = arrays.get("square", total)
    check_weight_sums(responses, argument, name, least=arrays["least"], total=total, square=square)


def _answers_and_scores(
    responses: Answers, answers: nw.Series[Any], n: Floats
) -> tuple[Array, Floats, Booleans]:
    """Return answers as they were given, their scores, and which of them are missing."""
    missing = is_null(answers)
    if responses.labels is None:
        scores = answers.to_numpy().astype(np.float64)
        return scores, scores, missing
    known = {_label_text(label): score for label, score in responses.labels.items()}
    given = np.array(answers.to_list(), object)
    texts = [None if null else _label_text(one) for one, null in zip(given, missing, strict=True)]
    unknown = np.array([one is not None and one not in known for one in texts], bool)
    if unknown.any():
        some = dict.fromkeys(one for one, new in zip(texts, unknown, strict=True) if new)
        raise ArgumentError(
            f"`labels` gives no score for {count_noun(int(n[unknown].sum()), 'answer')} in "
            f"{responses.source('score')}: {format_examples(list(some))}. Give one for each, or "
            "make nulls of those that mean no answer.",
            code="unknown_labels",
            argument="labels",
            column=responses.names["score"],
            rows=int(n[unknown].sum()),
            total=int(n.sum()),
        )
    scores = np.array([np.nan if one is None else known[one] for one in texts], np.float64)
    return given, scores, np.isnan(scores)


def _label_text(label: Any) -> str:
    """Write an answer, so that 5 and 5.0 are equal."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)
