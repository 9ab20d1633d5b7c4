"""How much customers spend at a purchase: the Gamma-Gamma model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import number, one_of
from retainkit._frames import frame_like
from retainkit._words import quantity
from retainkit.clv._model import Model, fitted
from retainkit.clv._tables import open_customers
from retainkit.errors import ArgumentError, RetainkitWarning

if TYPE_CHECKING:
    from narwhals.stable.v2.typing import IntoFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["GammaGamma", "fit_gamma_gamma"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma(Model):
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
    covariance, log_likelihood, n_customers, converged, diagnostics
        What a fit tells of itself.

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

    p: float
    q: float
    v: float

    def expected_spend(
        self,
        summary: IntoFrame,
        *,
        customer: str = "customer_id",
        frequency: str = "frequency",
        monetary_value: str = "monetary_value",
        infinite: Literal["raise", "median"] = "raise",
    ) -> Any:
        """Give the amount that each customer is expected to spend at a purchase.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it.
        customer, frequency, monetary_value : str
            Its columns: the customer, the repeat purchases and their mean amount, which is not
            looked at where there are none.
        infinite : {"raise", "median"}, default "raise"
            What to do where the expectation is infinite, because spend has too heavy a tail (p x +
            q is 1 or less): raise, or give every customer the median of the mean spend instead,
            which is always finite.

        Returns
        -------
        DataFrame
            A row for each customer, in the order of `summary` and of its kind, lazy where it is
            lazy: the customer, and ``expected_spend`` (float), in the unit of the amounts; with
            the median, ``median_spend`` (float).
        """
        from retainkit.clv import _gamma_gamma  # noqa: PLC0415  SciPy is imported when it is needed

        one_of("infinite", infinite, ("raise", "median"))
        columns = {"frequency": frequency, "monetary_value": monetary_value}
        money = open_customers(summary, columns)
        counted = open_customers(summary, {"frequency": frequency})
        theta, n = np.array([self.p, self.q, self.v]), counted.distinct["frequency"]
        endless = infinite == "median" and self._endless(n).any()
        rate = _gamma_gamma.median_rate(theta, n) if endless else np.ones(len(n))
        # Amounts are looked at in the frame itself: a lazy sum need not be the same twice.
        carried = {"x": money.values["frequency"], "m": money.values["monetary_value"]}
        rows = counted.joined(customer, {"rate": rate}, **carried)
        x, m = nw.col("x"), nw.col("m")
        if endless:
            median = (m * x + self.v) * self.p / nw.col("rate")
            return frame_like(rows, {customer: "customer", "median_spend": median})
        self.check_finite(money.distinct["frequency"], money.counts)
        spend = _gamma_gamma.finite_spend(theta.tolist(), x, m)
        return frame_like(rows, {customer: "customer", "expected_spend": spend})

    def check_finite(self, x: Floats, counts: Floats) -> None:
        """Refuse repeat purchases at which the expected spend is infinite."""
        endless = self._endless(x)
        if endless.any():
            number_of = int(counts[endless].sum())
            raise ArgumentError(
                f"q is {self.q:g}, at which the expected spend of {quantity(number_of, 'customer')}"
                " is infinite: the largest amounts decide everything. Look at them first; "
                "`GammaGamma.expected_spend` with infinite='median' gives the median instead."
            )

    def _endless(self, x: Floats) -> NDArray[np.bool_]:
        return self.p * x + self.q <= 1


def fit_gamma_gamma(
    summary: IntoFrame,
    *,
    frequency: str = "frequency",
    monetary_value: str = "monetary_value",
    weights: str | None = None,
    penalty: float = 0.0,
) -> GammaGamma:
    """Fit the Gamma-Gamma model of spend.

    Maximum likelihood on the customers with a repeat purchase. It does not depend on the currency,
    v apart.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency, monetary_value : str
        Its columns: the repeat purchases (whole) and their mean amount.
    weights : str, optional
        Column that says how many customers a row stands for. Default: one.
    penalty : float, default 0.0
        Draws the estimate towards moderate values where data are few: this times the sum of the
        squares of log p, log q and log(v / mean amount) is taken from the mean log-likelihood.

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
        0, or if a row cannot be a customer's.

    Warns
    -----
    RetainkitWarning
        If customers with a mean amount of 0 are left out, if q is 1 or less, so that the mean spend
        is infinite, or if the data do not identify a parameter.

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
    from retainkit.clv._fits import fit_spend  # noqa: PLC0415

    penalty = number("penalty", penalty, 0)
    columns = {"frequency": frequency, "monetary_value": monetary_value}
    rows = open_customers(summary, columns, weights=weights)
    x, m = rows.distinct["frequency"], rows.distinct["monetary_value"]
    used = (x > 0) & (m > 0)
    nothing = rows.counts[(x > 0) & (m == 0)].sum()
    if nothing:
        warnings.warn(
            f"{quantity(int(nothing), 'customer')} with a mean spend of 0 left out of the fit.",
            RetainkitWarning,
            stacklevel=2,
        )
    if not rows.counts[used].sum():
        raise ArgumentError(
            "`summary` has no customers with a repeat purchase and a mean spend above 0, and "
            "nothing can be learnt from it."
        )
    fit = fit_spend(x[used], m[used], rows.counts[used], penalty)
    for text in fit.warnings:
        warnings.warn(text, RetainkitWarning, stacklevel=2)
    parameters = dict(zip(GammaGamma.NAMES, fit.parameters.tolist(), strict=True))
    return GammaGamma(**parameters, **fitted(fit))
