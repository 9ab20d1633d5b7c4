"""Answers to a survey: checked once, when they come in.

What can be said of single values (out of the scale, not whole, a code for no answer) is said of the
distinct ones that `_tally` counts: there are few, and the rows are read only once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._checks import boolean, one_of
from retainkit._frames.dtypes import is_numeric_like, object_types, type_name
from retainkit._frames.input import check_present, collect, from_native, normalize_pandas
from retainkit._frames.segments import add_missing_categories
from retainkit._inputs.columns import check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from retainkit._frames.input import Frame

REPEATS = ("cluster", "last", "first", "mean", "error")
_NUMBERS = "numbers; convert it first, for instance with pandas.to_numeric"
_DTYPES = {"score": "float64", "weights": "float64", "counts": "int64", "time": "datetime64[us]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers that have been checked for their types.

    `rows` has ``score`` (floats, or text where there are `labels`; null: no answer), the segments
    as ``by_0``, ``by_1`` …, and as asked for ``weight`` (a float), ``count`` (an integer),
    ``respondent`` and ``time``. `names` tells the column given for each argument, and `called` what
    a public function calls an argument where it has a name of its own. Times are stored in the zone
    `stored` and periods are cut in `zone` (both None: times without a zone).
    """

    rows: Frame
    by: tuple[str, ...]
    names: Mapping[str, str]
    labels: Mapping[Any, float] | None
    stored: tzinfo | None = None
    zone: tzinfo | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    observed: bool = True

    @property
    def cell(self) -> str:
        """What a combination of the keys is called in a message."""
        return "period" if self.by[-1:] == ("period",) else "segment"

    @property
    def keys(self) -> list[str]:
        """The segment columns as they are called in `rows`."""
        return [f"by_{i}" for i in range(len(self.by))]

    @property
    def columns(self) -> list[str]:
        """The columns of `rows`."""
        return self.rows.collect_schema().names()

    def grouped(self, rows: Frame) -> nw.DataFrame[Any]:
        """Collect what has been reduced by the keys, with a row of every segment."""
        found = collect(rows)
        return found if self.observed or not self.by else add_missing_categories(found, self.keys)

    def source(self, argument: str) -> str:
        """Name a column as an error does."""
        return _source(self.names[argument], self.called.get(argument, argument))


def _source(column: str, argument: str) -> str:
    return f"column {column!r} (given as `{argument}`)"


def read_answers(
    native: Any,
    *,
    score: str,
    by: str | Sequence[str] | None,
    taken: Sequence[str],
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    time: str | None = None,
    repeat: str = "cluster",
    labels: Mapping[Any, float] | None = None,
    tz: str | None = None,
    called: Mapping[str, str] | None = None,
    words: bool = True,
    observed: bool = True,
) -> Answers:
    """Check answers and give their columns the names of their arguments.

    Errors name an argument as it is `called` by the public function. Where that one takes no
    `labels`, answers in `words` cannot be helped.
    """
    frame = from_native(native, "responses")
    boolean("observed", observed)
    one_of("repeat", repeat, REPEATS)
    given = {
        "score": score,
        "weights": weights,
        "counts": counts,
        "respondent": respondent,
        "time": time,
    }
    names = {argument: column for argument, column in given.items() if column is not None}
    _check_alone(names, repeat)
    called = called or {}
    segments = segment_names(by, taken)
    for argument, column in [*names.items(), *(("by", column) for column in segments)]:
        check_present(called.get(argument, argument), column, frame)
    times = [names["time"]] if "time" in names else []
    expected = {names[one]: dtype for one, dtype in _DTYPES.items() if one in names}
    if labels is not None:
        labels = _checked_labels(labels)
        expected.pop(score)
    frame, zones = normalize_pandas(frame, times, expected)
    for argument, column in names.items():
        if argument == "score":
            own_name = called.get("score", "score")
            _check_score(own_name, column, frame, labels, words=words)
        else:
            _check_column(argument, column, frame, called.get(argument, argument))
    for column in segments:
        check_type("by", column, frame)
    own = {"score": _score(frame, score, labels)}
    if weights is not None:
        own["weight"] = nw.col(weights).cast(nw.Float64).fill_nan(None)
    if counts is not None:
        own["count"] = nw.col(counts).cast(nw.Int64)
    if respondent is not None:
        own["respondent"] = _ids(frame, respondent)
    stored = zone = None
    if time is not None:
        stored, zone = zones_of({"time": time}, frame, zones, tz)
        dates = frame.collect_schema()[time] == nw.Date
        own["time"] = nw.col(time).cast(nw.Datetime("us")) if dates else nw.col(time)
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    return Answers(
        rows=frame.select(**own, **keys),
        by=segments,
        names=names,
        labels=labels,
        stored=stored,
        zone=zone,
        called=called,
        observed=observed,
    )


