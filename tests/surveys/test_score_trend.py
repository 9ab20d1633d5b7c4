"""Scores over time: a slow reference by month, a published control chart, edge cases."""

import math
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backends import Backend
from retainkit import control_chart, csat, nps, score_trend
from retainkit.errors import ArgumentError, ColumnTypeError, RetainkitWarning
from tables import Row, rows_of

TREND = ["period", "n", "n_missing", "score", "lower", "upper", "metric", "window", "complete"]


def answers(*rows: tuple[str, float | None], **columns: Any) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["time", "score"])
    return table.assign(time=table["time"].astype("datetime64[us]"), **columns)


def trend(table: Any, **options: Any) -> list[Row]:
    return rows_of(score_trend(table, **options))


def random_answers(seed: int, size: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-15")
    return pd.DataFrame(
        {
            "time": start + pd.to_timedelta(rng.integers(0, 150 * 24, size), unit="h"),
            "score": rng.integers(0, 11, size).astype(float),
            "plan": rng.choice(["a", "b"], size),
            "who": rng.integers(0, 90, size),
            "w": rng.lognormal(0, 0.5, size),
        }
    )


def months_between(first: date, last: date) -> list[date]:
    number = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return [date(one // 12, one % 12 + 1, 1) for one in number]


@pytest.mark.parametrize("options", [{}, {"weights": "w"}, {"respondent": "who"}])
def test_each_period_is_scored_as_nps_scores_it(options: Any) -> None:
    table = random_answers(1)
    found = trend(table, by="plan", as_of="2024-08-01", **options)
    expected = []
    for plan in "ab":
        own = table[table["plan"] == plan]
        first = own["time"].min().date()
        for month in months_between(first, date(2024, 7, 1)):
            inside = own[
                (own["time"].dt.year == month.year) & (own["time"].dt.month == month.month)
            ]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RetainkitWarning)
                (row,) = rows_of(nps(inside, **options))
            expected.append((plan, month, row["n"], row["nps"], row["lower"], row["upper"]))
    assert [(row["plan"], row["period"], row["n"]) for row in found] == [
        one[:3] for one in expected
    ]
    for row, (*_, score, lower, upper) in zip(found, expected, strict=True):
        for name, value in {"score": score, "lower": lower, "upper": upper}.items():
            assert row[name] == (None if value is None else pytest.approx(value, abs=1e-9))
        assert row["complete"]
    assert found[-1]["n"] == 0, "July has no answers and is a row"


@pytest.mark.slow
@pytest.mark.parametrize("rolling", [1, 2, 3, 12])
@pytest.mark.parametrize("options", [{"weights": "w"}, {"respondent": "who", "weights": "w"}])
def test_rolling_windows_hold_the_answers_of_their_periods(rolling: int, options: Any) -> None:
    table = random_answers(2)
    found = trend(table, rolling=rolling, as_of="2024-07-01", **options)
    months = [row["period"] for row in found]
    for i, row in enumerate(found):
        begin = pd.Timestamp(months[max(i - rolling + 1, 0)])
        end = pd.Timestamp(row["period"]) + pd.offsets.MonthBegin()
        inside = table[(table["time"] >= begin) & (table["time"] < end)]
        (alone,) = rows_of(nps(inside, **options))
        assert (row["n"], row["window"]) == (alone["n"], rolling)
        assert [row["score"], row["lower"], row["upper"]] == pytest.approx(
            [alone["nps"], alone["lower"], alone["upper"]], abs=1e-9
        )
        assert row["complete"] == (i >= rolling - 1)


def test_csat_has_wilsons_interval_and_a_mean_that_of_student() -> None:
    table = answers(*[("2024-01-03", score) for score in (5, 5, 4, 3, 2, 4, 1)])
    options = {"scale": (1, 5), "as_of": "2024-02-01"}
    (row,) = trend(table, metric="csat", **options)
    limits = stats.binomtest(4, 7).proportion_ci(method="wilson")
    assert row["score"] == pytest.approx(4 / 7)
    assert [row["lower"], row["upper"]] == pytest.approx(list(limits))
    (row,) = trend(table, metric="csat", positive=5, **options)
    assert row["score"] == pytest.approx(2 / 7)
    (row,) = trend(table, metric="mean", **options)
    values = table["score"].to_numpy()
    low, high = stats.t.interval(0.95, 6, values.mean(), values.std(ddof=1) / math.sqrt(7))
    assert [row["score"], row["lower"], row["upper"]] == pytest.approx([24 / 7, low, high])
    assert row["metric"] == "mean"


def test_the_mean_of_repeated_answers_has_the_freedom_of_its_respondents() -> None:
    score = np.array([10, 8, 9, 9, 8, 8, 9, 7, 2, 7, 7, 2, 5], float)
    who = np.arange(13) // 2
    table = pd.DataFrame({"time": pd.Timestamp("2024-01-09"), "score": score, "who": who})
    (row,) = trend(table, metric="mean", respondent="who", as_of="2024-02-01")
    # The cluster-robust standard error: the sums of what respondents are off by, squared.
    off = np.bincount(who, score - score.mean())
    error = math.sqrt(7 / 6 * (off**2).sum()) / 13
    assert 7 < score.var(ddof=1) / error**2 < 13, "it is the freedom that differs"
    limits = stats.t.interval(0.95, 6, score.mean(), error)
    assert [row["lower"], row["upper"]] == pytest.approx(list(limits))


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, "w"])
def test_a_mean_has_the_limits_that_csat_gives_it(weights: str | None) -> None:
    table = random_answers(5)
    table["who"] %= 7  # few who answer often
    options: dict[str, Any] = {"respondent": "who", "weights": weights}
    found = trend(table, metric="mean", as_of="2024-07-01", **options)
    assert len(found) == 6
    for row in found:
        month = table[table["time"].dt.month == row["period"].month]
        (alone,) = rows_of(csat(month, scale=(0, 10), stat="mean", repeat="cluster", **options))
        assert [row["n"], row["score"], row["lower"], row["upper"]] == pytest.approx(
            [alone[name] for name in ("n", "csat", "lower", "upper")]
        )


