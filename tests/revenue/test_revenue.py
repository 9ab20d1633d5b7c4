"""Subscription revenue: published figures, edge cases, intervals, and every kind of frame.

Published figures stand with their source. The edge cases are those in which naive code is wrong.
"""

import itertools
import math
import warnings
from datetime import UTC, date, datetime
from statistics import NormalDist
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import mrr_movements, revenue_cohorts, revenue_retention
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError, RetainkitWarning
from sizes import cases
from tables import Row, rows_of

FUNCTIONS = [mrr_movements, revenue_retention, revenue_cohorts]
each_function = pytest.mark.parametrize("function", FUNCTIONS)


def book(*rows: tuple[Any, ...], columns: str = "customer_id start end mrr") -> pd.DataFrame:
    """Return subscriptions: by default customer, start, end (None: it runs) and amount."""
    table = pd.DataFrame(rows, columns=columns.split())
    for name in ("start", "end"):
        table[name] = pd.to_datetime(table[name], format="ISO8601").astype("datetime64[us]")
    return table


PLANS = "customer_id start end mrr plan"


def moved(subscriptions: Any, **options: Any) -> list[Row]:
    return rows_of(mrr_movements(subscriptions, **options))


def kept(subscriptions: Any, **options: Any) -> list[Row]:
    return rows_of(revenue_retention(subscriptions, **options))


def at(rows: list[Row], text: str) -> Row:
    """Return the row of a period."""
    (row,) = [row for row in rows if row["period"] == date.fromisoformat(text)]
    return row


def some(row: Row) -> Row:
    """Return the money that is not 0, without what stands beside it."""
    kinds: tuple[str, ...] = ("opening", "new", "expansion", "contraction", "churn", "reactivation")
    kinds += ("transfer_in", "transfer_out", "closing")
    return {kind: row[kind] for kind in kinds if row.get(kind)}


# --- published figures -----------------------------------------------------------------------

# saas-metrics, docs/definitions.md section 5; fourteen months from January 2025.
SAAS = book(
    ("a", "2025-01-01", None, 100),
    ("b", "2025-01-01", "2026-01-01", 100),
    ("b", "2026-01-01", None, 150),
    ("c", "2025-01-01", "2025-06-01", 100),
    ("c", "2026-01-01", None, 80),
    ("d", "2026-01-01", None, 50),
    ("e", "2025-01-01", "2026-01-01", 200),
    ("e", "2026-01-01", None, 120),
)


def test_saas_metrics_a_month_with_churn() -> None:
    row = at(moved(SAAS, as_of="2026-03-01"), "2025-06-01")
    assert some(row) == {"opening": 500, "churn": 100, "closing": 400}
    row = at(kept(SAAS, as_of="2026-03-01"), "2025-06-01")
    assert row["logo_retention"] == 1 - 0.25
    assert row["gross_churn"] == 0.2


def test_saas_metrics_a_month_with_everything_else() -> None:
    # 400 + 50 + 80 + 50 - 80 - 0 = 500, quick ratio 2.25.
    row = at(moved(SAAS, as_of="2026-03-01"), "2026-01-01")
    assert some(row) == {
        "opening": 400,
        "new": 50,
        "expansion": 50,
        "contraction": 80,
        "reactivation": 80,
        "closing": 500,
    }
    assert at(kept(SAAS, as_of="2026-03-01"), "2026-01-01")["quick_ratio"] == 2.25


def test_saas_metrics_twelve_months_point_to_point() -> None:
    row = at(kept(SAAS, horizon=12, as_of="2026-03-01"), "2026-01-01")
    assert (row["customers"], row["opening"]) == (4, 500)
    assert (row["nrr"], row["grr"], row["logo_retention"]) == (0.9, 0.8, 1)


def test_saas_metrics_annual_revenue_and_revenue_per_customer() -> None:
    row = at(moved(SAAS, as_of="2026-03-01"), "2026-02-01")
    assert row["closing"] * 12 == 6000
    assert row["closing"] / row["closing_customers"] == 100


def test_saas_metrics_the_triangle() -> None:
    cells = rows_of(revenue_cohorts(SAAS, as_of="2026-03-01"))
    january = [row["nrr"] for row in cells if row["cohort"] == date(2025, 1, 1)]
    assert january == [1.0] * 5 + [0.8] * 7 + [0.9] * 2


def test_one_month_of_the_mrr_playbook() -> None:
    # dbt-labs/mrr-playbook, October 2019 of its seed, in as few customers as can be: NRR 1.003436
    # and GRR .948454 are what independent SQL and pandas give for the 121 rows of the seed.
    rows = book(
        ("up", "2019-09-01", "2019-10-01", 1000),
        ("up", "2019-10-01", None, 1080),
        ("down", "2019-09-01", "2019-10-01", 455),
        ("down", "2019-10-01", None, 380),
        ("new", "2019-10-01", None, 220),
    )
    assert some(at(moved(rows, as_of="2019-11-01"), "2019-10-01")) == {
        "opening": 1455,
        "new": 220,
        "expansion": 80,
        "contraction": 75,
        "closing": 1680,
    }
    row = at(kept(rows, as_of="2019-11-01"), "2019-10-01")
    assert (round(row["nrr"], 6), round(row["grr"], 6)) == (1.003436, 0.948454)


def test_twelve_months_of_the_mrr_playbook() -> None:
    # The same seed, December 2019: of 585 from 12 customers, NRR .7009, GRR .5812, logo .5833.
    lost = [(f"lost {i}", "2018-12-01", "2019-12-01", 45) for i in range(5)]
    same = [(f"same {i}", "2018-12-01", "2020-02-01", 50) for i in range(5)]
    down = [("down", "2018-12-01", "2019-05-01", 50), ("down", "2019-05-01", None, 30)]
    up = [("up", "2018-12-01", "2019-06-01", 60), ("up", "2019-06-01", None, 130)]
    late = [("late", "2019-11-01", None, 1000)]
    rows = kept(book(*lost, *same, *down, *up, *late), horizon=12, as_of="2020-01-01")
    row = at(rows, "2019-12-01")
    assert (row["customers"], row["opening"]) == (12, 585)
    assert [round(row[name], 4) for name in ("nrr", "grr", "logo_retention")] == [
        0.7009,
        0.5812,
        0.5833,
    ]


