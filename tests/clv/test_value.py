"""Customer lifetime value against arithmetic that one can follow."""

import math
import re
import warnings
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import Backend
from retainkit import (
    BGNBD,
    GammaGamma,
    cltv,
    cltv_from_models,
    fit_bg_nbd,
    fit_gamma_gamma,
    rfm_summary,
)
from retainkit.datasets import load_cdnow, make_subscriptions
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import rows_of

# Models that are made of their parameters alone.
pytestmark = pytest.mark.filterwarnings("ignore:There are no intervals:retainkit.RetainkitWarning")

ORDERS = load_cdnow(sample=True)
SUMMARY = rfm_summary(ORDERS, amount="amount", as_of="1998-07-01")
PURCHASES = BGNBD(r=0.2426, alpha=4.4136 * 7, a=0.7929, b=2.4259, unit="day")
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)
SOME = SUMMARY.head(40)


def value(**options: Any) -> pd.DataFrame:
    return cltv_from_models(SOME, PURCHASES, SPEND, **options)


def test_the_parts_are_those_of_the_models() -> None:
    table = value(horizon="90D", discount_rate=0)
    alive = PURCHASES.probability_alive(SOME)["probability_alive"]
    purchases = PURCHASES.expected_purchases(SOME, 90)["expected_purchases"]
    spend = SPEND.expected_spend(SOME)["expected_spend"]
    assert table["customer_id"].tolist() == SOME["customer_id"].tolist()
    assert table["probability_alive"].tolist() == pytest.approx(alive.tolist())
    assert table["expected_purchases"].tolist() == pytest.approx(purchases.tolist())
    assert table["expected_spend"].tolist() == pytest.approx(spend.tolist())
    assert table["cltv"].tolist() == pytest.approx((purchases * spend).tolist(), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compounding", "factor"),
    [
        ("annual", 1.2),
        pytest.param("monthly", (1 + 0.2 / 12) ** 12, marks=pytest.mark.ci),
        pytest.param("continuous", math.exp(0.2), marks=pytest.mark.ci),
    ],
)
def test_each_purchase_is_discounted_from_its_moment(compounding: Any, factor: float) -> None:
    # Day by day, in the middle of the day; a year from now is worth 1 / factor.
    table = value(horizon=730, discount_rate=0.2, compounding=compounding)
    curve = [
        PURCHASES.expected_purchases(SOME, day)["expected_purchases"].to_numpy()
        for day in range(731)
    ]
    weight = factor ** -((np.arange(730) + 0.5) / 365.2425)
    discounted = (np.diff(curve, axis=0) * weight[:, None]).sum(axis=0)
    expected = discounted * table["expected_spend"]
    assert table["cltv"].tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_the_margin_scales() -> None:
    whole, part = value(), value(margin=0.25)
    assert part["cltv"].tolist() == pytest.approx((whole["cltv"] / 4).tolist())


@pytest.mark.slow
def test_the_value_does_not_depend_on_the_unit_of_the_summary() -> None:
    # lifetimes: 70,726.7 by the day and 71,508.0 by the same days as weeks.
    weeks = SOME.assign(recency=SOME["recency"] / 7, T=SOME["T"] / 7, time_unit="week")
    model = BGNBD(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259, unit="week")
    for horizon in ("12 months", "1.5 months", "90D"):
        by_week = cltv_from_models(weeks, model, SPEND, horizon=horizon)
        by_day = value(horizon=horizon)
        assert by_week["cltv"].tolist() == pytest.approx(by_day["cltv"].tolist(), rel=1e-9)


@pytest.mark.slow
def test_a_month_and_a_half_is_a_month_and_a_half() -> None:
    # lifetimes counts whole months: the value of 1.5 is that of 2.
    one, more, two = (value(horizon=f"{n} months")["cltv"].sum() for n in ("1", "1.5", "2"))
    assert one < more < two
    days = value(horizon=1.5 * 365.2425 / 12)["cltv"].sum()
    assert more == pytest.approx(days, rel=1e-12)
    assert value(horizon=0)["cltv"].tolist() == [0.0] * len(SOME)


