"""Kinds of columns: the types that a column may have, the message about others, the reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import narwhals.stable.v2 as nw

from retainkit._frames.dialect import conversion
from retainkit._frames.dtypes import is_categorical, is_numeric_like, object_types, type_name
from retainkit._frames.input import Frame, count_rows
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import StandsFor
from retainkit._messages import named
from retainkit.errors import ColumnTypeError

Fits: TypeAlias = Callable[[Frame, str], bool]
Reads: TypeAlias = Callable[[nw.Expr, nw.dtypes.DType], nw.Expr]


# Reading


def read_unchanged(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return the column as it is."""
    del dtype
    return value


def read_float(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return floats, in which NaN is null."""
    del dtype
    return value.cast(nw.Float64).fill_nan(None)


def read_integer(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return integers of 64 bits."""
    if not dtype.is_integer():
        value = value.cast(nw.Float64).fill_nan(None)
    return value.cast(nw.Int64)


def nan_as_null(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    """Return the column with null for NaN."""
    return value.fill_nan(None) if dtype.is_float() else value


# Types that fit

_MOST = 2**53  # up to which floats hold all whole numbers


def is_time(frame: Frame, column: str) -> bool:
    """Return whether a column holds dates or datetimes."""
    dtype = frame.collect_schema()[column]
    return bool(dtype == nw.Datetime or dtype == nw.Date)  # noqa: PLR1714  dtypes hash by parameter


def is_numeric(frame: Frame, column: str) -> bool:
    """Return whether the type of a column is one of numbers."""
    return frame.collect_schema()[column].is_numeric()


def is_text(frame: Frame, column: str) -> bool:
    """Return whether a column holds words."""
    dtype = frame.collect_schema()[column]
    return dtype == nw.String or is_categorical(dtype) or "str" in object_types(frame, column)


def is_boolean(frame: Frame, column: str) -> bool:
    """Return whether a column holds booleans."""
    return frame.collect_schema()[column] == nw.Boolean


def _is_whole(frame: Frame, column: str) -> bool:
    dtype = frame.collect_schema()[column]
    if not dtype.is_numeric() or dtype.is_integer():
        return dtype.is_integer()
    value = nw.col("value")
    numbers = frame.select(value=nw.col(column).cast(nw.Float64).fill_nan(None)).drop_nulls()
    return not count_rows(numbers.filter((value.round() != value) | (value.abs() > _MOST)))


def _can_be_distinct(frame: Frame, column: str) -> bool:
    nested = frame.collect_schema()[column].is_nested()
    return not nested and "unhashable" not in object_types(frame, column)


def _can_be_sorted(frame: Frame, column: str) -> bool:
    nested = frame.collect_schema()[column].is_nested()
    return not nested and not object_types(frame, column) & {"unhashable", "unordered"}


# Kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Contents that a column must have.

    `need` describes them in a message, to which `text_hint` is added where the column holds words.
    Columns are given the plain type of what they `stands_for` first; where that fails, there is
    `advice` how to convert them. Where `bounded`, the least and
    the greatest value are read. A column of ids names its `owners`.
    """

    need: str
    fits: Fits
    read: Reads = read_unchanged
    stands_for: StandsFor = "ids"
    advice: bool = True
    bounded: bool = False
    text_hint: str = ""
    owners: str = ""


_PLAIN = "such as numbers or strings"

ID = Kind(
    need=f"plain values of one kind, {_PLAIN}",
    fits=_can_be_distinct,
    read=nan_as_null,
    owners="customers",
)
RESPONDENT = Kind(
    need=f"plain values, {_PLAIN}", fits=_can_be_distinct, read=nan_as_null, owners="respondents"
)
SUBSCRIPTION = Kind(
    need=f"plain values, {_PLAIN}", fits=_can_be_distinct, read=nan_as_null, owners="subscriptions"
)
ORDER = Kind(
    need=f"plain values, {_PLAIN}", fits=_can_be_distinct, read=nan_as_null, owners="orders"
)
ITEM = Kind(
    need=f"plain values of one kind, {_PLAIN}",
    fits=_can_be_sorted,
    read=nan_as_null,
    owners="items",
)
SEGMENT = Kind(
    need=f"plain values of one kind, {_PLAIN}", fits=_can_be_sorted, stands_for="segments"
)
TIME = Kind(
    need="dates or datetimes",
    fits=is_time,
    stands_for="times",
    bounded=True,
)
FLAG = Kind(
    need="booleans",
    fits=is_boolean,
    stands_for="flags",
)
AMOUNT = Kind(need="numbers", fits=is_numeric, read=read_float, stands_for="numbers", bounded=True)
NUMBER = Kind(need="numbers", fits=is_numeric_like, read=read_float, stands_for="numbers")
"""Numbers, or nothing but nulls of any type."""
COUNT = Kind(
    need="whole numbers, such as of type Int64",
    advice=False,
    fits=_is_whole,
    read=read_integer,
    stands_for="counts",
)


def check_kind(kind: Kind, argument: str, column: str, frame: Frame) -> None:
    """Check that a column, named by an argument, holds what it must."""
    what, own = named(column, argument), inner_name(frame, column)
    types = object_types(frame, own) - {"unordered"} if kind.owners else set()
    if "str" in types and len(types) > 1:
        raise ColumnTypeError(
            f"{what} holds {' and '.join(sorted(types))}; an id that is a number in one row and "
            f"text in another is two {kind.owners}. Make them alike first, for instance with "
            f"df[{column!r}].astype(str).",
            argument=argument,
            column=column,
        )
    if not kind.fits(frame, own):
        if not count_rows(frame.filter(~nw.col(own).is_null())) and count_rows(frame):
            raise ColumnTypeError(
                f"{what} holds nothing but nulls; it must hold {kind.need}. Leave it out, or give "
                "it a type.",
                argument=argument,
                column=column,
            )
        hint = kind.text_hint if kind.text_hint and is_text(frame, own) else ""
        raise ColumnTypeError(
            f"{what} holds {type_name(frame, own)}; it must hold {needed(kind, frame, own)}.{hint}",
            argument=argument,
            column=column,
        )


def needed(kind: Kind, frame: Frame, column: str) -> str:
    """Return what a column must hold, and how to convert it to that in its own library."""
    advice = f"; {conversion(frame, column, kind.stands_for)}" if kind.advice else ""
    return f"{kind.need}{advice}"


def check_comparable_ids(
    one: nw.dtypes.DType, other: nw.dtypes.DType, first: str, second: str
) -> None:
    """Check that ids are not numbers in one table and texts in another, or times, or flags."""
    kinds = {_kind_of_id(one), _kind_of_id(other)} - {""}
    if len(kinds) > 1:
        a, b = sorted(kinds)
        raise ColumnTypeError(
            f"what `customer` names is {one} in `{first}` and {other} in `{second}`: {a} "
            f"is never equal to {b}. Make them alike first, for instance with astype(str).",
            argument="customer",
        )


def _kind_of_id(dtype: nw.dtypes.DType) -> str:
    """Return what ids of a type are, "" where that cannot be told."""
    if dtype.is_numeric():
        return "a number"
    if dtype == nw.String or is_categorical(dtype):
        return "a text"
    if dtype == nw.Datetime or dtype == nw.Date:  # noqa: PLR1714  dtypes hash by parameter
        return "a time"
    return "a flag" if dtype == nw.Boolean else ""
