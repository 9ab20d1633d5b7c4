"""Value of cohorts by age: the sums over those of their customers who have been there so long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._frames.groupby import group_min, group_sum, unique_rows
from retainkit._stats.mean_intervals import Sums
from retainkit._time.grid import PeriodGrid
from retainkit._typing import Array, Floats, Integers
from retainkit.acquisition._spec import ValueSpec, ValueSteps


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortValues:
    """Cohorts, ascending by segment and cohort, and their values at each age, a row a cohort.

    `acquired` counts the customers of a cohort and `total` is all that they paid. `customers`
    counts those who have been there for the whole age, and the sums are those of their `values` by
    then, of their `orders`, and of `repeaters` among them. `outside` counts the customers who came
    outside the edges of the periods.
    """

    segment: Integers
    cohort: Integers
    acquired: Integers
    total: Floats
    ages: Integers
    customers: Integers
    values: Sums
    orders: Floats
    repeaters: Floats
    outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Units:
    """Customers who are observed up to the same age: groups of `ValueSteps`, or cohorts.

    `of_group` is the unit of each group, `stop` the number of ages that are over for each unit, and
    `cohort` the number of its cohort.
    """

    of_group: Integers
    stop: Integers
    cohort: Integers
    n_cohorts: int
    n_ages: int

    def by_age(self, values: Array, group: Integers, age: Integers) -> Floats:
        """Add up steps of groups at ages: what each cohort has at each age, of those observed."""
        size = self.n_ages + 1
        steps = group_sum(
            values.astype(np.float64), self.of_group[group] * size + age, len(self.stop) * size
        )
        so_far = np.cumsum(steps.reshape(-1, size)[:, :-1], axis=1)
        so_far[np.arange(self.n_ages) >= self.stop[:, None]] = 0
        sums = np.zeros((self.n_cohorts, self.n_ages))
        np.add.at(sums, self.cohort, so_far)
        return sums


def cohort_values(steps: ValueSteps, spec: ValueSpec, grid: PeriodGrid | None) -> CohortValues:
    """Return the value of each cohort at each age; without a grid a segment is one cohort.

    At every day of age, only ages count at which all of the cohort have been observed.
    """
    inside, outside = np.ones(len(steps.first), bool), 0
    period = np.zeros(len(steps.first), np.int64)
    if grid is not None:
        period = grid.number_of_day(steps.first)
        inside = grid.holds(period)
        outside = int(steps.customers[~inside].sum())
        period, steps = period[inside], steps.of_groups(inside)
    cohort, keys = unique_rows({"segment": steps.segment, "period": period})
    units = _units(steps, spec, cohort, len(keys["period"]))
    sums = {name: units.by_age(one, steps.group, steps.age) for name, one in steps.sums.items()}
    groups = np.arange(len(cohort))
    customers = units.by_age(steps.customers, groups, np.zeros_like(groups)).astype(np.int64)
    return CohortValues(
        segment=keys["segment"],
        cohort=keys["period"],
        acquired=group_sum(steps.customers.astype(np.float64), cohort, units.n_cohorts).astype(
            np.int64
        ),
        total=group_sum(steps.sums["value"], cohort[steps.group], units.n_cohorts),
        ages=steps.ages,
        customers=customers,
        values=Sums(n=customers, values=sums["value"], squares=sums["square"]),
        orders=sums["orders"],
        repeaters=sums["repeaters"],
        outside=outside,
    )


def _units(steps: ValueSteps, spec: ValueSpec, cohort: Integers, n_cohorts: int) -> _Units:
    """Return who is observed together: customers of one day or, at every day of age, of a cohort.

    Of the latter there would be too many cells by day.
    """
    stop, of_group = np.searchsorted(steps.ages, spec.over(steps.first)), np.arange(len(cohort))
    of_unit = cohort
    if spec.ages is None:
        of_group, of_unit = cohort, np.arange(n_cohorts)
        stop = group_min(stop, cohort, n_cohorts)
    return _Units(
        of_group=of_group,
        stop=stop,
        cohort=of_unit,
        n_cohorts=n_cohorts,
        n_ages=len(steps.ages),
    )
