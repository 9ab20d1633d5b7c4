"""Exceptions of this package, and its one category of warnings.

Every exception is also the builtin that a caller would expect::

    RetainkitError
    ├── MissingColumnError      KeyError      a column named by an argument is not in the frame
    ├── ColumnTypeError         TypeError     a column holds the wrong type
    ├── ArgumentTypeError       TypeError     an argument is of the wrong type
    ├── ArgumentError           ValueError    an argument, or the data it names, has a wrong value
    └── MissingDependencyError  ImportError   an optional package is not installed

All warnings are of the category `RetainkitWarning`. Errors and warnings have their facts as
attributes too, so that a program need not read the text: `code`, `argument`, `column`, `rows` and
`total`.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "ColumnTypeError",
    "MissingColumnError",
    "MissingDependencyError",
    "RetainkitError",
    "RetainkitWarning",
]


class _Report(Exception):  # noqa: N818  warnings are of it too
    """The facts of an error or a warning.

    Attributes
    ----------
    code : str
        The kind of fault, a word that stays the same from version to version.
    argument, column : str, optional
        The argument that is at fault, and the column that it names.
    rows, total : int, optional
        How many rows are concerned, and of how many.
    """

    default_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        argument: str | None = None,
        column: str | None = None,
        rows: int | None = None,
        total: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.argument = argument
        self.column = column
        self.rows = rows
        self.total = total


class RetainkitError(_Report):
    """Base of every exception that retainkit raises on purpose."""


class ArgumentError(RetainkitError, ValueError):
    """An argument, or the data that it names, has a wrong value."""

    default_code = "argument_value"


class ArgumentTypeError(RetainkitError, TypeError):
    """An argument is of the wrong type."""

    default_code = "argument_type"


class ColumnTypeError(RetainkitError, TypeError):
    """A column named by an argument holds the wrong type."""

    default_code = "column_type"


# The two names that tables of money have here, and what is in such a column.
_MONEY = {
    "mrr": "what a subscription brings in a month",
    "amount": "what is paid",
}


def _money_hint(argument: str, column: str, columns: Sequence[Any]) -> str:
    """Return what to write where money is in the column of the other name."""
    for other, holds in _MONEY.items():
        if argument == "amount" and column in _MONEY and column != other and other in columns:
            wanted = _MONEY[column]
            return f"\nIt has {other!r} ({holds}): write amount={other!r} if that is {wanted}."
    return ""


class MissingColumnError(RetainkitError, KeyError):
    """A column named by an argument is not in the frame."""

    default_code = "missing_column"

    def __init__(
        self, argument: str, column: str, columns: Sequence[Any], advice: str = ""
    ) -> None:
        hint = get_close_matches(column, [name for name in columns if isinstance(name, str)], n=1)
        self.message = (
            f"`{argument}` needs the column {column!r}, which the frame does not have.\n"
            f"The frame has: {', '.join(map(repr, columns)) or 'no columns'}."
            + (f"\nDid you mean {hint[0]!r}?" if hint else "")
            + _money_hint(argument, column, columns)
            + (f"\n{advice}" if advice else "")
        )
        super().__init__(self.message, argument=argument, column=column)
        # Exceptions are pickled by their arguments.
        self.args = (argument, column, columns, advice)

    def __str__(self) -> str:
        """Return the message itself: KeyError would show its repr, newlines and all."""
        return self.message


class MissingDependencyError(RetainkitError, ImportError):
    """An optional package that a function needs is not installed."""

    default_code = "missing_dependency"


class RetainkitWarning(_Report, UserWarning):
    """Something was set aside, or a number needs care; the message says what and how much."""

    default_code = "care_needed"
