"""Read responses, count them in cells in their engine, and add their weights there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.arrays import is_null
from retainkit._frames.input import Frame, collect, from_native, read_result
from retainkit._frames.join import to_engine_of
from retainkit._frames.output import build_like, to_native, with_columns_beside
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, column_exprs, read_columns
from retainkit._inputs.kinds import NUMBER, SEGMENT, nan_as_null
from retainkit._inputs.nulls import nulls_in
from retainkit._inputs.weights import check_weight_sums
from retainkit._stats.intervals import ratio
from retainkit._typing import Array, Floats, Integers, NativeT
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

WEIGHT = "weight"
_OWN = "retainkit_"  # begins the names of what is joined, for as long as it takes
_BASE = f"{_OWN}base"
_FACTOR = f"{_OWN}factor"
# Nulls are counted by cell.
CELLS = (
    Column("by", replace(SEGMENT, read=nan_as_null), nulls="keep"),
    Column("weights", NUMBER, name=_BASE, nulls="keep", required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightingCells:
    """Numbers of responses that are alike in the columns of all margins: parallel arrays by cell.

    Of `n_rows`, `n_weights` have a weight and `n_positive` one above 0. `total` and `square` are
    the sums of the weights as they came and of their squares, `least`, `least_positive` and
    `greatest` the smallest weight, the smallest above 0 and the largest. `keys` are the values that
    the rows share; `code` is the cell of every row, where they are in memory.
    """

    keys: Mapping[str, nw.Series[Any]]
    n_rows: Floats
    n_weights: Floats
    n_positive: Floats
    total: Floats
    square: Floats
    least: Floats
    least_positive: Floats
    greatest: Floats
    code: Integers | None

    @property
    def mean(self) -> Floats:
        """The mean weight, as it came, of those above 0."""
        return ratio(self.total, self.n_positive)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedAnswers:
    """Responses that have been checked, and their cells.

    `keys` maps the keys of the cells to the columns they came from. Where `by_weight`, responses of
    different weights are in different cells.
    """

    table: CheckedTable
    keys: Mapping[str, str]
    by_weight: bool
    cells: WeightingCells

    def values(self) -> dict[str, list[Any]]:
        """Return the values of the columns, by cell."""
        return {column: self.cells.keys[key].to_list() for key, column in self.keys.items()}

    def with_weights(self, weight: Floats) -> NativeT:  # type: ignore[type-var]
        """Add the column of weights, of which those above 0 in a cell have this mean."""
        frame = self.table.given
        scaled = "weights" in self.table.names and not self.by_weight
        factor = np.nan_to_num(ratio(weight, self.cells.mean)) if scaled else weight
        if isinstance(frame, nw.DataFrame):
            values = factor[self.cells.code]
            if scaled:
                values = values * collect(self.table.rows)[_BASE].to_numpy()
            return to_native(with_columns_beside(frame, {WEIGHT: values}))
        return to_native(self._with_factors(frame, factor, scaled=scaled))

    def _with_factors(self, frame: nw.LazyFrame[Any], factor: Floats, *, scaled: bool) -> Frame:
        """Join the factors of the cells to the rows, in their engine."""
        small = to_engine_of(frame, {**self.cells.keys, _FACTOR: factor})
        read = column_exprs(frame, self.table.declared, self.table.names)
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
    by_weight: bool,
    missing: str,
) -> WeightedAnswers:
    """Check responses and count them by the columns that `argument` names."""
    one_of("missing", missing, get_args(Missing))
    keys = {f"{_OWN}key_{i}": column for i, column in enumerate(dict.fromkeys(columns))}
    declared = [*(replace(CELLS[0], argument=key) for key in keys), CELLS[1]]
    table = read_columns(
        native,
        "responses",
        declared,
        {**keys, "weights": weights},
        argument_names=dict.fromkeys(keys, argument),
    )
    untouched = from_native(native, "responses")
    if isinstance(untouched, nw.DataFrame):  # whose columns come back in the types they have
        table = replace(table, given=untouched)
    if weights != WEIGHT and WEIGHT in table.given.collect_schema().names():
        raise ArgumentError(
            f"`responses` has a column {WEIGHT!r} already, which is also the name of the new one. "
            f"If it holds weights to begin with, give `weights={WEIGHT!r}`; else rename it first.",
            code="reserved_name",
            argument="responses",
            column=WEIGHT,
        )
    by_weight = by_weight and weights is not None
    table, cells = _drop_nulls(table, by_weight=by_weight, missing=missing)
    if weights is not None:
        check_weight_sums(
            table,
            "weights",
            _BASE,
            least=cells.least,
            total=cells.total,
            square=cells.square,
        )
    return WeightedAnswers(table=table, keys=keys, by_weight=by_weight, cells=cells)


def _series(frame: nw.DataFrame[Any], name: str, values: Array) -> nw.Series[Any]:
    """Return a column of the kind of a frame in memory."""
    made: nw.Series[Any] = read_result(
        build_like(frame, {name: values}), argument=name, columns=[name]
    )[name]
    return made


def _count_cells(table: CheckedTable, *, by_weight: bool) -> WeightingCells:
    """Count the responses of each cell, in the engine that holds them."""
    names = [name for name in table.names if name != "weights"]
    rows, weighted = table.rows, "weights" in table.names
    on = [*names, _BASE] if by_weight else [*names]
    sums = {"n_rows": nw.len()}
    if weighted:
        base = nw.col(_BASE)
        rows = rows.with_columns(square=base * base, positive=nw.when(base > 0).then(base))
        positive = nw.col("positive")
        sums |= {"n_weights": base.count(), "n_positive": positive.count(), "total": base.sum()}
        sums |= {"square": nw.col("square").sum(), "least": base.min(), "greatest": base.max()}
        sums["least_positive"] = positive.min()
    code = None
    if isinstance(rows, nw.DataFrame):
        keys, code = factorize_segments(rows, on)
        new = _series(rows, f"{_OWN}code", code)
        found = rows.with_columns(new).group_by(new.name).agg(**sums).sort(new.name)
    else:
        # Not every engine can add up a column by which it groups.
        if by_weight:
            rows = rows.with_columns(**{f"{_OWN}by_weight": nw.col(_BASE)})
            on = [*names, f"{_OWN}by_weight"]
        found = collect(rows.group_by(on).agg(**sums))
        keys = {key: found[key] for key in on}
        if by_weight:
            keys[_BASE] = keys.pop(f"{_OWN}by_weight").alias(_BASE)
    arrays = {name: found[name].to_numpy().astype(np.float64) for name in sums}
    number = arrays["n_rows"]
    unweighted = dict.fromkeys(("n_weights", "n_positive", "total", "square"), number)
    unweighted |= dict.fromkeys(("least", "least_positive", "greatest"), np.ones(len(number)))
    return WeightingCells(keys=keys, code=code, **(unweighted | arrays))


def _drop_nulls(
    table: CheckedTable, *, by_weight: bool, missing: str
) -> tuple[CheckedTable, WeightingCells]:
    """Raise if there are nulls, or drop their rows, as `missing` says."""
    cells = _count_cells(table, by_weight=by_weight)
    nulls = {
        name: int((cells.n_rows - cells.n_weights).sum())
        if name == "weights"
        else int(cells.n_rows[is_null(cells.keys[name])].sum())
        for name in table.names
    }
    total = int(cells.n_rows.sum())
    found = nulls_in(table, nulls, total)
    if found is None:
        return table, cells
    if missing == "raise":
        raise found.error(
            advice="Fill them in, for instance with a value 'unknown' that has a share of its own, "
            "or leave them out"
        )
    if isinstance(table.given, nw.DataFrame):
        known = [~nw.col(name).is_null() for name in table.columns]
        kept = collect(table.rows).select(kept=nw.all_horizontal(*known, ignore_nulls=False))
        given: Frame = table.given.filter(kept["kept"].to_list())
    else:
        read = column_exprs(table.given, table.declared, table.names).values()
        given = table.given.filter(*(~value.is_null() for value in read))
    table = replace(table, given=given, rows=table.rows.drop_nulls())
    cells = _count_cells(table, by_weight=by_weight)
    found.warn(total - int(cells.n_rows.sum()))
    return table, cells
