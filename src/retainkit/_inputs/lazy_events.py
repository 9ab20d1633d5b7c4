"""Expressions and joins over event logs that the lazy reducers share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._inputs.events import Events
from retainkit._time.moment import Moment
from retainkit._time.zones import wall_time_expr
from retainkit._typing import Integers

Rows: TypeAlias = nw.LazyFrame[Any]
"""Rows of a lazy plan."""


def wall_time(column: str, events: Events, end: Moment, zone: tzinfo | None) -> nw.Expr:
    """Wall-clock time in `zone` of a column of times, none of which lies after `end`."""
    first = min(events.earliest.instant, end.instant) if events.earliest else end.instant
    return wall_time_expr(nw.col(column), zone=zone, first=first, last=end.instant)


def first_segments(
    rows: Rows, firsts: Rows, key: Sequence[str], segments: Sequence[str]
) -> tuple[Rows, Rows]:
    """Return the segment at the first time of each key, and how many segments there were then.

    `firsts` has the key and the ``time``. Of several segments the smallest is returned; their
    number is the column ``several``.
    """
    at_first = rows.join(firsts, on=[*key, "time"])
    found = at_first.group_by(*key, *segments).agg(rows=nw.len())
    several = found.group_by(key).agg(several=nw.len())
    types = found.collect_schema()
    for column in segments:
        value = nw.col(column)
        if isinstance(types[column], nw.Enum):  # of which older versions of Polars know no least
            value = value.rank("dense").over(*key)
        found = found.with_columns(value=value)
        found = found.with_columns(least=nw.col("value").min().over(*key))
        smallest = (nw.col("value") == nw.col("least")) | nw.col("least").is_null()
        found = found.filter(smallest).select(*key, *segments)
    return found, several


def integer_columns(frame: nw.DataFrame[Any], names: Sequence[str]) -> dict[str, Integers]:
    """Return columns of a collected frame as arrays of integers."""
    return {name: frame[name].to_numpy().astype(np.int64) for name in names}
