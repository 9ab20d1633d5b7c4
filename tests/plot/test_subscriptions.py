"""The pictures of subscriptions: the waterfall of revenue and the curve of survival."""

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
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from pictures import axes, part, plain, texts, words
from retainkit import errors, mrr_movements
from retainkit.plot._style import legible
from retainkit.plot._survival import survival_curve
from retainkit.plot._waterfall import mrr_waterfall

if TYPE_CHECKING:
    from backends import Backend


NAN = math.nan
MINUS = "\N{MINUS SIGN}"


# --- the waterfall ------------------------------------------------------------------------


def movements(transfers: tuple[int, int] | None = None) -> pd.DataFrame:
    """Make three months as `mrr_movements` gives them, the last of them in progress."""
    table = pd.DataFrame(
        {
            "period": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]).as_unit("us"),
            "opening": [0.0, 1000.0, 900.0],
            "new": [1000.0, 250.0, 100.0],
            "expansion": [0.0, 50.0, 30.0],
            "contraction": [0.0, 100.0, 20.0],
            "churn": [0.0, 300.0, 400.0],
            "reactivation": [0.0, 0.0, 40.0],
            "closing": [1000.0, 900.0, 650.0],
            "complete": [True, True, False],
        }
    )
    for place, name in enumerate(table.columns[1:-1]):
        table[f"{name}_customers"] = [place, 10 + place, 20 + place]
    if transfers is not None:
        table["transfer_in"] = [0, transfers[0], 0]
        table["transfer_out"] = [0, transfers[1], 0]
        table["closing"] += [0, transfers[0] - transfers[1], 0]
    return table


def ends(ax: Any) -> list[tuple[float, float, float]]:
    found = [bar.get_bbox() for bar in part(ax, "bar")]
    return [((box.x0 + box.x1) / 2, box.y0, box.y1) for box in found]


def names(ax: Any) -> list[str]:
    return [tick.get_text() for tick in ax.get_xticklabels()]


def test_each_movement_begins_where_the_one_before_ended() -> None:
    ax = axes()
    assert mrr_waterfall(movements(), ax=ax) is ax
    # February: the last month that is complete.
    levels = [(0, 1000), (1000, 1250), (1250, 1300), (1300, 1300), (1200, 1300), (900, 1200)]
    expected = [(x, *level) for x, level in enumerate([*levels, (0, 900)])]
    assert ends(ax) == [pytest.approx(one) for one in expected]
    amounts = ["1,000", "+250", "+50", "0", f"{MINUS}100", f"{MINUS}300", "900"]
    assert texts(ax, "amount") == amounts
    joins = [np.asarray(line.get_ydata()).tolist() for line in part(ax, "join")]
    assert joins == [[level, level] for level in (1000, 1250, 1300, 1300, 1200, 900)]
    assert ax.get_ylim()[0] == 0
    assert part(ax, "cut") == []
    assert not any(bar.get_hatch() for bar in part(ax, "bar"))


def test_bars_are_named_with_their_customers() -> None:
    ax = axes(8)
    mrr_waterfall(movements(), ax=ax)
    assert names(ax) == [
        "opening\n10", "new\n11", "expansion\n12", "reactivation\n15", "contraction\n13",
        "churn\n14", "closing\n16",
    ]  # fmt: skip
    assert plain(ax.get_xlabel()) == "Movements in February 2024, and number of customers"
    assert ax.get_ylabel() == "Monthly recurring revenue (MRR)"
    ax = axes(8)
    table = movements()
    mrr_waterfall(table[[name for name in table if "customers" not in name]], ax=ax)  # type: ignore[operator]
    assert names(ax)[:2] == ["opening", "new"]
    assert plain(ax.get_xlabel()) == "Movements in February 2024"


def test_ups_downs_and_levels_have_colours_of_their_own() -> None:
    ax = axes()
    mrr_waterfall(movements(), ax=ax)
    colours = [to_hex(bar.get_facecolor()) for bar in part(ax, "bar")]
    assert colours[0] == colours[6]
    assert colours[1] == colours[2] == colours[3]
    assert colours[4] == colours[5]
    assert len(set(colours)) == 3


