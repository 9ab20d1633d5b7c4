"""Cohort retention: who comes back, by the period in which they started and their age since."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw
import numpy as np

from retainkit import _cohort_kernel, _cohort_plan
from retainkit._calendar import PERIODS, WEEKDAYS
from retainkit._checks import integer, one_of, probability, rising_edges
from retainkit._cohort_query import Aside, CohortQuery
from retainkit._frames import collect, count_rows, open_events, table_like
from retainkit._intervals import ratio, wilson
from retainkit._triangle import triangle
from retainkit.errors import ArgumentError, RetainkitWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from retainkit._calendar import Period, Weekday
    from retainkit._cohort_query import Clock, Counting, Entry, Tally
    from retainkit._frames import Events
    from retainkit._triangle import Triangle

__all__ = ["cohort_retention"]


def cohort_retention(
    events: Any,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    cohort_time: str | None = None,
    started: str | None = None,
    returned: str | None = None,
    entry: Entry = "first",
    cohort_period: Period = "month",
    period: Period = "month",
    clock: Clock = "calendar",
    counting: Counting = "on",
    brackets: Sequence[int] | None = None,
    min_events: int = 1,
    min_customers: int = 1,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Literal["raise", "drop"] = "raise",
    confidence_level: float = 0.95,
) -> Any:
    """DOC."""
    one_of("entry", entry, ("first", "recurring"))
    one_of("cohort_period", cohort_period, PERIODS)
    one_of("period", period, PERIODS)
    one_of("clock", clock, ("calendar", "elapsed"))
    one_of("counting", counting, ("on", "on_or_after", "on_or_before", "every"))
    one_of("week_start", week_start, WEEKDAYS)
    edges = None if brackets is None else rising_edges("brackets", brackets)
    integer("min_events", min_events, 1)
    integer("min_customers", min_customers, 1)
    probability("confidence_level", confidence_level)
    _check_start(cohort_time, started, entry)

    columns = {"customer": customer, "time": time, "amount": amount}
    columns |= {"cohort_time": cohort_time, "started": started, "returned": returned}
    log = open_events(events, columns=columns, by=by, tz=tz, missing=missing)
    end = log.end(as_of)
    log = log.before(end)
    _check_one_start(log, cohort_time)
    query = CohortQuery(
        as_of=end,
        entry=entry,
        cohort_period=cohort_period,
        period=period,
        week_start=week_start,
        clock=clock,
        counting=counting,
        brackets=edges,
        min_events=min_events,
    )
    reducer = _cohort_plan if isinstance(log.rows, nw.LazyFrame) else _cohort_kernel
    tally = reducer.tally(log, query)
    _warn_of_aside(tally, columns)
    cells = _large_enough(triangle(tally, query, log.zone), min_customers)
    if not include_partial:
        cells = cells.where(~cells.in_progress)
    return table_like(log.rows, _table(cells, tally, log, query, confidence_level))


def _check_start(cohort_time: str | None, started: str | None, entry: str) -> None:
    if cohort_time is not None and (started is not None or entry == "recurring"):
        other = "`started`" if started is not None else "`entry='recurring'`"
        raise ArgumentError(
            f"`cohort_time` ({cohort_time!r}) gives each customer one start, so {other} has "
            "nothing to say beside it; leave one of them out."
        )


def _check_one_start(log: Events, cohort_time: str | None) -> None:
    if cohort_time is None:
        return
    start = nw.col("cohort_time")
    spans = log.rows.group_by("customer").agg(first=start.min(), last=start.max())
    several = spans.filter(nw.col("first") < nw.col("last"))
    number = count_rows(several)
    if number:
        some = collect(several.sort("customer").head(3))["customer"].to_list()
        raise ArgumentError(
            f"column {cohort_time!r} (given as `cohort_time`) has several values for {number:,} "
            f"customers, such as {', '.join(map(repr, some))}; it must hold one start for each."
        )


def _warn_of_aside(tally: Tally, columns: Mapping[str, str | None]) -> None:
    texts = {
        Aside.NEVER_STARTED: "customers have no row with {started!r} (given as `started`) true "
        "before the end of observation and are in no cohort.",
        Aside.STARTED_LATE: "customers have a {cohort_time!r} (given as `cohort_time`) at or after "
        "the end of observation and are in no cohort.",
        Aside.SEVERAL_SEGMENTS: "customers have several values of `by` at the instant of their "
        "start; the smallest is taken.",
        Aside.BEFORE_START: "rows come before their customer's {cohort_time!r} (given as "
        "`cohort_time`) and are not counted.",
    }
    for kind, text in texts.items():
        if tally.aside[kind]:
            message = f"{tally.aside[kind]:,} {text.format(**columns)}"
            warnings.warn(message, RetainkitWarning, stacklevel=3)


def _large_enough(cells: Triangle, min_customers: int) -> Triangle:
    if min_customers == 1:
        return cells
    small = cells.customers < min_customers
    some = small & (cells.customers > 0)
    left_out = set(zip(cells.segment[some].tolist(), cells.cohort[some].tolist(), strict=True))
    if left_out:
        warnings.warn(
            f"{len(left_out):,} cohorts with fewer than {min_customers:,} customers "
            "(`min_customers`) are left out.",
            RetainkitWarning,
            stacklevel=3,
        )
    return cells.where(~small)


def _table(
    cells: Triangle, tally: Tally, log: Events, query: CohortQuery, confidence_level: float
) -> dict[str, Any]:
    """Name the columns of the result."""
    segments = tally.segments
    columns: dict[str, Any] = {
        name: segments[key][cells.segment.tolist()]
        for name, key in zip(log.by, log.keys, strict=True)
    }
    columns |= {"cohort": cells.cohort, "age": cells.age}
    if query.brackets is not None:
        columns["age_end"] = cells.age_end
    lower, upper = wilson(cells.retained, cells.eligible, confidence_level)
    columns |= {
        "customers": cells.customers,
        "eligible": cells.eligible,
        "retained": cells.retained,
        "retention": ratio(cells.retained, cells.eligible),
        # What can only rise has no interval.
        "lower": np.where(cells.in_progress, np.nan, lower),
        "upper": np.where(cells.in_progress, np.nan, upper),
        "complete": (cells.eligible == cells.customers) & ~cells.in_progress,
    }
    if "amount" in log.columns:
        columns["amount"] = cells.amount
        columns["amount_per_customer"] = ratio(cells.amount, cells.eligible)
    return columns
