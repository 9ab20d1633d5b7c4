"""The checks of columns that all input tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._checks import is_list
from retainkit._frames.dtypes import object_types, type_name
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retainkit._frames.input import Frame

# What a column must hold for the argument that names it, and how to get there.
TIME = "dates or datetimes; parse or convert it first, for instance with pandas.to_datetime"
_FLAG = "booleans; make one first, for instance with df['event'] == 'purchase'"
NEEDS = {
    "time": TIME,
    "cohort_time": TIME,
    "started": _FLAG,
    "returned": _FLAG,
    "amount": "numbers; convert it first, for instance with pandas.to_numeric",
}
_PLAIN = (
    "plain values of one kind, such as numbers or strings; convert it first, for instance with "
    "astype(str)"
)
DTYPES = {TIME: "datetime64[us]", _FLAG: "bool", NEEDS["amount"]: "float64"}


# Checks


def segment_names(by: Any, taken: Sequence[str]) -> tuple[str, ...]:
    if by is None or isinstance(by, str):
        by = [] if by is None else [by]
    if not is_list(by):
        raise ArgumentTypeError(
            f"`by` is {by!r}; it must be the name of a column, or a list of names."
        )
    names = tuple(by)
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(f"`by` names {name!r} more than once; name each column once.")
        if name in taken:
            raise ArgumentError(
                f"`by` names the column {name!r}, which is also the name of a column of the "
                "result; rename it first."
            )
    return names


def check_type(argument: str, column: str, frame: Frame) -> None:
    dtype = frame.collect_schema()[column]
    need = NEEDS.get(argument, _PLAIN)
    if need == TIME:
        fits = dtype == nw.Datetime or dtype == nw.Date  # noqa: PLR1714  dtypes hash by parameter
    elif need == _FLAG:
        fits = dtype == nw.Boolean
    elif argument == "amount":
        fits = dtype.is_numeric()
    else:
        kinds = object_types(frame, column)
        cannot = {"unhashable"} if argument == "customer" else {"unhashable", "unordered"}
        fits = not dtype.is_nested() and not kinds & cannot
        kinds.discard("unordered")
        if argument == "customer" and "str" in kinds and len(kinds) > 1:
            raise ColumnTypeError(
                f"column {column!r} (given as `customer`) holds {' and '.join(sorted(kinds))}; an "
                "id that is a number in one row and text in another is two customers. Make them "
                f"alike first, for instance with df[{column!r}].astype(str)."
            )
    if not fits:
        raise ColumnTypeError(
            f"column {column!r} (given as `{argument}`) holds {type_name(frame, column)}; it must "
            f"hold {need}."
        )
