"""The choice between the two reducers of a subject: in the engine, or on arrays in memory."""

from __future__ import annotations

from typing import TypeVar

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame

Reducer = TypeVar("Reducer")


def reducer(rows: Frame, *, lazy: Reducer, eager: Reducer) -> Reducer:
    """Return the reducer that runs where the rows are: the module or the function given for it."""
    return lazy if isinstance(rows, nw.LazyFrame) else eager
