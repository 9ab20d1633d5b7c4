"""Counts of purchases by unit of time, and the last gaps of customers, reduced in the engine.

The same expressions serve frames in memory and lazy engines. They keep to the operations that all
engines compute alike, and bring back tables that grow with the days of a log, or the lengths of
gaps, not with customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import wall_time
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit._time.zones import instant_expr
from retainkit._typing import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitCounts:
    """The number of customers with a first purchase in each `unit`, and with a repeat purchase.

    Units without purchases have no element. `spent` is the money of the repeat purchases, where
    there are amounts. `n_later` counts the customers left out because they first bought at the end
    of calibration or after it.
    """

    unit: Integers
    first: Integers
    again: Integers
    spent: Floats | None
    n_later: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """The last gap of each customer and the one before it, in units: distinct pairs and counts.

    `n_customers` counts all customers, `n_purchases` their units with a purchase, `n_rows` the
    rows.
    """

    last: Floats
    before: Floats
    count: Floats
    n_customers: int
    n_purchases: int
    n_rows: int


def counts_by_unit(log: Events, unit: PeriodGrid, until: Moment | None = None) -> UnitCounts:
    """Count first and repeat purchases by unit, of customers who first bought before `until`."""
    rows, n_later = log.rows, 0
    if until is not None:
        starts = rows.group_by("customer").agg(start=nw.col("time").min())
        early = nw.col("start") < instant_expr(until.instant)
        known = starts.filter(early).select("customer")
        n_later = count_rows(starts) - count_rows(known)
        rows = _join(rows, known) if n_later else rows
    paid = "amount" in log.columns
    purchases = _paid_units(rows, log, unit) if paid else _purchase_units(rows, log, unit)
    firsts = purchases.group_by("customer").agg(unit=nw.col("unit").min())
    units, number = _count_by_unit(purchases)
    first_units, first_number = _count_by_unit(firsts)
    first = np.zeros(len(units), np.int64)
    first[np.searchsorted(units, first_units)] = first_number
    return UnitCounts(
        unit=units,
        first=first,
        again=number - first,
        spent=_repeat_spend(purchases, units) if paid else None,
        n_later=n_later,
    )


def _paid_units(rows: Frame, log: Events, unit: PeriodGrid) -> Frame:
    """Return one row for each customer and unit with a purchase, and its money."""
    rows = _with_units(rows.select("customer", "amount", wall=_wall(log, unit)), unit)
    return rows.group_by("customer", "unit").agg(amount=nw.col("amount").sum())


def _repeat_spend(purchases: Frame, units: Integers) -> Floats:
    """Add up the money of the repeat purchases in each of the units."""
    rows = purchases.with_columns(opens=nw.col("unit").min().over("customer"))
    rows = rows.filter(nw.col("unit") > nw.col("opens"))
    found = collect(rows.group_by("unit").agg(amount=nw.col("amount").sum()))
    spent = np.zeros(len(units))
    place = np.searchsorted(units, found["unit"].to_numpy().astype(np.int64))
    spent[place] = found["amount"].to_numpy().astype(np.float64)
    return spent


def last_gaps(log: Events, unit: PeriodGrid, min_purchases: int) -> Gaps:
    """Return the last two gaps of all customers with so many purchases."""
    purchases = _purchase_units(log.rows, log, unit)
    sizes = purchases.group_by("customer").agg(size=nw.len(), third=nw.col("unit").max())
    sizes = sizes.with_columns(size=nw.col("size").cast(nw.Int64))
    totals = collect(sizes.select(customers=nw.len(), purchases=nw.col("size").sum()))
    kept = sizes.filter(nw.col("size") >= min_purchases).select("customer", "third")
    kept = _add_previous(purchases, kept, ["third"], "second")
    kept = _add_previous(purchases, kept, ["second", "third"], "first")
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
        n_customers=int(totals.item(0, "customers")),
        n_purchases=int(totals.item(0, "purchases") or 0),
        n_rows=log.n_rows,
    )


def _purchase_units(rows: Frame, log: Events, unit: PeriodGrid) -> Frame:
    """Return one row for each customer and unit with a purchase."""
    rows = _with_units(rows.select("customer", wall=_wall(log, unit)), unit)
    return rows.select("customer", "unit").unique(subset=["customer", "unit"])


def _wall(log: Events, unit: PeriodGrid) -> nw.Expr:
    """Return the times of purchases on the clock by which units are numbered."""
    last = log.last_event or log.end_of_observation(None)
    return wall_time("time", log, last, unit.clock(log.zone))


def _with_units(rows: Frame, unit: PeriodGrid) -> Frame:
    """Add the number of the unit that holds each wall time."""
    return rows.with_columns(unit=unit.number_expr(nw.col("wall")))


def _add_previous(purchases: Frame, customers: Frame, known: list[str], name: str) -> Frame:
    """Add the last unit of each customer before the first of the `known` ones."""
    earlier = _join(purchases, customers).filter(nw.col("unit") < nw.col(known[0]))
    values = {one: nw.col(one).max() for one in known}
    return earlier.group_by("customer").agg(**{name: nw.col("unit").max()}, **values)


def _join(rows: Frame, others: Frame) -> Frame:
    joined: Frame = rows.join(others, on="customer")  # type: ignore[arg-type]  # alike
    return joined


def _count_by_unit(rows: Any) -> tuple[Integers, Integers]:
    """Count rows by unit, ascending."""
    found = collect(rows.group_by("unit").agg(rows=nw.len()))
    unit, number = (found[name].to_numpy().astype(np.int64) for name in ("unit", "rows"))
    order = np.argsort(unit)
    return unit[order], number[order]
