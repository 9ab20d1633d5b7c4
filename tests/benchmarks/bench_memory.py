"""Memory that functions need on top of the columns they read, in a process each.

    python tests/benchmarks/bench_memory.py
    python tests/benchmarks/bench_memory.py --rows 2000000 churn_rate mrr_movements

Required: with ten million rows in pandas, at most four times the columns that are read. To measure
another function add it to `CASES`: what makes its table, the call, and the columns that it reads.

A process makes the table and calls the function with a hundredth of the rows, so that all modules
are loaded; then it forgets the peak so far and makes the call. What is counted is resident memory,
which Linux alone tells.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from stopwatch import machine

import retainkit as rk

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 10_000_000
MOST = 4.0
# Memory that is given back to malloc goes back to the system, and counts where it is taken again.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536"}
FIRST, END = "2020-01-01", "2025-01-01"


def _days(days: Any) -> Any:
    return pd.to_datetime(days.astype("datetime64[D]").astype("datetime64[us]"))


def subscriptions(rows: int) -> pd.DataFrame:
    """Draw subscriptions of some 300 days, 2.5 of a customer, that begin within five years."""
    rng = np.random.default_rng(2020)
    first, end = (int(np.datetime64(day, "D").astype(np.int64)) for day in (FIRST, END))
    start = rng.integers(first, end, rows)
    until = _days(start + rng.geometric(1 / 300, rows))
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, rows * 2 // 5, rows),
            "start": _days(start),
            "end": until.where(until < pd.Timestamp(END)),
            "mrr": rng.integers(500, 50_000, rows) / 100,
        }
    )


def events(rows: int) -> pd.DataFrame:
    """Draw orders, ten of a customer on average, over two years."""
    rng = np.random.default_rng(2022)
    second = rng.integers(0, 730 * 86_400, rows).astype("m8[s]").astype("m8[us]")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, max(rows // 10, 1), rows),
            "time": np.datetime64("2022-01-01", "us") + second,
            "amount": rng.integers(500, 50_000, rows) / 100,
        }
    )


def answers(rows: int) -> pd.DataFrame:
    """Draw answers from 0 to 10."""
    return pd.DataFrame({"score": np.random.default_rng(2024).integers(0, 11, rows)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call of a function: what makes its table, and the columns of it that are read."""

    table: Callable[[int], pd.DataFrame]
    call: Callable[[pd.DataFrame], Any]
    columns: tuple[str, ...]


_SPAN = ("customer_id", "start", "end")
_EVENT = ("customer_id", "time")
CASES = {
    "cohort_retention": Case(table=events, call=rk.cohort_retention, columns=_EVENT),
    "cohort_retention_elapsed": Case(
        table=events,
        call=lambda table: rk.cohort_retention(table, clock="elapsed"),
        columns=_EVENT,
    ),
    "cohort_retention_money": Case(
        table=events,
        call=lambda table: rk.cohort_retention(table, amount="amount"),
        columns=(*_EVENT, "amount"),
    ),
    "growth_accounting": Case(table=events, call=rk.growth_accounting, columns=_EVENT),
    "active_users": Case(table=events, call=rk.active_users, columns=_EVENT),
    "usage_interval": Case(table=events, call=rk.usage_interval, columns=_EVENT),
    "churn_rate": Case(
        table=subscriptions, call=lambda table: rk.churn_rate(table, as_of=END), columns=_SPAN
    ),
    "survival_curve": Case(
        table=subscriptions, call=lambda table: rk.survival_curve(table, as_of=END), columns=_SPAN
    ),
    "mrr_movements": Case(
        table=subscriptions,
        call=lambda table: rk.mrr_movements(table, as_of=END),
        columns=(*_SPAN, "mrr"),
    ),
    "revenue_retention": Case(
        table=subscriptions,
        call=lambda table: rk.revenue_retention(table, as_of=END),
        columns=(*_SPAN, "mrr"),
    ),
    "revenue_cohorts": Case(
        table=subscriptions,
        call=lambda table: rk.revenue_cohorts(table, as_of=END),
        columns=(*_SPAN, "mrr"),
    ),
    "nps": Case(table=answers, call=rk.nps, columns=("score",)),
}


def _resident(field: str) -> int:
    """Return a field of the memory of this process, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = next(line for line in lines if line.startswith(f"{field}:"))
    return int(found.split()[1]) * 1024


def measure(name: str, rows: int) -> None:
    """Print the bytes of the columns that a call reads, and those that it needs beside them."""
    warnings.simplefilter("ignore", rk.RetainkitWarning)
    case = CASES[name]
    table = case.table(rows)
    case.call(table.head(rows // 100))
    read = int(table[list(case.columns)].memory_usage(index=False, deep=True).sum())
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak
    before = _resident("VmRSS")
    case.call(table)
    print(read, _resident("VmHWM") - before)


def main() -> None:
    """Measure each case in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--here", action="store_true", help="measure in this process")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(CASES))
    given = parser.parse_args()
    names = given.names or list(CASES)
    if given.here:
        measure(names[0], given.rows)
        return
    print(machine("numpy", "pandas", "narwhals"))
    print(f"{given.rows:,} rows")
    for name in names:
        command = [sys.executable, __file__, "--here", "--rows", str(given.rows), name]
        found = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | ALLOCATOR
        )
        read, needed = map(int, found.stdout.split())
        above = " (too much)" if needed > MOST * read else ""
        print(f"{name:20} {needed / 2**20:8,.0f} MB, {needed / read:5.1f} times{above}")


if __name__ == "__main__":
    main()
