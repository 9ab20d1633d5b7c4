"""The model of churn risk: worked numbers, other ways to them, the alarm for leaks, edge cases."""

import json
import math
import pickle
import re
import warnings
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

import retainkit as rk
from backends import Backend
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from scored import FEATURES, cdnow_snapshot, cdnow_snapshots, made_up
from tables import rows_of


def coefficients(model: rk.ChurnRisk) -> np.ndarray[Any, Any]:
    return np.array([model.intercept, *model.coefficients])


# --- CDNOW -------------------------------------------------------------------------------------

# statsmodels 0.15 and R's glm, clustered errors also by hand in R: section 5 of the worked
# numbers. The estimate, and its error clustered by customer.
CDNOW = {
    "(intercept)": (1.50305439, 0.24282832),
    "recency_days": (0.29161765, 0.02269851),
    "tenure_days": (0.06910359, 0.04995026),
    "orders": (-1.47407980, 0.04795896),
    "orders_90d": (-0.41874188, 0.05587003),
}


def test_the_worked_numbers_of_cdnow() -> None:
    model = rk.fit_churn_risk(cdnow_snapshots())
    assert (model.n, model.n_customers) == (47_140, 23_570)
    assert model.events == 19_363 + 19_393
    assert round(model.log_likelihood, 8) == -18442.56503616
    table = model.coefficient_table()
    assert table["feature"].to_list() == [*CDNOW]
    assert table["coefficient"].round(8).to_list() == [one for one, _ in CDNOW.values()]
    assert table["standard_error"].round(8).to_list() == [error for _, error in CDNOW.values()]
    assert model.diagnostics["snapshots"] == 2


def test_snapshots_of_the_library_give_the_same() -> None:
    orders, days = rk.datasets.load_cdnow(), ["1997-07-01", "1997-10-01"]
    snapshots = rk.churn_snapshots(orders, as_of=days, horizon="90D", windows=["90D"])
    model = rk.fit_churn_risk(snapshots, features=FEATURES)
    assert round(model.log_likelihood, 8) == -18442.56503616


# --- other ways to the same numbers --------------------------------------------------------------

SMALL = made_up()


def slow_fit(design: Any, left: Any, ridge: float) -> Any:
    """Maximise the likelihood by a general search."""

    def below(beta: Any) -> tuple[float, Any]:
        eta = design @ beta
        gradient = design.T @ (expit(eta) - left) + ridge * np.append(0, beta[1:])
        loss = np.logaddexp(0, eta).sum() - left @ eta + ridge * (beta[1:] ** 2).sum() / 2
        return float(loss), gradient

    return minimize(below, np.zeros(design.shape[1]), jac=True, tol=1e-12).x


def slow_covariance(design: Any, left: Any, who: Any, beta: Any) -> Any:
    """Sum up the scores of each customer, one by one."""
    chance = expit(design @ beta)
    bread = np.linalg.inv(design.T @ (design * (chance * (1 - chance))[:, None]))
    middle = np.zeros_like(bread)
    for customer in set(who):
        score = sum(
            design[row] * (left[row] - chance[row]) for row in np.flatnonzero(who == customer)
        )
        middle += np.outer(score, score)
    (n, k), groups = design.shape, len(set(who))
    return groups / (groups - 1) * (n - 1) / (n - k) * bread @ middle @ bread


def design_of(frame: pd.DataFrame) -> Any:
    values = frame[["a", "b"]].to_numpy(float)
    return np.column_stack([np.ones(len(frame)), np.sign(values) * np.log1p(np.abs(values))])


@pytest.mark.parametrize("snapshots", [1, 3])
def test_a_general_search_and_sums_by_customer_give_the_same(snapshots: int) -> None:
    frame = made_up(snapshots=snapshots)
    model = rk.fit_churn_risk(frame)
    design, left = design_of(frame), frame["churned"].to_numpy()
    beta = slow_fit(design, left, 0.0)
    assert coefficients(model) == pytest.approx(beta, abs=1e-6)
    want = slow_covariance(design, left, frame["customer_id"].to_numpy(), coefficients(model))
    assert np.array(model.covariance) == pytest.approx(want, abs=1e-9)
    eta = design @ coefficients(model)
    assert model.log_likelihood == pytest.approx(left @ eta - np.logaddexp(0, eta).sum())


