"""Answers counted by segment and period, or by windows of several periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.join import map_values
from retainkit._frames.output import from_columns
from retainkit._frames.segments import factorize_segments, segment_values
from retainkit._inputs.answers import Answers
from retainkit._inputs.scale import Scale
from retainkit._stats.effective_size import EffectiveSize
from retainkit._time.grid import PeriodGrid
from retainkit._time.segment_periods import MOST_CELLS, segment_periods
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.surveys._answer_counts import AnswerCounts
from retainkit.surveys._period_rows import PeriodOptions, with_periods
from retainkit.surveys._repeat_respondents import cluster_sums
from retainkit.surveys._scaled_answers import ScaledAnswers, read_scaled_answers, warn_of_invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodAnswers:
    """Counted answers in cells: one row of cells a segment, one column a period, from `first` on.

    `segments` are columns under their names in the frame. `counts` holds the answers of each cell,
    or of the window of periods that ends with it; those of `answers` are counted in cells of their
    own, at the positions `cell` among these. `open` is the first period that is not over, `starts`
    the first period of each segment, and `ends` are those of the scale.
    """

    segments: Mapping[str, nw.Series[Any]]
    first: int
    n_periods: int
    open: int
    starts: Integers
    counts: AnswerCounts
    answers: ScaledAnswers
    cell: Integers
    rolling: int
    ends: tuple[float, float]
    period: PeriodGrid

    @property
    def last(self) -> int:
        """The last period."""
        return self.first + self.n_periods - 1

    def rows(self, *, partial: bool = True) -> PeriodRows:
        """Return the periods of each segment from its first; without `partial`, those over."""
        shown = segment_periods(
            self.starts, self.last if partial else min(self.last, self.open - 1)
        )
        return PeriodRows(
            cell=shown.segment * self.n_periods + shown.period - self.first,
            segment=shown.segment,
            period=shown.period,
            since=shown.period - self.starts[shown.segment],
            complete=shown.period < self.open,
        )

    def label_columns(self, rows: PeriodRows) -> dict[str, Any]:
        """Return the columns of segments and periods of rows."""
        own: dict[str, Any] = segment_values(self.segments, self.segments, rows.segment)
        return own | {"period": self.period.label(rows.period)}

    def effective_size(self, values: Floats) -> EffectiveSize:
        """Effective size of the means of `values`, by cell."""
        if not self.answers.clustered:
            return self.counts.effective_size(values)
        responses = self.answers.responses
        rows = _repeat_in_windows(responses, self.first, self.last, self.rolling)
        found, clusters = cluster_sums(rows, self.counts, values)
        _, segment, number = _segments_and_periods(found, rows.keys)
        cell = segment * self.n_periods + number - self.first
        return self.counts.effective_size(values, clusters.scatter(cell, self.counts.n_segments))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRows:
    """The rows of a result, by segment and period, and the cells that they show.

    `since` counts the periods from the first of the segment; `complete` marks those that are over.
    """

    cell: Integers
    segment: Integers
    period: Integers
    since: Integers
    complete: Booleans


def count_by_period(responses: Answers, scale: Scale, options: PeriodOptions) -> PeriodAnswers:
    """Count the answers of each segment in each period, or in the window that ends with it."""
    period = options.period.in_zone(responses.zone)
    responses, end, first = with_periods(responses, options, period)
    answers = read_scaled_answers(responses, scale)
    warn_of_invalid(answers)
    last = end.last_begun(period)
    segments, segment, number = _segments_and_periods(
        from_columns(answers.counts.segments), responses.keys
    )
    n_segments = int(segment.max(initial=-1)) + 1 if responses.by[:-1] else 1
    n_periods = max(last - first + 1, 0)
    if n_segments * n_periods > MOST_CELLS:
        raise ArgumentError(
            f"the result would have {n_segments:,} segments of {n_periods:,} periods, with "
            f"{responses.source('time')} from {period.label(np.array([first]))[0]} to "
            f"{end}. If there is a stray date, leave it out, or set `as_of`; else choose a longer "
            "`period`.",
            code="too_many_rows",
            argument="time",
            column=responses.names["time"],
            rows=n_segments * n_periods,
        )
    rolling = min(options.rolling, max(n_periods, 1))
    cell = segment * n_periods + (number - first)
    starts = np.full(n_segments, first + n_periods)
    np.minimum.at(starts, segment, number)
    return PeriodAnswers(
        segments=dict(zip(responses.by[:-1], segments.values(), strict=True)),
        first=first,
        n_periods=n_periods,
        open=end.index(period),
        starts=starts,
        counts=_count_in_windows(answers.counts, cell, n_segments, n_periods, rolling),
        answers=answers,
        cell=cell,
        rolling=rolling,
        ends=(scale.low, scale.high),
        period=period,
    )


def _segments_and_periods(
    cells: nw.DataFrame[Any], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], Integers, Integers]:
    """Return the segments of cells, and for each cell the numbers of its segment and period."""
    segments, segment = factorize_segments(cells, keys[:-1])
    return segments, segment, cells[keys[-1]].to_numpy().astype(np.int64)


def _repeat_in_windows(responses: Answers, first: int, last: int, rolling: int) -> Answers:
    """Repeat each answer in its own period and in the windows of later ones up to `last`."""
    if rolling == 1:
        return responses
    key = responses.keys[-1]
    number = np.arange(first, last + 1)
    index, step = np.nonzero(number[:, np.newaxis] + np.arange(rolling) <= last)
    windows = {key: number[index], "window": number[index] + step}
    rows = map_values(responses.rows, key, windows)
    return replace(responses, rows=rows.drop(key).rename({"window": key}))


def _count_in_windows(
    counts: AnswerCounts, cell: Integers, n_segments: int, n_periods: int, rolling: int
) -> AnswerCounts:
    """Count each answer in its own period and in the windows of later ones that reach back to it.

    Missing and invalid answers are counted in their own period only.
    """
    n_cells = n_segments * n_periods
    position = cell[counts.segment]
    left = n_periods - position % n_periods if n_periods else position
    row, step = np.nonzero(np.arange(rolling) < left[:, np.newaxis])
    missing, invalid = (
        np.bincount(cell, one, n_cells).astype(np.int64) for one in (counts.missing, counts.invalid)
    )
    return replace(
        counts.take(row),
        segments={},
        n_segments=n_cells,
        segment=position[row] + step,
        missing=missing,
        invalid=invalid,
    )
