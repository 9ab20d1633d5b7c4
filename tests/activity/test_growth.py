"""Growth accounting and active users, held to sets of customers, to hand counts and identities."""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import polars as pl
import pytest

from backends import BACKENDS, Backend, params
from event_logs import (
    LIKE,
    assert_same,
    by_segment,
    end_of,
    like,
    log,
    next_start,
    periods_between,
    quietly,
    random_log,
    seen,
    segments_of,
    share,
    start_of,
    wilson,
)
from retainkit import active_days, active_users, datasets, growth_accounting
from retainkit._time.period_options import period_option
from retainkit.activity import _eager, _lazy
from retainkit.activity._spec import VisitSpec
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import batches, cases
from tables import Row, rows_of

PERIODS = ["day", "week", "month", "quarter", "year"]
NAN = math.nan
COUNTS = ["active", "new", "retained", "resurrected", "churned"]
SUMS = [
    *("amount", "new_amount", "retained_amount", "expansion", "contraction"),
    *("resurrected_amount", "churned_amount"),
]


# --- slow references: sets of customers, period by period -------------------------------


def slow_growth(
    rows: list[Row],
    *,
    period: str,
    tz: str | None,
    by: Sequence[str],
    week_start: str = "monday",
    amount: str | None = None,
    amounts: str = "keep",
    as_of: Any = None,
    include_partial: bool = False,
) -> list[Row]:
    assert amounts == "keep"
    end = end_of(rows, tz, as_of)
    rows = seen(rows, tz, as_of)
    table = []
    for segment, members in by_segment(segments_of(rows, tz, by)).items():
        own = [row for row in rows if row["customer_id"] in members]
        spent: dict[date, dict[Any, float]] = defaultdict(lambda: defaultdict(float))
        for row in own:
            spent[start_of(row["day"], period, week_start)][row["customer_id"]] += row["amount"]
        before: dict[Any, float] = {}
        ever: set[Any] = set()
        for start in periods_between(min(row["day"] for row in own), end, period, week_start):
            now = dict(spent[start])
            over = datetime.combine(next_start(start, period, week_start), time()) <= end
            if over or include_partial:
                found = slow_period(now, before, ever, over=over, money=amount is not None)
                table.append(dict(zip(by, segment, strict=True)) | {"period": start} | found)
            before, ever = now, ever | set(now)
    return table


def slow_period(
    now: dict[Any, float], before: dict[Any, float], ever: set[Any], *, over: bool, money: bool
) -> Row:
    new, kept = set(now) - ever, set(now) & set(before)
    back, lost = (set(now) & ever) - set(before), set(before) - set(now)
    lower, upper = wilson(len(kept), len(before)) if over else (NAN, NAN)
    row: Row = {
        "active": len(now),
        "new": len(new),
        "retained": len(kept),
        "resurrected": len(back),
        "churned": len(lost),
        "quick_ratio": share(len(new) + len(back), len(lost)),
        "retention_rate": share(len(kept), len(before)),
        "lower": lower,
        "upper": upper,
        "complete": over,
    }
    if money:
        more = sum(max(now[who] - before[who], 0) for who in kept)
        less = sum(max(before[who] - now[who], 0) for who in kept)
        gained = sum(now[who] for who in new)
        again = sum(now[who] for who in back)
        gone, total = sum(before[who] for who in lost), sum(before.values())
        common = sum(min(now[who], before[who]) for who in kept)
        row |= {
            "amount": float(sum(now.values())),
            "new_amount": float(gained),
            "retained_amount": float(common),
            "expansion": float(more),
            "contraction": float(less),
            "resurrected_amount": float(again),
            "churned_amount": float(gone),
            "amount_quick_ratio": share(gained + more + again, less + gone),
            "gross_retention": share(common, total),
            "net_retention": share(common + more, total),
        }
    return row


