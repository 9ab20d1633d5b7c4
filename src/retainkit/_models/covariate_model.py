"""The base class of models with covariates: their coefficients, and what they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from retainkit._checks import probability
from retainkit._models.covariates import Covariate, check_coded_alike, checked_covariates
from retainkit._models.model import Model
from retainkit._scipy import without_scipy_filters
from retainkit._stats.intervals import normal_quantile, ratio
from retainkit._typing import Floats

with without_scipy_filters():
    from scipy.special import ndtr

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CovariateModel(Model):
    """A model in which covariates may act on some processes."""

    PROCESSES: ClassVar[Mapping[str, str]] = {}
    """The fields of the covariates, by process."""

    def _checked(self) -> dict[str, Any]:
        covariates = {
            name: checked_covariates(name, getattr(self, name)) for name in self.PROCESSES.values()
        }
        check_coded_alike(covariates)
        for name, value in covariates.items():  # the covariance is as large as all of them
            object.__setattr__(self, name, value)
        return super(CovariateModel, self)._checked() | covariates

    def _n_coefficients(self) -> int:
        return len(self.coefficients)

    def _described(self, values: Iterable[str] = ()) -> str:
        names = {field: [one.name for one in getattr(self, field)] for field in _fields(self)}
        shown = [f"{field}={found}" for field, found in names.items() if found]
        return super(CovariateModel, self)._described([*values, *shown])

    @property
    def covariates_by_process(self) -> dict[str, tuple[Covariate, ...]]:
        """The covariates that act on each process."""
        return {process: getattr(self, name) for process, name in self.PROCESSES.items()}

    @property
    def coefficients(self) -> Floats:
        """The coefficients of all covariates, process by process."""
        every = [one for some in self.covariates_by_process.values() for one in some]
        return np.array([value for one in every for value in one.coefficients], np.float64)

    @property
    def has_covariates(self) -> bool:
        """Return whether customers differ by covariates."""
        return any(self.covariates_by_process.values())

    def effects(self, *, confidence_level: float = 0.95) -> pd.DataFrame:
        r"""Return what each covariate does: coefficients, and ratios with their intervals.

        Parameters
        ----------
        confidence_level : float, default 0.95
            Coverage of the interval, between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            A row for each level of words, number or boolean, and process:

            - ``process`` (str): ``"purchase"``, ``"dropout"`` or ``"spend"``.
            - ``covariate`` (str): the column.
            - ``level``, ``reference`` (str): what is compared with what: levels, True with False,
              or of a number one unit more than the reference.
            - ``n`` (float): customers of the fit with that level; of a number all.
            - ``coefficient``, ``standard_error``, ``lower``, ``upper`` (float): the change of the
              logarithm, with a Wald interval; NaN where it is not identified.
            - ``ratio``, ``ratio_lower``, ``ratio_upper`` (float): their exponentials: how many
              times as high the rate of purchase is, the rate of leaving or the spend. Of BG/NBD and
              MBG/NBD the ratio of ``"dropout"`` is one of odds, those of the mean probability to
              drop out after a purchase.
            - ``p_value`` (float): of the Wald test that there is no effect.

        Examples
        --------
        In CDNOW, whose first order is above 30 dollars buys almost twice as often:

        >>> from retainkit import datasets, fit_bg_nbd, rfm_summary
        >>> orders = datasets.load_cdnow(sample=True)
        >>> orders = orders[orders["time"] < "1997-10-01"]
        >>> options = {"amount": "amount", "unit": "week", "exact": True, "as_of": "1997-10-01"}
        >>> summary = rfm_summary(orders, **options, keep_first="amount")
        >>> summary["big"] = summary["first_amount"] > 30
        >>> model = fit_bg_nbd(summary, purchase_covariates="big")
        >>> shown = ["process", "covariate", "n", "ratio", "ratio_lower", "ratio_upper"]
        >>> model.effects()[shown].round(2)
            process covariate      n  ratio  ratio_lower  ratio_upper
        0  purchase       big  844.0   1.89         1.54         2.33
        """
        import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

        z = normal_quantile(probability("confidence_level", confidence_level))
        rows = [
            (process, one.name, *compared)
            for process, covariates in self.covariates_by_process.items()
            for one in covariates
            for compared in _comparisons(one)
        ]
        names = ("process", "covariate", "level", "reference")
        words = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        coefficient, error = self.coefficients, self._coefficient_errors()
        lower, upper = coefficient - z * error, coefficient + z * error
        with np.errstate(over="ignore"):  # infinity is what there is no limit to
            ratios = {
                "ratio": np.exp(coefficient),
                "ratio_lower": np.exp(lower),
                "ratio_upper": np.exp(upper),
            }
        return pd.DataFrame(
            {
                **words,
                "n": np.array([row[-1] for row in rows], np.float64),
                "coefficient": coefficient,
                "standard_error": error,
                "lower": lower,
                "upper": upper,
                **ratios,
                "p_value": 2 * ndtr(-abs(ratio(coefficient, error))),
            }
        )

    def _coefficient_errors(self) -> Floats:
        """Return the standard errors of the coefficients; NaN where one is not known."""
        size = len(self.coefficients)
        if self.covariance is None:
            return np.full(size, np.nan)
        variances = np.diag(np.array(self.covariance))[len(self.NAMES) :]
        errors: Floats = np.sqrt(variances)
        return errors


def _fields(model: CovariateModel) -> Iterable[str]:
    return model.PROCESSES.values()


def _comparisons(covariate: Covariate) -> list[tuple[str, str, float]]:
    """Return the level, the reference and the customers of each coefficient."""
    reference, customers = covariate.reference, covariate.customers
    if isinstance(reference, str):
        known = customers[1:] or [np.nan] * len(covariate.levels)
        return [(one, reference, n) for one, n in zip(covariate.levels, known, strict=True)]
    n = customers[-1] if customers else np.nan
    if isinstance(reference, bool):
        return [("True", "False", n)]
    return [(f"{reference + 1:g}", f"{reference:g}", n)]
