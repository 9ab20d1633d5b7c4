"""Views of customers as one plan of a lazy engine: reduced tables, joined by customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import join, table_in_engine
from retainkit._frames.output import integers_or_null
from retainkit._frames.rows import distinct_rows, take
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit.customers._lazy import (
    order_columns,
    order_parts,
    side_by_side,
    source_columns,
    source_parts,
)
from retainkit.customers._options import SUBSCRIBED, ViewSpec
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import slices
from retainkit.customers._subscribed import SubscriptionHistory, subscribed_at
from retainkit.customers._tables import ViewTables, warn_of_strangers

_SAMPLE = 100  # rows whose customers are looked for elsewhere before all of them are


def lazy_view(tables: ViewTables, spec: ViewSpec, end: Moment) -> tuple[Rows, dict[str, str]]:
    """Return the plan of a view at a moment, and the column of it for each name of the result."""
    cut = slices(end, spec.windows, tables.zone)
    parts = order_parts(tables.orders, spec, cut)
    exprs = dict(zip(spec.order_columns(), order_columns(tables.orders, spec, cut), strict=True))
    for i, (name, table) in enumerate(tables.sources.items()):
        parts += source_parts(table, spec, cut, f"s{i}_")
        own = source_columns(table, spec, cut, f"s{i}_")
        exprs |= dict(zip(spec.source_columns(name), own, strict=True))
    if tables.history is not None:
        parts.append(_subscribed(tables, tables.history, spec, end))
        exprs |= _subscription_columns(spec)
    if tables.orders.by:
        parts.append(_segments(tables.orders, end))
    if tables.attributes is not None:
        parts.append(tables.attributes.rows.lazy().with_columns(there=nw.lit(1)))
        exprs = {"in_customers": _is_there()} | exprs
    segments, carried = _segment_columns(tables), tables.carried()
    made = {name: f"c{i}" for i, name in enumerate(exprs)}
    rows = side_by_side(parts).select(
        "customer",
        *segments.values(),
        *carried.values(),
        **{made[name]: one for name, one in exprs.items()},
    )
    first = {name: made[name] for name in ("in_customers",) if name in made}
    return rows, {**segments, tables.customer: "customer", **first, **carried, **made}


def _subscribed(
    tables: ViewTables, history: SubscriptionHistory, spec: ViewSpec, end: Moment
) -> Rows:
    """Return what there is of subscriptions, reduced in memory, in the engine of the orders."""
    now = subscribed_at(history, end)
    made = now.columns(has_amount=spec.has_subscription_amount)
    found = rows_of_customers(tables, take(history.customers, now.row), made)
    return found.rename({f"c{i}": name for i, name in enumerate(made)})


def _subscription_columns(spec: ViewSpec) -> dict[str, nw.Expr]:
    """Return the columns of subscriptions, with False and 0 for those who never had any."""
    subscribed, days, amount = (nw.col(name) for name in SUBSCRIBED)
    is_true = ~subscribed.is_null() & subscribed
    flag = nw.when(is_true).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
    money = nw.when(amount.is_null()).then(nw.lit(0.0)).otherwise(amount)
    every = zip(SUBSCRIBED, (flag, days, money), strict=True)
    return {name: one for name, one in every if name in spec.subscription_columns()}


def _is_there() -> nw.Expr:
    """Return whether a customer is in the table of customers."""
    return nw.when(nw.col("there") == 1).then(nw.lit(value=True)).otherwise(nw.lit(value=False))


def _segments(orders: SourceTable, end: Moment) -> Rows:
    """Return the segments of the known orders, of which each customer has one."""
    keys = {f"key_{name}": nw.col(key) for name, key in zip(orders.by, orders.keys, strict=True)}
    rows = orders.rows.lazy().filter(orders.known(end)).select("customer", **keys)
    return distinct_rows(rows, "customer", *keys)


def _segment_columns(tables: ViewTables) -> dict[str, str]:
    """Return the column of each segment: of the table of customers, or of the orders."""
    table = tables.attributes
    known = {} if table is None else table.attributes
    return {name: known.get(name, f"key_{name}") for name in tables.by}


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
    if tables.history is not None and len(tables.history.customers):
        frames["subscriptions"] = rows_of_customers(tables, tables.history.customers, {})
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
            collect(distinct_rows(frame, "customer").sort("customer").head(3))["customer"].to_list()
            for frame in (own, rest)
        ]
        warn_of_strangers(name, *some)
