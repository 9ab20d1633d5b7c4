"""Compute what the customers who start in a period pay at each age: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from retainkit._time.segment_periods import (
    MOST_CELLS,
    SegmentPeriods,
    first_periods,
    segment_periods,
)
from retainkit._typing import Array, Integers
from retainkit.errors import ArgumentError
from retainkit.revenue._changes import (
    AmountChanges,
    add_up,
    customer_totals,
    group_starts,
    repeat_for_owner,
    share,
    variance_terms,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueTriangle:
    """The cells of a triangle: parallel arrays, ordered by segment, cohort and age.

    Cohorts are numbers of periods. `sums` are those of `_lookback`, with the end of the cohort's
    own period for the time before. There are `n_customers` in all of them.
    """

    segment: Integers
    cohort: Integers
    age: Integers
    sums: Mapping[str, Array]
    n_customers: int


def revenue_triangle(
    parts: Iterable[AmountChanges], starts: Integers, last: int
) -> RevenueTriangle:
    """Compute the sums of each cohort of each segment, from its first one to the period `last`.

    `parts` are the changes of some customers each, and `starts` the first periods of the segments.
    A customer who starts in several segments belongs to each, with that share of the money.
    """
    cohorts = segment_periods(starts, last)
    lengths = last + 1 - cohorts.period
    shape = len(lengths), int(lengths.max(initial=0))
    if shape[0] * shape[1] > MOST_CELLS:
        raise ArgumentError(
            f"the result would have {shape[0]:,} cohorts of up to {shape[1]:,} ages. If there is a "
            "stray date, leave it out, or set `as_of`; else choose longer periods.",
            code="too_many_rows",
            argument="start",
            rows=shape[0] * shape[1],
        )
    sums = add_up(_part_sums(changes.by_time(), cohorts, shape) for changes in parts)
    n_customers = int(sums.pop("n_customers")[0])
    found = {name: np.cumsum(table.reshape(shape), axis=1) for name, table in sums.items()}
    # A segment begins with the first cohort that has customers.
    full = np.flatnonzero(found["customers"][:, 0]) if shape[1] else np.zeros(0, np.int64)
    begin = first_periods(cohorts.segment[full], cohorts.period[full], last)
    begin = np.append(begin, np.full(len(starts) - len(begin), last + 1))
    used = np.flatnonzero(cohorts.period >= begin[cohorts.segment])
    row = np.repeat(used, lengths[used])
    age = np.arange(len(row)) - np.repeat(np.cumsum(lengths[used]) - lengths[used], lengths[used])
    return RevenueTriangle(
        segment=cohorts.segment[row],
        cohort=cohorts.period[row],
        age=age,
        sums={name: table[row, age] for name, table in found.items()},
        n_customers=n_customers,
    )


def _part_sums(
    changes: AmountChanges, cohorts: SegmentPeriods, shape: tuple[int, int]
) -> dict[str, Array]:
    """Sum up what changes from age to age in each cohort, of some of the customers."""
    totals, total = customer_totals(changes)
    starts = changes.take(totals.first[total])
    whole = totals.after[total[totals.first[total]]]
    own = np.cumsum(group_starts(starts.customer)) - 1
    entry, at = repeat_for_owner(own, np.bincount(np.cumsum(totals.first) - 1))
    base, rest = starts.after[entry], whole[entry]
    cohort = cohorts.row(starts.segment, starts.time)[entry]
    place = cohort * shape[1] + totals.time[at] - starts.time[entry]
    then, now = (_values(one[at], base, rest) for one in (totals.before, totals.after))
    sums: dict[str, Array] = {"n_customers": np.array([totals.first.sum()])}
    for name, values in now.items():
        # Before the first time there is nothing, not even a customer who pays nothing.
        change = values - np.where(totals.first[at], 0, then[name])
        sums[name] = np.zeros(shape[0] * shape[1], values.dtype)
        np.add.at(sums[name], place, change)
    return sums


def _values(money: Integers, base: Integers, whole: Integers) -> dict[str, Array]:
    """Return the values to sum up, of customers who pay `money` and paid `whole` at the start."""
    now, kept = share(money, base, whole), share(np.minimum(money, whole), base, whole)
    return {
        "customers": np.ones_like(base),
        "retained": (money > 0).astype(np.int64),
        "opening": base,
        "now": now,
        "kept": kept,
        **variance_terms(base, now, kept),
    }
