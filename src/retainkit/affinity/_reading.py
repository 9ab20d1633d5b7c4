"""Read the lines of orders: items, and who bought them when, or in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from retainkit._checks import integer, one_of, probability
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.events import Events
from retainkit._inputs.facts import read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import ID, ITEM, ORDER, TIME
from retainkit._inputs.observation import check_as_of, moments_of
from retainkit._time.windows import Window, read_window
from retainkit.affinity._spec import AffinitySpec
from retainkit.errors import ArgumentError
from retainkit.typing import Adjust, AffinityKind, Missing

LINES = (
    Column("customer", ID, required=False),
    Column("order", ORDER, required=False),
    Column("item", ITEM),
    Column("time", TIME, required=False, observed=True),
)

RESULT = (
    *("item", "other", "n", "n_both", "rate", "lower", "upper", "base_rate"),
    *("lift", "lift_lower", "lift_upper", "p_value", "p_adjusted", "repeat", "open"),
    "median_days",
)
"""The columns of the result beside its segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinityOptions:
    """The arguments of `product_affinity`."""

    item: str
    customer: str
    time: str
    order: str | None
    kind: AffinityKind
    window: Any
    as_of: str | date | None
    min_trials: int
    by: str | Sequence[str] | None
    adjust: Adjust
    confidence_level: float
    tz: str | None
    missing: Missing

    def validate(self) -> Window:
        """Check the options that do not depend on the table, and return the window."""
        one_of("kind", self.kind, get_args(AffinityKind))
        window = read_window("window", self.window)
        check_as_of(self.as_of)
        integer("min_trials", self.min_trials, 1)
        one_of("adjust", self.adjust, get_args(Adjust))
        probability("confidence_level", self.confidence_level)
        one_of("missing", self.missing, get_args(Missing))
        if self.kind == "basket" and self.order is None:
            raise ArgumentError(
                'kind="basket" needs `order`, the column that says which lines are of one order.',
                code="argument_needed",
                argument="order",
            )
        return window

    def columns(self) -> dict[str, str | None]:
        """Return the columns that the kind reads, by argument."""
        if self.kind == "next":
            return {"customer": self.customer, "item": self.item, "time": self.time}
        time = None if self.as_of is None else self.time
        return {"order": self.order, "item": self.item, "time": time}


def read_lines(lines: Any, options: AffinityOptions) -> tuple[Events, AffinitySpec]:
    """Check the options and the lines, and keep the lines before the end of observation."""
    window = options.validate()
    table = read_columns(
        lines, "lines", LINES, options.columns(), by=options.by, reserved=RESULT, tz=options.tz
    )
    table, facts, note = without_nulls(table, read_facts, options.missing)
    warn_of_dropped(note, facts, "lines")
    timed = "time" in table.names and facts.n_rows
    first, last = (facts.least["time"], facts.greatest["time"]) if timed else (None, None)
    log = _events(table, facts.n_rows, first, last)
    if "time" not in table.names:
        return log, AffinitySpec(min_trials=options.min_trials)
    end = log.end_of_observation(options.as_of)
    log = log.until(end)
    if options.kind == "basket":
        return log, AffinitySpec(min_trials=options.min_trials)
    return log, AffinitySpec(min_trials=options.min_trials, window=window, end=end)


def _events(table: CheckedTable, n_rows: int, first: Any, last: Any) -> Events:
    """Return the lines as events, with the times of the first and of the last."""
    times = {} if first is None else {"first_event": first, "last_event": last}
    moments = moments_of(table, times)
    return Events(
        **table.parts(),
        n_rows=n_rows,
        earliest=moments.get("first_event"),
        first_event=moments.get("first_event"),
        last_event=moments.get("last_event"),
        min_amount=None,
    )