@pytest.mark.simulation
def test_the_interval_is_that_of_the_parameters() -> None:
    # Parameters drawn from their joint normal distribution (of the logarithms), valued one by one.
    purchases, spend = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    table = cltv_from_models(SOME, purchases, spend)
    rng = np.random.default_rng(11)
    values = []
    draws = [draw(model, rng, 300) for model in (purchases, spend)]
    for counting, spending in zip(*draws, strict=True):
        drawn = cltv_from_models(
            SOME,
            BGNBD(**dict(zip(["r", "alpha", "a", "b"], counting, strict=True))),
            GammaGamma(**dict(zip("pqv", spending, strict=True))),
        )
        values.append(np.log(drawn["cltv"]))
    found = np.log(table["upper"] / table["lower"]) / (2 * 1.959964)
    assert (found / np.std(values, axis=0)).between(0.85, 1.15).all()
    assert (table["lower"] < table["cltv"]).all()


def draw(model: Any, rng: np.random.Generator, n: int) -> Any:
    theta = np.array([*model.parameters.values()])
    relative = np.array(model.covariance) / np.outer(theta, theta)
    return np.exp(rng.multivariate_normal(np.log(theta), relative, n)).tolist()


def test_without_a_covariance_there_is_no_interval(backend: Backend) -> None:
    some = backend.make(rows_of(SOME))
    fitted = fit_bg_nbd(SUMMARY)
    for models, alone in (
        ((PURCHASES, SPEND), "`purchases` and `spend` have"),
        ((PURCHASES, fit_gamma_gamma(SUMMARY)), "`purchases` has"),
        ((fitted, SPEND), "`spend` has"),
    ):
        with pytest.warns(RetainkitWarning, match=f"no intervals .*{alone} no covariance") as told:
            found = rows_of(cltv_from_models(some, *models))
        assert {code_of(one) for one in told} == {"no_intervals"}
        assert all(row["lower"] is None and row["upper"] is None for row in found)
        assert all(row["cltv"] > 0 for row in found)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cltv_from_models(some, PURCHASES, SPEND, predictive=True, draws=2, seed=1)
        cltv_from_models(some, fitted, fit_gamma_gamma(SUMMARY))


def code_of(warning: Any) -> str:
    return str(warning.message.code)


def test_intervals_that_are_lost_are_said_by_both_functions_alike(backend: Backend) -> None:
    # Ten customers who bought once again: the fit is on the boundary, and all limits are NaN.
    few = ORDERS[ORDERS["customer_id"].isin(SUMMARY.query("frequency == 1")["customer_id"][:10])]
    rows = rows_of(few.assign(time=few["time"].dt.date))
    with pytest.warns(RetainkitWarning) as told:
        found = rows_of(cltv(backend.make(rows), as_of="1998-07-01"))
    said = [str(one.message) for one in told if code_of(one) == "no_intervals"]
    table = rfm_summary(backend.make(rows), amount="amount", as_of="1998-07-01")
    with pytest.warns(RetainkitWarning, match="identified"):
        models = fit_bg_nbd(table), fit_gamma_gamma(table)
    with pytest.warns(RetainkitWarning) as told:
        same = rows_of(cltv_from_models(table, *models))
    assert [str(one.message) for one in told if code_of(one) == "no_intervals"] == said
    assert len(said) == 1
    assert all(row["lower"] is None for row in [*found, *same])
    # Both ways out that the warning names.
    assert "penalty=0.01" in said[0]
    assert "interval='bootstrap'" in said[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = rows_of(cltv_from_models(table, *models, interval="bootstrap", draws=20, seed=1))
        drawn_back = rows_of(cltv(backend.make(rows), as_of="1998-07-01", penalty=0.01))
    assert all(row["lower"] < row["cltv"] for row in drawn_back)
    assert all(row["lower"] is not None for row in drawn)


@pytest.mark.slow
def test_a_higher_level_is_a_wider_interval() -> None:
    models = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    narrow, wide = (
        cltv_from_models(SOME, *models, confidence_level=level) for level in (0.8, 0.95)
    )
    assert (wide["lower"] < narrow["lower"]).all()
    assert (narrow["upper"] < wide["upper"]).all()


# CDNOW has a customer whose only repeat orders cost nothing.
FREE = pytest.mark.filterwarnings("ignore:.*with a mean spend of 0:retainkit.RetainkitWarning")
MAKERS: dict[str, Any] = {
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame)),
}


