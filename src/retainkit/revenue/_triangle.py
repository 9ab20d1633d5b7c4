"""Compute what the customers who start in a period pay at each age: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retainkit._time.segment_periods import MOST_CELLS, first_periods, segment_periods
from retainkit._typing import Array, Integers
from retainkit.errors import ArgumentError
from retainkit.revenue._changes import (
    AmountChanges,
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
    own period for the time before.
    """

    segment: Integers
    cohort: Integers
    age: Integers
    sums: Mapping[str, Array]


def revenue_triangle(changes: AmountChanges, last: int) -> RevenueTriangle:
    """Compute the sums of each cohort of each segment, from its first one to the period `last`.

    A customer who starts in several segments belongs to each, with that share of the money.
    """
    changes = changes.by_time()
    totals, total = customer_totals(changes)
    starts = changes.take(totals.first[total])
    whole = totals.after[total[totals.first[total]]]
    cohorts = segment_periods(first_periods(starts.segment, starts.time, last), last)
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
    row = np.repeat(np.arange(shape[0]), lengths)
    age = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    own = np.cumsum(group_starts(starts.customer)) - 1
    entry, at = repeat_for_owner(own, np.bincount(np.cumsum(totals.first) - 1))
    base, rest = starts.after[entry], whole[entry]
    cohort = cohorts.row(starts.segment, starts.time)[entry]
    place = cohort * shape[1] + totals.time[at] - starts.time[entry]
    then, now = (_values(one[at], base, rest) for one in (totals.before, totals.after))
    sums: dict[str, Array] = {}
    for name, values in now.items():
        # Before the first time there is nothing, not even a customer who pays nothing.
        change = values - np.where(totals.first[at], 0, then[name])
        table = np.zeros(shape[0] * shape[1], values.dtype)
        np.add.at(table, place, change)
        sums[name] = np.cumsum(table.reshape(shape), axis=1)[row, age]
    return RevenueTriangle(
        segment=cohorts.segment[row], cohort=cohorts.period[row], age=age, sums=sums
    )


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
