"""Pareto/NBD on arrays, against published numbers and mpmath."""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from retainkit import rfm_summary
from retainkit._models.bg_nbd import BG_NBD
from retainkit._models.forecasts import Forecasts
from retainkit._models.pareto_nbd import PARETO_NBD as MODEL
from retainkit._models.pareto_odds import log_odds
from retainkit._models.purchase_fits import fit_purchases
from retainkit._models.race import Race
from retainkit._models.rows import RowPoints
from retainkit.datasets import load_cdnow

CDNOW = (0.5532767, 10.577666, 0.6062384, 11.668677)
PRINTED = (0.553, 10.578, 0.606, 11.669)
# Of weeks 1 to 78: the parameters of the note "RFM and CLV".
LONG = (0.5534, 10.5802, 0.6061, 11.6562)


def history(*rows):
    return tuple(np.array(rows, float).T)


# Witnesses


def odds_of(params, x, tx, T):  # noqa: N803
    """The odds of having left: the integral of eqs. 18 to 20 of note 009, as it stands."""
    r, alpha, s, beta = map(mp.mpf, params)
    x, tx, T = map(mp.mpf, (x, tx, T))  # noqa: N806

    def density(u):
        left = s / (beta + u) * ((beta + T) / (beta + u)) ** s
        return left * ((alpha + T) / (alpha + u)) ** (r + x)

    parts = [mp.mpf(10) ** -k for k in (12, 9, 7, 6, 5, 4, 3)] + [
        mp.mpf(k) / 10 for k in (1, 4, 10)
    ]
    return (
        mp.quad(density, [tx, *(tx + (T - tx) * part for part in parts)]) if tx < T else mp.mpf(0)
    )


def likelihood(params, x, tx, T):  # noqa: N803
    r, alpha, s, beta = map(mp.mpf, params)
    shared = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) - (r + x) * mp.log(alpha + T)
    shared += s * mp.log(beta / (beta + T))
    return shared + mp.log1p(odds_of(params, x, tx, T))


def relative(got, right):
    return float(abs(mp.mpf(float(got)) / right - 1)) if right else abs(float(got))


# Published numbers, and those of an independent implementation in 30 digits: the project's list of
# reference numbers on Pareto/NBD.

ROWS = [
    ((2, 30.43, 38.86), LONG, -9.554510695, 0.869110644),
    ((0, 0, 38.86), LONG, -0.521129196, 0.294961486),
    ((200, 200, 200), LONG, -212.994641507, 1),
    ((0, 0, 1e5), LONG, -0.673823080, 5.11065591e-5),
    ((300, 10, 500), (2.2, 3.9, 5.41, 1482), 620.563083727, 0),
    ((221, 103.42857, 103.57143), (0.5143, 2.8845, 0.2856, 14.1087), -61.584648562, 0.999596052),
    ((3, 1, 1000), (0.01, 0.01, 0.05, 0.001), -8.426040905, 4.13892357e-8),
    ((5, 3, 40), (3, 1, 50, 4000), -8.246660156, 7.3204874e-7),
    ((4, 70, 78), (1e3, 1e4, 1e3, 1e5), -17.664448356, 0.886555832),
]


@pytest.mark.parametrize(("row", "params", "total", "alive"), ROWS)
def test_the_likelihood_and_who_is_alive(row, params, total, alive) -> None:
    (found,) = MODEL.log_likelihood(params, history(row))
    assert found == pytest.approx(total, abs=5.1e-10)
    (chance,) = MODEL.chance_alive(params, history(row))
    assert chance == pytest.approx(alive, rel=1e-8, abs=1e-300)


def test_who_has_surely_left_has_a_logarithm() -> None:
    # 7.583404716e-469 is 0 in a double.
    (odds,) = log_odds((2.2, 3.9, 5.41, 1482), history((300, 10, 500)))
    assert -odds / np.log(10) == pytest.approx(np.log10(7.583404716) - 469, abs=1e-9)


def test_printed_expectations() -> None:
    rows = history((2, 30.43, 38.86), (0, 0, 38.86))
    expected = MODEL.mean_purchases(PRINTED, 39.0, rows)
    np.testing.assert_allclose(expected, [1.45512319, 0.107081468], rtol=3e-9)
    alive = MODEL.chance_alive(PRINTED, rows)
    np.testing.assert_allclose(alive, [0.869167559, 0.295286605], rtol=2e-9)
    shares = MODEL.count_probabilities(CDNOW, [0, 1, 2], 39.0)
    # At parameters of seven digits.
    np.testing.assert_allclose(shares, [0.593532397, 0.165585290, 0.0825042208], rtol=2e-8)


