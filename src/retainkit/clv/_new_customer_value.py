"""The value of new customers, what it costs to win them, and when that is paid back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import fraction, is_list, number, one_of, probability
from retainkit._frames.input import collect, from_native
from retainkit._frames.output import build_like
from retainkit._messages import quoted
from retainkit._models.estimates import Estimates, estimates_of
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._stats.intervals import normal_quantile
from retainkit._time.durations import in_units
from retainkit._time.periods import DAYS_IN, PERIODS
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._covariates import covariates_of_profile, known_covariates
from retainkit.clv._discounting import rate_per_unit
from retainkit.clv._given_models import check_models
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._prospects import Prospect, Shopper, Subscriber, valued
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma
from retainkit.errors import ArgumentError
from retainkit.projection import BDW, SBG
from retainkit.typing import Compounding, IntoFrame, Length, Period

_Row = tuple[Mapping[str, Any], tuple[Prospect, Estimates]]
_COLUMNS = ("horizon", "expected_purchases", "discounted_purchases", "expected_spend", "value")
_OF_COST = ("ltv_cac", "ltv_cac_lower", "ltv_cac_upper", "payback_days")


def new_customer_value(
    purchases: BGNBD | MBGNBD | ParetoNBD | SBG | BDW,
    spend: GammaGamma | float,
    *,
    horizon: float | Length | Sequence[float | Length] = "12 months",
    profiles: IntoFrame | None = None,
    first: float | str | None = "expected",
    cost: float | None = None,
    discount_rate: float = 0.1,
    margin: float = 1.0,
    compounding: Compounding = "annual",
    period: Period | None = None,
    confidence_level: float = 0.95,
) -> Any:
    r"""Value of a new customer, whom nobody has seen yet, within a horizon.

    >>> from retainkit import BGNBD, GammaGamma, new_customer_value
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> value = new_customer_value(model, GammaGamma(p=6.25, q=3.74, v=15.44), cost=60)
    >>> value[["horizon", "expected_purchases", "value", "ltv_cac", "payback_days"]].round(2)
         horizon  expected_purchases  value  ltv_cac  payback_days
    0  12 months                1.45  84.31     1.41        132.46

    With :math:`E[X(t)]` the repeat purchases that a new customer is expected to make by the time
    :math:`t`, :math:`E[M]` the expected spend at each and :math:`\delta` the continuous discount
    rate, the value within the horizon :math:`H` is

    .. math:: \text{margin} \left(F + E[M] \int_0^H e^{-\delta t} \, dE[X(t)]\right)

    with the amount :math:`F` of the first order, which is at time 0. It is what a bid for a
    customer may not exceed. Of subscribers it is the price times the expected payments, each
    discounted, of whom the first is at time 0.

    Parameters
    ----------
    purchases : BGNBD, MBGNBD, ParetoNBD, SBG or BDW
        Model of the purchases, or of how long subscribers stay.
    spend : GammaGamma or float
        Model of the spend. Of subscribers it is the price of a period, above 0.
    horizon : float, str, timedelta or a sequence of these, default "12 months"
        How far ahead: a number in the unit of `purchases`, or a length of time such as ``"90D"``,
        ``"52 weeks"`` or ``"12 months"``. Several give several rows.
    profiles : IntoFrame, optional
        Of models with covariates, one row a kind of customer: the columns are covariates. One that
        is not there is that of the reference. Default: one row, the reference.
    first : float or str, default "expected"
        The order that makes the customer: of this amount, or None, so that the value is that of the
        repeat purchases alone. By default it is at the expected spend.
    cost : float, optional
        What it costs to acquire a customer, above 0. Default: not known.
    discount_rate : float, default 0.1
        Annual discount rate, as a fraction.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    compounding : {"annual", "monthly", "continuous"}, default "annual"
        What `discount_rate` means: 0.1 a year is a factor of 1.1, of (1 + 0.1 / 12)^12, or of
        e^0.1.
    period : str, optional
        What a period of a model of subscribers is: ``"day"``, ``"week"``, ``"month"``,
        ``"quarter"`` or ``"year"``. Default: the unit of the model, if it knows it.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each profile and horizon, of the kind of `profiles`; pandas without any.

        - the columns of `profiles`.
        - ``horizon`` (str): as it was given.
        - ``expected_purchases`` (float): repeat purchases, not discounted; of subscribers the
          payments, the first one counted.
        - ``discounted_purchases`` (float): the same, discounted to time 0.
        - ``expected_spend`` (float): at each purchase, in the unit of the amounts.
        - ``value``, ``lower``, ``upper`` (float): the value times `margin`, and the interval that
          the parameters leave open; NaN where a model has no covariance.
        - with `cost`, ``ltv_cac``, ``ltv_cac_lower``, ``ltv_cac_upper`` (float): value over cost.
        - with `cost`, ``payback_days`` (float): the time by which the expected value reaches the
          cost; 0 where the first order pays for it, NaN where it does not within the horizon.

    Raises
    ------
    MissingColumnError
        If a column of `profiles` is no covariate of a model (a `KeyError`).
    ArgumentTypeError
        If an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if the models count purchases in different units, if the
        expected spend is infinite, or if a profile has a level that the models do not know (a
        `ValueError`).

    See Also
    --------
    payback : The same of customers who have come, observed and not expected.
    cltv_from_models : The value from now on of customers who are known.

    Notes
    -----
    The interval is by the delta method on the logarithm of the value, over the parameters of both
    models. A single customer may bring nothing more, or many times the value: it is a mean.

    Examples
    --------
    Without the first order, as the repeat purchases alone:

    >>> from retainkit import BGNBD, GammaGamma, new_customer_value
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> spend = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> alone = new_customer_value(model, spend, horizon="52 weeks", first=None)
    >>> alone["value"].round(2).tolist()
    [48.99]

    Subscribers at 20 a month, of whom a tenth leave in the first month:

    >>> from retainkit import SBG
    >>> monthly = SBG(alpha=1, beta=9, unit="month")
    >>> year = new_customer_value(monthly, 20.0, horizon="12 months", discount_rate=0, cost=100)
    >>> year[["expected_purchases", "value", "payback_days"]].round(1)
       expected_purchases  value  payback_days
    0                 7.9  158.4         182.6
    """
    options = _Options(
        horizons=_horizons(horizon),
        rate=fraction("discount_rate", discount_rate),
        margin=fraction("margin", margin),
        compounding=one_of("compounding", compounding, get_args(Compounding)),
        z=normal_quantile(probability("confidence_level", confidence_level)),
        cost=None if cost is None else _above_0("cost", cost),
    )
    given: nw.DataFrame[Any] | None = None
    if isinstance(purchases, (SBG, BDW)):
        unit = _period_of(purchases, period)
        _check_subscribers(first, profiles)
        subscriber = Subscriber(price=_above_0("spend", spend), rate=options.rate_per(unit))
        rows: list[_Row] = [({}, (subscriber, estimates_of(purchases)))]
    else:
        unit, money = _check_shoppers(purchases, spend, period)
        given, found = _profiles(purchases, money, profiles)
        rows = [(one, _shopper(purchases, money, one, first, options)) for one in found]
    table: list[dict[str, Any]] = [
        {**profile, **options.row(prospect, estimates, unit, one)}
        for profile, (prospect, estimates) in rows
        for one in options.horizons
    ]
    names = [*(rows[0][0] if rows else ()), *_COLUMNS, "lower", "upper"]
    names += _OF_COST if cost is not None else ()
    columns = {name: np.array([row[name] for row in table]) for name in names}
    if given is not None:
        return build_like(given, columns)
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The options that all rows share."""

    horizons: list[Any]
    rate: float
    margin: float
    compounding: Compounding
    z: float
    cost: float | None

    def rate_per(self, unit: Period) -> float:
        """Return the continuous discount rate for each unit of time."""
        return rate_per_unit(self.rate, unit, self.compounding)

    def row(
        self, prospect: Prospect, estimates: Estimates, unit: Period, horizon: Any
    ) -> dict[str, Any]:
        """Return the row of a prospect and a horizon."""
        t = in_units("horizon", horizon, unit)
        expected, variance = valued(prospect, estimates, t)
        value, factor = expected.value * self.margin, np.exp(self.z * np.sqrt(variance))
        numbers = (str(horizon), expected.purchases, expected.discounted, expected.spend, value)
        row = dict(zip(_COLUMNS, numbers, strict=True))
        row |= {"lower": value / factor, "upper": value * factor}
        if self.cost is None:
            return row
        ratios = (one / self.cost for one in (value, value / factor, value * factor))
        wanted = self.cost / self.margin if self.margin > 0 else np.inf
        time = prospect.time_of_payback(estimates.point, t, wanted)
        return row | dict(zip(_OF_COST, (*ratios, time * DAYS_IN[unit]), strict=True))


