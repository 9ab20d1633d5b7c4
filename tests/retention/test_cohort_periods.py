"""Cohorts and ages in periods of users' own, against customers looked at one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from backends import Backend
from event_logs import log, quietly
from own_periods import MONTHS, SPRINTS, Periods, instant, periods, random_log, seeded
from retainkit import cohort_members, cohort_retention
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, plain, rows_of

NAMES = ["cohort", "age", "customers", "eligible", "retained"]
PAIRS: dict[str, dict[str, Any]] = {
    "14 days": {"cohort_period": "14 days", "period": "14 days"},
    "weeks in days from a day": {
        "cohort_period": "3 weeks",
        "period": "5 days",
        "origin": "2024-01-03",
    },
    "fiscal quarters in months": {
        "cohort_period": "quarter",
        "period": "month",
        "year_start": "february",
    },
    "sprints": {"cohort_period": SPRINTS, "period": SPRINTS},
    "sprints in weeks": {"cohort_period": SPRINTS, "period": "week"},
    "months in sprints": {"cohort_period": "month", "period": SPRINTS},
}


def both(options: dict[str, Any], tz: str | None) -> tuple[Periods, Periods]:
    """Return the periods of cohorts, and those of ages."""
    extra = {
        "origin": options.get("origin", ""),
        "year_start": MONTHS[options.get("year_start", "january")],
    }
    return tuple(  # type: ignore[return-value]
        periods(options[name], tz, **extra) for name in ("cohort_period", "period")
    )


def slow_cohorts(
    rows: list[Row], cohorts: Periods, ages: Periods, tz: str | None, as_of: str
) -> list[list[Any]]:
    """Count the cells of a table that somebody is eligible for."""
    end = instant(as_of, tz)
    if ages.finite:
        end = min(end, ages.begins[-1])
    visits: dict[Any, list[datetime]] = {}
    for row in rows:
        when = instant(row["time"], tz)
        if when < end:
            visits.setdefault(row["customer_id"], []).append(when)
    cells: dict[tuple[int, int], list[int]] = {}
    sizes: dict[int, int] = {}
    for theirs in visits.values():
        start = min(theirs)
        cohort, begin = cohorts.index(start), ages.index(start)
        if not cohorts.inside(cohort) or not ages.inside(begin):
            continue
        sizes[cohort] = sizes.get(cohort, 0) + 1
        age = 0
        while begin + age + 1 < len(ages.begins) and ages.over(begin + age, end):
            cell = cells.setdefault((cohort, age), [0, 0])
            cell[0] += 1
            cell[1] += any(ages.index(when) == begin + age for when in theirs)
            age += 1
    return [
        [plain(cohorts.labels[cohort]), age, sizes[cohort], *cell]
        for (cohort, age), cell in sorted(cells.items())
    ]


@pytest.mark.parametrize(("name", "seed"), seeded(PAIRS, 4))
def test_cohorts_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = PAIRS[name]
    frame = backend.make(rows)
    found = quietly(cohort_retention, frame, **options, tz=tz, as_of=as_of)
    want = slow_cohorts(rows, *both(options, tz), tz, str(as_of))
    assert [[row[key] for key in NAMES] for row in found if row["customers"]] == want


@pytest.mark.parametrize("seed", range(4))
def test_ages_in_hours_over_a_change_of_the_clock(seed: int, backend: Backend) -> None:
    rows, tz, _ = random_log(seed, first="2024-03-30", days=2)
    options = {"cohort_period": "day", "period": "hour"}
    frame = backend.make(rows)
    found = quietly(cohort_retention, frame, **options, tz=tz, as_of="2024-04-01")
    want = slow_cohorts(rows, *both(options, tz), tz, "2024-04-01")
    assert [[row[key] for key in NAMES] for row in found if row["customers"]] == want


@pytest.mark.parametrize("seed", range(2))
def test_cohorts_of_hours(seed: int, backend: Backend) -> None:
    rows, tz, _ = random_log(seed, first="2024-03-30", days=2)
    options = {"cohort_period": "hour", "period": "hour"}
    frame = backend.make(rows)
    found = quietly(cohort_retention, frame, **options, tz=tz, as_of="2024-04-01")
    want = slow_cohorts(rows, *both(options, tz), tz, "2024-04-01")
    assert [[row[key] for key in NAMES] for row in found if row["customers"]] == want


def test_two_ones_in_the_autumn_and_none_lost_in_the_spring(backend: Backend) -> None:
    # A customer comes at 0:30 and every hour after that; London's clock shows 1:30 twice on
    # 27 October 2024 and jumps over 1:00 to 2:00 on 31 March.
    for day, hours in ((date(2024, 10, 27), 25), (date(2024, 3, 31), 23)):
        begin = datetime(day.year, day.month, day.day, 0, 30, tzinfo=ZoneInfo("Europe/London"))
        times = [begin.astimezone(UTC) + timedelta(hours=n) for n in range(hours)]
        frame = backend.make([{"customer_id": 1, "time": time} for time in times])
        for clock in ("calendar", "elapsed"):
            table = rows_of(
                cohort_retention(
                    frame,
                    cohort_period="day",
                    period="hour",
                    clock=clock,
                    tz="Europe/London",
                    as_of=day + timedelta(days=2),
                )
            )
            retained = [row["retained"] for row in table if row["customers"]]
            assert retained[:hours] == [1] * hours
            assert not any(retained[hours:])


def test_full_steps_of_days(backend: Backend) -> None:
    # Steps of 14 times 24 hours from each customer's own start.
    times = ["2024-01-03T10:00", "2024-01-17T09:59", "2024-01-17T10:00", "2024-02-14T10:00"]
    rows = [{"customer_id": 1, "time": datetime.fromisoformat(one)} for one in times]
    options: dict[str, Any] = {"cohort_period": "month", "period": "14 days", "clock": "elapsed"}
    table = rows_of(cohort_retention(backend.make(rows), **options, as_of="2024-03-20"))
    own = [row["retained"] for row in table if row["customers"]]
    assert own == [1, 1, 0, 1, 0]


def test_edges_have_no_full_steps() -> None:
    events = log(("ann", "2024-03-05"))
    with pytest.raises(
        ArgumentError, match=r"leave `clock` out, or give a number of days"
    ) as error:
        cohort_retention(events, period=SPRINTS, clock="elapsed")
    assert error.value.code == "argument_conflict"
    # Cohorts of campaigns may have ages by full steps.
    table = cohort_retention(
        events, cohort_period=SPRINTS, period="7 days", clock="elapsed", as_of="2024-03-20"
    )
    assert table["retained"].tolist()[:2] == [1, 0]


def test_who_started_before_the_edges_is_in_no_cohort() -> None:
    events = log(
        ("ann", "2024-02-20"),
        ("ann", "2024-03-06"),
        ("bob", "2024-03-07"),
        ("bob", "2024-03-20"),
        ("cyd", "2024-06-01"),
    )
    with pytest.warns(RetainkitWarning) as record:
        table = cohort_retention(events, cohort_period=SPRINTS, period=SPRINTS)
    texts = [str(one.message) for one in record]
    assert texts == [
        "2 of 5 rows lie in no period: outside the edges of `period` (2024-03-04 to 2024-05-06).",
        "1 customer in no cohort, with a start outside the edges of the periods.",
    ]
    assert {one.message.code for one in record} == {"outside_edges"}  # type: ignore[union-attr]
    first = table[table["cohort"] == "2024-03-04"]
    assert first["customers"].tolist() == [1] * 4
    assert first["retained"].tolist() == [1, 1, 0, 0]
    # Cohorts of campaigns are followed beyond the last edge.
    with pytest.warns(RetainkitWarning, match="2 customers in no cohort"):
        table = cohort_retention(events, cohort_period=SPRINTS, period="month")
    assert table["cohort"].min() == pd.Timestamp("2024-03-04")
    assert table["age"].max() == 2


def test_starts_of_their_own_and_edges() -> None:
    # Ann signed up before the first edge, Bob in the first sprint and comes in the second.
    events = log(
        ("ann", "2024-03-06", "2024-03-01"),
        ("bob", "2024-03-19", "2024-03-05"),
        names=("customer_id", "time", "sign_up"),
    )
    events["sign_up"] = pd.to_datetime(events["sign_up"]).astype("datetime64[us]")
    with pytest.warns(RetainkitWarning, match="1 customer in no cohort"):
        table = cohort_retention(
            events, cohort_time="sign_up", cohort_period=SPRINTS, period=SPRINTS, as_of="2024-04-01"
        )
    first = table[table["cohort"] == "2024-03-04"]
    assert first[["age", "customers", "retained"]].to_numpy().tolist() == [[0, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["14 days", "sprints", "sprints in weeks"])
def test_members_of_cohorts_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = PAIRS[name] | {"tz": tz, "as_of": as_of}
    frame = backend.make(rows)
    cells = quietly(cohort_retention, frame, **options)
    members = quietly(cohort_members, frame, **options)
    for cell in cells:
        own = [
            one for one in members if (one["cohort"], one["age"]) == (cell["cohort"], cell["age"])
        ]
        assert (len(own), sum(one["retained"] for one in own)) == (
            cell["eligible"],
            cell["retained"],
        )


def test_members_of_one_sprint() -> None:
    events = log(("ann", "2024-03-06"), ("bob", "2024-03-20"))
    options: dict[str, Any] = {"cohort_period": SPRINTS, "period": SPRINTS, "as_of": "2024-04-09"}
    assert cohort_members(events, cohort="2024-03-18", **options)["customer_id"].unique() == ["bob"]
    for cohort, text in (("2024-03-19", "such as '2024-03-18'"), ("2024-01-01", "of the periods")):
        with pytest.raises(ArgumentError, match=text):
            cohort_members(events, cohort=cohort, **options)
    with pytest.raises(ArgumentError, match="customers are counted by days"):
        cohort_members(events, cohort_period="hour", period="hour")


@pytest.mark.parametrize("entry", ["first", "recurring"])
@pytest.mark.parametrize("counting", ["on", "on_or_after", "every"])
def test_frames_in_memory_and_lazy_ones_agree_between_edges(entry: Any, counting: Any) -> None:
    import polars as pl  # noqa: PLC0415

    for seed in range(4):
        rows, _, as_of = random_log(seed)
        day = [str(row["time"])[:10] for row in rows]
        frame = pl.DataFrame(
            {"customer_id": [row["customer_id"] for row in rows], "time": day}
        ).with_columns(pl.col("time").str.to_date())
        options = {"cohort_period": SPRINTS, "period": SPRINTS, "entry": entry}
        options |= {"counting": counting, "as_of": as_of, "include_partial": True}
        assert quietly(cohort_retention, frame, **options) == quietly(
            cohort_retention, frame.lazy(), **options
        )
