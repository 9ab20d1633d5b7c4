"""The data sets are what they claim to be: CDNOW row by row, the synthetic events by their law."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainkit.datasets import (
    DEFAULT_CHURN,
    DEFAULT_PRICES,
    DEFAULT_RETENTION,
    load_cdnow,
    make_events,
    make_subscriptions,
)
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

PERIODS = ("day", "week", "month", "quarter", "year")


# CDNOW


def rows_of(name: str) -> list[list[str]]:
    """Read a file of the lifetimes distribution with nothing but the standard library."""
    path = metadata.distribution("lifetimes").locate_file(f"lifetimes/datasets/{name}")
    with Path(str(path)).open(newline="") as file:
        rows = [
            [field for field in row if field]
            for row in csv.reader(file, delimiter=" ", skipinitialspace=True)
        ]
    return [row for row in rows if row and row[0].isdigit()]


@pytest.mark.parametrize(
    ("sample", "rows", "customers"), [(False, 69_659, 23_570), (True, 6_919, 2_357)]
)
def test_cdnow_has_the_published_counts(*, sample: bool, rows: int, customers: int) -> None:
    # Fader & Hardie (2013), "Notes on the CDNOW Master Data Set".
    events = load_cdnow(sample=sample)
    assert len(events) == rows
    assert events["customer_id"].nunique() == customers
    assert {name: str(dtype) for name, dtype in events.dtypes.items()} == {
        "customer_id": "int64",
        "time": "datetime64[us]",
        "quantity": "int64",
        "amount": "float64",
    }
    assert events.index.equals(pd.RangeIndex(rows))
    assert not events.isna().any(axis=None)


def test_every_customer_of_cdnow_first_bought_in_the_first_quarter_of_1997() -> None:
    events = load_cdnow()
    first = events.groupby("customer_id")["time"].min()
    assert set(first.dt.to_period("Q").astype(str)) == {"1997Q1"}
    assert events["time"].max() == pd.Timestamp("1998-06-30")
    assert set(events["customer_id"]) == set(range(1, 23_571))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "name"), [(False, "CDNOW_master.txt"), (True, "CDNOW_sample.txt")]
)
def test_cdnow_is_the_file_row_by_row(*, sample: bool, name: str) -> None:
    expected = [
        (int(row[0]), datetime.strptime(row[-3], "%Y%m%d"), int(row[-2]), float(row[-1]))  # noqa: DTZ007
        for row in rows_of(name)
    ]
    events = load_cdnow(sample=sample)
    assert list(events.itertuples(index=False, name=None)) == expected
    assert events["quantity"].sum() == sum(row[2] for row in expected)
    assert events["amount"].sum() == pytest.approx(math.fsum(row[3] for row in expected))


def test_the_sample_of_cdnow_is_part_of_the_whole() -> None:
    sample, whole = load_cdnow(sample=True), load_cdnow()
    theirs = whole[whole["customer_id"].isin(sample["customer_id"])]
    sample = sample.sort_values("customer_id", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(sample, theirs.reset_index(drop=True))


@pytest.mark.parametrize("sample", [False, True])
def test_the_rows_of_a_customer_stand_together_by_day(*, sample: bool) -> None:
    events = load_cdnow(sample=sample)
    changes = (events["customer_id"] != events["customer_id"].shift()).sum()
    assert changes == events["customer_id"].nunique()
    assert (events.groupby("customer_id")["time"].diff().dropna() >= pd.Timedelta(0)).all()


def test_the_sample_has_the_repeat_purchases_of_the_papers() -> None:
    # 2,457 in weeks 1 to 39 and 1,882 in weeks 40 to 78, a day counted once:
    # Fader, Hardie & Lee (2005), Marketing Science 24 (2); the data of BTYD and CLVTools.
    days = load_cdnow(sample=True)[["customer_id", "time"]].drop_duplicates()
    calibration = days["time"] <= pd.Timestamp("1997-09-30")
    assert calibration.sum() - 2_357 == 2_457
    assert (~calibration).sum() == 1_882


def test_the_free_purchases_of_cdnow_are_kept() -> None:
    assert (load_cdnow()["amount"] == 0).sum() == 80
    assert (load_cdnow(sample=True)["amount"] == 0).sum() == 8


@pytest.mark.slow
def test_loading_cdnow_does_not_import_lifetimes() -> None:
    program = (
        "import sys; from retainkit.datasets import load_cdnow, make_events; "
        "assert 'pandas' not in sys.modules; "
        "load_cdnow(), load_cdnow(sample=True), make_events(5, seed=1); "
        "print({'lifetimes', 'matplotlib'} & set(sys.modules))"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("set()\n", "")


def test_without_lifetimes_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(MissingDependencyError, match=r"(?s)not installed.*pip install .*lifetimes"):
        load_cdnow()


def test_without_the_file_the_message_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = tmp_path / "lifetimes-0.11.3.dist-info"
    installed.mkdir()
    monkeypatch.setattr(metadata, "distribution", lambda _: metadata.PathDistribution(installed))
    with pytest.raises(
        MissingDependencyError, match=r"(?s)without CDNOW_sample\.txt.*pip install .*lifetimes"
    ):
        load_cdnow(sample=True)


# Synthetic events


def begin_of(day: date, period: str) -> date:
    """Find the first day of the period that holds a day."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    if period == "quarter":
        return day.replace(month=1 + (day.month - 1) // 3 * 3, day=1)
    return day.replace(month=1, day=1) if period == "year" else day


def activity_of(events: pd.DataFrame, start: str, period: str) -> dict[int, set[int]]:
    """Collect, day by day from `start`, the periods (numbered from 0) of each customer."""
    number, numbers, day = -1, {}, date.fromisoformat(start)
    while day <= events["time"].max().date():
        number += begin_of(day, period) == day
        numbers[day] = number
        day += timedelta(days=1)
    active: dict[int, set[int]] = defaultdict(set)
    for customer, time in zip(events["customer_id"], events["time"], strict=True):
        active[customer].add(numbers[time.date()])
    return active


def assert_like(observed: float, expected: float, deviation: float) -> None:
    """Accept what chance explains: five standard deviations (the seeds are fixed)."""
    assert abs(observed - expected) <= 5 * deviation + 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("period", "start", "persistence", "retention"),
    [
        ("month", "2024-01-01", 0.5, DEFAULT_RETENTION),
        ("month", "2022-11-01", 0.0, DEFAULT_RETENTION),
        ("month", "2024-01-01", 1.0, (1.0, 0.6, 0.6, 0.0, 0.3)),
        ("day", "2024-02-27", 0.5, (1.0, 0.2, 0.9, 1.0)),
        ("week", "2024-12-16", 0.5, (1, 0.4, 0.3, 0.2, 0.1)),
        ("quarter", "2023-07-01", 0.7, np.array([1.0, 0.5, 0.25])),
        ("year", "2023-01-01", 0.3, pd.Series([1.0, 0.75, 0.5])),
        ("month", "2024-01-01", 0.5, (1.0,)),
    ],
)
def test_retention_is_the_curve_that_was_passed(
    period: Any, start: str, persistence: float, retention: Sequence[float]
) -> None:
    events = make_events(
        6_000, seed=8, retention=retention, start=start, period=period, persistence=persistence
    )
    active = activity_of(events, start, period)
    assert sorted(active) == list(range(1, 6_001))
    for cohort in range(len(retention)):
        members = [periods for periods in active.values() if min(periods) == cohort]
        for age in range(len(retention) - cohort):
            share = sum(cohort + age in periods for periods in members) / len(members)
            truth = retention[age]
            assert_like(share, truth, math.sqrt(truth * (1 - truth) / len(members)))


