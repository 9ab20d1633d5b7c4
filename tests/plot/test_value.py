"""The pictures of models and values: what is drawn, against the formulas of the papers."""

from __future__ import annotations

import copy
import datetime as dt
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from pictures import axes
from retainkit import BGNBD, MBGNBD, GammaGamma, RetainkitWarning, errors, rfm_summary
from retainkit.datasets import load_cdnow
from retainkit.plot import cltv_distribution, customer_history, frequency_recency

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends import Backend

# Fader, Hardie & Lee (2005), table 2; CDNOW in weeks.
BG = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
DAILY = BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)
MBG = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")


@pytest.fixture
def ax() -> Any:
    return axes(7, 5)


def p_alive(model: Any, x: float, tx: float, t: float) -> float:
    """P(alive) as Fader, Hardie & Lee (2008, note 021) and Batislam et al. (2007) write it."""
    chances = x + (1 if isinstance(model, MBGNBD) else 0)
    if chances == 0:
        return 1.0
    ratio = ((model.alpha + t) / (model.alpha + tx)) ** (model.r + x)
    return 1 / (1 + model.a / (model.b + chances - 1) * ratio)  # type: ignore[no-any-return]


def part(ax: Any, gid: str) -> Any:
    (one,) = (one for one in [*ax.lines, *ax.collections, *ax.texts] if one.get_gid() == gid)
    return one


def texts(ax: Any) -> list[Any]:
    """Return everything written in a figure that has been drawn."""
    found = ax.figure.findobj(lambda one: isinstance(one, mpl.text.Text))
    # Ticks outside the view are kept, but not drawn.
    inside = [text for text in found if text.get_visible() and text.get_text().strip()]
    ticks = {
        id(label)
        for one in [ax, *ax.child_axes]
        for axis in (one.xaxis, one.yaxis)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for label in (tick.label1, tick.label2)
    }
    shown = {
        id(label)
        for one in [ax, *ax.child_axes]
        for axis in (one.xaxis, one.yaxis)
        for label in axis.get_ticklabels()
        for low, high in [sorted(axis.get_view_interval())]
        if low <= label.get_position()[axis.axis_name == "y"] <= high
    }
    return [text for text in inside if id(text) not in ticks or id(text) in shown]


def overlapping(boxes: Any) -> list[tuple[int, int]]:
    left, low, right, high = boxes.T
    across = (left[:, None] < right) & (left < right[:, None])
    down = (low[:, None] < high) & (low < high[:, None])
    return [(i, j) for i, j in np.argwhere(across & down).tolist() if i < j]


# Frequency and recency


@pytest.mark.slow
@pytest.mark.parametrize("model", [BG, MBG], ids=["BG/NBD", "MBG/NBD"])
def test_map_draws_p_alive_in_every_cell(model: Any, ax: Any) -> None:
    frequency_recency(model, T=39, values="probability_alive", max_frequency=12, ax=ax)

    cells = part(ax, "cells")
    corners = cells.get_coordinates()
    assert corners[0, :, 0].tolist() == [x + 0.5 for x in range(13)]
    assert (corners[0, 0, 1], corners[-1, 0, 1]) == (0, 39)
    drawn = cells.get_array()
    silence = (corners[1:, 0, 1] + corners[:-1, 0, 1]) / 2
    expected = [[p_alive(model, x, 39 - s, 39) for x in range(1, 13)] for s in silence]
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


@pytest.mark.parametrize(("model", "alive"), [(BG, 1.0), (MBG, p_alive(MBG, 0, 0, 39))])
def test_map_has_one_cell_without_repeat_purchase_silent_all_the_time(
    model: Any, alive: float, ax: Any
) -> None:
    frequency_recency(model, T=39, values="probability_alive", ax=ax)
    cell = part(ax, "no repeat")
    assert cell.get_array().ravel().tolist() == pytest.approx([alive], rel=1e-12)
    corners = cell.get_coordinates()
    assert (corners[..., 0].min(), corners[..., 0].max()) == (-0.5, 0.5)
    assert corners[..., 1].max() == 39


