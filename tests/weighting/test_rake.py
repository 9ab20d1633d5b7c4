"""Weights of responses: the margins they reach, what they cost, and what cannot be weighed.

Witnesses: a table of Bishop, Fienberg and Holland as SAS prints it, closed forms, proportional
fitting written out on dicts, a general optimiser, and ratios by hand.
"""

import itertools
import math
import random
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import optimize

from backends import BACKENDS, Backend, params
from retainkit import SurveyWeights, nps, poststratify, rake
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

MARGINS: dict[Any, Any] = {
    "channel": {"email": 0.5, "app": 0.3, "phone": 0.2},
    "plan": {"basic": 500, "pro": 300},
    "seats": {1: 5, 5: 3, 20: 2},
}


def answers(seed: int = 1, n: int = 300) -> list[Row]:
    """Draw responses whose channel, plan and seats go together."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for i in range(n):
        channel = draw.choice(["email", "email", "app", "phone"])
        plan = "pro" if draw.random() < (0.7 if channel == "app" else 0.4) else "basic"
        seats = draw.choice([1, 5, 20] if plan == "pro" else [1, 1, 5, 20])
        base = draw.choice([0.5, 1.0, 2.0, 3.5])
        row = {"who": i, "channel": channel, "plan": plan, "seats": seats}
        rows.append(row | {"score": draw.randint(0, 10), "base": base})
    return rows


def weights_of(weighted: SurveyWeights) -> list[float]:
    return [row["weight"] for row in rows_of(weighted.responses)]


def shares_of(rows: Sequence[Row], column: Any) -> dict[Any, float]:
    """Return the weighted shares of the values of a column, or of several."""
    sums: dict[Any, float] = defaultdict(float)
    for row in rows:
        key = tuple(row[one] for one in column) if isinstance(column, tuple) else row[column]
        sums[key] += row["weight"]
    total = sum(sums.values())
    return {key: one / total for key, one in sums.items()}


def scaled(shares: Mapping[Any, float]) -> dict[Any, float]:
    return {key: one / sum(shares.values()) for key, one in shares.items()}


def slow(rows: Sequence[Row], margins: Mapping[str, Mapping[Any, float]], base: str) -> list[float]:
    """Fit proportionally, response by response, from the definition."""
    weights = [row.get(base, 1.0) for row in rows]
    for _ in range(500):
        for column, shares in margins.items():
            sums: dict[Any, float] = defaultdict(float)
            for row, weight in zip(rows, weights, strict=True):
                sums[row[column]] += weight
            factor = {key: one / sums[key] for key, one in scaled(shares).items()}
            weights = [
                weight * factor[row[column]] for row, weight in zip(rows, weights, strict=True)
            ]
    return [weight * len(rows) / sum(weights) for weight in weights]


def indicators(rows: Sequence[Row], margins: Mapping[str, Mapping[Any, float]]) -> Any:
    """Make a column for each value of each margin: 1 where a response has it."""
    return np.array(
        [
            [float(row[column] == key) for column in margins for key in margins[column]]
            for row in rows
        ]
    )


# --- what is published ---------------------------------------------------------------------------


def test_the_marital_status_of_ages_is_that_of_sas() -> None:
    # SAS/IML User's Guide, example 9.14, output 9.14.1: from Bishop, Fienberg & Holland (1975),
    # Discrete Multivariate Analysis, MIT Press. Nobody of the youngest is widowed.
    before = [(1306, 83, 0), (619, 765, 3), (263, 1194, 9), (173, 1372, 28), (171, 1393, 51)]
    before += [(159, 1372, 81), (208, 1350, 108), (1116, 4100, 2329)]
    after = [(1325.27, 86.73, 0.0), (615.56, 783.39, 3.05), (253.94, 1187.18, 8.88)]
    after += [(165.13, 1348.55, 27.32), (173.41, 1454.71, 52.87), (147.21, 1308.12, 76.67)]
    after += [(202.33, 1352.28, 107.40), (1105.16, 4181.04, 2357.81)]
    cells = pd.DataFrame(
        [(age, status, n) for age, row in enumerate(before) for status, n in enumerate(row)],
        columns=["age", "status", "n"],
    )
    ages = dict(enumerate([1412, 1402, 1450, 1541, 1681, 1532, 1662, 7644]))
    margins = {"status": {0: 3988, 1: 11702, 2: 2634}, "age": ages}
    table = rake(cells, margins, weights="n").responses
    estimates = table["weight"] / table["weight"].sum() * 18324
    assert estimates.round(2).tolist() == pytest.approx(list(itertools.chain(*after)), abs=1e-9)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_kish_of_four_ones_and_a_four_is_3_2(frame: Any) -> None:
    found = poststratify(frame({"group": [*"aaaab"]}), {"a": 4, "b": 4}, by="group")
    assert weights_of(found) == pytest.approx([0.625] * 4 + [2.5])
    assert found.n_effective == pytest.approx(3.2)  # 8² / (4 · 1² + 4²)
    assert found.design_effect == pytest.approx(5 / 3.2)
    assert (found.n, found.smallest, found.largest) == (5, pytest.approx(0.625), pytest.approx(2.5))  # type: ignore[comparison-overlap]


def test_a_design_effect_of_1_35_leaves_1111_of_1500() -> None:
    # Half of the weights are 1 + d and half 1 - d: the design effect is 1 + d².
    d = math.sqrt(0.35)
    frame = pd.DataFrame({"half": ["a", "b"] * 750})
    found = poststratify(frame, {"a": 1 + d, "b": 1 - d}, by="half")
    assert found.design_effect == pytest.approx(1.35)
    assert round(found.n_effective) == 1111


# --- raking --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weights", [None, "base"])
def test_margins_are_reproduced_as_by_fitting_row_by_row(seed: int, weights: str | None) -> None:
    rows = answers(seed)
    found = rake(pd.DataFrame(rows), MARGINS, weights=weights)
    table = rows_of(found.responses)
    for column, shares in MARGINS.items():
        assert shares_of(table, column) == pytest.approx(scaled(shares), abs=1e-8)
    expected = slow(rows, MARGINS, weights or "")
    assert weights_of(found) == pytest.approx(expected, rel=1e-8)
    assert found.converged
    assert 0 < found.iterations < 100
    assert found.largest_deviation <= 1e-10
    # What the weights cost is that of the rows.
    assert found.n == len(rows)
    effective = sum(expected) ** 2 / sum(one**2 for one in expected)
    assert found.n_effective == pytest.approx(effective)
    assert found.design_effect == pytest.approx(len(rows) / effective)
    assert (found.smallest, found.largest) == pytest.approx((min(expected), max(expected)))
    assert found.n_limited == 0


def test_two_margins_of_independent_columns_have_a_closed_form() -> None:
    # 2 : 3 in one column and 1 : 4 in the other, in every combination.
    counts = {("a", "x"): 2, ("a", "y"): 8, ("b", "x"): 3, ("b", "y"): 12}
    rows = [{"one": one, "two": two} for (one, two), n in counts.items() for _ in range(n)]
    found = rake(pd.DataFrame(rows), {"one": {"a": 3, "b": 1}, "two": {"x": 0.3, "y": 0.7}})
    factor = {"a": 0.75 / 0.4, "b": 0.25 / 0.6, "x": 0.3 / 0.2, "y": 0.7 / 0.8}
    expected = [factor[row["one"]] * factor[row["two"]] for row in rows]
    assert weights_of(found) == pytest.approx(expected, rel=1e-12)
    assert found.iterations == 1


@pytest.mark.parametrize("weights", [None, "base"])
def test_weights_are_products_of_a_factor_for_each_margin(weights: str | None) -> None:
    # So the logarithm of what they were multiplied by lies in the span of the margins: no change
    # that keeps these brings the weights nearer to where they began, in relative entropy.
    rows = answers(7)
    found = np.array(weights_of(rake(pd.DataFrame(rows), MARGINS, weights=weights)))
    moved = np.log(found / [row[weights] if weights else 1.0 for row in rows])
    matrix = indicators(rows, MARGINS)
    fitted = matrix @ np.linalg.lstsq(matrix, moved, rcond=None)[0]
    np.testing.assert_allclose(moved, fitted, atol=1e-12)


@pytest.mark.parametrize("weights", [None, "base"])
def test_weights_that_match_already_are_left_alone(weights: str | None) -> None:
    rows = answers(3)
    total: dict[str, Counter[Any]] = {column: Counter() for column in MARGINS}
    for row in rows:
        for column in MARGINS:
            total[column][row[column]] += row[weights] if weights else 1
    found = rake(pd.DataFrame(rows), total, weights=weights)
    base = [row[weights] if weights else 1.0 for row in rows]
    expected = [one * len(base) / sum(base) for one in base]
    assert weights_of(found) == pytest.approx(expected, rel=1e-15)
    assert found.iterations == 0
    # Raked weights are of this kind.
    once = rake(pd.DataFrame(rows), MARGINS).responses
    twice = rake(once, MARGINS, weights="weight")
    assert twice.iterations == 0
    assert weights_of(twice) == pytest.approx(once["weight"].tolist(), rel=1e-13)


def test_the_order_of_margins_does_not_matter() -> None:
    frame = pd.DataFrame(answers(4))
    expected = weights_of(rake(frame, MARGINS))
    for columns in itertools.permutations(MARGINS):
        turned = {column: dict(reversed(MARGINS[column].items())) for column in columns}
        assert weights_of(rake(frame, turned)) == pytest.approx(expected, abs=1e-8)


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pd.DataFrame(answers(5))
    expected = rake(frame, MARGINS, weights="base", limits=(0.2, 3)).responses
    found = rake(frame.sample(frac=1, random_state=1), MARGINS, weights="base", limits=(0.2, 3))
    pd.testing.assert_frame_equal(found.responses.sort_values("who"), expected)


def test_shares_and_counts_are_one() -> None:
    frame = pd.DataFrame(answers(6))
    expected = weights_of(rake(frame, MARGINS))
    percent = {
        key: {one: 100 * x for one, x in scaled(part).items()} for key, part in MARGINS.items()
    }
    assert weights_of(rake(frame, percent)) == pytest.approx(expected)
    series = {key: pd.Series(part) for key, part in MARGINS.items()}
    assert weights_of(rake(frame, series)) == pytest.approx(expected)


def test_a_margin_can_be_of_combinations() -> None:
    rows = answers(8)
    pairs = dict(
        zip(itertools.product(["basic", "pro"], [1, 5, 20]), [5, 3, 1, 2, 1, 4], strict=True)
    )
    margins = {("plan", "seats"): pairs, "channel": MARGINS["channel"]}
    table = rows_of(rake(pd.DataFrame(rows), margins).responses)
    assert shares_of(table, ("plan", "seats")) == pytest.approx(scaled(pairs), abs=1e-8)
    assert shares_of(table, "channel") == pytest.approx(MARGINS["channel"], abs=1e-8)


def test_base_weights_keep_their_ratios_and_their_scale_does_not_matter() -> None:
    frame = pd.DataFrame(answers(9))
    found = rake(frame, MARGINS, weights="base").responses
    factor = found["weight"] / found["base"]
    spread = factor.groupby([found[column] for column in MARGINS]).agg(np.ptp)
    assert spread.max() < 1e-12
    again = rake(frame.assign(base=frame["base"] * 1e6), MARGINS, weights="base")
    assert weights_of(again) == pytest.approx(found["weight"].tolist())


@pytest.mark.parametrize("limits", [None, (0.2, 3.0)])
def test_who_has_no_weight_is_not_counted(limits: Any) -> None:
    frame = pd.DataFrame(answers(10))
    with_none = frame.assign(base=frame["base"].where(frame["who"] % 7 > 0, 0.0))
    found = rake(with_none, MARGINS, weights="base", limits=limits)
    kept = with_none[with_none["base"] > 0]
    alone = rake(kept, MARGINS, weights="base", limits=limits)
    weight = found.responses["weight"]
    assert (weight[with_none["base"] == 0] == 0).all()
    pd.testing.assert_series_equal(weight[with_none["base"] > 0], alone.responses["weight"])
    assert found.n == alone.n == len(kept)
    assert weight.sum() == pytest.approx(len(kept))
    for name in ("n_effective", "design_effect", "smallest", "largest"):
        assert getattr(found, name) == pytest.approx(getattr(alone, name))


def test_a_share_of_0_leaves_no_weight() -> None:
    frame = pd.DataFrame({"plan": ["a", "a", "b", "c", "c"]})
    found = rake(frame, {"plan": {"a": 1, "b": 0, "c": 1, "nobody": 0}})
    assert weights_of(found) == pytest.approx([1, 1, 0, 1, 1])
    assert (found.n, found.n_effective, found.smallest) == (4, pytest.approx(4), pytest.approx(1))  # type: ignore[comparison-overlap]


def test_margins_that_contradict_each_other_are_told() -> None:
    # Whoever uses the app is on pro.
    frame = pd.DataFrame({"channel": ["app", "email", "mail"] * 4, "plan": [*"pbb"] * 4})
    margins = {
        "plan": {"none": 0, "p": 0.7, "b": 0.3},
        "channel": {"app": 2, "email": 1, "mail": 1},
    }
    text = r"1,000 iterations: '(p|b)' in column 'plan' .* 0\.5 instead of 0\.[37], off by 0\.2\."
    with pytest.warns(RetainkitWarning, match=text):
        found = rake(frame, margins)
    assert not found.converged
    assert found.iterations == 1000
    assert found.largest_deviation == pytest.approx(0.2)
    assert "not converged" in repr(found)
    # The last margin holds.
    assert shares_of(rows_of(found.responses), "channel") == {
        "app": 0.5,
        "email": 0.25,
        "mail": 0.25,
    }
    turned = {"channel": margins["channel"], "plan": margins["plan"]}
    with pytest.warns(
        RetainkitWarning, match=r"'app' in .* share of 0\.7 instead of 0\.5, off by 0\.2\."
    ):
        rake(frame, turned)


def test_iterations_and_tolerance_are_kept_to() -> None:
    frame = pd.DataFrame(answers(11))
    with pytest.warns(RetainkitWarning, match="did not converge in 1 iteration:"):
        assert not rake(frame, MARGINS, max_iterations=1).converged
    rough, exact = rake(frame, MARGINS, tolerance=0.01), rake(frame, MARGINS)
    assert rough.converged
    assert rough.iterations < exact.iterations
    assert exact.largest_deviation <= 1e-10 < rough.largest_deviation <= 0.01


# --- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "base"])
@pytest.mark.parametrize("limits", [(0.5, 1.8), (0.0, 1.7), (0.6, math.inf)])
def test_limits_and_margins_hold_together(weights: str | None, limits: Any) -> None:
    rows = answers(12)
    free = rake(pd.DataFrame(rows), MARGINS, weights=weights)
    assert not limits[0] <= free.smallest <= free.largest <= limits[1]
    found = rake(pd.DataFrame(rows), MARGINS, weights=weights, limits=limits)
    table = rows_of(found.responses)
    for column, shares in MARGINS.items():
        assert shares_of(table, column) == pytest.approx(scaled(shares), abs=1e-8)
    weight = np.array(weights_of(found))
    assert weight.mean() == pytest.approx(1)
    assert limits[0] <= found.smallest == weight.min()
    assert weight.max() == found.largest <= limits[1]
    at = (weight == limits[0]) & (limits[0] > 0) | (weight == limits[1])
    assert found.n_limited == at.sum() > 0
    assert found.n_effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    # Within the limits weights are products of factors, and beyond them these would go on.
    base = np.array([row[weights] if weights else 1.0 for row in rows])
    matrix = indicators(rows, MARGINS)
    factors = np.linalg.lstsq(matrix[~at], np.log(weight / base)[~at], rcond=None)[0]
    np.testing.assert_allclose(
        weight, np.clip(base * np.exp(matrix @ factors), *limits), rtol=1e-8, atol=1e-12
    )


@pytest.mark.parametrize("limits", [(0.63, 1.355), (0.65, 9.0), (0.0, 1.3)])
def test_weights_within_limits_are_those_of_a_general_optimiser(limits: Any) -> None:
    counts = {
        ("a", "x"): 9,
        ("a", "y"): 2,
        ("b", "x"): 4,
        ("b", "y"): 5,
        ("c", "x"): 3,
        ("c", "y"): 7,
    }
    keys, n = list(counts), np.array([*counts.values()], float)
    margins = {"one": {"a": 0.25, "b": 0.35, "c": 0.4}, "two": {"x": 0.4, "y": 0.6}}
    rows = [{"one": one, "two": two} for (one, two), k in counts.items() for _ in range(k)]
    matrix = indicators([{"one": one, "two": two} for one, two in keys], margins)
    wanted = n.sum() * np.array([x for part in margins.values() for x in part.values()])
    solved = optimize.minimize(  # type: ignore[call-overload]
        lambda w: (n * (w * np.log(w + 1e-300) - w)).sum(),
        np.ones(len(n)),
        jac=lambda w: n * np.log(w + 1e-300),
        bounds=[(max(limits[0], 1e-6), limits[1])] * len(n),
        constraints={"type": "eq", "fun": lambda w: (matrix.T @ (n * w) - wanted)[:-1]},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    found = rake(pd.DataFrame(rows), margins, limits=limits)
    table = found.responses.groupby(["one", "two"])["weight"].first()
    assert found.n_limited
    np.testing.assert_allclose([table[key] for key in keys], solved.x, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_whatever_weights_can_have_is_found(seed: int) -> None:
    # Margins of weights that lie within the limits, many of them at one.
    random_ = np.random.default_rng(seed)
    low, high = random_.choice([0.2, 0.5, 0.8]), random_.choice([1.3, 2.0, 3.0])
    rows = pd.DataFrame(random_.integers(0, 4, (60, 3)), columns=["one", "two", "three"])
    drawn = np.exp(random_.normal(0, 1, 60))
    for _ in range(300):
        drawn = np.clip(drawn / drawn.mean(), low, high)
    rows["base"] = np.exp(random_.normal(0, 1.5, 60))
    margins = {
        name: rows.assign(w=drawn).groupby(name)["w"].sum().to_dict() for name in rows.columns[:3]
    }
    found = rake(rows, margins, weights="base", limits=(low, high))
    assert found.converged
    for name, shares in margins.items():
        assert shares_of(rows_of(found.responses), name) == pytest.approx(scaled(shares), abs=1e-8)
    assert low <= found.smallest <= found.largest <= high


@pytest.mark.ci
def test_margins_that_no_weights_can_have_are_not_met() -> None:
    # The three x are four of nine, the two y five, of which the limits leave too little to a.
    table = pd.DataFrame({"a": list("yxyyx"), "b": [2, 2, 1, 1, 2], "c": list("tfftf")})
    margins = {"b": {1: 1, 2: 0.5}, "c": {"f": 0.5, "t": 1}, "a": {"x": 2, "y": 0.5}}
    with pytest.warns(RetainkitWarning) as caught:
        found = rake(table, margins, limits=(0.3, 3))
    assert not found.converged
    assert [one.category for one in caught] == [RetainkitWarning]


def test_weights_next_to_nothing_are_refused() -> None:
    table = pd.DataFrame({"a": ["x", "y", "x"], "w": [1.0, 1e-200, 1.0]})
    text = r"column 'w' \(given as `weights`\) is too small to be squared in 1 row: 1e-200\. Mult"
    with pytest.raises(ArgumentError, match=text):
        rake(table, {"a": {"x": 1, "y": 1}}, weights="w")


def test_limits_that_do_not_bind_change_nothing() -> None:
    frame = pd.DataFrame(answers(13))
    for weights in (None, "base"):
        free = rake(frame, MARGINS, weights=weights)
        bound = rake(frame, MARGINS, weights=weights, limits=(1e-3, 1e3))
        assert weights_of(bound) == pytest.approx(weights_of(free), abs=1e-8)
        assert bound.n_limited == 0


def test_limits_at_which_a_share_can_just_be_had() -> None:
    frame = pd.DataFrame({"plan": ["a"] * 8 + ["b"] * 2})
    found = rake(frame, {"plan": {"a": 0.6, "b": 0.4}}, limits=(0.75, 2.0))
    assert weights_of(found) == pytest.approx([0.75] * 8 + [2] * 2)


def test_limits_out_of_reach_are_refused_or_told() -> None:
    frame = pd.DataFrame({"plan": ["a"] * 8 + ["b"] * 2})
    text = (
        r"`limits` is \(0\.5, 1\.9\), and 'b' in column 'plan' .* mean weight of 2 .* share of 0\.4"
    )
    with pytest.raises(ArgumentError, match=text):
        rake(frame, {"plan": {"a": 0.6, "b": 0.4}}, limits=(0.5, 1.9))
    text = r"'b' in column 'plan' .* mean weight of 0\.25 .* share of 0\.05"
    with pytest.raises(ArgumentError, match=text):
        rake(frame, {"plan": {"z": 0, "a": 0.95, "b": 0.05}}, limits=(0.3, 1.9))
    # Each margin could be had, but not both.
    rows = [{"one": "a", "two": "x"}] * 8 + [{"one": "b", "two": "y"}] * 2
    margins = {"one": {"a": 0.7, "b": 0.3}, "two": {"x": 0.6, "y": 0.4}}
    with pytest.warns(RetainkitWarning, match="`limits`"):
        found = rake(pd.DataFrame(rows), margins, limits=(0.5, 2.5))
    assert not found.converged
    assert found.largest_deviation == pytest.approx(0.1)


# --- poststratification --------------------------------------------------------------------------

GROUPS = {("basic", "eu"): 400, ("basic", "us"): 100, ("pro", "eu"): 200, ("pro", "us"): 300}
# Of ten responses, and so the weights: 0.4 / 0.2, 0.1 / 0.4, 0.2 / 0.3, 0.3 / 0.1.
MEMBERS = {("basic", "eu"): 2, ("basic", "us"): 4, ("pro", "eu"): 3, ("pro", "us"): 1}
RATIOS = {("basic", "eu"): 2.0, ("basic", "us"): 0.25, ("pro", "eu"): 2 / 3, ("pro", "us"): 3.0}
TEN: list[Row] = [
    {"plan": p, "region": r, "score": 9} for (p, r), n in MEMBERS.items() for _ in range(n)
]
POPULATION: list[Row] = [{"plan": p, "region": r, "size": n} for (p, r), n in GROUPS.items()]


def test_poststratified_weights_are_the_ratios_by_hand(backend: Backend) -> None:
    expected = [RATIOS[row["plan"], row["region"]] for row in TEN]
    numbered = [row | {"who": i} for i, row in enumerate(TEN)]
    for population in (GROUPS, backend.make(POPULATION), pd.DataFrame(POPULATION)):
        found = poststratify(backend.make(numbered), population, by=["plan", "region"])
        rows = sorted(rows_of(found.responses), key=lambda row: row["who"])
        assert [row["weight"] for row in rows] == pytest.approx(expected, rel=1e-13)
        assert (found.iterations, found.converged, found.n) == (1, True, 10)
        assert found.n_effective == pytest.approx(100 / sum(one**2 for one in expected))


def test_a_population_may_be_spread_over_rows_and_named_otherwise() -> None:
    expected = weights_of(poststratify(pd.DataFrame(TEN), GROUPS, by=["plan", "region"]))
    parts = [row | {"size": float(row["size"] - 7 * i)} for i, row in enumerate(POPULATION)]
    parts += [row | {"size": 7.0 * i} for i, row in enumerate(POPULATION)]
    table = pl.DataFrame(parts).rename({"size": "customers"})
    found = poststratify(pd.DataFrame(TEN), table, by=("plan", "region"), size="customers")
    assert weights_of(found) == pytest.approx(expected)


def test_one_margin_is_poststratification() -> None:
    frame = pd.DataFrame(answers(14))
    for weights in (None, "base"):
        expected = poststratify(frame, MARGINS["plan"], by="plan", weights=weights)
        found = rake(frame, {"plan": MARGINS["plan"]}, weights=weights)
        assert weights_of(found) == pytest.approx(weights_of(expected))


def test_poststratified_weights_keep_the_ratios_they_came_with() -> None:
    frame = pd.DataFrame({"plan": ["a", "a", "b"], "w": [1.0, 3.0, 5.0]})
    found = poststratify(frame, {"a": 2, "b": 1}, by="plan", weights="w")
    assert weights_of(found) == pytest.approx([0.5, 1.5, 1.0])


def test_the_score_of_a_population_is_the_mean_of_its_groups() -> None:
    frame = pd.DataFrame(answers(15))
    weighted = poststratify(frame, MARGINS["plan"], by="plan")
    table = nps(weighted.responses, weights="weight").iloc[0]
    groups = nps(frame, by="plan").set_index("plan")["nps"]
    assert table["nps"] == pytest.approx((500 * groups["basic"] + 300 * groups["pro"]) / 800)
    assert table["n_effective"] <= weighted.n_effective * (1 + 1e-12)


# --- every kind of frame -------------------------------------------------------------------------

LAZY = [backend for backend in BACKENDS if backend.lazy]
each_lazy = pytest.mark.parametrize("backend", params(LAZY), indirect=True)

CALLS: dict[str, Any] = {
    "plain": lambda frame: rake(frame, MARGINS),
    "weights": lambda frame: rake(frame, MARGINS, weights="base"),
    "limits": lambda frame: rake(frame, MARGINS, limits=(0.45, 1.7)),
    "both": lambda frame: rake(frame, MARGINS, weights="base", limits=(0.4, 2.5)),
    "groups": lambda frame: poststratify(frame, MARGINS["plan"], by="plan", weights="base"),
}
each_call = pytest.mark.parametrize("call", CALLS)
SUMMARY = ("n", "n_effective", "design_effect", "smallest", "largest", "n_limited")


@each_call
def test_every_kind_of_frame_is_given_the_same(backend: Backend, call: str) -> None:
    rows = answers(20, n=120)
    frame = backend.make(rows)
    before, schema = rows_of(frame), nw.from_native(frame).collect_schema()
    found, expected = CALLS[call](frame), CALLS[call](pd.DataFrame(rows))
    given, wrapped = nw.from_native(frame), nw.from_native(found.responses)
    assert wrapped.implementation == given.implementation
    assert isinstance(wrapped, nw.LazyFrame) == backend.lazy
    types = wrapped.collect_schema()
    assert list(types) == [*schema, "weight"]
    assert {name: types[name] for name in schema} == dict(schema)
    assert types["weight"] == nw.Float64
    table = rows_of(found.responses)
    if not backend.lazy:
        assert [row["who"] for row in table] == [row["who"] for row in rows]
    table = sorted(table, key=lambda row: row["who"])
    assert [{name: row[name] for name in schema} for row in table] == rows
    assert [row["weight"] for row in table] == pytest.approx(weights_of(expected), rel=1e-9)
    for name in SUMMARY:
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name
    assert found.converged
    assert abs(found.iterations - expected.iterations) <= 1  # sums are rounded in another order
    # What was given is as it was.
    assert rows_of(frame) == before
    assert nw.from_native(frame).collect_schema() == schema


@pytest.mark.slow
@each_call
def test_weights_of_a_lazy_frame_can_be_used_in_its_engine(backend: Backend, call: str) -> None:
    rows = answers(20, n=120)
    found = CALLS[call](backend.make(rows)).responses
    expected = nps(CALLS[call](pd.DataFrame(rows)).responses, weights="weight", by="plan")
    table = rows_of(nps(found, weights="weight", by="plan"))
    for row, want in zip(table, rows_of(expected), strict=True):
        assert row == pytest.approx(want)


@each_lazy
def test_only_cells_are_brought_back(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = answers(22, n=400)
    frame = backend.make(rows)
    cells = {tuple(row[column] for column in (*MARGINS, "base")) for row in rows}
    sizes: list[int] = []
    collect = nw.LazyFrame.collect

    def spy(self: nw.LazyFrame[Any], *arguments: Any, **options: Any) -> nw.DataFrame[Any]:
        found = collect(self, *arguments, **options)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", spy)
    for call in CALLS.values():
        call(frame)
    assert sizes
    assert max(sizes) <= len(cells) < len(rows) / 2


def test_weights_replace_those_they_began_with(backend: Backend) -> None:
    rows = [row | {"weight": row["base"]} for row in answers(23, n=60)]
    frame = backend.make(rows)
    for limits in (None, (1e-6, 1e6)):
        found = rake(frame, MARGINS, weights="weight", limits=limits)
        table = sorted(rows_of(found.responses), key=lambda row: row["who"])
        assert [*table[0]] == [*rows[0]]
        weights = [row["weight"] for row in table]
        assert weights == pytest.approx(slow(rows, MARGINS, "base"), abs=1e-8)
        assert [row["base"] for row in table] == [row["base"] for row in rows]


@pytest.mark.slow
def test_nulls_are_refused_or_left_out(backend: Backend) -> None:
    rows = answers(24, n=80)
    lacking = [
        {**rows[0], "who": 100, "plan": None},
        {**rows[0], "who": 101, "seats": None},
        {**rows[0], "who": 102, "base": None},
        {**rows[0], "who": 103, "plan": None, "base": None},
    ]
    frame = backend.make([*rows, *lacking], like=rows[0])
    text = (
        r"'plan' \(given as `margins`\) is null in 2 rows and column 'seats' \(given as "
        r"`margins`\) is null in 1 row and column 'base' \(given as "
        r"`weights`\) is null in 2 rows, of 84\."
    )
    for limits in (None, (0.1, 10)):
        with pytest.raises(ArgumentError, match=text):
            rake(frame, MARGINS, weights="base", limits=limits)
        with pytest.warns(RetainkitWarning, match=r"4 of 84 rows left out") as caught:
            found = rake(frame, MARGINS, weights="base", limits=limits, missing="drop")
        own = [one for one in caught if one.category is RetainkitWarning]
        assert [one.filename for one in own] == [__file__]
        expected = rake(pd.DataFrame(rows), MARGINS, weights="base", limits=limits)
        table = sorted(rows_of(found.responses), key=lambda row: row["who"])
        assert [row["weight"] for row in table] == pytest.approx(weights_of(expected))
        assert [row["seats"] for row in table] == [row["seats"] for row in rows]
    with pytest.warns(RetainkitWarning, match=r"2 of 84 rows left out"):
        poststratify(frame, MARGINS["plan"], by="plan", missing="drop")
    with pytest.raises(ArgumentError, match=r"'plan' \(given as `by`\) is null"):
        poststratify(frame, MARGINS["plan"], by="plan")


def test_no_responses_have_no_weights(backend: Backend) -> None:
    frame = backend.make([], like=answers()[0])
    for call in CALLS.values():
        found = call(frame)
        assert rows_of(found.responses) == []
        schema = nw.from_native(found.responses).collect_schema()
        assert list(schema) == [*answers()[0], "weight"]
        assert schema["weight"] == nw.Float64
        assert (found.n, found.n_effective, found.converged) == (0, 0, False)
        assert math.isnan(found.largest)


def test_values_may_be_booleans_dates_and_floats(backend: Backend) -> None:
    days = [date(2024, 1, 1), date(2024, 2, 1)]
    rows = [
        {"who": i, "paid": i % 3 > 0, "day": days[i % 4 > 0], "seats": [1.0, 2.5][i % 5 > 1]}
        for i in range(60)
    ]
    margins = {
        "paid": {True: 1, False: 1},
        "day": dict(zip(days, [1, 3], strict=True)),
        "seats": {1: 2, 2.5: 3},
    }
    table = rows_of(rake(backend.make(rows), margins).responses)
    for column, shares in margins.items():
        assert shares_of(table, column) == pytest.approx(scaled(shares), abs=1e-8)  # type: ignore[arg-type]


CATEGORIES = ["email", "app", "phone"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda frame: frame.astype({"channel": pd.CategoricalDtype([*CATEGORIES, "fax"])}),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.astype({"channel": object, "seats": float}),
        lambda frame: pl.DataFrame(frame.to_dict("list")).with_columns(
            pl.col("channel").cast(pl.Enum(CATEGORIES))
        ),
        lambda frame: pl.LazyFrame(frame.to_dict("list")).with_columns(
            pl.col("channel").cast(pl.Categorical)
        ),
        lambda frame: pl.LazyFrame(frame.to_dict("list")).with_columns(
            pl.col("channel").cast(pl.Enum(CATEGORIES)), pl.col("seats").cast(pl.UInt8)
        ),
    ],
)
def test_types_of_columns_do_not_matter(make: Any) -> None:
    frame = pd.DataFrame(answers(25))
    given = make(frame)
    found = rake(given, MARGINS).responses
    schema = nw.from_native(given).collect_schema()
    assert dict(nw.from_native(found).collect_schema()) == {**schema, "weight": nw.Float64()}
    expected = weights_of(rake(frame, MARGINS))
    rows = sorted(rows_of(found), key=lambda row: row["who"])
    assert [row["weight"] for row in rows] == pytest.approx(expected)


def test_an_enum_of_duckdb_stays_one() -> None:
    duckdb = pytest.importorskip("duckdb")
    frame = pd.DataFrame(answers(25))
    with duckdb.connect() as connection:
        kind = "ENUM ('fax', 'email', 'app', 'phone')"
        given = connection.from_arrow(pl.DataFrame(frame.to_dict("list")).to_arrow())
        given = given.select(f"* REPLACE (channel::{kind} AS channel)")
        found = rake(given, MARGINS).responses
        assert dict(zip(found.columns, map(str, found.types), strict=True))["channel"][:4] == "ENUM"
        rows = sorted(rows_of(found), key=lambda row: row["who"])
    assert [row["weight"] for row in rows] == pytest.approx(weights_of(rake(frame, MARGINS)))


def test_an_index_stays_and_does_not_matter() -> None:
    frame = pd.DataFrame(answers(26))
    expected = rake(frame, MARGINS, weights="base").responses
    for index in ([3] * len(frame), range(len(frame), 0, -1), frame["who"].astype(str)):
        given = frame.set_axis(index)
        found = rake(given, MARGINS, weights="base").responses
        pd.testing.assert_frame_equal(found, expected.set_axis(given.index))
    # A column may have any name.
    named = rake(frame.rename(columns={"who": 0}), MARGINS, weights="base").responses
    pd.testing.assert_frame_equal(named.rename(columns={0: "who"}), expected)
    # So weights find their rows in the frame that some were taken from.
    some = frame[frame["score"] > 4]
    weight = rake(some, MARGINS).responses["weight"]
    assert weight.index.equals(some.index)


def test_what_comes_back_is_a_new_frame() -> None:
    frame = pd.DataFrame(answers(27))
    before = frame.copy()
    found = rake(frame, MARGINS).responses
    found.loc[0, "channel"] = "fax"
    pd.testing.assert_frame_equal(frame, before)


# --- what is refused -----------------------------------------------------------------------------

FRAME = pd.DataFrame({"plan": ["a", "a", "b", "b"], "w": [1.0, 2.0, 3.0, 4.0], "text": [*"wxyz"]})


def refused(error: type[Exception], text: str, margins: Any, **options: Any) -> None:
    with pytest.raises(error, match=text):
        rake(options.pop("frame", FRAME), margins, **options)


def test_a_value_without_responses_is_named() -> None:
    text = r"`margins` gives a share to 'c', 'd', of which column 'plan' .* has no responses\."
    refused(ArgumentError, text, {"plan": {"a": 1, "b": 1, "c": 1, "d": 2}})
    frame = FRAME.assign(w=[0.0, 0.0, 1.0, 1.0])
    text = r"to 'a', of which column 'plan' .* has no responses of weight above 0"
    refused(ArgumentError, text, {"plan": {"a": 1, "b": 1}}, frame=frame, weights="w")
    sizes = {("a", "w"): 1, ("a", "x"): 1, ("b", "y"): 1, ("b", "z"): 1, ("a", "z"): 1}
    with pytest.raises(ArgumentError, match=r"`population` gives a share to \('a', 'z'\)"):
        poststratify(FRAME, sizes, by=["plan", "text"])


def test_a_value_without_a_share_is_named(backend: Backend) -> None:
    rows = answers(30)
    number = sum(row["seats"] > 1 for row in rows)
    text = (
        rf"column 'seats' \(given as `margins`\) has 2 values without a share in {number} rows: "
        r"(5, 20|20, 5)\. `margins` has 1\."
    )
    frame = backend.make(rows)
    with pytest.raises(ArgumentError, match=text):
        rake(frame, {"seats": {1: 1}})
    # Text that looks like a number is none.
    with pytest.raises(ArgumentError, match=r"3 values without .* `margins` has '1', '5', '20'\."):
        rake(frame, {"seats": {"1": 1, "5": 1, "20": 1}})
    sizes = dict.fromkeys(itertools.product(["basic", "pro"], [1, 5, 20]), 1)
    del sizes["pro", 20]
    with pytest.raises(
        ArgumentError, match=r"columns 'plan' and 'seats' .* have 1 combination without"
    ):
        poststratify(frame, sizes, by=["plan", "seats"])


@pytest.mark.parametrize("share", [-0.1, math.nan, math.inf, -math.inf])
def test_a_share_must_be_finite_and_0_or_more(share: float) -> None:
    text = rf"gives 'b' in column 'plan' the share {share}"
    refused(ArgumentError, text, {"plan": {"a": 1, "b": share}})
    table = pd.DataFrame({"plan": ["a", "b"], "size": [1, share]})
    if math.isnan(share):
        text = r"column 'size' of `population` \(given as `size`\) is null in 1 row"
    with pytest.raises(ArgumentError, match=text):
        poststratify(FRAME, table, by="plan")


def test_margins_must_be_shares_by_value_and_column() -> None:
    refused(ArgumentTypeError, "`margins` is a list", [("plan", {"a": 1})])
    refused(ArgumentError, "`margins` is empty", {})
    refused(ArgumentTypeError, r"has 0\.6 for 'a'; it must be a mapping", {"a": 0.6, "b": 0.4})
    refused(ArgumentTypeError, "has 'ab' for 'plan'", {"plan": "ab"})
    refused(ArgumentTypeError, "the share '3'; it must be a number", {"plan": {"a": 1, "b": "3"}})
    refused(ArgumentTypeError, "the share None", {"plan": {"a": 1, "b": None}})
    refused(
        ArgumentError,
        "`margins` gives no share above 0 to any value of column 'plan'",
        {"plan": {}},
    )
    refused(
        ArgumentError,
        "`margins` gives no share above 0 to any value of column 'plan'",
        {"plan": {"a": 0, "b": 0}},
    )
    refused(ArgumentError, "to a null in column 'plan'", {"plan": {"a": 1, None: 1}})
    refused(ArgumentError, "to a null in column 'plan'", {"plan": {"a": 1, math.nan: 1}})
    refused(ArgumentTypeError, "a tuple with a value for each", {("plan", "text"): {"a": 1}})
    refused(MissingColumnError, "`margins` needs the column 'plam'", {"plam": {"a": 1}})
    refused(ArgumentTypeError, "`margins` has the key 3; it must be the name", {3: {"a": 1}})


def test_shares_that_do_not_add_up_are_told() -> None:
    text = r"shares that `margins` gives to column 'plan' add up to 0\.9;"
    with pytest.warns(RetainkitWarning, match=text):
        found = rake(FRAME, {"plan": {"a": 0.6, "b": 0.3}})
    assert weights_of(found) == pytest.approx([4 / 3, 4 / 3, 2 / 3, 2 / 3])
    with pytest.warns(RetainkitWarning, match=r"add up to 0\.9;"):
        poststratify(FRAME, {"a": 0.6, "b": 0.3}, by="plan")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rake(FRAME, {"plan": {"a": 0.667, "b": 0.334}})  # rounded
        rake(FRAME, {"plan": {"a": 1, "b": 1}})
        rake(FRAME, {"plan": {"a": 60, "b": 30}})


def test_numbers_are_weights_however_they_are_kept() -> None:
    for kind in (object, "category", "Float64"):
        frame = FRAME.assign(w=FRAME["w"].astype(kind))
        for limits in (None, (0.1, 5)):
            given: dict[str, Any] = {
                "margins": {"plan": {"a": 1, "b": 1}},
                "weights": "w",
                "limits": limits,
            }
            assert weights_of(rake(frame, **given)) == weights_of(rake(FRAME, **given))


def test_weights_must_be_numbers_0_or_more() -> None:
    margins = {"plan": {"a": 1, "b": 1}}
    refused(ColumnTypeError, r"'text' \(given as `weights`\) holds", margins, weights="text")
    refused(MissingColumnError, "`weights` needs the column", margins, weights="nothing")
    for value, text in ((-1.0, "negative in 1 row: -1"), (math.inf, "in 1 row: inf")):
        frame = FRAME.assign(w=[1.0, value, 1.0, 1.0])
        for limits in (None, (0.1, 5)):
            refused(ArgumentError, text, margins, frame=frame, weights="w", limits=limits)


def test_a_column_of_weights_is_not_written_over() -> None:
    frame = FRAME.assign(weight=1.0)
    text = r"has a column 'weight' already.*`weights='weight'`"
    refused(ArgumentError, text, {"plan": {"a": 1, "b": 1}}, frame=frame)
    refused(ArgumentError, text, {"plan": {"a": 1, "b": 1}}, frame=frame, weights="w")


@pytest.mark.parametrize("limits", [(2, 3), (0.5, 1), (-1, 3), (3, 0.3), (math.nan, 2)])
def test_limits_lie_around_1(limits: Any) -> None:
    refused(ArgumentError, "two numbers around 1", {"plan": {"a": 1, "b": 1}}, limits=limits)


@pytest.mark.parametrize("limits", [3, (1, 2, 3), ("0.5", 2), (True, 2), "ab"])
def test_limits_are_two_numbers(limits: Any) -> None:
    refused(ArgumentTypeError, "two numbers around 1", {"plan": {"a": 1, "b": 1}}, limits=limits)


def test_options_are_checked() -> None:
    margins = {"plan": {"a": 1, "b": 1}}
    refused(ArgumentError, "`missing` is 'keep'", margins, missing="keep")
    refused(ArgumentError, "`tolerance` is -1", margins, tolerance=-1)
    refused(ArgumentError, "`max_iterations` is 0", margins, max_iterations=0)
    refused(ArgumentTypeError, "`responses` is a builtins.list", margins, frame=[1])
    frame = pd.DataFrame({"plan": [["a"], ["b"]]})
    refused(ColumnTypeError, r"'plan' \(given as `margins`\)", margins, frame=frame)


def test_limits_are_shown_as_they_were_given() -> None:
    margins = {"plan": {"a": 1, "b": 9}}
    refused(ArgumentError, r"`limits` is \(0\.3, 1\.5\), and", margins, limits=(0.3, 1.5))
    refused(ArgumentError, r"`limits` is \(0, 1\.5\), and 'b' in column", margins, limits=(0, 1.5))
    refused(ArgumentError, r"`limits` is \(0\.5, inf\), and", margins, limits=(0.5, math.inf))


def test_what_poststratify_says_names_the_argument_at_fault() -> None:
    def said(error: type[Exception], population: Any, by: Any = "plan", **options: Any) -> str:
        with pytest.raises(error) as caught:
            poststratify(FRAME, population, by=by, **options)
        return str(caught.value)

    text = said(ArgumentError, {"a": 1})
    assert text.startswith("column 'plan' (given as `by`) has 1 value without a share in 2 rows: ")
    text = said(ArgumentError, {"a": 1, "b": 1, "c": 1})
    assert "'c', of which column 'plan' (given as `by`) has no responses." in text
    table = pd.DataFrame({"plan": ["a", "b"], "size": [1, 2]})
    assert "`by` needs the column 'plam'" in said(MissingColumnError, table, by="plam")
    assert said(ArgumentTypeError, table, by=[3]).startswith("`by` is 3;")
    assert said(ArgumentTypeError, table, size=3).startswith("`size` is 3;")
    for given in ({"a": -1, "b": 1}, {"a": 0, "b": 0}, {"a": "1"}, {"a": 1, None: 1}):
        assert "given as" not in said((ArgumentError, ArgumentTypeError), given)  # type: ignore[arg-type]


def test_raking_that_stops_early_says_how_to_go_on() -> None:
    margins = {"plan": {"a": 1, "b": 1}, "text": {"w": 1, "x": 2, "y": 3, "z": 4}}
    with pytest.warns(RetainkitWarning, match="Allow more in `max_iterations`; if that does not"):
        rake(FRAME, margins, max_iterations=1)


def test_a_population_is_checked() -> None:
    table = pd.DataFrame({"plan": ["a", "b"], "size": [1, 2]})
    for error, text, population, options in [
        (MissingColumnError, "`size` needs the column 'size'", table[["plan"]], {}),
        (MissingColumnError, "`population` needs the column 'plan'", table[["size"]], {}),
        (MissingColumnError, "`size` needs the column 'n'", table, {"size": "n"}),
        (
            ColumnTypeError,
            r"'size' of `population` \(given as `size`\) holds",
            table.astype({"size": str}),
            {},
        ),
        (ArgumentError, "to a null in column 'plan'", table.assign(plan=["a", None]), {}),  # type: ignore[list-item]
        (ArgumentError, "is null in 1 row", table.assign(size=[1, None]), {}),  # type: ignore[list-item]
        (ArgumentError, "`population` gives no share above 0", table[:0], {}),
        (ArgumentTypeError, "`population` is a builtins.int", 3, {}),
    ]:
        with pytest.raises(error, match=text):
            poststratify(FRAME, population, by="plan", **options)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="`by` names no column"):
        poststratify(FRAME, table, by=[])
    with pytest.raises(MissingColumnError, match="`by` needs the column 'seats'"):
        poststratify(FRAME, {1: 1}, by="seats")


def test_the_summary_can_be_read() -> None:
    found = rake(FRAME, {"plan": {"a": 3, "b": 1}}, limits=(0.5, 2))
    assert repr(found) == (
        "SurveyWeights(4 responses worth 3.2; weights 0.5 to 1.5, 2 at a limit; converged in 1 "
        "iteration)"
    )
    with pytest.raises(AttributeError):
        found.n = 3  # type: ignore[misc]


@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_columns_come_back_in_the_types_they_have(missing: Any) -> None:
    kept = {"plan": ["x", "y", "x"], "base": [1, 2, 3]}
    with_null = {"plan": ["x", None, "y", "x"], "base": [1, 5, 2, 3]}
    table = pa.table(kept if missing == "raise" else with_null)
    pandas = table.to_pandas(types_mapper=pd.ArrowDtype)
    exact = pandas.assign(base=pandas["base"].map(Decimal).astype(object))
    frames: list[Any] = [table, pandas, exact, pl.from_arrow(table)]
    for frame in frames:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RetainkitWarning)
            found = rake(frame, {"plan": {"x": 1, "y": 1}}, weights="base", missing=missing)
        base: Any = found.responses["base"]
        assert list(base.to_pylist() if isinstance(frame, pa.Table) else base) == kept["base"]
        if isinstance(frame, pa.Table):
            assert base.type == pa.int64()
        else:
            assert base.dtype == frame["base"].dtype
