"""The models as a user meets them: fitted to CDNOW, made of parameters, asked, saved, misused."""

import json
import math
import pickle
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cdnow import CDNOW
from retainkit import BGNBD, MBGNBD, GammaGamma, fit_bg_nbd, fit_gamma_gamma, fit_mbg_nbd
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import rows_of

# Fader, Hardie & Lee (2005), Table 2, and Fader & Hardie, note 025.
PAPER = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
NOTE = GammaGamma(p=6.25, q=3.74, v=15.44)


KINDS: dict[str, Any] = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame)),
}


# --- published fits -------------------------------------------------------------------------

# Parameters as published, and standard errors and log-likelihoods of the maximum on the rounded
# file (shared among lifetimes, CLVTools and BTYD to the digits they print).
FITS: dict[str, tuple[Any, dict[str, float], float]] = {
    "BG/NBD": (fit_bg_nbd, {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, -9582.42556),
    "MBG/NBD": (fit_mbg_nbd, {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.13268),
}


@pytest.mark.parametrize(("fit", "published", "likelihood"), FITS.values(), ids=FITS)
def test_the_fits_of_cdnow_are_the_published_ones(
    fit: Any, published: dict[str, float], likelihood: float
) -> None:
    model = fit(CDNOW, unit="week")
    assert model.parameters == pytest.approx(published, abs=0.5001e-3)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-4)
    assert model.converged
    assert model.n_customers == 2357
    assert model.aic == pytest.approx(8 - 2 * likelihood, abs=1e-3)
    assert model.bic == pytest.approx(4 * math.log(2357) - 2 * likelihood, abs=1e-3)


def test_the_gamma_gamma_fit_of_cdnow_is_the_published_one() -> None:
    # Note 025: 6.25, 3.74, 15.44 on 946 customers.
    model = fit_gamma_gamma(CDNOW)
    assert model.parameters == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=1e-2)
    assert model.log_likelihood == pytest.approx(-4055.92324, abs=1e-4)
    assert model.n_customers == 946


def test_the_covariance_is_whole_and_symmetric() -> None:
    # lifetimes has .067431 above and .000204 below the diagonal, a correlation of 14.2; the
    # Hessian gives .003706 and .780.
    covariance = np.array(fit_bg_nbd(CDNOW, unit="week").covariance)
    assert covariance == pytest.approx(covariance.T)
    assert covariance[0, 1] == pytest.approx(0.003706, abs=1e-6)
    correlation = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert correlation == pytest.approx(0.780, abs=1e-3)
    errors = fit_bg_nbd(CDNOW, unit="week").standard_errors
    known = {"r": 0.01256, "alpha": 0.37822, "a": 0.18573, "b": 0.70542}
    assert errors == pytest.approx(known, rel=1e-3)


def test_weights_are_repeated_rows() -> None:
    few = CDNOW.head(300)
    counted = few.groupby(["frequency", "recency", "T"]).size().rename("n").reset_index()
    one, other = fit_bg_nbd(few), fit_bg_nbd(counted, weights="n", unit="week")
    assert other.parameters == pytest.approx(one.parameters, rel=1e-6)
    assert other.n_customers == 300


@pytest.mark.parametrize("scale", [1 / 7, 365.2425])
def test_the_unit_of_time_changes_alpha_alone(scale: float) -> None:
    days = CDNOW.assign(recency=CDNOW["recency"] / scale, T=CDNOW["T"] / scale)
    for penalty in (0.0, 0.01):
        own, other = (fit_bg_nbd(frame, penalty=penalty) for frame in (CDNOW, days))
        expected = own.parameters | {"alpha": own.alpha / scale}
        assert other.parameters == pytest.approx(expected, rel=1e-5)


def test_the_currency_changes_v_alone() -> None:
    cents = CDNOW.assign(monetary_value=100 * CDNOW["monetary_value"])
    for penalty in (0.0, 0.01):
        own, other = (fit_gamma_gamma(frame, penalty=penalty) for frame in (CDNOW, cents))
        assert other.parameters == pytest.approx(own.parameters | {"v": 100 * own.v}, rel=1e-5)


# --- predictions ------------------------------------------------------------------------------


def one(frequency: float, recency: float, T: float) -> pd.DataFrame:  # noqa: N803
    row = {"customer_id": [1516], "frequency": [frequency], "recency": [recency], "T": [T]}
    return pd.DataFrame(row).assign(time_unit="week")


