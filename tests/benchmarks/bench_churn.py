"""Churn and survival of one million subscriptions over 60 months, beside a query written by hand.

    python tests/benchmarks/bench_churn.py
    python tests/benchmarks/bench_churn.py --rows 100000 --customers 40000 --repeat 5

Required, for a million subscriptions of 400,000 customers: every call in a few seconds. Beside
`churn_rate` stands the usual recipe in SQL, in DuckDB: subscriptions are united by windows, and
runs joined with the months at whose ends they are there; it must give the same counts.

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

from retainkit import churn_rate, survival_curve

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
END = "2025-01-01"
PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")
COUNTS = ["opening", "new", "reactivated", "churned", "closing"]

BY_HAND = """
WITH marked AS (
    SELECT customer_id, "start", coalesce("end", 'infinity') AS "end",
        "start" > max(coalesce("end", 'infinity')) OVER (
            PARTITION BY customer_id ORDER BY "start"
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS opens
    FROM book
), runs AS (
    SELECT customer_id, min("start") AS "start", max("end") AS "end" FROM (
        SELECT *, sum(coalesce(opens, true)::int) OVER (
            PARTITION BY customer_id ORDER BY "start" ROWS UNBOUNDED PRECEDING
        ) AS run FROM marked
    ) GROUP BY customer_id, run
), months AS (
    SELECT unnest(generate_series(DATE '2020-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)) AS month
), there AS (
    SELECT DISTINCT customer_id, month FROM runs JOIN months
    ON "start" < month + INTERVAL 1 MONTH AND "end" >= month + INTERVAL 1 MONTH
), since AS (
    SELECT customer_id, date_trunc('month', min("start")) AS first FROM book GROUP BY ALL
)
SELECT month, count(past) AS opening,
    count(*) FILTER (past IS NULL AND first = month) AS new,
    count(*) FILTER (past IS NULL AND first < month) AS reactivated,
    count(*) FILTER (now IS NULL) AS churned, count(now) AS closing
FROM (SELECT customer_id, month, 1 AS now FROM there)
FULL JOIN (SELECT customer_id, month + INTERVAL 1 MONTH AS month, 1 AS past FROM there)
USING (customer_id, month) JOIN since USING (customer_id)
WHERE month < DATE '2025-01-01' GROUP BY month ORDER BY month
"""


def book(rows: int, customers: int) -> pd.DataFrame:
    """Draw subscriptions that overlap, touch and leave gaps."""
    rng = np.random.default_rng(20240601)
    start = np.datetime64("2020-01-01", "us") + rng.integers(0, 1780, rows) * np.timedelta64(1, "D")
    end = start + rng.choice([30, 31, 91, 365], rows) * np.timedelta64(1, "D")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, rows),
            "start": start,
            "end": np.where(end < np.datetime64(END), end, np.datetime64("NaT", "us")),
            "plan": np.array(["basic", "pro", "team"])[rng.integers(0, 3, rows)],
        }
    ).drop_duplicates(["customer_id", "start"])


def calls(table: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    """Return what is timed."""
    in_polars = pl.from_pandas(table)
    relation = duckdb.from_df(table)
    return {
        "churn_rate": lambda: churn_rate(table, as_of=END),
        "method='stripe'": lambda: churn_rate(table, as_of=END, method="stripe"),
        "method='daily'": lambda: churn_rate(table, as_of=END, method="daily"),
        "by='plan'": lambda: churn_rate(table, as_of=END, by="plan"),
        "Polars": lambda: churn_rate(in_polars, as_of=END),
        "DuckDB": lambda: churn_rate(relation, as_of=END),
        "survival_curve": lambda: survival_curve(table, as_of=END),
        "unit='day', by='plan'": lambda: survival_curve(table, as_of=END, unit="day", by="plan"),
        "SQL by hand": lambda: duckdb.query_df(table, "book", BY_HAND).df(),
    }


def main() -> None:
    """Time every call and compare the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--customers", type=int, default=400_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    table = book(options.rows, options.customers)
    print(f"{len(table):,} subscriptions of {table['customer_id'].nunique():,} customers")
    timed = calls(table)
    for name, seconds in fastest(timed, options.repeat).items():
        print(f"{name:24} {seconds:6.2f} s")
    mine, theirs = (timed[name]()[COUNTS].to_numpy() for name in ("churn_rate", "SQL by hand"))
    print("the same counts" if (mine == theirs).all() else "NOT the same counts")


if __name__ == "__main__":
    main()
