"""Invitations to a survey: checked once when they come in, then counted in their engine.

Behind this module an invitation is a row with the time of sending and that of the answer, which is
not earlier, or null: then there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.dtypes import type_name
from retainkit._frames.input import check_present, collect, from_native, normalize_pandas
from retainkit._inputs.columns import TIME, check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit._messages import count_noun, warn
from retainkit._time.moment import as_of_moment, end_of_day, moment_in
from retainkit.errors import ArgumentError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from retainkit._frames.input import Frame
    from retainkit._time.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """Invitations that have been checked.

    `rows` has ``sent`` and ``responded`` (null: no answer), of one type and of microseconds or
    finer, and the segments as ``by_0``, ``by_1`` …. Times are stored in the zone `stored` and
    periods are cut in `zone` (both None: naive times). `first` and `last` are the earliest sending
    and the latest (None: there are no rows), and observation ends at `end`.
    """

    rows: Frame
    size: int
    by: tuple[str, ...]
    stored: tzinfo | None
    zone: tzinfo | None
    first: Moment | None
    last: Moment | None
    end: Moment

    @property
    def keys(self) -> list[str]:
        """The segment columns as they are called in `rows`."""
        return [f"by_{i}" for i in range(len(self.by))]


def read_invitations(
    native: Any,
    *,
    sent: str,
    responded: str,
    by: str | Sequence[str] | None,
    taken: Sequence[str],
    as_of: str | date | None,
    tz: str | None,
    missing: str,
) -> Invitations:
    """Check invitations and give their columns the names of their arguments.

    Segments must not be called like one of the columns `taken` by the result. Observation ends at
    `as_of`, by default at the midnight that ends the day of the last sending or answer.
    """
    one_of("missing", missing, ("raise", "drop"))
    given = {"sent": sent, "responded": responded}
    segments = segment_names(by, taken)
    frame = from_native(native, "invitations")
    for name, column in [*given.items(), *(("by", column) for column in segments)]:
        check_present(name, column, frame)
    if sent == responded:
        raise ArgumentError(
            f"`sent` and `responded` both name the column {sent!r}; they must be two columns, the "
            "time of the invitation and that of the answer."
        )
    rows, stored, zone = _selected(frame, given, segments, tz)
    facts = _facts(rows, given)
    if facts["lost"] or facts["backward"]:
        _refuse_or_note(rows, given, facts, missing)
        rows = rows.drop_nulls(subset=["sent"])
        rows = rows.filter(~_true(nw.col("responded") < nw.col("sent")))
        facts = _facts(rows, given)
    first, last, end = _moments(facts, given, stored, zone, as_of)
    return Invitations(
        rows=rows,
        size=facts["rows"],
        by=segments,
        stored=stored,
        zone=zone,
        first=first,
        last=last,
        end=end,
    )


# Columns


def _selected(
    frame: Frame, given: Mapping[str, str], segments: Sequence[str], tz: str | None
) -> tuple[Frame, tzinfo | None, tzinfo | None]:
    """Check the types, name the columns and find the zones of storage and of the periods."""
    columns = list(given.values())
    frame = _typed(frame, given)
    frame, own = normalize_pandas(frame, columns, dict.fromkeys(columns, "datetime64[us]"))
    for name, column in given.items():
        if not _is_time(frame.collect_schema()[column]):
            raise ColumnTypeError(
                f"column {column!r} (given as `{name}`) holds {type_name(frame, column)}; it must "
                f"hold {TIME}."
            )
    for column in segments:
        check_type("by", column, frame)
    stored, zone = zones_of(given, frame, own, tz)
    schema = frame.collect_schema()
    of_zone = getattr(schema[given["sent"]], "time_zone", None)
    units = {getattr(schema[column], "time_unit", "us") for column in columns}
    unit: Literal["us", "ns"] = "ns" if "ns" in units else "us"
    times = {name: _clean(column, schema[column], unit, of_zone) for name, column in given.items()}
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    return frame.select(**times, **keys), stored, zone


def _is_time(dtype: nw.dtypes.DType) -> bool:
    return bool(dtype == nw.Datetime or dtype == nw.Date)  # noqa: PLR1714  dtypes hash by parameter


def _typed(frame: Frame, given: Mapping[str, str]) -> Frame:
    """Give a column of answers in which there is nothing but nulls the type of the sendings."""
    schema = frame.collect_schema()
    sent, responded = given["sent"], given["responded"]
    if _is_time(schema[responded]) or not _is_time(schema[sent]):
        return frame
    known = frame.filter(~nw.col(responded).is_null()).select(known=nw.len())
    if int(collect(known).item(0, "known")):
        return frame
    null = nw.when(nw.col(sent).is_null()).then(nw.col(sent))
    return frame.with_columns(null.alias(responded))


def _clean(
    column: str, dtype: nw.dtypes.DType, unit: Literal["us", "ns"], zone: str | None
) -> nw.Expr:
    """Give both times one zone and one unit, that they compare."""
    value = nw.col(column)
    if getattr(dtype, "time_zone", None) != zone:
        value = value.dt.convert_time_zone(str(zone))
    if getattr(dtype, "time_unit", None) == unit:
        return value
    return value.cast(nw.Datetime(unit, zone))


# Values

Facts: TypeAlias = "dict[str, Any]"


def _facts(rows: Frame, given: Mapping[str, str]) -> Facts:
    """Read off everything that has to be known of the values, in one pass over the rows."""
    sent, responded = nw.col("sent"), nw.col("responded")
    lost = sent.is_null()
    conditions = {
        "lost": lost,
        "orphans": lost & ~responded.is_null(),
        "backward": _true(responded < sent),
    }
    flags = {name: condition.cast(nw.Int64) for name, condition in conditions.items()}
    wanted = {
        "rows": nw.len(),
        **{name: nw.col(name).sum() for name in flags},
        "answers": responded.count(),
        "first": sent.min(),
        "last": sent.max(),
        "answer": responded.max(),
    }
    try:
        found = collect(rows.with_columns(**flags).select(**wanted))
        values = {name: found.item(0, name) for name in wanted}
    except ValueError as error:
        raise _beyond_the_calendar(given, str(error)) from None
    # Of no rows, some engines give a null sum.
    return values | {name: int(values[name] or 0) for name in ("rows", "answers", *flags)}


def _true(condition: nw.Expr) -> nw.Expr:
    """Make a condition false where it is null."""
    return condition.fill_null(value=False)


def _refuse_or_note(rows: Frame, given: Mapping[str, str], facts: Facts, missing: str) -> None:
    """Refuse answers whose invitation is missing, or say how many are left out."""
    texts = []
    if facts["lost"]:
        answers = f", {facts['orphans']:,} of them with an answer" if facts["orphans"] else ""
        texts.append(
            f"column {given['sent']!r} (given as `sent`) is null in "
            f"{count_noun(facts['lost'], 'row')}{answers}"
        )
    if facts["backward"]:
        texts.append(
            f"column {given['responded']!r} (given as `responded`) lies before {given['sent']!r} "
            f"(given as `sent`) in {count_noun(facts['backward'], 'row')}"
        )
    text, total = ", and ".join(texts), facts["rows"]
    if missing == "raise":
        shown = f"; for instance {_example(rows)}" if facts["backward"] else ""
        raise ArgumentError(
            f"{text}, of {total:,}{shown}. Such a row lacks the invitation that was answered: fill "
            "it in, or look whether both columns show the same clock. `missing='drop'` leaves such "
            "rows out and warns with their number."
        )
    warn(f"{text}: {facts['lost'] + facts['backward']:,} of {count_noun(total, 'row')} left out.")


def _example(rows: Frame) -> str:
    """Show a few answers that lie before their invitations."""
    some = collect(rows.filter(nw.col("responded") < nw.col("sent")).head(3))
    pairs = zip(some["sent"].to_list(), some["responded"].to_list(), strict=True)
    return ", ".join(f"sent {sent} and answered {responded}" for sent, responded in pairs)


def _moments(
    facts: Facts,
    given: Mapping[str, str],
    stored: tzinfo | None,
    zone: tzinfo | None,
    as_of: str | date | None,
) -> tuple[Moment | None, Moment | None, Moment]:
    """Place the earliest sending, the latest one and the end of observation."""
    first = last = None
    seen = 0  # of no rows any end is as good as another
    if facts["rows"]:
        try:
            first = moment_in(facts["first"], stored, zone)
            last = moment_in(facts["last"], stored, zone)
            seen = last.instant
            if facts["answers"]:
                seen = max(seen, moment_in(facts["answer"], stored, zone).instant)
        except (ValueError, OverflowError):
            raise _beyond_the_calendar(given, f"{facts['first']} to {facts['last']}") from None
    if as_of is not None:
        return first, last, as_of_moment(as_of, zone)
    try:
        return first, last, end_of_day(seen, zone)
    except OverflowError:
        raise _beyond_the_calendar(given, f"{facts['first']} to {facts['last']}") from None


def _beyond_the_calendar(given: Mapping[str, str], found: str) -> ArgumentError:
    return ArgumentError(
        f"column {given['sent']!r} (given as `sent`) or {given['responded']!r} (given as "
        f"`responded`) goes beyond the calendar ({found}); times must lie within the years 1 to "
        "9999, in the zone of the periods too."
    )
