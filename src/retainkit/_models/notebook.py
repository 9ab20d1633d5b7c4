"""Tables in HTML, as notebooks show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from retainkit._typing import Array


def significant(value: float) -> str:
    """Write a number with three significant digits."""
    return f"{float(f'{value:.3g}'):g}"


def html_table(caption: str, columns: Mapping[str, Sequence[Any] | Array]) -> str:
    """Return a table with a caption, a row for each value; the first column heads the rows.

    It names no colour, so that it has those of the page, light or dark, and loads nothing.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = [_line(values) for values in zip(*columns.values(), strict=True)]
    return (
        f'<table class="dataframe"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _line(values: Sequence[Any]) -> str:
    first, *others = (_text(value) for value in values)
    cells = "".join(f"<td>{one}</td>" for one in others)
    return f'<tr><th scope="row">{first}</th>{cells}</tr>'


def _text(value: Any) -> str:
    if not isinstance(value, (float, np.floating)):
        return escape(str(value))
    return "NaN" if np.isnan(value) else significant(float(value))
