"""What happened after answers, held to a walk over customers one by one and to what was printed."""

import math
import random
import uuid
import warnings
from collections import defaultdict
from datetime import UTC, datetime, timedelta
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
from retainkit import score_outcomes
from retainkit._stats.differences import share_difference
from retainkit._stats.event_index import range_sums
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import cases
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
    """Return the rows of a result by their group."""
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
    if len(values) < 2 or len(set(values)) == 1:
        return NAN, NAN  # where all are alike there is no spread to judge by
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(found.low), float(found.high)


def welch(a: list[float], b: list[float]) -> tuple[float, float]:
    if len(a) < 2 or len(b) < 2 or len(set(a)) == len(set(b)) == 1:
        return NAN, NAN
    found = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    return float(found.low), float(found.high)


def fate(
    who: Any, when: datetime, outcomes: list[Row], horizon: timedelta, options: dict[str, Any]
) -> tuple[bool, bool, float]:
    """Return whether a customer was there at an answer, had the outcome, and what it brought."""
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


def label_of(score: float, *, by_score: bool) -> Any:
    if by_score:
        return int(score)
    return GROUPS[0] if score >= 9 else GROUPS[1] if score >= 7 else GROUPS[2]


def slow(
    answers: list[Row], outcomes: list[Row], *, end: datetime, horizon: timedelta, **options: Any
) -> list[Row]:
    """Walk over segments, customers and their answers; `end` is the instant observation ends at."""
    by, by_score = options.get("by", []), options.get("by_score", False)
    found_in = {tuple(row[one] for one in by) for row in answers} if by else {()}
    table = []
    for segment in sorted(
        found_in, key=lambda one: [(value is None, value or "") for value in one]
    ):
        rows = [row for row in answers if tuple(row[one] for one in by) == segment]
        left: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        counting: dict[Any, list[tuple[datetime, Any, bool, float]]] = defaultdict(list)
        given = [row for row in rows if row["score"] is not None]
        for row in given:
            when, label = instant(row["answered"], None), label_of(row["score"], by_score=by_score)
            here, happened, paid = fate(row["customer_id"], when, outcomes, horizon, options)
            if when + horizon >= end:
                left[label]["n_open"] += 1
            elif not here:
                left[label]["n_gone"] += 1
            else:
                counting[row["customer_id"]].append((when, label, happened, paid))
        found: dict[Any, list[tuple[bool, float]]] = defaultdict(list)
        for own in counting.values():
            *earlier, last = sorted(own)
            found[last[1]].append((last[2], last[3]))
            for one in earlier:
                left[one[1]]["n_earlier"] += 1
        names = dict(zip(by, segment, strict=True))
        missing = len(rows) - len(given)
        table += [names | row for row in slow_rows(found, left, missing, options)]
    return table


def slow_rows(
    found: dict[Any, list[tuple[bool, float]]],
    left: dict[Any, dict[str, int]],
    missing: int,
    options: dict[str, Any],
) -> list[Row]:
    """Set each group beside that of detractors, or each score beside the one below."""
    by_score = options.get("by_score", False)
    table = []
    for label in range(11) if by_score else GROUPS:
        other = label - 1 if by_score else "detractors"  # type: ignore[operator]
        compared = other not in {label, -1}
        row = {"score" if by_score else "group": label}
        row |= slow_row(found[label], found[other] if compared else None, options)
        row |= {"n_open": left[label]["n_open"]}
        row |= {"n_gone": left[label]["n_gone"]} if "outcome" in options else {}
        table.append(row | {"n_earlier": left[label]["n_earlier"], "n_missing": missing})
    return table


def slow_row(
    own: list[tuple[bool, float]], base: list[tuple[bool, float]] | None, options: dict[str, Any]
) -> Row:
    """Return the numbers of one group beside another."""
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


def in_pandas(answers: list[Row], outcomes: list[Row], types: Any, **options: Any) -> list[Row]:
    """Score outcomes that are kept in pandas."""
    shown = like(types)
    return quietly(
        score_outcomes,
        PANDAS.make(answers, like=shown[0]),
        outcomes=PANDAS.make(outcomes, like=shown[1]),
        time="answered",
        **options,
    )


@pytest.mark.parametrize("seed", cases(range(150), quick=30))
def test_the_table_is_that_of_a_walk_over_customers(seed: int) -> None:
    answers, outcomes, options, types = random_tables(seed)
    actual = in_pandas(answers, outcomes, types, **options)
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


def test_the_two_tables_may_be_of_two_kinds(backend: Backend) -> None:
    for seed in (1, 2, 5):
        answers, outcomes, options, types = random_tables(seed)
        shown = like(types)
        zone = getattr(shown[0]["answered"], "tzinfo", None)
        session = str(zone) if zone else "UTC"
        want = expected(answers, outcomes, options)
        for first, second in ((PANDAS, backend), (backend, PANDAS)):
            made = first.make(answers, like=shown[0], session=session)
            events = second.make(outcomes, like=shown[1], session=session)
            rows = quietly(score_outcomes, made, outcomes=events, time="answered", **options)
            assert_same(rows, want)


# --- what was printed -------------------------------------------------------------------


# R. G. Newcombe (1998), Stat. Med. 17:873-890, Table II, method 10.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]


@pytest.mark.parametrize(("a", "b", "lower", "upper"), NEWCOMBE)
def test_differences_are_those_of_newcombe(
    a: tuple[int, int], b: tuple[int, int], lower: float, upper: float
) -> None:
    difference, low, high = share_difference(*a, *b, 0.95)
    assert float(difference) == pytest.approx(a[0] / a[1] - b[0] / b[1])
    assert (round(float(low), 4), round(float(high), 4)) == (lower, upper)


