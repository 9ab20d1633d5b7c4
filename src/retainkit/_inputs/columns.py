"""Read the columns of an input table by their declarations.

A reader declares its columns and gets them checked, under their own names and with common types::

    VISITS = (Column("customer", ID), Column("time", TIME), Column("rating", NUMBER, nulls="keep"))

    names = {"customer": customer, "time": time, "rating": rating}
    table = read_columns(native, "visits", VISITS, names, by=by, reserved=("n", "mean"), tz=tz)
    table, facts, note = without_nulls(table, read_facts, missing)
    last = moments_of(table, {"first": facts.least["time"], "last": facts.most["time"]})["last"]

What is peculiar to a table, such as an end before its start, is checked by its own functions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._checks import is_list
from retainkit._frames.clock import FrameClock
from retainkit._frames.input import Frame, check_present, count_rows, from_native
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import StandsFor, with_plain_types
from retainkit._frames.times import in_utc
from retainkit._inputs.kinds import SEGMENT, TIME, Kind, check_kind, is_time
from retainkit._inputs.zones import check_tz, clock_of, zones_of
from retainkit._messages import named
from retainkit.errors import ArgumentError, ArgumentTypeError

Nulls: TypeAlias = Literal["refuse", "drop", "keep"]
"""Nulls are always an error, are dropped or an error as `missing` says, or have a meaning."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an input table, which an argument names.

    It is called `name` among the checked rows, by default like its `argument`. If it is not
    `required` it may be None: then there is no such column. Where a column of times holds nothing
    but nulls, it may have any type and gets that of the column named `like`. Observation ends with
    the latest time of the `observed` columns.
    """

    argument: str
    holds: Kind
    _: KW_ONLY
    name: str = ""
    nulls: Nulls = "drop"
    required: bool = True
    like: str | None = None
    observed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTable:
    """Columns that have been checked.

    `rows` has them under their own names, and the segments `by` as ``by_0``, ``by_1`` …; `given`
    is the whole frame. `declared` and `names` hold for each argument its column and the name that
    the user gave for it; `argument_names` has what a public function calls an argument where that
    is something else. Periods are cut in `zone` (None: times are naive). Where there is one, times
    among the `rows` are instants, naive ones in UTC.
    `clock` is that of the frame itself, where it is of the same zone. Messages name the `table`
    where a function has two.
    """

    rows: Frame
    given: Frame
    declared: Mapping[str, Column]
    names: Mapping[str, str]
    by: tuple[str, ...]
    zone: tzinfo | None
    clock: FrameClock | None = None
    argument_names: Mapping[str, str] = field(default_factory=dict)
    table: str = ""

    @property
    def columns(self) -> list[str]:
        """The columns of `rows`."""
        return self.rows.collect_schema().names()

    @property
    def keys(self) -> list[str]:
        """The names of the segment columns in `rows`."""
        return segment_keys(self.by)

    def own_name(self, argument: str) -> str:
        """Return what the public function calls an argument."""
        return self.argument_names.get(argument, argument)

    def source(self, argument: str) -> str:
        """Name the column of an argument as messages do."""
        return named(self.names[argument], self.own_name(argument), self.table)

    def shown(self, time: Any) -> str:
        """Write a time of the rows as messages do: in the zone of the periods."""
        if self.zone is None or not isinstance(time, datetime):
            return str(time)
        try:
            return str(time.replace(tzinfo=UTC).astimezone(self.zone))
        except (ValueError, OverflowError):
            return str(time)

    def parts(self) -> dict[str, Any]:
        """Return what every checked table has, to build one that has more."""
        return {one.name: getattr(self, one.name) for one in fields(CheckedTable)}


def segment_keys(by: Sequence[str]) -> list[str]:
    """Return the names of the columns of segments among checked rows."""
    return [f"by_{i}" for i in range(len(by))]


def check_not_reserved(argument: str, names: Iterable[str], reserved: Collection[str]) -> None:
    """Check that no column that is named is called like one of the result."""
    for name in names:
        if name in reserved:
            raise ArgumentError(
                f"{argument} names the column {name!r}, which is also the name of a column of the "
                "result; rename it first.",
                code="reserved_name",
                argument=argument.strip("`"),
                column=name,
            )


def check_not_named_twice(argument: str, name: str, by: Sequence[str]) -> None:
    """Check that what an argument names is none of the segments."""
    if name in by:
        raise ArgumentError(
            f"`by` names {name!r}, which is the `{argument}`; leave it out of `by`.",
            code="named_twice",
            argument="by",
            column=name,
        )


def segment_names(by: Any, reserved: Sequence[str]) -> tuple[str, ...]:
    """Check the argument `by`; no segment may be called like a `reserved` column of the result."""
    return column_names("by", by, reserved)


def column_names(argument: str, given: Any, reserved: Sequence[str] = ()) -> tuple[str, ...]:
    """Check an argument that names a column or several, each once, and none that is `reserved`."""
    if given is None or isinstance(given, str):
        given = [] if given is None else [given]
    if not is_list(given):
        raise ArgumentTypeError(
            f"`{argument}` is {given!r}; it must be the name of a column, or a list of names.",
            argument=argument,
        )
    names = tuple(given)
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(
                f"`{argument}` names {name!r} more than once; name each column once.",
                code="named_twice",
                argument=argument,
                column=name,
            )
        check_not_reserved(f"`{argument}`", [name], reserved)
    return names


def read_columns(
    native: Any,
    table: str,
    columns: Sequence[Column],
    names: Mapping[str, str | None],
    *,
    by: str | Sequence[str] | None = None,
    reserved: Sequence[str] = (),
    tz: str | None = None,
    argument_names: Mapping[str, str] | None = None,
    needed: Sequence[str] = (),
) -> CheckedTable:
    """Check the columns that the arguments `names` and `by` name, and select them.

    `table` is the argument of the frame. Messages name columns in the order of `names`. Those
    `needed` by a function must be named even if they are not required in all such tables.
    """
    by = segment_names(by, reserved)
    check_tz(tz)
    frame = untouched = from_native(native, table)
    own_names = argument_names or {}
    known = {column.argument: column for column in columns}
    declared = {
        argument: known[argument]
        for argument, name in names.items()
        if name is not None or known[argument].required or argument in needed
    }
    for argument in declared:
        check_present(own_names.get(argument, argument), names[argument], frame)
    given = {argument: str(names[argument]) for argument in declared}
    for name in by:
        check_present("by", name, frame)
    frame, zones = _with_types(frame, declared, given, by)
    for argument, name in given.items():
        check_kind(declared[argument].holds, own_names.get(argument, argument), name, frame)
    for name in by:
        check_kind(SEGMENT, "by", name, frame)
    times = {own_names.get(one, one): given[one] for one in _times(declared)}
    stored, zone = zones_of(times, frame, zones, tz) if times else (None, None)
    copied, read = _with_copies(frame, declared, given, by)
    instants = in_utc(copied, [inner_name(frame, one) for one in times.values()])
    leading = next(iter(times.values()), "")
    keys = {key: nw.col(inner_name(frame, read[key])) for key in segment_keys(by)}
    return CheckedTable(
        rows=instants.select(**column_exprs(instants, declared, read), **keys),
        given=frame,
        declared=declared,
        names=given,
        by=by,
        zone=zone,
        clock=clock_of(untouched, leading, zones.get(leading, stored), zone),
        argument_names=own_names,
    )


def _times(declared: Mapping[str, Column]) -> list[str]:
    return [argument for argument, column in declared.items() if column.holds is TIME]


def _with_copies(
    frame: Frame, declared: Mapping[str, Column], names: Mapping[str, str], by: Sequence[str]
) -> tuple[Frame, dict[str, str]]:
    """Return the frame with copies of times that are read as something else, too.

    Also returns the column that each argument and each key of a segment is read from.
    """
    times = {names[argument] for argument in _times(declared)}
    read = dict(names) | dict(zip(segment_keys(by), by, strict=True))
    copies: dict[str, str] = {}
    for argument, name in read.items():
        if name not in times or (argument in declared and declared[argument].holds is TIME):
            continue
        if name not in copies:
            copies[name] = f"{inner_name(frame, name)} as it is"
            while copies[name] in frame.collect_schema().names():
                copies[name] += "_"
            frame = frame.with_columns(nw.col(inner_name(frame, name)).alias(copies[name]))
        read[argument] = copies[name]
    return frame, read


def _with_types(
    frame: Frame, declared: Mapping[str, Column], names: Mapping[str, str], by: Sequence[str]
) -> tuple[Frame, dict[str, tzinfo]]:
    """Return the frame with plain types in its columns, and the zones of pandas' times."""
    columns: dict[str, StandsFor] = dict.fromkeys(by, "segments")
    # What is an id and a number, say, is the number.
    order: dict[StandsFor, int] = {"segments": 0, "ids": 1}
    for argument in sorted(declared, key=lambda one: order.get(declared[one].holds.stands_for, 2)):
        columns[names[argument]] = declared[argument].holds.stands_for
    frame, zones = with_plain_types(
        frame, {inner_name(frame, name): stands_for for name, stands_for in columns.items()}
    )
    for argument, column in declared.items():
        if column.like is not None:
            one, other = (inner_name(frame, names[name]) for name in (argument, column.like))
            frame = _like(frame, one, other)
    return frame, zones