def expected_purchases(model: Any, x: float, tx: float, t: float, horizon: float) -> float:
    """Equation (10) of Fader, Hardie & Lee (2005), the integral of its derivation done by sums."""
    # Given p, a living customer with rate ~ Gamma(r + x, alpha + T) buys (1 - (1 + p h / A)^-R) / p
    # times; p ~ Beta(a, b + x).
    p = (np.arange(200_000) + 0.5) / 200_000
    density = p ** (model.a - 1) * (1 - p) ** (model.b + x - 1)
    bought = (1 - (1 + p * horizon / (model.alpha + t)) ** -(model.r + x)) / p
    return p_alive(model, x, tx, t) * float((bought * density).sum() / density.sum())


def test_map_draws_expected_purchases(ax: Any) -> None:
    frequency_recency(BG, T=38.86, horizon="39W", max_frequency=6, ax=ax)
    cells = part(ax, "cells")
    silence = cells.get_coordinates()[:, 0, 1]
    for row in (0, 40, 119):
        middle = (silence[row] + silence[row + 1]) / 2
        for x in (2, 6):
            expected = expected_purchases(BG, x, 38.86 - middle, 38.86, 39)
            assert cells.get_array()[row, x - 1] == pytest.approx(expected, rel=2e-3)
    # Section 6 of the paper: 2 purchases, the last in week 30.43, are worth 1.226 more in 39 weeks.
    near = int(np.searchsorted(silence, 38.86 - 30.43)) - 1
    assert cells.get_array()[near, 1] == pytest.approx(1.226, abs=0.01)


def test_map_of_a_long_time_warns_once(ax: Any) -> None:
    long = replace(BG, largest_T=39.0)
    with pytest.warns(RetainkitWarning, match="^`T` is 79 weeks, more than twice as ") as told:
        frequency_recency(long, T="79W", horizon="26W", ax=ax)
    warning: Any = told[0].message
    assert (len(told), warning.code, warning.argument) == (1, "beyond_fit", "T")
    frequency_recency(long, T=78, horizon="26W", ax=ax)


@pytest.mark.parametrize("values", ["probability_alive", "expected_purchases"])
def test_map_labels_lines_with_the_value_that_is_there(values: Any, ax: Any) -> None:
    frequency_recency(BG, T=39, values=values, horizon=39, ax=ax)
    labels = [text for text in ax.texts if text.get_text()]
    assert len(labels) >= 4
    for label in labels:
        x, silence = label.get_position()
        word = label.get_text()
        level = float(word.rstrip("%")) / (100 if "%" in word else 1)
        # Lines are straight between whole frequencies.
        low = math.floor(x)
        ends = [
            p_alive(BG, n, 39 - silence, 39)
            if values == "probability_alive"
            else expected_purchases(BG, n, 39 - silence, 39, 39)
            for n in (low, low + 1)
        ]
        assert ends[0] + (x - low) * (ends[1] - ends[0]) == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize(
    ("model", "span", "horizon", "words"),
    [
        (BG, 39, "12 months", ("39 weeks", "Weeks", "12 months")),
        (BG, "52W", "1 year", ("52 weeks", "Weeks", "year")),
        (BG, 1, 1, ("1 week", "Weeks", "week")),
        (BG, 1.5, "90D", ("1.5 weeks", "Weeks", "90 days")),
        (DAILY, "2 quarters", 28, ("2 quarters", "Days", "28 days")),
    ],
)
def test_map_words_axes_and_units(
    model: Any, span: Any, horizon: Any, words: tuple[str, str, str], ax: Any
) -> None:
    across, upwards, above = words
    frequency_recency(model, T=span, horizon=horizon, ax=ax)
    (bar,) = ax.child_axes
    assert ax.get_xlabel() == f"Repeat purchases in {across}"
    assert ax.get_ylabel() == f"{upwards} since the last purchase"
    assert bar.get_xlabel() == f"Purchases expected in the next {above}"
    assert ax.get_title() == ""


