"""Survival curves: the share of customers who stay longer than each tenure."""

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
from retainkit._stats.survival import kaplan_meier
from retainkit._time.grid import calendar_grid
from retainkit._time.periods import PERIODS
from retainkit._typing import Array
from retainkit.survival._reading import (
    RiskTable,
    TenureOptions,
    effective_counts,
    read_tenures,
    risk_tables,
    stack_curves,
)
from retainkit.typing import EndIs, IntoTable, Length, Missing, Period, TableT

_RESULT = ("tenure", "at_risk", "churned", "survival", "lower", "upper", "hazard")
_RESERVED = (*_RESULT, TIME_UNIT)


def survival_curve(
    subscriptions: TableT | IntoTable[TableT],
    *,
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
    weights: str | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of customers who stay longer than each tenure, from those who left and those who stay.

    >>> from retainkit import datasets, survival_curve
    >>> table = survival_curve(datasets.make_subscriptions(500, seed=1))
    >>> table[["tenure", "at_risk", "churned", "survival", "lower", "upper"]].head(3).round(3)
       tenure  at_risk  churned  survival  lower  upper
    0       0      500        0     1.000  1.000  1.000
    1       1      475       19     0.960  0.938  0.974
    2       2      439       19     0.918  0.890  0.940

    The Kaplan-Meier estimate: with :math:`n_i` customers at risk at tenure :math:`i` and
    :math:`d_i` of them leaving there,

    .. math:: S(t) = \prod_{i \le t} \left( 1 - \frac{d_i}{n_i} \right).

    Whoever is still a customer is *censored*: at risk up to the tenure reached, and not counted
    after it. Counting them as lost, or leaving them out, would bias the curve.

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once; with
        `duration`, one row a customer.
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
        Columns of segments. Null is a segment of its own. Each gets a curve of its own. A customer
        belongs to the segment of the subscription that starts the first run, also when the value
        changes later.
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
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter. With
        `duration`; see Notes.
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
        or `duration`, `observed`, `counts` and `weights`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1, at each tenure by itself.

    Returns
    -------
    DataFrame
        A row for every tenure, by segment and tenure: 0, 1, 2 … up to the longest, or with
        `duration` 0 and those that occur. A new frame of the same kind as `subscriptions`; Polars
        for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``tenure`` (int; float with `duration`): in units.
        - ``at_risk`` (int): customers who were there and under observation up to this tenure.
        - ``churned`` (int): how many of them left at it. A customer who leaves within the
          k-th unit, or as it ends, leaves at tenure k. With `weights` both are floats; see Notes.
        - ``survival`` (float): share who stay longer than this tenure.
        - ``lower``, ``upper`` (float): interval for it, symmetric on the scale of log(-log S), with
          Greenwood's variance.
        - ``hazard`` (float): churned / at_risk, the share of those still there who leave at this
          tenure; NaN where nobody is at risk.
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
        seem to be last days; if a run starts in several segments at once; if segments are made of
        the outcome, being null where a subscription runs and nowhere else; if `gap` leaves no unit
        to judge.

    See Also
    --------
    median_lifetime : The tenure that half of the customers outlive.
    expected_lifetime : The mean lifetime up to a horizon.
    churn_rate : Churn by calendar period.
    retainkit.plot.survival_curve : The picture.

    Notes
    -----
    *Which life.* A customer's subscriptions are united as `churn_rate` does it, and tenure runs
    from the first start to the first churn. Later runs of those who return are not part of it.

    *Units in progress.* A month that was not observed to its end is left out, for those who left in
    it and for those who stayed: counting only the first would make the curve too low, only the
    others too high. Customers not yet there for a whole unit are at
    risk at tenure 0 only. With `duration`, numbers are taken as they are, and the estimate
    is that of any survival package; do not round them down.

    *Limits where nobody, or everybody, has left.* There Greenwood's variance is 0 or infinite, and
    other packages give an interval without width. Here the lower limit is Wilson's for n of n at
    risk, and the upper one the limit just before times Wilson's for none of n.

    *Weights.* The curve is that of the customers by weight. ``at_risk`` is the effective number
    then, :math:`(\sum w)^2 / \sum w^2` over those at risk, as many customers of equal weight as are
    as precise [3]_, and ``churned`` the share of it that leaves by weight: so limits, medians and
    mean lifetimes follow from the table as without weights. Customers are taken as independent.

    Late entry assumes that those who came under observation late are like the others of the same
    tenure. Where few are at risk early, one who leaves moves the whole curve.

    From lazy engines the columns that are needed are brought into memory, which takes about 40
    bytes a row; durations are counted in the engine.

    References
    ----------
    .. [1] Kaplan, E. L. & Meier, P. (1958), "Nonparametric Estimation from Incomplete
       Observations", Journal of the American Statistical Association 53 (282), 457-481.
    .. [2] Kalbfleisch, J. D. & Prentice, R. L. (2002), *The Statistical Analysis of Failure Time
       Data*, 2nd ed., section 1.4.
    .. [3] Xie, J. & Liu, C. (2005), "Adjusted Kaplan-Meier Estimator and Log-rank Test with Inverse
       Probability of Treatment Weighting for Survival Data", Statistics in Medicine 24 (20),
       3089-3110.

    Examples
    --------
    Ann left after one month, Bob after two; Cyd has been there for three months, Dan for one.

    >>> import pandas as pd
    >>> from retainkit import survival_curve
    >>> table = pd.DataFrame(
    ...     [
    ...         ("ann", "2024-01-01", "2024-02-01"),
    ...         ("bob", "2024-01-10", "2024-03-10"),
    ...         ("cyd", "2024-01-20", None),
    ...         ("dan", "2024-03-15", None),
    ...     ],
    ...     columns=["customer_id", "start", "end"],
    ... ).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    >>> survival_curve(table, as_of="2024-05-01").round(3)
       tenure  at_risk  churned  survival  lower  upper  hazard time_unit
    0       0        4        0     1.000  1.000  1.000    0.00     month
    1       1        4        1     0.750  0.128  0.961    0.25     month
    2       2        2        1     0.375  0.011  0.808    0.50     month
    3       3        1        0     0.375  0.011  0.808    0.00     month
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
        gap=gap,
        entry=entry,
        amount=amount,
        by=by,
        as_of=as_of,
        tz=tz,
        missing=missing,
        reserved=_RESERVED,
    )
    options = TenureOptions(
        dates=dates,
        unit=units,
        duration=duration,
        observed=observed,
        counts=counts,
        weights=weights,
    )
    durations = read_tenures(subscriptions, options)
    columns = _curve_columns(durations, confidence_level)
    return build_like(durations.rows, columns | options.unit_column(len(columns["tenure"])))


def _curve_columns(durations: Durations, confidence_level: float) -> dict[str, Any]:
    """Estimate the curve of each segment and return the columns of the result."""
    curves = [
        _segment_curve(durations, table, confidence_level) for table in risk_tables(durations)
    ]
    own = stack_curves(durations, ("segment", *_RESULT), curves)
    columns: dict[str, Any] = segment_values(durations.segments, durations.by, own.pop("segment"))
    return columns | own


def _segment_curve(
    durations: Durations, table: RiskTable, confidence_level: float
) -> dict[str, Array]:
    """Estimate the curve of one segment."""
    n_at_risk, churned = effective_counts(durations, table)
    curve = kaplan_meier(n_at_risk, churned, confidence_level)
    return {
        "segment": np.full(len(table.tenure), table.segment),
        "tenure": table.tenure,
        "at_risk": n_at_risk,
        "churned": churned,
        "survival": curve.survival,
        "lower": curve.lower,
        "upper": curve.upper,
        "hazard": curve.hazard,
    }
