"""Next purchases: the dates by which customers are likely to buy, and how late they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import narwhals.stable.v2 as nw

from retainkit._checks import integer
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import select_to_native
from retainkit._frames.reducer import reducer
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.events import Events, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._time.durations import in_units
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._time.period_options import unit_option
from retainkit._time.periods import DAYS_IN
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._next_purchase import due_columns
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._purchase_checks import check_purchase_model
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.repurchase import _eager, _lazy
from retainkit.repurchase._due import DueOptions, with_dates
from retainkit.repurchase._spec import DaySpec
from retainkit.typing import IntoFrameT, Length, Missing

_COLUMNS = (
    *("purchases", "last", "recency_days", "typical_gap", "lateness"),
    *("probability_alive", "probability_purchase", "churn_risk", "expected_purchases"),
)


def next_purchase(
    orders: IntoFrameT,
    *,
    horizon: Length = "90D",
    as_of: str | date | None = None,
    customer: str = "customer_id",
    time: str = "time",
    model: BGNBD | MBGNBD | ParetoNBD | None = None,
    min_gaps: int = 2,
    quantiles: Sequence[float] = (0.25, 0.5, 0.75),
    by: str | Sequence[str] | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Probability that each customer buys within a horizon, and when the next purchase is due.

    >>> from retainkit import datasets, next_purchase
    >>> table = next_purchase(datasets.load_cdnow(sample=True), horizon="90D")
    >>> table[["customer_id", "last", "churn_risk", "due_25", "due_50"]].head(3)
       customer_id       last  churn_risk     due_25     due_50
    0            4 1997-12-12    0.753332 1998-09-30 1999-05-13
    1           18 1997-01-04    0.964092 2001-11-05 2021-05-08
    2           21 1997-01-13    0.972427        NaT        NaT

    The last order plus the usual gap is no forecast: for most customers that date has passed. By
    the model BG/NBD [1]_, of a customer who is alive with probability :math:`p` after :math:`x`
    repeat purchases in the time :math:`T`, the next purchase comes within :math:`h` with

    .. math:: P(h) = p \left(1 - \left(\frac{\alpha + T}{\alpha + T + h}\right)^{r + x}\right),

    which reaches :math:`q < p` at :math:`h = (\alpha + T)((1 - q / p)^{-1 / (r + x)} - 1)`, and
    never if :math:`p \le q`. Days with an order are purchases, however many orders a day has.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing. A refund counts like an order,
        since there is no amount to tell it by: leave such rows out.
    horizon : str or timedelta, default "90D"
        How far ahead, with its unit: ``"90D"``, ``"52 weeks"`` or ``"12 months"``. A month is a
        twelfth of 365.2425 days. A bare number is refused: it does not say of what.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Only its days count.
    model : BGNBD, MBGNBD or ParetoNBD, optional
        Model of the purchases, in any unit. Default: BG/NBD, fitted to `orders` in days.
    min_gaps : int, default 2
        Gaps between purchases that a customer must have for ``typical_gap``; 1 or more.
    quantiles : sequence of float, default (0.25, 0.5, 0.75)
        Probabilities, between 0 and 1, whose dates are wanted.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each customer has one value throughout.
        Without a `model` one is fitted for each segment by itself, so it takes some hundred
        customers.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer` and `time`.

    Returns
    -------
    DataFrame
        A row for each customer with an order before `as_of`: a new frame of the same kind as
        `orders`, lazy where it is lazy.

        - the columns of `by`, and that of the customer under its own name.
        - ``purchases`` (int): distinct days with an order.
        - ``last`` (date): the last of them.
        - ``recency_days`` (int): days from it to the day of `as_of`.
        - ``typical_gap`` (float): median of the customer's own gaps, in days; null where there are
          fewer than `min_gaps`.
        - ``lateness`` (float): recency_days / typical_gap; null where that is.
        - ``probability_alive`` (float): that the customer has not dropped out, as in `cltv`.
        - ``probability_purchase`` (float): that of a purchase within the horizon.
        - ``churn_risk`` (float): 1 - probability_purchase.
        - ``expected_purchases`` (float): within the horizon.
        - ``due_25``, ``due_50``, ``due_75`` (date), by `quantiles`; of 0.125 it is ``due_12_5``:
          the day, in `tz`, by which a purchase has come with this probability. Null where it is
          never so likely, or after the year 9999.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if a column has nulls, or if customers have several
        values of `by` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside, if the fit needs care, or if customers are observed for more than
        twice as long as any that `model` was fitted to. The message says what, and how many or in
        which segment.

    See Also
    --------
    BGNBD.next_purchase : The same of a summary, in the unit of a model.
    purchase_regularity : Whether customers keep to a regular beat.
    plot.next_purchase : One customer's orders, and the dates ahead.

    Notes
    -----
    A date is no appointment: by ``due_25`` one in four such customers has bought, and by ``due_50``
    every other. Take the earliest as the day from which a message makes sense. Rank customers by
    ``probability_purchase``, not by ``lateness``, which tells less of who comes back.

    Customers who keep to a beat, such as refills, come closer to their usual gap than these dates
    say. Where `purchase_regularity` is far above 1, go by ``typical_gap`` and ``lateness``.

    For a model in another unit than days, purchases are merged by day, and times are days divided
    by its length, as ``rfm_summary(exact=True)`` does; where the model was fitted to whole units,
    by the unit. Klaviyo calls the like of ``due_50`` the expected date of the next order,
    ``typical_gap`` the average time between orders (there a mean), and ``churn_risk`` the same.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    Ann bought on 1, 11 and 31 January: her gaps are 10 and 20 days, and on 11 March she has been
    away for 40. Bob has bought once:

    >>> import pandas as pd
    >>> from retainkit import BGNBD, next_purchase
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-31", "2024-03-01"])
    >>> orders = pd.DataFrame({"customer_id": ["ann"] * 3 + ["bob"], "time": days})
    >>> model = BGNBD(r=0.5, alpha=30, a=0.5, b=2)
    >>> table = next_purchase(orders, model=model, as_of="2024-03-11")
    >>> table[["customer_id", "recency_days", "typical_gap", "lateness", "due_25", "due_75"]]
      customer_id  recency_days  typical_gap  lateness     due_25     due_75
    0         ann            40         15.0  2.666667 2024-04-02        NaT
    1         bob            10          NaN       NaN 2024-04-10 2025-10-17
    """
    in_units("horizon", horizon, "day", bare=None)
    check_as_of(as_of)
    if model is not None:
        check_purchase_model(model)
        check_no_covariates(model, "model", "model.next_purchase")
    integer("min_gaps", min_gaps, 1)
    due = due_columns(quantiles)
    own = (*_COLUMNS, *due)
    check_not_reserved("`customer`", [customer], own)
    log = read_events(
        orders,
        argument="orders",
        columns={"customer": customer, "time": time},
        by=by,
        reserved=[*own, customer],
        tz=tz,
        missing=missing,
    )
    end = log.end_of_observation(as_of)
    log = log.until(end)
    spec = _day_spec(log, end, model, min_gaps)
    found = reducer(log.rows, lazy=_lazy.reduce, eager=_eager.reduce)(log, spec)
    rows = with_dates(found, log, DueOptions(model=model, horizon=horizon, due=due, end=end))
    columns: dict[str, str | nw.Expr] = dict(zip(log.by, log.keys, strict=True))
    columns |= {customer: "customer", **dict(zip(own, own, strict=True))}
    columns["lateness"] = nw.col("recency_days") / nw.col("typical_gap")
    return as_given(select_to_native(rows, columns), orders)


def _day_spec(log: Events, end: Moment, model: PurchaseModel | None, min_gaps: int) -> DaySpec:
    """Return how days are reduced for a model: as in the summary that it was fitted to."""
    unit = "day" if model is None else model.unit
    # In longer units days are merged where the fit did so; of hours only the days are known.
    merged = model is not None and model.exact is False and unit != "hour"
    whole = unit == "day" or merged
    period = unit_option(unit, "monday").in_zone(log.zone) if whole else DAYS
    return DaySpec(
        end=end,
        day=end.index(DAYS),
        last=end.before(log.zone).index(period),
        period=period,
        length=None if whole else DAYS_IN[unit],
        min_gaps=min_gaps,
    )
