"""Cuts of measures, and scores by them: arrays in, arrays out.

Cut k of b is the value at rank ceil(n k / b) of n values in ascending order: an observed value, the
same whatever the unit of the measure, and in any engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retainkit._typing import Floats, Integers


def cut_points(values: Floats, counts: Integers | None, bins: int) -> Floats:
    """Return the cuts of values, the last of which is the greatest value.

    Each value is there so often as `counts` says (None: once).
    """
    n = len(values) if counts is None else int(counts.sum())
    ranks = -(-n * np.arange(1, bins + 1) // bins)
    if counts is None:
        points: Floats = np.partition(values, np.unique(ranks - 1))[ranks - 1]
        return points
    order = np.argsort(values)
    found: Floats = values[order][np.searchsorted(np.cumsum(counts[order]), ranks)]
    return found


def number_below(values: Floats, points: Floats) -> Integers:
    """Return for each value how many of the ascending cuts are less."""
    below: Integers = np.searchsorted(points, values, side="left")
    return below


def empty_intervals(points: Floats) -> Integers:
    """Return the places of intervals between cuts, from 0, in which no value lies."""
    places: Integers = np.flatnonzero(points[1:] == points[:-1]) + 1
    return places


def score_of(place: Integers, n_scores: int, *, low_is_good: bool) -> Integers:
    """Return the scores of places among the intervals, from 1; high is good."""
    return n_scores - place if low_is_good else place + 1


def rows_of_segments(segment: Integers, n_segments: int) -> Iterator[Integers | slice]:
    """Return the rows of each segment, in the order of the segments."""
    if n_segments == 1:
        yield slice(None)
        return
    order = np.argsort(segment, kind="stable")
    sizes = np.bincount(segment, minlength=n_segments)
    ends = np.cumsum(sizes)
    for begin, end in zip(ends - sizes, ends, strict=True):
        yield order[begin:end]
