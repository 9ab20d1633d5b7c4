"""Read an event log for cohorts: the options of the functions on them, checked, and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from retainkit._checks import integer, one_of, rising_edges
from retainkit._inputs.events import Events, check_one_start, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import net_refunds
from retainkit._messages import count_noun, warn
from retainkit._time.grid import PeriodGrid, period_grid
from retainkit._time.moment import Moment
from retainkit.errors import ArgumentError
from retainkit.retention._spec import CohortSpec, ExclusionReason
from retainkit.typing import Amounts, Clock, Counting, Entry, Missing, Period, Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortGrids:
    """The periods of cohorts, those of ages, and the edges of brackets of ages."""

    cohort_period: PeriodGrid
    period: PeriodGrid
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
    cohort_period: Period
    period: Period
    clock: Clock
    counting: Counting
    brackets: Sequence[int] | None
    min_events: int
    as_of: str | date | None
    tz: str | None
    week_start: Weekday
    missing: Missing

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns of the log, by the arguments that name them."""
        names = ("customer", "time", "amount", "cohort_time", "started", "returned")
        return {name: getattr(self, name) for name in names}

    def validate(self) -> CohortGrids:
        """Check the options that do not depend on the table."""
        one_of("amounts", self.amounts, get_args(Amounts))
        one_of("entry", self.entry, get_args(Entry))
        cohorts = period_grid(self.cohort_period, self.week_start, argument="cohort_period")
        ages = period_grid(self.period, self.week_start)
        one_of("clock", self.clock, get_args(Clock))
        one_of("counting", self.counting, get_args(Counting))
        edges = None if self.brackets is None else rising_edges("brackets", self.brackets)
        integer("min_events", self.min_events, 1)
        check_as_of(self.as_of)
        _check_start(self.cohort_time, self.started, self.entry)
        return CohortGrids(cohort_period=cohorts, period=ages, brackets=edges)


def _check_start(cohort_time: str | None, started: str | None, entry: str) -> None:
    if cohort_time is not None and (started is not None or entry == "recurring"):
        other = "`started`" if started is not None else "`entry='recurring'`"
        raise ArgumentError(
            f"`cohort_time` ({cohort_time!r}) gives each customer one start, so {other} has "
            "nothing to say beside it; leave one of them out.",
            code="contradicting_arguments",
            argument="cohort_time",
        )


def read_cohort_log(
    events: Any, options: CohortOptions, grids: CohortGrids, reserved: Sequence[str]
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
    end = log.end_of_observation(options.as_of)
    log = log.until(end)
    if options.customers is None:
        check_one_start(log)
    spec = CohortSpec(
        begin=_begin(log, grids.period) if log.has_starts else None,
        as_of=end,
        entry=options.entry,
        cohort_period=grids.cohort_period,
        period=grids.period,
        clock=options.clock,
        counting=options.counting,
        brackets=grids.brackets,
        min_events=options.min_events,
    )
    return net_refunds(log, options.amounts, grids.period, end), spec


def _begin(log: Events, ages: PeriodGrid) -> Moment | None:
    """Return the beginning of observation: that of the period of the first event."""
    return None if log.first_event is None else log.first_event.begin_of(ages, log.zone)


def warn_of_excluded(
    excluded: Mapping[ExclusionReason, int], columns: Mapping[str, str | None]
) -> None:
    """Warn of what a reduction left out."""
    texts = {
        ExclusionReason.NEVER_STARTED: (
            "customer in no cohort, without a row before the end of observation "
            "in which {started!r} (given as `started`) is true"
        ),
        ExclusionReason.STARTED_LATE: (
            "customer in no cohort, with a {cohort_time!r} (given as "
            "`cohort_time`) at or after the end of observation"
        ),
        ExclusionReason.SEVERAL_SEGMENTS: (
            "customer with several values of `by` at the instant of the start, "
            "of which the smallest is taken"
        ),
        ExclusionReason.BEFORE_START: (
            "row not counted, before the customer's {cohort_time!r} (given as `cohort_time`)"
        ),
    }
    for reason, text in texts.items():
        if excluded[reason]:
            noun, rest = text.format(**columns).split(maxsplit=1)
            warn(
                f"{count_noun(excluded[reason], noun)} {rest}.",
                code=reason.name.lower(),
                rows=excluded[reason],
            )
