"""Tables of subscriptions: checked once, when they come in.

Behind this module a subscription is a row with a customer, a start, and an end that lies after the
start and before the end of observation, or is null: then the subscription still runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.dtypes import type_name
from retainkit._frames.input import (
    check_present,
    collect,
    count_rows,
    from_native,
    normalize_pandas,
)
from retainkit._inputs.amounts import check_amounts, converted, example
from retainkit._inputs.columns import TIME, check_type, segment_names
from retainkit._inputs.zones import zones_of
from retainkit._messages import count_noun, warn
from retainkit._time.moment import as_of_moment, end_of_day, moment_in
from retainkit._time.zones import instant_expr
from retainkit.errors import (
    ArgumentError,
    ColumnTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from retainkit._frames.input import Frame
    from retainkit._time.moment import Moment

_TIMES = ("start", "end", "entry")
_MAY_BE_NULL = {"end", "entry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """Subscriptions that have been checked.

    `rows` has the columns ``customer``, ``start``, ``end`` (null: it still runs), ``entry`` (null:
    as it starts) and ``amount`` where they were asked for, and the segments as ``by_0``, ``by_1``
    …; `size` is their number. Times have microseconds or finer, amounts are floats of one
    currency, 0 or more. Times are stored in the zone `stored` and periods are cut in `zone` (both
    None: naive times).
    Of the rows given, `missing` lacked a customer or a start, `empty` had no length, and `late`
    began at or after `end_of_observation`: these are set aside. `cut` counts ends that come at or
    after it and are therefore null, `free` the rows whose amount is 0; both are among `rows`.
    """

    rows: Frame
    size: int
    by: tuple[str, ...]
    stored: tzinfo | None
    zone: tzinfo | None
    end_of_observation: Moment
    missing: int
    empty: int
    late: int
    cut: int
    free: int

    @property
    def columns(self) -> list[str]:
        """The columns of `rows`."""
        return self.rows.collect_schema().names()

    @property
    def keys(self) -> list[str]:
        """The segment columns as they are called in `rows`."""
        return [f"by_{i}" for i in range(len(self.by))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOptions:
    """The columns of subscriptions, and how they are read.

    Segments must not be called like one of the columns `reserved` by the result. Observation ends
    at `as_of`, by default at the midnight that ends the day of the last start.
    """

    customer: str
    start: str
    end: str
    entry: str | None = None
    amount: str | None = None
    by: str | Sequence[str] | None = None
    currency: str | None = None
    rates: Mapping[str, float] | None = None
    as_of: str | date | None = None
    tz: str | None = None
    missing: str = "raise"
    reserved: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check the option that is a choice."""
        one_of("missing", self.missing, ("raise", "drop"))

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that are given, by the arguments that name them."""
        needed = {"customer": self.customer, "start": self.start, "end": self.end}
        names = ("entry", "amount", "currency")
        optional = {name: getattr(self, name) for name in names}
        return needed | {name: one for name, one in optional.items() if one is not None}


def read_subscriptions(native: Any, options: SubscriptionOptions) -> Subscriptions:
    """Check subscriptions and give their columns the names of their arguments."""
    given = options.columns
    segments = segment_names(options.by, options.reserved)
    frame = from_native(native, "subscriptions")
    for name, column in [*given.items(), *(("by", column) for column in segments)]:
        check_present(name, column, frame)
    rows, stored, zone = _selected(frame, given, segments, options.tz)

    notes: list[str] = []
    rows, facts, left_out = _complete(rows, given, options.missing, notes)
    _check_order(rows, given, facts)
    if options.amount is not None:
        check_amounts(rows, given, facts)
    if options.currency is not None:
        rows = converted(rows, options.currency, options.rates)
    moment = _end_of_observation(facts, given, stored, zone, options.as_of)
    rows, counts = _observed(rows, facts, moment, stored)
    _note(notes, counts, facts, moment, default=options.as_of is None)
    for text in notes:
        warn(text)
    return Subscriptions(
        rows=rows,
        size=facts["rows"] - counts["empty"] - counts["late"],
        by=segments,
        stored=stored,
        zone=zone,
        end_of_observation=moment,
        missing=left_out,
        empty=counts["empty"],
        late=counts["late"],
        cut=counts["cut"],
        free=counts["free"],
    )


# Columns


def _selected(
    frame: Frame, given: Mapping[str, str], segments: Sequence[str], tz: str | None
) -> tuple[Frame, tzinfo | None, tzinfo | None]:
    """Check the types, name the columns and find the zones of storage and of the periods."""
    times = {name: given[name] for name in _TIMES if name in given}
    frame = _typed(frame, times)
    expected = dict.fromkeys(times.values(), "datetime64[us]")
    if "amount" in given:
        expected[given["amount"]] = "float64"
    frame, own = normalize_pandas(frame, list(times.values()), expected)
    for name, column in [*given.items(), *(("by", column) for column in segments)]:
        if name in times:
            _check_time(name, column, frame)
        else:
            check_type("by" if name == "currency" else name, column, frame)
    stored, zone = zones_of(times, frame, own, tz)
    schema = frame.collect_schema()
    columns = {name: _clean(name, column, schema, times) for name, column in given.items()}
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    return frame.select(**columns, **keys), stored, zone


def _is_time(dtype: nw.dtypes.DType) -> bool:
    return bool(dtype == nw.Datetime or dtype == nw.Date)  # noqa: PLR1714  dtypes hash by parameter


def _typed(frame: Frame, times: Mapping[str, str]) -> Frame:
    """Give a column of ends in which there is nothing but nulls the type of the starts."""
    schema = frame.collect_schema()
    end, start = times["end"], times["start"]
    if _is_time(schema[end]) or not _is_time(schema[start]):
        return frame
    if count_rows(frame.filter(~nw.col(end).is_null()).select(end)):
        return frame
    null = nw.when(nw.col(start).is_null()).then(nw.col(start))
    return frame.with_columns(null.alias(end))


def _check_time(argument: str, column: str, frame: Frame) -> None:
    if not _is_time(frame.collect_schema()[column]):
        raise ColumnTypeError(
            f"column {column!r} (given as `{argument}`) holds {type_name(frame, column)}; it must "
            f"hold {TIME}."
        )


def _clean(name: str, column: str, schema: Any, times: Mapping[str, str]) -> nw.Expr:
    value, dtype = nw.col(column), schema[column]
    if name == "amount":
        return value.cast(nw.Float64).fill_nan(None)
    if name == "customer" and dtype.is_float():
        return value.fill_nan(None)
    if name not in times:
        return value
    zone = getattr(schema[times["start"]], "time_zone", None)
    if getattr(dtype, "time_zone", None) != zone:
        value = value.dt.convert_time_zone(str(zone))
    units = {getattr(schema[one], "time_unit", "us") for one in times.values()}
    unit: Literal["us", "ns"] = "ns" if "ns" in units else "us"
    if getattr(dtype, "time_unit", None) == unit:
        return value
    return value.cast(nw.Datetime(unit, zone))


# Values

Facts = dict[str, Any]


def _flag(condition: nw.Expr) -> nw.Expr:
    """Make a number of a condition, that it can be counted: 0 where it is null."""
    return _true(condition).cast(nw.Int64)


def _counted(rows: Frame, conditions: Mapping[str, nw.Expr]) -> dict[str, int]:
    """Count the rows of several conditions in one pass."""
    flags = rows.select(**{name: _flag(condition) for name, condition in conditions.items()})
    found = collect(flags.select(*(nw.col(name).sum() for name in conditions)))
    # Of no rows, some engines give a null sum.
    return {name: int(found.item(0, name) or 0) for name in conditions}


def _facts(rows: Frame, given: Mapping[str, str]) -> Facts:
    """Read off everything that has to be known of the values, in one pass over the rows."""
    backward = _flag(nw.col("end") < nw.col("start"))
    wanted: dict[str, nw.Expr] = {
        "rows": nw.len(),
        **{f"null_{name}": nw.col(name).null_count() for name in given if name not in _MAY_BE_NULL},
        "first_start": nw.col("start").min(),
        "last_start": nw.col("start").max(),
        "backward": nw.col("backward").sum(),
    }
    if "amount" in given:
        wanted |= {"least": nw.col("amount").min(), "most": nw.col("amount").max()}
    try:
        found = collect(rows.with_columns(backward=backward).select(**wanted))
        values = {name: found.item(0, name) for name in wanted}
    except ValueError as error:
        raise _beyond_the_calendar(given, str(error)) from None
    counts = {name for name in wanted if name.startswith("null_")} | {"rows", "backward"}
    none = not values["rows"]
    return {
        name: (0 if none else int(value)) if name in counts else None if none else value
        for name, value in values.items()
    }


def _complete(
    rows: Frame, given: Mapping[str, str], missing: str, notes: list[str]
) -> tuple[Frame, Facts, int]:
    """Refuse nulls or leave them out, as `missing` says; there is no leaving out of amounts.

    Also gives the number of rows that were left out.
    """
    facts = _facts(rows, given)
    lacking = [name for name in given if facts.get(f"null_{name}")]
    if not lacking:
        return rows, facts, 0
    texts = {
        name: f"column {given[name]!r} (given as `{name}`) is null in "
        f"{count_noun(facts[f'null_{name}'], 'row')}"
        for name in lacking
    }
    total = facts["rows"]
    never = [name for name in lacking if name in {"amount", "currency"}]
    if never:
        raise ArgumentError(
            f"{' and '.join(texts[name] for name in never)}, of {total:,}; "
            f"{example(rows, nw.col(never[0]).is_null())}. Put a value there, or leave the rows "
            "out."
        )
    text = " and ".join(texts.values())
    if missing == "raise":
        show = "start" if lacking[0] == "customer" else "customer"
        raise ArgumentError(
            f"{text}, of {total:,}; {example(rows, nw.col(lacking[0]).is_null(), show)}. Fill "
            "them in or leave them out; `missing='drop'` leaves such rows out and warns with their "
            "number."
        )
    kept = rows.drop_nulls(
        subset=[name for name in ("customer", "start", "entry") if name in given]
    )
    facts = _facts(kept, given)
    left_out = total - facts["rows"]
    notes.append(f"{text}: {left_out:,} of {count_noun(total, 'row')} left out.")
    return kept, facts, left_out


def _check_order(rows: Frame, given: Mapping[str, str], facts: Facts) -> None:
    if not facts["backward"]:
        return
    some = collect(rows.filter(nw.col("end") < nw.col("start")).head(3))
    spans = (
        f"{who!r} ({begin} to {finish})"
        for who, begin, finish in zip(
            *(some[name].to_list() for name in ("customer", "start", "end")), strict=True
        )
    )
    raise ArgumentError(
        f"column {given['end']!r} (given as `end`) lies before {given['start']!r} (given as "
        f"`start`) in {count_noun(facts['backward'], 'row')}, of {facts['rows']:,}; for instance "
        f"customer {', '.join(spans)}. Exchange them, or leave the rows out."
    )


# The end of observation


def _end_of_observation(
    facts: Facts,
    given: Mapping[str, str],
    stored: tzinfo | None,
    zone: tzinfo | None,
    as_of: str | date | None,
) -> Moment:
    # Of no rows any end is as good as another.
    last = 0
    if facts["rows"]:
        try:
            moment_in(facts["first_start"], stored, zone)
            last = moment_in(facts["last_start"], stored, zone).instant
        except (ValueError, OverflowError):
            found = f"{facts['first_start']} to {facts['last_start']}"
            raise _beyond_the_calendar(given, found) from None
    if as_of is not None:
        return as_of_moment(as_of, zone)
    try:
        return end_of_day(last, zone)
    except OverflowError:
        raise ArgumentError(
            f"the last start is {facts['last_start']}, and no midnight comes after it; say with "
            "`as_of` when observation ends."
        ) from None


def _observed(
    rows: Frame, facts: Facts, moment: Moment, stored: tzinfo | None
) -> tuple[Frame, dict[str, int]]:
    """Leave out what has no length or was not observed, and mark what runs."""
    start, end = nw.col("start"), nw.col("end")
    over = instant_expr(moment.instant, stored)
    empty, late = end == start, start >= over
    conditions = {
        "empty": empty,
        "late": ~_true(empty) & late,
        "cut": (start < over) & (end >= over),
    }
    if "amount" in rows.collect_schema().names():
        conditions["free"] = ~_true(empty) & ~late & (nw.col("amount") == 0)
    counts = {"free": 0} | (_counted(rows, conditions) if facts["rows"] else {})
    counts = dict.fromkeys(conditions, 0) | counts
    if counts["empty"]:
        rows = rows.filter(~_true(empty))
    if counts["late"]:
        rows = rows.filter(start < over)
    if counts["cut"]:
        rows = rows.with_columns(end=nw.when(end < over).then(end))
    return rows, counts


def _true(condition: nw.Expr) -> nw.Expr:
    """Make a condition false where it is null."""
    return condition.fill_null(value=False)


def _note(
    notes: list[str], counts: Mapping[str, int], facts: Facts, moment: Moment, *, default: bool
) -> None:
    """Say what was set aside."""
    total = count_noun(facts["rows"], "row")
    if counts["empty"]:
        notes.append(f"{counts['empty']:,} of {total} end as they start and are not used.")
    if counts["late"]:
        notes.append(
            f"{counts['late']:,} of {total} start at or after as_of ({moment}) and are not used."
        )
    if counts["cut"] and default:
        notes.append(
            f"{counts['cut']:,} of {total} end at or after {moment}, the midnight after the last "
            "start, up to which the table is taken to be observed; they count as running. Set "
            "`as_of` to the time of the extract if that is later."
        )


def _beyond_the_calendar(given: Mapping[str, str], found: str) -> ArgumentError:
    return ArgumentError(
        f"column {given['start']!r} (given as `start`) goes beyond the calendar ({found}); times "
        "must lie within the years 1 to 9999, in the zone of the periods too."
    )
