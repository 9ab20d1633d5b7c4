"""As results.py, for PySpark, which is not always installed."""

from __future__ import annotations

from typing import assert_type

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

import retainkit as rk


def spark(frame: DataFrame, session: SparkSession) -> None:
    assert_type(rk.nps(frame), pd.DataFrame)
    assert_type(rk.cohort_retention(session.table("events")), pd.DataFrame)
    assert_type(rk.rfm_summary(frame), DataFrame)
    assert_type(rk.fit_bg_nbd(frame).probability_alive(frame), DataFrame)
    assert_type(rk.rake(frame, {"plan": {"basic": 1, "pro": 2}}).responses, DataFrame)
