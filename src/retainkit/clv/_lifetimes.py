"""Conversion of models to fitted objects of the package `lifetimes` and back, and fits by it.

The package is imported where it is needed and nowhere else, and leaves no trace in the settings of
the program. Its estimates are assessed by our own likelihood: its covariance is not symmetric, and
its log-likelihood is a mean on another scale.
"""
# ruff: noqa: SLF001 - what a fit of lifetimes leaves behind has names with a leading underscore

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import partial
from io import StringIO
from types import ModuleType
from typing import Any, Final

import numpy as np

from retainkit._inputs.covariates import Covariates
from retainkit._inputs.customers import Customers, largest_time, read_customers
from retainkit._messages import count_noun, warn
from retainkit._models import gamma_gamma
from retainkit._models.bg_nbd import BG_NBD, MBG_NBD
from retainkit._models.covariate_model import CovariateModel
from retainkit._models.estimates import estimates_of
from retainkit._models.fit import Fit
from retainkit._models.gamma_gamma_fit import fit_spend as best_spend
from retainkit._models.model import fit_fields
from retainkit._models.pareto_nbd import PARETO_NBD
from retainkit._models.process import PurchaseProcess
from retainkit._models.purchase_fits import fit_purchases as best_purchases
from retainkit._typing import Booleans, Floats
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingDependencyError
from retainkit.typing import Period

_PURCHASE_FITTERS: Final[dict[PurchaseProcess, str]] = {
    BG_NBD: "BetaGeoFitter",
    MBG_NBD: "ModifiedBetaGeoFitter",
    PARETO_NBD: "ParetoNBDFitter",
}
_GENERATORS: Final[dict[PurchaseProcess, str]] = {
    BG_NBD: "beta_geometric_nbd_model",
    MBG_NBD: "modified_beta_geometric_nbd_model",
    PARETO_NBD: "pareto_nbd_model",
}
_SPEND_FITTER: Final = "GammaGammaFitter"
# The model that each fitter is converted to.
_MODELS: Final = {
    _PURCHASE_FITTERS[BG_NBD]: "BGNBD",
    _PURCHASE_FITTERS[MBG_NBD]: "MBGNBD",
    _PURCHASE_FITTERS[PARETO_NBD]: "ParetoNBD",
    _SPEND_FITTER: "GammaGamma",
}

# Log-likelihood below the maximum that still counts as it: 0.04 standard errors.
_NEAR: Final = 1e-3
# Settings that two threads save and restore at once would stay changed.
_SETTINGS_LOCK = threading.RLock()


# --- the package, without traces ----------------------------------------------------------------


@contextmanager
def imported_lifetimes() -> Iterator[ModuleType]:
    """Import the package for a block, and restore the settings of the program after it.

    Its import silences every FutureWarning, sets an option of pandas and, by way of dill, teaches
    `pickle` new types; each evaluation of a likelihood does the first again. Warnings meanwhile
    are its own, about the paths of its search, and not shown.
    """
    import pandas as pd  # noqa: PLC0415 (importing retainkit does not import it)

    with _SETTINGS_LOCK, warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        before = list(_options(pd.options))
        had_dill = "dill" in sys.modules
        try:
            try:
                import lifetimes as package  # type: ignore[import-untyped]  # noqa: PLC0415
            except ImportError as error:
                raise MissingDependencyError(
                    f"lifetimes cannot be imported ({error}): install it, as retainkit requires."
                ) from error
            if not had_dill:
                import dill  # type: ignore[import-untyped]  # noqa: PLC0415

                dill.extend(use_dill=False)
            yield package
        finally:
            for group, name, value in before:
                if getattr(group, name) is not value:
                    setattr(group, name, value)


