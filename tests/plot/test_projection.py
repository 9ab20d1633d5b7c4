"""The picture of a projection: what is drawn, marked, worded and refused."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from pictures import axes, part, words
from retainkit.errors import (
    ArgumentError,
    ColumnTypeError,
    MissingColumnError,
)
from retainkit.plot._projection import projection

if TYPE_CHECKING:
    from backends import Backend

NAN = float("nan")


def table(scale: float = 1.0) -> pd.DataFrame:
    """Make a projection as models give it: fitted to age 2, held out to 4, on to 6."""
    return pd.DataFrame(
        {
            "age": range(7),
            "customers": 1000.0,
            "observed": [1, 0.6 * scale, 0.5 * scale, 0.42 * scale, 0.38 * scale, NAN, NAN],
            "fitted": [1, 0.62 * scale, 0.49 * scale, NAN, NAN, NAN, NAN],
            "projected": [NAN, NAN, NAN, 0.43 * scale, 0.36 * scale, 0.33 * scale, 0.3 * scale],
            "lower": [1, 0.6 * scale, 0.45 * scale, 0.4 * scale, 0.3 * scale, 0.25 * scale, 0.2],
            "upper": [1, 0.64, 0.52, 0.45, 0.42, 0.4, 0.39],
            "held_out": [False, False, False, True, True, False, False],
            "error": [NAN, NAN, NAN, 0.01, -0.02, NAN, NAN],
        }
    )


def two() -> pd.DataFrame:
    both = pd.concat([table().assign(plan="pro"), table(0.5).assign(plan="basic $5 to $10")])
    return both[["plan", *table().columns]].sample(frac=1, random_state=2)


def points(line: Any) -> list[list[float]]:
    found: list[list[float]] = np.asarray(line.get_xydata(), float).round(9).tolist()
    return found


def test_what_was_seen_fitted_and_projected_is_drawn_where_it_is() -> None:
    ax = axes()
    assert projection(table(), ax=ax) is ax
    (observed,), (fitted,), (ahead,), (held,) = (
        part(ax, name) for name in ("observed", "fitted", "projected", "held out")
    )
    assert points(observed) == [[0, 1], [1, 0.6], [2, 0.5]]
    assert points(fitted) == [[0, 1], [1, 0.62], [2, 0.49]]
    # The projection sets out from the last share known, not from the curve.
    assert points(ahead) == [[2, 0.5], [3, 0.43], [4, 0.36], [5, 0.33], [6, 0.3]]
    assert points(held) == [[3, 0.42], [4, 0.38]]
    assert to_hex(held.get_markerfacecolor()) == "#ffffff"
    assert ahead.is_dashed()
    assert not fitted.is_dashed()


def test_the_band_is_that_of_the_projection() -> None:
    ax = axes()
    projection(table(), ax=ax)
    (band,) = part(ax, "band")
    corners = {tuple(corner) for corner in np.asarray(band.get_paths()[0].vertices).round(9)}
    for age, low, high in zip(table()["age"], table()["lower"], table()["upper"], strict=True):
        assert {(age, low), (age, high)} <= corners or age < 3
    assert (2, 0.5) in corners
    assert min(corner[0] for corner in corners) == 2


def test_the_end_of_the_fit_is_marked() -> None:
    ax = axes()
    projection(table(), ax=ax)
    (line,) = part(ax, "end of fit")
    assert np.asarray(line.get_xdata())[0] == 2
    assert [text.get_text() for text in part(ax, "side")] == ["fitted", "projected"]
    later = two()
    later.loc[(later["plan"] == "pro") & (later["age"] == 2), "fitted"] = NAN
    later.loc[(later["plan"] == "pro") & (later["age"] == 2), "held_out"] = True
    later.loc[(later["plan"] == "pro") & (later["age"] == 2), "projected"] = 0.5
    ax = axes()
    projection(later, ax=ax)
    assert part(ax, "end of fit") == []  # it is not one for all


def test_the_legend_tells_how_far_it_was_off() -> None:
    ax = axes()
    projection(table(), ax=ax)
    assert words(ax) == [
        "observed (1,000 customers)",
        "held out (off by 1.5 points on average)",
        "fitted",
        "projected",
        "its interval",
    ]
    ax = axes(3, 2.5)
    projection(table(), ax=ax)
    assert words(ax)[:2] == ["observed", "held out"]


def test_cohorts_have_colours_and_names() -> None:
    ax = axes()
    projection(two(), ax=ax, palette=("#112233", "#445566"))
    assert words(ax)[:2] == [
        "basic $5 to $10 (1,000; off by 0.8 points)",
        "pro (1,000; off by 1.5 points)",
    ]
    assert ax.get_legend().get_title().get_text() == "plan (customers)"
    assert [to_hex(line.get_color()) for line in part(ax, "fitted")] == ["#112233", "#445566"]
    assert points(part(ax, "fitted")[1]) == [[0, 1], [1, 0.62], [2, 0.49]]
    ax.figure.canvas.draw()


def test_a_projection_without_holdout_or_interval_or_future() -> None:
    bare = table().assign(lower=NAN, upper=NAN, held_out=False)
    bare.loc[3:, "observed"] = NAN
    ax = axes()
    projection(bare, ax=ax)
    assert words(ax) == ["observed (1,000 customers)", "fitted", "projected"]
    assert part(ax, "held out") == []
    ax = axes()
    projection(bare[:3], ax=ax)
    assert words(ax) == ["observed (1,000 customers)", "fitted"]
    assert part(ax, "end of fit") == []
    ax = axes()
    projection(bare[:0], ax=ax)
    assert ax.lines[:] == []
    ax.figure.canvas.draw()


def test_axes() -> None:
    ax = axes()
    projection(table(), ax=ax, period="year")
    assert ax.get_xlabel() == "Age (years since the start)"
    assert ax.get_ylabel() == "Share of customers still there"
    assert ax.get_ylim() == (0, 1)
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "100%"
    own = projection(table())
    assert own.get_xlabel() == "Age (periods since the start)"
    assert own.figure.get_size_inches().tolist() == [7.0, 4.2]  # type: ignore[union-attr]


def test_every_kind_of_frame_draws_the_same(backend: Backend) -> None:
    rows = two().astype({"plan": object}).fillna(0.0).to_dict("records")
    ax = axes()
    projection(backend.make(rows), ax=ax)
    assert len(part(ax, "fitted")) == 2


@pytest.mark.parametrize(
    ("given", "options", "error", "text"),
    [
        (table().drop(columns="fitted"), {}, MissingColumnError, "'fitted'"),
        (table().assign(lower="a"), {}, ColumnTypeError, "'lower'"),
        (pd.concat([table(), table()]), {}, ArgumentError, "several rows for one age"),
        (two(), {"palette": ("red",)}, ArgumentError, "2 cohorts of 'plan', and there are 1"),
        (table(), {"period": "years"}, ArgumentError, "`period` is 'years'"),
    ],
)
def test_what_is_refused(
    given: Any, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        projection(given, ax=axes(), **options)


@pytest.mark.slow
def test_pyplot_is_not_imported_for_axes_that_are_given() -> None:
    code = """
import sys
import pandas as pd
from matplotlib.figure import Figure
from retainkit.plot._projection import projection
from retainkit import SBG
found = SBG(alpha=1, beta=2).project(pd.DataFrame({"age": [0, 1], "retained": [9, 6]}), 2)
projection(found, ax=Figure().subplots())
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603
