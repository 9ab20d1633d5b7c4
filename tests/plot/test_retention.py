"""The pictures: what is drawn, cell by cell and point by point, against tables made by hand."""

from __future__ import annotations

import copy
import datetime as dt
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from pictures import axes, part
from retainkit import errors
from retainkit.plot import retention_curve, retention_heatmap
from retainkit.plot._retention_heatmap import NEUTRAL
from retainkit.plot._style import RAMP, contrast

if TYPE_CHECKING:
    from collections.abc import Callable


Data = dict[str, list[Any]]
NAN = math.nan


def frame(data: Data) -> pd.DataFrame:
    """Make a pandas table, where a date is a datetime64."""
    table = pd.DataFrame(data)
    return table.assign(cohort=pd.to_datetime(table["cohort"])) if "cohort" in table else table


KINDS: dict[str, Callable[[Data], Any]] = {
    "pandas": frame,
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
}


@pytest.fixture
def ax() -> Any:
    return axes(8, 5)


def month(number: int) -> dt.date:
    return dt.date(1997 + number // 12, number % 12 + 1, 1)


def cells(*rows: tuple[dt.date, int, int, int, float, bool]) -> Data:
    names = ("cohort", "age", "customers", "eligible", "retention", "complete")
    data = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return data | {"lower": [0.5 * r for r in data["retention"]]}


def triangle() -> Data:
    """Three months; the last cell of the first two is not complete."""
    return cells(
        (month(0), 0, 1200, 1200, 1.0, True),
        (month(0), 1, 1200, 1200, 0.25, True),
        (month(0), 2, 1200, 900, 0.125, False),
        (month(1), 0, 80, 80, 1.0, True),
        (month(1), 1, 80, 60, 0.0, False),
        (month(2), 0, 5, 5, 1.0, True),
    )


def full_triangle(size: int) -> Data:
    return cells(
        *(
            (
                month(y),
                x,
                1000 * (y + 1),
                1000 * (y + 1),
                0.5 / (1 + x) if x else 1.0,
                x + y < size - 1,
            )
            for y in range(size)
            for x in range(size - y)
        )
    )


def written(ax: Any, gid: str) -> dict[tuple[float, float], str]:
    return {text.get_position(): text.get_text() for text in ax.texts if text.get_gid() == gid}


def drawn(ax: Any) -> dict[tuple[float, float], str]:
    """Colour of every cell, by the middle of the cell."""
    (squares,) = (part for part in ax.collections if part.get_gid() == "cells")
    middles = [path.vertices[:4].mean(axis=0) for path in squares.get_paths()]
    colours = squares.get_facecolor()
    return {(x, y): to_hex(c) for (x, y), c in zip(middles, colours, strict=True)}


def hatched(ax: Any) -> set[tuple[float, float]]:
    boxes = [patch.get_bbox() for patch in ax.patches if patch.get_hatch()]
    return {(round(box.x0 + box.x1) / 2, round(box.y0 + box.y1) / 2) for box in boxes}


def labels(ticks: list[Any]) -> list[str]:
    return [tick.get_text() for tick in ticks]


# The heat map


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_heatmap_draws_every_cell_of_the_table_and_no_other(make: Any, ax: Any) -> None:
    retention_heatmap(make(triangle()), ax=ax)

    assert written(ax, "cell") == {
        (0, 0): "100%", (1, 0): "25%", (2, 0): "12%",
        (0, 1): "100%", (1, 1): "0%",
        (0, 2): "100%",
    }  # fmt: skip
    assert set(drawn(ax)) == set(written(ax, "cell"))
    assert hatched(ax) == {(2, 0), (1, 1)}


def test_heatmap_labels_rows_columns_and_sizes(ax: Any) -> None:
    retention_heatmap(frame(triangle()), ax=ax, period="month")

    assert labels(ax.get_yticklabels()) == ["1997-01", "1997-02", "1997-03"]
    assert ax.get_yticks().tolist() == [0, 1, 2]
    assert labels(ax.get_xticklabels()) == ["0", "1", "2"]
    assert ax.get_xticks().tolist() == [0, 1, 2]
    sizes = written(ax, "size")
    assert {y: text for (_, y), text in sizes.items()} == {0: "1,200", 1: "80", 2: "5"}
    assert all(ax.get_xlim()[0] < x < -0.5 for x, _ in sizes)
    assert ax.get_ylim() == (2.5, -0.5)
    assert ax.get_xlim()[1] == 2.5
    assert ax.get_xlabel() == "Retention by age (months since the start)"
    assert ax.get_ylabel() == "Cohort"
    assert ax.get_title() == ""


def test_heatmap_order_of_rows_changes_nothing(ax: Any) -> None:
    shuffled = frame(triangle()).sample(frac=1, random_state=3)
    other = Figure(figsize=(8, 5)).subplots()
    retention_heatmap(frame(triangle()), ax=ax)
    retention_heatmap(shuffled, ax=other)

    assert written(ax, "cell") == written(other, "cell")
    assert drawn(ax) == drawn(other)
    assert hatched(ax) == hatched(other)


def test_heatmap_explains_the_hatching_only_where_there_is_some(ax: Any) -> None:
    table = frame(triangle())
    retention_heatmap(table[table["complete"]], ax=ax)
    assert hatched(ax) == set()
    assert ax.get_legend() is None

    retention_heatmap(table, ax=ax)
    (note,) = ax.get_legend().get_texts()
    assert " ".join(note.get_text().split()).startswith("Hatched: not every customer")


@pytest.mark.slow
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("days", "style", "expected"),
    [
        ([(2024, 1, 1), (2024, 2, 1)], None, ["2024-01", "2024-02"]),
        ([(2024, 1, 1), (2024, 1, 8)], None, ["2024-01-01", "2024-01-08"]),
        ([(2024, 1, 1)], None, ["2024-01-01"]),
        ([(2024, 1, 1), (2024, 4, 1)], "%d/%m/%y", ["01/01/24", "01/04/24"]),
    ],
)
def test_heatmap_words_cohorts(
    make: Any, days: Any, style: Any, expected: list[str], ax: Any
) -> None:
    data = cells(*((dt.date(*day), 0, 9, 9, 1.0, True) for day in days))
    retention_heatmap(make(data), ax=ax, cohort_format=style)
    assert labels(ax.get_yticklabels()) == expected


