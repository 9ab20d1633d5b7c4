"""Customers of runs of subscriptions, with what they paid: the rows of results about customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import collect, instants_or
from retainkit._frames.segments import segment_values
from retainkit._frames.times import time_series
from retainkit._inputs.continuous_subscriptions import ContinuousSubscriptions, read_with_rows
from retainkit._inputs.ordered_subscriptions import OrderedSubscriptions
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._stats.money import money_unit
from retainkit._typing import Array, Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerRuns:
    """Runs of subscriptions, and the table of subscriptions in memory that they are made of."""

    subscriptions: Subscriptions
    table: nw.DataFrame[Any]
    rows: OrderedSubscriptions
    runs: ContinuousSubscriptions

    def place(self, run: Integers) -> tuple[Integers, Integers]:
        """Return the places of all subscriptions of some runs, and whose each is."""
        first = self.runs.opens[run]
        lengths = np.append(self.runs.opens, len(self.rows.customer))[run + 1] - first
        owner = np.repeat(np.arange(len(run)), lengths)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return first[owner] + offset, owner

    def paid(self, run: Integers, at: int | None = None) -> Floats:
        """Sum of the amounts of each run at a wall time, by default of what ends last."""
        place, owner = self.place(run)
        counts = self.rows.end[place] == self.runs.end[run][owner]
        if at is not None:
            counts = (self.rows.begin[place] < at) & (self.rows.end[place] >= at)
        unit = money_unit(self.rows.amount)
        sums = np.zeros(len(run), np.int64)
        np.add.at(sums, owner[counts], unit.to_integers(self.rows.amount[place[counts]]))
        return unit.to_amounts(unit.round(sums))

    def columns(self, run: Integers, segment: Integers) -> dict[str, Any]:
        """Return the columns of the customers of some runs, in these segments.

        They are the segments, the customer, and the times at which the run begins and ends.
        """
        place, owner = self.place(run)
        ends = self.rows.end[place] == self.runs.end[run][owner]
        last = np.zeros(len(run), np.int64)
        last[owner[ends]] = place[ends]
        row = self.rows.row
        names, given = self.subscriptions.names, self.subscriptions
        columns: dict[str, Any] = segment_values(self.runs.segments, given.by, segment)
        columns[names["customer"]] = self.table["customer"][row[last].tolist()]
        for name, at in (("start", self.runs.opens[run]), ("end", last)):
            instants = instants_or(self.table[name], NEVER)[row[at]]
            columns[name] = time_series(given.given, instants, given.zone)
        return columns

    def reasons(self, run: Integers) -> Mapping[str, nw.Series[Any]]:
        """Return the column of why each run ends, if there is one."""
        name = self.subscriptions.names.get("reason")
        if name is None or self.runs.reason is None:
            return {}
        return segment_values(self.runs.reasons, [name], self.runs.reason[run])

    def order(self, run: Integers, *keys: Array) -> Integers:
        """Return the order of some runs by keys, the last of them first, and then by customer."""
        row = self.rows.row
        ids = self.table["customer"][row[self.runs.opens[run]].tolist()]
        rank = np.empty(len(run), np.int64)
        rank[argsort(ids)] = np.arange(len(run))
        return np.lexsort((self.runs.begin[run], rank, *keys))


def read_customer_runs(subscriptions: Subscriptions) -> CustomerRuns:
    """Read checked subscriptions into memory and merge those of each customer."""
    rows = subscriptions.rows
    table = collect(rows.filter(nw.col("amount") > 0) if subscriptions.free else rows)
    held = replace(subscriptions, rows=table)
    ordered, runs = read_with_rows(held, places=True)
    return CustomerRuns(subscriptions=subscriptions, table=table, rows=ordered, runs=runs)
