"""The view of a million customers, against the recipes written by hand.

    python tests/benchmarks/bench_customers.py
    python tests/benchmarks/bench_customers.py --rows 1000000 --customers 100000 --repeat 2

Required, for ten million orders of a million customers over two years, three windows and two
sources of five million rows: on pandas no slower than the usual recipe (a group-by a window, then
merges), on Polars no slower than a query written by hand, on DuckDB at least 1.5 times as fast as
the obvious query with `count(distinct day) filter`. Twelve snapshots in less than eight times one
view.

Every contestant must first count the same orders. They then take turns, `--repeat` times; what is
compared is the fastest turn of each. The data are drawn from a fixed seed and stay in memory.
"""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine

from retainkit import RetainkitWarning, churn_snapshots, customer_view, snapshot_dates

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 10_000_000
FIRST, END = "2023-01-01", "2025-01-01"
WINDOWS = {"28d": 28, "90d": 90, "365d": 365}
SOURCES = ("visits", "tickets")
PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")


def draw_rows(rows: int, customers: int, seed: int) -> pd.DataFrame:
    """Draw rows at any time within the two years, with amounts of cents."""
    rng = np.random.default_rng(seed)
    first, end = (int(np.datetime64(day, "us").astype(np.int64)) for day in (FIRST, END))
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, rows),
            "time": rng.integers(first, end, rows).view("datetime64[us]"),
            "amount": rng.integers(1, 10_000, rows) / 100,
        }
    )


# By hand