@pytest.mark.parametrize(
    "period",
    [
        "2024-03-01",
        dt.date(2024, 3, 1),
        dt.datetime(2024, 3, 1, tzinfo=dt.UTC),
        pd.Timestamp(2024, 3, 1),
    ],
)
def test_another_period_can_be_named_and_one_in_progress_is_marked(period: Any) -> None:
    ax = axes()
    mrr_waterfall(movements(), period=period, ax=ax)
    assert texts(ax, "amount") == [
        "900", "+100", "+30", "+40", f"{MINUS}20", f"{MINUS}400", "650",
    ]  # fmt: skip
    assert [bool(bar.get_hatch()) for bar in part(ax, "bar")] == [False] * 6 + [True]
    assert "Hatched: not over, so the closing is not final." in plain(ax.get_xlabel())


@pytest.mark.parametrize(("period", "day"), [("month", "2024-03-01"), ("year", "2024-01-01")])
def test_a_month_or_a_year_is_named_by_its_number(period: Any, day: str) -> None:
    table = mrr_movements(
        pd.DataFrame(
            {
                "customer_id": [1, 2],
                "start": pd.to_datetime(["2022-05-05", "2024-03-10"]),
                "end": pd.Series([None, None], dtype="datetime64[us]"),
                "mrr": [50.0, 30.0],
            }
        ),
        period=period,
        as_of="2025-01-01",
    )
    short, long = axes(), axes()
    mrr_waterfall(table, period=day[: {"month": 7, "year": 4}[period]], ax=short)
    mrr_waterfall(table, period=day, ax=long)
    assert texts(short, "amount") == texts(long, "amount")
    assert "+30" in texts(short, "amount")
    with pytest.raises(errors.ArgumentError, match="first day of one of the periods"):
        mrr_waterfall(table, period="2024-3", ax=axes())


def test_a_month_is_no_name_of_a_week() -> None:
    table = movements().assign(period=pd.to_datetime(["2024-06-24", "2024-07-01", "2024-07-08"]))
    with pytest.raises(errors.ArgumentError, match="first day of one of the periods"):
        mrr_waterfall(table, period="2024-07", ax=axes())


def test_several_periods_are_added_up() -> None:
    ax = axes(9)
    mrr_waterfall(movements(), period=("2024-01-01", "2024-02-01"), ax=ax)
    assert texts(ax, "amount") == [
        "0", "+1,250", "+50", "0", f"{MINUS}100", f"{MINUS}300", "900",
    ]  # fmt: skip
    # Customers at the ends, and movements in between.
    assert [name.split("\n")[1] for name in names(ax)] == ["0", "12", "14", "20", "16", "18", "16"]
    expected = "Movements from January 2024 to February 2024, and their number"
    assert plain(ax.get_xlabel()) == expected


def test_transfers_are_drawn_where_there_are_some() -> None:
    ax = axes(9)
    mrr_waterfall(movements((80, 30)), ax=ax)
    assert [name.split("\n")[0] for name in names(ax)] == [
        "opening", "new", "expansion", "reactivation", "transfer in", "contraction", "churn",
        "transfer out", "closing",
    ]  # fmt: skip
    assert ends(ax)[4] == pytest.approx((4, 1300, 1380))
    assert ends(ax)[7] == pytest.approx((7, 950, 980))
    ax = axes()
    mrr_waterfall(movements((0, 0)), ax=ax)
    assert len(names(ax)) == 7


