"""Read tables of cohorts and ages: results of `cohort_retention`, or counts of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_true
from retainkit._frames.input import check_present, read_result
from retainkit._frames.names import inner_name
from retainkit._messages import count_noun
from retainkit._typing import Booleans
from retainkit.errors import ArgumentError, ColumnTypeError

COHORT_COLUMNS = (
    *("cohort", "age", "age_end", "customers", "eligible", "retained", "retention"),
    *("lower", "upper", "complete", "amount", "amount_per_customer"),
)
"""Names of the table's own columns; no segment can have one of these names."""

_COUNTS = ("age", "eligible", "retained")


def read_cohort_counts(native: Any) -> nw.DataFrame[Any]:
    """Read the cells of cohorts that are over, with their `eligible` and `retained` customers.

    Without a column ``eligible`` all `customers` of a cohort are. Cohorts without customers are
    left out.
    """
    columns = ("cohort", "age", "retained")
    frame = read_result(
        native,
        argument="table",
        columns=columns,
        made_by=["cohort_retention"],
        numbers=("age", "eligible", "customers", "retained", "lower"),
    )
    if "eligible" not in frame.columns:
        check_present("table", "customers", frame)
        frame = frame.with_columns(eligible=nw.col("customers"))
    limits = ("lower",) if "lower" in frame.columns else ()
    check_numbers(frame, "table", (*_COUNTS, *limits), complete=_COUNTS)
    _check_retained(frame)
    return frame[np.flatnonzero(_is_known(frame)).tolist()]


def _check_retained(frame: nw.DataFrame[Any]) -> None:
    """Check that no more customers are retained than there are."""
    eligible, retained = (
        frame[name].to_numpy().astype(np.float64) for name in ("eligible", "retained")
    )
    wrong = np.flatnonzero((retained < 0) | (retained > eligible))
    if len(wrong):
        some = [f"{retained[i]:g} of {eligible[i]:g}" for i in wrong[:3].tolist()]
        raise ArgumentError(
            f"column 'retained' of `table` does not count some of the customers in "
            f"{count_noun(len(wrong), 'row')}, of {len(frame):,}: {', '.join(some)}. It must lie "
            "from 0 to the number of customers; shares are to be multiplied by it first.",
            code="count_above_total",
            argument="table",
            column="retained",
            rows=len(wrong),
            total=len(frame),
        )


def _is_known(frame: nw.DataFrame[Any]) -> Booleans:
    """Mark cells that are over, of cohorts that have customers."""
    if "lower" in frame.columns:
        # A cell in progress has no interval, and a cohort without customers no rate.
        return ~np.isnan(frame["lower"].to_numpy().astype(np.float64))
    known: Booleans = frame["eligible"].to_numpy().astype(np.float64) > 0
    if "complete" in frame.columns and frame.schema["complete"] == nw.Boolean:
        known &= is_true(frame["complete"])
    return known


def check_numbers(
    frame: nw.DataFrame[Any], argument: str, columns: Sequence[str], complete: Sequence[str]
) -> None:
    """Check that columns of a table hold numbers; in the `complete` ones none may be missing."""
    for column in columns if len(frame) else ():
        values = frame[inner_name(frame, column)]
        known = ~values.is_null()
        if not values.dtype.is_numeric() and known.any():
            raise ColumnTypeError(
                f"column {column!r} of `{argument}` holds {values.dtype}; it must hold numbers, as "
                "in a result of cohort_retention.",
                argument=argument,
                column=column,
            )
        missing = len(frame) - int(np.isfinite(values.to_numpy().astype(float)).sum())
        if column in complete and missing:
            raise ArgumentError(
                f"column {column!r} of `{argument}` has no number in {count_noun(missing, 'row')}; "
                "leave them out.",
                code="null_values",
                argument=argument,
                column=column,
                rows=missing,
                total=len(frame),
            )
