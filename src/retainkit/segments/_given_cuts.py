"""Read cuts that are given as a table, such as those of an earlier instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._frames.arrays import floats_or
from retainkit._frames.input import collect
from retainkit._frames.plain import plain_values
from retainkit._inputs.columns import Column, read_columns
from retainkit._inputs.facts import read_facts, without_nulls
from retainkit._inputs.kinds import COUNT, ID, NUMBER
from retainkit._messages import count_noun, format_examples
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.segments._cuts import Cuts, TableValues
from retainkit.segments._spec import LOW_IS_GOOD, MEASURES

_COLUMNS = (
    Column("measure", ID, nulls="refuse"),
    Column("score", COUNT, nulls="refuse"),
    Column("lower", NUMBER, nulls="keep"),
    Column("upper", NUMBER, nulls="keep"),
)
_Segment = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCuts:
    """The cuts of each measure in each segment that a table has."""

    by: tuple[str, ...]
    points: Mapping[_Segment, Mapping[str, Floats]]

    def for_values(self, values: TableValues) -> Cuts:
        """Return the cuts for the segments of values, all of which must be there."""
        columns = [plain_values(one) for one in values.segments.values()]
        # Without `by` there is one segment, which has no key.
        wanted: list[_Segment] = [*zip(*columns, strict=True)] if columns else [()]
        wanted = wanted[: values.n_segments]
        lacking = [one for one in wanted if one not in self.points]
        if lacking:
            raise self._no_segments(lacking, len(wanted))
        of_segments = [self.points[one] for one in wanted]
        return Cuts(points={name: self._stacked(name, of_segments) for name in MEASURES})

    def _stacked(self, name: str, of_segments: Sequence[Mapping[str, Floats]]) -> Floats:
        """Return the cuts of a measure with a row a segment."""
        some = of_segments or [next(iter(self.points.values()))]
        lengths = {len(one[name]) for one in some}
        if len(lengths) > 1:
            raise _error(
                f"`cuts` have {format_examples(sorted(one + 1 for one in lengths))} scores of "
                f"{name!r} in different segments; give all segments the same number.",
            )
        return np.array([one[name] for one in of_segments]).reshape(-1, *lengths)

    def _no_segments(self, lacking: Sequence[_Segment], total: int) -> ArgumentError:
        shown = [one[0] if len(one) == 1 else one for one in lacking]
        return ArgumentError(
            f"`cuts` have no rows for {count_noun(len(lacking), 'segment')} of `by`: "
            f"{format_examples(shown)}. Add them: `rfm_cuts(..., by={[*self.by]})` makes cuts of "
            "every segment.",
            code="no_cuts",
            argument="cuts",
            rows=len(lacking),
            total=total,
        )


def read_cuts(cuts: Any, by: Sequence[str]) -> GivenCuts:
    """Read a table of cuts, as `rfm_cuts` makes it, or as somebody wrote it."""
    names = {column.argument: column.argument for column in _COLUMNS}
    table = read_columns(
        cuts, "cuts", _COLUMNS, names, by=by, argument_names=dict.fromkeys(names, "cuts")
    )
    table, _, _ = without_nulls(table, read_facts, "raise")
    rows = collect(table.rows)
    keys = [plain_values(rows[key]) for key in table.keys]
    groups: dict[_Segment, dict[str, list[int]]] = {}
    for row, measure in enumerate(rows["measure"].to_list()):
        segment = tuple(key[row] for key in keys)
        groups.setdefault(segment, {}).setdefault(measure, []).append(row)
    values = {
        "score": rows["score"].to_numpy().astype(np.int64),
        "lower": floats_or(rows["lower"], np.nan),
        "upper": floats_or(rows["upper"], np.nan),
    }
    points = {}
    for segment, measures in (groups or {(): {}}).items():
        lacking = [name for name in MEASURES if name not in measures]
        if lacking:
            raise _error(
                f"`cuts` have no rows for {format_examples(lacking)} in the column 'measure'"
                f"{_of(segment)}; there must be rows for {', '.join(MEASURES)}.",
            )
        points[segment] = {
            name: _points_of(name, segment, {k: v[measures[name]] for k, v in values.items()})
            for name in MEASURES
        }
    return GivenCuts(by=table.by, points=points)


def _of(segment: _Segment) -> str:
    return f" of the segment {format_examples(segment)}" if segment else ""


def _points_of(name: str, segment: _Segment, columns: Mapping[str, Any]) -> Floats:
    """Return the cuts between the intervals of a measure, which must follow one another."""
    score = columns["score"]
    where = f"{name!r}{_of(segment)}"
    if sorted(score.tolist()) != [*range(1, len(score) + 1)] or len(score) < 2:
        raise _error(
            f"`cuts` have the scores {format_examples(sorted(score.tolist()))} of {where}; there "
            "must be one row for each score from 1 on, two at least. If the table has segments, "
            "name them with `by`.",
        )
    order = np.argsort(score)[::-1] if name == LOW_IS_GOOD else np.argsort(score)
    lower, upper = columns["lower"][order], columns["upper"][order]
    # A null at either end is open, as is an infinite bound.
    lower[0] = -np.inf if np.isnan(lower[0]) else lower[0]
    upper[-1] = np.inf if np.isnan(upper[-1]) else upper[-1]
    ends = np.append(-np.inf, upper)
    for place, (begin, end) in enumerate(zip(np.append(lower, np.inf), ends, strict=True)):
        if begin == end:
            continue
        next_to = [int(score[order[one]]) for one in (place - 1, place) if 0 <= one < len(order)]
        raise _between(where, float(end), float(begin), next_to)
    if (np.diff(upper) < 0).any():
        falls = " and from a low score to a high one" if name != LOW_IS_GOOD else ""
        raise _error(f"the intervals of `cuts` must rise with the values of {where}{falls}.")
    points: Floats = upper[:-1]
    return points


def _between(where: str, end: float, begin: float, scores: Sequence[int]) -> ArgumentError:
    """Return the error about a gap between intervals, or an overlap."""
    if np.isnan(end) or np.isnan(begin):
        what = "lack a bound"
    else:
        low, high = sorted((end, begin))
        kind = "leave a gap" if begin > end else "overlap"
        what = f"{kind} from {low:g} to {high:g}"
    near = " and ".join(map(str, scores))
    return _error(
        f"`cuts` {what} at score {near} of {where}: intervals hold values above `lower` up to "
        "`upper`, each begins where the one before ends, and the first and the last are open "
        "(-inf, inf or null).",
    )


def _error(text: str) -> ArgumentError:
    return ArgumentError(text, code="unordered_cuts", argument="cuts")