def test_small_movements_cut_the_axis_and_say_so() -> None:
    ax = axes()
    table = movements()
    large = table.assign(opening=table["opening"] + 20_000, closing=table["closing"] + 20_000)
    mrr_waterfall(large, ax=ax)
    floor = ax.get_ylim()[0]
    # The lowest level is 20,900, and the movements take most of the height.
    assert 20_000 < floor < 20_900
    assert ax.get_ylim()[1] - floor < 2 * 400
    assert f"The axis is cut at {floor:,.0f}." in plain(ax.get_xlabel())
    cuts = {round(float(np.mean(line.get_xdata()))) for line in part(ax, "cut")}
    assert cuts == {0, 6}
    assert texts(ax, "amount")[0] == "21,000"


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (0.01, ["10.00", "+2.50", "+0.50", "0", f"{MINUS}1.00"]),
        (0.1, ["100", "+25", "+5", "0", f"{MINUS}10"]),
        (10, ["10,000", "+2,500", "+500", "0", f"{MINUS}1,000"]),
        (1e3, ["1,000k", "+250k", "+50k", "0", f"{MINUS}100k"]),
        (500, ["500.0k", "+125.0k", "+25.0k", "0", f"{MINUS}50.0k"]),
        (1e5, ["100.0M", "+25.0M", "+5.0M", "0", f"{MINUS}10.0M"]),
        (1e8, ["100.0bn", "+25.0bn", "+5.0bn", "0", f"{MINUS}10.0bn"]),
    ],
)
def test_amounts_are_written_in_a_size_that_suits(scale: float, expected: list[str]) -> None:
    ax, table = axes(), movements()
    money = [name for name in table if table[name].dtype == float]
    mrr_waterfall(table.assign(**{name: table[name] * scale for name in money}), ax=ax)  # type: ignore[arg-type]
    assert texts(ax, "amount")[:5] == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scale", "expected"), [(0.005, "2"), (1, "400"), (500, "200k"), (1e5, "40M")]
)
def test_the_axis_has_no_needless_decimals(scale: float, expected: str) -> None:
    ax, table = axes(), movements()
    money = [name for name in table if table[name].dtype == float]
    mrr_waterfall(table.assign(**{name: table[name] * scale for name in money}), ax=ax)  # type: ignore[arg-type]
    ax.figure.draw_without_rendering()
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert expected in ticks
    assert not any(tick.endswith((".0", ".00", ".0k", ".0M")) for tick in ticks)


def test_a_movement_that_rounds_to_nothing_is_not_nothing() -> None:
    ax, table = axes(), movements()
    table.loc[1, ["reactivation", "closing"]] = [0.3, 900.3]
    mrr_waterfall(table, ax=ax)
    assert texts(ax, "amount")[3] == "+<1"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3.4, 2.8), (4.5, 3), (6.4, 4.2), (10, 6)])
def test_amounts_and_names_do_not_overlap(size: tuple[float, float]) -> None:
    ax = axes(*size)
    mrr_waterfall(movements((80, 30)), ax=ax)
    ax.figure.canvas.draw()
    boxes = np.array([text.get_window_extent().extents for text in part(ax, "amount")])
    left, low, right, high = boxes.T
    across = (left[:, None] < right) & (left < right[:, None])
    down = (low[:, None] < high) & (low < high[:, None])
    assert np.argwhere(across & down).tolist() == [[i, i] for i in range(9)]
    ticks = ax.get_xticklabels()
    if not ticks[0].get_rotation():
        spans = [tick.get_window_extent() for tick in ticks]
        assert all(one.x1 <= other.x0 for one, other in pairwise(spans))
    assert ax.yaxis.label.get_window_extent().y1 <= ax.figure.bbox.y1
    assert ax.xaxis.label.get_window_extent().x1 <= ax.figure.bbox.x1


def test_a_waterfall_without_a_complete_period_shows_the_last_one() -> None:
    ax = axes()
    mrr_waterfall(movements().tail(1), ax=ax)
    assert texts(ax, "amount")[0] == "900"
    assert "Movements in the period from 2024-03-01" in plain(ax.get_xlabel())


@pytest.mark.parametrize("zero", [True, False])
def test_a_waterfall_of_nothing_can_be_drawn(*, zero: bool) -> None:
    ax, table = axes(), movements()
    money = [name for name in table if table[name].dtype == float]
    table = table.assign(**dict.fromkeys(money, 0.0)) if zero else table.head(0)  # type: ignore[arg-type]
    mrr_waterfall(table, ax=ax)
    ax.figure.draw_without_rendering()
    assert texts(ax, "amount") == (["0"] * 7 if zero else [])