def test_customers_start_in_every_period_alike_and_are_numbered_in_that_order() -> None:
    events = make_events(6_000, seed=8)
    first = events.groupby("customer_id")["time"].min().dt.month
    assert first.is_monotonic_increasing
    for size in first.value_counts():
        assert_like(size, 500, math.sqrt(6_000 * 11 / 144))


def stayed_throughout(persistence: float) -> float:
    """Find the share of the first cohort that is active at the ages 1, 2 and 3, all of them."""
    events = make_events(
        20_000, seed=3, retention=(1, 0.8, 0.6, 0.5), start="2024-01-01", persistence=persistence
    )
    active = activity_of(events, "2024-01-01", "month")
    return float(np.mean([len(periods) == 4 for periods in active.values() if 0 in periods]))


def test_without_persistence_the_ages_are_independent() -> None:
    truth = 0.8 * 0.6 * 0.5
    assert_like(stayed_throughout(0), truth, math.sqrt(truth * (1 - truth) / 5_000))


@pytest.mark.slow
def test_with_full_persistence_a_customer_stays_until_leaving_for_good() -> None:
    assert_like(stayed_throughout(1), 0.5, math.sqrt(0.25 / 5_000))
    events = make_events(2_000, seed=5, persistence=1)
    for periods in activity_of(events, "2024-01-01", "month").values():
        assert len(periods) == max(periods) - min(periods) + 1