def _options(group: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield all options of pandas: the group, the name and the value of each."""
    for name in dir(group):
        value = getattr(group, name)
        if isinstance(value, type(group)):
            yield from _options(value)
        else:
            yield group, name, value


# --- fits ---------------------------------------------------------------------------------------


def check_penalty(penalty: float) -> None:
    """Check that there is no penalty, which is another one in lifetimes."""
    if penalty:
        raise ArgumentError(
            f"`penalty` is {penalty:g} with `engine` 'lifetimes', whose penalizer_coef is another "
            "one: on the squares of the parameters themselves, so that it depends on the currency "
            "and on the longest T. Use engine='retainkit', or fit with lifetimes itself and take "
            "the fitter over by `from_lifetimes`.",
            code="argument_conflict",
            argument="penalty",
        )


def check_covariates(covariates: Covariates) -> None:
    """Check that a fit has no covariates, of which lifetimes knows nothing."""
    for name, argument in covariates.arguments.items():
        raise ArgumentError(
            f"`{argument}` names {name!r} with `engine` 'lifetimes', which knows no covariates. "
            "Use engine='retainkit'.",
            code="argument_conflict",
            argument=argument,
        )


def fit_purchases(rows: Customers, process: PurchaseProcess, *, weighted: bool) -> Fit:
    """Fit a model of purchases with lifetimes."""
    columns, weights = _fitter_columns(rows, weighted=weighted)
    parameters = _fit_with(_PURCHASE_FITTERS[process], columns, weights if weighted else None)
    return assess_purchases(parameters, rows.distinct, rows.counts, process)


def fit_spend(rows: Customers, used: Booleans, *, weighted: bool) -> Fit:
    """Fit Gamma-Gamma with lifetimes to those distinct rows that are used."""
    columns, weights = _fitter_columns(rows, used, weighted=weighted)
    parameters = _fit_with(_SPEND_FITTER, columns, weights if weighted else None)
    distinct = {name: values[used] for name, values in rows.distinct.items()}
    return assess_spend(parameters, distinct, rows.counts[used])


def _fit_with(name: str, columns: dict[str, Floats], weights: Floats | None) -> Floats:
    """Return the parameters that lifetimes finds; raise if it fails."""
    with imported_lifetimes() as package, redirect_stdout(StringIO()):  # it prints before it raises
        fitter = getattr(package, name)()
        try:
            fitter.fit(**columns, weights=weights)
        except (ValueError, ArithmeticError) as error:  # its ConvergenceError, NumPy's LinAlgError
            raise _failure(
                name, columns, f"{type(error).__name__}: {str(error).strip().rstrip('.')}"
            ) from error
        parameters: Floats = fitter.params_.to_numpy().astype(np.float64)
    if not (np.isfinite(parameters) & (parameters > 0)).all():
        raise _failure(name, columns, f"it ends at {fitter.params_.to_dict()}")
    return parameters


def _failure(name: str, columns: dict[str, Floats], why: str) -> ArgumentError:
    size = count_noun(len(columns["frequency"]), "row")
    return ArgumentError(
        f"`engine` is 'lifetimes', whose {name} fails on the {size} of `summary` ({why}). Often "
        "that is a false alarm, at the maximum itself: use engine='retainkit', which does not need "
        "to give up there and says what the data leave open.",
        code="not_converged",
        argument="engine",
    )


def _fitter_columns(
    rows: Customers, used: Booleans | None = None, *, weighted: bool
) -> tuple[dict[str, Floats], Floats]:
    """Return a row for each customer in the order of the table, or the distinct ones with weights.

    Customers of a lazy table have no order.
    """
    if weighted:
        place = np.arange(len(rows.counts))
    elif rows.code is not None:
        place = rows.code
    else:
        place = np.repeat(np.arange(len(rows.counts)), rows.counts.astype(np.int64))
    if used is not None:
        place = place[used[place]]
    columns = {name: values[place] for name, values in rows.distinct.items()}
    return columns, rows.counts[place] if weighted else np.ones(len(place))


# --- assessment ---------------------------------------------------------------------------------


def assess_purchases(
    parameters: Floats, columns: dict[str, Floats], weights: Floats, process: PurchaseProcess
) -> Fit:
    """Return a fit to purchases with parameters of lifetimes, and our diagnosis of them."""
    history = columns["frequency"], columns["recency"], columns["T"]
    best = best_purchases(process, history, weights)
    rows = process.log_likelihood(tuple(parameters.tolist()), history)
    return _assess(parameters, float(weights @ rows), best)


def assess_spend(parameters: Floats, columns: dict[str, Floats], weights: Floats) -> Fit:
    """Return a fit of Gamma-Gamma with parameters of lifetimes, and our diagnosis of them."""
    x, m = columns["frequency"], columns["monetary_value"]
    best = best_spend(x, m, weights)
    best.diagnostics["infinite_mean"] = bool(parameters[1] <= 1)
    p, q, v = parameters.tolist()
    rows = gamma_gamma.log_likelihood((p, q, v), x, m)
    return _assess(parameters, float(weights @ rows), best)


def _assess(parameters: Floats, reached: float, best: Fit) -> Fit:
    """Return the best fit with other parameters, which have its covariance if they are as good."""
    missing = best.log_likelihood - reached
    at_maximum = best.converged and abs(missing) <= _NEAR
    warnings_of_fit = list(best.warnings)
    if not at_maximum and missing > _NEAR:
        warnings_of_fit.append(
            f"The parameters of lifetimes lie {missing:.3g} of log-likelihood below the maximum, "
            "which engine='retainkit' finds: they have no standard errors."
        )
    search = {"gradient", "iterations"}  # of our own search
    kept = {name: value for name, value in best.diagnostics.items() if name not in search}
    return replace(
        best,
        parameters=parameters,
        covariance=best.covariance if at_maximum else np.full_like(best.covariance, np.nan),
        log_likelihood=reached,
        converged=at_maximum,
        diagnostics=kept | {"engine": "lifetimes", "shortfall": max(missing, 0.0)},
        warnings=warnings_of_fit,
    )


# --- from a fitter ------------------------------------------------------------------------------


def adopt_purchases(
    fitter: Any, unit: Period | None, names: tuple[str, ...], process: PurchaseProcess
) -> dict[str, Any]:
    """Return the fields of a model of purchases from a fitter, and warn of its fit."""
    parameters = _parameters(fitter, _PURCHASE_FITTERS[process], names)
    if unit is None:
        raise ArgumentError(
            "`unit` is not given, and a fitter of lifetimes does not know what its recency and T "
            'count. Say it, for instance unit="day": it is the `freq` of the summary that it was '
            "fitted to.",
            code="unit_unknown",
            argument="unit",
        )
    rows = _fitter_data(fitter, ("frequency", "recency", "T"))
    if rows is None:
        return _model_fields(names, parameters, None) | {"unit": unit}
    fit = assess_purchases(parameters, rows.distinct, rows.counts, process)
    own = {"unit": unit, "largest_T": largest_time(rows)}
    return _model_fields(names, parameters, fit) | own


def adopt_spend(fitter: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a model of spend from a fitter, and warn of its fit."""
    parameters = _parameters(fitter, _SPEND_FITTER, names)
    rows = _fitter_data(fitter, ("frequency", "monetary_value"))
    if rows is None:
        return _model_fields(names, parameters, None)
    return _model_fields(names, parameters, assess_spend(parameters, rows.distinct, rows.counts))


def _model_fields(names: tuple[str, ...], parameters: Floats, fit: Fit | None) -> dict[str, Any]:
    """Return parameters and, if the fitter has its data, the diagnosis of their fit."""
    values = dict(zip(names, parameters.tolist(), strict=True))
    if fit is None:
        return values | {"diagnostics": {"engine": "lifetimes"}}
    for text in fit.warnings:
        warn(
            text,
            code="fit_needs_care",
            argument="summary",
        )
    return values | fit_fields(fit)


def _parameters(fitter: Any, name: str, names: tuple[str, ...]) -> Floats:
    with imported_lifetimes() as package:
        # A ModifiedBetaGeoFitter is a BetaGeoFitter, too: the first one found is its own kind.
        kinds = [one for one in reversed(_MODELS) if isinstance(fitter, getattr(package, one))]
    if kinds[:1] != [name]:
        other = f" {_MODELS[kinds[0]]}.from_lifetimes takes that one over." if kinds else ""
        kind = type(fitter).__name__
        raise ArgumentTypeError(
            f"`fitter` is a {kind}; it must be a fitted {name} of lifetimes.{other}",
            argument="fitter",
        )
    found = getattr(fitter, "params_", None)
    if found is None:
        raise ArgumentError(
            f"`fitter` is a {name} that is not fitted: call its `fit` first.",
            code="not_fitted",
            argument="fitter",
        )
    return np.array([float(found[name]) for name in names])


def _fitter_data(fitter: Any, names: tuple[str, ...]) -> Customers | None:
    """Return the data of a fitter, unless it was saved without them."""
    data = getattr(fitter, "data", None)
    if not {*names, "weights"} <= set(getattr(data, "columns", ())):
        return None
    return read_customers(data, {name: name for name in names}, weights="weights")


# --- to a fitter --------------------------------------------------------------------------------


def purchase_fitter(
    model: CovariateModel, process: PurchaseProcess, rows: Customers | None, *, weighted: bool
) -> Any:
    """Build a fitter of purchases as if it had been fitted."""
    _check_no_covariates(model)
    with imported_lifetimes() as package:
        from lifetimes import generate_data as draw  # noqa: PLC0415

        fitter = _build_fitter(package, _PURCHASE_FITTERS[process], model)
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
        if rows is None:
            return fitter
        columns, weights = _fitter_columns(rows, weighted=weighted)
        x, tx, T = columns["frequency"].astype(np.int64), columns["recency"], columns["T"]  # noqa: N806
        fitter._scale = 1 / T.max()
        make = getattr(draw, _GENERATORS[process])
        # Unlike the lambda that `fit` leaves, this can be pickled.
        fitter.generate_new_data = partial(make, T, *fitter.params_)
        _set_data(fitter, {"frequency": x, "recency": tx, "T": T}, weights)
        lengths = [name in {"alpha", "beta"} for name in model.NAMES]
        scaled = estimates_of(model).point * np.where(lengths, fitter._scale, 1.0)
        _set_likelihood(fitter, scaled, (x, tx * fitter._scale, T * fitter._scale, weights))
    return fitter


def _check_no_covariates(model: CovariateModel) -> None:
    """Check that a model has no covariates, of which lifetimes knows nothing."""
    if model.has_covariates:
        raise ArgumentError(
            f"{type(model).__name__} has covariates, and lifetimes knows none: as one of its "
            "fitters the model would take every customer for one of the reference. Fit it without "
            "covariates first.",
            code="argument_conflict",
            argument="purchase_covariates",
        )


def spend_fitter(
    model: CovariateModel, rows: Customers | None, used: Booleans | None, *, weighted: bool
) -> Any:
    """Build a GammaGammaFitter as if it had been fitted to the distinct rows that are used."""
    _check_no_covariates(model)
    with imported_lifetimes() as package:
        fitter = _build_fitter(package, _SPEND_FITTER, model)
        if rows is None:
            return fitter
        columns, weights = _fitter_columns(rows, used, weighted=weighted)
        x, m = columns["frequency"], columns["monetary_value"]
        _set_data(fitter, {"monetary_value": m, "frequency": x}, weights)
        _set_likelihood(fitter, estimates_of(model).point, (x, m, weights))
    return fitter


def _build_fitter(package: ModuleType, name: str, model: CovariateModel) -> Any:
    import pandas as pd  # noqa: PLC0415

    names = list(model.parameters)
    fitter = getattr(package, name)()
    fitter.params_ = pd.Series(estimates_of(model).point, index=names)
    fitter.variance_matrix_ = pd.DataFrame(
        estimates_of(model).covariance, index=names, columns=names
    )
    fitter.standard_errors_ = fitter._compute_standard_errors()
    fitter.confidence_intervals_ = fitter._compute_confidence_intervals()
    return fitter


def _set_data(fitter: Any, columns: dict[str, Any], weights: Floats) -> None:
    import pandas as pd  # noqa: PLC0415

    whole = np.array_equal(weights, np.floor(weights))
    columns["weights"] = weights.astype(np.int64) if whole else weights
    fitter.data = pd.DataFrame(columns)


def _set_likelihood(fitter: Any, scaled: Floats, data: tuple[Any, ...]) -> None:
    """Set the value and the Hessian of its own likelihood, on its own scale."""
    from autograd import hessian  # type: ignore[import-untyped]  # noqa: PLC0415

    theta, likelihood = np.log(scaled), fitter._negative_log_likelihood
    fitter._negative_log_likelihood_ = float(likelihood(theta, *data, fitter.penalizer_coef))
    # That of Pareto/NBD has special functions, of which autograd knows no derivative.
    known = type(fitter).__name__ != _PURCHASE_FITTERS[PARETO_NBD]
    of_theta = hessian(likelihood)
    fitter._hessian_ = of_theta(theta, *data, fitter.penalizer_coef) if known else None