def test_waterfall_refuses_what_it_cannot_draw() -> None:
    table = movements()
    with pytest.raises(errors.ArgumentError, match="6 rows for 3 periods"):
        mrr_waterfall(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match="churn"):
        mrr_waterfall(table.drop(columns="churn"), ax=axes())
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        mrr_waterfall(table.assign(period="January"), ax=axes())
    for period in ("2024-02-02", "February", 3):
        with pytest.raises(errors.ArgumentError, match="from 2024-01-01 to 2024-03-01"):
            mrr_waterfall(table, period=period, ax=axes())  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match="first period comes after the last"):
        mrr_waterfall(table, period=("2024-02-01", "2024-01-01"), ax=axes())
    with pytest.raises(errors.ArgumentError, match="or a pair"):
        mrr_waterfall(table, period=("2024-02-01",), ax=axes())  # type: ignore[arg-type]
    gap = table.drop(index=1)
    with pytest.raises(errors.ArgumentError, match=r"does not add up: .* 750\.00 .* 650\.00"):
        mrr_waterfall(gap, period=("2024-01-01", "2024-03-01"), ax=axes())
    money = ["opening", "new", "expansion", "contraction", "churn", "reactivation", "closing"]
    tiny = gap.assign(**{name: gap[name] * 1e-9 for name in money})
    with pytest.raises(errors.ArgumentError, match="does not add up"):
        mrr_waterfall(tiny, period=("2024-01-01", "2024-03-01"), ax=axes())
    several = pd.concat([table.assign(plan="a"), table.assign(plan="b")])
    with pytest.raises(errors.ArgumentError, match=r"2 segments of 'plan': 'a', 'b'.*filter"):
        mrr_waterfall(several[["plan", *table.columns]], ax=axes())
    assert plt.get_fignums() == []


# --- the curve of survival ----------------------------------------------------------------


def survival(plan: str | None = None, shift: float = 0.0) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "tenure": [0, 1, 2, 3, 4, 5, 6],
            "at_risk": [1200, 1150, 900, 600, 300, 90, 7],
            "churned": [0, 100, 100, 100, 50, 20, 0],
            "survival": np.array([1.0, 0.9, 0.7, 0.6, 0.5, 0.35, 0.35]) + shift,
            "lower": np.array([1.0, 0.87, 0.66, 0.55, 0.44, 0.25, 0.25]) + shift,
            "upper": np.array([1.0, 0.92, 0.74, 0.65, 0.56, 0.45, NAN]) + shift,
            "hazard": 0.1,
        }
    )
    if shift:
        table.loc[0, ["survival", "lower", "upper"]] = 1.0
    if plan is not None:
        table.insert(0, "plan", plan)
    return table


def by_plan() -> pd.DataFrame:
    return pd.concat([survival("$5 to $10"), survival("pro", 0.2)])


def test_the_curve_steps_down_at_each_tenure() -> None:
    ax, table = axes(), survival()
    assert survival_curve(table, ax=ax, unit="month") is ax
    (line,) = part(ax, "survival")
    assert line.get_drawstyle() == "steps-post"
    assert line.get_xdata().tolist() == table["tenure"].tolist()
    assert line.get_ydata().tolist() == table["survival"].tolist()
    assert ax.get_ylim() == (0, 1)
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlabel() == "Tenure (months since the start)"
    assert ax.get_ylabel() == "Share of customers still there"
    assert ax.get_title() == ""


def test_the_band_reaches_from_lower_to_upper_of_every_step() -> None:
    ax, table = axes(), survival().head(6)
    survival_curve(table, ax=ax)
    (band,) = part(ax, "interval")
    points = np.vstack([path.vertices for path in band.get_paths()]).round(9)
    corners = set(map(tuple, points.tolist()))
    rows = list(table.itertuples())
    for row, later in pairwise(rows):
        # Level from one tenure to the next, where the next step begins.
        for height in (row.lower, row.upper):
            assert {(row.tenure, round(height, 9)), (later.tenure, round(height, 9))} <= corners  # type: ignore[arg-type]


