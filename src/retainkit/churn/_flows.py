"""Customers who come and go, counted by period: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from retainkit._inputs.continuous_subscriptions import ContinuousSubscriptions
    from retainkit._typing import Booleans, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Who comes and goes: tables of a row a segment and a column a period."""

    opening: Integers
    new: Integers
    reactivated: Integers
    churned: Integers
    closing: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class TenurePeriods:
    """Runs by the periods in which they begin and end, ordered by customer and time.

    `begin` and `end` are numbers of periods, counted from 0; what does not end has the number after
    the last period. `returns` marks those of customers who had been there before.
    """

    customer: Integers
    segment: Integers
    begin: Integers
    end: Integers
    returns: Booleans

    def take(self, which: Booleans) -> TenurePeriods:
        """Take some of them."""
        return TenurePeriods(
            customer=self.customer[which],
            segment=self.segment[which],
            begin=self.begin[which],
            end=self.end[which],
            returns=self.returns[which],
        )


def tenure_periods(runs: ContinuousSubscriptions, begin: Integers, end: Integers) -> TenurePeriods:
    """Place runs in periods."""
    return TenurePeriods(
        customer=runs.customer, segment=runs.segment, begin=begin, end=end, returns=~runs.first
    )


def at_period_ends(runs: TenurePeriods) -> TenurePeriods:
    """Keep what shows at the ends of periods.

    A run within one period does not show, and neither does a break within one after which the
    customer is in the same segment.
    """
    if not len(runs.customer):
        return runs
    # Who first came in the very period of this run is new in it, whatever came between.
    opens = np.append(True, runs.customer[1:] != runs.customer[:-1])
    came = runs.begin[opens][np.cumsum(opens) - 1]
    runs = TenurePeriods(
        customer=runs.customer,
        segment=runs.segment,
        begin=runs.begin,
        end=runs.end,
        returns=came < runs.begin,
    ).take(runs.begin < runs.end)
    joined = np.zeros(len(runs.customer), bool)
    joined[1:] = (
        (runs.customer[1:] == runs.customer[:-1])
        & (runs.segment[1:] == runs.segment[:-1])
        & (runs.begin[1:] == runs.end[:-1])
    )
    last = np.append(~joined[1:], True)[: len(joined)]
    kept = runs.take(~joined)
    return TenurePeriods(
        customer=kept.customer,
        segment=kept.segment,
        begin=kept.begin,
        end=runs.end[last],
        returns=kept.returns,
    )


def flow(runs: TenurePeriods, n_segments: int, n_periods: int) -> Flow:
    """Count by segment and period who comes and goes, and who is there at both ends."""

    def count(which: Booleans, period: Integers) -> Integers:
        key = runs.segment[which] * n_periods + period[which]
        table = np.bincount(key, minlength=n_segments * n_periods).astype(np.int64)
        return table.reshape(n_segments, n_periods)

    new, reactivated = count(~runs.returns, runs.begin), count(runs.returns, runs.begin)
    churned = count(runs.end < n_periods, runs.end)
    closing = np.cumsum(new + reactivated - churned, axis=1)
    opening = np.pad(closing, ((0, 0), (1, 0)))[:, :n_periods]
    return Flow(opening=opening, new=new, reactivated=reactivated, churned=churned, closing=closing)


def sum_flow(days: Flow, first: Integers) -> Flow:
    """Sum up days to periods, which begin in the columns `first`."""
    new, reactivated, churned = (
        np.add.reduceat(one, first, axis=1) for one in (days.new, days.reactivated, days.churned)
    )
    last = np.append(first[1:], days.closing.shape[1]) - 1
    return Flow(
        opening=days.opening[:, first],
        new=new,
        reactivated=reactivated,
        churned=churned,
        closing=days.closing[:, last],
    )
