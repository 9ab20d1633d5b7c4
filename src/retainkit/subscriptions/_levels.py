"""Subscriptions of a ledger of levels: from each row on, a customer pays so much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retainkit._checks import boolean
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.groupby import NEVER
from retainkit._inputs.columns import Column
from retainkit._inputs.kinds import AMOUNT, ID, SUBSCRIPTION, TIME
from retainkit._messages import count_noun, named, warn
from retainkit._typing import Integers
from retainkit.subscriptions._ledger import REASON, Ledger, read_ledger
from retainkit.subscriptions._steps import (
    Steps,
    changing,
    check_not_negative,
    steps_of_changes,
    steps_of_levels,
)
from retainkit.typing import IntoFrameT, Missing

_LEVELS = (
    Column("customer", ID),
    Column("time", TIME),
    Column("amount", AMOUNT),
    Column("subscription", SUBSCRIPTION, required=False),
    REASON,
)


def subscriptions_from_levels(
    ledger: IntoFrameT,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    change: bool = False,
    subscription: str | None = None,
    by: str | Sequence[str] | None = None,
    reason: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    """Table of subscriptions out of a ledger of levels, or of changes.

    >>> import pandas as pd
    >>> from retainkit import subscriptions_from_levels
    >>> days = pd.to_datetime(["2024-01-05", "2024-03-10"])
    >>> subscriptions_from_levels(pd.DataFrame({"customer_id": 7, "time": days, "amount": [50, 0]}))
       customer_id      start        end   mrr
    0            7 2024-01-05 2024-03-10  50.0

    Each row says what a customer pays a month from its time on, up to the next row of the same
    customer: 50 in January, 70 from March on, nothing from June on. That is a subscription of 50
    over [January, March) and one of 70 over [March, June). Taken as subscriptions themselves such
    rows would never end, and add up to 120.

    Parameters
    ----------
    ledger : IntoFrame
        One row a level or a change: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a
        PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, default "amount"
        Column of money, in its own unit: what is paid a month from then on, and 0 where a
        subscription ends; with `change`, how much more, or less if it is negative.
    change : bool, default False
        Whether rows are changes, which are added up. Changes of one time are added too.
        A change below 1e-12 of the customer's greatest one is a rounding error of none.
    subscription : str, optional
        Column that identifies a subscription of the customer, where there may be several at once:
        each has levels of its own. Default: a customer has one.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along: a span has those
        of the row with which it begins.
    reason : str, optional
        Column of why a subscription ended. It is read in the rows that end one, those of level 0,
        and means nothing in others. Null is no reason. Where changes of one time end it for several
        reasons, the smallest is taken, with a warning.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by` and `reason`.

    Returns
    -------
    DataFrame
        A row for every span in which the amount and the segments stay the same and the amount is
        not 0, by customer, subscription and start: what `mrr_movements`, `churn_rate` and
        `survival_curve` read. A new frame of the same kind as `ledger`, lazy if it is.

        - the column of `customer`, of `subscription` if given, and those of `by`.
        - ``start`` (datetime): when it begins.
        - ``end`` (datetime): when it ends; null where it still runs.
        - the column of `reason` under its own name, if it is given: why nothing is paid any more;
          null where the span still runs, or another follows at once.
        - ``mrr`` (float): what is paid a month.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If a customer has two levels at one time, levels are negative, changes take away more than
        there is, a column has nulls, or an argument has a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows with nulls are left out; if changes look like levels, since some are 0 and none
        takes anything away; if an end has several reasons, or none has one and other rows do.

    See Also
    --------
    subscriptions_from_lines : The same from invoice lines.
    mrr_movements : What moves recurring revenue.

    Notes
    -----
    The ledger is taken into memory in the columns that are needed, and the spans are put back into
    the engine that it came from.

    Examples
    --------
    Ann pays 50, then 70, and leaves in March; Bob pays 30 from February on.

    >>> import pandas as pd
    >>> from retainkit import mrr_movements, subscriptions_from_levels
    >>> ledger = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "ann", "bob"],
    ...         "time": pd.to_datetime(["2024-01-05", "2024-02-10", "2024-03-10", "2024-02-15"]),
    ...         "amount": [50, 70, 0, 30],
    ...     }
    ... )
    >>> spans = subscriptions_from_levels(ledger)
    >>> spans
      customer_id      start        end   mrr
    0         ann 2024-01-05 2024-02-10  50.0
    1         ann 2024-02-10 2024-03-10  70.0
    2         bob 2024-02-15        NaT  30.0
    >>> mrr_movements(spans, as_of="2024-04-01")["closing"].tolist()
    [50.0, 100.0, 30.0]
    """
    change = boolean("change", change)
    names = {"customer": customer, "time": time, "amount": amount, "subscription": subscription}
    names |= {"reason": reason}
    found = read_ledger(ledger, "ledger", _LEVELS, names, by=by, missing=missing)
    steps = steps_of_changes(found) if change else steps_of_levels(found)
    check_not_negative(found, steps.level, change=change)
    steps = steps.take(changing(steps, found.segment[steps.row]))
    paid = steps.level > 0
    end = steps.of_next(steps.instant, NEVER)[paid]
    last = np.where(paid, -1, np.arange(len(paid)))
    ending = _ending_rows(found, steps, steps.of_next(last, -1)[paid])
    spans = steps.take(paid)
    return as_given(found.spans(spans.row, spans.instant, end, spans.level, ending), ledger)


def _ending_rows(ledger: Ledger, steps: Steps, last: Integers) -> Integers:
    """Return the rows that end spans, by the steps that do; -1 where nothing ends."""
    ends = last[last >= 0]
    _warn_of_reasons(ledger, steps.row[ends], int(steps.several[ends].sum()))
    rows = np.full(len(last), -1)
    rows[last >= 0] = steps.row[ends]
    return rows


def _warn_of_reasons(ledger: Ledger, rows: Integers, several: int) -> None:
    """Warn of ends that have several reasons, or where none of them has one but others do."""
    if several:
        warn(
            f"{several:,} of {count_noun(len(rows), 'end')} with several values of `reason` at one "
            "time, of which the smallest is taken.",
            code="several_values",
            argument="reason",
            column=ledger.table.names["reason"],
            rows=several,
            total=len(rows),
        )
    given = ledger.code("reason") >= 0
    if "reason" in ledger.table.names and len(rows) and given.any() and not given[rows].any():
        warn(
            f"{named(ledger.table.names['reason'], 'reason')} is null in all "
            f"{count_noun(len(rows), 'row')} that end a subscription, where it is read, and not in "
            f"{count_noun(int(given.sum()), 'other row')}. Put it in the rows of level 0.",
            code="null_values",
            argument="reason",
            column=ledger.table.names["reason"],
            rows=len(rows),
            total=len(given),
        )
