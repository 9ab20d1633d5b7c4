"""The race between the next purchase and leaving, each at a rate that differs between customers.

The one comes at a rate ~ Gamma(A, rate a), the other at a rate ~ Gamma(s, rate b): by the time t
neither has come with probability exp(-q(t)), q(t) = A log(1 + t / a) + s log(1 + t / b). Arrays
only, which are broadcast.

What happens in the race is an integral over v = 1 - exp(-q) of the chance that it is leaving that
comes at the time t, h = s / (s + A (b + t) / (a + t)). Where s is small, h falls from 1 to 0 in a
moment of v, but smoothly on a logarithmic scale of time, y = log(1 + t / min(a, b)): nodes are even
on q + y, on which neither exp(-q) nor h changes abruptly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retainkit._models.quadrature import gauss_legendre
from retainkit._typing import Floats

# Nodes by how far log(1 + t / min(a, b)) reaches: right to 1e-9 and mostly far beyond.
_NODES = ((2.0, 16), (4.0, 24), (8.0, 48), (16.0, 64), (np.inf, 96))
_DECIDED = 32.0  # q from which on what is left is one node, as it is
_SETTLED = 60.0  # log(1 + t / min(a, b)) from which on the chances are constant, likewise
_LARGEST = 700.0  # log of a time beyond which nothing changes any more, and which is still a number
_STEPS = 60
_CLOSE = 1e-13  # of a probability
_NEAR = 1e-8  # of a step after which the next one is rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class Race:
    """Races until the time t, which may be infinite."""

    A: float | Floats
    a: float | Floats
    s: float | Floats
    b: float | Floats
    t: float | Floats

    @cached_property
    def end(self) -> Floats:
        """The level of q at the end."""
        return self._rise(self.t)

    @cached_property
    def reach(self) -> Floats:
        """The level of v at the end: the probability that the race is decided by then."""
        reach: Floats = -np.expm1(-self.end)
        return reach

    def nodes(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield times, and the weights of functions of them in their mean over v."""
        end, reach, scale = self.end, self.reach, np.minimum(self.a, self.b)
        time = np.zeros(end.shape)
        last = np.where(end > _DECIDED, self._time_of(np.minimum(end, _DECIDED), time), self.t)
        last = np.minimum(last, scale * np.expm1(_SETTLED))
        length = self._rise(last) + np.log1p(last / scale)
        over = np.where(reach > 0, reach, 1.0)
        for node, weight in zip(*gauss_legendre(self._n_nodes()), strict=True):
            time = self._time_of(length * node, time, pace=1.0)
            left = np.exp(-length * node) * (1 + time / scale)  # exp(-q), by q + y
            steep = self._slope(time)
            density = length * left * steep / (1 + steep) / over
            yield time, weight * np.where(reach > 0, density, 1.0)
        yield last, (np.exp(-self._rise(last)) - np.exp(-end)) / over

    def _n_nodes(self) -> int:
        """Return how many nodes the widest of the races needs."""
        width = np.max(np.log1p(self.t / np.minimum(self.a, self.b)), initial=0.0)
        return next(number for most, number in _NODES if width <= most)

    def leaves(self, time: Floats) -> Floats:
        """Return the chance that it is leaving that comes at a time, if one of the two does."""
        ratio = self.A * (self.b + time) / (self.a + time)
        chance: Floats = self.s / (self.s + ratio)
        return chance

    def buys(self, time: Floats) -> Floats:
        """Return the chance that it is a purchase that comes at a time, if one of the two does."""
        ratio = self.s * (self.a + time) / (self.b + time)
        chance: Floats = self.A / (self.A + ratio)
        return chance

    def purchase(self) -> Floats:
        """Return the probability that a purchase comes before leaving, and before the end."""
        return self.reach * self.mean(self.buys)

    def mean(self, chance: Callable[[Floats], Floats]) -> Floats:
        """Return the mean over v of a function of time."""
        total = np.zeros(self.end.shape)
        for time, weight in self.nodes():
            total += weight * chance(time)
        return total

    def time_of_purchase(self, share: Floats) -> Floats:
        """Return the time by which a purchase comes with a probability; NaN where it never does.

        As a function of v the probability has the slope `buys`, between 0 and 1: Newton's steps,
        kept between bounds that come closer.
        """
        share = np.broadcast_to(share, self.end.shape)
        reached = share < self.purchase()
        low, high = np.zeros(share.shape), np.ones(share.shape)
        v = np.where(reached, share, 0.0)  # not beyond, for the slope is 1 at most
        time = np.zeros(share.shape)
        for _ in range(_STEPS):
            time = self._time_of(-np.log1p(-v), 0.0)
            until = Race(A=self.A, a=self.a, s=self.s, b=self.b, t=time)
            short = np.where(reached, share - until.purchase(), 0.0)
            low, high = np.where(short > 0, v, low), np.where(short < 0, v, high)
            moved = v + short / self.buys(time)
            inside = (moved > low) & (moved < high)
            moved = np.where(inside | (short == 0), moved, (low + high) / 2)
            if np.all(np.abs(moved - v) <= _CLOSE * (1 - v)):
                break
            v = moved
        return np.where(reached, time, np.nan)

    def _rise(self, time: float | Floats) -> Floats:
        """Return q at a time."""
        rise = self.A * np.log1p(time / self.a) + self.s * np.log1p(time / self.b)
        return np.asarray(rise, np.float64)

    def _slope(self, time: Floats) -> Floats:
        """Return the slope of q by y = log(1 + t / min(a, b)) at a time."""
        since = np.minimum(self.a, self.b) + time
        slope: Floats = since * (self.A / (self.a + time) + self.s / (self.b + time))
        return slope

    def _time_of(self, level: Floats, before: float | Floats, pace: float = 0.0) -> Floats:
        """Return the time at which q + `pace` y reaches a level; it did not before an earlier time.

        As a function of y = log(1 + t / min(a, b)) q is convex: Newton's steps come from the right.
        """
        scale = np.minimum(self.a, self.b)
        near_a, near_b = scale / self.a, scale / self.b
        y = np.log1p(before / scale)
        for _ in range(_STEPS):
            grown = np.expm1(y)
            by_a, by_b = 1 + near_a * grown, 1 + near_b * grown
            short = level - self.A * np.log(by_a) - self.s * np.log(by_b) - pace * y
            slope = (1 + grown) * (self.A * near_a / by_a + self.s * near_b / by_b) + pace
            step = np.clip(y + short / slope, 0.0, _LARGEST) - y
            y = y + step
            if np.all(np.abs(step) <= _NEAR * (1 + y)):
                break
        time: Floats = scale * np.expm1(y)
        return time
