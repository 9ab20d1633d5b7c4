"""Warning signs of a million customers, against the bare reduction written by hand.

    python tests/benchmarks/bench_warning_signs.py
    python tests/benchmarks/bench_warning_signs.py --rows 4000000 --customers 200000 --repeat 2

Required, for twenty million events of a million customers over a year: no more than twice the bare
reduction of the same engine. That counts the active days of both windows, and finds the last one
and the longest quiet time; it tests nothing, and checks nothing.

Both must first give the same counts. They then take turns, `--repeat` times; what is compared is
the fastest turn of each. The data are drawn from a fixed seed and stay in memory.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine

from retainkit import RetainkitWarning, warning_signs

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, CUSTOMERS = 20_000_000, 1_000_000
FIRST, END = np.datetime64("2024-01-01", "us"), np.datetime64("2024-12-30", "us")
RECENT, BASELINE = 28, 84
COUNTS = ["customer_id", "baseline_active", "recent_active", "last_seen_days", "quiet"]


def draw_events(rows: int, customers: int) -> pd.DataFrame:
    """Draw events of customers who are all there on the first day, and come at rates of their own.

    So the first active day of nobody is in a window.
    """
    rng = np.random.default_rng(2024)
    share = rng.gamma(1.0, 1.0, customers)
    share /= share.sum()
    drawn = np.repeat(np.arange(customers), rng.poisson(share * (rows - customers)))
    span = int((END - FIRST).astype(np.int64))
    instant = int(FIRST.astype(np.int64)) + (rng.random(len(drawn)) * span).astype(np.int64)
    order = rng.permutation(len(drawn) + customers)
    customer = np.concatenate([np.arange(customers), drawn])[order]
    time = np.concatenate([np.full(customers, FIRST.astype(np.int64)), instant])[order]
    return pd.DataFrame({"customer_id": customer, "time": time.view("datetime64[us]")})


# The reductions by hand


def by_pandas(events: pd.DataFrame) -> pd.DataFrame:
    """Count distinct days by drop_duplicates, and gaps after a sort."""
    ago = (END - events["time"].dt.normalize()).dt.days
    days = pd.DataFrame({"customer_id": events["customer_id"], "ago": ago})
    days = days.drop_duplicates().sort_values(["customer_id", "ago"])
    days["quiet"] = days.groupby("customer_id")["ago"].diff()
    days["recent_active"] = days["ago"] <= RECENT
    days["baseline_active"] = (days["ago"] > RECENT) & (days["ago"] <= RECENT + BASELINE)
    return days.groupby("customer_id", as_index=False).agg(
        baseline_active=("baseline_active", "sum"),
        recent_active=("recent_active", "sum"),
        last_seen_days=("ago", "min"),
        quiet=("quiet", "max"),
    )


def by_polars(events: pl.DataFrame) -> pl.DataFrame:
    """Count distinct days by unique, and gaps by a window."""
    ago = pl.lit(END.astype("datetime64[D]").item()) - pl.col("time").dt.date()
    days = events.lazy().select("customer_id", ago=ago.dt.total_days()).unique()
    days = days.sort("customer_id", "ago")
    gap = pl.col("ago").diff().over("customer_id")
    counts = days.with_columns(gap=gap).group_by("customer_id", maintain_order=True)
    found = counts.agg(
        baseline_active=pl.col("ago").is_between(RECENT + 1, RECENT + BASELINE).sum(),
        recent_active=(pl.col("ago") <= RECENT).sum(),
        last_seen_days=pl.col("ago").min(),
        quiet=pl.col("gap").max(),
    )
    return found.collect()


def by_duckdb(events: duckdb.DuckDBPyRelation) -> Any:
    """Count distinct days by a subquery, and gaps by lag."""
    found: Any = events.query(
        "events",
        """
        with days as (
            select distinct customer_id, date '2024-12-30' - time::date as ago from events
        ), gaps as (
            select *, ago - lag(ago) over (partition by customer_id order by ago) as gap from days
        )
        select customer_id,
               count(*) filter (ago > 28 and ago <= 112) as baseline_active,
               count(*) filter (ago <= 28) as recent_active,
               min(ago) as last_seen_days, max(gap) as quiet
        from gaps group by customer_id
        """,
    )
    return found.fetchnumpy()


def plain(table: Any) -> pd.DataFrame:
    """Return the counts of a result in one order."""
    frame = pd.DataFrame(table) if isinstance(table, dict) else nw.from_native(table).to_pandas()
    frame = frame.rename(columns={"quiet_days_longest": "quiet"}).sort_values("customer_id")
    return frame[COUNTS].astype("float64").reset_index(drop=True)


# The comparison


def contestants(events: pd.DataFrame) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return for each engine the reduction by hand and the library's."""
    table = pl.from_pandas(events)
    duckdb.from_df(events).create("stored_events")
    stored = duckdb.table("stored_events")
    return {
        "pandas": (lambda: by_pandas(events), lambda: warning_signs(events, as_of=str(END))),
        "polars": (lambda: by_polars(table), lambda: warning_signs(table, as_of=str(END))),
        "polars lazy": (
            lambda: by_polars(table),
            lambda: warning_signs(table.lazy(), as_of=str(END)).collect(),
        ),
        "duckdb": (
            lambda: by_duckdb(stored),
            lambda: warning_signs(stored, as_of=str(END)).fetchnumpy(),
        ),
    }


def main() -> None:
    """Compare, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engines", default="pandas,polars,polars lazy,duckdb")
    options = parser.parse_args()
    print(machine("numpy", "pandas", "polars", "duckdb", "narwhals"))
    events = draw_events(options.rows, options.customers)
    print(f"{len(events):,} events, {options.customers:,} customers")
    warnings.simplefilter("ignore", RetainkitWarning)
    every = contestants(events)
    for engine in options.engines.split(","):
        hand, own = every[engine]
        pd.testing.assert_frame_equal(plain(hand()), plain(own()))
        best = fastest({"hand": hand, "own": own}, options.repeat)
        ratio = best["own"] / best["hand"]
        print(f"{engine:12} by hand {best['hand']:6.2f} s, own {best['own']:6.2f} s: {ratio:.2f}x")


if __name__ == "__main__":
    main()
