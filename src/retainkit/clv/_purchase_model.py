"""The base class of BG/NBD and MBG/NBD: their parameters, and their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import NDArray

from retainkit._checks import as_array, boolean, fraction, integer, number, one_of
from retainkit._inputs.customers import Customers, read_customers
from retainkit._inputs.kept import read_kept
from retainkit._inputs.time_unit import TIME_UNIT, check_unit_of_model, optional_unit
from retainkit._messages import quoted
from retainkit._models.covariate_model import CovariateModel
from retainkit._models.covariates import Covariate
from retainkit._models.estimates import estimates_of
from retainkit._models.fields import instant
from retainkit._models.forecasts import Forecasts
from retainkit._models.process import PurchaseProcess, RowParameters
from retainkit._time.durations import in_units
from retainkit._time.periods import PERIODS
from retainkit._typing import Floats
from retainkit.clv import _lifetimes
from retainkit.clv._covariates import parameters_of
from retainkit.clv._discounting import rate_per_unit
from retainkit.clv._histories import forecasts_of, read_histories
from retainkit.errors import ArgumentError
from retainkit.typing import IntoFrame, IntoFrameT, Length, Numbers, Period, Profile, Unseen

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PurchaseModel(CovariateModel):
    """A model of how often customers buy, and of when they leave."""

    PROCESS: ClassVar[PurchaseProcess]
    PROCESSES: ClassVar[Mapping[str, str]] = {
        "purchase": "purchase_covariates",
        "dropout": "dropout_covariates",
    }

    unit: Period = "day"
    largest_T: float | None = None  # noqa: N815  the papers' name
    as_of: str | None = None
    exact: bool | None = None
    purchase_covariates: tuple[Covariate, ...] = ()
    dropout_covariates: tuple[Covariate, ...] = ()

    def _checked(self) -> dict[str, Any]:
        found = super(PurchaseModel, self)._checked()
        one_of("unit", self.unit, PERIODS)
        if self.largest_T is not None:
            found["largest_T"] = number("largest_T", self.largest_T, 0)
        if self.as_of is not None:
            instant("as_of", self.as_of)
        if self.exact is not None:
            found["exact"] = boolean("exact", self.exact)
        return found

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
            Of a model with covariates, what to do with a level that nobody of the fit had: raise,
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
            Of a model with covariates, what to do with a level that nobody of the fit had: raise,
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
            Of a model with covariates, what to do with a level that nobody of the fit had: raise,
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
        kept = read_kept(summary, keep, customer, ("discounted_expected_purchases",))
        rows, forecasts = self._forecasts(summary, frequency, recency, T, unseen)
        expected = forecasts.discounted(self._theta, delta, t)
        return rows.score_table(customer, {"discounted_expected_purchases": expected}, kept)

    @overload
    def expected_purchases_new_customer(
        self, horizon: float | Length, *, profile: Profile | None = None
    ) -> float: ...
    @overload
    def expected_purchases_new_customer(
        self, horizon: Numbers, *, profile: Profile | None = None
    ) -> NDArray[np.float64]: ...
    def expected_purchases_new_customer(
        self, horizon: float | Length | Numbers, *, profile: Profile | None = None
    ) -> float | NDArray[np.float64]:
        """Return the repeat purchases that a new customer is expected to make within a horizon.

        Parameters
        ----------
        horizon : float, str, timedelta or array of float
            How far ahead: a number in the model's unit, or a length of time such as ``"90D"``,
            ``"52 weeks"`` or ``"12 months"``; several numbers give an array.
        profile : mapping, optional
            Of a model with covariates, the values of a customer, by the names of the columns.
            Default: the reference, which is that of each covariate that is not named, too.

        Returns
        -------
        float or numpy.ndarray
            Expected number of repeat purchases.

        Examples
        --------
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> round(model.expected_purchases_new_customer("52 weeks"), 3)
        1.446
        >>> model.expected_purchases_new_customer([13, 26, 39]).round(3)
        array([0.534, 0.903, 1.197])
        """
        several = as_array("horizon", horizon)
        if several.dtype.kind == "m":  # NumPy's lengths of time are whole numbers as a list
            several = several.astype("timedelta64[us]")
        t = [in_units("horizon", one, self.unit) for one in several.ravel().tolist()]
        params = self._of_profile(profile)
        expected = self.PROCESS.new_customer_purchases(params, t)
        return expected.reshape(several.shape) if several.ndim else float(expected[0])

    @overload
    def purchase_probabilities(
        self, n: int, horizon: float | Length, *, profile: Profile | None = None
    ) -> float: ...
    @overload
    def purchase_probabilities(
        self, n: Numbers, horizon: float | Length, *, profile: Profile | None = None
    ) -> NDArray[np.float64]: ...
    def purchase_probabilities(
        self, n: int | Numbers, horizon: float | Length, *, profile: Profile | None = None
    ) -> float | NDArray[np.float64]:
        """Return the probability that a new customer makes exactly n repeat purchases.

        Parameters
        ----------
        n : int or array of int
            Number of repeat purchases, 0 or more; several give an array.
        horizon : float, str or timedelta
            How far ahead: a number in the model's unit, or a length of time such as ``"90D"``,
            ``"52 weeks"`` or ``"12 months"``.
        profile : mapping, optional
            Of a model with covariates, the values of a customer, by the names of the columns.
            Default: the reference, which is that of each covariate that is not named, too.

        Returns
        -------
        float or numpy.ndarray
            Probability of each n.

        Examples
        --------
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> model.purchase_probabilities([0, 1, 2], "39 weeks").round(3)
        array([0.574, 0.199, 0.085])
        """
        counts = np.asarray([integer("n", one, 0) for one in as_array("n", n).ravel().tolist()])
        if counts.dtype == object:  # integers of more than 64 bits
            raise ArgumentError(
                f"`n` is {quoted(n)}; no number of purchases is so large.",
                code="argument_value",
                argument="n",
            )
        t = in_units("horizon", horizon, self.unit)
        found = self.PROCESS.purchase_probabilities(self._of_profile(profile), counts, t)
        return found.reshape(np.shape(n)) if np.ndim(n) else float(found[0])

    def simulate(
        self,
        n: int,
        T: float | Length,  # noqa: N803
        *,
        seed: int,
        profile: Profile | None = None,
    ) -> pd.DataFrame:
        """Simulate a summary of customers who behave as the model says.

        Parameters
        ----------
        n : int
            Number of customers.
        T : float, str or timedelta
            Time for which each is observed, as a horizon.
        seed : int
            Seed of the random numbers, 0 or more: the same seed gives the same result.
        profile : mapping, optional
            Of a model with covariates, the values of a customer, by the names of the columns.
            Default: the reference, which is that of each covariate that is not named, too.

        Returns
        -------
        pandas.DataFrame
            ``customer_id`` (int, from 1), ``frequency`` (int), ``recency`` (float), ``T`` (float)
            and ``time_unit`` (str), as `rfm_summary` gives them.

        Examples
        --------
        >>> from retainkit import BGNBD
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> model.simulate(3, 39, seed=1).round(2)
           customer_id  frequency  recency     T time_unit
        0            1          0     0.00  39.0      week
        1            2         10    25.66  39.0      week
        2            3          0     0.00  39.0      week
        """
        import pandas as pd  # noqa: PLC0415

        n_customers = integer("n", n, 1)
        rng = np.random.default_rng(integer("seed", seed, 0))
        observed = np.full(n_customers, in_units("T", T, self.unit))
        x, tx = self.PROCESS.simulate(self._of_profile(profile), observed, rng)
        columns = {"frequency": x.astype(np.int64), "recency": tx, "T": observed}
        customers = np.arange(1, n_customers + 1)
        return pd.DataFrame({"customer_id": customers, **columns, TIME_UNIT: self.unit})

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
        lifetimes.BetaGeoFitter or lifetimes.ModifiedBetaGeoFitter
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
        fitter : lifetimes.BetaGeoFitter or lifetimes.ModifiedBetaGeoFitter
            A fitted one: the former for `BGNBD`, the latter for `MBGNBD`.
        unit : {"hour", "day", "week", "month", "quarter", "year"}
            Unit of the recency and T that it was fitted to, which it does not know: it must be
            given.

        Returns
        -------
        BGNBD or MBGNBD
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

    @property
    def _theta(self) -> Floats:
        return estimates_of(self).point

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

    def _of_profile(self, profile: Profile | None) -> RowParameters:
        """Return the four parameters of a customer of this profile."""
        return parameters_of(self, profile)
