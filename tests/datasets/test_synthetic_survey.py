"""The synthetic survey is what it claims to be: its truth is recovered, up to chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from retainkit.datasets._synthetic_survey import (
    DEFAULT_CHANNELS,
    DEFAULT_DRIVERS,
    DEFAULT_MIX,
    make_survey,
)
from retainkit.errors import ArgumentError, ArgumentTypeError

EVERYBODY: dict[str, Any] = {"response": (1, 1, 1), "channels": {"email": 1}}
GROUPS = ("promoters", "passives", "detractors")


def assert_like(observed: float, expected: float, deviation: float) -> None:
    """Accept what chance explains: five standard deviations (the seeds are fixed)."""
    assert abs(observed - expected) <= 5 * deviation + 1e-12


def assert_share(flags: Any, expected: float) -> None:
    deviation = math.sqrt(expected * (1 - expected) / len(flags))
    assert_like(float(np.mean(flags)), expected, deviation)


def group_of(score: float) -> str:
    """Sort a score as everybody does: 9 and 10, 7 and 8, 0 to 6."""
    return "promoters" if score >= 9 else "passives" if score >= 7 else "detractors"


def value_of(scores: pd.Series[float]) -> pd.Series[int]:
    return scores.map(lambda score: (score >= 9) - int(score <= 6))


@pytest.mark.parametrize("persistence", [0.0, 0.7, 1.0])
def test_where_everybody_answers_the_mix_of_each_plan_and_wave_is_the_truth(
    persistence: float,
) -> None:
    drift = 6.0
    survey = make_survey(9_000, seed=2, drift=drift, persistence=persistence, **EVERYBODY)
    assert survey["score"].notna().all()
    waves = ("2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01")
    assert [str(wave.date()) for wave in survey["wave"].unique()] == list(waves)
    for plan, (promoters, passives, detractors) in DEFAULT_MIX.items():
        for number, wave in enumerate(waves):
            shift = number * drift / 200
            truth = (promoters + shift, passives, detractors - shift)
            here = survey[(survey["plan"] == plan) & (survey["wave"] == wave)]
            groups = here["score"].map(group_of)
            for group, share in zip(GROUPS, truth, strict=True):
                assert_share(groups == group, share)
            score, variance = truth[0] - truth[2], truth[0] + truth[2] - (truth[0] - truth[2]) ** 2
            assert score * 100 == pytest.approx(100 * (promoters - detractors) + number * drift)
            assert_like(value_of(here["score"]).mean(), score, math.sqrt(variance / len(here)))


def test_plans_and_channels_are_alike_and_independent() -> None:
    survey = make_survey(6_000, seed=3)
    first = survey[survey["wave"] == "2024-01-01"]
    for plan in DEFAULT_MIX:
        assert_share(first["plan"] == plan, 1 / 3)
        for channel in DEFAULT_CHANNELS:
            assert_share(survey.loc[survey["plan"] == plan, "channel"] == channel, 1 / 2)
    assert len(survey.drop_duplicates(["customer_id", "plan"])) == 6_000
    both = survey.pivot_table(
        index="customer_id", columns="wave", values="channel", aggfunc="first"
    )
    assert_share(both.iloc[:, 0] == both.iloc[:, 1], 1 / 2)


@pytest.mark.parametrize("scores", ["detractors", "passives", "promoters"])
def test_scores_within_a_group_have_the_shares_of_the_notes(scores: str) -> None:
    shares = {
        "detractors": {0: 0.05, 1: 0.02, 2: 0.03, 3: 0.05, 4: 0.1, 5: 0.3, 6: 0.45},
        "passives": {7: 0.4, 8: 0.6},
        "promoters": {9: 0.4, 10: 0.6},
    }[scores]
    mix = tuple(float(group == scores) for group in GROUPS)
    survey = make_survey(20_000, seed=4, mix={"one": mix}, waves=1, **EVERYBODY)
    assert set(survey["score"]) == set(shares)
    for score, share in shares.items():
        assert_share(survey["score"] == score, share)


def test_who_answers_depends_on_the_score_the_channel_and_the_plan() -> None:
    # All promoters, all passives, all detractors: the score is known of those, too, who are silent.
    mix = {"good": (1, 0, 0), "fair": (0, 1, 0), "bad": (0, 0, 1)}
    response, channels = (0.8, 0.3, 0.6), {"email": 0.5, "app": 1.0, "sms": 0.0}
    reach = {"bad": 0.4}
    survey = make_survey(
        20_000, seed=5, mix=mix, response=response, channels=channels, reach=reach, waves=2
    )
    for plan, chance in zip(mix, response, strict=True):
        for channel, factor in channels.items():
            here = survey[(survey["plan"] == plan) & (survey["channel"] == channel)]
            assert_share(here["score"].notna(), chance * factor * reach.get(plan, 1))


def test_the_score_of_those_who_answer_is_the_one_of_the_formula() -> None:
    response = (0.5, 0.1, 0.3)
    survey = make_survey(30_000, seed=6, response=response, persistence=0)
    for plan, mix in DEFAULT_MIX.items():
        answered = np.array(mix) * response / np.dot(mix, response)
        score = answered[0] - answered[2]
        deviation = math.sqrt(answered[0] + answered[2] - score**2)
        seen = value_of(survey.loc[survey["plan"] == plan, "score"].dropna())
        assert_like(seen.mean(), score, deviation / math.sqrt(len(seen)))
        assert abs(score - (mix[0] - mix[2])) > 0.03  # unlike the truth


@pytest.mark.slow
@pytest.mark.parametrize("persistence", [0.0, 0.6, 1.0])
def test_the_correlation_of_waves_is_a_power_of_the_persistence(persistence: float) -> None:
    survey = make_survey(
        30_000, seed=7, persistence=persistence, mix={"a": (0.5, 0.3, 0.2)}, **EVERYBODY
    )
    x = value_of(survey["score"]).to_numpy()
    wide = pd.DataFrame({"id": survey["customer_id"], "wave": survey["wave"], "x": x}).pivot_table(
        index="id", columns="wave", values="x"
    )
    for first in range(4):
        for later in range(first + 1, 4):
            found = wide.iloc[:, first].corr(wide.iloc[:, later])
            assert_like(found, persistence ** (later - first), 1 / math.sqrt(len(wide)))
    if persistence == 1:
        assert wide.eq(wide.iloc[:, 0], axis=0).all(axis=None)


def rating_mean(attitude: float, strength: float) -> float:
    """Find the mean rating of a driver, a normal, given the attitude that it correlates with."""
    around = stats.norm(3 + strength * attitude, math.sqrt(1 - strength**2))
    return 1 + sum(float(around.sf(edge)) for edge in (1.5, 2.5, 3.5, 4.5))


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.0, 0.5, 0.9, -0.4])
def test_drivers_correlate_with_the_attitude_as_strongly_as_was_asked_for(strength: float) -> None:
    drivers = {"it": strength, "other": 0.3}
    mix = {"one": (0.4, 0.35, 0.25)}
    survey = make_survey(40_000, seed=8, drivers=drivers, mix=mix, waves=1, **EVERYBODY)
    # The attitude is a standard normal; the lowest quarter of it are the detractors, and so on.
    for group, low, high in (
        ("detractors", 0, 0.25),
        ("passives", 0.25, 0.6),
        ("promoters", 0.6, 1),
    ):
        expected, _ = integrate.quad(
            lambda u: rating_mean(float(stats.norm.ppf(u)), strength), low, high
        )
        ratings = survey.loc[survey["score"].map(group_of) == group, "it"]
        assert_like(ratings.mean(), expected / (high - low), 1.1 / math.sqrt(len(ratings)))


def test_drivers_are_independent_and_have_the_shares_of_a_rounded_normal() -> None:
    survey = make_survey(40_000, seed=9, waves=1, mix={"one": (0.4, 0.35, 0.25)}, **EVERYBODY)
    ratings = survey[list(DEFAULT_DRIVERS)]
    for name in DEFAULT_DRIVERS:
        edges = stats.norm.cdf([-np.inf, -1.5, -0.5, 0.5, 1.5, np.inf])
        for rating, share in zip(range(1, 6), np.diff(edges), strict=True):
            assert_share(ratings[name] == rating, float(share))
    found = ratings.corr().to_numpy()[np.triu_indices(len(DEFAULT_DRIVERS), 1)]
    for one in found:
        assert_like(one, 0, 1 / math.sqrt(len(ratings)))


def test_strengths_that_explain_everything_leave_nothing_to_chance() -> None:
    survey = make_survey(
        5_000, seed=1, drivers={"all": 1.0}, mix={"one": (0.4, 0.3, 0.3)}, waves=1, **EVERYBODY
    )
    by_score = survey.sort_values("score")["all"]
    assert (survey.groupby("all")["score"].max().diff().dropna() >= 0).all()
    assert by_score.iloc[0] == 1
    assert by_score.iloc[-1] == 5
    # A rating of 3 - D below is where the attitude is: no overlap of more than one edge.
    ranges = survey.groupby("all")["score"].agg(["min", "max"])
    assert (ranges["min"].iloc[1:].to_numpy() >= ranges["max"].iloc[:-1].to_numpy()).all()


def test_invitations_go_out_within_two_weeks_and_answers_come_after_the_delay() -> None:
    survey = make_survey(20_000, seed=10, delay=2, **EVERYBODY)
    into = (survey["sent"] - survey["wave"]) / pd.Timedelta(days=14)  # type: ignore[operator]
    assert into.between(0, 1, inclusive="left").all()
    assert_like(into.mean(), 1 / 2, math.sqrt(1 / 12 / len(into)))
    lag = (survey["responded"] - survey["sent"]) / pd.Timedelta(days=1)  # type: ignore[operator]
    assert lag.min() > 0
    assert_like(lag.mean(), 2, 2 / math.sqrt(len(lag)))
    assert_share(lag > 2, math.exp(-1))


def test_answers_that_take_long_come_after_sixty_days() -> None:
    survey = make_survey(2_000, seed=10, delay=100, **EVERYBODY)
    lag = (survey["responded"] - survey["sent"]) / pd.Timedelta(days=1)  # type: ignore[operator]
    assert lag.max() == 60
    assert_share(lag == 60, math.exp(-0.6))


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    customers=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    waves=st.integers(1, 6),
    persistence=st.floats(0, 1),
    response=st.tuples(*[st.floats(0, 1)] * 3),
    drift=st.floats(-4, 4),
)
def test_the_table_is_in_order_and_whole(
    *,
    customers: int,
    seed: int,
    waves: int,
    persistence: float,
    response: tuple[float, ...],
    drift: float,
) -> None:
    survey = make_survey(
        customers,
        seed=seed,
        waves=waves,
        persistence=persistence,
        response=response,
        drift=drift,
        start="2023-10-01",
    )
    assert len(survey) == customers * waves
    assert survey["sent"].is_monotonic_increasing
    assert not survey.duplicated(["customer_id", "wave"]).any()
    assert set(survey["customer_id"]) == set(range(1, customers + 1))
    silent = survey["score"].isna()
    for name in ("responded", *DEFAULT_DRIVERS):
        assert survey[name].isna().equals(silent)
    assert survey["score"].dropna().isin(range(11)).all()
    for name in DEFAULT_DRIVERS:
        assert survey[name].dropna().isin(range(1, 6)).all()


def test_the_form_of_the_table() -> None:
    survey = make_survey(500, seed=1)
    kinds = {name: str(dtype) for name, dtype in survey.dtypes.items()}
    assert list(kinds) == [
        *("customer_id", "wave", "sent", "responded", "channel", "plan", "score"),
        *DEFAULT_DRIVERS,
    ]
    del kinds["channel"], kinds["plan"]
    times = dict.fromkeys(("wave", "sent", "responded"), "datetime64[us]")
    floats = dict.fromkeys(("score", *DEFAULT_DRIVERS), "float64")
    assert kinds == {"customer_id": "int64", **times, **floats}
    assert set(survey["plan"]) == set(DEFAULT_MIX)
    assert set(survey["channel"]) == set(DEFAULT_CHANNELS)
    assert survey.index.equals(pd.RangeIndex(2_000))


def test_the_seed_decides_and_nothing_global_does() -> None:
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    one, two = make_survey(200, seed=1), make_survey(200, seed=1)
    assert np.random.random() == expected  # noqa: NPY002
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(make_survey(200, seed=2))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"customers": 0}, ArgumentError, "`customers` is 0"),
        ({"seed": None}, ArgumentTypeError, "`seed` is None"),
        ({"waves": 0}, ArgumentError, "`waves` is 0"),
        ({"start": "2024-02-01"}, ArgumentError, "use '2024-01-01'"),
        ({"mix": (1, 0, 0)}, ArgumentTypeError, "`mix` is .*; it must be a mapping"),
        ({"mix": {}}, ArgumentError, "`mix` is empty"),
        ({"mix": {1: (1, 0, 0)}}, ArgumentTypeError, "`mix` has the name 1; names must be text"),
        ({"mix": {"a": 0.5}}, ArgumentTypeError, r"`mix\['a'\]` is 0.5; .* three numbers"),
        ({"mix": {"a": (0.5, 0.5)}}, ArgumentError, r"`mix\['a'\]` has 2 numbers"),
        ({"mix": {"a": (0.5, 0.6, -0.1)}}, ArgumentError, r"`mix\['a'\]` is -0.1; .* from 0 to 1"),
        ({"mix": {"a": (0.5, 0.2, 0.2)}}, ArgumentError, "adds up to 0.9"),
        ({"drift": 30}, ArgumentError, "`drift` is 30, .* 'pro' .* in wave 2 of 4"),
        ({"drift": "up"}, ArgumentTypeError, "`drift` is 'up'"),
        ({"response": 0.3}, ArgumentTypeError, "`response` is 0.3; it must be three numbers"),
        ({"response": (0.1, 0.2, 1.2)}, ArgumentError, "`response` is 1.2"),
        ({"channels": {}}, ArgumentError, "`channels` is empty"),
        ({"channels": {"app": -1}}, ArgumentError, r"`channels\['app'\]` is -1; .* 0 or more"),
        ({"channels": {"app": 2.6}}, ArgumentError, "a probability of 1.04 to be answered"),
        ({"reach": {"gold": 1}}, ArgumentError, "`reach` names the plan 'gold'; `mix` has"),
        ({"reach": {"pro": 5}}, ArgumentError, "a probability of 2 to be answered"),
        ({"persistence": 1.1}, ArgumentError, "`persistence` is 1.1; .* from 0 to 1"),
        ({"drivers": {}}, ArgumentError, "`drivers` is empty"),
        ({"drivers": {"a": 0.8, "b": 0.8}}, ArgumentError, "add up to 1.28; .* 1 at most"),
        ({"drivers": {"a": 1.5}}, ArgumentError, r"`drivers\['a'\]` is 1.5"),
        ({"drivers": {"score": 0.5}}, ArgumentError, "the name 'score', which is another column"),
        ({"delay": 0}, ArgumentError, "`delay` is 0; it must be above 0"),
        ({"delay": math.inf}, ArgumentError, "`delay` is inf"),
    ],
)
def test_a_bad_argument_is_named(bad: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"customers": 10, "seed": 1, **bad}
    with pytest.raises(error, match=message):
        make_survey(**arguments)
