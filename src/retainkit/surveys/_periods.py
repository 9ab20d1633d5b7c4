"""Answers placed in time: counted by period, and added up over windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.input import collect, count_rows
from retainkit._frames.join import map_values
from retainkit._frames.output import from_columns
from retainkit._frames.segments import factorize_segments
from retainkit._messages import count_noun, warn
from retainkit._time.moment import as_of_moment, end_of_day, moment_in
from retainkit._time.periods import DAY, PERIODS, WEEKDAYS, first_day, period_index_expr
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.errors import ArgumentError
from retainkit.surveys._repeat_respondents import cluster_sums
from retainkit.surveys._scale import ScaledAnswers, read_scaled_answers, warn_of_invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from retainkit._inputs.answers import Answers
    from retainkit._inputs.scale import Scale
    from retainkit._stats.effective_size import EffectiveSize
    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.surveys._answer_counts import AnswerCounts


_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodScores:
    """Answers by segment and period: a row a segment and a column a period, from `first` on.

    `segments` are columns, under the names that they came with; `tally` holds the answers of each
    cell, or of the window of `rolling` periods that ends with it; `over` is the first period that
    is not over, `starts` gives the first period of each segment and `ends` those of the scale.
    """

    segments: Mapping[str, nw.Series[Any]]
    first: int
    n_periods: int
    over: int
    starts: Integers
    tally: AnswerCounts
    found: ScaledAnswers
    cell: Integers
    rolling: int
    ends: tuple[float, float]
    period: Period
    week_start: Weekday

    def lines(self, *, partial: bool = True) -> SegmentPeriods:
        """Give a row for each period of a segment from its first answer on, or from that over."""
        number = np.arange(self.n_periods) + self.first
        shown = (number >= self.starts[:, np.newaxis]) & (partial | (number < self.over))
        segment, column = np.nonzero(shown)
        return SegmentPeriods(
            cell=segment * self.n_periods + column,
            segment=segment,
            number=number[column],
            since=number[column] - self.starts[segment],
            complete=number[column] < self.over,
        )

    def labels(self, lines: SegmentPeriods) -> dict[str, Any]:
        """Name the segments and periods of rows."""
        day = first_day(lines.number, self.period, self.week_start).astype("datetime64[D]")
        which = lines.segment.tolist()
        own = {name: column[which] for name, column in self.segments.items()}
        return own | {"period": day}

    def worth(self, values: Floats) -> EffectiveSize:
        """Give by cell what the mean of `values` is worth."""
        if not self.found.clustered:
            return self.tally.effective_size(values)
        last = self.first + self.n_periods - 1
        rows = _in_windows(self.found.responses, self.first, last, self.rolling)
        keys, clusters = cluster_sums(rows, self.tally, values)
        _, segment, number = _placed(keys, rows.keys)
        cell = segment * self.n_periods + number - self.first
        return self.tally.effective_size(values, clusters.at(cell, self.tally.n_segments))


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPeriods:
    """The rows of a result, by segment and period, and the cells that they show.

    `since` counts the periods from the first of the segment; `complete` are those that are over.
    """

    cell: Integers
    segment: Integers
    number: Integers
    since: Integers
    complete: Booleans


def period_scores(
    responses: Answers,
    scale: Scale,
    *,
    period: Period,
    week_start: Weekday,
    as_of: str | date | None,
    missing: str,
    rolling: int = 1,
) -> PeriodScores:
    """Count the answers of each segment in each period, or in the last `rolling` periods."""
    one_of("period", period, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    one_of("missing", missing, ("raise", "drop"))
    responses, end, first = _dated(responses, as_of, missing, period, week_start)
    found = read_scaled_answers(responses, scale, repeat="cluster")
    warn_of_invalid(found)
    last = end.index(period, week_start) - end.opens(period, week_start)
    keys = responses.keys
    segments, outer, number = _placed(from_columns(found.tally.segments), keys)
    n_segments = int(outer.max(initial=-1)) + 1 if len(keys) > 1 else 1
    n_periods = max(last - first + 1, 0)
    if n_segments * n_periods > _MOST_CELLS:
        day = first_day(np.array([first]), period, week_start).astype("datetime64[D]")[0]
        raise ArgumentError(
            f"the result would have {n_segments:,} segments of {n_periods:,} periods, with "
            f"{responses.source('time')} from {day} to {end}. If there is a stray date, leave it "
            "out, or set `as_of`; else choose a longer `period`."
        )
    rolling = min(rolling, max(n_periods, 1))
    cell = outer * n_periods + (number - first)
    starts = np.full(n_segments, last + 1)
    np.minimum.at(starts, outer, number)
    return PeriodScores(
        segments={
            name: segments[key] for name, key in zip(responses.by[:-1], keys[:-1], strict=True)
        },
        first=first,
        n_periods=n_periods,
        over=end.index(period, week_start),
        starts=starts,
        tally=_fill_grid(found.tally, cell, n_segments * n_periods, n_periods, rolling),
        found=found,
        cell=cell,
        rolling=rolling,
        ends=(scale.low, scale.high),
        period=period,
        week_start=week_start,
    )


def _dated(
    responses: Answers,
    as_of: str | date | None,
    missing: str,
    period: Period,
    week_start: Weekday,
) -> tuple[Answers, Moment, int]:
    """Number the period of each answer, as a last segment; gives the end and the first period."""
    rows = responses.rows
    time = nw.col("time")
    facts = collect(
        rows.select(first=time.min(), last=time.max(), size=nw.len(), nulls=time.null_count())
    )
    size = int(facts.item(0, "size"))
    unknown = int(facts.item(0, "nulls")) if size else 0
    if unknown:
        _refuse_or_note(responses.source("time"), unknown, size, missing)
        rows, size = rows.drop_nulls("time"), size - unknown
    stored, zone = responses.stored, responses.zone
    given = None if as_of is None else as_of_moment(as_of, zone)
    if not size:
        return _undated(responses, rows, given or end_of_day(0, zone), period, week_start)
    least, most, end = _moments(responses, facts, given)
    if most.instant >= end.instant:
        rows = rows.filter(time < instant_expr(end.instant, stored))
        used = count_rows(rows)
        warn(
            f"{size - used:,} of {count_noun(size, 'row')} at or after as_of ({end}) are not used."
        )
        if not used:
            return _undated(responses, rows, end, period, week_start)
    first = min(least.instant, end.instant) - DAY
    wall = wall_time_expr(time, stored=stored, zone=zone, first=first, last=most.instant + DAY)
    rows = rows.with_columns(wall=wall)
    number = period_index_expr(nw.col("wall"), period, week_start).cast(nw.Int64)
    rows = rows.with_columns(number.alias(f"by_{len(responses.by)}"))
    return _with_period(responses, rows), end, least.index(period, week_start)


def _undated(
    responses: Answers, none: Any, end: Moment, period: Period, week_start: Weekday
) -> tuple[Answers, Moment, int]:
    """Give no answers a period: the first one is after the end."""
    rows = none.with_columns(nw.lit(0).cast(nw.Int64).alias(f"by_{len(responses.by)}"))
    return _with_period(responses, rows), end, end.index(period, week_start) + 1


def _refuse_or_note(source: str, unknown: int, size: int, missing: str) -> None:
    """Refuse answers without a time, or say how many are left out."""
    text = f"{source} is null in {count_noun(unknown, 'row')}, of {size:,}"
    if missing == "raise":
        raise ArgumentError(
            f"{text}. Fill it in or leave such rows out; `missing='drop'` leaves them out and "
            "warns with their number."
        )
    warn(f"{text}: such rows are left out.")


def _moments(
    responses: Answers, facts: nw.DataFrame[Any], given: Moment | None
) -> tuple[Moment, Moment, Moment]:
    """Place the first answer, the last one, and the end of observation if it is not `given`."""
    stored, zone = responses.stored, responses.zone
    try:
        least, most = (moment_in(facts.item(0, name), stored, zone) for name in ("first", "last"))
    except (ValueError, OverflowError) as error:
        raise ArgumentError(
            f"{responses.source('time')} goes beyond the calendar ({error}); times must lie within "
            "the years 1 to 9999, in the zone of the periods too."
        ) from None
    try:
        end = given or end_of_day(most.instant, zone)
    except OverflowError:
        raise ArgumentError(
            f"{responses.source('time')} goes up to {most}, and no midnight comes after it; say "
            "with `as_of` when observation ends."
        ) from None
    return least, most, end


def _with_period(responses: Answers, rows: Any) -> Answers:
    return replace(responses, rows=rows, by=(*responses.by, "period"))


def _placed(
    cells: nw.DataFrame[Any], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], Integers, Integers]:
    """Give the segments of cells, and by cell the number of its segment and of its period."""
    segments, segment = factorize_segments(cells, keys[:-1])
    return segments, segment, cells[keys[-1]].to_numpy().astype(np.int64)


def _in_windows(responses: Answers, first: int, last: int, rolling: int) -> Answers:
    """Let each answer stand in its own period and in the windows of later ones up to `last`."""
    if rolling == 1:
        return responses
    key = responses.keys[-1]
    number = np.arange(first, last + 1)
    place, step = np.nonzero(number[:, np.newaxis] + np.arange(rolling) <= last)
    windows = {key: number[place], "window": number[place] + step}
    rows = map_values(responses.rows, key, windows)
    return replace(responses, rows=rows.drop(key).rename({"window": key}))


def _fill_grid(
    tally: AnswerCounts, cell: Integers, n_cells: int, n_periods: int, rolling: int
) -> AnswerCounts:
    """Count each answer in its own period and in the windows of later ones that reach back to it.

    What is missing or invalid is counted in its own period only.
    """
    place = cell[tally.segment]
    later = np.arange(rolling)
    room = n_periods - place % n_periods if n_periods else place
    row, step = np.nonzero(later < room[:, np.newaxis])
    missing, invalid = (
        np.bincount(cell, one, n_cells).astype(np.int64) for one in (tally.missing, tally.invalid)
    )
    return replace(
        tally.take(row),
        segments={},
        n_segments=n_cells,
        segment=place[row] + step,
        missing=missing,
        invalid=invalid,
    )