def slow_active(
    rows: list[Row],
    *,
    period: str,
    window: int,
    tz: str | None,
    by: Sequence[str],
    week_start: str = "monday",
    as_of: Any = None,
    include_partial: bool = False,
) -> list[Row]:
    end = end_of(rows, tz, as_of)
    rows = seen(rows, tz, as_of)
    begin = min((row["day"] for row in rows), default=None)
    table = []
    for segment, members in by_segment(segments_of(rows, tz, by)).items():
        own = [row for row in rows if row["customer_id"] in members]
        for start in periods_between(min(row["day"] for row in own), end, period, week_start):
            stop = next_start(start, period, week_start)
            over = datetime.combine(stop, time()) <= end
            if not over and not include_partial:
                continue
            # A day in progress is the last of its window.
            until = min(stop, (end - timedelta(microseconds=1)).date() + timedelta(days=1))
            since = until - timedelta(days=window)
            now = {row["customer_id"] for row in own if start <= row["day"] < stop}
            wide = {row["customer_id"] for row in own if since <= row["day"] < until}
            complete = over and begin is not None and since >= begin
            lower, upper = wilson(len(now), len(wide)) if complete else (NAN, NAN)
            table.append(
                dict(zip(by, segment, strict=True))
                | {
                    "period": start,
                    "active": len(now),
                    "active_window": len(wide),
                    "stickiness": share(len(now), len(wide)) if complete else NAN,
                    "lower": lower,
                    "upper": upper,
                    "complete": complete,
                }
            )
    return table


def slow_days(
    rows: list[Row], *, window: int, tz: str | None, by: Sequence[str], as_of: Any = None
) -> list[Row]:
    end = end_of(rows, tz, as_of).date()
    rows = [row for row in seen(rows, tz, as_of) if row["day"] < end]
    since = end - timedelta(days=window)
    table = []
    for segment, members in by_segment(segments_of(rows, tz, by)).items():
        days: dict[Any, set[date]] = defaultdict(set)
        for row in rows:
            if row["customer_id"] in members and row["day"] >= since:
                days[row["customer_id"]].add(row["day"])
        for number in range(1, window + 1):
            exactly = sum(len(its) == number for its in days.values())
            lower, upper = wilson(exactly, len(days))
            table.append(
                dict(zip(by, segment, strict=True))
                | {
                    "days": number,
                    "customers": exactly,
                    "share": share(exactly, len(days)),
                    "lower": lower,
                    "upper": upper,
                    "at_least": sum(len(its) >= number for its in days.values()),
                    "complete": since >= min(row["day"] for row in rows),
                }
            )
    return table


def growth_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    draw = random.Random(f"growth {seed}")  # noqa: S311
    period = draw.choice(PERIODS)
    rows, options = random_log(seed, period)
    options |= {"period": period, "include_partial": draw.random() < 0.5}
    options |= {"week_start": draw.choice(["monday", "thursday"])}
    return rows, options | {"amount": draw.choice([None, "amount"]), "amounts": "keep"}


def active_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    draw = random.Random(f"active {seed}")  # noqa: S311
    period = draw.choice(["day", "week", "month"])
    rows, options = random_log(seed, period)
    least = {"day": 1, "week": 7, "month": 31}[period]
    options |= {"period": period, "window": least + draw.choice([0, 0, 1, 3, 20])}
    options |= {"week_start": draw.choice(["monday", "thursday"])}
    return rows, options | {"include_partial": draw.random() < 0.5}


def days_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    rows, options = random_log(seed, random.Random(seed).choice(["day", "week"]))  # noqa: S311
    return rows, options | {"window": random.Random(seed).choice([1, 3, 7])}  # noqa: S311


QUESTIONS = [
    (growth_accounting, slow_growth, growth_question),
    (active_users, slow_active, active_question),
    (active_days, slow_days, days_question),
]
each_metric = pytest.mark.parametrize(
    ("metric", "slow", "question"), QUESTIONS, ids=[one[0].__name__ for one in QUESTIONS]
)


@each_metric
@pytest.mark.parametrize("lazy", [False, True], ids=["kernel", "plan"])
@pytest.mark.parametrize("seeds", batches(range(150), quick=10))
def test_random_logs_agree_with_the_slow_reference(
    metric: Any, slow: Any, question: Any, seeds: range, *, lazy: bool
) -> None:
    backend = next(one for one in BACKENDS if one.name == ("polars-lazy" if lazy else "pandas"))
    for seed in seeds:
        rows, options = question(seed)
        frame = backend.make(rows, like=like(rows))
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


@pytest.mark.slow
@each_metric
def test_every_backend_agrees_with_the_slow_reference(
    metric: Any, slow: Any, question: Any, backend: Backend
) -> None:
    for seed in range(200, 212 if backend.name != "pyspark" else 206):
        rows, options = question(seed)
        frame = backend.make(rows, like=like(rows), session="America/New_York")
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


