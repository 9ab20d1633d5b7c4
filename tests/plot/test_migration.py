"""The picture of a migration: what is written where, and what has no row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import retainkit as rk
from pictures import axes, part, texts
from retainkit.errors import ArgumentError, ArgumentTypeError
from segments.scores import scored

EARLY = pd.DataFrame({"customer_id": range(6), "segment": list("aaabbc")})
LATER = pd.DataFrame({"customer_id": range(1, 7), "segment": list("aababa")})


def moves() -> pd.DataFrame:
    return rk.segment_migration(EARLY, LATER)


def labels(ax: Any) -> tuple[list[str], list[str]]:
    return (
        [one.get_text() for one in ax.get_yticklabels()],
        [one.get_text() for one in ax.get_xticklabels()],
    )


def test_rows_are_segments_before_and_columns_segments_after() -> None:
    ax = rk.plot.segment_migration(moves(), ax=axes())
    # By hand: of a, 0 is gone, and 1 and 2 stayed; of b, 3 stayed and 4 went to a; c went to b.
    assert labels(ax) == (
        ["a (3)", "b (2)", "c (1)", "(new) (1)"],
        ["a (4)", "b (2)", "(gone) (1)"],
    )
    assert texts(ax, "cell") == [
        *("67%", "0%", "33%"),
        *("50%", "50%", "0%"),
        *("0%", "100%", "0%"),
        *("100%", "0%", "0%"),
    ]
    frames = [(round(one.get_x()), round(one.get_y())) for one in part(ax, "stayed")]
    assert frames == [(0, 0), (1, 1)]
    assert ax.yaxis_inverted()


def test_numbers_and_an_order_of_ones_own() -> None:
    ax = rk.plot.segment_migration(moves(), values="customers", order=["c", "b"], ax=axes())
    assert labels(ax)[0] == ["c (1)", "b (2)", "a (3)", "(new) (1)"]
    assert texts(ax, "cell")[:3] == ["1", "0", "0"]


def test_colours_rise_with_the_share() -> None:
    ax = rk.plot.segment_migration(moves(), ax=axes(), cmap="gray")
    shades = ax.collections[0].to_rgba(np.array([0.0, 1 / 3, 1.0]))[:, 0].tolist()
    assert shades == pytest.approx([0, 1 / 3, 1], abs=0.01)


def test_ten_segments_can_be_read() -> None:
    first, cuts = scored("1998-01-01")
    later, _ = scored("1998-07-01", cuts)
    table = rk.segment_migration(rk.assign_segments(first), rk.assign_segments(later))
    ax = rk.plot.segment_migration(table, order=rk.segment_rules()["segment"])
    ax.figure.canvas.draw()
    rows, columns = labels(ax)
    # Nobody is in new_customers before; after, nobody is in three of the ten.
    assert (len(rows), len(columns)) == (9, 7)
    assert rows[0] == "champions (3,745)"
    for name in (ax.get_yticklabels(), ax.get_xticklabels()):
        boxes = [one.get_window_extent() for one in name]
        inside = ax.figure.bbox
        assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
    heights = [one.get_window_extent().height for one in ax.get_yticklabels()]
    step = ax.transData.transform((0, 0))[1] - ax.transData.transform((0, 1))[1]
    assert max(heights) < step
    assert min(one.get_fontsize() for one in part(ax, "cell")) >= 8


def test_small_axes_have_no_numbers() -> None:
    tiny = Figure(figsize=(0.7, 0.6)).subplots()
    assert texts(rk.plot.segment_migration(moves(), ax=tiny), "cell") == []


def test_nobody_at_all_is_drawn() -> None:
    none = rk.segment_migration(EARLY.head(0), LATER.head(0))
    assert texts(rk.plot.segment_migration(none, ax=axes()), "cell") == []


def test_what_cannot_be_drawn_is_refused() -> None:
    table = moves()
    both = pd.concat([table.assign(team="x"), table.assign(team="y")])
    several = both[["team", *table.columns]]
    with pytest.raises(ArgumentError, match="2 segments of 'team'"):
        rk.plot.segment_migration(several, ax=axes())
    with pytest.raises(ArgumentError, match="pairs of segments"):
        rk.plot.segment_migration(pd.concat([table, table]), ax=axes())
    for order in ("a", [1], {"a"}):
        with pytest.raises(ArgumentTypeError, match="`order`"):
            rk.plot.segment_migration(table, order=order, ax=axes())  # type: ignore[arg-type]
