"""The money of a holdout beside its purchases, and refunds that are none."""

import math
from datetime import date
from io import StringIO
from typing import Any

import pandas as pd
import pytest

import retainkit as rk
from backends import Backend
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import Row, rows_of

MODEL = rk.BGNBD(r=0.5, alpha=20, a=0.8, b=2.5, unit="day")
NOTE = rk.GammaGamma(p=6.25, q=3.74, v=15.44)


def order(customer: str, day: str, amount: float) -> Row:
    return {"customer_id": customer, "time": date.fromisoformat(day), "amount": amount}


# Ann pays 20 again in January and 40 in February, and sends something back later; Bob pays 8 again
# in January. Cyd first sends something back, and buys in February for the first time; Dan never.
ORDERS = [
    order("ann", "2024-01-01", 10),
    order("ann", "2024-01-11", 20),
    order("ann", "2024-02-05", 40),
    order("ann", "2024-02-20", -15),
    order("bob", "2024-01-05", 12),
    order("bob", "2024-01-25", 5),
    order("bob", "2024-01-25", 3),
    order("bob", "2024-02-02", -8),
    order("cyd", "2024-01-20", -5),
    order("cyd", "2024-02-07", 50),
    order("dan", "2024-01-03", -7),
]
PARTS: dict[str, Any] = {
    "calibration_end": "2024-02-01",
    "as_of": "2024-03-01",
    "amount": "amount",
    "amounts": "net",
}
excluded = pytest.mark.filterwarnings("ignore:1 customer with")


def report(orders: Any, **options: Any) -> rk.HoldoutReport[Any]:
    own = {"model": MODEL, "spend": NOTE, "unit": "day", "period": "month"}
    found: rk.HoldoutReport[Any] = rk.holdout_report(orders, **PARTS | own | options)
    return found


def naive_by_hand() -> list[float]:
    """29 days of February at one repeat purchase in 30 days, and in 26."""
    return [29 / 30, 29 / 26]


@excluded
def test_a_refund_is_no_purchase_and_money_stands_beside_the_purchases(backend: Backend) -> None:
    found = report(backend.make(ORDERS))
    model, naive = rows_of(found.total)
    assert (model["customers"], model["actual"], model["actual_spend"]) == (2, 1, 40)
    # Note 025, equation (5): p (v + x m) / (p x + q - 1).
    spend = [6.25 * (15.44 + m) / (6.25 + 3.74 - 1) for m in (20, 8)]
    histories = pd.DataFrame(
        [(1, 1, 10, 30), (2, 1, 20, 26)], columns=["customer_id", "frequency", "recency", "T"]
    )
    bought = MODEL.expected_purchases(histories, 29)["expected_purchases"]
    expected = [times * each for times, each in zip(bought, spend, strict=True)]
    assert model["expected_spend"] == pytest.approx(sum(expected))
    assert model["spend_mean_absolute_error"] == pytest.approx(
        (abs(40 - expected[0]) + expected[1]) / 2
    )
    by_hand = [times * m for times, m in zip(naive_by_hand(), (20, 8), strict=True)]
    assert naive["expected"] == pytest.approx(sum(naive_by_hand()))
    assert naive["expected_spend"] == pytest.approx(sum(by_hand))
    assert naive["spend_mean_absolute_error"] == pytest.approx((40 - by_hand[0] + by_hand[1]) / 2)
    none, once = rows_of(found.by_frequency)
    assert (none["customers"], none["actual_spend"]) == (0, None)
    assert (once["customers"], once["actual"], once["actual_spend"]) == (2, 0.5, 20)
    assert once["expected_spend"] == pytest.approx(sum(expected) / 2)
    assert once["naive_spend"] == pytest.approx(sum(by_hand) / 2)


@excluded
def test_periods_have_their_money(backend: Backend) -> None:
    months = rows_of(rk.tracking(MODEL, backend.make(ORDERS), period="month", spend=NOTE, **PARTS))
    assert [(row["customers"], row["actual"]) for row in months] == [(2, 2), (2, 1)]
    assert [row["actual_spend"] for row in months] == [28, 40]
    assert [row["actual_spend_cumulative"] for row in months] == [28, 68]
    mean = 6.25 * 15.44 / 2.74  # p v / (q - 1)
    for row in months:
        assert row["expected_spend"] == pytest.approx(row["expected"] * mean)
        assert row["expected_spend_cumulative"] == pytest.approx(row["expected_cumulative"] * mean)
    (february,) = rows_of(report(backend.make(ORDERS)).by_period)
    assert february == pytest.approx(months[1])


def test_who_is_left_out_is_counted(backend: Backend) -> None:
    orders = backend.make(ORDERS)
    for call in (lambda: report(orders), lambda: rk.tracking(MODEL, orders, spend=NOTE, **PARTS)):
        with pytest.warns(RetainkitWarning) as told:
            call()
        texts = " ".join(str(one.message) for one in told)
        assert "1 customer with a first purchase at or after `calibration_end`" in texts
        assert "1 customer without a purchase, whose money nets below zero" in texts


