"""What a new customer is worth, against numbers of mpmath and sums written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from retainkit import (
    BDW,
    BGNBD,
    SBG,
    GammaGamma,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_pareto_nbd,
    fit_sbg,
    new_customer_value,
    rfm_summary,
)
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, ArgumentTypeError

MODEL = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)


def only(table: pd.DataFrame) -> Any:
    """Return the one row."""
    assert len(table) == 1
    return table.iloc[0]


# The project's list of reference numbers on new customers: the papers' rounded parameters, 10% a
# year, by mpmath.


@pytest.mark.parametrize(
    ("weeks", "bought", "discounted", "repeats", "value"),
    [
        (13, 0.5344395411, 0.5286789542, 18.61953, 53.83851),
        (52, 1.446050595, 1.390948146, 48.98777, 84.20675),
    ],
)
def test_the_value_of_a_new_customer(
    weeks: int, bought: float, discounted: float, repeats: float, value: float
) -> None:
    row = only(new_customer_value(MODEL, SPEND, horizon=weeks))
    assert row["expected_purchases"] == pytest.approx(bought, rel=1e-9)
    assert row["discounted_purchases"] == pytest.approx(discounted, rel=1e-9)
    assert row["expected_spend"] == pytest.approx(35.2189781, rel=1e-9)
    assert row["value"] == pytest.approx(value, abs=6e-6)
    alone = only(new_customer_value(MODEL, SPEND, horizon=f"{weeks} weeks", first=None))
    assert alone["value"] == pytest.approx(repeats, abs=6e-6)
    given = only(new_customer_value(MODEL, SPEND, horizon=weeks, first=20))
    assert given["value"] == pytest.approx(repeats + 20, abs=6e-6)


def test_what_a_customer_may_cost() -> None:
    table = new_customer_value(MODEL, SPEND, horizon=["13 weeks", "52 weeks"], cost=60)
    assert table["horizon"].tolist() == ["13 weeks", "52 weeks"]
    assert np.isnan(table["payback_days"][0])
    assert table["ltv_cac"][1] == pytest.approx(1.40345, abs=6e-6)
    days = table["payback_days"][1]
    then = only(new_customer_value(MODEL, SPEND, horizon=days / 7))
    assert then["value"] == pytest.approx(60, abs=1e-6)
    margin = only(new_customer_value(MODEL, SPEND, horizon="52 weeks", margin=0.3, cost=10))
    assert margin["value"] == pytest.approx(25.26203, abs=6e-6)
    assert margin["payback_days"] == 0  # the first order brings 10.57


def test_without_a_discount_the_value_is_purchases_times_spend() -> None:
    row = only(new_customer_value(MODEL, SPEND, horizon=52, discount_rate=0))
    assert row["discounted_purchases"] == row["expected_purchases"]
    assert row["value"] == pytest.approx((1 + row["expected_purchases"]) * row["expected_spend"])


# Profiles, and how sure


def cdnow() -> pd.DataFrame:
    orders = load_cdnow(sample=True)
    orders = orders[orders["time"] < "1997-10-01"]
    options: dict[str, Any] = {"unit": "week", "exact": True, "as_of": "1997-10-01"}
    table = rfm_summary(orders, amount="amount", keep_first="amount", **options)
    return table.assign(big=table["first_amount"] > 30)


@pytest.mark.parametrize("fit", [fit_bg_nbd, fit_pareto_nbd])
def test_profiles_have_rows_and_intervals(fit: Any) -> None:
    table = cdnow()
    model, spend = fit(table, purchase_covariates="big"), fit_gamma_gamma(table, covariates="big")
    profiles = pl.DataFrame({"big": [False, True]})
    found = new_customer_value(model, spend, profiles=profiles, horizon="52 weeks")
    assert isinstance(found, pl.DataFrame)
    assert found["big"].to_list() == [False, True]
    for big, row in zip((False, True), found.to_dicts(), strict=True):
        profile = {"big": big}
        bought = model.expected_purchases_new_customer("52 weeks", profile=profile)
        assert row["expected_purchases"] == pytest.approx(bought)
        mean = spend.p * spend.v / (spend.q - 1) * (spend.effects()["ratio"][0] if big else 1)
        assert row["expected_spend"] == pytest.approx(mean)
        # The interval, by parameters drawn from the covariances: written out for this row.
        rng = np.random.default_rng(3)
        values = []
        for _ in range(400):
            drawn = []
            for one in (model, spend):
                theta = np.array([*one.parameters.values(), *one.coefficients])
                scale = np.append([*one.parameters.values()], 1.0)
                relative = np.array(one.covariance) / np.outer(scale, scale)
                move = rng.multivariate_normal(np.zeros(len(theta)), relative)
                theta[:-1] *= np.exp(move[:-1])
                theta[-1] += move[-1]
                drawn.append(theta)
            names = type(model).NAMES
            plain = dict(zip(names, drawn[0], strict=False))
            plain["alpha"] *= np.exp(-drawn[0][-1] * big)
            own = type(model)(**plain, unit="week")
            money = GammaGamma(
                p=drawn[1][0], q=drawn[1][1], v=drawn[1][2] * np.exp(drawn[1][3] * big)
            )
            values.append(only(new_customer_value(own, money, horizon=52))["value"])
        width = np.log(row["upper"] / row["lower"]) / (2 * 1.959964)
        assert width == pytest.approx(np.std(np.log(values)), rel=0.15)


# Subscribers


@pytest.mark.parametrize("model", [SBG(alpha=1, beta=9), BDW(alpha=0.5, beta=2, c=1.2)])
def test_subscribers_pay_until_they_leave(model: Any) -> None:
    row = only(new_customer_value(model, 20, horizon="24 months", period="month", cost=100))
    stays = model.survival(np.arange(24))
    worth = 1.1 ** (-np.arange(24) / 12)
    assert row["expected_purchases"] == pytest.approx(stays.sum())
    assert row["discounted_purchases"] == pytest.approx((stays * worth).sum(), rel=1e-9)
    assert row["value"] == pytest.approx(20 * (stays * worth).sum(), rel=1e-9)
    paid = np.cumsum(20 * stays * worth)
    months = int(np.argmax(paid >= 100))
    assert row["payback_days"] == pytest.approx(months * 365.2425 / 12)


def test_a_fitted_model_of_subscribers_has_an_interval() -> None:
    table = pd.DataFrame({"age": range(8), "customers": 1000})
    table["retained"] = [1000, 631, 468, 382, 326, 289, 262, 241]
    row = only(new_customer_value(fit_sbg(table), 10.0, horizon=12, period="month"))
    assert row["lower"] < row["value"] < row["upper"]


# What is wrong


def test_what_is_wrong_is_said() -> None:
    table = cdnow()
    fitted = fit_bg_nbd(table, purchase_covariates="big")
    sbg = SBG(alpha=1, beta=9)
    calls: list[tuple[Any, Any, str]] = [
        (lambda: new_customer_value(MODEL, 20.0), ArgumentTypeError, "must be a GammaGamma"),
        (lambda: new_customer_value(MODEL, SPEND, period="week"), ArgumentError, "`period`"),
        (lambda: new_customer_value(MODEL, SPEND, horizon=[]), ArgumentError, "`horizon` is empty"),
        (lambda: new_customer_value(MODEL, SPEND, cost=0), ArgumentError, "`cost` is 0"),
        (
            lambda: new_customer_value(MODEL, SPEND, profiles=pd.DataFrame({"big": [True]})),
            ArgumentError,
            "'big', which is no covariate of the models; they know none",
        ),
        (
            lambda: new_customer_value(fitted, SPEND, profiles=pd.DataFrame({"small": [True]})),
            ArgumentError,
            "they know 'big'",
        ),
        (
            lambda: new_customer_value(MODEL, GammaGamma(p=2, q=0.9, v=5)),
            ArgumentError,
            "infinite",
        ),
        (lambda: new_customer_value(sbg, 20.0), ArgumentError, "say it, such as period='month'"),
        (lambda: new_customer_value(sbg, 20.0, period="month", first=5), ArgumentError, "`first`"),
        (lambda: new_customer_value(sbg, SPEND, period="month"), ArgumentTypeError, "`spend`"),
    ]
    for call, error, message in calls:
        with pytest.raises(error, match=message):
            call()
