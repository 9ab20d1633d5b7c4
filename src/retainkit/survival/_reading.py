"""Read how long customers stayed or have been there, of subscriptions or of durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._frames.input import check_present, from_native
from retainkit._inputs.continuous_subscriptions import read_continuous_subscriptions
from retainkit._inputs.durations import Durations, durations_from_subscriptions, read_durations
from retainkit._inputs.subscriptions import SubscriptionOptions, read_subscriptions
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit._stats.survival import at_risk, weighted_at_risk
from retainkit._time.durations import microseconds
from retainkit._time.grid import PeriodGrid
from retainkit._typing import Array, Floats, Integers
from retainkit.errors import ArgumentError

# Columns that durations do not need, by their usual names.
_NAMES = {"customer": "customer_id", "start": "start", "end": "end"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenureOptions:
    """The columns of tenures: `duration` and what goes with it, or else `dates`, in a `unit`."""

    dates: SubscriptionOptions
    unit: PeriodGrid
    duration: str | None
    observed: str | None
    counts: str | None
    weights: str | None = None

    def unit_column(self, n_rows: int) -> dict[str, Array]:
        """Return the column that names the unit; durations have one of their own."""
        return {} if self.duration else {TIME_UNIT: np.full(n_rows, self.unit.name)}


def read_tenures(native: Any, options: TenureOptions) -> Durations:
    """Read a table of subscriptions, or one of durations."""
    dates = options.dates
    if options.duration is not None:
        _check_alone(options)
        frame = from_native(native, "subscriptions")
        for argument, default in _NAMES.items():
            name = getattr(dates, argument)
            if name != default:  # what is not read is not named in vain
                check_present(argument, name, frame)
        return read_durations(
            frame,
            {
                "duration": options.duration,
                "observed": options.observed,
                "entry": dates.entry,
                "reason": dates.reason,
                "counts": options.counts,
                "weights": options.weights,
            },
            by=dates.by,
            reserved=dates.reserved,
            missing=dates.missing,
        )
    _check_no_duration(options)
    table = read_subscriptions(native, dates)
    return durations_from_subscriptions(table, read_continuous_subscriptions(table), options.unit)


def _check_no_duration(options: TenureOptions) -> None:
    """Check that nothing is said of durations beside dates."""
    for argument in ("observed", "counts", "weights"):
        value = getattr(options, argument)
        if value is not None:
            raise ArgumentError(
                f"`{argument}` ({value!r}) goes with `duration`; with dates, a row is a "
                "subscription, and an end that is null or not before `as_of` was not observed.",
                code="argument_conflict",
                argument=argument,
            )


def _check_alone(options: TenureOptions) -> None:
    """Check that nothing is said of dates beside durations."""
    dates = options.dates
    others = {
        "as_of": dates.as_of,
        "tz": dates.tz,
        "amount": dates.amount,
        "gap": dates.gap if microseconds("gap", dates.gap) else None,
        "unit": options.unit.name if options.unit.name != "month" else None,
        "end_is": dates.end_is if dates.end_is != "exclusive" else None,
        "subscription": dates.subscription,
    }
    for name, value in others.items():
        if value is not None:
            raise ArgumentError(
                f"`{name}` ({value!r}) has nothing to say beside `duration`; leave one out.",
                code="argument_conflict",
                argument=name,
            )


# Customers at risk


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskTable:
    """Customers at risk at each tenure of one segment, and who leave there.

    `rows` are those of the durations.
    """

    segment: int
    rows: Integers
    tenure: Floats
    at_risk: Integers
    churned: Integers


def risk_tables(durations: Durations) -> list[RiskTable]:
    """Count by segment and tenure who is at risk, and who leaves."""
    # Who was not observed for any whole unit after a late entry is at risk at no tenure.
    observed = np.flatnonzero((durations.entry < durations.duration) | (durations.entry == 0))
    order = observed[np.argsort(durations.segment[observed], kind="stable")]
    segments, first = np.unique(durations.segment[order], return_index=True)
    return [
        _risk_table(durations, rows, int(segment))
        for segment, rows in zip(segments, np.split(order, first[1:]), strict=False)
    ]


def _risk_table(durations: Durations, rows: Integers, segment: int) -> RiskTable:
    duration = durations.duration[rows]
    whole = durations.whole
    tenure = np.arange(duration.max() + 1) if whole else np.unique(np.append(0.0, duration))
    n_at_risk, churned = counts_at(durations, rows, tenure)
    return RiskTable(segment=segment, rows=rows, tenure=tenure, at_risk=n_at_risk, churned=churned)


def effective_counts(durations: Durations, table: RiskTable) -> tuple[Array, Array]:
    """Return those at risk and those who leave at each tenure; of weights, effective numbers."""
    if durations.factor is None:
        return table.at_risk, table.churned
    rows = table.rows
    return weighted_at_risk(
        table.tenure,
        durations.duration[rows],
        durations.observed[rows],
        durations.entry[rows],
        counts=durations.weight[rows],
        weights=durations.factor[rows],
    )


def counts_at(
    durations: Durations, rows: Integers, tenure: Floats, reason: int | None = None
) -> tuple[Integers, Integers]:
    """Count some customers at risk at each tenure, and those who leave there, for a reason."""
    observed = durations.observed[rows]
    if reason is not None:
        observed = observed & (durations.reason[rows] == reason)
    return at_risk(
        tenure, durations.duration[rows], observed, durations.entry[rows], durations.weight[rows]
    )


# Curves


def stack_curves(
    durations: Durations, columns: Sequence[str], curves: Sequence[Mapping[str, Array]]
) -> dict[str, Array]:
    """Return the columns of curves one below the other, of the right types if there are none."""
    integers = {"segment", "reason"}
    if durations.whole:
        integers.add("tenure")
    if durations.factor is None:  # effective numbers are not whole
        integers |= {"at_risk", "churned"}
    stacked: dict[str, Array] = {}
    for name in columns:
        dtype: np.dtype[Any] = np.dtype(np.int64 if name in integers else np.float64)
        parts: list[Array] = [np.zeros(0, dtype), *(one[name] for one in curves)]
        stacked[name] = np.concatenate(parts, dtype=dtype, casting="unsafe")
    return stacked
