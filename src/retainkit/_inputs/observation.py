"""First and last times of a checked table, and the end of observation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo

from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.kinds import TIME
from retainkit._time.moment import Moment, as_of_moment, end_of_day, moment_in, read_datetime
from retainkit.errors import ArgumentError


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

    An error says which times were `found`, by default the least and the greatest.
    """
    try:
        return {name: moment_in(time, table.stored, table.zone) for name, time in times.items()}
    except (ValueError, OverflowError):
        found = found or f"{min(times.values())} to {max(times.values())}"
        raise beyond_the_calendar(table, found) from None


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
