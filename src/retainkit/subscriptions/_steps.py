"""Order the rows of a ledger of levels or changes, and check that levels can be made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._frames.input import instants_of
from retainkit._messages import count_noun, format_examples, warn
from retainkit._stats.money import money_unit
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.subscriptions._ledger import Ledger, negative_error

_ROUNDING = 1e-12  # of the greatest change of an owner: a smaller one is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Levels by owner and time: an owner is a customer, or a subscription of one.

    `row` is that of the ledger: of changes at one time, one with their smallest reason. Whether
    they have `several` reasons is known as well.
    """

    row: Integers
    owner: Integers
    instant: Integers
    level: Floats
    several: Booleans

    @property
    def follows(self) -> Booleans:
        """Return whether the step before is of the same owner."""
        follows = np.zeros(len(self.owner), bool)
        follows[1:] = self.owner[1:] == self.owner[:-1]
        return follows

    @property
    def together(self) -> Booleans:
        """Return whether the step before is of the same owner and time."""
        together = self.follows
        together[1:] &= self.instant[1:] == self.instant[:-1]
        return together

    def take(self, which: Booleans) -> Steps:
        """Return some of the steps."""
        return Steps(**{one.name: getattr(self, one.name)[which] for one in fields(self)})

    def of_next(self, values: Integers, otherwise: int) -> Integers:
        """Return what the next step of the same owner has, `otherwise` where there is none."""
        found = np.full(len(values), otherwise)
        follows = self.follows[1:]
        found[:-1][follows] = values[1:][follows]
        return found


def steps_of_levels(ledger: Ledger) -> Steps:
    """Return the rows of a ledger in order; a customer has one level at a time."""
    steps = _ordered(ledger)
    _check_one_level(ledger, steps)
    return steps


def steps_of_changes(ledger: Ledger) -> Steps:
    """Return the levels that changes add up to, exact to the last decimal of money."""
    _warn_of_levels(ledger)
    steps = _ordered(ledger)
    _check_one_segment(ledger, steps)
    change = _without_remainders(steps)
    unit = money_unit(change)
    total = np.cumsum(unit.to_integers(change))
    first = np.flatnonzero(~steps.follows)
    before = np.append(0, total)[first]
    lengths = np.diff(np.append(first, len(total)))
    level = unit.to_amounts(unit.round(total - np.repeat(before, lengths)))
    # Of changes at one time the last one has the sum of all.
    last = np.append(~steps.together[1:], True)[: len(total)]
    several = _several_reasons(ledger, steps, np.cumsum(last) - last)
    return replace(steps, level=level, several=several).take(last)


def _several_reasons(ledger: Ledger, steps: Steps, time: Integers) -> Booleans:
    """Return whether the changes of a time, which is a number, have several reasons."""
    reason = ledger.code("reason")[steps.row]
    other = steps.together
    other[1:] &= (reason[1:] != reason[:-1]) & (reason[:-1] >= 0)
    return (np.bincount(time, other) > 0)[time]


def _without_remainders(steps: Steps) -> Floats:
    """Return the changes of each owner, 0 for what subtracting floats has left of others."""
    owner, size = np.cumsum(~steps.follows) - 1, np.abs(steps.level)
    greatest = np.zeros(len(owner))
    np.maximum.at(greatest, owner, size)
    return np.where(size <= _ROUNDING * greatest[owner], 0.0, steps.level)


def _ordered(ledger: Ledger) -> Steps:
    instant = instants_of(ledger.rows["time"])
    owner = ledger.customer * (len(instant) + 1) + ledger.code("subscription")
    keys: tuple[Integers, ...] = (ledger.segment, instant, owner)
    if "reason" in ledger.table.names:
        # Of changes at one time the last one has the smallest reason, and no null if another has.
        reason = ledger.code("reason")
        keys = (np.where(reason < 0, -NEVER, -reason), *keys)
    row = np.lexsort(keys)
    return Steps(
        row=row,
        owner=owner[row],
        instant=instant[row],
        level=ledger.amount[row],
        several=np.zeros(len(row), bool),
    )


def changing(steps: Steps, segment: Integers) -> Booleans:
    """Mark the steps at which something changes: the level, or the segment of what is paid."""
    same = steps.follows
    same[1:] &= steps.level[1:] == steps.level[:-1]
    same[1:] &= (segment[1:] == segment[:-1]) | (steps.level[1:] == 0)
    return ~same


def _warn_of_levels(ledger: Ledger) -> None:
    """Warn of changes that seem to be levels: some are 0, and none takes anything away."""
    zeros = int((ledger.amount == 0).sum())
    if not zeros or (ledger.amount < 0).any():
        return
    warn(
        f"{zeros:,} of {count_noun(len(ledger.rows), 'row')} change nothing (0), and none takes "
        "anything away: so look levels, where 0 is an end. Leave `change` out if rows say what is "
        "paid from then on.",
        code="looks_like_levels",
        argument="change",
        column=ledger.table.names["amount"],
        rows=zeros,
        total=len(ledger.rows),
    )


def _check_one_level(ledger: Ledger, steps: Steps) -> None:
    """Check that a customer has no two levels at one time."""
    rows = steps.row[steps.together].tolist()
    if rows:
        several = "" if "subscription" in ledger.table.names else ", or name it with `subscription`"
        raise ArgumentError(
            f"{count_noun(len(rows), 'row')} of {len(ledger.rows):,} with the time of another row "
            f"of the same customer, for instance of {_customers(ledger, rows)}. At one time there "
            f"is one level: add up those of several subscriptions{several}; leave repeats out; say "
            "`change=True` if rows are changes.",
            code="same_time",
            argument="time",
            column=ledger.table.names["time"],
            rows=len(rows),
            total=len(ledger.rows),
        )


def _check_one_segment(ledger: Ledger, steps: Steps) -> None:
    """Check that the changes of one time have one segment."""
    segment = ledger.segment[steps.row]
    mixed = steps.together
    mixed[1:] &= segment[1:] != segment[:-1]
    rows = steps.row[mixed].tolist()
    if rows:
        raise ArgumentError(
            f"{count_noun(len(rows), 'row')} of {len(ledger.rows):,} with the time of another row "
            f"of the same customer and another value of `by`, for instance of "
            f"{_customers(ledger, rows)}. Where segments have amounts of their own, name them with "
            "`subscription`.",
            code="ambiguous_segment",
            argument="by",
            rows=len(rows),
            total=len(ledger.rows),
        )


def _customers(ledger: Ledger, rows: Sequence[int]) -> str:
    return format_examples(sorted(ledger.rows["customer"][rows].unique().to_list(), key=str), 3)


def check_not_negative(ledger: Ledger, level: Floats, *, change: bool) -> None:
    """Check that nobody pays less than nothing."""
    below = level[level < 0]
    if not len(below):
        return
    what = (
        "the changes of a customer take away more than there is"
        if change
        else f"{ledger.table.source('amount')} is negative"
    )
    advice = (
        "The ledger may begin amid their history: add what they paid before."
        if change
        else "Say `change=True` if rows are changes."
    )
    raise negative_error(ledger, len(below), below, what, advice)
