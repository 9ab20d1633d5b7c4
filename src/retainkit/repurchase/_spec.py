"""The specification of a reduction of the days on which customers bought, and its columns.

`_lazy` reduces inside an engine and `_eager` on arrays in memory; the tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import Moment

ROWS = ("customer", "purchases", "last", "recency_days", "typical_gap", "frequency", "recency", "T")
"""The columns of a reduction after those of the segments.

``last`` is a date, ``typical_gap`` null where there are too few gaps, and the last three are the
history in the unit of the model.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpec:
    """How days of purchase are reduced: `end` lies on `day`.

    In whole periods (`length` None) the purchases of a `period` are one for the model; else those
    of a day, and its times are days divided by `length`. `last` is the period that holds the last
    instant before `end`.
    """

    end: Moment
    day: int
    last: int
    period: PeriodGrid
    length: float | None
    min_gaps: int