def test_published_predictions_of_single_customers() -> None:
    # lifetimes' TestBetaGeoFitter (Hardie's spreadsheet): 1.226; the reference has 1.226028.
    found = PAPER.expected_purchases(one(2, 30.43, 38.86), 39)["expected_purchases"]
    assert found[0] == pytest.approx(1.226028, abs=1e-6)
    # BTYD walkthrough: customer 1516 has 25.75659 purchases to come in 52 weeks, and .9688523.
    model = BGNBD(r=0.2425945, alpha=4.4136023, a=0.7929221, b=2.4259072, unit="week")
    row = one(26, 30.857, 31)
    alive = model.probability_alive(row)["probability_alive"][0]
    assert alive == pytest.approx(0.9688523, abs=2e-5)
    purchases = model.expected_purchases(row, "52W")["expected_purchases"][0]
    assert purchases == pytest.approx(25.75659, abs=1e-3)
    assert model.expected_purchases_new_customer(52) == pytest.approx(1.444004, abs=1e-5)


def test_published_probabilities_of_a_new_customer() -> None:
    # BTYD's manual, bgnbd.pmf.
    assert PAPER.purchase_probabilities(10, 2) == pytest.approx(1.07868964e-7, rel=1e-6)
    assert PAPER.purchase_probabilities(0, 39) == pytest.approx(0.57378635, abs=1e-8)
    assert PAPER.purchase_probabilities([11, 20], 30) == pytest.approx(
        [0.001999521447, 0.000222226048], rel=1e-8
    )


def test_the_sum_over_cdnow_is_that_of_the_paper_s_holdout() -> None:
    # 1,653.4 expected in weeks 40 to 78, where 1,882 were observed.
    model = fit_bg_nbd(CDNOW, unit="week")
    total = model.expected_purchases(CDNOW, 39)["expected_purchases"].sum()
    assert total == pytest.approx(1653.42, abs=0.02)
    total = fit_mbg_nbd(CDNOW, unit="week").expected_purchases(CDNOW, 39)  # type: ignore[assignment]
    assert total["expected_purchases"].sum() == pytest.approx(1576.73, abs=0.02)  # type: ignore[index]


def test_published_expected_spend() -> None:
    # Note 025 and lifetimes' test of it, the first ten customers, to a tenth of a dollar.
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    found = NOTE.expected_spend(CDNOW.head(10))["expected_spend"]
    assert found.tolist() == pytest.approx(expected, abs=0.1)


def test_horizons_are_durations_or_numbers_in_the_unit() -> None:
    row = one(2, 30.43, 38.86)

    def purchases(horizon: Any) -> float:
        return float(PAPER.expected_purchases(row, horizon)["expected_purchases"][0])

    assert purchases("39W") == purchases("39 weeks") == purchases(39) == purchases("273D")
    assert purchases("1 year") == purchases("12 months") == purchases("4 quarters")
    assert purchases("1 year") == pytest.approx(purchases(365.2425 / 7))
    assert purchases("1.5 months") == pytest.approx(purchases(1.5 * 365.2425 / 12 / 7))
    for horizon in ("soon", "5 fortnights", "-3 weeks", "12 m", -1, math.inf, math.nan, None, True):
        with pytest.raises((ArgumentError, TypeError), match="`horizon`"):
            purchases(horizon)