def counted(promoters: tuple[int, int], detractors: tuple[int, int]) -> tuple[Any, Any]:
    """Make answers and orders of so many with an order, of so many."""
    rows, orders = [], []
    for place, (score, (some, number)) in enumerate(((10, promoters), (2, detractors))):
        for one in range(number):
            rows.append((100 * place + one, score, "2024-01-01"))
            orders += [(100 * place + one, "2024-01-02")] if one < some else []
    return answers_of(*rows), events_of(*orders)


def test_seven_of_34_and_one_of_34_differ_as_was_printed() -> None:
    # Newcombe's interval in statsmodels' test_proportion.py, after Fagerland et al. (2015).
    table = by_group(*counted((7, 34), (1, 34)), horizon="7D", as_of="2024-02-01")
    row = table["promoters"]
    assert (row["n"], row["outcomes"]) == (34, 7)
    assert row["difference"] == pytest.approx(6 / 34)
    assert round(row["difference_lower"], 3) == 0.019
    assert round(row["difference_upper"], 3) == 0.340
    assert table["detractors"]["difference"] is None


def test_shares_have_the_wilson_limits_of_r() -> None:
    # From R's binom in statsmodels' results_proportion.py.
    table = by_group(*counted((18, 20), (4, 20)), horizon="7D", as_of="2024-02-01")
    row = table["promoters"]
    assert row["lower"] == pytest.approx(0.6989663547715128, abs=1e-12)
    assert row["upper"] == pytest.approx(0.972133518786232, abs=1e-12)
    row = table["detractors"]
    assert row["lower"] == pytest.approx(0.0806576625797981, abs=1e-12)
    assert row["upper"] == pytest.approx(0.4160174322518935, abs=1e-12)


def test_another_level_gives_other_limits() -> None:
    tables = counted((18, 20), (4, 20))
    row = by_group(*tables, horizon="7D", as_of="2024-02-01", confidence_level=0.8)["promoters"]
    lower, upper = wilson(18, 20, stats.norm.ppf(0.9))
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper))


# --- the horizon ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "happened"),
    [
        ("2024-01-09 11:59:59.999999", 0),
        ("2024-01-09 12:00", 0),  # at the very time of the answer: not after it
        ("2024-01-09 12:00:00.000001", 1),
        ("2024-01-16 12:00", 1),  # the end belongs to the horizon
        ("2024-01-16 12:00:00.000001", 0),
    ],
)
def test_an_outcome_comes_after_the_answer_and_within_the_horizon(when: str, happened: int) -> None:
    answers, orders = answers_of(("ann", 9, "2024-01-09 12:00")), events_of(("ann", when, 5.0))
    table = by_group(answers, orders, horizon="7D", as_of="2024-02-01", amount="amount")
    assert table["promoters"]["outcomes"] == happened
    assert table["promoters"]["amount_per_customer"] == 5 * happened


@pytest.mark.parametrize("options", [{}, {"outcome": "churn"}, {"outcome": "churn", "start": None}])
@pytest.mark.parametrize(
    ("as_of", "n"),
    [("2024-01-16 12:00", 0), ("2024-01-16 12:00:00.000001", 1), ("2024-01-16 11:00", 0)],
)
def test_only_a_horizon_that_is_over_counts(as_of: str, n: int, options: dict[str, Any]) -> None:
    # What happens at as_of is not observed, and the end of the horizon belongs to it.
    answers = answers_of(("ann", 9, "2024-01-09 12:00"))
    orders = events_of(("ann", "2024-01-10"), ("bob", "2024-01-10"))
    if options:
        orders = subscriptions_of(("ann", "2024-01-01", None), ("bob", "2024-01-01", "2024-01-02"))
    found = counts_of(answers, orders, horizon="7D", as_of=as_of, **options)["promoters"]
    assert (found[0], found[2]) == (n, 1 - n)


def test_by_default_observation_ends_with_the_day_of_the_last_outcome() -> None:
    answers = answers_of(("ann", 9, "2024-01-08"), ("bob", 9, "2024-01-09"))
    orders = events_of(("ann", "2024-01-09"), ("cem", "2024-01-15 08:00"))
    assert counts_of(answers, orders, horizon="7D") == {"promoters": (1, 1, 1, 0)}
    left = events_of(("ann", "2024-01-09"), ("cem", "2024-01-15 08:00"))
    gone = left.rename(columns={"time": "end"})
    options: dict[str, Any] = {"outcome": "churn", "start": None}
    assert counts_of(answers, gone, horizon="7D", **options) == {"promoters": (1, 1, 1, 0, 0)}


def test_of_several_answers_the_last_whose_horizon_is_over_counts() -> None:
    answers = answers_of(
        ("ann", 2, "2024-01-01"), ("ann", 9, "2024-01-05"), ("ann", 7, "2024-01-30")
    )
    orders = events_of(("ann", "2024-01-02"), ("bob", "2024-01-03"))
    found = counts_of(answers, orders, horizon="7D", as_of="2024-02-01")
    assert found == {
        "promoters": (1, 0, 0, 0),
        "passives": (0, 0, 1, 0),
        "detractors": (0, 0, 0, 1),
    }


def test_in_each_segment_a_customer_counts_by_the_last_answer_in_it() -> None:
    answers = answers_of(("ann", 2, "2024-01-01"), ("ann", 9, "2024-01-05"))
    answers["wave"] = [1, 2]
    orders = events_of(("ann", "2024-01-02"))
    rows = rows_of(score_outcomes(answers, orders, horizon="7D", by="wave", as_of="2024-02-01"))
    assert [(row["wave"], row["group"], row["outcomes"]) for row in rows if row["n"]] == [
        (1, "detractors", 1),
        (2, "promoters", 0),
    ]