def test_persistence_in_between_mixes_the_two() -> None:
    # Given the customer's level u, age k is active with probability 0.5 [u < r] + 0.5 r.
    by_level = [(0.5, (0.9, 0.8, 0.75)), (0.1, (0.9, 0.8, 0.25)), (0.2, (0.9, 0.3, 0.25))]
    truth = sum(width * math.prod(shares) for width, shares in by_level) + 0.2 * 0.4 * 0.3 * 0.25
    assert_like(stayed_throughout(0.5), truth, math.sqrt(truth * (1 - truth) / 5_000))


def test_events_and_amounts_have_the_means_that_were_asked_for() -> None:
    events = make_events(20_000, seed=4, retention=(1, 1), mean_events=3.5, mean_amount=12)
    per_period = events.groupby(["customer_id", events["time"].dt.month]).size()
    assert per_period.min() == 1
    assert_like(per_period.mean(), 3.5, math.sqrt(2.5 / len(per_period)))
    assert_like(events["amount"].mean(), 12, 6 / math.sqrt(len(events)))  # sd: mean / sqrt(4)
    assert (events["amount"] == events["amount"].round(2)).all()


def test_one_event_a_period_and_no_amount_are_the_least() -> None:
    events = make_events(500, seed=4, mean_events=1, mean_amount=0)
    assert (
        not events.assign(month=events["time"].dt.month).duplicated(["customer_id", "month"]).any()
    )
    assert (events["amount"] == 0).all()


def test_times_are_uniform_over_the_period() -> None:
    time = make_events(20_000, seed=6, retention=(1,), start="2024-02-01")["time"]
    into = (time - pd.Timestamp("2024-02-01")) / pd.Timedelta(days=29)
    assert_like(into.mean(), 1 / 2, math.sqrt(1 / 12 / len(time)))
    assert_like((into < 0.1).mean(), 0.1, math.sqrt(0.09 / len(time)))
    assert_like((into >= 0.9).mean(), 0.1, math.sqrt(0.09 / len(time)))


@settings(deadline=None)
@given(
    customers=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    later=st.lists(st.floats(0, 1), max_size=15),
    period=st.sampled_from(PERIODS),
    start=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
)
def test_the_log_covers_its_periods_to_the_last_day(
    *,
    customers: int,
    seed: int,
    later: list[float],
    period: Any,
    start: date,
) -> None:
    first = begin_of(start, period)
    retention = [1.0, *later]
    events = make_events(
        customers,
        seed=seed,
        retention=retention,
        start=first,
        period=period,
    )
    assert set(events["customer_id"]) == set(range(1, customers + 1))
    assert events["time"].is_monotonic_increasing
    assert events["time"].iloc[0] >= pd.Timestamp(first)
    # The day after the last row begins a period, the one after the last.
    end = events["time"].iloc[-1].date() + timedelta(days=1)
    assert begin_of(end, period) == end
    begins = {
        first + timedelta(days=days)
        for days in range((end - first).days)
        if begin_of(first + timedelta(days=days), period) == first + timedelta(days=days)
    }
    assert len(begins) == len(retention)


@pytest.mark.parametrize("seed", range(10))
def test_reaching_the_last_day_moves_no_event_into_another_period(seed: int) -> None:
    events = make_events(2, seed=seed, retention=(1, 0, 0, 0), mean_events=3)
    assert events["time"].iloc[-1].date() == date(2024, 4, 30)
    months = events["time"].dt.month.groupby(events["customer_id"]).nunique()
    assert months.tolist() == [1, 1]


def test_the_form_of_the_log() -> None:
    events = make_events(500, seed=1)
    assert {name: str(dtype) for name, dtype in events.dtypes.items()} == {
        "customer_id": "int64",
        "time": "datetime64[us]",
        "amount": "float64",
    }
    assert events.index.equals(pd.RangeIndex(len(events)))
    assert events["time"].iloc[-1].date() == date(2024, 12, 31)
    assert len(DEFAULT_RETENTION) == 12


