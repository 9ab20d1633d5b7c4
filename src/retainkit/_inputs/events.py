"""Read event logs: columns of known names and types without a null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.customer_table import CustomerOptions, join_customers, mark_absent
from retainkit._inputs.facts import (
    Facts,
    check_finite,
    read_facts,
    warn_of_dropped,
    without_nulls,
)
from retainkit._inputs.kinds import AMOUNT, FLAG, ID, ORDER, TIME
from retainkit._inputs.observation import moments_of, observed_until, warn_of_outside
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment, edge_moments
from retainkit._time.zones import instant_expr
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

EVENTS = (
    Column("customer", ID),
    Column("time", TIME, observed=True),
    Column("cohort_time", TIME, required=False),
    Column("started", FLAG, required=False),
    Column("returned", FLAG, required=False),
    Column("amount", AMOUNT, required=False),
    Column("order", ORDER, required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(CheckedTable):
    """An event log that has been checked.

    Times have microseconds or finer, amounts are floats, nothing is null but a segment. Where the
    log may hold customers who never came, `came` is false in rows that are no event: they say that
    there is such a customer. `n_rows` counts the events, `earliest` is the earliest time of all,
    `first_event` and `last_event` are those of the events, and `min_amount` is the least amount
    (None: there are no rows, or no amounts).
    """

    n_rows: int
    earliest: Moment | None
    first_event: Moment | None
    last_event: Moment | None
    min_amount: float | None

    @property
    def events(self) -> Frame:
        """The rows that are events."""
        return self.rows.filter(nw.col("came")) if "came" in self.columns else self.rows

    @property
    def has_starts(self) -> bool:
        """Return whether each customer has a start of its own."""
        return "cohort_time" in self.names

    def end_of_observation(self, as_of: str | date | None) -> Moment:
        """Return `as_of`, or the midnight that ends the day of the last row."""
        if as_of is None and self.last_event is None and self.earliest is not None:
            raise ArgumentError(
                "there are customers and no events; say with `as_of` when observation ends.",
                code="argument_needed",
                argument="as_of",
            )
        error = ArgumentError(
            f"the time of the last row is {self.last_event}, and no midnight comes after it; say "
            "with `as_of` when observation ends.",
            code="beyond_calendar",
            argument="time",
            column=self.names["time"],
        )
        return observed_until(self.last_event, self.zone, as_of, error)

    def until(self, end: Moment) -> Events:
        """Keep the rows before `end`; a warning counts the others."""
        if self.last_event is None or self.last_event.instant < end.instant:
            return self
        kept = self._before(end)
        rest = kept.n_rows
        warn(
            f"{self.n_rows - rest:,} of {count_noun(self.n_rows, 'row')} at or after as_of ({end}) "
            "are not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=self.n_rows - rest,
            total=self.n_rows,
        )
        return kept

    def _before(self, end: Moment) -> Events:
        """Keep the events before a moment; customers who have not come by then have not come."""
        before = nw.col("time") < instant_expr(end.instant)
        marked = "came" in self.columns
        if marked:
            kept = replace(self, rows=self.rows.with_columns(came=nw.col("came") & before))
        else:
            kept = replace(self, rows=self.rows.filter(before))
        rest = count_rows(kept.events)
        return replace(kept, n_rows=rest, earliest=self.earliest if rest or marked else None)

    def within(self, grid: PeriodGrid, argument: str = "period") -> Events:
        """Keep the rows before the last edge of a grid; a warning counts those outside its edges.

        What lies before the first edge stays: it tells who has been there before.
        """
        self.warn_of_outside(grid, argument)
        ends = edge_moments(grid)
        if ends is None or self.last_event is None or self.last_event.instant < ends[1].instant:
            return self
        return self._before(ends[1])

    def warn_of_outside(self, grid: PeriodGrid, argument: str = "period") -> None:
        """Warn of rows outside the edges of a grid."""
        ends = edge_moments(grid)
        if ends is None or not self.n_rows:
            return
        first, last = (instant_expr(end.instant) for end in ends)
        time = nw.col("time")
        inside = count_rows(self.events.filter((time >= first) & (time < last)))
        warn_of_outside(self.n_rows - inside, self.n_rows, argument, ends)


def read_events(
    native: Any,
    *,
    argument: str = "events",
    columns: Mapping[str, str | None],
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    tz: str | None,
    missing: str,
    customers: Any = None,
    further: Sequence[Column] = (),
    argument_names: Mapping[str, str] | None = None,
) -> Events:
    """Check an event log and give its columns the names of their arguments.

    `columns` maps each argument to the column that it names, or to None where it is not used.
    Segments must not be called like one of the `reserved` columns of the result. With a table of
    `customers`, the columns of starts and segments are there. `further` columns may be read, too,
    and `argument_names` has what a public function calls their arguments.
    """
    one_of("missing", missing, get_args(Missing))
    own, segments = dict(columns), by
    if customers is not None:  # it has the starts and the segments
        own, segments = {**columns, "cohort_time": None}, None
    table = read_columns(
        native,
        argument,
        (*EVENTS, *further),
        own,
        by=segments,
        reserved=reserved,
        tz=tz,
        argument_names=argument_names,
    )
    facts = read_facts(table)
    if "cohort_time" in table.names and facts.nulls["time"]:
        table = mark_absent(table)
        facts = read_facts(table)
    table, facts, note = without_nulls(table, read_facts, missing, facts)
    warn_of_dropped(note, facts, argument)
    check_finite(table, facts)
    n_rows, first, last = _span(table, facts)
    starts = [facts.least["cohort_time"]] if "cohort_time" in table.names else []
    if customers is not None:
        options = CustomerOptions(
            customers=customers,
            customer=str(columns["customer"]),
            cohort_time=columns["cohort_time"],
            by=by,
            reserved=reserved,
            missing=missing,
        )
        table, n_rows, start = join_customers(table, n_rows, options)
        starts = [start]
    moments = _moments(table, first, last, starts)
    return Events(
        **table.parts(),
        n_rows=n_rows,
        earliest=moments.get("earliest"),
        first_event=moments.get("first_event"),
        last_event=moments.get("last_event"),
        min_amount=facts.least.get("amount"),
    )


def _moments(
    table: CheckedTable, first: Any, last: Any, starts: Sequence[Any]
) -> dict[str, Moment]:
    """Return the moments of the first and the last event, and the earliest of all."""
    earliest = [time for time in (first, *starts) if time is not None]
    times = {"earliest": min(earliest)} if earliest else {}
    if first is not None:
        times |= {"first_event": first, "last_event": last}
    return moments_of(table, times)


def _span(table: CheckedTable, facts: Facts) -> tuple[int, Any, Any]:
    """Return the number of events, and the times of the first and of the last."""
    if "came" not in table.columns:
        return facts.n_rows, facts.least["time"], facts.greatest["time"]
    events = table.rows.filter(nw.col("came"))
    time = nw.col("time")
    found = collect(events.select(rows=nw.len(), first=time.min(), last=time.max()))
    n_rows = int(found.item(0, "rows"))
    first, last = ((found.item(0, name) if n_rows else None) for name in ("first", "last"))
    return n_rows, first, last


def check_one_start(log: Events) -> None:
    """Check that no customer has several starts."""
    if not log.has_starts:
        return
    start = nw.col("cohort_time")
    spans = log.rows.group_by("customer").agg(first=start.min(), last=start.max())
    several = spans.filter(nw.col("first") < nw.col("last"))
    number = count_rows(several)
    if number:
        some = format_examples(collect(several.sort("customer").head(3))["customer"].to_list())
        raise ArgumentError(
            f"{log.source('cohort_time')} has several values for {number:,} customers, such as "
            f"{some}; it must hold one start for each.",
            code="several_starts",
            argument="cohort_time",
            column=log.names["cohort_time"],
            rows=number,
            total=count_rows(spans),
        )
