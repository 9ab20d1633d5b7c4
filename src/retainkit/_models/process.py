"""The interface of processes of purchases: the formulas that each of their models has.

A living customer buys at random, at a rate of their own, and leaves at some time. The models differ
in when: after a purchase with a chance of their own (BG/NBD, MBG/NBD), or at any time (Pareto/NBD).
Everything here is of arrays.
"""
# ruff: noqa: N803, N806 - T is what the papers call it

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from retainkit._models.rows import RowDerivatives, RowPoints
from retainkit._typing import Floats, Integers

RowParameters: TypeAlias = tuple[float | Floats, ...]
"""The four parameters, each of all customers or of each of them."""

History: TypeAlias = tuple[Floats, Floats, Floats]
"""Repeat purchases x (whole), the time tx of the last (0 if there is none), the time T observed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistinctPairs:
    """The distinct pairs of x and T among histories, and the pair of each history.

    A living customer's future depends on them alone, and there are far fewer of them. Where
    customers have parameters of their own, those belong to what is distinct. `first` is the place
    of a history with each pair.
    """

    x: Floats
    T: Floats
    first: Integers
    code: Integers

    def of_rows(self, params: RowParameters) -> RowParameters:
        """Return the parameters of the pairs, of those of the histories."""
        return tuple(one[self.first] if isinstance(one, np.ndarray) else one for one in params)


def distinct_pairs(x: Floats, T: Floats, kind: Integers | None = None) -> DistinctPairs:
    """Find the distinct pairs of x and T, within each kind of customers."""
    _, by_x = np.unique(x, return_inverse=True)
    spans, by_T = np.unique(T, return_inverse=True)
    key = by_x * max(len(spans), 1) + by_T
    if kind is not None:
        key = key * (int(kind.max(initial=0)) + 1) + kind
    _, first, code = np.unique(key, return_index=True, return_inverse=True)
    return DistinctPairs(x=x[first], T=T[first], first=first, code=code)


class PurchaseProcess(ABC):
    """The formulas of a model of purchases.

    `params` are its four parameters and `t` a time ahead, all in one unit of time; `rate` is a
    continuous discount rate. `pairs` are those of x and T, where there are many histories.
    """

    __slots__ = ()

    @abstractmethod
    def adjusted(
        self, params: RowParameters, purchase: float | Floats, dropout: float | Floats
    ) -> RowParameters:
        """Return the parameters with what covariates add, to purchases and to leaving."""

    @abstractmethod
    def log_likelihood(self, params: RowParameters, history: History) -> Floats:
        """Log-likelihood of each customer."""

    @abstractmethod
    def derivatives(self, points: RowPoints, history: History) -> RowDerivatives:
        """Log-likelihood of each customer and its derivatives by the logarithms of `points`."""

    @abstractmethod
    def chance_alive(self, params: RowParameters, history: History, ahead: float = 0.0) -> Floats:
        """Probability that a customer has not left, and will not within a time ahead."""

    @abstractmethod
    def mean_purchases(
        self,
        params: RowParameters,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Expected purchases in (T, T + t]."""

    @abstractmethod
    def discounted_purchases(
        self,
        params: RowParameters,
        rate: float,
        t: float | Floats,
        history: History,
        pairs: DistinctPairs | None = None,
    ) -> Floats:
        """Like `mean_purchases`, each discounted to time T; `t` may be infinite."""

    @abstractmethod
    def mean_square(
        self, params: RowParameters, rate: float, t: float, history: History, pairs: DistinctPairs
    ) -> tuple[Floats, Floats]:
        """Mean sums over pairs of two purchases in (T, T + t], and over each with itself.

        Both are discounted, and add up to the mean square of the discounted purchases.
        """

    @abstractmethod
    def probability_purchase(
        self, params: RowParameters, t: float | Floats, history: History
    ) -> Floats:
        """Probability of a purchase in (T, T + t]."""

    @abstractmethod
    def time_to_purchase(
        self, params: RowParameters, q: float | Floats, history: History
    ) -> Floats:
        """Time after T by which that probability reaches q; NaN where it never does."""

    @abstractmethod
    def new_customer_purchases(self, params: RowParameters, t: ArrayLike) -> Floats:
        """Expected repeat purchases in (0, t] of a customer who first buys at time 0."""

    @abstractmethod
    def new_customer_discounted(self, params: RowParameters, rate: float, t: ArrayLike) -> Floats:
        """Like `new_customer_purchases`, each discounted to time 0; `t` may be infinite."""

    @abstractmethod
    def count_probabilities(self, params: RowParameters, n: ArrayLike, t: ArrayLike) -> Floats:
        """Probability that a customer who first buys at time 0 buys n times in (0, t]."""

    @abstractmethod
    def simulate(
        self, params: RowParameters, T: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Draw repeat purchases in (0, T] and the time of the last for customers who start at 0."""

    @abstractmethod
    def simulate_future(
        self, params: RowParameters, t: float, history: History, rng: np.random.Generator
    ) -> tuple[Integers, Floats]:
        """Draw purchases in (T, T + t]: the place of the customer of each, and its time after T."""