@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
def test_the_customers_and_the_purchases_are_those_of_the_summary(backend: Backend) -> None:
    # On the invoices of Online Retail from September on they were 3,360 and 5,482 where the summary
    # had 3,316 and 4,784: cancellations are rows of their own.
    log = pd.read_csv(_cdnow_with_refunds(), parse_dates=["time"])
    rows = log.assign(time=log["time"].dt.date).to_dict("records")
    ends: dict[str, Any] = {"calibration_end": "1997-10-01", "as_of": "1998-07-01"}
    parts = rk.calibration_holdout(log, amount="amount", amounts="net", **ends)
    counted = rk.calibration_holdout(log, **ends)
    assert counted["frequency_holdout"].sum() > parts["frequency_holdout"].sum()
    found = rk.holdout_report(
        backend.make(rows), model=_WEEKLY, spend=NOTE, amount="amount", amounts="net", **ends
    )
    model = rows_of(found.total)[0]
    held = parts["frequency_holdout"]
    money = (held * parts["monetary_value_holdout"].fillna(0)).sum()
    assert (model["customers"], model["actual"]) == (len(parts), held.sum())
    assert model["actual_spend"] == pytest.approx(money)
    weeks = rows_of(found.by_period)
    assert sum(row["actual"] for row in weeks) == held.sum()
    assert sum(row["actual_spend"] for row in weeks) == pytest.approx(money)
    groups = rows_of(found.by_frequency)
    assert sum(row["customers"] * row["actual_spend"] for row in groups) == pytest.approx(money)


_WEEKLY = rk.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")


def _cdnow_with_refunds() -> Any:
    """Return a tenth of CDNOW's customers as a file; every seventh order is sent back a week on."""
    log = load_cdnow(sample=True)
    log = log[log["customer_id"] % 10 == 0][["customer_id", "time", "amount"]]
    back = log.iloc[::7].assign(time=log["time"] + pd.Timedelta(days=7), amount=-log["amount"])
    return StringIO(pd.concat([log, back]).to_csv(index=False))


def test_both_models_are_fitted_where_none_is_given() -> None:
    orders = load_cdnow(sample=True)
    ends: dict[str, Any] = {"calibration_end": "1997-10-01", "as_of": "1998-07-01"}
    parts = rk.calibration_holdout(orders, amount="amount", unit="week", exact=True, **ends)
    purchases, spend = rk.fit_bg_nbd(parts), rk.fit_gamma_gamma(parts)
    found = rk.holdout_report(orders, amount="amount", **ends)
    given = rk.holdout_report(orders, model=purchases, spend=spend, amount="amount", **ends)
    pd.testing.assert_frame_equal(found.total, given.total)
    # What was a total of purchases stays one.
    plain = rk.holdout_report(orders, **ends)
    pd.testing.assert_frame_equal(found.total[list(plain.total)], plain.total)
    pd.testing.assert_frame_equal(found.by_period[list(plain.by_period)], plain.by_period)
    weeks = rk.tracking(purchases, orders, amount="amount", **ends)
    pd.testing.assert_frame_equal(weeks[weeks["holdout"]].reset_index(drop=True), found.by_period)
    assert rk.HoldoutReport.from_dict(found.to_dict()) == found


def test_without_a_calibration_all_orders_teach_what_is_spent() -> None:
    orders = load_cdnow(sample=True)
    weeks = rk.tracking(_WEEKLY, orders, amount="amount")
    spend = rk.fit_gamma_gamma(rk.rfm_summary(orders, amount="amount"))
    assert (weeks["expected_spend"] / weeks["expected"]).dropna().to_numpy() == pytest.approx(
        spend.p * spend.v / (spend.q - 1), rel=1e-6
    )


def test_spend_that_is_infinite_is_not_known() -> None:
    heavy = rk.GammaGamma(p=2, q=0.9, v=10)
    paid = [row for row in ORDERS if row["amount"] > 0 and row["customer_id"] != "cyd"]
    orders = pd.DataFrame([*paid, order("eve", "2024-01-09", 30)])
    orders["time"] = pd.to_datetime(orders["time"])
    with pytest.warns(RetainkitWarning, match=r"q of `spend` is 0.9, .*of 1 customer is infinite"):
        found = report(orders, spend=heavy)
    assert math.isnan(found.total["expected_spend"][0])
    assert math.isfinite(found.total["expected_spend"][1])
    with pytest.warns(RetainkitWarning, match=r"q of `spend` is 0.9, not above 1"):
        months = rk.tracking(MODEL, orders, spend=heavy, period="month", **PARTS)
    assert months["expected_spend"].isna().all()


def test_what_is_asked_in_vain() -> None:
    orders = pd.DataFrame(ORDERS).assign(time=lambda table: pd.to_datetime(table["time"]))
    plain = {"calibration_end": "2024-02-01", "as_of": "2024-03-01"}
    calls: list[Any] = [
        lambda **how: report(orders, **how),
        lambda **how: rk.tracking(MODEL, orders, **PARTS | {"spend": NOTE} | how),
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match=r"'amount' .*negative in 4 rows, of 11"):
            call(amounts="raise")
        with pytest.raises(ArgumentError, match="`amounts` is 'nett'"):
            call(amounts="nett")
        with pytest.raises(ArgumentTypeError, match="`spend` is a BGNBD"):
            call(spend=MODEL)
        with pytest.raises(ArgumentError, match="`spend` is a model of money"):
            call(amount=None)
    assert "actual_spend" not in rk.tracking(MODEL, orders, **plain)  # type: ignore[arg-type]
