"""When customers bought, as the distinct units of each: reduced inside the engine to counts.

One plan serves frames in memory and lazy engines. It keeps to what every engine computes alike,
and brings back tables that grow with the days of a log, or the lengths of gaps, not with customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._time.periods import DAY, period_index_expr
from retainkit._time.zones import instant_expr, wall_time_expr

if TYPE_CHECKING:
    from retainkit._frames.input import Frame
    from retainkit._inputs.events import Events
    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """How many customers first bought in each `unit`, and how many bought again in it.

    Units in which nobody did either have no element. `later` counts the customers left out because
    they first bought at the end of calibration or after it.
    """

    unit: Integers
    first: Integers
    again: Integers
    later: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """The last gap of each customer and the one before it, in units: distinct pairs and counts.

    `customers` counts all customers, `occasions` their units with a purchase, `rows` the rows.
    """

    last: Floats
    before: Floats
    count: Floats
    customers: int
    occasions: int
    rows: int


def counts_by_unit(
    log: Events, unit: Period, week_start: Weekday, until: Moment | None = None
) -> Counts:
    """Count first and repeat purchases by unit, of customers who first bought before `until`."""
    rows, later = log.rows, 0
    if until is not None:
        starts = rows.group_by("customer").agg(start=nw.col("time").min())
        early = nw.col("start") < instant_expr(until.instant, log.stored)
        known = starts.filter(early).select("customer")
        later = count_rows(starts) - count_rows(known)
        rows = _joined(rows, known) if later else rows
    occasions = _occasions(rows, log, unit, week_start)
    firsts = occasions.group_by("customer").agg(unit=nw.col("unit").min())
    began = _by_unit(firsts)
    bought = _by_unit(occasions)
    at = np.union1d(began[0], bought[0]).astype(np.int64)
    first, all_of = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    first[np.searchsorted(at, began[0])] = began[1]
    all_of[np.searchsorted(at, bought[0])] = bought[1]
    return Counts(unit=at, first=first, again=all_of - first, later=later)


def last_gaps(log: Events, unit: Period, week_start: Weekday, min_purchases: int) -> Gaps:
    """Give the last two gaps of all customers with so many purchases."""
    occasions = _occasions(log.rows, log, unit, week_start)
    sizes = occasions.group_by("customer").agg(size=nw.len(), third=nw.col("unit").max())
    sizes = sizes.with_columns(size=nw.col("size").cast(nw.Int64))
    totals = collect(sizes.select(customers=nw.len(), occasions=nw.col("size").sum()))
    kept = sizes.filter(nw.col("size") >= min_purchases).select("customer", "third")
    kept = _with_the_one_before(occasions, kept, ["third"], "second")
    kept = _with_the_one_before(occasions, kept, ["second", "third"], "first")
    gaps = kept.select(
        last=nw.col("third") - nw.col("second"), before=nw.col("second") - nw.col("first")
    )
    found = collect(gaps.group_by("last", "before").agg(count=nw.len()))
    last, before, count = (
        found[name].to_numpy().astype(np.float64) for name in ("last", "before", "count")
    )
    order = np.lexsort((before, last))
    return Gaps(
        last=last[order],
        before=before[order],
        count=count[order],
        customers=int(totals.item(0, "customers")),
        occasions=int(totals.item(0, "occasions") or 0),
        rows=log.size,
    )


def _occasions(rows: Frame, log: Events, unit: Period, week_start: Weekday) -> Frame:
    """One row for each customer and unit with a purchase."""
    times = [moment.instant for moment in (log.first, log.last) if moment is not None] or [0]
    # A day of margin: engines may report the first and last time an hour off.
    wall = wall_time_expr(
        nw.col("time"),
        stored=log.stored,
        zone=log.zone,
        first=min(times) - DAY,
        last=max(times) + DAY,
    )
    rows = rows.select("customer", wall=wall)
    rows = rows.select("customer", unit=period_index_expr(nw.col("wall"), unit, week_start))
    return rows.unique(subset=["customer", "unit"])


def _with_the_one_before(occasions: Frame, customers: Frame, known: list[str], name: str) -> Frame:
    """Add the last unit of each customer before the first of the `known` ones."""
    earlier = _joined(occasions, customers).filter(nw.col("unit") < nw.col(known[0]))
    values = {one: nw.col(one).max() for one in known}
    return earlier.group_by("customer").agg(**{name: nw.col("unit").max()}, **values)


def _joined(rows: Frame, others: Frame) -> Frame:
    joined: Frame = rows.join(others, on="customer")  # type: ignore[arg-type]  # alike
    return joined


def _by_unit(rows: Any) -> tuple[Integers, Integers]:
    """Count rows by unit, ascending."""
    found = collect(rows.group_by("unit").agg(rows=nw.len()))
    unit, number = (found[name].to_numpy().astype(np.int64) for name in ("unit", "rows"))
    order = np.argsort(unit)
    return unit[order], number[order]
