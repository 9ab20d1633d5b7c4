"""Report nulls where a value is needed: one error and one warning for all tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, named, warn
from retainkit.errors import ArgumentError

_MOST = 5  # columns that a message names
_DROP = "`missing='drop'` leaves such rows out and warns with their number."


@dataclass(frozen=True, slots=True, kw_only=True)
class Nulls:
    """Nulls in some columns of a table of `total` rows.

    `counts` has their numbers by what messages call the columns; `argument` and `column` are those
    of the first, which has `rows` nulls.
    """

    counts: Mapping[str, int]
    total: int
    argument: str
    column: str
    rows: int

    @property
    def text(self) -> str:
        """The words for the numbers of nulls."""
        texts = [
            f"{source} is null in {count_noun(number, 'row')}"
            for source, number in self.counts.items()
        ]
        return " and ".join(texts[:_MOST]) + (" and others" if len(texts) > _MOST else "")

    def error(
        self, *, some: str = "", advice: str = "Fill them in or leave them out", drop: bool = True
    ) -> ArgumentError:
        """Return the error with advice and `some` examples; `missing` is named where it helps."""
        return ArgumentError(
            f"{self.text}, of {self.total:,}{some and f'; {some}'}. {advice}"
            + (f"; {_DROP}" if drop else "."),
            code="null_values",
            argument=self.argument,
            column=self.column,
            rows=self.rows,
            total=self.total,
        )

    def note(self, dropped: int) -> str:
        """Return the words for rows that were left out."""
        return f"{self.text}: {dropped:,} of {count_noun(self.total, 'row')} left out."

    def raise_or_warn(self, missing: str, dropped: int) -> None:
        """Raise, or warn of rows that were left out, as `missing` says."""
        if missing == "raise":
            raise self.error()
        self.warn(dropped)

    def warn(self, dropped: int) -> None:
        """Warn of rows that were left out."""
        warn(
            self.note(dropped),
            code="null_values",
            argument=self.argument,
            column=self.column,
            rows=dropped,
            total=self.total,
        )


def nulls_in(table: CheckedTable, counts: Mapping[str, int], total: int) -> Nulls | None:
    """Return the nulls in columns of a table, by argument, if there are any."""
    return nulls_among(counts, total, table.names, table.table, table.argument_names)


def nulls_among(
    counts: Mapping[str, int],
    total: int,
    columns: Mapping[str, str],
    table: str,
    own_names: Mapping[str, str] | None = None,
) -> Nulls | None:
    """Return the nulls in the `columns` of a table, by argument, if there are any.

    `own_names` are what a public function calls arguments, where that is something else.
    """
    found = {argument: number for argument, number in counts.items() if number}
    if not found:
        return None
    own = {argument: (own_names or {}).get(argument, argument) for argument in found}
    first = next(iter(found))
    return Nulls(
        counts={named(columns[one], own[one], table): number for one, number in found.items()},
        total=total,
        argument=own[first],
        column=columns[first],
        rows=found[first],
    )
