"""Checks of a model: against published numbers, SciPy, exact enumeration and slow pandas."""

import itertools
import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.special
import scipy.stats
from matplotlib.figure import Figure

from backends import Backend
from retainkit import (
    BGNBD,
    MBGNBD,
    HoldoutReport,
    RetainkitWarning,
    calibration_holdout,
    holdout_report,
    plot,
    purchase_regularity,
    rfm_summary,
    spend_independence,
    tracking,
)
from retainkit.datasets import load_cdnow
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
)
from tables import Row, rows_of

# CLVTools, tests/testthat/test_correctness_bgnbd.R: the estimate on CDNOW's 1/10 sample.
BG = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881, unit="week")
# BTYDplus by way of lifetimes, TestModifiedBetaGammaFitter; digits as on exact weeks.
MBG = MBGNBD(r=0.5248432, alpha=6.1830852, a=0.8913595, b=1.6140024, unit="week")
DAILY = BGNBD(r=0.5, alpha=20.0, a=0.8, b=2.5)
Z = 1.959963984540054


@cache
def cdnow() -> pd.DataFrame:
    return load_cdnow(sample=True)


@cache
def cdnow_summary() -> pd.DataFrame:
    orders = cdnow()
    orders = orders[orders["time"] < "1997-10-01"]
    return rfm_summary(orders, amount="amount", as_of="1997-10-01", unit="week", exact=True)


def by_name(table: Any, key: str) -> dict[str, Row]:
    return {row[key]: row for row in rows_of(table)}


def log(*rows: tuple[Any, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "time"])
    return frame.astype({"time": "datetime64[us]"})


# --- spend and frequency ------------------------------------------------------------------


def test_spend_of_cdnow_is_correlated_as_published() -> None:
    # Fader, Hardie & Lee (2005, JMR): .11, and .06 (p = .08) without the customer who bought 21
    # times at 300 dollars on average.
    found = by_name(spend_independence(cdnow_summary()), "check")
    assert [row["customers"] for row in found.values()] == [946, 946, 945]
    assert round(found["pearson"]["correlation"], 3) == 0.114
    assert round(found["without_largest"]["correlation"], 3) == 0.057
    assert round(found["without_largest"]["p_value"], 2) == 0.08


def test_correlations_are_those_of_scipy_with_their_intervals() -> None:
    repeat = cdnow_summary().query("frequency > 0")
    x, m = repeat["frequency"].to_numpy(float), repeat["monetary_value"].to_numpy()
    table = by_name(spend_independence(cdnow_summary(), confidence_level=0.9), "check")

    linear = scipy.stats.pearsonr(x, m)
    interval = linear.confidence_interval(0.9)
    row = table["pearson"]
    assert row["correlation"] == pytest.approx(linear.statistic, rel=1e-12)
    assert row["p_value"] == pytest.approx(linear.pvalue, rel=1e-9)
    assert (row["lower"], row["upper"]) == pytest.approx((interval.low, interval.high), rel=1e-9)

    ranked = scipy.stats.spearmanr(x, m)
    # Bonett & Wright (2000), equation 4.
    half = 1.6448536269514722 * math.sqrt((1 + ranked.statistic**2 / 2) / (len(x) - 3))
    limits = [math.tanh(math.atanh(ranked.statistic) + sign * half) for sign in (-1, 1)]
    row = table["spearman"]
    assert row["correlation"] == pytest.approx(ranked.statistic, rel=1e-12)
    assert row["p_value"] == pytest.approx(ranked.pvalue, rel=1e-9)
    assert [row["lower"], row["upper"]] == pytest.approx(limits, rel=1e-12)


def test_the_largest_customer_spent_most_in_all_and_is_one() -> None:
    rows = [(1, 5.0), (2, 4.0), (3, 6.0), (2, 9.0), (6, 10.0), (6, 10.0), (10, 6.0), (0, math.nan)]
    summary = pd.DataFrame(rows, columns=["frequency", "monetary_value"])
    # 60 dollars three times: the one who bought most often goes.
    kept = summary[(summary["frequency"] > 0) & (summary["frequency"] < 10)]
    row = by_name(spend_independence(summary), "check")["without_largest"]
    expected = scipy.stats.pearsonr(kept["frequency"], kept["monetary_value"])
    assert row["customers"] == 6
    assert row["correlation"] == pytest.approx(expected.statistic, rel=1e-12)


