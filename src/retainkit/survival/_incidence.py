"""Cumulative incidence: the share of customers who have left for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import one_of, probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.durations import Durations
from retainkit._inputs.subscriptions import SubscriptionOptions
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit._stats.cumulative_incidence import aalen_johansen
from retainkit._time.grid import calendar_grid
from retainkit._time.periods import PERIODS
from retainkit._typing import Array
from retainkit.survival._reading import (
    RiskTable,
    TenureOptions,
    counts_at,
    read_tenures,
    risk_tables,
    stack_curves,
)
from retainkit.typing import EndIs, IntoTable, Length, Missing, Period, TableT

_RESULT = ("tenure", "at_risk", "churned", "cumulative_incidence", "lower", "upper")
_RESERVED = (*_RESULT, TIME_UNIT)


def cumulative_incidence(
    subscriptions: TableT | IntoTable[TableT],
    *,
    reason: str,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    amount: str | None = None,
    unit: Period = "month",
    by: str | Sequence[str] | None = None,
    gap: Length = "0D",
    entry: str | None = None,
    duration: str | None = None,
    observed: str | None = None,
    counts: str | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of customers who have left by each tenure, for each reason.

    >>> import pandas as pd
    >>> from retainkit import cumulative_incidence
    >>> table = pd.DataFrame({"months": [1, 2, 2, 2], "why": ["price", "price", "price", "bugs"]})
    >>> cumulative_incidence(table, reason="why", duration="months").query("tenure > 0").iloc[:, :5]
         why  tenure  at_risk  churned  cumulative_incidence
    1   bugs     1.0        4        0                  0.00
    2   bugs     2.0        3        1                  0.25
    4  price     1.0        4        1                  0.25
    5  price     2.0        3        2                  0.75

    The estimate of Aalen and Johansen [1]_: with :math:`n_i` customers at risk at tenure :math:`i`,
    :math:`d_{ki}` of them leaving there for reason :math:`k`, and :math:`S` the survival curve,

    .. math:: F_k(t) = \sum_{i \le t} S(t_{i-1}) \frac{d_{ki}}{n_i}, \qquad
       \sum_k F_k(t) = 1 - S(t).

    Who has left for one reason cannot leave for another any more. One less a survival curve in
    which other reasons count as censored answers what would be if they did not exist, and is too
    high.

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once; with
        `duration`, one row a customer.
    reason : str
        Column of why a subscription ended. Null is a reason of its own, and where a subscription
        runs the column means nothing. A run ends for the reason of the subscription that ends last.
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
    unit : {"day", "week", "month", "quarter", "year"}, default "month"
        Unit of tenure, counted from the customer's own start on the wall clock: a month ends on the
        same day and time of the next month or, where that is too short, on its last day.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer belongs to the segment of the
        subscription that starts the first run, also when the value changes later.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``. Since
        an end becomes churn after that time only, observation ends so much before `as_of`.
    entry : str, optional
        Column of when a customer came under observation, if that was after the start (null: with
        it): for a table begun at some day with the customers there were. They are at risk from then
        on only, since those who left before are not in the table. Of several subscriptions in a run
        the earliest counts. With `duration`: in its unit.
    duration, observed : str, optional
        Instead of dates: column of how long each customer stayed or has been there, a number in any
        unit, and boolean column of whether the end was seen (default: of all).
    counts : str, optional
        Column with the number of customers that a row counts, a whole number. With `duration`.
    as_of : str, date or datetime, optional
        Instant at which observation ends: subscriptions that end at or after it still run; those
        that start at or after it are left out, and counted in a warning. Without a time zone it is
        read in that of `tz`. Default: the midnight that ends the day of the last start, with a
        warning that counts the ends after it; give it where the table is of a later day.
    tz : str, optional
        Time zone of the wall clock, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `start` and, if it is given, `subscription`;
        or `duration` and `observed`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1, at each tenure by itself.

    Returns
    -------
    DataFrame
        A row for every tenure, by segment, reason and tenure: 0, 1, 2 … up to the longest of the
        segment, or with `duration` 0 and those that occur. A new frame of the same kind as
        `subscriptions`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`, and that of `reason` under its own name: every reason for which
          somebody was seen to leave.
        - ``tenure`` (int; float with `duration`): in units.
        - ``at_risk`` (int): customers who were there and under observation up to this tenure.
        - ``churned`` (int): how many of them left at it for this reason.
        - ``cumulative_incidence`` (float): share who have left for this reason by this tenure.
        - ``lower``, ``upper`` (float): interval for it, symmetric on the scale of log(-log F) [3]_,
          with the variance of the delta method [2]_.
        - ``time_unit`` (str): `unit`, the same in every row. With `duration` it is not known, and
          there is no such column.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value or has nothing to say beside `duration`; if a column has
        nulls, durations are negative, an end lies before its start, or rows of a `subscription`
        overlap (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside: with nulls, of no length, free, repeats, with a start at or after
        `as_of`, or an `entry` that is not before the end; if ends lie after the default `as_of`, or
        seem to be last days; if a run starts in several segments, or ends for several reasons, at
        once.

    See Also
    --------
    survival_curve : The share who stay, whatever the reason of the others.
    churn_rate : Churn by calendar period.

    Notes
    -----
    Which life counts, and what is left out of units in progress, is the same as in
    `survival_curve`.

    Where nobody has left for a reason, the upper limit is Wilson's for none of the n at risk; where
    everybody has, the lower one is as wide.

    References
    ----------
    .. [1] Aalen, O. O. & Johansen, S. (1978), "An Empirical Transition Matrix for Nonhomogeneous
       Markov Chains Based on Censored Observations", Scandinavian Journal of Statistics 5 (3),
       141-150.
    .. [2] Marubini, E. & Valsecchi, M. G. (1995), *Analysing Survival Data from Clinical Trials and
       Observational Studies*, chapter 10.
    .. [3] Pintilie, M. (2006), *Competing Risks: A Practical Perspective*, section 4.2.

    Examples
    --------
    Of four customers two cancelled, one could not be charged, and one is still there:

    >>> import pandas as pd
    >>> from retainkit import cumulative_incidence
    >>> table = pd.DataFrame(
    ...     [
    ...         ("ann", "2024-01-01", "2024-02-01", "cancelled"),
    ...         ("bob", "2024-01-01", "2024-03-01", "failed payment"),
    ...         ("cyd", "2024-01-01", "2024-04-01", "cancelled"),
    ...         ("dan", "2024-01-01", None, None),
    ...     ],
    ...     columns=["customer_id", "start", "end", "why"],
    ... ).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    >>> incidence = cumulative_incidence(table, reason="why", as_of="2024-05-01")
    >>> incidence = incidence[["why", "tenure", "at_risk", "churned", "cumulative_incidence"]]
    >>> incidence[incidence["tenure"] > 0]
                  why  tenure  at_risk  churned  cumulative_incidence
    1       cancelled       1        4        1                  0.25
    2       cancelled       2        3        0                  0.25
    3       cancelled       3        2        1                  0.50
    5  failed payment       1        4        0                  0.00
    6  failed payment       2        3        1                  0.25
    7  failed payment       3        2        0                  0.25
    """
    one_of("unit", unit, PERIODS[1:])
    units = calendar_grid(unit)
    probability("confidence_level", confidence_level)
    dates = SubscriptionOptions(
        customer=customer,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        reason=reason,
        gap=gap,
        entry=entry,
        amount=amount,
        by=by,
        as_of=as_of,
        tz=tz,
        missing=missing,
        reserved=_RESERVED,
        needed=("reason",),
    )
    options = TenureOptions(
        dates=dates,
        unit=units,
        duration=duration,
        observed=observed,
        counts=counts,
    )
    durations = read_tenures(subscriptions, options)
    columns = _incidence_columns(durations, reason, confidence_level)
    return build_like(durations.rows, columns | options.unit_column(len(columns["tenure"])))


