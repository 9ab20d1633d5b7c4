"""The base class of all models: parameters, their uncertainty, and conversion to and from JSON."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np

from retainkit import __version__
from retainkit._checks import as_float, boolean, integer, is_number, number, probability
from retainkit._messages import quoted
from retainkit._models.fields import (
    check_diagnostics,
    covariance_matrix,
    number_or_nan,
    positive,
)
from retainkit._models.notebook import html_table, significant
from retainkit._stats.intervals import normal_quantile
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    import pandas as pd

    # Loading SciPy's optimizer before its functions would take longer.
    from retainkit._models.fit import Fit


FORMAT = 2
"""Of the dictionaries that `to_dict` makes. Those of format 1 have neither it nor the version."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
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
        for name, value in self._checked().items():
            object.__setattr__(self, name, value)

    def _checked(self) -> dict[str, Any]:
        """Return the fields that are stored in another form than given, after a check of all."""
        found: dict[str, Any] = {name: positive(name, getattr(self, name)) for name in self.NAMES}
        if self.covariance is not None:
            size = len(self.NAMES) + self._n_coefficients()
            found["covariance"] = covariance_matrix("covariance", self.covariance, size)
        found["log_likelihood"] = number_or_nan("log_likelihood", self.log_likelihood)
        found["n_customers"] = number("n_customers", self.n_customers, 0)
        found["converged"] = boolean("converged", self.converged)
        check_diagnostics(to_json(self.diagnostics), len(self.NAMES))
        return found

    def _n_coefficients(self) -> int:
        """Return the number of coefficients of covariates, which come behind the parameters."""
        return 0

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Model):
            return NotImplemented
        return self._value() == other._value()

    def __hash__(self) -> int:
        return hash(self._value())

    def __repr__(self) -> str:
        values = {name: significant(value) for name, value in self.parameters.items()}
        return self._described(f"{name}={value}" for name, value in values.items())

    def _repr_html_(self) -> str:
        """Return the summary for a notebook."""
        return html_table(self._described().removesuffix("()"), self._estimates(0.95))

    def _described(self, values: Iterable[str] = ()) -> str:
        """Return the class, the number of customers and the unit, followed by `values`."""
        n, unit = self.n_customers, getattr(self, "unit", None)
        known = [f"{n:,.10g} {'customer' if n == 1 else 'customers'}"] if n else []
        known += [] if unit is None else [f"unit={unit!r}"]
        return f"{type(self).__name__}({', '.join([*known, *values])})"

    def _value(self) -> Hashable:
        """Return all fields as JSON has them, so that NaN equals NaN, in a form with a hash."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return type(self).__name__, frozen(to_json(own))

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self.NAMES}

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors of the parameters; NaN where one is not identified, or not fitted."""
        if self.covariance is None:
            return dict.fromkeys(self.NAMES, math.nan)
        variances = np.diag(np.array(self.covariance))[: len(self.NAMES)]
        return dict(zip(self.NAMES, np.sqrt(variances).tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's criterion, to compare models of the same data: less is better."""
        return 2 * self._n_estimated - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, to compare models of the same data: less is better."""
        if not self.n_customers:
            return math.nan
        return self._n_estimated * math.log(self.n_customers) - 2 * self.log_likelihood

    @property
    def _n_estimated(self) -> int:
        return len(self.NAMES) + self._n_coefficients()

    def summary(self, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Return the parameters with their standard errors and intervals.

        Parameters
        ----------
        confidence_level : float, default 0.95
            Coverage of the interval, between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            A row for each parameter: ``parameter`` (str), ``estimate`` (float),
            ``standard_error`` (float), ``lower`` and ``upper`` (float), which are those of the
            logarithm, so that they stay above 0.

        Examples
        --------
        >>> import pandas as pd
        >>> from retainkit import fit_sbg
        >>> retained = [1000, 631, 468, 382, 326, 289, 262, 241]
        >>> curve = pd.DataFrame({"age": range(8), "customers": 1000, "retained": retained})
        >>> model = fit_sbg(curve)
        >>> model.summary().round(3)
          parameter  estimate  standard_error  lower  upper
        0     alpha     0.704           0.066  0.587  0.845
        1      beta     1.182           0.152  0.918  1.522
        """
        import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

        return pd.DataFrame(self._estimates(probability("confidence_level", confidence_level)))

    def _estimates(self, confidence_level: float) -> dict[str, list[str] | Floats]:
        """Return the columns of the summary."""
        z = normal_quantile(confidence_level)
        estimate = np.array([*self.parameters.values()])
        error = np.array([*self.standard_errors.values()])
        with np.errstate(over="ignore"):  # infinity is what there is no limit to
            factor = np.exp(z * error / estimate)
        return {
            "parameter": list(self.NAMES),
            "estimate": estimate,
            "standard_error": error,
            "lower": estimate / factor,
            "upper": estimate * factor,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain values, for JSON: NaN becomes None.

        Beside the fields they say of which model they are (``model``), in which form (``format``)
        and by which version of retainkit they were written (``retainkit``).

        Returns
        -------
        dict
            Of numbers, texts, lists and dictionaries alone, as `from_dict` takes it.

        Examples
        --------
        >>> import json
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> text = json.dumps(model.to_dict())
        >>> BGNBD.from_dict(json.loads(text)) == model
        True
        """
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return saved_head("model", type(self).__name__) | {
            name: to_json(value) for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a model from the result of ``to_dict``, of this or of an earlier version.

        Parameters
        ----------
        values : dict
            What `to_dict` gave, through JSON or not.

        Returns
        -------
        Model
            A model of this class, equal to the one that was saved.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            If `values` is something else, or if a field is not what it must be; the message names
            it.

        Examples
        --------
        >>> from retainkit import SBG
        >>> SBG.from_dict({"model": "SBG", "alpha": 0.704, "beta": 1.182}).parameters
        {'alpha': 0.704, 'beta': 1.182}
        """
        return saved_model(cls, values)


def saved_head(head: str, kind: str) -> dict[str, Any]:
    """Return what `to_dict` of a class begins with: the class, the format and the version."""
    return {head: kind, "format": FORMAT, "retainkit": __version__}


def saved_fields(
    values: Any, kind: str, known: Sequence[str], needed: Sequence[str], *, head: str = "model"
) -> dict[str, Any]:
    """Return the fields of what `to_dict` of a class made, without a check of their values."""
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(
            f"`values` is {quoted(values)}; it must be a mapping, what {kind}.to_dict() gave.",
            argument="values",
        )
    given = dict(values)
    found = given.pop(head, kind)
    if not isinstance(found, str) or found != kind:
        name = quoted(found).strip("'")
        raise ArgumentError(
            f"`values` describes a {name} (`{head}`); it must be what {kind}.to_dict() gave.",
            argument="values",
            code="not_saved_so",
        )
    form = integer("format", given.pop("format", 1), 1)
    version = given.pop("retainkit", __version__)
    if not isinstance(version, str):
        raise ArgumentTypeError(
            f"`retainkit` is {quoted(version)}; it must be the version that wrote `values`.",
            argument="retainkit",
        )
    if form > FORMAT:
        raise ArgumentError(
            f"`format` is {quoted(form)}, and this version of retainkit ({__version__}) knows no "
            f"more than {FORMAT}; `values` was written by version {quoted(version)}: install that.",
            argument="format",
            code="unknown_format",
        )
    lacking = [name for name in needed if name not in given]
    extra = [name for name in given if name not in known]
    if lacking or extra:
        what = "lacks" if lacking else "has the unknown"
        raise ArgumentError(
            f"`values` {what} {', '.join(quoted(name) for name in (lacking or extra)[:4])}; it "
            f"must be what {kind}.to_dict() gave.",
            argument="values",
            code="not_saved_so",
        )
    return given


_FittedModel = TypeVar("_FittedModel", bound=Model)


def saved_model(kind: type[_FittedModel], values: Any) -> _FittedModel:
    """Build a model of what its `to_dict` made."""
    known = [one.name for one in fields(kind)]
    return kind(**saved_fields(values, kind.__name__, known, needed=kind.NAMES))


def model_from_fit(kind: type[_FittedModel], fit: Fit, **fields_of: Any) -> _FittedModel:
    """Build a model from its fit and its further fields, of which covariates have coefficients."""
    values = fit.parameters.tolist()[: len(kind.NAMES)]
    parameters = dict(zip(kind.NAMES, values, strict=True))
    return kind(**parameters, **fields_of, **fit_fields(fit))


def fit_fields(fit: Fit) -> dict[str, Any]:
    """Return the fields of a model that describe its fit."""
    return {
        "covariance": fit.covariance,
        "log_likelihood": float(fit.log_likelihood),
        "n_customers": float(fit.size),
        "converged": bool(fit.converged),
        "diagnostics": {"engine": "retainkit"} | fit.diagnostics,
    }


def to_json(value: Any) -> Any:
    """Return a value as plain ones of JSON: NaN as None."""
    if isinstance(value, Mapping):
        return {str(name): to_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    if is_dataclass(value):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return to_json(value.tolist())
    if is_number(value) and not isinstance(value, int):
        value = as_float(value)  # of a fraction, too
    return None if isinstance(value, float) and math.isnan(value) else value


def frozen(value: Any) -> Hashable:
    """Return plain values as tuples, of a mapping its pairs in the order of the keys."""
    if isinstance(value, dict):
        return tuple((name, frozen(value[name])) for name in sorted(value))
    return tuple(frozen(one) for one in value) if isinstance(value, list) else value
