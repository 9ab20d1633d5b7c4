"""Read two tables of customers, and count who moved from which segment to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or
from retainkit._frames.dtypes import is_categorical
from retainkit._frames.groupby import group_sum
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._frames.join import join, to_kind_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.customer_table import check_one_row, with_comparable_ids
from retainkit._inputs.facts import read_facts, without_nulls
from retainkit._inputs.kinds import ID, NUMBER, SEGMENT, nan_as_null
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.segments._labels import SegmentLabels, read_labels

_COLUMNS = (
    Column("customer", ID, nulls="refuse"),
    Column("segment", replace(SEGMENT, read=nan_as_null), nulls="refuse"),
    Column("value", NUMBER, nulls="keep", required=False),
)
RESULT = (*("from", "to", "customers", "share", "lower", "upper", "value_before", "value_after"),)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """Customers by where they were and where they are, in cells.

    Arrays have an axis for the segments of `by`, one for where from, of which the last is new, and
    one for where to, of which the last is gone. `keys` are the segments of `by`.
    """

    given: Frame
    labels: SegmentLabels
    keys: dict[str, nw.Series[Any]]
    customers: Integers
    value_before: Floats | None
    value_after: Floats | None


def read_moves(
    before: Any,
    after: Any,
    *,
    customer: str,
    segment: str,
    value: str | None,
    by: str | Sequence[str] | None,
) -> Moves:
    """Check both tables, join them by customer in their engine, and count."""
    names = {"customer": customer, "segment": segment, "value": value}
    tables = [
        _read(native, argument, names, by)
        for native, argument in ((before, "before"), (after, "after"))
    ]
    rows = with_comparable_ids({table.table: table.rows for table in tables})
    first, second = rows.values()
    second = to_kind_of(first, second)
    keys = tables[0].keys
    first, second = _with_types_of_segments(first, second, keys)
    if keys:
        _check_same_segments(tables[0], first, second)
    stayed, came = _count(first, second, keys, valued=value is not None)
    labels = read_labels(
        [stayed["segment"], stayed["after_segment"], came["after_segment"]], segment
    )
    return _cells(tables[0], stayed, came, labels)


def _read(
    native: Any, argument: str, names: dict[str, str | None], by: str | Sequence[str] | None
) -> CheckedTable:
    """Check one of the tables: no nulls, and a row a customer."""
    table = read_columns(native, argument, _COLUMNS, names, by=by, reserved=RESULT)
    table, _, _ = without_nulls(replace(table, table=argument), read_facts, "raise")
    check_one_row(table, argument)
    return table


def _with_types_of_segments(
    first: Frame, second: Frame, keys: Sequence[str]
) -> tuple[Frame, Frame]:
    """Return both with the columns of `by` of one type."""
    for key in keys:
        one, other = (frame.collect_schema()[key] for frame in (first, second))
        if one == other and one != nw.String and not (is_categorical(one) and one != nw.Enum):
            continue
        value, text = nw.col(key), nw.String in (one, other) or is_categorical(one)
        # A null stays one, which older versions of pandas write as a text.
        same = nw.when(~value.is_null()).then(value.cast(nw.String)) if text else value.cast(one)
        first, second = first.with_columns(same.alias(key)), second.with_columns(same.alias(key))
    return first, second


def _check_same_segments(table: CheckedTable, first: Frame, second: Frame) -> None:
    """Check that who is in both tables is in the same segments of `by` in both."""
    renamed = {f"after_{key}": nw.col(key) for key in table.keys}
    both = join(first, second.select("customer", **renamed), how="inner")
    for key, name in zip(table.keys, table.by, strict=True):
        one, other = nw.col(key), nw.col(f"after_{key}")
        unequal = (one != other) & ~one.is_null() & ~other.is_null()
        moved = both.filter(
            unequal | (one.is_null() & ~other.is_null()) | (~one.is_null() & other.is_null())
        )
        number = count_rows(moved)
        if number:
            some = collect(moved.sort("customer").head(6))["customer"].to_list()
            raise ArgumentError(
                f"column {name!r} (given as `by`) differs between `before` and `after` for "
                f"{count_noun(number, 'customer')}, such as {format_examples(some)}; it must have "
                "one value for each. What customers may change is the `segment`.",
                code="ambiguous_segment",
                argument="by",
                column=name,
                rows=number,
                total=count_rows(both),
            )


def _count(
    first: Frame, second: Frame, keys: Sequence[str], *, valued: bool
) -> tuple[nw.DataFrame[Any], nw.DataFrame[Any]]:
    """Count who was there before, by both segments (null: gone), and who was not, by the new one.

    Sums of values are ``value`` and ``after_value``.
    """
    own = ["segment", *(["value"] if valued else [])]
    renamed = {f"after_{name}": nw.col(name) for name in own}
    there = second.select("customer", **renamed)
    totals = {"customers": nw.len()}
    late = {"after_value": nw.col("after_value").sum()} if valued else {}
    early = {"value": nw.col("value").sum()} if valued else {}
    joined = join(first, there, how="left")
    stayed = joined.group_by(*keys, "segment", "after_segment").agg(**totals, **early, **late)
    arrived = join(
        second.select("customer", *keys, **renamed), first.select("customer"), how="anti"
    )
    came = arrived.group_by(*keys, "after_segment").agg(**totals, **late)
    return collect(stayed), collect(came)


def _cells(
    table: CheckedTable,
    stayed: nw.DataFrame[Any],
    came: nw.DataFrame[Any],
    labels: SegmentLabels,
) -> Moves:
    """Return the counts and sums of both tables as arrays by cell."""
    keys, every = table.keys, [stayed, came]
    both = nw.concat([one.select(*keys, "customers") for one in every], how="vertical")
    segments, group = factorize_segments(both, keys)
    n_labels = len(labels.texts)
    origin = np.append(labels.numbers(stayed["segment"]), np.full(len(came), n_labels))
    target = np.concatenate([labels.numbers(one["after_segment"]) for one in every])
    # The last place is that of who is new, or gone.
    side = n_labels + 1
    shape = (int(group.max(initial=-1 if keys else 0)) + 1, side, side)
    place = (group * side + origin) * side + target

    def summed(values: Floats) -> Floats:
        return group_sum(values, place, int(np.prod(shape))).reshape(shape)

    sums: dict[str, Floats] = {}
    if "value" in stayed.columns:
        # A sum of nothing but nulls is null in some engines.
        early = floats_or(stayed["value"], 0.0)
        late = [floats_or(one["after_value"], 0.0) for one in every]
        sums["value_before"] = summed(np.append(early, np.zeros(len(came))))
        sums["value_after"] = summed(np.concatenate(late))
    count = np.concatenate([one["customers"].to_numpy().astype(np.float64) for one in every])
    return Moves(
        given=table.given,
        labels=labels,
        keys=dict(zip(table.by, segments.values(), strict=True)),
        customers=np.rint(summed(count)).astype(np.int64),
        value_before=sums.get("value_before"),
        value_after=sums.get("value_after"),
    )
