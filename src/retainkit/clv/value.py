"""Customer lifetime value: what customers will spend within a horizon, discounted to today."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import number, one_of, probability
from retainkit._frames import frame_like
from retainkit._intervals import normal_quantile, ratio
from retainkit.clv._durations import in_units, rate_per_unit
from retainkit.clv._tables import open_customers
from retainkit.clv.counting import fit_bg_nbd
from retainkit.clv.spend import fit_gamma_gamma
from retainkit.purchases import rfm_summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from narwhals.stable.v2.typing import IntoFrame
    from numpy.typing import NDArray

    from retainkit.clv._model import Model
    from retainkit.clv.counting import BGNBD
    from retainkit.clv.spend import GammaGamma

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["cltv", "cltv_from_models"]

Compounding = Literal["annual", "monthly", "continuous"]


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
    compounding: Compounding = "annual",
    margin: float = 1.0,
    confidence_level: float = 0.95,
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
    customer, frequency, recency, T, monetary_value : str
        The columns of `summary`.
    horizon : float or str, default "12 months"
        How far ahead: a number in the unit of `purchases`, or a duration such as ``"90D"``,
        ``"52W"`` or ``"12 months"``. A month is a twelfth of 365.2425 days.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means: 0.1 a year is a factor of 1.1, of (1 + 0.1 / 12)^12, or of
        e^0.1.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each customer, in the order of `summary` and of its kind, lazy where it is lazy:

        - the customer.
        - ``probability_alive`` (float): that the customer has not dropped out.
        - ``expected_purchases`` (float): within the horizon, not discounted.
        - ``expected_spend`` (float): at each purchase, in the unit of the amounts.
        - ``cltv`` (float): the value, in the unit of the amounts.
        - ``lower``, ``upper`` (float): its interval; NaN where a model has no covariance.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if a row cannot be a customer's, or if the expected spend
        is infinite.

    Notes
    -----
    The interval is that of the expectation: it covers what the models' parameters leave open, by
    the delta method on the logarithm, not how a single customer will differ from what is expected.

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
    one_of("compounding", compounding, ("annual", "monthly", "continuous"))
    margin = number("margin", margin, 0)
    z = normal_quantile(probability("confidence_level", confidence_level))
    t = in_units(horizon, purchases.unit)
    delta = rate_per_unit(discount_rate, purchases.unit, compounding)
    history = open_customers(summary, {"frequency": frequency, "recency": recency, "T": T})
    money = open_customers(summary, {"frequency": frequency, "monetary_value": monetary_value})

    spend.check_finite(money.distinct["frequency"], money.counts)
    counted = _purchases(purchases, history.distinct, t, delta)
    # Amounts are looked at in the frame itself: a lazy sum need not be the same twice.
    rows = history.joined(
        customer, counted, x=money.values["frequency"], m=money.values["monetary_value"]
    )
    expected, variance = _spend(spend)
    value = nw.col("discounted") * expected * margin
    factor = ((nw.col("variance") + variance).sqrt() * z).exp()
    columns: dict[str, str | nw.Expr] = {
        customer: "customer",
        "probability_alive": "probability_alive",
        "expected_purchases": "expected_purchases",
        "expected_spend": expected,
        "cltv": value,
        "lower": value / factor,
        "upper": value * factor,
    }
    return frame_like(rows, columns)


def cltv(
    transactions: IntoFrame,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    as_of: str | date | None = None,
    tz: str | None = None,
    amounts: Literal["raise", "net", "keep"] = "raise",
    missing: Literal["raise", "drop"] = "raise",
    horizon: float | str = "12 months",
    discount_rate: float = 0.1,
    compounding: Compounding = "annual",
    margin: float = 1.0,
    penalty: float = 0.0,
    confidence_level: float = 0.95,
) -> Any:
    """Value each customer by a log of orders: summary, both models and the value in one call.

    The same as `rfm_summary` in days, `fit_bg_nbd`, `fit_gamma_gamma` and `cltv_from_models` one
    after the other; what they warn of, this warns of.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    customer, time, amount : str
        Its columns: who, when, and for how much.
    as_of : str, date or datetime, optional
        Instant at which observation ends. Default: the midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which days are cut. Default: the column's own.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts, as in `rfm_summary`.
    missing : {"raise", "drop"}, default "raise"
        What to do with nulls, as in `rfm_summary`.
    horizon, discount_rate, compounding, margin, confidence_level
        As in `cltv_from_models`; a number as horizon is in days.
    penalty : float, default 0.0
        Penalty of the fits, as in `fit_bg_nbd`.

    Returns
    -------
    DataFrame
        As `cltv_from_models` gives it: a row for each customer.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if a column has nulls or negative amounts, if nobody has
        bought twice, or if the expected spend is infinite.

    Warns
    -----
    RetainkitWarning
        If rows are set aside, or a fit needs care; the message says what and how much.

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
    summary = rfm_summary(
        transactions,
        customer=customer,
        time=time,
        amount=amount,
        as_of=as_of,
        amounts=amounts,
        missing=missing,
        tz=tz,
    )
    return cltv_from_models(
        summary,
        fit_bg_nbd(summary, penalty=penalty, unit="day"),
        fit_gamma_gamma(summary, penalty=penalty),
        customer=customer,
        horizon=horizon,
        discount_rate=discount_rate,
        compounding=compounding,
        margin=margin,
        confidence_level=confidence_level,
    )


