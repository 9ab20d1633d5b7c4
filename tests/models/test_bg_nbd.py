"""BG/NBD and MBG/NBD on arrays, against published numbers and mpmath."""

from __future__ import annotations

import itertools
from datetime import date

import mpmath as mp
import numpy as np
import pytest

from retainkit._models.bg_nbd import BG_NBD, MBG_NBD
from retainkit._models.rows import RowPoints
from retainkit._models.special import (
    discounted_purchases_if_alive,
    log_rising,
    log_rising_ratio,
    purchases_if_alive,
    rising_derivatives,
)
from retainkit.datasets import load_cdnow

CDNOW = (0.243, 4.414, 0.793, 2.426)
CDNOW_MBG = (0.525, 6.183, 0.891, 1.614)
BG, MBG = 0, 1
MODELS = pytest.mark.parametrize("shift", [BG, MBG])
PROCESSES = BG_NBD, MBG_NBD


class bg:  # noqa: N801
    """The formulas of the model of a `shift`, of histories that are given as x, tx, T."""

    @staticmethod
    def log_likelihood(params, x, tx, T, shift):  # noqa: N803
        return PROCESSES[shift].log_likelihood(params, history(x, tx, T))

    @staticmethod
    def derivatives(points, x, tx, T, shift):  # noqa: N803
        return PROCESSES[shift].derivatives(points, history(x, tx, T))

    @staticmethod
    def probability_alive(params, x, tx, T, shift, ahead=0.0):  # noqa: N803
        return PROCESSES[shift].chance_alive(params, history(x, tx, T), ahead)

    @staticmethod
    def expected_purchases(params, t, x, tx, T, shift):  # noqa: N803
        return PROCESSES[shift].mean_purchases(params, t, history(x, tx, T))

    @staticmethod
    def discounted_purchases(params, rate, t, x, tx, T, shift):  # noqa: N803
        return PROCESSES[shift].discounted_purchases(params, rate, t, history(x, tx, T))

    @staticmethod
    def new_customer_purchases(params, t, shift):
        return PROCESSES[shift].new_customer_purchases(params, t)

    @staticmethod
    def purchase_probabilities(params, n, t, shift):
        return PROCESSES[shift].count_probabilities(params, n, t)

    @staticmethod
    def simulate(params, T, shift, rng):  # noqa: N803
        return PROCESSES[shift].simulate(params, T, rng)

    @staticmethod
    def simulate_future(params, t, x, tx, T, shift, rng):  # noqa: N803
        return PROCESSES[shift].simulate_future(params, t, history(x, tx, T), rng)


def history(*columns):
    return tuple(np.asarray(one, np.float64) for one in columns)


# Witnesses


def closed_form(t, r, alpha, a, b):
    """G by Fader, Hardie & Lee (2005), eq. 9, a hair beside its singularities, in 120 digits."""
    with mp.workdps(120):
        t, r, alpha, a, b = map(mp.mpf, (t, r, alpha, a, b))
        a += mp.mpf(10) ** -60 * (1 + a)
        hyp = mp.hyp2f1(r, b, a + b - 1, t / (alpha + t), maxterms=10**6)
        return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp)


def by_integration(t, r, alpha, a, b):
    """G by integration over p, in 40 digits."""
    with mp.workdps(40):
        t, r, alpha, a, b = map(mp.mpf, (t, r, alpha, a, b))

        def integrand(p):
            density = p ** (a - 1) * (1 - p) ** (b - 1) / mp.beta(a, b)
            return density * -mp.expm1(-r * mp.log1p(p * t / alpha)) / p

        return mp.quad(integrand, [0, mp.mpf("0.001"), mp.mpf("0.03"), mp.mpf("0.3"), 1])


