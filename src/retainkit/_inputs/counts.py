"""Read columns of counts in memory."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats
from retainkit.errors import ArgumentError


def read_counts(rows: nw.DataFrame[Any], table: CheckedTable, argument: str) -> Floats:
    """Read a column of counts, and check that none is null or negative."""
    source = table.source(argument)
    name = table.argument_names.get(argument, argument)
    column = table.names[argument]
    unknown = int(rows[argument].is_null().sum())
    if unknown:
        raise ArgumentError(
            f"{source} is null in {count_noun(unknown, 'row')}; fill it in, or leave such rows "
            "out.",
            code="null_values",
            argument=name,
            column=column,
            rows=unknown,
            total=len(rows),
        )
    counts: Floats = rows[argument].to_numpy().astype(np.float64)
    negative = counts[counts < 0]
    if len(negative):
        raise ArgumentError(
            f"{source} is negative in {count_noun(len(negative), 'row')}: "
            f"{format_examples(np.unique(negative).tolist())}; counts must be 0 or more.",
            code="negative_values",
            argument=name,
            column=column,
            rows=len(negative),
            total=len(rows),
        )
    return counts
