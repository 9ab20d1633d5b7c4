"""Cohort retention of ten million events, against the same query written by hand.

    python tests/benchmarks/bench_cohorts.py
    python tests/benchmarks/bench_cohorts.py --ids integers --repeat 9
    python tests/benchmarks/bench_cohorts.py --rows 1000000 --customers 100000

Required, for ten million events of a million integer customers over 36 months and the triangle by
month: on pandas at least 5 times faster than the usual recipe, and not slower than the query
written by hand in Polars and in DuckDB.

Every contestant must first give the same triangle. They then take turns, `--repeat` times; a turn
is the faster of two runs. What is compared is the fastest turn of each; where the median lies far
above it the machine was busy. The data are drawn from a fixed seed and stay in memory, at the full
size about 4 GB; it takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import machine, timed

from retainkit import cohort_retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

ROWS = 10_000_000
FIRST, END, MONTHS = "2022-01-01", "2025-01-01", 36
COUNTRIES = ("Austria", "Brazil", "Chad", "Denmark", "Estonia", "Finland", "Greece")
PACKAGES = ("numpy", "pandas", "polars", "pyarrow", "duckdb", "narwhals")
IDS = ("integers", "sparse", "strings")
OPTIONS: dict[str, dict[str, Any]] = {
    "retainkit": {},
    "amount": {"amount": "amount"},
    "by, 7 segments": {"by": "country"},
    'counting="on_or_after"': {"counting": "on_or_after"},
    'counting="every"': {"counting": "every"},
    "weekly cohorts, ages in days": {"cohort_period": "week", "period": "day"},
    'clock="elapsed"': {"clock": "elapsed"},
    'entry="recurring", weekly': {
        "entry": "recurring",
        "cohort_period": "week",
        "period": "week",
    },
}


# The data


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The same events as every kind of frame; `database` holds them as the table ``events``."""

    pandas: pd.DataFrame
    polars: pl.DataFrame
    arrow: pa.Table
    database: duckdb.DuckDBPyConnection


def draw_events(rows: int, customers: int, ids: str) -> pl.DataFrame:
    """Draw customers who start at any time within the 36 months and come ever more rarely."""
    rng = np.random.default_rng(2022)
    first, end = (int(np.datetime64(day, "us").astype(np.int64)) for day in (FIRST, END))
    start = rng.integers(first, end, customers)
    customer = rng.integers(0, customers, rows)
    since = (end - start[customer]) * rng.random(rows) ** 2
    instant = start[customer] + since.astype(np.int64)
    instant[-1] = end - 1  # the last day is observed, however few the rows
    events = pl.DataFrame({"customer_id": customer, "time": instant.view("datetime64[us]")})
    return events.with_columns(customer_id=labels(events["customer_id"], customers, ids))


def labels(customer: pl.Series, customers: int, ids: str) -> pl.Series | pl.Expr:
    """Return the customers with another kind of id."""
    if ids == "strings":
        return "customer-" + customer.cast(pl.String).str.zfill(7)
    if ids == "sparse":
        top = np.iinfo(np.int64).max
        label = np.random.default_rng(64).integers(-top, top, customers)
        return pl.Series(label[customer.to_numpy()])
    return customer


def every_kind(events: pl.DataFrame) -> Log:
    """Make every kind of frame of the same events."""
    arrow = events.to_arrow()
    database = duckdb.connect()
    database.register("arrow", arrow)
    database.execute("CREATE TABLE events AS SELECT * FROM arrow")
    database.unregister("arrow")
    return Log(pandas=arrow.to_pandas(), polars=events, arrow=arrow, database=database)


# The query by hand


def usual_pandas(events: pd.DataFrame) -> pd.DataFrame:
    """Write it as tutorials do, with the age of each row."""
    events = with_cohort(events)
    cohort, month = events["cohort"].dt, events["month"].dt
    events["age"] = (month.year - cohort.year) * 12 + month.month - cohort.month
    return events.groupby(["cohort", "age"])["customer_id"].nunique().unstack()


def usual_pandas_later(events: pd.DataFrame) -> pd.DataFrame:
    """Write it as other tutorials do, with ages only in the small table."""
    cells = with_cohort(events).groupby(["cohort", "month"])["customer_id"].nunique().reset_index()
    cells["age"] = (cells["month"] - cells["cohort"]).map(attrgetter("n"))
    return cells.set_index(["cohort", "age"])["customer_id"].unstack()