def test_the_fit_to_cdnow() -> None:
    orders = load_cdnow(sample=True)
    orders = orders[orders["time"] < "1997-10-01"]
    table = rfm_summary(orders, unit="week", exact=True, as_of="1997-10-01")
    x, tx, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))  # noqa: N806
    fit = fit_purchases(MODEL, (x, tx, T), np.ones(len(table)))
    # P: .553, 10.578, .606, 11.669, -9595.0; CLVTools: SE .0476264 .8427222 .1872594 6.2105448.
    np.testing.assert_allclose(fit.parameters, [0.5532767, 10.577666, 0.6062384, 11.668677], 6e-6)
    assert fit.log_likelihood == pytest.approx(-9594.976181, abs=1e-5)
    errors = np.sqrt(np.diag(fit.covariance))
    np.testing.assert_allclose(errors, [0.0476264, 0.8427222, 0.1872594, 6.2105448], rtol=2e-4)
    assert fit.converged


# Against mpmath

PARAMS = [
    *itertools.product([0.05, 2.0], [1e-3, 8.0, 1e4], [0.3, 1.0, 1 + 1e-9, 4.0], [1e-3, 30.0, 1e4])
]
HISTORIES = [(0, 0, 30), (1, 1e-3, 30), (3, 29.9, 30), (3, 30, 30), (40, 12, 50), (2000, 290, 300)]


def grid(number):
    pairs = [*itertools.product(PARAMS, HISTORIES)]
    some = np.random.default_rng(5).choice(len(pairs), number, replace=False)
    return [pairs[i] for i in some]


@pytest.mark.slow
def test_likelihoods_to_10_digits() -> None:
    with mp.workdps(30):
        for params, row in grid(60):
            (found,) = MODEL.log_likelihood(params, history(row))
            right = likelihood(params, *row)
            assert abs(found - right) < 1e-9 * max(1, abs(right)), (params, row)
            (alive,) = MODEL.chance_alive(params, history(row))
            assert relative(alive, 1 / (1 + odds_of(params, *row))) < 1e-8 or alive == 0


@pytest.mark.slow
@pytest.mark.parametrize("x", [0, 3])
@pytest.mark.parametrize("beta", [1e-13, 1e-6, 0.5])
@pytest.mark.parametrize("s", [1e-6, 1e-3, 0.05])
def test_some_leave_at_once_and_others_never(s, beta, x) -> None:
    # A small s and a tiny beta: the chance of leaving falls on a logarithmic scale of time.
    params, (tx, T) = (1.6, 19.8, s, beta), (1e-3 * (x > 0), 39)  # noqa: N806
    with mp.workdps(20):
        a, b = mp.mpf("19.8") + tx, mp.mpf(beta) + tx
        n, width = mp.mpf("1.6") + x, mp.log1p((T - tx) / b)

        def density(y):
            since = b * mp.expm1(y)
            return s * mp.exp(-s * y) * ((a + T - tx) / (a + since)) ** n

        parts = int(width) + 1
        odds = mp.quad(density, [width * k / parts for k in range(parts + 1)])
        right = mp.log(odds * mp.exp(s * width))
        (found,) = log_odds(params, history((x, tx, T)))
        assert abs(found - right) < 1e-9


def living(params, row, t, rate=0, weight=lambda _: 1):
    """Integrate exp(-rate u) S(u) over u from 0 to t, as it stands."""
    _, _, s, beta = map(mp.mpf, params)
    b = beta + row[2]

    def inside(u):
        return mp.exp(-rate * u) * (b / (b + u)) ** s * weight(u)

    return mp.quad(inside, [0, *(t * mp.mpf(10) ** -k for k in (6, 4, 3, 2, 1)), t])


@pytest.mark.parametrize("rate", [0.0, 0.0027, 0.5])
def test_expectations_to_9_digits(rate) -> None:
    with mp.workdps(25):
        for params, row in grid(8):
            r, alpha, _, _ = params
            alive = 1 / (1 + odds_of(params, *row))
            right = alive * (r + row[0]) / (alpha + row[2]) * living(params, row, 52, rate)
            (found,) = MODEL.discounted_purchases(params, rate, 52.0, history(row))
            assert relative(found, right) < 1e-9, (params, row)


