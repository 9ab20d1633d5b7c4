"""Customers who never came belong in the denominator: `customers=`, and what a left join leaves.

The three metrics that take them are held to sets of customers, counted period by period, and both
ways of saying who there is to each other.
"""

import math
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest

from backends import BACKENDS, Backend
from event_logs import (
    assert_same,
    by_segment,
    end_of,
    instant,
    like,
    next_start,
    periods_between,
    quietly,
    random_log,
    seen,
    share,
    start_of,
    wall,
    wilson,
)
from retainkit import active_users, cohort_retention, growth_accounting
from retainkit.errors import ArgumentError, ColumnTypeError, RetainkitWarning
from sizes import batches
from tables import Row, rows_of

NAN = math.nan
SIGN_UP = datetime(2024, 1, 5)  # noqa: DTZ001  naive times are the plainest
VISIT = datetime(2024, 1, 10)  # noqa: DTZ001
FOUR: list[Row] = [
    {"customer_id": who, "signup": SIGN_UP, "time": when, "plan": plan}
    for who, when, plan in [("a", VISIT, "x"), ("b", None, "x"), ("c", None, "y"), ("d", None, "y")]
]
"""Four sign-ups of whom one came, as a left join leaves them."""
SHOWN = FOUR[0]
VISITS: list[Row] = [
    {name: row[name] for name in ("customer_id", "time")} for row in FOUR if row["time"]
]
SIGN_UPS = [{name: row[name] for name in ("customer_id", "signup", "plan")} for row in FOUR]


def columns(table: Any, *names: str) -> list[list[Any]]:
    """Return a few columns of a result."""
    return [[row[name] for name in names] for row in rows_of(table)]


# --- by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_four_sign_ups_of_whom_one_came_are_one_of_four(backend: Backend, missing: Any) -> None:
    left = backend.make(FOUR, like=SHOWN)
    options: dict[str, Any] = {"cohort_time": "signup", "as_of": "2024-02-01", "missing": missing}
    names = ("customers", "eligible", "retained", "retention")
    assert columns(cohort_retention(left, **options), *names) == [[4, 4, 1, 0.25]]
    visits, sign_ups = backend.make(VISITS), backend.make(SIGN_UPS)
    table = cohort_retention(visits, customers=sign_ups, **options)
    assert columns(table, *names) == [[4, 4, 1, 0.25]]


def test_active_users_give_their_share_of_all(backend: Backend) -> None:
    left = backend.make(FOUR, like=SHOWN)
    options: dict[str, Any] = {"cohort_time": "signup", "period": "day", "window": 1}
    lower, upper = wilson(1, 4)
    for table in (
        active_users(left, **options),
        active_users(backend.make(VISITS), customers=backend.make(SIGN_UPS), **options),
    ):
        (row,) = rows_of(table)
        assert (row["active"], row["customers"], row["active_share"]) == (1, 4, 0.25)
        assert row["active_share_lower"] == pytest.approx(lower)
        assert row["active_share_upper"] == pytest.approx(upper)
    by_plan = active_users(
        backend.make(VISITS), customers=backend.make(SIGN_UPS), by="plan", **options
    )
    assert columns(by_plan, "plan", "active", "customers") == [["x", 1, 2], ["y", 0, 2]]


def test_who_first_comes_after_the_period_of_the_sign_up_is_resurrected(backend: Backend) -> None:
    day = date(2024, 1, 1)
    log = [
        {"customer_id": who, "time": datetime(2024, month, 9), "signup": SIGN_UP}  # noqa: DTZ001
        for who, month in [(1, 1), (1, 2), (2, 2), (3, 3)]
    ]
    sign_ups = [{"customer_id": who, "signup": SIGN_UP} for who in range(1, 6)]
    visits = [{name: row[name] for name in ("customer_id", "time")} for row in log]
    names = ("period", "active", "new", "retained", "resurrected", "churned", "customers")
    options: dict[str, Any] = {"cohort_time": "signup", "as_of": "2024-04-01"}
    table = growth_accounting(backend.make(visits), customers=backend.make(sign_ups), **options)
    assert columns(table, *names) == [
        [day, 1, 1, 0, 0, 0, 5],
        [date(2024, 2, 1), 2, 0, 1, 1, 0, 5],
        [date(2024, 3, 1), 1, 0, 0, 1, 2, 5],
    ]
    alone = growth_accounting(backend.make(log), **options)
    assert [row[:6] for row in columns(alone, *names)] == [
        row[:6] for row in columns(table, *names)
    ]
    assert [row[6] for row in columns(alone, *names)] == [3, 3, 3]