@pytest.mark.parametrize("function", [score_trend, control_chart])
def test_some_answers_but_not_all_count_as_satisfied(function: Any) -> None:
    table = answers(("2024-01-03", 1), ("2024-01-03", 0), ("2024-02-01", 1))
    options = {"metric": "csat", "scale": (0, 1), "as_of": "2024-03-01"}
    assert rows_of(function(table, positive=1, **options))[0]["score"] == 0.5
    for positive in (90, 1.5, -1, math.nan):
        with pytest.raises(ArgumentError, match=r"`positive` is .* from 0 to 1"):
            function(table, positive=positive, **options)
    with pytest.raises(ArgumentError, match="`positive` is 0, and so all answers from 0 to 1"):
        function(table, positive=0, **options)
    with pytest.raises(ArgumentError, match="`positive` is not given, and so all answers"):
        function(table, **options)
    for positive in ([90], [0, 1], "top2"):  # type: ignore[assignment]
        with pytest.raises(ArgumentError, match="`positive`"):
            csat(table, positive=positive, scale=(0, 1))  # type: ignore[arg-type]


def test_the_period_in_progress_is_marked_or_left_out() -> None:
    table = answers(("2024-01-03", 10), ("2024-02-03", 10))
    found = trend(table, as_of="2024-02-20")
    assert [row["complete"] for row in found] == [True, False]
    assert len(trend(table, as_of="2024-02-20", include_partial=False)) == 1
    assert [row["complete"] for row in trend(table)] == [True, False]


def test_rows_at_or_after_as_of_are_counted_in_a_warning() -> None:
    table = answers(("2024-01-03", 10), ("2024-02-01", 3), ("2024-02-03", 3))
    with pytest.warns(RetainkitWarning, match="2 of 3 rows at or after as_of"):
        found = trend(table, as_of="2024-02-01")
    assert [(row["n"], row["score"]) for row in found] == [(1, 100)]


def test_missing_answers_are_counted_in_their_period() -> None:
    table = answers(("2024-01-03", 10), ("2024-01-04", None), ("2024-02-03", None))
    found = trend(table, as_of="2024-03-01")
    assert [(row["n"], row["n_missing"], row["score"]) for row in found] == [
        (1, 1, 100),
        (0, 1, None),
    ]


