"""Pictures of tables in periods of users' own: places without gaps, and labels that say when."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from own_periods import SPRINTS
from retainkit import cohort_retention, growth_accounting, plot, score_trend

RNG = np.random.default_rng(4)
EVENTS = pd.DataFrame(
    {
        "customer_id": RNG.integers(0, 40, 400),
        "time": pd.Timestamp("2024-03-04") + pd.to_timedelta(RNG.integers(0, 62 * 24, 400), "h"),
        "score": RNG.integers(0, 11, 400),
    }
)


def labels(ax: Any) -> list[str]:
    return [one.get_text().replace("\n", " ") for one in ax.get_xticklabels()]


@pytest.mark.parametrize(
    ("options", "first", "number"),
    [
        ({"period": "14 days", "origin": "2024-03-04"}, "4 Mar 2024", 5),
        ({"period": SPRINTS}, "4 Mar 2024", 4),
        ({"period": "quarter", "year_start": "february"}, "1 Feb 2024", 2),
    ],
)
def test_bars_stand_side_by_side(options: dict[str, Any], first: str, number: int) -> None:
    table = growth_accounting(EVENTS, **options, include_partial=True)
    ax = plot.growth_accounting(table, ax=Figure(figsize=(9, 4)).subplots())
    assert labels(ax)[0] == first
    assert ax.get_ylabel() == "Customers in a period"
    places = sorted({round(patch.get_x() + patch.get_width() / 2, 6) for patch in ax.patches})  # type: ignore[attr-defined]
    assert places == [float(one) for one in range(number)]


def test_points_of_sprints_have_their_first_days() -> None:
    trend = score_trend(EVENTS, period=SPRINTS)
    ax = plot.score_trend(trend, ax=Figure(figsize=(9, 4)).subplots())
    assert labels(ax) == ["4 Mar 2024", "18 Mar", "31 Mar", "9 Apr"]
    assert "First day of the period" in ax.get_xlabel()


def test_hours_are_labelled_by_the_clock() -> None:
    times = pd.date_range("2024-10-26T22:00Z", periods=25, freq="h")
    events = pd.DataFrame({"customer_id": 1, "time": times})
    table = growth_accounting(events, period="hour", tz="Europe/Berlin")
    ax = plot.growth_accounting(table, ax=Figure(figsize=(24, 4)).subplots())
    assert ax.get_ylabel() == "Customers in an hour"
    assert labels(ax)[:4] == ["00:00 27 Oct 2024", "01:00", "02:00", "02:00"]


def test_cohorts_of_hours_and_of_sprints_in_a_heat_map() -> None:
    times = pd.date_range("2024-03-04T08:00", periods=6, freq="h")
    events = pd.DataFrame({"customer_id": [1, 2, 1, 3, 2, 1], "time": times})
    table = cohort_retention(events, cohort_period="hour", period="hour", as_of="2024-03-04T14:00")
    ax = plot.retention_heatmap(table, ax=Figure().subplots(), period="hour")
    texts = [one.get_text() for one in ax.texts] + [one.get_text() for one in ax.get_yticklabels()]
    assert any("2024-03-04 08:00" in one for one in texts)
    sprints = cohort_retention(EVENTS, cohort_period=SPRINTS, period="14 days", as_of="2024-05-06")
    ax = plot.retention_heatmap(sprints, ax=Figure().subplots(), period="14 days")
    texts = [one.get_text() for one in ax.figure.findobj(lambda one: hasattr(one, "get_text"))]  # type: ignore[attr-defined]
    assert any("periods of 14 days since the start" in one for one in texts)
