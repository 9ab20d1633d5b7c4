"""Specification of a reduction to value by age, and the sums that it returns.

`_lazy` adds up inside a lazy engine and `_eager` on arrays in memory; both take a `ValueSpec` and
return `ValueSteps`, and the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._typing import Booleans, Floats, Integers

MEASURES = ("value", "square", "orders", "repeaters")
"""What is added up for each age: the value of a customer, its square, orders, and repeat buyers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSpec:
    """The options that a reduction depends on, checked.

    `ages` are in days, ascending; None: every day of age that any customer has.
    """

    ages: tuple[int, ...] | None
    end: Moment

    def over(self, first: Any) -> Any:
        """Count the days, that of the first order (a number or several) too, that are over."""
        return self.end.index(DAYS) - first


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSteps:
    """What customers who came on the same day paid, by the age at which it counts.

    A group is the customers of a `segment` who came on the day `first`; `customers` counts them. A
    step is what a `group` gains at an `age`, by its number in `ages`: the number after the last is
    that of all that comes later. The steps of each of `MEASURES` add up to its sum over customers:
    the square of a customer's value at an age is not a sum over orders, but its steps are.
    `several` counts the customers with several segments at their first order.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    first: Integers
    customers: Integers
    ages: Integers
    group: Integers
    age: Integers
    sums: Mapping[str, Floats]
    several: int

    def of_groups(self, kept: Booleans) -> ValueSteps:
        """Keep some of the groups, and their steps."""
        number, of_steps = np.cumsum(kept) - 1, kept[self.group]
        return replace(
            self,
            segment=self.segment[kept],
            first=self.first[kept],
            customers=self.customers[kept],
            group=number[self.group[of_steps]],
            age=self.age[of_steps],
            sums={name: values[of_steps] for name, values in self.sums.items()},
        )


def days_of_ages(spec: ValueSpec, first: Integers) -> Integers:
    """Return the ages in days that are asked for, of customers who came on these days."""
    if spec.ages is not None:
        return np.array(spec.ages, np.int64)
    return np.arange(int(np.max(spec.over(first), initial=0)))
