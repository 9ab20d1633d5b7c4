"""The bridge to lifetimes: its fits, its objects, and no trace of it in the settings.

lifetimes is installed and is the witness: for what it gets right, ours and its own must agree.
"""

import json
import pickle
import subprocess
import sys
import threading
import warnings
from typing import Any

import duckdb
import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from cdnow import CDNOW
from retainkit import BGNBD, MBGNBD, GammaGamma, fit_bg_nbd, fit_gamma_gamma, fit_mbg_nbd
from retainkit.clv._lifetimes import imported_lifetimes
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitError, RetainkitWarning

mpl.use("Agg")

FITS: dict[str, Any] = {"BetaGeoFitter": fit_bg_nbd, "ModifiedBetaGeoFitter": fit_mbg_nbd}
MODELS: dict[str, Any] = {"BetaGeoFitter": BGNBD, "ModifiedBetaGeoFitter": MBGNBD}
REPEATERS = CDNOW[CDNOW["frequency"] > 0]
NAN = float("nan")

each_model = pytest.mark.parametrize("name", FITS)


def theirs(name: str, data: pd.DataFrame, *, penalizer: float = 0.0, weights: Any = None) -> Any:
    """Fit with lifetimes as its documentation says."""
    money = name == "GammaGammaFitter"
    columns = ["frequency", "monetary_value"] if money else ["frequency", "recency", "T"]
    with imported_lifetimes() as package:
        fitter = getattr(package, name)(penalizer_coef=penalizer)
        return fitter.fit(*(data[column] for column in columns), weights=weights)


def natural(fitter: Any) -> float:
    """Return the log-likelihood on the natural scale: its own likelihood, of T as it is."""
    columns = [one for one in ("frequency", "recency", "T", "monetary_value") if one in fitter.data]
    data = [fitter.data[column].to_numpy() for column in [*columns, "weights"]]
    with imported_lifetimes():
        mean = fitter._negative_log_likelihood(np.log(fitter.params_.to_numpy()), *data, 0.0)
    return -float(mean) * fitter.data["weights"].sum()  # type: ignore[no-any-return]


# --- no trace -----------------------------------------------------------------------------------

PROBE = """
import contextlib, copy, io, json, pickle, threading, warnings
import numpy, pandas
import retainkit as rk

warnings.filterwarnings("default", category=FutureWarning)
warnings.filterwarnings("error", message="of the host")
numpy.seterr(over="raise", under="warn")
pandas.set_option("display.precision", 3)
orders = rk.datasets.load_cdnow(sample=True)
summary = rk.rfm_summary(orders[orders["time"] < "1997-10-01"], amount="amount", unit="week")
summary = summary[(summary["frequency"] == 0) | (summary["monetary_value"] > 0)]
three = pandas.DataFrame(THREE)  # on which it fails, and prints
model = rk.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")

def state():
    return {
        "filters": warnings.filters, "list": [*warnings.filters],
        "show": warnings.showwarning, "registry": dict(warnings.onceregistry),
        "pandas": copy.deepcopy(pandas.options.d), "numpy": numpy.geterr(),
        "printing": repr(numpy.get_printoptions()), "random": repr(numpy.random.get_state()),
        "pickle": dict(pickle._Pickler.dispatch),
    }

def together(call):
    threads = [threading.Thread(target=call) for _ in range(4)]
    [one.start() for one in threads]
    [one.join() for one in threads]

def failing():
    try:
        rk.fit_bg_nbd(three, engine="lifetimes")
    except ValueError:
        return
    raise AssertionError

out, before, changed = io.StringIO(), state(), {}
with contextlib.redirect_stdout(out):
    for turn in (1, 2):
        for name, call in {CALLS}.items():
            call()
            after = state()
            changed[f"{name} {turn}"] = [key for key in before if before[key] != after[key]]
            changed[f"{name} {turn}"] += ["object"] * (after["filters"] is not before["filters"])
print(json.dumps([changed, out.getvalue()]))
"""
OURS = """{
    "to": lambda: together(model.to_lifetimes),
    "data": lambda: model.to_lifetimes(summary),
    "fit": lambda: rk.fit_bg_nbd(summary, engine="lifetimes"),
    "spend": lambda: rk.fit_gamma_gamma(summary, engine="lifetimes").to_lifetimes(summary),
    "failing": failing,
    "from": lambda: rk.BGNBD.from_lifetimes(model.to_lifetimes(), unit=model.unit),
}"""


