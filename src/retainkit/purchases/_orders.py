"""Orders as they are read for a summary: reserved names, end of calibration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.events import Events
from retainkit._inputs.orders import read_orders
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit._time.moment import Moment, as_of_moment
from retainkit.errors import ArgumentError
from retainkit.purchases._spec import SummaryOptions


def read_summary_orders(transactions: Any, options: SummaryOptions, own: Sequence[str]) -> Events:
    """Check the options of a summary with these columns of its `own`, and read its orders."""
    options.validate()
    own = (*own, TIME_UNIT)
    carried = options.carried(own)
    check_not_reserved("`customer`", [options.customer], own)
    return read_orders(
        transactions,
        customer=options.customer,
        time=options.time,
        amount=options.amount,
        by=options.by,
        reserved=[*own, options.customer],
        tz=options.tz,
        missing=options.missing,
        further=carried.declared,
        further_names=carried.inner,
        argument_names=carried.arguments,
    )


def calibration_and_end(
    log: Events, calibration_end: str | date, as_of: str | date | None
) -> tuple[Moment, Moment]:
    """Return the ends of calibration and of the holdout, which must have time between them."""
    split = as_of_moment(calibration_end, log.zone, "calibration_end")
    if as_of is None and log.last_event is None:
        return split, split  # without rows any end will do
    end = log.end_of_observation(as_of)
    if end.instant > split.instant:
        return split, end
    given = "the day of the last row ends at" if as_of is None else "`as_of` is"
    raise ArgumentError(
        f"{given} {end}, and `calibration_end` is {split}: no time is left for the holdout. "
        "Calibrate up to an earlier day, or say with `as_of` how long observation went on.",
        code="no_time",
        argument="calibration_end",
    )
