"""Scores of customers by cuts: arrays for frames in memory, expressions for lazy engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import unique_inverse
from retainkit._frames.input import Frame, from_native
from retainkit._frames.join import with_segment_numbers, with_values_of
from retainkit._frames.output import build_like
from retainkit._typing import Array, Floats, Integers
from retainkit.segments._cut_points import number_below, rows_of_segments, score_of
from retainkit.segments._cuts import Cuts, TableValues
from retainkit.segments._spec import LOW_IS_GOOD, MEASURES, SCORES

_PAIRS = tuple(zip(SCORES, MEASURES, strict=True))


def with_scores(rows: Frame, values: TableValues, cuts: Cuts, keys: Sequence[str]) -> Frame:
    """Add the columns r, f, m and rfm to the measures of customers."""
    if isinstance(rows, nw.LazyFrame):
        return _lazy_scores(rows, values, cuts, keys)
    scores = {score: _scores_of(values, cuts, measure) for score, measure in _PAIRS}
    columns: dict[str, Any] = {name: rows[name] for name in rows.columns}
    columns |= scores | {"rfm": _texts(scores, cuts)}
    return from_native(build_like(rows, columns), "orders")


def _separator(cuts: Cuts) -> str:
    return "-" if max(map(cuts.n_scores, MEASURES)) > 9 else ""


# On arrays


def _scores_of(values: TableValues, cuts: Cuts, measure: str) -> Integers:
    one, points = values.measures[measure], cuts.points[measure]
    place = np.zeros(len(one.value), np.int64)
    for number, rows in enumerate(rows_of_segments(one.segment, values.n_segments)):
        place[rows] = number_below(one.value[rows], points[number])
    return score_of(place, cuts.n_scores(measure), low_is_good=measure == LOW_IS_GOOD)


def _texts(scores: Mapping[str, Integers], cuts: Cuts) -> Array:
    """Return the three scores as a text; each of those that occur is written once."""
    sizes = [cuts.n_scores(measure) for measure in MEASURES]
    key = np.zeros(len(scores["r"]), np.int64)
    for score, size in zip(SCORES, sizes, strict=True):
        key = key * size + scores[score] - 1
    keys, code = unique_inverse(key, int(np.prod(sizes)))
    digits = np.column_stack(np.unravel_index(keys, sizes)) + 1
    separator = _separator(cuts)
    texts = np.array([separator.join(map(str, one)) for one in digits.tolist()], np.str_)
    return texts[code]


# In an engine


def _lazy_scores(
    rows: nw.LazyFrame[Any], values: TableValues, cuts: Cuts, keys: Sequence[str]
) -> nw.LazyFrame[Any]:
    own = [*keys, "customer", *MEASURES]
    bounds: dict[str, list[Any]] = {}
    if keys and values.n_segments:
        rows, bounds = _with_cuts(rows, values, cuts)
    else:
        for measure in MEASURES:
            points = cuts.points[measure][:1].ravel().tolist()
            bounds[measure] = [nw.lit(one) for one in points]
    scored = {}
    for score, measure in _PAIRS:
        value = nw.col(measure).cast(nw.Float64)
        below = [
            nw.when(value > one).then(nw.lit(1)).otherwise(nw.lit(0)) for one in bounds[measure]
        ]
        place = reduce(add, below, nw.lit(0))
        n_scores = cuts.n_scores(measure)
        scored[score] = (n_scores - place if measure == LOW_IS_GOOD else place + 1).cast(nw.Int64)
    rows = rows.select(*own, **scored)
    texts = [nw.col(score).cast(nw.String) for score in SCORES]
    return rows.with_columns(rfm=nw.concat_str(*texts, separator=_separator(cuts)))


def _with_cuts(
    rows: nw.LazyFrame[Any], values: TableValues, cuts: Cuts
) -> tuple[nw.LazyFrame[Any], dict[str, list[Any]]]:
    """Add the cuts of its segment to each customer, in columns of which the names are returned."""
    columns: dict[str, Floats] = {}
    bounds: dict[str, list[Any]] = {}
    for score, measure in _PAIRS:
        for number, points in enumerate(cuts.points[measure].T):
            columns[f"cut_{score}_{number}"] = points
            bounds.setdefault(measure, []).append(nw.col(f"cut_{score}_{number}"))
    numbered = with_segment_numbers(rows, values.segments)
    return with_values_of(numbered, columns), bounds
