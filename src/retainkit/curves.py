"""What one reads off a table of cohorts: the triangle as a matrix, and one curve over cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from retainkit._averages import chained, pooled, simple
from retainkit._checks import one_of, probability
from retainkit._frames import open_table, segment_codes, table_like
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["retention_curve", "retention_matrix"]

Average = Literal["pooled", "simple", "chained"]

_AVERAGES = {"pooled": pooled, "simple": simple, "chained": chained}


def retention_matrix(table: Any, *, values: str = "retention") -> Any:
    """DOC."""
    frame = open_table(table, argument="table", columns=("cohort", "age"))
    numeric = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    one_of("values", values, numeric)
    lines, line = segment_codes(frame, [*_segment_columns(frame), "cohort"])
    age, age_end, position = _ages(frame)
    matrix = np.full((len(lines), len(age)), np.nan)
    matrix[line, position] = frame[values].to_numpy()
    columns = {name: lines[name] for name in lines.columns}
    for first, end, cells in zip(age.tolist(), age_end.tolist(), matrix.T, strict=True):
        columns[str(first) if end - first == 1 else f"{first}-{end - 1}"] = cells
    return table_like(frame, columns)


def retention_curve(
    table: Any, *, average: Average = "pooled", confidence_level: float = 0.95
) -> Any:
    """DOC."""
    one_of("average", average, tuple(_AVERAGES))
    probability("confidence_level", confidence_level)
    needed = ("cohort", "age", "eligible", "retained", "lower")
    frame = open_table(table, argument="table", columns=needed)
    # A cell in progress has no interval, and a cohort without customers no rate.
    known = ~np.isnan(frame["lower"].to_numpy().astype(np.float64))
    frame = frame[np.flatnonzero(known).tolist()]
    by = _segment_columns(frame)
    segments, segment = segment_codes(frame, by)
    lines, line = segment_codes(frame, [*by, "cohort"])
    age, age_end, position = _ages(frame)
    eligible, retained = np.zeros((2, len(lines), len(age)))
    eligible[line, position] = frame["eligible"].to_numpy()
    retained[line, position] = frame["retained"].to_numpy()

    # At least one segment, so that an empty table gives an empty curve.
    parts = []
    for code in range(int(segment.max(initial=0)) + 1):
        own = np.unique(line[segment == code])
        part = _curve(eligible[own], retained[own], average, confidence_level)
        parts.append({"segment": np.full(len(part["seen"]), code)} | part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    code, seen = columns.pop("segment"), columns.pop("seen")
    front = {name: segments[name][code.tolist()] for name in by}
    front["age"] = age[seen]
    if "age_end" in frame.columns:
        front["age_end"] = age_end[seen]
    columns["average"] = np.full(len(seen), average, dtype=object)
    return table_like(frame, front | columns)


def _curve(
    eligible: Floats, retained: Floats, average: Average, confidence_level: float
) -> dict[str, Any]:
    """Average the cohorts of one segment; `seen` tells which ages were observed."""
    curve = _AVERAGES[average](eligible, retained / np.maximum(eligible, 1), confidence_level)
    seen = np.flatnonzero(curve.used.any(axis=0))
    return {
        "seen": seen,
        "cohorts": curve.used.sum(axis=0)[seen],
        "customers": np.sum(eligible, axis=0, where=curve.used)[seen].astype(np.int64),
        "retained": np.sum(retained, axis=0, where=curve.used)[seen].astype(np.int64),
        "retention": curve.estimate[seen],
        "lower": curve.lower[seen],
        "upper": curve.upper[seen],
    }


def _segment_columns(frame: nw.DataFrame[Any]) -> list[str]:
    """Name the columns of a result that tell its segments: those left of the cohort."""
    return frame.columns[: frame.columns.index("cohort")]


def _ages(frame: nw.DataFrame[Any]) -> tuple[Integers, Integers, Integers]:
    """Give every age of a table with its end, and the position of each row's age among them."""
    first = frame["age"].to_numpy().astype(np.int64)
    if "age_end" in frame.columns:
        age, where, position = np.unique(first, return_index=True, return_inverse=True)
        return age, frame["age_end"].to_numpy().astype(np.int64)[where], position
    # Without brackets there is no gap between ages: one that is missing was not observed.
    least = first.min(initial=np.iinfo(np.int64).max)
    age = np.arange(least, first.max(initial=least) + 1) if len(first) else first
    return age, age + 1, first - least
