"""What a question about purchases asks, and what a reducer answers: the two ends of a reduction.

`_purchase_plan` answers inside a lazy engine and `_purchase_kernel` on arrays in memory; both take
a `PurchaseSpec` and return a `PurchaseSummary`, and the tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from retainkit._messages import count_noun
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday

Amounts = Literal["raise", "net", "keep"]

SUMMARY = ("frequency", "recency", "T", "monetary_value")
"""What a summary of purchases calls its own columns."""

HOLDOUT = ("frequency_holdout", "monetary_value_holdout", "duration_holdout")
"""And those of the time after calibration."""

ROUNDING = 1e-9
"""Share of all money moved up to which a net below zero is one of zero, not rounded well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSpec:
    """The options of a summary that a reduction depends on, checked.

    Purchases of one customer in one period `merge` are one. The summary is made of those before
    `end`, which its last observed period `last` precedes or holds; where there is a `holdout`,
    those from `end` on are counted beside it.
    Recency and T are numbers of periods divided by `length`, or whole where that is None. With
    `net`, a period whose money nets below zero has no purchase in it.
    """

    merge: Period
    week_start: Weekday
    length: float | None
    include_first: bool
    net: bool
    end: Moment
    last: int
    holdout: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSummary:
    """One row a customer with a purchase before the end, and who was left out.

    `columns` is a lazy frame or, in ascending order of customers, a dict of arrays and narwhals
    series; with the columns ``by_0`` …, ``customer``, ``frequency``, ``recency``, ``T`` and, where
    they apply, ``monetary_value``, ``frequency_holdout`` and ``monetary_value_holdout``.
    `later` counts the customers whose first purchase lies in the holdout, `nothing` those of whom
    no purchase is left.
    """

    columns: Any
    later: int
    nothing: int


def check_one_segment(by: Sequence[str], number: int, some: Sequence[Any]) -> ArgumentError:
    """Say that customers have several values of `by`."""
    names = " and ".join(map(repr, by))
    return ArgumentError(
        f"{names} (given as `by`) {'has' if len(by) == 1 else 'have'} several values for "
        f"{count_noun(number, 'customer')}, such as {', '.join(map(repr, some))}; a customer must "
        "have one throughout. Keep the first or the last one, for instance, or leave `by` out."
    )
