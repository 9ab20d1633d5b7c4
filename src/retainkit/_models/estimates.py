"""The estimates of a model as arrays: positive parameters, and coefficients of covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._models.covariate_model import CovariateModel
from retainkit._models.model import Model
from retainkit._typing import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """The parameters of a model, `n_positive` of them, and behind them the coefficients.

    What is uncertain of a parameter is its logarithm: moves and variances are of logarithms of
    parameters, and of coefficients as they are. The covariance is NaN where it is not known.
    """

    point: Floats
    n_positive: int
    covariance: Floats

    @property
    def relative(self) -> Floats:
        """The covariance of the logarithms, and of the coefficients."""
        scale = np.ones(len(self.point))
        scale[: self.n_positive] = self.point[: self.n_positive]
        relative: Floats = self.covariance / np.outer(scale, scale)
        return relative

    def moved(self, moves: Floats) -> Floats:
        """Return the estimates after moves, which are the last axis."""
        positive = self.point[: self.n_positive] * np.exp(moves[..., : self.n_positive])
        others = self.point[self.n_positive :] + moves[..., self.n_positive :]
        return np.concatenate([positive, others], axis=-1)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Draw estimates from the normal distribution of what is uncertain: (n, P).

        Those whose variance is NaN are not varied.
        """
        relative = np.nan_to_num(self.relative, nan=0.0)
        zeros = np.zeros(len(self.point))
        return self.moved(rng.multivariate_normal(zeros, relative, n, method="eigh"))


def estimates_of(model: Model) -> Estimates:
    """Return the estimates of a model."""
    values = np.array([*model.parameters.values()])
    if isinstance(model, CovariateModel):
        values = np.append(values, model.coefficients)
    size = len(values)
    known = model.covariance
    return Estimates(
        point=values,
        n_positive=len(model.NAMES),
        covariance=np.full((size, size), np.nan) if known is None else np.array(known),
    )