def test_money_of_who_comes_late_is_resurrected() -> None:
    log = pd.DataFrame({"customer_id": [1, 2], "amount": [10.0, 4.0]})
    log["time"] = pd.to_datetime(["2024-01-09", "2024-02-09"])
    log["signup"] = pd.Timestamp("2024-01-05")
    table = growth_accounting(log, amount="amount", cohort_time="signup", as_of="2024-03-01")
    money = ("amount", "new_amount", "resurrected_amount", "churned_amount")
    assert columns(table, *money) == [[10, 10, 0, 0], [4, 0, 4, 10]]


# --- both tables ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "pandas-pyarrow", "polars", "pyarrow", "polars-lazy"])
def test_the_tables_may_be_of_two_kinds(backend: Backend, kind: str) -> None:
    other = next(one for one in BACKENDS if one.name == kind)
    other.require()
    table = cohort_retention(
        backend.make(VISITS),
        customers=other.make(SIGN_UPS),
        cohort_time="signup",
        by="plan",
        as_of="2024-02-01",
    )
    assert columns(table, "plan", "eligible", "retained") == [["x", 2, 1], ["y", 2, 0]]


def test_relations_of_two_connections_meet() -> None:
    duckdb = pytest.importorskip("duckdb")
    # Before DuckDB 2.0.1 a relation does not keep its connection open.
    one, other = duckdb.connect(), duckdb.connect()
    visits = one.from_df(pd.DataFrame(VISITS))
    sign_ups = other.from_df(pd.DataFrame(SIGN_UPS))
    table = cohort_retention(visits, customers=sign_ups, cohort_time="signup", as_of="2024-02-01")
    assert columns(table, "eligible", "retained") == [[4, 1]]


def test_a_zone_is_that_of_the_events() -> None:
    visits = pd.DataFrame({"customer_id": [1], "time": pd.to_datetime(["2024-02-01T00:30+01:00"])})
    visits["time"] = visits["time"].dt.tz_convert("Europe/Berlin")
    sign_ups = pl.DataFrame({"customer_id": [1, 2], "signup": [SIGN_UP, SIGN_UP]})
    utc = sign_ups.with_columns(pl.col("signup").dt.replace_time_zone("UTC"))
    with pytest.warns(RetainkitWarning, match="2 customers with a start before 2024-02-01"):
        table = cohort_retention(visits, customers=utc, cohort_time="signup", as_of="2024-03-01")
    found = columns(table, "cohort", "age", "eligible", "retained")
    assert found[0] == [date(2024, 1, 1), 1, 2, 1]
    with pytest.raises(ArgumentError, match=r"'signup' of `customers` .* has no time zone"):
        cohort_retention(visits, customers=sign_ups, cohort_time="signup")


@pytest.mark.parametrize(
    ("events", "customers"),
    [
        ([1, 1, 2], pd.Series([1, 2, 3], dtype="int32")),
        ([1.0, 1.0, 2.0], [1, 2, 3]),
        (pd.Categorical(["a", "a", "b"]), ["a", "b", "c"]),
        (pd.Categorical(["a", "a", "b"]), pd.Categorical(["c", "b", "a"])),
        (pd.Categorical([7, 7, 8]), [7, 8, 9]),
    ],
    ids=["integers", "floats", "names", "categories", "numbers"],
)
def test_ids_of_two_types_are_the_same(events: Any, customers: Any) -> None:
    visits = pd.DataFrame({"customer_id": events, "time": pd.Timestamp(VISIT)})
    sign_ups = pd.DataFrame({"customer_id": customers, "signup": pd.Timestamp(SIGN_UP)})
    for one in (visits, pl.from_pandas(visits)) if events[0] != 7 else (visits,):
        for other in (sign_ups, pl.from_pandas(sign_ups)) if events[0] != 7 else (sign_ups,):
            table = cohort_retention(one, customers=other, cohort_time="signup", as_of="2024-02-01")
            assert columns(table, "eligible", "retained") == [[3, 2]]


def test_a_number_is_no_text() -> None:
    visits = pd.DataFrame({"customer_id": [1], "time": [VISIT]})
    sign_ups = pd.DataFrame({"customer_id": ["1"], "signup": [SIGN_UP]})
    with pytest.raises(ColumnTypeError, match="a number is never equal to a text"):
        active_users(visits, customers=sign_ups, cohort_time="signup")


