"""The next purchase by a model: published parameters, other ways to the same number, identities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import retainkit as rk
from retainkit.errors import ArgumentError, ArgumentTypeError
from tables import rows_of

# Fader, Hardie & Lee (2005), table 1, and Batislam, Denizel & Filiztekin (2007), of CDNOW in weeks.
BG = rk.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
MBG = rk.MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")
each_model = pytest.mark.parametrize("model", [BG, MBG], ids=["bg", "mbg"])
HISTORY = ["frequency", "recency", "T"]


def summary(*histories: tuple[float, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(histories, columns=HISTORY)
    return frame.assign(customer_id=range(len(frame)))


HISTORIES = summary((2, 30.43, 38.86), (0, 0, 38.86), (1, 1.71, 38.86), (9, 38, 38.5), (30, 60, 62))


# Computed by the closed form for `customers-cases.md`, section 9, at ten digits.
@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (
            (2, 30.43, 38.86),
            (0.7265785701, 0.3234909385, 0.5546271379, 8.9512126635, 29.4782100017),
        ),
        ((0, 0, 38.86), (1, 0.0618368316, 0.1445505408, 98.1028237, 706.6782407)),
        ((1, 1.71, 38.86), (0.2121009854, 0.0590837611, 0.1166673494, None, None)),
    ],
)
def test_worked_numbers(history: tuple[float, ...], expected: tuple[float | None, ...]) -> None:
    alive, within_13, within_39, *due = expected
    (row,) = rows_of(BG.next_purchase(summary(history), horizon=13, quantiles=(0.25, 0.5)))
    (later,) = rows_of(BG.next_purchase(summary(history), horizon="39 weeks"))
    assert row["probability_alive"] == pytest.approx(alive, abs=5e-11)
    assert row["probability_purchase"] == pytest.approx(within_13, abs=5e-11)
    assert later["probability_purchase"] == pytest.approx(within_39, abs=5e-11)
    for name, time in zip(("due_25", "due_50"), due, strict=True):
        assert row[name] == (None if time is None else pytest.approx(time, rel=1e-9))


def importance_sampling(
    model: rk.BGNBD, history: tuple[float, ...], times: tuple[float, ...], draws: int
) -> list[float]:
    """Draw rates and drop-outs from the model, weighted by how likely they make the history."""
    x, tx, T = history  # noqa: N806
    rng = np.random.default_rng(9)
    rate = rng.gamma(model.r, 1 / model.alpha, draws)
    leaves = rng.beta(model.a, model.b, draws)
    chances = x + isinstance(
        model, rk.MBGNBD
    )  # of dropping out, the last of them at the last purchase
    stayed = rate**x * (1 - leaves) ** chances * np.exp(-rate * T)
    left = np.zeros(draws)
    if chances:
        left = rate**x * leaves * (1 - leaves) ** (chances - 1) * np.exp(-rate * tx)
    total = np.sum(stayed + left)
    return [float(np.sum(stayed * (1 - np.exp(-rate * t))) / total) for t in times]


@pytest.mark.slow
@each_model
@pytest.mark.parametrize("history", [(2, 30.43, 38.86), (0, 0, 38.86), (1, 1.71, 38.86)])
def test_importance_sampling_finds_the_same(model: rk.BGNBD, history: tuple[float, ...]) -> None:
    drawn = importance_sampling(model, history, (13, 39), 1_000_000)
    for t, expected in zip((13, 39), drawn, strict=True):
        (row,) = rows_of(model.next_purchase(summary(history), horizon=t))
        assert row["probability_purchase"] == pytest.approx(expected, abs=2e-3)


@each_model
def test_what_a_model_simulates_bears_it_out(model: rk.BGNBD) -> None:
    # Of customers simulated up to T + h those bought after T whose last purchase lies there, and of
    # others, simulated up to T, so many are said to buy within h.
    n, observed, ahead = 100_000, 40, 13
    bought = model.simulate(n, observed + ahead, seed=1)["recency"] > observed
    said = model.next_purchase(model.simulate(n, observed, seed=2), horizon=ahead)
    assert said["probability_purchase"].mean() == pytest.approx(bought.mean(), abs=0.004)


@each_model
def test_a_time_put_into_the_probability_gives_its_share(model: rk.BGNBD) -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, 500).astype(float)
    tx = np.where(x > 0, rng.uniform(0.1, 60, 500), 0.0)
    history = x, tx, tx + rng.uniform(0, 40, 500)
    histories = summary(*zip(*history, strict=True))
    found = model.next_purchase(histories, quantiles=(0.001, 0.25, 0.5, 0.9, 0.999))
    theta = tuple(model.parameters.values())
    for name in ("due_0_1", "due_25", "due_50", "due_90", "due_99_9"):
        q = float(name.removeprefix("due_").replace("_", ".")) / 100
        assert (found[name].notna() == (found["probability_alive"] > q)).all()
        times = found[name].to_numpy()
        again = model.PROCESS.probability_purchase(theta, times, history)
        assert again[~np.isnan(times)] == pytest.approx(q, abs=1e-10)


def test_a_time_put_into_the_method_gives_its_share() -> None:
    time = BG.next_purchase(HISTORIES[:1])["due_50"].item()
    again = BG.next_purchase(HISTORIES[:1], horizon=time)
    assert again["probability_purchase"].item() == pytest.approx(0.5, abs=1e-10)


@each_model
def test_the_probability_rises_to_that_of_being_alive(model: rk.BGNBD) -> None:
    found = [model.next_purchase(HISTORIES, horizon=h) for h in (0, 1, 10, 40, 90, 1e60)]
    alive = model.probability_alive(HISTORIES)["probability_alive"]
    rising = np.array([one["probability_purchase"] for one in found])
    assert (rising[0] == 0).all()
    assert (np.diff(rising[:5], axis=0) > 0).all()
    assert rising[-1] == pytest.approx(alive, rel=1e-9)
    for one in found:
        assert one["probability_alive"].equals(alive)


def test_the_other_columns_are_those_of_the_other_methods() -> None:
    found = BG.next_purchase(HISTORIES, horizon="26 weeks")
    expected = BG.expected_purchases(HISTORIES, "26 weeks")["expected_purchases"]
    assert found["expected_purchases"].equals(expected)
    # Whoever is expected to buy so often buys at least once with no greater probability.
    assert (found["probability_purchase"] < found["expected_purchases"]).all()


def test_a_horizon_is_read_as_the_models_read_theirs() -> None:
    one, other = (BG.next_purchase(HISTORIES, horizon=h) for h in ("3 months", 3 * 365.2425 / 84))
    assert one["probability_purchase"].to_list() == pytest.approx(other["probability_purchase"])


def test_who_never_leaves_has_all_dates() -> None:
    staying = rk.BGNBD(r=0.5, alpha=10, a=1e-9, b=1, unit="week")
    found = staying.next_purchase(HISTORIES, quantiles=(0.25, 0.9999))
    assert found[["due_25", "due_99_99"]].notna().all(axis=None)


def test_a_time_beyond_all_numbers_is_infinite_and_not_never() -> None:
    rare = rk.BGNBD(r=0.001, alpha=10, a=1, b=1, unit="week")
    found = rare.next_purchase(summary((0, 0, 5)), quantiles=(0.9,))
    assert found["due_90"].item() == np.inf


def test_columns_are_named_by_their_shares() -> None:
    shares = (0.25, 0.125, 0.29, 0.001, 0.5)
    found = BG.next_purchase(HISTORIES, quantiles=shares)
    assert list(found)[4:] == ["due_25", "due_12_5", "due_29", "due_0_1", "due_50"]
    assert list(BG.next_purchase(HISTORIES, quantiles=()))[-1] == "expected_purchases"


@pytest.mark.parametrize(
    ("quantiles", "error", "text"),
    [
        ((25, 50), ArgumentError, r"a fraction, 0.25 for 25 %"),
        ((0.5, 0.5), ArgumentError, r"`quantiles` has 0.5 more than once"),
        ((0.0,), ArgumentError, r"strictly between 0 and 1"),
        (0.5, ArgumentTypeError, r"must hold shares between 0 and 1, such as \(0.25, 0.5\)"),
        ("0.5", ArgumentTypeError, r"must hold shares between 0 and 1"),
    ],
)
def test_wrong_shares(quantiles: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        BG.next_purchase(HISTORIES, quantiles=quantiles)
    with pytest.raises(error, match=text):
        rk.next_purchase(pd.DataFrame(), quantiles=quantiles)


def test_kept_columns_stand_beside_it() -> None:
    found = BG.next_purchase(HISTORIES.assign(plan="a"), keep="plan", quantiles=(0.5,))
    assert list(found)[:2] == ["customer_id", "plan"]
    with pytest.raises(ArgumentError, match="due_50"):
        BG.next_purchase(HISTORIES.assign(due_50=1), keep=True)
