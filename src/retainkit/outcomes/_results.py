"""What became of those who answered: arrays in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from retainkit._messages import count_noun, format_examples
from retainkit._stats.event_index import event_index, range_sums
from retainkit.errors import ArgumentError
from retainkit.outcomes._reading import same_customers

if TYPE_CHECKING:
    from retainkit._time.moment import Moment
    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.outcomes._reading import Answers, Memberships, Outcomes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseOutcomes:
    """What happened after each answer: parallel arrays.

    `open` is where the horizon is not over, `gone` where it never began (None: there is no such
    thing); `happened` and `amount` (None: not asked for) hold where neither is so. Customers are
    codes; `strangers` is the number of those whose horizon is over if there are customers in the
    other table and nobody who answered is among them.
    """

    customer: Integers
    open: Booleans
    gone: Booleans | None
    happened: Booleans
    amount: Floats | None
    strangers: int


def event_outcomes(
    answers: Answers, events: Outcomes, length: int, observed: Moment
) -> ResponseOutcomes:
    """See who had an event within the horizon, and add up what it was worth."""
    customer, others = same_customers(answers.customer, events.customer)
    line = event_index(others, events.instant)
    low = line.place(customer, answers.instant)
    high = line.place(customer, answers.instant + length)
    paid = None if events.amount is None else range_sums(events.amount[line.order], low, high)
    still = answers.instant + length >= observed.instant
    return ResponseOutcomes(
        customer=customer,
        open=still,
        gone=None,
        happened=high > low,
        amount=paid,
        strangers=_count_unmatched(customer, others, still),
    )


def churn_outcomes(
    answers: Answers, members: Memberships, length: int, observed: Moment
) -> ResponseOutcomes:
    """See who was subscribed when answering, and no more at the end of the horizon."""
    customer, others = same_customers(answers.customer, members.customer)
    ends = event_index(others, members.end)
    if members.start is None:
        rows = np.bincount(others, minlength=int(customer.max(initial=-1)) + 1)[customer]

        def here(instant: Integers) -> Booleans:
            staying: Booleans = (rows == 0) | (ends.count(customer, instant) < rows)
            return staying
    else:
        starts = event_index(others, members.start)

        def here(instant: Integers) -> Booleans:
            # Every row ends after its start: those that have begun and not ended are running.
            running: Booleans = starts.count(customer, instant) > ends.count(customer, instant)
            return running

    at_first, at_last = here(answers.instant), here(answers.instant + length)
    still = answers.instant + length >= observed.instant
    return ResponseOutcomes(
        customer=customer,
        open=still,
        gone=~at_first,
        happened=at_first & ~at_last,
        amount=None,
        strangers=0 if members.only_leavers else _count_unmatched(customer, others, still),
    )


def _count_unmatched(customer: Integers, others: Integers, still: Booleans) -> int:
    """Count those whose horizon is over, if the other table has customers and none of these."""
    # Of a horizon that is still open not all events have been read.
    apart = len(others) > 0 and not np.isin(customer, others).any()
    return len(np.unique(customer[~still])) if apart else 0


def last_of_each(answers: Answers, fates: ResponseOutcomes, column: str) -> Booleans:
    """Mark the last answer of each customer in a segment of those that can count."""
    can = ~fates.open if fates.gone is None else ~fates.open & ~fates.gone
    place = np.flatnonzero(can)
    person = answers.segment[place] * (int(fates.customer.max(initial=0)) + 1)
    person += fates.customer[place]
    time = answers.instant[place]
    order = np.lexsort((-time, person))
    person, time = person[order], time[order]
    begins = np.append(True, person[1:] != person[:-1])[: len(place)]
    tied = begins[:-1] & ~begins[1:] & (time[1:] == time[:-1])
    if tied.any():
        who = answers.customer[place[order[1:][tied]].tolist()].to_list()
        raise ArgumentError(
            f"{count_noun(len(who), 'customer')} in column {column!r} (given as `customer`) gave "
            f"several answers at the last time, such as {format_examples(who)}; which of them "
            "counts cannot be told. Leave one in."
        )
    used = np.zeros(len(can), bool)
    used[place[order[begins]]] = True
    return used