def _like(frame: Frame, column: str, other: str) -> Frame:
    """Return the frame with the type of a column of times for one of nothing but nulls."""
    if is_time(frame, column) or not is_time(frame, other):
        return frame
    if count_rows(frame.filter(~nw.col(column).is_null()).select(column)):
        return frame
    null = nw.when(nw.col(other).is_null()).then(nw.col(other))
    return frame.with_columns(null.alias(column))


def column_exprs(
    frame: Frame, declared: Mapping[str, Column], names: Mapping[str, str]
) -> dict[str, nw.Expr]:
    """Return the declared columns of a frame by their own names, as they are read."""
    schema = frame.collect_schema()
    names = {argument: inner_name(frame, name) for argument, name in names.items()}
    return {
        column.name or argument: _time_expr(names[argument], schema)
        if column.holds is TIME
        else column.holds.read(nw.col(names[argument]), schema[names[argument]])
        for argument, column in declared.items()
    }


def _time_expr(column: str, schema: Mapping[str, nw.dtypes.DType]) -> nw.Expr:
    """Return times in microseconds: they compare in every engine, from the year 1 to 9999."""
    value, dtype = nw.col(column), schema[column]
    if getattr(dtype, "time_unit", None) == "us":
        return value
    return value.cast(nw.Datetime("us", getattr(dtype, "time_zone", None)))