METRICS = [cohort_retention, growth_accounting, active_users]
each_metric = pytest.mark.parametrize("metric", METRICS, ids=[one.__name__ for one in METRICS])


@each_metric
def test_customers_who_are_not_in_the_table_are_counted(backend: Backend, metric: Any) -> None:
    unknown: list[Row] = [{"customer_id": who, "time": VISIT} for who in "pqq"]
    visits = [*VISITS, *unknown]
    with pytest.warns(RetainkitWarning, match="3 rows of 4, of 2 customers who are not in") as said:
        metric(backend.make(visits), customers=backend.make(SIGN_UPS), cohort_time="signup")
    facts = said.list[0].message
    assert (facts.code, facts.rows, facts.total) == ("unknown_customers", 3, 4)  # type: ignore[union-attr]


@each_metric
def test_wrong_tables_of_customers_are_refused(backend: Backend, metric: Any) -> None:
    visits = backend.make(VISITS)
    twice = backend.make([*SIGN_UPS, SIGN_UPS[1]])
    with pytest.raises(ArgumentError, match=r"several rows for 1 customer, such as 'b'") as told:
        metric(visits, customers=twice, cohort_time="signup")
    assert told.value.code == "repeated_customers"
    others = backend.make([{"customer_id": "z", "signup": SIGN_UP}])
    with pytest.raises(ArgumentError, match="nobody in `customers` has an event"):
        metric(visits, customers=others, cohort_time="signup")
    with pytest.raises(ArgumentError, match="`customers` needs `cohort_time`"):
        metric(visits, customers=others)
    unknown = backend.make([*SIGN_UPS, SIGN_UPS[0] | {"customer_id": "z", "signup": None}])
    with pytest.raises(ArgumentError, match=r"'signup' of `customers` \(given as `cohort_time`\)"):
        metric(visits, customers=unknown, cohort_time="signup")
    with pytest.warns(RetainkitWarning, match="1 of 5 rows left out"):
        metric(visits, customers=unknown, cohort_time="signup", missing="drop")


@each_metric
def test_null_times_of_who_has_other_rows_are_refused_as_ever(
    backend: Backend, metric: Any
) -> None:
    rows = [*FOUR, FOUR[0] | {"time": None}]
    with pytest.raises(ArgumentError, match=r"'time' .* is null in 1 row, of 5"):
        metric(backend.make(rows, like=SHOWN), cohort_time="signup")
    with pytest.warns(RetainkitWarning, match="is null in 1 row: 1 of 5 rows left out"):
        metric(backend.make(rows, like=SHOWN), cohort_time="signup", missing="drop")
    twice = [*FOUR, FOUR[1]]
    with pytest.raises(ArgumentError, match=r"'time' .* is null in 2 rows, of 5"):
        metric(backend.make(twice, like=SHOWN), cohort_time="signup")
    nobody = [*FOUR, FOUR[1] | {"customer_id": "e", "signup": None}]
    with pytest.raises(ArgumentError, match="is null in 1 row"):
        metric(backend.make(nobody, like=SHOWN), cohort_time="signup")


def test_what_a_left_join_leaves_null_beside_the_time_is_nothing(backend: Backend) -> None:
    rows = [
        row | {"amount": 5.0 if row["time"] else None, "returned": True if row["time"] else None}
        for row in FOUR
    ]
    if backend.name == "pandas":  # it has no null among booleans
        rows = [row | {"returned": True} for row in rows]
    frame = backend.make(rows, like=rows[0])
    table = cohort_retention(
        frame, cohort_time="signup", amount="amount", returned="returned", as_of="2024-02-01"
    )
    assert columns(table, "retained", "amount", "amount_per_customer") == [[1, 5.0, 1.25]]
    growth = growth_accounting(frame, cohort_time="signup", amount="amount", as_of="2024-02-01")
    assert columns(growth, "new_amount", "customers") == [[5.0, 4]]


def test_a_window_since_the_first_row_of_all_is_complete(backend: Backend) -> None:
    # The row of 1 January does not count, since Ann signs up on the 3rd, and yet it was observed.
    day = [datetime.fromisoformat(f"2024-01-0{number}") for number in range(1, 6)]
    rows: list[Row] = [{"customer_id": "ann", "time": one, "signup": day[2]} for one in day[::2]]
    with pytest.warns(RetainkitWarning, match="1 row not counted, before the start"):
        table = active_users(backend.make(rows), cohort_time="signup", window=3)
    assert columns(table, "period", "active", "complete") == [
        [day[2].date(), 1, True],
        [day[3].date(), 0, True],
        [day[4].date(), 1, True],
    ]