def test_heatmap_words_brackets(ax: Any) -> None:
    data = cells(*((month(0), age, 9, 9, 0.5, True) for age in (0, 1, 5, 30)))
    data |= {"age_end": [1, 5, 30, 61]}
    retention_heatmap(pl.DataFrame(data), ax=ax)
    assert labels(ax.get_xticklabels()) == ["0", "1–4", "5–29", "30–60"]  # noqa: RUF001
    assert set(drawn(ax)) == {(0, 0), (1, 0), (2, 0), (3, 0)}


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([1.0, 0.5, 0.123], ["100%", "50%", "12%"]),
        ([1.0, 0.004, 0.2], ["100%", "<1%", "20%"]),
        ([1.0, 0.996, 0.0], ["100%", ">99%", "0%"]),
        ([1.0, 0.099, 0.0], ["100%", "9.9%", "0%"]),
        ([1.0, 0.148, 0.093, 0.071], ["100%", "14.8%", "9.3%", "7.1%"]),
        ([1.0, 0.0004, 0.02], ["100%", "<0.1%", "2.0%"]),
        ([1.0, NAN, 0.2], ["100%", "–", "20%"]),  # noqa: RUF001
    ],
)
def test_heatmap_words_rates(rates: list[float], expected: list[str], ax: Any) -> None:
    data = cells(*((month(0), age, 9, 9, rate, True) for age, rate in enumerate(rates)))
    retention_heatmap(frame(data), ax=ax)
    assert list(written(ax, "cell").values()) == expected


