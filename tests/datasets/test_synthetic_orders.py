"""Synthetic orders whose model is known: the laws they follow, and that fits find them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import retainkit as rk
from retainkit.datasets import make_orders
from retainkit.errors import ArgumentError, ArgumentTypeError

EFFECTS: dict[str, Any] = {
    "purchase": {"channel": {"web": 0.0, "shop": 0.5, "ads": -0.3}, "size": 0.2},
    "dropout": {"channel": {"web": 0, "ads": 0.6}},
    "spend": {"channel": {"web": 0, "shop": 0.3}},
}
MODELS = ("pareto_nbd", "bg_nbd", "mbg_nbd")
END = pd.Timestamp("2026-01-01")


def close(found: float, wanted: float, error: float) -> None:
    """Check a number with a standard error."""
    assert abs(found - wanted) <= 4 * error, (found, wanted, error)


def close_mean(values: Any, wanted: float) -> None:
    values = np.asarray(values, np.float64)
    close(values.mean(), wanted, values.std() / len(values) ** 0.5)


@pytest.mark.parametrize("model", MODELS)
def test_the_tables_agree(model: str) -> None:
    shop = make_orders(800, seed=3, model=model, effects=EFFECTS, segments=3)
    orders, customers, truth = shop.orders, shop.customers, shop.truth
    assert list(orders) == ["customer_id", "order", "time", "amount"]
    assert list(customers) == ["customer_id", "joined", "channel", "size", "segment"]
    assert customers["customer_id"].tolist() == list(range(1, 801))
    assert truth["customer_id"].equals(customers["customer_id"])
    assert orders["time"].is_monotonic_increasing
    assert orders["order"].tolist() == list(range(1, len(orders) + 1))
    assert orders["time"].max() >= pd.Timestamp("2025-12-31")
    own = orders.groupby("customer_id")["time"]
    assert own.min().tolist() == customers["joined"].tolist()
    assert (own.max().to_numpy() <= truth["left"].fillna(END).to_numpy()).all()
    assert customers["joined"].is_monotonic_increasing
    assert (orders["amount"] >= 0.01).all()
    assert set(customers["channel"]) == {"web", "shop", "ads"}


def test_the_same_seed_gives_the_same_tables() -> None:
    one, other, third = (make_orders(300, seed=seed, effects=EFFECTS) for seed in (1, 1, 2))
    for name in ("orders", "customers", "truth"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert not one.orders.equals(third.orders)
    # What one part draws changes no other.
    plain = make_orders(300, seed=1)
    assert plain.customers["joined"].equals(one.customers["joined"])


def test_rates_and_spend_have_the_means_of_their_laws() -> None:
    truth = make_orders(40_000, seed=4).truth
    close_mean(truth["purchase_rate"], 0.8 / 60)
    close_mean(truth["leaving_rate"], 0.7 / 180)
    close_mean(truth["mean_amount"], 6 * 15 / 3)


def test_leaving_follows_the_law_of_lomax() -> None:
    """Schmittlein, Morrison & Colombo (1987): there after t with probability (b / (b + t))^s."""
    shop = make_orders(40_000, seed=5)
    age = END - shop.customers["joined"]
    for days in (30, 200, 500):
        span = pd.Timedelta(days=days)
        seen = age > span
        lived = shop.truth["left"].fillna(END) - shop.customers["joined"]
        close_mean((lived > span)[seen], (180 / (180 + days)) ** 0.7)


@pytest.mark.parametrize("model", MODELS[1:])
def test_a_share_drops_out_after_the_same_order(model: str) -> None:
    """The mean of Beta(0.9, 5): after the first repeat order, and in MBG/NBD after the first."""
    shop = make_orders(40_000, seed=6, model=model)
    at_first = shop.truth["left"] == shop.customers["joined"]
    close_mean(at_first, 0.9 / 5.9 if model == "mbg_nbd" else 0)
    number = shop.orders.groupby("customer_id").cumcount()
    again = shop.orders[number == 1].set_index("customer_id")["time"]
    left = shop.truth.set_index("customer_id")["left"][again.index]
    # With MBG/NBD those who have stayed once leave more seldom: the mean of Beta(0.9, 6).
    close_mean(left == again, 0.9 / 6.9 if model == "mbg_nbd" else 0.9 / 5.9)


def test_living_customers_buy_as_the_negative_binomial_says() -> None:
    """Nobody leaves: counts over t are negative binomial with mean r t / alpha."""
    from scipy.stats import nbinom  # noqa: PLC0415 (its import is slow)

    model = rk.ParetoNBD(r=0.8, alpha=10, s=1, beta=1e9, unit="week")
    shop = make_orders(30_000, seed=7, model=model)
    joined = shop.customers.set_index("customer_id")["joined"]
    span = pd.Timedelta(weeks=20)
    seen = joined[joined <= END - span]
    age = shop.orders["time"] - joined[shop.orders["customer_id"]].to_numpy()
    early = shop.orders[(age > pd.Timedelta(0)) & (age <= span)]
    count = early.groupby("customer_id").size().reindex(seen.index, fill_value=0)
    law = nbinom(0.8, 10 / (10 + 20))
    for n in range(6):
        close_mean(count == n, law.pmf(n))
    assert shop.truth["left"].isna().all()
    assert shop.truth["alpha"].iloc[0] == 70


def counted(n: int, r: float, alpha: float, t: float) -> float:
    """Return the chance of n purchases in t of who stays: negative binomial, by its product."""
    chance = float((alpha / (alpha + t)) ** r)
    for k in range(n):
        chance *= (r + k) / (k + 1) * t / (alpha + t)
    return chance


def pareto_count(n: int, t: float, alpha: float, beta: float) -> float:
    """Return P(X(t) = n) of Pareto/NBD: over when the customer leaves, by its definition."""
    from scipy.integrate import quad  # noqa: PLC0415 (its import is slow)

    r, s = 0.8, 0.7
    left = quad(lambda u: s * beta**s / (beta + u) ** (s + 1) * counted(n, r, alpha, u), 0, t)[0]
    return float(left + (beta / (beta + t)) ** s * counted(n, r, alpha, t))


def beta_geometric_count(n: int, t: float, alpha: float, odds: float, *, at_first: bool) -> float:
    """Return P(X(t) = n) of BG/NBD: the customer is there still, or left with the last purchase.

    Fader, Hardie & Lee (2005), eq. 8; MBG/NBD has one chance to leave more, at the first order.
    """
    r, a = 0.8, 5.9 * odds / (1 + odds)
    chances = n + at_first
    stayed = [1.0]
    for k in range(chances):
        stayed.append(stayed[-1] * (5.9 - a + k) / (5.9 + k))
    nth_came = 1 - sum(counted(k, r, alpha, t) for k in range(n))
    leaves = stayed[chances - 1] - stayed[chances] if chances else 0.0
    return stayed[chances] * counted(n, r, alpha, t) + leaves * nth_came


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("days", [40, 300])
def test_who_may_leave_buys_as_the_law_of_the_model_says(model: str, days: int) -> None:
    effects = {name: {"channel": {"web": 0, "shop": 0.6}} for name in ("purchase", "dropout")}
    shop = make_orders(40_000, seed=11, model=model, effects=effects)
    customers = shop.customers.set_index("customer_id")
    span = pd.Timedelta(days=days)
    orders = shop.orders.join(customers, on="customer_id")
    again = orders[orders.duplicated("customer_id") & (orders["time"] - orders["joined"] <= span)]
    count = again.groupby("customer_id").size().reindex(customers.index, fill_value=0)
    for channel, ratio in (("web", 1.0), ("shop", np.exp(0.6))):
        seen = (customers["joined"] <= END - span) & (customers["channel"] == channel)
        for n in range(5):
            if model == "pareto_nbd":
                wanted = pareto_count(n, days, 60 / ratio, 180 / ratio)
            else:
                at_first, odds = model == "mbg_nbd", 0.9 / 5 * ratio
                wanted = beta_geometric_count(n, days, 60 / ratio, odds, at_first=at_first)
            close_mean(count[seen] == n, wanted)


def test_amounts_of_a_customer_vary_as_gamma_says() -> None:
    """Around the customer's own mean z, Gamma with shape p = 6: their variance is z^2 / 6."""
    shop = make_orders(10_000, seed=12)
    own = shop.orders.merge(shop.truth, on="customer_id")
    ratio = own["amount"] / own["mean_amount"]
    close_mean(ratio, 1)
    close_mean((ratio - 1) ** 2, 1 / 6)


