"""The picture of key drivers: bars, intervals, signs that flip, labels and what is refused."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from pictures import axes, words
from retainkit import errors
from retainkit.plot._drivers import key_drivers

if TYPE_CHECKING:
    from backends import Backend


def found() -> pd.DataFrame:
    """Make a table as `key_drivers` gives it."""
    return pd.DataFrame(
        {
            "driver": ["service", "time on hold", "documentation", "price"],
            "n": 1234,
            "importance": [0.25, 0.16, 0.07, 0.02],
            "share": [0.5, 0.32, 0.14, 0.04],
            "lower": [0.2, 0.1, 0.05, 0.01],
            "upper": [0.3, 0.22, 0.09, 0.04],
            "correlation": [0.6, -0.4, 0.3, 0.1],
            "coefficient": [0.5, -0.3, -0.1, 0.05],
            "sign_flip": [False, False, True, False],
            "r_squared": 0.5,
            "method": "relative_weights",
        }
    )


def bars(ax: Any) -> list[tuple[float, float, str]]:
    """Return the place, the length and the kind of each bar."""
    return [
        (bar.get_y() + bar.get_height() / 2, bar.get_width(), bar.get_gid()) for bar in ax.patches
    ]


def intervals(ax: Any) -> list[tuple[float, float, float]]:
    lines = [one for one in ax.collections if one.get_gid() == "interval"]
    segments = [one.get_segments()[0] for one in lines]
    return [(ends[0][1], ends[0][0], ends[1][0]) for ends in segments]


def names(ax: Any) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]


def test_a_bar_is_the_importance_and_a_line_its_interval() -> None:
    ax, table = axes(), found()
    assert key_drivers(table, ax=ax) is ax
    assert names(ax) == table["driver"].to_list()
    assert [length for _, length, _ in bars(ax)] == pytest.approx(table["importance"])
    assert [y for y, _, _ in bars(ax)] == pytest.approx(range(4))
    expected = list(zip(range(4), table["lower"], table["upper"], strict=True))
    for line, limits in zip(intervals(ax), expected, strict=True):
        assert line == pytest.approx(limits)
    low, high = ax.get_ylim()
    assert low > high, "the first row is on top"
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] >= 0.3


def test_rows_in_any_order_give_the_same_picture() -> None:
    first, second = axes(), axes()
    key_drivers(found(), ax=first)
    key_drivers(found().sample(frac=1, random_state=1), ax=second)
    assert names(first) == names(second)
    assert bars(first) == bars(second)
    assert intervals(first) == intervals(second)


def test_colours_tell_the_direction_and_signs_that_flip_are_hatched() -> None:
    ax = axes()
    key_drivers(found(), ax=ax)
    assert [kind for _, _, kind in bars(ax)] == ["up", "down", "flip", "up"]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, False, True, False]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert len(set(colours)) == 3
    assert words(ax) == ["goes with a higher outcome", "goes with a lower outcome", "sign flips"]
    legend = [to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()]
    assert legend == colours[:3]


def test_flips_are_explained_beneath_and_only_where_there_are_any() -> None:
    ax, table = axes(), found()
    key_drivers(table, ax=ax)
    label = ax.get_xlabel().replace("\n", " ")
    assert "Sign flips: alone it goes one way with the outcome" in label
    assert "Read no direction off it." in label
    ax = axes()
    key_drivers(table[~table["sign_flip"]], ax=ax)
    assert "flips" not in ax.get_xlabel()
    assert words(ax) == ["goes with a higher outcome", "goes with a lower outcome"]
    ax = axes()
    key_drivers(table[~table["sign_flip"] & (table["correlation"] > 0)], ax=ax)
    assert ax.get_legend() is None


def test_the_label_tells_r_squared_and_n() -> None:
    ax = axes()
    key_drivers(found(), ax=ax)
    lines = ax.get_xlabel().split("\n")
    assert lines[0] == "Importance with interval: part of the variance of the outcome"
    assert lines[1] == "All drivers together: R² = 50%, n = 1,234"
    ax.figure.canvas.draw()
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks[:2] == ["0%", "5%"]
    assert ax.get_title() == ""


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3.2, 3.2), (4.5, 3.5), (7, 4), (12, 4)])
def test_nothing_leaves_the_figure_or_overlaps(size: tuple[float, float]) -> None:
    ax, table = axes(*size), found()
    table.loc[0, "driver"] = "How content are you with the service?"
    key_drivers(table, ax=ax)
    ax.figure.canvas.draw()
    whole = ax.figure.bbox
    for box in (ax.xaxis.label.get_window_extent(), ax.get_legend().get_window_extent()):
        assert box.x0 >= whole.x0
        assert box.x1 <= whole.x1
        assert box.y0 >= whole.y0
        assert box.y1 <= whole.y1
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0


def test_dollars_in_names_are_no_formulas() -> None:
    ax, table = axes(), found()
    table.loc[0, "driver"] = "from $5 to $10"
    key_drivers(table, ax=ax)
    assert names(ax)[0] == "from $5 to $10"
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    ax.figure.canvas.draw()


def test_what_is_not_known_has_no_bar() -> None:
    numbers = ["importance", "share", "lower", "upper", "correlation", "coefficient", "r_squared"]
    table = found().assign(sign_flip=False, n=3, **dict.fromkeys(numbers, math.nan))
    ax = axes()
    key_drivers(table, ax=ax)
    assert bars(ax) == []
    assert [text.get_text() for text in ax.texts] == ["not known"] * 4
    assert ax.get_xlabel().endswith("R² = \N{EN DASH}, n = 3")
    ax.figure.canvas.draw()
    ax = axes()
    key_drivers(found().assign(lower=math.nan, upper=math.nan), ax=ax)
    assert len(bars(ax)) == 4
    assert intervals(ax) == []


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_can_be_drawn(rows: int) -> None:
    ax = axes()
    key_drivers(found().head(rows), ax=ax)
    ax.figure.canvas.draw()
    assert len(bars(ax)) == rows


def test_it_refuses_what_it_cannot_draw() -> None:
    table = found()
    with pytest.raises(errors.ArgumentError, match="8 rows for 4 drivers"):
        key_drivers(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="sign_flip"):
        key_drivers(table.drop(columns="sign_flip"), ax=axes())
    several = pd.concat([table.assign(plan="a"), table.assign(plan="b")])
    several = several[["plan", *table.columns]]
    with pytest.raises(errors.ArgumentError, match=r"2 segments of 'plan': 'a', 'b'.*filter"):
        key_drivers(several, ax=axes())
    ax = axes()
    key_drivers(several[several["plan"] == "a"], ax=ax)
    assert len(bars(ax)) == 4
    assert plt.get_fignums() == []


def test_every_small_frame_can_be_drawn(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are in memory")
    ax = axes()
    key_drivers(backend.make(found().to_dict("records")), ax=ax)
    assert names(ax) == found()["driver"].to_list()


def test_without_axes_there_is_a_new_figure_and_nothing_else_changes() -> None:
    table = found()
    before, options = table.copy(deep=True), dict(mpl.rcParams)
    ax = key_drivers(table)
    assert plt.get_fignums() == [ax.figure.number]  # type: ignore[union-attr]
    assert dict(mpl.rcParams) == options
    pd.testing.assert_frame_equal(table, before)