def _purchases(
    model: BGNBD, distinct: dict[str, Floats], t: float, delta: float
) -> dict[str, Floats]:
    """Score the distinct histories, with the variance of the logarithm of the discounted one."""
    from retainkit.clv import _bg_nbd  # noqa: PLC0415  SciPy is imported when it is needed

    history = distinct["frequency"], distinct["recency"], distinct["T"]

    def discounted(theta: Floats) -> Floats:
        return _bg_nbd.discounted_purchases(theta, delta, t, *history, model.SHIFT)

    theta = np.array([*model.parameters.values()])
    value, variance = _with_log_variance(discounted, theta, model)
    return {
        "probability_alive": _bg_nbd.probability_alive(theta, *history, model.SHIFT),
        "expected_purchases": _bg_nbd.expected_purchases(theta, t, *history, model.SHIFT),
        "discounted": value,
        "variance": variance,
    }


def _spend(model: GammaGamma) -> tuple[nw.Expr, nw.Expr]:
    """Give the expected spend by x and m, and the delta method's variance of its logarithm."""
    from retainkit.clv import _gamma_gamma  # noqa: PLC0415

    theta = [*model.parameters.values()]
    x, m = nw.col("x"), nw.col("m")
    slopes = _gamma_gamma.slopes(theta, x, m)
    relative = np.full((3, 3), np.nan)
    if model.covariance is not None:
        relative = np.array(model.covariance) / np.outer(theta, theta)
    terms = [slopes[i] * slopes[j] * float(relative[i, j]) for i in range(3) for j in range(3)]
    return _gamma_gamma.finite_spend(theta, x, m), reduce(add, terms)


def _with_log_variance(
    function: Callable[[Floats], Floats], theta: Floats, model: Model
) -> tuple[Floats, Floats]:
    """Evaluate a function of the parameters, and the delta method's variance of its logarithm."""
    value = function(theta)
    if model.covariance is None:
        return value, np.full_like(value, np.nan)
    step = 1e-4
    slopes = []
    for i in range(len(theta)):
        change = np.where(np.arange(len(theta)) == i, step, 0.0)
        rise = function(theta * np.exp(change)) - function(theta * np.exp(-change))
        slopes.append(np.where(value == 0, 0.0, ratio(rise, 2 * step * value)))
    jacobian = np.array(slopes)
    relative = np.array(model.covariance) / np.outer(theta, theta)
    variance: Floats = np.einsum("in,ij,jn->n", jacobian, relative, jacobian)
    return value, variance
