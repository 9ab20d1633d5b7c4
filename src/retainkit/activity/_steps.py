"""Steps that the functions on visits share: the reduction, the last midnight, the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.output import build_like
from retainkit._frames.reducer import reducer
from retainkit._frames.segments import segment_values
from retainkit._inputs.events import Events
from retainkit._messages import count_noun, warn
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._typing import Array, Integers, NativeT
from retainkit.activity import _eager, _lazy
from retainkit.activity._spec import StartCounts, VisitCounts, VisitSpec


def count_visits(log: Events, spec: VisitSpec) -> VisitCounts:
    """Count the visits of an event log, and warn of segments that are ambiguous."""
    count = reducer(log.rows, lazy=_lazy.count_visits, eager=_eager.count_visits)
    visits = count(log, spec)
    warn_of_ambiguous_segments(visits.n_ambiguous, visits.n_customers)
    if visits.starts is not None:
        _warn_of_starts(log, visits.starts, visits.n_customers)
    return visits


def _warn_of_starts(log: Events, starts: StartCounts, n_customers: int) -> None:
    """Warn of customers who start too late, and of events before the start."""
    source = log.source("cohort_time")
    if starts.n_late:
        warn(
            f"{count_noun(starts.n_late, 'customer')} with a start at or after the end of "
            f"observation in {source}, not counted.",
            code="start_after_as_of",
            argument="cohort_time",
            column=log.names["cohort_time"],
            rows=starts.n_late,
            total=n_customers,
        )
    if starts.n_early:
        warn(
            f"{count_noun(starts.n_early, 'row')} not counted, before the start of the customer in "
            f"{source}, of {log.n_rows:,}.",
            code="rows_before_start",
            argument="cohort_time",
            column=log.names["cohort_time"],
            rows=starts.n_early,
            total=log.n_rows,
        )


def last_midnight(log: Events, end: Moment) -> Moment:
    """Last midnight up to the end of observation: a day is observed whole, or not at all."""
    return end.begin_of(DAYS, log.zone)


def warn_of_ambiguous_segments(number: int, n_customers: int) -> None:
    """Warn of customers with several segments at their first instant."""
    if number:
        warn(
            f"{count_noun(number, 'customer')} with several values of `by` at the instant of the "
            "first row, of which the smallest is taken.",
            code="ambiguous_segment",
            argument="by",
            rows=number,
            total=n_customers,
        )


def build_result(
    log: Events,
    segments: Mapping[str, nw.Series[Any]],
    segment: Integers,
    columns: Mapping[str, Array],
    rows: Integers | slice = slice(None),
) -> NativeT:  # type: ignore[type-var]
    """Return a native table of some `rows` of the columns, the segment of each before them."""
    named: dict[str, Any] = segment_values(segments, log.by, segment[rows])
    return build_like(log.rows, named | {name: one[rows] for name, one in columns.items()})
