"""The Gamma-Gamma model of spend per purchase, on arrays.

A customer's purchases are Gamma(p, rate nu), with nu ~ Gamma(q, rate v) over customers, whatever
their number: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025,
http://www.brucehardie.com/notes/025/. `x` is the number of purchases of a customer and `m` their
mean, which is ignored where x is 0. `params` are p, q, v.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from retainkit._models.rows import RowDerivatives, RowPoints, counted
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Booleans, Floats, Integers

with without_scipy_filters():
    from scipy import special


SpendParameters: TypeAlias = tuple[float, float, float | Floats] | Floats
"""p, q and v, of which the last may be each customer's own."""


def log_likelihood(params: SpendParameters, x: Floats, m: Floats) -> Floats:
    """Log density of the mean spend m of x > 0 purchases, row by row: note 025, equation (1a).

    In terms of u = x m / v, so that no power overflows and p or q may be huge:
    m^-1 (1 + 1/u)^-(p x) (1 + u)^-q / B(p x, q).
    """
    p, q, v = params
    total = x * m
    logs: Floats = np.asarray(-special.betaln(p * x, q) - np.log(m), np.float64)
    logs -= p * x * np.log1p(v / total) + q * np.log1p(total / v)
    return logs


def derivatives(points: RowPoints, data: tuple[Floats, Floats]) -> RowDerivatives:
    """Log-likelihood row by row of x and m, and its derivatives by log p, log q and log v."""
    x, m = data
    each, among, level = map(np.exp, points.values)
    constant, own, own_bend, psi, psi_bend = points.by_count(_by_purchases, counted(x), each, among)
    p, q, v = map(points.by_row, (each, among, level))
    shape, total = p * x, x * m
    below, above = np.log1p(v / total), np.log1p(total / v)
    known, rest = v / (v + total), total / (v + total)
    by_p, by_q = own - shape * below, q * (psi - special.digamma(q) - above)
    return RowDerivatives(
        value=-constant - np.log(m) - shape * below - q * above,
        first=(by_p, by_q, q * rest - shape * known),
        second={
            (0, 0): by_p + own_bend,
            (0, 1): shape * q * psi_bend,
            (0, 2): -shape * known,
            (1, 1): by_q + q**2 * (psi_bend - _trigamma(q)),
            (1, 2): q * rest,
            (2, 2): -(q + shape) * known * rest,
        },
    )


def _by_purchases(p: Floats, q: Floats, counts: Floats) -> tuple[Floats, ...]:
    """Return what the likelihood has of special functions of p x."""
    shapes = np.where(counts > 0, counts, 1.0) * p
    both = shapes + q
    return (
        special.betaln(shapes, q),
        shapes * (special.digamma(both) - special.digamma(shapes)),
        shapes**2 * (_trigamma(both) - _trigamma(shapes)),
        special.digamma(both),
        _trigamma(both),
    )


def _trigamma(z: Floats) -> Floats:
    values: Floats = special.polygamma(1, z)
    return values


def expected_spend(params: SpendParameters, x: Floats, m: Floats) -> Floats:
    """E[spend per purchase | x, m]: note 025, equation (5); infinite where p x + q <= 1."""
    p, q, v = params
    spare = p * np.asarray(x) + q - 1
    finite = spare > 0
    return np.where(finite, p * (v + _total(x, m)) / np.where(finite, spare, 1.0), np.inf)


def mean_squares(params: SpendParameters, x: Floats, m: Floats) -> tuple[Floats, Floats]:
    """Mean product of the amounts of two further purchases, and mean square of one.

    Given the data nu ~ Gamma(p x + q, rate v + x m), and given nu the amounts are independent
    Gamma(p, rate nu). Both are infinite where p x + q is 2 or less.
    """
    p, q, v = params
    shape = p * np.asarray(x) + q
    finite = shape > 2
    spare = np.where(finite, (shape - 1) * (shape - 2), 1.0)
    inverse = np.where(finite, (v + _total(x, m)) ** 2 / spare, np.inf)  # E[1 / nu^2]
    return p**2 * inverse, p * (p + 1) * inverse


def has_infinite_mean(params: SpendParameters, x: Floats) -> Booleans:
    """Return where the expected spend is infinite."""
    p, q, _ = params
    infinite: Booleans = p * np.asarray(x) + q <= 1
    return infinite


def median_spend(params: SpendParameters, x: Floats, m: Floats) -> Floats:
    """Median of the customer's mean spend p/nu given x and m; finite where the mean is not.

    Given the data nu ~ Gamma(p x + q, rate v + x m): note 025, section 3.
    """
    p, q, v = params
    median: Floats = p * (v + _total(x, m)) / _median_rate(p * np.asarray(x) + q)
    return median


def _median_rate(shape: Floats) -> Floats:
    """Median of nu, of a Gamma with this shape and rate 1."""
    middle = special.gammaincinv(shape, 0.5).astype(np.float64, copy=False)
    # Below q = 0.001 the middle is smaller than any number.
    return np.maximum(middle, np.finfo(float).tiny)


def spend_rate(
    params: SpendParameters, x: Floats, *, median: bool = False
) -> tuple[Floats, Floats]:
    """Divisor of p (v + x m) for the mean or the median, and the slope of its logarithm.

    The slope is by the shape p x + q, through which alone it depends on p, q and x.
    """
    p, q, _ = params
    shape = p * np.asarray(x, np.float64) + q
    if not median:
        return shape - 1, 1 / (shape - 1)
    step = 1e-5
    above, below = (np.log(_median_rate(shape * (1 + change))) for change in (step, -step))
    return _median_rate(shape), (above - below) / (2 * step * shape)


def simulate(params: SpendParameters, x: Floats, rng: np.random.Generator) -> Floats:
    """Draw the mean spend of customers with x purchases; NaN where there are none."""
    p, q, v = params
    x = np.asarray(x, dtype=np.float64)
    bought = x > 0
    nu = np.maximum(rng.gamma(q, 1 / v, x.shape), np.finfo(float).tiny)
    total = rng.gamma(p * np.where(bought, x, 1.0)) / nu
    return np.where(bought, total / np.where(bought, x, 1.0), np.nan)


def _total(x: Floats, m: Floats) -> Floats:
    """Return the amount spent: 0 where x is 0, even if the mean is NaN."""
    return np.multiply(x, np.where(np.asarray(x) > 0, m, 0.0))


def simulate_amounts(
    params: SpendParameters, owner: Integers, x: Floats, m: Floats, rng: np.random.Generator
) -> Floats:
    """Draw the amount of each further purchase; `owner` is the position of its customer."""
    p, q, v = params
    nu = rng.gamma(p * x + q) / (v + _total(x, m))
    amounts: Floats = rng.gamma(p, size=len(owner)) / np.maximum(nu, np.finfo(float).tiny)[owner]
    return amounts