def with_cohort(events: pd.DataFrame) -> pd.DataFrame:
    """Add the month of each row and that of its customer's first row."""
    first = events.groupby("customer_id")["time"].transform("min")
    return events.assign(month=events["time"].dt.to_period("M"), cohort=first.dt.to_period("M"))


def careful_pandas(events: pd.DataFrame) -> pd.DataFrame:
    """Write it with months as integers, and drop the customer's other events of a month early."""
    months = events["time"].dt.year * 12 + events["time"].dt.month
    cells = pd.DataFrame({"customer_id": events["customer_id"], "month": months}).drop_duplicates()
    cells["cohort"] = cells.groupby("customer_id")["month"].transform("min")
    cells["age"] = cells["month"] - cells["cohort"]
    return cells.groupby(["cohort", "age"]).size().unstack()


POLARS_MONTH = pl.col("time").dt.year().cast(pl.Int32) * 12 + pl.col("time").dt.month()


def lazy_polars(events: pl.DataFrame) -> pl.DataFrame:
    """Write it in the fastest of the six shapes that were tried."""
    cells = events.lazy().select("customer_id", month=POLARS_MONTH)
    cells = cells.with_columns(cohort=pl.col("month").min().over("customer_id"))
    counted = cells.group_by("cohort", age=pl.col("month") - pl.col("cohort"))
    return counted.agg(retained=pl.col("customer_id").n_unique()).collect()


def eager_polars(events: pl.DataFrame) -> pl.DataFrame:
    """Write it step by step."""
    cells = events.select("customer_id", month=POLARS_MONTH).unique()
    cells = cells.with_columns(cohort=pl.col("month").min().over("customer_id"))
    return cells.group_by("cohort", age=pl.col("month") - pl.col("cohort")).agg(retained=pl.len())


DUCKDB_QUERY = """
    WITH cells AS (
        SELECT DISTINCT customer_id, year(time) * 12 + month(time) AS month FROM events
    ), starts AS (
        SELECT customer_id, min(month) AS cohort FROM cells GROUP BY customer_id
    )
    SELECT cohort, month - cohort AS age, count(*) AS retained
    FROM cells JOIN starts USING (customer_id) GROUP BY cohort, age
"""


# The contest


@dataclass(frozen=True, slots=True)
class Contestant:
    """A query on a kind of frame, and the seconds it has taken."""

    frame: str
    query: str
    run: Callable[[], Any]
    seconds: list[float] = field(default_factory=list)


def contestants(log: Log) -> list[Contestant]:
    """List who computes the triangle of these events, and on which kind of frame."""
    relation = log.database.table("events")
    return [
        Contestant("pandas", "retainkit", lambda: cohort_retention(log.pandas)),
        Contestant("pandas", "usual recipe", lambda: usual_pandas(log.pandas)),
        Contestant("pandas", "usual, ages later", lambda: usual_pandas_later(log.pandas)),
        Contestant("pandas", "careful", lambda: careful_pandas(log.pandas)),
        Contestant("Polars", "retainkit", lambda: cohort_retention(log.polars)),
        Contestant("Polars", "by hand", lambda: eager_polars(log.polars)),
        Contestant("PyArrow", "retainkit", lambda: cohort_retention(log.arrow)),
        Contestant("Polars lazy", "retainkit", lambda: cohort_retention(log.polars.lazy())),
        Contestant("Polars lazy", "by hand", lambda: lazy_polars(log.polars)),
        Contestant("DuckDB", "retainkit", lambda: cohort_retention(relation)),
        Contestant("DuckDB", "by hand", lambda: log.database.sql(DUCKDB_QUERY).df()),
        Contestant("DuckDB", "by hand, on pandas", lambda: duckdb_on_pandas(log.pandas)),
    ]


def duckdb_on_pandas(events: pd.DataFrame) -> pd.DataFrame:
    """Query a pandas frame where it lies."""
    with duckdb.connect() as database:
        database.register("events", events)
        return database.sql(DUCKDB_QUERY).df()


def with_options(log: Log) -> list[Contestant]:
    """List the calls with options, on a pandas frame with more columns."""
    customer = log.pandas["customer_id"].to_numpy()
    events = log.pandas.assign(
        amount=np.random.default_rng(7).gamma(2.0, 20.0, len(customer)),
        country=pd.Series(COUNTRIES).take(customer % len(COUNTRIES)).array,
    )

    def contestant(name: str, given: dict[str, Any]) -> Contestant:
        return Contestant("pandas", name, lambda: cohort_retention(events, **given))

    return [contestant(name, given) for name, given in OPTIONS.items()]


