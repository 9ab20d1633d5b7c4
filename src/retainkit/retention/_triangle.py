"""Compute the triangle of retention from counts of cohorts: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import Any

import numpy as np

from retainkit._time.elapsed import elapsed_time
from retainkit._time.moment import beginnings
from retainkit._time.segment_periods import (
    MOST_CELLS,
    SegmentPeriods,
    first_periods,
    segment_periods,
)
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.retention._spec import ENTRIES, CohortCounts, CohortSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTriangle:
    """The cells of a triangle: parallel arrays, ordered by segment, cohort and age.

    `cohort` is the number of a period. `in_progress` marks a cell that has
    begun and is over for nobody.
    """

    segment: Integers
    cohort: Integers
    age: Integers
    age_end: Integers
    customers: Integers
    eligible: Integers
    retained: Integers
    amount: Floats
    in_progress: Booleans

    def where(self, keep: Booleans) -> RetentionTriangle:
        """Return some of the cells."""
        return RetentionTriangle(
            **{field.name: getattr(self, field.name)[keep] for field in fields(self)}
        )


def retention_triangle(
    counts: CohortCounts, spec: CohortSpec, zone: tzinfo | None
) -> RetentionTriangle:
    """Arrange counts by cohort and age, as far as each cell has been observed or has begun.

    If a cell is over for any customer, only customers for whom it is over count in it; otherwise
    those for whom it has begun.
    """
    edges = _edges(counts, spec)
    cohorts = _cohorts(counts, spec)
    shape = len(cohorts.period), len(edges) - 1
    _check_triangle_size(shape, cohorts.period, spec)
    row = cohorts.row(counts.segment, counts.cohort)
    eligible, retained, amount = _cell_sums(counts, row, edges, shape, spec.counting)
    entry = counts.cell == ENTRIES
    customers = np.bincount(row[entry], counts.count[entry], minlength=shape[0])[:, np.newaxis]
    start = _earliest_start(cohorts.period, spec, zone)
    over, begun = (ages[:, np.newaxis] for ages in spec.ages(start))
    # A cohort without customers is shown as far as it would be for somebody who started first.
    observed = _observed_from_begin(start, edges, spec)
    is_over = observed & ((eligible["over"] > 0) | (customers == 0) & (edges[1:] <= over))
    has_begun = observed & ((eligible["begun"] > 0) | (customers == 0) & (edges[:-1] < begun))
    rows, cells = np.nonzero(is_over | has_begun)
    shown = [
        np.where(is_over, sums["over"], sums["begun"])[rows, cells]
        for sums in (eligible, retained, amount)
    ]
    return RetentionTriangle(
        segment=cohorts.segment[rows],
        cohort=cohorts.period[rows],
        age=edges[cells],
        age_end=edges[cells + 1],
        customers=customers[rows, 0].astype(np.int64),
        eligible=shown[0].astype(np.int64),
        retained=shown[1].astype(np.int64),
        amount=shown[2].astype(np.float64),
        in_progress=~is_over[rows, cells],
    )


def _check_triangle_size(shape: tuple[int, int], cohort: Integers, spec: CohortSpec) -> None:
    """Check that the triangle fits into memory; a stray date makes most of those that do not."""
    if shape[0] * shape[1] > MOST_CELLS:
        first = spec.cohort_period.label(cohort.min(keepdims=True))[0]
        raise ArgumentError(
            f"the result would have {shape[0]:,} cohorts of up to {shape[1]:,} ages, from "
            f"{first} to {spec.as_of}. If there is a stray date, leave it "
            "out, or set `as_of`; else choose longer periods, or `brackets`.",
            code="too_many_rows",
            argument="time",
            rows=shape[0] * shape[1],
        )


def _edges(counts: CohortCounts, spec: CohortSpec) -> Integers:
    """Return the first age of each cell, and the end of the last."""
    if spec.brackets is not None:
        return np.array(spec.brackets, np.int64)
    return np.arange(int(counts.begun.max(initial=0)) + 1)


def _cohorts(counts: CohortCounts, spec: CohortSpec) -> SegmentPeriods:
    """Return every cohort of each segment, from its first one to the end of observation."""
    last = spec.as_of.last_begun(spec.cohort_period)
    return segment_periods(first_periods(counts.segment, counts.cohort, last), last)


def _cell_sums(
    counts: CohortCounts, row: Integers, edges: Integers, shape: tuple[int, int], counting: str
) -> list[dict[str, Floats]]:
    """Sum of the eligible, the retained and their amounts, in cells that are over or have begun."""
    until = {
        "over": np.searchsorted(edges[1:], counts.over, side="right"),
        "begun": np.searchsorted(edges[:-1], counts.begun, side="left"),
    }
    entry = counts.cell == ENTRIES
    return [
        {
            name: _spread(row[part], cell[part], end[part], values[part], shape=shape, counting=how)
            for name, end in until.items()
        }
        for part, cell, values, how in (
            (entry, np.full_like(counts.cell, shape[1]), counts.count, "on_or_after"),
            (~entry, counts.cell, counts.count, counting),
            (~entry, counts.cell, counts.amount, counting),
        )
    ]


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


def _earliest_start(cohort: Integers, spec: CohortSpec, zone: tzinfo | None) -> Any:
    """Return a start at the first instant of each cohort, as `CohortSpec.ages` needs it."""
    if spec.clock == "elapsed":
        return elapsed_time(*beginnings(cohort, spec.cohort_period, zone))
    own_clock = spec.period.shift is not None or spec.cohort_period.shift is not None
    if own_clock:
        time = spec.period.on_clock(*beginnings(cohort, spec.cohort_period, zone))
    else:
        time = spec.cohort_period.begin(cohort)
    return np.maximum(spec.period.number(time), spec.period.bounds[0])


def _observed_from_begin(start: Any, edges: Integers, spec: CohortSpec) -> Booleans:
    """Mark the cells that began when observation had begun, for all customers of a cohort.

    Where activity at earlier ages counts too, all of them must have been observed.
    """
    cumulative = spec.counting in {"on_or_before", "every"}
    first = np.full_like(edges[:-1], edges[0]) if cumulative else edges[:-1]
    return first >= np.reshape(spec.ages_before(start), (-1, 1))
