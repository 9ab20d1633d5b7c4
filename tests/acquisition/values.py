"""Value by age and payback by hand: loops over customers and dates, without the library."""

import math
import statistics
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from scipy import stats

from tables import Row


def histories(rows: Sequence[Row]) -> dict[Any, dict[date, float]]:
    """Return what each customer paid on each day."""
    found: dict[Any, dict[date, float]] = {}
    for row in rows:
        own = found.setdefault(row["customer_id"], {})
        day = row["time"].date() if isinstance(row["time"], datetime) else row["time"]
        own[day] = own.get(day, 0.0) + row["amount"]
    return found


def first_segments(rows: Sequence[Row]) -> dict[Any, Any]:
    """Return the team of each customer's first row."""
    found: dict[Any, Any] = {}
    for row in sorted(rows, key=lambda one: one["time"], reverse=True):
        found[row["customer_id"]] = row["team"]
    return found


def month_of(day: date) -> date:
    return day.replace(day=1)


def value_by_hand(rows: Sequence[Row], ages: Sequence[int], end: date) -> list[Row]:
    """Return the rows of `observed_value` by team, month and age, from midnight `end` back."""
    rows = [row for row in rows if row["time"] < datetime.combine(end, datetime.min.time())]
    paid, teams = histories(rows), first_segments(rows)
    cohorts: dict[Any, list[Any]] = {}
    for who, days in paid.items():
        cohorts.setdefault((teams[who], month_of(min(days))), []).append(who)
    found = []
    for team, month in sorted(cohorts, key=lambda key: (key[0] is None, key[0] or "", key[1])):
        members = cohorts[team, month]
        for age in sorted(ages):
            old = [who for who in members if (end - min(paid[who])).days > age]
            by_then = [
                [m for day, m in paid[who].items() if (day - min(paid[who])).days <= age]
                for who in old
            ]
            own = {"team": team, "cohort": month, "age_days": age, "acquired": len(members)}
            found.append(own | {"customers": len(old), "complete": old == members} | cell(by_then))
    return found


def cell(by_then: Sequence[Sequence[float]]) -> Row:
    """Return the columns of one cell, of the amounts of each customer's days."""
    n, nan = len(by_then), math.nan
    values = [sum(amounts) for amounts in by_then]
    mean = sum(values) / n if n else nan
    lower = upper = nan
    if n > 1:
        half = stats.t.ppf(0.975, n - 1) * statistics.stdev(values) / math.sqrt(n) / mean
        lower, upper = mean * math.exp(-half), mean * math.exp(half)
    return {
        "value": sum(values) if n else nan,
        "value_per_customer": mean,
        "lower": lower,
        "upper": upper,
        "orders_per_customer": sum(map(len, by_then)) / n if n else nan,
        "repeat_share": sum(len(one) > 1 for one in by_then) / n if n else nan,
    }


def payback_by_hand(rows: Sequence[Row], cost: float, end: date) -> float:
    """Return the first day at which all customers together, all of them observed, reach a cost."""
    paid = histories(rows)
    last = min((end - min(days)).days for days in paid.values())
    for age in range(last):
        total = sum(
            amount
            for days in paid.values()
            for day, amount in days.items()
            if day - min(days) <= timedelta(days=age)
        )
        if total / len(paid) >= cost:
            return age
    return math.nan
