"""The picture of items that go together: lifts, intervals, order, labels and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from pictures import axes, words
from retainkit import errors
from retainkit.plot._affinity import affinity
from tables import rows_of

if TYPE_CHECKING:
    from backends import Backend


def found() -> pd.DataFrame:
    """Make a table as `product_affinity` gives it."""
    return pd.DataFrame(
        {
            "item": ["coffee", "coffee", "tea", "milk"],
            "other": ["filters", "coffee", "sugar", "tea"],
            "n": [1_290, 1_290, 400, 20],
            "n_both": [517, 208, 60, 1],
            "lift": [4.9, 1.9, 1.4, 8.0],
            "lift_lower": [4.6, 1.7, 1.1, 0.9],
            "lift_upper": [5.2, 2.1, 1.8, 20.0],
            "repeat": [False, True, False, False],
        }
    )


def marks(ax: Any) -> list[tuple[float, float, str]]:
    """Return the place, the lift and the kind of each mark."""
    drawn = [one for one in ax.lines if one.get_gid() != "chance"]
    return [(*one.get_ydata(), *one.get_xdata(), one.get_gid()) for one in drawn]


def intervals(ax: Any) -> list[tuple[float, float, float]]:
    lines = [one for one in ax.collections if one.get_gid() == "interval"]
    ends = [one.get_segments()[0] for one in lines]
    return [(low[1], low[0], high[0]) for low, high in ends]


def names(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_the_most_certain_pair_is_on_top() -> None:
    ax, table = axes(), found()
    assert affinity(table, ax=ax) is ax
    assert names(ax) == ["coffee → filters", "coffee again", "tea → sugar", "milk → tea"]
    assert [lift for _, lift, _ in marks(ax)] == table["lift"].to_list()
    expected = list(zip(range(4), table["lift_lower"], table["lift_upper"], strict=True))
    for line, limits in zip(intervals(ax), expected, strict=True):
        assert line == pytest.approx(limits)
    low, high = ax.get_ylim()
    assert low > high, "the first row is on top"
    assert ax.get_xscale() == "log"


def test_rows_in_any_order_give_the_same_picture() -> None:
    first, second = axes(), axes()
    affinity(found(), ax=first)
    affinity(found().sample(frac=1, random_state=1), ax=second)
    assert names(first) == names(second)
    assert marks(first) == marks(second)
    assert intervals(first) == intervals(second)


def test_no_more_pairs_are_drawn_than_asked_for() -> None:
    ax = axes()
    affinity(found(), max_pairs=2, ax=ax)
    assert names(ax) == ["coffee → filters", "coffee again"]
    with pytest.raises(errors.ArgumentError, match="`max_pairs` is 0"):
        affinity(found(), max_pairs=0)


def test_what_is_bought_again_is_told_apart() -> None:
    ax = axes()
    affinity(found(), ax=ax)
    kinds = [kind for _, _, kind in marks(ax)]
    assert kinds == ["other item", "bought again", "other item", "other item"]
    assert words(ax) == ["other item", "bought again"]
    colours = {to_hex(one.get_color()) for one in ax.lines if one.get_gid() in kinds}
    assert len(colours) == 2
    ax = axes()
    affinity(found()[~found()["repeat"]], ax=ax)
    assert ax.get_legend() is None


def test_hits_and_trials_stand_beside_each_pair() -> None:
    ax = axes()
    affinity(found(), ax=ax)
    texts = [one.get_text() for one in ax.texts if one.get_gid() == "counts"]
    assert texts == ["517 of 1,290", "208 of 1,290", "60 of 400", "1 of 20"]
    [chance] = [one for one in ax.lines if one.get_gid() == "chance"]
    assert list(chance.get_xdata()) == [1, 1]
    ax.figure.canvas.draw()
    times = "\N{MULTIPLICATION SIGN}"
    ticks = {tick.get_text() for tick in ax.get_xticklabels()}
    assert {f"1{times}", f"2{times}", f"5{times}"} <= ticks


def test_dollars_and_long_names_are_names() -> None:
    ax, table = axes(), found()
    table.loc[0, ["item", "other"]] = ["$5 to $10", "A very long name of an item " * 3]
    affinity(table, ax=ax)
    ax.figure.canvas.draw()
    assert names(ax)[0].startswith("$5 to $10 → A very")
    assert "…" in names(ax)[0]


def test_a_table_without_pairs_gives_empty_axes() -> None:
    ax = axes()
    affinity(found()[:0], ax=ax)
    assert marks(ax) == []


def test_several_segments_or_rows_of_a_pair_are_refused() -> None:
    table = found()
    table.insert(0, "team", ["a", "b", "a", "b"])
    with pytest.raises(errors.ArgumentError, match="2 segments of 'team'"):
        affinity(table)
    with pytest.raises(errors.ArgumentError, match="8 rows for 4 pairs"):
        affinity(pd.concat([found(), found()]))
    with pytest.raises(errors.MissingColumnError, match="lift_lower"):
        affinity(found().drop(columns="lift_lower"))


def test_every_kind_of_frame_gives_the_same_picture(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are never lazy")
    ax, other = axes(), axes()
    affinity(backend.make(rows_of(found())), ax=ax)
    affinity(found(), ax=other)
    assert marks(ax) == marks(other)
