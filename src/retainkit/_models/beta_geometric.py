"""The shifted-beta-geometric and beta-discrete-Weibull models of retention, on arrays.

The chance to leave differs between customers as Beta(alpha, beta), and with x = t**c

    S(t) = B(alpha, beta + x) / B(alpha, beta),

which is the shifted-beta-geometric model for c = 1 and the beta-discrete-Weibull model otherwise.
`theta` is (alpha, beta, c) throughout, and the equations are those of Fader & Hardie (2007).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import digamma, gammaln

_FAR = 15.0  # from here on five terms of Stirling's series are exact
_DIRECT = 2048  # terms of a sum that are added one by one
_FORGOTTEN = 80.0  # logarithm of a term that no longer counts
_TAIL = 1e10  # where S(t) has become a power of t


def log_rise(z: Floats, a: Floats) -> Floats:
    """Log of Gamma(z + a) / Gamma(z): for large z not as the difference of two large numbers."""
    far = np.maximum(z, _FAR)
    series = _mu(far + a) - _mu(far)
    stirling = (far + a - 0.5) * np.log1p(a / far) + a * np.log(far) - a + series
    near = np.minimum(z, _FAR)
    rise: Floats = np.where(z >= _FAR, stirling, gammaln(near + a) - gammaln(near))
    return rise


def _mu(z: Floats) -> Floats:
    y = z**-2.0
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / z


def digamma_rise(z: Floats, a: Floats) -> Floats:
    """Digamma(z + a) - digamma(z): for large z not as the difference of two large numbers."""
    far = np.maximum(z, _FAR)
    stirling = np.log1p(a / far) + a / (2 * far) / (far + a) + _nu(far + a) - _nu(far)
    near = np.minimum(z, _FAR)
    rise: Floats = np.where(z >= _FAR, stirling, digamma(near + a) - digamma(near))
    return rise


def _nu(z: Floats) -> Floats:
    y = z**-2.0
    return -y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))


def log_survival(theta: Floats, t: ArrayLike) -> Floats:
    """Log S(t), eq. 6 with t**c for t."""
    alpha, beta, c = theta
    x = np.asarray(t, np.float64) ** c
    # B(alpha, beta + x) / B(alpha, beta) is one of two ratios of rises, and the shorter one counts.
    along = log_rise(beta, x) - log_rise(alpha + beta, x)
    across = log_rise(beta, alpha) - log_rise(beta + x, alpha)
    logs: Floats = np.where(x < alpha, along, across)
    return logs


def log_survival_gradient(theta: Floats, t: ArrayLike) -> Floats:
    """Derivatives of log S(t) by alpha, beta and c: (..., 3)."""
    alpha, beta, c = theta
    t = np.asarray(t, np.float64)
    x = t**c
    by_alpha = -digamma_rise(alpha + beta, x)
    along = digamma_rise(beta, x) + by_alpha
    across = digamma_rise(beta, alpha) - digamma_rise(beta + x, alpha)
    by_beta = np.where(x < alpha, along, across)
    # log 1 = 0 in place of log 0, which is multiplied by x = 0.
    by_c = -digamma_rise(beta + x, alpha) * x * np.log(np.where(t > 0, t, 1.0))
    return np.stack([by_alpha, by_beta, by_c], axis=-1)


def retention_rate(theta: Floats, t: Floats) -> Floats:
    """S(t) / S(t - 1), eq. 8."""
    return np.exp(log_survival(theta, t) - log_survival(theta, t - 1))


def log_likelihood_gradient(
    theta: Floats, before: Floats, after: Floats, stayed: Floats, left: Floats
) -> tuple[float, Floats]:
    """Log-likelihood of steps from age to age, and its derivatives by theta.

    Of those there at the age `before`, `stayed` are there at the age `after` and `left` are not.
    Chained from age 0, without customers lost between the steps, it is that of eq. 7 and of
    appendix B.
    """
    log_stay = log_survival(theta, after) - log_survival(theta, before)
    slope = log_survival_gradient(theta, after) - log_survival_gradient(theta, before)
    some = left > 0
    # Where nobody left, the log of the chance to leave, perhaps of 0, is multiplied by 0.
    safe = np.where(some, np.minimum(log_stay, -1e-300), -1.0)
    value = stayed * log_stay + np.where(some, left * np.log(-np.expm1(safe)), 0.0)
    with np.errstate(over="ignore"):
        odds = np.where(some, left / np.expm1(-safe), 0.0)
    return float(value.sum()), (stayed - odds) @ slope


# Coordinates of the search


def natural_parameters(phi: Floats) -> Floats:
    """Return alpha, beta, c from the coordinates log(alpha / beta), log(alpha + beta), log c."""
    both = np.exp(phi[1])
    return np.array([both / (1 + np.exp(-phi[0])), both / (1 + np.exp(phi[0])), np.exp(phi[2])])


def jacobian(theta: Floats) -> Floats:
    """Derivatives (3, 3) of alpha, beta and c by the coordinates."""
    alpha, beta, c = theta
    slope = alpha * beta / (alpha + beta)
    return np.array([[slope, alpha, 0], [-slope, beta, 0], [0, 0, c]], dtype=np.float64)


# Lifetimes


def has_infinite_mean(theta: Floats) -> bool:
    """Return whether the mean lifetime is infinite: S(t) falls like t**(-c alpha)."""
    return bool(theta[2] * theta[0] <= 1)


def lifetime(theta: Floats, first: int, until: float, discount: float) -> float:
    """Sum of S(t) exp(-discount (t - first)) from t = first up to, and without, `until`.

    Terms are added one by one as long as they change fast, the others by the formula of Euler and
    Maclaurin. `until` may be infinite where `discount` is above 0 or the mean is finite.
    """
    alpha, beta, c = (float(value) for value in theta)

    def log_term(t: ArrayLike) -> Floats:
        return log_survival(theta, t) - discount * (np.asarray(t, np.float64) - first)

    def edge(t: float) -> float:
        """Half the term less a twelfth of its slope: the excess of a sum over an integral."""
        x = np.asarray(t**c)
        slope = -float(digamma_rise(theta[1] + x, theta[0])) * float(x) * c / t - discount
        return float(np.exp(log_term(t))) * (0.5 - slope / 12)

    low = min(float(first + _DIRECT), until)
    total = float(np.exp(log_term(np.arange(first, low))).sum())
    if low == until or log_term(low) < -_FORGOTTEN:
        return total
    total += edge(low) - (edge(until) if until < np.inf else 0.0)
    if discount:
        return total + _integral(log_term, low, min(until, low + _FORGOTTEN / discount), c)
    power: float = (_TAIL * (1 + alpha + beta)) ** (1 / c)
    high = min(until, max(power, low))
    total += _integral(log_term, low, high, c)
    # Beyond it S(t) is a power of t; this counts only where the mean is close to infinite.
    term, fall = float(np.exp(log_term(high))) * high, alpha * c - 1
    if until < np.inf:
        length = float(np.log(until / high))
        steepness = fall * length
        return total + term * length * float(-np.expm1(-steepness) / steepness if steepness else 1)
    return total + term / fall


def _integral(log_term: Callable[[Floats], Floats], low: float, high: float, c: float) -> float:
    """Integrate over the logarithm of time, in which all is smooth, by Gauss and Legendre."""
    if high <= low:
        return 0.0
    nodes, weights = np.polynomial.legendre.leggauss(20)
    length = np.log(high / low)
    panels = int(np.ceil(2 * max(1.0, c) * length))
    half = length / panels / 2
    u = np.log(low) + half * (2 * np.arange(panels)[:, None] + 1 + nodes)
    return float((np.exp(log_term(np.exp(u)) + u) @ weights).sum() * half)
