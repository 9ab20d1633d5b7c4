"""What comes back for each kind of frame, as mypy and pyright see it; nothing here is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_type

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from matplotlib.axes import Axes
from numpy.typing import NDArray

import retainkit as rk
from retainkit.typing import IntoFrameT, IntoTable, Period, TableT


def small_tables_are_of_the_kind_of_a_frame_in_memory(
    pandas: pd.DataFrame, polars: pl.DataFrame, arrow: pa.Table
) -> None:
    assert_type(rk.nps(pandas), pd.DataFrame)
    assert_type(rk.nps(polars, score="answer", by=["country"]), pl.DataFrame)
    assert_type(rk.nps(arrow), pa.Table)
    assert_type(rk.cohort_retention(events=pandas, period="week"), pd.DataFrame)
    assert_type(rk.cohort_retention(events=pandas, period="14 days"), pd.DataFrame)
    assert_type(rk.churn_rate(pandas, period=["2024-01-01", "2024-02-04"]), pd.DataFrame)


def small_tables_of_lazy_frames_are_in_memory(
    lazy: pl.LazyFrame, relation: duckdb.DuckDBPyRelation
) -> None:
    assert_type(rk.nps(lazy), pl.DataFrame)
    assert_type(rk.nps(relation), pd.DataFrame)
    assert_type(rk.cohort_retention(lazy), pl.DataFrame)
    assert_type(rk.cohort_retention(relation), pd.DataFrame)


def every_small_table(frame: pl.LazyFrame, relation: duckdb.DuckDBPyRelation) -> None:
    assert_type(rk.active_days(frame), pl.DataFrame)
    assert_type(rk.active_users(frame), pl.DataFrame)
    assert_type(rk.ces(frame, scale=(1, 7), higher_is_better=True), pl.DataFrame)
    assert_type(rk.churn_rate(frame), pl.DataFrame)
    assert_type(rk.churn_rate_from_counts(frame), pl.DataFrame)
    assert_type(rk.control_chart(frame), pl.DataFrame)
    assert_type(rk.csat(frame), pl.DataFrame)
    assert_type(rk.cumulative_incidence(frame, reason="why"), pl.DataFrame)
    assert_type(rk.growth_accounting(frame), pl.DataFrame)
    assert_type(rk.inactivity_churn(frame, window="30D"), pl.DataFrame)
    assert_type(rk.key_drivers(frame, outcome="score", drivers=["price"]), pl.DataFrame)
    assert_type(rk.mrr_movements(frame), pl.DataFrame)
    assert_type(rk.nps_difference(frame, group="wave"), pl.DataFrame)
    assert_type(rk.nps_from_counts(frame), pl.DataFrame)
    assert_type(rk.pmf(frame), pl.DataFrame)
    assert_type(rk.purchase_regularity(frame), pl.DataFrame)
    assert_type(rk.response_rate(frame), pl.DataFrame)
    assert_type(rk.revenue_cohorts(frame), pl.DataFrame)
    assert_type(rk.revenue_retention(frame), pl.DataFrame)
    assert_type(rk.score_outcomes(frame, relation, horizon="90D"), pl.DataFrame)
    assert_type(rk.score_trend(frame), pl.DataFrame)
    assert_type(rk.spend_independence(frame), pl.DataFrame)
    assert_type(rk.survival_curve(frame), pl.DataFrame)
    assert_type(rk.survival_difference(frame, group="plan"), pl.DataFrame)
    assert_type(rk.usage_interval(frame), pl.DataFrame)


def tables_with_a_row_per_customer_stay_in_the_engine(
    pandas: pd.DataFrame, lazy: pl.LazyFrame, relation: duckdb.DuckDBPyRelation
) -> None:
    assert_type(rk.rfm_summary(pandas), pd.DataFrame)
    assert_type(rk.warning_signs(pandas), pd.DataFrame)
    assert_type(rk.rfm_summary(lazy), pl.LazyFrame)
    assert_type(rk.rfm_summary(relation), duckdb.DuckDBPyRelation)
    assert_type(rk.calibration_holdout(lazy, calibration_end="2026-01-01"), pl.LazyFrame)
    assert_type(rk.churned_customers(lazy), pl.LazyFrame)
    assert_type(rk.cltv(lazy), pl.LazyFrame)
    assert_type(rk.subscriptions_from_levels(lazy), pl.LazyFrame)
    assert_type(rk.subscriptions_from_lines(relation), duckdb.DuckDBPyRelation)
    assert_type(rk.upcoming_churn(pandas, as_of="2026-01-01", within="30D"), pd.DataFrame)
    weights = rk.rake(lazy, {"plan": {"basic": 1, "pro": 2}})
    assert_type(weights.responses, pl.LazyFrame)
    assert_type(weights.n_effective, float)
    assert_type(rk.poststratify(pandas, relation, by="plan").responses, pd.DataFrame)


def models(summary: pl.LazyFrame, orders: pl.DataFrame) -> None:
    purchases = rk.fit_bg_nbd(summary)
    assert_type(purchases, rk.BGNBD)
    assert_type(rk.fit_mbg_nbd(summary), rk.MBGNBD)
    spend = rk.fit_gamma_gamma(summary)
    assert_type(spend, rk.GammaGamma)
    assert_type(purchases.probability_alive(summary), pl.LazyFrame)
    assert_type(purchases.expected_purchases(summary, "12 months"), pl.LazyFrame)
    assert_type(purchases.discounted_expected_purchases(summary, 0.1), pl.LazyFrame)
    assert_type(spend.expected_spend(summary), pl.LazyFrame)
    assert_type(rk.cltv_from_models(summary, purchases, spend), pl.LazyFrame)
    assert_type(purchases.summary(), pd.DataFrame)
    assert_type(rk.tracking(purchases, orders), pl.DataFrame)
    report = rk.holdout_report(orders, calibration_end="2026-01-01")
    assert_type(report.total, pl.DataFrame)
    assert_type(report.model, rk.BGNBD | rk.MBGNBD | rk.ParetoNBD)


def models_of_retention(curve: pd.DataFrame, ages: Sequence[int]) -> None:
    model = rk.fit_sbg(curve)
    assert_type(model, rk.SBG)
    assert_type(model.project(curve, 12), pd.DataFrame)
    assert_type(model.survival(3), float)
    assert_type(model.survival([0, 1, 2]), NDArray[np.float64])
    assert_type(model.survival(ages), NDArray[np.float64])
    assert_type(model.retention_rate(np.arange(5)), NDArray[np.float64])
    assert_type(model.residual_lifetime(pd.Series([1, 2])), NDArray[np.float64])
    assert_type(rk.fit_bdw(curve).expected_lifetime(), float)


def purchases_of_new_customers(model: rk.MBGNBD) -> None:
    assert_type(model.expected_purchases_new_customer("12 months"), float)
    assert_type(model.expected_purchases_new_customer([1.0, 2.0]), NDArray[np.float64])
    assert_type(model.purchase_probabilities(0, 30), float)
    assert_type(model.purchase_probabilities(range(5), 30), NDArray[np.float64])


def tables_of_tables(polars: pl.DataFrame, lazy: pl.LazyFrame) -> None:
    cells = rk.cohort_retention(lazy)
    assert_type(rk.retention_matrix(cells), pl.DataFrame)
    assert_type(rk.retention_curve(cells, average="chained"), pl.DataFrame)
    assert_type(rk.median_lifetime(rk.survival_curve(polars)), pl.DataFrame)
    assert_type(rk.expected_lifetime(rk.survival_curve(polars), horizon=12), pl.DataFrame)


def numbers() -> None:
    assert_type(rk.survey_sample_size(margin=5), int)
    assert_type(rk.survey_detectable_difference(400), float)
    assert_type(rk.survey_detectable_difference([400, 800]), NDArray[np.float64])
    assert_type(rk.annualize_rate(0.05, period="month"), float)
    assert_type(rk.annualize_rate(np.array([0.05]), period="month"), NDArray[np.float64])


def pictures(table: pl.DataFrame, model: rk.BGNBD, ax: Axes) -> None:
    assert_type(rk.plot.retention_curve(rk.retention_curve(table), ax=ax), Axes)
    assert_type(rk.plot.tracking(rk.tracking(model, table)), Axes)
    assert_type(rk.plot.frequency_recency(model, T=52), Axes)


def data_sets() -> None:
    assert_type(rk.datasets.load_cdnow(), pd.DataFrame)


# Functions of one's own


def monthly(events: TableT | IntoTable[TableT], *, period: Period = "month") -> TableT:
    """Take any frame, and give what the library gives for it."""
    return rk.cohort_retention(events, period=period)


def good_customers(orders: IntoFrameT) -> IntoFrameT:
    """Stay in the engine."""
    return rk.rfm_summary(orders)


def their_results(
    pandas: pd.DataFrame, lazy: pl.LazyFrame, relation: duckdb.DuckDBPyRelation
) -> None:
    assert_type(monthly(pandas), pd.DataFrame)
    assert_type(monthly(lazy), pl.DataFrame)
    assert_type(monthly(relation), pd.DataFrame)
    assert_type(good_customers(lazy), pl.LazyFrame)


def of_either_kind(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    return rk.nps(frame)


def untyped_frames_are_taken(anything: Any) -> int:
    return len(rk.nps(anything)) + len(rk.rfm_summary(anything))


def reports_may_be_named_bare(frame: pl.DataFrame) -> tuple[rk.SurveyWeights, rk.HoldoutReport]:
    weights: rk.SurveyWeights = rk.rake(frame, {"plan": {"basic": 1, "pro": 2}})
    report: rk.HoldoutReport = rk.holdout_report(frame, calibration_end="2026-01-01")
    return weights, report
