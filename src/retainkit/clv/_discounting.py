"""Horizons, discount rates, and the variance of discounted purchases."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from retainkit._models import bg_nbd
from retainkit._models.bg_nbd import DistinctPairs
from retainkit._stats.intervals import ratio
from retainkit._time.periods import DAYS_IN
from retainkit._typing import Floats
from retainkit.typing import Period

History: TypeAlias = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The length of time ahead and the discount rate, in a model's unit of time.

    With a `step` purchases are discounted as lifetimes does it: all of a step from its end, and the
    last step is whole.
    """

    length: float
    rate: float
    step: float | None = None

    def discounted(
        self, theta: Floats, history: History, shift: int, pairs: DistinctPairs
    ) -> Floats:
        """Return the expected purchases of each history, discounted."""
        if self.step is None:
            terms = self.rate, self.length
            return bg_nbd.discounted_purchases(theta, *terms, *history, shift, pairs)
        total = before = np.zeros(len(history[0]))
        for number in range(1, math.ceil(self.length / self.step - 1e-9) + 1):
            end = number * self.step
            expected = bg_nbd.expected_purchases(theta, end, *history, shift, pairs)
            total = total + (expected - before) * math.exp(-self.rate * end)
            before = expected
        return total

    def factor(self, when: Floats) -> Floats:
        """Return the discount factors of purchases at moments ahead."""
        moment = when if self.step is None else np.ceil(when / self.step) * self.step
        return np.exp(-self.rate * moment)


# The delta method


def log_variance(
    function: Callable[[Floats], Floats], theta: Floats, covariance: Floats
) -> tuple[Floats, Floats]:
    """Evaluate a function of the parameters, and the variance of its logarithm."""
    value, step = function(theta), 1e-5  # to one side: five digits of an error are plenty
    slopes = []
    for i in range(len(theta)):
        rise = function(theta * np.exp(np.where(np.arange(len(theta)) == i, step, 0.0))) - value
        slopes.append(np.where(value == 0, 0.0, ratio(rise, step * value)))
    jacobian, relative = np.array(slopes), covariance / np.outer(theta, theta)
    variance: Floats = np.einsum("in,ij,jn->n", jacobian, relative, jacobian)
    return value, variance


def rate_per_unit(annual: float, unit: Period, compounding: str = "annual") -> float:
    """Convert an annual discount rate to the continuous rate for each unit of time."""
    yearly = {
        "annual": math.log1p(annual),
        "monthly": 12 * math.log1p(annual / 12),
        "continuous": annual,
    }[compounding]
    return yearly * DAYS_IN[unit] / DAYS_IN["year"]
