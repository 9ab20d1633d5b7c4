"""The same customers have the same scores, fits and values, whatever holds them.

Every kind of frame is asked the same, PySpark's among them; then what can differ from engine to
engine: what comes back and of which type, how much is brought back on the way, nulls, an index.
"""

import math
import random
import warnings
from datetime import date
from functools import cache
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest

from backends import BACKENDS, Backend, params
from retainkit import (
    BGNBD,
    MBGNBD,
    GammaGamma,
    cltv,
    cltv_from_models,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_mbg_nbd,
)
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, ColumnTypeError
from tables import Row, rows_of

# One of the customers has been observed for 1,000 weeks.
pytestmark = pytest.mark.filterwarnings("ignore:`summary` has .* observed for more than")

LAZY = [backend for backend in BACKENDS if backend.lazy]
each_lazy = pytest.mark.parametrize("backend", params(LAZY), indirect=True)

PURCHASES = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
MODIFIED = MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="week")
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)

# By name, as a caller may have them, and not in the order of anything.
NAMES: dict[str, Any] = {"customer": "who", "frequency": "x", "recency": "last", "T": "age"}
HISTORY: dict[str, Any] = {name: NAMES[name] for name in ("frequency", "recency", "T")}
MONEY: dict[str, Any] = {"customer": "who", "frequency": "x", "monetary_value": "mean"}
SOME: list[Row] = [
    {"who": who, "plan": "a", "x": x, "last": last, "age": age, "mean": mean}
    for who, x, last, age, mean in [
        ("g", 2, 30.43, 38.86, 22.35),
        ("a", 0, 0.0, 38.86, None),
        ("m", 26, 30.857, 31.0, 35.5),
        ("c", 0, 0.0, 12.0, None),
        ("b", 2, 30.43, 38.86, 11.77),  # as the first, but for the money
        ("z", 0, 0.0, 38.86, None),
        ("k", 1, 5.5, 5.5, 0.0),
        ("d", 300, 900.0, 1000.0, 3.25),
    ]
]


def alive_by_hand(row: Row) -> float:
    """P(alive): Fader, Hardie & Lee (2008), note 021."""
    r, alpha, a, b = PURCHASES.parameters.values()
    if not row["x"]:
        return 1.0
    odds = ((alpha + row["age"]) / (alpha + row["last"])) ** (r + row["x"])
    return 1 / (1 + a / (b + row["x"] - 1) * odds)  # type: ignore[no-any-return]


def spend_by_hand(row: Row) -> float:
    """E[M]: Fader & Hardie (2013), note 025, equation 5."""
    p, q, v = SPEND.parameters.values()
    return p * (v + row["x"] * (row["mean"] or 0)) / (p * row["x"] + q - 1)  # type: ignore[no-any-return]


CALLS: dict[str, Any] = {
    "alive": lambda frame: PURCHASES.probability_alive(frame, **NAMES),
    "purchases": lambda frame: PURCHASES.expected_purchases(frame, "12 months", **NAMES),
    "discounted": lambda frame: PURCHASES.discounted_expected_purchases(frame, 0.15, **NAMES),
    "alive, MBG": lambda frame: MODIFIED.probability_alive(frame, **NAMES),
    "purchases, MBG": lambda frame: MODIFIED.expected_purchases(frame, 39, **NAMES),
    "spend": lambda frame: SPEND.expected_spend(frame, **MONEY),
    "value": lambda frame: cltv_from_models(frame, *fitted(), **NAMES | MONEY),  # type: ignore[has-type]
    # Random numbers go by the customers and the seed, not by the order in which an engine has them.
    "drawn value": lambda frame: cltv_from_models(
        frame,
        *fitted(),  # type: ignore[has-type]
        predictive=True,
        draws=20,
        seed=1,
        **NAMES | MONEY,
    ),
}
each_call = pytest.mark.parametrize("call", CALLS)
VALUE = ["probability_alive", "expected_purchases", "expected_spend", "cltv", "lower", "upper"]


