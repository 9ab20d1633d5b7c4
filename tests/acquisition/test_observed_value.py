"""Value by age: published data, a slow oracle, invariances, and the naive ways beside it."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.values import value_by_hand
from backends import BACKENDS, Backend, params
from event_logs import assert_same, log, quietly
from retainkit import RetainkitWarning, datasets, observed_value
from retainkit.errors import ArgumentError, ArgumentTypeError
from tables import Row, rows_of

on_every_kind = pytest.mark.parametrize("backend", params(BACKENDS), indirect=True)
AGES = ["0D", "30D", "90D", "180D", "365D", "480D"]


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return datasets.load_cdnow(sample=True)


def drawn(seed: int, customers: int = 40) -> list[Row]:
    """Draw orders of some customers over five months, several a day now and then."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for who in range(customers):
        came = datetime(2024, 1, 1) + timedelta(days=draw.randrange(100))  # noqa: DTZ001
        for number in range(draw.choice([1, 1, 2, 5])):
            later = timedelta(days=draw.choice([0, 1, 30, 31, 59]) * number)
            time = came + later + timedelta(minutes=7 * number)
            # Now and then a customer changes team, which is that of the first order.
            team = draw.choice(["a", None]) if number and draw.random() < 0.2 else "ab"[who % 2]
            amount = round(draw.lognormvariate(3, 1), 2)
            rows.append({"customer_id": who, "time": time, "amount": amount, "team": team})
    draw.shuffle(rows)
    return rows


# --- known numbers ------------------------------------------------------------------------------


def test_value_of_cdnow_all_together(cdnow: pd.DataFrame) -> None:
    # Computed apart from the definition, in NumPy, from Fader and Hardie's 1/10 sample of CDNOW.
    table = observed_value(cdnow, ages=AGES, cohort_period=None, as_of="1998-07-01")
    found: Any = table.set_index("age_days")
    values = found["value_per_customer"]
    assert values[0] == pytest.approx(32.991069, abs=5e-7)
    assert values[30] == pytest.approx(44.381998, abs=5e-7)
    assert values[180] == pytest.approx(68.104883, abs=5e-7)
    assert values[480] == pytest.approx(101.342550, abs=5e-7)
    assert found.loc[180, "orders_per_customer"] == pytest.approx(1.883326, abs=5e-7)
    assert found["customers"].tolist() == [2357] * 5 + [1855]
    assert found["complete"].tolist() == [True] * 5 + [False]
    # Its standard error, 3.415681, and the quantile of t with 2,356 degrees of freedom.
    half = 1.9609807 * 3.415681 / 68.104883
    limits = 68.104883 * np.exp([-half, half])
    assert found.loc[180, ["lower", "upper"]].tolist() == pytest.approx(limits.tolist(), abs=1e-4)


def test_value_of_cdnow_by_month(cdnow: pd.DataFrame) -> None:
    found = observed_value(cdnow, ages=AGES[:5], as_of="1998-07-01")
    january, february = (found[found["cohort"] == f"1997-0{month}-01"] for month in (1, 2))
    want = [32.487913, 42.184341, 53.847887, 66.900090, 87.617593]
    assert january["value_per_customer"].tolist() == pytest.approx(want, abs=5e-7)
    want = [34.382940, 42.879475, 54.290140, 67.549685, 89.734679]
    assert february["value_per_customer"].tolist() == pytest.approx(want, abs=5e-7)
    assert [january["acquired"].iloc[0], february["acquired"].iloc[0]] == [781, 857]


def test_calendar_months_as_ages_are_neither_day_0_nor_day_30(cdnow: pd.DataFrame) -> None:
    # What many recipes show: money of January, for whoever came in January.
    january = cdnow[cdnow["time"] < "1997-02-01"]
    naive = january["amount"].sum() / january["customer_id"].nunique()
    assert naive == pytest.approx(36.61, abs=0.005)
    found = observed_value(cdnow, ages=["0D", "30D"])["value_per_customer"]
    assert found[0] < naive < found[1]


def test_divided_by_all_the_curve_bends_down(cdnow: pd.DataFrame) -> None:
    found = observed_value(cdnow, ages=["365D", "480D", "530D"], cohort_period=None)
    naive = found["value"] / found["acquired"]
    assert (naive.diff()[1:] < 0).all()
    assert (found["value_per_customer"].diff()[1:2] > 0).all()


def test_months_and_years_are_no_ages() -> None:
    with pytest.raises(ArgumentError, match="months are not equally long"):
        observed_value(log(("ann", "2024-01-01", 1.0)), ages=["3 months"])


# --- a slow oracle, on every kind of frame ------------------------------------------------------


