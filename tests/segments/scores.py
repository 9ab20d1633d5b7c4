"""Scores of CDNOW's customers, written down in pandas: cuts are observed values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

import retainkit as rk

ORDERS = rk.datasets.load_cdnow()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The greatest values of the first four of five bins."""

    recency: list[int]
    frequency: list[int]


def measures(as_of: str) -> pd.DataFrame:
    """Return the days since the last order, and the days with one, of each customer."""
    day = ORDERS["time"].dt.floor("D")
    known = ORDERS.assign(day=day)[ORDERS["time"] < as_of]
    found = known.groupby("customer_id")["day"].agg(["max", "nunique"]).reset_index()
    recency = (pd.Timestamp(as_of) - found["max"]).dt.days
    return pd.DataFrame(
        {"customer_id": found["customer_id"], "recency_days": recency, "days": found["nunique"]}
    )


def cuts_of(values: pd.Series) -> list[int]:
    ordered = np.sort(values.to_numpy())
    return [int(ordered[-(-len(ordered) * k // 5) - 1]) for k in range(1, 5)]


def scored(as_of: str, cuts: Cuts | None = None) -> tuple[pd.DataFrame, Cuts]:
    """Return the scores r and f from 1 to 5, by cuts of the customers themselves if none given."""
    table = measures(as_of)
    cuts = cuts or Cuts(recency=cuts_of(table["recency_days"]), frequency=cuts_of(table["days"]))
    recency = np.searchsorted(cuts.recency, table["recency_days"], side="left")
    frequency = np.searchsorted(cuts.frequency, table["days"], side="left")
    return table.assign(r=5 - recency, f=1 + frequency), cuts
