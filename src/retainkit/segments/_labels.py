"""Labels of segments, whatever they are in a table, as texts in a stable order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import declared_categories
from retainkit._inputs.rules import check_label, kind_of_value, values_of
from retainkit._messages import quoted
from retainkit._typing import Integers
from retainkit.errors import ColumnTypeError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentLabels:
    """The distinct labels in order, as values and as texts."""

    values: tuple[Any, ...]
    texts: tuple[str, ...]

    def numbers(self, series: nw.Series[Any]) -> Integers:
        """Return the number of each label of a small column; that of null comes after the last."""
        number = {value: i for i, value in enumerate(self.values)} | {None: len(self.values)}
        return np.array([number[value] for value in values_of(series)], np.int64)


def read_labels(columns: Sequence[nw.Series[Any]], name: str) -> SegmentLabels:
    """Return the labels in some small columns, null left out.

    They ascend, unless there are declared categories, which keep their order.
    """
    declared = [value for one in columns for value in declared_categories(one)]
    found = {value for one in columns for value in values_of(one)} - {None}
    kinds = {kind_of_value(value) or type(value).__name__ for value in found}
    if len(kinds) > 1:
        one, other = sorted(found, key=lambda value: type(value).__name__)[:: len(found) - 1][:2]
        raise ColumnTypeError(
            f"column {name!r} (given as `segment`) holds values of several types, such as "
            f"{quoted(one)} and {quoted(other)}: none of one type equals one of the other. Make "
            "them alike in `before` and `after` first, for instance text.",
            argument="segment",
            column=name,
        )
    order = {value: i for i, value in enumerate(dict.fromkeys(declared))}
    rest = sorted(found - order.keys())
    values = (*sorted(found & order.keys(), key=order.__getitem__), *rest)
    texts = tuple(map(_text, values))
    for text in texts:
        check_label(text, f"a label in column {name!r} (given as `segment`)", "segment")
    return SegmentLabels(values=values, texts=texts)


def _text(value: Any) -> str:
    """Write a label: a whole number without a point."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
