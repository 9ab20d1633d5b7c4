"""Number the levels of columns of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import factorize
from retainkit._frames.input import Frame, collect


def with_level_numbers(
    frame: Frame, column: str, own: str, known: Sequence[str] | None
) -> tuple[tuple[str, ...], Frame]:
    """Return levels of a column of words, and the frame with their numbers: null for null."""
    if isinstance(frame, nw.DataFrame):
        codes, uniques = factorize(frame[column], sort=False)
        words = [str(one) for one in uniques]
        levels = tuple(sorted(words) if known is None else known)
        number = {level: place for place, level in enumerate(levels)}
        places = np.array([*(number.get(one, -1) for one in words), np.nan], np.float64)
        values = places[codes]  # the last one, NaN, for -1
        made = nw.new_series(own, values, nw.Float64, backend=frame.implementation)
        return levels, _with_series(frame, made)
    word = nw.col(column).cast(nw.String)
    if known is None:
        found = collect(frame.select(word=word).filter(~nw.col("word").is_null()).unique())
        known = sorted(map(str, found["word"].to_list()))
    code: Any = nw.lit(-1.0)
    for place, level in enumerate(known):
        code = nw.when(word == level).then(nw.lit(float(place))).otherwise(code)
    return tuple(known), frame.with_columns(nw.when(~word.is_null()).then(code).alias(own))


def _with_series(frame: nw.DataFrame[Any], series: nw.Series[Any]) -> nw.DataFrame[Any]:
    """Return a frame with another column, whatever its index."""
    if not frame.implementation.is_pandas_like():
        return frame.with_columns(series)
    native = frame.to_native().assign(**{series.name: series.to_numpy()})
    return nw.from_native(native, eager_only=True)