def test_discounted_for_ever() -> None:
    # The 78-week parameters of the note "RFM and CLV", d = .0027 a week: for ever 1.864183328 of
    # which .3706573359 within 52 weeks.
    params = (0.5534, 10.5802, 0.6061, 11.6562)
    with mp.workdps(25):
        row = (7, 35, 77.86)
        alive = 1 / (1 + odds_of(params, *row))
        mean = alive * (params[0] + 7) / (params[1] + 77.86)
        right = mean * living(params, row, mp.mpf(20_000), 0.0027)
    (found,) = MODEL.discounted_purchases(params, 0.0027, np.inf, history(row))
    assert relative(found, right) < 1e-9
    (within,) = MODEL.discounted_purchases(params, 0.0027, 52.0, history(row))
    assert 0 < within < found


def test_derivatives_are_those_of_the_likelihood() -> None:
    rng = np.random.default_rng(3)
    h = mp.mpf("1e-12")
    with mp.workdps(50):
        for params, row in [
            (CDNOW, (2, 30.43, 38.86)),
            (CDNOW, (0, 0, 38.86)),
            ((3.0, 1.0, 50.0, 400.0), (5, 3, 40)),
            (tuple(rng.lognormal(0, 1, 4)), (7, 11.0, 20.0)),
        ]:
            points = RowPoints(values=tuple(np.log([[one]]) for one in params))
            found = MODEL.derivatives(points, history(row))
            middle = [mp.log(one) for one in params]

            def moved(*steps, middle=middle, row=row):
                point = list(middle)
                for place, step in steps:
                    point[place] += step
                return likelihood([mp.exp(one) for one in point], *row)

            assert relative(found.value[0, 0], moved()) < 1e-11
            for i in range(4):
                slope = (moved((i, h)) - moved((i, -h))) / (2 * h)
                assert abs(found.first[i][0, 0] - slope) < 1e-9 * max(1, abs(slope))
                for j in range(i, 4):
                    bend = moved((i, h), (j, h)) - moved((i, h), (j, -h))
                    bend += moved((i, -h), (j, -h)) - moved((i, -h), (j, h))
                    bend /= 4 * h**2
                    own = found.second.get((i, j), np.zeros((1, 1)))[0, 0]
                    assert abs(own - bend) < 1e-9 * max(1, abs(bend)), (params, i, j)


# Properties


@given(
    r=st.floats(0.01, 50),
    alpha=st.floats(1e-3, 1e4),
    s=st.floats(0.01, 50),
    beta=st.floats(1e-3, 1e4),
    x=st.integers(0, 2000),
    tx=st.floats(0.01, 300),
    rest=st.floats(1e-6, 300),
)
def test_the_odds_lie_between_their_bounds(r, alpha, s, beta, x, tx, rest) -> None:
    # With q(u) = (r + x) log(alpha + u) + s log(beta + u) and h(u) the share of leaving:
    # min(h(tx), h(T)) <= odds / expm1(q(T) - q(tx)) <= max(h(tx), h(T)).
    race = Race(A=r + x, a=alpha + tx, s=s, b=beta + tx, t=rest)
    share = float(race.reach * race.mean(race.leaves) / -np.expm1(-race.end))
    ends = sorted([float(race.leaves(np.zeros(1))[0]), float(race.leaves(np.full(1, rest))[0])])
    assert ends[0] * (1 - 1e-9) <= share <= ends[1] * (1 + 1e-9)


def test_probabilities_of_all_counts_add_up() -> None:
    n = np.arange(4000)
    for params, t in ((CDNOW, 200.0), ((2.0, 5.0, 1.0, 3.0), 60.0), ((0.3, 0.5, 4.0, 100.0), 20.0)):
        shares = MODEL.count_probabilities(params, n, t)
        assert shares.sum() == pytest.approx(1, abs=1e-10)
        mean = MODEL.new_customer_purchases(params, t)
        assert n @ shares == pytest.approx(float(mean), rel=1e-9)


