"""Read snapshots for a model of churn: customers, outcomes, and features as rows of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or, is_null
from retainkit._frames.factorize import factorize, integer_codes
from retainkit._frames.input import Frame, check_present, collect, from_native
from retainkit._frames.names import inner_name, outer_name
from retainkit._inputs.columns import CheckedTable, Column, column_names, read_columns
from retainkit._inputs.facts import infinite_values
from retainkit._inputs.kinds import ID, SEGMENT
from retainkit._inputs.nulls import Nulls, nulls_in
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.risk._scored import (
    FLAG_OR_NUMBER,
    check_outcome_is_no_text,
    check_outcomes,
    warn_of_open_rows,
)

ENDING = "_missing"
"""What the name of a column ends with that says where a feature is null."""

_LARGEST = 1e100  # of a feature: squares of larger ones overflow
_AHEAD = "amount_ahead"
_CHANGES = "orders_change_"
_FEATURE = Column("features", FLAG_OR_NUMBER, nulls="keep")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SnapshotRows:
    """Rows with an outcome: `matrix` has a row for each of the `features`, NaN where it is null.

    Before them it has one that is free. `customer` numbers the customers; there are `n_customers`
    of them and `n_snapshots` instants.
    """

    features: tuple[str, ...]
    matrix: Floats
    events: Integers
    customer: Integers
    n_customers: int
    n_snapshots: int
    outcome: str
    snapshot: str


def read_snapshots(
    snapshots: Any,
    *,
    features: Sequence[str] | None,
    outcome: str,
    customer: str,
    snapshot: str,
    missing: str,
) -> SnapshotRows:
    """Check snapshots and bring the columns that are needed into memory."""
    own = {"outcome": outcome, "customer": customer, "snapshot": snapshot}
    given = None if features is None else _named_features(features, own)
    frame = from_native(snapshots, "snapshots")
    check_present("outcome", outcome, frame)
    check_outcome_is_no_text(frame, outcome)
    names = _numeric_columns(frame, own) if given is None else given
    table = _read(snapshots, names, own)
    rows = collect(table.rows)
    closed = ~is_null(rows["outcome"])
    if not closed.all():
        gone = int((~closed).sum())
        warn_of_open_rows(table.source("outcome"), outcome, gone, len(closed))
        rows = rows.filter(closed.tolist())
    _check_keys(rows, table)
    events = floats_or(rows["outcome"], np.nan)
    check_outcomes(events, np.ones(len(events), np.int64), table.source("outcome"), outcome)
    who, when = _codes(rows["customer"]), _codes(rows["snapshot"])
    _check_one_row_each(rows, who, when, table)
    matrix = np.empty((len(names) + 1, len(rows)))
    read_features(rows, matrix[1:])
    _check_features(matrix[1:], table, missing)
    return SnapshotRows(
        features=names,
        matrix=matrix,
        events=events.astype(np.int64),
        customer=who,
        n_customers=int(np.count_nonzero(np.bincount(who))),
        n_snapshots=int(np.count_nonzero(np.bincount(when))),
        outcome=outcome,
        snapshot=snapshot,
    )


def _named_features(features: Any, own: dict[str, str]) -> tuple[str, ...]:
    """Check the argument `features`: names of columns, none of them another argument's."""
    names = column_names("features", features)
    if not names:
        raise ArgumentError(
            "`features` is empty; name the columns to learn from, or leave it out for all numbers.",
            code="empty_argument",
            argument="features",
        )
    for argument, column in own.items():
        if column in names:
            raise ArgumentError(
                f"`features` names {column!r}, which is the `{argument}`; leave it out.",
                code="named_twice",
                argument="features",
                column=column,
            )
    return names


