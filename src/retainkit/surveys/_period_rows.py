"""Periods of answers: each row gets the number of its period as a last segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.answers import Answers
from retainkit._inputs.nulls import nulls_in
from retainkit._inputs.observation import (
    beyond_the_calendar,
    check_as_of,
    warn_of_other_rules,
    within_edges,
)
from retainkit._messages import count_noun, warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment, as_of_moment, end_of_day, moment_in
from retainkit._time.period_options import PeriodOption
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.errors import ArgumentError
from retainkit.typing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOptions:
    """The checked options of scores by period, each over a window of `rolling` periods."""

    period: PeriodOption
    as_of: str | date | None
    missing: str
    rolling: int = 1

    def __post_init__(self) -> None:
        """Check what to do with missing times, and the end of observation."""
        one_of("missing", self.missing, get_args(Missing))
        check_as_of(self.as_of)


def with_periods(
    responses: Answers, options: PeriodOptions, grid: PeriodGrid
) -> tuple[Answers, Moment, int]:
    """Add the period of each answer; also returns the end of observation and the first period.

    Rows at or after the end of observation, and those in no period, are left out, with a warning.
    """
    rows = responses.rows
    time = nw.col("time")
    facts = collect(
        rows.select(first=time.min(), last=time.max(), size=nw.len(), nulls=time.null_count())
    )
    size = int(facts.item(0, "size"))
    unknown = int(facts.item(0, "nulls")) if size else 0
    if unknown:
        _check_times_known(responses, unknown, size, options.missing)
        rows, size = rows.drop_nulls("time"), size - unknown
    zone = responses.zone
    given = None if options.as_of is None else as_of_moment(options.as_of, zone)
    if not size:
        return _without_answers(responses, rows, given or end_of_day(0, zone), grid)
    earliest, latest, end = _time_span(responses, facts, given)
    if latest.instant >= end.instant:
        rows = rows.filter(time < instant_expr(end.instant))
        used = count_rows(rows)
        warn(
            f"{size - used:,} of {count_noun(size, 'row')} at or after as_of ({end}) are not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=size - used,
            total=size,
        )
        if not used:
            return _without_answers(responses, rows, end, grid)
        size = used
    rows, used = within_edges(rows, "time", size, grid)
    if not used:
        return _without_answers(responses, rows, end, grid)
    first, last = min(earliest.instant, end.instant), latest.instant
    wall = wall_time_expr(time, zone=grid.clock(zone), first=first, last=last)
    number = grid.number_expr(nw.col("wall"))
    answers = _with_last_segment(responses, rows.with_columns(wall=wall), number.cast(nw.Int64))
    return answers, end, max(earliest.index(grid), grid.bounds[0])


def _without_answers(
    responses: Answers, rows: Frame, end: Moment, grid: PeriodGrid
) -> tuple[Answers, Moment, int]:
    """Return no rows with a period; the first period is the one after the end."""
    answers = _with_last_segment(responses, rows, nw.lit(0).cast(nw.Int64))
    return answers, end, end.index(grid) + 1


def _with_last_segment(responses: Answers, rows: Any, number: nw.Expr) -> Answers:
    """Add the number of the period to rows, as the last segment column."""
    rows = rows.with_columns(number.alias(f"by_{len(responses.by)}"))
    return replace(responses, rows=rows, by=(*responses.by, "period"))


def _check_times_known(responses: Answers, unknown: int, size: int, missing: str) -> None:
    """Raise for answers without a time, or warn that they are left out, as `missing` says."""
    nulls = nulls_in(responses, {"time": unknown}, size)
    if nulls is not None:
        nulls.raise_or_warn(missing, unknown)


def _time_span(
    responses: Answers, facts: nw.DataFrame[Any], given: Moment | None
) -> tuple[Moment, Moment, Moment]:
    """Return the times of the first and last answer, and the end of observation."""
    zone = responses.zone
    try:
        first, last = (moment_in(facts.item(0, name), zone) for name in ("first", "last"))
    except (ValueError, OverflowError) as error:
        raise beyond_the_calendar(responses, str(error)) from None
    warn_of_other_rules(responses, first.instant, last.instant)
    try:
        end = given or end_of_day(last.instant, zone)
    except OverflowError:
        raise ArgumentError(
            f"{responses.source('time')} goes up to {last}, and no midnight comes after it; say "
            "with `as_of` when observation ends.",
            code="beyond_calendar",
            argument="time",
            column=responses.names["time"],
        ) from None
    return first, last, end
