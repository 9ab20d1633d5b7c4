"""The table of the ten segments, and the check of rules before there is any data."""

from typing import Any

import pandas as pd
import polars as pl
import pytest

import retainkit as rk
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError

SCORES = range(1, 6)


def test_each_of_the_25_cells_meets_one_of_the_ten_rules() -> None:
    rules = rk.segment_rules()
    assert len(rules) == rules["segment"].nunique() == 10
    cells = rk.check_rules(rules, levels={"r": SCORES, "f": SCORES})
    assert len(cells) == 25
    assert (cells["rules"] == 1).all()
    assert {*cells["labels"]} == {*rules["segment"]}


# R package rfm 0.3.0, tests/testthat/test-rfm-segment.R: lower and upper scores of ten segments.
RFM_GRID = pd.DataFrame(
    {
        "segment": [
            *("Champions", "Loyal Customers", "Potential Loyalist", "New Customers", "Promising"),
            *("Need Attention", "About To Sleep", "At Risk", "Can't Lose Them", "Lost"),
        ],
        "r_min": [4, 2, 3, 4, 3, 2, 2, 1, 1, 1],
        "r_max": [5, 5, 5, 5, 4, 3, 3, 2, 1, 2],
        "f_min": [4, 3, 1, 1, 1, 2, 1, 2, 4, 1],
        "f_max": [5, 5, 3, 1, 1, 3, 2, 5, 5, 2],
        "m_min": [4, 3, 1, 1, 1, 2, 1, 2, 4, 1],
        "m_max": [5, 5, 3, 1, 1, 3, 2, 5, 5, 2],
    }
)


def test_the_grid_of_the_package_rfm_has_gaps_and_overlaps() -> None:
    # customers-cases, 6.3
    cells = rk.check_rules(RFM_GRID, levels={"r": SCORES, "f": SCORES, "m": SCORES})
    assert len(cells) == 125
    assert (cells["rules"] == 0).sum() == 36
    assert (cells["rules"] > 1).sum() == 39
    scored = cells.drop(columns=["rules", "labels"])
    with pytest.raises(ArgumentError, match=r"36 rows of 125 .*meet no rule") as gap:
        rk.assign_segments(scored, RFM_GRID)
    assert (gap.value.code, gap.value.rows, gap.value.total) == ("no_rule", 36, 125)
    with pytest.raises(ArgumentError, match=r"39 rows of 125 .*several rules") as overlap:
        rk.assign_segments(scored, RFM_GRID, default="none")
    assert (overlap.value.code, overlap.value.rows) == ("several_rules", 39)


def test_the_check_counts_as_a_loop_does() -> None:
    cells = rk.check_rules(RFM_GRID, levels={"r": SCORES, "f": SCORES, "m": SCORES})
    for cell in cells.to_dict("records"):
        met = [
            rule["segment"]
            for rule in RFM_GRID.to_dict("records")
            if all(rule[f"{one}_min"] <= cell[one] <= rule[f"{one}_max"] for one in "rfm")
        ]
        assert cell["rules"] == len(met)
        assert cell["labels"] == ", ".join(met)


def test_labels_may_be_those_of_an_audience_and_levels_of_any_type() -> None:
    rules = pl.DataFrame(
        {"rule": ["a", "b"], "plan_is": ["pro", None], "flag_is": [None, True], "x_max": [1.5, 2.5]}
    )
    cells = rk.check_rules(rules, levels={"plan": ["pro", "free"], "flag": [True], "x": (1, 2)})
    assert cells["labels"].to_list() == ["a, b", "b", "b", "b"]


def test_a_value_may_be_missing() -> None:
    rules = pd.DataFrame({"segment": ["a"], "x_min": [1]})
    assert rk.check_rules(rules, levels={"x": [None, 1, 2]})["rules"].to_list() == [0, 1, 1]


def test_levels_that_are_wrong_are_refused() -> None:
    rules = rk.segment_rules()
    with pytest.raises(MissingColumnError, match=r"(?s)'f'.*in `levels`"):
        rk.check_rules(rules, levels={"r": SCORES})
    levels: Any
    for levels in ({}, {"r": []}):
        with pytest.raises(ArgumentError, match="`levels` has no values"):
            rk.check_rules(rules, levels=levels)
    for levels in ([1], {"r": 5}, {"r": "5"}, {1: [5]}):
        with pytest.raises(ArgumentTypeError, match="`levels`"):
            rk.check_rules(rules, levels=levels)
    with pytest.raises(ArgumentError, match="1,002,001 combinations"):
        rk.check_rules(rules, levels={"r": range(1001), "f": range(1001)})
    with pytest.raises(ArgumentError, match="'rules', which is also the name"):
        rk.check_rules(rules, levels={"rules": [1]})


def test_the_rules_of_a_call_are_ones_own() -> None:
    rules = rk.segment_rules()
    rules["r_min"] = 9
    assert rk.segment_rules()["r_min"].max() == 5
