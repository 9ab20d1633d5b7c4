"""Totals of many customers: their expectation, and what parameters and chance leave open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from retainkit._inputs.customers import SPEND
from retainkit._inputs.segmented_customers import SegmentedCustomers
from retainkit._messages import count_noun
from retainkit._models import gamma_gamma
from retainkit._models.estimates import estimates_of
from retainkit._models.forecasts import Forecasts
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit._stats.intervals import normal_quantile, ratio
from retainkit._typing import Booleans, Floats, Integers
from retainkit.clv._covariates import scored_covariates
from retainkit.clv._discounting import log_variance
from retainkit.clv._histories import forecasts_of
from retainkit.clv._spend import plain_parameters
from retainkit.clv._valuation import ValuationSpec
from retainkit.errors import ArgumentError
from retainkit.typing import Unseen

# Totals that chance moves by a larger share (its standard deviation) are not near to lognormal.
_LARGE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Total:
    """A total for each row of the result, and its interval.

    `parameters` is the variance of its logarithm that the parameters leave open, and `chance` the
    variance of the actual total about it as a share of its square; 0 where that is left out.
    """

    expected: Floats
    parameters: Floats
    chance: Floats
    lower: Floats
    upper: Floats

    @property
    def parameter_share(self) -> Floats:
        """The share of the parameters in the variance."""
        share = ratio(self.parameters, self.parameters + self.chance)
        return np.where(self.expected == 0, np.nan, share)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValuedRows:
    """The distinct rows of a summary by segment, and two models to value them by.

    `histories` and `amounts` are the distinct histories, and the distinct spend.
    """

    table: SegmentedCustomers
    spec: ValuationSpec
    histories: Forecasts
    amounts: SpendForecasts

    @property
    def has_all(self) -> bool:
        """Return whether a row for all customers follows those of the segments."""
        return bool(self.table.segments and self.table.n_segments)

    @property
    def counts(self) -> Floats:
        """The number of customers of each row of the result."""
        return self.sums(np.ones(len(self.table.segment)))

    @property
    def codes(self) -> tuple[Integers, Integers]:
        """The number of the distinct history, and of the distinct spend, of each row."""
        histories, spend = self.table.histories.code, self.table.spend.code
        assert histories is not None and spend is not None  # noqa: S101, PT018
        return histories, spend

    def purchases(self, theta: Floats) -> Floats:
        """Return the expected purchases of each distinct row."""
        each = self.histories.purchases(theta, self.spec.horizon.length)
        return each[self.codes[0]]

    def discounted(self, theta: Floats) -> Floats:
        """Return the same, discounted."""
        each = self.spec.horizon.discounted(self.histories, theta)
        return each[self.codes[0]]

    def spend(self, phi: Floats) -> Floats:
        """Return the expected spend at each purchase of each distinct row."""
        return self.amounts.expected(phi)[self.codes[1]]

    def sums(self, values: Floats) -> Floats:
        """Return the sum over the customers of each segment, and over all where there is a row.

        `values` are those of a single customer of each distinct row.
        """
        weights = self.table.rows.counts * values
        sums = np.bincount(self.table.segment, weights, self.table.n_segments)
        return self.with_all(sums.astype(np.float64, copy=False))

    def with_all(self, sums: Floats) -> Floats:
        """Append the sum over the segments, the last axis, where there is a row for all."""
        if not self.has_all:
            return sums
        return np.concatenate([sums, sums.sum(axis=-1, keepdims=True)], axis=-1)


def valued_rows(
    table: SegmentedCustomers, spec: ValuationSpec, unseen: Unseen = "raise"
) -> ValuedRows:
    """Check that the expected spend of everybody is finite, and return the rows to value."""
    x, counts = table.spend.distinct["frequency"], table.spend.counts
    infinite = gamma_gamma.has_infinite_mean(plain_parameters(spec.spend), x)
    if infinite.any():
        number = int(counts[infinite].sum())
        raise ArgumentError(
            f"q of `spend` is {spec.spend.q:g}, at which the expected spend of "
            f"{count_noun(number, 'customer')} is infinite, and so is the total. Look at the "
            "largest amounts, which decide everything, and fit `spend` anew.",
            code="infinite_mean",
            argument="spend",
            rows=number,
            total=int(counts.sum()),
        )
    x, m = (table.spend.distinct[name] for name in SPEND)
    return ValuedRows(
        table=table,
        spec=spec,
        histories=forecasts_of(spec.purchases, table.histories, unseen),
        amounts=SpendForecasts(
            x=x, m=m, covariates=scored_covariates(spec.spend, table.spend, unseen)
        ),
    )


def estimate_totals(rows: ValuedRows, *, include_chance: bool) -> tuple[Total, Total]:
    """Return the total purchases, and the total value before the margin."""
    of_purchases, of_spend = estimates_of(rows.spec.purchases), estimates_of(rows.spec.spend)
    each, spend = rows.discounted(of_purchases.point), rows.spend(of_spend.point)
    purchases, variance = log_variance(lambda near: rows.sums(rows.purchases(near)), of_purchases)
    value, by_theta = log_variance(
        lambda near: rows.sums(rows.discounted(near) * spend), of_purchases
    )
    _, by_phi = log_variance(lambda near: rows.sums(each * rows.spend(near)), of_spend)
    chance = chance_variances(rows) if include_chance else (np.zeros(1), np.zeros(1))
    confidence_level = rows.spec.options.confidence_level
    bought = _lognormal(purchases, variance, chance[0], confidence_level)
    valued = _lognormal(value, by_theta + by_phi, chance[1], confidence_level)
    return _with_drawn_limits(rows, bought, valued)


def chance_variances(rows: ValuedRows) -> tuple[Floats, Floats]:
    """Return the variances of the actual total purchases and value, at the parameters as they are.

    Customers buy independently of one another, so that those of customers add up.
    """
    theta, phi = (estimates_of(one).point for one in (rows.spec.purchases, rows.spec.spend))
    horizon, code = rows.spec.horizon, rows.codes[0]

    def mean_square(rate: float) -> tuple[Floats, Floats]:
        found = rows.histories.mean_square(theta, rate, horizon.length)
        return found[0][code], found[1][code]

    two, own = mean_square(0.0)
    purchases = two + own - rows.purchases(theta) ** 2
    two, own = mean_square(horizon.rate)
    product, square = rows.amounts.mean_squares(phi)
    spent = rows.codes[1]
    # Without purchases the value is 0, also where the mean square of amounts is infinite.
    mean = (rows.discounted(theta) * rows.spend(phi)) ** 2
    value = _product(two, product[spent]) + _product(own, square[spent]) - mean
    return rows.sums(purchases), rows.sums(value)


def _product(purchases: Floats, amounts: Floats) -> Floats:
    return np.multiply(purchases, amounts, out=np.zeros(len(purchases)), where=purchases > 0)


def _lognormal(
    expected: Floats, parameters: Floats, chance: Floats, confidence_level: float
) -> Total:
    """Return a total with limits of the normal distribution of its logarithm."""
    share = np.where(expected == 0, 0.0, ratio(chance, expected**2))
    with np.errstate(over="ignore"):
        factor = np.exp(normal_quantile(confidence_level) * np.sqrt(parameters + share))
    return Total(
        expected=expected,
        parameters=parameters,
        chance=share,
        lower=expected / factor,
        upper=_product(expected, factor),
    )


# Totals of few purchases, or of amounts of infinite variance


def _with_drawn_limits(rows: ValuedRows, bought: Total, valued: Total) -> tuple[Total, Total]:
    """Return the totals with limits by simulation where chance moves one of them by much."""
    known = np.isfinite(bought.parameters) | np.isfinite(valued.parameters)
    large = known & (np.maximum(bought.chance, valued.chance) > _LARGE**2)
    if not large.any():
        return bought, valued
    if rows.spec.options.seed is None:
        raise ArgumentError(
            f"Chance moves the total of {count_noun(int(large.sum()), 'row')} of {len(large):,} by "
            f"more than {_LARGE:.0%}, so that its interval is drawn at random: give a `seed`, any "
            "whole number, or leave chance out by include_chance=False.",
            code="seed_missing",
            argument="seed",
        )
    drawn = _simulated_totals(rows, large)
    tail = (1 - rows.spec.options.confidence_level) / 2
    found = []
    for total, values in zip((bought, valued), drawn, strict=True):
        # Without interpolation, of which the totals of purchases would be no whole numbers.
        limits = np.quantile(values, [tail, 1 - tail], axis=0, method="inverted_cdf")
        chosen = large & np.isfinite(total.parameters)
        lower, upper = np.where(chosen, limits, (total.lower, total.upper))
        found.append(replace(total, lower=lower, upper=upper))
    return found[0], found[1]


def _simulated_totals(rows: ValuedRows, large: Booleans) -> tuple[Floats, Floats]:
    """Draw futures under parameters drawn anew for each: totals (draws, rows of the result).

    Only the totals that are `large` are right: no others are drawn.
    """
    table, spec, n = rows.table, rows.spec, rows.spec.options.draws
    rng = np.random.default_rng(spec.options.seed)
    models = spec.purchases, spec.spend
    thetas, phis = (estimates_of(one).draw(n, rng) for one in models)
    needed = np.ones(len(table.segment), bool)
    if not (rows.has_all and large[-1]):
        needed = large[table.segment]
    customer = np.repeat(np.flatnonzero(needed), table.rows.counts[needed].astype(np.int64))
    histories = rows.histories.of_rows(rows.codes[0][customer])
    spend = rows.amounts.of_rows(rows.codes[1][customer])
    segment = table.segment[customer]
    purchases, values = np.empty((2, n, table.n_segments))
    for i in range(n):
        owner, when = histories.simulate(thetas[i], spec.horizon.length, rng)
        amounts = spend.simulate_amounts(phis[i], owner, rng)
        amounts *= spec.horizon.factor(when)
        purchases[i] = np.bincount(segment[owner], minlength=table.n_segments)
        values[i] = np.bincount(segment[owner], amounts, table.n_segments)
    return rows.with_all(purchases), rows.with_all(values)
