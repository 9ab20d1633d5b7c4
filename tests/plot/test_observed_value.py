"""Pictures of value by age: complete lines alone, costs as levels, payback marked."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from retainkit import datasets, observed_value, payback, plot
from retainkit.errors import ArgumentError


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return datasets.load_cdnow(sample=True)


def test_a_line_ends_where_its_cohort_is_complete(orders: pd.DataFrame) -> None:
    table = observed_value(orders, ages=[0, 100, 470, 480, 500])
    ax = plot.observed_value(table, ax=Figure().subplots())
    assert [np.asarray(line.get_xdata())[-1] for line in ax.lines] == [500, 480, 100]
    assert [line.get_label() for line in ax.lines] == ["1997-01-01", "1997-02-01", "1997-03-01"]
    assert ax.get_ylim()[0] == 0
    assert len(ax.collections) == 3


def test_costs_are_levels_and_payback_is_marked(orders: pd.DataFrame) -> None:
    table = observed_value(orders, ages=range(0, 361, 30))
    costs = pd.DataFrame({"cohort": table["cohort"].unique(), "cost": [50.0, 50.0, 200.0]})
    found = payback(orders, cost=costs)
    ax = plot.observed_value(table, payback=found, ax=Figure().subplots())
    levels = [np.asarray(line.get_ydata())[0] for line in ax.lines if line.get_gid() == "cost"]
    assert levels == [50.0, 200.0]
    dots = [
        np.asarray(one.get_offsets()).tolist()[0]
        for one in ax.collections
        if one.get_gid() == "payback"
    ]
    assert dots == [[days, 50.0] for days in found["payback_days"].dropna()]
    assert len(dots) == 2


def test_all_together_are_one_line_without_a_legend(orders: pd.DataFrame) -> None:
    table = observed_value(orders, ages=[0, 30], cohort_period=None)
    found = payback(orders, cost=40.0, cohort_period=None)
    ax = plot.observed_value(table, payback=found, ax=Figure().subplots())
    assert ax.get_legend() is None
    assert any(one.get_gid() == "payback" for one in ax.collections)


def test_segments_and_many_cohorts_are_told_apart(orders: pd.DataFrame) -> None:
    halves = orders.assign(half=orders["customer_id"] % 2)
    table = observed_value(halves, by="half", ages=[0, 30], cohort_period="week")
    ax = plot.observed_value(table, ax=Figure().subplots())
    assert len(ax.lines) == 26
    assert ax.lines[0].get_label() == "0, 1996-12-30"


def test_a_table_of_nobody_is_an_empty_picture(orders: pd.DataFrame) -> None:
    table = observed_value(orders, ages=[900])
    assert not plot.observed_value(table, ax=Figure().subplots()).lines


def test_rows_that_are_there_twice_are_refused(orders: pd.DataFrame) -> None:
    table = observed_value(orders, ages=[0])
    with pytest.raises(ArgumentError, match="cohorts and ages"):
        plot.observed_value(pd.concat([table, table]))
