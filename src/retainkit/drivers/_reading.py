"""Read ratings of drivers and an outcome, and bring them into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_list
from retainkit._frames.dtypes import is_numeric_like
from retainkit._frames.input import Frame, collect
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import infinite_values
from retainkit._inputs.kinds import NUMBER
from retainkit._inputs.nulls import nulls_in
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError, ArgumentTypeError

RESULT = (
    *("driver", "n", "importance", "share", "lower", "upper", "correlation", "coefficient"),
    *("sign_flip", "r_squared", "method"),
)
MOST_LMG = 12


def _is_rating(frame: Frame, column: str) -> bool:
    return frame.collect_schema()[column] == nw.Boolean or is_numeric_like(frame, column)


_RATING = replace(
    NUMBER,
    need="numbers or booleans: code answers in words as numbers first",
    fits=_is_rating,
    advice=False,
)
# Nulls are looked for in memory.
RATINGS = (
    Column("drivers", _RATING, nulls="keep"),
    Column("outcome", _RATING, nulls="keep"),
    Column("weights", NUMBER, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRows:
    """Checked rows, sorted, so that their order in the frame does not matter.

    `values` has the drivers and the outcome last; `segments` has a row for each segment, of which
    the rows from `edges` to the next belong to it. `empty` says that there were no rows at all.
    """

    given: Frame
    by: tuple[str, ...]
    outcome: str
    drivers: tuple[str, ...]
    segments: dict[str, nw.Series[Any]]
    edges: Integers
    values: Floats
    weights: Floats
    empty: bool

    def by_segment(self) -> list[tuple[Floats, Floats]]:
        """Return the values and the weights of each segment."""
        spans = [slice(*edge) for edge in pairwise(self.edges.tolist())]
        return [(self.values[span], self.weights[span]) for span in spans]


def driver_names(drivers: Any, outcome: str, method: str) -> tuple[str, ...]:
    """Check the names of the drivers: several columns, none of them the outcome."""
    if not is_list(drivers):
        raise ArgumentTypeError(
            f"`drivers` is {drivers!r}; it must be a list of the names of columns.",
            argument="drivers",
        )
    names = tuple(drivers)
    if not names:
        raise ArgumentError(
            "`drivers` is empty; name the columns that may drive the outcome.",
            code="empty_argument",
            argument="drivers",
        )
    for name in names:
        if not isinstance(name, str):
            raise ArgumentTypeError(
                f"`drivers` names {name!r}; each must be the name of a column.",
                argument="drivers",
            )
        if names.count(name) > 1:
            raise ArgumentError(
                f"`drivers` names {name!r} more than once; name each column once.",
                code="named_twice",
                argument="drivers",
                column=name,
            )
        if name == outcome:
            raise ArgumentError(
                f"`drivers` names {name!r}, which is the `outcome`; it would explain itself.",
                code="named_twice",
                argument="drivers",
                column=name,
            )
    if method == "lmg" and len(names) > MOST_LMG:
        raise ArgumentError(
            f"`method` is 'lmg', which looks at every set of drivers, for at most {MOST_LMG} of "
            f"them; `drivers` names {len(names)}. Use 'relative_weights', or name fewer.",
            code="argument_conflict",
            argument="method",
        )
    return names


def read_rows(
    responses: Any,
    *,
    outcome: str,
    drivers: tuple[str, ...],
    by: str | Sequence[str] | None,
    weights: str | None,
    missing: str,
) -> DriverRows:
    """Check the columns that are needed and bring them into memory.

    Segments must not be called like one of the columns of the result.
    """
    columns = {f"driver_{i}": column for i, column in enumerate(drivers)}
    table = read_columns(
        responses,
        "responses",
        [*(replace(RATINGS[0], argument=one) for one in columns), *RATINGS[1:]],
        {**columns, "outcome": outcome, "weights": weights},
        by=by,
        reserved=RESULT,
        argument_names=dict.fromkeys(columns, "drivers"),
    )
    rows = collect(table.rows)
    values = np.column_stack([rows[name].to_numpy().astype(np.float64) for name in table.names])
    found, segment = factorize_segments(rows, table.keys)
    size = int(segment.max(initial=-1)) + 1 if table.by else 1
    kept = _check_complete(values, table, missing)
    ratings, weight = values[:, : len(drivers) + 1], np.ones(len(values))
    if weights is not None:
        weight = values[:, -1]
        _check_weights(weight, table)
        kept &= weight > 0
    order = np.lexsort((weight, *ratings.T, segment))
    order = order[kept[order]]
    return DriverRows(
        given=table.given,
        by=table.by,
        outcome=outcome,
        drivers=drivers,
        segments=dict(zip(table.by, found.values(), strict=True)),
        edges=np.searchsorted(segment[order], np.arange(size + 1)),
        values=ratings[order],
        weights=weight[order],
        empty=not len(rows),
    )


def _check_complete(values: Floats, table: CheckedTable, missing: str) -> Booleans:
    """Return the rows in which nothing is missing; raise if there are others, or warn of them."""
    for argument, one in zip(table.names, values.T, strict=True):
        infinite = int(np.isinf(one).sum())
        if infinite:
            raise infinite_values(table, argument, infinite, len(values))
    lacks = np.isnan(values)
    known = np.asarray(~lacks.any(axis=1))
    gone = int((~known).sum())
    if not gone:
        return known
    counts = dict(zip(table.names, lacks.sum(axis=0).tolist(), strict=True))
    nulls = nulls_in(table, counts, len(values))
    if nulls is not None:
        nulls.raise_or_warn(missing, gone)
    return known


def _check_weights(weights: Floats, table: CheckedTable) -> None:
    """Check that no weight is negative."""
    negative = weights[weights < 0]
    if len(negative):
        raise ArgumentError(
            f"{table.source('weights')} is negative in {count_noun(len(negative), 'row')}: "
            f"{format_examples(np.unique(negative).tolist())}; weights must be 0 or more.",
            code="negative_values",
            argument="weights",
            column=table.names["weights"],
            rows=len(negative),
            total=len(weights),
        )
