"""Gamma-Gamma on arrays: the papers' numbers, quadrature and finite differences as witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retainkit._models.gamma_gamma import (
    derivatives,
    expected_spend,
    log_likelihood,
    median_spend,
    simulate,
)
from retainkit._models.rows import RowPoints
from retainkit.datasets import load_cdnow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

PAPER = np.array([6.25, 3.74, 15.44])
MLE = np.array([6.2495732, 3.7442248, 15.4435189])


def at(params: Any) -> RowPoints:
    """The point of all rows."""
    return RowPoints(values=tuple(np.log([[one]]) for one in params))


def cdnow() -> pd.DataFrame:
    """Customers in order, with the number and mean spend of their repeat days in 39 weeks."""
    orders = load_cdnow(sample=True)
    days = orders[orders["time"] <= "1997-09-30"].groupby(["customer_id", "time"])["amount"].sum()
    days = days.reset_index()  # type: ignore[assignment]
    first = days.groupby("customer_id")["time"].transform("min")
    again = days[days["time"] > first].groupby("customer_id")["amount"]
    table = pd.DataFrame({"x": again.size(), "m": again.mean()})
    return table.reindex(days["customer_id"].unique()).fillna({"x": 0})


def test_log_likelihood_on_cdnow() -> None:
    """Fader & Hardie (2013), note 025: -4055.9177."""
    table = cdnow().query("x > 0")
    x, m = table["x"].to_numpy(float), table["m"].to_numpy()
    assert (m.size, m.mean(), m.std(ddof=1)) == pytest.approx((946, 35.08, 30.28), abs=0.005)
    assert log_likelihood(MLE, x, m).sum() == pytest.approx(-4055.91769, abs=6e-6)
    found = derivatives(at(MLE), (x, m))
    np.testing.assert_allclose(found.value[0], log_likelihood(MLE, x, m), rtol=1e-13)
    # It is the maximum.
    np.testing.assert_allclose([one.sum() for one in found.first], 0, atol=1e-3)


def test_expected_spend_of_the_first_ten_customers() -> None:
    """Note 025, as in lifetimes' test_conditional_expected_average_profit: 24.65 18.91 35.17 ...

    x and m: the first rows of lifetimes/datasets/cdnow_customers_summary_with_transactions.csv.
    Exact at these parameters: 24.6637 18.9169 35.2190 71.4697 27.2884.
    """
    x = np.array([2.0, 1, 0, 0, 0, 7, 1, 0, 2, 0])
    m = np.array([22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0])
    right = [24.6637, 18.9169, *[35.2190] * 3, 71.4697, 18.9169, 35.2190, 27.2884, 35.2190]
    np.testing.assert_allclose(expected_spend(PAPER, x, m), right, atol=6e-5, rtol=0)


@pytest.mark.parametrize("params", [(6.25, 3.74, 15.44), (0.4, 0.7, 33.0), (1e5, 1e5, 3.0)])
@pytest.mark.parametrize(("x", "m"), [(1, 0.01), (1, 30), (3, 3), (40, 35), (2000, 3e5)])
def test_log_likelihood_is_that_of_the_paper(
    params: tuple[float, float, float], x: float, m: float
) -> None:
    """Note 025, equation (1a), with 50 digits."""
    with mpmath.workdps(50):
        p, q, v, n, z = map(mpmath.mpf, (*params, x, m))
        gammas = mpmath.loggamma(p * n + q) - mpmath.loggamma(p * n) - mpmath.loggamma(q)
        powers = q * mpmath.log(v) + (p * n - 1) * mpmath.log(z) + p * n * mpmath.log(n)
        right = float(gammas + powers - (p * n + q) * mpmath.log(v + z * n))
    ours = log_likelihood(np.array(params), np.array([float(x)]), np.array([float(m)]))
    np.testing.assert_allclose(ours, right, rtol=1e-11, atol=1e-8)


def test_log_likelihood_is_the_mixture() -> None:
    """The story itself: the density of the mean given nu, integrated over nu."""
    p, q, v, x, m = 1.5, 2.2, 20.0, 3.0, 12.0

    def both(nu: mpmath.mpf) -> mpmath.mpf:
        mean = stats.gamma.pdf(m, p * x, scale=1 / (x * float(nu)))
        return mean * stats.gamma.pdf(float(nu), q, scale=1 / v)

    right = float(mpmath.log(mpmath.quad(both, [0, 0.1, 0.3, 1, 3])))
    ours = log_likelihood(np.array([p, q, v]), np.array([x]), np.array([m]))
    np.testing.assert_allclose(ours, right, rtol=1e-9)


@pytest.mark.parametrize("params", [(6.25, 3.74, 15.44), (0.4, 0.7, 33.0), (50.0, 200.0, 3.0)])
@pytest.mark.parametrize("x", [[1.0, 2.0, 1.0, 7.0, 3.0, 3.0, 2.0, 1.0], [1.5, 40.0]])
def test_derivatives_are_those_of_the_density(
    params: tuple[float, float, float], x: list[float]
) -> None:
    """Differences of note 025's equation (1a) in 80 digits; counts of a table, and others."""
    counts, m = np.array(x), np.linspace(5, 70, len(x))
    found = derivatives(at(params), (counts, m))

    def density(logs: list[mpmath.mpf], k: float, mean: float) -> mpmath.mpf:
        p, q, v = map(mpmath.exp, logs)
        total, shape = mpmath.mpf(k) * mpmath.mpf(mean), p * k
        powers = shape * mpmath.log1p(v / total) + q * mpmath.log1p(total / v)
        return -mpmath.log(mpmath.beta(shape, q)) - mpmath.log(mean) - powers

    with mpmath.workdps(80):
        h, middle = mpmath.mpf("1e-20"), [mpmath.log(one) for one in params]
        for row, (k, mean) in enumerate(zip(counts.tolist(), m.tolist(), strict=True)):

            def moved(
                *steps: tuple[int, mpmath.mpf], k: float = k, mean: float = mean
            ) -> mpmath.mpf:
                point = list(middle)
                for place, step in steps:
                    point[place] += step
                return density(point, k, mean)

            for i in range(3):
                slope = (moved((i, h)) - moved((i, -h))) / (2 * h)
                assert found.first[i][0, row] == pytest.approx(float(slope), rel=1e-9, abs=1e-9)
                for j in range(i, 3):
                    bend = moved((i, h), (j, h)) - moved((i, h), (j, -h))
                    bend += moved((i, -h), (j, -h)) - moved((i, -h), (j, h))
                    right = float(bend / (4 * h**2))
                    assert found.second[i, j][0, row] == pytest.approx(right, rel=1e-9, abs=1e-9)