@pytest.mark.parametrize("repeaters", [0, 1, 2, 3, 4])
def test_of_few_customers_only_what_there_is(repeaters: int) -> None:
    x, m = [*[1, 2, 5, 4][:repeaters], 0], [*[10.0, 20.0, 12.0, 18.0][:repeaters], math.nan]
    row = by_name(spend_independence(pd.DataFrame({"frequency": x, "monetary_value": m})), "check")[
        "pearson"
    ]
    assert row["customers"] == repeaters
    assert (row["correlation"] is None) == (repeaters < 2)
    assert (row["lower"] is None) == (repeaters < 4)
    assert (row["p_value"] is None) == (repeaters < 3)


def test_without_differences_there_is_no_correlation() -> None:
    summary = pd.DataFrame({"frequency": [2, 2, 2, 2, 2], "monetary_value": [1.0, 2, 3, 4, 5]})
    assert all(row["correlation"] is None for row in rows_of(spend_independence(summary)))


def test_spend_needs_its_columns() -> None:
    with pytest.raises(MissingColumnError, match="monetary_value"):
        spend_independence(pd.DataFrame({"frequency": [1]}))
    with pytest.raises(ColumnTypeError, match="must hold numbers"):
        spend_independence(pd.DataFrame({"frequency": ["1"], "monetary_value": [1.0]}))
    with pytest.raises(ArgumentError, match="monetary_value"):
        spend_independence(pd.DataFrame({"frequency": [1, 2], "monetary_value": [1.0, math.nan]}))
    with pytest.raises(ArgumentError, match="confidence_level"):
        spend_independence(cdnow_summary(), confidence_level=95)


# --- regularity ---------------------------------------------------------------------------


def buyers(gaps: Sequence[tuple[int, ...]]) -> pd.DataFrame:
    """Make customers who wait so many days from each purchase to the next."""
    start = pd.Timestamp("2000-01-01")
    rows = [
        (who, start + pd.Timedelta(days=int(day)))
        for who, waits in enumerate(gaps)
        for day in np.cumsum([0, *waits])
    ]
    return pd.DataFrame(rows, columns=["customer_id", "time"])


def regularity(orders: pd.DataFrame, **options: Any) -> dict[str, Row]:
    return by_name(purchase_regularity(orders, **options), "method")


@pytest.mark.slow
def test_wheat_and_morrison_find_the_shape_of_whole_quantiles() -> None:
    # U of Erlang-k gaps is Beta(k, k): its quantiles, as parts of 50,000 days.
    for k in (1, 2, 5):
        u = scipy.stats.beta.ppf((np.arange(4000) + 0.5) / 4000, k, k)
        parts = np.maximum((50_000 * u).round().astype(int), 1)
        found = regularity(buyers([(50_000 - part, part) for part in parts]))
        assert np.var(parts / 50_000) == pytest.approx(1 / (4 * (2 * k + 1)), rel=1e-3)
        for row in found.values():
            assert row["regularity"] == pytest.approx(k, rel=2e-3)
            assert row["lower"] < k < row["upper"]


def test_maximum_likelihood_of_long_gaps_solves_the_equation_of_beta() -> None:
    # d/dk sum log Beta(u; k, k) = 0:  psi(k) - psi(2 k) = mean of log(u (1 - u)) / 2.
    gaps = [(3000, 6000), (5000, 4200), (800, 7000), (6100, 6000)]
    u = np.array([last / (before + last) for before, last in gaps])
    mean = np.mean(np.log(u * (1 - u))) / 2
    k = scipy.optimize.brentq(
        lambda k: scipy.special.psi(k) - scipy.special.psi(2 * k) - mean, 0.1, 9
    )
    assert regularity(buyers(gaps))["maximum_likelihood"]["regularity"] == pytest.approx(
        k, rel=1e-5
    )


