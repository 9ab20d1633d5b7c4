"""Reduction of orders and sources by narwhals expressions that run inside a lazy engine.

They keep to the operations that all engines compute alike: plain aggregates of plain columns,
integer arithmetic, conditions in columns of their own. Each table is reduced to one row a customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import narwhals.stable.v2 as nw

from retainkit._frames.input import count_rows
from retainkit._frames.rows import distinct_rows
from retainkit._inputs.facts import as_number
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY, day_expr
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.customers._eager import warn_of_ties
from retainkit.customers._options import ViewSpec
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import Slices


def order_parts(orders: SourceTable, spec: ViewSpec, cut: Slices) -> list[Rows]:
    """Return tables of one row a customer, with all that `order_columns` shows between them."""
    rows = _known(orders, cut)
    bought = rows.filter(nw.col("amount_0") >= 0) if spec.has_amount else rows
    has_lines = "order" in orders.columns
    parts = [_sums(rows, spec, cut, counted=not has_lines)]
    if spec.windows:
        parts.append(_active_days(bought, orders, cut))
    if has_lines:
        parts.append(_distinct_orders(bought, cut))
    return parts


def order_columns(orders: SourceTable, spec: ViewSpec, cut: Slices) -> list[nw.Expr]:
    """Return the columns of orders, in their order, of the sums of the parts."""
    columns = [_age("first", orders, cut), _age("last", orders, cut), _whole("total")]
    if spec.has_amount:
        columns.append(_money("money"))
    old_enough = nw.col("first")
    for i, window in enumerate(spec.windows):
        columns.append(_whole(f"within_{i}"))
        if spec.has_amount:
            columns.append(_money(f"money_{i}"))
        columns.append(_whole(f"active_{i}"))
        change = _whole(f"within_{i}") - _whole(f"before_{i}")
        old = _age("first", orders, cut) * DAY >= 2 * window.microseconds
        columns.append(nw.when(old & ~old_enough.is_null()).then(change))
    return columns


def side_by_side(parts: Iterable[Rows]) -> Rows:
    """Return one row for each customer of any of the parts, which have one each, or none.

    Joins cost engines a third of what adding up the rows of all parts does.
    """
    first, *others = parts
    for part in others:
        both = first.join(part, on="customer", how="full")
        customer, own = nw.col("customer"), nw.col("customer_right")
        known = nw.when(customer.is_null()).then(own).otherwise(customer)
        first = both.with_columns(customer=known).drop("customer_right")
    return first


def _whole(name: str) -> nw.Expr:
    """Return a count, 0 where there was nothing to count."""
    return nw.col(name).fill_null(0).cast(nw.Int64)


def _money(name: str) -> nw.Expr:
    """Return a sum, 0 where there was nothing to add up."""
    return nw.col(name).fill_null(0.0).cast(nw.Float64)


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


def _sums(rows: Rows, spec: ViewSpec, cut: Slices, *, counted: bool) -> Rows:
    """Add up the money of all rows of each customer and, if `counted`, count the orders."""
    bought = nw.col("amount_0") >= 0 if spec.has_amount else ~nw.col("time").is_null()
    marks = {"total": bought} if counted else {}
    money = {"money": nw.col("amount_0")} if spec.has_amount else {}
    for i, window in enumerate(cut.begins):
        within, before = _within(cut, window), _before(cut, window)
        if counted:
            marks |= {f"within_{i}": bought & within, f"before_{i}": bought & before}
        if spec.has_amount:
            money[f"money_{i}"] = nw.when(within).then(nw.col("amount_0")).otherwise(nw.lit(0.0))
    time = nw.when(bought).then(nw.col("time")) if spec.has_amount else nw.col("time")
    values = rows.select("customer", bought_at=time, **_marked(marks), **money)
    return values.group_by("customer").agg(
        first=nw.col("bought_at").min(),
        last=nw.col("bought_at").max(),
        **_counts(marks),
        **{name: nw.col(name).sum() for name in money},
    )


def _marked(conditions: Mapping[str, nw.Expr]) -> dict[str, nw.Expr]:
    """Return columns of 1 where a condition holds, null elsewhere: engines count fastest so."""
    return {name: nw.when(one).then(nw.lit(1)) for name, one in conditions.items()}


def _counts(names: Iterable[str]) -> dict[str, nw.Expr]:
    """Count the values of each column that are not null."""
    return {name: nw.col(name).count() for name in names}


def _active_days(rows: Rows, table: SourceTable, cut: Slices) -> Rows:
    """Count the distinct days of each customer in windows; one that is cut by an edge, once."""
    earliest = min(cut.begins.values(), key=lambda one: one.instant)
    rows = rows.filter(nw.col("time") >= instant_expr(earliest.instant))
    rows = rows.select("customer", "time", day=_wall("time", table, cut.end).dt.date())
    days = rows.group_by("customer", "day").agg(time=nw.col("time").max())
    within = {f"active_{i}": _within(cut, window) for i, window in enumerate(cut.begins)}
    marked = days.select("customer", **_marked(within))
    return marked.group_by("customer").agg(**_counts(within))


def _distinct_orders(rows: Rows, cut: Slices) -> Rows:
    """Count the distinct orders of each customer, in all and in windows."""
    flags = {"total": nw.lit(1)}
    for i, window in enumerate(cut.begins):
        flags[f"within_{i}"] = as_number(_within(cut, window))
        flags[f"before_{i}"] = as_number(_before(cut, window))
    rows = rows.select("customer", "order", **flags)
    orders = rows.group_by("customer", "order").agg(**{one: nw.col(one).max() for one in flags})
    return orders.group_by("customer").agg(**{one: nw.col(one).sum() for one in flags})


# Sources


def source_parts(table: SourceTable, spec: ViewSpec, cut: Slices, prefix: str) -> list[Rows]:
    """Return tables of one row a customer of a further table; names begin with `prefix`."""
    latest = [_latest_value(table, name, cut, prefix) for name in table.numbered("last")]
    return [_sums_of_source(table, spec, cut, prefix), *latest]


def _sums_of_source(table: SourceTable, spec: ViewSpec, cut: Slices, prefix: str) -> Rows:
    """Count the rows of each customer, and add up the amounts."""
    end = instant_expr(cut.end.instant)
    windows = [_within(cut, window) for window in cut.begins]
    marks = {"one": ~nw.col("time").is_null()}
    marks |= {f"one_{i}": within for i, within in enumerate(windows)}
    if spec.sources[table.name].closed is not None:
        closed = nw.col("closed")
        marks["open"] = closed.is_null() | (closed >= end)
    sums = {}
    for name in table.numbered("amount"):
        sums[name] = nw.col(name)
        sums |= {f"{name}_{i}": nw.when(one).then(nw.col(name)) for i, one in enumerate(windows)}
    values = _known(table, cut).select("customer", "time", **_marked(marks), **sums)
    found = _counts(marks) | {name: nw.col(name).sum() for name in sums}
    return values.group_by("customer").agg(
        **{f"{prefix}latest": nw.col("time").max()},
        **{f"{prefix}{name}": one for name, one in found.items()},
    )


def source_columns(table: SourceTable, spec: ViewSpec, cut: Slices, prefix: str) -> list[nw.Expr]:
    """Return the columns of a further table, in their order, of the sums of the parts."""
    places = ["", *(f"_{i}" for i in range(len(spec.windows)))]
    columns = [_whole(f"{prefix}one{place}") for place in places]
    columns.append(_age(f"{prefix}latest", table, cut))
    for name in table.numbered("amount"):
        columns += [_money(f"{prefix}{name}{place}") for place in places]
    for name in table.numbered("last"):
        value, time = nw.col(f"{prefix}{name}"), f"{prefix}{name}_time"
        columns += [value, _age(time, table, cut)]
    if spec.sources[table.name].closed is not None:
        columns.append(_whole(f"{prefix}open"))
    return columns


def _latest_value(table: SourceTable, name: str, cut: Slices, prefix: str) -> Rows:
    """Return the latest value of each customer that is not null, and its time.

    Of several at the same instant that is the greatest; a warning counts them.
    """
    rows = _known(table, cut)
    present = rows.filter(~nw.col(name).is_null()).select("customer", "time", name)
    latest = present.group_by("customer").agg(time=nw.col("time").max())
    latest_rows = present.join(latest, on=["customer", "time"])
    distinct = distinct_rows(latest_rows, "customer", "time", name)
    counts = distinct.group_by("customer").agg(values=nw.len())
    n_tied = count_rows(counts.filter(nw.col("values") > 1))
    if n_tied:
        warn_of_ties(table, name, n_tied, count_rows(counts))
    # Of some types, older versions of Polars know no greatest value.
    ranked = distinct.with_columns(place=nw.col(name).rank("dense").over("customer"))
    ranked = ranked.with_columns(top=nw.col("place").max().over("customer"))
    found = ranked.filter(nw.col("place") == nw.col("top"))
    columns = {f"{prefix}{name}": nw.col(name), f"{prefix}{name}_time": nw.col("time")}
    return found.select("customer", **columns)