def test_heatmap_draws_counts_and_amounts_as_numbers(ax: Any) -> None:
    data = triangle() | {"amount_per_customer": [30.0, 7.5, NAN, 28.25, 0.0, 31.0]}
    retention_heatmap(frame(data), ax=ax, values="amount_per_customer")
    assert list(written(ax, "cell").values()) == ["30.00", "7.50", "–", "28.25", "0.00", "31.00"]  # noqa: RUF001
    assert ax.get_xlabel() == "Amount per customer by age (periods since the start)"

    ax.clear()
    retention_heatmap(frame(data), ax=ax, values="eligible")
    assert list(written(ax, "cell").values()) == ["1,200", "1,200", "900", "80", "60", "5"]
    assert NEUTRAL not in drawn(ax).values()


@pytest.mark.parametrize("values", ["nrr", "grr"])
def test_heatmap_draws_rates_of_revenue_in_percent(values: str, ax: Any) -> None:
    data = triangle()
    rates = [1.0, 1.25, 0.75, 1.0, 0.5, 1.0]
    retention_heatmap(frame(data | {values: rates}), ax=ax, values=values, period="month")
    shown = ["100%", "125%", "75%", "100%", "50%", "100%"]
    assert list(written(ax, "cell").values()) == shown
    assert ax.get_xlabel().endswith("revenue retention by age (months since the start)")
    grey = {x for (x, _), colour in drawn(ax).items() if colour == NEUTRAL}
    assert grey == {0}, "what was paid at the start is 100 % by definition"


def test_heatmap_colours_run_from_zero_to_the_highest_rate_that_is_not_trivial(ax: Any) -> None:
    retention_heatmap(frame(triangle()), ax=ax)
    colours = drawn(ax)
    assert {colours[0, y] for y in range(3)} == {NEUTRAL}
    assert colours[1, 0] == RAMP[-1]
    assert colours[2, 0] == RAMP[3]
    assert colours[1, 1] == RAMP[0]


def test_heatmap_age_0_has_a_colour_where_it_tells_something(ax: Any) -> None:
    data = triangle()
    data["retention"][5] = 0.8
    retention_heatmap(frame(data), ax=ax)
    assert drawn(ax)[0, 0] == RAMP[-1]
    assert NEUTRAL not in drawn(ax).values()


def test_heatmap_takes_limits_and_colour_map(ax: Any) -> None:
    retention_heatmap(frame(triangle()), ax=ax, cmap="gray", vmin=0.125, vmax=0.375)
    colours = drawn(ax)
    assert (colours[2, 0], colours[1, 0]) == ("#000000", "#808080")


def test_heatmap_text_stands_out_from_every_colour(ax: Any) -> None:
    rates = np.linspace(0, 1, 41)
    data = cells(*((month(0), age, 9, 9, float(rate), True) for age, rate in enumerate(rates)))
    ax.figure.set_size_inches(40, 3)
    retention_heatmap(frame(data), ax=ax)
    colours = drawn(ax)
    found = [
        contrast(text.get_color(), colours[text.get_position()])
        for text in ax.texts
        if text.get_gid() == "cell"
    ]
    assert len(found) == 41
    assert min(found) > 4


def test_ramp_has_even_steps_of_lightness() -> None:
    def lightness(colour: str) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        to_lms = [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
        return float(
            np.cbrt(np.array(to_lms) @ linear) @ [0.2104542553, 0.7936177850, -0.0040720468]
        )

    steps = [one - other for one, other in pairwise(map(lightness, RAMP))]
    assert np.ptp(steps) < 0.01
    assert min(steps) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 12, 36])
def test_heatmap_of_its_own_figure_is_readable(size: int) -> None:
    ax: Any = retention_heatmap(frame(full_triangle(size)))
    figure = ax.figure
    figure.canvas.draw()

    texts = [
        *ax.texts,
        *ax.get_xticklabels(),
        *ax.get_yticklabels(),
        ax.xaxis.label,
        ax.yaxis.label,
    ]
    texts += ax.get_legend().get_texts()
    assert len(written(ax, "cell")) == size * (size + 1) / 2
    assert len(written(ax, "size")) == len(ax.get_yticklabels()) == size
    assert len(ax.get_xticklabels()) == size
    assert min(text.get_fontsize() for text in texts) >= 7
    boxes = np.array([text.get_window_extent().extents for text in texts])
    assert overlapping(boxes) == []
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= figure.bbox.extents[2:]).all()


