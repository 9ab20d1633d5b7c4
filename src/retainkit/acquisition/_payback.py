"""Payback: the age at which what customers brought reaches what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._stats.intervals import ratio
from retainkit._stats.mean_intervals import mean_interval
from retainkit._time.windows import read_ages
from retainkit._typing import Booleans, Floats, Integers
from retainkit.acquisition._costs import check_cost, cost_per_customer
from retainkit.acquisition._options import ObservedOrders, ValueOptions, observe
from retainkit.typing import (
    Amounts,
    IntoFrame,
    IntoTable,
    Length,
    Missing,
    PeriodLike,
    TableT,
    Weekday,
)

_OWN = (
    *("cohort", "acquired", "cost_per_customer", "payback_days", "payback_lower", "payback_upper"),
    *("paid_back", "value_per_customer", "age_days", "ltv_cac", "ltv_cac_lower"),
    *("ltv_cac_upper", "naive_ltv_cac", "cost", "spent"),
)
_ROUNDING = 1e-9  # share of the cost by which a sum of money may miss it


def payback(
    transactions: TableT | IntoTable[TableT],
    *,
    cost: float | IntoFrame,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    cohort_period: PeriodLike | None = "month",
    by: str | Sequence[str] | None = None,
    margin: float = 1.0,
    amounts: Amounts = "raise",
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
    ages: Sequence[int | Length] | None = None,
) -> TableT:
    r"""Age at which what customers brought reaches what they cost, by cohort.

    >>> from retainkit import datasets, payback
    >>> table = payback(datasets.load_cdnow(sample=True), cost=60.0).set_index("cohort")
    >>> table[["payback_days", "payback_lower", "payback_upper", "age_days", "ltv_cac"]].round(2)
                payback_days  payback_lower  payback_upper  age_days  ltv_cac
    cohort
    1997-01-01         129.0           96.0          178.0     515.0     1.67
    1997-02-01         134.0           91.0          175.0     487.0     1.75
    1997-03-01         107.0           18.0          238.0     462.0     1.71

    With the value per customer of `observed_value`, :math:`v_c(k)`, and the cost of acquiring one,
    :math:`a_c`, payback is the first age in days at which it is reached,

    .. math:: \min \{k : v_c(k) \ge a_c\},

    and LTV:CAC is :math:`v_c(k) / a_c` at the greatest age at which all of the cohort count. Only
    what has been observed counts: a cohort that has not paid back has NaN, never an extrapolation.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    cost : float or IntoFrame
        What it cost to acquire a customer, in the unit of `amount`: a number for all, 0 or more; or
        a table of any kind with one row for each ``cohort`` (any date of the period; not with
        ``cohort_period=None``) and segment of `by`, and with a column ``cost``, per customer
        acquired, or ``spent``, in all.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, default "amount"
        Column of money, in its own unit.
    cohort_period : str, timedelta or sequence of date, or None, default "month"
        Periods of the first order by which customers are grouped: ``"day"``, ``"week"``,
        ``"month"``, ``"quarter"`` or ``"year"``; a number of days or weeks, such as ``"14 days"``;
        or a list of the dates between periods, with the end of the last: who comes outside is in no
        cohort, and counted in a warning. None: all customers together.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        first order, such as the channel, also when the value changes later; where several rows
        share that instant, to the smallest, with a warning.
    margin : float, default 1.0
        Share of the spend that is kept; at 1 the value is revenue.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same day; where the net is negative there is no purchase, and
        customers left without any are counted in a warning. ``"keep"``: take them as they are. An
        amount, or a net, of zero is a purchase.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    ages : sequence of str, timedelta or int, optional
        Ages that are looked at, in whole days, such as ``("30D", "90D")``: each over those who have
        been there for the whole of it. Default: every day at which all of the cohort have. Where
        customers still come and all are together, that ends with the youngest: give `ages` then.

    Returns
    -------
    DataFrame
        A row for every cohort with customers, by segment and cohort: a new frame of the same kind
        as `transactions`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``cohort`` (date): first day of the period of the first order; not with
          ``cohort_period=None``.
        - ``acquired`` (int): customers of the cohort.
        - ``cost_per_customer`` (float): what it cost to acquire one; NaN where `cost` has no row.
        - ``payback_days`` (float): first of the ages, in days, at which the value per customer
          reaches that; NaN where none does.
        - ``payback_lower``, ``payback_upper`` (float): first of the ages at which the upper and the
          lower limit of the value reach it; NaN where none does.
        - ``paid_back`` (bool): whether the value reaches the cost at one of the ages.
        - ``value_per_customer`` (float): what a customer had paid at the age ``age_days``, times
          `margin`.
        - ``age_days`` (float): greatest of the ages at which all of the cohort count; NaN where
          they do at none.
        - ``ltv_cac`` (float): value_per_customer / cost_per_customer; NaN where the cost is 0.
        - ``ltv_cac_lower``, ``ltv_cac_upper`` (float): its interval, that of the value over the
          cost.
        - ``naive_ltv_cac`` (float): all money to `as_of` over the cost of all who were acquired,
          however young: what is often shown, to compare.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame, or in the table of `cost` (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if amounts or costs are negative;
        if the table of `cost` has neither ``cost`` nor ``spent``, or both, or several rows for a
        cohort and segment (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, customers outside all
        periods, customers without a purchase. If cohorts have no row in the table of `cost`, or
        rows of it no customer. The message says how much.

    See Also
    --------
    observed_value : The value per customer by age, with its interval.
    cltv : What customers will still bring.

    Notes
    -----
    CAC is the cost of acquiring a customer: what was spent on acquisition over the *new* customers
    it brought. Over all orders it is the cost of an order (CPA, CPO), which is much less. Payback
    is also called CAC payback period, time to recover CAC, or break-even; the days here are those
    of the customer's age, day 0 being that of the first order.

    Compare like with like: revenue over cost is 3.3 times too good at a margin of 30 %, so give
    `margin`. The interval takes the cost as known. Ratios of cohorts of different ages do not
    compare: look at ``age_days``, or give all the same `ages`.

    The limits of the payback are those ages at which the interval of the value, which holds at each
    age, reaches the cost.

    References
    ----------
    .. [1] Farris, P. W., Bendle, N. T., Pfeifer, P. E. & Reibstein, D. J. (2010), Marketing
       Metrics, 2nd edition, chapter 5.

    Examples
    --------
    Ann pays 10 on the 1st of January and 20 on the 11th, Bob 30 on the 20th. Each cost 25, which
    their mean of 20 on day 0 does not reach, and that of 30 on day 10 does. On 1 February both have
    been there for 11 days:

    >>> import pandas as pd
    >>> from retainkit import payback
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-20"])
    >>> orders = pd.DataFrame({"customer_id": ["ann", "ann", "bob"], "time": days})
    >>> orders["amount"] = [10.0, 20.0, 30.0]
    >>> table = payback(orders, cost=25, as_of="2024-02-01")
    >>> table[["acquired", "payback_days", "paid_back", "age_days", "ltv_cac"]]
       acquired  payback_days  paid_back  age_days  ltv_cac
    0         2          10.0       True      11.0      1.2
    """
    check_cost(cost)
    cut_ages = None if ages is None else read_ages("ages", ages)
    options = ValueOptions(
        customer=customer,
        time=time,
        amount=amount,
        cohort_period=cohort_period,
        by=by,
        margin=margin,
        amounts=amounts,
        as_of=as_of,
        tz=tz,
        week_start=week_start,
        missing=missing,
        confidence_level=confidence_level,
    )
    cut = options.validate()
    observed = observe(transactions, options, cut, cut_ages, _OWN)
    costs = cost_per_customer(cost, by, observed)
    result: TableT = build_like(observed.log.rows, _columns(observed, options, costs))
    return result


def _columns(observed: ObservedOrders, options: ValueOptions, costs: Floats) -> dict[str, Any]:
    """Return the columns of the result: a row for each cohort."""
    cohorts, margin = observed.cohorts, options.margin
    columns: dict[str, Any] = segment_values(
        observed.steps.segments, observed.log.by, cohorts.segment
    )
    if observed.grid is not None:
        columns["cohort"] = observed.grid.label(cohorts.cohort)
    limits = mean_interval(cohorts.values, options.confidence_level, above_0=observed.above_0)
    mean, lower, upper = (values * margin for values in (cohorts.values.mean, *limits))
    complete = cohorts.customers == cohorts.acquired[:, None]
    days = _first_reached(mean, costs, cohorts.ages)
    return columns | {
        "acquired": cohorts.acquired,
        "cost_per_customer": costs,
        "payback_days": days,
        # The upper limit of the value reaches the cost first.
        "payback_lower": _first_reached(upper, costs, cohorts.ages),
        "payback_upper": _first_reached(lower, costs, cohorts.ages),
        "paid_back": ~np.isnan(days),
        "value_per_customer": _last(mean, complete),
        "age_days": _last(np.broadcast_to(cohorts.ages, complete.shape), complete),
        "ltv_cac": ratio(_last(mean, complete), costs),
        "ltv_cac_lower": ratio(_last(lower, complete), costs),
        "ltv_cac_upper": ratio(_last(upper, complete), costs),
        "naive_ltv_cac": ratio(cohorts.total * margin, costs * cohorts.acquired),
    }


def _first_reached(values: Floats, costs: Floats, ages: Integers) -> Floats:
    """Return the first of the ages at which each row of values reaches its cost, or NaN."""
    reached = values >= (costs * (1 - _ROUNDING))[:, None]
    return _first(np.broadcast_to(ages, reached.shape), reached)


def _first(values: Any, where: Booleans) -> Floats:
    """Return the first value of each row where that is marked, NaN where nothing is."""
    found = np.full(len(where), np.nan)
    rows = np.flatnonzero(where.any(axis=1))
    found[rows] = values[rows, where[rows].argmax(axis=1)] if len(rows) else []
    return found


def _last(values: Any, where: Booleans) -> Floats:
    """Return the last value of each row where that is marked, NaN where nothing is."""
    return _first(values[:, ::-1], where[:, ::-1])
