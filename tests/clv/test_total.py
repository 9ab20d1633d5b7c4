"""Totals of values: published numbers, identities, and realised totals whose truth is known."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from clv.test_coverage import PURCHASES as TRUTH
from clv.test_coverage import SPEND as TRUE_SPEND
from clv.test_coverage import customers
from retainkit import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    cltv_from_models,
    cltv_total,
    fit_bg_nbd,
    fit_gamma_gamma,
    rfm_summary,
)
from retainkit._models import gamma_gamma
from retainkit._models.bg_nbd import BG_NBD
from retainkit._models.forecasts import Forecasts
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import rows_of

ORDERS = load_cdnow(sample=True)
ORDERS = ORDERS[ORDERS["time"] < "1997-10-01"]
SUMMARY = rfm_summary(ORDERS, amount="amount", unit="week", exact=True, as_of="1997-10-01")
SUMMARY["came"] = SUMMARY["customer_id"].map(
    ORDERS.groupby("customer_id")["time"].min().dt.strftime("%Y-%m")
)
PURCHASES, SPEND = fit_bg_nbd(SUMMARY), fit_gamma_gamma(SUMMARY)
HOLDOUT: dict[str, Any] = {"horizon": 39, "discount_rate": 0}
INTERVALS = ("purchases_lower", "purchases_upper", "lower", "upper", "mean_lower", "mean_upper")


def total(summary: pd.DataFrame = SUMMARY, **options: Any) -> pd.DataFrame:
    return cltv_total(summary, PURCHASES, SPEND, **HOLDOUT | options)


def only(table: pd.DataFrame) -> dict[str, Any]:
    (row,) = table.to_dict("records")
    return {str(name): value for name, value in row.items()}


def log_deviation(row: dict[str, Any], upper: str, middle: str) -> float:
    return math.log(row[upper] / row[middle]) / 1.959963984540054


# --- numbers that others computed ---


def test_the_parameters_part_of_cdnow() -> None:
    # An implementation of its own, from the definition of the model: NumPy and numerical
    # derivatives. Expected purchases in the 39 weeks after 1997-10-01, and their standard error.
    row = only(total(include_chance=False))
    assert row["customers"] == 2357
    assert row["expected_purchases"] == pytest.approx(1653.409, abs=6e-4)
    error = log_deviation(row, "purchases_upper", "expected_purchases") * 1653.409
    assert error == pytest.approx(74.351, abs=1e-3)
    assert row["purchases_lower"] == pytest.approx(1513.92, abs=6e-3)
    assert row["purchases_upper"] == pytest.approx(1805.75, abs=6e-3)
    assert row["parameter_share"] == 1


def test_the_part_of_chance_and_the_actual_purchases_of_cdnow() -> None:
    # By the same: a standard deviation of 68.5 over 400 to 600 simulated futures, so to 3 %.
    row = only(total())
    both = log_deviation(row, "purchases_upper", "expected_purchases") * 1653.409
    assert math.sqrt(both**2 - 74.351**2) == pytest.approx(68.5, rel=0.06)
    assert row["purchases_upper"] < 1882  # bought in those weeks: the model is not right


@pytest.mark.parametrize("model", [BGNBD, MBGNBD])
@pytest.mark.parametrize(("rate", "t"), [(0.0, 39.0), (0.01, 39.0), (1e-9, 5.0)])
def test_mean_squares_are_those_of_simulated_futures(model: Any, rate: float, t: float) -> None:
    theta, n = np.array([0.4, 5.0, 0.8, 2.5]), 40_000
    rng = np.random.default_rng(7)
    for x, tx in ((0.0, 0.0), (4.0, 30.0)):
        history = tuple(np.array([one]) for one in (x, tx, 40.0))
        customer = Forecasts(process=model.PROCESS, history=history)  # type: ignore[arg-type]
        two, own = customer.mean_square(theta, rate, t)
        owner, when = customer.of_rows(np.zeros(n, int)).simulate(theta, t, rng)
        square = np.bincount(owner, np.exp(-rate * when), n) ** 2
        assert two[0] + own[0] == pytest.approx(square.mean(), abs=4 * square.std() / n**0.5)


def test_mean_squares_of_amounts() -> None:
    # p = 1 and q = 4 given nothing: E[1 / nu^2] = v^2 / (3 * 2) = 1.5 with v = 3.
    product, square = gamma_gamma.mean_squares((1, 4, 3.0), np.zeros(1), np.full(1, np.nan))
    assert (product[0], square[0]) == pytest.approx((1.5, 3.0))
    heavy = gamma_gamma.mean_squares((1, 2, 3.0), np.array([0.0, 1]), np.array([1.0, 1]))
    assert np.isinf(heavy).tolist() == [[True, False]] * 2


# --- identities ---


def test_the_expectations_are_the_sums_of_those_of_customers() -> None:
    each = cltv_from_models(SUMMARY, PURCHASES, SPEND, horizon="12 months", keep="came")
    table = cltv_total(SUMMARY, PURCHASES, SPEND, by="came")
    groups = each.groupby("came")[["expected_purchases", "cltv"]].sum()
    segments = table[~table["all_customers"]].set_index("came")
    for name in groups.columns:
        assert segments[name].tolist() == pytest.approx(groups[name].tolist(), rel=1e-12)
        assert table[name].iloc[-1] == pytest.approx(each[name].sum(), rel=1e-12)


def test_the_row_of_all_is_the_one_without_segments() -> None:
    table, alone = total(by="came"), total()
    assert table["all_customers"].tolist() == [False, False, False, True]
    assert table["came"].isna().tolist() == [False, False, False, True]
    assert only(table.iloc[[-1]].drop(columns="came")) == pytest.approx(only(alone), rel=1e-7)
    sums = table[["customers", "expected_purchases", "cltv"]]
    assert sums.iloc[:3].sum().tolist() == pytest.approx(sums.iloc[3].tolist())
    # Never a sum of bounds: chance evens out.
    assert table["upper"].iloc[3] < table["upper"].iloc[:3].sum()


@pytest.mark.parametrize("some", [SUMMARY, SUMMARY.head(30)], ids=["formula", "drawn"])
def test_one_segment_is_all_customers(some: pd.DataFrame) -> None:
    table = total(some.assign(part="one"), by="part", seed=1)
    segment, whole = (only(table.iloc[[i]].iloc[:, 2:]) for i in (0, 1))
    assert segment == whole


def test_null_is_a_segment_and_not_the_row_of_all() -> None:
    part = [None if one % 3 == 0 else "a" for one in SUMMARY["customer_id"]]
    table = total(SUMMARY.assign(part=pd.Series(part)), by="part")
    assert table["part"].isna().tolist() == [False, True, True]
    assert table["all_customers"].tolist() == [False, False, True]
    assert table["customers"].iloc[1] == part.count(None)


def test_integers_stay_integers_beside_the_null_of_all() -> None:
    part = SUMMARY["customer_id"] % 2 + 2**60
    table = total(SUMMARY.assign(part=part), by="part")
    assert table["part"].iloc[:2].tolist() == [2**60, 2**60 + 1]


def test_means_margin_and_currency() -> None:
    whole, part = only(total(by=None)), only(total(margin=0.25))
    for mean, of in (("mean_cltv", "cltv"), ("mean_lower", "lower"), ("mean_upper", "upper")):
        assert whole[mean] == pytest.approx(whole[of] / 2357)
        assert part[of] == pytest.approx(whole[of] / 4)
    cents = SUMMARY.assign(monetary_value=SUMMARY["monetary_value"] * 100)
    row = only(cltv_total(cents, PURCHASES, fit_gamma_gamma(cents), **HOLDOUT))
    for name in ("cltv", "lower", "upper"):
        assert row[name] == pytest.approx(100 * whole[name], rel=1e-4)
    assert row["parameter_share"] == pytest.approx(whole["parameter_share"], rel=1e-3)


def test_neither_the_order_of_rows_nor_repeated_histories_matter() -> None:
    some = pd.concat([SUMMARY.head(60)] * 3).assign(customer_id=range(180), part=[1, 2, 3] * 60)
    mixed = some.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(total(some, seed=1, by="part"), total(mixed, seed=1, by="part"))


def test_chance_is_what_is_left_out() -> None:
    with_chance, without = only(total()), only(total(include_chance=False))
    share = with_chance["parameter_share"]
    assert 0 < share < 1
    both, alone = (log_deviation(one, "upper", "cltv") for one in (with_chance, without))
    assert alone**2 / both**2 == pytest.approx(share)
    for name in ("customers", "expected_purchases", "cltv", "mean_cltv"):
        assert with_chance[name] == without[name]


# --- what is drawn ---


def test_few_purchases_are_drawn_and_need_a_seed() -> None:
    some = SUMMARY.head(20)
    with pytest.raises(ArgumentError, match=r"1 row of 1 by more than 15%.*`seed`") as caught:
        total(some)
    assert (caught.value.code, caught.value.argument) == ("seed_missing", "seed")
    first, again, other = (only(total(some, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert first["purchases_lower"] == math.floor(first["purchases_lower"])
    assert total(some, include_chance=False)["lower"].notna().all()


def test_nobody_may_buy() -> None:
    row = only(total(SUMMARY[SUMMARY["frequency"] == 0].head(3), seed=1))
    assert row["purchases_lower"] == row["lower"] == 0
    assert row["expected_purchases"] > 0


def test_drawn_limits_go_on_where_those_of_the_formula_end(monkeypatch: Any) -> None:
    some = SUMMARY.head(400)
    formula = only(total(some))
    monkeypatch.setattr("retainkit.clv._totals._LARGE", 0.01)
    drawn = only(total(some, draws=500, seed=1))
    for name in INTERVALS:
        assert drawn[name] == pytest.approx(formula[name], rel=0.1)


def test_amounts_of_infinite_variance_are_drawn() -> None:
    heavy = GammaGamma(
        p=6, q=1.8, v=15, unit="week", covariance=((1, 0, 0), (0, 0.01, 0), (0, 0, 4))
    )
    row = only(cltv_total(SUMMARY.head(200), PURCHASES, heavy, seed=1))
    assert row["parameter_share"] == 0
    assert 0 < row["lower"] < row["cltv"] < row["upper"] < math.inf


def test_an_infinite_mean_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="infinite, and so is the total") as caught:
        cltv_total(SUMMARY, PURCHASES, GammaGamma(p=6, q=0.9, v=15))
    assert caught.value.code == "infinite_mean"


# --- edges ---


def test_without_a_covariance_there_are_no_limits() -> None:
    bare = replace(PURCHASES, covariance=None)
    with pytest.warns(RetainkitWarning, match="There are no intervals.*`purchases` has no"):
        row = only(cltv_total(SUMMARY.head(20), bare, SPEND))
    assert all(math.isnan(row[name]) for name in (*INTERVALS, "parameter_share"))
    with pytest.warns(RetainkitWarning, match="There are no intervals.*`spend` has no"):
        row = only(cltv_total(SUMMARY, PURCHASES, replace(SPEND, covariance=None)))
    assert math.isnan(row["upper"])
    assert row["purchases_upper"] > row["expected_purchases"] > 0


def test_no_customers_make_no_rows_and_no_time_makes_no_value() -> None:
    table, full = total(SUMMARY.head(0), by="came"), total(by="came")
    assert len(table) == 0
    assert table.drop(columns="came").dtypes.equals(full.drop(columns="came").dtypes)
    row = only(total(horizon=0))
    assert [row[name] for name in INTERVALS] == [0] * 6
    assert math.isnan(row["parameter_share"])


def test_a_customer_counts_once() -> None:
    twice = pd.concat([SUMMARY, SUMMARY.head(2)])
    with pytest.raises(ArgumentError, match="2 customers have several rows") as caught:
        total(twice)
    assert caught.value.code == "repeated_customers"


def test_the_same_on_every_kind_of_frame(backend: Backend) -> None:
    rows = SUMMARY.head(300).astype({"monetary_value": float}).to_dict("records")
    # Segment "a" is small, and so drawn.
    rows = [row | {"part": "abb"[i % 3] if i < 30 else "b"} for i, row in enumerate(rows)]
    given = [{name: None if pd.isna(one) else one for name, one in row.items()} for row in rows]
    found = rows_of(cltv_total(backend.make(given), PURCHASES, SPEND, by="part", seed=1))
    wanted = rows_of(cltv_total(pd.DataFrame(rows), PURCHASES, SPEND, by="part", seed=1))
    assert [row["part"] for row in found[:2]] == ["a", "b"]
    for one, other in zip(found, wanted, strict=True):
        numbers = {name: value for name, value in other.items() if name != "part"}
        assert {name: one[name] for name in numbers} == pytest.approx(numbers)


# --- known truth ---


def realised(frame: pd.DataFrame, weeks: float, seed: int) -> tuple[int, float]:
    """Let the customers live on, under the true parameters: purchases and money."""
    rng = np.random.default_rng([39, seed])
    x, tx, T = (frame[name].to_numpy(float) for name in ("frequency", "recency", "T"))  # noqa: N806
    theta = tuple(TRUTH.parameters.values())
    phi = TRUE_SPEND.p, TRUE_SPEND.q, TRUE_SPEND.v
    owner, _ = BG_NBD.simulate_future(theta, weeks, (x, tx, T), rng)
    m = frame["monetary_value"].to_numpy(float)
    return len(owner), gamma_gamma.simulate_amounts(phi, owner, x, m, rng).sum()


@pytest.mark.simulation
@pytest.mark.parametrize("segment", [None, 40])
def test_intervals_cover_what_customers_then_buy(segment: int | None) -> None:
    # The futures are drawn given the histories, so that the truth is that of these customers. With
    # 300 data sets the standard error of a coverage of 95 % is 1.3 %.
    hits, sets = np.zeros(2), 300
    for seed in range(sets):
        frame = customers(seed)
        purchases, spend = fit_bg_nbd(frame, unit="week"), fit_gamma_gamma(frame)
        some = frame if segment is None else frame.head(segment)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RetainkitWarning)
            row = only(cltv_total(some, purchases, spend, **HOLDOUT, seed=seed))
        bought, spent = realised(some, 39, seed)
        hits += (
            row["purchases_lower"] <= bought <= row["purchases_upper"],
            row["lower"] <= spent <= row["upper"],
        )
    assert all(0.92 <= share <= 0.97 for share in hits / sets), hits / sets