def test_the_median_is_marked_where_half_are_left() -> None:
    ax = axes()
    survival_curve(by_plan(), ax=ax, unit="month")
    # 0.5 exactly is reached: of the first at 4, of the second (0.55 at the end) never.
    marks = [(float(m.get_xdata()[0]), float(m.get_ydata()[0])) for m in part(ax, "median")]
    assert marks == [(4.0, 0.5)]
    assert [list(drop.get_xdata()) for drop in part(ax, "drop")] == [[4.0, 4.0]]
    assert words(ax) == [
        "$5 to $10 (1,200), median 4 months",
        "pro (1,200), median not reached",
        "interval",
    ]
    assert ax.get_legend().get_title().get_text() == "plan (customers)"
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())


def test_one_half_that_was_rounded_up_is_one_half() -> None:
    ax, table = axes(), survival()
    share = [1.0, 0.9, 0.7, 0.5000000000000001, 0.45, 0.3, 0.3]
    survival_curve(table.assign(survival=share), ax=ax)
    assert words(ax)[0] == "1,200 customers, median 3"


def test_one_curve_has_no_name_and_units_are_singular_where_one() -> None:
    ax, table = axes(), survival()
    survival_curve(table.assign(survival=[1.0, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1]), ax=ax, unit="year")
    assert words(ax) == ["1,200 customers, median 1 year", "interval"]
    ax = axes()
    survival_curve(table, ax=ax)
    assert words(ax)[0] == "1,200 customers, median 4"
    assert ax.get_xlabel() == "Tenure"


def test_with_late_entry_no_number_of_customers_is_made_up() -> None:
    late = survival().assign(at_risk=[5, 40, 70, 60, 30, 9, 7])
    ax = axes()
    survival_curve(late, ax=ax)
    assert words(ax)[0] == "up to 70 customers at risk, median 4"
    ax = axes()
    late.insert(0, "plan", "pro")
    survival_curve(late, ax=ax)
    assert words(ax)[0] == "pro (up to 70), median 4"
    assert ax.get_legend().get_title().get_text() == "plan (customers at risk)"


def test_the_number_at_risk_stands_beneath_its_tenure() -> None:
    ax = axes()
    survival_curve(by_plan(), ax=ax, unit="month")
    ticks = ax.get_xticks().tolist()
    assert ticks == [0, 1, 2, 3, 4, 5, 6]
    found = [(text.get_position()[0], text.get_text()) for text in part(ax, "at risk")]
    row = list(zip(ticks, ["1,200", "1,150", "900", "600", "300", "90", "7"], strict=True))
    assert found == row + row
    ax.figure.canvas.draw()
    label = ax.xaxis.label.get_window_extent()
    for text in part(ax, "at risk"):
        box = text.get_window_extent()
        assert box.y1 <= label.y0
        assert box.y0 >= 0
    colours = [legible(ax, line.get_color()) for line in part(ax, "survival")]
    assert [text.get_color() for text in part(ax, "at risk")] == [
        colours[0]] * 7 + [colours[1]] * 7  # fmt: skip


def test_between_rows_those_at_risk_are_those_of_the_next_row() -> None:
    # Kaplan-Meier rows at events only: of 21, those at risk just before each.
    table = pd.DataFrame({"tenure": [2, 5], "at_risk": [21, 15], "survival": [0.9, 0.8]})
    table = table.assign(lower=0.5, upper=0.95)
    ax = axes()
    survival_curve(table, ax=ax, unit="month")
    found = {text.get_position()[0]: text.get_text() for text in part(ax, "at risk")}
    assert found == {0: "21", 1: "21", 2: "21", 3: "15", 4: "15", 5: "15"}
    (line,) = part(ax, "survival")
    assert line.get_xdata().tolist() == [0, 2, 5]
    assert line.get_ydata().tolist() == [1, 0.9, 0.8]


def test_where_there_is_no_room_nothing_stands_beneath() -> None:
    small = axes(3.4, 2.4)
    survival_curve(by_plan(), ax=small)
    assert part(small, "at risk") == []
    assert words(small) == ["$5 to $10", "pro"]
    figure = Figure(figsize=(7, 4))
    FigureCanvasAgg(figure)
    survival_curve(by_plan(), ax=figure.subplots())
    assert part(figure.axes[0], "at risk") == []
    # Without a layout, but with room that the caller has made.
    figure = Figure(figsize=(7, 4))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(bottom=0.4)
    survival_curve(by_plan(), ax=figure.subplots())
    assert len(part(figure.axes[0], "at risk")) > 0
    one = axes(2.4, 1.8)
    survival_curve(survival(), ax=one)
    assert one.get_legend() is None


