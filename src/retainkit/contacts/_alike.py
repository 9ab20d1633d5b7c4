"""Names that differ in capitals and blanks alone: two to a program, and one to who wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from retainkit._messages import format_examples, warn


def warn_of_alike(given: Iterable[Any], known: Iterable[Any], what: str, argument: str) -> None:
    """Warn of names in a table that are none of those known, but for capitals and blanks."""
    own = {one for one in known if isinstance(one, str)}
    plain = {_plain(one) for one in own}
    alike = sorted(
        {one for one in given if isinstance(one, str) and one not in own and _plain(one) in plain}
    )
    if alike:
        warn(
            f"`{argument}` names {format_examples(alike, 3)}, which among the candidates differ in "
            f"capitals or blanks: another {what} to a program. Write them alike.",
            code="unused_value",
            argument=argument,
            rows=len(alike),
            total=len(alike),
        )


def _plain(name: str) -> str:
    return name.strip().casefold()