def probe(calls: str) -> tuple[dict[str, list[str]], str]:
    """Run calls twice in a new interpreter, and tell what each changed and what was printed."""
    three = CDNOW.sample(3, random_state=1).to_dict("list")
    code = PROBE.replace("{CALLS}", calls).replace("THREE", repr(three))
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    changed, printed = json.loads(done.stdout)
    return changed, printed


@pytest.mark.slow
def test_nothing_of_the_host_changes_on_the_first_call_or_later() -> None:
    changed, printed = probe(OURS)
    assert len(changed) == 12
    assert [one for one in changed.items() if one[1]] == []
    assert printed == ""


@pytest.mark.slow
def test_the_probe_sees_what_lifetimes_does_by_itself() -> None:
    changed, _ = probe('{"import": lambda: __import__("lifetimes")}')
    assert set(changed["import 1"]) == {"list", "pandas", "pickle"}


def test_settings_come_back_when_the_caller_raises() -> None:
    filters, options = warnings.filters, pd.get_option("display.precision")

    def work() -> None:
        with imported_lifetimes():
            warnings.simplefilter("ignore")
            pd.set_option("display.precision", options + 1)
            np.seterr(all="raise")
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert warnings.filters is filters
    assert pd.get_option("display.precision") == options
    assert np.geterr()["under"] == "ignore"


def test_threads_take_turns() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with imported_lifetimes():
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [1] * 8


# --- fits ---------------------------------------------------------------------------------------


@pytest.mark.slow
@each_model
def test_a_fit_by_lifetimes_is_the_one_of_lifetimes(name: str) -> None:
    model = FITS[name](CDNOW, unit="week", engine="lifetimes")
    assert isinstance(model, MODELS[name])
    assert model.parameters == theirs(name, CDNOW).params_.to_dict()
    assert model.unit == "week"
    assert model.n_customers == 2357
    assert model.converged
    assert model.diagnostics["engine"] == "lifetimes"
    assert model.diagnostics["shortfall"] < 1e-6
    assert FITS[name](CDNOW, unit="week").diagnostics["engine"] == "retainkit"


def test_a_spend_fit_by_lifetimes_is_the_one_of_lifetimes() -> None:
    model = fit_gamma_gamma(CDNOW, engine="lifetimes")
    assert model.parameters == theirs("GammaGammaFitter", REPEATERS).params_.to_dict()
    # Note 025: 6.25, 3.74, 15.44; the log-likelihood is that of the rounded file.
    assert model.parameters == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=1e-2)
    assert model.log_likelihood == pytest.approx(-4055.92324, abs=1e-4)
    assert model.n_customers == 946
    assert model.converged
    assert model.diagnostics["engine"] == "lifetimes"


def test_log_likelihood_and_covariance_are_right_where_those_of_lifetimes_are_not() -> None:
    model = fit_bg_nbd(CDNOW, unit="week", engine="lifetimes")
    fitter = theirs("BetaGeoFitter", CDNOW)
    # lifetimes says 0.25027. Fader, Hardie & Lee (2005): -9582.4.
    assert fitter._negative_log_likelihood_ == pytest.approx(0.25027, abs=1e-5)
    assert model.log_likelihood == pytest.approx(-9582.42556, abs=1e-4)
    assert model.log_likelihood == pytest.approx(natural(fitter), rel=1e-12)
    # There .067431 above and .000204 below the diagonal, a correlation of 14.2; right is .003706.
    wrong = fitter.variance_matrix_.to_numpy()
    covariance = np.array(model.covariance)
    assert wrong[0, 1] == pytest.approx(0.067431, abs=1e-6)
    assert wrong[1, 0] == pytest.approx(0.000204, abs=1e-6)
    assert covariance[0, 1] == covariance[1, 0] == pytest.approx(0.003706, abs=1e-6)
    assert np.diag(covariance) == pytest.approx(np.diag(wrong), rel=1e-4)


