"""The specification of a purchase summary, its result, and the options they are made from.

`_lazy` reduces inside an engine and `_eager` on arrays in memory; both take a `PurchaseSpec` and
return a `PurchaseSummary`, and the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import get_args

from retainkit._checks import boolean, one_of
from retainkit._frames.input import Frame
from retainkit._inputs.columns import column_names
from retainkit._inputs.events import Events
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.refunds import check_amounts_option
from retainkit._time.grid import DAYS, PeriodGrid
from retainkit._time.moment import Moment
from retainkit._time.period_options import unit_option
from retainkit._time.periods import DAYS_IN
from retainkit.purchases._carried import CarriedColumns, carried_columns
from retainkit.typing import Amounts, Missing, Period, Weekday

SUMMARY = ("frequency", "recency", "T", "monetary_value")
"""The columns of a summary beside its keys."""

HOLDOUT = ("frequency_holdout", "monetary_value_holdout", "duration_holdout")
"""The columns of the time after calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryOptions:
    """The arguments of `rfm_summary`, most of which `calibration_holdout` and `cltv` have too."""

    customer: str
    time: str
    amount: str | None = None
    by: str | Sequence[str] | None = None
    as_of: str | date | None = None
    unit: Period = "day"
    include_first: bool = False
    amounts: Amounts = "raise"
    exact: bool = False
    missing: str = "raise"
    tz: str | None = None
    week_start: Weekday = "monday"
    keep: str | Sequence[str] = ()
    keep_first: str | Sequence[str] = ()

    def carried(self, own: Sequence[str] = ()) -> CarriedColumns:
        """Return the columns that are carried along, beside these of the result's `own`."""
        by = column_names("by", self.by)
        return carried_columns(self.keep, self.keep_first, self.amount, (*own, self.customer, *by))

    def validate(self) -> None:
        """Check the options that do not depend on the table."""
        self.merge_period()
        check_as_of(self.as_of)
        one_of("missing", self.missing, get_args(Missing))
        check_amounts_option(self.amounts, self.amount)
        boolean("include_first", self.include_first)
        boolean("exact", self.exact)

    def merge_period(self, zone: tzinfo | None = None) -> PeriodGrid:
        """Return the periods in which purchases of a customer are one, cut in `zone`."""
        units = unit_option(self.unit, self.week_start).in_zone(zone)
        return DAYS if self.exact else units


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSpec:
    """The options of a summary that a reduction depends on, checked.

    Purchases of one customer in one `merge_period` are one. The summary is made of those before
    `end`, whose last instant lies in the period numbered `last`. Those from `end` on are the
    holdout, if there is one, and `duration` is its length.
    Recency, T and `duration` are numbers of periods divided by `length`, or whole where that is
    None. With `net_refunds`, a period whose money nets below zero has no purchase in it.
    """

    merge_period: PeriodGrid
    length: float | None
    include_first: bool
    net_refunds: bool
    end: Moment
    last: int
    duration: float | None
    carried: CarriedColumns

    @property
    def holdout(self) -> bool:
        """Return whether purchases from `end` on are counted as well."""
        return self.duration is not None


def purchase_spec(
    log: Events, options: SummaryOptions, end: Moment, end_of_holdout: Moment | None = None
) -> PurchaseSpec:
    """Return the specification of a summary up to `end`, and of the holdout after it."""
    merge_period = options.merge_period(log.zone)
    length = DAYS_IN[options.unit] if options.exact else None

    def last_period(moment: Moment) -> int:
        """Number the period that holds the last instant before a moment."""
        return moment.before(log.zone).index(merge_period)

    duration: float | None = None
    if end_of_holdout is not None:
        duration = last_period(end_of_holdout) - last_period(end)
        duration = duration if length is None else duration / length
    return PurchaseSpec(
        merge_period=merge_period,
        length=length,
        include_first=options.include_first,
        # Without negative amounts each amount is its net.
        net_refunds=options.amounts == "net" and log.min_amount is not None and log.min_amount < 0,
        end=end,
        last=last_period(end),
        duration=duration,
        carried=options.carried(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSummary:
    """One row a customer with a purchase before the end, and the number of those left out.

    `rows` has the columns ``by_0`` …, ``customer``, ``frequency``, ``recency``, ``T`` and, where
    they apply, ``monetary_value``, those of `HOLDOUT` and those carried along; in memory in
    ascending order of customers. Of `n_customers` (None: not counted, since nobody can be left
    out), `n_first_in_holdout` counts the customers whose first purchase lies in the holdout,
    `n_without_purchase` those of whom no purchase is left.
    """

    rows: Frame
    n_customers: int | None
    n_first_in_holdout: int
    n_without_purchase: int
