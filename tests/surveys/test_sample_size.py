"""How many responses a survey needs: printed numbers, and whether they do what they promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from retainkit import survey_detectable_difference, survey_sample_size
from retainkit._stats.nps_differences import Sample, difference_p_value
from retainkit._stats.nps_intervals import score_limits, wald_limits
from retainkit.errors import ArgumentError, ArgumentTypeError

TYPICAL: dict[str, Any] = {
    "promoters": 0.5,
    "detractors": 0.2,
}  # of whom 30 % are passive: V = 0.61
GOOD = {"promoters": 0.7, "detractors": 0.1}  # V = 0.44

# Worked out apart from this code, at 95 %: margins of 10, 5 and 3 points.
MARGINS: list[tuple[dict[str, float], list[int]]] = [
    ({}, [385, 1537, 4269]),
    (TYPICAL, [235, 938, 2604]),
    (GOOD, [170, 677, 1879]),
]


@pytest.mark.parametrize(("mix", "printed"), MARGINS)
def test_responses_for_a_margin(mix: dict[str, Any], printed: list[int]) -> None:
    found = [survey_sample_size(margin=margin, **mix) for margin in (10, 5, 3)]
    assert found == printed
    assert all(type(size) is int for size in found)


def test_responses_for_a_difference_of_two_waves() -> None:
    # Worked out apart from this code: 5, 10, 15 and 20 points with a power of 80 %.
    sizes = [survey_sample_size(detect=detect, **TYPICAL) for detect in (5, 10, 15, 20)]
    assert sizes == [3831, 958, 426, 240]
    assert [survey_sample_size(detect=detect) for detect in (5, 10, 20)] == [6280, 1570, 393]


def test_the_difference_that_so_many_responses_can_show() -> None:
    # Worked out apart from this code.
    found = survey_detectable_difference([25, 50, 100, 200, 400, 1000], **TYPICAL)
    assert found.round(1).tolist() == [61.9, 43.8, 30.9, 21.9, 15.5, 9.8]


def test_the_worst_case_is_half_promoters_and_half_detractors() -> None:
    assert survey_sample_size(margin=5, promoters=0.5, detractors=0.5) == 1537
    assert survey_detectable_difference(80) == survey_detectable_difference(
        80, promoters=0.5, detractors=0.5
    )
    assert survey_sample_size(margin=5, promoters=0.49, detractors=0.5) <= 1537


@pytest.mark.parametrize("margin", [0.5, 2, 5, 7.5])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_it_is_the_fewest_that_have_the_margin(margin: float, level: float) -> None:
    n = survey_sample_size(margin=margin, confidence_level=level, **TYPICAL)
    half = [
        50 * float(np.subtract(*wald_limits(0.5 * size, 0.2 * size, size, level)[::-1]))
        for size in (n, n - 1)
    ]
    assert half[0] <= margin < half[1]


def test_the_score_interval_is_as_wide_as_planned() -> None:
    # Worked out apart from this code: at n = 235 half its width is 9.95 points.
    lower, upper = score_limits(0.5 * 235, 0.2 * 235, 235, 0.95)
    assert round(100 * float(upper - lower) / 2, 2) == 9.95


@pytest.mark.parametrize("mix", [{}, TYPICAL, GOOD])
@pytest.mark.parametrize("options", [{}, {"power": 0.95}, {"confidence_level": 0.8}])
@pytest.mark.parametrize("detect", [3, 10.5, 40, 200])
def test_one_function_undoes_the_other(
    mix: dict[str, Any], options: dict[str, Any], detect: float
) -> None:
    n = survey_sample_size(detect=detect, **mix, **options)
    assert survey_detectable_difference(n, **mix, **options) <= detect
    assert survey_detectable_difference(n - 1, **mix, **options) > detect


def test_the_planned_power_is_the_power() -> None:
    # Worked out apart from this code: +30 against +40 with 903 each, for the variances 0.61 and
    # 0.54 of the two waves, and the test that the library makes: 79.4 %, also by simulation.
    rng, n, surveys = np.random.default_rng(11), 903, 20_000
    first = rng.multinomial(n, [0.50, 0.20, 0.30], surveys)
    second = rng.multinomial(n, [0.55, 0.15, 0.30], surveys)
    p_values = difference_p_value(Sample(*first.T[:2], n), Sample(*second.T[:2], n))  # type: ignore[call-arg]
    assert (p_values < 0.05).mean() == pytest.approx(0.794, abs=0.01)


@pytest.mark.parametrize(("power", "detect"), [(0.8, 15), (0.5, 10), (0.95, 25)])
def test_a_planned_difference_is_found_as_often_as_planned(power: float, detect: float) -> None:
    # Both waves vary as planned: one has as many points above 0 as the other below it.
    n = survey_sample_size(detect=detect, promoters=0.4, detractors=0.4, power=power)
    half = detect / 400
    rng, surveys = np.random.default_rng(3), 20_000
    first = rng.multinomial(n, [0.4 + half, 0.4 - half, 0.2], surveys)
    second = rng.multinomial(n, [0.4 - half, 0.4 + half, 0.2], surveys)
    p_values = difference_p_value(Sample(*first.T[:2], n), Sample(*second.T[:2], n))  # type: ignore[call-arg]
    assert (p_values < 0.05).mean() == pytest.approx(power, abs=0.02)


def test_few_people_to_ask_need_fewer_answers() -> None:
    # Cochran (1977), 4.4: 385 of very many are 384.15 / (1 + 383.15 / 500) = 217.5 of 500.
    assert survey_sample_size(margin=10, population=500) == 218
    sizes = [survey_sample_size(margin=5, population=10**k) for k in range(12)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert all(size <= 10**k for k, size in enumerate(sizes))
    assert sizes[-1] == survey_sample_size(margin=5)
    # For waves too, each of so many.
    assert survey_sample_size(detect=5, population=2000, **TYPICAL) == math.ceil(
        3830.3 / (1 + 3829.3 / 2000)
    )
    # Nor does rounding, or a mix that hardly varies, lead beyond what there is.
    assert {survey_sample_size(margin=1e-9 * k, population=29) for k in range(1, 200)} == {29}
    assert survey_sample_size(margin=100, population=1, promoters=1e-20, detractors=0) == 1


def test_shapes_and_ends() -> None:
    assert type(survey_detectable_difference(100)) is float
    assert type(survey_detectable_difference(np.int64(100))) is float  # type: ignore[comparison-overlap,unreachable]
    assert survey_detectable_difference([[25, 50], [100, 200]], **TYPICAL).shape == (2, 2)  # type: ignore[unreachable]
    # 3 + 3 answers: even all promoters against all detractors would not be enough.
    found = survey_detectable_difference([0, 1, 3, 4, math.nan, 88.5])
    assert np.isinf(found[:3]).all()
    assert 190 < found[3] < 200
    assert math.isnan(found[4])
    assert survey_sample_size(margin=100, promoters=0.01, detractors=0) == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "`margin` is None and `detect` is None; give one"),
    ({"margin": 5, "detect": 5}, "`margin` is 5 and `detect` is 5; give one"),
    ({"margin": 0}, "`margin` is 0; it must be above 0, in points"),
    ({"margin": -5}, "`margin` is -5; it must be a number from 0 to 100"),
    ({"margin": 101}, "`margin` is 101"),
    ({"margin": math.inf}, "`margin` is inf"),
    ({"margin": math.nan}, "`margin` is nan"),
    ({"detect": 201}, "`detect` is 201; it must be a number from 0 to 200"),
    ({"margin": 5, "promoters": 0.5}, "`promoters` is 0.5 and `detractors` is None; give both"),
    ({"margin": 5, "detractors": 0.5}, "`promoters` is None and `detractors` is 0.5"),
    ({"margin": 5, "promoters": 50, "detractors": 20}, "`promoters` is 50"),
    ({"margin": 5, "promoters": 0.7, "detractors": 0.4}, "more than all together"),
    ({"margin": 5, "promoters": 1, "detractors": 0}, "everybody in one group nothing varies"),
    ({"margin": 5, "promoters": 0, "detractors": 0}, "everybody in one group nothing varies"),
    ({"margin": 5, "population": 0}, "`population` is 0"),
    ({"margin": 5, "confidence_level": 95}, "`confidence_level` is 95"),
    ({"detect": 5, "power": 80}, "`power` is 80"),
    ({"detect": 5, "power": 0.02}, "`power` is 0.02; it must be above 0.025"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_values_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        survey_sample_size(**arguments)
    assert message in str(refused.value)


SHARED = ("promoters", "detractors", "power", "confidence_level")


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_the_other_function_refuses_the_same(arguments: dict[str, Any], message: str) -> None:
    shared = {name: arguments[name] for name in SHARED if name in arguments}
    if shared:
        with pytest.raises(ArgumentError) as refused:
            survey_detectable_difference(100, **shared)
        assert message in str(refused.value)


def test_wrong_types_are_refused() -> None:
    for arguments in ({"margin": "5"}, {"detect": True}, {"margin": 5, "population": 10.5}):
        with pytest.raises(ArgumentTypeError):
            survey_sample_size(**arguments)
    with pytest.raises(ArgumentError, match=r"`n` is down to -1;"):
        survey_detectable_difference([math.nan, -1.0])
    with pytest.raises(
        ArgumentError, match=r"`margin` is 101; it must be a number from 0 to 100\."
    ):
        survey_sample_size(margin=101)
    with pytest.raises(ArgumentTypeError, match="`n` is 'many'"):
        survey_detectable_difference("many")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="`n` is down to -3"):
        survey_detectable_difference([5, -3])
    with pytest.raises(ArgumentError, match=r"`power` is 0\.01"):
        survey_detectable_difference(5, power=0.01)


def test_shares_that_add_up_to_1_but_for_rounding() -> None:
    detractors = 1.1 - 0.2
    assert 0.1 + detractors > 1
    assert survey_sample_size(margin=5, promoters=0.1, detractors=detractors) == survey_sample_size(
        margin=5, promoters=0.1, detractors=0.9
    )