def test_a_customer_of_chartmogul_who_pays_by_the_year_and_returns() -> None:
    # ChartMogul, help.chartmogul.com/hc/en-us/articles/201244842: a year paid in advance, two more
    # seats that come and go within a month, the end of the paid year, and a return.
    rows = book(
        ("s", "2023-01-10", "2024-01-10", 2000 / 12),
        ("s", "2023-03-05", "2023-03-20", 60),
        ("s", "2024-06-01", None, 150),
    )
    events = moved(rows, level="event", as_of="2024-07-01")
    year = 166.666667  # 2,000 / 12
    assert some(at(events, "2024-01-01")) == {"opening": year, "churn": year}
    assert some(at(events, "2024-06-01")) == {"reactivation": 150, "closing": 150}
    assert round(at(events, "2023-01-01")["new"], 2) == 166.67
    march = {"opening": year, "closing": year}
    assert some(at(events, "2023-03-01")) == march | {"expansion": 60, "contraction": 60}
    snapshots = moved(rows, as_of="2024-07-01")
    assert some(at(snapshots, "2023-03-01")) == march
    others = {date(2023, 3, 1)}
    assert [some(row) for row in snapshots if row["period"] not in others] == [
        some(row) for row in events if row["period"] not in others
    ]


def test_churn_rates_of_chartmogul() -> None:
    # help.chartmogul.com: opening 100, churn, contraction and expansion of 10 each.
    rows = book(
        ("gone", "2024-01-01", "2024-02-03", 10),
        ("down", "2024-01-01", "2024-02-05", 40),
        ("down", "2024-02-05", None, 30),
        ("up", "2024-01-01", "2024-02-07", 50),
        ("up", "2024-02-07", None, 60),
    )
    row = at(kept(rows, as_of="2024-03-01"), "2024-02-01")
    assert (row["opening"], row["gross_churn"], row["net_churn"]) == (100, 0.2, 0.1)


def test_daily_churn_rates_of_chartmogul() -> None:
    # 100 to 120 of which 10 are new: net churn -10%. 100 to 95: gross churn 5%.
    rows = book(
        ("a", "2024-01-01", "2024-01-02", 100),
        ("a", "2024-01-02", None, 110),
        ("b", "2024-01-02", None, 10),
    )
    assert at(kept(rows, period="day", as_of="2024-01-03"), "2024-01-02")["net_churn"] == -0.1
    rows = book(("a", "2024-01-01", "2024-01-02", 100), ("a", "2024-01-02", None, 95))
    assert at(kept(rows, period="day", as_of="2024-01-03"), "2024-01-02")["gross_churn"] == 0.05


def test_customers_of_chartmogul_who_return_within_the_month() -> None:
    # Of 100 customers 11 churn, one of whom is back within the month; so does one who only joined.
    stay = [(i, "2024-01-01", None, 5) for i in range(89)]
    churn = [(i, "2024-01-01", "2024-02-10", 5) for i in range(89, 100)]
    rows = book(*stay, *churn, (99, "2024-02-20", None, 5), (100, "2024-02-03", "2024-02-25", 5))
    assert at(kept(rows, as_of="2024-03-01"), "2024-02-01")["logo_retention"] == 0.9
    row = at(moved(rows, level="event", as_of="2024-03-01"), "2024-02-01")
    assert (row["churn_customers"], row["reactivation_customers"]) == (12, 1)
    assert (row["new_customers"], row["opening_customers"], row["closing_customers"]) == (
        1,
        100,
        90,
    )


def test_monthly_and_yearly_plans_of_stripe() -> None:
    # docs.stripe.com/billing/subscriptions/analytics/glossary: 100 x $100 and 50 x $600 a year.
    rows: list[tuple[Any, ...]] = [(i, "2024-01-01", None, 100) for i in range(100)]
    rows += [(i, "2024-01-01", None, 600 / 12) for i in range(100, 150)]
    assert moved(book(*rows), as_of="2024-02-01")[0]["closing"] == 12_500


@pytest.mark.parametrize("level", ["snapshot", "event"])
def test_churn_of_profitwell_comes_on_the_day_that_the_paid_period_ends(level: str) -> None:
    # ProfitWell: $10 from 15 April, cancelled on 8 June, paid until 15 June.
    rows = book(("a", "2024-04-15", "2024-06-15", 10))
    days = moved(rows, period="day", level=level, as_of="2024-07-01")
    assert {row["period"]: row["churn"] for row in days if row["churn"]} == {date(2024, 6, 15): 10}
    assert at(days, "2024-06-14")["closing"] == 10


def test_the_quick_ratio_of_pitchkit() -> None:
    # pitchkit.net/resources/glossary/quick-ratio: new 20k, expansion 8k, churn 5k, contraction 3k.
    rows = book(
        ("gone", "2024-01-01", "2024-02-01", 5000),
        ("down", "2024-01-01", "2024-02-01", 9000),
        ("down", "2024-02-01", None, 6000),
        ("up", "2024-01-01", None, 9000),
        ("up", "2024-02-01", None, 8000),
        ("new", "2024-02-01", None, 20_000),
    )
    assert at(kept(rows, as_of="2024-03-01"), "2024-02-01")["quick_ratio"] == 3.5


# --- edge cases ------------------------------------------------------------------------------


@each_function
def test_a_period_in_progress_is_left_out_or_marked(function: Any) -> None:
    rows = book(("a", "2024-01-05", "2024-02-10", 10), ("b", "2024-01-05", None, 10))
    without = rows_of(function(rows, as_of="2024-02-15"))
    shown = rows_of(function(rows, as_of="2024-02-15", include_partial=True))
    assert [row["complete"] for row in without] == [True]
    partial = [row for row in shown if not row["complete"]]
    assert len(partial) == (2 if function is revenue_cohorts else 1)
    assert [row for row in shown if row["complete"]] == without
    for row in partial:
        assert all(row[name] is None for name in row if "lower" in name or "upper" in name)


@each_function
def test_rows_from_the_future_are_counted_and_not_used(function: Any) -> None:
    rows = book(("a", "2024-01-05", None, 10), ("b", "2024-02-01", None, 10))
    with pytest.warns(RetainkitWarning, match="1 "):
        found = rows_of(function(rows, as_of="2024-02-01"))
    assert found == rows_of(function(rows[:1], as_of="2024-02-01"))


