"""Subscriptions of invoice lines: what a line costs a month, over the time that it is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import get_args

import numpy as np

from retainkit._checks import one_of
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.input import instants_of
from retainkit._inputs.columns import Column
from retainkit._inputs.kinds import AMOUNT, ID, TIME
from retainkit._inputs.last_days import warn_of_last_days
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.moment import midnights_after
from retainkit._time.month_lengths import length_in_months
from retainkit._time.zones import wall_times
from retainkit._typing import Integers
from retainkit.errors import ArgumentError
from retainkit.subscriptions._ledger import REASON, Ledger, negative_error, read_ledger
from retainkit.typing import EndIs, IntoFrameT, Missing

_LINES = (
    Column("customer", ID),
    Column("start", TIME),
    Column("end", TIME, like="start"),
    Column("amount", AMOUNT),
    REASON,
)


def subscriptions_from_lines(
    lines: IntoFrameT,
    *,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    amount: str = "amount",
    by: str | Sequence[str] | None = None,
    reason: str | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Table of subscriptions out of invoice lines: each amount as what it is a month.

    >>> import pandas as pd
    >>> from retainkit import subscriptions_from_lines
    >>> days = {"start": pd.to_datetime(["2024-01-15"]), "end": pd.to_datetime(["2025-01-15"])}
    >>> subscriptions_from_lines(pd.DataFrame({"customer_id": 7, "amount": 1200} | days))
       customer_id      start        end    mrr
    0            7 2024-01-15 2025-01-15  100.0

    With :math:`a` the amount of a line over [start, end),

    .. math::
       \text{mrr} = \begin{cases}
         a / m & \text{over } m \text{ whole calendar months,} \\
         \frac{52}{12} \, a / w & \text{else, over } w \text{ whole weeks,} \\
         \frac{365}{12} \, a / d & \text{else, over } d \text{ days.}
       \end{cases}

    So a year paid at once is a twelfth of it in each of its months, and not all of it in one.

    Parameters
    ----------
    lines : IntoFrame
        One row a line: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    start : str, default "start"
        Column of dates or datetimes, with or without a time zone.
    end : str, default "end"
        Column of dates or datetimes at which the time ends that the line is for: for January, the
        midnight with which February begins, or by `end_is` its last day.
    end_is : {"exclusive", "last_day"}, default "exclusive"
        Whether an end is the moment from which a subscription no longer runs, or the last day on
        which it does: then it runs to the midnight after that day, in `tz`.
    amount : str, default "amount"
        Column of money, in its own unit: what the line costs for all of its time, 0 or more.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along.
    reason : str, optional
        Column of why a subscription ended. It is carried along, line by line; null is no reason.
        `churn_rate` and its kin read it in the line with which a customer leaves.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The times of the result are in it.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by` and `reason`.

    Returns
    -------
    DataFrame
        A row for every line, by customer and start: what `mrr_movements`, `churn_rate` and
        `survival_curve` read. A new frame of the same kind as `lines`, lazy if it is.

        - the column of `customer`, and those of `by`.
        - ``start`` (datetime), ``end`` (datetime): the time that the line is for.
        - the column of `reason` under its own name, if it is given.
        - ``mrr`` (float): what it costs a month.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If amounts are negative, an end lies before its start, a column has nulls, or an argument
        has a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are left out: with nulls, or as fees that are paid once: of no length, or where ends
        are last days, of one day; if ends seem to be last days.

    See Also
    --------
    subscriptions_from_levels : The same from a ledger of levels or changes.
    mrr_movements : What moves recurring revenue.

    Notes
    -----
    A month ends on the same day and time of the next month or, where that is too short, on its last
    day; from the last day of a month to the last day of another they are whole months too. Lines of
    28 to 31 days that begin amid a month and do not end so count by their days.

    Who is invoiced for the next month only after this one has ended shows a pause: see `gap` in
    `churn_rate`. The last line of a customer ends when what was paid for does. Credits and
    corrections are to be set against the lines they belong to first.

    The lines are taken into memory in the columns that are needed, and the spans are put back into
    the engine that they came from.

    With ``end_is="last_day"`` a line of one day looks like a fee, and is left out as one. If you
    sell single days, give the midnight that ends the day as `end`, and leave `end_is` out.

    Examples
    --------
    Ann pays 1,200 for a year, Bob 10 for a week, Cyd 10 for ten days:

    >>> import pandas as pd
    >>> from retainkit import subscriptions_from_lines
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob", "cyd"],
    ...         "start": pd.to_datetime(["2024-01-15", "2024-01-01", "2024-01-01"]),
    ...         "end": pd.to_datetime(["2025-01-15", "2024-01-08", "2024-01-11"]),
    ...         "amount": [1200, 10, 10],
    ...     }
    ... )
    >>> subscriptions_from_lines(lines).round({"mrr": 2})
      customer_id      start        end     mrr
    0         ann 2024-01-15 2025-01-15  100.00
    1         bob 2024-01-01 2024-01-08   43.33
    2         cyd 2024-01-01 2024-01-11   30.42
    """
    one_of("end_is", end_is, get_args(EndIs))
    names = {"customer": customer, "start": start, "end": end, "amount": amount}
    named = names | {"reason": reason}
    found = read_ledger(lines, "lines", _LINES, named, by=by, missing=missing, tz=tz)
    begin, over = (instants_of(found.rows[name]) for name in ("start", "end"))
    if end_is == "last_day":
        over = midnights_after(over, found.table.zone)
    _check_order(found, begin, over)
    _check_amounts(found)
    kept = _with_length(begin, over, found.table.zone, end_is)
    keys = (found.amount, found.segment, over, begin, found.customer)
    order = kept[np.lexsort([one[kept] for one in keys])]
    begin, over = begin[order], over[order]
    wall = [wall_times(one, found.table.zone) for one in (begin, over)]
    if end_is == "exclusive":
        warn_of_last_days(found.customer[order], *wall)
    months = length_in_months(*wall)
    return as_given(found.spans(order, begin, over, found.amount[order] / months, order), lines)