def test_two_last_answers_at_once_are_refused() -> None:
    answers = answers_of(("ann", 2, "2024-01-01"), ("ann", 9, "2024-01-01"))
    orders = events_of(("ann", "2024-01-02"))
    with pytest.raises(ArgumentError, match=r"1 customer .* at the last time, such as 'ann'"):
        score_outcomes(answers, orders, horizon="7D", as_of="2024-02-01")
    later = pd.concat([answers, answers_of(("ann", 5, "2024-01-03"))])
    found = counts_of(later, orders, horizon="7D", as_of="2024-02-01")
    assert found["detractors"] == (1, 0, 0, 1)


def test_answers_that_are_none_are_counted_and_need_no_time() -> None:
    answers = answers_of(("ann", 9, "2024-01-01"), ("bob", None, None), ("cem", None, None))
    answers["plan"] = ["a", "a", "b"]
    orders = events_of(("ann", "2024-01-02"))
    rows = rows_of(score_outcomes(answers, orders, horizon="7D", by="plan", as_of="2024-02-01"))
    assert [(row["plan"], row["n"], row["n_missing"]) for row in rows] == [
        *(("a", n, 1) for n in (1, 0, 0)),
        *(("b", 0, 1) for _ in range(3)),
    ]


# --- churn ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([("2023-01-01", None)], (1, 0, 0, 0, 0)),
        ([("2023-01-01", "2024-01-10")], (1, 1, 0, 0, 0)),
        ([("2023-01-01", "2024-01-16")], (1, 1, 0, 0, 0)),  # as the horizon ends
        ([("2023-01-01", "2024-01-17")], (1, 0, 0, 0, 0)),
        ([("2023-01-01", "2024-01-09")], (0, 0, 0, 1, 0)),  # gone as the answer came
        ([("2024-01-09", None)], (1, 0, 0, 0, 0)),
        ([("2024-01-10", None)], (0, 0, 0, 1, 0)),  # not yet there
        ([], (0, 0, 0, 1, 0)),
        # A move between plans, and a gap that is over before the horizon: still there.
        ([("2023-01-01", "2024-01-12"), ("2024-01-12", None)], (1, 0, 0, 0, 0)),
        ([("2023-01-01", "2024-01-12"), ("2024-01-14", None)], (1, 0, 0, 0, 0)),
        ([("2023-01-01", "2024-01-12"), ("2024-01-18", None)], (1, 1, 0, 0, 0)),
        # Two seats, of which one ends.
        ([("2023-01-01", "2024-01-12"), ("2023-05-01", "2024-03-01")], (1, 0, 0, 0, 0)),
    ],
)
def test_who_is_there_at_the_answer_and_not_when_the_horizon_ends_has_churned(
    spans: list[tuple[str, str | None]], found: tuple[int, ...]
) -> None:
    answers = answers_of(("ann", 3, "2024-01-09"))
    table = subscriptions_of(
        ("bob", "2023-01-01", None), *(("ann", start, end) for start, end in spans)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error" if spans else "ignore")
        row = counts_of(answers, table, horizon="7D", outcome="churn", as_of="2024-02-01")
    assert row == {"detractors": found}


SPANS = [
    # Ends that are last days: ann renews at once, and bob leaves on the 12th.
    {
        "customer_id": "ann",
        "start": datetime.fromisoformat("2023-01-01"),
        "end": datetime.fromisoformat("2024-01-11"),
        "key": 1,
    },
    {"customer_id": "ann", "start": datetime.fromisoformat("2024-01-12"), "end": None, "key": 1},
    {
        "customer_id": "bob",
        "start": datetime.fromisoformat("2023-01-01"),
        "end": datetime.fromisoformat("2024-01-11"),
        "key": 2,
    },
    # Cem renews two days later.
    {
        "customer_id": "cem",
        "start": datetime.fromisoformat("2023-01-01"),
        "end": datetime.fromisoformat("2024-01-15"),
        "key": 3,
    },
    {"customer_id": "cem", "start": datetime.fromisoformat("2024-01-18"), "end": None, "key": 4},
]
ASKED = [
    # Seven days after 2024-01-04 12:00 lie within 11 January, and after 2024-01-09 on the 16th.
    {"customer_id": "ann", "score": 10, "time": datetime.fromisoformat("2024-01-04 12:00")},
    {"customer_id": "bob", "score": 3, "time": datetime.fromisoformat("2024-01-04 12:00")},
    {"customer_id": "cem", "score": 8, "time": datetime.fromisoformat("2024-01-09")},
]


@pytest.mark.parametrize(
    ("options", "churned"),
    [
        ({}, (1, 1, 1)),
        # On the 11th ann and bob are still there, and cem is not on the 16th.
        ({"end_is": "last_day"}, (0, 1, 0)),
        # Ann is away for a day, and cem for three; bob does not come back.
        ({"gap": "1D"}, (0, 1, 1)),
        ({"gap": "3D"}, (0, 0, 1)),
        ({"gap": "3D", "end_is": "last_day"}, (0, 0, 0)),
    ],
)
def test_subscriptions_are_read_as_in_churn_rate(
    backend: Backend, options: dict[str, Any], churned: tuple[int, int, int]
) -> None:
    found = counts_of(
        backend.make(ASKED),
        backend.make(SPANS, like=SPANS[0]),
        horizon="7D",
        outcome="churn",
        as_of="2024-02-01",
        **options,
    )
    assert found == {
        group: (1, number, 0, 0, 0) for group, number in zip(GROUPS, churned, strict=True)
    }


def test_who_ended_within_the_gap_may_yet_renew() -> None:
    # The horizon is over on 16 January, and from the 15th on nobody can be told to have left.
    answers = answers_of(("bob", 3, "2024-01-09"))
    table = subscriptions_of(("bob", "2023-01-01", "2024-01-12"))
    options: dict[str, Any] = {"horizon": "7D", "outcome": "churn", "as_of": "2024-01-18"}
    assert counts_of(answers, table, **options) == {"detractors": (1, 1, 0, 0, 0)}
    assert counts_of(answers, table, gap="3D", **options) == {"detractors": (0, 0, 1, 0, 0)}


def test_repeats_of_a_subscription_count_once_and_others_are_refused(backend: Backend) -> None:
    answers = backend.make(ASKED)
    options: dict[str, Any] = {
        "horizon": "7D",
        "outcome": "churn",
        "as_of": "2024-02-01",
        "subscription": "key",
    }
    with pytest.warns(RetainkitWarning, match="1 of 6 rows repeat another row") as caught:
        found = counts_of(answers, backend.make([*SPANS, SPANS[2]], like=SPANS[0]), **options)
    told = [one.message.code for one in caught if isinstance(one.message, RetainkitWarning)]
    assert told == ["duplicate_rows"]
    assert found["detractors"] == (1, 1, 0, 0, 0)
    overlapping = {**SPANS[2], "start": datetime.fromisoformat("2023-06-01"), "end": None}
    with pytest.raises(ArgumentError) as error:
        score_outcomes(answers, backend.make([*SPANS, overlapping], like=SPANS[0]), **options)
    assert (error.value.argument, error.value.rows) == ("subscription", 1)


def test_last_days_of_departures_end_at_midnight() -> None:
    answers = answers_of(("ann", 3, "2024-01-04 12:00"), ("bob", 3, "2024-01-03 12:00"))
    left = pd.DataFrame({"customer_id": ["ann"], "end": pd.to_datetime(["2024-01-11"])})
    options: dict[str, Any] = {
        "horizon": "7D",
        "outcome": "churn",
        "start": None,
        "as_of": "2024-02-01",
    }
    assert counts_of(answers, left, **options) == {"detractors": (2, 1, 0, 0, 0)}
    last = counts_of(answers, left, end_is="last_day", **options)
    assert last == {"detractors": (2, 0, 0, 0, 0)}


def test_ends_that_seem_to_be_last_days_are_noticed() -> None:
    days = pd.date_range("2023-01-01", periods=5, freq="MS")
    rows = [("ann", str(day), str(day + pd.offsets.MonthEnd())) for day in days]
    answers = answers_of(("ann", 3, "2023-02-09"))
    with pytest.warns(RetainkitWarning, match="the ends seem to be last days"):
        score_outcomes(
            answers, subscriptions_of(*rows), horizon="7D", outcome="churn", as_of="2024-02-01"
        )


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"gap": "3D"}, "gap"),
        ({"end_is": "last_day"}, "end_is"),
        ({"subscription": "key"}, "subscription"),
        ({"outcome": "churn", "start": None, "gap": "3D"}, "gap"),
        ({"outcome": "churn", "start": None, "subscription": "key"}, "subscription"),
    ],
)
def test_options_of_subscriptions_need_subscriptions(
    options: dict[str, Any], argument: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        score_outcomes(pd.DataFrame(), pd.DataFrame(), **options)  # before a column is missed
    assert (error.value.code, error.value.argument) == ("argument_conflict", argument)


def test_a_table_of_who_left_when_is_enough() -> None:
    answers = answers_of(
        *((who, 5, "2024-01-09") for who in ("ann", "bob", "cem", "dan", "eve", "flo"))
    )
    left = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "cem", "dan", "dan", "eve", "eve"],
            "left": pd.to_datetime(
                # Ann leaves, Bob had left, Cem is there; of two times the last one counts.
                ["2024-01-10", "2024-01-09", None, "2024-01-02", "2024-01-11", "2024-01-10", None]  # type: ignore[arg-type]
            ),
        }
    )
    options: dict[str, Any] = {"outcome": "churn", "start": None, "end": "left", "horizon": "7D"}
    assert counts_of(answers, left, as_of="2024-02-01", **options) == {
        "detractors": (5, 2, 0, 1, 0)
    }


