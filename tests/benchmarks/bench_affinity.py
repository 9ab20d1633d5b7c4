"""Pairs of items in five million lines, against mlxtend and a self-join written by hand.

    python tests/benchmarks/bench_affinity.py
    python tests/benchmarks/bench_affinity.py --lines 1000000 --repeat 2

Required: baskets at least 50 times faster than mlxtend (apriori of pairs, then rules) where that
can be run, and five million lines of 2,000 items in less than 1 GB beside the table itself; what
comes next within 1.5 times the self-join by hand in DuckDB.

mlxtend is no dependency: without it (`pip install mlxtend`) its turn is left out. Every contestant
must first give the same counts. They then take turns, `--repeat` times; what is compared is the
fastest turn of each. The data are drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import resource
import warnings
from importlib.util import find_spec
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine, timed

from retainkit import RetainkitWarning, product_affinity

BEGIN, END = "2023-01-01", "2025-01-01"
SMALL = {"lines": 200_000, "items": 500}
BASKET: dict[str, Any] = {"kind": "basket", "order": "order_id"}
NEXT: dict[str, Any] = {"as_of": END}
BY_HAND = """
with firsts as (
    select customer_id, item, min(time) as first from lines group by all
), trials as (
    select item, count(*) as n from firsts
    where first + interval 90 day <= timestamp '{end}' group by item having count(*) >= 20
), hits as (
    select firsts.customer_id, firsts.item, lines.item as other, first, min(lines.time) as hit
    from firsts join trials on firsts.item = trials.item
    join lines on lines.customer_id = firsts.customer_id
        and lines.time > first and lines.time < first + interval 90 day
    join trials as others on lines.item = others.item
    where first + interval 90 day <= timestamp '{end}'
    group by all
)
select item, other, count(*) as n_both, median(date_diff('day', first, hit)) as median_days
from hits group by all
""".replace("{end}", END)


def draw_lines(lines: int, items: int) -> pd.DataFrame:
    """Draw orders of four lines on average, of items some of which sell far better than others."""
    rng = np.random.default_rng(2023)
    n_orders = lines // 4
    begin, end = (int(np.datetime64(day, "us").astype(np.int64)) for day in (BEGIN, END))
    customer = rng.integers(0, n_orders // 3, n_orders)
    time = rng.integers(begin, end, n_orders)
    order = np.sort(rng.integers(0, n_orders, lines))
    share = 1 / np.arange(10, items + 10)
    return pd.DataFrame(
        {
            "order_id": order,
            "customer_id": customer[order],
            "time": time[order].view("datetime64[us]"),
            "item": rng.choice(items, lines, p=share / share.sum()),
        }
    )


def by_mlxtend(lines: pd.DataFrame) -> pd.DataFrame:
    """Find all pairs by apriori, and their rules, as its user guide does."""
    from mlxtend.frequent_patterns import apriori, association_rules  # noqa: PLC0415
    from mlxtend.preprocessing import TransactionEncoder  # noqa: PLC0415

    baskets = lines.groupby("order_id")["item"].agg(list)
    encoder = TransactionEncoder()
    flags = pd.DataFrame(encoder.fit(baskets).transform(baskets), columns=encoder.columns_)
    sets = apriori(flags, min_support=1 / len(flags), use_colnames=True, max_len=2)
    return association_rules(sets, metric="lift", min_threshold=0)


def compare_with_mlxtend(repeat: int) -> None:
    lines = draw_lines(**SMALL)
    seconds = fastest({"retainkit": lambda: product_affinity(lines, **BASKET)}, repeat)["retainkit"]
    print(f"\nbaskets, {SMALL['lines']:,} lines, {SMALL['items']} items: {seconds:.3f} s")
    if find_spec("mlxtend") is None:
        print("  mlxtend is not installed")
        return
    theirs, rules = timed(lambda: by_mlxtend(lines))
    ours = product_affinity(lines, min_trials=1, **BASKET)
    keys = ["item", "other"]
    rules = rules.assign(item=rules["antecedents"].map(min), other=rules["consequents"].map(min))
    both = ours.merge(rules, on=keys, suffixes=("", "_theirs"))
    assert len(both) == len(ours) == len(rules)
    assert np.allclose(both["lift"], both["lift_theirs"], rtol=1e-12)
    print(f"  mlxtend {theirs:.1f} s: {theirs / seconds:.0f} times as long")


def peak() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_memory(lines: pd.DataFrame) -> None:
    """Run the baskets before anything else does: the peak of a process never falls."""
    product_affinity(lines[:10_000], min_trials=1, **BASKET)  # imports have their own
    before = peak()
    seconds, result = timed(lambda: product_affinity(lines, **BASKET))
    print(
        f"baskets, {len(lines):,} lines, {lines['item'].nunique():,} items: {seconds:.2f} s, "
        f"{len(result):,} rows, {(peak() - before) / 2**30:.2f} GB more"
    )


def compare_engines(lines: pd.DataFrame, repeat: int) -> None:
    connection = duckdb.connect()
    connection.execute("create table lines as select * from lines")
    relation = connection.table("lines")
    frames = {"pandas": lines, "polars": pl.from_pandas(lines), "duckdb": relation}
    by_hand = connection.sql(BY_HAND).df().sort_values(["item", "other"], ignore_index=True)
    for name, frame in frames.items():
        ours = product_affinity(frame, **NEXT)
        ours = ours if isinstance(ours, pd.DataFrame) else ours.to_pandas()
        found = ours.sort_values(["item", "other"], ignore_index=True)[[*by_hand]]
        assert np.array_equal(found.to_numpy(float), by_hand.to_numpy(float)), name
    calls = {name: lambda one=one: product_affinity(one, **NEXT) for name, one in frames.items()}
    seconds = fastest({"by hand": lambda: connection.sql(BY_HAND).df(), **calls}, repeat)
    print(f"\nnext, {len(lines):,} lines: {int(by_hand['n_both'].sum()):,} hits")
    for name, one in seconds.items():
        print(f"  {name:8} {one:6.2f} s, {one / seconds['by hand']:5.2f} of by hand")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore", RetainkitWarning)
    print(machine("numpy", "scipy", "pandas", "polars", "duckdb", "narwhals"))
    lines = draw_lines(options.lines, options.items)
    measure_memory(lines)
    compare_engines(lines, options.repeat)
    compare_with_mlxtend(options.repeat)


if __name__ == "__main__":
    main()