KINDS: dict[str, Any] = {
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_frame_is_fitted_by_lifetimes(kind: Any) -> None:
    # Rows of a lazy table come in another order, and its search ends a hair away.
    expected = theirs("BetaGeoFitter", CDNOW).params_.to_dict()
    found = fit_bg_nbd(kind(CDNOW), unit="week", engine="lifetimes")
    assert found.parameters == pytest.approx(expected, rel=1e-5)
    assert found.n_customers == 2357


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FITS, "GammaGammaFitter"])
def test_weights_are_those_of_lifetimes(name: str) -> None:
    weighted = CDNOW.assign(n=1 + np.arange(len(CDNOW)) % 3)
    used = weighted[weighted["frequency"] > 0] if name == "GammaGammaFitter" else weighted
    fitter = theirs(name, used, weights=used["n"])
    fit = FITS.get(name, fit_gamma_gamma)
    model = fit(weighted, weights="n", engine="lifetimes")
    assert model.parameters == pytest.approx(fitter.params_.to_dict(), rel=1e-5)
    assert model.log_likelihood == pytest.approx(natural(fitter), rel=1e-9)
    assert model.n_customers == used["n"].sum()


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 3, 5, 20])
def test_what_makes_lifetimes_fail_is_said_and_our_engine_answers(n: int, capsys: Any) -> None:
    # There LinAlgError for 1 and 2 customers, ConvergenceError for 3, 5 and 20.
    few = CDNOW.sample(n, random_state=1)
    why = "LinAlgError" if n < 3 else "ConvergenceError"
    with pytest.raises(ValueError, match=r".") as raised:
        theirs("BetaGeoFitter", few)
    assert type(raised.value).__name__ == why
    capsys.readouterr()  # it prints what its optimiser says
    with pytest.raises(ArgumentError, match="engine='retainkit'") as ours:
        fit_bg_nbd(few, engine="lifetimes")
    assert why in str(ours.value)
    assert isinstance(ours.value, RetainkitError)
    assert capsys.readouterr().out == ""
    with pytest.warns(RetainkitWarning):
        model = fit_bg_nbd(few)
    assert np.isfinite(model.log_likelihood)
    assert model.n_customers == n


def test_a_penalty_is_not_handed_on() -> None:
    # There it is on the squares of the parameters, and depends on the currency.
    for fit in (fit_bg_nbd, fit_mbg_nbd, fit_gamma_gamma):
        with pytest.raises(ArgumentError, match="from_lifetimes"):
            fit(CDNOW, penalty=0.01, engine="lifetimes")


def test_an_engine_that_there_is_not() -> None:
    for fit in (fit_bg_nbd, fit_mbg_nbd, fit_gamma_gamma):
        with pytest.raises(ArgumentError, match="`engine` is 'scipy'"):
            fit(CDNOW, engine="scipy")  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_data_leave_open_is_said_of_a_fit_by_lifetimes_too() -> None:
    # There r .00026, alpha 160332.6, a = b = 1.10517, and no word.
    once = pd.DataFrame({"frequency": 0, "recency": 0.0, "T": np.linspace(10, 100, 500)})
    with pytest.warns(RetainkitWarning, match="Nobody bought again"):
        model = fit_bg_nbd(once, engine="lifetimes", unit="week")
    assert model.a == pytest.approx(1.10517, abs=1e-5)
    assert model.diagnostics["not_identified"] == ["r", "alpha", "a", "b"]
    assert np.isnan(np.array(model.covariance)).all()
    # There q = .712, and a negative mean spend.
    rng = np.random.default_rng(3)
    amounts = np.exp(rng.normal(3, 2.2, 800))
    spend = pd.DataFrame({"frequency": rng.integers(1, 4, 800), "monetary_value": amounts})
    with pytest.warns(RetainkitWarning, match="infinite"):
        heavy = fit_gamma_gamma(spend, engine="lifetimes")
    assert heavy.q == pytest.approx(0.712, abs=1e-3)
    assert heavy.diagnostics["infinite_mean"]


