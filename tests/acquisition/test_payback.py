"""Payback: published data, a slow oracle, tables of costs, and the naive ways beside it."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acquisition.test_observed_value import drawn
from acquisition.values import payback_by_hand
from backends import BACKENDS, Backend, params
from event_logs import assert_same, log, quietly
from retainkit import RetainkitWarning, datasets, observed_value, payback
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError
from tables import Row, rows_of

on_every_kind = pytest.mark.parametrize("backend", params(BACKENDS), indirect=True)
JANUARY, FEBRUARY = date(1997, 1, 1), date(1997, 2, 1)


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return datasets.load_cdnow(sample=True)


# --- known numbers ------------------------------------------------------------------------------


def test_payback_of_cdnow(cdnow: pd.DataFrame) -> None:
    # Computed apart from the definition, in NumPy, from Fader and Hardie's 1/10 sample of CDNOW:
    # at day 57 the value is 50.196160.
    options: Row = {"cohort_period": None, "as_of": "1998-07-01"}
    assert payback(cdnow, cost=50, **options)["payback_days"].tolist() == [57]
    assert payback(cdnow, cost=80, **options)["payback_days"].tolist() == [277]
    found = observed_value(cdnow, ages=[56, 57], **options)["value_per_customer"]
    assert found[0] < 50 < found[1] == pytest.approx(50.196160, abs=5e-7)


def test_what_is_not_reached_is_nan_and_never_extrapolated(cdnow: pd.DataFrame) -> None:
    found = payback(cdnow, cost=120, cohort_period=None).iloc[0]
    assert math.isnan(found["payback_days"])
    assert not found["paid_back"]
    assert found["ltv_cac"] == pytest.approx(found["value_per_customer"] / 120)
    assert found["ltv_cac_lower"] < found["ltv_cac"] < found["ltv_cac_upper"] < 1


def test_revenue_over_cost_is_too_good_by_the_margin(cdnow: pd.DataFrame) -> None:
    revenue, kept = (
        payback(cdnow, cost=30, cohort_period=None, margin=margin).iloc[0] for margin in (1, 0.3)
    )
    assert revenue["ltv_cac"] / kept["ltv_cac"] == pytest.approx(1 / 0.3)
    assert revenue["payback_days"] == 0
    assert kept["payback_days"] > 300


def test_the_naive_ratio_counts_the_young_in_full() -> None:
    # One cohort pays 10 a month for three months; each month twice as many come.
    orders = []
    for month, number in enumerate((10, 20, 40)):
        for who in range(number):
            days = pd.date_range("2024-01-01", "2024-03-30", freq="30D")[month:]
            orders += [(f"{month} {who}", str(day.date()), 10.0) for day in days]
    found = payback(log(*orders), cost=20, cohort_period=None, as_of="2024-03-31", ages=[30, 60])
    assert found["naive_ltv_cac"].item() == pytest.approx((10 * 30 + 20 * 20 + 40 * 10) / 1400)
    # Over those who have been there for so long, 20 were paid by day 30.
    assert found["payback_days"].tolist() == [30]


def test_the_limits_are_where_those_of_the_value_reach_the_cost(cdnow: pd.DataFrame) -> None:
    ages = [*range(0, 460, 7)]
    values = observed_value(cdnow, ages=ages, cohort_period=None)
    found = payback(cdnow, cost=60, cohort_period=None, ages=ages).iloc[0]
    for limit, value in (("lower", "upper"), ("days", "value_per_customer"), ("upper", "lower")):
        reached = values.loc[values[value] >= 60, "age_days"]
        assert found[f"payback_{limit}"] == reached.iloc[0]
    assert found["payback_lower"] < found["payback_days"] < found["payback_upper"]


# --- a slow oracle, on every kind of frame ------------------------------------------------------


@on_every_kind
def test_it_is_what_loops_over_days_find(backend: Backend) -> None:
    rows, end = drawn(11), date(2024, 7, 1)
    frame = backend.make([{k: v for k, v in row.items() if k != "team"} for row in rows])
    for cost in (20.0, 40.0, 55.0, 900.0):
        (found,) = quietly(payback, frame, cost=cost, cohort_period=None, as_of=end)
        want = payback_by_hand(rows, cost, end)
        assert found["payback_days"] == (None if math.isnan(want) else want)
        assert found["paid_back"] == (not math.isnan(want))


@on_every_kind
def test_it_is_the_same_on_every_kind(backend: Backend) -> None:
    rows = drawn(12)
    like = {"customer_id": 1, "time": rows[0]["time"], "amount": 1.0, "team": "a"}
    for ages in (None, [10, 60]):
        options: Row = {"cost": 30, "by": "team", "as_of": "2024-07-01", "ages": ages}
        found = quietly(payback, backend.make(rows, like=like), **options)
        want = quietly(payback, pd.DataFrame(rows), **options)
        assert_same(
            [row | {"cohort": str(row["cohort"])[:10]} for row in found],
            [
                {k: math.nan if v is None and k != "team" else v for k, v in row.items()}
                | {"cohort": str(row["cohort"])[:10]}
                for row in want
            ],
        )


# --- costs --------------------------------------------------------------------------------------


@on_every_kind
def test_costs_are_found_by_cohort_and_segment(backend: Backend) -> None:
    orders = log(("a", "1997-01-05", 9.0), ("b", "1997-01-20", 3.0), ("c", "1997-02-02", 5.0))
    orders["team"] = ["x", "y", "x"]
    costs = [
        {"cohort": FEBRUARY, "team": "x", "spent": 8.0},
        {"cohort": JANUARY, "team": "x", "spent": 9.0},
        {"cohort": JANUARY, "team": "y", "spent": 6.0},
    ]
    found = payback(orders, cost=backend.make(costs), by="team", ages=[0])
    assert found["team"].tolist() == ["x", "x", "y"]
    assert found["cost_per_customer"].tolist() == [9.0, 8.0, 6.0]
    assert found["ltv_cac"].tolist() == pytest.approx([1.0, 0.625, 0.5])
    assert found["payback_days"].tolist()[0] == 0


def test_what_was_spent_is_shared_among_the_acquired(cdnow: pd.DataFrame) -> None:
    spent = pd.DataFrame({"cohort": [JANUARY], "spent": [781 * 50.0]})
    each = pd.DataFrame({"cohort": pd.to_datetime(["1997-01-15"]), "cost": [50.0]})
    for costs in (spent, each):
        with pytest.warns(RetainkitWarning, match="2 cohorts without a row in `cost`"):
            found = payback(cdnow, cost=costs)
        assert found["cost_per_customer"].tolist()[0] == 50.0
        assert found["cost_per_customer"].isna().tolist() == [False, True, True]
        assert found["paid_back"].tolist() == [True, False, False]
        assert found.loc[1:, ["payback_days", "ltv_cac", "naive_ltv_cac"]].isna().all(axis=None)


def test_costs_without_a_customer_are_counted() -> None:
    costs = pd.DataFrame({"cohort": [JANUARY, FEBRUARY], "cost": [1.0, 1.0]})
    with pytest.warns(RetainkitWarning, match="1 row of `cost` without a customer"):
        payback(log(("a", "1997-01-05", 9.0)), cost=costs)


def test_orders_in_a_zone_meet_costs_by_date() -> None:
    time = pd.to_datetime(["1997-02-01 00:30"]).tz_localize("Asia/Tokyo")
    orders = pd.DataFrame({"customer_id": ["a"], "time": time, "amount": [9.0]})
    found = payback(orders, cost=pd.DataFrame({"cohort": [FEBRUARY], "cost": [3.0]}))
    assert found["cost_per_customer"].tolist() == [3.0]


def test_a_cost_of_0_is_paid_back_at_once_and_has_no_ratio() -> None:
    found = payback(log(("a", "1997-01-05", 9.0)), cost=0).iloc[0]
    assert found["payback_days"] == 0
    assert np.isnan([found["ltv_cac"], found["naive_ltv_cac"]]).all()


def test_nobody_observed_for_a_day_leaves_all_undefined() -> None:
    found = payback(log(("a", "1997-01-05", 9.0)), cost=1, as_of="1997-01-05 12:00").iloc[0]
    assert found[["payback_days", "age_days", "value_per_customer", "ltv_cac"]].isna().all()
    assert found["naive_ltv_cac"] == 9.0


@on_every_kind
def test_no_orders_give_an_empty_table(backend: Backend) -> None:
    like: Row = {"customer_id": 1, "time": date(2024, 1, 1), "amount": 1.0}
    assert rows_of(payback(backend.make([], like=like), cost=3)) == []


@pytest.mark.parametrize(
    ("cost", "error", "text"),
    [
        (None, ArgumentTypeError, "cost"),
        ("12", ArgumentTypeError, "it must be a number"),
        (-1, ArgumentError, "0 or more"),
        ({"cohort": [JANUARY]}, MissingColumnError, "'spent', in all"),
        ({"cohort": [JANUARY], "cost": [1], "spent": [1]}, ArgumentError, "both"),
        ({"cohort": [JANUARY], "cost": [-1.0]}, ArgumentError, "a cost is 0 or more"),
        ({"cohort": [JANUARY] * 2, "cost": [1.0, 2.0]}, ArgumentError, "1 row too many"),
        ({"cohort": [JANUARY], "cost": [None]}, (ArgumentError, TypeError), "cost"),
        ({"cost": [1.0]}, MissingColumnError, "cohort"),
    ],
)
def test_wrong_costs_are_refused(cost: Any, error: Any, text: str) -> None:
    given = pd.DataFrame(cost) if isinstance(cost, dict) else cost
    with pytest.raises(error, match=text):
        payback(log(("a", "1997-01-05", 9.0)), cost=given)
