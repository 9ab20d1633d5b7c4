"""The words of messages."""

from __future__ import annotations


def quantity(number: int, noun: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
