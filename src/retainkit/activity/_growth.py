"""Growth accounting and active users: where the active customers of a period come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retainkit._checks import boolean, one_of, probability
from retainkit._frames.output import build_like
from retainkit._inputs.events import read_events
from retainkit._time.durations import window_days
from retainkit._time.periods import PERIODS, WEEKDAYS
from retainkit.activity._growth_tables import (
    ACTIVE,
    DAYS,
    GROWTH,
    active_table,
    check_window,
    days_table,
    growth_table,
)
from retainkit.activity._spec import VisitSpec
from retainkit.activity._steps import (
    choose_reducer,
    last_midnight,
    segment_values,
    warn_of_ambiguous_segments,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from narwhals.stable.v2.typing import IntoFrame

    from retainkit._time.periods import Period, Weekday
    from retainkit.activity._spec import Frequencies, Visits


def growth_accounting(
    events: IntoFrame,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    period: Period = "month",
    by: str | Sequence[str] | None = None,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Literal["raise", "drop"] = "raise",
    confidence_level: float = 0.95,
) -> Any:
    r"""Where the active customers of each period come from, and how many were lost.

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
        Column that identifies the customer: integers, strings, UUIDs, categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money (or any quantity) for the same accounts in money, in its own unit.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Length of the calendar periods that are compared.
    by : str or sequence of str, optional
        Columns of segments. Each gets a table of its own. A customer belongs to the segment of the
        first row, also when the value changes later; where several rows share that instant, to the
        smallest, with a warning. So nobody moves between segments, and they add up to the whole.
    include_partial : bool, default False
        Also show the period in progress, if `as_of` does not end one. Whoever has not come yet
        stands there as churned: it has no interval, and ``complete`` is False.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in the zone in which periods are cut. Default: the
        midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null in a column (other than those of `by`) is an error, or its row is left out
        with a warning that counts them.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from a segment's first one to `as_of`, those without activity
        included, by segment and period: a new frame of the same kind as `events`; Polars for a
        LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day.
        - ``active``, ``new``, ``retained``, ``resurrected``, ``churned`` (int): customers.
        - ``quick_ratio`` (float): those won to one who was lost; NaN where nobody was lost.
        - ``retention_rate`` (float): the share of those active in the period before who are active
          again; NaN where nobody was.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether the period is over.
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
        If an argument has a wrong value, or a column nulls (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls.

    See Also
    --------
    retainkit.inactivity_churn : Losses after a pause of a chosen length.
    retainkit.usage_interval : How long pauses are, to choose the period by.
    retainkit.plot.growth_accounting : The table as a picture.

    Notes
    -----
    *New* is by the first row of `events`. In a log that begins amid the history of its customers,
    the first period calls everybody new, and later ones those who come back after a pause.

    *Churned* here means: not active in this very period. Nobody has to have left: of customers who
    buy every other month, half churn and half are resurrected in each. Choose the period by
    `usage_interval`.

    Amounts below zero (refunds) lower what the customer spent in the period; a row is an event,
    whatever its amount. Leave refunds out if they are not to count as activity. Two amounts that
    agree to a billionth are taken for equal, so that rounding makes no expansion.

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
    one_of("period", period, PERIODS)
    boolean("include_partial", include_partial)
    one_of("week_start", week_start, WEEKDAYS)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time, "amount": amount}
    log = read_events(events, columns=columns, by=by, taken=GROWTH, tz=tz, missing=missing)
    end = log.end(as_of)
    log = log.before(end)
    query = VisitSpec(end=end, period=period, week_start=week_start)
    visits: Visits = choose_reducer(log).visits(log, query)
    warn_of_ambiguous_segments(visits.several)
    table, segment = growth_table(visits, query, confidence_level)
    rows = np.flatnonzero(table["complete"] | include_partial)
    segments = segment_values(log, visits.segments, segment[rows])
    return build_like(log.rows, segments | {name: values[rows] for name, values in table.items()})


