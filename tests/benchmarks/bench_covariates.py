"""Fits with covariates, and Pareto/NBD, of a million customers.

    python tests/benchmarks/bench_covariates.py
    python tests/benchmarks/bench_covariates.py --customers 100000

Required: BG/NBD with two covariates of five levels in both processes takes at most four times as
long as without; Pareto/NBD at most twelve times as long as BG/NBD. Customers came on any day of 39
weeks and are observed to their end. What is compared is CPU time, the least of a few turns.
"""

from __future__ import annotations

import argparse
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from stopwatch import machine

import retainkit as rk

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("numpy", "pandas", "scipy")


def draw_customers(customers: int) -> pd.DataFrame:
    """Draw customers who came on any of 273 days, with two covariates of five levels."""
    model = rk.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    days = np.arange(91, 364)
    parts = [model.simulate(max(customers // len(days), 1), day / 7, seed=int(day)) for day in days]
    table = pd.concat(parts, ignore_index=True)
    table["recency"] = (table["recency"] * 7).round() / 7
    rng = np.random.default_rng(1)
    table["channel"] = rng.choice(list("abcde"), len(table))
    table["country"] = rng.choice(list("vwxyz"), len(table))
    return table


def least(call: Callable[[], Any], turns: int) -> float:
    """Return the least CPU time of a call."""
    times = []
    for _ in range(turns):
        start = process_time()
        call()
        times.append(process_time() - start)
    return min(times)


def main() -> None:
    """Fit, and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    table = draw_customers(options.customers)
    names = ["channel", "country"]
    calls: dict[str, Callable[[], Any]] = {
        "BG/NBD": lambda: rk.fit_bg_nbd(table),
        "BG/NBD, two covariates": lambda: rk.fit_bg_nbd(
            table, purchase_covariates=names, dropout_covariates=names
        ),
        "Pareto/NBD": lambda: rk.fit_pareto_nbd(table),
        "Pareto/NBD, two covariates": lambda: rk.fit_pareto_nbd(
            table, purchase_covariates=names, dropout_covariates=names
        ),
    }
    times = {name: least(call, options.repeat) for name, call in calls.items()}
    for name, seconds in times.items():
        print(f"{name}: {seconds:.2f} s, {seconds / times['BG/NBD']:.1f} times BG/NBD")


if __name__ == "__main__":
    main()
