"""Horizons, discount rates, and the variance of discounted purchases."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retainkit._models.estimates import Estimates
from retainkit._models.forecasts import Forecasts
from retainkit._stats.intervals import ratio
from retainkit._time.periods import DAYS_IN
from retainkit._typing import Floats
from retainkit.typing import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The length of time ahead and the discount rate, in a model's unit of time.

    With a `step` purchases are discounted as lifetimes does it: all of a step from its end, and the
    last step is whole.
    """

    length: float
    rate: float
    step: float | None = None

    def discounted(self, forecasts: Forecasts, theta: Floats) -> Floats:
        """Return the expected purchases of each customer, discounted."""
        if self.step is None:
            return forecasts.discounted(theta, self.rate, self.length)
        total = before = np.zeros(len(forecasts.history[0]))
        for number in range(1, math.ceil(self.length / self.step - 1e-9) + 1):
            end = number * self.step
            expected = forecasts.purchases(theta, end)
            total = total + (expected - before) * math.exp(-self.rate * end)
            before = expected
        return total

    def factor(self, when: Floats) -> Floats:
        """Return the discount factors of purchases at moments ahead."""
        moment = when if self.step is None else np.ceil(when / self.step) * self.step
        return np.exp(-self.rate * moment)


# The delta method


def log_variance(
    function: Callable[[Floats], Floats], estimates: Estimates
) -> tuple[Floats, Floats]:
    """Evaluate a function of the estimates, and the variance of its logarithm."""
    value, step = (
        function(estimates.point),
        1e-5,
    )  # to one side: five digits of an error are plenty
    slopes = []
    for move in step * np.eye(len(estimates.point)):
        rise = function(estimates.moved(move)) - value
        slopes.append(np.where(value == 0, 0.0, ratio(rise, step * value)))
    jacobian = np.array(slopes)
    variance: Floats = np.einsum("in,ij,jn->n", jacobian, estimates.relative, jacobian)
    return value, variance


def rate_per_unit(annual: float, unit: Period, compounding: str = "annual") -> float:
    """Convert an annual discount rate to the continuous rate for each unit of time."""
    yearly = {
        "annual": math.log1p(annual),
        "monthly": 12 * math.log1p(annual / 12),
        "continuous": annual,
    }[compounding]
    return yearly * DAYS_IN[unit] / DAYS_IN["year"]
