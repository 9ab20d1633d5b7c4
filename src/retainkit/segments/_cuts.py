"""Cuts of measures by segment: made of the values that are there, or given as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import integer
from retainkit._frames.input import Frame, collect
from retainkit._frames.segments import factorize_segments
from retainkit._messages import segment_label, warn
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.segments._cut_points import (
    cut_points,
    empty_intervals,
    rows_of_segments,
    score_of,
)
from retainkit.segments._spec import LOW_IS_GOOD

_MOST_BINS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureValues:
    """Values of a measure, each with its segment, and how often it is there (None: once)."""

    segment: Integers
    value: Floats
    counts: Integers | None

    def by_segment(self, n_segments: int) -> Iterator[MeasureValues]:
        """Return the values of each segment, in the order of the segments."""
        for rows in rows_of_segments(self.segment, n_segments):
            yield MeasureValues(
                segment=self.segment[rows],
                value=self.value[rows],
                counts=None if self.counts is None else self.counts[rows],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableValues:
    """Values of several measures, and the segments, a row each."""

    segments: Mapping[str, nw.Series[Any]]
    n_segments: int
    measures: Mapping[str, MeasureValues]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The cuts of each measure, in ascending order: a row a segment, one less than the scores."""

    points: Mapping[str, Floats]

    def n_scores(self, measure: str) -> int:
        """Return the number of scores of a measure."""
        return int(self.points[measure].shape[1]) + 1


def check_bins(bins: int) -> int:
    """Check the argument `bins`."""
    number = integer("bins", bins, 2)
    if number > _MOST_BINS:
        raise ArgumentError(
            f"`bins` is {number:,}; it must be {_MOST_BINS} or less: a score is a rough rank.",
            code="argument_value",
            argument="bins",
        )
    return number


# Values


def values_of(rows: Frame, keys: Sequence[str], measures: Sequence[str]) -> TableValues:
    """Return the values of measures: of a lazy engine, distinct rows of them with their counts."""
    if isinstance(rows, nw.LazyFrame):
        return _counted_values(rows, keys, measures)
    segments, segment = factorize_segments(rows, keys)
    values = {name: rows[name].to_numpy().astype(np.float64, copy=False) for name in measures}
    return TableValues(
        segments=segments,
        n_segments=int(segment.max(initial=-1)) + 1,
        measures={
            name: MeasureValues(segment=segment, value=one, counts=None)
            for name, one in values.items()
        },
    )


def _counted_values(
    rows: nw.LazyFrame[Any], keys: Sequence[str], measures: Sequence[str]
) -> TableValues:
    """Count the distinct rows of all measures in one pass, in the engine."""
    floats = rows.select(*keys, *(nw.col(name).cast(nw.Float64) for name in measures))
    found = collect(floats.group_by(*keys, *measures).agg(customers=nw.len()))
    segments, segment = factorize_segments(found, keys)
    counts = found["customers"].to_numpy().astype(np.int64)
    return TableValues(
        segments=segments,
        n_segments=int(segment.max(initial=-1)) + 1,
        measures={
            name: MeasureValues(
                segment=segment, value=found[name].to_numpy().astype(np.float64), counts=counts
            )
            for name in measures
        },
    )


# Cuts of these values


def cuts_of(values: TableValues, bins: int) -> tuple[Cuts, dict[str, Floats]]:
    """Return the cuts of all measures by segment, and for each also the greatest value."""
    points = {}
    for name, one in values.measures.items():
        of_segments = np.empty((values.n_segments, bins))
        for number, part in enumerate(one.by_segment(values.n_segments)):
            of_segments[number] = cut_points(part.value, part.counts, bins)
        points[name] = of_segments
    return Cuts(points={name: one[:, :-1] for name, one in points.items()}), points


def warn_of_empty_scores(
    values: TableValues, points: Mapping[str, Floats], by: Sequence[str]
) -> None:
    """Warn of scores that nobody has because many customers share a value."""
    found, where = [], 0
    for name, of_segments in points.items():
        empty: set[int] = set()
        bins = of_segments.shape[1]
        for number, one in enumerate(of_segments):
            places = empty_intervals(one)
            scores = score_of(places, bins, low_is_good=name == LOW_IS_GOOD)
            where = max(where, number + 1) if len(places) else where
            empty |= {*scores.tolist()}
        if empty:
            found.append(f"{', '.join(map(str, sorted(empty)))} of {name!r}")
    if found:
        named = dict(zip(by, values.segments.values(), strict=True))
        of = segment_label(named, where - 1) if named else ""
        some = f" in some segments, such as {of}" if of else ""
        warn(
            f"nobody has some scores ({'; '.join(found)}){some}: many customers have the same "
            "value, and equal values share a score. Fewer `bins` leave fewer scores empty.",
            code="empty_scores",
            argument="bins",
        )
