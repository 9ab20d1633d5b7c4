"""Revenue of one million subscriptions over 60 months, against a query written by hand.

    python tests/benchmarks/bench_revenue.py
    python tests/benchmarks/bench_revenue.py --rows 100000 --customers 40000 --repeat 5

Required, for a million subscriptions of 400,000 customers over 60 months: every call in a few
seconds. Beside them stands the usual recipe in SQL, as the dbt playbook has it: subscriptions are
joined with all months in which they run, here in DuckDB, and must give the same movements.

The calls take turns, `--repeat` times; the fastest turn of each counts. The data are drawn from a
fixed seed and stay in memory; Python's peak is printed.
"""

from __future__ import annotations

import argparse
import resource
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
from stopwatch import fastest, machine

from retainkit import RetainkitWarning, mrr_movements, revenue_cohorts, revenue_retention

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
FIRST, END = "2020-01-01", "2025-01-01"
PACKAGES = ("numpy", "pandas", "duckdb", "narwhals")
KINDS = ("opening", "new", "expansion", "contraction", "churn", "reactivation", "closing")
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "mrr_movements": (mrr_movements, {}),
    "level='event'": (mrr_movements, {"level": "event"}),
    "by='plan'": (mrr_movements, {"by": "plan"}),
    "revenue_retention": (revenue_retention, {}),
    "horizon=12": (revenue_retention, {"horizon": 12}),
    "horizon=12, chained": (revenue_retention, {"horizon": 12, "chained": True}),
    "horizon=12, by='plan'": (revenue_retention, {"horizon": 12, "by": "plan"}),
    "bootstrap of 100 draws": (
        revenue_retention,
        {"interval": "bootstrap", "draws": 100, "seed": 1},
    ),
    "revenue_cohorts": (revenue_cohorts, {}),
}

BY_HAND = """
WITH months AS (
    SELECT unnest(generate_series(DATE '2020-01-01', DATE '2024-12-01', INTERVAL 1 MONTH)) AS month
), paid AS (
    SELECT customer_id, month, sum(mrr) AS mrr
    FROM book JOIN months ON start < month + INTERVAL 1 MONTH AND "end" >= month + INTERVAL 1 MONTH
    GROUP BY ALL
), known AS (
    SELECT customer_id, date_trunc('month', min(start)) AS since
    FROM book WHERE "end" > start GROUP BY ALL
), both_ends AS (
    SELECT customer_id, month, since, coalesce(now.mrr, 0) AS now, coalesce(past.mrr, 0) AS past
    FROM paid AS now
    FULL JOIN (SELECT customer_id, month + INTERVAL 1 MONTH AS month, mrr FROM paid) AS past
    USING (customer_id, month)
    JOIN known USING (customer_id)
)
SELECT
    month,
    sum(past) AS opening,
    sum(now) FILTER (past = 0 AND since = month) AS new,
    sum(now - past) FILTER (past > 0 AND now > past) AS expansion,
    sum(past - now) FILTER (now > 0 AND now < past) AS contraction,
    sum(past) FILTER (now = 0) AS churn,
    sum(now) FILTER (past = 0 AND since < month) AS reactivation,
    sum(now) AS closing
FROM both_ends WHERE month < DATE '2025-01-01' GROUP BY month ORDER BY month
"""


def draw_subscriptions(rows: int, customers: int) -> pd.DataFrame:
    """Draw subscriptions of some 300 days that begin at any time within the 60 months."""
    rng = np.random.default_rng(2020)
    first, end = (int(np.datetime64(day, "D").astype(np.int64)) for day in (FIRST, END))
    start = rng.integers(first, end, rows)
    until = start + rng.geometric(1 / 300, rows)
    days = {
        name: pd.to_datetime(day.astype("datetime64[D]").astype("datetime64[us]"))
        for name, day in (("start", start), ("end", until))
    }
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, rows),
            **days,
            "mrr": rng.integers(500, 50_000, rows) / 100,
            "plan": rng.choice(["basic", "plus", "pro"], rows),
        }
    )


def by_hand(subscriptions: pd.DataFrame) -> pd.DataFrame:
    """Join subscriptions with months."""
    with duckdb.connect() as connection:
        connection.register("book", subscriptions)
        return connection.execute(BY_HAND).fetch_df()


def call(function: Callable[..., Any], subscriptions: pd.DataFrame, options: dict[str, Any]) -> Any:
    """Call a function; customers that no period's end sees are expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return function(subscriptions, as_of=END, **options)


def main() -> None:
    """Compare results, then take times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--customers", type=int, default=ROWS * 2 // 5)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print(machine(*PACKAGES))
    subscriptions = draw_subscriptions(given.rows, given.customers)

    expected = by_hand(subscriptions)
    found = call(mrr_movements, subscriptions, {})
    for kind in KINDS:
        # Floats add up to remainders of their own; by hand, churn is not without them.
        np.testing.assert_allclose(found[kind], expected[kind].fillna(0), rtol=1e-9, atol=1e-4)
    print(f"{given.rows:,} subscriptions: the same movements in {len(found)} months")

    calls = {
        name: partial(call, function, subscriptions, options)
        for name, (function, options) in CALLS.items()
    }
    calls["by hand, in DuckDB"] = partial(by_hand, subscriptions)
    for name, seconds in fastest(calls, given.repeat).items():
        print(f"{name:24} {seconds:7.2f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