def test_expected_spend_is_infinite_or_positive() -> None:
    """In lifetimes it is -49.19 for the customer without repeat purchases."""
    params = np.array([0.42387, 0.71195, 33.4289])
    spend = expected_spend(params, np.array([0.0, 1, 3]), np.array([np.nan, 20, 20]))
    np.testing.assert_allclose(spend, [np.inf, 166.7, 40.3], rtol=1e-3)
    one = expected_spend(np.array([1.0, 1.0, 5.0]), np.zeros(1), np.zeros(1))
    np.testing.assert_array_equal(one, [np.inf])


def test_spend_without_purchases_is_that_of_the_population() -> None:
    p, q, v = PAPER
    for nothing in (0.0, np.nan):
        spend = expected_spend(PAPER, np.zeros(1), np.array([nothing]))
        np.testing.assert_allclose(spend, p * v / (q - 1))
        assert np.isfinite(median_spend(PAPER, np.zeros(1), np.array([nothing]))).all()


@pytest.mark.parametrize("params", [(6.25, 3.74, 15.44), (0.4, 0.7, 33.0), (1.0, 0.001, 5.0)])
def test_half_of_such_customers_spend_less_than_the_median(
    params: tuple[float, float, float],
) -> None:
    """P(p / nu < median) by SciPy's distribution of nu given the data."""
    p, q, v = params
    x, m = np.array([1.0, 4.0, 100.0]), np.array([20.0, 35.0, 10.0])
    median = median_spend(np.array(params), x, m)
    share = stats.gamma.sf(p / median, p * x + q, scale=1 / (v + x * m))
    np.testing.assert_allclose(share, 0.5, rtol=1e-9)
    assert np.isfinite(median_spend(np.array(params), np.zeros(1), np.zeros(1))).all()


def test_simulation_follows_the_density() -> None:
    """Kolmogorov-Smirnov against SciPy's beta prime, m x / v ~ B'(p x, q)."""
    p, q, v = PAPER
    for x in (1.0, 5.0):
        m = simulate(PAPER, np.full(20_000, x), np.random.default_rng(0))
        assert stats.kstest(m, stats.betaprime(p * x, q, scale=v / x).cdf).pvalue > 0.01
    m = simulate(PAPER, np.array([0.0, 2.0]), np.random.default_rng(0))
    np.testing.assert_array_equal(np.isnan(m), [True, False])


def test_simulation_repeats_with_its_seed() -> None:
    x = np.arange(1.0, 30)
    one, two = (simulate(PAPER, x, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
