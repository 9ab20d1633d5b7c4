"""Simulate subscribers month by month, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._typing import Booleans, Floats, Integers

DAYS = 28  # every month has a day to renew on, if there are no more than these
RUNNING = -(2**62)  # no day, not even one before 1970
LATEST = 3  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Probabilities of what customers do at a renewal, and whether each renewal begins a row."""

    upgrade: float
    downgrade: float
    reactivation: float
    seats: float
    late: float
    renewals: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRows:
    """Rows of subscriptions: customer and plan are numbered from 0, days from 1970."""

    customer: Integers
    plan: Integers
    start: Integers
    end: Integers

    @classmethod
    def concatenate(cls, parts: list[SimulatedRows]) -> SimulatedRows:
        names = ("customer", "plan", "start", "end")
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )


class Subscribers:
    """State of all subscribers at one time, and the rows so far."""

    def __init__(self, plan: Integers, day: Integers, churn: Floats) -> None:
        self.plan = plan.copy()
        self.day = day.copy()  # of the month on which they renew, from 0
        self.churn = churn  # of each customer in each plan
        self.active = np.zeros(plan.size, bool)
        self.left = np.full(plan.size, np.iinfo(np.int64).max - 2)  # the month, from 0
        self.closed: list[SimulatedRows] = []
        # One element a running row: a customer with several seats has several.
        self.owner = self.since = np.empty(0, np.int64)

    def begin(self, who: Integers, on: Integers) -> None:
        """Open a row for each of some customers, on a day."""
        self.active[who] = True
        self.owner = np.append(self.owner, who)
        self.since = np.append(self.since, on)

    def renew(self, rng: np.random.Generator, month: int, first: int, habits: Habits) -> None:
        """Draw who of the active customers leaves, moves, takes another seat or pays late."""
        who = np.flatnonzero(self.active)
        leaves = rng.random(who.size) < self.churn[who, self.plan[who]]
        moves = self._moves(rng, who, habits)
        moves[leaves] = 0
        late = (rng.random(who.size) < habits.late) & ~leaves & (moves == 0)
        lag = np.where(late, 1 + rng.integers(LATEST, size=who.size), 0)
        self._end(who, first, ended=leaves | (moves != 0) | late | habits.renewals)
        self._restart(who, first, lag=lag, leaves=leaves)
        self.plan[who] += moves
        self.active[who[leaves]] = False
        self.left[who[leaves]] = month
        more = (rng.random(who.size) < habits.seats) & ~leaves & ~late
        self.begin(who[more], first + self.day[who[more]])

    def win_back(self, rng: np.random.Generator, month: int, first: int, chance: float) -> None:
        """Draw who comes back, on any day, of those who have been away for a whole month."""
        away = np.flatnonzero(~self.active & (month - self.left >= 2))
        back = away[rng.random(away.size) < chance]
        self.day[back] = rng.integers(DAYS, size=back.size)
        self.begin(back, first + self.day[back])

    def rows(self) -> SimulatedRows:
        """Return all rows, with those that still run."""
        running = SimulatedRows(
            customer=self.owner,
            plan=self.plan[self.owner],
            start=self.since,
            end=np.full(self.owner.size, RUNNING),
        )
        return SimulatedRows.concatenate([*self.closed, running])

    def _moves(self, rng: np.random.Generator, who: Integers, habits: Habits) -> Integers:
        """Draw who moves to the next plan (1) or the one before (-1), where there is one."""
        draw, plan, top = rng.random(who.size), self.plan[who], self.churn.shape[1] - 1
        up = (draw < habits.upgrade) & (plan < top)
        down = (draw >= 1 - habits.downgrade) & (plan > 0)
        moves: Integers = up.astype(np.int64) - down.astype(np.int64)
        return moves

    def _end(self, who: Integers, first: int, *, ended: Booleans) -> None:
        """Close the rows of those who are marked, on the day they renew."""
        customers = np.zeros(self.plan.size, bool)
        customers[who[ended]] = True
        rows = customers[self.owner]
        owner = self.owner[rows]
        end = first + self.day[owner]
        self.closed.append(
            SimulatedRows(customer=owner, plan=self.plan[owner], start=self.since[rows], end=end)
        )
        self.since = np.where(rows, RUNNING, self.since)

    def _restart(self, who: Integers, first: int, *, lag: Integers, leaves: Booleans) -> None:
        """Open closed rows again, some days late, but not those of customers who leave."""
        again = np.full(self.plan.size, RUNNING)
        again[who] = np.where(leaves, RUNNING, first + self.day[who] + lag)
        self.since = np.where(self.since == RUNNING, again[self.owner], self.since)
        kept = self.since != RUNNING
        self.owner, self.since = self.owner[kept], self.since[kept]


def simulate_subscriptions(
    rng: np.random.Generator,
    edges: Integers,
    first: Integers,
    subscribers: Subscribers,
    habits: Habits,
) -> SimulatedRows:
    """Simulate the months between the edges; `first` is the month in which each customer starts."""
    for month, begin in enumerate(edges[:-1].tolist()):
        subscribers.renew(rng, month, begin, habits)
        subscribers.win_back(rng, month, begin, habits.reactivation)
        new = np.flatnonzero(first == month)
        subscribers.begin(new, begin + subscribers.day[new])
    rows = subscribers.rows()
    # Who pays late across the last midnight has not renewed yet.
    seen = np.flatnonzero(rows.start < edges[-1])
    order = seen[np.lexsort((rows.end[seen], rows.customer[seen], rows.start[seen]))]
    return SimulatedRows(
        customer=rows.customer[order],
        plan=rows.plan[order],
        start=rows.start[order],
        end=rows.end[order],
    )
