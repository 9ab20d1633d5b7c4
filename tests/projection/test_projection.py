"""Projection of survival: published fits, mpmath, sums by hand, truth that is known, and misuse."""

from __future__ import annotations

import json
import math
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import mpmath as mp
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest

from retainkit import BDW, SBG, annualize_rate, cohort_retention, fit_bdw, fit_sbg, survival_curve
from retainkit._models import beta_geometric
from retainkit._models.beta_geometric_fit import AgeIntervals, fit_age_intervals
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from retainkit.projection._table import _beta_binomial
from tables import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends import Backend

# Fader & Hardie (2007), Table 1, percent of 1,000 in years 0 to 12.
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]


def years(share: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"age": range(len(share)), "retained": [10 * one for one in share]})


def counts(*retained: float) -> pd.DataFrame:
    return pd.DataFrame({"age": range(len(retained)), "retained": retained})


def quiet(fit: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return fit(*arguments, **options)


# --- published fits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "published", "likelihood"),
    [(REGULAR, (0.704, 1.182), -1680.265), (HIGH_END, (0.668, 3.806), -1611.158)],
    ids=["regular", "high end"],
)
def test_the_fits_of_the_paper(
    share: list[float], published: tuple[float, float], likelihood: float
) -> None:
    """Fader & Hardie (2007), eight years; pymc-marketing's individual test has alpha 0.688."""
    model = fit_sbg(years(share), holdout=5)
    assert tuple(model.parameters.values()) == pytest.approx(published, abs=0.5e-3)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-3)
    assert model.converged
    assert model.n_customers == 1000


def test_standard_errors_are_those_of_the_hessian() -> None:
    """Found apart from this code: .0656, .1525; and by differences of the sum written out here."""
    model = fit_sbg(years(REGULAR), holdout=5)
    assert [*model.standard_errors.values()] == pytest.approx([0.0656, 0.1525], abs=1e-4)
    lost, stayed = -np.diff([10 * one for one in REGULAR[:8]]), 10 * REGULAR[7]

    def likelihood(alpha: Any, beta: Any) -> Any:
        return by_hand(lost.tolist(), stayed, alpha, beta)

    hessian = [
        [mp.diff(likelihood, (model.alpha, model.beta), orders) for orders in row]
        for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
    ]
    expected = np.linalg.inv(-np.array(hessian, np.float64))
    assert np.array(model.covariance) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("share", "published", "likelihood", "twelfth"),
    [
        (REGULAR, (0.5231, 0.8944, 1.1963), -1401.383, 0.1714),
        (HIGH_END, (0.2593, 1.7225, 1.5844), -1222.749, 0.3889),
    ],
    ids=["regular", "high end"],
)
def test_the_beta_discrete_weibull_fits(
    share: list[float], published: tuple[float, ...], likelihood: float, twelfth: float
) -> None:
    """Fader et al. (2018): 0.259, 1.722, 1.584; abdullahau/customer-analytics prints four digits.

    The share at age 12 follows from their parameters.
    """
    model = fit_bdw(years(share), holdout=8)
    assert tuple(model.parameters.values()) == pytest.approx(published, abs=1.5e-4)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-3)
    assert model.survival(12) == pytest.approx(twelfth, abs=0.5e-4)
    # The regular c is known to within .37.
    if share is REGULAR:
        assert model.standard_errors["c"] == pytest.approx(0.37, abs=0.005)


@pytest.mark.parametrize(
    ("share", "parameters", "likelihood", "twelfth"),
    [
        (REGULAR, (0.7636651, 1.2958303), -1401.559424, 0.1595),
        (HIGH_END, (1.2809764, 7.7903844), -1225.134907, 0.3070),
    ],
    ids=["regular", "high end"],
)
def test_the_fits_of_five_years(
    share: list[float], parameters: tuple[float, float], likelihood: float, twelfth: float
) -> None:
    """The notebook of abdullahau/customer-analytics on the data of Fader & Hardie (2007)."""
    model = fit_sbg(years(share), holdout=8)
    assert tuple(model.parameters.values()) == pytest.approx(parameters, rel=1e-5)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-5)
    assert model.survival(12) == pytest.approx(twelfth, abs=0.5e-4)
    # Which is no worse than with c free, and by how much is the paper's likelihood ratio.
    ratio = 2 * (fit_bdw(years(share), holdout=8).log_likelihood - likelihood)
    assert ratio == pytest.approx(0.35 if share is REGULAR else 4.77, abs=0.005)


def test_the_twelfth_year_of_the_paper() -> None:
    """Fader & Hardie (2007): by the sBG 17.0 % and 37.8 % are left in year 12."""
    for share, twelfth in ((REGULAR, 0.1700), (HIGH_END, 0.3780)):
        assert fit_sbg(years(share), holdout=5).survival(12) == pytest.approx(twelfth, abs=0.5e-4)


def test_equal_chances_of_any_size() -> None:
    """rstudio-pubs 958259: with alpha = beta = 1, 1/2, 1/6, 1/12, ... leave."""
    shares = SBG(alpha=1, beta=1).survival(np.arange(11))
    expected = [1 / (t * (t + 1)) for t in range(1, 11)]
    np.testing.assert_allclose(-np.diff(shares), expected, rtol=1e-13)
    rates = SBG(alpha=1, beta=1).retention_rate(np.arange(1, 11))
    np.testing.assert_allclose(rates, np.arange(1, 11) / np.arange(2, 12), rtol=1e-13)


def test_one_over_churn_is_what_the_documentation_says() -> None:
    """By hand: 3.68 years and 2.2 % after twelve, where 17.3 % were."""
    there = np.array(REGULAR[:5])
    churn = -np.diff(there).sum() / there[:-1].sum()
    assert churn == pytest.approx(0.2717, abs=0.5e-4)
    assert 1 / churn == pytest.approx(3.68, abs=0.005)
    assert (1 - churn) ** 12 == pytest.approx(0.022, abs=0.0005)


# --- likelihood and its gradient, written out --------------------------------------------------


