"""Read candidates into memory, and give them back with what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_true
from retainkit._frames.dtypes import category_names
from retainkit._frames.factorize import factorize
from retainkit._frames.input import Frame, collect, from_native, is_polars
from retainkit._frames.join import to_engine_of
from retainkit._frames.names import inner_name
from retainkit._frames.output import to_native, with_columns_beside
from retainkit._inputs.columns import (
    CheckedTable,
    Column,
    check_not_reserved,
    column_exprs,
    read_columns,
)
from retainkit._inputs.facts import read_facts, without_nulls
from retainkit._inputs.kinds import AMOUNT, FLAG, ID, Kind, is_text
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Booleans, Integers, NativeT
from retainkit.errors import ArgumentError

RESULT = ("send", "reason", "blocked_by", "contacts", "eligible", "bucket")
RULE = "rule"
_OWN = "retainkit_key_{}"  # what no column of the user is called
_KEYS = ("customer", "channel", RULE)
_TYPES: tuple[Any, ...] = (nw.Boolean, nw.String, nw.String, nw.Int64, nw.Boolean, nw.Float64)


def _read_text(value: nw.Expr, dtype: nw.dtypes.DType) -> nw.Expr:
    del dtype
    # pandas before 3 writes a null among Python objects as the text "None".
    return nw.when(~value.is_null()).then(value.cast(nw.String))


CHANNEL = Kind(need="the names of channels", fits=is_text, read=_read_text)
_ZONE = Kind(need="the names of time zones, such as 'Europe/Berlin'", fits=is_text, read=_read_text)
_CANDIDATES = (
    Column("customer", ID, nulls="refuse"),
    Column("channel", CHANNEL, nulls="refuse"),
    Column("priority", AMOUNT, nulls="refuse"),
    Column(RULE, ID, nulls="refuse", required=False),
    Column("exempt", FLAG, nulls="refuse", required=False),
    Column("timezone", _ZONE, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Candidates that have been checked: the `given` frame, and its `rows` in memory.

    A frame of Polars is in memory in either case, and goes back `lazy` where it came so.
    `customer` numbers the customers from 0, `first` has a row of each, and `channel` is the place
    of a row's channel among the `channels`.
    """

    table: CheckedTable
    given: Frame
    lazy: bool
    rows: nw.DataFrame[Any]
    customer: Integers
    first: Integers
    channel: Integers
    channels: Sequence[str]

    @property
    def n_customers(self) -> int:
        """The number of customers."""
        return len(self.first)

    @property
    def ids(self) -> nw.Series[Any]:
        """The customers, each once."""
        return category_names(self.rows["customer"][self.first.tolist()])

    @property
    def exempt(self) -> Booleans:
        """Which rows are exempt; none, unless a column says so."""
        if "exempt" not in self.rows.columns:
            return np.zeros(len(self.channel), bool)
        return is_true(self.rows["exempt"])

    def in_channel(self, name: str | None) -> Booleans:
        """Return which rows are in a channel (None: in any)."""
        if name is None:
            return np.ones(len(self.channel), bool)
        place = self.channels.index(name) if name in self.channels else -1
        inside: Booleans = self.channel == place
        return inside

    def order(self) -> Integers:
        """Number the rows by priority, and then by their place in the table.

        Tables of lazy engines have no order: there it is by channel, and then by rule.
        """
        keys = [self.rows["priority"].to_numpy().astype(np.float64)]
        if self.lazy:
            names = ["channel", *([RULE] if RULE in self.rows.columns else [])]
            keys += [factorize(self.rows[name], sort=True)[0] for name in names]
        order = np.empty(len(self.channel), np.int64)
        order[np.lexsort(keys[::-1])] = np.arange(len(order))
        return order