def test_more_curves_have_their_legend_beside() -> None:
    ax = axes(9)
    table = pd.concat([survival(f"plan {number}", number / 100) for number in range(9)])
    survival_curve(table, ax=ax, palette=["red", "blue"])
    ax.figure.canvas.draw()
    lines = part(ax, "survival")
    assert {line.get_color() for line in lines} == {"red", "blue"}
    assert len({line.get_linestyle() for line in lines}) == 3
    assert ax.get_legend().get_window_extent().x0 > ax.bbox.x1
    assert part(ax, "at risk") == []


@pytest.mark.parametrize(
    ("unit", "longest", "stride"),
    [("month", 29, 3), ("month", 60, 6), ("month", 100, 12), ("week", 8, 1), ("quarter", 20, 2)],
)
def test_marks_of_months_keep_to_years(unit: Any, longest: int, stride: int) -> None:
    tenure = range(longest + 1)
    table = pd.DataFrame({"tenure": tenure, "at_risk": 9, "survival": 1.0, "lower": NAN})
    ax = axes(7.6)
    survival_curve(table.assign(upper=NAN), ax=ax, unit=unit)
    assert ax.get_xticks().tolist() == list(range(0, longest + 1, stride))
    assert words(ax) == ["9 customers, median not reached"]


def test_rows_in_any_order_give_the_same_curve() -> None:
    ax = axes()
    survival_curve(survival()[::-1], ax=ax)
    (line,) = part(ax, "survival")
    assert line.get_xdata().tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_survival_refuses_what_it_cannot_draw() -> None:
    table = survival()
    with pytest.raises(errors.ArgumentError, match="14 rows for 7 pairs of segment and tenure"):
        survival_curve(pd.concat([table, table]), ax=axes())
    with pytest.raises(errors.MissingColumnError, match=r"`curve`.*'at_risk'"):
        survival_curve(table.drop(columns="at_risk"), ax=axes())
    with pytest.raises(errors.ArgumentError, match="`unit` is 'months'"):
        survival_curve(table, unit="months", ax=axes())
    ax = axes()
    survival_curve(table.head(0), ax=ax)
    ax.figure.draw_without_rendering()
    assert part(ax, "survival") == []


# --- both ---------------------------------------------------------------------------------


PICTURES = [
    pytest.param(mrr_waterfall, movements, id="waterfall"),
    pytest.param(survival_curve, by_plan, id="survival"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_every_small_frame_can_be_drawn(draw: Any, data: Any, backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("results are in memory")
    table = data()
    if "period" in table:
        table["period"] = table["period"].dt.date
    ax = axes()
    draw(backend.make(table.to_dict("records")), ax=ax)
    assert len(ax.lines) > 0


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_without_axes_there_is_a_new_figure_and_nothing_else_changes(draw: Any, data: Any) -> None:
    table = data()
    before, options = table.copy(deep=True), dict(mpl.rcParams)
    ax = draw(table)
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.figure.axes == [ax]
    assert dict(mpl.rcParams) == options
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_all_words_lie_within_a_new_figure(draw: Any, data: Any) -> None:
    ax = draw(data())
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticklabels() if low <= tick.get_position()[1] <= high]
    found = [*ax.texts, *ax.get_xticklabels(), *ticks, ax.xaxis.label]
    boxes = np.array([text.get_window_extent().extents for text in [*found, ax.yaxis.label]])
    assert (boxes[:, :2] >= -1).all()
    assert (boxes[:, 2:] <= ax.figure.bbox.extents[2:] + 1).all()


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_a_bad_table_leaves_no_figure_behind(draw: Any, data: Any) -> None:
    with pytest.raises(errors.MissingColumnError):
        draw(data().drop(columns=["closing", "survival"], errors="ignore"))
    with pytest.raises(errors.ArgumentTypeError):
        draw([1, 2, 3])
    assert plt.get_fignums() == []
