"""Score reports: published numbers, other ways to the same numbers, and edge cases."""

import math
import re
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

import retainkit as rk
from backends import Backend
from retainkit.errors import ArgumentError, RetainkitWarning
from scored import cdnow_snapshot, cdnow_snapshots, grouped
from tables import Row, rows_of


def report(frame: pd.DataFrame, **options: Any) -> Row:
    return rows_of(rk.score_report(frame, **options))[0]


# --- published numbers -------------------------------------------------------------------------

TELCO = grouped([3875, 1473, 1695], [1655, 166, 48], [1655 / 3875, 166 / 1473, 48 / 1695])


def test_the_churn_rate_of_the_own_contract() -> None:
    # IBM's Telco sample by contract, recounted; AUC and Brier score by scikit-learn 1.9.
    found = report(TELCO)
    assert found["n"] == 7043
    assert found["events"] == 1869
    assert round(found["auc"], 10) == 0.7391084533
    assert round(found["brier"], 10) == 0.1621593280
    assert round(found["brier_null"], 10) == 0.1949487025
    assert round(found["brier_skill"], 6) == 0.168195
    # It is the fitted table.
    assert found["calibration_in_large"] == pytest.approx(0, abs=1e-6)
    assert found["calibration_slope"] == pytest.approx(1, abs=1e-6)


def test_a_model_of_cdnow_on_a_later_snapshot() -> None:
    # statsmodels 0.15 and R's glm: section 5 of the worked numbers.
    model = rk.fit_churn_risk(cdnow_snapshots())
    later = cdnow_snapshot("1998-01-01")
    scored = later.assign(score=model.churn_risk(later)["churn_risk"])
    found = report(scored)
    # By scikit-learn 1.9 on the predictions of statsmodels.
    assert round(found["auc"], 10) == 0.8044917808
    assert round(found["brier"], 10) == 0.1050356183
    assert round(found["brier_null"], 10) == 0.1357175649
    assert round(found["mean_score"], 7) == 0.8186858
    assert round(found["base_rate"], 7) == 0.8380569
    assert round(found["calibration_intercept"], 6) == 0.154340
    assert round(found["calibration_slope"], 6) == 1.018975
    assert round(found["calibration_in_large"], 6) == 0.177738
    # The honest recency, and the leaked one, of section 2.
    honest = report(later.assign(score=later["recency_days"]), probability=False)
    assert round(honest["auc"], 6) == 0.793176


def test_recency_after_the_label_is_a_perfect_score() -> None:
    later = cdnow_snapshot("1998-01-01")
    after = cdnow_snapshot("1998-04-01").set_index("customer_id")["recency_days"]
    leaked = later.assign(score=later["customer_id"].map(after))
    assert report(leaked, probability=False)["auc"] == 1


# --- other ways to the same numbers --------------------------------------------------------------

RNG = np.random.default_rng(11)
SCORES = RNG.beta(2, 2, 150).round(2)
LEFT = (RNG.random(150) < SCORES).astype(int)
RANDOM = pd.DataFrame({"score": SCORES, "churned": LEFT})


def slow_auc(scores: np.ndarray, left: np.ndarray) -> float:
    """Return the share of pairs in order, a tie being half of one."""
    pairs = product(scores[left == 1], scores[left == 0])
    return float(np.mean([(one > other) + (one == other) / 2 for one, other in pairs]))


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    assert report(RANDOM)["auc"] == pytest.approx(slow_auc(SCORES, LEFT), abs=1e-12)


def test_delongs_variance_row_by_row() -> None:
    happened, others = SCORES[LEFT == 1], SCORES[LEFT == 0]
    wins = (happened[:, None] > others) + (happened[:, None] == others) / 2
    variance = np.var(wins.mean(1), ddof=1) / len(happened) + np.var(wins.mean(0), ddof=1) / len(
        others
    )
    found = report(RANDOM, confidence_level=0.6826894921370859)  # one standard error
    assert found["auc_upper"] - found["auc"] == pytest.approx(math.sqrt(variance), abs=1e-10)
    assert found["auc"] - found["auc_lower"] == pytest.approx(math.sqrt(variance), abs=1e-10)


@pytest.mark.slow
def test_delongs_interval_beside_a_bootstrap() -> None:
    rng = np.random.default_rng(2)
    draws = [slow_auc(SCORES[rows], LEFT[rows]) for rows in rng.integers(150, size=(400, 150))]
    found = report(RANDOM)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert found["auc_lower"] == pytest.approx(low, abs=0.02)
    assert found["auc_upper"] == pytest.approx(high, abs=0.02)


def test_calibration_in_the_large_solves_its_equation() -> None:
    odds = logit(SCORES)
    root = brentq(lambda a: LEFT.sum() - expit(a + odds).sum(), -5, 5, xtol=1e-13)
    found = report(RANDOM, confidence_level=0.6826894921370859)
    assert found["calibration_in_large"] == pytest.approx(root, abs=1e-9)
    chance = expit(root + odds)
    error = 1 / math.sqrt((chance * (1 - chance)).sum())
    assert found["calibration_in_large_upper"] - root == pytest.approx(error, abs=1e-7)


