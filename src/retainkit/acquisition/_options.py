"""Options that the functions on value by age share, and the orders read for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from retainkit._checks import fraction, one_of, probability
from retainkit._frames.reducer import reducer
from retainkit._inputs.events import Events
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.orders import read_orders
from retainkit._inputs.refunds import check_amounts_option, net_refunds
from retainkit._messages import count_noun, warn
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.period_options import PeriodOption, period_options
from retainkit._time.periods import WEEKDAYS
from retainkit.acquisition import _eager, _lazy
from retainkit.acquisition._cells import CohortValues, cohort_values
from retainkit.acquisition._spec import ValueSpec, ValueSteps
from retainkit.typing import Amounts, Missing, PeriodLike, Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOptions:
    """The arguments that `observed_value` and `payback` share."""

    customer: str
    time: str
    amount: str
    cohort_period: PeriodLike | None
    by: str | Sequence[str] | None
    margin: float
    amounts: Amounts
    as_of: str | date | None
    tz: str | None
    week_start: Weekday
    missing: Missing
    confidence_level: float

    def validate(self) -> PeriodOption | None:
        """Check the options that do not depend on the table; returns the periods of cohorts."""
        cut = None
        if self.cohort_period is None:
            one_of("week_start", self.week_start, WEEKDAYS)
        else:
            (cut,) = period_options(
                {"cohort_period": self.cohort_period}, week_start=self.week_start, whole_days=True
            )
        fraction("margin", self.margin)
        check_amounts_option(self.amounts, self.amount)
        check_as_of(self.as_of)
        one_of("missing", self.missing, get_args(Missing))
        probability("confidence_level", self.confidence_level)
        return cut


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedOrders:
    """Orders before the end of observation, the periods of cohorts, and the values by age.

    With `above_0` no amount is negative.
    """

    log: Events
    grid: PeriodGrid | None
    steps: ValueSteps
    cohorts: CohortValues
    above_0: bool


def observe(
    transactions: Any,
    options: ValueOptions,
    cut: PeriodOption | None,
    ages: tuple[int, ...] | None,
    reserved: Sequence[str],
) -> ObservedOrders:
    """Read orders, and add up the value of each cohort at the ages."""
    log = read_orders(
        transactions,
        customer=options.customer,
        time=options.time,
        amount=options.amount,
        by=options.by,
        reserved=reserved,
        tz=options.tz,
        missing=options.missing,
    )
    end = log.end_of_observation(options.as_of)
    log = net_refunds(log.until(end), options.amounts, DAYS, end)
    spec = ValueSpec(ages=ages, end=end)
    steps = reducer(log.rows, lazy=_lazy.add_up, eager=_eager.add_up)(log, spec)
    grid = None if cut is None else cut.in_zone(log.zone)
    cohorts = cohort_values(steps, spec, grid)
    _warn_of_excluded(steps, cohorts)
    return ObservedOrders(
        log=log,
        grid=grid,
        steps=steps,
        cohorts=cohorts,
        above_0=log.min_amount is None or log.min_amount >= 0,
    )


def _warn_of_excluded(steps: ValueSteps, cohorts: CohortValues) -> None:
    """Warn of customers of several segments, and of those who are in no cohort."""
    total = int(steps.customers.sum())
    ambiguous = (
        "with several values of `by` at the instant of the first order, of which the smallest is "
        "taken."
    )
    outside = "in no cohort, with a first order outside the edges of the periods."
    for number, text, code, argument in (
        (steps.several, ambiguous, "ambiguous_segment", "by"),
        (cohorts.outside, outside, "outside_edges", "cohort_period"),
    ):
        if number:
            customers = count_noun(number, "customer")
            warn(f"{customers} {text}", code=code, argument=argument, rows=number, total=total)
