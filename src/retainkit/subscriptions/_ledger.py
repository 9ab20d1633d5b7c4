"""Read ledgers into memory, and build the spans that are made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.factorize import argsort, factorize
from retainkit._frames.input import collect
from retainkit._frames.join import build_in_engine
from retainkit._frames.output import values_or_null
from retainkit._frames.segments import factorize_segments
from retainkit._frames.times import time_series
from retainkit._inputs.columns import (
    CheckedTable,
    Column,
    check_not_named_twice,
    check_not_reserved,
    read_columns,
    segment_names,
)
from retainkit._inputs.facts import read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import SEGMENT
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats, Integers, NativeT
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

REASON = Column("reason", SEGMENT, nulls="keep", required=False)
SPAN = ("start", "end", "mrr")
"""The columns of a span, beside those of the customer, the subscription and the segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A checked ledger in memory; customers and segments as integers in ascending order."""

    table: CheckedTable
    rows: nw.DataFrame[Any]
    customer: Integers
    segment: Integers
    amount: Floats

    def code(self, argument: str) -> Integers:
        """Return the values of a column as integers in ascending order; 0 without the column."""
        if argument not in self.table.names:
            return np.zeros(len(self.rows), np.int64)
        codes: Integers = factorize(self.rows[argument], sort=True)[0]
        return codes

    def spans(
        self, row: Integers, start: Integers, end: Integers, amount: Floats, ending: Integers
    ) -> NativeT:  # type: ignore[type-var]
        """Return a native table of spans, each with the customer and the segments of a row.

        Their reason is that of the row `ending`, and null where that is -1.
        """
        ids = [name for name in ("customer", "subscription") if name in self.table.names]
        names = {key: self.table.names[key] for key in ids}
        names |= dict(zip(self.table.keys, self.table.by, strict=True))
        columns: dict[str, Any] = {
            name: self.rows[key][row.tolist()] for key, name in names.items()
        }
        for name, instants in (("start", start), ("end", end)):
            columns[name] = time_series(self.table.given, instants, self.table.zone)
        if "reason" in self.table.names:
            columns[self.table.names["reason"]] = values_or_null(self.rows["reason"], ending)
        return build_in_engine(self.table.given, columns | {"mrr": amount})


def read_ledger(
    native: Any,
    argument: str,
    columns: Sequence[Column],
    names: Mapping[str, str | None],
    *,
    by: str | Sequence[str] | None,
    missing: str,
    tz: str | None = None,
) -> Ledger:
    """Check a ledger, the argument of that name, and take it into memory."""
    one_of("missing", missing, get_args(Missing))
    reason = names.get("reason")
    if reason is not None:
        check_not_reserved("`reason`", [reason], SPAN)
        check_not_named_twice("reason", reason, segment_names(by, SPAN))
    table = read_columns(native, argument, columns, names, by=by, reserved=SPAN, tz=tz)
    _check_names(table)
    table, facts, note = without_nulls(table, read_facts, missing)
    warn_of_dropped(note, facts, argument)
    rows = collect(table.rows)
    ids = rows["customer"]
    order = np.empty(len(rows), np.int64)
    order[argsort(ids)] = np.arange(len(rows))
    return Ledger(
        table=table,
        rows=rows,
        customer=_codes_by_place(factorize(ids, sort=False)[0], order),
        segment=factorize_segments(rows, table.keys)[1],
        amount=_finite_amounts(rows, table),
    )


def _check_names(table: CheckedTable) -> None:
    """Check that no column that a span keeps is called like another column of the result."""
    others = {*SPAN, *table.by}
    for argument in ("customer", "subscription", "reason"):
        name = table.names.get(argument, "")
        if name in others:
            raise ArgumentError(
                f"`{argument}` names the column {name!r}, which another column of the result has "
                "for its name; rename it first.",
                code="reserved_name",
                argument=argument,
                column=name,
            )
        others |= {name} - {""}


def _codes_by_place(codes: Integers, place: Integers) -> Integers:
    """Return codes that ascend with the first place of each."""
    first = np.full(int(codes.max(initial=-1)) + 1, len(place))
    np.minimum.at(first, codes, place)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[codes]


def _finite_amounts(rows: nw.DataFrame[Any], table: CheckedTable) -> Floats:
    """Return the amounts, and check that none is infinite."""
    amount: Floats = rows["amount"].to_numpy().astype(np.float64)
    infinite = int(np.isinf(amount).sum())
    if infinite:
        raise ArgumentError(
            f"{table.source('amount')} is infinite in {infinite:,} of {len(rows):,} rows; leave "
            "them out.",
            code="infinite_values",
            argument="amount",
            column=table.names["amount"],
            rows=infinite,
            total=len(rows),
        )
    return amount


def negative_error(
    ledger: Ledger, rows: int, values: Floats, what: str, advice: str
) -> ArgumentError:
    """Return the error about so many rows in which amounts are below 0, with some `values`."""
    total = len(ledger.rows)
    return ArgumentError(
        f"{what} in {count_noun(rows, 'row')}, of {total:,}: "
        f"{format_examples(values.tolist(), 3)}. {advice}",
        code="negative_values",
        argument="amount",
        column=ledger.table.names["amount"],
        rows=rows,
        total=total,
    )
