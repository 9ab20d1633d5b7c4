"""Ratings of drivers with an outcome: checked once, when they come in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_list
from retainkit._frames.dtypes import is_numeric_like, type_name
from retainkit._frames.input import check_present, collect, from_native, normalize_pandas
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import check_type, segment_names
from retainkit._messages import count_noun, warn
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retainkit._frames.input import Frame
    from retainkit._typing import Booleans, Floats, Integers


RESULT = (
    *("driver", "n", "importance", "share", "lower", "upper", "correlation", "coefficient"),
    *("sign_flip", "r_squared", "method"),
)
MOST_LMG = 12


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
        """Give the values and the weights of each segment."""
        spans = [slice(*edge) for edge in pairwise(self.edges.tolist())]
        return [(self.values[span], self.weights[span]) for span in spans]


def driver_names(drivers: Any, outcome: str, method: str) -> tuple[str, ...]:
    """Check the names of the drivers: several columns, none of them the outcome."""
    if not is_list(drivers):
        raise ArgumentTypeError(
            f"`drivers` is {drivers!r}; it must be a list of the names of columns."
        )
    names = tuple(drivers)
    if not names:
        raise ArgumentError("`drivers` is empty; name the columns that may drive the outcome.")
    for name in names:
        if not isinstance(name, str):
            raise ArgumentTypeError(f"`drivers` names {name!r}; each must be the name of a column.")
        if names.count(name) > 1:
            raise ArgumentError(f"`drivers` names {name!r} more than once; name each column once.")
        if name == outcome:
            raise ArgumentError(
                f"`drivers` names {name!r}, which is the `outcome`; it would explain itself."
            )
    if method == "lmg" and len(names) > MOST_LMG:
        raise ArgumentError(
            f"`method` is 'lmg', which looks at every set of drivers, for at most {MOST_LMG} of "
            f"them; `drivers` names {len(names)}. Use 'relative_weights', or name fewer."
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
    frame = from_native(responses, "responses")
    segments = segment_names(by, RESULT)
    needed = [*(("drivers", one) for one in drivers), ("outcome", outcome)]
    needed += [] if weights is None else [("weights", weights)]
    for argument, column in [*needed, *(("by", column) for column in segments)]:
        check_present(argument, column, frame)
    frame, _ = normalize_pandas(frame, [], {column: "float64" for _, column in needed})
    for argument, column in needed:
        if not is_numeric_like(frame, column):
            raise ColumnTypeError(
                f"column {column!r} (given as `{argument}`) holds {type_name(frame, column)}; it "
                "must hold numbers: code answers in words as numbers first, yes and no as 1 and 0."
            )
    for column in segments:
        check_type("by", column, frame)
    named = {f"value_{i}": nw.col(column).cast(nw.Float64) for i, (_, column) in enumerate(needed)}
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    rows = collect(frame.select(**named, **keys))
    values = np.column_stack([rows[name].to_numpy().astype(np.float64) for name in named])
    found, segment = factorize_segments(rows, list(keys))
    size = int(segment.max(initial=-1)) + 1 if segments else 1
    kept = _known(values, needed, missing)
    columns, weight = values[:, : len(drivers) + 1], np.ones(len(values))
    if weights is not None:
        weight = _checked_weights(values[:, -1], weights)
        kept &= weight > 0
    order = np.lexsort((weight, *columns.T, segment))
    order = order[kept[order]]
    return DriverRows(
        given=frame,
        by=segments,
        outcome=outcome,
        drivers=drivers,
        segments={name: found[key] for name, key in zip(segments, keys, strict=True)},
        edges=np.searchsorted(segment[order], np.arange(size + 1)),
        values=columns[order],
        weights=weight[order],
        empty=not len(rows),
    )


def _known(values: Floats, needed: Sequence[tuple[str, str]], missing: str) -> Booleans:
    """Tell the rows in which nothing is missing, and refuse the others or warn of them."""
    for (argument, column), one in zip(needed, values.T, strict=True):
        infinite = int(np.isinf(one).sum())
        if infinite:
            raise ArgumentError(
                f"column {column!r} (given as `{argument}`) is infinite in "
                f"{count_noun(infinite, 'row')}, of {len(values):,}. Put a number there, or leave "
                "them out."
            )
    lacks = np.isnan(values)
    known = np.asarray(~lacks.any(axis=1))
    gone = int((~known).sum())
    if not gone:
        return known
    counts = [
        f"column {column!r} (given as `{argument}`) is null in {count_noun(count, 'row')}"
        for (argument, column), count in zip(needed, lacks.sum(axis=0).tolist(), strict=True)
        if count
    ]
    text = " and ".join(counts[:5]) + (" and others" if len(counts) > 5 else "")
    if missing == "raise":
        raise ArgumentError(
            f"{text}, of {len(values):,}. Fill them in or leave them out; `missing='drop'` leaves "
            f"{count_noun(gone, 'such row')} out, with a warning."
        )
    warn(f"{text}: {gone:,} of {count_noun(len(values), 'row')} left out.")
    return known


def _checked_weights(weights: Floats, column: str) -> Floats:
    negative = weights[weights < 0]
    if len(negative):
        some = [f"{value:g}" for value in np.unique(negative)]
        raise ArgumentError(
            f"column {column!r} (given as `weights`) is negative in "
            f"{count_noun(len(negative), 'row')}: {', '.join(some[:5])}{', …' * (len(some) > 5)}; "
            "weights must be 0 or more."
        )
    return weights
