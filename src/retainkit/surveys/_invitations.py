"""Invitations to a survey: checked once when they come in, then counted in their engine.

Behind this module an invitation is a row with the time of sending and that of the answer, which is
not earlier, or null: then there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.dtypes import type_name
from retainkit._frames.input import check_present, collect, from_native, normalize_pandas
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import TIME, check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit._messages import count_noun, warn
from retainkit._time.moment import as_of_moment, end_of_day, moment_in
from retainkit._time.periods import DAY, period_index_expr
from retainkit._time.zones import instant_expr, later_expr, wall_time_expr
from retainkit.errors import ArgumentError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from retainkit._frames.input import Frame
    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday
    from retainkit._typing import Integers


# What has become of an invitation.
ANSWERED, LATE, SILENT, OPEN, UNSEEN = range(5)
_AFTERWARDS = 10  # added where an answer came after the end of observation
_ALL = 0  # the period of all invitations, where none was asked for


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationStatus:
    """What became of the invitations: parallel arrays, an element for each cell and fate.

    `segments` holds the values of the segments, `period` is the number of the period of sending.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    period: Integers
    fate: Integers
    count: Integers


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


# Counts


def count_statuses(
    table: Invitations, window: int | None, period: Period | None, week_start: Weekday
) -> InvitationStatus:
    """Count what became of the invitations of each segment and period, in their engine.

    A warning counts what came at or after the end of observation.
    """
    names, rows = ("period", "fate", "number"), table.rows
    if table.size:
        rows = rows.with_columns(
            period=_period_expr(table, period, week_start), fate=_fate_expr(table, window)
        )
        rows = rows.group_by([*table.keys, "period", "fate"]).agg(number=nw.len())
        found = collect(rows.select(*table.keys, nw.col(*names).cast(nw.Int64)))
        arrays = {name: found[name].to_numpy().astype(np.int64) for name in names}
        _warn_of_unseen(table, arrays["fate"], arrays["number"])
        found = found.filter(nw.col("fate") != UNSEEN)
    else:
        # A plain value does not spread over no rows in every engine.
        found, arrays = collect(rows), {name: np.zeros(0, np.int64) for name in names}
    used = arrays["fate"] != UNSEEN
    segments, segment = factorize_segments(found, table.keys)
    return InvitationStatus(
        segments=segments,
        segment=segment,
        period=arrays["period"][used],
        fate=arrays["fate"][used] % _AFTERWARDS,
        count=arrays["number"][used],
    )


def _period_expr(table: Invitations, period: Period | None, week_start: Weekday) -> nw.Expr:
    if period is None or table.first is None or table.last is None:
        return nw.lit(_ALL)
    # A day of margin: engines may report the first and last time an hour off.
    wall = wall_time_expr(
        nw.col("sent"),
        stored=table.stored,
        zone=table.zone,
        first=table.first.instant - DAY,
        last=min(table.last.instant, table.end.instant) + DAY,
    )
    return period_index_expr(wall, period, week_start).cast(nw.Int64)


def _fate_expr(table: Invitations, window: int | None) -> nw.Expr:
    """Tell what became of each invitation by the end of observation."""
    sent, responded = nw.col("sent"), nw.col("responded")
    end = instant_expr(table.end.instant, table.stored)
    fate = nw.when(_true(responded < end)).then(nw.lit(ANSWERED)).otherwise(nw.lit(SILENT))
    if window is not None:
        fate = _within(window, fate, table)
    after = nw.when(_true(responded >= end)).then(nw.lit(_AFTERWARDS)).otherwise(nw.lit(0))
    return nw.when(sent >= end).then(nw.lit(UNSEEN)).otherwise(fate + after)


def _within(window: int, fate: nw.Expr, table: Invitations) -> nw.Expr:
    """Tell which answers are late, and of which invitations one cannot know yet."""
    limit = table.end.instant - window
    if table.first is None or limit < table.first.instant:
        return nw.lit(OPEN)
    # Of the others there is no sum, which might lie beyond the calendar.
    judged = nw.when(nw.col("sent") <= instant_expr(limit, table.stored)).then(nw.col("sent"))
    end = instant_expr(table.end.instant, table.stored)
    responded = nw.col("responded")
    late = (responded >= later_expr(judged, window)) & (responded < end)
    fate = nw.when(_true(late)).then(nw.lit(LATE)).otherwise(fate)
    return nw.when(judged.is_null()).then(nw.lit(OPEN)).otherwise(fate)


def _warn_of_unseen(table: Invitations, fate: Integers, number: Integers) -> None:
    rows = count_noun(table.size, "row")
    unseen, unheard = int(number[fate == UNSEEN].sum()), int(number[fate >= _AFTERWARDS].sum())
    texts = []
    if unseen:
        texts.append(f"{unseen:,} of {rows} sent at or after as_of ({table.end}) are not used")
    if unheard:
        texts.append(
            f"the answers of {unheard:,} of {rows} came at or after as_of ({table.end}) and are "
            "not used"
        )
    if texts:
        warn(f"{'; '.join(texts)}.")
