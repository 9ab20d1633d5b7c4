"""Ids of two tables: of one type, so that they can be joined, each in one row."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.dtypes import is_categorical, type_name
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._frames.plain_types import with_plain_types
from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples
from retainkit.errors import ArgumentError, ColumnTypeError


def check_one_row_each(table: CheckedTable) -> None:
    """Check that every customer of a table has one row."""
    customers = table.rows.group_by("customer").agg(rows=nw.len())
    several = customers.filter(nw.col("rows") > 1)
    number = count_rows(several)
    if not number:
        return
    some = collect(several.sort("customer").head(6))["customer"].to_list()
    raise ArgumentError(
        f"{table.source('customer')} has several rows for {count_noun(number, 'customer')}, such "
        f"as {format_examples(some)}; it must have one for each.",
        code="repeated_customers",
        argument=table.table,
        column=table.names["customer"],
        rows=number,
        total=count_rows(customers),
    )


def with_matching_ids(first: CheckedTable, second: CheckedTable) -> tuple[Frame, Frame]:
    """Return the rows of two tables with customers of one type, or raise where there is none."""
    one, other = (_with_plain_ids(table.rows) for table in (first, second))
    types = [rows.collect_schema()["customer"] for rows in (one, other)]
    numeric = [dtype.is_numeric() for dtype in types]
    if all(numeric) and types[0] != types[1]:
        whole = all(dtype.is_integer() for dtype in types)
        number = nw.col("customer").cast(nw.Int64 if whole else nw.Float64)
        return one.with_columns(number), other.with_columns(number)
    texts = [dtype == nw.String for dtype in types]
    known = [is_number or text for is_number, text in zip(numeric, texts, strict=True)]
    different = numeric[0] != numeric[1] if all(known) else types[0] != types[1]
    # Where there is no row, some libraries know no type.
    if different and count_rows(one) and count_rows(other):
        names = [
            f"{type_name(rows, 'customer')} in `{table.table}`"
            for rows, table in ((one, first), (other, second))
        ]
        raise ColumnTypeError(
            f"column {first.names['customer']!r} (given as `customer`) is {names[0]} and "
            f"{names[1]}: no id of one type equals one of the other. Make them alike first, for "
            "instance both text.",
            argument="customer",
            column=first.names["customer"],
        )
    return one, other


def _with_plain_ids(rows: Frame) -> Frame:
    """Return rows with customers by the names of their categories, and numbers for objects."""
    if rows.collect_schema()["customer"] in (nw.Object, nw.Unknown):
        rows, _ = with_plain_types(rows, {"customer": "counts"})
    if not is_categorical(rows.collect_schema()["customer"]):
        return rows
    wanted: Any = nw.String
    if isinstance(rows, nw.DataFrame):
        named = rows["customer"].cat.get_categories().dtype
        wanted = named if named.is_numeric() else nw.String
    return rows.with_columns(nw.col("customer").cast(wanted))
