"""The picture of growth accounting: what is stacked, marked, labelled and refused."""

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
from retainkit.plot._growth import growth_accounting

if TYPE_CHECKING:
    from backends import Backend


ABOVE, BELOW = ["retained", "resurrected", "new"], ["churned"]
ABOVE_AMOUNT = ["retained_amount", "expansion", "resurrected_amount", "new_amount"]
BELOW_AMOUNT = ["contraction", "churned_amount"]


def growth(periods: int = 14, freq: str = "MS", start: str = "2023-06-01") -> pd.DataFrame:
    """Make a table as `growth_accounting` gives it, its last period in progress."""
    days = pd.date_range(start, periods=periods, freq=freq).as_unit("us")
    table = pd.DataFrame({"period": days})
    table["active"] = 100 + table.index
    names = [*ABOVE, *BELOW, *ABOVE_AMOUNT, *BELOW_AMOUNT]
    for place, name in enumerate(names):
        table[name] = [10 * place + row % 5 + 1 for row in range(periods)]
    table["complete"] = table.index < periods - 1
    return table


def boxes(ax: Any, name: str) -> list[tuple[float, float, float]]:
    """Return the middle, the lower and the upper end of each bar of a name."""
    found = [bar.get_bbox() for bar in ax.patches if bar.get_gid() == name]
    return [((box.x0 + box.x1) / 2, *sorted((box.y0, box.y1))) for box in found]


def labels(ax: Any) -> list[str]:
    return [tick.get_text() for tick in ax.get_xticklabels()]


@pytest.mark.parametrize("amount", [False, True])
def test_bars_are_stacked_from_the_axis_upwards_and_downwards(*, amount: bool) -> None:
    ax, table = axes(), growth()
    assert growth_accounting(table, amount=amount, ax=ax) is ax
    above, below = (ABOVE_AMOUNT, BELOW_AMOUNT) if amount else (ABOVE, BELOW)
    for row in range(len(table)):
        foot = 0.0
        for name in above:
            top = foot + table.loc[row, name]  # type: ignore[operator]
            assert boxes(ax, name)[row] == pytest.approx((row, foot, top))
            foot = top  # type: ignore[assignment]
        foot = 0.0
        for name in below:
            low = foot - table.loc[row, name]  # type: ignore[operator]
            assert boxes(ax, name)[row] == pytest.approx((row, low, foot))
            foot = low  # type: ignore[assignment]
    assert len(ax.patches) == len(table) * (len(above) + len(below))


def test_the_legend_is_in_the_order_of_the_stack_and_names_the_colours() -> None:
    ax = axes()
    growth_accounting(growth(), ax=ax)
    assert words(ax) == ["new", "resurrected", "retained", "churned", "month not over"]
    colours = [to_hex(patch.get_facecolor()) for patch in ax.get_legend().get_patches()]
    assert len(set(colours)) == 5
    for name, colour in zip(["new", "resurrected", "retained", "churned"], colours, strict=False):
        bars = [bar for bar in ax.patches if bar.get_gid() == name]
        assert {to_hex(bar.get_facecolor()) for bar in bars} == {colour}
    ax = axes()
    growth_accounting(growth(), amount=True, ax=ax)
    expected = ["new", "resurrected", "expansion", "retained", "contraction", "churned"]
    assert words(ax) == [*expected, "month not over"]


@pytest.mark.slow
def test_a_period_that_is_not_over_is_hatched() -> None:
    ax, table = axes(), growth()
    growth_accounting(table, ax=ax)
    hatched = {round(bar.get_x() + 0.4) for bar in ax.patches if bar.get_hatch()}
    assert hatched == {len(table) - 1}
    ax = axes()
    growth_accounting(table[table["complete"]], ax=ax)
    assert not any(bar.get_hatch() for bar in ax.patches)
    assert "month not over" not in words(ax)


@pytest.mark.parametrize(
    ("freq", "start", "expected", "label"),
    [
        ("MS", "2023-11-01", ["Nov\n2023", "Dec", "Jan\n2024", "Feb"], "Customers in a month"),
        ("QS", "2023-07-01", ["Q3\n2023", "Q4", "Q1\n2024", "Q2"], "Customers in a quarter"),
        ("YS", "2022-01-01", ["2022", "2023", "2024", "2025"], "Customers in a year"),
        (
            "7D",
            "2023-12-18",
            ["18 Dec\n2023", "25 Dec", "1 Jan\n2024", "8 Jan"],
            "Customers in a week",
        ),
        (
            "D",
            "2023-12-30",
            ["30 Dec\n2023", "31 Dec", "1 Jan\n2024", "2 Jan"],
            "Customers in a day",
        ),
    ],
)
def test_the_axes_name_the_periods(freq: str, start: str, expected: list[str], label: str) -> None:
    ax = axes()
    growth_accounting(growth(4, freq, start), ax=ax)
    assert labels(ax) == expected
    assert ax.get_ylabel() == label
    assert ax.get_xlabel() == ("First day of the week" if freq == "7D" else "")
    assert ax.get_title() == ""


