"""Read tables of subscriptions.

A checked subscription is a row with a customer, a start, and an end that lies after the start and
before the end of observation, or is null: then the subscription still runs. It runs over
[start, end), whatever the ends of the table mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.input import collect
from retainkit._inputs.amounts import check_amounts, check_rates, convert_amounts
from retainkit._inputs.columns import (
    CheckedTable,
    Column,
    check_not_named_twice,
    check_not_reserved,
    read_columns,
    segment_names,
)
from retainkit._inputs.facts import (
    Facts,
    count_true,
    is_true,
    read_facts,
    warn_of_dropped,
    without_nulls,
)
from retainkit._inputs.kinds import AMOUNT, ID, SEGMENT, SUBSCRIPTION, TIME
from retainkit._inputs.last_days import end_after_last_days
from retainkit._inputs.observation import (
    check_as_of,
    moments_of,
    observed_until,
    warn_of_outside,
)
from retainkit._inputs.zones import check_tz
from retainkit._messages import as_shown, count_noun, named, warn
from retainkit._time.durations import microseconds
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment, edge_moments
from retainkit._time.periods import DAY
from retainkit._time.zones import instant_expr
from retainkit.errors import ArgumentError
from retainkit.typing import EndIs, Length, Missing

SUBSCRIPTIONS = (
    Column("customer", ID),
    Column("start", TIME, observed=True),
    Column("end", TIME, nulls="keep", like="start"),
    Column("subscription", SUBSCRIPTION, required=False),
    Column("reason", SEGMENT, nulls="keep", required=False),
    Column("entry", TIME, nulls="keep", required=False),
    Column("amount", AMOUNT, nulls="refuse", required=False),
    Column("currency", SEGMENT, nulls="refuse", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions(CheckedTable):
    """Subscriptions that have been checked.

    A null ``end`` is that of a subscription that still runs, a null ``entry`` that of one observed
    from its start. Times have microseconds or finer, amounts are floats of one currency, 0 or more.
    Of the rows given, `missing` lacked a customer or a start, `empty` had no length, and `late`
    began at or after `end_of_observation`: these are not among the `n_rows`. Among them are those
    that ended at or after it and have a null end now (`cut`), and those of amount 0 (`free`). In
    an `endless` table no row had an end. A pause of a customer that is no longer than `gap`
    microseconds is none.
    """

    n_rows: int
    end_of_observation: Moment
    missing: int
    empty: int
    late: int
    cut: int
    free: int
    endless: bool
    gap: int
    end_is: EndIs

    @property
    def settled(self) -> int:
        """The wall time before which an end is for good: who ended later may yet go on."""
        return self.end_of_observation.wall - self.gap

    def warn_of_gap(self, period: PeriodGrid, first: int) -> None:
        """Warn if periods are over, from the first one on, and none is known because of the gap."""
        until = np.array([self.settled, self.end_of_observation.wall])
        known, over = period.number(until).tolist()
        first = max(first, period.bounds[0])
        if known <= first < over:
            warn(
                f"no {period.name} from the first start to {self.end_of_observation} is shown, "
                f"since who left in the last {self.gap / DAY:g} days (`gap`) may still renew. "
                "Choose a shorter `gap`, or show what is in progress with `include_partial`.",
                code="gap_leaves_nothing",
                argument="gap",
            )

    def warn_of_outside(self, grid: PeriodGrid) -> None:
        """Warn of subscriptions that are over before the first edge, or begin after the last."""
        ends = edge_moments(grid)
        if ends is None or not self.n_rows:
            return
        first, last = (instant_expr(end.instant) for end in ends)
        conditions = {"before": nw.col("end") <= first, "after": nw.col("start") >= last}
        counts = count_true(self.rows, conditions)
        outside = counts["before"] + counts["after"]
        warn_of_outside(outside, self.n_rows, "period", ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOptions:
    """The columns of subscriptions, and how they are read.

    Rows of the same `subscription` are its phases, and `reason` says why one ended. An end is the
    moment from which a subscription no longer runs, or the last day on which it does, as `end_is`
    says; a pause of a customer up to `gap` is none. Segments must not be called like one of the
    columns `reserved` by the result. Observation ends at `as_of`, by default at the midnight that
    ends the day of the last start. Arguments that are `needed` must name a column.
    `argument_names` has what the public function calls an argument where that is something else.
    """

    customer: str
    start: str
    end: str
    end_is: EndIs = "exclusive"
    subscription: str | None = None
    reason: str | None = None
    gap: Length = "0D"
    entry: str | None = None
    amount: str | None = None
    by: str | Sequence[str] | None = None
    currency: str | None = None
    rates: Mapping[str, float] | None = None
    as_of: str | date | None = None
    tz: str | None = None
    missing: str = "raise"
    reserved: Sequence[str] = ()
    needed: Sequence[str] = ()
    argument_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what can be checked before the table is looked at."""
        one_of("end_is", self.end_is, get_args(EndIs))
        microseconds("gap", self.gap)
        one_of("missing", self.missing, get_args(Missing))
        check_rates(self.rates)
        check_as_of(self.as_of)
        check_tz(self.tz)
        segments = segment_names(self.by, self.reserved)
        if self.reason is not None:
            check_not_reserved("`reason`", [self.reason], self.reserved)
            check_not_named_twice("reason", self.reason, segments)