def test_map_of_p_alive_runs_from_0_to_100_percent(ax: Any) -> None:
    frequency_recency(BG, T=39, values="probability_alive", ax=ax)
    ax.figure.draw_without_rendering()
    (bar,) = ax.child_axes
    assert bar.get_xlabel() == "Probability of being alive"
    assert bar.get_xlim() == (0, 1)
    ticks = [label.get_text() for label in bar.get_xticklabels()]
    assert ticks == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert part(ax, "cells").get_clim() == (0, 1)


def test_map_reaches_what_one_new_customer_in_a_thousand_exceeds(ax: Any) -> None:
    # The pmf of the paper, equation (8), by its two terms.
    def pmf(n: int, t: float) -> float:
        def beta(u: float, v: float) -> float:
            return math.exp(math.lgamma(u) + math.lgamma(v) - math.lgamma(u + v))

        def poisson_gamma(j: int) -> float:
            log = math.lgamma(BG.r + j) - math.lgamma(BG.r) - math.lgamma(j + 1)
            w = t / (BG.alpha + t)
            return math.exp(log + BG.r * math.log(1 - w) + j * math.log(w))

        alive = beta(BG.a, BG.b + n) / beta(BG.a, BG.b) * poisson_gamma(n)
        if n == 0:
            return alive
        left = beta(BG.a + 1, BG.b + n - 1) / beta(BG.a, BG.b)
        return alive + left * (1 - sum(poisson_gamma(j) for j in range(n)))

    frequency_recency(BG, T=39, ax=ax)
    most = int(ax.get_xlim()[1])
    below = [sum(pmf(n, 39) for n in range(last + 1)) for last in (most - 1, most)]
    assert below[0] < 0.999 <= below[1]


def test_map_takes_a_colour_map(ax: Any) -> None:
    frequency_recency(BG, T=39, cmap="Greys", ax=ax)
    assert part(ax, "cells").get_cmap().name == part(ax, "no repeat").get_cmap().name == "Greys"


def test_map_in_small_axes_has_fewer_lines() -> None:
    counts = []
    for size in ((7, 5), (2.6, 2)):
        small = axes(*size)
        frequency_recency(BG, T=39, values="probability_alive", ax=small)
        counts.append(len(small.texts))
    assert 1 <= counts[1] < counts[0]


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"T": 0}, errors.ArgumentError, "`T` is 0; it must be above 0"),
        ({"T": "nine weeks"}, errors.ArgumentError, "`T` is 'nine weeks'"),
        ({"horizon": -1}, errors.ArgumentError, "`horizon` is -1"),
        ({"values": "alive"}, errors.ArgumentError, "`values` is 'alive'"),
        ({"max_frequency": 0}, errors.ArgumentError, "`max_frequency` is 0"),
        ({"max_frequency": 2.5}, errors.ArgumentTypeError, "`max_frequency` is 2.5"),
        ({"model": GammaGamma(p=6.0, q=4.0, v=15.0)}, errors.ArgumentTypeError, "GammaGamma"),
    ],
)
def test_map_refuses_what_it_cannot_draw(changed: Any, error: Any, text: str) -> None:
    options = {"model": BG, "T": 39} | changed
    with pytest.raises(error, match=text):
        frequency_recency(options.pop("model"), **options)
    assert plt.get_fignums() == []


# The value of customers