def test_a_penalty_is_a_ridge_on_standardised_coefficients() -> None:
    design, left = design_of(SMALL), SMALL["churned"].to_numpy()
    means, scales = design[:, 1:].mean(0), design[:, 1:].std(0)
    scaled = np.column_stack([design[:, :1], (design[:, 1:] - means) / scales])
    beta = slow_fit(scaled, left, 25.0)
    model = rk.fit_churn_risk(SMALL, penalty=25)
    assert np.array(model.coefficients) * scales == pytest.approx(beta[1:], abs=1e-6)
    assert model.diagnostics["penalty"] == 25
    assert model.diagnostics["errors"] == "clustered by customer, of the penalised fit"
    free = rk.fit_churn_risk(SMALL)
    assert np.abs(model.coefficients).max() < np.abs(free.coefficients).max()


def test_many_rows_begin_from_a_sample_and_end_at_the_same_place() -> None:
    frame = pd.concat([made_up(20_000, 6, seed=seed) for seed in (1,)], ignore_index=True)
    model = rk.fit_churn_risk(frame, transform="none")
    design = np.column_stack([np.ones(len(frame)), frame[["a", "b"]]])
    chance = expit(design @ coefficients(model))
    assert design.T @ (frame["churned"] - chance) == pytest.approx([0, 0, 0], abs=1e-5)
    assert model.diagnostics["iterations"] <= 4
    shuffled = rk.fit_churn_risk(frame.sample(frac=1, random_state=1), transform="none")
    assert coefficients(shuffled) == pytest.approx(coefficients(model), abs=1e-9)


@pytest.mark.simulation
def test_clustered_intervals_cover_the_truth_where_plain_ones_do_not() -> None:
    # Lasting differences between customers; the truth is that of two million rows.
    truth = rk.fit_churn_risk(made_up(500_000, 4, seed=99, same=True)).coefficients[0]
    clustered = plain = 0
    for seed in range(400):
        frame = made_up(300, 4, seed=seed, same=True)
        row = rk.fit_churn_risk(frame).coefficient_table().iloc[1]
        apart = frame.assign(customer_id=range(len(frame)))
        alone = rk.fit_churn_risk(apart).coefficient_table().iloc[1]
        clustered += row["lower"] <= truth <= row["upper"]
        plain += alone["lower"] <= truth <= alone["upper"]
    assert 0.93 <= clustered / 400 <= 0.97
    assert plain / 400 < 0.91


@pytest.mark.simulation
def test_its_risks_hold_a_snapshot_later() -> None:
    options: dict[str, Any] = {"horizon": "90D", "active_within": "180D", "windows": ["90D"]}
    slopes = []
    for seed in range(12):
        orders = rk.datasets.make_customers(2_000, seed=seed).orders
        days = ["2025-01-01", "2025-04-01"]
        model = rk.fit_churn_risk(
            rk.churn_snapshots(orders, as_of=days, **options), features=FEATURES
        )
        later = rk.churn_snapshots(orders, as_of="2025-07-01", **options)
        scored = later.assign(score=model.churn_risk(later)["churn_risk"])
        slopes.append(rk.score_report(scored)["calibration_slope"][0])
    assert 0.9 <= np.mean(slopes) <= 1.1


# --- the risk of customers -----------------------------------------------------------------------


def test_the_risk_and_its_interval_are_those_of_the_log_odds() -> None:
    model, view = rk.fit_churn_risk(SMALL), SMALL.head(50)
    found = model.churn_risk(view)
    design = design_of(view)
    eta = design @ coefficients(model)
    half = 1.959963984540054 * np.sqrt(
        np.array([row @ np.array(model.covariance) @ row for row in design])
    )
    for name, odds in (("churn_risk", eta), ("lower", eta - half), ("upper", eta + half)):
        assert found[name].to_numpy() == pytest.approx(expit(odds), abs=1e-12)
    assert found["customer_id"].to_list() == view["customer_id"].to_list()


