"""The pictures that hold a model to what came: what is drawn, marked, worded and refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

from backends import BACKENDS, Backend, params
from pictures import axes, part, words
from retainkit import errors
from retainkit.plot._holdout import holdout_calibration, tracking


def course(periods: int = 12, freq: str = "7D", held: int = 5, unfinished: int = 1) -> Any:
    """Make a table as `tracking` gives it."""
    actual = 20 + 7 * np.arange(periods) % 11
    expected = np.linspace(28, 18, periods)
    return pd.DataFrame(
        {
            "period": pd.date_range("2024-01-01", periods=periods, freq=freq).as_unit("us"),
            "customers": 100,
            "actual": actual,
            "expected": expected,
            "actual_cumulative": actual.cumsum(),
            "expected_cumulative": expected.cumsum(),
            "holdout": np.arange(periods) >= periods - held,
            "complete": np.arange(periods) < periods - unfinished,
        }
    )


def frequencies() -> Any:
    return pd.DataFrame(
        {
            "frequency": ["0", "1", "2", "3+"],
            "customers": [1411, 439, 0, 507],
            "actual": [0.24, 0.7, np.nan, 3.1],
            "expected": [0.23, 0.6, np.nan, 3.0],
            "naive": [0.0, 1.2, np.nan, 6.1],
            "lower": [0.2, 0.59, np.nan, 2.7],
            "upper": [0.28, 0.83, np.nan, 3.6],
        }
    )


# --- tracking -----------------------------------------------------------------------------


@pytest.mark.parametrize("cumulative", [False, True])
def test_both_lines_are_drawn_at_the_first_day_of_their_period(*, cumulative: bool) -> None:
    ax, table = axes(), course()
    assert tracking(table, cumulative=cumulative, ax=ax) is ax
    ending = "_cumulative" if cumulative else ""
    for name in ("actual", "expected"):
        (line,) = part(ax, name)
        assert np.asarray(line.get_xdata()).tolist() == date2num(table["period"]).tolist()  # type: ignore[no-untyped-call]
        heights = np.asarray(line.get_ydata(), float)
        np.testing.assert_array_equal(heights[:-1], table[name + ending][:-1])
        # No line falls to a week that is not over.
        assert np.isnan(heights[-1])


def test_a_period_that_is_not_over_is_hollow_and_named() -> None:
    ax, table = axes(), course()
    tracking(table, ax=ax)
    marks = part(ax, "unfinished")
    ends = [float(np.asarray(mark.get_ydata())[0]) for mark in marks]
    assert ends == [table["actual"].iloc[-1], table["expected"].iloc[-1]]
    assert {to_hex(mark.get_markerfacecolor()) for mark in marks} == {"#ffffff"}
    assert words(ax) == ["expected", "actual", "week not over, so far"]
    ax = axes()
    tracking(course(unfinished=0), ax=ax)
    assert part(ax, "unfinished") == []
    assert words(ax) == ["expected", "actual"]


def test_the_holdout_is_shaded_from_the_end_of_calibration() -> None:
    ax, table = axes(), course()
    tracking(table, ax=ax)
    (shade,) = part(ax, "holdout")
    (line,) = part(ax, "calibration end")
    starts = date2num(table["period"])  # type: ignore[no-untyped-call]
    assert starts[6] < shade.get_x() < starts[7]
    assert np.asarray(line.get_xdata())[0] == shade.get_x()
    assert [text.get_text() for text in part(ax, "side")] == ["holdout", "calibration"]


@pytest.mark.parametrize(("held", "sides"), [(0, []), (12, ["holdout"])])
def test_one_side_alone_has_no_line(held: int, sides: list[str]) -> None:
    ax = axes()
    tracking(course(held=held), ax=ax)
    assert [text.get_text() for text in part(ax, "side")] == sides
    assert part(ax, "calibration end") == []


@pytest.mark.parametrize(
    ("freq", "unit"),
    [("D", "day"), ("7D", "week"), ("MS", "month"), ("QS", "quarter"), ("YS", "year")],
)
def test_the_axes_name_the_period(freq: str, unit: str) -> None:
    ax = axes()
    tracking(course(freq=freq), ax=ax)
    assert ax.get_ylabel() == f"Repeat purchases in a {unit}"
    assert ax.get_xlabel() == f"First day of the {unit}"
    assert ax.get_title() == ""
    assert ax.get_ylim()[0] == 0
    ax = axes()
    tracking(course(freq=freq), cumulative=True, ax=ax)
    assert ax.get_ylabel() == "Repeat purchases since the beginning"


def test_one_row_or_none_can_be_drawn() -> None:
    for rows in (0, 1):
        ax = axes()
        tracking(course().head(rows), ax=ax)
        ax.figure.draw_without_rendering()
        assert ax.get_ylabel() == "Repeat purchases in a period"


def test_rows_in_any_order_give_the_same_picture() -> None:
    first, second = axes(), axes()
    tracking(course(), ax=first)
    tracking(course()[::-1], ax=second)
    for name in ("actual", "expected"):
        (a,), (b,) = part(first, name), part(second, name)
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


def test_tracking_refuses_what_it_cannot_draw() -> None:
    table = course()
    with pytest.raises(errors.ArgumentError, match="24 rows for 12 periods"):
        tracking(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="holdout"):
        tracking(table.drop(columns="holdout"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        tracking(table.assign(period=1), ax=axes())
    with pytest.raises(errors.ArgumentTypeError, match="cumulative"):
        tracking(table, cumulative="yes", ax=axes())  # type: ignore[arg-type]


# --- the holdout by frequency -------------------------------------------------------------


def test_frequencies_show_what_came_with_its_interval_and_both_forecasts() -> None:
    ax, table = axes(), frequencies()
    assert holdout_calibration(table, ax=ax) is ax
    drawn = dict(zip((line.get_label() for line in ax.lines), ax.lines, strict=True))
    for label, name in {
        "actual, with interval": "actual",
        "expected by the model": "expected",
        "naive: as before": "naive",
    }.items():
        np.testing.assert_array_equal(drawn[label].get_ydata(), table[name])
    assert words(ax) == ["actual, with interval", "expected by the model", "naive: as before"]
    (bars,) = ax.collections
    ends = [path.vertices[:, 1].tolist() for path in bars.get_paths() if len(path.vertices)]  # type: ignore[arg-type,index,union-attr]
    known = [end for end in ends if not np.isnan(end).any()]
    assert known == [[0.2, 0.28], [0.59, 0.83], [2.7, 3.6]]


def test_frequencies_are_labelled_with_their_customers() -> None:
    ax = axes()
    holdout_calibration(frequencies(), ax=ax)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["0\nn = 1,411", "1\n439", "2\n0", "3+\n507"]
    assert "Repeat purchases of a customer in calibration" in ax.get_xlabel().replace("\n", " ")
    assert ax.get_ylabel() == "Mean purchases of a customer\nin the holdout"
    assert ax.get_ylim()[0] == 0


@pytest.mark.parametrize("width", [3.2, 5, 9])
def test_labels_of_frequencies_do_not_overlap(width: float) -> None:
    names = ["actual", "expected", "naive", "lower", "upper"]
    table = pd.DataFrame({name: np.linspace(0.1, 9, 8) for name in names})
    table["frequency"], table["customers"] = [*"0123456", "7+"], [11411, *range(439, 432, -1)]
    ax = axes(width)
    holdout_calibration(table, ax=ax)
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_frequencies_refuse_what_cannot_be_drawn() -> None:
    table = frequencies()
    with pytest.raises(errors.ArgumentError, match="8 rows for 4 frequencies"):
        holdout_calibration(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="naive"):
        holdout_calibration(table.drop(columns="naive"), ax=axes())
    ax = axes()
    holdout_calibration(table.head(0), ax=ax)
    ax.figure.draw_without_rendering()


# --- both ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", params(one for one in BACKENDS if not one.lazy), indirect=True)
def test_every_frame_in_memory_can_be_drawn(backend: Backend) -> None:
    table = course()
    table["period"] = table["period"].dt.date
    tracking(backend.make(table.to_dict("records")), ax=axes())
    holdout_calibration(backend.make(frequencies().to_dict("records")), ax=axes())


@pytest.mark.parametrize("picture", [tracking, holdout_calibration])
def test_without_axes_there_is_a_new_figure_and_nothing_else_changes(picture: Any) -> None:
    table = course() if picture is tracking else frequencies()
    before, settings = table.copy(deep=True), dict(mpl.rcParams)
    ax = picture(table)
    assert plt.get_fignums() == [ax.figure.number]
    assert dict(mpl.rcParams) == settings
    pd.testing.assert_frame_equal(table, before)