def by_hand(lost: list[float], stayed: float, alpha: Any, beta: Any, c: Any = 1) -> Any:
    """Sum lost log P(t) + stayed log S(T), by mpmath's beta function, in years from 0."""
    shares = [mp.beta(alpha, beta + mp.mpf(t) ** c) for t in range(len(lost) + 1)]
    shares = [share / mp.beta(alpha, beta) for share in shares]
    gone = sum(n * mp.log(shares[t] - shares[t + 1]) for t, n in enumerate(lost) if n)
    return gone + (stayed * mp.log(shares[-1]) if stayed else 0)


@pytest.mark.parametrize("c", [1.0, 0.6, 1.7])
@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 1.2), (3.8, 15.2), (1e-4, 3e-4), (4e5, 5e5)])
def test_the_likelihood_is_the_sum_and_its_gradient_the_derivative(
    alpha: float, beta: float, c: float
) -> None:
    lost, stayed = [40.0, 25.0, 0.0, 9.0], 26.0
    there = 100 - np.cumsum([0, *lost])
    value, slope = beta_geometric.log_likelihood_gradient(
        np.array([alpha, beta, c]), np.arange(4.0), np.arange(1.0, 5), there[1:], np.array(lost)
    )
    with mp.workdps(60):
        assert value == pytest.approx(float(by_hand(lost, stayed, alpha, beta, c)), rel=1e-10)
        for j, own in enumerate((alpha, beta, c)):
            orders = tuple(int(k == j) for k in range(3))
            expected = mp.diff(lambda *at: by_hand(lost, stayed, *at), (alpha, beta, c), orders)
            assert slope[j] * own == pytest.approx(float(expected) * own, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    "theta", [(0.7, 1.2, 1), (1e-6, 2e-6, 1.3), (1e5, 9e5, 1), (9e5, 1e5, 0.5), (2, 1e6, 1)]
)
def test_survival_keeps_its_digits(theta: tuple[float, float, float]) -> None:
    alpha, beta, c = theta
    t = np.array([0.0, 1, 2, 7, 30, 1e3, 1e6])
    with mp.workdps(60):
        x = [mp.mpf(one) ** c for one in t]
        exact = [float(mp.log(mp.beta(alpha, beta + one) / mp.beta(alpha, beta))) for one in x]
    found = beta_geometric.log_survival(np.array(theta, float), t)
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-14)


def test_cohorts_of_several_lengths_are_one_likelihood() -> None:
    """Fader & Hardie, note 017: the sum over cohorts, each censored at its own last age."""
    cohorts = {"a": [100, 60, 45, 38, 33], "b": [200, 130, 90], "c": [50, 28], "d": [40]}
    rows = [(name, k, n) for name, there in cohorts.items() for k, n in enumerate(there)]
    table = pd.DataFrame(rows, columns=["start", "age", "retained"])
    model = fit_sbg(table.sample(frac=1, random_state=3), cohort="start")

    def total(alpha: float, beta: float) -> float:
        return float(
            sum(by_hand((-np.diff(n)).tolist(), n[-1], alpha, beta) for n in cohorts.values())  # type: ignore[arg-type]
        )

    assert model.log_likelihood == pytest.approx(total(model.alpha, model.beta), rel=1e-9)
    for factors in ((1.01, 1), (0.99, 1), (1, 1.01), (1, 0.99)):
        near = (model.alpha * factors[0], model.beta * factors[1])
        assert total(*near) < model.log_likelihood
    assert model.diagnostics["cohorts"] == 3
    assert model.n_customers == 350  # the cohort of one age tells nothing


def test_ages_may_be_missing() -> None:
    """Years 0, 1, 3 and 4: who left in between left at one of two renewals."""
    model = fit_sbg(years(REGULAR[:5]).drop(index=2))
    share = [
        mp.beta(model.alpha, model.beta + t) / mp.beta(model.alpha, model.beta) for t in range(5)
    ]
    lost = [(369, 0, 1), (249, 1, 3), (56, 3, 4)]
    total = sum(n * mp.log(share[s] - share[t]) for n, s, t in lost) + 326 * mp.log(share[4])
    assert model.log_likelihood == pytest.approx(float(total), rel=1e-9)


def test_a_survival_curve_is_the_same_as_its_cohorts() -> None:
    """Customers seen for 2 and for 4 months, as cohorts and as Kaplan and Meier's table."""
    old, new = [100, 60, 45, 38, 33], [80, 50, 36]
    table = pd.concat([counts(*old).assign(start="old"), counts(*new).assign(start="new")])
    rows = []
    for there in (old, new):
        for month, n in enumerate(-np.diff(there), 1):
            rows += [(month, True)] * int(n)
        rows += [(len(there) - 1, False)] * there[-1]
    lives = pd.DataFrame(rows, columns=["months", "left"])
    curve = survival_curve(lives, duration="months", observed="left")
    by_cohort = fit_sbg(table, cohort="start")
    columns: dict[str, Any] = {"age": "tenure", "at_risk": "at_risk", "churned": "churned"}
    by_curve = fit_sbg(curve, **columns)
    assert by_curve.parameters == pytest.approx(by_cohort.parameters, rel=1e-7)
    assert by_curve.log_likelihood == pytest.approx(by_cohort.log_likelihood, rel=1e-12)
    assert by_curve.n_customers == by_cohort.n_customers == 180
    projected = by_curve.project(curve, 1, **columns)
    np.testing.assert_allclose(projected["observed"][:5], curve["survival"], rtol=1e-12)


def months_of(**cohorts: list[int]) -> pd.DataFrame:
    """Return how long each customer of some cohorts was there, of counts month by month."""
    rows = []
    for name, there in cohorts.items():
        for month, n in enumerate(-np.diff(there), 1):
            rows += [(name, month, True)] * int(n)
        rows += [(name, len(there) - 1, False)] * there[-1]
    return pd.DataFrame(rows, columns=["plan", "months", "left"])


