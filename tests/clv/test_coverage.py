"""Intervals that say 95 % cover the truth in about 95 of 100 data sets whose truth is known.

Customers live, buy and spend here by random numbers alone, as the models tell the story; both
models are fitted to what is seen of them, and the truth is looked for in the intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from retainkit import BGNBD, GammaGamma, cltv_from_models, fit_bg_nbd, fit_gamma_gamma

SETS, CUSTOMERS = 300, 2500
# Near to CDNOW's, and seen for 40 to 80 weeks, with which the intervals, good for many customers,
# may be held to their word.
PURCHASES = BGNBD(r=0.4, alpha=5.0, a=0.8, b=2.5, unit="week")
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)


def customers(seed: int) -> pd.DataFrame:
    """Let customers live: gamma rates, beta drop-out after each repeat purchase, gamma amounts."""
    rng = np.random.default_rng([2357, seed])
    r, alpha, a, b = PURCHASES.parameters.values()
    p, q, v = SPEND.parameters.values()
    rate, drop = rng.gamma(r, 1 / alpha, CUSTOMERS), rng.beta(a, b, CUSTOMERS)
    nu = rng.gamma(q, 1 / v, CUSTOMERS)
    observed = rng.integers(40, 80, CUSTOMERS).astype(np.float64)
    x, tx, now, spent = np.zeros((4, CUSTOMERS))
    alive = np.ones(CUSTOMERS, bool)
    while alive.any():
        now = now + rng.exponential(size=CUSTOMERS) / np.maximum(rate, 1e-300)
        alive &= now <= observed
        x, tx = x + alive, np.where(alive, now, tx)
        spent = spent + alive * rng.gamma(p, 1 / nu)
        alive &= rng.random(CUSTOMERS) >= drop
    return pd.DataFrame(
        {
            "customer_id": np.arange(CUSTOMERS),
            "frequency": x.astype(np.int64),
            "recency": tx,
            "T": observed,
            "monetary_value": np.divide(spent, x, out=np.full(CUSTOMERS, np.nan), where=x > 0),
        }
    )


def mean_value(frame: pd.DataFrame, theta: Any, phi: Any) -> float:
    """Return the mean CLTV of 12 months, of customers given, at parameters given."""
    purchases = BGNBD(**dict(zip(BGNBD.NAMES, theta, strict=True)), unit="week")
    spend = GammaGamma(**dict(zip(GammaGamma.NAMES, phi, strict=True)))
    discounted = purchases.discounted_expected_purchases(frame, 0.1, "12 months")
    each = spend.expected_spend(frame)
    return float((discounted.iloc[:, 1] * each.iloc[:, 1]).mean())


def interval_of_the_mean(
    frame: pd.DataFrame, purchases: BGNBD, spend: GammaGamma
) -> tuple[float, float]:
    """Return the delta method's interval of the mean CLTV, by differences of its logarithm."""
    both = [np.array([*model.parameters.values()]) for model in (purchases, spend)]
    variance = 0.0
    for i, model in enumerate((purchases, spend)):
        slopes = []
        for j in range(both[i].size):
            moved = []
            for step in (1e-4, -1e-4):
                near = [one.copy() for one in both]
                near[i][j] *= np.exp(step)
                moved.append(np.log(mean_value(frame, *near)))
            slopes.append((moved[0] - moved[1]) / 2e-4)
        slope = np.array(slopes) / both[i]  # from the slope by log parameters to that by parameters
        variance += slope @ np.array(model.covariance) @ slope
    middle, factor = mean_value(frame, *both), np.exp(1.959964 * np.sqrt(variance))
    return middle / factor, middle * factor


@pytest.mark.simulation
def test_intervals_cover_the_truth() -> None:
    # With 300 data sets the standard error of a coverage of 95 % is 1.3 %.
    truth = PURCHASES.parameters | SPEND.parameters
    hits = dict.fromkeys([*truth, "mean CLTV"], 0)
    for seed in range(SETS):
        frame = customers(seed)
        purchases, spend = fit_bg_nbd(frame, unit="week"), fit_gamma_gamma(frame)
        for model in (purchases, spend):
            for row in model.summary().itertuples():
                hits[row.parameter] += row.lower <= truth[row.parameter] <= row.upper  # type: ignore[arg-type,assignment,index,operator]
        lower, upper = interval_of_the_mean(frame, purchases, spend)
        right = mean_value(frame, PURCHASES.parameters.values(), SPEND.parameters.values())
        hits["mean CLTV"] += lower <= right <= upper
    coverage = {name: count / SETS for name, count in hits.items()}
    assert all(0.92 <= share <= 0.97 for share in coverage.values()), coverage


@pytest.mark.filterwarnings("ignore:There are no intervals:retainkit.RetainkitWarning")
def test_the_mean_value_is_that_of_cltv_from_models() -> None:
    # What is differentiated above is the mean of the library's column.
    frame = customers(0)
    table = cltv_from_models(frame, PURCHASES, SPEND, discount_rate=0.1, horizon="12 months")
    mean = mean_value(frame, PURCHASES.parameters.values(), SPEND.parameters.values())
    assert table["cltv"].mean() == pytest.approx(mean, rel=1e-12)