# Shoppers


def _check_shoppers(purchases: Any, spend: Any, period: Period | None) -> tuple[Period, GammaGamma]:
    """Check the models of purchases and of spend; return the unit, and the latter."""
    if period is not None:
        raise ArgumentError(
            "`period` is of models of subscribers; one of purchases knows its unit. Leave it out.",
            code="argument_conflict",
            argument="period",
        )
    check_models(purchases, spend)
    if spend.q <= 1:
        raise ArgumentError(
            f"q of `spend` is {spend.q:g}, not above 1: the expected spend of a new customer is "
            "infinite. Look at the largest amounts, and fit `spend` anew.",
            code="infinite_mean",
            argument="spend",
        )
    return purchases.unit, spend


def _profiles(
    purchases: PurchaseModel, spend: GammaGamma, profiles: Any
) -> tuple[nw.DataFrame[Any] | None, list[dict[str, Any]]]:
    """Return the frame of profiles, and each as a mapping of covariates."""
    if profiles is None:
        return None, [{}]
    frame = collect(from_native(profiles, "profiles"))
    known = {**known_covariates(purchases), **known_covariates(spend)}
    strange = [name for name in frame.columns if name not in known]
    if strange:
        others = f"they know {', '.join(map(repr, known))}" if known else "they know none"
        raise ArgumentError(
            f"`profiles` has the column {quoted(strange[0])}, which is no covariate of the models; "
            f"{others}.",
            code="unknown_covariate",
            argument="profiles",
            column=strange[0],
        )
    columns = {name: frame[name].to_list() for name in frame.columns}
    return frame, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values())]  # noqa: B905