@pytest.mark.parametrize("fit", [fit_sbg, fit_bdw])
def test_a_survival_curve_is_taken_as_it_is(backend: Backend, fit: Any) -> None:
    counted = {"old": [100, 60, 45, 38, 33], "new": [80, 50, 36]}
    table = pd.concat([counts(*there).assign(plan=name) for name, there in counted.items()])
    want = fit(table, cohort="plan")
    lives = months_of(**counted)
    for by in (None, "plan"):
        curve = survival_curve(lives, duration="months", observed="left", by=by)
        frame = backend.make(rows_of(curve))
        model = fit(frame)
        assert model.parameters == pytest.approx(want.parameters, rel=1e-6)
        assert model.log_likelihood == pytest.approx(want.log_likelihood, rel=1e-9)
        assert model.n_customers == 180
        projected = rows_of(model.project(frame, 2))
        observed = [row["observed"] for row in projected if row["observed"] is not None]
        assert observed == pytest.approx(curve["survival"].tolist())
        assert ("plan" in projected[0]) == (by is not None)


def test_a_survival_curve_in_fractions_is_refused() -> None:
    curve = survival_curve(
        months_of(old=[10, 6, 5]).assign(months=lambda t: t["months"] / 2),
        duration="months",
        observed="left",
    )
    with pytest.raises(
        ArgumentError, match=r"'tenure'.*whole numbers.*0\.5.*leaves at k"
    ) as caught:
        fit_sbg(curve)
    assert (caught.value.code, caught.value.column) == ("not_whole", "tenure")


def test_shares_of_a_number_are_its_customers() -> None:
    exact = fit_sbg(years(REGULAR))
    for factor in (1 / 100, 1.0, 7.3):
        table = pd.DataFrame({"age": range(13), "retained": REGULAR, "size": 1000})
        table["retained"] *= factor
        for customers in (1000, "size"):
            other = fit_sbg(table, customers=customers)
            assert other.parameters == pytest.approx(exact.parameters, rel=1e-6)
            assert other.standard_errors == pytest.approx(exact.standard_errors, rel=1e-5)
    four = fit_sbg(years(REGULAR), customers=4000)
    assert four.standard_errors["beta"] == pytest.approx(exact.standard_errors["beta"] / 2)


def test_a_cohort_that_begins_late_tells_of_those_there_then() -> None:
    """The years 2 to 7 of the paper: S(t) / S(2), as a search on the sum in this test finds."""
    late = years(REGULAR[:8])[2:].assign(start="late")
    early = counts(500, 300, 220).assign(start="early")
    model = fit_sbg(pd.concat([late, early]), cohort="start")

    def total(alpha: float, beta: float) -> float:
        s = [mp.beta(alpha, beta + t) / mp.beta(alpha, beta) for t in range(8)]
        there = [10 * one for one in REGULAR[:8]]
        parts = [(there[t] - there[t + 1]) * mp.log(s[t] - s[t + 1]) for t in range(2, 7)]
        known = sum(parts) + there[7] * mp.log(s[7]) - there[2] * mp.log(s[2])
        return float(known + by_hand([200, 80], 220, alpha, beta))

    assert model.log_likelihood == pytest.approx(total(model.alpha, model.beta), rel=1e-9)
    for factors in ((1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98)):
        near = (model.alpha * factors[0], model.beta * factors[1])
        assert total(*near) < model.log_likelihood
    found = model.project(pd.concat([late, early]), 0, cohort="start")
    own = found[found["start"] == "late"]
    assert own["fitted"].iloc[0] == 1
    expected = model.survival(own["age"]) / model.survival(2)
    np.testing.assert_allclose(own["fitted"], expected, rtol=1e-12)


# --- lifetimes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "fit", "new", "after_four"),
    [
        (REGULAR, fit_sbg, 3.62, 5.68),
        (REGULAR, fit_bdw, 3.69, 6.03),
        (HIGH_END, fit_sbg, 5.46, 5.87),
        (HIGH_END, fit_bdw, 5.99, 7.32),
    ],
)
def test_discounted_lifetimes_of_the_notebook(
    share: list[float], fit: Callable[..., Any], new: float, after_four: float
) -> None:
    """abdullahau/customer-analytics: fits of five years, 10 %, sums over 100 years."""
    model = fit(years(share), holdout=8)
    assert model.expected_lifetime(100, 0.1) == pytest.approx(new, abs=0.0051)
    assert model.residual_lifetime(4, 100, 0.1) == pytest.approx(after_four, abs=0.0051)


@pytest.mark.parametrize(
    ("alpha", "beta", "published"),
    [
        (3.80, 15.20, [3.31, 3.45, 3.59, 3.72, 3.84]),
        (0.067, 0.267, [7.68, 9.46, 9.86, 10.06, 10.19]),
    ],
)
def test_residual_lifetimes_of_the_paper(alpha: float, beta: float, published: list[float]) -> None:
    """Fader & Hardie (2010), Table 3: 10 %, before the first to fifth renewal.

    The second row is printed with parameters rounded to three decimals.
    """
    found = SBG(alpha=alpha, beta=beta).residual_lifetime(np.arange(5), discount_rate=0.1)
    np.testing.assert_allclose(found, published, rtol=1.5e-3)
    # Eq. 7 of the paper, by mpmath.
    exact = [
        (beta + k) / (alpha + beta + k) * mp.hyp2f1(1, beta + k + 1, alpha + beta + k + 1, 1 / 1.1)
        for k in range(5)
    ]
    np.testing.assert_allclose(found, np.array(exact, float), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1.0, 0.1, 1e-3, 1e-6])
@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 1.2), (3.8, 15.2), (0.067, 0.267), (50, 5e3)])
def test_the_discounted_lifetime_is_the_hypergeometric_function(
    alpha: float, beta: float, rate: float
) -> None:
    model = SBG(alpha=alpha, beta=beta)
    with mp.workdps(40):
        exact = mp.hyp2f1(1, beta, mp.mpf(alpha) + beta, 1 / (1 + mp.mpf(rate)))
    assert model.expected_lifetime(discount_rate=rate) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize(("alpha", "beta"), [(2, 1), (1.5, 9), (1.01, 2), (1.0001, 50), (3e3, 1e4)])