@on_every_kind
def test_it_is_what_loops_over_customers_find(backend: Backend) -> None:
    rows, end = drawn(3), date(2024, 6, 10)
    like = {"customer_id": 1, "time": rows[0]["time"], "amount": 1.0, "team": "a"}
    found = quietly(
        observed_value,
        backend.make(rows, like=like),
        ages=["200D", 0, "30D", "60D", "120D"],
        by="team",
        as_of=end,
    )
    want = value_by_hand(rows, [0, 30, 60, 120, 200], end)
    assert_same(
        [one | {"cohort": str(one["cohort"])[:10]} for one in found],
        [one | {"cohort": str(one["cohort"])} for one in want],
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["pandas", "polars-lazy", "duckdb"])
def test_reducers_agree_on_random_orders(seed: int, kind: str) -> None:
    (one,) = [backend for backend in BACKENDS if backend.name == kind]
    one.require()
    rows = drawn(seed, customers=15)
    end = date(2024, 3, 1) + timedelta(days=11 * seed)
    found = quietly(observed_value, one.make(rows), ages=[0, 1, 29, 30, 88], by="team", as_of=end)
    want = value_by_hand(rows, [0, 1, 29, 30, 88], end)
    assert_same(
        [row | {"cohort": str(row["cohort"])[:10]} for row in found],
        [row | {"cohort": str(row["cohort"])} for row in want],
    )


# --- leakage and invariance ---------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400), st.floats(0, 1e6)), max_size=20),
    st.integers(40, 130),
)
@settings(deadline=None, max_examples=25)
def test_rows_at_or_after_as_of_change_nothing(later: list[Any], day: int) -> None:
    rows = drawn(5, customers=12)
    end = datetime(2024, 1, 1) + timedelta(days=day)  # noqa: DTZ001
    past = [row for row in rows if row["time"] < end]
    more = [
        {"customer_id": who, "time": end + timedelta(days=after), "amount": amount, "team": "b"}
        for who, after, amount in later
    ]
    options: Row = {"ages": [0, 15, 45, 90], "by": "team", "as_of": end}
    one, other = (
        quietly(observed_value, pd.DataFrame(table, columns=[*rows[0]]), **options)
        for table in (past, past + more)
    )
    assert one == other or all(map(_same, one, other))


def _same(one: Row, other: Row) -> bool:
    pairs = zip(one.values(), other.values(), strict=True)
    return one.keys() == other.keys() and all(a == b or a != a != b != b for a, b in pairs)  # noqa: PLR0124


