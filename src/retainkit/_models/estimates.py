"""The estimates of a model as arrays: positive parameters, and coefficients of covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._models.covariate_model import CovariateModel
from retainkit._models.model import Model
from retainkit._typing import Booleans, Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """The parameters of a model, which are `positive`, and the coefficients, which are not.

    What is uncertain of a parameter is its logarithm: moves and variances are of logarithms of
    parameters, and of coefficients as they are. The covariance is NaN where it is not known.
    """

    point: Floats
    positive: Booleans
    covariance: Floats

    @property
    def relative(self) -> Floats:
        """The covariance of the logarithms, and of the coefficients."""
        scale = np.where(self.positive, self.point, 1.0)
        relative: Floats = self.covariance / np.outer(scale, scale)
        return relative

    def moved(self, moves: Floats) -> Floats:
        """Return the estimates after moves, which are the last axis."""
        factor = np.exp(np.where(self.positive, moves, 0.0))
        return np.where(self.positive, self.point * factor, self.point + moves)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Draw estimates from the normal distribution of what is uncertain: (n, P).

        Those whose variance is NaN are not varied.
        """
        relative = np.nan_to_num(self.relative, nan=0.0)
        zeros = np.zeros(len(self.point))
        return self.moved(rng.multivariate_normal(zeros, relative, n, method="eigh"))

    def beside(self, other: Estimates) -> Estimates:
        """Return the estimates of two models that were fitted apart, one behind the other."""
        n, size = len(self.point), len(self.point) + len(other.point)
        covariance = np.zeros((size, size))
        covariance[:n, :n], covariance[n:, n:] = self.covariance, other.covariance
        return Estimates(
            point=np.append(self.point, other.point),
            positive=np.append(self.positive, other.positive),
            covariance=covariance,
        )


def estimates_of(model: Model) -> Estimates:
    """Return the estimates of a model."""
    parameters = np.array([*model.parameters.values()])
    coefficients = model.coefficients if isinstance(model, CovariateModel) else np.empty(0)
    size = len(parameters) + len(coefficients)
    known = model.covariance
    return Estimates(
        point=np.append(parameters, coefficients),
        positive=np.arange(size) < len(parameters),
        covariance=np.full((size, size), np.nan) if known is None else np.array(known),
    )
