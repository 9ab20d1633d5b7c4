"""The picture of one customer's purchases and due dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import num2date
from matplotlib.figure import Figure

import retainkit as rk
from backends import Backend
from retainkit import plot
from retainkit.errors import ArgumentError

MODEL = rk.BGNBD(r=0.5, alpha=30, a=0.5, b=2)
DAYS = ["2024-01-01", "2024-01-11T18:00", "2024-01-11T20:00", "2024-01-31"]
ORDERS = pd.DataFrame({"customer_id": ["ann"] * 4 + ["bob"]}).assign(
    time=pd.to_datetime([*DAYS, "2024-03-10"], format="ISO8601")
)


def drawn(orders: Any = ORDERS, **options: Any) -> Any:
    figure = Figure(figsize=(7, 4))
    ax = figure.subplots()
    given: dict[str, Any] = {"customer_id": "ann", "model": MODEL, **options}
    assert plot.next_purchase(orders, given.pop("model"), ax=ax, **given) is ax
    figure.draw_without_rendering()
    return ax


def part(ax: Any, gid: str) -> Any:
    (one,) = (one for one in [*ax.lines, *ax.collections, *ax.patches] if one.get_gid() == gid)
    return one


def dates(numbers: Any) -> list[Any]:
    return [num2date(one).date() for one in numbers]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        rk.MBGNBD(r=0.5, alpha=4, a=0.5, b=2, unit="week"),
        rk.BGNBD(r=0.5, alpha=4, a=0.5, b=2, unit="week", exact=False),
    ],
    ids=["days", "weeks", "whole weeks"],
)
def test_it_shows_what_the_function_says(model: rk.BGNBD) -> None:
    ax = drawn(model=model, horizon="5000D")
    found = rk.next_purchase(ORDERS, model=model, horizon="5000D").iloc[0]
    x, y = part(ax, "probability").get_data()
    assert y[0] == 0
    assert y[-1] == pytest.approx(found["probability_purchase"], rel=1e-12)
    assert dates(x[[0, -1]])[0] == pd.Timestamp("2024-03-11").date()
    assert x[-1] - x[0] == 5000
    at, q = part(ax, "due").get_data()
    expected = found[["due_25", "due_50", "due_75"]].dropna()
    assert [*q] == [0.25, 0.5, 0.75][: len(expected)]
    assert dates(at) == [one.date() for one in expected]
    assert np.interp(at, x, y) == pytest.approx(q, abs=0.01)
    alive = part(ax, "alive").get_segments()[0][:, 1]
    assert alive == pytest.approx(found["probability_alive"], rel=1e-12)


def test_purchases_are_marked_by_day(backend: Backend) -> None:
    pairs = zip(ORDERS["customer_id"], ORDERS["time"], strict=True)
    rows = [{"customer_id": who, "time": time.to_pydatetime()} for who, time in pairs]
    ax = drawn(backend.make(rows))
    marks = [segment[0, 0] for segment in part(ax, "purchases").get_segments()]
    assert [str(one) for one in dates(marks)] == ["2024-01-01", "2024-01-11", "2024-01-31"]
    label = "Customer ann: 3 days with a purchase (marks), observed to 2024-03-10"
    assert " ".join(ax.get_xlabel().split()) == label


def test_dates_beyond_the_horizon_are_left_out() -> None:
    ax = drawn(horizon="30D")
    assert [text.get_text() for text in ax.texts][1:] == ["25% by 2 Apr 2024"]
    assert [*part(ax, "due").get_ydata()] == [0.25]
    none = drawn(horizon="1D")
    assert not [one for one in [*none.lines, *none.patches] if one.get_gid() in {"due", "window"}]


def test_a_customer_of_whom_there_is_nothing() -> None:
    with pytest.raises(ArgumentError, match=r"in no row of column 'customer_id' of `orders`"):
        drawn(customer_id="cyd")
    with pytest.raises(ArgumentError, match="horizon"):
        drawn(horizon="0D")
