"""Count the customers who come and go in each period: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from retainkit._typing import Booleans, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCounts:
    """Counts of who comes and goes: tables of a row a segment and a column a period."""

    opening: Integers
    new: Integers
    reactivated: Integers
    churned: Integers
    closing: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class TenurePeriods:
    """Uninterrupted runs by the periods in which they begin and end, by customer and time.

    `begin` and `end` are numbers of periods, counted from 0; a run that does not end has the number
    after the last period. `returns` marks the runs of customers who had been there before, and
    `cause` is the number of what made a run end.
    """

    customer: Integers
    segment: Integers
    begin: Integers
    end: Integers
    returns: Booleans
    cause: Integers

    def take(self, which: Booleans) -> TenurePeriods:
        """Return some of the runs."""
        return TenurePeriods(**{one.name: getattr(self, one.name)[which] for one in fields(self)})


def at_period_ends(runs: TenurePeriods) -> TenurePeriods:
    """Return the runs that snapshots at the ends of periods show.

    A run within one period does not show, and neither does a break within one after which the
    customer is in the same segment.
    """
    if not len(runs.customer):
        return runs
    # Who first came in the very period of this run is new in it, whatever came between.
    opens = np.append(True, runs.customer[1:] != runs.customer[:-1])
    came = runs.begin[opens][np.cumsum(opens) - 1]
    runs = replace(runs, returns=came < runs.begin).take(runs.begin < runs.end)
    joined = np.zeros(len(runs.customer), bool)
    joined[1:] = (
        (runs.customer[1:] == runs.customer[:-1])
        & (runs.segment[1:] == runs.segment[:-1])
        & (runs.begin[1:] == runs.end[:-1])
    )
    last = np.append(~joined[1:], True)[: len(joined)]
    return replace(runs.take(~joined), end=runs.end[last], cause=runs.cause[last])


def count_flows(runs: TenurePeriods, n_segments: int, n_periods: int) -> FlowCounts:
    """Count by segment and period who comes and goes, and who is there at both ends."""

    def count(which: Booleans, period: Integers) -> Integers:
        key = runs.segment[which] * n_periods + period[which]
        table = np.bincount(key, minlength=n_segments * n_periods).astype(np.int64)
        return table.reshape(n_segments, n_periods)

    new, reactivated = count(~runs.returns, runs.begin), count(runs.returns, runs.begin)
    churned = count(runs.end < n_periods, runs.end)
    closing = np.cumsum(new + reactivated - churned, axis=1)
    opening = np.pad(closing, ((0, 0), (1, 0)))[:, :n_periods]
    return FlowCounts(
        opening=opening, new=new, reactivated=reactivated, churned=churned, closing=closing
    )


def count_ends(runs: TenurePeriods, n_segments: int, n_causes: int, n_periods: int) -> Integers:
    """Count by segment, cause and period who leaves."""
    ends = runs.end < n_periods
    key = (runs.segment[ends] * n_causes + runs.cause[ends]) * n_periods + runs.end[ends]
    table = np.bincount(key, minlength=n_segments * n_causes * n_periods).astype(np.int64)
    return table.reshape(n_segments, n_causes, n_periods)


def add_flows(parts: Sequence[FlowCounts]) -> FlowCounts:
    """Add up the counts of several parts of the customers."""
    names = [one.name for one in fields(FlowCounts)]
    tables = {name: [getattr(part, name) for part in parts] for name in names}
    return FlowCounts(**{name: np.sum(found, axis=0) for name, found in tables.items()})


def sum_days(days: FlowCounts, first: Integers) -> FlowCounts:
    """Sum of the counts of days over periods, which begin in the columns `first`."""
    new, reactivated, churned = (
        np.add.reduceat(one, first, axis=1) for one in (days.new, days.reactivated, days.churned)
    )
    last = np.append(first[1:], days.closing.shape[1]) - 1
    return FlowCounts(
        opening=days.opening[:, first],
        new=new,
        reactivated=reactivated,
        churned=churned,
        closing=days.closing[:, last],
    )