def test_random_purchases_seen_by_the_day_have_regularity_1_exactly() -> None:
    # Of a Poisson process cut in days, all ways to part the sum of two gaps are equally likely.
    ways = [(s - last, last) for s in range(2, 13) for last in range(1, s)]
    found = regularity(buyers(ways))
    assert found["maximum_likelihood"]["regularity"] == pytest.approx(1, abs=1e-6)
    # Wheat and Morrison take the days for gaps as they are.
    variance = np.mean([(last / (before + last) - 0.5) ** 2 for before, last in ways])
    expected = (1 - 4 * variance) / (8 * variance)
    assert found["wheat_morrison"]["regularity"] == pytest.approx(expected, rel=1e-12)
    assert expected > 1.2


@pytest.mark.slow
def test_limits_are_those_of_the_likelihood_ratio() -> None:
    gaps = [(3, 7), (5, 4), (1, 6), (2, 2), (10, 9), (1, 1), (4, 12)]
    row = regularity(buyers(gaps))["maximum_likelihood"]

    def log_likelihood(k: float) -> float:
        beta, total = scipy.stats.beta(k, k), 0.0
        for before, last in gaps:
            s = before + last
            mass = beta.cdf((np.arange(1, s) + 0.5) / s) - beta.cdf((np.arange(1, s) - 0.5) / s)
            total += math.log(mass[last - 1] / mass.sum())
        return total

    best = log_likelihood(row["regularity"])
    assert best >= max(map(log_likelihood, np.geomspace(0.1, 50, 400))) - 1e-9
    for limit in (row["lower"], row["upper"]):
        assert 2 * (best - log_likelihood(limit)) == pytest.approx(Z**2, rel=1e-6)


