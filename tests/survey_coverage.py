"""How often an interval of a score holds the truth, without any chance: every sample is weighed.

Of n answers there are (n + 1)(n + 2) / 2 outcomes, as many as there are ways to split n into
promoters, passives and detractors. Each has an exact probability under a mix that is known, and an
interval that either holds the score of that mix or does not. The probabilities of those that do add
up to the coverage. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from retainkit._stats.nps_differences import Sample

Floats = NDArray[np.float64]
Limits = Callable[[Floats, Floats, int, float], tuple[Floats, Floats]]
Mix = tuple[float, float]

ROUNDING = 1e-10  # a limit that is the truth itself holds it


def samples(n: int) -> tuple[Floats, Floats]:
    """Return the promoters and the detractors of every outcome of n answers."""
    x, y = np.indices((n + 1, n + 1)).reshape(2, -1)
    possible = x + y <= n
    return x[possible].astype(np.float64), y[possible].astype(np.float64)


def probabilities(n: int, mixes: Iterable[Mix]) -> Floats:
    """Return the multinomial probability of every outcome, a row for each mix."""
    x, y = samples(n)
    p, d = (column[:, None] for column in np.array(list(mixes)).T)
    ways = gammaln(n + 1) - gammaln(x + 1) - gammaln(y + 1) - gammaln(n - x - y + 1)
    rest = np.maximum(1 - p - d, 0)
    rest[rest < ROUNDING] = 0
    return np.asarray(np.exp(ways + xlogy(x, p) + xlogy(y, d) + xlogy(n - x - y, rest)))


def mixes_on_a_grid(steps: int = 40) -> list[Mix]:
    """Return shares of promoters and detractors on a grid, but for those where all answer alike."""
    shares = [(i / steps, j / steps) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return [mix for mix in shares if mix not in {(0, 0), (0, 1), (1, 0)}]


def coverage(limits: Limits, n: int, mixes: list[Mix], level: float = 0.95) -> Floats:
    """Return the probability that the interval of n answers holds the score, for each mix."""
    lower, upper = limits(*samples(n), n, level)
    truth = np.array([[p - d] for p, d in mixes])
    held = (lower <= truth + ROUNDING) & (truth - ROUNDING <= upper)
    return np.asarray((probabilities(n, mixes) * held).sum(axis=1))


def mean_width(limits: Limits, n: int, mixes: list[Mix], level: float = 0.95) -> float:
    """Return the mean width of the interval, over outcomes and mixes, in points."""
    lower, upper = limits(*samples(n), n, level)
    return 100 * float((probabilities(n, mixes) @ (upper - lower)).mean())


def difference_coverage(
    limits: Callable[[Sample, Sample, float], tuple[Floats, Floats]],
    sizes: tuple[int, int],
    mixes: tuple[Mix, Mix],
    level: float = 0.95,
) -> float:
    """Return the probability that the interval of a difference holds it, for two groups' mixes."""
    (x1, y1), (x2, y2) = (samples(n) for n in sizes)
    one, other = Sample(x1[:, None], y1[:, None], sizes[0]), Sample(x2, y2, sizes[1])
    lower, upper = limits(one, other, level)
    truth = (mixes[0][0] - mixes[0][1]) - (mixes[1][0] - mixes[1][1])
    held = (lower <= truth + ROUNDING) & (truth - ROUNDING <= upper)
    first, second = (probabilities(n, [mix])[0] for n, mix in zip(sizes, mixes, strict=True))
    return float(first @ held @ second)


def change_coverage(
    limits: Callable[[int, Floats, Floats, float], tuple[Floats, Floats]],
    pairs: int,
    joint: Floats,
    level: float = 0.95,
) -> float:
    """Return the probability that the interval of a mean change holds it, when all are asked twice.

    `joint` has the share of everybody who is in row i at first and in column j then, in the order
    of detractors, passives and promoters.
    """
    shares = np.array([np.trace(joint, offset) for offset in range(-2, 3)])
    moves = np.arange(-2, 3)
    counts = np.indices((pairs + 1,) * 4, np.int16).reshape(4, -1)
    counts = counts[:, counts.sum(axis=0) <= pairs]
    counts = np.vstack([counts, pairs - counts.sum(axis=0)]).astype(np.float64)
    ways = gammaln(pairs + 1) - gammaln(counts + 1).sum(axis=0)
    chance = np.exp(ways + xlogy(counts, shares[:, None]).sum(axis=0))
    lower, upper = limits(pairs, moves @ counts, moves**2 @ counts, level)  # type: ignore[arg-type]
    truth = moves @ shares
    return float(chance @ ((lower <= truth + ROUNDING) & (truth - ROUNDING <= upper)))
