"""Exceptions of this package, and its one category of warnings.

Every exception is also the builtin that a caller would expect::

    RetainkitError
    ├── MissingColumnError      KeyError      a column named by an argument is not in the frame
    ├── ColumnTypeError         TypeError     a column holds the wrong type
    ├── ArgumentTypeError       TypeError     an argument is of the wrong type
    ├── ArgumentError           ValueError    an argument, or the data it names, has a wrong value
    └── MissingDependencyError  ImportError   an optional package is not installed

All warnings are of the category `RetainkitWarning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ColumnTypeError",
    "MissingColumnError",
    "MissingDependencyError",
    "RetainkitError",
    "RetainkitWarning",
]


class RetainkitError(Exception):
    """Base of every exception that retainkit raises on purpose."""


class ArgumentError(RetainkitError, ValueError):
    """An argument, or the data that it names, has a wrong value."""


class ArgumentTypeError(RetainkitError, TypeError):
    """An argument is of the wrong type."""


class ColumnTypeError(RetainkitError, TypeError):
    """A column named by an argument holds the wrong type."""


class MissingColumnError(RetainkitError, KeyError):
    """A column named by an argument is not in the frame."""

    def __init__(self, argument: str, column: str, columns: Sequence[Any]) -> None:
        hint = get_close_matches(column, [name for name in columns if isinstance(name, str)], n=1)
        self.message = (
            f"`{argument}` needs the column {column!r}, which the frame does not have.\n"
            f"The frame has: {', '.join(map(repr, columns)) or 'no columns'}."
            + (f"\nDid you mean {hint[0]!r}?" if hint else "")
        )
        # Exceptions are pickled by their arguments.
        super().__init__(argument, column, columns)

    def __str__(self) -> str:
        """Return the message itself: KeyError would show its repr, newlines and all."""
        return self.message


class MissingDependencyError(RetainkitError, ImportError):
    """An optional package that a function needs is not installed."""


class RetainkitWarning(UserWarning):
    """Something was set aside, or a number needs care; the message says what and how much."""