@pytest.mark.slow
@pytest.mark.parametrize("width", [2.6, 4, 7, 12])
@pytest.mark.parametrize("freq", ["D", "7D", "MS", "QS", "YS"])
def test_labels_of_periods_do_not_overlap_and_lie_at_their_bars(width: float, freq: str) -> None:
    ax, table = axes(width), growth(45, freq, "2001-01-01")
    growth_accounting(table, ax=ax)
    ax.figure.canvas.draw()
    ends = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert len(ends) >= 2
    assert all(left.x1 <= right.x0 for left, right in pairwise(ends))
    first = table.loc[int(ax.get_xticks()[0]), "period"]
    assert str(first.year) in labels(ax)[0]  # type: ignore[union-attr]


def test_months_are_marked_so_that_years_begin_with_a_mark() -> None:
    ax = axes()
    growth_accounting(growth(40, "MS", "2021-06-01"), ax=ax)
    assert "Jan\n2022" in labels(ax)
    assert "Jan\n2023" in labels(ax)


def test_the_axis_counts_the_lost_from_zero_downwards() -> None:
    ax, table = axes(), growth()
    growth_accounting(table, ax=ax)
    ax.figure.canvas.draw()
    values = ax.get_yticks()
    texts = [tick.get_text() for tick in ax.get_yticklabels()]
    assert min(values) < 0 < max(values)
    assert texts == [f"{abs(value):,.0f}" for value in values]


def test_a_missing_row_leaves_a_gap() -> None:
    ax, table = axes(), growth(6)
    growth_accounting(table.drop(index=2), ax=ax)
    assert [x for x, _, _ in boxes(ax, "new")] == pytest.approx([0, 1, 3, 4, 5])


@pytest.mark.slow
def test_rows_in_any_order_give_the_same_picture() -> None:
    first, second = axes(), axes()
    growth_accounting(growth(), ax=first)
    growth_accounting(growth()[::-1], ax=second)
    for name in [*ABOVE, *BELOW]:
        assert boxes(first, name) == boxes(second, name)
    assert labels(first) == labels(second)


def test_what_is_not_known_has_no_bar() -> None:
    ax, table = axes(), growth(3)
    growth_accounting(table.assign(churned=[math.nan, 4.0, 5.0]), ax=ax)
    assert [low for _, low, _ in boxes(ax, "churned")] == [0, -4, -5]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_can_be_drawn(rows: int) -> None:
    ax = axes()
    growth_accounting(growth().head(rows), ax=ax)
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    assert rows == 0 or high - low >= 3
    assert labels(ax) == {0: labels(ax), 1: ["2023-06-01"], 2: ["Jun\n2023", "Jul"]}[rows]


@pytest.mark.parametrize("size", [(3.2, 2.6), (7, 4.2)])
def test_the_legend_stays_within_the_figure(size: tuple[float, float]) -> None:
    ax = axes(*size)
    growth_accounting(growth(), amount=True, ax=ax)
    ax.figure.canvas.draw()
    legend, whole = ax.get_legend().get_window_extent(), ax.figure.bbox
    assert legend.x1 <= whole.x1
    assert legend.y1 <= whole.y1
    assert legend.y0 >= ax.bbox.y1 - 1


def test_growth_refuses_what_it_cannot_draw() -> None:
    table = growth()
    with pytest.raises(errors.ArgumentError, match="28 rows for 14 periods"):
        growth_accounting(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="resurrected"):
        growth_accounting(table.drop(columns="resurrected"), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="amount"):
        growth_accounting(table.drop(columns="new_amount"), amount=True, ax=axes())
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        growth_accounting(table.assign(period=1), ax=axes())
    with pytest.raises(errors.ArgumentTypeError, match="amount"):
        growth_accounting(table, amount="yes", ax=axes())  # type: ignore[arg-type]
    several = pd.concat([table.assign(plan="a"), table.assign(plan="b")])
    several = several[["plan", *table.columns]]
    with pytest.raises(errors.ArgumentError, match=r"2 segments of 'plan': 'a', 'b'.*filter"):
        growth_accounting(several, ax=axes())
    growth_accounting(several[several["plan"] == "a"], ax=axes())
    assert plt.get_fignums() == []


def test_growth_of_every_small_frame_can_be_drawn(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are in memory")
    table = growth()
    table["period"] = table["period"].dt.date
    ax = axes()
    growth_accounting(backend.make(table.to_dict("records")), ax=ax)
    assert labels(ax)[0] == "Jun\n2023"


def test_without_axes_there_is_a_new_figure_and_nothing_else_changes() -> None:
    table = growth()
    before, options = table.copy(deep=True), dict(mpl.rcParams)
    ax = growth_accounting(table)
    assert plt.get_fignums() == [ax.figure.number]  # type: ignore[union-attr]
    assert dict(mpl.rcParams) == options
    pd.testing.assert_frame_equal(table, before)
