"""Customer lifetime value of a log of orders: summary, fits of both models, and values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import narwhals.stable.v2 as nw

from retainkit._checks import number
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.names import inner_name
from retainkit._frames.output import select_to_native
from retainkit._frames.segments import split_by_segment
from retainkit._inputs.columns import check_not_reserved
from retainkit._progress import check_progress
from retainkit._time.durations import in_units
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._cltv_segments import fit_each, given_for_each, read_segment, value_segments
from retainkit.clv._given_models import read_given_models
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._spend import GammaGamma
from retainkit.clv._valuation import RESULT, ValuationOptions
from retainkit.purchases._reduction import summarize_orders
from retainkit.purchases._spec import SummaryOptions
from retainkit.typing import (
    Amounts,
    Compounding,
    Infinite,
    IntervalMethod,
    IntoFrameT,
    Length,
    Missing,
    Progress,
    ValuationMethod,
)


def cltv(
    transactions: IntoFrameT,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    amounts: Amounts = "raise",
    missing: Missing = "raise",
    purchases: BGNBD | MBGNBD | ParetoNBD | None = None,
    spend: GammaGamma | None = None,
    penalty: float = 0.0,
    horizon: Length = "12 months",
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    method: ValuationMethod = "exact",
    infinite: Infinite = "raise",
    confidence_level: float = 0.95,
    interval: IntervalMethod = "delta",
    predictive: bool = False,
    draws: int = 500,
    seed: int | None = None,
    progress: Progress | None = None,
) -> IntoFrameT:
    r"""Value each customer by a log of orders: summary, both models and the value in one call.

    >>> from retainkit import cltv, datasets
    >>> table = cltv(datasets.load_cdnow(sample=True), horizon="12 months")
    >>> table[["customer_id", "expected_purchases", "cltv", "lower", "upper"]].head(3).round(2)
       customer_id  expected_purchases   cltv  lower  upper
    0            4                1.21  29.90  27.81  32.15
    1           18                0.15   5.11   4.68   5.59
    2           21                0.12   2.47   1.98   3.08

    The same as `rfm_summary` in days, `fit_bg_nbd`, `fit_gamma_gamma` and `cltv_from_models` one
    after the other; with models of yesterday only the summary is made, in their unit. The value is

    .. math:: \text{CLTV} = \text{margin} \cdot E[M] \int_0^H e^{-\delta t} \, dE[Y(t)]

    of what a customer is expected to spend within the horizon :math:`H`, discounted to today.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone: when the order was made.
    amount : str, default "amount"
        Column of money, in its own unit.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each customer has one value throughout.
        Both models are fitted for each segment by itself, so it takes some hundred customers.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and customers left without any are counted in a warning. ``"keep"``: take them as they are.
        An amount, or a net, of zero is a purchase.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    purchases : BGNBD, MBGNBD or ParetoNBD, optional
        Model of purchases, fitted before: one for all segments. The summary is made in its unit,
        with orders merged as they were in its data; by the day where it does not know. Default: it
        is fitted.
    spend : GammaGamma, optional
        Model of the spend, fitted before. Give it together with `purchases`, or neither.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few, in both fits: this times the
        sum of the squares of log r, log(alpha / mean T), log(a / b) and log(a + b), or of log p,
        log q and log(v / mean amount), is taken from the mean log-likelihood.
    horizon : str or timedelta, default "12 months"
        How far ahead, with its unit: ``"90D"``, ``"52 weeks"`` or ``"12 months"``. A month is a
        twelfth of 365.2425 days. A bare number is refused: it does not say of what.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means: 0.1 a year is a factor of 1.1, of (1 + 0.1 / 12)^12, or of
        e^0.1.
    method : {"exact", "lifetimes"}, default "exact"
        ``"lifetimes"`` values as ``customer_lifetime_value`` of lifetimes does, for comparison: in
        whole months of 30 days, each discounted from its end.
    infinite : {"raise", "median"}, default "raise"
        What to do where the expected spend of a customer is infinite, because spend has too heavy a
        tail (p x + q is 1 or less): raise, or take the median of the mean spend of every customer
        in its place.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    interval : {"delta", "bootstrap"}, default "delta"
        How to find what the parameters leave open: by the delta method on the logarithm of the
        value, from the models' covariance; or by fitting both models anew to customers drawn with
        replacement.
    predictive : bool, default False
        Whether the interval is one for the actual value of the customer.
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
        A row for each customer, as of `rfm_summary`: a new frame of the same kind as
        `transactions`, lazy where it is lazy.

        - the columns of `by`, and that of the customer under its own name.
        - ``probability_alive`` (float): that the customer has not dropped out.
        - ``expected_purchases`` (float): within the horizon, not discounted.
        - ``expected_spend`` (float): at each purchase, in the unit of the amounts.
        - ``cltv`` (float): the value, in the unit of the amounts.
        - ``lower``, ``upper`` (float): its interval, as of `cltv_from_models`.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if a column has nulls or negative amounts, if nobody has
        bought twice, or if the expected spend is infinite (a `ValueError`). The message says in
        which segment.

    Warns
    -----
    RetainkitWarning
        If rows are set aside, if a fit needs care, if the orders look like payments of contracts,
        which these models are not about, if spend goes with frequency, which the models take to be
        independent, or if the horizon reaches further than any customer has been observed. If
        models that are given seem to have learnt from later data, or customers were observed for
        more than twice as long as those that they were fitted to. The message says what, how much
        and in which segment.

    See Also
    --------
    cltv_from_models : The same from models, which can be looked at first.
    fit_sbg : The model of customers with contracts.
    holdout_report : Whether to believe it.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    Three months ahead, of whose revenue 30 % are kept:

    >>> from retainkit import cltv
    >>> from retainkit.datasets import load_cdnow
    >>> value = cltv(load_cdnow(sample=True), horizon="3 months", margin=0.3)
    >>> value[["expected_purchases", "cltv"]].sum().round(1).to_dict()
    {'expected_purchases': 540.6, 'cltv': 5875.5}
    """
    penalty = number("penalty", penalty, 0)
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
    in_units("horizon", horizon, "day", bare=None)
    options.validate()
    check_progress(progress)
    models = read_given_models(purchases, spend, options, penalty)
    orders = SummaryOptions(
        customer=customer,
        time=time,
        amount=amount,
        by=by,
        as_of=as_of,
        amounts=amounts,
        missing=missing,
        tz=tz,
    )
    summary = summarize_orders(transactions, models.summary_options(orders) if models else orders)
    keys = [*summary.segments, customer]
    check_not_reserved("`customer` or `by`", keys, RESULT)
    segments = [inner_name(summary.frame, name) for name in summary.segments]
    parts = split_by_segment(summary.frame, segments, summary.segments)
    several = [read_segment(part, label) for label, part in parts]
    pairs = given_for_each(models, several) if models else fit_each(several, penalty)
    tables = value_segments(several, pairs, keys, options, progress)
    if models:
        models.warn_of_earlier(max(one.longest for one in several))
    columns = {name: name for name in (*keys, *RESULT)}
    return as_given(select_to_native(nw.concat(tables), columns), transactions)  # type: ignore[type-var]
