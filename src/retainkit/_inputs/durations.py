"""How long customers have been there: the durations that a survival curve is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import type_name
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import check_present, collect, count_rows, from_native
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import check_type, segment_names
from retainkit._messages import count_noun, warn
from retainkit._time.elapsed import elapsed_time
from retainkit.errors import ArgumentError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retainkit._frames.input import Frame
    from retainkit._inputs.continuous_subscriptions import ContinuousSubscriptions
    from retainkit._inputs.subscriptions import Subscriptions
    from retainkit._time.periods import Period
    from retainkit._typing import Booleans, Floats, Integers


_NUMBERS = "numbers; convert it first, for instance with pandas.to_numeric"
_FLAG = "booleans, or 0 and 1; make one first, such as df['end'].notna() or df['churn'] == 'Yes'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Durations, each of `weight` customers: whose end was `observed`, and the others up to now.

    `entry` is the duration at which observation began. Where durations are `whole` numbers of
    units, every one up to the longest is a tenure of the curve; else those that occur are.
    """

    rows: Frame
    by: tuple[str, ...]
    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    duration: Floats
    observed: Booleans
    entry: Floats
    weight: Integers
    whole: bool


def durations_from_subscriptions(
    subscriptions: Subscriptions, runs: ContinuousSubscriptions, gap: int, unit: Period
) -> Durations:
    """Take the first run of each customer as a life.

    An end in the k-th unit is one at k. It is known of whoever was observed for the whole of that
    unit; of those who were not, neither ends nor the lack of them are, lest the share that leaves
    early in a unit be counted among those of whom the rest of it is not known.
    """
    first = runs.first
    begin, end, entry = runs.begin[first], runs.end[first], runs.entry[first]
    since = elapsed_time(begin, begin)

    def units(wall: Integers) -> Integers:
        """Count the full units before a time that is later than the start."""
        full: Integers = elapsed_time(wall - 1, wall - 1).since(since, unit)
        return full

    until = np.maximum(subscriptions.end_of_observation.wall - gap, begin + 1)
    known = units(until)
    ends = end < NEVER
    lifetime = units(np.where(ends, end, begin + 1)) + 1
    churned = ends & (lifetime <= known)
    enters = entry > begin
    entered = np.where(enters, units(np.maximum(entry, begin + 1)) + 1, 0)
    _warn_of_late(int((entry >= end).sum()), "the end of their run")
    return Durations(
        rows=subscriptions.rows,
        by=subscriptions.by,
        segments=runs.segments,
        segment=runs.segment[first],
        duration=np.where(churned, lifetime, known).astype(np.float64),
        observed=churned,
        entry=entered.astype(np.float64),
        weight=np.ones(len(begin), np.int64),
        whole=True,
    )


def _warn_of_late(number: int, what: str) -> None:
    if number:
        warn(f"{count_noun(number, 'customer')} whose `entry` is not before {what} are not used.")


def read_durations(
    native: Any,
    *,
    duration: str,
    observed: str | None,
    entry: str | None,
    by: str | Sequence[str] | None,
    taken: Sequence[str],
    missing: str,
) -> Durations:
    """Check a table of durations, a row a customer, and take it into memory."""
    given = {"duration": duration}
    given |= {n: c for n, c in (("observed", observed), ("entry", entry)) if c is not None}
    segments = segment_names(by, taken)
    frame = from_native(native, "subscriptions")
    for name, column in [*given.items(), *(("by", column) for column in segments)]:
        check_present(name, column, frame)
    size = count_rows(frame)
    for name, column in given.items():
        _check_number(name, column, frame, size)
    for column in segments:
        check_type("by", column, frame)
    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    columns = {name: nw.col(column).cast(nw.Float64) for name, column in given.items()}
    rows: Frame = frame.select(**columns, **keys)
    rows = rows.with_columns(nw.col(name).fill_nan(None) for name in given)
    rows = _complete(rows, given, missing)
    if isinstance(rows, nw.LazyFrame):
        rows = rows.group_by(*given, *keys).agg(weight=nw.len())
    table = collect(rows)
    found, segment = factorize_segments(table, list(keys))
    values = {name: table[name].fill_null(0.0).to_numpy().astype(np.float64) for name in given}
    lives = Durations(
        rows=frame,
        by=segments,
        segments=found,
        segment=segment,
        duration=values["duration"],
        observed=values.get("observed", np.ones(len(table))) == 1,
        entry=values.get("entry", np.zeros(len(table))),
        weight=table["weight"].to_numpy().astype(np.int64)
        if "weight" in table.columns
        else np.ones(len(table), np.int64),
        whole=False,
    )
    _check_values(values, given)
    late = (lives.entry > 0) & (lives.entry >= lives.duration)
    _warn_of_late(int(lives.weight[late].sum()), "their duration")
    return lives


def _check_number(name: str, column: str, frame: Frame, size: int) -> None:
    dtype = frame.collect_schema()[column]
    flag = name == "observed"
    if dtype.is_numeric() or (flag and dtype == nw.Boolean) or not size:
        return
    raise ColumnTypeError(
        f"column {column!r} (given as `{name}`) holds {type_name(frame, column)}; it must hold "
        f"{_FLAG if flag else _NUMBERS}."
    )


def _complete(rows: Frame, given: Mapping[str, str], missing: str) -> Frame:
    """Refuse nulls or leave them out; a null entry is that of one observed from the start."""
    needed = [name for name in given if name != "entry"]
    facts = collect(rows.select(nw.col(name).null_count() for name in needed))
    nulls = {name: int(facts.item(0, name) or 0) for name in needed}
    lacking = [name for name in needed if nulls[name]]
    if not lacking or not (total := count_rows(rows)):
        return rows
    text = " and ".join(
        f"column {given[name]!r} (given as `{name}`) is null in {count_noun(nulls[name], 'row')}"
        for name in lacking
    )
    if missing == "raise":
        raise ArgumentError(
            f"{text}, of {total:,}. Fill them in or leave them out; `missing='drop'` leaves such "
            "rows out and warns with their number."
        )
    kept = rows.drop_nulls(subset=needed)
    warn(f"{text}: {total - count_rows(kept):,} of {count_noun(total, 'row')} left out.")
    return kept


def _check_values(values: Mapping[str, Floats], given: Mapping[str, str]) -> None:
    for name in ("duration", "entry"):
        if name not in values:
            continue
        wrong = ~((values[name] >= 0) & (values[name] < np.inf))
        if wrong.any():
            some = ", ".join(f"{value:g}" for value in values[name][wrong][:3])
            raise ArgumentError(
                f"column {given[name]!r} (given as `{name}`) holds {some}; it must hold finite "
                "lengths of time, 0 or more, in one unit."
            )
    if "observed" in values:
        wrong = ~np.isin(values["observed"], (0, 1))
        if wrong.any():
            some = ", ".join(f"{value:g}" for value in values["observed"][wrong][:3])
            raise ArgumentError(
                f"column {given['observed']!r} (given as `observed`) holds {some}; it must hold "
                f"{_FLAG}."
            )