def active_users(
    events: IntoFrame,
    *,
    customer: str = "customer_id",
    time: str = "time",
    period: Period = "day",
    window: int | str = 28,
    by: str | Sequence[str] | None = None,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Literal["raise", "drop"] = "raise",
    confidence_level: float = 0.95,
) -> Any:
    r"""Active customers of each period, of the window that ends with it, and their ratio.

    With :math:`A_t` the customers with an event in period :math:`t`, and :math:`W_t` those with
    one in the `window` days that end with it, stickiness is :math:`|A_t| / |W_t|`: by default daily
    active users to those of the trailing 28 days (DAU/MAU).

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    period : {"day", "week", "month", "quarter", "year"}, default "day"
        Calendar period of ``active``.
    window : int or str, default 28
        Length of the trailing window in days, or a duration such as ``"28D"`` or ``"4W"``; not
        shorter than a period can be. Whole weeks hold every weekday equally often.
    by : str or sequence of str, optional
        Columns of segments, as in `growth_accounting`: that of the customer's first row.
    include_partial : bool, default False
        Also show the period in progress, if `as_of` does not end one.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Default: the midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which days are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null customer or time is an error, or its row is left out with a warning.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from a segment's first one to `as_of`, those without activity
        included: a new frame of the same kind as `events`; Polars for a LazyFrame, pandas for
        DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day.
        - ``active`` (int): customers with an event in the period.
        - ``active_window`` (int): customers with an event in the window, which is half-open: the
          `window` days before the end of the period.
        - ``stickiness`` (float): active / active_window; NaN where that is 0 or not ``complete``.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether the period is over, and its window began no earlier than the
          day of the first row of all. A window that reaches back further counts too few.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, such as a window shorter than the period; or a column
        nulls (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls.

    See Also
    --------
    active_days : On how many days of one window customers were active.

    Notes
    -----
    Vendors' windows differ: 7 and 30 days, 28 and 91, or the calendar month. Mean stickiness over
    the days of a month is a mean of ratios, and not the mean of the daily active customers over the
    active customers of the month.

    Examples
    --------
    Ann comes on the 1st, 2nd and 3rd, Bob on the 1st and the 4th:

    >>> import pandas as pd
    >>> from retainkit import active_users
    >>> days = pd.to_datetime([f"2024-01-0{day}" for day in (1, 2, 3, 1, 4)])
    >>> visits = pd.DataFrame({"customer_id": ["ann"] * 3 + ["bob"] * 2, "time": days})
    >>> table = active_users(visits, window=2)
    >>> table[["period", "active", "active_window", "stickiness", "complete"]]
          period  active  active_window  stickiness  complete
    0 2024-01-01       2              2         NaN     False
    1 2024-01-02       1              2         0.5      True
    2 2024-01-03       1              1         1.0      True
    3 2024-01-04       1              2         0.5      True
    """
    one_of("period", period, PERIODS)
    days = window_days("window", window)
    check_window(window, days, period)
    boolean("include_partial", include_partial)
    one_of("week_start", week_start, WEEKDAYS)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time}
    log = read_events(events, columns=columns, by=by, taken=ACTIVE, tz=tz, missing=missing)
    end = log.end(as_of)
    log = log.before(end)
    query = VisitSpec(end=end, period="day")
    visits: Visits = choose_reducer(log).visits(log, query)
    warn_of_ambiguous_segments(visits.several)
    table, segment = active_table(visits, query, (days, period, week_start), confidence_level)
    rows = np.flatnonzero(table.pop("over") | include_partial)
    segments = segment_values(log, visits.segments, segment[rows])
    return build_like(log.rows, segments | {name: values[rows] for name, values in table.items()})


def active_days(
    events: IntoFrame,
    *,
    customer: str = "customer_id",
    time: str = "time",
    window: int | str = 28,
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Literal["raise", "drop"] = "raise",
    confidence_level: float = 0.95,
) -> Any:
    r"""On how many days of one window customers were active: the power-user curve.

    Of the customers with an event in the last `window` days before `as_of`, how many had one on
    exactly 1, 2, ... of these days? It tells the few who come daily from the many who come once,
    which the ratio of daily to monthly active customers (`active_users`) does not.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame.
    customer : str, default "customer_id"
        Column that identifies the customer.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    window : int or str, default 28
        Length of the window in days, or a duration such as ``"28D"`` or ``"4W"``.
    by : str or sequence of str, optional
        Columns of segments, as in `growth_accounting`: that of the customer's first row.
    as_of : str, date or datetime, optional
        End of the window, which a day in progress does not enter: it ends with the last midnight
        up to `as_of`. Later rows are not used, and counted in a warning. Default: the midnight
        that ends the day of the last row.
    tz : str, optional
        Time zone in which days are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null customer or time is an error, or its row is left out with a warning.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        `window` rows for every segment with customers: a new frame of the same kind as `events`;
        Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``days`` (int): 1 to `window`.
        - ``customers`` (int): with events on exactly so many days.
        - ``share`` (float): customers / all who were active in the window; NaN if there are none.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``at_least`` (int): customers with events on so many days or more. The first row's are
          all who were active.
        - ``complete`` (bool): whether the window began no earlier than the day of the first row.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, or a column nulls (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after the end of the window, rows with nulls.

    Notes
    -----
    Mixpanel (frequency) and PostHog (stickiness) show the same, as exactly or at least so many
    days. Customers who first came amid the window had fewer days to be active on.

    References
    ----------
    .. [1] Chen, A. (2018), "The Power User Curve: the best way to understand your most engaged
       users", andrewchen.com.

    Examples
    --------
    Of the three days to the 4th, Ann comes on two and Bob on one:

    >>> import pandas as pd
    >>> from retainkit import active_days
    >>> days = pd.to_datetime([f"2024-01-0{day}" for day in (1, 2, 3, 1, 4)])
    >>> visits = pd.DataFrame({"customer_id": ["ann"] * 3 + ["bob"] * 2, "time": days})
    >>> active_days(visits, window=3)[["days", "customers", "share", "at_least"]]
       days  customers  share  at_least
    0     1          1    0.5         2
    1     2          1    0.5         1
    2     3          0    0.0         0
    """
    length = window_days("window", window)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time}
    log = read_events(events, columns=columns, by=by, taken=DAYS, tz=tz, missing=missing)
    end = last_midnight(log, log.end(as_of))
    log = log.before(end)
    query = VisitSpec(end=end, period="day")
    since = query.last + 1 - length
    found: Frequencies = choose_reducer(log).frequencies(log, query, since)
    warn_of_ambiguous_segments(found.several)
    begin = since if log.begin is None else log.begin.index("day", "monday")
    table, segment = days_table(found, length, confidence_level)
    table["complete"] = np.full(len(segment), since >= begin)
    return build_like(log.rows, segment_values(log, found.segments, segment) | table)
