"""Windows before and after an instant: days of the wall clock, hours of elapsed time.

The reference is Python's own arithmetic: dates for days, instants in UTC for hours.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from retainkit._time.moment import as_of_moment
from retainkit._time.windows import read_window, read_windows
from retainkit.errors import RetainkitError

BERLIN = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("90D", "90d"),
        (" 90 Days ", "90days"),
        ("12H", "12h"),
        ("4W", "4w"),
        (timedelta(90), "90d"),
        (timedelta(hours=12), "12h"),
        (np.timedelta64(4, "W"), "28d"),
    ],
)
def test_a_window_names_columns_by_its_text(value: Any, name: str) -> None:
    assert read_window("windows", value).name == name


# The clocks go forward on 2024-03-31 and back on 2024-10-27.
@pytest.mark.parametrize("day", ["2024-04-01", "2024-10-28"])
def test_days_are_those_of_the_wall_clock_and_hours_are_elapsed(day: str) -> None:
    end = as_of_moment(day, BERLIN)
    local = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    days = read_window("window", "2D").before(end, BERLIN)
    assert days.instant == instant(local - timedelta(2))  # Python subtracts on the wall clock
    assert str(days) == (datetime.fromisoformat(day) - timedelta(2)).date().isoformat()
    hours = read_window("window", "48H").before(end, BERLIN)
    assert hours.instant == instant(local.astimezone(UTC) - timedelta(hours=48))
    assert days.instant != hours.instant


def test_before_and_after_undo_each_other() -> None:
    moment = as_of_moment("2024-07-01", BERLIN)
    for text in ("365D", "7W", "100H"):
        window = read_window("window", text)
        assert window.after(window.before(moment, BERLIN), BERLIN) == moment
        assert window.before(moment, BERLIN, 2) == window.before(
            window.before(moment, BERLIN), BERLIN
        )


@pytest.mark.parametrize("zone", [None, BERLIN])
def test_what_lies_beyond_the_calendar_ends_with_it(zone: ZoneInfo | None) -> None:
    moment = as_of_moment("0005-01-01", zone)
    assert read_window("window", "3650D").before(moment, zone).instant < moment.instant


@pytest.mark.parametrize("value", ["3 months", "0D", 90, "90", ["1D", "1d"], ["7D", "0D"], 5])
def test_what_is_no_window_is_refused(value: Any) -> None:
    with pytest.raises(RetainkitError, match="`windows`"):
        read_windows("windows", value)
