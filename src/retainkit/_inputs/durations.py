"""Read durations of customers, of which a survival curve is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import floats_or
from retainkit._frames.groupby import NEVER
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.continuous_subscriptions import ContinuousSubscriptions
from retainkit._inputs.facts import read_facts, warn_of_dropped, without_nulls
from retainkit._inputs.kinds import COUNT, NUMBER, SEGMENT, is_numeric
from retainkit._inputs.subscriptions import Subscriptions
from retainkit._messages import count_noun, warn
from retainkit._stats.rounding import unite_close
from retainkit._time.elapsed import elapsed_time
from retainkit._time.grid import PeriodGrid
from retainkit._time.periods import DAY
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError


def _is_numeric_or_empty(frame: Frame, column: str) -> bool:
    return is_numeric(frame, column) or not count_rows(frame)


def _is_flag_or_empty(frame: Frame, column: str) -> bool:
    boolean = frame.collect_schema()[column] == nw.Boolean
    return boolean or _is_numeric_or_empty(frame, column)


_DURATION = replace(NUMBER, fits=_is_numeric_or_empty)
_OBSERVED = replace(
    NUMBER,
    need="booleans, or 0 and 1; make one first, such as df['end'].notna() or df['churn'] == 'Yes'",
    fits=_is_flag_or_empty,
    advice=False,
)
DURATIONS = (
    Column("duration", _DURATION),
    Column("observed", _OBSERVED, required=False),
    Column("entry", _DURATION, nulls="keep", required=False),
    Column("reason", SEGMENT, nulls="keep", required=False),
    Column("counts", COUNT, required=False),
    Column("weights", NUMBER, required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Durations of `weight` customers each: up to an end that was `observed`, or up to now.

    If customers have survey weights and the like, `factor` has them.

    `entry` is the duration at which observation began. Where durations are `whole` numbers of
    units, every one up to the longest is a tenure of the curve; else those that occur are. Of an
    end that was observed, `reason` is the number of its cause, of which `reasons` have the values;
    it is 0 where there is no column of causes.
    """

    rows: Frame
    by: tuple[str, ...]
    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    duration: Floats
    observed: Booleans
    entry: Floats
    weight: Integers
    factor: Floats | None
    whole: bool
    reason: Integers
    reasons: Mapping[str, nw.Series[Any]]


def durations_from_subscriptions(
    subscriptions: Subscriptions, runs: ContinuousSubscriptions, unit: PeriodGrid
) -> Durations:
    """Return the durations of the first continuous subscription of each customer.

    An end in the k-th unit is an end at k. It counts if the customer was observed for the whole of
    that unit. Where a customer was not, the unit counts neither with an end nor without one: ends
    early in it would be counted, while the rest of the unit is not known.
    """
    first = runs.first
    begin, end, entry = runs.begin[first], runs.end[first], runs.entry[first]
    since = elapsed_time(begin, begin)

    def units(wall: Integers) -> Integers:
        """Count the full units before a time that is later than the start."""
        full: Integers = elapsed_time(wall - 1, wall - 1).since(since, unit)
        return full

    until = np.maximum(subscriptions.settled, begin + 1)
    known = units(until)
    if subscriptions.gap and not known.any():
        _warn_of_gap(
            subscriptions, unit, units(np.maximum(subscriptions.end_of_observation.wall, until))
        )
    ends = end < NEVER
    lifetime = units(np.where(ends, end, begin + 1)) + 1
    churned = ends & (lifetime <= known)
    enters = entry > begin
    entered = np.where(enters, units(np.maximum(entry, begin + 1)) + 1, 0)
    _warn_of_late(int((entry >= end).sum()), len(end), "the end of their run")
    return Durations(
        rows=subscriptions.rows,
        by=subscriptions.by,
        segments=runs.segments,
        segment=runs.segment[first],
        duration=np.where(churned, lifetime, known).astype(np.float64),
        observed=churned,
        entry=entered.astype(np.float64),
        weight=np.ones(len(begin), np.int64),
        factor=None,
        whole=True,
        reason=np.zeros(len(begin), np.int64) if runs.reason is None else runs.reason[first],
        reasons=runs.reasons,
    )


