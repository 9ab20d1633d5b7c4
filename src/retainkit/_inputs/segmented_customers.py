"""Read summaries of purchases by segment, and reduce them to the distinct rows of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect, from_native
from retainkit._frames.names import inner_name
from retainkit._frames.output import from_columns, to_native
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import Column, read_columns, segment_keys, segment_names
from retainkit._inputs.covariates import Covariates, covariate_columns, key_of, union_of
from retainkit._inputs.customers import (
    CUSTOMERS,
    HISTORY,
    SPEND,
    Customers,
    check_distinct_rows,
    key_columns,
    reduced_to,
)
from retainkit._inputs.kept import check_a_row_each
from retainkit._inputs.kinds import ID
from retainkit._inputs.time_unit import (
    TIME_UNIT,
    one_unit,
    unit_key,
    unit_of_key,
    units_in_memory,
)
from retainkit._typing import Floats, Integers
from retainkit.typing import Period

_COLUMNS = (Column("customer", ID), *CUSTOMERS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentedCustomers:
    """A checked summary of purchases, by segment.

    `rows` are the distinct rows of each segment, in ascending order, and `segment` is the number of
    each one's. `segments` has the values of `by` of every segment, by column. The `code` of
    `histories`, and of `spend`, is the number of the distinct history, or spend, of each row.
    """

    rows: Customers
    segment: Integers
    segments: dict[str, nw.Series[Any]]
    n_segments: int
    histories: Customers
    spend: Customers


def read_segmented_customers(
    native: Any,
    columns: Mapping[str, str],
    *,
    customer: str,
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    unit: Period,
    covariates: Mapping[str, Covariates],
) -> SegmentedCustomers:
    """Check a summary of purchases, and find the distinct rows of each segment.

    `unit` is the one in which its times should be, `reserved` are the columns of the result.
    `covariates` are those that matter to "histories" and to "spend".
    """
    segment_names(by, reserved)
    coded = union_of(covariates.values()).add_to(from_native(native, "summary"))
    names = {**columns, **coded.names}
    declared = {"customer": customer, **names}
    known = (*_COLUMNS, *covariate_columns(coded.names))
    table = read_columns(
        to_native(coded.frame), "summary", known, declared, by=by, reserved=reserved
    )
    check_a_row_each(table.rows.select(key=nw.col("customer")), customer)
    frame, parts = table.given, segment_keys(table.by)
    keys = key_columns(frame, names)
    own = {key: nw.col(inner_name(frame, name)) for key, name in zip(parts, table.by, strict=True)}
    rows = frame.select(**own, **keys, **unit_key(frame, "summary", unit))
    found, counts, units = _distinct_rows(rows, [*parts, *keys], unit)
    distinct = [found[key].to_numpy().astype(np.float64) for key in keys]
    segments, segment = factorize_segments(
        from_columns({key: found[key] for key in [*parts, *keys]}), parts
    )
    customers = Customers(
        frame=frame,
        names=names,
        distinct=dict(zip(names, distinct, strict=True)),
        counts=counts,
        code=np.arange(len(counts)),
        unit=one_unit(units, frame, "summary"),
    )
    coded.check_known(customers.distinct, counts)
    parts_of = {"histories": HISTORY, "spend": SPEND}
    reduced = []
    for part, arguments in parts_of.items():
        keys_of = [key_of(name) for name in covariates[part].arguments]
        found_part = reduced_to(customers, (*arguments, *keys_of))
        numbers = {name: found_part.distinct[name] for name in arguments}
        check_distinct_rows(numbers, found_part.counts, found_part.names)
        reduced.append(replace(found_part, covariates=coded))
    histories, spend = reduced
    return SegmentedCustomers(
        rows=customers,
        segment=segment,
        segments=dict(zip(table.by, segments.values(), strict=True)),
        n_segments=int(segment.max(initial=-1)) + 1,
        histories=histories,
        spend=spend,
    )


def _distinct_rows(
    rows: Frame, keys: list[str], likely: Period
) -> tuple[dict[str, nw.Series[Any]], Floats, list[Any]]:
    """Return the distinct rows in ascending order, the number of each, and the units."""
    units = [TIME_UNIT] if TIME_UNIT in rows.collect_schema().names() else []
    if isinstance(rows, nw.DataFrame):
        number = None
        found_units = [one for name in units for one in units_in_memory(rows[name], likely)]
    else:
        rows = collect(rows.group_by(*keys, *units).agg(rows=nw.len()))
        number = rows["rows"].to_numpy().astype(np.float64)
        found_units = [
            unit_of_key(one, likely) for name in units for one in rows[name].unique().to_list()
        ]
    found, code = factorize_segments(rows, keys)
    counts = np.bincount(code, number, minlength=len(found[keys[0]])).astype(np.float64)
    return found, counts, found_units
