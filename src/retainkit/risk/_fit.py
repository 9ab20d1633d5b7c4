"""Fit a logistic model of churn risk to snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from retainkit._checks import number, one_of, probability
from retainkit._messages import count_noun, warn
from retainkit._stats.logistic import LogisticFit, clustered_covariance, fit_logistic
from retainkit._stats.ranking import area_above
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.risk._features import Design, design_of, standardised
from retainkit.risk._model import ChurnRisk
from retainkit.risk._snapshots import SnapshotRows, read_snapshots
from retainkit.typing import FeatureTransform, IntoFrame, MissingFeature

_SUSPECT = 0.95  # area of a single feature from which on it is suspected
_EVENTS_EACH = 10  # of the rarer outcome, for each feature
_SHARE = 0.1  # of the greatest part in a direction: smaller ones are not named


def fit_churn_risk(
    snapshots: IntoFrame,
    *,
    features: Sequence[str] | None = None,
    outcome: str = "churned",
    customer: str = "customer_id",
    snapshot: str = "as_of",
    transform: FeatureTransform = "log1p",
    penalty: float = 0.0,
    missing: MissingFeature = "raise",
    confidence_level: float = 0.95,
) -> ChurnRisk:
    r"""Fit a model of the risk of churn: a logistic regression that knows snapshots.

    >>> from retainkit import churn_snapshots, datasets, fit_churn_risk
    >>> orders = datasets.load_cdnow(sample=True)
    >>> rows = churn_snapshots(orders, as_of="1997-10-01", horizon="90D", windows=["90D"])
    >>> fit_churn_risk(rows, features=["recency_days", "orders"]).coefficient_table().round(2)
            feature  coefficient  standard_error  lower  upper  odds_ratio_per_sd
    0   (intercept)         0.29            0.53  -0.74   1.32                NaN
    1  recency_days         0.59            0.08   0.43   0.74               1.69
    2        orders        -1.34            0.17  -1.67  -1.00               0.55

    With features :math:`x_j`, transformed,

    .. math::
       P(\text{churned}) = \frac{1}{1 + e^{-\eta}}, \qquad
       \eta = \beta_0 + \sum_j \beta_j x_j,

    by maximum likelihood. A customer who is in several snapshots is no new customer in each: the
    covariance is clustered by customer [1]_,

    .. math::
       V = \frac{G}{G - 1} \, \frac{n - 1}{n - k} \; H^{-1} \Bigl( \sum_g u_g u_g^\top \Bigr)
       H^{-1}, \qquad u_g = \sum_{i \in g} (y_i - p_i) \, x_i,

    with n rows of G customers, k coefficients and the information H.

    Parameters
    ----------
    snapshots : IntoFrame
        One row a customer and snapshot, as `churn_snapshots` makes them, with what was known at
        that instant and what came after it: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame.
    features : sequence of str, optional
        Columns to learn from: numbers or booleans. Default: all such columns but those of the
        other arguments, ``amount_ahead``, and those that begin with ``orders_change_``, which are
        null for young customers: to use them, name them, with ``missing="indicator"``.
    outcome : str, default "churned"
        Column of what came: booleans, or 1 and 0. Where it is null nothing is known yet.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    snapshot : str, default "as_of"
        Column of the instant of the snapshot. The model gives it back beside the customer.
    transform : {"log1p", "none"}, default "log1p"
        ``"log1p"`` takes sign(x) log(1 + \|x\|) of every feature: from 1 order to 2 is more than
        from 101 to 102.
    penalty : float, default 0.0
        Half of it times the squares of the standardised coefficients, without the intercept, is
        taken off the log-likelihood (ridge): 1 / C of scikit-learn. The errors are then those of
        the penalised fit, as ``diagnostics`` says.
    missing : {"raise", "indicator"}, default "raise"
        Whether a null in a feature is an error, or is replaced by the mean and told by a further
        feature, ``<feature>_missing``.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    ChurnRisk
        The model: its coefficients with ``coefficient_table()``, the risk of customers with
        ``churn_risk(view)``.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If a feature alone, or several together, tell the outcome without exception: then they
        probably count what came after the instant, or belong to a few customers of one outcome.
        If every row has the outcome, or none has; if a feature is null or infinite; if a customer
        has several rows in a snapshot (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If a feature alone has an AUC above .95. If a feature is constant, or follows from those
        before it: it is left out. If there are fewer than ten rows of the rarer outcome for each
        feature. If the outcome of some rows is null: they are left out.

    See Also
    --------
    churn_snapshots : Makes what it learns from.
    score_report : Whether its probabilities hold, on a later snapshot.
    lift_table : What came of those whom it ranks first.

    Notes
    -----
    *The leak.* Features that were measured over the time of the label foretell it perfectly, and
    nothing else. On CDNOW the days since the last order, measured after the label, have an AUC of
    1.000; known before it, of .793.

    *Errors.* Without clusters the standard errors of repeated snapshots are too small, up to 1.7
    times on real data: the same customer is counted as news.

    *Your own model.* The snapshots are plain numbers, and any library learns from them;
    `score_report` and `lift_table` judge its scores as they judge these.

    Coefficients say what goes with churn, not what causes it.

    References
    ----------
    .. [1] Liang, K.-Y. & Zeger, S. L. (1986), "Longitudinal Data Analysis Using Generalized Linear
       Models", Biometrika 73, 13-22.

    Examples
    --------
    One feature of two values, without a transformation, gives back the log-odds of its groups: 1 of
    4 left without a visit more, and 3 of 4 with a ticket: log(1 / 3) is -1.099.

    >>> import pandas as pd
    >>> from retainkit import fit_churn_risk
    >>> rows = {"customer_id": range(80), "as_of": "2024-01-01", "ticket": [0, 1] * 40}
    >>> view = pd.DataFrame(rows | {"churned": [0, 1, 0, 1, 0, 1, 1, 0] * 10})
    >>> model = fit_churn_risk(view, transform="none")
    >>> round(model.intercept, 3), round(model.coefficients[0], 3)
    (-1.099, 2.197)
    """
    one_of("transform", transform, get_args(FeatureTransform))
    penalty = number("penalty", penalty, 0)
    one_of("missing", missing, get_args(MissingFeature))
    level = probability("confidence_level", confidence_level)
    rows = read_snapshots(
        snapshots,
        features=features,
        outcome=outcome,
        customer=customer,
        snapshot=snapshot,
        missing=missing,
    )
    _check_outcomes_differ(rows)
    names, matrix, imputed = design_of(rows, transform)
    _check_leaks(rows, names, matrix[1:])
    design = standardised(names, matrix)
    _warn_of_few_events(rows, len(design.features))
    fit = fit_logistic(design.matrix, rows.events.astype(np.float64), penalty=penalty)
    if fit.direction is not None:
        raise _separation(rows, design.features, fit.direction)
    _warn_of_no_maximum(fit)
    covariance = clustered_covariance(
        design.matrix, rows.events.astype(np.float64), rows.customer, fit
    )
    return ChurnRisk(
        **design.unscaled(fit.coefficients, covariance),
        transform=transform,
        imputed=imputed,
        customer=customer,
        snapshot=snapshot,
        confidence_level=level,
        n=len(rows.events),
        n_customers=rows.n_customers,
        events=int(rows.events.sum()),
        log_likelihood=fit.log_likelihood,
        diagnostics=_diagnostics(rows, design, fit, penalty),
    )


def _diagnostics(
    rows: SnapshotRows, design: Design, fit: LogisticFit, penalty: float
) -> dict[str, Any]:
    """Return facts about the fit, as plain values."""
    return {
        "converged": fit.converged,
        "iterations": fit.iterations,
        "snapshots": rows.n_snapshots,
        "dropped": list(design.dropped),
        "penalty": penalty,
        "errors": "clustered by customer"
        + (", of the penalised fit" if penalty else "")
        + (", one row each" if rows.n_customers == len(rows.events) else ""),
    }


# Checks


def _check_outcomes_differ(rows: SnapshotRows) -> None:
    """Check that some rows have the outcome, and some have not."""
    n, events = len(rows.events), int(rows.events.sum())
    if 0 < events < n:
        return
    what = f"is {int(events > 0)} in all {count_noun(n, 'row')}" if n else "has no rows"
    raise ArgumentError(
        f"column {rows.outcome!r} (given as `outcome`) {what}, and nothing can be learnt from "
        "that: it takes customers who left and customers who stayed.",
        code="nothing_to_learn",
        argument="outcome",
        column=rows.outcome,
        rows=n,
        total=n,
    )


def _check_leaks(rows: SnapshotRows, names: tuple[str, ...], values: Floats) -> None:
    """Raise if a feature alone separates the outcome, and warn if it nearly does."""
    for name, one in zip(names, values, strict=True):
        area = area_above(one, rows.events, _SUSPECT)
        if area == 1:
            raise ArgumentError(
                f"`{name}` alone tells {rows.outcome} from not: it probably counts what came after "
                f"{rows.snapshot}. Leave it out of `features`, or make the snapshots anew: they "
                "may know nothing of the time of the label.",
                code="leaked_feature",
                argument="features",
                column=name,
            )
        if area:
            warn(
                f"`{name}` alone ranks {rows.outcome} from not with an AUC of {area:.3f}: look "
                f"whether it counts what came after {rows.snapshot}.",
                code="leaked_feature",
                argument="features",
                column=name,
            )


def _separation(rows: SnapshotRows, names: tuple[str, ...], direction: Floats) -> ArgumentError:
    """Return the error about features that together tell the outcome."""
    part = np.abs(direction[1:])
    order = np.argsort(-part, kind="stable")
    found = [names[i] for i in order[:5] if part[i] > _SHARE * part.max()]
    what = ", ".join(f"`{name}`" for name in found)
    verb, those = ("tells", "it") if len(found) == 1 else ("together tell", "they")
    return ArgumentError(
        f"{what} {verb} {rows.outcome} from not for some customers or all, without exception, and "
        f"no coefficient is large enough: perhaps {those} count{'s' if those == 'it' else ''} what "
        f"came after {rows.snapshot}, or belong to a few customers of one outcome. Leave out of "
        "`features` what should not be known; with a `penalty` above 0, such as 1.0, a rare trait "
        "can stay.",
        code="leaked_feature",
        argument="features",
        column=found[0],
    )


def _warn_of_few_events(rows: SnapshotRows, n_features: int) -> None:
    """Warn where there is too little to learn from."""
    events, n = int(rows.events.sum()), len(rows.events)
    rarer = min(events, n - events)
    if rarer < _EVENTS_EACH * n_features:
        warn(
            f"{count_noun(n_features, 'feature')} and {count_noun(rarer, 'row')} of the rarer "
            f"outcome: with fewer than {_EVENTS_EACH} for each, coefficients are too large and "
            "errors too small. Name fewer `features`, or set a `penalty`.",
            code="fit_needs_care",
            argument="features",
            rows=rarer,
            total=n,
        )


def _warn_of_no_maximum(fit: LogisticFit) -> None:
    if not fit.converged:
        warn(
            f"the search for the coefficients did not come to an end in {fit.iterations} steps: "
            "see `diagnostics`. Features of hardly any variation can do that; leave them out, or "
            "set a `penalty`.",
            code="fit_needs_care",
            argument="features",
        )