def test_the_slope_solves_its_equations() -> None:
    odds, found = logit(SCORES), report(RANDOM, confidence_level=0.6826894921370859)
    design = np.stack([np.ones(150), odds])
    chance = expit(np.array([found["calibration_intercept"], found["calibration_slope"]]) @ design)
    assert design @ (LEFT - chance) == pytest.approx([0, 0], abs=1e-8)
    variance = np.linalg.inv((design * chance * (1 - chance)) @ design.T)
    for name, one in zip(("intercept", "slope"), np.diag(variance), strict=True):
        half = found[f"calibration_{name}_upper"] - found[f"calibration_{name}"]
        assert half == pytest.approx(math.sqrt(one), abs=1e-7)


def test_the_top_decile_is_that_of_the_lift_table() -> None:
    assert report(RANDOM)["top_decile_lift"] == rk.lift_table(RANDOM)["lift"][0]


def test_without_a_probability_what_needs_one_is_undefined() -> None:
    found = report(RANDOM.assign(score=100 * RANDOM["score"]), probability=False)
    with_one = report(RANDOM)
    for name, value in found.items():
        unknown = name in {"brier", "brier_skill"} or name.startswith("calibration")
        if unknown:
            assert value is None, name
        elif name != "mean_score":
            assert value == pytest.approx(with_one[name], abs=1e-12), name


def test_every_engine_reports_each_segment(backend: Backend) -> None:
    rows = [
        {"score": score, "churned": left, "plan": "ab"[i % 2]}
        for i, (score, left) in enumerate(zip(SCORES.tolist(), LEFT.tolist(), strict=True))
    ]
    found = rows_of(rk.score_report(backend.make(rows), by="plan"))
    frame = pd.DataFrame(rows)
    for row, plan in zip(found, "ab", strict=True):
        own = report(frame[frame["plan"] == plan])
        assert row == pytest.approx({"plan": plan} | own, abs=1e-9)


# --- edge cases --------------------------------------------------------------------------------


def test_a_score_that_is_no_probability_is_refused() -> None:
    frame = pd.DataFrame({"score": [1.2, 0.5, -3], "churned": [1, 0, 0]})
    message = "is below 0 or above 1 in 2 rows, of 3: -3, 1.2. It looks like no probability; pass"
    with pytest.raises(ArgumentError, match=f"{message} probability=False"):
        rk.score_report(frame)
    assert report(frame, probability=False)["auc"] == 1


@pytest.mark.parametrize("left", [0, 1])
def test_without_both_outcomes_there_are_counts_and_rates(left: int) -> None:
    found = report(pd.DataFrame({"score": [0.2, 0.4], "churned": left}))
    known = {"n": 2, "events": 2 * left, "base_rate": left, "brier_null": 0}
    for name, value in found.items():
        if name in {"mean_score", "brier"}:
            assert value is not None
        else:
            assert value == known.get(name), name


def test_one_score_tells_nothing() -> None:
    found = report(pd.DataFrame({"score": 0.5, "churned": [0, 1, 0, 0]}))
    assert found["auc"] == 0.5
    assert found["top_decile_lift"] == 1
    assert found["calibration_in_large"] == pytest.approx(logit(0.25))
    assert found["calibration_slope"] is found["calibration_intercept"] is None


def test_certain_scores_are_clipped_for_the_calibration_alone() -> None:
    frame = pd.DataFrame({"score": [0.0, 1.0, 0.5, 0.5, 0.0, 1.0], "churned": [0, 1, 1, 0, 1, 0]})
    message = r"column 'score' .* is 0 or 1 in 4 rows, of 6: .*1e-12"
    with pytest.warns(RetainkitWarning, match=message):
        found = report(frame)
    assert found["brier"] == pytest.approx((0 + 0 + 0.25 + 0.25 + 1 + 1) / 6)
    clipped = frame.assign(score=frame["score"].clip(1e-12, 1 - 1e-12))
    with pytest.warns(RetainkitWarning):  # none is certain any more, but for rounding
        rk.score_report(frame)
    again = report(clipped)
    assert found["calibration_slope"] == pytest.approx(again["calibration_slope"])


def test_a_score_that_separates_is_suspect() -> None:
    frame = pd.DataFrame({"score": [0.9, 0.8, 0.3, 0.2, 0.8], "churned": [1, 1, 0, 0, 0]})
    message = re.escape("column 'score' (given as `score`) tells the outcomes apart, but for ties")
    with pytest.warns(RetainkitWarning, match=message):
        found = report(frame)
    assert found["calibration_slope"] is None
    assert found["calibration_in_large"] is not None


def test_nothing_is_reported_of_nothing() -> None:
    none = pd.DataFrame({"score": [0.5], "churned": [1], "plan": ["a"]}).head(0)
    assert report(none)["n"] == 0
    assert rows_of(rk.score_report(none, by="plan")) == []
