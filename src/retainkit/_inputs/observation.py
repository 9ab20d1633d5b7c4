"""First and last times of a checked table, and the end of observation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.kinds import TIME
from retainkit._messages import count_noun, warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import (
    Moment,
    as_of_moment,
    edge_moments,
    end_of_day,
    moment_in,
    read_datetime,
)
from retainkit._time.periods import DAY, SECOND
from retainkit._time.zones import instant_expr, wall_times
from retainkit.errors import ArgumentError

_MOST_MOMENTS = 4_000  # at which two clocks are compared: every day of eleven years


def check_as_of(as_of: str | date | None, argument: str = "as_of") -> None:
    """Check the argument `as_of`, or another like it, as far as no table is needed for it."""
    if as_of is not None:
        read_datetime(as_of, argument)


def beyond_the_calendar(table: CheckedTable, found: str) -> ArgumentError:
    """Return the error for times for which there is no date."""
    observed = [argument for argument, column in table.declared.items() if column.observed]
    times = [argument for argument, column in table.declared.items() if column.holds is TIME]
    first, *_ = observed or times
    sources = (table.source(argument) for argument in observed or [first])
    return ArgumentError(
        f"column {' or '.join(source.removeprefix('column ') for source in sources)} goes beyond "
        f"the calendar ({found}); times must lie within the years 1 to 9999, in the zone of the "
        "periods too.",
        code="beyond_calendar",
        argument=first,
        column=table.names[first],
    )


def moments_of(
    table: CheckedTable, times: Mapping[str, datetime], found: str = ""
) -> dict[str, Moment]:
    """Place times of a table in the zone of its periods.

    An error says which times were `found`, by default the least and the greatest. A warning says
    where the frame's own clock shows something else between them.
    """
    try:
        found_at = {name: moment_in(time, table.zone) for name, time in times.items()}
    except (ValueError, OverflowError):
        found = found or f"{min(times.values())} to {max(times.values())}"
        raise beyond_the_calendar(table, found) from None
    if found_at:
        instants = [moment.instant for moment in found_at.values()]
        warn_of_other_rules(table, min(instants), max(instants))
    return found_at


def warn_of_other_rules(table: CheckedTable, first: int, last: int) -> None:
    """Warn where a frame's own clock shows another time than ours between two instants."""
    clock = table.clock
    if clock is None:
        return
    step = max(DAY, (last - first) // _MOST_MOMENTS)
    instants = np.append(np.arange(first, last, step, dtype=np.int64), last)
    ours, theirs = wall_times(instants, table.zone), clock.wall_times(instants)
    if theirs is None or (theirs == ours).all():
        return
    at = int(np.flatnonzero(theirs != ours)[0])
    day = ours[at : at + 1].astype("datetime64[us]").astype("datetime64[D]")[0]
    here, there = (_offset(int(one[at] - instants[at])) for one in (ours, theirs))
    argument = next(one for one, column in table.declared.items() if column.holds is TIME)
    warn(
        f"on {day} the clock of {table.source(argument)} shows {there} in {clock.zone}, and "
        f"Python's rules of time zones say {here}. Days are cut by Python's rules, whatever the "
        "frame shows: those of the operating system, or else of the package tzdata. Bring both up "
        "to date.",
        code="zone_rules",
        argument=argument,
        column=clock.column,
    )


def _offset(microseconds: int) -> str:
    """Return an offset from UTC in words."""
    minutes = abs(microseconds) // (60 * SECOND)
    return f"UTC{'-' if microseconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def observed_until(
    last: Moment | None, zone: tzinfo | None, as_of: str | date | None, error: ArgumentError
) -> Moment:
    """Return `as_of`, or the midnight that ends the day of the last time.

    The error is raised where no midnight comes after it.
    """
    if as_of is not None:
        return as_of_moment(as_of, zone)
    try:
        # Of no rows any end is as good as another.
        return end_of_day(0 if last is None else last.instant, zone)
    except OverflowError:
        raise error from None


def warn_of_outside(
    number: int, total: int, argument: str, ends: tuple[Moment, Moment], table: str = ""
) -> None:
    """Warn of rows, of so many in `total`, that lie outside the edges of periods."""
    if number:
        first, last = ends
        warn(
            f"{number:,} of {count_noun(total, 'row')}{table} lie in no period: outside the edges "
            f"of `{argument}` ({first} to {last}).",
            code="outside_edges",
            argument=argument,
            rows=number,
            total=total,
        )


def within_edges(rows: Frame, column: str, size: int, grid: PeriodGrid) -> tuple[Frame, int]:
    """Leave out the rows with a time outside the edges of `period`; returns how many remain.

    A warning counts them. `size` is the number of rows.
    """
    ends = edge_moments(grid)
    if ends is None or not size:
        return rows, size
    first, last = (instant_expr(end.instant) for end in ends)
    kept = rows.filter((nw.col(column) >= first) & (nw.col(column) < last))
    used = count_rows(kept)
    warn_of_outside(size - used, size, "period", ends)
    return kept, used