def read_candidates(native: Any, names: Mapping[str, str | None]) -> Candidates:
    """Check candidates; each has one row in a channel and, where there are rules, by a rule."""
    given = from_native(native, "candidates")
    lazy = isinstance(given, nw.LazyFrame)
    if is_polars(given):
        given = collect(given)  # once: another time the order may be another
    present = given.collect_schema().names()
    rule = RULE if RULE in present else None
    own = [name for name in RESULT if inner_name(given, name) in present]
    check_not_reserved("`candidates`", own, RESULT)
    table = read_columns(given, "candidates", _CANDIDATES, {**names, RULE: rule})
    table, _, _ = without_nulls(replace(table, table="candidates"), read_facts, "raise")
    rows = collect(_with_keys(table, lazy=isinstance(given, nw.LazyFrame)))
    customer, _ = factorize(category_names(rows["customer"]), sort=False)
    channel, channels = factorize(rows["channel"], sort=True)
    first = np.zeros(int(customer.max(initial=-1)) + 1, np.int64)
    first[customer[::-1]] = np.arange(len(customer))[::-1]
    found = Candidates(
        table=table,
        given=given,
        lazy=lazy,
        rows=rows,
        customer=customer,
        first=first,
        channel=channel,
        channels=[str(one) for one in channels],
    )
    _check_distinct(found)
    return found


def _key_exprs(table: CheckedTable, frame: Frame) -> dict[str, nw.Expr]:
    """Return the columns that tell candidates apart, as text."""
    read = column_exprs(frame, table.declared, table.names)
    names = [name for name in _KEYS if name in read]
    return {_OWN.format(i): read[name].cast(nw.String) for i, name in enumerate(names)}


def _with_keys(table: CheckedTable, *, lazy: bool) -> Frame:
    """Return the rows, of a lazy engine with their keys as the engine writes them."""
    if not lazy:
        return table.rows
    names = [name for name in _KEYS if name in table.columns]
    keys = {_OWN.format(i): nw.col(name).cast(nw.String) for i, name in enumerate(names)}
    return table.rows.with_columns(**keys)


def _check_distinct(candidates: Candidates) -> None:
    """Check that no candidate is there twice."""
    rows, key = candidates.rows, candidates.customer * (len(candidates.channels) + 1)
    key = key + candidates.channel
    by = "customer and channel"
    if RULE in rows.columns:
        rule, rules = factorize(rows[RULE], sort=False)
        key, by = key * (len(rules) + 1) + rule, "customer, channel and rule"
    _, counts = np.unique(key, return_counts=True)
    if (counts <= 1).all():
        return
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    several = np.sort(first[counts > 1])
    some = rows["customer"][several[:6].tolist()].to_list()
    number = int((counts[counts > 1] - 1).sum())
    advice = (
        "Leave out the repeats"
        if RULE in rows.columns
        else "Leave out the repeats, or tell them apart by a column 'rule'"
    )
    raise ArgumentError(
        f"{count_noun(number, 'row')} of `candidates`, of {len(key):,}, have the same {by} as "
        f"another, for instance of customer {format_examples(some)}. {advice}.",
        code="duplicate_rows",
        argument="candidates",
        column=candidates.table.names["customer"],
        rows=number,
        total=len(key),
    )


# Results


def with_decision(candidates: Candidates, columns: Mapping[str, Any]) -> NativeT:  # type: ignore[type-var]
    """Return the candidates, all columns of them, with the columns of the `RESULT`."""
    given = candidates.given
    if isinstance(given, nw.LazyFrame):
        return to_native(_joined(candidates, given, columns))
    made = with_columns_beside(given, columns)
    return to_native(made.lazy() if candidates.lazy else made)


def _joined(
    candidates: Candidates, given: nw.LazyFrame[Any], columns: Mapping[str, Any]
) -> nw.LazyFrame[Any]:
    """Join what was decided to the candidates, in their engine."""
    keys = _key_exprs(candidates.table, given)
    decided = {name: candidates.rows[name] for name in keys}
    beside = {_OWN.format(name): values for name, values in columns.items()}
    # Of a column of nothing but nulls an engine could not see the type.
    cap = _OWN.format("blocked_by")
    beside[cap] = np.where(beside[cap] == None, "", beside[cap])  # noqa: E711  each of them
    small = to_engine_of(given, decided | beside)
    typed = {
        _OWN.format(name): nw.col(_OWN.format(name)).cast(dtype)
        for name, dtype in zip(RESULT, _TYPES, strict=True)
    }
    small = small.with_columns(*(nw.col(key).cast(nw.String) for key in keys), **typed)
    rows = given.with_columns(**keys).join(small, on=[*keys], how="left")
    shown: dict[str, nw.Expr] = {name: nw.col(_OWN.format(name)) for name in RESULT}
    shown["blocked_by"] = nw.when(nw.col(cap) != "").then(nw.col(cap))
    return rows.select(*given.collect_schema().names(), **shown)
