"""Growth, active users and inactivity in periods of users' own, against sets of customers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from backends import Backend
from event_logs import log, quietly
from own_periods import BERLIN, KINDS, SPRINTS, Periods, cut, instant, periods, random_log, seeded
from retainkit import active_users, growth_accounting, inactivity_churn
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, plain, rows_of

COUNTS = ["period", "active", "new", "retained", "resurrected", "churned", "complete"]
CASES = seeded(KINDS, 4)


def slow_growth(rows: list[Row], cuts: Periods, tz: str | None, as_of: str) -> list[list[Any]]:
    """Count with sets, period by period; what came before the edges is known, and in no period."""
    end = instant(as_of, tz)
    seen = [(row["customer_id"], instant(row["time"], tz)) for row in rows]
    visits = [(who, cuts.index(when)) for who, when in seen if when < end]
    known = {who for who, index in visits if index < 0}
    inside = [(who, index) for who, index in visits if cuts.inside(index)]
    first = 0 if known else min((index for _, index in inside), default=0)
    before: set[Any] = set()
    table = []
    for index in range(first, cuts.last_begun(end) + 1):
        now = {who for who, one in inside if one == index}
        table.append(
            [
                cuts.labels[index],
                len(now),
                len(now - known),
                len(now & before),
                len((now & known) - before),
                len(before - now),
                cuts.over(index, end),
            ]
        )
        before, known = now, known | now
    return table


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_growth_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = KINDS[name]
    frame = backend.make(rows)
    found = quietly(growth_accounting, frame, **options, tz=tz, as_of=as_of, include_partial=True)
    want = slow_growth(rows, cut(options, tz), tz, str(as_of))
    assert [[row[column] for column in COUNTS] for row in found] == want


@pytest.mark.parametrize("seed", range(4))
def test_growth_by_the_hour_over_a_change_of_the_clock(seed: int, backend: Backend) -> None:
    rows, tz, _ = random_log(seed, first="2024-03-30", days=2)
    as_of = "2024-04-01"
    frame = backend.make(rows)
    found = quietly(
        growth_accounting, frame, period="hour", tz=tz, as_of=as_of, include_partial=True
    )
    want = [
        [plain(period), *counts]
        for period, *counts in slow_growth(rows, periods("hour", tz), tz, as_of)
    ]
    assert [[row[column] for column in COUNTS] for row in found] == want


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2024, 3, 31), 23),
        ("Europe/London", date(2024, 10, 27), 25),
        ("America/New_York", date(2024, 3, 10), 23),
        ("America/New_York", date(2024, 11, 3), 25),
    ],
)
def test_a_day_of_23_hours_and_one_of_25(
    zone: str, day: date, hours: int, backend: Backend
) -> None:
    # One customer comes every 20 minutes of the day, and so in each of its hours.
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = [begin + timedelta(minutes=20 * n) for n in range(3 * hours)]
    rows = [{"customer_id": "ann", "time": time} for time in times]
    frame = backend.make(rows)
    table = rows_of(growth_accounting(frame, period="hour", tz=zone))
    assert [row["active"] for row in table] == [1] * hours
    assert sum(row["retained"] for row in table) == hours - 1
    labels = [row["period"] for row in table]
    assert [one.astimezone(UTC) for one in labels] == times[::3]
    assert str(labels[0].utcoffset()) != str(labels[-1].utcoffset())


def test_who_came_before_the_edges_is_not_new() -> None:
    # Ann came in February and comes back in the first sprint; Bob is new in it, Cyd in the second.
    events = log(
        ("ann", "2024-02-28"),
        ("ann", "2024-03-05"),
        ("bob", "2024-03-06"),
        ("ann", "2024-03-19"),
        ("cyd", "2024-03-20"),
        ("cyd", "2024-05-06"),
        ("dan", "2024-06-01"),
    )
    with pytest.warns(RetainkitWarning) as record:
        table = growth_accounting(events, period=SPRINTS)
    (warning,) = [one.message for one in record]
    assert "3 of 7 rows lie in no period: outside the edges of `period` (2024-03-04 to" in str(
        warning
    )
    assert (warning.code, warning.rows) == ("outside_edges", 3)  # type: ignore[union-attr]
    columns = ["active", "new", "retained", "resurrected", "churned"]
    assert table[columns].to_numpy().tolist() == [
        [2, 1, 0, 1, 0],
        [2, 1, 1, 0, 1],
        [0, 0, 0, 0, 2],
        [0, 0, 0, 0, 0],
    ]
    assert table["period"].tolist() == [pd.Timestamp(one) for one in SPRINTS[:-1]]
    assert table["complete"].all()


def test_the_last_period_between_edges_may_be_in_progress() -> None:
    events = log(("ann", "2024-03-05"), ("ann", "2024-03-20"))
    table = growth_accounting(events, period=SPRINTS, include_partial=True)
    assert table["complete"].tolist() == [True, False]
    assert len(growth_accounting(events, period=SPRINTS)) == 1


def test_amounts_between_edges() -> None:
    events = log(
        ("ann", "2024-02-28", 50.0),
        ("ann", "2024-03-05", 10.0),
        ("ann", "2024-03-20", 4.0),
        ("bob", "2024-03-21", 7.0),
    )
    with pytest.warns(RetainkitWarning, match="1 of 4 rows lie in no period"):
        table = growth_accounting(events, period=SPRINTS, amount="amount", as_of="2024-03-31")
    assert table["resurrected_amount"].tolist() == [10.0, 0.0]
    assert table["new_amount"].tolist() == [0.0, 7.0]
    assert table["contraction"].tolist() == [0.0, 6.0]


# --- active users and inactivity, by days -----------------------------------------------


def slow_active(
    rows: list[Row], cuts: Periods, tz: str | None, as_of: str, window: int
) -> list[list[Any]]:
    """Count who is active in each period, and in the days up to its last observed one."""
    end = instant(as_of, tz)

    def day_of(when: datetime) -> date:
        return (when.astimezone(ZoneInfo(tz)) if tz else when).date()

    visits = [
        (row["customer_id"], instant(row["time"], tz))
        for row in rows
        if instant(row["time"], tz) < end
    ]
    indices = [cuts.index(when) for _, when in visits]
    if not any(index < len(cuts.begins) - 1 for index in indices):
        return []
    first = max(min(indices), 0)
    table = []
    for index in range(first, cuts.last_begun(end) + 1):
        now = {who for who, when in visits if cuts.index(when) == index}
        last = min(day_of(cuts.begins[index + 1]), date.fromisoformat(as_of))
        since = last - timedelta(days=window)
        around = {who for who, when in visits if since <= day_of(when) < last}
        table.append([cuts.labels[index], len(now), len(around)])
    return table


@pytest.mark.parametrize(
    ("name", "seed"), seeded([name for name in KINDS if "year" not in name], 4)
)
def test_active_users_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = KINDS[name] | {"window": 100}
    frame = backend.make(rows)
    found = quietly(active_users, frame, **options, tz=tz, as_of=as_of, include_partial=True)
    want = slow_active(rows, cut(options, tz), tz, str(as_of), 100)
    assert [[row[one] for one in ("period", "active", "active_window")] for row in found] == want


def slow_losses(
    rows: list[Row], cuts: Periods, tz: str | None, as_of: str, *, window: int, dated: str
) -> dict[Any, int]:
    """Count the losses: days on which it becomes certain, or on which a customer was last seen."""
    end = date.fromisoformat(as_of)
    days: dict[Any, set[date]] = {}
    for row in rows:
        when = instant(row["time"], tz)
        day = (when.astimezone(ZoneInfo(tz)) if tz else when).date()
        if day < end:
            days.setdefault(row["customer_id"], set()).add(day)
    lost: dict[Any, int] = {}
    for theirs in days.values():
        for day in theirs:
            gone = day + timedelta(days=window)
            if gone < end and not any(
                day + timedelta(days=n) in theirs for n in range(1, window + 1)
            ):
                index = cuts.index(instant(gone if dated == "window_end" else day, tz))
                if cuts.inside(index):
                    lost[cuts.labels[index]] = lost.get(cuts.labels[index], 0) + 1
    return lost


@pytest.mark.parametrize("dated", ["window_end", "last_event"])
@pytest.mark.parametrize(("name", "seed"), CASES)
def test_losses_in_periods_of_ones_own(name: str, seed: int, dated: str, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = KINDS[name] | {"window": 8, "dated": dated}
    frame = backend.make(rows)
    found = quietly(inactivity_churn, frame, **options, tz=tz, as_of=as_of, include_partial=True)
    want = slow_losses(rows, cut(options, tz), tz, str(as_of), window=8, dated=dated)
    assert {row["period"]: row["churned"] for row in found if row["churned"]} == want


def test_windows_must_hold_the_longest_period() -> None:
    events = log(("ann", "2024-03-05"))
    with pytest.raises(ArgumentError, match="a period of 14 days has up to 14 days"):
        active_users(events, period="14 days", window=13)
    with pytest.raises(ArgumentError, match="a period has up to 27 days"):
        active_users(events, period=SPRINTS, window=26)
    for period in ("hour", ["2024-01-01", "2024-01-01T12:00"]):
        for function in (active_users, inactivity_churn):
            with pytest.raises(ArgumentError, match="counted by days"):
                function(events, period=period, window=28)


@pytest.mark.parametrize("function", [growth_accounting, active_users, inactivity_churn])
def test_no_rows_and_no_time_between_edges(function: Any) -> None:
    events = log(("ann", "2024-03-05"))
    options = {"window": 28} if function is not growth_accounting else {}
    empty = function(events.head(0), period=SPRINTS, **options)
    assert len(empty) == 0
    early = quietly(function, events, period=SPRINTS, as_of="2024-03-01", **options)
    assert early == []
    late = quietly(
        function, log(("ann", "2025-03-05")), period=SPRINTS, include_partial=True, **options
    )
    assert [row for row in late if row.get("active")] == []


def test_a_result_in_berlin_says_its_hours_in_berlin() -> None:
    times = pd.to_datetime(["2024-10-27 00:30Z", "2024-10-27 01:30Z"])
    events = pd.DataFrame({"customer_id": 1, "time": times})
    table = growth_accounting(events, period="hour", tz=BERLIN, as_of="2024-10-27T04:00")
    assert str(table["period"].dtype) == "datetime64[us, Europe/Berlin]"
    assert [str(one) for one in table["period"]][:2] == [
        "2024-10-27 02:00:00+02:00",
        "2024-10-27 02:00:00+01:00",
    ]
