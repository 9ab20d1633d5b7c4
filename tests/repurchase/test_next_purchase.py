"""From orders to dates: CDNOW, a slow oracle on every kind of frame, zones, units, edges."""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import floor
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

import retainkit as rk
from backends import Backend
from retainkit import datasets
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import Row, rows_of

MODEL = rk.BGNBD(r=0.5, alpha=30, a=0.5, b=2)
WEEKLY = rk.BGNBD(r=0.5, alpha=30 / 7, a=0.5, b=2, unit="week")
NEW_YEAR = date(1998, 1, 1)


def log(*orders: tuple[Any, Any], **columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(orders, columns=["customer_id", "time"]).assign(**columns)
    return frame.assign(time=pd.to_datetime(frame["time"], format="ISO8601"))


def in_order(frame: Any) -> list[Row]:
    """Return the rows of any frame by customer."""
    return sorted(rows_of(frame), key=lambda row: row["customer_id"])


def quietly(orders: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rk.next_purchase(orders, **options)


def assert_same(actual: Sequence[Row], expected: Sequence[Row]) -> None:
    assert len(actual) == len(expected)
    for have, want in zip(actual, expected, strict=True):
        assert have == {
            name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in want.items()
        }


# --- CDNOW


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    """All 23,570 customers as of 1998, with the days until they bought in the half-year after."""
    orders = datasets.load_cdnow()
    later = orders["time"] >= pd.Timestamp(NEW_YEAR)
    found = rk.next_purchase(orders[~later], as_of=NEW_YEAR)
    first = orders[later].groupby("customer_id")["time"].min()
    return found.assign(came=found["customer_id"].map(first))


def test_the_probabilities_hold_on_cdnow(cdnow: pd.DataFrame) -> None:
    # customers-cases.md, section 9: mean .1528, observed .1619, Brier .1055, AUC .7933.
    p = cdnow["probability_purchase"]
    bought = cdnow["came"] < pd.Timestamp(NEW_YEAR + timedelta(days=90))
    rank = p.rank()[bought]
    auc = (rank.sum() - len(rank) * (len(rank) + 1) / 2) / (len(rank) * (~bought).sum())
    brier = ((p - bought) ** 2).mean()
    assert [round(one, 4) for one in (p.mean(), bought.mean(), brier, auc)] == [
        *(0.1528, 0.1619),
        *(0.1055, 0.7933),
    ]
    assert (cdnow["churn_risk"] + p == 1).all()


# customers-definitions.md, section 9: 25.1% of 6,423 and 46.6% of 2,944; 21,932 have a date at 25%.
@pytest.mark.parametrize(
    ("name", "n", "share"), [("due_25", 6_423, 0.251), ("due_50", 2_944, 0.466)]
)
def test_so_many_have_bought_by_their_dates_on_cdnow(
    cdnow: pd.DataFrame, name: str, n: int, share: float
) -> None:
    # Within the half-year observed, of 180 days: the 181st is one of which no day is left.
    known = cdnow[cdnow[name] < pd.Timestamp(NEW_YEAR + timedelta(days=180))]
    assert len(known) == n
    assert round((known["came"] <= known[name]).mean(), 3) == share


def test_how_many_have_a_date_on_cdnow(cdnow: pd.DataFrame) -> None:
    assert cdnow["due_25"].notna().sum() == 21_932
    dates = cdnow[["due_25", "due_50", "due_75"]]
    assert (dates.min() >= pd.Timestamp(NEW_YEAR)).all()
    ordered = dates.dropna()
    assert (ordered["due_25"] <= ordered["due_50"]).all()
    assert (ordered["due_50"] <= ordered["due_75"]).all()


# customers-cases.md, section 9. The last day observed is compared with.
@pytest.mark.parametrize(("days", "n", "past"), [(3, 6_144, 0.5386), (2, None, 0.5951)])
def test_naive_dates_have_passed(
    cdnow: pd.DataFrame, days: int, n: int | None, past: float
) -> None:
    orders = datasets.load_cdnow()
    first = orders.groupby("customer_id")["time"].min()
    own = cdnow[cdnow["purchases"] >= days]
    gap = (own["last"] - own["customer_id"].map(first)) / (own["purchases"] - 1)
    naive = own["last"] + gap
    assert n is None or len(own) == n
    passed = (naive < pd.Timestamp(NEW_YEAR - timedelta(days=1))).mean()
    assert round(passed, 4) == past


def test_a_model_is_fitted_as_to_a_summary() -> None:
    orders = datasets.load_cdnow(sample=True)
    summary = rk.rfm_summary(orders)
    expected = rk.fit_bg_nbd(summary).next_purchase(summary, horizon="3 months")
    found = rk.next_purchase(orders, horizon="3 months")
    for name in ("probability_alive", "probability_purchase", "expected_purchases"):
        assert found[name].to_list() == pytest.approx(expected[name].to_list(), rel=1e-12)


# --- the slow oracle


def oracle(
    orders: Sequence[Row], as_of: datetime, zone: ZoneInfo, model: rk.BGNBD, min_gaps: int
) -> list[Row]:
    """Compute the result of aware times by loops; only the model's own method is taken over."""
    days = defaultdict(set)
    for row in orders:
        if row["time"] < as_of:
            days[row["customer_id"]].add(row["time"].astimezone(zone).date())
    now = as_of.astimezone(zone)
    last_day = (now - timedelta(microseconds=1)).date()
    length = {"day": 1, "week": 7}[model.unit]
    rows = []
    for customer, own in sorted(days.items()):
        first, *_ = ordered = sorted(own)
        gaps = [(b - a).days for a, b in pairwise(ordered)]
        history = {
            "customer_id": [customer],
            "frequency": [len(gaps)],
            "recency": [(ordered[-1] - first).days / length],
            "T": [(last_day - first).days / length],
        }
        (scores,) = rows_of(model.next_purchase(pd.DataFrame(history), horizon="90D"))
        recency = (now.date() - ordered[-1]).days
        gap = float(median(gaps)) if len(gaps) >= min_gaps else None
        rows.append(
            {
                "customer_id": customer,
                "purchases": len(ordered),
                "last": ordered[-1],
                "recency_days": recency,
                "typical_gap": gap,
                "lateness": None if gap is None else recency / gap,
                "probability_alive": scores["probability_alive"],
                "probability_purchase": scores["probability_purchase"],
                "churn_risk": 1 - scores["probability_purchase"],
                "expected_purchases": scores["expected_purchases"],
            }
            | {
                name: day_after(now, scores[name], length)
                for name in ("due_25", "due_50", "due_75")
            }
        )
    return rows


def day_after(now: datetime, time: float | None, length: int) -> date | None:
    """Return the day on the wall so long after an instant."""
    if time is None:
        return None
    of_day = (now.replace(tzinfo=None) - datetime.combine(now.date(), datetime.min.time())).seconds
    return now.date() + timedelta(days=floor(round(time * length + of_day / 86_400, 6)))


def random_orders(seed: int) -> list[Row]:
    """Return orders of thirty customers over a year, many twice a day."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for customer in range(30):
        time = datetime(1969, 6, 1, tzinfo=UTC) + timedelta(days=draw.randint(0, 60))
        for _ in range(draw.choice((1, 1, 2, 3, 4, 9))):
            rows.append({"customer_id": customer, "time": time})
            time += timedelta(hours=draw.choice((1, 5, 30, 200, 900)), minutes=draw.randint(0, 59))
    draw.shuffle(rows)
    return rows


@pytest.mark.parametrize("model", [MODEL, WEEKLY], ids=["day", "week"])
def test_the_oracle_finds_the_same(backend: Backend, model: rk.BGNBD) -> None:
    orders, zone = random_orders(4), ZoneInfo("Europe/Berlin")
    as_of = datetime(1969, 12, 30, 15, 30, tzinfo=zone)
    found = quietly(backend.make(orders), as_of=as_of, model=model, min_gaps=3, tz=zone.key)
    assert_same(in_order(found), oracle(orders, as_of, zone, model, 3))


@pytest.mark.parametrize("seed", [5, 6])
def test_both_reducers_find_the_same(seed: int) -> None:
    orders = pl.DataFrame(random_orders(seed))
    for model in (None, rk.MBGNBD(r=0.5, alpha=4, a=0.5, b=2, unit="week", exact=False)):
        eager, lazy = (
            quietly(one, model=model, min_gaps=1, as_of="1969-12-01")
            for one in (orders, orders.lazy())
        )
        assert_same(in_order(lazy.collect()), in_order(eager))
        assert dict(lazy.collect_schema()) == dict(eager.schema)


def test_a_row_a_customer_stays_in_the_engine(backend: Backend) -> None:
    orders = backend.make(random_orders(7))
    found = nw.from_native(rk.next_purchase(orders, model=MODEL))
    given = nw.from_native(orders)
    assert isinstance(found, nw.LazyFrame) == isinstance(given, nw.LazyFrame)
    schema = found.collect_schema()
    assert [schema[name] for name in ("purchases", "recency_days")] == [nw.Int64] * 2
    for name in ("last", "due_25", "due_75"):
        pandas = given.implementation.is_pandas() and "pyarrow" not in backend.name
        assert schema[name] == (nw.Datetime if pandas or schema[name] == nw.Datetime else nw.Date)


# --- what counts


def test_several_orders_a_day_are_one_purchase() -> None:
    orders = log(("ann", "2024-01-01 09:00"), ("ann", "2024-01-01 21:00"), ("ann", "2024-01-05"))
    (row,) = rows_of(rk.next_purchase(orders, model=MODEL, as_of="2024-01-06", min_gaps=1))
    assert (row["purchases"], row["typical_gap"], row["lateness"]) == (2, 4.0, 0.25)


def test_one_purchase_has_no_gap_and_yet_dates() -> None:
    (row,) = rows_of(rk.next_purchase(log(("ann", "2024-01-01")), model=MODEL, min_gaps=1))
    assert (row["typical_gap"], row["lateness"], row["recency_days"]) == (None, None, 1)
    assert row["due_25"] > date(2024, 1, 2)


@pytest.mark.parametrize(("min_gaps", "gap"), [(1, 15.0), (2, 15.0), (3, None)])
def test_gaps_must_be_so_many(min_gaps: int, gap: float | None) -> None:
    orders = log(*(("ann", f"2024-01-{day}") for day in ("01", "11", "31")))
    (row,) = rows_of(rk.next_purchase(orders, model=MODEL, min_gaps=min_gaps))
    assert row["typical_gap"] == gap


def test_as_of_may_come_long_after_all_rows() -> None:
    orders = log(("ann", "2024-01-01"), ("ann", "2024-01-20"), ("bob", "2024-02-01"))
    found = rows_of(rk.next_purchase(orders, model=MODEL, as_of="2034-01-01", quantiles=(1e-4,)))
    assert [row["recency_days"] for row in found] == [3634, 3622]
    assert all(row["due_0_01"] >= date(2034, 1, 1) for row in found)


def test_rows_from_as_of_on_are_not_used() -> None:
    orders = log(("ann", "2024-01-01"), ("ann", "2024-01-20"), ("bob", "2024-01-20"))
    with pytest.warns(RetainkitWarning, match="2 of 3 rows at or after as_of"):
        found = rk.next_purchase(orders, model=MODEL, as_of="2024-01-20")
    assert [row["customer_id"] for row in rows_of(found)] == ["ann"]


def test_a_date_after_the_calendar_is_null() -> None:
    rare = rk.BGNBD(r=0.01, alpha=1000, a=1, b=1)
    found = rk.next_purchase(log(("ann", "2024-01-01")), model=rare, quantiles=(0.001, 0.9))
    (row,) = rows_of(found)
    assert row["due_0_1"] is not None
    assert row["due_90"] is None


def test_no_orders_no_rows(backend: Backend) -> None:
    empty = backend.make([], like=random_orders(1)[0])
    for model in (None, MODEL):
        found = rk.next_purchase(empty, model=model)
        assert rows_of(found) == []
        assert "due_75" in nw.from_native(found).collect_schema()


# --- models


def test_a_model_in_weeks_gives_the_same_dates() -> None:
    orders = pd.DataFrame(random_orders(2))
    daily, weekly = (in_order(rk.next_purchase(orders, model=one)) for one in (MODEL, WEEKLY))
    assert_same(weekly, daily)


def test_a_model_of_whole_weeks_sees_whole_weeks() -> None:
    # Orders of one week were one purchase for the fit; the gaps are in days all the same.
    orders = datasets.load_cdnow(sample=True)
    summary = rk.rfm_summary(orders, unit="week")
    model = rk.fit_bg_nbd(summary)
    found = rk.next_purchase(orders, model=model)
    expected = model.next_purchase(summary, horizon="90D")["probability_purchase"]
    assert found["probability_purchase"].to_list() == pytest.approx(expected.to_list())
    assert (found["purchases"] - 1 > summary["frequency"]).any()
    daily = rk.next_purchase(orders)
    for name in ("purchases", "typical_gap", "lateness"):
        assert found[name].equals(daily[name])


def test_a_model_in_hours_counts_days() -> None:
    hourly = rk.BGNBD(r=0.5, alpha=30 * 24, a=0.5, b=2, unit="hour", exact=False)
    orders = pd.DataFrame(random_orders(2))
    daily, other = (in_order(rk.next_purchase(orders, model=one)) for one in (MODEL, hourly))
    assert_same(other, daily)


def test_a_model_that_has_seen_shorter_histories_warns() -> None:
    young = rk.BGNBD(r=0.5, alpha=30, a=0.5, b=2, largest_T=20.0)
    orders = log(("ann", "2024-01-01"), ("bob", "2024-03-01"))
    with pytest.warns(RetainkitWarning, match="`orders` has 1 customer observed for more than"):
        rk.next_purchase(orders, model=young)


def test_segments_have_models_of_their_own(backend: Backend) -> None:
    orders = datasets.load_cdnow(sample=True)
    orders = orders[orders["customer_id"] < 3_000].assign(half=lambda one: one["customer_id"] % 2)
    columns = orders["customer_id"], orders["time"].dt.date, orders["half"]
    names = ("customer_id", "time", "half")
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    found = in_order(quietly(backend.make(rows), by="half", as_of="1998-07-01"))
    apart = [
        row
        for half in (0, 1)
        for row in in_order(quietly(orders[orders["half"] == half], as_of="1998-07-01"))
    ]
    expected = sorted(apart, key=lambda row: row["customer_id"])
    for have, want in zip(found, expected, strict=True):
        assert have["half"] == want["customer_id"] % 2
        for name in ("probability_purchase", "probability_alive"):
            assert have[name] == pytest.approx(want[name], rel=1e-6)


def test_a_fit_says_what_it_lacks_and_gives_all_dates() -> None:
    # Nobody buys again, so that nobody is known to leave: who is alive may come at any time.
    orders = log(*((who, f"2024-01-{who + 1:02d}") for who in range(20)), team="x")
    with pytest.warns(RetainkitWarning) as caught:
        found = rk.next_purchase(orders, by="team", quantiles=(1e-9,))
    assert all(str(one.message).startswith("team x: ") for one in caught)
    assert found["probability_alive"].eq(1).all()


def test_the_index_and_the_order_of_rows_mean_nothing() -> None:
    orders = pd.DataFrame(random_orders(3))
    shuffled = orders.sample(frac=1, random_state=1)
    assert rows_of(quietly(orders)) == rows_of(quietly(shuffled))


# --- errors


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"horizon": 90}, ArgumentTypeError, "90 what"),
        ({"horizon": "soon"}, ArgumentError, "horizon"),
        ({"min_gaps": 0}, ArgumentError, "min_gaps"),
        ({"model": rk.SBG(alpha=1, beta=1)}, ArgumentTypeError, "BGNBD, MBGNBD or ParetoNBD"),
        ({"by": "last"}, ArgumentError, "name of a column of the result"),
    ],
)
def test_wrong_arguments(options: Row, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        rk.next_purchase(log(("ann", "2024-01-01"), last=1), **options)


def test_customers_of_two_segments(backend: Backend) -> None:
    rows = [row | {"team": "ab"[number % 2]} for number, row in enumerate(random_orders(1))]
    with pytest.raises(ArgumentError, match=r"several values for \d+ customers"):
        rk.next_purchase(backend.make(rows), by="team")
