"""What happened after answers, held to a walk over customers one by one and to what was printed."""

import math
import random
import uuid
import warnings
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from backends import BACKENDS, Backend
from event_logs import (
    BERLIN,
    CLOCK_TIMES,
    FIRST_DAYS,
    NEW_YORK,
    assert_same,
    end_of,
    instant,
    quietly,
    share,
    wilson,
)
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from retainkit.surveys._contrasts import share_difference
from retainkit.surveys._timeline import range_sums
from retainkit.surveys.outcomes import score_outcomes
from tables import Row, rows_of

NAN = math.nan
GROUPS = ("promoters", "passives", "detractors")
PANDAS = next(one for one in BACKENDS if one.name == "pandas")


def answers_of(*rows: tuple[Any, Any, str | None]) -> Any:
    """Make answers: customer, score and time."""
    frame = pd.DataFrame(rows, columns=["customer_id", "score", "time"])
    return frame.astype({"score": "float64", "time": "datetime64[us]"})


def events_of(*rows: tuple[Any, ...]) -> Any:
    """Make events: customer, time and perhaps an amount."""
    names = ["customer_id", "time", "amount"][: len(rows[0])]
    return pd.DataFrame(rows, columns=names).astype({"time": "datetime64[us]"})


def subscriptions_of(*rows: tuple[Any, str, str | None]) -> Any:
    """Make subscriptions: customer, start and end."""
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "end"])
    return frame.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


def by_group(*tables: Any, **options: Any) -> dict[str, Row]:
    """Give the rows of a result by their group."""
    return {row["group"]: row for row in rows_of(score_outcomes(*tables, **options))}


def counts_of(*tables: Any, **options: Any) -> dict[str, tuple[int, ...]]:
    """Give, of the groups that have answers, n, outcomes and the numbers left out."""
    names = ("n", "outcomes", "n_open", "n_gone", "n_earlier")
    rows = by_group(*tables, **options)
    found = {
        group: tuple(row[name] for name in names if name in row) for group, row in rows.items()
    }
    return {group: numbers for group, numbers in found.items() if any(numbers)}


# --- the slow reference -----------------------------------------------------------------


def newcombe(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float]:
    """Add the squares of what the limits are away from the shares."""
    if not a[1] or not b[1]:
        return NAN, NAN
    p, q = share(*a), share(*b)
    (low_p, high_p), (low_q, high_q) = wilson(*a), wilson(*b)
    lower = p - q - math.sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    return lower, p - q + math.sqrt((high_p - p) ** 2 + (q - low_q) ** 2)


