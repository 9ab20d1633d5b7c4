"""The cohort reduction as a lazy plan: it runs inside the engine and brings back only counts.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._calendar import (
    DAY,
    STEP_PARTS,
    Steps,
    instant_expr,
    period_index_expr,
    steps_expr,
    wall_time_expr,
)
from retainkit._cohort_query import ENTRIES, Aside, Tally
from retainkit._frames import collect, count_rows, segment_codes

if TYPE_CHECKING:
    from datetime import tzinfo

    from retainkit._cohort_query import CohortQuery
    from retainkit._frames import Events

    Rows: TypeAlias = nw.LazyFrame[Any]

_ENTRY = ["customer", "cohort"]


def tally(events: Events, query: CohortQuery) -> Tally:
    """Count the entries and the active cells of an event log."""
    entries = _entries(events, query)
    end = instant_expr(query.as_of.instant, events.stored)
    late = entries.filter(nw.col("start") >= end)
    entries = entries.filter(nw.col("start") < end)
    returns = _returns(events, query, entries)
    cells = _mark(_active(returns.filter(nw.col("age") >= 0), events, query), query)

    parts = {ENTRIES: entries, None: cells}
    if "cohort_time" in events.columns:
        parts[Aside.STARTED_LATE] = late
        parts[Aside.BEFORE_START] = returns.filter(nw.col("age") < 0)
    if events.by:
        parts[Aside.SEVERAL_SEGMENTS] = entries.filter(nw.col("several") > 1)
    counted = nw.concat([_count(part, cell, events) for cell, part in parts.items()])
    return _bring_back(collect(counted), events, never_started=_never_started(events))


# Entries: a customer in a cohort, from a start on


def _entries(events: Events, query: CohortQuery) -> Rows:
    """One row an entry: customer, cohort, start, segment, ages over and begun."""
    if "cohort_time" in events.columns:
        births = events.rows.group_by("customer").agg(start=nw.col("cohort_time").min())
    else:
        starts = _starts(events, query)
        births = starts.group_by(_entry_key(query)).agg(start=nw.col("time").min())
    wall = _wall("start", events, query, events.zone)
    entries = births.with_columns(
        cohort=period_index_expr(wall, query.cohort_period, query.week_start)
    )
    if query.clock == "calendar":
        period = period_index_expr(wall, query.period, query.week_start)
        entries = entries.with_columns(start_period=period)
        over, begun = query.ages(nw.col("start_period"))
    else:
        entries = entries.with_columns(**_steps_columns("start", events, query))
        over, begun = query.ages(_steps_of("start"))
    entries = entries.with_columns(over=over, begun=begun)
    return _with_segments(entries, events, query) if events.by else entries


def _starts(events: Events, query: CohortQuery) -> Rows:
    """The rows that can start an entry."""
    rows: Rows = events.rows
    if "started" in events.columns:
        rows = rows.filter(nw.col("started"))
    if query.entry == "recurring":
        wall = _wall("time", events, query, events.zone)
        cohort = period_index_expr(wall, query.cohort_period, query.week_start)
        rows = rows.with_columns(cohort=cohort)
    return rows


def _entry_key(query: CohortQuery) -> list[str]:
    return ["customer"] if query.entry == "first" else _ENTRY


def _with_segments(entries: Rows, events: Events, query: CohortQuery) -> Rows:
    """Add the segment at each entry's first row, and how many there were at that instant."""
    key, rows = _entry_key(query), _starts(events, query)
    firsts = rows.group_by(key).agg(first=nw.col("time").min())
    at_first = rows.join(firsts, on=key).filter(nw.col("time") == nw.col("first"))
    found = at_first.select(*key, *events.keys).unique()
    several = found.group_by(key).agg(several=nw.len())
    for column in events.keys:
        least = nw.col("least")
        found = found.with_columns(least=nw.col(column).min().over(*key)).filter(
            (nw.col(column) == least) | least.is_null()
        )
    found = found.select(*key, *events.keys)
    return entries.join(found, on=key).join(several, on=key)


def _never_started(events: Events) -> int:
    if "started" not in events.columns:
        return 0
    customers = events.rows.select("customer").unique()
    starting = events.rows.filter(nw.col("started")).select("customer").unique()
    return count_rows(customers.join(starting, on="customer", how="anti"))


# Cells: the ages, or brackets, in which an entry is active


def _returns(events: Events, query: CohortQuery, entries: Rows) -> Rows:
    """One row for each pair of an entry and a return of its customer, with the age (or below 0)."""
    rows: Rows = events.rows
    if "returned" in events.columns:
        rows = rows.filter(nw.col("returned"))
    if query.clock == "calendar":
        wall = _wall("time", events, query, events.zone)
        rows = rows.with_columns(period=period_index_expr(wall, query.period, query.week_start))
    else:
        rows = rows.with_columns(**_steps_columns("time", events, query))
    carried = [column for column in ("time", "period", "amount") if column in _columns(rows)]
    parts = [f"time_{part}" for part in STEP_PARTS if f"time_{part}" in _columns(rows)]
    pairs = rows.select("customer", *carried, *parts).join(entries, on="customer")
    if query.clock == "calendar":
        return pairs.with_columns(age=nw.col("period") - nw.col("start_period"))
    age = _steps_of("time").since(_steps_of("start"), query.period)
    early = nw.col("time") < nw.col("start")
    return pairs.with_columns(age=nw.when(early).then(nw.lit(-1)).otherwise(age))


