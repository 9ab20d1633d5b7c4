"""Labelled snapshots: CDNOW counted by hand, a slow oracle, and that nothing leaks."""

import random
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends import BACKENDS, Backend
from retainkit import Source, churn_snapshots, customer_view, datasets, snapshot_dates
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from shop import BEGIN, LIKE, Shop, shop
from sizes import n_examples
from slow_view import SlowView
from tables import Row, rows_of

NAMED = {backend.name: backend for backend in BACKENDS}
# Spark takes seconds for a plan of so many tables; the contract runs each function on it.
each_but_spark = pytest.mark.parametrize("name", [one for one in NAMED if one != "pyspark"])
AS_OF = BEGIN + timedelta(days=60)


def quietly(function: Callable[..., Any], *tables: Any, **options: Any) -> Any:
    """Call, and expect that something may be set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return function(*tables, **options)


def by_key(frame: Any) -> list[Row]:
    """Return the rows of any frame by instant and customer."""
    rows = rows_of(frame)
    return sorted(rows, key=lambda row: (str(row.get("as_of")), row["customer_id"]))


# --- CDNOW ----------------------------------------------------------------------------------------

DATES = ["1997-07-01", "1997-10-01", "1998-01-01"]


def counted(**options: Any) -> dict[str, tuple[int, int]]:
    """Return how many are in each snapshot of CDNOW, and how many of them churned."""
    table = quietly(
        churn_snapshots, datasets.load_cdnow(), as_of=DATES, horizon="90D", windows=[], **options
    )
    return {
        str(day.date()): (len(part), int(part["churned"].sum()))
        for day, part in table.groupby("as_of")
    }


# Counted by hand in pandas from CDNOW_master.txt.
def test_the_numbers_of_cdnow_counted_by_hand() -> None:
    assert counted() == {
        "1997-07-01": (23_570, 19_363),
        "1997-10-01": (23_570, 19_393),
        "1998-01-01": (23_570, 19_753),
    }
    assert counted(active_within="90D") == {
        "1997-07-01": (5_322, 3_079),
        "1997-10-01": (4_195, 2_167),
        "1998-01-01": (4_176, 2_238),
    }
    assert counted(lead="30D")["1998-01-01"] == (23_570, 19_793)


def test_the_money_ahead_of_cdnow_counted_by_hand() -> None:
    table = quietly(
        churn_snapshots,
        datasets.load_cdnow(),
        as_of=DATES,
        horizon="90D",
        amount="amount",
        windows=[],
    )
    sums = table.groupby("as_of")["amount_ahead"].sum().round(2)
    assert sums.tolist() == [287_339.01, 297_074.73, 262_823.89]


def test_a_horizon_that_is_not_over_is_left_out() -> None:
    # Of 90 days 61 are observed: .891896 would have churned.
    with pytest.warns(RetainkitWarning, match="of 1998-05-01 is not over at 1998-07-01"):
        table = churn_snapshots(
            datasets.load_cdnow(), as_of=["1998-01-01", "1998-05-01"], horizon="90D", windows=[]
        )
    assert table["as_of"].unique().tolist() == [pd.Timestamp("1998-01-01")]


def auc(score: Any, outcome: Any) -> float:
    """Probability that one who churned has a higher score than one who did not, ties a half."""
    ranks = score.rank()
    events = int(outcome.sum())
    above = ranks[outcome == 1].sum() - events * (events + 1) / 2
    return float(above / (events * (len(score) - events)))


def test_a_leak_has_an_auc_of_1_and_honest_recency_has_not() -> None:
    # Both from a script of its own over CDNOW_master.txt.
    cdnow = datasets.load_cdnow()
    honest = quietly(churn_snapshots, cdnow, as_of="1998-01-01", horizon="90D", windows=[])
    leaked = quietly(customer_view, cdnow, as_of="1998-04-01", windows=[])
    assert auc(honest["recency_days"], honest["churned"]) == pytest.approx(0.793176, abs=1e-6)
    assert auc(leaked["recency_days"], honest["churned"]) == 1.0


# --- identities -----------------------------------------------------------------------------------


def snapshots_of(tables: Shop, backend: Backend, as_of: Any, **options: Any) -> list[Row]:
    """Return snapshots of all tables of a shop, held by an engine."""
    made = {name: backend.make(getattr(tables, name), like=like) for name, like in LIKE.items()}
    return by_key(
        quietly(
            churn_snapshots,
            made["orders"],
            as_of=as_of,
            horizon="20D",
            amount="amount",
            known_at="known",
            customers=made["customers"],
            sources=sources_of(made),
            subscriptions=made["subscriptions"],
            subscription_amount="mrr",
            gap="2D",
            windows=("28D",),
            **options,
        )
    )


def sources_of(made: dict[str, Any]) -> dict[str, Source]:
    return {
        "visits": Source(made["visits"], amount="pages", known_at="known"),
        "tickets": Source(made["tickets"], closed="solved", last=("score", "topic")),
    }


def view_of(tables: Shop, backend: Backend, as_of: datetime) -> list[Row]:
    """Return the view with the same options."""
    made = {name: backend.make(getattr(tables, name), like=like) for name, like in LIKE.items()}
    return by_key(
        quietly(
            customer_view,
            made["orders"],
            as_of=as_of,
            amount="amount",
            known_at="known",
            customers=made["customers"],
            sources=sources_of(made),
            subscriptions=made["subscriptions"],
            subscription_amount="mrr",
            gap="2D",
            windows=("28D",),
        )
    )


LABELS = {"as_of", "churned", "amount_ahead"}


def features(rows: Sequence[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in LABELS} for row in rows]


@each_but_spark
def test_a_snapshot_is_the_view_of_its_instant(name: str) -> None:
    backend = NAMED[name]
    tables = shop(1)
    # From three on, tables in memory are ordered by time first.
    instants = [AS_OF, AS_OF + timedelta(days=15), AS_OF + timedelta(days=20, hours=9)]
    for some in (instants[:1], instants):
        rows = snapshots_of(tables, backend, some, until="2025-01-01")
        for instant in some:
            own = [row for row in rows if row["as_of"] in {instant, instant.date()}]
            assert features(own) == view_of(tables, backend, instant)


@pytest.mark.parametrize("hours", [0, 9])
@pytest.mark.parametrize(
    "options", [{}, {"order": "order"}, {"known_at": "known"}, {"windows": []}], ids=str
)
def test_many_snapshots_are_many_views(options: Row, hours: int) -> None:
    orders = pd.DataFrame(shop(8).orders)
    begin = BEGIN + timedelta(hours=hours)
    dates = snapshot_dates(begin, begin + timedelta(days=100), every="week")
    options = {"amount": "amount", "windows": ["28D", "36H"], **options}
    table = quietly(churn_snapshots, orders, as_of=dates, horizon="7D", **options)
    for instant, part in table.groupby("as_of"):
        own = quietly(customer_view, orders, as_of=instant, **options)
        features_only = part.drop(columns=["as_of", "churned", "amount_ahead"])
        pd.testing.assert_frame_equal(features_only.reset_index(drop=True), own)


@pytest.mark.parametrize("name", ["pandas", "polars-lazy", "duckdb"])
@pytest.mark.parametrize("lead", [0, 5])
def test_labels_are_those_of_a_slow_count(name: str, lead: int) -> None:
    tables = shop(2)
    rows = snapshots_of(tables, NAMED[name], AS_OF, lead=f"{lead}D", until="2025-01-01")
    begin = AS_OF + timedelta(days=lead)
    for row in rows:
        ahead = [
            one
            for one in tables.orders
            if one["customer_id"] == row["customer_id"]
            and begin <= one["time"] < begin + timedelta(20)
        ]
        assert row["churned"] == int(not any(one["amount"] >= 0 for one in ahead))
        assert row["amount_ahead"] == sum(one["amount"] for one in ahead)


@pytest.mark.parametrize("name", ["pandas", "polars-lazy", "duckdb"])
def test_of_subscribers_who_is_not_subscribed_at_the_end_has_churned(name: str) -> None:
    tables = shop(0)
    rows = snapshots_of(tables, NAMED[name], AS_OF, outcome="churn", until="2025-01-01")
    slow = SlowView(
        orders=tables.orders,
        windows={},
        subscriptions=tables.subscriptions,
        gap=timedelta(2),
    )
    now, then = (
        {row["customer_id"] for row in slow.at(at) if row["subscribed"]}
        for at in (AS_OF, AS_OF + timedelta(20))
    )
    assert {row["customer_id"]: row["churned"] for row in rows} == {
        one: int(one not in then) for one in now
    }
    assert now - then
    assert now & then


@pytest.mark.parametrize("name", ["pandas", "polars", "polars-lazy", "duckdb"])
def test_open_snapshots_stay_without_an_outcome(name: str) -> None:
    tables = shop(4)
    instants = [AS_OF, BEGIN + timedelta(days=115)]
    rows = snapshots_of(tables, NAMED[name], instants, include_open=True)
    late = [row for row in rows if row["as_of"] == instants[1].date()]
    assert late
    assert {(row["churned"], row["amount_ahead"]) for row in late} == {(None, None)}
    closed = [row for row in rows if row["as_of"] == AS_OF.date()]
    assert features(late) == view_of(tables, NAMED[name], instants[1])
    assert {row["churned"] for row in closed} == {0, 1}


# --- nothing leaks --------------------------------------------------------------------------------


def changed_after(tables: Shop, as_of: datetime, draw: random.Random) -> Shop:
    """Return the tables with other rows at an instant and after it: changed, gone and new ones."""

    def later() -> datetime:
        return as_of + timedelta(hours=draw.choice([0, 0, 1, 24, 400]))

    def other(rows: list[Row], times: Sequence[str], add: bool) -> list[Row]:  # noqa: FBT001
        kept = []
        for row in rows:
            late = any(row[time] >= as_of for time in times)
            if not late:
                kept.append(row)
            elif draw.random() < 0.5:  # what is late is gone, or another
                moved = {
                    time: later()
                    for time in times[:2]
                    if row[time] is not None and row[time] >= as_of
                }
                kept.append(row | moved | ({"amount": 99.0} if "amount" in row else {}))
        new = dict(rows[0]) | {time: later() for time in times}
        return [*kept, new] if add else kept

    def ends(row: Row) -> Row:
        """Move an end, or a solution, that was not known yet."""
        for begin, name in (("start", "end"), ("time", "solved")):
            if name in row and (row[name] is None or row[name] >= as_of):
                soon = max(as_of, row[begin] + timedelta(hours=1))
                return row | {name: draw.choice([None, soon, soon + timedelta(9)])}
        return row

    return Shop(
        orders=other(tables.orders, ["time", "known"], add=True),
        visits=other(tables.visits, ["time", "known"], add=True),
        tickets=[ends(row) for row in other(tables.tickets, ["time"], add=False)],
        subscriptions=[ends(row) for row in other(tables.subscriptions, ["start"], add=False)],
        customers=tables.customers,
    )


LEAKS = settings(
    max_examples=n_examples(20, 4),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", ["pandas", "polars-lazy", "duckdb"])
@LEAKS
@given(seed=st.integers(0, 10_000), hours=st.sampled_from([0, 0, 6, 9]))
def test_what_comes_at_the_instant_or_after_it_changes_no_feature(
    name: str, seed: int, hours: int
) -> None:
    if name == "duckdb" and seed % 2:  # which takes some ten times as long as the others
        return
    as_of = AS_OF + timedelta(hours=hours)
    tables = shop(seed, customers=4)
    other = changed_after(tables, as_of, random.Random(seed))  # noqa: S311
    backend = NAMED[name]
    assert view_of(other, backend, as_of) == view_of(tables, backend, as_of)
    options = {"until": "2025-01-01"}
    rows, others = (snapshots_of(one, backend, as_of, **options) for one in (tables, other))
    assert features(others) == features(rows)


@pytest.mark.parametrize("name", ["pandas", "polars-lazy"])
@LEAKS
@given(seed=st.integers(0, 10_000))
def test_what_comes_before_the_window_changes_no_label(name: str, seed: int) -> None:
    tables, draw = shop(seed, customers=4), random.Random(seed)  # noqa: S311
    begin = AS_OF + timedelta(days=3)
    orders = []
    for row in tables.orders:
        if row["time"] >= begin:
            orders.append(row)
        elif draw.random() < 0.7:
            orders.append(row | {"time": BEGIN, "amount": 1.0})
    other = Shop(
        orders=orders,
        visits=tables.visits,
        tickets=tables.tickets,
        subscriptions=tables.subscriptions,
        customers=[{"customer_id": one, "country": "de"} for one in range(8)],
    )
    tables = Shop(
        orders=tables.orders,
        visits=tables.visits,
        tickets=tables.tickets,
        subscriptions=tables.subscriptions,
        customers=other.customers,
    )
    one, two = (
        [
            (row["customer_id"], row["churned"], row["amount_ahead"])
            for row in snapshots_of(each, NAMED[name], AS_OF, lead="3D", until="2025-01-01")
        ]
        for each in (tables, other)
    )
    assert one == two


# --- what is said and refused ---------------------------------------------------------------------

DAYS = pd.to_datetime(["2024-01-10", "2024-02-01", "2024-03-15", "2024-04-20"])
ORDERS = pd.DataFrame({"customer_id": ["ann", "bob", "ann", "bob"], "time": DAYS})


def test_overlapping_horizons_are_told() -> None:
    with pytest.warns(RetainkitWarning, match="1 of 2 snapshots .* `fit_churn_risk`"):
        churn_snapshots(ORDERS, as_of=["2024-02-10", "2024-02-20"], horizon="30D", windows=[])


@each_but_spark
def test_a_snapshot_of_nobody_is_told(name: str) -> None:
    backend = NAMED[name]
    orders = backend.make([{"customer_id": 1, "time": BEGIN}, {"customer_id": 1, "time": AS_OF}])
    with pytest.warns(RetainkitWarning, match="nobody is in the snapshot of 2024-02-01"):
        table = churn_snapshots(
            orders, as_of="2024-02-01", horizon="7D", active_within="7D", windows=["7D"]
        )
    assert rows_of(table) == []


def test_a_first_order_at_the_instant_is_not_in_its_snapshot() -> None:
    table = quietly(churn_snapshots, ORDERS, as_of="2024-02-01", horizon="30D", windows=[])
    assert table["customer_id"].tolist() == ["ann"]


def test_an_order_within_the_lead_alone_is_none() -> None:
    rows = rows_of(
        quietly(churn_snapshots, ORDERS, as_of="2024-03-10", lead="10D", horizon="20D", windows=[])
    )
    assert {row["customer_id"]: row["churned"] for row in rows} == {"ann": 1, "bob": 1}


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"horizon": "0D"}, ArgumentError, "`horizon`.*above 0"),
        ({"horizon": "-5D"}, ArgumentError, "`horizon`"),
        ({"horizon": "3 months"}, ArgumentError, "write days, '91D'"),
        ({"as_of": ["2024-02-01", "2024-02-01"]}, ArgumentError, "2024-02-01 more than once"),
        ({"as_of": []}, ArgumentError, "`as_of` is empty"),
        ({"as_of": None}, ArgumentTypeError, "`as_of` is None"),
        ({"outcome": "churn"}, ArgumentError, "give `subscriptions`"),
        ({"customer": "churned"}, ArgumentError, "churned"),
    ],
)
def test_what_is_wrong_is_named(options: Row, error: type[Exception], match: str) -> None:
    given_options: Row = {"as_of": "2024-02-01", "horizon": "30D"} | options
    with pytest.raises(error, match=match):
        churn_snapshots(ORDERS, **given_options)


# --- dates ----------------------------------------------------------------------------------------


def test_the_last_day_of_a_month_stays_the_last() -> None:
    dates = snapshot_dates("2024-01-31", date(2024, 7, 31))
    assert [f"{one:%m-%d}" for one in dates] == [
        "01-31",
        "02-29",
        "03-31",
        "04-30",
        "05-31",
        "06-30",
    ]
    assert snapshot_dates("2024-02-01", "2024-02-01") == []


@pytest.mark.parametrize(
    ("every", "number"),
    [("hour", 24 * 366), ("day", 366), ("week", 53), ("quarter", 4), ("year", 1)],
)
def test_a_year_has_so_many_periods(every: Any, number: int) -> None:
    dates = snapshot_dates("2024-01-01", "2025-01-01", every=every)
    assert len(dates) == number
    assert dates[0] == BEGIN


def test_dates_lie_on_the_clock_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    dates = snapshot_dates("2024-03-30", "2024-04-02", every="day", tz="Europe/Berlin")
    assert [one.astimezone(UTC).hour for one in dates] == [23, 23, 22]
    hours = snapshot_dates("2024-03-31", "2024-03-31T04:00", every="hour", tz="Europe/Berlin")
    assert [one.hour for one in hours] == [0, 1, 3]  # there was no 02:00
    assert {one.tzinfo for one in dates} == {berlin}


def test_a_zone_beside_a_zone_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"`start`.*a time zone of its own"):
        snapshot_dates("2024-01-01T00:00+00:00", "2024-02-01", tz="Europe/Berlin")
    with pytest.raises(ArgumentError, match="give both a time zone, or none"):
        snapshot_dates("2024-01-01T00:00+00:00", "2024-02-01")
