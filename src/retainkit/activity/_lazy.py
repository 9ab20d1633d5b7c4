"""The reduction to visits as a lazy plan: it runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic, and the row before and after in
the order of a column that has no ties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import to_engine_of
from retainkit._frames.segments import factorize_segments
from retainkit._time.periods import DAY, period_index_expr
from retainkit._time.zones import wall_time_expr
from retainkit.activity._spec import LATER, NEXT, ROUNDING, Frequencies, Money, Visits

if TYPE_CHECKING:
    from retainkit._inputs.events import Events
    from retainkit._typing import Floats, Integers
    from retainkit.activity._spec import VisitSpec

    Rows: TypeAlias = nw.LazyFrame[Any]

_SUMS = ("amount", "kept", "grown", "shrunk")


def visits(log: Events, query: VisitSpec) -> Visits:
    """Count the visits of an event log."""
    rows = _with_neighbours(_visits(log, query))
    sums: list[nw.Expr] = []
    if "amount" in log.columns:
        rows = _compared(rows)
        sums = [nw.col(*_SUMS).sum()]
    rows, several = _with_segments(rows, log)
    key = [*log.keys, "period", "gap", "ahead"]
    counted = rows.group_by(key).agg(nw.len().alias("count"), *sums)
    found = collect(
        counted.select(
            *log.keys,
            nw.col("period", "gap", "ahead", "count").cast(nw.Int64),
            *([nw.col(*_SUMS).cast(nw.Float64)] if sums else []),
        )
    )
    segments, segment = factorize_segments(found, log.keys)
    arrays = {
        name: found[name].to_numpy().astype(np.int64)
        for name in ("period", "gap", "ahead", "count")
    }
    money = None
    if sums:
        money = Money(**{name: found[name].to_numpy().astype(np.float64) for name in _SUMS})
    return Visits(segments=segments, segment=segment, money=money, several=several, **arrays)


def frequencies(log: Events, query: VisitSpec, since: int) -> Frequencies:
    """Count the customers by the number of their visits from the period `since` on."""
    rows = _visits(log, query)
    inside = nw.when(nw.col("period") >= since).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(inside=inside)
    customers = rows.group_by("customer").agg(visits=nw.col("inside").sum())
    customers, several = _with_segments(customers, log)
    counted = customers.group_by(*log.keys, "visits").agg(nw.len().alias("count"))
    found = collect(counted.select(*log.keys, nw.col("visits", "count").cast(nw.Int64)))
    segments, segment = factorize_segments(found, log.keys)
    arrays = {name: found[name].to_numpy().astype(np.int64) for name in ("visits", "count")}
    return Frequencies(segments=segments, segment=segment, several=several, **arrays)


def squares(log: Events, query: VisitSpec, pause: Integers, values: Floats) -> Floats:
    """Add up values over the pauses of each customer, and the squares of the sums over customers.

    `values` has, for each segment that has visits in the order of segments and each of several
    measures, a value for each `pause`: the length of one that has ended or, below 1, the length
    so far of one that has not.
    """
    rows = _with_neighbours(_visits(log, query))
    over = rows.filter(nw.col("gap") > 0).select("customer", pause=nw.col("gap"))
    still = rows.filter(nw.col("ahead") == 0)
    still = still.select("customer", pause=(nw.col("period") - query.last).cast(nw.Int64))
    # Every customer gets the values of all segments, of which those of its own are taken.
    names = [[f"value_{s}_{m}" for m in range(values.shape[1])] for s in range(len(values))]
    every = [name for its in names for name in its]
    flat = values.reshape(len(every), len(pause))
    table = to_engine_of(rows, {"pause": pause, **dict(zip(every, flat, strict=True))})
    found = nw.concat([over, still]).join(table, on="pause")
    found = found.group_by("customer").agg(nw.col(*every).sum())
    found = found.with_columns(*(nw.col(name) * nw.col(name) for name in every))
    found, _ = _with_segments(found, log)
    totals = nw.col(*every).sum()
    summed = collect(found.group_by(log.keys).agg(totals) if log.by else found.select(totals))
    _, segment = factorize_segments(summed, log.keys)
    total = np.zeros(values.shape[:2])
    for row, own in enumerate(segment.tolist()):
        total[own] = [summed.item(row, name) for name in names[own]]
    return total


def _visits(log: Events, query: VisitSpec) -> Rows:
    """One row for each customer and period with events."""
    rows: Rows = log.rows  # type: ignore[assignment]  # only lazy ones come here
    # A day of margin: engines may report the first and last time an hour off.
    first = log.first.instant if log.first else query.end.instant
    wall = wall_time_expr(
        nw.col("time"),
        stored=log.stored,
        zone=log.zone,
        first=min(first, query.end.instant) - DAY,
        last=query.end.instant + DAY,
    )
    rows = rows.with_columns(wall=wall)
    period = period_index_expr(nw.col("wall"), query.period, query.week_start)
    rows = rows.with_columns(period=period.cast(nw.Int64))
    money = [nw.col("amount").sum()] if "amount" in log.columns else []
    return rows.group_by("customer", "period").agg(nw.len().alias("events"), *money)


def _with_neighbours(rows: Rows) -> Rows:
    """Add the gap to the visit before, and whether there is one after."""
    period = nw.col("period")
    names = [name for name in ("period", "amount") if name in _columns(rows)]
    before = {
        f"{name}_before": nw.col(name).shift(1).over("customer", order_by="period")
        for name in names
    }
    after = period.shift(-1).over("customer", order_by="period")
    rows = rows.with_columns(**before, period_after=after)
    rows = rows.with_columns(
        gap=(period - nw.col("period_before")), step=(nw.col("period_after") - period)
    )
    # A comparison with null is null in one engine and false in another: ask for nulls first.
    steps = nw.when(nw.col("step") == 1).then(nw.lit(NEXT)).otherwise(nw.lit(LATER))
    rows = rows.with_columns(gap=nw.col("gap").fill_null(0).cast(nw.Int64), steps=steps)
    last = nw.col("step").is_null()
    return rows.with_columns(ahead=nw.when(last).then(nw.lit(0)).otherwise(nw.col("steps")))


def _compared(rows: Rows) -> Rows:
    """Compare the money of each visit with that of the period before."""
    follows = nw.col("gap") == 1
    rows = rows.with_columns(
        before=nw.when(follows).then(nw.col("amount_before")).otherwise(nw.lit(0.0))
    )
    rows = rows.with_columns(
        more=nw.col("amount") - nw.col("before"),
        noise=(nw.col("amount").abs() + nw.col("before").abs()) * ROUNDING,
    )
    more, noise = nw.col("more"), nw.col("noise")
    rows = rows.with_columns(
        grown=nw.when(more > noise).then(more).otherwise(nw.lit(0.0)),
        shrunk=nw.when(more < noise * -1).then(more * -1).otherwise(nw.lit(0.0)),
    )
    return rows.with_columns(kept=nw.col("amount") - nw.col("grown"))


def _with_segments(rows: Rows, log: Events) -> tuple[Rows, int]:
    """Add each customer's segment at the first instant, and count who has several then."""
    if not log.by:
        return rows, 0
    events: Rows = log.rows  # type: ignore[assignment]  # only lazy ones come here
    firsts = events.group_by("customer").agg(time=nw.col("time").min())
    at_first = events.join(firsts, on=["customer", "time"])
    found = at_first.group_by("customer", *log.keys).agg(rows=nw.len())
    counts = found.group_by("customer").agg(several=nw.len())
    several = count_rows(counts.filter(nw.col("several") > 1))
    for column in log.keys:
        found = found.with_columns(least=nw.col(column).min().over("customer"))
        smallest = (nw.col(column) == nw.col("least")) | nw.col("least").is_null()
        found = found.filter(smallest).select("customer", *log.keys)
    return rows.join(found, on="customer"), several


def _columns(rows: Rows) -> list[str]:
    return rows.collect_schema().names()