def student(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return NAN, NAN
    if len(set(values)) == 1:
        return values[0], values[0]
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(found.low), float(found.high)


def welch(a: list[float], b: list[float]) -> tuple[float, float]:
    if len(a) < 2 or len(b) < 2:
        return NAN, NAN
    if len(set(a)) == 1 and len(set(b)) == 1:
        return a[0] - b[0], a[0] - b[0]
    found = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return float(found.low), float(found.high)


def fate(
    who: Any, when: datetime, outcomes: list[Row], horizon: timedelta, options: dict[str, Any]
) -> tuple[bool, bool, float]:
    """Tell whether a customer was there at an answer, had the outcome, and what it brought."""
    own = [row for row in outcomes if row["customer_id"] == who]
    if options.get("outcome", "event") == "event":
        times = [(instant(row["time"], None), row["amount"]) for row in own]
        paid = [amount for time, amount in times if when < time <= when + horizon]
        return True, bool(paid), math.fsum(paid)
    spans = [
        (
            None if options.get("start", "") is None else instant(row["start"], None),
            None if row["end"] is None else instant(row["end"], None),
        )
        for row in own
    ]
    if options.get("start", "") is None and not spans:
        return True, False, 0.0

    def there(now: datetime) -> bool:
        return any(
            (start is None or start <= now) and (end is None or now < end) for start, end in spans
        )

    return there(when), there(when) and not there(when + horizon), 0.0


def slow(
    answers: list[Row], outcomes: list[Row], *, end: datetime, horizon: timedelta, **options: Any
) -> list[Row]:
    """Walk over segments, customers and their answers; `end` is the instant observation ends at."""
    by, by_score = options.get("by", []), options.get("by_score", False)
    labels = list(range(11)) if by_score else list(GROUPS)

    def label(score: float) -> Any:
        if by_score:
            return int(score)
        return GROUPS[0] if score >= 9 else GROUPS[1] if score >= 7 else GROUPS[2]

    found_in = {tuple(row[one] for one in by) for row in answers} if by else {()}
    table = []
    for segment in sorted(
        found_in, key=lambda one: [(value is None, value or "") for value in one]
    ):
        rows = [row for row in answers if tuple(row[one] for one in by) == segment]
        left: dict[Any, dict[str, int]] = {one: defaultdict(int) for one in labels}
        counting: dict[Any, list[tuple[datetime, Any, bool, float]]] = defaultdict(list)
        for row in rows:
            if row["score"] is None:
                continue
            when = instant(row["time"], None)
            here, happened, paid = fate(row["customer_id"], when, outcomes, horizon, options)
            if when + horizon >= end:
                left[label(row["score"])]["n_open"] += 1
            elif not here:
                left[label(row["score"])]["n_gone"] += 1
            else:
                counting[row["customer_id"]].append((when, label(row["score"]), happened, paid))
        found: dict[Any, list[tuple[bool, float]]] = {one: [] for one in labels}
        for own in counting.values():
            *earlier, last = sorted(own)
            found[last[1]].append((last[2], last[3]))
            for one in earlier:
                left[one[1]]["n_earlier"] += 1
        missing = sum(row["score"] is None for row in rows)
        names = dict(zip(by, segment, strict=True))
        for place, one in enumerate(labels):
            other = (place - 1 if place else None) if by_score else (2 if place < 2 else None)
            base = None if other is None else found[labels[other]]
            table.append(
                names
                | {"score" if by_score else "group": one}
                | slow_row(found[one], base, options)
                | {"n_open": left[one]["n_open"]}
                | ({"n_gone": left[one]["n_gone"]} if "outcome" in options else {})
                | {"n_earlier": left[one]["n_earlier"], "n_missing": missing}
            )
    return table


def slow_row(
    own: list[tuple[bool, float]], base: list[tuple[bool, float]] | None, options: dict[str, Any]
) -> Row:
    """Give the numbers of one group beside another."""
    mine = (sum(happened for happened, _ in own), len(own))
    others = (0, 0) if base is None else (sum(happened for happened, _ in base), len(base))
    low, high = wilson(*mine) if own else (NAN, NAN)
    below, above = newcombe(mine, others)
    row: Row = {"n": mine[1], "outcomes": mine[0], "rate": share(*mine)}
    row |= {"lower": low, "upper": high, "difference": share(*mine) - share(*others)}
    row |= {"difference_lower": below, "difference_upper": above}
    if options.get("amount"):
        paid, theirs = [amount for _, amount in own], [amount for _, amount in base or []]
        (low, high), (below, above) = student(paid), welch(paid, theirs)
        mean = share(math.fsum(paid), len(paid))
        row |= {"amount_per_customer": mean, "amount_lower": low, "amount_upper": high}
        row |= {"amount_difference": mean - share(math.fsum(theirs), len(theirs))}
        row |= {"amount_difference_lower": below, "amount_difference_upper": above}
    return row


def random_tables(seed: int) -> tuple[list[Row], list[Row], dict[str, Any], dict[str, Any]]:
    """Make answers and outcomes of a few customers; the row of the outcomes shows the types."""
    draw = random.Random(seed)  # noqa: S311
    kind, zone = draw.choice(["dates", "naive", "aware"]), ZoneInfo(draw.choice([BERLIN, NEW_YORK]))
    first = draw.choice(FIRST_DAYS)

    def moment(days: int) -> Any:
        day = first + timedelta(days=draw.randrange(days))
        if kind == "dates":
            return day
        when = datetime(day.year, day.month, day.day) + draw.choice(CLOCK_TIMES)  # noqa: DTZ001
        if kind == "naive":
            return when
        return when.replace(tzinfo=zone, fold=draw.randrange(2)).astimezone(UTC).astimezone(zone)

    answers = [
        {
            "customer_id": who,
            "score": draw.choice([None, *range(11), *range(11)]),
            "answered": when,
            "team": draw.choice(["a", "b", None]),
        }
        for who in range(12)
        for when in {instant(one, None): one for one in (moment(70) for _ in range(3))}.values()
    ]
    draw.shuffle(answers)
    options: dict[str, Any] = {
        "by": draw.choice([[], [], ["team"]]),
        "by_score": draw.random() < 0.4,
        "horizon": timedelta(days=draw.choice([1, 7, 30])),
    }
    mode = draw.choice(["event", "churn", "departures"])
    outcomes: list[Row] = []
    for _ in range(draw.randint(1, 60)):
        row: Row = {"customer_id": draw.choice([0, 0, 1, *range(14)])}
        if mode == "event":
            row |= {"time": moment(90), "amount": round(draw.uniform(-5, 60), 2)}
        else:
            start, end = sorted([moment(90), moment(90)], key=lambda one: instant(one, None))
            if instant(start, None) == instant(end, None):
                end = None
            row |= {"start": start, "end": draw.choice([end, end, None])}
        outcomes.append(row)
    if mode == "event":
        options["amount"] = draw.choice([None, "amount"])
    else:
        options["outcome"] = "churn"
    if mode == "departures":
        options["start"] = None
    shown = moment(1)
    types = {"customer_id": 1, "time": shown, "amount": 1.0, "start": shown, "end": shown}
    if draw.random() < 0.6:
        options["as_of"] = moment(110)
    return answers, outcomes, options, {name: types[name] for name in outcomes[0]}


def expected(answers: list[Row], outcomes: list[Row], options: dict[str, Any]) -> list[Row]:
    """Find when observation ends, and walk."""
    as_of = options.get("as_of")
    column = "time" if "outcome" not in options else "end" if "start" in options else "start"
    times = [row[column] for row in outcomes if row[column] is not None]
    times = times or [datetime(1970, 1, 1)]  # noqa: DTZ001  of no rows any end is as good
    zone = getattr(times[0], "tzinfo", None)
    tz = str(zone) if zone else None
    shown = instant(end_of([{"time": one} for one in times], tz, as_of), tz)
    rest = {name: value for name, value in options.items() if name != "as_of"}
    return slow(answers, outcomes, end=shown, **rest)


def like(outcome: Row) -> tuple[Row, Row]:
    shown = outcome.get("time", outcome.get("start"))
    return {"customer_id": 1, "score": 1, "answered": shown, "team": "a"}, outcome


@pytest.mark.parametrize("seed", range(150))
def test_the_table_is_that_of_a_walk_over_customers(seed: int) -> None:
    answers, outcomes, options, types = random_tables(seed)
    shown = like(types)
    actual = quietly(
        score_outcomes,
        PANDAS.make(answers, like=shown[0]),
        outcomes=PANDAS.make(outcomes, like=shown[1]),
        time="answered",
        **options,
    )
    assert_same(actual, expected(answers, outcomes, options))


@pytest.mark.parametrize("seed", [2, 3, 4, 6, 11])
def test_every_engine_gives_the_same(backend: Backend, seed: int) -> None:
    answers, outcomes, options, types = random_tables(seed)
    shown = like(types)
    zone = getattr(shown[0]["answered"], "tzinfo", None)
    session = str(zone) if zone else "UTC"
    given = backend.make(answers, like=shown[0], session=session)
    events = backend.make(outcomes, like=shown[1], session=session)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        table = score_outcomes(given, events, time="answered", **options)
    assert nw.from_native(table).implementation == backend.result
    assert_same(rows_of(table), expected(answers, outcomes, options))