def _numeric_columns(frame: Frame, own: dict[str, str]) -> tuple[str, ...]:
    """Return all columns of numbers and booleans that may be features."""
    schema = frame.collect_schema()
    used = {inner_name(frame, one) for one in own.values() if isinstance(one, str)}
    names = tuple(
        outer_name(name)
        for name, dtype in schema.items()
        if (dtype.is_numeric() or dtype == nw.Boolean)
        and name not in used
        and name != _AHEAD
        and not name.startswith(_CHANGES)
    )
    if not names:
        raise ArgumentError(
            "`snapshots` has no column of numbers but those that are no features; name some in "
            "`features`.",
            code="nothing_to_learn",
            argument="features",
        )
    return names


def _read(snapshots: Any, names: tuple[str, ...], own: dict[str, str]) -> CheckedTable:
    """Check that columns are there and of a type that they may have."""
    features = {f"feature_{i}": name for i, name in enumerate(names)}
    columns = [
        Column("outcome", FLAG_OR_NUMBER, nulls="keep"),
        Column("customer", ID, nulls="keep"),
        Column("snapshot", replace(SEGMENT, owners=""), nulls="keep"),
        *(replace(_FEATURE, argument=one) for one in features),
    ]
    return read_columns(
        snapshots,
        "snapshots",
        columns,
        {**own, **features},
        argument_names=dict.fromkeys(features, "features"),
    )


def read_features(rows: nw.DataFrame[Any], values: Floats) -> None:
    """Read the features into the rows of a matrix, NaN where they are null."""
    for i, one in enumerate(values):
        one[:] = floats_or(rows[f"feature_{i}"], np.nan)


def _codes(series: nw.Series[Any]) -> Integers:
    codes, _ = integer_codes(series) if series.dtype.is_integer() else factorize(series, sort=False)
    return codes


# Checks


def _check_keys(rows: nw.DataFrame[Any], table: CheckedTable) -> None:
    """Check that every row has a customer and a snapshot."""
    lacks = {name: int(rows[name].null_count()) for name in ("customer", "snapshot")}
    nulls = nulls_in(table, lacks, len(rows))
    if nulls is not None:
        raise nulls.error(drop=False)


def _check_one_row_each(
    rows: nw.DataFrame[Any], who: Integers, when: Integers, table: CheckedTable
) -> None:
    """Check that no customer is twice in a snapshot."""
    pair = who * (int(when.max(initial=0)) + 1) + when
    order = np.argsort(pair)
    again = order[1:][pair[order[1:]] == pair[order[:-1]]]
    if len(again):
        some = rows["customer"][np.unique(again)[:5].tolist()].to_list()
        raise ArgumentError(
            f"{table.source('customer')} is there several times in one snapshot, in "
            f"{count_noun(len(again), 'row')} too many of {len(rows):,}, such as "
            f"{format_examples(some)}: a customer has one row in each. Was it joined with a "
            "table of several rows a customer?",
            code="repeated_customers",
            argument="customer",
            column=table.names["customer"],
            rows=len(again),
            total=len(rows),
        )


def _check_features(values: Floats, table: CheckedTable, missing: str) -> None:
    """Check that features are finite, and not null unless that may be."""
    check_finite(values, table)
    if missing == "indicator":
        return
    nulls = null_features(np.isnan(values), table)
    if nulls is not None:
        raise nulls.error(
            advice="Pass missing='indicator', which puts the mean there and adds a column that "
            "says where, name other `features`, or fill them in",
            drop=False,
        )


def null_features(lacks: Booleans, table: CheckedTable) -> Nulls | None:
    """Return the nulls in features, if there are any."""
    counts = {f"feature_{i}": int(one.sum()) for i, one in enumerate(lacks)}
    return nulls_in(table, counts, lacks.shape[1])


def check_finite(values: Floats, table: CheckedTable) -> None:
    """Check that no feature is infinite, or as good as that."""
    for i, one in enumerate(values):
        most = np.fmax.reduce(np.abs(one), initial=0.0)
        if most < _LARGEST:
            continue
        rows = int((np.abs(one) >= _LARGEST).sum())
        what = "is infinite, or too large to compute with, in"
        raise infinite_values(table, f"feature_{i}", rows, len(one), what=what)
