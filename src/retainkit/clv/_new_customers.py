"""The fields of models of purchases, and what they expect of new customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from retainkit._checks import as_array, boolean, integer, number, one_of
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit._messages import quoted
from retainkit._models.covariate_model import CovariateModel
from retainkit._models.covariates import Covariate
from retainkit._models.estimates import estimates_of
from retainkit._models.fields import instant
from retainkit._models.process import PurchaseProcess, RowParameters
from retainkit._time.durations import in_units
from retainkit._time.periods import PERIODS
from retainkit._typing import Floats
from retainkit.clv._covariates import parameters_of
from retainkit.errors import ArgumentError
from retainkit.typing import Length, Numbers, Period, Profile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NewCustomerModel(CovariateModel):
    """A model of purchases: its fields, and what is to be expected of new customers."""

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
        found = super(NewCustomerModel, self)._checked()
        one_of("unit", self.unit, PERIODS)
        if self.largest_T is not None:
            found["largest_T"] = number("largest_T", self.largest_T, 0)
        if self.as_of is not None:
            instant("as_of", self.as_of)
        if self.exact is not None:
            found["exact"] = boolean("exact", self.exact)
        return found

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
        found = self.PROCESS.count_probabilities(self._of_profile(profile), counts, t)
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

    @property
    def _theta(self) -> Floats:
        return estimates_of(self).point

    def _of_profile(self, profile: Profile | None) -> RowParameters:
        """Return the four parameters of a customer of this profile."""
        return parameters_of(self, profile)