def check_equal(entered: Iterable[Contestant]) -> None:
    """Run each once, and stop unless all give the triangle that the first one gives."""
    first, *others = entered
    expected = triangle(first.run())
    for other in others:
        if not np.array_equal(triangle(other.run()), expected):
            raise SystemExit(f"{other.frame}, {other.query}: not the triangle of {first.query}.")


def triangle(answer: Any) -> NDArray[np.int64]:
    """Return any answer as customers by cohort and age."""
    if isinstance(answer, pd.DataFrame) and "retained" not in answer.columns:  # unstacked
        return np.nan_to_num(answer.to_numpy()).astype(np.int64)
    table = nw.from_native(answer, eager_only=True)
    # Whatever the cohorts are called, in ascending order they are the months.
    _, cohort = np.unique(table["cohort"].to_numpy(), return_inverse=True)
    cells = np.zeros((MONTHS, MONTHS), np.int64)
    cells[cohort, table["age"].to_numpy()] = table["retained"].to_numpy()
    return cells


def take_turns(entered: Sequence[Contestant], repeat: int) -> None:
    """Time each once a round, so that a busy spell of the machine hits all alike."""
    for _ in range(repeat):
        for contestant in entered:
            # The first of two runs finds the memory as another library has left it.
            contestant.seconds.append(min(timed(contestant.run)[0], timed(contestant.run)[0]))


# The report


def report(title: str, entered: Sequence[Contestant]) -> None:
    """Print a row a contestant, with its time as a multiple of retainkit's."""
    best = {(one.frame, one.query): min(one.seconds) for one in entered}
    own = {frame: best.get((frame, "retainkit"), np.nan) for frame, _ in best}
    table = pd.DataFrame(
        {
            "frame": one.frame,
            "query": one.query,
            "seconds": min(one.seconds),
            "median": statistics.median(one.seconds),
            "/ retainkit": min(one.seconds) / own[one.frame],
            "/ retainkit on pandas": min(one.seconds) / own["pandas"],
        }
        for one in entered
    )
    table = table.set_index(["frame", "query"])
    print(f"\n{title}\n{table.to_string(float_format='{:.2f}'.format)}")


def verdict(entered: Sequence[Contestant]) -> None:
    """Print whether what is required holds."""
    best = {(one.frame, one.query): min(one.seconds) for one in entered}
    own = best["pandas", "retainkit"]
    usual = best["pandas", "usual recipe"]
    polars = min(best["Polars", "by hand"], best["Polars lazy", "by hand"])
    database = min(best["DuckDB", "by hand"], best["DuckDB", "by hand, on pandas"])
    print(f"\nretainkit on pandas takes {own:.2f} s. Required:")
    for need, limit in (
        ("at least 5 times faster than the usual recipe", usual / 5),
        ("not slower than the query by hand in Polars", polars),
        ("not slower than the query by hand in DuckDB", database),
    ):
        print(f"- {need} (at most {limit:.2f} s): {'holds' if own <= limit else 'FAILS'}")


def main() -> None:
    """Read the command line, run all contests and print them."""
    parser = argparse.ArgumentParser(description="Time cohort retention against queries by hand.")
    parser.add_argument("--rows", type=int, default=ROWS, help="events (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument(
        "--repeat", type=int, default=5, help="turns of each (default: %(default)s)"
    )
    parser.add_argument("--ids", choices=IDS, nargs="+", default=IDS, help="(default: all)")
    arguments = parser.parse_args()

    size = f"{arguments.rows:,} events of {arguments.customers:,} customers, {MONTHS} months"
    print(f"{size}\n{machine(*PACKAGES)}")
    for ids in arguments.ids:
        log = every_kind(draw_events(arguments.rows, arguments.customers, ids))
        entered = contestants(log)
        check_equal(entered)
        take_turns(entered, arguments.repeat)
        report(f"Customer ids: {ids}", entered)
        if ids == "integers":
            if arguments.rows >= ROWS:
                verdict(entered)
            optional = with_options(log)
            take_turns(optional, arguments.repeat)
            report(f"Customer ids: {ids}; retainkit with options", optional)


if __name__ == "__main__":
    main()
