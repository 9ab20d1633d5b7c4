"""The pictures of a score and what came of it: lift and calibration."""

from typing import Any

import pandas as pd
import pytest

from pictures import axes, part, plain, texts, words
from retainkit import errors, lift_table
from retainkit.plot._lift import calibration, lift
from scored import grouped

TABLE = lift_table(grouped([10, 20, 10], [8, 8, 1], [0.9, 0.5, 0.1]), bins=4)


def test_the_line_is_the_gain_and_the_bars_are_the_rates() -> None:
    ax = axes()
    assert lift(TABLE, ax=ax) is ax
    (line,) = part(ax, "gain")
    assert line.get_xdata() == pytest.approx([0, 0.25, 0.75, 1])
    assert line.get_ydata() == pytest.approx([0, 8 / 17, 16 / 17, 1])
    bars = part(ax, "rate")
    assert [bar.get_height() for bar in bars] == pytest.approx([0.8, 0.4, 0.1])
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == pytest.approx([0.125, 0.5, 0.875])
    (lines,) = part(ax, "interval")
    for end, name in enumerate(("lower", "upper")):
        limits = [one[end][1] for one in lines.get_segments()]
        assert limits == pytest.approx(TABLE[name].to_list())
    assert part(ax, "base")[0].get_ydata() == pytest.approx([17 / 40] * 2)
    assert words(ax)[-1] == "rate of the bin (all: 42%)"


def test_the_order_of_rows_means_nothing() -> None:
    ax = axes()
    lift(TABLE[::-1], ax=ax)
    assert part(ax, "gain")[0].get_ydata() == pytest.approx([0, 8 / 17, 16 / 17, 1])


def test_points_are_scores_and_rates() -> None:
    ax = axes()
    assert calibration(TABLE, ax=ax) is ax
    (points,) = part(ax, "rate")
    assert points.get_xdata() == pytest.approx([0.9, 0.5, 0.1])
    assert points.get_ydata() == pytest.approx([0.8, 0.4, 0.1])
    assert [plain(one) for one in texts(ax, "side")] == ["more left than the score says"]


def test_a_score_that_is_no_probability_has_no_calibration() -> None:
    table = TABLE.assign(mean_score=[90.0, 50, 10])
    with pytest.raises(errors.ArgumentError, match="below 0 or above 1: 90, 50, 10"):
        calibration(table, ax=axes())


@pytest.mark.parametrize("draw", [lift, calibration])
def test_one_segment_and_one_row_a_bin_are_drawn(draw: Any) -> None:
    two = pd.concat([TABLE.assign(plan="a"), TABLE.assign(plan="b")])
    two = two[["plan", *TABLE.columns]]
    with pytest.raises(errors.ArgumentError, match="holds 2 segments of 'plan'"):
        draw(two, ax=axes())
    with pytest.raises(errors.ArgumentError, match="6 rows for 3 bins"):
        draw(two.drop(columns="plan"), ax=axes())
    draw(TABLE.head(0), ax=axes())
