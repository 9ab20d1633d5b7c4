"""Orders that a model is held to: those of a calibration, and those that came after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Any

from retainkit._inputs.events import Events
from retainkit._inputs.orders import read_orders
from retainkit._inputs.refunds import check_negative_amounts
from retainkit._time.grid import DAYS, PeriodGrid, calendar_grid
from retainkit._time.moment import Moment, read_datetime
from retainkit._time.period_options import PeriodOption
from retainkit._time.periods import WEEKDAYS
from retainkit.purchases._orders import calibration_and_end
from retainkit.purchases._spec import PurchaseSpec, SummaryOptions, purchase_spec
from retainkit.typing import Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedOrders:
    """The orders before `end`, and the end of their calibration, `split`, if there is one.

    `options` are those of the summary by which purchases are counted; weeks begin as they say.
    """

    log: Events
    options: SummaryOptions
    split: Moment | None
    end: Moment

    def spec(self) -> PurchaseSpec:
        """Return what to reduce the orders to: the calibration, and the holdout if there is one."""
        if self.split is None:
            return purchase_spec(self.log, self.options, self.end)
        return purchase_spec(self.log, self.options, self.split, self.end)

    def grid(self, cut: PeriodOption) -> PeriodGrid:
        """Return the periods of a table about the orders.

        Weeks begin as those of the summary, and periods of days are counted from the end of
        calibration, if nothing else is said.
        """
        cut = replace(cut, week_start=self.options.week_start)
        if cut.step and cut.origin is None and self.split is not None:
            day = self.split.begin_of(DAYS, self.log.zone)
            cut = replace(cut, origin=read_datetime(str(day)[:10], "calibration_end"))
        return cut.in_zone(self.log.zone)


def read_calibrated_orders(
    transactions: Any,
    options: SummaryOptions,
    calibration_end: str | date | None,
    week_start: Weekday | None,
) -> CalibratedOrders:
    """Read orders; weeks begin with the weekday on which calibration ends, if not as given."""
    log = read_orders(
        transactions,
        customer=options.customer,
        time=options.time,
        amount=options.amount,
        tz=options.tz,
        missing=options.missing,
    )
    if calibration_end is None:
        split, end = None, log.end_of_observation(options.as_of)
    else:
        split, end = calibration_and_end(log, calibration_end, options.as_of)
    log = log.until(end)
    check_negative_amounts(log, options.amounts)
    begins = week_start or _week_start_at(split, log.zone)
    return CalibratedOrders(
        log=log, options=replace(options, week_start=begins), split=split, end=end
    )


def _week_start_at(split: Moment | None, zone: tzinfo | None) -> Weekday:
    """Return the day of the week on which calibration ends; without calibration, Monday."""
    if split is None:
        return "monday"
    day = split.begin_of(DAYS, zone)
    return next(name for name in WEEKDAYS if day.opens(calendar_grid("week", name)))