def test_the_mean_lifetime_is_that_of_one_over_a_beta(alpha: float, beta: float) -> None:
    """E(1 / p) = (alpha + beta - 1) / (alpha - 1), which is known."""
    exact = (alpha + beta - 1) / (alpha - 1)
    assert SBG(alpha=alpha, beta=beta).expected_lifetime() == pytest.approx(exact, rel=1e-9)


def test_the_mean_lifetime_with_duration_dependence_is_its_sum() -> None:
    """Two million terms, and the integral of the power that is left."""
    alpha, beta, c = 0.5, 2.0, 3.0
    t = np.arange(2_000_000.0)
    shares = np.exp([float(mp.log(mp.beta(alpha, beta + one**3))) for one in t[:50]])
    shares /= float(mp.beta(alpha, beta))
    # Gamma(alpha + beta) / Gamma(beta) x^-alpha, with the next term of the series.
    x = t[50:] ** 3
    lead = math.gamma(alpha + beta) / math.gamma(beta) * x**-alpha
    far = lead * (1 - alpha * (alpha + 2 * beta - 1) / (2 * x))
    total = shares.sum() + far.sum() + far[-1] * t[-1] / (alpha * c - 1)
    model = BDW(alpha=alpha, beta=beta, c=c)
    assert model.expected_lifetime() == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize("horizon", [0, 1, 12, 4096, 50_000])
def test_a_horizon_counts_so_many_periods(horizon: int) -> None:
    for model in (SBG(alpha=0.7, beta=1.2), BDW(alpha=0.7, beta=1.2, c=1.4)):
        for rate in (0.0, 0.001):
            terms = model.survival(np.arange(horizon + 1.0)) / (1 + rate) ** np.arange(horizon + 1)
            found = model.expected_lifetime(horizon, rate)
            assert found == pytest.approx(terms[:-1].sum(), rel=1e-11, abs=1e-15)
    later = SBG(alpha=0.7, beta=1.2).residual_lifetime([[3]], horizon=2)  # type: ignore[list-item]
    shares = SBG(alpha=0.7, beta=1.2).survival([3, 4, 5])
    assert later.tolist() == [[pytest.approx(shares[1:].sum() / shares[0])]]


def test_an_infinite_mean_is_said() -> None:
    with pytest.raises(ArgumentError, match=r"alpha \(0\.704\) is not above 1, .*infinite"):
        fit_sbg(years(REGULAR), holdout=5).expected_lifetime()
    with pytest.raises(ArgumentError, match=r"alpha \(0\.5\) times c \(2\) is not above 1"):
        BDW(alpha=0.5, beta=1, c=2).residual_lifetime(3)
    assert BDW(alpha=0.5, beta=1, c=2.5).expected_lifetime() > 1
    assert fit_sbg(years(REGULAR)).diagnostics["infinite_mean"]


# --- projection --------------------------------------------------------------------------------

COLUMNS = ["age", "customers", "observed", "fitted", "projected"]
COLUMNS += ["lower", "upper", "held_out", "error"]


def test_a_projection_goes_on_from_the_last_age_fitted() -> None:
    model = fit_sbg(years(REGULAR), holdout=5)
    found = model.project(years(REGULAR), 3)
    assert list(found) == COLUMNS
    assert found["age"].tolist() == list(range(16))
    assert found["customers"].tolist() == [1000.0] * 16
    np.testing.assert_allclose(found["observed"][:13], np.array(REGULAR) / 100)
    assert found["observed"][13:].isna().all()
    np.testing.assert_allclose(found["fitted"][:8], model.survival(range(8)))
    assert found["fitted"][8:].isna().all()
    assert found["projected"][:8].isna().all()
    on = 0.241 * model.survival(range(8, 16)) / model.survival(7)
    np.testing.assert_allclose(found["projected"][8:], on)
    assert found["held_out"].tolist() == [False] * 8 + [True] * 5 + [False] * 3
    np.testing.assert_allclose(found["error"][8:13], on[:5] - np.array(REGULAR[8:]) / 100)
    assert found["error"].drop(index=range(8, 13)).isna().all()
    # What came lies within the interval, and the interval around what is expected.
    own = found.iloc[8:13]
    assert (own["lower"] < own["observed"]).all()
    assert (own["observed"] < own["upper"]).all()


@pytest.mark.parametrize("fit", [fit_sbg, fit_bdw])
def test_the_interval_is_the_delta_method_on_the_logit(fit: Callable[..., Any]) -> None:
    """The derivatives by differences of the curve itself."""
    model = fit(years(HIGH_END), holdout=5)
    found = model.project(years(HIGH_END), 2, confidence_level=0.9)

    def logit(values: Any, age: int, since: int) -> float:
        new = type(model)(**dict(zip(model.NAMES, values, strict=True)))
        share = new.survival(age) / new.survival(since)
        return math.log(share / (1 - share))

    at = np.array([*model.parameters.values()])
    for age, since, share in ((3, 0, 1.0), (7, 0, 1.0), (9, 7, 0.491), (14, 7, 0.491)):
        steps = 1e-5 * np.diag(at)
        slope = [
            (logit(at + h, age, since) - logit(at - h, age, since)) / (2 * h.sum()) for h in steps
        ]
        error = math.sqrt(np.array(slope) @ np.array(model.covariance) @ np.array(slope))
        limits = [logit(at, age, since) + side * 1.6448536 * error for side in (-1, 1)]
        expected = [share / (1 + math.exp(-limit)) for limit in limits]
        row = found[found["age"] == age].iloc[0]
        assert [row["lower"], row["upper"]] == pytest.approx(expected, rel=1e-5)


