"""The picture of warning signs: rings, dots, p-values, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from pictures import axes, part, plain, texts, words
from retainkit import errors
from retainkit.plot._signs import warning_signs
from retainkit.plot._style import PALETTE

if TYPE_CHECKING:
    from backends import Backend


def found() -> pd.DataFrame:
    """Make a table as `warning_signs` gives it."""
    return pd.DataFrame(
        {
            "plan": ["a", "b", "a", None],
            "customer_id": [7, 3, 5, 9],
            "baseline_active": [30, 60, 3, 12],
            "recent_active": [8, 0, 2, 1],
            "expected": [10.0, 20.0, 1.0, 4.0],
            "ratio": [0.8, 0.0, 2.0, 0.25],
            "p_value": [0.29, 1e-7, None, 0.01],
            "p_adjusted": [0.29, 2e-7, None, 0.015],
            "reasons": ["silent", "usage down; silent", "", "usage down"],
            "judged": [True, True, False, True],
        }
    )


def names(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def places(ax: Any, kind: str) -> list[tuple[float, float]]:
    """Return where the marks of a kind are: y, x."""
    return [(float(one.get_ydata()[0]), float(one.get_xdata()[0])) for one in part(ax, kind)]


def test_rings_are_the_baseline_and_dots_what_came() -> None:
    ax = axes()
    assert warning_signs(found(), ax=ax) is ax
    assert names(ax) == ["b, 3", "null, 9", "a, 7"]
    assert places(ax, "expected") == [(0, 20), (1, 4), (2, 10)]
    assert places(ax, "down") == [(0, 0), (1, 1)]
    assert places(ax, "unsure") == [(2, 8)]
    assert [to_hex(one.get_color()) for one in part(ax, "down")] == [PALETTE[1].lower()] * 2
    low, high = ax.get_ylim()
    assert low > high, "the first row is on top"


def test_the_p_values_stand_beside_them() -> None:
    ax = axes()
    warning_signs(found(), ax=ax)
    assert texts(ax, "p") == ["<0.001", "0.015", "0.290"]
    assert words(ax) == [
        "expected by their own baseline",
        "recent: usage down",
        "recent: may be chance",
    ]
    assert "3 of 3 customers judged" in plain(ax.get_xlabel())


def test_so_many_are_drawn_in_any_order_of_the_rows() -> None:
    ax = axes()
    warning_signs(found().sample(frac=1, random_state=1), most=2, ax=ax)
    assert names(ax) == ["b, 3", "null, 9"]
    assert "2 of 3 customers judged" in plain(ax.get_xlabel())
    assert words(ax) == ["expected by their own baseline", "recent: usage down"]


def test_nobody_judged_is_said() -> None:
    ax = axes()
    warning_signs(found().assign(judged=False), ax=ax)
    assert "nobody was judged" in [one.get_text() for one in ax.texts]
    assert names(ax) == []


def test_what_is_refused() -> None:
    with pytest.raises(errors.ArgumentError, match="1 or more"):
        warning_signs(found(), most=0, ax=axes())
    with pytest.raises(errors.MissingColumnError, match="expected"):
        warning_signs(found().drop(columns="expected"), ax=axes())


def test_every_kind_of_frame_in_memory(backend: Backend) -> None:
    if backend.lazy:
        pytest.skip("a result of a customer a row is lazy there")
    ax = axes()
    rows = found().drop(index=2).to_dict("records")
    warning_signs(backend.make([row | {"plan": str(row["plan"])} for row in rows]), ax=ax)
    assert names(ax)[0] == "b, 3"
    assert texts(ax, "p") == ["<0.001", "0.015", "0.290"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3.4, 3.2), (7, 4), (12, 5)])
def test_nothing_leaves_the_figure(size: tuple[float, float]) -> None:
    ax = axes(*size)
    warning_signs(found(), ax=ax)
    ax.figure.canvas.draw()
    whole = ax.figure.bbox
    shown = [*ax.texts, ax.xaxis.label, ax.get_legend()]
    for box in (one.get_window_extent() for one in shown):
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1 + 1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1 + 1