def frame(values: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": range(len(values)), "cltv": values})


VALUES = [10.0, 60.0, 0.0, 30.0]
KINDS: dict[str, Callable[[list[Any]], Any]] = {
    "pandas": frame,
    "pandas-nullable": lambda values: frame(values).convert_dtypes(),
    "polars": lambda values: pl.DataFrame({"cltv": values}),
    "polars-lazy": lambda values: pl.LazyFrame({"cltv": values}),
    "pyarrow": lambda values: pa.table({"cltv": values}),
}
EACH_KIND = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@pytest.mark.slow
@EACH_KIND
def test_shares_are_those_of_customers_from_the_most_valuable_down(make: Any, ax: Any) -> None:
    cltv_distribution(make(VALUES), top=0.5, ax=ax)
    expected = [[0, 0], [0.25, 0.6], [0.5, 0.9], [0.75, 1], [1, 1]]
    np.testing.assert_allclose(part(ax, "shares").get_xydata(), expected, rtol=1e-15)  # type: ignore[arg-type]
    np.testing.assert_allclose(part(ax, "top").get_xydata(), [[0.5, 0.9]], rtol=1e-15)
    assert part(ax, "equal").get_xydata().tolist() == [[0, 0], [1, 1]]
    words = " ".join(part(ax, "share").get_text().split())
    assert words == "The top 50% of customers hold 90% of the CLTV"
    assert ax.get_xlabel() == "Customers, the most valuable first (n = 4)"
    assert ax.get_ylabel() == "Share of the total CLTV of 100"
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 1), (0, 1))


@EACH_KIND
def test_customers_without_a_value_are_counted(make: Any, ax: Any) -> None:
    cltv_distribution(make([*VALUES, None, None]), ax=ax)
    assert len(part(ax, "shares").get_xdata()) == 5
    assert ax.get_xlabel().splitlines() == [
        "Customers, the most valuable first (n = 4)",
        "2 customers without a value (NaN) not drawn",
    ]


def test_the_sentence_reads_the_line_between_two_customers(ax: Any) -> None:
    cltv_distribution(frame(VALUES), top=0.1, ax=ax)
    # Ten per cent of four customers are 0.4 of the first, who holds 60 of 100.
    assert part(ax, "top").get_ydata().tolist() == pytest.approx([0.24])
    assert "hold 24% of" in part(ax, "share").get_text()


@pytest.mark.parametrize(
    ("values", "top", "words"),
    [
        ([1e6, 1.0], 0.5, "hold >99% of"),
        ([1.0, 0.0], 0.5, "hold 100% of"),
        ([1.0] * 400, 0.001, "top 0.1% of customers hold <1% of"),
    ],
)
def test_the_sentence_rounds_honestly(values: Any, top: float, words: str, ax: Any) -> None:
    cltv_distribution(frame(values), top=top, ax=ax)
    assert words in " ".join(part(ax, "share").get_text().split())


def test_histogram_counts_every_customer_in_its_group_and_names_the_rest(ax: Any) -> None:
    values = [*np.geomspace(0.5, 200, 40).tolist(), 1e-9, 0.0, -3.0]
    cltv_distribution(frame(values), top=0.1, ax=ax)
    (inset,) = ax.child_axes
    heights: dict[Any, float] = {}
    for bar in inset.patches:
        colour = bar.get_facecolor()
        heights[colour] = heights.get(colour, 0) + bar.get_height()
    assert sorted(heights.values()) == [5, 35]  # the top 4.3 of 43 customers take in the fifth
    assert inset.get_xscale() == "log"
    words = ["CLTV of a customer (median 8.38)", "3 below 0.5 not drawn"]
    words[0] = f"CLTV of a customer (median {np.median(values):.3g})"
    assert inset.get_xlabel().splitlines() == words
    inset.figure.draw_without_rendering()
    assert [label.get_text() for label in inset.get_xticklabels()] == ["1", "10", "100"]


def test_histogram_gives_way_where_there_is_no_room() -> None:
    small = axes(3, 2.2)
    cltv_distribution(frame(VALUES), ax=small)
    assert small.child_axes == []
    assert "hold 24%" in " ".join(part(small, "share").get_text().split())


