"""The specification of an affinity and its counts, which both reducers return.

`_lazy` counts inside an engine and `_eager` on arrays in memory; the tests hold them equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._time.moment import Moment
from retainkit._time.windows import Window
from retainkit._typing import Floats, Integers

EARLIEST = -62_135_596_800_000_000
"""The first microsecond of the year 1, before which there is no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinitySpec:
    """What a reduction depends on, checked.

    With a `window` a trial is the first purchase of an item, and what is bought later within it;
    without one it is an order. Observation ends at `end`.
    """

    min_trials: int
    window: Window | None = None
    end: Moment | None = None

    @property
    def last_start(self) -> int:
        """The latest time of a trial that is over at the end: of the wall clock for whole days."""
        assert self.window is not None and self.end is not None  # noqa: S101, PT018
        end = self.end.wall if self.window.whole_days else self.end.instant
        return max(end - self.window.microseconds, EARLIEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts:
    """Counted trials of the items that are kept, and their pairs.

    `segments` has the values of each segment, and `total` its trials. `segment`, `item`, `trials`
    and `open` have an element for each item of a segment, in ascending order of both. The pairs
    are `first` and `second`, places among these, with the number of trials that have both and the
    median days between; of a basket each pair is there once. `rare` are the numbers of trials of
    the items that are left out, `rare_items` a few of these.
    """

    segments: Mapping[str, nw.Series[Any]]
    total: Integers
    segment: Integers
    item: nw.Series[Any]
    trials: Integers
    open: Integers
    first: Integers
    second: Integers
    both: Integers
    days: Floats | None
    n_rare: int
    rare_items: Sequence[Any]