def _shopper(
    purchases: PurchaseModel,
    spend: GammaGamma,
    profile: Mapping[str, Any],
    first: Any,
    options: _Options,
) -> tuple[Prospect, Estimates]:
    """Return a new customer of a profile, and the estimates of both models as one."""
    parts = []
    for model in (purchases, spend):
        own = {name: profile[name] for name in known_covariates(model) if name in profile}
        parts.append(covariates_of_profile(model, own))
    nobody = SpendForecasts(x=np.zeros(1), m=np.zeros(1), covariates=parts[1])
    amount: float | None = None
    if first is None:
        amount = 0.0
    elif first != "expected":
        amount = number("first", first, 0)
    several = (estimates_of(purchases), estimates_of(spend))
    rate = options.rate_per(purchases.unit)
    shopper = Shopper(
        process=purchases.PROCESS,
        covariates=parts[0],
        spend=nobody,
        n_purchases=len(several[0].point),
        rate=rate,
        first=amount,
    )
    return shopper, several[0].beside(several[1])


# Subscribers


def _check_subscribers(first: Any, profiles: Any) -> None:
    if first != "expected" or profiles is not None:
        argument = "profiles" if profiles is not None else "first"
        raise ArgumentError(
            f"`{argument}` is of models of purchases: a subscriber begins with a payment, and "
            "models of retention have no covariates. Leave it out.",
            code="argument_conflict",
            argument=argument,
        )


def _period_of(model: SBG | BDW, period: Any) -> Period:
    if period is not None:
        found: Period = one_of("period", period, PERIODS[1:])
        return found
    if model.unit is None:
        raise ArgumentError(
            "`period` is not given, and the model does not know what its periods are: say it, such "
            "as period='month'.",
            code="argument_needed",
            argument="period",
        )
    return model.unit


# Arguments


def _horizons(horizon: Any) -> list[Any]:
    several = [*horizon] if is_list(horizon) else [horizon]
    if not several:
        raise ArgumentError(
            "`horizon` is empty; give a length of time, or several.",
            code="argument_value",
            argument="horizon",
        )
    return several


def _above_0(name: str, value: Any) -> float:
    found = number(name, value, 0)
    if not found:
        raise ArgumentError(
            f"`{name}` is 0; it must be above 0.", code="argument_value", argument=name
        )
    return found