def test_losses_take_the_line_above_the_whole(ax: Any) -> None:
    cltv_distribution(frame([100.0, 50.0, -50.0]), ax=ax)
    assert part(ax, "shares").get_ydata().tolist() == [0, 1, 1.5, 1]
    assert ax.get_ylim() == (0, 1.5)


@pytest.mark.parametrize(
    ("values", "text"),
    [([], "No customers"), ([None], "No customers"), ([0.0, 0.0], "The total CLTV is 0")],
)
def test_without_a_total_there_is_a_word_instead(values: Any, text: str, ax: Any) -> None:
    cltv_distribution(pl.DataFrame({"cltv": values}, {"cltv": pl.Float64}), ax=ax)
    ax.figure.draw_without_rendering()
    assert [one.get_text() for one in ax.texts] == [text]
    assert not ax.lines


def test_an_empty_pandas_table_has_no_type_and_is_drawn(ax: Any) -> None:
    cltv_distribution(pd.DataFrame({"cltv": []}, dtype=object), ax=ax)
    assert [one.get_text() for one in ax.texts] == ["No customers"]


def test_shares_of_another_column(ax: Any) -> None:
    table = frame(VALUES).rename(columns={"cltv": "net $ or $"})
    cltv_distribution(table, value="net $ or $", ax=ax)
    ax.figure.draw_without_rendering()
    assert ax.get_ylabel() == "Share of the total net $ or $ of 100"
    assert "of the net $ or $" in part(ax, "share").get_text()


def test_shares_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(errors.MissingColumnError, match=r"`table`.*'cltv'"):
        cltv_distribution(frame(VALUES).drop(columns="cltv"))
    with pytest.raises(errors.ColumnTypeError, match="'cltv' of `table` holds String"):
        cltv_distribution(frame(["a", "b"]))
    with pytest.raises(errors.ArgumentError, match="infinite in 1 row, of 5"):
        cltv_distribution(frame([*VALUES, math.inf]))
    with pytest.raises(errors.ArgumentError, match="`top` is 10"):
        cltv_distribution(frame(VALUES), top=10)
    with pytest.raises(errors.ArgumentTypeError):
        cltv_distribution([1, 2])  # type: ignore[arg-type]
    assert plt.get_fignums() == []


# One customer


CDNOW = load_cdnow(sample=True)


def orders(days: list[str], customer: Any = "ann") -> pd.DataFrame:
    times = pd.to_datetime(days, format="ISO8601")
    return pd.DataFrame({"customer_id": [customer] * len(days), "time": times})


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("kind", [BGNBD, MBGNBD])
@pytest.mark.parametrize("as_of", [None, "1997-10-01", "1998-02-03T12:00"])
def test_history_ends_where_the_summary_has_it(unit: Any, kind: Any, as_of: Any) -> None:
    model = kind(r=0.243, alpha=4.414, a=0.793, b=2.426, unit=unit)
    log = CDNOW if as_of is None else CDNOW[CDNOW["time"] < as_of]
    summary = rfm_summary(log, exact=True, unit=unit, as_of=as_of)
    alive = model.probability_alive(summary).set_index("customer_id")["probability_alive"]
    for who in (20111, 16607, 71, 15562):
        ax = customer_history(log, model, customer_id=who, as_of=as_of, ax=axes())
        assert part(ax, "history").get_ydata()[-1] == pytest.approx(alive[who], abs=1e-12)


