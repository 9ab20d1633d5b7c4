"""The base class of the retention models: survival, lifetimes and projections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from retainkit._checks import MOST_AGES, boolean, fraction, integer, one_of, probability
from retainkit._frames.output import build_like
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.survival_table import read_survival_table
from retainkit._inputs.time_unit import TIME_UNIT, check_unit_of_model
from retainkit._messages import quoted
from retainkit._models import beta_geometric
from retainkit._models.estimates import estimates_of
from retainkit._models.model import Model
from retainkit._time.period_options import in_periods, period_option
from retainkit._time.periods import PERIODS
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.projection._table import projection_table
from retainkit.typing import IntoTable, Length, Numbers, Period, TableT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RetentionModel(Model):
    """A model of how long customers stay, counted in renewals."""

    unit: Period | None = None

    def _checked(self) -> dict[str, Any]:
        found = super(RetentionModel, self)._checked()
        if self.unit is not None:
            one_of("unit", self.unit, PERIODS[1:])  # no curve is in hours
        return found

    @property
    def _theta(self) -> Floats:
        """Alpha, beta and c, which is 1 where a model has none."""
        own = self.parameters
        return np.array([own["alpha"], own["beta"], own.get("c", 1.0)])

    @overload
    def survival(self, ages: float) -> float: ...
    @overload
    def survival(self, ages: Numbers) -> NDArray[np.float64]: ...
    def survival(self, ages: float | Numbers) -> float | NDArray[np.float64]:
        """Share of new customers who are still there at each age.

        Parameters
        ----------
        ages : float or array-like of float
            Whole numbers of periods since the start: 0, 1, 2, ...

        Returns
        -------
        float or numpy.ndarray
            Of the shape of `ages`: 1 at age 0.

        Examples
        --------
        >>> from retainkit import SBG
        >>> SBG(alpha=1, beta=1).survival([0, 1, 2, 3]).round(3).tolist()
        [1.0, 0.5, 0.333, 0.25]
        """
        return _scalar_or_array(
            np.exp(beta_geometric.log_survival(self._theta, _read_ages("ages", ages, 0)))
        )

    @overload
    def retention_rate(self, ages: float) -> float: ...
    @overload
    def retention_rate(self, ages: Numbers) -> NDArray[np.float64]: ...
    def retention_rate(self, ages: float | Numbers) -> float | NDArray[np.float64]:
        """Share of those who were there one period before who are still there at each age.

        It rises with age although no customer changes: those who leave easily are gone.

        Parameters
        ----------
        ages : float or array-like of float
            Whole numbers of periods since the start: 1, 2, ...

        Returns
        -------
        float or numpy.ndarray
            Of the shape of `ages`. The churn rate is 1 less this.

        Examples
        --------
        >>> from retainkit import SBG
        >>> SBG(alpha=1, beta=1).retention_rate([1, 2, 3]).round(3).tolist()
        [0.5, 0.667, 0.75]
        """
        return _scalar_or_array(
            beta_geometric.retention_rate(self._theta, _read_ages("ages", ages, 1))
        )

    def expected_lifetime(
        self, horizon: int | Length | None = None, discount_rate: float = 0.0
    ) -> float:
        r"""Return the number of periods that a new customer is expected to stay.

        .. math:: E(DL) = \sum_{t=0}^{H - 1} \frac{S(t)}{(1 + d)^t}

        counts the first period, which every customer is there for, and so the payments made in
        advance. Times what a period brings, it is the value of a new customer.

        Parameters
        ----------
        horizon : int, str or timedelta, optional
            Number of periods counted, H, or a length of time such as ``"24 months"`` where the
            model has a unit. Default: all.
        discount_rate : float, default 0.0
            Rate d at which payments to come are discounted, for each *period*: for months and an
            annual rate of 10 %, ``1.1 ** (1 / 12) - 1``.

        Returns
        -------
        float
            In periods.

        Raises
        ------
        ArgumentError
            If the mean lifetime is infinite, as it is where alpha (in `BDW` c alpha) is 1 or less,
            and there is neither a horizon nor a discount.

        Examples
        --------
        >>> from retainkit import SBG
        >>> round(SBG(alpha=2, beta=1).expected_lifetime(), 9)
        2.0
        >>> round(SBG(alpha=1, beta=1).expected_lifetime(horizon=3), 3)
        1.833
        """
        return self._lifetime(0, horizon, discount_rate)

    @overload
    def residual_lifetime(
        self, renewals: float, horizon: int | Length | None = None, discount_rate: float = 0.0
    ) -> float: ...
    @overload
    def residual_lifetime(
        self, renewals: Numbers, horizon: int | Length | None = None, discount_rate: float = 0.0
    ) -> NDArray[np.float64]: ...
    def residual_lifetime(
        self,
        renewals: float | Numbers,
        horizon: int | Length | None = None,
        discount_rate: float = 0.0,
    ) -> float | NDArray[np.float64]:
        r"""Return the number of periods to come of customers who have renewed so many times.

        They stand before their next renewal, which counts if it is made, undiscounted:

        .. math:: E(DRL) = \sum_{t=k+1}^{k + H} \frac{S(t)}{S(k)} \frac{1}{(1 + d)^{t - k - 1}}

        after k renewals. The longer customers have been there the more they have before them.

        Parameters
        ----------
        renewals : int or array-like of int
            Renewals made, k: 0 for customers in their first period.
        horizon : int, str or timedelta, optional
            Number of periods counted, H, or a length of time such as ``"24 months"`` where the
            model has a unit. Default: all.
        discount_rate : float, default 0.0
            Rate d at which payments to come are discounted, for each *period*: for months and an
            annual rate of 10 %, ``1.1 ** (1 / 12) - 1``.

        Returns
        -------
        float or numpy.ndarray
            In periods, of the shape of `renewals`.

        Raises
        ------
        ArgumentError
            If it is infinite; see `expected_lifetime`.

        References
        ----------
        .. [1] Fader, P. S. & Hardie, B. G. S. (2010), "Customer-Base Valuation in a Contractual
           Setting: The Perils of Ignoring Heterogeneity", Marketing Science 29 (1), 85-93.

        Examples
        --------
        Case 1 of the paper, before the first and the fifth renewal, at 10 % a year:

        >>> from retainkit import SBG
        >>> model = SBG(alpha=3.80, beta=15.20)
        >>> model.residual_lifetime([0, 4], discount_rate=0.1).round(2).tolist()
        [3.31, 3.84]
        """
        made = _read_ages("renewals", renewals, 0)
        distinct, where = np.unique(made, return_inverse=True)
        found = [self._lifetime(int(k) + 1, horizon, discount_rate) for k in distinct]
        shares = np.asarray(self.survival(distinct))
        return _scalar_or_array((np.array(found) / shares)[where].reshape(made.shape))

    def _periods(self, horizon: int | Length) -> int:
        """Return a number of periods, or a length of time as one."""
        if self.unit is not None:
            return in_periods("horizon", horizon, period_option(self.unit), 0)
        if isinstance(horizon, str):
            raise ArgumentError(
                f"`horizon` is {quoted(horizon)}, and the model does not know what its periods "
                f"are: no column {TIME_UNIT!r} was in the table of its fit, as `survival_curve` "
                "writes it. Write a number of periods.",
                code="unit_unknown",
                argument="horizon",
            )
        return integer("horizon", horizon, 0)

    def _lifetime(self, first: int, horizon: int | Length | None, discount_rate: float) -> float:
        until = math.inf
        if horizon is not None:
            until = first + self._periods(horizon)
            if until > MOST_AGES:
                raise ArgumentError(
                    f"`horizon` is {horizon!r}; leave it out to count all periods.",
                    code="argument_value",
                    argument="horizon",
                )
        discount = math.log1p(fraction("discount_rate", discount_rate))
        if until == math.inf and not discount and beta_geometric.has_infinite_mean(self._theta):
            power = " times ".join(f"{name} ({self.parameters[name]:.3g})" for name in self._power)
            raise ArgumentError(
                f"{power} is not above 1, and the mean lifetime is infinite: a few customers who "
                "never leave decide it. Give a `horizon`, or a `discount_rate` above 0.",
                code="infinite_mean",
                argument="horizon",
            )
        return beta_geometric.lifetime(self._theta, first, until, discount)

    @property
    def _power(self) -> tuple[str, ...]:
        """The parameters whose product is the power with which survival falls."""
        return tuple(name for name in ("alpha", "c") if name in self.NAMES)

    def project(
        self,
        table: TableT | IntoTable[TableT],
        horizon: int | Length,
        *,
        age: str = "age",
        survivors: str = "retained",
        cohort: str | Sequence[str] | None = None,
        at_risk: str | None = None,
        churned: str | None = None,
        customers: str | float | None = None,
        holdout: int | None = None,
        predictive: bool = False,
        confidence_level: float = 0.95,
    ) -> TableT:
        r"""Continue the survival of cohorts beyond what was observed.

        Up to the last age fitted, K, the model's own curve is given, S(t). After it each cohort
        goes on from where it is: of the share observed at K, S(t) / S(K) are expected to be there
        at t.

        Parameters
        ----------
        table : IntoFrame
            What the model was fitted to, or the same cohorts some periods later.
        horizon : int, str or timedelta
            Periods to project beyond the last age of each cohort, 0 or more, or a length of time
            where the model has a unit.
        age, survivors, cohort, at_risk, churned
            As in the fit.
        customers : str or float, optional
            As in the fit. Default: what was given there.
        holdout : int, optional
            How many of the last ages of each cohort the model has not seen. They are projected and
            compared. Default: what the fit held out.
        predictive : bool, default False
            ``lower`` and ``upper`` of what is projected also hold the chance of so many customers
            staying; without it they are those of the expected share alone. Compare observed shares
            with predictive intervals.
        confidence_level : float, default 0.95
            Coverage of the interval, between 0 and 1.

        Returns
        -------
        DataFrame
            A row for every cohort and age, a new frame of the same kind as `table`; Polars for a
            LazyFrame, pandas for DuckDB and PySpark.

            - the columns of `cohort`.
            - ``age`` (int): in periods.
            - ``customers`` (float): at the cohort's first age.
            - ``observed`` (float): share of them who are there; NaN after the last age observed.
            - ``fitted`` (float): the model's curve, up to the last age fitted; NaN after it.
            - ``projected`` (float): what is expected after it; NaN before.
            - ``lower``, ``upper`` (float): interval of whichever of the two is there, by the delta
              method on the logit scale. NaN for a model without covariance.
            - ``held_out`` (bool): observed, but not seen by the model.
            - ``error`` (float): ``projected`` less ``observed`` where held out; NaN elsewhere.

        Raises
        ------
        MissingColumnError, ColumnTypeError, ArgumentTypeError, ArgumentError
            As in the fit.

        Warns
        -----
        RetainkitWarning
            If rows are not over for the whole cohort (``complete`` is False).

        Notes
        -----
        The curve of a *new* cohort, which has not been observed, is `survival`.

        Intervals suppose that the model is right and goes on being right; how far it was right
        before, ``error`` tells. With `at_risk` the predictive interval is that of customers who are
        followed to the end; what is observed of fewer varies more.

        Examples
        --------
        Ten customers, of whom six, five and then four stay:

        >>> import pandas as pd
        >>> from retainkit import SBG
        >>> table = pd.DataFrame({"age": [0, 1, 2, 3], "retained": [10, 6, 5, 4]})
        >>> model = SBG(alpha=1, beta=2)
        >>> found = model.project(table, horizon=1, holdout=1)
        >>> found[["age", "observed", "fitted", "projected", "error"]].round(3)
           age  observed  fitted  projected  error
        0    0       1.0   1.000        NaN    NaN
        1    1       0.6   0.667        NaN    NaN
        2    2       0.5   0.500        NaN    NaN
        3    3       0.4     NaN      0.400    0.0
        4    4       NaN     NaN      0.333    NaN
        """
        n_ages = self._periods(horizon)
        if holdout is None:
            holdout = self.diagnostics.get("holdout", 0)
        n_held_out = integer("holdout", holdout, 0)
        boolean("predictive", predictive)
        probability("confidence_level", confidence_level)
        if customers is None and at_risk is None:
            customers = self.diagnostics.get("customers")
        rows = read_survival_table(table, age, survivors, cohort, customers, at_risk, churned)
        if self.unit is not None:
            check_unit_of_model(self.unit, rows.unit(), "table")
        check_not_reserved("`cohort`", rows.cohorts, _RESULT)
        columns = projection_table(
            rows,
            theta=self._theta,
            covariance=self._covariance(),
            horizon=n_ages,
            holdout=n_held_out,
            predictive=predictive,
            confidence_level=confidence_level,
        )
        line = columns.pop("line").tolist()
        cohorts = {name: series[line] for name, series in rows.cohorts.items()}
        return build_like(rows.frame, cohorts | columns)

    def _covariance(self) -> tuple[Floats, bool]:
        """Return the covariance of the parameters, or where one has none, of the coordinates.

        The second value is whether it is that of the coordinates.
        """
        matrix = estimates_of(self).covariance
        coordinates = self.diagnostics.get("coordinates")
        if not np.isnan(matrix).any() or coordinates is None:
            return matrix, False
        return np.array(coordinates, np.float64), True


_RESULT = (
    *("age", "customers", "observed", "fitted", "projected"),
    *("lower", "upper", "held_out", "error"),
)


def _read_ages(argument: str, values: Any, least: int) -> Floats:
    """Read whole numbers of periods."""
    try:
        ages = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        kind = ArgumentError if isinstance(error, OverflowError) else ArgumentTypeError
        raise kind(
            f"`{argument}` is {quoted(values)}; it must hold whole numbers of periods, at most "
            f"{MOST_AGES:,}.",
            argument=argument,
        ) from None
    wrong = ~((ages >= least) & (ages == np.floor(ages)) & (ages <= MOST_AGES))
    if wrong.any():
        raise ArgumentError(
            f"`{argument}` must hold whole numbers of periods, {least} or more; it holds "
            f"{', '.join(f'{one:g}' for one in np.atleast_1d(ages)[np.atleast_1d(wrong)][:3])}.",
            code="argument_value",
            argument=argument,
        )
    return ages


def _scalar_or_array(values: Floats) -> float | Floats:
    """Return a number where the values are one number."""
    return values if values.ndim else float(values)
