"""Columns of a table of cohorts and ages, the result of `cohort_retention`, and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._messages import count_noun
from retainkit.errors import ArgumentError, ColumnTypeError

COHORT_COLUMNS = (
    *("cohort", "age", "age_end", "customers", "eligible", "retained", "retention"),
    *("lower", "upper", "complete", "amount", "amount_per_customer"),
)
"""Names of the table's own columns; no segment can have one of these names."""


def check_numbers(
    frame: nw.DataFrame[Any], argument: str, columns: Sequence[str], complete: Sequence[str]
) -> None:
    """Check that columns of a table hold numbers; in the `complete` ones none may be missing."""
    for column in columns if len(frame) else ():
        dtype = frame.schema[column]
        known = ~frame[column].is_null()
        if not dtype.is_numeric() and known.any():
            raise ColumnTypeError(
                f"column {column!r} of `{argument}` holds {dtype}; it must hold numbers, as in a "
                "result of cohort_retention."
            )
        missing = len(frame) - int(np.isfinite(frame[column].to_numpy().astype(float)).sum())
        if column in complete and missing:
            raise ArgumentError(
                f"column {column!r} of `{argument}` has no number in {count_noun(missing, 'row')}; "
                "leave them out."
            )
