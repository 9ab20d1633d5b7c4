"""What subscriptions bring: amounts that are amounts, in one currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from retainkit._checks import number
from retainkit._frames.input import collect, count_rows
from retainkit._messages import count_noun
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from retainkit._frames.input import Frame


def example(rows: Frame, condition: nw.Expr, show: str = "customer") -> str:
    """Say whose rows meet a condition, or of which times they are."""
    found = collect(rows.filter(condition).head(3))[show].to_list()
    write = repr if show == "customer" else str
    return f"for instance {show} " + ", ".join(map(write, found))


def check_amounts(rows: Frame, given: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """Refuse what is no amount: below zero, or infinite."""
    infinite = float("inf")
    if not facts["rows"] or (facts["least"] >= 0 and facts["most"] < infinite):
        return
    amount = nw.col("amount")
    kind = "negative" if facts["least"] < 0 else "infinite"
    wrong = amount < 0 if kind == "negative" else amount == infinite
    found = collect(rows.filter(wrong).head(3))["amount"].to_list()
    raise ArgumentError(
        f"column {given['amount']!r} (given as `amount`) is {kind} in "
        f"{count_noun(count_rows(rows.filter(wrong)), 'row')}, of {facts['rows']:,}, for instance "
        f"{', '.join(map(str, found))}, {example(rows, wrong)}. An amount is what a subscription "
        "brings in a month, 0 or more; refunds and credits are no subscriptions."
    )


def converted(rows: Frame, currency: str, rates: Mapping[str, float] | None) -> Frame:
    """Convert the amounts into one currency."""
    found = sorted(collect(rows.select("currency").unique())["currency"].to_list())
    shown = ", ".join(map(repr, found[:5])) + (" …" if len(found) > 5 else "")
    if rates is None:
        if len(found) > 1:
            raise ArgumentError(
                f"column {currency!r} (given as `currency`) has {len(found):,} currencies "
                f"({shown}); money of several cannot be added up. Give `rates`, such as "
                "{'EUR': 1.0, 'USD': 0.92}, or take them one at a time."
            )
        return rows
    if not isinstance(rates, Mapping):
        raise ArgumentTypeError(
            f"`rates` is {rates!r}; it must be a mapping from each currency to the worth of one "
            "unit, such as {'EUR': 1.0, 'USD': 0.92}."
        )
    lacking = [name for name in found if name not in rates]
    if lacking:
        raise ArgumentError(
            f"`rates` has no rate for {', '.join(map(repr, lacking[:5]))}, which column "
            f"{currency!r} (given as `currency`) holds beside others."
        )
    factor = nw.lit(1.0)
    for name in found:
        worth = number(f"rates[{name!r}]", rates[name], 0)
        factor = nw.when(nw.col("currency") == name).then(nw.lit(worth)).otherwise(factor)
    return rows.with_columns(amount=nw.col("amount") * factor) if found else rows
