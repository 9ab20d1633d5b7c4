"""Orders as they are read for segments: rows of a window before an instant, with their money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._inputs.columns import CheckedTable, Column, check_not_reserved, read_columns
from retainkit._inputs.events import Events, read_events
from retainkit._inputs.facts import check_finite, read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import AMOUNT, ID
from retainkit._inputs.observation import check_as_of
from retainkit._time.moment import Moment
from retainkit._time.windows import Window, read_window
from retainkit._time.zones import instant_expr
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

_VALUES = (Column("customer", ID), Column("amount", AMOUNT))
_LARGEST_ROUNDED = 2**33
"""Money below it has 6 decimals that a float can hold."""
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOptions:
    """The arguments by which orders are read, and those of a window."""

    amount: str
    customer: str
    time: str | None
    order: str | None = None
    as_of: str | date | None = None
    window: Any = None
    by: str | Sequence[str] | None = None
    tz: str | None = None
    missing: str = "raise"

    def validate(self) -> Window | None:
        """Check the options that do not depend on the table, and return the window."""
        check_as_of(self.as_of)
        window = None if self.window is None else read_window("window", self.window)
        one_of("missing", self.missing, get_args(Missing))
        for name in ("as_of", "window"):
            if self.time is None and getattr(self, name) is not None:
                raise ArgumentError(
                    f"`{name}` is given, and `time` names no column: say when the rows were.",
                    code="argument_needed",
                    argument="time",
                )
        return window


def read_window_of_orders(
    orders: Any, options: OrderOptions, own: Sequence[str]
) -> tuple[Events, Moment]:
    """Read the orders of the window before `as_of`, for a result with these columns of its `own`.

    A warning counts the rows at or after `as_of`; those before the window are not asked for.
    """
    window = options.validate()
    check_not_reserved("`customer`", [options.customer], own)
    log = read_events(
        orders,
        argument="orders",
        columns={
            "customer": options.customer,
            "time": options.time,
            "amount": options.amount,
            "order": options.order,
        },
        by=options.by,
        reserved=[*own, options.customer],
        tz=options.tz,
        missing=options.missing,
    )
    end = log.end_of_observation(options.as_of)
    log = log.until(end)
    if window is not None:
        first = window.before(end, log.zone)
        log = replace(log, rows=log.rows.filter(nw.col("time") >= instant_expr(first.instant)))
    return log, end


def read_values(orders: Any, options: OrderOptions, own: Sequence[str]) -> CheckedTable:
    """Read the money of customers, in a window where `time` names a column, else of all rows."""
    if options.time is not None:
        return read_window_of_orders(orders, options, own)[0]
    options.validate()
    check_not_reserved("`customer`", [options.customer], own)
    table = read_columns(
        orders,
        "orders",
        _VALUES,
        {"customer": options.customer, "amount": options.amount},
        by=options.by,
        reserved=[*own, options.customer],
        tz=options.tz,
    )
    table, facts, note = without_nulls(table, read_facts, options.missing)
    warn_of_dropped(note, facts, "orders")
    check_finite(table, facts)
    return table


def rounded_expr(money: nw.Expr) -> nw.Expr:
    """Return money with 6 decimals, so that the order of a sum cannot make equal values differ."""
    money = money.cast(nw.Float64)
    small = money.abs() < _LARGEST_ROUNDED
    return nw.when(small).then(money.round(_DECIMALS)).otherwise(money)


def rounded(money: Floats) -> Floats:
    """Return the same of an array."""
    small = np.abs(money) < _LARGEST_ROUNDED
    return np.where(small, np.round(np.where(small, money, 0.0), _DECIMALS), money)
