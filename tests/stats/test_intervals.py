"""The Wilson interval against published tables, and against its own definition."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import oracles
from retainkit._stats.intervals import wilson

# Newcombe (1998), "Two-sided confidence intervals for the single proportion: comparison of
# seven methods", Statistics in Medicine 17:857-872, Table I, method 3 (score, without
# continuity correction), 95 %.
NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("count", "n", "lower", "upper"), NEWCOMBE)
def test_wilson_equals_newcombe_table_1(count: int, n: int, lower: float, upper: float) -> None:
    have = wilson(np.array([count]), np.array([n]), 0.95)
    assert [round(float(bound[0]), 4) for bound in have] == [lower, upper]
    assert [round(bound, 4) for bound in oracles.wilson(count, n)] == [lower, upper]


def test_wilson_in_round_numbers() -> None:
    # By hand with z = 2, that is at level 0.9545: for 5 of 20, p = 1/4 and z²/n = 1/5, so
    # the middle is (1/4 + 1/10) / (6/5) = 7/24, and the half width
    # 2 / (6/5) * sqrt(3/16/20 + 4/1600) = 5/3 * sqrt(19/1600) = sqrt(19) / 24.
    level = 2 * NormalDist().cdf(2) - 1
    lower, upper = wilson(np.array([5]), np.array([20]), level)
    assert lower[0] == pytest.approx((7 - math.sqrt(19)) / 24, abs=1e-12)
    assert upper[0] == pytest.approx((7 + math.sqrt(19)) / 24, abs=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99, 0.9999])
def test_wilson_bounds_solve_the_score_equation(level: float) -> None:
    # The definition (Wilson 1927): the bounds are the p with (count/n - p)² = z² p (1-p) / n,
    # found here by halving an interval instead of by the closed form.
    z = NormalDist().inv_cdf((1 + level) / 2)
    pairs = [(count, n) for n in (1, 2, 7, 29, 1000) for count in {0, 1, n // 3, n - 1, n}]
    counts, ns = (np.array(column) for column in zip(*pairs, strict=True))
    lowers, uppers = wilson(counts, ns, level)
    for (count, n), lower, upper in zip(pairs, lowers, uppers, strict=True):
        assert lower == pytest.approx(_root(count, n, z, 0.0), abs=1e-9)
        assert upper == pytest.approx(_root(count, n, z, 1.0), abs=1e-9)


def _root(count: int, n: int, z: float, outside: float) -> float:
    """Halve between the observed share, inside the interval, and 0 or 1, outside it."""
    inside = count / n
    if inside == outside:
        return outside
    for _ in range(100):
        middle = (inside + outside) / 2
        if (count / n - middle) ** 2 <= z**2 * middle * (1 - middle) / n:
            inside = middle
        else:
            outside = middle
    return inside


def test_wilson_touches_the_ends_exactly_and_never_leaves_them() -> None:
    n = np.arange(1, 2000)
    lower, upper = wilson(np.zeros_like(n), n, 0.95)
    assert (lower == 0).all()
    assert (upper < 1).all()
    lower, upper = wilson(n, n, 0.95)
    assert (upper == 1).all()
    assert (lower > 0).all()


def test_wilson_of_nobody_is_undefined() -> None:
    # -W error: no division warning either.
    lower, upper = wilson(np.array([0, 1]), np.array([0, 2]), 0.95)
    assert np.isnan([lower[0], upper[0]]).all()
    assert lower[1] == pytest.approx(1 - upper[1])


def test_wilson_agrees_with_the_oracle() -> None:
    pairs = [(count, n) for n in range(13) for count in range(n + 1)]
    counts, ns = (np.array(column) for column in zip(*pairs, strict=True))
    for level in (0.9, 0.95):
        want = [oracles.wilson(count, n, level) for count, n in pairs]
        have = zip(*wilson(counts, ns, level), strict=True)
        assert list(have) == [pytest.approx(pair, abs=1e-12, nan_ok=True) for pair in want]
