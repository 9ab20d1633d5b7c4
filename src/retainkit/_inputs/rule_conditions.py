"""Conditions of rules as expressions over a table, in whatever engine holds it.

A condition on a null does not hold, and NaN is a null. Numbers compare as floats, and whole ones as
integers; times as instants; categories by their names.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import reduce
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames import arrays
from retainkit._frames.dtypes import is_categorical, zone_name
from retainkit._frames.input import Frame, check_present, collect, count_rows
from retainkit._frames.names import inner_name, outer_name
from retainkit._frames.plain_types import WIDE, StandsFor, with_plain_types
from retainkit._frames.times import in_utc
from retainkit._inputs.kinds import is_time
from retainkit._inputs.rules import Condition, Rule, RuleTable, kind_of_value
from retainkit._messages import quoted
from retainkit._time.moment import as_of_moment
from retainkit._time.zones import instant_expr, zone_of
from retainkit._typing import Booleans
from retainkit.errors import ArgumentError, ColumnTypeError, MissingColumnError

_COPY = "retainkit_condition_"
_NEEDS = {
    "counts": "a number",
    "ids": "a text",
    "flags": "true or false",
    "times": "a date or a time, such as '2024-07-01'",
}
_MOST = 2**63  # integers of 64 bits are less
# None may be above one of a greater number.
_FROM_BELOW = {"min": 0, "is": 1, "max": 2}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """A column that conditions are about: its copy, what it holds, and its zone if it has one."""

    name: str
    copy: str
    holds: str
    dtype: nw.dtypes.DType
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundRules:
    """Rules that have met a table.

    `rows` are the table and copies of the columns that are judged, whose names are by those that
    the user has for them in `copies`. `own` are the columns of the table, `exprs` tell for each
    rule which rows meet it: those for which they are true, and neither false nor null.
    """

    table: RuleTable
    rows: Frame
    own: tuple[str, ...]
    copies: dict[str, str]
    exprs: tuple[nw.Expr, ...]

    def masks(self) -> list[Booleans]:
        """Return for each rule which rows of a table in memory meet it."""
        rows = collect(self.rows)
        return [arrays.is_true(rows.select(flag=one)["flag"]) for one in self.exprs]


def bind_rules(table: RuleTable, frame: Frame, advice: str = "") -> BoundRules:
    """Check that rules fit a table, and return them as expressions over its rows.

    `advice` is what to do where the table lacks a column.
    """
    schema = frame.collect_schema()
    for rule in table.rules:
        for one in rule.conditions:
            _check_column(rule, one, frame, advice)
    copies = {name: f"{_COPY}{i}" for i, name in enumerate(table.columns)}
    rows = frame.with_columns(
        nw.col(inner_name(frame, name)).alias(copy) for name, copy in copies.items()
    )
    rows, judged = _read_judged(table, rows, copies)
    found: dict[tuple[str, str, Any], nw.Expr] = {}
    exprs = []
    for rule in table.rules:
        values = {one: _value(rule, one, judged[one.column]) for one in rule.conditions}
        _check_possible(rule, values)
        for one, value in values.items():
            key = (one.column, one.bound, value)
            if key not in found:
                found[key] = _condition(judged[one.column], one.bound, value)
        own = [found[one.column, one.bound, value] for one, value in values.items()]
        exprs.append(reduce(operator.and_, own))
    return BoundRules(
        table=table, rows=rows, own=tuple(schema.names()), copies=copies, exprs=tuple(exprs)
    )


def _check_column(rule: Rule, condition: Condition, frame: Frame, advice: str) -> None:
    """Check that the column of a condition is in the table."""
    try:
        check_present("rules", condition.column, frame)
    except MissingColumnError:
        names = [outer_name(str(name)) for name in frame.collect_schema().names()]
        text = (
            f"{rule} has a condition in its column {condition.source!r}. {advice}".rstrip()
            + " A column that ends in _min, _max or _is sets a condition; call a remark otherwise."
        )
        raise MissingColumnError("rules", condition.column, names, text) from None


# Columns


def _read_judged(
    table: RuleTable, rows: Frame, copies: dict[str, str]
) -> tuple[Frame, dict[str, _Judged]]:
    """Return the rows with plain types in the copies, times as instants, and what each holds."""
    stands: dict[str, StandsFor] = {
        copy: "times" if is_time(rows, copy) else _kind_of_values(table, name)
        for name, copy in copies.items()
    }
    rows, zones = with_plain_types(rows, stands)
    times = [copy for copy in copies.values() if is_time(rows, copy)]
    for copy in times:
        stored = zone_name(rows, copy)
        if stored is not None and copy not in zones:
            zones[copy] = zone_of(stored, "rules")
    rows = in_utc(rows, times)
    schema = rows.collect_schema()
    judged = {}
    for name, copy in copies.items():
        judged[name] = _Judged(
            name=name,
            copy=copy,
            holds=_holds(rows, copy, schema[copy], stands[copy]),
            dtype=schema[copy],
            zone=zones.get(copy),
        )
    return rows, judged


def _kind_of_values(table: RuleTable, column: str) -> StandsFor:
    """Return what the values of the conditions on a column stand for, those of the first rule."""
    values = (one.value for rule in table.rules for one in rule.conditions if one.column == column)
    return kind_of_value(next(values)) or "ids"  # type: ignore[return-value]


def _holds(rows: Frame, column: str, dtype: nw.dtypes.DType, wanted: str) -> str:
    """Return what a column holds, "nothing" if only nulls, and "" what no condition is about."""
    holds = ""
    if dtype == nw.Boolean:
        holds = "flags"
    elif dtype.is_numeric():
        holds = "counts"
    elif dtype == nw.String or is_categorical(dtype):
        holds = "ids"
    elif is_time(rows, column):
        holds = "times"
    if holds == wanted or count_rows(rows.filter(~nw.col(column).is_null())):
        return holds
    return "nothing"


# Values


def _value(rule: Rule, condition: Condition, judged: _Judged) -> Any:
    """Return the value of a condition so that it compares with a column, if it can."""
    given, holds = condition.value, judged.holds
    kind = kind_of_value(given)
    if holds == "flags" and kind == "counts" and given in {0, 1}:
        return bool(given)
    if holds == "times" and kind in {"ids", "times"}:
        return _instant(rule, condition, judged)
    ordered = holds in {"counts", "times", "nothing"}
    if not kind or holds not in {kind, "nothing"}:
        need = f"it must be {_NEEDS[holds]}" if holds else "no condition can be about those"
        raise ColumnTypeError(
            f"{rule}: its {condition.source!r} is {quoted(given)}, and column {judged.name!r} of "
            f"the table holds {judged.dtype}; {need}.",
            argument="rules",
            column=condition.source,
        )
    if not ordered and condition.bound != "is":
        raise ColumnTypeError(
            f"{rule}: its {condition.source!r} is {quoted(given)}, and column {judged.name!r} of "
            f"the table holds {judged.dtype}, which has no order to go by; only "
            f"'{judged.name}_is' can be a condition.",
            argument="rules",
            column=condition.source,
        )
    return given


def _instant(rule: Rule, condition: Condition, judged: _Judged) -> int:
    """Return the instant of a condition on times, read in the zone of its column."""
    try:
        return as_of_moment(condition.value, judged.zone, condition.source).instant
    except ArgumentError as error:
        raise ArgumentError(
            f"{rule}: {error}", code=error.code, argument="rules", column=condition.source
        ) from None


def _check_possible(rule: Rule, values: dict[Condition, Any]) -> None:
    """Check that the conditions of a rule on one column do not exclude each other."""
    pairs = [(one, other) for one in values for other in values if one.column == other.column]
    for one, other in pairs:
        if _FROM_BELOW[one.bound] < _FROM_BELOW[other.bound] and values[one] > values[other]:
            raise ArgumentError(
                f"{rule} holds for nobody: its {one.source!r} is {quoted(one.value)}, and its "
                f"{other.source!r} is {quoted(other.value)}. Correct one of them.",
                code="empty_rule",
                argument="rules",
                column=one.source,
            )


# Expressions


def _condition(judged: _Judged, bound: str, value: Any) -> nw.Expr:
    """Return which rows meet a condition; where the column is null it may be null, or false."""
    column = nw.col(judged.copy)
    if judged.holds == "counts":
        return _number_condition(column, judged.dtype, bound, value)
    if judged.holds == "times":
        return _compared(column.cast(nw.Datetime("us")), bound, instant_expr(value))
    if judged.holds == "flags":
        return column if value else ~column
    if judged.holds == "nothing":
        return _never(column)
    if judged.dtype == nw.String:
        return _compared(column, bound, value)
    # pandas writes a null of categories as a text.
    return _compared(column.cast(nw.String), bound, value) & ~column.is_null()


def _number_condition(column: nw.Expr, dtype: nw.dtypes.DType, bound: str, value: float) -> nw.Expr:
    """Compare a column of numbers: of whole ones with a whole number, which floats may not hold."""
    if not dtype.is_integer() or dtype in (*WIDE, nw.UInt64()):
        return _compared(column.cast(nw.Float64).fill_nan(None), bound, float(value))
    if abs(value) >= _MOST:
        return _compared(column.cast(nw.Float64), bound, float(value))
    if bound == "is" and value != int(value):
        return _never(column)
    whole = math.ceil(value) if bound == "min" else math.floor(value)
    return _compared(column.cast(nw.Int64), bound, whole)


def _never(column: nw.Expr) -> nw.Expr:
    """Return a condition that is false everywhere."""
    return column.is_null() & ~column.is_null()


def _compared(column: nw.Expr, bound: str, value: Any) -> nw.Expr:
    """Compare a column with a value."""
    compare = {"is": operator.eq, "min": operator.ge, "max": operator.le}[bound]
    condition: nw.Expr = compare(column, value)
    return condition


# Cells


def cell_texts(rows: Frame, copies: dict[str, str], most: int) -> Sequence[str]:
    """Write the distinct values of the columns that are judged, of a few rows: r = 1, f = 5."""
    few = rows.select(*copies.values()).unique()
    found = collect(few.sort(*copies.values()).head(most))
    columns = {name: found[copy].to_list() for name, copy in copies.items()}
    return [
        ", ".join(f"{name} = {values[row]!r}" for name, values in columns.items())
        for row in range(len(found))
    ]
