"""The days on which one customer bought, of a log that may be in an engine."""

from __future__ import annotations

from numbers import Real
from typing import Any
from uuid import UUID

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect, instants_of
from retainkit._inputs.events import Events
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._time.zones import wall_times
from retainkit._typing import Integers
from retainkit.errors import ArgumentError, ArgumentTypeError


def purchase_days(
    log: Events, customer_id: Any, customer: str, end: Moment, argument: str = "transactions"
) -> Integers:
    """Return the days on which a customer bought before the end, ascending."""
    wanted = customer_id.item() if isinstance(customer_id, np.generic) else customer_id
    held = log.rows.collect_schema()["customer"]
    kind = Real if held.is_numeric() else str if held == nw.String else object
    if not isinstance(wanted, kind):  # engines would convert one to the other, or fail
        raise ArgumentTypeError(
            f"`customer_id` is {wanted!r} ({type(wanted).__name__}), and column {customer!r} of "
            f"`{argument}` holds {held}; give a value of that kind.",
            argument="customer_id",
            column=customer,
        )
    rows = collect(_rows_of(log, wanted).select("time"))
    if not len(rows):
        some = list(dict.fromkeys(collect(log.rows.head(100))["customer"].to_list()))[:3]
        there = f"It holds, for instance, {format_examples(some)}" if some else "It is empty"
        raise ArgumentError(
            f"`customer_id` is {wanted!r}, which is in no row of column {customer!r} of "
            f"`{argument}`. {there}.",
            code="unknown_customers",
            argument="customer_id",
            column=customer,
        )
    instants = instants_of(rows["time"])
    used = instants < end.instant
    unused = f"{int((~used).sum()):,} of {count_noun(len(used), 'row')} of customer {wanted!r}"
    if not used.any():
        raise ArgumentError(
            f"{unused} are at or after as_of ({end}), and none is left to draw; give a later "
            "`as_of`.",
            code="rows_after_as_of",
            argument="as_of",
            rows=len(used),
            total=len(used),
        )
    if not used.all():
        warn(
            f"{unused} at or after as_of ({end}) are not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=int((~used).sum()),
            total=len(used),
        )
    return np.unique(DAYS.number(wall_times(instants[used], log.zone)))


def _rows_of(log: Events, customer_id: Any) -> Frame:
    """Return the rows of a customer; in memory Arrow's UUIDs are read as their bytes."""
    unknown = log.rows.collect_schema()["customer"] == nw.Unknown
    if unknown and isinstance(customer_id, UUID) and isinstance(log.rows, nw.DataFrame):
        customer_id = customer_id.bytes
    same: nw.Expr = nw.col("customer") == customer_id
    return log.rows.filter(same)