def test_customers_who_paid_nothing_are_left_out_for_lifetimes_too() -> None:
    free = pd.concat([CDNOW, REPEATERS.head(3).assign(monetary_value=0.0)])
    with pytest.warns(RetainkitWarning, match="3 customers with a mean spend of 0") as told:
        model = fit_gamma_gamma(free, engine="lifetimes")
    assert model.n_customers == 946
    assert told[0].filename == __file__


# --- to lifetimes -------------------------------------------------------------------------------

COUNTING: dict[str, Any] = {
    "BetaGeoFitter": BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week"),
    "ModifiedBetaGeoFitter": MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week"),
}
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)
HISTORY = [CDNOW[column] for column in ("frequency", "recency", "T")]


@each_model
def test_predictions_of_the_object_are_ours(name: str) -> None:
    model, fitter = COUNTING[name], COUNTING[name].to_lifetimes()
    assert type(fitter).__name__ == name
    assert fitter.params_.to_dict() == model.parameters
    alive = model.probability_alive(CDNOW)["probability_alive"]
    expected = model.expected_purchases(CDNOW, 39)["expected_purchases"]
    times = np.array([0.5, 1.0, 39.0, 400.0])
    new = model.expected_purchases_new_customer(times)
    exactly = [fitter.probability_of_n_purchases_up_to_time(39, n) for n in range(100)]
    close: dict[str, Any] = {"rel": 1e-8, "abs": 1e-14}
    assert fitter.conditional_probability_alive(*HISTORY) == pytest.approx(alive, **close)
    assert fitter.predict(39, *HISTORY).to_numpy() == pytest.approx(expected.to_numpy(), **close)
    assert fitter.expected_number_of_purchases_up_to_time(times) == pytest.approx(new, **close)
    assert exactly == pytest.approx(model.purchase_probabilities(range(100), 39), **close)


def test_expected_spend_of_the_object_is_ours() -> None:
    bought, mean = REPEATERS["frequency"], REPEATERS["monetary_value"]
    found = SPEND.to_lifetimes().conditional_expected_average_profit(bought, mean)
    expected = SPEND.expected_spend(REPEATERS)["expected_spend"]
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_lifetime_value_is_computed_by_both_objects_together() -> None:
    # test_value.py has its sums for fits in days; here it only has to run, and to add up by hand.
    purchases, spend = COUNTING["BetaGeoFitter"].to_lifetimes(), SPEND.to_lifetimes()
    value = spend.customer_lifetime_value(
        purchases, *HISTORY, CDNOW["monetary_value"], time=1, discount_rate=0.01, freq="W"
    )
    one = COUNTING["BetaGeoFitter"].expected_purchases(CDNOW, 4.345)["expected_purchases"]
    by_hand = one * SPEND.expected_spend(CDNOW)["expected_spend"] / 1.01
    assert value.to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-8)


