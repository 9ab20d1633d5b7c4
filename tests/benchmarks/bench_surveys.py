"""Net promoter scores of a million answers, in all and in 100,000 segments.

    python tests/benchmarks/bench_surveys.py
    python tests/benchmarks/bench_surveys.py --rows 100000 --segments 10000 --repeat 5

Required: a million answers grouped in about a second, 100,000 segments with intervals in under
three. Beside them stands what one writes by hand, shares by segment without an interval.

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

from retainkit import nps, nps_difference, nps_from_counts, score_trend

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")


def answers(rows: int, segments: int) -> pd.DataFrame:
    """Draw answers, half of them by respondents who answered before."""
    rng = np.random.default_rng(20240601)
    return pd.DataFrame(
        {
            "score": rng.choice(11, rows, p=[0.02] * 6 + [0.08, 0.15, 0.15, 0.2, 0.3]),
            "store": rng.integers(0, segments, rows),
            "plan": np.array(["basic", "pro", "team"])[rng.integers(0, 3, rows)],
            "respondent_id": rng.integers(0, rows // 2, rows),
            "weight": rng.lognormal(0, 0.5, rows),
            "time": np.datetime64("2023-01-01", "us")
            + rng.integers(0, 730 * 24, rows) * np.timedelta64(1, "h"),
        }
    )


def by_hand(table: pd.DataFrame) -> pd.Series[float]:
    """Score the stores as one does by hand."""
    value = (table["score"] > 8).astype(int) - (table["score"] < 7).astype(int)
    return 100 * value.groupby(table["store"]).mean()


def calls(table: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    """Return what is timed."""
    in_polars = pl.from_pandas(table)
    relation = duckdb.from_df(table)
    kinds = pd.cut(table["score"], [-1, 6, 8, 10], labels=["detractors", "passives", "promoters"])
    counts = pd.crosstab(table["store"], kinds).reset_index()
    weighted = {"by": "plan", "weights": "weight", "respondent": "respondent_id"}
    return {
        "nps": lambda: nps(table),
        "by='plan'": lambda: nps(table, by="plan"),
        "by='plan', Polars": lambda: nps(in_polars, by="plan"),
        "by='plan', DuckDB": lambda: nps(relation, by="plan"),
        "by='plan', weights, respondents": lambda: nps(table, **weighted),
        "by='store'": lambda: nps(table, by="store"),
        "by='store', weights": lambda: nps(table, by="store", weights="weight"),
        "nps_from_counts by='store'": lambda: nps_from_counts(counts, by="store"),
        "nps_difference of plans": lambda: nps_difference(table, group="plan"),
        "score_trend by month": lambda: score_trend(table),
        "stores by hand, no interval": lambda: by_hand(table),
    }


def main() -> None:
    """Time every call and compare the scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    table = answers(options.rows, options.segments)
    print(f"{len(table):,} answers, {table['store'].nunique():,} stores")
    timed = calls(table)
    for name, seconds in fastest(timed, options.repeat).items():
        print(f"{name:<34}{seconds:8.2f} s")
    found = nps(table, by="store").set_index("store")["nps"]
    assert np.allclose(found, by_hand(table).loc[found.index])


if __name__ == "__main__":
    main()