def test_reasons_are_the_largest_parts_against_the_mean() -> None:
    model = rk.ChurnRisk(
        features=("recency_days", "orders_90d", "visits"),
        intercept=0.0,
        coefficients=(1.0, -2.0, 0.01),
        means=(math.log(20), math.log(2), 0.0),
        scales=(1.0, 1.0, 1.0),
    )
    view = pd.DataFrame(
        {"customer_id": [1, 2], "recency_days": [41, 19], "orders_90d": [0, 1.5], "visits": 3}
    )
    # By hand: log(42/20) = .74, 2 log(2) = 1.39; log(20/20) = 0, -2 log(2.5/2) = -.45.
    assert model.churn_risk(view)["reasons"].to_list() == [
        "orders_90d 0 (+1.4); recency_days 41 (+0.7)",
        "orders_90d 1.5 (-0.4)",
    ]
    one = model.churn_risk(view, reasons=1)["reasons"].to_list()
    assert one == ["orders_90d 0 (+1.4)", "orders_90d 1.5 (-0.4)"]
    assert model.churn_risk(view, reasons=0)["reasons"].to_list() == ["", ""]


def test_equal_customers_have_equal_risks() -> None:
    model = rk.fit_churn_risk(cdnow_snapshots())
    found = model.churn_risk(cdnow_snapshot("1998-01-01"))
    distinct = cdnow_snapshot("1998-01-01").drop_duplicates(FEATURES)
    assert found["churn_risk"].nunique() == len(distinct)


def test_a_view_may_have_more_columns_and_none_less() -> None:
    model = rk.fit_churn_risk(SMALL)
    view = SMALL.head(3)
    want = model.churn_risk(view)
    few = view[["b", "a", "customer_id", "as_of"]]
    pd.testing.assert_frame_equal(model.churn_risk(few), want)
    with pytest.raises(MissingColumnError, match="`view` needs the column 'b'"):
        model.churn_risk(view.drop(columns="b"))


DAYS = {
    "dates": [date(2024, 3, 1), date(2024, 4, 1)],
    "times": [datetime(2024, 3, 1, 6), datetime(2024, 4, 1, 6)],  # noqa: DTZ001  naive on purpose
    "instants": [datetime(2024, month, 1, 6, tzinfo=ZoneInfo("Asia/Tokyo")) for month in (3, 4)],
    "texts": ["March", "April"],
    "numbers": [3, 4],
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS)
def test_the_snapshot_says_which_row_is_which(backend: Backend, days: list[Any]) -> None:
    # One customer in two snapshots, and another who is in the second alone.
    view = [
        {"customer_id": 7, "a": 1, "b": 0.5, "as_of": days[0]},
        {"customer_id": 7, "a": 4, "b": 0.5, "as_of": days[1]},
        {"customer_id": 8, "a": 1, "b": 2.5, "as_of": days[1]},
    ]
    model = rk.fit_churn_risk(SMALL)
    found = model.churn_risk(backend.make(view))
    names = nw.from_native(found).collect_schema().names()
    assert names == ["as_of", "customer_id", "churn_risk", "lower", "upper", "reasons"]
    rows = {(row["as_of"], row["customer_id"]): row["churn_risk"] for row in rows_of(found)}
    intercept, a, b = coefficients(model)
    assert len(rows) == 3
    for one in view:
        odds = intercept + a * math.log1p(one["a"]) + b * math.log1p(one["b"])
        assert rows[one["as_of"], one["customer_id"]] == pytest.approx(expit(odds))
    given, made = (nw.from_native(one).collect_schema() for one in (backend.make(view), found))
    assert made["as_of"] == given["as_of"]


def test_the_snapshot_is_called_as_in_the_fit() -> None:
    renamed = SMALL.rename(columns={"as_of": "day"})
    model = rk.fit_churn_risk(renamed, snapshot="day")
    found = model.churn_risk(renamed)
    want = rk.fit_churn_risk(SMALL).churn_risk(SMALL)
    pd.testing.assert_frame_equal(found, want.rename(columns={"as_of": "day"}))
    assert found["day"].to_list() == renamed["day"].to_list()
    # The snapshot of another name is a column like any other.
    assert "as_of" not in model.churn_risk(renamed.assign(as_of=1)).columns


def test_a_view_without_the_snapshot_is_scored_without() -> None:
    model = rk.fit_churn_risk(SMALL)
    found = model.churn_risk(SMALL.drop(columns="as_of"))
    assert found.columns.to_list() == ["customer_id", "churn_risk", "lower", "upper", "reasons"]
    pd.testing.assert_frame_equal(found, model.churn_risk(SMALL).drop(columns="as_of"))


def test_the_result_numbers_its_rows_whatever_the_index_of_the_view() -> None:
    model = rk.fit_churn_risk(SMALL)
    view = SMALL.sample(frac=1, random_state=3)
    found = model.churn_risk(view)
    assert found.index.to_list() == list(range(len(view)))
    for key in ("as_of", "customer_id"):
        assert found[key].to_list() == view[key].to_list()


