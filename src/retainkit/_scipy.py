"""Import SciPy without its warning filters, which would hold for the whole program."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MATRIX = "the matrix subclass is not the recommended way"


@contextmanager
def without_scipy_filters() -> Iterator[None]:
    """Return the filters to what they were before SciPy was imported in the block."""
    before = [*warnings.filters]
    yield
    for one in [*warnings.filters]:
        if one not in before and _is_of_scipy(one):
            warnings.filters.remove(one)  # type: ignore[attr-defined]


def _is_of_scipy(entry: Any) -> bool:
    _, message, category, *_ = entry
    return category.__module__.startswith("scipy.") or getattr(message, "pattern", "") == _MATRIX
