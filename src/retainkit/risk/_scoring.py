"""The risk of customers by the coefficients of a model, its interval, and what it is owed to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats
from retainkit.risk._reasons import reason_texts
from retainkit.risk._snapshots import ENDING

with without_scipy_filters():
    from scipy.special import expit

_ROWS = 2**14  # that are worked on at once


def transformed(values: Floats, transform: str) -> Floats:
    """Return features as the model sees them, in the same array."""
    if transform == "log1p":
        # A few at a time, so that they stay in the processor's memory.
        for begin in range(0, values.shape[1], _ROWS):
            for one in values[:, begin : begin + _ROWS]:
                size = np.abs(one)
                np.copysign(np.log1p(size, out=size), one, out=one)
    return values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogOdds:
    """The log-odds of churn as a sum over features, with the covariance of its coefficients."""

    features: tuple[str, ...]
    imputed: tuple[str, ...]
    transform: str
    intercept: float
    coefficients: Floats
    means: Floats
    covariance: Floats

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that features are read from, each once."""
        return tuple(dict.fromkeys(self._column(name) for name in self.features))

    def _column(self, name: str) -> str:
        """Return the column that a feature is read from."""
        column = name.removesuffix(ENDING)
        return column if name != column and column in self.imputed else name

    def score(self, values: Floats, confidence_level: float, most: int) -> dict[str, Any]:
        """Compute the risk of customers, whose `columns` are the rows of `values`.

        `most` is the number of reasons that are given for it.
        """
        n, z = values.shape[1], normal_quantile(confidence_level)
        risk, lower, upper = np.empty(n), np.empty(n), np.empty(n)
        texts: list[str] = []
        columns = self.columns
        for begin in range(0, n, _ROWS):
            part = slice(begin, begin + _ROWS)
            x = self._design(values[:, part])
            # Added up one by one, which gives equal customers equal risks to the last digit; a
            # product of matrices does not.
            weighted = self.coefficients[:, np.newaxis] * x
            eta = reduce(np.add, weighted, np.full(x.shape[1], self.intercept))
            with_one = np.vstack([np.ones(x.shape[1]), x])
            variance = np.einsum("ij,ij->j", self.covariance @ with_one, with_one)
            half = z * np.sqrt(np.maximum(variance, 0))
            for out, odds in ((risk, eta), (lower, eta - half), (upper, eta + half)):
                out[part] = expit(odds)
            texts += reason_texts(columns, values[:, part], self._parts(x), most)
        return {"churn_risk": risk, "lower": lower, "upper": upper, "reasons": texts}

    def _design(self, values: Floats) -> Floats:
        """Return the features of customers, transformed, the mean in place of nulls."""
        x, lacks = transformed(values.copy(), self.transform), np.isnan(values)
        row = {name: i for i, name in enumerate(self.columns)}
        design = np.empty((len(self.features), values.shape[1]))
        for i, (name, mean) in enumerate(zip(self.features, self.means, strict=True)):
            own = row[self._column(name)]
            tells_nulls = self._column(name) != name
            design[i] = lacks[own] if tells_nulls else np.where(lacks[own], mean, x[own])
        return design

    def _parts(self, design: Floats) -> Floats:
        """Return what each column adds against the mean; where it is null belongs to it."""
        row = {name: i for i, name in enumerate(self.columns)}
        parts = self.coefficients[:, np.newaxis] * (design - self.means[:, np.newaxis])
        sums = np.zeros((len(row), design.shape[1]))
        for name, one in zip(self.features, parts, strict=True):
            sums[row[self._column(name)]] += one
        return sums
