"""Customers who are going to leave: those who have an end ahead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.join import build_in_engine
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.subscriptions import SubscriptionOptions, read_subscriptions
from retainkit._time.durations import microseconds
from retainkit._time.moment import as_of_moment, read_datetime
from retainkit.churn._customers import read_customer_runs
from retainkit.typing import EndIs, IntoFrameT, Length, Missing

_RESULT = ("start", "end", "amount")
# Nothing is left out because it is yet to come.
_NO_END = "9999-12-30"


def upcoming_churn(
    subscriptions: IntoFrameT,
    *,
    as_of: str | date,
    within: Length,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    amount: str | None = "mrr",
    by: str | Sequence[str] | None = None,
    reason: str | None = None,
    gap: Length = "0D",
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    """Customers who are there now and have an end ahead, with what they pay.

    >>> from retainkit import datasets, upcoming_churn
    >>> table = datasets.make_subscriptions(500, seed=1)
    >>> upcoming_churn(table, as_of="2024-06-01", within="30D").head(3)
       customer_id      start        end  amount
    0           37 2023-03-01 2024-06-01    99.0
    1          104 2023-06-09 2024-06-09    49.0
    2          191 2023-10-12 2024-06-12    49.0

    A cancellation at the end of the term and a contract that is not renewed are known before they
    are churn. A customer is listed whose subscriptions all end within the time given, with those
    that follow them without a break longer than `gap`: who has another one, or a renewal that is
    booked, is not. Who is booked to return after a longer break is.

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once.
    as_of : str, date or datetime
        Instant from which one looks ahead. Without a time zone it is read in that of `tz`.
    within : str or timedelta
        How far ahead, such as ``"30D"``, on the wall clock: ends in [as_of, as_of + within).
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
    amount : str, optional, default "mrr"
        Column of what a subscription brings. Those of 0 (trials, free plans) make no customer and
        are left out, with a warning that counts them. None: every row makes a customer, and there
        is no money.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A run belongs to the segment it starts
        in.
    reason : str, optional
        Column of why a subscription ended, or will end. The reason of a run is that of the
        subscription that ends last, the smallest where several do, with a warning.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``, on the
        wall clock.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `start` and, if it is given, `subscription`.

    Returns
    -------
    DataFrame
        A row for every customer who is there at `as_of` and will have left, by end and customer: a
        new frame of the same kind as `subscriptions`, lazy if it is.

        - the columns of `by`, and that of the customer under its own name.
        - ``start`` (datetime): since when the customer has been there without a break.
        - ``end`` (datetime): the moment at which that will end; with ``end_is="last_day"`` the
          midnight after the last day.
        - the column of `reason` under its own name, if it is given.
        - with `amount`, ``amount`` (float): what the customer pays at `as_of`.

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
    churned_customers : Who has left already.
    churn_rate : Churn by period.

    Notes
    -----
    It predicts nothing: who will cancel has no end yet. An end at `as_of` itself is ahead, as it is
    in `churn_rate`, for which such a subscription still runs.

    Examples
    --------
    Ann has cancelled for the end of April, Bob's contract ends then and is renewed, and Cyd has two
    subscriptions, of which one ends.

    >>> import pandas as pd
    >>> from retainkit import upcoming_churn
    >>> table = pd.DataFrame(
    ...     [
    ...         ("ann", "2024-01-05", "2024-05-01", 50),
    ...         ("bob", "2023-05-01", "2024-05-01", 30),
    ...         ("bob", "2024-05-01", None, 30),
    ...         ("cyd", "2024-02-10", "2024-04-20", 20),
    ...         ("cyd", "2024-03-10", None, 10),
    ...     ],
    ...     columns=["customer_id", "start", "end", "mrr"],
    ... ).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    >>> upcoming_churn(table, as_of="2024-04-10", within="30D")
      customer_id      start        end  amount
    0         ann 2024-01-05 2024-05-01    50.0

    Where ends are last days, Ann's is 30 April, and she is there until the midnight after it:

    >>> ann = table.head(1).assign(end=pd.to_datetime(["2024-04-30"]).as_unit("us"))
    >>> upcoming_churn(ann, as_of="2024-04-10", within="30D", end_is="last_day")
      customer_id      start        end  amount
    0         ann 2024-01-05 2024-05-01    50.0
    """
    read_datetime(as_of)
    length = microseconds("within", within, above_0=True)
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
        as_of=_NO_END,
        tz=tz,
        missing=missing,
        reserved=(*_RESULT, customer),
    )
    table = read_subscriptions(subscriptions, options)
    now = as_of_moment(as_of, table.zone).wall
    found = read_customer_runs(table)
    runs = found.runs
    run = np.flatnonzero((runs.begin < now) & (runs.end >= now) & (runs.end < now + length))
    run = run[found.order(run, runs.end[run])]
    columns = found.columns(run, runs.segment[run]) | dict(found.reasons(run))
    if amount is not None:
        columns["amount"] = found.paid(run, now)
    return as_given(build_in_engine(table.given, columns), subscriptions)