def overlapping(boxes: Any) -> list[tuple[int, int]]:
    left, low, right, high = boxes.T
    across = (left[:, None] < right) & (left < right[:, None])
    down = (low[:, None] < high) & (low < high[:, None])
    return [(i, j) for i, j in np.argwhere(across & down).tolist() if i < j]


def test_heatmap_in_small_axes_thins_labels_and_trades_text_for_a_colour_bar() -> None:
    ax: Any = Figure(figsize=(6, 4)).subplots()
    retention_heatmap(frame(full_triangle(36)), ax=ax)
    ax.figure.draw_without_rendering()

    assert written(ax, "cell") == {}
    assert len(drawn(ax)) == 36 * 37 / 2
    assert len(hatched(ax)) == 36
    (bar,) = ax.child_axes
    assert bar.get_ylim() == (0, 0.25)
    assert {"0%", "10%", "20%"} <= set(labels(bar.get_yticklabels()))
    names = labels(ax.get_yticklabels())
    assert names[0] == "1997-01"
    assert 9 <= len(names) < 36
    assert len(written(ax, "size")) == len(names)
    ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
    assert overlapping(np.array([tick.get_window_extent().extents for tick in ticks])) == []


@pytest.mark.parametrize(("colorbar", "bars"), [(None, 0), (True, 1), (False, 0)])
def test_heatmap_colour_bar_on_request(colorbar: Any, bars: int, ax: Any) -> None:
    retention_heatmap(frame(triangle()), ax=ax, colorbar=colorbar)
    assert len(ax.child_axes) == bars


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_heatmap_refuses_several_segments_and_takes_one(make: Any, ax: Any) -> None:
    several = make({"channel": ["ads", "ads", "web", None, "web", "web"]} | triangle())
    with pytest.raises(errors.ArgumentError, match="3 segments of 'channel'") as caught:
        retention_heatmap(several, ax=ax)
    assert "'ads', 'web', 'null'" in str(caught.value)
    assert "filter" in str(caught.value)

    retention_heatmap(make({"channel": ["ads"] * 6} | triangle()), ax=ax)
    assert len(written(ax, "cell")) == 6


def test_heatmap_refuses_what_it_cannot_draw(ax: Any) -> None:
    table = frame(triangle())
    with pytest.raises(errors.ArgumentError, match="7 rows for 6 pairs of cohort and age"):
        retention_heatmap(pd.concat([table, table.tail(1)]), ax=ax)
    with pytest.raises(errors.ArgumentError, match="`values` is 'age'"):
        retention_heatmap(table, ax=ax, values="age")
    with pytest.raises(errors.ArgumentError, match="`period` is 'months'"):
        retention_heatmap(table, ax=ax, period="months")
    with pytest.raises(errors.MissingColumnError, match=r"`table`.*'amount'"):
        retention_heatmap(table, ax=ax, values="amount")
    with pytest.raises(errors.MissingColumnError, match=r"`table`.*'complete'"):
        retention_heatmap(table.drop(columns="complete"), ax=ax)
    with pytest.raises(errors.ColumnTypeError, match="must hold dates"):
        retention_heatmap(table.assign(cohort="January"), ax=ax)
    assert not ax.texts
    assert not ax.collections


