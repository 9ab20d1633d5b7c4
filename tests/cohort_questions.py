"""Random questions to cohort retention: event logs, and options that cover all that there are."""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import oracles
from tables import Row

BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
# Its clock changes by half an hour, and its winter is the north's summer.
LORD_HOWE = "Australia/Lord_Howe"

# The days over which the events spread, for the shorter of the two periods.
SPAN = {"day": 12, "week": 50, "month": 300, "quarter": 800, "year": 2000}
PERIODS = [*SPAN]
# Around the changes of the clock in Europe and America, and around a leap day; before 1970.
FIRST_DAYS = [date(2024, 3, 22), date(2024, 10, 24), date(2020, 1, 25), date(1968, 10, 24)]
# Midnight, the microsecond before it, hours that the change of the clock skips or doubles.
CLOCK_TIMES = [
    timedelta(),
    timedelta(hours=24, microseconds=-1),
    timedelta(hours=1, minutes=45),
    timedelta(hours=1, minutes=45, microseconds=1),
    timedelta(hours=2, minutes=30),
    timedelta(hours=3),
    timedelta(hours=23, minutes=15),
]
CHOICES: dict[str, list[Any]] = {
    "times": ["dates", "naive", "UTC", BERLIN, NEW_YORK],
    "ids": ["int", "str", "uuid"],
    "first_day": FIRST_DAYS,
    "session": ["UTC", LORD_HOWE, NEW_YORK],
    "period": PERIODS,
    "cohort_period": PERIODS,
    "clock": ["calendar", "elapsed"],
    "counting": ["on", "on_or_after", "on_or_before", "every"],
    "start": ["first", "recurring", "cohort_time"],
    "started": [None, "started"],
    "returned": [None, "returned"],
    "amount": [None, "amount"],
    "brackets": [None, None, (0, 1, 3), (1, 2, 5), (0, 2, 4, 9)],
    "by": [(), ("team",), ("plan", "seats")],
    "tz": [None, BERLIN, NEW_YORK, KOLKATA],
    "as_of": [None, "date", "text", "time"],
    "week_start": ["monday", "thursday", "sunday"],
    "min_events": [1, 1, 2],
    "min_customers": [1, 2],
    "include_partial": [False, True],
    "confidence_level": [0.95, 0.8],
}
# What must meet in some question, because it meets in the code.
MEETINGS = [("clock", "period"), ("clock", "counting"), ("clock", "start"), ("clock", "times")]


def choices(seed: int) -> dict[str, Any]:
    """Choose one of each."""
    draw = random.Random(seed)  # noqa: S311
    chosen = {name: draw.choice(values) for name, values in CHOICES.items()}
    if chosen["times"] in {"dates", "naive"}:
        chosen["tz"] = None
    if chosen["start"] == "cohort_time":
        chosen["started"] = None
    return chosen


def features(seed: int) -> set[Any]:
    """Name everything that the question of this seed puts to the test."""
    chosen = choices(seed)
    pairs = {(names, tuple(chosen[name] for name in names)) for names in MEETINGS}
    return {*chosen.items(), *pairs}


def covering(seeds: Sequence[int]) -> list[int]:
    """Choose few of the seeds that put everything to the test that all of them do."""
    kept: list[int] = []
    missing = set().union(*map(features, seeds))
    while missing:
        kept.append(max(seeds, key=lambda seed: len(features(seed) & missing)))
        missing -= features(kept[-1])
    return kept


SEEDS = range(60)
SEEDS_FOR_SPARK = covering(SEEDS)


def question(seed: int) -> tuple[list[Row], dict[str, Any], str]:
    """Return events, the options of `cohort_retention`, and the zone of the engine's session."""
    chosen = choices(seed)
    draw = random.Random(-seed - 1)  # noqa: S311
    shorter = min(chosen["period"], chosen["cohort_period"], key=PERIODS.index)

    def some_time(extra: int = 0) -> date | datetime:
        day = chosen["first_day"] + timedelta(days=draw.randint(0, SPAN[shorter] + extra))
        if chosen["times"] == "dates":
            return day  # type: ignore[no-any-return]
        wall = datetime.fromisoformat(day.isoformat()) + draw.choice(CLOCK_TIMES)
        if chosen["times"] == "naive":
            return wall
        zone = ZoneInfo(chosen["times"])
        # Through UTC, so that an hour which the clock skips becomes one that exists.
        wall = wall.replace(tzinfo=zone, fold=draw.randint(0, 1))
        return wall.astimezone(UTC).astimezone(zone)

    def name(number: int) -> int | str | uuid.UUID:
        ids = {"int": number - 3, "str": f"c{number}", "uuid": uuid.UUID(int=number << 90)}
        return ids[chosen["ids"]]  # type: ignore[return-value]

    customers = [
        {"customer_id": name(number), "team": draw.choice("ab"), "sign_up": some_time()}
        for number in range(draw.randint(3, 9))
    ]
    rows = [
        draw.choice(customers)  # type: ignore[misc]
        | {
            "time": some_time(),
            "amount": float(draw.randint(-20, 100)),
            "plan": draw.choice(["pro", "free", None]),
            "seats": draw.choice([7, 30, None]),
            "started": draw.random() < 0.5,
            "returned": draw.random() < 0.7,
        }
        for _ in range(draw.randint(10, 60))
    ]
    options = {name: chosen[name] for name in CHOICES if name in oracles.Question.__annotations__}
    options["as_of"] = {  # type: ignore[no-untyped-call]
        None: lambda: None,
        "date": lambda: chosen["first_day"] + timedelta(days=draw.randint(1, 2 * SPAN[shorter])),
        "text": lambda: some_time(extra=SPAN[shorter] // 2).isoformat(),
        "time": lambda: some_time(extra=SPAN[shorter] // 2),
    }[chosen["as_of"]]()
    if chosen["start"] == "cohort_time":
        options["cohort_time"] = "sign_up"
    else:
        options["entry"] = chosen["start"]
    return rows, options, chosen["session"]
