"""Exact lower tails of counts against R, SciPy and enumeration."""

from math import comb

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact, hypergeom

from retainkit._stats.binomial import binomial_lower
from retainkit._stats.hypergeometric import hypergeometric_lower

# R 4: phyper(x, x + y, 112 - x - y, 28), which is fisher.test(..., "less"); pbinom(x, x + y, .25),
# which is poisson.test(c(x, y), c(28, 84), alternative = "less").
OF_R = [
    (2, 30, 0.00221804773975, 0.006707989762),
    (0, 12, 0.0255819178374, 0.03167635202),
    (5, 15, 0.622704379195, 0.617172654387),
    (0, 3, 0.418058968059, 0.421875),
    (0, 30, None, 0.0001785820902),
]


@pytest.mark.parametrize(("x", "y", "by_day", "by_event"), OF_R)
def test_the_printed_digits_of_r(x: int, y: int, by_day: float | None, by_event: float) -> None:
    if by_day is not None:
        assert hypergeometric_lower(x, x + y, 28, 112) == pytest.approx(by_day, rel=2e-12)
    assert binomial_lower(x, x + y, 0.25) == pytest.approx(by_event, rel=5e-10)


def test_a_customer_who_came_every_day() -> None:
    # 84 of 84 days and then 20 of 28, to two digits.
    assert hypergeometric_lower(20, 104, 28, 112) == pytest.approx(6.5e-6, rel=0.01)
    assert binomial_lower(20, 104, 0.25) == pytest.approx(0.104, abs=5e-4)


def test_all_small_tables_are_enumerated() -> None:
    cases = [
        (count, marked, drawn, total)
        for total in range(1, 9)
        for marked in range(total + 1)
        for drawn in range(total + 1)
        for count in range(max(0, marked + drawn - total), min(marked, drawn) + 1)
    ]
    expected = [
        sum(comb(drawn, k) * comb(total - drawn, marked - k) for k in range(count + 1))
        / comb(total, marked)
        for count, marked, drawn, total in cases
    ]
    assert hypergeometric_lower(*np.array(cases).T) == pytest.approx(expected, rel=1e-13)


def test_large_tables_as_scipy_has_them() -> None:
    rng = np.random.default_rng(3)
    total = rng.integers(2, 900, 400)
    drawn, marked = (rng.integers(0, total + 1) for _ in range(2))
    low, high = np.maximum(0, marked + drawn - total), np.minimum(marked, drawn)
    count = rng.integers(low, high + 1)
    found = hypergeometric_lower(count, marked, drawn, total)
    assert found == pytest.approx(hypergeom.cdf(count, total, marked, drawn), rel=1e-9)
    assert found.max() <= 1
    n = rng.integers(0, 5_000, 400)
    count, p = rng.integers(0, n + 1), rng.uniform(0.05, 0.9, 400)
    assert binomial_lower(count, n, p) == pytest.approx(binom.cdf(count, n, p), rel=1e-9)


def test_many_more_than_expected_are_no_few() -> None:
    # A chance of 1e-405 for so many, which no float holds: not even so is the tail below it 0.
    assert hypergeometric_lower([364, 364], 365, 365, [2_000, 1_000]) == pytest.approx([1, 1])


def test_it_is_the_one_sided_test_of_fisher() -> None:
    for recent, before in ((3, 40), (0, 7), (28, 84), (14, 42)):
        table = [[recent, before], [28 - recent, 84 - before]]
        found = hypergeometric_lower(recent, recent + before, 28, 112)
        assert found == pytest.approx(fisher_exact(np.array(table), "less").pvalue, rel=1e-11)


def test_nothing_active_says_nothing() -> None:
    assert hypergeometric_lower(0, 0, 28, 112) == 1
    assert binomial_lower(0, 0, 0.25) == 1
    assert hypergeometric_lower([], [], 28, 112).shape == (0,)
