"""Count churn by segment and period, and by the reason of its end: rates and their limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retainkit._frames.groupby import group_blocks, unique_keys
from retainkit._inputs.continuous_subscriptions import ContinuousSubscriptions
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._stats.intervals import ratio, wilson
from retainkit._stats.survival import summed_rates
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.segment_periods import MOST_CELLS, segment_periods, starts_of_segments
from retainkit._typing import Floats, Integers
from retainkit.churn._flows import (
    FlowCounts,
    TenurePeriods,
    add_flows,
    at_period_ends,
    count_ends,
    count_flows,
    sum_days,
)
from retainkit.errors import ArgumentError
from retainkit.typing import ChurnMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCells:
    """Segments and periods, numbered from `first` to `last`; those before `over` are complete.

    The periods of a segment begin at its `starts`. Runs that end before `settled` have ended for
    good, and `causes` are the reasons of these ends; without a column of them there is one, 0.
    """

    period: PeriodGrid
    starts: Integers
    first: int
    last: int
    over: int
    settled: int
    causes: Integers

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of segments and of periods."""
        return len(self.starts), self.last + 1 - self.first

    def by_day(self, method: ChurnMethod) -> bool:
        """Return whether there are days to count by."""
        return method == "daily" and self.shape[1] > 0 and self.first >= self.period.bounds[0]

    def tenure_periods(self, runs: ContinuousSubscriptions, part: slice) -> TenurePeriods:
        """Return the periods in which some runs begin and end, counted from the first."""
        until = runs.end[part]
        ends = until < self.settled
        end = np.full(len(until), self.shape[1])
        end[ends] = self.period.number(until[ends]) - self.first
        begin = self.period.number(runs.begin[part]) - self.first
        # What begins before the first edge does so in a column that is not shown. Where the clock
        # is put back, what begins before the end of observation may show later.
        return TenurePeriods(
            customer=runs.customer[part],
            segment=runs.segment[part],
            begin=np.clip(begin, 0, self.shape[1] - 1),
            end=np.clip(end, 0, self.shape[1]),
            returns=~runs.first[part],
            cause=self._cause(runs, part),
        )

    def _cause(self, runs: ContinuousSubscriptions, part: slice) -> Integers:
        """Return the number of the cause of each end; what has not ended may have any."""
        if runs.reason is None:
            return np.zeros_like(runs.customer[part])
        place = np.searchsorted(self.causes, runs.reason[part])
        return np.minimum(place, len(self.causes) - 1)

    def in_days(self) -> tuple[PeriodCells, Integers]:
        """Return the same cells in days, and the columns in which the periods begin."""
        begin = self.period.first_day(np.arange(self.first, self.last + 2))
        first = int(begin[0]) - self.period.has_edges
        days = replace(self, period=DAYS, first=first, last=max(int(begin[-1]) - 1, first - 1))
        return days, begin[:-1] - first


def period_cells(
    runs: ContinuousSubscriptions, table: Subscriptions, period: PeriodGrid, method: ChurnMethod
) -> PeriodCells:
    """Return the segments and periods of a result; what ended within the gap may yet go on."""
    settled = table.settled
    last, over = period.number(np.array([table.end_of_observation.wall - 1, settled])).tolist()
    low, end = period.bounds
    last = min(last, end - 1)
    starts = starts_of_segments(runs.segment, runs.begin, period, last)
    first = int(starts.min(initial=last + 1))
    return PeriodCells(
        period=period,
        starts=np.maximum(starts, low),
        first=max(first, low) if method == "daily" and last >= low else first,
        last=last,
        over=over,
        settled=settled,
        causes=_causes(runs, settled),
    )


def _causes(runs: ContinuousSubscriptions, settled: int) -> Integers:
    """Return the reasons for which runs ended, or all that there are where none has."""
    if runs.reason is None:
        return np.zeros(1, np.int64)
    ended = runs.reason[runs.end < settled]
    if len(ended):
        return unique_keys(ended)
    return np.arange(max(map(len, runs.reasons.values())))


