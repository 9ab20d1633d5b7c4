"""The models BG/NBD and MBG/NBD of repeat purchases, and their fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from retainkit._models.bg_nbd import BG_NBD, MBG_NBD
from retainkit._models.process import PurchaseProcess
from retainkit.clv._next_purchase import TimingModel
from retainkit.clv._purchase_fits import fit_purchase_model
from retainkit.typing import Engine, IntoFrame, Period


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BGNBD(TimingModel):
    r"""The BG/NBD model of repeat purchases.

    While a customer is alive, purchases come at random at a rate :math:`\lambda`, and after each
    repeat purchase the customer drops out for good with probability :math:`p`. Rates differ between
    customers as :math:`\text{Gamma}(r, \alpha)`, drop-out as :math:`\text{Beta}(a, b)` [1]_.

    Made of its parameters alone it predicts; `fit_bg_nbd` estimates them.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the purchase rates; their mean is r / alpha per unit of time.
    a, b : float
        Parameters of the drop-out probabilities; their mean is a / (a + b).
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
        What a fit with covariates knows of them; r, alpha, a and b are those of the reference.
    covariance, log_likelihood, n_customers, converged, diagnostics
        The description of a fit.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    The customer of the paper's section 6, with two repeat purchases, the last in week 30.43 of
    38.86, is expected to buy 1.226 times in the next 39 weeks:

    >>> import pandas as pd
    >>> from retainkit import BGNBD
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]}
    ... )
    >>> model.expected_purchases(summary, 39).round(3)
       customer_id  expected_purchases
    0            1               1.226
    """

    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    PROCESS: ClassVar[PurchaseProcess] = BG_NBD

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MBGNBD(BGNBD):
    """The MBG/NBD model: BG/NBD in which a customer may drop out at the first purchase, too.

    Under BG/NBD everybody without a repeat purchase is alive for certain; here nobody is [1]_. All
    else is as in `BGNBD`.

    References
    ----------
    .. [1] Batislam, E. P., Denizel, M. & Filiztekin, A. (2007), "Empirical validation and
       comparison of models for customer base analysis", International Journal of Research in
       Marketing 24 (3), 201-209.

    Examples
    --------
    The customer of the example of `BGNBD`:

    >>> import pandas as pd
    >>> from retainkit import MBGNBD
    >>> model = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]}
    ... )
    >>> model.expected_purchases(summary, 39).round(3)
       customer_id  expected_purchases
    0            1               1.263
    """

    PROCESS: ClassVar[PurchaseProcess] = MBG_NBD


def fit_bg_nbd(
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
) -> BGNBD:
    """Fit the BG/NBD model of repeat purchases.

    >>> from retainkit import datasets, fit_bg_nbd, rfm_summary
    >>> fit_bg_nbd(rfm_summary(datasets.load_cdnow(sample=True), unit="week", exact=True))
    BGNBD(2,357 customers, unit='week', r=0.254, alpha=5.45, a=0.607, b=2.65)

    Maximum likelihood on the distinct rows of the summary. The estimate does not depend on the unit
    of time, alpha apart.

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
        squares of log r, log(alpha / mean T), log(a / b) and log(a + b) is taken from the mean
        log-likelihood.
    purchase_covariates, dropout_covariates : str or sequence of str, default ()
        Covariates that the rate of purchase, or of leaving, may differ by: columns that were known
        at the start, of numbers and booleans, or of words, whose most frequent level is the
        reference. For a column z with the coefficient c the rate is exp(c z) times that of the
        reference, and so are the odds of the mean probability to drop out, a / b. ``effects()``
        gives them.
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
    BGNBD
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
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    The fit of the paper, to 2,357 customers of CDNOW:

    >>> from retainkit import fit_bg_nbd, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, as_of="1997-10-01", unit="week", exact=True)
    >>> model = fit_bg_nbd(summary)
    >>> [round(value, 3) for value in model.parameters.values()]
    [0.243, 4.414, 0.793, 2.426]
    """
    columns = {"frequency": frequency, "recency": recency, "T": T}
    return fit_purchase_model(
        BGNBD,
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


def fit_mbg_nbd(
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
) -> MBGNBD:
    """Fit the MBG/NBD model of repeat purchases.

    >>> from retainkit import datasets, fit_mbg_nbd, rfm_summary
    >>> fit_mbg_nbd(rfm_summary(datasets.load_cdnow(sample=True), unit="week", exact=True))
    MBGNBD(2,357 customers, unit='week', r=0.618, alpha=8.66, a=0.552, b=1.01)

    Maximum likelihood on the distinct rows of the summary. The estimate does not depend on the unit
    of time, alpha apart.

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
        squares of log r, log(alpha / mean T), log(a / b) and log(a + b) is taken from the mean
        log-likelihood.
    purchase_covariates, dropout_covariates : str or sequence of str, default ()
        Covariates that the rate of purchase, or of leaving, may differ by: columns that were known
        at the start, of numbers and booleans, or of words, whose most frequent level is the
        reference. For a column z with the coefficient c the rate is exp(c z) times that of the
        reference, and so are the odds of the mean probability to drop out, a / b. ``effects()``
        gives them.
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
    MBGNBD
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
    .. [1] Batislam, E. P., Denizel, M. & Filiztekin, A. (2007), "Empirical validation and
       comparison of models for customer base analysis", International Journal of Research in
       Marketing 24 (3), 201-209.

    Examples
    --------
    The fit of the paper, to 2,357 customers of CDNOW:

    >>> from retainkit import fit_mbg_nbd, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, as_of="1997-10-01", unit="week", exact=True)
    >>> model = fit_mbg_nbd(summary)
    >>> [round(value, 3) for value in model.parameters.values()]
    [0.525, 6.183, 0.891, 1.614]
    """
    columns = {"frequency": frequency, "recency": recency, "T": T}
    return fit_purchase_model(
        MBGNBD,
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
