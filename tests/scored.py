"""Snapshots of CDNOW made by hand in pandas, and small ones of made-up customers."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from retainkit.datasets import load_cdnow

FEATURES = ["recency_days", "tenure_days", "orders", "orders_90d"]
WINDOW = pd.Timedelta(days=90)


@cache
def cdnow_snapshot(as_of: str) -> pd.DataFrame:
    """Return one row a customer of CDNOW, as of an instant, with 90 days of outcome."""
    orders, now = load_cdnow(), pd.Timestamp(as_of)
    before = orders[orders["time"] < now]
    times = before.groupby("customer_id")["time"]
    recent = before[before["time"] >= now - WINDOW].groupby("customer_id").size()
    ahead = orders[(orders["time"] >= now) & (orders["time"] < now + WINDOW)]
    view = pd.DataFrame(
        {
            "recency_days": (now - times.max()).dt.days,
            "tenure_days": (now - times.min()).dt.days,
            "orders": times.size(),
        }
    )
    view["orders_90d"] = recent.reindex(view.index, fill_value=0)
    view["churned"] = (~view.index.isin(ahead["customer_id"])).astype(int)
    return view.assign(as_of=now).reset_index()


@cache
def cdnow_snapshots() -> pd.DataFrame:
    """Return the two snapshots of section 5 of the worked numbers: 47,140 rows."""
    days = ("1997-07-01", "1997-10-01")
    return pd.concat([cdnow_snapshot(day) for day in days], ignore_index=True)


def grouped(n: Any, events: Any, score: Any, **columns: Any) -> pd.DataFrame:
    """Return the rows of groups of `n` with one score each, of which `events` churned."""
    frame = pd.DataFrame({"n": n, "events": events, "score": score, **columns})
    rows = frame.loc[np.repeat(frame.index, frame["n"])].reset_index(drop=True)
    place = np.concatenate([np.arange(size) for size in frame["n"]])
    rows["churned"] = (place < rows["events"]).astype(int)
    return rows.drop(columns=["n", "events"])


def made_up(
    customers: int = 200, snapshots: int = 2, seed: int = 1, *, same: bool = False
) -> pd.DataFrame:
    """Return snapshots of customers who differ for good, so that their rows go together.

    With `same` the feature `a` of a customer is the same in all of them.
    """
    rng = np.random.default_rng(seed)
    who = np.tile(np.arange(customers), snapshots)
    a, b = rng.poisson(3, len(who)), rng.normal(size=len(who))
    a = a[who] if same else a
    lasting = rng.normal(size=customers)[who]
    odds = 0.5 - 0.8 * np.log1p(a) + 0.5 * b + lasting
    return pd.DataFrame(
        {
            "customer_id": who,
            "as_of": np.repeat(np.arange(snapshots), customers),
            "a": a,
            "b": b,
            "churned": (rng.random(len(who)) < 1 / (1 + np.exp(-odds))).astype(int),
        }
    )