@FREE
@pytest.mark.parametrize("kind", MAKERS)
def test_one_call_on_every_kind_of_frame(kind: str) -> None:
    orders = MAKERS[kind](ORDERS)
    table = cltv(orders)
    assert type(table) is type(orders)
    rows = sorted(rows_of(table), key=lambda row: row["customer_id"])
    expected = rows_of(cltv(ORDERS))
    assert len(rows) == 2357
    for have, want in zip(rows, expected, strict=True):
        assert have == pytest.approx(want, rel=1e-5)


@pytest.mark.slow
@FREE
def test_one_call_is_the_three_steps() -> None:
    steps = cltv_from_models(SUMMARY, fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY))
    pd.testing.assert_frame_equal(cltv(ORDERS, as_of="1998-07-01"), steps)


# lifetimes' own, on its own fits, without the week that its "W" adds at the end.
THEIRS = {("day", False): 70726.7, ("week", True): 71508.0, ("week", False): 74590.3}


@pytest.mark.slow
@FREE
@pytest.mark.parametrize(("unit", "exact"), THEIRS)
def test_the_value_of_lifetimes(unit: Any, exact: Any) -> None:
    # CDNOW, weeks 1 to 39, at 1 % a month: totals of lifetimes 0.11.3, which takes a year for 360
    # days or 52.14 weeks.
    orders = ORDERS[ORDERS["time"] < "1997-10-01"]
    summary = rfm_summary(orders, amount="amount", as_of="1997-10-01", unit=unit, exact=exact)
    models = fit_bg_nbd(summary, unit=unit), fit_gamma_gamma(summary)
    terms: dict[str, Any] = {"discount_rate": 0.12, "compounding": "monthly"}
    table = cltv_from_models(summary, *models, method="lifetimes", **terms)
    assert table["cltv"].sum() == pytest.approx(THEIRS[unit, exact], abs=0.06)
    assert (table["lower"] < table["cltv"]).all()
    assert (table["cltv"] < table["upper"]).all()


@pytest.mark.slow
@FREE
@pytest.mark.parametrize("horizon", ["12 months", "2 months", 60, 45])
def test_the_value_of_lifetimes_customer_by_customer(horizon: Any) -> None:
    purchases, spend = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    theirs = spend.to_lifetimes().customer_lifetime_value(
        purchases.to_lifetimes(),
        SUMMARY["frequency"],
        SUMMARY["recency"],
        SUMMARY["T"],
        SUMMARY["monetary_value"].fillna(0),
        time={"12 months": 12}.get(horizon, 2),  # 45 days are its two months
        discount_rate=0.01,
        freq="D",
    )
    terms: dict[str, Any] = {"discount_rate": 0.12, "compounding": "monthly"}
    ours = cltv_from_models(SUMMARY, purchases, spend, method="lifetimes", horizon=horizon, **terms)
    assert ours["cltv"].to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-6)


def test_lifetimes_has_no_years() -> None:
    model = BGNBD(r=0.2426, alpha=0.08, a=0.7929, b=2.4259, unit="year")
    with pytest.raises(ArgumentError, match="knows day, week, month, and the model's unit is year"):
        cltv_from_models(SOME.head(1).assign(T=1, recency=0), model, SPEND, method="lifetimes")


@pytest.mark.slow
@FREE
@pytest.mark.parametrize("kind", ["pandas", *MAKERS])
def test_segments_have_models_of_their_own(kind: str) -> None:
    orders = ORDERS.assign(half=np.where(ORDERS["customer_id"] % 2, "odd", "even"))
    table = cltv(MAKERS.get(kind, lambda frame: frame)(orders), by="half")
    rows = rows_of(table)
    assert list(rows[0])[:3] == ["half", "customer_id", "probability_alive"]
    assert len(rows) == 2357
    rows.sort(key=lambda row: row["customer_id"])
    for half in ("even", "odd"):
        alone = cltv(orders[orders["half"] == half], as_of="1998-07-01")
        found = [row for row in rows if row.get("half") == half]
        for have, want in zip(found, rows_of(alone), strict=True):
            del have["half"]
            assert have == pytest.approx(want, rel=1e-5)


