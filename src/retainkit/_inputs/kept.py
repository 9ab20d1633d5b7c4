"""Columns of a table of customers that are given back beside a result, as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._frames.input import (
    Frame,
    check_present,
    collect,
    count_rows,
    from_native,
    series_of,
)
from retainkit._frames.names import ignores_case, inner_name, outer_name
from retainkit._frames.output import insert_after_first, select_to_native
from retainkit._frames.plain_types import WIDE
from retainkit._inputs.columns import check_not_reserved, column_names
from retainkit._messages import count_noun, format_examples, named
from retainkit._typing import NativeT
from retainkit.errors import ArgumentError

Keep: TypeAlias = bool | str | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """Columns to give back, by the names that the user has for them.

    Of a table in memory they are `series`, just as they were given; of a lazy one they are
    expressions, which are carried through its engine.
    """

    series: Mapping[Any, nw.Series[Any]] = field(default_factory=dict)
    exprs: Mapping[str, nw.Expr] = field(default_factory=dict)

    @property
    def carried(self) -> dict[str, nw.Expr]:
        """The expressions under names that no other column has, ``kept_0`` and so on."""
        return {f"kept_{i}": one for i, one in enumerate(self.exprs.values())}

    def give_back(self, rows: Frame, customer: str, result: Mapping[str, str | nw.Expr]) -> NativeT:  # type: ignore[type-var]
        """Return the column ``customer`` of rows, what was carried along, and columns of a result.

        The frame is of the caller's kind.
        """
        beside = dict(zip(self.exprs, self.carried, strict=True))
        return self.complete(select_to_native(rows, {customer: "customer", **beside, **result}))

    def complete(self, native: NativeT) -> NativeT:
        """Return a result with the series after its first column, the customer."""
        return insert_after_first(native, self.series) if self.series else native

    def join(self, frame: Frame, table: Frame, customer: str, key: str) -> Frame:
        """Join the columns of a lazy frame to values in its engine, by a key that both have."""
        own = inner_name(frame, customer)
        rows = frame.select(nw.col(own).alias("customer"), key=nw.col(key), **self.carried)
        result = [one for one in table.collect_schema().names() if one not in (own, key)]
        names = dict(zip(self.carried, self.exprs, strict=True))
        beside = (nw.col(one).alias(inner_name(frame, name)) for one, name in names.items())
        joined = rows.join(table.select(nw.col(key).alias("key"), *result), on="key")  # type: ignore[arg-type]
        return joined.select(nw.col("customer").alias(own), *beside, *result)


def read_kept(native: Any, keep: Keep | None, customer: str, result: Sequence[str]) -> Kept:
    """Check the argument `keep`, the columns of a summary to give back beside those of a result."""
    check_not_reserved("`customer`", [customer], result)
    if keep is None or keep is False:
        return Kept()
    given = () if keep is True else column_names("keep", keep)
    frame = from_native(native, "summary")
    for name in given:
        check_present("keep", name, frame)
    names = [one for one in (_every_name(frame) if keep is True else given) if one != customer]
    fold = ignores_case(frame)
    reserved = [one for one in names if (one.casefold() if fold else one) in result]
    check_not_reserved("`keep`", reserved, reserved)
    if isinstance(frame, nw.DataFrame):
        # In the frame itself, types that are foreign to narwhals have been made plain.
        series = series_of(native)
        return Kept(series={name: series[name] for name in names})
    schema = frame.collect_schema()
    inner = {name: inner_name(frame, name) for name in names}
    exprs = {name: nw.col(own) for name, own in inner.items()}
    # Counts and times are read as floats where the engine has wider integers.
    types = {name: schema[own] for name, own in inner.items() if schema[own] in WIDE}
    return Kept(exprs=exprs | {name: exprs[name].cast(one) for name, one in types.items()})


def _every_name(frame: Frame) -> list[Any]:
    """Return the names that a user has for all columns."""
    names = frame.collect_schema().names()
    # pandas has labels that are no text.
    return [outer_name(one) if isinstance(one, str) else one for one in names]


def with_text_key(frame: Frame, customer: str) -> tuple[Frame, str]:
    """Add the customer as text, of which each row must have its own; returns the column's name.

    By it rows are joined that were collected and returned to an engine: other types do not always
    come back as they were.
    """
    check_present("customer", customer, frame)
    taken = {one.casefold() for one in frame.collect_schema().names()}
    key = "key"
    while key in taken:
        key += "_"
    text = nw.col(inner_name(frame, customer)).cast(nw.String)
    keyed = frame.with_columns(text.alias(key))
    check_a_row_each(
        keyed.select(key=nw.col(key)),
        customer,
        where=", with `keep` and random draws",
        advice=", or leave `keep` out",
    )
    return keyed, key


def check_a_row_each(keys: Frame, customer: str, *, where: str = "", advice: str = "") -> None:
    """Check that every row has a customer of its own, the column ``key``.

    The error says `where` that must be so, and ends with further `advice`.
    """
    groups = keys.group_by("key").agg(rows=nw.len())
    wrong = groups.filter((nw.col("rows") > 1) | nw.col("key").is_null())
    number = count_rows(wrong)
    if not number:
        return
    unnamed = count_rows(keys.filter(nw.col("key").is_null()))
    faults = []
    if repeated := number - (unnamed > 0):
        several = wrong.filter(~nw.col("key").is_null()).sort("key")
        examples = collect(several.head(6))["key"].to_list()
        has = "has" if repeated == 1 else "have"
        text = f"{count_noun(repeated, 'customer')} {has} several rows"
        faults.append(f"{text} ({format_examples(examples)})")
    if unnamed:
        faults.append(f"{count_noun(unnamed, 'row')} {'has' if unnamed == 1 else 'have'} none")
    raise ArgumentError(
        f"{named(customer, 'customer')} must name another customer in every row{where}: "
        f"{', and '.join(faults)}. Bring `summary` to a row a customer{advice}.",
        code="repeated_customers" if repeated else "null_values",
        argument="customer",
        column=customer,
        rows=number,
        total=count_rows(groups),
    )
