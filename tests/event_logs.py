"""Random event logs, and what the slow references of event-log metrics share.

They know nothing of the library: days and periods are dates, customers are members of sets.
"""

import math
import random
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from retainkit import RetainkitWarning
from tables import Row, rows_of

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
SPAN = {"day": 12, "week": 60, "month": 300, "quarter": 800, "year": 2000}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
# Around the changes of the clock in Europe and America, and a leap day; before 1970.
FIRST_DAYS = [date(2024, 3, 22), date(2024, 10, 24), date(2020, 1, 25), date(1968, 10, 24)]
# Midnight, the microsecond before it, hours that the change of the clock skips or doubles.
CLOCK_TIMES = [
    timedelta(),
    timedelta(hours=24, microseconds=-1),
    timedelta(hours=1, minutes=45),
    timedelta(hours=2, minutes=30),
    timedelta(hours=23, minutes=15),
]


def log(*orders: tuple[Any, ...], names: Sequence[str] = ("customer_id", "time", "amount")) -> Any:
    """Make a pandas frame of events: customer, time, amount."""
    frame = pd.DataFrame(orders, columns=list(names[: len(orders[0])]))
    return frame.assign(time=np.array(frame["time"].to_list(), "M8[us]"))


def quietly(function: Any, frame: Any, **options: Any) -> list[Row]:
    """Return the rows of a result; something may be set aside, and here that is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(function(frame, **options))


def assert_same(actual: Sequence[Row], expected: Sequence[Row]) -> None:
    """Compare tables row by row, floats to 1e-9, undefined equal to undefined."""
    assert len(actual) == len(expected)
    for have, want in zip(actual, expected, strict=True):
        assert list(have) == list(want)
        for name, value in want.items():
            if isinstance(value, float):
                want_it = None if math.isnan(value) else pytest.approx(value, rel=1e-9, abs=1e-9)
                assert have[name] == want_it, (name, have, want)
            else:
                assert have[name] == value, (name, have, want)


def random_log(seed: int, period: str) -> tuple[list[Row], dict[str, Any]]:
    """Make events of a few customers, and the options that say how their times are read."""
    draw = random.Random(seed)  # noqa: S311
    kind = draw.choice(["dates", "naive", "aware"])
    first = draw.choice(FIRST_DAYS)
    stored = draw.choice([BERLIN, NEW_YORK, "UTC"])
    options: dict[str, Any] = {"tz": None, "by": draw.choice([[], ["team"], ["plan", "team"]])}
    if kind == "aware":
        options["tz"] = draw.choice([BERLIN, NEW_YORK])

    def moment(extra: int = 0) -> Any:
        day = first + timedelta(days=draw.randrange(SPAN[period] + extra))
        if kind == "dates":
            return day
        return datetime.combine(day, time()) + draw.choice(CLOCK_TIMES)

    teams = {who: draw.choice(["a", "b", None]) for who in range(9)}
    rows = []
    for _ in range(draw.randint(1, 70)):
        who = draw.choice([0, 0, 0, 1, 1, *range(9)])
        when = moment()
        if kind == "aware":
            when = when.replace(tzinfo=ZoneInfo(stored), fold=draw.randrange(2))
            when = when.astimezone(UTC).astimezone(ZoneInfo(stored))
        rows.append(
            {
                "customer_id": who,
                "time": when,
                "amount": round(draw.uniform(-5, 60), 2),
                "plan": draw.choice([7, 30]),
                "team": teams[who],
            }
        )
    if draw.random() < 0.7:
        options["as_of"] = moment(SPAN[period] // 3)
    return rows, options


LIKE = {"customer_id": 1, "time": datetime(2024, 1, 1), "amount": 1.0, "plan": 1, "team": "a"}  # noqa: DTZ001
"""A row that shows the columns and their types."""


def like(rows: list[Row]) -> Row:
    """Show columns and types by the first row."""
    return LIKE | {"time": rows[0]["time"]}


def wall(when: Any, tz: str | None) -> datetime:
    """Return the time of the clock in the zone of the periods."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return when.astimezone(ZoneInfo(tz)).replace(tzinfo=None) if tz else when  # type: ignore[no-any-return]


def instant(when: Any, tz: str | None) -> datetime:
    """Place a time so that all compare; one without a zone is read in that of the periods."""
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    if tz and when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(tz))
    return when.astimezone(UTC) if when.tzinfo else when  # type: ignore[no-any-return]


def end_of(rows: list[Row], tz: str | None, as_of: Any = None) -> datetime:
    """Return the time of the clock when observation ends."""
    if as_of is not None:
        return wall(instant(as_of, tz), tz)
    last = max(wall(row["time"], tz).date() for row in rows)
    return datetime.combine(last + timedelta(days=1), time())


def seen(rows: list[Row], tz: str | None, as_of: Any = None) -> list[Row]:
    """Return the rows before the end of observation, each with its ``day``."""
    kept = rows
    if as_of is not None:
        end = instant(as_of, tz)
        kept = [row for row in rows if instant(row["time"], tz) < end]
    return [row | {"day": wall(row["time"], tz).date()} for row in kept]


def segments_of(rows: list[Row], tz: str | None, by: Sequence[str]) -> dict[Any, tuple[Any, ...]]:
    """Return each customer's segment: the smallest at the first instant, null last."""
    found: dict[Any, Any] = {}
    for row in rows:
        key = (instant(row["time"], tz), [(row[name] is None, row[name]) for name in by])
        who = row["customer_id"]
        if who not in found or _less(key, found[who]):
            found[who] = key
    return {who: tuple(value for _, value in key[1]) for who, key in found.items()}


def _less(one: Any, other: Any) -> bool:
    return bool((one[0], in_order(one[1])) < (other[0], in_order(other[1])))


def in_order(values: Sequence[tuple[bool, Any]]) -> list[Any]:
    """Make what sorts: nulls last."""
    return [(missing, 0 if missing else value) for missing, value in values]


def by_segment(segment_of: dict[Any, tuple[Any, ...]]) -> dict[tuple[Any, ...], set[Any]]:
    """Return the customers of each segment, in the order of segments, nulls last."""
    found = sorted(
        set(segment_of.values()),
        key=lambda one: in_order([(value is None, value) for value in one]),
    )
    return {one: {who for who, its in segment_of.items() if its == one} for one in found}


def start_of(day: date, period: str, week_start: str = "monday") -> date:
    """Return the first day of the period that holds a day."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return date(day.year, month, 1)


def next_start(day: date, period: str, week_start: str = "monday") -> date:
    """Return the first day of the next period."""
    while start_of(day, period, week_start) == start_of(
        day + timedelta(days=1), period, week_start
    ):
        day += timedelta(days=1)
    return day + timedelta(days=1)


def periods_between(first: date, end: datetime, period: str, week_start: str) -> list[date]:
    """List the periods that have begun before the end, from the one that holds the first day on."""
    starts = [start_of(first, period, week_start)]
    while datetime.combine(next_start(starts[-1], period, week_start), time()) < end:
        starts.append(next_start(starts[-1], period, week_start))
    return starts


def wilson(count: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Solve (p - count/n)^2 = z^2 p (1 - p) / n for p, by the formula for quadratic equations."""
    if n == 0:
        return math.nan, math.nan
    a, b, c = 1 + z * z / n, -(2 * count / n + z * z / n), (count / n) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def share(part: float, whole: float) -> float:
    """Divide; of nothing there is no share."""
    return part / whole if whole else math.nan
