"""Read answers to a survey.

Only types are checked here. Single values (out of the scale, not whole, a code for no answer) are
checked once the distinct ones have been counted: there are few, and the rows are read only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.dtypes import object_types
from retainkit._frames.input import Frame, collect
from retainkit._frames.segments import add_missing_categories
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import COUNT, NUMBER, RESPONDENT, TIME, Kind, read_float
from retainkit._inputs.response_options import ResponseOptions, label_scores
from retainkit._messages import count_noun
from retainkit.errors import ArgumentError


def _is_answer(frame: Frame, column: str) -> bool:
    dtype = frame.collect_schema()[column]
    plain = not dtype.is_nested() and dtype != nw.Boolean
    return plain and not object_types(frame, column) & {"unhashable", "bool"}


def _read_answer(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    if dtype.is_numeric():
        return read_float(value, dtype)
    # pandas before 3 writes a null among Python objects as the text "None".
    return nw.when(~value.is_null()).then(value.cast(nw.String))


_SCORE = replace(NUMBER, text_hint=" Answers in words need `labels`, which says the score of each.")
_LABEL = Kind(
    need="words or numbers, one answer a row", fits=_is_answer, read=_read_answer, advice=False
)
_NOT_A_COUNT = "What is no number of respondents belongs in `weights`"
# Nulls are counted, or refused, with the distinct answers.
ANSWERS = (
    Column("score", _SCORE, nulls="keep"),
    Column("weights", NUMBER, name="weight", nulls="keep", required=False),
    Column(
        "counts",
        replace(COUNT, need=f"{COUNT.need}. {_NOT_A_COUNT}"),
        name="count",
        nulls="keep",
        required=False,
    ),
    Column("respondent", RESPONDENT, nulls="keep", required=False),
    Column("time", TIME, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(CheckedTable):
    """Answers that have been checked for their types.

    `rows` has ``score`` (floats, or text where there are `labels`; null: no answer), and as asked
    for ``weight`` (a float), ``count`` (an integer), ``respondent`` and ``time``. Where not only
    `observed` segments have a row in the result, all combinations of categories have one.
    """

    labels: Mapping[Any, float] | None
    observed: bool = True

    @property
    def cell(self) -> str:
        """The word for a combination of the keys in a message."""
        return "period" if self.by[-1:] == ("period",) else "segment"

    def grouped(self, rows: Frame) -> nw.DataFrame[Any]:
        """Collect what has been reduced by the keys, with a row of every segment."""
        found = collect(rows)
        return found if self.observed or not self.by else add_missing_categories(found, self.keys)


def read_answers(native: Any, options: ResponseOptions) -> Answers:
    """Check answers and give their columns the names of their arguments."""
    labels = None if options.labels is None else label_scores(options.labels)
    plain = _SCORE if options.accept_text else NUMBER
    answer = Column("score", plain if labels is None else _LABEL, nulls="keep")
    dropped = options.complete if options.missing == "drop" else ()
    others = [replace(one, nulls="drop") if one.argument in dropped else one for one in ANSWERS[1:]]
    table = read_columns(
        native,
        "responses",
        [answer, *others],
        {column.argument: getattr(options, column.argument) for column in ANSWERS},
        by=options.by,
        reserved=options.reserved,
        tz=options.tz,
        argument_names=options.argument_names,
        needed=options.needed,
    )
    if dropped:
        table, facts, note = without_nulls(table, read_facts, options.missing)
        warn_of_dropped(note, facts, "responses")
    return Answers(**table.parts(), labels=labels, observed=options.observed)


def null_error(
    answers: Answers, argument: str, rows: int, total: int, *, where: str = ""
) -> ArgumentError:
    """Return the error for nulls in a column that must have a value in each of `total` rows."""
    return ArgumentError(
        f"{answers.source(argument)} is null in {count_noun(rows, 'row')}, of {total:,}{where}; "
        "fill it in, or leave such rows out: `missing='drop'` does, and warns with their number.",
        code="null_values",
        argument=answers.own_name(argument),
        column=answers.names[argument],
        rows=rows,
        total=total,
    )
