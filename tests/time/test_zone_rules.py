"""One instant has one local day, whatever rules of time zones an engine brings along.

Two copies of the rules are made in the tests: the file of one zone under the name of another. The
reference is `zoneinfo` with that copy, moment by moment.
"""

import shutil
import sys
import warnings
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    active_users,
    churn_rate,
    cohort_retention,
    response_rate,
    rfm_summary,
    score_trend,
)
from retainkit._time.zones import zone_of
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

VANCOUVER = "America/Vancouver"
# Vancouver as it was, with winter time, and as it is since November 2026.
OLD, NEW = "America/Los_Angeles", "Etc/GMT+7"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Rules = Callable[[str, str], None]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def made(backend: Backend, rows: list[Row], zone: str, session: str | None = None) -> Any:
    """Return a table whose times, given in UTC, are in a zone, as a session's are."""
    moved = [
        {
            name: value.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    shown = {name: next(row[name] for row in moved if row[name] is not None) for name in moved[0]}
    return backend.make(moved, like=shown, session=session or zone)


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Rules]:
    """Return a function that puts the rules of another zone under the name of one."""
    before = zoneinfo.TZPATH

    def use(name: str, other: str) -> None:
        # Some systems have no database, and Python has the package tzdata.
        package = find_spec("tzdata")
        own = package.submodule_search_locations if package is not None else None
        folders = [*before, *(f"{one}/zoneinfo" for one in own or ())]
        source = next(path for path in (Path(one) / other for one in folders) if path.is_file())
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        zoneinfo.reset_tzpath(to=[str(tmp_path), *before])
        ZoneInfo.clear_cache()

    yield use
    zoneinfo.reset_tzpath(to=before)
    ZoneInfo.clear_cache()


def quietly(function: Callable[..., Any], *tables: Any, **options: Any) -> list[Row]:
    """Return the rows of a result, whatever is said of an engine's rules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(function(*tables, **options))


# --- two copies of the rules ------------------------------------------------------------


@pytest.mark.parametrize("copy", [None, OLD, NEW])
def test_days_in_utc_depend_on_no_rules(backend: Backend, copy: str | None, rules: Rules) -> None:
    # The wall clock was the engine's, and the way back zoneinfo's: 1 and 2 in DuckDB.
    visits = [(2, "2026-11-14T20:00"), (1, "2026-11-14T23:30"), (2, "2026-11-15T20:00")]
    rows = [{"customer_id": who, "time": utc(text)} for who, text in visits]
    frame = made(backend, rows, VANCOUVER)
    if copy is not None:
        rules(VANCOUVER, copy)
    table = rows_of(active_users(frame, period="day", tz="UTC"))
    assert [row["active"] for row in table] == [2, 1]


@pytest.mark.parametrize("copy", [OLD, NEW])
@pytest.mark.parametrize("session", [VANCOUVER, "Asia/Tokyo"])
def test_days_are_cut_by_one_copy_of_the_rules(
    backend: Backend, copy: str, session: str, rules: Rules
) -> None:
    moments = [utc("2026-11-13T00:30") + k * HOUR for k in range(72)]
    rows = [{"customer_id": k, "time": moment} for k, moment in enumerate(moments)]
    frame = made(backend, rows, VANCOUVER, session)
    rules(VANCOUVER, copy)
    want = Counter(moment.astimezone(ZoneInfo(VANCOUVER)).date() for moment in moments)
    table = quietly(active_users, frame, period="day", tz=VANCOUVER, include_partial=True)
    assert {day(row["period"]): row["active"] for row in table} == want
    trend = quietly(
        score_trend,
        frame,
        score="customer_id",
        period="day",
        tz=VANCOUVER,
        scale=(0, 100),
        metric="mean",
    )
    assert {day(row["period"]): row["n"] for row in trend} == want


def test_a_clock_of_other_rules_is_told(backend: Backend, rules: Rules) -> None:
    rows = [{"customer_id": 1, "time": utc(f"2024-07-{one:02}T12:00")} for one in (1, 2, 3)]
    frame = made(backend, rows, VANCOUVER)
    # pandas reads the rules of a zone when it first needs them: before others come.
    quietly(active_users, frame, period="day")
    rules(VANCOUVER, "Asia/Tokyo")
    with pytest.warns(RetainkitWarning) as caught:
        active_users(frame, period="day")
    said = [one.message for one in caught if getattr(one.message, "code", "") == "zone_rules"]
    assert len(said) == 1
    for part in ("2024-07-01", VANCOUVER, "UTC-07:00", "UTC+09:00", "'time'"):
        assert part in str(said[0])
    # What is cut in another zone does not depend on it.
    assert [row["active"] for row in rows_of(active_users(frame, tz="UTC"))] == [1, 1, 1]


def test_clocks_that_agree_bring_no_warning(backend: Backend) -> None:
    rows = [{"customer_id": 1, "time": utc(f"{year}-07-01T12:00")} for year in (2004, 2024)]
    frame = made(backend, rows, "Europe/Berlin")
    table = rows_of(active_users(frame, period="year", window=366, include_partial=True))
    assert sum(row["active"] for row in table) == 2


# --- days with two midnights, or none -----------------------------------------------------

CHANGES = [
    ("Atlantic/Azores", "2024-10-27"),  # 01:00 is 00:00 again
    ("America/Havana", "2024-11-03"),  # likewise
    ("Africa/Cairo", "2024-04-26"),  # after 23:59 comes 01:00
]
on_odd_days = pytest.mark.parametrize(("zone", "day_of_change"), CHANGES)


def day(time: Any) -> date:
    return time.date() if isinstance(time, datetime) else time


def around(text: str, every: timedelta = HOUR) -> list[datetime]:
    """Return the moments of three days around a day, a minute off the hour."""
    begin = utc(text) - DAY + MINUTE
    return [begin + k * every for k in range(3 * DAY // every)]


def begin_of(local: date, zone: ZoneInfo) -> datetime:
    """Return the first minute of a local day."""
    start = datetime(local.year, local.month, local.day, tzinfo=UTC) - DAY
    minutes = (start + k * MINUTE for k in range(3 * 1440))
    return next(one for one in minutes if one.astimezone(zone).date() == local)


@on_odd_days
@pytest.mark.parametrize("session", [None, "Asia/Kolkata"])
def test_events_fall_on_the_day_that_zoneinfo_says(
    backend: Backend, zone: str, day_of_change: str, session: str | None
) -> None:
    moments = around(day_of_change, HOUR / 2)
    rows = [{"customer_id": k % 5, "time": moment} for k, moment in enumerate(moments)]
    frame = made(backend, rows, zone, session)
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in moments]
    options: dict[str, Any] = {"period": "day", "tz": zone, "include_partial": True}
    table = rows_of(active_users(frame, **options))
    assert {day(row["period"]): row["active"] for row in table} == {
        one: len({k % 5 for k, local in enumerate(days) if local == one}) for one in days
    }
    first = {k: days[k] for k in range(5)}
    cells = rows_of(cohort_retention(frame, cohort_period="day", **options))
    assert {
        (day(row["cohort"]), row["age"]): row["retained"] for row in cells if row["retained"]
    } == Counter(
        (first[who], (local - first[who]).days)
        for who, local in {(k % 5, local) for k, local in enumerate(days)}
    )
    summary = rows_of(rfm_summary(frame, tz=zone))
    assert {row["customer_id"]: (row["frequency"], row["recency"]) for row in summary} == {
        who: (len(own) - 1, (max(own) - min(own)).days)
        for who in range(5)
        if (own := {local for k, local in enumerate(days) if k % 5 == who})
    }


@on_odd_days
@pytest.mark.parametrize("session", [None, "Asia/Kolkata"])
def test_subscriptions_run_through_the_days_that_zoneinfo_says(
    backend: Backend, zone: str, day_of_change: str, session: str | None
) -> None:
    moments = around(day_of_change)
    spans: list[Row] = [
        {"customer_id": k, "start": moment, "end": moment + (5 + k % 7) * HOUR}
        for k, moment in enumerate(moments)
    ]
    frame = made(backend, spans, zone, session)
    local = ZoneInfo(zone)
    until = moments[-1]
    table = quietly(churn_rate, frame, period="day", tz=zone, as_of=until, include_partial=True)
    for row in table:
        opens = begin_of(day(row["period"]), local)
        closes = min(begin_of(day(row["period"]) + DAY, local), until)
        running = [one for one in spans if one["start"] < opens < one["end"]]
        assert row["opening"] == len(running)
        assert row["churned"] == sum(one["end"] < closes for one in running)


@on_odd_days
def test_invitations_and_answers_fall_on_the_day_that_zoneinfo_says(
    backend: Backend, zone: str, day_of_change: str
) -> None:
    moments = around(day_of_change)
    rows = [
        {"sent": moment, "responded": moment + HOUR if k % 3 else None}
        for k, moment in enumerate(moments)
    ]
    frame = made(backend, rows, zone)
    table = rows_of(response_rate(frame, period="day", tz=zone))
    sent = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in moments)
    assert {day(row["period"]): row["invitations"] for row in table} == sent


# --- without a database -------------------------------------------------------------------


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = zoneinfo.TZPATH
    for name in {"tzdata", *(one for one in sys.modules if one.startswith("tzdata."))}:
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(to=[])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=before)
    ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_database")
def test_utc_needs_no_database() -> None:
    for name in ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Universal", "UCT", "utc"):
        assert zone_of(name, "tz").utcoffset(None) == timedelta(0)
    assert zone_of("+02:00", "tz").utcoffset(None) == 2 * HOUR


@pytest.mark.usefixtures("no_database")
def test_without_a_database_the_error_says_how_to_get_one() -> None:
    with pytest.raises(ArgumentError, match=r"Europe/Berlin.*install the package tzdata") as caught:
        zone_of("Europe/Berlin", "tz")
    assert (caught.value.code, caught.value.argument) == ("no_time_zones", "tz")


def test_with_a_database_an_unknown_zone_is_one() -> None:
    with pytest.raises(ArgumentError, match="use a name of the IANA database") as caught:
        zone_of("Mars/Olympus", "tz")
    assert caught.value.code == "unknown_time_zone"


def test_zones_of_other_packages_are_those_of_their_name() -> None:
    times = pd.to_datetime(["2024-01-01 23:30", "2024-03-30 22:30", "2024-03-31 22:30"])
    plain = pd.DataFrame({"customer_id": 1, "time": times.tz_localize("UTC")})
    expected = active_users(plain, period="day", tz="Europe/Berlin")
    assert list(expected.loc[expected["active"] > 0, "period"].dt.day) == [2, 30, 1]
    # What dateutil makes cannot be hashed.
    other = plain.assign(time=plain["time"].dt.tz_convert("dateutil/Europe/Berlin"))
    try:
        other["time"].dt.tz_localize(None)
    except AttributeError:
        pytest.skip("pandas 2.2 cannot read the zones of dateutil 4")
    pd.testing.assert_frame_equal(active_users(other, period="day"), expected)