def test_a_predictive_interval_holds_the_chance_of_customers_too() -> None:
    """Parameters drawn from their distribution, then customers: quantiles of what comes."""
    model = fit_sbg(years(REGULAR), holdout=5)
    found = model.project(years(REGULAR), 0, predictive=True)
    own = found[found["age"] == 12].iloc[0]
    rng = np.random.default_rng(4)
    draws = rng.multivariate_normal([model.alpha, model.beta], np.array(model.covariance), 40_000)
    share = [
        math.prod((beta + t) / (alpha + beta + t) for t in range(7, 12)) for alpha, beta in draws
    ]
    came = rng.binomial(241, share) / 1000
    assert [own["lower"], own["upper"]] == pytest.approx(
        np.quantile(came, [0.025, 0.975]).tolist(), abs=0.0021
    )
    mean = model.project(years(REGULAR), 0)
    assert (own["upper"] - own["lower"]) > 1.5 * np.ptp(mean[["lower", "upper"]].iloc[-1])


def test_many_customers_have_the_same_interval_as_nearly_as_many() -> None:
    """20,000 at the last age fitted is where their chances give way to a normal one."""
    limits = []
    for size in (82_000, 84_000):
        model = fit_sbg(years(REGULAR), customers=size, holdout=5)
        found = model.project(years(REGULAR), 0, predictive=True).iloc[-1]
        limits.append([found["lower"], found["upper"]])
        wide, narrow = (
            np.ptp(limits[-1]),
            np.ptp(model.project(years(REGULAR), 0).iloc[-1][["lower", "upper"]].astype(float)),
        )
        assert wide > 1.5 * narrow
    assert limits[0] == pytest.approx(limits[1], abs=1e-4)


def test_the_chances_of_customers_are_beta_binomial() -> None:
    """Three customers, chances beta(2, 6): by the integral over the chance."""
    found = _beta_binomial(3, 0.25, 1 / 9)
    expected = [
        mp.quad(lambda p, k=k: mp.binomial(3, k) * p ** (k + 1) * (1 - p) ** (8 - k), [0, 1])
        / mp.beta(2, 6)
        for k in range(4)
    ]
    np.testing.assert_allclose(found, np.array(expected, float), rtol=1e-10)


def test_every_cohort_goes_on_from_where_it_is() -> None:
    table = pd.concat(
        [
            counts(100, 60, 45, 38).assign(plan="a", start=pd.Timestamp("2024-01-01")),
            counts(10, 8).assign(plan="a", start=pd.Timestamp("2024-02-01")),
            counts(20, 9, 5).assign(plan="b", start=pd.Timestamp("2024-01-01")),
        ]
    )
    model = quiet(fit_sbg, table, cohort=["plan", "start"], holdout=1)
    found = model.project(table.sample(frac=1, random_state=2), 2, cohort=["plan", "start"])
    assert list(found) == ["plan", "start", *COLUMNS]
    lines = found.groupby(["plan", "start"], sort=False)
    assert [size for _, size in lines["age"].size().items()] == [6, 4, 5]
    last = {100.0: (2, 0.45), 10.0: (0, 1.0), 20.0: (1, 0.45)}
    for size, (age, share) in last.items():
        own = found[found["customers"] == size]
        assert own["age"].tolist() == list(range(len(own)))
        assert own["held_out"].tolist() == [k == age + 1 for k in own["age"]]
        ahead = own[own["age"] > age]
        expected = share * model.survival(ahead["age"]) / model.survival(age)
        np.testing.assert_allclose(ahead["projected"], expected)


def test_a_later_table_is_held_against_the_model() -> None:
    early = fit_sbg(years(REGULAR[:8]))
    assert early.diagnostics["holdout"] == 0
    found = early.project(years(REGULAR), 0, holdout=5)
    same = fit_sbg(years(REGULAR), holdout=5).project(years(REGULAR), 0)
    pd.testing.assert_frame_equal(found, same)


def test_the_number_of_customers_is_remembered() -> None:
    table = pd.DataFrame({"age": range(13), "retained": REGULAR})
    model = fit_sbg(table, customers=1000, holdout=5)
    exact = fit_sbg(years(REGULAR), holdout=5)
    for predictive in (False, True):
        own = model.project(table, 2, predictive=predictive)
        other = exact.project(years(REGULAR), 2, predictive=predictive)
        pd.testing.assert_frame_equal(own, other, rtol=1e-6)


def test_a_model_of_parameters_alone_has_no_interval() -> None:
    found = SBG(alpha=0.7, beta=1.2).project(years(REGULAR), 2)
    assert found[["lower", "upper"]].iloc[1:].isna().all(axis=None)
    predictive = SBG(alpha=0.7, beta=1.2).project(years(REGULAR), 2, predictive=True)
    assert predictive[["lower", "upper"]].iloc[1:].isna().all(axis=None)


def test_nobody_left_stays_nobody() -> None:
    model = quiet(fit_sbg, counts(10, 4, 1, 0, 0))
    found = model.project(counts(10, 4, 1, 0, 0), 2, predictive=True)
    assert found["projected"].dropna().tolist() == [0.0, 0.0]
    assert found["upper"].tail(2).tolist() == [0.0, 0.0]


def test_every_kind_of_frame(backend: Backend) -> None:
    cohorts = {"a": (100, 60, 45, 38, 33), "b": (50, 28, 20)}
    rows = [
        {"plan": plan, "age": age, "retained": n}
        for plan, there in cohorts.items()
        for age, n in enumerate(there)
    ]
    given = backend.make(rows)
    model = fit_sbg(given, cohort="plan", holdout=1)
    plain = fit_sbg(pd.DataFrame(rows), cohort="plan", holdout=1)
    assert model.parameters == pytest.approx(plain.parameters, rel=1e-9)
    found = nw.from_native(model.project(given, 1, cohort="plan"), eager_only=True)
    assert found.implementation == backend.result
    expected = plain.project(pd.DataFrame(rows), 1, cohort="plan")
    assert found.columns == list(expected)
    assert found["plan"].to_list() == expected["plan"].tolist()
    for name in COLUMNS:
        np.testing.assert_allclose(
            found[name].to_numpy().astype(float), expected[name].astype(float), rtol=1e-9
        )


