"""Reduction of orders and sources on arrays, for frames in memory.

It returns the same columns as `_lazy`. Customers are codes, the same in all tables; each column has
an element a code. Integers that may be null come as a pair: the integers, and which are null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import NEVER, group_min, sort_order
from retainkit._frames.output import integers_or_null
from retainkit._frames.rows import take, take_or_null
from retainkit._messages import count_noun, warn
from retainkit._time.periods import DAY
from retainkit._time.zones import wall_times
from retainkit._typing import Booleans, Integers
from retainkit.customers._coded import ActiveDays, CodedTable, active_days, cut_days
from retainkit.customers._options import ViewSpec
from retainkit.customers._reading import SourceTable
from retainkit.customers._slices import Slices


def order_columns(
    orders: CodedTable, spec: ViewSpec, slices: Slices, days: ActiveDays | None
) -> dict[str, Any]:
    """Return the columns of orders that were known before the end of the slices.

    `days` are those of all orders, if they are known already.
    """
    bought = orders.bought
    total, within, before = _order_counts(bought, slices)
    if slices.whole_days:
        days = active_days(bought) if days is None else days.before(slices)
        active = days.sums(slices)
    else:
        days, active = cut_days(bought, slices)
    first, last = days.ends()
    money = orders.sums(slices, orders.columns["amount_0"]) if spec.has_amount else None
    never = first == NEVER
    tenure = np.where(never, 0, slices.day - first)
    columns: dict[str, Any] = {
        "tenure_days": (tenure, never),
        "recency_days": (np.where(never, 0, slices.day - last), never),
        "orders": total,
    }
    if money is not None:
        columns["amount"] = money[0]
    for window in spec.windows:
        begins, number = slices.passed(slices.begins[window.name]), within[window.name]
        columns[f"orders_{window.name}"] = number
        if money is not None:
            columns[f"amount_{window.name}"] = money[begins]
        columns[f"active_days_{window.name}"] = active[begins]
        change = number - before[window.name]
        young = never | (tenure * DAY < 2 * window.microseconds)
        columns[f"orders_change_{window.name}"] = (np.where(young, 0, change), young)
    return columns


def _order_counts(
    orders: CodedTable, slices: Slices
) -> tuple[Integers, dict[str, Integers], dict[str, Integers]]:
    """Count the orders of each code: all, those in each window, those in the one before it.

    They are rows, or the distinct orders of several rows. One with lines in both windows is in
    both.
    """
    begins = {name: slices.passed(edge) for name, edge in slices.begins.items()}
    before = {name: slices.passed(edge) for name, edge in slices.before.items()}
    if "order" not in orders.columns:
        sums = orders.sums(slices)
        within = {name: sums[begin] for name, begin in begins.items()}
        return sums[0], within, {name: sums[before[name]] - within[name] for name in begins}
    own, n, order = orders.edges_passed(slices), orders.n_codes, orders.columns["order"]
    width = int(order.max(initial=0)) + 1
    pairs, pair = np.unique(orders.code * width + order, return_inverse=True)

    def distinct(rows: Booleans) -> Integers:
        occurs = np.zeros(len(pairs), bool)
        occurs[pair[rows]] = True
        return np.bincount(pairs[occurs] // width, minlength=n)

    within = {name: distinct(own >= begin) for name, begin in begins.items()}
    earlier = {name: distinct((own >= before[name]) & (own < begins[name])) for name in begins}
    return np.bincount(pairs // width, minlength=n), within, earlier


# Sources


def source_columns(rows: CodedTable, spec: ViewSpec, slices: Slices) -> dict[str, Any]:
    """Return the columns of a further table, of the rows known before the end of the slices."""
    name, source = rows.table.name, spec.sources[rows.table.name]
    begins = {one.name: slices.passed(slices.begins[one.name]) for one in spec.windows}
    columns: dict[str, Any] = {}

    def add(column: str, values: Any = None) -> None:
        sums = rows.sums(slices, values)
        columns[column] = sums[0]
        for window, begin in begins.items():
            columns[f"{column}_{window}"] = sums[begin]

    add(name)
    columns[f"{name}_last_days"] = _age(_latest(rows), rows, slices)
    for column, argument in zip(source.amount, rows.table.numbered("amount"), strict=True):
        add(f"{name}_{column}", rows.columns[argument])
    for column, argument in zip(source.last, rows.table.numbered("last"), strict=True):
        values, age = _latest_value(rows, argument, slices)
        columns |= {f"{name}_{column}": values, f"{name}_{column}_days": age}
    if source.closed is not None:
        is_open = rows.columns["closed"] >= slices.end.instant
        columns[f"{name}_open"] = np.bincount(rows.code[is_open], minlength=rows.n_codes)
    return columns


def _latest(rows: CodedTable) -> Integers:
    """Return the latest instant of each code, `NEVER` where it has none."""
    if rows.ordered:
        latest = np.full(rows.n_codes, NEVER)
        latest[rows.code] = rows.instant  # of several the last one stays
        return latest
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
    present = rows.columns[argument] >= 0
    rows = rows if present.all() else rows.part(present)
    rank = rows.columns[argument]
    order = sort_order(rows.code, rows.instant, rank)
    code, instant, rank = rows.code[order], rows.instant[order], rank[order]
    closes = np.append(code[1:] != code[:-1], True)[: len(code)]
    row_of = np.full(rows.n_codes, -1)
    row_of[code[closes]] = rows.row[order[closes]]
    latest = np.full(rows.n_codes, NEVER)
    latest[code[closes]] = instant[closes]
    # Of each code, the last row and the one before it.
    last = np.flatnonzero(closes)
    last = last[(last > 0) & ~np.append(True, closes[:-1])[last]] if len(last) else last
    tied = (instant[last - 1] == instant[last]) & (rank[last - 1] < rank[last])
    warn_of_ties(rows.table, argument, int(tied.sum()), int(closes.sum()))
    return take_or_null(rows.frame[argument], row_of), _age(latest, rows, slices)


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
