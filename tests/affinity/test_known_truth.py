"""Affinity where the truth is known: pairs that were planted in a synthetic shop."""

from typing import Any

import pandas as pd
import pytest

from retainkit import datasets, product_affinity

COFFEES = {"espresso", "filter roast", "decaf", "mild"}  # one in each order


def planted(shop: datasets.CustomerTables, kind: str) -> dict[tuple[str, str], float]:
    """Return the true lift of each planted pair."""
    rows = shop.pairs[shop.pairs["kind"] == kind]
    return dict(zip(zip(rows["item"], rows["other"], strict=True), rows["lift"], strict=True))


def found(lines: pd.DataFrame, **options: Any) -> dict[tuple[str, str], Any]:
    """Return the rows of the result by their items, those of two coffees left out."""
    result = product_affinity(lines, **options)
    both = result["item"].isin(COFFEES) & result["other"].isin(COFFEES)
    rows = result[~both].itertuples(index=False)
    return {(str(row.item), str(row.other)): row for row in rows}


def test_what_was_planted_is_found_and_nothing_else() -> None:
    shop = datasets.make_customers(2_000, seed=0)
    baskets = found(shop.lines, kind="basket", order="order")
    assert {pair for pair, row in baskets.items() if row.p_adjusted < 0.05} == {
        *planted(shop, "basket")
    }
    later = found(shop.lines)
    assert {pair for pair, row in later.items() if row.p_adjusted < 0.05} == {
        *planted(shop, "next")
    }


@pytest.mark.simulation
def test_intervals_of_the_lift_hold_the_truth_in_94_percent() -> None:
    held = []
    for seed in range(40):
        shop = datasets.make_customers(400, seed=seed)
        truth = planted(shop, "basket")
        for pair, row in found(shop.lines, kind="basket", order="order").items():
            held.append(row.lift_lower <= truth.get(pair, 1.0) <= row.lift_upper)
    assert len(held) > 4_000
    assert sum(held) / len(held) >= 0.94
