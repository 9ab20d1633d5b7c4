"""Compute rates of revenue and their intervals from sums: arrays in, arrays out.

Arrays have a row for each segment and a column for each period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retainkit._progress import Step, no_step
from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile, ratio, wilson
from retainkit._typing import Array, Floats, Integers
from retainkit.revenue._changes import OutputGrid
from retainkit.revenue._lookback import Lookback

with without_scipy_filters():
    from scipy.sparse import csr_array

# Elements of the table of customers and draws that is held at once.
_ELEMENTS = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate with the variance of its logarithm, and the number of customers it stems from.

    `n` is an effective number. It is used where a proportion is 0 or 1, of which the variance says
    nothing.
    """

    value: Floats
    variance: Floats
    n: Floats

    def chained(self, steps: int) -> Rate:
        """Product of the rates of `steps` periods up to each; variances of logarithms add up."""
        return Rate(
            value=trailing_windows(self.value, steps).prod(axis=-1),
            variance=trailing_windows(self.variance, steps).sum(axis=-1),
            n=trailing_windows(self.n, steps).min(axis=-1),
        )

    def proportion_limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Wilson's limits for the number of customers that would give this variance.

        As for surveys: Korn & Graubard (1998), Surv. Methodol. 24:193-201.
        """
        n = ratio(1 - self.value, self.value * self.variance)
        flat = (self.value == 0) | (self.value == 1) | (self.variance == 0)
        n = np.where(flat, self.n, n)
        return wilson(self.value * n, n, confidence_level)

    def ratio_limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Limits of the delta method on the logarithm; none where nothing varies."""
        error = normal_quantile(confidence_level) * np.sqrt(self.variance)
        error = np.where((error > 0) & (self.value > 0), error, np.nan)
        return self.value * np.exp(-error), self.value * np.exp(error)


def trailing_windows(values: Floats | Integers, steps: int) -> Floats:
    """Return the values of `steps` periods up to each, along a last axis; NaN before the first."""
    if not values.shape[1]:
        return np.empty((*values.shape, steps))
    padded = np.pad(values.astype(np.float64), ((0, 0), (steps - 1, 0)), constant_values=np.nan)
    windows: Floats = np.lib.stride_tricks.sliding_window_view(padded, steps, axis=1)
    return windows


def logo_rate(sums: Mapping[str, Array]) -> Rate:
    """Share of customers who still pay."""
    n = sums["customers"].astype(np.float64)
    value = ratio(sums["retained"], n)
    return Rate(value=value, variance=ratio(1 - value, value * n), n=n)


def revenue_rate(
    sums: Mapping[str, Array], part: str, square: str, product: str, sign: int
) -> Rate:
    """Revenue `part` over what the same customers paid before: a ratio of sums.

    With b what a customer paid, x the change of it (`sign` is the direction in which it was squared
    and multiplied with b) and r = sum(x) / sum(b), the variance of the ratio is that of the sum of
    x - r b over customers, Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.13.
    """
    base = sums["opening"].astype(np.float64)
    n = sums["customers"].astype(np.float64)
    change = ratio(sums[part] - sums["opening"], base)
    spread = sums[square] - 2 * change * sign * sums[product] + change**2 * sums["base_base"]
    value = ratio(sums[part], base)
    variance = ratio(np.maximum(spread, 0) * ratio(n, n - 1), base**2 * value**2)
    variance = np.where(n > 1, variance, np.nan)
    return Rate(value=value, variance=variance, n=ratio(base**2, sums["base_base"]))


def net_rate(sums: Mapping[str, Array]) -> Rate:
    """Net revenue retention."""
    return revenue_rate(sums, "now", "change_change", "change_base", 1)


def gross_rate(sums: Mapping[str, Array]) -> Rate:
    """Gross revenue retention."""
    return revenue_rate(sums, "kept", "lost_lost", "lost_base", -1)


# The bootstrap


def bootstrap_rates(
    lookback: Lookback,
    grid: OutputGrid,
    *,
    steps: int,
    draws: int,
    seed: int | None,
    step: Step = no_step,
) -> tuple[Floats, Floats]:
    """Draw customers anew, with all that they ever paid; returns NRR and GRR along a first axis."""
    codes, customer = np.unique(lookback.customer, return_inverse=True)
    paid = lookback.base > 0
    customer, segment = customer[paid], lookback.segment[paid]
    begin, end = (one[paid] - grid.first for one in (lookback.begin, lookback.end))
    # A last column takes what ends after the last period, or not at all.
    width = grid.n_periods + 1
    row = np.append(segment * width + begin, segment * width + end)
    shape = grid.n_segments * width, len(codes)
    base, now, kept = (
        csr_array((np.append(one[paid], -one[paid]), (row, np.append(customer, customer))), shape)
        for one in (lookback.base, lookback.current, lookback.kept)
    )
    rng = np.random.default_rng(seed)
    found = []
    for part in _blocks(draws, max(1, _ELEMENTS // max(1, len(codes)))):
        drawn = rng.integers(0, len(codes), (part, len(codes)))
        weight = np.column_stack([np.bincount(one, minlength=len(codes)) for one in drawn])
        then, *left = (
            np.cumsum(np.asarray(one @ weight).reshape(-1, width, part), axis=1)[:, :-1]
            for one in (base, now, kept)
        )
        rates = (np.moveaxis(ratio(one, then), -1, 0) for one in left)
        found.append(
            [np.stack([trailing_windows(one, steps).prod(axis=-1) for one in r]) for r in rates]
        )
        step(part)
    nrr, grr = (np.concatenate([part[which] for part in found]) for which in (0, 1))
    return nrr, grr


def _blocks(number: int, size: int) -> list[int]:
    """Split a number into parts of at most `size`."""
    return [min(size, number - begin) for begin in range(0, number, size)]


def percentiles(draws: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Limits that leave the same share of draws on either side, of those that have a value."""
    tail = (1 - confidence_level) / 2
    limits = np.full((2, *draws.shape[1:]), np.nan)
    known = ~np.isnan(draws).all(axis=0)
    limits[:, known] = np.nanquantile(draws[:, known], [tail, 1 - tail], axis=0)
    return limits[0], limits[1]