@pytest.mark.parametrize(
    "model",
    [
        rk.ParetoNBD(r=0.8, alpha=10, s=1e-3, beta=5, unit="day"),
        rk.MBGNBD(r=0.8, alpha=10, a=1e-3, b=5, unit="day"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_most_customers_may_never_leave(model: Any) -> None:
    shop = make_orders(500, seed=1, model=model)
    assert shop.truth["left"].isna().mean() > 0.95


def test_effects_are_ratios_of_rates_and_odds_of_dropout() -> None:
    shop = make_orders(60_000, seed=8, model="bg_nbd", effects=EFFECTS)
    customers, truth = shop.customers, shop.truth
    web, ads = (customers["channel"] == name for name in ("web", "ads"))
    assert web.mean() == pytest.approx(0.5, abs=0.01)
    alpha = 60 * np.exp(-0.2 * customers["size"])
    np.testing.assert_allclose(truth["alpha"][web], alpha[web])
    np.testing.assert_allclose(truth["alpha"][ads], alpha[ads] * np.exp(0.3))
    np.testing.assert_allclose(truth["a"] + truth["b"], 5.9)
    np.testing.assert_allclose(truth["a"][ads] / truth["b"][ads], 0.9 / 5 * np.exp(0.6))
    odds = 0.9 / 5 * np.exp(0.6)
    close_mean(truth["dropout"][ads], odds / (1 + odds))
    close_mean(truth["mean_amount"][customers["channel"] == "shop"], 30 * np.exp(0.3))


def test_segments_have_parameters_of_their_own() -> None:
    shop = make_orders(40_000, seed=9, segments=40)
    by_segment = shop.truth.groupby(shop.customers["segment"])
    found = by_segment[["alpha", "beta"]].min()
    pd.testing.assert_frame_equal(found, by_segment[["alpha", "beta"]].max())
    for name, base, spread in (("alpha", 60, 0.35), ("beta", 180, 0.45)):
        log = np.log(found[name] / base)
        assert abs(log.mean()) < 4 * spread / 40**0.5
        assert log.std() == pytest.approx(spread, rel=0.4)
    sizes = shop.customers.groupby("segment").size()
    assert sizes.index.tolist() == list(range(1, 41))
    total = 40_000 / 170
    np.testing.assert_allclose(sizes, np.resize([1, 2, 4, 10], 40) * total, rtol=0.25)


@pytest.mark.parametrize(
    ("model", "fit"),
    [("pareto_nbd", rk.fit_pareto_nbd), ("bg_nbd", rk.fit_bg_nbd), ("mbg_nbd", rk.fit_mbg_nbd)],
)
def test_fits_find_the_effects_again(model: str, fit: Any) -> None:
    shop = make_orders(6_000, seed=10, model=model, effects=EFFECTS)
    summary = rk.rfm_summary(shop.orders, amount="amount", exact=True)
    summary = summary.merge(shop.customers, on="customer_id")
    found = fit(
        summary, purchase_covariates=["channel", "size"], dropout_covariates="channel"
    ).effects()
    found = pd.concat([found, rk.fit_gamma_gamma(summary, covariates="channel").effects()])
    assert len(found) == 7
    for row in found.itertuples():
        true = EFFECTS[row.process][row.covariate]
        wanted = true if row.covariate == "size" else true.get(row.level, 0.0)
        close(row.coefficient, wanted, row.standard_error)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"customers": 0}, ArgumentError, "`customers`"),
        ({"seed": -1}, ArgumentError, "`seed`"),
        ({"segments": 0}, ArgumentError, "`segments`"),
        ({"model": "nbd"}, ArgumentError, "'pareto_nbd'"),
        ({"effects": ["channel"]}, ArgumentTypeError, "`effects` .* mapping of processes"),
        ({"effects": {"buy": {}}}, ArgumentError, "'buy'; the processes are 'purchase'"),
        ({"effects": {"spend": "channel"}}, ArgumentTypeError, "mapping of covariates"),
        ({"effects": {"spend": {"joined": 1.0}}}, ArgumentError, "'joined'; .* another word"),
        ({"effects": {"spend": {"channel": {"web": 0.0}}}}, ArgumentError, "two levels or more"),
        (
            {"effects": {"spend": {"channel": {"web": 0.1, "shop": 0.0}}}},
            ArgumentError,
            "the first, the reference, the coefficient 0",
        ),
        (
            {"effects": {"spend": {"x": 1.0}, "purchase": {"x": {"a": 0, "b": 1}}}},
            ArgumentError,
            "'x' in several processes, and not alike",
        ),
        ({"effects": {"spend": {"x": "1"}}}, ArgumentTypeError, "'x'"),
        (
            {"effects": {"dropout": {"channel": {"web": 0, "shop": -1_000}}}},
            ArgumentError,
            r"`effects\['dropout'\]` together add -1,?000.* for \d customers; .* -20 to 20",
        ),
        (
            {"effects": {"purchase": {"channel": {"web": 0, "shop": 19.5}}}, "customers": 200},
            ArgumentError,
            r"`model` and `effects` make 200 customers order .* times .* smaller effects",
        ),
        (
            {"model": rk.BGNBD(r=0.8, alpha=1e-300, a=0.9, b=5, unit="day")},
            ArgumentError,
            "a model of fewer purchases",
        ),
    ],
)
def test_what_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_orders(**{"customers": 10, "seed": 1, **options})


def test_a_model_with_covariates_is_refused() -> None:
    one = {"name": "channel", "reference": "web", "levels": ["shop"], "coefficients": [0.5]}
    plain = rk.ParetoNBD(r=0.8, alpha=10, s=1, beta=100, unit="week")
    model = rk.ParetoNBD.from_dict({**plain.to_dict(), "purchase_covariates": [one]})
    with pytest.raises(ArgumentError, match="`model` has covariates"):
        make_orders(10, seed=1, model=model)
