"""Subscriptions of a ledger of levels: from each row on, a customer pays so much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from retainkit._checks import boolean
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import instants_of
from retainkit._inputs.columns import Column
from retainkit._inputs.kinds import AMOUNT, ID, SUBSCRIPTION, TIME
from retainkit._messages import count_noun, format_examples
from retainkit._stats.money import money_unit
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.subscriptions._ledger import Ledger, read_ledger
from retainkit.typing import IntoFrameT, Missing

_LEVELS = (
    Column("customer", ID),
    Column("time", TIME),
    Column("amount", AMOUNT),
    Column("subscription", SUBSCRIPTION, required=False),
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
    missing: Missing = "raise",
) -> IntoFrameT:
    """Table of subscriptions out of a ledger of levels, or of changes.

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
    subscription : str, optional
        Column that identifies a subscription of the customer, where there may be several at once:
        each has levels of its own. Default: a customer has one.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along: a span has those
        of the row with which it begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.

    Returns
    -------
    DataFrame
        A row for every span in which the amount and the segments stay the same and the amount is
        not 0, by customer, subscription and start: what `mrr_movements`, `churn_rate` and
        `survival_curve` read. A new frame of the same kind as `ledger`, lazy if it is.

        - the column of `customer`, of `subscription` if given, and those of `by`.
        - ``start`` (datetime): when it begins.
        - ``end`` (datetime): when it ends; null where it still runs.
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
        If rows with nulls are left out.

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
    found = read_ledger(ledger, "ledger", _LEVELS, names, by=by, missing=missing)
    steps = _steps_of_changes(found) if change else _steps_of_levels(found)
    _check_not_negative(found, steps.level, change=change)
    steps = steps.take(_changes(steps, found.segment[steps.row]))
    end = np.full(len(steps.row), NEVER)
    end[:-1][steps.follows[1:]] = steps.instant[1:][steps.follows[1:]]
    paid = steps.level > 0
    spans = steps.take(paid)
    return found.spans(spans.row, spans.instant, end[paid], spans.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """Levels by owner and time: an owner is a customer, or a subscription of one.

    `row` is that of the ledger.
    """

    row: Integers
    owner: Integers
    instant: Integers
    level: Floats

    @property
    def follows(self) -> Booleans:
        """Return whether the step before is of the same owner."""
        follows = np.zeros(len(self.owner), bool)
        follows[1:] = self.owner[1:] == self.owner[:-1]
        return follows

    @property
    def together(self) -> Booleans:
        """Return whether the step before is of the same owner and time."""
        together = self.follows
        together[1:] &= self.instant[1:] == self.instant[:-1]
        return together

    def take(self, which: Booleans) -> _Steps:
        """Return some of the steps."""
        return _Steps(**{one.name: getattr(self, one.name)[which] for one in fields(self)})


def _steps_of_levels(ledger: Ledger) -> _Steps:
    """Return the rows of a ledger in order; a customer has one level at a time."""
    steps = _ordered(ledger)
    _check_one_level(ledger, steps)
    return steps


def _steps_of_changes(ledger: Ledger) -> _Steps:
    """Return the levels that changes add up to, exact to the last decimal of money."""
    steps = _ordered(ledger)
    _check_one_segment(ledger, steps)
    unit = money_unit(ledger.amount)
    total = np.cumsum(unit.to_integers(steps.level))
    first = np.flatnonzero(~steps.follows)
    before = np.append(0, total)[first]
    lengths = np.diff(np.append(first, len(total)))
    level = unit.to_amounts(unit.round(total - np.repeat(before, lengths)))
    # Of changes at one time the last one has the sum of all.
    last = np.append(~steps.together[1:], True)[: len(total)]
    return replace(steps, level=level).take(last)


def _ordered(ledger: Ledger) -> _Steps:
    instant = instants_of(ledger.rows["time"])
    owner = ledger.customer * (len(instant) + 1) + ledger.code("subscription")
    row = np.lexsort((ledger.segment, instant, owner))
    return _Steps(row=row, owner=owner[row], instant=instant[row], level=ledger.amount[row])


def _changes(steps: _Steps, segment: Integers) -> Booleans:
    """Mark the steps at which something changes: the level, or the segment of what is paid."""
    same = steps.follows
    same[1:] &= steps.level[1:] == steps.level[:-1]
    same[1:] &= (segment[1:] == segment[:-1]) | (steps.level[1:] == 0)
    return ~same


def _check_one_level(ledger: Ledger, steps: _Steps) -> None:
    """Check that a customer has no two levels at one time."""
    rows = steps.row[steps.together].tolist()
    if rows:
        several = "" if "subscription" in ledger.table.names else ", or name it with `subscription`"
        raise ArgumentError(
            f"{count_noun(len(rows), 'row')} of {len(ledger.rows):,} with the time of another row "
            f"of the same customer, for instance of {_customers(ledger, rows)}. At one time there "
            f"is one level: add up those of several subscriptions{several}; leave repeats out; say "
            "`change=True` if rows are changes.",
            code="same_time",
            argument="time",
            column=ledger.table.names["time"],
            rows=len(rows),
            total=len(ledger.rows),
        )


def _check_one_segment(ledger: Ledger, steps: _Steps) -> None:
    """Check that the changes of one time have one segment."""
    segment = ledger.segment[steps.row]
    mixed = steps.together
    mixed[1:] &= segment[1:] != segment[:-1]
    rows = steps.row[mixed].tolist()
    if rows:
        raise ArgumentError(
            f"{count_noun(len(rows), 'row')} of {len(ledger.rows):,} with the time of another row "
            f"of the same customer and another value of `by`, for instance of "
            f"{_customers(ledger, rows)}. Where segments have amounts of their own, name them with "
            "`subscription`.",
            code="ambiguous_segment",
            argument="by",
            rows=len(rows),
            total=len(ledger.rows),
        )


def _customers(ledger: Ledger, rows: Sequence[int]) -> str:
    return format_examples(sorted(ledger.rows["customer"][rows].unique().to_list(), key=str), 3)


def _check_not_negative(ledger: Ledger, level: Floats, *, change: bool) -> None:
    """Check that nobody pays less than nothing."""
    below = level[level < 0]
    if not len(below):
        return
    what = (
        "the changes of a customer take away more than there is"
        if change
        else f"{ledger.table.source('amount')} is negative"
    )
    advice = (
        "The ledger may begin amid their history: add what they paid before."
        if change
        else "Say `change=True` if rows are changes."
    )
    raise ArgumentError(
        f"{what} in {count_noun(len(below), 'row')}, of {len(ledger.rows):,}: "
        f"{format_examples(below.tolist(), 3)}. {advice}",
        code="negative_values",
        argument="amount",
        column=ledger.table.names["amount"],
        rows=len(below),
        total=len(ledger.rows),
    )
