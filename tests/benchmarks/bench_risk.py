"""A model of churn of a million snapshots, beside scikit-learn, and the judgement of its scores.

    python -m pip install scikit-learn
    python tests/benchmarks/bench_risk.py
    python tests/benchmarks/bench_risk.py --rows 100000 --repeat 5

Required, for a million rows of 20 features: `fit_churn_risk` takes no longer than scikit-learn's
solver newton-cholesky at equal tolerance. Both do the whole work from the frame: features are
transformed and standardised; retainkit looks for leaks, and has clustered errors, too. The third
call is scikit-learn's fit alone, of a matrix that is ready. Both must find the same coefficients.
Beside `lift_table` stands the usual recipe (`qcut` of ranks, then a group-by), which cuts ties by
the order of rows and gives no interval.

The calls take turns, `--repeat` times; the fastest turn of each counts. The data are drawn from a
fixed seed and stay in memory.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from sklearn.linear_model import LogisticRegression
from stopwatch import fastest, machine

from retainkit import fit_churn_risk, lift_table, score_report

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
FEATURES = 20
TOLERANCE = 1e-8
PACKAGES = ("numpy", "pandas", "polars", "duckdb", "scikit-learn")


def snapshots(rows: int) -> pd.DataFrame:
    """Draw four snapshots of customers: counts of events, days and amounts, which go together."""
    rng = np.random.default_rng(20240601)
    rate = rng.gamma(1.0, 3.0, rows // 4)
    frame: dict[str, Any] = {
        "customer_id": np.tile(np.arange(rows // 4), 4),
        "as_of": np.repeat(np.datetime64("2024-01-01", "us") + np.arange(4) * 30, rows // 4),
    }
    rate, odds = np.tile(rate, 4), np.zeros(4 * (rows // 4))
    for i in range(FEATURES):
        if i % 3 < 2:
            values = rng.poisson(rate * (0.5 + i / FEATURES))
        else:
            values = rng.gamma(2, 20, len(rate))
        frame[f"feature_{i}"] = values
        odds += (0.4 - 0.06 * i) * (np.log1p(values) - np.log1p(values).mean())
    frame["churned"] = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return pd.DataFrame(frame)


def by_scikit_learn(table: pd.DataFrame) -> Any:
    """Fit the same model with scikit-learn."""
    values = np.log1p(table.filter(like="feature_").to_numpy(float))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return fit_matrix(values, table["churned"].to_numpy())


def fit_matrix(values: Any, left: Any) -> Any:
    """Fit a matrix that is ready with scikit-learn."""
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=TOLERANCE, max_iter=50)
    return model.fit(values, left)


def by_hand(scored: pd.DataFrame) -> pd.DataFrame:
    """Make the usual table of deciles."""
    ranks = scored["score"].rank(method="first", ascending=False)
    bins = pd.qcut(ranks, 10, labels=False)
    return scored.groupby(bins)["churned"].agg(["size", "sum", "mean"])


def calls(table: pd.DataFrame, scored: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    """Return what is timed."""
    values = np.log1p(table.filter(like="feature_").to_numpy(float))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    left = table["churned"].to_numpy()
    model = fit_churn_risk(table)
    in_polars, relation = pl.from_pandas(table), duckdb.from_df(scored)
    return {
        "fit_churn_risk": lambda: fit_churn_risk(table),
        "scikit-learn": lambda: by_scikit_learn(table),
        "its fit alone": lambda: fit_matrix(values, left),
        "fit_churn_risk, Polars": lambda: fit_churn_risk(in_polars),
        "churn_risk": lambda: model.churn_risk(table),
        "churn_risk, no reasons": lambda: model.churn_risk(table, reasons=0),
        "lift_table": lambda: lift_table(scored),
        "lift_table, DuckDB": lambda: lift_table(relation),
        "qcut and group-by": lambda: by_hand(scored),
        "score_report": lambda: score_report(scored),
    }


def main() -> None:
    """Time every call and compare the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    table = snapshots(options.rows)
    risk = fit_churn_risk(table).churn_risk(table, reasons=0)["churn_risk"]
    timed = calls(table, pd.DataFrame({"score": risk, "churned": table["churned"]}))
    seconds = fastest(timed, options.repeat)
    for name, one in seconds.items():
        print(f"{name:24} {one:6.2f} s")
    for mine, theirs in (("fit_churn_risk", "scikit-learn"), ("lift_table", "qcut and group-by")):
        print(f"{mine}: {seconds[mine] / seconds[theirs]:.2f} of {theirs}")
    own, other = timed["fit_churn_risk"](), timed["its fit alone"]()
    standardised = np.array(own.coefficients) * np.array(own.scales)
    print(f"coefficients differ by {np.abs(standardised - other.coef_[0]).max():.1e} at most")


if __name__ == "__main__":
    main()
