"""Steps that the functions on revenue share: subscriptions as arrays, and their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import NEVER, group_blocks
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.continuous_subscriptions import carried_ends
from retainkit._inputs.ordered_subscriptions import read_ordered_subscriptions
from retainkit._inputs.repeated_rows import warn_of_repeats
from retainkit._inputs.subscriptions import SubscriptionOptions, Subscriptions, read_subscriptions
from retainkit._stats.money import MoneyUnit, money_unit
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.period_options import PeriodOption
from retainkit._time.segment_periods import (
    MOST_CELLS,
    first_periods,
    segment_periods,
    starts_of_segments,
)
from retainkit._typing import Array, Integers, NativeT
from retainkit.errors import ArgumentError
from retainkit.revenue._changes import AmountChanges, OutputGrid, amount_changes
from retainkit.revenue._levels import warn_of_levels
from retainkit.revenue._lines import warn_of_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionArrays:
    """Subscriptions by customer as arrays, and how time is cut into periods.

    `begin` and `end` are times on the wall clock; what has not ended ends `NEVER`. Periods are
    numbered up to `last`, and those before `over` are over.
    """

    subscriptions: Subscriptions
    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    customer: Integers
    begin: Integers
    end: Integers
    amount: Integers
    unit: MoneyUnit
    period: PeriodGrid
    last: int
    over: int

    def changes(self, *, daily: bool = False) -> AmountChanges:
        """Return the changes of what is paid in each period, or on each day."""
        ends = self.end < NEVER
        time = np.append(self.begin, self.end[ends])
        number = (DAYS if daily else self.period).number(time)
        customer, segment = (np.append(one, one[ends]) for one in (self.customer, self.segment))
        amount = np.append(self.amount, -self.amount[ends])
        if self.period.has_edges and not daily:
            kept = number <= self.last
            customer, segment, number, amount = (
                one[kept] for one in (customer, segment, number, amount)
            )
        return amount_changes(customer, segment, number, amount, self.unit)

    def blocks(self, cells: int) -> Iterator[SubscriptionArrays]:
        """Return the customers in parts, of which the sums add up, in so many cells of a result."""
        for part in group_blocks(self.customer, cells):
            yield replace(
                self,
                customer=self.customer[part] - self.customer[part][:1],
                segment=self.segment[part],
                begin=self.begin[part],
                end=self.end[part],
                amount=self.amount[part],
            )

    def first_paid(self) -> Integers:
        """Return the period in which each customer first paid, if only for an hour."""
        return first_periods(self.customer, self.period.number(self.begin), self.last)

    def grid(self) -> OutputGrid:
        """Return the segments and periods of a result, from the first period of all."""
        starts = starts_of_segments(self.segment, self.begin, self.period, self.last)
        first = int(starts.min(initial=self.last + 1))
        starts = np.maximum(starts, self.period.bounds[0])
        grid = OutputGrid(starts=starts, first=first, n_periods=self.last + 1 - first)
        if grid.n_cells > MOST_CELLS:
            raise ArgumentError(
                f"the result would have {grid.n_segments:,} segments of {grid.n_periods:,} "
                "periods. If there is a stray date, leave it out, or set `as_of`; else choose "
                "longer periods.",
                code="too_many_rows",
                argument="start",
                rows=grid.n_segments * grid.n_periods,
            )
        return grid

    def grid_result(
        self, grid: OutputGrid, columns: Mapping[str, Array], *, include_partial: bool
    ) -> NativeT:  # type: ignore[type-var]
        """Return a native table of a grid: the periods of each segment, from its first one on."""
        if not include_partial:
            self.subscriptions.warn_of_gap(self.period, grid.first)
        last = self.last if include_partial else min(self.last, self.over - 1)
        rows = segment_periods(grid.starts, last)
        place = rows.segment, rows.period - grid.first
        own = {name: values[place] for name, values in columns.items()}
        own["complete"] = rows.period < self.over
        return self.build_result(rows.segment, {"period": rows.period}, own)

    def build_result(
        self, segment: Integers, dated: Mapping[str, Integers], columns: Mapping[str, Array]
    ) -> NativeT:  # type: ignore[type-var]
        """Return a native table of columns; the `dated` ones are numbers of periods."""
        names = self.subscriptions.by
        front: dict[str, Any] = segment_values(self.segments, names, segment)
        for name, number in dated.items():
            front[name] = self.period.label(number)
        return build_like(self.subscriptions.rows, front | dict(columns))


def read_subscription_arrays(
    native: Any, options: SubscriptionOptions, cut: PeriodOption
) -> SubscriptionArrays:
    """Check subscriptions; return those that cost something as arrays."""
    subscriptions = read_subscriptions(native, options)
    period = cut.in_zone(subscriptions.zone)
    subscriptions.warn_of_outside(period)
    rows = read_ordered_subscriptions(subscriptions)
    if options.subscription is None:
        warn_of_repeats(
            {
                "customer": rows.customer,
                "begin": rows.begin,
                "end": rows.end,
                "segment": rows.segment,
                "amount": rows.amount,
            }
        )
        if not subscriptions.cut:
            warn_of_levels(rows)
    warn_of_lines(rows, subscriptions.cut)
    end = rows.end
    if subscriptions.gap:
        end = carried_ends(rows, subscriptions.gap, subscriptions.settled)
    unit = money_unit(rows.amount)
    moment = subscriptions.end_of_observation
    return SubscriptionArrays(
        subscriptions=subscriptions,
        segments=rows.segments,
        segment=rows.segment,
        customer=rows.customer,
        begin=rows.begin,
        end=end,
        amount=unit.to_integers(rows.amount),
        unit=unit,
        period=period,
        last=moment.last_begun(period),
        over=int(period.number(np.array([subscriptions.settled]))[0]),
    )
