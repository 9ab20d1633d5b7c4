"""Growth accounting: where the active customers of each period come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import boolean, probability
from retainkit._inputs.events import check_one_start, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import check_amounts_option, net_refunds
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.period_options import period_option
from retainkit.activity._counts import (
    GrowthCounts,
    first_shown,
    growth_amounts,
    growth_counts,
    periods_from_first,
)
from retainkit.activity._spec import VisitCounts, VisitSpec
from retainkit.activity._steps import build_result, count_visits
from retainkit.typing import (
    Amounts,
    IntoFrame,
    IntoTable,
    Missing,
    Month,
    PeriodLike,
    TableT,
    Weekday,
)

_RESULT = (
    *("period", "active", "new", "retained", "resurrected", "churned"),
    *("quick_ratio", "retention_rate", "lower", "upper", "complete", "customers"),
    *("amount", "new_amount", "retained_amount", "expansion", "contraction"),
    *("resurrected_amount", "churned_amount"),
    *("amount_quick_ratio", "gross_retention", "net_retention"),
)


def growth_accounting(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    amounts: Amounts = "raise",
    period: PeriodLike = "month",
    by: str | Sequence[str] | None = None,
    cohort_time: str | None = None,
    customers: IntoFrame | None = None,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Active customers of each period by where they come from, and how many were lost.

    >>> from retainkit import datasets, growth_accounting
    >>> table = growth_accounting(datasets.make_events(500, seed=1)).set_index("period")
    >>> table[["active", "new", "retained", "resurrected", "churned"]].tail(3)
                active  new  retained  resurrected  churned
    period
    2024-10-01     156   52        61           43       72
    2024-11-01     154   42        68           44       88
    2024-12-01     167   44        67           56       87

    A customer is *active* in a period with an event. Who is active is *new* in the period of the
    first event, *retained* if active in the period before too, and else *resurrected*. Who was
    active in the period before and is not now has *churned*. So in every period :math:`t`

    .. math::

        \text{active}_t &= \text{new}_t + \text{retained}_t + \text{resurrected}_t \\
        \text{active}_t &= \text{active}_{t-1} + \text{new}_t + \text{resurrected}_t
        - \text{churned}_t \\
        \text{retention\_rate}_t &= \text{retained}_t / \text{active}_{t-1} \\
        \text{quick\_ratio}_t &= (\text{new}_t + \text{resurrected}_t) / \text{churned}_t

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit, or of any quantity, for the same accounts in it.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and customers left without any are counted in a warning. ``"keep"``: take them as they are.
        An amount, or a net, of zero is a purchase.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or
        ``"year"``; a number of days or weeks, such as ``"14 days"``, counted from `origin`; or a
        list of the dates or times between periods, with the end of the last: what lies outside is
        in no row, and counted in a warning. Each is compared with the one before it, and who came
        before the first edge is not new later.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each gets a table of its own. A customer
        belongs to the segment of the first row, also when the value changes later; where several
        rows share that instant, to the smallest, with a warning. So nobody moves between segments,
        and they add up to the whole.
    cohort_time : str, optional
        Column with each customer's own start, such as the sign-up: one value for each customer.
        Then who is active in the period of the start is new, and who first comes in a later one is
        resurrected. Rows in periods before it are not counted, and a warning says how many.
    customers : IntoFrame, optional
        Table of one row a customer, of any kind, in which `customer`, `cohort_time` and `by` name
        columns. Whoever is in it and has no event has not come yet, and counts as a customer.
        Events of customers who are not in it are not used, and counted in a warning. Without it
        `events` may be what a left join leaves: for each customer who never came one row, with a
        null time beside `cohort_time`.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval. Whoever
        has not come yet stands there as churned.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
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
        that counts such rows. Needed are all columns but those of `by`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from a segment's first one to `as_of`, those without activity
        included, and none before the first event of all, whoever may have started before it; by
        segment and period. A new frame of the same kind as `events`; Polars for a LazyFrame, pandas
        for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day. Of hours, and where an edge is no midnight, a time
          (datetime), in the zone of `tz`.
        - ``active``, ``new``, ``retained``, ``resurrected``, ``churned`` (int): customers.
        - ``quick_ratio`` (float): those won to one who was lost; NaN where nobody was lost.
        - ``retention_rate`` (float): the share of those active in the period before who are active
          again; NaN where nobody was.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether the period is over.
        - with `cohort_time`, ``customers`` (int): those who have started by the end of the period,
          whether they came or not.
        - with `amount`, ``amount``, ``new_amount``, ``retained_amount``, ``expansion``,
          ``contraction``, ``resurrected_amount``, ``churned_amount`` (float), in the unit of the
          column. Of a retained customer the lesser of the amounts in the two periods is retained;
          what is more than before is expansion, what is less contraction. ``amount`` is the sum of
          new, retained, expansion and resurrected; that of the period before the sum of
          retained, contraction and churned.
        - with `amount`, ``amount_quick_ratio`` (float): (new + expansion + resurrected) /
          (contraction + churned); ``gross_retention`` (float): retained / amount of the period
          before; ``net_retention`` (float): (retained + expansion) / the same.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if amounts are negative; if a
        customer has several values of `cohort_time`, or several rows in `customers` (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, rows before
        `cohort_time`, customers who start too late, events of customers who are not in `customers`.

    See Also
    --------
    retainkit.inactivity_churn : Losses after a pause of a chosen length.
    retainkit.usage_interval : How long pauses are, to choose the period by.
    retainkit.plot.growth_accounting : The table as a picture.

    Notes
    -----
    *New* is by the first row of `events`. In a log that begins amid the history of its customers,
    the first period calls everybody new, and later ones those who come back after a pause. With
    `cohort_time` it is by the start, and neither happens.

    *Churned* here means: not active in this very period. Nobody has to have left: of customers who
    buy every other month, half churn and half are resurrected in each. Choose the period by
    `usage_interval`.

    Without `amount` a row is an event, whatever it is: leave refunds out, or they count as visits.
    A refund in a later period than its purchase does not undo the purchase, by ``"net"`` neither.
    Two amounts that agree to a billionth are taken for equal, so that rounding makes no expansion.

    Other names: growth accounting and quick ratio (Social Capital), lifecycle with new, current,
    resurrected and dormant users, and their ratio "pulse" (Amplitude), lifecycle with new,
    returning, resurrecting and dormant users (PostHog).

    References
    ----------
    .. [1] Hsu, J. (2015), "Diligence at Social Capital", parts 1 and 2: growth accounting of users
       and of revenue.
    .. [2] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.

    Examples
    --------
    Ann comes in January, February and April, Bob in January and March, Cyd from February on:

    >>> import pandas as pd
    >>> from retainkit import growth_accounting
    >>> who = ["ann", "ann", "ann", "bob", "bob", "cyd", "cyd", "cyd"]
    >>> months = [1, 2, 4, 1, 3, 2, 3, 4]
    >>> days = pd.to_datetime([f"2024-0{month}-15" for month in months])
    >>> visits = pd.DataFrame({"customer_id": who, "time": days})
    >>> table = growth_accounting(visits, as_of="2024-05-01")
    >>> table[["period", "active", "new", "retained", "resurrected", "churned"]]
          period  active  new  retained  resurrected  churned
    0 2024-01-01       2    2         0            0        0
    1 2024-02-01       2    1         1            0        1
    2 2024-03-01       2    0         1            1        1
    3 2024-04-01       2    0         1            1        1
    >>> table["quick_ratio"].tolist()
    [nan, 1.0, 1.0, 1.0]
    """
    check_amounts_option(amounts, amount)
    cut = period_option(period, week_start=week_start, origin=origin, year_start=year_start)
    boolean("include_partial", include_partial)
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time, "amount": amount, "cohort_time": cohort_time}
    log = read_events(
        events,
        columns=columns,
        by=by,
        reserved=_RESULT,
        tz=tz,
        missing=missing,
        customers=customers,
    )
    end, grid = log.end_of_observation(as_of), cut.in_zone(log.zone)
    log = log.until(end).within(grid)
    if customers is None:
        check_one_start(log)
    end = end.within(grid)
    log = net_refunds(log, amounts, grid, end)
    spec = VisitSpec(end=end, period=grid)
    visits = count_visits(log, spec)
    periods = periods_from_first(*first_shown(visits, spec), spec)
    visits = visits.inside(grid)
    counts = growth_counts(visits, periods)
    table = _growth_columns(visits, counts, spec, confidence_level)
    rows = np.flatnonzero(table["complete"] | include_partial)
    return build_result(log, visits.segments, counts.periods.segment, table, rows)


