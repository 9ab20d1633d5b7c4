"""The base class of all models: parameters, their uncertainty, and conversion to and from JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np

from retainkit._checks import probability
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

    # Loading SciPy's optimizer before its functions would take longer.
    from retainkit._models.fit import Fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with positive parameters, made of them alone or fitted.

    Parameters
    ----------
    covariance : tuple of tuples of float, optional
        Covariance matrix of the parameters, in their order; NaN where one is not identified.
    log_likelihood : float
        Of all customers, on the natural scale; NaN for a model that was not fitted.
    n_customers : float
        Customers, or the sum of their weights.
    converged : bool
        Whether the maximum was reached.
    diagnostics : mapping
        Facts about the fit, as plain values.
    """

    NAMES: ClassVar[tuple[str, ...]] = ()

    covariance: tuple[tuple[float, ...], ...] | None = None
    log_likelihood: float = math.nan
    n_customers: float = 0.0
    converged: bool = True
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise ArgumentError(f"`{name}` is {value!r}; it must be above 0, and finite.")

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self.NAMES}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors of the parameters; NaN where one is not identified, or not fitted."""
        if self.covariance is None:
            return dict.fromkeys(self.NAMES, math.nan)
        variances = np.diag(np.array(self.covariance))
        return dict(zip(self.NAMES, np.sqrt(variances).tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion, to compare models of the same data: less is better."""
        return 2 * len(self.NAMES) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, to compare models of the same data: less is better."""
        if not self.n_customers:
            return math.nan
        return len(self.NAMES) * math.log(self.n_customers) - 2 * self.log_likelihood

    def summary(self, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Return the parameters with their standard errors and intervals.

        Returns
        -------
        pandas.DataFrame
            A row for each parameter: ``parameter`` (str), ``estimate`` (float),
            ``standard_error`` (float), ``lower`` and ``upper`` (float), which are those of the
            logarithm, so that they stay above 0.
        """
        import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

        z = normal_quantile(probability("confidence_level", confidence_level))
        estimate = np.array([*self.parameters.values()])
        error = np.array([*self.standard_errors.values()])
        factor = np.exp(z * error / estimate)
        return pd.DataFrame(
            {
                "parameter": list(self.NAMES),
                "estimate": estimate,
                "standard_error": error,
                "lower": estimate / factor,
                "upper": estimate * factor,
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain values, for JSON: NaN becomes None."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"model": type(self).__name__} | {
            name: _to_json(value) for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a model from the result of `to_dict`."""
        given = dict(values)
        kind = given.pop("model", cls.__name__)
        known = {one.name for one in fields(cls)}
        if kind != cls.__name__ or not set(cls.NAMES) <= given.keys() <= known:
            raise ArgumentError(
                f"`values` describes a {kind} with {', '.join(map(repr, given))}; it must be what "
                f"{cls.__name__}.to_dict() gave."
            )
        if given.get("log_likelihood") is None:
            given["log_likelihood"] = math.nan
        if given.get("covariance") is not None:
            given["covariance"] = _nested_tuples(given["covariance"])
        return cls(**given)


def _nested_tuples(rows: Any) -> tuple[tuple[float, ...], ...]:
    """Return a matrix as tuples, with NaN for None."""
    return tuple(tuple(math.nan if v is None else float(v) for v in row) for row in rows)


_FittedModel = TypeVar("_FittedModel", bound=Model)


def model_from_fit(kind: type[_FittedModel], fit: Fit, **fields_of: Any) -> _FittedModel:
    """Build a model from its fit and its further fields."""
    parameters = dict(zip(kind.NAMES, fit.parameters.tolist(), strict=True))
    return kind(**parameters, **fields_of, **fit_fields(fit))


def fit_fields(fit: Fit) -> dict[str, Any]:
    """Return the fields of a model that describe its fit."""
    return {
        "covariance": _nested_tuples(fit.covariance.tolist()),
        "log_likelihood": float(fit.log_likelihood),
        "n_customers": float(fit.size),
        "converged": bool(fit.converged),
        "diagnostics": {"engine": "retainkit"} | fit.diagnostics,
    }


def parameter_array(model: Model) -> Floats:
    """Return the parameters as an array."""
    return np.array([*model.parameters.values()])


def covariance_of(model: Model) -> Floats:
    """Return the covariance of the parameters, NaN where it is not known."""
    size = len(model.NAMES)
    return np.full((size, size), np.nan) if model.covariance is None else np.array(model.covariance)


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _to_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _to_json(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value
