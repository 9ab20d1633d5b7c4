"""How often customers will buy: BG/NBD and MBG/NBD, fitted or made of their parameters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from retainkit._calendar import PERIODS
from retainkit._checks import integer, number, one_of
from retainkit.clv._durations import in_units, rate_per_unit
from retainkit.clv._model import Model, fitted
from retainkit.clv._tables import open_customers
from retainkit.errors import ArgumentError, RetainkitWarning

if TYPE_CHECKING:
    import pandas as pd
    from narwhals.stable.v2.typing import IntoFrame
    from numpy.typing import NDArray

    from retainkit._calendar import Period
    from retainkit.clv._tables import Customers

    Floats = NDArray[np.float64]

__all__ = ["BGNBD", "MBGNBD", "fit_bg_nbd", "fit_mbg_nbd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BGNBD(Model):
    r"""The BG/NBD model of repeat purchases.

    While a customer is alive, purchases come at random at a rate :math:`\lambda`, and after each
    repeat purchase the customer drops out for good with probability :math:`p`. Rates differ between
    customers as :math:`\text{Gamma}(r, \alpha)`, drop-out as :math:`\text{Beta}(a, b)` [1]_.

    Made of its parameters alone it predicts; `fit_bg_nbd` estimates them.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the purchase rates; their mean is r / alpha per unit of time.
    a, b : float
        Parameters of the drop-out probabilities; their mean is a / (a + b).
    unit : {"day", "week", "month", "quarter", "year"}, default "day"
        Unit of recency, T and horizons.
    covariance, log_likelihood, n_customers, converged, diagnostics
        What a fit tells of itself.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    The customer of the paper's section 6, with two repeat purchases, the last in week 30.43 of
    38.86, is expected to buy 1.226 times in the next 39 weeks:

    >>> import pandas as pd
    >>> from retainkit import BGNBD
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]}
    ... )
    >>> model.expected_purchases(summary, 39).round(3)
       customer_id  expected_purchases
    0            1               1.226
    """

    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    SHIFT: ClassVar[int] = 0

    r: float
    alpha: float
    a: float
    b: float
    unit: Period = "day"

    def probability_alive(
        self,
        summary: IntoFrame,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
    ) -> Any:
        """Give each customer's probability of not having dropped out.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it.
        customer, frequency, recency, T : str
            Its columns: the customer, the repeat purchases, the time of the last one and the time
            observed, both since the first purchase and in the model's unit.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind, lazy where it is
            lazy: the customer, and ``probability_alive`` (float).
        """
        from retainkit.clv import _bg_nbd  # noqa: PLC0415  SciPy is imported when it is needed

        rows = open_customers(summary, {"frequency": frequency, "recency": recency, "T": T})
        alive = _bg_nbd.probability_alive(self._theta, *_history(rows), self.SHIFT)
        return rows.scored(customer, {"probability_alive": alive})

    def expected_purchases(
        self,
        summary: IntoFrame,
        horizon: float | str,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
    ) -> Any:
        """Give the purchases that each customer is expected to make within a horizon.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it.
        horizon : float or str
            How far ahead: a number in the model's unit, or a duration such as ``"90D"``, ``"52W"``
            or ``"12 months"``.
        customer, frequency, recency, T : str
            The columns of `summary`.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind: the customer, and
            ``expected_purchases`` (float).
        """
        from retainkit.clv import _bg_nbd  # noqa: PLC0415

        rows = open_customers(summary, {"frequency": frequency, "recency": recency, "T": T})
        t = in_units(horizon, self.unit)
        expected = _bg_nbd.expected_purchases(self._theta, t, *_history(rows), self.SHIFT)
        return rows.scored(customer, {"expected_purchases": expected})

    def discounted_expected_purchases(
        self,
        summary: IntoFrame,
        rate: float,
        horizon: float | str | None = None,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
    ) -> Any:
        """Give the expected purchases of each customer, each discounted to today.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it.
        rate : float
            Annual discount rate, as a fraction: 0.1 makes a purchase in a year count 1 / 1.1.
        horizon : float or str, optional
            How far ahead, as in `expected_purchases`. Default: for ever, for which the rate must
            be above 0.
        customer, frequency, recency, T : str
            The columns of `summary`.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind: the customer, and
            ``discounted_expected_purchases`` (float).
        """
        from retainkit.clv import _bg_nbd  # noqa: PLC0415

        rows = open_customers(summary, {"frequency": frequency, "recency": recency, "T": T})
        delta = rate_per_unit(rate, self.unit)
        if horizon is None and delta == 0:
            raise ArgumentError("`rate` is 0; without a `horizon` it must be above 0.")
        t = np.inf if horizon is None else in_units(horizon, self.unit)
        expected = _bg_nbd.discounted_purchases(self._theta, delta, t, *_history(rows), self.SHIFT)
        return rows.scored(customer, {"discounted_expected_purchases": expected})

    def expected_purchases_new_customer(self, horizon: Any) -> Any:
        """Give the repeat purchases that a new customer is expected to make within a horizon.

        Parameters
        ----------
        horizon : float, str or array of float
            As in `expected_purchases`; several numbers give an array.

        Returns
        -------
        float or numpy.ndarray
            Expected number of repeat purchases.
        """
        from retainkit.clv import _bg_nbd  # noqa: PLC0415

        t = horizon if np.ndim(horizon) else in_units(horizon, self.unit)
        expected = _bg_nbd.new_customer_purchases(self._theta, t, self.SHIFT)
        return expected if np.ndim(horizon) else float(expected)

    def purchase_probabilities(self, n: Any, horizon: float | str) -> Any:
        """Give the probability that a new customer makes exactly n repeat purchases.

        Parameters
        ----------
        n : int or array of int
            Number of repeat purchases, 0 or more; several give an array.
        horizon : float or str
            Within which time, as in `expected_purchases`.

        Returns
        -------
        float or numpy.ndarray
            Probability of each n.
        """
        from retainkit.clv import _bg_nbd  # noqa: PLC0415

        counts = np.asarray([integer("n", one, 0) for one in np.atleast_1d(n).tolist()])
        t = in_units(horizon, self.unit)
        found = _bg_nbd.purchase_probabilities(self._theta, counts, t, self.SHIFT)
        return found.reshape(np.shape(n)) if np.ndim(n) else float(found[0])

    def simulate(self, n: int, T: float | str, *, seed: int) -> pd.DataFrame:  # noqa: N803
        """Make a summary of customers who behave as the model says.

        Parameters
        ----------
        n : int
            Number of customers.
        T : float or str
            Time for which each is observed, as a horizon.
        seed : int
            Seed of the random numbers.

        Returns
        -------
        pandas.DataFrame
            ``customer_id`` (int, from 1), ``frequency`` (int), ``recency`` (float) and ``T``
            (float), as `rfm_summary` gives them.
        """
        import pandas as pd  # noqa: PLC0415

        from retainkit.clv import _bg_nbd  # noqa: PLC0415

        number_of = integer("n", n, 1)
        rng = np.random.default_rng(integer("seed", seed, 0))
        observed = np.full(number_of, in_units(T, self.unit, "T"))
        x, tx = _bg_nbd.simulate(self._theta, observed, self.SHIFT, rng)
        columns = {"frequency": x.astype(np.int64), "recency": tx, "T": observed}
        return pd.DataFrame({"customer_id": np.arange(1, number_of + 1), **columns})

    @property
    def _theta(self) -> tuple[float, float, float, float]:
        return self.r, self.alpha, self.a, self.b


@dataclass(frozen=True, slots=True, kw_only=True)
class MBGNBD(BGNBD):
    """The MBG/NBD model: BG/NBD in which a customer may drop out at the first purchase, too.

    Under BG/NBD everybody without a repeat purchase is alive for certain; here nobody is [1]_. All
    else is as in `BGNBD`.

    References
    ----------
    .. [1] Batislam, E. P., Denizel, M. & Filiztekin, A. (2007), "Empirical validation and
       comparison of models for customer base analysis", International Journal of Research in
       Marketing 24 (3), 201-209.

    Examples
    --------
    The customer of the example of `BGNBD`:

    >>> import pandas as pd
    >>> from retainkit import MBGNBD
    >>> model = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")
    >>> summary = pd.DataFrame(
    ...     {"customer_id": [1], "frequency": [2], "recency": [30.43], "T": [38.86]}
    ... )
    >>> model.expected_purchases(summary, 39).round(3)
       customer_id  expected_purchases
    0            1               1.263
    """

    SHIFT: ClassVar[int] = 1


_Counting = TypeVar("_Counting", bound=BGNBD)


def fit_bg_nbd(
    summary: IntoFrame,
    *,
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    weights: str | None = None,
    penalty: float = 0.0,
    unit: Period = "day",
) -> BGNBD:
    """Fit the BG/NBD model of repeat purchases.

    Maximum likelihood on the distinct rows of the summary. The estimate does not depend on the unit
    of time, alpha apart.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency, recency, T : str
        Its columns: the repeat purchases (whole), the time of the last one (0 where there is none)
        and the time observed, both since the first purchase, in units of `unit`.
    weights : str, optional
        Column that says how many customers a row stands for. Default: one.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few: this times the sum of the
        squares of log r, log(alpha / mean T), log(a / b) and log(a + b) is taken from the mean
        log-likelihood.
    unit : {"day", "week", "month", "quarter", "year"}, default "day"
        Unit of recency and T, in which the model then thinks.

    Returns
    -------
    BGNBD
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if there are no customers, or if a row cannot be a
        customer's: the message says which and how many.

    Warns
    -----
    RetainkitWarning
        If the data do not identify a parameter: nobody bought again, nobody or everybody drops out,
        customers do not differ. ``diagnostics`` says the same.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    The fit of the paper, to 2,357 customers of CDNOW:

    >>> from retainkit import fit_bg_nbd, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, as_of="1997-10-01", unit="week", exact=True)
    >>> model = fit_bg_nbd(summary, unit="week")
    >>> [round(value, 3) for value in model.parameters.values()]
    [0.243, 4.414, 0.793, 2.426]
    """
    columns = {"frequency": frequency, "recency": recency, "T": T}
    return _fit(BGNBD, summary, columns, weights=weights, penalty=penalty, unit=unit)


def fit_mbg_nbd(
    summary: IntoFrame,
    *,
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803
    weights: str | None = None,
    penalty: float = 0.0,
    unit: Period = "day",
) -> MBGNBD:
    """Fit the MBG/NBD model of repeat purchases.

    Maximum likelihood on the distinct rows of the summary. The estimate does not depend on the unit
    of time, alpha apart.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency, recency, T : str
        Its columns: the repeat purchases (whole), the time of the last one (0 where there is none)
        and the time observed, both since the first purchase, in units of `unit`.
    weights : str, optional
        Column that says how many customers a row stands for. Default: one.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few: this times the sum of the
        squares of log r, log(alpha / mean T), log(a / b) and log(a + b) is taken from the mean
        log-likelihood.
    unit : {"day", "week", "month", "quarter", "year"}, default "day"
        Unit of recency and T, in which the model then thinks.

    Returns
    -------
    MBGNBD
        The fitted model, with its covariance, log-likelihood and diagnostics.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type.
    ArgumentError
        If an argument has a wrong value, if there are no customers, or if a row cannot be a
        customer's: the message says which and how many.

    Warns
    -----
    RetainkitWarning
        If the data do not identify a parameter: nobody bought again, nobody or everybody drops out,
        customers do not differ. ``diagnostics`` says the same.

    References
    ----------
    .. [1] Batislam, E. P., Denizel, M. & Filiztekin, A. (2007), "Empirical validation and
       comparison of models for customer base analysis", International Journal of Research in
       Marketing 24 (3), 201-209.

    Examples
    --------
    The fit of the paper, to 2,357 customers of CDNOW:

    >>> from retainkit import fit_mbg_nbd, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, as_of="1997-10-01", unit="week", exact=True)
    >>> model = fit_mbg_nbd(summary, unit="week")
    >>> [round(value, 3) for value in model.parameters.values()]
    [0.525, 6.183, 0.891, 1.614]
    """
    columns = {"frequency": frequency, "recency": recency, "T": T}
    return _fit(MBGNBD, summary, columns, weights=weights, penalty=penalty, unit=unit)


def _fit(
    kind: type[_Counting],
    summary: IntoFrame,
    columns: dict[str, str],
    *,
    weights: str | None,
    penalty: float,
    unit: Period,
) -> _Counting:
    from retainkit.clv._fits import fit_counting  # noqa: PLC0415

    one_of("unit", unit, PERIODS)
    penalty = number("penalty", penalty, 0)
    rows = open_customers(summary, columns, weights=weights)
    if not rows.counts.sum():
        raise ArgumentError("`summary` has no customers, and nothing can be learnt from it.")
    fit = fit_counting(*_history(rows), rows.counts, kind.SHIFT, penalty)
    for text in fit.warnings:
        warnings.warn(text, RetainkitWarning, stacklevel=3)
    parameters = dict(zip(kind.NAMES, fit.parameters.tolist(), strict=True))
    return kind(**parameters, unit=unit, **fitted(fit))


def _history(rows: Customers) -> tuple[Floats, Floats, Floats]:
    return rows.distinct["frequency"], rows.distinct["recency"], rows.distinct["T"]