def test_history_follows_the_formula_at_every_point(ax: Any) -> None:
    days = ["2024-01-05", "2024-02-01", "2024-02-20", "2024-02-20T18:00", "2024-06-01"]
    customer_history(orders(days), MBG, customer_id="ann", as_of="2024-09-02", ax=ax)

    bought = [0, 27, 46, 148]  # days since the first, counted on a calendar; as_of - 1 day is 240
    x, y = part(ax, "history").get_data()
    since = x - date2num(dt.date(2024, 1, 5))  # type: ignore[no-untyped-call]
    assert (since[0], since[-1]) == (0, 240)
    before = after = 0
    for i, (at, alive) in enumerate(zip(since, y, strict=True)):
        # A day of purchase comes twice: at first without it.
        jumps = i + 1 < len(since) and since[i + 1] == at
        before += jumps
        after += i > 0 and since[i - 1] == at
        count = sum(day < at or (day == at and not jumps) for day in bought)
        known = bought[: max(count, 1)]
        expected = p_alive(MBG, len(known) - 1, known[-1] / 7, at / 7)
        assert alive == pytest.approx(expected, rel=1e-12)
    assert before == after == 3
    assert len(x) > 300
    marks = [segment[0, 0] for segment in part(ax, "purchases").get_segments()]
    assert marks == [date2num(dt.date(2024, 1, 5)) + day for day in bought]  # type: ignore[no-untyped-call]


def test_history_goes_on_in_silence(ax: Any) -> None:
    customer_history(orders(["2024-01-05", "2024-03-01"]), BG, customer_id="ann",
                     as_of="2024-04-01", future="10W", ax=ax)  # fmt: skip
    x, y = part(ax, "future").get_data()
    last = date2num(dt.date(2024, 3, 31))  # type: ignore[no-untyped-call]
    assert (x[0], x[-1]) == (last, last + 70)
    assert y[0] == part(ax, "history").get_ydata()[-1]
    assert y[-1] == pytest.approx(p_alive(BG, 1, 8, (86 + 70) / 7), rel=1e-12)
    assert all(one > other for one, other in pairwise(y))
    first, end = (text.get_text() for text in ax.texts)
    assert (first, end) == (f"{y[0]:.0%}", f"{y[-1]:.0%}")


def test_history_labels_dates_and_the_end(ax: Any) -> None:
    customer_history(CDNOW, BG, customer_id=20111, ax=ax)
    ax.figure.draw_without_rendering()
    label = "Customer 20111: 42 days with a purchase (marks), observed to 1998-06-30"
    assert " ".join(ax.get_xlabel().split()) == label
    assert ax.get_ylabel() == "Probability of\nbeing alive"
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks == ["Apr", "Jul", "Oct", "1998", "Apr", "Jul"]
    (end,) = ax.texts
    assert end.get_text() == f"{part(ax, 'history').get_ydata()[-1]:.0%}"
    assert part(ax, "history").get_ydata()[-1] == ax.lines[-1].get_ydata()[-1]


def test_history_takes_its_end_from_all_customers(ax: Any) -> None:
    log = pd.concat([orders(["2024-01-05", "2024-01-19"]), orders(["2024-03-01"], "bob")])
    customer_history(log, BG, customer_id="ann", ax=ax)
    assert " ".join(ax.get_xlabel().split()).endswith("observed to 2024-03-01")
    assert part(ax, "history").get_ydata()[-1] == pytest.approx(p_alive(BG, 1, 2, 8), rel=1e-12)


def test_history_cuts_days_in_the_zone_asked_for(ax: Any) -> None:
    utc = orders(["2024-01-01T12:00", "2024-01-10T23:30"])
    utc["time"] = utc["time"].dt.tz_localize("UTC")
    customer_history(utc, BG, customer_id="ann", tz="Europe/Berlin", as_of="2024-02-01", ax=ax)
    segments = part(ax, "purchases").get_segments()
    assert segments[-1][0, 0] == date2num(dt.date(2024, 1, 11))  # type: ignore[no-untyped-call]


def test_history_of_a_single_day(ax: Any) -> None:
    customer_history(orders(["2024-01-05"]), MBG, customer_id="ann", ax=ax)
    ax.figure.draw_without_rendering()
    alive = part(ax, "history").get_ydata()
    np.testing.assert_allclose(alive, 1.614 / (0.891 + 1.614), rtol=1e-12)


ZONES = {"naive": None, "New York": ZoneInfo("America/New_York")}