def _active(returns: Rows, events: Events, query: CohortQuery) -> Rows:
    """One row for each active cell of an entry."""
    age = nw.col("age")
    if query.brackets is None:
        returns = returns.with_columns(cell=age)
    else:
        reached = [nw.when(age >= edge).then(1).otherwise(0) for edge in query.brackets]
        returns = returns.with_columns(cell=sum(reached[1:], reached[0]) - 1)
        returns = returns.filter(nw.col("cell") >= 0)
    sums = {"amount": nw.col("amount").sum()} if "amount" in events.columns else {}
    cells = returns.group_by(*_ENTRY, "over", "begun", *events.keys, "cell").agg(
        events=nw.len(), **sums
    )
    return cells.filter(nw.col("events") >= query.min_events)


def _mark(cells: Rows, query: CohortQuery) -> Rows:
    """Keep the cells that count, and mark with 1 those by which an entry is counted."""
    cell = nw.col("cell")
    if query.counting == "on":
        return cells.with_columns(mark=nw.lit(1))
    if query.counting == "every":
        before = cells.select(*_ENTRY, cell=cell + 1)
        gaps = cells.filter(cell > query.streak_from).join(before, on=[*_ENTRY, "cell"], how="anti")
        ends = gaps.group_by(_ENTRY).agg(end=cell.min())
        within = (cell < nw.col("end")) | nw.col("end").is_null()
        return cells.join(ends, on=_ENTRY, how="left").filter(within).with_columns(mark=nw.lit(1))
    edge = cell.max() if query.counting == "on_or_after" else cell.min()
    cells = cells.with_columns(edge=edge.over(*_ENTRY))
    return cells.with_columns(mark=nw.when(cell == nw.col("edge")).then(1).otherwise(0))


# Counts


def _count(part: Rows, cell: int | None, events: Events) -> Rows:
    """Count a part by everything that the tally tells apart; `cell` None: by its own cells."""
    if cell is not None:
        part = part.with_columns(cell=nw.lit(int(cell)), mark=nw.lit(1))
    if "amount" not in _columns(part):
        part = part.with_columns(amount=nw.lit(0.0))
    columns = [*events.keys, "cohort", "over", "begun", "cell"]
    part = part.with_columns(nw.col("cell", "mark").cast(nw.Int64))
    counted = part.group_by(columns).agg(count=nw.col("mark").sum(), amount=nw.col("amount").sum())
    return counted.select(
        *events.keys,
        nw.col("cohort", "over", "begun", "cell", "count").cast(nw.Int64),
        nw.col("amount").cast(nw.Float64),
    )


def _bring_back(counted: nw.DataFrame[Any], events: Events, never_started: int) -> Tally:
    aside = {Aside.NEVER_STARTED: never_started}
    for kind in Aside:
        total = counted.filter(nw.col("cell") == int(kind))["count"].sum()
        aside[kind] = aside.get(kind, 0) + int(total or 0)
    counted = counted.filter(nw.col("cell") >= ENTRIES)
    segments, segment = segment_codes(counted, events.keys)
    arrays = {
        name: counted[name].to_numpy().astype(np.int64)
        for name in ("cohort", "over", "begun", "cell", "count")
    }
    amount = counted["amount"].to_numpy().astype(np.float64)
    return Tally(segments=segments, segment=segment, amount=amount, aside=aside, **arrays)


# Times


def _wall(column: str, events: Events, query: CohortQuery, zone: tzinfo | None) -> nw.Expr:
    # A day of margin: engines may report the first and last time an hour off.
    first = events.first.instant if events.first else query.as_of.instant
    return wall_time_expr(
        nw.col(column),
        stored=events.stored,
        zone=zone,
        first=min(first, query.as_of.instant) - DAY,
        last=query.as_of.instant + DAY,
    )


def _steps_columns(column: str, events: Events, query: CohortQuery) -> dict[str, nw.Expr]:
    utc = _wall(column, events, query, UTC)
    taken = steps_expr(utc, _wall(column, events, query, events.zone))
    parts = ("instant",) if query.period in {"day", "week"} else ("month", "rest", "days")
    return {f"{column}_{part}": getattr(taken, part) for part in parts}


def _steps_of(column: str) -> Steps:
    return Steps(**{part: nw.col(f"{column}_{part}") for part in STEP_PARTS})


def _columns(rows: Rows) -> list[str]:
    return rows.collect_schema().names()
