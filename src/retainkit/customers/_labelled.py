"""Labelled views: the view of each snapshot, with what came next beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import table_in_engine
from retainkit._frames.output import build_like, integers_or_null, select_to_native
from retainkit._frames.rows import native_head, stack_native
from retainkit._frames.times import time_series
from retainkit._inputs.lazy_events import Rows
from retainkit._messages import warn
from retainkit._time.moment import Moment
from retainkit._typing import NativeT
from retainkit.customers._eager_view import CodedTables, code_tables, view_in_memory
from retainkit.customers._lazy_view import lazy_view, rows_of_customers, warn_of_strange_tables
from retainkit.customers._options import ViewSpec
from retainkit.customers._outcomes import (
    bought_in_engine,
    bought_in_memory,
    stayed,
    subscribed_codes,
)
from retainkit.customers._snapshot_options import Snapshot, SnapshotSpec
from retainkit.customers._tables import ViewTables

AS_OF, CHURNED, AHEAD = "as_of", "churned", "amount_ahead"


def labelled_views(
    tables: ViewTables, view: ViewSpec, spec: SnapshotSpec, snapshots: Sequence[Snapshot]
) -> NativeT:  # type: ignore[type-var]
    """Return the rows of all snapshots, one after another."""
    if isinstance(tables.orders.rows, nw.LazyFrame):
        return _in_engine(tables, view, spec, snapshots)
    found = code_tables(tables, n_views=len(snapshots))
    parts = [_in_memory(found, view, spec, one) for one in snapshots]
    if not parts:
        return _without_rows(found, view, spec)
    _warn_of_nobody(snapshots, [len(one) for one in parts])
    whole: NativeT = stack_native(parts)
    return whole


def _warn_of_nobody(snapshots: Sequence[Snapshot], sizes: Sequence[int]) -> None:
    """Warn of snapshots that nobody is in."""
    empty = [str(one.moment) for one, size in zip(snapshots, sizes, strict=True) if not size]
    if empty:
        warn(
            f"nobody is in the snapshot of {', '.join(empty)}: it has no row.",
            code="empty_snapshot",
            argument="as_of",
            rows=len(empty),
            total=len(snapshots),
        )


# In memory


def _in_memory(found: CodedTables, view: ViewSpec, spec: SnapshotSpec, one: Snapshot) -> Any:
    """Return the rows of a snapshot as a native frame."""
    orders, zone = found.events[""], found.tables.zone
    kept = np.ones(len(found.customers), bool)
    if spec.active_within is not None:
        begin = spec.active_within.before(one.moment, zone)
        kept = bought_in_memory(orders.known(one.moment), begin, one.moment).ordered
    ahead = bought_in_memory(orders, one.begin, one.end)
    stays = ahead.ordered
    if spec.outcome == "churn":
        kept &= subscribed_codes(found, one.moment)
        stays = subscribed_codes(found, one.end)
    columns, codes = view_in_memory(found, view, one.moment, kept)
    given = collect(found.tables.orders.rows)
    time = time_series(given, np.array([one.moment.instant]), zone)
    labelled = {AS_OF: time[[0] * len(codes)], **columns}
    labelled[CHURNED] = churned = np.where(stays[codes], 0, 1)
    if spec.include_open:
        null = np.full(len(codes), one.is_open)
        labelled[CHURNED] = integers_or_null(given, CHURNED, churned, null)
    if view.has_amount:
        labelled[AHEAD] = np.where(one.is_open, np.nan, ahead.amount[codes])
    return build_like(given, labelled)


def _without_rows(found: CodedTables, view: ViewSpec, spec: SnapshotSpec) -> NativeT:  # type: ignore[type-var]
    """Return a table of all columns, and no row."""
    moment = Moment(instant=0, wall=0)
    empty = Snapshot(moment=moment, begin=moment, end=moment, is_open=False)
    result: NativeT = native_head(_in_memory(found, view, spec, empty), 0)
    return result


# In the engine


def _in_engine(
    tables: ViewTables, view: ViewSpec, spec: SnapshotSpec, snapshots: Sequence[Snapshot]
) -> NativeT:  # type: ignore[type-var]
    """Return the rows of all snapshots as one plan."""
    warn_of_strange_tables(tables)
    moment = Moment(instant=0, wall=0)
    empty = Snapshot(moment=moment, begin=moment, end=moment, is_open=False)
    plans: list[Rows] = []
    names: dict[str, str] = {}
    for i, one in enumerate(snapshots or [empty]):
        plan, names = _plan(tables, view, spec, one)
        plans.append(plan.with_columns(snapshot=nw.lit(i).cast(nw.Int64)))
    if spec.active_within is not None or spec.outcome == "churn":
        _warn_of_nobody(snapshots, [count_rows(one) for one in plans[: len(snapshots)]])
    rows = nw.concat(plans, how="vertical") if len(plans) > 1 else plans[0]
    if not snapshots:
        rows = rows.filter(nw.col("snapshot") < 0)
    orders = tables.orders
    instants = np.array([one.moment.instant for one in snapshots or [empty]], np.int64)
    times = time_series(orders.rows, instants, tables.zone)
    number = np.arange(len(instants))
    table: Rows = table_in_engine(orders.rows, {"snapshot": number, "instant": times}).lazy()
    rows = rows.join(table, on="snapshot", how="left")
    names = {AS_OF: "instant", **names, CHURNED: CHURNED}
    if view.has_amount:
        names[AHEAD] = "ahead"
    return select_to_native(rows, names)


def _plan(
    tables: ViewTables, view: ViewSpec, spec: SnapshotSpec, one: Snapshot
) -> tuple[Rows, dict[str, str]]:
    """Return the plan of a snapshot, and the names of the columns of its view."""
    rows, names = lazy_view(tables, view, one.moment)
    if spec.active_within is not None:
        begin = spec.active_within.before(one.moment, tables.zone)
        known = tables.orders.rows.filter(tables.orders.known(one.moment))
        active = bought_in_engine(tables.orders, begin, one.moment, known)
        active = active.filter(nw.col("ordered") == 1).select("customer")
        rows = rows.join(active, on="customer", how="semi")
    ahead = bought_in_engine(tables.orders, one.begin, one.end)
    rows = rows.join(ahead, on="customer", how="left")
    stays = "ordered"
    if spec.outcome == "churn" and tables.history is not None:
        who, still = stayed(tables.history, one.moment, one.end)
        table = rows_of_customers(tables, who, {"stays": still.astype(np.int64)})
        rows, stays = rows.join(table.rename({"c0": "stays"}), on="customer", how="inner"), "stays"
    churned = nw.when(nw.col(stays) == 1).then(nw.lit(0)).otherwise(nw.lit(1)).cast(nw.Int64)
    money = nw.col("ahead")
    ahead_or_0 = nw.when(money.is_null()).then(nw.lit(0.0)).otherwise(money).cast(nw.Float64)
    if one.is_open:
        never = nw.col("customer").is_null()
        churned, ahead_or_0 = nw.when(never).then(churned), nw.when(never).then(ahead_or_0)
    return rows.with_columns(churned=churned, ahead=ahead_or_0), names
