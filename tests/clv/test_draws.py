"""Values by draws: the bootstrap of customers, and futures simulated, against slow loops."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    cltv,
    cltv_from_models,
    fit_bg_nbd,
    fit_gamma_gamma,
    rfm_summary,
)
from retainkit._models.bg_nbd import BG_NBD
from retainkit._models.gamma_gamma_fit import fit_spend
from retainkit._models.purchase_fits import fit_purchases
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError
from tables import rows_of

# Models that are made of their parameters alone.
pytestmark = pytest.mark.filterwarnings("ignore:There are no intervals:retainkit.RetainkitWarning")

SUMMARY = rfm_summary(load_cdnow(sample=True), amount="amount", as_of="1998-07-01")
PURCHASES = BGNBD(r=0.2426, alpha=4.4136 * 7, a=0.7929, b=2.4259)
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)
BOUNDS = ["lower", "upper"]

# CDNOW has a customer whose only repeat orders cost nothing.
FREE = pytest.mark.filterwarnings("ignore:.*with a mean spend of 0:retainkit.RetainkitWarning")


def value(summary: Any, *models: Any, **options: Any) -> Any:
    return cltv_from_models(summary, *(models or (PURCHASES, SPEND)), **options)


@FREE
@pytest.mark.simulation
@pytest.mark.filterwarnings("ignore:a and b are at infinity:retainkit.RetainkitWarning")
def test_the_bootstrap_is_that_of_customers_drawn_with_replacement() -> None:
    # By the public functions, one refit at a time. The width of an interval of 90 % is known to 7 %
    # from 150 draws, and to 4 % from 500.
    some = SUMMARY.sample(800, random_state=2)
    models = fit_bg_nbd(some), fit_gamma_gamma(some)
    options: dict[str, Any] = {"interval": "bootstrap", "confidence_level": 0.9}
    found = value(some, *models, **options, draws=500, seed=5)
    rng = np.random.default_rng(6)
    logs = []
    for _ in range(150):
        again = some.iloc[rng.integers(0, len(some), len(some))]
        drawn = fit_bg_nbd(again), fit_gamma_gamma(again)
        logs.append(np.log(value(some, *drawn)["cltv"].to_numpy()))
    low, high = np.quantile(np.exp(logs), [0.05, 0.95], axis=0)
    width = np.log(found["upper"] / found["lower"]) / np.log(high / low)
    assert width.median() == pytest.approx(1, abs=0.25)
    apart = np.log(found["upper"] / high) / np.std(logs, axis=0)
    assert apart.abs().median() < 0.5


@pytest.mark.slow
def test_a_fit_from_near_reaches_the_maximum() -> None:
    # That of a fit from afar, which models/test_maximum.py holds to several optimisers.
    x, tx, T, m = (  # noqa: N806
        SUMMARY[name].to_numpy(float) for name in ("frequency", "recency", "T", "monetary_value")
    )
    rng = np.random.default_rng(4)
    spent = (x > 0) & (m > 0)
    counting = fit_purchases(BG_NBD, (x, tx, T), np.ones(len(x))).parameters
    spending = fit_spend(x[spent], m[spent], np.ones(spent.sum())).parameters
    for size in (60, 400, 2357):
        weights = rng.multinomial(size, np.full(len(x), 1 / len(x))).astype(float)
        for fits in (
            [fit_purchases(BG_NBD, (x, tx, T), weights, start=s) for s in (None, counting)],
            [fit_spend(x[spent], m[spent], weights[spent], start=s) for s in (None, spending)],
        ):
            far, near = (fit.log_likelihood for fit in fits)
            assert near == pytest.approx(far, abs=1e-3)


@pytest.mark.simulation
@FREE
def test_bootstrap_and_delta_agree_where_there_are_many_customers() -> None:
    models = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    delta = value(SUMMARY, *models)
    drawn = value(SUMMARY, *models, interval="bootstrap", draws=300, seed=1)
    pd.testing.assert_frame_equal(delta.drop(columns=BOUNDS), drawn.drop(columns=BOUNDS))
    ratio = np.log(drawn["upper"] / drawn["lower"]) / np.log(delta["upper"] / delta["lower"])
    # CDNOW does not follow the model to the letter, and the bootstrap knows.
    assert ratio.median() == pytest.approx(1.1, abs=0.15)


# --- customers who got all for free ----------------------------------------------------------


FEW = pytest.mark.filterwarnings("ignore:.* (infinity|identified|maximum)")


def mostly_free(paying: int) -> pd.DataFrame:
    """Return 60 customers, of whom 20 came back, and so many of those paid."""
    again = np.r_[np.zeros(40), np.tile([1, 2, 3, 5], 5)].astype(int)
    return pd.DataFrame(
        {
            "customer_id": range(60),
            "frequency": again,
            "recency": np.where(again > 0, 20 * again, 0),
            "T": 120,
            "monetary_value": np.r_[np.zeros(60 - paying), np.linspace(10, 50, paying)],
            "time_unit": "day",
        }
    )


@FREE
@FEW
def test_the_bootstrap_where_most_of_those_who_came_back_paid_nothing() -> None:
    # Of 60 customers drawn one in 60 is left out 36 times in 100: of 30 draws some have nobody who
    # paid, and are drawn again.
    some = mostly_free(1)
    models = fit_bg_nbd(some), fit_gamma_gamma(some)
    found = value(some, *models, interval="bootstrap", draws=30, seed=1)
    # One customer's mean of 10 is all that is known of spend: each refit says 10 of the new.
    new = some["frequency"] == 0
    assert found["expected_spend"][new].to_numpy() == pytest.approx(10, rel=1e-3)
    assert np.isfinite(found[BOUNDS].to_numpy()).all()
    assert (found["lower"][new] > 0).all()
    many = mostly_free(12)
    models = fit_bg_nbd(many), fit_gamma_gamma(many)
    drawn = value(many, *models, interval="bootstrap", draws=30, seed=2)
    # Whoever paid nothing is not learnt from; 12 customers paid 10 to 50 in the mean.
    assert drawn["expected_spend"][new].between(10, 50).all()
    assert (drawn["lower"][new] > 0).all()
    assert (drawn["lower"][new] < drawn["cltv"][new]).all()
    assert (drawn["cltv"][new] < drawn["upper"][new]).all()


@FEW
def test_the_bootstrap_has_nothing_to_draw_where_all_paid_nothing() -> None:
    # It drew for ever.
    some = mostly_free(0)
    with pytest.raises(ArgumentError, match="no customers with a repeat purchase and a mean spend"):
        value(some, fit_bg_nbd(some), SPEND, interval="bootstrap", draws=2, seed=1)


@FREE
@pytest.mark.filterwarnings("ignore:plan [ab]")
def test_a_segment_in_which_all_paid_nothing_is_named() -> None:
    orders = load_cdnow(sample=True).assign(plan="a")
    gifts = orders.assign(customer_id=orders["customer_id"] + 10**6, plan="b", amount=0.0)
    drawn: dict[str, Any] = {"interval": "bootstrap", "draws": 2, "seed": 1}
    for options in ({}, drawn):
        with pytest.raises(ArgumentError, match="plan b: `summary` has no customers with a repeat"):
            cltv(pd.concat([orders, gifts]), by="plan", **options)


# --- futures ------------------------------------------------------------------------------------


def test_futures_are_discounted_as_lifetimes_does_it_where_that_is_the_method() -> None:
    # At 100 % a year a purchase that is discounted from the end of its month is worth between
    # 2 ** (-1 / 12) and 1 times what it is worth at its own moment, and about 2 ** (-1 / 24) times
    # on average. Futures are the same: a month is the unit, and twelve are the horizon of both.
    model = BGNBD(r=2.0, alpha=1.0, a=0.3, b=5.0, unit="month")
    some = pd.DataFrame(
        [(one, 1 + one % 9, 10.0, 12.0, 5.0 + one) for one in range(40)],
        columns=["customer_id", "frequency", "recency", "T", "monetary_value"],
    )
    how: dict[str, Any] = {"discount_rate": 1.0, "predictive": True, "draws": 200, "seed": 4}
    exact = value(some, model, SPEND, **how)
    theirs = value(some, model, SPEND, **how, method="lifetimes")
    ratios = (theirs[BOUNDS] / exact[BOUNDS]).to_numpy().ravel()
    ratios = ratios[np.isfinite(ratios)]
    assert ((ratios >= 2 ** (-1 / 12) - 1e-12) & (ratios < 1)).all()
    assert ratios.mean() == pytest.approx(2 ** (-1 / 24), abs=0.004)
    # So does its value; and without a discount there is nothing between them.
    assert (theirs["cltv"] / exact["cltv"]).mean() == pytest.approx(2 ** (-1 / 24), abs=0.004)
    free = how | {"discount_rate": 0.0}
    pd.testing.assert_frame_equal(
        value(some, model, SPEND, **free), value(some, model, SPEND, **free, method="lifetimes")
    )
    # Twelve months are 360 days there.
    days = BGNBD(r=2.0, alpha=30.0, a=0.3, b=5.0)
    pd.testing.assert_frame_equal(
        value(some, days, SPEND, **free, horizon=360),
        value(some, days, SPEND, **free, horizon="12 months", method="lifetimes"),
    )


@pytest.mark.simulation
@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
def test_a_future_simulated_is_that_of_the_story(kind: Any) -> None:
    # Purchase by purchase: alive or not, a rate, a drop-out after each purchase, amounts of a
    # customer's own mean, each discounted.
    model = kind(r=0.9, alpha=8.0, a=0.8, b=2.5, unit="week")
    customer = pd.DataFrame({"customer_id": [1], "frequency": [4], "recency": [25.0], "T": [30.0]})
    customer["monetary_value"] = 20.0
    options: dict[str, Any] = {"horizon": 20, "discount_rate": 0.5, "margin": 0.5}
    alive = model.probability_alive(customer)["probability_alive"][0]
    chances = 4 + (kind is MBGNBD)
    rng = np.random.default_rng(3)
    worth = []
    for _ in range(20_000):
        total, now = 0.0, 0.0
        rate = rng.gamma(0.9 + 4) / (8.0 + 30.0)
        dropout = rng.beta(0.8, 2.5 + chances)
        nu = rng.gamma(6.25 * 4 + 3.74) / (15.44 + 4 * 20.0)
        living = rng.random() < alive
        while living:
            now += rng.exponential() / rate
            if now > 20:
                break
            total += 0.5 * rng.gamma(6.25) / nu * 1.5 ** -(now * 7 / 365.2425)
            living = rng.random() >= dropout
        worth.append(total)
    for level in (0.5, 0.8, 0.95):
        table = value(
            customer,
            model,
            SPEND,
            predictive=True,
            draws=20_000,
            seed=4,
            confidence_level=level,
            **options,
        )
        for column, share in (("lower", (1 - level) / 2), ("upper", (1 + level) / 2)):
            # Of 20,000 a share is known to 0.0035, and the quantile likewise.
            below, upto = np.mean(worth < table[column][0]), np.mean(worth <= table[column][0])
            assert below - 0.012 <= share <= upto + 0.012
    assert np.mean(worth) == pytest.approx(table["cltv"][0], rel=0.04)


@FREE
def test_prediction_is_wider_than_estimation() -> None:
    models = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    some = SUMMARY.head(100)
    estimated, predicted = value(some, *models), value(some, *models, predictive=True, seed=1)
    assert (predicted["upper"] > estimated["upper"]).all()
    assert (predicted["lower"] < estimated["lower"]).all()
    pd.testing.assert_frame_equal(estimated.drop(columns=BOUNDS), predicted.drop(columns=BOUNDS))


@pytest.mark.slow
def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    options: dict[str, Any] = {"predictive": True, "draws": 50}
    one = value(SUMMARY, **options, seed=1)
    pd.testing.assert_frame_equal(one, value(SUMMARY, **options, seed=1))
    assert not one[BOUNDS].equals(value(SUMMARY, **options, seed=2)[BOUNDS])
    shuffled = value(SUMMARY.sample(frac=1, random_state=1), **options, seed=1)
    ordered = shuffled.sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(one, ordered)


def test_the_state_of_numpy_is_not_touched() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    value(SUMMARY.head(5), predictive=True, draws=5, seed=1)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002


def test_draws_on_every_kind_of_frame(backend: Backend) -> None:
    some = SUMMARY.head(12)
    expected = rows_of(value(some, predictive=True, draws=40, seed=3))
    frame = backend.make(rows_of(some))
    found = value(frame, predictive=True, draws=40, seed=3)
    assert type(found) is type(frame)
    rows = sorted(rows_of(found), key=lambda row: row["customer_id"])
    for have, want in zip(rows, expected, strict=True):
        assert have == pytest.approx(want, rel=1e-9)


def test_infinite_values_have_infinite_bounds() -> None:
    # Draws of q on both sides of 1: in some of them a customer without repeat purchases is
    # expected to spend without bound.
    spend = GammaGamma(
        p=2.0, q=1.2, v=10.0, covariance=((0.04, 0.0, 0.0), (0.0, 0.09, 0.0), (0.0, 0.0, 1.0))
    )
    purchases = BGNBD(r=0.5, alpha=8.0, a=0.8, b=2.5, covariance=((0.0,) * 4,) * 4)
    some = SUMMARY.head(3).assign(frequency=0, recency=0, monetary_value=np.nan)
    table = value(some, purchases, spend, predictive=True, seed=1)
    assert np.isfinite(table["upper"]).all()  # what is simulated is finite
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heavy = GammaGamma(p=2.0, q=0.9, v=10.0, covariance=spend.covariance)
        median = value(some, purchases, heavy, infinite="median")
    assert np.isfinite(median["cltv"]).all()


@FREE
def test_what_is_refused() -> None:
    with pytest.raises(ArgumentError, match="predictive=True draws at random: give a `seed`"):
        value(SUMMARY, predictive=True)
    with pytest.raises(ArgumentError, match="interval='bootstrap' draws at random"):
        value(SUMMARY, interval="bootstrap")
    with pytest.raises(ArgumentError, match=r"fitted to all of it: it has 2,357.*fitted to 0"):
        value(SUMMARY, interval="bootstrap", seed=1)
    models = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
    with pytest.raises(ArgumentError, match="it has 10 customers, and `purchases` was fitted to 2"):
        value(SUMMARY.head(10), *models, interval="bootstrap", seed=1)
    for options in ({"interval": "jackknife"}, {"infinite": "cap"}, {"method": "fast"}):
        (name,) = options
        with pytest.raises(ArgumentError, match=f"`{name}`"):
            value(SUMMARY, **options)
    with pytest.raises(ArgumentError, match="`draws`"):
        value(SUMMARY, predictive=True, draws=1, seed=1)
    with pytest.raises(ArgumentError, match="`seed`"):
        value(SUMMARY, predictive=True, seed=-1)
