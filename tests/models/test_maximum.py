"""Maximum likelihood: published estimates, other optimisers, and data that do not tell."""
# ruff: noqa: N803, N806 - T is what the papers call it

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from lives import buy_and_drop_out
from retainkit._models import gamma_gamma, purchase_fits
from retainkit._models.bg_nbd import BG_NBD, MBG_NBD
from retainkit._models.gamma_gamma_fit import fit_spend
from retainkit._models.maximum import Maximum, by_differences, covariance, maximise
from retainkit.datasets import load_cdnow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from retainkit._models.fit import Fit

    Floats: TypeAlias = NDArray[np.float64]

COUNTING = [
    (0.243, 4.414, 0.793, 2.426),  # CDNOW
    (1.5, 20.0, 0.3, 6.0),  # hardly any drop-out
    (0.5, 60.0, 1.0, 3.0),  # rare purchases
    (2.0, 5.0, 4.0, 12.0),  # customers much alike
]
SPEND = [(6.25, 3.74, 15.44), (1.5, 2.0, 20.0), (3.0, 8.0, 50.0), (0.8, 1.2, 5.0)]


def fit_purchases(  # noqa: PLR0917
    x: Floats,
    tx: Floats,
    T: Floats,
    weights: Floats,
    shift: int,
    penalty: float = 0.0,
) -> Fit:
    """Fit BG/NBD (`shift` 0) or MBG/NBD (1)."""
    process = (BG_NBD, MBG_NBD)[shift]
    return purchase_fits.fit_purchases(process, (x, tx, T), weights, penalty)


def cdnow(end: str) -> tuple[Floats, ...]:
    """Return x, tx, T in exact weeks, and the number and mean of the repeat purchases."""
    orders = load_cdnow(sample=True)
    days = orders[orders["time"] <= end].groupby(["customer_id", "time"])["amount"].sum()
    days = days.reset_index()  # type: ignore[assignment]
    own = days.groupby("customer_id")["time"]
    x, first, last = own.size() - 1, own.min(), own.max()
    again = days[days["time"] > own.transform("min")].groupby("customer_id")["amount"].mean()
    length = (pd.Timestamp(end) - first).dt.days
    columns = (x, (last - first).dt.days / 7, length / 7, x[again.index], again)
    return tuple(column.to_numpy(np.float64) for column in columns)


