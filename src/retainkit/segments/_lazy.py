"""RFM measures by narwhals expressions that run inside a lazy engine. They define the reduction."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._time.grid import DAYS
from retainkit.segments._orders import rounded_expr
from retainkit.segments._spec import MEASURES, RfmMeasures, RfmSpec


def measure(log: Events, spec: RfmSpec) -> RfmMeasures:
    """Measure recency, frequency and money of each customer."""
    check_one_segment(log)
    customers = _customers(log, spec)
    if log.min_amount is None or log.min_amount >= 0:  # every row is one of an order
        return RfmMeasures(rows=_measures(customers, log), n_customers=None, n_without_order=0)
    without = nw.when(nw.col("frequency") == 0).then(nw.lit(1)).otherwise(nw.lit(0))
    flags = customers.select(without=without)
    counts = collect(flags.select(nw.col("without").sum(), customers=nw.len()))
    return RfmMeasures(
        rows=_measures(customers.filter(nw.col("frequency") > 0), log),
        n_customers=int(counts.item(0, "customers")),
        n_without_order=int(counts.item(0, "without") or 0),
    )


def _customers(log: Events, spec: RfmSpec) -> Rows:
    """Count the orders of each customer, find the day of the last, and add up the money."""
    wall = wall_time("time", log, log.last_event or spec.end, log.zone)
    is_order = nw.when(nw.col("amount") >= 0).then(nw.lit(1)).otherwise(nw.lit(0))
    rows: Rows = log.rows.lazy().with_columns(wall=wall, orders=is_order)
    rows = rows.with_columns(day=DAYS.number_expr(nw.col("wall")))
    # A refund is in every sum, and it is no order and no day.
    rows = rows.with_columns(last=nw.when(nw.col("orders") == 1).then(nw.col("day")))
    unit = "order" if "order" in log.columns else "day"
    orders = rows.group_by(*log.keys, "customer", unit).agg(
        nw.col("orders", "last").max(), nw.col("amount").sum()
    )
    customers = orders.group_by(*log.keys, "customer").agg(
        nw.col("last").max(), nw.col("amount").sum(), frequency=nw.col("orders").sum()
    )
    return customers.with_columns(
        recency_days=(spec.day - nw.col("last")).cast(nw.Int64),
        frequency=nw.col("frequency").cast(nw.Int64),
        monetary=rounded_expr(nw.col("amount")),
    )


def _measures(customers: Rows, log: Events) -> Rows:
    return customers.select(*log.keys, "customer", *MEASURES)
