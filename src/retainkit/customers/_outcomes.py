"""Outcomes: orders and subscriptions after an instant, in memory and in lazy engines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import group_sum
from retainkit._frames.input import Frame
from retainkit._frames.rows import take
from retainkit._inputs.facts import as_number
from retainkit._inputs.lazy_events import Rows
from retainkit._time.moment import Moment
from retainkit._time.zones import instant_expr
from retainkit._typing import Booleans, Floats
from retainkit.customers._coded import CodedTable
from retainkit.customers._eager_view import CodedTables
from retainkit.customers._reading import SourceTable
from retainkit.customers._subscribed import SubscriptionHistory, subscribed_at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bought:
    """Whether each customer ordered in a window, and the money of all rows in it."""

    ordered: Booleans
    amount: Floats


def bought_in_memory(orders: CodedTable, begin: Moment, end: Moment) -> Bought:
    """Return what each code bought in the window [begin, end)."""
    rows = orders.between(begin, end)
    amount = rows.columns.get("amount_0", np.zeros(len(rows.code)))
    ordered = np.zeros(orders.n_codes, bool)
    ordered[rows.code[amount >= 0]] = True  # a refund is no order
    return Bought(ordered=ordered, amount=group_sum(amount, rows.code, orders.n_codes))


def bought_in_engine(
    orders: SourceTable, begin: Moment, end: Moment, known: Frame | None = None
) -> Rows:
    """Return the customers with rows in the window [begin, end): ``ordered`` and ``ahead``.

    They are those of the orders, or of the `known` ones.
    """
    time = nw.col("time")
    rows: Rows = (orders.rows if known is None else known).lazy()
    rows = rows.filter((time >= instant_expr(begin.instant)) & (time < instant_expr(end.instant)))
    has_amount = "amount_0" in orders.names
    rows = rows.select(
        "customer",
        is_order=as_number(nw.col("amount_0") >= 0) if has_amount else nw.lit(1),
        money=nw.col("amount_0") if has_amount else nw.lit(0.0),
    )
    return rows.group_by("customer").agg(
        ordered=nw.col("is_order").max(), ahead=nw.col("money").sum()
    )


def subscribed_codes(found: CodedTables, moment: Moment) -> Booleans:
    """Return which codes are subscribed at a moment."""
    marks = np.zeros(len(found.customers), bool)
    if found.tables.history is not None:
        now = subscribed_at(found.tables.history, moment)
        marks[found.subscriber[now.row[now.subscribed]]] = True
    return marks


def stayed(
    history: SubscriptionHistory, moment: Moment, end: Moment
) -> tuple[nw.Series[Any], Booleans]:
    """Return the customers subscribed at a moment, and which of them are at the `end` too."""
    now, then = subscribed_at(history, moment), subscribed_at(history, end)
    code = history.ordered.customer
    still = np.zeros(int(code.max(initial=-1)) + 1, bool)
    still[code[then.row[then.subscribed]]] = True
    row = now.row[now.subscribed]
    return take(history.customers, row), still[code[row]]
