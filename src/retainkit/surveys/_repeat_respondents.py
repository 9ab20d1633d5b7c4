"""Several answers of one respondent: sums for clustered intervals, or one answer of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or, is_null, is_true
from retainkit._frames.factorize import factorize, integer_codes
from retainkit._frames.groupby import group_sum, unique_inverse
from retainkit._frames.input import Frame, collect, count_rows, instants_of, is_pandas
from retainkit._frames.join import map_values, table_in_engine
from retainkit._frames.output import with_column
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.answers import Answers, null_error
from retainkit._messages import count_noun, format_examples
from retainkit._stats.effective_size import Clusters
from retainkit._stats.event_index import first_or_last
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.surveys._answer_counts import AnswerCounts

_PRODUCTS = ("number", "xx", "xw", "ww")


def check_respondents(responses: Answers) -> None:
    """Check that every answer has a respondent."""
    unknown = count_rows(responses.rows.filter(nw.col("respondent").is_null()))
    if unknown:
        raise null_error(responses, "respondent", unknown, count_rows(responses.rows))


def _weighted_rows(responses: Answers, counts: AnswerCounts, values: Floats) -> Frame:
    """Add to each answer its weight and its weighted value, in the engine that holds them.

    `values` are the values of the answers in `counts`: ``xw`` is the weighted one and ``w`` the
    weight.
    """
    answers, first = np.unique(counts.answer, return_index=True)
    meaning = {"score": answers, "x": values[first], "valid": np.ones(len(answers))}
    # Answers that do not count stay, with a weight of 0: every segment has to be there.
    valid = _zero_if_null("valid")
    weight = valid * nw.col("weight") if "weight" in responses.columns else valid
    rows = map_values(responses.rows, "score", meaning)
    rows = rows.with_columns(x=_zero_if_null("x"), w=weight)
    return rows.with_columns(xw=nw.col("x") * nw.col("w"))


def _sum_by_respondent(rows: Frame, keys: Sequence[str]) -> Frame:
    """Sum ``xw`` and ``w`` of each respondent in each segment, in the engine."""
    return rows.group_by([*keys, "respondent"]).agg(xw=nw.col("xw").sum(), w=nw.col("w").sum())


def _zero_if_null(column: str) -> nw.Expr:
    value = nw.col(column)
    return nw.when(~value.is_null()).then(value).otherwise(0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RespondentArrays:
    """Sums over the answers of each respondent in each segment: parallel arrays.

    `weighted` sums the weighted values and `weight` the weights. Respondents are codes; `segments`
    are columns of one row a segment.
    """

    segments: dict[str, nw.Series[Any]]
    segment: Integers
    respondent: Integers
    weighted: Floats
    weight: Floats


def respondent_arrays(responses: Answers, counts: AnswerCounts, values: Floats) -> RespondentArrays:
    """Sum over the answers of each respondent in each segment, and bring the sums into memory."""
    keys = responses.keys
    if is_pandas(responses.rows):
        rows = collect(responses.rows)
        value, weight = _values_and_weights(rows, counts, values)
        return _sum_arrays(rows, keys, value * weight, weight)
    rows = collect(_sum_by_respondent(_weighted_rows(responses, counts, values), keys))
    return _sum_arrays(rows, keys, floats_or(rows["xw"], 0), floats_or(rows["w"], 0))


def _sum_arrays(
    rows: nw.DataFrame[Any], keys: Sequence[str], weighted: Floats, weight: Floats
) -> RespondentArrays:
    """Sum two arrays that are parallel to rows, by segment and respondent.

    pandas has a table of hashes for this, which ends the program where memory runs out.
    """
    segments, segment = factorize_segments(rows, keys)
    respondent, width = integer_codes(rows["respondent"])
    n_segments = int(segment.max(initial=-1)) + 1
    numbers, group = unique_inverse(segment * width + respondent, n_segments * width)
    return RespondentArrays(
        segments=segments,
        segment=numbers // max(width, 1),
        respondent=numbers % max(width, 1),
        weighted=group_sum(weighted, group, len(numbers)),
        weight=group_sum(weight, group, len(numbers)),
    )


def _values_and_weights(
    rows: nw.DataFrame[Any], counts: AnswerCounts, values: Floats
) -> tuple[Floats, Floats]:
    """Return the value and the weight of each answer, both 0 where it does not count."""
    code, answers = factorize(rows["score"], sort=False)
    known = dict(zip(counts.answer.tolist(), values.tolist(), strict=True))
    found = list(answers.tolist())
    # The last element is that of rows without an answer, whose code is -1.
    value = np.array([*(known.get(answer, 0.0) for answer in found), 0.0])
    weight = np.array([*(float(answer in known) for answer in found), 0.0])[code]
    if "weight" in rows.columns:
        weight *= floats_or(rows["weight"], 0)
    return value[code], weight


def cluster_sums(
    responses: Answers, counts: AnswerCounts, values: Floats
) -> tuple[nw.DataFrame[Any], Clusters]:
    """Sum over the respondents of each segment, in the engine that holds their answers.

    Returns a row for each segment, in no order, and the sums beside it.
    """
    if is_pandas(responses.rows):
        found = respondent_arrays(responses, counts, values)
        return _sum_products(found, responses.rows, responses.grouped)
    rows = _weighted_rows(responses, counts, values)
    return sum_clusters(rows, responses.keys, responses.grouped)


def sum_clusters(
    rows: Frame, keys: Sequence[str], collected: Callable[[Frame], nw.DataFrame[Any]] = collect
) -> tuple[nw.DataFrame[Any], Clusters]:
    """Sum ``xw`` and ``w`` of each respondent, and squares and products of these by the keys."""
    if is_pandas(rows):
        held = collect(rows)
        weighted, weight = floats_or(held["xw"], 0), floats_or(held["w"], 0)
        return _sum_products(_sum_arrays(held, keys, weighted, weight), rows, collected)
    parts = _sum_by_respondent(rows, keys).with_columns(
        number=(nw.col("w") > 0).cast(nw.Int64),
        xx=nw.col("xw") * nw.col("xw"),
        xw=nw.col("xw") * nw.col("w"),
        ww=nw.col("w") * nw.col("w"),
    )
    total = [nw.col(name).sum() for name in _PRODUCTS]
    found = collected(parts.group_by(keys).agg(*total) if keys else parts.select(*total))
    return _read_clusters(found)


def _sum_products(
    sums: RespondentArrays, like: Frame, collected: Callable[[Frame], nw.DataFrame[Any]]
) -> tuple[nw.DataFrame[Any], Clusters]:
    """Sum squares and products of the sums of respondents by segment."""
    columns: dict[str, Any] = dict(sums.segments)
    n_segments = len(next(iter(columns.values()))) if columns else 1
    weighted, weight = sums.weighted, sums.weight
    number = (weight > 0).astype(np.float64)
    products = (number, weighted * weighted, weighted * weight, weight * weight)
    for name, product in zip(_PRODUCTS, products, strict=True):
        columns[name] = group_sum(product, sums.segment, n_segments)
    return _read_clusters(collected(table_in_engine(like, columns)))


def _read_clusters(found: nw.DataFrame[Any]) -> tuple[nw.DataFrame[Any], Clusters]:
    number, xx, xw, ww = (floats_or(found[name], 0) for name in _PRODUCTS)
    return found, Clusters(number=number, xx=xx, xw=xw, ww=ww)


def keep_one_per_respondent(responses: Answers, counts: AnswerCounts, repeat: str) -> Answers:
    """Count each respondent once in a segment, by the rule of `repeat`; reads the rows.

    `counts` holds the answers that count; rows with others stay as they are.
    """
    rows = collect(responses.rows)
    _, segment = factorize_segments(rows, responses.keys)
    valid = _is_in(rows["score"], np.unique(counts.answer))
    if "weight" in rows.columns:
        valid &= rows["weight"].to_numpy().astype(np.float64) > 0
    respondent, width = integer_codes(rows["respondent"])
    _, person = np.unique(segment * width + respondent, return_inverse=True)
    number = np.bincount(person[valid], minlength=int(person.max(initial=-1)) + 1)[person]
    if repeat == "error":
        _check_no_repeats(responses, rows, valid, number)
    if repeat == "mean":
        weight = rows["weight"].to_numpy() if "weight" in rows.columns else np.ones(len(rows))
        divided = weight / np.where(valid, np.maximum(number, 1), 1)
        return replace(responses, rows=with_column(rows, "weight", divided))
    if repeat in {"first", "last"}:
        kept = ~valid
        kept[_first_or_last_answers(responses, rows, person, valid, repeat)] = True
        return replace(responses, rows=rows[np.flatnonzero(kept).tolist()])
    return responses


def _is_in(answers: nw.Series[Any], valid: Array) -> Booleans:
    """Mark the answers that are valid."""
    if not len(valid):  # a list whose type PyArrow cannot infer
        return np.zeros(len(answers), bool)
    return is_true(answers.is_in(valid.tolist()))


def _check_no_repeats(
    responses: Answers, rows: nw.DataFrame[Any], valid: Booleans, number: Integers
) -> None:
    """Raise if the respondent of a valid answer has a number of them above 1."""
    repeated = valid & (number > 1)
    if repeated.any():
        all_who, who = (
            rows["respondent"][np.flatnonzero(which).tolist()].unique(maintain_order=True)
            for which in (valid, repeated)
        )
        raise ArgumentError(
            f"{count_noun(len(who), 'respondent')} in {responses.source('respondent')} answered "
            f"more than once, such as {format_examples(who.to_list())}. Say with `repeat` what to "
            "do: 'cluster' counts all answers and widens the interval, 'last' and 'first' take "
            "one.",
            code="repeated_respondents",
            argument=responses.own_name("respondent"),
            column=responses.names["respondent"],
            rows=len(who),
            total=len(all_who),
        )


def _first_or_last_answers(
    responses: Answers, rows: nw.DataFrame[Any], person: Integers, valid: Booleans, repeat: str
) -> Integers:
    """Find the row of the first or last valid answer of each person; raise if two are tied."""
    index = np.flatnonzero(valid)
    unknown = int(is_null(rows["time"])[valid].sum())
    if unknown:
        raise null_error(responses, "time", unknown, len(index), where=" with an answer")
    time = instants_of(rows["time"])[index]
    chosen, tied = first_or_last(person[index], time, last=repeat == "last")
    if len(tied):
        who = rows["respondent"][index[tied].tolist()].to_list()
        raise ArgumentError(
            f"{count_noun(len(who), 'respondent')} in {responses.source('respondent')} gave "
            f"several answers at the {repeat} time, such as {format_examples(who)}; which of them "
            f"is the {repeat} one cannot be told. Leave one in.",
            code="same_time",
            argument="time",
            column=responses.names["time"],
            rows=len(who),
            total=len(np.unique(person[index])),
        )
    return index[chosen]