@each_function
@pytest.mark.parametrize("end", [None, "2024-04-01", "2024-05-17"])
def test_what_has_not_ended_is_running(function: Any, end: str | None) -> None:
    # Not at all, at the very end of the data, or after it: censored, not churned.
    rows = book(("a", "2024-01-05", end, 10))
    expected = rows_of(function(book(("a", "2024-01-05", "2030-01-01", 10)), as_of="2024-04-01"))
    assert rows_of(function(rows, as_of="2024-04-01")) == expected
    assert all(row.get("churn", 0) == 0 for row in expected)
    assert all(row.get("nrr", 1) in {1, None} for row in expected)


def test_overlapping_subscriptions_are_one_customer() -> None:
    rows = book(("a", "2024-01-05", "2024-03-10", 10), ("a", "2024-02-05", None, 25))
    january, february, march = moved(rows, as_of="2024-04-01")
    assert some(january) == {"new": 10, "closing": 10}
    assert some(february) == {"opening": 10, "expansion": 25, "closing": 35}
    assert some(march) == {"opening": 35, "contraction": 10, "closing": 25}
    assert [row["closing_customers"] for row in (january, february, march)] == [1, 1, 1]


@pytest.mark.parametrize("level", ["snapshot", "event"])
def test_a_renewal_is_no_movement(level: str) -> None:
    rows = book(("a", "2024-01-05", "2024-02-05", 10), ("a", "2024-02-05", None, 10))
    assert some(moved(rows, level=level, as_of="2024-03-01")[1]) == {"opening": 10, "closing": 10}


def test_changes_of_one_day_are_netted() -> None:
    # On 5 February from 10 to 30 to 20, by way of three rows in any order.
    rows = book(
        ("a", "2024-01-05", "2024-02-05T09:00", 10),
        ("a", "2024-02-05T09:00", "2024-02-05T11:00", 30),
        ("a", "2024-02-05T11:00", None, 20),
    )
    for order in itertools.permutations(range(3)):
        shuffled = rows.iloc[list(order)]
        row = moved(shuffled, level="event", as_of="2024-03-01")[1]
        assert some(row) == {"opening": 10, "expansion": 10, "closing": 20}
    # On two days they are two movements, and none between the ends of the month.
    rows = book(
        ("a", "2024-01-05", None, 10),
        ("a", "2024-02-05", "2024-02-06", 30),
    )
    row = moved(rows, level="event", as_of="2024-03-01")[1]
    assert some(row) == {"opening": 10, "expansion": 30, "contraction": 30, "closing": 10}
    assert some(moved(rows, as_of="2024-03-01")[1]) == {"opening": 10, "closing": 10}


def test_a_change_of_plan_is_a_transfer() -> None:
    rows = book(
        ("a", "2024-01-05", "2024-02-05", 20, "basic"),
        ("a", "2024-02-05", None, 50, "pro"),
        columns=PLANS,
    )
    table = {
        (row["plan"], row["period"].month): row
        for row in moved(rows, by="plan", as_of="2024-03-01")
    }
    assert some(table["basic", 2]) == {"opening": 20, "transfer_out": 20}
    assert some(table["pro", 2]) == {"expansion": 30, "transfer_in": 20, "closing": 50}
    assert table["basic", 2]["transfer_out_customers"] == 1
    assert table["basic", 2]["churn_customers"] == table["pro", 2]["new_customers"] == 0
    # A downgrade contracts in the plan that is left.
    back = book(
        ("a", "2024-01-05", "2024-02-05", 50, "pro"),
        ("a", "2024-02-05", None, 20, "basic"),
        columns=PLANS,
    )
    basic, pro = (
        row for row in moved(back, by="plan", as_of="2024-03-01") if row["period"].month == 2
    )
    assert some(basic) == {"transfer_in": 20, "closing": 20}
    assert some(pro) == {"opening": 50, "contraction": 30, "transfer_out": 20}


def test_transfers_are_shared_in_proportion() -> None:
    # From 100 in one plan to 60 and 90 in two others: 100 moves, 40 and 60 of it; the rest is new
    # money, 20 and 30. And 1 cent out of 100 is shared among three to the cent, too.
    rows = book(
        ("a", "2024-01-05", "2024-02-05", 100, "x"),
        ("a", "2024-02-05", None, 60, "y"),
        ("a", "2024-02-05", None, 90, "z"),
        columns=PLANS,
    )
    x, y, z = (
        row for row in moved(rows, by="plan", as_of="2024-03-01") if row["period"].month == 2
    )
    assert some(x) == {"opening": 100, "transfer_out": 100}
    assert some(y) == {"expansion": 20, "transfer_in": 40, "closing": 60}
    assert some(z) == {"expansion": 30, "transfer_in": 60, "closing": 90}
    rows = book(
        *(("a", "2024-01-05", "2024-02-05", 0.01, name) for name in "uvw"),
        ("a", "2024-02-05", None, 0.02, "x"),
        columns=PLANS,
    )
    cents = [
        row["transfer_out"]
        for row in moved(rows, by="plan", as_of="2024-03-01")
        if row["period"].month == 2
    ]
    assert sorted(cents) == [0, 0, 0.01, 0.01]


@each_function
def test_no_length_and_less(function: Any) -> None:
    rows = book(("a", "2024-01-05", None, 10), ("b", "2024-01-07", "2024-01-07", 10))
    with pytest.warns(RetainkitWarning, match="1 "):
        found = rows_of(function(rows, as_of="2024-02-01"))
    assert found == rows_of(function(rows[:1], as_of="2024-02-01"))
    rows = book(("a", "2024-01-05", None, 10), ("b", "2024-01-07", "2024-01-06", 10))
    with pytest.raises(ArgumentError, match="end"):
        function(rows, as_of="2024-02-01")


def test_to_come_and_go_within_a_period() -> None:
    rows = book(("a", "2024-01-05", None, 10), ("b", "2024-01-07", "2024-01-20", 30))
    assert some(moved(rows, as_of="2024-02-01")[0]) == {"new": 10, "closing": 10}
    row = moved(rows, level="event", as_of="2024-02-01")[0]
    assert some(row) == {"new": 40, "churn": 30, "closing": 10}
    assert (row["new_customers"], row["churn_customers"], row["closing_customers"]) == (2, 1, 1)
    with pytest.warns(
        RetainkitWarning, match="^1 customer in no cohort, having paid within a month"
    ):
        cells = rows_of(revenue_cohorts(rows, as_of="2024-02-01"))
    assert [row["customers"] for row in cells] == [1]


