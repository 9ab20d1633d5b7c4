"""Respondents who answered several times: whose answers count, and as how many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.input import collect, count_rows, instants_of
from retainkit._frames.join import map_values
from retainkit._frames.output import with_column
from retainkit._frames.segments import factorize_segments
from retainkit._messages import count_noun, format_examples
from retainkit._stats.effective_size import Clusters
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from retainkit._inputs.answers import Answers
    from retainkit._typing import Array, Booleans, Floats, Integers
    from retainkit.surveys._answer_counts import AnswerCounts


def check_respondents(responses: Answers) -> None:
    """Refuse answers of which nobody knows whose they are."""
    unknown = count_rows(responses.rows.filter(nw.col("respondent").is_null()))
    if unknown:
        raise ArgumentError(
            f"{responses.source('respondent')} is null in {count_noun(unknown, 'row')}; fill it "
            "in, or leave such rows out."
        )


def cluster_sums(
    responses: Answers, tally: AnswerCounts, values: Floats
) -> tuple[nw.DataFrame[Any], Clusters]:
    """Add up over the answers of each respondent in each segment, in the engine that holds them.

    `values` are what the answers of `tally` stand for. Gives the keys of the segments, in no order,
    and beside them the sums.
    """
    answers, where = np.unique(tally.answer, return_index=True)
    meaning = {"score": answers, "x": values[where], "valid": np.ones(len(answers))}
    rows = responses.rows
    # Answers that do not count stay, with a weight of 0: every segment has to be there.
    counts = nw.col("valid").fill_null(0.0)
    weight = counts * nw.col("weight") if "weight" in responses.columns else counts
    rows = map_values(rows, "score", meaning).with_columns(x=nw.col("x").fill_null(0.0), w=weight)
    key = [*responses.keys, "respondent"]
    each = rows.with_columns(xw=nw.col("x") * nw.col("w")).group_by(key)
    sums = each.agg(xw=nw.col("xw").sum(), w=nw.col("w").sum()).with_columns(
        number=(nw.col("w") > 0).cast(nw.Int64),
        xx=nw.col("xw") * nw.col("xw"),
        xw=nw.col("xw") * nw.col("w"),
        ww=nw.col("w") * nw.col("w"),
    )
    names = ("number", "xx", "xw", "ww")
    total = [nw.col(name).sum() for name in names]
    if responses.by:
        found = responses.grouped(sums.group_by(responses.keys).agg(*total))
    else:
        found = collect(sums.select(*total))
    number, xx, xw, ww = (found[name].fill_null(0).to_numpy().astype(float) for name in names)
    return found, Clusters(number=number, xx=xx, xw=xw, ww=ww)


def keep_one_per_respondent(responses: Answers, tally: AnswerCounts, repeat: str) -> Answers:
    """Let each respondent count once in a segment, by the rule of `repeat`; reads the rows.

    `tally` holds the answers that count; rows with others stay as they are.
    """
    rows = collect(responses.rows)
    _, segment = factorize_segments(rows, responses.keys)
    valid = _is_in(rows["score"], np.unique(tally.answer))
    if "weight" in rows.columns:
        valid &= rows["weight"].to_numpy().astype(np.float64) > 0
    who, width = integer_codes(rows["respondent"])
    _, person = np.unique(segment * width + who, return_inverse=True)
    number = np.bincount(person[valid], minlength=int(person.max(initial=-1)) + 1)[person]
    if repeat == "error":
        _refuse_repeats(responses, rows, valid & (number > 1))
    if repeat == "mean":
        weight = rows["weight"].to_numpy() if "weight" in rows.columns else np.ones(len(rows))
        shared = weight / np.where(valid, np.maximum(number, 1), 1)
        return replace(responses, rows=with_column(rows, "weight", shared))
    if repeat in {"first", "last"}:
        kept = ~valid | _first_or_last(responses, rows, person, valid, repeat)
        return replace(responses, rows=rows[np.flatnonzero(kept).tolist()])
    return responses


def _is_in(answers: nw.Series[Any], valid: Array) -> Booleans:
    if not len(valid):  # of which PyArrow could not tell the type
        return np.zeros(len(answers), bool)
    found: Booleans = answers.is_in(valid.tolist()).fill_null(value=False).to_numpy().astype(bool)
    return found


def _refuse_repeats(responses: Answers, rows: nw.DataFrame[Any], again: Booleans) -> None:
    if again.any():
        who = rows["respondent"][np.flatnonzero(again).tolist()].unique(maintain_order=True)
        raise ArgumentError(
            f"{count_noun(len(who), 'respondent')} in {responses.source('respondent')} answered "
            f"more than once, such as {format_examples(who.to_list())}. Say with `repeat` what to "
            "do: 'cluster' counts all answers and widens the interval, 'last' and 'first' take one."
        )


def _first_or_last(
    responses: Answers,
    rows: nw.DataFrame[Any],
    person: Integers,
    valid: Booleans,
    repeat: str,
) -> Booleans:
    """Mark the first or the last answer of each respondent; two at once are refused."""
    unknown = int(rows["time"].is_null().to_numpy().astype(bool)[valid].sum())
    if unknown:
        raise ArgumentError(
            f"{responses.source('time')} is null in {count_noun(unknown, 'row')} with an answer; "
            "fill it in, or leave such rows out."
        )
    place = np.flatnonzero(valid)
    time = instants_of(rows["time"])
    time, person = time[place], person[place]
    order = np.lexsort((time if repeat == "first" else -time, person))
    begins = np.append(True, person[order][1:] != person[order][:-1])[: len(order)]
    tied = ~begins[1:] & begins[:-1] & (time[order][1:] == time[order][:-1])
    if tied.any():
        who = rows["respondent"][place[order[1:][tied]].tolist()].to_list()
        raise ArgumentError(
            f"{count_noun(len(who), 'respondent')} in {responses.source('respondent')} gave "
            f"several answers at the {repeat} time, such as {format_examples(who)}; which of them "
            f"is the {repeat} one cannot be told. Leave one in."
        )
    chosen = np.zeros(len(rows), bool)
    chosen[place[order[begins]]] = True
    return chosen
