"""Churn by inactivity, and the gaps between the events of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

import numpy as np

from retainkit._checks import boolean, is_list, one_of, probability
from retainkit._frames.reducer import reducer
from retainkit._inputs.events import read_events
from retainkit._inputs.observation import check_as_of
from retainkit._stats.gap_survival import GapCounts, influences, quantile_table
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.durations import window_days
from retainkit._time.grid import DAYS
from retainkit._time.period_options import period_option
from retainkit._typing import Integers
from retainkit.activity import _eager, _lazy
from retainkit.activity._counts import WindowSpec
from retainkit.activity._losses import Losses, count_losses
from retainkit.activity._spec import VisitCounts, VisitSpec
from retainkit.activity._steps import build_result, count_visits, last_midnight
from retainkit.errors import ArgumentTypeError
from retainkit.typing import Dated, IntoTable, Length, Missing, Month, PeriodLike, TableT, Weekday

_CHURN = (
    *("period", "at_risk", "churned", "churn_rate", "lower", "upper", "returned_later"),
    "complete",
)
_INTERVAL = ("quantile", "days", "lower", "upper", "naive_days", "ended", "censored")


def inactivity_churn(
    events: TableT | IntoTable[TableT],
    *,
    window: int | Length,
    customer: str = "customer_id",
    time: str = "time",
    period: PeriodLike = "month",
    dated: Dated = "window_end",
    by: str | Sequence[str] | None = None,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of customers lost in each period, where lost is who stays away for a window.

    >>> from retainkit import datasets, inactivity_churn
    >>> events = datasets.make_events(500, seed=1)
    >>> table = inactivity_churn(events, window="60D").set_index("period")
    >>> table[["at_risk", "churned", "churn_rate", "lower", "upper"]].tail(3).round(3)
                at_risk  churned  churn_rate  lower  upper
    period
    2024-10-01      193       48       0.249  0.193  0.314
    2024-11-01      225       53       0.236  0.185  0.295
    2024-12-01      241       70       0.290  0.237  0.351

    Where no contract says when a customer leaves, a pause has to. With a window of :math:`w` days,
    whoever has an event on day :math:`d` is current on the days :math:`d, ..., d + w - 1`, and
    lost if there is no event on the :math:`w` days after :math:`d` either:

    .. math:: \text{churn\_rate} = \text{churned} / \text{at\_risk}.

    Nobody can be called lost before the window is over, and some of those who are come back:
    ``returned_later`` says how many. If it is large, the window is too short.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    window : int, str or timedelta
        Length of the window: days, or a length of time such as ``"28D"`` or ``"4 weeks"``.
        `usage_interval` helps to choose it.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Only its days count.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning. In it losses are counted.
    dated : {"window_end", "last_event"}, default "window_end"
        When a loss happens. ``"window_end"``: on day :math:`d + w`, when it becomes certain; then
        no period that is over changes any more. ``"last_event"``: on day :math:`d`, when the
        customer was last seen; then the last `window` days before `as_of` cannot be classified.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        first row, also when the value changes later; where several rows share that instant, to the
        smallest, with a warning.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row. A day in progress has not been observed: rows since the last midnight
        are not used either, and counted too.
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
        A row for every period from a segment's first one to `as_of`: a new frame of the same kind
        as `events`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day.
        - ``at_risk`` (int): customers who could be lost in it. By ``"window_end"`` those current
          when it begins and, where it is longer than the window, those who came early enough in it;
          by ``"last_event"`` those with an event in it.
        - ``churned`` (int): how many of them were lost. Who is lost, comes back and can be lost
          again within a period counts anew in both.
        - ``churn_rate`` (float): churned / at_risk; NaN where that is 0 or not ``complete``.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``returned_later`` (float): share of the churned who had another event by `as_of`; NaN
          where nobody churned, or not ``complete``.
        - ``complete`` (bool): whether all counts are final. By ``"window_end"`` it is False in the
          period in progress, and where the `window` days before a period had not all been
          observed, since then not all of those at risk are known, and too few are lost. By
          ``"last_event"`` it is False where the `window` days after a period had not.

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
        If something is set aside: rows after the end of observation, rows with nulls.

    See Also
    --------
    usage_interval : How long pauses are, to choose the window by.
    retainkit.growth_accounting : Losses from one calendar period to the next.

    Notes
    -----
    ``at_risk`` of a period is the ``active_window`` that `active_users` finds, with the same
    window, for the day before, where the window is not shorter than the period.

    Losses of late periods have had less time to come back: compare ``returned_later`` of old ones
    only.

    References
    ----------
    .. [1] Gold, C. (2020), "Fighting Churn with Data", Manning, section 2.3: churn as inactivity.

    Examples
    --------
    Ann comes on 1, 3 and 20 January, Bob on the 2nd. After a week without a visit they are lost:
    Bob on the 9th for good, Ann on the 10th until the 20th, and again on the 27th.

    >>> import pandas as pd
    >>> from retainkit import inactivity_churn
    >>> days = pd.to_datetime([f"2024-01-{day}" for day in ("01", "03", "20", "02")])
    >>> visits = pd.DataFrame({"customer_id": ["ann"] * 3 + ["bob"], "time": days})
    >>> table = inactivity_churn(visits, window="7D", period="week", as_of="2024-02-05")
    >>> table[["period", "at_risk", "churned", "churn_rate", "returned_later", "complete"]]
          period  at_risk  churned  churn_rate  returned_later  complete
    0 2024-01-01        0        0         NaN             NaN     False
    1 2024-01-08        2        2         1.0             0.5      True
    2 2024-01-15        0        0         NaN             NaN      True
    3 2024-01-22        1        1         1.0             0.0      True
    4 2024-01-29        0        0         NaN             NaN      True
    """
    length = window_days("window", window)
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    one_of("dated", dated, get_args(Dated))
    boolean("include_partial", include_partial)
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time}
    log = read_events(events, columns=columns, by=by, reserved=_CHURN, tz=tz, missing=missing)
    end = last_midnight(log, log.end_of_observation(as_of))
    log = log.until(end)
    unit = VisitSpec(end=end, period=DAYS)
    grid = cut.in_zone(log.zone)
    log.warn_of_outside(grid)
    visits = count_visits(log, unit)
    spec = WindowSpec(window=length, period=grid)
    losses = count_losses(visits, unit, spec, dated)
    rows = np.flatnonzero(losses.over | include_partial)
    table = _inactivity_columns(losses, confidence_level)
    return build_result(log, visits.segments, losses.days.periods.segment, table, rows)


