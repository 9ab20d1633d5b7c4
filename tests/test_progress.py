"""Long work says how far it is: as many steps as were announced, and an end in any case."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import retainkit as rk
from registry import ORDERS, PURCHASES, REGISTRY, RESPONSES, SPEND, SUBSCRIPTIONS, SUMMARY
from retainkit.errors import ArgumentTypeError
from tables import rows_of

# Some draws of few rows are of another kind than most.
pytestmark = pytest.mark.filterwarnings("ignore::retainkit.RetainkitWarning")


class Bar:
    """Note what is said of the steps; with `broken` an update fails."""

    def __init__(self, total: int, *, broken: bool = False) -> None:
        self.total, self.broken = total, broken
        self.updates: list[int] = []
        self.closed = 0

    def update(self, n: int, /) -> None:
        assert not self.closed
        if self.broken:
            raise InterruptedError
        self.updates.append(n)

    def close(self) -> None:
        self.closed += 1


def bars(*, broken: bool = False) -> tuple[list[Bar], Callable[..., Bar]]:
    """Return a list of the bars that are made, and what makes them."""
    made: list[Bar] = []

    def make(*, total: int) -> Bar:
        made.append(Bar(total, broken=broken))
        return made[-1]

    return made, make


SUMMARY_FRAME = pd.DataFrame(SUMMARY)
ANSWERS = pd.DataFrame(RESPONSES)


def _fitted() -> dict[str, Any]:
    return {
        "purchases": rk.fit_bg_nbd(SUMMARY_FRAME, penalty=0.01),
        "spend": rk.fit_gamma_gamma(SUMMARY_FRAME, penalty=0.01),
    }


BOOTSTRAP: dict[str, Any] = {"interval": "bootstrap", "draws": 7, "seed": 1}
DRAWN: dict[str, Any] = {"method": "bootstrap", "draws": 7, "seed": 1}
# By function: the call, and the number of its steps.
CALLS: dict[str, tuple[Callable[..., Any], int]] = {
    "cltv": (
        lambda **options: rk.cltv(
            pd.DataFrame(ORDERS), penalty=0.01, by="team", **BOOTSTRAP, **options
        ),
        7 * 2,  # of two teams
    ),
    "cltv_from_models": (
        lambda **options: rk.cltv_from_models(SUMMARY_FRAME, **_fitted(), **BOOTSTRAP, **options),
        7,
    ),
    "nps": (
        lambda **options: rk.nps(
            ANSWERS, by="plan", method="bootstrap", draws=7, seed=1, **options
        ),
        7 * ANSWERS["plan"].nunique(dropna=False),
    ),
    "key_drivers": (
        lambda **options: rk.key_drivers(
            ANSWERS,
            **REGISTRY["key_drivers"].options | {"draws": 7, "seed": 1, "by": []},
            **options,
        ),
        7,
    ),
    "revenue_retention": (
        lambda **options: rk.revenue_retention(
            pd.DataFrame(SUBSCRIPTIONS), as_of="2024-06-01", **BOOTSTRAP, **options
        ),
        7,
    ),
    "holdout_report": (
        lambda **options: rk.holdout_report(
            pd.DataFrame(ORDERS), **REGISTRY["holdout_report"].options, **options
        ),
        3,
    ),
}
each = pytest.mark.parametrize("name", CALLS)


def plain(result: Any) -> Any:
    return rows_of(result.total if isinstance(result, rk.HoldoutReport) else result)


def test_all_functions_that_show_progress_are_tried() -> None:
    functions = {name: getattr(rk, name) for name in rk.__all__}
    with_progress = {
        name
        for name, one in functions.items()
        if inspect.isfunction(one) and "progress" in inspect.signature(one).parameters
    }
    assert with_progress == CALLS.keys()


@each
def test_as_many_steps_are_done_as_there_are(name: str) -> None:
    call, total = CALLS[name]
    made, make = bars()
    result = call(progress=make)
    (bar,) = made
    assert bar.total == sum(bar.updates) == total
    assert all(one > 0 and type(one) is int for one in bar.updates)
    assert type(bar.total) is int
    assert bar.closed == 1
    np.testing.assert_equal(plain(result), plain(call()))  # and nothing else changes


@each
def test_an_error_ends_it_too(name: str) -> None:
    made, make = bars(broken=True)
    with pytest.raises(InterruptedError):
        CALLS[name][0](progress=make)
    assert [bar.closed for bar in made] == [1]


def test_where_nothing_is_drawn_there_is_nothing_to_show() -> None:
    made, make = bars()
    rk.cltv_from_models(SUMMARY_FRAME, PURCHASES, SPEND, progress=make)
    rk.cltv_from_models(
        SUMMARY_FRAME, PURCHASES, SPEND, predictive=True, draws=7, seed=1, progress=make
    )
    rk.cltv(pd.DataFrame(ORDERS), penalty=0.01, progress=make)
    rk.nps(ANSWERS, progress=make)
    rk.revenue_retention(pd.DataFrame(SUBSCRIPTIONS), as_of="2024-06-01", progress=make)
    none = ANSWERS.iloc[:0]
    rk.nps(none, **DRAWN, progress=make)
    rk.nps(none, by="plan", **DRAWN, progress=make)
    rk.nps(ANSWERS.assign(score=np.nan), by="plan", missing="drop", **DRAWN, progress=make)
    begun = pd.DataFrame(SUBSCRIPTIONS).iloc[:0]
    rk.revenue_retention(begun, as_of="2024-06-01", **BOOTSTRAP, progress=make)
    assert not made


def test_only_segments_with_answers_are_drawn() -> None:
    made, make = bars()
    plan = ANSWERS["plan"] == ANSWERS["plan"].iloc[0]
    rows = ANSWERS.assign(score=ANSWERS["score"].where(plan))
    rk.nps(rows, by="plan", missing="drop", **DRAWN, progress=make)
    assert [(bar.total, sum(bar.updates)) for bar in made] == [(7, 7)]


@pytest.mark.parametrize("missing", ["update", "close"])
def test_what_is_made_must_have_an_update_and_an_end(missing: str) -> None:
    names = {"update", "close"} - {missing}
    bar = type("Bar", (), {name: lambda *_: None for name in names})()
    for name, (call, _) in CALLS.items():
        with pytest.raises(ArgumentTypeError, match=rf"which has no `{missing}\(\)`") as caught:
            call(progress=lambda total: bar)  # noqa: ARG005
        assert caught.value.argument == "progress", name


@pytest.mark.parametrize("by", [None, "team"])
def test_no_orders_have_no_values_with_draws_either(by: str | None) -> None:
    orders = pd.DataFrame(ORDERS)
    whole = rk.cltv(orders, by=by, penalty=0.01, **BOOTSTRAP)
    table = rk.cltv(orders.iloc[:0], by=by, **BOOTSTRAP)
    assert len(table) == 0
    assert [*table.columns] == [*whole.columns]
    table = rk.cltv_from_models(SUMMARY_FRAME.iloc[:0], **_fitted(), **BOOTSTRAP)
    assert len(table) == 0


@each
def test_what_cannot_be_called_is_refused(name: str) -> None:
    with pytest.raises(ArgumentTypeError, match="`progress` is True; it must be"):
        CALLS[name][0](progress=True)
