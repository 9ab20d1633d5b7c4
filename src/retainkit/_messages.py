"""Build parts of messages to users, and warn them."""

from __future__ import annotations

import math
import os
import reprlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import narwhals.stable.v2 as nw

from retainkit.errors import RetainkitWarning

_PACKAGE = f"{Path(__file__).parent}{os.sep}"


class _Short(reprlib.Repr):
    """Representations that write down no more of a large value than a few parts of it."""

    def repr_int(self, x: int, level: int) -> str:
        """Return an integer, or how many digits it has: Python refuses to write down 4,300."""
        del level
        many = abs(x) >= 10**59
        return (
            f"<an integer of {int(x.bit_length() * math.log10(2)) + 1} digits>" if many else repr(x)
        )


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = 60


def warn(
    text: str,
    *,
    code: str = "",
    argument: str | None = None,
    column: str | None = None,
    rows: int | None = None,
    total: int | None = None,
) -> None:
    """Warn at the line of the caller's code that called into the package."""
    level = 1
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  what `inspect.currentframe` returns
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warning = RetainkitWarning(
        text, code=code, argument=argument, column=column, rows=rows, total=total
    )
    warnings.warn(warning, stacklevel=level)


def count_noun(number: int, noun: str) -> str:
    """Return a number with its noun: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def quoted(value: object, most: int = 60) -> str:
    """Return the repr of a value that may be of any size, cut to some 60 characters."""
    text = _SHORT.repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def named(column: str, argument: str, table: str = "") -> str:
    """Return the name of a column with the argument that names it, and its table if given."""
    return f"column {column!r}{table and f' of `{table}`'} (given as `{argument}`)"


def segment_label(segments: Mapping[str, nw.Series[Any]], row: int) -> str:
    """Return the values of a segment: plan = 'pro', country = None."""
    return ", ".join(f"{name} = {column.to_list()[row]!r}" for name, column in segments.items())


def format_examples(values: Sequence[Any], most: int = 5) -> str:
    """Return a few values as a list in a sentence."""
    texts = (
        _format_number(value) if isinstance(value, float) else repr(as_shown(value))
        for value in values[:most]
    )
    return ", ".join(texts) + (", …" if len(values) > most else "")


def as_shown(value: object) -> object:
    """Return a value as it is shown: of 16 bytes, in which Arrow keeps UUIDs, the UUID."""
    return UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else value


def _format_number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}"
