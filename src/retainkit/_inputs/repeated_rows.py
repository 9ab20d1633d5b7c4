"""Rows that say the same twice: exact repeats, and phases of one subscription that overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.groupby import latest_so_far, sort_order
from retainkit._inputs.columns import CheckedTable
from retainkit._messages import count_noun, format_examples, warn
from retainkit._typing import Array, Booleans, Integers
from retainkit.errors import ArgumentError


def distinct_phases(
    subscription: nw.Series[Any], values: Mapping[str, Array], table: CheckedTable
) -> Booleans:
    """Mark the rows that are phases of a subscription: all but exact repeats, of which it warns.

    Phases come one after another: rows of the same subscription that overlap are refused. `values`
    are the columns in which repeats agree, among them `begin` and `end`.
    """
    code, _ = integer_codes(subscription)
    order = sort_order(code, values["begin"], values["end"])
    repeated = _repeats(order, ("subscription", "begin"), {"subscription": code, **values})
    distinct = np.ones(len(code), bool)
    distinct[repeated] = False
    repeats = len(repeated)
    if repeats:
        warn(
            f"{repeats:,} of {count_noun(len(code), 'row')} repeat another row of the same "
            f"subscription, {table.source('subscription')}, and are counted once.",
            code="duplicate_rows",
            argument="subscription",
            column=table.names["subscription"],
            rows=repeats,
            total=len(code),
        )
    _check_phases(code, values, order[distinct[order]], subscription, table)
    return distinct


def _check_phases(
    code: Integers,
    values: Mapping[str, Array],
    order: Integers,
    subscription: nw.Series[Any],
    table: CheckedTable,
) -> None:
    """Check that no rows of a subscription, which are in order, overlap."""
    code, begin, end = (one[order] for one in (code, values["begin"], values["end"]))
    same = code[1:] == code[:-1]
    reached = latest_so_far(end, np.cumsum(np.append(True, ~same)[: len(code)]) - 1)
    overlap = np.flatnonzero(same & (begin[1:] < reached[:-1])) + 1
    if not len(overlap):
        return
    _, first = np.unique(code[overlap], return_index=True)
    some = subscription[order[overlap[np.sort(first)[:5]]].tolist()].to_list()
    raise ArgumentError(
        f"{count_noun(len(overlap), 'row')}, of {len(subscription):,}, overlap another of the same "
        f"subscription, {table.source('subscription')}, for instance of {format_examples(some)}. "
        "Rows of one subscription must come one after another, as its phases: leave out what is "
        "outdated, or name a column that tells subscriptions apart.",
        code="overlapping_rows",
        argument="subscription",
        column=table.names["subscription"],
        rows=len(overlap),
        total=len(subscription),
    )


def warn_of_repeats(values: Mapping[str, Array]) -> None:
    """Warn of rows that are the same in all columns; they are ordered by `customer` and `begin`."""
    total = len(values["begin"])
    repeats = len(_repeats(np.arange(total), ("customer", "begin"), values))
    if repeats:
        warn(
            f"{repeats:,} of {count_noun(total, 'row')} repeat another row in every column that is "
            "read, and each of them counts. If these are the same subscriptions twice, of a "
            "history or of a join, name the column that tells subscriptions apart with "
            "`subscription`; then repeats count once.",
            code="duplicate_rows",
            argument="subscription",
            rows=repeats,
            total=total,
        )


def _repeats(order: Integers, keys: tuple[str, str], values: Mapping[str, Array]) -> Integers:
    """Return rows that repeat another in all values; in `order`, equal `keys` are neighbours."""
    tie = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        tie &= values[key][order][1:] == values[key][order][:-1]
    if not tie.any():
        return order[:0]
    rows = order[np.append(False, tie) | np.append(tie, False)]
    rows = rows[np.lexsort([one[rows] for one in values.values()])]
    same = np.ones(len(rows) - 1, bool)
    for one in values.values():
        same &= one[rows][1:] == one[rows][:-1]
    repeated: Integers = rows[1:][same]
    return repeated
