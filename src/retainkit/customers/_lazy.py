"""Reduction of orders and sources by narwhals expressions that run inside a lazy engine.

They keep to the operations that all engines compute alike: plain aggregates of plain columns,
integer arithmetic, conditions in columns of their own. Each table is reduced to one row a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import count_rows
from retainkit._inputs.facts import as_number
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY, day_expr
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.customers._eager import warn_of_ties
from retainkit.customers._options import ViewSpec
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import Slices


def order_columns(orders: SourceTable, spec: ViewSpec, cut: Slices) -> Rows:
    """Return the columns of orders that were known before the end of the slices."""
    rows = _known(orders, cut)
    is_order = as_number(nw.col("amount_0") >= 0) if spec.has_amount else nw.lit(1)
    rows = rows.with_columns(is_order=is_order)
    found = _sums(rows, spec, cut)
    bought = rows.filter(nw.col("is_order") == 1) if spec.has_amount else rows
    if spec.windows:
        found = _with_counts(found, _active_days(bought, orders, cut))
    if "order" in orders.columns:
        found = _with_counts(found, _distinct_orders(bought, cut))
    return _shown_orders(found, orders, spec, cut)


def _known(table: SourceTable, cut: Slices) -> Rows:
    rows: Rows = table.rows.lazy()
    return rows.filter(table.known(cut.end))


def _wall(column: str, table: SourceTable, end: Moment) -> nw.Expr:
    """Return the time on the wall clock of times before a moment."""
    first = min(table.first.instant, end.instant) if table.first else end.instant
    return wall_time_expr(nw.col(column), zone=table.zone, first=first, last=end.instant)


def _age(column: str, table: SourceTable, cut: Slices) -> nw.Expr:
    """Return the days from times to the end."""
    return cut.day - day_expr(_wall(column, table, cut.end)).cast(nw.Int64)


def _within(cut: Slices, window: str) -> nw.Expr:
    return nw.col("time") >= instant_expr(cut.begins[window].instant)


def _before(cut: Slices, window: str) -> nw.Expr:
    begin = nw.col("time") >= instant_expr(cut.before[window].instant)
    return begin & (nw.col("time") < instant_expr(cut.begins[window].instant))


def _sums(rows: Rows, spec: ViewSpec, cut: Slices) -> Rows:
    """Count the rows that are orders of each customer, and add up the money of all rows."""
    number, bought = nw.col("is_order"), nw.col("is_order") == 1
    columns = {"total": number}
    if spec.has_amount:
        columns["money"] = nw.col("amount_0")
    for i, window in enumerate(cut.begins):
        within, before = _within(cut, window), _before(cut, window)
        columns[f"within_{i}"] = nw.when(within).then(number).otherwise(nw.lit(0))
        columns[f"before_{i}"] = nw.when(before).then(number).otherwise(nw.lit(0))
        if spec.has_amount:
            columns[f"money_{i}"] = nw.when(within).then(nw.col("amount_0")).otherwise(nw.lit(0.0))
    time = nw.when(bought).then(nw.col("time")) if spec.has_amount else nw.col("time")
    ends = {"first": nw.col("bought_at").min(), "last": nw.col("bought_at").max()}
    sums = {name: nw.col(name).sum() for name in columns}
    values = rows.select("customer", bought_at=time, **columns)
    return values.group_by("customer").agg(**ends, **sums)


def _active_days(rows: Rows, table: SourceTable, cut: Slices) -> Rows:
    """Count the distinct days of each customer in windows; one that is cut by an edge, once."""
    earliest = min(cut.begins.values(), key=lambda one: one.instant)
    rows = rows.filter(nw.col("time") >= instant_expr(earliest.instant))
    day = _wall("time", table, cut.end).dt.truncate("1d")
    rows = rows.select("customer", "time", day=day)
    if cut.whole_days:
        days = rows.select("customer", "day").unique()
        edges = {one: nw.col("day") >= instant_expr(edge.wall) for one, edge in cut.begins.items()}
    else:
        days = rows.group_by("customer", "day").agg(time=nw.col("time").max())
        edges = {one: _within(cut, one) for one in cut.begins}
    flags = {f"active_{i}": as_number(within) for i, within in enumerate(edges.values())}
    return _summed(days.select("customer", **flags), flags)


def _distinct_orders(rows: Rows, cut: Slices) -> Rows:
    """Count the distinct orders of each customer, in all and in windows."""
    flags = {"total": nw.lit(1)}
    for i, window in enumerate(cut.begins):
        flags[f"within_{i}"] = as_number(_within(cut, window))
        flags[f"before_{i}"] = as_number(_before(cut, window))
    rows = rows.select("customer", "order", **flags)
    orders = rows.group_by("customer", "order").agg(**{one: nw.col(one).max() for one in flags})
    return _summed(orders, flags)


def _summed(rows: Rows, columns: Mapping[str, object]) -> Rows:
    return rows.group_by("customer").agg(**{name: nw.col(name).sum() for name in columns})


def _with_counts(found: Rows, other: Rows) -> Rows:
    """Return the rows with the counts of another table, in place of their own of the same name."""
    names = [name for name in other.collect_schema().names() if name != "customer"]
    own = [name for name in found.collect_schema().names() if name not in names]
    joined = found.select(own).join(other, on="customer", how="left")
    return joined.with_columns(nw.col(name).fill_null(0) for name in names)


def _shown_orders(found: Rows, orders: SourceTable, spec: ViewSpec, cut: Slices) -> Rows:
    """Return the columns of the result, but for customers without a row."""

    def whole(name: str) -> nw.Expr:
        return nw.col(name).cast(nw.Int64)

    found = found.with_columns(tenure=_age("first", orders, cut), recency=_age("last", orders, cut))
    columns = {
        "tenure_days": nw.col("tenure"),
        "recency_days": nw.col("recency"),
        "orders": whole("total"),
    }
    if spec.has_amount:
        columns["amount"] = nw.col("money").cast(nw.Float64)
    for i, window in enumerate(spec.windows):
        columns[f"orders_{window.name}"] = whole(f"within_{i}")
        if spec.has_amount:
            columns[f"amount_{window.name}"] = nw.col(f"money_{i}").cast(nw.Float64)
        columns[f"active_days_{window.name}"] = whole(f"active_{i}")
        change = whole(f"within_{i}") - whole(f"before_{i}")
        old = nw.col("tenure") * DAY >= 2 * window.microseconds
        columns[f"orders_change_{window.name}"] = nw.when(old).then(change)
    return found.select("customer", **_numbered(columns))


def _numbered(columns: Mapping[str, nw.Expr]) -> dict[str, nw.Expr]:
    """Return columns by their places: a name of the user's may mean something to an engine."""
    return {f"c{i}": one for i, one in enumerate(columns.values())}