def test_order_and_index_mean_nothing_and_the_table_is_not_touched() -> None:
    table = pd.concat([counts(100, 60, 45, 38).assign(c=1), counts(50, 28, 20).assign(c=2)])
    before = table.copy(deep=True)
    model = fit_sbg(table, cohort="c")
    shuffled = table.sample(frac=1, random_state=1).set_index("age", drop=False)
    assert fit_sbg(shuffled, cohort="c") == model
    pd.testing.assert_frame_equal(
        model.project(shuffled, 2, cohort="c"), model.project(table, 2, cohort="c")
    )
    pd.testing.assert_frame_equal(table, before)


def test_an_empty_table_gives_an_empty_projection() -> None:
    empty = counts(10, 5).assign(c="a").iloc[:0]
    found = SBG(alpha=1, beta=1).project(empty, 3, cohort="c")
    assert list(found) == ["c", *COLUMNS]
    assert len(found) == 0
    with pytest.raises(ArgumentError, match="nothing can be learnt"):
        fit_sbg(empty, cohort="c")


# --- what data do not tell ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "name", "text"),
    [
        ((50, 50, 50, 50), "nobody_left", "Nobody left"),
        ((50, 0, 0), "everybody_left", "Nobody stayed"),
        ((50, 20), "few_ages", "1 step between ages, and 2 parameters"),
        ((8000, 4000, 2000, 1000, 500, 250), "equal_customers", "at infinity"),
        ((900, 300, 300, 300, 300), "extreme_customers", "leave at the first opportunity or never"),
    ],
)
def test_data_that_do_not_identify_the_model(there: tuple[int, ...], name: str, text: str) -> None:
    with pytest.warns(RetainkitWarning, match=text):
        model = fit_sbg(counts(*there))
    assert name in model.diagnostics["at_bound"]
    assert model.diagnostics["not_identified"] == ["alpha", "beta"]
    assert all(math.isnan(error) for error in model.standard_errors.values())
    json.dumps(model.to_dict(), allow_nan=False)
    # The curve still goes through what was observed.
    share = np.array(there) / there[0]
    np.testing.assert_allclose(model.survival(np.arange(len(there))), share, atol=0.002)


@pytest.mark.slow
def test_equal_customers_have_the_interval_of_a_single_chance() -> None:
    """(1 - p)^t with p = 1/2 estimated from 15,750 renewals: the variance is known."""
    table = counts(8000, 4000, 2000, 1000, 500, 250)
    model = quiet(fit_sbg, table)
    found = model.project(table, 3).iloc[-1]
    # log S(8) / S(5) = 3 log(1 - p), and var p = p (1 - p) / n.
    error = 3 / 0.5 * math.sqrt(0.25 / 15750) / (1 - 0.125)
    limits = [math.log(0.125 / 0.875) + side * 1.959964 * error for side in (-1, 1)]
    expected = [250 / 8000 / (1 + math.exp(-limit)) for limit in limits]
    assert [found["lower"], found["upper"]] == pytest.approx(expected, rel=1e-3)


def test_what_is_not_identified_has_no_interval() -> None:
    for there in ((50, 50, 50), (50, 20)):
        model = quiet(fit_sbg, counts(*there))
        found = model.project(counts(*there), 3)
        assert found[["lower", "upper"]].tail(3).isna().all(axis=None)


def test_as_many_parameters_as_ages_are_said() -> None:
    with pytest.warns(RetainkitWarning, match="2 steps between ages for 2 parameters"):
        fit_sbg(counts(100, 60, 45))
    with pytest.warns(RetainkitWarning, match="3 steps between ages for 3 parameters"):
        fit_bdw(counts(100, 60, 45, 37))
    with pytest.warns(RetainkitWarning, match="2 steps between ages, and 3 parameters"):
        model = fit_bdw(counts(100, 60, 45))
    assert model.diagnostics["not_identified"] == ["alpha", "beta", "c"]


@pytest.mark.slow
def test_fits_reach_the_maximum_of_odd_data() -> None:
    """No point of a grid is higher, from five customers to many, alike and unlike."""
    rng = np.random.default_rng(8)
    grid = [
        np.array([m, s, c])
        for m in np.linspace(-4, 4, 17)
        for s in np.linspace(-6, 12, 19)
        for c in (-1, -0.5, 0, 0.5, 1)
    ]
    for n in (5, 30, 1000):
        alpha, beta = np.exp(rng.uniform(-2, 2, 2))
        left = np.minimum(rng.geometric(rng.beta(alpha, beta, n).clip(1e-6)), 9)
        there = np.array([(left > t).sum() for t in range(9)], float)
        seen = there[:-1] > 0
        steps = AgeIntervals(
            before=np.arange(8.0)[seen],
            after=np.arange(1.0, 9)[seen],
            stayed=there[1:][seen],
            left=-np.diff(there)[seen],
            customers=n,
        )
        columns = (steps.before, steps.after, steps.stayed, steps.left)
        for size in (2, 3):
            best = max(
                beta_geometric.log_likelihood_gradient(
                    beta_geometric.natural_parameters(phi), *columns
                )[0]
                for phi in grid
                if size == 3 or phi[2] == 0
            )
            assert fit_age_intervals(steps, size=size).log_likelihood >= best - 1e-6


# --- what a table may not be -------------------------------------------------------------------

TABLE = counts(100, 60, 45, 38)


def test_survivors_that_rise_are_refused_with_the_reason() -> None:
    both = pd.concat([TABLE.assign(plan="a"), counts(50, 30, 33, 35).assign(plan="b")])
    text = (
        r"survivors of b rise from 30 at age 1 to 33 at age 2, and so in 2 rows of `table`\. The "
        r"model describes leaving for good.*counting='on_or_after'.*survival_curve"
    )
    with pytest.raises(ArgumentError, match=text):
        fit_sbg(both, cohort="plan")
    with pytest.raises(ArgumentError, match="rise"):
        SBG(alpha=1, beta=1).project(both, 1, cohort="plan")
    # Shares that are the same but for rounding do not rise.
    quiet(fit_sbg, pd.DataFrame({"age": range(4), "retained": [1, 0.5, 0.3, 0.1 + 0.2]}))


