"""Repeat purchases in each period, actual and as a model expects them."""

from __future__ import annotations

from datetime import date

from retainkit._checks import boolean
from retainkit._frames.output import build_like
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import check_amounts_option
from retainkit._time.period_options import period_option, unit_option
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._calibrated_orders import read_calibrated_orders
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._holdout_spend import (
    check_given_spend,
    fit_spend_of_orders,
    mean_spend_of_new,
    warn_of_infinite_spend,
)
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._purchase_checks import check_given_exact, check_purchase_model
from retainkit.clv._spend import GammaGamma
from retainkit.clv._tracking_columns import (
    check_period,
    tracking_columns,
    warn_of_calibration,
)
from retainkit.purchases._spec import SummaryOptions
from retainkit.typing import Amounts, IntoTable, Missing, Month, PeriodLike, TableT, Weekday


def tracking(
    model: BGNBD | MBGNBD | ParetoNBD,
    transactions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    spend: GammaGamma | None = None,
    calibration_end: str | date | None = None,
    as_of: str | date | None = None,
    period: PeriodLike = "week",
    exact: bool = True,
    amounts: Amounts = "raise",
    tz: str | None = None,
    week_start: Weekday | None = None,
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
) -> TableT:
    r"""Repeat purchases in each period, as they came and as a model expects them.

    >>> from retainkit import datasets, fit_bg_nbd, rfm_summary, tracking
    >>> orders = datasets.load_cdnow(sample=True)
    >>> weeks = tracking(fit_bg_nbd(rfm_summary(orders)), orders).set_index("period")
    >>> weeks[["customers", "actual", "expected", "complete"]].tail(3).round(1)
                customers  actual  expected  complete
    period
    1998-06-15       2357      29      43.7      True
    1998-06-22       2357      35      43.5      True
    1998-06-29       2357       3      12.4     False

    Each customer is expected to have made :math:`E[X(t - t_0)]` repeat purchases by the time t,
    with the first at :math:`t_0`; what is expected of a period is how much the sum over all
    customers grows in it. Of a customer it uses the time of the first purchase alone.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases, fitted or made of its parameters.
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit; without it there is nothing about spend.
    spend : GammaGamma, optional
        Model of the spend, where there are amounts. Default: Gamma-Gamma, fitted on the calibration
        or, without one, on all orders.
    calibration_end : str, date or datetime, optional
        Instant at which calibration ends and the holdout begins: only customers who first bought
        before it are followed, and the periods that begin at it or later are marked. It should
        begin a period. Default: all customers are followed.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    period : str, timedelta or sequence of date, default "week"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning.
    exact : bool, default True
        Merge purchases by day, and measure time in days divided by the length of the unit, which is
        the model's, as ``rfm_summary(exact=True)`` does. Otherwise merge and measure in whole
        units; `period` must not cut them.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and a refund is none either. ``"keep"``: take them as they are.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, optional
        Day on which a week begins. Default: the weekday of `calibration_end`, so that the holdout
        begins with a week; without one, Monday.
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are. With
        `calibration_end` it is the day on which calibration ends.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `time` and `amount`.

    Returns
    -------
    DataFrame
        A row for each period from that of the first purchase of all to that of the last observed
        instant: a new frame of the kind of `transactions`; Polars for a LazyFrame, pandas for
        DuckDB and PySpark. A period without purchases is a row with 0.

        - ``period`` (date): its first day.
        - ``customers`` (int): customers acquired by its end.
        - ``actual`` (int): repeat purchases in it; those of a customer in one day (with
          ``exact=False``, in one unit) are one.
        - ``expected`` (float): what the model expects of them.
        - ``actual_cumulative`` (int), ``expected_cumulative`` (float): both since the beginning.
        - ``holdout`` (bool): whether it begins at `calibration_end` or later.
        - ``complete`` (bool): whether it has been observed to its end. Where it has not,
          ``actual`` and ``expected`` both go as far as observation does.
        - with `amount`, ``actual_spend`` (float): the money of the repeat purchases in it, and
          ``expected_spend`` (float): the purchases expected, times what a new customer is expected
          to spend at one, p v / (q - 1); NaN where that is infinite.
        - with `amount`, ``actual_spend_cumulative``, ``expected_spend_cumulative`` (float): both
          since the beginning.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if a column has nulls, if amounts are negative, or if
        there is no money to learn from (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows or customers are set aside, if `calibration_end` lies within a period, or if the fit
        of the spend has something to tell.

    See Also
    --------
    holdout_report : The holdout in full, by what is known of each customer.
    retainkit.plot.tracking : The table as a picture.

    Notes
    -----
    With `exact` the time of a customer runs from the beginning of the first day to the end of the
    period, as the R packages BTYD and CLVTools have it and lifetimes does; ``T`` of a summary stops
    at the last day, one day earlier. With ``exact=False`` it is counted as ``T`` is, since no
    repeat purchase can be seen in the unit of the first.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284, figures 2
       and 3.

    Examples
    --------
    The weeks 38 to 41 of CDNOW, two before the end of calibration and two after it:

    >>> from retainkit import BGNBD
    >>> from retainkit import tracking
    >>> from retainkit.datasets import load_cdnow
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> weeks = tracking(model, load_cdnow(sample=True), calibration_end="1997-10-01")
    >>> columns = ["period", "customers", "actual", "expected", "holdout"]
    >>> weeks.loc[37:40, columns].round({"expected": 2})
           period  customers  actual  expected  holdout
    37 1997-09-17       2357      53     54.18    False
    38 1997-09-24       2357      62     53.39    False
    39 1997-10-01       2357      50     52.63     True
    40 1997-10-08       2357      56     51.89     True
    """
    check_purchase_model(model)
    check_no_covariates(model, "model", "model.expected_purchases_new_customer")
    starts = week_start or "monday"
    unit_option(model.unit, starts)
    cut = period_option(
        period, week_start=starts, origin=origin, year_start=year_start, whole_days=True
    )
    check_as_of(calibration_end, "calibration_end")
    check_as_of(as_of)
    boolean("exact", exact)
    if not exact:
        check_period(model.unit, cut)
    check_given_exact(model, exact=exact)
    check_given_spend(spend, amount, model.unit, exact=exact)
    check_amounts_option(amounts, amount)
    options = SummaryOptions(
        customer=customer,
        time=time,
        amount=amount,
        as_of=as_of,
        unit=model.unit,
        amounts=amounts,
        exact=exact,
        missing=missing,
        tz=tz,
    )
    orders = read_calibrated_orders(transactions, options, calibration_end, week_start)
    if spend is not None:
        warn_of_infinite_spend(spend)
    elif amount is not None and orders.log.n_rows:
        spend = fit_spend_of_orders(orders)
    grid = orders.grid(cut)
    columns = tracking_columns(orders, model, grid, mean_spend_of_new(spend))
    warn_of_calibration(orders.split, grid)
    return build_like(orders.log.rows, columns)
