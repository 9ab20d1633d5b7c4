"""Covariates: what a channel, a country or the size of the first order does to customers.

Golden numbers are those of the project's list of reference numbers, by two optimisers.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, logit

import retainkit as rk
from backends import Backend
from retainkit.datasets import load_cdnow
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import rows_of

COUNTING = {"BGNBD": rk.fit_bg_nbd, "MBGNBD": rk.fit_mbg_nbd, "ParetoNBD": rk.fit_pareto_nbd}
each_fit = pytest.mark.parametrize("fit", COUNTING.values(), ids=COUNTING)


@cache
def cdnow() -> pd.DataFrame:
    """Return CDNOW with two covariates: a first order above 30 dollars, and who came in March."""
    orders = load_cdnow(sample=True)
    orders = orders[orders["time"] < "1997-10-01"]
    options: dict[str, Any] = {"unit": "week", "exact": True, "as_of": "1997-10-01"}
    table = rk.rfm_summary(orders, amount="amount", keep_first="amount", **options)
    first = table["customer_id"].map(orders.groupby("customer_id")["time"].min())
    table["big"] = table["first_amount"] > 30
    table["march"] = first.dt.month == 3
    table["channel"] = np.where(table["big"], "shop", np.where(table["march"], "web", "mail"))
    table["size"] = np.log(table["first_amount"] + 1)
    return table


BOTH: dict[str, Any] = {
    "purchase_covariates": ["big", "march"],
    "dropout_covariates": ["big", "march"],
}


# Golden numbers


def test_the_size_of_the_first_order_in_cdnow() -> None:
    table = cdnow()
    assert [round(table[name].mean() * 100, 2) for name in ("big", "march")] == [35.81, 30.50]
    model = rk.fit_bg_nbd(table, **BOTH)
    right = [0.251396, 5.827507, 0.851554, 2.464690]
    np.testing.assert_allclose([*model.parameters.values()], right, atol=6e-7)
    effects = model.effects()
    right = [0.616457, -0.066830, -0.179289, 0.034060]
    np.testing.assert_allclose(effects["coefficient"], right, atol=6e-7)
    right = [0.10923, 0.11520, 0.16938, 0.19356]
    np.testing.assert_allclose(effects["standard_error"], right, atol=6e-6)
    assert model.log_likelihood == pytest.approx(-9563.637259, abs=6e-7)
    assert model.aic == pytest.approx(2 * 8 - 2 * model.log_likelihood)


def test_pareto_nbd_of_cdnow() -> None:
    model = rk.fit_pareto_nbd(cdnow(), **BOTH)
    right = [0.578078, 13.247787, 0.584881, 10.718694]
    np.testing.assert_allclose([*model.parameters.values()], right, rtol=2e-5)
    effects = model.effects()
    right = [0.521677, -0.116259, 0.103943, -0.297512]
    # The optimisers of the list stopped 9e-6 of log-likelihood below what is reached here.
    np.testing.assert_allclose(effects["coefficient"], right, atol=5e-6)
    right = [0.08977, 0.09735, 0.20718, 0.24918]
    np.testing.assert_allclose(effects["standard_error"], right, atol=6e-5)
    assert -9573.940764 <= model.log_likelihood == pytest.approx(-9573.940764, abs=1e-5)
    # In purchases only.
    model = rk.fit_pareto_nbd(cdnow(), purchase_covariates="big")
    right = [0.576802, 13.506246, 0.595972, 11.354839]
    np.testing.assert_allclose([*model.parameters.values()], right, rtol=2e-5)
    assert model.effects()["coefficient"][0] == pytest.approx(0.498191, abs=5e-6)
    assert -9575.039309 <= model.log_likelihood == pytest.approx(-9575.039309, abs=2e-5)


def test_spend_of_cdnow() -> None:
    model = rk.fit_gamma_gamma(cdnow(), covariates="big")
    right = [5.931483, 4.437448, 16.545004]
    np.testing.assert_allclose([*model.parameters.values()], right, rtol=3e-7)
    effect = model.effects().iloc[0]
    assert effect["coefficient"] == pytest.approx(0.428881, abs=6e-7)
    assert round(effect["ratio"], 2) == 1.54
    assert model.log_likelihood == pytest.approx(-4000.023061, abs=6e-7)


# A slow and obvious likelihood


def slow_likelihood(theta: Any, rows: pd.DataFrame, kind: str) -> float:
    """Add up the log-likelihoods of BG/NBD or MBG/NBD, as the papers have them, row by row."""
    log_r, log_alpha, mean, log_sum, by_rate, by_leaving = theta
    total = 0.0
    for x, tx, T, z in rows[["frequency", "recency", "T", "z"]].to_numpy():  # noqa: N806
        r, alpha = np.exp(log_r), np.exp(log_alpha - by_rate * z)
        share, both = expit(mean + by_leaving * z), np.exp(log_sum)
        a, b, k = share * both, (1 - share) * both, x + (kind == "MBGNBD")
        alive = betaln(a, b + k) - (r + x) * np.log(alpha + T)
        left = betaln(a + 1, b + k - 1) - (r + x) * np.log(alpha + tx) if k > 0 else -np.inf
        own = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        total += own + np.logaddexp(alive, left)
    return float(total)


@pytest.mark.parametrize("kind", ["BGNBD", "MBGNBD"])
def test_the_maximum_is_that_of_a_slow_likelihood(kind: str) -> None:
    rng = np.random.default_rng(2)
    parts = []
    for z in (-1.0, 0.5, 2.0):
        share = expit(logit(0.25) + 0.3 * z)
        made = getattr(rk, kind)(
            r=0.8, alpha=6.0 * np.exp(-0.4 * z), a=4 * share, b=4 * (1 - share), unit="week"
        )
        parts.append(made.simulate(100, 40, seed=int(rng.integers(100))).assign(z=z))
    rows = pd.concat(parts, ignore_index=True)
    model = COUNTING[kind](rows, purchase_covariates="z", dropout_covariates="z")
    centre = rows["z"].mean()  # the reference of a number, at which the parameters are
    r, alpha, a, b = model.parameters.values()
    by_rate, by_leaving = model.effects()["coefficient"]
    moved = np.log(alpha) + by_rate * centre
    ours = [np.log(r), moved, np.log(a / b) - by_leaving * centre, np.log(a + b)]
    theta = np.array([*ours, by_rate, by_leaving])
    assert slow_likelihood(theta, rows, kind) == pytest.approx(model.log_likelihood, abs=1e-8)
    found = minimize(  # type: ignore[call-overload]
        lambda t: -slow_likelihood(t, rows, kind), theta + 0.05, method="BFGS", tol=1e-5
    )
    assert -found.fun <= model.log_likelihood + 1e-6
    np.testing.assert_allclose(found.x, theta, atol=0.02)


# What a covariate means


def own_model(model: Any, row: Any) -> Any:
    """Return the plain model of a customer, with the parameters that the covariates make."""
    effects = model.effects().set_index(["process", "covariate", "level"])["coefficient"]

    def total(process: str) -> float:
        some = effects[process] if process in effects.index.get_level_values(0) else {}
        return sum(
            value if covariate in {"big", "march"} else 0.0
            for (covariate, _), value in dict(some).items()
            if row[covariate]
        )

    p = model.parameters
    if isinstance(model, rk.GammaGamma):
        return rk.GammaGamma(p=p["p"], q=p["q"], v=p["v"] * np.exp(total("spend")))
    alpha = p["alpha"] * np.exp(-total("purchase"))
    if isinstance(model, rk.ParetoNBD):
        beta = p["beta"] * np.exp(-total("dropout"))
        return rk.ParetoNBD(r=p["r"], alpha=alpha, s=p["s"], beta=beta, unit="week")
    both = p["a"] + p["b"]
    share = expit(logit(p["a"] / both) + total("dropout"))
    return type(model)(r=p["r"], alpha=alpha, a=share * both, b=(1 - share) * both, unit="week")


@each_fit
def test_scores_are_those_of_a_plain_model_with_the_customers_own_parameters(fit: Any) -> None:
    table = cdnow()
    model, spend = fit(table, **BOTH), rk.fit_gamma_gamma(table, covariates="big")
    assert model.probability_alive(table)["probability_alive"].between(0, 1).all()
    calls: dict[str, Any] = {
        "alive": lambda one, rows: one.probability_alive(rows, ahead=13),
        "purchases": lambda one, rows: one.expected_purchases(rows, 39),
        "discounted": lambda one, rows: one.discounted_expected_purchases(rows, 0.1, 52),
        "next": lambda one, rows: one.next_purchase(rows, horizon=13, quantiles=(0.1, 0.5)),
    }
    for _, rows in table.groupby(["big", "march"]):
        some = rows.head(12)
        plain = own_model(model, some.iloc[0])
        for call in calls.values():
            pd.testing.assert_frame_equal(call(model, some), call(plain, some), rtol=1e-9)
        money = own_model(spend, some.iloc[0])
        pd.testing.assert_frame_equal(spend.expected_spend(some), money.expected_spend(some))
        options: dict[str, Any] = {"horizon": 39}
        value = rk.cltv_from_models(some, model, spend, **options)["cltv"]
        with pytest.warns(RetainkitWarning, match="no intervals"):
            right = rk.cltv_from_models(some, plain, money, **options)["cltv"]
        np.testing.assert_allclose(value, right, rtol=1e-9)
    total = rk.cltv_total(table, model, spend, horizon=39, seed=1)["cltv"][0]
    each = rk.cltv_from_models(table, model, spend, horizon=39)["cltv"].sum()
    assert total == pytest.approx(each, rel=1e-9)


def test_new_customers_of_a_profile() -> None:
    model = rk.fit_bg_nbd(cdnow(), **BOTH)
    plain = own_model(model, {"big": True, "march": False})
    found = model.expected_purchases_new_customer(52, profile={"big": True})
    assert found == pytest.approx(plain.expected_purchases_new_customer(52))
    shares = model.purchase_probabilities([0, 1], 52, profile={"big": 1})
    np.testing.assert_allclose(shares, plain.purchase_probabilities([0, 1], 52))
    drawn = model.simulate(5, 39, seed=3, profile={"big": True})
    pd.testing.assert_frame_equal(drawn, plain.simulate(5, 39, seed=3))
    wrong: Any
    for wrong, error, message in (
        ({"size": 1}, ArgumentError, "unknown to the model; it knows 'big', 'march'"),
        ({"big": "yes"}, ArgumentTypeError, "finite number"),
        ("big", ArgumentTypeError, "must be a mapping"),
    ):
        with pytest.raises(error, match=message):
            model.simulate(5, 39, seed=3, profile=wrong)


def test_the_mean_drop_out_moves_and_how_much_it_differs_stays() -> None:
    # The other form, a exp(h z) and b exp(h z), leaves a / (a + b) the same for everybody.
    model = rk.fit_bg_nbd(cdnow(), **BOTH)
    effect = model.effects().query("process == 'dropout' and covariate == 'big'")["ratio"].item()
    plain, big = (own_model(model, {"big": one, "march": False}) for one in (False, True))
    assert big.a / big.b == pytest.approx(effect * plain.a / plain.b)
    assert big.a + big.b == pytest.approx(plain.a + plain.b)


# Invariance


@each_fit
@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_what_must_not_matter(fit: Any, penalty: float) -> None:
    table = cdnow().sample(700, random_state=4)
    options = {"purchase_covariates": ["channel", "size"], "covariate_penalty": penalty}
    model = fit(table, **options)
    expected = model.expected_purchases(table, 39)["expected_purchases"].to_numpy()

    def same(other: pd.DataFrame, *, scale: float = 1.0) -> None:
        again = fit(other, **options)
        assert again.log_likelihood == pytest.approx(model.log_likelihood, abs=2e-5)
        found = again.expected_purchases(other, 39).set_index("customer_id")
        found = found.loc[table["customer_id"], "expected_purchases"]
        np.testing.assert_allclose(found, expected, rtol=2e-4)
        own = again.effects().set_index("covariate").loc["size", "coefficient"]
        right = model.effects().set_index("covariate").loc["size", "coefficient"]
        assert own * scale == pytest.approx(right, rel=2e-3, abs=1e-4)

    same(table.sample(frac=1, random_state=1))
    same(table.assign(size=table["size"] * 1000 + 5), scale=1000)
    # Another level has the most customers, and is the reference: by the same words the other way
    # round of what is more frequent, a fit to the same customers.
    renamed = table.assign(channel=table["channel"].map({"shop": "c", "web": "a", "mail": "b"}))
    same(renamed)


def test_another_reference_is_the_same_fit() -> None:
    table = cdnow()
    model = rk.fit_bg_nbd(table, purchase_covariates="channel", covariate_penalty=0.02)
    assert model.purchase_covariates[0].reference == "mail"
    # With the weight on others, "shop" is the most frequent level; dividing it again by what it is
    # more would change the fit, so that the coefficients alone are compared.
    weights = np.where(table["channel"] == "shop", 3.0, 1.0)
    other = rk.fit_bg_nbd(table.assign(w=weights), purchase_covariates="channel", weights="w")
    assert other.purchase_covariates[0].reference == "shop"
    repeated = table.loc[table.index.repeat(weights.astype(int))]
    again = rk.fit_bg_nbd(repeated, purchase_covariates="channel")
    assert other.log_likelihood == pytest.approx(again.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(
        other.effects()["coefficient"], again.effects()["coefficient"], atol=1e-6
    )


def test_booleans_and_0_and_1_are_the_same() -> None:
    table = cdnow()
    model = rk.fit_bg_nbd(table, purchase_covariates="big")
    objects = rk.fit_bg_nbd(
        table.assign(big=table["big"].astype(object)), purchase_covariates="big"
    )
    assert objects == model
    other = rk.fit_bg_nbd(table.assign(big=table["big"].astype(int)), purchase_covariates="big")
    assert model.parameters == other.parameters
    assert other.effects()["coefficient"][0] == model.effects()["coefficient"][0]


# Engines and JSON


def test_every_engine_says_the_same(backend: Backend) -> None:
    names = ["customer_id", "frequency", "recency", "T", "monetary_value", "time_unit"]
    table = cdnow()[[*names, "channel", "big", "size"]].head(400)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    frame = backend.make(rows)
    options: dict[str, Any] = {"purchase_covariates": ["channel", "size"]}
    options["dropout_covariates"] = "big"
    model, right = (rk.fit_bg_nbd(one, **options) for one in (frame, table))
    np.testing.assert_allclose(
        model.effects()["coefficient"], right.effects()["coefficient"], rtol=1e-6, atol=1e-9
    )
    spend = rk.fit_gamma_gamma(frame, covariates=["channel", "big"][:1])
    calls: dict[str, Any] = {
        "purchases": lambda one: right.expected_purchases(one, 39),
        "spend": spend.expected_spend,
        "value": lambda one: rk.cltv_from_models(one, right, spend, horizon=39),
    }
    for call in calls.values():
        found, wanted = (
            pd.DataFrame(rows_of(call(one))).sort_values("customer_id", ignore_index=True)
            for one in (frame, table)
        )
        pd.testing.assert_frame_equal(found, wanted, rtol=1e-8)
    total = rk.cltv_total(frame, right, spend, horizon=39, seed=1)
    wanted = rk.cltv_total(table, right, spend, horizon=39, seed=1)
    pd.testing.assert_frame_equal(pd.DataFrame(rows_of(total)), wanted, rtol=1e-8)


def test_a_model_with_covariates_is_saved() -> None:
    table = cdnow()
    models = [
        rk.fit_bg_nbd(table, purchase_covariates=["channel", "size"], dropout_covariates="big"),
        rk.fit_pareto_nbd(table, purchase_covariates="channel"),
        rk.fit_gamma_gamma(table, covariates=["channel"]),
    ]
    for model in models:
        again = type(model).from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
        assert again == model
        assert hash(again) == hash(model)
        pd.testing.assert_frame_equal(again.effects(), model.effects())
    saved = models[0].to_dict()
    for change, message in (
        ({"name": 3}, "must be a mapping"),
        ({"levels": ["mail"]}, "each once"),
        ({"coefficients": [1.0]}, "one for each level"),
        ({"coefficients": ["1", "2"]}, r"coefficients'\]\[0\]"),
        ({"extra": 1}, "must be a mapping"),
    ):
        covariate = {**saved["purchase_covariates"][0], **change}
        with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
            rk.BGNBD.from_dict({**saved, "purchase_covariates": [covariate]})
    other = [{**saved["purchase_covariates"][0], "reference": "post"}]
    with pytest.raises(ArgumentError, match=r"'channel' with the reference 'post'.*'mail'"):
        rk.BGNBD.from_dict({**saved, "dropout_covariates": other, "covariance": None})


# What is wrong


@each_fit
def test_what_is_wrong_with_a_covariate_is_said(fit: Any) -> None:
    table = cdnow().assign(same="all", shop=cdnow()["channel"] == "shop", when=pd.Timestamp(0))
    for names, error, message in (
        ("same", ArgumentError, "'same'.* is the same for all customers"),
        (["channel", "shop"], ArgumentError, "follows from the others: 'channel', 'shop'"),
        ("plan", MissingColumnError, "'plan'"),
        ("when", ColumnTypeError, "numbers, booleans or words"),
        (["big", "big"], ArgumentError, "more than once"),
    ):
        with pytest.raises(error, match=message):
            fit(table, purchase_covariates=names)
    for name, value in (("channel", None), ("size", np.nan), ("size", np.inf)):
        lacking = table.copy()
        lacking[name] = lacking[name].astype(object)
        lacking.loc[:4, name] = value
        if name == "size":
            lacking[name] = lacking[name].astype(float)
        with pytest.raises(ArgumentError, match=f"'{name}'.* null or infinite in 5 rows"):
            fit(lacking, purchase_covariates=name)
    with pytest.raises(ArgumentError, match="lifetimes"):
        fit(table, purchase_covariates="big", engine="lifetimes")


def test_a_level_that_the_fit_did_not_know() -> None:
    table = cdnow()
    model = rk.fit_bg_nbd(table, purchase_covariates="channel")
    strange = table.head(10).copy()
    strange.loc[strange.index[:3], "channel"] = "radio"
    with pytest.raises(ArgumentError, match=r"'radio' in 3 rows, of 10; .* 'mail', 'shop', 'web'"):
        model.expected_purchases(strange, 39)
    found = model.expected_purchases(strange, 39, unseen="reference")["expected_purchases"]
    strange["channel"] = strange["channel"].replace("radio", "mail")
    np.testing.assert_array_equal(found, model.expected_purchases(strange, 39).iloc[:, 1])
    with pytest.raises(MissingColumnError, match="'channel'"):
        model.expected_purchases(strange.drop(columns="channel"), 39)
    with pytest.raises(ColumnTypeError, match="words, such as 'mail'"):
        model.expected_purchases(strange.assign(channel=1.0), 39)


def test_models_that_know_a_column_differently() -> None:
    table = cdnow()
    table["band"] = (table["size"] > table["size"].median()).astype(int)
    purchases = rk.fit_bg_nbd(table, purchase_covariates="band")
    words = table.assign(band=table["band"].map({0: "low", 1: "high"}))
    spend = rk.fit_gamma_gamma(words, covariates="band")
    for summary in (table, words):
        with pytest.raises(ArgumentError, match=r"'band'.* words where one model .* numbers where"):
            rk.cltv_from_models(summary, purchases, spend, horizon="39 weeks")
    spend = rk.fit_gamma_gamma(table, covariates="band")
    rk.cltv_from_models(table, purchases, spend, horizon="39 weeks")


def test_a_level_in_which_nobody_bought_again_is_named() -> None:
    table = cdnow()
    gone = (table["frequency"] == 0) & (table["customer_id"] % 5 == 0)
    table = table.assign(list=np.where(gone, "lost", "kept"))
    with pytest.warns(RetainkitWarning, match="effect of list 'lost' on purchase is at its lower"):
        model = rk.fit_bg_nbd(table, purchase_covariates="list")
    assert model.diagnostics["not_identified"] == ["purchase: list 'lost'"]
    assert np.isfinite([*model.standard_errors.values()]).all()
    model = rk.fit_bg_nbd(table, purchase_covariates="list", covariate_penalty=0.01)
    assert np.isfinite(model.effects()["standard_error"]).all()


def test_where_orders_do_not_tell_the_covariates() -> None:
    table, orders = cdnow(), load_cdnow(sample=True)
    model, spend = rk.fit_bg_nbd(table, **BOTH), rk.fit_gamma_gamma(table, covariates="big")
    plain = rk.fit_gamma_gamma(table)
    for call in (
        lambda: rk.tracking(model, orders),
        lambda: rk.next_purchase(orders, model=model),
        lambda: rk.cltv(orders, purchases=model, spend=plain),
        lambda: rk.cltv(orders, purchases=rk.fit_bg_nbd(table), spend=spend),
        lambda: rk.holdout_report(
            orders, calibration_end="1997-10-01", model=model, unit="week", exact=True
        ),
        model.to_lifetimes,
    ):
        with pytest.raises(ArgumentError, match="covariates"):
            call()


# How sure


def test_intervals_of_values_are_those_of_the_bootstrap() -> None:
    table = cdnow()
    model = rk.fit_bg_nbd(table, purchase_covariates="big")
    spend = rk.fit_gamma_gamma(table, covariates="big")
    some = table.groupby("big").head(5)
    delta = rk.cltv_from_models(some, model, spend, horizon=39)
    # By parameters drawn from the covariances, written out: each customer a plain model.
    rng = np.random.default_rng(5)
    draws = []
    for _ in range(300):
        drawn = []
        for one in (model, spend):
            theta = np.array([*one.parameters.values(), *one.effects()["coefficient"]])
            scale = np.append([*one.parameters.values()], 1.0)
            relative = np.array(one.covariance) / np.outer(scale, scale)
            move = rng.multivariate_normal(np.zeros(len(theta)), relative)
            drawn.append(np.append(theta[:-1] * np.exp(move[:-1]), theta[-1] + move[-1]))
        (r, alpha, a, b, by_rate), (p, q, v, by_spend) = drawn
        values = []
        for big, rows in some.groupby("big"):
            own = rk.BGNBD(r=r, alpha=alpha * np.exp(-by_rate * big), a=a, b=b, unit="week")
            money = rk.GammaGamma(p=p, q=q, v=v * np.exp(by_spend * big))
            bought = own.discounted_expected_purchases(rows, 0.1, 39).iloc[:, 1].to_numpy()
            paid = money.expected_spend(rows)["expected_spend"].to_numpy()
            values.append(pd.Series(bought * paid, rows["customer_id"]))
        draws.append(pd.concat(values).loc[some["customer_id"]].to_numpy())
    spread = np.std(np.log(draws), axis=0)
    width = np.log(delta["upper"] / delta["lower"]) / (2 * 1.959964)
    np.testing.assert_allclose(width, spread, rtol=0.15)
