"""Intervals hold the truth as often as they say, and the log-rank test errs as often as it says."""

import math

import numpy as np
import pandas as pd
import pytest

from retainkit import cumulative_incidence, survival_curve, survival_difference

N, RUNS, AT = 80, 200, 4.0
BUYS, LEAVES = 0.08, 0.05  # hazards of two reasons


def customers(rng: np.random.Generator, groups: int = 1) -> pd.DataFrame:
    """Draw customers who leave for one of two reasons, some of them after observation ended."""
    first, second = rng.exponential(1 / BUYS, N * groups), rng.exponential(1 / LEAVES, N * groups)
    end = rng.uniform(0, 12, N * groups)
    days = np.minimum(first, second)
    return pd.DataFrame(
        {
            "days": np.minimum(days, end),
            "seen": days < end,
            "why": np.where(first < second, "a", "b"),
            "group": np.arange(N * groups) % groups,
            "weight": rng.choice([0.3, 1.0, 3.0], N * groups),
        }
    )


def holds(rows: pd.DataFrame, truth: float) -> bool:
    """Return whether the last interval up to the tenure holds the truth."""
    row = rows[rows["tenure"] <= AT].iloc[-1]
    return bool(row["lower"] <= truth <= row["upper"])


@pytest.mark.simulation
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng([13, 1])
    stays = math.exp(-(BUYS + LEAVES) * AT)
    left = BUYS / (BUYS + LEAVES) * (1 - stays)
    columns = {"duration": "days", "observed": "seen"}
    hits = np.zeros(2)
    for _ in range(RUNS):
        table = customers(rng)
        found = cumulative_incidence(table, reason="why", **columns)  # type: ignore[arg-type]
        curve = survival_curve(table, weights="weight", **columns)  # type: ignore[arg-type]
        hits += holds(found[found["why"] == "a"], left), holds(curve, stays)
    # 95 % of 200 have a standard error of 1.5 %.
    assert (np.abs(hits / RUNS - 0.95) < 0.045).all()


@pytest.mark.simulation
def test_groups_that_are_alike_rarely_differ() -> None:
    rng = np.random.default_rng([13, 2])
    hits = np.zeros(3)
    for _ in range(RUNS):
        found = survival_difference(
            customers(rng, 2), group="group", at=AT, horizon=AT, duration="days", observed="seen"
        ).iloc[0]
        hits += (
            found["p_value"] > 0.05,
            found["survival_lower"] <= 0 <= found["survival_upper"],
            found["lifetime_lower"] <= 0 <= found["lifetime_upper"],
        )
    assert (np.abs(hits / RUNS - 0.95) < 0.045).all()
