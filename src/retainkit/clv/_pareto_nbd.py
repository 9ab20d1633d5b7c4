"""The model Pareto/NBD of repeat purchases, and its fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from retainkit._models.pareto_nbd import PARETO_NBD
from retainkit._models.process import PurchaseProcess
from retainkit.clv._next_purchase import TimingModel
from retainkit.clv._purchase_fits import fit_purchase_model
from retainkit.typing import Engine, IntoFrame, Period


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ParetoNBD(TimingModel):
    r"""The Pareto/NBD model of repeat purchases.

    While a customer is alive, purchases come at random at a rate :math:`\lambda`, and the customer
    leaves for good at a rate :math:`\mu`, whether or not there is a purchase: who bought once may
    have left, too. The rates differ between customers as :math:`\text{Gamma}(r, \alpha)` and
    :math:`\text{Gamma}(s, \beta)` [1]_. All else is as in `BGNBD`.

    Made of its parameters alone it predicts; `fit_pareto_nbd` estimates them.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the purchase rates; their mean is r / alpha per unit of time.
    s, beta : float
        Shape and rate of the rates of leaving; their mean is s / beta per unit of time.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, default "day"
        Unit of recency, T and horizons.
    largest_T : float, optional
        The longest time for which a customer was observed in the data of the fit, in that unit. A
        summary that reaches more than twice as far draws a warning.
    as_of : str, optional
        Where it was made of orders: the instant at which observation ended, as ISO 8601 has it.
    exact : bool, optional
        Whether it was fitted to a summary made with ``exact=True``, by the day in a longer unit: a
        table that was made otherwise is refused. Default: not known, as in units of days.
    purchase_covariates, dropout_covariates : tuple, optional
        What a fit with covariates knows of them; r, alpha, s and beta are those of the reference.
    covariance, log_likelihood, n_customers, converged, diagnostics
        The description of a fit.

    Notes
    -----
    The published formulas are differences of hypergeometric functions, which cancel where the last
    purchase was a short time ago. Here the odds of having left are one integral of a positive
    function over the time since the last purchase, right to 13 digits.

    References
    ----------
    .. [1] Schmittlein, D. C., Morrison, D. G. & Colombo, R. (1987), "Counting Your Customers: Who
       Are They and What Will They Do Next?", Management Science 33 (1), 1-24.

    Examples
    --------
    A customer with two repeat purchases, the last in week 30.43 of 38.86, and one without:

    >>> import pandas as pd
    >>> from retainkit import ParetoNBD
    >>> model = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669, unit="week")
    >>> rows = [("ann", 2, 30.43, 38.86), ("bob", 0, 0.0, 38.86)]
    >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
    >>> model.probability_alive(summary).round(3)
      customer_id  probability_alive
    0         ann              0.869
    1         bob              0.295
    >>> model.expected_purchases(summary, 39).round(3)
      customer_id  expected_purchases
    0         ann               1.455
    1         bob               0.107
    """

    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    PROCESS: ClassVar[PurchaseProcess] = PARETO_NBD

    r: float
    alpha: float
    s: float
    beta: float


def fit_pareto_nbd(
    summary: IntoFrame,
    *,
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    weights: str | None = None,
    penalty: float = 0.0,
    purchase_covariates: str | Sequence[str] = (),
    dropout_covariates: str | Sequence[str] = (),
    covariate_penalty: float = 0.0,
    unit: Period | None = None,
    engine: Engine = "retainkit",
) -> ParetoNBD:
    """Fit the Pareto/NBD model of repeat purchases.

    >>> from retainkit import datasets, fit_pareto_nbd, rfm_summary
    >>> fit_pareto_nbd(rfm_summary(datasets.load_cdnow(sample=True), unit="week", exact=True))
    ParetoNBD(2,357 customers, unit='week', r=0.563, alpha=12.6, s=0.408, beta=10.5)

    Maximum likelihood on the distinct rows of the summary. The estimate does not depend on the unit
    of time, alpha and beta apart.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency : str, default "frequency"
        Column of the number of repeat purchases, whole numbers.
    recency : str, default "recency"
        Column of the time from the first purchase to the last, in the unit of the model; 0 where
        there is only one.
    T : str, default "T"
        Column of the time observed since the first purchase, in the unit of the model.
    weights : str, optional
        Column with the number of customers in each row. Default: one.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few: this times the sum of the
        squares of log r, log(alpha / mean T), log s and log(beta / mean T) is taken from the mean
        log-likelihood.
    purchase_covariates, dropout_covariates : str or sequence of str, default ()
        Covariates that the rate of purchase, or of leaving, may differ by: columns that were known
        at the start, of numbers and booleans, or of words, whose most frequent level is the
        reference. For a column z with the coefficient c the rate is exp(c z) times that of the
        reference. ``effects()`` gives them.
    covariate_penalty : float, default 0.0
        Draws effects towards 0 where data are few: this times the variance that each covariate adds
        to its logarithm over the customers is taken from the mean log-likelihood. Of a number that
        is the square of its standardised coefficient.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of recency and T, and so of the model's rates and horizons. Default: what the column
        ``time_unit`` of `summary` says, which `rfm_summary` writes; without it the unit must be
        given.
    engine : {"retainkit", "lifetimes"}, default "retainkit"
        Who searches for the maximum. ``lifetimes`` now and then stops short of it or fails, and
        takes no `penalty`; covariance, log-likelihood and diagnostics are ours all the same, and
        ``diagnostics["shortfall"]`` is the log-likelihood that it missed.

    Returns
    -------
    ParetoNBD
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if there are no customers, or if a row cannot be a
        customer's: the message says which and how many. If the unit is not known, if `summary` is
        in several, or in another than `unit`. With ``engine="lifetimes"``: if it fails.

    Warns
    -----
    RetainkitWarning
        If the data do not identify a parameter: nobody bought again, nobody or everybody drops out,
        customers do not differ; if 20 customers or more have all bought again, so that those who
        did not seem to be left out; or if ``lifetimes`` stopped short of the maximum.
        ``diagnostics`` says the same.

    References
    ----------
    .. [1] Schmittlein, D. C., Morrison, D. G. & Colombo, R. (1987), "Counting Your Customers: Who
       Are They and What Will They Do Next?", Management Science 33 (1), 1-24.
    .. [2] Fader, P. S. & Hardie, B. G. S. (2005), "A Note on Deriving the Pareto/NBD Model and
       Related Expressions", http://www.brucehardie.com/notes/009/.

    Examples
    --------
    The fit of the paper, to 2,357 customers of CDNOW:

    >>> from retainkit import fit_pareto_nbd, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, as_of="1997-10-01", unit="week", exact=True)
    >>> model = fit_pareto_nbd(summary)
    >>> [round(value, 3) for value in model.parameters.values()]
    [0.553, 10.578, 0.606, 11.669]
    """
    columns = {"frequency": frequency, "recency": recency, "T": T}
    return fit_purchase_model(
        ParetoNBD,
        summary,
        columns,
        covariates={
            "purchase": ("purchase_covariates", purchase_covariates),
            "dropout": ("dropout_covariates", dropout_covariates),
        },
        weights=weights,
        penalty=penalty,
        covariate_penalty=covariate_penalty,
        unit=unit,
        engine=engine,
    )
