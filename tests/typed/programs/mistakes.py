"""What mypy and pyright must refuse, each in its line; nothing here is run."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl

import retainkit as rk
from retainkit.typing import IntoTable, Period, TableT


def not_a_number(frame: pd.DataFrame) -> int:
    return rk.nps(frame)  # expect: error


def not_lazy(frame: pl.LazyFrame) -> pl.LazyFrame:
    return rk.nps(frame)  # expect: error


def not_in_memory(frame: pl.LazyFrame) -> pl.DataFrame:
    return rk.rfm_summary(frame)  # expect: error


def not_in_the_engine(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    return rk.cohort_retention(relation)  # expect: error


def not_of_another_kind(frame: pl.DataFrame) -> None:
    rk.active_users(frame).iloc  # expect: error
    rk.rake(frame, {}).responses.iloc  # expect: error
    rk.holdout_report(frame, calibration_end="2026-01-01").total.iloc  # expect: error


def not_frames(frame: pd.DataFrame) -> None:
    rk.nps("answers.csv")  # expect: error
    rk.nps([9, 10, 3])  # expect: error
    rk.rfm_summary({"customer_id": [1]})  # expect: error
    rk.tracking(frame, frame)  # expect: error


def not_such_arguments(frame: pd.DataFrame) -> None:
    rk.nps(frame, scor="answer")  # expect: error
    rk.nps(frame, "answer")  # expect: error
    rk.nps()  # expect: error
    rk.nps(frame, confidence_level="95%")  # expect: error
    rk.inactivity_churn(frame)  # expect: error


def not_such_words(frame: pd.DataFrame) -> None:
    rk.cohort_retention(frame, period=14)  # expect: error
    rk.cohort_retention(frame, missing="ignore")  # expect: error
    rk.csat(frame, fractional="cut")  # expect: error
    rk.fit_bg_nbd(frame, engine="pymc")  # expect: error
    period: Period = "fortnight"  # expect: error
    rk.churn_rate(frame, period=period)


def not_one_number(model: rk.SBG) -> float:
    return model.survival([1, 2])  # expect: error


def not_several(model: rk.BGNBD) -> list[float]:
    return model.purchase_probabilities(0, 30)  # expect: error


def not_a_table_of_that_kind(frame: TableT | IntoTable[TableT]) -> TableT:
    return frame  # expect: error


def not_a_name(frame: pd.DataFrame) -> None:
    rk.net_promoter_score(frame)  # expect: error
