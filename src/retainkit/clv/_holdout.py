"""A report on how a model of purchases forecasts a holdout."""

from __future__ import annotations

from datetime import date

from retainkit._checks import boolean, integer, probability
from retainkit._frames.output import build_like
from retainkit._inputs.customers import Customers
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import check_amounts_option
from retainkit._messages import warn
from retainkit._progress import check_progress, steps_of
from retainkit._time.period_options import period_option, unit_option
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._calibrated_orders import CalibratedOrders, read_calibrated_orders
from retainkit.clv._comparison import (
    by_frequency_columns,
    fit_calibration,
    forecast_holdout,
    read_calibration,
    total_columns,
)
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._holdout_report import HoldoutReport
from retainkit.clv._holdout_spend import (
    check_given_spend,
    fit_calibration_spend,
    mean_spend_of_new,
)
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.clv._purchase_checks import check_given_exact, check_purchase_model
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma
from retainkit.clv._tracking_columns import (
    check_period,
    tracking_columns,
    warn_of_calibration,
)
from retainkit.errors import ArgumentError
from retainkit.purchases._spec import SummaryOptions
from retainkit.typing import (
    Amounts,
    IntoTable,
    Missing,
    Month,
    Period,
    PeriodLike,
    Progress,
    TableT,
    Weekday,
)


def holdout_report(
    transactions: TableT | IntoTable[TableT],
    *,
    calibration_end: str | date,
    model: BGNBD | MBGNBD | ParetoNBD | None = None,
    spend: GammaGamma | None = None,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    as_of: str | date | None = None,
    unit: Period = "week",
    exact: bool = True,
    amounts: Amounts = "raise",
    max_frequency: int = 7,
    period: PeriodLike = "week",
    tz: str | None = None,
    week_start: Weekday | None = None,
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
    progress: Progress | None = None,
) -> HoldoutReport[TableT]:
    r"""Fit BG/NBD on one stretch of time, and hold it to what came in the next.

    >>> from retainkit import datasets, holdout_report
    >>> report = holdout_report(datasets.load_cdnow(sample=True), calibration_end="1997-10-01")
    >>> report.total[["forecast", "actual", "expected", "mean_absolute_error"]].round(2)
      forecast  actual  expected  mean_absolute_error
    0    BGNBD    1882   1653.41                 0.79
    1    naive    1882   2930.10                 1.02

    The summary at `calibration_end` is all that the model sees. From it, each customer is expected
    to make so many purchases in the holdout; a naive forecast stands beside it, in which everybody
    goes on as before, at frequency / T. A model that does no better than that adds
    nothing.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    calibration_end : str, date or datetime
        Instant at which calibration ends and the holdout begins; it should begin a period.
    model : BGNBD, MBGNBD or ParetoNBD, optional
        Model of the purchases, to be examined. It is of the same `unit`, and should not have seen
        the holdout. Default: BG/NBD, fitted on the calibration.
    spend : GammaGamma, optional
        Model of the spend, where there are amounts. Default: Gamma-Gamma, fitted on the
        calibration.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit; without it there is nothing about spend.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row. The holdout ends with it.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, default "week"
        Unit of the summary and of the model.
    exact : bool, default True
        Merge purchases by day, and measure time in days divided by the length of the unit: 7 for
        weeks, 365.2425 / 12 for months. Otherwise merge and measure in whole units.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and a refund is none either. ``"keep"``: take them as they are. The customers and
        purchases are those of `calibration_holdout`.
    max_frequency : int, default 7
        Customers with so many repeat purchases or more are one row of ``by_frequency``; 1 or more.
    period : str, timedelta or sequence of date, default "week"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, optional
        Day on which a week begins. Default: the weekday of `calibration_end`.
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are. With
        `calibration_end` it is the day on which calibration ends.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `time` and `amount`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    progress : callable, optional
        Shows how far the work is: it is called as ``progress(total=n)`` and gives something with
        ``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown. There are
        three steps: the orders read, the models fitted, the forecasts made. Those of CDNOW's 2,357
        customers take less than a second.

    Returns
    -------
    HoldoutReport
        The ``model``, and three tables of the kind of `transactions`; Polars for a LazyFrame,
        pandas for DuckDB and PySpark.

        ``total``, a row for the model and one for the naive forecast:

        - ``forecast`` (str): name of the model, or ``"naive"``.
        - ``customers`` (int): those who first bought before `calibration_end`.
        - ``actual`` (int), ``expected`` (float): their purchases in the holdout, and the forecast.
        - ``mean_absolute_error``, ``root_mean_squared_error`` (float): of the purchases of a
          customer.
        - ``calibration_slope`` (float): by how much the purchases of a customer rise, on average,
          when the forecast rises by one. 1 is right; below 1 it makes too much of differences
          between customers, above 1 too little. NaN where all have the same forecast.
        - ``lower``, ``upper`` (float): interval of the slope.
        - with `amount`, ``actual_spend`` (float): the money of these purchases, and
          ``expected_spend`` (float): that of the forecast: of the model the purchases of each
          customer times the expected spend, of the naive one times the customer's own mean amount.
        - with `amount`, ``spend_mean_absolute_error`` (float): of the money of a customer.

        ``by_frequency``, a row for each number of repeat purchases in calibration:

        - ``frequency`` (str): ``"0"``, ``"1"``, ... and last, for instance, ``"7+"``.
        - ``customers`` (int): how many have it.
        - ``actual`` (float): mean purchases of such a customer in the holdout; NaN without any.
        - ``expected``, ``naive`` (float): mean forecasts of the model, and the naive one.
        - ``lower``, ``upper`` (float): interval of ``actual``.
        - with `amount`, ``actual_spend``, ``expected_spend``, ``naive_spend`` (float): mean money
          of such a customer in the holdout, and the forecasts of it.

        ``by_period``: the rows of `tracking` that are in the holdout. Its expectation is that of
        new customers, made from the time of each first purchase alone.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, if `model` has another unit, if a column has nulls, if
        amounts are negative, or if no time is left for the holdout (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows or customers are set aside, if `calibration_end` lies within a period, or if the fit
        has something to tell.

    See Also
    --------
    calibration_holdout : The table of customers behind it.
    retainkit.plot.holdout_calibration : ``by_frequency`` as a picture.
    retainkit.plot.tracking : ``by_period`` as a picture.

    Notes
    -----
    The slope is that of least squares with an intercept, as in the validation of forecasts since
    Cox [2]_: without an intercept a forecast that is too high throughout would seem to overstate
    differences. Whether it is too high or too low shows in ``actual`` beside ``expected``. The
    interval supposes no equal spread (HC3), since who buys more varies more.

    The interval of ``actual`` is a score interval for counts, with the spread that the counts show
    but at least Poisson's; that of no purchases among n customers reaches to z² / n. It is
    the uncertainty of the mean in the holdout, not of the model's parameters.

    A mean absolute error below that of the naive forecast says little where most buy nothing: 0 for
    everybody would often be lower still. Look at the totals and at the frequencies.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284, figure 4.
    .. [2] Cox, D. R. (1958), "Two Further Applications of a Model for Binary Regression",
       Biometrika 45 (3/4), 562-565.
    .. [3] Wuebben, M. & von Wangenheim, F. (2008), "Instant Customer Base Analysis: Managerial
       Heuristics Often 'Get It Right'", Journal of Marketing 72 (3), 82-93.

    Examples
    --------
    CDNOW: 39 weeks teach, 39 examine.

    >>> from retainkit import holdout_report
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> report = holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")
    >>> report.total[["forecast", "actual", "expected", "mean_absolute_error"]].round(3)
      forecast  actual  expected  mean_absolute_error
    0    BGNBD    1882  1653.409                0.785
    1    naive    1882  2930.101                1.024
    """
    starts = week_start or "monday"
    unit_option(unit, starts)
    cut = period_option(
        period, week_start=starts, origin=origin, year_start=year_start, whole_days=True
    )
    check_as_of(calibration_end, "calibration_end")
    check_as_of(as_of)
    boolean("exact", exact)
    integer("max_frequency", max_frequency, 1)
    probability("confidence_level", confidence_level)
    if not exact:
        check_period(unit, cut)
    _check_models(model, spend, amount, unit, exact=exact)
    check_amounts_option(amounts, amount)
    check_progress(progress)
    options = SummaryOptions(
        customer=customer,
        time=time,
        amount=amount,
        as_of=as_of,
        unit=unit,
        amounts=amounts,
        exact=exact,
        missing=missing,
        tz=tz,
    )
    with steps_of(progress, 3) as step:
        orders = read_calibrated_orders(transactions, options, calibration_end, week_start)
        rows = read_calibration(orders)
        step(1)
        model = model or _fit_calibration(orders, rows)
        spend = spend or (fit_calibration_spend(rows) if amount is not None else None)
        step(1)
        found, grid = forecast_holdout(rows, model, spend), orders.grid(cut)
        periods = tracking_columns(orders, model, grid, mean_spend_of_new(spend))
        step(1)
    warn_of_calibration(orders.split, grid)
    held, kind = periods["holdout"], orders.log.rows
    groups = by_frequency_columns(found, max_frequency, confidence_level)
    return HoldoutReport(
        model=model,
        total=build_like(kind, total_columns(found, confidence_level)),
        by_frequency=build_like(kind, groups),
        by_period=build_like(kind, {name: one[held] for name, one in periods.items()}),
    )