# 16 points on a piece of length 2 that is analytic within pi / 2 of itself: right to 1e-17.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def discounted(rate, t, r, alpha, a, b):
    """D by integration over log time of exp(-rate t) G'(t), G' a hypergeometric function.

    By Pfaff's transformation its last argument is t / (alpha + t) and not -t / alpha, with which
    mpmath takes 30 times as long. What comes after 45 / rate is worth nothing, and before
    exp(low) the integrand is constant to 2e-8 of itself, and that is as small a share of the whole.
    """
    with mp.workdps(20):
        rate, r, alpha, a, b = map(mp.mpf, (rate, r, alpha, a, b))
        top = mp.log(45 / rate if np.isinf(t) else min(mp.mpf(t), 45 / rate))
        low = min(mp.log(alpha / (r + 1)), top) - 22
        pieces = int((top - low) / 2) + 1
        half = (top - low) / pieces / 2
        total = mp.exp(low)
        for i, (x, weight) in itertools.product(
            range(pieces), zip(NODES.tolist(), WEIGHTS.tolist(), strict=True)
        ):
            s = mp.exp(low + (2 * i + 1 + x) * half)
            growth = (1 + s / alpha) ** -a * mp.hyp2f1(a + b - r - 1, a, a + b, s / (alpha + s))
            total += half * weight * s * mp.exp(-rate * s) * growth
        return r / alpha * total


def likelihood(params, x, tx, T, shift):  # noqa: N803
    """Log-likelihood as it stands in the paper, in 60 digits (Fader, Hardie & Lee 2005, eq. 6)."""
    r, alpha, a, b = map(mp.mpf, params)
    x, tx, T = map(mp.mpf, (x, tx, T))  # noqa: N806
    k = x + shift
    total = mp.beta(a, b + k) * (alpha + T) ** -(r + x)
    if k > 0:
        total += mp.beta(a + 1, b + k - 1) * (alpha + tx) ** -(r + x)
    return mp.log(mp.gamma(r + x) * alpha**r / mp.gamma(r) * total / mp.beta(a, b))


def logarithms(params):
    """The numbers by which derivatives are taken: log r, log alpha, log(a / b), log(a + b)."""
    r, alpha, a, b = params
    return np.log([[r, alpha, a / b, a + b]])


def of_all(numbers):
    """Points (S, 4) of all rows."""
    return RowPoints(values=tuple(one[:, None] for one in numbers.T))


def from_logarithms(numbers):
    """Their parameters, in mpmath's digits."""
    log_r, log_alpha, logit, log_sum = numbers
    share, both = 1 / (1 + mp.exp(-logit)), mp.exp(log_sum)
    return mp.exp(log_r), mp.exp(log_alpha), share * both, (1 - share) * both


def alive(params, x, tx, T, shift):  # noqa: N803
    """P(alive) in 60 digits (BG: Fader, Hardie & Lee 2008, note 021)."""
    r, alpha, a, b = map(mp.mpf, params)
    x, tx, T, k = mp.mpf(x), mp.mpf(tx), mp.mpf(T), x + shift  # noqa: N806
    if k == 0:
        return mp.mpf(1)
    return 1 / (1 + a / (b + k - 1) * ((alpha + T) / (alpha + tx)) ** (r + x))


def relative_errors(got, right):
    return np.array([float(abs(mp.mpf(float(g)) / e - 1)) for g, e in zip(got, right, strict=True)])


# Published numbers. Where no source is named: 40-digit integration at the parameters that the
# named test uses, as recorded in the project's list of reference numbers, section 2.1.


def test_expected_purchases_of_hardies_customer() -> None:
    # lifetimes, TestBetaGeoFitter (1.226)
    got = bg.expected_purchases(CDNOW, 39, 2, 30.43, 38.86, BG)
    assert got == pytest.approx(1.226028, abs=5e-7)


def test_expected_purchases_of_a_new_customer() -> None:
    # lifetimes, TestBetaGeoFitter, from Hardie's spreadsheet
    t = [0.1429, 1, 3, 31.8571, 32, 78, 52, 2]
    right = [0.0078283, 0.0532679, 0.1508652, 1.0419961, 1.0452433, 1.8605191, 1.4460506, 0.1033897]
    np.testing.assert_allclose(bg.new_customer_purchases(CDNOW, t, BG), right, atol=5.1e-8, rtol=0)


def test_purchase_probabilities_of_btyd() -> None:
    # BTYD's manual, bgnbd.pmf
    assert bg.purchase_probabilities(CDNOW, 10, 2, BG) == pytest.approx(1.07868964e-7, rel=3e-9)
    assert bg.purchase_probabilities(CDNOW, 0, 39, BG) == pytest.approx(0.57378635, abs=5e-9)
    right = [
        0.001999521447,
        0.00151702363,
        0.001163315007,
        0.0009003147896,
        0.0007023637659,
        0.0005517902426,
        0.0004361912809,
        0.0003467171396,
        0.0002769612648,
        0.000222226048,
    ]
    got = bg.purchase_probabilities(CDNOW, np.arange(11, 21), 30, BG)
    np.testing.assert_allclose(got, right, rtol=1e-9)


