"""Views of customers as one plan of a lazy engine: reduced tables, joined by customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import join, table_in_engine
from retainkit._frames.output import integers_or_null
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit.customers._lazy import order_columns, source_columns
from retainkit.customers._options import ViewSpec
from retainkit.customers._slices import slices
from retainkit.customers._subscribed import subscribed_at
from retainkit.customers._tables import ViewTables, warn_of_strangers

_SAMPLE = 100  # rows whose customers are looked for elsewhere before all of them are


def lazy_view(tables: ViewTables, spec: ViewSpec, end: Moment) -> tuple[Rows, dict[str, str]]:
    """Return the plan of a view at a moment, and the column of it for each name of the result."""
    cut = slices(end, spec.windows, tables.zone)
    parts = {"orders": (order_columns(tables.orders, spec, cut), [*spec.order_columns()])}
    for name, table in tables.sources.items():
        parts[name] = (source_columns(table, spec, cut), [*spec.source_columns(name)])
    if tables.history is not None:
        now = subscribed_at(tables.history, end)
        made = now.columns(has_amount=spec.has_subscription_amount)
        who = tables.history.customers[now.row.tolist()]
        parts["subscriptions"] = (rows_of_customers(tables, who, made), [*made])
    rows = _all_customers(tables, [found for found, _ in parts.values()])
    columns = {name: f"by_{i}" for i, name in enumerate(tables.by)}
    columns[tables.customer] = "customer"
    rows = _with_segments(rows, tables, end)
    if tables.attributes is not None:
        columns["in_customers"] = "in_customers"
        columns |= tables.carried()
    for i, (found, names) in enumerate(parts.values()):
        own = {f"c{place}": f"{i}_{place}" for place in range(len(names))}
        rows = rows.join(found.rename(own), on="customer", how="left")
        columns |= dict(zip(names, own.values(), strict=True))
    return _filled(rows, columns, spec), columns


def _all_customers(tables: ViewTables, parts: list[Rows]) -> Rows:
    """Return everybody who is in any table, with the attributes."""
    every = [found.select("customer") for found in parts]
    table = tables.attributes
    if table is not None:
        every.append(table.rows.lazy().select("customer"))
    rows = every[0] if len(every) == 1 else nw.concat(every, how="vertical").unique()
    if table is None:
        return rows
    own = table.rows.lazy().with_columns(there=nw.lit(1))
    rows = rows.join(own, on="customer", how="left")
    there = nw.when(nw.col("there") == 1).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
    return rows.with_columns(in_customers=there)


def _with_segments(rows: Rows, tables: ViewTables, end: Moment) -> Rows:
    """Add the segments, of the table of customers or of the known orders."""
    table, orders = tables.attributes, tables.orders
    known = table.attributes if table is not None else {}
    own = {name: f"by_{i}" for i, name in enumerate(tables.by)}
    of_table = {own[name]: nw.col(known[name]) for name in own if name in known}
    rows = rows.with_columns(**of_table) if of_table else rows
    if not orders.by:
        return rows
    keys = {own[name]: nw.col(key) for name, key in zip(orders.by, orders.keys, strict=True)}
    segments = orders.rows.lazy().filter(orders.known(end)).select("customer", **keys).unique()
    return rows.join(segments, on="customer", how="left")


def rows_of_customers(
    tables: ViewTables, customers: nw.Series[Any], made: Mapping[str, Any]
) -> Rows:
    """Return columns that were computed in memory, a row a customer, in the orders' engine."""
    rows = tables.orders.rows
    columns: dict[str, Any] = {"customer": customers}
    for i, values in enumerate(made.values()):
        name = f"c{i}"
        columns[name] = integers_or_null(rows, name, *values) if type(values) is tuple else values
    table: Rows = table_in_engine(rows, columns).lazy()
    own = rows.collect_schema()["customer"]
    if table.collect_schema()["customer"] != own:
        table = table.with_columns(nw.col("customer").cast(own))
    return table


def _filled(rows: Rows, columns: Mapping[str, str], spec: ViewSpec) -> Rows:
    """Put 0 in place of nulls that a join has left: who has no row was counted, and had none."""
    zeros: dict[str, Any] = dict.fromkeys(spec.count_columns(), 0)
    zeros |= dict.fromkeys(spec.money_columns(), 0.0)
    filled = []
    for name, zero in zeros.items():
        key = nw.col(columns[name])
        value = nw.when(key.is_null()).then(nw.lit(zero)).otherwise(key)
        filled.append(value.alias(columns[name]))
    if spec.has_subscriptions:
        key = nw.col(columns["subscribed"])
        is_true = ~key.is_null() & key
        flag = nw.when(is_true).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
        filled.append(flag.alias(columns["subscribed"]))
    return rows.with_columns(*filled)


# Tables of other people


def warn_of_strange_tables(tables: ViewTables) -> None:
    """Warn of tables that have no customer of any other."""
    frames = {one.name or "orders": one.rows.lazy() for one in tables.every}
    if tables.attributes is not None:
        frames["customers"] = tables.attributes.rows.lazy()
    every = {name: frame.select("customer") for name, frame in frames.items()}
    for name, own in every.items():
        others = [frame for other, frame in every.items() if other != name]
        if name == "orders" or not others:
            continue
        rest = nw.concat(others, how="vertical")
        if count_rows(join(own.head(_SAMPLE), rest, how="semi")):
            continue
        if count_rows(join(own, rest, how="semi")) or not count_rows(own) or not count_rows(rest):
            continue
        some = [
            collect(frame.unique().sort("customer").head(3))["customer"].to_list()
            for frame in (own, rest)
        ]
        warn_of_strangers(name, *some)
