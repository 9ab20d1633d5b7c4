"""Read answers to a survey and what customers did into memory, and match them by customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.arrays import is_null
from retainkit._frames.dtypes import type_name
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import (
    Frame,
    check_present,
    collect,
    count_rows,
    from_native,
    instants_of,
    instants_or,
)
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import with_plain_types
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.answers import read_answers
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.continuous_subscriptions import read_with_rows
from retainkit._inputs.events import read_events
from retainkit._inputs.facts import count_true
from retainkit._inputs.kinds import TIME, is_time, needed
from retainkit._inputs.nulls import nulls_among
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.other_scale import warn_of_scale
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.same_customers import Ids
from retainkit._inputs.scale import Scale
from retainkit._inputs.subscriptions import SubscriptionOptions, read_subscriptions
from retainkit._messages import count_noun, format_examples, named, warn
from retainkit._time.durations import microseconds
from retainkit._time.moment import Moment, midnights_after
from retainkit._time.zones import instant_expr
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.typing import EndIs, Length, Missing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedAnswers:
    """Answers with a score in parallel arrays: customer, time, score and segment of each.

    `missing` counts by segment the rows without an answer. Times are `aware` of a zone or not.
    """

    given: Frame
    segments: Mapping[str, nw.Series[Any]]
    n_segments: int
    segment: Integers
    customer: Ids
    instant: Integers
    score: Integers
    missing: Integers
    aware: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """What customers did when, and what they paid for it (None: it was not asked for)."""

    customer: Ids
    instant: Integers
    amount: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memberships:
    """When customers were customers: from `start` to `end` (`NEVER`: they still are).

    `start` is None where nobody knows: then everybody was, until the last end.
    """

    customer: Ids
    start: Integers | None
    end: Integers

    @property
    def only_leavers(self) -> bool:
        """Return whether this lists those who left alone; it need hold nobody who answered."""
        return self.start is None and not (self.end == NEVER).any()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeOptions:
    """The columns of the table of outcomes, and how they are read."""

    customer: str
    time: str
    amount: str | None
    start: str | None
    end: str
    end_is: EndIs
    subscription: str | None
    gap: Length
    as_of: str | date | None
    missing: Missing

    def __post_init__(self) -> None:
        """Check the options that are no columns, and that they go together."""
        one_of("end_is", self.end_is, get_args(EndIs))
        one_of("missing", self.missing, get_args(Missing))
        check_as_of(self.as_of)
        pauses = {"subscription": self.subscription is not None, "gap": self.pause > 0}
        if self.start is None and any(pauses.values()):
            argument = next(name for name, given in pauses.items() if given)
            raise ArgumentError(
                f"`{argument}` is given and `start` is None; when customers left says nothing of "
                "when they came back. Name the column of starts, or leave it out.",
                code="argument_conflict",
                argument=argument,
            )

    @property
    def pause(self) -> int:
        """The longest break that is not churn, in microseconds."""
        return microseconds("gap", self.gap)


# Answers


def read_dated_answers(
    responses: Any,
    *,
    customer: str,
    score: str,
    time: str,
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    scale: Scale,
    missing: str,
) -> DatedAnswers:
    """Read answers and check them; a row without a score is none, whatever else is in it."""
    options = ResponseOptions(
        needed=("respondent", "time"),
        score=score,
        by=by,
        reserved=reserved,
        respondent=customer,
        time=time,
        argument_names={"respondent": "customer"},
        accept_text=False,
    )
    table = read_answers(responses, options)
    given = from_native(responses, "responses")
    rows = collect(table.rows)
    segments, segment = factorize_segments(rows, table.keys)
    n_segments = int(segment.max(initial=-1)) + 1 if table.by else 1
    silent = is_null(rows["score"])
    lacking = np.bincount(segment[silent], minlength=n_segments)
    rows, segment = rows.filter(~rows["score"].is_null()), segment[~silent]
    lacks = {name: is_null(rows[name]) for name in ("respondent", "time")}
    nulls = {"customer": int(lacks["respondent"].sum()), "time": int(lacks["time"].sum())}
    whole = ~(lacks["respondent"] | lacks["time"])
    one_of("missing", missing, get_args(Missing))
    found = nulls_among(nulls, len(rows), {"customer": customer, "time": time}, "responses")
    if found is not None:
        found.raise_or_warn(missing, int((~whole).sum()))
    rows, segment = rows[np.flatnonzero(whole).tolist()], segment[whole]
    return DatedAnswers(
        given=given,
        segments=dict(zip(table.by, segments.values(), strict=True)),
        n_segments=n_segments,
        segment=segment,
        customer=rows["respondent"],
        instant=instants_of(rows["time"]),
        score=_read_scores(rows["score"], score, scale),
        missing=lacking,
        aware=table.zone is not None,
    )


def _read_scores(answers: nw.Series[Any], column: str, scale: Scale) -> Integers:
    """Return answers as integers; raise if some are not whole or not on the scale."""
    source = named(column, "score")
    values = answers.to_numpy().astype(np.float64)
    outside = (values < scale.low) | (values > scale.high)
    ends = f"the scale from {scale.low:g} to {scale.high:g}"
    advice = f"not on {ends}. Set `scale`, or make nulls of codes that mean no answer."
    for wrong, text, code in (
        (values != np.rint(values), "not whole. Round such answers first.", "not_whole"),
        (outside, advice, "off_scale"),
    ):
        if wrong.any():
            number = int(wrong.sum())
            some = format_examples([float(value) for value in np.unique(values[wrong])])
            verb = "is" if number == 1 else "are"
            raise ArgumentError(
                f"{count_noun(number, 'answer')} ({some}) in {source} {verb} {text}",
                code=code,
                argument="score",
                column=column,
                rows=number,
                total=len(values),
            )
    warn_of_scale(values, np.ones(len(values), np.int64), scale, column=column)
    return values.astype(np.int64)


# What happened


def read_outcome_events(
    outcomes: Any, answers: DatedAnswers, options: OutcomeOptions, horizon: int
) -> tuple[Outcomes, Moment]:
    """Read the events that may come within the horizon of an answer, and the end of observation.

    What comes before the first answer or too late for the last stays where it is.
    """
    customer, time, amount = options.customer, options.time, options.amount
    names = {"customer": customer, "outcome_time": time}
    names |= {} if amount is None else {"amount": amount}
    frame = _without_nulls(outcomes, names, options.missing)
    columns = {"customer": customer, "time": time, "amount": amount}
    log = read_events(
        frame, argument="outcomes", columns=columns, by=None, reserved=(), tz=None, missing="raise"
    )
    _check_zones(answers, log, "outcome_time", time)
    end = log.end_of_observation(options.as_of)
    rows = log.rows
    if log.last_event is not None and log.last_event.instant >= end.instant:
        rows = rows.filter(nw.col("time") < instant_expr(end.instant))
        late = log.n_rows - count_rows(rows)
        warn(
            f"{late:,} of {count_noun(log.n_rows, 'row')} of `outcomes` "
            f"at or after as_of ({end}) are not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=late,
            total=log.n_rows,
        )
    closed = answers.instant[answers.instant + horizon < end.instant]
    if len(closed) and log.first_event is not None and closed.min() > log.first_event.instant:
        rows = rows.filter(nw.col("time") > instant_expr(int(closed.min())))
    last = log.last_event
    if len(closed) and last is not None and closed.max() + horizon < last.instant:
        until = instant_expr(int(closed.max()) + horizon)
        rows = rows.filter(nw.col("time") <= until)
    found = collect(rows)
    paid = None if amount is None else found["amount"].to_numpy().astype(np.float64)
    read = Outcomes(customer=found["customer"], instant=instants_of(found["time"]), amount=paid)
    return read, end


def read_memberships(
    outcomes: Any, answers: DatedAnswers, options: OutcomeOptions
) -> tuple[Memberships, Moment]:
    """Read subscriptions, or when customers left, and the end of observation."""
    start, subscription = options.start, options.subscription
    names = {"customer": options.customer, "start": start, "subscription": subscription}
    needed_columns = {name: column for name, column in names.items() if column is not None}
    frame = _without_nulls(outcomes, needed_columns, options.missing)
    if start is None:
        return _read_departures(frame, answers, options)
    columns = SubscriptionOptions(
        customer=options.customer,
        start=start,
        end=options.end,
        end_is=options.end_is,
        subscription=subscription,
        gap=options.gap,
        as_of=options.as_of,
    )
    table = read_subscriptions(frame, columns)
    _check_zones(answers, table, "start", start)
    rows = collect(table.rows)
    ordered, runs = read_with_rows(replace(table, rows=rows), places=True)
    # Pauses are measured on the wall clock, and answers come at instants.
    place, first = ordered.row, runs.opens
    ends = instants_or(rows["end"], NEVER)[place]
    read = Memberships(
        customer=rows["customer"][place[first].tolist()],
        start=instants_of(rows["start"])[place[first]],
        end=np.maximum.reduceat(ends, first) if len(first) else ends,
    )
    return read, table.end_of_observation


def _read_departures(
    frame: Frame, answers: DatedAnswers, options: OutcomeOptions
) -> tuple[Memberships, Moment]:
    """Read when customers left; those with a row without such a time are still there."""
    customer, end = options.customer, options.end
    times = _with_times(frame, "end", end)
    log = read_events(
        frame.filter(~nw.col(inner_name(frame, end)).is_null()),
        argument="outcomes",
        columns={"customer": customer, "time": end},
        by=None,
        reserved=(),
        tz=None,
        missing="raise",
    )
    _check_zones(answers, log, "end", end)
    own = {
        name: inner_name(times, column) for name, column in (("customer", customer), ("end", end))
    }
    rows = collect(times.select(**{name: nw.col(column) for name, column in own.items()}))
    left = instants_or(rows["end"], NEVER)
    if options.end_is == "last_day":
        known = left < NEVER
        left = np.where(known, left, NEVER)
        left[known] = midnights_after(left[known], log.zone)
    read = Memberships(customer=rows["customer"], start=None, end=left)
    return read, log.end_of_observation(options.as_of)


# Checks


def _without_nulls(outcomes: Any, names: Mapping[str, str], missing: str) -> Frame:
    """Check that columns are there; raise if there are nulls in them, or drop their rows."""
    one_of("missing", missing, get_args(Missing))
    frame = from_native(outcomes, "outcomes")
    for argument, column in names.items():
        check_present(argument, column, frame)
    if "outcome_time" in names:
        _with_times(frame, "outcome_time", names["outcome_time"])
    inner = {argument: inner_name(frame, column) for argument, column in names.items()}
    if frame.collect_schema()[inner["customer"]].is_float():
        frame = frame.with_columns(nw.col(inner["customer"]).fill_nan(None))
    nulls = count_true(frame, {name: nw.col(column).is_null() for name, column in inner.items()})
    if not any(nulls.values()):
        return frame
    found = nulls_among(nulls, count_rows(frame), names, "outcomes")
    kept = frame.drop_nulls(subset=list(dict.fromkeys(inner.values())))
    if found is not None:
        found.raise_or_warn(missing, found.total - count_rows(kept))
    return kept


def _with_times(frame: Frame, argument: str, column: str) -> Frame:
    """Check that a column of outcomes holds times, and return it with microseconds or finer."""
    check_present(argument, column, frame)
    inner = inner_name(frame, column)
    frame, _ = with_plain_types(frame, {inner: "times"})
    if not is_time(frame, inner):
        raise ColumnTypeError(
            f"{named(column, argument, 'outcomes')} holds {type_name(frame, inner)}; it must hold "
            f"{needed(TIME, frame, inner)}.",
            argument=argument,
            column=column,
        )
    dates = frame.collect_schema()[inner] == nw.Date
    return frame.with_columns(nw.col(inner).cast(nw.Datetime("us"))) if dates else frame


def _check_zones(answers: DatedAnswers, outcomes: CheckedTable, argument: str, column: str) -> None:
    """Check that both tables have times with a zone, or both without."""
    if (outcomes.zone is not None) != answers.aware:
        having, lacking = ("has no", "have one") if answers.aware else ("has a", "have none")
        raise ArgumentError(
            f"{named(column, argument, 'outcomes')} {having} time zone, and the times of "
            f"`responses` {lacking}. Give both a time zone, or none.",
            code="mixed_zones",
            argument=argument,
            column=column,
        )
