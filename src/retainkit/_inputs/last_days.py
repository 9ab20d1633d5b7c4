"""Ends that are last days: read them as such, and notice them where they are read otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._frames.input import collect, instants_or
from retainkit._frames.output import with_instants
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.kinds import TIME
from retainkit._messages import count_noun, warn
from retainkit._time.moment import Moment, midnights_after
from retainkit._time.periods import DAY, SECOND
from retainkit._typing import Integers

# As many rows at least must begin just after an end before a warning says so.
_FEW = 3


def end_after_last_days(table: CheckedTable, moment: Moment) -> CheckedTable:
    """Return the table in memory, each end moved to the midnight after its day.

    Ends at or after the end of observation stay as they are: there may be no day after them.
    """
    rows = collect(table.rows)
    times = [name for name, column in table.declared.items() if column.holds is TIME]
    instants = {name: instants_or(rows[name], NEVER) for name in times}
    end = instants["end"].copy()  # it may be the memory of the caller
    seen = end < moment.instant
    end[seen] = midnights_after(end[seen], table.zone)
    instants["end"] = end
    return replace(table, rows=with_instants(rows, instants, NEVER))


def warn_of_last_days(customer: Integers, begin: Integers, end: Integers) -> None:
    """Warn where most ends seem to be last days.

    Rows are ordered by customer and begin. Of those that follow another of their customer, more
    than half begin a day, or a second or less, after its end.
    """
    after = np.flatnonzero((customer[1:] == customer[:-1]) & (begin[1:] >= end[:-1]))
    pause = begin[1:][after] - end[:-1][after]
    close = int(((pause == DAY) | ((pause > 0) & (pause <= SECOND))).sum())
    if close >= _FEW and 2 * close > len(after):
        warn(
            f"{close:,} of {count_noun(len(after), 'row')} that follow another of their customer "
            "begin one day, or a second or less, after its end: the ends seem to be last days, on "
            "which a subscription still runs. With `end_is='last_day'` it runs to the midnight "
            "after; as it is, each pause may count as a loss.",
            code="ends_look_like_last_days",
            argument="end",
            rows=close,
            total=len(after),
        )
