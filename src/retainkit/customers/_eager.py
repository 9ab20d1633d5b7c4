"""Reduction of orders and sources on arrays, for frames in memory.

It returns the same columns as `_lazy`. Customers are codes, the same in all tables; each column has
an element a code. A row's slice is the number of edges of windows that it has passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import factorize
from retainkit._frames.groupby import NEVER, group_min, sort_order, unique_keys
from retainkit._frames.input import collect, instants_of, instants_or
from retainkit._frames.output import integers_or_null
from retainkit._frames.rows import keep_rows, take, take_or_null
from retainkit._messages import count_noun, warn
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY
from retainkit._time.zones import wall_times
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.customers._options import ViewSpec
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import Slices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedTable:
    """A table in memory, with the codes of its customers, below `n_codes`, and its instants."""

    table: SourceTable
    rows: nw.DataFrame[Any]
    code: Integers
    instant: Integers
    n_codes: int

    def known(self, end: Moment) -> CodedTable:
        """Keep the rows that were known before a moment."""
        kept = self.instant < end.instant
        if "known_at" in self.table.names:
            kept &= instants_of(self.rows["known_at"]) < end.instant
        return self if kept.all() else self.filter(kept)

    def filter(self, kept: Booleans) -> CodedTable:
        """Keep some rows."""
        return CodedTable(
            table=self.table,
            rows=keep_rows(self.rows, kept),
            code=self.code[kept],
            instant=self.instant[kept],
            n_codes=self.n_codes,
        )

    def numbers(self, column: str) -> Floats:
        """Return a column of numbers."""
        numbers: Floats = self.rows[column].to_numpy()
        return numbers

    @property
    def day(self) -> Integers:
        """The day of each row, on the wall clock."""
        return wall_times(self.instant, self.table.zone) // DAY

    def slice_of(self, slices: Slices) -> Integers:
        """Return how many edges each row has passed."""
        edges = np.array([edge.instant for edge in slices.edges], np.int64)
        return np.searchsorted(edges, self.instant, side="right")


def coded(table: SourceTable, code: Integers, n_codes: int) -> CodedTable:
    """Read a table into memory."""
    rows = collect(table.rows)
    return CodedTable(
        table=table, rows=rows, code=code, instant=instants_of(rows["time"]), n_codes=n_codes
    )


# Sums in slices


def _in_slices(
    code: Integers, own: Integers, slices: Slices, n_codes: int, values: Floats | None = None
) -> Array:
    """Count rows, or add up values, by code from each number of edges passed on.

    Element [c, i] is of the rows that have passed i edges or more.
    """
    size = len(slices.edges) + 1
    sums = np.bincount(code * size + own, values, n_codes * size).reshape(n_codes, size)
    if values is not None:  # of nothing at all the sum is an integer
        sums = sums.astype(np.float64, copy=False)
    from_on: Array = np.cumsum(sums[:, ::-1], axis=1)[:, ::-1]
    return from_on


def order_columns(orders: CodedTable, spec: ViewSpec, slices: Slices) -> dict[str, Any]:
    """Return the columns of orders that were known before the end of the slices."""
    n = orders.n_codes
    own = orders.slice_of(slices)
    amount = orders.numbers("amount_0") if spec.has_amount else None
    is_order = None if amount is None or not (amount < 0).any() else amount >= 0
    bought, bought_in = orders, own
    if is_order is not None:  # a refund is no order, but its money counts
        bought, bought_in = orders.filter(is_order), own[is_order]
    total, within, before = _order_counts(bought, bought_in, slices)
    first, last, active = _days(bought, bought_in, slices)
    money = None if amount is None else _in_slices(orders.code, own, slices, n, amount)
    never = first == NEVER
    tenure = np.where(never, 0, slices.day - first)
    columns: dict[str, Any] = {
        "tenure_days": (tenure, never),
        "recency_days": (np.where(never, 0, slices.day - last), never),
        "orders": total,
    }
    if money is not None:
        columns["amount"] = money[:, 0]
    for window in spec.windows:
        begins, number = slices.begins[window.name], within[window.name]
        columns[f"orders_{window.name}"] = number
        if money is not None:
            columns[f"amount_{window.name}"] = money[:, begins]
        columns[f"active_days_{window.name}"] = active[:, begins]
        change = number - before[window.name]
        young = never | (tenure * DAY < 2 * window.microseconds)
        columns[f"orders_change_{window.name}"] = (np.where(young, 0, change), young)
    return columns


def _order_counts(
    orders: CodedTable, own: Integers, slices: Slices
) -> tuple[Integers, dict[str, Integers], dict[str, Integers]]:
    """Count the orders of each code: all, those in each window, those in the one before it.

    They are rows, or the distinct orders of several rows. One with lines in both windows is in
    both.
    """
    n, windows = orders.n_codes, [*slices.begins]
    if "order" not in orders.rows.columns:
        sums = _in_slices(orders.code, own, slices, n)
        within = {name: sums[:, slices.begins[name]] for name in windows}
        before = {name: sums[:, slices.before[name]] - within[name] for name in windows}
        return sums[:, 0], within, before
    order, _ = factorize(orders.rows["order"], sort=False)
    width = int(order.max(initial=0)) + 1
    pairs, pair = np.unique(orders.code * width + order, return_inverse=True)

    def distinct(rows: Booleans) -> Integers:
        occurs = np.zeros(len(pairs), bool)
        occurs[pair[rows]] = True
        return np.bincount(pairs[occurs] // width, minlength=n)

    within = {name: distinct(own >= slices.begins[name]) for name in windows}
    before = {
        name: distinct((own >= slices.before[name]) & (own < slices.begins[name]))
        for name in windows
    }
    return np.bincount(pairs // width, minlength=n), within, before


def _days(orders: CodedTable, own: Integers, slices: Slices) -> tuple[Integers, Integers, Array]:
    """Return the first and the last day of each code, and how many days from each edge on."""
    n, size = orders.n_codes, len(slices.edges) + 1
    day = orders.day
    least = int(day.min(initial=slices.day))
    width = slices.day - least + 1
    pair = orders.code * width + (day - least)
    if slices.whole_days:
        pair = unique_keys(pair) if len(pair) else pair
        passed = _edges_passed(pair % width + least, slices)
    else:  # of a day that is cut, what counts is its last order
        key = unique_keys(pair * size + own) if len(pair) else pair
        pair, passed = key // size, key % size
        last = np.append(pair[1:] != pair[:-1], True)[: len(pair)]
        pair, passed = pair[last], passed[last]
    code = pair // width
    first, latest = np.full(n, NEVER), np.full(n, NEVER)
    changes = code[1:] != code[:-1]
    opens, closes = np.append(True, changes)[: len(code)], np.append(changes, True)[: len(code)]
    first[code[opens]] = pair[opens] % width + least
    latest[code[closes]] = pair[closes] % width + least
    return first, latest, _in_slices(code, passed, slices, n)


def _edges_passed(day: Integers, slices: Slices) -> Integers:
    edges = np.array([edge.wall // DAY for edge in slices.edges], np.int64)
    return np.searchsorted(edges, day, side="right")


# Sources


def source_columns(rows: CodedTable, spec: ViewSpec, slices: Slices) -> dict[str, Any]:
    """Return the columns of a further table, of the rows known before the end of the slices."""
    name, n = rows.table.name, rows.n_codes
    own = rows.slice_of(slices)
    source = spec.sources[name]
    columns: dict[str, Any] = {}

    def add(column: str, sums: Array) -> None:
        columns[column] = sums[:, 0]
        for window in spec.windows:
            columns[f"{column}_{window.name}"] = sums[:, slices.begins[window.name]]

    add(name, _in_slices(rows.code, own, slices, n))
    columns[f"{name}_last_days"] = _age(_latest(rows), rows, slices)
    for column, argument in zip(source.amount, rows.table.numbered("amount"), strict=True):
        add(f"{name}_{column}", _in_slices(rows.code, own, slices, n, rows.numbers(argument)))
    for column, argument in zip(source.last, rows.table.numbered("last"), strict=True):
        values, age = _latest_value(rows, argument, slices)
        columns |= {f"{name}_{column}": values, f"{name}_{column}_days": age}
    if source.closed is not None:
        closed = instants_or(rows.rows["closed"], NEVER)
        is_open = closed >= slices.end.instant
        columns[f"{name}_open"] = np.bincount(rows.code[is_open], minlength=n)
    return columns


def _latest(rows: CodedTable) -> Integers:
    """Return the latest instant of each code, `NEVER` where it has none."""
    latest = -group_min(-rows.instant, rows.code, rows.n_codes)
    return np.where(latest == -NEVER, NEVER, latest)


def _age(instant: Integers, rows: CodedTable, slices: Slices) -> tuple[Integers, Booleans]:
    """Return the days from instants to the end, and which of them are `NEVER`."""
    never = instant == NEVER
    age = np.zeros(len(instant), np.int64)
    age[~never] = slices.day - wall_times(instant[~never], rows.table.zone) // DAY
    return age, never


def _latest_value(
    rows: CodedTable, argument: str, slices: Slices
) -> tuple[nw.Series[Any], tuple[Integers, Booleans]]:
    """Return the latest value of each code that is not null, and its age.

    Of several at the same instant that is the greatest; a warning counts them.
    """
    present = ~rows.rows[argument].is_null().to_numpy().astype(bool)
    rows = rows if present.all() else rows.filter(present)
    values = rows.rows[argument]
    rank, _ = factorize(values, sort=True)
    order = sort_order(rows.code, rows.instant, rank)
    code, instant, rank = rows.code[order], rows.instant[order], rank[order]
    closes = np.append(code[1:] != code[:-1], True)[: len(code)]
    row_of = np.full(rows.n_codes, -1)
    row_of[code[closes]] = order[closes]
    latest = np.full(rows.n_codes, NEVER)
    latest[code[closes]] = instant[closes]
    before = np.flatnonzero(closes[1:]) if len(code) else np.zeros(0, np.int64)
    tied = (code[before] == code[before + 1]) & (instant[before] == instant[before + 1])
    n_tied = int((tied & (rank[before] < rank[before + 1])).sum())
    warn_of_ties(rows.table, argument, n_tied, int(closes.sum()))
    return take_or_null(values, row_of), _age(latest, rows, slices)


def warn_of_ties(table: SourceTable, argument: str, number: int, total: int) -> None:
    """Warn of customers, of so many in all, with several latest values."""
    if number:
        warn(
            f"{count_noun(number, 'customer')} with several values of {table.source(argument)} at "
            "the latest instant, of which the greatest is taken.",
            code="several_values",
            argument=table.own_name(argument),
            column=table.names[argument],
            rows=number,
            total=total,
        )


# Columns of a result


def built(
    given: nw.DataFrame[Any], columns: Mapping[str, Any], codes: Integers
) -> Iterator[tuple[str, Any]]:
    """Return the elements of some codes in each column, with nullable integers where they are."""
    for name, values in columns.items():
        if isinstance(values, tuple):
            numbers, null = values
            yield name, integers_or_null(given, name, numbers[codes], null[codes])
        elif isinstance(values, nw.Series):
            yield name, take(values, codes)
        else:
            yield name, values[codes]