def test_an_answer_given_after_leaving_does_not_replace_the_one_before() -> None:
    answers = answers_of(("ann", 3, "2024-01-01"), ("ann", 0, "2024-01-05"))
    table = subscriptions_of(("ann", "2023-01-01", "2024-01-04"))
    options: dict[str, Any] = {"outcome": "churn", "horizon": "7D", "as_of": "2024-02-01"}
    rows = rows_of(score_outcomes(answers, table, by_score=True, **options))
    assert [(row["n"], row["outcomes"], row["n_gone"]) for row in rows[:4]] == [
        (0, 0, 1),
        (0, 0, 0),
        (0, 0, 0),
        (1, 1, 0),
    ]


# --- single scores, scales, amounts -----------------------------------------------------


def test_each_score_is_compared_with_the_one_below() -> None:
    rows = [(who, 9 if who < 40 else 8, "2024-01-01") for who in range(70)]
    orders = events_of(*((who, "2024-01-02") for who in (*range(30), *range(40, 50))))
    options: dict[str, Any] = {"horizon": "7D", "as_of": "2024-02-01", "by_score": True}
    with pytest.warns(RetainkitWarning, match="40 answers are 9 and none is 10: is the scale"):
        found = rows_of(score_outcomes(answers_of(*rows), orders, **options))
    table = {row["score"]: row for row in found}
    assert list(table) == list(range(11))
    assert table[9]["difference"] == pytest.approx(30 / 40 - 10 / 30)
    assert (table[9]["difference_lower"], table[9]["difference_upper"]) == pytest.approx(
        newcombe((30, 40), (10, 30))
    )
    # Beside nobody there is nothing to compare with.
    assert [table[score]["difference"] for score in (0, 7, 8, 10)] == [None] * 4


