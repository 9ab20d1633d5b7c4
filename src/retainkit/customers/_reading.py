"""Read the tables that a view of customers is made of: orders, sources, the customers themselves.

Each is checked once; the rows that were known at an instant are chosen later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame, from_native
from retainkit._frames.join import can_be_joined
from retainkit._frames.rows import engine_name
from retainkit._inputs.columns import CheckedTable, Column, column_exprs, read_columns
from retainkit._inputs.customer_table import check_one_row
from retainkit._inputs.facts import (
    check_finite,
    count_true,
    read_facts,
    warn_of_dropped,
    without_nulls,
)
from retainkit._inputs.kinds import AMOUNT, ID, ORDER, SEGMENT, TIME
from retainkit._inputs.observation import moments_of
from retainkit._time.moment import Moment
from retainkit._time.zones import instant_expr
from retainkit.customers._source import Source
from retainkit.errors import ArgumentError, ArgumentTypeError

_FIXED = (
    Column("customer", ID),
    Column("time", TIME, observed=True),
    Column("order", ORDER, required=False),
    Column("closed", TIME, nulls="keep", like="time", required=False),
    Column("known_at", TIME, required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable(CheckedTable):
    """A checked table of things that happened, `name` in the result.

    The columns that are added up and those whose latest value is shown are ``amount_0``, … and
    ``last_0``, … among the rows. `first` and `last` are the moments of the first and the last row,
    None where there is none.
    """

    name: str
    n_rows: int
    first: Moment | None
    last: Moment | None

    def numbered(self, kind: str) -> list[str]:
        """Return the arguments of a kind, ``amount`` or ``last``, in their order."""
        return [one for one in self.names if one.startswith(f"{kind}_")]

    def n_unused(self, end: Moment) -> int:
        """Count the rows that were not known before a moment."""
        late = self.last is not None and self.last.instant >= end.instant
        if not late and "known_at" not in self.names:
            return 0
        return count_true(self.rows, {"unused": ~self.known(end)})["unused"]

    def known(self, end: Moment) -> nw.Expr:
        """Return whether a row happened, and was known, before a moment."""
        known = nw.col("time") < instant_expr(end.instant)
        if "known_at" in self.names:
            known &= nw.col("known_at") < instant_expr(end.instant)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTable(CheckedTable):
    """A checked table of one row a customer; `attributes` maps its columns to those of the rows."""

    attributes: Mapping[str, str]


def read_source(
    name: str,
    source: Source,
    *,
    order: str | None = None,
    by: Sequence[str] = (),
    reserved: Sequence[str] = (),
    tz: str | None,
    missing: str,
    argument: str = "sources",
) -> SourceTable:
    """Check a table of things that happened; without a `name`, it is that of the orders."""
    amounts = {f"amount_{i}": one for i, one in enumerate(source.amount)}
    lasts = {f"last_{i}": one for i, one in enumerate(source.last)}
    columns = (
        *_FIXED,
        *(Column(one, AMOUNT) for one in amounts),
        *(Column(one, SEGMENT, nulls="keep") for one in lasts),
    )
    names: dict[str, str | None] = {"customer": source.customer, "time": source.time}
    names |= {"order": order, **amounts, **lasts}
    names |= {"closed": source.closed, "known_at": source.known_at}
    table = read_columns(
        source.frame,
        f"{argument}[{name!r}]" if name else "orders",
        columns,
        names,
        by=by,
        reserved=reserved,
        tz=tz,
        argument_names={one: _shown(name, one) for one in names},
    )
    table, facts, note = without_nulls(table, read_facts, missing)
    warn_of_dropped(f"{name}: {note}" if name and note else note, facts, name or "orders")
    for one in amounts:
        check_finite(table, facts, one)
    ends = {"first": facts.least["time"], "last": facts.greatest["time"]}
    moments = moments_of(table, ends if facts.n_rows else {})
    return SourceTable(
        **table.parts(),
        name=name,
        n_rows=facts.n_rows,
        first=moments.get("first"),
        last=moments.get("last"),
    )


def _shown(name: str, argument: str) -> str:
    """Return what messages call an argument of a source: ``tickets.closed``."""
    plain = argument.partition("_")[0] if argument[-1].isdigit() else argument
    return f"{name}.{plain}" if name else plain


def read_attributes(customers: Any, customer: str, missing: str) -> AttributeTable:
    """Check a table of customers; its other columns are their attributes, just as they are."""
    table = read_columns(customers, "customers", _FIXED[:1], {"customer": customer})
    own = from_native(customers, "customers").collect_schema().names()
    names = {name: f"attribute_{i}" for i, name in enumerate(own) if name != customer}
    given = table.given
    rows = given.select(
        **column_exprs(given, table.declared, table.names),
        **{key: nw.col(name) for name, key in names.items()},
    )
    table, facts, note = without_nulls(
        replace(table, rows=rows, table="customers"), read_facts, missing
    )
    warn_of_dropped(note, facts, "customers")
    check_one_row(table, "customers")
    return AttributeTable(**table.parts(), attributes=names)


def check_one_engine(frames: Mapping[str, Frame]) -> None:
    """Check that all tables are held by one engine, which can join them."""
    (first, frame), *others = frames.items()
    for name, other in others:
        if not can_be_joined(frame, other):
            own, its = engine_name(frame), engine_name(other)
            its = "another connection" if own == its else its
            raise ArgumentTypeError(
                f"`{first}` is held by {own} and `{name}` by {its}; tables that are joined must be "
                "of one kind, in one place. Convert one of them first.",
                code="mixed_engines",
                argument=name,
            )


def check_one_clock(tables: Mapping[str, tuple[tzinfo | None, str]]) -> None:
    """Check that all tables have times with a zone, or all without; each with its column."""
    (first, (zone, _)), *others = tables.items()
    for name, (other, column) in others:
        if (other is None) != (zone is None):
            have = "has no time zone" if other is None else f"has the time zone {str(other)!r}"
            raise ArgumentError(
                f"column {column!r} of `{name}` {have}, and the times of `{first}` have "
                f"{'none' if zone is None else 'one'}. Give all tables a time zone, or none.",
                code="mixed_zones",
                argument=name,
                column=column,
            )
