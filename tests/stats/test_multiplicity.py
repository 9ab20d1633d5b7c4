"""Adjusted p-values against R, SciPy and a slow loop."""

from typing import get_args

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from retainkit._stats.multiplicity import adjust_p_values
from retainkit._typing import Floats
from retainkit.typing import Adjust


def test_benjamini_and_hochberg_as_r_has_it() -> None:
    # R: p.adjust(c(.01, .02, .03, .04, .05), "BH"), and by hand: each is .05.
    p_value = np.array([0.03, 0.01, 0.05, 0.02, 0.04])
    assert adjust_p_values(p_value, "bh") == pytest.approx([0.05] * 5)


def test_the_example_of_benjamini_and_hochberg() -> None:
    # Benjamini & Hochberg (1995), section 4.1: of 15 p-values 4 are found at .05, by Bonferroni 3.
    p_value = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344])
    p_value = np.append(p_value, [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])
    assert (adjust_p_values(p_value, "bh") <= 0.05).sum() == 4
    assert (adjust_p_values(p_value, "bonferroni") <= 0.05).sum() == 3


def test_as_scipy_has_it() -> None:
    p_value = np.random.default_rng(1).uniform(size=500) ** 3
    assert adjust_p_values(p_value, "bh") == pytest.approx(false_discovery_control(p_value))


def holm(p_value: Floats) -> list[float]:
    """Go through the p-values from the least on."""
    steps: list[float] = []
    for before, p in enumerate(sorted(p_value)):
        steps.append(max([min(1.0, (len(p_value) - before) * p), *steps[-1:]]))
    return [steps[sorted(p_value).index(p)] for p in p_value]


def test_holm_as_a_slow_loop_has_it() -> None:
    p_value = np.random.default_rng(2).integers(0, 40, 60) / 400
    assert adjust_p_values(p_value, "holm") == pytest.approx(holm(p_value))


@pytest.mark.parametrize("method", get_args(Adjust))
def test_values_that_stand_for_several_are_as_if_repeated(method: Adjust) -> None:
    rng = np.random.default_rng(4)
    p_value = rng.permutation(np.append(rng.uniform(size=30) ** 4, np.nan))
    times = rng.integers(1, 9, p_value.size)
    each = adjust_p_values(np.repeat(p_value, times), method)
    assert np.repeat(adjust_p_values(p_value, method, times), times) == pytest.approx(
        each, nan_ok=True, rel=1e-13
    )
    assert adjust_p_values(np.zeros(0), method).shape == (0,)
