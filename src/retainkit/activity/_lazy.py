"""Count visits by a lazy plan, which runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic, and the row before and after in
the order of a column that has no ties.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import to_engine_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, first_segments, integer_columns, wall_time
from retainkit._typing import Floats, Integers
from retainkit.activity._spec import (
    LATER,
    NEXT,
    ROUNDING,
    FrequencyCounts,
    MoneySums,
    VisitCounts,
    VisitSpec,
)

_SUMS = ("amount", "kept", "grown", "shrunk")


def count_visits(log: Events, spec: VisitSpec) -> VisitCounts:
    """Count the visits of an event log."""
    rows = _with_neighbours(_visits(log, spec))
    sums: list[nw.Expr] = []
    if "amount" in log.columns:
        rows = _with_money_changes(rows)
        sums = [nw.col(*_SUMS).sum()]
    rows, n_ambiguous = _with_segments(rows, log)
    names = ("period", "gap", "next_visit", "count")
    counts = rows.group_by(*log.keys, *names[:3]).agg(nw.len().alias("count"), *sums)
    found = collect(
        counts.select(
            *log.keys,
            nw.col(*names).cast(nw.Int64),
            *([nw.col(*_SUMS).cast(nw.Float64)] if sums else []),
        )
    )
    segments, segment = factorize_segments(found, log.keys)
    money = None
    if sums:
        money = MoneySums(**{name: found[name].to_numpy().astype(np.float64) for name in _SUMS})
    return VisitCounts(
        segments=segments,
        segment=segment,
        money=money,
        n_ambiguous=n_ambiguous,
        **integer_columns(found, names),
    )


def count_frequencies(log: Events, spec: VisitSpec, since: int) -> FrequencyCounts:
    """Count the customers by the number of their visits from the period `since` on."""
    rows = _visits(log, spec)
    inside = nw.when(nw.col("period") >= since).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(inside=inside)
    customers = rows.group_by("customer").agg(visits=nw.col("inside").sum())
    customers, n_ambiguous = _with_segments(customers, log)
    counts = customers.group_by(*log.keys, "visits").agg(nw.len().alias("count"))
    found = collect(counts.select(*log.keys, nw.col("visits", "count").cast(nw.Int64)))
    segments, segment = factorize_segments(found, log.keys)
    return FrequencyCounts(
        segments=segments,
        segment=segment,
        n_ambiguous=n_ambiguous,
        **integer_columns(found, ("visits", "count")),
    )


def sum_squares(log: Events, spec: VisitSpec, gap: Integers, values: Floats) -> Floats:
    """Sum of values over the gaps of each customer, squared and added up over customers.

    `values` has, for each segment that has visits in the order of segments and each of several
    measures, a value for each `gap`: the length of one that has ended or, below 1, the length so
    far of one that has not.
    """
    rows = _with_neighbours(_visits(log, spec))
    ended = rows.filter(nw.col("gap") > 0).select("customer", "gap")
    still = rows.filter(nw.col("next_visit") == 0)
    still = still.select("customer", gap=(nw.col("period") - spec.last).cast(nw.Int64))
    # Every customer gets the values of all segments, of which those of its own are used.
    names = [[f"value_{s}_{m}" for m in range(values.shape[1])] for s in range(len(values))]
    every = [name for own in names for name in own]
    flat = values.reshape(len(every), len(gap))
    table = to_engine_of(rows, {"gap": gap, **dict(zip(every, flat, strict=True))})
    found = nw.concat([ended, still]).join(table, on="gap")
    found = found.group_by("customer").agg(nw.col(*every).sum())
    found = found.with_columns(*(nw.col(name) * nw.col(name) for name in every))
    found, _ = _with_segments(found, log)
    totals = nw.col(*every).sum()
    summed = collect(found.group_by(log.keys).agg(totals) if log.by else found.select(totals))
    _, segment = factorize_segments(summed, log.keys)
    total = np.zeros(values.shape[:2])
    for row, code in enumerate(segment.tolist()):
        total[code] = [summed.item(row, name) for name in names[code]]
    return total


def _visits(log: Events, spec: VisitSpec) -> Rows:
    """Return a row for each customer and period with events."""
    wall = wall_time("time", log, spec.end, log.zone)
    rows = log.rows.lazy().with_columns(wall=wall)
    period = spec.period.number_expr(nw.col("wall"))
    rows = rows.with_columns(period=period.cast(nw.Int64))
    money = [nw.col("amount").sum()] if "amount" in log.columns else []
    return rows.group_by("customer", "period").agg(nw.len().alias("events"), *money)


def _with_neighbours(rows: Rows) -> Rows:
    """Add the gap to the visit before, and the kind of the next visit."""
    period = nw.col("period")
    columns = rows.collect_schema().names()
    names = [name for name in ("period", "amount") if name in columns]
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
    return rows.with_columns(next_visit=nw.when(last).then(nw.lit(0)).otherwise(nw.col("steps")))


def _with_money_changes(rows: Rows) -> Rows:
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
    events = log.rows.lazy()
    firsts = events.group_by("customer").agg(time=nw.col("time").min())
    segments, several = first_segments(events, firsts, ["customer"], log.keys)
    n_ambiguous = count_rows(several.filter(nw.col("several") > 1))
    return rows.join(segments, on="customer"), n_ambiguous