# Sources


def source_columns(table: SourceTable, spec: ViewSpec, cut: Slices) -> Rows:
    """Return the columns of a further table, of the rows known before the end of the slices."""
    source = spec.sources[table.name]
    amounts, lasts = table.numbered("amount"), table.numbered("last")
    rows = _known(table, cut).with_columns(one=nw.lit(1))
    sums: dict[str, nw.Expr] = {}
    for name in ("one", *amounts):
        sums[name] = nw.col(name)
        zero = nw.lit(0) if name == "one" else nw.lit(0.0)
        for i, window in enumerate(spec.windows):
            within = _within(cut, window.name)
            sums[f"{name}_{i}"] = nw.when(within).then(nw.col(name)).otherwise(zero)
    if source.closed is not None:
        closed = nw.col("closed")
        sums["open"] = 1 - as_number(closed < instant_expr(cut.end.instant))
    values = rows.select("customer", "time", **sums)
    found = values.group_by("customer").agg(
        latest=nw.col("time").max(), **{name: nw.col(name).sum() for name in sums}
    )
    for name in lasts:
        found = found.join(_latest_value(table, name, rows), on="customer", how="left")

    def family(name: str, dtype: Any) -> list[nw.Expr]:
        names = [name, *(f"{name}_{i}" for i in range(len(spec.windows)))]
        return [nw.col(one).cast(dtype) for one in names]

    columns = [*family("one", nw.Int64), _age("latest", table, cut)]
    for name in amounts:
        columns += family(name, nw.Float64)
    for name in lasts:
        columns += [nw.col(name), _age(f"{name}_time", table, cut)]
    if source.closed is not None:
        columns.append(nw.col("open").cast(nw.Int64))
    return found.select("customer", **{f"c{i}": one for i, one in enumerate(columns)})


def _latest_value(table: SourceTable, name: str, rows: Rows) -> Rows:
    """Return the latest value of each customer that is not null, and its time.

    Of several at the same instant that is the greatest; a warning counts them.
    """
    present = rows.filter(~nw.col(name).is_null()).select("customer", "time", name)
    latest = present.group_by("customer").agg(time=nw.col("time").max())
    distinct = present.join(latest, on=["customer", "time"]).unique()
    counts = distinct.group_by("customer").agg(values=nw.len())
    n_tied = count_rows(counts.filter(nw.col("values") > 1))
    if n_tied:
        warn_of_ties(table, name, n_tied, count_rows(counts))
    # Of some types, older versions of Polars know no greatest value.
    ranked = distinct.with_columns(place=nw.col(name).rank("dense").over("customer"))
    ranked = ranked.with_columns(top=nw.col("place").max().over("customer"))
    found = ranked.filter(nw.col("place") == nw.col("top"))
    return found.select("customer", name, **{f"{name}_time": nw.col("time")})
