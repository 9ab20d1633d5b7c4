"""The reduction of purchases as a lazy plan: its answer is a lazy frame of the same engine.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, integer arithmetic, conditions in columns of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._frames.input import collect, count_rows
from retainkit._time.periods import DAY, period_index_expr
from retainkit._time.zones import instant_expr, wall_time_expr
from retainkit.purchases._spec import ROUNDING, PurchaseSummary, check_one_segment

if TYPE_CHECKING:
    from retainkit._inputs.events import Events
    from retainkit.purchases._spec import PurchaseSpec

    Rows: TypeAlias = nw.LazyFrame[Any]


def reduce(log: Events, query: PurchaseSpec) -> PurchaseSummary:
    """Summarise the purchases of each customer."""
    _check_constant(log)
    customers = _customers(_purchases(log, query), log, query)
    later, nothing = _excluded(customers, query)
    if query.net or query.holdout:
        customers = customers.filter(nw.col("bought") > 0)
    return PurchaseSummary(columns=_summary(customers, log, query), later=later, nothing=nothing)


def _check_constant(log: Events) -> None:
    if not log.by:
        return
    segments = log.rows.group_by("customer", *log.keys).agg(rows=nw.len())
    found = segments.group_by("customer").agg(segments=nw.len())
    several = found.filter(nw.col("segments") > 1)
    number = count_rows(several)
    if number:
        some = collect(several.sort("customer").head(3))["customer"].to_list()
        raise check_one_segment(log.by, number, some)


def _purchases(log: Events, query: PurchaseSpec) -> Rows:
    """One row for each customer, side of the end and period in which there were rows.

    `is_bought` and `is_held` are 1 where it is a purchase, before the end or from it on.
    """
    rows: Rows = log.rows  # type: ignore[assignment]  # only lazy ones come here
    rows = rows.with_columns(wall=_wall(log, query), side=_side(log, query))
    rows = rows.with_columns(
        period=period_index_expr(nw.col("wall"), query.merge, query.week_start)
    )
    values = {"rows": nw.len()}
    if "amount" in log.columns:
        rows = rows.with_columns(moved=nw.col("amount").abs())
        values |= {name: nw.col(name).sum() for name in ("amount", "moved")}
    merged = rows.group_by(*log.keys, "customer", "side", "period").agg(**values)
    counts = nw.lit(1)
    if query.net:
        counts = _one_if(nw.col("amount") >= nw.col("moved") * -ROUNDING)
    merged = merged.with_columns(counts=counts)
    if query.net:
        below = nw.col("amount") < 0
        merged = merged.with_columns(amount=nw.when(below).then(0.0).otherwise(nw.col("amount")))
    return merged.with_columns(
        is_bought=nw.col("counts") * (1 - nw.col("side")),
        is_held=nw.col("counts") * nw.col("side"),
    )


def _wall(log: Events, query: PurchaseSpec) -> nw.Expr:
    # A day of margin: engines may report the first and last time an hour off.
    first, last = log.first or query.end, log.last or query.end
    return wall_time_expr(
        nw.col("time"),
        stored=log.stored,
        zone=log.zone,
        first=first.instant - DAY,
        last=last.instant + DAY,
    )


def _side(log: Events, query: PurchaseSpec) -> nw.Expr:
    """Give 1 to the rows of the holdout, and 0 to those before it."""
    if not query.holdout:
        return nw.lit(0)
    return _one_if(nw.col("time") >= instant_expr(query.end.instant, log.stored))


def _customers(purchases: Rows, log: Events, query: PurchaseSpec) -> Rows:
    """One row a customer: purchases counted, first and last, money added up, on either side."""
    bought, held = nw.col("is_bought") == 1, nw.col("is_held") == 1
    rows = purchases.with_columns(bought_in=nw.when(bought).then(nw.col("period")))
    values = {
        "first": nw.col("bought_in").min(),
        "last": nw.col("bought_in").max(),
        "bought": nw.col("is_bought").sum(),
        "held": nw.col("is_held").sum(),
    }
    if "amount" in log.columns:
        if not query.include_first:
            rows = rows.with_columns(first_in=nw.col("bought_in").min().over("customer"))
            bought &= nw.col("period") > nw.col("first_in")
        amount = nw.col("amount")
        rows = rows.with_columns(
            money=nw.when(bought).then(amount).otherwise(0.0),
            money_held=nw.when(held).then(amount).otherwise(0.0),
        )
        values |= {name: nw.col(name).sum() for name in ("money", "money_held")}
    return rows.group_by(*log.keys, "customer").agg(**values)


def _excluded(customers: Rows, query: PurchaseSpec) -> tuple[int, int]:
    """Count those who first buy in the holdout, and those without a purchase."""
    if not query.net and not query.holdout:
        return 0, 0
    without = customers.filter(nw.col("bought") == 0)
    without = without.select(later=_one_if(nw.col("held") > 0))
    counted = collect(without.select(rows=nw.len(), later=nw.col("later").sum()))
    later = int(counted.item(0, "later") or 0)
    return later, int(counted.item(0, "rows")) - later


def _summary(customers: Rows, log: Events, query: PurchaseSpec) -> Rows:
    once = 0 if query.include_first else 1
    customers = customers.with_columns(
        frequency=nw.col("bought").cast(nw.Int64) - once, held=nw.col("held").cast(nw.Int64)
    )
    columns = {
        "frequency": nw.col("frequency"),
        "recency": _in_units(nw.col("last") - nw.col("first"), query),
        "T": _in_units(query.last - nw.col("first"), query),
    }
    if "amount" in log.columns:
        columns["monetary_value"] = _mean("money", "frequency")
    if query.holdout:
        columns["frequency_holdout"] = nw.col("held")
        if "amount" in log.columns:
            columns["monetary_value_holdout"] = _mean("money_held", "held")
    return customers.select(*log.keys, "customer", **columns)


def _in_units(periods: nw.Expr, query: PurchaseSpec) -> nw.Expr:
    whole = periods.cast(nw.Int64)
    return whole if query.length is None else whole.cast(nw.Float64) / query.length


def _mean(money: str, number: str) -> nw.Expr:
    some = nw.col(number) > 0
    mean = nw.col(money).cast(nw.Float64) / nw.col(number)
    # Infinite less infinite is NaN: written as a literal, narwhals 2.5 tells DuckDB null.
    infinite = nw.lit(float("inf"))
    return nw.when(some).then(mean).otherwise(infinite - infinite)


def _one_if(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
