"""Fits of the models of purchases to distinct rows: arrays only.

Parameters are searched in coordinates that do not know the unit of time, and in which a simpler
model lies straight ahead along one axis. `penalty` times the sum of the squares of some logarithms
is taken from the mean log-likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retainkit._models.bg_nbd_fit import BG_NBD_SEARCH, bg_nbd_starts
from retainkit._models.effects import RowCovariates
from retainkit._models.fit import Fit, unidentified
from retainkit._models.fit_rows import FitRows, Search, fit_apart, fit_rows
from retainkit._models.pareto_nbd import PARETO_NBD
from retainkit._models.pareto_nbd_fit import PARETO_NBD_SEARCH, pareto_nbd_starts
from retainkit._models.process import History, PurchaseProcess
from retainkit._typing import Floats

_MANY_REPEATERS = 20  # customers among whom at least one buys once, in any real business


def fit_purchases(
    process: PurchaseProcess,
    history: History,
    weights: Floats,
    penalty: float = 0.0,
    *,
    start: Floats | None = None,
    covariates: RowCovariates | None = None,
    covariate_penalty: float = 0.0,
) -> Fit:
    """Fit a model of purchases to distinct rows, each counted `weights` times.

    `start` are parameters, and coefficients, known to be near the estimates.
    """
    fit = fit_rows(
        _search(process),
        process.derivatives,
        _rows(process, history, weights, covariates),
        near=start,
        penalty=penalty,
        covariate_penalty=covariate_penalty,
    )
    return _diagnosed(fit, history[0], weights)


def fit_purchases_apart(
    process: PurchaseProcess, several: Sequence[tuple[History, Floats]], penalty: float = 0.0
) -> list[Fit]:
    """Fit a model of purchases to several sets of distinct rows with weights, each by itself."""
    rows = [_rows(process, *one) for one in several]
    fits = fit_apart(_search(process), process.derivatives, rows, penalty)
    return [
        _diagnosed(fit, history[0], weights)
        for fit, (history, weights) in zip(fits, several, strict=True)
    ]


def _search(process: PurchaseProcess) -> Search:
    """Return how the parameters of a model are searched."""
    return PARETO_NBD_SEARCH if process == PARETO_NBD else BG_NBD_SEARCH


def _rows(
    process: PurchaseProcess,
    history: History,
    weights: Floats,
    covariates: RowCovariates | None = None,
) -> FitRows:
    """Return the rows of a fit, and where its search starts."""
    x, _, T = history  # noqa: N806
    starts = pareto_nbd_starts if process == PARETO_NBD else bg_nbd_starts
    return FitRows(
        data=history,
        weights=weights,
        scale=float(np.average(T, weights=weights)) or 1.0,
        starts=starts(x, T, weights),
        covariates=covariates,
    )


def _diagnosed(fit: Fit, x: Floats, weights: Floats) -> Fit:
    """Return a fit that says whether nobody, or everybody, bought again."""
    fit.diagnostics["no_repeats"] = not np.any((x > 0) & (weights > 0))
    if not fit.diagnostics["no_repeats"]:
        fit.warnings.extend(_selection_warnings(x, weights))
        return fit
    return unidentified(
        fit,
        "Nobody bought again: neither the rate of purchase nor drop-out is identified, and the "
        "model predicts no purchases.",
    )


def _selection_warnings(x: Floats, weights: Floats) -> list[str]:
    """Return a warning where all customers bought again, which is no chance among so many."""
    customers = float(weights.sum())
    if customers < _MANY_REPEATERS or np.any((x == 0) & (weights > 0)):
        return []
    text = (
        f"All {customers:,.0f} customers bought again: those who did not (frequency 0) seem to be "
        "left out, or the first purchase is counted in frequency. The model takes them for all "
        "customers there were, and expects too much of everybody. Fit it to all, of "
        "rfm_summary(include_first=False)."
    )
    return [text]
