"""Fits beside other optimisers, on sets of customers of every sort: none ends short of the best.

The others climb likelihoods that are written here as the papers print them, with slopes of their
own, inside the box that the library searches. They start where the customers came from, which the
library does not know.
"""
# ruff: noqa: N803, N806 - T is what the papers call it

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from scipy.special import betaln, digamma, gammaln, log_expit

from lives import buy_and_drop_out, buy_and_leave, mean_spend
from retainkit._models import gamma_gamma_fit, purchase_fits
from retainkit._models.bg_nbd import BG_NBD
from retainkit._models.bg_nbd_fit import BG_NBD_SEARCH
from retainkit._models.fit import Fit
from retainkit._models.fit_rows import Search
from retainkit._models.gamma_gamma_fit import _SEARCH as GAMMA_GAMMA_SEARCH
from retainkit._models.pareto_nbd import PARETO_NBD
from retainkit._models.pareto_nbd_fit import PARETO_NBD_SEARCH
from sizes import batches

Floats: TypeAlias = NDArray[np.float64]
Likelihood: TypeAlias = Callable[[Floats], tuple[float, Floats]]
"""Logarithms of parameters, to the total log-likelihood and its slopes by them."""

Parameters: TypeAlias = tuple[float, ...]
Chart: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]
"""Coordinates in the box, to the logarithms of the parameters and their derivatives."""


# Likelihoods as they are printed


