"""Revenue retention by cohort: what those who started together still pay, by age."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import boolean, probability
from retainkit._frames.groupby import unique_keys
from retainkit._inputs.cohort_table import COHORT_COLUMNS
from retainkit._inputs.subscriptions import SubscriptionOptions
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.period_options import period_option
from retainkit._typing import Booleans, Integers
from retainkit.revenue._changes import AmountChanges
from retainkit.revenue._rates import gross_rate, net_rate
from retainkit.revenue._reading import SubscriptionArrays, read_subscription_arrays
from retainkit.revenue._triangle import revenue_triangle
from retainkit.typing import EndIs, IntoTable, Length, Missing, Month, PeriodLike, TableT, Weekday

_RATES = ("nrr", "nrr_lower", "nrr_upper", "grr", "grr_lower", "grr_upper")


def revenue_cohorts(
    subscriptions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    amount: str = "mrr",
    period: PeriodLike = "month",
    by: str | Sequence[str] | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    gap: Length = "0D",
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Recurring revenue that each cohort of subscribers still pays, and how many of them, by age.

    >>> from retainkit import datasets, revenue_cohorts
    >>> table = revenue_cohorts(datasets.make_subscriptions(500, seed=1)).set_index("cohort")
    >>> table[["age", "customers", "retained", "amount", "nrr", "grr"]].head(3).round(3)
                age  customers  retained  amount    nrr    grr
    cohort
    2023-01-01    0         20        20   750.0  1.000  1.000
    2023-01-01    1         20        19   701.0  0.935  0.935
    2023-01-01    2         20        18   682.0  0.909  0.909

    The cohort of a customer is the first period at whose end the customer pays; age 0 is the end of
    that period, and later ages are the ends of those that follow. With :math:`b_i` what customer
    :math:`i` paid at age 0 and :math:`c_{i,k}` at age :math:`k`, over the customers of a cohort

    .. math::

       \text{nrr}_k = \frac{\sum_i c_{i,k}}{\sum_i b_i}, \qquad
       \text{grr}_k = \frac{\sum_i \min(c_{i,k}, b_i)}{\sum_i b_i}.

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    start : str, default "start"
        Column of dates or datetimes, with or without a time zone.
    end : str, default "end"
        Column of dates or datetimes, null where a subscription still runs.
    end_is : {"exclusive", "last_day"}, default "exclusive"
        Whether an end is the moment from which a subscription no longer runs, or the last day on
        which it does: then it runs to the midnight after that day, in `tz`.
    subscription : str, optional
        Column of what a row is a phase of: rows of the same subscription that come one after
        another stay, exact repeats count once, with a warning, and others that overlap are refused.
        Default: every row is a subscription of its own.
    amount : str, default "mrr"
        Column of the monthly amount of each subscription, 0 or more.
    period : str, timedelta or sequence of date, default "month"
        Period by which customers are grouped and in which ages are counted: ``"day"``, ``"week"``,
        ``"month"``, ``"quarter"`` or ``"year"``; a number of days or weeks, such as ``"14 days"``,
        counted from `origin`; or a list of the dates between periods, with the end of the last:
        what lies outside is in no cohort, and counted in a warning. Who paid before the first edge
        is in no cohort.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Customers belong to the segment in which
        they paid at age 0, whatever they pay for later; one who paid in several counts in each,
        with that share of the money.
    currency : str, optional
        Column of the currency of `amount`. Several need `rates`.
    rates : mapping of str to float, optional
        What one unit of each currency is worth in the currency of the result.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``, on the
        wall clock, of the customer and all subscriptions together: until the renewal the customer
        pays what was paid before. A customer who left less than that before `as_of` may still
        renew, and pays.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval.
    as_of : str, date or datetime, optional
        Instant at which observation ends: subscriptions that end at or after it still run; those
        that start at or after it are left out, and counted in a warning. Without a time zone it is
        read in that of `tz`. Default: the midnight that ends the day of the last start, with a
        warning that counts the ends after it; give it where the table is of a later day.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `start` and, if it is given, `subscription`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every cohort and age, by segment, cohort and age: a new frame of the same kind as
        `subscriptions`; Polars for a LazyFrame, pandas for DuckDB and PySpark. A cohort without
        customers has rows too, and its rates are NaN. The columns are those of `cohort_retention`:

        - the columns of `by`.
        - ``cohort`` (date): first day of the cohort's period.
        - ``age`` (int): 0, 1, 2 … periods.
        - ``customers`` (int): size of the cohort: who pays at the end of a period for the first
          time. In `mrr_movements` they are new, or reactivated if they had paid within an earlier
          period.
        - ``eligible`` (int): customers observed at this age, all of them.
        - ``retained`` (int): who pays at this age.
        - ``retention`` (float): retained / eligible, a fraction.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether the period is over and all is known of it.
        - ``amount`` (float): what the cohort pays, in the unit of `amount`.
        - ``amount_per_customer`` (float): amount / eligible.
        - ``nrr``, ``nrr_lower``, ``nrr_upper`` (float): net revenue retention and its interval.
        - ``grr``, ``grr_lower``, ``grr_upper`` (float): gross revenue retention and its interval.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if amounts are negative or null, customers or starts null,
        an end lies before its start, rows of a `subscription` overlap, or currencies are mixed
        without `rates` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside: with nulls, of no length, repeats, or with a start at or after
        `as_of`; if identical rows are added up, ends seem to be last days, or rows to be levels or
        invoice lines; if segments are made of the outcome, being null where a subscription runs and
        nowhere else; if `gap` leaves no period to judge; if customers never paid at the end of a
        period, so that they are in no cohort.

    See Also
    --------
    retention_matrix : The triangle, cohorts down and ages across; ``values="nrr"`` for revenue.
    revenue_retention : All cohorts together, where the limits are explained.

    Notes
    -----
    Who starts and leaves within a period pays at no period's end and is in no cohort, which makes
    cohorts of long periods look better than those of short ones; a warning counts them.

    Subscriptions of a lazy engine are brought into memory, as by `mrr_movements`.

    Examples
    --------
    Ann's subscription is raised from 50 to 80 in March; Bob's ends in February, when Cyd comes:

    >>> import pandas as pd
    >>> from retainkit import revenue_cohorts
    >>> who, mrr = ["ann", "ann", "bob", "cyd"], [50, 80, 30, 40]
    >>> start = pd.to_datetime(["2024-01-01", "2024-03-01", "2024-01-10", "2024-02-05"])
    >>> end = pd.to_datetime(["2024-03-01", None, "2024-02-20", None])
    >>> book = pd.DataFrame({"customer_id": who, "start": start, "end": end, "mrr": mrr})
    >>> table = revenue_cohorts(book, as_of="2024-04-01")
    >>> table[["cohort", "age", "customers", "retained", "amount", "nrr", "grr"]].head(4)
          cohort  age  customers  retained  amount    nrr    grr
    0 2024-01-01    0          2         2    80.0  1.000  1.000
    1 2024-01-01    1          2         1    50.0  0.625  0.625
    2 2024-01-01    2          2         1    80.0  1.000  0.625
    3 2024-02-01    0          1         1    40.0  1.000  1.000
    """
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    options = SubscriptionOptions(
        needed=("amount",),
        customer=customer,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        gap=gap,
        amount=amount,
        by=by,
        currency=currency,
        rates=rates,
        as_of=as_of,
        tz=tz,
        missing=missing,
        reserved=(*COHORT_COLUMNS, *_RATES),
    )
    arrays = read_subscription_arrays(subscriptions, options, cut)
    size = arrays.grid()
    parts = (_changes_of(part) for part in arrays.blocks(size.n_cells * size.n_periods))
    cells = revenue_triangle(parts, size.starts, arrays.last)
    _warn_of_earlier(arrays)
    _warn_of_passing(arrays, cells.n_customers)
    if not include_partial:
        arrays.subscriptions.warn_of_gap(arrays.period, int(cells.cohort.min(initial=arrays.last)))
    over = cells.cohort + cells.age < arrays.over
    shown = np.flatnonzero(over | include_partial)
    columns = {"age": cells.age, **_cohort_columns(cells.sums, over, arrays, confidence_level)}
    return arrays.build_result(
        cells.segment[shown],
        {"cohort": cells.cohort[shown]},
        {name: values[shown] for name, values in columns.items()},
    )


