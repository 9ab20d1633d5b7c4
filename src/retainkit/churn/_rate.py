"""Customer churn: the share of customers who leave in each period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

from retainkit._checks import boolean, one_of, probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.continuous_subscriptions import read_continuous_subscriptions
from retainkit._inputs.subscriptions import SubscriptionOptions, read_subscriptions
from retainkit._time.period_options import period_option
from retainkit.churn._cells import churn_columns, churn_counts, period_cells
from retainkit.typing import (
    ChurnMethod,
    EndIs,
    IntoTable,
    Length,
    Missing,
    Month,
    PeriodLike,
    TableT,
    Weekday,
)

_RESULT = (
    *("period", "opening", "new", "reactivated", "churned", "closing"),
    *("churn_rate", "lower", "upper", "complete"),
)


def churn_rate(
    subscriptions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    amount: str | None = None,
    period: PeriodLike = "month",
    by: str | Sequence[str] | None = None,
    reason: str | None = None,
    method: ChurnMethod = "opening",
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
    r"""Share of customers who leave in each period, with everyone who comes and goes.

    >>> from retainkit import churn_rate, datasets
    >>> table = churn_rate(datasets.make_subscriptions(500, seed=1)).set_index("period")
    >>> table[["opening", "new", "churned", "churn_rate", "lower", "upper"]].tail(3).round(3)
                opening  new  churned  churn_rate  lower  upper
    period
    2024-10-01      303   18       20       0.066  0.043  0.100
    2024-11-01      306   19        6       0.020  0.009  0.042
    2024-12-01      322   25       13       0.040  0.024  0.068

    A customer's subscriptions are united first: those that overlap, touch, or leave a gap no longer
    than `gap` are one uninterrupted *run*, so an upgrade or a late renewal is no churn, and a run
    has one churn at most, when it ends. In every row

    .. math::
       \text{opening} + \text{new} + \text{reactivated} - \text{churned} = \text{closing},

    and the rate is, by `method`,

    .. math::
       \text{opening: } \frac{\text{churned}}{\text{opening}}, \qquad
       \text{stripe: }
       \frac{\text{churned}}{\text{opening} + \text{new} + \text{reactivated}}, \qquad
       \text{daily: } \sum_{d} \frac{\text{churned}_d}{\text{opening}_d}.

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
    amount : str, optional
        Column of what a subscription brings. Those of 0 (trials, free plans) make no customer and
        are left out, with a warning that counts them. Default: every row makes a customer.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning. What begins or ends at the very beginning of a period belongs to it: a subscription
        that ends at midnight before 1 February is churn of February. Who was there before the first
        edge is among the opening customers.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each gets a table of its own, from its
        own first period on. A run belongs to the segment it starts in to its end; see Notes.
    reason : str, optional
        Column of why a subscription ended. There is a row for each cause then, with its part of the
        churn; an end without one is a cause of its own, null. The reason of a run is that of the
        subscription that ends last, the smallest where several do, with a warning. If nobody has
        left at all, every value of the column has rows, of 0.
    method : {"opening", "stripe", "daily"}, default "opening"
        Whose definition of the rate, and of who is counted.

        - ``"opening"``: of the customers at the start of the period, those who are not there at its
          end; the textbook's, and ChartMogul's standard formula [1]_. Two snapshots are compared:
          who comes and leaves within one period, or leaves and returns, shows in no column.
        - ``"stripe"``: every start and every end counts, also within one period, and all who
          were there at any time are in the denominator, as in Stripe's subscriber churn rate [2]_.
          Stripe speaks of new subscribers; those who return are taken to be among them.
        - ``"daily"``: the sum of the daily rates, the formula of Shopify, for ChartMogul that of
          B2C [1]_. It suits periods in which many come. Snapshots are those of days. As a sum of
          rates it can exceed 1; it estimates the cumulative hazard (Nelson and Aalen).
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``, on the
        wall clock. A customer who left less than that before `as_of` may still renew, and counts.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval: periods
        that are not over by then, or were over no longer than `gap` ago.
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
        A row for every period from the first start to `as_of`, also where nobody leaves, by segment
        and period: a new frame of the same kind as `subscriptions`; Polars for a LazyFrame, pandas
        for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): first day of the period.
        - the column of `reason`, if it is given: each value for which customers left in any period.
          ``churned``, ``churn_rate`` and its limits are those of the cause, all other columns those
          of the segment: added up over causes, those who leave are all who do.
        - ``opening`` (int): customers as the period begins.
        - ``new`` (int): those who come for the first time.
        - ``reactivated`` (int): those who come and had been there before, in an earlier run.
        - ``churned`` (int): those who leave.
        - ``closing`` (int): customers as the period ends.
        - ``churn_rate`` (float): a fraction; NaN where there is nobody to leave.
        - ``lower``, ``upper`` (float): Wilson's interval for it; with ``method="daily"`` its like
          for Poisson counts.
        - ``complete`` (bool): whether the period is over and all is known of it.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if customers or starts are null, amounts negative or null,
        an end lies before its start, or rows of a `subscription` overlap (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside: with nulls, of no length, free, repeats, or with a start at or after
        `as_of`; if ends lie after the default `as_of`, or seem to be last days; if a run starts in
        several segments at once, or ends for several reasons; if segments are made of the outcome,
        being null where a subscription runs and nowhere else; if `gap` leaves no period to judge.

    See Also
    --------
    survival_curve : How long customers stay.
    mrr_movements : The same in money.

    Notes
    -----
    *Segments.* A plan that changes within a run moves nobody: what counts is known when the run
    starts, and nothing of what came later. So the rate of a plan is that of the customers who
    started on it. Who returns does so in the segment of the new run; where that is another one
    and in the same period, the customer has churned in one segment and is reactivated in the other,
    which cancels out without `by`.

    *Tables that begin amid the history of their customers.* Those who were there before the first
    row are all new in the first periods, and who had left and returns is new as well. Begin to read
    later.

    *Churn is not a lifetime.* 1 / churn is the mean lifetime only if all customers are alike and
    stay so; see `survival_curve`.

    From lazy engines the columns that are needed are brought into memory, which takes about 40
    bytes a row.

    References
    ----------
    .. [1] ChartMogul (2024), "Configuring the churn rate formula",
       https://help.chartmogul.com/hc/en-us/articles/207340419.
    .. [2] Stripe (2024), "Billing analytics: glossary",
       https://docs.stripe.com/billing/subscriptions/analytics/glossary.
    .. [3] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.

    Examples
    --------
    Ann upgrades on 10 February, which is no churn. Bob leaves in February and returns in April.
    Cyd starts in March.

    >>> import pandas as pd
    >>> from retainkit import churn_rate
    >>> table = pd.DataFrame(
    ...     [
    ...         ("ann", "2024-01-05", "2024-02-10"),
    ...         ("ann", "2024-02-10", None),
    ...         ("bob", "2024-01-20", "2024-02-20"),
    ...         ("bob", "2024-04-02", None),
    ...         ("cyd", "2024-03-15", None),
    ...     ],
    ...     columns=["customer_id", "start", "end"],
    ... ).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    >>> churn = churn_rate(table, as_of="2024-05-01")
    >>> churn[["period", "opening", "new", "reactivated", "churned", "closing", "churn_rate"]]
          period  opening  new  reactivated  churned  closing  churn_rate
    0 2024-01-01        0    2            0        0        2         NaN
    1 2024-02-01        2    0            0        1        1         0.5
    2 2024-03-01        1    1            0        0        2         0.0
    3 2024-04-01        2    0            1        0        3         0.0
    >>> churn.loc[1:1, ["lower", "upper"]].round(3)
       lower  upper
    1  0.095  0.905
    """
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    one_of("method", method, get_args(ChurnMethod))
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    options = SubscriptionOptions(
        customer=customer,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        reason=reason,
        gap=gap,
        amount=amount,
        by=by,
        as_of=as_of,
        tz=tz,
        missing=missing,
        reserved=_RESULT,
    )
    table = read_subscriptions(subscriptions, options)
    grid = cut.in_zone(table.zone)
    table.warn_of_outside(grid)
    runs = read_continuous_subscriptions(table).before(grid)
    cells = period_cells(runs, table, grid, method)
    counts = churn_counts(runs, cells, method, confidence_level)
    if not include_partial:
        table.warn_of_gap(grid, cells.first)
    last = cells.last if include_partial else min(cells.last, cells.over - 1)
    segment, cause, own = churn_columns(counts, cells, last)
    columns: dict[str, Any] = segment_values(runs.segments, table.by, segment)
    columns["period"] = own.pop("period")
    if reason is not None:
        columns |= segment_values(runs.reasons, [reason], cause)
    return build_like(table.rows, columns | own)
