"""Reduction of the days of purchase by narwhals expressions that run inside a lazy engine.

The median of the gaps of a customer is that in the middle of its own, by row numbers: exact, the
same in every engine, and in DuckDB not bound to memory, as its own median is.
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
    days = _with_middle_gaps(_purchase_days(log, spec, keys))
    values = {
        "purchases": nw.len(),
        "first": nw.col("date").min(),
        "last": nw.col("date").max(),
        "middle": nw.col("middle").sum(),
        "middles": nw.col("middle").count(),
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


def _with_middle_gaps(days: Rows) -> Rows:
    """Add ``middle``: the one or two gaps of each customer that lie in the middle, else null."""
    days = days.with_columns(day=DAYS.number_expr(nw.col("date")).cast(nw.Int32))
    before, gap = nw.col("day").shift(1).over("customer", order_by="day"), nw.col("gap")
    days = days.with_columns(before=before).with_columns(gap=nw.col("day") - nw.col("before"))
    days = days.with_columns(
        number=gap.rank("ordinal").over("customer"), gaps=gap.count().over("customer")
    )
    twice, gaps = nw.col("number").cast(nw.Int64) * 2, nw.col("gaps").cast(nw.Int64)
    return days.with_columns(middle=nw.when((twice >= gaps) & (twice <= gaps + 2)).then(gap))


def _with_openings(days: Rows, spec: DaySpec) -> Rows:
    """Add whether a day is the first one of the customer in its period."""
    days = days.with_columns(period=spec.period.number_expr(nw.col("date")))
    opens = nw.col("day") == nw.col("day").min().over("customer", "period")
    return days.with_columns(opens=nw.when(opens).then(nw.lit(1)).otherwise(nw.lit(0)))


def _columns(found: Rows, spec: DaySpec) -> Rows:
    """Return the columns of the result for each customer."""
    begin, period = (spec.period.number_expr(nw.col(name)) for name in ("first", "last"))
    opened = nw.col("purchases" if spec.period == DAYS else "opened")
    enough = nw.col("purchases") > spec.min_gaps
    # Spark does not divide by 0.
    typical = nw.col("middle").cast(nw.Float64) / nw.when(enough).then(nw.col("middles"))
    return found.with_columns(
        purchases=nw.col("purchases").cast(nw.Int64),
        recency_days=spec.day - DAYS.number_expr(nw.col("last")),
        typical_gap=typical,
        frequency=opened.cast(nw.Int64) - 1,
        recency=_in_units(period - begin, spec),
        T=_in_units(spec.last - begin, spec),
    )


def _in_units(periods: nw.Expr, spec: DaySpec) -> nw.Expr:
    whole = periods.cast(nw.Float64)
    return whole if spec.length is None else whole / spec.length
