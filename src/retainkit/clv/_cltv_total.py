"""Total lifetime value of customers, by segment and of all, with the interval of the total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retainkit._checks import boolean
from retainkit._frames.output import build_like
from retainkit._frames.segments import segments_or_null
from retainkit._inputs.segmented_customers import SegmentedCustomers, read_segmented_customers
from retainkit._messages import warn
from retainkit._stats.intervals import ratio
from retainkit.clv._assumptions import value_warnings
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._covariates import check_unseen, covariates_to_read
from retainkit.clv._given_models import check_models
from retainkit.clv._histories import check_histories
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._spend import GammaGamma
from retainkit.clv._totals import estimate_totals, valued_rows
from retainkit.clv._valuation import ValuationOptions, ValuationSpec, valuation_spec
from retainkit.purchases._spec import SUMMARY
from retainkit.typing import Compounding, IntoTable, Length, TableT, Unseen

RESULT = (
    "all_customers",
    "customers",
    "expected_purchases",
    "purchases_lower",
    "purchases_upper",
    "cltv",
    "lower",
    "upper",
    "mean_cltv",
    "mean_lower",
    "mean_upper",
    "parameter_share",
)


def cltv_total(
    summary: TableT | IntoTable[TableT],
    purchases: BGNBD | MBGNBD | ParetoNBD,
    spend: GammaGamma,
    *,
    customer: str = "customer_id",
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    monetary_value: str = "monetary_value",
    by: str | Sequence[str] | None = None,
    horizon: float | Length = "12 months",
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    include_chance: bool = True,
    draws: int = 500,
    seed: int | None = None,
    unseen: Unseen = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Add up the values of customers, by segment and of all, with the interval of each total.

    >>> from retainkit import cltv_total, datasets, fit_bg_nbd, fit_gamma_gamma, rfm_summary
    >>> table = rfm_summary(datasets.load_cdnow(sample=True), amount="amount")
    >>> total = cltv_total(table, fit_bg_nbd(table), fit_gamma_gamma(table))
    >>> total[["customers", "cltv", "lower", "upper", "parameter_share"]].round(2)
       customers      cltv     lower     upper  parameter_share
    0       2357  69086.94  62120.24  76834.95             0.32

    The interval of a sum is not the sum of the intervals. The parameters of the models are the same
    for all customers: if they are too high, all values are. Chance moves each customer by itself,
    and evens out among many. With :math:`V` the total, :math:`\theta` the parameters and
    :math:`v_i` what customer :math:`i` will actually spend,

    .. math:: \text{Var}(\log V) = \nabla \log V(\theta)^\top \, \text{Cov}(\theta) \,
        \nabla \log V(\theta) + \sum_i \text{Var}(v_i) \, / \, V^2,

    and the limits are those of a normal distribution of the logarithm. Where chance moves a total
    by more than 15% (the root of the second term), that is too rough, and futures are drawn.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame. It is in the unit of `purchases`.
    purchases : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases.
    spend : GammaGamma
        Model of the spend.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    frequency : str, default "frequency"
        Column of the number of repeat purchases, whole numbers.
    recency : str, default "recency"
        Column of the time from the first purchase to the last, in the unit of the model; 0 where
        there is only one.
    T : str, default "T"
        Column of the time observed since the first purchase, in the unit of the model.
    monetary_value : str, default "monetary_value"
        Column of the mean amount of the repeat purchases.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    horizon : float, str or timedelta, default "12 months"
        How far ahead: a number in the unit of `purchases`, or a length of time such as ``"90D"``,
        ``"52 weeks"`` or ``"12 months"``. A month is a twelfth of 365.2425 days.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means: 0.1 a year is a factor of 1.1, of (1 + 0.1 / 12)^12, or of
        e^0.1.
    include_chance : bool, default True
        Whether the intervals are for what the customers will actually buy and spend. Otherwise they
        are for its expectation, and leave open what the parameters do alone.
    draws : int, default 500
        Number of draws of simulated futures.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result. It is needed
        where something is drawn: where there is a row of few purchases, such as a small segment.
    unseen : {"raise", "reference"}, default "raise"
        What to do, with covariates in a model, with a level that nobody of the fit had: raise, or
        take such customers for those of the reference.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each segment and, last, one for all customers: a new frame of the kind of
        `summary`; Polars for a LazyFrame, pandas for DuckDB and PySpark. Without `by` there is the
        last one only, and without customers there is none.

        - the columns of `by`, in ascending order, nulls last; null in the row for all.
        - ``all_customers`` (bool): whether the row is the one for all. A null in `by` alone does
          not say so, since null is a segment.
        - ``customers`` (int): how many there are.
        - ``expected_purchases`` (float): their purchases within the horizon, not discounted.
        - ``purchases_lower``, ``purchases_upper`` (float): their interval.
        - ``cltv`` (float): the total value, in the unit of the amounts.
        - ``lower``, ``upper`` (float): its interval; NaN where a model has no covariance, or not of
          all parameters.
        - ``mean_cltv`` (float): the value for each customer, `cltv` / `customers`.
        - ``mean_lower``, ``mean_upper`` (float): its interval, likewise.
        - ``parameter_share`` (float): share of the parameters in the variance of the value, the
          rest being chance. More customers of the same kind lessen chance; only more data to fit
          lessens this. NaN where the value is 0, or has no interval.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if a row cannot be a customer's, if a customer has several
        rows, if the models and `summary` count purchases in different units, if the expected spend
        of somebody is infinite, or if `seed` is missing (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the first purchase seems to be counted in frequency, or customers were observed for more
        than twice as long as those that the model was fitted to. If there are no intervals, for
        want of a covariance; if the purchases look like payments of contracts, which these models
        are not about; or if spend goes with frequency, which the models take to be independent.

    See Also
    --------
    cltv_from_models : The value of each customer.

    Notes
    -----
    The intervals hold if the models do. On CDNOW they do not hold what was bought; `holdout_report`
    shows how far a model was off, and a second model what another gives.

    The variance that chance leaves is exact: two purchases of a customer at :math:`s' < s` from now
    have the density :math:`\lambda^2 (1 - p) e^{-\lambda p s}`, whose mean over what is known of
    the rate :math:`\lambda` and of the probability :math:`p` to drop out leaves differences of
    discounted purchases; amounts add the first two moments of Gamma-Gamma. The second is infinite
    where p x + q is 2 or less, with a tail so heavy that a few customers decide, and then futures
    are drawn as well. They are drawn under parameters drawn anew for each, so that limits of
    purchases are whole numbers, 0 included; that takes some two seconds for each thousand
    customers in such rows.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.
    .. [2] Fader, P. S. & Hardie, B. G. S. (2013), "The Gamma-Gamma Model of Monetary Value",
       http://www.brucehardie.com/notes/025/.

    Examples
    --------
    CDNOW in the 39 weeks after the fit, in which 1,882 purchases were made, more than the upper
    limit; without a discount the value is purchases times spend:

    >>> from retainkit import cltv_total, fit_bg_nbd, fit_gamma_gamma, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, amount="amount", unit="week", exact=True, as_of="1997-10-01")
    >>> summary["again"] = summary["frequency"] > 0
    >>> purchases, spend = fit_bg_nbd(summary), fit_gamma_gamma(summary)
    >>> total = cltv_total(summary, purchases, spend, by="again", horizon=39, discount_rate=0)
    >>> shown = ["all_customers", "expected_purchases", "purchases_lower", "purchases_upper"]
    >>> total[shown].round(1)
       all_customers  expected_purchases  purchases_lower  purchases_upper
    0          False               317.6            268.5            375.6
    1          False              1335.8           1159.1           1539.4
    2           True              1653.4           1465.4           1865.5
    """
    options = ValuationOptions(
        horizon=horizon,
        discount_rate=discount_rate,
        margin=margin,
        compounding=compounding,
        method="exact",
        infinite="raise",
        confidence_level=confidence_level,
        interval="delta",
        predictive=False,
        draws=draws,
        seed=seed,
    )
    check_models(purchases, spend)
    boolean("include_chance", include_chance)
    check_unseen(unseen)
    spec = valuation_spec(purchases, spend, options)
    names = dict(zip(SUMMARY, (frequency, recency, T, monetary_value), strict=True))
    table = _read_table(summary, names, spec, customer=customer, by=by)
    check_histories(purchases, table.histories)
    rows = valued_rows(table, spec, unseen)
    bought, valued = estimate_totals(rows, include_chance=include_chance)
    for code, text in value_warnings(spec, table.histories, table.spend):
        warn(text, code=code, argument="summary")
    counts = rows.counts
    money = {"cltv": valued.expected, "lower": valued.lower, "upper": valued.upper}
    values = {name: one * spec.margin for name, one in money.items()}
    means = ("mean_cltv", "mean_lower", "mean_upper")
    columns = {
        "customers": counts.astype(np.int64),
        "expected_purchases": bought.expected,
        "purchases_lower": bought.lower,
        "purchases_upper": bought.upper,
        **values,
        **{mean: ratio(one, counts) for mean, one in zip(means, values.values(), strict=True)},
        "parameter_share": valued.parameter_share,
    }
    return build_like(table.rows.frame, _segments_and_all(table) | columns)


def _read_table(
    summary: Any,
    columns: Mapping[str, str],
    spec: ValuationSpec,
    *,
    customer: str,
    by: str | Sequence[str] | None,
) -> SegmentedCustomers:
    return read_segmented_customers(
        summary,
        columns,
        customer=customer,
        by=by,
        reserved=RESULT,
        unit=spec.purchases.unit,
        covariates={
            "histories": covariates_to_read(spec.purchases),
            "spend": covariates_to_read(spec.spend),
        },
    )


def _segments_and_all(table: SegmentedCustomers) -> dict[str, Any]:
    """Return the segment of each row, and whether it is the row for all customers.

    That is the last one, and has nulls for its segment, which alone would be those of a segment.
    """
    number = np.arange(table.n_segments)
    if not table.segments:
        return {"all_customers": np.ones(len(number), bool)}
    if len(number):
        number = np.append(number, -1)
    segments = segments_or_null(table.rows.frame, table.segments, number)
    return {**segments, "all_customers": number < 0}
