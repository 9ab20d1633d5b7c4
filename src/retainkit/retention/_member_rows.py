"""Rows of the members of cohorts: by a lazy plan in the engine, or on arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort
from retainkit._frames.groupby import sort_order
from retainkit._frames.input import collect
from retainkit._frames.join import table_in_engine
from retainkit._frames.segments import segment_values
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows
from retainkit._typing import Array, Booleans, Integers
from retainkit.retention import _eager, _lazy
from retainkit.retention._spec import CohortSpec
from retainkit.retention._triangle import RetentionTriangle

_ENTRY = ["customer", "cohort_number"]
_EDGES = {"on_or_after", "on_or_before"}


def cell_columns(spec: CohortSpec, cells: RetentionTriangle) -> dict[str, Array]:
    """Return the cells of each cohort, whatever the segment, by cohort and age."""
    pairs = np.stack([cells.cohort, cells.age])
    first = np.unique(pairs, axis=1, return_index=True)[1]
    number, age, end = cells.cohort[first], cells.age[first], cells.age_end[first]
    day = spec.cohort_period.first_day(number).astype("datetime64[D]")
    place = age if spec.brackets is None else np.searchsorted(spec.brackets, age)
    return {"cohort_number": number, "cohort": day, "cell": place, "age": age, "age_end": end}


# In the engine


def lazy_rows(log: Events, spec: CohortSpec, cells: Mapping[str, Array]) -> Rows:
    """Return a row for each entry and cell that is over for it, with ``retained``."""
    entries, active = (
        rows.rename({"cohort": "cohort_number"}) for rows in _lazy.member_cells(log, spec)
    )
    shown = table_in_engine(log.rows, cells).lazy()
    entries = entries.select(*_ENTRY, *log.keys, "over")
    rows = entries.join(shown, on="cohort_number").filter(nw.col("age_end") <= nw.col("over"))
    cell = nw.col("cell")
    if spec.counting in _EDGES:
        # Only the last (the first) active cell of an entry has the mark.
        marked = active.filter(nw.col("mark") == 1)
        rows = rows.join(marked.select(*_ENTRY, edge=cell), on=_ENTRY, how="left")
        edge = nw.col("edge")
        retained = edge >= cell if spec.counting == "on_or_after" else edge <= cell
    else:
        # Older versions of Polars join no integers of two widths.
        found = active.select(*_ENTRY, cell=cell.cast(nw.Int64), found=nw.lit(1))
        rows = rows.join(found, on=[*_ENTRY, "cell"], how="left")
        retained = nw.col("found") == 1
    # A comparison with null is null in one engine and false in another.
    number = nw.when(retained).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(number=number).with_columns(retained=nw.col("number") == 1)
    return rows.with_columns(nw.col("cohort").cast(nw.Date))


# In memory


def rows_in_memory(log: Events, spec: CohortSpec, cells: Mapping[str, Array]) -> dict[str, Any]:
    """Return the columns of the same rows, by segment, cohort, customer and age."""
    found = _eager.member_cells(log, spec)
    cohorts, first = np.unique(cells["cohort_number"], return_index=True)
    entry = np.flatnonzero(np.isin(found.cohort, cohorts))
    cohort = np.searchsorted(cohorts, found.cohort[entry])
    n_over = _count_over(cohort, found.over[entry], cells) - first[cohort]
    entry, cohort, n_over = (one[n_over > 0] for one in (entry, cohort, n_over))

    customer = collect(log.rows)["customer"]
    rank = np.empty(len(entry), np.int64)
    rank[argsort(customer[found.row[entry]])] = np.arange(len(entry))
    order = sort_order(found.segment[entry], cohort, rank)
    entry, cohort, n_over = (one[order] for one in (entry, cohort, n_over))
    of_entry = np.repeat(entry, n_over)
    before = np.cumsum(n_over) - n_over
    cell = np.arange(len(of_entry)) + np.repeat(first[cohort] - before, n_over)

    columns: dict[str, Any] = {"customer": customer[found.row[of_entry]]}
    columns |= segment_values(found.segments, log.keys, found.segment[of_entry])
    columns |= {name: cells[name][cell] for name in ("cohort", "age", "age_end")}
    return columns | {"retained": _are_retained(found, of_entry, cells["cell"][cell], spec)}


def _count_over(cohort: Integers, over: Integers, cells: Mapping[str, Array]) -> Integers:
    """Count the cells of all cohorts up to the last one that is over for each entry."""
    end = cells["age_end"]
    width = int(end.max(initial=0)) + 1
    # Cells are in the order of their cohorts, and of their ends.
    number = np.unique(cells["cohort_number"], return_inverse=True)[1]
    key = cohort * width + np.clip(over, 0, width - 1)
    return np.searchsorted(number * width + end, key, side="right")


def _are_retained(
    found: _eager.MemberCells, entry: Integers, cell: Integers, spec: CohortSpec
) -> Booleans:
    """Return whether each entry is retained in a cell."""
    if spec.counting not in _EDGES:
        return np.isin(entry * found.n_cells + cell, found.active)
    # Only the last (the first) active cell of an entry is there.
    after = spec.counting == "on_or_after"
    edge = np.full(len(found.row), -1 if after else found.n_cells)
    at = found.active // found.n_cells
    edge[at] = found.active - at * found.n_cells
    return edge[entry] >= cell if after else edge[entry] <= cell