@pytest.mark.ci
def test_discounting() -> None:
    # By parts, with the trapezoidal rule on expected_purchases; for ever is a long time.
    row, rate = one(2, 30.43, 38.86), 0.15
    delta = math.log1p(rate) * 7 / 365.2425
    time = np.linspace(0, 52, 2001)
    curve = [PAPER.expected_purchases(row, t)["expected_purchases"][0] for t in time]
    expected = np.exp(-delta * 52) * curve[-1]
    expected += delta * np.trapezoid(np.exp(-delta * time) * curve, time)
    found = PAPER.discounted_expected_purchases(row, rate, "52W")
    assert found.iloc[0, 1] == pytest.approx(expected, rel=1e-6)
    assert PAPER.discounted_expected_purchases(row, 0, 39).iloc[0, 1] == pytest.approx(curve[1500])
    ever = PAPER.discounted_expected_purchases(row, rate).iloc[0, 1]
    assert ever == pytest.approx(
        PAPER.discounted_expected_purchases(row, rate, 40_000).iloc[0, 1], rel=1e-6
    )
    with pytest.raises(ArgumentError, match="above 0"):
        PAPER.discounted_expected_purchases(row, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gets_the_same_scores(kind: str) -> None:
    frame = KINDS[kind](CDNOW)
    results = {
        "alive": PAPER.probability_alive(frame),
        "purchases": PAPER.expected_purchases(frame, 39),
        "spend": NOTE.expected_spend(frame),
    }
    expected = {
        "alive": PAPER.probability_alive(CDNOW),
        "purchases": PAPER.expected_purchases(CDNOW, 39),
        "spend": NOTE.expected_spend(CDNOW),
    }
    for name, result in results.items():
        assert type(result) is type(frame)
        rows = rows_of(result)
        assert {row["customer_id"]: list(row.values())[1] for row in rows} == pytest.approx(
            dict(expected[name].itertuples(index=False)), rel=1e-12
        )
    assert fit_bg_nbd(frame).parameters == pytest.approx(fit_bg_nbd(CDNOW).parameters, rel=1e-6)


def test_scores_come_in_the_order_of_the_rows() -> None:
    shuffled = CDNOW.sample(frac=1, random_state=3)
    found = PAPER.probability_alive(shuffled)
    assert found["customer_id"].tolist() == shuffled["customer_id"].tolist()
    again = found.set_index("customer_id").loc[CDNOW["customer_id"], "probability_alive"]
    expected = PAPER.probability_alive(CDNOW)["probability_alive"]
    assert again.tolist() == expected.tolist()


# --- saving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [PAPER, NOTE, fit_bg_nbd(CDNOW), fit_gamma_gamma(CDNOW)])
def test_a_model_goes_through_json_and_pickle(model: Any) -> None:
    text = json.dumps(model.to_dict(), allow_nan=False)
    again = type(model).from_dict(json.loads(text))
    for other in (again, pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert repr(other) == repr(model)


def test_another_model_is_not_taken_for_this_one() -> None:
    with pytest.raises(ArgumentError, match="describes a GammaGamma"):
        BGNBD.from_dict(NOTE.to_dict())
    with pytest.raises(ArgumentError, match="BGNBD"):
        MBGNBD.from_dict(PAPER.to_dict())


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        PAPER.r = 1.0  # type: ignore[misc]


# --- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan, "1", None])
def test_parameters_are_above_0(bad: Any) -> None:
    with pytest.raises(ArgumentError, match=f"`a` is {bad!r}"):
        BGNBD(r=0.2, alpha=4, a=bad, b=2)


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ((2, 40, 39), ["`recency`", "at most `T`", "40"]),
        ((-1, 0, 39), ["`frequency`", "0 or more", "-1"]),
        ((1.5, 3, 39), ["`frequency`", "whole", "1.5"]),
        ((2, -3, 39), ["`recency`", "-3"]),
        ((0, 5, 39), ["`recency`", "no repeat purchase", "5"]),
        ((2, 5, math.nan), ["`T`", "finite", "nan"]),
        ((2, 5, math.inf), ["`T`", "finite", "inf"]),
    ],
)
def test_rows_that_no_customer_can_have(row: tuple[float, ...], parts: list[str]) -> None:
    # lifetimes says "did not converge" of a NaN, and predicts without a word for the others.
    frame = pd.concat([CDNOW.head(20), one(*row), one(*row)], ignore_index=True)
    for call in (lambda: fit_bg_nbd(frame), lambda: PAPER.probability_alive(frame)):
        with pytest.raises(ArgumentError) as error:
            call()
        for part in [*parts, "2 rows"]:
            assert part in str(error.value)


def test_missing_and_wrong_columns() -> None:
    with pytest.raises(MissingColumnError, match="`recency`"):
        fit_bg_nbd(CDNOW.drop(columns="recency"))
    with pytest.raises(MissingColumnError, match="`customer`"):
        PAPER.probability_alive(CDNOW, customer="id")
    with pytest.raises(ColumnTypeError, match="`T`"):
        fit_bg_nbd(CDNOW.assign(T="39"))
    with pytest.raises(ArgumentError, match="`unit`"):
        fit_bg_nbd(CDNOW, unit="days")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="`penalty`"):
        fit_bg_nbd(CDNOW, penalty=-1)