def test_a_model_saved_before_it_knew_the_snapshot_loads() -> None:
    model = rk.fit_churn_risk(SMALL)
    saved = {name: one for name, one in model.to_dict().items() if name != "snapshot"}
    assert rk.ChurnRisk.from_dict(saved) == model


def test_a_null_in_a_view_is_refused_where_the_fit_had_none() -> None:
    model = rk.fit_churn_risk(SMALL)
    view = SMALL.head(3).assign(b=[1.0, math.nan, 2.0])
    with pytest.raises(ArgumentError, match=r"'b' \(given as `view`\) is null in 1 row, of 3"):
        model.churn_risk(view)
    view = pd.DataFrame({"customer_id": [3.0, math.nan], "a": 1, "b": 0.5})
    with pytest.raises(ArgumentError, match=r"'customer_id' .* is null in 1 row, of 2"):
        model.churn_risk(view)


# --- leaks ---------------------------------------------------------------------------------------


def test_a_feature_measured_after_the_label_is_refused() -> None:
    now, after = cdnow_snapshot("1998-01-01"), cdnow_snapshot("1998-04-01")
    late = after.set_index("customer_id").loc[now["customer_id"]].reset_index()
    for leaked in ("recency_days", "orders_90d"):
        with pytest.raises(
            ArgumentError, match=f"`{leaked}` alone tells churned from not"
        ) as caught:
            rk.fit_churn_risk(now.assign(**{leaked: late[leaked]}))
        assert "it probably counts what came after as_of" in str(caught.value)
        assert (caught.value.code, caught.value.column) == ("leaked_feature", leaked)


def test_a_feature_that_nearly_tells_is_warned_of() -> None:
    hint = SMALL["churned"] + 0.3 * np.random.default_rng(3).normal(size=len(SMALL))
    with pytest.warns(RetainkitWarning, match=r"`hint` alone ranks .* AUC of 0\.9\d\d"):
        rk.fit_churn_risk(SMALL.assign(hint=-hint))


def test_features_that_separate_together_are_refused() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=200), rng.normal(size=200)
    frame = pd.DataFrame({"customer_id": range(200), "as_of": 1, "x": x, "y": y, "z": x * y})
    frame["churned"] = (x + y > 0).astype(int)
    with pytest.raises(ArgumentError, match=r"`[xy]`, `[xy]` together tell churned from not"):
        rk.fit_churn_risk(frame, transform="none")
    with pytest.raises(ArgumentError, match="together tell"):
        rk.fit_churn_risk(frame, transform="none", penalty=1e-6)


def test_a_rare_trait_of_one_outcome_is_refused_unless_there_is_a_penalty() -> None:
    rare = SMALL.assign(rare=(SMALL.index == SMALL.index[SMALL["churned"] == 1][0]).astype(int))
    with pytest.raises(ArgumentError, match=r"`rare` tells churned from not for some .*`penalty`"):
        rk.fit_churn_risk(rare)
    assert rk.fit_churn_risk(rare, penalty=1.0).diagnostics["converged"]


# --- what features say ---------------------------------------------------------------------------


def test_what_tells_nothing_new_is_left_out() -> None:
    frame = SMALL.assign(same=SMALL["a"], one=7.0, both=SMALL["a"] + 2 * SMALL["b"])
    want = rk.fit_churn_risk(SMALL, transform="none")
    message = re.escape(
        "3 features of 5 left out, as in these rows they tell nothing new: 'same' is the same as "
        "'a'; 'one' has one value throughout; 'both' follows from 'a', 'b'."
    )
    with pytest.warns(RetainkitWarning, match=message):
        model = rk.fit_churn_risk(frame, transform="none")
    assert model.features == ("a", "b")
    assert model.diagnostics["dropped"] == ["same", "one", "both"]
    assert model.coefficients == pytest.approx(want.coefficients)
    with pytest.raises(ArgumentError, match="no feature varies"):
        rk.fit_churn_risk(frame, features=["one"])


