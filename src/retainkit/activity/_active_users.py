"""Active users: customers active in each period and window, and the days on which they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import boolean, probability
from retainkit._frames.reducer import reducer
from retainkit._inputs.events import check_one_start, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.durations import window_days
from retainkit._time.grid import DAYS
from retainkit._time.period_options import PeriodOption, period_option
from retainkit._typing import Array, Integers
from retainkit.activity import _eager, _lazy
from retainkit.activity._counts import (
    PeriodDays,
    WindowSpec,
    count_active,
    count_active_in_window,
    count_started,
    period_days,
)
from retainkit.activity._spec import FrequencyCounts, VisitCounts, VisitSpec
from retainkit.activity._steps import (
    build_result,
    count_visits,
    last_midnight,
    warn_of_ambiguous_segments,
)
from retainkit.errors import ArgumentError
from retainkit.typing import (
    IntoFrame,
    IntoTable,
    Length,
    Missing,
    Month,
    PeriodLike,
    TableT,
    Weekday,
)

_ACTIVE = (
    *("period", "active", "active_window", "stickiness", "lower", "upper", "complete"),
    *("customers", "active_share", "active_share_lower", "active_share_upper"),
)
_DAYS = ("days", "customers", "share", "lower", "upper", "at_least", "complete")


def active_users(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    period: PeriodLike = "day",
    window: int | Length = 28,
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
    r"""Active customers of each period, of the window that ends with it, and their ratio.

    >>> from retainkit import active_users, datasets
    >>> table = active_users(datasets.make_events(500, seed=1), window=28).set_index("period")
    >>> table[["active", "active_window", "stickiness", "lower", "upper"]].tail(3).round(3)
                active  active_window  stickiness  lower  upper
    period
    2024-12-29       9            160       0.056  0.030  0.103
    2024-12-30      14            161       0.087  0.053  0.141
    2024-12-31       5            159       0.031  0.014  0.071

    With :math:`A_t` the customers with an event in period :math:`t`, and :math:`W_t` those with
    one in the `window` days that end with it, stickiness is :math:`|A_t| / |W_t|`: by default daily
    active users to those of the trailing 28 days (DAU/MAU).

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    period : str, timedelta or sequence of date, default "day"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning. In it customers are ``active``; windows may begin before the first edge.
    window : int, str or timedelta, default 28
        Length of the window: days, or a length of time such as ``"28D"`` or ``"4 weeks"``. It
        trails behind the end of a period, and is not shorter than a period can be. Whole weeks hold
        every weekday equally often.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        first row, also when the value changes later; where several rows share that instant, to the
        smallest, with a warning.
    cohort_time : str, optional
        Column with each customer's own start, such as the sign-up: one value for each customer.
        Then those who have started, whether they came or not, are what the active are a share of.
        Rows of days before it are not counted, and a warning says how many.
    customers : IntoFrame, optional
        Table of one row a customer, of any kind, in which `customer`, `cohort_time` and `by` name
        columns. Whoever is in it and has no event has not come yet, and counts as a customer.
        Events of customers who are not in it are not used, and counted in a warning. Without it
        `events` may be what a left join leaves: for each customer who never came one row, with a
        null time beside `cohort_time`.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval.
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
        that counts such rows. Needed are `customer` and `time`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from a segment's first one to `as_of`, those without activity
        included, and none before the first event of all, whoever may have started before it: a new
        frame of the same kind as `events`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day.
        - ``active`` (int): customers with an event in the period.
        - ``active_window`` (int): customers with an event in the window, which is half-open: the
          `window` days before the end of the period.
        - ``stickiness`` (float): active / active_window; NaN where that is 0 or not ``complete``.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether the period is over, and its window began no earlier than the
          day of the first row of all. A window that reaches back further counts too few.
        - with `cohort_time`, ``customers`` (int): those who have started by the end of the period,
          whether they came or not; ``active_share`` (float): active / customers, NaN where that is
          0, the period is not over, or it began before the day of the first row of all;
          ``active_share_lower``, ``active_share_upper`` (float): Wilson's interval for it.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, such as a window shorter than the period; if a column has
        nulls; if a customer has several values of `cohort_time`, or several rows in `customers` (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, rows before
        `cohort_time`, customers who start too late, events of customers who are not in `customers`.

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
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    days = window_days("window", window)
    _check_window(window, days, cut)
    boolean("include_partial", include_partial)
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time, "cohort_time": cohort_time}
    log = read_events(
        events,
        columns=columns,
        by=by,
        reserved=_ACTIVE,
        tz=tz,
        missing=missing,
        customers=customers,
    )
    end = log.end_of_observation(as_of)
    grid = cut.in_zone(log.zone)
    log = log.until(end)
    if customers is None:
        check_one_start(log)
    log.warn_of_outside(grid)
    unit = VisitSpec(end=end, period=DAYS)
    visits = count_visits(log, unit)
    spec = WindowSpec(window=days, period=grid)
    found = period_days(visits, unit, spec)
    first = unit.first(log)
    table = _active_columns(visits, unit, spec, found, confidence_level, first=first)
    rows = np.flatnonzero((found.end <= end.index(DAYS)) | include_partial)
    return build_result(log, visits.segments, found.periods.segment, table, rows)