def test_customer_1516() -> None:
    # BTYD's walkthrough, BG/NBD: 25.75659, 0.9688523, 1.444004
    params = (0.2425945, 4.4136023, 0.7929221, 2.4259072)
    history = (26, 30 + 6 / 7, 31)
    assert bg.expected_purchases(params, 52, *history, BG) == pytest.approx(25.75659, abs=1e-3)
    assert bg.probability_alive(params, *history, BG) == pytest.approx(0.9688523, abs=3e-6)
    assert bg.new_customer_purchases(params, 52, BG) == pytest.approx(1.444004, abs=1e-5)


@pytest.mark.parametrize(
    ("shift", "right"), [(BG, [-0.59947382, 100.7957]), (MBG, [-0.41792826, 100.7869])]
)
def test_log_likelihoods_of_hardies_note_027(shift, right) -> None:
    # http://brucehardie.com/notes/027/; pymc-marketing, test_numerically_stable_logp
    got = bg.log_likelihood((0.25, 4, 0.8, 2.5), [0, 200], [0, 38], 40, shift)
    assert got[0] == pytest.approx(right[0], abs=5e-9)
    assert got[1] == pytest.approx(right[1], abs=5e-5)


def test_mbg_numbers_that_lifetimes_does_not_pin() -> None:
    got = bg.expected_purchases(CDNOW_MBG, 39, 2, 30.43, 38.86, MBG)
    assert got == pytest.approx(1.2629606, abs=5e-8)
    got = bg.probability_alive(CDNOW_MBG, 0, 1, 1, MBG)
    assert got == pytest.approx(0.64431138, abs=5e-9)


def cdnow_summary():
    log = load_cdnow(sample=True)
    log = log[log["time"] <= "1997-09-30"].drop_duplicates(["customer_id", "time"])
    days = log.groupby("customer_id")["time"].agg(["count", "min", "max"])
    end = np.datetime64(date(1997, 9, 30))
    week = np.timedelta64(7, "D")
    x = days["count"].to_numpy() - 1.0
    tx = (days["max"] - days["min"]).to_numpy() / week
    return x, tx, (end - days["min"].to_numpy()) / week  # type: ignore[operator]


PUBLISHED_FITS = pytest.mark.parametrize(
    ("shift", "params", "total"),
    [
        # Fader, Hardie & Lee (2005): 0.243, 4.414, 0.793, 2.426; -9582.4. CLVTools: -9582.429
        (BG, (0.2425945, 4.4136023, 0.7929221, 2.4259072), -9582.42921),
        # BTYDplus: 0.525, 6.183, 0.891, 1.614
        (MBG, (0.5248432, 6.1830852, 0.8913595, 1.6140024), -9582.13572),
    ],
)


@PUBLISHED_FITS
def test_log_likelihood_of_the_published_fits_to_cdnow(shift, params, total) -> None:
    x, tx, T = cdnow_summary()  # noqa: N806
    assert x.sum() == 2457
    found = bg.derivatives(of_all(logarithms(params)), x, tx, T, shift)
    assert found.value.sum() == pytest.approx(total, abs=5e-6)
    # The parameters are a maximum, to their printed digits.
    np.testing.assert_allclose([one.sum() for one in found.first], 0, atol=2e-3)


@pytest.mark.parametrize(("shift", "total"), [(BG, 1653.409), (MBG, 1576.728)])
def test_sum_of_cdnows_expected_purchases(shift, total) -> None:
    params = {
        BG: (0.2425945, 4.4136023, 0.7929221, 2.4259072),
        MBG: (0.5248432, 6.1830852, 0.8913595, 1.6140024),
    }[shift]
    expected = bg.expected_purchases(params, 39, *cdnow_summary(), shift)  # type: ignore[call-arg]
    assert expected.sum() == pytest.approx(total, abs=6e-4)