@pytest.mark.parametrize("k", [1, 3])
def test_simulated_customers_of_shape_k_are_found_out(k: int) -> None:
    rng = np.random.default_rng(20 + k)
    rows = []
    for who in range(1500):
        waits = rng.gamma(k, 1 / (k * rng.gamma(2, 0.05)), 60)
        times = np.cumsum(np.append(rng.uniform(0, 100), waits))
        rows += [(who, t) for t in times[times < 400]]
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    frame["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    row = regularity(frame, as_of="2025-12-31")["maximum_likelihood"]
    assert row["customers"] > 800
    assert row["lower"] < k < row["upper"]
    assert row["upper"] - row["lower"] < 0.3 * k


@pytest.mark.slow
def test_cdnow_is_as_slow_pandas_says() -> None:
    squares = []
    days = cdnow().drop_duplicates(["customer_id", "time"])
    for _, times in days.groupby("customer_id")["time"]:
        gaps = times.sort_values().diff().dt.days.dropna().tolist()
        if len(gaps) > 1:
            squares.append((gaps[-1] / (gaps[-1] + gaps[-2]) - 0.5) ** 2)
    variance = np.mean(squares)
    row = regularity(cdnow())["wheat_morrison"]
    assert row["customers"] == len(squares)
    assert row["regularity"] == pytest.approx((1 - 4 * variance) / (8 * variance), rel=1e-10)
    error = Z * np.std(squares, ddof=1) / math.sqrt(len(squares)) / variance
    low, high = (variance * math.exp(sign * error) for sign in (1, -1))
    assert row["lower"] == pytest.approx((1 - 4 * low) / (8 * low), rel=1e-9)
    assert row["upper"] == pytest.approx((1 - 4 * high) / (8 * high), rel=1e-9)
    rows, customers = len(cdnow()), cdnow()["customer_id"].nunique()
    assert row["merged"] == pytest.approx((rows - len(days)) / (rows - customers), rel=1e-12)


def test_units_customers_and_clocks() -> None:
    assert regularity(buyers([(7, 21), (14, 14)]), unit="week")["wheat_morrison"][
        "regularity"
    ] == pytest.approx((1 - 4 / 32) / (8 / 32))  # U is 3/4 and 1/2, its variance 1/32
    found = regularity(buyers([(5, 9, 2), (3, 4), (8,)]), min_purchases=4)
    assert found["wheat_morrison"]["customers"] == 1
    clock = regularity(buyers([(30, 30)] * 5))
    assert all(math.isinf(row["regularity"]) for row in clock.values())
    assert clock["maximum_likelihood"]["lower"] > 3
    nothing = regularity(buyers([(1, 1), (2, 1), (4,)]))["maximum_likelihood"]
    assert (nothing["customers"], nothing["regularity"]) == (2, None)
    empty = regularity(buyers([(1, 1)]).head(0))["maximum_likelihood"]
    assert (empty["customers"], empty["regularity"], empty["merged"]) == (0, None, None)
    with pytest.raises(ArgumentError, match="min_purchases"):
        purchase_regularity(cdnow(), min_purchases=2)


# --- tracking -----------------------------------------------------------------------------


def test_tracking_of_cdnow_is_as_published() -> None:
    # BTYD-walkthrough, and lifetimes/tests/test_utils.py, test_expected_cumulative_transactions_
    # equals_r_btyd_walktrough and test_incremental_..., weeks 20 to 25.
    table = tracking(BG, cdnow(), calibration_end="1997-10-01")
    weeks = table.iloc[19:25]
    assert table["period"].iloc[0] == pd.Timestamp("1997-01-01")
    assert len(table) == 78
    assert weeks["actual"].tolist() == [73, 55, 70, 33, 56, 99]
    assert weeks["actual_cumulative"].tolist() == [1359, 1414, 1484, 1517, 1573, 1672]
    assert weeks["expected"].tolist() == pytest.approx(
        [76.865, 74.888, 73.046, 71.322, 69.704, 68.182], abs=6e-4
    )
    assert weeks["expected_cumulative"].iloc[[0, -1]].tolist() == pytest.approx(
        [1312.458, 1669.6], abs=6e-4
    )
    assert table["holdout"].sum() == 39
    assert table.loc[table["holdout"], "actual"].sum() == 1882
    assert table["complete"].all()


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> date:
    return day.replace(day=1)


def slow_tracking(
    model: Any, rows: list[tuple[Any, date]], last: date, begin_of: Any, until: date | None = None
) -> list[Row]:
    """Return the table of `tracking` with exact=True, day by day and customer by customer."""
    days = {who: sorted({day for one, day in rows if one == who}) for who, _ in rows}
    days = {who: own for who, own in days.items() if until is None or own[0] < until}
    first = min(own[0] for own in days.values())
    table: list[Row] = []
    day, so_far = begin_of(first), 0
    length = {"day": 1, "week": 7}[model.unit]
    while day <= last:
        end = day
        while end <= last and begin_of(end) == day:
            end += timedelta(days=1)
        known = [own for own in days.values() if own[0] < end]
        actual = sum(day <= one < end for own in known for one in own[1:])
        so_far += actual
        spans = [(end - own[0]).days / length for own in known]
        expected = sum(model.expected_purchases_new_customer(span) for span in spans)
        before = table[-1]["expected_cumulative"] if table else 0.0
        table.append(
            {
                "period": day,
                "customers": len(known),
                "actual": actual,
                "expected": expected - before,
                "actual_cumulative": so_far,
                "expected_cumulative": expected,
                "holdout": until is not None and day >= until,
                "complete": begin_of(end) == end,
            }
        )
        day = end
    return table


def some_orders(seed: int, days: int = 100) -> list[Row]:
    rng = np.random.default_rng(seed)
    start = datetime(2023, 12, 20)  # noqa: DTZ001  naive on purpose
    rows = []
    for who in range(40):
        first = rng.integers(0, days * 2 // 3)
        for day in [first, *rng.integers(first, days, rng.integers(0, 9))]:
            at = start + timedelta(days=int(day), hours=int(rng.integers(0, 24)))
            rows.append({"customer_id": f"c{who}", "time": at})
    return [rows[i] for i in rng.permutation(len(rows))]


def assert_same(have: list[Row], want: list[Row]) -> None:
    assert [list(row) for row in have] == [list(row) for row in want]
    for here, there in zip(have, want, strict=True):
        for name, value in there.items():
            close = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
            assert here[name] == close, (name, there)


@pytest.mark.slow
@pytest.mark.parametrize("model", [BG, MBG, DAILY], ids=["BG", "MBG", "days"])
@pytest.mark.parametrize(("period", "begin_of"), [("week", monday_of), ("month", month_of)])
def test_tracking_is_as_counted_by_hand(model: Any, period: Any, begin_of: Any) -> None:
    orders = some_orders(4)
    rows = [(row["customer_id"], row["time"].date()) for row in orders]
    found = tracking(model, pd.DataFrame(orders), period=period, as_of="2024-03-29")
    assert_same(rows_of(found), slow_tracking(model, rows, date(2024, 3, 28), begin_of))
    assert [row["complete"] for row in rows_of(found)][-2:] == [True, False]

    split = date(2024, 2, 5) if period == "week" else date(2024, 2, 1)
    want = slow_tracking(model, rows, date(2024, 3, 28), begin_of, split)
    with pytest.warns(RetainkitWarning, match="first purchase at or after `calibration_end`"):
        found = tracking(
            model, pd.DataFrame(orders), period=period, as_of="2024-03-29", calibration_end=split
        )
    assert_same(rows_of(found), want)
    assert any(row["holdout"] for row in want)


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_in_whole_units_the_end_expects_what_the_summary_would(unit: Any) -> None:
    model = BGNBD(r=0.5, alpha=4.0, a=0.8, b=2.5, unit=unit)
    orders = pd.DataFrame(some_orders(5))
    summary = rfm_summary(orders, unit=unit, as_of="2024-03-29")
    table = tracking(model, orders, exact=False, period=unit, as_of="2024-03-29")
    expected = model.expected_purchases_new_customer(summary["T"].to_numpy(float)).sum()
    assert table["expected_cumulative"].iloc[-1] == pytest.approx(expected, rel=1e-10)
    assert table["actual_cumulative"].iloc[-1] == summary["frequency"].sum()
    assert table["customers"].iloc[-1] == len(summary)


def test_weeks_begin_where_the_holdout_does() -> None:
    orders = log((1, "2024-01-01"), (1, "2024-01-10"), (1, "2024-01-30"))
    table = tracking(BG, orders, calibration_end="2024-01-18T00:00")  # a Thursday
    assert table["period"].dt.day_name().unique().tolist() == ["Thursday"]
    with pytest.warns(RetainkitWarning, match=r"\(2024-01-18\) lies within a week"):
        table = tracking(BG, orders, calibration_end="2024-01-18", week_start="monday")
    assert table["holdout"].tolist() == [False] * 3 + [True] * 2
    with pytest.warns(RetainkitWarning, match="lies within a month"):
        tracking(BG, orders, calibration_end="2024-01-18", period="month")


def test_a_time_is_tracked_on_the_day_that_the_wall_shows() -> None:
    zone = ZoneInfo("Europe/Berlin")
    times = pd.to_datetime(["2024-01-01 10:00", "2024-01-02 23:30"], utc=True)
    orders = pd.DataFrame({"customer_id": [1, 1], "time": times})
    for tz, day in (("UTC", 2), (str(zone), 3)):
        table = tracking(DAILY, orders, period="day", tz=tz)
        assert table.loc[table["actual"] > 0, "period"].dt.day.tolist() == [day]


def test_tracking_says_what_is_wrong() -> None:
    with pytest.raises(ArgumentTypeError, match="must be a BGNBD, MBGNBD or ParetoNBD"):
        tracking(3, cdnow())  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"cuts the weeks .* must be 'week'"):
        tracking(BG, cdnow(), exact=False, period="month")
    with pytest.raises(ArgumentError, match="no time is left for the holdout"):
        tracking(BG, cdnow(), calibration_end="1999-01-01")
    with pytest.raises(ArgumentError, match="stray date"):
        tracking(DAILY, log((1, "0001-01-02"), (1, "9999-01-01")), period="day", as_of="9999-01-02")
    with pytest.warns(RetainkitWarning, match="at or after as_of"):
        tracking(BG, cdnow(), as_of="1998-01-01")
    nobody = tracking(BG, cdnow().head(0))
    assert len(nobody) == 0
    assert nobody["period"].dtype.kind == "M"
    assert nobody["holdout"].dtype == bool


# --- the holdout --------------------------------------------------------------------------


def report_on_cdnow(model: Any = None) -> HoldoutReport:
    return holdout_report(cdnow(), calibration_end="1997-10-01", as_of="1998-07-01", model=model)


@cache
def cdnow_report() -> HoldoutReport:
    return report_on_cdnow()


@pytest.mark.parametrize("name", ["tracking", "holdout_calibration"])
def test_a_picture_takes_the_report_itself(name: str) -> None:
    report, draw = cdnow_report(), getattr(plot, name)
    table = report.by_period if name == "tracking" else report.by_frequency
    pictures = [draw(one, ax=Figure().subplots()) for one in (report, table)]
    drawn = [[line.get_xydata().tolist() for line in ax.lines] for ax in pictures]
    assert drawn[0] == drawn[1] != []


@cache
def cdnow_parts() -> pd.DataFrame:
    return calibration_holdout(
        cdnow(), calibration_end="1997-10-01", as_of="1998-07-01", unit="week", exact=True
    )


@pytest.mark.parametrize(
    ("model", "expected", "error"), [(None, 1653.409, 0.7855), (MBG, 1576.728, 0.7648)]
)
def test_totals_of_cdnow(model: Any, expected: float, error: float) -> None:
    # Actual: Fader, Hardie & Lee (2005). Forecasts and errors: sums over the customers of the
    # closed-form expectation at the maximum, made with lifetimes.
    row = rows_of(report_on_cdnow(model).total)[0]
    assert row["forecast"] == type(model or BG).__name__
    assert (row["customers"], row["actual"]) == (2357, 1882)
    assert row["expected"] == pytest.approx(expected, abs=2e-3)
    assert row["mean_absolute_error"] == pytest.approx(error, abs=5e-5)


def test_totals_are_those_of_slow_pandas() -> None:
    report, parts = cdnow_report(), cdnow_parts()
    duration = parts["duration_holdout"]
    model = report.model.expected_purchases(parts, 39.0)["expected_purchases"]
    naive = parts["frequency"] / parts["T"] * duration
    y = parts["frequency_holdout"].to_numpy(float)
    assert duration.unique().tolist() == [39.0]
    for row, forecast in zip(rows_of(report.total), (model, naive), strict=True):
        error = y - forecast
        assert row["expected"] == pytest.approx(forecast.sum(), rel=1e-9)
        assert row["mean_absolute_error"] == pytest.approx(error.abs().mean(), rel=1e-9)
        assert row["root_mean_squared_error"] == pytest.approx((error**2).mean() ** 0.5, rel=1e-9)
        # HC3 as MacKinnon & White (1985) write it, in matrices.
        x = np.column_stack([np.ones(len(y)), forecast])
        inverse = np.linalg.inv(x.T @ x)
        beta = inverse @ x.T @ y
        hat = np.einsum("ij,jk,ik->i", x, inverse, x)
        meat = x.T @ (x * ((y - x @ beta) / (1 - hat))[:, None] ** 2)
        half = Z * math.sqrt((inverse @ meat @ inverse)[1, 1])
        assert row["calibration_slope"] == pytest.approx(beta[1], rel=1e-9)
        limits = (beta[1] - half, beta[1] + half)
        assert (row["lower"], row["upper"]) == pytest.approx(limits, rel=1e-8)


def test_frequencies_are_those_of_slow_pandas() -> None:
    report, parts = cdnow_report(), cdnow_parts()
    parts = parts.assign(
        expected=report.model.expected_purchases(parts, 39.0)["expected_purchases"],
        naive=parts["frequency"] / parts["T"] * 39.0,
        group=parts["frequency"].clip(upper=7),
    )
    rows = rows_of(report.by_frequency)
    assert [row["frequency"] for row in rows] == [*"0123456", "7+"]
    # Table of the paper's figure 1: customers by repeat purchases in weeks 1 to 39.
    assert [row["customers"] for row in rows] == [1411, 439, 214, 100, 62, 38, 29, 64]
    for row, (_, group) in zip(rows, parts.groupby("group"), strict=True):
        y = group["frequency_holdout"]
        for name, values in (
            ("actual", y),
            ("expected", group["expected"]),
            ("naive", group["naive"]),
        ):
            assert row[name] == pytest.approx(values.mean(), rel=1e-9)
        phi = max(1.0, y.var() / y.mean())
        for limit in (row["lower"], row["upper"]):
            # The score test of a mean with variance phi times itself just rejects the limits.
            score = (y.mean() - limit) / math.sqrt(phi * limit / len(y))
            assert abs(score) == pytest.approx(Z, rel=1e-8)


def test_periods_are_those_of_tracking() -> None:
    table = tracking(
        cdnow_report().model, cdnow(), calibration_end="1997-10-01", as_of="1998-07-01"
    )
    want = table[table["holdout"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(cdnow_report().by_period, want)


def test_a_report_says_what_it_is() -> None:
    text = repr(cdnow_report())
    assert "BGNBD: 2,357 customers, 1,882 purchases in the holdout, 1,653.4 expected" in text


def test_who_came_last_goes_on_with_nothing_and_nobody_has_no_mean() -> None:
    orders = log(
        *[(who, day) for who in range(8) for day in ("2024-01-01", "2024-01-05", "2024-01-09")],
        *[(who, "2024-01-31") for who in range(8, 12)],
        (8, "2024-02-20"),
    )
    report = holdout_report(
        orders, calibration_end="2024-02-01", as_of="2024-03-01", model=DAILY, unit="day"
    )
    none, one, two = rows_of(report.by_frequency)
    assert (none["customers"], none["actual"], none["naive"]) == (4, 0.25, 0.0)
    assert (one["customers"], one["actual"], one["lower"], one["expected"]) == (0, None, None, None)
    assert two["frequency"] == "2"
    assert (two["actual"], two["lower"]) == (0.0, 0.0)
    assert two["upper"] == pytest.approx(Z**2 / 8)
    assert two["naive"] == pytest.approx(2 / 30 * 29)
    small = holdout_report(
        orders,
        calibration_end="2024-02-01",
        as_of="2024-03-01",
        model=DAILY,
        unit="day",
        max_frequency=1,
    )
    assert [row["frequency"] for row in rows_of(small.by_frequency)] == ["0", "1+"]


def test_customers_who_are_alike_by_chance_are_no_certainty() -> None:
    days = ("2024-01-01", "2024-02-20")
    orders = log(*[(who, day) for who in range(3) for day in days])
    report = holdout_report(
        orders, calibration_end="2024-02-01", as_of="2024-03-01", model=DAILY, unit="day"
    )
    (row,) = rows_of(report.by_frequency)
    assert row["actual"] == 1
    # Poisson's score interval of 3 purchases by 3 customers: (1 - m)^2 = z^2 m / 3.
    for limit in (row["lower"], row["upper"]):
        assert 3 * (1 - limit) ** 2 == pytest.approx(Z**2 * limit, rel=1e-9)


def test_a_report_says_what_is_wrong() -> None:
    options: dict[str, Any] = {"calibration_end": "1997-10-01"}
    with pytest.raises(ArgumentError, match=r"give `unit='day'`"):
        holdout_report(cdnow(), model=DAILY, **options)
    with pytest.raises(ArgumentTypeError, match="BGNBD, MBGNBD or ParetoNBD"):
        holdout_report(cdnow(), model="bg", **options)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="max_frequency"):
        holdout_report(cdnow(), max_frequency=0, **options)
    with pytest.raises(ArgumentError, match="no time is left"):
        holdout_report(cdnow(), calibration_end="1998-07-01")
    with pytest.raises(ArgumentError, match="no row of `transactions` is before"):
        holdout_report(cdnow(), calibration_end="1996-10-01")
    once = log(*[(who, "2024-01-01") for who in range(5)], (0, "2024-02-10"))
    with pytest.warns(RetainkitWarning, match="identified"):
        holdout_report(once, calibration_end="2024-02-01")


# --- every kind of frame ------------------------------------------------------------------


@pytest.mark.slow
def test_all_checks_on_every_frame(backend: Backend) -> None:
    orders = some_orders(6)
    as_pandas = pd.DataFrame(orders)
    given = backend.make(orders)
    for call in (
        lambda frame: purchase_regularity(frame, as_of="2024-04-01"),
        lambda frame: tracking(BG, frame, as_of="2024-04-01"),
    ):
        found, want = call(given), call(as_pandas)  # type: ignore[no-untyped-call]
        assert_same(rows_of(found), rows_of(want))
        assert type(found).__module__.split(".")[0] == backend.result.value

    summary: list[Row] = [
        {"customer_id": who, "frequency": x, "monetary_value": m}
        for who, x, m in [
            ("a", 3, 5.0),
            ("b", 1, 2.0),
            ("c", 0, None),
            ("d", 7, 4.5),
            ("e", 2, 9.0),
        ]
    ]
    found = rows_of(spend_independence(backend.make(summary)))
    assert_same(found, rows_of(spend_independence(pd.DataFrame(summary))))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*first purchase at or after:retainkit.RetainkitWarning")
def test_a_report_on_every_frame(backend: Backend) -> None:
    orders = some_orders(6)
    options: Any = {"calibration_end": "2024-02-14", "as_of": "2024-04-01", "model": BG}
    report = holdout_report(backend.make(orders), **options)
    want = holdout_report(pd.DataFrame(orders), **options)
    for name in ("total", "by_frequency", "by_period"):
        found = getattr(report, name)
        assert_same(rows_of(found), rows_of(getattr(want, name)))
        assert type(found).__module__.split(".")[0] == backend.result.value
    assert repr(report) == repr(want)


def test_dates_and_aware_times_on_every_frame(backend: Backend) -> None:
    zone = ZoneInfo("Europe/Berlin")
    aware = [row | {"time": row["time"].replace(tzinfo=zone)} for row in some_orders(7)]
    plain = [row | {"time": row["time"].date()} for row in some_orders(7)]
    want = rows_of(tracking(BG, pd.DataFrame(some_orders(7))))
    assert_same(rows_of(tracking(BG, backend.make(plain))), want)
    found = tracking(BG, backend.make(aware, session="Europe/Berlin"), tz="Europe/Berlin")
    assert_same(rows_of(found), want)


# --- periods of one's own -------------------------------------------------------------------


def test_tracking_between_edges_is_that_of_days_added_up() -> None:
    model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    orders = load_cdnow(sample=True)
    days = tracking(model, orders, period="day").set_index("period")
    edges = ["1997-03-01", "1997-03-20", "1997-05-01", "1997-05-08"]
    with pytest.warns(RetainkitWarning, match="lie in no period: outside the edges of `period`"):
        table = tracking(model, orders, period=edges)
    assert table["period"].tolist() == [pd.Timestamp(one) for one in edges[:-1]]
    for row, (begin, end) in zip(table.itertuples(), itertools.pairwise(edges), strict=True):
        own = days[(days.index >= begin) & (days.index < end)]
        assert row.actual == own["actual"].sum()
        assert row.expected == pytest.approx(own["expected"].sum())
        assert row.customers == own["customers"].iloc[-1]
    assert table["actual_cumulative"].tolist() == table["actual"].cumsum().tolist()
    assert table["expected_cumulative"].tolist() == pytest.approx(table["expected"].cumsum())


def test_periods_of_days_begin_where_calibration_ends() -> None:
    model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    orders = load_cdnow(sample=True)
    table = tracking(model, orders, period="4 weeks", calibration_end="1997-10-01")
    assert table.loc[table["holdout"], "period"].iloc[0] == pd.Timestamp("1997-10-01")
    weeks = tracking(model, orders, period="week", calibration_end="1997-10-01")
    report = holdout_report(orders, calibration_end="1997-10-01", period="4 weeks")
    assert report.by_period["period"].iloc[0] == pd.Timestamp("1997-10-01")
    quarters = tracking(model, orders, period="quarter", year_start="february")
    assert quarters["period"].tolist()[:2] == [
        pd.Timestamp("1996-11-01"),
        pd.Timestamp("1997-02-01"),
    ]
    assert quarters["actual"].sum() == weeks["actual"].sum()
    with pytest.raises(ArgumentError, match="cuts the weeks in which `exact=False` merges"):
        tracking(model, orders, period="14 days", exact=False)
    with pytest.raises(ArgumentError, match="customers are counted by days"):
        tracking(model, orders, period="hour")