def _incidence_columns(
    durations: Durations, reason: str, confidence_level: float
) -> dict[str, Any]:
    """Estimate the curves of each segment and reason, and return the columns of the result."""
    reasons = np.unique(durations.reason[durations.observed]).tolist()
    curves = [
        _reason_curve(durations, table, code, confidence_level)
        for table in risk_tables(durations)
        for code in reasons
    ]
    own = stack_curves(durations, ("segment", "reason", *_RESULT), curves)
    columns: dict[str, Any] = segment_values(durations.segments, durations.by, own.pop("segment"))
    columns |= segment_values(durations.reasons, [reason], own.pop("reason"))
    return columns | own


def _reason_curve(
    durations: Durations, table: RiskTable, reason: int, confidence_level: float
) -> dict[str, Array]:
    """Estimate the curve of one reason in one segment."""
    _, churned = counts_at(durations, table.rows, table.tenure, reason)
    curve = aalen_johansen(table.at_risk, table.churned, churned, confidence_level)
    n_rows = len(table.tenure)
    return {
        "segment": np.full(n_rows, table.segment),
        "reason": np.full(n_rows, reason),
        "tenure": table.tenure,
        "at_risk": table.at_risk,
        "churned": churned,
        "cumulative_incidence": curve.incidence,
        "lower": curve.lower,
        "upper": curve.upper,
    }
