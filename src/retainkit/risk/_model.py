"""A model of churn risk: its coefficients, the risk of customers, and its way to JSON and back."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import integer, one_of, probability
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.input import Frame, collect, from_native
from retainkit._frames.join import table_in_engine, with_dates
from retainkit._frames.names import inner_name
from retainkit._frames.output import texts_like, to_native
from retainkit._inputs.columns import Column, check_not_reserved, read_columns
from retainkit._inputs.kinds import ID
from retainkit._inputs.nulls import nulls_in
from retainkit._messages import count_noun, quoted
from retainkit._models.fields import (
    Matrix,
    check_diagnostics,
    covariance_matrix,
    number_or_nan,
    positive,
)
from retainkit._models.model import frozen, saved_fields, saved_head, to_json
from retainkit._models.notebook import html_table
from retainkit._stats.intervals import normal_quantile
from retainkit.errors import ArgumentTypeError
from retainkit.risk._fields import finite, numbers, words
from retainkit.risk._scored import FLAG_OR_NUMBER
from retainkit.risk._scoring import LogOdds
from retainkit.risk._snapshots import check_finite, null_features, read_features
from retainkit.typing import FeatureTransform, IntoFrameT

if TYPE_CHECKING:
    import pandas as pd

INTERCEPT = "(intercept)"
_RESULT = ("churn_risk", "lower", "upper", "reasons")
_SNAPSHOT = Column("snapshot", replace(ID, owners=""), nulls="keep")
_NEEDED = ("features", "intercept", "coefficients", "means", "scales")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ChurnRisk:
    """A logistic model of the risk of churn, fitted by `fit_churn_risk`.

    Parameters
    ----------
    features : tuple of str
        The features that are used, in order. One that ends with ``_missing`` tells where an
        `imputed` one is null.
    intercept : float
        Log-odds where all features, transformed, are 0.
    coefficients : tuple of float
        Log-odds for one more of each feature, transformed but not standardised.
    means, scales : tuple of float
        Mean and standard deviation of each feature, transformed, in the rows of the fit.
    covariance : tuple of tuples of float, optional
        Covariance of the intercept and the coefficients, clustered by customer.
    n, n_customers, events : int
        Rows of the fit, their customers, and the rows with the outcome.
    log_likelihood : float
        Of the rows of the fit, without the penalty.
    transform : {"log1p", "none"}
        What is done to each feature first.
    imputed : tuple of str
        Features whose nulls are replaced by the mean.
    customer, snapshot : str
        Columns of the customer and of the instant of the snapshot.
    confidence_level : float
        Coverage of the intervals, between 0 and 1.
    diagnostics : mapping
        Facts about the fit, as plain values: ``converged``, ``iterations``, ``snapshots`` (how
        many), ``dropped`` (features that told nothing new), ``penalty``, ``errors`` (what kind).

    Examples
    --------
    >>> from retainkit import ChurnRisk
    >>> model = ChurnRisk(
    ...     features=("orders",), intercept=1.0, coefficients=(-1.0,), means=(0.7,),
    ...     scales=(0.4,),
    ... )
    >>> model
    ChurnRisk(1 feature)
    """

    features: tuple[str, ...]
    intercept: float
    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    covariance: Matrix | None = None
    n: int = 0
    n_customers: int = 0
    events: int = 0
    log_likelihood: float = math.nan
    transform: FeatureTransform = "log1p"
    imputed: tuple[str, ...] = ()
    customer: str = "customer_id"
    snapshot: str = "as_of"
    confidence_level: float = 0.95
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self._checked().items():
            object.__setattr__(self, name, value)

    def _checked(self) -> dict[str, Any]:
        """Return the fields that are stored in another form than given, after a check of all."""
        found: dict[str, Any] = {
            "features": words("features", self.features),
            "intercept": finite("intercept", self.intercept),
        }
        size = len(found["features"])
        for name in ("coefficients", "means", "scales"):
            found[name] = numbers(name, getattr(self, name), size)
        for i, one in enumerate(found["scales"]):
            positive(f"scales[{i}]", one)
        if self.covariance is not None:
            found["covariance"] = covariance_matrix("covariance", self.covariance, size + 1)
        for name in ("n", "n_customers", "events"):
            found[name] = integer(name, getattr(self, name), 0)
        found["log_likelihood"] = number_or_nan("log_likelihood", self.log_likelihood)
        one_of("transform", self.transform, get_args(FeatureTransform))
        found["imputed"] = words("imputed", self.imputed)
        for name in ("customer", "snapshot"):
            if not isinstance(getattr(self, name), str):
                raise ArgumentTypeError(
                    f"`{name}` is {quoted(getattr(self, name))}; it must be the name of a column.",
                    argument=name,
                )
        found["confidence_level"] = probability("confidence_level", self.confidence_level)
        check_diagnostics(to_json(self.diagnostics), size + 1)
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChurnRisk):
            return NotImplemented
        return self._value() == other._value()

    def __hash__(self) -> int:
        return hash(self._value())

    def _value(self) -> Hashable:
        """Return all fields as JSON has them, so that NaN equals NaN, in a form with a hash."""
        return frozen(to_json({one.name: getattr(self, one.name) for one in fields(self)}))

    def __repr__(self) -> str:
        known = [
            f"{count_noun(self.n, 'row')} of {count_noun(self.n_customers, 'customer')}",
            count_noun(self.events, "event"),
        ]
        parts = [*(known if self.n else []), count_noun(len(self.features), "feature")]
        return f"ChurnRisk({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return the coefficients for a notebook."""
        return html_table(repr(self), self._estimates())

    def coefficient_table(self) -> pd.DataFrame:
        """Return the coefficients with their standard errors and intervals.

        Returns
        -------
        pandas.DataFrame
            A row for the intercept, and one for each feature: ``feature`` (str), ``coefficient``
            (float), ``standard_error`` (float), clustered by customer, ``lower`` and ``upper``
            (float), Wald's interval, and ``odds_ratio_per_sd`` (float): by how much the odds of
            churn are multiplied where a feature, transformed, is a standard deviation higher. It
            is NaN for the intercept, and errors are NaN where there is no covariance.

        Examples
        --------
        >>> from retainkit import ChurnRisk
        >>> model = ChurnRisk(
        ...     features=("orders",), intercept=1.0, coefficients=(-1.0,), means=(0.7,),
        ...     scales=(0.4,),
        ...     covariance=((0.04, 0.0), (0.0, 0.01)),
        ... )
        >>> model.coefficient_table().round(2)
               feature  coefficient  standard_error  lower  upper  odds_ratio_per_sd
        0  (intercept)          1.0             0.2   0.61   1.39                NaN
        1       orders         -1.0             0.1  -1.20  -0.80               0.67
        """
        import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

        return pd.DataFrame(self._estimates())

    def _estimates(self) -> dict[str, Any]:
        """Return the columns of the table of coefficients."""
        estimate = np.array([self.intercept, *self.coefficients])
        error = np.sqrt(np.diag(self._log_odds().covariance))
        half = normal_quantile(self.confidence_level) * error
        with np.errstate(over="ignore"):  # infinity is what there is no limit to
            odds = np.exp(np.array(self.coefficients) * np.array(self.scales))
        return {
            "feature": [INTERCEPT, *self.features],
            "coefficient": estimate,
            "standard_error": error,
            "lower": estimate - half,
            "upper": estimate + half,
            "odds_ratio_per_sd": np.append(np.nan, odds),
        }

    def churn_risk(self, view: IntoFrameT, *, reasons: int = 3) -> IntoFrameT:
        r"""Return the risk of each customer, with its interval and what it is owed to.

        Parameters
        ----------
        view : IntoFrame
            One row a customer, or a customer and snapshot, with the customer and the features as in
            the fit; more columns are no matter: pandas, Polars (lazy too) or PyArrow, a DuckDB
            relation or a PySpark DataFrame.
        reasons : int, default 3
            How many features to name in ``reasons``, 0 or more.

        Returns
        -------
        DataFrame
            A row for each row of `view`, in its order and of its kind, in a lazy engine a table of
            that engine. pandas numbers its rows anew: join it to the view by its first columns.

            - that of the snapshot under its own name, if `view` has it, just as it is there.
            - that of the customer under its own name.
            - ``churn_risk`` (float): probability of churn within the horizon of the snapshots.
            - ``lower``, ``upper`` (float): interval of that expectation, made on the log-odds. It
              says how well the model knows the risk of such customers, not what one will do. NaN
              for a model without covariance.
            - ``reasons`` (str): ``"recency_days 41 (+0.8); orders_90d 0 (+0.6)"``: the features
              whose parts in the log-odds, against the mean of the fit, are largest in size, with
              their values. Parts that round to 0.0 are left out.

        Raises
        ------
        MissingColumnError
            If `view` lacks the customer or a feature (a `KeyError`).
        ColumnTypeError, ArgumentTypeError
            If a column or an argument is of the wrong type (a `TypeError`).
        ArgumentError
            If a customer is null, or a feature that had no nulls in the fit; if one is infinite (a
            `ValueError`).

        Examples
        --------
        One order is log(2) = .69 transformed: log-odds of 1 - .69 = .31, a risk of .576.

        >>> import pandas as pd
        >>> from retainkit import ChurnRisk
        >>> model = ChurnRisk(
        ...     features=("orders",), intercept=1.0, coefficients=(-1.0,), means=(0.7,),
        ...     scales=(0.4,),
        ... )
        >>> view = pd.DataFrame({"customer_id": ["ann", "bob"], "orders": [1, 9]})
        >>> model.churn_risk(view)[["customer_id", "churn_risk", "reasons"]].round(3)
          customer_id  churn_risk          reasons
        0         ann       0.576
        1         bob       0.214  orders 9 (-1.6)
        """
        most = integer("reasons", reasons, 0)
        log_odds = self._log_odds()
        columns = {f"feature_{i}": name for i, name in enumerate(log_odds.columns)}
        keys = self._keys(from_native(view, "view"), log_odds.columns)
        table = read_columns(
            view,
            "view",
            [_SNAPSHOT, Column("customer", ID, nulls="keep")]
            + [Column(one, FLAG_OR_NUMBER, nulls="keep") for one in columns],
            {**keys, **columns},
            argument_names=dict.fromkeys(columns, "view"),
        )
        rows = collect(table.rows)
        nulls = nulls_in(table, {"customer": int(rows["customer"].null_count())}, len(rows))
        if nulls is not None:
            raise nulls.error(drop=False)
        values = np.empty((len(columns), len(rows)))
        read_features(rows, values)
        check_finite(values, table)
        known = np.array([name in self.imputed for name in columns.values()])[:, np.newaxis]
        refused = null_features(np.isnan(values) & ~known, table)
        if refused is not None:
            raise refused.error(advice="Fill them in, or leave the rows out", drop=False)
        found = log_odds.score(values, self.confidence_level, most)
        texts = texts_like(table.given, "reasons", found.pop("reasons"))
        labels = {name: rows[argument] for argument, name in keys.items()}
        made = table_in_engine(from_native(view, "view"), {**labels, **found, "reasons": texts})
        schema = table.rows.collect_schema()
        dates = [name for argument, name in keys.items() if schema[argument] == nw.Date]
        return as_given(to_native(with_dates(made, dates)), view)

    def _keys(self, view: Frame, features: Sequence[str]) -> dict[str, str]:
        """Return the columns that tell the rows apart: the customer's, and a snapshot's if any."""
        keys = {"customer": self.customer}
        there = inner_name(view, self.snapshot) in view.collect_schema().names()
        if there and self.snapshot not in {self.customer, *features}:
            keys = {"snapshot": self.snapshot, **keys}
        for argument, name in keys.items():
            check_not_reserved(f"`{argument}`", [name], _RESULT)
        return keys

    def _log_odds(self) -> LogOdds:
        """Return what the log-odds are made of, as arrays; NaN for an unknown covariance."""
        size = len(self.features) + 1
        unknown = np.full((size, size), np.nan)
        return LogOdds(
            features=self.features,
            imputed=self.imputed,
            transform=self.transform,
            intercept=self.intercept,
            coefficients=np.array(self.coefficients, np.float64),
            means=np.array(self.means, np.float64),
            covariance=unknown if self.covariance is None else np.array(self.covariance),
        )

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
        >>> from retainkit import ChurnRisk
        >>> model = ChurnRisk(
        ...     features=("orders",), intercept=1.0, coefficients=(-1.0,), means=(0.7,),
        ...     scales=(0.4,),
        ... )
        >>> ChurnRisk.from_dict(json.loads(json.dumps(model.to_dict()))) == model
        True
        """
        values = {one.name: to_json(getattr(self, one.name)) for one in fields(self)}
        return saved_head("model", "ChurnRisk") | values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ChurnRisk:
        """Build a model from the result of ``to_dict``, of this or of an earlier version.

        Parameters
        ----------
        values : dict
            What `to_dict` gave, through JSON or not.

        Returns
        -------
        ChurnRisk
            A model equal to the one that was saved.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            If `values` is something else, or if a field is not what it must be; the message names
            it.

        Examples
        --------
        >>> from retainkit import ChurnRisk
        >>> saved = {"model": "ChurnRisk", "features": ["orders"], "intercept": 1.0}
        >>> saved |= {"coefficients": [-1.0], "means": [0.7], "scales": [0.4]}
        >>> ChurnRisk.from_dict(saved).coefficients
        (-1.0,)
        """
        known = [one.name for one in fields(cls)]
        return cls(**saved_fields(values, "ChurnRisk", known, needed=_NEEDED))
