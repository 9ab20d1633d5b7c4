"""Affinity the slow way: loops over customers, orders and pairs, from the definition."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from tables import Row

Key = tuple[Any, Any, Any]


def baskets(rows: Iterable[Row], min_trials: int, by: str | None = None) -> dict[Key, Row]:
    """Count the orders with both of each two items: by segment, item and the other."""
    orders: dict[Any, set[Any]] = defaultdict(set)
    segment = {}
    for row in rows:
        orders[row["order_id"]].add(row["item"])
        segment[row["order_id"]] = row[by] if by else None
    total = Counter(segment.values())
    n = Counter((segment[order], item) for order, items in orders.items() for item in items)
    found = {}
    for (own, item), number in n.items():
        for (others, other), of_other in n.items():
            both = sum(segment[one] == own and {item, other} <= orders[one] for one in orders)
            if own == others and item != other and both and min(number, of_other) >= min_trials:
                base = of_other / total[own]
                found[own, item, other] = {
                    "n": number,
                    "n_both": both,
                    "base_rate": base,
                    "lift": both / number / base,
                    "open": 0,
                    "median_days": None,
                }
    return found


def clock_time(time: datetime, *, window: timedelta, zone: ZoneInfo | None) -> datetime:
    """Return the time that a window is held to: days are those of the wall clock, hours pass."""
    if zone is None:
        return time
    if window % timedelta(days=1):
        return time.astimezone(UTC)
    return time.astimezone(zone).replace(tzinfo=None)


def later_purchases(
    rows: Iterable[Row],
    *,
    as_of: datetime,
    window: timedelta,
    min_trials: int,
    by: str | None = None,
    zone: ZoneInfo | None = None,
) -> dict[Key, Row]:
    """Count what customers buy in the window after the first purchase of each item."""
    wall = partial(clock_time, window=window, zone=zone)
    bought: dict[Any, dict[Any, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    segment = {}
    for row in rows:
        if row["time"] < as_of:
            bought[row["customer_id"]][row["item"]].append(row["time"])
            segment[row["customer_id"]] = row[by] if by else None
    n: Counter[Any] = Counter()
    young: Counter[Any] = Counter()
    days: dict[Any, list[int]] = defaultdict(list)
    for customer, items in bought.items():
        for item, times in items.items():
            start = min(times)
            if wall(start) + window > wall(as_of):
                young[segment[customer], item] += 1
                continue
            n[segment[customer], item] += 1
            for other, others in items.items():
                hits = [t for t in others if t > start and wall(t) < wall(start) + window]
                if hits:
                    dates = [t.astimezone(zone) if zone else t for t in (min(hits), start)]
                    gap = dates[0].date() - dates[1].date()
                    days[segment[customer], item, other].append(gap.days)
    return _estimates(n, young, days, min_trials)


def _estimates(
    n: Counter[Any], young: Counter[Any], days: dict[Any, list[int]], min_trials: int
) -> dict[Key, Row]:
    kept = {one for one in n if n[one] >= min_trials}
    days = {
        (own, item, other): gaps
        for (own, item, other), gaps in days.items()
        if {(own, item), (own, other)} <= kept
    }
    found = {}
    for (own, item, other), gaps in days.items():
        trials = sum(n[one] for one in kept if one[0] == own)
        hits = sum(len(one) for key, one in days.items() if (key[0], key[2]) == (own, other))
        base = hits / trials
        found[own, item, other] = {
            "n": n[own, item],
            "n_both": len(gaps),
            "base_rate": base,
            "lift": len(gaps) / n[own, item] / base,
            "open": young[own, item],
            "median_days": float(median(gaps)),
        }
    return found