# Where lifetimes 0.11.3 returns inf, nan or a wrong number


def test_trap_n1_a_is_one() -> None:
    # lifetimes: inf, inf
    params = (0.243, 4.414, 1.0, 2.426)
    got = bg.expected_purchases(params, 39, 2, 30.43, 38.86, BG)
    # Another reference says 1.1021367868; 3F2 in 30 digits says this.
    assert got == pytest.approx(1.1021367860, abs=5.1e-11)
    assert bg.new_customer_purchases(params, 52, BG) == pytest.approx(1.2899882525, abs=5.1e-11)


def test_trap_n2_a_plus_b_below_one() -> None:
    # lifetimes: nan
    got = bg.expected_purchases((2.0, 5.0, 0.8, 0.1), 52, 0, 0, 40, BG)
    # Another reference says 0.8922980784; eq. 10 of Fader, Hardie & Lee (2005) in 40 digits
    # and 3F2 in 30 say this.
    assert got == pytest.approx(0.8923237052, abs=5.1e-11)


def test_trap_n4_many_purchases() -> None:
    # lifetimes: 1.3017e-5, 1.03936e-5, 2.35298e-6, nan
    got = bg.purchase_probabilities(CDNOW, [160, 170, 171, 200], 365, BG)
    np.testing.assert_allclose(got, [1.3017e-5, 1.03936e-5, 1.016586e-5, 5.478968e-6], rtol=1e-5)


# Against mpmath

EXTREMES = list(
    itertools.product(
        [1e-9, 1e-4, 0.03, 0.3, 1, 4, 12, 100, 1e3, 3e4, 1e6],  # t / alpha
        [1e-3, 0.243, 2, 60, 2000.5],  # r
        [
            0.001,
            0.03,
            0.3,
            0.8,
            1 - 0.001,
            1 - 1e-08,
            1 - 1e-12,
            1,
            1 + 1e-12,
            1 + 1e-05,
            1.001,
            2,
            7,
            100,
            1000,
        ],  # a
        [1e-3, 0.1, 0.5, 1, 2.426, 30, 1000],  # b
    )
)


@pytest.mark.slow
def test_living_purchases_to_11_digits() -> None:
    some = np.random.default_rng(1).choice(len(EXTREMES), 600, replace=False)
    z, r, a, b = np.array(EXTREMES)[some].T
    right = [closed_form(z, r, 1, a, b) for z, r, a, b in zip(z, r, a, b, strict=True)]
    error = relative_errors(purchases_if_alive(z * 7, r, 7.0, a, b), right)
    assert error.max() < 1e-11


def test_the_witnesses_agree() -> None:
    # The closed form and the integral share nothing.
    for case in [(52, 0.243, 4.414, 1, 2.426), (52, 2, 5, 1.3, 1), (3, 60, 7, 2, 1.5)]:
        assert abs(closed_form(*case) / by_integration(*case) - 1) < 1e-20


def test_living_purchases_where_drop_out_is_the_same_for_all() -> None:
    # a, b -> infinity with a / (a + b) = 1/4: the integrand at p = 1/4.
    p, z, r = 0.25, 3.0, 2.0
    right = (1 - (1 + p * z) ** -r) / p
    assert purchases_if_alive(z, r, 1, 1e9, 3e9) == pytest.approx(right, rel=1e-9)


def test_living_purchases_at_the_ends_of_time() -> None:
    assert purchases_if_alive(0, 0.3, 4, 0.8, 2) == 0
    # E[1 / p] = (a + b - 1) / (a - 1)
    np.testing.assert_allclose(
        purchases_if_alive(np.inf, 0.3, 4, [0.8, 1, 1.5, 3], 2), [np.inf, np.inf, 5, 2], rtol=1e-14
    )


def test_living_purchases_broadcast() -> None:
    t, r = np.array([1.0, 10, 100]), np.array([[0.3], [2.0]])
    got = purchases_if_alive(t, r, 4, 0.8, 2 + r)
    assert got.shape == (2, 3)
    each = [[purchases_if_alive(t, r, 4, 0.8, 2 + r) for t in t] for r in r[:, 0]]
    np.testing.assert_allclose(got, each, rtol=1e-13)
    assert purchases_if_alive(np.empty(0), 1, 1, 1, 1).shape == (0,)