@pytest.mark.slow
@each_model
def test_the_object_has_all_that_a_fit_leaves_behind(name: str) -> None:
    own = theirs(name, CDNOW)
    found = FITS[name](CDNOW, unit="week").to_lifetimes(CDNOW)
    assert vars(found).keys() == vars(own).keys()
    pd.testing.assert_frame_equal(found.data, own.data)
    assert found._scale == own._scale
    assert found._negative_log_likelihood_ == pytest.approx(own._negative_log_likelihood_)
    assert found._hessian_ == pytest.approx(own._hessian_, rel=1e-4)
    # Its variances are right, its covariances are not.
    assert found.summary.to_numpy() == pytest.approx(own.summary.to_numpy(), rel=1e-4)
    variances = found.variance_matrix_.to_numpy()
    assert variances == pytest.approx(variances.T)
    assert repr(found) == repr(own)


def test_the_object_for_spend_has_all_that_a_fit_leaves_behind() -> None:
    own = theirs("GammaGammaFitter", REPEATERS)
    found = fit_gamma_gamma(CDNOW).to_lifetimes(CDNOW)
    assert vars(found).keys() == vars(own).keys()
    pd.testing.assert_frame_equal(found.data, own.data)
    assert found._negative_log_likelihood_ == pytest.approx(own._negative_log_likelihood_)
    assert found._hessian_ == pytest.approx(own._hessian_, rel=1e-4)
    assert found.summary.to_numpy() == pytest.approx(own.summary.to_numpy(), rel=1e-4)
    assert len(found.conditional_expected_average_profit()) == 946


def test_the_object_for_spend_tells_of_customers_who_paid_nothing() -> None:
    paid = {"frequency": [2, 1, 3], "monetary_value": [3.0, 0.0, 4.0]}
    with pytest.warns(RetainkitWarning, match="^1 customer with a mean spend of 0 left out"):
        found = SPEND.to_lifetimes(pd.DataFrame(paid))
    assert found.data["frequency"].tolist() == [2, 3]


def test_without_a_fit_and_without_data() -> None:
    fitter = COUNTING["BetaGeoFitter"].to_lifetimes()
    assert fitter.standard_errors_.isna().all()
    assert not hasattr(fitter, "data")
    assert fitter.summary["coef"].to_dict() == COUNTING["BetaGeoFitter"].parameters


def test_weighted_rows_stay_weighted_and_lazy_ones_are_all_there() -> None:
    counted = CDNOW.groupby(["frequency", "recency", "T"]).size().rename("n").reset_index()
    weighted = COUNTING["BetaGeoFitter"].to_lifetimes(counted, weights="n")
    assert len(weighted.data) == len(counted)
    assert weighted.data["weights"].sum() == 2357
    lazy = COUNTING["BetaGeoFitter"].to_lifetimes(KINDS["polars lazy"](CDNOW))
    names = ["frequency", "recency", "T"]
    expected = CDNOW[names].sort_values(names, ignore_index=True)
    pd.testing.assert_frame_equal(lazy.data[names].sort_values(names, ignore_index=True), expected)


@each_model
def test_new_customers_can_be_drawn_from_the_object(name: str) -> None:
    fitter = COUNTING[name].to_lifetimes(CDNOW)
    np.random.seed(1)  # noqa: NPY002 - lifetimes draws from the state that all share
    drawn = fitter.generate_new_data(size=50)
    np.random.seed(1)  # noqa: NPY002
    own = theirs(name, CDNOW)
    own.params_ = fitter.params_
    pd.testing.assert_frame_equal(drawn, own.generate_new_data(size=50))


# plot_expected_repeat_purchases, plot_history_alive and calculate_alive_path raise by
# themselves on today's matplotlib and pandas.
PLOTS = {
    "plot_period_transactions": {},
    "plot_frequency_recency_matrix": {"max_recency": 10},
    "plot_probability_alive_matrix": {},
    "plot_transaction_rate_heterogeneity": {},
    "plot_dropout_rate_heterogeneity": {},
}


@pytest.mark.slow
@each_model
@pytest.mark.parametrize("plot", PLOTS)
def test_the_plots_of_lifetimes_run_on_the_object(name: str, plot: str) -> None:
    from matplotlib import pyplot as plt  # noqa: PLC0415

    with imported_lifetimes():
        from lifetimes import plotting  # type: ignore[import-untyped]  # noqa: PLC0415
    plt.close("all")
    getattr(plotting, plot)(COUNTING[name].to_lifetimes(CDNOW), **PLOTS[plot])
    axes = plt.gca()
    assert axes.has_data() or axes.figure.axes[0].has_data()
    plt.close("all")