def test_without_events_it_must_be_said_when_observation_ends(backend: Backend) -> None:
    nobody = backend.make(FOUR[1:], like=SHOWN)
    with pytest.raises(ArgumentError, match="say with `as_of` when observation ends"):
        cohort_retention(nobody, cohort_time="signup")
    table = cohort_retention(nobody, cohort_time="signup", as_of="2024-02-01")
    assert columns(table, "eligible", "retained") == [[3, 0]]
    shares = active_users(
        nobody, cohort_time="signup", as_of="2024-02-01", period="month", window=31
    )
    assert columns(shares, "active", "customers", "active_share") == [[0, 3, 0.0]]
    growth = growth_accounting(nobody, cohort_time="signup", as_of="2024-02-01")
    assert columns(growth, "active", "customers") == [[0, 3]]


@each_metric
def test_customers_who_start_too_late_are_counted(backend: Backend, metric: Any) -> None:
    late = SIGN_UPS[0] | {"customer_id": "e", "signup": datetime(2024, 3, 1)}  # noqa: DTZ001
    with pytest.warns(RetainkitWarning, match="1 customer .*at or after the end of observation"):
        metric(
            backend.make(VISITS), customers=backend.make([*SIGN_UPS, late]), cohort_time="signup"
        )


# --- slow references --------------------------------------------------------------------


def question(seed: int, periods: Sequence[str]) -> tuple[list[Row], list[Row], dict[str, Any]]:
    """Return a random log, a table of customers, some of whom never came, and options."""
    draw = random.Random(f"customers {seed}")  # noqa: S311
    period = draw.choice(periods)
    rows, options = random_log(seed, period)
    options |= {"period": period, "week_start": draw.choice(["monday", "thursday"])}
    options |= {"by": draw.choice([[], ["segment"]]), "include_partial": draw.random() < 0.5}
    times = [row["time"] for row in rows]
    length = {"day": 4, "week": 20, "month": 90, "quarter": 300, "year": 700}[period]
    table = []
    for who in range(14):
        start = draw.choice(times)
        if draw.random() < 0.5:
            start -= timedelta(days=draw.randrange(length))
        segment = draw.choice(["a", "b", None])
        table.append({"customer_id": who, "signup": start, "segment": segment})
    log = [{name: row[name] for name in ("customer_id", "time", "amount")} for row in rows]
    return log, table, options


class Truth:
    """Sets of customers, from rows and a table: who started when, who came when."""

    def __init__(self, log: list[Row], table: list[Row], options: dict[str, Any]) -> None:
        tz, as_of = options["tz"], options.get("as_of")
        self.period, self.week_start = options["period"], options["week_start"]
        self.end = end_of(log, tz, as_of)
        ends = instant(as_of, tz) if as_of is not None else None
        self.first = min(wall(row["time"], tz) for row in log).date()
        self.start: dict[Any, date] = {}
        self.segment: dict[Any, tuple[Any, ...]] = {}
        for row in table:
            early = wall(row["signup"], tz) < self.end
            if instant(row["signup"], tz) < ends if ends is not None else early:
                self.start[row["customer_id"]] = wall(row["signup"], tz).date()
                self.segment[row["customer_id"]] = tuple(row[name] for name in options["by"])
        self.came: dict[Any, set[date]] = {who: set() for who in self.start}
        for row in seen(log, tz, as_of):
            who = row["customer_id"]
            if who in self.came:
                self.came[who].add(row["day"])

    def begin(self, day: date) -> date:
        """Return the first day of the period."""
        return start_of(day, self.period, self.week_start)

    def after(self, day: date) -> date:
        """Return the first day of the next period."""
        return next_start(day, self.period, self.week_start)

    def over(self, day: date) -> bool:
        """Return whether the period of a day is over."""
        return datetime.combine(self.after(day), time()) <= self.end

    def begun(self, first: date) -> list[date]:
        """List the periods that have begun, from that of a day on."""
        if datetime.combine(self.begin(first), time()) >= self.end:
            return []
        return periods_between(first, self.end, self.period, self.week_start)

    def active(self, who: Any, begin: date) -> bool:
        """Return whether somebody came in a period, and not before that of the start."""
        days = {day for day in self.came[who] if self.begin(day) == begin}
        return bool(days) and begin >= self.begin(self.start[who])


