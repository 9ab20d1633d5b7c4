"""Durations that are counted already, and customers with weights."""

import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    cumulative_incidence,
    expected_lifetime,
    median_lifetime,
    survival_curve,
    survival_difference,
)
from retainkit.errors import ArgumentError
from tables import Row, rows_of

COLUMNS: Row = {"duration": "days", "observed": "seen"}


def lives(seed: int, *, entry: bool = False) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for _ in range(40):
        days = draw.randint(1, 9)
        rows.append(
            {
                "days": float(days),
                "seen": draw.random() < 0.7,
                "why": draw.choice("xy"),
                "plan": draw.choice("ab"),
                "number": draw.randint(0, 3),
                "weight": draw.choice([0.0, 0.3, 1.0, 2.5]),
                "from": float(draw.randint(0, days - 1)) if entry else 0.0,
            }
        )
    return rows


def repeated(rows: list[Row]) -> list[Row]:
    return [row for row in rows for _ in range(row["number"])]


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (survival_curve, {"by": "plan"}),
        (cumulative_incidence, {"by": "plan", "reason": "why"}),
        (survival_difference, {"group": "plan", "at": 3, "horizon": 4}),
    ],
)
def test_a_row_may_count_several_customers(function: Any, options: Row, backend: Backend) -> None:
    rows = lives(1)
    have = function(backend.make(rows), counts="number", **COLUMNS, **options)
    want = function(backend.make(repeated(rows)), **COLUMNS, **options)
    assert rows_of(have) == rows_of(want)


def slow(rows: list[Row]) -> dict[float, tuple[float, float, float]]:
    """Return survival, its variance by Xie and Liu (2005), and the effective number, by tenure."""
    found = {}
    survival, total = 1.0, 0.0
    for day in sorted({row["days"] for row in rows}):
        there = [row for row in rows if row["from"] < day <= row["days"]]
        weights = [row["weight"] for row in there]
        gone = sum(row["weight"] for row in there if row["seen"] and row["days"] == day)
        effective = sum(weights) ** 2 / sum(w**2 for w in weights) if any(weights) else 0.0
        stays = 1 - gone / sum(weights) if any(weights) else 1.0
        survival *= stays
        total += (1 - stays) / (effective * stays) if stays > 0 and effective else 0.0
        found[day] = survival, survival**2 * total, effective
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("entry", [False, True])
def test_weights_make_the_curve_of_xie_and_liu(seed: int, *, entry: bool) -> None:
    rows = lives(seed, entry=entry)
    table = survival_curve(pd.DataFrame(rows), weights="weight", entry="from", **COLUMNS)
    for row in rows_of(table):
        if not row["tenure"]:
            continue
        share, variance, effective = slow(rows)[row["tenure"]]
        assert row["survival"] == pytest.approx(share, abs=1e-12)
        assert row["at_risk"] == pytest.approx(effective, abs=1e-9)
        if 1e-9 < share < 1 and variance:
            spread = 1.959963984540054 * math.sqrt(variance) / (share * math.log(share))
            limits = share ** math.exp(-spread), share ** math.exp(spread)
            assert (row["lower"], row["upper"]) == pytest.approx(limits, rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e-7, 0.3])
def test_equal_weights_change_nothing_but_types(scale: float, backend: Backend) -> None:
    rows = [row | {"weight": scale} for row in lives(2, entry=True)]
    have = rows_of(survival_curve(backend.make(rows), weights="weight", entry="from", **COLUMNS))
    want = rows_of(survival_curve(backend.make(rows), entry="from", **COLUMNS))
    for one, other in zip(have, want, strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12, nan_ok=True)


def test_the_scale_of_weights_means_nothing_and_a_weight_of_0_is_nobody() -> None:
    table = pd.DataFrame(lives(3))
    curve = survival_curve(table, weights="weight", **COLUMNS)
    larger = survival_curve(
        table.assign(weight=1000 * table["weight"]), weights="weight", **COLUMNS
    )
    pd.testing.assert_frame_equal(curve, larger)
    some = survival_curve(table[table["weight"] > 0], weights="weight", **COLUMNS)
    at = some["tenure"].tolist()
    pd.testing.assert_frame_equal(curve[curve["tenure"].isin(at)].reset_index(drop=True), some)


def test_whole_weights_weigh_as_many_customers_do() -> None:
    rows = lives(4)
    have = survival_curve(pd.DataFrame(rows), weights="number", **COLUMNS)
    want = survival_curve(pd.DataFrame(repeated(rows)), **COLUMNS)
    both = have.merge(want, on="tenure")
    assert np.allclose(both["survival_x"], both["survival_y"])
    # Fewer customers with weights are less sure than many.
    assert (both["at_risk_x"] <= both["at_risk_y"] + 1e-9).all()
    together = survival_curve(pd.DataFrame(rows), weights="weight", counts="number", **COLUMNS)
    copied = survival_curve(pd.DataFrame(repeated(rows)), weights="weight", **COLUMNS)
    both = together.merge(copied, on="tenure")
    assert np.allclose(both["lower_x"], both["lower_y"])
    assert np.allclose(both["survival_x"], both["survival_y"])


def test_lifetimes_are_read_off_a_weighted_curve() -> None:
    curve = survival_curve(pd.DataFrame(lives(5)), weights="weight", **COLUMNS)
    share = [1.0, *curve["survival"][1:]]
    assert curve["tenure"].tolist() == [*range(10)]
    (row,) = rows_of(expected_lifetime(curve, horizon=6))
    assert row["expected_lifetime"] == pytest.approx(sum(share[:6]))
    (row,) = rows_of(median_lifetime(curve))
    assert row["median"] == next(t for t, one in enumerate(share) if one <= 0.5)


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        ({"weight": -1.0}, {"weights": "weight"}, "'weight' .* holds -1, -1, -1"),
        ({"weight": math.inf}, {"weights": "weight"}, "'weight' .* holds inf"),
        ({"number": -1}, {"counts": "number"}, "'number' .* holds -1"),
        ({"number": None}, {"counts": "number"}, "null in 40 rows"),
    ],
)
def test_what_counts_nothing_is_refused(change: Row, options: Row, text: str) -> None:
    rows = [row | change for row in lives(6)]
    table = pd.DataFrame(rows).astype({"number": "Int64"})
    with pytest.raises(ArgumentError, match=text):
        survival_curve(table, **COLUMNS, **options)


@pytest.mark.parametrize("argument", ["observed", "counts", "weights"])
def test_what_goes_with_durations_is_refused_with_dates(argument: str) -> None:
    table = pd.DataFrame({"customer_id": [1], "start": [pd.Timestamp("2024-01-01")], "end": pd.NaT})
    options: Row = {argument: "n"}
    with pytest.raises(ArgumentError, match=rf"`{argument}` \('n'\) goes with `duration`"):
        survival_curve(table, **options)
