"""Read a result as counted shares: so many of so many customers, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrays import is_true
from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit._inputs.cohort_table import COHORT_COLUMNS, check_numbers, read_cohort_counts
from retainkit._messages import format_examples
from retainkit._stats.intervals import ratio
from retainkit._typing import Booleans, Floats
from retainkit.errors import ArgumentError

_CHURN = ("period", "opening", "churned", "churn_rate")
_CURVE = ("age", "customers", "retained", "average")
_MAKERS = ("cohort_retention", "retention_curve", "churn_rate")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedRates:
    """The rows of a result with a rate `count / n` each.

    `segments` are the columns that tell segments apart, `keys` those of the period, the cohort and
    the age: rows that share them can be compared.
    """

    rows: nw.DataFrame[Any]
    segments: list[str]
    keys: list[str]
    count: Floats
    n: Floats


def read_counted_rates(table: Any) -> CountedRates:
    """Read a result of `cohort_retention`, `retention_curve` or `churn_rate`."""
    columns = read_result(table, argument="table", columns=(), made_by=_MAKERS).columns
    for own, read in _READERS.items():
        if {*own} <= {*columns}:
            return read(table)
    raise ArgumentError(
        f"`table` has the columns {format_examples(columns, 12)}; it must be a result of "
        "cohort_retention(by=...), retention_curve or churn_rate(by=...).",
        code="not_a_result",
        argument="table",
    )


def _churn_rates(table: Any) -> CountedRates:
    """Read a result of `churn_rate`, of periods that are over and have customers to lose."""
    frame = read_result(
        table, argument="table", columns=_CHURN, numbers=(*_CHURN[1:], "new", "reactivated")
    )
    check_numbers(frame, "table", _CHURN[1:], complete=("opening", "churned"))
    over = frame["opening"].to_numpy().astype(np.float64) >= 0
    if "complete" in frame.columns and frame.schema["complete"] == nw.Boolean:
        over &= is_true(frame["complete"])
    frame = _some(frame, over & ~np.isnan(_floats(frame, "churn_rate")))
    return CountedRates(
        rows=frame,
        segments=segment_columns(frame, _CHURN),
        # The column of causes stands between.
        keys=frame.columns[frame.columns.index("period") : frame.columns.index("opening")],
        count=_floats(frame, "churned"),
        n=_bases(frame),
    )


def _bases(frame: nw.DataFrame[Any]) -> Floats:
    """Return what churn was divided by, as the rates themselves show it."""
    rate, churned, opening = (_floats(frame, one) for one in ("churn_rate", "churned", "opening"))
    arrivals = [_floats(frame, one) for one in ("new", "reactivated") if one in frame.columns]
    for base in (opening, np.sum([opening, *arrivals], axis=0)):
        if np.allclose(ratio(churned, base), rate, rtol=1e-6, atol=1e-9, equal_nan=True):
            return base
    raise ArgumentError(
        "column 'churn_rate' of `table` is no share of customers: neither churned / opening nor "
        'churned / (opening + new + reactivated), as with method="daily". Compare '
        'churn_rate(by=..., method="opening") or method="stripe".',
        code="not_a_share",
        argument="table",
        column="churn_rate",
    )


def _cohort_rates(table: Any) -> CountedRates:
    """Read cohorts and ages, or counts of one's own."""
    frame = read_cohort_counts(table)
    frame = _some(frame, _can_differ(frame, _floats(frame, "eligible")))
    return CountedRates(
        rows=frame,
        segments=segment_columns(frame, COHORT_COLUMNS),
        keys=[one for one in ("cohort", "age", "age_end") if one in frame.columns],
        count=_floats(frame, "retained"),
        n=_floats(frame, "eligible"),
    )


def _curve_rates(table: Any) -> CountedRates:
    """Read pooled curves of retention."""
    frame = read_result(table, argument="table", columns=_CURVE, numbers=_CURVE[:3])
    check_numbers(frame, "table", _CURVE[:3], complete=_CURVE[:3])
    others = sorted({*frame["average"].to_list()} - {"pooled"}, key=str)
    if others:
        raise ArgumentError(
            f"column 'average' of `table` holds {format_examples(others)}; only a pooled curve is "
            'a share of customers. Make it with retention_curve(average="pooled"), or compare '
            "the cohorts themselves.",
            code="not_a_share",
            argument="table",
            column="average",
        )
    frame = _some(frame, _can_differ(frame, _floats(frame, "customers")))
    return CountedRates(
        rows=frame,
        segments=segment_columns(frame, ("age",)),
        keys=[one for one in ("age", "age_end") if one in frame.columns],
        count=_floats(frame, "retained"),
        n=_floats(frame, "customers"),
    )


def _can_differ(frame: nw.DataFrame[Any], customers: Floats) -> Booleans:
    """Mark all rows but those of age 0, where it is 1 everywhere by definition."""
    first = _floats(frame, "age") == 0
    by_definition = (_floats(frame, "retained") == customers)[first].all()
    return ~first if by_definition else np.ones(len(frame), bool)


def _floats(frame: nw.DataFrame[Any], column: str) -> Floats:
    values: Floats = frame[column].to_numpy().astype(np.float64)
    return values


def _some(frame: nw.DataFrame[Any], which: Booleans) -> nw.DataFrame[Any]:
    return frame[np.flatnonzero(which).tolist()]


# By the columns that tell them, in this order.
_READERS: Mapping[tuple[str, ...], Callable[[Any], CountedRates]] = {
    _CHURN: _churn_rates,
    ("cohort", "age", "retained"): _cohort_rates,
    _CURVE: _curve_rates,
}
