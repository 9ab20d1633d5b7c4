"""Count visits by a lazy plan, which runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic, and the row before and after in
the order of a column that has no ties.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import to_engine_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, first_segments, integer_columns, wall_time
from retainkit._time.zones import instant_expr
from retainkit._typing import Floats, Integers
from retainkit.activity._spec import (
    FIRST_LATER,
    LATER,
    NEXT,
    ROUNDING,
    FrequencyCounts,
    MoneySums,
    StartCounts,
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
    segments, n_ambiguous = _segments(log)
    rows = _with_segments(rows, segments)
    names = ("period", "gap", "next_visit", "count")
    counts = rows.group_by(*log.keys, *names[:3]).agg(nw.len().alias("count"), *sums)
    found = collect(
        counts.select(
            *log.keys,
            nw.col(*names).cast(nw.Int64),
            *([nw.col(*_SUMS).cast(nw.Float64)] if sums else []),
        )
    )
    of_starts = _count_starts(log, spec, segments) if log.has_starts else found.head(0)
    keys = [one.select(*log.keys, "period") for one in (found, of_starts)]
    distinct, segment = factorize_segments(nw.concat(keys), log.keys)
    money = None
    if sums:
        money = MoneySums(**{name: found[name].to_numpy().astype(np.float64) for name in _SUMS})
    starts = None
    if log.has_starts:
        starts = StartCounts(
            segment=segment[len(found) :],
            first=spec.first(log),
            n_late=count_rows(_starts(log).filter(nw.col("start") >= _end(spec))),
            n_early=_count_early(log, spec),
            **integer_columns(of_starts, ("period", "count")),
        )
    return VisitCounts(
        segments=distinct,
        segment=segment[: len(found)],
        money=money,
        starts=starts,
        n_ambiguous=n_ambiguous,
        **integer_columns(found, names),
    )


def count_frequencies(log: Events, spec: VisitSpec, since: int) -> FrequencyCounts:
    """Count the customers by the number of their visits from the period `since` on."""
    rows = _visits(log, spec)
    inside = nw.when(nw.col("period") >= since).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(inside=inside)
    customers = rows.group_by("customer").agg(visits=nw.col("inside").sum())
    of_customers, n_ambiguous = _segments(log)
    customers = _with_segments(customers, of_customers)
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
    if not values.size:
        return np.zeros(values.shape[:2])
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
    found = _with_segments(found, _segments(log)[0])
    totals = nw.col(*every).sum()
    summed = collect(found.group_by(log.keys).agg(totals) if log.by else found.select(totals))
    _, segment = factorize_segments(summed, log.keys)
    total = np.zeros(values.shape[:2])
    for row, code in enumerate(segment.tolist()):
        total[code] = [summed.item(row, name) for name in names[code]]
    return total


def _visits(log: Events, spec: VisitSpec) -> Rows:
    """Return a row for each customer and period with events, from the start on if there is one."""
    rows = _with_periods(log, spec)
    aggregates = {"events": nw.len()}
    if "amount" in log.columns:
        aggregates["amount"] = nw.col("amount").sum()
    if log.has_starts:
        rows = rows.filter(nw.col("period") >= nw.col("start"))
        aggregates["start"] = nw.col("start").min()
    return rows.group_by("customer", "period").agg(**aggregates)


def _with_periods(log: Events, spec: VisitSpec) -> Rows:
    """Return the events with their periods, and those of the starts of their customers.

    Events of customers who start after the end of observation are left out.
    """
    rows = log.events.lazy()
    if log.has_starts:
        rows = rows.filter(nw.col("cohort_time") < _end(spec))
        rows = _with_period(rows, "cohort_time", "start", log, spec)
    return _with_period(rows, "time", "period", log, spec)


def _with_period(rows: Rows, time: str, name: str, log: Events, spec: VisitSpec) -> Rows:
    """Add the number of the period of a column of times."""
    rows = rows.with_columns(wall=wall_time(time, log, spec.end, spec.period.clock(log.zone)))
    period = spec.period.number_expr(nw.col("wall"))
    return rows.with_columns(period.cast(nw.Int64).alias(name))


# Starts of customers


def _starts(log: Events) -> Rows:
    """Return a row for each customer with the start."""
    return log.rows.lazy().group_by("customer").agg(start=nw.col("cohort_time").min())


def _end(spec: VisitSpec) -> nw.Expr:
    """Write the end of observation so that it compares with times."""
    return instant_expr(spec.end.instant)


def _count_starts(log: Events, spec: VisitSpec, segments: Rows | None) -> nw.DataFrame[Any]:
    """Count the customers by segment and period of their start, before the end of observation."""
    rows = _starts(log).filter(nw.col("start") < _end(spec))
    rows = _with_segments(_with_period(rows, "start", "period", log, spec), segments)
    counts = rows.group_by(*log.keys, "period").agg(nw.len().alias("count"))
    return collect(counts.select(*log.keys, nw.col("period", "count").cast(nw.Int64)))


def _count_early(log: Events, spec: VisitSpec) -> int:
    """Count the events in periods before the start of their customer."""
    rows = _with_periods(log, spec)
    return count_rows(rows.filter(nw.col("period") < nw.col("start")).select("customer"))


# Visits of a customer, one after another


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
    first = nw.lit(0)
    if "start" in columns:
        later = period > nw.col("start")
        first = nw.when(later).then(nw.lit(FIRST_LATER)).otherwise(nw.lit(0))
    opens = nw.col("gap").is_null()
    gap = nw.when(opens).then(first).otherwise(nw.col("gap")).cast(nw.Int64)
    rows = rows.with_columns(gap=gap, steps=steps)
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


def _segments(log: Events) -> tuple[Rows | None, int]:
    """Return each customer's segment at the first instant, and count who has several then."""
    if not log.by:
        return None, 0
    events = log.rows.lazy()
    firsts = events.group_by("customer").agg(time=nw.col("time").min())
    segments, several = first_segments(events, firsts, ["customer"], log.keys)
    return segments, count_rows(several.filter(nw.col("several") > 1))


def _with_segments(rows: Rows, segments: Rows | None) -> Rows:
    """Add the segments of customers, if there are any."""
    return rows if segments is None else rows.join(segments, on="customer")
