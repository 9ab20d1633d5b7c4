"""The Gamma-Gamma model of spend at a purchase, and its fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import number, one_of
from retainkit._inputs.customers import check_finite, read_customers, repeat_buyers
from retainkit._inputs.kept import read_kept
from retainkit._inputs.time_unit import check_unit_of_model, known_unit, optional_unit
from retainkit._messages import warn
from retainkit._models import gamma_gamma
from retainkit._models.covariate_model import CovariateModel
from retainkit._models.covariates import Covariate
from retainkit._models.estimates import estimates_of
from retainkit._models.gamma_gamma import SpendParameters
from retainkit._models.gamma_gamma_fit import fit_spend
from retainkit._models.model import model_from_fit
from retainkit._models.spend_forecasts import SpendForecasts
from retainkit.clv import _lifetimes
from retainkit.clv._covariates import (
    check_unseen,
    coded_for_fit,
    covariates_of_fit,
    covariates_to_read,
    scored_covariates,
    with_coefficients,
)
from retainkit.clv._dependent_spend import spend_warnings
from retainkit.clv._fit_advice import fit_warnings
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Engine, Infinite, IntoFrame, IntoFrameT, Period, Unseen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GammaGamma(CovariateModel):
    r"""The Gamma-Gamma model of spend.

    The amounts of a customer's purchases vary as :math:`\text{Gamma}(p, \nu)` about the customer's
    own mean :math:`p / \nu`, and :math:`\nu` differs between customers as :math:`\text{Gamma}(q,
    v)`; how much customers spend is independent of how often they buy [1]_.

    Made of its parameters alone it predicts; `fit_gamma_gamma` estimates them.

    Parameters
    ----------
    p, q, v : float
        The parameters; v is in the unit of the amounts. The mean over all customers is
        p v / (q - 1), and infinite where q is 1 or less.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of the summary that it was fitted to, within which orders are one purchase. Default:
        not known.
    covariates : tuple, optional
        What a fit with covariates knows of them: v is that of the reference, and exp(c) times that
        for a column with the coefficient c.
    covariance, log_likelihood, n_customers, converged, diagnostics
        The description of a fit.

    References
    ----------
    .. [1] Fader, P. S. & Hardie, B. G. S. (2013), "The Gamma-Gamma Model of Monetary Value",
       http://brucehardie.com/notes/025/

    Examples
    --------
    The first customers of the note: who spent 22.35 on average at two repeat purchases is expected
    to spend 24.66, and who has none the mean of all, 35.22:

    >>> import pandas as pd
    >>> from retainkit import GammaGamma
    >>> model = GammaGamma(p=6.25, q=3.74, v=15.44)
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1, 3], "frequency": [2, 0], "monetary_value": [22.35, None]}
    ... )
    >>> model.expected_spend(summary).round(2)
       customer_id  expected_spend
    0            1           24.66
    1            3           35.22
    """

    NAMES: ClassVar[tuple[str, ...]] = ("p", "q", "v")
    PROCESSES: ClassVar[Mapping[str, str]] = {"spend": "covariates"}

    p: float
    q: float
    v: float
    unit: Period | None = None
    covariates: tuple[Covariate, ...] = ()

    def _checked(self) -> dict[str, Any]:
        found = super(GammaGamma, self)._checked()
        optional_unit(self.unit)
        return found

    def expected_spend(
        self,
        summary: IntoFrameT,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        monetary_value: str = "monetary_value",
        keep: bool | str | Sequence[str] = False,
        infinite: Infinite = "raise",
        unseen: Unseen = "raise",
    ) -> IntoFrameT:
        """Return the amount that each customer is expected to spend at a purchase.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame.
        customer, frequency, monetary_value : str
            Its columns: the customer, the repeat purchases and their mean amount, which is not
            looked at where there are none.
        keep : bool, str or sequence of str, default False
            Columns of `summary` to give back between the customer and the result, as they are: a
            name or several, or True for all. None may be called like a column of the result.
        infinite : {"raise", "median"}, default "raise"
            What to do where the expected spend of a customer is infinite, because spend has too
            heavy a tail (p x + q is 1 or less): raise, or give every customer the median of the
            mean spend instead, which is always finite.
        unseen : {"raise", "reference"}, default "raise"
            What to do, with covariates in a model, with a level that nobody of the fit had: raise,
            or take such customers for those of the reference.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind, lazy where it is
            lazy: the customer, the columns of `keep`, and ``expected_spend`` (float), in the unit
            of the amounts; with the median, ``median_spend`` (float).

        Examples
        --------
        >>> import pandas as pd
        >>> from retainkit import GammaGamma
        >>> rows = [("ann", 2, 22.35), ("bob", 0, 0.0)]
        >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "monetary_value"])
        >>> GammaGamma(p=6.25, q=3.74, v=15.44).expected_spend(summary).round(2)
          customer_id  expected_spend
        0         ann           24.66
        1         bob           35.22
        """
        one_of("infinite", infinite, get_args(Infinite))
        check_unseen(unseen)
        kept = read_kept(summary, keep, customer, ("expected_spend", "median_spend"))
        columns = {"frequency": frequency, "monetary_value": monetary_value}
        spend = read_customers(summary, columns)
        self._check_unit(spend.unit)
        read = covariates_to_read(self)
        counts = read_customers(summary, {"frequency": frequency}, covariates=read)
        theta, n = plain_parameters(self), counts.distinct["frequency"]
        median = bool(gamma_gamma.has_infinite_mean(theta, n).any())
        if infinite == "raise":
            check_finite(gamma_gamma.has_infinite_mean(theta, n), counts, self.q)
        rate, _ = gamma_gamma.spend_rate(theta, n, median=median)
        covariates = scored_covariates(self, counts, unseen)
        known = SpendForecasts(x=n, m=n, covariates=covariates)
        level = known.parameters(estimates_of(self).point)[2]
        scores = {"rate": rate, "level": np.broadcast_to(level, len(n)).copy()}
        # Amounts are read in the frame itself: a lazy sum need not be the same twice.
        carried = {"x": spend.values["frequency"], "m": spend.values["monetary_value"]}
        rows = counts.with_scores(customer, scores, **carried, **kept.carried)
        amount = (nw.col("m") * nw.col("x") + nw.col("level")) * self.p / nw.col("rate")
        name = "median_spend" if median else "expected_spend"
        return kept.give_back(rows, customer, {name: amount})

    def to_lifetimes(
        self,
        summary: IntoFrame | None = None,
        *,
        frequency: str = "frequency",
        monetary_value: str = "monetary_value",
        weights: str | None = None,
    ) -> Any:
        """Return the model as a fitted object of ``lifetimes``, on which its methods run.

        Importing lifetimes here changes neither warning filters nor pandas' options.

        Parameters
        ----------
        summary : IntoFrame, optional
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame. It is what the model was fitted to, which
            ``conditional_expected_average_profit`` falls back on. Customers without a repeat
            purchase, or with a mean amount of 0, take no part. Default: none.
        frequency, monetary_value : str
            The columns of `summary`.
        weights : str, optional
            Column with the number of customers in each row. Default: one.

        Returns
        -------
        lifetimes.GammaGammaFitter
            With the parameters in ``params_``, the right covariance in ``variance_matrix_`` and
            what follows from it (NaN where the model has none).

        Warns
        -----
        RetainkitWarning
            If customers with a mean amount of 0 are left out.

        Examples
        --------
        >>> from retainkit import GammaGamma
        >>> fitter = GammaGamma(p=6.25, q=3.74, v=15.44).to_lifetimes()
        >>> float(round(fitter.conditional_expected_average_profit(2, 22.35), 2))
        24.66
        """
        if summary is None:
            return _lifetimes.spend_fitter(self, None, None, weighted=False)
        columns = {"frequency": frequency, "monetary_value": monetary_value}
        rows = read_customers(summary, columns, weights=weights)
        self._check_unit(rows.unit)
        used, messages = repeat_buyers(rows)
        for text in messages:
            warn(text, code="fit_needs_care", argument="summary")
        return _lifetimes.spend_fitter(self, rows, used, weighted=weights is not None)

    @classmethod
    def from_lifetimes(cls, fitter: Any) -> Self:
        """Build a model from a fitted object of ``lifetimes``.

        Parameters
        ----------
        fitter : lifetimes.GammaGammaFitter
            A fitted one.

        Returns
        -------
        GammaGamma
            The model with these parameters. If the fitter carries its data, with their
            log-likelihood and, if the parameters are at the maximum, with the right covariance.

        Raises
        ------
        ArgumentTypeError
            If `fitter` is something else.
        ArgumentError
            If it is not fitted.

        Warns
        -----
        RetainkitWarning
            If the parameters are not at the maximum, for instance because it was penalised, or if
            the data do not identify one.

        Examples
        --------
        >>> from retainkit import GammaGamma
        >>> fitter = GammaGamma(p=6.25, q=3.74, v=15.44).to_lifetimes()
        >>> GammaGamma.from_lifetimes(fitter).parameters
        {'p': 6.25, 'q': 3.74, 'v': 15.44}
        """
        return cls(**_lifetimes.adopt_spend(fitter, cls.NAMES))

    def _check_unit(self, found: Period | None) -> None:
        """Check that a table is in the unit of the model; one by the day may be in any."""
        if self.unit is not None and self.unit != "day":
            check_unit_of_model(self.unit, found, "summary")


def plain_parameters(model: GammaGamma) -> SpendParameters:
    """Return p, q and v, that of the reference."""
    return model.p, model.q, model.v


def check_spend_model(model: object, argument: str) -> None:
    """Check that a model is one of spend."""
    if not isinstance(model, GammaGamma):
        raise ArgumentTypeError(
            f"`{argument}` is a {type(model).__qualname__}; it must be a GammaGamma, such as "
            "fit_gamma_gamma gives.",
            code="no_model",
            argument=argument,
        )


def check_spend_unit(spend: GammaGamma, unit: Period, *, exact: bool | None) -> None:
    """Check that orders are one purchase within the same time for both models.

    `unit` and `exact` are those of the purchases; by the day they may be in any unit.
    """
    if spend.unit in {None, unit} or (spend.unit == "day" and exact is not False):
        return
    raise ArgumentError(
        f"`spend` was fitted to a summary in {spend.unit}s, and the purchases are counted in "
        f"{unit}s: what is one purchase there is another here, so that the number of purchases "
        "times the spend at each is no value. Fit both models to the same summary.",
        code="unit_mismatch",
        argument="spend",
    )


def fit_gamma_gamma(
    summary: IntoFrame,
    *,
    frequency: str = "frequency",
    monetary_value: str = "monetary_value",
    weights: str | None = None,
    penalty: float = 0.0,
    covariates: str | Sequence[str] = (),
    covariate_penalty: float = 0.0,
    unit: Period | None = None,
    engine: Engine = "retainkit",
) -> GammaGamma:
    """Fit the Gamma-Gamma model of spend.

    >>> from retainkit import datasets, fit_gamma_gamma, rfm_summary
    >>> fit_gamma_gamma(rfm_summary(datasets.load_cdnow(sample=True), amount="amount"))
    GammaGamma(1,139 customers, unit='day', p=4.68, q=4.19, v=24.4)

    Maximum likelihood on the customers with a repeat purchase. It does not depend on the currency,
    v apart.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency : str, default "frequency"
        Column of the number of repeat purchases, whole numbers.
    monetary_value : str, default "monetary_value"
        Column of the mean amount of the repeat purchases.
    weights : str, optional
        Column with the number of customers in each row. Default: one.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few: this times the sum of the
        squares of log p, log q and log(v / mean amount) is taken from the mean log-likelihood.
    covariates : str or sequence of str, default ()
        Covariates that the mean spend may differ by: columns that were known at the start, of
        numbers and booleans, or of words, whose most frequent level among these customers is the
        reference. For a column z with the coefficient c the mean spend is exp(c z) times that of
        the reference. ``effects()`` gives them.
    covariate_penalty : float, default 0.0
        Draws effects towards 0 where data are few: this times the variance that each covariate adds
        to its logarithm over the customers is taken from the mean log-likelihood. Of a number that
        is the square of its standardised coefficient.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, optional
        Unit of the summary, within which orders are one purchase. Default: what the column
        ``time_unit`` of `summary` says, which `rfm_summary` writes; without it the unit is not
        known. Of ``exact=True`` the amounts tell nothing.
    engine : {"retainkit", "lifetimes"}, default "retainkit"
        Who searches for the maximum. ``lifetimes`` now and then stops short of it or fails, and
        takes no `penalty`; covariance, log-likelihood and diagnostics are ours all the same, and
        ``diagnostics["shortfall"]`` is the log-likelihood that it missed.

    Returns
    -------
    GammaGamma
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if nobody has a repeat purchase and a mean amount above
        0, or if a row cannot be a customer's. If `summary` is in several units, or in another than
        `unit`. With ``engine="lifetimes"``: if it fails.

    Warns
    -----
    RetainkitWarning
        If customers with a mean amount of 0 are left out, if q is 1 or less, so that the mean spend
        is infinite, if the data do not identify a parameter, if spend goes with frequency, which
        the model takes to be independent, or if ``lifetimes`` stopped short of the maximum.

    References
    ----------
    .. [1] Fader, P. S. & Hardie, B. G. S. (2013), "The Gamma-Gamma Model of Monetary Value",
       http://brucehardie.com/notes/025/

    Examples
    --------
    The fit of the note, to the 946 customers of CDNOW with a repeat purchase:

    >>> from retainkit import fit_gamma_gamma, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[(orders["time"] < "1997-10-01")]
    >>> model = fit_gamma_gamma(rfm_summary(orders, amount="amount", as_of="1997-10-01"))
    >>> [round(value, 2) for value in model.parameters.values()]
    [6.25, 3.74, 15.44]
    """
    optional_unit(unit)
    one_of("engine", engine, get_args(Engine))
    penalty = number("penalty", penalty, 0)
    covariate_penalty = number("covariate_penalty", covariate_penalty, 0)
    read, names = covariates_of_fit({"spend": ("covariates", covariates)})
    if engine == "lifetimes":
        _lifetimes.check_penalty(penalty)
        _lifetimes.check_covariates(read)
    columns = {"frequency": frequency, "monetary_value": monetary_value}
    rows = read_customers(summary, columns, weights=weights, covariates=read)
    own = known_unit(unit, rows.unit, "summary")
    used, messages = repeat_buyers(rows)
    found: dict[str, tuple[Covariate, ...]] = {"spend": ()}
    if engine == "lifetimes":
        fit = _lifetimes.fit_spend(rows, used, weighted=weights is not None)
    else:
        x, m = rows.distinct["frequency"][used], rows.distinct["monetary_value"][used]
        coded, of_rows = coded_for_fit(names, rows, used)
        fit = fit_spend(
            x,
            m,
            rows.counts[used],
            penalty,
            covariates=of_rows,
            covariate_penalty=covariate_penalty,
        )
        found = with_coefficients(coded, of_rows, rows.counts[used], fit.parameters[3:])
    care = [("fit_needs_care", text) for text in [*messages, *fit_warnings(fit)]]
    for code, text in [*care, *spend_warnings(rows)]:
        warn(text, code=code, argument="summary")
    return model_from_fit(GammaGamma, fit, unit=own, covariates=found["spend"])
