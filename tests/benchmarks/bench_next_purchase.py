"""Due dates of a million customers, against the naive recipe by hand in pandas, Polars and DuckDB.

    python tests/benchmarks/bench_next_purchase.py
    python tests/benchmarks/bench_next_purchase.py --rows 1000000 --customers 100000

What is written by hand finds no more than the last day of each customer and the median gap between
its days. `next_purchase` also needs the history of each, a second pass in an engine that holds no
rows back, and what the model makes of it. So there is a second recipe by hand in DuckDB, which
reads the histories with the medians and applies the closed form to all customers in NumPy. Every
contestant must first find the same medians, and those with a model the same probabilities and
dates. They then take turns, `--repeat` times; what is compared is the fastest turn of each.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine

from retainkit import BGNBD, next_purchase, rfm_summary

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = BGNBD(r=0.6, alpha=60, a=0.8, b=2.5)
PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")
QUERY = """
    with days as (select distinct customer_id, time::date as day from orders),
    gaps as (select *, day - lag(day) over (partition by customer_id order by day) as gap from days)
    select customer_id, max(day) as last, median(gap) as typical_gap from gaps group by customer_id
"""

HISTORIES = QUERY.replace("max(day) as last", "min(day) as first, max(day) as last, count(*) as n")


def draw_orders(rows: int, customers: int) -> pd.DataFrame:
    """Draw orders over three years of customers, most of whom come seldom and leave some time."""
    rng = np.random.default_rng(2022)
    rate, span = rng.gamma(0.6, size=customers), 3 * 365 * 1_440
    start = rng.integers(0, span, customers)
    stay = np.minimum(rng.exponential(span / 3, customers), span - start)
    customer = rng.choice(customers, rows, p=rate * stay / (rate @ stay))
    minutes = (start[customer] + stay[customer] * rng.random(rows)).astype(np.int64)
    time = np.datetime64("2022-01-01", "us") + minutes.astype("timedelta64[m]")
    return pd.DataFrame({"customer_id": customer, "time": time})


def by_pandas(orders: pd.DataFrame) -> pd.DataFrame:
    """Sort the days of each customer, and take the differences within it."""
    days = orders.assign(day=orders["time"].dt.floor("D"))[["customer_id", "day"]]
    days = days.drop_duplicates().sort_values(["customer_id", "day"])
    gap = days.groupby("customer_id")["day"].diff().dt.days
    grouped = days.assign(gap=gap).groupby("customer_id")
    return grouped.agg(last=("day", "max"), typical_gap=("gap", "median")).reset_index()


def by_polars(orders: pl.LazyFrame) -> pl.DataFrame:
    """Do the same in Polars."""
    days = orders.select("customer_id", day=pl.col("time").dt.date()).unique()
    gap = pl.col("day").diff().over("customer_id").dt.total_days()
    grouped = days.sort("customer_id", "day").with_columns(gap=gap).group_by("customer_id")
    found = grouped.agg(last=pl.col("day").max(), typical_gap=pl.col("gap").median())
    return found.collect()


def by_model(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Add to the histories of a query what the model says of the next 90 days, and the dates."""
    found = connection.sql(query).df()
    first, last = (found[one].to_numpy().astype("datetime64[D]") for one in ("first", "last"))
    end, x = last.max(), found["n"].to_numpy() - 1
    recency, span = (last - first).astype(float), (end - first).astype(float)
    r, alpha, a, b = MODEL.r, MODEL.alpha, MODEL.a, MODEL.b
    gone = a / (b + np.maximum(x, 1) - 1) * ((alpha + span) / (alpha + recency)) ** (r + x)
    alive = np.where(x > 0, 1 / (1 + gone), 1.0)
    found["probability_alive"] = alive
    found["probability_purchase"] = alive * (1 - ((alpha + span) / (alpha + span + 90)) ** (r + x))
    for share in (0.25, 0.5, 0.75):
        left = np.where(alive > share, 1 - share / alive, np.nan)
        days = np.floor(np.round((alpha + span) * (left ** (-1 / (r + x)) - 1), 6))
        due = np.full(len(days), np.datetime64("NaT", "D"))
        near = days < 2_000_000
        due[near] = end + 1 + days[near].astype(int)
        found[f"due_{share * 100:.0f}"] = due
    return found


def medians(table: Any) -> pd.Series[float]:
    """Return the typical gap of each customer."""
    frame: Any = nw.from_native(table)
    pandas = (frame if isinstance(frame, nw.DataFrame) else frame.collect("pandas")).to_pandas()
    return pandas.set_index("customer_id")["typical_gap"].sort_index()  # type: ignore[no-any-return]


def contestants(orders: pd.DataFrame) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return the calls by library, the first of each by hand; results of engines are fetched."""
    options: dict[str, Any] = {"model": MODEL, "min_gaps": 1}
    frame = pl.from_pandas(orders)
    lazy, connection = frame.lazy(), duckdb.connect()
    connection.register("orders", orders)
    connection.execute("create table stored as select * from orders")
    stored = connection.table("stored")
    return {
        "pandas": {
            "by hand": lambda: by_pandas(orders),
            "rfm_summary alone": lambda: rfm_summary(orders),
            "next_purchase": lambda: next_purchase(orders, **options),
            "next_purchase, fitted": lambda: next_purchase(orders, min_gaps=1),
        },
        "Polars": {
            "by hand": lambda: by_polars(lazy),
            "next_purchase": lambda: next_purchase(frame, **options),
            "next_purchase, lazy": lambda: next_purchase(lazy, **options).collect(),
        },
        "DuckDB": {
            "by hand": lambda: connection.sql(QUERY.replace("orders", "stored")).df(),
            "by hand, with the model": lambda: by_model(
                connection, HISTORIES.replace("orders", "stored")
            ),
            "next_purchase": lambda: next_purchase(stored, **options).df(),
        },
    }


def check_model(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Check that the probabilities and dates are the same."""
    one, other = (table.set_index("customer_id").sort_index() for table in (one, other))
    for name in ("probability_alive", "probability_purchase"):
        assert np.allclose(one[name], other[name], rtol=1e-9)
    for name in ("due_25", "due_50", "due_75"):
        ours, theirs = (table[name].to_numpy().astype("datetime64[D]") for table in (one, other))
        assert np.array_equal(ours.astype(int), theirs.astype(int)), name


def main() -> None:
    """Check that all find the same, time them, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    print(machine(*PACKAGES))
    calls = contestants(draw_orders(arguments.rows, arguments.customers))
    expected = medians(calls["pandas"]["by hand"]())
    for library, own in calls.items():
        for name, call in own.items():
            if name != "rfm_summary alone":
                pd.testing.assert_series_equal(medians(call()), expected, check_dtype=False)
        if library == "DuckDB":
            check_model(own["by hand, with the model"](), own["next_purchase"]())
        times = fastest(own, arguments.repeat)
        for name, seconds in times.items():
            print(f"{library:8}{name:24}{seconds:8.2f} s{seconds / times['by hand']:8.2f}x")


if __name__ == "__main__":
    main()
