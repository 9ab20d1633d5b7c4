"""Read orders: an event log that is the argument `transactions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
) -> Events:
    """Read a log of orders: their customers and times, and amounts and segments if there are any.

    Segments must not be called like one of the `reserved` columns of the result.
    """
    return read_events(
        transactions,
        argument="transactions",
        columns={"customer": customer, "time": time, "amount": amount},
        by=by,
        reserved=reserved,
        tz=tz,
        missing=missing,
    )