@pytest.mark.parametrize("zone", ZONES.values(), ids=ZONES)
def test_history_on_every_kind_of_frame(backend: Backend, zone: Any) -> None:
    rows = [
        {"who": "ab"[i % 3 == 2], "on": dt.datetime(2024, 1, 1 + 3 * i, 22, 30, tzinfo=zone)}
        for i in range(9)
    ]
    log = backend.make(rows, session="America/New_York")
    ax = customer_history(log, BG, customer_id="a", customer="who", time="on", ax=axes())
    marks = [segment[0, 0] for segment in part(ax, "purchases").get_segments()]
    days = [date2num(dt.date(2024, 1, 1 + 3 * i)) for i in (0, 1, 3, 4, 6, 7)]  # type: ignore[no-untyped-call]
    assert marks == days
    alive = part(ax, "history").get_ydata()[-1]
    assert alive == pytest.approx(p_alive(BG, 5, 3, 24 / 7), rel=1e-12)


@pytest.mark.parametrize("given", [7, np.int64(7), 7.0])
def test_history_finds_a_customer_by_a_number_of_any_kind(given: Any, ax: Any) -> None:
    customer_history(orders(["2024-01-05"], 7), BG, customer_id=given, ax=ax)
    assert ax.lines


def test_history_says_whom_there_is_instead(backend: Backend) -> None:
    rows = [{"customer_id": i // 2, "time": dt.date(2024, 1, 1 + i)} for i in range(8)]
    log = backend.make(rows)
    with pytest.raises(errors.ArgumentError, match="`customer_id` is 9, which is in no") as caught:
        customer_history(log, BG, customer_id=9)
    assert "It holds, for instance, 0, 1, 2." in str(caught.value)
    with pytest.raises(errors.ArgumentTypeError, match=r"`customer_id` is '1' \(str\)"):
        customer_history(log, BG, customer_id="1")
    text = backend.make([{"customer_id": "a", "time": dt.date(2024, 1, 1)}])
    with pytest.raises(errors.ArgumentTypeError, match=r"`customer_id` is 1 \(int\)"):
        customer_history(text, BG, customer_id=1)
    assert plt.get_fignums() == []


def test_history_counts_what_is_after_the_end(ax: Any) -> None:
    log = pd.concat([orders(["2024-01-05", "2024-01-19", "2024-03-01"]), orders(["2024-03-02"], 1)])
    log["customer_id"] = log["customer_id"].astype(str)
    with pytest.warns(RetainkitWarning, match=r"1 of 3 rows of customer 'ann' at or after as_of"):
        customer_history(log, BG, customer_id="ann", as_of="2024-02-01", ax=ax)
    assert part(ax, "history").get_ydata()[-1] == pytest.approx(p_alive(BG, 1, 2, 26 / 7))
    with pytest.raises(errors.ArgumentError, match="3 of 3 rows of customer 'ann' are at or after"):
        customer_history(log, BG, customer_id="ann", as_of="2024-01-05")


def test_history_refuses_what_it_cannot_draw() -> None:
    log = orders(["2024-01-05"])
    with pytest.raises(errors.MissingColumnError, match=r"`time`.*'time'"):
        customer_history(log.drop(columns="time"), BG, customer_id="ann")
    with pytest.raises(errors.ColumnTypeError, match="dates or datetimes"):
        customer_history(log.assign(time="2024"), BG, customer_id="ann")
    with pytest.raises(errors.ArgumentTypeError, match="`model` is a dict"):
        customer_history(log, {}, customer_id="ann")  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match="`future` is 'soon'"):
        customer_history(log, BG, customer_id="ann", future="soon")
    with pytest.raises(errors.ArgumentError, match="It is empty"):
        customer_history(log.head(0), BG, customer_id="ann")
    holes = pd.concat([log, orders(["2024-01-06"], None)])
    with pytest.raises(errors.ArgumentError, match="is null in 1 row"):
        customer_history(holes, BG, customer_id="ann")
    with pytest.warns(RetainkitWarning, match="1 of 2 rows left out"):
        customer_history(holes, BG, customer_id="ann", missing="drop", ax=axes())
    assert plt.get_fignums() == []


# All three


def skewed() -> pd.DataFrame:
    return frame([*np.random.default_rng(1).lognormal(3, 1.3, 2000).tolist(), 0.0, math.nan])


PICTURES: dict[str, Callable[..., Any]] = {
    "expected": lambda **ax: frequency_recency(BG, T=39, **ax),
    "alive": lambda **ax: frequency_recency(MBG, T="78W", values="probability_alive", **ax),
    "value": lambda **ax: cltv_distribution(skewed(), **ax),
    "history": lambda **ax: customer_history(CDNOW, BG, customer_id=20111, **ax),
    "future": lambda **ax: customer_history(CDNOW, BG, customer_id=71, future="2 years", **ax),
}
EACH_PICTURE = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


@EACH_PICTURE
def test_given_axes_come_back_and_nothing_else_changes(draw: Any, ax: Any) -> None:
    settings = copy.deepcopy(dict(mpl.rcParams))
    assert draw(ax=ax) is ax
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == settings
    assert ax.figure.axes == [ax]


@EACH_PICTURE
def test_without_axes_there_is_one_new_figure(draw: Any) -> None:
    ax = draw()
    assert plt.get_fignums() == [ax.figure.number]
    assert ax.figure.axes == [ax]


@pytest.mark.slow
@EACH_PICTURE
@pytest.mark.parametrize("size", [None, (3.4, 2.8)], ids=["default", "small"])
def test_text_is_inside_the_figure_and_none_lies_over_another(draw: Any, size: Any) -> None:
    if size is None:
        ax = draw()
    else:
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        ax = draw(ax=figure.subplots())
    ax.figure.canvas.draw()
    found = texts(ax)
    assert len(found) > 8
    assert min(text.get_fontsize() for text in found) >= 7
    boxes = np.array([text.get_window_extent().extents for text in found])
    upright = [i for i, text in enumerate(found) if text.get_rotation() % 90 == 0]
    clashes = overlapping(boxes[upright])
    named = [tuple(found[upright[i]].get_text() for i in pair) for pair in clashes]
    assert named == []
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= ax.figure.bbox.extents[2:] + 0.5).all()


