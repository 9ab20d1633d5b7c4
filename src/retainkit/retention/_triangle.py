"""From counts to the triangle of retention: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._time.elapsed import elapsed_time
from retainkit._time.moment import midnights
from retainkit._time.periods import first_day, period_index
from retainkit.errors import ArgumentError
from retainkit.retention._spec import ENTRIES

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.retention._spec import CohortCounts, CohortSpec


_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """The cells of a triangle: parallel arrays, ordered by segment, cohort and age.

    `cohort` is a date. `in_progress` marks a cell that has begun and is over for nobody.
    """

    segment: Integers
    cohort: NDArray[np.datetime64]
    age: Integers
    age_end: Integers
    customers: Integers
    eligible: Integers
    retained: Integers
    amount: Floats
    in_progress: Booleans

    def where(self, keep: Booleans) -> Triangle:
        """Take some of the cells."""
        return Triangle(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})


def triangle(tally: CohortCounts, query: CohortSpec, zone: tzinfo | None) -> Triangle:
    """Lay a tally out by cohort and age, as far as each cell has been observed or has begun.

    A cell that is over for somebody counts those for whom it is; one that has only begun counts
    those for whom it has.
    """
    edges = _edges(tally, query)
    segment, cohort, row = _grid(tally, query)
    shape = len(cohort), len(edges) - 1
    _check_size(shape, cohort, query)
    entry = tally.cell == ENTRIES
    until = {
        "over": np.searchsorted(edges[1:], tally.over, side="right"),
        "begun": np.searchsorted(edges[:-1], tally.begun, side="left"),
    }
    eligible, retained, amount = (
        {
            name: _spread(
                row[part], cell[part], end[part], values[part], shape=shape, counting=counting
            )
            for name, end in until.items()
        }
        for part, cell, values, counting in (
            (entry, np.full_like(tally.cell, shape[1]), tally.count, "on_or_after"),
            (~entry, tally.cell, tally.count, query.counting),
            (~entry, tally.cell, tally.amount, query.counting),
        )
    )
    customers = np.bincount(row[entry], tally.count[entry], minlength=shape[0])[:, np.newaxis]
    day = first_day(cohort, query.cohort_period, query.week_start)
    start = _earliest_start(day, query, zone)
    over, begun = (ages[:, np.newaxis] for ages in query.ages(start))
    # A cohort without customers is shown as far as it would be for somebody who started first.
    is_over = (eligible["over"] > 0) | (customers == 0) & (edges[1:] <= over)
    has_begun = (eligible["begun"] > 0) | (customers == 0) & (edges[:-1] < begun)
    seen_from = _seen_from(start, edges, query)
    is_over &= seen_from
    has_begun &= seen_from
    seen = {
        name: np.where(is_over, found["over"], found["begun"])
        for name, found in (("eligible", eligible), ("retained", retained), ("amount", amount))
    }
    lines, cells = np.nonzero(is_over | has_begun)
    return Triangle(
        segment=segment[lines],
        cohort=day[lines].astype("datetime64[D]"),
        age=edges[cells],
        age_end=edges[cells + 1],
        customers=customers[lines, 0].astype(np.int64),
        eligible=seen["eligible"][lines, cells].astype(np.int64),
        retained=seen["retained"][lines, cells].astype(np.int64),
        amount=seen["amount"][lines, cells].astype(np.float64),
        in_progress=~is_over[lines, cells],
    )


def _check_size(shape: tuple[int, int], cohort: Integers, query: CohortSpec) -> None:
    """Refuse what no memory holds, and what is mostly due to a stray date."""
    if shape[0] * shape[1] > _MOST_CELLS:
        first = first_day(cohort, query.cohort_period, query.week_start).min()
        raise ArgumentError(
            f"the result would have {shape[0]:,} cohorts of up to {shape[1]:,} ages, from "
            f"{first.astype('datetime64[D]')} to {query.as_of}. If there is a stray date, leave it "
            "out, or set `as_of`; else choose longer periods, or `brackets`."
        )


def _edges(tally: CohortCounts, query: CohortSpec) -> Integers:
    if query.brackets is not None:
        return np.array(query.brackets, np.int64)
    return np.arange(int(tally.begun.max(initial=0)) + 1)


def _grid(tally: CohortCounts, query: CohortSpec) -> tuple[Integers, Integers, Integers]:
    """Line up every cohort of each segment, from its first one to the end of observation.

    Gives the segment and the cohort of each line, and the line of each element of the tally.
    """
    last = query.as_of.index(query.cohort_period, query.week_start)
    last -= query.as_of.opens(query.cohort_period, query.week_start)
    segments, element = np.unique(tally.segment, return_inverse=True)
    first = np.full(len(segments), last + 1)
    np.minimum.at(first, element, tally.cohort)
    lengths = last + 1 - first
    begin = np.cumsum(lengths) - lengths
    segment = np.repeat(segments, lengths)
    cohort = np.arange(len(segment)) - np.repeat(begin - first, lengths)
    return segment, cohort, (begin - first)[element] + tally.cohort


def _spread(
    row: Integers,
    cell: Integers,
    end: Integers,
    values: Integers | Floats,
    *,
    shape: tuple[int, int],
    counting: str,
) -> Floats:
    """Add each value to the cells that it counts for, all of them before the cell `end`.

    On-or-after counts it in every cell up to `cell`, on-or-before in every cell from it on, both as
    running sums; otherwise in `cell` alone.
    """
    n_rows, n_cells = shape

    def table(at: Integers, counts: Booleans) -> Floats:
        size = n_rows * n_cells
        sums = np.bincount((row * n_cells + at)[counts], values[counts], size).astype(np.float64)
        return sums.reshape(shape)

    if counting == "on_or_after":
        return table(np.minimum(cell, end - 1), end > 0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    if counting == "on_or_before":
        ending = table(end, (cell < end) & (end < n_cells))
        return (table(cell, cell < end) - ending).cumsum(axis=1)
    return table(cell, cell < end)


def _earliest_start(day: Integers, query: CohortSpec, zone: tzinfo | None) -> Any:
    """Place a start at the first instant of each cohort, as `CohortQuery.ages` takes it."""
    if query.clock == "calendar":
        return period_index(day, query.period, query.week_start)
    return elapsed_time(*midnights(day, zone))


def _seen_from(start: Any, edges: Integers, query: CohortSpec) -> Booleans:
    """Tell which cells began when observation had begun, for all customers of a cohort.

    What counts what has happened up to an age needs all that lies before it, too.
    """
    cumulative = query.counting in {"on_or_before", "every"}
    first = np.full_like(edges[:-1], edges[0]) if cumulative else edges[:-1]
    return first >= np.reshape(query.ages_before(start), (-1, 1))
