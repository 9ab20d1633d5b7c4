"""Read scores with their outcomes, and count the rows of each distinct score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or, is_null
from retainkit._frames.groupby import unique_inverse
from retainkit._frames.input import Frame, check_present, collect, from_native
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import with_plain_types
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, column_names, read_columns
from retainkit._inputs.facts import infinite_values
from retainkit._inputs.kinds import NUMBER, is_text
from retainkit._inputs.nulls import nulls_in
from retainkit._messages import count_noun, format_examples, named, warn
from retainkit._stats.money import money_unit
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError, ColumnTypeError


def _is_flag_or_number(frame: Frame, column: str) -> bool:
    return frame.collect_schema()[column] == nw.Boolean or NUMBER.fits(frame, column)


FLAG_OR_NUMBER = replace(NUMBER, need="numbers or booleans", fits=_is_flag_or_number, advice=False)
_OUTCOME = replace(FLAG_OR_NUMBER, need="booleans, or 0 and 1")
_SCORED = (
    Column("score", NUMBER, nulls="keep"),
    Column("outcome", _OUTCOME, nulls="keep"),
    Column("amount", NUMBER, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreCounts:
    """Rows counted by segment and score: parallel arrays, ascending by both.

    `n` counts the rows with an outcome, of which `events` had it; `amount` is what they are worth
    (None: not asked for). Segments have the names `by`.
    """

    given: Frame
    by: tuple[str, ...]
    segments: dict[str, nw.Series[Any]]
    n_segments: int
    segment: Integers
    score: Floats
    n: Integers
    events: Integers
    amount: Floats | None

    def totals(self, values: Integers) -> Integers:
        """Sum counts by segment."""
        return np.bincount(self.segment, values, self.n_segments).astype(np.int64)


def read_scored(
    scored: Any,
    *,
    score: str,
    outcome: str,
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    amount: str | None = None,
    probability: bool = False,
) -> ScoreCounts:
    """Check scores and outcomes and count them; in a lazy engine it does the counting."""
    column_names("by", by, reserved)
    frame = from_native(scored, "scored")
    check_present("score", score, frame)
    check_outcome_is_no_text(frame, outcome)
    table = read_columns(
        scored,
        "scored",
        _SCORED,
        {"score": score, "outcome": outcome, "amount": amount},
        by=by,
        reserved=reserved,
    )
    counted, n_rows = _count(table)
    return _reduce(_without_open_rows(counted, n_rows, table), table, probability=probability)


def check_outcome_is_no_text(frame: Frame, outcome: str) -> None:
    """Check that an outcome is no words, of which nobody can tell which is the event."""
    check_present("outcome", outcome, frame)
    own = inner_name(frame, outcome)
    # Categories may be those of numbers.
    plain, _ = with_plain_types(frame, {own: "numbers"})
    if not is_text(plain, own):
        return
    words = collect(frame.select(nw.col(own).cast(nw.String).alias("word")).unique())["word"]
    some = sorted(one for one in words.to_list() if isinstance(one, str))
    event = some[-1] if some else "yes"
    raise ColumnTypeError(
        f"{named(outcome, 'outcome')} holds text: {format_examples(some)}. It must hold "
        f"{_OUTCOME.need}, 1 for the event: make it so first, for instance with "
        f"df[{outcome!r}] == {event!r} in pandas.",
        argument="outcome",
        column=outcome,
    )


def _count(table: CheckedTable) -> tuple[nw.DataFrame[Any], int]:
    """Return rows in memory with the number `n` that each stands for, and the number of them all.

    A lazy engine counts the distinct ones.
    """
    rows, sums = table.rows, {"n": nw.len()}
    if isinstance(rows, nw.DataFrame):
        return rows.with_columns(n=nw.col("score").is_null().cast(nw.Int64) * 0 + 1), len(rows)
    if "amount" in table.names:
        sums |= {"amount": nw.col("amount").sum(), "known": nw.col("amount").count()}
    found = collect(rows.group_by([*table.keys, "score", "outcome"]).agg(**sums))
    return found, int(floats_or(found["n"], 0).sum())


def _without_open_rows(
    rows: nw.DataFrame[Any], n_rows: int, table: CheckedTable
) -> nw.DataFrame[Any]:
    """Leave out rows without an outcome, with a warning."""
    closed = ~is_null(rows["outcome"])
    if closed.all():
        return rows
    still_open = int(floats_or(rows["n"], 0)[~closed].sum())
    warn_of_open_rows(table.source("outcome"), table.names["outcome"], still_open, n_rows)
    return rows.filter(closed.tolist())


def warn_of_open_rows(source: str, column: str, still_open: int, n_rows: int) -> None:
    """Warn of rows whose outcome is null: it is not known yet."""
    warn(
        f"{source} is null in {count_noun(still_open, 'row')}, of {n_rows:,}: their outcome is not "
        "known yet, and they are left out.",
        code="incomplete_rows",
        argument="outcome",
        column=column,
        rows=still_open,
        total=n_rows,
    )


def _reduce(rows: nw.DataFrame[Any], table: CheckedTable, *, probability: bool) -> ScoreCounts:
    """Check the values, and count the rows of each segment and score."""
    n = floats_or(rows["n"], 0).astype(np.int64)
    outcome = floats_or(rows["outcome"], np.nan)
    check_outcomes(outcome, n, table.source("outcome"), table.names["outcome"])
    score, amount = _checked_values(rows, n, table)
    if probability:
        _check_probabilities(score, n, table)
    segments, segment = factorize_segments(rows, table.keys)
    n_segments = int(segment.max(initial=-1)) + 1 if table.by else 1
    _, rank = np.unique(score, return_inverse=True)
    size = int(rank.max(initial=-1)) + 1
    keys, code = unique_inverse(segment * size + rank, n_segments * size)
    member = np.zeros(len(keys), np.int64)
    member[code] = np.arange(len(code))
    counts = (np.bincount(code, one, len(keys)).astype(np.int64) for one in (n, n * outcome))
    return ScoreCounts(
        given=table.given,
        by=table.by,
        segments=dict(zip(table.by, segments.values(), strict=True)),
        n_segments=n_segments,
        segment=segment[member],
        score=score[member] + 0.0,  # of 0.0 and -0.0 the one without a sign
        n=next(counts),
        events=next(counts),
        amount=None if amount is None else _sums(amount, code, len(keys)),
    )


def _sums(amounts: Floats, code: Integers, size: int) -> Floats:
    """Sum money by code, in whole numbers, so that the order of the rows is of no account."""
    unit = money_unit(amounts)
    sums = np.zeros(size, np.int64)
    np.add.at(sums, code, unit.to_integers(amounts))
    return unit.to_amounts(unit.round(sums))


# Checks


def check_outcomes(outcome: Floats, n: Integers, source: str, column: str) -> None:
    """Check that outcomes are 0 and 1."""
    wrong = (outcome != 0) & (outcome != 1)
    if wrong.any():
        rows = int(n[wrong].sum())
        raise ArgumentError(
            f"{source} is neither 0 nor 1 in {count_noun(rows, 'row')}, of {int(n.sum()):,}: "
            f"{format_examples(np.unique(outcome[wrong]).tolist())}. It must be 1 where the "
            "customer left, and 0 elsewhere.",
            code="impossible_values",
            argument="outcome",
            column=column,
            rows=rows,
            total=int(n.sum()),
        )


def _checked_values(
    rows: nw.DataFrame[Any], n: Integers, table: CheckedTable
) -> tuple[Floats, Floats | None]:
    """Return scores and amounts, which must be finite numbers."""
    values = {
        name: floats_or(rows[name], np.nan) for name in ("score", "amount") if name in table.names
    }
    lacks = {name: np.where(np.isnan(one), n, 0) for name, one in values.items()}
    if "known" in rows.columns:
        lacks["amount"] = n - floats_or(rows["known"], 0).astype(np.int64)
    counts = {name: int(one.sum()) for name, one in lacks.items()}
    nulls = nulls_in(table, counts, int(n.sum()))
    if nulls is not None:
        raise nulls.error(drop=False)
    for name, one in values.items():
        infinite = int(n[np.isinf(one)].sum())
        if infinite:
            raise infinite_values(table, name, infinite, int(n.sum()))
    return values["score"], values.get("amount")


def _check_probabilities(score: Floats, n: Integers, table: CheckedTable) -> None:
    """Check that scores are probabilities."""
    outside: Booleans = (score < 0) | (score > 1)
    if outside.any():
        rows = int(n[outside].sum())
        raise ArgumentError(
            f"{table.source('score')} is below 0 or above 1 in {count_noun(rows, 'row')}, of "
            f"{int(n.sum()):,}: {format_examples(np.unique(score[outside]).tolist())}. It looks "
            "like no probability; pass probability=False.",
            code="not_a_share",
            argument="score",
            column=table.names["score"],
            rows=rows,
            total=int(n.sum()),
        )
