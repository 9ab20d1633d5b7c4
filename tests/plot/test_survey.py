"""The pictures of survey scores: bars of segments, and the course over time."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from pictures import axes, part, plain, texts, words
from retainkit import errors
from retainkit.plot._nps import nps_bar
from retainkit.plot._trend import score_trend

if TYPE_CHECKING:
    from backends import Backend


NAN = math.nan
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
PARTS = ["detractors", "passives", "promoters"]


def names(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


# --- bars of segments ---------------------------------------------------------------------


def scores() -> pd.DataFrame:
    """Make a table as `nps` gives it: of 40, 8, none and 200 answers."""
    counts = [[16, 12, 12], [1, 2, 5], [0, 0, 0], [100, 50, 50]]
    table = pd.DataFrame({"plan": ["basic", "pro", "$5 to $10", None]})
    table["n"] = [sum(own) for own in counts]
    table["n_missing"] = [2, 0, 0, 1]
    table["n_invalid"] = 0
    table["n_effective"] = table["n"].astype(float)
    for place, name in enumerate(PARTS):
        table[name] = [own[place] / sum(own) if sum(own) else NAN for own in counts]
    table["nps"] = 100 * (table["promoters"] - table["detractors"])
    table["standard_error"] = 5.0
    table["lower"] = table["nps"] - [25.0, 40.0, 10.0, 11.0]
    table["upper"] = table["nps"] + [26.0, 35.0, 10.0, 12.0]
    table["method"] = "score"
    return table


def many(rows: int) -> pd.DataFrame:
    table = pd.concat([scores().head(1)] * rows, ignore_index=True)
    return table.assign(plan=[f"segment number {row}" for row in range(rows)])


def bars(ax: Any, name: str) -> list[tuple[float, float, float]]:
    """Return the row of each bar of a name, and where it begins and ends."""
    found = [bar.get_bbox() for bar in part(ax, name)]
    return [((box.y0 + box.y1) / 2, box.x0, box.x1) for box in found]


def test_shares_are_stacked_from_detractors_to_promoters() -> None:
    ax, table = axes(), scores()
    assert nps_bar(table, ax=ax) is ax
    for row in (0, 1, 3):
        foot = 0.0
        for name in PARTS:
            top = foot + table.loc[row, name]  # type: ignore[operator]
            assert bars(ax, name)[row] == pytest.approx((row, foot, top))
            foot = top  # type: ignore[assignment]
        assert foot == pytest.approx(1)
    low, high = ax.get_ylim()
    assert low > high, "the first segment is on top"
    assert texts(ax, "share") == [
        *("40%", "12%", "50%"), *("30%", "25%", "25%"), *("30%", "62%", "25%"),
    ]  # fmt: skip
    assert words(ax) == PARTS
    colours = [to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()]  # type: ignore[union-attr]
    for name, colour in zip(PARTS, colours, strict=True):
        assert {to_hex(bar.get_facecolor()) for bar in part(ax, name)} == {colour}
    assert len(set(colours)) == 3


def test_scores_stand_beside_their_bars_with_interval_and_number() -> None:
    ax, table = axes(), scores()
    nps_bar(table, ax=ax)
    (panel,) = ax.child_axes
    assert panel.get_ylim() == ax.get_ylim()
    (dots,) = part(panel, "score")
    xy = np.column_stack([table["nps"], np.arange(4)])
    np.testing.assert_allclose(dots.get_xydata(), xy)
    (lines,) = part(panel, "interval")
    found = {round(line[0, 1]): sorted(line[:, 0]) for line in lines.get_segments()}
    for row in (0, 1, 3):
        assert found[row] == pytest.approx(table.loc[row, ["lower", "upper"]].tolist())  # type: ignore[operator]
    assert texts(ax, "score") == [f"{MINUS}10", "+50", DASH, f"{MINUS}25"]
    low, high = panel.get_xlim()
    assert low < table["lower"].min()
    assert table["upper"].max() < high
    assert low < 0 < high
    assert [line.get_xdata() for line in part(panel, "zero")] == [[0, 0]]
    box, whole = panel.get_window_extent(), ax.get_window_extent()
    assert whole.x0 + (whole.x1 - whole.x0) * 0.54 < box.x0 < box.x1 < whole.x1


def test_segments_have_names_and_numbers_of_answers() -> None:
    ax = axes()
    nps_bar(scores(), ax=ax)
    assert names(ax) == ["basic", "pro", "$5 to $10", "null"]
    assert texts(ax, "n") == ["40", "8", "0", "200"]
    assert texts(ax, "header") == ["n"]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    assert plain(ax.get_xlabel()) == "Left out: 3 rows without an answer."
    assert ax.get_title() == ""
    ax = axes()
    nps_bar(scores()[::-1], ax=ax)
    assert names(ax) == ["null", "$5 to $10", "pro", "basic"]
    assert texts(ax, "score") == [f"{MINUS}25", DASH, "+50", f"{MINUS}10"]


def test_a_segment_without_a_score_says_why() -> None:
    ax, table = axes(), scores()
    table.loc[1, [*PARTS, "nps", "lower", "upper"]] = NAN  # as `min_responses` hides it
    nps_bar(table, ax=ax)
    assert {text.get_position()[1]: text.get_text() for text in part(ax, "no score")} == {
        1: "too few answers to show",
        2: "no answers",
    }
    assert texts(ax, "score") == [f"{MINUS}10", DASH, DASH, f"{MINUS}25"]


@pytest.mark.slow
def test_the_effective_number_stands_behind_the_answers_where_it_differs() -> None:
    ax, table = axes(), scores()
    table["n_effective"] = [22.4, 8.0, NAN, 200.0]
    nps_bar(table.assign(n_invalid=[1, 0, 0, 0]), ax=ax)
    assert texts(ax, "n") == ["40 (22)", "8 (8)", "0", "200 (200)"]
    assert texts(ax, "header") == ["n (effective)"]
    expected = "Left out: 3 rows without an answer and 1 answer not on the scale."
    assert plain(ax.get_xlabel()) == expected
    ax = axes()
    few = ["n_effective", "n_missing", "n_invalid", "method", "standard_error"]
    nps_bar(scores().drop(columns=few), ax=ax)
    assert texts(ax, "n") == ["40", "8", "0", "200"]
    assert ax.get_xlabel() == ""


def test_a_score_has_a_decimal_only_where_it_is_known_to_one() -> None:
    ax, table = axes(), scores().head(2)
    table["nps"] = [-0.04, 31.25]
    table["lower"], table["upper"] = table["nps"] - 0.9, table["nps"] + 0.9
    nps_bar(table, ax=ax)
    assert texts(ax, "score") == ["0.0", "+31.2"]
    ax = axes()
    nps_bar(table.assign(nps=[-0.4, 31.25], lower=-9, upper=50), ax=ax)
    assert texts(ax, "score") == ["0", "+31"]


def test_the_panel_of_scores_stays_on_the_scale() -> None:
    ax = axes()
    ends = {"nps": [100.0, -100.0], "lower": [80.0, -100.0], "upper": [100.0, -70.0]}
    nps_bar(scores().head(2).assign(**ends), ax=ax)
    assert ax.child_axes[0].get_xlim() == (-100, 100)
    ax = axes()
    table = scores().tail(1).assign(nps=0.0, lower=-0.2, upper=0.2)
    nps_bar(table, ax=ax)
    low, high = ax.child_axes[0].get_xlim()
    assert high - low == pytest.approx(20)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 3, 12, 30, 90])
def test_a_new_figure_has_room_for_every_row(rows: int) -> None:
    ax = nps_bar(many(rows))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert len(names(ax)) == len(texts(ax, "n")) == len(texts(ax, "score")) == rows
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in pairwise(boxes))
    counts = [text.get_window_extent() for text in part(ax, "n")]
    assert all(name.x1 < count.x0 for name, count in zip(boxes, counts, strict=True))
    assert min(box.x0 for box in boxes) >= 0


@pytest.mark.slow
def test_names_are_wrapped_and_shortened_where_rows_are_low() -> None:
    long = "The customers in the north who came by way of a partner, wave 7"
    table = many(6).assign(plan=[f"{long}{row}" for row in range(6)])
    ax = nps_bar(table)
    assert [plain(name) for name in names(ax)] == list(table["plan"])
    assert all("\n" in name for name in names(ax))
    ax = axes(8, 1.8)
    nps_bar(table, ax=ax)
    assert len(set(names(ax))) == 6
    assert all(len(name) <= 28 and "\N{HORIZONTAL ELLIPSIS}" in name for name in names(ax))
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in pairwise(boxes))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3.2, 2.4), (4.5, 3), (8, 3), (12, 5)])
def test_headers_and_axes_do_not_overlap(size: tuple[float, float]) -> None:
    ax = axes(*size)
    nps_bar(scores(), ax=ax)
    ax.figure.canvas.draw()
    (panel,) = ax.child_axes
    legend = ax.get_legend().get_window_extent()
    assert legend.x1 <= part(panel, "header")[0].get_window_extent().x0
    assert part(ax, "header")[0].get_window_extent().x1 <= legend.x0 + 3
    last = ax.get_xticklabels()[-1].get_window_extent()
    inside = [one for one in panel.get_xticklabels() if one.get_window_extent().x0 > panel.bbox.x0]
    assert last.x1 <= inside[0].get_window_extent().x0
    numbers = [text.get_window_extent() for text in part(ax, "score")]
    assert min(box.x0 for box in numbers) >= panel.bbox.x1
    assert max(box.x1 for box in numbers) <= ax.figure.bbox.x1


def test_a_table_without_segments_is_one_bar() -> None:
    ax = nps_bar(scores().head(1).drop(columns="plan"))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert names(ax) == [""]
    assert texts(ax, "n") == ["40"]
    assert texts(ax, "score") == [f"{MINUS}10"]


def test_segments_may_be_called_as_columns_of_other_tables_are() -> None:
    ax = axes()
    table = scores().head(2).rename(columns={"plan": "age"}).assign(age=["18 to 24", "25+"])
    table.insert(1, "wave", [1, 2])
    nps_bar(table, ax=ax)
    assert names(ax) == ["18 to 24, 1", "25+, 2"]


def test_bars_of_nothing_can_be_drawn() -> None:
    ax = axes()
    nps_bar(scores().head(0), ax=ax)
    ax.figure.draw_without_rendering()
    assert texts(ax, "empty") == ["No segments"]


def test_bars_refuse_what_they_cannot_draw() -> None:
    table = scores()
    with pytest.raises(errors.ArgumentError, match=r"8 rows for 4 segments.*left of 'n'"):
        nps_bar(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.ArgumentError, match="4 rows for 1 segment,"):
        nps_bar(table.drop(columns="plan"), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="detractors"):
        nps_bar(table.drop(columns="detractors"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match=r"'nps' of `table` holds 'x', 'x'.*numbers"):
        nps_bar(table.assign(nps="x"), ax=axes())
    message = r"'promoters' of `table` is not between 0 and 1 in 2 rows, such as 12, 5.*from_counts"
    with pytest.raises(errors.ArgumentError, match=message):
        nps_bar(table.assign(promoters=[12, 5, NAN, 1]), ax=axes())
    assert plt.get_fignums() == []


# --- course over time ---------------------------------------------------------------------


def course(
    periods: int = 8, freq: str = "MS", start: str = "2023-08-01", metric: str = "nps"
) -> pd.DataFrame:
    """Make a table as `score_trend` gives it: its third period empty, its last one not over."""
    days = pd.date_range(start, periods=periods, freq=freq).as_unit("us")
    unit = {"nps": 1.0, "csat": 0.01, "mean": 0.1}[metric]
    table = pd.DataFrame({"period": days, "n": 1200 + np.arange(periods), "n_missing": 0})
    table["score"] = unit * (20.0 + np.arange(periods) % 5)
    table["lower"], table["upper"] = table["score"] - 9 * unit, table["score"] + 8 * unit
    table["metric"], table["window"] = metric, 1
    table["complete"] = table.index < periods - 1
    table.loc[2, "n"] = 0
    table.loc[2, ["score", "lower", "upper"]] = NAN
    return table.head(periods)


def segments(count: int, **kind: Any) -> pd.DataFrame:
    tables = []
    for index in range(count):
        table = course(**kind)
        table[["score", "lower", "upper"]] += index
        table.insert(0, "plan", f"plan {index}")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def labels(ax: Any) -> list[str]:
    return [tick.get_text() for tick in ax.get_xticklabels()]


def points(lines: list[Any]) -> list[list[float]]:
    """Return the points of lines that can be seen."""
    return [[float(x), float(y)] for line in lines for x, y in line.get_xydata() if not np.isnan(y)]


def test_the_line_has_a_gap_and_does_not_reach_what_is_not_over() -> None:
    ax, table = axes(), course()
    assert score_trend(table, ax=ax) is ax
    (line,) = part(ax, "score")
    expected = table["score"].where(table["complete"])
    np.testing.assert_array_equal(line.get_xdata(), np.arange(8))
    np.testing.assert_array_equal(line.get_ydata(), expected)
    (hollow,) = part(ax, "unfinished")
    assert points([hollow]) == [[7, 22]]
    assert to_hex(hollow.get_markerfacecolor()) == to_hex(ax.get_facecolor())
    assert hollow.get_linestyle() == "None" or len(hollow.get_xdata()) == 1
    (bar,) = part(ax, "bar")
    assert [one.tolist() for one in bar.get_segments()] == [[[7, 13], [7, 30]]]
    assert words(ax) == ["interval", "month not over"]
    ax = axes()
    score_trend(table[table["complete"]], ax=ax)
    assert part(ax, "unfinished") == []
    assert words(ax) == ["interval"]


def test_the_band_is_the_interval() -> None:
    ax, table = axes(), course()
    score_trend(table, ax=ax)
    (band,) = part(ax, "interval")
    corners = {tuple(one) for path in band.get_paths() for one in path.vertices}
    for row in (0, 1, 3, 4, 5, 6):
        assert (row, table.loc[row, "lower"]) in corners
        assert (row, table.loc[row, "upper"]) in corners
    assert not any(x in {2, 7} for x, _ in corners)


def test_a_point_without_neighbours_has_a_bar_of_its_own() -> None:
    ax, table = axes(), course(60, "7D", "2023-01-02")
    table.loc[[9, 11], ["score", "lower", "upper"]] = NAN
    score_trend(table, ax=ax)
    (lone,) = part(ax, "lone")
    assert points([lone]) == [[10, 20]]
    (bars,) = part(ax, "bar")
    assert [one[:, 0].tolist() for one in bars.get_segments()] == [[10, 10], [59, 59]]


def test_missing_rows_leave_a_gap_too() -> None:
    ax, table = axes(), course()
    score_trend(table.drop(index=4), ax=ax)
    (line,) = part(ax, "score")
    np.testing.assert_array_equal(np.isnan(line.get_ydata()), [0, 0, 1, 0, 1, 0, 0, 1])


def test_segments_are_lines_of_their_own_colour_and_mark() -> None:
    ax = axes(9, 5)
    score_trend(segments(3), ax=ax)
    lines = part(ax, "score")
    assert len({line.get_color() for line in lines}) == 3
    assert len({line.get_marker() for line in lines}) == 3
    assert words(ax) == ["plan 0", "plan 1", "plan 2", "interval", "month not over"]
    assert ax.get_legend().get_title().get_text() == "plan"
    assert len(part(ax, "interval")) == 3
    # What is not over stands side by side, near its period.
    xs = [x for x, _ in points(part(ax, "unfinished"))]
    assert xs == pytest.approx([6.9, 7, 7.1])


@pytest.mark.slow
def test_many_segments_have_names_at_the_side_and_no_bands() -> None:
    ax = axes(9, 5)
    score_trend(segments(12), ax=ax)
    ax.figure.canvas.draw()
    lines = part(ax, "score")
    styles = [(line.get_color(), line.get_linestyle()) for line in lines]
    assert len(set(styles)) == 12
    assert part(ax, "interval") == part(ax, "bar") == part(ax, "n") == []
    expected = "Without intervals: those of 12 segments would hide each other."
    assert plain(ax.get_xlabel()) == expected
    box = ax.get_legend().get_window_extent()
    assert box.x0 >= ax.bbox.x1
    assert box.x1 <= ax.figure.bbox.x1


@pytest.mark.parametrize(
    ("metric", "label", "expected"),
    [
        ("nps", "Net promoter score (NPS)", "20"),
        ("csat", "Share of the satisfied (CSAT)", "20%"),
        ("mean", "Mean score", "2"),
    ],
)
def test_the_axis_is_in_the_unit_of_the_metric(metric: str, label: str, expected: str) -> None:
    ax, table = axes(), course(metric=metric)
    score_trend(table, ax=ax)
    ax.figure.canvas.draw()
    assert ax.get_ylabel() == label
    assert expected in names(ax)
    low, high = ax.get_ylim()
    assert low < table["lower"].min()
    assert table["upper"].max() < high
    spread = table["upper"].max() - table["lower"].min()
    assert high - low < 1.3 * spread, "only as much as is needed"


def test_another_metric_has_a_plain_axis() -> None:
    ax = axes()
    score_trend(course().assign(metric="effort"), ax=ax)
    assert ax.get_ylabel() == "Score"


def test_the_axis_does_not_leave_the_scale_and_does_not_blow_up_nothing() -> None:
    ax, table = axes(), course()
    score_trend(table.assign(score=100.0, lower=-98.0, upper=100.0), ax=ax)
    assert ax.get_ylim() == (-100, 100)
    ax = axes()
    score_trend(table.assign(score=30.0, lower=29.9, upper=30.1), ax=ax)
    assert ax.get_ylim() == pytest.approx((20, 40))
    ax = axes()
    score_trend(course(metric="csat").assign(score=1.0, lower=0.99, upper=1.0), ax=ax)
    assert ax.get_ylim()[1] == 1


def test_zero_of_nps_is_marked_where_it_is_in_sight() -> None:
    ax = axes()
    score_trend(course().assign(lower=-12.0), ax=ax)
    assert [line.get_ydata() for line in part(ax, "zero")] == [[0, 0]]
    for table in (course(), course(metric="mean").assign(lower=-1.0)):
        ax = axes()
        score_trend(table, ax=ax)
        assert part(ax, "zero") == []


def test_answers_are_counted_beneath_the_periods() -> None:
    ax = axes()
    score_trend(course(), ax=ax)
    assert texts(ax, "n") == ["1,200", "1,201", "0", *(f"1,20{row}" for row in range(3, 8))]
    assert texts(ax, "counted") == ["n ="]
    assert labels(ax)[:2] == ["Aug\n2023", "Sep"]
    ax.figure.canvas.draw()
    under = min(label.get_window_extent().y0 for label in ax.get_xticklabels())
    boxes = [text.get_window_extent() for text in part(ax, "n")]
    assert all(box.y1 <= under for box in boxes)
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert min(box.y0 for box in boxes) >= 0
    ax = axes(8, 5)
    score_trend(segments(2), ax=ax)
    assert texts(ax, "counted") == ["plan 0", "plan 1"]
    assert len(part(ax, "n")) == 16
    ax = axes(8, 1.4)
    score_trend(course(), ax=ax)
    assert part(ax, "n") == []


@pytest.mark.slow
@pytest.mark.parametrize("freq", ["D", "7D", "MS", "QS", "YS"])
@pytest.mark.parametrize("width", [3.4, 7.4])
def test_counts_and_notes_keep_apart(width: float, freq: str) -> None:
    ax = axes(width, 4)
    table = segments(2, periods=45, freq=freq, start="2001-01-01").assign(window=3)
    table["n"] *= 137  # up to some 170,000
    score_trend(table, ax=ax)
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in [*part(ax, "counted"), *part(ax, "n")]]
    for one in range(len(boxes)):
        for other in range(one):
            assert not boxes[one].overlaps(boxes[other])
    assert ax.xaxis.label.get_window_extent().y1 <= min(box.y0 for box in boxes)
    assert ax.xaxis.label.get_window_extent().y0 >= 0
    assert "170k" in texts(ax, "n") or width < 5 or freq != "YS"


def test_rolling_windows_are_explained() -> None:
    ax, table = axes(), course().assign(window=3)
    table["complete"] &= table.index >= 2
    score_trend(table, ax=ax)
    assert plain(ax.get_ylabel()) == "Net promoter score (NPS), 3 months together"
    assert "month not over, or not yet 3 months" in words(ax)
    note = "neighbours share answers, so their intervals must not be compared."
    assert plain(ax.get_xlabel()).endswith(note)
    assert points(part(ax, "unfinished"))[:2] == [[0, 20], [1, 21]]
    ax = axes()
    score_trend(course().drop(columns="window"), ax=ax)
    assert ax.get_xlabel() == ""


def test_weeks_are_named() -> None:
    ax = axes()
    score_trend(course(5, "7D", "2023-12-18"), ax=ax)
    assert ax.get_xlabel() == "First day of the week"
    assert words(ax) == ["interval", "week not over"]
    assert labels(ax)[:3] == ["18 Dec\n2023", "25 Dec", "1 Jan\n2024"]


def test_rows_in_any_order_give_the_same_lines() -> None:
    first, second = axes(9, 5), axes(9, 5)
    table = segments(2)
    score_trend(table, ax=first)
    shuffled = table.iloc[[3, 1, 9, 15, 0, 2, 4, 5, 6, 7, 8, 10, 14, 13, 12, 11]]
    score_trend(shuffled, ax=second)
    assert points(part(first, "score")) == points(part(second, "score"))
    assert points(part(first, "unfinished")) == points(part(second, "unfinished"))
    assert texts(first, "n") == texts(second, "n")
    assert words(first) == words(second)


def test_names_of_segments_are_not_mathematics() -> None:
    ax = axes(8, 5)
    table = segments(2).replace({"plan 0": "$5 to $10", "plan 1": "A name " * 9 + "7"})
    score_trend(table, ax=ax)
    shown = words(ax)[:2]
    assert shown[0] == "$5 to $10"
    assert len(shown[1]) == 34
    assert shown[1].endswith("7")
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())
    assert not any(text.get_parse_math() for text in part(ax, "counted"))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_periods_can_be_drawn(rows: int) -> None:
    ax = axes()
    score_trend(course().head(rows), ax=ax)
    ax.figure.draw_without_rendering()
    assert len(points(part(ax, "score"))) == rows
    assert texts(ax, "empty") == ([] if rows else ["No answers"])
    low, high = ax.get_xlim()
    assert rows == 0 or high - low >= 2


def test_periods_without_any_answers_can_be_drawn() -> None:
    ax = axes()
    nothing = dict.fromkeys(["score", "lower", "upper"], NAN)
    score_trend(course().assign(n=0, **nothing), ax=ax)
    ax.figure.draw_without_rendering()
    assert texts(ax, "empty") == ["No answers"]
    assert ax.get_ylim() == (-100, 100)
    assert set(texts(ax, "n")) == {"0"}


def test_the_trend_refuses_what_it_cannot_draw() -> None:
    table = course()
    with pytest.raises(errors.ArgumentError, match="16 rows for 8 pairs of segment and period"):
        score_trend(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="complete"):
        score_trend(table.drop(columns="complete"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        score_trend(table.assign(period=1), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match=r"'lower' of `table` holds 'x'.*score_trend"):
        score_trend(table.assign(lower="x"), ax=axes())
    both = pd.concat([table.assign(kind=one, metric=one) for one in ("nps", "csat")])
    both = both[["kind", *table.columns]]
    with pytest.raises(errors.ArgumentError, match=r"'metric' .* 2 values, 'nps', 'csat'.*Filter"):
        score_trend(both, ax=axes())
    both = pd.concat([table.assign(kind=one, window=one) for one in (1, 3)])
    with pytest.raises(errors.ArgumentError, match=r"'window' .* 2 values, 1, 3"):
        score_trend(both[["kind", *table.columns]], ax=axes())
    assert plt.get_fignums() == []


# --- both ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_small_frame_can_be_drawn(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are in memory")
    ax = axes()
    table = scores().astype(object).where(scores().notna(), None)
    nps_bar(backend.make(table.to_dict("records")), ax=ax)
    assert names(ax) == ["basic", "pro", "$5 to $10", "null"]
    assert texts(ax, "score") == [f"{MINUS}10", "+50", DASH, f"{MINUS}25"]
    ax = axes(8, 5)
    table = segments(2)
    table["period"] = table["period"].dt.date
    table = table.astype(object).where(table.notna(), None)
    score_trend(backend.make(table.to_dict("records")), ax=ax)
    assert labels(ax)[0] == "Aug\n2023"
    assert len(points(part(ax, "score"))) == 12


def test_dates_with_a_time_of_day_are_their_day() -> None:
    ax = axes()
    days = [dt.datetime(2024, month, 1) for month in range(1, 9)]  # noqa: DTZ001
    score_trend(course().assign(period=pd.Series(days, dtype=object)), ax=ax)
    assert labels(ax)[0] == "Jan\n2024"


@pytest.mark.parametrize(("draw", "table"), [(nps_bar, scores()), (score_trend, course())])
def test_without_axes_there_is_a_new_figure_and_nothing_else_changes(draw: Any, table: Any) -> None:
    before, options = table.copy(deep=True), dict(mpl.rcParams)
    ax = draw(table)
    assert plt.get_fignums() == [ax.figure.number]
    assert dict(mpl.rcParams) == options
    pd.testing.assert_frame_equal(table, before)