@pytest.mark.parametrize(
    ("last", "note"),
    [(4, "Not drawn: the last cohort, without customers."),
     (6, "Not drawn: the last 3 cohorts, without customers.")],
)  # fmt: skip
def test_heatmap_counts_the_empty_cohorts_at_the_end(last: int, note: str, ax: Any) -> None:
    empty = [1, *range(4, last + 1)]
    rows = [
        (
            month(y),
            x,
            0 if y in empty else 9,
            0 if y in empty else 9,
            NAN if y in empty else 1.0,
            True,
        )
        for y in range(last + 1)
        for x in range(last + 1 - y)
    ]
    retention_heatmap(frame(cells(*rows)), ax=ax)
    assert labels(ax.get_yticklabels()) == ["1997-01", "1997-02", "1997-03", "1997-04"]
    assert {text for (_, y), text in written(ax, "cell").items() if y == 1} == {"–"}  # noqa: RUF001
    assert {colour for (_, y), colour in drawn(ax).items() if y == 1} == {NEUTRAL}
    assert labels(ax.get_legend().get_texts()) == [note]


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("least", "cohorts", "note"),
    [
        (0, ["1997-01", "1997-02", "1997-03", "1997-04"], "the last cohort, without customers"),
        (1, ["1997-01", "1997-03", "1997-04"], "2 cohorts without customers"),
        (5, ["1997-01", "1997-04"], "3 cohorts with fewer than 5 customers"),
        (9, ["1997-01-01"], "4 cohorts with fewer than 9 customers"),
        (10, [], "5 cohorts with fewer than 10 customers"),
    ],
)
def test_heatmap_leaves_out_small_cohorts(
    make: Any, least: int, cohorts: list[str], note: str, ax: Any
) -> None:
    sizes = [9, 0, 4, 5, 0]
    rows = [
        (month(y), x, size, size, 1.0 if size else NAN, True)
        for y, size in enumerate(sizes)
        for x in range(5 - y)
    ]
    retention_heatmap(make(cells(*rows)), min_customers=least, ax=ax)
    assert labels(ax.get_yticklabels()) == cohorts
    assert labels(ax.get_legend().get_texts()) == [f"Not drawn: {note}."]
    shown = [size for size in sizes if size >= max(least, 1)]
    assert [one for one in labels(part(ax, "size")) if one != "0"] == [f"{one}" for one in shown]


def test_heatmap_without_small_cohorts_has_no_note(ax: Any) -> None:
    retention_heatmap(frame(cells((month(0), 0, 5, 5, 1.0, True))), min_customers=5, ax=ax)
    assert ax.get_legend() is None
    with pytest.raises(errors.ArgumentError, match="`min_customers`"):
        retention_heatmap(frame(triangle()), min_customers=-1, ax=ax)
    matrix = pd.DataFrame({"cohort": pd.to_datetime(["1997-01-01"]), "0": [1.0]})
    with pytest.raises(errors.ArgumentError, match="give it to retention_matrix") as caught:
        retention_heatmap(matrix, min_customers=1, ax=ax)
    assert caught.value.argument == "min_customers"


def test_heatmap_of_empty_cohorts_only_draws_none(ax: Any) -> None:
    retention_heatmap(frame(cells((month(0), 0, 0, 0, NAN, True))), ax=ax)
    assert written(ax, "cell") == {}
    assert labels(ax.get_legend().get_texts()) == ["Not drawn: the last cohort, without customers."]


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_heatmap_of_no_rows_is_empty(make: Any, ax: Any) -> None:
    retention_heatmap(make(triangle())[:0], ax=ax)
    ax.figure.draw_without_rendering()
    assert written(ax, "cell") == {}
    assert labels(ax.get_yticklabels()) == []


# The curve


def curve(rates: list[float], half: list[float], **more: Any) -> Data:
    """Make a curve whose intervals reach `half` to either side."""
    n = len(rates)
    bounds = [(r - h, r + h) for r, h in zip(rates, half, strict=True)]
    data: Data = {
        "age": list(range(n)),
        "cohorts": list(range(n, 0, -1)),
        "customers": [1000 * (n - age) for age in range(n)],
        "retention": rates,
        "lower": [low for low, _ in bounds],
        "upper": [high for _, high in bounds],
        "average": ["pooled"] * n,
    }
    return data | more