def _growth_columns(
    visits: VisitCounts, counts: GrowthCounts, spec: VisitSpec, confidence_level: float
) -> dict[str, Any]:
    """Return the columns of the result, the periods in progress included."""
    period = counts.periods.period
    churned = counts.before - counts.retained
    complete = period < spec.end.index(spec.period)
    lower, upper = wilson(counts.retained, counts.before, confidence_level)
    columns: dict[str, Any] = {
        "period": spec.period.label(period),
        "active": counts.active,
        "new": counts.new,
        "retained": counts.retained,
        "resurrected": counts.resurrected,
        "churned": churned,
        "quick_ratio": ratio(counts.new + counts.resurrected, churned),
        "retention_rate": ratio(counts.retained, counts.before),
        # What can only rise has no interval.
        "lower": np.where(complete, lower, np.nan),
        "upper": np.where(complete, upper, np.nan),
        "complete": complete,
    }
    if counts.customers is not None:
        columns["customers"] = counts.customers
    money = growth_amounts(visits, counts.periods)
    if money:
        before = money.pop("before")
        won = money["new_amount"] + money["expansion"] + money["resurrected_amount"]
        columns |= money
        columns["amount_quick_ratio"] = ratio(won, money["contraction"] + money["churned_amount"])
        columns["gross_retention"] = ratio(money["retained_amount"], before)
        columns["net_retention"] = ratio(money["retained_amount"] + money["expansion"], before)
    return columns
