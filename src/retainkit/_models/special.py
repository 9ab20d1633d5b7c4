"""Integrals over the drop-out probability, and rising factorials: arrays only."""
# ruff: noqa: PLR0917 - the arguments are those of the formulas, in their order

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from retainkit._models.quadrature import Estimate, gauss_legendre, refine
from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers

with without_scipy_filters():
    from scipy.special import betaln, digamma, gammaln, polygamma

# Sizes of the Gauss rules over p and over t. Each is tried where the two before it disagree. Not
# above 25, where eigh becomes many times slower, and on a busy machine a thousand times.
_SIZES = (8, 12, 18, 24)
_SIZES_IN_TIME = (6, 9, 13, 18, 26, 40, 60, 90, 140, 200)
# Step of the trapezoidal rule over logit p: its error is about exp(-pi**2 / step) = 5e-16.
_LOGIT_STEP = 0.28
# Parts of an integrand below the exponential of minus this are left out.
_NEGLIGIBLE_EXPONENT = 32.0
# Elements in one block: the arrays in use stay within the cache.
_BLOCK_ELEMENTS = 2**14
# Points in time at once, in the rules over t.
_POINTS = 2**20
# Rising factorials are summed up to this n; beyond, they come from the gamma function.
_LONGEST_SUM = 2**20