def test_to_come_back_is_not_new() -> None:
    rows = book(("a", "2024-01-05", "2024-02-10", 10), ("a", "2024-04-03", None, 7))
    table = moved(rows, as_of="2024-05-01")
    assert some(table[3]) == {"reactivation": 7, "closing": 7}
    assert [row["new_customers"] for row in table] == [1, 0, 0, 0]
    assert [row["reactivation_customers"] for row in table] == [0, 0, 0, 1]


@pytest.mark.parametrize("level", ["snapshot", "event"])
def test_who_came_and_left_within_a_period_is_not_new_later(level: str) -> None:
    """As `churn_rate` has it; see its test of the same name."""
    rows = book(("a", "2024-01-05", "2024-01-20", 10), ("a", "2024-03-03", None, 7))
    table = moved(rows, level=level, as_of="2024-04-01")
    assert some(table[2]) == {"reactivation": 7, "closing": 7}
    rows = book(("a", "2024-01-05", "2024-01-20", 10), ("a", "2024-01-25", None, 7))
    first = some(moved(rows, as_of="2024-02-01")[0])
    assert first == {"new": 7, "closing": 7}, "one period, one start: new"


@each_function
def test_negative_and_null_amounts_are_refused(function: Any) -> None:
    for wrong in (-5.0, float("nan")):
        rows = book(("a", "2024-01-05", None, 10.0), ("b", "2024-01-07", None, wrong))
        with pytest.raises(ArgumentError, match="mrr"):
            function(rows, as_of="2024-02-01")


def test_a_year_paid_at_once_is_spread() -> None:
    # An invoice of 1,200 for a year is a subscription of 100 a month, and 12 months without churn.
    rows = book(("a", "2023-01-15", "2024-01-15", 1200 / 12), ("a", "2024-01-15", None, 100))
    table = moved(rows, as_of="2024-06-01")
    assert [row["closing"] for row in table] == [100] * 17
    assert sum(row["churn"] for row in table) == 0


def test_a_discount_that_ends() -> None:
    rows = book(
        ("a", "2024-01-01", "2024-02-01", 100),
        ("a", "2024-02-01", "2024-04-01", 80),
        ("a", "2024-04-01", None, 100),
    )
    table = moved(rows, as_of="2024-05-01")
    assert [row["contraction"] for row in table] == [0, 20, 0, 0]
    assert [row["expansion"] for row in table] == [0, 0, 0, 20]


@each_function
def test_a_free_plan_makes_no_customer(function: Any) -> None:
    paying = book(("b", "2024-01-09", None, 10), ("a", "2024-03-05", None, 10))
    rows = book(
        ("b", "2024-01-09", None, 10),
        ("a", "2023-11-05", "2024-03-05", 0),  # not even a row for the time of a trial
        ("a", "2024-03-05", None, 10),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)  # they may be counted in one
        found = rows_of(function(rows, as_of="2024-04-01"))
    assert found == rows_of(function(paying, as_of="2024-04-01"))


@each_function
def test_currencies_are_not_added_up(function: Any) -> None:
    rows = book(
        ("a", "2024-01-05", None, 10, "EUR"),
        ("b", "2024-01-05", None, 20, "USD"),
        columns="customer_id start end mrr currency",
    )
    with pytest.raises(ArgumentError, match="EUR"):
        function(rows, currency="currency", as_of="2024-02-01")
    euros = rows.assign(mrr=[10, 18])
    converted = function(
        rows, currency="currency", rates={"EUR": 1, "USD": 0.9}, as_of="2024-02-01"
    )
    assert rows_of(converted) == rows_of(function(euros, as_of="2024-02-01"))


@pytest.mark.parametrize("level", ["snapshot", "event"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([0.1, 0.1, 0.1], [0.3]),
        ([100 / 3] * 3, [100]),
        ([0.1 + 0.2], [0.3]),
        ([1e9 / 7] * 7, [1e9]),
        ([99.99 / 12] * 12, [99.99]),
    ],
)
def test_floats_make_no_phantoms(before: list[float], after: list[float], level: str) -> None:
    rows = book(
        *(("a", "2024-01-05", "2024-02-05", value) for value in before),
        *(("a", "2024-02-05", None, value) for value in after),
        # Amounts of many decimals beside it change nothing.
        ("b", "2024-01-05", "2024-03-01", math.pi),
    )
    # Parts of a whole are rows alike, and subscriptions of their own.
    rows = rows.assign(id=range(len(rows)))
    february = moved(rows, subscription="id", level=level, as_of="2024-03-01")[1]
    assert some(february) == {
        "opening": february["opening"],
        "closing": february["opening"],
    }
    assert february["expansion_customers"] == february["contraction_customers"] == 0
    nrr = kept(rows, subscription="id", as_of="2024-03-01")[1]["nrr"]
    assert nrr == 1
    march = moved(rows, subscription="id", level=level, as_of="2024-04-01")[2]
    assert (march["closing_customers"], march["closing"]) == (1, after[0])


def test_small_amounts_are_money_too(backend: Backend) -> None:
    # Of two customers, who pay 4e-7 and 6e-7, the second stays as it is and the first pays 9e-7.
    rows = [
        {"customer_id": "a", "start": date(2024, 1, 5), "end": date(2024, 2, 5), "mrr": 4e-7},
        {"customer_id": "a", "start": date(2024, 2, 5), "end": None, "mrr": 9e-7},
        {"customer_id": "b", "start": date(2024, 1, 5), "end": None, "mrr": 6e-7},
    ]
    table = backend.make(rows)
    february = kept(table, as_of="2024-03-01")[1]
    assert (february["customers"], february["opening"], february["nrr"]) == (2, 1e-6, 1.5)
    row = moved(table, as_of="2024-03-01")[1]
    assert some(row) == {"opening": 1e-6, "expansion": 5e-7, "closing": 1.5e-6}


SIZES = [1e-7, 1e-30, 1e9, 1e200, 1e-200, 1e-12, 1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e30]


