"""The picture of totals: rows, intervals, the part of the parameters, what came, what fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pictures import axes
from retainkit import errors
from retainkit.plot import cltv_total


def totals() -> pd.DataFrame:
    """Make a table as `cltv_total` gives it, with a segment null and one without an interval."""
    return pd.DataFrame(
        {
            "channel": ["shop", "web", None, None],
            "all_customers": [False, False, False, True],
            "customers": [10, 20, 5, 35],
            "expected_purchases": [8.0, 12.0, 2.0, 22.0],
            "purchases_lower": [5.0, 8.0, 1.0, 17.0],
            "purchases_upper": [12.0, 18.0, 5.0, 28.0],
            "cltv": [100.0, 400.0, 50.0, 550.0],
            "lower": [50.0, 200.0, np.nan, 400.0],
            "upper": [200.0, 800.0, np.nan, 756.25],
            "mean_cltv": [10.0, 20.0, 10.0, 550 / 35],
            "mean_lower": [5.0, 10.0, np.nan, 400 / 35],
            "mean_upper": [20.0, 40.0, np.nan, 756.25 / 35],
            "parameter_share": [0.25, 0.0, np.nan, 1.0],
        }
    )


def lines(ax: Any, name: str) -> list[list[float]]:
    [drawn] = [one for one in ax.collections if one.get_gid() == name]
    return [segment[:, 0].tolist() for segment in drawn.get_segments()]


def places(ax: Any, name: str) -> list[tuple[float, float]]:
    drawn = [one for one in ax.lines if one.get_gid() == name]
    return [(x, y) for one in drawn for x, y in one.get_xydata().tolist()]


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_rows_stand_from_the_top_and_all_customers_last() -> None:
    ax = axes()
    assert cltv_total(totals(), ax=ax) is ax
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["shop", "web", "null", "all customers"]
    assert places(ax, "total") == [(100, 0), (400, 1), (50, 2), (550, 3)]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert lines(ax, "interval") == [[50, 200], [200, 800], [400, 756.25]]


def test_the_part_of_the_parameters_is_a_share_of_the_variance_of_the_logarithm() -> None:
    ax = axes()
    cltv_total(totals(), ax=ax)
    # A quarter of the variance is half of the width: 100 / 2^.5 and 100 * 2^.5.
    near = [[100 / 2**0.5, 100 * 2**0.5], [400.0, 400.0], [400.0, 756.25]]
    np.testing.assert_allclose(lines(ax, "parameters"), near)
    assert legend(ax) == ["interval", "of that, the parameters"]


@pytest.mark.parametrize(
    ("values", "middle", "limits"),
    [
        ("mean_cltv", [10, 20, 10, 550 / 35], [[5, 20], [10, 40], [400 / 35, 756.25 / 35]]),
        ("expected_purchases", [8, 12, 2, 22], [[5, 12], [8, 18], [1, 5], [17, 28]]),
    ],
)
def test_other_values(values: Any, middle: list[float], limits: list[list[float]]) -> None:
    ax = axes()
    cltv_total(pl.from_pandas(totals()), values=values, ax=ax)
    assert [x for x, _ in places(ax, "total")] == middle
    np.testing.assert_allclose(lines(ax, "interval"), limits)
    # The share is one of the variance of the value, and tells nothing of purchases.
    assert ("of that, the parameters" in legend(ax)) == (values == "mean_cltv")


def test_what_came_in_the_end() -> None:
    ax, alone = axes(), axes()
    cltv_total(totals(), actual=[120, np.nan, 40, 600], ax=ax)
    assert places(ax, "actual") == [(120, 0), (40, 2), (600, 3)]
    assert legend(ax)[-1] == "actual"
    cltv_total(totals().iloc[[3]].drop(columns="channel"), actual=600, ax=alone)
    assert places(alone, "actual") == [(600, 0)]
    assert [label.get_text() for label in alone.get_yticklabels()] == ["all customers"]
    assert alone.get_xlim()[1] > 756.25


def test_a_total_of_nothing_and_an_empty_table() -> None:
    ax = axes()
    row = totals().iloc[[3]].assign(cltv=0.0, lower=0.0, upper=0.0, parameter_share=np.nan)
    cltv_total(row, ax=ax)
    assert places(ax, "total") == [(0, 0)]
    cltv_total(totals()[:0], ax=axes())


def test_what_is_refused() -> None:
    with pytest.raises(errors.MissingColumnError, match="'lower'"):
        cltv_total(totals().drop(columns="lower"), ax=axes())
    with pytest.raises(errors.ArgumentError, match=r"`actual` .* number for each of the 4 rows"):
        cltv_total(totals(), actual=600, ax=axes())
    with pytest.raises(errors.ArgumentError, match="`values`"):
        cltv_total(totals(), values="customers", ax=axes())  # type: ignore[arg-type]