def read_subscriptions(native: Any, options: SubscriptionOptions) -> Subscriptions:
    """Check subscriptions and give their columns the names of their arguments."""
    table = read_columns(
        native,
        "subscriptions",
        SUBSCRIPTIONS,
        {column.argument: getattr(options, column.argument) for column in SUBSCRIPTIONS},
        by=options.by,
        reserved=options.reserved,
        tz=options.tz,
        needed=options.needed,
        argument_names=options.argument_names,
    )
    table, facts, note = without_nulls(table, read_facts, options.missing)
    if options.amount is not None:
        check_amounts(table, facts)
    if options.currency is not None:
        rows = convert_amounts(table.rows, options.currency, options.rates)
        table = replace(table, rows=rows)
    moment = _end_of_observation(table, facts, options.as_of)
    if options.end_is == "last_day":
        table = end_after_last_days(table, moment)
    table, counts = _observed(table, facts, moment)
    warn_of_dropped(note, facts, "subscriptions")
    _warn_of_unused(counts, facts, moment, default=options.as_of is None)
    return Subscriptions(
        **table.parts(),
        n_rows=facts.n_rows - counts["empty"] - counts["late"],
        end_of_observation=moment,
        missing=facts.n_dropped,
        empty=counts["empty"],
        late=counts["late"],
        cut=counts["cut"],
        free=counts["free"],
        endless=counts["running"] == facts.n_rows,
        gap=microseconds("gap", options.gap),
        end_is=options.end_is,
    )


def _check_order(table: CheckedTable, backward: int, total: int) -> None:
    """Check that no subscription ends before it starts."""
    if not backward:
        return
    some = collect(table.rows.filter(nw.col("end") < nw.col("start")).head(3))
    spans = (
        f"{as_shown(customer)!r} ({table.shown(start)} to {table.shown(end)})"
        for customer, start, end in zip(
            *(some[name].to_list() for name in ("customer", "start", "end")), strict=True
        )
    )
    raise ArgumentError(
        f"{table.source('end')} lies before {table.names['start']!r} (given as `start`) in "
        f"{count_noun(backward, 'row')}, of {total:,}; for instance customer {', '.join(spans)}. "
        "Exchange them, or leave the rows out.",
        code="end_before_start",
        argument="end",
        column=table.names["end"],
        rows=backward,
        total=total,
    )


# The end of observation


def _end_of_observation(table: CheckedTable, facts: Facts, as_of: str | date | None) -> Moment:
    times = {}
    if facts.n_rows:
        times = {"first": facts.least["start"], "last": facts.greatest["start"]}
    last = moments_of(table, times).get("last")
    error = ArgumentError(
        f"the last start is {table.shown(facts.greatest['start'])}, and no midnight comes after "
        "it; say with `as_of` when observation ends.",
        code="beyond_calendar",
        argument="start",
        column=table.names["start"],
    )
    return observed_until(last, table.zone, as_of, error)


def _observed(
    table: CheckedTable, facts: Facts, moment: Moment
) -> tuple[CheckedTable, dict[str, int]]:
    """Leave out what has no length or was not observed, and mark what runs."""
    rows = table.rows
    start, end = nw.col("start"), nw.col("end")
    over = instant_expr(moment.instant)
    empty, late = end == start, start >= over
    conditions = {
        "backward": end < start,
        "empty": empty,
        "late": ~is_true(empty) & late,
        "cut": (start < over) & (end >= over),
    }
    for key in table.keys:
        conditions[f"unlike_{key}"] = nw.col(key).is_null() != end.is_null()
    if table.keys or "amount" in table.names:
        conditions["running"] = end.is_null()
    if "amount" in table.names:
        conditions["free"] = ~is_true(empty) & ~late & (nw.col("amount") == 0)
    counts: dict[str, int] = dict.fromkeys(
        ("backward", "empty", "late", "cut", "free", "running"), 0
    )
    if facts.n_rows:
        counts |= count_true(rows, conditions)
    _check_order(table, counts["backward"], facts.n_rows)
    if 0 < counts["running"] < facts.n_rows:
        _warn_of_outcomes(table, [key for key in table.keys if not counts[f"unlike_{key}"]])
    if counts["empty"]:
        rows = rows.filter(~is_true(empty))
    if counts["late"]:
        rows = rows.filter(start < over)
    if counts["cut"]:
        rows = rows.with_columns(end=nw.when(end < over).then(end))
    return replace(table, rows=rows), counts


def _warn_of_outcomes(table: CheckedTable, keys: Sequence[str]) -> None:
    """Warn of segments that are null where a subscription runs, and nowhere else."""
    for name in (table.by[table.keys.index(key)] for key in keys):
        warn(
            f"{named(name, 'by')} is null wherever a subscription runs, and nowhere else: it seems "
            "to say how one ended, and segments that are made of the outcome say nothing about it. "
            "`churn_rate(reason=...)` tells what customers leave for.",
            code="segment_of_the_outcome",
            argument="by",
            column=name,
        )


def _warn_of_unused(
    counts: Mapping[str, int], facts: Facts, moment: Moment, *, default: bool
) -> None:
    """Warn of what is not used, or not as it came."""
    cut = (
        f"end at or after {moment}, the midnight after the last start, up to which the table is "
        "taken to be observed; they count as running. Set `as_of` to the time of the extract if "
        "that is later."
    )
    late = f"start at or after as_of ({moment}) and are not used."
    total = facts.n_rows
    for rows, argument, code, text in (
        (counts["empty"], "start", "empty_subscriptions", "end as they start and are not used."),
        (counts["late"], "as_of", "rows_after_as_of", late),
        (counts["cut"] if default else 0, "as_of", "ends_after_as_of", cut),
    ):
        if rows:
            warn(
                f"{rows:,} of {count_noun(total, 'row')} {text}",
                code=code,
                argument=argument,
                rows=rows,
                total=total,
            )