def test_without_leaving_it_is_the_negative_binomial() -> None:
    params, t = (1.7, 12.0, 1e-9, 1e5), 40.0
    n = np.arange(30)
    right = stats.nbinom.pmf(n, 1.7, 12 / (12 + t))
    np.testing.assert_allclose(MODEL.count_probabilities(params, n, t), right, rtol=1e-7)
    assert MODEL.new_customer_purchases(params, t) == pytest.approx(1.7 / 12 * t, rel=1e-7)
    (alive,) = MODEL.chance_alive(params, history((2, 30, 40)))
    assert alive == pytest.approx(1, abs=1e-8)


def test_the_next_purchase() -> None:
    rows = history((2, 30.43, 38.86), (0, 0, 38.86), (9, 38.0, 38.86))
    # P(no purchase | alive) is P(X = 0) with r + x, alpha + T, beta + T: two ways to one number.
    for t in (1e-3, 5.0, 39.0, 1e4):
        found = MODEL.probability_purchase(CDNOW, t, rows)
        for i, (x, tx, T) in enumerate(zip(*rows, strict=True)):  # noqa: N806
            later = (CDNOW[0] + x, CDNOW[1] + T, CDNOW[2], CDNOW[3] + T)
            none = float(MODEL.count_probabilities(later, 0, t))
            (alive,) = MODEL.chance_alive(CDNOW, history((x, tx, T)))
            assert found[i] == pytest.approx(alive * (1 - none), rel=1e-8)
    ever = MODEL.probability_purchase(CDNOW, np.inf, rows)
    assert (ever < MODEL.chance_alive(CDNOW, rows)).all()
    for q in (0.01, 0.1, 0.25, 0.5, 0.7):
        times = MODEL.time_to_purchase(CDNOW, q, rows)
        assert (np.isnan(times) == (ever <= q)).all()
        again = MODEL.probability_purchase(CDNOW, np.nan_to_num(times), rows)
        np.testing.assert_allclose(again[ever > q], q, atol=1e-10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("model", [MODEL, BG_NBD])
def test_who_has_surely_left_has_no_next_purchase(model) -> None:
    # P(alive) is 0 in a double.
    rows, params = history((300, 1, 1e5)), (2.2, 3.9, 5.41, 1482.0)
    assert model.chance_alive(params, rows)[0] == 0
    assert np.isnan(model.time_to_purchase(params, 0.5, rows)).all()


def test_simulated_customers_do_as_is_expected() -> None:
    rng = np.random.default_rng(7)
    n, t = 200_000, 30.0
    x, tx = MODEL.simulate(CDNOW, np.full(n, t), rng)
    assert x.mean() == pytest.approx(float(MODEL.new_customer_purchases(CDNOW, t)), abs=0.02)
    share = MODEL.count_probabilities(CDNOW, np.arange(5), t)
    np.testing.assert_allclose(np.bincount(x.astype(int))[:5] / n, share, atol=0.004)
    assert ((tx > 0) == (x > 0)).all()
    # Among the simulated those alive are as many as the probabilities say: the likelihood agrees.
    fit = fit_purchases(MODEL, (x[:5000], tx[:5000], np.full(5000, t)), np.ones(5000))
    error = np.sqrt(np.diag(fit.covariance))
    assert (np.abs(fit.parameters - CDNOW) < 4 * error).all()


@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_mean_squares_are_those_of_simulated_futures(rate) -> None:
    theta, n = np.array([0.4, 5.0, 0.8, 20.0]), 100_000
    rng = np.random.default_rng(8)
    for row in ((0, 0, 40), (4, 30, 40)):
        customer = Forecasts(process=MODEL, history=history(row))
        two, own = customer.mean_square(theta, rate, 39.0)
        owner, when = customer.of_rows(np.zeros(n, int)).simulate(theta, 39.0, rng)
        value = np.bincount(owner, np.exp(-rate * when), n)
        (mean,) = customer.discounted(theta, rate, 39.0)
        assert mean == pytest.approx(value.mean(), abs=4 * value.std() / n**0.5)
        square = value**2
        assert two[0] + own[0] == pytest.approx(square.mean(), abs=4 * square.std() / n**0.5)


def test_still_there_after_a_time() -> None:
    rows = history((2, 30.43, 38.86))
    now, later = (MODEL.chance_alive(PRINTED, rows, ahead) for ahead in (0.0, 26.0))
    assert later[0] / now[0] == pytest.approx(((11.669 + 38.86) / (11.669 + 38.86 + 26)) ** 0.606)
