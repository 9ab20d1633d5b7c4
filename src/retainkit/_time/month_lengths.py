"""Lengths of spans in months, by which what is paid for them becomes a monthly amount."""

from __future__ import annotations

import numpy as np

from retainkit._time.elapsed import elapsed_time
from retainkit._time.grid import MONTHS
from retainkit._time.periods import DAY
from retainkit._typing import Floats, Integers


def length_in_months(begin: Integers, end: Integers) -> Floats:
    """Length of spans of wall time in months; each ends after it begins.

    Whole calendar months are counted, also those from one last day of a month to another. Else a
    whole week is 12 / 52 of a month, and a day 12 / 365.
    """
    start, stop = elapsed_time(begin, begin), elapsed_time(end, end)
    full = stop.since(start, MONTHS)
    # The last step ends at the very end.
    whole = full > elapsed_time(end - 1, end - 1).since(start, MONTHS)
    left, left_at_end = (one.days * DAY - one.rest for one in (start, stop))
    last_days = (left == left_at_end) & (left <= DAY) & (stop.month > start.month)
    days = (end - begin) / DAY
    parts = np.where(days % 7 == 0, days / 7 * 12 / 52, days * 12 / 365)
    months = np.where(last_days, stop.month - start.month, np.where(whole, full, parts))
    return months.astype(np.float64)