def slow_cohorts(log: list[Row], table: list[Row], options: dict[str, Any]) -> list[Row]:
    """Follow every cohort period by period."""
    truth = Truth(log, table, options)
    found: list[Row] = []
    for segment, customers in by_segment(truth.segment).items():
        first = min(truth.start[who] for who in customers)
        for cohort in truth.begun(first):
            own = {who for who in customers if truth.begin(truth.start[who]) == cohort}
            for age, begin in enumerate(truth.begun(cohort)):
                if begin < truth.begin(truth.first):
                    continue
                over = truth.over(begin)
                if not over and not options["include_partial"]:
                    continue
                retained = sum(truth.active(who, begin) for who in own)
                lower, upper = wilson(retained, len(own)) if over else (NAN, NAN)
                found.append(
                    dict(zip(options["by"], segment, strict=True))
                    | {"cohort": cohort, "age": age, "customers": len(own), "eligible": len(own)}
                    | {"retained": retained, "retention": share(retained, len(own))}
                    | {"lower": lower, "upper": upper, "complete": over}
                )
    return found


def slow_growth(log: list[Row], table: list[Row], options: dict[str, Any]) -> list[Row]:
    """Compare the sets of customers of each period with those of the period before."""
    truth = Truth(log, table, options)
    found: list[Row] = []
    for segment, customers in by_segment(truth.segment).items():
        shown = max(
            truth.begin(min(truth.start[who] for who in customers)), truth.begin(truth.first)
        )
        before: set[Any] = set()
        for begin in truth.begun(shown):
            active = {who for who in customers if truth.active(who, begin)}
            new = {who for who in active if truth.begin(truth.start[who]) == begin}
            kept, over = active & before, truth.over(begin)
            lost, back = len(before - active), active - kept - new
            lower, upper = wilson(len(kept), len(before)) if over else (NAN, NAN)
            started = sum(truth.begin(truth.start[who]) <= begin for who in customers)
            row = {"period": begin, "active": len(active), "new": len(new), "retained": len(kept)}
            row |= {"resurrected": len(back), "churned": lost}
            row |= {"quick_ratio": share(len(new | back), lost)}
            row |= {"retention_rate": share(len(kept), len(before)), "lower": lower}
            row |= {"upper": upper, "complete": over, "customers": started}
            if over or options["include_partial"]:
                found.append(dict(zip(options["by"], segment, strict=True)) | row)
            before = active
    return found


def slow_active(log: list[Row], table: list[Row], options: dict[str, Any]) -> list[Row]:
    """Count who came in each period, and who might have."""
    truth = Truth(log, table, options)
    found: list[Row] = []
    every = {
        who: {day for day in days if day >= truth.start[who]} for who, days in truth.came.items()
    }
    if datetime.combine(truth.first, time()) >= truth.end:  # nothing was observed
        return found
    for segment, customers in by_segment(truth.segment).items():
        shown = max(min(truth.start[who] for who in customers), truth.first)
        for begin in truth.begun(shown):
            end, over = truth.after(begin), truth.over(begin)
            active = {who for who in customers if any(begin <= day < end for day in every[who])}
            last = min(end, (truth.end - timedelta(microseconds=1)).date() + timedelta(days=1))
            started = {who for who in customers if truth.start[who] < last}
            known = over and begin >= truth.first
            lower, upper = wilson(len(active), len(started)) if known else (NAN, NAN)
            row = {"period": begin, "active": len(active), "customers": len(started)}
            row |= {"active_share": share(len(active), len(started)) if known else NAN}
            row |= {"active_share_lower": lower, "active_share_upper": upper}
            if over or options["include_partial"]:
                found.append(dict(zip(options["by"], segment, strict=True)) | row)
    return found


def retention(frame: Any, **options: Any) -> Any:
    """Compute retention with cohorts and ages in the same periods."""
    return cohort_retention(frame, cohort_period=options["period"], **options)


def shares(frame: Any, **options: Any) -> Any:
    """Compute the share of active users, without the columns that do not know all customers."""
    window = {"day": 1, "week": 7, "month": 31}[options["period"]]
    table = active_users(frame, window=window, **options)
    names = ["active_window", "stickiness", "lower", "upper", "complete"]
    return table.drop(columns=names) if isinstance(table, pd.DataFrame) else table.drop(names)


