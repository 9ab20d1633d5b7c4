"""Events of customers, sorted by time: counts before a time by binary search, first and last event.

Arrays in, arrays out. Customers are codes from 0 on, times are instants in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventIndex:
    """Events sorted by customer and time, which one number encodes for each.

    `order` sorts what was given: in any array that is parallel to the events, the element of the
    event at position i is that at `order[i]`.
    """

    times: Integers
    keys: Integers
    order: Integers

    def position(self, customer: Integers, instant: Integers) -> Integers:
        """Count the events of lesser customers, and those of this one up to and at the instant."""
        key = customer * (len(self.times) + 1) + np.searchsorted(self.times, instant, side="right")
        found: Integers = np.searchsorted(self.keys, key, side="left")
        return found

    def count(self, customer: Integers, instant: Integers) -> Integers:
        """Count the events of each customer up to and at the instant."""
        begin = np.searchsorted(self.keys, customer * (len(self.times) + 1), side="left")
        return self.position(customer, instant) - begin


def event_index(customer: Integers, instant: Integers) -> EventIndex:
    """Sort events by customer and time."""
    times, index = np.unique(instant, return_inverse=True)
    keys = customer * (len(times) + 1) + index
    order = np.argsort(keys, kind="stable")
    return EventIndex(times=times, keys=keys[order], order=order)


def range_sums(values: Floats, low: Integers, high: Integers) -> Floats:
    """Sum values[low:high] for each pair of bounds; ranges may overlap and come in any order."""
    order = np.lexsort((high, low))
    # `reduceat` sums between all neighbouring bounds; every other sum is one between two ranges.
    bounds = np.column_stack([low[order], high[order]]).ravel()
    sums = np.zeros(len(low))
    sums[order] = np.add.reduceat(np.append(values, 0.0), bounds)[::2] if len(low) else 0.0
    return np.where(high > low, sums, 0.0)


def first_or_last(
    customer: Integers, instant: Integers, *, last: bool
) -> tuple[Integers, Integers]:
    """Find the first or the last event of each customer, and the events at the same time as it."""
    order = np.lexsort((-instant if last else instant, customer))
    customer, instant = customer[order], instant[order]
    begins = np.append(True, customer[1:] != customer[:-1])[: len(order)]
    tied = ~begins[1:] & begins[:-1] & (instant[1:] == instant[:-1])
    return order[begins], order[1:][tied]