@pytest.mark.parametrize("scale", cases(SIZES, quick=4))
@pytest.mark.parametrize("third", [0.0, 1 / 3])
def test_no_size_of_money_is_too_small_or_too_large(scale: float, third: float) -> None:
    # Eight customers who pay a few units, with or without an end in decimals, as in euros.
    rng = np.random.default_rng(11)
    months = [f"2024-0{month}-05" for month in (1, 2, 3, 4)]
    spans: list[tuple[Any, ...]] = []
    for who in range(8):
        level = [*rng.integers(1, 9, 3), None]
        spans += [
            (who, begin, end, amount + third)
            for begin, end, amount in zip(months, [*months[1:], None], level, strict=True)
            if amount is not None
        ]
    units = book(*spans)
    scaled = units.assign(mrr=units["mrr"] * scale)
    money = {"opening", "new", "expansion", "contraction", "churn", "reactivation", "closing"}
    for function in (mrr_movements, revenue_retention, revenue_cohorts):
        found = rows_of(function(scaled, as_of="2024-05-01"))
        exact = rows_of(function(units, as_of="2024-05-01"))
        for have, want in zip(found, exact, strict=True):
            for name, value in want.items():
                if isinstance(value, float):
                    size = scale if name in money or name.startswith("amount") else 1
                    assert have[name] == pytest.approx(value * size, rel=1e-6, abs=0, nan_ok=True)
                else:
                    assert have[name] == value, name


def test_who_pays_next_to_nothing_is_a_customer() -> None:
    # A hundred-billionth beside a thousand: what is left of it is a unit, not nothing.
    rows = book(("a", "2024-01-05", None, 1000 / 3), ("b", "2024-01-05", None, 1e-11))
    row = moved(rows, as_of="2024-02-01")[0]
    assert row["closing_customers"] == 2
    assert row["closing"] == pytest.approx(1000 / 3, rel=1e-11)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e8, 1e13])
def test_money_of_any_size(scale: float) -> None:
    # From a token's fraction to all the money there is: to 13 digits of the whole.
    amounts = [scale * value for value in (1.0, 2.5, 1 / 3, 7.77)]
    rows = book(*((i, "2024-01-05", None, value) for i, value in enumerate(amounts)))
    row = moved(rows, as_of="2024-02-01")[0]
    assert row["closing"] == pytest.approx(math.fsum(amounts), rel=1e-13, abs=2e-6)
    assert row["closing"] == row["new"]


def test_small_change_beside_large_sums() -> None:
    # Of thirds, as many decimals are kept as fit beside the sum.
    rows = book(("a", "2024-01-05", None, 1e12), ("b", "2024-02-05", None, 1 / 3))
    assert moved(rows, as_of="2024-03-01")[1]["new"] == pytest.approx(1 / 3, abs=1e-3)


def test_sums_beyond_2_to_the_53_are_exact() -> None:
    # 2**53 + 1 is no float, but the difference between two sums that large is exact.
    rows = book(
        ("a", "2024-01-05", None, 2.0**53),
        ("b", "2024-01-05", None, 1),
        ("c", "2024-02-05", None, 1),
    )
    _, row = moved(rows, by=None, as_of="2024-03-01")
    assert row["new"] == 1
    assert row["closing"] == 2.0**53 + 2


def test_rates_of_nothing_are_unknown() -> None:
    row = kept(book(("a", "2024-01-05", None, 10)), as_of="2024-02-01")[0]
    assert (row["customers"], row["opening"]) == (0, 0)
    rates = ("nrr", "grr", "logo_retention", "lower", "upper", "quick_ratio", "net_churn")
    assert all(row[name] is None for name in (*rates, "gross_churn", "nrr_lower", "grr_upper"))


def test_customers_belong_to_the_segment_of_the_start() -> None:
    # Ann moves up from basic: what basic's customers of January pay in March counts for basic.
    rows = book(
        ("ann", "2024-01-05", "2024-02-05", 20, "basic"),
        ("ann", "2024-02-05", None, 50, "pro"),
        ("bob", "2024-01-05", "2024-02-07", 30, "basic"),
        ("cyd", "2024-01-05", None, 40, "pro"),
        columns=PLANS,
    )
    basic, pro = (
        row
        for row in kept(rows, by="plan", horizon=2, as_of="2024-04-01")
        if row["period"].month == 3
    )
    assert (basic["customers"], basic["opening"], basic["nrr"], basic["grr"]) == (2, 50, 1, 0.4)
    assert (pro["customers"], pro["opening"], pro["nrr"], pro["logo_retention"]) == (1, 40, 1, 1)
    cells = rows_of(revenue_cohorts(rows, by="plan", as_of="2024-04-01"))
    january = [row["amount"] for row in cells if row["cohort"] == date(2024, 1, 1)]
    assert january == [50, 50, 50, 40, 40, 40]


def test_a_customer_of_two_segments_counts_in_each_with_its_share() -> None:
    # 10 in x and 30 in y become 20 in all: half of each is left.
    rows = book(
        ("a", "2024-01-05", "2024-02-05", 10, "x"),
        ("a", "2024-01-05", "2024-02-05", 30, "y"),
        ("a", "2024-02-05", None, 20, "z"),
        columns=PLANS,
    )
    x, y, z = (row for row in kept(rows, by="plan", as_of="2024-03-01") if row["period"].month == 2)
    for row, opening in ((x, 10), (y, 30)):
        assert (row["customers"], row["opening"], row["nrr"]) == (1, opening, 0.5)
    assert (z["customers"], z["nrr"]) == (0, None)
    # A share that rounds to nothing is still that of somebody who stays.
    rows = book(
        ("a", "2024-01-05", None, 0.01, "x"),
        ("a", "2024-01-05", "2024-02-05", 100, "y"),
        columns=PLANS,
    )
    x, y = (row for row in kept(rows, by="plan", as_of="2024-03-01") if row["period"].month == 2)
    assert (x["logo_retention"], y["logo_retention"]) == (1, 1)


def test_periods_without_rows_are_there() -> None:
    rows = book(("a", "2024-01-05", "2024-02-10", 10), ("b", "2024-05-03", None, 5))
    table = moved(rows, as_of="2024-08-01")
    assert [row["period"].month for row in table] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["closing"] for row in table] == [10, 0, 0, 0, 5, 5, 5]
    cells = rows_of(revenue_cohorts(rows, as_of="2024-08-01"))
    assert len(cells) == 7 * 8 / 2
    march = [row for row in cells if row["cohort"] == date(2024, 3, 1)]
    assert [(row["customers"], row["amount"], row["nrr"]) for row in march] == [(0, 0, None)] * 5


# --- time ------------------------------------------------------------------------------------