@pytest.mark.slow
@FREE
@pytest.mark.parametrize("kind", ["pandas", *MAKERS])
def test_customers_without_a_segment_are_a_segment(kind: str) -> None:
    orders = ORDERS.assign(shop=np.where(ORDERS["customer_id"] % 2, "north", None))  # type: ignore[call-overload]
    table = cltv(MAKERS.get(kind, lambda frame: frame)(orders), by="shop")
    assert len(rows_of(table)) == 2357


@FREE
def test_what_is_said_of_a_segment_names_it() -> None:
    once = ORDERS["customer_id"].duplicated()
    orders = ORDERS.assign(shop=np.where(ORDERS["customer_id"] < 12_000, "north", "south"))
    orders = orders[~(once & (orders["shop"] == "south"))]
    with pytest.raises(ArgumentError, match="shop south: `summary` has no customers with a repeat"):
        cltv(orders, by="shop", as_of="1998-07-01")
    north = ORDERS.assign(shop="north")
    with pytest.warns(RetainkitWarning, match="shop north: The horizon is"):
        cltv(north, by="shop", horizon="4 years")


@FREE
def test_a_horizon_beyond_what_was_observed_is_said() -> None:
    with pytest.warns(RetainkitWarning, match=r"The horizon is 1,461 days, .* longer than 545"):
        cltv(ORDERS, horizon="4 years")


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
def test_spend_that_goes_with_frequency_is_said(sign: int) -> None:
    x = ORDERS.groupby("customer_id")["time"].transform("nunique")
    orders = ORDERS.assign(amount=ORDERS["amount"] * x.astype(float) ** sign)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cltv(orders)
    words = f"Spend goes with frequency (correlation {'-' * (sign < 0)}0."
    assert sum(words in str(one.message) for one in told) == 1  # once, from both fits together
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cltv(ORDERS)  # 0.07: Pearson's of the 1,139 customers who bought again


@FREE
@pytest.mark.filterwarnings("ignore:p is at infinity:retainkit.RetainkitWarning")
@pytest.mark.parametrize("sign", [1, -1])
def test_dependent_spend_is_said_by_all_that_suppose_it_is_not(sign: int, backend: Backend) -> None:
    # The same words as `cltv` has; `fit_gamma_gamma` and `cltv_from_models` had none.
    paid = SUMMARY["monetary_value"] * SUMMARY["frequency"].astype(float) ** sign
    table = backend.make(rows_of(SUMMARY.assign(monetary_value=paid)))
    words = rf"Spend goes with frequency \(correlation {'-' * (sign < 0)}0\."
    x, m = (SUMMARY.loc[paid > 0, "frequency"], paid[paid > 0])
    assert np.sign(np.corrcoef(x, m)[0, 1]) == sign
    with pytest.warns(RetainkitWarning, match=words) as told:
        spend = fit_gamma_gamma(table)
    assert [code_of(one) for one in told].count("dependent_spend") == 1
    with pytest.warns(RetainkitWarning, match=words) as told:
        cltv_from_models(table, fit_bg_nbd(table), spend)
    assert [code_of(one) for one in told].count("dependent_spend") == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cltv_from_models(SUMMARY, fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY))


@pytest.mark.parametrize("by", [None, "shop"])
def test_no_orders_have_no_value(by: Any) -> None:
    none = ORDERS.assign(shop="north").head(0)
    table = cltv(none, by=by)
    assert len(table) == 0
    assert list(table) == [
        *([by] if by else []),
        "customer_id",
        "probability_alive",
        "expected_purchases",
        "expected_spend",
        "cltv",
        "lower",
        "upper",
    ]
    assert set(table.dtypes.iloc[-6:].astype(str)) == {"float64"}


def test_segments_are_not_called_like_results() -> None:
    with pytest.raises(ArgumentError, match="names the column 'cltv'"):
        cltv(ORDERS.assign(cltv=1), by="cltv")


def test_what_is_refused() -> None:
    with pytest.raises(ArgumentError, match="`compounding`"):
        value(compounding="daily")
    with pytest.raises(ArgumentError, match=r"`discount_rate` is -0\.1"):
        value(discount_rate=-0.1)
    with pytest.raises(ArgumentError, match="`margin`"):
        value(margin=-1)
    heavy = GammaGamma(p=2.0, q=0.7, v=10.0)
    with pytest.raises(ArgumentError, match=r"q is 0.7.*infinite"):
        cltv_from_models(SOME, PURCHASES, heavy)