def by_channel() -> Data:
    ads = curve([1.0, 0.4, 0.3], [0.0, 0.05, 0.06])
    web = curve([1.0, 0.5], [0.0, 0.1])
    both = {name: ads[name] + web[name] for name in ads}
    return {"channel": ["ads"] * 3 + [None] * 2} | both


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_curve_draws_a_line_for_every_segment(make: Any, ax: Any) -> None:
    retention_curve(make(by_channel()), ax=ax, period="week")

    points = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines]
    assert points == [([0, 1, 2], [1.0, 0.4, 0.3]), ([0, 1], [1.0, 0.5])]
    legend = ax.get_legend()
    assert labels(legend.get_texts()) == ["ads (3,000)", "null (2,000)", "interval"]
    assert legend.get_title().get_text() == "channel (customers at age 0)"
    assert ax.get_xlabel() == "Age (weeks since the start)"
    assert ax.get_ylabel() == "Retention, pooled over cohorts"
    assert len({line.get_color() for line in ax.lines}) == 2
    assert len({line.get_marker() for line in ax.lines}) == 2


def test_curve_order_of_rows_changes_no_line(ax: Any) -> None:
    table = frame(by_channel())
    retention_curve(table.iloc[[2, 0, 4, 1, 3]], ax=ax)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1.0, 0.4, 0.3], [1.0, 0.5]]


def test_curve_band_reaches_from_lower_to_upper_at_every_age(ax: Any) -> None:
    retention_curve(frame(by_channel()), ax=ax)
    ads, web = ax.collections
    assert edges(ads) == {0: (1.0, 1.0), 1: (0.35, 0.45), 2: (0.24, 0.36)}
    assert edges(web) == {0: (1.0, 1.0), 1: (0.4, 0.6)}


def edges(band: Any) -> dict[float, tuple[float, float]]:
    points = np.vstack([path.vertices for path in band.get_paths()]).round(9)
    return {
        float(x): (float(own.min()), float(own.max()))
        for x in np.unique(points[:, 0])
        for own in [points[points[:, 0] == x, 1]]
    }


def test_curve_leaves_a_gap_where_there_is_no_interval(ax: Any) -> None:
    halves = [0.0, 0.05, NAN, 0.04, NAN]
    retention_curve(frame(curve([1.0, 0.5, 0.4, 0.3, 0.2], halves)), ax=ax)
    band, bar = ax.collections
    assert edges(band).keys() == {0, 1, 3}
    assert len(band.get_paths()) == 2
    assert edges(bar) == {3: (0.26, 0.34)}
    assert ax.lines[0].get_ydata().tolist() == [1.0, 0.5, 0.4, 0.3, 0.2]


def test_curve_without_any_interval_does_not_mention_one(ax: Any) -> None:
    retention_curve(pl.DataFrame(curve([0.2, 0.1], [NAN, NAN])), ax=ax)
    assert labels(ax.get_legend().get_texts()) == ["2,000 customers at age 0"]
    assert ax.get_ylim() == pytest.approx((0, 0.216))


def test_curve_breaks_where_the_rate_is_null(ax: Any) -> None:
    retention_curve(pl.DataFrame(curve([0.2, 0.1], [0, 0]) | {"retention": [0.2, None]}), ax=ax)
    assert math.isnan(ax.lines[0].get_ydata()[1])


def test_curve_axes_are_percent_from_zero_and_whole_ages(ax: Any) -> None:
    retention_curve(frame(curve([1.0, 0.4, 0.3], [0, 0.1, 0.1])), ax=ax)
    ax.figure.draw_without_rendering()
    assert ax.get_ylim() == (0, 1)
    assert labels(ax.get_yticklabels()) == ["0%", "20%", "40%", "60%", "80%", "100%"]
    shown = [text for text in labels(ax.get_xticklabels()) if text]
    assert {"0", "1", "2"} <= set(shown)
    assert all(float(text.replace("\N{MINUS SIGN}", "-")).is_integer() for text in shown)