def bg_nbd(x: Floats, tx: Floats, T: Floats) -> Likelihood:
    """Fader, Hardie & Lee (2005), eq. 6: two terms, of who is there and who has left."""
    counts, code = np.unique(x, return_inverse=True)
    again = x > 0

    def total(logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(logs)
        stay, leave = b + counts, b + np.maximum(counts - 1, 0)
        left = betaln(a + 1, leave)[code] - (r + x) * np.log(alpha + tx)
        there = betaln(a, stay)[code] - (r + x) * np.log(alpha + T)
        either = np.where(again, np.logaddexp(there, left), there)
        own = (gammaln(r + counts) - gammaln(r) - betaln(a, b))[code] + r * np.log(alpha)
        gone = np.where(again, np.exp(left - either), 0.0)  # the chance of having left
        here = 1 - gone
        until, last = np.log(alpha + T), np.log(alpha + tx)
        both = digamma(a + b) - digamma(a + b + counts)[code]
        slopes = (
            (digamma(r + counts) - digamma(r))[code] + logs[1] - here * until - gone * last,
            r / alpha - (r + x) * (here / (alpha + T) + gone / (alpha + tx)),
            both + gone / a,  # digamma(a + 1) - digamma(a) is 1 / a
            both + here * digamma(stay)[code] + gone * digamma(leave)[code] - digamma(b),
        )
        return float(np.sum(own + either)), np.exp(logs) * np.sum(slopes, axis=1)

    return total


def pareto_nbd(x: Floats, tx: Floats, T: Floats) -> Likelihood:
    """Fader & Hardie, note 009: who is there at T, and who left at a time since the last purchase.

    The integral over that time is a sum over nodes that crowd at its beginning, on a logarithmic
    scale: beta may be 1e-10.
    """
    z, weight = np.polynomial.legendre.leggauss(48)
    z, weight = ((z + 1) / 2) ** 3, weight / 2 * 3 * ((z + 1) / 2) ** 2
    rows, times = np.unique(np.column_stack([x, tx, T]), axis=0, return_counts=True)
    x, tx, T = rows.T
    counts, code = np.unique(x, return_inverse=True)

    def total(logs: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(logs)
        n, scale = r + x, (min(alpha, beta) + tx)[:, None]
        length = np.log1p((T - tx)[:, None] / scale)
        u = tx[:, None] + scale * np.expm1(length * z)
        with np.errstate(divide="ignore"):  # nobody leaves after a purchase at T
            space = np.log(scale * length * weight) + length * z
        by_alpha, by_beta = np.log((alpha + T)[:, None] / (alpha + u)), beta + u
        lived = np.log((beta + T)[:, None] / by_beta)
        terms = n[:, None] * by_alpha + s * lived + logs[2] - np.log(by_beta) + space
        most = np.maximum(terms.max(axis=1), 0.0)
        terms = np.exp(terms - most[:, None])
        all_terms = np.exp(-most) + terms.sum(axis=1)
        share = terms / all_terms[:, None]
        own = (gammaln(r + counts) - gammaln(r))[code] + r * logs[1] - n * np.log(alpha + T)
        own += s * (logs[3] - np.log(beta + T)) + most + np.log(all_terms)
        gone = share.sum(axis=1)
        slopes = (
            (digamma(r + counts) - digamma(r))[code]
            + logs[1]
            - np.log(alpha + T)
            + (share * by_alpha).sum(axis=1),
            r / alpha - n / (alpha + T) * (1 - gone) - n * (share / (alpha + u)).sum(axis=1),
            logs[3] - np.log(beta + T) + (share * lived).sum(axis=1) + gone / s,
            s / beta - s / (beta + T) * (1 - gone) - (s + 1) * (share / by_beta).sum(axis=1),
        )
        return float(own @ times), np.exp(logs) * (np.array(slopes) @ times)

    return total


def gamma_gamma(x: Floats, m: Floats) -> Likelihood:
    """Fader & Hardie (2013), note 025, eq. 1a."""
    counts, code = np.unique(x, return_inverse=True)

    def total(logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        shape, sums = p * counts, v + x * m
        own = (gammaln(shape + q) - gammaln(shape))[code] - gammaln(q) + q * logs[2] - np.log(m)
        own += (p * x) * np.log(x * m) - (p * x + q) * np.log(sums)
        psi = digamma(shape + q)[code]
        slopes = (
            x * (psi - digamma(shape)[code] + np.log(x * m / sums)),
            psi - digamma(q) + np.log(v / sums),
            q / v - (p * x + q) / sums,
        )
        return float(np.sum(own)), np.exp(logs) * np.sum(slopes, axis=1)

    return total


# The coordinates of the box


def linear(matrix: Floats, shift: Floats) -> Chart:
    return lambda theta: (matrix @ theta + shift, matrix)


def bg_nbd_chart(scale: float) -> Chart:
    """The coordinates are log r, log(alpha / (r scale)), log(a / b) and log(a + b)."""

    def chart(theta: Floats) -> tuple[Floats, Floats]:
        log_r, wait, odds, both = theta
        a, b = log_expit(odds), log_expit(-odds)
        slopes = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, np.exp(b), 1], [0, 0, -np.exp(a), 1]]
        return np.array([log_r, log_r + wait + np.log(scale), a + both, b + both]), np.array(slopes)

    return chart


def pareto_nbd_chart(scale: float) -> Chart:
    """The coordinates are log r, log(alpha / (r scale)), log s and log(beta / (s scale))."""
    rows = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]], np.float64)
    return linear(rows, np.log(scale) * np.array([0, 1, 0, 1]))


def gamma_gamma_chart(scale: float) -> Chart:
    """The coordinates are log p, log q and log(p v / (q scale))."""
    rows = np.array([[1, 0, 0], [0, 1, 0], [-1, 1, 1]], np.float64)
    return linear(rows, np.log(scale) * np.array([0, 0, 1]))


# The others