@pytest.mark.parametrize("horizon", [12, 12.0, np.int64(12), "12"])
def test_a_horizon_without_a_unit_is_refused(horizon: Any) -> None:
    # It meant 12 days, and was 2,684 where 12 months are 69,087 (lifetimes: 70,726 in months of
    # 30 days, with a discount from the end of each).
    advice = f": {horizon} what? Write '{horizon} months'."
    with pytest.raises((ArgumentError, ArgumentTypeError), match=re.escape(advice)) as caught:
        cltv(ORDERS, horizon=horizon)
    assert (caught.value.code, caught.value.argument) == ("length_without_unit", "horizon")


@pytest.mark.slow
def test_one_year_is_written_in_many_ways() -> None:
    year = timedelta(days=365.2425)
    options: dict[str, Any] = {"discount_rate": 0.1}
    want = cltv(ORDERS, horizon="12 months", **options)["cltv"].sum()
    assert round(want) == 69_087
    for horizon in ("12M", "1 year", "4 quarters", year, pd.Timedelta(year)):
        found = cltv(ORDERS, horizon=horizon, **options)["cltv"].sum()
        assert found == pytest.approx(want, rel=1e-12)
    method: dict[str, Any] = {"method": "lifetimes", "discount_rate": 0.12}
    same = [value(horizon=one, **method)["cltv"].sum() for one in ("1 year", year)]
    assert same[0] == pytest.approx(same[1], rel=1e-12)


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [("discount_rate", 10, "0.1 for 10 %"), ("margin", 40, "0.4 for 40 %")],
)
def test_a_percentage_is_no_fraction(option: str, wrong: float, right: str) -> None:
    # 28,659 and 2.76 million.
    for given in (wrong, float(wrong), np.float32(wrong)):
        for function in (value, lambda **options: cltv(ORDERS, **options)):
            with pytest.raises(ArgumentError, match=f"`{option}` is .*{right}") as caught:
                function(**{option: given})
            assert caught.value.code == "percent_not_fraction"
    assert value(**{option: 1})["cltv"].gt(0).all()
    with pytest.raises(ArgumentError, match=r"`rate` is 10; .*0\.1 for 10 %"):
        PURCHASES.discounted_expected_purchases(SOME, 10)


@pytest.mark.parametrize("rows", ["subscription", "renewal"])
def test_contracts_are_told_from_purchases(backend: Backend, rows: Any) -> None:
    # A row a subscription: all intervals were NaN, with no word why. A row a renewal: intervals of
    # a few percent around values that take the next renewal for a matter of chance.
    table = make_subscriptions(800, seed=1, rows=rows)[["customer_id", "start", "mrr"]]
    given = backend.make(rows_of(table))
    with pytest.warns(RetainkitWarning) as caught:
        found = rows_of(cltv(given, time="start", amount="mrr"))
    said = [one.message for one in caught if getattr(one.message, "code", "") == "contracts"]
    assert len(said) == 1
    assert "These look like contracts" in str(said[0])
    assert "`fit_sbg`" in str(said[0])
    assert all(row["lower"] is None for row in found) == (rows == "subscription")
    # The price list of the data has 19, 49 and 99; customers who change plans pay means of two.
    signs = {
        "renewal": "customers who bought three times or more did so every 30.5 days",
        "subscription": "There are no intervals (lower and upper are NaN). ",
    }
    assert signs[rows] in str(said[0])


def test_without_intervals_contracts_are_asked_for() -> None:
    # Ten customers who bought once again: nothing is known of drop-out, nor of contracts.
    few = ORDERS[ORDERS["customer_id"].isin(SUMMARY.query("frequency == 1")["customer_id"][:10])]
    with pytest.warns(RetainkitWarning) as caught:
        found = cltv(few, as_of="1998-07-01")
    assert found["lower"].isna().all()
    (said,) = (one.message for one in caught if getattr(one.message, "code", "") == "no_intervals")
    assert "If the rows are contracts" in str(said)


def test_nobody_bought_again() -> None:
    once = ORDERS.drop_duplicates("customer_id")
    with pytest.raises(ArgumentError, match="no customers with a repeat purchase"):
        cltv(once)
