"""Reduction of purchases by narwhals expressions that run inside a lazy engine.

They define the reduction. They keep to the operations that all engines compute alike: plain
aggregates of plain columns, integer arithmetic, conditions in columns of their own.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect
from retainkit._frames.join import join_in_order
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._inputs.refunds import is_purchase
from retainkit._time.zones import instant_expr
from retainkit.purchases._carried import FIRST_AMOUNT, carried_in_engine, outer_names
from retainkit.purchases._spec import PurchaseSpec, PurchaseSummary


def reduce(log: Events, spec: PurchaseSpec) -> PurchaseSummary:
    """Summarize the purchases of each customer."""
    check_one_segment(log)
    rows = _rows_with_periods(log, spec)
    customers = _count_purchases(_purchases(rows, log, spec), log, spec)
    excluded = _count_excluded(customers, spec)
    if spec.net_refunds or spec.holdout:
        customers = customers.filter(nw.col("bought") > 0)
    firsts = customers.select("customer", "first")
    carried = carried_in_engine(spec.carried, rows.filter(nw.col("side") == 0), firsts)
    if carried is not None:
        customers = join_in_order(customers, carried, ["customer"])
    return PurchaseSummary(
        rows=_summary_columns(customers, log, spec),
        n_customers=excluded.get("customers"),
        n_first_in_holdout=excluded.get("in_holdout", 0),
        n_without_purchase=excluded.get("without", 0),
    )


def _rows_with_periods(log: Events, spec: PurchaseSpec) -> Rows:
    """Return the rows with their side of the end and their period."""
    wall = wall_time("time", log, log.last_event or spec.end, spec.merge_period.clock(log.zone))
    rows: Rows = log.rows.lazy().with_columns(wall=wall, side=_holdout_flag(spec))
    return rows.with_columns(period=spec.merge_period.number_expr(nw.col("wall")))


def _purchases(rows: Rows, log: Events, spec: PurchaseSpec) -> Rows:
    """Group the rows of each customer by side of the end and by period.

    `is_bought` and `is_held` are 1 where they are a purchase, before the end or from it on.
    """
    values = {"rows": nw.len()}
    if "amount" in log.columns:
        rows = rows.with_columns(absolute=nw.col("amount").abs())
        values |= {name: nw.col(name).sum() for name in ("amount", "absolute")}
    merged = rows.group_by(*log.keys, "customer", "side", "period").agg(**values)
    counts = nw.lit(1)
    if spec.net_refunds:
        counts = _one_if(is_purchase(nw.col("amount"), nw.col("absolute")))
    merged = merged.with_columns(counts=counts)
    if spec.net_refunds:
        below = nw.col("amount") < 0
        merged = merged.with_columns(amount=nw.when(below).then(0.0).otherwise(nw.col("amount")))
    return merged.with_columns(
        is_bought=nw.col("counts") * (1 - nw.col("side")), is_held=nw.col("counts") * nw.col("side")
    )


def _holdout_flag(spec: PurchaseSpec) -> nw.Expr:
    """Return 1 for the rows of the holdout, and 0 for those before it."""
    if not spec.holdout:
        return nw.lit(0)
    return _one_if(nw.col("time") >= instant_expr(spec.end.instant))


def _count_purchases(purchases: Rows, log: Events, spec: PurchaseSpec) -> Rows:
    """Count the purchases and add up the money of each customer on both sides of the end."""
    bought, held = nw.col("is_bought") == 1, nw.col("is_held") == 1
    rows = purchases.with_columns(bought_in=nw.when(bought).then(nw.col("period")))
    values = {
        "first": nw.col("bought_in").min(),
        "last": nw.col("bought_in").max(),
        "bought": nw.col("is_bought").sum(),
        "held": nw.col("is_held").sum(),
    }
    if "amount" in log.columns:
        if not spec.include_first:
            rows = rows.with_columns(first_in=nw.col("bought_in").min().over("customer"))
            bought &= nw.col("period") > nw.col("first_in")
        amount = nw.col("amount")
        rows = rows.with_columns(
            money=nw.when(bought).then(amount).otherwise(0.0),
            money_held=nw.when(held).then(amount).otherwise(0.0),
        )
        values |= {name: nw.col(name).sum() for name in ("money", "money_held")}
    if spec.carried.first_amount:
        rows = rows.with_columns(since=nw.col("bought_in").min().over("customer"))
        first = (nw.col("is_bought") == 1) & (nw.col("period") == nw.col("since"))
        rows = rows.with_columns(paid=nw.when(first).then(nw.col("amount")).otherwise(0.0))
        values[FIRST_AMOUNT] = nw.col("paid").sum()
    return rows.group_by(*log.keys, "customer").agg(**values)


def _count_excluded(customers: Rows, spec: PurchaseSpec) -> dict[str, int]:
    """Count the customers, those with a first purchase in the holdout, and those without any.

    Where nobody can be left out, nothing is counted.
    """
    if not spec.net_refunds and not spec.holdout:
        return {}
    without, held = nw.col("bought") == 0, nw.col("held") > 0
    flags = customers.select(in_holdout=_one_if(without & held), without=_one_if(without & ~held))
    sums = nw.col("in_holdout", "without").sum()
    counts = collect(flags.select(sums, customers=nw.len()))
    return {name: int(counts.item(0, name) or 0) for name in counts.columns}


def _summary_columns(customers: Rows, log: Events, spec: PurchaseSpec) -> Rows:
    """Return the columns of the summary for each customer."""
    not_repeat = 0 if spec.include_first else 1
    customers = customers.with_columns(
        frequency=nw.col("bought").cast(nw.Int64) - not_repeat, held=nw.col("held").cast(nw.Int64)
    )
    columns = {
        "frequency": nw.col("frequency"),
        "recency": _in_units(nw.col("last") - nw.col("first"), spec),
        "T": _in_units(spec.last - nw.col("first"), spec),
    }
    if "amount" in log.columns:
        columns["monetary_value"] = _mean_amount("money", "frequency")
    if spec.duration is not None:
        columns["frequency_holdout"] = nw.col("held")
        if "amount" in log.columns:
            columns["monetary_value_holdout"] = _mean_amount("money_held", "held")
        dtype = nw.Float64 if isinstance(spec.duration, float) else nw.Int64
        columns["duration_holdout"] = nw.lit(spec.duration).cast(dtype)
    return customers.select(*log.keys, "customer", *outer_names(spec.carried), **columns)


def _in_units(periods: nw.Expr, spec: PurchaseSpec) -> nw.Expr:
    whole = periods.cast(nw.Int64)
    return whole if spec.length is None else whole.cast(nw.Float64) / spec.length


def _mean_amount(money: str, number: str) -> nw.Expr:
    mean = nw.col(money).cast(nw.Float64) / nw.col(number)
    # Infinite less infinite is NaN: written as a literal, narwhals 2.5 tells DuckDB null.
    infinite = nw.lit(float("inf"))
    return nw.when(nw.col(number) > 0).then(mean).otherwise(infinite - infinite)


def _one_if(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
