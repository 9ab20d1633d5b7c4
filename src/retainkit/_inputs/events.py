"""Read event logs: columns of known names and types without a null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import count_rows
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import Facts, read_facts, without_nulls
from retainkit._inputs.kinds import AMOUNT, FLAG, ID, TIME
from retainkit._inputs.observation import moments_of, observed_until
from retainkit._messages import count_noun, warn
from retainkit._time.moment import Moment
from retainkit._time.zones import instant_expr
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

EVENTS = (
    Column("customer", ID),
    Column("time", TIME, observed=True),
    Column("cohort_time", TIME, required=False),
    Column("started", FLAG, required=False),
    Column("returned", FLAG, required=False),
    Column("amount", AMOUNT, required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(CheckedTable):
    """An event log that has been checked.

    Times have microseconds or finer, amounts are floats, nothing is null but a segment. `earliest`
    is the earliest time of all, `first_event` and `last_event` are those of the events, and
    `min_amount` is the least amount (None: there are no rows, or no amounts).
    """

    n_rows: int
    earliest: Moment | None
    first_event: Moment | None
    last_event: Moment | None
    min_amount: float | None

    def end_of_observation(self, as_of: str | date | None) -> Moment:
        """Return `as_of`, or the midnight that ends the day of the last row."""
        error = ArgumentError(
            f"the time of the last row is {self.last_event}, and no midnight comes after it; say "
            "with `as_of` when observation ends."
        )
        return observed_until(self.last_event, self.zone, as_of, error)

    def until(self, end: Moment) -> Events:
        """Keep the rows before `end`; a warning counts the others."""
        if self.last_event is None or self.last_event.instant < end.instant:
            return self
        kept = self.rows.filter(nw.col("time") < instant_expr(end.instant, self.stored))
        rest = count_rows(kept)
        warn(
            f"{self.n_rows - rest:,} of {count_noun(self.n_rows, 'row')} at or after as_of ({end}) "
            "are not used."
        )
        return replace(self, rows=kept, n_rows=rest, earliest=self.earliest if rest else None)


def read_events(
    native: Any,
    *,
    argument: str = "events",
    columns: Mapping[str, str | None],
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    tz: str | None,
    missing: str,
) -> Events:
    """Check an event log and give its columns the names of their arguments.

    `columns` maps each argument to the column that it names, or to None where it is not used.
    Segments must not be called like one of the `reserved` columns of the result.
    """
    one_of("missing", missing, get_args(Missing))
    table = read_columns(native, argument, EVENTS, columns, by=by, reserved=reserved, tz=tz)
    table, facts, note = without_nulls(table, read_facts, missing)
    if note:
        warn(note)
    _check_finite(table, facts)
    times = {}
    if facts.n_rows:
        firsts = [facts.least[name] for name in ("time", "cohort_time") if name in table.names]
        times = {
            "earliest": min(firsts),
            "first_event": facts.least["time"],
            "last_event": facts.greatest["time"],
        }
    moments = moments_of(table, times)
    return Events(
        **table.parts(),
        n_rows=facts.n_rows,
        earliest=moments.get("earliest"),
        first_event=moments.get("first_event"),
        last_event=moments.get("last_event"),
        min_amount=facts.least.get("amount"),
    )


def _check_finite(table: CheckedTable, facts: Facts) -> None:
    """Check that no amount is infinite."""
    infinite = float("inf")
    if "amount" not in table.names or not facts.n_rows:
        return
    if -infinite < facts.least["amount"] and facts.greatest["amount"] < infinite:
        return
    number = count_rows(table.rows.filter(nw.col("amount").abs() == infinite))
    raise ArgumentError(
        f"{table.source('amount')} is infinite in {count_noun(number, 'row')}, of "
        f"{facts.n_rows:,}. Put a number there, or leave them out."
    )