def test_a_null_is_refused_or_told_by_a_feature() -> None:
    lacking = SMALL["a"].where(SMALL.index % 5 > 0)
    frame = SMALL.assign(a=lacking)
    with pytest.raises(ArgumentError, match=r"'a' .* is null in 80 rows, of 400.*'indicator'"):
        rk.fit_churn_risk(frame)
    model = rk.fit_churn_risk(frame, missing="indicator")
    assert model.features == ("a", "b", "a_missing")
    assert model.imputed == ("a",)
    by_hand = frame.assign(a=np.log1p(lacking), a_missing=lacking.isna().astype(float))
    by_hand["a"] = by_hand["a"].fillna(by_hand["a"].mean())
    by_hand["b"] = np.sign(frame["b"]) * np.log1p(frame["b"].abs())
    again = rk.fit_churn_risk(by_hand, transform="none")
    assert again.coefficients == pytest.approx(model.coefficients, abs=1e-9)
    view = frame.head(10)
    risk = model.churn_risk(view)["churn_risk"].to_numpy()
    assert risk == pytest.approx(again.churn_risk(by_hand.head(10))["churn_risk"].to_numpy())
    taken = frame.assign(a_missing=1.0)
    with pytest.raises(ArgumentError, match="`features` has 'a_missing'"):
        rk.fit_churn_risk(taken, missing="indicator")


def test_the_reason_of_a_null_is_called_so() -> None:
    model = rk.ChurnRisk(
        features=("a", "a_missing"),
        intercept=0.0,
        coefficients=(1.0, 2.0),
        means=(1.0, 0.25),
        scales=(1.0, 1.0),
        imputed=("a",),
    )
    view = pd.DataFrame({"customer_id": [1, 2], "a": [None, 0.0]})
    # By hand: 2 * .75, and 0 - 1 - 2 * .25.
    assert model.churn_risk(view)["reasons"].to_list() == ["a null (+1.5)", "a 0 (-1.5)"]


def test_by_default_all_numbers_are_features_but_those_that_are_none() -> None:
    frame = SMALL.assign(
        amount_ahead=1.0, orders_change_28d=None, name="x", flag=SMALL["a"] > 3, day=pd.Timestamp(0)
    ).astype({"orders_change_28d": "Int64"})
    assert rk.fit_churn_risk(frame).features == ("a", "b", "flag")


def test_few_events_are_warned_of() -> None:
    few = pd.concat([SMALL[SMALL["churned"] == 1], SMALL[SMALL["churned"] == 0].head(15)])
    with pytest.warns(RetainkitWarning, match="2 features and 15 rows of the rarer outcome"):
        rk.fit_churn_risk(few)


def test_open_rows_are_left_out() -> None:
    frame = pd.concat([SMALL, SMALL.head(7).assign(as_of=9, churned=None)], ignore_index=True)
    with pytest.warns(RetainkitWarning, match=r"'churned' .* is null in 7 rows, of 407"):
        model = rk.fit_churn_risk(frame.astype({"churned": "Int64"}))
    assert model == rk.fit_churn_risk(SMALL)


@pytest.mark.parametrize("left", [0, 1])
def test_it_takes_both_outcomes(left: int) -> None:
    with pytest.raises(ArgumentError, match=f"is {left} in all 400 rows"):
        rk.fit_churn_risk(SMALL.assign(churned=left))


def test_a_customer_is_once_in_a_snapshot() -> None:
    frame = pd.concat([SMALL, SMALL.head(2)])
    with pytest.raises(ArgumentError, match=r"several times in one snapshot, in 2 rows .* 0, 1"):
        rk.fit_churn_risk(frame)


@pytest.mark.parametrize(
    ("features", "kind", "message"),
    [
        ([], ArgumentError, "`features` is empty"),
        (["a", "a"], ArgumentError, "names 'a' more than once"),
        (["churned"], ArgumentError, "names 'churned', which is the `outcome`"),
        (["name"], ColumnTypeError, "'name' .* must hold numbers or booleans"),
        (["c"], MissingColumnError, "`features` needs the column 'c'"),
        ({"a"}, ArgumentTypeError, "`features` is {'a'}"),
    ],
)
def test_features_are_columns_of_numbers(features: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        rk.fit_churn_risk(SMALL.assign(name="x"), features=features)


def test_infinite_features_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"'b' .* is infinite, or too large .* in 1 row"):
        rk.fit_churn_risk(SMALL.assign(b=[math.inf] + [1.0] * 399))


