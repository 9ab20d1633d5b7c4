"""Event logs: checked once, when they come in.

Behind this module an event log has columns of known names and types without a null.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import (
    check_present,
    collect,
    count_rows,
    from_native,
    normalize_pandas,
)
from retainkit._inputs.columns import DTYPES, NEEDS, check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit._messages import count_noun, warn
from retainkit._time.moment import as_of_moment, end_of_day, moment_in
from retainkit._time.zones import instant_expr
from retainkit.errors import (
    ArgumentError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from retainkit._frames.input import Frame
    from retainkit._time.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """An event log that has been checked.

    `rows` has the columns ``customer`` and ``time``, those of ``amount``, ``cohort_time``,
    ``started`` and ``returned`` that were asked for, and the segments as ``by_0``, ``by_1`` …
    Times have microseconds or finer, amounts are floats, nothing is null but a segment.
    Times are stored in the zone `stored` and periods are cut in `zone` (both None: naive times).
    `first` is the earliest time of all, `begin` the earliest event, `last` the latest one and
    `least` the least amount (None: there are no rows, or no amounts).
    """

    rows: Frame
    size: int
    by: tuple[str, ...]
    stored: tzinfo | None
    zone: tzinfo | None
    first: Moment | None
    begin: Moment | None
    last: Moment | None
    least: float | None

    @property
    def columns(self) -> list[str]:
        """The columns of `rows`."""
        return self.rows.collect_schema().names()

    @property
    def keys(self) -> list[str]:
        """The segment columns as they are called in `rows`."""
        return [f"by_{i}" for i in range(len(self.by))]

    def end(self, as_of: str | date | None) -> Moment:
        """The end of observation: `as_of`, or the midnight that ends the day of the last row."""
        if as_of is not None:
            return as_of_moment(as_of, self.zone)
        # Of no rows any end is as good as another.
        last = 0 if self.last is None else self.last.instant
        try:
            return end_of_day(last, self.zone)
        except OverflowError:
            raise ArgumentError(
                f"the time of the last row is {self.last}, and no midnight comes after it; "
                "say with `as_of` when observation ends."
            ) from None

    def before(self, end: Moment) -> Events:
        """Keep the rows before `end`; a warning counts the others."""
        if self.last is None or self.last.instant < end.instant:
            return self
        kept = self.rows.filter(nw.col("time") < instant_expr(end.instant, self.stored))
        rest = count_rows(kept)
        warn(
            f"{self.size - rest:,} of {count_noun(self.size, 'row')} at or after as_of ({end}) are "
            "not used."
        )
        return replace(self, rows=kept, size=rest, first=self.first if rest else None)


def read_events(
    native: Any,
    *,
    argument: str = "events",
    columns: Mapping[str, str | None],
    by: str | Sequence[str] | None,
    taken: Sequence[str],
    tz: str | None,
    missing: str,
) -> Events:
    """Check an event log and give its columns the names of their arguments.

    `columns` maps each argument to the column that it names, or to None where it is not used.
    Segments must not be called like one of the columns `taken` by the result.
    """
    one_of("missing", missing, ("raise", "drop"))
    needed = {"customer", "time"}
    wanted: dict[str, Any] = {
        name: column for name, column in columns.items() if column is not None or name in needed
    }
    segments = segment_names(by, taken)
    frame = from_native(native, argument)
    for name, column in [*wanted.items(), *(("by", column) for column in segments)]:
        check_present(name, column, frame)
    times = [wanted[name] for name in ("time", "cohort_time") if name in wanted]
    dtypes = {wanted[name]: DTYPES[need] for name, need in NEEDS.items() if name in wanted}
    frame, own = normalize_pandas(frame, times, dtypes)
    for name, column in [*wanted.items(), *(("by", column) for column in segments)]:
        check_type(name, column, frame)
    schema = frame.collect_schema()
    spans = ("time", "cohort_time")
    of_time: dict[str, str] = {name: wanted[name] for name in spans if name in wanted}
    stored, zone = zones_of(of_time, frame, own, tz)

    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    values = {
        name: _clean(name, nw.col(column), schema[column], schema[wanted["time"]])
        for name, column in wanted.items()
    }
    rows, facts = _complete(frame.select(**values, **keys), wanted, missing)
    _check_finite(rows, wanted, facts)
    moments = _moments(facts, wanted, stored, zone)
    return Events(
        rows=rows,
        size=facts["rows", ""],
        by=segments,
        stored=stored,
        zone=zone,
        least=facts.get(("first", "amount")),
        **moments,
    )


def _zone_name(dtype: nw.dtypes.DType) -> str | None:
    return getattr(dtype, "time_zone", None)


def _clean(
    argument: str, column: nw.Expr, dtype: nw.dtypes.DType, time: nw.dtypes.DType
) -> nw.Expr:
    if argument == "amount":
        return column.cast(nw.Float64).fill_nan(None)
    if argument == "customer" and dtype.is_float():
        return column.fill_nan(None)
    if dtype == nw.Date:
        return column.cast(nw.Datetime("us"))
    if argument == "cohort_time" and _zone_name(dtype) != _zone_name(time):
        return column.dt.convert_time_zone(str(_zone_name(time)))
    return column


# Values

Facts = dict[tuple[str, str], Any]


def _facts(rows: Frame, wanted: Mapping[str, str]) -> Facts:
    """Read off everything that has to be known of the values, in one pass over the rows."""
    spans = [name for name in ("time", "cohort_time", "amount") if name in wanted]
    facts = {
        ("rows", ""): nw.len(),
        **{("nulls", name): nw.col(name).null_count() for name in wanted},
        **{("first", name): nw.col(name).min() for name in spans},
        **{("last", name): nw.col(name).max() for name in spans},
    }
    found = collect(rows.select(**{"_".join(fact): value for fact, value in facts.items()}))
    try:
        values = {fact: found.item(0, "_".join(fact)) for fact in facts}
    except ValueError as error:
        raise _beyond_the_calendar(wanted, str(error)) from None
    # Of no rows, some engines count a null number of nulls.
    return {
        (what, name): (int(value) if values["rows", ""] else 0) if what in _COUNTS else value
        for (what, name), value in values.items()
    }


_COUNTS = {"rows", "nulls"}


def _complete(rows: Frame, wanted: Mapping[str, str], missing: str) -> tuple[Frame, Facts]:
    """Refuse nulls or leave them out, as `missing` says."""
    facts = _facts(rows, wanted)
    lacking = [name for name in wanted if facts["nulls", name]]
    if not lacking:
        return rows, facts
    texts = (
        f"column {wanted[name]!r} (given as `{name}`) is null in "
        f"{count_noun(facts['nulls', name], 'row')}"
        for name in lacking
    )
    text, total = " and ".join(texts), facts["rows", ""]
    if missing == "raise":
        raise ArgumentError(
            f"{text}, of {total:,}; {_example(rows, lacking[0])}. Fill them in or leave them out; "
            "`missing='drop'` leaves such rows out and warns with their number."
        )
    kept = rows.drop_nulls(subset=list(wanted))
    facts = _facts(kept, wanted)
    warn(f"{text}: {total - facts['rows', '']:,} of {count_noun(total, 'row')} left out.")
    return kept, facts


def _example(rows: Frame, name: str) -> str:
    """Say whose rows lack a value, or of which times they are."""
    show = "time" if name == "customer" else "customer"
    found = collect(rows.filter(nw.col(name).is_null()).head(3))[show].to_list()
    return f"for instance {show} " + ", ".join(
        f"{value}" if show == "time" else f"{value!r}" for value in found
    )


def _check_finite(rows: Frame, wanted: Mapping[str, str], facts: Facts) -> None:
    infinite = float("inf")
    if "amount" not in wanted or not facts["rows", ""]:
        return
    if -infinite < facts["first", "amount"] and facts["last", "amount"] < infinite:
        return
    number = count_rows(rows.filter(nw.col("amount").abs() == infinite))
    raise ArgumentError(
        f"column {wanted['amount']!r} (given as `amount`) is infinite in "
        f"{count_noun(number, 'row')}, of {facts['rows', '']:,}. Put a number there, or leave them "
        "out."
    )


def _moments(
    facts: Facts, wanted: Mapping[str, str], stored: tzinfo | None, zone: tzinfo | None
) -> dict[str, Moment | None]:
    """Place the earliest time of all, the earliest event and the latest one."""
    if not facts["rows", ""]:
        return dict.fromkeys(("first", "begin", "last"))
    firsts = [facts["first", name] for name in ("time", "cohort_time") if name in wanted]
    begin, last = facts["first", "time"], facts["last", "time"]
    try:
        times = {"first": min(firsts), "begin": begin, "last": last}
        return {name: moment_in(time, stored, zone) for name, time in times.items()}
    except (ValueError, OverflowError):
        raise _beyond_the_calendar(wanted, f"{min(firsts)} to {last}") from None


def _beyond_the_calendar(wanted: Mapping[str, str], found: str) -> ArgumentError:
    return ArgumentError(
        f"column {wanted['time']!r} (given as `time`) goes beyond the calendar ({found}); times "
        "must lie within the years 1 to 9999, in the zone of the periods too."
    )