def test_on_another_scale_the_cuts_are_given() -> None:
    answers = answers_of(*((score, score, "2024-01-01") for score in range(1, 6)))
    orders = events_of((5, "2024-01-02"), (1, "2024-01-03"))
    options: dict[str, Any] = {"horizon": "7D", "as_of": "2024-02-01", "scale": (1, 5)}
    assert counts_of(answers, orders, cuts=(3, 4), **options) == {
        "promoters": (1, 1, 0, 0),
        "passives": (1, 0, 0, 0),
        "detractors": (3, 1, 0, 0),
    }
    with pytest.raises(ArgumentError, match="`cuts` is not given"):
        score_outcomes(answers, orders, **options)
    rows = rows_of(score_outcomes(answers, orders, by_score=True, **options))
    assert [(row["score"], row["n"]) for row in rows] == [(score, 1) for score in range(1, 6)]


def test_amounts_are_means_of_all_who_answered() -> None:
    # Student's t of (0, 30, 60): 30 -+ 4.302653 * 30 / sqrt(3), by a table of the distribution.
    answers = answers_of(*((who, 10, "2024-01-01") for who in "abc"), ("d", 0, "2024-01-01"))
    orders = events_of(
        ("b", "2024-01-02", 40.0), ("b", "2024-01-03", -10.0), ("c", "2024-01-04", 60.0)
    )
    row = by_group(answers, orders, horizon="7D", as_of="2024-02-01", amount="amount")["promoters"]
    assert row["amount_per_customer"] == 30
    assert row["amount_lower"] == pytest.approx(30 - 4.302653 * 30 / math.sqrt(3), abs=1e-4)
    assert row["amount_upper"] == pytest.approx(30 + 4.302653 * 30 / math.sqrt(3), abs=1e-4)
    assert row["amount_difference"] == 30
    assert row["amount_difference_lower"] is None  # one detractor does not vary


@pytest.mark.parametrize("paid", [10.0, 0.1, 1e9 / 3])
def test_amounts_that_do_not_vary_tell_no_width(paid: float) -> None:
    answers = answers_of(
        *((who, 10, "2024-01-01") for who in "abcdefg"),
        ("y", 0, "2024-01-01"),
        ("z", 0, "2024-01-01"),
    )
    orders = [(who, f"2024-01-0{day}", paid) for who in "abcdefg" for day in (2, 3, 4)]
    options: dict[str, Any] = {"horizon": "7D", "as_of": "2024-02-01", "amount": "amount"}
    table = by_group(answers, events_of(*orders), **options)
    for group in ("promoters", "detractors"):
        assert (table[group]["amount_lower"], table[group]["amount_upper"]) == (None, None)
    row = table["promoters"]
    assert row["amount_difference"] == pytest.approx(3 * paid)
    assert (row["amount_difference_lower"], row["amount_difference_upper"]) == (None, None)
    # Where promoters vary, Welch's interval is theirs: 0 of the detractors takes nothing from it.
    row = by_group(answers, events_of(*orders, ("a", "2024-01-05", paid)), **options)["promoters"]
    limits = student([4 * paid] + [3 * paid] * 6)
    assert (row["amount_lower"], row["amount_upper"]) == pytest.approx(limits)
    found = row["amount_difference_lower"], row["amount_difference_upper"]
    assert found == pytest.approx(limits)
    assert found == pytest.approx(welch([4 * paid] + [3 * paid] * 6, [0.0, 0.0]))


def test_sums_of_ranges_are_those_of_slices() -> None:
    rng = np.random.default_rng(3)
    for size in (0, 1, 7, 40):
        values = rng.normal(size=size)
        low = rng.integers(0, size + 1, 60)
        high = np.minimum(low + rng.integers(0, 9, 60), size)
        want = [math.fsum(values[a:b]) for a, b in zip(low, high, strict=True)]
        assert range_sums(values, low, high) == pytest.approx(want, abs=1e-12)
    assert range_sums(np.ones(3), np.zeros(0, int), np.zeros(0, int)).shape == (0,)


# --- customers and times of two tables --------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([1, 2], "int64"), np.array([2, 3], "int32")),
        (np.array([1, 2], "int64"), np.array([2, 3], "uint64")),
        (np.array([1.0, 2.0]), np.array([2, 3])),
        (np.array([2**60, 2**60 + 1]), np.array([2.0**60, 5]).astype(object).astype(int) + 1),
        (pd.Categorical(["a", "b"]), np.array(["b", "c"], object)),
        (pd.array([1, 2], dtype="Int64"), np.array([2, 3])),
        (pd.Categorical([1, 2]), np.array([2, 3])),
        (np.array([1, 2]), pd.Categorical([2, 3], ordered=True)),
        (
            np.array([uuid.UUID(int=1), uuid.UUID(int=2)]),
            np.array([uuid.UUID(int=2), uuid.UUID(int=3)]),
        ),
    ],
)
def test_the_same_customer_may_come_in_two_types(first: Any, second: Any) -> None:
    answers = pd.DataFrame(
        {"customer_id": first, "score": [9, 3], "time": pd.Timestamp("2024-01-01")}
    )
    orders = pd.DataFrame({"customer_id": second, "time": pd.Timestamp("2024-01-02")})
    found = counts_of(answers, orders, horizon="7D", as_of="2024-02-01")
    assert found == {"promoters": (1, 0, 0, 0), "detractors": (1, 1, 0, 0)}


def test_large_numbers_are_not_taken_for_their_neighbours() -> None:
    answers = pd.DataFrame(
        {"customer_id": [2**53 + 1, 7], "score": 9, "time": pd.Timestamp("2024-01-01")}
    )
    orders = pd.DataFrame({"customer_id": [2.0**53, 7.0], "time": pd.Timestamp("2024-01-02")})
    assert counts_of(answers, orders, horizon="7D", as_of="2024-02-01")["promoters"][:2] == (2, 1)


