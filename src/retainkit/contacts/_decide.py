"""Who is written to: candidates in order, caps, and what the log holds already. Arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retainkit._typing import Booleans, Integers

SEND, EXEMPT, SUPPRESSED, CAP, OUTRANKED, HOLDOUT = range(6)
REASONS = ("send", "exempt", "suppressed", "cap", "outranked", "holdout")
"""What the numbers of reasons are called."""

NO_CAP = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """Candidates in parallel arrays, and caps with what the log holds.

    `customer` numbers the customers from 0. Among the rows of one, the one that comes first in
    `order` is judged first. Cap k covers the rows where `covers[k]`, allows `most[k]`, and
    `logged[k]` has the contacts of each customer in its window.
    """

    customer: Integers
    order: Integers
    exempt: Booleans
    suppressed: Booleans
    held_out: Booleans
    covers: Sequence[Booleans]
    most: Sequence[int]
    logged: Sequence[Integers]
    n_customers: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """What becomes of each candidate.

    `reason` is a place in `REASONS`, `blocked_by` the cap that is in the way (`NO_CAP`: none), and
    `contacts` counts the log in the window of that cap, else of the one that is used most.
    """

    reason: Integers
    eligible: Booleans
    blocked_by: Integers
    contacts: Integers


def decide(question: Question) -> Decision:
    """Decide on all candidates: suppressed, exempt, and the others in their order."""
    n, exempt = len(question.customer), question.exempt & ~question.suppressed
    reason = np.full(n, SEND)
    reason[question.suppressed] = SUPPRESSED
    reason[exempt] = EXEMPT
    undecided = ~question.suppressed & ~exempt
    full = _full_by_the_log(question)
    capped = undecided & (full > NO_CAP)
    reason[capped] = CAP
    rest = np.flatnonzero(undecided & ~capped)
    outranked = _outranked(question, exempt, rest)
    beaten = outranked > NO_CAP
    reason[rest[beaten]] = OUTRANKED
    eligible = (reason == SEND) | exempt
    reason[(reason == SEND) & question.held_out] = HOLDOUT
    blocked_by = np.where(capped, full, NO_CAP)
    blocked_by[rest[beaten]] = outranked[beaten]
    return Decision(
        reason=reason,
        eligible=eligible,
        blocked_by=blocked_by,
        contacts=_contacts(question, blocked_by),
    )


def _full_by_the_log(question: Question) -> Integers:
    """Return for each row the first cap that the log alone fills, or `NO_CAP`."""
    full = np.full(len(question.customer), NO_CAP)
    for k in reversed(range(len(question.most))):
        filled = question.logged[k] >= question.most[k]
        full[question.covers[k] & filled[question.customer]] = k
    return full


def _outranked(question: Question, exempt: Booleans, rest: Integers) -> Integers:
    """Return for each of the rows that the log leaves room for the first cap in its way.

    Exempt rows have taken their places already. The first rows of all customers are judged at
    once, then the second ones, and so on: rows of different customers never meet.
    """
    caps = range(len(question.most))
    in_the_way = np.full(len(rest), NO_CAP)
    if not caps:
        return in_the_way
    taken = [
        question.logged[k]
        + np.bincount(
            question.customer[exempt & question.covers[k]], minlength=question.n_customers
        )
        for k in caps
    ]
    for turn in _turns(question.customer[rest], question.order[rest]):
        rows = rest[turn]
        customer, covers = question.customer[rows], [question.covers[k][rows] for k in caps]
        blocked = np.full(len(rows), NO_CAP)
        for k in reversed(caps):
            blocked[covers[k] & (taken[k][customer] >= question.most[k])] = k
        for k in caps:
            # A customer has one row in a turn: no element is added to twice.
            taken[k][customer[covers[k] & (blocked == NO_CAP)]] += 1
        in_the_way[turn] = blocked
    return in_the_way


def _turns(customer: Integers, order: Integers) -> list[Integers]:
    """Return the places of the first rows of all customers, then of the second ones, and so on."""
    if not len(customer):
        return []
    places = np.lexsort((order, customer))
    own = customer[places]
    opens = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
    sizes = np.diff(np.append(opens, len(own)))
    turn = np.arange(len(own)) - np.repeat(opens, sizes)
    by_turn = np.argsort(turn, kind="stable")
    return np.split(places[by_turn], np.cumsum(np.bincount(turn))[:-1])


def _contacts(question: Question, blocked_by: Integers) -> Integers:
    """Count the log in the window of the cap in the way, or else of the one that is used most."""
    contacts = np.zeros(len(question.customer), np.int64)
    most_used = np.full(len(contacts), -1.0)
    for k, most in enumerate(question.most):
        logged = question.logged[k][question.customer]
        # Of nothing that is allowed, all is used. Equal shares are equal floats.
        used = logged / most if most else np.full(len(contacts), np.inf)
        shows = question.covers[k] & (blocked_by == NO_CAP) & (used > most_used)
        most_used[shows] = used[shows]
        shows |= blocked_by == k
        contacts[shows] = logged[shows]
    return contacts
