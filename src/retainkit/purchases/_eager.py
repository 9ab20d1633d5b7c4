"""Reduction of purchases on arrays, for frames in memory: several times faster than `_lazy`.

It returns the same result, with customers as codes and everything else as arrays: one element a
row of the log, a purchase or a customer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retainkit._frames.groupby import NEVER, group_sum, unique_keys
from retainkit._frames.input import from_native, instants_of
from retainkit._frames.output import build_like
from retainkit._inputs.coded_customers import CodedCustomers, code_customers
from retainkit._inputs.events import Events
from retainkit._inputs.refunds import is_purchase
from retainkit._time.zones import wall_times
from retainkit._typing import Booleans, Floats, Integers
from retainkit.purchases._carried import FIRST_AMOUNT, carried_in_memory
from retainkit.purchases._spec import PurchaseSpec, PurchaseSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows of a log: codes of customers below `n_codes`, numbers of periods, and amounts."""

    n_codes: int
    customer: Integers
    period: Integers
    amount: Floats | None

    def filter(self, kept: Booleans) -> _Rows:
        """Keep some rows."""
        amount = None if self.amount is None else self.amount[kept]
        return replace(self, customer=self.customer[kept], period=self.period[kept], amount=amount)

    def money(self) -> Floats:
        """Add up the amounts of each code."""
        return group_sum(
            np.zeros(0) if self.amount is None else self.amount, self.customer, self.n_codes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _PurchaseCounts:
    """The number of purchases of each code, and the periods of the first and the last."""

    number: Integers
    first: Integers
    last: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class _EveryRow:
    """The rows of a frame: which are before the end, and the period of each."""

    before: Booleans
    period: Integers


def reduce(log: Events, spec: PurchaseSpec) -> PurchaseSummary:
    """Summarize the purchases of each customer."""
    coded = code_customers(log)
    every, rows, rest = _split_at_end(log, coded, spec)
    counts = _count_purchases(rows)
    held = np.zeros(coded.n_codes, np.int64) if rest is None else _count_purchases(rest).number
    codes, columns = coded.ascending(np.flatnonzero(counts.number))
    columns |= _carried_columns(every, rows, coded, counts=counts, codes=codes, spec=spec)
    columns |= _summary_columns(rows, counts, codes, spec)
    if rest is not None:
        columns["frequency_holdout"] = held[codes]
        if rest.amount is not None:
            columns["monetary_value_holdout"] = _mean_amount(rest.money(), held)[codes]
        columns["duration_holdout"] = np.full(len(codes), spec.duration)
    without = (coded.row_of >= 0) & (counts.number == 0)
    in_holdout = int((without & (held > 0)).sum())
    return PurchaseSummary(
        rows=from_native(build_like(coded.frame, columns), "transactions"),
        n_customers=coded.n_customers,
        n_first_in_holdout=in_holdout,
        n_without_purchase=int(without.sum()) - in_holdout,
    )


# Purchases: the rows of one customer in one period


def _split_at_end(
    log: Events, coded: CodedCustomers, spec: PurchaseSpec
) -> tuple[_EveryRow, _Rows, _Rows | None]:
    """Return all rows, the purchases before the end and, if there is a holdout, those after it."""
    frame = coded.frame
    instant = instants_of(frame["time"])
    period = spec.merge_period.number(wall_times(instant, spec.merge_period.clock(log.zone)))
    amount = frame["amount"].to_numpy() if "amount" in log.columns else None
    rows = _Rows(n_codes=coded.n_codes, customer=coded.customer, period=period, amount=amount)
    if not spec.holdout:
        every = _EveryRow(before=np.ones(len(instant), bool), period=period)
        return every, _net_refunds(rows, spec), None
    held = instant >= spec.end.instant
    every = _EveryRow(before=~held, period=period)
    return every, _net_refunds(rows.filter(~held), spec), _net_refunds(rows.filter(held), spec)


def _net_refunds(rows: _Rows, spec: PurchaseSpec) -> _Rows:
    """Merge the rows of each purchase, and leave out those whose money nets below zero."""
    if not spec.net_refunds or rows.amount is None or not len(rows.customer):
        return rows
    key, width, least = _period_keys(rows)
    order = np.argsort(key, kind="stable")
    key, amount = key[order], rows.amount[order]
    opens = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    net, absolute = np.add.reduceat(amount, opens), np.add.reduceat(np.abs(amount), opens)
    kept = is_purchase(net, absolute)
    key = key[opens][kept]
    customer = key // width
    return replace(
        rows,
        customer=customer,
        period=key - customer * width + least,
        amount=np.maximum(net[kept], 0.0),
    )


def _period_keys(rows: _Rows) -> tuple[Integers, int, int]:
    """Number the periods of all customers: ``customer * width + (period - least)``."""
    least = int(rows.period.min(initial=NEVER))
    width = int(rows.period.max(initial=least)) - least + 1
    return rows.customer * width + (rows.period - least), width, least


# Customers


def _count_purchases(rows: _Rows) -> _PurchaseCounts:
    """Count the purchases of each code, and find the first and the last."""
    key, width, least = _period_keys(rows)
    key = unique_keys(key)
    customer = key // width
    changes = customer[1:] != customer[:-1]
    opens, closes = np.append(True, changes)[: len(key)], np.append(changes, True)[: len(key)]
    first, last = np.zeros(rows.n_codes, np.int64), np.zeros(rows.n_codes, np.int64)
    first[customer[opens]] = key[opens] - customer[opens] * width + least
    last[customer[closes]] = key[closes] - customer[closes] * width + least
    number = np.bincount(customer, minlength=rows.n_codes).astype(np.int64, copy=False)
    return _PurchaseCounts(number=number, first=first, last=last)


def _summary_columns(
    rows: _Rows, counts: _PurchaseCounts, codes: Integers, spec: PurchaseSpec
) -> dict[str, Any]:
    """Return the columns of the summary for some codes."""
    first = counts.first[codes]
    recency, T = counts.last[codes] - first, spec.last - first  # noqa: N806  the papers' name
    frequency = counts.number if spec.include_first else counts.number - 1
    columns = {
        "frequency": frequency[codes],
        "recency": recency if spec.length is None else recency / spec.length,
        "T": T if spec.length is None else T / spec.length,
    }
    if rows.amount is not None:
        if not spec.include_first:
            rows = rows.filter(rows.period > counts.first[rows.customer])
        columns["monetary_value"] = _mean_amount(rows.money(), frequency)[codes]
    return columns


def _carried_columns(
    every: _EveryRow,
    purchases: _Rows,
    coded: CodedCustomers,
    *,
    counts: _PurchaseCounts,
    codes: Integers,
    spec: PurchaseSpec,
) -> dict[str, Any]:
    """Return the columns that are carried along, for some codes."""
    if not spec.carried.inner and not spec.carried.first_amount:
        return {}
    bought = counts.number[coded.customer] > 0
    at_first = every.before & bought & (every.period == counts.first[coded.customer])
    columns: dict[str, Any] = {
        **carried_in_memory(
            spec.carried,
            coded.frame,
            coded.customer,
            codes,
            before=every.before & bought,
            at_first=at_first,
        )
    }
    if spec.carried.first_amount:
        first = purchases.filter(purchases.period == counts.first[purchases.customer])
        columns[FIRST_AMOUNT] = first.money()[codes]
    return columns


def _mean_amount(money: Floats, number: Integers) -> Floats:
    mean = np.full(len(money), np.nan)
    np.divide(money, number, out=mean, where=number > 0)
    return mean
