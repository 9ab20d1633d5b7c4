"""Negative amounts among events: refused, set against the purchases of the same period, or kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import collect, count_rows
from retainkit._frames.rows import distinct_rows
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import wall_time
from retainkit._messages import as_shown, count_noun, warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment
from retainkit.errors import ArgumentError
from retainkit.typing import Amounts

_ROUNDING = 1e-9  # share of the money moved up to which a net below zero is an error of rounding


def check_amounts_option(amounts: Amounts, amount: str | None) -> None:
    """Check the argument `amounts`, which needs a column of money to set refunds against."""
    one_of("amounts", amounts, get_args(Amounts))
    if amounts == "net" and amount is None:
        raise ArgumentError(
            "`amounts` is 'net', and `amount` names no column: without it a refund is a purchase "
            "like any other. Name the column of money, or leave `amounts` out.",
            code="argument_needed",
            argument="amount",
        )


def check_negative_amounts(log: Events, amounts: Amounts) -> None:
    """Check that no amount is negative, unless that is allowed."""
    if amounts != "raise" or log.min_amount is None or log.min_amount >= 0:
        return
    below = log.events.filter(nw.col("amount") < 0)
    number = count_rows(below)
    if not number:  # they are all at or after `as_of`
        return
    found = collect(below.sort("amount", "customer").head(3).select("customer", "amount"))
    pairs = zip(found["customer"].to_list(), found["amount"].to_list(), strict=True)
    examples = ", ".join(
        f"{value:g} of customer {as_shown(customer)!r}" for customer, value in pairs
    )
    raise ArgumentError(
        f"{log.source('amount')} is negative in {count_noun(number, 'row')}, of {log.n_rows:,}; "
        f"for instance {examples}. If these are refunds, `amounts='net'` sets them against the "
        "purchases of the same period; `amounts='keep'` takes them as they are.",
        code="negative_values",
        argument="amount",
        column=log.names["amount"],
        rows=number,
        total=log.n_rows,
    )


def is_purchase(net: Any, absolute: Any) -> Any:
    """Return whether there is a purchase in a period, by the net of its money and all that moved.

    Arrays and expressions are served alike.
    """
    return net >= absolute * -_ROUNDING


def net_refunds(log: Events, amounts: Amounts, grid: PeriodGrid, end: Moment) -> Events:
    """Check the amounts of the events before `end`, or set refunds against purchases.

    By "net", the events of a customer in a period are left out if their money adds up to less than
    zero. Otherwise negative amounts are left out, and lower the others of the period in proportion.
    """
    check_negative_amounts(log, amounts)
    if amounts != "net" or log.min_amount is None or log.min_amount >= 0:
        return log
    columns, amount = log.columns, nw.col("amount")
    rows = log.rows if "came" in columns else log.rows.with_columns(came=nw.lit(value=True))
    rows = rows.with_columns(wall=wall_time("time", log, end, grid.clock(log.zone)))
    # A row that is no event has no share in a sum.
    rows = rows.with_columns(
        period=grid.number_expr(nw.col("wall")), paid=nw.when("came").then(amount).otherwise(0.0)
    )
    rows = rows.with_columns(gross=nw.when(nw.col("paid") > 0).then(nw.col("paid")).otherwise(0.0))
    rows = rows.with_columns(absolute=nw.col("paid").abs())
    sums = {f"{name}_sum": nw.col(name).sum() for name in ("paid", "gross", "absolute")}
    of_periods = {name: one.over("customer", "period") for name, one in sums.items()}
    rows = rows.with_columns(**of_periods)
    net, gross = nw.col("paid_sum"), nw.col("gross_sum")
    counts = (nw.col("paid") >= 0) & is_purchase(net, nw.col("absolute_sum"))
    net = nw.when(net > 0).then(net).otherwise(0.0)
    lowered = nw.when(gross > 0).then(nw.col("paid") * net / gross).otherwise(0.0)
    rows = rows.with_columns(came=nw.col("came") & counts, amount=lowered)
    marked = replace(log, rows=rows.select(*dict.fromkeys([*columns, "came"])), min_amount=0.0)
    if log.has_starts:  # whoever bought nothing is a customer who has not come
        return marked
    kept = replace(marked, rows=marked.events.drop("came"))
    _warn_of_lost(log, kept)
    return kept


def _warn_of_lost(log: Events, kept: Events) -> None:
    """Warn of the customers of whom no event is left."""
    before, after = (count_rows(distinct_rows(one.rows, "customer")) for one in (log, kept))
    if before > after:
        warn_of_no_purchase(before - after, before)


def warn_of_no_purchase(number: int, total: int | None) -> None:
    """Warn of customers of whom no purchase is left, of so many in all."""
    warn(
        f"{count_noun(number, 'customer')} without a purchase, whose money nets below zero in "
        "every period: not in the result.",
        code="no_purchase_left",
        argument="amounts",
        rows=number,
        total=total,
    )
