"""Customers who left, period by period: those whom `churn_rate` counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import get_args

import numpy as np

from retainkit._checks import boolean, one_of
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.join import build_in_engine
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.subscriptions import SubscriptionOptions, read_subscriptions
from retainkit._time.period_options import period_option
from retainkit._typing import Integers
from retainkit.churn._cells import PeriodCells, period_cells
from retainkit.churn._customers import CustomerRuns, read_customer_runs
from retainkit.churn._flows import TenurePeriods, at_period_ends
from retainkit.typing import (
    ChurnMethod,
    EndIs,
    IntoFrameT,
    Length,
    Missing,
    Month,
    PeriodLike,
    Weekday,
)

_RESULT = ("period", "start", "end", "amount", "complete")


def churned_customers(
    subscriptions: IntoFrameT,
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
) -> IntoFrameT:
    """Customers who left in each period: those whom `churn_rate` counts, one by one.

    >>> from retainkit import churned_customers, datasets
    >>> churned_customers(datasets.make_subscriptions(500, seed=1), amount="mrr").tail(3)
         customer_id     period      start        end  amount  complete
    185          456 2024-12-01 2024-10-28 2024-12-28    19.0      True
    186          468 2024-12-01 2024-11-17 2024-12-17    19.0      True
    187          470 2024-12-01 2024-11-23 2024-12-23    19.0      True

    A row is a customer who left, with the time for which the customer had been there without a
    break, why it ended, and what was paid at last. As many rows as `churn_rate` has ``churned`` in
    a segment and a period are of it.

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
        Columns of segments. Null is a segment of its own. A run belongs to the segment it starts
        in.
    reason : str, optional
        Column of why a subscription ended. The reason of a run is that of the subscription that
        ends last, the smallest where several do, with a warning.
    method : {"opening", "stripe", "daily"}, default "opening"
        Who is counted: who was there as the period began, or as the day did (``"daily"``), and is
        not there at its end; or everybody who leaves (``"stripe"``).
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``, on the
        wall clock. A customer who left less than that before `as_of` may still renew.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False.
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

    Returns
    -------
    DataFrame
        A row for every customer who left, by segment, period and customer. Who left, returned and
        left again has several. A new frame of the same kind as `subscriptions`, lazy if it is.

        - the columns of `by`, and that of the customer under its own name.
        - ``period`` (date): first day of the period in which the customer left.
        - ``start`` (datetime), ``end`` (datetime): the run that ended, from its first start on
          to the moment of its end; with ``end_is="last_day"`` the midnight after the last day.
        - the column of `reason` under its own name, if it is given.
        - with `amount`, ``amount`` (float): what the subscriptions brought that ended with it.
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
        If rows are set aside, or look like something else, as in `churn_rate`.

    See Also
    --------
    churn_rate : How many they are, and which share.
    upcoming_churn : Who has an end ahead.

    Notes
    -----
    The dates are brought into memory, and the rows are put back into the engine that they came
    from.

    Examples
    --------
    Ann upgrades in February and leaves in March; Bob is still there.

    >>> import pandas as pd
    >>> from retainkit import churned_customers
    >>> table = pd.DataFrame(
    ...     [
    ...         ("ann", "2024-01-05", "2024-02-10", 20, None),
    ...         ("ann", "2024-02-10", "2024-03-10", 50, "price"),
    ...         ("bob", "2024-01-20", None, 30, None),
    ...     ],
    ...     columns=["customer_id", "start", "end", "mrr", "why"],
    ... ).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    >>> left = churned_customers(table, amount="mrr", reason="why", as_of="2024-04-01")
    >>> left.drop(columns="complete")
      customer_id     period      start        end    why  amount
    0         ann 2024-03-01 2024-01-05 2024-03-10  price    50.0

    Where ends are last days, who was there until 31 March left with the midnight after it, and so
    in April:

    >>> last = pd.DataFrame({
    ...     "customer_id": ["cyd"],
    ...     "start": pd.to_datetime(["2024-01-05"]).as_unit("us"),
    ...     "end": pd.to_datetime(["2024-03-31"]).as_unit("us"),
    ... })
    >>> left = churned_customers(last, end_is="last_day", as_of="2024-05-01")
    >>> left.drop(columns="complete")
      customer_id     period      start        end
    0         cyd 2024-04-01 2024-01-05 2024-04-01
    """
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    one_of("method", method, get_args(ChurnMethod))
    boolean("include_partial", include_partial)
    check_not_reserved("`customer`", [customer], _RESULT)
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
        reserved=(*_RESULT, customer),
    )
    found = read_customer_runs(read_subscriptions(subscriptions, options))
    grid = cut.in_zone(found.subscriptions.zone)
    found.subscriptions.warn_of_outside(grid)
    cells = period_cells(found.runs, found.subscriptions, grid, method)
    if not include_partial:
        found.subscriptions.warn_of_gap(grid, cells.first)
    run, segment, number = _ends(found, cells, method, include_partial=include_partial)
    columns = found.columns(run, segment)
    ended = {name: columns.pop(name) for name in ("start", "end")}
    columns["period"] = grid.label(number)
    columns |= ended | dict(found.reasons(run))
    if amount is not None:
        columns["amount"] = found.paid(run)
    columns["complete"] = number < cells.over
    return as_given(build_in_engine(found.subscriptions.given, columns), subscriptions)


def _ends(
    found: CustomerRuns, cells: PeriodCells, method: ChurnMethod, *, include_partial: bool
) -> tuple[Integers, Integers, Integers]:
    """Return the runs that end as `churn_rate` counts it, their segments, and the periods."""
    daily, grid = cells.by_day(method), cells.period
    counted = cells.in_days()[0] if daily else cells
    tenures = _with_runs(counted.tenure_periods(found.runs, slice(None)))
    if grid.has_edges:
        tenures = tenures.take(grid.number(found.runs.begin) < grid.bounds[1])
    if method != "stripe":
        tenures = at_period_ends(tenures)
    tenures = tenures.take(tenures.end < counted.shape[1])
    number = tenures.end + counted.first
    if daily:
        number = grid.number_of_day(number)
    last = cells.last if include_partial else min(cells.last, cells.over - 1)
    shown = np.flatnonzero((number >= grid.bounds[0]) & (number <= last))
    order = shown[found.order(tenures.cause[shown], number[shown], tenures.segment[shown])]
    return tenures.cause[order], tenures.segment[order], number[order]


def _with_runs(tenures: TenurePeriods) -> TenurePeriods:
    """Return the tenures with the number of the run as the cause of each end."""
    return replace(tenures, cause=np.arange(len(tenures.end)))