def best_of_others(
    likelihood: Likelihood, chart: Chart, box: Floats, truth: Floats, found: Floats
) -> float:
    """Return the greatest log-likelihood that several methods find from several starts.

    L-BFGS-B starts at the truth, in the middle, at random, near and far, and at our estimates; a
    truncated Newton method at the truth, and the simplex of Nelder and Mead, which asks for no
    slopes, at the best.
    """

    def loss(theta: Floats) -> tuple[float, Floats]:
        logs, jacobian = chart(theta)
        value, slopes = likelihood(logs)
        if not np.isfinite(value):
            return 1e10, np.zeros(len(theta))
        return -value, -slopes @ jacobian

    def value(theta: Floats) -> float:
        return loss(theta)[0]

    rng, inside = np.random.default_rng(0), Bounds(*box.T)
    guesses = rng.normal(scale=[[1.5], [1.5], [4.0], [4.0]], size=(4, len(box)))
    starts = [truth, np.zeros(len(box)), *guesses, found]
    starts = [np.clip(one, *box.T) for one in starts]
    with np.errstate(all="ignore"):  # they look into every corner
        tried = [minimize(loss, one, jac=True, method="L-BFGS-B", bounds=inside) for one in starts]
        tried.append(minimize(loss, starts[0], jac=True, method="TNC", bounds=inside))
        top = min(tried, key=lambda result: float(result.fun))
        simplex = minimize(value, top.x, method="Nelder-Mead", bounds=inside)
    return -float(min(top.fun, simplex.fun))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fit, and what the others need to beat it."""

    fit: Fit
    likelihood: Likelihood
    chart: Chart
    box: Floats
    found: Floats
    truth: Floats

    @property
    def own(self) -> float:
        """The log-likelihood of our estimates as it is written here."""
        return self.likelihood(np.log(self.fit.parameters))[0]

    @property
    def slope(self) -> float:
        """The steepest way up inside the box, in mean log-likelihood, at our estimates."""
        logs, jacobian = self.chart(self.found)
        slopes = self.likelihood(logs)[1] @ jacobian / self.fit.size
        room = np.where(slopes > 0, self.box[:, 1] - self.found, self.found - self.box[:, 0])
        return float(np.abs(slopes[room > 1e-6]).max(initial=0.0))

    def best(self) -> float:
        """The log-likelihood of the best of the others."""
        return best_of_others(self.likelihood, self.chart, self.box, self.truth, self.found)


def case_of(fit: Fit, search: Search, scale: float, truth: Any, **others: Any) -> Case:
    """Return the case of a fit; `scale` is that of its data, and `truth` what they came from."""
    found, start = (search.coordinates_of(np.array(one), scale) for one in (fit.parameters, truth))
    box = np.array(search.model.bounds)
    return Case(fit=fit, box=box, found=found, truth=start, **others)


def check(one: Case) -> None:
    """Hold a fit to what it says of itself, and to the best of the others."""
    fit = one.fit
    assert fit.converged, fit
    assert fit.log_likelihood == pytest.approx(one.own, abs=1e-4)
    assert fit.diagnostics["shortfall"] <= 1e-4
    assert one.slope < 1e-4, fit
    assert one.best() - one.own < 0.01, fit


# Customers of every sort

WEEK = 7 * 24 * 3600.0
BG_NBD_CUSTOMERS = {
    "CDNOW": (0.243, 4.414, 0.793, 2.426),
    "in seconds": (0.243, 4.414 * WEEK, 0.793, 2.426),
    "hardly any drop-out": (1.5, 20.0, 0.3, 6.0),
    "rare purchases": (0.5, 60.0, 1.0, 3.0),
    "a = 1": (0.7, 8.0, 1.0, 2.5),
    "a = 0.02": (0.7, 8.0, 0.02, 0.2),
    "heavy drop-out": (1.0, 3.0, 3.0, 2.0),
    "much alike": (2.0, 5.0, 4.0, 12.0),
    "equal drop-out": (1.0, 5.0, 3e4, 7e4),
    "equal rates": (1e4, 1e5, 0.8, 2.4),
}
PARETO_NBD_CUSTOMERS = {
    "CDNOW": (0.553, 10.578, 0.606, 11.669),
    "in seconds": (0.553, 10.578 * WEEK, 0.606, 11.669 * WEEK),
    "nobody leaves": (1.5, 20.0, 0.01, 1e4),
    "heavy buyers": (2.2, 3.9, 5.4, 1480.0),
    "equal rates of leaving": (1.0, 5.0, 1e4, 3e5),
    "rare purchases": (0.5, 60.0, 0.8, 14.0),
}
SPENDERS = {
    "CDNOW": (6.25, 3.74, 15.44),
    "millions": (6.25, 3.74, 15.44e6),
    "millionths": (6.25, 3.74, 15.44e-6),
    "few and different": (1.5, 2.0, 20.0),
    "rather equal customers": (3.0, 8.0, 50.0),
    "nearly equal customers": (6.0, 500.0, 3000.0),
    "no mean spend": (0.8, 0.9, 5.0),
    "hardly a mean spend": (2.0, 1.05, 2.0),
    "equal purchases": (5e3, 3.0, 0.01),
    "one repeat purchase": (6.25, 3.74, 15.44),
    "many purchases": (6.25, 3.74, 15.44),
}
MEAN_PURCHASES = {"one repeat purchase": 1.0, "many purchases": 100.0}


def random(name: str, *numbers: int) -> np.random.Generator:
    return np.random.default_rng([*name.encode(), *numbers])


def observed(n: int, alpha: float, rng: np.random.Generator) -> Floats:
    """Return 26 to 52 weeks, in the unit of alpha."""
    weeks: Floats = rng.integers(26, 53, n).astype(np.float64)
    return weeks * WEEK if alpha > WEEK else weeks


def bg_nbd_case(params: Parameters, n: int, rng: np.random.Generator) -> Case:
    r, alpha, a, b = params
    T = observed(n, alpha, rng)
    x, tx = buy_and_drop_out(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), T, rng)
    fit = purchase_fits.fit_purchases(BG_NBD, (x, tx, T), np.ones(n))
    others: Any = {"likelihood": bg_nbd(x, tx, T), "chart": bg_nbd_chart(T.mean())}
    return case_of(fit, BG_NBD_SEARCH, T.mean(), params, **others)


def pareto_nbd_case(params: Parameters, n: int, rng: np.random.Generator) -> Case:
    r, alpha, s, beta = params
    T = observed(n, alpha, rng)
    x, tx = buy_and_leave(rng.gamma(r, 1 / alpha, n), rng.gamma(s, 1 / beta, n), T, rng)
    fit = purchase_fits.fit_purchases(PARETO_NBD, (x, tx, T), np.ones(n))
    others: Any = {"likelihood": pareto_nbd(x, tx, T), "chart": pareto_nbd_chart(T.mean())}
    return case_of(fit, PARETO_NBD_SEARCH, T.mean(), params, **others)


def spend_case(params: Parameters, purchases: float, n: int, rng: np.random.Generator) -> Case:
    x = rng.geometric(1 / purchases, n).astype(float)
    m = mean_spend(params, x, rng)
    fit = gamma_gamma_fit.fit_spend(x, m, np.ones(n))
    others: Any = {"likelihood": gamma_gamma(x, m), "chart": gamma_gamma_chart(m.mean())}
    return case_of(fit, GAMMA_GAMMA_SEARCH, m.mean(), params, **others)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(range(10), 1))
@pytest.mark.parametrize("n", [50, 200, 1000, 5000])
@pytest.mark.parametrize("name", BG_NBD_CUSTOMERS)
def test_400_sets_of_bg_nbd(name: str, n: int, seeds: range) -> None:
    for seed in seeds:
        check(bg_nbd_case(BG_NBD_CUSTOMERS[name], n, random(name, n, seed)))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(range(5), 1))
@pytest.mark.parametrize("n", [60, 300, 1500])
@pytest.mark.parametrize("name", PARETO_NBD_CUSTOMERS)
def test_90_sets_of_pareto_nbd(name: str, n: int, seeds: range) -> None:
    for seed in seeds:
        check(pareto_nbd_case(PARETO_NBD_CUSTOMERS[name], n, random(name, n, seed)))


def test_a_second_top_of_pareto_nbd_is_not_missed() -> None:
    """That some left at once and the others never do is likelier by 1.2 than one rate for all."""
    params = PARETO_NBD_CUSTOMERS["nobody leaves"]
    check(pareto_nbd_case(params, 120, random("nobody leaves", 120, 100)))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(range(10), 1))
@pytest.mark.parametrize("n", [12, 100, 1000, 5000])
@pytest.mark.parametrize("name", SPENDERS)
def test_440_sets_of_gamma_gamma(name: str, n: int, seeds: range) -> None:
    for seed in seeds:
        purchases = MEAN_PURCHASES.get(name, 2.5)
        check(spend_case(SPENDERS[name], purchases, n, random(name, n, seed)))