def pandas_recipe(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Group once for each window, and merge."""
    end, orders = pd.Timestamp(END), tables["orders"]
    view = orders.groupby("customer_id").agg(
        first=("time", "min"),
        last=("time", "max"),
        orders=("time", "size"),
        amount=("amount", "sum"),
    )
    view["tenure_days"] = (end - view.pop("first").dt.normalize()).dt.days
    view["recency_days"] = (end - view.pop("last").dt.normalize()).dt.days
    for name, days in WINDOWS.items():
        begin = end - pd.Timedelta(days=days)
        within = orders[orders["time"] >= begin]
        within = within.assign(day=within["time"].dt.normalize())
        before = orders[
            (orders["time"] >= begin - pd.Timedelta(days=days)) & (orders["time"] < begin)
        ]
        parts = within.groupby("customer_id").agg(
            **{
                f"orders_{name}": ("time", "size"),
                f"amount_{name}": ("amount", "sum"),
                f"active_days_{name}": ("day", "nunique"),
            }
        )
        view = view.join(parts).join(before.groupby("customer_id").size().rename(f"before_{name}"))
    for source in SOURCES:
        rows = tables[source]
        own = rows.groupby("customer_id").agg(**{source: ("time", "size"), "last": ("time", "max")})
        view = view.join(own.rename(columns={"last": f"{source}_last"}))
        for name, days in WINDOWS.items():
            within = rows[rows["time"] >= end - pd.Timedelta(days=days)]
            view = view.join(within.groupby("customer_id").size().rename(f"{source}_{name}"))
    return view.fillna(0).reset_index()


def polars_query(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Filter within one aggregation, a table at a time."""
    end, time = pl.lit(END).str.to_datetime(time_unit="us"), pl.col("time")
    columns = [
        pl.len().alias("orders"),
        pl.col("amount").sum(),
        (end - time.min().dt.truncate("1d")).dt.total_days().alias("tenure_days"),
        (end - time.max().dt.truncate("1d")).dt.total_days().alias("recency_days"),
    ]
    for name, days in WINDOWS.items():
        begin = end - pl.duration(days=days)
        within, before = time >= begin, (time >= begin - pl.duration(days=days)) & (time < begin)
        columns += [
            within.sum().alias(f"orders_{name}"),
            pl.col("amount").filter(within).sum().alias(f"amount_{name}"),
            pl.col("day").filter(within).n_unique().alias(f"active_days_{name}"),
            before.sum().alias(f"before_{name}"),
        ]
    orders = tables["orders"].lazy().with_columns(day=time.dt.date())
    view = orders.group_by("customer_id").agg(columns)
    for source in SOURCES:
        own = [pl.len().alias(source), time.max().alias(f"{source}_last")]
        for name, days in WINDOWS.items():
            own.append((time >= end - pl.duration(days=days)).sum().alias(f"{source}_{name}"))
        view = view.join(
            tables[source].lazy().group_by("customer_id").agg(own), on="customer_id", how="left"
        )
    return view.collect()


def duckdb_query(relations: dict[str, Any]) -> pd.DataFrame:
    """Ask the obvious query, with distinct days in each window."""
    windows = (
        ", ".join(
            f"count(*) FILTER (time >= e - INTERVAL {days} DAY) AS orders_{name}, "
            f"sum(amount) FILTER (time >= e - INTERVAL {days} DAY) AS amount_{name}, "
            f"count(DISTINCT time::DATE) FILTER (time >= e - INTERVAL {days} DAY) AS days_{name}, "
            f"count(*) FILTER (time >= e - INTERVAL {2 * days} DAY "
            f"AND time < e - INTERVAL {days} DAY) AS before_{name}"
            for name, days in WINDOWS.items()
        )
        .replace("time >= e", f"time >= TIMESTAMP '{END}'")
        .replace("time < e", f"time < TIMESTAMP '{END}'")
    )
    orders = relations["orders"].aggregate(
        "customer_id, count(*) AS orders, sum(amount) AS amount, min(time) AS first, "
        f"max(time) AS last, {windows}"
    )
    for source in SOURCES:
        own = ", ".join(
            f"count(*) FILTER (time >= TIMESTAMP '{END}' - INTERVAL {days} DAY) AS {source}_{name}"
            for name, days in WINDOWS.items()
        )
        part = relations[source].aggregate(f"customer_id, count(*) AS {source}, {own}")
        orders = orders.join(part, "customer_id", how="left")
    return orders.df()  # type: ignore[no-any-return]


# Turns


def contestants(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return the calls that are compared, by engine."""
    frames = {name: pl.from_pandas(table) for name, table in tables.items()}
    connection = duckdb.connect()
    relations: dict[str, Any] = {}
    for name, frame in frames.items():
        connection.register(f"{name}_arrow", frame.to_arrow())
        connection.table(f"{name}_arrow").create(name)
        relations[name] = connection.table(name)

    def ours(held: dict[str, Any]) -> Any:
        sources = {name: held[name] for name in SOURCES}
        return customer_view(held["orders"], as_of=END, amount="amount", sources=sources)

    dates = snapshot_dates("2023-12-01", "2024-12-01")

    def twelve(held: dict[str, Any]) -> Any:
        sources = {name: held[name] for name in SOURCES}
        options: dict[str, Any] = {"horizon": "28D", "amount": "amount", "sources": sources}
        return churn_snapshots(held["orders"], as_of=dates, **options)

    return {
        "pandas": {
            "retainkit": lambda: ours(tables),
            "by hand": lambda: pandas_recipe(tables),
            "twelve": lambda: twelve(tables),
        },
        "polars": {"retainkit": lambda: ours(frames), "by hand": lambda: polars_query(frames)},
        "polars (lazy)": {
            "retainkit": lambda: ours({one: frames[one].lazy() for one in frames}).collect(),
            "by hand": lambda: polars_query(frames),
        },
        "duckdb": {
            "retainkit": lambda: ours(relations).df(),
            "by hand": lambda: duckdb_query(relations),
            "twelve": lambda: twelve(relations).df(),
        },
    }


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print(machine(*PACKAGES))
    tables = {"orders": draw_rows(given.rows, given.customers, 1)}
    for seed, name in enumerate(SOURCES, 2):
        tables[name] = draw_rows(given.rows // 2, given.customers, seed).drop(columns="amount")
    warnings.simplefilter("ignore", RetainkitWarning)
    for engine, calls in contestants(tables).items():
        if given.only and given.only not in engine:
            continue
        first, second = (calls[name]() for name in ("retainkit", "by hand"))
        assert int(first["orders_90d"].sum()) == int(second["orders_90d"].sum()), engine
        best = fastest(calls, given.repeat)
        ratios = ", ".join(f"{name} {best[name]:.2f} s" for name in calls)
        print(f"{engine}: {ratios}; by hand / retainkit {best['by hand'] / best['retainkit']:.2f}")


if __name__ == "__main__":
    main()
