"""The picture of a contact policy: what is drawn adds up to the table."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retainkit import apply_contact_policy, plot
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.plot._contacts import COLOURS


def judged(n: int = 400) -> Any:
    """Return a table with all reasons."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n) // 3,
            "channel": np.array(["email", "email", "sms"])[np.arange(n) % 3],
            "rule": np.arange(n),
            "priority": rng.integers(1, 4, n),
            "receipt": rng.random(n) < 0.1,
        }
    )
    log = pd.DataFrame(
        {"customer_id": np.arange(0, n, 9), "channel": "sms", "time": pd.Timestamp("2024-03-07")}
    )
    caps = pd.DataFrame({"channel": ["email", "sms"], "max": 1, "window": "7D"})
    suppress = pd.DataFrame({"customer_id": np.arange(0, n, 10)})
    return apply_contact_policy(
        table,
        as_of="2024-03-08",
        contacts=log,
        caps=caps,
        suppress=suppress,
        exempt="receipt",
        holdout=0.3,
    )


def drawn(ax: Axes) -> dict[tuple[str, str], int]:
    """Return the lengths of the parts by channel and reason."""
    names = [one.get_text() for one in ax.get_yticklabels()]
    bars: list[Any] = [patch for patch in ax.patches if patch.get_gid()]
    return {
        (names[round(bar.get_y() + bar.get_height() / 2)], str(bar.get_gid())): round(
            bar.get_width()
        )
        for bar in bars
    }


def axes(width: float = 7.0) -> Axes:
    return Figure(figsize=(width, 3), layout="constrained").subplots()


def test_the_parts_are_the_counts_of_the_table() -> None:
    table = judged()
    ax = plot.contact_policy(table, ax=axes())
    wanted = table.groupby(["channel", "reason"]).size().to_dict()
    assert drawn(ax) == wanted
    assert {reason for _, reason in wanted} == {*COLOURS}
    totals = [one.get_text().strip() for one in ax.texts if one.get_gid() == "total"]
    assert totals == [f"{n:,}" for n in table["channel"].value_counts()]
    legend = ax.get_legend()
    assert legend is not None
    counts = table["reason"].value_counts()
    assert legend.get_texts()[0].get_text() == f"sent {counts['send']}"
    assert len(legend.get_texts()) == len(counts)


def test_caps_in_the_way_are_named_with_their_counts() -> None:
    table = judged()
    text = plot.contact_policy(table, ax=axes()).get_xlabel().replace("\n", " ")
    for cap, n in table["blocked_by"].value_counts().items():
        assert f"{cap} ({n})" in text
    many = pd.DataFrame(
        {"channel": "email", "reason": "cap", "blocked_by": [f"email {i} in 7D" for i in range(9)]}
    )
    assert "5 others" in plot.contact_policy(many, ax=axes()).get_xlabel()


def test_the_longest_bar_is_on_top_whatever_the_order_of_rows() -> None:
    table = judged()
    one, other = (plot.contact_policy(part, ax=axes()) for part in (table, table[::-1]))
    assert drawn(one) == drawn(other)
    assert [tick.get_text() for tick in one.get_yticklabels()] == ["email", "sms"]


@pytest.mark.parametrize("width", [1.5, 3.0, 12.0])
def test_numbers_stay_within_their_parts(width: float) -> None:
    ax = plot.contact_policy(judged(), ax=axes(width))
    ax.figure.canvas.draw()
    for text in ax.texts:
        if text.get_gid() != "cell":
            continue
        box = text.get_window_extent()
        parts = [patch.get_window_extent() for patch in ax.patches if patch.get_gid()]
        assert any(part.x0 <= box.x0 and box.x1 <= part.x1 for part in parts)


def test_a_column_of_channels_may_have_another_name_and_a_table_another_kind() -> None:
    table = judged().rename(columns={"channel": "medium"})
    ax = plot.contact_policy(pl.from_pandas(table), channel="medium", ax=axes())
    assert drawn(ax) == drawn(plot.contact_policy(judged(), ax=axes()))


def test_no_rows_are_an_empty_picture() -> None:
    ax = plot.contact_policy(judged()[:0], ax=axes())
    assert not ax.patches
    assert ax.get_legend() is None


def test_reasons_that_are_none_are_refused() -> None:
    table = judged().assign(reason="lost in the post")
    with pytest.raises(ArgumentError, match=r"'reason' of `table` holds 'lost in the post' in 400"):
        plot.contact_policy(table, ax=axes())
    with pytest.raises(ArgumentTypeError, match="`channel` is 3"):
        plot.contact_policy(judged(), channel=3, ax=axes())  # type: ignore[arg-type]
