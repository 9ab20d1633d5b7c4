"""`observed_value` of ten million orders, beside the pandas recipe and a query by hand in DuckDB.

    python tests/benchmarks/bench_acquisition.py
    python tests/benchmarks/bench_acquisition.py --rows 1000000 --repeat 2

The recipe merges the first purchase back to every order and filters once for each age; the query
has one pass. All must give the same value per customer. A ratio above 1 says how many times as long
another takes as `observed_value` on the same kind of frame.

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

from retainkit import observed_value

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("numpy", "pandas", "polars", "duckdb", "narwhals")
AGES = (30, 90, 180, 365)
DAY = np.timedelta64(1, "D")


def orders(rows: int, seed: int) -> pd.DataFrame:
    """Draw orders of a fifth as many customers, who come over two years."""
    rng = np.random.default_rng(seed)
    customers = max(rows // 5, 1)
    who = rng.integers(0, customers, rows)
    day = rng.integers(0, 730, customers)[who] + rng.exponential(120, rows).astype(np.int64)
    second = rng.integers(0, 86_400, rows).astype("m8[s]")
    return pd.DataFrame(
        {
            "customer_id": who,
            "time": np.datetime64("2021-01-01", "us") + day * DAY + second,
            "amount": np.round(rng.lognormal(3, 1, rows), 2),
        }
    )


def recipe(table: pd.DataFrame) -> pd.DataFrame:
    """Value per customer by merging the first purchase, with one filter an age."""
    end = table["time"].max().normalize() + pd.Timedelta(days=1)
    first = table.groupby("customer_id")["time"].min().dt.normalize().rename("first")
    merged = table.merge(first, left_on="customer_id", right_index=True)
    merged["day"] = merged["time"].dt.normalize()
    merged["age"] = (merged["day"] - merged["first"]).dt.days
    merged["cohort"] = merged["first"].dt.to_period("M")
    found = {}
    for age in AGES:
        old = first[(end - first).dt.days > age]
        part = merged[(merged["age"] <= age) & ((end - merged["first"]).dt.days > age)]
        values = part.groupby(["cohort", "customer_id"])["amount"].sum().groupby("cohort")
        days = part.drop_duplicates(["customer_id", "day"])
        numbers = days.groupby(["cohort", "customer_id"]).size()
        found[age] = pd.DataFrame(
            {
                "customers": old.groupby(old.dt.to_period("M")).size(),
                "value": values.sum(),
                "spread": values.std(),
                "orders": numbers.groupby("cohort").mean(),
                "repeat_share": (numbers > 1).groupby("cohort").mean(),
            }
        )
    return pd.concat(found)


def query() -> str:
    """Write the same as one query, with the days as dates."""
    own = ", ".join(
        f"coalesce(sum(amount) filter (day - first <= {age}), 0) as value_{age}, "
        f"count(*) filter (day - first <= {age}) as orders_{age}"
        for age in AGES
    )
    cells = ", ".join(
        f"count(*) filter (until - first > {age}) as customers_{age}, "
        f"sum(value_{age}) filter (until - first > {age}) as sum_{age}, "
        f"stddev(value_{age}) filter (until - first > {age}) as spread_{age}, "
        f"avg(orders_{age}) filter (until - first > {age}) as mean_orders_{age}, "
        f"avg((orders_{age} > 1)::int) filter (until - first > {age}) as repeat_{age}"
        for age in AGES
    )
    return f"""
        with days as (
            select customer_id, time::date as day, sum(amount) as amount from orders group by 1, 2
        ), firsts as (
            select customer_id, min(day) as first from days group by 1
        ), own as (
            select customer_id, first, {own} from days join firsts using (customer_id) group by 1, 2
        ), observed as (select max(time)::date + 1 as until from orders)
        select date_trunc('month', first) as cohort, count(*) as acquired, {cells}
        from own, observed group by 1 order by 1
    """  # noqa: S608  ages are ours


def main() -> None:
    """Time every way and compare the values."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(machine(*PACKAGES))
    table = orders(given.rows, given.seed)
    connection = duckdb.connect()
    connection.register("given", table)
    connection.execute("create table orders as select * from given")
    polars, by_hand = pl.from_pandas(table), query()
    calls: dict[str, Callable[[], Any]] = {
        "pandas": lambda: observed_value(table),
        "the recipe": lambda: recipe(table),
        "Polars": lambda: observed_value(polars),
        "Polars, lazy": lambda: observed_value(polars.lazy()),
        "DuckDB": lambda: observed_value(connection.table("orders")),
        "the query": lambda: connection.sql(by_hand).df(),
    }
    ours = calls["pandas"]()
    for age in AGES:
        wanted = ours.loc[ours["age_days"] == age, "value"].dropna().to_numpy()
        other = calls["the query"]()[f"sum_{age}"].dropna().to_numpy()
        np.testing.assert_allclose(wanted, other, rtol=1e-9)
    np.testing.assert_allclose(
        ours.sort_values(["age_days", "cohort"])["value"].dropna(),
        calls["the recipe"]()["value"].dropna(),
    )
    times = fastest(calls, given.repeat)
    print(f"\n{given.rows:,} orders, {table['customer_id'].nunique():,} customers")
    for name, seconds in times.items():
        print(f"  {name:<14}{seconds:8.2f} s")
    print(f"  the recipe / pandas  {times['the recipe'] / times['pandas']:.1f}")
    print(f"  DuckDB / the query   {times['DuckDB'] / times['the query']:.2f}")


if __name__ == "__main__":
    main()