def test_the_matrix_of_the_living_is_ours() -> None:
    model = COUNTING["BetaGeoFitter"]
    matrix = model.to_lifetimes(CDNOW).conditional_probability_alive_matrix()
    assert matrix.shape == (int(CDNOW["T"].max()) + 1, int(CDNOW["frequency"].max()) + 1)
    one = pd.DataFrame({"customer_id": [1], "frequency": [4], "recency": [12.0], "T": [38.0]})
    alive = model.probability_alive(one)["probability_alive"][0]
    assert matrix[12, 4] == pytest.approx(alive, rel=1e-12)


# --- from lifetimes -----------------------------------------------------------------------------


@pytest.mark.slow
@each_model
def test_a_fitter_is_taken_over_with_its_data(name: str) -> None:
    fitter = theirs(name, CDNOW)
    model = MODELS[name].from_lifetimes(fitter, unit="week")
    fitted = FITS[name](CDNOW, unit="week", engine="lifetimes")
    assert model.parameters == fitter.params_.to_dict()
    assert model.log_likelihood == pytest.approx(natural(fitter), rel=1e-12)
    assert np.array(model.covariance) == pytest.approx(np.array(fitted.covariance), rel=1e-6)
    assert (model.n_customers, model.unit, model.converged) == (2357, "week", True)
    assert model.largest_T == CDNOW["T"].max()
    assert model.diagnostics["engine"] == "lifetimes"
    assert MODELS[name].from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_a_fitter_of_spend_is_taken_over_with_its_data() -> None:
    fitter = theirs("GammaGammaFitter", REPEATERS)
    model = GammaGamma.from_lifetimes(fitter)
    assert model.parameters == fitter.params_.to_dict()
    assert model.log_likelihood == pytest.approx(-4055.92324, abs=1e-4)
    # The standard errors of the maximum: the Hessian of the rounded file.
    assert model.standard_errors == pytest.approx({"p": 1.190, "q": 0.290, "v": 4.160}, rel=1e-3)


def test_there_and_back() -> None:
    for model in (fit_bg_nbd(CDNOW, unit="week"), fit_mbg_nbd(CDNOW, unit="week")):
        back = type(model).from_lifetimes(model.to_lifetimes(CDNOW), unit="week")
        assert back.parameters == pytest.approx(model.parameters, rel=1e-14)
        assert back.log_likelihood == pytest.approx(model.log_likelihood, rel=1e-12)
        assert np.array(back.covariance) == pytest.approx(np.array(model.covariance), rel=1e-6)
    spend = fit_gamma_gamma(CDNOW)
    back = GammaGamma.from_lifetimes(spend.to_lifetimes(CDNOW))  # type: ignore[assignment]
    assert np.array(back.covariance) == pytest.approx(np.array(spend.covariance), rel=1e-6)


