"""Steps of the calendar: the same day of a later month, the same hour of a later day."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from retainkit._time.periods import MONTHS_IN
from retainkit.typing import Period


def later(start: datetime, k: int, every: Period) -> datetime:
    """Return the time that lies k periods after another, on its clock; hours are elapsed time."""
    if every in MONTHS_IN:
        month = start.year * 12 + start.month - 1 + k * MONTHS_IN[every]
        year, month = month // 12, month % 12 + 1
        return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
    if every != "hour":
        return start + timedelta(days=k * (7 if every == "week" else 1))
    if start.tzinfo is None:
        return start + timedelta(hours=k)
    return (start.astimezone(UTC) + timedelta(hours=k)).astimezone(start.tzinfo)
