"""The words of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import narwhals.stable.v2 as nw


def quantity(number: int, noun: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def segment_name(segments: Mapping[str, nw.Series[Any]], row: int) -> str:
    """Name a segment: plan = 'pro', country = None."""
    return ", ".join(f"{name} = {column.to_list()[row]!r}" for name, column in segments.items())
