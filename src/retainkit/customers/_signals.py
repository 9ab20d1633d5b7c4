"""Further signs: which customers have a row of another table in the recent window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect
from retainkit._frames.join import join
from retainkit._frames.rows import distinct_rows
from retainkit._inputs.customer_table import with_comparable_ids
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows
from retainkit._inputs.same_customers import same_customers
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.zones import instant_expr
from retainkit._typing import Booleans
from retainkit.customers._options import named_sources
from retainkit.customers._reading import (
    SourceTable,
    check_one_clock,
    check_one_engine,
    read_source,
)
from retainkit.customers._signs_spec import MEASURES, VERDICT, Blocks, Signals
from retainkit.customers._source import Source
from retainkit.errors import ArgumentError


def check_signals(signals: Any, taken: Sequence[str]) -> dict[str, Source]:
    """Check the argument `signals`; no signal may be called like a column of the result."""
    sources = named_sources(signals, "signals", "payment_failed")
    for name in sources:
        if name in {*MEASURES, *VERDICT, *taken}:
            raise ArgumentError(
                f"`signals` names {name!r}, which is also the name of a column of the result; "
                "give it another name.",
                code="reserved_name",
                argument="signals",
                column=name,
            )
    return sources


def read_signals(
    sources: Mapping[str, Source], log: Events, tz: str | None, missing: str
) -> tuple[Events, dict[str, SourceTable]]:
    """Read the tables of signals; return also the log, with customers of the same type."""
    tables = {}
    for name, source in sources.items():
        bare = replace(source, amount=(), last=(), closed=None)
        tables[name] = read_source(name, bare, tz=tz, missing=missing, argument="signals")
    clocks = {name: (one.zone, one.names["time"]) for name, one in tables.items()}
    check_one_clock({"events": (log.zone, log.names["time"]), **clocks})
    frames = {"events": log.rows, **{name: one.rows for name, one in tables.items()}}
    check_one_engine(frames)
    rows = with_comparable_ids(frames)
    tables = {name: replace(one, rows=rows[name]) for name, one in tables.items()}
    return replace(log, rows=rows["events"]), tables


def signals_in(blocks: Blocks, tables: Mapping[str, SourceTable], log: Events) -> Signals:
    """Return the customers that have each signal in the recent window, each of them once."""
    found = {}
    for name, table in tables.items():
        recent = nw.col("time") >= instant_expr(blocks.edge.instant)
        rows = table.rows.filter(table.known(blocks.end) & recent)
        found[name] = distinct_rows(rows, "customer")
        _warn_of_unknown(name, found[name], log)
    return Signals(customers=found)


def _warn_of_unknown(name: str, customers: Frame, log: Events) -> None:
    """Warn of customers with a signal and without an event: they have no row."""
    unknown = collect(join(customers, log.rows.select("customer"), how="anti"))
    if len(unknown):
        some = format_examples(unknown.sort("customer")["customer"].head(3).to_list())
        warn(
            f"{count_noun(len(unknown), 'customer')} of the signal {name!r}, such as {some}, "
            "without an event before `as_of`: not in the result.",
            code="unknown_customers",
            argument="signals",
            rows=len(unknown),
            total=len(collect(customers)),
        )


def with_flags(customers: Rows, signals: Signals) -> Rows:
    """Add a column of booleans for each signal, inside an engine."""
    for i, flagged in enumerate(signals.customers.values()):
        flag = f"signal_{i}"
        marked = flagged.lazy().with_columns(nw.lit(1).alias(flag))
        joined = customers.join(marked, on="customer", how="left")
        customers = joined.with_columns((~nw.col(flag).is_null()).alias(flag))
    return customers


def flags_of(customers: nw.Series[Any], signals: Signals) -> list[Booleans]:
    """Mark the customers that have each signal."""
    return [
        np.isin(*same_customers(customers, collect(flagged)["customer"], "events", "signals"))
        for flagged in signals.customers.values()
    ]
