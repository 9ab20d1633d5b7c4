"""The picture of a control chart: what is drawn, marked, explained and refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from pictures import axes, part, texts, words
from retainkit import errors
from retainkit.plot._control import control_chart

if TYPE_CHECKING:
    from backends import Backend


NAN = math.nan


def points(ax: Any, gid: str) -> list[list[float]]:
    """Return the points of lines that can be seen."""
    lines = part(ax, gid)
    return [[float(x), float(y)] for line in lines for x, y in line.get_xydata() if not np.isnan(y)]


def chart(**columns: Any) -> pd.DataFrame:
    """Make a table as `control_chart` gives it: ten months, of which the sixth is empty."""
    days = pd.date_range("2023-09-01", periods=10, freq="MS").as_unit("us")
    table = pd.DataFrame({"period": days})
    table["n"] = [120, 130, 110, 140, 125, 0, 118, 122, 131, 40]
    table["score"] = [30.0, 34.0, 28.0, 33.0, 31.0, NAN, 55.0, 36.0, 35.0, 20.0]
    table["centre"], table["lower_limit"], table["upper_limit"] = 31.2, 18.4, 44.0
    table["signal"] = [*[""] * 6, "beyond limits", "", "run of 8", ""]
    table["moving_range"], table["moving_range_limit"] = 4.0, 15.7
    table["baseline"] = table.index < 5
    table["complete"] = table.index < 9
    return table.assign(**{"kind": "individuals"} | columns)


def test_the_line_joins_the_periods_that_are_over() -> None:
    ax, table = axes(), chart()
    assert control_chart(table, ax=ax) is ax
    (line,) = part(ax, "line")
    np.testing.assert_array_equal(line.get_xdata(), np.arange(10))
    np.testing.assert_array_equal(line.get_ydata(), [*table["score"][:9], NAN])
    usual = [[row, table.loc[row, "score"]] for row in (0, 1, 2, 3, 4, 7)]
    assert points(ax, "usual") == usual
    assert points(ax, "unfinished") == [[9, 20]]
    (hollow,) = part(ax, "unfinished")
    assert to_hex(hollow.get_markerfacecolor()) == to_hex(ax.get_facecolor())


def test_signals_have_a_colour_and_shape_of_their_own_and_are_named() -> None:
    ax = axes()
    control_chart(chart(), ax=ax)
    assert points(ax, "signal: beyond limits") == [[6, 55]]
    assert points(ax, "signal: run of 8") == [[8, 35]]
    (beyond,), (run,), (usual,) = (
        part(ax, gid) for gid in ("signal: beyond limits", "signal: run of 8", "usual")
    )
    assert len({mark.get_marker() for mark in (beyond, run, usual)}) == 3
    assert beyond.get_color() == run.get_color() != usual.get_color()
    assert beyond.get_markersize() > usual.get_markersize()
    assert words(ax) == [
        *("score", "centre 31.2", "limits 18.4 to 44.0"),
        *("signal: beyond limits", "signal: run of 8", "month not over", "baseline"),
    ]
    ax = axes()
    control_chart(chart(signal=None, complete=True), ax=ax)
    assert words(ax) == ["score", "centre 31.2", "limits 18.4 to 44.0", "baseline"]
    assert len(points(ax, "usual")) == 9


def test_limits_are_steps_as_wide_as_their_periods() -> None:
    ax = axes()
    low = np.arange(10) + 5.0
    low[5] = NAN  # without answers there are no limits by their number
    control_chart(chart(kind="sampling", lower_limit=low, upper_limit=60 - low), ax=ax)
    for gid, values in (("lower_limit", low), ("upper_limit", 60 - low)):
        (line,) = part(ax, gid)
        x, y = line.get_xdata(), line.get_ydata()
        np.testing.assert_array_equal(x[::2], np.arange(10) - 0.5)
        np.testing.assert_array_equal(x[1::2], np.arange(10) + 0.5)
        np.testing.assert_array_equal(y[::2], values)
        np.testing.assert_array_equal(y[1::2], values)
    (centre,) = part(ax, "centre")
    assert set(centre.get_ydata()) == {31.2}
    assert words(ax)[1:3] == ["centre 31.2", "limits"]
    (lower,), (upper,) = part(ax, "lower_limit"), part(ax, "upper_limit")
    assert lower.get_linestyle() == upper.get_linestyle() != centre.get_linestyle()


def test_the_baseline_is_shaded_where_it_is_not_everything() -> None:
    ax = axes()
    control_chart(chart(), ax=ax)
    spans = [span.get_extents() for span in part(ax, "baseline")]
    ends = [ax.transData.inverted().transform(span.get_points())[:, 0] for span in spans]
    assert [one.tolist() for one in ends] == [
        pytest.approx([row - 0.5, row + 0.5]) for row in range(5)
    ]
    for table in (chart(baseline=chart()["complete"]), chart().drop(columns="baseline")):
        ax = axes()
        control_chart(table, ax=ax)
        assert part(ax, "baseline") == []
        assert "baseline" not in words(ax)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("individuals", "Limits from the distance of neighbouring months, whatever its cause."),
        ("sampling", "Limits from the number of answers alone: everything else is a signal."),
        ("other", ""),
    ],
)
def test_it_says_where_the_limits_come_from(kind: str, expected: str) -> None:
    ax = axes()
    control_chart(chart(kind=kind), ax=ax)
    assert " ".join(ax.get_xlabel().split()) == expected
    assert ax.get_title() == ""


@pytest.mark.parametrize(
    ("metric", "unit", "label", "limits"),
    [
        ("nps", 1.0, "Net promoter score (NPS)", "limits 18.4 to 44.0"),
        ("csat", 0.01, "Share of the satisfied (CSAT)", "limits 18.4% to 44.0%"),
        ("mean", 0.1, "Mean score", "limits 1.84 to 4.40"),
        (None, 1.0, "Score", "limits 18.4 to 44.0"),
    ],
)
def test_the_axis_is_in_the_unit_of_the_metric(
    metric: str | None, unit: float, label: str, limits: str
) -> None:
    ax, table = axes(), chart(metric=metric)
    table[["score", "centre", "lower_limit", "upper_limit"]] *= unit
    control_chart(table if metric else table.drop(columns="metric"), ax=ax)
    ax.figure.canvas.draw()
    assert ax.get_ylabel() == label
    assert words(ax)[2] == limits
    low, high = ax.get_ylim()
    assert low < 18.4 * unit
    assert 55 * unit < high
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert all(tick.endswith("%") for tick in ticks) == (metric == "csat")


@pytest.mark.slow
def test_limits_beyond_the_scale_are_in_sight() -> None:
    ax = axes()
    control_chart(chart(metric="nps", centre=85.0, lower_limit=60.0, upper_limit=110.0), ax=ax)
    assert ax.get_ylim()[1] >= 110


def test_answers_are_counted_beneath() -> None:
    ax = axes()
    control_chart(chart(), ax=ax)
    assert texts(ax, "n") == ["120", "130", "110", "140", "125", "0", "118", "122", "131", "40"]
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in part(ax, "n")]
    assert max(box.y1 for box in boxes) <= ax.get_xticklabels()[0].get_window_extent().y0
    assert ax.xaxis.label.get_window_extent().y1 <= min(box.y0 for box in boxes)
    assert ax.xaxis.label.get_window_extent().y0 >= 0
    legend = ax.get_legend().get_window_extent()
    assert legend.y0 >= ax.bbox.y1 - 1
    assert legend.y1 <= ax.figure.bbox.y1
    assert legend.x1 <= ax.figure.bbox.x1


def test_rows_in_any_order_give_the_same_picture() -> None:
    first, second = axes(), axes()
    control_chart(chart(), ax=first)
    control_chart(chart().iloc[[3, 1, 9, 0, 2, 4, 6, 5, 8, 7]], ax=second)
    for gid in ("line", "usual", "unfinished", "upper_limit", "signal: run of 8"):
        assert points(first, gid) == points(second, gid)
    assert words(first) == words(second)
    assert texts(first, "n") == texts(second, "n")


def test_a_missing_row_leaves_a_gap() -> None:
    ax = axes()
    control_chart(chart().drop(index=2), ax=ax)
    (line,) = part(ax, "line")
    assert np.isnan(line.get_ydata()[2])
    assert np.isnan(part(ax, "upper_limit")[0].get_ydata()[4:6]).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_can_be_drawn(rows: int) -> None:
    ax = axes()
    control_chart(chart().head(rows), ax=ax)
    ax.figure.draw_without_rendering()
    assert len(points(ax, "usual")) == rows
    assert texts(ax, "empty") == ([] if rows else ["No answers"])


def test_a_chart_without_any_answers_can_be_drawn() -> None:
    ax = axes()
    nothing = dict.fromkeys(["score", "centre", "lower_limit", "upper_limit"], NAN)
    control_chart(chart().assign(n=0, signal="", **nothing), ax=ax)
    ax.figure.draw_without_rendering()
    assert texts(ax, "empty") == ["No answers"]


@pytest.mark.parametrize("size", [(3.4, 3), (7, 4), (12, 5)])
def test_many_periods_can_be_drawn_at_any_size(size: tuple[float, float]) -> None:
    table = pd.concat([chart()] * 12, ignore_index=True)
    table["period"] = pd.date_range("2022-01-03", periods=120, freq="7D").as_unit("us")
    ax = axes(*size)
    control_chart(table, ax=ax)
    ax.figure.canvas.draw()
    assert ax.get_xlabel().startswith("First day of the week")
    boxes = [text.get_window_extent() for text in [*part(ax, "counted"), *part(ax, "n")]]
    for one in range(len(boxes)):
        for other in range(one):
            assert not boxes[one].overlaps(boxes[other])


def test_the_chart_refuses_what_it_cannot_draw() -> None:
    table = chart()
    with pytest.raises(errors.ArgumentError, match="20 rows for 10 periods"):
        control_chart(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="upper_limit"):
        control_chart(table.drop(columns="upper_limit"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        control_chart(table.assign(period="January"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match=r"'centre' of `table` holds 'x'.*numbers"):
        control_chart(table.assign(centre="x"), ax=axes())
    with pytest.raises(errors.ArgumentError, match=r"'kind' of `table` holds 2 values"):
        control_chart(table.assign(kind=["sampling"] * 5 + ["individuals"] * 5), ax=axes())
    several = pd.concat([table.assign(plan="a"), table.assign(plan="b")])
    several = several[["plan", *table.columns]]
    with pytest.raises(errors.ArgumentError, match=r"2 segments of 'plan': 'a', 'b'.*filter"):
        control_chart(several, ax=axes())
    control_chart(several[several["plan"] == "a"], ax=axes())
    assert plt.get_fignums() == []


def test_every_small_frame_can_be_drawn(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are in memory")
    table = chart()
    table["period"] = table["period"].dt.date
    table = table.astype(object).where(table.notna(), None)
    ax = axes()
    control_chart(backend.make(table.to_dict("records")), ax=ax)
    assert len(points(ax, "usual")) == 6
    assert points(ax, "signal: beyond limits") == [[6, 55]]
    assert "baseline" in words(ax)


def test_without_axes_there_is_a_new_figure_and_nothing_else_changes() -> None:
    table = chart()
    before, options = table.copy(deep=True), dict(mpl.rcParams)
    ax = control_chart(table)
    assert plt.get_fignums() == [ax.figure.number]  # type: ignore[union-attr]
    assert dict(mpl.rcParams) == options
    pd.testing.assert_frame_equal(table, before)
