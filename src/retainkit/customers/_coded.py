"""Tables in memory as arrays: customers as codes, times as instants, and sums in slices of time.

Where several views are made of them, rows are ordered by time once: what was known at an instant is
then the beginning of each array, and a slice a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import factorize
from retainkit._frames.groupby import NEVER, unique_keys
from retainkit._frames.input import collect, instants_of, instants_or
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY
from retainkit._time.zones import wall_times
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import Slices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedTable:
    """Rows of a table: the codes of their customers, below `n_codes`, and their instants.

    `columns` are the other columns as numbers: amounts; the instants ``known_at`` and ``closed``,
    `NEVER` for null; codes of ``order`` and, in ascending order, of ``last_0``, …, -1 for null.
    `row` are the places of the rows in the `frame`. If they are `ordered`, then by time.
    """

    table: SourceTable
    frame: nw.DataFrame[Any]
    row: Integers
    code: Integers
    instant: Integers
    columns: Mapping[str, Array]
    n_codes: int
    ordered: bool

    def part(self, rows: slice | Integers | Booleans) -> CodedTable:
        """Return some rows."""
        return CodedTable(
            table=self.table,
            frame=self.frame,
            row=self.row[rows],
            code=self.code[rows],
            instant=self.instant[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            n_codes=self.n_codes,
            ordered=self.ordered,
        )

    def known(self, end: Moment) -> CodedTable:
        """Return the rows that were known before a moment."""
        if self.ordered:
            known = self.part(slice(int(np.searchsorted(self.instant, end.instant))))
        else:
            kept = self.instant < end.instant
            known = self if kept.all() else self.part(kept)
        if "known_at" not in known.columns:
            return known
        return known.part(known.columns["known_at"] < end.instant)

    def between(self, begin: Moment, end: Moment) -> CodedTable:
        """Return the rows of the time [begin, end)."""
        if self.ordered:
            first, last = np.searchsorted(self.instant, [begin.instant, end.instant]).tolist()
            return self.part(slice(first, last))
        return self.part((self.instant >= begin.instant) & (self.instant < end.instant))

    @property
    def bought(self) -> CodedTable:
        """The rows that are orders: a refund is none."""
        amount = self.columns.get("amount_0")
        if amount is None or not (amount < 0).any():
            return self
        return self.part(amount >= 0)

    @property
    def day(self) -> Integers:
        """The day of each row, on the wall clock."""
        return wall_times(self.instant, self.table.zone) // DAY

    def edges_passed(self, slices: Slices) -> Integers:
        """Return how many edges each row has passed."""
        return np.searchsorted(_instants(slices), self.instant, side="right")

    def sums(self, slices: Slices, values: Floats | None = None) -> Array:
        """Count the rows of each code, or add up values, from each number of edges passed on.

        Element [i, c] is of the rows of code c that have passed i edges or more.
        """
        edges = _instants(slices)
        if self.ordered:
            bounds = [0, *np.searchsorted(self.instant, edges).tolist(), len(self.code)]
            return _sums_of_parts(self.code, values, bounds, self.n_codes)
        own = np.searchsorted(edges, self.instant, side="right")
        return sums_by_edge(self.code, own, len(edges) + 1, self.n_codes, values)


def _instants(slices: Slices) -> Integers:
    return np.array([edge.instant for edge in slices.edges], np.int64)


def sums_by_edge(
    code: Integers, own: Integers, size: int, n_codes: int, values: Floats | None = None
) -> Array:
    """Return the sums of elements of which each has passed its `own` number of edges."""
    sums = np.bincount(own * n_codes + code, values, size * n_codes).reshape(size, n_codes)
    return _from_edges_on(sums, values)


def _sums_of_parts(code: Integers, values: Floats | None, bounds: list[int], n_codes: int) -> Array:
    """Return the sums of elements in order, of which a part lies between two edges."""
    sums = np.zeros((len(bounds) - 1, n_codes), np.int64 if values is None else np.float64)
    for i, (first, last) in enumerate(pairwise(bounds)):
        if first < last:
            weights = None if values is None else values[first:last]
            sums[i] = np.bincount(code[first:last], weights, n_codes)
    return _from_edges_on(sums, values)


def _from_edges_on(sums: Array, values: Floats | None) -> Array:
    """Add to each row of sums all rows after it, in place."""
    if values is not None:  # of nothing at all the sum is an integer
        sums = sums.astype(np.float64, copy=False)
    for i in range(len(sums) - 2, -1, -1):
        sums[i] += sums[i + 1]
    return sums


def coded(table: SourceTable, code: Integers, n_codes: int, *, ordered: bool) -> CodedTable:
    """Read a table into memory, ordered by time if that is wanted."""
    frame = collect(table.rows)
    columns = {name: frame[name].to_numpy() for name in table.numbered("amount")}
    columns |= {
        name: instants_or(frame[name], NEVER)
        for name in ("known_at", "closed")
        if name in table.names
    }
    if "order" in table.names:
        columns["order"] = factorize(frame["order"], sort=False)[0]
    columns |= {name: factorize(frame[name], sort=True)[0] for name in table.numbered("last")}
    rows = CodedTable(
        table=table,
        frame=frame,
        row=np.arange(len(code)),
        code=code,
        instant=instants_of(frame["time"]),
        columns=columns,
        n_codes=n_codes,
        ordered=ordered,
    )
    in_order = bool((rows.instant[1:] >= rows.instant[:-1]).all())
    return rows.part(np.argsort(rows.instant, kind="stable")) if ordered and not in_order else rows


# Days


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActiveDays:
    """The days on which each code ordered, once each, ordered by day."""

    code: Integers
    day: Integers
    n_codes: int

    def before(self, slices: Slices) -> ActiveDays:
        """Return those before the end of the slices, which is a midnight."""
        n = int(np.searchsorted(self.day, slices.day))
        return ActiveDays(code=self.code[:n], day=self.day[:n], n_codes=self.n_codes)

    def ends(self) -> tuple[Integers, Integers]:
        """Return the first and the last day of each code, `NEVER` where it has none."""
        first, last = np.full(self.n_codes, NEVER), np.full(self.n_codes, NEVER)
        first[self.code[::-1]] = self.day[::-1]  # of several the last one stays
        last[self.code] = self.day
        return first, last

    def sums(self, slices: Slices) -> Array:
        """Count the days of each code from each number of edges on, all of them midnights."""
        edges = np.array([edge.wall // DAY for edge in slices.edges], np.int64)
        bounds = [0, *np.searchsorted(self.day, edges).tolist(), len(self.day)]
        return _sums_of_parts(self.code, None, bounds, self.n_codes)


def active_days(orders: CodedTable) -> ActiveDays:
    """Return the distinct days of each code."""
    least, key = _day_keys(orders)
    return _days_of_keys(unique_keys(key) if len(key) else key, least, orders.n_codes)


def cut_days(orders: CodedTable, slices: Slices) -> tuple[ActiveDays, Array]:
    """Return the distinct days of each code, and the counts of them where an edge cuts a day.

    Of a day that is cut, what counts is its last order.
    """
    least, key = _day_keys(orders)
    keys, place = np.unique(key, return_inverse=True)
    latest = np.zeros(len(keys), np.int64)
    np.maximum.at(latest, place, orders.edges_passed(slices))
    found = _days_of_keys(keys, least, orders.n_codes)
    return found, sums_by_edge(found.code, latest, len(slices.edges) + 1, orders.n_codes)


def _day_keys(orders: CodedTable) -> tuple[int, Integers]:
    """Return the first day, and for each row one number for its day since then and its code."""
    day = orders.day
    least = int(day.min()) if len(day) else 0
    return least, (day - least) * orders.n_codes + orders.code


def _days_of_keys(key: Integers, least: int, n_codes: int) -> ActiveDays:
    """Return the days and codes of distinct keys in ascending order."""
    day, code = np.divmod(key, max(n_codes, 1))
    return ActiveDays(code=code, day=day + least, n_codes=n_codes)
