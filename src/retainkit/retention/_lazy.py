"""The cohort reduction as a lazy plan: it runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic. Times are taken apart in steps,
each a column of its own, since an engine that speaks SQL gets an expression spelled out anew
wherever it is used.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import microsecond
from retainkit._frames.input import collect, count_rows
from retainkit._frames.segments import factorize_segments
from retainkit._time.elapsed import STEP_PARTS, ElapsedTime, elapsed_time_expr
from retainkit._time.periods import DAY, period_index_expr
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.retention._spec import ENTRIES, CohortCounts, ExclusionReason

if TYPE_CHECKING:
    from datetime import tzinfo

    from retainkit._inputs.events import Events
    from retainkit.retention._spec import CohortSpec

    Rows: TypeAlias = nw.LazyFrame[Any]

_ENTRY = ["customer", "cohort"]


def count_cohorts(events: Events, query: CohortSpec) -> CohortCounts:
    """Count the entries and the active cells of an event log."""
    entries = _entries(events, query)
    parts: dict[int, Rows] = {}
    if "cohort_time" in events.columns:
        end = instant_expr(query.as_of.instant, events.stored)
        parts[ExclusionReason.STARTED_LATE] = entries.filter(nw.col("start") >= end)
        entries = entries.filter(nw.col("start") < end)
    parts[ENTRIES] = entries
    if events.by:
        several = entries.filter(nw.col("several") > 1)
        parts[ExclusionReason.SEVERAL_SEGMENTS] = several.unique(subset=["customer"])
    returns = _returns(events, query, entries)
    if "cohort_time" in events.columns:
        early = returns.filter(nw.col("age") < 0)
        parts[ExclusionReason.BEFORE_START] = early.with_columns(mark=nw.col("events"))
    cells = _mark(_active(returns.filter(nw.col("age") >= 0), events, query), query)

    named = [part.with_columns(cell=nw.lit(int(cell))) for cell, part in parts.items()]
    counted = nw.concat([_count(part, events) for part in (*named, cells)])
    return _bring_back(collect(counted), events, _never_started(events))


# Entries: a customer in a cohort, from a start on


def _entries(events: Events, query: CohortSpec) -> Rows:
    """One row an entry: customer, cohort, start, segment, ages over and begun."""
    starts, key = _starts(events, query), _entry_key(query)
    start = "cohort_time" if "cohort_time" in events.columns else "time"
    firsts = {"first": nw.col("time").min(), "start": nw.col(start).min()}
    births = starts.group_by(key).agg(**firsts)
    if events.by:
        births = _with_segments(births, starts, key, events)
    entries = births.with_columns(wall=_wall("start", events, query, events.zone))
    entries = entries.with_columns(cohort=_cohort(query))
    entries = _with_place("start", entries, events, query)
    begin = nw.col("start_period") if query.clock == "calendar" else _steps_of("start")
    over, begun = query.ages(begin)
    return entries.with_columns(over=over, begun=begun)


def _starts(events: Events, query: CohortSpec) -> Rows:
    """The rows that can start an entry."""
    rows = _rows(events)
    if "started" in events.columns:
        rows = rows.filter(nw.col("started"))
    if query.entry == "recurring":
        rows = rows.with_columns(wall=_wall("time", events, query, events.zone))
        rows = rows.with_columns(cohort=_cohort(query))
    return rows


def _entry_key(query: CohortSpec) -> list[str]:
    return ["customer"] if query.entry == "first" else _ENTRY


def _cohort(query: CohortSpec) -> nw.Expr:
    return period_index_expr(nw.col("wall"), query.cohort_period, query.week_start)


def _with_segments(births: Rows, starts: Rows, key: list[str], events: Events) -> Rows:
    """Add the segment at each entry's first row, and how many there were at that instant."""
    firsts = births.select(*key, time=nw.col("first"))
    at_first = starts.join(firsts, on=[*key, "time"])
    found = at_first.group_by(*key, *events.keys).agg(rows=nw.len())
    several = found.group_by(key).agg(several=nw.len())
    for column in events.keys:
        found = found.with_columns(least=nw.col(column).min().over(*key))
        smallest = (nw.col(column) == nw.col("least")) | nw.col("least").is_null()
        found = found.filter(smallest).select(*key, *events.keys)
    return births.join(found, on=key).join(several, on=key)


def _never_started(events: Events) -> int:
    if "started" not in events.columns:
        return 0
    started = _rows(events).select("customer", started=nw.col("started").cast(nw.Int64))
    customers = started.group_by("customer").agg(nw.col("started").max())
    return count_rows(customers.filter(nw.col("started") == 0))


# Cells: the ages, or brackets, in which an entry is active


def _returns(events: Events, query: CohortSpec, entries: Rows) -> Rows:
    """Returns with each entry of their customer, and the age at which they come (or below 0).

    Returns of one customer in one period are one row by the calendar clock, whose ages they share;
    by the elapsed clock each is a row.
    """
    rows = _rows(events)
    if "returned" in events.columns:
        rows = rows.filter(nw.col("returned"))
    rows = rows.with_columns(events=nw.lit(1), wall=_wall("time", events, query, events.zone))
    rows = _with_place("time", rows, events, query)
    if query.clock == "calendar":
        pairs = _merged(rows, ["customer", "time_period"]).join(entries, on="customer")
        return pairs.with_columns(age=nw.col("time_period") - nw.col("start_period"))
    shared = ["started", "returned", "cohort_time", *events.keys]
    pairs = rows.drop(*shared, strict=False).join(entries, on="customer")
    age = _steps_of("time").since(_steps_of("start"), query.period)
    early = nw.col("time") < nw.col("start")
    return pairs.with_columns(age=nw.when(early).then(nw.lit(-1)).otherwise(age))