def test_changes_at_midnight_belong_to_the_period_that_begins() -> None:
    rows = book(
        ("a", "2024-01-31T23:59:59.999999", "2024-02-29T23:59:59.999999", 10),
        ("b", "2024-02-01", "2024-03-01", 5),
    )
    table = moved(rows, as_of="2024-04-01")
    assert [row["new"] for row in table] == [10, 5, 0]
    assert [row["churn"] for row in table] == [0, 10, 5]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_periods_are_cut_in_the_zone_asked_for(function: Any) -> None:
    # 31 January, 23:30 UTC is February in Berlin.
    start = datetime(2024, 1, 31, 23, 30, tzinfo=UTC)
    rows = pd.DataFrame(
        {"customer_id": [1], "start": [start], "end": pd.to_datetime([None], utc=True), "mrr": [9]}  # type: ignore[arg-type]
    )
    first = "cohort" if function is revenue_cohorts else "period"
    for zone, month in ((None, 1), ("Europe/Berlin", 2)):
        table = rows_of(function(rows, tz=zone, as_of=datetime(2024, 4, 1, tzinfo=UTC)))
        assert table[0][first] == date(2024, month, 1)


def test_weeks_begin_on_the_day_asked_for() -> None:
    rows = book(("a", "2024-01-07", None, 1))  # a Sunday
    for day, first in (("monday", date(2024, 1, 1)), ("sunday", date(2024, 1, 7))):
        table = moved(rows, period="week", week_start=day, as_of="2024-02-01")
        assert table[0]["period"] == first


# --- segments and shape ----------------------------------------------------------------------

RESULT = {
    mrr_movements: [
        *("period", "opening", "new", "expansion", "contraction", "churn", "reactivation"),
        "closing",
        *("opening_customers", "new_customers", "expansion_customers", "contraction_customers"),
        *("churn_customers", "reactivation_customers", "closing_customers", "complete"),
    ],
    revenue_retention: [
        *("period", "customers", "opening", "nrr", "grr", "logo_retention", "lower", "upper"),
        *("quick_ratio", "net_churn", "gross_churn"),
        *("nrr_lower", "nrr_upper", "grr_lower", "grr_upper", "complete"),
    ],
    revenue_cohorts: [
        *("cohort", "age", "customers", "eligible", "retained", "retention", "lower", "upper"),
        *("complete", "amount", "amount_per_customer"),
        *("nrr", "nrr_lower", "nrr_upper", "grr", "grr_lower", "grr_upper"),
    ],
}


@each_function
def test_columns_and_types_also_of_nothing(function: Any) -> None:
    rows = book(("a", "2024-01-05", None, 10, "x"), columns=PLANS)
    for by in (None, "plan"):
        full, empty = (function(one, by=by, as_of="2024-03-01") for one in (rows, rows[:0]))
        names = list(full.columns)
        assert [name for name in names if "transfer" not in name] == [
            *(["plan"] if by else []),
            *RESULT[function],
        ]
        assert list(empty.columns) == names
        assert len(empty) == 0
        assert [full[name].dtype.kind for name in names if name != "plan"] == [
            empty[name].dtype.kind for name in names if name != "plan"
        ]
        counts = [name for name in names if name.endswith("customers") or name == "age"]
        assert all(full[name].dtype == np.int64 for name in counts)
        assert full["complete"].dtype == bool


def test_segments_come_first_in_order_and_null_is_one() -> None:
    rows = book(
        ("a", "2024-01-05", None, 1, "z", 2),
        ("b", "2024-02-05", None, 2, None, 1),
        ("c", "2024-01-05", None, 4, "a", 1),
        columns="customer_id start end mrr plan team",
    )
    table = moved(rows, by=["plan", "team"], as_of="2024-03-01")
    assert [(row["plan"], row["team"], row["period"].month) for row in table] == [
        ("a", 1, 1),
        ("a", 1, 2),
        ("z", 2, 1),
        ("z", 2, 2),
        (None, 1, 2),
    ]
    assert list(table[0])[:3] == ["plan", "team", "period"]


# --- intervals -------------------------------------------------------------------------------


def two_months(pairs: list[tuple[float, float]]) -> pd.DataFrame:
    """Return a book in which each customer pays one amount in January and another in February."""
    rows: list[tuple[Any, ...]] = []
    for who, (then, now) in enumerate(pairs):
        rows.append((who, "2024-01-01", "2024-02-01", then))
        if now:
            rows.append((who, "2024-02-01", "2024-03-01", now))
    return book(*rows)


PAIRS: list[tuple[float, float]] = [
    (10, 10),
    (20, 0),
    (30, 45),
    (40, 30),
    (50, 50),
    (15, 15),
    (25, 30),
    (35, 35),
]


@pytest.mark.parametrize("confidence_level", [0.8, 0.95])
def test_limits_are_those_of_a_ratio_of_sums(confidence_level: float) -> None:
    # Cochran (1977), eq. 6.13, written out; NRR on the logarithm.
    then, now = np.array(PAIRS, float).T
    options: Row = {"as_of": "2024-03-01", "confidence_level": confidence_level}
    row = kept(two_months(PAIRS), **options)[1]
    z = NormalDist().inv_cdf(0.5 + confidence_level / 2)
    n = len(PAIRS)
    ratio = now.sum() / then.sum()
    error = np.sqrt(n * np.var(now - ratio * then, ddof=1)) / then.sum()
    assert row["nrr_lower"] == pytest.approx(ratio * math.exp(-z * error / ratio), rel=1e-12)
    assert row["nrr_upper"] == pytest.approx(ratio * math.exp(z * error / ratio), rel=1e-12)
    # GRR: the p for which (p - grr)**2 = z**2 p (1 - p) / m, with m that of its variance.
    least = np.minimum(then, now)
    ratio = least.sum() / then.sum()
    variance = n * np.var(least - ratio * then, ddof=1) / then.sum() ** 2
    m = ratio * (1 - ratio) / variance
    for side in ("grr_lower", "grr_upper"):
        p = row[side]
        assert (p - ratio) ** 2 == pytest.approx(z**2 * p * (1 - p) / m, rel=1e-9)
    assert row["grr_lower"] < ratio < row["grr_upper"]
    # Logos: the same for 7 of 8.
    for side in ("lower", "upper"):
        p = row[side]
        assert (p - 7 / 8) ** 2 == pytest.approx(z**2 * p * (1 - p) / 8, rel=1e-9)


