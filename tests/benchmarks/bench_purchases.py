"""The summary of ten million transactions, against lifetimes and queries written by hand.

    python tests/benchmarks/bench_purchases.py
    python tests/benchmarks/bench_purchases.py --rows 2000000 --customers 200000 --repeat 2

Required, for ten million transactions of a million integer customers over three years, with money
and by day: on pandas at least 10 times faster than lifetimes.

Every contestant must first give the same summary. They then take turns, `--repeat` times; what is
compared is the fastest turn of each. lifetimes takes one turn only. The data are drawn from a fixed
seed and stay in memory, at the full size about 3 GB with lifetimes' copies.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import machine, timed

from retainkit import RetainkitWarning, rfm_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 10_000_000
FIRST, END = "2022-01-01", "2025-01-01"
PACKAGES = ("lifetimes", "numpy", "pandas", "polars", "duckdb", "narwhals")
OPTIONS: dict[str, dict[str, Any]] = {
    "retainkit": {"amount": "amount"},
    "no amount": {},
    "week": {"amount": "amount", "unit": "week"},
    "month": {"amount": "amount", "unit": "month"},
    "exact weeks": {"amount": "amount", "unit": "week", "exact": True},
    "by": {"amount": "amount", "by": "country"},
    "first included": {"amount": "amount", "include_first": True},
}


# The data


def draw_transactions(rows: int, customers: int) -> pd.DataFrame:
    """Draw customers who start at any time within the three years and come ever more rarely."""
    rng = np.random.default_rng(2022)
    first, end = (int(np.datetime64(day, "us").astype(np.int64)) for day in (FIRST, END))
    start = rng.integers(first, end, customers)
    customer = rng.integers(0, customers, rows)
    since = (end - start[customer]) * rng.random(rows) ** 2
    instant = start[customer] + since.astype(np.int64)
    instant[-1] = end - 1  # the last day is observed, however few the rows
    return pd.DataFrame(
        {
            "customer_id": customer,
            "time": instant.view("datetime64[us]"),
            "amount": rng.gamma(2.0, 20.0, rows).round(2),
        }
    )


# The query by hand


def by_lifetimes(orders: pd.DataFrame) -> pd.DataFrame:
    """Call lifetimes, which silences warnings: what it sets, it sets only in here."""
    with warnings.catch_warnings():
        from lifetimes.utils import summary_data_from_transaction_data  # noqa: PLC0415

        summary = summary_data_from_transaction_data(orders, "customer_id", "time", "amount")
    return summary.reset_index()


def by_pandas(orders: pd.DataFrame) -> pd.DataFrame:
    """Write it with care: days as integers, each grouping once."""
    day = orders["time"].to_numpy().astype("datetime64[D]").astype(np.int64)
    purchases = orders[["customer_id", "amount"]].assign(day=day)
    purchases = purchases.groupby(["customer_id", "day"], sort=False)["amount"].sum().reset_index()
    first = purchases.groupby("customer_id")["day"].transform("min")
    purchases["repeat"] = purchases["amount"].where(purchases["day"] > first)
    grouped = purchases.groupby("customer_id")
    summary = grouped.agg(
        first=("day", "min"),
        last=("day", "max"),
        frequency=("day", "size"),
        monetary_value=("repeat", "mean"),
    )
    summary = summary.reset_index()
    summary["frequency"] -= 1
    summary["recency"] = summary["last"] - summary["first"]
    summary["T"] = day.max() - summary["first"]
    return summary


def by_polars(orders: pl.DataFrame) -> pl.DataFrame:
    """Write it as a lazy query."""
    day = pl.col("time").dt.epoch("d").cast(pl.Int64)
    purchases = orders.lazy().group_by("customer_id", day=day).agg(pl.col("amount").sum())
    is_repeat = pl.col("day") > pl.col("day").min()
    summary = purchases.group_by("customer_id").agg(
        frequency=pl.len().cast(pl.Int64) - 1,
        recency=pl.col("day").max() - pl.col("day").min(),
        first=pl.col("day").min(),
        monetary_value=pl.col("amount").filter(is_repeat).mean(),
    )
    last = orders["time"].max().toordinal() - 719_163  # type: ignore[union-attr]
    return summary.with_columns(T=last - pl.col("first")).collect()


DUCKDB_QUERY = """
    WITH purchases AS (
        SELECT customer_id, time::DATE AS day, sum(amount) AS amount
        FROM orders GROUP BY customer_id, day
    ), firsts AS (
        SELECT *, min(day) OVER (PARTITION BY customer_id) AS first FROM purchases
    )
    SELECT customer_id, count(*) - 1 AS frequency, max(day) - min(day) AS recency,
        (SELECT max(time)::DATE FROM orders) - min(day) AS T,
        avg(amount) FILTER (day > first) AS monetary_value
    FROM firsts GROUP BY customer_id
