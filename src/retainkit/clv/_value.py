"""Customer lifetime value: what customers will spend within a horizon, discounted to today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw

from retainkit._checks import number
from retainkit._frames.input import collect, from_native
from retainkit._frames.output import select_to_native
from retainkit._inputs.customers import read_customers, repeat_buyers
from retainkit._messages import warn
from retainkit._models.model import model_from_fit
from retainkit._models.purchase_fits import fit_purchases, fit_spend
from retainkit._stats.correlation import pearson
from retainkit.clv._purchase_fits import BGNBD
from retainkit.clv._purchase_model import history
from retainkit.clv._spend import GammaGamma
from retainkit.clv._valuation import RESULT, valuation_spec, value_customers
from retainkit.errors import ArgumentError
from retainkit.purchases._summary import rfm_summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from narwhals.stable.v2.typing import IntoFrame

    from retainkit._frames.input import Frame
    from retainkit._inputs.customers import Customers
    from retainkit.clv._valuation import Compounding, Infinite, Interval, Method, ValuationSpec

_SLIGHT = 0.1  # correlation of spend and frequency that is no cause for concern


def cltv_from_models(
    summary: IntoFrame,
    purchases: BGNBD,
    spend: GammaGamma,
    *,
    customer: str = "customer_id",
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    monetary_value: str = "monetary_value",
    horizon: float | str = "12 months",
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    method: Method = "exact",
    infinite: Infinite = "raise",
    confidence_level: float = 0.95,
    interval: Interval = "delta",
    predictive: bool = False,
    draws: int = 500,
    seed: int | None = None,
) -> Any:
    r"""Value each customer by a model of purchases and one of spend.

    With :math:`E[Y(t)]` the purchases that a customer is expected to make by the time :math:`t`
    from now, :math:`E[M]` the expected spend at each and :math:`\delta` the continuous discount
    rate, the value within the horizon :math:`H` is

    .. math:: \text{CLTV} = \text{margin} \cdot E[M] \int_0^H e^{-\delta t} \, dE[Y(t)].

    Every purchase is discounted from the moment at which it is expected, so the value does not
    depend on the unit of the summary, and a horizon of 1.5 months is 1.5 months.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it, in the unit of `purchases`.
    purchases : BGNBD or MBGNBD
        Model of the purchases.
    spend : GammaGamma
        Model of the spend.
    customer : str, default "customer_id"
        Column of `summary` that identifies the customer.
    frequency : str, default "frequency"
        Column of the repeat purchases, whole numbers.
    recency : str, default "recency"
        Column of the time from the first purchase to the last, in the unit of `purchases`.
    T : str, default "T"
        Column of the time observed since the first purchase, in the unit of `purchases`.
    monetary_value : str, default "monetary_value"
        Column of the mean amount of the repeat purchases.
    horizon : float or str, default "12 months"
        How far ahead: a number in the unit of `purchases`, or a duration such as ``"90D"``,
        ``"52W"`` or ``"12 months"``. A month is a twelfth of 365.2425 days.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means: 0.1 a year is a factor of 1.1, of (1 + 0.1 / 12)^12, or of
        e^0.1.
    method : {"exact", "lifetimes"}, default "exact"
        ``"lifetimes"`` values as `customer_lifetime_value` of lifetimes does, for comparison: in
        whole months of 30 days or 4.345 weeks, each discounted from its end. Its discount rate of
        0.01 a month is ``discount_rate=0.12, compounding="monthly"`` here.
    infinite : {"raise", "median"}, default "raise"
        What to do where the expected spend of a customer is infinite, because spend has too heavy a
        tail (p x + q is 1 or less): raise, or take the median of the mean spend of every customer
        in its place.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    interval : {"delta", "bootstrap"}, default "delta"
        How to find what the parameters leave open: by the delta method on the logarithm of the
        value, from the models' covariance; or by fitting both models anew to customers drawn from
        `summary` with replacement, which must be the summary they were fitted to.
    predictive : bool, default False
        Whether the interval is one for what the customer will really be worth, within which the
        single customer falls with `confidence_level`: futures are simulated under parameters drawn
        anew for each. Otherwise it is one for the expectation.
    draws : int, default 500
        Number of draws of the bootstrap and of simulated futures.
    seed : int, optional
        Seed of the random numbers, needed where something is drawn.

    Returns
    -------
    DataFrame
        A row for each customer, in the order of `summary` and of its kind, lazy where it is lazy:

        - the customer.
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
        If an argument has a wrong value, if a row cannot be a customer's, if the expected spend is
        infinite, if `seed` is missing, or if the models were not fitted to the customers that the
        bootstrap draws from (a `ValueError`).

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
    >>> import pandas as pd
    >>> from retainkit import BGNBD, GammaGamma, cltv_from_models
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]}
    ... ).assign(monetary_value=22.35)
    >>> purchases = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> spend = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> value = cltv_from_models(summary, purchases, spend, horizon="39W", discount_rate=0)
    >>> value[["expected_purchases", "expected_spend", "cltv"]].round(2)
       expected_purchases  expected_spend   cltv
    0                1.23           24.66  30.24
    """
    task = valuation_spec(
        purchases,
        spend,
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
    columns = (frequency, recency, T, monetary_value)
    table = value_customers(from_native(summary, "summary"), task, customer, columns)
    return select_to_native(table, {customer: customer, **{name: name for name in RESULT}})


def cltv(
    transactions: IntoFrame,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    amounts: Literal["raise", "net", "keep"] = "raise",
    missing: Literal["raise", "drop"] = "raise",
    penalty: float = 0.0,
    horizon: float | str = "12 months",
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    method: Method = "exact",
    infinite: Infinite = "raise",
    confidence_level: float = 0.95,
    interval: Interval = "delta",
    predictive: bool = False,
    draws: int = 500,
    seed: int | None = None,
) -> Any:
    r"""Value each customer by a log of orders: summary, both models and the value in one call.

    The same as `rfm_summary` in days, `fit_bg_nbd`, `fit_gamma_gamma` and `cltv_from_models` one
    after the other, with the value

    .. math:: \text{CLTV} = \text{margin} \cdot E[M] \int_0^H e^{-\delta t} \, dE[Y(t)]

    of what a customer is expected to spend within the horizon :math:`H`, discounted to today.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    customer : str, default "customer_id"
        Column that identifies the customer.
    time : str, default "time"
        Column of dates or datetimes: when the order was made.
    amount : str, default "amount"
        Column of money, in its own unit.
    by : str or sequence of str, optional
        Columns of segments, one value throughout for each customer. Both models are fitted for each
        segment by itself, so it takes some hundred customers.
    as_of : str, date or datetime, optional
        Instant at which observation ends. Default: the midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which days are cut. Default: the column's own.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts, as in `rfm_summary`.
    missing : {"raise", "drop"}, default "raise"
        What to do with nulls, as in `rfm_summary`.
    penalty : float, default 0.0
        Penalty of the fits, as in `fit_bg_nbd`.
    horizon : float or str, default "12 months"
        How far ahead: a number of days, or a duration as in `cltv_from_models`.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means, as in `cltv_from_models`.
    method : {"exact", "lifetimes"}, default "exact"
        How to value, as in `cltv_from_models`.
    infinite : {"raise", "median"}, default "raise"
        What to do where the expected spend is infinite, as in `cltv_from_models`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    interval : {"delta", "bootstrap"}, default "delta"
        How to find what the parameters leave open, as in `cltv_from_models`.
    predictive : bool, default False
        Whether the interval is one for what the customer will really be worth.
    draws : int, default 500
        Number of draws of the bootstrap and of simulated futures.
    seed : int, optional
        Seed of the random numbers, needed where something is drawn.

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
        If rows are set aside, if a fit needs care, if spend goes with frequency, which the models
        take to be independent, or if the horizon reaches further than any customer has been
        observed. The message says what, how much and in which segment.

    See Also
    --------
    cltv_from_models : The same from models, which can be looked at first.
    holdout_report : Whether to believe it.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    >>> from retainkit import cltv
    >>> from retainkit.datasets import load_cdnow
    >>> value = cltv(load_cdnow(sample=True), horizon="12 months")
    >>> list(value)[:4], len(value)
    (['customer_id', 'probability_alive', 'expected_purchases', 'expected_spend'], 2357)
    """
    penalty = number("penalty", penalty, 0)
    options: dict[str, Any] = {
        "horizon": horizon,
        "discount_rate": discount_rate,
        "margin": margin,
        "compounding": compounding,
        "method": method,
        "infinite": infinite,
        "confidence_level": confidence_level,
        "interval": interval,
        "predictive": predictive,
        "draws": draws,
        "seed": seed,
    }
    summary = from_native(
        rfm_summary(
            transactions,
            customer=customer,
            time=time,
            amount=amount,
            by=by,
            as_of=as_of,
            amounts=amounts,
            missing=missing,
            tz=tz,
        ),
        "transactions",
    )
    names = summary.collect_schema().names()
    segments = names[: names.index(customer)]
    _check_names([*segments, customer])
    parts = []
    for label, part in _parts(summary, segments):
        table, told = _valued_segment(part, label, [*segments, customer], penalty, options)
        parts.append(table)
        for text in told:
            warn(f"{label}{text}")
    columns = [*segments, customer, *RESULT]
    return select_to_native(nw.concat(parts), {name: name for name in columns})  # type: ignore[type-var]


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in RESULT:
            raise ArgumentError(
                f"`customer` or `by` names the column {name!r}, which is also the name of a column "
                "of the result; rename it first."
            )


def _parts(summary: Frame, segments: Sequence[str]) -> list[tuple[str, Frame]]:
    """Split a summary by its segments, in ascending order, each with what to call it."""
    if not segments:
        return [("", summary)]
    distinct = collect(summary.select(*segments).unique().sort(*segments, nulls_last=True))
    parts = []
    for values in distinct.iter_rows():
        part = summary
        for name, value in zip(segments, values, strict=True):
            own = nw.col(name)
            part = part.filter(own.is_null() if value is None else own == value)
        label = ", ".join(f"{name} {value}" for name, value in zip(segments, values, strict=True))
        parts.append((f"{label}: ", part))
    return parts or [("", summary)]


def _valued_segment(
    summary: Frame, label: str, names: Sequence[str], penalty: float, options: dict[str, Any]
) -> tuple[Frame, list[str]]:
    """Fit both models to a segment, value its customers, and give what there is to say of it."""
    *segments, customer = names
    columns = ("frequency", "recency", "T", "monetary_value")
    counted = read_customers(summary, {name: name for name in columns[:3]})
    if not counted.counts.sum():  # nothing to learn from, and nobody to value
        models = BGNBD(r=1, alpha=1, a=1, b=1), GammaGamma(p=1, q=2, v=1)
        task = valuation_spec(*models, **options)
        return value_customers(summary, task, customer, columns, by=segments), []
    spent = read_customers(summary, {name: name for name in (columns[0], columns[3])})
    try:
        purchases, spend, told = _models(counted, spent, penalty)
        task = valuation_spec(purchases, spend, **options)
        table = value_customers(
            summary, task, customer, columns, by=segments, opened=(counted, spent)
        )
    except ArgumentError as error:
        raise ArgumentError(f"{label}{error}") from None
    return table, [*told, *_assumption_warnings(task, counted, spent)]


def _models(
    counted: Customers, spent: Customers, penalty: float
) -> tuple[BGNBD, GammaGamma, list[str]]:
    """Fit both models, and give what is to be said of them."""
    used, left_out = repeat_buyers(spent)
    counting = fit_purchases(*history(counted), counted.counts, BGNBD.SHIFT, penalty)
    x, m = spent.distinct["frequency"][used], spent.distinct["monetary_value"][used]
    spending = fit_spend(x, m, spent.counts[used], penalty)
    purchases, spend = (
        model_from_fit(BGNBD, counting, unit="day"),
        model_from_fit(GammaGamma, spending),
    )
    return purchases, spend, [*counting.warnings, *left_out, *spending.warnings]


def _assumption_warnings(task: ValuationSpec, counted: Customers, spent: Customers) -> list[str]:
    """Say what an expert would ask about."""
    longest = float(counted.distinct["T"].max())
    texts = []
    if task.horizon.length > longest:
        texts.append(
            f"The horizon is {task.horizon.length:,.0f} days, and no customer has been observed "
            f"for longer than {longest:,.0f}: the value extrapolates."
        )
    used, _ = repeat_buyers(spent)
    x, m = spent.distinct["frequency"][used], spent.distinct["monetary_value"][used]
    found = pearson(x, m, spent.counts[used], 0.95)
    if found.lower > _SLIGHT or found.upper < -_SLIGHT:
        texts.append(
            f"Spend goes with frequency (correlation {found.estimate:.2f}); the models take them "
            "to be independent: values of frequent buyers are biased. `spend_independence` tells "
            "more."
        )
    return texts
