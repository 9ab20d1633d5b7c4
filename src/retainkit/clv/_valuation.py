"""Values of customers: what is asked, the scores of distinct customers, and their columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import boolean, integer, number, one_of, probability
from retainkit._frames.input import check_present, collect
from retainkit._frames.join import return_to_engine
from retainkit._inputs.customers import check_finite, read_customers
from retainkit._messages import count_noun
from retainkit._models import bg_nbd, gamma_gamma
from retainkit._models.model import covariance_of, parameter_array
from retainkit._stats.intervals import normal_quantile
from retainkit._time.durations import in_units
from retainkit.clv import _draws
from retainkit.clv._discounting import Horizon, log_variance, rate_per_unit
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retainkit._frames.input import Frame
    from retainkit._inputs.customers import Customers
    from retainkit._models.model import Model
    from retainkit._time.periods import Period
    from retainkit._typing import Floats
    from retainkit.clv._purchase_model import PurchaseModel
    from retainkit.clv._spend import GammaGamma


Compounding = Literal["annual", "monthly", "continuous"]
Method = Literal["exact", "lifetimes"]
Interval = Literal["delta", "bootstrap"]
Infinite = Literal["raise", "median"]

RESULT = ("probability_alive", "expected_purchases", "expected_spend", "cltv", "lower", "upper")

# What lifetimes takes for a month, by the unit of the model.
_MONTH: dict[Period, float] = {"day": 30.0, "week": 4.345, "month": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuationSpec:
    """What is asked of a valuation, its arguments checked."""

    purchases: PurchaseModel
    spend: GammaGamma
    horizon: Horizon
    margin: float
    confidence_level: float
    interval: Interval
    predictive: bool
    draws: int
    seed: int | None
    infinite: Infinite

    @property
    def by_draws(self) -> bool:
        return self.predictive or self.interval == "bootstrap"


def valuation_spec(
    purchases: PurchaseModel,
    spend: GammaGamma,
    *,
    horizon: float | str,
    discount_rate: float,
    compounding: Compounding,
    method: Method,
    margin: float,
    **options: Any,
) -> ValuationSpec:
    one_of("compounding", compounding, ("annual", "monthly", "continuous"))
    one_of("method", method, ("exact", "lifetimes"))
    one_of("interval", options["interval"], ("delta", "bootstrap"))
    one_of("infinite", options["infinite"], ("raise", "median"))
    boolean("predictive", options["predictive"])
    integer("draws", options["draws"], 2)
    probability("confidence_level", options["confidence_level"])
    task = ValuationSpec(
        purchases=purchases,
        spend=spend,
        horizon=_horizon(purchases.unit, horizon, discount_rate, compounding, method),
        margin=number("margin", margin, 0),
        **options,
    )
    if task.by_draws and task.seed is None:
        asked = "predictive=True" if task.predictive else "interval='bootstrap'"
        raise ArgumentError(f"{asked} draws at random: give a `seed`, any whole number.")
    if task.seed is not None:
        integer("seed", task.seed, 0)
    return task


def _horizon(
    unit: Period, ahead: float | str, rate: float, compounding: Compounding, method: Method
) -> Horizon:
    length = in_units("horizon", ahead, unit)
    if method == "exact":
        return Horizon(length=length, rate=rate_per_unit(rate, unit, compounding))
    if unit not in _MONTH:
        raise ArgumentError(
            f"method='lifetimes' knows {', '.join(_MONTH)}, and the model's unit is {unit}; "
            "method='exact' takes every unit."
        )
    step = _MONTH[unit]
    months = in_units("horizon", ahead, "month") if isinstance(ahead, str) else length / step
    each = rate_per_unit(rate, "month", compounding)
    return Horizon(length=months * step, rate=each / step, step=step)


def value_customers(
    summary: Frame,
    task: ValuationSpec,
    customer: str,
    columns: Sequence[str],
    *,
    by: Sequence[str] = (),
    opened: tuple[Customers, Customers] | None = None,
) -> Frame:
    """Value the customers of a frame, with the columns of `by` carried along.

    `opened` are its histories and its spend, where they have been checked already.
    """
    arguments = dict(zip(("frequency", "recency", "T", "monetary_value"), columns, strict=True))
    history = {name: arguments[name] for name in ("frequency", "recency", "T")}
    money = {name: arguments[name] for name in ("frequency", "monetary_value")}
    check_present("customer", customer, summary)
    table = summary
    if task.by_draws:
        for argument, column in arguments.items():
            check_present(argument, column, summary)
        # A lazy sum of money need not be the same twice, so customers are not told apart by it.
        table = collect(summary.select(*dict.fromkeys([*by, customer, *columns])))
        opened = None
    spent = opened[1] if opened else read_customers(table, money)
    endless = gamma_gamma.has_infinite_mean(
        parameter_array(task.spend), spent.distinct["frequency"]
    )
    if task.infinite == "raise":
        check_finite(endless, spent, task.spend.q)
    median = bool(endless.any())
    keys = arguments if task.by_draws else history
    rows = opened[0] if opened else read_customers(table, keys)
    scores = _scores(task, rows.distinct, median=median)
    if task.by_draws:
        scores |= _drawn_bounds(task, rows, median=median)
    carried = {f"by_{i}": nw.col(name) for i, name in enumerate(by)}
    x, m = spent.values["frequency"], spent.values["monetary_value"]
    scored = rows.joined(customer, scores, x=x, m=m, **carried)
    names = dict(zip([*by, customer], [*carried, "customer"], strict=True))
    named = {name: nw.col(own) for name, own in names.items()} | _columns(task)
    valued_table: Frame = return_to_engine(summary, scored).select(**named)
    return valued_table


def _scores(
    task: ValuationSpec, distinct: Mapping[str, Floats], *, median: bool
) -> dict[str, Floats]:
    """Score the distinct customers in all that does not depend on their money."""
    model, horizon, theta = task.purchases, task.horizon, parameter_array(task.purchases)
    history = distinct["frequency"], distinct["recency"], distinct["T"]
    pairs = bg_nbd.distinct_pairs(distinct["frequency"], distinct["T"])
    discounted, variance = log_variance(
        lambda near: horizon.discounted(near, history, model.SHIFT, pairs),
        theta,
        covariance_of(model),
    )
    rate, slope = gamma_gamma.spend_rate(parameter_array(task.spend), history[0], median=median)
    return {
        "alive": bg_nbd.probability_alive(theta, *history, model.SHIFT),
        "purchases": bg_nbd.expected_purchases(theta, horizon.length, *history, model.SHIFT, pairs),
        "discounted": discounted,
        "variance": variance,
        "rate": rate,
        "rate_slope": slope,
    }


def _drawn_bounds(task: ValuationSpec, rows: Customers, *, median: bool) -> dict[str, Floats]:
    """Bound the value of the distinct customers by draws, before the margin."""
    rng = np.random.default_rng(task.seed)
    x, tx, T, m = rows.distinct.values()  # noqa: N806
    pairs = bg_nbd.distinct_pairs(x, T)
    customers = _draws.CustomerHistories(x=x, tx=tx, T=T, m=m, counts=rows.counts, pairs=pairs)
    models = task.purchases, task.spend
    theta = parameter_array(task.purchases), parameter_array(task.spend)
    if task.interval == "bootstrap":
        _check_fitted(models, rows)
        refit = _draws.Refit(
            shift=task.purchases.SHIFT,
            purchases=theta[0],
            purchases_penalty=models[0].diagnostics.get("penalty", 0.0),
            spend=theta[1],
            spend_penalty=models[1].diagnostics.get("penalty", 0.0),
        )
        draws = refit.draws(customers, task.draws, rng)
    else:
        draws = (
            _draws.draw_parameters(theta[0], covariance_of(models[0]), task.draws, rng),
            _draws.draw_parameters(theta[1], covariance_of(models[1]), task.draws, rng),
        )
    spread = _draws.SimulatedValues(
        horizon=task.horizon,
        shift=task.purchases.SHIFT,
        predictive=task.predictive,
        median=median,
    )
    lower, upper = spread.bounds(customers, draws, task.confidence_level, rng)
    return {"lower": lower, "upper": upper}


def _check_fitted(models: Sequence[Model], rows: Customers) -> None:
    """Refuse to fit anew what was not fitted to these customers."""
    size = rows.counts.sum()
    if models[0].covariance is None or models[0].n_customers != size:
        raise ArgumentError(
            "interval='bootstrap' fits the models anew to customers drawn from `summary`, so they "
            f"must have been fitted to all of it: it has {count_noun(int(size), 'customer')}, and "
            f"`purchases` was fitted to {models[0].n_customers:,.0f}. interval='delta' takes any."
        )


def _columns(task: ValuationSpec) -> dict[str, nw.Expr]:
    """Give the columns of the result as expressions of scores, and of x and m.

    The variance of the logarithm of the spend p (v + x m) / rate is the delta method's.
    """
    p, q, v = task.spend.parameters.values()
    x, m, rate, slope = (nw.col(name) for name in ("x", "m", "rate", "rate_slope"))
    spend = (m * x + v) * p / rate
    value = nw.col("discounted") * spend * task.margin
    if task.by_draws:
        lower, upper = (nw.col(name) * task.margin for name in ("lower", "upper"))
    else:
        slopes = (1 - x * slope * p, slope * -q, v / (m * x + v))
        theta = parameter_array(task.spend)
        relative = covariance_of(task.spend) / np.outer(theta, theta)
        terms = [slopes[i] * slopes[j] * float(relative[i, j]) for i in range(3) for j in range(3)]
        deviation = (nw.col("variance") + reduce(add, terms)).sqrt()
        factor = (deviation * normal_quantile(task.confidence_level)).exp()
        lower, upper = value / factor, value * factor
    return {
        "probability_alive": nw.col("alive"),
        "expected_purchases": nw.col("purchases"),
        "expected_spend": spend,
        "cltv": value,
        "lower": lower,
        "upper": upper,
    }