def test_the_tables_are_not_changed(ax: Any) -> None:
    for table, draw in (
        (skewed(), cltv_distribution),
        (CDNOW.copy(), lambda log, ax: customer_history(log, BG, customer_id=71, ax=ax)),
    ):
        before = table.copy(deep=True)
        draw(table, ax=ax)
        pd.testing.assert_frame_equal(table, before)


def test_the_order_of_rows_changes_nothing() -> None:
    for table, draw in (
        (skewed(), cltv_distribution),
        (CDNOW, lambda log, ax: customer_history(log, BG, customer_id=20111, ax=ax)),
    ):
        one, other = axes(), axes()
        draw(table, ax=one)
        draw(table.sample(frac=1, random_state=3), ax=other)
        lines = zip(one.lines, other.lines, strict=True)
        assert all(np.array_equal(a.get_xydata(), b.get_xydata()) for a, b in lines)


@pytest.mark.slow
def test_the_epoch_of_matplotlib_does_not_matter() -> None:
    code = (
        "import matplotlib; matplotlib.rcParams['date.epoch'] = '2000-01-01'\n"
        "import pandas as pd\n"
        "from matplotlib.figure import Figure\n"
        "from retainkit import BGNBD\n"
        "from retainkit.plot import customer_history\n"
        "log = pd.DataFrame({'customer_id': [1], 'time': pd.to_datetime(['2000-01-11'])})\n"
        "model = BGNBD(r=.2, alpha=4., a=.8, b=2.4)\n"
        "ax = customer_history(log, model, customer_id=1, ax=Figure().subplots())\n"
        "print(ax.lines[0].get_xdata()[0])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert run.stdout.strip() == "10.0"
