"""Who is subscribed at an instant, since when, and what it brings.

Only what had started before the instant is looked at: a subscription that resumes later, within the
gap, was not known to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect
from retainkit._frames.rows import take
from retainkit._inputs.continuous_subscriptions import merge_overlapping, read_with_rows
from retainkit._inputs.facts import count_true
from retainkit._inputs.ordered_subscriptions import OrderedSubscriptions
from retainkit._inputs.subscriptions import (
    SubscriptionOptions,
    Subscriptions,
    read_subscriptions,
)
from retainkit._stats.money import money_unit
from retainkit._time.moment import Moment, moment_on_clock
from retainkit._time.periods import DAY
from retainkit._time.zones import instant_expr
from retainkit._typing import Booleans, Floats, Integers
from retainkit.customers._options import SUBSCRIBED, ViewOptions

# Nothing is left out because it is yet to come: what had started is chosen for each instant.
_NO_END = "9999-12-30"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubscriptionHistory:
    """Subscriptions in memory. `customers` has the customer of each row of `ordered`."""

    subscriptions: Subscriptions
    customers: nw.Series[Any]
    ordered: OrderedSubscriptions

    def n_unused(self, end: Moment) -> int:
        """Count the rows that start at a moment or after it."""
        late = nw.col("start") >= instant_expr(end.instant)
        return count_true(self.subscriptions.rows, {"late": late})["late"]

    def last_start(self) -> int:
        """Return the instant of the last start."""
        if not len(self.ordered.begin):
            return 0
        return moment_on_clock(int(self.ordered.begin.max()), self.subscriptions.zone).instant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubscribedCustomers:
    """Who had a subscription that started before an instant: the row of one, and what it was.

    `days` since the current run began are meaningless where nobody is `subscribed`.
    """

    row: Integers
    subscribed: Booleans
    days: Integers
    amount: Floats

    def columns(self, *, has_amount: bool) -> dict[str, Any]:
        """Return the columns of the result."""
        values = (self.subscribed, (self.days, ~self.subscribed), self.amount)
        return dict(zip(SUBSCRIBED[: 3 if has_amount else 2], values, strict=False))


def read_history(options: ViewOptions, tz: str | None) -> SubscriptionHistory:
    """Read subscriptions into memory."""
    subscriptions = read_subscriptions(
        options.subscriptions,
        SubscriptionOptions(
            customer=options.customer,
            start=options.start,
            end=options.end,
            end_is=options.end_is,
            gap=options.gap,
            amount=options.subscription_amount,
            as_of=_NO_END,
            tz=tz,
            missing=options.missing,
            argument_names={"amount": "subscription_amount"},
        ),
    )
    rows = subscriptions.rows
    table = collect(rows.filter(nw.col("amount") > 0) if subscriptions.free else rows)
    ordered, _ = read_with_rows(replace(subscriptions, rows=table), places=True)
    customers = take(table["customer"], ordered.row)
    return SubscriptionHistory(subscriptions=subscriptions, customers=customers, ordered=ordered)


def subscribed_at(history: SubscriptionHistory, end: Moment) -> SubscribedCustomers:
    """Return the customers whose first subscription had started, and who of them is subscribed."""
    every = history.ordered
    started = np.flatnonzero(every.begin < end.wall)
    rows = _rows(every, started)
    opens = np.flatnonzero(np.append(True, rows.customer[1:] != rows.customer[:-1])[: len(started)])
    owner = np.repeat(np.arange(len(opens)), np.diff(np.append(opens, len(started))))
    runs = merge_overlapping(replace(rows, customer=owner), history.subscriptions.gap)
    n = len(opens)
    running = runs.end >= end.wall
    begin = np.full(n, end.wall)
    begin[runs.customer[running]] = runs.begin[running]
    runs_now = rows.end >= end.wall
    unit = money_unit(every.amount)
    sums = np.zeros(n, np.int64)
    np.add.at(sums, owner[runs_now], unit.to_integers(rows.amount[runs_now]))
    return SubscribedCustomers(
        row=started[opens],
        subscribed=np.bincount(runs.customer[running], minlength=n) > 0,
        days=end.wall // DAY - begin // DAY,
        amount=unit.to_amounts(unit.round(sums)),
    )


def _rows(ordered: OrderedSubscriptions, rows: Integers) -> OrderedSubscriptions:
    """Return some of the ordered subscriptions."""
    return replace(
        ordered,
        customer=ordered.customer[rows],
        begin=ordered.begin[rows],
        end=ordered.end[rows],
        segment=ordered.segment[rows],
        entry=None,
        reason=None,
        amount=ordered.amount[rows],
    )
