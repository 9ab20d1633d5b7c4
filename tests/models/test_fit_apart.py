"""Many small fits at once: each is the fit of its rows by themselves."""
# ruff: noqa: N806 - T is what the papers call it

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from retainkit._models import purchase_fits
from retainkit._models.bg_nbd import BG_NBD, MBG_NBD
from retainkit._models.fit_problem import BLOCK, MANY_ROWS
from retainkit._models.gamma_gamma_fit import fit_spend, fit_spend_apart
from retainkit._models.pareto_nbd import PARETO_NBD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit._models.fit import Fit
    from retainkit._models.process import PurchaseProcess

    Floats: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = tuple[tuple[Floats, Floats, Floats], Floats]

MODELS = {
    BG_NBD: (0.8, 8.0, 0.8, 2.4),
    MBG_NBD: (0.8, 8.0, 0.8, 2.4),
    PARETO_NBD: (0.8, 8.0, 0.6, 12.0),
}


def segment(process: PurchaseProcess, n: int, seed: int) -> Rows:
    """Return the rows of a segment, with the customers of each: its unit of time is its own."""
    rng = np.random.default_rng(seed)
    T = rng.integers(20, 53, n).astype(float)
    x, tx = process.simulate(MODELS[process], T, rng)
    unit = 10.0 ** rng.integers(-2, 3)
    weights = rng.integers(1, 3, n).astype(float)
    return (x.astype(float), tx * unit, T * unit), weights


def same(one: Fit, other: Fit) -> None:
    """Check that two fits say the same."""
    # A maximum is found to within some 1e-12 of log-likelihood, and so its place to 1e-6.
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6, rel=1e-12)
    assert (one.names, one.size, one.converged) == (other.names, other.size, other.converged)
    if one.size < 10:  # so few customers are as likely under quite different parameters
        return
    # Where the likelihood is flat, any place is as good.
    error = np.sqrt(np.diag(other.covariance))
    known = np.isfinite(error)
    away = abs(one.parameters - other.parameters)[known]
    assert (away <= 1e-3 * error[known]).all()
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=0.01)
    assert one.warnings == other.warnings
    facts = {*other.diagnostics} - {"shortfall", "gradient", "iterations"}
    assert [one.diagnostics[key] for key in facts] == [other.diagnostics[key] for key in facts]


@pytest.mark.parametrize("penalty", [0.0, 0.01])
@pytest.mark.parametrize("process", [*MODELS])
def test_purchases_of_many_segments(process: PurchaseProcess, penalty: float) -> None:
    several = [segment(process, n, seed) for seed, n in enumerate([20, 60, 60, 200, 3, 1])]
    (x, tx, T), weights = several[1]
    several.append(((np.zeros_like(x), np.zeros_like(tx), T), weights))  # nobody bought again
    several.append(((x + 1, np.maximum(tx, 0.1), T), weights))  # everybody did
    fits = purchase_fits.fit_purchases_apart(process, several, penalty)
    assert len(fits) == len(several)
    for fit, (history, weights) in zip(fits, several, strict=True):
        same(fit, purchase_fits.fit_purchases(process, history, weights, penalty))


def test_large_segments_among_small_ones() -> None:
    sizes = [MANY_ROWS + 100, 40, BLOCK // 7, 40]
    several = [segment(BG_NBD, n, seed) for seed, n in enumerate(sizes)]
    for fit, rows in zip(purchase_fits.fit_purchases_apart(BG_NBD, several), several, strict=True):
        same(fit, purchase_fits.fit_purchases(BG_NBD, *rows))


def test_one_segment_and_none() -> None:
    rows = segment(BG_NBD, 60, 0)
    [fit] = purchase_fits.fit_purchases_apart(BG_NBD, [rows])
    same(fit, purchase_fits.fit_purchases(BG_NBD, *rows))
    assert purchase_fits.fit_purchases_apart(BG_NBD, []) == []


@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_spend_of_many_segments(penalty: float) -> None:
    several = []
    for seed, (n, currency) in enumerate([(5, 1.0), (40, 1e3), (40, 1e-2), (300, 1.0), (1, 1.0)]):
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 9, n).astype(float)
        m = rng.gamma(6.25 * x, 1 / (rng.gamma(3.74, 1 / 15.44, n) * x)) * currency
        several.append((x, m, rng.integers(1, 3, n).astype(float)))
    fits = fit_spend_apart(several, penalty)
    for fit, rows in zip(fits, several, strict=True):
        same(fit, fit_spend(*rows, penalty))
