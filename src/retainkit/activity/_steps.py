"""The steps that the functions on visits share: windows, the choice of a reducer, segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._messages import count_noun, warn
from retainkit.activity import _eager, _lazy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from retainkit._inputs.events import Events
    from retainkit._time.moment import Moment
    from retainkit._typing import Integers


def choose_reducer(log: Events) -> ModuleType:
    """Choose the plan for an engine and the kernel for a frame in memory."""
    return _lazy if isinstance(log.rows, nw.LazyFrame) else _eager


def last_midnight(log: Events, end: Moment) -> Moment:
    """Give the last midnight up to the end of observation: a day is seen whole, or not at all."""
    return end.begin_of("day", "monday", log.zone)


def segment_values(
    log: Events, segments: Mapping[str, nw.Series[Any]], segment: Integers
) -> dict[str, nw.Series[Any]]:
    """Name the segment of each row of a result."""
    return {
        name: segments[key][segment.tolist()] for name, key in zip(log.by, log.keys, strict=True)
    }


def warn_of_ambiguous_segments(number: int) -> None:
    """Count those whose segment had to be chosen."""
    if number:
        warn(
            f"{count_noun(number, 'customer')} with several values of `by` at the instant of the "
            "first row, of which the smallest is taken."
        )
