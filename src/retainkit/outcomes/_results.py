"""Outcomes of those who answered: events, amounts and churn within the horizon of each answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._inputs.same_customers import same_customers
from retainkit._messages import count_noun, format_examples, named
from retainkit._stats.event_index import event_index, first_or_last, range_sums
from retainkit._time.moment import Moment
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.outcomes._reading import DatedAnswers, Memberships, Outcomes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseOutcomes:
    """Outcomes after each answer: parallel arrays.

    `open` marks answers whose horizon is not over, `gone` those of customers who had left before
    (None: not applicable); `happened` and `amount` (None: not asked for) hold for the others.
    Customers are codes. Where the other table has customers, and none of those who answered,
    `n_unmatched` is the number of these whose horizon is over.
    """

    customer: Integers
    open: Booleans
    gone: Booleans | None
    happened: Booleans
    amount: Floats | None
    n_unmatched: int

    @property
    def left_before(self) -> Booleans:
        """Answers whose horizon is over, of customers who had left before."""
        return np.zeros(len(self.open), bool) if self.gone is None else self.gone & ~self.open

    @property
    def eligible(self) -> Booleans:
        """Answers that can count: the horizon is over, and the customer had not left before."""
        return ~self.open & ~self.left_before


def event_outcomes(
    answers: DatedAnswers, events: Outcomes, length: int, observed: Moment
) -> ResponseOutcomes:
    """Find who had an event within the horizon, and sum the amounts."""
    customer, others = same_customers(answers.customer, events.customer, "responses", "outcomes")
    index = event_index(others, events.instant)
    low = index.position(customer, answers.instant)
    high = index.position(customer, answers.instant + length)
    amount = None if events.amount is None else range_sums(events.amount[index.order], low, high)
    still_open = answers.instant + length >= observed.instant
    return ResponseOutcomes(
        customer=customer,
        open=still_open,
        gone=None,
        happened=high > low,
        amount=amount,
        n_unmatched=_count_unmatched(customer, others, still_open),
    )


def churn_outcomes(
    answers: DatedAnswers, members: Memberships, length: int, settled: int
) -> ResponseOutcomes:
    """Find who was subscribed when answering, and no longer at the end of the horizon.

    Ends before the instant `settled` are for good.
    """
    customer, others = same_customers(answers.customer, members.customer, "responses", "outcomes")
    ends = event_index(others, members.end)
    if members.start is None:
        rows = np.bincount(others, minlength=int(customer.max(initial=-1)) + 1)[customer]

        def subscribed(instant: Integers) -> Booleans:
            staying: Booleans = (rows == 0) | (ends.count(customer, instant) < rows)
            return staying
    else:
        starts = event_index(others, members.start)

        def subscribed(instant: Integers) -> Booleans:
            # Every row ends after its start: those that have begun and not ended are running.
            running: Booleans = starts.count(customer, instant) > ends.count(customer, instant)
            return running

    before, after = subscribed(answers.instant), subscribed(answers.instant + length)
    still_open = answers.instant + length >= settled
    return ResponseOutcomes(
        customer=customer,
        open=still_open,
        gone=~before,
        happened=before & ~after,
        amount=None,
        n_unmatched=0 if members.only_leavers else _count_unmatched(customer, others, still_open),
    )


def _count_unmatched(customer: Integers, others: Integers, still_open: Booleans) -> int:
    """Count those whose horizon is over, if the other table has customers and none of these."""
    # The events of a horizon that is still open have not all been read.
    disjoint = len(others) > 0 and not np.isin(customer, others).any()
    return len(np.unique(customer[~still_open])) if disjoint else 0


def last_answers(answers: DatedAnswers, outcomes: ResponseOutcomes, column: str) -> Booleans:
    """Mark the last eligible answer of each customer in a segment; raise if two are tied."""
    index = np.flatnonzero(outcomes.eligible)
    person = answers.segment[index] * (int(outcomes.customer.max(initial=0)) + 1)
    person += outcomes.customer[index]
    last, tied = first_or_last(person, answers.instant[index], last=True)
    if len(tied):
        who = answers.customer[index[tied].tolist()].to_list()
        raise ArgumentError(
            f"{count_noun(len(who), 'customer')} in {named(column, 'customer')} gave several "
            f"answers at the last time, such as {format_examples(who)}; which of them counts "
            "cannot be told. Leave one in.",
            code="same_time",
            argument="time",
            rows=len(who),
            total=len(np.unique(person)),
        )
    used = np.zeros(len(outcomes.open), bool)
    used[index[last]] = True
    return used