def test_a_table_of_cohorts_goes_in_as_it_is() -> None:
    """Orders with customers who come back; only those who may still return are not lost."""
    rng = np.random.default_rng(1)
    rows = []
    for who in range(400):
        month, stays = int(rng.integers(0, 6)), int(rng.geometric(rng.beta(1, 4)))
        rows += [(who, month + k) for k in range(stays) if k == 0 or rng.random() < 0.4]
    log = pd.DataFrame(rows, columns=["customer_id", "month"])
    months = np.datetime64("2024-01") + log["month"].to_numpy() * np.timedelta64(1, "M")
    log["time"] = months.astype("datetime64[us]") + np.timedelta64(9, "D")
    as_of = "2024-09-01"
    log = log[log["time"] < as_of]
    with pytest.raises(ArgumentError, match="rise"):
        fit_sbg(cohort_retention(log, as_of=as_of), cohort="cohort")
    last = cohort_retention(log, as_of=as_of, counting="on_or_after")
    assert fit_sbg(last, cohort="cohort").converged


def test_what_is_not_over_is_not_loss() -> None:
    other = counts(9, 8, 7, 6).assign(plan="b", complete=True)
    table = TABLE.assign(plan="a", complete=[True, True, True, False])
    with pytest.warns(RetainkitWarning, match="1 row not used, at ages that are not over"):
        model = fit_sbg(pd.concat([table, other]), cohort="plan")
    expected = fit_sbg(pd.concat([table[:3], other]), cohort="plan")
    assert model.parameters == expected.parameters


