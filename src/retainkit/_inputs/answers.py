"""Answers to a survey: checked once, when they come in.

What can be said of single values (out of the scale, not whole, a code for no answer) is said of the
distinct ones that `surveys._answer_counts` counts: there are few, and the rows are read only once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._frames.dtypes import is_numeric_like, object_types, type_name
from retainkit._frames.input import check_present, collect, from_native, normalize_pandas
from retainkit._frames.segments import add_missing_categories
from retainkit._inputs.columns import check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from retainkit._frames.input import Frame
    from retainkit._inputs.response_options import ResponseOptions

_NUMBERS = "numbers; convert it first, for instance with pandas.to_numeric"
_DTYPES = {"score": "float64", "weights": "float64", "counts": "int64", "time": "datetime64[us]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers that have been checked for their types.

    `rows` has ``score`` (floats, or text where there are `labels`; null: no answer), the segments
    as ``by_0``, ``by_1`` …, and as asked for ``weight`` (a float), ``count`` (an integer),
    ``respondent`` and ``time``. `names` has the column given for each argument, and
    `argument_names` the names of arguments in a public function where they differ. Times are stored
    in the zone `stored` and periods are cut in `zone` (both None: times without a zone).
    """

    rows: Frame
    by: tuple[str, ...]
    names: Mapping[str, str]
    labels: Mapping[Any, float] | None
    stored: tzinfo | None = None
    zone: tzinfo | None = None
    argument_names: Mapping[str, str] = field(default_factory=dict)
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
        return _source(self.names[argument], self.argument_names.get(argument, argument))


def _source(column: str, argument: str) -> str:
    return f"column {column!r} (given as `{argument}`)"


def read_answers(native: Any, options: ResponseOptions) -> Answers:
    """Check answers and give their columns the names of their arguments."""
    frame = from_native(native, "responses")
    names, labels, called = options.columns, options.labels, options.argument_names
    segments = segment_names(options.by, options.reserved)
    for argument, column in [*names.items(), *(("by", column) for column in segments)]:
        check_present(called.get(argument, argument), column, frame)
    times = [names["time"]] if "time" in names else []
    expected = {names[one]: dtype for one, dtype in _DTYPES.items() if one in names}
    if labels is not None:
        labels = _checked_labels(labels)
        expected.pop(options.score)
    frame, zones = normalize_pandas(frame, times, expected)
    for argument, column in names.items():
        own_name = called.get(argument, argument)
        if argument == "score":
            _check_score(own_name, column, frame, labels, accept_text=options.accept_text)
        else:
            _check_column(argument, column, frame, own_name)
    for column in segments:
        check_type("by", column, frame)
    own = {"score": _score(frame, options.score, labels)}
    if options.weights is not None:
        own["weight"] = nw.col(options.weights).cast(nw.Float64).fill_nan(None)
    if options.counts is not None:
        own["count"] = nw.col(options.counts).cast(nw.Int64)
    if options.respondent is not None:
        own["respondent"] = _ids(frame, options.respondent)
    stored = zone = None
    if options.time is not None:
        stored, zone = zones_of({"time": options.time}, frame, zones, options.tz)
        dates = frame.collect_schema()[options.time] == nw.Date
        time = nw.col(options.time)
        own["time"] = time.cast(nw.Datetime("us")) if dates else time
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    return Answers(
        rows=frame.select(**own, **keys),
        by=segments,
        names=names,
        labels=labels,
        stored=stored,
        zone=zone,
        argument_names=called,
        observed=options.observed,
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
    name: str, column: str, frame: Frame, labels: Mapping[Any, float] | None, *, accept_text: bool
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
        raise ColumnTypeError(f"{holds} {_NUMBERS}.{also if text and accept_text else ''}")


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
