"""Control charts: published ones, a slow reference by segment, edge cases."""

import math
import warnings
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import control_chart, nps
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2: flow rates of ten batches.
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def daily(values: Any) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=len(values), freq="D")
    return pd.DataFrame({"time": days, "score": values})


def chart(table: Any, **options: Any) -> list[Row]:
    given = {"period": "day", "metric": "mean", "scale": (0, 100), "fractional": "cut"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(control_chart(table, **(given | options)))


def test_the_flow_rates_of_nist() -> None:
    found = chart(daily(FLOW))
    assert found[0]["centre"] == pytest.approx(50.81)
    # The handbook takes 1.128 for 2 / sqrt(pi): its limits are 45.8155 and 55.8041.
    assert found[0]["upper_limit"] == pytest.approx(55.8041, abs=2e-3)
    assert found[0]["lower_limit"] == pytest.approx(45.8159, abs=2e-3)
    moving = [row["moving_range"] for row in found]
    assert moving[0] is None
    assert moving[1:] == pytest.approx([2.0, 2.3, 1.4, 3.5, 3.4, 1.4, 0.2, 1.2, 1.5])
    assert np.mean(moving[1:]) == pytest.approx(1.8778, abs=5e-5)
    assert found[0]["moving_range_limit"] == pytest.approx(3.267 * 1.8778, abs=5e-3)
    assert {row["signal"] for row in found} == {""}
    assert all(row["kind"] == "individuals" for row in found)


def test_what_lies_beyond_the_limits_of_the_baseline_is_a_signal() -> None:
    found = chart(daily([*FLOW, 70, 40, 51]), baseline=10)
    assert [row["signal"] for row in found[10:]] == ["beyond limits", "beyond limits", ""]
    assert [row["baseline"] for row in found] == [True] * 10 + [False] * 3
    assert found[-1]["centre"] == pytest.approx(50.81)


def test_eight_in_a_row_on_one_side_are_a_signal() -> None:
    found = chart(daily([*FLOW, *[51] * 9]), baseline=10)
    since = [row["score"] > 50.81 for row in found]
    run = 0
    for row, above in zip(found, since, strict=True):
        run = run + 1 if above else 0
        assert row["signal"] == ("run of 8" if run >= 8 else "")
    assert found[-1]["signal"] == "run of 8"


@pytest.mark.parametrize("kind", ["individuals", "sampling"])
def test_scores_that_differ_by_rounding_are_no_run(kind: str) -> None:
    table = pd.concat([daily([score] * 12) for score in (10, 8, 8)])
    found = chart(table, metric="nps", kind=kind, scale=(0, 10))
    assert [row["score"] for row in found] == pytest.approx([100 / 3] * 12)
    assert {row["signal"] for row in found} == {""}


# R's qcc 2.7 on RPubs, 1407328: qcc(defects, type = "np", sizes = 200) gives center 7.14 and an
# upper limit of 15.01184.
DEFECTS = [8, 7, 11, 3, 6, 11, 4, 4, 5, 8, 8, 6, 7, 6, 10, 7, 9, 5, 6, 8, 8, 10, 4, 11, 4, 11, 6]
DEFECTS += [6, 9, 5, 4, 7, 5, 7, 8, 5, 10, 9, 7, 9, 4, 9, 4, 7, 11, 8, 10, 8, 7, 5]


def test_sampling_limits_of_a_share_are_those_of_a_p_chart() -> None:
    counts = pd.concat([daily([1] * 50), daily([0] * 50)])
    counts["number"] = [*DEFECTS, *[200 - one for one in DEFECTS]]
    options = {"metric": "csat", "positive": 1, "scale": (0, 1), "counts": "number"}
    found = chart(counts, kind="sampling", **options)
    assert [row["score"] for row in found] == pytest.approx([one / 200 for one in DEFECTS])
    for row in found:
        assert row["centre"] == pytest.approx(7.14 / 200)
        assert row["upper_limit"] == pytest.approx(15.01184 / 200, abs=1e-7)
    assert {row["signal"] for row in found} == {""}


@pytest.mark.parametrize("number", [[20, 50, 10, 80, 40], [1] * 12, [1, 400, 2, 3]])
@pytest.mark.parametrize("baseline", [None, 3])
def test_sampling_limits_are_three_standard_errors(number: list[int], baseline: int | None) -> None:
    rng = np.random.default_rng(4)
    days = np.repeat(pd.date_range("2024-01-01", periods=len(number), freq="D"), number)
    table = pd.DataFrame({"time": days, "score": rng.choice([10, 8, 3], sum(number))})
    found = chart(table, metric="nps", kind="sampling", scale=(0, 10), baseline=baseline)
    usual = table["score"][: sum(number[:baseline])]
    points = [100 * ((score > 8) - int(score < 7)) for score in usual]
    for row, n in zip(found, number, strict=True):
        assert row["centre"] == pytest.approx(np.mean(points))
        half = 3 * np.std(points) / math.sqrt(n)
        assert row["upper_limit"] == pytest.approx(min(row["centre"] + half, 100))
        assert row["lower_limit"] == pytest.approx(max(row["centre"] - half, -100))
    (plain, *_) = chart(table, metric="nps", scale=(0, 10), baseline=baseline)
    own = [row["score"] for row in found[:baseline]]
    assert plain["centre"] == pytest.approx(np.mean(own)), "individuals count alike"


def test_a_period_of_two_answers_hardly_moves_the_centre() -> None:
    table = pd.concat([daily([score] * 11) for score in [10] * 30 + [8] * 20 + [3] * 10])
    table = pd.concat([table, daily([3] * 12).iloc[11:], daily([3] * 12).iloc[11:]])
    found = chart(table, metric="nps", kind="sampling", scale=(0, 10))
    assert found[0]["centre"] == pytest.approx(100 * (11 * 20 - 2) / (11 * 60 + 2))
    assert "beyond limits" not in {row["signal"] for row in found}


def weighted_answers(seed: int, sizes: list[int], spread: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = np.repeat(pd.date_range("2024-01-01", periods=len(sizes), freq="D"), sizes)
    score = rng.choice([10, 8, 3], len(days), p=[0.5, 0.3, 0.2])
    return pd.DataFrame({"time": days, "score": score, "w": rng.lognormal(0, spread, len(days))})


def test_weighted_answers_are_worth_fewer_in_sampling_limits() -> None:
    table = weighted_answers(6, [30, 60, 20, 90], 0.8)
    found = chart(table, metric="nps", kind="sampling", scale=(0, 10), weights="w")
    size, score, square = [], [], []
    for _, own in table.groupby("time"):
        x = 100.0 * ((own["score"] > 8).to_numpy() - (own["score"] < 7).to_numpy().astype(float))
        w = own["w"].to_numpy() / own["w"].sum()
        kish = 1 / (w**2).sum()
        mean = (w * x).sum()
        linear = (w * (x - mean) ** 2).sum() / (w**2 * (x - mean) ** 2).sum()
        size.append(min(kish, linear))
        score.append(mean)
        square.append(w @ x**2)
    centre = np.average(score, weights=size)
    variance = np.average(square, weights=size) - centre**2
    for row, n in zip(found, size, strict=True):
        assert row["centre"] == pytest.approx(centre)
        assert row["upper_limit"] - centre == pytest.approx(3 * math.sqrt(variance / n))


def test_respondents_who_answer_again_are_worth_fewer_in_sampling_limits() -> None:
    rng = np.random.default_rng(8)
    table = weighted_answers(6, [30, 60, 20, 90], 0.0)
    table["who"] = rng.integers(0, 12, len(table))
    table["score"] = np.where(rng.random(len(table)) < 0.8, np.array([10, 3])[table["who"] % 2], 8)
    found = chart(table, metric="nps", kind="sampling", scale=(0, 10), respondent="who")
    alone = [rows_of(nps(own, respondent="who"))[0] for _, own in table.groupby("time")]
    size = [row["n_effective"] for row in alone]
    score = [row["nps"] for row in alone]
    square = [100**2 * (row["promoters"] + row["detractors"]) for row in alone]
    centre = np.average(score, weights=size)
    variance = np.average(square, weights=size) - centre**2
    for row, n in zip(found, size, strict=True):
        assert n < row["n"]
        assert row["centre"] == pytest.approx(centre)
        assert row["lower_limit"] == pytest.approx(centre - 3 * math.sqrt(variance / n))


@pytest.mark.parametrize("spread", [0.0, 1.2])
def test_scores_of_weighted_answers_stay_within_sampling_limits(spread: float) -> None:
    beyond, errors, scores = 0, [], []
    for seed in range(8):
        table = weighted_answers(seed, [40] * 120, spread)
        found = chart(table, metric="nps", kind="sampling", scale=(0, 10), weights="w")
        beyond += sum(row["signal"] == "beyond limits" for row in found)
        errors += [(row["upper_limit"] - row["centre"]) / 3 for row in found]
        scores += [row["score"] for row in found]
    assert beyond <= 6, "0.27 % of 960 are 2.6"
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(scores), rel=0.1)


def test_periods_without_answers_and_in_progress_have_no_signal() -> None:
    table = daily(FLOW)
    table = pd.concat([table, daily([90]).assign(time=pd.Timestamp("2024-01-13 08:00"))])
    found = chart(table, as_of="2024-01-13 12:00")
    assert [row["n"] for row in found[10:]] == [0, 0, 1]
    assert [row["signal"] for row in found[10:]] == ["", "", ""]
    assert not found[-1]["complete"]
    assert found[-1]["moving_range"] == pytest.approx(90 - 52.1)
    assert not found[-1]["baseline"]


def test_a_baseline_needs_two_periods() -> None:
    with pytest.raises(ArgumentError, match=r"baseline are over and have answers \(1\)"):
        chart(daily([50]), as_of="2024-01-02")
    with pytest.raises(ArgumentError, match="baseline"):
        chart(daily(FLOW), baseline=1)
    with pytest.raises(ArgumentError, match="kind"):
        chart(daily(FLOW), kind="p")


@pytest.mark.parametrize("kind", ["individuals", "sampling"])
@pytest.mark.parametrize(
    ("metric", "scale", "answers", "ends"),
    [
        ("nps", (0, 10), [0, 10, 0, 10], (-100, 100)),
        ("csat", (1, 5), [1, 5, 1, 5], (0, 1)),
        ("mean", (1, 5), [1, 5, 1, 5], (1, 5)),
    ],
)
def test_limits_end_where_the_scale_does(
    kind: str, metric: str, scale: tuple[int, int], answers: list[int], ends: tuple[float, float]
) -> None:
    found = chart(daily(answers), kind=kind, metric=metric, scale=scale)
    assert [(row["lower_limit"], row["upper_limit"]) for row in found] == [ends] * 4
    assert {row["signal"] for row in found} == {""}


def segmented(seed: int) -> pd.DataFrame:
    """Make three channels that begin on different days, and one of which runs on one side."""
    rng = np.random.default_rng(seed)
    parts = []
    for channel, days in (("app", range(60)), ("mail", range(7, 50, 2)), (None, range(30, 60))):
        table = daily(np.zeros(60)).iloc[list(days)]
        table = table.loc[table.index.repeat(rng.integers(5, 60, len(table)))]
        levels = [3, 8, 10] if channel != "app" else [8, 10]
        score = np.where(table.index < 45, rng.choice([3, 8, 10], len(table)), 0)
        score = np.where(table.index % 10 < 9, score, rng.choice(levels, len(table)))
        parts.append(
            table.assign(score=score, channel=channel, w=rng.lognormal(0, 0.6, len(table)))
        )
    return pd.concat(parts).sample(frac=1, random_state=seed)


@pytest.mark.parametrize("kind", ["individuals", "sampling"])
@pytest.mark.parametrize("options", [{}, {"baseline": 12}, {"weights": "w", "metric": "csat"}])
def test_charts_of_segments_at_once_are_those_of_each_alone(kind: str, options: Any) -> None:
    table = segmented(5)
    options = {"metric": "nps", "scale": (0, 10), "kind": kind, "as_of": "2024-03-05"} | options
    found = chart(table, by="channel", **options)
    expected = []
    for channel, own in table.groupby("channel", dropna=False):
        name = None if pd.isna(channel) else channel
        expected += [{"channel": name} | row for row in chart(own, **options)]
    assert list(found[0]) == list(expected[0])
    assert {row["signal"] for row in found} >= {"", "run of 8", "beyond limits"}
    for row, other in zip(found, expected, strict=True):
        for name, value in other.items():
            same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert row[name] == same, name


def test_a_run_ends_with_its_segment() -> None:
    low = daily([9, 9, 9, 9, 10, 10, 10, 10]).assign(channel="a")
    high = daily([10, 10, 10, 10, 9, 9, 9, 9]).assign(channel="b")
    found = chart(pd.concat([low, high]), by="channel", scale=(0, 10), kind="sampling")
    assert {row["signal"] for row in found} == {""}, "eight above the centre, of two channels"


def test_segments_with_too_short_a_baseline_have_no_limits() -> None:
    table = pd.concat([daily(FLOW).assign(c="x", d=1), daily([50]).assign(c="y", d=2)])
    options: dict[str, Any] = {"period": "day", "metric": "mean", "scale": (0, 100)}
    options |= {"fractional": "cut", "by": ["c", "d"]}
    text = (
        "^1 of 2 segments, such as c = 'y', d = 2, have fewer than two periods of the baseline "
        r"that are over and have answers, and so no limits and no signals\.$"
    )
    with pytest.warns(RetainkitWarning, match=text):
        found = rows_of(control_chart(table, as_of="2024-01-11", **options))
    alone = chart(daily(FLOW))
    assert [row["upper_limit"] for row in found[:10]] == [row["upper_limit"] for row in alone]
    short = found[10:]
    assert [row["n"] for row in short] == [1, *[0] * 9]
    assert {row["signal"] for row in short} == {""}
    for name in ("centre", "lower_limit", "upper_limit", "moving_range_limit"):
        assert {row[name] for row in short} == {None}
    nobody = control_chart(table.iloc[:0], **options)
    assert list(nobody)[:3] == ["c", "d", "period"]
    assert len(nobody) == 0


def test_charts_of_all_kinds_of_frames_agree(backend: Backend) -> None:
    rows: list[Row] = [
        {"time": datetime(2024, 1, 1) + timedelta(days=i), "score": value, "c": c}  # noqa: DTZ001
        for i, value in enumerate([*FLOW, 70.0])
        for c in ("x", "y")
    ]
    for options in ({}, {"by": "c"}):
        expected = chart(pd.DataFrame(rows), **options)
        assert chart(backend.make(rows), **options) == [
            {
                name: pytest.approx(value) if isinstance(value, float) else value
                for name, value in row.items()
            }
            for row in expected
        ]