def _changes_of(arrays: SubscriptionArrays) -> AmountChanges:
    """Return the changes of customers but those who paid before the first edge."""
    changes = arrays.changes()
    if not arrays.period.has_edges:
        return changes
    return changes.take(~np.isin(changes.customer, _early_payers(arrays)))


def _warn_of_earlier(arrays: SubscriptionArrays) -> None:
    """Warn of customers who paid before the first edge."""
    early = len(_early_payers(arrays)) if arrays.period.has_edges else 0
    if early:
        warn(
            f"{count_noun(early, 'customer')} in no cohort, having paid before the first edge of "
            "`period`.",
            code="outside_edges",
            argument="period",
            rows=early,
            total=len(_payers(arrays)),
        )


def _early_payers(arrays: SubscriptionArrays) -> Integers:
    """Return the customers who paid before the first edge."""
    return _payers(arrays, lambda number: number < arrays.period.bounds[0])


def _payers(
    arrays: SubscriptionArrays, where: Callable[[Integers], Booleans] | None = None
) -> Integers:
    """Return the customers who pay something that begins in some periods, by default in any."""
    if where is None:
        return unique_keys(arrays.customer)
    return unique_keys(arrays.customer[where(arrays.period.number(arrays.begin))])


def _warn_of_passing(arrays: SubscriptionArrays, n_customers: int) -> None:
    """Warn of customers who never paid at the end of a period, so that they are in no cohort."""
    paid = _payers(arrays)
    if arrays.period.has_edges:
        paid = np.setdiff1d(_payers(arrays, arrays.period.holds), _early_payers(arrays))
    passing = len(paid) - n_customers
    if passing:
        warn(
            f"{count_noun(passing, 'customer')} in no cohort, having paid within a "
            f"{arrays.period.name} and at the end of none. Shorter periods show more of them.",
            code="customers_left_out",
            rows=passing,
            total=len(paid),
            argument="subscriptions",
        )


def _cohort_columns(
    sums: Mapping[str, Any], over: Any, arrays: SubscriptionArrays, confidence_level: float
) -> dict[str, Any]:
    """Return the columns of the result beside cohort and age."""
    customers, net, gross = sums["customers"], net_rate(sums), gross_rate(sums)
    amount = arrays.unit.to_amounts(sums["now"])
    limits = (
        wilson(sums["retained"], customers, confidence_level),
        net.ratio_limits(confidence_level),
        gross.proportion_limits(confidence_level),
    )
    # What is in progress has no limits yet.
    logo, nrr, grr = ([np.where(over, side, np.nan) for side in pair] for pair in limits)
    return {
        "customers": customers,
        "eligible": customers,
        "retained": sums["retained"],
        "retention": ratio(sums["retained"], customers),
        "lower": logo[0],
        "upper": logo[1],
        "complete": over,
        "amount": amount,
        "amount_per_customer": ratio(amount, customers),
        "nrr": net.value,
        "nrr_lower": nrr[0],
        "nrr_upper": nrr[1],
        "grr": gross.value,
        "grr_lower": grr[0],
        "grr_upper": grr[1],
    }
