"""Pictures of segments: the shares in the cells, the names of segments, the curve of value."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from retainkit import value_concentration
from retainkit.errors import ArgumentError, ColumnTypeError, MissingColumnError
from retainkit.plot import segment_map
from retainkit.plot import value_concentration as draw_concentration

SCORES = pd.DataFrame(
    {
        "r": [1, 1, 1, 2, 3, 3],
        "f": [1, 1, 2, 2, 3, 1],
        "monetary": [10.0, 20.0, 5.0, 15.0, 50.0, -4.0],
        "segment": ["lost", "lost", "lost", "loyal", "loyal", "new"],
    }
)


def texts(table: pd.DataFrame, **options: object) -> dict[tuple[float, float], str]:
    ax = segment_map(table, ax=Figure((6, 6)).subplots(), **options)  # type: ignore[arg-type]
    return {one.get_position(): one.get_text() for one in ax.texts}


def test_cells_have_the_share_of_customers() -> None:
    assert texts(SCORES) == {
        (1, 1): "33%",
        (1, 2): "17%",
        (2, 2): "17%",
        (3, 3): "17%",
        (3, 1): "17%",
    }


def test_cells_have_the_share_of_money_in_which_refunds_are_0() -> None:
    found = texts(SCORES, values="monetary")
    assert found[1, 1] == "30%"
    assert found[3, 3] == "50%"
    assert found[3, 1] == "0%"


def test_cells_without_customers_stay_white() -> None:
    ax = segment_map(SCORES, ax=Figure().subplots())
    cells: Any = np.ma.asarray(ax.collections[0].get_array())
    assert int(np.ma.getmaskarray(cells).sum()) == 4
    assert cells.sum() == pytest.approx(1.0)


def test_segments_have_their_names_and_shares() -> None:
    found = texts(SCORES, segment="segment")
    assert sorted(found.values()) == ["lost\n50%", "loyal\n33%", "new\n17%"]


def test_a_table_without_rows_is_drawn() -> None:
    assert texts(SCORES.iloc[:0]) == {}
    table = value_concentration(pd.DataFrame({"customer_id": [1], "amount": [1.0]}), draws=1)
    ax = draw_concentration(table.iloc[:0], ax=Figure().subplots())
    assert len(ax.lines) == 1


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(MissingColumnError, match="rfm_scores"):
        segment_map(SCORES.drop(columns="r"))
    with pytest.raises(ColumnTypeError, match="'f' of `table`"):
        segment_map(SCORES.astype({"f": str}))
    with pytest.raises(ArgumentError, match="`values` is 'value'"):
        segment_map(SCORES, values="value")  # type: ignore[arg-type]


def test_a_line_for_each_segment_from_nobody_to_everybody() -> None:
    orders = pd.DataFrame({"customer_id": range(8), "amount": [70, 20, 10, 0, 30, 30, 30, 10]})
    table = value_concentration(
        orders.assign(team=list("aaaabbbb")), by="team", shares=[0.25, 0.5], draws=20, seed=1
    )
    ax = draw_concentration(table, ax=Figure((6, 5)).subplots())
    curves = {
        str(one.get_label()): one.get_xydata().tolist()  # type: ignore[union-attr]
        for one in ax.lines
        if one.get_gid() == "shares"
    }
    assert curves == {
        "a, Gini 0.55": [[0, 0], [0.25, 0.7], [0.5, 0.9], [1, 1]],
        "b, Gini 0.15": [[0, 0], [0.25, 0.3], [0.5, 0.6], [1, 1]],
    }
    with pytest.raises(ArgumentError, match="rows for 4 shares of customers and segments"):
        draw_concentration(pd.concat([table, table]))
