"""Count contacts by customer and cap, and find who is suppressed: the engine reduces both tables.

Of the log, only contacts within the windows of the caps come into memory, of a lazy engine already
counted and only those of candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import factorize
from retainkit._frames.input import Frame, collect, from_native, instants_of
from retainkit._frames.join import to_engine_of
from retainkit._frames.names import inner_name
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import read_facts, without_nulls
from retainkit._inputs.kinds import ID, TIME
from retainkit._inputs.observation import moments_of
from retainkit._inputs.same_customers import same_customers
from retainkit._messages import count_noun, format_examples, warn
from retainkit._time.moment import Moment, as_of_moment
from retainkit._time.zones import instant_expr, zone_of
from retainkit._typing import Booleans, Integers
from retainkit.contacts._alike import warn_of_alike
from retainkit.contacts._candidates import CHANNEL, Candidates
from retainkit.contacts._caps import Cap
from retainkit.errors import ArgumentError

_CONTACTS = (
    Column("customer", ID, nulls="refuse"),
    Column("channel", CHANNEL, nulls="refuse"),
    Column("contact_time", TIME, name="time", nulls="refuse"),
)
_SUPPRESS = (
    Column("customer", ID, nulls="refuse"),
    Column("channel", CHANNEL, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contacts:
    """The log as far as it counts, in parallel arrays.

    Of each element the customer (-1: no candidate), the channel, the `slot`, which is how many of
    the edges are at or before it, and the number of contacts that it stands for.
    """

    customer: Integers
    channel: nw.Series[Any]
    slot: Integers
    count: Integers


def count_contacts(
    native: Any,
    candidates: Candidates,
    caps: Sequence[Cap],
    *,
    columns: Mapping[str, str | None],
    as_of: str | date,
    tz: str | None,
) -> list[Integers]:
    """Return for each cap the contacts of each customer in its window."""
    zones, zone_index = _read_zones(candidates, tz)
    nothing = [np.zeros(candidates.n_customers, np.int64) for _ in caps]
    if native is None:
        return nothing
    table, end = _read_log(native, columns, as_of, tz)
    if table.zone is None and "timezone" in candidates.table.names:
        raise ArgumentError(
            f"{candidates.table.source('timezone')} is given, but {table.source('contact_time')} "
            "has no time zone. Say which zone its times are in first.",
            code="no_zone",
            argument="timezone",
            column=candidates.table.names["timezone"],
        )
    if not caps or not candidates.n_customers:
        return nothing
    known = [table.zone if zone is None else zone for zone in zones]
    # Of each cap, the instant from which on it counts in each zone.
    first = np.array([[cap.first(end, zone) for zone in known] for cap in caps], np.int64)
    edges = np.unique(first)
    found = _reduce(table.rows, candidates, edges, end.instant)
    slots = np.searchsorted(edges, first) + 1
    return [
        _count(found, cap.channel, own[zone_index]) for cap, own in zip(caps, slots, strict=True)
    ]


def _count(found: Contacts, channel: str | None, first_slot: Integers) -> Integers:
    """Count the contacts of each customer in a channel, from a slot on that each has."""
    counts = found.customer >= 0
    counts &= found.slot >= first_slot[found.customer]
    if channel is not None:
        counts &= (found.channel == channel).to_numpy().astype(bool)
    own = found.customer[counts]
    return np.bincount(own, found.count[counts], minlength=len(first_slot)).astype(np.int64)


# The log


def _read_log(
    native: Any, columns: Mapping[str, str | None], as_of: str | date, tz: str | None
) -> tuple[CheckedTable, Moment]:
    """Check the log, and warn of contacts that are not before `as_of`."""
    table = read_columns(native, "contacts", _CONTACTS, columns, tz=tz)
    table = replace(table, table="contacts")
    end = as_of_moment(as_of, table.zone)
    late = nw.col("time") >= instant_expr(end.instant)
    facts_of = partial(read_facts, conditions={"late": late})
    table, facts, _ = without_nulls(table, facts_of, "raise")
    if facts.n_rows:
        least, greatest = facts.least["contact_time"], facts.greatest["contact_time"]
        moments_of(table, {"first": least, "last": greatest})
    if facts.counts["late"]:
        number = facts.counts["late"]
        warn(
            f"{number:,} of {count_noun(facts.n_rows, 'row')} of `contacts` at or after as_of "
            f"({end}) {'is' if number == 1 else 'are'} not used.",
            code="rows_after_as_of",
            argument="as_of",
            rows=number,
            total=facts.n_rows,
        )
    return table, end


def _reduce(rows: Frame, candidates: Candidates, edges: Integers, end: int) -> Contacts:
    """Return the contacts from the first edge on, of a lazy engine counted by customer."""
    time = nw.col("time")
    rows = rows.filter((time >= instant_expr(int(edges[0]))) & (time < instant_expr(end)))
    if isinstance(rows, nw.DataFrame):
        slot = np.searchsorted(edges, instants_of(rows["time"]), side="right")
        counts = np.ones(len(slot), np.int64)
        return _matched(rows, candidates, slot, counts)
    rows = _of_candidates(rows, candidates).with_columns(slot=_slot_expr(time, edges))
    groups = rows.group_by("customer", "channel", "slot").agg(count=nw.len())
    found = collect(groups)
    slot, counts = (found[name].to_numpy().astype(np.int64) for name in ("slot", "count"))
    return _matched(found, candidates, slot, counts)


def _matched(
    rows: nw.DataFrame[Any], candidates: Candidates, slot: Integers, counts: Integers
) -> Contacts:
    """Return contacts with the numbers that candidates have."""
    return Contacts(
        customer=_numbers_of(rows["customer"], candidates, "contacts"),
        channel=rows["channel"],
        slot=slot,
        count=counts,
    )


def _slot_expr(time: nw.Expr, edges: Integers) -> nw.Expr:
    """Return how many of the edges are at or before a time; the first is so in every row."""

    def choose(low: int, high: int) -> nw.Expr:
        """Search by halves: no deeper than need be."""
        if high - low == 1:
            return nw.lit(high)
        middle = (low + high) // 2
        later = time >= instant_expr(int(edges[middle]))
        return nw.when(later).then(choose(middle, high)).otherwise(choose(low, middle))

    return choose(0, len(edges))


def _of_candidates(rows: nw.LazyFrame[Any], candidates: Candidates) -> nw.LazyFrame[Any]:
    """Leave out rows of customers without candidates, in the engine.

    Ids that are not the same in every engine stay, to be matched in memory.
    """
    ids, dtype = candidates.ids, rows.collect_schema()["customer"]
    if ids.dtype == nw.String and dtype == nw.String:
        values = np.array(ids.to_list(), object)
    elif _fits(ids.dtype) and _fits(dtype):
        rows = rows.with_columns(nw.col("customer").cast(nw.Int64))
        values = ids.to_numpy().astype(np.int64)
    else:
        return rows
    return rows.join(to_engine_of(rows, {"customer": values}), on="customer", how="semi")


def _fits(dtype: nw.dtypes.DType) -> bool:
    """Return whether integers of a type fit into 64 bits with a sign."""
    return dtype.is_integer() and dtype not in {nw.UInt64(), nw.Int128(), nw.UInt128()}


def _numbers_of(ids: nw.Series[Any], candidates: Candidates, table: str) -> Integers:
    """Return the number that a customer has among the candidates, -1 for none."""
    own, others = same_customers(candidates.ids, ids, "candidates", table)
    number = np.full(max(int(own.max(initial=-1)), int(others.max(initial=-1))) + 1, -1)
    number[own] = np.arange(len(own))
    return number[others]


# Zones


def _read_zones(candidates: Candidates, tz: str | None) -> tuple[list[tzinfo | None], Integers]:
    """Return the zones of candidates (None: that of the log), and which of them a customer has."""
    base = None if tz is None else zone_of(tz, "tz")
    index = np.zeros(candidates.n_customers, np.int64)
    if "timezone" not in candidates.table.names:
        return [base], index
    table, customer = candidates.table, candidates.customer
    codes, names = factorize(candidates.rows["timezone"], sort=True)
    zones = _zones_of([str(name) for name in names], codes, table)
    np.maximum.at(index, customer, codes + 1)
    _check_one_zone(candidates, (codes >= 0) & (index[customer] != codes + 1))
    lacking = int((index[customer] == 0).sum())
    if lacking:
        warn(
            f"{table.source('timezone')} is null in {count_noun(lacking, 'row')} of "
            f"{len(codes):,}: the zone of {'the log' if tz is None else '`tz`'} is used there.",
            code="null_values",
            argument="timezone",
            column=table.names["timezone"],
            rows=lacking,
            total=len(codes),
        )
    return [base, *zones], index


def _check_one_zone(candidates: Candidates, other: Booleans) -> None:
    """Check that no row has another zone than a row of the same customer."""
    places = np.unique(candidates.customer[other])
    if not len(places):
        return
    column, some = candidates.table.names["timezone"], candidates.ids[places[:6].tolist()]
    raise ArgumentError(
        f"{candidates.table.source('timezone')} has several values for "
        f"{count_noun(len(places), 'customer')}: {format_examples(some.to_list())}. Give each "
        "customer one time zone.",
        code="several_values",
        argument="timezone",
        column=column,
        rows=len(places),
        total=candidates.n_customers,
    )


def _zones_of(names: Sequence[str], codes: Integers, table: CheckedTable) -> list[tzinfo | None]:
    """Return the zones of these names; raise with all that are not known."""
    zones, unknown = [], []
    for place, name in enumerate(names):
        try:
            zones.append(zone_of(name, "timezone"))
        except ArgumentError as error:
            if error.code != "unknown_time_zone":
                raise
            unknown.append(place)
    if unknown:
        rows = int(np.isin(codes, unknown).sum())
        some = format_examples([names[place] for place in unknown])
        raise ArgumentError(
            f"{table.source('timezone')} names {count_noun(len(unknown), 'time zone')} not known "
            f"here, in {count_noun(rows, 'row')} of {len(codes):,}: {some}. Use names of the IANA "
            "database, such as 'Europe/Berlin' or 'UTC'.",
            code="unknown_time_zone",
            argument="timezone",
            column=table.names["timezone"],
            rows=rows,
            total=len(codes),
        )
    return [*zones]


# Suppression


def find_suppressed(
    native: Any, candidates: Candidates, columns: Mapping[str, str | None]
) -> Booleans:
    """Return which candidates are suppressed, in their channel or in all."""
    nobody = np.zeros(len(candidates.customer), bool)
    if native is None:
        return nobody
    frame = from_native(native, "suppress")
    if inner_name(frame, str(columns["channel"])) not in frame.collect_schema().names():
        columns = {**columns, "channel": None}
    table = read_columns(frame, "suppress", _SUPPRESS, columns)
    table, _, _ = without_nulls(replace(table, table="suppress"), read_facts, "raise")
    if not len(nobody):
        return nobody
    rows = table.rows
    if isinstance(rows, nw.LazyFrame):
        rows = _of_candidates(rows, candidates).unique()
    found = collect(rows)
    number = _numbers_of(found["customer"], candidates, "suppress")
    warn_of_alike(found["customer"].to_list(), candidates.ids.to_list(), "customer", "suppress")
    place = _places_of(found, candidates)
    known = (number >= 0) & (place >= 0)
    width = len(candidates.channels) + 1
    pairs, first = number[known] * width + place[known], candidates.customer * width
    # In all channels, or in its own.
    return np.isin(first, pairs) | np.isin(first + candidates.channel + 1, pairs)


def _places_of(rows: nw.DataFrame[Any], candidates: Candidates) -> Integers:
    """Return the place of each row's channel, from 1 on: 0 for all, -1 where no candidate is."""
    if "channel" not in rows.columns:
        return np.zeros(len(rows), np.int64)
    places = {name: place for place, name in enumerate(candidates.channels, 1)}
    codes, names = factorize(rows["channel"], sort=False)
    # The code of null is -1: the last.
    return np.array([*(places.get(str(name), -1) for name in names), 0], np.int64)[codes]