@each_metric
def test_blocks_of_rows_change_nothing(
    metric: Any, slow: Any, question: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retainkit._frames.groupby._BLOCK", 5)
    monkeypatch.setattr("retainkit._time.grid._BLOCK", 7)
    for seed in range(300, 312):
        rows, options = question(seed)
        frame = next(one for one in BACKENDS if one.name == "polars").make(rows, like=like(rows))
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


# --- by hand ----------------------------------------------------------------------------


def months(*visits: tuple[str, str]) -> Any:
    """Write a customer's months as a string of digits."""
    return log(*((who, f"2024-{int(month, 16):02d}-15") for who, its in visits for month in its))


def test_growth_by_hand() -> None:
    # Ann Jan Feb Mar, Bob Jan Mar, Cyd Feb, Dan Mar May. April has nobody, and is a row.
    table = growth_accounting(
        months(("ann", "123"), ("bob", "13"), ("cyd", "2"), ("dan", "35")), as_of="2024-06-01"
    )
    assert table["period"].dt.month.tolist() == [1, 2, 3, 4, 5]
    assert table[COUNTS].to_numpy().tolist() == [
        [2, 2, 0, 0, 0],
        [2, 1, 1, 0, 1],
        [3, 1, 1, 1, 1],
        [0, 0, 0, 0, 3],
        [1, 0, 0, 1, 0],
    ]
    ratios = table["quick_ratio"].tolist()
    assert ratios[1:4] == [1.0, 2.0, 0.0]
    assert math.isnan(ratios[0])
    assert math.isnan(ratios[4])  # nobody was lost: no number, and not infinity
    rates = table["retention_rate"].tolist()
    assert rates[1:4] == [0.5, 0.5, 0.0]
    assert math.isnan(rates[4])  # of nobody


def test_money_by_hand() -> None:
    # Retained is the sum of min(now, before).
    table = growth_accounting(
        log(
            ("ann", "2024-01-05", 100.0),
            ("ann", "2024-02-05", 150.0),
            ("bob", "2024-01-09", 80.0),
            ("bob", "2024-02-01", 20.0),
            ("bob", "2024-02-28", 10.0),
            ("cyd", "2024-01-31", 40.0),
            ("dan", "2024-02-10", 60.0),
            ("cyd", "2024-03-10", 25.0),
        ),
        amount="amount",
        as_of="2024-04-01",
    )
    assert table[SUMS].to_numpy().tolist() == [
        [220, 220, 0, 0, 0, 0, 0],
        [240, 60, 130, 50, 50, 0, 40],
        [25, 0, 0, 0, 0, 25, 240],
    ]
    second = table.iloc[1]
    assert second["amount_quick_ratio"] == pytest.approx(110 / 90)
    assert second["gross_retention"] == pytest.approx(130 / 220)
    assert second["net_retention"] == pytest.approx(180 / 220)


def test_rounding_makes_no_expansion() -> None:
    # 0.1 + 0.2 and 0.3 differ by 5.6e-17.
    events = log(
        ("ann", "2024-01-05", 0.3),
        ("ann", "2024-02-05", 0.1),
        ("ann", "2024-02-06", 0.2),
        ("ann", "2024-03-06", 0.3),
    )
    for frame in (events, pl.from_pandas(events).lazy()):
        table = rows_of(growth_accounting(frame, amount="amount", as_of="2024-04-01"))
        assert [row["expansion"] for row in table] == [0, 0, 0]
        assert [row["contraction"] for row in table] == [0, 0, 0]
        assert [row["amount_quick_ratio"] for row in table] == [None, None, None]


def test_the_period_in_progress_is_shown_on_request_and_marked() -> None:
    events = months(("ann", "12"), ("bob", "1"), ("bob", "3"))
    whole = growth_accounting(events, as_of="2024-03-20")
    assert whole["period"].dt.month.tolist() == [1, 2]
    assert whole["complete"].all()
    shown = growth_accounting(events, as_of="2024-03-20", include_partial=True)
    last = shown.iloc[-1]
    assert not last["complete"]
    assert last[COUNTS].tolist() == [1, 0, 0, 1, 1]
    assert math.isnan(last["lower"])
    assert math.isnan(last["upper"])


def test_a_segment_is_that_of_the_first_row() -> None:
    # Ann upgrades in February: she stays free, or the paying would have been so from birth.
    events = log(
        ("ann", "2024-01-05", "free"),
        ("bob", "2024-01-06", "pro"),
        ("ann", "2024-02-05", "pro"),
        names=("customer_id", "time", "plan"),
    )
    table = growth_accounting(events, by="plan", as_of="2024-03-01")
    assert table["plan"].tolist() == ["free", "free", "pro", "pro"]
    assert table["retained"].tolist() == [0, 1, 0, 0]
    assert table["churned"].tolist() == [0, 0, 0, 1]


def test_several_segments_at_the_first_instant_are_warned_of() -> None:
    events = log(
        ("ann", "2024-01-05", "pro"),
        ("ann", "2024-01-05", "free"),
        names=("customer_id", "time", "plan"),
    )
    for frame in (events, pl.from_pandas(events).lazy()):
        for metric in (growth_accounting, active_users, active_days):
            with pytest.warns(RetainkitWarning, match=r"1 customer with several values of `by`"):
                table = metric(frame, by="plan", as_of="2024-02-01")
            assert {row["plan"] for row in rows_of(table)} == {"free"}


def test_windows_by_hand() -> None:
    # The first window - 1 days cannot be complete.
    events = log(
        ("ann", "2024-01-01"),
        ("ann", "2024-01-03"),
        ("bob", "2024-01-02"),
        ("bob", "2024-01-07"),
        names=("customer_id", "time"),
    )
    table = active_users(events, window=3)
    assert table["active"].tolist() == [1, 1, 1, 0, 0, 0, 1]
    assert table["active_window"].tolist() == [1, 2, 2, 2, 1, 0, 1]
    assert table["complete"].tolist() == [False, False, True, True, True, True, True]
    assert table["stickiness"].fillna(-1).tolist() == [-1, -1, 0.5, 0, 0, -1, 1]


def test_a_window_holds_whole_weeks_by_words_too() -> None:
    events = months(("ann", "12"), ("bob", "1"))
    plain = rows_of(active_users(events))
    for window in ("28D", "4W", "4 weeks", "28 days"):
        assert rows_of(active_users(events, window=window)) == plain


def test_the_power_user_curve_by_hand() -> None:
    # Ann on 3 days (twice on one of them), Bob on 1, Cyd before the window only.
    events = log(
        ("cyd", "2024-01-01"),
        ("ann", "2024-01-05"),
        ("ann", "2024-01-05T18:00"),
        ("ann", "2024-01-06"),
        ("ann", "2024-01-08"),
        ("bob", "2024-01-06"),
        names=("customer_id", "time"),
    )
    table = active_days(events, window=4, as_of="2024-01-09")
    assert table["days"].tolist() == [1, 2, 3, 4]
    assert table["customers"].tolist() == [1, 0, 1, 0]
    assert table["at_least"].tolist() == [2, 1, 1, 0]
    assert table["share"].tolist() == [0.5, 0, 0.5, 0]
    assert table["complete"].all()
    assert not active_days(events, window=9, as_of="2024-01-09")["complete"].any()


def test_a_day_in_progress_is_not_in_the_window() -> None:
    events = log(("ann", "2024-01-05"), ("bob", "2024-01-06T09:00"), names=("customer_id", "time"))
    with pytest.warns(RetainkitWarning, match=r"1 of 2 rows at or after as_of \(2024-01-06\)"):
        table = active_days(events, window=1, as_of="2024-01-06T12:00")
    assert table["customers"].tolist() == [1]


# --- what must always hold --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", cases(range(40), quick=10))
def test_the_identities_hold_in_every_segment(seed: int) -> None:
    rows, options = growth_question(seed)
    options |= {"amount": "amount", "include_partial": True}
    by: Any
    for by in ([], options["by"]):
        table = pd.DataFrame(quietly(growth_accounting, pd_frame(rows), **options | {"by": by}))
        if not len(table):
            continue
        groups = [one for _, one in table.groupby(by, dropna=False)] if by else [table]
        for group in groups:
            before = group[["active", "amount"]].shift(fill_value=0)
            now = group["new"] + group["retained"] + group["resurrected"]
            assert (group["active"] == now).all()
            moved = group["new"] + group["resurrected"] - group["churned"]
            assert (group["active"] == before["active"] + moved).all()
            parts = ["new_amount", "retained_amount", "expansion", "resurrected_amount"]
            assert (group["amount"] - group[parts].sum(axis=1)).abs().max() < 1e-9
            parts = ["retained_amount", "contraction", "churned_amount"]
            assert (before["amount"] - group[parts].sum(axis=1)).abs().max() < 1e-9


def pd_frame(rows: list[Row]) -> Any:
    return BACKENDS[0].make(rows, like=like(rows))


@pytest.mark.slow
@each_metric
@pytest.mark.parametrize("seeds", batches(range(30), quick=6))
def test_segments_add_up_and_the_order_of_rows_means_nothing(
    metric: Any, slow: Any, question: Any, seeds: range
) -> None:
    del slow
    counts = {"active", "new", "retained", "resurrected", "churned", "customers", "active_window"}
    for seed in seeds:
        rows, options = question(seed)
        mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
        one = quietly(metric, pd_frame(rows), **options)
        assert one == quietly(metric, pd_frame(mixed), **options) or "amount" in options
        totals: dict[Any, int] = defaultdict(int)
        for whole, sign in (
            (one, 1),
            (quietly(metric, pd_frame(rows), **options | {"by": []}), -1),
        ):
            for row in whole:
                for name in counts & set(row):
                    totals[row.get("period", row.get("days")), name] += sign * row[name]
        assert not any(totals.values())


@each_metric
def test_the_input_is_left_alone_and_duplicates_count_once(
    metric: Any, slow: Any, question: Any
) -> None:
    del slow, question
    events = months(("ann", "124"), ("bob", "1"), ("cyd", "34"))
    given = events.copy()
    table = rows_of(metric(events))
    pd.testing.assert_frame_equal(events, given)
    assert rows_of(metric(pd.concat([events, events]))) == table


def test_the_types_of_the_columns() -> None:
    events = pl.DataFrame([LIKE])
    table = growth_accounting(events, amount="amount")
    floats = {"quick_ratio", "retention_rate", "lower", "upper", *SUMS}
    floats |= {"amount_quick_ratio", "gross_retention", "net_retention"}
    for name, dtype in table.schema.items():
        want = {"period": pl.Date, "complete": pl.Boolean}.get(name, pl.Int64)
        assert dtype == (pl.Float64 if name in floats else want), name


# --- the two reducers -------------------------------------------------------------------


@pytest.mark.parametrize("backend", params(one for one in BACKENDS if one.lazy), indirect=True)
def test_only_counts_are_brought_back(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[int] = []
    collect = _lazy.collect  # type: ignore[attr-defined]

    def counted(frame: Any) -> Any:
        found = collect(frame)
        brought.append(len(found))
        return found

    monkeypatch.setattr(_lazy, "collect", counted)
    rows = [
        LIKE | {"customer_id": who, "time": datetime(2024, month, 1 + who % 28)}  # noqa: DTZ001
        for who in range(200)
        for month in (1, 2, 4)
    ]
    growth_accounting(backend.make(rows), amount="amount")
    active_days(backend.make(rows))
    # Three kinds of visits (new, retained, resurrected); three numbers of days at most.
    assert brought[0] == 3
    assert max(brought) <= 3


@pytest.mark.slow
def test_plan_and_kernel_give_the_same_visits() -> None:
    from retainkit._inputs.events import read_events  # noqa: PLC0415

    for seed in range(40):
        rows, options = growth_question(seed)
        answers = []
        for name, reducer in (("pandas", _eager), ("polars-lazy", _lazy)):
            backend = next(one for one in BACKENDS if one.name == name)
            opened = read_events(
                backend.make(rows, like=like(rows)),
                columns={"customer": "customer_id", "time": "time", "amount": "amount"},
                by=options["by"],
                reserved=(),
                tz=options["tz"],
                missing="raise",
            )
            query = VisitSpec(
                end=opened.end_of_observation(None),
                period=period_option(options["period"], week_start=options["week_start"]).in_zone(
                    opened.zone
                ),
            )
            found = reducer.count_visits(opened, query)
            keys = {key: found.segments[key].to_list() for key in opened.keys}
            named = [
                tuple(None if pd.isna(keys[key][one]) else keys[key][one] for key in opened.keys)
                for one in found.segment
            ]
            parts = zip(named, found.period, found.gap, found.next_visit, strict=True)
            sums = zip(
                found.count,
                *(getattr(found.money, one) for one in ("amount", "kept", "grown", "shrunk")),
                strict=True,
            )
            answers.append(dict(zip(parts, sums, strict=True)))
        assert answers[0].keys() == answers[1].keys()
        for key, values in answers[0].items():
            assert values == pytest.approx(answers[1][key], rel=1e-9, abs=1e-9)


# --- known truth and real data ----------------------------------------------------------


def test_retention_of_made_events_is_the_one_that_was_asked_for() -> None:
    # Everybody starts in January, and is active in February with probability 0.6.
    events = datasets.make_events(40_000, seed=3, retention=(1.0, 0.6))
    january = events["time"] < "2024-02-01"
    first = set(events.loc[january, "customer_id"])
    table = growth_accounting(events[events["customer_id"].isin(first)])
    row = table.iloc[1]
    assert row["retained"] + row["churned"] == table["active"][0] == len(first)
    assert row["lower"] < 0.6 < row["upper"]


def test_cdnow_in_the_raw_file() -> None:
    # The number of distinct customers by month, and of those there a month before: plain pandas on
    # the log. All 23,570 first buy in the first quarter of 1997 (Fader & Hardie, note 026).
    purchases = datasets.load_cdnow()
    table = growth_accounting(purchases, amount="amount", as_of="1998-07-01")
    month = purchases["time"].dt.year * 12 + purchases["time"].dt.month
    members = purchases["customer_id"].groupby(month).agg(set).tolist()
    assert table["active"].tolist() == [len(one) for one in members]
    assert table["new"].sum() == table["new"][:3].sum() == 23_570
    both = [len(one & other) for one, other in pairwise(members)]
    assert table["retained"].tolist()[1:] == both
    assert table["amount"].sum() == pytest.approx(purchases["amount"].sum(), rel=1e-12)


# --- bad input --------------------------------------------------------------------------


def test_arguments_are_checked() -> None:
    events = months(("ann", "12"))
    with pytest.raises(ArgumentError, match=r"`period` is 'minute'"):
        growth_accounting(events, period="minute")
    with pytest.raises(MissingColumnError, match=r"`amount` needs the column 'money'"):
        growth_accounting(events, amount="money")
    with pytest.raises(ArgumentTypeError, match=r"`include_partial`"):
        growth_accounting(events, include_partial=1)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"`confidence_level`"):
        active_days(events, confidence_level=1)
    with pytest.raises(ArgumentError, match=r"`window` is 28, and a month has up to 31 days"):
        active_users(events, period="month")
    for window in (0, "0D", "1M", "four weeks", "1.5D"):
        with pytest.raises(ArgumentError, match=r"`window` is "):
            active_days(events, window=window)
    for wrong in (2.5, True, None):
        with pytest.raises(ArgumentTypeError, match=r"`window` is "):
            active_users(events, window=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", [growth_accounting, active_users, active_days])
def test_segments_are_not_called_like_a_column_of_the_result(metric: Any) -> None:
    name = "days" if metric is active_days else "period"
    events = months(("ann", "12")).assign(**{name: 1})
    with pytest.raises(ArgumentError, match=rf"`by` names the column '{name}'"):
        metric(events, by=name)


@pytest.mark.parametrize("metric", [growth_accounting, active_users, active_days])
def test_nulls_and_late_rows_are_counted(metric: Any) -> None:
    events = log(("ann", "2024-01-05"), (None, "2024-01-06"), names=("customer_id", "time"))
    with pytest.raises(ArgumentError, match=r"is null in 1 row"):
        metric(events)
    with pytest.warns(RetainkitWarning, match="1 of 2 rows left out"):
        metric(events, missing="drop")
    events = months(("ann", "13"))
    with pytest.warns(RetainkitWarning, match="1 of 2 rows at or after as_of"):
        metric(events, as_of="2024-02-01")


def test_a_stray_date_is_refused_before_memory_is_full() -> None:
    events = log(("ann", "0001-01-05"), ("bob", "2024-01-05"), names=("customer_id", "time"))
    events = pd.concat([events.assign(customer_id=one, plan=one) for one in range(60)])
    with pytest.raises(ArgumentError, match=r"to count in, from 0001-01-05 to 2024-01-06"):
        active_users(events, by="plan")