def test_order_currency_and_the_name_of_a_zone_mean_nothing() -> None:
    rows = pd.DataFrame(drawn(6)).drop(columns="team")
    found = observed_value(rows)
    shuffled = observed_value(rows.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(found, shuffled, rtol=1e-12)
    money = ["value", "value_per_customer", "lower", "upper"]
    cents = observed_value(rows.assign(amount=rows["amount"] * 100))
    cents[money] /= 100
    pd.testing.assert_frame_equal(found, cents, rtol=1e-9)
    for zone in ("Asia/Tokyo", "Etc/GMT+7"):
        there = observed_value(rows.assign(time=rows["time"].dt.tz_localize(zone)))
        pd.testing.assert_frame_equal(found, there, rtol=1e-12)
    half = observed_value(rows, margin=0.5)
    half[money] *= 2
    pd.testing.assert_frame_equal(found, half, rtol=1e-12)


def test_segments_at_once_are_segments_apart() -> None:
    rows = pd.DataFrame(drawn(7)).assign(team=lambda table: table["customer_id"] % 3)
    together = observed_value(rows, by="team", as_of="2024-09-01")
    for team, part in rows.groupby("team"):
        own = together[together["team"] == team].drop(columns="team").reset_index(drop=True)
        alone = observed_value(part, as_of="2024-09-01")
        pd.testing.assert_frame_equal(own, alone, rtol=1e-9)


# --- edges --------------------------------------------------------------------------------------


@on_every_kind
def test_no_orders_give_an_empty_table(backend: Backend) -> None:
    like = {"customer_id": 1, "time": datetime(2024, 1, 1), "amount": 1.0, "team": "a"}  # noqa: DTZ001
    found = rows_of(observed_value(backend.make([], like=like), by="team"))
    assert found == []


def test_a_cell_of_nobody_is_nan_and_not_0() -> None:
    found = observed_value(log(("ann", "2024-01-01", 5.0)), ages=["0D", "1D"]).loc[1]
    assert found["customers"] == 0
    assert found[["value", "value_per_customer", "lower", "repeat_share"]].isna().all()
    assert not found["complete"]


def test_one_customer_has_no_interval_and_equal_values_have_none_to_speak_of() -> None:
    alone = observed_value(log(("ann", "2024-01-01", 5.0)), ages=[0])
    assert alone[["lower", "upper"]].isna().all(axis=None)
    alike = observed_value(log(("ann", "2024-01-01", 0.1), ("bob", "2024-01-01", 0.1)), ages=[0])
    assert alike[["lower", "upper"]].to_numpy().tolist() == [[0.1, 0.1]]
    nothing = observed_value(log(("ann", "2024-01-01", 0.0), ("bob", "2024-01-01", 0.0)), ages=[0])
    assert nothing[["lower", "upper"]].to_numpy().tolist() == [[0.0, 0.0]]


def test_a_day_that_is_not_over_at_as_of_is_not_observed() -> None:
    orders = log(("ann", "2024-01-01 09:00", 5.0), ("ann", "2024-01-02 09:00", 5.0))
    noon = observed_value(orders, ages=[0, 1], as_of="2024-01-02 12:00")
    assert noon["customers"].tolist() == [1, 0]
    midnight = observed_value(orders, ages=[0, 1], as_of="2024-01-03")
    assert midnight["customers"].tolist() == [1, 1]


def test_days_are_those_of_the_zone_where_the_clock_changes_too() -> None:
    # In Berlin both orders are on 31 March, a day of 23 hours; in UTC on two days.
    zone = ZoneInfo("Europe/Berlin")
    times = [datetime(2024, 3, 31, hour, 30, tzinfo=zone) for hour in (0, 23)]
    orders = pd.DataFrame({"customer_id": "ann", "time": times, "amount": 1.0})
    assert observed_value(orders, ages=[0])["orders_per_customer"].tolist() == [1.0]
    utc = observed_value(orders, ages=[0, 1], tz="UTC")
    assert utc["orders_per_customer"].tolist() == [1.0, 2.0]
    assert times[0].astimezone(UTC).date() == date(2024, 3, 30)


def test_refunds_are_refused_netted_within_the_day_or_kept() -> None:
    orders = log(
        ("ann", "2024-01-01", 10.0),
        ("ann", "2024-01-01", -4.0),
        ("ann", "2024-01-20", -5.0),
        ("bob", "2024-01-05", 7.0),
        names=("customer_id", "time", "amount"),
    )
    with pytest.raises(ArgumentError, match="negative in 2 rows"):
        observed_value(orders)
    options: Row = {"ages": [0, 30], "as_of": "2024-03-01"}
    net = observed_value(orders, amounts="net", **options)
    assert net["value"].tolist() == [13.0, 13.0]
    kept = observed_value(orders, amounts="keep", **options)
    assert kept["value"].tolist() == [13.0, 8.0]
    # The mean is not above 0 for sure, and the interval is that of t.
    assert kept["lower"].iloc[1] < 0 < kept["upper"].iloc[1]


@on_every_kind
def test_who_came_outside_all_edges_is_counted(backend: Backend) -> None:
    days = [datetime(2024, month, 3) for month in (1, 2, 4)]  # noqa: DTZ001
    rows = [{"customer_id": day.month, "time": day, "amount": 1.0} for day in days]
    edges = ["2024-02-01", "2024-03-01", "2024-05-01"]
    with pytest.warns(RetainkitWarning, match="1 customer in no cohort"):
        found = observed_value(backend.make(rows), ages=[0], cohort_period=edges)
    assert [str(row["cohort"])[:10] for row in rows_of(found)] == edges[:1] + edges[1:2]


def test_wrong_ages_are_refused() -> None:
    orders = log(("ann", "2024-01-01", 1.0))
    wrong: Sequence[tuple[Any, type[Exception]]] = [
        (["30D", 30], ArgumentError),
        ([], ArgumentTypeError),
        (3, ArgumentTypeError),
        (["12 hours"], ArgumentError),
        ([-1], ArgumentError),
    ]
    for ages, error in wrong:
        with pytest.raises(error, match="ages"):
            observed_value(orders, ages=ages)


# --- known truth --------------------------------------------------------------------------------


@pytest.mark.simulation
@pytest.mark.parametrize("spread", [0.5, 1.0, 1.3])
def test_intervals_cover_the_true_value_of_lognormal_money(spread: float) -> None:
    # 500 customers, of whom a third come back; 600 shops at once, as segments.
    rng = np.random.default_rng(int(10 * spread))
    shops, customers = 600, 500
    orders = 1 + rng.negative_binomial(0.5, 0.4, shops * customers)
    who = np.repeat(np.arange(len(orders)), orders)
    day = np.r_[0, np.cumsum(np.ones(len(who) - 1, np.int64))]
    day -= day[np.r_[True, who[1:] != who[:-1]]][who]
    table = pd.DataFrame(
        {
            "customer_id": who,
            "time": np.datetime64("2024-01-01", "us") + day.astype("m8[D]"),
            "amount": rng.lognormal(0, spread, len(who)),
            "shop": who // customers,
        }
    )
    found = observed_value(table, ages=[200], by="shop", cohort_period=None, as_of="2025-06-01")
    truth = (1 + 0.5 * 0.6 / 0.4) * np.exp(spread**2 / 2)
    covered = (found["lower"] <= truth) & (truth <= found["upper"])
    assert 0.92 <= covered.mean() <= 0.97
