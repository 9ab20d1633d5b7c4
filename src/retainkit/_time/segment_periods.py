"""The periods of each segment, one after another: the rows of tables by segment and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from retainkit._time.grid import PeriodGrid
from retainkit._typing import Integers

MOST_CELLS = 20_000_000
"""Rows or cells that a result may have: more are due to a stray date."""

Numbers = TypeVar("Numbers", bound="NDArray[np.generic]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPeriods:
    """Every period of each segment, from its first one to the last of all, in a row each.

    `begin` is the row with which each segment begins, and ``offset + period`` the row of a period.
    """

    segment: Integers
    period: Integers
    begin: Integers
    offset: Integers

    def row(self, segment: Integers, period: Integers) -> Integers:
        """Return the row of each segment and period."""
        rows: Integers = self.offset[segment] + period
        return rows

    def sums(self, row: Integers, values: Integers) -> Integers:
        """Sum of whole numbers in each row."""
        return np.bincount(row, values, len(self.segment)).astype(np.int64)

    def previous(self, values: Numbers) -> Numbers:
        """Return the value of the period before: 0 for the first period of a segment."""
        previous: Numbers = np.roll(values, 1)
        previous[self.begin[self.segment]] = 0
        return previous


def first_periods(segment: Integers, period: Integers, last: int) -> Integers:
    """Return the earliest period of each segment; ``last + 1`` where there is none up to `last`."""
    first = np.full(int(segment.max(initial=-1)) + 1, last + 1)
    np.minimum.at(first, segment, period)
    return first


def starts_of_segments(
    segment: Integers, begin: Integers, period: PeriodGrid, last: int
) -> Integers:
    """Return the period of the first of the wall times in each segment, as `first_periods` does."""
    earliest = np.full(int(segment.max(initial=-1)) + 1, begin.max(initial=0))
    np.minimum.at(earliest, segment, begin)
    occurs = np.zeros(len(earliest), bool)
    occurs[segment] = True
    return np.where(occurs, np.minimum(period.number(earliest), last + 1), last + 1)


def segment_periods(first: Integers, last: int) -> SegmentPeriods:
    """Return the rows of segments by the first period of each; one that begins later has none."""
    lengths = np.maximum(last + 1 - first, 0)
    begin = np.cumsum(lengths) - lengths
    offset = begin - first
    segment = np.repeat(np.arange(len(first)), lengths)
    period = np.arange(len(segment)) - offset[segment]
    return SegmentPeriods(segment=segment, period=period, begin=begin, offset=offset)
