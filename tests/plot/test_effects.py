"""The picture of the effects of covariates: ratios, intervals, labels and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pictures import axes
from retainkit import errors
from retainkit.plot import effects


def found() -> pd.DataFrame:
    """Make a table as `effects` of a model gives it, with one that is not identified."""
    return pd.DataFrame(
        {
            "process": ["purchase", "purchase", "dropout"],
            "covariate": ["channel", "channel", "age"],
            "level": ["shop", "radio", "38.2"],
            "reference": ["web", "web", "37.2"],
            "ratio": [1.7, 1e-6, 0.9],
            "ratio_lower": [1.4, np.nan, 0.8],
            "ratio_upper": [2.0, np.nan, 1.0],
        }
    )


def intervals(ax: Any) -> list[list[float]]:
    lines = [one for one in ax.collections if one.get_gid() == "interval"]
    return [one.get_segments()[0][:, 0].tolist() for one in lines]


def places(ax: Any, process: str) -> list[float]:
    return [one.get_xdata()[0] for one in ax.lines if one.get_gid() == process]


def test_ratios_are_drawn_from_the_top() -> None:
    ax = axes()
    assert effects(found(), ax=ax) is ax
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "channel: shop against web"
    assert labels[2] == "age: 38.2 against 37.2"
    assert intervals(ax) == [pytest.approx([1.4, 2.0]), pytest.approx([0.8, 1.0])]
    assert places(ax, "dropout") == [0.9]
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]


def test_what_is_not_identified_is_a_mark_without_an_interval() -> None:
    ax = axes()
    effects(found().iloc[[1]], ax=ax)
    assert intervals(ax) == []
    assert places(ax, "purchase") == [1e-3]
    assert ax.get_xlabel().startswith("Ratio of purchase")


def test_an_empty_table_and_a_missing_column() -> None:
    effects(found()[:0], ax=axes())
    with pytest.raises(errors.MissingColumnError, match="'ratio'"):
        effects(found().drop(columns="ratio"), ax=axes())


def test_the_label_fits_narrow_axes() -> None:
    ax = axes(3.6, 2.2)
    effects(found(), ax=ax)
    ax.figure.canvas.draw()
    box = ax.xaxis.label.get_window_extent()
    assert "\n" in ax.get_xlabel()
    assert box.x0 >= 0
    assert box.x1 <= ax.figure.bbox.x1
