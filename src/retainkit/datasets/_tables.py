"""Tables of synthetic data: times, orders, and columns in general."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._typing import Array, Integers
from retainkit.datasets._customer_truth import DrawnOrders
from retainkit.datasets._order_times import NEVER

if TYPE_CHECKING:
    import pandas as pd


def build_table(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Build a table."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    return pd.DataFrame(columns)


def to_times(seconds: Integers) -> Array:
    """Return seconds since 1970 as times; NaT for `NEVER`."""
    times = np.where(seconds == NEVER, np.datetime64("NaT", "s"), seconds.astype("M8[s]"))
    return times.astype("M8[us]")


def order_table(orders: DrawnOrders) -> pd.DataFrame:
    """Build the table of orders, which are numbered by time."""
    return build_table(
        {
            "customer_id": orders.customer + 1,
            "order": np.arange(1, orders.time.size + 1),
            "time": to_times(orders.time),
            "amount": orders.cents / 100,
        }
    )