@cache
def orders() -> list[Row]:
    """Return the first of CDNOW's orders: 400 customers'."""
    log = load_cdnow(sample=True)
    ids = log["customer_id"].drop_duplicates().iloc[:400]
    some = log[log["customer_id"].isin(ids)]
    columns = [some[name].tolist() for name in ("customer_id", "time", "amount")]
    return [
        {"customer_id": who, "time": time.date(), "amount": amount}
        for who, time, amount in zip(*columns, strict=True)
    ]


@cache
def customers() -> list[Row]:
    """Return customers to fit to: made at random, with weights, and a mean amount or none."""
    table = BGNBD(r=0.8, alpha=5, a=0.6, b=2.5).simulate(300, 40, seed=3)
    draw = random.Random(3)  # noqa: S311
    return [
        {
            "who": who,
            "x": x,
            "last": round(last, 1),
            "age": age,
            "mean": draw.gammavariate(4, 9) if x else None,
            "n": draw.choice([1, 1, 2, 3]),
        }
        for who, x, last, age in table.drop(columns="time_unit").itertuples(index=False)
    ]


@cache
def fitted() -> tuple[BGNBD, GammaGamma]:
    """Fit both models to the pandas frame, for intervals."""
    frame = pd.DataFrame(customers())
    purchases = fit_bg_nbd(frame, unit="week", **HISTORY)
    return purchases, fit_gamma_gamma(frame, frequency="x", monetary_value="mean")