def _inactivity_columns(losses: Losses, confidence_level: float) -> dict[str, Any]:
    """Return the columns of the result; what is not final has no rate."""
    lower, upper = wilson(losses.churned, losses.at_risk, confidence_level)
    rates = {
        "churn_rate": ratio(losses.churned, losses.at_risk),
        "lower": lower,
        "upper": upper,
        "returned_later": ratio(losses.returned, losses.churned),
    }
    return {
        "period": losses.days.label,
        "at_risk": losses.at_risk,
        "churned": losses.churned,
        **{name: np.where(losses.complete, rate, np.nan) for name, rate in rates.items()},
        "complete": losses.complete,
    }


def usage_interval(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    quantiles: Sequence[float] = (0.5, 0.8, 0.9, 0.95),
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Quantiles of the gaps between events: the days that pass until customers come again.

    >>> from retainkit import datasets, usage_interval
    >>> table = usage_interval(datasets.make_events(500, seed=1))
    >>> table[["quantile", "days", "naive_days", "ended", "censored"]]
       quantile   days  naive_days  ended  censored
    0      0.50   16.0        12.0   2108       500
    1      0.80   70.0        31.0   2108       500
    2      0.90  202.0        57.0   2108       500
    3      0.95    NaN        86.0   2108       500

    A gap runs from a day with events to the customer's next one. The last gap of each customer is
    still open when observation ends, and its length so far is a lower bound: it is *censored*. The
    share of gaps longer than :math:`g` days is therefore estimated as by Kaplan and Meier,

    .. math:: S(g) = \prod_{u \le g} \left(1 - \frac{d_u}{n_u}\right),

    with :math:`d_u` the gaps that end after exactly :math:`u` days and :math:`n_u` those that are
    known to last :math:`u` days or more. The quantile :math:`q` is the least :math:`g` with
    :math:`S(g) \le 1 - q`. Use it to choose the `period` of `growth_accounting`, which most
    customers should come in again, and the `window` of `inactivity_churn`, which few should
    stay away for and come back.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Only its days count.
    quantiles : sequence of float, default (0.5, 0.8, 0.9, 0.95)
        Shares of gaps, between 0 and 1.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        first row, also when the value changes later; where several rows share that instant, to the
        smallest, with a warning.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row. A day in progress has not been observed: rows since the last midnight
        are not used either, and counted too.
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
        A row for every quantile, by segment: a new frame of the same kind as `events`; Polars for a
        LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``quantile`` (float): as asked for.
        - ``days`` (float): by so many days this share of the gaps has ended; NaN where fewer have
          ended for as long as was observed.
        - ``lower``, ``upper`` (float): its interval; NaN where there is no limit.
        - ``naive_days`` (float): the same of the ended gaps alone, as it is mostly computed. It is
          too short, since long gaps are those that have not ended yet.
        - ``ended`` (int): gaps that have ended; ``censored`` (int): open ones, one a customer.

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
        If something is set aside: rows after the end of observation, rows with nulls.

    Notes
    -----
    Gaps of all customers are pooled, so those who come often count often: it is a statement about
    gaps, not about the typical customer. Some gaps never end, and where they are many, high
    quantiles are NaN rather than long.

    The interval inverts the log-log band of the survival [2]_. The gaps of one customer resemble
    each other, so Greenwood's variance is multiplied by the design effect: the variance of the
    cumulative hazard at the quantile from sums over customers, to that from single gaps.

    References
    ----------
    .. [1] Kaplan, E. L. & Meier, P. (1958), "Nonparametric Estimation from Incomplete
       Observations", Journal of the American Statistical Association 53 (282), 457-481.
    .. [2] Brookmeyer, R. & Crowley, J. (1982), "A Confidence Interval for the Median Survival
       Time", Biometrics 38 (1), 29-41.
    .. [3] Ying, Z. & Wei, L. J. (1994), "The Kaplan-Meier Estimate for Dependent Failure Time
       Observations", Journal of Multivariate Analysis 50 (1), 17-29.

    Examples
    --------
    Ann comes every other day, four times, and Bob once; nobody comes after 7 January:

    >>> import pandas as pd
    >>> from retainkit import usage_interval
    >>> days = pd.to_datetime([f"2024-01-0{day}" for day in (1, 3, 5, 7, 1)])
    >>> visits = pd.DataFrame({"customer_id": ["ann"] * 4 + ["bob"], "time": days})
    >>> table = usage_interval(visits, quantiles=(0.5, 0.9), as_of="2024-01-11")
    >>> table[["quantile", "days", "naive_days", "ended", "censored"]]
       quantile  days  naive_days  ended  censored
    0       0.5   2.0         2.0      3         2
    1       0.9   NaN         2.0      3         2
    """
    levels = _check_quantiles(quantiles)
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    columns = {"customer": customer, "time": time}
    log = read_events(events, columns=columns, by=by, reserved=_INTERVAL, tz=tz, missing=missing)
    end = last_midnight(log, log.end_of_observation(as_of))
    log = log.until(end)
    spec = VisitSpec(end=end, period=DAYS)
    visits = count_visits(log, spec)
    codes = np.unique(visits.segment)
    counts = _gap_counts(visits, spec, codes)
    values = np.array([influences(levels, one) for one in counts[:-1]])
    square = reducer(log.rows, lazy=_lazy.sum_squares, eager=_eager.sum_squares)
    squares = square(log, spec, counts[0].gap, values) if len(codes) else values
    tables = [
        quantile_table(levels, one, squared, confidence_level)
        for one, squared in zip(counts[:-1], squares, strict=True)
    ]
    # The table of no customers shows what the columns are.
    tables.append(quantile_table((), counts[-1], np.zeros(0), confidence_level))
    table = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
    return build_result(log, visits.segments, np.repeat(codes, len(levels)), table)


def _check_quantiles(quantiles: Any) -> tuple[float, ...]:
    if not is_list(quantiles):
        raise ArgumentTypeError(
            f"`quantiles` is {quantiles!r}; it must hold shares between 0 and 1, such as "
            "(0.5, 0.9).",
            argument="quantiles",
        )
    return tuple(probability("quantiles", level) for level in quantiles)


def _gap_counts(visits: VisitCounts, spec: VisitSpec, codes: Integers) -> list[GapCounts]:
    """Count the gaps of each segment by length, and last those of nobody."""
    ended, still = visits.gap > 0, visits.next_visit == 0
    gap = np.concatenate([visits.gap[ended], visits.period[still] - spec.last])
    count = np.concatenate([visits.count[ended], visits.count[still]])
    segment = np.concatenate([visits.segment[ended], visits.segment[still]])
    # Whoever first comes on the last day has not been observed after it.
    observed = still & ~((visits.gap == 0) & (visits.period == spec.last))
    lengths, place = np.unique(gap, return_inverse=True)
    size = len(lengths)
    return [
        GapCounts(
            gap=lengths,
            count=np.bincount(place[own], count[own], size).astype(np.int64),
            customers=int(visits.count[observed & (visits.segment == code)].sum()),
        )
        for code, own in ((code, segment == code) for code in (*codes, -1))
    ]