def test_the_seed_decides() -> None:
    pd.testing.assert_frame_equal(make_events(200, seed=1), make_events(200, seed=1))
    assert not make_events(200, seed=1).equals(make_events(200, seed=2))


def test_the_global_random_state_is_not_touched() -> None:
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    one = make_events(200, seed=1)
    np.random.seed(7)  # noqa: NPY002
    two = make_events(200, seed=1)
    assert np.random.random() == expected  # noqa: NPY002
    pd.testing.assert_frame_equal(one, two)


def test_the_retention_that_was_passed_is_not_changed() -> None:
    retention = np.array([1.0, 0.5])
    make_events(10, seed=1, retention=retention)
    assert retention.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"customers": 0}, ArgumentError, "`customers` is 0; it must be 1 or more"),
        ({"customers": 2.5}, ArgumentTypeError, "`customers` is 2.5"),
        ({"seed": None}, ArgumentTypeError, "`seed` is None"),
        ({"seed": -1}, ArgumentError, "`seed` is -1"),
        ({"retention": ()}, ArgumentError, r"`retention` is \(\); it must hold one probability"),
        ({"retention": 0.5}, ArgumentError, "`retention` is 0.5"),
        ({"retention": "high"}, ArgumentError, "`retention` is 'high'"),
        ({"retention": (0.9, 0.5)}, ArgumentError, "the first of them 1"),
        ({"retention": ((1.0, 0.5),)}, ArgumentError, "one probability for every age"),
        (
            {"retention": (1, 0.5, 1.5, -1)},
            ArgumentError,
            r"2 of 4 values outside 0 to 1, the first at age 2: 1\.5",
        ),
        ({"retention": (1, math.nan)}, ArgumentError, "the first at age 1: nan"),
        ({"start": "today"}, ArgumentError, "`start` is 'today'; it must be an ISO date"),
        ({"start": "2024-01-31T10:00"}, ArgumentError, "it must be an ISO date"),
        ({"start": "2024-02-30"}, ArgumentError, "it must be an ISO date"),
        (
            {"start": "2024-05-17"},
            ArgumentError,
            "2024-05-17, not the first day of a month; use '2024-05-01'",
        ),
        ({"start": date(2024, 5, 12), "period": "week"}, ArgumentError, "use '2024-05-06'"),
        ({"start": "2024-05-01", "period": "quarter"}, ArgumentError, "use '2024-04-01'"),
        ({"start": "2024-02-01", "period": "year"}, ArgumentError, "use '2024-01-01'"),
        ({"period": "fortnight"}, ArgumentError, "`period` is 'fortnight'; .*'month'"),
        ({"persistence": 1.1}, ArgumentError, "`persistence` is 1.1; .* from 0 to 1"),
        ({"persistence": math.nan}, ArgumentError, "`persistence` is nan"),
        ({"persistence": True}, ArgumentTypeError, "`persistence` is True"),
        ({"mean_events": 0.5}, ArgumentError, "`mean_events` is 0.5; .* 1 or more"),
        ({"mean_events": "2"}, ArgumentTypeError, "`mean_events` is '2'; it must be a number"),
        ({"mean_amount": -1}, ArgumentError, "`mean_amount` is -1; .* 0 or more"),
        ({"mean_amount": math.inf}, ArgumentError, "`mean_amount` is inf"),
    ],
)
def test_a_bad_argument_is_named(bad: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"customers": 10, "seed": 1, **bad}
    with pytest.raises(error, match=message):
        make_events(**arguments)


# Synthetic subscriptions

Lives = dict[int, list[tuple[str, date, date | None]]]
STILL: dict[str, Any] = {"upgrade": 0, "downgrade": 0, "reactivation": 0}


