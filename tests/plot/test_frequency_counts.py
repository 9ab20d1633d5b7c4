"""The picture of how many bought how often, against a slow count of each customer's chances."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from pictures import axes, part, texts, words
from retainkit import BGNBD, MBGNBD, RetainkitWarning, errors, rfm_summary
from retainkit.datasets import load_cdnow
from retainkit.plot import frequency_counts

if TYPE_CHECKING:
    from backends import Backend

# Fader, Hardie & Lee (2005), table 2; CDNOW in weeks.
BG = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
MBG = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")
Z = 1.959963984540054

# Customers whose times observed differ, some of them alike.
ROWS = [
    {"customer_id": i, "frequency": x, "recency": tx, "T": t, "number": number}
    for i, (x, tx, t, number) in enumerate(
        [
            (0, 0.0, 30.0, 5),
            (0, 0.0, 12.5, 9),
            (1, 4.0, 30.0, 2),
            (2, 9.0, 12.5, 1),
            (3, 9.0, 38.0, 3),
            (9, 33.0, 38.0, 1),
            (0, 0.0, 30.0, 1),
        ]
    )
]
SUMMARY = pd.DataFrame(ROWS)


def pmf(model: Any, n: int, t: float) -> float:
    """Equation (8) of Fader, Hardie & Lee (2005) by its terms; MBG/NBD has one chance more."""
    shift = isinstance(model, MBGNBD)

    def beta(u: float, v: float) -> float:
        return math.exp(math.lgamma(u) + math.lgamma(v) - math.lgamma(u + v))

    def poisson_gamma(j: int) -> float:
        log = math.lgamma(model.r + j) - math.lgamma(model.r) - math.lgamma(j + 1)
        w = t / (model.alpha + t)
        return math.exp(log + model.r * math.log(1 - w) + j * math.log(w))

    k = n + shift
    found = beta(model.a, model.b + k) / beta(model.a, model.b) * poisson_gamma(n)
    if k == 0:
        return found
    left = beta(model.a + 1, model.b + k - 1) / beta(model.a, model.b)
    return found + left * (1 - sum(poisson_gamma(j) for j in range(n)))


def slow_counts(model: Any, most: int, *, weighted: bool) -> tuple[list[float], list[float]]:
    """Count customer by customer: who came, and the chances of each."""
    actual, expected = [0.0] * (most + 1), [0.0] * (most + 1)
    for row in ROWS:
        number = row["number"] if weighted else 1
        actual[min(int(row["frequency"]), most)] += number
        chances = [pmf(model, n, row["T"]) for n in range(most)]
        for n, chance in enumerate([*chances, 1 - sum(chances)]):
            expected[n] += number * chance
    return actual, expected


def heights(ax: Any) -> list[float]:
    return [bar.get_height() for bar in part(ax, "actual")]


def squares(ax: Any) -> list[float]:
    (line,) = part(ax, "expected")
    return list(line.get_ydata())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("most", [1, 4, 12])
@pytest.mark.parametrize("model", [BG, MBG], ids=["BG/NBD", "MBG/NBD"])
def test_bars_count_the_customers_and_squares_their_chances(
    model: Any, most: int, *, weighted: bool
) -> None:
    ax = axes()
    weights = "number" if weighted else None
    assert frequency_counts(model, SUMMARY, max_frequency=most, weights=weights, ax=ax) is ax
    actual, expected = slow_counts(model, most, weighted=weighted)
    assert heights(ax) == actual
    assert squares(ax) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert sum(squares(ax)) == pytest.approx(sum(actual))


@pytest.mark.slow
def test_cdnow_is_described_as_in_the_paper() -> None:
    orders = load_cdnow(sample=True)
    early = orders[orders["time"] < "1997-10-01"]
    summary = rfm_summary(early, unit="week", exact=True, as_of="1997-10-01")
    ax = axes()
    frequency_counts(BG, summary, ax=ax)
    assert heights(ax) == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert [label.get_text() for label in ax.get_xticklabels()] == [*"0123456", "7+"]


def test_intervals_are_those_of_wilson_around_what_came() -> None:
    ax = axes()
    frequency_counts(BG, SUMMARY, weights="number", ax=ax)
    (lines,) = part(ax, "interval")
    total = 22
    for count, path in zip(heights(ax), lines.get_paths(), strict=True):
        # The shares p that a score test does not reject: (count - n p)^2 = Z^2 n p (1 - p).
        for limit in path.vertices[:, 1]:
            p = limit / total
            assert (count - limit) ** 2 == pytest.approx(Z**2 * total * p * (1 - p), abs=1e-9)
        low, high = path.vertices[:, 1]
        assert low <= count <= high
    widths = []
    for level in (0.5, 0.99):
        ax = axes()
        frequency_counts(BG, SUMMARY, confidence_level=level, ax=ax)
        ends = part(ax, "interval")[0].get_paths()[0].vertices[:, 1]
        widths.append(ends[1] - ends[0])
    assert widths[0] < widths[1]


def test_axes_and_legend_are_worded() -> None:
    ax = axes()
    frequency_counts(BG, SUMMARY, weights="number", max_frequency=3, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Repeat purchases of a customer", "Customers")
    assert ax.get_title() == ""
    assert ax.get_ylim()[0] == 0
    assert words(ax) == ["actual, with interval", "expected by the model"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2", "3+"]
    expected = [f"{number:,.0f}" for number in squares(ax)]
    assert texts(ax, "counted") == ["actual", "model"]
    assert texts(ax, "n") == ["15", "2", "1", "4", *expected]


@pytest.mark.parametrize(("width", "most"), [(2.6, 7), (3.4, 30), (7, 60)])
def test_labels_do_not_overlap(width: float, most: int) -> None:
    ax = axes(width, 3)
    frequency_counts(
        BG, SUMMARY.assign(number=123_456), weights="number", max_frequency=most, ax=ax
    )
    ax.figure.canvas.draw()
    rows = part(ax, "n")
    places = dict.fromkeys(round(text.get_window_extent().y0) for text in rows)
    lines = [[one for one in rows if round(one.get_window_extent().y0) == y] for y in places]
    for line in [ax.get_xticklabels(), *lines]:
        boxes = [text.get_window_extent() for text in line]
        assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_low_axes_have_no_counts() -> None:
    ax = axes(5, 1.6)
    frequency_counts(BG, SUMMARY, ax=ax)
    assert texts(ax, "n") == []


def test_other_names_of_columns_and_any_kind_of_frame(backend: Backend) -> None:
    renamed = {"frequency": "x", "recency": "tx", "T": "t"}
    rows = [{renamed.get(name, name): value for name, value in row.items()} for row in ROWS]
    ax = axes()
    frequency_counts(BG, backend.make(rows), **renamed, weights="number", ax=ax)  # type: ignore[arg-type]
    actual, expected = slow_counts(BG, 7, weighted=True)
    assert heights(ax) == actual
    assert squares(ax) == pytest.approx(expected, rel=1e-9)


def test_nobody_can_be_drawn() -> None:
    ax = axes()
    frequency_counts(BG, SUMMARY.head(0), ax=ax)
    ax.figure.draw_without_rendering()
    assert heights(ax) == squares(ax) == [0] * 8
    assert texts(ax, "empty") == ["No customers"]


def test_what_cannot_be_drawn_is_refused() -> None:
    wrong: Any = "bg_nbd"
    with pytest.raises(errors.ArgumentTypeError, match="`model`"):
        frequency_counts(wrong, SUMMARY, ax=axes())
    for option, value in {"max_frequency": 0, "confidence_level": 95}.items():
        with pytest.raises(errors.ArgumentError, match=option):
            frequency_counts(BG, SUMMARY, ax=axes(), **{option: value})  # type: ignore[arg-type]
    with pytest.raises(errors.MissingColumnError, match="recency"):
        frequency_counts(BG, SUMMARY.drop(columns="recency"), ax=axes())
    with pytest.raises(errors.ArgumentError, match="day"):
        frequency_counts(BG, SUMMARY.assign(time_unit="day"), ax=axes())
    with pytest.raises(errors.ArgumentError, match="frequency"):
        frequency_counts(BG, SUMMARY.assign(frequency=-1), ax=axes())


def test_first_purchases_that_are_counted_are_warned_of() -> None:
    counted = SUMMARY.assign(frequency=SUMMARY["frequency"] + 1)
    with pytest.warns(RetainkitWarning, match="the first purchase seems to be counted"):
        frequency_counts(BG, counted, ax=axes())


def test_the_summary_is_left_as_it_was_and_a_new_figure_is_made() -> None:
    before = SUMMARY.copy(deep=True)
    ax: Any = frequency_counts(BG, SUMMARY)
    assert plt.get_fignums() == [ax.figure.number]
    pd.testing.assert_frame_equal(SUMMARY, before)
    assert np.isfinite(squares(ax)).all()