@pytest.mark.slow
def test_discounted_to_11_digits() -> None:
    grid = list(
        itertools.product(
            [1e-7, 1e-3, 0.03, 2],  # rate
            [1e-3, 1, 52, 1e4, np.inf],  # t
            [0.01, 0.243, 5, 300, 2000],  # r
            [0.01, 5, 500],  # alpha
            [0.01, 0.8, 1, 3, 50],  # a
            [0.03, 2.4, 60],  # b
        )
    )
    some = np.random.default_rng(2).choice(len(grid), 60, replace=False)
    cases = np.array(grid)[some]
    right = [discounted(*map(float, case)) for case in cases]
    assert relative_errors(discounted_purchases_if_alive(*cases.T), right).max() < 1e-11


def test_discounting_at_no_rate_changes_nothing() -> None:
    t = np.array([0, 1, 52, np.inf])
    plain = purchases_if_alive(t, 0.3, 4, 1.8, 2)
    np.testing.assert_array_equal(discounted_purchases_if_alive(0, t, 0.3, 4, 1.8, 2), plain)
    assert discounted_purchases_if_alive(0.1, 0, 0.3, 4, 1.8, 2) == 0


HISTORIES = [
    (0, 0.0, 0.0),
    (0, 0.0, 1e-6),
    (0, 0.0, 40.0),
    (1, 1e-3, 1e5),
    (1, 38.0, 38.0),
    (7, 35.0, 77.86),
    (200, 38.0, 40.0),
    (2000, 3650.0, 3650.0),
    (2000, 3000.0, 3650.0),
]
PARAMETERS = [CDNOW, (0.05, 300.0, 1.0, 0.01), (2.0, 5.0, 0.8, 0.1), (30.0, 0.5, 200.0, 900.0)]


@MODELS
@pytest.mark.parametrize("params", PARAMETERS)
def test_likelihood_and_its_derivatives(params, shift) -> None:
    """Differences of the paper's likelihood in 80 digits."""
    x, tx, T = np.array(HISTORIES).T  # noqa: N806
    numbers = logarithms(params)
    found = bg.derivatives(of_all(numbers), x, tx, T, shift)
    np.testing.assert_allclose(
        found.value[0], bg.log_likelihood(params, x, tx, T, shift), rtol=1e-12, atol=1e-12
    )
    h = mp.mpf("1e-20")
    with mp.workdps(80):
        middle = [mp.mpf(one) for one in numbers[0].tolist()]
        for row, history in enumerate(HISTORIES):

            def moved(*steps, history=history):
                point = list(middle)
                for place, step in steps:
                    point[place] += step
                x_, tx_, T_ = history  # noqa: N806
                return likelihood(from_logarithms(point), x_, tx_, T_, shift)

            assert_close(found.value[0, row], moved())
            for i in range(4):
                assert_close(found.first[i][0, row], (moved((i, h)) - moved((i, -h))) / (2 * h))
                for j in range(i, 4):
                    bend = moved((i, h), (j, h)) - moved((i, h), (j, -h))
                    bend += moved((i, -h), (j, -h)) - moved((i, -h), (j, h))
                    assert_close(found.second[i, j][0, row], bend / (4 * h**2))


def assert_close(number, right) -> None:
    assert float(abs(mp.mpf(float(number)) - right)) < 1e-10 * max(1, abs(right))


@MODELS
@pytest.mark.parametrize("times", [1, 40])
def test_each_row_may_have_a_point_of_its_own(shift, times) -> None:
    """The same numbers as of all rows at every point; of many rows they come from a table."""
    few = [history for history in HISTORIES if history[0] < 100]
    x, tx, T = np.tile(np.array(few).T, times)  # noqa: N806
    numbers = np.vstack([logarithms(params) for params in PARAMETERS])
    kind = np.arange(len(x)) % len(numbers)
    every = bg.derivatives(of_all(numbers), x, tx, T, shift)
    points = RowPoints(values=tuple(one[None, :] for one in numbers.T), kind=kind)
    own = bg.derivatives(points, x, tx, T, shift)
    place = (kind, np.arange(len(x)))
    np.testing.assert_allclose(own.value[0], every.value[place], rtol=1e-13, atol=1e-13)
    for one, other in zip(own.first, every.first, strict=True):
        np.testing.assert_allclose(one[0], other[place], rtol=1e-12, atol=1e-13)
    for pair, one in own.second.items():
        np.testing.assert_allclose(one[0], every.second[pair][place], rtol=1e-12, atol=1e-13)


