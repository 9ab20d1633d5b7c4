"""Check the amounts of subscriptions and convert them to one currency."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals.stable.v2 as nw

from retainkit._checks import number
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.facts import Facts, examples
from retainkit._messages import count_noun, named
from retainkit.errors import ArgumentError, ArgumentTypeError


def check_amounts(table: CheckedTable, facts: Facts) -> None:
    """Check that no amount is below zero or infinite."""
    least, greatest = facts.least["amount"], facts.greatest["amount"]
    infinite = float("inf")
    if not facts.n_rows or (least >= 0 and greatest < infinite):
        return
    amount = nw.col("amount")
    what = "negative" if least < 0 else "infinite"
    wrong = amount < 0 if least < 0 else amount == infinite
    rows = table.rows.filter(wrong)
    number = count_rows(rows)
    found = collect(rows.head(3))["amount"].to_list()
    raise ArgumentError(
        f"{table.source('amount')} is {what} in {count_noun(number, 'row')}, of "
        f"{facts.n_rows:,}, for instance {', '.join(map(str, found))}, {examples(table, wrong)}. "
        "An amount is what a subscription brings in a month, 0 or more; refunds and credits are "
        "no subscriptions.",
        code="negative_values" if least < 0 else "infinite_values",
        argument="amount",
        column=table.names["amount"],
        rows=number,
        total=facts.n_rows,
    )


def check_rates(rates: Mapping[str, float] | None) -> None:
    """Check that `rates`, if they are given, are numbers of 0 or more."""
    if rates is None:
        return
    if not isinstance(rates, Mapping):
        raise ArgumentTypeError(
            f"`rates` is {rates!r}; it must be a mapping from each currency to the worth of one "
            "unit, such as {'EUR': 1.0, 'USD': 0.92}.",
            argument="rates",
        )
    for name, rate in rates.items():
        number(f"rates[{name!r}]", rate, 0)


def convert_amounts(rows: Frame, currency: str, rates: Mapping[str, float] | None) -> Frame:
    """Convert the amounts into one currency."""
    # Currencies need not be of one kind: some may be words, and others codes that are numbers.
    found = sorted(collect(rows.select("currency").unique())["currency"].to_list(), key=str)
    shown = ", ".join(map(repr, found[:5])) + (" …" if len(found) > 5 else "")
    if rates is None:
        if len(found) > 1:
            raise ArgumentError(
                f"{named(currency, 'currency')} has {len(found):,} currencies ({shown}); money of "
                "several cannot be added up. Give `rates`, such as {'EUR': 1.0, 'USD': 0.92}, or "
                "take them one at a time.",
                code="several_currencies",
                argument="currency",
                column=currency,
            )
        return rows
    lacking = [name for name in found if name not in rates]
    if lacking:
        raise ArgumentError(
            f"`rates` has no rate for {', '.join(map(repr, lacking[:5]))}, which "
            f"{named(currency, 'currency')} holds beside others.",
            code="unknown_currency",
            argument="rates",
            column=currency,
        )
    factor = nw.lit(1.0)
    for name in found:
        rate = nw.lit(float(rates[name]))
        factor = nw.when(nw.col("currency") == name).then(rate).otherwise(factor)
    return rows.with_columns(amount=nw.col("amount") * factor) if found else rows
