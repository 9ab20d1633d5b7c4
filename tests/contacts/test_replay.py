"""A year of runs, each judged again by a slow and obvious simulator, and what must always hold."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainkit import apply_contact_policy, holdout_bucket
from sizes import n_examples
from tables import Row, rows_of

ZONES = {name: ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Tokyo")}
CHANNELS = ("email", "sms", "push")
HOLDOUT, SALT = 0.3, "s"

# --- the simulator -----------------------------------------------------------------------------

# Channel, max, window, calendar, and whether a contact at an instant counts at another one, by the
# clock of a zone.
Counts = Callable[[datetime, datetime, ZoneInfo], bool]


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def of_days(days: int) -> Counts:
    return lambda then, now, zone: wall(then, zone) > wall(now, zone) - timedelta(days=days)


def of_hours(hours: int) -> Counts:
    return lambda then, now, _: then > now - timedelta(hours=hours)


def since(first_day: Callable[[date], date]) -> Counts:
    return lambda then, now, zone: wall(then, zone).date() >= first_day(wall(now, zone).date())


CAPS: list[tuple[str | None, int, str, bool, Counts]] = [
    ("email", 3, "7D", False, of_days(7)),
    ("sms", 1, "36H", False, of_hours(36)),
    (None, 4, "5D", False, of_days(5)),
    ("push", 1, "2D", True, since(lambda day: day - timedelta(days=1))),
    ("push", 2, "week", True, since(lambda day: day - timedelta(days=day.weekday()))),
    (None, 11, "month", True, since(lambda day: day.replace(day=1))),
]
NAMES = [
    *("email 3 in 7D", "sms 1 in 36H", "all 4 in 5D", "push 1 in 2D (calendar)"),
    *("push 2 in week (calendar)", "all 11 in month (calendar)"),
]
CAP_TABLE = pd.DataFrame(
    [one[:4] for one in CAPS], columns=["channel", "max", "window", "calendar"]
)


def simulated(rows: list[Row], log: list[Row], now: datetime) -> list[tuple[Any, ...]]:
    """Judge the rows of one customer: reason, cap, contacts and eligible of each."""
    zone = ZONES[rows[0]["zone"]]
    found: list[tuple[Any, ...]] = [()] * len(rows)
    sent: list[Row] = []
    counts = [
        [one for one in log if one["time"] < now and CAPS[k][4](one["time"], now, zone)]
        for k in range(len(CAPS))
    ]

    def covering(row: Row) -> list[int]:
        return [k for k, cap in enumerate(CAPS) if cap[0] in (None, row["channel"])]

    def number(contacts: list[Row], k: int) -> int:
        return sum(CAPS[k][0] in (None, one["channel"]) for one in contacts)

    def most_used(row: Row) -> int:
        shares = [(number(counts[k], k) / CAPS[k][1], -k) for k in covering(row)]
        return number(counts[-max(shares)[1]], -max(shares)[1])

    order = sorted(range(len(rows)), key=lambda i: (not rows[i]["receipt"], rows[i]["priority"], i))
    for i in order:
        row = rows[i]
        if row["stopped"]:
            found[i] = ("suppressed", None, most_used(row), False)
            continue
        if row["receipt"]:
            found[i] = ("exempt", None, most_used(row), True)
            sent.append(row)
            continue
        full = [k for k in covering(row) if number(counts[k], k) >= CAPS[k][1]]
        taken = [k for k in covering(row) if number(counts[k], k) + number(sent, k) >= CAPS[k][1]]
        if full or taken:
            (k, *_), reason = (full, "cap") if full else (taken, "outranked")
            found[i] = (reason, NAMES[k], number(counts[k], k), False)
            continue
        sent.append(row)
        held = holdout_bucket(row["customer_id"], SALT) < HOLDOUT
        found[i] = ("holdout" if held else "send", None, most_used(row), True)
    return found


# --- a year ------------------------------------------------------------------------------------


def candidates_of_a_day(draw: random.Random, customers: int) -> list[Row]:
    """Return candidates in any order, some of equal priority."""
    rows = []
    for customer in range(customers):
        zone = [*ZONES][customer % len(ZONES)]
        for rule in range(draw.choice((0, 1, 2, 4))):
            row = {
                "customer_id": customer,
                "rule": rule,
                "channel": draw.choice(CHANNELS),
                "priority": draw.randint(1, 3),
                "receipt": draw.random() < 0.1,
                "stopped": customer == 5 and draw.random() < 0.5,
                "zone": zone,
            }
            rows.append(row)
    draw.shuffle(rows)
    return rows


def judged(rows: list[Row], log: list[Row], now: datetime) -> list[Row]:
    table = pd.DataFrame(rows)
    contacts = pd.DataFrame(log, columns=["customer_id", "channel", "time", "receipt"])
    contacts["time"] = pd.to_datetime(contacts["time"], utc=True)
    stopped = table.loc[table["stopped"], ["customer_id", "channel"]].drop_duplicates()
    found = apply_contact_policy(
        table,
        as_of=now,
        contacts=contacts.sample(frac=1, random_state=1),
        caps=CAP_TABLE,
        suppress=stopped,
        exempt="receipt",
        holdout=HOLDOUT,
        salt=SALT,
        timezone="zone",
        tz="UTC",
    )
    return rows_of(found)


def stopped_by_channel(rows: list[Row]) -> list[Row]:
    """Mark what is stopped in the whole channel of a customer, as a table of channels says."""
    listed = {(row["customer_id"], row["channel"]) for row in rows if row["stopped"]}
    return [row | {"stopped": (row["customer_id"], row["channel"]) in listed} for row in rows]


@pytest.mark.slow
def test_a_year_is_judged_as_the_simulator_judges_it_and_no_cap_is_broken() -> None:
    draw, seen = random.Random(3), Counter[Any]()  # noqa: S311
    log: list[Row] = []
    day, customers = date(2024, 1, 1), 9
    for _ in range(366):
        now = datetime.combine(day, time(draw.choice((6, 9, 9, 9, 20)), 30), UTC)
        rows = stopped_by_channel(candidates_of_a_day(draw, customers))
        found = judged(rows, log, now) if rows else []
        recent = [one for one in log if one["time"] > now - timedelta(days=33)]
        for customer in range(customers):
            own = [row for row in found if row["customer_id"] == customer]
            if own:
                past = [one for one in recent if one["customer_id"] == customer]
                names = ("reason", "blocked_by", "contacts", "eligible")
                have = [tuple(row[name] for name in names) for row in own]
                assert have == simulated(own, past, now), (day, customer)
        for row in found:
            seen[row["reason"]] += 1
            seen[row["blocked_by"]] += 1
            if row["eligible"]:
                log.append(
                    {
                        **{key: row[key] for key in ("customer_id", "channel", "receipt")},
                        "time": now,
                    }
                )
        day += timedelta(days=1)
    # All of it happened.
    assert {*seen} == {"send", "exempt", "suppressed", "cap", "outranked", "holdout", None, *NAMES}
    assert min(seen.values()) > 5
    assert_no_cap_is_broken(log)


def assert_no_cap_is_broken(log: list[Row]) -> None:
    """Check every half-open window that begins with a contact, exempt ones aside."""
    for customer in {one["customer_id"] for one in log}:
        zone = ZONES[[*ZONES][customer % len(ZONES)]]
        for channel, most, window, _, counts in CAPS:
            times = sorted(
                one["time"]
                for one in log
                if one["customer_id"] == customer
                and not one["receipt"]
                and channel in (None, one["channel"])
            )
            for place, last in enumerate(times):
                # Those in the window that ends with this one, which is in it.
                number = sum(counts(then, last, zone) for then in times[: place + 1][-40:])
                assert number <= most, (customer, channel, window, last)


# --- what always holds -------------------------------------------------------------------------

NOW = datetime(2024, 3, 31, 9, 30, tzinfo=UTC)


def some_log(draw: random.Random, customers: int) -> list[Row]:
    return [
        {
            "customer_id": draw.randrange(customers),
            "channel": draw.choice(CHANNELS),
            "time": NOW - timedelta(hours=draw.randint(1, 200)),
            "receipt": False,
        }
        for _ in range(draw.randint(0, 12))
    ]


def keyed(rows: list[Row]) -> dict[tuple[int, int], Row]:
    return {(row["customer_id"], row["rule"]): row for row in rows}


@settings(max_examples=n_examples(300, 30), deadline=None)
@given(st.integers(0, 10**9))
def test_a_candidate_changes_nothing_for_better_ones_and_for_others(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows = candidates_of_a_day(draw, 4)
    if len(rows) < 2:
        return
    log = some_log(draw, 4)
    rows = stopped_by_channel(rows)
    found = keyed(judged(rows, log, NOW))
    place = draw.randrange(len(rows))
    gone, kept = rows[place], [*rows[:place], *rows[place + 1 :]]
    without = keyed(judged(kept, log, NOW))
    for other, row in enumerate(rows):
        if row is gone:
            continue
        key = (row["customer_id"], row["rule"])
        worse = row["customer_id"] == gone["customer_id"] and (
            (not row["receipt"], row["priority"], other)
            > (not gone["receipt"], gone["priority"], place)
        )
        # The table of who is stopped is made of the candidates themselves.
        if not worse and not gone["stopped"]:
            assert without[key] == found[key]
        assert without[key]["bucket"] == found[key]["bucket"]
    for row in found.values():
        assert row["send"] == (row["reason"] in ("send", "exempt"))
        assert row["eligible"] == (row["reason"] in ("send", "exempt", "holdout"))
        assert (row["blocked_by"] is None) == (row["reason"] not in ("cap", "outranked"))


@settings(max_examples=n_examples(200, 20), deadline=None)
@given(st.integers(0, 10**9))
def test_any_log_is_counted_as_the_simulator_counts_it(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows, log = candidates_of_a_day(draw, 4), some_log(draw, 4)
    if not rows:
        return
    found = judged(stopped_by_channel(rows), log, NOW)
    names = ("reason", "blocked_by", "contacts", "eligible")
    for customer in {row["customer_id"] for row in found}:
        own = [row for row in found if row["customer_id"] == customer]
        past = [one for one in log if one["customer_id"] == customer]
        assert [tuple(row[name] for name in names) for row in own] == simulated(own, past, NOW)
