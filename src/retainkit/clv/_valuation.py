"""Values of customers: the specification, the scores of distinct customers, and the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import boolean, fraction, integer, is_number, one_of, probability
from retainkit._frames.input import Frame, check_present, collect
from retainkit._frames.join import return_to_engine
from retainkit._frames.names import inner_name
from retainkit._inputs.customers import (
    HISTORY,
    SPEND,
    Customers,
    check_finite,
    read_customers,
    repeat_buyers,
)
from retainkit._inputs.time_unit import unit_expr
from retainkit._messages import count_noun
from retainkit._models import gamma_gamma
from retainkit._models.estimates import estimates_of
from retainkit._models.model import Model
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._progress import Step, no_step
from retainkit._stats.intervals import normal_quantile
from retainkit._time.durations import in_units
from retainkit._typing import Floats
from retainkit.clv import _draws
from retainkit.clv._covariates import covariates_to_read, scored_covariates
from retainkit.clv._discounting import Horizon, log_variance, rate_per_unit
from retainkit.clv._histories import check_histories, forecasts_of
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma, plain_parameters
from retainkit.errors import ArgumentError
from retainkit.typing import (
    Compounding,
    Infinite,
    IntervalMethod,
    Length,
    Period,
    Unseen,
    ValuationMethod,
)

RESULT = ("probability_alive", "expected_purchases", "expected_spend", "cltv", "lower", "upper")

# The length of a month in lifetimes, by the unit of the model.
_MONTH: dict[Period, float] = {"day": 30.0, "week": 4.345, "month": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuationOptions:
    """The arguments that `cltv` and `cltv_from_models` share."""

    horizon: float | Length
    discount_rate: float
    margin: float
    compounding: Compounding
    method: ValuationMethod
    infinite: Infinite
    confidence_level: float
    interval: IntervalMethod
    predictive: bool
    draws: int
    seed: int | None

    @property
    def simulated(self) -> bool:
        """Return whether the interval comes from random draws."""
        return self.predictive or self.refits

    @property
    def refits(self) -> bool:
        """Return whether the models are fitted anew to every draw, which takes long."""
        return self.interval == "bootstrap"

    def validate(self) -> None:
        """Check all options but the horizon."""
        fraction("discount_rate", self.discount_rate)
        fraction("margin", self.margin)
        one_of("compounding", self.compounding, get_args(Compounding))
        one_of("method", self.method, get_args(ValuationMethod))
        one_of("interval", self.interval, get_args(IntervalMethod))
        one_of("infinite", self.infinite, get_args(Infinite))
        boolean("predictive", self.predictive)
        integer("draws", self.draws, 2)
        probability("confidence_level", self.confidence_level)
        if self.seed is not None:
            integer("seed", self.seed, 0)
        elif self.simulated:
            argument = "predictive=True" if self.predictive else "interval='bootstrap'"
            raise ArgumentError(
                f"{argument} draws at random: give a `seed`, any whole number.",
                code="seed_missing",
                argument="seed",
            )

    def horizon_in(self, unit: Period) -> float:
        """Return the horizon in a unit of time, of which a bare number is."""
        return in_units("horizon", self.horizon, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuationSpec:
    """Two models, and the checked options of a valuation by them."""

    purchases: PurchaseModel
    spend: GammaGamma
    horizon: Horizon
    margin: float
    options: ValuationOptions

    @property
    def lacks_intervals(self) -> bool:
        """Return whether limits are NaN, for want of a covariance."""
        models = self.purchases, self.spend
        known = all(np.isfinite(estimates_of(model).covariance).all() for model in models)
        return not (self.options.simulated or known)


def valuation_spec(
    purchases: PurchaseModel, spend: GammaGamma, options: ValuationOptions
) -> ValuationSpec:
    """Check options against the models, and put the horizon into their unit of time."""
    options.validate()
    return ValuationSpec(
        purchases=purchases,
        spend=spend,
        horizon=_horizon(purchases.unit, options),
        margin=float(options.margin),
        options=options,
    )


def _horizon(unit: Period, options: ValuationOptions) -> Horizon:
    """Return the horizon in a unit of time, as `lifetimes` has it if that is the method."""
    length, compounding = options.horizon_in(unit), options.compounding
    annual = float(options.discount_rate)
    if options.method == "exact":
        return Horizon(length=length, rate=rate_per_unit(annual, unit, compounding))
    if unit not in _MONTH:
        raise ArgumentError(
            f"method='lifetimes' knows {', '.join(_MONTH)}, and the model's unit is {unit}; "
            "method='exact' takes every unit.",
            code="argument_conflict",
            argument="method",
        )
    step, months = _MONTH[unit], length / _MONTH[unit]
    if not is_number(options.horizon):
        months = options.horizon_in("month")
    monthly = rate_per_unit(annual, "month", compounding)
    return Horizon(length=months * step, rate=monthly / step, step=step)


def value_customers(
    summary: Frame,
    spec: ValuationSpec,
    customer: str,
    columns: Mapping[str, str],
    *,
    beside: Mapping[str, nw.Expr] | None = None,
    checked: tuple[Customers, Customers] | None = None,
    step: Step = no_step,
    argument: str = "summary",
    unseen: Unseen = "raise",
) -> tuple[Frame, Customers, Customers]:
    """Value the customers of a frame, with columns carried along `beside` them.

    `columns` maps arguments to columns. `checked` are the histories and the spend of the frame,
    where they have been read already; they are returned beside the values. `step` is told of the
    fits to draws, and `argument` is what the table is called in messages.
    """
    check_present("customer", customer, summary)
    table, beside = summary, beside or {}
    if spec.options.simulated:
        for name, column in columns.items():
            check_present(name, column, summary)
        # A lazy sum of money need not be the same twice, so distinct customers cannot be joined
        # by it.
        covariates = covariates_to_read(spec.purchases, spec.spend).arguments
        for name, own in covariates.items():
            check_present(own, name, summary)
        every = (*beside, customer, *columns.values(), *covariates)
        named = (inner_name(summary, name) for name in every)
        needed = [*named, *unit_expr(summary, "summary")]
        table = collect(summary.select(*dict.fromkeys(needed)))
        checked = None
    spend = checked[1] if checked else read_customers(table, {key: columns[key] for key in SPEND})
    infinite = gamma_gamma.has_infinite_mean(
        plain_parameters(spec.spend), spend.distinct["frequency"]
    )
    if spec.options.infinite == "raise":
        check_finite(infinite, spend, spec.spend.q)
    median = bool(infinite.any())
    keys = columns if spec.options.simulated else {key: columns[key] for key in HISTORY}
    read = covariates_to_read(spec.purchases, spec.spend)
    unit = spec.purchases.unit
    customers = checked[0] if checked else read_customers(table, keys, unit=unit, covariates=read)
    check_histories(spec.purchases, customers, argument)
    valued = _valued(spec, customers, unseen)
    scores = _customer_scores(spec, valued, median=median)
    if spec.options.simulated:
        scores |= _simulated_limits(spec, valued, customers, step, median=median)
    carried = {f"beside_{i}": one for i, one in enumerate(beside.values())}
    x, m = spend.values["frequency"], spend.values["monetary_value"]
    found = customers.with_scores(customer, scores, x=x, m=m, **carried)
    names = dict(zip([*beside, customer], [*carried, "customer"], strict=True))
    result = {inner_name(summary, name): nw.col(own) for name, own in names.items()}
    result |= {name: nw.col(name) for name in RESULT}
    selected = (one.alias(name) for name, one in result.items())
    found = _with_result(return_to_engine(summary, found), spec)
    return found.select(*selected), customers, spend


def _valued(spec: ValuationSpec, rows: Customers, unseen: Unseen) -> _draws.CustomerHistories:
    """Return the distinct customers, who have money only where it is read with the histories."""
    x = rows.distinct["frequency"]
    return _draws.CustomerHistories(
        purchases=forecasts_of(spec.purchases, rows, unseen),
        spend=SpendForecasts(
            x=x,
            m=rows.distinct.get("monetary_value", np.zeros(len(x))),
            covariates=scored_covariates(spec.spend, rows, unseen),
        ),
        counts=rows.counts,
    )


def _customer_scores(
    spec: ValuationSpec, valued: _draws.CustomerHistories, *, median: bool
) -> dict[str, Floats]:
    """Compute the scores of the distinct customers that do not depend on their money."""
    horizon, purchases, estimates = spec.horizon, valued.purchases, estimates_of(spec.purchases)
    discounted, variance = log_variance(lambda near: horizon.discounted(purchases, near), estimates)
    rate, slope = gamma_gamma.spend_rate(
        plain_parameters(spec.spend), purchases.history[0], median=median
    )
    return {
        "probability_alive": purchases.alive(estimates.point),
        "expected_purchases": purchases.purchases(estimates.point, horizon.length),
        "discounted": discounted,
        "variance": variance,
        "rate": rate,
        "rate_slope": slope,
        **_level_scores(spec.spend, valued.spend),
    }


def _level_scores(model: GammaGamma, spend: SpendForecasts) -> dict[str, Floats]:
    """Return v of each customer, and the covariances of its logarithm with log p, log q, itself."""
    estimates = estimates_of(model)
    n, relative = len(spend.x), estimates.relative
    levels = spend.parameters(estimates.point)[2]
    found = {"level": np.broadcast_to(levels, n).copy()}
    design = np.ones((n, 1))
    if spend.covariates is not None:
        columns = spend.covariates.columns["spend"].values[spend.covariates.kind]
        design = np.concatenate([design, columns], axis=1)
    # By loops of one thread: products of matrices would start several.
    for i, name in enumerate(("p_level", "q_level")):
        found[name] = np.einsum("nm,m->n", design, relative[i, 2:])
    found["level_level"] = np.einsum("nm,ml,nl->n", design, relative[2:, 2:], design)
    return found


def _simulated_limits(
    spec: ValuationSpec,
    customers: _draws.CustomerHistories,
    rows: Customers,
    step: Step,
    *,
    median: bool,
) -> dict[str, Floats]:
    """Return the limits of the value of the distinct customers by simulation, before the margin."""
    options, rng = spec.options, np.random.default_rng(spec.options.seed)
    if not len(rows.counts):  # nobody to draw
        step(options.draws)
        return {"lower": np.empty(0), "upper": np.empty(0)}
    models = spec.purchases, spec.spend
    estimates = [estimates_of(model) for model in models]
    if options.refits:
        _check_fitted(models, rows)
        repeat_buyers(rows)  # of which every draw must have some, to learn the spend from
        refit = _draws.Refit(
            purchases=estimates[0].point,
            purchases_penalties=_penalties(models[0]),
            spend=estimates[1].point,
            spend_penalties=_penalties(models[1]),
        )
        draws = refit.draw_parameters(customers, options.draws, rng, step)
    else:
        draws = estimates[0].draw(options.draws, rng), estimates[1].draw(options.draws, rng)
    values = _draws.SimulatedValues(
        horizon=spec.horizon, predictive=options.predictive, median=median
    )
    lower, upper = values.limits(customers, draws, options.confidence_level, rng)
    return {"lower": lower, "upper": upper}


def _penalties(model: Model) -> tuple[float, float]:
    """Return the penalties with which a model was fitted."""
    facts = model.diagnostics
    return facts.get("penalty", 0.0), facts.get("covariate_penalty", 0.0)


def _check_fitted(models: Sequence[Model], rows: Customers) -> None:
    """Check that the models were fitted to these customers, as the bootstrap needs it."""
    size = rows.counts.sum()
    if models[0].covariance is None or models[0].n_customers != size:
        raise ArgumentError(
            "interval='bootstrap' fits the models anew to customers drawn from `summary`, so they "
            f"must have been fitted to all of it: it has {count_noun(int(size), 'customer')}, and "
            f"`purchases` was fitted to {models[0].n_customers:,.0f}. interval='delta' takes any.",
            code="unknown_customers",
            argument="purchases",
            total=int(size),
        )


def _with_result(found: Frame, spec: ValuationSpec) -> Frame:
    """Add the columns of the result to scores, and to x and m.

    The variance of the logarithm of the spend p (v + x m) / rate is that of the delta method. What
    several columns need is a column first: it would be computed for each of them.
    """
    p, q = spec.spend.p, spec.spend.q
    x, rate, slope, v = (nw.col(name) for name in ("x", "rate", "rate_slope", "level"))
    found = found.with_columns(paid=nw.col("m") * x + v)
    found = found.with_columns(expected_spend=nw.col("paid") * p / rate)
    found = found.with_columns(cltv=nw.col("discounted") * nw.col("expected_spend") * spec.margin)
    if spec.options.simulated:
        return found.with_columns(nw.col("lower", "upper") * spec.margin)
    found = found.with_columns(
        by_p=1 - x * slope * p,
        by_q=slope * -q,
        by_v=v / nw.col("paid"),
    )
    relative = estimates_of(spec.spend).relative
    by_p, by_q, by_v = (nw.col(name) for name in ("by_p", "by_q", "by_v"))
    terms = (
        by_p * by_p * float(relative[0, 0]),
        by_p * by_q * float(2 * relative[0, 1]),
        by_q * by_q * float(relative[1, 1]),
        (by_p * nw.col("p_level") + by_q * nw.col("q_level")) * by_v * 2.0,
        by_v * by_v * nw.col("level_level"),
    )
    deviation = (nw.col("variance") + reduce(add, terms)).sqrt()
    z = normal_quantile(spec.options.confidence_level)
    found = found.with_columns(factor=(deviation * z).exp())
    value, factor = nw.col("cltv"), nw.col("factor")
    return found.with_columns(lower=value / factor, upper=value * factor)