def purchases_if_alive(
    t: ArrayLike, r: ArrayLike, alpha: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Floats:
    """Purchases within `t` expected of a customer who is alive.

    G(t) = E[(1 - (1 + p t / alpha)**-r) / p] with p ~ Beta(a, b) the probability to drop out
    after a purchase. The integrand is smooth, also at a = 1 and at a + b = 1, where the closed
    form (Fader, Hardie & Lee 2005, eq. 9 and 10) has 0 / 0.
    """
    rules = _rules(a, b)
    z = np.asarray(t, np.float64) / np.asarray(alpha, np.float64)
    z, r, pair = np.broadcast_arrays(z, np.asarray(r, np.float64), rules.pair)
    return _living(z.ravel(), r.ravel(), pair.ravel(), rules).reshape(z.shape)


def discounted_purchases_if_alive(
    rate: ArrayLike, t: ArrayLike, r: ArrayLike, alpha: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Floats:
    """Purchases within `t` expected of a customer who is alive, each discounted to now.

    D(t) = int_0^t exp(-rate s) dG(s), and by parts, so that all terms are positive,
    D(t) = exp(-rate t) G(t) + rate int_0^t exp(-rate s) G(s) ds. `t` may be infinite.
    """
    rules = _rules(a, b)
    arrays = (np.asarray(value, np.float64) for value in (rate, t, r, alpha))
    rate, t, r, alpha, pair = np.broadcast_arrays(*arrays, rules.pair)
    problem = _Discounted(
        rate=rate.ravel(),
        t=t.ravel(),
        r=r.ravel(),
        alpha=alpha.ravel(),
        pair=pair.ravel(),
        rules=rules,
    )
    return problem.solve().reshape(t.shape)


def stays_if_alive(
    t: ArrayLike, r: ArrayLike, alpha: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Floats:
    """Probability that a customer who is alive still is after `t`: E[(1 + p t / alpha)**-r].

    It is 1 less the mean of p times the integrand of G, which is G of Beta(a + 1, b) times E[p].
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    left = a / (a + b) * purchases_if_alive(t, r, alpha, a + 1, b)
    stays: Floats = np.maximum(1 - left, 0.0)
    return stays


def log_rising(c: ArrayLike, n: Floats) -> Floats:
    """Log of the rising factorial c (c + 1) ... (c + n - 1), for whole n.

    As in the two that follow, numbers c either have a last axis of 1, and then there is a value for
    each of them and each n, or one as long as n, and then there is one for each pair.
    """
    c = np.asarray(c, np.float64)
    if _summable(n):
        return _sums(lambda j, c: np.log(c + j), n, c)
    difference: Floats = gammaln(c + n) - gammaln(c)
    return difference


def log_rising_ratio(b: ArrayLike, a: ArrayLike, n: Floats) -> Floats:
    """Log of B(a, b + n) / B(a, b), the chance to survive n drop-outs of probability Beta(a, b)."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    if _summable(n):
        # Term by term, for gammaln of a large a + b has no digits left for the difference.
        return _sums(lambda j, a, b: np.log1p(-a / (a + b + j)), n, a, b)
    return np.asarray(betaln(a, b + n) - betaln(a, b), np.float64)


def rising_derivatives(c: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Log of the rising factorials, and its first and second derivatives by log c.

    Of the terms log(c + j) these add up c / (c + j) and c j / (c + j)^2.
    """
    if _summable(n):

        def terms(j: Floats, c: Floats) -> Floats:
            share = c / (c + j)
            return np.stack([np.log(c + j), share, share * (1 - share)])

        value, first, second = _sums(terms, n, c)
        return value, first, second
    value = gammaln(c + n) - gammaln(c)
    first = c * (digamma(c + n) - digamma(c))
    return value, first, first + c**2 * (polygamma(1, c + n) - polygamma(1, c))


def _summable(n: Floats) -> bool:
    return bool(n.max(initial=0) <= _LONGEST_SUM and np.all(n == np.floor(n)))


def _sums(terms: Callable[..., Floats], n: Floats, *numbers: Floats) -> Floats:
    """Return sums of the terms of j = 0, ..., n - 1, of each number and n or of each pair."""
    if numbers[0].ndim and numbers[0].shape[-1] > 1:
        return _sums_by_pair(terms, n, *numbers)
    found = terms(np.arange(n.max(initial=0)), *numbers)
    sums = np.zeros((*found.shape[:-1], found.shape[-1] + 1))
    np.cumsum(found, axis=-1, out=sums[..., 1:])
    return sums.take(n.astype(np.int64), axis=-1)


def _sums_by_pair(terms: Callable[..., Floats], n: Floats, *numbers: Floats) -> Floats:
    """Return the sums of the terms of each number and its own n: as many terms as n add up to."""
    order = np.argsort(-n, kind="stable")
    numbers = tuple(one[..., order] for one in numbers)
    longer = len(n) - np.searchsorted(n[order][::-1], np.arange(n.max(initial=0)), side="right")
    sums = np.zeros(terms(np.float64(0), *numbers).shape)
    for j, m in enumerate(longer.tolist()):
        sums[..., :m] += terms(np.float64(j), *(one[..., :m] for one in numbers))
    found = np.empty_like(sums)
    found[..., order] = sums
    return found


# Rules over the drop-out probability


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """Rules of quadrature for the distinct Beta(a, b); `pair` is the rule of each element."""

    a: Floats
    b: Floats
    pair: Integers
    made: dict[int, tuple[Integers, Floats, Floats]] = field(default_factory=dict)

    def gauss(self, n: int, pair: Integers) -> tuple[Integers, Floats, Floats]:
        """Return the column of each pair, and as columns the nodes and weights / nodes."""
        needed = np.zeros(self.a.size, bool)
        needed[pair] = True
        if n in self.made and not (needed & (self.made[n][0] < 0)).any():
            return self.made[n]
        chosen = np.flatnonzero(needed)
        where = np.full(self.a.size, -1)
        where[chosen] = np.arange(chosen.size)
        nodes, weights = _gauss_beta(n, self.a[chosen], self.b[chosen])
        self.made[n] = where, nodes.T.copy(), (weights / nodes).T.copy()
        return self.made[n]


def _rules(a: ArrayLike, b: ArrayLike) -> _Rules:
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    distinct, pair = np.unique(a + 1j * b, return_inverse=True)
    return _Rules(a=distinct.real.copy(), b=distinct.imag.copy(), pair=pair.reshape(a.shape))


def _gauss_beta(n: int, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights for the mean over Beta(a, b), one row a pair (Golub & Welsch 1969).

    The eigenvalues of the Jacobi matrix and the squares of the first components of its
    eigenvectors: weights that add up to 1 whatever a and b, without gamma functions.
    """
    a, b = a[:, None], b[:, None]
    s, k = a + b, np.arange(1.0, n)
    matrix = np.zeros((a.size, n, n))
    # The recurrence of the Jacobi polynomials, moved from (-1, 1) to (0, 1); mean and variance
    # of the distribution come first, apart, for they are 0 / 0 here where s is 2 or 1.
    diagonal = (2 * k * (k + s - 1) + a * (s - 2)) / ((2 * k + s - 2) * (2 * k + s))
    matrix[:, range(n), range(n)] = np.hstack((a / s, diagonal))
    k = k[1:]
    product = k * (k + a - 1) * (k + b - 1) * (k + s - 2)
    square = product / ((2 * k + s - 2) ** 2 * (2 * k + s - 1) * (2 * k + s - 3))
    beside = np.sqrt(np.hstack((a * b / (s**2 * (s + 1)), square)))
    matrix[:, range(1, n), range(n - 1)] = beside  # eigh reads the lower triangle
    nodes, vectors = np.linalg.eigh(matrix)
    return np.clip(nodes, 1e-300, 1.0), vectors[:, 0, :] ** 2


def _living(z: Floats, r: Floats, pair: Integers, rules: _Rules) -> Floats:
    """G for z = t / alpha."""

    def gauss(n: int) -> Estimate:
        return lambda rows: _by_gauss(n, z[rows], r[rows], pair[rows], rules)

    value, left = refine(map(gauss, _SIZES), z.size)
    infinite = np.isinf(z[left])
    rows = left[infinite]
    value[rows] = _purchases_until_dropout(rules.a[pair[rows]], rules.b[pair[rows]])
    rows = left[~infinite]
    value[rows] = _by_trapezoids(z[rows], r[rows], pair[rows], rules)
    return value


def _purchases_until_dropout(a: Floats, b: Floats) -> Floats:
    """Purchases until drop-out, E[1 / p]: infinite where too many customers hardly drop out."""
    with np.errstate(divide="ignore"):
        ever: Floats = np.where(a > 1, (a + b - 1) / np.maximum(a - 1, 0), np.inf)
    return ever


def _by_gauss(n: int, z: Floats, r: Floats, pair: Integers, rules: _Rules) -> Floats:
    where, nodes, weights = rules.gauss(n, pair)
    value = np.empty(z.size)
    for start in range(0, z.size, _BLOCK_ELEMENTS // n):
        block = slice(start, start + _BLOCK_ELEMENTS // n)
        rule = where[pair[block]]
        # E[(1 - (1 + p z)**-r) / p]
        power = nodes.take(rule, axis=1)
        power *= z[block]
        np.log1p(power, out=power)
        power *= -r[block]
        np.expm1(power, out=power)
        power *= weights.take(rule, axis=1)
        value[block] = -power.sum(axis=0)
    return value


def _by_trapezoids(z: Floats, r: Floats, pair: Integers, rules: _Rules) -> Floats:
    """G by the trapezoidal rule over w = logit p, for whatever z.

    In w the integrand is analytic, and bounded, up to a distance of pi / 2 from the real line.
    That its tails are short too, f(p) = (1 - (1 + p z)**-r) / p is replaced twice by a mean of
    positive terms, E_{a,b}[f] = E_{a+1,b}[h] with h(p) = f(p) - (1 - p) f'(p) / (a + b), used
    for a < 1, and E_{a,b}[h] = h(1) + b / (a + b) E_{a,b+1}[(h(p) - h(1)) / (1 - p)].
    """
    value = np.empty(z.size)
    chosen, pair = np.unique(pair, return_inverse=True)
    order = np.argsort(pair, kind="stable")
    begins = np.searchsorted(pair[order], np.arange(chosen.size + 1))
    a, b = rules.a[chosen], rules.b[chosen]
    raised = a < 1
    # From p = 1 to p = 0, f grows by a factor of about (r + 1) z at most, and f' by its square.
    drop = _NEGLIGIBLE_EXPONENT + (1 + raised) * np.log1p((z * (r + 1)).max(initial=0))
    ends = _logit_ends(a + raised, b + 1, drop)
    for i in range(chosen.size):
        rows = order[begins[i] : begins[i + 1]]
        value[rows] = _trapezoids(z[rows], r[rows], float(a[i]), float(b[i]), ends[:, i])
    return value


def _trapezoids(z: Floats, r: Floats, a: float, b: float, ends: Floats) -> Floats:
    raised = a < 1
    p, q, weight = _logit_rule(a + raised, b + 1, ends)
    last = -np.expm1(-r * np.log1p(z))  # h(1) = f(1)
    value = np.empty(z.size)
    share = q / p / (a + b) if raised else np.zeros(p.size)
    of_f, at_weight = (1 + share) / p, weight / q
    size = max(_BLOCK_ELEMENTS // p.size, 1)
    for start in range(0, z.size, size):
        block = slice(start, start + size)
        zs, rs = z[block, None], r[block, None]
        pz = p * zs
        power = np.log1p(pz)
        power *= -rs
        pf = -np.expm1(power, out=power)
        h = pf * of_f
        if raised:
            # - (1 - p) f'(p) / (a + b), where p f'(p) = r z (1 + p z)**-(r + 1) - f(p)
            h -= share * ((rs * zs) * (1 - pf) / (1 + pz))
        h -= last[block, None]
        value[block] = h @ at_weight
    return last + b / (a + raised + b) * value


def _logit_ends(a: Floats, b: Floats, drop: Floats) -> Floats:
    """Find where, left and right, p**a (1 - p)**b is exp(-drop) of its greatest: two logits."""
    top, sign = np.log(a / b), np.array([[-1.0], [1.0]])
    inner, outer = np.zeros((2, a.size)), 2 + 2 * drop / np.array([a, b]) + abs(top) + drop
    for _ in range(40):  # bisection
        middle = (inner + outer) / 2
        far = _below_top(a, b, top + sign * middle) > drop
        inner, outer = np.where(far, inner, middle), np.where(far, middle, outer)
    ends: Floats = top + sign * outer
    return ends


def _below_top(a: ArrayLike, b: ArrayLike, w: Floats) -> Floats:
    """Measure how far log(p**a (1 - p)**b) at w = logit p is below its greatest value."""
    a, b = np.asarray(a), np.asarray(b)
    top = np.log(a / b)
    fall: Floats = (a + b) * (np.logaddexp(0, w) - np.logaddexp(0, top)) - a * (w - top)
    return fall


def _logit_rule(a: float, b: float, ends: Floats) -> tuple[Floats, Floats, Floats]:
    """Nodes p, 1 - p and weights for the mean over Beta(a, b), evenly spaced in logit p."""
    # The peak is about sqrt(1 / a + 1 / b) wide.
    step = min(_LOGIT_STEP, 0.5 * np.sqrt(1 / a + 1 / b))
    w = np.linspace(ends[0], ends[1], 2 + int((ends[1] - ends[0]) / step))
    weight = np.exp(-_below_top(a, b, w))
    return 1 / (1 + np.exp(-w)), 1 / (1 + np.exp(w)), weight / weight.sum()


# Discounting


@dataclass(frozen=True, slots=True, kw_only=True)
class _Discounted:
    """The arguments of `discounted_purchases_if_alive` as flat arrays."""

    rate: Floats
    t: Floats
    r: Floats
    alpha: Floats
    pair: Integers
    rules: _Rules

    def solve(self) -> Floats:
        """Compute D for all elements."""
        discounted, infinite = self.rate > 0, np.isinf(self.t)
        value = np.zeros(self.t.size)
        # exp(-rate t) G(t), the first term; the only one where nothing is discounted.
        rows = np.flatnonzero(~(discounted & infinite))
        value[rows] = self._purchases(self.t[rows], rows)
        rows = np.flatnonzero(discounted & ~infinite)
        value[rows] *= np.exp(-self.rate[rows] * self.t[rows])

        discounted &= self.t > 0
        long = self.t > 1 / np.where(discounted, self.rate, 1)
        for rows, sizes in (
            (np.flatnonzero(discounted & ~long), _SIZES_IN_TIME),
            (np.flatnonzero(discounted & long), _SIZES_IN_TIME[3:]),
        ):
            value[rows] = self._both_terms(sizes, rows, value[rows])
        return value

    def _both_terms(self, sizes: tuple[int, ...], rows: Integers, first: Floats) -> Floats:
        """Add the second term, by finer and finer rules until the sum of the two is settled."""

        def gauss(n: int) -> Estimate:
            return lambda left: first[left] + self._accrued(*gauss_legendre(n), rows[left])

        value, _ = refine(map(gauss, sizes), rows.size)
        return value

    def _accrued(self, share: Floats, weight: Floats, rows: Integers) -> Floats:
        """Integrate rate exp(-rate s) G(s) over s, from 0 to t.

        As an integral over v = log(1 + s / c), where G has no singularity within a distance of
        pi from the real line if c is no more than alpha, and bends at about v = 1 with this c.
        """
        value = np.empty(rows.size)
        size = _POINTS // share.size
        for start in range(0, rows.size, size):
            some = rows[start : start + size]
            rate, scale = self.rate[some, None], self._scale(some)[:, None]
            # Purchases after rate t = 40 are discounted to nothing, exp(-40).
            end = np.log1p(np.minimum(self.t[some, None], 40 / rate) / scale)
            grown = np.expm1(end * share)
            points = scale * grown
            purchases = self._purchases(points.ravel(), np.repeat(some, share.size))
            inside = np.exp(-rate * points) * purchases.reshape(points.shape) * (1 + grown)
            value[start : start + size] = (rate * scale * end)[:, 0] * (inside @ weight)
        return value

    def _scale(self, rows: Integers) -> Floats:
        a, b = self.rules.a[self.pair[rows]], self.rules.b[self.pair[rows]]
        return self.alpha[rows] / (1 + self.r[rows] * a / (a + b))

    def _purchases(self, t: Floats, rows: Integers) -> Floats:
        return _living(t / self.alpha[rows], self.r[rows], self.pair[rows], self.rules)
