"""CDNOW's customers, as the distribution of lifetimes ships them."""

from importlib import metadata
from pathlib import Path

import pandas as pd


def cdnow() -> pd.DataFrame:
    """Read the 2,357 customers that lifetimes ships, rounded to two decimals; they are in weeks."""
    name = "lifetimes/datasets/cdnow_customers_summary_with_transactions.csv"
    frame = pd.read_csv(Path(str(metadata.distribution("lifetimes").locate_file(name))))
    frame.columns = ["customer_id", "frequency", "recency", "T", "monetary_value"]
    return frame.assign(time_unit="week")


CDNOW = cdnow()
