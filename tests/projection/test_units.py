"""A retention model keeps the unit of the curve that it was fitted to."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

import retainkit as rk
from backends import Backend
from retainkit.errors import ArgumentError
from tables import rows_of

SUBSCRIPTIONS = rk.datasets.make_subscriptions(600, seed=1)
CURVE = rk.survival_curve(SUBSCRIPTIONS, as_of="2025-01-01")
SURVIVORS = pd.DataFrame({"age": range(5), "retained": [1000, 869, 743, 653, 593]})


@pytest.mark.parametrize("fit", [rk.fit_sbg, rk.fit_bdw])
def test_a_model_of_a_curve_has_its_unit(fit: Any, backend: Backend) -> None:
    model = fit(backend.make(rows_of(CURVE)))
    assert model.unit == "month"
    assert type(model).from_dict(model.to_dict()) == model
    # The unit means nothing to the fit.
    assert fit(CURVE.drop(columns="time_unit")).parameters == pytest.approx(
        model.parameters, rel=1e-9
    )
    assert fit(SURVIVORS).unit is None


def test_a_length_of_time_is_periods_where_the_unit_is_known() -> None:
    model = rk.SBG(alpha=1, beta=1, unit="month")
    # S(t) = 1 / (1 + t): 1 + 1/2 + 1/3 in a quarter.
    for horizon in (3, "3 months", "1 quarter", "3M"):
        assert model.expected_lifetime(horizon) == pytest.approx(11 / 6)
        # After one renewal: 2 (1/3 + 1/4 + 1/5).
        assert model.residual_lifetime(1, horizon) == pytest.approx(47 / 30)
    weekly = rk.SBG(alpha=1, beta=1, unit="week")
    assert weekly.expected_lifetime(timedelta(weeks=3)) == pytest.approx(11 / 6)
    table = pd.DataFrame({"age": [0, 1], "retained": [10, 5]})
    pd.testing.assert_frame_equal(model.project(table, "1 year"), model.project(table, 12))
    with pytest.raises(ArgumentError, match="`horizon` is '45 days'"):
        model.expected_lifetime("45 days")


def test_a_length_of_time_means_nothing_where_the_unit_is_not_known() -> None:
    model = rk.SBG(alpha=1, beta=1)
    for call in (model.expected_lifetime, lambda horizon: model.project(SURVIVORS, horizon)):
        with pytest.raises(ArgumentError, match="does not know what its periods are") as it:
            call("24 months")
        assert it.value.code == "unit_unknown"


def test_a_curve_in_another_unit_than_the_model_is_refused() -> None:
    weeks = rk.survival_curve(SUBSCRIPTIONS, unit="week", as_of="2025-01-01")
    names: dict[str, Any] = {"age": "tenure", "at_risk": "at_risk", "churned": "churned"}
    model = rk.fit_sbg(CURVE, **names)
    assert len(model.project(CURVE, 2, **names)) == len(CURVE) + 2
    with pytest.raises(ArgumentError, match=r"(?s)`table` are in weeks.*survival_curve\(unit="):
        model.project(weeks, 2, **names)
    both = pd.concat([CURVE.assign(plan="a"), weeks.assign(plan="b")])
    for call in (
        lambda: rk.fit_sbg(both, cohort="plan", **names),
        lambda: model.project(both, 2, cohort="plan", **names),
    ):
        with pytest.raises(ArgumentError, match="column 'time_unit' of `table` is 'week' in") as it:
            call()
        assert it.value.code == "mixed_units"