def test_curve_words_brackets(ax: Any) -> None:
    data = curve([1.0, 0.4, 0.3], [0, 0.1, 0.1], age=[0, 1, 5], age_end=[1, 5, 15])
    retention_curve(pa.table(data), ax=ax)
    assert labels(ax.get_xticklabels()) == ["0", "1–4", "5–14"]  # noqa: RUF001
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("average", "label"),
    [
        ("pooled", "Retention, pooled over cohorts"),
        ("simple", "Retention, mean of cohorts"),
        ("chained", "Retention, chained over ages"),
    ],
)
def test_curve_names_the_average(average: str, label: str, ax: Any) -> None:
    retention_curve(frame(curve([1.0], [0.0], average=[average])), ax=ax)
    assert ax.get_ylabel() == label


def test_curve_compares_averages(ax: Any) -> None:
    one = frame(curve([1.0, 0.4], [0, 0]))
    retention_curve(pd.concat([one, one.assign(average="chained", retention=0.5)]), ax=ax)
    assert labels(ax.get_legend().get_texts())[:2] == ["pooled (2,000)", "chained (2,000)"]
    assert ax.get_ylabel() == "Retention"


def test_curve_of_many_segments_puts_the_legend_beside_the_axes(ax: Any) -> None:
    one = frame(curve([1.0, 0.4], [0, 0]))
    tables = [one.assign(plan=f"${i} to ${i + 1}") for i in range(9)]
    table = pd.concat(tables)[["plan", *one.columns]]
    retention_curve(table, ax=ax, palette=["red", "blue"])
    ax.figure.canvas.draw()
    assert len({(line.get_marker(), line.get_linestyle()) for line in ax.lines}) == 9
    assert ax.get_legend().get_window_extent().x0 > ax.bbox.x1
    assert not any(text.get_parse_math() for text in ax.get_legend().get_texts())
    assert {line.get_color() for line in ax.lines} == {"red", "blue"}


def test_curve_refuses_what_it_cannot_draw(ax: Any) -> None:
    table = frame(curve([1.0, 0.4], [0, 0]))
    with pytest.raises(errors.ArgumentError, match="4 rows for 2 pairs of segment and age"):
        retention_curve(pd.concat([table, table]), ax=ax)
    with pytest.raises(errors.ArgumentError, match="`period` is 'fortnight'"):
        retention_curve(table, ax=ax, period="fortnight")
    with pytest.raises(errors.MissingColumnError, match=r"`curve`.*'average'"):
        retention_curve(table.drop(columns="average"), ax=ax)
    assert not ax.lines


def test_curve_of_no_rows_is_empty(ax: Any) -> None:
    retention_curve(frame(curve([1.0], [0.0])).head(0), ax=ax)
    ax.figure.draw_without_rendering()
    assert len(ax.lines) == 0
    assert ax.get_ylabel() == "Retention"


# Both


PICTURES = [
    pytest.param(retention_heatmap, triangle, id="heatmap"),
    pytest.param(retention_curve, by_channel, id="curve"),
]


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_given_axes_come_back_and_nothing_else_changes(draw: Any, data: Any, ax: Any) -> None:
    before, settings = plt.get_fignums(), copy.deepcopy(dict(mpl.rcParams))
    others = len(ax.figure.axes)
    assert draw(frame(data()), ax=ax) is ax
    assert plt.get_fignums() == before
    assert dict(mpl.rcParams) == settings
    assert len(ax.figure.axes) == others


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_without_axes_there_is_one_new_figure(draw: Any, data: Any) -> None:
    ax = draw(frame(data()))
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.figure.axes == [ax]


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_a_bad_table_leaves_no_figure_behind(draw: Any, data: Any) -> None:
    with pytest.raises(errors.MissingColumnError):
        draw(frame(data()).drop(columns="retention"))
    with pytest.raises(errors.ArgumentTypeError):
        draw([1, 2, 3])
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("draw", "data"), PICTURES)
def test_the_table_is_not_changed(draw: Any, data: Any, ax: Any) -> None:
    table = frame(data()).set_index(pd.RangeIndex(10, 10 + len(data()["age"])))
    before = table.copy(deep=True)
    draw(table, ax=ax)
    pd.testing.assert_frame_equal(table, before)