def test_cohorts_have_the_same_limits() -> None:
    row = kept(two_months(PAIRS), as_of="2024-03-01")[1]
    cell = rows_of(revenue_cohorts(two_months(PAIRS), as_of="2024-03-01"))[1]
    for name in (
        "lower",
        "upper",
        "nrr",
        "nrr_lower",
        "nrr_upper",
        "grr",
        "grr_lower",
        "grr_upper",
    ):
        assert cell[name] == pytest.approx(row[name], rel=1e-12), name


def test_nothing_lost_is_not_certainty() -> None:
    # Four customers of one size, none lost: Wilson's limits of 4 of 4. Of one large and three tiny
    # ones the money is that of hardly more than one.
    row = kept(two_months([(10, 10)] * 4), as_of="2024-03-01")[1]
    assert (row["grr"], row["grr_lower"], row["grr_upper"]) == (1, row["lower"], 1)
    assert row["nrr_lower"] is None  # nothing varies
    one = kept(two_months([(10, 10)]), as_of="2024-03-01")[1]
    large = kept(two_months([(1000, 1000), (1, 1), (1, 1), (1, 1)]), as_of="2024-03-01")[1]
    assert large["grr_lower"] == pytest.approx(one["grr_lower"], abs=0.01)
    drawn = kept(two_months([(10, 10)] * 4), interval="bootstrap", seed=1, as_of="2024-03-01")[1]
    assert (drawn["grr_lower"], drawn["nrr_lower"]) == (row["lower"], None)
    gone = kept(two_months([(10, 0)] * 4), as_of="2024-03-01")[1]
    assert (gone["nrr"], gone["grr"], gone["grr_lower"]) == (0, 0, 0)
    assert gone["grr_upper"] == gone["upper"]


@pytest.mark.slow
def test_the_bootstrap_agrees_with_all_27_samples() -> None:
    pairs = [(10, 12), (20, 5), (50, 50)]
    samples = list(itertools.product(pairs, repeat=3))
    exact = {
        "nrr": [sum(now for _, now in one) / sum(then for then, _ in one) for one in samples],
        "grr": [sum(min(pair) for pair in one) / sum(then for then, _ in one) for one in samples],
    }
    options: Row = {"interval": "bootstrap", "draws": 20_000, "seed": 7, "confidence_level": 0.6}
    row = kept(two_months([*pairs]), as_of="2024-03-01", **options)[1]
    for name, values in exact.items():
        # Between the 20% and the 80% point the 27 samples have no two alike but by order.
        low, high = np.quantile(values, [0.2, 0.8], method="inverted_cdf")
        assert row[f"{name}_lower"] == pytest.approx(low, rel=1e-12)
        assert row[f"{name}_upper"] == pytest.approx(high, rel=1e-12)


@pytest.mark.slow
def test_the_bootstrap_draws_whole_customers() -> None:
    # A chain of two steps over 27 samples of three histories.
    histories = [(10, 12, 12), (20, 5, 10), (50, 50, 25)]
    rows = [
        (who, f"2024-0{month}-01", f"2024-0{month + 1}-01", money)
        for who, history in enumerate(histories)
        for month, money in enumerate(history, 1)
    ]
    exact = []
    for sample in itertools.product(histories, repeat=3):
        first, second, third = (sum(one) for one in zip(*sample, strict=True))
        exact.append(second / first * (third / second))
    options: Row = {"interval": "bootstrap", "draws": 20_000, "seed": 3, "confidence_level": 0.6}
    table = kept(book(*rows), horizon=2, chained=True, as_of="2024-04-01", **options)
    low, high = np.quantile(exact, [0.2, 0.8], method="inverted_cdf")
    assert table[2]["nrr_lower"] == pytest.approx(low, rel=1e-9)
    assert table[2]["nrr_upper"] == pytest.approx(high, rel=1e-9)


def test_the_seed_makes_the_draws() -> None:
    options: Row = {"interval": "bootstrap", "draws": 50, "as_of": "2024-03-01"}
    one, same, other = (kept(two_months(PAIRS), **options, seed=seed)[1] for seed in (1, 1, 2))
    assert one == same != other
    assert one["nrr"] == other["nrr"]


def test_a_chain_has_wider_limits_than_its_last_step() -> None:
    # Logos lose a tenth three times: the delta method by hand, Greenwood's sum.
    rows = [
        (i, "2024-01-01", f"2024-0{2 + i // 100}-01" if i < 300 else None, 10) for i in range(1000)
    ]
    row = kept(book(*rows), horizon=3, chained=True, as_of="2024-05-01")[3]
    p = 0.9 * (800 / 900) * (700 / 800)
    assert row["logo_retention"] == pytest.approx(p, rel=1e-12)
    greenwood = sum((1 - k / n) / k for k, n in ((900, 1000), (800, 900), (700, 800)))
    m = (1 - p) / (p * greenwood)
    for side in ("lower", "upper"):
        limit = row[side]
        assert (limit - p) ** 2 == pytest.approx(
            NormalDist().inv_cdf(0.975) ** 2 * limit * (1 - limit) / m, rel=1e-9
        )
    # All of one cohort: Greenwood's is the binomial variance, so that m is 1,000.
    assert m == pytest.approx(1000)


def test_a_chain_without_a_loss_is_worth_its_weakest_step() -> None:
    rows = book(*((i, f"2024-0{1 + i // 4}-01", None, 10) for i in range(8)))
    table = kept(rows, horizon=2, chained=True, as_of="2024-04-01")
    four = kept(rows, as_of="2024-04-01")[1]
    assert (four["customers"], four["lower"]) == (4, four["grr_lower"])
    assert (table[2]["grr_lower"], table[2]["lower"]) == (four["grr_lower"], four["lower"])


def test_a_chain_that_begins_before_all_is_unknown() -> None:
    # Somebody is lost in the second month, but two months before nobody had paid.
    rows = book(("a", "2024-01-05", "2024-02-10", 10), ("b", "2024-01-05", None, 5))
    _, row, _ = kept(rows, horizon=2, chained=True, as_of="2024-04-01")
    assert all(row[name] is None for name in ("nrr", "quick_ratio", "net_churn", "gross_churn"))


