"""The specification of warning signs: two windows before an instant, cut into blocks.

`_signs_lazy` reduces inside an engine and `_signs_eager` on arrays in memory; the tests hold them
equal. Both count in blocks, days or weeks back from `as_of`, numbered so that the recent window
begins with block 0: those of the baseline are below 0, and `floor` stands for all before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._messages import warn
from retainkit._stats.binomial import binomial_lower
from retainkit._stats.hypergeometric import hypergeometric_lower
from retainkit._stats.intervals import ratio
from retainkit._stats.multiplicity import adjust_p_values
from retainkit._time.grid import DayGrid
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY
from retainkit._time.windows import Window
from retainkit._time.zones import instant_expr, later_expr
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.typing import Adjust, UsageUnit

MEASURES = (
    *("baseline_active", "recent_active", "expected", "ratio", "group_ratio", "p_value"),
    *("p_adjusted", "last_seen_days", "quiet_days_longest", "silent"),
)
"""The columns of the result between its keys and its signals."""

VERDICT = ("signs", "reasons", "judged")
"""The last columns of the result."""

_DAYS_IN_BLOCK: dict[UsageUnit, int] = {"day": 1, "week": 7, "event": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The two windows, and what is counted in them."""

    unit: UsageUnit
    recent: Window
    baseline: Window

    def validate(self) -> None:
        """Check that both are whole numbers of the unit, and the baseline not the shorter one."""
        whole = {"day": "whole days", "week": "whole weeks"}.get(self.unit)
        for argument, window in self._named().items():
            if whole and (not window.whole_days or window.days % _DAYS_IN_BLOCK[self.unit]):
                raise ArgumentError(
                    f"`{argument}` is '{window.name}', and with unit={self.unit!r} it must be "
                    f"{whole}, such as '28D'.",
                    code="length_not_whole",
                    argument=argument,
                )
        if self.baseline.microseconds < self.recent.microseconds:
            raise ArgumentError(
                f"`baseline` is '{self.baseline.name}' and `recent` '{self.recent.name}': nobody "
                "can be judged by a baseline shorter than what is compared with it. Take one that "
                "is longer, such as three times as long.",
                code="argument_conflict",
                argument="baseline",
            )

    def warn_of_weekdays(self) -> None:
        """Warn of windows that hold some weekdays more often than others."""
        uneven = {name: one for name, one in self._named().items() if one.days % 7}
        if uneven:
            names = " and ".join(f"`{name}` ('{one.name}')" for name, one in uneven.items())
            warn(
                f"{names} {'is' if len(uneven) == 1 else 'are'} no whole number of weeks, so that "
                "weekdays do not balance: who comes on Mondays may seem to come less. Take whole "
                "weeks, such as '28D'.",
                code="length_not_whole",
                argument=next(iter(uneven)),
            )

    def _named(self) -> dict[str, Window]:
        return {"recent": self.recent, "baseline": self.baseline}

    def ending_at(self, end: Moment, zone: tzinfo | None) -> Blocks:
        """Return the blocks of windows of which the recent one ends at a moment."""
        edge = self.recent.before(end, zone)
        return Blocks(
            unit=self.unit,
            end=end,
            edge=edge,
            start=self.baseline.before(edge, zone),
            days=_DAYS_IN_BLOCK[self.unit],
            on_wall=self.recent.whole_days and self.baseline.whole_days,
            recent=self.recent.microseconds,
            baseline=self.baseline.microseconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActiveUnits:
    """Active units in both windows, and how many blocks there are in the baseline: arrays."""

    blocks: Integers
    baseline: Integers
    recent: Integers

    def take(self, index: Any) -> ActiveUnits:
        """Return some elements."""
        return ActiveUnits(
            blocks=self.blocks[index], baseline=self.baseline[index], recent=self.recent[index]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Blocks of so many `days`, cut from the `edge` between baseline and recent window.

    They are cut on the wall clock, or as time passes where windows are no whole days. `recent` and
    `baseline` are lengths in microseconds.
    """

    unit: UsageUnit
    end: Moment
    edge: Moment
    start: Moment
    days: int
    on_wall: bool
    recent: int
    baseline: int

    @property
    def step(self) -> int:
        """Microseconds in a block."""
        return self.days * DAY

    @property
    def n_recent(self) -> int:
        """Number of blocks that the recent window touches."""
        return -(-self.recent // self.step)

    @property
    def n_baseline(self) -> int:
        """Number of blocks that the baseline touches."""
        return -(-self.baseline // self.step)

    @property
    def floor(self) -> int:
        """The number that stands for all blocks before the baseline."""
        return -self.n_baseline - 1

    @property
    def end_day(self) -> int:
        """The day that holds the end, since 1970."""
        return self.end.wall // DAY

    @property
    def least_baseline(self) -> int:
        """Number of blocks from which on a baseline is as long as the recent window."""
        return min(self.n_recent, self.n_baseline)

    @property
    def are_days(self) -> bool:
        """Return whether each block is a calendar day."""
        return self.days == 1 and self.follow_days

    @property
    def follow_days(self) -> bool:
        """Return whether blocks begin at midnight, so that a day is in one of them."""
        return self.on_wall and self.edge.wall % DAY == 0

    def number(self, instant: Integers, wall: Integers) -> Integers:
        """Number the block of each time."""
        time, edge = (wall, self.edge.wall) if self.on_wall else (instant, self.edge.instant)
        number = (time - edge) // self.step
        # Where a clock shows an hour twice, the end may come before what the wall shows then.
        np.clip(number, self.floor, self.n_recent - 1, out=number)
        if self.baseline % self.step:
            number[instant < self.start.instant] = self.floor
        return number

    def number_expr(self, time: nw.Expr, wall: nw.Expr) -> nw.Expr:
        """Number the block of each time; `time` are instants."""
        own, edge = (wall, self.edge.wall) if self.on_wall else (time, self.edge.instant)
        rest = -edge % DAY
        first = (edge + rest) // DAY
        grid = DayGrid(name=self.unit, step=self.days, anchor=first)
        number = grid.number_expr(later_expr(own, rest) if rest else own)
        # Single days are counted from 1970, whatever the anchor is.
        number = self._within((number - (first if self.days == 1 else 0)).cast(nw.Int64))
        if self.baseline % self.step:
            early = time < instant_expr(self.start.instant)
            number = nw.when(early).then(nw.lit(self.floor)).otherwise(number)
        return number

    def number_of_day_expr(self, day: nw.Expr) -> nw.Expr:
        """Number the block of each day, where blocks follow days."""
        number = day - self.edge.wall // DAY
        if self.days > 1:  # what is divided must not be negative: engines round differently
            number = (number + 7 * 10**6) // self.days - 7 * 10**6 // self.days
        return self._within(number)

    def _within(self, number: nw.Expr) -> nw.Expr:
        """Return the number of a block, not below the floor and not above the last one."""
        last, floor = self.n_recent - 1, self.floor
        capped = nw.when(number > last).then(nw.lit(last)).otherwise(number)
        return nw.when(number < floor).then(nw.lit(floor)).otherwise(capped).cast(nw.Int64)

    def length(self, counts: ActiveUnits) -> Integers:
        """Return how long the baselines are."""
        return np.minimum(counts.blocks * self.step, self.baseline)

    def comparable(self, counts: ActiveUnits) -> Booleans:
        """Mark the baselines that are as long as the recent window, or longer."""
        return counts.blocks >= self.least_baseline

    def expected(self, counts: ActiveUnits) -> Floats:
        """Return what is active in the baselines, scaled to the recent window."""
        return ratio(counts.baseline * self.recent, self.length(counts))

    def group_ratio(self, counts: ActiveUnits, times: Integers) -> float:
        """Return the ratio of all who can be compared; NaN where nothing is expected of them."""
        known = self.comparable(counts)
        recent, expected = (counts.recent * times)[known], (self.expected(counts) * times)[known]
        return float(ratio(recent.sum(), expected.sum()))

    def p_value(self, counts: ActiveUnits) -> Floats:
        """P(X <= recent) if nothing changed, given all that was active in both windows."""
        active = counts.baseline + counts.recent
        if self.unit == "event":
            share = self.recent / (self.recent + self.length(counts))
            return binomial_lower(counts.recent, active, share)
        total = self.n_recent + counts.blocks
        return hypergeometric_lower(counts.recent, active, self.n_recent, total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who is judged, and when usage is down."""

    min_baseline: int
    adjust: Adjust
    level: float

    def judged(self, blocks: Blocks, counts: ActiveUnits) -> Booleans:
        """Mark who has been there for long enough, and come often enough, to be judged."""
        found: Booleans = blocks.comparable(counts) & (counts.baseline >= self.min_baseline)
        return found

    def test(self, blocks: Blocks, counts: ActiveUnits, times: Integers) -> tuple[Floats, Floats]:
        """Return the p-values of distinct counts, and those adjusted for all customers."""
        p_value = blocks.p_value(counts)
        return p_value, adjust_p_values(p_value, self.adjust, times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Further signs: for each name the customers that have one."""

    customers: Mapping[str, nw.DataFrame[Any] | nw.LazyFrame[Any]]

    @property
    def names(self) -> list[str]:
        """The names of the signals."""
        return [*self.customers]

    @property
    def reasons(self) -> list[str]:
        """Return the name of each sign among the reasons, in their order."""
        return ["usage down", "silent", *(name.replace("_", " ") for name in self.names)]
