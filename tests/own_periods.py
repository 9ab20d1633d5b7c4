"""Periods of users' own as lists of their beginnings, made one by one, and logs to cut by them.

Nothing here is shared with the library. Times are instants in UTC, or naive times as they are.
"""

import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tables import Row

BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Periods:
    """Periods from each beginning to the next; `finite` ones have nothing outside."""

    begins: Sequence[datetime]
    labels: Sequence[Any]
    finite: bool = False

    def index(self, when: datetime) -> int:
        """Return the index of the period; -1 and the last beginning's lie outside."""
        return bisect_right(self.begins, when) - 1

    def inside(self, index: int) -> bool:
        """Return whether there is such a period."""
        return 0 <= index < len(self.begins) - 1

    def last_begun(self, as_of: datetime) -> int:
        """Return the index of the last period that began before this time."""
        begun = [i for i in range(len(self.begins) - 1) if self.begins[i] < as_of]
        return max(begun, default=-1)

    def over(self, index: int, as_of: datetime) -> bool:
        """Return whether a period has ended."""
        return self.begins[index + 1] <= as_of


def instant(when: Any, tz: str | None) -> datetime:
    """Place a time so that all compare; a date is its midnight, in the zone of the periods."""
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    if tz is None:
        return when  # type: ignore[no-any-return]
    when = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(tz))
    return when.astimezone(UTC)  # type: ignore[no-any-return]


FIRST, END = datetime(2023, 1, 1), datetime(2026, 1, 1)  # noqa: DTZ001


def periods(period: Any, tz: str | None, *, origin: str = "", year_start: int = 1) -> Periods:
    """Cut the years 2023 to 2025 into periods."""
    if isinstance(period, list):
        begins = [instant(one, tz) for one in period]
        dates = [one if isinstance(one, date) else date.fromisoformat(one) for one in period]
        return Periods(begins, dates, finite=True)
    if period == "hour":
        first, end = instant(FIRST, tz), instant(END, tz)
        begins = [first + timedelta(hours=n) for n in range(int((end - first).days * 24))]
        shown = [one.astimezone(ZoneInfo(tz)) for one in begins] if tz else begins
        return Periods(begins, shown)
    walls = []
    if period in {"month", "quarter", "year"}:
        step, month, year = {"month": 1, "quarter": 3, "year": 12}[period], year_start, 2021
        while year < 2027:
            walls.append(datetime(year, month, 1))  # noqa: DTZ001
            month += step
            year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    else:
        number, unit = period.split() if " " in period else ("1", period)
        step = int(number) * (7 if unit.startswith("week") else 1)
        begin = datetime.fromisoformat(origin or "1970-01-05")
        while begin > FIRST - timedelta(days=500):
            begin -= timedelta(days=step)
        while begin < END:
            if begin > FIRST - timedelta(days=500):
                walls.append(begin)
            begin += timedelta(days=step)
    return Periods([instant(one, tz) for one in walls], [one.date() for one in walls])


SPRINTS = ["2024-03-04", "2024-03-18", "2024-03-31", "2024-04-09", "2024-05-06"]
KINDS: dict[str, dict[str, Any]] = {
    "14 days": {"period": "14 days"},
    "3 weeks from a day": {"period": "3 weeks", "origin": "2025-06-04"},
    "10 days from a day": {"period": "10 days", "origin": "2024-01-01"},
    "fiscal quarters": {"period": "quarter", "year_start": "february"},
    "fiscal years": {"period": "year", "year_start": "april"},
    "edges": {"period": SPRINTS},
}


def seeded(names: Iterable[str], seeds: int) -> list[Any]:
    """Pair each name with several random tables, all but the first of which only CI looks at."""
    return [
        pytest.param(name, seed, marks=pytest.mark.ci if seed else ())
        for name in names
        for seed in range(seeds)
    ]


MONTHS = {"january": 1, "february": 2, "april": 4}


def cut(options: Row, tz: str | None) -> Periods:
    """Return the periods that options of the library speak of."""
    return periods(
        options["period"],
        tz,
        origin=options.get("origin", ""),
        year_start=MONTHS[options.get("year_start", "january")],
    )


def random_log(
    seed: int, first: str = "2024-02-20", days: int = 90
) -> tuple[list[Row], str | None, str | None]:
    """Make events of a few customers, around the clock's change in March; a zone, and `as_of`."""
    draw = random.Random(seed)  # noqa: S311
    kind = draw.choice(["dates", "naive", "aware"])
    tz = BERLIN if kind == "aware" else None
    begin = datetime.fromisoformat(first)
    rows = []
    for _ in range(draw.randint(30, 90)):
        when: Any = begin + timedelta(minutes=draw.randrange(days * 24 * 60))
        if draw.random() < 0.2:
            when = datetime.combine(when.date(), time())
        if kind == "aware":
            when = when.replace(tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
        rows.append(
            {
                "customer_id": draw.randrange(14),
                "time": when.date() if kind == "dates" else when,
                "amount": float(draw.randint(1, 60)),
                "team": "ab"[draw.randrange(2)],
            }
        )
    teams: dict[Any, str] = {}
    for row in rows:
        row["team"] = teams.setdefault(row["customer_id"], row["team"])
    as_of = (begin + timedelta(days=days + draw.choice([-20, 0, 15]))).date().isoformat()
    return rows, tz, as_of
