"""Reduction of the days of purchase by narwhals expressions that run inside a lazy engine.

The median of the gaps is the engine's: of whole numbers it is exact in each. DuckDB keeps for it,
in memory alone, up to some 200 bytes a customer; ranks of gaps would go to disk, and take longer.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._time.grid import DAYS
from retainkit.repurchase._spec import ROWS, DaySpec


def reduce(log: Events, spec: DaySpec) -> Frame:
    """Return a row for each customer, with the columns `ROWS`."""
    check_one_segment(log)
    keys = [*log.keys, "customer"]
    days = _with_gaps(_purchase_days(log, spec, keys))
    values = {
        "purchases": nw.len(),
        "first": nw.col("date").min(),
        "last": nw.col("date").max(),
        "typical": nw.col("gap").median(),
    }
    if spec.period != DAYS:
        days = _with_openings(days, spec)
        values["opened"] = nw.col("opens").sum()
    return _columns(days.group_by(keys).agg(**values), spec).select(*log.keys, *ROWS)


def _purchase_days(log: Events, spec: DaySpec, keys: list[str]) -> Rows:
    """Return one row for each customer and day with a purchase."""
    wall = wall_time("time", log, log.last_event or spec.end, log.zone)
    rows: Rows = log.rows.lazy().select(*keys, date=wall.cast(nw.Date))
    return rows.group_by(*keys, "date").agg(rows=nw.len())


def _with_gaps(days: Rows) -> Rows:
    """Add the days since the purchase before, null for the first one."""
    days = days.with_columns(day=DAYS.number_expr(nw.col("date")).cast(nw.Int32))
    before = nw.col("day").shift(1).over("customer", order_by="day")
    return days.with_columns(gap=nw.col("day") - before)


def _with_openings(days: Rows, spec: DaySpec) -> Rows:
    """Add whether a day is the first one of the customer in its period."""
    days = days.with_columns(period=spec.period.number_expr(nw.col("date")))
    opens = nw.col("day") == nw.col("day").min().over("customer", "period")
    return days.with_columns(opens=nw.when(opens).then(nw.lit(1)).otherwise(nw.lit(0)))


def _columns(found: Rows, spec: DaySpec) -> Rows:
    """Return the columns of the result for each customer."""
    begin, period = (spec.period.number_expr(nw.col(name)) for name in ("first", "last"))
    opened = nw.col("purchases" if spec.period == DAYS else "opened")
    return found.with_columns(
        purchases=nw.col("purchases").cast(nw.Int64),
        recency_days=spec.day - DAYS.number_expr(nw.col("last")),
        typical_gap=nw.when(nw.col("purchases") > spec.min_gaps).then(nw.col("typical")),
        frequency=opened.cast(nw.Int64) - 1,
        recency=_in_units(period - begin, spec),
        T=_in_units(spec.last - begin, spec),
    )


def _in_units(periods: nw.Expr, spec: DaySpec) -> nw.Expr:
    whole = periods.cast(nw.Float64)
    return whole if spec.length is None else whole / spec.length
