"""Fits of the models of purchases to a summary."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import numpy as np

from retainkit._checks import number, one_of
from retainkit._inputs.customers import largest_time, read_customers
from retainkit._inputs.exact_times import exact_times
from retainkit._inputs.time_unit import optional_unit, unit_of_fit
from retainkit._messages import warn
from retainkit._models import purchase_fits
from retainkit._models.model import model_from_fit
from retainkit.clv import _lifetimes
from retainkit.clv._covariates import coded_for_fit, covariates_of_fit, with_coefficients
from retainkit.clv._fit_advice import fit_warnings
from retainkit.clv._histories import history
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.errors import ArgumentError
from retainkit.typing import Engine, IntoFrame, Period

_FittedPurchases = TypeVar("_FittedPurchases", bound=PurchaseModel)


def fit_purchase_model(
    kind: type[_FittedPurchases],
    summary: IntoFrame,
    columns: dict[str, str],
    *,
    covariates: dict[str, tuple[str, Any]],
    weights: str | None,
    penalty: float,
    covariate_penalty: float,
    unit: Period | None,
    engine: Engine,
) -> _FittedPurchases:
    """Fit a kind of model of purchases to a summary, with the covariates of each process."""
    optional_unit(unit)
    one_of("engine", engine, get_args(Engine))
    penalty = number("penalty", penalty, 0)
    covariate_penalty = number("covariate_penalty", covariate_penalty, 0)
    read, names = covariates_of_fit(covariates)
    if engine == "lifetimes":
        _lifetimes.check_penalty(penalty)
        _lifetimes.check_covariates(read)
    rows = read_customers(summary, columns, weights=weights, covariates=read)
    if not rows.counts.sum():
        raise ArgumentError(
            "`summary` has no customers, and nothing can be learnt from it.",
            code="nothing_to_learn",
            argument="summary",
        )
    own = unit_of_fit(unit, rows.unit, "summary")
    coded, of_rows = coded_for_fit(names, rows, np.ones(len(rows.counts), bool))
    if engine == "lifetimes":
        fit = _lifetimes.fit_purchases(rows, kind.PROCESS, weighted=weights is not None)
    else:
        fit = purchase_fits.fit_purchases(
            kind.PROCESS,
            history(rows),
            rows.counts,
            penalty,
            covariates=of_rows,
            covariate_penalty=covariate_penalty,
        )
    exact = exact_times(rows, own)
    for text in fit_warnings(fit, own, exact=exact):
        warn(text, code="fit_needs_care", argument="summary")
    found = with_coefficients(coded, of_rows, rows.counts, fit.parameters[len(kind.NAMES) :])
    known = {"unit": own, "largest_T": largest_time(rows), "exact": exact}
    of_model = {kind.PROCESSES[process]: some for process, some in found.items()}
    return model_from_fit(kind, fit, **known, **of_model)
