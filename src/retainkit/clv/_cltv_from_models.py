"""Customer lifetime value of a summary of purchases, by models that have been fitted before."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from retainkit._frames.input import from_native, is_polars
from retainkit._frames.output import select_to_native
from retainkit._inputs.kept import read_kept, with_text_key
from retainkit._messages import warn
from retainkit._progress import check_progress, steps_of
from retainkit.clv._assumptions import value_warnings
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._covariates import check_unseen
from retainkit.clv._given_models import check_models
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._spend import GammaGamma
from retainkit.clv._valuation import RESULT, ValuationOptions, valuation_spec, value_customers
from retainkit.purchases._spec import SUMMARY
from retainkit.typing import (
    Compounding,
    Infinite,
    IntervalMethod,
    IntoFrameT,
    Length,
    Progress,
    Unseen,
    ValuationMethod,
)


def cltv_from_models(
    summary: IntoFrameT,
    purchases: BGNBD | MBGNBD | ParetoNBD,
    spend: GammaGamma,
    *,
    customer: str = "customer_id",
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    monetary_value: str = "monetary_value",
    keep: bool | str | Sequence[str] = False,
    horizon: float | Length = "12 months",
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    method: ValuationMethod = "exact",
    infinite: Infinite = "raise",
    unseen: Unseen = "raise",
    confidence_level: float = 0.95,
    interval: IntervalMethod = "delta",
    predictive: bool = False,
    draws: int = 500,
    seed: int | None = None,
    progress: Progress | None = None,
) -> IntoFrameT:
    r"""Value each customer by a model of purchases and one of spend.

    >>> from retainkit import cltv_from_models, datasets, fit_bg_nbd, fit_gamma_gamma, rfm_summary
    >>> table = rfm_summary(datasets.load_cdnow(sample=True), amount="amount")
    >>> value = cltv_from_models(table, fit_bg_nbd(table), fit_gamma_gamma(table))
    >>> value[["customer_id", "expected_purchases", "cltv", "lower", "upper"]].head(3).round(2)
       customer_id  expected_purchases   cltv  lower  upper
    0            4                1.21  29.90  27.81  32.15
    1           18                0.15   5.11   4.68   5.59
    2           21                0.12   2.47   1.98   3.08

    With :math:`E[Y(t)]` the purchases that a customer is expected to make by the time :math:`t`
    from now, :math:`E[M]` the expected spend at each and :math:`\delta` the continuous discount
    rate, the value within the horizon :math:`H` is

    .. math:: \text{CLTV} = \text{margin} \cdot E[M] \int_0^H e^{-\delta t} \, dE[Y(t)].

    Every purchase is discounted from the moment at which it is expected, so the value does not
    depend on the unit of the summary, and a horizon of 1.5 months is 1.5 months.

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
    keep : bool, str or sequence of str, default False
        Columns of `summary` to give back between the customer and the result, as they are: a name
        or several, or True for all. None may be called like a column of the result.
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
    method : {"exact", "lifetimes"}, default "exact"
        ``"lifetimes"`` values as ``customer_lifetime_value`` of lifetimes does, for comparison: in
        whole months of 30 days or 4.345 weeks, each discounted from its end. Its discount rate of
        0.01 a month is ``discount_rate=0.12, compounding="monthly"`` here.
    infinite : {"raise", "median"}, default "raise"
        What to do where the expected spend of a customer is infinite, because spend has too heavy a
        tail (p x + q is 1 or less): raise, or take the median of the mean spend of every customer
        in its place.
    unseen : {"raise", "reference"}, default "raise"
        What to do, with covariates in a model, with a level that nobody of the fit had: raise, or
        take such customers for those of the reference.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    interval : {"delta", "bootstrap"}, default "delta"
        How to find what the parameters leave open: by the delta method on the logarithm of the
        value, from the models' covariance; or by fitting both models anew to customers drawn from
        `summary` with replacement, which must be the summary they were fitted to.
    predictive : bool, default False
        Whether the interval is one for the actual value of the customer, within which the
        single customer falls with `confidence_level`: futures are simulated under parameters drawn
        anew for each. Otherwise it is one for the expectation.
    draws : int, default 500
        Number of draws of the bootstrap, and of simulated futures.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result. It is needed
        where something is drawn.
    progress : callable, optional
        Shows how far the work is: it is called as ``progress(total=n)`` and gives something with
        ``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown. The steps
        are the fits of the bootstrap: with 500 draws the 2,357 customers of CDNOW take some ten
        seconds. Without it there are none, and it is not called.

    Returns
    -------
    DataFrame
        A row for each customer, in the order of `summary` and of its kind, lazy where it is lazy:

        - the customer, and the columns of `keep`.
        - ``probability_alive`` (float): that the customer has not dropped out.
        - ``expected_purchases`` (float): within the horizon, not discounted.
        - ``expected_spend`` (float): at each purchase, in the unit of the amounts.
        - ``cltv`` (float): the value, in the unit of the amounts.
        - ``lower``, ``upper`` (float): its interval; NaN where a model has no covariance, or not of
          all parameters.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if a row cannot be a customer's, if the models and
        `summary` count purchases in different units, if the expected spend is infinite, if `seed`
        is missing, or if the models were not fitted to the customers that the bootstrap draws from
        (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the first purchase seems to be counted in frequency, or customers were observed for more
        than twice as long as those that the model was fitted to. If there are no intervals, for
        want of a covariance; if the purchases look like payments of contracts, which these models
        are not about; or if spend goes with frequency, which the models take to be independent.

    See Also
    --------
    cltv : The same from orders, in one call.

    Notes
    -----
    Intervals of the expectation cover what the models' parameters leave open, not whether the
    models are right; `holdout_report` examines that. Simulated futures also draw parameters: from
    the normal distribution of their logarithms, in which those stand still of which the data know
    nothing, or with the bootstrap from the refits. Draws bring the customers of a lazy frame into
    memory; the result goes back to the engine.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    Without a discount the value is purchases times spend:

    >>> from retainkit import cltv_from_models, fit_bg_nbd, fit_gamma_gamma, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, amount="amount", as_of="1997-10-01")
    >>> purchases, spend = fit_bg_nbd(summary), fit_gamma_gamma(summary)
    >>> value = cltv_from_models(summary, purchases, spend, horizon="39W", discount_rate=0)
    >>> value[["expected_purchases", "expected_spend", "cltv", "lower", "upper"]].head(2).round(2)
       expected_purchases  expected_spend   cltv  lower  upper
    0                1.23           24.65  30.23  27.82  32.84
    1                0.20           35.17   6.91   6.23   7.67
    """
    options = ValuationOptions(
        horizon=horizon,
        discount_rate=discount_rate,
        margin=margin,
        compounding=compounding,
        method=method,
        infinite=infinite,
        confidence_level=confidence_level,
        interval=interval,
        predictive=predictive,
        draws=draws,
        seed=seed,
    )
    check_models(purchases, spend)
    check_unseen(unseen)
    columns = dict(zip(SUMMARY, (frequency, recency, T, monetary_value), strict=True))
    spec = valuation_spec(purchases, spend, options)
    check_progress(progress)
    kept = read_kept(summary, keep, customer, RESULT)
    frame = from_native(summary, "summary")
    # What is drawn is computed in memory; an engine but Polars does not get back what it gave.
    apart = bool(kept.exprs) and options.simulated and not is_polars(frame)
    beside = kept.exprs
    if apart:
        frame, key = with_text_key(frame, customer)
        beside = {key: nw.col(key)}
    with steps_of(progress if options.refits else None, draws) as step:
        table, *read = value_customers(
            frame, spec, customer, columns, beside=beside, step=step, unseen=unseen
        )
    for code, text in value_warnings(spec, *read):
        warn(text, code=code, argument="summary")
    if apart:
        table = kept.join(frame, table, customer, key)
    names = (customer, *kept.exprs, *RESULT)
    return kept.complete(select_to_native(table, {name: name for name in names}))