def test_a_number_is_no_text() -> None:
    orders = events_of(("1", "2024-01-02"))
    with pytest.raises(ColumnTypeError, match=r"Int64 in `responses` and String in `outcomes`"):
        score_outcomes(answers_of((1, 9, "2024-01-01")), orders)
    with pytest.raises(ColumnTypeError, match=r"String in `responses` and Int64 in `outcomes`"):
        score_outcomes(answers_of(("1", 9, "2024-01-01")), events_of((1, "2024-01-02")))


@pytest.mark.parametrize(
    "texts",
    [
        pd.DataFrame({"customer_id": pd.Categorical(["1", "2"])}),
        pd.DataFrame({"customer_id": pd.Categorical(["1", "2"], ordered=True)}),
        pl.DataFrame({"customer_id": ["1", "2"]}, schema={"customer_id": pl.Categorical}),
        pl.DataFrame({"customer_id": ["1", "2"]}, schema={"customer_id": pl.Enum(["1", "2"])}),
    ],
)
def test_a_number_is_no_category_of_texts(texts: Any) -> None:
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    named = nw.from_native(texts).with_columns(time=nw.lit(day), score=nw.lit(9)).to_native()
    numbers = answers_of((1, 9, "2024-01-01"), (2, 9, "2024-01-01"), (3, 9, "2024-01-01"))
    options: dict[str, Any] = {"as_of": "2024-09-01"}
    with pytest.raises(ColumnTypeError, match=r"Int64 in `responses` and String in `outcomes`"):
        score_outcomes(numbers, named, **options)
    with pytest.raises(ColumnTypeError, match=r"String in `responses` and Int64 in `outcomes`"):
        score_outcomes(named, numbers, **options)


def test_customers_of_whom_nothing_is_known_are_warned_of() -> None:
    answers = answers_of(("ann", 9, "2024-01-01"))
    with pytest.warns(
        RetainkitWarning, match="of 1 customer who answered and whose horizon is over, none"
    ):
        score_outcomes(answers, events_of(("ANN", "2024-01-02")), as_of="2024-09-01")
    with pytest.warns(RetainkitWarning, match=r"name customers alike in both tables\?"):
        score_outcomes(
            answers,
            subscriptions_of(("ANN", "2023-01-01", None)),
            outcome="churn",
            as_of="2024-09-01",
        )
    # However few there are: of 100 who answered, 90 are customers under another name.
    many = answers_of(*((f"C{one}", one % 11, "2024-01-01") for one in range(100)))
    orders = events_of(*((f"c{one}", "2024-01-02") for one in range(90)))
    with pytest.warns(RetainkitWarning, match="of 100 customers who answered"):
        table = by_group(many, orders, horizon="30D", as_of="2024-03-01")
    assert [row["outcomes"] for row in table.values()] == [0, 0, 0]
    # One who is known is enough, and where there is nobody nothing is to be said.
    score_outcomes(many, pd.concat([orders, events_of(("C0", "2024-01-02"))]), as_of="2024-06-01")
    score_outcomes(many, orders.iloc[:0], as_of="2024-06-01")


def test_only_of_horizons_that_are_over_is_it_known_who_is_missing() -> None:
    # Bob's order is too late for Ann's answer, and what is too late for all answers is not read.
    answers = answers_of(("ann", 9, "2024-01-01"), ("bob", 9, "2024-02-20"))
    orders = events_of(("cem", "2024-01-02"), ("bob", "2024-02-21"))
    options: dict[str, Any] = {"horizon": "30D", "as_of": "2024-03-01"}
    with pytest.warns(RetainkitWarning, match="of 1 customer who answered and whose hor"):
        score_outcomes(answers, orders, **options)
    score_outcomes(answers.iloc[1:], orders, **options)


def test_a_list_of_who_left_need_have_nobody_who_answered() -> None:
    answers = answers_of(*((who, 9, "2024-01-01") for who in ("ann", "bob")))
    left = subscriptions_of(
        ("cem", "2023-01-01", "2024-01-05"), ("dan", "2023-01-01", "2024-01-06")
    )
    options: dict[str, Any] = {"outcome": "churn", "start": None, "as_of": "2024-06-01"}
    assert counts_of(answers, left, **options) == {"promoters": (2, 0, 0, 0, 0)}
    # With some who stay it is no such list.
    everybody = pd.concat([left, subscriptions_of(("ANN", "2023-01-01", None))])
    with pytest.warns(RetainkitWarning, match="of 2 customers who answered"):
        score_outcomes(answers, everybody, **options)


def test_times_in_two_zones_are_compared_as_instants() -> None:
    moment = pd.Timestamp("2024-01-09 12:00", tz="UTC")
    answers = pd.DataFrame({"customer_id": ["ann", "bob"], "score": [9, 3], "time": moment})
    orders = pd.DataFrame(
        {
            "customer_id": ["ann", "bob"],
            # An hour before noon in UTC is no time after it, whatever the clock shows.
            "time": pd.to_datetime(["2024-01-09 06:30", "2024-01-09 07:30"]).tz_localize(NEW_YORK),
        }
    )
    found = counts_of(answers, orders, horizon="7D", as_of="2024-02-01")
    assert found == {"promoters": (1, 0, 0, 0), "detractors": (1, 1, 0, 0)}