def _warn_of_gap(subscriptions: Subscriptions, unit: PeriodGrid, seen: Integers) -> None:
    """Warn if customers were `seen` for whole units, of which none is known because of the gap."""
    if seen.any():
        warn(
            f"no customer is known for a whole {unit.name}, since who left in the last "
            f"{subscriptions.gap / DAY:g} days (`gap`) may still renew. Choose a shorter `gap`.",
            code="gap_leaves_nothing",
            argument="gap",
        )


def _warn_of_late(number: int, total: int, what: str) -> None:
    if number:
        warn(
            f"{count_noun(number, 'customer')} whose `entry` is not before {what} are not used.",
            code="entry_after_end",
            argument="entry",
            rows=number,
            total=total,
        )


def read_durations(
    native: Any,
    names: Mapping[str, str | None],
    *,
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    missing: str,
) -> Durations:
    """Check a table of durations, a row a customer or several alike, and take it into memory.

    `names` are the columns that the arguments name.
    """
    checked = read_columns(native, "subscriptions", DURATIONS, names, by=by, reserved=reserved)
    checked, facts, note = without_nulls(checked, read_facts, missing)
    warn_of_dropped(note, facts, "subscriptions")
    rows, given = checked.rows, checked.names
    if isinstance(rows, nw.LazyFrame):
        rows = rows.group_by(*given, *checked.keys).agg(weight=nw.len())
    table = collect(rows)
    numbers = [one for one in given if one != "reason"]
    values = {name: floats_or(table[name], 0.0) for name in numbers}
    _check_durations(values, checked)
    _unite_rounding(values)
    lives = _durations(checked, table, values)
    late = (lives.entry > 0) & (lives.entry >= lives.duration)
    _warn_of_late(int(lives.weight[late].sum()), int(lives.weight.sum()), "their duration")
    return lives


def _durations(
    checked: CheckedTable, table: nw.DataFrame[Any], values: Mapping[str, Floats]
) -> Durations:
    """Return the durations of a table in memory; rows of nobody are left out."""
    found, segment = factorize_segments(table, checked.keys)
    reasons, code = factorize_segments(table, [one for one in checked.names if one == "reason"])
    number, factor = _customers_of(table, values), values.get("weights")
    there = number > 0 if factor is None else (number > 0) & (factor > 0)
    some: Any = slice(None) if there.all() else there  # all of them without a copy
    return Durations(
        rows=checked.given,
        by=checked.by,
        segments=found,
        segment=segment[some],
        duration=values["duration"][some],
        observed=values.get("observed", np.ones(len(table)))[some] == 1,
        entry=values.get("entry", np.zeros(len(table)))[some],
        weight=number[some],
        factor=None if factor is None else factor[some],
        whole=False,
        reason=code[some],
        reasons=reasons,
    )


def _customers_of(table: nw.DataFrame[Any], values: Mapping[str, Floats]) -> Integers:
    """Return how many customers each row stands for."""
    number = np.ones(len(table), np.int64)
    if "weight" in table.columns:
        number = table["weight"].to_numpy().astype(np.int64)
    if "counts" in values:
        number = number * values["counts"].astype(np.int64)
    return number


def _unite_rounding(values: dict[str, Floats]) -> None:
    """Replace durations, and entries, that differ by rounding alone by one of them."""
    names = [name for name in ("duration", "entry") if name in values]
    distinct, place = np.unique(
        np.concatenate([values[name] for name in names]), return_inverse=True
    )
    united = unite_close(distinct)
    if united is not distinct:
        parts = np.split(united[place], len(names))
        values.update(zip(names, parts, strict=True))


def _check_durations(values: Mapping[str, Floats], table: CheckedTable) -> None:
    """Check that durations are finite, 0 or more, and that `observed` is 0 or 1."""
    needs = dict.fromkeys(
        ("duration", "entry"), "it must hold finite lengths of time, 0 or more, in one unit."
    ) | {"observed": f"it must hold {_OBSERVED.need}."}
    needs |= dict.fromkeys(("counts", "weights"), "it must hold finite numbers, 0 or more.")
    for name, need in needs.items():
        column = values.get(name, np.zeros(0))
        fits = np.isin(column, (0, 1)) if name == "observed" else (column >= 0) & (column < np.inf)
        if not fits.all():
            some = ", ".join(f"{value:g}" for value in column[~fits][:3])
            raise ArgumentError(
                f"{table.source(name)} holds {some}; {need}",
                code="impossible_values",
                argument=name,
                column=table.names[name],
                rows=int((~fits).sum()),
                total=len(fits),
            )