def _active(returns: Rows, events: Events, query: CohortSpec) -> Rows:
    """One row for each active cell of an entry."""
    age = nw.col("age")
    if query.brackets is None:
        cells = returns.with_columns(cell=age)
    else:
        reached = [nw.when(age >= edge).then(1).otherwise(0) for edge in query.brackets]
        cells = returns.with_columns(cell=sum(reached[1:], reached[0]) - 1)
        cells = cells.filter(nw.col("cell") >= 0)
    if query.clock == "elapsed" or query.brackets is not None:
        cells = _merged(cells, [*_ENTRY, "over", "begun", *events.keys, "cell"])
    return cells.filter(nw.col("events") >= query.min_events) if query.min_events > 1 else cells


def _merged(rows: Rows, key: list[str]) -> Rows:
    """Make one row of those that agree in `key`, adding up events and amounts."""
    sums = [nw.col(column).sum() for column in ("events", "amount") if column in _columns(rows)]
    return rows.group_by(key).agg(*sums)


def _mark(cells: Rows, query: CohortSpec) -> Rows:
    """Keep the cells that count, and mark with 1 those by which an entry is counted."""
    cell = nw.col("cell")
    if query.counting == "on":
        return cells
    if query.counting == "every":
        before = cells.select(*_ENTRY, cell=cell + 1)
        gaps = cells.filter(cell > query.streak_from).join(before, on=[*_ENTRY, "cell"], how="anti")
        ends = gaps.group_by(_ENTRY).agg(end=cell.min())
        within = (cell < nw.col("end")) | nw.col("end").is_null()
        return cells.join(ends, on=_ENTRY, how="left").filter(within)
    edge = cell.max() if query.counting == "on_or_after" else cell.min()
    cells = cells.with_columns(edge=edge.over(*_ENTRY))
    return cells.with_columns(mark=nw.when(cell == nw.col("edge")).then(1).otherwise(0))


# Counts


def _count(part: Rows, events: Events) -> Rows:
    """Count the rows of a part, or add up their marks, by everything that the tally tells apart."""
    for column, value in (("mark", 1), ("amount", 0.0)):
        if column not in _columns(part):
            part = part.with_columns(nw.lit(value).alias(column))
    part = part.with_columns(nw.col("cell", "mark").cast(nw.Int64))
    key = [*events.keys, "cohort", "over", "begun", "cell"]
    counted = part.group_by(key).agg(count=nw.col("mark").sum(), amount=nw.col("amount").sum())
    return counted.select(
        *events.keys,
        nw.col("cohort", "over", "begun", "cell", "count").cast(nw.Int64),
        nw.col("amount").cast(nw.Float64),
    )


def _bring_back(counted: nw.DataFrame[Any], events: Events, never_started: int) -> CohortCounts:
    aside = {ExclusionReason.NEVER_STARTED: never_started}
    for kind in ExclusionReason:
        total = counted.filter(nw.col("cell") == int(kind))["count"].sum()
        aside[kind] = aside.get(kind, 0) + int(total or 0)
    counted = counted.filter(nw.col("cell") >= ENTRIES)
    segments, segment = factorize_segments(counted, events.keys)
    arrays = {
        name: counted[name].to_numpy().astype(np.int64)
        for name in ("cohort", "over", "begun", "cell", "count")
    }
    amount = counted["amount"].to_numpy().astype(np.float64)
    return CohortCounts(segments=segments, segment=segment, amount=amount, aside=aside, **arrays)


# Times


def _wall(column: str, events: Events, query: CohortSpec, zone: tzinfo | None) -> nw.Expr:
    # A day of margin: engines may report the first and last time an hour off.
    first = events.first.instant if events.first else query.as_of.instant
    return wall_time_expr(
        nw.col(column),
        stored=events.stored,
        zone=zone,
        first=min(first, query.as_of.instant) - DAY,
        last=query.as_of.instant + DAY,
    )


def _with_place(column: str, rows: Rows, events: Events, query: CohortSpec) -> Rows:
    """Add what ages are reckoned from: the period of `wall` or, by the elapsed clock, its steps."""
    wall = nw.col("wall")
    if query.clock == "calendar":
        period = period_index_expr(wall, query.period, query.week_start)
        return rows.with_columns(period.alias(f"{column}_period"))
    rows = rows.with_columns(utc=_wall(column, events, query, UTC))
    rows = rows.with_columns(microsecond=microsecond(rows, column))
    taken = elapsed_time_expr(nw.col("utc"), wall, nw.col("microsecond"))
    parts = ("instant",) if query.period in {"day", "week"} else ("month", "rest", "days")
    taken_apart = {f"{column}_{part}": getattr(taken, part) for part in parts}
    return rows.with_columns(**taken_apart).drop("wall", "utc", "microsecond")


def _steps_of(column: str) -> ElapsedTime:
    return ElapsedTime(**{part: nw.col(f"{column}_{part}") for part in STEP_PARTS})


def _rows(events: Events) -> Rows:
    return events.rows  # type: ignore[return-value]  # only lazy ones come here


def _columns(rows: Rows) -> list[str]:
    return rows.collect_schema().names()
