"""Count cohorts by a lazy plan, which runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic. Times are split into parts in
steps, each a column of its own, since an engine that speaks SQL gets an expression spelled out anew
wherever it is used.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import microsecond
from retainkit._frames.input import collect, count_rows
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, first_segments, integer_columns, wall_time
from retainkit._time.elapsed import STEP_PARTS, ElapsedTime, elapsed_time_expr
from retainkit._time.grid import PeriodGrid
from retainkit._time.zones import instant_expr
from retainkit.retention._spec import ENTRIES, CohortCounts, CohortSpec, ExclusionReason

_ENTRY = ["customer", "cohort"]


def count_cohorts(events: Events, spec: CohortSpec) -> CohortCounts:
    """Count the entries and the active cells of an event log."""
    entries, parts = _counted_entries(events, spec)
    parts[ENTRIES] = entries
    if events.by:
        several = entries.filter(nw.col("several") > 1)
        parts[ExclusionReason.SEVERAL_SEGMENTS] = several.unique(subset=["customer"])
    returns = _returns(events, spec, entries)
    if "cohort_time" in events.columns:
        early = returns.filter(nw.col("age") < 0)
        parts[ExclusionReason.BEFORE_START] = early.with_columns(mark=nw.col("events"))
    cells = _mark(_active_cells(returns.filter(nw.col("age") >= 0), events, spec), spec)

    named = [part.with_columns(cell=nw.lit(int(cell))) for cell, part in parts.items()]
    counts = nw.concat([_count(part, events) for part in (*named, cells)])
    return _cohort_counts(collect(counts), events, _count_never_started(events))


def member_cells(events: Events, spec: CohortSpec) -> tuple[Rows, Rows]:
    """Return a row for each entry, and one for each of its active cells that counts."""
    entries, _ = _counted_entries(events, spec)
    returns = _returns(events, spec, entries).filter(nw.col("age") >= 0)
    return entries, _mark(_active_cells(returns, events, spec), spec)


# Entries: a customer in a cohort, from a start on


def _counted_entries(events: Events, spec: CohortSpec) -> tuple[Rows, dict[int, Rows]]:
    """Return the entries in time and within all edges, and the others by reason."""
    entries = _entries(events, spec)
    others: dict[int, Rows] = {}
    if "cohort_time" in events.columns:
        end = instant_expr(spec.as_of.instant)
        others[ExclusionReason.STARTED_LATE] = entries.filter(nw.col("start") >= end)
        entries = entries.filter(nw.col("start") < end)
    inside = _inside_edges(spec)
    if inside is not None:
        if spec.entry == "first":
            others[ExclusionReason.OUTSIDE_EDGES] = entries.filter(~inside)
        entries = entries.filter(inside)
    return entries, others


def _entries(events: Events, spec: CohortSpec) -> Rows:
    """Return a row for each entry: customer, cohort, start, segment, ages over and begun."""
    starts = _starts(events, spec)
    key = ["customer"] if spec.entry == "first" else _ENTRY
    start = "cohort_time" if "cohort_time" in events.columns else "time"
    firsts = {"first": nw.col("time").min(), "start": nw.col(start).min()}
    births = starts.group_by(key).agg(**firsts)
    if events.by:
        at_first = births.select(*key, time=nw.col("first"))
        found, several = first_segments(starts, at_first, key, events.keys)
        births = births.join(found, on=key).join(several, on=key)
    entries = _with_cohort("start", births, events, spec)
    entries = _with_time_parts("start", entries, events, spec, spec.cohort_period)
    begin = nw.col("start_period") if spec.clock == "calendar" else _elapsed_time("start")
    over, begun = spec.ages(begin)
    return entries.with_columns(over=over, begun=begun)


def _starts(events: Events, spec: CohortSpec) -> Rows:
    """Return the rows that can start an entry."""
    rows = events.rows.lazy()
    if "started" in events.columns:
        rows = rows.filter(nw.col("started"))
    return _with_cohort("time", rows, events, spec) if spec.entry == "recurring" else rows


def _with_cohort(column: str, rows: Rows, events: Events, spec: CohortSpec) -> Rows:
    """Add the wall-clock time of a column of times, and the number of its cohort."""
    rows = _with_wall(column, rows, events, spec, spec.cohort_period)
    return rows.with_columns(cohort=spec.cohort_period.number_expr(nw.col("wall")))


def _with_wall(column: str, rows: Rows, events: Events, spec: CohortSpec, grid: PeriodGrid) -> Rows:
    """Add the time on the clock of a grid, as the column `wall`."""
    return rows.with_columns(wall=wall_time(column, events, spec.as_of, grid.clock(events.zone)))


def _inside_edges(spec: CohortSpec) -> nw.Expr | None:
    """Return whether an entry starts within all edges; None where there are none."""
    inside: nw.Expr | None = None
    periods = {"cohort": spec.cohort_period}
    if spec.clock == "calendar":
        periods["start_period"] = spec.period
    for column, grid in periods.items():
        if grid.has_edges:
            low, high = grid.bounds
            own = (nw.col(column) >= low) & (nw.col(column) < high)
            inside = own if inside is None else inside & own
    return inside


def _count_never_started(events: Events) -> int:
    """Count the customers without a row that starts them."""
    if "started" not in events.columns:
        return 0
    started = events.rows.lazy().select("customer", started=nw.col("started").cast(nw.Int64))
    customers = started.group_by("customer").agg(nw.col("started").max())
    return count_rows(customers.filter(nw.col("started") == 0))


# Cells: the ages, or brackets, in which an entry is active


def _returns(events: Events, spec: CohortSpec, entries: Rows) -> Rows:
    """Return the returns with each entry of their customer, and their age (below 0: too early).

    Returns of one customer in one period are one row by the calendar clock, whose ages they share;
    by the elapsed clock each is a row.
    """
    rows = events.events.lazy()
    if "returned" in events.columns:
        rows = rows.filter(nw.col("returned"))
    rows = rows.with_columns(events=nw.lit(1))
    rows = _with_time_parts("time", rows, events, spec)
    if spec.clock == "calendar":
        pairs = _sum_by(["customer", "time_period"], rows).join(entries, on="customer")
        return pairs.with_columns(age=nw.col("time_period") - nw.col("start_period"))
    of_entries = ["started", "returned", "came", "cohort_time", *events.keys]
    pairs = rows.drop(*of_entries, strict=False).join(entries, on="customer")
    age = _elapsed_time("time").since(_elapsed_time("start"), spec.period)
    early = nw.col("time") < nw.col("start")
    return pairs.with_columns(age=nw.when(early).then(nw.lit(-1)).otherwise(age))


def _active_cells(returns: Rows, events: Events, spec: CohortSpec) -> Rows:
    """Return a row for each active cell of an entry."""
    age = nw.col("age")
    if spec.brackets is None:
        cells = returns.with_columns(cell=age)
    else:
        reached = [nw.when(age >= edge).then(1).otherwise(0) for edge in spec.brackets]
        cells = returns.with_columns(cell=sum(reached[1:], reached[0]) - 1)
        cells = cells.filter(nw.col("cell") >= 0)
    if spec.clock == "elapsed" or spec.brackets is not None:
        cells = _sum_by([*_ENTRY, "over", "begun", *events.keys, "cell"], cells)
    return cells.filter(nw.col("events") >= spec.min_events) if spec.min_events > 1 else cells


def _sum_by(key: list[str], rows: Rows) -> Rows:
    """Return one row for each key, with the sums of events and amounts."""
    columns = rows.collect_schema().names()
    sums = [nw.col(column).sum() for column in ("events", "amount") if column in columns]
    return rows.group_by(key).agg(*sums)


def _mark(cells: Rows, spec: CohortSpec) -> Rows:
    """Keep the cells that count, and mark with 1 those by which an entry is counted."""
    cell = nw.col("cell")
    if spec.counting == "on":
        return cells
    if spec.counting == "every":
        before = cells.select(*_ENTRY, cell=cell + 1)
        gaps = cells.filter(cell > spec.streak_from).join(before, on=[*_ENTRY, "cell"], how="anti")
        ends = gaps.group_by(_ENTRY).agg(end=cell.min())
        within = (cell < nw.col("end")) | nw.col("end").is_null()
        return cells.join(ends, on=_ENTRY, how="left").filter(within)
    edge = cell.max() if spec.counting == "on_or_after" else cell.min()
    cells = cells.with_columns(edge=edge.over(*_ENTRY))
    return cells.with_columns(mark=nw.when(cell == nw.col("edge")).then(1).otherwise(0))


# Counts


def _count(part: Rows, events: Events) -> Rows:
    """Count the rows of a part, or add up their marks, by the attributes in `CohortCounts`."""
    for column, value in (("mark", 1), ("amount", 0.0)):
        if column not in part.collect_schema().names():
            part = part.with_columns(nw.lit(value).alias(column))
    part = part.with_columns(nw.col("cell", "mark").cast(nw.Int64))
    key = [*events.keys, "cohort", "over", "begun", "cell"]
    counts = part.group_by(key).agg(count=nw.col("mark").sum(), amount=nw.col("amount").sum())
    return counts.select(
        *events.keys,
        nw.col("cohort", "over", "begun", "cell", "count").cast(nw.Int64),
        nw.col("amount").cast(nw.Float64),
    )


def _cohort_counts(counts: nw.DataFrame[Any], events: Events, never_started: int) -> CohortCounts:
    """Return collected counts as arrays, those of what is excluded apart."""
    excluded = {ExclusionReason.NEVER_STARTED: never_started}
    for reason in ExclusionReason:
        total = counts.filter(nw.col("cell") == int(reason))["count"].sum()
        excluded[reason] = excluded.get(reason, 0) + int(total or 0)
    counts = counts.filter(nw.col("cell") >= ENTRIES)
    segments, segment = factorize_segments(counts, events.keys)
    return CohortCounts(
        segments=segments,
        segment=segment,
        amount=counts["amount"].to_numpy().astype(np.float64),
        excluded=excluded,
        **integer_columns(counts, ("cohort", "over", "begun", "cell", "count")),
    )


# Times


def _with_time_parts(
    column: str, rows: Rows, events: Events, spec: CohortSpec, shown: PeriodGrid | None = None
) -> Rows:
    """Add what ages are computed from: the period of a time or, by the elapsed clock, its parts.

    The column `wall` is there already if its clock is that of the grid `shown`.
    """
    wall, clock = nw.col("wall"), spec.period.clock(events.zone)
    if shown is None or shown.clock(events.zone) != clock:
        rows = _with_wall(column, rows, events, spec, spec.period)
    if spec.clock == "calendar":
        period = spec.period.number_expr(wall)
        return rows.with_columns(period.alias(f"{column}_period"))
    rows = rows.with_columns(utc=wall_time(column, events, spec.as_of, UTC))
    rows = rows.with_columns(microsecond=microsecond(rows, column))
    time = elapsed_time_expr(nw.col("utc"), wall, nw.col("microsecond"))
    names = ("month", "rest", "days") if spec.period.months else ("instant",)
    parts = {f"{column}_{name}": getattr(time, name) for name in names}
    return rows.with_columns(**parts).drop("wall", "utc", "microsecond")


def _elapsed_time(column: str) -> ElapsedTime:
    return ElapsedTime(**{part: nw.col(f"{column}_{part}") for part in STEP_PARTS})
