"""Read an event log for cohorts: the options of the functions on them, checked, and the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from retainkit._checks import integer, one_of, rising_edges
from retainkit._inputs.events import Events, check_one_start, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import check_amounts_option, net_refunds
from retainkit._messages import count_noun, warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit._time.period_options import PeriodOption, period_options
from retainkit.errors import ArgumentError
from retainkit.retention._spec import CohortCounts, CohortSpec, ExclusionReason
from retainkit.typing import Amounts, Clock, Counting, Entry, Missing, Month, PeriodLike, Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPeriods:
    """The periods of cohorts, those of ages, and the edges of brackets of ages."""

    cohort_period: PeriodOption
    period: PeriodOption
    brackets: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOptions:
    """The arguments that `cohort_retention` and `cohort_members` share."""

    customer: str
    time: str
    amount: str | None
    amounts: Amounts
    by: str | Sequence[str] | None
    cohort_time: str | None
    started: str | None
    returned: str | None
    customers: Any
    entry: Entry
    cohort_period: PeriodLike
    period: PeriodLike
    clock: Clock
    counting: Counting
    brackets: Sequence[int] | None
    min_events: int
    as_of: str | date | None
    tz: str | None
    week_start: Weekday
    origin: str | date | None
    year_start: Month
    missing: Missing

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns of the log, by the arguments that name them."""
        names = ("customer", "time", "amount", "cohort_time", "started", "returned")
        return {name: getattr(self, name) for name in names}

    def validate(self) -> CohortPeriods:
        """Check the options that do not depend on the table."""
        check_amounts_option(self.amounts, self.amount)
        one_of("entry", self.entry, get_args(Entry))
        cohorts, ages = period_options(
            {"cohort_period": self.cohort_period, "period": self.period},
            week_start=self.week_start,
            origin=self.origin,
            year_start=self.year_start,
        )
        one_of("clock", self.clock, get_args(Clock))
        one_of("counting", self.counting, get_args(Counting))
        edges = None if self.brackets is None else rising_edges("brackets", self.brackets)
        integer("min_events", self.min_events, 1)
        check_as_of(self.as_of)
        _check_start(self.cohort_time, self.started, self.entry)
        _check_clock(self.clock, ages)
        return CohortPeriods(cohort_period=cohorts, period=ages, brackets=edges)


def _check_start(cohort_time: str | None, started: str | None, entry: str) -> None:
    if cohort_time is not None and (started is not None or entry == "recurring"):
        other = "`started`" if started is not None else "`entry='recurring'`"
        raise ArgumentError(
            f"`cohort_time` ({cohort_time!r}) gives each customer one start, so {other} has "
            "nothing to say beside it; leave one of them out.",
            code="argument_conflict",
            argument="cohort_time",
        )


def _check_clock(clock: Clock, ages: PeriodOption) -> None:
    if clock == "elapsed" and ages.edges:
        raise ArgumentError(
            "`clock='elapsed'` counts steps of one length from each customer's own start, and "
            "between the edges of `period` they are not: leave `clock` out, or give a number of "
            "days, such as `period='14 days'`.",
            code="argument_conflict",
            argument="clock",
        )


def read_cohort_log(
    events: Any, options: CohortOptions, cuts: CohortPeriods, reserved: Sequence[str]
) -> tuple[Events, CohortSpec]:
    """Read the events before the end of observation, and return what is asked of them."""
    log = read_events(
        events,
        columns=options.columns,
        by=options.by,
        reserved=reserved,
        tz=options.tz,
        missing=options.missing,
        customers=options.customers,
    )
    grid = cuts.period.in_zone(log.zone)
    end = log.end_of_observation(options.as_of)
    log, end = log.until(end).within(grid), end.within(grid)
    if options.customers is None:
        check_one_start(log)
    spec = CohortSpec(
        begin=_begin(log, grid) if log.has_starts else None,
        as_of=end,
        entry=options.entry,
        cohort_period=cuts.cohort_period.in_zone(log.zone),
        period=grid,
        clock=options.clock,
        counting=options.counting,
        brackets=cuts.brackets,
        min_events=options.min_events,
    )
    return net_refunds(log, options.amounts, grid, end), spec


def _begin(log: Events, ages: PeriodGrid) -> Moment | None:
    """Return the beginning of observation: that of the period of the first event.

    None: it goes back to every start.
    """
    first = log.first_event
    if first is None or first.index(ages) < ages.bounds[0]:
        return None
    return first.begin_of(ages, log.zone)


def warn_of_excluded(counts: CohortCounts, options: CohortOptions, n_rows: int) -> None:
    """Warn of what a reduction of so many rows left out."""
    columns, reason, total = options.columns, ExclusionReason, counts.n_customers(options.entry)
    started, start = (f"{columns[one]!r} (given as `{one}`)" for one in ("started", "cohort_time"))
    texts = {
        reason.NEVER_STARTED: (
            f"in no cohort, without a row before the end of observation in which {started} is true."
        ),
        reason.STARTED_LATE: f"in no cohort, with a {start} at or after the end of observation.",
        reason.SEVERAL_SEGMENTS: (
            "with several values of `by` at the instant of the start, of which the smallest is "
            "taken."
        ),
        reason.OUTSIDE_EDGES: "in no cohort, with a start outside the edges of the periods.",
    }
    for one, text in texts.items():
        number = counts.excluded[one]
        code, argument = _FACTS[one]
        if number:
            customers = count_noun(number, "customer")
            warn(f"{customers} {text}", code=code, argument=argument, rows=number, total=total)
    early = counts.excluded[reason.BEFORE_START]
    if early:
        warn(
            f"{count_noun(early, 'row')} not counted, before the customer's {start}, of "
            f"{n_rows:,}.",
            code="rows_before_start",
            argument="cohort_time",
            rows=early,
            total=n_rows,
        )


_FACTS = {
    ExclusionReason.NEVER_STARTED: ("customers_left_out", "started"),
    ExclusionReason.STARTED_LATE: ("start_after_as_of", "cohort_time"),
    ExclusionReason.SEVERAL_SEGMENTS: ("ambiguous_segment", "by"),
    ExclusionReason.OUTSIDE_EDGES: ("outside_edges", "cohort_period"),
}
"""The code and the argument of each reason for which customers are left out."""


def warn_of_small_cohorts(number: int, total: int, min_customers: int) -> None:
    """Warn of cohorts that are left out because they have few customers, of so many with any."""
    warn(
        f"{count_noun(number, 'cohort')} with fewer than {min_customers:,} customers "
        "(`min_customers`) left out.",
        code="small_cohorts",
        argument="min_customers",
        rows=number,
        total=total,
    )