@pytest.mark.parametrize(
    ("table", "options", "error", "text"),
    [
        (TABLE.drop(columns="age"), {}, MissingColumnError, "`age` needs the column 'age'"),
        (TABLE, {"survivors": "kept"}, MissingColumnError, "`survivors` needs the column 'kept'"),
        (TABLE, {"cohort": "plan"}, MissingColumnError, "`cohort` needs the column 'plan'"),
        (TABLE, {"cohort": 3}, ArgumentTypeError, "`cohort` is 3"),
        (TABLE, {"cohort": ["age"]}, ArgumentError, "`cohort` names 'age'"),
        (TABLE, {"customers": "n"}, MissingColumnError, "`customers` needs the column 'n'"),
        (TABLE, {"customers": -1}, ArgumentError, "`customers` is -1"),
        (TABLE, {"customers": 0}, ArgumentError, "`customers` is 0"),
        (TABLE, {"at_risk": "retained"}, ArgumentError, "go together"),
        (TABLE, {"holdout": -1}, ArgumentError, "`holdout` is -1"),
        (TABLE, {"holdout": 1.5}, ArgumentTypeError, "`holdout` is 1.5"),
        (TABLE, {"holdout": 4}, ArgumentError, "`holdout` is 4"),
        (TABLE[:1], {}, ArgumentError, "nothing can be learnt"),
        (pd.concat([TABLE, TABLE]), {}, ArgumentError, "in 4 cases, for instance age 0.*`cohort`"),
        (TABLE.assign(age=[0, 1.5, 2, 3]), {}, ArgumentError, "whole numbers.*1 row.*1.5"),
        (TABLE.assign(age=[-1, 0, 1, 2]), {}, ArgumentError, "0 or more.*-1"),
        (TABLE.assign(retained=[9, 8, None, 7]), {}, ArgumentError, "'retained'.*1 row"),  # type: ignore[list-item]
        (TABLE.assign(retained=[9, 8, 7, -1]), {}, ArgumentError, "negative in 1 row"),
        (TABLE.assign(retained=list("abcd")), {}, ColumnTypeError, "'retained'"),
        (TABLE[1:], {"customers": 100}, ArgumentError, "begin at age 1 only"),
        (TABLE.assign(age_end=[1, 2, 3, 9]), {}, ArgumentError, "brackets"),
        (TABLE.assign(n=9.0), {"at_risk": "n", "churned": "retained"}, ArgumentError, "more can"),
        (
            TABLE.assign(n=9.0),
            {"at_risk": "n", "churned": "n", "customers": 5},
            ArgumentError,
            "nothing to say",
        ),
        ([1, 2], {}, ArgumentTypeError, "`table` is a builtins.list"),
    ],
)
def test_what_is_refused(
    table: Any, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    for fit in (fit_sbg, fit_bdw):
        with pytest.raises(error, match=f"(?s){text}"):
            fit(table, **options)


def test_what_a_table_may_have_meant() -> None:
    with pytest.warns(RetainkitWarning, match="No cohort has a row at age 0; the first is 1"):
        fit_sbg(years(REGULAR)[1:])
    with pytest.warns(RetainkitWarning, match="if survivors are shares"):
        fit_sbg(pd.DataFrame({"age": range(5), "retained": [1, 0.6, 0.45, 0.36, 0.33]}))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda m: m.survival(1.5), ArgumentError, "`ages` must hold whole numbers"),
        (lambda m: m.survival([-1, 2]), ArgumentError, "holds -1"),
        (lambda m: m.survival(math.nan), ArgumentError, "nan"),
        (lambda m: m.survival("a"), ArgumentTypeError, "`ages` is 'a'"),
        (lambda m: m.retention_rate(0), ArgumentError, "1 or more"),
        (lambda m: m.expected_lifetime(-1), ArgumentError, "`horizon` is -1"),
        (lambda m: m.expected_lifetime(2.5), ArgumentTypeError, "`horizon` is 2.5"),
        (lambda m: m.expected_lifetime(2**40), ArgumentError, "leave it out"),
        (lambda m: m.expected_lifetime(3, -0.1), ArgumentError, "`discount_rate` is -0.1"),
        (lambda m: m.residual_lifetime(0.5), ArgumentError, "`renewals`"),
        (lambda m: m.project(TABLE, -1), ArgumentError, "`horizon` is -1"),
        (lambda m: m.project(TABLE, 1, holdout=-1), ArgumentError, "`holdout`"),
        (lambda m: m.project(TABLE, 1, predictive=1), ArgumentTypeError, "`predictive`"),
        (lambda m: m.project(TABLE, 1, confidence_level=2), ArgumentError, "`confidence_level`"),
        (
            lambda m: m.project(TABLE.assign(lower=1), 1, cohort="lower"),
            ArgumentError,
            "'lower', which is also",
        ),
        (lambda _: SBG(alpha=0, beta=1), ArgumentError, "`alpha` is 0"),
    ],
)
def test_misuse_of_a_model(call: Callable[[SBG], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(SBG(alpha=2, beta=1))


def test_scalars_give_numbers_and_arrays_their_shape() -> None:
    model = SBG(alpha=1, beta=1)
    assert type(model.survival(3)) is float
    assert type(model.residual_lifetime(0, 3)) is float
    assert model.survival([[0, 1], [2, 3]]).shape == (2, 2)  # type: ignore[list-item]
    assert model.survival(pd.Series([1, 2])).tolist() == pytest.approx([1 / 2, 1 / 3])
    assert model.survival([]).shape == (0,)


@pytest.mark.parametrize("fit", [fit_sbg, fit_bdw])
def test_models_go_through_json_and_pickle(fit: Callable[..., Any]) -> None:
    model = fit(years(REGULAR), holdout=5, customers=1000)
    again = type(model).from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert again == model
    assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301
    pd.testing.assert_frame_equal(
        again.project(years(REGULAR), 2), model.project(years(REGULAR), 2)
    )
    summary = model.summary()
    assert summary["parameter"].tolist() == list(model.NAMES)
    assert (summary["lower"] < summary["estimate"]).all()
    edge = quiet(fit, counts(8000, 4000, 2000, 1000, 500, 250))
    back = type(edge).from_dict(json.loads(json.dumps(edge.to_dict(), allow_nan=False)))
    table = counts(8000, 4000, 2000, 1000, 500, 250)
    pd.testing.assert_frame_equal(back.project(table, 2), edge.project(table, 2))


# --- rates of a year ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "period", "expected"),
    [
        (0.05, "month", 0.45963991233736),  # 1 - 0.95^12, by hand; not 0.6
        (0.1, "quarter", 0.3439),
        (0.3, "year", 0.3),
        (0.0, "day", 0.0),
        (1.0, "month", 1.0),
        (-0.02, "month", 1 - 1.02**12),
        (0.001, "week", 1 - 0.999 ** (365.2425 / 7)),
        (1e-12, "month", 1.2e-11),
    ],
)
def test_rates_compound(rate: float, period: Any, expected: float) -> None:
    found = annualize_rate(rate, period=period)
    assert type(found) is float
    assert found == pytest.approx(expected, rel=1e-10)


def test_arrays_of_rates() -> None:
    found = annualize_rate([[0.5, math.nan], [1, 0]], period="quarter")  # type: ignore[call-overload]
    np.testing.assert_allclose(found, [[1 - 0.5**4, math.nan], [1, 0]])  # type: ignore[arg-type]
    assert annualize_rate(pd.Series([0.5]), period="year").tolist() == [0.5]


@pytest.mark.parametrize(
    ("rate", "period", "error", "text"),
    [
        (5, "month", ArgumentError, "up to 5; a churn rate is a fraction"),
        ([0.1, 1.2], "month", ArgumentError, "up to 1.2"),
        ("a", "month", ArgumentTypeError, "`rate` is 'a'"),
        (0.1, "decade", ArgumentError, "`period` is 'decade'"),
    ],
)
def test_wrong_rates(rate: Any, period: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        annualize_rate(rate, period=period)


# --- truth that is known -----------------------------------------------------------------------

SETS, CUSTOMERS, SEEN, AHEAD = 500, 4000, 8, 5
TRUTH = {"alpha": 1.2, "beta": 3.5}


@pytest.mark.simulation
def test_estimates_and_intervals_hold_the_truth() -> None:
    """Customers with chances of their own, who leave by them; 500 times fitted and projected.

    A logarithm of the parameters is what is nearly normal, and what the intervals are built on.
    """
    rng = np.random.default_rng(2018)
    found, shares, came = [], [], []
    inside: dict[str, list[bool]] = {name: [] for name in (*TRUTH, "share", "customers")}
    survival = [math.prod((3.5 + k) / (4.7 + k) for k in range(t)) for t in range(SEEN + AHEAD + 1)]
    for _ in range(SETS):
        left = rng.geometric(rng.beta(*TRUTH.values(), CUSTOMERS))  # type: ignore[call-overload]
        table = counts(*[(left > t).sum() for t in range(SEEN + AHEAD + 1)])  # type: ignore[attr-defined]
        model = fit_sbg(table, holdout=AHEAD)
        found.append([*model.parameters.values()])
        summary = model.summary()
        for name, low, high in zip(
            summary["parameter"], summary["lower"], summary["upper"], strict=True
        ):
            inside[name].append(low <= TRUTH[name] <= high)
        last = model.project(table, 0).iloc[-1]
        true = table["retained"][SEEN] / CUSTOMERS * survival[-1] / survival[SEEN]
        inside["share"].append(last["lower"] <= true <= last["upper"])
        shares.append(last["projected"] - true)
        chance = model.project(table, 0, predictive=True).iloc[-1]
        inside["customers"].append(chance["lower"] <= chance["observed"] <= chance["upper"])
        came.append(last["error"])
    for values, true in zip(np.log(found).T, np.log([*TRUTH.values()]), strict=True):
        error = values.std() / math.sqrt(SETS)
        assert abs(values.mean() - true) < 3 * error
    for off in (shares, came):
        assert abs(np.mean(off)) < 3 * np.std(off) / math.sqrt(SETS)
    for name, hits in inside.items():
        assert 0.93 <= np.mean(hits) <= 0.97, name
