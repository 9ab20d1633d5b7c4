"""Read a table of rules: one row a rule, with a label and conditions that must all hold.

A condition is a value in a column that is called like one of the table that is judged, and ends in
``_min``, ``_max`` (both inclusive) or ``_is``. Null sets no condition. All other columns are
carried along. `rule_conditions` reads the conditions as expressions over a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from numbers import Integral
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_flag, is_number
from retainkit._frames.arrays import values_with_none
from retainkit._frames.dtypes import type_name
from retainkit._frames.input import check_present, collect, from_native
from retainkit._frames.names import inner_name, outer_name
from retainkit._messages import count_noun, quoted
from retainkit.errors import ArgumentError, ColumnTypeError

Bound: TypeAlias = Literal["min", "max", "is"]
BOUNDS = ("min", "max", "is")

NEW, GONE = "(new)", "(gone)"
"""Segments of customers of whom one of two tables knows nothing: no rule may be called so."""


# How to mean everybody, by the column of the labels.
_FOR_ALL = {
    "segment": "who meets no rule gets `default` of `assign_segments`",
    "rule": "for everybody a condition that all meet, such as 0 in 'orders_min'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A value that a column must reach, not exceed, or equal."""

    column: str
    bound: Bound
    value: Any

    @property
    def source(self) -> str:
        """The name of the column that sets it."""
        return f"{self.column}_{self.bound}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A label, and the conditions that must all hold."""

    label: str
    number: int
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"rule {quoted(self.label)} (row {self.number + 1} of `rules`)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleTable:
    """Rules in their order, and the table they came from, in memory, with its column of labels."""

    rules: tuple[Rule, ...]
    frame: nw.DataFrame[Any]
    label: str

    @property
    def columns(self) -> list[str]:
        """The columns that some rule sets a condition for, in order."""
        return [*dict.fromkeys(one.column for rule in self.rules for one in rule.conditions)]

    @property
    def labels(self) -> list[str]:
        """The label of each rule."""
        return [rule.label for rule in self.rules]

    @property
    def carried(self) -> list[str]:
        """The columns beside the label that set no condition."""
        names = map(outer_name, self.frame.columns)
        return [name for name in names if name != self.label and _split(name) is None]


def _split(name: str) -> tuple[str, Bound] | None:
    """Return the column and the bound that the name of a column of rules stands for, if it does."""
    column, _, ending = name.rpartition("_")
    for bound in BOUNDS:
        if column and ending == bound:
            return column, bound  # type: ignore[return-value]
    return None


def read_rules(native: Any, labels: Sequence[str]) -> RuleTable:
    """Read the argument `rules`, whose labels are in the first column of `labels` that is there.

    Whether its conditions fit a table is checked where they meet one.
    """
    frame = collect(from_native(native, "rules"))
    if not all(isinstance(name, str) for name in frame.columns):
        raise ColumnTypeError(
            f"`rules` has columns whose names are no text: {quoted(frame.columns)}. Name them "
            "first: a label, and conditions such as 'r_min', 'r_max' and 'plan_is'.",
            argument="rules",
        )
    label = next((one for one in labels if one in frame.columns), labels[0])
    check_present("rules", label, frame)
    if not len(frame):
        raise ArgumentError(
            "`rules` has no rows; give one for each rule.",
            code="empty_argument",
            argument="rules",
        )
    names = _read_labels(frame, label)
    conditions = _read_conditions(frame)
    rules = tuple(
        Rule(label=name, number=i, conditions=tuple(filter(None, (one[i] for one in conditions))))
        for i, name in enumerate(names)
    )
    for rule in rules:
        if not rule.conditions:
            raise ArgumentError(
                f"{rule} has no condition, and would hold for everybody. Write a value into a "
                f"column that ends in _min, _max or _is; {_FOR_ALL[label]}.",
                code="empty_rule",
                argument="rules",
                column=label,
                rows=1,
                total=len(rules),
            )
    return RuleTable(rules=rules, frame=frame, label=label)


def _read_labels(frame: nw.DataFrame[Any], label: str) -> list[str]:
    """Return the labels of rules, which are text."""
    values = values_of(frame[label])
    nulls = sum(value is None for value in values)
    if nulls:
        raise ArgumentError(
            f"column {label!r} of `rules` is null in {count_noun(nulls, 'row')}, of "
            f"{len(values):,}. Every rule needs a label.",
            code="null_values",
            argument="rules",
            column=label,
            rows=nulls,
            total=len(values),
        )
    if not all(isinstance(value, str) for value in values):
        raise ColumnTypeError(
            f"column {label!r} of `rules` holds {type_name(frame, label)}; a label must be text.",
            argument="rules",
            column=label,
        )
    return values


def check_label(text: str, what: str, argument: str) -> None:
    """Check that a segment is not called like those of `segment_migration`."""
    if text in {NEW, GONE}:
        raise ArgumentError(
            f"{what} is {text!r}, which `segment_migration` calls customers that only one of its "
            "tables has; call it something else.",
            code="reserved_name",
            argument=argument,
        )


def _read_conditions(frame: nw.DataFrame[Any]) -> list[list[Condition | None]]:
    """Return for each column of conditions that of every rule, None where it sets none."""
    found = []
    for name in map(outer_name, frame.columns):
        part = _split(name)
        if part is None:
            _check_no_condition(name)
            continue
        column, bound = part
        values = values_of(frame[inner_name(frame, name)])
        found.append(
            [
                None if value is None else Condition(column=column, bound=bound, value=value)
                for value in values
            ]
        )
    return found


def _check_no_condition(name: str) -> None:
    """Check that what is no condition does not look like one in capitals."""
    if _split(name.lower()) is not None:
        raise ArgumentError(
            f"`rules` has the column {name!r}, which sets no condition: those end in _min, _max or "
            "_is, in small letters. Rename it.",
            code="argument_value",
            argument="rules",
            column=name,
        )


def values_of(series: nw.Series[Any]) -> list[Any]:
    """Return the values of a small column as plain Python, None for null and NaN."""
    return [_plain(value) for value in values_with_none(series)]


def _plain(value: Any) -> Any:
    """Return a number, a flag, a text or a time as plain Python, None for NaN; others as is."""
    if is_flag(value):
        return bool(value)
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if is_number(value):
        if isinstance(value, Integral):
            return int(value)
        return None if math.isnan(value) else float(value)
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]").item()
    return value


def kind_of_value(value: Any) -> str:
    """Return what a plain value is, in the words of `Kind.stands_for`, "" if none of these."""
    if isinstance(value, bool):
        return "flags"
    if is_number(value):
        return "counts"
    if isinstance(value, str):
        return "ids"
    return "times" if isinstance(value, date) else ""
