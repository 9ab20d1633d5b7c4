"""Responses to be weighed: counted in cells, wherever they are, and given their weights there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.dtypes import is_numeric_like, type_name
from retainkit._frames.input import (
    check_present,
    collect,
    from_native,
    normalize_pandas,
    read_result,
)
from retainkit._frames.join import to_engine_of
from retainkit._frames.output import build_like, to_native
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import check_type
from retainkit._inputs.weights import check_weight_sums
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio
from retainkit.errors import ArgumentError, ColumnTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retainkit._frames.input import Frame
    from retainkit._typing import Array, Booleans, Floats, Integers


WEIGHT = "weight"
_OWN = "retainkit_"  # begins the names of what is joined, for as long as it takes
_BASE = f"{_OWN}base"
_FACTOR = f"{_OWN}factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightingCells:
    """Responses that are alike in the columns of all margins, counted.

    Parallel arrays, an element a cell: how many `rows`, how many of a known weight and how many of
    one above 0; of the weights, as they came, the sum, the sum of squares, the least, the `lowest`
    above 0 and the largest. `keys` are the values that the rows share; `code` tells the cell of
    every row, where they are in memory.
    """

    keys: Mapping[str, nw.Series[Any]]
    rows: Floats
    known: Floats
    count: Floats
    base: Floats
    square: Floats
    least: Floats
    lowest: Floats
    most: Floats
    code: Integers | None

    @property
    def mean(self) -> Floats:
        """The mean weight, as it came, of those above 0."""
        return ratio(self.base, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedAnswers:
    """Responses that have been checked, and their cells.

    `columns` maps the keys of the cells to the columns they came from. Where `apart`, responses of
    different weights are in different cells.
    """

    frame: Frame
    columns: Mapping[str, str]
    weights: str | None
    apart: bool
    cells: WeightingCells

    def values(self) -> dict[str, list[Any]]:
        """Give the values of the columns, by cell."""
        keys = self.cells.keys
        return {column: keys[key].to_list() for key, column in self.columns.items()}

    def weighed(self, weight: Floats) -> Any:
        """Add the column of weights, of which those above 0 in a cell have this mean."""
        scaled = self.weights is not None and not self.apart
        factor = np.nan_to_num(ratio(weight, self.cells.mean)) if scaled else weight
        if isinstance(self.frame, nw.DataFrame):
            values = factor[self.cells.code]
            if scaled:
                values = values * _rows(self.frame, {}, self.weights)[_BASE].to_numpy()
            # All rows, that the new frame shares no memory with the one that was given.
            rows = self.frame.filter([True] * len(values)) if len(values) else self.frame
            return to_native(rows.with_columns(_series(rows, WEIGHT, values)))
        return to_native(self._joined(self.frame, factor, scaled=scaled))

    def _joined(self, frame: nw.LazyFrame[Any], factor: Floats, *, scaled: bool) -> Frame:
        small = to_engine_of(frame, {**self.cells.keys, _FACTOR: factor})
        read = _read(frame, self.columns, self.weights)
        rows = frame.with_columns(**read).join(small, on=list(self.cells.keys), how="left")
        weight = nw.col(_FACTOR) * nw.col(_BASE) if scaled else nw.col(_FACTOR)
        columns = frame.collect_schema().names()
        named = columns if WEIGHT in columns else [*columns, WEIGHT]
        return rows.select(
            *(weight.alias(WEIGHT) if name == WEIGHT else nw.col(name) for name in named)
        )


def read_weighted_answers(
    native: Any,
    *,
    argument: str,
    columns: Sequence[str],
    weights: str | None,
    apart: bool,
    missing: str,
) -> WeightedAnswers:
    """Check responses and count them by the columns that `argument` names."""
    one_of("missing", missing, ("raise", "drop"))
    frame = from_native(native, "responses")
    for column in columns:
        check_present(argument, column, frame)
        check_type(argument, column, frame)
    if weights is not None:
        check_present("weights", weights, frame)
        frame, _ = normalize_pandas(frame, [], {weights: "float64"})
        if not is_numeric_like(frame, weights):
            raise ColumnTypeError(
                f"column {weights!r} (given as `weights`) holds {type_name(frame, weights)}; it "
                "must hold numbers; convert it first, for instance with pandas.to_numeric."
            )
    if weights != WEIGHT and WEIGHT in frame.collect_schema().names():
        raise ArgumentError(
            f"`responses` has a column {WEIGHT!r} already, which is also the name of the new one. "
            f"If it holds weights to begin with, give `weights={WEIGHT!r}`; else rename it first."
        )
    names = {f"{_OWN}key_{i}": column for i, column in enumerate(dict.fromkeys(columns))}
    apart = apart and weights is not None
    frame, cells = _complete(frame, argument, names, weights, apart=apart, missing=missing)
    if weights is not None:
        rows = _rows(frame, {}, weights)
        source = f"column {weights!r} (given as `weights`)"
        check_weight_sums(
            rows, source, "weights", least=cells.least, total=cells.base, square=cells.square
        )
    return WeightedAnswers(frame=frame, columns=names, weights=weights, apart=apart, cells=cells)


def _read(frame: Frame, names: Mapping[str, str], weights: str | None) -> dict[str, nw.Expr]:
    """Take the keys of the cells, and the weights if there are any: NaN is null."""
    schema = frame.collect_schema()
    own = {
        key: nw.col(column).fill_nan(None) if schema[column].is_float() else nw.col(column)
        for key, column in names.items()
    }
    if weights is not None:
        own[_BASE] = nw.col(weights).cast(nw.Float64).fill_nan(None)
    return own


def _rows(frame: Frame, names: Mapping[str, str], weights: str | None) -> Any:
    return frame.select(**_read(frame, names, weights))


def _series(frame: nw.DataFrame[Any], name: str, values: Array) -> nw.Series[Any]:
    """Make a column of the kind of a frame in memory."""
    made: nw.Series[Any] = read_result(
        build_like(frame, {name: values}), argument=name, columns=[name]
    )[name]
    return made


def _counted(
    frame: Frame, names: Mapping[str, str], weights: str | None, *, apart: bool
) -> WeightingCells:
    """Count the responses of each cell, in the engine that holds them."""
    rows = _rows(frame, names, weights)
    on = [*names, _BASE] if apart else [*names]
    sums = {"rows": nw.len()}
    if weights is not None:
        base = nw.col(_BASE)
        rows = rows.with_columns(square=base * base, above=nw.when(base > 0).then(base))
        sums |= {"known": base.count(), "base": base.sum(), "least": base.min(), "most": base.max()}
        sums |= {"square": nw.col("square").sum(), "count": nw.col("above").count()}
        sums["lowest"] = nw.col("above").min()
    code = None
    if isinstance(rows, nw.DataFrame):
        keys, code = factorize_segments(rows, on)
        new = _series(rows, f"{_OWN}code", code)
        found = rows.with_columns(new).group_by(new.name).agg(**sums).sort(new.name)
    else:
        # What a cell is told apart by cannot be added up at the same time everywhere.
        if apart:
            rows = rows.with_columns(**{f"{_OWN}apart": nw.col(_BASE)})
            on = [*names, f"{_OWN}apart"]
        found = collect(rows.group_by(on).agg(**sums))
        keys = {key: found[key] for key in on}
        if apart:
            keys[_BASE] = keys.pop(f"{_OWN}apart").alias(_BASE)
    arrays = {name: found[name].to_numpy().astype(np.float64) for name in sums}
    number, one = arrays["rows"], np.ones(len(arrays["rows"]))
    alike = dict.fromkeys(("known", "count", "base", "square"), number)
    alike |= dict.fromkeys(("least", "lowest", "most"), one)
    return WeightingCells(keys=keys, code=code, **(alike | arrays))


def _complete(
    frame: Frame,
    argument: str,
    names: Mapping[str, str],
    weights: str | None,
    *,
    apart: bool,
    missing: str,
) -> tuple[Frame, WeightingCells]:
    """Refuse nulls or leave their rows out, as `missing` says."""
    cells = _counted(frame, names, weights, apart=apart)
    lost = {
        (argument, column): int(cells.rows[_nulls(cells.keys[key])].sum())
        for key, column in names.items()
    }
    if weights is not None:
        lost["weights", weights] = int((cells.rows - cells.known).sum())
    if not any(lost.values()):
        return frame, cells
    text = " and ".join(
        f"column {column!r} (given as `{one}`) is null in {count_noun(number, 'row')}"
        for (one, column), number in lost.items()
        if number
    )
    total = int(cells.rows.sum())
    if missing == "raise":
        raise ArgumentError(
            f"{text}, of {total:,}. Fill them in, for instance with a value 'unknown' that has a "
            "share of its own, or leave them out; `missing='drop'` leaves such rows out and warns "
            "with their number."
        )
    known = _read(frame, names, weights).values()
    frame = frame.filter(*(~value.is_null() for value in known))
    cells = _counted(frame, names, weights, apart=apart)
    warn(f"{text}: {total - int(cells.rows.sum()):,} of {count_noun(total, 'row')} left out.")
    return frame, cells


def _nulls(values: nw.Series[Any]) -> Booleans:
    return values.is_null().to_numpy().astype(bool)