"""


# The contest


@dataclass(frozen=True, slots=True)
class Contestant:
    """A query on a kind of frame, and the seconds it has taken."""

    frame: str
    query: str
    run: Callable[[], Any]
    once: bool = False
    seconds: list[float] = field(default_factory=list)


def contestants(orders: pd.DataFrame) -> list[Contestant]:
    """List who computes the summary of these transactions, and on which kind of frame."""
    polars = pl.from_pandas(orders)
    database = duckdb.connect()
    database.register("frame", orders)
    database.execute("CREATE TABLE orders AS SELECT * FROM frame")
    database.unregister("frame")
    relation = database.table("orders")
    return [
        Contestant("pandas", "retainkit", lambda: rfm_summary(orders, amount="amount")),
        Contestant("pandas", "lifetimes", lambda: by_lifetimes(orders), once=True),
        Contestant("pandas", "careful", lambda: by_pandas(orders)),
        Contestant("Polars", "retainkit", lambda: rfm_summary(polars, amount="amount")),
        Contestant("Polars", "by hand", lambda: by_polars(polars)),
        Contestant(
            "Polars lazy",
            "retainkit",
            lambda: rfm_summary(polars.lazy(), amount="amount").collect(),
        ),
        Contestant("DuckDB", "retainkit", lambda: rfm_summary(relation, amount="amount").df()),
        Contestant("DuckDB", "by hand", lambda: database.sql(DUCKDB_QUERY).df()),
    ]


def with_options(orders: pd.DataFrame) -> list[Contestant]:
    """List the calls with options and with other customers, on pandas."""
    customer = orders["customer_id"].to_numpy()
    wide = orders.assign(country=pd.Series(["AT", "BR", "TD"]).take(customer % 3).array)
    sparse = orders.assign(customer_id=customer * 7_919_000_003)
    named = orders.assign(customer_id="customer-" + orders["customer_id"].astype(str))
    back = np.arange(len(customer)) % 50 == 0
    refunds = orders.assign(amount=orders["amount"].where(~back, -orders["amount"]))

    def contestant(name: str, frame: pd.DataFrame, given: dict[str, Any]) -> Contestant:
        return Contestant("pandas", name, lambda: rfm_summary(frame, **given))

    entered = [contestant(name, wide, given) for name, given in OPTIONS.items()]
    with_amount = {"amount": "amount"}
    return [
        *entered,
        contestant("sparse integers", sparse, with_amount),
        contestant("strings", named, with_amount),
        Contestant("pandas", "refunds netted", lambda: netted(refunds)),
    ]


def netted(orders: pd.DataFrame) -> Any:
    """Net the refunds; that some customers are left without a purchase is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rfm_summary(orders, amount="amount", amounts="net")


def check_equal(entered: Sequence[Contestant]) -> None:
    """Run each once, and stop unless all give the summary that the first one gives."""
    first, *others = entered
    expected = numbers(first.run())
    for other in others:
        seconds, found = timed(other.run)
        if other.once:
            other.seconds.append(seconds)
        if not np.allclose(numbers(found), expected, rtol=1e-9):
            raise SystemExit(f"{other.frame}, {other.query}: not the summary of {first.query}.")


def numbers(summary: Any) -> Any:
    """Return the numbers of a summary by customer, an undefined mean as 0."""
    frame = nw.from_native(summary, eager_only=True).sort("customer_id")
    columns = ["customer_id", "frequency", "recency", "T", "monetary_value"]
    return np.nan_to_num(
        np.column_stack([frame[name].to_numpy() for name in columns]).astype(float)
    )


def take_turns(entered: Sequence[Contestant], repeat: int) -> None:
    """Time each once a round, so that a busy spell of the machine hits all alike."""
    for _ in range(repeat):
        for contestant in entered:
            if not contestant.once:
                contestant.seconds.append(timed(contestant.run)[0])


def report(title: str, entered: Sequence[Contestant]) -> None:
    """Print a row a contestant, with its time as a multiple of retainkit's on pandas."""
    best = {(one.frame, one.query): min(one.seconds) for one in entered}
    own = best["pandas", "retainkit"]
    print(f"\n{title}")
    for (frame, query), seconds in best.items():
        print(f"{frame:12} {query:16} {seconds:7.2f} s {seconds / own:7.2f}")


def main() -> None:
    """Read the command line, run all contests and print them."""
    parser = argparse.ArgumentParser(description="Time summaries of purchases.")
    parser.add_argument("--rows", type=int, default=ROWS, help="(default: %(default)s)")
    parser.add_argument("--customers", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument(
        "--repeat", type=int, default=3, help="turns of each (default: %(default)s)"
    )
    arguments = parser.parse_args()

    print(f"{arguments.rows:,} transactions of {arguments.customers:,} customers")
    print(machine(*PACKAGES))
    orders = draw_transactions(arguments.rows, arguments.customers)
    entered = contestants(orders)
    check_equal(entered)
    take_turns(entered, arguments.repeat)
    report("Every kind of frame (seconds, and as a multiple of retainkit on pandas)", entered)
    best = {(one.frame, one.query): min(one.seconds) for one in entered}
    ratio = best["pandas", "lifetimes"] / best["pandas", "retainkit"]
    verdict = "holds" if ratio >= 10 else "FAILS"
    print(f"\nRequired: at least 10 times faster than lifetimes. {ratio:.1f} times: {verdict}")
    optional = with_options(orders)
    take_turns(optional, arguments.repeat)
    report("With options", optional)


if __name__ == "__main__":
    main()