@pytest.mark.simulation
@pytest.mark.parametrize("interval", ["delta", "bootstrap"])
def test_intervals_cover_what_they_promise(interval: str) -> None:
    # Amounts vary by a factor of ten and more; 12% leave, 18% pay half, 20% pay half as much again.
    rng = np.random.default_rng(20240101)
    n, runs = 300, 500
    truth = {"nrr": 0.5 + 0.18 * 0.5 + 0.2 * 1.5, "grr": 0.7 + 0.18 * 0.5}
    inside, values = dict.fromkeys(truth, 0), {name: [] for name in truth}  # type: ignore[var-annotated]
    for run in range(runs):
        then = np.round(np.exp(rng.normal(4, 0.6, n)), 2)
        now = np.round(then * rng.choice([0, 0.5, 1, 1.5], n, p=[0.12, 0.18, 0.5, 0.2]), 2)
        pairs = [*zip(then.tolist(), now.tolist(), strict=True)]
        options: Row = {"interval": interval, "draws": 1000, "seed": run, "as_of": "2024-03-01"}
        row = kept(two_months(pairs), **options)[1]
        for name, value in truth.items():
            inside[name] += row[f"{name}_lower"] <= value <= row[f"{name}_upper"]
            values[name].append(row[name])
    for name, value in truth.items():
        assert 0.93 <= inside[name] / runs <= 0.97, name
        error = np.std(values[name]) / math.sqrt(runs)
        assert abs(np.mean(values[name]) - value) < 3 * error, name


# --- arguments -------------------------------------------------------------------------------


@each_function
def test_arguments_are_checked(function: Any) -> None:
    rows = book(("a", "2024-01-05", None, 10, "x"), columns=PLANS)
    with pytest.raises(ArgumentError, match="`period`"):
        function(rows, period="fortnight")
    with pytest.raises(ArgumentError, match="`week_start`"):
        function(rows, week_start="funday")
    with pytest.raises(ArgumentTypeError, match="`include_partial`"):
        function(rows, include_partial=1)
    with pytest.raises(MissingColumnError, match="`amount`"):
        function(rows, amount="arr")
    first = "cohort" if function is revenue_cohorts else "period"
    with pytest.raises(ArgumentError, match=f"'{first}'"):
        function(rows.rename(columns={"plan": first}), by=first)


def test_own_arguments_are_checked() -> None:
    rows = book(("a", "2024-01-05", None, 10))
    with pytest.raises(ArgumentError, match="`level`"):
        mrr_movements(rows, level="both")  # type: ignore[arg-type]
    for name, wrong in (("horizon", 0), ("draws", 0), ("seed", -1), ("confidence_level", 1)):
        with pytest.raises(ArgumentError, match=f"`{name}`"):
            revenue_retention(rows, **{name: wrong})  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="`interval`"):
        revenue_retention(rows, interval="exact")  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match="`chained`"):
        revenue_retention(rows, chained="yes")  # type: ignore[arg-type]


def test_a_stray_date_is_no_way_to_fill_the_memory() -> None:
    rows = book(("a", "1700-01-05", None, 10), ("b", "2024-01-05", None, 10))
    with pytest.raises(ArgumentError, match="stray date"):
        revenue_cohorts(rows, period="day", as_of="2024-02-01")


def test_a_horizon_is_a_number_of_periods_or_a_length_of_time() -> None:
    want = kept(SAAS, horizon=12, as_of="2026-03-01")
    for horizon in ("12 months", "12M", "1 year", "4 quarters"):
        assert kept(SAAS, horizon=horizon, as_of="2026-03-01") == want
    assert kept(SAAS, horizon="1 year", period="quarter", as_of="2026-03-01") == kept(
        SAAS, horizon=4, period="quarter", as_of="2026-03-01"
    )
    with pytest.raises(ArgumentError, match="`horizon` is '52 weeks'; write a whole number"):
        kept(SAAS, horizon="52 weeks", as_of="2026-03-01")


def test_a_horizon_beyond_all_that_there_is() -> None:
    rows = book(("a", "2024-01-05", None, 10))
    for chained in (False, True):
        table = kept(rows, horizon=10**12, chained=chained, as_of="2024-04-01")
        assert [row["nrr"] for row in table] == [None] * 3
        assert [row["customers"] for row in table] == [0] * 3


# --- every kind of frame ---------------------------------------------------------------------

ROWS: list[Row] = [
    {
        "who": "ann",
        "since": date(2024, 1, 1),
        "until": date(2024, 2, 29),
        "money": 10.5,
        "plan": "x",
    },
    {"who": "ann", "since": date(2024, 2, 29), "until": None, "money": 30.1, "plan": "y"},
    {
        "who": "bob",
        "since": date(2024, 1, 15),
        "until": date(2024, 3, 31),
        "money": 7.7,
        "plan": "x",
    },
    {
        "who": "cyd",
        "since": date(2024, 2, 1),
        "until": date(2024, 3, 1),
        "money": 5.0,
        "plan": None,
    },
    {
        "who": "cyd",
        "since": date(2024, 4, 1),
        "until": date(2025, 1, 1),
        "money": 100 / 3,
        "plan": "y",
    },
]
NAMES = {"customer": "who", "start": "since", "end": "until", "amount": "money"}


@each_function
@pytest.mark.parametrize("kind", ["date", "naive", "aware"])
@pytest.mark.parametrize("by", [None, "plan"])
def test_every_kind_of_frame_gives_the_same(
    backend: Backend, function: Any, kind: str, by: str | None
) -> None:
    zone = ZoneInfo("Europe/Berlin")

    def moment(day: date | None) -> Any:
        if day is None or kind == "date":
            return day
        wall = datetime(day.year, day.month, day.day, 1, 30)  # noqa: DTZ001  naive on purpose
        return wall if kind == "naive" else wall.replace(tzinfo=zone)

    rows = [row | {name: moment(row[name]) for name in ("since", "until")} for row in ROWS]
    frame = backend.make(rows, session="Europe/Berlin")
    options: Row = {**NAMES, "by": by, "as_of": "2024-06-01"}
    result = function(frame, **options)
    expected = function(
        book(
            *(tuple(row.values()) for row in ROWS),
            columns="who start end money plan",
        ).rename(columns={"start": "since", "end": "until"}),
        **options,
    )
    assert type(result).__module__.split(".")[0] == backend.result.value
    have, want = rows_of(result), rows_of(expected)
    assert have == want
    assert [list(row) for row in have] == [list(row) for row in want]