def test_parameters_put_in_by_hand_predict_where_lifetimes_does_not() -> None:
    # a = 1 gives inf there; the limit is 1.1021367860, of 40 digits.
    with imported_lifetimes() as package:
        fitter = package.BetaGeoFitter()
    fitter.params_ = pd.Series({"r": 0.243, "alpha": 4.414, "a": 1.0, "b": 2.426})
    model = BGNBD.from_lifetimes(fitter, unit="week")
    assert model.covariance is None
    assert np.isnan(model.log_likelihood)
    one = pd.DataFrame({"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]})
    expected = model.expected_purchases(one, 39)["expected_purchases"][0]
    assert expected == pytest.approx(1.1021367860, abs=1e-9)


def test_a_fitter_saved_without_data_is_taken_over(tmp_path: Any) -> None:
    path = tmp_path / "fitter.pkl"
    theirs("BetaGeoFitter", CDNOW).save_model(path, save_data=False)
    with imported_lifetimes() as package:
        loaded = package.BetaGeoFitter()
        loaded.load_model(path)
    with pytest.raises(ArgumentError, match=r"`unit` is not given.*unit=\"day\""):
        BGNBD.from_lifetimes(loaded)
    model = BGNBD.from_lifetimes(loaded, unit="week")
    assert model.unit == "week"
    assert model.r == pytest.approx(0.243, abs=1e-3)
    assert model.covariance is None
    assert model.diagnostics == {"engine": "lifetimes"}


def test_a_penalised_fitter_is_not_at_the_maximum() -> None:
    # There a .286, b .658 with the penalizer of the documentation.
    fitter = theirs("BetaGeoFitter", CDNOW, penalizer=0.01)
    with pytest.warns(RetainkitWarning, match="below the maximum") as told:
        model = BGNBD.from_lifetimes(fitter, unit="week")
    assert told[0].filename == __file__
    assert (model.a, model.b) == pytest.approx((0.286, 0.658), abs=1e-3)
    assert model.log_likelihood == pytest.approx(natural(fitter), rel=1e-12)
    assert model.diagnostics["shortfall"] == pytest.approx(-9582.42556 - natural(fitter), abs=1e-4)
    assert not model.converged
    assert np.isnan(np.array(model.covariance)).all()
    with pytest.warns(RetainkitWarning, match="below the maximum"):
        # The mean spend is negative there: q is .968.
        spend = GammaGamma.from_lifetimes(theirs("GammaGammaFitter", REPEATERS, penalizer=0.01))
    assert spend.q == pytest.approx(0.968, abs=1e-3)
    assert spend.diagnostics["infinite_mean"]


def test_what_is_no_such_fitter() -> None:
    with imported_lifetimes() as package:
        plain, modified = package.BetaGeoFitter(), package.ModifiedBetaGeoFitter()
        pareto, spend = package.ParetoNBDFitter(), package.GammaGammaFitter()
    wrong: list[tuple[Any, Any, str]] = [
        (BGNBD, "model.pkl", "`fitter` is a str; it must be a fitted BetaGeoFitter"),
        (BGNBD, pareto, "`fitter` is a ParetoNBDFitter; it must be a fitted BetaGeoFitter"),
        (BGNBD, modified, r"MBGNBD\.from_lifetimes takes that one over"),
        (MBGNBD, plain, r" BGNBD\.from_lifetimes takes that one over"),
        (BGNBD, spend, r"GammaGamma\.from_lifetimes takes that one over"),
        (GammaGamma, plain, "it must be a fitted GammaGammaFitter"),
    ]
    for kind, fitter, message in wrong:
        with pytest.raises(ArgumentTypeError, match=message):
            kind.from_lifetimes(fitter)
    for kind, fitter in ((BGNBD, plain), (MBGNBD, modified), (GammaGamma, spend)):
        with pytest.raises(ArgumentError, match="is not fitted: call its `fit` first"):
            kind.from_lifetimes(fitter)
    with pytest.raises(ArgumentError, match="`unit` is 'D'"):
        BGNBD.from_lifetimes(theirs("BetaGeoFitter", CDNOW), unit="D")  # type: ignore[arg-type]


# --- pickles ------------------------------------------------------------------------------------


@pytest.mark.slow
@each_model
def test_our_models_and_objects_pickle_where_those_of_lifetimes_do_not(name: str) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(theirs(name, CDNOW))
    model = FITS[name](CDNOW, unit="week", engine="lifetimes")
    assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301
    copied = pickle.loads(pickle.dumps(model.to_lifetimes(CDNOW)))  # noqa: S301
    assert copied.predict(39, 2, 30.43, 38.86) > 1
    assert len(copied.generate_new_data(size=3)) == 3
