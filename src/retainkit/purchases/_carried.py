"""Columns of orders that are carried along into a summary: one value for each customer.

Some must be the same throughout; of others the value at the first purchase counts, which is what
was known at the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import is_categorical
from retainkit._frames.factorize import factorize
from retainkit._frames.groupby import NEVER, group_min
from retainkit._frames.input import collect
from retainkit._inputs.columns import Column, column_names
from retainkit._inputs.kinds import SEGMENT
from retainkit._inputs.lazy_events import Rows
from retainkit._messages import count_noun, format_examples, named, warn
from retainkit._typing import Booleans, Integers
from retainkit.errors import ArgumentError

FIRST_AMOUNT = "first_amount"
"""The column of the amount of the first purchase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedColumns:
    """The columns of `keep` and of `keep_first`, but for that of amounts, which is added up."""

    keep: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    first_amount: bool = False

    @property
    def inner(self) -> dict[str, str]:
        """The column of each one, by its name among the rows that are read."""
        return {f"carried_{i}": name for i, name in enumerate((*self.keep, *self.first))}

    @property
    def arguments(self) -> dict[str, str]:
        """The argument that names each one."""
        keep = len(self.keep)
        return {key: "keep" if i < keep else "keep_first" for i, key in enumerate(self.inner)}

    @property
    def declared(self) -> list[Column]:
        """The declarations of the columns."""
        return [Column(key, SEGMENT, nulls="keep", required=False) for key in self.inner]


def carried_columns(
    keep: Any, keep_first: Any, amount: str | None, reserved: Sequence[str]
) -> CarriedColumns:
    """Check the arguments `keep` and `keep_first`: none may be called like a `reserved` column."""
    first = column_names("keep_first", keep_first)
    others = tuple(name for name in first if name != amount)
    with_amount = len(others) < len(first)
    own = (*reserved, *([FIRST_AMOUNT] if with_amount else ()))
    column_names("keep_first", others, own)
    kept = column_names("keep", keep, own)
    for name in kept:
        if name in first or name == amount:
            raise ArgumentError(
                f"`keep` names {name!r}, which "
                + ("`keep_first` names, too: " if name in first else "is the `amount`: ")
                + "`keep_first` takes what was known at the start.",
                code="named_twice",
                argument="keep",
                column=name,
            )
    return CarriedColumns(keep=kept, first=others, first_amount=with_amount)


# In memory


def carried_in_memory(
    carried: CarriedColumns,
    frame: nw.DataFrame[Any],
    customer: Integers,
    codes: Integers,
    *,
    before: Booleans,
    at_first: Booleans,
) -> dict[str, nw.Series[Any]]:
    """Return the carried columns of customers with these codes, of rows `before` the end.

    `at_first` marks the rows of the first purchases.
    """
    columns = {}
    for key, name in carried.inner.items():
        number, _ = factorize(frame[key], sort=True)
        first = carried.arguments[key] == "keep_first"
        used = np.flatnonzero(at_first if first else before)
        own, value = customer[used], np.where(number[used] < 0, NEVER, number[used])
        size = int(customer.max(initial=-1)) + 1
        least, most = group_min(value, own, size), -group_min(-number[used], own, size)
        if first:  # where a value stands beside a null, it counts
            _warn_of_several(name, int((least[codes] < most[codes]).sum()), len(codes))
        else:
            nulls = np.bincount(own, value == NEVER, size) > 0
            several = (least < most) | (nulls & (least < NEVER))
            if several[codes].any():
                wrong = codes[several[codes]]
                rows = [int(np.flatnonzero(customer == one)[0]) for one in wrong[:3]]
                shown = frame["customer"][rows].to_list()
                raise _several_values(name, len(wrong), len(codes), shown)
        row = np.zeros(size, np.int64)
        smallest = value == least[own]
        row[own[smallest]] = used[smallest]
        columns[key] = frame[key][row[codes]]
    return columns


# In an engine


def carried_in_engine(carried: CarriedColumns, rows: Rows, firsts: Rows) -> Rows | None:
    """Return the carried columns by customer, of rows that have a ``period``; None without any.

    `firsts` has the period of each customer's ``first`` purchase. Categories come as text.
    """
    if not carried.inner:
        return None
    schema = rows.collect_schema()
    words = [key for key in carried.inner if is_categorical(schema[key])]
    rows = rows.with_columns(nw.col(key).cast(nw.String) for key in words) if words else rows
    reduced = _reduced(carried, rows.join(firsts, on="customer"))
    counts = collect(
        reduced.select(
            nw.len().alias("total"), *(nw.col(f"{key}_several").sum() for key in carried.inner)
        )
    )
    total = int(counts.item(0, "total"))
    for key, name in carried.inner.items():
        number = int(counts.item(0, f"{key}_several") or 0)
        if carried.arguments[key] == "keep_first":
            _warn_of_several(name, number, total)
        elif number:
            several = reduced.filter(nw.col(f"{key}_several") > 0)
            shown = collect(several.sort("customer").head(3))["customer"].to_list()
            raise _several_values(name, number, total, shown)
    return reduced.select("customer", *carried.inner)


def _reduced(carried: CarriedColumns, rows: Rows) -> Rows:
    """Return the value of each column by customer, and 1 in ``<key>_several`` where it has more."""
    keep = [key for key, argument in carried.arguments.items() if argument == "keep"]
    at_first = nw.col("period") == nw.col("first")
    rows = rows.with_columns(
        nw.when(at_first).then(nw.col(key)).alias(key) for key in carried.inner if key not in keep
    )
    totals, differs = [nw.len().alias("rows")], []
    for key in carried.inner:
        value, most, known = (nw.col(name) for name in (key, f"{key}_most", f"{key}_known"))
        several = value < most
        if key in keep:  # a value and a null are two
            several |= (known > 0) & (known < nw.col("rows"))
        counted = value.count().alias(f"{key}_known")
        totals += [value.min(), value.max().alias(f"{key}_most"), counted]
        differs.append(nw.when(several).then(1).otherwise(0).alias(f"{key}_several"))
    return rows.group_by("customer").agg(*totals).with_columns(*differs)


# Messages


def _several_values(name: str, number: int, total: int, examples: Sequence[Any]) -> ArgumentError:
    return ArgumentError(
        f"{named(name, 'keep')} changes for {count_noun(number, 'customer')} of {total:,}, such as "
        f"{format_examples(examples)}. What is only known later explains purchases by themselves: "
        "take what was known at the start by keep_first.",
        code="several_values",
        argument="keep",
        column=name,
        rows=number,
        total=total,
    )


def _warn_of_several(name: str, number: int, total: int) -> None:
    if number:
        warn(
            f"{named(name, 'keep_first')} has several values in the first purchase of "
            f"{count_noun(number, 'customer')} of {total:,}: the smallest is taken.",
            code="several_values",
            argument="keep_first",
            column=name,
            rows=number,
            total=total,
        )


def outer_names(carried: CarriedColumns) -> Mapping[str, str]:
    """Return the columns of the result that are carried along, by their names among the rows."""
    return carried.inner | ({FIRST_AMOUNT: FIRST_AMOUNT} if carried.first_amount else {})
