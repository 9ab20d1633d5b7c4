"""Draw the use, tickets, answers and messages of the customers of a synthetic shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from retainkit._typing import Booleans, Integers
from retainkit.datasets._customer_truth import MIX, CustomerTruth
from retainkit.datasets._order_times import BEGIN, END, NEVER
from retainkit.datasets._periods import DAY, period_edges
from retainkit.datasets._survey_draws import groups_and_scores

_SESSIONS: Final = 0.25  # of an active day, besides the first
_EVENTS: Final = 1.5  # of a session, besides the first
_SESSION: Final = 1_800  # seconds

_ANSWERED: Final = 0.3  # share of the customers, each quarter
_ANSWERED_WITHIN: Final = 14  # days
_SOLVED: Final = 2.0  # days, on average
_UNSOLVED: Final = 0.03

CHANNELS: Final = ("email", "push", "sms")
# When in a week, in seconds from Monday on (2024 begins with one), and to what share of customers.
_MESSAGES: Final = ((DAY + 36_000, 0.30), (3 * DAY + 64_800, 0.10), (4 * DAY + 43_200, 0.05))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnContacts:
    """Parallel arrays with an element for each message, by time."""

    customer: Integers
    time: Integers
    channel: Integers
    sent: Booleans
    responded: Booleans


def draw_events(rng: np.random.Generator, truth: CustomerTruth) -> tuple[Integers, Integers]:
    """Draw the customer and the time of each event, by time."""
    owner, day = _active_days(rng, truth)
    sessions = 1 + rng.poisson(_SESSIONS, owner.size)
    owner, day = np.repeat(owner, sessions), np.repeat(day, sessions)
    begins = day + rng.integers(DAY - _SESSION, size=day.size)
    events = 1 + rng.poisson(_EVENTS, owner.size)
    owner, begins = np.repeat(owner, events), np.repeat(begins, events)
    # Everybody looks around when they join.
    everybody = np.arange(truth.joined.size)
    owner = np.concatenate([everybody, owner])
    time = np.concatenate([truth.joined, begins + rng.integers(_SESSION, size=begins.size)])
    order = np.argsort(time, kind="stable")
    return owner[order], time[order]


def _active_days(rng: np.random.Generator, truth: CustomerTruth) -> tuple[Integers, Integers]:
    """Draw the days after the first on which each customer is active, each as its midnight."""
    first, changed = truth.joined - truth.joined % DAY, truth.changed - truth.changed % DAY
    changed[truth.changed == NEVER] = NEVER
    active = np.zeros(first.size)
    owners, days = [], []
    for day in range(BEGIN + DAY, END, DAY):
        here = int(np.searchsorted(first, day))  # they are sorted: those who have joined before
        chance = truth.active[:here] * np.where(changed[:here] < day, truth.change[:here], 1.0)
        # On the first of these days as on any other, if nothing is known of the day before.
        tie = truth.persistence[:here] * (first[:here] < day - DAY)
        active[:here] = rng.random(here) < chance + tie * (active[:here] - chance)
        owners.append(np.flatnonzero(active[:here]))
        days.append(np.full(owners[-1].size, day))
    return np.concatenate(owners), np.concatenate(days)


def draw_tickets(
    rng: np.random.Generator, truth: CustomerTruth
) -> tuple[Integers, Integers, Integers]:
    """Draw the customer of each ticket, and when it was opened and solved (`NEVER`: not yet)."""
    span = np.minimum(truth.left, END) - truth.joined
    tickets = rng.poisson(truth.tickets * span / DAY)
    owner = np.repeat(np.arange(span.size), tickets)
    opened = truth.joined[owner] + (rng.random(owner.size) * span[owner]).astype(np.int64)
    order = np.lexsort((owner, opened))
    owner, opened = owner[order], opened[order]
    solved = opened + np.ceil(rng.exponential(_SOLVED * DAY, owner.size)).astype(np.int64)
    open_still = (solved >= END) | (rng.random(owner.size) < _UNSOLVED)
    return owner, opened, np.where(open_still, NEVER, solved)


def draw_answers(
    rng: np.random.Generator, truth: CustomerTruth
) -> tuple[Integers, Integers, Integers]:
    """Draw the customer, the time and the score of each answer, by time."""
    customers = truth.joined.size
    mix = np.tile(MIX, (customers, 1))
    group, _ = groups_and_scores(truth.level, mix)
    lows = np.array([MIX[2] + MIX[1], MIX[2], 0.0])[group]
    widths = np.array(MIX)[group]
    owners, times, scores = [], [], []
    for begin in period_edges("2024-01-01", "quarter", 8)[:-1].tolist():
        answers = (truth.joined < begin * DAY) & (rng.random(customers) < _ANSWERED)
        time = begin * DAY + rng.integers(_ANSWERED_WITHIN * DAY, size=customers)
        # The group is for life; within it every answer is drawn anew.
        _, score = groups_and_scores(lows + widths * rng.random(customers), mix)
        owners.append(np.flatnonzero(answers)[np.argsort(time[answers], kind="stable")])
        times.append(time[owners[-1]])
        scores.append(score[owners[-1]])
    return np.concatenate(owners), np.concatenate(times), np.concatenate(scores)


def draw_contacts(rng: np.random.Generator, truth: CustomerTruth) -> DrawnContacts:
    """Draw who was to get which message in every week, and who came back after it."""
    owners, times, channels = [], [], []
    for monday in range(BEGIN, END, 7 * DAY):
        for channel, (into, share) in enumerate(_MESSAGES):
            time = monday + into
            chosen = (truth.joined < time) & (rng.random(truth.joined.size) < share)
            if time < END:
                owners.append(np.flatnonzero(chosen))
                times.append(np.full(owners[-1].size, time))
                channels.append(np.full(owners[-1].size, channel))
    owner = np.concatenate(owners)
    sent = ~truth.held_out[owner]
    chance = truth.response[owner] + np.where(sent, truth.effect[owner], 0.0)
    return DrawnContacts(
        customer=owner,
        time=np.concatenate(times),
        channel=np.concatenate(channels),
        sent=sent,
        responded=rng.random(owner.size) < chance,
    )