NO_NUMBERS: dict[str, Any] = {
    "nan": [math.nan, 2],
    "negative": [2, -1],
    "text": ["soon"],
    "null": [None, 2],
    "ragged": [[1], [2, 3]],
    "huge": [10**400],
    "true": [True],
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_arrays_of_numbers_are_named_where_they_hold_others(kind: str) -> None:
    numbers = NO_NUMBERS[kind]
    calls: dict[str, Any] = {
        "horizon": PAPER.expected_purchases_new_customer,
        "n": lambda values: PAPER.purchase_probabilities(values, 39),
    }
    for argument, call in calls.items():
        with pytest.raises((ArgumentError, ArgumentTypeError), match=f"`{argument}` is ") as it:
            call(numbers)
        assert it.value.argument == argument
        assert len(str(it.value)) < 250


def test_nobody_bought_again() -> None:
    # lifetimes fits r = .00026, alpha = 160332.6, a = b = 1.1 without a word.
    frame = pd.DataFrame({"frequency": 0, "recency": 0.0, "T": np.linspace(10, 100, 500)})
    with pytest.warns(RetainkitWarning, match="Nobody bought again"):
        model = fit_bg_nbd(frame, unit="day")
    assert model.diagnostics["no_repeats"]
    assert all(math.isnan(error) for error in model.standard_errors.values())
    assert model.expected_purchases_new_customer("12 months") < 1e-2


@pytest.mark.parametrize("customers", [1, 2, 3, 5, 20])
def test_a_few_customers_are_no_reason_to_fail(customers: int) -> None:
    # lifetimes: LinAlgError for 1 and 2, ConvergenceError for 3, 5 and 20.
    few = CDNOW.sample(customers, random_state=1)
    with np.errstate(all="raise", under="ignore"):
        try:
            model = fit_bg_nbd(few, unit="week")
        except RetainkitWarning:
            return
    assert math.isfinite(model.log_likelihood)


def test_infinite_expected_spend_is_refused_or_bounded() -> None:
    # Heavy-tailed spend: lifetimes gives -49.19 to a customer without repeat purchases.
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "customer_id": range(800),
            "monetary_value": np.exp(rng.normal(3, 2.2, 800)),
            "frequency": rng.integers(1, 4, 800),
        }
    )
    with pytest.warns(RetainkitWarning):
        model = fit_gamma_gamma(frame)
    assert model.q == pytest.approx(0.712, abs=1e-3)
    some = pd.DataFrame(
        {"customer_id": [1, 2, 3], "frequency": [0, 1, 3], "monetary_value": [0.0, 20.0, 20.0]}
    )
    with pytest.raises(ArgumentError, match=r"q is 0\.71.*1 customer is infinite"):
        model.expected_spend(some)
    median = model.expected_spend(some, infinite="median")
    assert list(median) == ["customer_id", "median_spend"]
    assert (median["median_spend"] > 0).all()
    assert np.isfinite(median["median_spend"]).all()


def test_customers_without_spend_are_left_out_with_a_warning() -> None:
    # CDNOW itself has orders of nothing; lifetimes refuses the whole frame.
    frame = CDNOW.assign(
        monetary_value=CDNOW["monetary_value"].where(CDNOW["customer_id"] != 1, 0.0)
    )
    with pytest.warns(RetainkitWarning, match="1 customer with a mean spend of 0"):
        model = fit_gamma_gamma(frame)
    assert model.n_customers == 945


def test_a_simulated_summary_is_like_the_model() -> None:
    model = BGNBD(r=0.8, alpha=5, a=0.6, b=2.5, unit="week")
    made = model.simulate(20_000, 40, seed=7)
    expected = model.expected_purchases_new_customer(40)
    error = made["frequency"].std() / math.sqrt(len(made))
    assert abs(made["frequency"].mean() - expected) < 4 * error
    assert fit_bg_nbd(made).parameters == pytest.approx(model.parameters, rel=0.15)
    pd.testing.assert_frame_equal(made, model.simulate(20_000, 40, seed=7))


def test_the_summary_of_a_model() -> None:
    table = fit_bg_nbd(CDNOW).summary()
    columns = ["parameter", "estimate", "standard_error", "lower", "upper"]
    assert list(table) == columns
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()
    assert PAPER.summary()["standard_error"].isna().all()
