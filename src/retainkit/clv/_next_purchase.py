"""The next purchase by a model of purchases: its arguments, its scores, and the method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from retainkit._checks import is_list, probability
from retainkit._inputs.kept import read_kept
from retainkit._models.estimates import estimates_of
from retainkit._models.forecasts import Forecasts
from retainkit._time.durations import in_units
from retainkit._typing import Floats
from retainkit.clv._covariates import check_unseen
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import IntoFrameT, Length, Unseen

SCORES = ("probability_alive", "probability_purchase", "expected_purchases")
"""The columns of the method's result between the customer and the times."""


def due_columns(quantiles: Any) -> dict[str, float]:
    """Check the argument `quantiles`; return each by the name of its column, such as "due_12_5"."""
    if not is_list(quantiles):
        raise ArgumentTypeError(
            f"`quantiles` is {quantiles!r}; it must hold shares between 0 and 1, such as "
            "(0.25, 0.5).",
            argument="quantiles",
        )
    columns: dict[str, float] = {}
    for one in quantiles:
        share = probability("quantiles", one)
        name = "due_" + f"{(Decimal(repr(share)) * 100).normalize():f}".replace(".", "_")
        if name in columns:
            raise ArgumentError(
                f"`quantiles` has {share:g} more than once; name each share once.",
                code="named_twice",
                argument="quantiles",
            )
        columns[name] = share
    return columns


def next_purchase_scores(
    model: PurchaseModel, t: float, due: Mapping[str, float], forecasts: Forecasts
) -> dict[str, Floats]:
    """Compute the scores of histories within t, and the times at which shares are reached.

    All times are in the model's unit.
    """
    theta = estimates_of(model).point
    return {
        "probability_alive": forecasts.alive(theta),
        "probability_purchase": forecasts.probability_purchase(theta, t),
        "expected_purchases": forecasts.purchases(theta, t),
    } | {name: forecasts.time_to_purchase(theta, q) for name, q in due.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TimingModel(PurchaseModel):
    """A model of purchases that says when the next one is due."""

    def next_purchase(
        self,
        summary: IntoFrameT,
        *,
        horizon: float | Length = "90D",
        quantiles: Sequence[float] = (0.25, 0.5, 0.75),
        customer: str = "customer_id",
        frequency: str = "frequency",
        recency: str = "recency",
        T: str = "T",  # noqa: N803
        keep: bool | str | Sequence[str] = False,
        unseen: Unseen = "raise",
    ) -> IntoFrameT:
        r"""Return how likely the next purchase is within a horizon, and by when it is due.

        With :math:`p` the probability of being alive, the next purchase comes within :math:`h`
        under BG/NBD and MBG/NBD, in which nobody leaves before it, with probability

        .. math:: P(h) = p \left(1 - \left(\frac{\alpha + T}{\alpha + T + h}\right)^{r + x}\right),

        and that reaches :math:`q < p` at :math:`h = (\alpha + T)((1 - q / p)^{-1 / (r + x)} - 1)`.
        Under Pareto/NBD a customer may leave first, so that it never reaches p:

        .. math:: P(h) = p \int_0^h \frac{r + x}{\alpha + T + u}
            \left(\frac{\alpha + T}{\alpha + T + u}\right)^{r + x}
            \left(\frac{\beta + T}{\beta + T + u}\right)^s du.

        Parameters
        ----------
        summary : IntoFrame
            One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
            DuckDB relation or a PySpark DataFrame.
        horizon : float, str or timedelta, default "90D"
            How far ahead: a number in the model's unit, or a length of time such as ``"90D"``,
            ``"52 weeks"`` or ``"12 months"``.
        quantiles : sequence of float, default (0.25, 0.5, 0.75)
            Probabilities, between 0 and 1, whose times are wanted.
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
            A row for each customer, in the order of `summary` and of its kind, lazy where it is
            lazy:

            - the customer, and the columns of `keep`.
            - ``probability_alive`` (float): that the customer has not dropped out.
            - ``probability_purchase`` (float): that of a purchase within the horizon.
            - ``expected_purchases`` (float): within the horizon.
            - ``due_25``, ``due_50``, ``due_75`` (float), by `quantiles`; of 0.125 it is
              ``due_12_5``: the time from now, in the model's unit, by which a purchase has come
              with this probability. NaN where it is never so likely.

        Warns
        -----
        RetainkitWarning
            If customers are observed for more than twice as long as any that the model was fitted
            to, or if their first purchases seem to be counted as repeat purchases.

        Notes
        -----
        The last column that is not NaN is no forecast of a date: at ``due_25`` three of four such
        customers have not bought yet.

        References
        ----------
        .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the
           Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

        Examples
        --------
        In weeks; of Bob, who bought once more and soon, no next purchase is to be expected:

        >>> import pandas as pd
        >>> from retainkit import BGNBD
        >>> rows = [("ann", 2, 30.43, 38.86), ("bob", 1, 1.71, 38.86)]
        >>> summary = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T"])
        >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
        >>> table = model.next_purchase(summary, horizon=13, quantiles=(0.25, 0.5))
        >>> table[["customer_id", "probability_purchase", "due_25", "due_50"]].round(3)
          customer_id  probability_purchase  due_25  due_50
        0         ann                 0.323   8.951  29.478
        1         bob                 0.059     NaN     NaN
        """
        t = in_units("horizon", horizon, self.unit)
        due = due_columns(quantiles)
        check_unseen(unseen)
        kept = read_kept(summary, keep, customer, (*SCORES, *due))
        rows, forecasts = self._forecasts(summary, frequency, recency, T, unseen)
        scores = next_purchase_scores(self, t, due, forecasts)
        return rows.score_table(customer, scores, kept)
