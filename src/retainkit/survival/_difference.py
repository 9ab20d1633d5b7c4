"""Differences of survival between groups: the log-rank test, shares who stay, mean lifetimes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

from retainkit._checks import is_number, one_of, probability
from retainkit._frames.output import build_like
from retainkit._inputs.group_pairs import (
    check_group,
    group_columns,
    pair_segments,
    segments_and_group,
)
from retainkit._inputs.subscriptions import SubscriptionOptions
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit._stats.multiplicity import adjust_p_values
from retainkit._time.durations import in_units
from retainkit._time.grid import calendar_grid
from retainkit._time.periods import PERIODS
from retainkit.errors import ArgumentError
from retainkit.survival._comparison import (
    TEST,
    compare_pairs,
    has_customers,
    measured_columns,
)
from retainkit.survival._reading import TenureOptions, read_tenures
from retainkit.typing import Adjust, EndIs, IntoTable, Length, Missing, Period, TableT


def survival_difference(
    subscriptions: TableT | IntoTable[TableT],
    *,
    group: str,
    at: float | Length | None = None,
    horizon: float | Length | None = None,
    reference: Any = None,
    adjust: Adjust = "holm",
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
    r"""Differences of how long customers stay, between groups.

    >>> from retainkit import datasets, survival_difference
    >>> table = datasets.make_subscriptions(500, seed=1)
    >>> found = survival_difference(table, group="plan", reference="basic", at=12)
    >>> found[["group_a", "group_b", "chi_square", "survival_a", "survival_b"]].round(2)
      group_a group_b  chi_square  survival_a  survival_b
    0    plus   basic        8.99        0.55        0.36
    1     pro   basic       42.35        0.77        0.36

    The log-rank test [1]_ asks whether customers leave at the same rate at every tenure. Of
    :math:`n_i` customers at risk at tenure :math:`i`, :math:`n_{ai}` of them in the first group,
    :math:`d_i` leave, so that

    .. math::
       \chi^2 = \frac{\left( \sum_i d_{ai} - n_{ai} d_i / n_i \right)^2}
       {\sum_i n_{ai} n_{bi} d_i (n_i - d_i) / (n_i^2 (n_i - 1))}.

    How much they differ say the shares who stay longer than `at`, and the mean lifetimes up to
    `horizon`.

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once; with
        `duration`, one row a customer.
    group : str
        Column of the groups that are compared: a plan, a channel, a variant of a test. Null is a
        group of its own. A customer belongs to that of the subscription that starts the first run.
    at : float, str or timedelta, optional
        Tenure at which the shares who stay longer are compared: a number of units, or a length of
        time such as ``"12 months"``. With `duration`: a number in its unit.
    horizon : float, str or timedelta, optional
        Tenure up to which the mean lifetimes are compared, written like `at`.
    reference : optional
        The group that all others are compared with. Default: all pairs, the later group in
        ascending order less the earlier one.
    adjust : {"holm", "bonferroni", "bh", "none"}, default "holm"
        How p-values are adjusted for the number of comparisons in the result, those of all segments
        together: by Holm [2]_, by Bonferroni, by Benjamini and Hochberg
        (``"bh"``, which bounds the share of false ones among those found), or not at all.
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
        Columns of segments. Null is a segment of its own. Groups are compared within them.
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
        Coverage of the interval, between 0 and 1; it is not adjusted.

    Returns
    -------
    DataFrame
        A row for every segment and pair of groups that both have customers. A new frame of the kind
        of `subscriptions`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``group_a``, ``group_b``: the groups, of the type of `group`.
        - ``n_a``, ``n_b`` (int): customers in each.
        - ``churned_a``, ``churned_b`` (int): how many of them were seen to leave.
        - ``chi_square`` (float): of the log-rank test, with one degree of freedom. NaN where nobody
          left while both groups had customers.
        - ``p_value``, ``p_adjusted`` (float): two-sided, of customers leaving at the same rate.
        - with `at`, ``at`` (float), ``survival_a``, ``survival_b`` (float): shares who stay longer.
          NaN where a curve was not observed so far.
        - ``survival_difference`` (float): survival_a - survival_b, from -1 to 1, and
          ``survival_lower``, ``survival_upper`` (float): its interval.
        - with `horizon`, ``horizon`` (float), ``lifetime_a``, ``lifetime_b`` (float): mean
          lifetimes up to it, in units. NaN where a curve was not observed so far, and somebody is
          still there: take a shorter one.
        - ``lifetime_difference`` (float): lifetime_a - lifetime_b, and ``lifetime_lower``,
          ``lifetime_upper`` (float): its interval.
        - ``time_unit`` (str): `unit`, the same in every row. With `duration` it is not known, and
          there is no such column.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If no group is `reference`, or something has a wrong value as in `survival_curve` (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside, or a run starts in several groups at once, as in `survival_curve`.

    See Also
    --------
    survival_curve : The curve of each group.
    expected_lifetime : The mean lifetime of each.
    rate_difference : Differences of retention or churn, period by period.

    Notes
    -----
    The test is at its best where one group leaves at a higher rate all along. Where curves cross it
    may see nothing; look at the curves, and at the mean lifetimes.

    The interval of a difference of shares is made of the intervals of both (MOVER) [3]_, so that it
    stays within -1 and 1; that of mean lifetimes takes their standard errors [4]_. The default
    `unit` counts whole months; a finer one tells more of the order in which customers leave.

    Groups that customers choose themselves differ in more than their name. Take what was known at
    the start: who was still there for an upgrade has stayed for that reason alone.

    References
    ----------
    .. [1] Mantel, N. (1966), "Evaluation of Survival Data and Two New Rank Order Statistics Arising
       in Its Consideration", Cancer Chemotherapy Reports 50 (3), 163-170.
    .. [2] Holm, S. (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
       Journal of Statistics 6 (2), 65-70.
    .. [3] Zou, G. Y. & Donner, A. (2008), "Construction of Confidence Limits about Effect Measures:
       A General Approach", Statistics in Medicine 27 (10), 1693-1702.
    .. [4] Klein, J. P. & Moeschberger, M. L. (2003), *Survival Analysis*, 2nd ed., sections 4.5 and
       7.3.

    Examples
    --------
    The weeks until leukaemia came back, with maintenance chemotherapy and without (Miller 1997); R
    has a chi-square of 3.4 and p = 0.065:

    >>> import pandas as pd
    >>> from retainkit import survival_difference
    >>> weeks = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161]
    >>> weeks += [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45]
    >>> back = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    >>> therapy = ["maintained"] * 11 + ["none"] * 12
    >>> patients = pd.DataFrame({"weeks": weeks, "back": back, "therapy": therapy})
    >>> options = {"duration": "weeks", "observed": "back", "reference": "none"}
    >>> table = survival_difference(patients, group="therapy", at=26, horizon=40, **options)
    >>> table[["group_a", "group_b", "chi_square", "p_value"]].round(3)
          group_a group_b  chi_square  p_value
    0  maintained    none       3.396    0.065
    >>> table[["survival_a", "survival_b", "survival_difference"]].round(3)
       survival_a  survival_b  survival_difference
    0       0.614       0.486                0.128
    """
    one_of("adjust", adjust, get_args(Adjust))
    probability("confidence_level", confidence_level)
    one_of("unit", unit, PERIODS[1:])
    grid = calendar_grid(unit)
    lengths = {"at": _tenure("at", at, unit, duration)}
    lengths["horizon"] = _tenure("horizon", horizon, unit, duration)
    dates = SubscriptionOptions(
        customer=customer,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        gap=gap,
        entry=entry,
        amount=amount,
        by=segments_and_group(by, group, _reserved()),
        as_of=as_of,
        tz=tz,
        missing=missing,
    )
    options = TenureOptions(
        dates=dates, unit=grid, duration=duration, observed=observed, counts=counts
    )
    check_group(subscriptions, "subscriptions", group)
    durations = read_tenures(subscriptions, options)
    segments = dict(zip(durations.by, durations.segments.values(), strict=True))
    pairs = pair_segments(segments, usable=has_customers(durations), reference=reference)
    found = compare_pairs(durations, pairs, lengths, confidence_level)
    columns = {name: found[name] for name in TEST}
    columns["p_adjusted"] = adjust_p_values(found["p_value"], adjust)
    columns |= {name: found[name] for name in measured_columns(lengths)}
    columns |= options.unit_column(len(pairs.first))
    return build_like(durations.rows, group_columns(segments, pairs) | columns)


def _tenure(argument: str, value: Any, unit: Period, duration: str | None) -> float | None:
    """Return a tenure in units; of durations only a number can be read."""
    if value is None:
        return None
    if duration is not None and not is_number(value):
        raise ArgumentError(
            f"`{argument}` is {value!r}, and the unit of `duration` is not known; write a number "
            "in it.",
            code="unit_unknown",
            argument=argument,
        )
    above_0 = argument == "horizon"
    return in_units(argument, value, unit, bare="units of tenure ({unit})", above_0=above_0)


def _reserved() -> list[str]:
    """Return all columns that a result may have."""
    measured = measured_columns(dict.fromkeys(("at", "horizon"), 0.0))
    return ["group_a", "group_b", *TEST, "p_adjusted", *measured, TIME_UNIT]
