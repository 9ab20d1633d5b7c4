"""A contact policy on a million candidates and five million contacts, beside queries by hand.

    python tests/benchmarks/bench_contacts.py
    python tests/benchmarks/bench_contacts.py --candidates 200000 --contacts 1000000 --repeat 2

Required, for a million candidates of 700,000 customers and a log of five million contacts: under
ten seconds, on every kind of frame. Three caps, one of them of all channels together, a tenth of
the customers suppressed, a tenth held out.

What others do by hand is written in pandas: a merge with the log for each cap, counts, and ranks
by customer. It knows no cap but those of the log alone, and so does less. The data are drawn from a
fixed seed.
"""

from __future__ import annotations

import argparse
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from stopwatch import fastest, machine, timed

from retainkit import apply_contact_policy

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = pd.Timestamp("2024-07-01 09:00")
CHANNELS = np.array(["email", "sms", "push"])
CAPS = pd.DataFrame(
    {
        "channel": ["email", "sms", None],
        "max": [2, 1, 4],
        "window": ["7D", "24h", "7D"],
        "calendar": [False, False, True],
    }
)


def draw_tables(candidates: int, contacts: int) -> dict[str, pd.DataFrame]:
    """Draw candidates, each customer one or two of them in several channels, and a log."""
    rng = np.random.default_rng(2024)
    customers = candidates * 7 // 10
    once = np.arange(customers)
    again = rng.choice(customers, candidates - customers, replace=False)
    customer = np.concatenate([once, again])
    channel = np.concatenate([rng.integers(0, 3, customers), np.zeros(len(again), np.int64)])
    channel[customers:] = (channel[again] + 1) % 3
    order = rng.permutation(candidates)
    wanted = pd.DataFrame(
        {
            "customer_id": customer[order],
            "channel": CHANNELS[channel[order]],
            "priority": rng.integers(1, 6, candidates),
        }
    )
    # Thirty days of a log, in which a third is of customers who get nothing today.
    past = rng.integers(0, 30 * 86_400_000_000, contacts).astype("timedelta64[us]")
    log = pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers * 3 // 2, contacts),
            "channel": CHANNELS[rng.integers(0, 3, contacts)],
            "time": AS_OF.to_datetime64().astype("datetime64[us]") - past,
        }
    )
    suppress = pd.DataFrame({"customer_id": rng.choice(customers, customers // 10, replace=False)})
    return {"candidates": wanted, "contacts": log, "suppress": suppress}


def policy(tables: dict[str, Any]) -> Any:
    """Apply the policy to tables of any kind."""
    return apply_contact_policy(
        tables["candidates"],
        as_of=AS_OF,
        contacts=tables["contacts"],
        caps=CAPS,
        suppress=tables["suppress"],
        holdout=0.1,
        salt="july",
    )


def by_hand(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Apply the caps to the log and then keep the best rows, as scripts do."""
    wanted, log = tables["candidates"].copy(), tables["contacts"]
    wanted["reason"] = "send"
    for channel, most, first in (
        ("email", 2, AS_OF - pd.Timedelta("7D")),
        ("sms", 1, AS_OF - pd.Timedelta("24h")),
        (None, 4, (AS_OF - pd.Timedelta("6D")).normalize()),
    ):
        recent = log[(log["time"] > first) & (log["time"] < AS_OF)]
        covered = (wanted["channel"] == channel) | (channel is None)
        recent = recent if channel is None else recent[recent["channel"] == channel]
        counts = recent.groupby("customer_id").size().rename("n").reset_index()
        n = wanted[["customer_id"]].merge(counts, how="left")["n"].fillna(0).to_numpy()
        wanted.loc[covered & (n >= most), "reason"] = "cap"
    wanted.loc[wanted["customer_id"].isin(tables["suppress"]["customer_id"]), "reason"] = (
        "suppressed"
    )
    bucket = wanted["customer_id"].map(
        lambda one: int.from_bytes(sha256(f"july:{one}".encode()).digest()[:8], "big") / 2**64
    )
    wanted.loc[(bucket < 0.1) & (wanted["reason"] == "send"), "reason"] = "holdout"
    return wanted


def kinds_of(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Return the tables in every kind of frame."""
    polars = {name: pl.from_pandas(one) for name, one in tables.items()}
    database = duckdb.connect()
    for name, one in tables.items():
        database.register("frame", one)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")  # noqa: S608
        database.unregister("frame")
    text = {
        name: one.assign(customer_id="customer-" + one["customer_id"].astype(str))
        for name, one in tables.items()
    }
    return {
        "pandas": tables,
        "pandas, ids of text": text,
        "polars": polars,
        "polars, lazy": {name: one.lazy() for name, one in polars.items()},
        "pyarrow": {name: one.to_arrow() for name, one in polars.items()},
        "duckdb": {name: database.table(name) for name in tables},
    }


def counted(result: Any) -> dict[str, int]:
    """Count the reasons of a result of any kind; a lazy one is computed here."""
    if isinstance(result, pl.LazyFrame):
        result = result.collect()
    if isinstance(result, duckdb.DuckDBPyRelation):
        result = result.df()
    reason = result["reason"]
    values, counts = np.unique(np.asarray(reason.to_numpy(), str), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def judge(tables: dict[str, Any]) -> dict[str, int]:
    """Apply the policy and compute its result."""
    return counted(policy(tables))


def main() -> None:
    """Time all kinds, check that they agree, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--contacts", type=int, default=5_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print(machine("numpy", "pandas", "polars", "pyarrow", "duckdb", "narwhals"))
    tables = draw_tables(given.candidates, given.contacts)
    kinds = kinds_of(tables)
    found = {name: judge(one) for name, one in kinds.items()}
    # Ids of text have other hashes.
    numbers = {str(one) for name, one in found.items() if "text" not in name}
    assert len(numbers) == 1, found
    print(found["pandas"])
    calls: dict[str, Callable[[], Any]] = {name: partial(judge, one) for name, one in kinds.items()}
    calls["by hand, pandas"] = lambda: by_hand(tables)
    best = fastest(calls, given.repeat)
    for name, seconds in best.items():
        print(f"{name:20} {seconds:6.2f} s   {seconds / best['by hand, pandas']:5.2f} x by hand")
    late, _ = timed(lambda: policy({**tables, "contacts": None}))
    print(f"{'without a log':20} {late:6.2f} s")


if __name__ == "__main__":
    main()