def _check_size(cells: PeriodCells) -> None:
    n_segments, n_periods = cells.shape
    size = n_segments * n_periods * len(cells.causes)
    if size > MOST_CELLS:
        raise ArgumentError(
            f"there would be {n_segments:,} segments of {n_periods:,} {cells.period.plural}. If "
            "there is a stray date, leave it out, or set `as_of`; else choose longer periods.",
            code="too_many_rows",
            argument="start",
            rows=size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnCounts:
    """Who comes and goes, by segment and period, and the rates of those who leave.

    Those who leave, and the rates with their limits, have a second axis of causes.
    """

    flows: FlowCounts
    churned: Integers
    rate: Floats
    lower: Floats
    upper: Floats


def churn_counts(
    runs: ContinuousSubscriptions, cells: PeriodCells, method: ChurnMethod, confidence_level: float
) -> ChurnCounts:
    """Count who comes and goes, and compute the rates with their limits."""
    _check_size(cells)
    if cells.by_day(method):
        return _daily_counts(runs, cells, confidence_level)
    flows, churned = _flows(runs, cells, snapshots=method != "stripe")
    base = flows.opening
    if method == "stripe":
        base = base + flows.new + flows.reactivated
    base = base[:, None, :]
    lower, upper = wilson(churned, base, confidence_level)
    return ChurnCounts(
        flows=flows, churned=churned, rate=ratio(churned, base), lower=lower, upper=upper
    )


def _daily_counts(
    runs: ContinuousSubscriptions, cells: PeriodCells, confidence_level: float
) -> ChurnCounts:
    """Count day by day, and sum up over periods."""
    in_days, first = cells.in_days()
    _check_size(in_days)
    days, churned = _flows(runs, in_days, snapshots=True)
    shape = (*churned.shape[:2], len(first))
    opening = np.broadcast_to(days.opening[:, None, :], churned.shape).reshape(-1, in_days.shape[1])
    rates = summed_rates(churned.reshape(opening.shape), opening, first, confidence_level)
    rate, lower, upper = (one.reshape(shape) for one in rates)
    return ChurnCounts(
        flows=sum_days(days, first),
        churned=np.add.reduceat(churned, first, axis=2),
        rate=rate,
        lower=lower,
        upper=upper,
    )


def _flows(
    runs: ContinuousSubscriptions, cells: PeriodCells, *, snapshots: bool
) -> tuple[FlowCounts, Integers]:
    """Count who comes and goes, and with an axis of causes who leaves, customers in parts."""
    (n_segments, n_periods), n_causes = cells.shape, len(cells.causes)
    parts, ended = [], np.zeros((n_segments, n_causes, n_periods), np.int64)
    for part in group_blocks(runs.customer, ended.size):
        tenures = cells.tenure_periods(runs, part)
        if snapshots:
            tenures = at_period_ends(tenures)
        parts.append(count_flows(tenures, n_segments, n_periods))
        if n_causes > 1:
            ended += count_ends(tenures, n_segments, n_causes, n_periods)
    flows = add_flows(parts)
    return flows, ended if n_causes > 1 else flows.churned[:, None, :]


def churn_columns(
    counts: ChurnCounts, cells: PeriodCells, last: int
) -> tuple[Integers, Integers, dict[str, Any]]:
    """Return the segment and the cause of each row of the result, and its other columns.

    There is a row for every period up to `last` and every cause.
    """
    n_causes = len(cells.causes)
    periods = segment_periods(cells.starts, last)
    segment, period = (np.repeat(one, n_causes) for one in (periods.segment, periods.period))
    cause = np.tile(np.arange(n_causes), len(periods.period))
    column = period - cells.first
    place, complete = (segment, cause, column), period < cells.over
    flows = {
        name: getattr(counts.flows, name)[segment, column]
        for name in ("opening", "new", "reactivated", "closing")
    }
    columns: dict[str, Any] = {
        "period": cells.period.label(period),
        "opening": flows["opening"],
        "new": flows["new"],
        "reactivated": flows["reactivated"],
        "churned": counts.churned[place],
        "closing": flows["closing"],
        "churn_rate": counts.rate[place],
        # Of a period in progress the rate can only rise.
        "lower": np.where(complete, counts.lower[place], np.nan),
        "upper": np.where(complete, counts.upper[place], np.nan),
        "complete": complete,
    }
    return segment, cells.causes[cause], columns