@pytest.mark.slow
@MODELS
@pytest.mark.parametrize("params", PARAMETERS)
def test_probability_alive_and_expected_purchases(params, shift) -> None:
    x, tx, T = np.array(HISTORIES).T  # noqa: N806
    r, alpha, a, b = params
    for t in (1e-3, 39.0, 3650.0):
        with mp.workdps(60):
            p = [alive(params, *history, shift) for history in HISTORIES]
            g = [closed_form(t, r + x, alpha + T, a, b + x + shift) for x, _, T in HISTORIES]
            right = [p * g for p, g in zip(p, g, strict=True)]
            assert relative_errors(bg.probability_alive(params, x, tx, T, shift), p).max() < 1e-11
            got = bg.expected_purchases(params, t, x, tx, T, shift)
            assert relative_errors(got, right).max() < 2e-11


@MODELS
def test_discounted_purchases(shift) -> None:
    for t in (52.0, np.inf):
        got = bg.discounted_purchases(CDNOW, 0.0018, t, 7, 35, 77.86, shift)
        r, alpha, a, b = CDNOW
        right = discounted(0.0018, t, r + 7, alpha + 77.86, a, b + 7 + shift)
        right *= alive(CDNOW, 7, 35, 77.86, shift)
        assert float(abs(got / right - 1)) < 1e-11


@MODELS
def test_discounting_is_between_the_first_and_the_last_moment(shift) -> None:
    history = (np.array([0, 7, 30]), np.array([0, 35, 70]), 77.86)
    plain = bg.expected_purchases(CDNOW, 52, *history, shift)
    worth = bg.discounted_purchases(CDNOW, 0.01, 52, *history, shift)
    assert (np.exp(-0.52) * plain < worth).all()
    assert (worth < plain).all()


def test_probabilities_by_integration() -> None:
    # P(X(t) = n) over p by hand: all n survived, or n - 1 of n and then gone. NB from the series.
    params, t = CDNOW, 365
    with mp.workdps(40):
        r, alpha, a, b = map(mp.mpf, params)
        w = t / (alpha + t)
        for shift, n in itertools.product((BG, MBG), (0, 1, 7, 171, 1000)):
            k = n + shift
            count = [mp.rf(r, j) / mp.factorial(j) * (1 - w) ** r * w**j for j in range(n + 1)]
            right = mp.beta(a, b + k) * count[n]
            if k:
                right += mp.beta(a + 1, b + k - 1) * (1 - mp.fsum(count[:n]))
            got = bg.purchase_probabilities(params, n, t, shift)
            assert float(abs(got * mp.beta(a, b) / right - 1)) < 1e-10


# Invariants


@MODELS
@pytest.mark.parametrize("params", [(2.0, 5.0, 0.8, 2.0), (0.5, 4.0, 3.0, 5.0)])
def test_probabilities_add_up_and_their_mean_is_the_expectation(params, shift) -> None:
    n = np.arange(4000)
    p = bg.purchase_probabilities(params, n, 52, shift)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert n @ p == pytest.approx(bg.new_customer_purchases(params, 52, shift), rel=1e-11)


@MODELS
def test_the_unit_of_time_does_not_matter(shift) -> None:
    r, alpha, a, b = CDNOW
    days = (r, 7 * alpha, a, b)
    x, tx, T = np.array([0, 2, 26]), np.array([0, 30.43, 30.9]), np.array([39, 38.86, 31])  # noqa: N806
    np.testing.assert_allclose(
        bg.expected_purchases(CDNOW, 39, x, tx, T, shift),
        bg.expected_purchases(days, 273, x, 7 * tx, 7 * T, shift),
        rtol=1e-13,
    )
    np.testing.assert_allclose(
        bg.log_likelihood(CDNOW, x, tx, T, shift),
        bg.log_likelihood(days, x, 7 * tx, 7 * T, shift) + x * np.log(7),
        rtol=1e-12,
    )


