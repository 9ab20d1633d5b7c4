"""Customers of an event log who never came: from a table of customers, or from rows without a time.

Either way the log gets a row for each of them, at the time of their own start, which is no event:
its ``came`` is false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.dtypes import category_names, is_categorical
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._frames.join import join, to_kind_of
from retainkit._frames.plain_types import with_plain_types
from retainkit._frames.rows import distinct_rows, with_one_text_type
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import Facts, read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import ID, TIME, check_comparable_ids
from retainkit._messages import count_noun, format_examples, warn
from retainkit.errors import ArgumentError, ColumnTypeError

# Numbers up to which floats, and integers of 64 bits, hold all whole ones.
_EXACT, _MOST = 2**53, 2**63 - 1
_CUSTOMERS = (Column("customer", ID), Column("cohort_time", TIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOptions:
    """The argument `customers`, and the names of its columns."""

    customers: Any
    customer: str
    cohort_time: str | None
    by: str | Sequence[str] | None
    reserved: Sequence[str]
    missing: str


def join_customers(
    events: CheckedTable, n_rows: int, options: CustomerOptions
) -> tuple[CheckedTable, int, datetime | None]:
    """Return the log with the starts and segments of a table of customers, and with who never came.

    Rows of customers who are not in the table are left out with a warning. Return also the number
    of those that are left, and the earliest start.
    """
    table, facts = _read(options)
    _check_zones(events, table)
    every = table.rows
    every = to_kind_of(events.rows, every)
    rows, every = with_comparable_ids({"events": events.rows, "customers": every}).values()
    every = every.with_columns(cohort_time=_like(every, "cohort_time", rows, "time"))
    log = replace(
        events,
        rows=_fill_absent(_left_join(every, rows), nw.col("time").is_null()),
        declared={**events.declared, "cohort_time": _CUSTOMERS[1]},
        names={**events.names, "cohort_time": table.names["cohort_time"]},
        by=table.by,
    )
    n_known = count_rows(log.rows.filter(nw.col("came"))) if n_rows else 0
    if n_known < n_rows:
        _report_unknown(rows, every, n_known, n_rows)
    return log, n_known, facts.least["cohort_time"]


def _read(options: CustomerOptions) -> tuple[CheckedTable, Facts]:
    """Read the table of customers and check that each has one row."""
    if options.cohort_time is None:
        raise ArgumentError(
            "`customers` needs `cohort_time`, its column with each customer's own start, such as "
            "the sign-up: who never came has no other.",
            code="argument_needed",
            argument="cohort_time",
        )
    names = {"customer": options.customer, "cohort_time": options.cohort_time}
    table = read_columns(
        options.customers, "customers", _CUSTOMERS, names, by=options.by, reserved=options.reserved
    )
    table, facts, note = without_nulls(
        replace(table, table="customers"), read_facts, options.missing
    )
    warn_of_dropped(note, facts, "customers")
    check_one_row(table, "customers")
    return table, facts


def check_one_row(table: CheckedTable, argument: str) -> None:
    """Check that a table, which is an argument, has one row a customer."""
    customers = table.rows.group_by("customer").agg(rows=nw.len())
    several = customers.filter(nw.col("rows") > 1)
    number = count_rows(several)
    if number:
        some = collect(several.sort("customer").head(3))["customer"].to_list()
        raise ArgumentError(
            f"{table.source('customer')} has several rows for {count_noun(number, 'customer')}, "
            f"such as {format_examples(some)}; it must have one for each.",
            code="repeated_customers",
            argument=argument,
            column=table.names["customer"],
            rows=number,
            total=count_rows(customers),
        )


def _check_zones(events: CheckedTable, table: CheckedTable) -> None:
    """Check that both tables have times with a zone, or both without."""
    if (events.zone is None) == (table.zone is None):
        return
    have, lack = ("has no", "have one") if table.zone is None else ("has a", "have none")
    raise ArgumentError(
        f"{table.source('cohort_time')} {have} time zone, and the times of the events {lack}. Give "
        "both a time zone, or none.",
        code="mixed_zones",
        argument="cohort_time",
        column=table.names["cohort_time"],
    )


def with_comparable_ids(frames: Mapping[str, Frame]) -> dict[str, Frame]:
    """Return tables, by the arguments that have them, with customers of one type."""
    types = {name: frame.collect_schema()["customer"] for name, frame in frames.items()}
    first, own = next(iter(types.items()))
    alike = all(dtype == own for dtype in types.values())
    if len(types) == 1:
        return dict(frames)
    if alike and not is_categorical(own):
        return {name: with_one_text_type(frame, "customer") for name, frame in frames.items()}
    plain = {
        name: with_one_text_type(_with_plain_ids(frame), "customer")
        for name, frame in frames.items()
    }
    types = {name: frame.collect_schema()["customer"] for name, frame in plain.items()}
    own = types[first]
    for name, dtype in types.items():
        check_comparable_ids(own, dtype, first, name)
    if own.is_numeric() and not all(dtype == own for dtype in types.values()):
        return _with_one_number_type(plain)
    return plain


def _with_one_number_type(frames: Mapping[str, Frame]) -> dict[str, Frame]:
    """Return tables whose customers are numbers of several types with one that holds all of them.

    That is the integer of 64 bits, where floats are whole.
    """
    types = {name: frame.collect_schema()["customer"] for name, frame in frames.items()}
    has_floats = not all(dtype.is_integer() for dtype in types.values())
    most = _EXACT if has_floats else _MOST
    whole = True
    for name, dtype in types.items():
        ids = frames[name].select("customer")
        found = collect(ids.select(least=nw.col("customer").min(), most=nw.col("customer").max()))
        ends = [found.item(0, one) for one in ("least", "most")]
        if any(one is not None and one == one and abs(one) > most for one in ends):  # noqa: PLR0124
            raise _not_one_type(types, name, most)
        if not dtype.is_integer():
            value = nw.col("customer")
            whole &= not count_rows(ids.filter(value.round() != value))
    number = nw.col("customer").cast(nw.Int64 if whole else nw.Float64)
    return {name: frame.with_columns(number) for name, frame in frames.items()}


def _not_one_type(types: Mapping[str, nw.dtypes.DType], name: str, most: int) -> ColumnTypeError:
    """Return the error for numbers that no common type keeps apart."""
    others = ", ".join(f"{dtype} in `{one}`" for one, dtype in types.items())
    return ColumnTypeError(
        f"what `customer` names is {others}, and some in `{name}` are beyond {most:,}, where these "
        "types do not hold the same numbers. Make them alike first, for instance with astype(str).",
        argument="customer",
    )


def _like(frame: Frame, column: str, other: Frame, as_column: str) -> nw.Expr:
    """Return a column of times in the unit of one of another frame."""
    have, want = frame.collect_schema()[column], other.collect_schema()[as_column]
    return nw.col(column) if have == want else nw.col(column).cast(want)


def _left_join(every: Frame, rows: Frame) -> Frame:
    """Join the events of each customer to its row; whoever has none has nulls there."""
    if "returned" not in rows.collect_schema().names():
        return join(every, rows, how="left")
    # pandas has no null among booleans.
    number = nw.when(nw.col("returned")).then(1.0).otherwise(0.0)
    joined = join(every, rows.with_columns(returned=number), how="left")
    return joined.with_columns(returned=nw.col("returned") == 1.0)


def _report_unknown(rows: Frame, every: Frame, n_known: int, n_rows: int) -> None:
    """Warn of events of customers who are not in the table, or raise if it has none of them."""
    customers = distinct_rows(rows, "customer")
    unknown = join(customers, every.select("customer"), how="anti")
    number = count_rows(unknown)
    some = format_examples(collect(unknown.sort("customer").head(3))["customer"].to_list())
    text = (
        f"{count_noun(n_rows - n_known, 'row')} of {n_rows:,}, of {count_noun(number, 'customer')} "
        f"who {'is' if number == 1 else 'are'} not in `customers`, such as {some}"
    )
    if not n_known and count_rows(every):
        raise ArgumentError(
            f"{text}: nobody in `customers` has an event. `customer` must name the same ids in "
            "both tables.",
            code="no_common_customers",
            argument="customers",
            rows=n_rows,
            total=n_rows,
        )
    warn(
        f"{text}: not used.",
        code="unknown_customers",
        argument="customers",
        rows=n_rows - n_known,
        total=n_rows,
    )


# Rows without a time, as a left join leaves them


def mark_absent(log: CheckedTable) -> CheckedTable:
    """Return the log with the start in place of a null time that is in a customer's only row.

    Other null times stay as they are.
    """
    rows = log.rows.with_columns(one=nw.lit(1))
    rows = rows.with_columns(own_rows=nw.col("one").sum().over("customer"))
    absent = nw.col("time").is_null() & ~nw.col("cohort_time").is_null() & (nw.col("own_rows") == 1)
    return replace(log, rows=_fill_absent(rows, absent).drop("one", "own_rows"))


def _fill_absent(rows: Frame, absent: nw.Expr) -> Frame:
    """Put the start in place of the time where a customer is `absent`, who did and paid nothing."""
    came = nw.when(absent).then(nw.lit(value=False)).otherwise(nw.lit(value=True))
    rows = rows.with_columns(came=came)
    came = nw.col("came")
    filled = {"time": nw.when(came).then(nw.col("time")).otherwise(nw.col("cohort_time"))}
    names = rows.collect_schema().names()
    if "amount" in names:
        filled["amount"] = nw.when(came).then(nw.col("amount")).otherwise(nw.lit(0.0))
    if "returned" in names:
        filled["returned"] = came & nw.col("returned")
    return rows.with_columns(**filled)


def _with_plain_ids(rows: Frame) -> Frame:
    """Return rows with customers by the names of their categories, and numbers for objects."""
    if rows.collect_schema()["customer"] in (nw.Object, nw.Unknown):
        rows, _ = with_plain_types(rows, {"customer": "counts"})
    if not is_categorical(rows.collect_schema()["customer"]):
        return rows
    if isinstance(rows, nw.DataFrame):
        return rows.with_columns(category_names(rows["customer"]))
    return rows.with_columns(nw.col("customer").cast(nw.String))