def _check_alone(names: Mapping[str, str], repeat: str) -> None:
    """Refuse what does not go together."""
    if "counts" in names:
        for other in ("weights", "respondent"):
            if other in names:
                raise ArgumentError(
                    f"`counts` and `{other}` are both given. A row of `counts` stands for several "
                    "respondents who answered alike; give one of the two."
                )
    if repeat in {"first", "last"} and "respondent" in names and "time" not in names:
        raise ArgumentError(
            f"`repeat` is {repeat!r}, which needs `time`: the column that tells when the answer "
            "was given."
        )
    if repeat != "cluster" and "respondent" not in names:
        raise ArgumentError(
            f"`repeat` is {repeat!r}, which needs `respondent`: the column that tells whose answer "
            "it is."
        )


def _check_column(argument: str, column: str, frame: Frame, name: str) -> None:
    """Check the type of a column other than the answers; errors call its argument `name`."""
    dtype = frame.collect_schema()[column]
    if argument == "time":
        check_type("time", column, frame)
    elif argument == "respondent":
        _check_ids(column, frame, name)
    elif argument == "counts" and not dtype.is_integer():
        raise ColumnTypeError(
            f"{_source(column, name)} holds {type_name(frame, column)}; it must hold whole "
            "numbers, such as of type Int64. What is no number of respondents belongs in `weights`."
        )
    elif argument == "weights" and not is_numeric_like(frame, column):
        raise ColumnTypeError(
            f"{_source(column, name)} holds {type_name(frame, column)}; it must hold {_NUMBERS}."
        )


def _check_ids(column: str, frame: Frame, name: str) -> None:
    """Check the type of identifiers, which are told apart but need no order."""
    kinds = object_types(frame, column) - {"unordered"}
    if frame.collect_schema()[column].is_nested() or "unhashable" in kinds:
        raise ColumnTypeError(
            f"{_source(column, name)} holds {type_name(frame, column)}; it must hold plain values, "
            "such as numbers or strings; convert it first, for instance with astype(str)."
        )
    if "str" in kinds and len(kinds) > 1:
        raise ColumnTypeError(
            f"{_source(column, name)} holds {' and '.join(sorted(kinds))}; an id that is a number "
            "in one row and text in another is two respondents. Make them alike first, for "
            f"instance with df[{column!r}].astype(str)."
        )


def _check_score(
    name: str, column: str, frame: Frame, labels: Mapping[Any, float] | None, *, words: bool
) -> None:
    """Check the type of the answers: numbers, or with labels anything plain."""
    dtype, kinds = frame.collect_schema()[column], object_types(frame, column)
    holds = f"{_source(column, name)} holds {type_name(frame, column)}; it must hold"
    if labels is not None:
        if dtype.is_nested() or dtype == nw.Boolean or kinds & {"unhashable", "bool"}:
            raise ColumnTypeError(f"{holds} words or numbers, one answer a row.")
    elif not is_numeric_like(frame, column):
        text = dtype in {nw.String, nw.Categorical} or isinstance(dtype, nw.Enum) or "str" in kinds
        also = " Answers in words need `labels`, which says the score of each."
        raise ColumnTypeError(f"{holds} {_NUMBERS}.{also if text and words else ''}")


def _checked_labels(labels: Any) -> dict[Any, float]:
    try:
        found = {
            label: float("nan") if score is None else float(score)
            for label, score in dict(labels).items()
        }
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`labels` is {labels!r}; it must be a mapping from answers to scores, such as "
            "{'Very satisfied': 5, 'Satisfied': 4}."
        ) from None
    if not found:
        raise ArgumentError("`labels` is empty; it must give a score for every answer.")
    return found


def _ids(frame: Frame, column: str) -> nw.Expr:
    ids = nw.col(column)
    return ids.fill_nan(None) if frame.collect_schema()[column].is_float() else ids


def _score(frame: Frame, column: str, labels: Mapping[Any, float] | None) -> nw.Expr:
    dtype = frame.collect_schema()[column]
    if labels is None or dtype.is_numeric():
        return nw.col(column).cast(nw.Float64).fill_nan(None)
    # pandas before 3 writes a null among Python objects as the text "None".
    value = nw.col(column)
    return nw.when(~value.is_null()).then(value.cast(nw.String))