def test_a_bg_customer_without_repeat_purchase_is_alive() -> None:
    assert bg.probability_alive(CDNOW, 0, 0, 1e6, BG) == 1


def test_rising_factorials_beyond_the_longest_sum() -> None:
    # Above 2**20 they come from the gamma function; whole or not.
    n = np.array([0, 3, 2.0**20 + 1])
    whole = np.array([0, 3, 2.0**20])
    np.testing.assert_allclose(log_rising(2.5, n)[:2], log_rising(2.5, whole)[:2], rtol=1e-13)
    beyond, within = (rising_derivatives(np.array([2.5]), one) for one in (n, whole))
    for one, other in zip(beyond, within, strict=True):
        np.testing.assert_allclose(one[:2], other[:2], rtol=1e-13)
    # The term of 2.5 + 2**20, of the logarithm's derivative.
    step = beyond[1][2] - within[1][2]
    assert step == pytest.approx(2.5 / (2.5 + 2.0**20), rel=1e-5)
    far = log_rising_ratio(2.0, 0.5, n)[2]
    assert far == pytest.approx(log_rising_ratio(2.0, 0.5, whole)[2], rel=1e-6)


# Simulation


@MODELS
def test_simulated_customers_buy_as_expected(shift) -> None:
    params, n = (2.0, 5.0, 0.8, 2.0), 200_000
    horizon = np.full(n, 30.0)
    x, tx = bg.simulate(params, horizon, shift, np.random.default_rng(7))
    error = 4 / np.sqrt(n)
    mean = bg.new_customer_purchases(params, 30, shift)
    assert abs(x.mean() - mean) < error * x.std()
    share = bg.purchase_probabilities(params, np.arange(6), 30, shift)
    seen = np.bincount(x.astype(int))[:6] / n
    assert (np.abs(seen - share) < error * np.sqrt(share)).all()
    assert ((tx > 0) == (x > 0)).all()
    assert (tx <= 30).all()
    # At the truth the mean of the score is 0: only if recency too follows the model.
    found = bg.derivatives(of_all(logarithms(params)), x, tx, horizon, shift)
    for score in found.first:
        assert abs(score.mean()) < error * score.std()


@pytest.mark.slow
@MODELS
def test_the_simulated_future_is_as_expected(shift) -> None:
    params, n = (2.0, 5.0, 0.8, 2.0), 200_000
    for history in ((0, 0.0, 20.0), (5, 8.0, 20.0), (5, 20.0, 20.0)):
        x, tx, T = (np.full(n, value) for value in history)  # noqa: N806
        who, when = bg.simulate_future(params, 15, x, tx, T, shift, np.random.default_rng(8))
        for rate in (0.0, 0.1):
            future = np.bincount(who, np.exp(-rate * when), n)
            mean = bg.discounted_purchases(params, rate, 15, *history, shift)
            assert abs(future.mean() - mean) < 4 * future.std() / np.sqrt(n)


def test_customers_who_never_drop_out_can_be_simulated() -> None:
    # Of a = 1e-3 most p are too small for a geometric number.
    rng = np.random.default_rng(9)
    x, _ = bg.simulate((2.0, 5.0, 1e-3, 5.0), np.full(20_000, 30.0), BG, rng)
    assert np.isfinite(x).all()
    assert x.mean() == pytest.approx(12, rel=0.03)  # hardly below r t / alpha


@MODELS
def test_still_there_after_a_time(shift) -> None:
    # 2F1(r + x, a; a + b'; -t / (alpha + T)) with the updated b', by Pfaff's transformation.
    for params in PARAMETERS[:6]:
        r, alpha, a, b = params
        for x, tx, T in ((0, 0.0, 30.0), (2, 20.0, 38.0), (9, 30.0, 31.0)):  # noqa: N806
            now = bg.probability_alive(params, x, tx, T, shift)
            for t in (0.5, 39.0, 500.0):
                with mp.workdps(30):
                    z = mp.mpf(t) / (alpha + T)
                    after = mp.hyp2f1(r + x, b + x + shift, a + b + x + shift, z / (1 + z))
                    right = (1 + z) ** -(r + x) * after
                later = bg.probability_alive(params, x, tx, T, shift, ahead=t)
                assert float(later) == pytest.approx(float(now * right), rel=1e-8, abs=1e-13)
