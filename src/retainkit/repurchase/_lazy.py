"""Reduction of the days of purchase by narwhals expressions that run inside a lazy engine.

The median of the gaps of a customer is that in the middle of its own, by row numbers: exact, and
the same in every engine.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._time.grid import DAYS
from retainkit.repurchase._spec import ROWS, DaySpec

_OF_PERIODS = {
    "begin": nw.col("period").min(),
    "period": nw.col("period").max(),
    "opened": nw.col("opens").sum(),
}


def reduce(log: Events, spec: DaySpec) -> Frame:
    """Return a row for each customer, with the columns `ROWS`."""
    check_one_segment(log)
    keys = [*log.keys, "customer"]
    days = _with_middle_gaps(_purchase_days(log, spec, keys))
    values = {
        "purchases": nw.len(),
        "day": nw.col("day").max(),
        "wall": nw.col("wall").max(),
        "middle": nw.col("middle").sum(),
        "middles": nw.col("middle").count(),
    }
    if spec.period == DAYS:
        found = days.group_by(keys).agg(**values, first=nw.col("day").min())
        found = found.with_columns(
            begin=nw.col("first"), period=nw.col("day"), opened=nw.col("purchases")
        )
    else:
        found = _with_periods(days, spec).group_by(keys).agg(**values, **_OF_PERIODS)
    return _columns(found, spec).select(*log.keys, *ROWS)


def _purchase_days(log: Events, spec: DaySpec, keys: list[str]) -> Rows:
    """Return one row for each customer and day with a purchase."""
    wall = wall_time("time", log, log.last_event or spec.end, log.zone)
    rows: Rows = log.rows.lazy().select(*keys, wall=wall)
    rows = rows.with_columns(day=DAYS.number_expr(nw.col("wall")))
    return rows.group_by(*keys, "day").agg(wall=nw.col("wall").max())


def _with_periods(days: Rows, spec: DaySpec) -> Rows:
    """Add the period of each day, and whether it is the first day of the customer in it."""
    days = days.with_columns(period=spec.period.number_expr(nw.col("wall")))
    opens = nw.col("day") == nw.col("day").min().over("customer", "period")
    return days.with_columns(opens=nw.when(opens).then(nw.lit(1)).otherwise(nw.lit(0)))


def _with_middle_gaps(days: Rows) -> Rows:
    """Add ``middle``: the one or two gaps of each customer that lie in the middle, else null."""
    before, gap = nw.col("day").shift(1).over("customer", order_by="day"), nw.col("gap")
    days = days.with_columns(before=before).with_columns(gap=nw.col("day") - nw.col("before"))
    days = days.with_columns(
        number=gap.rank("ordinal").over("customer"), gaps=gap.count().over("customer")
    )
    twice, gaps = nw.col("number").cast(nw.Int64) * 2, nw.col("gaps").cast(nw.Int64)
    return days.with_columns(middle=nw.when((twice >= gaps) & (twice <= gaps + 2)).then(gap))


def _columns(found: Rows, spec: DaySpec) -> Rows:
    """Return the columns of the result for each customer."""
    enough = nw.col("purchases") > spec.min_gaps
    # Spark does not divide by 0.
    typical = nw.col("middle").cast(nw.Float64) / nw.when(enough).then(nw.col("middles"))
    return found.with_columns(
        purchases=nw.col("purchases").cast(nw.Int64),
        last=nw.col("wall").cast(nw.Date),
        recency_days=(spec.day - nw.col("day")).cast(nw.Int64),
        typical_gap=typical,
        frequency=nw.col("opened").cast(nw.Int64) - 1,
        recency=_in_units(nw.col("period") - nw.col("begin"), spec),
        T=_in_units(spec.last - nw.col("begin"), spec),
    )


def _in_units(periods: nw.Expr, spec: DaySpec) -> nw.Expr:
    whole = periods.cast(nw.Float64)
    return whole if spec.length is None else whole / spec.length