@pytest.mark.parametrize("options", [{}, {"outcome": "churn"}, {"outcome": "churn", "start": None}])
def test_times_with_and_without_a_zone_do_not_compare(options: dict[str, Any]) -> None:
    answers = answers_of(("ann", 9, "2024-01-01"))
    aware = answers.assign(time=answers["time"].dt.tz_localize(BERLIN))
    table = subscriptions_of(("ann", "2023-01-01", "2024-01-08"))
    table = table.assign(time=table["end"])
    with pytest.raises(ArgumentError, match=r"has no time zone, and the times of .* have one"):
        score_outcomes(aware, table, as_of="2024-06-01", **options)
    for name in ("start", "end", "time"):
        table[name] = table[name].dt.tz_localize(BERLIN)
    with pytest.raises(ArgumentError, match=r"has a time zone, and the times of .* have none"):
        score_outcomes(answers, table, as_of="2024-06-01", **options)


# --- nothing, and nothing wrong ---------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"outcome": "churn"}, {"outcome": "churn", "start": None}])
def test_empty_tables_give_empty_counts(backend: Backend, options: dict[str, Any]) -> None:
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    answer = {"customer_id": "a", "score": 9, "time": day, "plan": "x"}
    outcome = {"customer_id": "a", "time": day, "start": day, "end": day + timedelta(days=3)}
    nobody = backend.make([], like=answer)
    nothing, one = (
        backend.make([], like=outcome),
        backend.make([outcome | {"end": None}], like=outcome),
    )
    for table in (nothing, one):
        rows = rows_of(score_outcomes(nobody, table, **options))
        assert [row["group"] for row in rows] == list(GROUPS)
        assert all(row["n"] == 0 and row["rate"] is None for row in rows)
        empty = score_outcomes(nobody, table, by="plan", **options)
        assert nw.from_native(empty).implementation == backend.result
        assert rows_of(empty) == []
        assert "plan" in nw.from_native(empty).columns
    rows = rows_of(score_outcomes(backend.make([answer]), nothing, as_of="2025-01-01", **options))
    assert sum(row["n"] + row.get("n_gone", 0) for row in rows) == 1


def test_the_types_of_the_result_do_not_hang_on_the_rows() -> None:
    some = answers_of(("ann", 9, "2024-01-01")).assign(plan="x")
    orders = events_of(("ann", "2024-01-02", 3.0))
    options: dict[str, Any] = {"as_of": "2025-01-01", "by": "plan", "amount": "amount"}
    full = score_outcomes(some, orders, **options)
    empty = score_outcomes(some.iloc[:0], orders, **options)
    assert list(full.columns) == list(empty.columns)
    for name in full.columns:
        whole = full[name].dtype.kind in "iu"
        assert whole == (name in {"n", "outcomes", "n_open", "n_earlier", "n_missing"})
        assert empty[name].dtype == full[name].dtype or name in {"plan", "group"}


def test_neither_the_order_of_rows_nor_the_index_means_anything() -> None:
    answers, outcomes, options, types = random_tables(8)
    shown = like(types)
    first, second = PANDAS.make(answers, like=shown[0]), PANDAS.make(outcomes, like=shown[1])
    before = first.copy(), second.copy()
    want = quietly(score_outcomes, first, outcomes=second, time="answered", **options)
    mixed = [one.sample(frac=1, random_state=4) for one in (first, second)]
    mixed = [one.set_index(np.full(len(one), 7)) for one in mixed]
    found = quietly(score_outcomes, mixed[0], outcomes=mixed[1], time="answered", **options)
    assert_same(found, [{n: NAN if v is None else v for n, v in row.items()} for row in want])
    pd.testing.assert_frame_equal(first, before[0])
    pd.testing.assert_frame_equal(second, before[1])


def test_segments_at_once_are_segments_apart() -> None:
    draw = random.Random(5)  # noqa: S311
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    rows = [
        {
            "customer_id": who,
            "score": draw.randrange(11),
            "answered": day + timedelta(days=draw.randrange(60)),
            "team": draw.choice("ab"),
        }
        for who in range(300)
    ]
    orders = pd.DataFrame(
        {
            "customer_id": [draw.randrange(300) for _ in range(500)],
            "time": [day + timedelta(days=draw.randrange(90)) for _ in range(500)],
            "amount": [draw.uniform(1, 50) for _ in range(500)],
        }
    )
    frame = pd.DataFrame(rows)
    options: dict[str, Any] = {"time": "answered", "horizon": "30D", "amount": "amount"}
    table = score_outcomes(frame, orders, by="team", **options)
    for team in "ab":
        alone = score_outcomes(frame[frame["team"] == team], orders, **options)
        part = table[table["team"] == team].drop(columns="team").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone)


@pytest.mark.slow
def test_every_answer_is_counted_once() -> None:
    for seed in range(20):
        answers, outcomes, options, types = random_tables(seed)
        rows = in_pandas(answers, outcomes, types, **options | {"by": []})
        names = ("n", "n_open", "n_gone", "n_earlier")
        total = sum(row.get(name, 0) for row in rows for name in names)
        assert total + rows[0]["n_missing"] == len(answers)


# --- bad input --------------------------------------------------------------------------