def _fit_calibration(orders: CalibratedOrders, rows: Customers) -> BGNBD:
    """Fit BG/NBD to the calibration, and warn of what the fit has to tell."""
    as_of = (orders.split or orders.end).iso(orders.log.zone)
    model, messages = fit_calibration(rows, orders.options.unit, as_of=as_of)
    for text in messages:
        warn(
            text,
            code="fit_needs_care",
            argument="transactions",
        )
    return model


def _check_models(
    model: PurchaseModel | None,
    spend: GammaGamma | None,
    amount: str | None,
    unit: Period,
    *,
    exact: bool,
) -> None:
    """Check the models that were given."""
    if model is not None:
        _check_model(model, unit, exact=exact)
    check_given_spend(spend, amount, unit, exact=exact)


def _check_model(model: PurchaseModel, unit: Period, *, exact: bool) -> None:
    """Check that a model is one of purchases, which it counts as the summary does."""
    check_purchase_model(model)
    check_no_covariates(model, "model", "model.expected_purchases")
    if model.unit != unit:
        raise ArgumentError(
            f"`unit` is {unit!r}, and that of `model` is {model.unit!r}; the summary must be in "
            f"the unit of the model: give `unit={model.unit!r}`.",
            code="unit_mismatch",
            argument="unit",
        )
    check_given_exact(model, exact=exact)