def test_arguments_and_times_are_checked() -> None:
    table = answers(("2024-01-03", 10), ("2024-02-01", 3))
    with pytest.raises(ColumnTypeError, match="column 'time'"):
        score_trend(table.assign(time=["2024-01-03", "2024-02-01"]))
    for options, word in [
        ({"metric": "ces"}, "metric"),
        ({"period": "minute"}, "period"),
        ({"rolling": 0}, "rolling"),
        ({"metric": "csat", "positive": -1}, "positive"),
        ({"week_start": "noday"}, "week_start"),
        ({"tz": "Europe/Berlin"}, "tz"),
    ]:
        with pytest.raises(ArgumentError, match=word):
            score_trend(table, **options)  # type: ignore[arg-type]
    far = answers(*[("1024-01-03", 10)] * 8, p=range(8))
    text = r"8 segments of 3,2.* column 'time' \(given as `time`\) from 1024-01-03 to 9999-12-01\."
    with pytest.raises(ArgumentError, match=text):
        score_trend(far, period="day", by="p", as_of="9999-12-01")


def test_times_at_the_end_of_the_calendar_and_beyond() -> None:
    last = pd.DataFrame({"score": [10], "time": np.array(["9999-12-31"], "datetime64[us]")})
    beyond = pd.DataFrame({"score": [10], "time": np.array([10**18], "datetime64[us]")})
    source = r"column 'time' \(given as `time`\)"
    for function in (score_trend, control_chart):
        text = f"{source} goes up to 9999-12-31, and no midnight comes after it; say with `as_of`"
        with pytest.raises(ArgumentError, match=text):
            function(last)
        with pytest.raises(ArgumentError, match=rf"{source} goes beyond the calendar \(year 33658"):
            function(beyond)
    assert len(score_trend(last, as_of="9999-12-31T12:00")) == 1


def test_nothing_at_all_is_an_empty_table() -> None:
    empty = answers(("2024-01-03", 10)).iloc[:0]
    assert list(score_trend(empty)) == TREND
    assert len(score_trend(empty)) == 0
    assert len(control_chart(empty)) == 0


# --- frames -------------------------------------------------------------------------------------


def test_all_kinds_of_frames_agree(backend: Backend) -> None:
    table = random_answers(3, 90)
    names = ["time", "score", "plan", "who", "w"]
    rows: list[Row] = [
        {
            name: getattr(value, "to_pydatetime", lambda v=value: v)()
            for name, value in zip(names, row, strict=True)
        }
        for row in table[names].itertuples(index=False)
    ]
    for options in (
        {"by": "plan"},
        {"rolling": 2, "weights": "w"},
        {"respondent": "who", "metric": "mean"},
        {"respondent": "who", "rolling": 3, "by": "plan"},
        {"period": "week", "metric": "csat", "week_start": "sunday"},
    ):
        expected = trend(table, as_of="2024-07-01", **options)
        found = trend(backend.make(rows), as_of="2024-07-01", **options)
        assert len(found) == len(expected)
        for row, other in zip(found, expected, strict=True):
            for name, value in other.items():
                same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
                assert row[name] == same, name


def test_periods_are_cut_in_the_zone_that_is_asked_for(backend: Backend) -> None:
    utc = ZoneInfo("UTC")
    rows: list[Row] = [
        {"time": datetime(2024, 1, 10, tzinfo=utc), "score": 10.0},
        {"time": datetime(2024, 2, 1, 3, tzinfo=utc), "score": 3.0},
    ]
    table = backend.make(rows)
    found = trend(table, as_of=datetime(2024, 3, 1, tzinfo=UTC))
    assert [row["n"] for row in found] == [1, 1]
    there = trend(table, tz="America/Los_Angeles", as_of="2024-03-01")
    assert [row["n"] for row in there] == [2, 0]


def test_few_respondents_widen_the_interval_as_in_nps() -> None:
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"score": rng.choice([3, 8, 10], 30), "who": rng.integers(0, 6, 30)})
    table["time"] = pd.Timestamp("2024-01-03")
    (alone,) = rows_of(nps(table, respondent="who"))
    (found,) = trend(table, respondent="who")
    assert [found["lower"], found["upper"]] == [alone["lower"], alone["upper"]]
    share: dict[str, Any] = {"scale": (0, 10), "positive": [9, 10]}
    (alone,) = rows_of(csat(table, respondent="who", **share))
    (found,) = trend(table, respondent="who", metric="csat")
    assert [found["lower"], found["upper"]] == [alone["lower"], alone["upper"]]