def by_customer(table: Any, customer: str = "who") -> dict[Any, Row]:
    """Return the rows of any frame, each under its customer, whom it has once."""
    rows = rows_of(table)
    found = {row.pop(customer): row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_same(actual: Any, expected: Any, rel: float = 1e-9) -> None:
    """Compare rows under their customers, and the order of the columns."""
    assert actual.keys() == expected.keys()
    for who, want in expected.items():
        assert list(actual[who]) == list(want)
        assert actual[who] == pytest.approx(want, rel=rel), who


# --- scores ------------------------------------------------------------------------------------


def test_scores_are_those_by_hand(backend: Backend) -> None:
    frame = backend.make(SOME)
    alive = {row["who"]: {"probability_alive": alive_by_hand(row)} for row in SOME}
    assert_same(by_customer(CALLS["alive"](frame)), alive, rel=1e-11)
    spend = {row["who"]: {"expected_spend": spend_by_hand(row)} for row in SOME}
    assert_same(by_customer(CALLS["spend"](frame)), spend, rel=1e-11)


@each_call
def test_scores_are_the_same_and_of_the_same_kind(backend: Backend, call: str) -> None:
    frame = backend.make(SOME)
    before, schema = rows_of(frame), nw.from_native(frame).collect_schema()
    result = CALLS[call](frame)
    expected = CALLS[call](pd.DataFrame(SOME))
    assert_same(by_customer(result), by_customer(expected))
    given, wrapped = nw.from_native(frame), nw.from_native(result)
    assert wrapped.implementation == given.implementation
    assert isinstance(wrapped, nw.LazyFrame) == backend.lazy
    types = wrapped.collect_schema()
    assert list(types) == list(expected)
    assert types["who"] == schema["who"]
    assert all(types[name] == nw.Float64 for name in types if name != "who")
    if not backend.lazy:
        assert wrapped["who"].to_list() == [row["who"] for row in SOME]
    # What was given is as it was.
    assert rows_of(frame) == before
    assert nw.from_native(frame).collect_schema() == schema


@each_lazy
def test_the_scores_can_be_joined_to_the_table_in_its_engine(backend: Backend) -> None:
    # Only frames of the same connection or session can.
    frame = backend.make(SOME)
    for call in ("purchases", "value"):
        scores = nw.from_native(CALLS[call](frame))
        both = rows_of(nw.from_native(frame).join(scores, on="who").to_native())
        assert sorted(row["who"] for row in both) == sorted(row["who"] for row in SOME)


# Each customer is there 25 times, so that what is chance among six looks like a law.
@pytest.mark.filterwarnings("ignore:Spend goes with frequency:retainkit.RetainkitWarning")
@each_lazy
def test_only_distinct_customers_are_brought_back(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = backend.make([row | {"who": f"{row['who']}{i}"} for row in SOME for i in range(25)])
    # Whose values are drawn must all be in memory.
    calls = {name: call for name, call in CALLS.items() if "drawn" not in name}
    expected = {name: by_customer(call(pd.DataFrame(SOME))) for name, call in calls.items()}
    sizes: list[int] = []
    collect = nw.LazyFrame.collect

    def spy(self: nw.LazyFrame[Any], *arguments: Any, **options: Any) -> nw.DataFrame[Any]:
        found = collect(self, *arguments, **options)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", spy)
    results = {name: call(frame) for name, call in calls.items()}
    monkeypatch.undo()
    assert sizes
    assert max(sizes) <= len(SOME)
    for call in ("purchases", "value"):
        found = by_customer(results[call])
        assert len(found) == 25 * len(SOME)
        assert_same(found, {who: expected[call][who[0]] for who in found})


@pytest.mark.slow
@each_call
def test_no_customers_have_no_scores(backend: Backend, call: str) -> None:
    types = nw.from_native(CALLS[call](backend.make(SOME))).collect_schema()
    result = CALLS[call](backend.make([], like=SOME[0]))
    assert nw.from_native(result).collect_schema() == types
    assert rows_of(result) == []


# --- fits --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_fits_are_the_same(backend: Backend) -> None:
    frame, plain = backend.make(customers()), pd.DataFrame(customers())
    money = {"frequency": "x", "monetary_value": "mean"}
    before = rows_of(frame)
    for fit, options in (
        (fit_bg_nbd, HISTORY | {"unit": "week"}),
        (fit_mbg_nbd, HISTORY | {"unit": "week", "weights": "n", "penalty": 0.01}),
        (fit_gamma_gamma, money | {"weights": "n"}),
    ):
        model, expected = fit(frame, **options), fit(plain, **options)
        assert model.parameters == pytest.approx(expected.parameters, rel=1e-6)
        assert model.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
        assert model.n_customers == expected.n_customers
        np.testing.assert_allclose(model.covariance, expected.covariance, rtol=1e-5)  # type: ignore[arg-type]
    assert rows_of(frame) == before


# --- from orders to value ------------------------------------------------------------------------


@pytest.mark.slow
def test_from_orders_to_value(backend: Backend) -> None:
    frame, plain = backend.make(orders()), pd.DataFrame(orders())
    options: dict[str, Any] = {"as_of": date(1998, 7, 1), "horizon": "6 months"}
    expected = cltv(plain.assign(time=pd.to_datetime(plain["time"])), **options)
    result = cltv(frame, **options)
    assert len(expected) == 400
    assert_same(by_customer(result, "customer_id"), by_customer(expected, "customer_id"), rel=1e-5)
    wrapped = nw.from_native(result)
    assert wrapped.implementation == nw.from_native(frame).implementation
    assert isinstance(wrapped, nw.LazyFrame) == backend.lazy
    types = wrapped.collect_schema()
    assert list(types) == ["customer_id", *VALUE]
    assert types["customer_id"] == nw.Int64
    assert sorted(map(str, rows_of(frame))) == sorted(map(str, orders()))


# --- what is refused, and what does not matter ---------------------------------------------------


@pytest.mark.parametrize("argument", ["frequency", "recency", "T"])
def test_a_null_is_named(backend: Backend, argument: str) -> None:
    name = NAMES[argument]
    frame = backend.make([*SOME, SOME[0] | {"who": "y", name: None}], like=SOME[0])
    for call in (CALLS["alive"], lambda frame: fit_bg_nbd(frame, **HISTORY)):
        with pytest.raises(ArgumentError, match=rf"'{name}' \(given as `{argument}`\).* 1 row,"):
            call(frame)


def test_a_mean_amount_is_looked_at_only_where_there_is_one(backend: Backend) -> None:
    # NaN, null, 0 and anything else of who never came back are one; of who did, a null is refused.
    means = [math.nan, None, 0.0, 5.0]
    once = [SOME[1] | {"who": f"{i}", "mean": mean} for i, mean in enumerate(means)]
    found = by_customer(CALLS["spend"](backend.make(once, like=SOME[0])))
    mean = {"expected_spend": 6.25 * 15.44 / 2.74}
    assert_same(found, {row["who"]: mean for row in once})
    frame = backend.make([*SOME, SOME[0] | {"who": "y", "mean": None}], like=SOME[0])
    for call in ("spend", "value"):
        with pytest.raises(ArgumentError, match=r"'mean' \(given as `monetary_value`\).* 1 row,"):
            CALLS[call](frame)


def test_text_is_not_a_number(backend: Backend) -> None:
    frame = backend.make([row | {"age": str(row["age"])} for row in SOME])
    with pytest.raises(ColumnTypeError, match=r"'age' \(given as `T`\)"):
        CALLS["alive"](frame)


@pytest.mark.slow
@each_call
def test_an_index_does_not_matter(call: str) -> None:
    frame = pd.DataFrame(SOME)
    expected = CALLS[call](frame)
    for index in ([3] * len(SOME), range(len(SOME), 0, -1), list("hgfedcba")):
        pd.testing.assert_frame_equal(CALLS[call](frame.set_axis(index)), expected)
    turned = CALLS[call](frame.iloc[::-1])
    pd.testing.assert_frame_equal(turned, expected.iloc[::-1].reset_index(drop=True))


@pytest.mark.slow
@each_call
def test_whole_numbers_are_as_good_as_others(call: str) -> None:
    frame = pd.DataFrame(SOME).astype({"x": float}).assign(last=0.0).query("x == 0")
    small = frame.astype({"x": "int8", "last": "int32", "age": "float32"}).assign(age=40)
    expected = CALLS[call](frame.assign(age=40.0))
    pd.testing.assert_frame_equal(CALLS[call](small.astype({"age": "uint16"})), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(CALLS[call](small.convert_dtypes())) == len(expected)


# --- weights -----------------------------------------------------------------------------------

WRONG_WEIGHTS = {
    "null": (None, r"is null in 1 row, of 24\."),
    "nan": (math.nan, r"is null in 1 row, of 24\."),
    "negative": (-2.0, r"is negative in 1 row, of 24, for instance -2\."),
    "infinite": (math.inf, r"is infinite in 1 row, of 24, for instance inf\."),
}


@pytest.mark.parametrize("kind", WRONG_WEIGHTS)
def test_a_weight_is_a_number_of_customers(backend: Backend, kind: str) -> None:
    # Three of the same history, so that the sum of a negative one would be positive.
    value, message = WRONG_WEIGHTS[kind]
    rows = [row | {"w": 3.0} for row in SOME[:10] for _ in range(3)]
    rows[4] = rows[4] | {"w": value}
    frame = backend.make(rows)
    fits: list[Any] = [
        lambda: fit_bg_nbd(frame, unit="week", weights="w", **HISTORY),
        lambda: fit_mbg_nbd(frame, unit="week", weights="w", **HISTORY),
        lambda: fit_gamma_gamma(frame, frequency="x", monetary_value="mean", weights="w"),
        lambda: fitted()[0].to_lifetimes(frame, weights="w", **HISTORY),
    ]
    for fit in fits:
        with pytest.raises(ArgumentError, match=rf"'w' \(given as `weights`\) {message}") as it:
            fit()
        assert (it.value.argument, it.value.column, it.value.rows) == ("weights", "w", 1)


def test_a_row_may_weigh_nothing(backend: Backend) -> None:
    heavy = [row | {"w": 1.0} for row in customers()]
    light = [row | {"w": 0.0, "x": 900} for row in heavy[-3:] if row["x"]]
    one, other = (
        fit_bg_nbd(backend.make(rows), unit="week", weights="w", **HISTORY)
        for rows in (heavy, [*heavy, *light])
    )
    assert other.parameters == pytest.approx(one.parameters, rel=1e-6)
    assert other.n_customers == one.n_customers