def _check_order(ledger: Ledger, begin: Integers, end: Integers) -> None:
    """Check that no line ends before it starts."""
    backward = np.flatnonzero(end < begin).tolist()
    if backward:
        some = format_examples(ledger.rows["customer"][backward].unique().to_list(), 3)
        raise ArgumentError(
            f"{ledger.table.source('end')} lies before {ledger.table.names['start']!r} (given as "
            f"`start`) in {count_noun(len(backward), 'row')}, of {len(begin):,}; for instance of "
            f"customer {some}. Exchange them, or leave the rows out.",
            code="end_before_start",
            argument="end",
            column=ledger.table.names["end"],
            rows=len(backward),
            total=len(begin),
        )


def _check_amounts(ledger: Ledger) -> None:
    """Check that no amount is negative."""
    below = ledger.amount[ledger.amount < 0]
    if len(below):
        what = f"{ledger.table.source('amount')} is negative"
        advice = (
            "Set credits and corrections against the lines that they belong to, or leave them out."
        )
        raise negative_error(ledger, len(below), np.unique(below), what, advice)


def _with_length(begin: Integers, end: Integers, zone: tzinfo | None, end_is: EndIs) -> Integers:
    """Return the places of lines of some length, of days more than one; a warning counts others."""
    least, what = begin, "end as they start"
    if end_is == "last_day":
        least, what = midnights_after(begin, zone), "begin and end on one day"
    kept = np.flatnonzero(end > least)
    empty = len(begin) - len(kept)
    if empty:
        warn(
            f"{empty:,} of {count_noun(len(begin), 'row')} {what} and are not used: "
            "what is paid once does not recur.",
            code="empty_subscriptions",
            argument="end",
            rows=empty,
            total=len(begin),
        )
    return kept
