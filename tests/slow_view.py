"""A slow and obvious view of customers: one customer, one window and one row at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tables import Row


@dataclass(frozen=True, kw_only=True)
class SlowSource:
    """How the rows of a further table are read."""

    rows: Sequence[Row]
    amount: Sequence[str] = ()
    last: Sequence[str] = ()
    closed: str | None = None
    known_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class SlowView:
    """A view of orders with amounts, further tables and subscriptions."""

    orders: Sequence[Row]
    windows: Mapping[str, timedelta]
    order: str | None = None
    known_at: str | None = None
    customers: Sequence[Row] | None = None
    sources: Mapping[str, SlowSource] = field(default_factory=dict)
    subscriptions: Sequence[Row] | None = None
    gap: timedelta = timedelta(0)

    def at(self, as_of: datetime) -> list[Row]:
        """Return the rows of the view, by customer."""
        known = _known(self.orders, self.known_at, as_of)
        parts = {name: _known(one.rows, one.known_at, as_of) for name, one in self.sources.items()}
        started = [row for row in self.subscriptions or () if row["start"] < as_of]
        people = {row["customer_id"] for rows in (known, started, *parts.values()) for row in rows}
        people |= {row["customer_id"] for row in self.customers or ()}
        return [self._row(who, known, parts, started, as_of) for who in sorted(people)]

    def _row(
        self,
        who: Any,
        known: Sequence[Row],
        parts: Mapping[str, Sequence[Row]],
        started: Sequence[Row],
        as_of: datetime,
    ) -> Row:
        row: Row = {"customer_id": who}
        if self.customers is not None:
            own = [one for one in self.customers if one["customer_id"] == who]
            row["in_customers"] = bool(own)
            for name in self.customers[0]:
                row[name] = own[0][name] if own else (who if name == "customer_id" else None)
        row |= self._orders([one for one in known if one["customer_id"] == who], as_of)
        for name, source in self.sources.items():
            own = [one for one in parts[name] if one["customer_id"] == who]
            row |= self._source(name, source, own, as_of)
        if self.subscriptions is not None:
            own = [one for one in started if one["customer_id"] == who]
            row |= self._subscription(own, as_of)
        return row

    def _orders(self, own: Sequence[Row], as_of: datetime) -> Row:
        bought = [one for one in own if one["amount"] >= 0]
        days = [(as_of.date() - one["time"].date()).days for one in bought]
        row: Row = {
            "tenure_days": max(days) if days else None,
            "recency_days": min(days) if days else None,
            "orders": self._count(bought),
            "amount": sum(one["amount"] for one in own),
        }
        for name, length in self.windows.items():
            within = _within(bought, as_of - length, as_of)
            before = _within(bought, as_of - 2 * length, as_of - length)
            row[f"orders_{name}"] = self._count(within)
            row[f"amount_{name}"] = sum(
                one["amount"] for one in _within(own, as_of - length, as_of)
            )
            row[f"active_days_{name}"] = len({one["time"].date() for one in within})
            old = bool(days) and timedelta(max(days)) >= 2 * length
            row[f"orders_change_{name}"] = (
                self._count(within) - self._count(before) if old else None
            )
        return row

    def _count(self, rows: Sequence[Row]) -> int:
        return len(rows) if self.order is None else len({row[self.order] for row in rows})

    def _source(self, name: str, source: SlowSource, own: Sequence[Row], as_of: datetime) -> Row:
        ages = [(as_of.date() - one["time"].date()).days for one in own]
        row: Row = {name: len(own), f"{name}_last_days": min(ages) if ages else None}
        for window, length in self.windows.items():
            row[f"{name}_{window}"] = len(_within(own, as_of - length, as_of))
        for column in source.amount:
            row[f"{name}_{column}"] = sum(one[column] for one in own)
            for window, length in self.windows.items():
                within = _within(own, as_of - length, as_of)
                row[f"{name}_{column}_{window}"] = sum(one[column] for one in within)
        for column in source.last:
            there = [one for one in own if one[column] is not None]
            last = max(there, key=lambda one: (one["time"], one[column]), default=None)
            row[f"{name}_{column}"] = last and last[column]
            row[f"{name}_{column}_days"] = last and (as_of.date() - last["time"].date()).days
        if source.closed is not None:
            is_open = [one for one in own if one[source.closed] is None]
            is_open += [one for one in own if (one[source.closed] or datetime.min) >= as_of]  # noqa: DTZ901
            row[f"{name}_open"] = len(is_open)
        return row

    def _subscription(self, own: Sequence[Row], as_of: datetime) -> Row:
        running = [one for one in own if one["end"] is None or one["end"] >= as_of]
        row: Row = {"subscribed": bool(running), "subscription_days": None}
        if running:
            begin = min(one["start"] for one in running)
            while True:  # back over whatever leads up to it
                earlier = [
                    one["start"]
                    for one in own
                    if one["start"] < begin
                    and (one["end"] is None or one["end"] + self.gap >= begin)
                ]
                if not earlier:
                    break
                begin = min(earlier)
            row["subscription_days"] = (as_of.date() - begin.date()).days
        row["subscription_amount"] = sum(one["mrr"] for one in running)
        return row


def _known(rows: Iterable[Row], known_at: str | None, as_of: datetime) -> list[Row]:
    return [
        row for row in rows if row["time"] < as_of and (known_at is None or row[known_at] < as_of)
    ]


def _within(rows: Iterable[Row], begin: datetime, end: datetime) -> list[Row]:
    return [row for row in rows if begin <= row["time"] < end]