ANSWERS = answers_of(("ann", 9, "2024-01-01"), ("bob", 3, "2024-01-01"))
ORDERS = events_of(("ann", "2024-01-02", 5.0), ("bob", "2024-01-03", 6.0))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"horizon": "0D"}, ArgumentError, "`horizon` is '0D'; it must be above 0"),
        ({"horizon": "soon"}, ArgumentError, "`horizon` is 'soon'"),
        ({"horizon": 90}, ArgumentTypeError, "`horizon` is 90; it must be a length of time"),
        ({"outcome": "sale"}, ArgumentError, "`outcome` is 'sale'"),
        ({"by_score": 1}, ArgumentTypeError, "`by_score` is 1"),
        ({"confidence_level": 95}, ArgumentError, "`confidence_level` is 95"),
        ({"missing": "skip"}, ArgumentError, "`missing` is 'skip'"),
        ({"scale": (10, 0)}, ArgumentError, "`scale` is"),
        ({"cuts": (8, 6)}, ArgumentError, "`cuts` is"),
        ({"by": "group"}, ArgumentError, "`by` names the column 'group'"),
        ({"customer": "who"}, MissingColumnError, "`customer` needs the column 'who'"),
        ({"score": "nps"}, MissingColumnError, "`score` needs the column 'nps'"),
        ({"time": "when"}, MissingColumnError, "`time` needs the column 'when'"),
        ({"outcome_time": "when"}, MissingColumnError, "`outcome_time` needs the column 'when'"),
        ({"amount": "money"}, MissingColumnError, "`amount` needs the column 'money'"),
        (
            {"outcome_time": "amount"},
            ColumnTypeError,
            "column 'amount' of `outcomes` .* holds Float",
        ),
        (
            {"outcome": "churn", "amount": "amount"},
            ArgumentError,
            "`amount` is given and `outcome`",
        ),
        ({"outcome": "churn"}, MissingColumnError, "`start` needs the column 'start'"),
        ({"outcome": "churn", "start": None}, MissingColumnError, "`end` needs the column 'end'"),
        (
            {"outcome": "churn", "start": None, "end": "amount"},
            ColumnTypeError,
            "column 'amount' of `outcomes` .given as `end`. holds Float64",
        ),
        ({"as_of": "soon"}, ArgumentError, "`as_of` is 'soon'"),
    ],
)
def test_a_bad_argument_is_named(bad: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        score_outcomes(ANSWERS, ORDERS, **bad)


def test_tables_that_are_none_are_named() -> None:
    with pytest.raises(ArgumentTypeError, match=r"`responses` is a builtins\.list"):
        score_outcomes([], ORDERS)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"`outcomes` is a builtins\.list"):
        score_outcomes(ANSWERS, [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([9, 11, -1, 99], r"3 answers \(-1, 11, 99\) in column 'score' .* are not on the scale"),
        ([9, 8.5], r"1 answer \(8.5\) in column 'score' .* is not whole"),
        ([9, math.inf], r"1 answer \(inf\) in .* is not on the scale from 0 to 10"),
    ],
)
def test_answers_that_are_no_scores_are_refused(scores: list[float], message: str) -> None:
    rows = [(who, score, "2024-01-01") for who, score in enumerate(scores)]
    with pytest.raises(ArgumentError, match=message):
        score_outcomes(answers_of(*rows), events_of((0, "2024-01-02")))


@pytest.mark.parametrize("scores", [["9", "3"], [True, False]])
def test_answers_that_are_no_numbers_are_refused(scores: list[Any]) -> None:
    with pytest.raises(ColumnTypeError, match=r"column 'score' \(given as `score`\) holds"):
        score_outcomes(ANSWERS.assign(score=scores), ORDERS)


def test_errors_speak_of_arguments_that_there_are() -> None:
    with pytest.raises(ColumnTypeError, match=r"pandas\.to_numeric") as caught:
        score_outcomes(ANSWERS.assign(score="Very likely"), ORDERS)
    assert "labels" not in str(caught.value)
    text = r"column 'customer_id' \(given as `customer`\) holds"
    with pytest.raises(ColumnTypeError, match=text):
        score_outcomes(ANSWERS.assign(customer_id=[["ann"]] * len(ANSWERS)), ORDERS)
    with pytest.raises(ColumnTypeError, match="what `customer` names is Int64 in `resp"):
        score_outcomes(ANSWERS.assign(customer_id=1), ORDERS)


def test_nulls_are_refused_or_left_out_by_name_of_their_table(backend: Backend) -> None:
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    answer = {"customer_id": "a", "score": 9, "time": day}
    order = {"customer_id": "a", "time": day + timedelta(days=1), "amount": 4.0}
    answers = [answer, answer | {"customer_id": None}, answer | {"customer_id": "b", "time": None}]
    orders = [
        order,
        *(order | {name: None} for name in order),
        order | {"customer_id": "c", "time": day + timedelta(days=60)},
    ]
    good = backend.make([answer], like=answer), backend.make([order], like=order)
    bad = backend.make(answers, like=answer), backend.make(orders, like=order)
    options: dict[str, Any] = {"horizon": "7D", "amount": "amount"}
    with pytest.raises(ArgumentError, match=r"'customer_id' of `responses` .* null in 1 row and"):
        score_outcomes(bad[0], good[1], **options)
    with pytest.raises(ArgumentError, match=r"`outcomes` \(given as `outcome_time`\) is null in 1"):
        score_outcomes(good[0], bad[1], **options)
    with pytest.warns(RetainkitWarning) as caught:
        found = counts_of(*bad, missing="drop", **options)
    assert found == {"promoters": (1, 1, 0, 0)}
    texts = [str(one.message) for one in caught if one.category is RetainkitWarning]
    assert ["`responses`" in texts[0], "`outcomes`" in texts[1]] == [True, True]
    assert all(one.filename == __file__ for one in caught if "left out" in str(one.message))


def test_customers_that_are_nan_are_nulls() -> None:
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    answers = pl.DataFrame({"customer_id": [1.0, NAN], "score": [9, 9], "time": [day, day]})
    orders = pl.DataFrame({"customer_id": [1.0, NAN], "time": [day + timedelta(days=1)] * 2})
    with pytest.raises(ArgumentError, match="of `responses`"):
        score_outcomes(answers, orders)
    with pytest.raises(ArgumentError, match="of `outcomes`"):
        score_outcomes(answers.head(1), orders)


def test_what_comes_after_the_end_of_observation_is_counted() -> None:
    with pytest.warns(RetainkitWarning, match=r"1 of 2 rows of `outcomes` at or after as_of"):
        found = counts_of(ANSWERS, ORDERS, horizon="1D", as_of="2024-01-03")
    assert found == {"promoters": (1, 1, 0, 0), "detractors": (1, 0, 0, 0)}