def simulate(
    params: Sequence[float],
    T: Floats,
    shift: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw the histories of customers of BG/NBD (`shift` 0) or MBG/NBD (1)."""
    r, alpha, a, b = params
    rate, drop = rng.gamma(r, 1 / alpha, T.size), rng.beta(a, b, T.size)
    return buy_and_drop_out(rate, drop, T, rng, shift)


def counting_oracle(
    params: Floats,
    x: Floats,
    tx: Floats,
    T: Floats,
    shift: int,
) -> float:
    """The log-likelihood from sums of logarithms: no gamma function, no difference of large ones.

    Optimisers without a box go where a is 1e8 and b is 1e-9; there the sum must still be right.
    """
    r, alpha, a, b = params
    j = np.arange(x.max() + 1)
    rising = np.append(0.0, np.cumsum(np.log(r + j)))
    stays = np.append(0.0, np.cumsum(np.log(b + j) - np.log(a + b + j)))
    n = x.astype(int)
    k = n + shift
    last = np.log(a) - np.log(b + np.maximum(k - 1, 0))
    odds = np.where(k > 0, last + (r + x) * np.log1p((T - tx) / (alpha + tx)), -np.inf)
    bought = rising[n] - x * np.log(alpha) - (r + x) * np.log1p(T / alpha)
    return float(np.sum(bought + stays[k] + np.logaddexp(0, odds)))


def spend_oracle(params: Floats, x: Floats, m: Floats) -> float:
    """SciPy's own density: m given x is beta prime with scale v / x, m x / v ~ B'(p x, q)."""
    from scipy.stats import betaprime  # noqa: PLC0415 (its import is slow)

    p, q, v = params
    return float(betaprime.logpdf(m, p * x, q, scale=v / x).sum())


def best(value: Callable[[Floats], float], scale: Floats, found: Floats) -> float:
    """Best of BFGS from four starts and Nelder-Mead from `found`, the best of them polished."""

    def loss(theta: Floats) -> float:
        height = value(np.exp(np.clip(theta, -20, 20)) * scale)
        return -height if np.isfinite(height) else 1e10

    rng = np.random.default_rng(0)
    starts = [np.zeros(scale.size), *rng.normal(size=(3, scale.size))]
    tried = [minimize(loss, start, method="BFGS") for start in starts]
    tried.append(minimize(loss, np.clip(np.log(found / scale), -10, 10), method="Nelder-Mead"))
    top = min(tried, key=lambda result: result.fun)
    return -min(top.fun, minimize(loss, top.x, method="Nelder-Mead").fun)


def counting_gap(params: Sequence[float], n: int, seed: Sequence[int], shift: int) -> float:
    rng = np.random.default_rng(seed)
    T = rng.integers(26, 53, n).astype(float)
    x, tx = simulate(params, T, shift, rng)
    fit = fit_purchases(x, tx, T, np.ones(n), shift)
    assert fit.converged, (params, n, seed, fit)
    own = counting_oracle(fit.parameters, x, tx, T, shift)
    assert fit.log_likelihood == pytest.approx(own, abs=1e-5)
    scale = np.array([1, T.mean(), 1, 1])
    return best(lambda p: counting_oracle(p, x, tx, T, shift), scale, fit.parameters) - own


def spend_gap(params: Sequence[float], n: int, seed: Sequence[int]) -> float:
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.4, n).astype(float)
    m = gamma_gamma.simulate(np.array(params), x, rng)
    fit = fit_spend(x, m, np.ones(n))
    assert fit.converged, (params, n, seed, fit)
    own = spend_oracle(fit.parameters, x, m)
    assert fit.log_likelihood == pytest.approx(own, abs=1e-5)
    scale = np.array([1, 1, m.mean()])
    return best(lambda p: spend_oracle(p, x, m), scale, fit.parameters) - own


# Published


@pytest.mark.parametrize(
    ("shift", "params", "log_likelihood", "errors"),
    [
        # Fader, Hardie & Lee (2005), Marketing Science 24: .243, 4.414, .793, 2.426; -9582.4.
        # The other digits: maxima found apart from this code, on exact weeks.
        (
            0,
            (0.2425945, 4.4136023, 0.7929221, 2.4259072),
            -9582.42921,
            (0.01256, 0.37822, 0.18573, 0.70542),
        ),
        # Batislam et al. (2007), BTYDplus: .525, 6.183, .891, 1.614; the digits as above.
        (
            1,
            (0.5248432, 6.1830852, 0.8913595, 1.6140024),
            -9582.13572,
            (0.0833, 0.6956, 0.1548, 0.5375),
        ),
    ],
)
def test_counting_on_cdnow(
    shift: int, params: Floats, log_likelihood: float, errors: Floats
) -> None:
    x, tx, T, *_ = cdnow("1997-09-30")
    fit = fit_purchases(x, tx, T, np.ones(x.size), shift)
    np.testing.assert_allclose(fit.parameters, params, rtol=5e-7)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=6e-6)
    digits = 5 if shift == 0 else 4
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), errors, atol=0.6 * 10.0**-digits, rtol=0
    )
    assert fit.converged
    assert fit.warnings == []


def test_the_covariance_of_cdnow_is_not_that_of_lifetimes() -> None:
    """By the Hessian .003706 and .780, where lifetimes has .067431 beside .000204."""
    x, tx, T, *_ = cdnow("1997-09-30")
    matrix = fit_purchases(x, tx, T, np.ones(x.size), 0).covariance
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix[0, 1] == pytest.approx(0.003706, abs=6e-7)
    assert matrix[0, 1] / np.sqrt(matrix[0, 0] * matrix[1, 1]) == pytest.approx(0.780, abs=6e-4)


def test_spend_on_cdnow() -> None:
    """Fader & Hardie (2013), note 025: 6.25, 3.74, 15.44; the other digits apart from this code."""
    *_, x, m = cdnow("1997-09-30")
    assert (x.size, m.mean(), m.std(ddof=1)) == (
        946,
        pytest.approx(35.08, abs=0.005),
        pytest.approx(30.28, abs=0.005),
    )
    fit = fit_spend(x, m, np.ones(x.size))
    np.testing.assert_allclose(fit.parameters, (6.2495732, 3.7442248, 15.4435189), rtol=5e-7)
    assert fit.log_likelihood == pytest.approx(-4055.91769, abs=6e-6)
    # The cases print 1.1901, .2901, 4.1595; the score equations and their derivatives with 30
    # digits (mpmath) give the last one as 4.15942275.
    errors = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(errors, (1.19005534, 0.290133065, 4.15942275), rtol=1e-6)
    np.testing.assert_allclose(errors, (1.1901, 0.2901, 4.1595), atol=1e-4, rtol=0)


def test_spend_on_78_weeks_of_cdnow() -> None:
    """Notebook rfm-and-clv of abdullahau/customer-analytics: 4.6823, 4.1904, 24.4006."""
    *_, x, m = cdnow("1998-06-30")
    fit = fit_spend(x, m, np.ones(x.size))
    assert x.size == 1139
    np.testing.assert_allclose(fit.parameters, (4.6834532, 4.1897836, 24.3905565), rtol=5e-7)


# Against other optimisers: hundreds of further sets are in test_other_optimisers.py


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("params", COUNTING)
@pytest.mark.parametrize("n", [50, 200])
def test_counting_is_as_good_as_other_optimisers(
    params: Sequence[float], n: int, shift: int
) -> None:
    assert counting_gap(params, n, [n, 1], shift) < 0.01


@pytest.mark.parametrize("params", SPEND)
@pytest.mark.parametrize("n", [50, 200])
def test_spend_is_as_good_as_other_optimisers(params: Sequence[float], n: int) -> None:
    assert spend_gap(params, n, [n, 1]) < 0.01


# What does not change an answer


def small(seed: int = 0, n: int = 300) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    T = rng.integers(26, 53, n).astype(float)
    return *simulate(COUNTING[0], T, 0, rng), T


@pytest.mark.parametrize("shift", [0, 1])
def test_a_weight_is_a_repeated_row(shift: int) -> None:
    columns = small()
    weights = np.random.default_rng(1).integers(0, 4, columns[0].size)
    one = fit_purchases(*columns, weights.astype(float), shift)
    x, tx, T = (np.repeat(column, weights) for column in columns)
    other = fit_purchases(x, tx, T, np.ones(weights.sum()), shift)
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-6)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-5)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)


def test_a_weight_is_a_repeated_row_of_spend() -> None:
    *_, x, m = cdnow("1997-09-30")
    weights = np.random.default_rng(1).integers(0, 4, x.size)
    one = fit_spend(x, m, weights.astype(float))
    other = fit_spend(np.repeat(x, weights), np.repeat(m, weights), np.ones(weights.sum()))
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-6)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-5)


@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_the_unit_of_time_does_not_matter(penalty: float) -> None:
    x, tx, T = small()
    weeks = fit_purchases(x, tx, T, np.ones(x.size), 0, penalty)
    days = fit_purchases(x, 7 * tx, 7 * T, np.ones(x.size), 0, penalty)
    np.testing.assert_allclose(days.parameters, weeks.parameters * [1, 7, 1, 1], rtol=1e-6)
    # A density of x points in time: each is 7 times thinner.
    shift = x.sum() * np.log(7)
    assert days.log_likelihood == pytest.approx(weeks.log_likelihood - shift, abs=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_the_currency_does_not_matter(penalty: float) -> None:
    """In lifetimes q is .968 in dollars and .184 in cents."""
    *_, x, m = cdnow("1997-09-30")
    dollars = fit_spend(x, m, np.ones(x.size), penalty)
    cents = fit_spend(x, 100 * m, np.ones(x.size), penalty)
    np.testing.assert_allclose(cents.parameters, dollars.parameters * [1, 1, 100], rtol=1e-6)


def test_a_penalty_is_on_the_logarithms() -> None:
    """The definition of the penalised objective, maximised in the test without a gradient."""
    x, tx, T = small()

    def loss(theta: Floats) -> float:
        log_r, log_alpha, logit, log_sum = theta
        share = 1 / (1 + np.exp(-logit))
        a, b = share * np.exp(log_sum), (1 - share) * np.exp(log_sum)
        params = np.array([np.exp(log_r), np.exp(log_alpha) * T.mean(), a, b])
        return 0.01 * float(theta @ theta) - counting_oracle(params, x, tx, T, 0) / x.size

    options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000}
    found = minimize(loss, np.zeros(4), method="Nelder-Mead", options=options).x  # type: ignore[call-overload]
    fit = fit_purchases(x, tx, T, np.ones(x.size), 0, penalty=0.01)
    r, alpha, a, b = fit.parameters
    ours = [np.log(r), np.log(alpha / T.mean()), np.log(a / b), np.log(a + b)]
    np.testing.assert_allclose(ours, found, atol=1e-5)
    assert fit.log_likelihood == pytest.approx(counting_oracle(fit.parameters, x, tx, T, 0))


def test_many_rows_give_what_their_maximum_is() -> None:
    """Beyond 20,000 rows a part of them finds the neighbourhood; all decide."""
    x, tx, T = small(n=30_000)
    fit = fit_purchases(x, tx, T, np.ones(x.size), 0)
    assert fit.converged
    for j in range(4):
        nearby = [
            counting_oracle(fit.parameters * (1 + s * 1e-3 * (np.arange(4) == j)), x, tx, T, 0)
            for s in (-1, 0, 1)
        ]
        assert max(nearby) == nearby[1]
    assert fit.diagnostics["iterations"] < 40


# Data that do not tell


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_nobody_buys_again(shift: int, penalty: float) -> None:
    """In lifetimes a = b = 1.10517, its start value, and no warning."""
    nothing = np.zeros(500)
    fit = fit_purchases(nothing, nothing, np.linspace(10, 100, 500), np.ones(500), shift, penalty)
    assert np.isfinite(fit.parameters).all()
    assert fit.diagnostics["no_repeats"]
    assert np.isnan(fit.covariance).all()
    assert fit.warnings[0].startswith("Nobody bought again")
    if not penalty:
        assert fit.parameters[0] == pytest.approx(1e-6)
        assert fit.log_likelihood == pytest.approx(0, abs=1e-3)  # as likely as can be


def lives(n: int, rate: Floats | float, drop: Floats | float) -> tuple[Floats, Floats, Floats]:
    """Live with rates and chances of drop-out given outright, not drawn from a distribution."""
    rng = np.random.default_rng(2)
    T = rng.uniform(20, 60, n)
    return *buy_and_drop_out(rate, drop, T, rng), T


GAMMA_RATES = np.random.default_rng(4).gamma(1.0, 0.2, 800)


@pytest.mark.parametrize(
    ("rate", "drop", "name", "unknown"),
    [
        (GAMMA_RATES, 1.0, "certain_dropout", "ab"),
        (GAMMA_RATES, np.arange(800) % 2.0, "extreme_dropout", "ab"),
        (0.2, 0.0, "equal_rates", "r alpha ab"),
    ],
)
def test_a_simpler_model_is_named(
    rate: Floats | float, drop: Floats | float, name: str, unknown: str
) -> None:
    fit = fit_purchases(*lives(800, rate, drop), np.ones(800), 0)
    assert fit.converged
    assert name in fit.diagnostics["at_bound"]
    lost = np.isnan(np.diag(fit.covariance))
    assert lost.tolist() == [letter in unknown for letter in ("r", "alpha", "a", "b")]
    assert fit.warnings


def test_no_dropout_is_named() -> None:
    """Everybody who bought again did so on the last day: nobody can have left."""
    x, _, T = lives(800, GAMMA_RATES, 0.0)
    fit = fit_purchases(x, np.where(x > 0, T, 0.0), T, np.ones(800), 0)
    assert fit.converged
    assert "no_dropout" in fit.diagnostics["at_bound"]
    assert np.isnan(np.diag(fit.covariance)).tolist() == [False, False, True, True]


def test_a_second_top_is_not_missed() -> None:
    """40 of 200 bought again: equal customers who leave are likelier by 0.1 than any who stay."""
    assert counting_gap(COUNTING[2], 200, [200, 1], 0) < 0.01


def test_equal_dropout_is_named() -> None:
    """Counts less dispersed than with one chance of drop-out for all: a + b runs to infinity."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        T = rng.uniform(20, 60, 200)
        x, tx = simulate((1.0, 5.0, 3e5, 7e5), T, 0, rng)
        fit = fit_purchases(x, tx, T, np.ones(200), 0)
        assert fit.converged
        if "equal_dropout" in fit.diagnostics["at_bound"]:
            r, alpha, a, b = fit.parameters
            assert np.isnan(np.diag(fit.covariance)).tolist() == [False, False, True, True]
            nearer = [
                counting_oracle(np.array([r, alpha, a / c, b / c]), x, tx, T, 0)
                for c in (1, 1e2, 1e4)
            ]
            assert nearer == sorted(nearer, reverse=True)
            return
    pytest.fail("no such data in 20 draws")


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize(
    ("x", "tx", "T"),
    [
        ([0], [0], [10]),
        ([3], [8], [10]),
        ([1], [10], [10]),
        ([0], [0], [0]),
        ([0, 2], [0, 5], [10, 9]),
        ([1, 1], [2, 3], [10, 10]),
        ([200], [9], [10]),
    ],
)
def test_one_or_two_customers(x: list[float], tx: list[float], T: list[float], shift: int) -> None:
    """By lifetimes there is a LinAlgError on one or two."""
    counts, last, length = (np.array(column, float) for column in (x, tx, T))
    fit = fit_purchases(counts, last, length, np.ones(len(x)), shift)
    assert np.isfinite(fit.parameters).all()
    assert np.isnan(fit.covariance).any()
    assert fit.warnings
    json.dumps(fit.diagnostics, allow_nan=False)


def test_infinite_mean_spend_is_named() -> None:
    """Where lifetimes finds the same q, .712, and says nothing."""
    rng = np.random.default_rng(3)
    m, x = np.exp(rng.normal(3, 2.2, 800)), rng.integers(1, 4, 800).astype(float)
    fit = fit_spend(x, m, np.ones(800))
    assert fit.parameters[1] == pytest.approx(0.712, abs=5e-4)
    assert fit.diagnostics["infinite_mean"]
    assert "infinite" in fit.warnings[-1]


@pytest.mark.parametrize(
    ("x", "m"), [([2], [30]), ([2, 3], [30, 30]), (list(range(1, 51)), [10] * 50)]
)
def test_equal_spend_has_no_maximum(x: list[float], m: list[float]) -> None:
    """The density at the one value grows for ever: not to be called converged."""
    fit = fit_spend(np.array(x, float), np.array(m, float), np.ones(len(x)))
    assert not fit.converged
    assert fit.diagnostics["unbounded"]
    assert np.isfinite(fit.parameters).all()
    assert np.isnan(fit.covariance).all()
    json.dumps(fit.diagnostics, allow_nan=False)


# The machinery


def climbed(
    function: Callable[[Floats], tuple[float, Floats]],
    starts: list[Floats],
    bounds: list[tuple[float, float]],
    size: float = 1.0,
) -> Maximum:
    """The maximum of a function of one point, with its Hessian by differences."""
    return maximise(by_differences(function, np.array(bounds)), starts, bounds, size=size)


def test_a_maximum_inside_is_found_and_measured() -> None:
    """A quadratic, whose maximum and Hessian are written down here."""
    top, bend = np.array([0.5, -1.0]), np.array([[2.0, 0.3], [0.3, 1.0]])

    def quadratic(theta: Floats) -> tuple[float, Floats]:
        away = theta - top
        return -float(away @ bend @ away) / 2, -bend @ away

    found = climbed(quadratic, [np.zeros(2)], [(-3, 3), (-3, 3)], size=10)
    np.testing.assert_allclose(found.estimate, top, atol=1e-7)
    np.testing.assert_allclose(found.hessian, -bend, atol=1e-9)
    assert found.converged
    assert not found.at_bound.any()


def test_the_higher_of_two_tops_is_taken() -> None:
    def tops(theta: Floats) -> tuple[float, Floats]:
        t = theta[0]
        return float(-((t**2 - 1) ** 2) + t / 4), np.array([-4 * t * (t**2 - 1) + 0.25])

    found = climbed(tops, [np.array([-1.5]), np.array([1.5])], [(-3, 3)])
    assert found.estimate[0] == pytest.approx(np.roots([-4, 0, 4, 0.25]).max(), abs=1e-6)


def test_a_saddle_is_left() -> None:
    """The start is stationary, but no maximum."""

    def saddle(theta: Floats) -> tuple[float, Floats]:
        s, t = theta
        return float(-(s**2) + t**2 - t**4), np.array([-2 * s, 2 * t - 4 * t**3])

    found = climbed(saddle, [np.zeros(2)], [(-3, 3), (-3, 3)])
    assert abs(found.estimate[1]) == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert found.converged


def test_a_slope_that_dies_away_is_walked_in_few_steps() -> None:
    """Newton's steps on -exp(-t) are of length 1, however little is left to be gained."""
    found = climbed(
        lambda t: (-float(np.exp(-t[0])), np.exp(-t)), [np.zeros(1)], [(-3, 25)], size=1000
    )
    assert found.estimate[0] > 20
    assert found.converged
    assert found.iterations < 60


def test_the_other_edge_may_be_higher() -> None:
    """Towards both edges the slope dies away: every start lies on the lower side of the valley."""

    def valley(theta: Floats) -> tuple[float, Floats]:
        t = theta[0]
        dip, rise = np.exp(-(t**2)), 0.15 * (1 - np.tanh(3 * t + 3))
        slope = 2 * t * dip - 0.45 / np.cosh(3 * t + 3) ** 2
        return float(rise - dip), np.array([slope])

    found = climbed(valley, [np.array([2.0])], [(-4, 4)])
    assert found.value == pytest.approx(0.3, abs=1e-4)
    assert found.estimate[0] < -3
    assert found.converged


def test_what_never_ends_has_not_converged() -> None:
    found = climbed(lambda t: (float(t[0]), np.ones(1)), [np.zeros(1)], [(-3, 3)])
    assert found.unbounded
    assert not found.converged


def test_a_wrong_gradient_is_not_called_converged() -> None:
    """The optimiser cannot get anywhere, and must say so."""
    found = climbed(
        lambda t: (-float(t @ t), 2 * t + 1), [np.ones(2)], [(-3, 3), (-3, 3)], size=100
    )
    assert not found.converged


def test_covariance_of_what_is_known() -> None:
    """By hand: theta has covariance diag(1/4, 1/9); the natural parameters are J theta."""
    jacobian = np.array([[2.0, 0.0], [1.0, 3.0]])
    inside = covariance(np.diag([-4.0, -9.0]), jacobian, np.array([False, False]))
    np.testing.assert_allclose(inside, [[1, 0.5], [0.5, 1.25]])
    edge = covariance(np.diag([-4.0, -9.0]), jacobian, np.array([False, True]))
    np.testing.assert_allclose(edge, [[1, np.nan], [np.nan, np.nan]])
    flat = covariance(np.diag([-4.0, 0.0]), jacobian, np.array([False, False]))
    np.testing.assert_allclose(flat, [[1, np.nan], [np.nan, np.nan]])
