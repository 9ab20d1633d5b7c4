"""Views of customers as one plan of a lazy engine: reduced tables, joined by customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import join, table_in_engine
from retainkit._frames.output import integers_or_null
from retainkit._frames.rows import take
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit.customers._lazy import (
    added_up,
    latest_value,
    order_columns,
    order_parts,
    source_columns,
    source_part,
)
from retainkit.customers._options import SUBSCRIBED, ViewSpec
from retainkit.customers._slices import slices
from retainkit.customers._subscribed import subscribed_at
from retainkit.customers._tables import ViewTables, warn_of_strangers

_SAMPLE = 100  # rows whose customers are looked for elsewhere before all of them are


def lazy_view(tables: ViewTables, spec: ViewSpec, end: Moment) -> tuple[Rows, dict[str, str]]:
    """Return the plan of a view at a moment, and the column of it for each name of the result."""
    cut = slices(end, spec.windows, tables.zone)
    prefixes = {name: f"s{i}_" for i, name in enumerate(tables.sources)}
    parts = order_parts(tables.orders, spec, cut)
    for name, table in tables.sources.items():
        parts.append(source_part(table, spec, cut, prefixes[name]))
    subscribed = _subscribed(tables, spec, end)
    others = [] if subscribed is None else [subscribed]
    rows = _all_customers(added_up(parts), tables, others)
    rows = _with_segments(rows, tables, end)
    for name, table in tables.sources.items():
        for last in table.numbered("last"):
            found = latest_value(table, last, cut, prefixes[name])
            rows = rows.join(found, on="customer", how="left")
    exprs = dict(zip(spec.order_columns(), order_columns(tables.orders, spec, cut), strict=True))
    for name, table in tables.sources.items():
        own = source_columns(table, spec, cut, prefixes[name])
        exprs |= dict(zip(spec.source_columns(name), own, strict=True))
    if subscribed is not None:
        rows = rows.join(subscribed, on="customer", how="left")
        exprs |= _subscription_columns(spec)
    columns = {name: f"by_{i}" for i, name in enumerate(tables.by)}
    columns[tables.customer] = "customer"
    if tables.attributes is not None:
        columns["in_customers"] = "in_customers"
        columns |= tables.carried()
    kept = list(columns.values())
    made = {name: f"c{i}" for i, name in enumerate(exprs)}
    rows = rows.select(*kept, **{made[name]: one for name, one in exprs.items()})
    return rows, columns | made


def _subscribed(tables: ViewTables, spec: ViewSpec, end: Moment) -> Rows | None:
    """Return what there is of subscriptions, reduced in memory, in the engine of the orders."""
    if tables.history is None:
        return None
    now = subscribed_at(tables.history, end)
    made = now.columns(has_amount=spec.has_subscription_amount)
    found = rows_of_customers(tables, take(tables.history.customers, now.row), made)
    return found.rename({f"c{i}": name for i, name in enumerate(made)})


def _subscription_columns(spec: ViewSpec) -> dict[str, nw.Expr]:
    """Return the columns of subscriptions, with False and 0 for those who never had any."""
    subscribed, days, amount = (nw.col(name) for name in SUBSCRIBED)
    is_true = ~subscribed.is_null() & subscribed
    flag = nw.when(is_true).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
    money = nw.when(amount.is_null()).then(nw.lit(0.0)).otherwise(amount)
    every = zip(SUBSCRIBED, (flag, days, money), strict=True)
    return {name: one for name, one in every if name in spec.subscription_columns()}


def _all_customers(found: Rows, tables: ViewTables, others: list[Rows]) -> Rows:
    """Return everybody who is in any table, with the attributes, and what was `found` of them."""
    table = tables.attributes
    if table is not None:
        others = [table.rows.lazy(), *others]
    if not others:
        return found
    every = [one.select("customer") for one in (found, *others)]
    rows = nw.concat(every, how="vertical").unique().join(found, on="customer", how="left")
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