def month_after(day: date, months: int = 1) -> date:
    """Find the same day some months later (days above 28 are not asked for)."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, day.day)


def months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def lives_of(table: Any) -> Lives:
    """Collect the rows of each customer in the order of the table."""
    lives: Lives = defaultdict(list)
    for row in table.itertuples():
        end = None if pd.isna(row.end) else row.end.date()
        lives[row.customer_id].append((row.plan, row.start.date(), end))
    return lives


def one_by_one(lives: Lives) -> list[tuple[int, str, date, date | None, date | None]]:
    """Return each row with the start of the next row of the same customer."""
    return [
        (customer, *row, later[1] if later else None)
        for customer, rows in lives.items()
        for row, later in zip(rows, [*rows[1:], None], strict=True)
    ]


def test_of_those_on_a_plan_in_each_month_the_share_that_was_asked_for_leaves() -> None:
    # Month by month, with everything that can happen to a customer but late payments.
    lives = lives_of(make_subscriptions(6_000, seed=7, upgrade=0.1, downgrade=0.1, seats=0.05))
    opening: dict[str, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    for month in (month_after(date(2023, 1, 1), number) for number in range(1, 24)):
        for rows in lives.values():
            # The state before midnight: what ends at midnight ends in the new month.
            here = [row for row in rows if row[1] < month and (row[2] is None or row[2] >= month)]
            if not here:
                continue
            (plan,) = {row[0] for row in here}
            opening[plan] += 1
            (end,) = {row[2] for row in here}
            leaves = end is not None and end < month_after(month)
            lost[plan] += leaves and all(row[1] != end for row in rows)
    for plan, churn in DEFAULT_CHURN.items():
        share = lost[plan] / opening[plan]
        assert opening[plan] > 10_000
        assert_like(share, churn, math.sqrt(churn * (1 - churn) / opening[plan]))


@pytest.mark.slow
@pytest.mark.parametrize("polarization", [0.0, 0.6])
def test_customers_stay_as_long_as_the_curve_says(polarization: float) -> None:
    churn = {"low": 0.05, "high": 0.3}
    table = make_subscriptions(
        12_000,
        seed=2,
        churn=churn,
        prices=dict.fromkeys(churn, 1),
        months=12,
        polarization=polarization,
        **STILL,
    )
    for plan, mean in churn.items():
        rows = list(lives_of(table[table["plan"] == plan]).values())
        survival = 1.0
        for months in range(1, 7):
            if polarization:
                # r_t = (beta + t - 1) / (alpha + beta + t - 1), Fader & Hardie (2007).
                alpha, beta = mean * 2 / 3, (1 - mean) * 2 / 3  # 1 / 0.6 - 1 is 2 / 3
                survival *= (beta + months - 1) / (alpha + beta + months - 1)
            else:
                survival *= 1 - mean
            watched = [row for ((_, *row),) in rows if row[0] < date(2023, 6, 1)]  # type: ignore[operator]
            stayed = [end is None or months_between(start, end) > months for start, end in watched]  # type: ignore[arg-type]
            deviation = math.sqrt(survival * (1 - survival) / len(stayed))
            assert_like(sum(stayed) / len(stayed), survival, deviation)


def test_rows_of_renewals_are_the_subscriptions_cut_at_every_renewal() -> None:
    options: dict[str, Any] = {"seed": 9, "late": 0.05, "upgrade": 0.1, "start": "2022-11-01"}
    whole = lives_of(make_subscriptions(400, **options))
    table = make_subscriptions(400, rows="renewal", **options)
    joined: Lives = {}
    for customer, rows in lives_of(table).items():
        own = joined.setdefault(customer, [])
        for plan, start, end in rows:
            if own and own[-1][0] == plan and own[-1][2] == start:
                plan, start, _ = own.pop()  # noqa: PLW2901
            own.append((plan, start, end))
        for (_, start, end), before in zip(rows, [None, *rows], strict=False):
            if end is None or start == date(2024, 10, 31):
                continue
            paid_late = before and before[2] and 1 <= (start - before[2]).days <= 3
            due = before[2] if before and before[2] and paid_late else start
            assert month_after(due) == end
    assert joined == whole


@pytest.mark.slow
def test_moves_go_to_the_plan_beside_and_touch() -> None:
    table = make_subscriptions(3_000, seed=3, upgrade=0.2, downgrade=0.1, reactivation=0)
    plans = list(DEFAULT_CHURN)
    moves: dict[tuple[str, int], int] = defaultdict(int)
    for _, plan, _, end, following in one_by_one(lives_of(table)):
        assert following in {None, end}
        moves[plan, 1 if following else 0] += 1
    stays: dict[str, int] = defaultdict(int)
    renewed = make_subscriptions(
        3_000, seed=3, upgrade=0.2, downgrade=0.1, reactivation=0, rows="renewal"
    )
    ups: dict[str, int] = defaultdict(int)
    downs: dict[str, int] = defaultdict(int)
    for rows in lives_of(renewed).values():
        for (plan, *_), (later, *_) in pairwise(rows):
            step = plans.index(later) - plans.index(plan)
            assert step in {-1, 0, 1}
            stays[plan] += 1
            ups[plan] += step == 1
            downs[plan] += step == -1
    for plan in plans:
        assert ups[plan] + downs[plan] == moves[plan, 1]
        for counted, chance in (
            (ups, 0.0 if plan == "pro" else 0.2),
            (downs, 0.0 if plan == "basic" else 0.1),
        ):
            deviation = math.sqrt(chance * (1 - chance) / stays[plan])
            assert_like(counted[plan] / stays[plan], chance, deviation)


def test_customers_come_back_to_their_plan_after_a_whole_month_away() -> None:
    table = make_subscriptions(4_000, seed=5, upgrade=0.2, downgrade=0.2, reactivation=0.15)
    months, returns, same = 0, 0, 0
    for rows in lives_of(table).values():
        for (plan, _, end), later in zip(rows, [*rows[1:], None], strict=True):
            until = later[1] if later else date(2024, 12, 31)
            if end is None or end == until:
                continue
            assert later is None or months_between(end, until) >= 2
            months += max(0, months_between(end, until) - 1)
            if later is not None:
                assert later[0] == plan
                returns += 1
                same += until.day == end.day
    assert_like(returns / months, 0.15, math.sqrt(0.15 * 0.85 / months))
    assert_like(same / returns, 1 / 28, math.sqrt(27 / 28**2 / returns))


def test_seats_run_beside_and_end_together() -> None:
    options: dict[str, Any] = {"seed": 6, **STILL}
    table = make_subscriptions(3_000, seats=0.1, rows="renewal", **options)
    assert (table["mrr"] == table["plan"].map(DEFAULT_PRICES)).all()
    chances, taken = 0, 0
    for rows in lives_of(table).values():
        ends = sorted({end for _, _, end in rows if end}, key=str)
        for end in ends:
            before = sum(row[2] == end for row in rows)
            after = sum(row[1] == end for row in rows)
            if after:
                assert after - before in {0, 1}
                chances += 1
                taken += after - before
    assert_like(taken / chances, 0.1, math.sqrt(0.09 / chances))
    for rows in lives_of(make_subscriptions(500, seats=0.1, **options)).values():
        assert len({end for *_, end in rows}) == 1


def test_late_payments_leave_gaps_of_one_to_three_days() -> None:
    options: dict[str, Any] = {"seed": 6, "start": "2022-03-01", **STILL}
    table = make_subscriptions(3_000, late=0.2, rows="renewal", **options)
    assert table["start"].max() == pd.Timestamp("2024-02-29")
    lags = [
        (later - end).days for _, _, _, end, later in one_by_one(lives_of(table)) if end and later
    ]
    assert set(lags) == {0, 1, 2, 3}
    for lag in (1, 2, 3):
        assert_like(lags.count(lag) / len(lags), 0.2 / 3, math.sqrt(0.2 / 3 / len(lags)))


@pytest.mark.slow
def test_all_seats_of_who_pays_late_begin_together() -> None:
    table = make_subscriptions(500, seed=4, seats=0.3, late=0.5, rows="renewal", **STILL)
    for rows in lives_of(table).values():
        starts = {start for _, start, _ in rows}
        for end in {end for *_, end in rows if end}:
            assert len([start for start in starts if 0 <= (start - end).days <= 3]) <= 1


def test_nobody_needs_to_leave_and_everybody_may() -> None:
    plans = {"stay": 0, "go": 1}
    for polarization in (0.0, 0.5):
        table = make_subscriptions(
            300,
            seed=1,
            churn=plans,
            prices={"go": 5, "stay": 0},
            months=6,
            polarization=polarization,
            **STILL,
        )
        assert table.loc[table["plan"] == "stay", "end"].isna().all()
        assert set(table.loc[table["plan"] == "stay", "mrr"]) == {0.0}
        gone = lives_of(table[(table["plan"] == "go") & (table["start"] < "2023-06-01")])
        assert all(end == month_after(start) for ((_, start, end),) in gone.values() if end)
        assert all(end or start.month == 6 for ((_, start, end),) in gone.values())


@settings(deadline=None, max_examples=60)
@given(
    customers=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    months=st.integers(1, 15),
    start=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    rates=st.fixed_dictionaries(
        {
            name: st.floats(0, 0.5)
            for name in ("upgrade", "downgrade", "reactivation", "late", "seats")
        }
    ),
    rows=st.sampled_from(["subscription", "renewal"]),
)
def test_the_table_is_in_order_and_within_its_months(
    *, customers: int, seed: int, months: int, start: date, rates: dict[str, Any], rows: Any
) -> None:
    first = start.replace(day=1)
    table = make_subscriptions(customers, seed=seed, months=months, start=first, rows=rows, **rates)
    last = month_after(first, months) - timedelta(days=1)
    assert table["start"].min() >= pd.Timestamp(first)
    assert table["start"].max() == pd.Timestamp(last)
    assert not (table["end"] > pd.Timestamp(last)).any()
    assert (table["end"].isna() | (table["end"] > table["start"])).all()
    assert table.sort_values(["start", "customer_id"], kind="stable").equals(table)
    firsts = table.groupby("customer_id")["start"].min()
    assert firsts.index.tolist() == list(range(1, customers + 1))
    assert firsts.is_monotonic_increasing
    for own in lives_of(table).values():
        # Only seats run beside each other, and they end as one.
        for (_, _, end), (_, start_, end_) in pairwise(own):
            assert end_ == end or (end is not None and start_ >= end)


def test_the_form_of_the_table() -> None:
    table = make_subscriptions(500, seed=1)
    assert list(table.columns) == ["customer_id", "plan", "start", "end", "mrr"]
    kinds = {name: str(dtype) for name, dtype in table.dtypes.items() if name != "plan"}
    assert kinds == {
        "customer_id": "int64",
        "start": "datetime64[us]",
        "end": "datetime64[us]",
        "mrr": "float64",
    }
    assert set(table["plan"]) == {"basic", "plus", "pro"}
    assert table.index.equals(pd.RangeIndex(len(table)))
    assert DEFAULT_CHURN.keys() == DEFAULT_PRICES.keys()


def test_the_order_of_prices_does_not_matter() -> None:
    turned = dict(reversed(DEFAULT_PRICES.items()))  # type: ignore[call-overload]
    pd.testing.assert_frame_equal(
        make_subscriptions(200, seed=1, prices=turned), make_subscriptions(200, seed=1)
    )


def test_the_seed_decides_on_subscriptions_and_nothing_global_does() -> None:
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    one, two = make_subscriptions(200, seed=1), make_subscriptions(200, seed=1)
    assert np.random.random() == expected  # noqa: NPY002
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(make_subscriptions(200, seed=2))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"customers": 0}, ArgumentError, "`customers` is 0"),
        ({"seed": None}, ArgumentTypeError, "`seed` is None"),
        ({"months": 0}, ArgumentError, "`months` is 0"),
        ({"start": "2024-05-17"}, ArgumentError, "not the first day of a month"),
        ({"churn": 0.1}, ArgumentTypeError, "`churn` is 0.1; it must be a mapping"),
        ({"churn": {}}, ArgumentError, "`churn` is empty"),
        ({"churn": {1: 0.1}}, ArgumentTypeError, "`churn` has the plan 1; plans must be text"),
        ({"churn": {"a": 0.1}}, ArgumentError, r"`churn` has the plans \['a'\] and `prices`"),
        ({"churn": {"a": 1.1}}, ArgumentError, r"`churn\['a'\]` is 1.1; .* from 0 to 1"),
        ({"prices": {"a": -1}}, ArgumentError, r"`prices\['a'\]` is -1; .* 0 or more"),
        ({"polarization": 1}, ArgumentError, "`polarization` is 1.0; it must be below 1"),
        ({"polarization": -1}, ArgumentError, "`polarization` is -1"),
        ({"upgrade": 0.7, "downgrade": 0.4}, ArgumentError, "together more than 1"),
        ({"reactivation": 2}, ArgumentError, "`reactivation` is 2"),
        ({"seats": math.nan}, ArgumentError, "`seats` is nan"),
        ({"late": "often"}, ArgumentTypeError, "`late` is 'often'"),
        ({"rows": "month"}, ArgumentError, "`rows` is 'month'"),
    ],
)
def test_a_bad_argument_of_subscriptions_is_named(
    bad: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {"customers": 10, "seed": 1, **bad}
    with pytest.raises(error, match=message):
        make_subscriptions(**arguments)
