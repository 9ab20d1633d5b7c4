"""Segments of one million customers and their migration, beside the recipes of notebooks.

    python tests/benchmarks/bench_segments.py
    python tests/benchmarks/bench_segments.py --customers 100000 --repeat 5

Beside `assign_segments` stands the dictionary of regular expressions over pasted scores, and beside
`segment_migration` a merge and a crosstab; both must give the same counts.

The calls take turns, `--repeat` times; the fastest turn of each counts. The data are drawn from a
fixed seed and stay in memory.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine

from retainkit import assign_segments, audience, segment_migration, segment_rules

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")


def scores(customers: int, seed: int) -> pd.DataFrame:
    """Draw scores from 1 to 5."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(customers),
            "r": rng.integers(1, 6, customers),
            "f": rng.integers(1, 6, customers),
        }
    )


def pasted(table: pd.DataFrame) -> pd.Series:
    """Name segments by regular expressions over the scores as text, as notebooks do."""
    patterns: Any = {
        rf"^[{rule.r_min}-{rule.r_max}][{rule.f_min}-{rule.f_max}]$": rule.segment
        for rule in segment_rules().itertuples()
    }
    return (table["r"].astype(str) + table["f"].astype(str)).replace(patterns, regex=True)


def crosstab(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Count pairs of segments by a merge and a crosstab."""
    both = before.merge(after, on="customer_id", how="outer", suffixes=("", "_after"))
    return pd.crosstab(both["segment"], both["segment_after"])


def main() -> None:
    """Time every call and compare the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    table = scores(options.customers, 1)
    before, after = assign_segments(table), assign_segments(scores(options.customers, 2))
    assert pasted(table.head(10_000)).equals(before["segment"].head(10_000))
    counted = crosstab(before, after)
    moves = segment_migration(before, after).set_index(["from", "to"])["customers"]
    assert all(moves[one, other] == counted.loc[one, other] for one in counted for other in counted)

    rules = segment_rules().rename(columns={"segment": "rule"})
    early, late = pl.from_pandas(before), pl.from_pandas(after)
    lazy, relation = pl.from_pandas(table).lazy(), duckdb.from_df(table)
    calls: dict[str, Callable[[], Any]] = {
        "segments, regular expressions": lambda: pasted(table),
        "assign_segments, pandas": lambda: assign_segments(table),
        "assign_segments, Polars": lambda: assign_segments(lazy).collect(),
        "assign_segments, DuckDB": lambda: assign_segments(relation).df(),
        "audience, pandas": lambda: audience(table, rules),
        "audience, DuckDB": lambda: audience(relation, rules).df(),
        "migration, merge and crosstab": lambda: crosstab(before, after),
        "segment_migration, pandas": lambda: segment_migration(before, after),
        "segment_migration, Polars": lambda: segment_migration(early, late),
    }
    seconds = fastest(calls, options.repeat)
    print(machine(*PACKAGES))
    for name, second in seconds.items():
        print(f"{name:32} {second:8.3f} s")
    pairs = {
        "segments, regular expressions": "assign_segments, pandas",
        "migration, merge and crosstab": "segment_migration, pandas",
    }
    for slow, quick in pairs.items():
        print(f"{quick}: {seconds[slow] / seconds[quick]:.1f} times as fast as {slow}")


if __name__ == "__main__":
    main()
