"""Summaries of orders: specification, reduction, and the result under the caller's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame
from retainkit._frames.names import inner_name
from retainkit._frames.reducer import reducer
from retainkit._inputs.events import Events
from retainkit._inputs.refunds import check_negative_amounts, warn_of_no_purchase
from retainkit._messages import count_noun, warn
from retainkit._time.moment import Moment
from retainkit.purchases import _eager, _lazy
from retainkit.purchases._carried import outer_names
from retainkit.purchases._orders import read_summary_orders
from retainkit.purchases._spec import (
    HOLDOUT,
    SUMMARY,
    PurchaseSpec,
    PurchaseSummary,
    SummaryOptions,
    purchase_spec,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSummary:
    """A row for each customer; the columns of `segments` come first, then that of the customer."""

    frame: Frame
    segments: tuple[str, ...]


def summarize_orders(transactions: Any, options: SummaryOptions) -> CustomerSummary:
    """Read orders and summarize those before the end of observation."""
    log = read_summary_orders(transactions, options, SUMMARY)
    return summarize_purchases(log, options, log.end_of_observation(options.as_of))


def summarize_purchases(
    log: Events, options: SummaryOptions, end: Moment, end_of_holdout: Moment | None = None
) -> CustomerSummary:
    """Summarize the purchases before `end`, and those of the holdout after it if there is one."""
    log = log.until(end_of_holdout or end)
    check_negative_amounts(log, options.amounts)
    spec = purchase_spec(log, options, end, end_of_holdout)
    if spec.holdout and not end.opens(spec.merge_period):
        warn(
            f"`calibration_end` ({end}) lies within {spec.merge_period.one}: purchases in both "
            "parts of it count once in each.",
            code="split_period",
            argument="calibration_end",
        )
    found = reduce_purchases(log, spec)
    _warn_of_excluded(found)
    own = (*SUMMARY, *HOLDOUT)
    carried = outer_names(spec.carried)
    keys = (*log.keys, "customer", *carried, *own)
    names = dict(zip((*log.by, options.customer, *carried.values(), *own), keys, strict=True))
    present = found.rows.collect_schema().names()
    columns = [
        nw.col(key).alias(inner_name(found.rows, name))
        for name, key in names.items()
        if key in present
    ]
    return CustomerSummary(frame=found.rows.select(*columns), segments=log.by)


def reduce_purchases(log: Events, spec: PurchaseSpec) -> PurchaseSummary:
    """Summarize the purchases of each customer."""
    return reducer(log.rows, lazy=_lazy.reduce, eager=_eager.reduce)(log, spec)


def _warn_of_excluded(found: PurchaseSummary) -> None:
    later, none = found.n_first_in_holdout, found.n_without_purchase
    if later:
        warn(
            f"{count_noun(later, 'customer')} with a first purchase at or after "
            "`calibration_end`: not in the result.",
            code="customers_left_out",
            argument="transactions",
            rows=later,
            total=found.n_customers,
        )
    if none:
        warn_of_no_purchase(none, found.n_customers)
