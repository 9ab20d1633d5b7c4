"""Views of customers on arrays, for frames in memory: tables are coded once, views made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort, integer_codes
from retainkit._frames.input import collect
from retainkit._frames.rows import stack_rows, take, take_or_null
from retainkit._time.moment import Moment
from retainkit._typing import Booleans, Integers
from retainkit.customers._coded import ActiveDays, CodedTable, active_days, coded
from retainkit.customers._eager import built, order_columns, source_columns
from retainkit.customers._options import ViewSpec
from retainkit.customers._slices import slices
from retainkit.customers._subscribed import SubscribedCustomers, subscribed_at
from retainkit.customers._tables import ViewTables, warn_of_strangers

_SEVERAL = 3  # views, from which on it pays to order the rows by time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedTables:
    """Tables in memory, whose customers have codes by `rank`: the place in their order.

    `customers` has the customer of each code. `days` are those of all orders, if they are known.
    """

    tables: ViewTables
    customers: nw.Series[Any]
    events: Mapping[str, CodedTable]
    days: ActiveDays | None
    attribute_row: Integers
    subscriber: Integers


def code_tables(tables: ViewTables, *, n_views: int = 1) -> CodedTables:
    """Return tables whose customers have common codes, in ascending order of the customers.

    Where several views are made of them, what can be done once for all is.
    """
    frames = {one.name: collect(one.rows).select("customer") for one in tables.every}
    if tables.attributes is not None:
        frames["customers"] = collect(tables.attributes.rows).select("customer")
    if tables.history is not None:
        frames["subscriptions"] = tables.history.customers.alias("customer").to_frame()
    every = stack_rows([*frames.values()])["customer"]
    codes, size = integer_codes(every)
    row_of = np.full(size, -1)
    row_of[codes] = np.arange(len(codes))  # any row of a customer will do
    used = np.flatnonzero(row_of >= 0)
    customers = take(every, row_of[used])
    order = argsort(customers)
    rank = np.empty(size, np.int64)
    rank[used[order]] = np.arange(len(used))
    ends = np.cumsum([len(frame) for frame in frames.values()])
    parts = dict(zip(frames, np.split(rank[codes], ends[:-1]), strict=True))
    customers = take(customers, order)
    _warn_of_strangers(parts, customers)
    attribute_row = np.full(len(used), -1)
    if "customers" in parts and tables.attributes is not None:
        attribute_row[parts["customers"]] = np.arange(len(parts["customers"]))
    ordered = n_views >= _SEVERAL
    events = {
        one.name: coded(one, parts[one.name], len(used), ordered=ordered) for one in tables.every
    }
    shared = ordered and "known_at" not in tables.orders.names
    return CodedTables(
        tables=tables,
        customers=customers,
        events=events,
        days=active_days(events[""].bought) if shared else None,
        attribute_row=attribute_row,
        subscriber=parts.get("subscriptions", np.zeros(0, np.int64)),
    )


def _warn_of_strangers(parts: Mapping[str, Integers], customers: nw.Series[Any]) -> None:
    """Warn of tables that have no customer of any other."""
    occurs = {name: np.zeros(len(customers), bool) for name in parts}
    for name, codes in parts.items():
        occurs[name][codes] = True
    for name, own in occurs.items():
        others = np.zeros(len(own), bool)
        for other, there in occurs.items():
            if other != name:
                others |= there
        if name and own.any() and others.any() and not (own & others).any():
            some = (take(customers, np.flatnonzero(one)[:3]).to_list() for one in (own, others))
            warn_of_strangers(name, *some)


def view_in_memory(
    found: CodedTables, spec: ViewSpec, end: Moment, kept: Booleans | None = None
) -> tuple[dict[str, Any], Integers]:
    """Return the columns of the view at a moment under their names, and the codes in it.

    Codes that are not `kept` are left out.
    """
    tables = found.tables
    cut = slices(end, spec.windows, tables.zone)
    known = {name: one.known(end) for name, one in found.events.items()}
    there = found.attribute_row >= 0
    columns: dict[str, Any] = {}
    if tables.attributes is not None:
        columns["in_customers"] = there.copy()
    for one in known.values():
        there[one.code] = True
    columns |= order_columns(known[""], spec, cut, found.days)
    for name in tables.sources:
        columns |= source_columns(known[name], spec, cut)
    if tables.history is not None:
        now = subscribed_at(tables.history, end)
        there[found.subscriber[now.row]] = True
        columns |= _subscription_columns(found, spec, now)
    codes = np.flatnonzero(there if kept is None else there & kept)
    keys = {**_segments(found, known[""], codes), tables.customer: take(found.customers, codes)}
    own = dict(built(collect(tables.orders.rows), columns, codes))
    carried = _attributes(found, codes)
    in_customers = {name: own.pop(name) for name in ("in_customers",) if name in own}
    return {**keys, **in_customers, **carried, **own}, codes


def _subscription_columns(
    found: CodedTables, spec: ViewSpec, now: SubscribedCustomers
) -> dict[str, Any]:
    """Return the columns of subscriptions."""
    code, n = found.subscriber[now.row], len(found.customers)
    columns: dict[str, Any] = {}
    for name, values in now.columns(has_amount=spec.has_subscription_amount).items():
        if isinstance(values, tuple):
            numbers, null = np.zeros(n, np.int64), np.ones(n, bool)
            numbers[code], null[code] = values
            columns[name] = (numbers, null)
        else:
            columns[name] = np.zeros(n, values.dtype)
            columns[name][code] = values
    return columns


def _segments(found: CodedTables, orders: CodedTable, codes: Integers) -> dict[str, nw.Series[Any]]:
    """Return the segments of some codes: of the table of customers, or of the known orders."""
    tables = found.tables
    table = tables.attributes
    of_order = np.full(len(found.customers), -1)
    of_order[orders.code] = orders.row
    columns = {}
    for name in tables.by:
        if table is not None and name in table.attributes:
            values = collect(table.rows)[table.attributes[name]]
            columns[name] = take_or_null(values, found.attribute_row[codes])
        else:
            key = tables.orders.keys[tables.orders.by.index(name)]
            columns[name] = take_or_null(orders.frame[key], of_order[codes])
    return columns


def _attributes(found: CodedTables, codes: Integers) -> dict[str, nw.Series[Any]]:
    """Return the attributes of some codes."""
    table = found.tables.attributes
    if table is None:
        return {}
    rows = collect(table.rows)
    return {
        name: take_or_null(rows[key], found.attribute_row[codes])
        for name, key in found.tables.carried().items()
    }
