"""Movements of recurring revenue: new, expansion, contraction, churn and reactivation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

from retainkit._checks import boolean, one_of
from retainkit._inputs.subscriptions import SubscriptionOptions
from retainkit._time.period_options import period_option
from retainkit.revenue._changes import add_up, movements
from retainkit.revenue._reading import read_subscription_arrays
from retainkit.typing import (
    EndIs,
    IntoTable,
    Length,
    Missing,
    Month,
    MRRLevel,
    PeriodLike,
    TableT,
    Weekday,
)

_MOVEMENTS = ("opening", "new", "expansion", "contraction", "churn", "reactivation")
_TRANSFERS = ("transfer_in", "transfer_out")


def mrr_movements(
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
    level: MRRLevel = "snapshot",
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
) -> TableT:
    r"""Recurring revenue at both ends of each period, and what moved it in between.

    >>> from retainkit import datasets, mrr_movements
    >>> table = mrr_movements(datasets.make_subscriptions(500, seed=1)).set_index("period")
    >>> table[["opening", "new", "expansion", "contraction", "churn", "closing"]].tail(3)
                opening     new  expansion  contraction   churn  closing
    period
    2024-10-01  18617.0  1272.0      130.0        130.0  1110.0  18984.0
    2024-11-01  18984.0   891.0      230.0        110.0   204.0  19928.0
    2024-12-01  19928.0  1615.0       30.0         50.0   497.0  21151.0

    Movements are those of customers, not of subscriptions: a second subscription is expansion, and
    one of two that ends is contraction. With money of both signs given as positive amounts, in
    every row and to the last decimal of `amount`

    .. math::

       \text{opening} + \text{new} + \text{reactivation} + \text{expansion}
       + \text{transfer\_in} - \text{contraction} - \text{churn} - \text{transfer\_out}
       = \text{closing}.

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
        Column of the monthly amount of each subscription, 0 or more. A subscription of 0 (a trial,
        a free plan) makes no customer.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning. What begins or ends at the very beginning of a period belongs to it. What was paid
        at the first edge is the first opening.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are read off each subscription. See
        Notes for customers who move.
    level : {"snapshot", "event"}, default "snapshot"
        ``"snapshot"`` compares the two ends of a period: what comes and goes within it does not
        show. ``"event"`` counts every movement; changes of one customer on one day are netted.
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
        A row for every period from the first start (of the segment) to `as_of`, by segment and
        period: a new frame of the same kind as `subscriptions`; Polars for a LazyFrame, pandas for
        DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): first day of the period.
        - ``opening``, ``closing`` (float): money at both ends, in the unit of `amount`.
        - ``new``, ``reactivation`` (float): money of customers who pay for the first time, and of
          those who pay again after having paid nothing, were the first time within one period.
        - ``expansion``, ``contraction``, ``churn`` (float): money of customers who pay more, less
          and nothing any more.
        - with `by`, ``transfer_in``, ``transfer_out`` (float): money that came from other segments
          and went to others.
        - ``opening_customers``, ``closing_customers`` (int): who pays at both ends.
        - ``new_customers``, ``reactivation_customers``, ``churn_customers`` (int) and
          ``expansion_customers``, ``contraction_customers`` (int): movements of each kind.
        - with `by`, ``transfer_in_customers``, ``transfer_out_customers`` (int): customers who
          came to the segment from others, and who left it for others.
        - ``complete`` (bool): whether the period is over and all is known of it.

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
        nowhere else; if `gap` leaves no period to judge.

    See Also
    --------
    revenue_retention : The same movements as rates.

    Notes
    -----
    Money is added up in integers, of the last decimal that occurs in `amount`. Amounts of more than
    6 decimals, such as a twelfth of 100, are added up to the ninth and what a customer pays is
    rounded to the sixth, so that no customer moves by a remainder of binary fractions. Decimals are
    counted after the first digit of the smallest amount, where all of it lies behind the point.

    A customer who moves between segments, say from a basic plan of 20 to a pro plan of 50, has not
    churned. What the decreases and the increases of a customer have in common, the smaller of their
    sums, is transferred: 20 out of basic and into pro. The rest is expansion (30, in pro) or
    contraction. Where several segments increase or decrease, transfers are shared in proportion.

    As numbers of movements, those of customers keep the identity too: opening, new, reactivation
    and transfer_in less churn and transfer_out are closing.

    Subscriptions of a lazy engine are brought into memory, in the columns named here: amounts have
    to be added up exactly, and customers have about as many changes as subscriptions.

    Examples
    --------
    Ann's subscription is raised from 50 to 80 in March; Bob's ends in February, when Cyd comes:

    >>> import pandas as pd
    >>> from retainkit import mrr_movements
    >>> who, mrr = ["ann", "ann", "bob", "cyd"], [50, 80, 30, 40]
    >>> start = pd.to_datetime(["2024-01-01", "2024-03-01", "2024-01-10", "2024-02-05"])
    >>> end = pd.to_datetime(["2024-03-01", None, "2024-02-20", None])
    >>> book = pd.DataFrame({"customer_id": who, "start": start, "end": end, "mrr": mrr})
    >>> table = mrr_movements(book, as_of="2024-04-01")
    >>> table[["period", "opening", "new", "expansion", "churn", "closing"]]
          period  opening   new  expansion  churn  closing
    0 2024-01-01      0.0  80.0        0.0    0.0     80.0
    1 2024-02-01     80.0  40.0        0.0   30.0     90.0
    2 2024-03-01     90.0   0.0       30.0    0.0    120.0
    """
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    one_of("level", level, get_args(MRRLevel))
    boolean("include_partial", include_partial)
    kinds = [*_MOVEMENTS, *_TRANSFERS, "closing"]
    counts = [f"{kind}_customers" for kind in kinds]
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
        reserved=("period", *kinds, *counts, "complete"),
    )
    arrays = read_subscription_arrays(subscriptions, options, cut)
    if not arrays.subscriptions.by:
        kinds = [kind for kind in kinds if kind not in _TRANSFERS]
    daily, cells = level == "event", arrays.grid()
    period_of = arrays.period.number_of_day if daily else lambda time: time
    found = add_up(
        movements(part.changes(daily=daily), part.first_paid(), cells, period_of)
        for part in arrays.blocks(cells.n_cells)
    )
    columns: dict[str, Any] = {kind: arrays.unit.to_amounts(found[kind]) for kind in kinds}
    columns |= {f"{kind}_customers": found[f"{kind}_customers"] for kind in kinds}
    return arrays.grid_result(cells, columns, include_partial=include_partial)
