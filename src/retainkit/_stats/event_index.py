"""What customers did when, to be asked how often they had done it by then. Arrays in and out.

Customers are codes from 0 on, times instants in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventIndex:
    """Events of all customers by customer and time, as one number each.

    `order` sorts what was given: element i of anything that goes with the events belongs to the
    event at place `order[i]`.
    """

    times: Integers
    keys: Integers
    order: Integers

    def place(self, customer: Integers, instant: Integers) -> Integers:
        """Count the events of lesser customers, and those of this one up to the instant itself."""
        key = customer * (len(self.times) + 1) + np.searchsorted(self.times, instant, side="right")
        found: Integers = np.searchsorted(self.keys, key, side="left")
        return found

    def count(self, customer: Integers, instant: Integers) -> Integers:
        """Count the events of each customer up to the instant itself."""
        begin = np.searchsorted(self.keys, customer * (len(self.times) + 1), side="left")
        return self.place(customer, instant) - begin


def event_index(customer: Integers, instant: Integers) -> EventIndex:
    """Sort events by customer and time."""
    times, index = np.unique(instant, return_inverse=True)
    keys = customer * (len(times) + 1) + index
    order = np.argsort(keys, kind="stable")
    return EventIndex(times=times, keys=keys[order], order=order)


def range_sums(values: Floats, low: Integers, high: Integers) -> Floats:
    """Add up values[low:high] for each pair; ranges may overlap and come in any order."""
    order = np.lexsort((high, low))
    # Pairs of places: every other sum is one between two ranges, which nobody asked for.
    bounds = np.column_stack([low[order], high[order]]).ravel()
    sums = np.zeros(len(low))
    sums[order] = np.add.reduceat(np.append(values, 0.0), bounds)[::2] if len(low) else 0.0
    return np.where(high > low, sums, 0.0)
