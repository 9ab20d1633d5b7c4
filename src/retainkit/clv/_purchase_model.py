"""The base class of BG/NBD, MBG/NBD and Pareto/NBD: what they predict of known customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from retainkit._checks import fraction
from retainkit._inputs.customers import Customers, read_customers
from retainkit._inputs.kept import read_kept
from retainkit._inputs.time_unit import check_unit_of_model, optional_unit
from retainkit._models.forecasts import Forecasts
from retainkit._time.durations import in_units
from retainkit.clv import _lifetimes
from retainkit.clv._covariates import check_unseen
from retainkit.clv._discounting import rate_per_unit
from retainkit.clv._histories import forecasts_of, read_histories
from retainkit.clv._new_customers import NewCustomerModel
from retainkit.errors import ArgumentError
from retainkit.typing import IntoFrame, IntoFrameT, Length, Period, Unseen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PurchaseModel(NewCustomerModel):
    """A model of how often customers buy, and of when they leave."""

    def probability_alive(
        self,
        summary: IntoFrameT,
        *,
        ahead: float | Length = 0,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
        keep: bool | str | Sequence[str] = False,
        unseen: Unseen = "raise",
    ) -> IntoFrameT:
        """Return each customer's probability of not having left, now or after a time ahead.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame.
        ahead : float, str or timedelta, default 0
            How far ahead, as a horizon: the probability of being a customer still by then.
        customer, frequency, recency, T : str
            Its columns: the customer, the repeat purchases, the time of the last one and the time
            observed, both since the first purchase and in the model's unit.
        keep : bool, str or sequence of str, default False
            Columns of `summary` to give back between the customer and the result, as they are: a
            name or several, or True for all. None may be called like a column of the result.
        unseen : {"raise", "reference"}, default "raise"
            What to do, with covariates in a model, with a level that nobody of the fit had: raise,
            or take such customers for those of the reference.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind, lazy where it is
            lazy: the customer, the columns of `keep`, and ``probability_alive`` (float).

        Warns
        -----
        RetainkitWarning
            If customers are observed for more than twice as long as any that the model was fitted
            to, or if their first purchases seem to be counted as repeat purchases.

        Examples
        --------
        >>> import pandas as pd
        >>> from retainkit import BGNBD
        >>> rows = [("ann", 2, 30.43, 38.86), ("bob", 0, 0.0, 38.86)]
        >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> model.probability_alive(summary).round(3)
          customer_id  probability_alive
        0         ann              0.727
        1         bob              1.000
        """
        t = in_units("ahead", ahead, self.unit)
        check_unseen(unseen)
        kept = read_kept(summary, keep, customer, ("probability_alive",))
        rows, forecasts = self._forecasts(summary, frequency, recency, T, unseen)
        alive = forecasts.alive(self._theta, t)
        return rows.score_table(customer, {"probability_alive": alive}, kept)

    def expected_purchases(
        self,
        summary: IntoFrameT,
        horizon: float | Length,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
        keep: bool | str | Sequence[str] = False,
        unseen: Unseen = "raise",
    ) -> IntoFrameT:
        """Return the purchases that each customer is expected to make within a horizon.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame.
        horizon : float, str or timedelta
            How far ahead: a number in the model's unit, or a length of time such as ``"90D"``,
            ``"52 weeks"`` or ``"12 months"``.
        customer, frequency, recency, T : str
            The columns of `summary`.
        keep : bool, str or sequence of str, default False
            Columns of `summary` to give back between the customer and the result, as they are: a
            name or several, or True for all. None may be called like a column of the result.
        unseen : {"raise", "reference"}, default "raise"
            What to do, with covariates in a model, with a level that nobody of the fit had: raise,
            or take such customers for those of the reference.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind: the customer, the
            columns of `keep`, and ``expected_purchases`` (float).

        Warns
        -----
        RetainkitWarning
            If customers are observed for more than twice as long as any that the model was fitted
            to, or if their first purchases seem to be counted as repeat purchases.

        Examples
        --------
        The first two customers of the paper's data, in the next 39 weeks:

        >>> import pandas as pd
        >>> from retainkit import BGNBD
        >>> rows = [("ann", 2, 30.43, 38.86), ("bob", 0, 0.0, 38.86)]
        >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> model.expected_purchases(summary, 39).round(3)
          customer_id  expected_purchases
        0         ann               1.226
        1         bob               0.195
        """
        t = in_units("horizon", horizon, self.unit)
        check_unseen(unseen)
        kept = read_kept(summary, keep, customer, ("expected_purchases",))
        rows, forecasts = self._forecasts(summary, frequency, recency, T, unseen)
        expected = forecasts.purchases(self._theta, t)
        return rows.score_table(customer, {"expected_purchases": expected}, kept)

    def discounted_expected_purchases(
        self,
        summary: IntoFrameT,
        rate: float,
        horizon: float | Length | None = None,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
        keep: bool | str | Sequence[str] = False,
        unseen: Unseen = "raise",
    ) -> IntoFrameT:
        """Return the expected purchases of each customer, each discounted to today.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame.
        rate : float
            Annual discount rate, as a fraction: 0.1 makes a purchase in a year count 1 / 1.1.
        horizon : float, str or timedelta, optional
            How far ahead: a number in the model's unit, or a length of time such as ``"90D"``,
            ``"52 weeks"`` or ``"12 months"``. Default: for ever, at a rate above 0.
        customer, frequency, recency, T : str
            The columns of `summary`.
        keep : bool, str or sequence of str, default False
            Columns of `summary` to give back between the customer and the result, as they are: a
            name or several, or True for all. None may be called like a column of the result.
        unseen : {"raise", "reference"}, default "raise"
            What to do, with covariates in a model, with a level that nobody of the fit had: raise,
            or take such customers for those of the reference.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind: the customer, the
            columns of `keep`, and ``discounted_expected_purchases`` (float).

        Warns
        -----
        RetainkitWarning
            If customers are observed for more than twice as long as any that the model was fitted
            to, or if their first purchases seem to be counted as repeat purchases.

        Examples
        --------
        >>> import pandas as pd
        >>> from retainkit import BGNBD
        >>> rows = [("ann", 2, 30.43, 38.86), ("bob", 0, 0.0, 38.86)]
        >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> model.discounted_expected_purchases(summary, 0.1, "12 months").round(3)
          customer_id  discounted_expected_purchases
        0         ann                          1.496
        1         bob                          0.242
        """
        delta = rate_per_unit(fraction("rate", rate), self.unit)
        if horizon is None and delta == 0:
            raise ArgumentError(
                "`rate` is 0; without a `horizon` it must be above 0.",
                code="infinite_mean",
                argument="rate",
            )
        t = np.inf if horizon is None else in_units("horizon", horizon, self.unit)
        check_unseen(unseen)
        kept = read_kept(summary, keep, customer, ("discounted_expected_purchases",))
        rows, forecasts = self._forecasts(summary, frequency, recency, T, unseen)
        expected = forecasts.discounted(self._theta, delta, t)
        return rows.score_table(customer, {"discounted_expected_purchases": expected}, kept)

    def to_lifetimes(
        self,
        summary: IntoFrame | None = None,
        *,
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
        weights: str | None = None,
    ) -> Any:
        """Return the model as a fitted object of ``lifetimes``, on which its methods and plots run.

        Importing lifetimes here changes neither warning filters nor pandas' options.

        Parameters
        ----------
        summary : IntoFrame, optional
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame. It is what the model was fitted to. Some methods
            and plots look at it, such as ``generate_new_data``,
            ``conditional_probability_alive_matrix`` and ``plot_period_transactions``. Default:
            none, and they do not run.
        frequency, recency, T : str
            The columns of `summary`.
        weights : str, optional
            Column with the number of customers in each row. Default: one.

        Returns
        -------
        lifetimes.BetaGeoFitter, ModifiedBetaGeoFitter or ParetoNBDFitter
            With the parameters in ``params_``, the right covariance in ``variance_matrix_`` and
            what follows from it (NaN where the model has none).

        Examples
        --------
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> fitter = model.to_lifetimes()
        >>> fitter
        <lifetimes.BetaGeoFitter: a: 0.79, alpha: 4.41, b: 2.43, r: 0.24>
        >>> float(fitter.predict(39, 2, 30.43, 38.86).round(3))
        1.226
        """
        columns = {"frequency": frequency, "recency": recency, "T": T}
        rows = None if summary is None else read_customers(summary, columns, weights=weights)
        if rows is not None:
            check_unit_of_model(self.unit, rows.unit, "summary")
        return _lifetimes.purchase_fitter(self, self.PROCESS, rows, weighted=weights is not None)

    @classmethod
    def from_lifetimes(cls, fitter: Any, *, unit: Period | None = None) -> Self:
        """Build a model from a fitted object of ``lifetimes``.

        Parameters
        ----------
        fitter : lifetimes.BetaGeoFitter, ModifiedBetaGeoFitter or ParetoNBDFitter
            A fitted one, for `BGNBD`, `MBGNBD` and `ParetoNBD`.
        unit : {"hour", "day", "week", "month", "quarter", "year"}
            Unit of the recency and T that it was fitted to, which it does not know: it must be
            given.

        Returns
        -------
        BGNBD, MBGNBD or ParetoNBD
            The model with these parameters. If the fitter carries its data, with their
            log-likelihood on the natural scale and, if the parameters are at the maximum, with
            the right covariance.

        Raises
        ------
        ArgumentTypeError
            If `fitter` is something else.
        ArgumentError
            If it is not fitted, or if `unit` is not given.

        Warns
        -----
        RetainkitWarning
            If the parameters are not at the maximum, for instance because it was penalised, or if
            the data do not identify one.

        Examples
        --------
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> BGNBD.from_lifetimes(model.to_lifetimes(), unit="week").parameters
        {'r': 0.243, 'alpha': 4.414, 'a': 0.793, 'b': 2.426}
        """
        optional_unit(unit)
        return cls(**_lifetimes.adopt_purchases(fitter, unit, cls.NAMES, cls.PROCESS))

    def _forecasts(
        self,
        summary: Any,
        frequency: str,
        recency: str,
        T: str,  # noqa: N803
        unseen: Unseen,
    ) -> tuple[Customers, Forecasts]:
        columns = {"frequency": frequency, "recency": recency, "T": T}
        rows = read_histories(self, summary, columns)
        return rows, forecasts_of(self, rows, unseen)