def test_every_engine_fits_and_scores_the_same(backend: Backend) -> None:
    rows = made_up(60).assign(flag=lambda frame: frame["a"] > 3).to_dict("records")
    want = rk.fit_churn_risk(pd.DataFrame(rows))
    model = rk.fit_churn_risk(backend.make(rows))
    assert coefficients(model) == pytest.approx(coefficients(want), abs=1e-9)
    found = sorted(
        rows_of(model.churn_risk(backend.make(rows[:9]))), key=lambda row: row["customer_id"]
    )
    for have, other in zip(found, rows_of(want.churn_risk(pd.DataFrame(rows[:9]))), strict=True):
        assert have == pytest.approx(other, abs=1e-9)


# --- kept for later ------------------------------------------------------------------------------


def test_a_model_comes_back_from_json() -> None:
    model = rk.fit_churn_risk(SMALL)
    text = json.dumps(model.to_dict(), allow_nan=False)
    again = rk.ChurnRisk.from_dict(json.loads(text))
    assert again == model == pickle.loads(pickle.dumps(model))  # noqa: S301
    assert hash(again) == hash(model)
    assert (
        repr(again)
        == repr(model)
        == "ChurnRisk(400 rows of 200 customers, " + (f"{model.events} events, 2 features)")
    )
    pd.testing.assert_frame_equal(again.churn_risk(SMALL), model.churn_risk(SMALL))
    assert model != rk.fit_churn_risk(SMALL, penalty=1.0)
    assert model != "model"
    html = model._repr_html_()
    assert "(intercept)" in html
    assert "<caption>ChurnRisk(400 rows" in html


def test_a_model_without_covariance_has_no_intervals() -> None:
    values = rk.fit_churn_risk(SMALL).to_dict() | {"covariance": None, "log_likelihood": None}
    model = rk.ChurnRisk.from_dict(values)
    assert model.coefficient_table()["standard_error"].isna().all()
    found = model.churn_risk(SMALL.head(3))
    assert found[["lower", "upper"]].isna().all(axis=None)
    assert not found["churn_risk"].isna().any()
    assert model == rk.ChurnRisk.from_dict(json.loads(json.dumps(model.to_dict())))


RUBBISH: dict[str, list[Any]] = {
    "features": [None, "a", ["a", 1], ["a", "a"], [1, 2]],
    "intercept": [None, "1", math.nan, math.inf],
    "coefficients": [None, [1.0], "ab", [1.0, None], [1.0, math.inf]],
    "means": [None, [1.0], [1.0, "x"]],
    "scales": [None, [1.0, 0.0], [1.0, -1.0], [1.0, 1e200]],
    "covariance": ["x", [[1.0]], [[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]]],
    "n": [None, -1, 1.5],
    "n_customers": ["many"],
    "events": [-1],
    "log_likelihood": ["x", math.inf],
    "transform": ["sqrt", None],
    "imputed": ["a", [1]],
    "customer": [None, 3],
    "snapshot": [None, 3],
    "confidence_level": [0, 95, None],
    "diagnostics": [None, [], {"penalty": -1}, {"iterations": "x"}],
    "model": ["SBG", None],
    "format": [99, "x"],
    "retainkit": [3],
}


@pytest.mark.parametrize("field", RUBBISH)
def test_what_is_malformed_is_refused_by_the_name_of_its_field(field: str) -> None:
    saved = rk.fit_churn_risk(SMALL).to_dict()
    for value in RUBBISH[field]:
        with pytest.raises((ArgumentError, ArgumentTypeError), match=field):
            rk.ChurnRisk.from_dict(saved | {field: value})
    with pytest.raises(ArgumentError, match="lacks 'intercept'"):
        rk.ChurnRisk.from_dict({name: one for name, one in saved.items() if name != "intercept"})
    with pytest.raises(ArgumentError, match="unknown 'colour'"):
        rk.ChurnRisk.from_dict(saved | {"colour": "red"})


def test_a_name_of_the_result_is_no_name_of_a_key() -> None:
    model = rk.fit_churn_risk(SMALL.rename(columns={"customer_id": "reasons"}), customer="reasons")
    with (
        warnings.catch_warnings(),
        pytest.raises(ArgumentError, match="names the column 'reasons'"),
    ):
        model.churn_risk(SMALL.rename(columns={"customer_id": "reasons"}))
    renamed = SMALL.rename(columns={"as_of": "lower"})
    model = rk.fit_churn_risk(renamed, snapshot="lower")
    with pytest.raises(ArgumentError, match="`snapshot` names the column 'lower'"):
        model.churn_risk(renamed)
    model.churn_risk(renamed.drop(columns="lower"))
