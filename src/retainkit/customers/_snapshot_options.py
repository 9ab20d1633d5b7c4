"""Options of snapshots: instants, and the window in which the outcome shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import pairwise
from typing import Any, get_args

from retainkit._checks import boolean, is_list, one_of
from retainkit._inputs.observation import check_as_of
from retainkit._messages import warn
from retainkit._time.moment import Moment, as_of_moment
from retainkit._time.windows import Window, read_window
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Length, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An instant, and the window [begin, end) in which the outcome shows; `is_open`: not yet."""

    moment: Moment
    begin: Moment
    end: Moment
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOptions:
    """The arguments of `churn_snapshots` that `customer_view` does not have."""

    as_of: Any
    horizon: Length
    lead: Length
    outcome: Outcome
    active_within: Length | None
    until: str | date | None
    include_open: bool
    has_subscriptions: bool

    def validate(self) -> SnapshotSpec:
        """Check what can be checked before a table is looked at."""
        instants = _listed(self.as_of)
        horizon = read_window("horizon", self.horizon)
        lead = read_window("lead", self.lead, above_0=False)
        one_of("outcome", self.outcome, get_args(Outcome))
        within = None
        if self.active_within is not None:
            within = read_window("active_within", self.active_within)
        check_as_of(self.until, "until")
        boolean("include_open", self.include_open)
        if self.outcome == "churn" and not self.has_subscriptions:
            raise ArgumentError(
                "`outcome` is 'churn', and there is no table of subscriptions that could end; give "
                "`subscriptions`, or leave `outcome` out: then who does not order has churned.",
                code="argument_needed",
                argument="subscriptions",
            )
        return SnapshotSpec(
            instants=instants,
            horizon=horizon,
            lead=lead,
            outcome=self.outcome,
            active_within=within,
            include_open=self.include_open,
        )


def _listed(as_of: Any) -> tuple[Any, ...]:
    """Return the instants, which may be one."""
    instants = tuple(as_of) if is_list(as_of) else (as_of,)
    if not instants:
        raise ArgumentError(
            "`as_of` is empty; name one instant or more, for instance by `snapshot_dates`.",
            code="argument_value",
            argument="as_of",
        )
    for one in instants:
        if one is None:
            raise ArgumentTypeError(
                "`as_of` is None; name the instants of the snapshots, for instance by "
                "`snapshot_dates`.",
                code="not_a_time",
                argument="as_of",
            )
        check_as_of(one)
    return instants


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSpec:
    """The snapshots that are asked for, checked."""

    instants: Sequence[Any]
    horizon: Window
    lead: Window
    outcome: Outcome
    active_within: Window | None
    include_open: bool

    def snapshots(self, zone: tzinfo | None, until: Moment) -> list[Snapshot]:
        """Return the snapshots in their order; a warning names those that are left out as open."""
        moments = sorted(
            (as_of_moment(one, zone) for one in self.instants), key=lambda one: one.instant
        )
        for one, other in pairwise(moments):
            if one.instant == other.instant:
                raise ArgumentError(
                    f"`as_of` has {one} more than once; name each instant once.",
                    code="named_twice",
                    argument="as_of",
                )
        found = [self._snapshot(one, zone, until) for one in moments]
        left_out = [] if self.include_open else [one for one in found if one.is_open]
        if left_out:
            names = ", ".join(str(one.moment) for one in left_out)
            warn(
                f"the horizon of {names} is not over at {until}, the end of observation (`until`): "
                "left out. With `include_open=True` its rows stay, without an outcome: those "
                "of customers to score.",
                code="open_horizon",
                argument="as_of",
                rows=len(left_out),
                total=len(found),
            )
        kept = [one for one in found if one not in left_out]
        self._warn_of_overlap(kept)
        return kept

    def _snapshot(self, moment: Moment, zone: tzinfo | None, until: Moment) -> Snapshot:
        begin = self.lead.after(moment, zone) if self.lead.microseconds else moment
        end = self.horizon.after(begin, zone)
        return Snapshot(moment=moment, begin=begin, end=end, is_open=end.instant > until.instant)

    def _warn_of_overlap(self, found: Sequence[Snapshot]) -> None:
        """Warn of horizons that overlap: the rows of a customer then share an outcome."""
        pairs = pairwise(found)
        n = sum(other.begin.instant < one.end.instant for one, other in pairs)
        if n:
            warn(
                f"{n} of {len(found)} snapshots come before the horizon of the one before is over: "
                "rows of a customer share events, and are not independent. `fit_churn_risk` has "
                "standard errors that are clustered by customer.",
                code="overlapping_horizons",
                argument="as_of",
                rows=n,
                total=len(found),
            )