# --- what trends and control charts share ---------------------------------------------------------


@pytest.mark.parametrize("function", [score_trend, control_chart])
def test_what_is_left_out_or_outweighs_all_others_is_warned_of(function: Any) -> None:
    days = [("2024-01-03", 10), ("2024-01-04", 3), ("2024-02-03", 8), ("2024-03-01", 9)]
    table = answers(*days * 5)
    wrong = pd.concat([table, answers(("2024-01-03", 11))])
    text = r"^1 answer in column 'score' \(given as `score`\) left out: not on the scale"
    with pytest.warns(RetainkitWarning, match=text):
        found = function(wrong, invalid="drop")
    assert rows_of(found) == rows_of(function(table))
    weights = [1e6, *[1.0] * 19]
    text = r"in 1 period the answers are .* 10 answers that are worth 1\.0"
    with pytest.warns(RetainkitWarning, match=text):
        function(table.assign(w=weights), weights="w")


@pytest.mark.parametrize("function", [score_trend, control_chart])
def test_options_of_another_metric_are_refused(function: Any) -> None:
    table = answers(("2024-01-03", 1), ("2024-02-03", 0), ("2024-03-03", 0))
    for metric, options in (
        ("csat", {"cuts": (3, 5)}),
        ("mean", {"cuts": (3, 5)}),
        ("nps", {"positive": 9}),
        ("mean", {"positive": 9}),
    ):
        (name,) = options
        with pytest.raises(ArgumentError, match=rf"`{name}` is for `metric=.*is '{metric}'; leave"):
            function(table, metric=metric, **options)
    with pytest.raises(ArgumentError, match=r"`scale` is \(0, 1000000\); .* at most 10,000 steps"):
        function(table, metric="mean", scale=(0, 1_000_000))
    assert rows_of(function(table, metric="mean", scale=(0, 1)))[0]["score"] == 1


@pytest.mark.parametrize("function", [score_trend, control_chart])
def test_answers_without_a_time_are_refused_or_left_out(function: Any, backend: Backend) -> None:
    days = (3, 14, None, 25, 40, None, 70)
    rows: list[Row] = [
        {
            "time": None if day is None else datetime(2024, 1, 1) + timedelta(days=day),  # noqa: DTZ001
            "score": float(score),
        }
        for day, score in zip(days, (10, 9, 0, 3, 8, 0, 10), strict=True)
    ]
    table = backend.make(rows)
    text = r"^column 'time' \(given as `time`\) is null in 2 rows"
    with pytest.raises(ArgumentError, match=rf"{text}, of 7\. Fill .* `missing='drop'` leaves"):
        function(table)
    with pytest.warns(RetainkitWarning, match=rf"{text}: 2 of 7 rows left out") as caught:
        found = function(table, missing="drop")
    # PySpark 4.0 leaves sockets open, of which Python warns as well.
    assert [one.filename for one in caught if one.category is RetainkitWarning] == [__file__]
    kept = [row for row in rows if row["time"] is not None]
    assert rows_of(found) == rows_of(function(backend.make(kept)))
    with pytest.raises(ArgumentError, match="missing"):
        function(table, missing="ignore")


@pytest.mark.parametrize("function", [score_trend, control_chart])
def test_where_all_came_too_late_there_are_no_periods(function: Any, backend: Backend) -> None:
    rows: list[Row] = [
        {"time": datetime(2024, 5, day, tzinfo=ZoneInfo("UTC")), "score": 9.0, "who": day}
        for day in (1, 2)
    ]
    options: dict[str, Any] = {"respondent": "who", "tz": "Europe/Berlin", "as_of": "2024-01-01"}
    if function is score_trend:
        options["rolling"] = 3
    with pytest.warns(RetainkitWarning, match="2 of 2 rows at or after as_of"):
        found = function(backend.make(rows), **options)
    assert rows_of(found) == []


def test_a_window_may_be_longer_than_all_there_is() -> None:
    table = random_answers(4, 60)
    found = trend(table, rolling=10**12, as_of="2024-07-01")
    assert found[-1]["n"] == 60
    assert not any(row["complete"] for row in found)