def _check_window(window: int | Length, days: int, cut: PeriodOption) -> None:
    if days < cut.longest:
        raise ArgumentError(
            f"`window` is {window!r}, and a {cut.noun} has up to {cut.longest} days: who is "
            "active in the period must be so in the window that ends with it. Choose a longer "
            "window, or a shorter `period`.",
            code="short_window",
            argument="window",
        )


def _active_columns(
    visits: VisitCounts,
    unit: VisitSpec,
    spec: WindowSpec,
    found: PeriodDays,
    confidence_level: float,
    *,
    first: int | None,
) -> dict[str, Any]:
    """Return the columns of the result, the periods in progress included.

    `first` is the day of the first row of all, of rows before a `cohort_time` too.
    """
    active = count_active(visits, found, spec)
    active_window = count_active_in_window(visits, unit, spec.window, found.until - 1, found)
    over = found.end <= unit.end.index(DAYS)
    complete = over & (found.end - spec.window >= (unit.last if first is None else first))
    lower, upper = wilson(active, active_window, confidence_level)
    rates = {"stickiness": ratio(active, active_window), "lower": lower, "upper": upper}
    columns: dict[str, Any] = {
        "period": found.label,
        "active": active,
        "active_window": active_window,
        **{name: np.where(complete, values, np.nan) for name, values in rates.items()},
        "complete": complete,
    }
    customers = count_started(visits.starts, found.periods.segment, found.until - 1)
    if visits.starts is not None and customers is not None:
        known = over if first is None else over & (found.begin >= first)
        lower, upper = wilson(active, customers, confidence_level)
        shares = {
            "active_share": ratio(active, customers),
            "active_share_lower": lower,
            "active_share_upper": upper,
        }
        columns["customers"] = customers
        columns |= {name: np.where(known, values, np.nan) for name, values in shares.items()}
    return columns


def active_days(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    window: int | Length = 28,
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Number of days of one window on which customers were active: the power-user curve.

    >>> from retainkit import active_days, datasets
    >>> table = active_days(datasets.make_events(500, seed=1), window=28)
    >>> table[["days", "customers", "share", "at_least", "lower", "upper"]].head(3).round(3)
       days  customers  share  at_least  lower  upper
    0     1         70  0.440       159  0.365  0.518
    1     2         61  0.384        89  0.312  0.461
    2     3         23  0.145        28  0.098  0.208

    Of the customers with an event in the last `window` days before `as_of`, how many had one on
    exactly 1, 2, ... of these days? It tells the few who come daily from the many who come once,
    which the ratio of daily to monthly active customers (`active_users`) does not.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    window : int, str or timedelta, default 28
        Length of the window: days, or a length of time such as ``"28D"`` or ``"4 weeks"``.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        first row, also when the value changes later; where several rows share that instant, to the
        smallest, with a warning.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row. The window ends with the last midnight up to it: a day in progress has
        not been observed, and its rows are not used either, and counted too.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer` and `time`.
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
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time}
    log = read_events(events, columns=columns, by=by, reserved=_DAYS, tz=tz, missing=missing)
    end = last_midnight(log, log.end_of_observation(as_of))
    log = log.until(end)
    unit = VisitSpec(end=end, period=DAYS)
    since = unit.last + 1 - length
    count = reducer(log.rows, lazy=_lazy.count_frequencies, eager=_eager.count_frequencies)
    found = count(log, unit, since)
    warn_of_ambiguous_segments(found.n_ambiguous, int(found.count.sum()))
    begin = since if log.first_event is None else log.first_event.index(DAYS)
    segments = np.unique(found.segment)
    table = _days_columns(found, segments, length, confidence_level)
    table["complete"] = np.full(len(segments) * length, since >= begin)
    return build_result(log, found.segments, np.repeat(segments, length), table)


def _days_columns(
    found: FrequencyCounts, segments: Integers, window: int, confidence_level: float
) -> dict[str, Array]:
    """Return the columns of the result, `window` rows for each of the segments."""
    shape = len(segments), window + 1
    block = np.searchsorted(segments, found.segment)
    exactly = np.bincount(block * shape[1] + found.visits, found.count, shape[0] * shape[1])
    customers = exactly.astype(np.int64).reshape(shape)[:, 1:]
    at_least = customers[:, ::-1].cumsum(axis=1)[:, ::-1]
    every = at_least[:, :1] + np.zeros_like(customers)
    lower, upper = wilson(customers, every, confidence_level)
    columns = {
        "days": np.arange(1, window + 1) + np.zeros_like(customers),
        "customers": customers,
        "share": ratio(customers, every),
        "lower": lower,
        "upper": upper,
        "at_least": at_least,
    }
    return {name: values.ravel() for name, values in columns.items()}
