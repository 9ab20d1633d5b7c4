"""All tables of a view, read and checked once, whatever the instants of the views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame
from retainkit._inputs.columns import segment_names
from retainkit._inputs.customer_table import with_comparable_ids
from retainkit._inputs.one_segment import check_one_segment
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.moment import Moment
from retainkit.customers._options import ViewOptions, ViewSpec
from retainkit.customers._reading import (
    AttributeTable,
    SourceTable,
    check_one_clock,
    check_one_engine,
    read_attributes,
    read_source,
)
from retainkit.customers._source import Source
from retainkit.customers._subscribed import SubscriptionHistory, read_history
from retainkit.errors import ArgumentError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ViewTables:
    """The checked tables of a view; ids are of one type in all of them."""

    orders: SourceTable
    sources: Mapping[str, SourceTable]
    attributes: AttributeTable | None
    history: SubscriptionHistory | None
    by: tuple[str, ...]
    customer: str

    @property
    def zone(self) -> tzinfo | None:
        """The zone in which days are cut."""
        return self.orders.zone

    @property
    def every(self) -> Iterator[SourceTable]:
        """The tables of things that happened: orders, then the sources."""
        yield self.orders
        yield from self.sources.values()

    def carried(self) -> dict[str, str]:
        """Return the attributes that are no segment, and their names among the rows."""
        table = self.attributes
        if table is None:
            return {}
        return {name: key for name, key in table.attributes.items() if name not in self.by}

    def check_segments(self, end: Moment) -> None:
        """Check that orders known before a moment have one segment a customer."""
        if self.orders.by:
            check_one_segment(
                replace(self.orders, rows=self.orders.rows.filter(self.orders.known(end)))
            )

    def warn_of_unused(self, end: Moment) -> None:
        """Warn of the rows of all tables that were not known before a moment."""
        counts = {one.name or "orders": (one.n_unused(end), one.n_rows) for one in self.every}
        if self.history is not None:
            number = self.history.n_unused(end)
            counts["subscriptions"] = (number, self.history.subscriptions.n_rows)
        unused = {name: pair for name, pair in counts.items() if pair[0]}
        if not unused:
            return
        has_arrival = any("known_at" in one.names for one in self.every)
        late = ", or not known before it," if has_arrival else ""
        parts = (
            f"{number:,} of {count_noun(total, 'row')} of `{name}`"
            for name, (number, total) in unused.items()
        )
        warn(
            f"{', '.join(parts)} at or after as_of ({end}){late} are not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=sum(number for number, _ in unused.values()),
            total=sum(total for _, total in unused.values()),
        )


def read_tables(
    native: Any, options: ViewOptions, spec: ViewSpec, reserved: Sequence[str] = ()
) -> ViewTables:
    """Read and check all tables of a view, of which no column may be called like the `reserved`."""
    taken = [*spec.own_columns(), *reserved, options.customer]
    by = segment_names(options.by, taken)
    attributes = None
    if options.customers is not None:
        attributes = read_attributes(options.customers, options.customer, options.missing)
        _check_attributes(attributes, taken)
    known = set(attributes.attributes) if attributes else set()
    source = Source(
        native,
        customer=options.customer,
        time=options.time,
        amount=options.amount or (),
        known_at=options.known_at,
    )
    orders = read_source(
        "",
        source,
        order=options.order,
        by=[name for name in by if name not in known],
        reserved=taken,
        tz=options.tz,
        missing=options.missing,
    )
    sources = {
        name: read_source(name, one, tz=options.tz, missing=options.missing)
        for name, one in spec.sources.items()
    }
    history = None if options.subscriptions is None else _read_history(options, orders)
    times = {
        one.name or "orders": (one.zone, one.names["time"]) for one in (orders, *sources.values())
    }
    if history is not None:
        times["subscriptions"] = (history.subscriptions.zone, options.start)
    check_one_clock(times)
    tables = ViewTables(
        orders=orders,
        sources={name: replace(one, zone=orders.zone) for name, one in sources.items()},
        attributes=attributes,
        history=history,
        by=by,
        customer=options.customer,
    )
    return _joinable(tables)


def _read_history(options: ViewOptions, orders: SourceTable) -> SubscriptionHistory:
    """Read subscriptions on the wall clock of the orders."""
    history = read_history(options, options.tz)
    zone, own = orders.zone, history.subscriptions.zone
    if zone is None or own is None or str(zone) == str(own):
        return history
    return read_history(options, str(zone))


def _check_attributes(table: AttributeTable, taken: Sequence[str]) -> None:
    """Check that no attribute is called like a column that is made here."""
    for name in table.attributes:
        if name in taken:
            raise ArgumentError(
                f"`customers` has the column {name!r}, which is also the name of a column of the "
                "result; rename it, or leave it out.",
                code="reserved_name",
                argument="customers",
                column=name,
            )


def _joinable(tables: ViewTables) -> ViewTables:
    """Return the tables with customers of one type, held by one engine."""
    frames: dict[str, Frame] = {one.name or "orders": one.rows for one in tables.every}
    if tables.attributes is not None:
        frames["customers"] = tables.attributes.rows
    history = tables.history
    held = dict(frames)
    if history is not None:
        held["subscriptions"] = history.subscriptions.rows
        frames["subscriptions"] = history.customers.alias("customer").to_frame()
    check_one_engine(held)
    if isinstance(tables.orders.rows, nw.LazyFrame) and history is not None:
        # They are in memory; what type their ids have tells the engine's own table.
        frames["subscriptions"] = history.subscriptions.rows
    rows = with_comparable_ids(frames)
    sources = {name: replace(one, rows=rows[name]) for name, one in tables.sources.items()}
    attributes = tables.attributes
    if attributes is not None:
        attributes = replace(attributes, rows=rows["customers"])
    if history is not None and isinstance(rows["subscriptions"], nw.DataFrame):
        history = replace(history, customers=rows["subscriptions"]["customer"])
    orders = replace(tables.orders, rows=rows["orders"])
    return replace(tables, orders=orders, sources=sources, attributes=attributes, history=history)


def warn_of_strangers(name: str, own: Sequence[Any], others: Sequence[Any]) -> None:
    """Warn that a table has no customer that any other has, with a few of both."""
    warn(
        f"no customer of `{name}` ({format_examples(own[:3], 3)}) is in another table "
        f"({format_examples(others[:3], 3)}): if they are the same people, write their ids alike, "
        "capitals and blanks too.",
        code="no_common_customers",
        argument=name,
    )
