"""The retention models sBG and BdW, and their fits to tables of survivors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from retainkit._checks import integer
from retainkit._inputs.survival_table import SurvivalTable, read_survival_table
from retainkit._messages import count_noun, warn
from retainkit._models.beta_geometric_fit import AgeIntervals, fit_age_intervals
from retainkit._models.model import model_from_fit
from retainkit._typing import Booleans
from retainkit.errors import ArgumentError
from retainkit.projection._model import RetentionModel
from retainkit.typing import IntoFrame

_FittedRetention = TypeVar("_FittedRetention", bound=RetentionModel)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SBG(RetentionModel):
    r"""The shifted-beta-geometric model of how long customers stay.

    At every renewal a customer leaves with the same chance, which differs between customers as
    :math:`\text{Beta}(\alpha, \beta)` [1]_. After t renewals the share

    .. math:: S(t) = \frac{B(\alpha, \beta + t)}{B(\alpha, \beta)}

    is there. Those who leave easily leave first, so retention rises with age although nobody
    changes.

    Made of its parameters alone it predicts; `fit_sbg` estimates them.

    Parameters
    ----------
    alpha, beta : float
        The parameters. At the first renewal alpha / (alpha + beta) leave; the smaller
        alpha + beta, the more customers differ. The mean lifetime is infinite where alpha is 1 or
        less.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        What a period is, where it is known: a fit takes it from the column ``time_unit`` of a
        survival curve.
    covariance, log_likelihood, n_customers, converged, diagnostics
        The description of a fit.

    References
    ----------
    .. [1] Fader, P. S. & Hardie, B. G. S. (2007), "How to Project Customer Retention", Journal of
       Interactive Marketing 21 (1), 76-90.

    Examples
    --------
    With alpha = beta = 1 any chance is as likely as any other. Half of the customers leave at the
    first renewal, a third of the others at the second:

    >>> from retainkit import SBG
    >>> SBG(alpha=1, beta=1).survival([1, 2, 3]).round(3).tolist()
    [0.5, 0.333, 0.25]
    """

    NAMES: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    alpha: float
    beta: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BDW(RetentionModel):
    r"""The beta-discrete-Weibull model of how long customers stay.

    As `SBG`, but a customer's own chance to leave may fall (c < 1) or rise (c > 1) with the time
    that the customer has been there [1]_:

    .. math:: S(t) = \frac{B(\alpha, \beta + t^c)}{B(\alpha, \beta)}.

    Made of its parameters alone it predicts; `fit_bdw` estimates them.

    Parameters
    ----------
    alpha, beta, c : float
        The parameters; with c = 1 it is the shifted-beta-geometric model. The mean lifetime is
        infinite where c alpha is 1 or less.
    unit : {"day", "week", "month", "quarter", "year"}, optional
        What a period is, where it is known: a fit takes it from the column ``time_unit`` of a
        survival curve.
    covariance, log_likelihood, n_customers, converged, diagnostics
        The description of a fit.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Liu, Y., Davin, J. & Steenburgh, T. (2018), "How to
       Project Customer Retention Revisited: The Role of Duration Dependence", Journal of
       Interactive Marketing 43 (1), 1-16.

    Examples
    --------
    >>> from retainkit import BDW
    >>> BDW(alpha=1, beta=1, c=2).survival([1, 2, 3]).round(3).tolist()
    [0.5, 0.2, 0.1]
    """

    NAMES: ClassVar[tuple[str, ...]] = ("alpha", "beta", "c")

    alpha: float
    beta: float
    c: float


def fit_sbg(
    table: IntoFrame,
    *,
    age: str = "age",
    survivors: str = "retained",
    cohort: str | Sequence[str] | None = None,
    customers: str | float | None = None,
    at_risk: str | None = None,
    churned: str | None = None,
    holdout: int = 0,
) -> SBG:
    r"""Fit the shifted-beta-geometric model to the survivors of one or several cohorts.

    >>> import pandas as pd
    >>> from retainkit import fit_sbg
    >>> fit_sbg(pd.DataFrame({"age": range(5), "retained": [500, 410, 352, 310, 280]}))
    SBG(500 customers, alpha=0.66, beta=3)

    Maximum likelihood. With :math:`n_t` customers there at age t of a cohort, and
    :math:`S(t) = B(\alpha, \beta + t) / B(\alpha, \beta)`,

    .. math:: \ell = \sum_t (n_{t-1} - n_t) \log \left( S(t-1) - S(t) \right) + n_T \log S(T)

    summed over cohorts: whoever is there at the last age T counts as that, and not as lost.

    Parameters
    ----------
    table : IntoFrame
        One row for every cohort and age, such as the result of `cohort_retention`: pandas, Polars
        or PyArrow. A lazy frame is collected. A result of `survival_curve` is taken as it is, with
        its segments as cohorts; its tenures must be whole.
    age : str, default "age"
        Column of whole numbers: periods since the start, 0 at the start itself, where nobody can
        have left yet. Ages may be missing. A cohort whose first row is later than 0 tells of those
        there at that age.
    survivors : str, default "retained"
        Column of how many customers are there at each age. They must not rise.
    cohort : str or sequence of str, optional
        Columns that tell cohorts (and segments) apart; all get the same parameters. Default: there
        is one cohort.
    customers : str or float, optional
        Size of each cohort at age 0, a column or one number for all, where `survivors` holds shares
        or percentages of it. The estimates do not depend on it, but how sure they are does.
        Default: `survivors` counts customers.
    at_risk, churned : str, optional
        Instead of `survivors`: the columns of a survival curve with customers who were observed up
        to each age, and those of them who left at it. So customers who came at different times need
        no cohorts. Default: those of a result of `survival_curve`, where `table` is one.
    holdout : int, default 0
        Leave out the last ages, so many of each cohort, to see how well they are projected
        (``model.project(table, horizon)`` tells).

    Returns
    -------
    SBG
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If survivors rise, if there are several rows for a cohort and age, if an age is not a whole
        number, if a number is missing or negative, or if nothing is left to learn from.

    Warns
    -----
    RetainkitWarning
        If rows are not over for the whole cohort (``complete`` is False) and so not used; if no
        cohort has a row at age 0; if survivors look like shares; if there are too few ages; if the
        data do not identify a parameter: nobody left, everybody left at once, or customers do not
        differ.

    See Also
    --------
    fit_bdw : With a chance to leave that changes with time.
    retainkit.plot.projection : The picture.

    Notes
    -----
    Where survivors rise, customers come back, and being away is not leaving. The table must then
    count each customer until the last time seen (``counting="on_or_after"`` of `cohort_retention`;
    its last ages are too low, since some of those away will yet return), or come from
    subscriptions.

    References
    ----------
    .. [1] Fader, P. S. & Hardie, B. G. S. (2007), "How to Project Customer Retention", Journal of
       Interactive Marketing 21 (1), 76-90.
    .. [2] Fader, P. S. & Hardie, B. G. S. (2007), "Fitting the sBG Model to Multi-Cohort Data",
       http://brucehardie.com/notes/017/

    Examples
    --------
    The "Regular" customers of the paper, percent in years 0 to 7, of 1,000:

    >>> import pandas as pd
    >>> from retainkit import fit_sbg
    >>> share = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]
    >>> table = pd.DataFrame({"age": range(8), "retained": share})
    >>> model = fit_sbg(table, customers=1000)
    >>> {name: round(value, 3) for name, value in model.parameters.items()}
    {'alpha': 0.704, 'beta': 1.182}
    >>> round(model.log_likelihood, 3)
    -1680.265
    """
    integer("holdout", holdout, 0)
    rows = read_survival_table(table, age, survivors, cohort, customers, at_risk, churned)
    return _fit_retention_model(SBG, rows, holdout, customers)


def fit_bdw(
    table: IntoFrame,
    *,
    age: str = "age",
    survivors: str = "retained",
    cohort: str | Sequence[str] | None = None,
    customers: str | float | None = None,
    at_risk: str | None = None,
    churned: str | None = None,
    holdout: int = 0,
) -> BDW:
    """Fit the beta-discrete-Weibull model to the survivors of one or several cohorts.

    >>> import pandas as pd
    >>> from retainkit import fit_bdw
    >>> fit_bdw(pd.DataFrame({"age": range(5), "retained": [500, 410, 352, 310, 280]}))
    BDW(500 customers, alpha=0.602, beta=2.74, c=1.03)

    As `fit_sbg`, with a third parameter c: whether a customer's own chance to leave rises (c > 1)
    or falls (c < 1) with time. With few ages it can hardly be distinguished from differences
    between customers, and standard errors are large. Compare the two by ``aic``, and by the ages
    held out.

    Parameters
    ----------
    table : IntoFrame
        One row for every cohort and age, such as the result of `cohort_retention`: pandas, Polars
        or PyArrow. A lazy frame is collected. A result of `survival_curve` is taken as it is, with
        its segments as cohorts; its tenures must be whole.
    age : str, default "age"
        Column of whole numbers: periods since the start, 0 at the start itself.
    survivors : str, default "retained"
        Column of how many customers are there at each age. They must not rise.
    cohort : str or sequence of str, optional
        Columns that tell cohorts apart. Default: there is one cohort.
    customers : str or float, optional
        Size of each cohort at age 0, a column or one number for all, where `survivors` holds shares
        or percentages of it. The estimates do not depend on it, but how sure they are does.
        Default: `survivors` counts customers.
    at_risk, churned : str, optional
        Instead of `survivors`: the columns of a survival curve.
    holdout : int, default 0
        Leave out the last ages, so many of each cohort.

    Returns
    -------
    BDW
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError, ColumnTypeError, ArgumentTypeError, ArgumentError
        As in `fit_sbg`.

    Warns
    -----
    RetainkitWarning
        As in `fit_sbg`.

    See Also
    --------
    fit_sbg : With a chance to leave that does not change.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Liu, Y., Davin, J. & Steenburgh, T. (2018), "How to
       Project Customer Retention Revisited: The Role of Duration Dependence", Journal of
       Interactive Marketing 43 (1), 1-16.

    Examples
    --------
    The "High End" customers of the paper, in years 0 to 4:

    >>> import pandas as pd
    >>> from retainkit import fit_bdw
    >>> table = pd.DataFrame({"age": range(5), "retained": [1000, 869, 743, 653, 593]})
    >>> model = fit_bdw(table)
    >>> {name: round(value, 3) for name, value in model.parameters.items()}
    {'alpha': 0.259, 'beta': 1.723, 'c': 1.584}
    """
    integer("holdout", holdout, 0)
    rows = read_survival_table(table, age, survivors, cohort, customers, at_risk, churned)
    return _fit_retention_model(BDW, rows, holdout, customers)


def _fit_retention_model(
    kind: type[_FittedRetention], rows: SurvivalTable, holdout: int, customers: str | float | None
) -> _FittedRetention:
    n_held_out = int(holdout)
    used = rows.known(n_held_out) & (rows.at_risk > 0) & (rows.age > rows.before)
    if not used.any():
        raise ArgumentError(
            "`table` has no two ages of a cohort"
            + (f" beside those held out (`holdout` is {n_held_out})" if n_held_out else "")
            + " with customers at the first of them, and nothing can be learnt from it.",
            code="nothing_to_learn",
            argument="table",
        )
    unit = rows.unit()
    fit = fit_age_intervals(_age_intervals(rows, used), size=len(kind.NAMES))
    fit.diagnostics.update(cohorts=len(np.unique(rows.line[used])), holdout=n_held_out)
    if customers is not None:
        fit.diagnostics["customers"] = customers if isinstance(customers, str) else float(customers)
    for text in [*_table_warnings(rows, used), *fit.warnings]:
        warn(
            text,
            code="fit_needs_care",
            argument="table",
        )
    return model_from_fit(kind, fit, unit=unit)


def _age_intervals(rows: SurvivalTable, used: Booleans) -> AgeIntervals:
    """Add up the steps of all cohorts, from one age to another."""
    pairs = np.column_stack([rows.before[used], rows.age[used]])
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    left, number = (
        np.bincount(inverse.ravel(), values[used]).astype(np.float64)
        for values in (rows.left, rows.at_risk)
    )
    starts = np.unique(rows.line[used], return_index=True)[1]
    return AgeIntervals(
        before=distinct[:, 0].astype(np.float64),
        after=distinct[:, 1].astype(np.float64),
        stayed=number - left,
        left=left,
        customers=float(rows.size[used][starts].sum()),
    )


def _table_warnings(rows: SurvivalTable, used: Booleans) -> list[str]:
    """Return warnings of tables that look like a misunderstanding."""
    texts = []
    if rows.start[used].min() > 0:
        texts.append(
            f"No cohort has a row at age 0; the first is {rows.start[used].min()}. The fit tells "
            "of those there at that age. If it is the start itself, count ages from 0."
        )
    if rows.size[used].max() <= 1:
        texts.append(
            f"{count_noun(len(np.unique(rows.line[used])), 'cohort')} of at most 1 customer: if "
            "survivors are shares, give the number in `customers`; without it standard errors and "
            "intervals mean nothing."
        )
    return texts