Slow = Callable[[list[Row], list[Row], dict[str, Any]], list[Row]]
SHORT, LONG = ["day", "week", "month"], ["day", "week", "month", "quarter", "year"]
REFERENCES: list[tuple[Any, Slow, list[str]]] = [
    (retention, slow_cohorts, LONG),
    (growth_accounting, slow_growth, LONG),
    (shares, slow_active, SHORT),
]
each_reference = pytest.mark.parametrize(
    ("metric", "slow", "periods"), REFERENCES, ids=["cohorts", "growth", "active"]
)


def left_join(log: list[Row], table: list[Row]) -> list[Row]:
    """Join the events of each customer to its row."""
    never = {"time": None, "amount": None}
    return [
        row | event
        for row in table
        for event in [one for one in log if one["customer_id"] == row["customer_id"]] or [never]
    ]


@each_reference
@pytest.mark.parametrize("name", ["pandas", "polars-lazy"], ids=["kernel", "plan"])
@pytest.mark.parametrize("seeds", batches(range(120), quick=10))
def test_random_customers_agree_with_the_slow_reference(
    metric: Any, slow: Slow, periods: list[str], seeds: range, name: str
) -> None:
    backend = next(one for one in BACKENDS if one.name == name)
    for seed in seeds:
        log, table, options = question(seed, periods)
        expected = slow(log, table, options)
        customers = backend.make(table, like={**table[0], "segment": "a"})
        options |= {"cohort_time": "signup"}
        shown = {name: value for name, value in like(log).items() if name in log[0]}
        assert_same(
            quietly(metric, backend.make(log, like=shown), customers=customers, **options), expected
        )
        left = backend.make(left_join(log, table), like={**table[0], "segment": "a", **log[0]})
        if options["by"] or any(row["time"] is None for row in left_join(log, table)):
            assert_same(quietly(metric, left, **options), expected)


@pytest.mark.slow
@each_reference
def test_every_backend_agrees_with_the_slow_reference(
    metric: Any, slow: Slow, periods: list[str], backend: Backend
) -> None:
    for seed in range(200, 206):
        log, table, options = question(seed, periods)
        expected = slow(log, table, options)
        shown = {name: value for name, value in like(log).items() if name in log[0]}
        have = quietly(
            metric,
            backend.make(log, like=shown, session="America/New_York"),
            customers=backend.make(
                table, like={**table[0], "segment": "a"}, session="America/New_York"
            ),
            cohort_time="signup",
            **options,
        )
        assert_same(have, expected)


@pytest.mark.parametrize("metric", [cohort_retention, growth_accounting])
def test_rows_before_the_start_are_told_of_how_many(backend: Backend, metric: Any) -> None:
    day = [datetime.fromisoformat(f"2024-01-0{number}") for number in range(1, 6)]
    rows: list[Row] = [{"customer_id": "ann", "time": one, "signup": day[2]} for one in day]
    with pytest.warns(RetainkitWarning, match=r"^2 rows not counted, before .*, of 5\.$") as told:
        metric(backend.make(rows), cohort_time="signup", period="day", as_of="2024-01-06")
    warning: Any = told[0].message
    assert (warning.code, warning.rows, warning.total) == ("rows_before_start", 2, 5)


@pytest.mark.parametrize(
    ("counting", "ages"),
    [("on", [1, 2]), ("on_or_after", [1, 2]), ("on_or_before", []), ("every", [])],
)
def test_what_is_seen_of_who_started_before_the_first_event(
    backend: Backend, counting: str, ages: list[int]
) -> None:
    # Ann signs up in January; the log begins in February, when she is at age 1.
    times = [datetime.fromisoformat(one) for one in ("2024-02-15", "2024-03-15")]
    signup = datetime.fromisoformat("2024-01-10")
    rows: list[Row] = [{"customer_id": "ann", "time": one, "signup": signup} for one in times]
    options: Row = {"cohort_time": "signup", "as_of": "2024-04-01"}
    found = quietly(cohort_retention, backend.make(rows), counting=counting, **options)
    assert [row["age"] for row in found if row["customers"]] == ages
    for metric, more in ((growth_accounting, {}), (active_users, {"window": 31})):
        shown = quietly(metric, backend.make(rows), period="month", **options, **more)
        assert [row["period"] for row in shown] == [date(2024, 2, 1), date(2024, 3, 1)]
