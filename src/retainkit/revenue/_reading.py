"""The steps that the functions of `revenue` share: checks, arrays, results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.factorize import integer_codes
from retainkit._frames.input import collect, instants_of
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.subscriptions import read_subscriptions
from retainkit._time.periods import PERIODS, WEEKDAYS, first_day, period_index, period_of
from retainkit._time.zones import wall_times
from retainkit.errors import ArgumentError
from retainkit.revenue._changes import OutputGrid, amount_changes
from retainkit.revenue._money import money_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retainkit._inputs.subscriptions import Subscriptions
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Array, Booleans, Integers
    from retainkit.revenue._changes import AmountChanges
    from retainkit.revenue._money import Money


_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionArrays:
    """Subscriptions as arrays, and how time is cut into periods.

    `begin` and `end` are times on the wall clock; only what is marked in `ends` does end. Periods
    are numbered up to `last`, and those before `over` are over.
    """

    subscriptions: Subscriptions
    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    customer: Integers
    begin: Integers
    end: Integers
    ends: Booleans
    amount: Integers
    money: Money
    period: Period
    week_start: Weekday
    last: int
    over: int

    def changes(self, *, daily: bool = False) -> AmountChanges:
        """Add up what begins and ends in each period, or on each day."""
        time = np.append(self.begin, self.end[self.ends])
        return amount_changes(
            np.append(self.customer, self.customer[self.ends]),
            np.append(self.segment, self.segment[self.ends]),
            period_of(time, "day" if daily else self.period, self.week_start),
            np.append(self.amount, -self.amount[self.ends]),
            self.money,
        )

    def period_of_day(self, days: Integers) -> Integers:
        """Number the periods of days."""
        return period_index(days, self.period, self.week_start)

    def came(self) -> Integers:
        """Give the period in which each customer first paid, be it for an hour."""
        came = np.full(int(self.customer.max(initial=-1)) + 1, self.last + 1)
        np.minimum.at(came, self.customer, period_of(self.begin, self.period, self.week_start))
        return came

    def firsts(self) -> Integers:
        """Give the period in which each segment begins."""
        first = np.full(int(self.segment.max(initial=-1)) + 1, self.last + 1)
        np.minimum.at(first, self.segment, period_of(self.begin, self.period, self.week_start))
        return first

    def cells(self) -> OutputGrid:
        """Lay out segments and periods, from the first one of all."""
        firsts = self.firsts()
        first = int(firsts.min(initial=self.last + 1))
        cells = OutputGrid(n_segments=len(firsts), first=first, n_periods=self.last + 1 - first)
        if cells.n_segments * cells.n_periods > _MOST_CELLS:
            raise ArgumentError(
                f"the result would have {cells.n_segments:,} segments of {cells.n_periods:,} "
                "periods. If there is a stray date, leave it out, or set `as_of`; else choose "
                "longer periods."
            )
        return cells

    def table(
        self, cells: OutputGrid, columns: Mapping[str, Array], *, include_partial: bool
    ) -> Any:
        """Make the result: a row for each segment and period, from its first one on."""
        number = np.arange(cells.n_periods) + cells.first
        begun = number >= self.firsts()[:, np.newaxis]
        shown = begun if include_partial else begun & (number < self.over)
        segment, column = np.nonzero(shown)
        own = {name: values[segment, column] for name, values in columns.items()}
        own["complete"] = number[column] < self.over
        return self.frame(segment, {"period": number[column]}, own)

    def frame(
        self,
        segment: Integers,
        dated: Mapping[str, Integers],
        columns: Mapping[str, Array],
    ) -> Any:
        """Make a frame of columns; the `dated` ones are numbers of periods."""
        given: dict[str, Any] = {
            name: self.segments[key][segment.tolist()]
            for name, key in zip(self.subscriptions.by, self.segments, strict=True)
        }
        for name, number in dated.items():
            day = first_day(number, self.period, self.week_start)
            given[name] = day.astype("datetime64[D]")
        return build_like(self.subscriptions.rows, given | dict(columns))


def read_subscription_arrays(
    native: Any,
    *,
    customer: str,
    start: str,
    end: str,
    amount: str,
    currency: str | None,
    rates: Mapping[str, float] | None,
    by: str | Sequence[str] | None,
    taken: Sequence[str],
    period: Period,
    as_of: Any,
    tz: str | None,
    week_start: Weekday,
    missing: str,
) -> SubscriptionArrays:
    """Check subscriptions and take them into memory as arrays."""
    one_of("period", period, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    subscriptions = read_subscriptions(
        native,
        customer=customer,
        start=start,
        end=end,
        amount=amount,
        currency=currency,
        rates=rates,
        by=by,
        taken=taken,
        tz=tz,
        missing=missing,
        as_of=as_of,
    )
    # What costs nothing makes no customer.
    rows = collect(subscriptions.rows.filter(nw.col("amount") > 0))
    segments, segment = factorize_segments(rows, subscriptions.keys)
    ends = ~rows["end"].is_null().to_numpy().astype(bool)
    begin, finish = (
        wall_times(instants_of(one), subscriptions.zone)
        for one in (rows["start"], rows["end"].fill_null(rows["start"]))
    )
    amounts = rows["amount"].to_numpy().astype(np.float64)
    money = money_of(amounts)
    moment = subscriptions.end_of_observation
    over = moment.index(period, week_start)
    return SubscriptionArrays(
        subscriptions=subscriptions,
        segments=segments,
        segment=segment,
        customer=integer_codes(rows["customer"])[0],
        begin=begin,
        end=finish,
        ends=ends,
        amount=money.counted(amounts),
        money=money,
        period=period,
        week_start=week_start,
        last=over - moment.opens(period, week_start),
        over=over,
    )
