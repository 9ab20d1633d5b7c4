"""Read checked subscriptions into memory as arrays, ordered by customer and start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.groupby import NEVER, sort_order
from retainkit._frames.input import collect, instants_of, instants_or
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.last_days import warn_of_last_days
from retainkit._inputs.repeated_rows import distinct_phases
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._time.zones import wall_times
from retainkit._typing import Array, Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSubscriptions:
    """Subscriptions by customer and start, as times on the wall clock.

    Those that have not ended end `NEVER`. `entry` is the time from which one was observed, `begin`
    or later. Customers, segments and reasons are numbers, of which `segments` and `reasons` have
    the values. Without a column for it there is no `entry` and no `reason`, and amounts are 0. If
    they are wanted, `row` has the places of the subscriptions in the table that was read.
    """

    customer: Integers
    begin: Integers
    end: Integers
    segment: Integers
    segments: Mapping[str, nw.Series[Any]]
    entry: Integers | None
    reason: Integers | None
    reasons: Mapping[str, nw.Series[Any]]
    amount: Floats
    row: Integers

    def part(self, rows: slice) -> OrderedSubscriptions:
        """Return some of the rows."""
        return replace(
            self,
            customer=self.customer[rows],
            begin=self.begin[rows],
            end=self.end[rows],
            segment=self.segment[rows],
            entry=None if self.entry is None else self.entry[rows],
            reason=None if self.reason is None else self.reason[rows],
            amount=self.amount[rows],
        )


def read_ordered_subscriptions(
    subscriptions: Subscriptions, *, places: bool = False
) -> OrderedSubscriptions:
    """Read subscriptions that cost something into memory, exact repeats of a `subscription` once.

    What is free makes no customer. A warning says where the ends seem to be last days.
    """
    rows = subscriptions.rows
    table = collect(rows.filter(nw.col("amount") > 0) if subscriptions.free else rows)
    segments, segment = factorize_segments(table, subscriptions.keys)
    values: dict[str, Array] = {
        "customer": integer_codes(table["customer"])[0],
        "begin": instants_of(table["start"]),
        "end": instants_or(table["end"], NEVER),
        "segment": segment,
    }
    reasons: Mapping[str, nw.Series[Any]] = {}
    if "reason" in table.columns:
        reasons, values["reason"] = factorize_segments(table, ["reason"])
    if "amount" in table.columns:
        values["amount"] = table["amount"].to_numpy().astype(np.float64, copy=False)
    if "entry" in table.columns:
        entry = instants_or(table["entry"], -NEVER)
        values["entry"] = np.maximum(entry, values["begin"])
    row = np.arange(len(table) if places else 0)
    if "subscription" in table.columns:
        distinct = distinct_phases(table["subscription"], values, subscriptions)
        if not distinct.all():
            values = {name: one[distinct] for name, one in values.items()}
            row = row[distinct] if places else row
    if places:  # no column of the table, in which repeats would have to agree
        values["row"] = row
    _set_wall_times(values, subscriptions)
    order = sort_order(values["customer"], values["begin"], values["segment"])
    for name in values:
        values[name] = values[name][order]
    del order
    if subscriptions.end_is == "exclusive":
        warn_of_last_days(values["customer"], values["begin"], values["end"])
    return OrderedSubscriptions(
        customer=values["customer"],
        begin=values["begin"],
        end=values["end"],
        segment=values["segment"],
        segments=segments,
        entry=values.get("entry"),
        reason=values.get("reason"),
        reasons=reasons,
        amount=values["amount"] if "amount" in values else np.zeros(len(values["begin"])),
        row=values.get("row", np.zeros(0, np.int64)),
    )


def _set_wall_times(values: dict[str, Array], subscriptions: Subscriptions) -> None:
    """Turn instants into wall times; no subscription ends before it begins.

    That is to be seen to where the clock is put back.
    """
    zone, begin = subscriptions.zone, values["begin"]
    if zone is None:
        return
    values["begin"] = wall_times(begin, zone)
    for name in values.keys() & {"end", "entry"}:
        time = values[name]
        comes = time < NEVER
        wall = np.full(len(time), NEVER)
        least = values["begin"][comes] + (time > begin)[comes]
        wall[comes] = np.maximum(wall_times(time[comes], zone), least)
        values[name] = wall
