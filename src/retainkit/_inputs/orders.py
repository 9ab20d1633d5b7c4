"""Read orders: an event log that is the argument `transactions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retainkit._inputs.columns import Column
from retainkit._inputs.events import Events, read_events


def read_orders(
    transactions: Any,
    *,
    customer: str,
    time: str,
    tz: str | None,
    missing: str,
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    reserved: Sequence[str] = (),
    further: Sequence[Column] = (),
    further_names: Mapping[str, str] | None = None,
    argument_names: Mapping[str, str] | None = None,
) -> Events:
    """Read a log of orders: their customers and times, and amounts and segments if there are any.

    Segments must not be called like one of the `reserved` columns of the result. `further` columns
    are read as well, by names that `further_names` gives.
    """
    return read_events(
        transactions,
        argument="transactions",
        columns={"customer": customer, "time": time, "amount": amount, **(further_names or {})},
        by=by,
        reserved=reserved,
        tz=tz,
        missing=missing,
        further=further,
        argument_names=argument_names,
    )
